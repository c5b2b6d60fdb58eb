/* Jobs at this core: who does them, and how they end (internal.h draws it). */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

/* ---- handlers ---- */

void um_jobs_serve(struct um_jobs *j, const char *prefix, um_job_fn *fn, void *arg)
{
    UM_ASSERT(!j->is_started);
    j->handlers = um_xrealloc(j->handlers, (j->n_handlers + 1) * sizeof(*j->handlers));
    j->handlers[j->n_handlers++] = (struct handler){ prefix, fn, arg };
}

/* The longest prefix. */
static const struct handler *handler_of(const struct um_jobs *j, const char *name)
{
    const struct handler *best = NULL;

    for (size_t i = 0; i < j->n_handlers; i++) {
        size_t n = strlen(j->handlers[i].prefix);

        if (strncmp(name, j->handlers[i].prefix, n) == 0 && (best == NULL || n > strlen(best->prefix)))
            best = &j->handlers[i];
    }
    return best;
}

bool handlers_serve(const struct um_jobs *j, const char *handler) { return handler_of(j, handler) != NULL; }

/* ---- the life of a run ---- */

void run_unref(struct um_job_run *r)
{
    if (--r->refs > 0)
        return;
    free(r->taken);
    free(r->code);
    free(r->message);
    nums_free(&r->promoted);
    free(r);
}

void run_close(struct um_job_run *r)
{
    um_list_remove(&r->link);
    if (r->state != RUN_LEFT) {
        r->j->n_runs--;
        jobs_count(M_RUNNING, -1);
    }
    if (r->on_end != NULL)
        r->on_end(r->on_end_arg, r->is_over);
    r->on_end = NULL;
    run_unref(r);
}

void run_leave(struct um_job_run *r)
{
    r->is_left = true;
    r->state = RUN_ENDED;
    r->end.how = JOB_HANDED_BACK;
    atomic_store(&r->lost, true);
}

void run_begin(struct um_jobs *j, struct job_taken *taken, int64_t sure_until_ms)
{
    struct um_job_run *r = um_xcalloc(1, sizeof(*r));
    const struct handler *h = handler_of(j, taken->job.handler);

    r->j = j;
    r->taken = taken;
    r->refs = 1;
    r->end = (struct job_end){ .num = taken->num, .fence = taken->job.fence };
    r->sure_until_ms = sure_until_ms;
    r->began_us = um_now_us();
    um_list_append(&j->runs, &r->link);
    j->n_runs++;
    jobs_count(M_RUNNING, 1);
    if (j->is_draining) {                     /* it was on its way when we were told to stop */
        r->state = RUN_ENDED;
        r->end.how = JOB_HANDED_BACK;
        return;
    }
    jobs_count(M_BEGUN, 1);
    if (UM_FAILPOINT("job.before_effect"))
        um_job_fail(r, "T00000", "failure point job.before_effect", false);
    else
        h->fn(h->arg, r, &taken->job);
}

void um_job_on_end(struct um_job_run *run, void (*fn)(void *arg, bool is_over), void *arg)
{
    run->on_end = fn;
    run->on_end_arg = arg;
}

bool um_job_is_lost(const struct um_job_run *run) { return atomic_load(&run->lost); }

/* ---- ends ---- */

static void on_end(void *arg)
{
    struct um_job_run *r = arg;
    struct um_jobs *j = r->j;

    if (r->state == RUN_LEFT) {
        jobs_count(M_REFUSED, 1);
        run_close(r);
        return;
    }
    if (r->state == RUN_ENDED) {              /* is being handed back, and is not left any more: nobody will end it again */
        jobs_count(M_REFUSED, 1);
        r->is_left = false;
        return;
    }
    r->state = RUN_ENDED;
    cycle_maybe(j);
}

static void end(struct um_job_run *r, void (*how)(void *arg)) { um_loop_call(r->j->env.loop, how, r); }

/* EXCEPTION: the code of a failure, or "none". */
static void note_time(const struct um_job_run *r, const char *exception)
{
    const struct um_job *job = &r->taken->job;

    jobs_timed((const char *const[]){ job->category, job->action, job->phase, job->registration, job->scope, exception }, um_now_us() - r->began_us);
}

static void on_finish(void *arg)
{
    struct um_job_run *r = arg;

    if (r->state == RUN_RUNNING) {
        r->end.how = JOB_DONE;
        note_time(r, "none");
    }
    on_end(r);
}

void um_job_finish(struct um_job_run *run)
{
    if (UM_FAILPOINT("job.after_effect"))
        um_job_fail(run, "T00000", "failure point job.after_effect", false);
    else
        end(run, on_finish);
}

static void on_fail(void *arg)
{
    struct um_job_run *r = arg;
    const struct um_jobs_conf *cf = &r->j->conf;
    unsigned attempt = r->taken->job.attempt;
    bool gives_up = r->is_final || attempt >= (unsigned)cf->max_attempts;

    if (r->state == RUN_RUNNING && r->put_off_ms > 0) {
        r->end.how = JOB_AGAIN;
        r->end.delay_ms = r->put_off_ms;
        r->end.is_uncounted = true;
        r->end.code = r->code;
        r->end.message = r->message;
    } else if (r->state == RUN_RUNNING) {
        note_time(r, r->code);
        r->end.how = gives_up ? JOB_GIVEN_UP : JOB_AGAIN;
        r->end.delay_ms = job_backoff_ms(cf, attempt);
        r->end.code = r->code;
        r->end.message = r->message;
        um_log_limited(gives_up ? UM_WARN : UM_INFO, "jobs", gives_up ? "given up" : "to be repeated", UM_S("job", r->taken->job.id),
                       UM_S("registration", r->taken->job.registration), UM_I("attempt", attempt), UM_S("code", r->end.code),
                       UM_S("reason", r->message));
    }
    on_end(r);
}

void um_job_fail(struct um_job_run *run, const char *code, const char *message, bool final)
{
    run->is_final = final || job_is_final(code);
    run->code = um_xstrdup(code);
    run->message = um_xstrdup(message);
    end(run, on_fail);
}

void um_job_put_off(struct um_job_run *run, const char *code, const char *message, int64_t delay_ms)
{
    run->put_off_ms = UM_MAX(delay_ms, 1);
    um_job_fail(run, code, message, false);
}

/* ---- the end that is one transaction with the effect ---- */

static um_err work_with(void *arg, struct um_sql *q)
{
    struct um_job_run *r = arg;
    struct job_end done = { .num = r->end.num, .fence = r->end.fence, .how = JOB_DONE };
    um_err err = job_is_held(q, done.num, done.fence, &r->was_held);

    r->promoted.n = 0;
    if (err == UM_OK && !r->was_held)
        err = UM_EDENIED;
    if (err == UM_OK)
        err = r->work(r->arg, q);
    if (err == UM_OK)
        err = job_ends(q, &done, 1, 0, &r->promoted);
    return err == UM_OK && UM_FAILPOINT("job.before_ack") ? UM_EIO : err;
}

/* Beside an effect that did not happen nothing is lost; of an end that nobody knows of, the row will tell. */
static void done_with(void *arg, um_err err)
{
    struct um_job_run *r = arg;
    struct um_jobs *j = r->j;

    if (r->done != NULL)
        r->done(r->arg, err);
    if (err == UM_OK)
        note_time(r, "none");
    r->is_over = err == UM_OK;
    if (err == UM_OK || !r->was_held) {
        jobs_count(err == UM_OK ? M_DONE : M_REFUSED, 1);
        j->wants |= r->promoted.n > 0;
        if (err == UM_OK)
            hints_final(j->redis, r->taken->job.id);
        run_close(r);
    } else {
        r->state = RUN_RUNNING;
        r->is_unsure = true;
        r->code = um_xstrdup("T00000");
        r->message = um_xstrdup(um_err_text(err));
        on_fail(r);
    }
    cycle_maybe(j);
    jobs_check_drained(j);
}

static void on_finish_with(void *arg)
{
    struct um_job_run *r = arg;

    if (r->state != RUN_RUNNING || r->j->is_stopped) {
        if (r->done != NULL)
            r->done(r->arg, UM_EDENIED);
        on_end(r);
        return;
    }
    r->state = RUN_WITH;
    um_store_transact(r->j->env.store, r->j->env.loop, work_with, done_with, r);
}

void um_job_finish_with(struct um_job_run *run, um_store_work *work, void *arg, void (*done)(void *arg, um_err err))
{
    run->work = work;
    run->arg = arg;
    run->done = done;
    if (UM_FAILPOINT("job.after_effect"))
        um_job_fail(run, "T00000", "failure point job.after_effect", false);
    else
        end(run, on_finish_with);
}
