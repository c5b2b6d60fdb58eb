/* See news.h. */
#include <string.h>
#include <umbel/util.h>
#include "news.h"

#define FORMAT 1

static void put_row(struct um_buf *out, const struct um_store_reserved *row)
{
    um_buf_put_varbytes(out, UM_SPAN_STR(row->category));
    um_buf_put_varbytes(out, UM_SPAN_STR(row->id));
    um_buf_put_varbytes(out, UM_SPAN_STR(row->user));
    um_buf_put_varbytes(out, UM_SPAN_STR(row->session));
    um_buf_put_varuint(out, row->token);
    um_buf_put_varuint(out, (uint64_t)UM_MAX(row->since_ms, 0));
    um_buf_put_varuint(out, (uint64_t)UM_MAX(row->left_ms, 0));
}

void news_write(struct um_buf *out, enum um_reserve_event event, const char *by, const struct um_store_reserved *rows, size_t n)
{
    um_buf_clear(out);
    um_buf_put_u8(out, FORMAT);
    um_buf_put_u8(out, (uint8_t)event);
    um_buf_put_varbytes(out, UM_SPAN_STR(by));
    um_buf_put_varuint(out, n);
    for (size_t i = 0; i < n && out->len <= NEWS_MAX_BYTES; i++)
        put_row(out, &rows[i]);
    if (out->failed || out->len > NEWS_MAX_BYTES)
        um_buf_clear(out);
}

struct row_text {
    char category[UM_RESERVE_CATEGORY_MAX + 1], id[UM_RESERVE_ID_MAX + 1], user[UM_RESERVE_USER_MAX + 1],
        session[UM_RESERVE_SESSION_MAX + 1];
};

static bool take_row(struct um_reader *r, struct row_text *t, struct um_store_reserved *row)
{
    um_read_vartext(r, t->category, UM_RESERVE_CATEGORY_MAX);
    um_read_vartext(r, t->id, UM_RESERVE_ID_MAX);
    um_read_vartext(r, t->user, UM_RESERVE_USER_MAX);
    um_read_vartext(r, t->session, UM_RESERVE_SESSION_MAX);
    *row = (struct um_store_reserved){ .category = t->category, .id = t->id, .user = t->user, .session = t->session };
    row->token = um_read_varuint(r);
    row->since_ms = (int64_t)um_read_varuint(r);
    row->left_ms = (int64_t)um_read_varuint(r);
    return !r->failed && row->left_ms <= UM_STORE_LEASE_MAX_MS && um_store_is_category(t->category);
}

bool news_read(struct um_span bytes, void (*cb)(void *arg, const struct news_head *head, const struct um_store_reserved *row),
               void *arg)
{
    struct um_reader r = um_reader(bytes);
    struct um_store_reserved row;
    struct news_head head;
    struct row_text text;
    uint8_t format = um_read_u8(&r), event = um_read_u8(&r);
    uint64_t n;

    um_read_vartext(&r, head.by, UM_RESERVE_USER_MAX);
    if (format != FORMAT || event >= UM_RESERVE_EVENTS_N)
        return false;
    head.event = (enum um_reserve_event)event;
    n = um_read_varuint(&r);
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        if (!take_row(&r, &text, &row))
            return false;
        cb(arg, &head, &row);
    }
    return !r.failed && um_reader_left(&r) == 0;
}
