/* Before an update changes anything: in which order its structs are integrated, which must wait, and memory for
 * all of it.
 *
 * The order is yjs': sections by client descending; a struct whose dependency lies in another section of the same
 * update makes that section go first (a stack); a struct that depends on something that is nowhere is parked
 * together with everything on the stack and the rest of their sections. */
#include "doc.h"
#include "sort.h"
#include <stdlib.h>

/* ---- sections, names, figures -------------------------------------------------------------------------- */

static um_err demand(struct um_crdt *doc, struct plan *p, uint64_t id, uint32_t n)
{
    uint32_t k = client_find(doc, id);
    um_err err;

    if (k == NONE)
        return UM_OK;
    if ((err = tx_touch(doc, k)) == UM_OK) {
        doc->clients.v[k].inserts += n;
        p->items += n;
    }
    return err;
}

/* What integrating W may need. Roots appear here: those of structs that wait appear when they are integrated. */
static um_err struct_prepare(struct um_crdt *doc, struct plan *p, const struct wire *w, uint32_t client)
{
    uint32_t name;
    um_err err = UM_OK;

    doc->clients.v[client].appends++;
    p->fresh++;
    if (w->kind == KIND_GC)
        return UM_OK;
    p->items++;
    p->content += w->body.len;
    if (w->parent_form == PARENT_ROOT)
        err = root_intern(doc, w->root, &name);
    if (err == UM_OK && w->key.data != NULL)
        err = name_intern(doc, w->key, &name);
    if (err == UM_OK && w->name.data != NULL)
        err = name_intern(doc, w->name, &name);
    if (err == UM_OK && (w->info & INFO_ORIGIN) != 0 &&
        (w->origin.client != doc->clients.v[client].id || w->origin.clock + 1 != w->clock ||
         w->clock < doc->clients.v[client].state))
        err = demand(doc, p, w->origin.client, 1);
    if (err == UM_OK && (w->info & INFO_RIGHT) != 0)
        err = demand(doc, p, w->right.client, 1);
    return err;
}

/* Will looking up the neighbour at ID cut an item, as far as can be told now? */
static bool may_cut(const struct um_crdt *doc, const struct id *id, bool end)
{
    uint32_t k = client_find(doc, id->client);
    struct cursor at;

    if (k == NONE || id->clock >= doc->clients.v[k].state)
        return k != NONE;
    at = index_find(&doc->clients.v[k], id->clock);
    if (cursor_entry(at)->ref == REF_GC)
        return false;
    return end ? cursor_end(at) != id->clock + 1 : cursor_entry(at)->clock != id->clock;
}

/* What is known already is not integrated, but its neighbours are looked up: see known_skip. */
static um_err known_prepare(struct um_crdt *doc, struct plan *p, const struct wire *w)
{
    um_err err = UM_OK;

    if (w->kind == KIND_GC)
        return UM_OK;
    if ((w->info & INFO_ORIGIN) != 0 && may_cut(doc, &w->origin, true))
        err = demand(doc, p, w->origin.client, 1);
    if (err == UM_OK && (w->info & INFO_RIGHT) != 0 && may_cut(doc, &w->right, false))
        err = demand(doc, p, w->right.client, 1);
    return err;
}

static um_err section_open(struct um_crdt *doc, struct plan *p, const struct section *s, struct rd r)
{
    if (!vec_room(&doc->mem, &p->sections, 1))
        return UM_ENOMEM;
    p->sections.v[p->sections.n++] = (struct plan_section){ .s = *s, .r = r, .client = NONE, .clock = s->clock, .left = s->n };
    return UM_OK;
}

static um_err sections_open(struct um_crdt *doc, struct plan *p, struct um_span update)
{
    struct rd r = rd_make(update);
    um_err err;

    rd_uint(&r);
    for (uint32_t i = 0; i < p->scan->sections; i++) {
        struct section s;
        struct wire w;
        uint32_t clock;

        section_read(&r, &s);
        if (s.n > 0 && (err = section_open(doc, p, &s, r)) != UM_OK)
            return err;
        clock = s.clock;
        for (uint32_t k = 0; k < s.n && i + 1 < p->scan->sections; k++, clock += w.len)
            wire_read(&r, s.client, clock, &w, NULL);
    }
    return UM_OK;
}

/* ---- order --------------------------------------------------------------------------------------------- */

static uint32_t state_of(const struct um_crdt *doc, uint64_t id)
{
    uint32_t k = client_find(doc, id);

    if (k == NONE)
        return 0;
    return doc->clients.v[k].epoch == doc->tx->epoch ? doc->clients.v[k].planned : doc->clients.v[k].state;
}

/* The client whose structs W waits for; false when nothing is missing. */
static bool is_missing(const struct um_crdt *doc, const struct wire *w, uint64_t client, uint64_t *whom)
{
    const struct id *ids[] = { (w->info & INFO_ORIGIN) != 0 ? &w->origin : NULL,
                               (w->info & INFO_RIGHT) != 0 ? &w->right : NULL,
                               w->parent_form == PARENT_ID ? &w->parent : NULL };

    if (w->kind == KIND_GC)
        return false;
    for (size_t i = 0; i < UM_COUNT(ids); i++) {
        if (ids[i] != NULL && ids[i]->client != client && ids[i]->clock >= state_of(doc, ids[i]->client)) {
            *whom = ids[i]->client;
            return true;
        }
    }
    return false;
}

static um_err note_missing(struct um_crdt *doc, struct plan *p, uint64_t client, uint32_t clock)
{
    if (!vec_room(&doc->mem, &p->missing, 1))
        return UM_ENOMEM;
    p->missing.v[p->missing.n++] = (struct missing){ client, clock };
    return UM_OK;
}

/* Everything on the stack waits, with the rest of its sections. yjs notes only what the topmost lacks; the others may
 * then wait on when they could do without it, until the next time that all is tried. */
static um_err park_stack(struct um_crdt *doc, struct plan *p)
{
    um_err err = UM_OK;

    for (uint32_t i = 0; i < p->stack.n; i++) {
        struct plan_section *s = &p->sections.v[p->stack.v[i]];

        s->rest = s->r.p;
        s->rest_clock = s->clock;
        s->rest_n = s->left;
        s->stacked = false;
        p->parked += s->left;
        s->left = 0;
        if (err == UM_OK && (doc->eager_pending || i + 1 == p->stack.n))
            err = note_missing(doc, p, s->missing.client, s->missing.clock);
    }
    p->stack.n = 0;
    return err;
}

static um_err note_run(struct um_crdt *doc, struct plan *p, uint32_t section)
{
    struct plan_run *last = p->runs.n > 0 ? &p->runs.v[p->runs.n - 1] : NULL;

    if (last != NULL && last->section == section) {
        last->n++;
        return UM_OK;
    }
    if (!vec_room(&doc->mem, &p->runs, 1))
        return UM_ENOMEM;
    p->runs.v[p->runs.n++] = (struct plan_run){ section, 1 };
    return UM_OK;
}

/* The section to go on with when W of section K waits for WHOM; NONE: parked. */
static um_err go_deeper(struct um_crdt *doc, struct plan *p, uint64_t whom, uint32_t *next)
{
    uint32_t k = client_find(doc, whom);
    uint32_t section = NONE;

    if (k != NONE && doc->clients.v[k].epoch == doc->tx->epoch)
        section = doc->clients.v[k].section;
    if (section != NONE && !p->sections.v[section].stacked && p->sections.v[section].left > 0) {
        *next = section;
        return UM_OK;
    }
    *next = NONE;
    return park_stack(doc, p);
}

/* Plans section FROM to its end, and what it needs of others. */
static um_err section_order(struct um_crdt *doc, struct plan *p, uint32_t from)
{
    uint32_t k = from;
    struct wire w;
    um_err err;

    while (k != NONE) {
        struct plan_section *s = &p->sections.v[k];
        struct client *c = &doc->clients.v[s->client];
        struct rd before = s->r;
        uint64_t whom = 0;

        if (s->left == 0) {
            k = k == from ? NONE : from;
            continue;
        }
        wire_read(&s->r, s->s.client, s->clock, &w, NULL);
        if (w.kind != KIND_SKIP && w.len > 0) {
            bool gap = w.clock > c->planned;

            if (gap || is_missing(doc, &w, s->s.client, &whom)) {
                s->r = before;
                if (!s->stacked) {
                    if (!vec_room(&doc->mem, &p->stack, 1))
                        return UM_ENOMEM;
                    p->stack.v[p->stack.n++] = k;
                    s->stacked = true;
                }
                s->missing = gap ? (struct missing){ s->s.client, w.clock - 1 }
                                 : (struct missing){ whom, state_of(doc, whom) };
                if (gap) {
                    err = park_stack(doc, p);
                    k = NONE;
                } else {
                    err = go_deeper(doc, p, whom, &k);
                }
                if (err != UM_OK)
                    return err;
                if (k == NONE)
                    k = from;                 /* parked: what is left of the first section, if anything */
                continue;
            }
            if (w.clock + w.len > c->planned) {
                c->planned = w.clock + w.len;
                if ((err = struct_prepare(doc, p, &w, s->client)) != UM_OK)
                    return err;
            } else if ((err = known_prepare(doc, p, &w)) != UM_OK) {
                return err;
            }
        }
        if ((err = note_run(doc, p, k)) != UM_OK)
            return err;
        s->clock += w.len;
        s->left--;
        if (p->stack.n > 0) {                 /* back to the one that waited */
            k = p->stack.v[--p->stack.n];
            p->sections.v[k].stacked = false;
        }
    }
    return UM_OK;
}

static int section_order_by_id(const void *a, const void *b)
{
    const struct plan_section *x = a, *y = b;

    return (x->s.client < y->s.client) - (x->s.client > y->s.client);
}

static uint64_t descending_client(const void *ctx, uint32_t k)
{
    const struct plan *p = ctx;

    return ~p->sections.v[k].s.client;
}

/* Many sections: their numbers are sorted, each section moves once. False: no memory, nothing has moved. */
static bool sections_sort_many(struct um_crdt *doc, struct plan *p)
{
    plan_section_vec sorted = { 0 };
    VEC(uint32_t) order = { 0 };
    uint32_t n = p->sections.n;
    bool done = n >= SORT_MANY && vec_room(&doc->mem, &sorted, n) && vec_room(&doc->mem, &order, n);

    for (uint32_t k = 0; k < n && done; k++)
        order.v[k] = k;
    if ((done = done && numbers_sort(&doc->mem, order.v, n, descending_client, p))) {
        for (uint32_t k = 0; k < n; k++)
            sorted.v[sorted.n++] = p->sections.v[order.v[k]];
        vec_free(&doc->mem, &p->sections);
        p->sections = sorted;
    } else {
        vec_free(&doc->mem, &sorted);
    }
    vec_free(&doc->mem, &order);
    return done;
}

static void sections_sort(struct um_crdt *doc, struct plan *p)
{
    if (!p->scan->ordered && !sections_sort_many(doc, p))
        qsort(p->sections.v, p->sections.n, sizeof(*p->sections.v), section_order_by_id);
}

/* Every section's client is known before references are counted. In the order of integration, so that what is new
 * lies in memory in that order. */
static um_err sections_intern(struct um_crdt *doc, struct plan *p)
{
    um_err err;

    for (uint32_t k = 0; k < p->sections.n; k++) {
        struct plan_section *s = &p->sections.v[k];

        if ((err = client_intern(doc, s->s.client, &s->client)) != UM_OK || (err = tx_touch(doc, s->client)) != UM_OK)
            return err;
        doc->clients.v[s->client].section = k;
    }
    return UM_OK;
}

/* ---- deletions, memory --------------------------------------------------------------------------------- */

static um_err ranges_prepare(struct um_crdt *doc, struct plan *p)
{
    struct range_walk walk = range_walk_make(p->scan->ds);
    struct range g;
    uint64_t client = 0;
    uint32_t state = 0, n = 0;
    um_err err = UM_OK;

    while (p->scan->ranges > 0 && err == UM_OK && range_next(&walk, &g)) {
        if (n == 0 || g.client != client) {
            err = n > 0 ? demand(doc, p, client, 2 * n) : UM_OK;
            client = g.client;
            state = state_of(doc, client);
            n = 0;
        }
        n++;
        p->parked_ranges += g.clock + g.len > state;
    }
    return err == UM_OK && n > 0 ? demand(doc, p, client, 2 * n) : err;
}

static um_err memory_reserve(struct um_crdt *doc, struct plan *p)
{
    um_err err = UM_OK;

    if ((uint64_t)doc->n_structs + p->fresh > doc->limits.structs)
        return UM_ELIMIT;
    for (uint32_t i = 0; i < doc->tx->touched.n && err == UM_OK; i++)
        err = index_reserve(doc, &doc->clients.v[doc->tx->touched.v[i]]);
    if (err != UM_OK || (err = index_reserve_chunks(doc)) != UM_OK || (err = items_reserve(doc, p->items)) != UM_OK ||
        (err = content_reserve(doc, p->content)) != UM_OK ||
        (err = types_reserve(doc, p->scan->types, p->scan->keyed)) != UM_OK)
        return err;
    return UM_OK;
}

um_err plan_make(struct um_crdt *doc, struct plan *p, struct um_span update, const struct scan *scan)
{
    um_err err;

    memset(p, 0, sizeof(*p));
    p->scan = scan;
    p->end = update.data + update.len;
    doc->need_spare = 0;
    for (uint32_t i = 0; i < doc->tx->touched.n; i++) {
        struct client *c = &doc->clients.v[doc->tx->touched.v[i]];

        c->appends = c->inserts = 0;
        c->section = NONE;
        c->planned = c->state;
    }
    if ((err = sections_open(doc, p, update)) != UM_OK)
        return err;
    sections_sort(doc, p);
    if ((err = sections_intern(doc, p)) != UM_OK)
        return err;
    for (uint32_t k = 0; k < p->sections.n; k++)
        if ((err = section_order(doc, p, k)) != UM_OK)
            return err;
    if ((err = ranges_prepare(doc, p)) != UM_OK || (err = depth_check(doc, p)) != UM_OK)
        return err;
    return memory_reserve(doc, p);
}

/* A struct that is known. yjs looks up its neighbours before it notices, which cuts them where the struct begins or
 * ends: that is seen when it falls inside a surrogate pair, and in what is joined afterwards. */
static void known_skip(struct um_crdt *doc, const struct wire *w)
{
    uint32_t splits = doc->tx->splits.n;

    doc->tx->odd = true;
    if (w->kind == KIND_GC)
        return;
    if ((w->info & INFO_ORIGIN) != 0)
        item_ending(doc, client_find(doc, w->origin.client), w->origin.clock);
    if ((w->info & INFO_RIGHT) != 0)
        item_starting(doc, client_find(doc, w->right.client), w->right.clock);
    if (doc->tx->splits.n != splits)
        cache_drop(doc);
}

/* Gives up when conflict scans get out of hand, unless taking everything back is impossible. */
bool plan_run(struct um_crdt *doc, struct plan *p, uint64_t max_scan)
{
    struct wire w;

    for (uint32_t k = 0; k < p->sections.n; k++) {
        struct plan_section *s = &p->sections.v[k];

        s->r = (struct rd){ s->s.p, p->end, UM_OK };
        s->clock = s->s.clock;
    }
    for (uint32_t i = 0; i < p->runs.n; i++) {
        struct plan_section *s = &p->sections.v[p->runs.v[i].section];

        for (uint32_t n = p->runs.v[i].n; n > 0; n--) {
            uint32_t state = doc->clients.v[s->client].state;

            wire_read(&s->r, s->s.client, s->clock, &w, NULL);
            s->clock += w.len;
            if (w.kind == KIND_SKIP || w.len == 0)
                continue;
            if (state >= s->clock)
                known_skip(doc, &w);
            else
                integrate(doc, s->client, &w, state - w.clock);
            if (doc->tx->scanned > max_scan && !doc->tx->lost)
                return false;
        }
    }
    return true;
}

void plan_free(struct um_crdt *doc, struct plan *p)
{
    vec_free(&doc->mem, &p->sections);
    vec_free(&doc->mem, &p->runs);
    vec_free(&doc->mem, &p->stack);
    vec_free(&doc->mem, &p->missing);
}
