/* lib0's primitive encodings: integers, strings, `any` values, and the texts that hold JSON. */
#ifndef UM_CRDT_LIB0_H
#define UM_CRDT_LIB0_H
#include <string.h>
#include <umbel/bytes.h>

#define LIB0_MAX_INT 9007199254740991u        /* 2^53 - 1, JavaScript's largest exact integer */
#define LIB0_UINT_MAX_BYTES 8
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LIB0_LE64(v) (v)
#else
#define LIB0_LE64(v) __builtin_bswap64(v)
#endif
#define LIB0_SINT_MAX_BYTES 9

#define VALUE_DEPTH_MAX 1024          /* what the stacks of walks over values hold; configured limits are cut to it */
/* Builds that clear variables by themselves must leave those stacks: clearing costs more than most values do. */
#define UNSET __attribute__((uninitialized))

enum any_tag {
    ANY_BYTES = 116, ANY_ARRAY, ANY_OBJECT, ANY_STRING, ANY_TRUE, ANY_FALSE, ANY_BIGINT, ANY_FLOAT64, ANY_FLOAT32,
    ANY_INT, ANY_NULL, ANY_UNDEFINED
};

/* Reader; the first error stays, later reads give zeros. Kept apart from um_reader because it must inline and
 * tell malformed bytes from a limit. */
struct rd {
    const uint8_t *p, *end;
    um_err err;
};
static inline struct rd rd_make(struct um_span s)
{
    if (s.data == NULL)
        s = UM_SPAN("", 0);
    return (struct rd){ s.data, s.data + s.len, UM_OK };
}
static inline size_t rd_left(const struct rd *r) { return (size_t)(r->end - r->p); }
static inline void rd_fail(struct rd *r, um_err err)
{
    if (r->err == UM_OK)
        r->err = err;
    r->p = r->end;
}

uint64_t rd_uint_slow(struct rd *r);
/* Away from the input's end eight bytes are taken at once: the groups of seven bits close up in three steps. */
static inline uint64_t rd_uint(struct rd *r)
{
    uint64_t v, stop;
    unsigned bits;

    if (r->p < r->end && *r->p < 0x80)
        return *r->p++;
    if (__builtin_expect(r->end - r->p < 8, 0))
        return rd_uint_slow(r);
    memcpy(&v, r->p, 8);
    v = LIB0_LE64(v);
    stop = ~v & 0x8080808080808080u;
    if (__builtin_expect(stop == 0, 0))
        return rd_uint_slow(r);
    bits = (unsigned)__builtin_ctzll(stop);       /* of the last byte: bit 7 */
    r->p += bits / 8 + 1;
    v &= 0x7f7f7f7f7f7f7f7fu & (stop ^ (stop - 1));
    v = (v & 0x007f007f007f007fu) | (v & 0x7f007f007f007f00u) >> 1;
    v = (v & 0x00003fff00003fffu) | (v & 0x3fff00003fff0000u) >> 2;
    v = (v & 0x000000000fffffffu) | (v & 0x0fffffff00000000u) >> 4;
    if (__builtin_expect(v > LIB0_MAX_INT, 0))
        rd_fail(r, UM_EPROTO);
    return r->err == UM_OK ? v : 0;
}
static inline uint8_t rd_u8(struct rd *r)
{
    if (r->p == r->end) {
        rd_fail(r, UM_EPROTO);
        return 0;
    }
    return *r->p++;
}
/* A value that must fit in 32 bits (clocks and lengths): more is a limit of ours, not an error of form. */
static inline uint32_t rd_u32(struct rd *r)
{
    uint64_t v = rd_uint(r);

    if (v > UINT32_MAX) {
        rd_fail(r, UM_ELIMIT);
        return 0;
    }
    return (uint32_t)v;
}
struct um_span rd_bytes(struct rd *r);                    /* length, then bytes; borrowed */
struct um_span rd_string(struct rd *r, bool check);       /* the same; CHECK: must be UTF-8 */
double rd_sint(struct rd *r);                             /* a double because -0 exists */

/* Steps over one `any` value. Not recursive; nesting beyond MAX_DEPTH fails with UM_ELIMIT. */
void rd_any(struct rd *r, uint32_t max_depth, bool check);
bool any_is_true(struct um_span any);                     /* JavaScript's truth of a valid value */
double any_number(struct rd *r, uint8_t tag);             /* payload of the three number tags */

/* One JSON text that JSON.parse would take. UM_EPROTO, UM_ELIMIT (nesting). Not recursive. */
um_err json_check(struct um_span text, uint32_t max_depth);

/* Units of JavaScript strings. TEXT is valid UTF-8. */
size_t utf16_len(struct um_span text);
/* Bytes in front of UNITS (<= its length); *HALF: the cut falls inside a surrogate pair, and the bytes of that
 * character follow. */
size_t utf16_offset(struct um_span text, size_t units, bool *half);

/* Writing to memory that has room: at most LIB0_UINT_MAX_BYTES. Returns the end. */
static inline uint8_t *wr_uint(uint8_t *p, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}
static inline uint8_t *wr_sint(uint8_t *p, uint64_t magnitude, bool negative)    /* at most LIB0_SINT_MAX_BYTES */
{
    uint64_t rest = magnitude >> 6;

    *p++ = (uint8_t)((rest > 0 ? 0x80 : 0) | (negative ? 0x40 : 0) | (magnitude & 0x3f));
    return rest > 0 ? wr_uint(p, rest) : p;
}
static inline uint8_t *wr_bytes(uint8_t *p, const void *data, size_t len)
{
    if (len > 0)
        memcpy(p, data, len);
    return p + len;
}
void buf_put_uint(struct um_buf *b, uint64_t v);
void buf_put_string(struct um_buf *b, struct um_span s);
static inline size_t uint_len(uint64_t v)
{
    size_t n = 1;

    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

#endif
