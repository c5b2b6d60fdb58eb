/* The deletions of an update.
 *
 * A range cuts the items at its two ends. Where the ranges of one client cut often, the rest of them is cut ahead, from
 * left to right: then each content is walked once, and the index makes place once per item instead of once per cut.
 * After that the ranges delete in the order in which they came.
 *
 * yjs cuts when it comes to the range, and not inside what is deleted by then; its order of cuts decides what it tries
 * to join. So a cut made ahead is noted when a range asks for it. One that none asks for lies inside of what this
 * transaction deleted, and joining takes it away; provided that the contents go too (the halves of a surrogate pair do
 * not come back), so nothing is cut ahead that may be kept. */
#include "sort.h"
#include "doc.h"

#define CUTS_SINGLE 16u /* of one client, before the rest is cut ahead */

struct part {
    uint32_t clock, end;
    uint32_t item;                    /* that begins at CLOCK; NONE: not known */
};
struct ahead {
    struct um_crdt *doc;
    uint32_t client;
    VEC(struct part) parts;           /* the ranges, in the order in which they came */
    VEC(uint64_t) ends;               /* keyed by clock; number of the part that begins there, NONE */
    VEC(uint64_t) silent;             /* a bit per item: the cut in front of it was made ahead and is not noted */
};

/* ---- one by one ---------------------------------------------------------------------------------------- */

/* What is not there yet waits. Returns the end of what is there. */
static uint32_t range_park(struct um_crdt *doc, uint32_t client, const struct range *g)
{
    uint32_t state = client == NONE ? 0 : doc->clients.v[client].state, end = g->clock + g->len;

    if (end > state) {
        uint32_t from = UM_MAX(g->clock, state);

        pending_put_range(doc, (struct range){ g->client, from, end - from });
    }
    return UM_MIN(end, state);
}

static void range_apply(struct um_crdt *doc, uint32_t client, const struct range *g)
{
    uint32_t end = range_park(doc, client, g);

    if (g->clock < end)
        range_delete(doc, client, g->clock, end);
}

/* ---- cutting ahead ------------------------------------------------------------------------------------- */

/* All that is needed for the N ranges that are left at most. */
static bool ahead_room(struct ahead *a, uint64_t n)
{
    struct mem *m = &a->doc->mem;
    size_t words = a->doc->items.used / 64 + (2 * n) / 64 + 2;      /* cuts make at most two items each */

    if (!vec_room(m, &a->parts, n) || !vec_room(m, &a->ends, 2 * n) || !vec_room(m, &a->silent, words))
        return false;
    memset(a->silent.v, 0, a->silent.cap * sizeof(*a->silent.v));
    return true;
}

static void part_note(struct ahead *a, uint32_t clock, uint32_t end)
{
    a->ends.v[a->ends.n++] = keyed(clock, a->parts.n);
    a->ends.v[a->ends.n++] = keyed(end, NONE);
    a->parts.v[a->parts.n++] = (struct part){ clock, end, NONE };
}

/* The rest of the client's ranges. */
static void parts_read(struct ahead *a, struct range_walk *w)
{
    uint64_t client = a->doc->clients.v[a->client].id;
    struct range_walk before = *w;
    struct range g;

    while (w->ranges_left > 0 && range_next(w, &g)) {
        uint32_t end;

        if (g.client != client) {
            *w = before;
            return;
        }
        end = range_park(a->doc, a->client, &g);
        if (g.clock < end)
            part_note(a, g.clock, end);
        before = *w;
    }
}

static bool may_cut_ahead(const struct item *it)
{
    return !item_is_deleted(it) && (it->flags & (F_KEEP | F_REDONE)) == 0 && it->len > 1;
}

/* Cuts the item at AT at those of the ends from K to TO that lie inside it. */
static void item_cut_ahead(struct ahead *a, struct cursor at, uint32_t k, uint32_t to)
{
    struct um_crdt *doc = a->doc;
    uint32_t first = cursor_entry(at)->ref, last = first, n = 0;

    for (; k < to; k++) {
        uint32_t far = k + AHEAD < to ? keyed_value(a->ends.v[k + AHEAD]) : NONE;
        uint32_t end = keyed_key(a->ends.v[k]), part = keyed_value(a->ends.v[k]), from = item_at(doc, last)->clock;

        if (far != NONE)
            __builtin_prefetch(&a->parts.v[far], 1);
        if (end > from) {
            last = item_part(doc, last, end - from, content_offset_near);
            a->silent.v[last / 64] |= UINT64_C(1) << last % 64;
            n++;
        }
        if (part != NONE)
            a->parts.v[part].item = last;
    }
    if (n > 0)
        index_insert_chain(doc, at, n);
}

static void cut_ahead(struct ahead *a)
{
    struct client *c = &a->doc->clients.v[a->client];

    for (uint32_t k = 0, to; k < a->ends.n && keyed_key(a->ends.v[k]) < c->state; k = to) {
        struct cursor at = index_find(c, keyed_key(a->ends.v[k]));
        uint32_t i = cursor_entry(at)->ref, end = cursor_end(at);

        for (to = k; to < a->ends.n && keyed_key(a->ends.v[to]) < end;)
            to++;
        if (i != REF_GC && may_cut_ahead(item_at(a->doc, i)))
            item_cut_ahead(a, at, k, to);
    }
}

/* ---- deleting what was cut ahead ----------------------------------------------------------------------- */

/* A range asks for the cut in front of item I. */
static void cut_ask(struct ahead *a, uint32_t i)
{
    if ((a->silent.v[i / 64] >> i % 64 & 1) == 0)
        return;
    a->silent.v[i / 64] &= ~(UINT64_C(1) << i % 64);
    cut_note(a->doc, i);
}

/* The cuts at which part P and item I, which is not deleted yet, both begin or end. */
static void cuts_ask(struct ahead *a, const struct part *p, uint32_t i)
{
    const struct item *it = item_at(a->doc, i);

    if (it->clock == p->clock)
        cut_ask(a, i);
    if (it->clock + it->len == p->end && it->right != NONE && item_at(a->doc, it->right)->clock == p->end)
        cut_ask(a, it->right);
}

static bool is_item(const struct ahead *a, const struct part *p)
{
    const struct item *it = p->item == NONE ? NULL : item_at(a->doc, p->item);

    return it != NULL && it->clock == p->clock && it->clock + it->len == p->end;
}

/* Item by item; what could not be cut ahead is cut now. */
static void part_walk(struct ahead *a, const struct part *p)
{
    struct client *c = &a->doc->clients.v[a->client];

    for (uint32_t clock = p->clock, end; clock < p->end; clock = end) {
        struct cursor at = index_find(c, clock);
        uint32_t i = cursor_entry(at)->ref;

        end = UM_MIN(cursor_end(at), p->end);
        if (i == REF_GC || item_is_deleted(item_at(a->doc, i)))
            continue;
        cuts_ask(a, p, i);
        range_delete(a->doc, a->client, clock, end);
    }
}

static void part_delete(struct ahead *a, const struct part *p)
{
    if (!is_item(a, p)) {
        part_walk(a, p);
    } else if (!item_is_deleted(item_at(a->doc, p->item))) {
        cuts_ask(a, p, p->item);
        item_delete(a->doc, p->item);
    }
}

/* ---- all ----------------------------------------------------------------------------------------------- */

/* The rest of CLIENT's ranges in W. Without memory they stay there. */
static void ahead_apply(struct um_crdt *doc, uint32_t client, struct range_walk *w)
{
    struct ahead a = { .doc = doc, .client = client };

    if (ahead_room(&a, w->ranges_left)) {
        parts_read(&a, w);
        if (keyed_sort(&doc->mem, a.ends.v, a.ends.n))
            cut_ahead(&a);
        for (uint32_t i = 0; i < a.parts.n; i++) {
            if (i + AHEAD < a.parts.n && a.parts.v[i + AHEAD].item != NONE)
                __builtin_prefetch(item_at(doc, a.parts.v[i + AHEAD].item));
            part_delete(&a, &a.parts.v[i]);
        }
    }
    vec_free(&doc->mem, &a.parts);
    vec_free(&doc->mem, &a.ends);
    vec_free(&doc->mem, &a.silent);
}

void deletions_apply(struct um_crdt *doc, struct um_span ds)
{
    struct range_walk w = range_walk_make(ds);
    struct range g, last = { 0 };
    uint32_t client = NONE, splits = 0;
    bool dropped = doc->gc && doc->undo == NULL;      /* what is deleted loses its content */

    while (range_next(&w, &g)) {
        if (client == NONE || g.client != last.client) {
            client = client_find(doc, g.client);
            splits = doc->tx->splits.n;
        }
        last = g;
        range_apply(doc, client, &g);
        if (dropped && client != NONE && doc->tx->splits.n - splits >= CUTS_SINGLE && w.ranges_left > 0) {
            ahead_apply(doc, client, &w);
            splits = doc->tx->splits.n;
        }
    }
}
