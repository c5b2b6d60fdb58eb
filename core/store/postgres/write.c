/* A batch of the writer.
 *
 * 1. The usual batch is nothing but appends to documents that exist: BEGIN, one statement, COMMIT, in one round trip.
 * 2. Other batches are one transaction too (batch.c), of two round trips. Calls of shared tables are one of their own behind
 *    it (shared.c), so that no document waits for a row that everybody raises.
 * 3. When the database refuses what was written, the batch is made again in two halves, down to the op that is to blame:
 *    that one is refused, all others are stored. Deadlocks and failed serializations are made again as they are.
 * 4. An op's refusal (deleted, conflict) is its own. UM_OK is answered when COMMIT was; a connection that breaks before
 *    leaves everything unacknowledged, and what became of it unknown.
 * 5. A log is trimmed in steps of PG_TRIM_ROWS; what is left to do is remembered here, and found again by the next fold
 *    when it is forgotten. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "pg_internal.h"

enum { REPEATS_MAX = 5, PAUSE_MS = 20 };     /* of one transaction; before the first repeat, then twice as long each */

/* ---- the end of a transaction ---- */

/* A transaction that has failed answers COMMIT too, with another word. */
static void take_commit(struct pg_conn *c)
{
    PGresult *r = pg_take(c);

    if (r != NULL && strcmp(PQcmdStatus(r), "COMMIT") != 0)
        pg_fail(c, UM_EIO, "the transaction was rolled back");
    PQclear(r);
}

#ifdef UMBEL_FAILPOINTS
/* A point between statements and COMMIT is one only when the former have been executed. */
void pg_send_commit(struct pg_conn *c) { (void)c; }

um_err pg_finish_commit(struct pg_conn *c)
{
    if (pg_end(c) != UM_OK)
        return c->err;
    if (UM_FAILPOINT("edit.before_commit")) {
        pg_fail(c, UM_EIO, "edit.before_commit");
        return c->err;
    }
    pg_send(c, PG_COMMIT, NULL);
    pg_sync(c);
    take_commit(c);
    if (pg_end(c) == UM_OK && UM_FAILPOINT("edit.after_commit"))
        pg_fail(c, UM_EIO, "edit.after_commit");     /* as if the answer had been lost: durable, but nobody knows */
    return c->err;
}
#else
void pg_send_commit(struct pg_conn *c) { pg_send(c, PG_COMMIT, NULL); }

um_err pg_finish_commit(struct pg_conn *c)
{
    take_commit(c);
    return pg_end(c);
}
#endif

/* ---- appends alone ---- */

static um_err write_run(struct pg_store *st, struct store_op **ops, size_t n)
{
    struct pg_conn *c = &st->conn;
    struct pg_run run = { .ops = ops, .n = n };
    struct pg_docs docs = { 0 };

    pg_begin(c);
    pg_send(c, PG_BEGIN, NULL);
    pg_run_send(&run, c, &docs);
    pg_send_commit(c);
    pg_sync(c);
    PQclear(pg_take(c));
    pg_run_take(&run, c);
    if (c->err == UM_OK && UM_FAILPOINT("edit.after_append"))
        pg_fail(c, UM_EIO, "edit.after_append");
    pg_finish_commit(c);
    pg_run_free(&run);
    pg_docs_free(&docs);
    return c->err;
}

/* OPS are changed: what is left of them is those whose document must be made first. */
static um_err write_appends(struct pg_store *st, struct store_op **ops, size_t n)
{
    um_err err = write_run(st, ops, n);
    size_t left = 0;

    for (size_t i = 0; i < n && err == UM_OK; i++)
        if (ops[i]->err == UM_ENOTFOUND)
            ops[left++] = ops[i];
    return err == UM_OK && left > 0 ? pg_write_mixed(st, ops, left) : err;
}

/* ---- one transaction ---- */

/* An op may be here for the second time: what it found before was rolled back. */
static bool make_afresh(struct store_op *op)
{
    store_page_free(op->page);
    store_versions_free(op->versions);
    op->page = NULL;
    op->versions = NULL;
    store_shared_free(op->shared);
    op->shared = NULL;
    op->number = 0;
    op->err = op->kind == STORE_APPEND && UM_FAILPOINT("edit.before_append") ? UM_EIO : UM_OK;
    return op->err == UM_OK;
}

static um_err write_once(struct pg_store *st, struct store_op **ops, size_t n)
{
    struct store_op **mine = um_xcalloc(n, sizeof(*mine));
    size_t n_mine = 0, n_appends = 0;
    um_err err = pg_ready(&st->conn);

    for (size_t i = 0; i < n && err == UM_OK; i++)
        if (make_afresh(ops[i])) {
            mine[n_mine++] = ops[i];
            n_appends += ops[i]->kind == STORE_APPEND;
        }
    if (err == UM_OK && n_mine > 0 && store_is_shared(mine[0]->kind))
        err = pg_write_shared(st, mine, n_mine);
    else if (err == UM_OK && n_mine > 0)
        err = n_appends == n_mine ? write_appends(st, mine, n_mine) : pg_write_mixed(st, mine, n_mine);
    if (err != UM_OK)
        pg_roll_back(&st->conn);
    free(mine);
    return err;
}

static void pause_before(unsigned attempt)
{
    int64_t ms = (PAUSE_MS << attempt) / 2 + (int64_t)um_random_below(PAUSE_MS << attempt);
    struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&ts, NULL);
}

static um_err write_ops(struct pg_store *st, struct store_op **ops, size_t n)
{
    struct pg_conn *c = &st->conn;
    um_err err = write_once(st, ops, n);

    for (unsigned i = 0; err != UM_OK && c->again && i < REPEATS_MAX; i++) {
        um_log_limited(UM_WARN, "store", "transaction_repeated", UM_S("error", c->why));
        pause_before(i);
        err = write_once(st, ops, n);
    }
    if (err == UM_OK || !c->of_a_row)
        return err;
    if (n == 1) {
        um_log_limited(UM_ERROR, "store", "change_refused", UM_S("document", ops[0]->name), UM_S("error", c->why));
        ops[0]->spoils = true;
        ops[0]->err = UM_EIO;
        return UM_OK;
    }
    err = write_ops(st, ops, n / 2);
    return err == UM_OK ? write_ops(st, ops + n / 2, n - n / 2) : err;
}

/* ---- trimming ---- */

void pg_remember_trim(struct pg_store *st, int64_t id)
{
    for (size_t i = 0; i < st->n_trims; i++)
        if (st->trims[i] == id)
            return;
    if (st->n_trims == st->cap_trims) {
        st->cap_trims = st->cap_trims == 0 ? 8 : st->cap_trims * 2;
        st->trims = um_xrealloc(st->trims, st->cap_trims * sizeof(*st->trims));
    }
    st->trims[st->n_trims++] = id;
}

bool pg_has_backlog(const void *self)
{
    return ((const struct pg_store *)self)->n_trims > 0;
}

/* One statement, sent for itself: a transaction of its own. */
static um_err run_alone(struct pg_store *st, enum pg_id id, struct pg_args *args, int64_t *changed)
{
    struct pg_conn *c = &st->conn;
    PGresult *r;

    if (pg_ready(c) != UM_OK)
        return UM_EUNAVAIL;
    pg_begin(c);
    pg_send(c, id, args);
    pg_sync(c);
    r = pg_take(c);
    *changed = r != NULL ? strtoll(PQcmdTuples(r), NULL, 10) : 0;
    PQclear(r);
    return pg_end(c);
}

static um_err trim_some(struct pg_store *st)
{
    int64_t id = st->trims[--st->n_trims], n = 0;
    struct pg_args a = { 0 };
    um_err err;

    if (UM_FAILPOINT("trim.before"))
        return UM_EIO;
    pg_arg_int(&a, id);
    pg_arg_int(&a, PG_TRIM_ROWS);
    err = run_alone(st, PG_TRIM, &a, &n);
    store_count(M_TRIMMED, n);
    if (n >= PG_TRIM_ROWS || (err != UM_OK && st->conn.again))
        pg_remember_trim(st, id);
    if (err == UM_OK && UM_FAILPOINT("trim.after"))
        return UM_EIO;
    return st->conn.again ? UM_OK : err;
}

/* ---- a batch ---- */

/* Those of documents first, then those of shared tables, each in their order; how many the former are. */
static size_t divide(struct store_op *batch, struct store_op **ops, size_t n)
{
    size_t n_docs = 0, n_shared = 0;

    for (struct store_op *op = batch; op != NULL; op = op->next)
        if (!store_is_shared(op->kind))
            ops[n_docs++] = op;
    for (struct store_op *op = batch; op != NULL; op = op->next)
        if (store_is_shared(op->kind))
            ops[n_docs + n_shared++] = op;
    UM_ASSERT(n_docs + n_shared == n);
    return n_docs;
}

static um_err write_batch(struct pg_store *st, struct store_op *batch, struct store_op **ops, size_t n)
{
    size_t n_docs = divide(batch, ops, n);
    um_err err = n_docs > 0 ? write_ops(st, ops, n_docs) : UM_OK;

    return err == UM_OK && n_docs < n ? write_ops(st, ops + n_docs, n - n_docs) : err;
}

um_err pg_write(void *self, struct store_op *batch)
{
    struct pg_store *st = self;
    struct store_op **ops;
    int64_t changed;
    size_t n = 0;
    um_err err = st->n_trims > 0 ? trim_some(st) : UM_OK;

    for (struct store_op *op = batch; op != NULL; op = op->next)
        n++;
    ops = um_xcalloc(n + 1, sizeof(*ops));
    if (err == UM_OK)
        err = n > 0 ? write_batch(st, batch, ops, n) : run_alone(st, st->failed ? PG_PROBE : PG_PING, NULL, &changed);
    st->failed = err != UM_OK;
    free(ops);
    if (err != UM_OK) {
        st->n_trims = 0;
        um_log_limited(UM_ERROR, "store", "transaction_failed", UM_S("error", st->conn.why),
                       UM_S("database", st->target.shown));
    }
    return err;
}
