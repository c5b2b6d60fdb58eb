/* What waits for updates that are missing. Each parked rest is kept as it came, a small update of its own; the
 * pieces are merged only when something can go on, when the state is encoded, or when they have doubled. So
 * adding one costs its own size. Deletions that wait are one sorted list. */
#include "doc.h"

#define FOLD_BYTES (1u << 20)         /* work that folding may take */

/* ---- parked structs ------------------------------------------------------------------------------------ */

static bool piece_take(struct um_crdt *doc, struct piece *piece, struct um_buf *buf)
{
    if (buf->failed || (piece->data = mem_resize(&doc->mem, NULL, 0, buf->len)) == NULL)
        return false;
    memcpy(piece->data, buf->data, buf->len);
    piece->len = (uint32_t)buf->len;
    return true;
}

/* The parked parts of the planned update, as an update. */
static um_err piece_make(struct um_crdt *doc, const struct plan *p, struct piece *piece)
{
    struct um_buf buf = { 0 };
    um_err err;

    *piece = (struct piece){ .structs = p->parked };
    for (uint32_t k = 0; k < p->sections.n; k++)
        piece->sections += p->sections.v[k].rest != NULL;
    buf_put_uint(&buf, piece->sections);
    for (uint32_t k = 0; k < p->sections.n; k++) {
        const struct plan_section *s = &p->sections.v[k];
        struct rd r = { s->rest, p->end, UM_OK };
        uint32_t clock = s->rest_clock;
        struct wire w;

        if (s->rest == NULL)
            continue;
        buf_put_uint(&buf, s->rest_n);
        buf_put_uint(&buf, s->s.client);
        buf_put_uint(&buf, clock);
        for (uint32_t i = 0; i < s->rest_n; i++, clock += w.len) {
            wire_read(&r, s->s.client, clock, &w, NULL);
            wire_write(&buf, &w);
        }
    }
    um_buf_put_u8(&buf, 0);
    err = piece_take(doc, piece, &buf) ? UM_OK : UM_ENOMEM;
    um_buf_free(&buf);
    return err;
}

/* All pieces at once. */
static um_err pieces_merge(struct mem *m, const struct pending *p, struct um_buf *out)
{
    VEC(struct um_span) spans = { 0 };
    um_err err;

    if (!vec_room(m, &spans, p->pieces.n))
        return UM_ENOMEM;
    for (uint32_t i = 0; i < p->pieces.n; i++)
        spans.v[spans.n++] = UM_SPAN(p->pieces.v[i].data, p->pieces.v[i].len);
    err = updates_merge(m, spans.v, spans.n, out);
    vec_free(m, &spans);
    return err;
}

/* One piece after another, as yjs does when each arrives. */
static um_err pieces_fold(struct mem *m, const struct pending *p, struct um_buf *out)
{
    um_err err = UM_OK;

    um_buf_put(out, p->pieces.v[0].data, p->pieces.v[0].len);
    for (uint32_t i = 1; i < p->pieces.n && err == UM_OK; i++) {
        struct um_span two[2] = { UM_SPAN(out->data, out->len), UM_SPAN(p->pieces.v[i].data, p->pieces.v[i].len) };
        struct um_buf next = { 0 };

        err = out->failed ? UM_ENOMEM : updates_merge(m, two, 2, &next);
        um_buf_free(out);
        *out = next;
    }
    return out->failed ? UM_ENOMEM : err;
}

/* OUT is empty. Both ways tell the same; where pieces overlap that are cut differently only folding cuts as yjs. */
um_err pending_merged(const struct um_crdt *doc, struct um_buf *out)
{
    const struct pending *p = &doc->pending;
    struct mem m;

    mem_init(&m, &doc->mem.alloc);
    if (p->pieces.n > 1 && p->pieces.n * p->bytes <= FOLD_BYTES)
        return pieces_fold(&m, p, out);
    return pieces_merge(&m, p, out);
}

void pending_drop_pieces(struct um_crdt *doc)
{
    struct pending *p = &doc->pending;

    for (uint32_t i = 0; i < p->pieces.n; i++) {
        p->bytes -= p->pieces.v[i].len;
        mem_free(&doc->mem, p->pieces.v[i].data, p->pieces.v[i].len);
    }
    p->pieces.n = p->missing.n = 0;
    p->structs = p->sections = p->compacted = 0;
}

static um_err pending_compact(struct um_crdt *doc)
{
    struct pending *p = &doc->pending;
    struct um_buf buf = { 0 };
    struct piece one = { 0 };
    struct scan s;
    um_err err;

    if (p->pieces.n < 2)
        return UM_OK;
    if ((err = pending_merged(doc, &buf)) == UM_OK &&
        (err = update_scan(UM_SPAN(buf.data, buf.len), &doc->limits, &s)) == UM_OK &&
        !piece_take(doc, &one, &buf))
        err = UM_ENOMEM;
    um_buf_free(&buf);
    if (err != UM_OK)
        return err;
    one.structs = s.structs - s.skips;
    one.sections = s.sections;
    for (uint32_t i = 0; i < p->pieces.n; i++) {
        p->bytes -= p->pieces.v[i].len;
        mem_free(&doc->mem, p->pieces.v[i].data, p->pieces.v[i].len);
    }
    p->pieces.v[0] = one;
    p->pieces.n = 1;
    p->bytes += one.len;
    p->structs = p->compacted = one.structs;
    p->sections = one.sections;
    return UM_OK;
}

static bool pending_is_full(const struct um_crdt *doc, const struct plan *plan, const struct piece *piece)
{
    const struct pending *p = &doc->pending;

    return p->bytes + piece->len + (p->ranges.n + (size_t)plan->parked_ranges) * sizeof(struct range) >
               doc->limits.pending_bytes ||
           (uint64_t)p->structs + piece->structs + p->ranges.n + plan->parked_ranges > doc->limits.pending_structs ||
           (uint64_t)p->sections + piece->sections > doc->limits.pending_clients;
}

/* Before the first change: may the plan's rest wait, and is there memory for it? */
um_err pending_reserve(struct um_crdt *doc, const struct plan *plan, struct piece *piece)
{
    struct pending *p = &doc->pending;
    um_err err = UM_OK;

    *piece = (struct piece){ 0 };
    if (plan->parked == 0 && plan->parked_ranges == 0)
        return UM_OK;
    if (plan->parked > 0 && (err = piece_make(doc, plan, piece)) != UM_OK)
        return err;
    if (p->structs > 2 * p->compacted + 64 || pending_is_full(doc, plan, piece))
        err = pending_compact(doc);
    if (err == UM_OK && pending_is_full(doc, plan, piece))
        err = UM_ELIMIT;
    if (err == UM_OK && (!vec_room(&doc->mem, &p->pieces, 1) || !vec_room(&doc->mem, &p->missing, plan->missing.n) ||
                         !vec_room(&doc->mem, &p->ranges, plan->parked_ranges)))
        err = UM_ENOMEM;
    if (err != UM_OK) {
        mem_free(&doc->mem, piece->data, piece->len);
        *piece = (struct piece){ 0 };
    }
    return err;
}

static void missing_put(struct pending *p, struct missing m)
{
    uint32_t lo = 0, hi = p->missing.n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (p->missing.v[mid].client < m.client)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < p->missing.n && p->missing.v[lo].client == m.client) {
        p->missing.v[lo].clock = UM_MIN(p->missing.v[lo].clock, m.clock);
        return;
    }
    memmove(p->missing.v + lo + 1, p->missing.v + lo, (p->missing.n - lo) * sizeof(m));
    p->missing.v[lo] = m;
    p->missing.n++;
}

void pending_add(struct um_crdt *doc, const struct plan *plan, struct piece *piece)
{
    struct pending *p = &doc->pending;

    if (piece->data == NULL)
        return;
    p->pieces.v[p->pieces.n++] = *piece;
    p->bytes += piece->len;
    p->structs += piece->structs;
    p->sections += piece->sections;
    for (uint32_t i = 0; i < plan->missing.n; i++)
        missing_put(p, plan->missing.v[i]);
    *piece = (struct piece){ 0 };
}

bool pending_is_ready(const struct um_crdt *doc)
{
    const struct pending *p = &doc->pending;

    for (uint32_t i = 0; i < p->missing.n; i++) {
        uint32_t k = client_find(doc, p->missing.v[i].client);

        if (k != NONE && p->missing.v[i].clock < doc->clients.v[k].state)
            return true;
    }
    return false;
}

/* ---- deletions that wait ------------------------------------------------------------------------------- */

static bool range_before(const struct range *a, const struct range *b)
{
    return a->client != b->client ? a->client > b->client : a->clock < b->clock;
}

/* Into the sorted list, joined with what it touches. The room is reserved. */
void pending_put_range(struct um_crdt *doc, struct range g)
{
    struct pending *p = &doc->pending;
    uint32_t lo = 0, hi = p->ranges.n, to;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (range_before(&p->ranges.v[mid], &g))
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo > 0 && p->ranges.v[lo - 1].client == g.client &&
        p->ranges.v[lo - 1].clock + p->ranges.v[lo - 1].len >= g.clock) {
        lo--;
        g.len = UM_MAX(p->ranges.v[lo].clock + p->ranges.v[lo].len, g.clock + g.len) - p->ranges.v[lo].clock;
        g.clock = p->ranges.v[lo].clock;
    }
    for (to = lo; to < p->ranges.n && p->ranges.v[to].client == g.client &&
                  p->ranges.v[to].clock <= g.clock + g.len; to++) {
        uint32_t end = UM_MAX(p->ranges.v[to].clock + p->ranges.v[to].len, g.clock + g.len);

        g.len = end - g.clock;
    }
    UM_ASSERT(to > lo || p->ranges.n < p->ranges.cap);
    memmove(p->ranges.v + lo + 1, p->ranges.v + to, (p->ranges.n - to) * sizeof(g));
    p->ranges.n = p->ranges.n - (to - lo) + 1;
    p->ranges.v[lo] = g;
}

static bool ranges_are_ready(const struct um_crdt *doc)
{
    const struct pending *p = &doc->pending;

    for (uint32_t i = 0; i < p->ranges.n; i++) {
        uint32_t k = client_find(doc, p->ranges.v[i].client);

        if (k != NONE && p->ranges.v[i].clock < doc->clients.v[k].state)
            return true;
        while (i + 1 < p->ranges.n && p->ranges.v[i + 1].client == p->ranges.v[i].client)
            i++;                          /* the first of a client has the lowest clock */
    }
    return false;
}

/* Deletes what has arrived by now. Splitting may need memory; without it the rest goes on waiting. */
void pending_apply_ranges(struct um_crdt *doc)
{
    struct pending *p = &doc->pending;
    uint32_t n = 0;

    if (p->ranges.n == 0 || !ranges_are_ready(doc))
        return;
    for (uint32_t i = 0; i < p->ranges.n; i++) {
        struct range g = p->ranges.v[i];
        uint32_t k = client_find(doc, g.client), end;

        if (k != NONE && g.clock < doc->clients.v[k].state && pending_ranges_room(doc, k) == UM_OK) {
            end = UM_MIN(g.clock + g.len, doc->clients.v[k].state);
            range_delete(doc, k, g.clock, end);
            g.len -= end - g.clock;
            g.clock = end;
            doc->tx->odd = true;
        }
        if (g.len > 0)
            p->ranges.v[n++] = g;
    }
    p->ranges.n = n;
}

/* Room for the two splits that one range may cause in client K. */
um_err pending_ranges_room(struct um_crdt *doc, uint32_t k)
{
    um_err err;

    if ((err = tx_touch(doc, k)) != UM_OK)
        return err;
    doc->clients.v[k].appends = 0;
    doc->clients.v[k].inserts = 2;
    doc->need_spare = 0;
    if ((err = index_reserve(doc, &doc->clients.v[k])) != UM_OK || (err = index_reserve_chunks(doc)) != UM_OK)
        return err;
    return items_reserve(doc, 2);
}

void pending_destroy(struct um_crdt *doc)
{
    pending_drop_pieces(doc);
    vec_free(&doc->mem, &doc->pending.pieces);
    vec_free(&doc->mem, &doc->pending.missing);
    vec_free(&doc->mem, &doc->pending.ranges);
}
