/* Rules on an image. The image is copied before the first change; texts are filled from the image as it is at that moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "fill.h"
#include "rules_int.h"

struct applying {
    struct filter_subject s;                 /* IMAGE is the newest */
    int64_t now_ms;
    struct rules_outcome *out;
    size_t n_made;
};

static bool refuse(struct applying *a, const char *code, const char *message)
{
    a->out->code = code;
    snprintf(a->out->message, sizeof(a->out->message), "%s", message);
    for (size_t n = strlen(a->out->message); n > 0 && !um_utf8_is_valid(a->out->message, n);)      /* cut within a character */
        a->out->message[--n] = '\0';
    return false;
}

static json_t *image_of(struct applying *a)
{
    if (a->out->component == NULL)
        a->s.image = a->out->component = json_deep_copy(a->s.image);
    return a->out->component;
}

/* NULL: refused. The caller decrefs. */
static json_t *fill_value(struct applying *a, const json_t *v)
{
    const struct fill f = { .user = a->s.user, .now_ms = a->now_ms, .tags = json_object_get(a->s.image, "tags"), .component = a->s.image,
                            .max = RULES_VALUE_MAX };
    json_t *value = NULL;
    char *text;

    if (json_is_integer(v))
        return json_sprintf("%lld", (long long)json_integer_value(v));
    if (json_is_boolean(v))
        return json_string(json_is_true(v) ? "true" : "false");
    if ((text = fill_out(&f, json_string_value(v))) != NULL)
        value = json_string(text);
    else
        refuse(a, "T00000", "a rule makes a text that is too long");
    free(text);
    return value;
}

/* ---- tags ---- */

static bool has_value(const json_t *values, const json_t *v)
{
    for (size_t i = 0; i < json_array_size(values); i++)
        if (json_equal(json_array_get(values, i), v))
            return true;
    return false;
}

/* The values of ARG, a text or a list of them, behind those of INTO; ONCE: those that are not there yet. */
static bool add_values(struct applying *a, const json_t *arg, json_t *into, bool once)
{
    size_t n = json_is_array(arg) ? json_array_size(arg) : 1;

    for (size_t i = 0; i < n; i++) {
        json_t *v = fill_value(a, json_is_array(arg) ? json_array_get(arg, i) : arg);
        if (v == NULL)
            return false;
        if (!once || !has_value(into, v))
            json_array_append(into, v);
        json_decref(v);
    }
    return true;
}

static json_t *tag_of(const json_t *body, const char *name)
{
    json_t *tag;
    size_t i;

    json_array_foreach(json_object_get(body, "tags"), i, tag) {
        const char *own = json_string_value(json_object_get(tag, "name"));
        if (own != NULL && strcmp(own, name) == 0)
            return tag;
    }
    return NULL;
}

static void put_tag(json_t *body, const char *name, json_t *values)
{
    json_t *tag = tag_of(body, name), *tags = json_object_get(body, "tags");

    if (tag != NULL) {
        json_object_set(tag, "value", values);
        return;
    }
    if (!json_is_array(tags))
        json_object_set_new(body, "tags", tags = json_array());
    json_array_append_new(tags, json_pack("{s:s, s:O}", "name", name, "value", values));
}

/* BODY gets the tags of ARG; ADD: behind the values that it has. */
static bool put_tags(struct applying *a, const json_t *arg, json_t *body, bool add)
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)arg, name, v) {
        const json_t *own = add ? json_object_get(tag_of(body, name), "value") : NULL;
        json_t *values = json_is_array(own) ? json_copy((json_t *)own) : json_array();
        bool ok = add_values(a, v, values, add);
        if (ok)
            put_tag(body, name, values);
        json_decref(values);
        if (!ok)
            return false;
    }
    return true;
}

/* ---- members ---- */

static json_t *data_of(json_t *body)
{
    json_t *data = json_object_get(body, "data");

    if (!json_is_object(data))
        json_object_set_new(body, "data", data = json_object());
    return data;
}

static bool set_member(struct applying *a, json_t *into, const char *member, const json_t *arg)
{
    json_t *v = fill_value(a, arg);

    if (v != NULL)
        json_object_set_new(into, member, v);
    return v != NULL;
}

/* ---- what is made ---- */

static bool may_make(struct applying *a)
{
    return a->n_made++ < RULES_MADE_MAX ? true : refuse(a, "T00000", "rules make too many facts and tasks at once");
}

/* Adopts ONE when OK. */
static bool add_made(json_t **list, json_t *one, bool ok)
{
    if (ok && *list == NULL)
        *list = json_array();
    if (ok)
        json_array_append(*list, one);
    json_decref(one);
    return ok;
}

static bool create_fact(struct applying *a, const json_t *arg)
{
    const json_t *description = json_object_get(arg, "description");
    json_t *fact = json_pack("{s:O}", "action", json_object_get(arg, "action"));

    return add_made(&a->out->facts, fact, may_make(a) && (description == NULL || set_member(a, fact, "description", description)));
}

static void attach(const struct applying *a, const json_t *slot, json_t *task)
{
    const json_t *id = json_object_get(a->s.image, "id"), *category = json_object_get(a->s.image, "category");
    json_t *attachment;

    if (slot == NULL || !json_is_string(id))
        return;
    attachment = json_pack("{s:O, s:[O]}", "id", slot, "componentIds", id);
    if (a->s.category != NULL)
        json_object_set_new(attachment, "category", json_string(a->s.category));
    else if (json_is_string(category))
        json_object_set(attachment, "category", (json_t *)category);
    json_object_set_new(task, "attachments", json_pack("[o]", attachment));
}

static bool create_task(struct applying *a, const json_t *arg)
{
    static const struct { const char *member; bool in_data; } members[] = { { "name", false }, { "assignee", false }, { "workflow", false },
                                                                            { "classId", true }, { "status", true }, { "ACL", true } };
    const json_t *tags = json_object_get(arg, "tags");
    json_t *task = json_object();
    bool ok = may_make(a);

    for (size_t i = 0; ok && i < UM_COUNT(members); i++) {
        const json_t *v = json_object_get(arg, members[i].member);
        if (v != NULL)
            ok = set_member(a, members[i].in_data ? data_of(task) : task, members[i].member, v);
    }
    ok = ok && (tags == NULL || put_tags(a, tags, task, false));
    if (ok)
        attach(a, json_object_get(arg, "attachTo"), task);
    return add_made(&a->out->tasks, task, ok);
}

static bool refuse_by_rule(struct applying *a, const json_t *arg)
{
    json_t *message = fill_value(a, arg);

    if (message != NULL)
        refuse(a, "F00039", json_string_value(message));
    json_decref(message);
    return false;
}

/* ---- */

static bool act(struct applying *a, const struct rule_action *action)
{
    switch (action->kind) {
    case RULE_SET_TAG:
    case RULE_ADD_TAG:
        return put_tags(a, action->arg, image_of(a), action->kind == RULE_ADD_TAG);
    case RULE_SET_CLASS:
        return set_member(a, data_of(image_of(a)), "classId", action->arg);
    case RULE_SET_STATUS:
        return set_member(a, data_of(image_of(a)), "status", action->arg);
    case RULE_SET_ACL:
        return set_member(a, data_of(image_of(a)), "ACL", action->arg);
    case RULE_CREATE_FACT:
        return create_fact(a, action->arg);
    case RULE_CREATE_TASK:
        return create_task(a, action->arg);
    case RULE_REFUSE:
        return refuse_by_rule(a, action->arg);
    case RULE_ACTIONS_N:
        break;
    }
    UM_ASSERT(false);
    return false;
}

static bool act_all(struct applying *a, const struct rule *rule)
{
    for (size_t i = 0; i < rule->n_actions; i++)
        if (!act(a, &rule->actions[i]))
            return false;
    return true;
}

static void drop(json_t **v)
{
    json_decref(*v);
    *v = NULL;
}

void rules_apply(const struct rules *r, const struct filter_subject *s, int64_t now_ms, struct rules_outcome *out)
{
    struct applying a = { .s = *s, .now_ms = now_ms, .out = out };
    bool goes_on = true;

    *out = (struct rules_outcome){ .component = NULL };
    UM_ASSERT(json_is_object(s->image));
    for (size_t i = 0; goes_on && i < r->n; i++)
        if (r->list[i].filter == NULL || filter_matches(r->list[i].filter, &a.s))
            goes_on = act_all(&a, &r->list[i]) && !r->list[i].is_last;
    if (out->code != NULL) {
        drop(&out->facts);
        drop(&out->tasks);
    }
    if (out->code != NULL || json_equal(out->component, s->image))
        drop(&out->component);
}

void rules_outcome_done(struct rules_outcome *out)
{
    drop(&out->component);
    drop(&out->facts);
    drop(&out->tasks);
}
