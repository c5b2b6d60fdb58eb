/* The readers' side: one call, one snapshot of the database, one round trip where it can be. A call whose connection broke
 * is made once more on a new one: reading twice does no harm. */
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "pg_internal.h"
#include "store_internal.h"

#define LOAD_MAX ((size_t)1 << 30)           /* bytes of a document's log in memory */

/* A document without folded state holds the update that says nothing, which a stock server can read too. */
static bool is_empty_state(struct um_span s)
{
    return s.len == 0 || (s.len == 2 && s.data[0] == 0 && s.data[1] == 0);
}

static bool is_sound(const PGresult *r, int row, int crc_column, struct um_span bytes)
{
    return pg_int(r, row, crc_column) == (int64_t)um_crc32c(0, bytes.data, bytes.len);
}

void pg_begin_read(struct pg_conn *c)
{
    pg_begin(c);
    pg_send(c, PG_BEGIN_READ, NULL);
}

void pg_end_read(struct pg_conn *c)
{
    pg_send(c, PG_COMMIT, NULL);
    pg_sync(c);
    PQclear(pg_take(c));                     /* of BEGIN */
}

/* ---- load ---- */

/* The row of `documents`. HEAD: how far its log goes. */
static um_err take_doc(const PGresult *r, struct store_op *op, uint64_t *head)
{
    struct um_store_loaded *doc = &op->log->doc;
    struct um_span data = pg_bytes(r, 0, 4);
    bool has_state = !PQgetisnull(r, 0, 4);

    *head = (uint64_t)pg_int(r, 0, 5);
    doc->exists = true;
    doc->deleted = pg_int(r, 0, 3) != 0;
    doc->version = (uint64_t)pg_int(r, 0, 0);
    doc->folded_seq = (uint64_t)pg_int(r, 0, 1);
    doc->last_seq = has_state || op->kind == STORE_LOAD ? doc->folded_seq : UM_MIN(op->upto_seq, *head);
    if (has_state && !PQgetisnull(r, 0, 2) && !is_sound(r, 0, 2, data))
        return UM_ECORRUPT;
    if (doc->deleted || !has_state || is_empty_state(data))
        return UM_OK;
    doc->state = um_bytes_dup(data.data, data.len);
    return doc->state != NULL ? UM_OK : UM_ENOMEM;
}

/* One row of the log: the next in line, undamaged. */
static um_err take_update(const PGresult *r, struct store_log *lg)
{
    uint64_t seq = (uint64_t)pg_int(r, 0, 0);
    struct um_span data = pg_bytes(r, 0, 2);

    if (seq != lg->doc.last_seq + 1 || !is_sound(r, 0, 1, data))
        return UM_ECORRUPT;
    if (data.len > LOAD_MAX - lg->bytes.len)
        return UM_ELIMIT;
    lg->doc.last_seq = seq;
    return store_log_add(lg, seq, data) ? UM_OK : UM_ENOMEM;
}

static void take_log(struct pg_conn *c, struct store_op *op, bool wanted)
{
    PGresult *r;

    pg_stream(c);                            /* row by row: a long log is not in memory twice */
    while ((r = pg_next_row(c)) != NULL) {
        if (wanted && op->err == UM_OK)
            op->err = take_update(r, op->log);
        PQclear(r);
    }
    store_log_finish(op->log);
}

static void load(struct pg_conn *c, struct store_op *op)
{
    int64_t since = op->kind == STORE_LOAD ? -1 : (int64_t)UM_MIN(op->upto_seq, (uint64_t)INT64_MAX);
    struct pg_args doc = { 0 }, log = { 0 };
    uint64_t head = 0;
    PGresult *r;
    bool lives;

    pg_begin_read(c);
    pg_arg_text(&doc, op->name);
    pg_arg_int(&doc, since);
    pg_send(c, PG_LOAD, &doc);
    pg_arg_text(&log, op->name);
    pg_arg_int(&log, since);
    pg_send(c, PG_LOG, &log);
    pg_end_read(c);
    op->log = store_log_new();
    r = pg_take(c);
    if (r != NULL && PQntuples(r) > 0)
        op->err = take_doc(r, op, &head);
    PQclear(r);
    lives = op->log->doc.exists && !op->log->doc.deleted;
    take_log(c, op, lives);
    if (op->err == UM_OK && c->err == UM_OK && lives && op->log->doc.last_seq != head)
        op->err = UM_ECORRUPT;               /* the end is missing */
}

/* ---- entries, heads, clients ---- */

void pg_take_entries(const PGresult *r, struct store_op *op)
{
    if (op->page == NULL)
        op->page = store_page_new();
    for (int i = 0; i < PQntuples(r) && op->err == UM_OK; i++) {
        struct um_store_entry e = {
            .name = pg_text(r, i, 0), .title = pg_text(r, i, 1),
            .created_at_ms = pg_int(r, i, 2), .updated_at_ms = pg_int(r, i, 3),
            .created_by = pg_text(r, i, 4), .updated_by = pg_text(r, i, 5),
            .version = (uint64_t)pg_int(r, i, 6), .bytes = pg_int(r, i, 7),
        };

        if (!store_page_add(op->page, &e))
            op->err = UM_ENOMEM;
    }
    store_page_finish(op->page);
}

static void get(struct pg_conn *c, struct store_op *op)
{
    struct pg_args a = { 0 };
    PGresult *r;

    pg_begin(c);
    pg_arg_text(&a, op->name);
    pg_send(c, PG_ENTRY_BY_NAME, &a);
    pg_sync(c);
    r = pg_take(c);
    if (r != NULL)
        pg_take_entries(r, op);
    if (r != NULL && PQntuples(r) == 0)
        op->err = UM_ENOTFOUND;
    PQclear(r);
}

static void read_heads(struct pg_conn *c, struct store_op *op)
{
    struct pg_args a = { 0 };
    int names = pg_arg_array(&a, PG_TEXT, op->n_names);
    PGresult *r;

    for (size_t i = 0; i < op->n_names; i++)
        pg_put_span(&a, names, UM_SPAN_STR(op->names[i]));
    pg_begin(c);
    pg_send(c, PG_HEADS, &a);
    pg_sync(c);
    r = pg_take(c);
    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        size_t at = (size_t)pg_int(r, i, 0);

        if (at >= 1 && at <= op->n_names)
            op->heads[at - 1] = (struct um_store_head){ true, pg_int(r, i, 1) != 0, pg_int(r, i, 4) != 0,
                                                        (uint64_t)pg_int(r, i, 2), (uint64_t)pg_int(r, i, 3) };
    }
    PQclear(r);
}

static void read_clients(struct pg_conn *c, struct store_op *op)
{
    struct pg_args a = { 0 };
    PGresult *r;

    pg_begin(c);
    pg_arg_text(&a, op->name);
    pg_arg_int(&a, STORE_CLIENTS_MAX);
    pg_send(c, PG_CLIENTS, &a);
    pg_sync(c);
    r = pg_take(c);
    op->clients = store_clients_new();
    for (int i = 0; r != NULL && i < PQntuples(r) && op->err == UM_OK; i++)
        if (!store_clients_add(op->clients, (uint64_t)pg_int(r, i, 0), pg_text(r, i, 1)))
            op->err = UM_ENOMEM;
    PQclear(r);
}

/* ---- versions ---- */

/* The bytes, when they are here. */
static um_err take_state(const PGresult *r, struct store_versions *v)
{
    struct um_span data = pg_bytes(r, 0, 9);

    if (PQgetisnull(r, 0, 9))
        return UM_OK;
    if (um_crc32c(0, data.data, data.len) != v->rows[0].crc)
        return UM_ECORRUPT;
    v->state = um_bytes_dup(data.data, data.len);
    return v->state != NULL ? UM_OK : UM_ENOMEM;
}

void pg_take_versions(const PGresult *r, struct store_op *op)
{
    bool is_list = op->kind == STORE_VERSIONS || op->kind == STORE_VERSIONS_BEFORE;
    int n = PQntuples(r);

    op->versions = store_versions_new();
    if (is_list && n > op->max) {
        op->versions->page.more = true;
        n = (int)op->max;
    }
    for (int i = 0; i < n && op->err == UM_OK; i++) {
        struct um_store_version row = {
            .document = pg_text(r, i, 0), .seq = (uint64_t)pg_int(r, i, 1), .at_ms = pg_int(r, i, 2),
            .label = pg_text(r, i, 3), .author = pg_text(r, i, 4), .contributors = pg_text(r, i, 5),
            .bytes = pg_int(r, i, 6), .archive_key = pg_text(r, i, 7), .crc = (uint32_t)pg_int(r, i, 8),
        };

        if (!store_versions_add(op->versions, &row))
            op->err = UM_ENOMEM;
    }
    if (op->err == UM_OK && n > 0 && PQnfields(r) > 9)
        op->err = take_state(r, op->versions);
    if (op->err == UM_OK && n == 0 && !is_list)
        op->err = UM_ENOTFOUND;
}

static void read_versions(struct pg_conn *c, struct store_op *op)
{
    struct pg_args a = { 0 }, lives = { 0 };
    bool of_a_document = op->kind == STORE_VERSIONS;
    PGresult *r, *alive = NULL;

    pg_begin_read(c);
    if (op->kind != STORE_VERSIONS_BEFORE)
        pg_arg_text(&a, op->name);
    pg_arg_int(&a, op->kind == STORE_VERSIONS_BEFORE ? op->before_ms : (int64_t)op->upto_seq);
    if (op->kind != STORE_VERSION)
        pg_arg_int(&a, op->max + 1);         /* the one more only tells that there are more */
    pg_send(c, of_a_document ? PG_VERSIONS : op->kind == STORE_VERSION ? PG_VERSION : PG_VERSIONS_BEFORE, &a);
    if (of_a_document) {
        pg_arg_text(&lives, op->name);
        pg_send(c, PG_LIVES, &lives);
    }
    pg_end_read(c);
    r = pg_take(c);
    if (r != NULL)
        pg_take_versions(r, op);
    if (r != NULL && of_a_document)
        alive = pg_take(c);
    if (alive != NULL && PQntuples(alive) == 0)
        op->err = UM_ENOTFOUND;
    PQclear(r);
    PQclear(alive);
}

/* ---- a call ---- */

static um_err read_once(struct pg_conn *c, struct store_op *op)
{
    um_err err = pg_ready(c);

    if (err != UM_OK)
        return err;
    switch (op->kind) {
    case STORE_LOAD:
    case STORE_SINCE:
        load(c, op);
        break;
    case STORE_GET:
        get(c, op);
        break;
    case STORE_LIST:
        pg_read_list(c, op);
        break;
    case STORE_HEADS:
        read_heads(c, op);
        break;
    case STORE_CLIENTS:
        read_clients(c, op);
        break;
    case STORE_VIEW:
        pg_inspect(c, op);
        break;
    default:
        if (store_is_shared(op->kind))
            pg_read_shared(c, op);
        else
            read_versions(c, op);
    }
    pg_end(c);
    pg_roll_back(c);
    return c->err;
}

static void note_load(const struct store_op *op)
{
    store_count(M_LOADS, 1);
    if (op->err != UM_ECORRUPT)
        return;
    store_count(M_CORRUPT, 1);
    um_log_limited(UM_ERROR, "store", "document_damaged", UM_S("document", op->name));
}

static void forget_answer(struct store_op *op)
{
    store_log_free(op->log);
    store_page_free(op->page);
    store_versions_free(op->versions);
    store_clients_free(op->clients);
    op->log = NULL;
    op->page = NULL;
    op->versions = NULL;
    op->clients = NULL;
    store_shared_free(op->shared);
    op->shared = NULL;
    op->err = UM_OK;
}

void pg_read(void *reader, struct store_op *op)
{
    struct pg_conn *c = &((struct pg_reader *)reader)->conn;
    bool loads = op->kind == STORE_LOAD || op->kind == STORE_SINCE;
    um_err err;

    if (loads && (UM_FAILPOINT("load.before") || UM_FAILPOINT("load.error"))) {
        op->err = UM_EIO;
        return;
    }
    err = read_once(c, op);
    if (err != UM_OK && c->db == NULL && c->failures == 0) {     /* it had one: the server has gone, or came back */
        forget_answer(op);
        err = read_once(c, op);
    }
    if (err != UM_OK) {
        op->err = err;
        um_log_limited(UM_ERROR, "store", "read_failed", UM_S("error", c->why), UM_S("database", c->to->shown));
    }
    if (loads)
        note_load(op);
    else if (op->kind == STORE_LIST)
        store_count(M_LISTS, 1);
}
