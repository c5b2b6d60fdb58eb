/* Tasks: what is attached in which slot, who is to do them, and how they were answered. The answer is given by its own call and
 * stays; who is to do it is changed by its own call, or by an update of somebody who may ASSIGN. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include "body.h"
#include "dates.h"
#include "delegations.h"
#include "parts.h"
#include "principals.h"
#include "tags.h"

enum { ATTACHED_MAX = 1000 };                /* components of one task */

static const json_t *find_id(const json_t *list, const char *id)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
        if (id != NULL && um_body_id(one) != NULL && strcmp(um_body_id(one), id) == 0)
            return one;
    return NULL;
}

/* ---- attachments ---- */

struct attaching {
    struct um_call *c;
    struct draft *d;
    struct um_map before;                    /* "slot\ncategory\nid" of what was attached */
    size_t n, n_new, n_kept;
};

static size_t key_of(const char *slot, const char *category, const char *id, char out[3 * UM_DOMAIN_ID_MAX])
{
    return (size_t)snprintf(out, 3 * UM_DOMAIN_ID_MAX, "%s\n%s\n%s", slot != NULL ? slot : "", category != NULL ? category : "",
                            id != NULL ? id : "");
}

static struct um_span key_span(const char *key, size_t n) { return UM_SPAN((const uint8_t *)key, n); }

static const char *category_of(const json_t *attachment, const json_t *slot)
{
    const char *own = json_string_value(json_object_get(attachment, "category"));

    return own != NULL ? own : json_string_value(json_object_get(slot, "category"));
}

static void note_before(struct attaching *a)
{
    size_t i, k;
    json_t *attachment, *id;

    if (a->d->before == NULL)
        return;
    json_array_foreach(json_object_get(a->d->before->body, "attachments"), i, attachment)
        json_array_foreach(json_object_get(attachment, "componentIds"), k, id) {
            char key[3 * UM_DOMAIN_ID_MAX];
            const json_t *slot = find_id(json_object_get(a->d->class, "children"), um_body_id(attachment));
            size_t n = key_of(um_body_id(attachment), category_of(attachment, slot), json_string_value(id), key);

            if (n < sizeof(key))
                um_map_put(&a->before, key_span(key, n), a);
        }
}

static um_err attach(struct attaching *a, const json_t *slot, const char *category, const char *id, const char *path)
{
    json_t *reference = json_pack("{s:s, s:s}", "category", category, "id", id);
    struct component m = { 0 };
    um_err err = reference_find(a->c, reference, path, &m);

    json_decref(reference);
    if (err == UM_OK && !rule_admits(slot, "classId", &m))
        err = um_fail_at(a->c, UM_F00414, path, "the slot %s does not take a %s of class %s", um_body_id(slot), category,
                         component_class_id(&m));
    if (err == UM_OK && m.category != UM_CATEGORY_TASK)
        err = component_need(a->c, &m, UM_MAY_ATTACH);
    component_done(&m);
    a->n_new++;
    return err;
}

static um_err check_attached(struct attaching *a, const json_t *slot, const char *category, const json_t *v, const char *path)
{
    const char *id = json_string_value(v);
    char key[3 * UM_DOMAIN_ID_MAX];
    size_t n;

    if (category == NULL || id == NULL || !um_is_id(id))
        return um_fail_at(a->c, UM_U00400, path, "an attachment has a category, and ids of components");
    if (++a->n > ATTACHED_MAX)
        return um_fail_at(a->c, UM_U00413, path, "a task has at most %d attachments", ATTACHED_MAX);
    n = key_of(um_body_id(slot), category, id, key);
    if (n < sizeof(key) && um_map_remove(&a->before, key_span(key, n)) != NULL)
        return UM_OK;                        /* it was there: who changes the rest need not have rights to it */
    return attach(a, slot, category, id, path);
}

static um_err check_attachment(struct attaching *a, const json_t *attachment, size_t i)
{
    const json_t *slot = find_id(json_object_get(a->d->class, "children"), um_body_id(attachment));
    const json_t *ids = json_object_get(attachment, "componentIds");
    char path[100];
    um_err err = UM_OK;

    snprintf(path, sizeof(path), "%s/attachments/%zu", a->d->path, i);
    if (slot == NULL)
        return um_fail_at(a->c, UM_F00414, path, "the task's class has no slot %s",
                          um_body_id(attachment) != NULL ? um_body_id(attachment) : "");
    if (json_array_size(ids) > 1 && !json_is_true(json_object_get(slot, "multivalued")))
        return um_fail_at(a->c, UM_F00414, path, "the slot %s takes one component", um_body_id(slot));
    for (size_t k = 0; k < json_array_size(ids) && err == UM_OK; k++) {
        snprintf(path, sizeof(path), "%s/attachments/%zu/componentIds/%zu", a->d->path, i, k);
        err = check_attached(a, slot, category_of(attachment, slot), json_array_get(ids, k), path);
    }
    return err;
}

/* What comes needs UPDATE_CONTENT, what goes DELETE_CONTENT; who creates a task may do both. */
static um_err check_attachments(struct um_call *c, struct draft *d)
{
    struct attaching a = { .c = c, .d = d };
    const json_t *list = json_object_get(d->asked, "attachments");
    um_err err = UM_OK;

    note_before(&a);
    for (size_t i = 0; i < json_array_size(list) && err == UM_OK; i++)
        err = check_attachment(&a, json_array_get(list, i), i);
    if (err == UM_OK && d->before != NULL && a.n_new > 0)
        err = component_need(c, d->before, UM_MAY_UPDATE_CONTENT);
    if (err == UM_OK && d->before != NULL && a.before.n > 0)
        err = component_need(c, d->before, UM_MAY_DELETE_CONTENT);
    um_map_free(&a.before);
    return err;
}

/* ---- the whole task ---- */

static void keep(struct draft *d, const char *member)
{
    json_t *was = d->before != NULL ? json_object_get(d->before->body, member) : NULL;

    if (was != NULL)
        json_object_set(d->body, member, was);
    else
        json_object_del(d->body, member);
}

static um_err check_assignee(struct um_call *c, struct draft *d)
{
    const json_t *asked = json_object_get(d->asked, "assignee"), *was;

    if (asked == NULL) {
        keep(d, "assignee");
        return UM_OK;
    }
    if (!json_is_null(asked) && (!json_is_string(asked) || json_string_length(asked) > UM_DOMAIN_ID_MAX))
        return draft_fail(c, d, UM_U00400, "assignee", "a user, group or team");
    if (d->before == NULL)
        return UM_OK;
    was = json_object_get(d->before->body, "assignee");
    if (json_equal(asked, was) || (json_string_length(asked) == 0 && json_string_length(was) == 0))
        return UM_OK;
    return component_need(c, d->before, UM_MAY_ASSIGN);
}

/* A workflow that is there names the classes of its tasks. */
static um_err check_workflow(struct um_call *c, struct draft *d)
{
    const char *id = json_string_value(json_object_get(d->body, "workflow")), *class = um_body_id(d->class), *start;
    const json_t *workflow;
    bool is_one;
    size_t i;
    json_t *one;

    if (id == NULL)
        id = json_string_value(json_object_get(d->class, "workflow"));
    if (id == NULL || *id == '\0')
        return UM_OK;
    json_object_set_new(d->body, "workflow", json_string(id));
    workflow = um_model_find(c->model, UM_KIND_WORKFLOW, id);
    if (workflow == NULL)
        return UM_OK;
    start = json_string_value(json_object_get(workflow, "startTaskClass"));
    is_one = start != NULL && strcmp(start, class) == 0;
    json_array_foreach(json_object_get(workflow, "taskClasses"), i, one)
        is_one = is_one || (json_is_string(one) && strcmp(json_string_value(one), class) == 0);
    return is_one ? UM_OK : draft_fail(c, d, UM_U00400, "workflow", "the class is none of this workflow's");
}

um_err task_complete(struct um_call *c, struct draft *d)
{
    um_err err;

    keep(d, "answer");
    keep(d, "delegator");
    err = check_assignee(c, d);
    if (d->before == NULL || !json_equal(json_object_get(d->body, "assignee"), json_object_get(d->before->body, "assignee")))
        json_object_del(d->body, "delegator");
    if (err == UM_OK)
        err = check_workflow(c, d);
    return err == UM_OK ? check_attachments(c, d) : err;
}

/* ---- calls about some tasks ---- */

static bool is_answered(const struct component *m) { return json_is_object(json_object_get(m->body, "answer")); }

/* FN changes NEXT, which M becomes. */
typedef um_err change_fn(struct um_call *c, const struct component *m, json_t *next);
static um_err change_one(struct um_call *c, const char *id, change_fn *fn, enum um_action a)
{
    struct component m = { 0 };
    json_t *next = NULL;
    const char *delegator = NULL;
    um_err err = component_find(c, UM_CATEGORY_TASK, id, &m);

    if (err == UM_OK)
        err = um_body_check_version(c, NULL, m.body, "");
    if (err == UM_OK && is_answered(&m))
        err = um_fail(c, UM_U00409, "task %s has been answered", id);
    if (err == UM_OK) {
        next = json_copy(m.body);
        err = fn(c, &m, next);
    }
    if (err == UM_OK)
        err = delegation_for(c, &m, &delegator);
    if (err == UM_OK && delegator != NULL)
        m.told = json_pack("[{s:s, s:s}]", "name", "onBehalfOf", "value", delegator);
    if (err == UM_OK)
        err = component_save_as(c, &m, json_incref(next), a);
    if (err == UM_OK)
        err = component_show(c, &m);
    json_decref(next);
    component_done(&m);
    return err;
}

static um_err change_all(struct um_call *c, change_fn *fn, enum um_action a)
{
    size_t n = um_arg_n(c, "ids");
    const char **ids = um_xcalloc(n + 1, sizeof(*ids));
    int64_t *tokens = um_xcalloc(n + 1, sizeof(*tokens));
    um_err err;

    for (size_t i = 0; i < n; i++)
        ids[i] = um_arg_id(c, "ids", i);
    if (n == 1)
        tokens[0] = um_arg_int(c, "X-Reservation-Token", 0);
    c->reply = json_array();
    err = component_check_free(c, UM_CATEGORY_TASK, ids, tokens, n);
    for (size_t i = 0; i < n && err == UM_OK; i++)
        err = change_one(c, ids[i], fn, a);
    free(ids);
    free(tokens);
    return err;
}

/* ---- answers ---- */

/* A slot that is required is filled when the task is answered. */
static um_err check_required(struct um_call *c, const struct component *m)
{
    size_t i;
    json_t *slot;

    json_array_foreach(json_object_get(component_class(c, m), "children"), i, slot) {
        const json_t *required = json_object_get(slot, "required");
        bool is_needed = json_is_true(required) ||
                         (json_string_length(required) > 0 && strcmp(json_string_value(required), "NO") != 0);
        const json_t *attached = find_id(json_object_get(m->body, "attachments"), um_body_id(slot));

        if (is_needed && json_array_size(json_object_get(attached, "componentIds")) == 0)
            return um_fail(c, UM_U00400, "task %s needs an attachment in %s", component_id(m), um_body_id(slot));
    }
    return UM_OK;
}

/* Reasons are tags: those that the class declares too become the task's. */
static void take_over(const json_t *reasons, const json_t *class, json_t *next)
{
    json_t *tags = json_deep_copy(json_object_get(next, "tags")), *reference, *reason;
    size_t i;

    json_array_foreach(json_object_get(class, "tagReferences"), i, reference) {
        const char *name = json_string_value(json_object_get(reference, "tagName"));
        json_t *tag = (json_t *)tags_find(tags, name);

        reason = (json_t *)tags_find(reasons, name);
        if (reason == NULL)
            continue;
        if (tag != NULL)
            json_object_set(tag, "value", json_object_get(reason, "value"));
        else
            json_array_append(tags, reason);
    }
    json_object_set_new(next, "tags", tags);
}

static um_err answer_one(struct um_call *c, const struct component *m, json_t *next)
{
    const json_t *class = component_class(c, m);
    const json_t *answer = find_id(json_object_get(class, "answers"), um_body_id(c->body));
    struct tags_ask ask = { .path = "/tags", .references = json_object_get(answer, "reasons"),
                            .asked = json_object_get(c->body, "tags") };
    char now[UM_DATE_MAX];
    json_t *reasons, *given;
    um_err err = component_need(c, m, UM_MAY_APPLY_ANSWER);

    if (err == UM_OK && answer == NULL)
        return um_fail_at(c, UM_U00400, "/id", "task %s has no such answer", component_id(m));
    if (err == UM_OK)
        err = check_required(c, m);
    if (err == UM_OK)
        err = tags_make(c, &ask, &reasons);
    if (err != UM_OK)
        return err;
    take_over(reasons, class, next);
    um_date_text(c->now_ms, now);
    given = json_copy((json_t *)c->body);
    json_object_set_new(given, "tags", reasons);
    json_object_set_new(given, "user", json_string(c->who->user));
    json_object_set_new(given, "date", json_string(now));
    json_object_set_new(next, "answer", given);
    return UM_OK;
}

static um_err answer(struct um_call *c) { return change_all(c, answer_one, UM_ACTION_ANSWER); }

/* ---- assignment ---- */

/* Who takes a task for himself needs less than who gives it to another. */
static um_err may_assign(struct um_call *c, const struct component *m, const char *to)
{
    const char *now = json_string_value(json_object_get(m->body, "assignee"));
    bool is_own = strcmp(to, c->who->user) == 0 || *to == '\0', is_free, may = false;
    const struct principals *who;
    const char *delegator = NULL;
    um_err err = principals_of(c, &who);

    if (err == UM_OK)
        err = delegation_for(c, m, &delegator);
    if (err != UM_OK)
        return err;
    is_free = now == NULL || *now == '\0' || principals_have(who, now) || delegator != NULL;
    if (*to == '\0' && !is_free)
        is_own = false;
    if (is_own)
        err = component_may(c, m, is_free ? UM_MAY_APPROPRIATE : UM_MAY_APPROPRIATE_ALREADY_ASSIGNED, &may);
    return err != UM_OK || may ? err : component_need(c, m, UM_MAY_ASSIGN);
}

/* What a delegate takes over stays his delegator's business. */
static um_err say_for_whom(struct um_call *c, const struct component *m, const char *to, json_t *next)
{
    const char *delegator = NULL;
    um_err err = strcmp(to, c->who->user) == 0 ? delegation_for(c, m, &delegator) : UM_OK;

    if (delegator != NULL)
        json_object_set_new(next, "delegator", json_string(delegator));
    else
        json_object_del(next, "delegator");
    return err;
}

static um_err assign_one(struct um_call *c, const struct component *m, json_t *next)
{
    const char *to = um_arg(c, "user");
    um_err err;

    if (to == NULL)
        to = "";
    err = may_assign(c, m, to);
    if (err == UM_OK)
        err = say_for_whom(c, m, to, next);
    if (err == UM_OK && *to != '\0')
        json_object_set_new(next, "assignee", json_string(to));
    else
        json_object_del(next, "assignee");
    return err;
}

static um_err assign(struct um_call *c) { return change_all(c, assign_one, UM_ACTION_ASSIGN); }

const struct um_domain_call um_tasks_answer = { "tasks.answer", answer, UM_CALL_WRITES };
const struct um_domain_call um_tasks_assign = { "tasks.assign", assign, UM_CALL_WRITES };
