/* What types show, as numbers: equal content has equal hashes, in whatever pieces it came. The key is drawn per run,
 * so nobody can make two contents collide. Types are hashed children first, in an order found with a stack. */
#include "copy.h"

static const uint8_t replacement[] = { 0xef, 0xbf, 0xbd }, undefined_any[] = { ANY_UNDEFINED };

static uint64_t hash_bytes(const struct copy *c, const struct um_buf *b) { return um_hash_keyed(c->key, UM_SPAN(b->data, b->len)); }

/* ---- single units -------------------------------------------------------------------------------------- */

static struct um_span any_next(struct rd *r)
{
    const uint8_t *from = r->p;

    rd_any(r, UINT32_MAX, false);
    return UM_SPAN(from, (size_t)(r->p - from));
}

/* A JavaScript character: half of a pair stands alone as U+FFFD. */
static struct um_span string_next(struct um_span body, const struct item *it, uint32_t unit, size_t *at)
{
    bool half = false, second;
    size_t n, from = *at;

    if (unit < ((it->flags & F_HEAD_HALF) != 0) || *at >= body.len)
        return UM_SPAN(replacement, 3);
    second = (body.data[*at] & 0xc0) == 0x80;
    n = second ? 3 : utf16_offset(UM_SPAN(body.data + *at, body.len - *at), 1, &half);
    *at += !second && half ? 1 : n;
    return second || half ? UM_SPAN(replacement, 3) : UM_SPAN(body.data + from, n);
}

static void any_read(struct um_span any, struct um_crdt_value *out)
{
    struct rd r = rd_make(any);
    uint8_t tag = rd_u8(&r);

    out->kind = tag == ANY_STRING ? UM_CRDT_V_STRING : tag == ANY_BYTES ? UM_CRDT_V_BYTES : UM_CRDT_V_ANY;
    out->data = out->kind == UM_CRDT_V_ANY ? any : rd_bytes(&r);
}

void unit_read(const struct um_crdt *doc, const struct item *it, uint32_t unit, size_t *at, struct um_crdt_value *out)
{
    struct um_span body = item_body(doc, it);
    struct rd r = rd_make(UM_SPAN(body.data + *at, body.len - *at));

    *out = (struct um_crdt_value){ .data = body };
    switch (it->kind) {
    case KIND_TYPE:
        out->kind = UM_CRDT_V_TYPE;
        out->type = (enum um_crdt_kind)doc->types.v[it->content].kind;
        out->ref = type_named(doc, it->content);
        if (doc->types.v[it->content].name != NONE)
            out->name = name_text(doc, doc->types.v[it->content].name);
        return;
    case KIND_STRING:
        out->kind = UM_CRDT_V_STRING;
        out->data = string_next(body, it, unit, at);
        return;
    case KIND_DOC:
        out->kind = UM_CRDT_V_DOC;
        out->data = rd_bytes(&r);
        out->options = UM_SPAN(r.p, rd_left(&r));
        return;
    case KIND_ANY:
        any_read(any_next(&r), out);
        break;
    case KIND_JSON:
        out->kind = UM_CRDT_V_JSON;
        out->data = rd_bytes(&r);
        if (um_span_eq(out->data, UM_SPAN_STR("undefined")))
            any_read(UM_SPAN(undefined_any, 1), out);
        break;
    default:
        out->kind = it->kind == KIND_BINARY ? UM_CRDT_V_BYTES : UM_CRDT_V_JSON;
        return;
    }
    *at = (size_t)(r.p - body.data);
}

/* Appends what stands for the value: what a copy of it would hold. */
static um_err value_put(struct copy *c, const struct um_crdt_value *v)
{
    struct um_buf *b = &c->bytes;

    switch (v->kind) {
    case UM_CRDT_V_STRING:
        any_put_string(b, v->data);
        break;
    case UM_CRDT_V_JSON:
        return json_to_any_in(&c->room, v->data, UINT32_MAX, b);
    case UM_CRDT_V_BYTES:
        um_buf_put_u8(b, ANY_BYTES);
        buf_put_string(b, v->data);
        break;
    case UM_CRDT_V_DOC:
        um_buf_put_u8(b, 1);
        buf_put_string(b, v->data);
        um_buf_put(b, v->options.data, v->options.len);
        break;
    default:
        um_buf_put(b, v->data.data, v->data.len);
    }
    return UM_OK;
}

static um_err unit_hash(struct copy *c, const struct side *s, uint32_t item, uint32_t unit, size_t *at, uint64_t *hash)
{
    const struct item *it = item_at(s->doc, item);
    struct um_crdt_value v;
    um_err err;

    if (it->kind == KIND_TYPE) {
        *hash = s->hashes.v[it->content];
        return UM_OK;
    }
    unit_read(s->doc, it, unit, at, &v);
    um_buf_clear(&c->bytes);
    err = value_put(c, &v);
    *hash = hash_bytes(c, &c->bytes);
    return err == UM_OK && c->bytes.failed ? UM_ENOMEM : err;
}

/* ---- types: names, entries, lists ---------------------------------------------------------------------- */

uint64_t type_signature(struct copy *c, const struct um_crdt *doc, uint32_t type)
{
    const struct type *t = &doc->types.v[type];

    um_buf_clear(&c->bytes);
    um_buf_put_u8(&c->bytes, t->kind);
    if (t->name != NONE && t->item != NONE)
        um_buf_put(&c->bytes, name_text(doc, t->name).data, name_text(doc, t->name).len);
    return hash_bytes(c, &c->bytes);
}

bool types_pair(const struct copy *c, uint32_t type, uint32_t target)
{
    const struct type *a = &c->doc->types.v[type], *b = &c->to.doc->types.v[target];

    return a->kind == b->kind && (a->name == NONE) == (b->name == NONE) &&
           (a->name == NONE || um_span_eq(name_text(c->doc, a->name), name_text(c->to.doc, b->name)));
}

uint32_t slot_item(const struct um_crdt *doc, uint32_t slot)
{
    uint32_t i = doc->slots.v[slot].tail;

    return i != NONE && item_is_visible(item_at(doc, i)) ? i : NONE;
}

um_err slot_hash_of(struct copy *c, const struct side *s, uint32_t slot, uint64_t *hash)
{
    uint32_t item = slot_item(s->doc, slot), unit = item_at(s->doc, item)->len - 1;
    const struct item *it = item_at(s->doc, item);
    bool half = false;
    size_t at = 0;

    if (unit > 0)
        at = body_offset(it->kind, item_body(s->doc, it), unit - ((it->flags & F_HEAD_HALF) != 0), &half) + half;
    return unit_hash(c, s, item, unit, &at, hash);
}

/* A sum: the order of the keys does not matter. */
static um_err entries_hash(struct copy *c, const struct side *s, const struct type *t, uint64_t *out)
{
    uint64_t value;
    um_err err = UM_OK;

    *out = 0;
    for (uint32_t slot = t->first_slot; slot != NONE && err == UM_OK; slot = s->doc->slots.v[slot].next) {
        struct um_span key = name_text(s->doc, s->doc->slots.v[slot].key);

        if (slot_item(s->doc, slot) == NONE || (err = slot_hash_of(c, s, slot, &value)) != UM_OK)
            continue;
        um_buf_clear(&c->bytes);
        um_buf_put(&c->bytes, &value, sizeof(value));
        um_buf_put(&c->bytes, key.data, key.len);
        *out += hash_bytes(c, &c->bytes);
    }
    return err;
}

/* The units of IT, each as an element. */
static um_err item_elements(struct copy *c, const struct side *s, uint32_t item, element_vec *out)
{
    const struct item *it = item_at(s->doc, item);
    size_t at = 0;
    um_err err = UM_OK;

    if (!vec_room(c->mem, out, it->len))
        return UM_ENOMEM;
    for (uint32_t unit = 0; unit < it->len && err == UM_OK; unit++) {
        struct element e = { .item = item, .unit = unit, .at = at, .type = it->kind == KIND_TYPE ? it->content : NONE };

        err = unit_hash(c, s, item, unit, &at, &e.hash);
        out->v[out->n++] = e;
    }
    return err;
}

um_err elements_read(struct copy *c, const struct side *s, uint32_t type, element_vec *out)
{
    um_err err = UM_OK;

    out->n = 0;
    for (uint32_t i = s->doc->types.v[type].start; i != NONE && err == UM_OK; i = item_at(s->doc, i)->right)
        if (item_is_visible(item_at(s->doc, i)))
            err = item_elements(c, s, i, out);
    return err;
}

static um_err list_hash(struct copy *c, const struct side *s, uint32_t type, element_vec *scratch, uint64_t *out)
{
    um_err err = elements_read(c, s, type, scratch);

    um_buf_clear(&c->bytes);
    for (uint32_t i = 0; i < scratch->n; i++)
        um_buf_put(&c->bytes, &scratch->v[i].hash, sizeof(scratch->v[i].hash));
    *out = hash_bytes(c, &c->bytes);
    return err == UM_OK && c->bytes.failed ? UM_ENOMEM : err;
}

/* ---- texts --------------------------------------------------------------------------------------------- */

um_err mark_print(struct value_room *room, struct um_span json, struct um_buf *out)
{
    struct um_buf any = { 0 };
    bool lossy;
    um_err err;

    if (um_span_eq(json, UM_SPAN_STR("true")) || um_span_eq(json, UM_SPAN_STR("null"))) {
        um_buf_put(out, json.data, json.len);
        return UM_OK;
    }
    err = json_to_any_in(room, json, UINT32_MAX, &any);
    if (err == UM_OK && any.failed)
        err = UM_ENOMEM;
    if (err == UM_OK)
        err = any_to_json_in(room, UM_SPAN(any.data, any.len), out, &lossy);
    um_buf_free(&any);
    return err;
}

int span_order(struct um_span a, struct um_span b)
{
    size_t n = UM_MIN(a.len, b.len);
    int order = n > 0 ? memcmp(a.data, b.data, n) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static uint32_t active_find(const struct active *a, struct um_span key, bool *found)
{
    uint32_t lo = 0, hi = a->v.n;

    *found = false;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int order = span_order(a->v.v[mid].key, key);

        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static um_err mark_hash(struct copy *c, struct um_span key, struct um_span json, uint64_t *out)
{
    um_err err;

    um_buf_clear(&c->more);
    buf_put_string(&c->more, key);
    err = mark_print(&c->room, json, &c->more);
    *out = hash_bytes(c, &c->more);
    return err == UM_OK && c->more.failed ? UM_ENOMEM : err;
}

um_err active_apply(struct copy *c, struct active *a, const struct um_crdt *doc, uint32_t item)
{
    struct active_mark m = { .key = format_key(doc, item), .json = format_value(doc, item) };
    bool off = um_span_eq(m.json, UM_SPAN_STR("null")), found;
    uint32_t i = active_find(a, m.key, &found);
    um_err err = off ? UM_OK : mark_hash(c, m.key, m.json, &m.hash);

    if (err != UM_OK || (off && !found))
        return err;
    if (found)
        a->sum -= a->v.v[i].hash;
    if (off) {
        memmove(&a->v.v[i], &a->v.v[i + 1], (a->v.n - i - 1) * sizeof(m));
        a->v.n--;
        return UM_OK;
    }
    if (!found) {
        if (a->v.n >= COPY_ATTRIBUTES)
            return UM_ELIMIT;
        if (!vec_room(c->mem, &a->v, 1))
            return UM_ENOMEM;
        memmove(&a->v.v[i + 1], &a->v.v[i], (a->v.n - i) * sizeof(m));
        a->v.n++;
    }
    a->v.v[i] = m;
    a->sum += m.hash;
    return UM_OK;
}

/* Appends one item of a text to B: its characters, or what stands for it. */
static um_err text_item_put(struct copy *c, const struct side *s, const struct item *it, struct um_buf *b)
{
    uint64_t hash;
    size_t at = 0;
    um_err err = UM_OK;

    if (it->kind == KIND_STRING) {
        if ((it->flags & F_HEAD_HALF) != 0)
            um_buf_put(b, replacement, 3);
        um_buf_put(b, item_body(s->doc, it).data, it->bytes);
        if ((it->flags & F_TAIL_HALF) != 0)
            um_buf_put(b, replacement, 3);
        return UM_OK;
    }
    if (it->kind == KIND_TYPE) {
        hash = s->hashes.v[it->content];
    } else {
        struct um_crdt_value v;

        unit_read(s->doc, it, 0, &at, &v);
        um_buf_clear(&c->bytes);
        err = value_put(c, &v);
        hash = hash_bytes(c, &c->bytes);
    }
    um_buf_put_u8(b, 0xff);               /* stands in no UTF-8 */
    um_buf_put(b, &hash, sizeof(hash));
    return err;
}

static um_err text_hash(struct copy *c, const struct side *s, uint32_t type, struct um_buf *b, uint64_t *out)
{
    struct active a = { 0 };
    uint64_t sum = 0;
    um_err err = UM_OK;

    um_buf_clear(b);
    for (uint32_t i = s->doc->types.v[type].start; i != NONE && err == UM_OK; i = item_at(s->doc, i)->right) {
        const struct item *it = item_at(s->doc, i);

        if (item_is_deleted(it))
            continue;
        if (it->kind == KIND_FORMAT) {
            err = active_apply(c, &a, s->doc, i);
        } else if ((KINDS(it->kind) & UNITS_DELETED) != 0) {
            if (a.sum != sum) {
                um_buf_put_u8(b, 0xfe);
                um_buf_put(b, &a.sum, sizeof(a.sum));
                sum = a.sum;
            }
            err = text_item_put(c, s, it, b);
        }
    }
    vec_free(c->mem, &a.v);
    *out = hash_bytes(c, b);
    return err == UM_OK && b->failed ? UM_ENOMEM : err;
}

/* ---- all types ----------------------------------------------------------------------------------------- */

struct hashing {
    VEC(uint32_t) order;              /* types, each behind the one that holds it */
    element_vec elements;
    struct um_buf text;
};

static um_err type_hash(struct copy *c, struct side *s, uint32_t type, struct hashing *h)
{
    const struct type *t = &s->doc->types.v[type];
    uint64_t parts[3] = { type_signature(c, s->doc, type), 0, 0 };
    um_err err = UM_OK;

    if (kind_is_text(t->kind))
        err = text_hash(c, s, type, &h->text, &parts[1]);
    else if (kind_has_list(t->kind))
        err = list_hash(c, s, type, &h->elements, &parts[1]);
    if (err == UM_OK && kind_has_entries(t->kind))
        err = entries_hash(c, s, t, &parts[2]);
    s->hashes.v[type] = um_hash_keyed(c->key, UM_SPAN(parts, sizeof(parts)));
    return err;
}

static um_err order_add(struct copy *c, const struct um_crdt *doc, uint32_t item, struct hashing *h)
{
    const struct item *it;

    if (item == NONE || (it = item_at(doc, item))->kind != KIND_TYPE || item_is_deleted(it))
        return UM_OK;
    if (!vec_room(c->mem, &h->order, 1))
        return UM_ENOMEM;
    h->order.v[h->order.n++] = it->content;
    return UM_OK;
}

/* Breadth first: what a type holds comes behind it. */
static um_err children_add(struct copy *c, const struct um_crdt *doc, uint32_t type, struct hashing *h)
{
    um_err err = UM_OK;

    for (uint32_t i = doc->types.v[type].start; i != NONE && err == UM_OK; i = item_at(doc, i)->right)
        err = order_add(c, doc, i, h);
    for (uint32_t slot = doc->types.v[type].first_slot; slot != NONE && err == UM_OK; slot = doc->slots.v[slot].next)
        err = order_add(c, doc, doc->slots.v[slot].tail, h);
    return err;
}

um_err side_hash(struct copy *c, struct side *s)
{
    struct hashing h = { 0 };
    um_err err = UM_OK;

    if (!vec_room(c->mem, &s->hashes, s->doc->types.n + 1))
        return UM_ENOMEM;
    s->hashes.n = s->doc->types.n;
    for (uint32_t i = 0; i < s->doc->roots.n && err == UM_OK; i++)
        err = children_add(c, s->doc, s->doc->roots.v[i], &h);
    for (uint32_t i = 0; i < h.order.n && err == UM_OK; i++)
        err = children_add(c, s->doc, h.order.v[i], &h);
    for (uint32_t i = h.order.n; i > 0 && err == UM_OK; i--)
        err = type_hash(c, s, h.order.v[i - 1], &h);
    vec_free(c->mem, &h.order);
    vec_free(c->mem, &h.elements);
    um_buf_free(&h.text);
    return err;
}
