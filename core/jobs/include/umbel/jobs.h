/* Asynchronous operations: jobs that are written with the change that caused them, and done at least once by some core.
 *
 * The truth of a job is its row. It is added in the unit of work of the operation (um_jobs_add), so an accepted operation has
 * its jobs and a rolled back one has none. Everything beside it only makes it quicker: Redis carries hints of jobs that are due
 * (a stream and its consumer group), which may be lost, doubled or old; a sweep of the database finds what nobody was told of.
 * Without Redis the hints stay in the process.
 *
 * Order: jobs of one lane (scope, registration, category and object) are done one after the other, as they were added. The one
 * whose turn it is, is the lane's head; finishing it makes the next one the head in the same transaction. A job in ERROR has left
 * its lane: later ones go on.
 *
 * Lease: a worker takes a job by a unit that raises its fencing number. It renews the lease every third of it; who has lost it
 * (frozen, cut off) finishes nothing: finishing compares the number. An attempt counts when it begins, so that a job which takes
 * its worker's process with it ends in ERROR as well.
 *
 * docs/states/job.md draws WAITING -> PROCESSING -> done (no row) | DELAYED (a later attempt) | ERROR (until retried or deleted).
 *
 * One object per process, on one loop. Calls may come from any thread, unless said otherwise. */
#ifndef UMBEL_JOBS_H
#define UMBEL_JOBS_H
#include <jansson.h>
#include <umbel/loop.h>
#include <umbel/sql.h>
#include <umbel/store_work.h>

struct um_cluster;
struct um_conf_table;
struct um_jobs;
struct um_redis;

enum {
    UM_JOB_ID_LEN = 36,                       /* a UUID; ids of later jobs are greater, to a millisecond */
    UM_JOB_TEXT_MAX = 200,                    /* bytes of scope, registration, action, phase, category, user, request: each */
    UM_JOB_LONG_MAX = 1000,                   /* of a handler (it may be a URL) and an object's id */
    UM_JOB_PAYLOAD_MAX = 256 << 10,           /* bytes */
    UM_JOB_CODE_MAX = 64,                     /* of an error; what is longer is cut */
    UM_JOB_MESSAGE_MAX = 1000,
    UM_JOBS_REGISTRATIONS_MAX = 200,
    UM_JOBS_PAGE_MAX = 1000,                  /* rows of a list, or changed by one call */
};

struct um_jobs_conf {
    int64_t lease_ms, shutdown_ms;            /* operation.async.lease, .shutdown-timeout */
    int64_t max_attempts, max_waiting;        /* operation.async.max-attempts, .max-waiting: hints in Redis; beyond: rows only */
    int64_t backoff_ms, backoff_max_ms;       /* operation.async.backoff 1s, .backoff-max 5m; times 2 each attempt, +-20 % */
    int64_t workers;                          /* operation.async.workers: jobs that this core does at a time */
    int64_t sweep_ms;                         /* operation.async.sweep 5s */
};
extern const struct um_conf_table um_jobs_conf_table;

/* ---- adding: inside a unit of work ------------------------------------------------------------------------ */

struct um_job_new {                           /* NULL: "", but of registration, handler and payload */
    const char *scope, *registration, *handler;      /* HANDLER: its name, its URL, or worker:<queue> */
    const char *action, *phase, *category, *object;
    const char *user, *request;
    unsigned depth;                           /* of operations that handlers caused */
    struct um_span payload;                   /* JSON, what the handler is told beside the columns */
};
/* Writes the row; ID gets the job's. It reads nothing, so it stands in nobody's way. After the commit: um_jobs_added.
 * UM_EINVAL: no registration, handler or payload; UM_ELIMIT: one of the above. */
UM_CHECK_RESULT um_err um_jobs_add(struct um_sql *q, const struct um_job_new *j, char id[UM_JOB_ID_LEN + 1]);

/* Is there one of the same lane and action that nobody has begun? What it will say when it is done covers what this unit sees. */
UM_CHECK_RESULT um_err um_jobs_is_waiting(struct um_sql *q, const struct um_job_new *j, bool *is_waiting);

/* ---- the engine ------------------------------------------------------------------------------------------------ */

struct um_jobs_env {                          /* all outlive the um_jobs */
    struct um_loop *loop;
    struct um_store *store;
    struct um_redis *redis;                   /* NULL: hints stay in the process */
    struct um_cluster *cluster;               /* who we are; may be NULL with a name in WORKER */
    const char *worker;                       /* NULL: our id in the cluster */
    const struct um_jobs_conf *conf;
    bool works;                               /* core.roles has worker: else it only offers */
};
um_err um_jobs_new(struct um_jobs **out, const struct um_jobs_env *env) UM_CHECK_RESULT;
/* On the loop, or before it runs: from now on jobs are looked for. */
void um_jobs_start(struct um_jobs *j);
/* No job is begun any more; those under way get shutdown_ms, then are handed back (no attempt counted); DONE on the loop. */
void um_jobs_drain(struct um_jobs *j, void (*done)(void *arg), void *arg);
/* Its loop has stopped, and the store will close: nothing is asked of it any more. NULL is fine, here and below. */
void um_jobs_stop(struct um_jobs *j);
/* The store is closed, and no handler speaks of its jobs any more. */
void um_jobs_free(struct um_jobs *j);

/* A unit that added jobs is committed. IDS: theirs, copied; N 0: some that are not known, or a retry, or the end of a pause. */
void um_jobs_added(struct um_jobs *j, const char *const *ids, size_t n);

struct um_jobs_stats {
    size_t running, capacity;                 /* jobs at this core; how many it does at a time, 0 when it does none */
    int64_t waiting, delayed, processing, errors;    /* in the database, all scopes, as last counted: within some seconds */
    int64_t oldest_waiting_ms;                /* age of the oldest of WAITING */
    bool is_healthy;                          /* the last unit of the engine was done */
};
struct um_jobs_stats um_jobs_get_stats(const struct um_jobs *j);

/* ---- doing -------------------------------------------------------------------------------------------------------- */

struct um_job {                               /* immutable while it is done */
    const char *id, *scope, *registration, *handler, *action, *phase, *category, *object, *user, *request;
    unsigned attempt, depth;                  /* attempt: from 1 */
    uint64_t fence;
    int64_t created_ms;
    const char *payload;                      /* JSON */
};
/* Who does the jobs of handlers whose name begins with PREFIX ("http", "fulltext"). FN runs on the engine's loop, returns soon, and
 * ends the job, at once or later, exactly once, from any thread, by one of those below. Before um_jobs_start. */
struct um_job_run;
typedef void um_job_fn(void *arg, struct um_job_run *run, const struct um_job *job);
void um_jobs_serve(struct um_jobs *j, const char *prefix, um_job_fn *fn, void *arg);

/* RUN and its job are gone with these. */
void um_job_finish(struct um_job_run *run);                                       /* done: the row goes */
/* The effect is in our own database: WORK and the end of the job are one transaction, so it happens once. When the lease was
 * lost WORK does not run, and DONE hears UM_EDENIED. Another error of WORK is a failed attempt. DONE (may be NULL) on the engine's loop. */
void um_job_finish_with(struct um_job_run *run, um_store_work *work, void *arg, void (*done)(void *arg, um_err err));
/* A failed attempt: again later, or ERROR after the last one, and at once when it is FINAL (a functional code, F...). */
void um_job_fail(struct um_job_run *run, const char *code, const char *message, bool final);
/* Not now: tried again after DELAY_MS, and this attempt does not count. CODE and MESSAGE are what operators read meanwhile. */
void um_job_put_off(struct um_job_run *run, const char *code, const char *message, int64_t delay_ms);
/* FN runs on the engine's loop, or in um_jobs_free, when nothing is to be done for RUN here any more; IS_OVER: its job is done or given
 * up, and that is known. Before it ends; once. */
void um_job_on_end(struct um_job_run *run, void (*fn)(void *arg, bool is_over), void *arg);
bool um_job_is_lost(const struct um_job_run *run);     /* the lease went, or was not renewed in time: what is under way may stop */

/* ---- for operators and external workers: inside units -------------------------------------------------------- */

struct um_jobs_query {                        /* NULL, 0: all */
    const char *scope, *status, *registration, *object;       /* status: WAITING DELAYED PROCESSING ERROR */
    int64_t since_ms, start, max;             /* max: 1..UM_JOBS_PAGE_MAX */
};
/* { "found": n, "results": [job, ...] }, oldest first. The caller decrefs what he gets, here and below. UM_EINVAL: a status that
 * is none, a page that cannot be. */
UM_CHECK_RESULT um_err um_jobs_list(struct um_sql *q, const struct um_jobs_conf *cf, const struct um_jobs_query *query, json_t **page);
UM_CHECK_RESULT um_err um_jobs_count(struct um_sql *q, const struct um_jobs_query *query, int64_t *n);
UM_CHECK_RESULT um_err um_jobs_get(struct um_sql *q, const struct um_jobs_conf *cf, const char *scope, const char *id,
                                   json_t **job);                                  /* UM_ENOTFOUND */
UM_CHECK_RESULT um_err um_jobs_summary(struct um_sql *q, const char *scope, json_t **summary);
/* Scope "" is all of them, registration "" all of the scope's: they have no jobs of their own, but a pause or a rate.
 * [{"scope","registration","handler","waiting","delayed","processing","errors","oldestWaitingMs","paused","perSecond"}, ...]: registrations
 * that have jobs, are paused or have a rate, those with the most jobs first, UM_JOBS_REGISTRATIONS_MAX at most. Reads all rows of the queue. */
UM_CHECK_RESULT um_err um_jobs_registrations(struct um_sql *q, const char *scope, json_t **list);
/* Of ERROR, the oldest UM_JOBS_PAGE_MAX (or query->max) of them; ID NULL: all that the query means. N: how many; when it is that
 * many, call again in another unit. A retried job begins with attempt 1. */
UM_CHECK_RESULT um_err um_jobs_retry(struct um_sql *q, const struct um_jobs_query *query, const char *id, int64_t *n);
UM_CHECK_RESULT um_err um_jobs_purge(struct um_sql *q, const struct um_jobs_query *query, const char *id, int64_t *n);
/* SCOPE, REGISTRATION NULL: all. Whatever is paused for all is paused, whatever is said of one. */
UM_CHECK_RESULT um_err um_jobs_pause(struct um_sql *q, const char *scope, const char *registration, bool paused);
/* At most so many begin in a second, on all cores together; 0: no limit. */
UM_CHECK_RESULT um_err um_jobs_set_rate(struct um_sql *q, const char *scope, const char *registration, double per_second);

/* External workers: registrations whose handler is "worker:<queue>". The same lease and fencing number. In loose units
 * (um_store_transact_loosely). A job has "payload" and "fence" beside the rest. */
UM_CHECK_RESULT um_err um_jobs_lease(struct um_sql *q, const struct um_jobs_conf *cf, const char *scope, const char *queue,
                                     const char *worker, int64_t lease_ms, int64_t max, json_t **jobs);
/* CODE NULL: done; F...: final. UM_EDENIED: not his any more. */
UM_CHECK_RESULT um_err um_jobs_end(struct um_sql *q, const struct um_jobs_conf *cf, const char *scope, const char *id, uint64_t fence,
                                   const char *code, const char *message);
UM_CHECK_RESULT um_err um_jobs_extend(struct um_sql *q, const char *scope, const char *id, uint64_t fence, int64_t lease_ms);

#endif
