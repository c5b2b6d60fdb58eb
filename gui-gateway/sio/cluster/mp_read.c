/* MessagePack, read token by token. What comes is a peer's: every length is held against the bytes that are there. */
#include <math.h>
#include <string.h>
#include "mp.h"

enum { EXT_TIME = 0xff, EXT_UNDEFINED = 0 };        /* -1: timestamp; 0: notepack's own */

static uint64_t read_be(struct um_reader *r, unsigned bytes)
{
    uint64_t v = 0;

    if (um_reader_left(r) < bytes) {
        r->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | *r->p++;
    return v;
}

static bool fail(struct um_reader *r)
{
    r->failed = true;
    return false;
}

static bool take_bytes(struct um_reader *r, struct mp_token *t, enum mp_kind kind, uint64_t len)
{
    if (r->failed || len > um_reader_left(r))
        return fail(r);
    t->kind = kind;
    t->bytes = UM_SPAN(r->p, (size_t)len);
    r->p += len;
    return true;
}

static bool take_count(struct um_reader *r, struct mp_token *t, enum mp_kind kind, uint64_t n)
{
    if (r->failed || n * (kind == MP_MAP ? 2 : 1) > um_reader_left(r))
        return fail(r);
    t->kind = kind;
    t->n = (uint32_t)n;
    return true;
}

static bool take_int(struct um_reader *r, struct mp_token *t, int64_t v)
{
    t->kind = MP_INT;
    t->integer = v;
    return !r->failed;
}

static bool take_real(struct um_reader *r, struct mp_token *t, double v)
{
    t->kind = MP_REAL;
    t->real = v;
    return !r->failed;
}

static bool take_float32(struct um_reader *r, struct mp_token *t)
{
    uint32_t bits = (uint32_t)read_be(r, 4);
    float v;

    memcpy(&v, &bits, sizeof(v));
    return take_real(r, t, (double)v);
}

static bool take_float64(struct um_reader *r, struct mp_token *t)
{
    uint64_t bits = read_be(r, 8);
    double v;

    memcpy(&v, &bits, sizeof(v));
    return take_real(r, t, v);
}

static bool take_uint64(struct um_reader *r, struct mp_token *t)
{
    uint64_t v = read_be(r, 8);

    return v > INT64_MAX ? take_real(r, t, (double)v) : take_int(r, t, (int64_t)v);
}

/* ---- extensions ---- */

static int64_t in_ms(int64_t s, uint64_t ns)
{
    const int64_t far = 8640000000000;              /* seconds: the ends of what a Date can say */

    return s < -far || s > far || ns > 999999999 ? INT64_MIN : s * 1000 + (int64_t)(ns / 1000000);
}

static bool take_time(struct um_reader *r, struct mp_token *t, struct um_span b)
{
    struct um_reader in = um_reader(b);
    uint64_t v;

    t->kind = MP_DATE;
    if (b.len == 4) {
        t->integer = in_ms((int64_t)read_be(&in, 4), 0);
    } else if (b.len == 8) {
        v = read_be(&in, 8);
        t->integer = in_ms((int64_t)(v & 0x3ffffffff), v >> 34);
    } else if (b.len == 12) {
        v = read_be(&in, 4);
        t->integer = in_ms((int64_t)read_be(&in, 8), v);
    } else {
        return fail(r);
    }
    return true;
}

/* notepack: one byte is undefined, eight are a date in milliseconds, ext8 to ext32 are raw bytes. */
static bool take_own(struct um_reader *r, struct mp_token *t, struct um_span b, bool is_fixed)
{
    struct um_reader in = um_reader(b);

    if (!is_fixed) {
        t->kind = MP_BIN;
        t->bytes = b;
    } else if (b.len == 1) {
        t->kind = MP_UNDEFINED;
    } else if (b.len == 8) {
        t->kind = MP_DATE;
        t->integer = (int64_t)read_be(&in, 8);
    } else {
        return fail(r);
    }
    return true;
}

static bool take_ext(struct um_reader *r, struct mp_token *t, uint64_t len, bool is_fixed)
{
    uint8_t type = (uint8_t)read_be(r, 1);

    if (!take_bytes(r, t, MP_BIN, len))
        return false;
    if (type == EXT_TIME)
        return take_time(r, t, t->bytes);
    return type == EXT_UNDEFINED ? take_own(r, t, t->bytes, is_fixed) : fail(r);
}

/* ---- tokens ---- */

static bool take_wide(struct um_reader *r, struct mp_token *t, uint8_t head)
{
    switch (head) {
    case 0xc0: t->kind = MP_NIL; return true;
    case 0xc2: case 0xc3: t->kind = MP_BOOL; t->integer = head & 1; return true;
    case 0xc4: return take_bytes(r, t, MP_BIN, read_be(r, 1));
    case 0xc5: return take_bytes(r, t, MP_BIN, read_be(r, 2));
    case 0xc6: return take_bytes(r, t, MP_BIN, read_be(r, 4));
    case 0xc7: return take_ext(r, t, read_be(r, 1), false);
    case 0xc8: return take_ext(r, t, read_be(r, 2), false);
    case 0xc9: return take_ext(r, t, read_be(r, 4), false);
    case 0xca: return take_float32(r, t);
    case 0xcb: return take_float64(r, t);
    case 0xcc: return take_int(r, t, (int64_t)read_be(r, 1));
    case 0xcd: return take_int(r, t, (int64_t)read_be(r, 2));
    case 0xce: return take_int(r, t, (int64_t)read_be(r, 4));
    case 0xcf: return take_uint64(r, t);
    case 0xd0: return take_int(r, t, (int8_t)read_be(r, 1));
    case 0xd1: return take_int(r, t, (int16_t)read_be(r, 2));
    case 0xd2: return take_int(r, t, (int32_t)read_be(r, 4));
    case 0xd3: return take_int(r, t, (int64_t)read_be(r, 8));
    case 0xd4: case 0xd5: case 0xd6: case 0xd7: case 0xd8: return take_ext(r, t, 1u << (head - 0xd4), true);
    case 0xd9: return take_bytes(r, t, MP_STR, read_be(r, 1));
    case 0xda: return take_bytes(r, t, MP_STR, read_be(r, 2));
    case 0xdb: return take_bytes(r, t, MP_STR, read_be(r, 4));
    case 0xdc: return take_count(r, t, MP_ARRAY, read_be(r, 2));
    case 0xdd: return take_count(r, t, MP_ARRAY, read_be(r, 4));
    case 0xde: return take_count(r, t, MP_MAP, read_be(r, 2));
    case 0xdf: return take_count(r, t, MP_MAP, read_be(r, 4));
    default: return fail(r);
    }
}

bool mp_next(struct um_reader *r, struct mp_token *t)
{
    uint8_t head = (uint8_t)read_be(r, 1);

    memset(t, 0, sizeof(*t));
    if (r->failed)
        return false;
    if (head < 0x80)
        return take_int(r, t, head);
    if (head >= 0xe0)
        return take_int(r, t, (int8_t)head);
    if (head < 0x90)
        return take_count(r, t, MP_MAP, head & 15);
    if (head < 0xa0)
        return take_count(r, t, MP_ARRAY, head & 15);
    return head < 0xc0 ? take_bytes(r, t, MP_STR, head & 31) : take_wide(r, t, head);
}

bool mp_value(struct um_reader *r, struct um_span *raw)
{
    const uint8_t *from = r->p;
    struct mp_token t;

    for (uint64_t left = 1; left > 0; left--) {
        if (!mp_next(r, &t))
            return false;
        left += t.kind == MP_MAP ? 2 * (uint64_t)t.n : t.n;
    }
    *raw = UM_SPAN(from, (size_t)(r->p - from));
    return true;
}

bool mp_find(struct um_reader r, const char *key, struct um_reader *value)
{
    struct um_span raw, name = UM_SPAN_STR(key);
    struct mp_token t, k;
    bool found = false;

    if (!mp_next(&r, &t) || t.kind != MP_MAP)
        return false;
    for (uint32_t i = 0; i < t.n; i++) {
        struct um_reader at = r;
        if (!mp_next(&at, &k) || !mp_value(&r, &raw) || !mp_value(&r, &raw))
            return false;
        if (k.kind == MP_STR && um_span_eq(k.bytes, name)) {
            *value = um_reader(raw);
            found = true;
        }
    }
    return found;
}
