/* How many jobs there are, for the gauges. Counted by an inspection, not kept: a row of counters would be changed by every operation of
 * every core, and they would be in each other's way (SERIALIZABLE). The counting reads indexes alone; it takes some 0.15 s for a million
 * rows, beside the writer, and it is repeated after 50 times as long as it took, or at the next sweep, whichever is later. */
#include <stdlib.h>
#include <umbel/util.h>
#include "internal.h"

enum { PART = 50 };

struct figures {
    struct um_jobs *j;
    bool is_asking;
    int64_t began_ms, next_ms;                /* um_now_ms */
    int64_t n[4], oldest_ms, now_ms;
};

static um_err count(struct um_sql *q, const char *text, int64_t *n, int64_t *first)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, text, UM_SQL_NO_ARGS, &row);

    if (err != UM_OK)
        return err;
    *n = um_sql_int(&row, 0);
    *first = um_sql_int(&row, 1);
    return UM_OK;
}

static um_err look(void *arg, struct um_sql *q)
{
    static const char *const texts[] = { "SELECT count(*), min(num) FROM jobs WHERE status < 3", "SELECT count(*), 0 FROM jobs WHERE status = 3",
                                         "SELECT count(*), 0 FROM jobs WHERE status = 4", "SELECT count(*), 0 FROM jobs WHERE status = 5" };
    struct figures *f = arg;
    int64_t first = 0, none;
    struct um_sql_row row;
    um_err err = UM_OK;

    f->now_ms = um_sql_now_ms(q);
    f->oldest_ms = 0;
    for (size_t i = 0; i < UM_COUNT(texts) && err == UM_OK; i++)
        err = count(q, texts[i], &f->n[i], i == 0 ? &first : &none);
    if (err != UM_OK || f->n[0] == 0)
        return err;
    err = um_sql_one(q, "SELECT created_ms FROM jobs WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(first)), &row);
    if (err == UM_OK)
        f->oldest_ms = UM_MAX(f->now_ms - um_sql_int(&row, 0), 0);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static void done(void *arg, um_err err)
{
    static const enum jobs_counter counters[] = { M_WAITING, M_DELAYED, M_PROCESSING, M_ERRORS };
    struct figures *f = arg;
    int64_t now_ms = um_now_ms();

    f->is_asking = false;
    f->next_ms = now_ms + PART * (now_ms - f->began_ms);
    if (err != UM_OK)
        return;
    for (size_t i = 0; i < UM_COUNT(counters); i++)
        jobs_set(counters[i], f->n[i]);
    jobs_set(M_OLDEST, f->oldest_ms / 1000);
}

void figures_look(struct figures *f)
{
    if (f->is_asking || um_now_ms() < f->next_ms)
        return;
    f->is_asking = true;
    f->began_ms = um_now_ms();
    um_store_inspect(f->j->env.store, f->j->env.loop, look, done, f);
}

struct figures *figures_new(struct um_jobs *j)
{
    struct figures *f = um_xcalloc(1, sizeof(*f));

    f->j = j;
    return f;
}

void figures_free(struct figures *f) { free(f); }
