/* The encoded state, kept for readers that join: a shared blob and the events since it was made. */
#include "cold.h"
#include "doc.h"

#define TAIL_MIN (64u << 10)          /* a tail may always be this long */
#define TAIL_PARTS 16u                /* so many parts, then they are merged into one */

void cache_drop(struct um_crdt *doc)
{
    struct event_cache *c = &doc->cache;

    um_bytes_unref(c->blob);
    c->blob = NULL;
    for (uint32_t i = 0; i < c->tail.n; i++)
        um_bytes_unref(c->tail.v[i]);
    c->tail.n = 0;
    c->tail_bytes = 0;
    vec_free(&doc->mem, &c->raw);
}

/* An event happened; an empty one means that its bytes are unknown. */
void cache_note(struct um_crdt *doc, struct um_span event)
{
    struct event_cache *c = &doc->cache;
    uint8_t *p;

    if (c->blob == NULL)
        return;
    if (event.len == 0 || c->tail_bytes + c->raw.n + event.len > UM_MAX((size_t)TAIL_MIN, c->blob->len / 4) ||
        !vec_room(&doc->mem, &c->raw, event.len + LIB0_UINT_MAX_BYTES)) {
        cache_drop(doc);
        return;
    }
    p = wr_uint(c->raw.v + c->raw.n, event.len);
    p = wr_bytes(p, event.data, event.len);
    c->raw.n = (uint32_t)(p - c->raw.v);
}

static um_err spans_join(struct mem *m, const struct um_span *spans, uint32_t n, struct um_bytes **out)
{
    struct um_buf buf = { 0 };
    um_err err = updates_merge(m, spans, n, &buf);

    if (err == UM_OK && (*out = um_buf_to_bytes(&buf)) == NULL)
        err = UM_ENOMEM;
    um_buf_free(&buf);
    return err;
}

/* The raw events become one more part of the tail. */
static um_err raw_join(struct um_crdt *doc)
{
    struct event_cache *c = &doc->cache;
    struct rd r = rd_make(UM_SPAN(c->raw.v, c->raw.n));
    VEC(struct um_span) spans = { 0 };
    struct um_bytes *part = NULL;
    um_err err = UM_OK;

    if (c->raw.n == 0)
        return UM_OK;
    while (rd_left(&r) > 0 && err == UM_OK) {
        if (vec_room(&doc->mem, &spans, 1))
            spans.v[spans.n++] = rd_bytes(&r);
        else
            err = UM_ENOMEM;
    }
    if (err == UM_OK && !vec_room(&doc->mem, &c->tail, 1))
        err = UM_ENOMEM;
    if (err == UM_OK && (err = spans_join(&doc->mem, spans.v, spans.n, &part)) == UM_OK) {
        c->tail.v[c->tail.n++] = part;
        c->tail_bytes += part->len;
        c->raw.n = 0;
    }
    vec_free(&doc->mem, &spans);
    return err;
}

static um_err tail_shorten(struct um_crdt *doc)
{
    struct event_cache *c = &doc->cache;
    struct um_span spans[TAIL_PARTS];
    struct um_bytes *one = NULL;
    um_err err;

    if (c->tail.n < TAIL_PARTS)
        return UM_OK;
    for (uint32_t i = 0; i < TAIL_PARTS; i++)
        spans[i] = um_bytes_span(c->tail.v[i]);
    if ((err = spans_join(&doc->mem, spans, TAIL_PARTS, &one)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < TAIL_PARTS; i++)
        um_bytes_unref(c->tail.v[i]);
    c->tail.v[0] = one;
    c->tail.n = 1;
    c->tail_bytes = one->len;
    return UM_OK;
}

static um_err blob_make(struct um_crdt *doc)
{
    struct um_buf buf = { 0 };
    struct um_bytes *blob;
    um_err err = um_crdt_encode(doc, UM_SPAN(NULL, 0), &buf);

    blob = err == UM_OK ? um_buf_to_bytes(&buf) : NULL;
    um_buf_free(&buf);
    if (blob == NULL)
        return err != UM_OK ? err : UM_ENOMEM;
    cache_drop(doc);
    doc->cache.blob = blob;
    return UM_OK;
}

um_err um_crdt_encode_shared(struct um_crdt *doc, struct um_bytes **out)
{
    struct event_cache *c = &doc->cache;
    um_err err;

    if (um_crdt_is_cold(doc)) {
        *out = cold_shared(doc);
        return UM_OK;
    }
    if ((c->blob == NULL || c->tail.n + c->raw.n > 0) && (err = blob_make(doc)) != UM_OK)
        return err;
    *out = um_bytes_ref(c->blob);
    return UM_OK;
}

um_err um_crdt_state_parts(struct um_crdt *doc, struct um_bytes **blob, struct um_bytes ***tail, size_t *n_tail)
{
    struct event_cache *c = &doc->cache;
    um_err err;

    if (um_crdt_is_cold(doc)) {
        *blob = doc->cold.state;
        *tail = NULL;
        *n_tail = 0;
        return UM_OK;
    }
    if (c->blob == NULL && (err = blob_make(doc)) != UM_OK)
        return err;
    if ((err = tail_shorten(doc)) != UM_OK || (err = raw_join(doc)) != UM_OK)
        return err;
    *blob = c->blob;
    *tail = c->tail.v;
    *n_tail = c->tail.n;
    return UM_OK;
}
