/* Units of work and inspections in SQLite.
 *
 * 1. A unit is a savepoint of the writer's transaction, an inspection has a read transaction to itself.
 * 2. What a unit's own statements did wrong is its own: it is rolled back, the others go on. Where SQLite gives the whole
 *    transaction up for it (a write that was broken off for its time), it is left out and the others are run again (write.c).
 *    What is wrong with the disk or the file is everybody's.
 * 3. Whoever comes too late is told by SQLite's machine, which looks at the clock now and then. */
#include <stdlib.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "sqlite_internal.h"
#include "unit.h"

enum { STEPS_BETWEEN_LOOKS = 5000 };         /* of SQLite's machine, between two looks at the clock: some 100 us */

struct unit {
    struct um_sql q;
    struct sq_conn *c;
    int64_t now_ms;
    int rc;                                  /* of the statement that ended it */
};

/* ---- errors ---- */

static um_err meaning_of(int rc)
{
    switch (rc) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return UM_EEXIST;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return UM_ECONFLICT;
    default:
        break;
    }
    switch (rc & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
        return UM_EINVAL;
    case SQLITE_TOOBIG:
        return UM_ELIMIT;
    case SQLITE_INTERRUPT:
        return UM_ETIMEOUT;
    default:
        return sq_err(rc);
    }
}

/* ---- preparing ---- */

static int prepare(struct unit *u, struct store_statement *s)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v3(u->c->db, store_statement_text(s), -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);

    s->prepared = stmt;
    return rc;
}

static void drop(struct sq_conn *c, struct store_statement *s)
{
    sqlite3_finalize(s->prepared);
    store_statements_drop(c->units, s);
}

void sq_units_forget(struct sq_conn *c)
{
    if (c->units == NULL)
        return;
    while (!um_list_is_empty(&c->units->by_use))
        drop(c, UM_CONTAINER(c->units->by_use.next, struct store_statement, by_use));
    um_map_free(&c->units->by_key);
    free(c->units);
    c->units = NULL;
}

static um_err statement_for(struct unit *u, const struct store_sql_call *call, sqlite3_stmt **out)
{
    struct sq_conn *c = u->c;
    struct store_statement *s, *surplus;
    um_err err;
    int rc;

    if (c->units == NULL) {
        c->units = um_xmalloc(sizeof(*c->units));
        store_statements_init(c->units);
    }
    if ((s = store_statements_get(c->units, call, &err)) == NULL)
        return err;
    if ((surplus = store_statements_surplus(c->units)) != NULL)
        drop(c, surplus);
    if (s->prepared == NULL && (rc = prepare(u, s)) != SQLITE_OK) {
        um_log_limited(UM_ERROR, "store", "statement_refused", UM_S("error", sqlite3_errmsg(c->db)), UM_S("statement", call->text));
        drop(c, s);
        u->rc = rc;
        return meaning_of(rc);
    }
    *out = s->prepared;
    if (sqlite3_bind_parameter_count(*out) != (int)call->n_args)
        return UM_EINVAL;
    return u->q.writes || sqlite3_stmt_readonly(*out) ? UM_OK : UM_EDENIED;
}

/* ---- running ---- */

static int bind(sqlite3_stmt *s, int place, const struct um_sql_value *v)
{
    const void *bytes = v->span.data != NULL ? (const void *)v->span.data : "";     /* no pointer would be a NULL */

    if (v->is_null)
        return sqlite3_bind_null(s, place);
    switch (v->type) {
    case UM_SQL_TYPE_INT:
        return sqlite3_bind_int64(s, place, v->number);
    case UM_SQL_TYPE_REAL:
        return sqlite3_bind_double(s, place, v->real);
    case UM_SQL_TYPE_TEXT:
        return sqlite3_bind_text64(s, place, bytes, v->span.len, SQLITE_STATIC, SQLITE_UTF8);
    default:
        return sqlite3_bind_blob64(s, place, bytes, v->span.len, SQLITE_STATIC);
    }
}

static struct um_sql_value column_of(sqlite3_stmt *s, int i)
{
    const void *bytes;

    switch (sqlite3_column_type(s, i)) {
    case SQLITE_INTEGER:
        return UM_SQL_INT(sqlite3_column_int64(s, i));
    case SQLITE_FLOAT:
        return UM_SQL_REAL(sqlite3_column_double(s, i));
    case SQLITE_TEXT:
        bytes = sqlite3_column_text(s, i);
        return UM_SQL_TEXT(UM_SPAN(bytes, (size_t)sqlite3_column_bytes(s, i)));
    case SQLITE_BLOB:
        bytes = sqlite3_column_blob(s, i);
        return UM_SQL_BYTES(UM_SPAN(bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(s, i)));
    default:
        return UM_SQL_NULL(TEXT);
    }
}

static bool give_row(struct unit *u, struct store_sql_call *call, sqlite3_stmt *s)
{
    struct um_sql_value columns[UM_SQL_COLUMNS_MAX];
    int n = sqlite3_column_count(s);

    for (int i = 0; i < n; i++)
        columns[i] = column_of(s, i);
    return store_sql_row(&u->q, call, columns, (size_t)n);
}

static int step_through(struct unit *u, struct store_sql_call *call, sqlite3_stmt *s)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < call->n_args && rc == SQLITE_OK; i++)
        rc = bind(s, (int)i + 1, &call->args[i]);
    if (rc != SQLITE_OK)
        return rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        if (call->cb != NULL && !give_row(u, call, s))
            break;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static um_err run(struct um_sql *q, struct store_sql_call *call)
{
    struct unit *u = UM_CONTAINER(q, struct unit, q);
    sqlite3_stmt *s = NULL;
    um_err err = statement_for(u, call, &s);
    int rc;

    if (err != UM_OK)
        return err;
    if (sqlite3_column_count(s) > UM_SQL_COLUMNS_MAX)
        return UM_ELIMIT;
    rc = step_through(u, call, s);
    call->changed = sqlite3_stmt_readonly(s) ? 0 : sqlite3_changes(u->c->db);
    sq_end(s);
    if (rc == SQLITE_OK)
        return UM_OK;
    if (rc == SQLITE_INTERRUPT)
        um_log_limited(UM_ERROR, "store", "statement_too_slow", UM_S("statement", call->text));
    u->rc = rc;                                  /* its words are not for the log: they may quote a value */
    return meaning_of(rc);
}

static int64_t now_of(struct um_sql *q) { return UM_CONTAINER(q, struct unit, q)->now_ms; }

static const struct store_sql_driver driver = { .is_postgres = false, .run = run, .now_ms = now_of };

/* ---- units ---- */

static int look_at_clock(void *arg) { return store_sql_is_late(arg); }

static um_err work(struct unit *u, struct sq_conn *c, struct store_op *op, bool writes, int64_t now_ms)
{
    um_err err;

    u->c = c;
    u->now_ms = now_ms;
    u->rc = SQLITE_OK;
    store_sql_begin(&u->q, &driver, writes, op->ttl_ms);
    sqlite3_progress_handler(c->db, STEPS_BETWEEN_LOOKS, look_at_clock, &u->q);
    err = store_sql_end(&u->q, op->work(op->arg, &u->q));
    sqlite3_progress_handler(c->db, 0, NULL, NULL);
    return err;
}

/* Is it the statement's fault, and not the disk's or the file's? Only the former mean more here than to everybody. */
static bool is_own(int rc)
{
    return rc == SQLITE_OK || meaning_of(rc) != sq_err(rc);
}

int sq_unit(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct sq_conn *c = &st->conn;
    struct unit u;
    int rc = sq_run(c, SQ_SAVEPOINT, "");

    if (rc != SQLITE_OK)
        return rc;
    store_count(M_UNIT_RUNS, 1);
    op->err = work(&u, c, op, true, at_ms);
    if (u.q.documents)
        sq_docs_forget(st);
    if (!is_own(u.rc))
        return u.rc;
    if (sqlite3_get_autocommit(c->db) != 0) {        /* given up with the whole transaction */
        op->spoils = true;
        return u.rc;
    }
    if (op->err != UM_OK || u.q.err != UM_OK)
        rc = sq_run(c, SQ_UNDO, "");
    return rc == SQLITE_OK ? sq_run(c, SQ_RELEASE, "") : rc;
}

int sq_inspect(struct sq_conn *c, struct store_op *op)
{
    struct unit u;

    store_count(M_VIEWS, 1);
    op->err = work(&u, c, op, false, um_wall_ms());
    return is_own(u.rc) ? SQLITE_OK : u.rc;
}
