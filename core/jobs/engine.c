/* The object: what it is told, when it looks, how it ends. */
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { DUE_MIN_MS = 5 };

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
    look(j);
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

static void on_added(void *arg) { look(arg); }

void um_jobs_added(struct um_jobs *j, const char *const *ids, size_t n)
{
    (void)ids;
    (void)n;
    um_loop_call(j->env.loop, on_added, j);
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

    um_metrics_register(jobs_counters, M_N);
    j->env = *env;
    j->conf = *env->conf;
    j->worker = um_xstrdup(env->worker != NULL ? env->worker : um_cluster_self(env->cluster, &(int64_t){ 0 }));
    j->after_queue = -1;
    atomic_init(&j->is_healthy, true);
    um_list_init(&j->runs);
    j->figures = figures_new(j);
    *out = j;
    return UM_OK;
}

void um_jobs_start(struct um_jobs *j)
{
    j->is_started = true;
    set_sweep(j);
    um_timer_set(j->env.loop, &j->renew, j->conf.lease_ms / 3, renew, j);
    figures_look(j->figures);
    look(j);
}

void um_jobs_free(struct um_jobs *j)
{
    if (j == NULL)
        return;
    stop_timers(j);
    cycle_free(&j->cycle);
    UM_LIST_EACH_SAFE(it, &j->runs)
        run_close(UM_CONTAINER(it, struct um_job_run, link));
    figures_free(j->figures);
    free(j->handlers);
    free(j->worker);
    free(j);
}
