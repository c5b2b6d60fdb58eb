/* See frame.h. */
#include <string.h>
#include "frame.h"

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_u32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

/* What may be wrong with a head is said as soon as it is there. */
static bool head_is_good(const uint8_t *p, size_t max)
{
    return get_u32(p) <= max && p[4] >= FRAME_READY && p[4] < FRAME_KINDS_N && p[5] <= FRAME_TEXTS_MAX &&
           p[6] == 0 && p[7] == 0;
}

size_t frame_body(const void *head) { return get_u32(head); }

ssize_t frame_read(const void *data, size_t len, size_t max, struct frame *out)
{
    const uint8_t *p = data, *end;
    size_t size;

    if (len < FRAME_HEAD)
        return 0;
    if (!head_is_good(p, max))
        return -1;
    size = get_u32(p);
    if (len - FRAME_HEAD < size)
        return 0;
    *out = (struct frame){ .kind = (enum frame_kind)p[4], .n = p[5], .call = get_u32(p + 8) };
    p += FRAME_HEAD;
    end = p + size;
    for (size_t i = 0; i < out->n; i++) {
        size_t left = (size_t)(end - p), n;

        if (left < 5 || (n = get_u32(p)) > left - 5 || p[4 + n] != '\0')
            return -1;
        out->texts[i] = (struct frame_text){ (const char *)p + 4, n };
        p += 5 + n;
    }
    return p == end ? (ssize_t)(FRAME_HEAD + size) : -1;
}

size_t frame_size(const struct frame *f)
{
    size_t size = FRAME_HEAD;

    for (size_t i = 0; i < f->n; i++) {
        if (f->texts[i].len > INT32_MAX - size - 5)
            return 0;
        size += 5 + f->texts[i].len;
    }
    return size;
}

void frame_write(const struct frame *f, void *out)
{
    uint8_t *p = out;

    put_u32(p, (uint32_t)(frame_size(f) - FRAME_HEAD));
    p[4] = (uint8_t)f->kind;
    p[5] = (uint8_t)f->n;
    p[6] = p[7] = 0;
    put_u32(p + 8, f->call);
    p += FRAME_HEAD;
    for (size_t i = 0; i < f->n; i++) {
        const struct frame_text *t = &f->texts[i];

        put_u32(p, (uint32_t)t->len);
        memcpy(p + 4, t->text, t->len);
        p[4 + t->len] = '\0';
        p += 5 + t->len;
    }
}
