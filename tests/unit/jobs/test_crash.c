/* Processes that die over their jobs, on PostgreSQL: `test_jobs_crash K05`, K06 and P03 of the reliability rows. The program is its
 * own worker: `test_jobs_crash worker NAME` does jobs until it is killed, by a failure point or by us; an effect is a row. */
#include "jobs_rig.h"
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>

enum { LEASE_MS = 1000 };

static const char *program;
static struct jobs_rig *r;

/* ---- the worker ---- */

struct effect { struct jobs_rig *r; struct um_job_run *run; char id[64]; };

static um_err put_effect(void *arg, struct um_sql *q)
{
    struct effect *e = arg;

    return um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, 1, ?2, 0, 0)",
                       UM_SQL_ARGS(um_sql_word(e->id), um_sql_word("{}")), NULL);
}

/* As a service outside would do it: the effect is there, whatever becomes of the job. */
static void effect_done(void *arg, um_err err)
{
    struct effect *e = arg;

    if (err == UM_OK)
        um_job_finish(e->run);
    else
        um_job_fail(e->run, "T00000", um_err_text(err), false);
    free(e);
}

static void have_effect(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct effect *e = um_xcalloc(1, sizeof(*e));

    *e = (struct effect){ .r = arg, .run = run };
    snprintf(e->id, sizeof(e->id), "%s-%u", job->id, job->attempt);
    um_store_transact(e->r->st[0], e->r->loop, put_effect, effect_done, e);
}

static void once_done(void *arg, um_err err)
{
    (void)err;
    free(arg);
}

static void have_effect_once(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct effect *e = um_xcalloc(1, sizeof(*e));

    *e = (struct effect){ .r = arg, .run = run };
    snprintf(e->id, sizeof(e->id), "%s", job->id);
    um_job_finish_with(run, put_effect, e, once_done);
}

static void die(void *arg, struct um_job_run *run, const struct um_job *job)
{
    (void)arg;
    (void)run;
    (void)job;
    kill(getpid(), SIGKILL);
}

static struct jobs_rig *open_rig(void)
{
    void *state;

    jobs_rig_open(&state);
    return state;
}

static int work(const char *name)
{
    struct jobs_rig *w = open_rig();
    struct um_jobs *j;
    const char *bad;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    w->conf.lease_ms = LEASE_MS;
    if (um_failpoint_init_from_env(&bad) != UM_OK ||
        um_jobs_new(&j, &(struct um_jobs_env){ .loop = w->loop, .store = w->st[0], .worker = name, .conf = &w->conf, .works = true }) != UM_OK)
        return 2;
    um_jobs_serve(j, "effect", have_effect, w);
    um_jobs_serve(j, "once", have_effect_once, w);
    um_jobs_serve(j, "deadly", die, w);
    um_jobs_start(j);
    um_loop_run(w->loop);
    return 0;
}

/* ---- the test ---- */

static pid_t spawn(const char *name, const char *fail)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (fail != NULL)
            setenv("UMBEL_FAIL", fail, 1);
        execl(program, program, "worker", name, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

static void end_worker(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void wait_for_death(pid_t pid)
{
    int status = 0;
    bool is_dead = false;

    UNTIL(r, is_dead || (is_dead = waitpid(pid, &status, WNOHANG) == pid));
    assert_true(WIFSIGNALED(status));
}

static int64_t n_effects;

static um_err count_effects(void *arg, struct um_sql *q)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT count(*) FROM scopes", UM_SQL_NO_ARGS, &row);

    (void)arg;
    n_effects = err == UM_OK ? um_sql_int(&row, 0) : -1;
    return err;
}

static int64_t effects(void)
{
    assert_int_equal(rig_view(r, count_effects, NULL), UM_OK);
    return n_effects;
}

static int setup(void **state)
{
    int rc = jobs_rig_setup(state);

    r = *state;
    assert_int_equal(rig_sql(r, "DELETE FROM scopes"), UM_OK);
    return rc;
}

/* One job, a worker that dies at WHERE, another one: so many EFFECTS in all. */
static void die_at(const char *where, const char *handler, int64_t want)
{
    pid_t first, second;

    assert_int_equal(rig_add_for(r, "index", "one", handler, NULL), UM_OK);
    first = spawn("core-1", where);
    wait_for_death(first);
    assert_int_equal(rig_count(r, "PROCESSING"), 1);
    second = spawn("core-2", NULL);
    UNTIL(r, rig_count(r, NULL) == 0);
    end_worker(second);
    assert_int_equal(effects(), want);
}

static void a_worker_killed_before_the_effect_has_none_and_another_one_has_it(void **state)
{
    (void)state;
    die_at("job.before_effect=kill", "effect", 1);
}

static void a_worker_killed_after_the_effect_and_before_the_end_costs_a_second_one_with_a_higher_attempt(void **state)
{
    (void)state;
    die_at("job.after_effect=kill", "effect", 2);
}

static void a_worker_killed_before_it_acknowledges_costs_the_same(void **state)
{
    (void)state;
    die_at("job.before_ack=kill", "effect", 2);
}

static void an_effect_in_the_database_happens_once_whenever_the_worker_is_killed(void **state)
{
    (void)state;
    die_at("job.before_ack=kill", "once", 1);
}

static void a_job_that_kills_its_worker_each_time_ends_in_error_and_others_are_done(void **state)
{
    char deadly[UM_JOB_ID_LEN + 1];
    pid_t pid;

    (void)state;
    assert_int_equal(rig_add_for(r, "index", "one", "deadly", deadly), UM_OK);
    assert_int_equal(rig_add_for(r, "index", "one", "effect", NULL), UM_OK);
    for (int64_t i = 0; i < r->conf.max_attempts; i++) {
        pid = spawn("core-1", NULL);
        wait_for_death(pid);
    }
    pid = spawn("core-1", NULL);
    UNTIL(r, effects() == 1);
    UNTIL(r, rig_count(r, NULL) == 1);
    end_worker(pid);
    rig_expect(r, deadly, "ERROR", (int)r->conf.max_attempts);
}

static void a_worker_frozen_beyond_its_lease_ends_nothing_when_it_goes_on(void **state)
{
    pid_t first, second;

    (void)state;
    assert_int_equal(rig_add_for(r, "index", "one", "once", NULL), UM_OK);
    first = spawn("core-1", "job.before_effect=sleep(3000)*1");
    UNTIL(r, rig_count(r, "PROCESSING") == 1);
    kill(first, SIGSTOP);
    second = spawn("core-2", NULL);
    UNTIL(r, rig_count(r, NULL) == 0);
    kill(first, SIGCONT);
    assert_int_equal(rig_add_for(r, "index", "two", "once", NULL), UM_OK);
    end_worker(second);
    UNTIL(r, effects() == 2);                 /* the second job's is FIRST's, once it goes on; of the first job there is one */
    UNTIL(r, rig_count(r, NULL) == 0);
    end_worker(first);
    assert_int_equal(effects(), 2);
}

int main(int argc, char **argv)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, jobs_rig_teardown)
    const struct CMUnitTest k05[] = {
        TEST(a_worker_killed_before_the_effect_has_none_and_another_one_has_it),
        TEST(a_worker_killed_after_the_effect_and_before_the_end_costs_a_second_one_with_a_higher_attempt),
        TEST(a_worker_killed_before_it_acknowledges_costs_the_same),
        TEST(an_effect_in_the_database_happens_once_whenever_the_worker_is_killed),
    };
    const struct CMUnitTest k06[] = { TEST(a_job_that_kills_its_worker_each_time_ends_in_error_and_others_are_done) };
    const struct CMUnitTest p03[] = { TEST(a_worker_frozen_beyond_its_lease_ends_nothing_when_it_goes_on) };
    const char *row = argc > 1 ? argv[1] : "";

    program = argv[0];
    if (argc == 3 && strcmp(row, "worker") == 0)
        return work(argv[2]);
    if (strcmp(row, "K05") == 0)
        return cmocka_run_group_tests(k05, NULL, NULL);
    if (strcmp(row, "K06") == 0)
        return cmocka_run_group_tests(k06, NULL, NULL);
    return strcmp(row, "P03") == 0 ? cmocka_run_group_tests(p03, NULL, NULL) : 2;
}
