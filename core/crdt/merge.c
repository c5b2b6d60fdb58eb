/* Updates without a document: merging, differences, state vectors, figures.
 *
 * Merging goes client by client, highest first, with a heap over the inputs' sections of that client. Structs are
 * copied, cut where they overlap, and never joined (collected runs are). */
#include "doc.h"
#include "ds.h"
#include <stdlib.h>

/* ---- a writer that does not know yet how many structs a section has -------------------------------------- */

struct writer {
    struct um_buf all, section;       /* finished sections; the structs of the present one */
    uint64_t client;
    uint32_t clock, n, sections;
};

static void writer_flush(struct writer *w)
{
    if (w->n > 0) {
        buf_put_uint(&w->all, w->n);
        buf_put_uint(&w->all, w->client);
        buf_put_uint(&w->all, w->clock);
        um_buf_put(&w->all, w->section.data, w->section.len);
        w->all.failed |= w->section.failed;
        w->sections++;
    }
    w->n = 0;
    um_buf_clear(&w->section);
}

static void writer_put(struct writer *w, uint64_t client, const struct wire *s)
{
    if (w->n > 0 && w->client != client)
        writer_flush(w);
    if (w->n++ == 0) {
        w->client = client;
        w->clock = s->clock;
    }
    wire_write(&w->section, s);
}

static um_err writer_end(struct writer *w, struct um_buf *out)
{
    bool failed;

    writer_flush(w);
    buf_put_uint(out, w->sections);
    um_buf_put(out, w->all.data, w->all.len);
    failed = w->all.failed || out->failed;
    um_buf_free(&w->all);
    um_buf_free(&w->section);
    return failed ? UM_ENOMEM : UM_OK;
}

/* ---- inputs -------------------------------------------------------------------------------------------- */

/* One section of one input; CUR is its next struct, Skips and empty ones left out. */
struct stream {
    uint64_t client;
    uint32_t order;                   /* of the input */
    uint64_t *moved;                  /* the input's: when it was read from last */
    uint32_t clock, left;
    struct rd r;
    struct wire cur;
};
typedef VEC(struct stream) stream_vec;

static bool stream_next(struct stream *s)
{
    while (s->left > 0) {
        s->left--;
        wire_read(&s->r, s->client, s->clock, &s->cur, NULL);
        s->clock += s->cur.len;
        if (s->cur.kind != KIND_SKIP && s->cur.len > 0)
            return true;
    }
    return false;
}

static uint32_t wire_end(const struct wire *w) { return w->clock + w->len; }

static um_err streams_collect(struct mem *m, struct um_span update, uint32_t order, stream_vec *out,
                              struct um_span *ds)
{
    struct rd r = rd_make(update);
    uint64_t n = rd_uint(&r);
    struct section sec;

    for (; n > 0; n--) {
        section_read(&r, &sec);
        if (!vec_room(m, out, 1))
            return UM_ENOMEM;
        out->v[out->n] = (struct stream){ .client = sec.client, .order = order, .clock = sec.clock, .left = sec.n,
                                          .r = r };
        section_skip(&r, &sec);
        if (stream_next(&out->v[out->n]))
            out->n++;
    }
    *ds = UM_SPAN(r.p, rd_left(&r));
    return UM_OK;
}

static int stream_by_client(const void *a, const void *b)
{
    const struct stream *x = *(struct stream *const *)a, *y = *(struct stream *const *)b;

    if (x->client != y->client)
        return x->client < y->client ? 1 : -1;
    return (x->order > y->order) - (x->order < y->order);
}

/* Lowest clock first. Of two structs at one clock that of the input read from most recently, as yjs' stable sorting
 * of its readers has it; of a collected run and an item the other one's (there the outcome hangs on details of the
 * engine's sort; either is right). */
static bool stream_before(const struct stream *a, const struct stream *b)
{
    if (a->cur.clock != b->cur.clock)
        return a->cur.clock < b->cur.clock;
    return ((a->cur.kind == KIND_GC) == (b->cur.kind == KIND_GC)) == (*a->moved > *b->moved);
}

struct heap {
    struct stream **v;
    uint32_t n;
    uint64_t now;
};

static void heap_down(struct heap *h, uint32_t i)
{
    for (;;) {
        uint32_t k = 2 * i + 1;
        struct stream *t = h->v[i];

        if (k >= h->n)
            return;
        if (k + 1 < h->n && stream_before(h->v[k + 1], h->v[k]))
            k++;
        if (!stream_before(h->v[k], t))
            return;
        h->v[i] = h->v[k];
        h->v[k] = t;
        i = k;
    }
}

/* The top was moved on, or is used up. */
static void heap_settle(struct heap *h, bool more)
{
    *h->v[0]->moved = ++h->now;
    if (!more)
        h->v[0] = h->v[--h->n];
    if (h->n > 1)
        heap_down(h, 0);
}

/* ---- merging one client -------------------------------------------------------------------------------- */

static void skip_put(struct writer *w, uint64_t client, uint32_t clock, uint32_t len)
{
    struct wire skip = { .info = KIND_SKIP, .kind = KIND_SKIP, .clock = clock, .len = len };

    writer_put(w, client, &skip);
}

/* One turn with the lowest stream: adds what is new of it behind CUR. False: it was used up or must be sorted in
 * again before anything was taken. */
static bool stream_take(struct stream *s, struct wire *cur, struct writer *w, bool *more)
{
    bool iterated = false;

    while (wire_end(&s->cur) <= wire_end(cur)) {
        iterated = true;
        if (!(*more = stream_next(s)))
            return false;
    }
    if (iterated && s->cur.clock > wire_end(cur))
        return false;
    if (s->cur.clock > wire_end(cur)) {
        writer_put(w, s->client, cur);
        skip_put(w, s->client, wire_end(cur), s->cur.clock - wire_end(cur));
    } else {
        if (s->cur.clock < wire_end(cur))
            wire_cut(&s->cur, s->client, wire_end(cur) - s->cur.clock);
        if (s->cur.kind == KIND_GC && cur->kind == KIND_GC) {
            cur->len += s->cur.len;
            *more = stream_next(s);
            return true;
        }
        writer_put(w, s->client, cur);
    }
    *cur = s->cur;
    *more = stream_next(s);
    return true;
}

static void client_merge(struct heap *h, struct writer *w)
{
    uint64_t client = h->v[0]->client;
    struct wire cur;
    bool more;

    for (uint32_t i = h->n; i > 0; i--)
        heap_down(h, i - 1);
    cur = h->v[0]->cur;
    more = stream_next(h->v[0]);
    for (;;) {
        struct stream *s = h->v[0];

        while (more && s->cur.clock == wire_end(&cur)) {
            writer_put(w, client, &cur);
            cur = s->cur;
            more = stream_next(s);
        }
        heap_settle(h, more);
        if (h->n == 0)
            break;
        more = true;
        while (!stream_take(h->v[0], &cur, w, &more)) {
            heap_settle(h, more);
            more = true;
            if (h->n == 0)
                break;
        }
        if (h->n == 0)
            break;
    }
    writer_put(w, client, &cur);
}

/* ---- merging ------------------------------------------------------------------------------------------- */

struct merger {
    stream_vec streams;
    VEC(uint64_t) moved;              /* per input; at first, earlier ones count as more recent */
    range_vec ranges;
    struct stream **by_client;
};

static um_err merger_fill(struct mem *m, struct merger *g, const struct um_span *updates, size_t n)
{
    um_err err = vec_room(m, &g->moved, n) ? UM_OK : UM_ENOMEM;

    for (size_t i = 0; i < n && err == UM_OK; i++) {
        struct um_span ds;

        g->moved.v[g->moved.n++] = n - i;
        if ((err = streams_collect(m, updates[i], (uint32_t)i, &g->streams, &ds)) == UM_OK)
            err = ranges_collect(m, ds, &g->ranges);
    }
    if (err != UM_OK || g->streams.n == 0)
        return err;
    g->by_client = mem_resize(m, NULL, 0, g->streams.n * sizeof(*g->by_client));
    if (g->by_client == NULL)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < g->streams.n; i++) {
        g->streams.v[i].moved = &g->moved.v[g->streams.v[i].order];
        g->by_client[i] = &g->streams.v[i];
    }
    qsort(g->by_client, g->streams.n, sizeof(*g->by_client), stream_by_client);
    return UM_OK;
}

um_err updates_merge(struct mem *m, const struct um_span *updates, size_t n, struct um_buf *out)
{
    struct merger g = { 0 };
    struct writer w = { 0 };
    struct heap h = { .now = n };
    uint32_t n_streams;
    um_err err;

    if (n == 1) {
        um_buf_put(out, updates[0].data, updates[0].len);
        return out->failed ? UM_ENOMEM : UM_OK;
    }
    err = merger_fill(m, &g, updates, n);
    n_streams = g.streams.n;
    for (uint32_t from = 0, to; err == UM_OK && from < n_streams; from = to) {
        for (to = from; to < n_streams && g.by_client[to]->client == g.by_client[from]->client;)
            to++;
        h.v = g.by_client + from;
        h.n = to - from;
        client_merge(&h, &w);
    }
    if (err == UM_OK) {
        ranges_normalise(&g.ranges);
        err = writer_end(&w, out);
        ranges_write(&g.ranges, out);
        if (out->failed)
            err = UM_ENOMEM;
    }
    mem_free(m, g.by_client, n_streams * sizeof(*g.by_client));
    vec_free(m, &g.streams);
    vec_free(m, &g.moved);
    vec_free(m, &g.ranges);
    return err;
}

/* ---- difference ---------------------------------------------------------------------------------------- */

static void section_diff(struct writer *w, struct rd *r, const struct section *sec, uint64_t known)
{
    uint32_t clock = sec->clock;
    bool begun = false;
    struct wire s;

    for (uint32_t i = 0; i < sec->n; i++, clock = wire_end(&s)) {
        struct wire part;

        wire_read(r, sec->client, clock, &s, NULL);
        if (s.len == 0 || (!begun && (s.kind == KIND_SKIP || wire_end(&s) <= known)))
            continue;
        part = s;
        if (!begun && known > s.clock)
            wire_cut(&part, sec->client, (uint32_t)known - s.clock);
        begun = true;
        writer_put(w, sec->client, &part);
    }
}

um_err update_diff(struct mem *m, struct um_span update, const sv_vec *sv, struct um_buf *out)
{
    struct rd r = rd_make(update);
    struct writer w = { 0 };
    range_vec ranges = { 0 };
    um_err err;

    for (uint64_t n = rd_uint(&r); n > 0; n--) {
        struct section sec;

        section_read(&r, &sec);
        section_diff(&w, &r, &sec, sv_get(sv, sec.client));
        writer_flush(&w);
    }
    err = writer_end(&w, out);
    if (err == UM_OK)
        err = ranges_collect(m, UM_SPAN(r.p, rd_left(&r)), &ranges);
    if (err == UM_OK)
        err = ranges_group(m, &ranges);
    ranges_write(&ranges, out);
    vec_free(m, &ranges);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

/* ---- public: everything checks its input first ----------------------------------------------------------- */

static um_err update_check(struct mem *m, const struct um_crdt_conf *cf, struct um_span *update, struct scan *s)
{
    um_err err = update_scan(*update, &cf->limits, s);

    if (err == UM_OK)
        err = update_check_unique(m, *update, s);
    update->len = UM_MIN(update->len, s->bytes);
    return err;
}

um_err um_crdt_validate(const struct um_crdt_conf *conf, struct um_span update, struct um_crdt_update_stats *stats)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct mem m;
    struct scan s;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = update_check(&m, &cf, &update, &s)) != UM_OK)
        return err;
    if (stats != NULL)
        *stats = (struct um_crdt_update_stats){ s.sections, s.structs, s.skips, s.ranges, s.bytes, s.empty };
    return UM_OK;
}

um_err um_crdt_merge(const struct um_crdt_conf *conf, const struct um_span *updates, size_t n, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct mem m;
    VEC(struct um_span) spans = { 0 };
    um_err err = UM_OK;

    mem_init(&m, &cf.alloc);
    if (n > UINT32_MAX || !vec_room(&m, &spans, n))
        return UM_ENOMEM;
    for (size_t i = 0; i < n && err == UM_OK; i++) {
        struct scan s;

        spans.v[spans.n] = updates[i];
        err = update_check(&m, &cf, &spans.v[spans.n++], &s);
    }
    if (err == UM_OK)
        err = updates_merge(&m, spans.v, spans.n, out);
    vec_free(&m, &spans);
    return err;
}

um_err um_crdt_diff(const struct um_crdt_conf *conf, struct um_span update, struct um_span sv, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct mem m;
    struct scan s;
    sv_vec known;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = update_check(&m, &cf, &update, &s)) != UM_OK || (err = sv_read(&m, sv, &cf.limits, &known)) != UM_OK)
        return err;
    err = update_diff(&m, update, &known, out);
    vec_free(&m, &known);
    return err;
}

/* Steps over a section: its end, and the end of what has no hole from clock 0 on. */
static void section_ends(struct rd *r, const struct section *sec, uint32_t *end, uint32_t *whole)
{
    bool counting = sec->clock == 0;
    struct wire w;

    *end = sec->clock;
    *whole = 0;
    for (uint32_t i = 0; i < sec->n; i++, *end = wire_end(&w)) {
        wire_read(r, sec->client, *end, &w, NULL);
        counting &= w.kind != KIND_SKIP;
        if (counting)
            *whole = wire_end(&w);
    }
}

um_err um_crdt_sv_of_update(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_buf entries = { 0 };
    struct rd r = rd_make(update);
    struct mem m;
    struct scan s;
    uint32_t n = 0;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = update_check(&m, &cf, &update, &s)) != UM_OK)
        return err;
    rd_uint(&r);
    for (uint32_t i = 0; i < s.sections; i++) {
        struct section sec;
        uint32_t end, whole;

        section_read(&r, &sec);
        section_ends(&r, &sec, &end, &whole);
        if (whole == 0)
            continue;
        n++;
        buf_put_uint(&entries, sec.client);
        buf_put_uint(&entries, whole);
    }
    buf_put_uint(out, n);
    um_buf_put(out, entries.data, entries.len);
    err = entries.failed || out->failed ? UM_ENOMEM : UM_OK;
    um_buf_free(&entries);
    return err;
}

um_err um_crdt_update_meta(const struct um_crdt_conf *conf, struct um_span update, um_crdt_meta_cb *cb, void *arg)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct rd r = rd_make(update);
    struct mem m;
    struct scan s;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = update_check(&m, &cf, &update, &s)) != UM_OK)
        return err;
    rd_uint(&r);
    for (uint32_t i = 0; i < s.sections; i++) {
        struct section sec;
        uint32_t end, whole;

        section_read(&r, &sec);
        section_ends(&r, &sec, &end, &whole);
        if (sec.n > 0)
            cb(arg, sec.client, sec.clock, end);
    }
    return UM_OK;
}

um_err um_crdt_sv_validate(const struct um_crdt_conf *conf, struct um_span sv)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct rd r = rd_make(sv);
    uint64_t n = rd_uint(&r);

    if (r.err != UM_OK || n > rd_left(&r) / 2)
        return UM_EPROTO;
    if (n > cf.limits.state_vector_entries)
        return UM_ELIMIT;
    for (; n > 0; n--) {
        rd_uint(&r);
        rd_uint(&r);
    }
    return r.err;
}

um_err um_crdt_sv_get(struct um_span sv, uint64_t client, uint64_t *clock)
{
    struct rd r = rd_make(sv);

    *clock = 0;
    for (uint64_t n = rd_uint(&r); n > 0 && r.err == UM_OK; n--) {
        uint64_t id = rd_uint(&r), at = rd_uint(&r);

        if (id == client && r.err == UM_OK)
            *clock = at;
    }
    return r.err;
}
