/* Units of work and inspections in PostgreSQL.
 *
 * 1. Units have a connection of their own and are SERIALIZABLE: what one has read is as it read it when it commits, or it does
 *    not commit. Those of a batch share a transaction, each in a savepoint. Loose ones (READ COMMITTED) have transactions of
 *    their own, in the same order.
 * 2. When others were in the way (serialization, deadlock, a lock that was not to be had), or when the COMMIT is refused for
 *    what a unit has written, nothing of the transaction stays; its units are then run one by one, each in a transaction of
 *    its own, and again while others are in the way.
 * 3. Before COMMIT is sent a broken connection leaves nothing; afterwards nobody knows. UM_EUNAVAIL either way.
 * 4. An inspection is a read-only transaction of a reader (REPEATABLE READ: of one moment). It changes nothing, so it is made
 *    once more when its connection breaks (read.c). */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "pg_internal.h"

enum { PAUSE_MS = 5, PAUSE_MAX_MS = 40 };        /* before the second run of a unit; then twice as long each */

static void begin(struct pg_sql *s, struct pg_conn *c, enum pg_id how)
{
    *s = (struct pg_sql){ .c = c };
    pg_begin(c);
    pg_sql_wait(s, how);
    pg_sql_wait(s, PG_MOMENT);
}

static bool was_opened(const struct pg_sql *s) { return s->knows_moment; }

/* ---- one unit of a transaction ---- */

/* Is there anything left to go on with? */
static bool stands(const struct pg_conn *c) { return c->db != NULL && !c->again; }

/* OP gets its err. False: the transaction is lost. */
static bool run_unit(struct pg_sql *s, struct store_op *op, bool in_savepoint)
{
    um_err err;

    store_count(M_UNIT_RUNS, 1);
    if (in_savepoint)
        pg_sql_wait(s, PG_SAVEPOINT);
    store_sql_begin(&s->q, &pg_sql_driver, true, op->ttl_ms);
    err = op->work(op->arg, &s->q);
    op->err = store_sql_end(&s->q, err);
    if (!stands(s->c))
        return false;
    if (!in_savepoint || pg_sql_forgo(s, PG_SAVEPOINT))          /* it has asked for nothing */
        return true;
    if (op->err != UM_OK || s->q.err != UM_OK)
        pg_sql_wait(s, PG_UNDO);
    pg_sql_wait(s, PG_RELEASE);
    return true;
}

static um_err commit(struct pg_sql *s)
{
    struct pg_conn *c = s->c;

    if (!was_opened(s))
        return UM_OK;
    pg_begin(c);
    pg_sql_send_waiting(s);
    pg_send_commit(c);
    pg_sync(c);
    pg_sql_take_waiting(s);
    return pg_finish_commit(c);
}

/* All of OPS, which are of one kind, in one transaction. Otherwise nothing of them stays, and c->again says whether another time may do. */
static um_err run_together(struct pg_units *u, struct store_op **ops, size_t n)
{
    struct pg_conn *c = &u->conn;
    struct pg_sql s;
    um_err err = pg_ready(c);

    if (err != UM_OK)
        return err;
    begin(&s, c, ops[0]->is_loose ? PG_BEGIN_LOOSE : PG_BEGIN_UNITS);
    for (size_t i = 0; i < n; i++)
        if (!run_unit(&s, ops[i], n > 1)) {
            err = c->again ? UM_ECONFLICT : UM_EUNAVAIL;
            pg_roll_back(c);
            return err;
        }
    if (n > 1 || ops[0]->err == UM_OK)
        err = commit(&s);
    if (err != UM_OK || n == 1)
        pg_roll_back(c);
    return err;
}

/* ---- a batch ---- */

static void pause_before(unsigned run)
{
    int64_t most_ms = UM_MIN(PAUSE_MS << run, PAUSE_MAX_MS), ms = most_ms / 2 + (int64_t)um_random_below((uint64_t)most_ms);
    struct timespec ts = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    nanosleep(&ts, NULL);
}

static void run_alone(struct pg_units *u, struct store_op *op)
{
    int64_t until_ms = um_now_ms() + op->ttl_ms;
    um_err err = run_together(u, &op, 1);

    for (unsigned i = 1; err != UM_OK && u->conn.again && i < UM_STORE_UNIT_RUNS && um_now_ms() < until_ms; i++) {
        pause_before(i);
        err = run_together(u, &op, 1);
    }
    if (err == UM_OK)
        return;
    op->err = u->conn.again ? UM_EBUSY : err == UM_EUNAVAIL || err == UM_ENOMEM ? UM_EUNAVAIL : UM_EIO;
    um_log_limited(UM_WARN, "store", "unit_given_up", UM_S("error", u->conn.why), UM_S("database", u->conn.to->shown));
}

static um_err run_stretch(struct pg_units *u, struct store_op **ops, size_t n)
{
    um_err err = n > 0 ? run_together(u, ops, n) : UM_OK;

    if (err == UM_OK || !(u->conn.again || u->conn.of_a_row))
        return err;
    for (size_t i = 0; i < n; i++)
        run_alone(u, ops[i]);
    return UM_OK;
}

static void refuse_from(struct store_op **ops, size_t n)
{
    for (size_t i = 0; i < n; i++)
        ops[i]->err = UM_EUNAVAIL;
}

um_err pg_units_write(void *units, struct store_op *batch)
{
    struct pg_units *u = units;
    struct store_op **ops;
    size_t n = 0, from = 0, to;
    um_err err = UM_OK;

    for (struct store_op *op = batch; op != NULL; op = op->next)
        n++;
    ops = um_xcalloc(n + 1, sizeof(*ops));
    for (struct store_op *op = batch; op != NULL; op = op->next)
        *ops++ = op;
    ops -= n;
    for (; from < n && err == UM_OK; from = to) {
        for (to = from + 1; to < n && ops[to]->is_loose == ops[from]->is_loose;)
            to++;
        err = run_stretch(u, ops + from, to - from);
        if (err != UM_OK)
            um_log_limited(UM_ERROR, "store", "transaction_failed", UM_S("error", u->conn.why),
                           UM_S("database", u->conn.to->shown));
        if (err != UM_OK && from > 0) {              /* what is before it has been committed */
            refuse_from(ops + from, n - from);
            err = UM_OK;
            break;
        }
    }
    free(ops);
    return err;
}

/* ---- life ---- */

um_err pg_units_open(void *self, void **units)
{
    struct pg_units *u = um_xcalloc(1, sizeof(*u));

    u->st = self;
    pg_init(&u->conn, &u->st->target, u->st->conf, PG_UNITS);
    *units = u;
    return UM_OK;                                /* connects for the first unit, and again after an error */
}

void pg_units_close(void *units)
{
    struct pg_units *u = units;

    pg_close(&u->conn);
    free(u);
}

/* ---- inspections ---- */

/* Leaves a turn open, as every call of a reader does. What the inspection did wrong is its own; only a lost connection is the
 * turn's. */
void pg_inspect(struct pg_conn *c, struct store_op *op)
{
    struct pg_sql s;

    store_count(M_VIEWS, 1);
    begin(&s, c, PG_BEGIN_READ);
    store_sql_begin(&s.q, &pg_sql_driver, false, op->ttl_ms);
    op->err = store_sql_end(&s.q, op->work(op->arg, &s.q));
    if (c->db == NULL)
        return;
    pg_begin(c);
    if (was_opened(&s))
        pg_send(c, PG_ROLLBACK, NULL);
    pg_sync(c);
}
