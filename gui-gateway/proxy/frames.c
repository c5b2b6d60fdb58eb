/* Lengths of WebSocket frames: 7 bits, or 126 and 16 bits, or 127 and 64 bits; four more bytes when the payload is masked. */
#include <proxy/frames.h>

#include <string.h>

static size_t head_length(const struct um_frames *f)
{
    uint8_t length = f->n_head > 1 ? f->head[1] & 0x7f : 0;

    return 2 + (length == 126 ? 2 : length == 127 ? 8 : 0) + (f->n_head > 1 && (f->head[1] & 0x80) != 0 ? 4 : 0);
}

static uint64_t payload_length(const struct um_frames *f)
{
    uint8_t length = f->head[1] & 0x7f;
    size_t n = length == 126 ? 2 : length == 127 ? 8 : 0;
    uint64_t v = 0;

    for (size_t i = 0; i < n; i++)
        v = v << 8 | f->head[2 + i];
    return n == 0 ? length : v;
}

size_t um_frames_feed(struct um_frames *f, const uint8_t *data, size_t n)
{
    size_t i = 0;

    while (i < n) {
        if (f->left == 0) {
            f->head[f->n_head++] = data[i++];
            if (f->n_head < 2 || f->n_head < head_length(f))
                continue;
            f->left = payload_length(f);
            f->n_head = 0;
        } else {
            uint64_t take = UM_MIN(f->left, (uint64_t)(n - i));
            f->left -= take;
            i += (size_t)take;
        }
        if (f->left == 0)
            return i;
    }
    return i;
}

size_t um_frames_close(uint8_t out[UM_FRAMES_CLOSE_MAX], uint16_t code, const char *reason)
{
    size_t n = UM_MIN(strlen(reason), (size_t)123);

    out[0] = 0x88;
    out[1] = (uint8_t)(n + 2);
    out[2] = (uint8_t)(code >> 8);
    out[3] = (uint8_t)code;
    memcpy(out + 4, reason, n);
    return n + 4;
}
