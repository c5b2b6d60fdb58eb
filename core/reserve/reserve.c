/* The object: it feeds the copy, notices leases that end, and tells listeners. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum {
    MARGIN_MS = 10000,                        /* a lease is not relied upon at its very end: for so long, */
    MARGIN_PART = 12,                         /* or this part of a short one */
    LOAD_MS = 3000, RETRY_MS = 1000, TICK_MIN_MS = 100, CHECK_MAX = 1000,
};

static const char *const event_texts[UM_RESERVE_EVENTS_N] = {
#define X(id, text) [UM_RESERVE_##id] = text,
    UM_RESERVE_EVENTS(X)
#undef X
};
const char *um_reserve_event_text(enum um_reserve_event e) { return event_texts[e]; }

static int64_t margin_ms(const struct um_reserve *r) { return UM_MIN(MARGIN_MS, r->conf.ttl_ms / MARGIN_PART); }

/* ---- listeners ---- */

struct telling {
    um_reserve_fn *fn;
    void *arg;
    struct um_reserve_change change;
    char text[];
};

static void tell(void *arg)
{
    struct telling *t = arg;

    t->fn(t->arg, &t->change);
    free(t);
}

static void tell_listeners(struct um_reserve *r, const struct um_reserve_change *c)
{
    size_t n = strlen(c->category) + strlen(c->id) + strlen(c->user) + strlen(c->session) + strlen(c->by) + 5;

    um_log(UM_DEBUG, "reserve", um_reserve_event_text(c->event), UM_S("category", c->category), UM_S("id", c->id),
           UM_S("user", c->user), UM_S("by", c->by));
    for (size_t i = 0; i < r->n_listeners; i++) {
        struct telling *t = um_xmalloc(sizeof(*t) + n);
        char *at = t->text;

        t->fn = r->listeners[i].fn;
        t->arg = r->listeners[i].arg;
        t->change = (struct um_reserve_change){ copy_put_text(&at, c->category), copy_put_text(&at, c->id), c->event,
            copy_put_text(&at, c->user), copy_put_text(&at, c->session), copy_put_text(&at, c->by) };
        um_loop_call(r->listeners[i].loop, tell, t);
    }
}

void um_reserve_listen(struct um_reserve *r, struct um_loop *l, um_reserve_fn *fn, void *arg)
{
    r->listeners = um_xrealloc(r->listeners, (r->n_listeners + 1) * sizeof(*r->listeners));
    r->listeners[r->n_listeners++] = (struct listener){ l, fn, arg };
}

/* ---- rows ---- */

static void tick_due(void *arg);

static void look_again_in(struct um_reserve *r, int64_t ms)
{
    int64_t at = um_loop_now_ms(r->env.loop) + UM_MAX(ms, TICK_MIN_MS);

    if (!um_timer_is_set(&r->tick) || r->tick.at_ms > at)
        um_timer_set(r->env.loop, &r->tick, UM_MAX(ms, TICK_MIN_MS), tick_due, r);
}

static void tell_outcome(struct um_reserve *r, const char *category, const char *id, const struct copy_outcome *o,
                         enum um_reserve_event event, const char *by)
{
    if (o->verdict == COPY_TAKEN)
        event = UM_RESERVE_TAKEN;
    else if (o->verdict == COPY_CONFIRMED)
        event = UM_RESERVE_CONFIRMED;
    reserve_count(M_ACTIVE, (int64_t)r->copy.held - (int64_t)r->counted);
    r->counted = r->copy.held;
    if (event == UM_RESERVE_EXPIRED)
        reserve_count(M_EXPIRED, 1);
    tell_listeners(r, &(struct um_reserve_change){ category, id, event, o->user, o->session,
                                                   event == UM_RESERVE_BROKEN ? by : "" });
}

void reserve_report(struct um_reserve *r, uint64_t version, enum um_reserve_event event, const char *by,
                    const struct um_store_reserved *rows, size_t n)
{
    struct copy_outcome o;

    for (size_t i = 0; i < n; i++) {
        if (!copy_report(&r->copy, &rows[i], version, um_now_ms(), margin_ms(r), &o)) {
            reserve_count(M_BAD_NEWS, 1);
            continue;
        }
        if (o.verdict == COPY_SAME)
            continue;
        bool is_over = *rows[i].session != '\0' && rows[i].left_ms <= 0;
        tell_outcome(r, rows[i].category, rows[i].id, &o, is_over ? UM_RESERVE_EXPIRED : event, by);
        look_again_in(r, rows[i].left_ms - margin_ms(r));
    }
}

/* ---- all of them ---- */

static void read_all(struct um_reserve *r);

static void reread_due(void *arg) { read_all(arg); }

static void now_absent(void *arg, const char *category, const char *id, const struct copy_outcome *o)
{
    tell_outcome(arg, category, id, o, UM_RESERVE_RELEASED, "");
}

static void take_all(struct um_reserve *r, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct um_map present = { 0 };
    struct um_buf key = { 0 };

    for (size_t i = 0; i < n; i++) {
        copy_key(&key, rows[i].category, rows[i].id);
        um_map_put(&present, UM_SPAN(key.data, key.len), r);
    }
    reserve_report(r, version, UM_RESERVE_RELEASED, "", rows, n);
    copy_sweep_absent(&r->copy, &present, version, um_now_ms(), now_absent, r);
    um_map_free(&present);
    um_buf_free(&key);
    atomic_store(&r->loaded, true);
}

/* News that came while the rows were on their way has been put in already: together they are as new as the newer of both. */
static void on_all(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct um_reserve *r = arg;

    r->reading = false;
    if (err != UM_OK) {
        um_log_limited(UM_WARN, "reserve", "reservations cannot be read", UM_S("reason", um_err_text(err)));
        um_timer_set(r->env.loop, &r->reread, RETRY_MS, reread_due, r);
        return;
    }
    take_all(r, version, rows, n);
    if (version < r->wanted)
        read_all(r);
    else
        um_cachegen_applied(r->env.cachegen, "", UM_RESERVE_CACHE, UM_MAX(version, r->told));
}

static void read_all(struct um_reserve *r)
{
    um_timer_stop(r->env.loop, &r->reread);
    if (r->reading || r->stopped)
        return;                               /* it is asked again if what comes is too old */
    r->reading = true;
    reserve_count(M_RELOADS, 1);
    um_store_reservations(r->env.store, r->env.loop, on_all, r);
}

/* ---- news ---- */

struct hearing { struct um_reserve *r; uint64_t version; };

static void hear_row(void *arg, const struct news_head *head, const struct um_store_reserved *row)
{
    struct hearing *h = arg;

    reserve_report(h->r, h->version, head->event, head->by, row, 1);
}

static void on_news(void *arg, const char *scope, uint64_t version, struct um_span news)
{
    struct um_reserve *r = arg;
    struct hearing h = { r, version };
    bool understood;

    if (*scope != '\0')
        return;
    r->told = UM_MAX(r->told, version);
    understood = news.len > 0 && news_read(news, hear_row, &h);
    if (!understood) {
        reserve_count(M_BAD_NEWS, news.len > 0);
        r->wanted = UM_MAX(r->wanted, version);
        read_all(r);
    } else if (!r->reading && !um_timer_is_set(&r->reread)) {
        um_cachegen_applied(r->env.cachegen, "", UM_RESERVE_CACHE, version);
    }
}

/* ---- leases that end ---- */

static void on_checked(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct um_reserve *r = arg;

    r->checking = false;
    if (err == UM_OK)
        reserve_report(r, version, UM_RESERVE_RELEASED, "", rows, n);
    look_again_in(r, err == UM_OK ? TICK_MIN_MS : RETRY_MS);
}

static void tick_due(void *arg)
{
    struct um_reserve *r = arg;
    struct um_store_ref due[CHECK_MAX];
    int64_t next_ms, now_ms = um_now_ms();
    size_t n;

    if (r->checking || r->stopped)
        return;
    n = copy_due(&r->copy, now_ms, due, CHECK_MAX, &next_ms);
    if (n > 0) {
        r->checking = true;
        um_store_reserved(r->env.store, r->env.loop, due, n, on_checked, r);
    }
    for (size_t i = 0; i < n; i++) {
        free((char *)due[i].category);
        free((char *)due[i].id);
    }
    look_again_in(r, next_ms - now_ms);
}

/* ---- reading the copy ---- */

enum um_reserve_is um_reserve_holder(struct um_reserve *r, const char *category, const char *id, struct um_reserve_holder *out)
{
    return copy_look(&r->copy, category, id, um_now_ms(), out);
}

bool um_reserve_may_write(struct um_reserve *r, const char *category, const char *id, const char *user, int64_t *until_ms)
{
    struct um_reserve_holder h;
    enum um_reserve_is is = um_reserve_holder(r, category, id, &h);

    *until_ms = h.sure_ms;
    return is == UM_RESERVE_FREE || (is == UM_RESERVE_HELD && strcmp(h.user, user) == 0);
}

size_t um_reserve_list(struct um_reserve *r, const struct um_reserve_filter *f,
                       void (*cb)(void *arg, const struct um_store_reserved *row), void *arg)
{
    return copy_list(&r->copy, f, um_now_ms(), cb, arg);
}

bool um_reserve_is_loaded(const struct um_reserve *r) { return atomic_load(&r->loaded); }

/* ---- life ---- */

/* On a loop of its own, for that of the reservations does not run yet. */
static void read_first(struct um_reserve *r)
{
    struct um_loop *nursery = um_loop_new(0);
    int64_t end = um_now_ms() + LOAD_MS;

    r->reading = true;
    um_store_reservations(r->env.store, nursery, on_all, r);
    while (r->reading && um_now_ms() < end)
        um_loop_turn(nursery, LOAD_MS / 10);
    if (!r->reading) {
        um_loop_free(nursery);
        return;
    }
    um_log(UM_WARN, "reserve", "the reservations are slow to come: documents may only be read until they are there");
    r->nursery = nursery;
    r->reading = false;
    read_all(r);
}

um_err um_reserve_new(struct um_reserve **out, const struct um_reserve_env *env)
{
    struct um_reserve *r = um_xcalloc(1, sizeof(*r));

    um_metrics_register(reserve_counters, M_N);
    r->env = *env;
    r->conf = *env->conf;
    um_list_init(&r->calls);
    copy_init(&r->copy);
    r->editing = editing_new(env);
    um_cachegen_listen(env->cachegen, env->loop, UM_RESERVE_CACHE, on_news, r);
    read_first(r);
    look_again_in(r, COPY_GRAVE_MS);
    *out = r;
    return UM_OK;
}

void um_reserve_stop(struct um_reserve *r)
{
    if (r != NULL)
        r->stopped = true;
}

void um_reserve_free(struct um_reserve *r)
{
    if (r == NULL)
        return;
    editing_free(r->editing);
    calls_free(r);
    um_timer_stop(r->env.loop, &r->tick);
    um_timer_stop(r->env.loop, &r->reread);
    reserve_count(M_ACTIVE, -(int64_t)r->counted);
    copy_free(&r->copy);
    if (r->nursery != NULL)
        um_loop_turn(r->nursery, 0);
    um_loop_free(r->nursery);
    free(r->listeners);
    free(r);
}
