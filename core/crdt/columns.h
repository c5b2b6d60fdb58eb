/* lib0's column encodings, of which update v2 is made: run-length coded streams, each in a buffer of its own.
 *
 *   bytes     value, uint run-1, value, run-1, …; the last run has no length and goes on for ever
 *   unsigned  per run: sint value, or for a run > 1 sint -value (of 0: -0), uint run-2
 *   diffs     of each value to the one before; per run of one difference d: sint 2d, or 2d+1 and uint run-2
 *   text      all strings joined as one string, then an unsigned column of their lengths in UTF-16 units
 *
 * A run of a few bytes can claim any number of values: readers never allocate, and whoever reads in a loop has a
 * budget. */
#ifndef UM_CRDT_COLUMNS_H
#define UM_CRDT_COLUMNS_H
#include "lib0.h"

/* ---- reading. The first error goes to *err and stays; what is read after it means nothing ----------------- */

struct byte_column {
    struct rd r;
    um_err *err;
    uint8_t value;
    uint64_t left;                    /* more of the same */
};
struct uint_column {
    struct rd r;
    um_err *err;
    uint64_t value, left;
};
struct diff_column {
    struct rd r;
    um_err *err;
    int64_t value, diff;
    uint64_t left;
};
struct text_column {
    struct rd r;                      /* the joined text; stands at a whole character */
    struct uint_column lens;
    uint64_t units;                   /* of the text that follow */
    bool half;                        /* the first half of the pair at R.P has been read */
};

/* A string of a column: a half of a cut surrogate pair before or behind BODY is U+FFFD to us. */
struct column_text {
    struct um_span body;
    bool head_half, tail_half;
};

struct byte_column byte_column_make(struct um_span s, um_err *err);
struct uint_column uint_column_make(struct um_span s, um_err *err);
struct diff_column diff_column_make(struct um_span s, um_err *err);
struct text_column text_column_make(struct um_span s, um_err *err);
uint8_t byte_column_next(struct byte_column *c);
uint64_t uint_column_next(struct uint_column *c);
int64_t diff_column_next(struct diff_column *c);
struct column_text text_column_read(struct text_column *c);       /* borrowed */

static inline uint8_t byte_column_read(struct byte_column *c)
{
    if (c->left == 0)
        return byte_column_next(c);
    c->left--;
    return c->value;
}
static inline uint64_t uint_column_read(struct uint_column *c)
{
    if (c->left == 0)
        return uint_column_next(c);
    c->left--;
    return c->value;
}
static inline int64_t diff_column_read(struct diff_column *c)
{
    if (c->left == 0)
        return diff_column_next(c);
    c->left--;
    return c->value += c->diff;
}

/* ---- writing: zero-initialise, write, then end, which appends the column ------------------  */

struct byte_writer {
    struct um_buf out;
    uint64_t n;                       /* of the present run */
    uint8_t value;
};
struct uint_writer {
    struct um_buf out;
    uint64_t value, n;
};
struct diff_writer {
    struct um_buf out;
    int64_t value, diff;
    uint64_t n;
};
struct text_writer {
    struct um_buf text;
    struct uint_writer lens;
    bool halves;                      /* there may be lone halves of surrogate pairs, three bytes each */
};

void byte_write(struct byte_writer *w, uint8_t v);
void uint_write(struct uint_writer *w, uint64_t v);
void diff_write(struct diff_writer *w, int64_t v);
/* Valid UTF-8; a half of a surrogate pair may stand at either end, as three bytes: where two strings meet with the
 * halves of one they become it, as in yjs, and else U+FFFD. */
void text_write(struct text_writer *w, struct um_span s);

/* Appends the column behind its length, and frees it. */
void byte_writer_end(struct byte_writer *w, struct um_buf *out);
void uint_writer_end(struct uint_writer *w, struct um_buf *out);
void diff_writer_end(struct diff_writer *w, struct um_buf *out);
void text_writer_end(struct text_writer *w, struct um_buf *out);

#endif
