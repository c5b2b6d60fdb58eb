#include <stdio.h>
#include <umbel/log.h>
#include "body.h"
#include "operations/counters.h"
#include "operations/replace.h"
#include "tags.h"

static um_err fault(struct um_call *c, const struct registration *r, const char *what)
{
    char message[300];

    snprintf(message, sizeof(message), "the handler of %.100s makes %.150s of the component", r->id, what);
    return um_fail_as(c, "T00000", 500, message);
}

um_err operation_refuse(struct um_call *c, const struct registration *r, const char *code, const char *message)
{
    operation_count(OPERATION_REFUSED);
    um_log_limited(UM_INFO, "operation", "a handler refuses", UM_S("registration", r->id), UM_S("code", code));
    return um_fail_as(c, code, code[0] == 'F' ? 400 : 500, *message != '\0' ? message : "the operation was refused");
}

/* An absent member stays; a null one goes. */
static void take_text(json_t *to, const json_t *from, const char *member)
{
    json_t *v = json_object_get(from, member);

    if (json_is_string(v))
        json_object_set_new(to, member, json_string(json_string_value(v)));
    else if (json_is_null(v))
        json_object_del(to, member);
}

static json_t *replaced(const json_t *image, const json_t *by)
{
    static const char *const own[] = { "name", "assignee", "workflow" };
    static const char *const data[] = { "classId", "ACL", "owner", "status" };
    json_t *next = json_deep_copy(image);

    for (size_t i = 0; i < UM_COUNT(own); i++)
        take_text(next, by, own[i]);
    for (size_t i = 0; i < UM_COUNT(data); i++)
        take_text(json_object_get(next, "data"), json_object_get(by, "data"), data[i]);
    if (json_is_array(json_object_get(by, "tags")))
        json_object_set_new(next, "tags", json_deep_copy(json_object_get(by, "tags")));
    return next;
}

/* The class as it is now decides. What is read-only to people is not to handlers, and defaults were given before. */
static um_err check(struct um_call *c, const struct operation *o, const struct registration *r, json_t *next)
{
    const json_t *class = um_model_find(c->model, um_class_kind((enum um_category)o->object), um_body_data(next, "classId"));
    struct tags_ask ask = { .path = "/tags", .asked = json_object_get(next, "tags"), .before = json_object_get(next, "tags") };
    json_t *tags;
    um_err err;

    if (class == NULL)
        return fault(c, r, "an instance of a class that is not there");
    if (um_model_acl(c->model, um_body_data(next, "ACL")) == NULL)
        return fault(c, r, "one with an ACL that is not there");
    ask.references = json_object_get(class, "tagReferences");
    err = tags_make(c, &ask, &tags);
    if (err == UM_EINVAL)
        return fault(c, r, "one with tags that its class does not have");
    if (err != UM_OK)
        return err;
    json_object_set_new(next, "tags", tags);
    return UM_OK;
}

/* Whether it is a search is found out where it is run. */
static void replace_request(const json_t *by, json_t **image)
{
    if (!json_is_object(by))
        return;
    json_decref(*image);
    *image = json_deep_copy(by);
    operation_count(OPERATION_REPLACED);
}

um_err operation_replace(struct um_call *c, const struct operation *o, const struct registration *r, const json_t *reply, json_t **image)
{
    const json_t *by = json_object_get(reply, "component");
    json_t *next;
    um_err err;

    if (!operation_is_replaceable(o->action, o->object))
        return UM_OK;
    if (o->action == UM_ACTION_SEARCH) {
        replace_request(json_object_get(reply, "request"), image);
        return UM_OK;
    }
    if (!json_is_object(by))
        return UM_OK;
    next = replaced(*image, by);
    err = check(c, o, r, next);
    if (err != UM_OK) {
        json_decref(next);
        return err;
    }
    json_decref(*image);
    *image = next;
    operation_count(OPERATION_REPLACED);
    return UM_OK;
}
