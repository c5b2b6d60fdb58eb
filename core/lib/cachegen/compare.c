/* The source is asked for all versions: at the start, on every (re)connection and new epoch of Redis, and on a timer. One
 * question at a time; what makes another one necessary while it is on its way is asked behind it. */
#include <umbel/log.h>
#include <umbel/util.h>
#include "cachegen_int.h"

/* Once when it begins to fail, and once when it is over. */
static void note_failing(struct um_cachegen *g, um_err err)
{
    if (err != UM_OK && !g->failing)
        um_log(UM_WARN, "cachegen", "versions cannot be read", UM_S("error", um_err_text(err)));
    else if (err == UM_OK && g->failing)
        um_log(UM_INFO, "cachegen", "versions can be read again");
    g->failing = err != UM_OK;
}

static void take_rows(void *arg, um_err err, const struct um_cachegen_row *rows, size_t n)
{
    struct um_cachegen *g = arg;

    g->reading = false;
    note_failing(g, err);
    if (err != UM_OK) {
        count(M_FAILED, 1);
    } else {
        count(M_COMPARED, 1);
        for (size_t i = 0; i < n; i++) {
            struct entry *e = entry_get(g, rows[i].scope, rows[i].name);

            if (e != NULL)
                entry_take_truth(g, e, rows[i].version);
        }
        g->compared = true;
        if (g->live)
            bus_say_unsaid(g);
        atomic_store(&g->compared_at_ms, g->began_ms);
    }
    if (g->again)
        compare_now(g);
    else
        compare_later(g);
}

void compare_now(struct um_cachegen *g)
{
    g->again = g->reading;
    if (g->reading)
        return;
    g->reading = true;
    g->compare_no++;
    g->began_ms = um_now_ms();
    um_timer_stop(g->loop, &g->timer);
    g->source.read(g->source.ctx, g->loop, take_rows, g);
}

static void on_timer(void *arg) { compare_now(arg); }

void compare_later(struct um_cachegen *g)
{
    int64_t ms = UM_MIN(g->conf.compare_interval_ms, g->conf.max_stale_ms / 2);

    if (!g->live || !g->compared || um_now_ms() - atomic_load(&g->compared_at_ms) > ms)
        ms = UM_MIN(ms, COMPARE_AWAY_MS);
    if (!g->reading)
        um_timer_set(g->loop, &g->timer, ms, on_timer, g);
}
