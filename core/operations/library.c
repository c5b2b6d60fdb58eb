/* Handlers libumbel:<name>: shared objects of the core's directory, each in a process of its own (umbel/native.h).
 * They are asked at once and by the queue alike, and told what handlers behind URLs are told. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/native.h>
#include <umbel/util.h>
#include "internal.h"

#define PREFIX "libumbel:"

static const char *text(const json_t *context, const char *member)
{
    return json_string_value(json_object_get(context, member));
}

static void ask(struct um_native *native, struct um_loop *l, const char *handler, const json_t *context, const char *job,
                unsigned attempt, um_native_cb *cb, void *arg)
{
    char *body = json_dumps(context, JSON_COMPACT);
    struct um_native_call call = {
        .library = handler + strlen(PREFIX), .action = text(context, "action"), .phase = text(context, "phase"),
        .object_type = text(context, "objectType"), .scope = text(context, "scope"), .user = text(context, "user"),
        .operation = text(context, "id"), .registration = text(context, "registration"), .request = text(context, "requestId"),
        .job = job, .attempt = attempt, .json = UM_SPAN_STR(body != NULL ? body : "{}"),
    };

    um_native_ask(native, l, &call, cb, arg);
    free(body);
}

/* ---- asked by the platform ---- */

struct asking { struct um_msg msg; um_handler_answered *cb; void *arg; };

static void on_answer(void *arg, const struct um_native_answer *a)
{
    struct asking *asking = arg;

    asking->cb(asking->arg, &(struct um_handler_answer){ a->is_done, a->reply, a->code, a->message });
    free(asking);
}

static void on_none(struct um_msg *m)
{
    on_answer(UM_CONTAINER(m, struct asking, msg),
              &(struct um_native_answer){ .code = UM_NATIVE_UNLOADABLE, .message = "this core has no operation.handlers.dir" });
}

static void run(void *env, struct um_loop *l, const struct um_handler_ask *asked, um_handler_answered *cb, void *arg)
{
    const struct um_operations *o = env;
    struct asking *asking = um_xcalloc(1, sizeof(*asking));

    asking->cb = cb;
    asking->arg = arg;
    if (o->env.native != NULL)
        ask(o->env.native, l, asked->handler, asked->context, NULL, asked->attempt, on_answer, asking);
    else
        um_loop_post(l, &asking->msg, on_none);
}

static bool check(void *env, const char *handler, char why[256])
{
    (void)env;
    return um_native_is_name(handler + strlen(PREFIX), why);
}

/* The file may be gone for a moment, or be another core's alone: what is registered stays then, and fails until it
 * is back. */
static bool admit(void *env, const char *handler, char why[256])
{
    const struct um_operations *o = env;

    snprintf(why, 256, "this core has no libraries: operation.handlers.dir");
    return o->env.native != NULL && um_native_has(o->env.native, handler + strlen(PREFIX), why);
}

struct um_handler_kind operations_library = { .prefix = PREFIX, .check = check, .admit = admit, .run = run, .is_async = true };

/* ---- asked by the queue ---- */

static void on_job_answer(void *arg, const struct um_native_answer *a)
{
    struct um_job_run *r = arg;

    UM_FAILPOINT("job.after_effect");
    if (a->is_done)
        um_job_finish(r);
    else
        um_job_fail(r, a->code, a->message, !a->again);
}

void operations_library_job(void *arg, struct um_job_run *r, const struct um_job *job)
{
    const struct um_operations *o = arg;
    json_t *context = json_loads(job->payload, 0, NULL);

    if (!json_is_object(context)) {
        um_job_fail(r, "T00000", "the job's payload cannot be read", true);
        json_decref(context);
        return;
    }
    json_object_del(context, "caller");
    json_object_del(context, "reserve");
    json_object_set_new(context, "attempt", json_integer(job->attempt));
    UM_FAILPOINT("job.before_effect");
    ask(o->env.native, o->env.loop, job->handler, context, job->id, job->attempt, on_job_answer, r);
    json_decref(context);
}
