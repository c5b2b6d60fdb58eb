/* The shared tables in SQLite. The rules are the ledger's; here its rows are read and written, a call at a time. */
#include <umbel/util.h>
#include "sqlite_internal.h"

static const char *text_of(sqlite3_stmt *s, int column)
{
    const char *text = (const char *)sqlite3_column_text(s, column);

    return text != NULL ? text : "";
}

static int failed(struct sq_conn *c) { return sqlite3_extended_errcode(c->db); }
static int ended(int rc) { return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc; }

/* ---- reservations ---- */

static struct um_store_reserved lease_row(sqlite3_stmt *s, int64_t now_ms)
{
    struct um_store_reserved r = {
        .category = text_of(s, 0), .id = text_of(s, 1), .user = text_of(s, 2), .session = text_of(s, 3),
        .token = (uint64_t)sqlite3_column_int64(s, 4), .since_ms = sqlite3_column_int64(s, 5),
    };

    r.left_ms = r.session[0] != '\0' ? sqlite3_column_int64(s, 6) - now_ms : 0;
    return r;
}

static void fill(struct store_ledger *g, sqlite3_stmt *s)
{
    struct um_store_reserved r = lease_row(s, 0);

    store_ledger_fill(g, &(struct store_lease){ .category = (char *)r.category, .id = (char *)r.id, .user = (char *)r.user,
        .session = (char *)r.session, .token = r.token, .since_ms = r.since_ms, .expires_ms = sqlite3_column_int64(s, 6) });
}

static int fill_all(struct sq_conn *c, struct store_ledger *g, sqlite3_stmt *s)
{
    int rc;

    if (s == NULL)
        return failed(c);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        fill(g, s);
    sq_end(s);
    return ended(rc);
}

static int read_leases(struct sq_conn *c, struct store_ledger *g, const struct store_op *op)
{
    size_t asked = g->n_leases;
    int rc = SQLITE_OK;

    for (size_t i = 0; i < asked && rc == SQLITE_OK; i++)
        rc = fill_all(c, g, sq_query(c, SQ_LEASE, "tt", g->leases[i].category, g->leases[i].id));
    if (rc == SQLITE_OK && store_asks_for_session(op))
        rc = fill_all(c, g, sq_query(c, SQ_LEASES_OF, "t", op->title));
    store_ledger_sort(g);
    return rc;
}

static int write_leases(struct sq_conn *c, const struct store_ledger *g)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < g->n_leases && rc == SQLITE_OK; i++) {
        const struct store_lease *r = &g->leases[i];

        if (r->changed)
            rc = sq_run(c, SQ_SET_LEASE, "ttttiii", r->category, r->id, r->user, r->session, (int64_t)r->token, r->since_ms,
                        r->expires_ms);
    }
    return rc;
}

/* ---- the rest ---- */

static int write_revocations(struct sq_conn *c, const struct store_ledger *g)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < g->n_revokes && rc == SQLITE_OK; i++)
        rc = sq_run(c, SQ_REVOKE, "ti", g->revokes[i].hash, g->now_ms + g->revokes[i].for_ms);
    return rc == SQLITE_OK && g->n_revokes > 0 ? sq_run(c, SQ_FORGET, "i", g->now_ms) : rc;
}

static int write_audits(struct sq_conn *c, const struct store_ledger *g)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < g->n_audits && rc == SQLITE_OK; i++) {
        const struct um_store_audit *a = &g->audits[i];

        rc = sq_run(c, SQ_AUDIT, "itttttt", g->now_ms, a->user, a->action, a->object_type, a->object_id, a->detail, a->scope);
    }
    return rc;
}

static int raise_all(struct sq_conn *c, struct store_ledger *g)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < g->n_raises && rc == SQLITE_OK; i++) {
        struct store_raise *r = &g->raises[i];
        sqlite3_stmt *s = sq_query(c, SQ_RAISE, "tti", r->scope, r->name, (int64_t)r->by);

        if (s == NULL)
            return failed(c);
        if ((rc = sqlite3_step(s)) == SQLITE_ROW)
            r->version = (uint64_t)sqlite3_column_int64(s, 0);
        sq_end(s);
        rc = ended(rc);
    }
    return rc;
}

int sq_shared_change(struct sq_store *st, struct store_op *op, int64_t at_ms)
{
    struct store_ledger g = { .now_ms = at_ms };
    int rc;

    store_ledger_ask(&g, op);
    if ((rc = read_leases(&st->conn, &g, op)) == SQLITE_OK) {
        store_ledger_judge(&g, op);
        if ((rc = write_leases(&st->conn, &g)) == SQLITE_OK && (rc = write_revocations(&st->conn, &g)) == SQLITE_OK &&
            (rc = write_audits(&st->conn, &g)) == SQLITE_OK)
            rc = raise_all(&st->conn, &g);
    }
    if (rc == SQLITE_OK)
        store_ledger_finish(&g, op);
    store_ledger_free(&g);
    return rc;
}

/* ---- reading ---- */

static int read_version(struct sq_conn *c, const char *cache, uint64_t *version)
{
    sqlite3_stmt *s = sq_query(c, SQ_CACHE, "t", cache);
    int rc;

    if (s == NULL)
        return failed(c);
    if ((rc = sqlite3_step(s)) == SQLITE_ROW)
        *version = (uint64_t)sqlite3_column_int64(s, 0);
    sq_end(s);
    return ended(rc);
}

static um_err take_row(sqlite3_stmt *s, struct store_op *op, int64_t now_ms)
{
    struct um_store_reserved lease;

    switch (op->kind) {
    case STORE_CACHES:
        return store_shared_add_cache(op->shared,
            &(struct um_store_cache){ text_of(s, 0), text_of(s, 1), (uint64_t)sqlite3_column_int64(s, 2) });
    case STORE_REVOCATIONS:
        return store_shared_add_revoked(op->shared,
            &(struct um_store_revocation){ text_of(s, 0), sqlite3_column_int64(s, 1) - now_ms });
    case STORE_AUDITS:
        return store_shared_add_audit(op->shared, &(struct um_store_audit){ sqlite3_column_int64(s, 0), text_of(s, 1),
            text_of(s, 2), text_of(s, 3), text_of(s, 4), text_of(s, 5), text_of(s, 6) });
    default:
        lease = lease_row(s, now_ms);
        return store_shared_add_reserved(op->shared, &lease);
    }
}

static sqlite3_stmt *ask(struct sq_conn *c, const struct store_op *op, int64_t now_ms)
{
    int64_t most = UM_STORE_ROWS_MAX + 1;

    switch (op->kind) {
    case STORE_CACHES:
        return sq_query(c, SQ_CACHES, "i", most);
    case STORE_REVOCATIONS:
        return sq_query(c, SQ_REVOKED, "ii", now_ms, most);
    case STORE_AUDITS:
        return sq_query(c, SQ_AUDITS, "i", op->max);
    default:
        return sq_query(c, SQ_LEASES, "ii", now_ms, most);
    }
}

static int read_rows(struct sq_conn *c, struct store_op *op, int64_t now_ms)
{
    sqlite3_stmt *s = ask(c, op, now_ms);
    int rc;

    if (s == NULL)
        return failed(c);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && op->err == UM_OK)
        op->err = take_row(s, op, now_ms);
    sq_end(s);
    return ended(rc);
}

/* One reference after the other; what has no row was never reserved. */
static int read_refs(struct sq_conn *c, struct store_op *op, int64_t now_ms)
{
    int rc = SQLITE_OK;

    for (size_t i = 0; i < op->n_names && rc == SQLITE_OK && op->err == UM_OK; i += 2) {
        sqlite3_stmt *s = sq_query(c, SQ_LEASE, "tt", op->names[i], op->names[i + 1]);
        struct um_store_reserved none = { op->names[i], op->names[i + 1], "", "", 0, 0, 0 };

        if (s == NULL)
            return failed(c);
        rc = sqlite3_step(s);
        if (rc == SQLITE_ROW)
            op->err = take_row(s, op, now_ms);
        else if (rc == SQLITE_DONE)
            op->err = store_shared_add_reserved(op->shared, &none);
        sq_end(s);
        rc = ended(rc);
    }
    return rc;
}

int sq_read_shared(struct sq_conn *c, struct store_op *op)
{
    const char *cache = op->kind == STORE_REVOCATIONS ? STORE_REVOCATIONS_CACHE : STORE_RESERVATIONS_CACHE;
    int64_t now_ms = um_wall_ms();
    int rc;

    op->shared = store_shared_new();
    if ((rc = read_version(c, cache, &op->shared->version)) != SQLITE_OK)
        return rc;
    return op->kind == STORE_RESERVED ? read_refs(c, op, now_ms) : read_rows(c, op, now_ms);
}
