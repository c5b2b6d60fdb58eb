/* See controls.h. */
#include <stdlib.h>
#include <string.h>
#include <umbel/jobs.h>
#include "controls.h"

struct control {
    char scope[UM_JOB_TEXT_MAX + 1], registration[UM_JOB_TEXT_MAX + 1];
    bool paused, taken;
    double rate, tokens;
};

/* ---- reading ---- */

static double filled(const struct controls *all, double rate, double tokens, int64_t since_ms)
{
    double most = UM_MAX(rate, 1.0);

    return UM_MIN(most, tokens + rate * (double)UM_MAX(all->now_ms - since_ms, 0) / 1000);
}

static um_err add(void *arg, const struct um_sql_row *row)
{
    struct controls *all = arg;
    struct control *c;

    all->list = um_xrealloc(all->list, (all->n + 1) * sizeof(*all->list));
    c = &all->list[all->n++];
    memset(c, 0, sizeof(*c));
    strncat(c->scope, um_sql_text(row, 0), UM_JOB_TEXT_MAX);
    strncat(c->registration, um_sql_text(row, 1), UM_JOB_TEXT_MAX);
    c->paused = um_sql_int(row, 2) != 0;
    c->rate = um_sql_real(row, 3);
    c->tokens = filled(all, c->rate, um_sql_real(row, 4), um_sql_int(row, 5));
    return UM_OK;
}

#define CONTROLS "SELECT scope, registration, paused, rate, tokens, refilled_ms FROM job_controls WHERE rate "

/* Rows without a rate are only looked at; those with one stay ours until the transaction ends. */
um_err controls_read(struct um_sql *q, struct controls *all)
{
    um_err err;

    *all = (struct controls){ .now_ms = um_sql_now_ms(q) };
    err = um_sql_each(q, CONTROLS "= 0", UM_SQL_NO_ARGS, add, all);
    if (err == UM_OK)
        err = um_sql_each(q, um_sql_is_postgres(q) ? CONTROLS "> 0 ORDER BY scope, registration FOR UPDATE" : CONTROLS "> 0", UM_SQL_NO_ARGS,
                          add, all);
    return err;
}

um_err controls_write(struct um_sql *q, const struct controls *all)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < all->n && err == UM_OK; i++) {
        const struct control *c = &all->list[i];

        if (c->taken)
            err = um_sql_exec(q, "UPDATE job_controls SET tokens = ?3, refilled_ms = ?4 WHERE scope = ?1 AND registration = ?2",
                              UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->registration), UM_SQL_REAL(c->tokens),
                                          UM_SQL_INT(all->now_ms)), NULL);
    }
    return err;
}

void controls_free(struct controls *all)
{
    free(all->list);
    *all = (struct controls){ 0 };
}

/* ---- asking ---- */

static bool is_of(const struct control *c, const char *scope, const char *registration)
{
    return (c->scope[0] == '\0' || strcmp(c->scope, scope) == 0) &&
           (c->registration[0] == '\0' || strcmp(c->registration, registration) == 0);
}

bool controls_pause(const struct controls *all, const char *scope, const char *registration)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].paused && is_of(&all->list[i], scope, registration))
            return true;
    return false;
}

bool controls_limit(const struct controls *all, const char *scope, const char *registration)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].rate > 0 && is_of(&all->list[i], scope, registration))
            return true;
    return false;
}

bool controls_take(struct controls *all, const char *scope, const char *registration, int64_t *wait_ms)
{
    *wait_ms = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct control *c = &all->list[i];

        if (c->rate > 0 && c->tokens < 1 && is_of(c, scope, registration))
            *wait_ms = UM_MAX(*wait_ms, (int64_t)((1 - c->tokens) * 1000 / c->rate) + 1);
    }
    if (*wait_ms > 0)
        return false;
    for (size_t i = 0; i < all->n; i++) {
        struct control *c = &all->list[i];

        if (c->rate > 0 && is_of(c, scope, registration)) {
            c->tokens -= 1;
            c->taken = true;
        }
    }
    return true;
}
