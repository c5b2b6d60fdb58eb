/* The shared tables in PostgreSQL. The rules are the ledger's; here a transaction's rows are locked, read and written.
 *
 * A transaction of shared tables touches no documents. It takes its locks in one order whatever its calls are: rows of
 * reservations by category and id, all of them before the first call is judged; revocations by hash; versions of caches by
 * scope and name, last, with the COMMIT behind them. So no two transactions wait for one another in a circle, and nobody waits
 * long for a version that everybody raises.
 *
 * A reservation can only be locked when it has a row: one that is missing is made first, and removed again when nobody was
 * granted it. Nobody has seen it then; rows that others have seen are never removed (their tokens only grow). */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "pg_internal.h"

/* ---- parameters ---- */

static void put_text(struct pg_args *a, int array, const char *s) { pg_put_span(a, array, UM_SPAN_STR(s)); }

typedef bool lease_filter(const struct store_lease *r);
static bool any_lease(const struct store_lease *r) { (void)r; return true; }
static bool is_wanted(const struct store_lease *r) { return r->wanted; }
static bool is_changed(const struct store_lease *r) { return r->changed; }
static bool was_made_in_vain(const struct store_lease *r) { return r->wanted && r->token == 0; }

/* The references of those that pass, as the first two parameters; how many. */
static size_t put_refs(struct pg_args *a, const struct store_ledger *g, lease_filter *passes)
{
    size_t n = 0;
    int categories, ids;

    for (size_t i = 0; i < g->n_leases; i++)
        n += passes(&g->leases[i]);
    categories = pg_arg_array(a, PG_TEXT, n);
    ids = pg_arg_array(a, PG_TEXT, n);
    for (size_t i = 0; i < g->n_leases; i++)
        if (passes(&g->leases[i])) {
            put_text(a, categories, g->leases[i].category);
            put_text(a, ids, g->leases[i].id);
        }
    return n;
}

/* ---- the first round trip: locks ---- */

static void put_sessions(struct pg_args *a, struct store_op *const *ops, size_t n)
{
    size_t n_sessions = 0;
    int sessions;

    for (size_t i = 0; i < n; i++)
        n_sessions += store_asks_for_session(ops[i]);
    sessions = pg_arg_array(a, PG_TEXT, n_sessions);
    for (size_t i = 0; i < n; i++)
        if (store_asks_for_session(ops[i]))
            put_text(a, sessions, ops[i]->title);
}

static void take_leases(struct pg_conn *c, struct store_ledger *g)
{
    PGresult *r = pg_take(c);

    for (int i = 0; r != NULL && i < PQntuples(r); i++) {
        struct store_lease row = { .category = PQgetvalue(r, i, 0), .id = PQgetvalue(r, i, 1), .user = PQgetvalue(r, i, 2),
            .session = PQgetvalue(r, i, 3), .token = (uint64_t)pg_int(r, i, 4), .since_ms = pg_int(r, i, 5),
            .expires_ms = pg_int(r, i, 6) };

        store_ledger_fill(g, &row);
        g->now_ms = pg_int(r, i, 7);
    }
    PQclear(r);
}

static void lock_leases(struct pg_conn *c, struct store_ledger *g, struct store_op *const *ops, size_t n)
{
    struct pg_args made = { 0 }, locked = { 0 };
    bool makes;

    for (size_t i = 0; i < n; i++)
        store_ledger_ask(g, ops[i]);
    store_ledger_sort(g);
    pg_begin(c);
    pg_send(c, PG_BEGIN, NULL);
    makes = put_refs(&made, g, is_wanted) > 0;
    if (makes)
        pg_send(c, PG_MAKE_LEASES, &made);
    pg_args_free(&made);
    put_refs(&locked, g, any_lease);
    put_sessions(&locked, ops, n);
    pg_send(c, PG_LOCK_LEASES, &locked);
    pg_sync(c);
    PQclear(pg_take(c));
    if (makes)
        PQclear(pg_take(c));
    take_leases(c, g);
    store_ledger_sort(g);                    /* what the sessions had came behind what was asked for */
    pg_end(c);
}

/* ---- the second: changes ---- */

static size_t send_leases(struct pg_conn *c, const struct store_ledger *g)
{
    struct pg_args a = { 0 };
    size_t n = put_refs(&a, g, is_changed);
    int users = pg_arg_array(&a, PG_TEXT, n), sessions = pg_arg_array(&a, PG_TEXT, n);
    int tokens = pg_arg_array(&a, PG_INT8, n), since = pg_arg_array(&a, PG_INT8, n), expires = pg_arg_array(&a, PG_INT8, n);

    for (size_t i = 0; i < g->n_leases; i++) {
        const struct store_lease *r = &g->leases[i];

        if (!is_changed(r))
            continue;
        put_text(&a, users, r->user);
        put_text(&a, sessions, r->session);
        pg_put_int(&a, tokens, (int64_t)r->token);
        pg_put_int(&a, since, r->since_ms);
        pg_put_int(&a, expires, r->expires_ms);
    }
    if (n > 0)
        pg_send(c, PG_SET_LEASES, &a);
    pg_args_free(&a);
    return n;
}

static bool send_unmade(struct pg_conn *c, const struct store_ledger *g)
{
    struct pg_args a = { 0 };
    bool some = put_refs(&a, g, was_made_in_vain) > 0;

    if (some)
        pg_send(c, PG_UNMAKE_LEASES, &a);
    pg_args_free(&a);
    return some;
}

static void send_revocations(struct pg_conn *c, const struct store_ledger *g)
{
    struct pg_args a = { 0 };
    int hashes = pg_arg_array(&a, PG_TEXT, g->n_revokes), times = pg_arg_array(&a, PG_INT8, g->n_revokes);

    for (size_t i = 0; i < g->n_revokes; i++) {
        put_text(&a, hashes, g->revokes[i].hash);
        pg_put_int(&a, times, g->revokes[i].for_ms);
    }
    pg_send(c, PG_REVOKE, &a);
    pg_send(c, PG_FORGET, NULL);
}

static void send_audits(struct pg_conn *c, const struct store_ledger *g)
{
    struct pg_args a = { 0 };
    int columns[6];

    for (size_t i = 0; i < UM_COUNT(columns); i++)
        columns[i] = pg_arg_array(&a, PG_TEXT, g->n_audits);
    for (size_t i = 0; i < g->n_audits; i++) {
        const struct um_store_audit *row = &g->audits[i];
        const char *const texts[] = { row->user, row->action, row->object_type, row->object_id, row->detail, row->scope };

        for (size_t k = 0; k < UM_COUNT(columns); k++)
            put_text(&a, columns[k], texts[k]);
    }
    pg_send(c, PG_AUDIT, &a);
}

static void send_raises(struct pg_conn *c, struct store_ledger *g)
{
    struct pg_args a = { 0 };
    int scopes = pg_arg_array(&a, PG_TEXT, g->n_raises), names = pg_arg_array(&a, PG_TEXT, g->n_raises);
    int by = pg_arg_array(&a, PG_INT8, g->n_raises);

    store_ledger_sort_raises(g);
    for (size_t i = 0; i < g->n_raises; i++) {
        put_text(&a, scopes, g->raises[i].scope);
        put_text(&a, names, g->raises[i].name);
        pg_put_int(&a, by, (int64_t)g->raises[i].by);
    }
    pg_send(c, PG_RAISE, &a);
}

/* What was granted must be what stands there: a row that a foreign hand removed meanwhile is no reservation. */
static void take_set(struct pg_conn *c, size_t n)
{
    PGresult *r = pg_take(c);

    if (r != NULL && strtoull(PQcmdTuples(r), NULL, 10) != n)
        pg_fail(c, UM_EUNAVAIL, "a reservation was removed by a foreign hand");
    PQclear(r);
}

static void take_raises(struct pg_conn *c, struct store_ledger *g)
{
    PGresult *r = pg_take(c);

    if (r != NULL && (size_t)PQntuples(r) != g->n_raises)
        pg_fail(c, UM_EIO, "versions of caches went missing");
    for (size_t i = 0; r != NULL && i < g->n_raises && c->err == UM_OK; i++)
        g->raises[i].version = (uint64_t)pg_int(r, (int)i, 0);
    PQclear(r);
}

static void write_changes(struct pg_conn *c, struct store_ledger *g)
{
    bool unmade;
    size_t n_set;

    pg_begin(c);
    n_set = send_leases(c, g);
    unmade = send_unmade(c, g);
    if (g->n_revokes > 0)
        send_revocations(c, g);
    if (g->n_audits > 0)
        send_audits(c, g);
    if (g->n_raises > 0)
        send_raises(c, g);
    pg_send_commit(c);
    pg_sync(c);
    if (n_set > 0)
        take_set(c, n_set);
    if (unmade)
        PQclear(pg_take(c));
    for (int i = 0; i < (g->n_revokes > 0 ? 2 : 0) + (g->n_audits > 0); i++)
        PQclear(pg_take(c));
    if (g->n_raises > 0)
        take_raises(c, g);
    pg_finish_commit(c);
}

um_err pg_write_shared(struct pg_store *st, struct store_op **ops, size_t n)
{
    struct pg_conn *c = &st->conn;
    struct store_ledger g = { 0 };
    um_err err;

    lock_leases(c, &g, ops, n);
    for (size_t i = 0; i < n && c->err == UM_OK; i++)
        store_ledger_judge(&g, ops[i]);
    if (c->err == UM_OK)
        write_changes(c, &g);
    for (size_t i = 0; i < n && c->err == UM_OK; i++)
        store_ledger_finish(&g, ops[i]);
    err = c->err;
    store_ledger_free(&g);
    return err;
}

/* ---- reading ---- */

static um_err take_row(const PGresult *r, int i, struct store_op *op)
{
    struct um_store_reserved lease;

    switch (op->kind) {
    case STORE_CACHES:
        return store_shared_add_cache(op->shared,
            &(struct um_store_cache){ pg_text(r, i, 0), pg_text(r, i, 1), (uint64_t)pg_int(r, i, 2) });
    case STORE_REVOCATIONS:
        return store_shared_add_revoked(op->shared, &(struct um_store_revocation){ pg_text(r, i, 0), pg_int(r, i, 1) });
    case STORE_AUDITS:
        return store_shared_add_audit(op->shared, &(struct um_store_audit){ pg_int(r, i, 0), pg_text(r, i, 1), pg_text(r, i, 2),
            pg_text(r, i, 3), pg_text(r, i, 4), pg_text(r, i, 5), pg_text(r, i, 6) });
    default:
        lease = (struct um_store_reserved){ pg_text(r, i, 0), pg_text(r, i, 1), pg_text(r, i, 2), pg_text(r, i, 3),
            (uint64_t)pg_int(r, i, 4), pg_int(r, i, 5), 0 };
        if (lease.session[0] != '\0')
            lease.left_ms = pg_int(r, i, 6) - pg_int(r, i, 7);
        return store_shared_add_reserved(op->shared, &lease);
    }
}

static void send_question(struct pg_conn *c, const struct store_op *op)
{
    static const enum pg_id ids[] = { [STORE_CACHES] = PG_CACHES, [STORE_REVOCATIONS] = PG_REVOKED, [STORE_AUDITS] = PG_AUDITS,
                                      [STORE_RESERVATIONS] = PG_LEASES, [STORE_RESERVED] = PG_LEASES_ASKED };
    struct pg_args a = { 0 };

    if (op->kind == STORE_RESERVED) {
        int categories = pg_arg_array(&a, PG_TEXT, op->n_names / 2), ids_asked = pg_arg_array(&a, PG_TEXT, op->n_names / 2);

        for (size_t i = 0; i < op->n_names; i += 2) {
            put_text(&a, categories, op->names[i]);
            put_text(&a, ids_asked, op->names[i + 1]);
        }
    } else {
        pg_arg_int(&a, op->kind == STORE_AUDITS ? op->max : UM_STORE_ROWS_MAX + 1);
    }
    pg_send(c, ids[op->kind], &a);
}

void pg_read_shared(struct pg_conn *c, struct store_op *op)
{
    struct pg_args a = { 0 };
    PGresult *r;

    op->shared = store_shared_new();
    pg_begin_read(c);
    pg_arg_text(&a, op->kind == STORE_REVOCATIONS ? STORE_REVOCATIONS_CACHE : STORE_RESERVATIONS_CACHE);
    pg_send(c, PG_CACHE, &a);
    send_question(c, op);
    pg_end_read(c);
    r = pg_take(c);
    if (r != NULL && PQntuples(r) > 0)
        op->shared->version = (uint64_t)pg_int(r, 0, 0);
    PQclear(r);
    r = pg_take(c);
    for (int i = 0; r != NULL && i < PQntuples(r) && op->err == UM_OK; i++)
        op->err = take_row(r, i, op);
    PQclear(r);
}
