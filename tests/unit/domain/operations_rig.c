#include "operations_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/jobs.h>
#include <umbel/store_work.h>
#include <umbel/util.h>

/* ---- the handlers ---- */

struct asked { struct um_msg msg; struct tests *t; char handler[64]; json_t *context; um_handler_answered *cb; void *arg; };

static void answer(struct um_msg *m)
{
    struct asked *a = UM_CONTAINER(m, struct asked, msg);
    struct um_handler_answer said = { .is_done = true };
    json_t *reply = NULL, *component = json_object_get(a->context, "component");

    if (strcmp(a->handler, "test:refuse") == 0)
        said = (struct um_handler_answer){ .code = "F00039", .message = "not on a Sunday" };
    else if (strcmp(a->handler, "test:break") == 0)
        said = (struct um_handler_answer){ .code = "T00000", .message = "it fell over" };
    else if (strncmp(a->handler, "test:name=", 10) == 0)
        reply = json_pack("{s:{s:s}}", "component", "name", a->handler + 10);
    else if (strcmp(a->handler, "test:class") == 0)
        reply = json_pack("{s:{s:{s:s}}}", "component", "data", "classId", "Nowhere");
    else if (strcmp(a->handler, "test:tag") == 0)
        reply = json_pack("{s:{s:[{s:s, s:[s]}]}}", "component", "tags", "name", "T", "value",
                          json_string_value(json_object_get(component, "name")));
    else if (strncmp(a->handler, "test:search=", 12) == 0)
        reply = json_pack("{s:{s:[{s:[{s:s, s:s, s:s, s:[s]}]}]}}", "request", "filterClauses", "criteria", "name",
                          a->handler[12] != '\0' ? "name" : "", "operator", "EQUALS_TO", "type", "STRING", "values", a->handler + 12);
    said.reply = reply;
    a->cb(a->arg, &said);
    json_decref(reply);
    json_decref(a->context);
    free(a);
}

static void run(void *env, struct um_loop *l, const struct um_handler_ask *ask, um_handler_answered *cb, void *arg)
{
    struct tests *t = env;
    struct asked *a = um_xcalloc(1, sizeof(*a));
    size_t at = strlen(t->heard);

    snprintf(t->heard + at, sizeof(t->heard) - at, "%s/%s/%s ", ask->registration, json_string_value(json_object_get(ask->context, "action")),
             json_string_value(json_object_get(ask->context, "phase")));
    snprintf(a->handler, sizeof(a->handler), "%s", ask->handler);
    json_decref(t->told);
    t->told = json_deep_copy(ask->context);
    a->t = t;
    a->context = json_deep_copy(ask->context);
    a->cb = cb;
    a->arg = arg;
    um_loop_post(l, &a->msg, answer);
}

static bool check(void *env, const char *handler, char why[256])
{
    (void)env;
    snprintf(why, 256, "it has no verb");
    return handler[strlen("test:")] != '\0';
}

static bool admit(void *env, const char *handler, char why[256])
{
    const struct tests *t = env;

    snprintf(why, 256, "%s is gone", handler);
    return !t->gone;
}

static void on_jobs(void *arg, const char *const *ids, size_t n)
{
    assert_int_equal(n, 1);
    assert_int_equal(strlen(ids[0]), UM_JOB_ID_LEN);
    ((struct tests *)arg)->jobs++;
}

/* ---- the rig ---- */

static struct um_handler_kind kind = { .prefix = "test:", .check = check, .admit = admit, .run = run, .is_async = true,
                                       .may_reserve = true };
static struct um_handler_kind slow = { .prefix = "slow", .is_word = true, .is_async = true };

static const char registration_class[] =
    "[{'id':'OperationHandlerRegistration','category':'DOCUMENT','technical':true,'data':{'ACL':'all'},'tagReferences':["
    "{'tagName':'OperationHandler'},{'tagName':'ExecutionPhase'},{'tagName':'Action'},{'tagName':'ObjectType'},{'tagName':'Enabled'},"
    "{'tagName':'Asynchronous'},{'tagName':'RegistrationOrder'},{'tagName':'StopOnException'},{'tagName':'ReserveComponentsAsynchronous'}]}]";

int open_rig(void **state)
{
    struct tests *t = um_xcalloc(1, sizeof(*t));
    struct domain_rig *r = &t->rig.rig;

    content_rig_open(&t->rig, getenv("UMBEL_STORE_URL"));
    kind.env = t;
    um_domain_add_handlers(r->d, &kind);
    um_domain_add_handlers(r->d, &slow);
    um_domain_use_jobs(r->d, NULL, on_jobs, t);
    um_domain_use_content(r->d, t->rig.content);
    assert_done(r, &um_objects_create, "{'kind':'tagclass'}",
                "[{'id':'T','type':'STRING'},{'id':'OperationHandler','type':'STRING'},{'id':'ExecutionPhase','type':'STRING'},"
                "{'id':'Action','type':'STRING'},{'id':'ObjectType','type':'STRING'},{'id':'Enabled','type':'BOOLEAN'},"
                "{'id':'Asynchronous','type':'BOOLEAN'},{'id':'RegistrationOrder','type':'INT'},{'id':'StopOnException','type':'BOOLEAN'},{'id':'ReserveComponentsAsynchronous','type':'BOOLEAN'}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}",
                "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'T'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", registration_class);
    *state = t;
    return 0;
}

int close_rig(void **state)
{
    struct tests *t = *state;

    content_rig_close(&t->rig);
    json_decref(t->told);
    free(t);
    return 0;
}

const char *registration_for(const char *type, const char *id, const char *handler, const char *phase, const char *action, int order,
                             const char *flags)
{
    static char text[2048];

    snprintf(text, sizeof(text),
             "[{'id':'%s','name':'%s','data':{'classId':'OperationHandlerRegistration'},'tags':[{'name':'OperationHandler','value':['%s']},"
             "{'name':'ExecutionPhase','value':['%s']},{'name':'Action','value':['%s']},{'name':'ObjectType','value':['%s']},"
             "{'name':'RegistrationOrder','value':['%d']},{'name':'Enabled','value':['true']}%s]}]", id, id, handler, phase, action, type, order, flags);
    return text;
}

const char *registration(const char *id, const char *handler, const char *phase, const char *action, int order, const char *flags)
{
    return registration_for("DOCUMENT", id, handler, phase, action, order, flags);
}


void put(struct tests *t, const char *id, const char *handler, const char *phase, const char *action, int order, const char *flags)
{
    assert_done(&t->rig.rig, &um_components_create, DOCS, registration(id, handler, phase, action, order, flags));
    t->heard[0] = '\0';
}

int64_t count_jobs(struct tests *t) { return content_rig_count(&t->rig, "SELECT CAST(count(*) AS BIGINT) FROM jobs"); }
