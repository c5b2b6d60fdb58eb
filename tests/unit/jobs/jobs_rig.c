#include "jobs_rig.h"
#include <stdio.h>
#include <umbel/log.h>

enum { WAIT_MS = 20000 };

/* ---- life ---- */

static struct um_store *open_store(void)
{
    const char *url = getenv("UMBEL_STORE_URL");
    struct um_store_conf cf = { .url = url != NULL ? url : "memory:", .commit_delay_ms = 0, .commit_rows = 64, .max_waiting_bytes = 1 << 20,
        .connections = 2, .connect_timeout_ms = 5000, .timeout_ms = 5000, .user = "", .password = "" };
    struct um_store *st;
    char why[256];

    if (um_store_open(&st, &cf, why) != UM_OK)
        fail_msg("%s", why);
    return st;
}

void jobs_rig_open(void **state)
{
    struct jobs_rig *r = um_xcalloc(1, sizeof(*r));

    um_log_set_level(NULL, UM_OFF);
    r->loop = um_loop_new(0);
    r->st[0] = open_store();
    r->st[1] = getenv("UMBEL_STORE_URL") != NULL ? open_store() : r->st[0];
    r->conf = (struct um_jobs_conf){ .lease_ms = 60000, .shutdown_ms = 20000, .max_attempts = 3, .max_waiting = 1000, .backoff_ms = 1,
                                     .backoff_max_ms = 4, .workers = 4, .sweep_ms = 200 };
    *state = r;
}

int jobs_rig_setup(void **state)
{
    struct jobs_rig *r;

    jobs_rig_open(state);
    r = *state;
    assert_int_equal(rig_sql(r, "DELETE FROM jobs"), UM_OK);
    assert_int_equal(rig_sql(r, "DELETE FROM job_controls"), UM_OK);
    return 0;
}

int jobs_rig_teardown(void **state)
{
    struct jobs_rig *r = *state;

    um_store_close(r->st[0]);
    if (r->st[1] != r->st[0])
        um_store_close(r->st[1]);
    um_loop_turn(r->loop, 0);
    um_loop_free(r->loop);
    free(r);
    return 0;
}

/* ---- units ---- */

struct waiting { bool answered; um_err err; };

static void done(void *arg, um_err err) { *(struct waiting *)arg = (struct waiting){ true, err }; }

struct call { um_store_work *work; void *arg; struct waiting w; };

static um_err run(void *arg, struct um_sql *q)
{
    struct call *c = arg;

    return c->work(c->arg, q);
}

static void answer(void *arg, um_err err) { done(&((struct call *)arg)->w, err); }

static um_err wait_for(struct jobs_rig *r, struct call *c)
{
    int64_t end_ms = um_now_ms() + WAIT_MS;

    while (!c->w.answered && um_now_ms() < end_ms)
        um_loop_turn(r->loop, 5);
    assert_true(c->w.answered);
    return c->w.err;
}

um_err rig_unit(struct jobs_rig *r, size_t store, um_store_work *work, void *arg)
{
    struct call c = { work, arg, { 0 } };

    um_store_transact_loosely(r->st[store], r->loop, run, answer, &c);
    return wait_for(r, &c);
}

um_err rig_view(struct jobs_rig *r, um_store_work *work, void *arg)
{
    struct call c = { work, arg, { 0 } };

    um_store_inspect(r->st[0], r->loop, run, answer, &c);
    return wait_for(r, &c);
}

static um_err run_text(void *arg, struct um_sql *q) { return um_sql_exec(q, arg, UM_SQL_NO_ARGS, NULL); }

um_err rig_sql(struct jobs_rig *r, const char *text) { return rig_unit(r, 0, run_text, (void *)text); }

/* ---- jobs ---- */

struct adding { struct um_job_new j; char *id; };

static um_err add(void *arg, struct um_sql *q)
{
    struct adding *a = arg;

    return um_jobs_add(q, &a->j, a->id);
}

um_err rig_add_for(struct jobs_rig *r, const char *registration, const char *object, const char *handler, char id[UM_JOB_ID_LEN + 1])
{
    char own[UM_JOB_ID_LEN + 1];
    struct adding a = { { .scope = "main", .registration = registration, .handler = handler, .action = "UPDATE", .phase = "AFTER",
                          .category = "DOCUMENT", .object = object, .user = "ann", .payload = UM_SPAN_STR("{}") }, id != NULL ? id : own };

    return rig_unit(r, 0, add, &a);
}

um_err rig_add(struct jobs_rig *r, const char *registration, const char *object, char id[UM_JOB_ID_LEN + 1])
{
    return rig_add_for(r, registration, object, "test", id);
}

static bool serves_all(void *arg, const char *scope, const char *handler)
{
    (void)arg;
    (void)scope;
    return strncmp(handler, "worker:", 7) != 0;
}

static um_err claim(void *arg, struct um_sql *q) { return job_claim(q, arg); }

void rig_claim(struct jobs_rig *r, size_t store, const char *worker, size_t max, struct job_claim *c)
{
    *c = (struct job_claim){ .worker = worker, .lease_ms = r->conf.lease_ms, .max_attempts = r->conf.max_attempts, .serves = serves_all,
                             .max = max, .any = true, .after_queue = -1 };
    assert_int_equal(rig_unit(r, store, claim, c), UM_OK);
}

struct ending { struct job_end end; struct nums promoted; };

static um_err end(void *arg, struct um_sql *q)
{
    struct ending *e = arg;

    e->promoted.n = 0;
    return job_ends(q, &e->end, 1, 60000, &e->promoted);
}

bool rig_end_as(struct jobs_rig *r, int64_t num, uint64_t fence, enum job_how how, int64_t delay_ms)
{
    struct ending e = { .end = { .num = num, .fence = fence, .how = how, .delay_ms = delay_ms, .code = "T00000", .message = "it failed" } };

    assert_int_equal(rig_unit(r, 0, end, &e), UM_OK);
    nums_free(&e.promoted);
    return e.end.was_ours;
}

bool rig_end(struct jobs_rig *r, const struct job_taken *t, enum job_how how, int64_t delay_ms)
{
    return rig_end_as(r, t->num, t->job.fence, how, delay_ms);
}

/* ---- looking ---- */

struct getting { struct jobs_rig *r; const char *id; json_t *job; };

static um_err get(void *arg, struct um_sql *q)
{
    struct getting *g = arg;

    return um_jobs_get(q, &g->r->conf, "main", g->id, &g->job);
}

json_t *rig_get(struct jobs_rig *r, const char *id)
{
    struct getting g = { r, id, NULL };
    um_err err = rig_view(r, get, &g);

    assert_true(err == UM_OK || err == UM_ENOTFOUND);
    return g.job;
}

void rig_expect(struct jobs_rig *r, const char *id, const char *status, int attempts)
{
    json_t *job = rig_get(r, id);

    if (status == NULL) {
        assert_null(job);
        return;
    }
    assert_non_null(job);
    assert_string_equal(json_string_value(json_object_get(job, "status")), status);
    assert_int_equal(json_integer_value(json_object_get(job, "attempts")), attempts);
    json_decref(job);
}

struct counting { const char *status; int64_t n; };

static um_err count(void *arg, struct um_sql *q)
{
    struct counting *c = arg;

    return um_jobs_count(q, &(struct um_jobs_query){ .scope = "main", .status = c->status }, &c->n);
}

int64_t rig_count(struct jobs_rig *r, const char *status)
{
    struct counting c = { status, -1 };

    assert_int_equal(rig_view(r, count, &c), UM_OK);
    return c.n;
}
