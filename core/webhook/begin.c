/* A document's first content: {"default":{"type":"doc","content":[…]}} as a state. Nodes become XML elements with attributes, texts
 * that stand together one XML text with formats, as y-prosemirror makes them; but nothing is known of a schema, so every node stands as
 * it is written, without defaults. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_types.h>
#include <umbel/util.h>
#include "internal.h"

static um_err put_children(struct um_crdt *doc, const struct um_crdt_type *parent, const json_t *content, unsigned depth);

static struct um_span text_of(const json_t *v)
{
    return UM_SPAN(json_string_value(v), json_string_length(v));
}

static bool is_text(const json_t *node)
{
    const char *type = json_string_value(json_object_get(node, "type"));

    return type != NULL && strcmp(type, "text") == 0;
}

/* ---- texts ---- */

static json_t *attributes_of(const json_t *marks)
{
    json_t *attributes = json_object(), *mark;
    size_t i;

    json_array_foreach(marks, i, mark) {
        const char *type = json_string_value(json_object_get(mark, "type"));
        json_t *attrs = json_object_get(mark, "attrs");

        if (type != NULL)
            json_object_set_new(attributes, type, attrs != NULL ? json_incref(attrs) : json_object());
    }
    return attributes;
}

/* The texts from AT on, as a Quill delta. */
static json_t *delta_of(const json_t *content, size_t *at)
{
    json_t *delta = json_array(), *node;

    for (; is_text(node = json_array_get(content, *at)); (*at)++) {
        json_t *text = json_object_get(node, "text"), *op = json_object();

        if (!json_is_string(text) || json_string_length(text) == 0) {
            json_decref(op);
            continue;
        }
        json_object_set(op, "insert", text);
        json_object_set_new(op, "attributes", attributes_of(json_object_get(node, "marks")));
        json_array_append_new(delta, op);
    }
    return delta;
}

static um_err put_text(struct um_crdt *doc, const struct um_crdt_type *parent, const json_t *content, size_t *at)
{
    struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_TEXT };
    json_t *delta = delta_of(content, at);
    char *text = json_dumps(delta, JSON_COMPACT);
    um_err err = text != NULL ? um_crdt_list_push(doc, parent, &v, 1) : UM_ENOMEM;

    if (err == UM_OK && json_array_size(delta) > 0)
        err = um_crdt_text_apply_delta(doc, &v.ref, UM_SPAN_STR(text));
    free(text);
    json_decref(delta);
    return err;
}

/* ---- elements ---- */

static um_err put_attribute(struct um_crdt *doc, const struct um_crdt_type *type, const char *key, const json_t *value)
{
    struct um_crdt_value v = { .kind = UM_CRDT_V_STRING };
    char *text = NULL;
    um_err err;

    if (json_is_null(value))                 /* what a node lacks and what is null is the same to an editor */
        return UM_OK;
    if (json_is_string(value)) {
        v.data = text_of(value);
    } else {
        if ((text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY)) == NULL)
            return UM_ENOMEM;
        v.kind = UM_CRDT_V_JSON;
        v.data = UM_SPAN_STR(text);
    }
    err = um_crdt_map_set(doc, type, UM_SPAN_STR(key), &v);
    free(text);
    return err;
}

static um_err put_element(struct um_crdt *doc, const struct um_crdt_type *parent, json_t *node, unsigned depth)
{
    struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = text_of(json_object_get(node, "type")) };
    const char *key;
    json_t *value;
    um_err err;

    if (v.name.len == 0)
        return UM_EPROTO;
    err = um_crdt_list_push(doc, parent, &v, 1);
    json_object_foreach(json_object_get(node, "attrs"), key, value)
        if (err == UM_OK)
            err = put_attribute(doc, &v.ref, key, value);
    return err == UM_OK ? put_children(doc, &v.ref, json_object_get(node, "content"), depth + 1) : err;
}

static um_err put_children(struct um_crdt *doc, const struct um_crdt_type *parent, const json_t *content, unsigned depth)
{
    um_err err = depth > UM_WEBHOOK_DEPTH_MAX ? UM_ELIMIT : UM_OK;
    size_t i = 0;

    while (i < json_array_size(content) && err == UM_OK) {
        json_t *node = json_array_get(content, i);

        if (is_text(node)) {
            err = put_text(doc, parent, content, &i);
        } else {
            err = put_element(doc, parent, node, depth);
            i++;
        }
    }
    return err;
}

/* ---- the document ---- */

static um_err put_fields(struct um_crdt *doc, json_t *fields)
{
    um_err err = UM_OK;
    const char *name;
    json_t *field;

    json_object_foreach(fields, name, field) {
        struct um_crdt_type root;

        if (!json_is_object(field))
            return UM_EPROTO;
        if ((err = um_crdt_root(doc, UM_SPAN_STR(name), UM_CRDT_XML_FRAGMENT, &root)) != UM_OK ||
            (err = put_children(doc, &root, json_object_get(field, "content"), 0)) != UM_OK)
            break;
    }
    return err;
}

static um_err put_all(struct um_crdt *doc, json_t *fields)
{
    um_err err = um_crdt_begin(doc, um_random_u64() >> 32, NULL), err_put;

    if (err != UM_OK)
        return err;
    err_put = put_fields(doc, fields);
    err = um_crdt_commit(doc, NULL);
    return err_put != UM_OK ? err_put : err;
}

um_err begin_state(struct um_span text, struct um_bytes **state)
{
    json_t *fields = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    struct um_crdt *doc = NULL;
    um_err err;

    *state = NULL;
    if (!json_is_object(fields)) {
        json_decref(fields);
        return UM_EPROTO;
    }
    err = json_object_size(fields) > 0 ? um_crdt_new(NULL, &doc) : UM_OK;
    if (doc != NULL) {
        err = put_all(doc, fields);
        if (err == UM_OK)
            err = um_crdt_encode_shared(doc, state);
        um_crdt_free(doc);
    }
    json_decref(fields);
    return err;
}
