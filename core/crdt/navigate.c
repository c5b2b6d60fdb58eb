/* Finding one's way through a document, and reading single values. */
#include "cold.h"
#include "edit.h"

static const uint8_t undefined[] = { ANY_UNDEFINED }, replacement[] = { 0xef, 0xbf, 0xbd };

/* ---- values -------------------------------------------------------------------------------------------- */

static void any_value(struct um_span any, struct um_crdt_value *out)
{
    struct rd r = rd_make(any);

    if (rd_u8(&r) == ANY_STRING) {
        out->kind = UM_CRDT_V_STRING;
        out->data = rd_bytes(&r);
    } else {
        out->kind = UM_CRDT_V_ANY;
        out->data = any;
    }
}

/* The unit at byte *AT of an `any` or JSON content; moves *AT on. */
static void plain_value(const struct um_crdt *doc, const struct item *it, size_t *at, struct um_crdt_value *out)
{
    struct um_span body = item_body(doc, it);
    struct rd r = { body.data + *at, body.data + body.len, UM_OK };
    const uint8_t *from = r.p;

    if (it->kind == KIND_JSON) {
        out->kind = UM_CRDT_V_JSON;
        out->data = rd_bytes(&r);
        if (um_span_eq(out->data, UM_SPAN_STR("undefined")))
            any_value(UM_SPAN(undefined, 1), out);
    } else {
        rd_any(&r, UINT32_MAX, false);
        any_value(UM_SPAN(from, (size_t)(r.p - from)), out);
    }
    *at = (size_t)(r.p - body.data);
}

static void type_value(const struct um_crdt *doc, uint32_t type, struct um_crdt_value *out)
{
    const struct type *t = &doc->types.v[type];

    out->kind = UM_CRDT_V_TYPE;
    out->type = (enum um_crdt_kind)t->kind;
    out->ref = type_named(doc, type);
    if (t->name != NONE)
        out->name = name_text(doc, t->name);
}

/* Contents of one unit, other than strings and plain values. */
static void single_value(const struct um_crdt *doc, const struct item *it, struct um_crdt_value *out)
{
    struct rd r = rd_make(item_body(doc, it));

    switch (it->kind) {
    case KIND_TYPE:
        type_value(doc, it->content, out);
        return;
    case KIND_DOC:
        out->kind = UM_CRDT_V_DOC;
        out->data = rd_bytes(&r);
        out->options = UM_SPAN(r.p, rd_left(&r));
        return;
    default:
        out->kind = it->kind == KIND_BINARY ? UM_CRDT_V_BYTES : UM_CRDT_V_JSON;
        out->data = item_body(doc, it);
    }
}

/* Unit K of a string: half of a surrogate pair reads as U+FFFD. */
static void unit_value_of(const struct um_crdt *doc, const struct item *it, uint32_t k, struct um_crdt_value *out)
{
    bool head = (it->flags & F_HEAD_HALF) != 0, tail = (it->flags & F_TAIL_HALF) != 0, half = false, end_half;
    struct um_span body = item_body(doc, it);
    size_t at, end;

    out->kind = UM_CRDT_V_STRING;
    out->data = UM_SPAN(replacement, 3);
    if ((head && k == 0) || (tail && k + 1 == it->len))
        return;
    k -= head;
    at = utf16_offset(body, k, &half);
    end = utf16_offset(body, k + 1, &end_half);
    if (!half && !end_half)
        out->data = UM_SPAN(body.data + at, end - at);
}

static void item_unit(const struct um_crdt *doc, const struct item *it, uint32_t k, struct um_crdt_value *out)
{
    bool half;
    size_t at;

    *out = (struct um_crdt_value){ 0 };
    if (it->kind == KIND_STRING) {
        unit_value_of(doc, it, k, out);
    } else if (it->kind == KIND_ANY || it->kind == KIND_JSON) {
        at = body_offset(it->kind, item_body(doc, it), k, &half);
        plain_value(doc, it, &at, out);
    } else {
        single_value(doc, it, out);
    }
}

/* ---- types --------------------------------------------------------------------------------------------- */

/* The type that REF names, of any kind; a cold document is integrated for it. */
static um_err find(const struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t *type)
{
    um_err err = thaw(doc);

    return err == UM_OK ? type_open(doc, ref, TYPES_ALL, type) : err;
}

uint32_t type_find(const struct um_crdt *doc, const struct um_crdt_type *type)
{
    uint32_t k, i;
    const struct item *it;

    if (type->root > 0)
        return type->root <= doc->roots.n ? doc->roots.v[type->root - 1] : NONE;
    if ((k = client_find(doc, type->client)) == NONE || doc->clients.v[k].state <= type->clock ||
        (i = item_holding(doc, k, type->clock)) == NONE)
        return NONE;
    it = item_at(doc, i);
    return it->kind == KIND_TYPE ? it->content : NONE;
}

struct um_crdt_type type_named(const struct um_crdt *doc, uint32_t type)
{
    const struct type *t = &doc->types.v[type];
    struct um_crdt_type out = { 0 };

    if (t->item != NONE) {
        const struct item *it = item_at(doc, t->item);

        return (struct um_crdt_type){ doc->clients.v[it->client].id, it->clock, 0 };
    }
    while (doc->roots.v[out.root++] != type)
        continue;
    return out;
}

um_err um_crdt_root_find(const struct um_crdt *doc, struct um_span name, struct um_crdt_type *out)
{
    um_err err = thaw(doc);
    uint32_t t;

    if (err != UM_OK)
        return err;
    if ((t = root_find(doc, name)) == NONE)
        return UM_ENOTFOUND;
    *out = type_named(doc, t);
    return UM_OK;
}

um_err um_crdt_root(struct um_crdt *doc, struct um_span name, enum um_crdt_kind kind, struct um_crdt_type *out)
{
    um_err err = um_crdt_declare_root(doc, name, kind);

    return err == UM_OK ? um_crdt_root_find(doc, name, out) : err;
}

um_err um_crdt_type_kind(const struct um_crdt *doc, const struct um_crdt_type *type, enum um_crdt_kind *out)
{
    uint32_t t;
    um_err err = find(doc, type, &t);

    if (err == UM_OK)
        *out = (enum um_crdt_kind)doc->types.v[t].kind;
    return err;
}

um_err um_crdt_length(const struct um_crdt *doc, const struct um_crdt_type *type, uint32_t *out)
{
    uint32_t t;
    um_err err = find(doc, type, &t);

    if (err == UM_OK)
        *out = doc->types.v[t].length;
    return err;
}

um_err um_crdt_parent(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_crdt_type *out,
                      struct um_span *key)
{
    const struct item *it;
    uint32_t t;
    um_err err;

    if ((err = find(doc, type, &t)) != UM_OK)
        return err;
    if (doc->types.v[t].item == NONE)
        return UM_ENOTFOUND;
    it = item_at(doc, doc->types.v[t].item);
    *out = type_named(doc, (uint32_t)(item_type(doc, it) - doc->types.v));
    *key = item_is_keyed(it) ? name_text(doc, doc->slots.v[it->parent].key) : UM_SPAN(NULL, 0);
    return UM_OK;
}

/* ---- elements ------------------------------------------------------------------------------------------ */

um_err um_crdt_get(const struct um_crdt *cdoc, const struct um_crdt_type *type, uint32_t index,
                   struct um_crdt_value *out)
{
    struct um_crdt *doc = (struct um_crdt *)cdoc;     /* looking up a place changes nothing that can be seen */
    struct position p;
    uint32_t t;
    um_err err;

    if ((err = find(doc, type, &t)) != UM_OK)
        return err;
    if (index >= doc->types.v[t].length)
        return UM_ENOTFOUND;
    position_find(doc, t, index + 1, &p);
    item_unit(doc, item_at(doc, p.left), p.units - 1, out);
    return UM_OK;
}

bool um_crdt_list_next(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_crdt_walk *walk,
                       struct um_crdt_value *out)
{
    uint32_t t, i;
    const struct item *it;

    if (walk->at == 0) {
        if (find(doc, type, &t) != UM_OK)
            return false;
        i = doc->types.v[t].start;
    } else {
        i = walk->at - 1;
        it = item_at(doc, i);
        if (walk->unit >= it->len) {
            i = it->right;
            walk->unit = 0;
            walk->bytes = 0;
        }
    }
    while (i != NONE && !item_is_visible(item_at(doc, i)))
        i = item_at(doc, i)->right;
    if (i == NONE)
        return false;
    walk->at = i + 1;
    it = item_at(doc, i);
    *out = (struct um_crdt_value){ 0 };
    if (it->kind == KIND_ANY || it->kind == KIND_JSON) {
        plain_value(doc, it, &walk->bytes, out);
        walk->unit++;
        return true;
    }
    walk->unit = it->len;
    if (it->kind == KIND_STRING)
        *out = (struct um_crdt_value){ .kind = UM_CRDT_V_STRING, .data = item_body(doc, it) };
    else
        single_value(doc, it, out);
    return true;
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static bool slot_value(const struct um_crdt *doc, uint32_t slot, struct um_crdt_value *out)
{
    uint32_t i = doc->slots.v[slot].tail;
    const struct item *it;

    if (i == NONE || !item_is_visible(it = item_at(doc, i)))
        return false;
    item_unit(doc, it, it->len - 1, out);
    return true;
}

um_err um_crdt_map_get(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key,
                       struct um_crdt_value *out)
{
    uint32_t t, name, slot;
    um_err err;

    if ((err = find(doc, type, &t)) != UM_OK)
        return err;
    if ((name = name_find(doc, key)) == NONE || (slot = slot_find(doc, t, name)) == NONE || !slot_value(doc, slot, out))
        return UM_ENOTFOUND;
    return UM_OK;
}

bool um_crdt_map_next(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_crdt_walk *walk,
                      struct um_span *key, struct um_crdt_value *out)
{
    uint32_t t, slot;

    if (walk->at == 0) {
        if (find(doc, type, &t) != UM_OK)
            return false;
        slot = doc->types.v[t].first_slot;
    } else {
        slot = doc->slots.v[walk->at - 1].next;
    }
    while (slot != NONE && !slot_value(doc, slot, out))
        slot = doc->slots.v[slot].next;
    if (slot == NONE)
        return false;
    walk->at = slot + 1;
    *key = name_text(doc, doc->slots.v[slot].key);
    return true;
}
