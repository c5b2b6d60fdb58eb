/* Values as callers give them, turned into contents of items: what yjs would make of them. */
#include "edit.h"
#include "value.h"
#include <umbel/util.h>

/* Where the values of one list or entry go. */
struct target {
    struct um_crdt *doc;
    uint32_t depth;                   /* of the type they go into */
    enum value_place place;
    uint32_t holder, key;
};

static um_err fresh_add(const struct target *g, struct fresh f)
{
    struct edit *e = g->doc->edit;

    if (e->text.failed || !vec_room(&g->doc->mem, &e->fresh, 1))
        return UM_ENOMEM;
    if (e->text.len > g->doc->limits.update_bytes)
        return UM_ELIMIT;
    f.to = e->text.len;
    f.holder = g->holder;
    f.key = g->key;
    e->fresh.v[e->fresh.n++] = f;
    return UM_OK;
}

/* One more plain value: neighbours share an item in lists. */
static um_err plain_add(const struct target *g, size_t from)
{
    struct edit *e = g->doc->edit;
    struct fresh *last = e->fresh.n > 0 ? &e->fresh.v[e->fresh.n - 1] : NULL;

    if (e->text.failed)
        return UM_ENOMEM;
    if (last == NULL || last->kind != KIND_ANY || last->holder != g->holder || last->key != NONE || g->place == IN_MAP)
        return fresh_add(g, (struct fresh){ .kind = KIND_ANY, .len = 1, .from = from });
    last->len++;
    last->to = e->text.len;
    return e->text.len > g->doc->limits.update_bytes ? UM_ELIMIT : UM_OK;
}

/* ---- the kinds ----------------------------------------------------------------------------------------- */

static um_err any_check(const struct um_crdt *doc, struct um_span any)
{
    struct rd r = rd_make(any);

    rd_any(&r, doc->limits.value_depth, true);
    if (r.err == UM_OK && rd_left(&r) > 0)
        return UM_EPROTO;
    return r.err;
}

/* An `any` value that stands at text[from..]: arrays and maps have items of another kind for bytes. */
static um_err any_add(const struct target *g, size_t from)
{
    struct edit *e = g->doc->edit;
    uint8_t tag;

    if (e->text.failed)
        return UM_ENOMEM;
    tag = e->text.data[from];
    if (g->place == IN_ARRAY && !e->copying && (tag == ANY_UNDEFINED || tag == ANY_BIGINT))
        return UM_EINVAL;
    if (tag == ANY_BYTES) {
        struct rd r = rd_make(UM_SPAN(e->text.data + from + 1, e->text.len - from - 1));
        struct um_span bytes = rd_bytes(&r);

        from = (size_t)(bytes.data - e->text.data);
        return fresh_add(g, (struct fresh){ .kind = KIND_BINARY, .len = 1, .from = from });
    }
    return plain_add(g, from);
}

static um_err doc_add(const struct target *g, const struct um_crdt_value *v)
{
    static const uint8_t none[] = { ANY_OBJECT, 0 };
    struct um_span options = v->options.len > 0 ? v->options : UM_SPAN(none, 2);
    struct edit *e = g->doc->edit;
    struct um_buf body = { 0 };
    size_t from = e->text.len;
    um_err err;

    if (!um_utf8_is_valid(v->data.data, v->data.len))
        return UM_EINVAL;
    if ((err = any_check(g->doc, options)) != UM_OK)
        return err;
    if (options.data[0] != ANY_OBJECT)
        return UM_EINVAL;
    buf_put_string(&body, v->data);
    um_buf_put(&body, options.data, options.len);
    if (!body.failed && um_buf_room(&e->text, body.len) != NULL)
        um_buf_advance(&e->text, doc_body_normalise(e->text.data + from, UM_SPAN(body.data, body.len)));
    e->text.failed |= body.failed;
    um_buf_free(&body);
    return fresh_add(g, (struct fresh){ .kind = KIND_DOC, .len = 1, .from = from });
}

um_err key_convert(struct um_crdt *doc, struct um_span key, uint32_t *name)
{
    if (!um_utf8_is_valid(key.data, key.len))
        return UM_EINVAL;
    return key.len > doc->limits.key_bytes ? UM_ELIMIT : name_intern(doc, key, name);
}

static um_err type_add(const struct target *g, struct um_crdt_value *v)
{
    static const uint32_t in_xml = TYPES_XML | KINDS(UM_CRDT_XML_HOOK) | KINDS(UM_CRDT_XML_TEXT);
    uint32_t name = NONE;
    um_err err = UM_OK;

    if (v->type >= UM_CRDT_UNTYPED || (g->place == IN_XML && !g->doc->edit->copying && (KINDS(v->type) & in_xml) == 0))
        return UM_EINVAL;
    if (g->depth + 1u > g->doc->limits.type_depth)
        return UM_ELIMIT;
    if (v->type == UM_CRDT_XML_ELEMENT || v->type == UM_CRDT_XML_HOOK)
        err = key_convert(g->doc, v->name, &name);
    if (err != UM_OK)
        return err;
    return fresh_add(g, (struct fresh){ .kind = KIND_TYPE, .len = 1, .from = g->doc->edit->text.len,
                                        .type_kind = (uint8_t)v->type, .name = name, .value = v });
}

um_err text_put_json(struct um_crdt *doc, struct um_span any)
{
    bool lossy;

    return any_to_json(any, &doc->edit->text, &lossy);
}

/* Embeds are JSON on the wire: printed as yjs prints it. */
static um_err embed_add(const struct target *g, size_t from)
{
    struct edit *e = g->doc->edit;
    struct um_buf any = { 0 };
    um_err err;

    if (e->text.failed)
        return UM_ENOMEM;
    if (e->text.data[from] == ANY_NULL || e->text.data[from] == ANY_UNDEFINED || e->text.data[from] == ANY_STRING)
        return UM_EINVAL;
    um_buf_put(&any, e->text.data + from, e->text.len - from);
    e->text.len = from;
    err = any.failed ? UM_ENOMEM : text_put_json(g->doc, UM_SPAN(any.data, any.len));
    um_buf_free(&any);
    return err == UM_OK ? fresh_add(g, (struct fresh){ .kind = KIND_EMBED, .len = 1, .from = from }) : err;
}

static um_err value_convert(const struct target *g, struct um_crdt_value *v)
{
    struct edit *e = g->doc->edit;
    size_t from = e->text.len;
    um_err err = UM_OK;

    if ((v->kind != UM_CRDT_V_TYPE && g->place == IN_XML && !e->copying) ||
        ((v->kind == UM_CRDT_V_BYTES || v->kind == UM_CRDT_V_DOC) && g->place == IN_TEXT))
        return UM_EINVAL;
    switch (v->kind) {
    case UM_CRDT_V_STRING:
        if (!um_utf8_is_valid(v->data.data, v->data.len))
            return UM_EINVAL;
        any_put_string(&e->text, v->data);
        break;
    case UM_CRDT_V_JSON:
        err = json_to_any(v->data, g->doc->limits.value_depth, &e->text);
        break;
    case UM_CRDT_V_ANY:
        err = any_check(g->doc, v->data);
        um_buf_put(&e->text, v->data.data, v->data.len);
        break;
    case UM_CRDT_V_BYTES:
        um_buf_put(&e->text, v->data.data, v->data.len);
        return fresh_add(g, (struct fresh){ .kind = KIND_BINARY, .len = 1, .from = from });
    case UM_CRDT_V_TYPE:
        return type_add(g, v);
    case UM_CRDT_V_DOC:
        return doc_add(g, v);
    default:
        return UM_EINVAL;
    }
    if (err != UM_OK)
        return err;
    return g->place == IN_TEXT ? embed_add(g, from) : any_add(g, from);
}

/* ---- types that bring something along ------------------------------------------------------------------ */

static um_err value_add(const struct target *g, struct um_crdt_value *v);

static um_err items_add(struct target *g, const struct um_crdt_value *v)
{
    um_err err = UM_OK;

    if (v->n_items > 0 && (KINDS(v->type) & TYPES_LIST) == 0)
        return UM_EINVAL;
    g->place = v->type == UM_CRDT_ARRAY ? IN_ARRAY : IN_XML;
    for (size_t i = 0; i < v->n_items && err == UM_OK; i++)
        err = value_add(g, &v->items[i]);
    return err;
}

static um_err entries_add(struct target *g, const struct um_crdt_value *v)
{
    um_err err = UM_OK;

    if (v->n_entries > 0 && (KINDS(v->type) & TYPES_MAP) == 0)
        return UM_EINVAL;
    g->place = IN_MAP;
    for (size_t i = 0; i < v->n_entries && err == UM_OK; i++)
        if ((err = key_convert(g->doc, v->entries[i].key, &g->key)) == UM_OK)
            err = value_add(g, &v->entries[i].value);
    return err;
}

static um_err string_add(const struct target *g, const struct um_crdt_value *v)
{
    struct um_buf *text = &g->doc->edit->text;
    size_t from = text->len;

    if (v->text.len == 0)
        return UM_OK;
    if ((KINDS(v->type) & TYPES_TEXT) == 0 || !um_utf8_is_valid(v->text.data, v->text.len))
        return UM_EINVAL;
    if (v->text.len > g->doc->limits.update_bytes)
        return UM_ELIMIT;
    um_buf_put(text, v->text.data, v->text.len);
    return fresh_add(g, (struct fresh){ .kind = KIND_STRING, .len = (uint32_t)utf16_len(v->text), .from = from });
}

/* A value, and what it brings along right behind it. Goes down as deep as the limit of nesting lets it. */
static um_err value_add(const struct target *g, struct um_crdt_value *v)
{
    um_err err = value_convert(g, v);
    struct target inner = { .doc = g->doc, .depth = g->depth + 1, .holder = g->doc->edit->fresh.n - 1, .key = NONE };

    if (err == UM_OK && v->kind == UM_CRDT_V_TYPE && (err = string_add(&inner, v)) == UM_OK &&
        (err = items_add(&inner, v)) == UM_OK)
        err = entries_add(&inner, v);
    return err;
}

um_err values_convert(struct um_crdt *doc, uint32_t parent, struct um_crdt_value *values, size_t n,
                      enum value_place place)
{
    struct target g = { .doc = doc, .depth = doc->types.v[parent].depth, .place = place, .holder = NONE, .key = NONE };
    um_err err = UM_OK;

    for (size_t i = 0; i < n && err == UM_OK; i++)
        err = value_add(&g, &values[i]);
    return err;
}
