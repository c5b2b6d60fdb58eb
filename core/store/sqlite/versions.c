/* Versions of documents: kept by folds and by people, named, archived, removed; and who contributed. */
#include <stdlib.h>
#include <umbel/util.h>
#include "sqlite_internal.h"
#include "store_internal.h"

/* ---- who contributed ---- */

/* The list so far, which counts the log up to some seq, and the authors of the rows from there to UPTO. The caller
 * frees it. */
static int gather_contributors(struct sq_store *st, const struct sq_doc *d, uint64_t upto, char **list)
{
    sqlite3_stmt *s = sq_query(&st->conn, SQ_CONTRIBUTORS, "i", d->id);
    int64_t counted = (int64_t)d->seq;
    int rc;

    *list = NULL;
    if (s == NULL)
        return sqlite3_extended_errcode(st->conn.db);
    rc = sqlite3_step(s);
    *list = um_xstrdup(rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : "[]");
    counted = rc == SQLITE_ROW ? sqlite3_column_int64(s, 1) : counted;
    sq_end(s);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return rc;
    s = sq_query(&st->conn, SQ_AUTHORS, "iii", d->id, counted, (int64_t)upto);
    if (s == NULL)
        return sqlite3_extended_errcode(st->conn.db);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        char *more = store_contributors_add(*list, (const char *)sqlite3_column_text(s, 0), sqlite3_column_int64(s, 1));

        free(*list);
        *list = more;
    }
    sq_end(s);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- keeping ---- */

struct last { int64_t seq, at_ms; };

/* The newest version; without one, the moment when the document was made. */
static int find_last(struct sq_store *st, const struct sq_doc *d, struct last *last)
{
    sqlite3_stmt *s = sq_query(&st->conn, SQ_LAST_VERSION, "i", d->id);
    int rc;

    *last = (struct last){ 0 };
    if (s == NULL)
        return sqlite3_extended_errcode(st->conn.db);
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *last = (struct last){ sqlite3_column_int64(s, 0), sqlite3_column_int64(s, 1) };
    sq_end(s);
    if (rc == SQLITE_DONE)
        rc = sq_int(&st->conn, SQ_CREATED, d->id, &last->at_ms) == SQLITE_OK ? SQLITE_ROW : SQLITE_CORRUPT;
    return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

static int last_author(struct sq_store *st, const struct sq_doc *d, uint64_t upto, char **author)
{
    sqlite3_stmt *s = sq_query(&st->conn, SQ_LAST_AUTHOR, "ii", d->id, (int64_t)upto);
    int rc;

    *author = NULL;
    if (s == NULL)
        return sqlite3_extended_errcode(st->conn.db);
    rc = sqlite3_step(s);
    *author = um_xstrdup(rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : "");
    sq_end(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* In small steps: each fold takes away a few more than it adds. */
static int prune(struct sq_store *st, const struct sq_doc *d, int64_t at_ms)
{
    const struct um_store_conf *cf = st->conf;
    int rc = sq_run(&st->conn, SQ_PRUNE_MANY, "ii", d->id, cf->versions_keep);

    if (rc == SQLITE_OK && cf->versions_max_age_ms > 0)
        rc = sq_run(&st->conn, SQ_PRUNE_OLD, "ii", d->id, at_ms - cf->versions_max_age_ms);
    return rc;
}

static int set_contributors(struct sq_store *st, const struct sq_doc *d, const char *list, uint64_t upto)
{
    return sq_run(&st->conn, SQ_SET_CONTRIBUTORS, "iti", d->id, list, (int64_t)upto);
}

static int keep(struct sq_store *st, const struct store_op *op, const struct sq_doc *d, int64_t at_ms,
                const char *label, const char *author, const char *contributors)
{
    struct um_span state = um_bytes_span(op->bytes);
    int rc = sq_run(&st->conn, SQ_KEEP, "iiitttbi", d->id, (int64_t)op->upto_seq, at_ms, label, author, contributors, state,
                    (int64_t)um_crc32c(0, state.data, state.len));

    return rc == SQLITE_OK ? set_contributors(st, d, "[]", op->upto_seq) : rc;
}

int sq_versions_fold(struct sq_store *st, const struct store_op *op, const struct sq_doc *d, int64_t at_ms)
{
    char *list = NULL, *author = NULL;
    struct last last;
    int rc;

    if (st->conf->versions_keep == 0)
        return SQLITE_OK;
    if ((rc = gather_contributors(st, d, op->upto_seq, &list)) == SQLITE_OK &&
        (rc = find_last(st, d, &last)) == SQLITE_OK) {
        if (!store_version_is_due(st->conf, (uint64_t)last.seq, last.at_ms, op->upto_seq, at_ms))
            rc = set_contributors(st, d, list, op->upto_seq);
        else if ((rc = last_author(st, d, op->upto_seq, &author)) == SQLITE_OK &&
                 (rc = keep(st, op, d, at_ms, "", author, list)) == SQLITE_OK)
            rc = prune(st, d, at_ms);
    }
    free(list);
    free(author);
    return rc;
}

/* ---- people's orders ---- */

static int keep_for_user(struct sq_store *st, struct store_op *op, const struct sq_doc *d, int64_t at_ms)
{
    char *list = NULL;
    int rc;

    if (op->upto_seq > d->last_seq) {
        op->err = UM_EINVAL;
        return SQLITE_OK;
    }
    if ((rc = gather_contributors(st, d, op->upto_seq, &list)) == SQLITE_OK)
        rc = keep(st, op, d, at_ms, op->title, op->user, list);
    free(list);
    return rc;
}

int sq_versions_change(struct sq_store *st, struct store_op *op, const struct sq_doc *d, int64_t at_ms)
{
    int64_t seq = (int64_t)op->upto_seq;
    int rc;

    if (op->kind == STORE_KEEP)
        rc = keep_for_user(st, op, d, at_ms);
    else if (op->kind == STORE_DROP)
        rc = sq_run(&st->conn, SQ_DROP_VERSION, "ii", d->id, seq);
    else
        rc = sq_run(&st->conn, op->kind == STORE_LABEL ? SQ_LABEL : SQ_ARCHIVE, "iit", d->id, seq, op->title);
    if (rc != SQLITE_OK || op->err != UM_OK)
        return rc;
    if (op->kind == STORE_DROP || op->kind == STORE_ARCHIVE) {
        if (sqlite3_changes(st->conn.db) == 0)
            op->err = UM_ENOTFOUND;
        if (op->kind == STORE_DROP)
            return rc;
    }
    return op->err == UM_OK ? sq_read_versions(&st->conn, op) : rc;
}

int sq_versions_bury(struct sq_store *st, int64_t id)
{
    static const enum sq_id drops[] = { SQ_DROP_SNAPSHOTS, SQ_DROP_CONTRIBUTORS, SQ_DROP_CLIENTS };
    int rc = SQLITE_OK;

    for (size_t i = 0; i < UM_COUNT(drops) && rc == SQLITE_OK; i++)
        rc = sq_run(&st->conn, drops[i], "i", id);
    return rc;
}

/* ---- reading ---- */

static const char *text_of(sqlite3_stmt *s, int column) { return (const char *)sqlite3_column_text(s, column); }

static um_err take_version(sqlite3_stmt *s, struct store_versions *v)
{
    struct um_store_version row = {
        .document = text_of(s, 0), .seq = (uint64_t)sqlite3_column_int64(s, 1), .at_ms = sqlite3_column_int64(s, 2),
        .label = text_of(s, 3), .author = text_of(s, 4), .contributors = text_of(s, 5),
        .bytes = sqlite3_column_int64(s, 6), .archive_key = text_of(s, 7), .crc = (uint32_t)sqlite3_column_int64(s, 8),
    };

    return store_versions_add(v, &row) ? UM_OK : UM_ENOMEM;
}

/* The bytes, when they are here. */
static um_err take_state(sqlite3_stmt *s, struct store_versions *v)
{
    struct um_span data = sq_blob(s, 9);

    if (sqlite3_column_type(s, 9) == SQLITE_NULL)
        return UM_OK;
    if (um_crc32c(0, data.data, data.len) != v->rows[0].crc)
        return UM_ECORRUPT;
    v->state = um_bytes_dup(data.data, data.len);
    return v->state != NULL ? UM_OK : UM_ENOMEM;
}

static sqlite3_stmt *ask(struct sq_conn *c, const struct store_op *op)
{
    if (op->kind == STORE_VERSIONS)
        return sq_query(c, SQ_VERSIONS, "tii", op->name, (int64_t)op->upto_seq, op->max + 1);
    if (op->kind == STORE_VERSIONS_BEFORE)
        return sq_query(c, SQ_VERSIONS_BEFORE, "ii", op->before_ms, op->max + 1);
    return sq_query(c, SQ_VERSION, "ti", op->name, (int64_t)op->upto_seq);
}

/* Is there a document at all? */
static int judge_nothing(struct sq_conn *c, struct store_op *op)
{
    sqlite3_stmt *s;
    int rc;

    if (op->kind != STORE_VERSIONS) {
        op->err = UM_ENOTFOUND;
        return SQLITE_OK;
    }
    s = sq_query(c, SQ_LIVES, "t", op->name);
    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    rc = sqlite3_step(s);
    sq_end(s);
    if (rc == SQLITE_DONE)
        op->err = UM_ENOTFOUND;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int sq_read_versions(struct sq_conn *c, struct store_op *op)
{
    bool is_list = op->kind == STORE_VERSIONS || op->kind == STORE_VERSIONS_BEFORE;
    sqlite3_stmt *s = ask(c, op);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    op->versions = store_versions_new();
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && op->err == UM_OK) {
        if (is_list && op->versions->page.n == (size_t)op->max) {
            op->versions->page.more = true;
            break;
        }
        op->err = take_version(s, op->versions);
        if (op->kind == STORE_VERSION && op->err == UM_OK)
            op->err = take_state(s, op->versions);
    }
    sq_end(s);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return rc;
    return op->versions->page.n == 0 && op->err == UM_OK && op->kind != STORE_VERSIONS_BEFORE ? judge_nothing(c, op) : SQLITE_OK;
}

int sq_read_clients(struct sq_conn *c, struct store_op *op)
{
    sqlite3_stmt *s = sq_query(c, SQ_CLIENTS, "t", op->name);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    op->clients = store_clients_new();
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && op->err == UM_OK)
        if (!store_clients_add(op->clients, (uint64_t)sqlite3_column_int64(s, 0), text_of(s, 1)))
            op->err = UM_ENOMEM;
    sq_end(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}
