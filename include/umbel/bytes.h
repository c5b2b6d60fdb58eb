/* Bytes in two forms: `um_bytes`, immutable and reference-counted (the only thing that reactors
 * share), and `um_buf`, a growable builder with one owner. */
#ifndef UMBEL_BYTES_H
#define UMBEL_BYTES_H
#include <stdatomic.h>
#include <umbel/base.h>

/* Immutable after it is shared. The count is atomic: any thread may ref and unref. */
struct um_bytes {
    _Atomic uint32_t refs;
    size_t len;
    uint8_t data[];
};

struct um_bytes *um_bytes_new(size_t len);              /* uninitialised, one reference; NULL when memory is gone */
struct um_bytes *um_bytes_dup(const void *data, size_t len);
struct um_bytes *um_bytes_ref(struct um_bytes *b);      /* returns b */
void um_bytes_unref(struct um_bytes *b);                /* NULL is fine */
static inline struct um_span um_bytes_span(const struct um_bytes *b) { return UM_SPAN(b->data, b->len); }

/* Builder. Zero-initialise it. Every append may fail for want of memory; the failure is sticky
 * (`failed`), so a chain of appends is checked once at its end. */
struct um_buf {
    uint8_t *data;
    size_t len, cap;
    bool failed;
};

void um_buf_free(struct um_buf *b);                     /* leaves it zeroed: may be used again */
static inline void um_buf_clear(struct um_buf *b) { b->len = 0; b->failed = false; }
uint8_t *um_buf_room(struct um_buf *b, size_t n);       /* n writable bytes at the end, NULL on failure; then um_buf_advance */
static inline void um_buf_advance(struct um_buf *b, size_t n) { b->len += n; }
void um_buf_put(struct um_buf *b, const void *data, size_t len);
void um_buf_put_u8(struct um_buf *b, uint8_t v);
void um_buf_puts(struct um_buf *b, const char *s);
void um_buf_printf(struct um_buf *b, const char *fmt, ...) UM_PRINTF(2, 3);
void um_buf_put_varuint(struct um_buf *b, uint64_t v);  /* lib0: 7 bits per byte, least first */
void um_buf_put_varbytes(struct um_buf *b, struct um_span s);      /* its length, then the bytes */
void um_buf_consume(struct um_buf *b, size_t n);        /* drop n bytes from the front (moves the rest) */
const char *um_buf_cstr(struct um_buf *b);              /* terminated, borrowed; "" on failure */
struct um_bytes *um_buf_to_bytes(const struct um_buf *b);  /* a copy; NULL on failure */

/* Reader over borrowed bytes: every read checks the end; `failed` is sticky. */
struct um_reader {
    const uint8_t *p, *end;
    bool failed;
};
static inline struct um_reader um_reader(struct um_span s) { return (struct um_reader){ s.data, s.data + s.len, false }; }
static inline size_t um_reader_left(const struct um_reader *r) { return (size_t)(r->end - r->p); }
uint8_t  um_read_u8(struct um_reader *r);
uint64_t um_read_varuint(struct um_reader *r);          /* at most 2^53-1 */
struct um_span um_read_varbytes(struct um_reader *r);   /* length, then bytes; borrowed */
/* The same for a text: UTF-8 of at most MAX bytes, none of them zero. It is terminated in OUT, which has MAX + 1; "" when failed. */
void um_read_vartext(struct um_reader *r, char *out, size_t max);

#endif
