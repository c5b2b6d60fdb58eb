/* Relative positions: made from an index, resolved to one, as bytes and as JSON.
 *
 *   bytes := uint 0, id of the unit | uint 1, string root name | uint 2, id of the type's item;
 *            then sint assoc, which old clients leave out */
#include <umbel/crdt_position.h>
#include <umbel/util.h>
#include "cold.h"
#include "posindex.h"
#include "redone.h"
#include "reader.h"
#include "value.h"

#define JSON_DEPTH_MAX 16

/* ---- indices ------------------------------------------------------------------------------------------- */

/* The unit at INDEX; at the end the last one, even a deleted one, for a position that stands behind its unit. */
static void unit_find(const struct um_crdt *cdoc, uint32_t type, uint32_t index, struct um_crdt_position *pos)
{
    struct um_crdt *doc = (struct um_crdt *)cdoc;     /* the index is a cache */
    const struct type *t = &doc->types.v[type];
    bool within = index < t->length;
    struct place_at at = { t->start, 0 };
    const struct item *it;

    if (within)
        at = posindex_find(doc, type, index);
    else if (pos->assoc >= 0 || t->start == NONE)
        return;
    it = item_at(doc, at.item);
    while (!within && it->right != NONE)
        it = item_at(doc, it->right);
    pos->has_item = true;
    pos->item.client = doc->clients.v[it->client].id;
    pos->item.clock = it->clock + (within ? at.offset : it->len - 1);
}

um_err um_crdt_position_make(const struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                             int64_t assoc, struct um_crdt_position *out)
{
    const struct type *t;
    uint32_t k;
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if ((k = type_find(doc, type)) == NONE)
        return UM_ENOTFOUND;
    t = &doc->types.v[k];
    memset(out, 0, sizeof(*out));
    out->assoc = assoc;
    if ((out->has_root = t->item == NONE)) {
        out->root = name_text(doc, t->name);
    } else {
        const struct item *holder = item_at(doc, t->item);

        out->has_type = true;
        out->type = (struct um_crdt_id){ doc->clients.v[holder->client].id, holder->clock };
    }
    if (assoc >= 0)
        unit_find(doc, k, index, out);
    else if (index > 0)
        unit_find(doc, k, index - 1, out);
    return UM_OK;
}

/* The item that has ID now: what an undo made anew counts as what it replaced, as in yjs. NONE: not here. */
static uint32_t item_now(const struct um_crdt *doc, const struct um_crdt_id *id, uint32_t *offset)
{
    uint32_t k = client_find(doc, id->client);

    return k == NONE || doc->clients.v[k].state <= id->clock ? NONE : redone_follow(doc, k, id->clock, offset);
}

static um_err resolve_item(const struct um_crdt *doc, const struct um_crdt_position *pos, uint32_t *type,
                           uint32_t *index)
{
    uint32_t offset, i = item_now(doc, &pos->item, &offset);
    const struct item *it;
    const struct type *t;

    if (i == NONE)
        return UM_ENOTFOUND;
    it = item_at(doc, i);
    t = item_type(doc, it);
    *type = (uint32_t)(t - doc->types.v);
    *index = 0;
    if (t->item != NONE && item_is_deleted(item_at(doc, t->item)))
        return UM_OK;
    if (item_is_visible(it))
        *index = offset + (pos->assoc < 0);
    if (!item_is_keyed(it))               /* in a key's list nothing shows on the left */
        *index += posindex_of((struct um_crdt *)doc, i);
    return UM_OK;
}

static uint32_t resolve_type(const struct um_crdt *doc, const struct um_crdt_position *pos)
{
    uint32_t offset, i;

    if (pos->has_root)
        return root_find(doc, pos->root);
    i = item_now(doc, &pos->type, &offset);
    return i == NONE || item_at(doc, i)->kind != KIND_TYPE ? NONE : item_at(doc, i)->content;
}

um_err um_crdt_position_resolve(const struct um_crdt *doc, const struct um_crdt_position *pos,
                                struct um_crdt_type *type, uint32_t *index)
{
    uint32_t t = NONE;
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if (pos->has_item) {
        if ((err = resolve_item(doc, pos, &t, index)) == UM_OK)
            *type = type_named(doc, t);
        return err;
    }
    if (!pos->has_root && !pos->has_type)
        return UM_EINVAL;
    if ((t = resolve_type(doc, pos)) == NONE)
        return UM_ENOTFOUND;
    *type = type_named(doc, t);
    *index = pos->assoc >= 0 ? doc->types.v[t].length : 0;
    return UM_OK;
}

bool um_crdt_position_equal(const struct um_crdt_position *a, const struct um_crdt_position *b)
{
    return a->has_item == b->has_item && a->has_root == b->has_root && a->has_type == b->has_type &&
           a->assoc == b->assoc &&
           (!a->has_item || (a->item.client == b->item.client && a->item.clock == b->item.clock)) &&
           (!a->has_type || (a->type.client == b->type.client && a->type.clock == b->type.clock)) &&
           (!a->has_root || um_span_eq(a->root, b->root));
}

/* ---- bytes --------------------------------------------------------------------------------------------- */

static void put_id(struct um_buf *out, const struct um_crdt_id *id)
{
    buf_put_uint(out, id->client);
    buf_put_uint(out, id->clock);
}

static void put_sint(struct um_buf *out, int64_t v)
{
    uint64_t n = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

    um_buf_put_u8(out, (uint8_t)((n > 0x3f ? 0x80 : 0) | (v < 0 ? 0x40 : 0) | (n & 0x3f)));
    if (n > 0x3f)
        buf_put_uint(out, n >> 6);
}

um_err um_crdt_position_encode(const struct um_crdt_position *pos, struct um_buf *out)
{
    if (pos->assoc > (int64_t)LIB0_MAX_INT || pos->assoc < -(int64_t)LIB0_MAX_INT)
        return UM_EINVAL;
    if (pos->has_item) {
        um_buf_put_u8(out, 0);
        put_id(out, &pos->item);
    } else if (pos->has_root) {
        um_buf_put_u8(out, 1);
        buf_put_string(out, pos->root);
    } else if (pos->has_type) {
        um_buf_put_u8(out, 2);
        put_id(out, &pos->type);
    } else {
        return UM_EINVAL;
    }
    put_sint(out, pos->assoc);
    return out->failed ? UM_ENOMEM : UM_OK;
}

static struct um_crdt_id get_id(struct rd *r)
{
    struct um_crdt_id id = { .client = rd_uint(r), .clock = 0 };

    id.clock = rd_u32(r);
    return id;
}

um_err um_crdt_position_decode(struct um_span bytes, struct um_crdt_position *out)
{
    struct rd r = rd_make(bytes);

    memset(out, 0, sizeof(*out));
    switch (rd_uint(&r)) {
    case 0:
        out->has_item = true;
        out->item = get_id(&r);
        break;
    case 1:
        out->has_root = true;
        out->root = rd_string(&r, true);
        break;
    case 2:
        out->has_type = true;
        out->type = get_id(&r);
        break;
    default:
        return UM_EPROTO;
    }
    if (r.err == UM_OK && rd_left(&r) > 0)
        out->assoc = (int64_t)rd_sint(&r);
    return r.err;
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void put_id_json(struct um_buf *out, const char *label, const struct um_crdt_id *id)
{
    um_buf_printf(out, "\"%s\":{\"client\":%llu,\"clock\":%u},", label, (unsigned long long)id->client, id->clock);
}

um_err um_crdt_position_to_json(const struct um_crdt_position *pos, struct um_buf *out)
{
    um_buf_puts(out, "{");
    if (pos->has_type)
        put_id_json(out, "type", &pos->type);
    if (pos->has_root) {
        um_buf_puts(out, "\"tname\":");
        json_put_string(out, pos->root);
        um_buf_puts(out, ",");
    }
    if (pos->has_item)
        put_id_json(out, "item", &pos->item);
    um_buf_printf(out, "\"assoc\":%lld}", (long long)pos->assoc);
    return out->failed ? UM_ENOMEM : UM_OK;
}

/* The next member of the object that R stands in. */
static bool member_next(struct rd *r, struct um_buf *key, struct um_span *value)
{
    struct um_span k = json_part(r);

    if (k.len == 0)
        return false;
    um_buf_clear(key);
    json_unescape(key, k);
    *value = json_part(r);
    return true;
}

static bool key_is(const struct um_buf *key, const char *name) { return um_span_eq(UM_SPAN(key->data, key->len),
                                                                                   UM_SPAN_STR(name)); }
static bool is_null(struct um_span json) { return um_span_eq(json, UM_SPAN_STR("null")); }

static um_err json_integer(struct um_span json, int64_t *out)
{
    bool negative = json.len > 0 && json.data[0] == '-';
    uint64_t v = 0;

    if (json.len == negative || json.len > 17)
        return UM_EPROTO;
    for (size_t i = negative; i < json.len; i++) {
        if (json.data[i] < '0' || json.data[i] > '9')
            return UM_EPROTO;
        v = v * 10 + (uint64_t)(json.data[i] - '0');
    }
    if (v > LIB0_MAX_INT)
        return UM_EPROTO;
    *out = negative ? -(int64_t)v : (int64_t)v;
    return UM_OK;
}

static um_err json_id(struct um_span json, struct um_buf *key, bool *has, struct um_crdt_id *id)
{
    struct rd r = { json.data + 1, json.data + json.len, UM_OK };
    int64_t client = -1, clock = -1;
    struct um_span value;
    um_err err = UM_OK;

    if ((*has = !is_null(json)) == false)
        return UM_OK;
    if (json.data[0] != '{')
        return UM_EPROTO;
    while (err == UM_OK && member_next(&r, key, &value)) {
        if (key_is(key, "client"))
            err = json_integer(value, &client);
        else if (key_is(key, "clock"))
            err = json_integer(value, &clock);
    }
    if (err != UM_OK || client < 0 || clock < 0)
        return UM_EPROTO;
    if (clock > UINT32_MAX)
        return UM_ELIMIT;
    *id = (struct um_crdt_id){ (uint64_t)client, (uint32_t)clock };
    return UM_OK;
}

static um_err member_take(struct um_span value, struct um_buf *key, struct um_buf *name,
                          struct um_crdt_position *out)
{
    if (key_is(key, "item"))
        return json_id(value, key, &out->has_item, &out->item);
    if (key_is(key, "type"))
        return json_id(value, key, &out->has_type, &out->type);
    if (key_is(key, "assoc")) {
        out->assoc = 0;
        return is_null(value) ? UM_OK : json_integer(value, &out->assoc);
    }
    if (key_is(key, "tname")) {
        um_buf_clear(name);
        if ((out->has_root = !is_null(value)) && value.data[0] != '"')
            return UM_EPROTO;
        if (out->has_root)
            json_unescape(name, value);
    }
    return UM_OK;
}

um_err um_crdt_position_from_json(struct um_span json, struct um_buf *name, struct um_crdt_position *out)
{
    struct rd r;
    struct um_span object, value;
    struct um_buf key = { 0 };
    um_err err;

    memset(out, 0, sizeof(*out));
    if (!um_utf8_is_valid(json.data, json.len))
        return UM_EPROTO;
    if ((err = json_check(json, JSON_DEPTH_MAX)) != UM_OK)
        return err;
    r = rd_make(json);
    object = json_part(&r);
    if (object.len == 0 || object.data[0] != '{')
        return UM_EPROTO;
    r = rd_make(UM_SPAN(object.data + 1, object.len - 1));
    while (err == UM_OK && member_next(&r, &key, &value))
        err = member_take(value, &key, name, out);
    if (err == UM_OK && (key.failed || name->failed))
        err = UM_ENOMEM;
    if (err == UM_OK && !out->has_item && !out->has_root && !out->has_type)
        err = UM_EPROTO;
    out->root = out->has_root ? UM_SPAN(name->data, name->len) : UM_SPAN(NULL, 0);
    um_buf_free(&key);
    return err;
}
