/* See message.h. */
#include <string.h>
#include <umbel/util.h>
#include <umbel/ws.h>
#include "message.h"

enum wire_verdict msg_read_bare(struct um_span message, struct wire_frame *out)
{
    struct um_reader r = um_reader(message);

    *out = (struct wire_frame){ .type = um_read_varuint(&r) };
    if (r.failed)
        return WIRE_NO_TYPE;
    out->body = UM_SPAN(r.p, um_reader_left(&r));
    return WIRE_OK;
}

enum wire_verdict msg_read(struct um_span message, struct wire_frame *out)
{
    struct um_reader r = um_reader(message);
    struct um_span address;
    const uint8_t *nul;

    if (message.len == 1 && (message.data[0] == WIRE_PING || message.data[0] == WIRE_PONG || message.data[0] == 0))
        return WIRE_KEEP_ALIVE;
    address = um_read_varbytes(&r);
    if (r.failed || !um_utf8_is_valid(address.data, address.len))
        return WIRE_BAD_ADDRESS;
    if (msg_read_bare(UM_SPAN(r.p, um_reader_left(&r)), out) != WIRE_OK)
        return WIRE_NO_TYPE;
    nul = address.len ? memchr(address.data, 0, address.len) : NULL;
    out->address = address;
    out->name = UM_SPAN(address.data, nul ? (size_t)(nul - address.data) : address.len);
    return WIRE_OK;
}

static size_t varuint_size(uint64_t v)
{
    size_t n = 1;

    while (v >>= 7)
        n++;
    return n;
}

void msg_put_head(struct um_buf *out, struct wire_addr to, enum wire_type type, int kind, ptrdiff_t payload_len)
{
    size_t body = to.encoded.len + 1 + (kind == NO_KIND ? 0 : 1) +
                  (payload_len < 0 ? 0 : varuint_size((uint64_t)payload_len) + (size_t)payload_len);
    uint8_t header[10];

    um_buf_put(out, header, um_ws_frame_header(header, UM_WS_BINARY, body));
    um_buf_put(out, to.encoded.data, to.encoded.len);
    um_buf_put_u8(out, (uint8_t)type);
    if (kind != NO_KIND)
        um_buf_put_u8(out, (uint8_t)kind);
    if (payload_len >= 0)
        um_buf_put_varuint(out, (uint64_t)payload_len);
}

static struct um_bytes *take(struct um_buf *b)
{
    struct um_bytes *bytes = um_buf_to_bytes(b);

    um_buf_free(b);
    return bytes;
}

struct um_bytes *msg_make(struct wire_addr to, enum wire_type type, int kind, struct um_span payload)
{
    struct um_buf b = { 0 };

    msg_put_head(&b, to, type, kind, (ptrdiff_t)payload.len);
    um_buf_put(&b, payload.data, payload.len);
    return take(&b);
}

struct um_bytes *msg_make_empty(struct wire_addr to, enum wire_type type, int kind)
{
    struct um_buf b = { 0 };

    msg_put_head(&b, to, type, kind, -1);
    return take(&b);
}
