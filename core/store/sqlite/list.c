/* A page of the list, newest change first.
 *
 * A document changed last at max(updated_at, moment of its newest log row), and that is at most SQ_TOUCH_MS after
 * updated_at (write.c, 2). So the index on updated_at is walked downwards, the best rows are kept in order, and the walk
 * ends when no later row can come before the last one kept. */
#include <stdlib.h>
#include <string.h>
#include "sqlite_internal.h"

static int collect(struct sq_conn *c, const struct store_op *op, const char *pattern, struct store_best *b)
{
    sqlite3_stmt *s = sq_query(c, SQ_CANDIDATES, "ti", pattern, op->has_after ? op->after.at_ms : INT64_MAX);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t updated_ms = sqlite3_column_int64(s, 1), log_at_ms = sqlite3_column_int64(s, 2);
        struct store_cursor row = { UM_MAX(updated_ms, log_at_ms), sqlite3_column_int64(s, 0) };

        if (b->n == b->cap && b->rows[b->n - 1].at_ms > updated_ms + SQ_TOUCH_MS) {
            rc = SQLITE_DONE;
            break;
        }
        if (!op->has_after || store_comes_before(op->after, row))
            store_best_keep(b, row);
    }
    sq_end(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int count(struct sq_conn *c, const char *pattern, int64_t *found)
{
    sqlite3_stmt *s = sq_query(c, SQ_COUNT, "t", pattern);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *found = sqlite3_column_int64(s, 0);
    sq_end(s);
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
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

static int fill_page(struct sq_conn *c, struct store_op *op, const struct store_best *b)
{
    size_t n = UM_MIN(b->n, b->cap - 1);     /* the one more only tells that there is a next page */
    int rc = SQLITE_OK;

    for (size_t i = 0; i < n && rc == SQLITE_OK && op->err == UM_OK; i++)
        rc = sq_read_entry(c, SQ_ENTRY_BY_ID, NULL, b->rows[i].id, op);
    if (b->n == b->cap) {
        char text[STORE_CURSOR_TEXT];

        store_cursor_format(b->rows[n - 1], text);
        op->page->page.after = um_xstrdup(text);
    }
    return rc;
}

int sq_read_list(struct sq_conn *c, struct store_op *op)
{
    struct store_best b = { .cap = (size_t)op->max + 1 };
    struct um_buf pattern = { 0 };
    int rc;

    make_pattern(&pattern, op->title);
    b.rows = um_xcalloc(b.cap, sizeof(*b.rows));
    op->page = store_page_new();
    if ((rc = collect(c, op, um_buf_cstr(&pattern), &b)) == SQLITE_OK &&
        (rc = count(c, um_buf_cstr(&pattern), &op->page->page.found)) == SQLITE_OK)
        rc = fill_page(c, op, &b);
    um_buf_free(&pattern);
    free(b.rows);
    return rc;
}
