/* Interned names (roots, map keys, node names), types, and slots: one slot per key of a type. */
#include "posindex.h"
#include <umbel/map.h>

/* ---- hash tables --------------------------------------------------------------------------------------- */

static void table_place(struct table *t, uint64_t h, uint32_t v)
{
    while (t->v[h & (t->cap - 1)] != NONE)
        h++;
    t->v[h & (t->cap - 1)] = v;
    t->n++;
}

bool table_room(struct mem *m, struct table *t, uint32_t extra, uint64_t (*hash)(const void *ctx, uint32_t v),
                const void *ctx)
{
    struct table old = *t;
    uint64_t cap = t->cap == 0 ? 4 : t->cap;

    while (((uint64_t)t->n + extra) * 4 > cap * 3)
        cap *= 2;
    if (cap == t->cap)
        return true;
    if (cap > UINT32_MAX / 2 || (t->v = mem_resize(m, NULL, 0, cap * sizeof(*t->v))) == NULL) {
        *t = old;
        return false;
    }
    memset(t->v, 0xff, cap * sizeof(*t->v));
    t->cap = (uint32_t)cap;
    t->n = 0;
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.v[i] != NONE)
            table_place(t, hash(ctx, old.v[i]), old.v[i]);
    mem_free(m, old.v, old.cap * sizeof(*old.v));
    return true;
}

/* Takes out what stands at place I and moves later ones back, so that no search ends too early. */
static void table_remove_at(struct table *t, uint32_t i, uint64_t (*hash)(const void *, uint32_t), const void *ctx)
{
    uint32_t mask = t->cap - 1, hole = i & mask;

    t->n--;
    for (uint32_t k = (hole + 1) & mask; t->v[k] != NONE; k = (k + 1) & mask) {
        uint32_t home = (uint32_t)hash(ctx, t->v[k]) & mask;

        if (((k - home) & mask) < ((k - hole) & mask))
            continue;
        t->v[hole] = t->v[k];
        hole = k;
    }
    t->v[hole] = NONE;
}

/* ---- names --------------------------------------------------------------------------------------------- */

struct um_span name_text(const struct um_crdt *doc, uint32_t name)
{
    const struct name *n = &doc->names.v[name];

    return UM_SPAN(doc->name_bytes.v + n->offset, n->len);
}

static uint64_t name_hash(const void *ctx, uint32_t v)
{
    const struct um_crdt *doc = ctx;

    return um_hash_keyed(doc->hash_key, name_text(doc, v));
}

uint32_t name_find(const struct um_crdt *doc, struct um_span s)
{
    const struct table *t = &doc->name_table;

    if (t->cap == 0)
        return NONE;
    for (uint64_t h = um_hash_keyed(doc->hash_key, s);; h++) {
        uint32_t v = t->v[h & (t->cap - 1)];

        if (v == NONE || um_span_eq(name_text(doc, v), s))
            return v;
    }
}

um_err name_intern(struct um_crdt *doc, struct um_span s, uint32_t *out)
{
    if ((*out = name_find(doc, s)) != NONE)
        return UM_OK;
    if (s.len > UINT32_MAX - doc->name_bytes.n)
        return UM_ELIMIT;
    if (!vec_room(&doc->mem, &doc->names, 1) || !vec_room(&doc->mem, &doc->name_bytes, s.len + 1) ||
        !table_room(&doc->mem, &doc->name_table, 1, name_hash, doc))
        return UM_ENOMEM;
    *out = doc->names.n++;
    doc->names.v[*out] = (struct name){ doc->name_bytes.n, (uint32_t)s.len, NONE };
    if (s.len > 0)
        memcpy(doc->name_bytes.v + doc->name_bytes.n, s.data, s.len);
    doc->name_bytes.n += (uint32_t)s.len;
    table_place(&doc->name_table, um_hash_keyed(doc->hash_key, s), *out);
    return UM_OK;
}

/* ---- types --------------------------------------------------------------------------------------------- */

uint32_t root_find(const struct um_crdt *doc, struct um_span name)
{
    uint32_t n = name_find(doc, name);

    return n == NONE ? NONE : doc->names.v[n].root;
}

um_err root_intern(struct um_crdt *doc, struct um_span name, uint32_t *out)
{
    uint32_t n, t;
    um_err err;

    if ((err = name_intern(doc, name, &n)) != UM_OK)
        return err;
    if ((t = doc->names.v[n].root) == NONE) {
        if (doc->roots.n >= doc->limits.roots)
            return UM_ELIMIT;
        if (!vec_room(&doc->mem, &doc->roots, 1) || (err = types_reserve(doc, 1, 0)) != UM_OK)
            return UM_ENOMEM;
        t = type_new(doc, UM_CRDT_UNTYPED, n, NONE);
        doc->roots.v[doc->roots.n++] = t;
        doc->names.v[n].root = t;
    }
    *out = t;
    return UM_OK;
}

static uint64_t slot_key_hash(const struct um_crdt *doc, uint32_t type, uint32_t key)
{
    uint64_t h = ((uint64_t)type << 32 | key) * 0x9e3779b97f4a7c15u + doc->hash_key[0];

    h = (h ^ h >> 29) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

static uint64_t slot_hash(const void *ctx, uint32_t v)
{
    const struct um_crdt *doc = ctx;

    return slot_key_hash(doc, doc->slots.v[v].type, doc->slots.v[v].key);
}

um_err types_reserve(struct um_crdt *doc, uint32_t n_types, uint32_t n_slots)
{
    if (n_types > 0 && !vec_room(&doc->mem, &doc->types, n_types))
        return UM_ENOMEM;
    if (n_slots > 0 && (!vec_room(&doc->mem, &doc->slots, n_slots) ||
                        !table_room(&doc->mem, &doc->slot_table, n_slots, slot_hash, doc)))
        return UM_ENOMEM;
    return UM_OK;
}

uint32_t type_new(struct um_crdt *doc, uint8_t kind, uint32_t name, uint32_t item)
{
    uint32_t t = doc->free_type;

    if (t != NONE) {
        doc->free_type = doc->types.v[t].item;
    } else {
        UM_ASSERT(doc->types.n < doc->types.cap);
        t = doc->types.n++;
    }
    doc->types.v[t] = (struct type){ .kind = kind, .name = name, .start = NONE, .item = item, .first_slot = NONE,
                                     .last_slot = NONE, .pos = NONE };
    return t;
}

static uint32_t slot_place(const struct um_crdt *doc, uint32_t type, uint32_t key)
{
    const struct table *t = &doc->slot_table;

    for (uint64_t h = slot_key_hash(doc, type, key);; h++) {
        uint32_t v = t->v[h & (t->cap - 1)];

        if (v == NONE || (doc->slots.v[v].type == type && doc->slots.v[v].key == key))
            return (uint32_t)(h & (t->cap - 1));
    }
}

uint32_t slot_find(const struct um_crdt *doc, uint32_t type, uint32_t key)
{
    return doc->slot_table.cap == 0 ? NONE : doc->slot_table.v[slot_place(doc, type, key)];
}

uint32_t slot_get(struct um_crdt *doc, uint32_t type, uint32_t key)
{
    uint32_t s = slot_find(doc, type, key);
    struct type *t = &doc->types.v[type];

    if (s != NONE)
        return s;
    if ((s = doc->free_slot) != NONE) {
        doc->free_slot = doc->slots.v[s].next;
    } else {
        UM_ASSERT(doc->slots.n < doc->slots.cap);
        s = doc->slots.n++;
    }
    doc->slots.v[s] = (struct slot){ type, key, NONE, NONE, NONE };
    table_place(&doc->slot_table, slot_key_hash(doc, type, key), s);
    if (t->last_slot == NONE)
        t->first_slot = s;
    else
        doc->slots.v[t->last_slot].next = s;
    t->last_slot = s;
    return s;
}

static void slot_free(struct um_crdt *doc, uint32_t s)
{
    struct slot *slot = &doc->slots.v[s];

    table_remove_at(&doc->slot_table, slot_place(doc, slot->type, slot->key), slot_hash, doc);
    slot->next = doc->free_slot;
    doc->free_slot = s;
}

void slots_drop_empty(struct um_crdt *doc, uint32_t type)
{
    struct type *t = &doc->types.v[type];
    uint32_t *link = &t->first_slot;

    t->last_slot = NONE;
    while (*link != NONE) {
        uint32_t s = *link;

        if (doc->slots.v[s].head == NONE) {
            *link = doc->slots.v[s].next;
            slot_free(doc, s);
        } else {
            t->last_slot = s;
            link = &doc->slots.v[s].next;
        }
    }
}

void type_free(struct um_crdt *doc, uint32_t type)
{
    struct type *t = &doc->types.v[type];
    uint32_t next;

    for (uint32_t s = t->first_slot; s != NONE; s = next) {
        next = doc->slots.v[s].next;
        slot_free(doc, s);
    }
    posindex_drop(doc, type);
    t->item = doc->free_type;
    t->first_slot = t->last_slot = t->start = NONE;
    doc->free_type = type;
}

/* ---- undoing interned names ---------------------------------------------------------------------------- */

struct names_mark names_mark(const struct um_crdt *doc)
{
    return (struct names_mark){ doc->names.n, doc->name_bytes.n, doc->roots.n, doc->types.n };
}

/* Roots that were made since MARK hold nothing yet. */
void names_rollback(struct um_crdt *doc, struct names_mark mark)
{
    struct table *t = &doc->name_table;

    while (doc->roots.n > mark.roots) {
        uint32_t type = doc->roots.v[--doc->roots.n];

        doc->names.v[doc->types.v[type].name].root = NONE;
        type_free(doc, type);
    }
    if (doc->names.n == mark.names)
        return;
    doc->names.n = mark.names;
    doc->name_bytes.n = mark.name_bytes;
    memset(t->v, 0xff, t->cap * sizeof(*t->v));
    t->n = 0;
    for (uint32_t v = 0; v < doc->names.n; v++)
        table_place(t, name_hash(doc, v), v);
}

void names_destroy(struct um_crdt *doc)
{
    posindex_destroy(doc);
    vec_free(&doc->mem, &doc->names);
    vec_free(&doc->mem, &doc->name_bytes);
    vec_free(&doc->mem, &doc->roots);
    vec_free(&doc->mem, &doc->types);
    vec_free(&doc->mem, &doc->slots);
    mem_free(&doc->mem, doc->name_table.v, doc->name_table.cap * sizeof(uint32_t));
    mem_free(&doc->mem, doc->slot_table.v, doc->slot_table.cap * sizeof(uint32_t));
}
