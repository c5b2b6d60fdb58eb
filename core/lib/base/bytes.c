/* Reference-counted bytes, the growable builder, the checked reader. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/bytes.h>
#include <umbel/util.h>

#define VARUINT_MAX ((UINT64_C(1) << 53) - 1)      /* what a JavaScript number holds exactly */

struct um_bytes *um_bytes_new(size_t len)
{
    struct um_bytes *b;

    if (len > SIZE_MAX - sizeof(*b))
        return NULL;
    b = malloc(sizeof(*b) + len);
    if (b == NULL)
        return NULL;
    atomic_init(&b->refs, 1);
    b->len = len;
    return b;
}

struct um_bytes *um_bytes_dup(const void *data, size_t len)
{
    struct um_bytes *b = um_bytes_new(len);

    if (b != NULL && len > 0)
        memcpy(b->data, data, len);
    return b;
}

struct um_bytes *um_bytes_ref(struct um_bytes *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

void um_bytes_unref(struct um_bytes *b)
{
    if (b != NULL && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1)
        free(b);
}

void um_buf_free(struct um_buf *b)
{
    free(b->data);
    *b = (struct um_buf){ 0 };
}

uint8_t *um_buf_room(struct um_buf *b, size_t n)
{
    size_t need, cap;
    uint8_t *data;

    if (b->failed || __builtin_add_overflow(b->len, n, &need)) {
        b->failed = true;
        return NULL;
    }
    if (need <= b->cap && b->data != NULL)
        return b->data + b->len;
    cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    data = realloc(b->data, cap);
    if (data == NULL) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->cap = cap;
    return data + b->len;
}

void um_buf_put(struct um_buf *b, const void *data, size_t len)
{
    uint8_t *at = um_buf_room(b, len);

    if (at != NULL && len > 0) {
        memcpy(at, data, len);
        b->len += len;
    }
}

void um_buf_put_u8(struct um_buf *b, uint8_t v)
{
    uint8_t *at = b->len < b->cap && !b->failed ? b->data + b->len : um_buf_room(b, 1);

    if (at != NULL) {
        *at = v;
        b->len++;
    }
}

void um_buf_puts(struct um_buf *b, const char *s)
{
    um_buf_put(b, s, strlen(s));
}

void um_buf_printf(struct um_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int n;

    va_start(ap, fmt);
    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 || um_buf_room(b, (size_t)n + 1) == NULL)
        b->failed = true;
    else
        b->len += (size_t)vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, again);
    va_end(again);
}

void um_buf_put_varuint(struct um_buf *b, uint64_t v)
{
    uint8_t *at = um_buf_room(b, 10);
    size_t n = 0;

    if (at == NULL)
        return;
    while (v > 0x7f) {
        at[n++] = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    at[n++] = (uint8_t)v;
    b->len += n;
}

void um_buf_put_varbytes(struct um_buf *b, struct um_span s)
{
    um_buf_put_varuint(b, s.len);
    um_buf_put(b, s.data, s.len);
}

void um_buf_consume(struct um_buf *b, size_t n)
{
    UM_ASSERT(n <= b->len);
    b->len -= n;
    if (b->len > 0 && n > 0)
        memmove(b->data, b->data + n, b->len);
}

const char *um_buf_cstr(struct um_buf *b)
{
    if (um_buf_room(b, 1) == NULL)
        return "";
    b->data[b->len] = '\0';
    return (const char *)b->data;
}

struct um_bytes *um_buf_to_bytes(const struct um_buf *b)
{
    return b->failed ? NULL : um_bytes_dup(b->data, b->len);
}

uint8_t um_read_u8(struct um_reader *r)
{
    if (r->failed || r->p == r->end) {
        r->failed = true;
        return 0;
    }
    return *r->p++;
}

uint64_t um_read_varuint(struct um_reader *r)
{
    uint64_t v = 0;

    if (!r->failed && r->p < r->end && *r->p < 0x80)
        return *r->p++;
    for (unsigned shift = 0; shift < 56; shift += 7) {
        uint8_t byte = um_read_u8(r);
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (r->failed)
            return 0;
        if (byte < 0x80) {
            if (v > VARUINT_MAX)
                break;
            return v;
        }
    }
    r->failed = true;
    return 0;
}

struct um_span um_read_varbytes(struct um_reader *r)
{
    uint64_t len = um_read_varuint(r);
    struct um_span s;

    if (r->failed || len > um_reader_left(r)) {
        r->failed = true;
        return UM_SPAN(NULL, 0);
    }
    s = UM_SPAN(r->p, (size_t)len);
    r->p += len;
    return s;
}

void um_read_vartext(struct um_reader *r, char *out, size_t max)
{
    struct um_span s = um_read_varbytes(r);

    r->failed = r->failed || s.len > max || (s.len > 0 && memchr(s.data, 0, s.len) != NULL) || !um_utf8_is_valid(s.data, s.len);
    if (r->failed)
        s.len = 0;
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    out[s.len] = '\0';
}
