/* The encodings of session values.
 *
 *   Long     aced0005 7372 000e "java.lang.Long" ... 7870, 8 bytes big-endian           82 bytes in all
 *   Integer  aced0005 7372 0011 "java.lang.Integer" ... 7870, 4 bytes big-endian        81
 *   String   aced0005 74, 2 bytes of length, modified UTF-8 (U+0000 as c0 80, beyond U+FFFF as two surrogates of 3 bytes)
 *
 * A text that is written and read again is the same text. */
#include "value.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define JDK_HEAD "\xac\xed\x00\x05"
#define JDK_NUMBER "\x78\x72\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00\x78\x70"
static const char jdk_long[] = JDK_HEAD "\x73\x72\x00\x0ejava.lang.Long\x3b\x8b\xe4\x90\xcc\x8f\x23\xdf\x02\x00\x01J\x00\x05value"
                               JDK_NUMBER;
static const char jdk_integer[] = JDK_HEAD "\x73\x72\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x87\x38\x02\x00\x01I\x00\x05value"
                                  JDK_NUMBER;
static const char jdk_string[] = JDK_HEAD "\x74";
enum { LONG_BYTES = 8, INTEGER_BYTES = 4, LENGTH_BYTES = 2, DIGITS_MAX = 19 };

static bool starts_with(struct um_span value, const char *head, size_t n)
{
    return value.len >= n && memcmp(value.data, head, n) == 0;
}

/* ---- numbers ---- */

static int64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = (p[0] & 0x80) != 0 ? UINT64_MAX : 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return (int64_t)v;
}

static bool read_decimal(struct um_span value, int64_t *out)
{
    bool minus = value.len > 0 && value.data[0] == '-';
    int64_t v = 0;

    if (value.len - minus == 0 || value.len - minus > DIGITS_MAX)
        return false;
    for (size_t i = minus; i < value.len; i++) {
        int digit = value.data[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, minus ? -digit : digit, &v))
            return false;
    }
    *out = v;
    return true;
}

bool session_value_read_int(struct um_span value, int64_t *out)
{
    static const struct { const char *head; size_t n, bytes; } forms[] = {
        { jdk_long, sizeof(jdk_long) - 1, LONG_BYTES }, { jdk_integer, sizeof(jdk_integer) - 1, INTEGER_BYTES },
    };

    for (size_t i = 0; i < UM_COUNT(forms); i++)
        if (value.len == forms[i].n + forms[i].bytes && starts_with(value, forms[i].head, forms[i].n)) {
            *out = big_endian(value.data + forms[i].n, forms[i].bytes);
            return true;
        }
    return read_decimal(value, out);
}

/* ---- JDK strings ---- */

static void put_code_point(struct um_buf *out, uint32_t c)
{
    if (c < 0x80) {
        um_buf_put_u8(out, (uint8_t)c);
    } else if (c < 0x800) {
        um_buf_put_u8(out, (uint8_t)(0xc0 | c >> 6));
        um_buf_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        um_buf_put_u8(out, (uint8_t)(0xe0 | c >> 12));
        um_buf_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        um_buf_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        um_buf_put_u8(out, (uint8_t)(0xf0 | c >> 18));
        um_buf_put_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        um_buf_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        um_buf_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* The next UTF-16 unit of modified UTF-8; -1: malformed. */
static int32_t next_unit(struct um_reader *r)
{
    uint8_t a = um_read_u8(r), b, c;

    if (a < 0x80)
        return r->failed || a == 0 ? -1 : a;
    b = um_read_u8(r);
    if ((a & 0xe0) == 0xc0 && (b & 0xc0) == 0x80) {
        int32_t v = (a & 0x1f) << 6 | (b & 0x3f);
        return v >= 0x80 || v == 0 ? v : -1;
    }
    c = um_read_u8(r);
    if ((a & 0xf0) == 0xe0 && (b & 0xc0) == 0x80 && (c & 0xc0) == 0x80) {
        int32_t v = (a & 0x0f) << 12 | (b & 0x3f) << 6 | (c & 0x3f);
        return v >= 0x800 ? v : -1;
    }
    return -1;
}

static um_err read_modified(struct um_buf *out, struct um_span text)
{
    struct um_reader r = um_reader(text);

    while (um_reader_left(&r) > 0) {
        int32_t unit = next_unit(&r), low;
        if (unit >= 0xd800 && unit < 0xdc00) {
            if ((low = next_unit(&r)) < 0xdc00 || low > 0xdfff)
                return UM_EPROTO;
            unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        } else if (unit < 0 || (unit >= 0xdc00 && unit < 0xe000)) {
            return UM_EPROTO;
        }
        put_code_point(out, (uint32_t)unit);
    }
    return out->failed ? UM_ENOMEM : UM_OK;
}

static um_err read_jdk(struct um_buf *out, struct um_span value)
{
    size_t head = sizeof(jdk_string) - 1;
    int64_t number;

    if (session_value_read_int(value, &number)) {
        um_buf_printf(out, "%" PRId64, number);
        return out->failed ? UM_ENOMEM : UM_OK;
    }
    if (value.len < head + LENGTH_BYTES || !starts_with(value, jdk_string, head) ||
        value.len != head + LENGTH_BYTES + ((size_t)value.data[head] << 8 | value.data[head + 1]))
        return UM_EPROTO;
    return read_modified(out, UM_SPAN(value.data + head + LENGTH_BYTES, value.len - head - LENGTH_BYTES));
}

/* ---- JSON ---- */

static json_t *parse(struct um_span value)
{
    return json_loadb((const char *)value.data, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
}

um_err session_value_read(struct um_buf *out, struct um_span value)
{
    um_err err = UM_OK;
    json_t *json;

    if (value.len == 0)
        return UM_OK;
    if (starts_with(value, JDK_HEAD, sizeof(JDK_HEAD) - 1))
        return read_jdk(out, value);
    if ((json = parse(value)) == NULL)
        return UM_EPROTO;
    if (json_is_string(json))
        um_buf_put(out, json_string_value(json), json_string_length(json));
    else if (!json_is_null(json))
        um_buf_put(out, value.data, value.len);
    if (out->failed)
        err = UM_ENOMEM;
    json_decref(json);
    return err;
}

um_err session_value_write(struct um_buf *out, struct um_span text)
{
    bool may_be_json = text.len > 1 && (text.data[0] == '{' || text.data[0] == '[');
    json_t *json = may_be_json ? parse(text) : NULL;

    if (!um_utf8_is_valid(text.data, text.len))
        return UM_EINVAL;
    if (json != NULL) {
        um_buf_put(out, text.data, text.len);
    } else {
        um_buf_put_u8(out, '"');
        um_json_escape(out, text);
        um_buf_put_u8(out, '"');
    }
    json_decref(json);
    return out->failed ? UM_ENOMEM : UM_OK;
}
