/* See operation.h. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/jobs.h>
#include <umbel/log.h>
#include "body.h"
#include "filter.h"
#include "internal.h"
#include "operations/by_rules.h"
#include "operations/chain.h"
#include "operations/context.h"
#include "operations/counters.h"
#include "operations/replace.h"

/* A registration for updates means all that change what a component says of itself. */
static bool means(enum um_action registered, enum um_action a)
{
    return registered == a || (registered == UM_ACTION_UPDATE && a == UM_ACTION_UPDATE_CONTENT);
}

static bool is_one(const struct registration *r, const struct operation *o, enum operation_phase phase, bool asynchronous)
{
    return r->phase == phase && r->asynchronous == asynchronous && r->object == o->object && means(r->action, o->action);
}

/* ASSIGN and ANSWER are filtered by who has the task, 5.2 of the platform reference. */
static struct filter_subject subject_of(const struct um_call *c, const struct operation *o, const json_t *image)
{
    struct filter_subject s = { .model = c->model, .image = image, .category = operation_object_words[o->object], .user = c->who->user };

    if (o->action == UM_ACTION_SEARCH)
        s.request = image;
    if (o->action == UM_ACTION_ASSIGN || o->action == UM_ACTION_ANSWER) {
        s.id = json_string_value(json_object_get(image, "assignee"));
        s.is_assignment = o->action == UM_ACTION_ASSIGN;
        s.assignee_before = s.is_assignment ? json_string_value(json_object_get(o->before, "assignee")) : NULL;
    }
    return s;
}

/* Contents of folders are filtered by the classes of what is put in or taken out. */
static bool fits_moved(const struct registration *r, const struct operation *o, struct filter_subject *s)
{
    const char *change = o->action == UM_ACTION_ADD_CONTENT ? "added" : "removed";
    size_t i;
    json_t *one;

    json_array_foreach(o->moved, i, one) {
        s->id = json_string_value(json_object_get(one, "classId"));
        if (strcmp(json_string_value(json_object_get(one, "change")), change) == 0 && filter_matches(r->filter, s))
            return true;
    }
    return false;
}

static bool fits(const struct um_call *c, const struct registration *r, const struct operation *o, const json_t *image)
{
    struct filter_subject s = subject_of(c, o, image);

    if (r->filter == NULL)
        return true;
    return o->moved != NULL ? fits_moved(r, o, &s) : filter_matches(r->filter, &s);
}

/* What handlers do is itself an operation: there is an end to it. */
static bool is_too_deep(const struct um_call *c)
{
    if (c->who->depth + c->depth < c->domain->conf.max_depth)
        return false;
    operation_count(OPERATION_TOO_DEEP);
    um_log_limited(UM_WARN, "operation", "handlers are left out: operations cause one another", UM_S("scope", c->scope),
                   UM_S("request", c->who->request), UM_I("depth", c->who->depth + c->depth));
    return true;
}

/* Registrations themselves have no handlers: one that refuses everything could never be taken away. */
static bool has_any(const struct um_call *c, const struct operation *o, const json_t *image)
{
    return c->model != NULL && registrations_count(um_model_registrations(c->model)) > 0 && !registration_is_one(o->object, image) &&
           !registration_is_one(o->object, o->before);
}

/* ---- before ---- */

static um_err ask(struct um_call *c, size_t i, const struct operation *o, const struct registration *r, json_t **image)
{
    json_t *essence = operation_essence(o, *image);
    const struct chain_answer *a = chain_find(c->chain, i, r->id, essence);
    bool may_ask = a != NULL || chain_want(c->chain, i, r, json_incref(essence), operation_context(c, o, r, chain_uuid(c->chain, i), *image));

    json_decref(essence);
    if (!may_ask)
        return um_fail(c, UM_U00413, "this asks more than %d handlers", CHAIN_ASKED_MAX);
    if (a == NULL)
        return UM_EINVAL;                    /* the run ends: chain_wants */
    if (!a->is_done)
        return r->stop ? operation_refuse(c, r, a->code, a->message) : UM_OK;
    return operation_replace(c, o, r, a->reply, image);
}

static um_err apply(struct um_call *c, size_t i, struct operation *o, const struct registration *r, json_t **image)
{
    struct filter_subject s;

    if (r->rules == NULL)
        return ask(c, i, o, r, image);
    s = subject_of(c, o, *image);
    return operation_apply_rules(c, o, r, &s, image);
}

um_err operation_before(struct um_call *c, struct operation *o, json_t **image)
{
    const struct registrations *all;
    um_err err = UM_OK;
    size_t i;

    if (!has_any(c, o, *image) || is_too_deep(c))
        return UM_OK;
    all = um_model_registrations(c->model);
    i = chain_next(c->chain);
    for (size_t k = 0; k < registrations_count(all) && err == UM_OK; k++) {
        const struct registration *r = registrations_at(all, k);

        if (is_one(r, o, OPERATION_BEFORE, false) && fits(c, r, o, *image))
            err = apply(c, i, o, r, image);
    }
    return err;
}

/* ---- after ---- */

/* What is too large for a job is left out, and said to be: the handler can ask for it. */
static char *payload_of(json_t *context)
{
    static const char *const parts[] = { "response", "children", "previous", "files", "component", "request" };
    json_t *omitted = json_array();
    char *text = json_dumps(context, JSON_COMPACT);

    for (size_t i = 0; i < UM_COUNT(parts) && text != NULL && strlen(text) > UM_JOB_PAYLOAD_MAX; i++) {
        if (json_object_del(context, parts[i]) != 0)
            continue;
        json_array_append_new(omitted, json_string(parts[i]));
        json_object_set(context, "omitted", omitted);
        free(text);
        text = json_dumps(context, JSON_COMPACT);
    }
    json_decref(omitted);
    return text;
}

static json_t *names(const struct um_token_list *list)
{
    json_t *all = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(all, json_string(list->items[i]));
    return all;
}

/* For a job that acts for its user later. No handler is told. */
static json_t *caller_of(const struct um_call *c)
{
    return json_pack("{s:o, s:o, s:s*}", "profiles", names(&c->who->profiles), "groups", names(&c->who->groups), "account", c->who->account);
}

static um_err add_job(struct um_call *c, size_t i, const struct operation *o, const struct registration *r, const json_t *image)
{
    bool is_early = r->phase == OPERATION_BEFORE && o->before != NULL;          /* told what it was: 5.1 */
    json_t *context = operation_context(c, o, r, chain_uuid(c->chain, i), is_early ? o->before : image);
    char *payload, id[UM_JOB_ID_LEN + 1];
    struct um_job_new job = { .scope = c->scope, .registration = r->id, .handler = r->handler, .action = operation_action_words[o->action],
                              .phase = operation_phase_word(r->phase), .category = operation_object_words[o->object],
                              .object = o->action == UM_ACTION_SEARCH ? chain_uuid(c->chain, i) : um_body_id(image), .user = c->who->user, .request = c->who->request, .depth = c->who->depth + c->depth };
    um_err err;

    json_object_set_new(context, "caller", caller_of(c));
    if (r->reserves)
        json_object_set_new(context, "reserve", json_true());
    payload = payload_of(context);
    err = payload == NULL ? UM_ENOMEM : UM_FAILPOINT("job.before_outbox") ? UM_EIO : UM_OK;
    if (err == UM_OK) {
        job.payload = UM_SPAN_STR(payload);
        err = um_jobs_add(c->q, &job, id);
    }
    if (err == UM_OK && UM_FAILPOINT("job.after_outbox"))
        err = UM_EIO;
    if (err == UM_OK) {
        chain_note_job(c->chain, id);
        operation_count(OPERATION_JOBS);
    }
    free(payload);
    json_decref(context);
    return err;
}

/* A search is about no component: its jobs have no order, and so a name each. */
static bool may_write(const struct um_call *c) { return (c->call->flags & UM_CALL_WRITES) != 0 || chain_writes(c->chain); }

static um_err follow(struct um_call *c, size_t i, const struct operation *o, const struct registration *r, const json_t *image)
{
    if (!fits(c, r, o, image))
        return UM_OK;
    if (r->asynchronous && !may_write(c)) {
        chain_want_writing(c->chain);
        return UM_EINVAL;                    /* the run ends: chain_begin_writing */
    }
    if (r->asynchronous)
        return add_job(c, i, o, r, image);
    chain_note_after(c->chain, i, r, operation_context(c, o, r, chain_uuid(c->chain, i), image));
    return UM_OK;
}

static bool is_behind(const struct registration *r, const struct operation *o)
{
    return is_one(r, o, OPERATION_AFTER, false) || is_one(r, o, OPERATION_BEFORE, true) || is_one(r, o, OPERATION_AFTER, true);
}

bool operation_is_followed(const struct um_call *c, const struct operation *o)
{
    const struct registrations *all = c->model != NULL ? um_model_registrations(c->model) : NULL;

    for (size_t k = 0; k < registrations_count(all); k++)
        if (is_behind(registrations_at(all, k), o))
            return true;
    return false;
}

um_err operation_after(struct um_call *c, const struct operation *o, const json_t *image)
{
    const struct registrations *all;
    um_err err = UM_OK;
    size_t i;

    if (!has_any(c, o, image) || is_too_deep(c))
        return UM_OK;
    err = operation_make(c, o, image);
    all = um_model_registrations(c->model);
    i = chain_next(c->chain);
    for (size_t k = 0; k < registrations_count(all) && err == UM_OK; k++) {
        const struct registration *r = registrations_at(all, k);

        if (is_behind(r, o))
            err = follow(c, i, o, r, image);
    }
    return err;
}
