/* Workers outside: the same claims, leases and ends, by their own calls. */
#include <string.h>
#include "list.h"

struct wanted { const char *scope, *handler; };

static bool is_wanted(void *arg, const char *scope, const char *handler)
{
    const struct wanted *w = arg;

    return strcmp(handler, w->handler) == 0 && (w->scope == NULL || strcmp(scope, w->scope) == 0);
}

static um_err describe(struct um_sql *q, const struct um_jobs_conf *cf, const struct job_taken *t, json_t *out)
{
    json_t *job, *payload;
    um_err err = um_jobs_get(q, cf, NULL, t->job.id, &job);

    if (err != UM_OK)
        return err;
    payload = json_loads(t->job.payload, JSON_DECODE_ANY, NULL);
    json_object_set_new(job, "payload", payload != NULL ? payload : json_null());
    json_object_set_new(job, "fence", json_integer((json_int_t)t->job.fence));
    json_array_append_new(out, job);
    return UM_OK;
}

um_err um_jobs_lease(struct um_sql *q, const struct um_jobs_conf *cf, const char *scope, const char *queue, const char *worker,
                     int64_t lease_ms, int64_t max, json_t **jobs)
{
    struct um_buf handler = { 0 };
    struct wanted wanted = { .scope = scope };
    struct job_claim c = { .worker = worker, .lease_ms = lease_ms, .max_attempts = cf->max_attempts, .serves = is_wanted, .arg = &wanted,
                           .max = (size_t)UM_MAX(max, 0), .any = true, .after_queue = -1 };
    um_err err;

    *jobs = NULL;
    if (max < 1 || max > UM_JOBS_PAGE_MAX || lease_ms < 1 || strlen(worker) > UM_JOB_TEXT_MAX)
        return UM_EINVAL;
    um_buf_printf(&handler, "worker:%s", queue);
    wanted.handler = um_buf_cstr(&handler);
    err = job_claim(q, &c);
    *jobs = json_array();
    for (size_t i = 0; i < c.n_taken && err == UM_OK; i++)
        err = describe(q, cf, c.taken[i], *jobs);
    job_claim_clear(&c);
    um_buf_free(&handler);
    if (err != UM_OK) {
        json_decref(*jobs);
        *jobs = NULL;
    }
    return err;
}

/* The row's number and attempts; UM_EDENIED: there is none, as for who has lost it. */
static um_err find(struct um_sql *q, const char *scope, const char *id, int64_t *num, int64_t *attempts)
{
    struct um_sql_row row;
    um_err err = scope != NULL
        ? um_sql_one(q, "SELECT num, attempts FROM jobs WHERE id = ?1 AND scope = ?2", UM_SQL_ARGS(um_sql_word(id), um_sql_word(scope)), &row)
        : um_sql_one(q, "SELECT num, attempts FROM jobs WHERE id = ?1", UM_SQL_ARGS(um_sql_word(id)), &row);

    if (err == UM_OK) {
        *num = um_sql_int(&row, 0);
        *attempts = um_sql_int(&row, 1);
    }
    return err == UM_ENOTFOUND ? UM_EDENIED : err;
}

static um_err end(struct um_sql *q, struct job_end *e, int64_t lease_ms)
{
    struct nums promoted = { 0 };
    um_err err = job_ends(q, e, 1, lease_ms, &promoted);

    nums_free(&promoted);
    return err == UM_OK && !e->was_ours ? UM_EDENIED : err;
}

um_err um_jobs_end(struct um_sql *q, const struct um_jobs_conf *cf, const char *scope, const char *id, uint64_t fence, const char *code,
                   const char *message)
{
    struct job_end e = { .fence = fence, .code = code, .message = message != NULL ? message : "" };
    int64_t attempts = 0;
    um_err err = find(q, scope, id, &e.num, &attempts);

    if (err != UM_OK)
        return err;
    e.delay_ms = job_backoff_ms(cf, (unsigned)attempts);
    e.how = code == NULL ? JOB_DONE : job_is_final(code) || attempts >= cf->max_attempts ? JOB_GIVEN_UP : JOB_AGAIN;
    return end(q, &e, 0);
}

um_err um_jobs_extend(struct um_sql *q, const char *scope, const char *id, uint64_t fence, int64_t lease_ms)
{
    struct job_end e = { .fence = fence, .how = JOB_RENEWED };
    int64_t attempts;
    um_err err = find(q, scope, id, &e.num, &attempts);

    if (err != UM_OK)
        return err;
    return lease_ms > 0 ? end(q, &e, lease_ms) : UM_EINVAL;
}
