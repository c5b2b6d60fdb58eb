/* MessagePack, written: the shortest form of each value, as notepack and @msgpack/msgpack choose it. */
#include <math.h>
#include <string.h>
#include "mp.h"

static const double SAFE = 9007199254740992.0;      /* 2^53 */

static void put_be(struct um_buf *out, uint8_t head, uint64_t v, unsigned bytes)
{
    uint8_t b[9] = { head };

    for (unsigned i = 0; i < bytes; i++)
        b[1 + i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
    um_buf_put(out, b, 1 + bytes);
}

void mp_put_nil(struct um_buf *out) { um_buf_put_u8(out, 0xc0); }
void mp_put_bool(struct um_buf *out, bool v) { um_buf_put_u8(out, v ? 0xc3 : 0xc2); }

static void put_unsigned(struct um_buf *out, uint64_t v)
{
    if (v < 0x80)
        um_buf_put_u8(out, (uint8_t)v);
    else if (v <= UINT8_MAX)
        put_be(out, 0xcc, v, 1);
    else if (v <= UINT16_MAX)
        put_be(out, 0xcd, v, 2);
    else if (v <= UINT32_MAX)
        put_be(out, 0xce, v, 4);
    else
        put_be(out, 0xcf, v, 8);
}

void mp_put_int(struct um_buf *out, int64_t v)
{
    if (v >= 0)
        put_unsigned(out, (uint64_t)v);
    else if (v >= -32)
        um_buf_put_u8(out, (uint8_t)v);
    else if (v >= INT8_MIN)
        put_be(out, 0xd0, (uint64_t)v, 1);
    else if (v >= INT16_MIN)
        put_be(out, 0xd1, (uint64_t)v, 2);
    else if (v >= INT32_MIN)
        put_be(out, 0xd2, (uint64_t)v, 4);
    else
        put_be(out, 0xd3, (uint64_t)v, 8);
}

void mp_put_number(struct um_buf *out, double v)
{
    uint64_t bits;

    if (fabs(v) < SAFE && v == floor(v)) {
        mp_put_int(out, (int64_t)v);
        return;
    }
    memcpy(&bits, &v, sizeof(bits));
    put_be(out, 0xcb, bits, 8);
}

void mp_put_str(struct um_buf *out, struct um_span text)
{
    if (text.len < 32)
        um_buf_put_u8(out, (uint8_t)(0xa0 | text.len));
    else if (text.len <= UINT8_MAX)
        put_be(out, 0xd9, text.len, 1);
    else if (text.len <= UINT16_MAX)
        put_be(out, 0xda, text.len, 2);
    else
        put_be(out, 0xdb, text.len, 4);
    um_buf_put(out, text.data, text.len);
}

void mp_put_bin(struct um_buf *out, struct um_span bytes)
{
    if (bytes.len <= UINT8_MAX)
        put_be(out, 0xc4, bytes.len, 1);
    else if (bytes.len <= UINT16_MAX)
        put_be(out, 0xc5, bytes.len, 2);
    else
        put_be(out, 0xc6, bytes.len, 4);
    um_buf_put(out, bytes.data, bytes.len);
}

static void put_count(struct um_buf *out, uint8_t fix, uint8_t wide, uint32_t n)
{
    if (n < 16)
        um_buf_put_u8(out, (uint8_t)(fix | n));
    else if (n <= UINT16_MAX)
        put_be(out, wide, n, 2);
    else
        put_be(out, wide + 1, n, 4);
}

void mp_put_array(struct um_buf *out, uint32_t n) { put_count(out, 0x90, 0xdc, n); }
void mp_put_map(struct um_buf *out, uint32_t n) { put_count(out, 0x80, 0xde, n); }
void mp_put_key(struct um_buf *out, const char *key) { mp_put_str(out, UM_SPAN_STR(key)); }
