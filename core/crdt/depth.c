/* Nesting of shared types, checked before an update changes anything: clients of yjs walk types recursively, so
 * deeply nested ones would break them. Most updates cannot reach the limit and are let through by counting; the
 * others get the depth of each of their structs worked out, each once, without recursion. */
#include "doc.h"

struct node {                         /* one struct of the update */
    uint32_t clock;
    uint32_t up_clock;                /* of the struct that decides about its depth, */
    uint32_t up;                      /* in this section; later its node. NONE: depth is known */
    uint16_t depth;                   /* of the type it is in */
    bool child;                       /* it lies in the type that UP holds (else: beside UP) */
    bool type;                        /* holds a type, one deeper */
    bool open;
};
struct depths {
    VEC(struct node) nodes;
    VEC(uint32_t) first;              /* per section: its first node */
    VEC(uint32_t) path;
};

/* The section of the update that may hold structs of CLIENT, NONE. */
static uint32_t section_of(const struct um_crdt *doc, uint64_t client)
{
    uint32_t k = client_find(doc, client);

    return k == NONE || doc->clients.v[k].epoch != doc->tx->epoch ? NONE : doc->clients.v[k].section;
}

static bool node_holds(const struct depths *d, uint32_t n, uint32_t hi, uint32_t clock)
{
    return d->nodes.v[n].clock <= clock && (n + 1 == hi || d->nodes.v[n + 1].clock > clock);
}

/* The node that decides about node N; NONE: none of this update. */
static uint32_t node_up(const struct plan *p, const struct depths *d, uint32_t n)
{
    uint32_t k = d->nodes.v[n].up, clock = d->nodes.v[n].up_clock, lo, hi;

    if (k == NONE)
        return NONE;
    lo = d->first.v[k];
    hi = lo + p->sections.v[k].s.n;
    if (d->nodes.v[lo].clock > clock)
        return NONE;
    if (n > lo && n <= hi && node_holds(d, n - 1, hi, clock))      /* mostly the one before */
        return n - 1;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (d->nodes.v[mid].clock <= clock)
            lo = mid;
        else
            hi = mid;
    }
    return lo;                        /* never N: an id of its own client is below it */
}

/* Depth that a known struct gives; false when the document does not have it. */
static bool known_depth(const struct um_crdt *doc, const struct id *id, bool child, uint16_t *depth)
{
    uint32_t k = client_find(doc, id->client), i;
    const struct item *it;

    if (k == NONE || doc->clients.v[k].state <= id->clock)
        return false;
    *depth = 0;
    if ((i = item_holding(doc, k, id->clock)) == NONE)
        return true;
    it = item_at(doc, i);
    if (!child)
        *depth = item_type(doc, it)->depth;
    else if (it->kind == KIND_TYPE)
        *depth = doc->types.v[it->content].depth;
    return true;
}

/* The struct that decides about the depth of W; NULL: it lies in a root. */
static const struct id *decider(const struct wire *w)
{
    if (w->kind == KIND_GC || w->kind == KIND_SKIP)
        return NULL;
    if ((w->info & INFO_ORIGIN) != 0)
        return &w->origin;
    if ((w->info & INFO_RIGHT) != 0)
        return &w->right;
    return w->parent_form == PARENT_ID ? &w->parent : NULL;
}

static struct node node_make(const struct um_crdt *doc, const struct wire *w, const struct section *s, uint32_t section)
{
    const struct id *id = decider(w);
    struct node node = { .clock = w->clock, .up = NONE, .child = id == &w->parent, .type = w->kind == KIND_TYPE };

    if (id != NULL && !known_depth(doc, id, node.child, &node.depth)) {
        node.up = id->client == s->client ? section : section_of(doc, id->client);
        node.up_clock = id->clock;
    }
    return node;
}

static um_err nodes_read(struct um_crdt *doc, const struct plan *p, struct depths *d)
{
    if (!vec_room(&doc->mem, &d->nodes, p->scan->structs) || !vec_room(&doc->mem, &d->path, p->scan->structs) ||
        !vec_room(&doc->mem, &d->first, p->sections.n))
        return UM_ENOMEM;
    for (uint32_t k = 0; k < p->sections.n; k++) {
        const struct section *s = &p->sections.v[k].s;
        struct rd r = { s->p, p->end, UM_OK };
        struct wire w;
        uint32_t clock = s->clock;

        d->first.v[d->first.n++] = d->nodes.n;
        for (uint32_t i = 0; i < s->n; i++, clock += w.len) {
            wire_read(&r, s->client, clock, &w, NULL);
            d->nodes.v[d->nodes.n++] = node_make(doc, &w, s, k);
        }
    }
    for (uint32_t n = 0; n < d->nodes.n; n++)
        d->nodes.v[n].up = node_up(p, d, n);
    return UM_OK;
}

/* Depth of node N: goes up to the first known one, then comes back down. A circle counts as a root. */
static uint32_t node_depth(struct depths *d, uint32_t n)
{
    d->path.n = 0;
    while (d->nodes.v[n].up != NONE && !d->nodes.v[n].open) {
        d->nodes.v[n].open = true;
        d->path.v[d->path.n++] = n;
        n = d->nodes.v[n].up;
    }
    while (d->path.n > 0) {
        struct node *below = &d->nodes.v[d->path.v[--d->path.n]];
        uint32_t depth = d->nodes.v[n].depth + (uint32_t)below->child;

        n = d->path.v[d->path.n];
        below->depth = (uint16_t)UM_MIN(depth, UINT16_MAX);
        below->up = NONE;
        below->open = false;
    }
    return d->nodes.v[n].depth;
}

/* At most: each level takes a type, and all but the first a struct that says it is inside of that type. */
static uint64_t depth_added(const struct scan *scan)
{
    return UM_MIN((uint64_t)scan->types, (uint64_t)scan->inside + 1);
}

um_err depth_check(struct um_crdt *doc, struct plan *p)
{
    struct depths d = { 0 };
    um_err err = UM_OK;

    if (doc->max_depth + depth_added(p->scan) <= doc->limits.type_depth)
        return UM_OK;
    if ((err = nodes_read(doc, p, &d)) == UM_OK) {
        for (uint32_t n = 0; n < d.nodes.n && err == UM_OK; n++)
            if (node_depth(&d, n) + d.nodes.v[n].type > doc->limits.type_depth)
                err = UM_ELIMIT;
    }
    vec_free(&doc->mem, &d.nodes);
    vec_free(&doc->mem, &d.first);
    vec_free(&doc->mem, &d.path);
    return err;
}
