/* Rows of jobs: order, leases, fences, what operators and external workers do with them. */
#include "jobs_rig.h"
#include <stdio.h>

typedef char job_id[UM_JOB_ID_LEN + 1];

static struct jobs_rig *r;

static int setup(void **state)
{
    int rc = jobs_rig_setup(state);

    r = *state;
    return rc;
}

static const char *object_of(const struct job_claim *c, size_t i) { return c->taken[i]->job.object; }

/* ---- adding ---- */

static um_err add_and_fail(void *arg, struct um_sql *q)
{
    struct um_job_new j = { .registration = "r", .handler = "test", .payload = UM_SPAN_STR("{}") };
    um_err err = um_jobs_add(q, &j, arg);

    return err == UM_OK ? UM_EINVAL : err;
}

static void an_operation_that_is_rolled_back_has_no_job(void **state)
{
    job_id id = "";

    (void)state;
    assert_int_equal(rig_unit(r, 0, add_and_fail, id), UM_EINVAL);
    assert_int_equal(strlen(id), UM_JOB_ID_LEN);
    assert_int_equal(rig_count(r, NULL), 0);
}

struct bad { struct um_job_new j; um_err want; };

static um_err add_bad(void *arg, struct um_sql *q)
{
    job_id id;

    return um_jobs_add(q, &((struct bad *)arg)->j, id);
}

static void what_is_missing_or_too_long_is_refused(void **state)
{
    static char words[UM_JOB_LONG_MAX + 2], much[UM_JOB_PAYLOAD_MAX + 1];
    struct um_span ok = UM_SPAN_STR("{}");
    struct bad bad[] = {
        { { .handler = "h", .payload = ok }, UM_EINVAL }, { { .registration = "r", .payload = ok }, UM_EINVAL },
        { { .registration = "r", .handler = "h" }, UM_EINVAL }, { { .registration = words, .handler = "h", .payload = ok }, UM_ELIMIT },
        { { .registration = "r", .handler = words, .payload = ok }, UM_ELIMIT },
        { { .registration = "r", .handler = "h", .object = words, .payload = ok }, UM_ELIMIT },
        { { .registration = "r", .handler = "h", .payload = UM_SPAN(much, sizeof(much)) }, UM_ELIMIT },
    };

    (void)state;
    memset(words, 'a', sizeof(words) - 1);
    memset(much, ' ', sizeof(much));
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_int_equal(rig_unit(r, 0, add_bad, &bad[i]), bad[i].want);
}

/* ---- lanes ---- */

static void jobs_of_one_lane_are_taken_one_at_a_time_in_their_order(void **state)
{
    struct job_claim c;
    job_id ids[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_add(r, "index", "doc", ids[i]), UM_OK);
    for (int i = 0; i < 3; i++) {
        rig_claim(r, 0, "a", 10, &c);
        assert_int_equal(c.n_taken, 1);
        assert_string_equal(c.taken[0]->job.id, ids[i]);
        assert_true(rig_end(r, c.taken[0], JOB_DONE, 0));
        job_claim_clear(&c);
    }
    assert_int_equal(rig_count(r, NULL), 0);
}

static void other_lanes_do_not_wait(void **state)
{
    struct job_claim c;

    (void)state;
    assert_int_equal(rig_add(r, "index", "one", NULL), UM_OK);
    assert_int_equal(rig_add(r, "index", "one", NULL), UM_OK);
    assert_int_equal(rig_add(r, "index", "two", NULL), UM_OK);
    assert_int_equal(rig_add(r, "notify", "one", NULL), UM_OK);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 3);
    job_claim_clear(&c);
    rig_claim(r, 1, "b", 10, &c);
    assert_int_equal(c.n_taken, 0);
    job_claim_clear(&c);
}

static void a_job_in_backoff_holds_back_its_lane_alone(void **state)
{
    struct job_claim c;
    job_id first, second;

    (void)state;
    rig_add(r, "index", "one", first);
    rig_claim(r, 0, "a", 1, &c);
    assert_true(rig_end(r, c.taken[0], JOB_AGAIN, 3600000));
    job_claim_clear(&c);
    rig_add(r, "index", "one", second);
    rig_add(r, "index", "two", NULL);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 1);
    assert_string_equal(object_of(&c, 0), "two");
    assert_true(c.next_due_ms > c.now_ms);
    job_claim_clear(&c);
    rig_expect(r, first, "DELAYED", 1);
    rig_expect(r, second, "WAITING", 0);
}

static void a_job_given_up_lets_its_lane_go_on_and_takes_its_turn_again_when_retried(void **state);

/* ---- leases ---- */

static void the_end_of_an_attempt_whose_lease_was_taken_over_is_refused(void **state)
{
    struct job_claim c, d;
    job_id id;

    (void)state;
    rig_add(r, "index", "one", id);
    r->conf.lease_ms = 0;
    rig_claim(r, 0, "a", 1, &c);
    r->conf.lease_ms = 60000;
    rig_claim(r, 1, "b", 1, &d);
    assert_int_equal(d.n_taken, 1);
    assert_int_equal(d.n_taken_over, 1);
    assert_int_equal(d.taken[0]->job.attempt, 2);
    assert_true(d.taken[0]->job.fence > c.taken[0]->job.fence);
    for (enum job_how how = JOB_DONE; how <= JOB_RENEWED; how++)
        assert_false(rig_end(r, c.taken[0], how, 0));
    rig_expect(r, id, "PROCESSING", 2);
    assert_true(rig_end(r, d.taken[0], JOB_DONE, 0));
    assert_false(rig_end(r, c.taken[0], JOB_DONE, 0));
    job_claim_clear(&c);
    job_claim_clear(&d);
}

static void a_renewed_lease_is_not_taken_over(void **state)
{
    struct job_claim c, d;

    (void)state;
    rig_add(r, "index", "one", NULL);
    r->conf.lease_ms = 0;
    rig_claim(r, 0, "a", 1, &c);
    r->conf.lease_ms = 60000;
    assert_true(rig_end(r, c.taken[0], JOB_RENEWED, 0));
    rig_claim(r, 1, "b", 1, &d);
    assert_int_equal(d.n_taken, 0);
    job_claim_clear(&c);
    job_claim_clear(&d);
}

static void a_job_that_kills_its_workers_ends_in_error_and_its_lane_goes_on(void **state)
{
    struct job_claim c;
    job_id id, next;
    json_t *job;

    (void)state;
    rig_add(r, "index", "one", id);
    rig_add(r, "index", "one", next);
    r->conf.lease_ms = 0;
    for (int i = 1; i <= 3; i++) {
        rig_claim(r, 0, "a", 1, &c);
        assert_int_equal(c.n_taken, 1);
        assert_string_equal(c.taken[0]->job.id, id);
        job_claim_clear(&c);
    }
    rig_claim(r, 0, "b", 1, &c);
    assert_int_equal(c.n_died, 1);
    assert_int_equal(c.promoted.n, 1);
    job_claim_clear(&c);
    rig_expect(r, id, "ERROR", 3);
    job = rig_get(r, id);
    assert_string_equal(json_string_value(json_object_get(json_object_get(job, "error"), "message")), "its worker died: a");
    json_decref(job);
    rig_claim(r, 0, "b", 1, &c);
    assert_int_equal(c.n_taken, 1);
    assert_string_equal(c.taken[0]->job.id, next);
    job_claim_clear(&c);
}

static void what_is_handed_back_is_taken_at_once_and_has_cost_no_attempt(void **state)
{
    struct job_claim c;

    (void)state;
    rig_add(r, "index", "one", NULL);
    rig_claim(r, 0, "a", 1, &c);
    assert_true(rig_end(r, c.taken[0], JOB_HANDED_BACK, 0));
    job_claim_clear(&c);
    rig_claim(r, 1, "b", 1, &c);
    assert_int_equal(c.n_taken, 1);
    assert_int_equal(c.taken[0]->job.attempt, 1);
    assert_int_equal(c.taken[0]->job.fence, 2);
    job_claim_clear(&c);
}

struct disowning { const char *worker; struct job_mark claim; };

static um_err disown(void *arg, struct um_sql *q)
{
    const struct disowning *d = arg;

    return job_disown(q, d->worker, &d->claim, 1);
}

/* A core that was killed and is there again has the same name; it knows of its own claims alone. */
static void a_claim_nobody_has_begun_is_given_back_and_not_what_an_earlier_process_of_that_name_held(void **state)
{
    struct disowning d = { "a", { 0, 2 } };
    struct job_claim c;
    job_id id;

    (void)state;
    rig_add(r, "index", "one", id);
    rig_claim(r, 0, "a", 1, &c);
    d.claim.num = c.taken[0]->num;
    assert_int_equal(rig_unit(r, 0, disown, &d), UM_OK);
    rig_expect(r, id, "PROCESSING", 1);
    d.claim.fence = c.taken[0]->job.fence;
    d.worker = "b";
    assert_int_equal(rig_unit(r, 0, disown, &d), UM_OK);
    rig_expect(r, id, "PROCESSING", 1);
    d.worker = "a";
    assert_int_equal(rig_unit(r, 0, disown, &d), UM_OK);
    rig_expect(r, id, "WAITING", 0);
    job_claim_clear(&c);
}

/* ---- operators ---- */

struct operating { const char *registration, *id; struct um_jobs_query query; int64_t n; double rate; bool paused; json_t *out; };

static um_err retry(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_retry(q, &o->query, o->id, &o->n);
}

static um_err purge(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_purge(q, &o->query, o->id, &o->n);
}

static um_err pause_it(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_pause(q, NULL, o->registration, o->paused);
}

static um_err set_rate(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_set_rate(q, "main", o->registration, o->rate);
}

static um_err list(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_list(q, &r->conf, &o->query, &o->out);
}

static um_err summarize(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_summary(q, "main", &o->out);
}

static um_err by_registration(void *arg, struct um_sql *q)
{
    struct operating *o = arg;

    return um_jobs_registrations(q, "main", &o->out);
}

static int64_t number(const json_t *o, const char *name) { return json_integer_value(json_object_get(o, name)); }

static void take_and_give_up(const char *object, job_id id)
{
    struct job_claim c;

    rig_add(r, "index", object, id);
    rig_claim(r, 0, "a", 1, &c);
    assert_int_equal(c.n_taken, 1);
    assert_true(rig_end(r, c.taken[0], JOB_GIVEN_UP, 0));
    job_claim_clear(&c);
}

static void a_job_given_up_lets_its_lane_go_on_and_takes_its_turn_again_when_retried(void **state)
{
    struct operating o = { 0 };
    struct job_claim c;
    job_id first, second;

    (void)state;
    take_and_give_up("one", first);
    rig_expect(r, first, "ERROR", 1);
    rig_add(r, "index", "one", second);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 1);
    assert_string_equal(c.taken[0]->job.id, second);
    o.id = first;
    assert_int_equal(rig_unit(r, 0, retry, &o), UM_OK);
    assert_int_equal(o.n, 1);
    rig_expect(r, first, "WAITING", 0);
    assert_true(rig_end(r, c.taken[0], JOB_DONE, 0));
    job_claim_clear(&c);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 1);
    assert_string_equal(c.taken[0]->job.id, first);
    assert_int_equal(c.taken[0]->job.attempt, 1);
    job_claim_clear(&c);
}

static void only_what_is_in_error_is_retried_or_purged_and_by_portions(void **state)
{
    struct operating o = { .query = { .scope = "main", .max = 2 } };
    job_id ids[3], waiting;
    char object[8];

    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(object, sizeof(object), "o%d", i);
        take_and_give_up(object, ids[i]);
    }
    rig_add(r, "index", "other", waiting);
    o.id = waiting;
    assert_int_equal(rig_unit(r, 0, purge, &o), UM_OK);
    assert_int_equal(o.n, 0);
    o.id = NULL;
    assert_int_equal(rig_unit(r, 0, purge, &o), UM_OK);
    assert_int_equal(o.n, 2);
    rig_expect(r, ids[1], NULL, 0);
    rig_expect(r, ids[2], "ERROR", 1);
    o.query.registration = "another";
    assert_int_equal(rig_unit(r, 0, retry, &o), UM_OK);
    assert_int_equal(o.n, 0);
    o.query.registration = "index";
    assert_int_equal(rig_unit(r, 0, retry, &o), UM_OK);
    assert_int_equal(o.n, 1);
    rig_expect(r, ids[2], "WAITING", 0);
    rig_expect(r, waiting, "WAITING", 0);
}

static void a_paused_registration_waits_and_nobody_else(void **state)
{
    struct operating o = { .registration = "index", .paused = true };
    struct job_claim c;

    (void)state;
    assert_int_equal(rig_unit(r, 0, pause_it, &o), UM_OK);
    rig_add(r, "index", "one", NULL);
    rig_add(r, "notify", "one", NULL);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 1);
    assert_string_equal(c.taken[0]->job.registration, "notify");
    assert_false(c.is_full);
    job_claim_clear(&c);
    o.paused = false;
    assert_int_equal(rig_unit(r, 0, pause_it, &o), UM_OK);
    o = (struct operating){ .paused = true };
    assert_int_equal(rig_unit(r, 0, pause_it, &o), UM_OK);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 0);
    job_claim_clear(&c);
    o.paused = false;
    assert_int_equal(rig_unit(r, 0, pause_it, &o), UM_OK);
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 1);
    job_claim_clear(&c);
}

static void a_rate_is_everybody_s_together(void **state)
{
    struct operating o = { .registration = "index", .rate = 0.01 };
    struct job_claim c;
    char object[8];

    (void)state;
    assert_int_equal(rig_unit(r, 0, set_rate, &o), UM_OK);
    for (int i = 0; i < 4; i++) {
        snprintf(object, sizeof(object), "o%d", i);
        rig_add(r, "index", object, NULL);
    }
    rig_claim(r, 0, "a", 10, &c);
    assert_int_equal(c.n_taken, 1);
    assert_true(c.next_due_ms > c.now_ms);
    job_claim_clear(&c);
    rig_claim(r, 1, "b", 10, &c);
    assert_int_equal(c.n_taken, 0);
    job_claim_clear(&c);
    o.rate = 0;
    assert_int_equal(rig_unit(r, 0, set_rate, &o), UM_OK);
    rig_claim(r, 1, "b", 10, &c);
    assert_int_equal(c.n_taken, 3);
    job_claim_clear(&c);
}

static void lists_tell_what_is_asked_for(void **state)
{
    struct operating o = { .query = { .scope = "main", .max = 2, .status = "WAITING" } };
    struct job_claim c;
    job_id first;
    json_t *job;

    (void)state;
    rig_add(r, "index", "one", first);
    rig_claim(r, 0, "core-1", 1, &c);
    job_claim_clear(&c);
    for (int i = 0; i < 3; i++)
        rig_add(r, "index", "one", NULL);
    assert_int_equal(rig_view(r, list, &o), UM_OK);
    assert_int_equal(number(o.out, "found"), 3);
    assert_int_equal(json_array_size(json_object_get(o.out, "results")), 2);
    json_decref(o.out);
    o.query = (struct um_jobs_query){ .max = 10, .status = "PROCESSING", .object = "one", .registration = "index" };
    assert_int_equal(rig_view(r, list, &o), UM_OK);
    job = json_array_get(json_object_get(o.out, "results"), 0);
    assert_string_equal(json_string_value(json_object_get(job, "id")), first);
    assert_string_equal(json_string_value(json_object_get(job, "worker")), "core-1");
    assert_non_null(json_object_get(job, "leaseExpiresAt"));
    json_decref(o.out);
    o.query.status = "ASLEEP";
    assert_int_equal(rig_view(r, list, &o), UM_EINVAL);
    o.query = (struct um_jobs_query){ .max = UM_JOBS_PAGE_MAX + 1 };
    assert_int_equal(rig_view(r, list, &o), UM_EINVAL);
    assert_int_equal(rig_view(r, summarize, &o), UM_OK);
    assert_int_equal(number(o.out, "waiting"), 3);
    assert_int_equal(number(o.out, "processing"), 1);
    assert_int_equal(number(json_array_get(json_object_get(o.out, "workers"), 0), "running"), 1);
    json_decref(o.out);
}

/* ---- workers outside ---- */

struct outside { const char *queue, *id, *code; uint64_t fence; json_t *jobs; };

static um_err lease(void *arg, struct um_sql *q)
{
    struct outside *o = arg;

    return um_jobs_lease(q, &r->conf, "main", o->queue, "them", 60000, 10, &o->jobs);
}

static um_err end_outside(void *arg, struct um_sql *q)
{
    struct outside *o = arg;

    return um_jobs_end(q, &r->conf, "main", o->id, o->fence, o->code, "because");
}

static um_err extend(void *arg, struct um_sql *q)
{
    struct outside *o = arg;

    return um_jobs_extend(q, "main", o->id, o->fence, 60000);
}

static void an_external_worker_gets_its_queue_s_jobs_and_ends_them_by_their_fence(void **state)
{
    struct outside o = { .queue = "print" };
    job_id id, other;

    (void)state;
    rig_add_for(r, "index", "one", "worker:print", id);
    rig_add_for(r, "index", "two", "worker:mail", other);
    assert_int_equal(rig_unit(r, 0, lease, &o), UM_OK);
    assert_int_equal(json_array_size(o.jobs), 1);
    o.id = json_string_value(json_object_get(json_array_get(o.jobs, 0), "id"));
    assert_string_equal(o.id, id);
    assert_true(json_is_object(json_object_get(json_array_get(o.jobs, 0), "payload")));
    o.fence = (uint64_t)number(json_array_get(o.jobs, 0), "fence") + 1;
    assert_int_equal(rig_unit(r, 0, extend, &o), UM_EDENIED);
    assert_int_equal(rig_unit(r, 0, end_outside, &o), UM_EDENIED);
    o.fence--;
    assert_int_equal(rig_unit(r, 0, extend, &o), UM_OK);
    o.code = "F00039";
    assert_int_equal(rig_unit(r, 0, end_outside, &o), UM_OK);
    rig_expect(r, id, "ERROR", 1);
    rig_expect(r, other, "WAITING", 0);
    json_decref(o.jobs);
}

/* ---- numbers ---- */

static void the_wait_between_attempts_doubles_up_to_its_bound_give_or_take_a_fifth(void **state)
{
    struct um_jobs_conf cf = { .backoff_ms = 1000, .backoff_max_ms = 300000 };
    static const int64_t want_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000 };

    (void)state;
    for (unsigned i = 0; i < UM_COUNT(want_ms); i++)
        for (int k = 0; k < 50; k++) {
            int64_t ms = job_backoff_ms(&cf, i + 1);
            assert_in_range(ms, want_ms[i] * 8 / 10, want_ms[i] * 12 / 10);
        }
}

static void many_behind_one_are_put_there_while_other_lanes_go_on(void **state)
{
    enum { MANY = 300 };
    struct job_claim c;
    size_t taken = 0;

    (void)state;
    for (int i = 0; i < MANY; i++)
        rig_add(r, "index", "one", NULL);
    rig_add(r, "index", "two", NULL);
    rig_add(r, "notify", "three", NULL);
    do {
        rig_claim(r, 0, "a", 2, &c);
        taken += c.n_taken;
        bool more = c.is_full;
        job_claim_clear(&c);
        if (!more)
            break;
    } while (taken < 3);
    assert_int_equal(taken, 3);
    assert_int_equal(rig_count(r, "PROCESSING"), 3);
    assert_int_equal(rig_count(r, "WAITING"), MANY - 1);
}

static void each_registration_is_counted_with_what_was_said_of_it(void **state)
{
    struct operating o = { .registration = "index", .paused = true, .rate = 2.5 };
    const json_t *row;

    (void)state;
    take_and_give_up("one", (job_id){ 0 });
    rig_add(r, "index", "one", NULL);
    rig_add(r, "index", "two", NULL);
    rig_add(r, "notify", "three", NULL);
    assert_int_equal(rig_unit(r, 0, set_rate, &o), UM_OK);
    o.registration = "asleep";
    assert_int_equal(rig_unit(r, 0, set_rate, &o), UM_OK);
    o.registration = NULL;
    assert_int_equal(rig_unit(r, 0, pause_it, &o), UM_OK);
    assert_int_equal(rig_view(r, by_registration, &o), UM_OK);
    assert_int_equal(json_array_size(o.out), 4);
    row = json_array_get(o.out, 0);
    assert_string_equal(json_string_value(json_object_get(row, "registration")), "index");
    assert_string_equal(json_string_value(json_object_get(row, "handler")), "test");
    assert_int_equal(number(row, "waiting"), 2);
    assert_int_equal(number(row, "errors"), 1);
    assert_false(json_is_true(json_object_get(row, "paused")));
    assert_true(json_real_value(json_object_get(row, "perSecond")) > 2.4);
    assert_int_equal(number(json_array_get(o.out, 1), "waiting"), 1);
    row = json_array_get(o.out, 2);                   /* what is said of all comes first by its empty names */
    assert_string_equal(json_string_value(json_object_get(row, "registration")), "");
    assert_true(json_is_true(json_object_get(row, "paused")));
    row = json_array_get(o.out, 3);
    assert_string_equal(json_string_value(json_object_get(row, "registration")), "asleep");
    assert_int_equal(number(row, "waiting"), 0);
    json_decref(o.out);
}

struct looking { const char *registration, *object; bool is_waiting; };

static um_err look(void *arg, struct um_sql *q)
{
    struct looking *l = arg;
    struct um_job_new j = { .scope = "main", .registration = l->registration, .action = "UPDATE", .category = "DOCUMENT", .object = l->object };

    return um_jobs_is_waiting(q, &j, &l->is_waiting);
}

static void a_job_that_nobody_has_begun_is_found_by_its_lane_and_one_that_is_begun_is_not(void **state)
{
    struct looking one = { "index", "one", false }, other = { "index", "two", true };
    struct job_claim c;

    (void)state;
    rig_add(r, "index", "one", NULL);
    assert_int_equal(rig_view(r, look, &one), UM_OK);
    assert_int_equal(rig_view(r, look, &other), UM_OK);
    assert_true(one.is_waiting);
    assert_false(other.is_waiting);
    rig_claim(r, 0, "a", 1, &c);
    assert_int_equal(rig_view(r, look, &one), UM_OK);
    assert_false(one.is_waiting);
    job_claim_clear(&c);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, jobs_rig_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_operation_that_is_rolled_back_has_no_job),
        TEST(what_is_missing_or_too_long_is_refused),
        TEST(jobs_of_one_lane_are_taken_one_at_a_time_in_their_order),
        TEST(other_lanes_do_not_wait),
        TEST(a_job_in_backoff_holds_back_its_lane_alone),
        TEST(a_job_given_up_lets_its_lane_go_on_and_takes_its_turn_again_when_retried),
        TEST(the_end_of_an_attempt_whose_lease_was_taken_over_is_refused),
        TEST(a_renewed_lease_is_not_taken_over),
        TEST(a_job_that_kills_its_workers_ends_in_error_and_its_lane_goes_on),
        TEST(what_is_handed_back_is_taken_at_once_and_has_cost_no_attempt),
        TEST(a_claim_nobody_has_begun_is_given_back_and_not_what_an_earlier_process_of_that_name_held),
        TEST(only_what_is_in_error_is_retried_or_purged_and_by_portions),
        TEST(a_paused_registration_waits_and_nobody_else),
        TEST(a_rate_is_everybody_s_together),
        TEST(lists_tell_what_is_asked_for),
        TEST(each_registration_is_counted_with_what_was_said_of_it),
        TEST(a_job_that_nobody_has_begun_is_found_by_its_lane_and_one_that_is_begun_is_not),
        TEST(an_external_worker_gets_its_queue_s_jobs_and_ends_them_by_their_fence),
        TEST(the_wait_between_attempts_doubles_up_to_its_bound_give_or_take_a_fifth),
        TEST(many_behind_one_are_put_there_while_other_lanes_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
