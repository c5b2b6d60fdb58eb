#include "columns.h"
#include <umbel/util.h>

/* ---- reading ------------------------------------------------------------------------------------------- */

static uint64_t fail(um_err *err, um_err e)
{
    if (*err == UM_OK)
        *err = e;
    return 0;
}

/* A sint in two parts: -0 exists. */
static uint64_t sint_read(struct rd *r, bool *negative)
{
    uint8_t b = rd_u8(r);
    uint64_t v = b & 0x3f;

    *negative = (b & 0x40) != 0;
    if (b < 0x80)
        return v;
    if (rd_left(r) >= 2 && r->p[1] < 0x80) {      /* most clocks */
        v |= (uint64_t)(r->p[0] & 0x7f) << 6;
        if (r->p[0] < 0x80) {
            r->p++;
            return v;
        }
        v |= (uint64_t)r->p[1] << 13;
        r->p += 2;
        return v;
    }
    for (unsigned shift = 6; (b & 0x80) != 0; shift += 7) {
        b = rd_u8(r);
        if (shift > 48 || r->err != UM_OK) {
            rd_fail(r, UM_EPROTO);
            return 0;
        }
        v |= (uint64_t)(b & 0x7f) << shift;
    }
    if (v > LIB0_MAX_INT)
        rd_fail(r, UM_EPROTO);
    return v;
}

struct byte_column byte_column_make(struct um_span s, um_err *err)
{
    return (struct byte_column){ .r = rd_make(s), .err = err };
}

struct uint_column uint_column_make(struct um_span s, um_err *err)
{
    return (struct uint_column){ .r = rd_make(s), .err = err };
}

struct diff_column diff_column_make(struct um_span s, um_err *err)
{
    return (struct diff_column){ .r = rd_make(s), .err = err };
}

struct text_column text_column_make(struct um_span s, um_err *err)
{
    struct rd r = rd_make(s);
    struct um_span text = rd_string(&r, true);
    struct text_column c = { .r = rd_make(text), .units = utf16_len(text) };

    if (r.err != UM_OK)
        fail(err, r.err);
    c.lens = uint_column_make(UM_SPAN(r.p, rd_left(&r)), err);
    return c;
}

uint8_t byte_column_next(struct byte_column *c)
{
    c->value = rd_u8(&c->r);
    c->left = rd_left(&c->r) > 0 ? rd_uint(&c->r) : UINT64_MAX;
    return c->r.err == UM_OK ? c->value : (uint8_t)fail(c->err, c->r.err);
}

uint64_t uint_column_next(struct uint_column *c)
{
    bool run;

    c->value = sint_read(&c->r, &run);
    c->left = run ? rd_uint(&c->r) + 1 : 0;
    return c->r.err == UM_OK ? c->value : fail(c->err, c->r.err);
}

int64_t diff_column_next(struct diff_column *c)
{
    bool negative, run;
    uint64_t v = sint_read(&c->r, &negative);
    int64_t twice = negative ? -(int64_t)v : (int64_t)v;

    run = (v & 1) != 0;
    c->diff = (twice - run) / 2;
    c->left = run ? rd_uint(&c->r) + 1 : 0;
    c->value += c->diff;
    if (c->r.err != UM_OK)
        return (int64_t)fail(c->err, c->r.err);
    return c->value;
}

struct column_text text_column_read(struct text_column *c)
{
    uint64_t n = uint_column_read(&c->lens);
    struct column_text t = { .body = UM_SPAN(c->r.p, 0) };
    bool half;

    if (n > c->units) {
        fail(c->lens.err, UM_EPROTO);
        return t;
    }
    if (c->units == rd_left(&c->r)) {     /* nothing but ASCII follows */
        t.body.len = (size_t)n;
        c->r.p += n;
        c->units -= n;
        return t;
    }
    c->units -= n;
    if (c->half && n > 0) {
        t.head_half = true;
        c->half = false;
        c->r.p += 4;
        n--;
    }
    t.body = UM_SPAN(c->r.p, utf16_offset(UM_SPAN(c->r.p, rd_left(&c->r)), (size_t)n, &half));
    c->r.p += t.body.len;
    t.tail_half = half;
    c->half |= half;
    return t;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static void run_put(struct um_buf *out, uint64_t magnitude, bool negative, uint64_t n)
{
    uint8_t *p;

    if (out->cap - out->len < LIB0_SINT_MAX_BYTES + LIB0_UINT_MAX_BYTES &&
        um_buf_room(out, LIB0_SINT_MAX_BYTES + LIB0_UINT_MAX_BYTES) == NULL)
        return;
    p = wr_sint(out->data + out->len, magnitude, negative);
    if (n > 1)
        p = wr_uint(p, n - 2);
    out->len = (size_t)(p - out->data);
}

void byte_write(struct byte_writer *w, uint8_t v)
{
    if (w->n > 0 && v == w->value) {
        w->n++;
        return;
    }
    if (w->n > 0)
        buf_put_uint(&w->out, w->n - 1);
    um_buf_put_u8(&w->out, v);
    w->value = v;
    w->n = 1;
}

static void uint_flush(struct uint_writer *w)
{
    if (w->n > 0)
        run_put(&w->out, w->value, w->n > 1, w->n);
}

void uint_write(struct uint_writer *w, uint64_t v)
{
    if (v == w->value) {
        w->n++;
        return;
    }
    uint_flush(w);
    w->value = v;
    w->n = 1;
}

static void diff_flush(struct diff_writer *w)
{
    int64_t twice = w->diff * 2 + (w->n > 1);

    if (w->n > 0)
        run_put(&w->out, (uint64_t)(twice < 0 ? -twice : twice), twice < 0, w->n);
}

void diff_write(struct diff_writer *w, int64_t v)
{
    int64_t diff = v - w->value;

    w->value = v;
    if (diff == w->diff) {
        w->n++;
        return;
    }
    diff_flush(w);
    w->diff = diff;
    w->n = 1;
}

/* FIRST is the second byte's lowest value: 0xa0 a high half, 0xb0 a low one. */
static bool is_half(const uint8_t *p, uint8_t first) { return p[0] == 0xed && (p[1] & 0xf0) == first; }

static void halves_join(struct text_writer *w, const uint8_t *low)
{
    uint8_t *p = w->text.data + w->text.len - 3;
    uint32_t c = 0x10000 + ((uint32_t)(p[1] & 15) << 16 | (uint32_t)(p[2] & 63) << 10) +
                 ((uint32_t)(low[1] & 15) << 6 | (low[2] & 63));

    um_buf_put(&w->text, "", 1);
    if (w->text.failed)
        return;
    p = w->text.data + w->text.len - 4;
    p[0] = (uint8_t)(0xf0 | c >> 18);
    p[1] = (uint8_t)(0x80 | (c >> 12 & 63));
    p[2] = (uint8_t)(0x80 | (c >> 6 & 63));
    p[3] = (uint8_t)(0x80 | (c & 63));
}

void text_write(struct text_writer *w, struct um_span s)
{
    bool low = s.len >= 3 && is_half(s.data, 0xb0), high = s.len >= 3 && is_half(s.data + s.len - 3, 0xa0);

    uint_write(&w->lens, utf16_len(s));
    if (low && w->text.len >= 3 && is_half(w->text.data + w->text.len - 3, 0xa0)) {
        halves_join(w, s.data);
        s = UM_SPAN(s.data + 3, s.len - 3);
    }
    w->halves |= low | high;
    um_buf_put(&w->text, s.data, s.len);
}

static void halves_replace(struct um_buf *text)
{
    for (uint8_t *p = text->data, *end = p + text->len; end - p >= 3; p++)
        if (is_half(p, 0xa0) || is_half(p, 0xb0))
            memcpy(p, "\xef\xbf\xbd", 3);
}

static void column_put(struct um_buf *column, struct um_buf *out)
{
    out->failed |= column->failed;
    buf_put_string(out, UM_SPAN(column->data, column->len));
    um_buf_free(column);
}

void byte_writer_end(struct byte_writer *w, struct um_buf *out) { column_put(&w->out, out); }

void uint_writer_end(struct uint_writer *w, struct um_buf *out)
{
    uint_flush(w);
    column_put(&w->out, out);
}

void diff_writer_end(struct diff_writer *w, struct um_buf *out)
{
    diff_flush(w);
    column_put(&w->out, out);
}

void text_writer_end(struct text_writer *w, struct um_buf *out)
{
    uint_flush(&w->lens);
    if (w->halves && !w->text.failed)
        halves_replace(&w->text);
    out->failed |= w->text.failed | w->lens.out.failed;
    buf_put_uint(out, uint_len(w->text.len) + w->text.len + w->lens.out.len);
    buf_put_string(out, UM_SPAN(w->text.data, w->text.len));
    um_buf_put(out, w->lens.out.data, w->lens.out.len);
    um_buf_free(&w->text);
    um_buf_free(&w->lens.out);
}
