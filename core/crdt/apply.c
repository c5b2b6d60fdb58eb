/* Applying an update: check all of it, plan, reserve; then change; then tidy up and tell.
 *
 *   check -> plan -> reserve -> integrate -> delete -> retry what waited
 *         -> (formatting clean-up) -> collect -> join -> event, once per transaction
 *
 * Only the steps before "integrate" can fail, and "integrate" itself when placing structs takes too long: then it
 * takes back what it did. */
#include "cold.h"
#include "edit.h"
#include "typing.h"
#include "undo.h"

#define NO_LIMIT UINT64_MAX           /* of scan_steps: what was once accepted is accepted */

/* ---- the common keystroke ------------------------------------------------------------------------------ */

/* One string that goes on exactly where its client's newest run ends: the run grows, nothing else changes. */
struct typed {
    struct client *c;
    uint32_t run;
    struct wire w;
    size_t bytes;                     /* of the update */
};

static bool typed_read(struct um_crdt *doc, struct um_span update, struct typed *t)
{
    struct rd r = rd_make(update);
    struct section s;
    uint32_t k;

    if (update.len < 8 || update.data[0] != 1 || update.data[1] != 1 || doc->pending.pieces.n + doc->pending.ranges.n > 0)
        return false;
    r.p++;
    section_read(&r, &s);
    if (r.err != UM_OK || rd_left(&r) == 0 || (*r.p & (INFO_KIND | INFO_ORIGIN)) != (KIND_STRING | INFO_ORIGIN) ||
        (k = client_find(doc, s.client)) == NONE)
        return false;
    t->c = &doc->clients.v[k];
    if (t->c->state == 0 || s.clock != t->c->state)
        return false;
    wire_read(&r, s.client, s.clock, &t->w, &doc->limits);
    if (t->w.len == 0 || rd_u8(&r) != 0 || r.err != UM_OK || t->w.origin.client != s.client ||
        t->w.origin.clock != s.clock - 1)
        return false;
    t->bytes = (size_t)(r.p - update.data);
    return update.len <= doc->limits.update_bytes;
}

/* Is it written in front of the same item as the run it goes on? */
static bool typed_fits(struct um_crdt *doc, const struct typed *t)
{
    const struct item *run;

    if (t->run == NONE)
        return false;
    run = item_at(doc, t->run);
    if ((t->w.info & INFO_RIGHT) == 0)
        return run->right_client == NONE;
    return run->right_client != NONE && run->right_clock == t->w.right.clock &&
           doc->clients.v[run->right_client].id == t->w.right.client;
}

static bool apply_typed(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out)
{
    struct typed t;

    if (!typed_read(doc, update, &t))
        return false;
    t.run = run_open(doc, t.c);
    if (!typed_fits(doc, &t) || !run_grow(doc, t.c, t.run, t.w.body, t.w.len))
        return false;
    out->changed = out->verbatim = true;
    out->event = UM_SPAN(update.data, t.bytes);
    cache_note(doc, out->event);
    return true;
}

/* ---- changing ------------------------------------------------------------------------------------------ */

/* Plans, and changes only when everything needed is at hand. READY: what waited before may go on. */
static um_err update_apply(struct um_crdt *doc, struct um_span update, const struct scan *scan, uint64_t max_scan,
                           bool *waits, bool *ready)
{
    struct plan plan;
    struct piece piece = { 0 };
    um_err err;

    if ((err = plan_make(doc, &plan, update, scan)) == UM_OK &&
        (err = pending_reserve(doc, &plan, &piece)) == UM_OK && !plan_run(doc, &plan, max_scan)) {
        tx_rollback(doc);
        mem_free(&doc->mem, piece.data, piece.len);
        err = UM_ELIMIT;
    }
    if (err == UM_OK) {
        *ready = pending_is_ready(doc);
        pending_add(doc, &plan, &piece);
        deletions_apply(doc, scan->ds);
        pending_apply_ranges(doc);
        *waits |= plan.parked + plan.parked_ranges > 0;
    }
    plan_free(doc, &plan);
    return err;
}

/* Takes all that waits and applies it anew. Without memory it simply goes on waiting. */
static void pending_retry(struct um_crdt *doc)
{
    struct um_buf buf = { 0 };
    struct scan scan;
    struct pending old = doc->pending;
    struct um_crdt_limits limits = limits_of_store(doc);
    bool waits = false, ready;

    if (pending_merged(doc, &buf) == UM_OK &&
        update_scan(UM_SPAN(buf.data, buf.len), &limits, &scan) == UM_OK) {
        doc->pending.pieces = (__typeof__(old.pieces)){ 0 };
        doc->pending.missing = (__typeof__(old.missing)){ 0 };
        doc->pending.bytes = 0;
        doc->pending.structs = doc->pending.sections = doc->pending.compacted = 0;
        if (update_apply(doc, UM_SPAN(buf.data, buf.len), &scan, NO_LIMIT, &waits, &ready) == UM_OK) {
            struct pending now = doc->pending;

            doc->tx->odd = true;
            doc->pending = old;
            pending_drop_pieces(doc);
            vec_free(&doc->mem, &doc->pending.pieces);
            vec_free(&doc->mem, &doc->pending.missing);
            doc->pending = now;
        } else {
            vec_free(&doc->mem, &doc->pending.pieces);
            vec_free(&doc->mem, &doc->pending.missing);
            old.ranges = (__typeof__(old.ranges))doc->pending.ranges;
            doc->pending = old;
        }
    }
    um_buf_free(&buf);
}

/* ---- finishing ----------------------------------------------------------------------------------------- */

/* The first transaction's event: the caller's bytes where they say exactly the same. */
static void event_make(struct um_crdt *doc, struct um_span update, const struct scan *scan,
                       struct um_crdt_applied *out)
{
    bool same = !doc->tx->odd && !out->pending && !scan->empty && scan->skips == 0 && scan->ordered &&
                event_has_ds(doc, scan->ds);

    if (!(out->changed = tx_changed(doc)))
        return;
    um_buf_clear(&doc->event);
    if (doc->tx->lost)
        return;
    if (same) {
        out->verbatim = true;
        out->event = UM_SPAN(update.data, scan->bytes);
    } else if (event_encode(doc, &doc->event) == UM_OK) {
        out->event = UM_SPAN(doc->event.data, doc->event.len);
    }
}

static void more_make(struct um_crdt *doc, struct um_crdt_applied *out)
{
    if (!tx_changed(doc))
        return;
    um_buf_clear(&doc->more);
    if (doc->tx->lost || event_encode(doc, &doc->more) != UM_OK)
        return;                           /* peers clean up by themselves */
    doc->more_span = UM_SPAN(doc->more.data, doc->more.len);
    out->more = &doc->more_span;
    out->n_more = 1;
}

static void tx_finish(struct um_crdt *doc, struct um_span update, const struct scan *scan, bool want_event,
                      struct um_crdt_applied *out)
{
    struct tx *first = doc->tx;
    bool cleans;

    tx_sort_deleted(doc);
    if (doc->observer != NULL)
        changes_tell(doc);
    if (doc->undo != NULL && doc->origin != NULL)
        undo_note(doc, doc->origin);
    if ((cleans = doc->cleanup && !first->lost && format_cleanup_wanted(doc))) {
        format_cleanup(doc);
        doc->tx = first;
    }
    tx_tidy(doc);
    if (want_event)
        event_make(doc, update, scan, out);
    else
        out->changed = tx_changed(doc);
    if (cleans) {
        doc->tx = &doc->txs[1];
        tx_sort_deleted(doc);
        if (doc->observer != NULL)
            changes_tell(doc);
        if (doc->undo != NULL)
            undo_note(doc, NULL);         /* as in yjs: nobody's, so everybody's */
        tx_tidy(doc);
        more_make(doc, out);
        if (doc->undo != NULL)
            undo_settle(doc);
        doc->tx = first;
    }
}

static um_err apply_checked(struct um_crdt *doc, struct um_span update, const struct scan *scan, uint64_t max_scan,
                            bool want_event, struct um_crdt_applied *out)
{
    struct names_mark mark = names_mark(doc);
    uint32_t n_clients = doc->clients.n;
    bool ready = false;
    um_err err;

    tx_begin(doc, &doc->txs[0], false);
    if ((err = update_apply(doc, update, scan, max_scan, &out->pending, &ready)) != UM_OK) {
        names_rollback(doc, mark);
        clients_truncate(doc, n_clients);
        items_trim(doc);
        index_trim(doc);
        return err;
    }
    if (ready)
        pending_retry(doc);
    tx_finish(doc, update, scan, want_event, out);
    tx_settle(doc, out);
    return UM_OK;
}

static um_err apply_limited(struct um_crdt *doc, struct um_span update, const struct um_crdt_limits *limits,
                            struct um_crdt_applied *out)
{
    struct um_crdt_applied ignored;
    bool want_event = out != NULL || doc->cache.blob != NULL;
    struct scan scan;
    um_err err;

    UM_ASSERT(!doc->telling);
    if (out == NULL)
        out = &ignored;
    memset(out, 0, sizeof(*out));
    if (edit_is_open(doc))
        return UM_EBUSY;
    if (um_crdt_is_cold(doc)) {
        if ((err = update_scan(update, limits, &scan)) != UM_OK)
            return err;
        if (cold_knows(doc, update, &scan))
            return UM_OK;
        if ((err = thaw(doc)) != UM_OK)
            return err;
    }
    tx_scratch_trim(doc);
    if (doc->observer == NULL && (doc->undo == NULL || doc->origin == NULL) && apply_typed(doc, update, out))
        return UM_OK;
    if ((err = update_scan(update, limits, &scan)) != UM_OK ||
        (err = update_check_unique(&doc->mem, update, &scan)) != UM_OK)
        return err;
    return apply_checked(doc, update, &scan, limits->scan_steps == UINT32_MAX ? NO_LIMIT : limits->scan_steps, want_event,
                         out);
}

um_err um_crdt_apply(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out)
{
    return apply_limited(doc, update, &doc->limits, out);
}

um_err um_crdt_load(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out)
{
    struct um_crdt_limits limits = limits_of_store(doc);

    return apply_limited(doc, update, &limits, out);
}

/* ---- asking -------------------------------------------------------------------------------------------- */

static bool range_is_deleted(const struct um_crdt *doc, const struct range *g)
{
    uint32_t k = client_find(doc, g->client);
    struct cursor at;

    if (k == NONE || doc->clients.v[k].state < g->clock + g->len)
        return false;
    at = index_find(&doc->clients.v[k], g->clock);
    do {
        const struct entry *e = cursor_entry(at);

        if (e->clock >= g->clock + g->len)
            return true;
        if (e->ref != REF_GC && !item_is_deleted(item_at(doc, e->ref)))
            return false;
    } while (cursor_next(&at));
    return true;
}

um_err um_crdt_contains(const struct um_crdt *doc, struct um_span update, bool *out)
{
    struct rd r = rd_make(update);
    struct range_walk walk;
    struct range g;
    struct scan scan;
    um_err err;

    if ((err = update_scan(update, &doc->limits, &scan)) != UM_OK)
        return err;
    *out = true;
    if (um_crdt_is_cold(doc) && cold_knows(doc, update, &scan))
        return UM_OK;
    if ((err = thaw(doc)) != UM_OK)
        return err;
    *out = false;
    rd_uint(&r);
    for (uint32_t i = 0; i < scan.sections; i++) {
        struct section s;
        uint32_t k, clock, state;
        struct wire w;

        section_read(&r, &s);
        k = client_find(doc, s.client);
        state = k == NONE ? 0 : doc->clients.v[k].state;
        clock = s.clock;
        for (uint32_t n = 0; n < s.n; n++, clock += w.len) {
            wire_read(&r, s.client, clock, &w, NULL);
            if (w.kind != KIND_SKIP && w.len > 0 && clock + w.len > state)
                return UM_OK;
        }
    }
    walk = range_walk_make(scan.ds);
    while (range_next(&walk, &g))
        if (!range_is_deleted(doc, &g))
            return UM_OK;
    *out = true;
    return UM_OK;
}
