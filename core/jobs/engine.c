/* The object: what it is told, when it looks, how it ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum {
    DUE_MIN_MS = 5,
    HINTED_MAX = 1000,                        /* hints that wait for room; others are looked at again later */
};

/* ---- when to look ---- */

static void look(struct um_jobs *j)
{
    j->wants = true;
    cycle_maybe(j);
}

static void due_now(void *arg) { look(arg); }

void jobs_note_due(struct um_jobs *j, int64_t in_ms)
{
    int64_t ms = UM_MAX(in_ms, DUE_MIN_MS);

    if (ms < j->conf.sweep_ms && (!um_timer_is_set(&j->due) || j->due.at_ms > um_loop_now_ms(j->env.loop) + ms))
        um_timer_set(j->env.loop, &j->due, ms, due_now, j);
}

static void sweep(void *arg);

/* Apart from other cores' by chance, a fifth of the time either way. */
static void set_sweep(struct um_jobs *j)
{
    int64_t fifth = j->conf.sweep_ms / 5;

    um_timer_set(j->env.loop, &j->sweep, j->conf.sweep_ms - fifth + (int64_t)um_random_below((uint64_t)(2 * fifth + 1)), sweep, j);
}

static void sweep(void *arg)
{
    struct um_jobs *j = arg;

    set_sweep(j);
    figures_look(j->figures);
    hints_sweep(j->redis);
    look(j);
}

size_t jobs_room(const struct um_jobs *j)
{
    bool works = j->env.works && j->is_started && !j->is_draining;

    return works ? (size_t)j->conf.workers - UM_MIN((size_t)j->conf.workers, j->n_runs + json_array_size(j->hinted) + json_array_size(j->cycle.hinted)) : 0;
}

/* ---- leases ---- */

static void renew(void *arg)
{
    struct um_jobs *j = arg;
    int64_t now_ms = um_now_ms();

    um_timer_set(j->env.loop, &j->renew, j->conf.lease_ms / 3, renew, j);
    UM_LIST_EACH(it, &j->runs) {
        struct um_job_run *r = UM_CONTAINER(it, struct um_job_run, link);

        if (r->state == RUN_RUNNING && now_ms > r->sure_until_ms)
            atomic_store(&r->lost, true);
    }
    if (UM_FAILPOINT("lease.renew"))
        return;
    j->renews = j->n_runs > 0;
    cycle_maybe(j);
}

/* ---- what it is told ---- */

static size_t room(void *arg) { return jobs_room(arg); }

static void hint_came(void *arg, const char *id)
{
    struct um_jobs *j = arg;

    if (!j->is_draining && json_array_size(j->hinted) < HINTED_MAX)
        json_array_append_new(j->hinted, json_string(id));
}

static void hints_came(void *arg) { cycle_maybe(arg); }

static void something_is_due(void *arg) { look(arg); }

static const struct hints_handler of_hints = { room, hint_came, hints_came, something_is_due };

struct added { struct um_jobs *j; size_t n; char ids[][UM_JOB_ID_LEN + 1]; };

static void on_added(void *arg)
{
    struct added *a = arg;
    bool told = a->n > 0 || hints_tell_any(a->j->redis);

    for (size_t i = 0; i < a->n; i++)
        told &= hints_offer(a->j->redis, a->ids[i]);
    if (!told || a->n == 0)
        look(a->j);
    free(a);
}

void um_jobs_added(struct um_jobs *j, const char *const *ids, size_t n)
{
    struct added *a = um_xmalloc(sizeof(*a) + n * sizeof(a->ids[0]));

    a->j = j;
    a->n = n;
    for (size_t i = 0; i < n; i++)
        snprintf(a->ids[i], sizeof(a->ids[i]), "%s", ids[i]);
    um_loop_call(j->env.loop, on_added, a);
}

struct um_jobs_stats um_jobs_get_stats(const struct um_jobs *j)
{
    return (struct um_jobs_stats){
        .running = (size_t)um_metric_value(&jobs_counters[M_RUNNING]), .capacity = j->env.works ? (size_t)j->conf.workers : 0,
        .waiting = um_metric_value(&jobs_counters[M_WAITING]), .delayed = um_metric_value(&jobs_counters[M_DELAYED]),
        .processing = um_metric_value(&jobs_counters[M_PROCESSING]), .errors = um_metric_value(&jobs_counters[M_ERRORS]),
        .oldest_waiting_ms = um_metric_value(&jobs_counters[M_OLDEST]) * 1000, .is_healthy = atomic_load(&j->is_healthy),
    };
}

/* ---- the end ---- */

static void stop_timers(struct um_jobs *j)
{
    struct um_timer *const all[] = { &j->sweep, &j->due, &j->renew, &j->retry, &j->drain };

    for (size_t i = 0; i < UM_COUNT(all); i++)
        um_timer_stop(j->env.loop, all[i]);
}

void jobs_check_drained(struct um_jobs *j)
{
    void (*drained)(void *arg) = j->drained;

    if (drained == NULL || j->n_runs > 0 || j->in_unit)
        return;
    j->drained = NULL;
    stop_timers(j);
    drained(j->drained_arg);
}

static void hand_back(void *arg)
{
    struct um_jobs *j = arg;

    UM_LIST_EACH(it, &j->runs) {
        struct um_job_run *r = UM_CONTAINER(it, struct um_job_run, link);

        if (r->state == RUN_RUNNING)
            run_leave(r);
    }
    cycle_maybe(j);
}

static void on_drain(void *arg)
{
    struct um_jobs *j = arg;

    j->is_draining = true;
    um_timer_stop(j->env.loop, &j->sweep);
    um_timer_stop(j->env.loop, &j->due);
    um_timer_set(j->env.loop, &j->drain, j->conf.shutdown_ms, hand_back, j);
    jobs_check_drained(j);
}

void um_jobs_drain(struct um_jobs *j, void (*done)(void *arg), void *arg)
{
    j->drained = done;
    j->drained_arg = arg;
    um_loop_call(j->env.loop, on_drain, j);
}

/* ---- life ---- */

um_err um_jobs_new(struct um_jobs **out, const struct um_jobs_env *env)
{
    struct um_jobs *j = um_xcalloc(1, sizeof(*j));

    jobs_register_counters();
    j->env = *env;
    j->conf = *env->conf;
    j->worker = um_xstrdup(env->worker != NULL ? env->worker : um_cluster_self(env->cluster, &(int64_t){ 0 }));
    j->after_queue = -1;
    atomic_init(&j->is_healthy, true);
    um_list_init(&j->runs);
    j->figures = figures_new(j);
    j->hinted = json_array();
    j->redis = hints_new(env, j->worker, &j->conf, &of_hints, j);
    *out = j;
    return UM_OK;
}

void um_jobs_start(struct um_jobs *j)
{
    j->is_started = true;
    set_sweep(j);
    um_timer_set(j->env.loop, &j->renew, j->conf.lease_ms / 3, renew, j);
    figures_look(j->figures);
    hints_sweep(j->redis);
    look(j);
}

void um_jobs_stop(struct um_jobs *j)
{
    if (j != NULL)
        j->is_stopped = true;
}

void um_jobs_free(struct um_jobs *j)
{
    if (j == NULL)
        return;
    stop_timers(j);
    cycle_free(&j->cycle);
    UM_LIST_EACH_SAFE(it, &j->runs)
        run_close(UM_CONTAINER(it, struct um_job_run, link));
    hints_free(j->redis);
    json_decref(j->hinted);
    figures_free(j->figures);
    free(j->handlers);
    free(j->worker);
    free(j);
}
