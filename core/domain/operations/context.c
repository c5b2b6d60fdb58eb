#include <umbel/util.h>
#include "operations/context.h"

static void add(json_t *o, const char *name, const json_t *v)
{
    if (v != NULL)
        json_object_set_new(o, name, json_deep_copy(v));
}

json_t *operation_context(const struct um_call *c, const struct operation *o, const struct registration *r, const char *id,
                          const json_t *image)
{
    json_t *x = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I}", "id", id, "action", operation_action_words[o->action],
                          "phase", operation_phase_word(r->phase), "objectType", operation_object_words[o->object], "scope", c->scope,
                          "user", c->who->user, "requestId", c->who->request != NULL ? c->who->request : "", "registration", r->id,
                          "attempt", 1, "depth", (int)(c->who->depth + c->depth), "timestamp", (json_int_t)c->now_ms);

    add(x, o->action == UM_ACTION_SEARCH ? "request" : "component", image);
    add(x, "previous", o->before);
    add(x, "files", o->files != NULL ? o->files : json_object_get(image, "files"));
    add(x, "children", o->moved);
    add(x, "response", o->response);
    if (o->action == UM_ACTION_ANSWER)
        add(x, "answer", json_object_get(image, "answer"));
    return x;
}

static void take(json_t *to, const json_t *from, const char *member)
{
    json_t *v = json_object_get(from, member);

    if (v != NULL)
        json_object_set_new(to, member, json_deep_copy(v));
}

json_t *operation_essence(const struct operation *o, const json_t *image)
{
    static const char *const own[] = { "name", "tags", "assignee", "answer", "workflow", "attachments" };
    static const char *const data[] = { "classId", "ACL", "owner", "status" };
    json_t *e;

    if (o->action == UM_ACTION_SEARCH || !operation_is_component(o->object))
        return json_deep_copy(image);
    e = json_object();

    for (size_t i = 0; i < UM_COUNT(own); i++)
        take(e, image, own[i]);
    for (size_t i = 0; i < UM_COUNT(data); i++)
        take(e, json_object_get(image, "data"), data[i]);
    json_object_del(json_object_get(e, "answer"), "date");
    return e;
}
