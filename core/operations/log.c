/* The handler `log`: a line of the log for each operation, to see what is done before something is made of it. */
#include <stdlib.h>
#include <umbel/log.h>
#include "internal.h"

static const char *text(const json_t *context, const char *name)
{
    const char *s = json_string_value(json_object_get(context, name));

    return s != NULL ? s : "";
}

static void tell(const json_t *context)
{
    um_log_limited(UM_INFO, "operation", "operation", UM_S("scope", text(context, "scope")), UM_S("action", text(context, "action")),
                   UM_S("phase", text(context, "phase")), UM_S("type", text(context, "objectType")),
                   UM_S("object", text(json_object_get(context, "component"), "id")), UM_S("user", text(context, "user")),
                   UM_S("request", text(context, "requestId")), UM_S("registration", text(context, "registration")));
}

struct answer { struct um_msg msg; um_handler_answered *cb; void *arg; };

static void answer(struct um_msg *m)
{
    struct answer *a = UM_CONTAINER(m, struct answer, msg);

    a->cb(a->arg, &(struct um_handler_answer){ .is_done = true });
    free(a);
}

static void run(void *env, struct um_loop *l, const struct um_handler_ask *ask, um_handler_answered *cb, void *arg)
{
    struct answer *a = um_xcalloc(1, sizeof(*a));

    (void)env;
    tell(ask->context);
    a->cb = cb;
    a->arg = arg;
    um_loop_post(l, &a->msg, answer);
}

void operations_log_job(void *arg, struct um_job_run *r, const struct um_job *job)
{
    json_t *context = json_loads(job->payload, 0, NULL);

    (void)arg;
    tell(context);
    json_decref(context);
    um_job_finish(r);
}

struct um_handler_kind operations_log = { .prefix = "log", .is_word = true, .run = run, .is_async = true };
