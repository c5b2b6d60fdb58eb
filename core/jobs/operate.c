/* What operators change: jobs in ERROR, pauses and rates. */
#include <string.h>
#include "list.h"

static int64_t portion(const struct um_jobs_query *query)
{
    return query != NULL && query->max > 0 ? UM_MIN(query->max, UM_JOBS_PAGE_MAX) : UM_JOBS_PAGE_MAX;
}

/* CHANGE with the oldest of those in ERROR that are meant. */
static um_err change_errors(struct um_sql *q, struct um_sql_parts *p, const struct um_jobs_query *query, const char *id, int64_t *n)
{
    um_err err;

    um_sql_add(p, " WHERE status = 5 AND num IN (SELECT num FROM jobs");
    err = list_where(p, query, id, "status = 5");
    um_sql_add(p, " ORDER BY num LIMIT ");
    um_sql_add_value(p, UM_SQL_INT(portion(query)));
    um_sql_add(p, ")");
    if (err == UM_OK)
        err = um_sql_exec_of(q, p, n);
    um_sql_parts_free(p);
    return err;
}

um_err um_jobs_retry(struct um_sql *q, const struct um_jobs_query *query, const char *id, int64_t *n)
{
    struct um_sql_parts p = { 0 };

    um_sql_add(&p, "UPDATE jobs SET status = 0, attempts = 0, due_ms = ");
    um_sql_add_value(&p, UM_SQL_INT(um_sql_now_ms(q)));
    return change_errors(q, &p, query, id, n);
}

um_err um_jobs_purge(struct um_sql *q, const struct um_jobs_query *query, const char *id, int64_t *n)
{
    struct um_sql_parts p = { 0 };

    um_sql_add(&p, "DELETE FROM jobs");
    return change_errors(q, &p, query, id, n);
}

/* ---- pauses and rates ---- */

static bool may_be(const char *s) { return s == NULL || strlen(s) <= UM_JOB_TEXT_MAX; }

static um_err control(struct um_sql *q, const char *scope, const char *registration, const char *text, struct um_sql_value value)
{
    um_err err;

    if (!may_be(scope) || !may_be(registration))
        return UM_ELIMIT;
    err = um_sql_exec(q, "INSERT INTO job_controls(scope, registration, paused, rate, tokens, refilled_ms) VALUES(?1, ?2, 0, 0, 1, ?3)"
                      " ON CONFLICT (scope, registration) DO NOTHING",
                      UM_SQL_ARGS(um_sql_word(scope != NULL ? scope : ""), um_sql_word(registration != NULL ? registration : ""),
                                  UM_SQL_INT(um_sql_now_ms(q))), NULL);
    if (err == UM_OK)
        err = um_sql_exec(q, text, UM_SQL_ARGS(um_sql_word(scope != NULL ? scope : ""), um_sql_word(registration != NULL ? registration : ""),
                                               value), NULL);
    if (err == UM_OK)
        err = um_sql_exec(q, "DELETE FROM job_controls WHERE paused = 0 AND rate = 0", UM_SQL_NO_ARGS, NULL);
    return err;
}

um_err um_jobs_pause(struct um_sql *q, const char *scope, const char *registration, bool paused)
{
    return control(q, scope, registration, "UPDATE job_controls SET paused = ?3 WHERE scope = ?1 AND registration = ?2", UM_SQL_INT(paused));
}

um_err um_jobs_set_rate(struct um_sql *q, const char *scope, const char *registration, double per_second)
{
    if (per_second < 0 || per_second > 1e6)
        return UM_EINVAL;
    return control(q, scope, registration, "UPDATE job_controls SET rate = ?3 WHERE scope = ?1 AND registration = ?2",
                   UM_SQL_REAL(per_second));
}
