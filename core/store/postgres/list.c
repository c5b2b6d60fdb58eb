/* A page of the list, newest change first.
 *
 * A document changed last at max(documents.updated_at, its head's updated_at), and the latter is at most PG_TOUCH_MS after
 * the former (the append brings it up), so that the index on updated_at need not be touched by every append. The index is
 * walked downwards in pieces, the best rows are kept in order, and the walk ends when no later row can come before the
 * last one kept. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "pg_internal.h"

enum { PIECE_MIN = 128, PIECE_MAX = 4096 };  /* rows of one question */

static void arg_pattern(struct pg_args *a, const char *pattern)
{
    if (pattern[0] != '\0')
        pg_arg_text(a, pattern);
    else
        pg_arg_null(a);
}

/* Keeps what is good of one piece; false: no later row can be. */
static bool take_piece(const PGresult *r, const struct store_op *op, struct store_best *b, struct store_cursor *walked)
{
    for (int i = 0; i < PQntuples(r); i++) {
        struct store_cursor row = { pg_int(r, i, 2), pg_int(r, i, 0) };

        *walked = (struct store_cursor){ pg_int(r, i, 1), row.id };
        if (b->n == b->cap && b->rows[b->n - 1].at_ms > walked->at_ms + PG_TOUCH_MS)
            return false;
        if (!op->has_after || store_comes_before(op->after, row))
            store_best_keep(b, row);
    }
    return true;
}

static void collect(struct pg_conn *c, const struct store_op *op, const char *pattern, struct store_best *b)
{
    struct store_cursor walked = { op->has_after ? op->after.at_ms : INT64_MAX, INT64_MAX };
    int64_t piece = UM_MAX((int64_t)b->cap, PIECE_MIN);
    bool more = true;

    while (more && c->err == UM_OK) {
        struct pg_args a = { 0 };
        PGresult *r;

        arg_pattern(&a, pattern);
        pg_arg_int(&a, walked.at_ms);
        pg_arg_int(&a, walked.id);
        pg_arg_int(&a, piece);
        pg_send(c, PG_CANDIDATES, &a);
        pg_sync(c);
        r = pg_take(c);
        more = r != NULL && PQntuples(r) == piece;
        if (r != NULL && !take_piece(r, op, b, &walked))
            more = false;
        PQclear(r);
        pg_end(c);
        piece = UM_MIN(piece * 2, PIECE_MAX);
    }
}

/* %part%, with LIKE's own signs escaped; "" when everything is asked for. */
static void make_pattern(struct um_buf *out, const char *part)
{
    if (part[0] == '\0')
        return;
    um_buf_puts(out, "%");
    for (; *part != '\0'; part++) {
        if (strchr("%_\\", *part) != NULL)
            um_buf_puts(out, "\\");
        um_buf_put_u8(out, (uint8_t)*part);
    }
    um_buf_puts(out, "%");
}

static void fill_page(struct pg_conn *c, struct store_op *op, const char *pattern, const struct store_best *b)
{
    size_t n = UM_MIN(b->n, b->cap - 1);     /* the one more only tells that there is a next page */
    struct pg_args found = { 0 }, entries = { 0 };
    int ids = pg_arg_array(&entries, PG_INT8, n);
    PGresult *r;

    for (size_t i = 0; i < n; i++)
        pg_put_int(&entries, ids, b->rows[i].id);
    arg_pattern(&found, pattern);
    pg_send(c, PG_FOUND, &found);
    pg_send(c, PG_ENTRIES, &entries);
    pg_send(c, PG_COMMIT, NULL);
    pg_sync(c);
    if ((r = pg_take(c)) != NULL)
        op->page->page.found = pg_int(r, 0, 0);
    PQclear(r);
    if ((r = pg_take(c)) != NULL)
        pg_take_entries(r, op);
    PQclear(r);
    if (b->n == b->cap && c->err == UM_OK) {
        char text[STORE_CURSOR_TEXT];

        store_cursor_format(b->rows[n - 1], text);
        op->page->page.after = um_xstrdup(text);
    }
}

um_err pg_read_list(struct pg_conn *c, struct store_op *op)
{
    struct store_best b = { .cap = (size_t)op->max + 1 };
    struct um_buf pattern = { 0 };

    make_pattern(&pattern, op->title);
    b.rows = um_xcalloc(b.cap, sizeof(*b.rows));
    op->page = store_page_new();
    pg_begin(c);
    pg_send(c, PG_BEGIN_READ, NULL);
    pg_sync(c);
    PQclear(pg_take(c));
    if (pg_end(c) == UM_OK)
        collect(c, op, um_buf_cstr(&pattern), &b);
    if (c->err == UM_OK)
        fill_page(c, op, um_buf_cstr(&pattern), &b);
    um_buf_free(&pattern);
    free(b.rows);
    return c->err;
}
