/* See eio_packet.h. Base64 is read as leniently as stock servers do: either alphabet, padding or none, strange characters left out. */
#include "eio_packet.h"

#include <string.h>
#include <umbel/util.h>

um_err eio_text_decode(struct um_span text, struct eio_packet *out)
{
    if (text.len == 0 || text.data[0] < '0' || text.data[0] > '6')
        return UM_EPROTO;
    out->type = (enum eio_type)(text.data[0] - '0');
    out->is_binary = false;
    out->data = UM_SPAN(text.data + 1, text.len - 1);
    return UM_OK;
}

static int base64_digit(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

static um_err read_base64(struct um_span in, struct um_buf *scratch, struct eio_packet *out)
{
    uint8_t *room;
    uint32_t bits = 0;
    size_t n = 0, have = 0;

    um_buf_clear(scratch);
    if ((room = um_buf_room(scratch, in.len / 4 * 3 + 3)) == NULL)
        return UM_ENOMEM;
    for (size_t i = 0; i < in.len && in.data[i] != '='; i++) {
        int digit = base64_digit(in.data[i]);

        if (digit < 0)
            continue;
        bits = bits << 6 | (uint32_t)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            room[n++] = (uint8_t)(bits >> have);
        }
    }
    um_buf_advance(scratch, n);
    out->type = EIO_MESSAGE;
    out->is_binary = true;
    out->data = UM_SPAN(room, n);
    return UM_OK;
}

um_err eio_payload_next(struct um_span body, size_t *pos, struct um_buf *scratch, struct eio_packet *out)
{
    const uint8_t *from = body.data + *pos, *separator;
    size_t left, len;

    if (*pos > body.len)
        return UM_ENOTFOUND;
    left = body.len - *pos;
    separator = left > 0 ? memchr(from, EIO_SEPARATOR, left) : NULL;
    len = separator != NULL ? (size_t)(separator - from) : left;
    *pos += len + 1;                      /* beyond the end when it was the last one */
    if (len > 0 && from[0] == 'b')
        return read_base64(UM_SPAN(from + 1, len - 1), scratch, out);
    return eio_text_decode(UM_SPAN(from, len), out);
}

/* --- our own frames: unmasked, whole, well-formed ------------------------------------------------------------------ */

static struct um_span frame_payload(struct um_span frames, bool *is_binary, size_t *size)
{
    const uint8_t *p = frames.data;
    size_t head = 2, len;

    UM_ASSERT(frames.len >= 2);
    *is_binary = (p[0] & 0x0f) == 2;
    len = p[1] & 0x7fu;
    if (len >= 126) {
        size_t n = len == 126 ? 2 : 8;

        len = 0;
        for (size_t i = 0; i < n; i++)
            len = len << 8 | p[2 + i];
        head += n;
    }
    *size = head + len;
    UM_ASSERT(*size <= frames.len);
    return UM_SPAN(p + head, len);
}

void eio_payload_put_frames(struct um_buf *out, struct um_span frames)
{
    while (frames.len > 0) {
        bool is_binary;
        size_t size;
        struct um_span payload = frame_payload(frames, &is_binary, &size);

        if (out->len > 0)
            um_buf_put_u8(out, EIO_SEPARATOR);
        if (is_binary) {
            um_buf_put_u8(out, 'b');
            um_base64_encode(out, payload);
        } else {
            um_buf_put(out, payload.data, payload.len);
        }
        frames = UM_SPAN(frames.data + size, frames.len - size);
    }
}
