/* The queue as its operators see it, and for workers outside: calls over umbel/jobs.h. ADMIN has his scope's, SYSTEM_ADMIN any:
 * `scope=*` is all of them. */
#include <string.h>
#include <umbel/jobs.h>
#include "internal.h"
#include "operations/chain.h"

static const char *scope_of(const struct um_call *c, um_err *err)
{
    const char *asked = um_arg(c, "scope");

    *err = UM_OK;
    if (asked == NULL || strcmp(asked, c->scope) == 0)
        return c->scope;
    if (!um_token_list_contains(&c->who->profiles, "SYSTEM_ADMIN"))
        *err = um_fail((struct um_call *)c, UM_U00403, "the jobs of other scopes need role SYSTEM_ADMIN");
    return strcmp(asked, "*") == 0 ? NULL : asked;
}

static um_err query_of(const struct um_call *c, struct um_jobs_query *out)
{
    um_err err;

    *out = (struct um_jobs_query){ .scope = scope_of(c, &err), .status = um_arg(c, "status"), .registration = um_arg(c, "registration"),
                                   .object = um_arg(c, "objectId"), .since_ms = um_arg_int(c, "since", 0), .start = um_arg_int(c, "start", 0),
                                   .max = um_arg_int(c, "max", UM_JOBS_PAGE_MAX) };
    return err;
}

static um_err not_there(struct um_call *c, um_err err)
{
    return err == UM_ENOTFOUND ? um_fail(c, UM_U00404, "there is no job %s", um_arg(c, "id")) : err;
}

/* ---- looking ---- */

static um_err list(struct um_call *c)
{
    struct um_jobs_query query;
    um_err err = query_of(c, &query);

    return err == UM_OK ? um_jobs_list(c->q, c->domain->jobs, &query, &c->reply) : err;
}

static um_err count(struct um_call *c)
{
    struct um_jobs_query query;
    int64_t n = 0;
    um_err err = query_of(c, &query);

    if (err == UM_OK)
        err = um_jobs_count(c->q, &query, &n);
    c->reply = json_integer(n);
    return err;
}

static um_err get(struct um_call *c)
{
    um_err err;
    const char *scope = scope_of(c, &err);

    return err == UM_OK ? not_there(c, um_jobs_get(c->q, c->domain->jobs, scope, um_arg(c, "id"), &c->reply)) : err;
}

static um_err summary(struct um_call *c)
{
    um_err err;
    const char *scope = scope_of(c, &err);

    return err == UM_OK ? um_jobs_summary(c->q, scope, &c->reply) : err;
}

static um_err registrations(struct um_call *c)
{
    um_err err;
    const char *scope = scope_of(c, &err);

    return err == UM_OK ? um_jobs_registrations(c->q, scope, &c->reply) : err;
}

/* ---- what has failed ---- */

typedef um_err change_fn(struct um_sql *q, const struct um_jobs_query *query, const char *id, int64_t *n);

/* All that the query means, some in each unit; of one that is named: whether it was there. */
static um_err change(struct um_call *c, change_fn *fn)
{
    const char *id = um_arg(c, "id");
    struct um_jobs_query query;
    int64_t n = 0;
    um_err err = query_of(c, &query);

    if (err == UM_OK)
        err = fn(c->q, &query, id, &n);
    if (err == UM_OK && id != NULL && n == 0)
        err = UM_ENOTFOUND;
    c->again = err == UM_OK && id == NULL && n >= query.max;
    chain_note_jobs(c->chain);
    return not_there(c, err);
}

/* What would be done, without doing it. */
static um_err dry_run(struct um_call *c)
{
    struct um_jobs_query query;
    int64_t n = 0;
    um_err err = query_of(c, &query);

    query.status = "ERROR";
    if (err == UM_OK)
        err = um_jobs_count(c->q, &query, &n);
    c->reply = json_pack("{s:I}", "jobs", (json_int_t)n);
    return err;
}

static um_err retry(struct um_call *c) { return um_arg_int(c, "dryRun", 0) != 0 ? dry_run(c) : change(c, um_jobs_retry); }
static um_err purge(struct um_call *c) { return um_arg_int(c, "dryRun", 0) != 0 ? dry_run(c) : change(c, um_jobs_purge); }

/* ---- pausing ---- */

static um_err set_paused(struct um_call *c, bool paused)
{
    um_err err;
    const char *scope = scope_of(c, &err);

    chain_note_jobs(c->chain);
    return err == UM_OK ? um_jobs_pause(c->q, scope, um_arg(c, "registration"), paused) : err;
}

static um_err pause_jobs(struct um_call *c) { return set_paused(c, true); }
static um_err resume_jobs(struct um_call *c) { return set_paused(c, false); }

static um_err set_rate(struct um_call *c)
{
    um_err err;
    const char *scope = scope_of(c, &err);

    return err == UM_OK ? um_jobs_set_rate(c->q, scope, um_arg(c, "registration"), json_number_value(json_object_get(c->body, "perSecond"))) : err;
}

/* ---- workers outside ---- */

static int64_t number(const struct um_call *c, const char *member, int64_t without)
{
    const json_t *v = json_object_get(c->body, member);

    return json_is_integer(v) ? json_integer_value(v) : without;
}

static const char *text(const struct um_call *c, const char *member) { return json_string_value(json_object_get(c->body, member)); }
static int64_t lease_ms(const struct um_call *c) { return 1000 * number(c, "leaseSeconds", c->domain->jobs->lease_ms / 1000); }

static um_err lease(struct um_call *c)
{
    const char *worker = text(c, "worker");

    return um_jobs_lease(c->q, c->domain->jobs, c->scope, text(c, "queue"), worker != NULL ? worker : c->who->user, lease_ms(c),
                         number(c, "max", 1), &c->reply);
}

static um_err his(struct um_call *c, um_err err)
{
    return err == UM_EDENIED ? um_fail(c, UM_U00409, "job %s is not leased under this fence any more", um_arg(c, "id")) : not_there(c, err);
}

static um_err end(struct um_call *c)
{
    chain_note_jobs(c->chain);               /* the next of its lane */
    return his(c, um_jobs_end(c->q, c->domain->jobs, c->scope, um_arg(c, "id"), (uint64_t)number(c, "fence", 0), text(c, "code"),
                              text(c, "message")));
}

static um_err extend(struct um_call *c)
{
    return his(c, um_jobs_extend(c->q, c->scope, um_arg(c, "id"), (uint64_t)number(c, "fence", 0), lease_ms(c)));
}

const struct um_domain_call um_job_list = { "jobs.list", list, 0 };
const struct um_domain_call um_job_count = { "jobs.count", count, 0 };
const struct um_domain_call um_job_get = { "jobs.get", get, 0 };
const struct um_domain_call um_job_summary = { "jobs.summary", summary, 0 };
const struct um_domain_call um_job_registrations = { "jobs.registrations", registrations, 0 };
const struct um_domain_call um_job_retry = { "jobs.retry", retry, UM_CALL_WRITES };
const struct um_domain_call um_job_purge = { "jobs.purge", purge, UM_CALL_WRITES };
const struct um_domain_call um_job_pause = { "jobs.pause", pause_jobs, UM_CALL_WRITES };
const struct um_domain_call um_job_resume = { "jobs.resume", resume_jobs, UM_CALL_WRITES };
const struct um_domain_call um_job_rate = { "jobs.rate", set_rate, UM_CALL_WRITES };
const struct um_domain_call um_job_lease = { "jobs.lease", lease, UM_CALL_WRITES | UM_CALL_LOOSE };
const struct um_domain_call um_job_end = { "jobs.end", end, UM_CALL_WRITES | UM_CALL_LOOSE };
const struct um_domain_call um_job_extend = { "jobs.extend", extend, UM_CALL_WRITES | UM_CALL_LOOSE };
