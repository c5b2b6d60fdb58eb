/* Answers that hold rows: a document's log, the entries of a list, and the cursor between two pages. */
#include "op.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

/* ---- a loaded document ---- */

struct store_log *store_log_new(void)
{
    return um_xcalloc(1, sizeof(struct store_log));
}

bool store_log_add(struct store_log *lg, uint64_t seq, struct um_span bytes)
{
    struct um_store_update *rows = (struct um_store_update *)lg->doc.updates;

    if (lg->doc.n_updates == lg->cap) {
        size_t cap = lg->cap == 0 ? 32 : lg->cap * 2;

        rows = realloc(rows, cap * sizeof(*rows));
        if (rows == NULL)
            return false;
        lg->doc.updates = rows;
        lg->cap = cap;
    }
    um_buf_put(&lg->bytes, bytes.data, bytes.len);
    if (lg->bytes.failed)
        return false;
    rows[lg->doc.n_updates++] = (struct um_store_update){ seq, { NULL, bytes.len } };
    return true;
}

void store_log_finish(struct store_log *lg)
{
    struct um_store_update *rows = (struct um_store_update *)lg->doc.updates;
    const uint8_t *at = lg->bytes.data;      /* the builder has moved while it grew: places are known only now */

    for (size_t i = 0; i < lg->doc.n_updates; i++) {
        rows[i].bytes.data = at;
        at += rows[i].bytes.len;
    }
}

void store_log_free(struct store_log *lg)
{
    if (lg == NULL)
        return;
    um_bytes_unref(lg->doc.state);
    free((void *)lg->doc.updates);
    um_buf_free(&lg->bytes);
    free(lg);
}

/* ---- entries ---- */

struct store_page *store_page_new(void)
{
    return um_xcalloc(1, sizeof(struct store_page));
}

static void free_entry(struct um_store_entry *e)
{
    free((char *)e->name);
    free((char *)e->title);
    free((char *)e->created_by);
    free((char *)e->updated_by);
}

bool store_page_add(struct store_page *pg, const struct um_store_entry *e)
{
    struct um_store_entry copy = *e;

    if (pg->page.n == pg->cap) {
        size_t cap = pg->cap == 0 ? 1 : pg->cap * 2;
        struct um_store_entry *rows = realloc(pg->rows, cap * sizeof(*rows));

        if (rows == NULL)
            return false;
        pg->rows = rows;
        pg->cap = cap;
    }
    copy.name = strdup(e->name);
    copy.title = strdup(e->title);
    copy.created_by = strdup(e->created_by);
    copy.updated_by = strdup(e->updated_by);
    if (copy.name == NULL || copy.title == NULL || copy.created_by == NULL || copy.updated_by == NULL) {
        free_entry(&copy);
        return false;
    }
    pg->rows[pg->page.n++] = copy;
    return true;
}

void store_page_finish(struct store_page *pg)
{
    pg->page.entries = pg->rows;
}

void store_page_free(struct store_page *pg)
{
    if (pg == NULL)
        return;
    for (size_t i = 0; i < pg->page.n; i++)
        free_entry(&pg->rows[i]);
    free(pg->rows);
    free((char *)pg->page.after);
    free(pg);
}

/* ---- versions and clients ---- */

struct store_versions *store_versions_new(void)
{
    return um_xcalloc(1, sizeof(struct store_versions));
}

static void free_version(struct um_store_version *v)
{
    free((char *)v->document);
    free((char *)v->label);
    free((char *)v->author);
    free((char *)v->contributors);
    free((char *)v->archive_key);
}

bool store_versions_add(struct store_versions *v, const struct um_store_version *row)
{
    struct um_store_version copy = *row;

    if (v->page.n == v->cap) {
        size_t cap = v->cap == 0 ? 1 : v->cap * 2;
        struct um_store_version *rows = realloc(v->rows, cap * sizeof(*rows));

        if (rows == NULL)
            return false;
        v->rows = rows;
        v->cap = cap;
    }
    copy.document = strdup(row->document);
    copy.label = strdup(row->label);
    copy.author = strdup(row->author);
    copy.contributors = strdup(row->contributors);
    copy.archive_key = strdup(row->archive_key);
    if (copy.document == NULL || copy.label == NULL || copy.author == NULL || copy.contributors == NULL ||
        copy.archive_key == NULL) {
        free_version(&copy);
        return false;
    }
    v->rows[v->page.n++] = copy;
    v->page.rows = v->rows;
    return true;
}

void store_versions_free(struct store_versions *v)
{
    if (v == NULL)
        return;
    for (size_t i = 0; i < v->page.n; i++)
        free_version(&v->rows[i]);
    free(v->rows);
    um_bytes_unref(v->state);
    free(v);
}

struct store_clients *store_clients_new(void)
{
    return um_xcalloc(1, sizeof(struct store_clients));
}

bool store_clients_add(struct store_clients *c, uint64_t client, const char *user)
{
    char *copy = strdup(user);

    if (c->n == c->cap) {
        size_t cap = c->cap == 0 ? 16 : c->cap * 2;
        struct um_store_client *rows = realloc(c->rows, cap * sizeof(*rows));

        if (rows == NULL) {
            free(copy);
            return false;
        }
        c->rows = rows;
        c->cap = cap;
    }
    if (copy == NULL)
        return false;
    c->rows[c->n++] = (struct um_store_client){ client, copy };
    return true;
}

void store_clients_free(struct store_clients *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->n; i++)
        free((char *)c->rows[i].user);
    free(c->rows);
    free(c);
}

/* ---- cursors: base64url of varuint moment, varuint id, two bytes of their CRC ---- */

static uint16_t cursor_sum(struct um_span body)
{
    return (uint16_t)(um_crc32c(0x756d, body.data, body.len) & 0xffff);
}

void store_cursor_format(struct store_cursor c, char out[STORE_CURSOR_TEXT])
{
    struct um_buf raw = { 0 }, text = { 0 };
    uint16_t sum;

    um_buf_put_varuint(&raw, (uint64_t)UM_MAX(c.at_ms, 0));
    um_buf_put_varuint(&raw, (uint64_t)UM_MAX(c.id, 0));
    sum = cursor_sum(UM_SPAN(raw.data, raw.len));
    um_buf_put_u8(&raw, (uint8_t)(sum >> 8));
    um_buf_put_u8(&raw, (uint8_t)sum);
    um_base64url_encode(&text, UM_SPAN(raw.data, raw.len));
    UM_ASSERT(text.len < STORE_CURSOR_TEXT);
    memcpy(out, um_buf_cstr(&text), text.len + 1);
    um_buf_free(&raw);
    um_buf_free(&text);
}

um_err store_cursor_parse(const char *text, struct store_cursor *out)
{
    struct um_buf raw = { 0 };
    um_err err = UM_EINVAL;

    if (strlen(text) < STORE_CURSOR_TEXT && um_base64url_decode(&raw, UM_SPAN_STR(text)) && raw.len > 2) {
        struct um_span body = UM_SPAN(raw.data, raw.len - 2);
        uint16_t sum = (uint16_t)(raw.data[raw.len - 2] << 8 | raw.data[raw.len - 1]);
        struct um_reader r = um_reader(body);
        uint64_t at_ms = um_read_varuint(&r), id = um_read_varuint(&r);

        if (!r.failed && um_reader_left(&r) == 0 && sum == cursor_sum(body)) {
            *out = (struct store_cursor){ (int64_t)at_ms, (int64_t)id };
            err = UM_OK;
        }
    }
    um_buf_free(&raw);
    return err;
}

/* ---- the best of many ---- */

bool store_comes_before(struct store_cursor a, struct store_cursor b)
{
    return a.at_ms != b.at_ms ? a.at_ms > b.at_ms : a.id > b.id;
}

void store_best_keep(struct store_best *b, struct store_cursor row)
{
    size_t i = b->n;

    if (b->n == b->cap) {
        if (!store_comes_before(row, b->rows[b->n - 1]))
            return;
        i--;                                 /* the last one falls out */
    } else {
        b->n++;
    }
    for (; i > 0 && store_comes_before(row, b->rows[i - 1]); i--)
        b->rows[i] = b->rows[i - 1];
    b->rows[i] = row;
}
