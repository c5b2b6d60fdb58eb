/* lib0's primitive encodings. Facts: docs/crdt.md; all walks are loops with explicit, bounded stacks. */
#include "lib0.h"
#include <umbel/util.h>

/* ---- integers, strings --------------------------------------------------------------------------------- */

/* Less than eight bytes are left, which cannot exceed the largest integer, or eight go on. */
uint64_t rd_uint_slow(struct rd *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 56; shift += 7) {
        uint8_t b = rd_u8(r);

        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    rd_fail(r, UM_EPROTO);
    return 0;
}

double rd_sint(struct rd *r)
{
    uint8_t b = rd_u8(r);
    bool negative = (b & 0x40) != 0;
    uint64_t v = b & 0x3f;
    unsigned shift = 6;

    while ((b & 0x80) != 0 && r->err == UM_OK) {
        b = rd_u8(r);
        if (shift > 55) {
            rd_fail(r, UM_EPROTO);
            return 0;
        }
        v |= (uint64_t)(b & 0x7f) << shift;
        shift += 7;
        if (v > LIB0_MAX_INT)
            rd_fail(r, UM_EPROTO);
    }
    return negative ? -(double)v : (double)v;
}

struct um_span rd_bytes(struct rd *r)
{
    uint64_t len = rd_uint(r);
    struct um_span s = UM_SPAN(r->p, 0);

    if (len > rd_left(r)) {
        rd_fail(r, UM_EPROTO);
        return UM_SPAN(r->p, 0);
    }
    s.len = (size_t)len;
    r->p += len;
    return s;
}

static bool is_ascii(struct um_span s)
{
    uint64_t seen = 0;
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;

        memcpy(&word, s.data + i, 8);
        seen |= word;
    }
    for (; i < s.len; i++)
        seen |= s.data[i];
    return (seen & 0x8080808080808080u) == 0;
}

struct um_span rd_string(struct rd *r, bool check)
{
    struct um_span s = rd_bytes(r);

    if (check && !is_ascii(s) && !um_utf8_is_valid(s.data, s.len)) {
        rd_fail(r, UM_EPROTO);
        s.len = 0;
    }
    return s;
}

void buf_put_uint(struct um_buf *b, uint64_t v)
{
    uint8_t *p = um_buf_room(b, LIB0_UINT_MAX_BYTES);

    if (p != NULL)
        um_buf_advance(b, (size_t)(wr_uint(p, v) - p));
}

void buf_put_string(struct um_buf *b, struct um_span s)
{
    buf_put_uint(b, s.len);
    um_buf_put(b, s.data, s.len);
}

/* ---- UTF-16 units of UTF-8 ----------------------------------------------------------------------------- */

size_t utf16_len(struct um_span text)
{
    size_t n = text.len;

    if (is_ascii(text))
        return n;
    for (size_t i = 0; i < text.len; i++)
        n -= (size_t)((text.data[i] & 0xc0) == 0x80) - (size_t)(text.data[i] >= 0xf0);
    return n;
}

static size_t char_bytes(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

size_t utf16_offset(struct um_span text, size_t units, bool *half)
{
    size_t at = 0;

    *half = false;
    if (is_ascii(UM_SPAN(text.data, UM_MIN(text.len, units))))
        return UM_MIN(text.len, units);
    while (units > 0 && at < text.len) {
        size_t bytes = char_bytes(text.data[at]), wide = bytes == 4 ? 2 : 1;

        if (wide > units) {
            *half = true;
            return at;
        }
        units -= wide;
        at += bytes;
    }
    return at;
}

/* ---- any ----------------------------------------------------------------------------------------------- */

double any_number(struct rd *r, uint8_t tag)
{
    union { uint32_t u; float f; } f32 = { 0 };
    union { uint64_t u; double f; } f64 = { 0 };

    switch (tag) {
    case ANY_INT:
        return rd_sint(r);
    case ANY_FLOAT32:
        for (int i = 0; i < 4; i++)
            f32.u = f32.u << 8 | rd_u8(r);
        return (double)f32.f;
    default:
        for (int i = 0; i < 8; i++)
            f64.u = f64.u << 8 | rd_u8(r);
        return f64.f;
    }
}

static void rd_skip(struct rd *r, size_t n)
{
    if (rd_left(r) < n)
        rd_fail(r, UM_EPROTO);
    else
        r->p += n;
}

/* One value without its children; *N_CHILDREN of a container, *OBJECT says which. */
static void any_head(struct rd *r, bool check, uint64_t *n_children, bool *object)
{
    uint8_t tag = rd_u8(r);

    *n_children = 0;
    *object = tag == ANY_OBJECT;
    switch (tag) {
    case ANY_UNDEFINED: case ANY_NULL: case ANY_TRUE: case ANY_FALSE:
        return;
    case ANY_INT:
        rd_sint(r);
        return;
    case ANY_FLOAT32:
        rd_skip(r, 4);
        return;
    case ANY_FLOAT64: case ANY_BIGINT:
        rd_skip(r, 8);
        return;
    case ANY_STRING:
        rd_string(r, check);
        return;
    case ANY_BYTES:
        rd_bytes(r);
        return;
    case ANY_OBJECT: case ANY_ARRAY:
        *n_children = rd_uint(r);
        if (*n_children > rd_left(r) / (*object ? 2 : 1))
            rd_fail(r, UM_EPROTO);
        return;
    default:
        rd_fail(r, UM_EPROTO);
    }
}

/* Its own function: the stacks cost more than a scalar does. */
static __attribute__((noinline)) void any_deep(struct rd *r, uint32_t max_depth, bool check)
{
    UNSET uint64_t left[VALUE_DEPTH_MAX];       /* values still to come, per open container */
    UNSET uint8_t keyed[VALUE_DEPTH_MAX];
    uint64_t n;
    bool object;
    size_t depth = 0;

    max_depth = UM_MIN(max_depth, VALUE_DEPTH_MAX);
    any_head(r, check, &n, &object);
    for (;;) {
        if (r->err != UM_OK)
            return;
        if (n > 0) {
            if (depth == max_depth) {
                rd_fail(r, UM_ELIMIT);
                return;
            }
            left[depth] = n;
            keyed[depth++] = object;
        }
        while (depth > 0 && left[depth - 1] == 0)
            depth--;
        if (depth == 0)
            return;
        left[depth - 1]--;
        if (keyed[depth - 1])
            rd_string(r, check);
        any_head(r, check, &n, &object);
    }
}

void rd_any(struct rd *r, uint32_t max_depth, bool check)
{
    uint64_t n;
    bool object;

    if (r->p < r->end && (*r->p == ANY_OBJECT || *r->p == ANY_ARRAY))
        any_deep(r, max_depth, check);
    else
        any_head(r, check, &n, &object);
}

bool any_is_true(struct um_span any)
{
    struct rd r = rd_make(any);
    uint8_t tag = rd_u8(&r);
    double v;

    switch (tag) {
    case ANY_UNDEFINED: case ANY_NULL: case ANY_FALSE:
        return false;
    case ANY_INT: case ANY_FLOAT32: case ANY_FLOAT64:
        v = any_number(&r, tag);
        return v < 0 || v > 0;
    case ANY_BIGINT:
        return memcmp(r.p, "\0\0\0\0\0\0\0", 8) != 0;
    case ANY_STRING:
        return rd_bytes(&r).len > 0;
    default:
        return true;
    }
}

/* ---- JSON texts ---------------------------------------------------------------------------------------- */

static void json_blank(struct rd *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static bool json_word(struct rd *r, const char *word)
{
    size_t n = strlen(word);

    if (rd_left(r) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

static bool is_digit(const struct rd *r) { return r->p < r->end && *r->p >= '0' && *r->p <= '9'; }

static bool json_digits(struct rd *r)
{
    if (!is_digit(r))
        return false;
    while (is_digit(r))
        r->p++;
    return true;
}

static bool json_number(struct rd *r)
{
    if (*r->p == '-')
        r->p++;
    if (is_digit(r) && *r->p == '0')
        r->p++;
    else if (!json_digits(r))
        return false;
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!json_digits(r))
            return false;
    }
    if (r->p < r->end && (*r->p == 'e' || *r->p == 'E')) {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
            r->p++;
        return json_digits(r);
    }
    return true;
}

static bool is_hex(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool json_string(struct rd *r)
{
    if (r->p == r->end || *r->p != '"')
        return false;
    r->p++;
    while (r->p < r->end) {
        uint8_t c = *r->p++;

        if (c == '"')
            return true;
        if (c < 0x20)
            return false;
        if (c != '\\')
            continue;
        if (r->p == r->end)
            return false;
        c = *r->p++;
        if (c == 'u') {
            if (rd_left(r) < 4 || !is_hex(r->p[0]) || !is_hex(r->p[1]) || !is_hex(r->p[2]) || !is_hex(r->p[3]))
                return false;
            r->p += 4;
        } else if (c == 0 || strchr("\"\\/bfnrt", c) == NULL) {
            return false;
        }
    }
    return false;
}

static bool json_key(struct rd *r)
{
    json_blank(r);
    if (!json_string(r))
        return false;
    json_blank(r);
    return json_word(r, ":");
}

static bool json_scalar(struct rd *r)
{
    switch (*r->p) {
    case '"': return json_string(r);
    case 't': return json_word(r, "true");
    case 'f': return json_word(r, "false");
    case 'n': return json_word(r, "null");
    default:  return json_number(r);
    }
}

/* After a value: closes containers and stands at the next value. 1: go on, 0: done, -1: malformed. */
static int json_after(struct rd *r, const char *closer, size_t *depth)
{
    for (;;) {
        json_blank(r);
        if (*depth == 0)
            return r->p == r->end ? 0 : -1;
        if (r->p == r->end)
            return -1;
        if (*r->p == ',') {
            r->p++;
            return closer[*depth - 1] == ']' || json_key(r) ? 1 : -1;
        }
        if (*r->p != (uint8_t)closer[*depth - 1])
            return -1;
        r->p++;
        (*depth)--;
    }
}

static __attribute__((noinline)) um_err json_check_deep(struct um_span text, uint32_t max_depth)
{
    UNSET char closer[VALUE_DEPTH_MAX];
    size_t depth = 0;
    struct rd r = rd_make(text);

    max_depth = UM_MIN(max_depth, VALUE_DEPTH_MAX);
    for (;;) {
        int next;

        json_blank(&r);
        if (r.p == r.end)
            return UM_EPROTO;
        if (*r.p == '[' || *r.p == '{') {
            bool object = *r.p++ == '{';

            if (depth == max_depth)
                return UM_ELIMIT;
            closer[depth++] = object ? '}' : ']';
            json_blank(&r);
            if (r.p == r.end)
                return UM_EPROTO;
            if (*r.p != (uint8_t)closer[depth - 1]) {
                if (object && !json_key(&r))
                    return UM_EPROTO;
                continue;
            }
        } else if (!json_scalar(&r)) {
            return UM_EPROTO;
        }
        if ((next = json_after(&r, closer, &depth)) <= 0)
            return next == 0 ? UM_OK : UM_EPROTO;
    }
}

um_err json_check(struct um_span text, uint32_t max_depth)
{
    struct rd r = rd_make(text);

    if (text.len > 0 && (*r.p == '"' || *r.p == 't' || *r.p == 'n') && json_scalar(&r) && r.p == r.end)
        return UM_OK;
    return json_check_deep(text, max_depth);
}
