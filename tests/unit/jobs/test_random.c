/* A queue against a model of it in memory: thousands of adds, claims, ends, expiries, retries, purges and pauses, by two workers.
 * UMBEL_SEED=n repeats a run, UMBEL_ROUNDS=n makes it longer. */
#include "jobs_rig.h"
#include <stdio.h>

enum { LANES = 12, REGISTRATIONS = 3, JOBS_MAX = 20000, HELD_MAX = 64, ROUNDS = 10000 };

enum is { GONE, WAITING, READY, BACK_OFF, HELD, EXPIRED, FAILED };
struct model_job { char id[UM_JOB_ID_LEN + 1]; int lane; enum is is; unsigned attempts; uint64_t fence; int64_t num; };

static struct jobs_rig *r;
static struct model_job *jobs;
static int n_jobs, head[LANES];               /* -1: none was made one */
static bool paused[REGISTRATIONS];
static uint64_t seed;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}
static int below(int n) { return (int)(next_random() % (uint64_t)n); }

static int registration_of(int lane) { return lane % REGISTRATIONS; }
static void name_of(char out[16], const char *what, int n) { snprintf(out, 16, "%s%d", what, n); }

/* ---- the model ---- */

static int first_waiting(int lane)
{
    for (int i = 0; i < n_jobs; i++)
        if (jobs[i].lane == lane && jobs[i].is == WAITING)
            return i;
    return -1;
}

static void leave_lane(int i)
{
    int lane = jobs[i].lane, next = first_waiting(lane);

    head[lane] = next;
    if (next >= 0)
        jobs[next].is = READY;
}

static int claimable_in(int lane)
{
    int i = head[lane] >= 0 ? head[lane] : first_waiting(lane);

    return i >= 0 && !paused[registration_of(lane)] && (jobs[i].is == WAITING || jobs[i].is == READY || jobs[i].is == EXPIRED) ? i : -1;
}

static int find(const char *id)
{
    for (int i = n_jobs - 1; i >= 0; i--)
        if (strcmp(jobs[i].id, id) == 0)
            return i;
    fail_msg("a job that nobody added: %s", id);
    return -1;
}

static int some(enum is is)
{
    int from = n_jobs > 0 ? below(n_jobs) : 0;

    for (int k = 0; k < n_jobs; k++)
        if (jobs[(from + k) % n_jobs].is == is)
            return (from + k) % n_jobs;
    return -1;
}

/* ---- what is done ---- */

static void do_add(void)
{
    int lane = below(LANES);
    char registration[16], object[16];

    if (n_jobs == JOBS_MAX)
        return;
    name_of(registration, "r", registration_of(lane));
    name_of(object, "o", lane);
    jobs[n_jobs] = (struct model_job){ .lane = lane, .is = WAITING };
    assert_int_equal(rig_add(r, registration, object, jobs[n_jobs].id), UM_OK);
    n_jobs++;
}

static void take_one(const struct job_taken *t)
{
    int i = find(t->job.id), lane = jobs[i].lane;

    assert_int_equal(claimable_in(lane), i);
    assert_true(t->job.fence > jobs[i].fence);
    head[lane] = i;
    jobs[i].is = HELD;
    jobs[i].num = t->num;
    jobs[i].fence = t->job.fence;
    jobs[i].attempts++;
    assert_int_equal(t->job.attempt, jobs[i].attempts);
}

/* Those that have died often enough are given up when a claim comes to them, before anything else of their lane is taken. */
static size_t bury_dead(void)
{
    size_t n = 0;

    for (int lane = 0; lane < LANES; lane++) {
        int i = claimable_in(lane);
        json_t *job;

        if (i < 0 || jobs[i].is != EXPIRED || jobs[i].attempts < (unsigned)r->conf.max_attempts)
            continue;
        job = rig_get(r, jobs[i].id);
        if (strcmp(json_string_value(json_object_get(job, "status")), "ERROR") == 0) {
            jobs[i].is = FAILED;
            leave_lane(i);
            n++;
        }
        json_decref(job);
    }
    return n;
}

static void do_claim(void)
{
    size_t max = 1 + (size_t)below(6), got = 0;
    struct job_claim c;
    bool more;

    do {
        rig_claim(r, (size_t)below(RIG_STORES), below(2) == 0 ? "a" : "b", max - got, &c);
        assert_int_equal(c.n_died, c.n_died > 0 ? bury_dead() : 0);
        for (size_t i = 0; i < c.n_taken; i++)
            take_one(c.taken[i]);
        got += c.n_taken;
        more = c.is_full || c.promoted.n > 0;
        job_claim_clear(&c);
    } while (more && got < max);
    for (int lane = 0; got < max && lane < LANES; lane++)
        assert_int_equal(claimable_in(lane), -1);
}

static void do_end(void)
{
    static const enum job_how hows[] = { JOB_DONE, JOB_DONE, JOB_DONE, JOB_AGAIN, JOB_AGAIN, JOB_GIVEN_UP, JOB_HANDED_BACK, JOB_RENEWED };
    enum job_how how = hows[below((int)UM_COUNT(hows))];
    bool soon = below(2) == 0;
    int i = some(HELD);

    if (i < 0)
        return;
    if (below(8) == 0) {
        assert_false(rig_end_as(r, jobs[i].num, jobs[i].fence - 1, how, 0));
        return;
    }
    assert_true(rig_end_as(r, jobs[i].num, jobs[i].fence, how, soon ? 0 : 3600000));
    jobs[i].attempts -= how == JOB_HANDED_BACK;
    jobs[i].is = how == JOB_DONE ? GONE : how == JOB_GIVEN_UP ? FAILED : how == JOB_RENEWED ? HELD
               : how == JOB_AGAIN && !soon ? BACK_OFF : READY;
    if (how == JOB_DONE || how == JOB_GIVEN_UP)
        leave_lane(i);
}

struct by_id { const char *id; int64_t n; };

static um_err expire(void *arg, struct um_sql *q)
{
    struct by_id *b = arg;

    return um_sql_exec(q, "UPDATE jobs SET due_ms = 1 WHERE id = ?1", UM_SQL_ARGS(um_sql_word(b->id)), &b->n);
}

static um_err retry(void *arg, struct um_sql *q)
{
    struct by_id *b = arg;

    return um_jobs_retry(q, NULL, b->id, &b->n);
}

static um_err purge(void *arg, struct um_sql *q)
{
    struct by_id *b = arg;

    return um_jobs_purge(q, NULL, b->id, &b->n);
}

static void by_id(int i, um_store_work *work)
{
    struct by_id b = { jobs[i].id, 0 };

    assert_int_equal(rig_unit(r, 0, work, &b), UM_OK);
    assert_int_equal(b.n, 1);
}

static void do_expire(void)
{
    int held = some(HELD), off = some(BACK_OFF);

    if (held >= 0) {
        by_id(held, expire);
        jobs[held].is = EXPIRED;
    }
    if (off >= 0) {
        by_id(off, expire);
        jobs[off].is = READY;
    }
}

static void do_errors(void)
{
    int i = some(FAILED);
    bool again = below(2) == 0;

    if (i < 0)
        return;
    by_id(i, again ? retry : purge);
    jobs[i].is = again ? WAITING : GONE;
    jobs[i].attempts = 0;
}

static um_err pause_work(void *arg, struct um_sql *q)
{
    int n = *(int *)arg;
    char name[16];

    name_of(name, "r", n);
    return um_jobs_pause(q, "main", name, paused[n]);
}

static void do_pause(void)
{
    int n = below(REGISTRATIONS);

    paused[n] = !paused[n];
    assert_int_equal(rig_unit(r, 0, pause_work, &n), UM_OK);
}

/* ---- both are the same ---- */

static void compare(void)
{
    static const struct { const char *word; enum is is[3]; } rows[] = {
        { "PROCESSING", { HELD, EXPIRED, EXPIRED } }, { "ERROR", { FAILED, FAILED, FAILED } },
    };
    int64_t all = 0;

    for (int i = 0; i < n_jobs; i++)
        all += jobs[i].is != GONE;
    assert_int_equal(rig_count(r, NULL), all);
    for (size_t k = 0; k < UM_COUNT(rows); k++) {
        int64_t n = 0;

        for (int i = 0; i < n_jobs; i++)
            n += jobs[i].is == rows[k].is[0] || jobs[i].is == rows[k].is[1];
        assert_int_equal(rig_count(r, rows[k].word), n);
    }
}

static void the_queue_does_what_its_model_does(void **state)
{
    const char *asked = getenv("UMBEL_ROUNDS"), *again = getenv("UMBEL_SEED");
    int rounds = asked != NULL ? atoi(asked) : ROUNDS;

    r = *state;
    seed = again != NULL ? strtoull(again, NULL, 10) : um_random_u64() | 1;
    print_message("UMBEL_SEED=%llu\n", (unsigned long long)seed);
    jobs = um_xcalloc(JOBS_MAX, sizeof(*jobs));
    for (int lane = 0; lane < LANES; lane++)
        head[lane] = -1;
    for (int i = 0; i < rounds; i++) {
        int what = below(100);

        if (what < 30)
            do_add();
        else if (what < 55)
            do_claim();
        else if (what < 90)
            do_end();
        else if (what < 95)
            do_expire();
        else if (what < 98)
            do_errors();
        else
            do_pause();
        if (i % 250 == 0)
            compare();
    }
    compare();
    free(jobs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_queue_does_what_its_model_does, jobs_rig_setup, jobs_rig_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
