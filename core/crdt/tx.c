/* A transaction from its beginning to its end: joining of neighbours, and giving back what it did not need. */
#include "doc.h"
#include "sort.h"
#include <stdlib.h>

#define SORT_CLIENTS 8u               /* up to which a pass over all ranges for each is */

typedef VEC(struct span32) span32_vec;
typedef VEC(uint64_t) keyed_vec;

void tx_begin(struct um_crdt *doc, struct tx *tx, bool local)
{
    tx->epoch = ++doc->epoch;
    tx->touched.n = tx->deleted.n = tx->splits.n = tx->texts.n = tx->notes.n = tx->subdocs.n = 0;
    tx->local = local;
    tx->scanned = 0;
    tx->entered = NONE;
    tx->content = doc->content.n;
    tx->lost = tx->odd = tx->notes_lost = false;
    doc->tx = tx;
}

um_err tx_touch(struct um_crdt *doc, uint32_t client)
{
    struct client *c = &doc->clients.v[client];
    struct tx *tx = doc->tx;

    if (c->epoch == tx->epoch)
        return UM_OK;
    if (!vec_room(&doc->mem, &tx->touched, 1))
        return UM_ENOMEM;
    tx->touched.v[tx->touched.n++] = client;
    c->epoch = tx->epoch;
    c->before = c->planned = c->state;
    c->appends = c->inserts = 0;
    c->section = NONE;
    return UM_OK;
}

/* ---- the delete set ------------------------------------------------------------------------------------ */

static int deleted_order(const void *a, const void *b, void *ctx)
{
    const struct um_crdt *doc = ctx;
    const struct span32 *x = a, *y = b;
    uint32_t i = doc->clients.v[x->client].ds_order, k = doc->clients.v[y->client].ds_order;

    if (i != k)
        return i < k ? -1 : 1;
    return (x->clock > y->clock) - (x->clock < y->clock);
}

static bool deleted_is_sorted(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t i = 1; i < tx->deleted.n; i++)
        if (deleted_order(&tx->deleted.v[i - 1], &tx->deleted.v[i], doc) > 0)
            return false;
    return true;
}

/* Appends the ranges of the client with this ORDER to SORTED. */
static bool deleted_sort_one(struct um_crdt *doc, uint32_t order, span32_vec *sorted, keyed_vec *keys)
{
    const struct tx *tx = doc->tx;
    uint32_t client = NONE;

    keys->n = 0;
    for (uint32_t i = 0; i < tx->deleted.n; i++) {
        const struct span32 *g = &tx->deleted.v[i];

        if (doc->clients.v[g->client].ds_order != order)
            continue;
        client = g->client;
        keys->v[keys->n++] = keyed(g->clock, g->len);
    }
    if (!keyed_sort(&doc->mem, keys->v, keys->n))
        return false;
    for (uint32_t i = 0; i < keys->n; i++)
        sorted->v[sorted->n++] = (struct span32){ client, keyed_key(keys->v[i]), keyed_value(keys->v[i]) };
    return true;
}

/* Many ranges of few CLIENTS. False: not done. */
static bool deleted_sort_many(struct um_crdt *doc, uint32_t clients)
{
    struct tx *tx = doc->tx;
    span32_vec sorted = { 0 };
    keyed_vec keys = { 0 };
    bool done = tx->deleted.n >= SORT_MANY && clients <= SORT_CLIENTS &&
                vec_room(&doc->mem, &sorted, tx->deleted.n) && vec_room(&doc->mem, &keys, tx->deleted.n);

    for (uint32_t k = 0; k < clients && done; k++)
        done = deleted_sort_one(doc, k, &sorted, &keys);
    if (done)
        memcpy(tx->deleted.v, sorted.v, sorted.n * sizeof(*sorted.v));
    vec_free(&doc->mem, &sorted);
    vec_free(&doc->mem, &keys);
    return done;
}

void tx_sort_deleted(struct um_crdt *doc)
{
    struct tx *tx = doc->tx;
    uint32_t n = 0, order = 0;

    if (tx->deleted.n < 2)
        return;
    for (uint32_t i = 0; i < tx->deleted.n; i++)
        doc->clients.v[tx->deleted.v[i].client].ds_order = NONE;
    for (uint32_t i = 0; i < tx->deleted.n; i++) {
        struct client *c = &doc->clients.v[tx->deleted.v[i].client];

        if (c->ds_order == NONE)
            c->ds_order = order++;
    }
    if (!deleted_is_sorted(doc) && !deleted_sort_many(doc, order))
        qsort_r(tx->deleted.v, tx->deleted.n, sizeof(*tx->deleted.v), deleted_order, doc);
    for (uint32_t i = 1; i < tx->deleted.n; i++) {
        struct span32 *l = &tx->deleted.v[n], *r = &tx->deleted.v[i];

        if (l->client == r->client && l->clock + l->len >= r->clock)
            l->len = UM_MAX(l->len, r->clock + r->len - l->clock);
        else
            tx->deleted.v[++n] = *r;
    }
    tx->deleted.n = n + 1;
}

/* ---- joining ------------------------------------------------------------------------------------------- */

static bool is_first(struct cursor at) { return at.d == 0 && at.i == 0; }

/* Joins every struct from AT down to the one at clock FROM with its left neighbours. */
static void join_down(struct um_crdt *doc, struct cursor at, uint32_t from)
{
    while (!is_first(at) && cursor_entry(at)->clock >= from) {
        if (at.i >= AHEAD && cursor_entry(at)[-(int)AHEAD].ref != REF_GC)
            __builtin_prefetch(item_at(doc, cursor_entry(at)[-(int)AHEAD].ref));
        if (!entry_stands_alone(doc, at))
            merge_lefts(doc, &at);
        if (!cursor_prev(&at))
            return;
    }
}

/* join_new looks at every struct that is new, so what lies among them needs no looking at before or after. */
static bool is_new(const struct um_crdt *doc, const struct span32 *g)
{
    return g->clock >= client_before(doc, g->client);
}

static void join_deleted(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t from = 0, to; from < tx->deleted.n; from = to) {
        for (to = from; to < tx->deleted.n && tx->deleted.v[to].client == tx->deleted.v[from].client;)
            to++;
        for (uint32_t k = to; k > from; k--) {
            const struct span32 *g = &tx->deleted.v[k - 1];
            struct cursor at;

            if (is_new(doc, g))
                continue;
            at = index_find(&doc->clients.v[g->client], g->clock + g->len - 1);
            cursor_next(&at);
            join_down(doc, at, g->clock);
        }
    }
}

static void join_new(struct um_crdt *doc)
{
    for (uint32_t i = 0; i < doc->tx->touched.n; i++) {
        struct client *c = &doc->clients.v[doc->tx->touched.v[i]];

        if (c->state > c->before)
            join_down(doc, cursor_last(c), cursor_entry(index_find(c, c->before))->clock);
    }
}

static void join_splits(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t k = tx->splits.n; k > 0; k--) {
        const struct span32 *g = &tx->splits.v[k - 1];
        struct client *c = &doc->clients.v[g->client];
        struct cursor at, right;

        if (is_new(doc, g))
            continue;
        at = right = index_find(c, g->clock);
        if (cursor_next(&right) && !entry_stands_alone(doc, right)) {
            if (merge_lefts(doc, &right) > 1)
                continue;
            at = index_find(c, g->clock);
        }
        if (!entry_stands_alone(doc, at))
            merge_lefts(doc, &at);
    }
}

static void tx_join(struct um_crdt *doc)
{
    offsets_drop(doc);                /* joining moves contents */
    join_deleted(doc);
    join_new(doc);
    join_splits(doc);
}

/* ---- the end ------------------------------------------------------------------------------------------- */

bool tx_changed(const struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    if (tx->deleted.n > 0 || tx->lost)
        return true;
    for (uint32_t i = 0; i < tx->touched.n; i++)
        if (doc->clients.v[tx->touched.v[i]].state > doc->clients.v[tx->touched.v[i]].before)
            return true;
    return false;
}

void tx_tidy(struct um_crdt *doc)
{
    if (doc->gc && !doc->tx->lost)
        collect_deleted(doc);
    tx_join(doc);
}

/* Memory of the last event is kept for the next, unless it was unusually large. */
void tx_scratch_trim(struct um_crdt *doc)
{
    struct um_buf *bufs[] = { &doc->event, &doc->more };

    for (size_t i = 0; i < UM_COUNT(bufs); i++)
        if (bufs[i]->cap > 4096)
            um_buf_free(bufs[i]);
    for (size_t i = 0; i < UM_COUNT(doc->txs); i++)
        if (doc->txs[i].touched.cap + doc->txs[i].deleted.cap + doc->txs[i].splits.cap + doc->txs[i].notes.cap > 256)
            tx_free(doc, &doc->txs[i]);
}

void tx_settle(struct um_crdt *doc, const struct um_crdt_applied *out)
{
    items_trim(doc);
    index_trim(doc);
    content_tidy(doc);
    if (out->pending)
        cache_drop(doc);
    if (out->changed)
        cache_note(doc, out->event);
    for (size_t i = 0; i < out->n_more; i++)
        cache_note(doc, out->more[i]);
}

void tx_free(struct um_crdt *doc, struct tx *tx)
{
    vec_free(&doc->mem, &tx->touched);
    vec_free(&doc->mem, &tx->deleted);
    vec_free(&doc->mem, &tx->splits);
    vec_free(&doc->mem, &tx->texts);
    vec_free(&doc->mem, &tx->notes);
    vec_free(&doc->mem, &tx->subdocs);
}
