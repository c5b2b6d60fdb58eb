/* Frames as bytes: reading a header, unmasking, building frames. */
#include <string.h>
#include <umbel/ws.h>
#include "frame.h"

/* Byte 0 and 1 are judged as soon as they are there, so that a peer who breaks the rules hears it at once. */
static bool judge_first(uint8_t b)
{
    uint8_t opcode = b & 0x0f;

    if (b & 0x70)
        return false;                                   /* reserved bits: no extension was agreed */
    if (opcode > WS_OP_PONG || (opcode > WS_OP_BINARY && opcode < WS_OP_CLOSE))
        return false;
    return !ws_is_control(opcode) || (b & 0x80);        /* control frames are never fragmented */
}

static bool judge_second(uint8_t first, uint8_t b, bool masked)
{
    if (!(b & 0x80) == masked)
        return false;                                   /* clients mask, servers do not */
    return !ws_is_control(first & 0x0f) || (b & 0x7f) <= WS_MAX_CONTROL;
}

static uint64_t read_be(const uint8_t *p, size_t n)
{
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

int ws_header_read(struct ws_header *out, const uint8_t *p, size_t n, bool masked)
{
    size_t extra, size;

    if (n >= 1 && !judge_first(p[0]))
        return -1;
    if (n < 2)
        return 0;
    if (!judge_second(p[0], p[1], masked))
        return -1;
    out->len = p[1] & 0x7f;
    extra = out->len == 126 ? 2 : out->len == 127 ? 8 : 0;
    if (n >= 3 && extra == 8 && (p[2] & 0x80))
        return -1;                                      /* the top bit of a 64-bit length */
    size = 2 + extra + (masked ? 4 : 0);
    if (n < 2 + extra)
        return 0;
    if (extra != 0) {
        out->len = read_be(p + 2, extra);
        if (out->len < (extra == 2 ? 126u : 65536u))
            return -1;                                  /* the shortest form only */
    }
    if (n < size)
        return 0;
    out->fin = p[0] & 0x80;
    out->opcode = p[0] & 0x0f;
    out->mask = 0;
    if (masked)
        memcpy(&out->mask, p + 2 + extra, 4);
    return (int)size;
}

uint32_t ws_unmask(uint8_t *p, size_t n, uint32_t mask)
{
    uint64_t wide, block;
    uint8_t m[8];
    size_t i = 0;

    memcpy(m, &mask, 4);
    memcpy(m + 4, &mask, 4);
    memcpy(&wide, m, 8);
    for (; i + 8 <= n; i += 8) {
        memcpy(&block, p + i, 8);
        block ^= wide;
        memcpy(p + i, &block, 8);
    }
    for (size_t k = 0; i + k < n; k++)
        p[i + k] ^= m[k];
    memcpy(&mask, m + (n & 3), 4);
    return mask;
}

bool ws_close_code_is_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

struct um_bytes *ws_control_frame(uint8_t opcode, struct um_span payload, bool masked)
{
    size_t head = masked ? 6 : 2;
    struct um_bytes *b;

    UM_ASSERT(payload.len <= WS_MAX_CONTROL);
    b = um_bytes_new(head + payload.len);
    if (b == NULL)
        return NULL;
    b->data[0] = (uint8_t)(0x80 | opcode);
    b->data[1] = (uint8_t)((masked ? 0x80 : 0) | payload.len);
    memset(b->data + 2, 0, head - 2);
    if (payload.len > 0)
        memcpy(b->data + head, payload.data, payload.len);
    return b;
}

size_t um_ws_frame_header(uint8_t out[10], enum um_ws_kind kind, uint64_t payload_len)
{
    size_t extra = payload_len < 126 ? 0 : payload_len < 65536 ? 2 : 8;

    out[0] = (uint8_t)(0x80 | kind);
    out[1] = (uint8_t)(extra == 0 ? payload_len : extra == 2 ? 126 : 127);
    for (size_t i = 0; i < extra; i++)
        out[2 + i] = (uint8_t)(payload_len >> (8 * (extra - 1 - i)));
    return 2 + extra;
}

static struct um_bytes *make_frame(enum um_ws_kind kind, struct um_span payload, bool masked)
{
    uint8_t header[WS_MAX_HEADER] = { 0 };
    size_t n = um_ws_frame_header(header, kind, payload.len);
    struct um_bytes *b;

    if (masked) {
        header[1] |= 0x80;
        memset(header + n, 0, 4);
        n += 4;
    }
    b = um_bytes_new(n + payload.len);
    if (b == NULL)
        return NULL;
    memcpy(b->data, header, n);
    if (payload.len > 0)
        memcpy(b->data + n, payload.data, payload.len);
    return b;
}

struct um_bytes *um_ws_frame(enum um_ws_kind kind, struct um_span payload) { return make_frame(kind, payload, false); }
struct um_bytes *um_ws_client_frame(enum um_ws_kind kind, struct um_span payload) { return make_frame(kind, payload, true); }
