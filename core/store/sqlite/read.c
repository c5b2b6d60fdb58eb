/* The readers' side: one call, one read transaction, so that what is answered was true at one moment. */
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "sqlite_internal.h"

#define LOAD_MAX ((size_t)1 << 30)           /* bytes of a document's log in memory */

/* ---- load ---- */

static bool is_sound(sqlite3_stmt *s, int crc_column, struct um_span bytes)
{
    return sqlite3_column_int64(s, crc_column) == (int64_t)um_crc32c(0, bytes.data, bytes.len);
}

/* The row of `documents`. */
static um_err take_doc(sqlite3_stmt *s, struct um_store_loaded *doc, int64_t *id)
{
    struct um_span data = sq_blob(s, 5);

    *id = sqlite3_column_int64(s, 0);
    doc->exists = true;
    doc->deleted = sqlite3_column_int(s, 4) != 0;
    doc->version = (uint64_t)sqlite3_column_int64(s, 1);
    doc->folded_seq = doc->last_seq = (uint64_t)sqlite3_column_int64(s, 2);
    if (sqlite3_column_type(s, 3) != SQLITE_NULL && !is_sound(s, 3, data))
        return UM_ECORRUPT;
    if (doc->deleted || sq_is_empty_state(data))
        return UM_OK;
    doc->state = um_bytes_dup(data.data, data.len);
    return doc->state != NULL ? UM_OK : UM_ENOMEM;
}

/* One row of the log: the next in line, undamaged. */
static um_err take_update(sqlite3_stmt *s, struct store_log *lg)
{
    uint64_t seq = (uint64_t)sqlite3_column_int64(s, 0);
    struct um_span data = sq_blob(s, 2);

    if (seq != lg->doc.last_seq + 1 || !is_sound(s, 1, data))
        return UM_ECORRUPT;
    if (data.len > LOAD_MAX - lg->bytes.len)
        return UM_ELIMIT;
    lg->doc.last_seq = seq;
    return store_log_add(lg, seq, data) ? UM_OK : UM_ENOMEM;
}

static int load_log(struct sq_conn *c, int64_t id, struct store_op *op)
{
    sqlite3_stmt *s = sq_query(c, SQ_LOG, "ii", id, (int64_t)op->log->doc.last_seq);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && op->err == UM_OK)
        op->err = take_update(s, op->log);
    sq_end(s);
    store_log_finish(op->log);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* How far the document NAME is. */
static int head(struct sq_conn *c, const char *name, struct um_store_head *h, int64_t *id, uint64_t *folded)
{
    sqlite3_stmt *s = sq_query(c, SQ_FIND, "t", name);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        *id = sqlite3_column_int64(s, 0);
        *folded = (uint64_t)sqlite3_column_int64(s, 2);
        *h = (struct um_store_head){ true, sqlite3_column_int(s, 4) != 0, false,
            UM_MAX((uint64_t)sqlite3_column_int64(s, 5), *folded), (uint64_t)sqlite3_column_int64(s, 1) };
    }
    sq_end(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int read_heads(struct sq_conn *c, struct store_op *op)
{
    int64_t id;
    uint64_t folded;
    int rc = SQLITE_OK;

    for (size_t i = 0; i < op->n_names && rc == SQLITE_OK; i++)
        rc = head(c, op->names[i], &op->heads[i], &id, &folded);
    return rc;
}

static int load(struct sq_conn *c, struct store_op *op)
{
    sqlite3_stmt *s = sq_query(c, SQ_LOAD, "t", op->name);
    int64_t id = 0;
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    op->log = store_log_new();
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        op->err = take_doc(s, &op->log->doc, &id);
    sq_end(s);
    if (rc != SQLITE_ROW)
        return rc == SQLITE_DONE ? SQLITE_OK : rc;
    return op->err == UM_OK && !op->log->doc.deleted ? load_log(c, id, op) : SQLITE_OK;
}

/* What stands above op->upto_seq. */
static int load_since(struct sq_conn *c, struct store_op *op)
{
    struct um_store_head h = { 0 };
    struct um_store_loaded *doc;
    uint64_t folded = 0;
    int64_t id = 0;
    int rc = head(c, op->name, &h, &id, &folded);

    if (rc != SQLITE_OK)
        return rc;
    if (h.exists && !h.deleted && op->upto_seq < folded)
        return load(c, op);                  /* the rows were trimmed */
    op->log = store_log_new();
    doc = &op->log->doc;
    *doc = (struct um_store_loaded){ .exists = h.exists, .deleted = h.deleted, .version = h.version, .folded_seq = folded };
    doc->last_seq = UM_MIN(op->upto_seq, h.last_seq);
    return h.exists && !h.deleted ? load_log(c, id, op) : SQLITE_OK;
}

/* ---- one entry ---- */

static const char *text_of(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);

    return text != NULL ? text : "";
}

int sq_read_entry(struct sq_conn *c, enum sq_id id, const char *name, int64_t doc_id, struct store_op *op)
{
    sqlite3_stmt *s = name != NULL ? sq_query(c, id, "t", name) : sq_query(c, id, "i", doc_id);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    if (op->page == NULL)
        op->page = store_page_new();
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        int64_t log_at_ms = sqlite3_column_int64(s, 9);
        struct um_store_entry e = {
            .name = text_of(s, 1), .title = text_of(s, 2),
            .created_at_ms = sqlite3_column_int64(s, 3), .updated_at_ms = sqlite3_column_int64(s, 4),
            .created_by = text_of(s, 5), .updated_by = text_of(s, 6),
            .version = (uint64_t)sqlite3_column_int64(s, 7), .bytes = sqlite3_column_int64(s, 8),
        };

        if (sqlite3_column_type(s, 9) != SQLITE_NULL && log_at_ms >= e.updated_at_ms) {
            e.updated_at_ms = log_at_ms;
            e.updated_by = text_of(s, 10);
        }
        if (!store_page_add(op->page, &e))
            op->err = UM_ENOMEM;
    }
    sq_end(s);
    store_page_finish(op->page);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int get(struct sq_conn *c, struct store_op *op)
{
    int rc = sq_read_entry(c, SQ_ENTRY_BY_NAME, op->name, 0, op);

    if (rc == SQLITE_OK && op->err == UM_OK && op->page->page.n == 0)
        op->err = UM_ENOTFOUND;
    return rc;
}

/* ---- a call ---- */

static int read_kind(struct sq_conn *c, struct store_op *op)
{
    switch (op->kind) {
    case STORE_LOAD:
        return load(c, op);
    case STORE_SINCE:
        return load_since(c, op);
    case STORE_GET:
        return get(c, op);
    case STORE_LIST:
        return sq_read_list(c, op);
    case STORE_HEADS:
        return read_heads(c, op);
    case STORE_CLIENTS:
        return sq_read_clients(c, op);
    case STORE_VIEW:
        return sq_inspect(c, op);
    default:
        if (store_is_shared(op->kind))
            return sq_read_shared(c, op);
        return sq_read_versions(c, op);
    }
}

static int read_op(struct sq_conn *c, struct store_op *op)
{
    int rc = sq_run(c, SQ_BEGIN_READ, "");

    if (rc == SQLITE_OK)
        rc = read_kind(c, op);
    if (sqlite3_get_autocommit(c->db) == 0)
        sq_run(c, SQ_COMMIT, "");
    return rc;
}

static void note_load(const struct store_op *op)
{
    store_count(M_LOADS, 1);
    if (op->err != UM_ECORRUPT)
        return;
    store_count(M_CORRUPT, 1);
    um_log_limited(UM_ERROR, "store", "document_damaged", UM_S("document", op->name));
}

void sq_read(void *reader, struct store_op *op)
{
    struct sq_reader *r = reader;
    int rc = SQLITE_OK;

    bool loads = op->kind == STORE_LOAD || op->kind == STORE_SINCE;

    if (loads && (UM_FAILPOINT("load.before") || UM_FAILPOINT("load.error"))) {
        op->err = UM_EIO;
        return;
    }
    if (r->conn->db == NULL)
        rc = sq_open(r->conn, r->st->path, SQ_READER);
    if (rc == SQLITE_OK)
        rc = read_op(r->conn, op);
    if (rc != SQLITE_OK) {
        op->err = sq_err(rc);
        um_log_limited(UM_ERROR, "store", "read_failed", UM_S("error", sqlite3_errstr(rc)), UM_I("code", rc));
        if (sq_breaks_trust(rc) && r->conn == &r->own)
            sq_close(r->conn);               /* opened again at the next call */
    }
    if (loads)
        note_load(op);
    else if (op->kind == STORE_LIST)
        store_count(M_LISTS, 1);
}
