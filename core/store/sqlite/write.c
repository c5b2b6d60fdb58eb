/* One transaction of the writer.
 *
 * 1. An op's refusal (deleted, conflict) is its own; a database error fails the whole transaction, which is rolled back. But
 *    when it comes from one op's rows (a damaged page), the transaction is made again without that op, so that one document
 *    cannot keep all others from being stored.
 * 2. An append writes one row of the log. updated_at of the document is only brought up when it lags by more than
 *    SQ_TOUCH_MS, for rewriting a row means walking through its state: who lists documents adds the log's newest row, and
 *    relies on the lag being no greater.
 * 3. A fold changes the state if its version is the expected one, and trims the log in steps of TRIM_ROWS, so that a long
 *    log holds nobody up. Rows below the state that a crash left behind are ignored by loads and go with the next fold.
 * 4. A unit of work is a savepoint; its refusal is its own as well (unit.c).
 * 5. After an input/output error the connection is opened anew, and the writer's memory read anew, before anything else is
 *    acknowledged. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "sqlite_internal.h"

enum {
    TRIM_ROWS = 1024,                        /* of one document in one transaction */
    SPOILERS_MAX = 8,                        /* ops left out of one transaction before it is given up */
};

/* ---- steps of the ops; all in the transaction; at_ms: its moment ---- */

static int make_doc(struct sq_store *st, const struct store_op *op, int64_t at_ms, struct sq_doc **out)
{
    int rc = sq_run(&st->conn, SQ_INSERT, "ttit", op->name, op->title, at_ms, op->user);

    if (rc == SQLITE_OK)
        *out = sq_docs_add(st, op->name,
            (struct sq_doc){ .id = sqlite3_last_insert_rowid(st->conn.db), .touched_ms = at_ms });
    return rc;
}

static int append(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct um_span bytes = um_bytes_span(op->bytes);
    struct sq_doc *d;
    int rc;

    if (UM_FAILPOINT("edit.before_append")) {
        op->err = UM_EIO;
        return SQLITE_OK;
    }
    if ((rc = sq_docs_find(st, op->name, &d)) != SQLITE_OK ||
        (d == NULL && (rc = make_doc(st, op, at_ms, &d)) != SQLITE_OK))
        return rc;
    if (d->deleted) {
        op->err = UM_EDENIED;
        return SQLITE_OK;
    }
    rc = sq_run(&st->conn, SQ_APPEND, "iiitib", d->id, (int64_t)(d->last_seq + 1), at_ms, op->user,
                (int64_t)um_crc32c(0, bytes.data, bytes.len), bytes);
    if (rc != SQLITE_OK)
        return rc;
    op->number = ++d->last_seq;
    if (at_ms > d->touched_ms + SQ_TOUCH_MS) {
        rc = sq_run(&st->conn, SQ_TOUCH, "iit", d->id, at_ms, op->user);
        d->touched_ms = at_ms;
    }
    if (UM_FAILPOINT("edit.after_append"))
        rc = SQLITE_IOERR;
    return rc;
}

/* Removes the oldest rows of a log up to T->upto; *done when none is left. */
static int trim_step(struct sq_store *st, const struct sq_trim *t, bool *done)
{
    int64_t oldest = 0, upto;
    int rc = sq_int(&st->conn, SQ_OLDEST, t->id, &oldest);

    *done = true;
    if (rc != SQLITE_OK || oldest == 0 || oldest > (int64_t)t->upto)
        return rc;
    if (UM_FAILPOINT("trim.before"))
        return SQLITE_IOERR;
    upto = UM_MIN((int64_t)t->upto, oldest + TRIM_ROWS - 1);
    rc = sq_run(&st->conn, SQ_TRIM, "ii", t->id, upto);
    if (UM_FAILPOINT("trim.after"))
        return SQLITE_IOERR;
    store_count(M_TRIMMED, sqlite3_changes(st->conn.db));
    *done = upto == (int64_t)t->upto;
    return rc;
}

static void remember_trim(struct sq_store *st, struct sq_trim t)
{
    if (st->n_trims == st->cap_trims) {
        st->cap_trims = st->cap_trims == 0 ? 8 : st->cap_trims * 2;
        st->trims = um_xrealloc(st->trims, st->cap_trims * sizeof(*st->trims));
    }
    st->trims[st->n_trims++] = t;
}

static int trim(struct sq_store *st, struct sq_trim t)
{
    bool done;
    int rc = trim_step(st, &t, &done);

    if (rc == SQLITE_OK && !done)
        remember_trim(st, t);
    return rc;
}

/* Why the state may not replace the one that is there. */
static um_err judge_fold(const struct store_op *op, const struct sq_doc *d)
{
    if (d->deleted)
        return UM_EDENIED;
    if (op->version != d->version || op->upto_seq < d->seq)
        return UM_ECONFLICT;
    return op->upto_seq > d->last_seq ? UM_EINVAL : UM_OK;
}

static int fold(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct um_span state = um_bytes_span(op->bytes);
    struct sq_doc *d;
    int rc = sq_docs_find(st, op->name, &d);

    if (rc == SQLITE_OK && d == NULL) {
        if (op->version != 0 || op->upto_seq != 0)
            op->err = UM_ECONFLICT;              /* it has been removed since it was loaded */
        else
            rc = make_doc(st, op, at_ms, &d);
    }
    if (rc != SQLITE_OK || d == NULL)
        return rc;
    if ((op->err = judge_fold(op, d)) != UM_OK) {
        store_count(M_CONFLICTS, op->err == UM_ECONFLICT);
        return SQLITE_OK;
    }
    if (UM_FAILPOINT("snapshot.before_write"))
        return SQLITE_IOERR;
    if ((rc = sq_versions_fold(st, op, d, at_ms)) != SQLITE_OK)
        return rc;
    rc = sq_run(&st->conn, SQ_FOLD, "ibii", d->id, state, (int64_t)um_crc32c(0, state.data, state.len),
                (int64_t)op->upto_seq);
    if (rc != SQLITE_OK)
        return rc;
    d->seq = op->upto_seq;
    op->number = ++d->version;
    store_count(M_FOLDS, 1);
    if (UM_FAILPOINT("snapshot.after_write"))
        return SQLITE_IOERR;
    return trim(st, (struct sq_trim){ d->id, d->seq });
}

static int create(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct sq_doc *d;
    int rc = sq_docs_find(st, op->name, &d);

    if (rc != SQLITE_OK)
        return rc;
    if (d != NULL) {
        op->err = UM_EEXIST;                     /* a tombstone too: a late editor of the old one is still about */
        return SQLITE_OK;
    }
    rc = make_doc(st, op, at_ms, &d);
    return rc == SQLITE_OK ? sq_read_entry(&st->conn, SQ_ENTRY_BY_ID, NULL, d->id, op) : rc;
}

static int set_title(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct sq_doc *d;
    int rc = sq_docs_find(st, op->name, &d);

    if (rc != SQLITE_OK)
        return rc;
    if (d == NULL || d->deleted) {
        op->err = UM_ENOTFOUND;
        return SQLITE_OK;
    }
    rc = sq_run(&st->conn, SQ_TITLE, "itit", d->id, op->title, at_ms, op->user);
    d->touched_ms = UM_MAX(d->touched_ms, at_ms);
    return rc == SQLITE_OK ? sq_read_entry(&st->conn, SQ_ENTRY_BY_ID, NULL, d->id, op) : rc;
}

static int bury(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct sq_doc *d;
    int rc = sq_docs_find(st, op->name, &d);

    if (rc != SQLITE_OK || d == NULL || d->deleted)
        return rc;
    if ((rc = sq_run(&st->conn, SQ_BURY, "iiit", d->id, (int64_t)d->last_seq, at_ms, op->user)) != SQLITE_OK ||
        (rc = sq_versions_bury(st, d->id)) != SQLITE_OK)
        return rc;
    d->seq = d->last_seq;
    d->version++;
    d->touched_ms = at_ms;
    d->deleted = true;
    return trim(st, (struct sq_trim){ d->id, d->seq });
}

/* A client's name is worth nothing without the document, and its first append makes that. */
static int of_known_doc(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct sq_doc *d;
    int rc = sq_docs_find(st, op->name, &d);

    if (rc != SQLITE_OK)
        return rc;
    if (d == NULL || d->deleted) {
        op->err = UM_ENOTFOUND;
        return SQLITE_OK;
    }
    return op->kind == STORE_CLIENT ? sq_run(&st->conn, SQ_NOTE_CLIENT, "iit", d->id, (int64_t)op->client, op->user)
                                    : sq_versions_change(st, op, d, at_ms);
}

static int apply_op(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    switch (op->kind) {
    case STORE_APPEND:
        return append(st, op, at_ms);
    case STORE_FOLD:
        return fold(st, op, at_ms);
    case STORE_CREATE:
        return create(st, op, at_ms);
    case STORE_TITLE:
        return set_title(st, op, at_ms);
    case STORE_DELETE:
        return bury(st, op, at_ms);
    case STORE_CLIENT:
    case STORE_KEEP:
    case STORE_LABEL:
    case STORE_ARCHIVE:
    case STORE_DROP:
        return of_known_doc(st, op, at_ms);
    case STORE_WORK:
        return sq_unit(st, op, at_ms);
    default:
        if (store_is_shared(op->kind) && !store_is_read(op->kind))
            return sq_shared_change(st, op, at_ms);
        return SQLITE_MISUSE;                    /* a read is not the writer's */
    }
}

/* ---- the transaction ---- */

static int commit(struct sq_store *st)
{
    int rc;

    if (UM_FAILPOINT("edit.before_commit"))
        return SQLITE_FULL;
    rc = sq_run(&st->conn, SQ_COMMIT, "");
    if (rc == SQLITE_OK && UM_FAILPOINT("edit.after_commit"))
        return SQLITE_IOERR;                     /* as if the answer had been lost: durable, but nobody knows */
    return rc;
}

/* Errors that lie in an op's own rows rather than in the disk or the file. */
static bool is_of_one_op(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_ERROR:
        return true;
    default:
        return false;
    }
}

/* An op may be here for the second time: what it found before was rolled back. */
static int apply_afresh(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    int rc;

    if (op->spoils)
        return SQLITE_OK;
    op->err = UM_OK;
    store_page_free(op->page);
    op->page = NULL;
    store_versions_free(op->versions);
    op->versions = NULL;
    store_shared_free(op->shared);
    op->shared = NULL;
    rc = apply_op(st, op, at_ms);
    if (is_of_one_op(rc)) {
        op->spoils = true;
        op->err = UM_EIO;
        um_log_limited(UM_ERROR, "store", "change_refused", UM_S("document", op->name),
                       UM_S("error", sqlite3_errmsg(st->conn.db)));
    }
    return rc;
}

static size_t count_spoilers(const struct store_op *op)
{
    size_t n = 0;

    for (; op != NULL; op = op->next)
        n += op->spoils;
    return n;
}

static int run_batch(struct sq_store *st, struct store_op *batch)
{
    int64_t at_ms = um_wall_ms();
    int rc;

    if ((rc = sq_run(&st->conn, SQ_BEGIN_WRITE, "")) != SQLITE_OK || (rc = sq_docs_check(st)) != SQLITE_OK)
        return rc;
    if (batch == NULL && (rc = sq_run(&st->conn, SQ_PROBE, "i", at_ms)) != SQLITE_OK)
        return rc;
    if (st->n_trims > 0 && (rc = trim(st, st->trims[--st->n_trims])) != SQLITE_OK)
        return rc;
    for (struct store_op *op = batch; op != NULL; op = op->next)
        if ((rc = apply_afresh(st, op, at_ms)) != SQLITE_OK)
            return rc;
    return commit(st);
}

/* Nothing of the batch counts. What the writer remembers may be wrong now. */
static void abandon(struct sq_store *st, int rc)
{
    um_log_limited(UM_ERROR, "store", "transaction_failed", UM_S("error", sqlite3_errstr(rc)), UM_I("code", rc),
                   UM_S("file", st->path));
    if (sqlite3_get_autocommit(st->conn.db) == 0 && sq_run(&st->conn, SQ_ROLLBACK, "") != SQLITE_OK)
        st->doubtful = st->path != NULL;
    if (sq_breaks_trust(rc))
        st->doubtful = st->path != NULL;         /* a database in memory has nowhere else to be read from */
    sq_docs_forget(st);
    st->n_trims = 0;
}

/* A new connection reads the file's own log anew; the checkpoint makes the disk prove that it takes bytes again. */
static int reopen(struct sq_store *st)
{
    int rc;

    sq_close(&st->conn);
    st->data_version = 0;
    rc = sq_open(&st->conn, st->path, SQ_WRITER);
    if (rc == SQLITE_OK && (rc = sq_exec(&st->conn, "PRAGMA wal_checkpoint(PASSIVE)")) != SQLITE_OK)
        sq_close(&st->conn);
    if (rc != SQLITE_OK)
        return rc;
    st->doubtful = false;
    store_count(M_REOPENED, 1);
    um_log(UM_WARN, "store", "reopened", UM_S("file", st->path));
    return SQLITE_OK;
}

um_err sq_write(void *self, struct store_op *batch)
{
    struct sq_store *st = self;
    size_t spoilers;
    int rc;

    do {
        if (st->doubtful && (rc = reopen(st)) != SQLITE_OK) {
            um_log_limited(UM_ERROR, "store", "reopen_failed", UM_S("error", sqlite3_errstr(rc)), UM_S("file", st->path));
            return sq_err(rc);
        }
        spoilers = count_spoilers(batch);
        rc = run_batch(st, batch);
        if (rc == SQLITE_OK)
            return UM_OK;
        abandon(st, rc);
    } while (count_spoilers(batch) > spoilers && spoilers < SPOILERS_MAX);
    return sq_err(rc);
}

bool sq_has_backlog(const void *self)
{
    return ((const struct sq_store *)self)->n_trims > 0;
}
