/* The engine: who does jobs, how they end, and what a process promises that stops, stands still or dies. Two engines on one
 * database; with UMBEL_STORE_URL each has a store of its own, as two cores have. With UMBEL_TEST_REDIS (a port) they hear of jobs by
 * Redis. `test_jobs_engine R20`: its keys are taken away (fault.R20). */
#include "jobs_rig.h"
#include "um_test_redis.h"
#include <pthread.h>
#include <stdio.h>
#include <umbel/failpoint.h>
#include <umbel/histogram.h>
#include "counters.h"

enum { MANY = 400, OBJECTS = 12 };

struct effect { char object[16]; char id[UM_JOB_ID_LEN + 1]; unsigned attempt; const char *worker; };

struct bench {
    struct jobs_rig *r;
    struct um_jobs *j[RIG_STORES];
    struct um_jobs *ended[RIG_STORES];        /* stop_for_good */
    const char *names[RIG_STORES];
    struct effect effects[4 * MANY];
    size_t n_effects;
    unsigned busy[OBJECTS], most_busy;        /* at once, of one object */
    struct um_job_run *held;                  /* by the handler "hold" */
    char ended_how[8];                        /* o: the job is over; l: it is left */
    size_t n_ended;
    unsigned fail_until;                      /* "fail": the attempt that succeeds */
    const char *code;
    int works, dones;                         /* of um_job_finish_with */
    um_err work_err, done_err;
    char ns[32];
    struct um_redis_conf redis_conf;
    struct um_redis *redis;                   /* NULL: each process by itself */
    struct um_redis_link *link;               /* the test's own */
    int64_t said;                             /* by Redis: a number; -1: nothing yet */
};

static struct bench *b;

/* ---- handlers ---- */

static void note(const struct um_job *job, const char *worker)
{
    struct effect *e = &b->effects[b->n_effects++];

    UM_ASSERT(b->n_effects < UM_COUNT(b->effects));
    snprintf(e->object, sizeof(e->object), "%s", job->object);
    snprintf(e->id, sizeof(e->id), "%s", job->id);
    e->attempt = job->attempt;
    e->worker = worker;
}

static void do_at_once(void *arg, struct um_job_run *run, const struct um_job *job)
{
    note(job, arg);
    um_job_finish(run);
}

struct elsewhere { struct um_job_run *run; uintptr_t object; };

static void no_longer_busy(void *arg) { b->busy[(uintptr_t)arg]--; }

static void *end_elsewhere(void *arg)
{
    struct elsewhere *e = arg;

    um_loop_call(b->r->loop, no_longer_busy, (void *)e->object);     /* heard before the end */
    um_job_finish(e->run);
    free(e);
    return NULL;
}

static void do_on_a_thread(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct elsewhere *e = um_xcalloc(1, sizeof(*e));
    pthread_t thread;

    note(job, arg);
    *e = (struct elsewhere){ run, (uintptr_t)atoi(job->object + 1) };
    b->busy[e->object]++;
    b->most_busy = UM_MAX(b->most_busy, b->busy[e->object]);
    assert_int_equal(pthread_create(&thread, NULL, end_elsewhere, e), 0);
    pthread_detach(thread);
}

static void hold(void *arg, struct um_job_run *run, const struct um_job *job)
{
    note(job, arg);
    if (b->held == NULL && job->attempt == 1)
        b->held = run;
    else
        um_job_finish(run);
}

static void on_job_end(void *arg, bool is_over) { b->ended_how[b->n_ended++] = is_over ? 'o' : 'l'; (void)arg; }

static void put_off_first(void *arg, struct um_job_run *run, const struct um_job *job)
{
    note(job, arg);
    um_job_on_end(run, on_job_end, NULL);
    if (b->n_effects < 3)
        um_job_put_off(run, "U00423", "somebody has it", 1);
    else
        um_job_finish(run);
}

static void fail_often(void *arg, struct um_job_run *run, const struct um_job *job)
{
    note(job, arg);
    if (job->attempt < b->fail_until)
        um_job_fail(run, b->code, "it cannot be", false);
    else
        um_job_finish(run);
}

static um_err put_scope(void *arg, struct um_sql *q)
{
    struct bench *bench = arg;

    bench->works++;
    if (bench->work_err != UM_OK && bench->works == 1)
        return bench->work_err;
    return um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, 1, ?2, 0, 0)",
                       UM_SQL_ARGS(um_sql_word("of-a-job"), um_sql_word("{}")), NULL);
}

static void with_done(void *arg, um_err err)
{
    struct bench *bench = arg;

    bench->dones++;
    bench->done_err = err;
}

static void finish_with(void *arg, struct um_job_run *run, const struct um_job *job)
{
    note(job, arg);
    if (b->held == NULL && b->code != NULL)
        b->held = run;
    else
        um_job_finish_with(run, put_scope, b, with_done);
}

/* ---- the bench ---- */

static void open_redis(void)
{
    const char *port = getenv("UMBEL_TEST_REDIS");
    char why[256];

    if (port == NULL)
        return;
    snprintf(b->ns, sizeof(b->ns), "jobs-%016llx", (unsigned long long)um_random_u64());
    b->redis_conf = test_redis_conf(b->ns, atoi(port));
    assert_int_equal(um_redis_open(&b->redis, &b->redis_conf, why), UM_OK);
    b->link = um_redis_link_new(b->redis, b->r->loop, "test", &(const struct um_redis_link_handler){ 0 }, NULL);
    UNTIL(b->r, um_redis_link_is_ready(b->link));
}

static void on_said(void *arg, um_err err, const struct um_redis_reply *reply)
{
    (void)arg;
    b->said = err == UM_OK && reply->kind == UM_REDIS_INTEGER ? reply->integer : 0;
}

/* WORDS: up to six, %s in one of them is the stream. */
static int64_t ask_redis(const char *words)
{
    char text[128], key[48], *save = NULL;
    struct um_span argv[6];
    size_t n = 0;

    snprintf(key, sizeof(key), "%s:jobs", b->ns);
    snprintf(text, sizeof(text), "%s", words);
    for (char *w = strtok_r(text, " ", &save); w != NULL && n < UM_COUNT(argv); w = strtok_r(NULL, " ", &save))
        argv[n++] = UM_SPAN_STR(strcmp(w, "%s") == 0 ? key : w);
    b->said = -1;
    um_redis_command(b->link, NULL, argv, n, on_said, NULL);
    UNTIL(b->r, b->said >= 0);
    return b->said;
}

static int setup(void **state)
{
    int rc = jobs_rig_setup(state);

    b = um_xcalloc(1, sizeof(*b));
    b->r = *state;
    b->names[0] = "core-1";
    b->names[1] = "core-2";
    b->code = "T00001";
    open_redis();
    return rc;
}

static struct um_jobs *start(size_t i)
{
    static const struct { const char *prefix; um_job_fn *fn; } handlers[] = {
        { "at-once", do_at_once }, { "thread", do_on_a_thread }, { "hold", hold }, { "fail", fail_often }, { "with", finish_with }, { "put-off", put_off_first },
    };
    struct um_jobs_env env = { .loop = b->r->loop, .store = b->r->st[i], .redis = b->redis, .worker = b->names[i], .conf = &b->r->conf, .works = true };

    assert_int_equal(um_jobs_new(&b->j[i], &env), UM_OK);
    for (size_t k = 0; k < UM_COUNT(handlers); k++)
        um_jobs_serve(b->j[i], handlers[k].prefix, handlers[k].fn, (void *)b->names[i]);
    um_jobs_serve(b->j[i], "at-once-too", do_at_once, "too");
    um_jobs_start(b->j[i]);
    return b->j[i];
}

static void drained(void *arg) { *(bool *)arg = true; }

static void stop(size_t i)
{
    bool is_drained = false;

    if (b->j[i] == NULL)
        return;
    um_jobs_drain(b->j[i], drained, &is_drained);
    UNTIL(b->r, is_drained);
}

static int teardown(void **state)
{
    struct jobs_rig *r = b->r;

    for (size_t i = 0; i < RIG_STORES; i++)
        stop(i);
    rig_sql(r, "DELETE FROM scopes");
    um_store_close(r->st[0]);
    if (r->st[1] != r->st[0])
        um_store_close(r->st[1]);
    um_loop_turn(r->loop, 0);
    for (size_t i = 0; i < RIG_STORES; i++) {
        um_jobs_free(b->j[i]);
        um_jobs_free(b->ended[i]);
    }
    um_redis_link_free(b->link);
    um_redis_close(b->redis);
    um_loop_free(r->loop);
    free(r);
    free(b);
    *state = NULL;
    return 0;
}

static void add(const char *handler, const char *object, char id[UM_JOB_ID_LEN + 1])
{
    char own[UM_JOB_ID_LEN + 1], *to = id != NULL ? id : own;

    assert_int_equal(rig_add_for(b->r, "index", object, handler, to), UM_OK);
    for (size_t i = 0; i < RIG_STORES; i++)
        if (b->j[i] != NULL) {
            um_jobs_added(b->j[i], (const char *[]){ to }, 1);
            break;
        }
}

static bool is_empty(void) { return rig_count(b->r, NULL) == 0; }
static int64_t counted(enum jobs_counter c) { return um_metric_value(&jobs_counters[c]); }

/* ---- tests ---- */

static void a_job_is_done_once_and_its_row_goes(void **state)
{
    (void)state;
    start(0);
    add("at-once", "o1", NULL);
    add("at-once-too", "o1", NULL);          /* the longest prefix that fits */
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 2);
    assert_int_equal(b->effects[0].attempt, 1);
    assert_string_equal(b->effects[0].worker, "core-1");
    assert_string_equal(b->effects[1].worker, "too");
}

static void many_jobs_of_two_engines_keep_the_order_of_their_lanes_and_none_is_lost_or_doubled(void **state)
{
    static char last[OBJECTS][UM_JOB_ID_LEN + 1];
    char object[16];

    (void)state;
    memset(last, 0, sizeof(last));
    start(0);
    start(1);
    for (int i = 0; i < MANY; i++) {
        snprintf(object, sizeof(object), "o%d", i % OBJECTS);
        add("thread", object, NULL);
    }
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, MANY);
    assert_int_equal(b->most_busy, 1);
    for (size_t i = 0; i < b->n_effects; i++) {
        char *before = last[atoi(b->effects[i].object + 1)];

        assert_int_equal(b->effects[i].attempt, 1);
        assert_true(strncmp(before, b->effects[i].id, 13) <= 0);          /* ids have their moment first */
        assert_string_not_equal(before, b->effects[i].id);
        snprintf(before, UM_JOB_ID_LEN + 1, "%s", b->effects[i].id);
    }
}

struct timed { const char *exception; uint64_t n; };

static void add_timed(void *arg, const struct um_histogram *h)
{
    struct timed *t = arg;

    if (strcmp(h->values[3], "index") == 0 && strcmp(h->values[5], t->exception) == 0)
        t->n += um_histogram_count(h);
}

/* Attempts that ended so. */
static int64_t timed(const char *exception)
{
    struct timed t = { exception, 0 };
    struct um_histograms *f = um_histograms_find("processAsyncOperationHandler");

    if (f != NULL)
        um_histogram_each(f, add_timed, &t);
    return (int64_t)t.n;
}

/* Each that ends makes the next of its lane ready, so the many could take every room for ever. */
static void a_queue_whose_lanes_are_long_does_not_hold_up_another_one_s(void **state)
{
    char object[16];
    size_t fresh = 0;

    (void)state;
    b->r->conf.sweep_ms = 100;
    for (int i = 0; i < 2 * MANY; i++) {
        snprintf(object, sizeof(object), "o%d", i % OBJECTS);
        add("thread", object, NULL);
    }
    start(0);
    start(1);
    UNTIL(b->r, b->n_effects >= MANY / 4);
    assert_int_equal(rig_add_for(b->r, "other", "fresh", "at-once", (char[UM_JOB_ID_LEN + 1]){ "" }), UM_OK);
    um_jobs_added(b->j[0], NULL, 0);
    UNTIL(b->r, is_empty());
    while (strcmp(b->effects[fresh].object, "fresh") != 0)
        fresh++;
    assert_true(fresh < MANY);                /* half of the others are still to be done */
    assert_int_equal(b->n_effects, 2 * MANY + 1);
}

static void a_failed_attempt_is_repeated_until_it_succeeds(void **state)
{
    int64_t retries = counted(M_RETRIES), well = timed("none"), failed = timed("T00001");

    (void)state;
    b->fail_until = 3;
    start(0);
    add("fail", "o1", NULL);
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 3);
    assert_int_equal(b->effects[2].attempt, 3);
    assert_int_equal(counted(M_RETRIES) - retries, 2);
    assert_int_equal(timed("T00001") - failed, 2);
    assert_int_equal(timed("none") - well, 1);
}

static void a_job_that_is_put_off_waits_in_its_lane_and_loses_no_attempt(void **state)
{
    int64_t retries = counted(M_RETRIES);

    (void)state;
    b->r->conf.max_attempts = 1;
    start(0);
    add("put-off", "o1", NULL);
    add("at-once", "o1", NULL);
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 4);
    for (size_t i = 0; i < b->n_effects; i++)
        assert_int_equal(b->effects[i].attempt, 1);
    assert_string_equal(b->effects[2].id, b->effects[0].id);       /* the other one has waited */
    assert_string_equal(b->ended_how, "llo");
    assert_int_equal(counted(M_RETRIES), retries);
}

static void after_the_last_attempt_a_job_is_in_error_with_its_reason(void **state)
{
    char id[UM_JOB_ID_LEN + 1];
    json_t *job;

    (void)state;
    b->fail_until = 100;
    start(0);
    add("fail", "o1", id);
    UNTIL(b->r, rig_count(b->r, "ERROR") == 1);
    rig_expect(b->r, id, "ERROR", 3);
    job = rig_get(b->r, id);
    assert_string_equal(json_string_value(json_object_get(json_object_get(job, "error"), "code")), "T00001");
    json_decref(job);
    assert_int_equal(b->n_effects, 3);
}

static void a_functional_error_is_not_repeated(void **state)
{
    char id[UM_JOB_ID_LEN + 1];

    (void)state;
    b->fail_until = 100;
    b->code = "F00039";
    start(0);
    add("fail", "o1", id);
    UNTIL(b->r, rig_count(b->r, "ERROR") == 1);
    rig_expect(b->r, id, "ERROR", 1);
}

static void who_stands_still_beyond_his_lease_is_taken_over_and_ends_nothing(void **state)
{
    int64_t refused, expired = counted(M_EXPIRED);

    (void)state;
    b->r->conf.lease_ms = 300;
    b->r->conf.sweep_ms = 100;
    start(0);
    add("hold", "o1", NULL);
    UNTIL(b->r, b->held != NULL);
    assert_int_equal(um_failpoint_set("lease.renew", "error"), UM_OK);
    start(1);
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 2);
    assert_int_equal(b->effects[1].attempt, 2);
    assert_true(counted(M_EXPIRED) > expired);
    UNTIL(b->r, um_job_is_lost(b->held));
    refused = counted(M_REFUSED);
    um_job_finish(b->held);
    UNTIL(b->r, counted(M_REFUSED) == refused + 1);
    assert_int_equal(um_failpoint_set("lease.renew", "off"), UM_OK);
}

static void a_lease_is_renewed_for_as_long_as_its_job_takes(void **state)
{
    int64_t expired = counted(M_EXPIRED), end_ms;

    (void)state;
    b->r->conf.lease_ms = 400;
    b->r->conf.sweep_ms = 50;
    start(0);
    start(1);
    add("hold", "o1", NULL);
    UNTIL(b->r, b->held != NULL);
    for (end_ms = um_now_ms() + 1200; um_now_ms() < end_ms;)
        um_loop_turn(b->r->loop, 20);
    if (counted(M_EXPIRED) == expired) {      /* on a machine that stood still itself nothing can be said */
        assert_int_equal(b->n_effects, 1);
        assert_false(um_job_is_lost(b->held));
    }
    um_job_finish(b->held);
    UNTIL(b->r, is_empty());
}

static void a_stop_hands_back_what_is_under_way_at_once_and_costs_no_attempt(void **state)
{
    int64_t refused = counted(M_REFUSED);
    struct um_job_run *held;

    (void)state;
    b->r->conf.shutdown_ms = 10;
    start(0);
    add("hold", "o1", NULL);
    UNTIL(b->r, b->held != NULL);
    stop(0);
    assert_int_equal(rig_count(b->r, "WAITING"), 1);
    held = b->held;
    start(1);
    UNTIL(b->r, b->n_effects == 2);
    assert_int_equal(b->effects[1].attempt, 1);
    assert_string_equal(b->effects[1].worker, "core-2");
    UNTIL(b->r, is_empty());
    um_job_finish(held);
    UNTIL(b->r, counted(M_REFUSED) == refused + 1);
}

static void a_stop_waits_for_jobs_that_end_in_time(void **state)
{
    bool is_drained = false;

    (void)state;
    start(0);
    add("hold", "o1", NULL);
    UNTIL(b->r, b->held != NULL);
    um_jobs_drain(b->j[0], drained, &is_drained);
    add("at-once", "o2", NULL);
    um_loop_turn(b->r->loop, 0);
    assert_false(is_drained);
    um_job_finish(b->held);
    UNTIL(b->r, is_drained);
    assert_int_equal(b->n_effects, 1);
    assert_int_equal(rig_count(b->r, "WAITING"), 1);
}

static void an_effect_in_the_database_and_the_end_are_one(void **state)
{
    (void)state;
    b->code = NULL;
    start(0);
    add("with", "o1", NULL);
    UNTIL(b->r, is_empty());
    UNTIL(b->r, b->dones == 1);
    assert_int_equal(b->done_err, UM_OK);
    assert_true(b->works >= 1);
}

static void an_effect_that_cannot_be_is_a_failed_attempt(void **state)
{
    (void)state;
    b->code = NULL;
    b->work_err = UM_ECONFLICT;
    start(0);
    add("with", "o1", NULL);
    UNTIL(b->r, is_empty());
    UNTIL(b->r, b->dones == 2);
    assert_int_equal(b->effects[b->n_effects - 1].attempt, 2);
}

static void an_effect_beyond_the_lease_does_not_happen(void **state)
{
    (void)state;
    b->r->conf.lease_ms = 300;
    b->r->conf.sweep_ms = 100;
    start(0);
    add("with", "o1", NULL);
    UNTIL(b->r, b->held != NULL);
    assert_int_equal(um_failpoint_set("lease.renew", "error"), UM_OK);
    start(1);
    UNTIL(b->r, b->dones == 1 && is_empty());
    um_job_finish_with(b->held, put_scope, b, with_done);
    UNTIL(b->r, b->dones == 2);
    assert_int_equal(b->done_err, UM_EDENIED);
    assert_int_equal(b->works, 1);
    assert_int_equal(um_failpoint_set("lease.renew", "off"), UM_OK);
}

static void jobs_of_handlers_that_are_not_served_here_wait(void **state)
{
    char id[UM_JOB_ID_LEN + 1];

    (void)state;
    start(0);
    add("worker:print", "o1", id);
    add("at-once", "o2", NULL);
    UNTIL(b->r, rig_count(b->r, NULL) == 1);
    rig_expect(b->r, id, "WAITING", 0);
}

static void a_job_that_nobody_was_told_of_is_found(void **state)
{
    (void)state;
    start(0);
    UNTIL(b->r, counted(M_RUNNING) == 0);
    assert_int_equal(rig_add_for(b->r, "index", "o1", "at-once", NULL), UM_OK);
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 1);
}

static void the_gauges_follow(void **state)
{
    (void)state;
    start(0);
    for (int i = 0; i < 3; i++)
        add("worker:print", "o1", NULL);
    UNTIL(b->r, um_jobs_get_stats(b->j[0]).waiting == 3);
    assert_int_equal(um_jobs_get_stats(b->j[0]).capacity, 4);
}

/* ---- with Redis ---- */

#define ONLY_WITH_REDIS if (b->redis == NULL) return

/* The sweep would find everything; here it comes late. */
static void without_sweep(void) { b->r->conf.sweep_ms = 30000; }

/* For good: the next start of I is of another process. What the old one has asked the store may still be answered. */
static void stop_for_good(size_t i)
{
    stop(i);
    b->ended[i] = b->j[i];
    b->j[i] = NULL;
}

static void hints_bring_a_job_to_a_core_and_go_with_its_row(void **state)
{
    int64_t offered = counted(M_OFFERED);
    char object[16];

    (void)state;
    ONLY_WITH_REDIS;
    without_sweep();
    b->r->conf.lease_ms = 1000;
    start(0);
    start(1);
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(object, sizeof(object), "o%d", i);
        add("at-once", object, NULL);
    }
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, OBJECTS);
    assert_true(counted(M_OFFERED) > offered);
    stop_for_good(0);                        /* entries of jobs that another core did than their reader go with a sweep, a lease later */
    stop_for_good(1);
    b->r->conf.sweep_ms = 1000;
    start(0);
    UNTIL(b->r, ask_redis("XLEN %s") == 0);
}

static void what_one_core_cannot_do_another_does(void **state)
{
    size_t n[2] = { 0, 0 };
    char object[16];

    (void)state;
    ONLY_WITH_REDIS;
    without_sweep();
    b->r->conf.workers = 1;
    start(0);
    start(1);
    for (int i = 0; i < 100; i++) {
        snprintf(object, sizeof(object), "o%d", i % OBJECTS);
        add("thread", object, NULL);
    }
    UNTIL(b->r, is_empty());
    for (size_t i = 0; i < b->n_effects; i++)
        n[strcmp(b->effects[i].worker, "core-2") == 0]++;
    assert_true(n[0] > 0 && n[1] > 0);
}

static void no_more_hints_than_allowed_and_no_job_is_forgotten_for_that(void **state)
{
    int64_t not_offered = counted(M_NOT_OFFERED);

    (void)state;
    ONLY_WITH_REDIS;
    b->r->conf.max_waiting = 5;
    start(0);
    b->held = NULL;
    for (int i = 0; i < 40; i++)
        add(i == 0 ? "hold" : "at-once", "o1", NULL);
    UNTIL(b->r, counted(M_NOT_OFFERED) > not_offered);
    assert_true(ask_redis("XLEN %s") <= 5);
    UNTIL(b->r, b->held != NULL);
    um_job_finish(b->held);
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 40);
}

static void lose(const char *command)
{
    char object[16];

    start(0);
    start(1);
    for (int i = 0; i < 200; i++) {
        snprintf(object, sizeof(object), "o%d", i % OBJECTS);
        add("thread", object, NULL);
        if (i % 20 == 10)
            ask_redis(command);
    }
    UNTIL(b->r, is_empty());
    assert_int_equal(b->n_effects, 200);
    assert_int_equal(b->most_busy, 1);
    add("at-once", "o1", NULL);               /* and it goes on */
    UNTIL(b->r, is_empty());
}

static void a_flushed_redis_loses_no_job(void **state)
{
    (void)state;
    ONLY_WITH_REDIS;
    lose("FLUSHALL");
}

static void a_removed_stream_loses_no_job(void **state)
{
    (void)state;
    ONLY_WITH_REDIS;
    lose("DEL %s");
}

static void a_removed_group_loses_no_job(void **state)
{
    (void)state;
    ONLY_WITH_REDIS;
    lose("XGROUP DESTROY %s workers");
}

static void removed_entries_lose_no_job(void **state)
{
    (void)state;
    ONLY_WITH_REDIS;
    lose("XTRIM %s MAXLEN 0");
}

static void a_key_of_another_kind_is_put_aside(void **state)
{
    (void)state;
    ONLY_WITH_REDIS;
    start(0);
    assert_int_equal(ask_redis("DEL %s") >= 0, 1);
    ask_redis("SET %s nonsense");
    for (int i = 0; i < 5; i++)
        add("at-once", "o1", NULL);
    UNTIL(b->r, is_empty());
    UNTIL(b->r, (add("at-once", "o1", NULL), ask_redis("XLEN %s") > 0));
    UNTIL(b->r, is_empty());
}

static void entries_of_a_dead_core_are_taken_over_and_removed(void **state)
{
    char words[128];

    (void)state;
    ONLY_WITH_REDIS;
    b->r->conf.lease_ms = 1000;
    ask_redis("XGROUP CREATE %s workers 0 MKSTREAM");
    snprintf(words, sizeof(words), "XADD %%s * id 01a2012b-8201-7e19-8478-341e2bf6574e");
    ask_redis(words);
    ask_redis("XADD %s * id nonsense");
    ask_redis("EVAL redis.call('XREADGROUP','GROUP','workers','dead','STREAMS',KEYS[1],'>')return(1) 1 %s");
    start(0);
    UNTIL(b->r, ask_redis("XLEN %s") == 0);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_job_is_done_once_and_its_row_goes),
        TEST(many_jobs_of_two_engines_keep_the_order_of_their_lanes_and_none_is_lost_or_doubled),
        TEST(a_queue_whose_lanes_are_long_does_not_hold_up_another_one_s),
        TEST(a_failed_attempt_is_repeated_until_it_succeeds),
        TEST(a_job_that_is_put_off_waits_in_its_lane_and_loses_no_attempt),
        TEST(after_the_last_attempt_a_job_is_in_error_with_its_reason),
        TEST(a_functional_error_is_not_repeated),
        TEST(who_stands_still_beyond_his_lease_is_taken_over_and_ends_nothing),
        TEST(a_lease_is_renewed_for_as_long_as_its_job_takes),
        TEST(a_stop_hands_back_what_is_under_way_at_once_and_costs_no_attempt),
        TEST(a_stop_waits_for_jobs_that_end_in_time),
        TEST(an_effect_in_the_database_and_the_end_are_one),
        TEST(an_effect_that_cannot_be_is_a_failed_attempt),
        TEST(an_effect_beyond_the_lease_does_not_happen),
        TEST(jobs_of_handlers_that_are_not_served_here_wait),
        TEST(a_job_that_nobody_was_told_of_is_found),
        TEST(the_gauges_follow),
        TEST(hints_bring_a_job_to_a_core_and_go_with_its_row),
        TEST(what_one_core_cannot_do_another_does),
        TEST(no_more_hints_than_allowed_and_no_job_is_forgotten_for_that),
    };
    const struct CMUnitTest r20[] = {
        TEST(a_flushed_redis_loses_no_job),
        TEST(a_removed_stream_loses_no_job),
        TEST(a_removed_group_loses_no_job),
        TEST(removed_entries_lose_no_job),
        TEST(a_key_of_another_kind_is_put_aside),
        TEST(entries_of_a_dead_core_are_taken_over_and_removed),
    };

    if (argc == 2 && strcmp(argv[1], "R20") == 0)
        return cmocka_run_group_tests(r20, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
