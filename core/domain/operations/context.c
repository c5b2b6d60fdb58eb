#include "operations/context.h"

static const char *const actions[UM_ACTIONS_N] = {
#define X(id, change) #id,
    UM_ACTIONS(X)
#undef X
};

const char *operation_action_word(enum um_action a) { return actions[a]; }

static void add(json_t *o, const char *name, const json_t *v)
{
    if (v != NULL)
        json_object_set_new(o, name, json_deep_copy(v));
}

json_t *operation_context(const struct um_call *c, const struct operation *o, const struct registration *r, const char *id,
                          const json_t *image)
{
    json_t *x = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:I}", "id", id, "action", operation_action_word(o->action),
                          "phase", operation_phase_word(r->phase), "objectType", um_category_word(o->category), "scope", c->scope,
                          "user", c->who->user, "requestId", c->who->request != NULL ? c->who->request : "", "registration", r->id,
                          "attempt", 1, "depth", (int)(c->who->depth + c->depth), "timestamp", (json_int_t)c->now_ms);

    add(x, "component", image);
    add(x, "previous", o->before);
    add(x, "files", json_object_get(image, "files"));
    if (o->action == UM_ACTION_ANSWER)
        add(x, "answer", json_object_get(image, "answer"));
    return x;
}
