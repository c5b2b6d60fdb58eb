/* Formatting attributes during an edit: see marks.h. */
#include "edit.h"
#include "json_same.h"
#include <stdlib.h>
#include <umbel/map.h>

#define FEW 8u                        /* keys that are looked for one by one */
#define TWINS_FEW 256u

static struct marks *marks_of(const struct um_crdt *doc) { return &doc->edit->marks; }

static struct um_span key_text(const struct um_crdt *doc, const struct mark *m)
{
    return m->item != NONE ? format_key(doc, m->item) : m->text;
}

struct um_span value_text(const struct um_crdt *doc, const struct mark_value *v)
{
    if (v->item != NONE)
        return format_value(doc, v->item);
    return v->json.data != NULL ? v->json : UM_SPAN_STR("null");
}

/* ---- keys ---------------------------------------------------------------------------------------------- */

void marks_clear(struct um_crdt *doc)
{
    struct marks *k = marks_of(doc);

    if (k->table.n > 0)
        memset(k->table.v, 0xff, k->table.cap * sizeof(*k->table.v));
    k->v.n = k->table.n = 0;
    k->order = 0;
}

static uint64_t key_hash(const void *ctx, uint32_t v)
{
    const struct um_crdt *doc = ctx;

    return um_hash_keyed(doc->hash_key, key_text(doc, &marks_of(doc)->v.v[v]));
}

static void table_put(struct um_crdt *doc, uint32_t v)
{
    struct table *t = &marks_of(doc)->table;
    uint64_t h = key_hash(doc, v);

    while (t->v[h & (t->cap - 1)] != NONE)
        h++;
    t->v[h & (t->cap - 1)] = v;
    t->n++;
}

struct mark *mark_find(struct um_crdt *doc, struct um_span key)
{
    struct marks *k = marks_of(doc);

    if (k->v.n <= FEW) {
        for (uint32_t i = 0; i < k->v.n; i++)
            if (um_span_eq(key_text(doc, &k->v.v[i]), key))
                return &k->v.v[i];
        return NULL;
    }
    for (uint64_t h = um_hash_keyed(doc->hash_key, key);; h++) {
        uint32_t i = k->table.v[h & (k->table.cap - 1)];

        if (i == NONE)
            return NULL;
        if (um_span_eq(key_text(doc, &k->v.v[i]), key))
            return &k->v.v[i];
    }
}

static um_err intern(struct um_crdt *doc, uint32_t item, struct um_span key, size_t room)
{
    struct mark *m = mark_find(doc, key);
    struct marks *k = marks_of(doc);

    if (m == NULL) {
        if (!vec_room(&doc->mem, &k->v, 1) ||
            (k->v.n >= FEW && !table_room(&doc->mem, &k->table, FEW + 1, key_hash, doc)))
            return UM_ENOMEM;
        m = &k->v.v[k->v.n++];
        *m = (struct mark){ .item = item, .now = NO_VALUE, .want = NO_VALUE, .back = NO_VALUE, .before = NO_VALUE,
                            .last = NONE };
        if (item == NONE)
            m->text = key;
        if (k->v.n == FEW + 1)
            for (uint32_t i = 0; i < FEW; i++)
                table_put(doc, i);
        if (k->v.n > FEW)
            table_put(doc, k->v.n - 1);
    }
    m->room = UM_MAX(m->room, room);
    return UM_OK;
}

um_err mark_intern(struct um_crdt *doc, struct um_span text, size_t room)
{
    return intern(doc, NONE, text, room);
}

um_err mark_intern_item(struct um_crdt *doc, uint32_t item)
{
    return intern(doc, item, format_key(doc, item), format_value(doc, item).len);
}

um_err mark_read(struct um_crdt *doc, uint32_t item)
{
    um_err err = mark_intern_item(doc, item);

    if (err == UM_OK)
        mark_step(doc, item);
    return err;
}

um_err marks_ready(struct um_crdt *doc)
{
    struct marks *k = marks_of(doc);

    k->picked.n = 0;
    return vec_room(&doc->mem, &k->picked, k->v.n) ? UM_OK : UM_ENOMEM;
}

size_t mark_body_max(const struct um_crdt *doc, const struct mark *m)
{
    return 2 * LIB0_UINT_MAX_BYTES + key_text(doc, m).len + UM_MAX(m->room, strlen("null"));
}

/* ---- order --------------------------------------------------------------------------------------------- */

/* JavaScript puts keys that are array indices first, in their own order. NONE: not one. */
static uint32_t key_index(struct um_span key)
{
    uint64_t v = 0;

    if (key.len == 0 || key.len > 10 || (key.len > 1 && key.data[0] == '0'))
        return NONE;
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] < '0' || key.data[i] > '9')
            return NONE;
        v = v * 10 + (key.data[i] - '0');
    }
    return v < NONE ? (uint32_t)v : NONE;
}

static int wanted_order(const void *a, const void *b, void *ctx)
{
    const struct um_crdt *doc = ctx;
    const struct mark *x = &marks_of(doc)->v.v[*(const uint32_t *)a], *y = &marks_of(doc)->v.v[*(const uint32_t *)b];
    uint32_t i = key_index(key_text(doc, x)), k = key_index(key_text(doc, y));

    if (i != k)
        return i < k ? -1 : 1;
    return (x->want_order > y->want_order) - (x->want_order < y->want_order);
}

static int back_order(const void *a, const void *b, void *ctx)
{
    const struct um_crdt *doc = ctx;
    const struct mark *x = &marks_of(doc)->v.v[*(const uint32_t *)a], *y = &marks_of(doc)->v.v[*(const uint32_t *)b];

    return (x->back_order > y->back_order) - (x->back_order < y->back_order);
}

uint32_t marks_wanted(struct um_crdt *doc, uint32_t **out)
{
    struct marks *k = marks_of(doc);

    k->picked.n = 0;
    for (uint32_t i = 0; i < k->v.n; i++)
        if (value_is_set(&k->v.v[i].want))
            k->picked.v[k->picked.n++] = i;
    if (k->picked.n > 1)
        qsort_r(k->picked.v, k->picked.n, sizeof(*k->picked.v), wanted_order, doc);
    *out = k->picked.v;
    return k->picked.n;
}

uint32_t marks_back(struct um_crdt *doc, uint32_t **out)
{
    struct marks *k = marks_of(doc);

    k->picked.n = 0;
    for (uint32_t i = 0; i < k->v.n; i++)
        if (value_is_set(&k->v.v[i].back))
            k->picked.v[k->picked.n++] = i;
    if (k->picked.n > 1)
        qsort_r(k->picked.v, k->picked.n, sizeof(*k->picked.v), back_order, doc);
    *out = k->picked.v;
    return k->picked.n;
}

/* ---- values -------------------------------------------------------------------------------------------- */

static bool value_is_null(const struct um_crdt *doc, const struct mark_value *v)
{
    return !value_is_set(v) || um_span_eq(value_text(doc, v), UM_SPAN_STR("null"));
}

/* `null` switches off. A key that is set again after that comes last. */
void now_set(struct um_crdt *doc, struct mark *m, struct mark_value v)
{
    if (value_is_null(doc, &v)) {
        m->now = NO_VALUE;
        return;
    }
    if (!value_is_set(&m->now))
        m->now_order = ++marks_of(doc)->order;
    m->now = v;
}

void back_set(struct um_crdt *doc, struct mark *m, struct mark_value v)
{
    if (!value_is_set(&m->back))
        m->back_order = ++marks_of(doc)->order;
    if (!value_is_set(&v))
        v.json = UM_SPAN_STR("null");
    m->back = v;
}

void mark_step(struct um_crdt *doc, uint32_t item)
{
    struct mark *m = mark_find(doc, format_key(doc, item));

    if (m != NULL)
        now_set(doc, m, (struct mark_value){ .item = item });
}

/* ---- equality ------------------------------------------------------------------------------------------ */

static uint64_t id_hash(uint32_t client, uint32_t clock)
{
    uint64_t h = ((uint64_t)client << 32 | clock) * 0x9e3779b97f4a7c15u;

    return h ^ h >> 32;
}

static uint64_t twin_hash(const void *ctx, uint32_t v)
{
    const struct twin *t = &((const struct um_crdt *)ctx)->edit->marks.twins.v[v];

    return id_hash(t->client, t->clock);
}

/* The item whose object ITEM's value is. */
static void object_of(const struct um_crdt *doc, uint32_t item, uint32_t *client, uint32_t *clock)
{
    const struct item *it = item_at(doc, item);
    const struct marks *k = marks_of(doc);

    *client = it->client;
    *clock = it->clock;
    if (k->twins.n == 0)
        return;
    for (uint64_t h = id_hash(it->client, it->clock);; h++) {
        uint32_t v = k->twin_table.v[h & (k->twin_table.cap - 1)];

        if (v == NONE)
            return;
        if (k->twins.v[v].client == it->client && k->twins.v[v].clock == it->clock) {
            *client = k->twins.v[v].first_client;
            *clock = k->twins.v[v].first_clock;
            return;
        }
    }
}

static bool is_one_object(const struct um_crdt *doc, const struct mark_value *a, const struct mark_value *b)
{
    uint32_t client[2], clock[2];

    if (a->item == NONE || b->item == NONE)
        return false;
    object_of(doc, a->item, &client[0], &clock[0]);
    object_of(doc, b->item, &client[1], &clock[1]);
    return client[0] == client[1] && clock[0] == clock[1];
}

bool value_is_same(struct um_crdt *doc, const struct mark_value *a, const struct mark_value *b)
{
    struct um_span x = value_text(doc, a), y = value_text(doc, b);

    if (json_is_nested(x) || json_is_nested(y))
        return is_one_object(doc, a, b);
    return json_scalar_same(doc, x, y);
}

bool value_matches(struct um_crdt *doc, const struct mark_value *a, const struct mark_value *b)
{
    struct um_span x = value_text(doc, a), y = value_text(doc, b);

    if (json_is_nested(x) != json_is_nested(y))
        return false;
    if (!json_is_nested(x))
        return json_scalar_same(doc, x, y);
    return is_one_object(doc, a, b) || json_flat_same(doc, x, y);
}

/* ---- twins --------------------------------------------------------------------------------------------- */

static void twin_table_put(struct um_crdt *doc, uint32_t v)
{
    struct table *t = &marks_of(doc)->twin_table;
    uint64_t h = twin_hash(doc, v);

    while (t->v[h & (t->cap - 1)] != NONE)
        h++;
    t->v[h & (t->cap - 1)] = v;
    t->n++;
}

/* Without memory they count as two objects, as they would after a reload. */
void twin_note(struct um_crdt *doc, uint32_t i, uint32_t source)
{
    struct marks *k = marks_of(doc);
    const struct item *it = item_at(doc, i);
    struct twin t = { .client = it->client, .clock = it->clock };

    if (!json_is_nested(format_value(doc, i)) || !vec_room(&doc->mem, &k->twins, 1) ||
        !table_room(&doc->mem, &k->twin_table, 1, twin_hash, doc))
        return;
    object_of(doc, source, &t.first_client, &t.first_clock);
    k->twins.v[k->twins.n++] = t;
    twin_table_put(doc, k->twins.n - 1);
}

void twins_truncate(struct um_crdt *doc, uint32_t n)
{
    struct marks *k = marks_of(doc);

    k->twins.n = n;
    k->twin_table.n = 0;
    if (k->twin_table.cap > 0)
        memset(k->twin_table.v, 0xff, k->twin_table.cap * sizeof(*k->twin_table.v));
    for (uint32_t v = 0; v < n; v++)
        twin_table_put(doc, v);
}

void twins_sweep(struct um_crdt *doc)
{
    struct marks *k = marks_of(doc);
    uint32_t n = 0;

    if (k->twins.n < TWINS_FEW || k->twins.n < 2 * k->twins_kept)
        return;
    for (uint32_t v = 0; v < k->twins.n; v++) {
        uint32_t i = item_holding(doc, k->twins.v[v].client, k->twins.v[v].clock);

        if (i != NONE && item_at(doc, i)->kind == KIND_FORMAT && !item_is_deleted(item_at(doc, i)))
            k->twins.v[n++] = k->twins.v[v];
    }
    k->twins_kept = n;
    twins_truncate(doc, n);
}

void marks_destroy(struct um_crdt *doc)
{
    struct marks *k = marks_of(doc);

    vec_free(&doc->mem, &k->v);
    vec_free(&doc->mem, &k->picked);
    vec_free(&doc->mem, &k->twins);
    mem_free(&doc->mem, k->table.v, k->table.cap * sizeof(*k->table.v));
    mem_free(&doc->mem, k->twin_table.v, k->twin_table.cap * sizeof(*k->twin_table.v));
}
