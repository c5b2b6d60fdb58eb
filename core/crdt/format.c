/* Removing redundant formatting marks after a remote change, as yjs does: a transaction of its own that only
 * deletes. It may be left out at any point without harm, so lack of memory or of patience ends it. */
#include "doc.h"
#include <umbel/map.h>

#define STEPS_MAX 200000u             /* items looked at per transaction: tombstones can be many */

struct cleaner {
    struct um_crdt *doc;
    struct table keys;                /* Format items seen, by their key */
    VEC(uint32_t) full;               /* texts to clean as a whole */
    uint32_t steps;
};

struct um_span format_key(const struct um_crdt *doc, uint32_t i)
{
    struct rd r = rd_make(item_body(doc, item_at(doc, i)));

    return rd_bytes(&r);
}

struct um_span format_value(const struct um_crdt *doc, uint32_t i)
{
    struct rd r = rd_make(item_body(doc, item_at(doc, i)));

    rd_bytes(&r);
    return rd_bytes(&r);
}

static bool format_is_null(const struct um_crdt *doc, uint32_t i)
{
    return um_span_eq(format_value(doc, i), UM_SPAN_STR("null"));
}

static uint64_t key_hash(const void *ctx, uint32_t i)
{
    const struct um_crdt *doc = ctx;

    return um_hash_keyed(doc->hash_key, format_key(doc, i));
}

/* The place of I's key in the table; false without memory. */
static bool key_place(struct cleaner *c, uint32_t i, uint32_t **place)
{
    struct um_span key = format_key(c->doc, i);

    if (!table_room(&c->doc->mem, &c->keys, 1, key_hash, c->doc))
        return false;
    for (uint64_t h = um_hash_keyed(c->doc->hash_key, key);; h++) {
        *place = &c->keys.v[h & (c->keys.cap - 1)];
        if (**place == NONE || um_span_eq(format_key(c->doc, **place), key))
            return true;
    }
}

static void keys_clear(struct cleaner *c)
{
    if (c->keys.n > 0)
        memset(c->keys.v, 0xff, c->keys.cap * sizeof(*c->keys.v));
    c->keys.n = 0;
}

static bool is_mark(const struct item *it) { return it->kind == KIND_FORMAT && !item_is_deleted(it); }

/* In effect yjs cleans only what stands before the first visible content: of the marks of one key the last
 * stays, and that only if it switches something on. */
static void clean_text(struct cleaner *c, uint32_t type)
{
    struct um_crdt *doc = c->doc;
    uint32_t start = doc->types.v[type].start, end, next, *place;

    keys_clear(c);
    for (end = start; end != NONE && !item_is_visible(item_at(doc, end)); end = item_at(doc, end)->right) {
        if (++c->steps > STEPS_MAX)
            return;
        if (!is_mark(item_at(doc, end)))
            continue;
        if (!key_place(c, end, &place))
            return;
        c->keys.n += *place == NONE;
        *place = end;
    }
    if (end == NONE)
        return;
    for (uint32_t i = start; i != end; i = next) {
        next = item_at(doc, i)->right;
        if (is_mark(item_at(doc, i)) && key_place(c, i, &place) && (*place != i || format_is_null(doc, i)))
            item_delete(doc, i);
    }
}

/* The gap around I between two pieces of visible content: of the marks of one key only the rightmost stays. */
static void clean_gap(struct cleaner *c, uint32_t i)
{
    struct um_crdt *doc = c->doc;
    uint32_t *place;

    keys_clear(c);
    for (uint32_t r = item_at(doc, i)->right; r != NONE && !item_is_visible(item_at(doc, r));) {
        i = r;
        r = item_at(doc, r)->right;
        if (++c->steps > STEPS_MAX)
            return;
    }
    for (; i != NONE && !item_is_visible(item_at(doc, i)); i = item_at(doc, i)->left) {
        if (++c->steps > STEPS_MAX)
            return;
        if (!is_mark(item_at(doc, i)))
            continue;
        if (!key_place(c, i, &place))
            return;
        if (*place != NONE) {
            item_delete(doc, i);
        } else {
            *place = i;
            c->keys.n++;
        }
    }
}

static void want_full(struct cleaner *c, struct type *t)
{
    struct um_crdt *doc = c->doc;

    if (t->changed == doc->tx->epoch || !vec_room(&doc->mem, &c->full, 1))
        return;
    t->changed = doc->tx->epoch;
    c->full.v[c->full.n++] = (uint32_t)(t - doc->types.v);
}

/* Texts that received a visible mark. */
static void look_at_new(struct cleaner *c, const struct tx *tx)
{
    struct um_crdt *doc = c->doc;

    for (uint32_t i = 0; i < tx->touched.n; i++) {
        struct client *cl = &doc->clients.v[tx->touched.v[i]];
        struct cursor at;

        if (cl->state <= cl->before)
            continue;
        at = index_find(cl, cl->before);
        do {
            uint32_t k = cursor_entry(at)->ref;

            if (k != REF_GC && is_mark(item_at(doc, k)))
                want_full(c, item_type(doc, item_at(doc, k)));
        } while (cursor_next(&at));
    }
}

static void look_at_deleted(struct cleaner *c, const struct tx *tx)
{
    struct um_crdt *doc = c->doc;

    for (uint32_t d = 0; d < tx->deleted.n; d++) {
        const struct span32 *g = &tx->deleted.v[d];
        struct cursor at = index_find(&doc->clients.v[g->client], g->clock);

        do {
            uint32_t k = cursor_entry(at)->ref;
            struct type *t;

            if (cursor_entry(at)->clock >= g->clock + g->len || c->steps > STEPS_MAX)
                break;
            if (k == REF_GC)
                continue;
            t = item_type(doc, item_at(doc, k));
            if (!t->formatting || t->changed == doc->tx->epoch)
                continue;
            if (item_at(doc, k)->kind == KIND_FORMAT)
                want_full(c, t);
            else
                clean_gap(c, k);
        } while (cursor_next(&at));
    }
}

bool format_cleanup_wanted(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t i = 0; i < tx->texts.n; i++) {
        const struct type *t = &doc->types.v[tx->texts.v[i]];

        if (t->formatting && t->changed == tx->epoch)
            return true;
    }
    return false;
}

/* Runs between the deletions of the first transaction and its collection, as the second one. */
void format_cleanup(struct um_crdt *doc)
{
    struct cleaner c = { .doc = doc };
    const struct tx *tx = doc->tx;

    tx_begin(doc, &doc->txs[1], true);
    look_at_new(&c, tx);
    look_at_deleted(&c, tx);
    for (uint32_t i = 0; i < c.full.n; i++)
        clean_text(&c, c.full.v[i]);
    mem_free(&doc->mem, c.keys.v, c.keys.cap * sizeof(*c.keys.v));
    vec_free(&doc->mem, &c.full);
}
