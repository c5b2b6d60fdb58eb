/* A cold document: its state as the store gave it, and nothing else. Joins are served from these bytes; the first
 * change or read integrates them (thaw). Only a complete state may stay cold: one that leaves nothing waiting, so
 * that what its bytes say is what the document would say. */
#include "doc.h"
#include "cold.h"
#include "edit.h"

/* ---- may it stay cold? --------------------------------------------------------------------------------- */

/* The clock behind CLIENT's structs; both are descending, so a search will do. */
static uint32_t end_of(const sv_vec *sv, uint64_t client, uint32_t *hint)
{
    if (*hint < sv->n && sv->v[*hint].client == client)
        return (uint32_t)sv->v[*hint].clock;
    for (uint32_t lo = 0, hi = sv->n; lo < hi;) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (sv->v[mid].client == client) {
            *hint = mid;
            return (uint32_t)sv->v[mid].clock;
        }
        if (sv->v[mid].client > client)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

/* Every client once, from clock 0, without holes: then the sections are the state vector. */
static bool is_whole(struct um_span state, const struct scan *scan)
{
    return scan->ordered && scan->from_zero && !scan->empty && scan->skips == 0 && scan->bytes == state.len;
}

static bool refers_inside(const sv_vec *sv, const struct wire *w, uint32_t *hint)
{
    return ((w->info & INFO_ORIGIN) == 0 || w->origin.clock < end_of(sv, w->origin.client, hint)) &&
           ((w->info & INFO_RIGHT) == 0 || w->right.clock < end_of(sv, w->right.client, hint)) &&
           (w->parent_form != PARENT_ID || w->parent.clock < end_of(sv, w->parent.client, hint));
}

static bool is_closed(struct um_span state, const struct scan *scan, const sv_vec *sv)
{
    struct rd r = rd_make(state);
    struct range_walk walk = range_walk_make(scan->ds);
    struct range g;
    uint32_t hint = 0;

    rd_uint(&r);
    for (uint32_t i = 0; i < scan->sections; i++) {
        struct section s;
        uint32_t clock;
        struct wire w;

        section_read(&r, &s);
        clock = s.clock;
        for (uint32_t k = 0; k < s.n; k++, clock += w.len) {
            wire_read(&r, s.client, clock, &w, NULL);
            if (w.kind != KIND_GC && !refers_inside(sv, &w, &hint))
                return false;
        }
    }
    while (range_next(&walk, &g))
        if (g.clock + g.len > end_of(sv, g.client, &hint))
            return false;
    return true;
}

/* ---- getting cold and warm ----------------------------------------------------------------------------- */

static bool is_empty(const struct um_crdt *doc)
{
    return doc->cold.state == NULL && doc->clients.n == 0 && doc->roots.n == 0 &&
           doc->pending.pieces.n + doc->pending.ranges.n == 0;
}

um_err um_crdt_open(struct um_crdt *doc, struct um_bytes *state)
{
    struct um_crdt_limits limits = limits_of_store(doc);
    struct um_span bytes = um_bytes_span(state);
    sv_vec sv = { 0 };
    struct scan scan;
    um_err err;

    if (!is_empty(doc))
        return UM_ECONFLICT;
    err = update_scan_ends(&doc->mem, bytes, &limits, &scan, &sv);
    if (err == UM_OK && scan.structs > doc->limits.structs)
        err = UM_ELIMIT;
    if (err == UM_OK && is_whole(bytes, &scan) && is_closed(bytes, &scan, &sv)) {
        doc->cold.sv = sv;
        doc->cold.ds = scan.ds;
        doc->cold.structs = scan.structs;
        doc->cold.state = um_bytes_ref(state);
        return UM_OK;
    }
    vec_free(&doc->mem, &sv);
    return err == UM_OK ? um_crdt_load(doc, bytes, NULL) : err;
}

bool um_crdt_is_cold(const struct um_crdt *doc) { return doc->cold.state != NULL; }

um_err cold_integrate(struct um_crdt *doc)
{
    struct cold cold = doc->cold;
    um_crdt_observer *observer = doc->observer;
    um_err err;

    doc->cold = (struct cold){ 0 };
    doc->observer = NULL;             /* nothing changes that was not there */
    err = um_crdt_load(doc, um_bytes_span(cold.state), NULL);
    doc->observer = observer;
    if (err != UM_OK) {
        doc->cold = cold;
        return err;
    }
    doc->cold = cold;
    cold_drop(doc);
    return UM_OK;
}

void cold_drop(struct um_crdt *doc)
{
    um_bytes_unref(doc->cold.state);
    vec_free(&doc->mem, &doc->cold.sv);
    doc->cold = (struct cold){ 0 };
}

/* A root that was declared, whoever listens or may undo, belongs to the insides that would go. */
static bool may_freeze(const struct um_crdt *doc)
{
    if (edit_is_open(doc))
        return false;
    for (uint32_t i = 0; i < doc->roots.n; i++)
        if (doc->types.v[doc->roots.v[i]].kind != UM_CRDT_UNTYPED)
            return false;
    return doc->observer == NULL && doc->undo == NULL && doc->pending.pieces.n + doc->pending.ranges.n == 0;
}

um_err um_crdt_freeze(struct um_crdt *doc)
{
    struct um_bytes *state;
    struct um_crdt *fresh;
    struct um_crdt_conf conf = doc_conf(doc);
    struct um_crdt swap;
    um_err err;

    if (um_crdt_is_cold(doc))
        return UM_OK;
    if (!may_freeze(doc))
        return UM_ECONFLICT;
    if ((err = um_crdt_encode_shared(doc, &state)) != UM_OK)
        return err;
    if ((err = um_crdt_new(&conf, &fresh)) == UM_OK) {
        if ((err = um_crdt_open(fresh, state)) == UM_OK) {
            swap = *doc;
            *doc = *fresh;
            *fresh = swap;
            doc->tx = &doc->txs[0];
            fresh->tx = &fresh->txs[0];
        }
        um_crdt_free(fresh);
    }
    um_bytes_unref(state);
    return err;
}

bool cold_knows(const struct um_crdt *doc, struct um_span update, const struct scan *scan)
{
    struct rd r = rd_make(update);
    uint32_t hint = 0;

    rd_uint(&r);
    for (uint32_t i = 0; i < scan->sections; i++) {
        struct section s;

        section_read(&r, &s);
        if (section_skip(&r, &s) > end_of(&doc->cold.sv, s.client, &hint))
            return false;
    }
    return scan->ranges == 0 || um_span_eq(scan->ds, doc->cold.ds);
}

/* ---- serving ------------------------------------------------------------------------------------------- */

um_err cold_state_vector(const struct um_crdt *doc, struct um_buf *out)
{
    const sv_vec *sv = &doc->cold.sv;

    buf_put_uint(out, sv->n);
    for (uint32_t i = 0; i < sv->n; i++) {
        buf_put_uint(out, sv->v[i].client);
        buf_put_uint(out, sv->v[i].clock);
    }
    return out->failed ? UM_ENOMEM : UM_OK;
}

um_err cold_encode(const struct um_crdt *doc, struct mem *m, const sv_vec *sv, struct um_buf *out)
{
    struct um_span state = um_bytes_span(doc->cold.state);

    if (sv->n > 0)
        return update_diff(m, state, sv, out);
    um_buf_put(out, state.data, state.len);
    return out->failed ? UM_ENOMEM : UM_OK;
}

struct um_bytes *cold_shared(const struct um_crdt *doc) { return um_bytes_ref(doc->cold.state); }
