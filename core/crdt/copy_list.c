/* Lists and entries: what both sides have is found by hashes; between that, types of the same kind and node name are
 * paired, in order, and left to be edited; the rest is deleted and inserted. */
#include "copy.h"

#define INSERT_AT_ONCE 256u

struct list_pair {
    element_vec a, b;                 /* the edited list, the target's */
    uint32_t *match;                  /* of each of A: its partner in B, UM_ALIGN_NONE */
    struct um_crdt_type ref;          /* of the edited type */
    uint32_t index;                   /* where the edit stands */
};

/* ---- partners ------------------------------------------------------------------------------------------ */

typedef VEC(uint64_t) hash_vec;

static um_err hashes_of(struct copy *c, const element_vec *v, hash_vec *out)
{
    if (!vec_room(c->mem, out, v->n + 1))
        return UM_ENOMEM;
    for (uint32_t i = 0; i < v->n; i++)
        out->v[i] = v->v[i].hash;
    out->n = v->n;
    return UM_OK;
}

/* Signatures of the types in V[FROM..TO), and where these stand. */
static um_err signatures_of(struct copy *c, const struct um_crdt *doc, const element_vec *v, uint32_t from, uint32_t to,
                            hash_vec *out, element_vec *where)
{
    out->n = where->n = 0;
    if (!vec_room(c->mem, out, to - from) || !vec_room(c->mem, where, to - from))
        return UM_ENOMEM;
    for (uint32_t i = from; i < to; i++) {
        if (v->v[i].type == NONE)
            continue;
        where->v[where->n++] = (struct element){ .unit = i };
        out->v[out->n++] = type_signature(c, doc, v->v[i].type);
    }
    return UM_OK;
}

struct gap {                          /* scratch of pairing */
    hash_vec a, b;
    element_vec where_a, where_b;
    VEC(uint32_t) match;
};

/* Pairs types of A[FROM..TO) and B[BEGIN..END), none of which are equal. */
static um_err gap_pair(struct copy *c, struct list_pair *p, struct gap *g, uint32_t from, uint32_t to, uint32_t begin,
                       uint32_t end)
{
    um_err err;

    if ((err = signatures_of(c, c->doc, &p->a, from, to, &g->a, &g->where_a)) != UM_OK ||
        (err = signatures_of(c, c->to.doc, &p->b, begin, end, &g->b, &g->where_b)) != UM_OK)
        return err;
    if (!vec_room(c->mem, &g->match, g->a.n + 1))
        return UM_ENOMEM;
    if ((err = um_align(&c->align, g->a.v, g->a.n, g->b.v, g->b.n, g->match.v)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < g->a.n; i++)
        if (g->match.v[i] != UM_ALIGN_NONE)
            p->match[g->where_a.v[i].unit] = g->where_b.v[g->match.v[i]].unit;
    return UM_OK;
}

static um_err gaps_pair(struct copy *c, struct list_pair *p)
{
    struct gap g = { 0 };
    um_err err = UM_OK;

    for (uint32_t i = 0, j = 0; i < p->a.n && err == UM_OK;) {
        uint32_t to = i, end;

        while (to < p->a.n && p->match[to] == UM_ALIGN_NONE)
            to++;
        end = to < p->a.n ? p->match[to] : p->b.n;
        if (to > i && end > j)
            err = gap_pair(c, p, &g, i, to, j, end);
        i = to + 1;
        j = end + 1;
    }
    vec_free(c->mem, &g.a);
    vec_free(c->mem, &g.b);
    vec_free(c->mem, &g.where_a);
    vec_free(c->mem, &g.where_b);
    vec_free(c->mem, &g.match);
    return err;
}

/* ---- edits --------------------------------------------------------------------------------------------- */

static um_err elements_insert(struct copy *c, struct list_pair *p, uint32_t from, uint32_t to)
{
    struct um_crdt_value values[INSERT_AT_ONCE];
    uint32_t n = to - from, t;
    um_err err;

    for (uint32_t i = 0; i < n; i++) {
        const struct element *e = &p->b.v[from + i];
        size_t at = e->at;

        unit_read(c->to.doc, item_at(c->to.doc, e->item), e->unit, &at, &values[i]);
    }
    if ((err = edit_start(c->doc, &p->ref, TYPES_ALL, &t)) == UM_OK)
        err = list_insert(c->doc, t, p->index, values, n);
    if (edit_end(c->doc, err) != UM_OK)
        return err;
    p->index += n;
    for (uint32_t i = 0; i < n && err == UM_OK; i++)
        if (p->b.v[from + i].type != NONE)
            err = copy_push(c, type_find(c->doc, &values[i].ref), p->b.v[from + i].type);
    return err;
}

static um_err elements_delete(struct copy *c, struct list_pair *p, uint32_t n)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(c->doc, &p->ref, TYPES_ALL, &t)) == UM_OK)
        err = list_delete(c->doc, t, p->index, n);
    return edit_end(c->doc, err);
}

/* Steps over A[I] and what in B stands in front of its partner. */
static um_err element_keep(struct copy *c, struct list_pair *p, uint32_t i, uint32_t *j)
{
    uint32_t end = i < p->a.n ? p->match[i] : p->b.n;
    um_err err = UM_OK;

    for (; *j < end && err == UM_OK; *j += UM_MIN(INSERT_AT_ONCE, end - *j))
        err = elements_insert(c, p, *j, *j + UM_MIN(INSERT_AT_ONCE, end - *j));
    if (err != UM_OK || i == p->a.n)
        return err;
    p->index++;
    (*j)++;
    if (p->a.v[i].hash != p->b.v[end].hash)
        err = copy_push(c, p->a.v[i].type, p->b.v[end].type);
    return err;
}

static um_err list_edit(struct copy *c, struct list_pair *p)
{
    uint32_t i = 0, j = 0, gone;
    um_err err = UM_OK;

    while (err == UM_OK) {
        for (gone = 0; i < p->a.n && p->match[i] == UM_ALIGN_NONE; i++)
            gone++;
        if (gone > 0)
            err = elements_delete(c, p, gone);
        if (err == UM_OK)
            err = element_keep(c, p, i, &j);
        if (i++ == p->a.n)
            break;
    }
    return err;
}

um_err list_become(struct copy *c, uint32_t type, uint32_t target)
{
    struct list_pair p = { .ref = type_named(c->doc, type) };
    hash_vec a = { 0 }, b = { 0 };
    um_err err;

    if ((err = elements_read(c, &c->from, type, &p.a)) == UM_OK && (err = elements_read(c, &c->to, target, &p.b)) == UM_OK &&
        (err = hashes_of(c, &p.a, &a)) == UM_OK && (err = hashes_of(c, &p.b, &b)) == UM_OK) {
        p.match = mem_resize(c->mem, NULL, 0, (a.n + 1) * sizeof(*p.match));
        err = p.match == NULL ? UM_ENOMEM : um_align(&c->align, a.v, a.n, b.v, b.n, p.match);
    }
    if (err == UM_OK && (err = gaps_pair(c, &p)) == UM_OK)
        err = list_edit(c, &p);
    mem_free(c->mem, p.match, (a.n + 1) * sizeof(*p.match));
    vec_free(c->mem, &a);
    vec_free(c->mem, &b);
    vec_free(c->mem, &p.a);
    vec_free(c->mem, &p.b);
    return err;
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static uint32_t slot_named(const struct um_crdt *doc, uint32_t type, struct um_span key)
{
    uint32_t name = name_find(doc, key), slot;

    if (name == NONE || (slot = slot_find(doc, type, name)) == NONE || slot_item(doc, slot) == NONE)
        return NONE;
    return slot;
}

static um_err entry_set(struct copy *c, const struct um_crdt_type *ref, uint32_t target_slot)
{
    const struct um_crdt *to = c->to.doc;
    const struct item *it = item_at(to, slot_item(to, target_slot));
    struct um_crdt_value v;
    uint32_t t, unit = it->len - 1;
    bool half = false;
    size_t at = 0;
    um_err err;

    if (unit > 0)
        at = body_offset(it->kind, item_body(to, it), unit - ((it->flags & F_HEAD_HALF) != 0), &half) + half;
    unit_read(to, it, unit, &at, &v);
    if ((err = edit_start(c->doc, ref, TYPES_ALL, &t)) == UM_OK)
        err = map_set(c->doc, t, name_text(to, to->slots.v[target_slot].key), &v);
    if (edit_end(c->doc, err) == UM_OK && v.kind == UM_CRDT_V_TYPE)
        err = copy_push(c, type_find(c->doc, &v.ref), it->content);
    return err;
}

/* SLOT of the edited type, or NONE, becomes what TARGET_SLOT holds. */
static um_err entry_become(struct copy *c, const struct um_crdt_type *ref, uint32_t slot, uint32_t target_slot)
{
    const struct item *b = item_at(c->to.doc, slot_item(c->to.doc, target_slot)), *a;
    uint64_t x, y;
    um_err err;

    if (slot == NONE)
        return entry_set(c, ref, target_slot);
    a = item_at(c->doc, slot_item(c->doc, slot));
    if ((err = slot_hash_of(c, &c->from, slot, &x)) != UM_OK || (err = slot_hash_of(c, &c->to, target_slot, &y)) != UM_OK)
        return err;
    if (x == y)
        return UM_OK;
    if (a->kind == KIND_TYPE && b->kind == KIND_TYPE && types_pair(c, a->content, b->content))
        return copy_push(c, a->content, b->content);
    return entry_set(c, ref, target_slot);
}

um_err entries_become(struct copy *c, uint32_t type, uint32_t target)
{
    const struct um_crdt *to = c->to.doc;
    struct um_crdt_type ref = type_named(c->doc, type);
    uint32_t slot = c->doc->types.v[type].first_slot;
    um_err err = UM_OK;

    for (; slot != NONE && err == UM_OK; slot = c->doc->slots.v[slot].next) {
        struct um_span key = name_text(c->doc, c->doc->slots.v[slot].key);

        if (slot_item(c->doc, slot) == NONE || slot_named(to, target, key) != NONE)
            continue;
        if (!copy_room(c->doc, 0))
            return UM_ENOMEM;
        item_delete(c->doc, c->doc->slots.v[slot].tail);
    }
    for (slot = to->types.v[target].first_slot; slot != NONE && err == UM_OK; slot = to->slots.v[slot].next)
        if (slot_item(to, slot) != NONE)
            err = entry_become(c, &ref, slot_named(c->doc, type, name_text(to, to->slots.v[slot].key)), slot);
    return err;
}
