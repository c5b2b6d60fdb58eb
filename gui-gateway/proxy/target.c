/* Rewriting of request targets. */
#include <proxy/target.h>

#include <string.h>
#include <umbel/util.h>

/* One decoded segment; false when it is malformed or not fit for a path. */
static bool decode_segment(struct um_buf *out, struct um_span raw)
{
    um_buf_clear(out);
    if (!um_percent_decode(out, raw))
        return false;
    for (size_t i = 0; i < out->len; i++)
        if (out->data[i] < 0x20 || out->data[i] == 0x7f)
            return false;
    return true;
}

static bool pop_segment(struct um_buf *out, size_t start)
{
    if (out->len == start)
        return false;
    do
        out->len--;
    while (out->data[out->len] != '/');
    return true;
}

/* A comma stands between ids; an encoded one belongs to an id. PART is room to work in; RAW is known to be well formed. */
static void put_segment(struct um_buf *out, struct um_buf *part, struct um_span raw)
{
    const uint8_t *p = raw.data, *end = raw.data + raw.len, *comma;

    for (;; p = comma + 1) {
        comma = p < end ? memchr(p, ',', (size_t)(end - p)) : NULL;
        um_buf_clear(part);
        (void)um_percent_decode(part, UM_SPAN(p, (comma != NULL ? comma : end) - p));
        um_percent_encode(out, UM_SPAN(part->data, part->len));
        if (comma == NULL)
            return;
        um_buf_put_u8(out, ',');
    }
}

static um_err put_segments(struct um_buf *out, struct um_buf *seg, struct um_span path)
{
    const uint8_t *p = path.data, *end = path.data + path.len;
    size_t start = out->len;

    while (p < end) {                                    /* p stands on a slash */
        const uint8_t *next = memchr(p + 1, '/', (size_t)(end - p - 1));
        const uint8_t *stop = next != NULL ? next : end;
        struct um_span raw = UM_SPAN(p + 1, stop - p - 1);
        if (!decode_segment(seg, raw))
            return seg->failed ? UM_ENOMEM : UM_EPROTO;
        p = stop;
        if (um_span_eq(UM_SPAN(seg->data, seg->len), UM_SPAN("..", 2))) {
            if (!pop_segment(out, start))
                return UM_EPROTO;
        } else if (!um_span_eq(UM_SPAN(seg->data, seg->len), UM_SPAN(".", 1))) {
            um_buf_put_u8(out, '/');
            put_segment(out, seg, raw);
            if (seg->failed)
                return UM_ENOMEM;
            continue;
        }
        if (p == end)                                    /* "/a/." and "/a/b/.." name a folder */
            um_buf_put_u8(out, '/');
    }
    return UM_OK;
}

um_err um_target_rewrite(const char *raw, struct um_buf *out)
{
    const char *query = strchr(raw, '?');
    size_t path_len = query != NULL ? (size_t)(query - raw) : strlen(raw);
    struct um_buf seg = {0};
    um_err err;

    if (raw[0] != '/')
        return UM_EPROTO;
    err = put_segments(out, &seg, UM_SPAN(raw, path_len));
    um_buf_free(&seg);
    if (err == UM_OK && query != NULL)
        um_buf_puts(out, query);
    return err != UM_OK ? err : out->failed ? UM_ENOMEM : UM_OK;
}
