/* SPRING_APPLICATION_JSON: one object, flattened to keys: {"a":{"b":[1,2]}} is a.b[0]=1, a.b[1]=2. */
#include <jansson.h>
#include <string.h>
#include "conf_int.h"

struct level {                        /* one object or array that is being walked */
    json_t *node;
    void *iter;
    size_t index, prefix_len;
};

static void add_scalar(struct um_conf *c, const char *name, json_t *v, const char *origin)
{
    struct um_buf b = { 0 };

    if (json_is_string(v) && strlen(json_string_value(v)) == json_string_length(v))
        um_buf_puts(&b, json_string_value(v));
    else if (json_is_integer(v))
        um_buf_printf(&b, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_real(v))
        um_buf_printf(&b, "%.17g", json_real_value(v));
    else if (json_is_boolean(v))
        um_buf_puts(&b, json_is_true(v) ? "true" : "false");
    source_add(c, c->json, name, um_buf_cstr(&b), origin, 0, 0);
    um_buf_free(&b);
}

/* The next child of the innermost level; its name is left in NAME. NULL: the level is done. */
static json_t *next_child(struct level *l, struct um_buf *name)
{
    name->len = l->prefix_len;
    if (json_is_array(l->node)) {
        um_buf_printf(name, "[%zu]", l->index);
        return json_array_get(l->node, l->index++);
    }
    l->iter = l->iter == NULL ? json_object_iter(l->node) : json_object_iter_next(l->node, l->iter);
    if (l->iter == NULL)
        return NULL;
    um_buf_printf(name, "%s%s", l->prefix_len > 0 ? "." : "", json_object_iter_key(l->iter));
    return json_object_iter_value(l->iter);
}

static void flatten(struct um_conf *c, json_t *root, const char *origin)
{
    struct level stack[CONF_MAX_DEPTH] = { { .node = root } };
    struct um_buf name = { 0 };
    size_t depth = 1;

    while (depth > 0) {
        struct level *l = &stack[depth - 1];
        json_t *child = next_child(l, &name);
        if (child == NULL) {
            depth--;
        } else if (json_is_array(child) && json_array_size(child) == 0) {
            source_add(c, c->json, um_buf_cstr(&name), "", origin, 0, 0);
        } else if (!json_is_object(child) && !json_is_array(child)) {
            add_scalar(c, um_buf_cstr(&name), child, origin);
        } else if (depth == CONF_MAX_DEPTH) {
            note_at(c, UM_CONF_NOTE_ERROR, origin, 0, 0, "nested deeper than %u", CONF_MAX_DEPTH);
            break;
        } else {
            stack[depth++] = (struct level){ .node = child, .prefix_len = name.len };
        }
    }
    um_buf_free(&name);
}

void json_read(struct um_conf *c)
{
    const struct entry *e = source_get(c->args, "spring.application.json");
    json_error_t error;

    if (e == NULL)
        e = source_get(c->env, "spring.application.json");
    if (e == NULL || *e->value == '\0')
        return;
    c->json->origin = pool_printf(&c->pool, "spring.application.json from %s", e->origin);
    json_t *root = json_loads(e->value, JSON_REJECT_DUPLICATES, &error);
    if (root == NULL)
        note_at(c, UM_CONF_NOTE_ERROR, c->json->origin, error.line, error.column, "not JSON: %s", error.text);
    else if (!json_is_object(root))
        note_at(c, UM_CONF_NOTE_ERROR, c->json->origin, 0, 0, "not a JSON object");
    else
        flatten(c, root, c->json->origin);
    json_decref(root);
}
