/* Jobs of registrations with ReserveComponentsAsynchronous: their component is reserved for them before their handler hears of it, and
 * free again when they are done or given up.
 *
 *   1. The holder is the job's user, in the session "job:<id>": the next attempt, at whichever core, holds it already.
 *   2. What somebody else holds or edits makes the job wait: it is put off, and no attempt counts.
 *   3. The lease is renewed while an attempt goes on. Between attempts it runs on, and may end; so it does when a core dies behind
 *      the end of the job. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "internal.h"

enum { AGAIN_MS = 2000 };                    /* a job that waits looks again */

struct reserving {
    const struct operations_served *served;
    struct um_job_run *run;
    const struct um_job *job;                /* the run's */
    char name[UM_DOMAIN_SHARED_MAX + 1], session[OPERATIONS_SESSION_SIZE];
    uint64_t token;                          /* 0: it is not taken */
    struct um_timer renew;
};

bool operations_reserves(const struct um_job *job)
{
    bool may = strstr(job->payload, "\"reserve\":true") != NULL;      /* in a text of the component it stands with backslashes */
    json_t *context = may ? json_loads(job->payload, 0, NULL) : NULL;
    bool does = json_is_true(json_object_get(context, "reserve"));

    json_decref(context);
    return does;
}

void operations_session(const char *job, char out[OPERATIONS_SESSION_SIZE])
{
    snprintf(out, OPERATIONS_SESSION_SIZE, OPERATIONS_SESSION_PREFIX "%.*s", UM_JOB_ID_LEN, job);
}

static struct um_store_ref ref_of(const struct reserving *x)
{
    return (struct um_store_ref){ x->job->category, x->name, x->token };
}

static void nothing(void *arg, um_err err, const struct um_reserve_answer *answer)
{
    (void)arg;
    (void)err;
    (void)answer;
}

static void renew(void *arg)
{
    struct reserving *x = arg;
    const struct um_operations_env *env = &x->served->o->env;
    struct um_store_ref ref = ref_of(x);

    um_reserve_renew(env->reserve, env->loop, &ref, 1, x->session, nothing, NULL);
    um_timer_set(env->loop, &x->renew, env->reserve_ttl_ms / 3, renew, x);
}

static void on_end(void *arg, bool is_over)
{
    struct reserving *x = arg;
    const struct um_operations_env *env = &x->served->o->env;
    struct um_store_ref ref = ref_of(x);

    um_timer_stop(env->loop, &x->renew);
    if (is_over && x->token != 0)
        um_reserve_release(env->reserve, env->loop, &ref, 1, x->session, nothing, NULL);
    free(x);
}

static void wait_for(struct reserving *x, const struct um_reserve_answer *answer)
{
    const struct um_reserve_blocker *b = answer->n_blockers > 0 ? &answer->blockers[0] : NULL;
    char why[300];

    snprintf(why, sizeof(why), "%s %.100s is %s by %.100s", x->job->category, x->job->object, b != NULL && b->editing ? "edited" : "reserved",
             b != NULL ? b->user : "somebody else");
    um_job_put_off(x->run, "U00423", why, AGAIN_MS);
}

static void on_taken(void *arg, um_err err, const struct um_reserve_answer *answer)
{
    struct reserving *x = arg;
    const struct operations_served *s = x->served;

    if (err == UM_OK)
        x->token = answer->rows[0].token;
    if (err == UM_ECONFLICT) {
        wait_for(x, answer);
    } else if (err == UM_EINVAL) {
        um_job_fail(x->run, "T00000", "this cannot be reserved", true);
    } else if (err != UM_OK || um_job_is_lost(x->run)) {
        um_job_put_off(x->run, "U00503", "reservations are not available at the moment", AGAIN_MS);
    } else {
        um_timer_set(s->o->env.loop, &x->renew, s->o->env.reserve_ttl_ms / 3, renew, x);
        s->fn(s->o, x->run, x->job);
    }
}

void operations_job(void *arg, struct um_job_run *run, const struct um_job *job)
{
    const struct operations_served *s = arg;
    const struct um_operations_env *env = &s->o->env;
    struct um_store_ref ref;
    struct reserving *x;

    if (!operations_reserves(job)) {
        s->fn(s->o, run, job);
        return;
    }
    x = um_xcalloc(1, sizeof(*x));
    *x = (struct reserving){ .served = s, .run = run, .job = job };
    um_job_on_end(run, on_end, x);
    operations_session(job->id, x->session);
    if (!um_domain_shared_id(env->domain, job->scope, job->object, x->name)) {
        um_job_fail(run, "T00000", "this cannot be reserved", true);
        return;
    }
    ref = ref_of(x);
    um_reserve_take(env->reserve, env->loop, &ref, 1, job->user, x->session, &(struct um_reserve_opts){ 0 }, on_taken, x);
}
