/* What only PostgreSQL can do to units of work: locks of others, sessions that are ended, constraints that speak at the
 * COMMIT. One server for the program, a database for each test. */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "pg_server.h"
#include "rig.h"

static struct pg_server server;
static int n_databases;

struct test { struct rig r; char db[24]; };

/* ---- life ---- */

static int start_server(void **state)
{
    (void)state;
    return pg_server_init(&server) && pg_server_start(&server, NULL) ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    pg_server_free(&server);
    return 0;
}

static int setup(void **state)
{
    struct test *t = um_xcalloc(1, sizeof(*t));
    char sql[64], url[128];

    snprintf(t->db, sizeof(t->db), "t%d", ++n_databases);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", t->db);
    if (!pg_server_ask(&server, "postgres", sql, NULL, 0))
        return -1;
    pg_server_url(&server, t->db, url, sizeof(url));
    rig_init(&t->r, url);
    t->r.conf.connections = 1;
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;

    rig_free(&t->r);
    free(t);
    return 0;
}

static void foreign_run(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(c));
    PQclear(r);
}

static PGconn *foreign(const struct test *t)
{
    char url[128];
    PGconn *c;

    pg_server_url(&server, t->db, url, sizeof(url));
    c = PQconnectdb(url);
    assert_int_equal(PQstatus(c), CONNECTION_OK);
    return c;
}

static void wait_until_we_wait_for_a_lock(struct test *t)
{
    char n[16] = "";

    for (int i = 0; i < 3000 && strcmp(n, "1") != 0; i++) {
        um_loop_turn(t->r.loop, 1);
        assert_true(pg_server_ask(&server, t->db, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND"
                                  " application_name = 'umbel-core' AND datname = current_database()", n, sizeof(n)));
    }
    assert_string_equal(n, "1");
}

/* ---- units ---- */

struct unit { int calls; um_err err; const char *id, *text; int64_t seen; int runs, fatal_runs; };

static void hear(void *arg, um_err err)
{
    struct unit *u = arg;

    u->calls++;
    u->err = err;
}

static um_err finish(struct rig *r, struct unit *u)
{
    rig_turn_until(r, &u->calls, 1);
    return u->err;
}

static um_err transact(struct rig *r, um_store_work *work, struct unit *u)
{
    u->calls = 0;
    um_store_transact(r->st, r->loop, work, hear, u);
    return finish(r, u);
}

static um_err inspect(struct rig *r, um_store_work *work, struct unit *u)
{
    u->calls = 0;
    um_store_inspect(r->st, r->loop, work, hear, u);
    return finish(r, u);
}

static um_err add(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    u->runs++;
    return um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, 1, ?1, 0, 0)",
                       UM_SQL_ARGS(um_sql_word(u->id)), NULL);
}

static um_err raise_it(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    u->runs++;
    return um_sql_exec(q, "UPDATE scopes SET version = version + 1 WHERE id = ?1", UM_SQL_ARGS(um_sql_word(u->id)), NULL);
}

static um_err look(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT version FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word(u->id)), &row);

    u->seen = err == UM_OK ? um_sql_int(&row, 0) : -1;
    return err;
}

static int64_t version_of(struct rig *r, const char *id)
{
    struct unit u = { .id = id };

    inspect(r, look, &u);
    return u.seen;
}

/* ---- locks ---- */

static void edits_do_not_wait_for_the_locks_of_units(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct unit u = { .id = "s" };
    PGconn *c;

    rig_open(r);
    assert_int_equal(transact(r, add, &u), UM_OK);
    c = foreign(t);
    foreign_run(c, "BEGIN");
    foreign_run(c, "UPDATE scopes SET version = 10");
    u.calls = u.runs = 0;
    um_store_transact(r->st, r->loop, raise_it, hear, &u);
    wait_until_we_wait_for_a_lock(t);
    assert_int_equal(rig_append(r, "d", "typed", NULL), UM_OK);
    assert_int_equal(u.calls, 0);
    foreign_run(c, "COMMIT");
    PQfinish(c);
    assert_int_equal(finish(r, &u), UM_OK);
    assert_true(u.runs > 1);                             /* what it had seen was over */
    assert_int_equal(version_of(r, "s"), 11);
}

static void a_unit_does_not_wait_for_ever_and_its_neighbours_go_on(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct unit u = { .id = "held" }, before = { .id = "before" }, after = { .id = "after" };
    PGconn *c;

    r->conf.unit_ms = 400;
    rig_open(r);
    assert_int_equal(transact(r, add, &u), UM_OK);
    c = foreign(t);
    foreign_run(c, "BEGIN");
    foreign_run(c, "UPDATE scopes SET version = 10");
    u.calls = 0;
    um_store_transact(r->st, r->loop, add, hear, &before);
    um_store_transact(r->st, r->loop, raise_it, hear, &u);
    um_store_transact(r->st, r->loop, add, hear, &after);
    assert_int_equal(finish(r, &u), UM_EBUSY);
    assert_int_equal(finish(r, &before), UM_OK);
    assert_int_equal(finish(r, &after), UM_OK);
    foreign_run(c, "ROLLBACK");
    PQfinish(c);
    assert_int_equal(version_of(r, "held"), 1);
    assert_int_equal(version_of(r, "after"), 1);
}

/* ---- sessions that are ended ---- */

/* Ends its own session in its first runs, after it has written. */
static um_err end_session(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    um_err err = u->id != NULL ? add(u, q) : (u->runs++, UM_OK);

    if (err == UM_OK && u->runs <= u->fatal_runs)
        err = um_sql_exec(q, "SELECT CAST(pg_terminate_backend(pg_backend_pid()) AS INTEGER)", UM_SQL_NO_ARGS, NULL);
    return err;
}

static void a_unit_whose_session_ends_leaves_nothing(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct unit u = { .id = "cut off", .fatal_runs = 1 };

    rig_open(r);
    assert_int_equal(transact(r, end_session, &u), UM_EUNAVAIL);
    assert_int_equal(u.runs, 1);                         /* whoever asked for it may ask again */
    assert_true(um_store_is_healthy(r->st));
    assert_int_equal(version_of(r, "cut off"), -1);
    assert_int_equal(transact(r, end_session, &u), UM_OK);
    assert_int_equal(version_of(r, "cut off"), 1);
}

static void an_inspection_whose_session_ends_is_made_once_more(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct unit u = { .fatal_runs = 1 };

    rig_open(r);
    assert_int_equal(inspect(r, end_session, &u), UM_OK);
    assert_int_equal(u.runs, 2);
    u.fatal_runs = 100;
    assert_int_equal(inspect(r, end_session, &u), UM_EUNAVAIL);
    u.fatal_runs = 0;
    assert_int_equal(inspect(r, end_session, &u), UM_OK);
}

static void units_go_on_after_a_restart(void **state)
{
    struct test *t = *state;
    struct unit a = { .id = "a" }, b = { .id = "b" };

    rig_open(&t->r);
    assert_int_equal(transact(&t->r, add, &a), UM_OK);
    pg_server_stop(&server, SIGINT);
    assert_true(pg_server_start(&server, NULL));
    assert_int_equal(transact(&t->r, add, &b), UM_OK);
    assert_int_equal(version_of(&t->r, "a"), 1);
    assert_int_equal(version_of(&t->r, "b"), 1);
}

/* ---- constraints ---- */

static um_err say(void *arg, struct um_sql *q)
{
    return um_sql_exec(q, ((struct unit *)arg)->text, UM_SQL_NO_ARGS, NULL);
}

static void a_foreign_key_is_a_conflict(void **state)
{
    struct test *t = *state;
    struct unit u = { .id = "parent" }, remove = { .text = "DELETE FROM scopes" };

    rig_open(&t->r);
    assert_int_equal(transact(&t->r, add, &u), UM_OK);
    assert_true(pg_server_ask(&server, t->db, "CREATE TABLE child(scope text COLLATE \"C\" REFERENCES scopes(id));"
                              "INSERT INTO child VALUES('parent')", NULL, 0));
    assert_int_equal(transact(&t->r, say, &remove), UM_ECONFLICT);
    assert_int_equal(version_of(&t->r, "parent"), 1);
}

static void a_commit_that_is_refused_for_one_unit_is_made_for_the_others(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct unit first = { .id = "first" }, last = { .id = "last" };
    struct unit twice = { .text = "UPDATE scopes SET unlike = 7" }, once = { .id = "once" };

    r->conf.commit_delay_ms = 50;
    rig_open(r);
    assert_true(pg_server_ask(&server, t->db, "ALTER TABLE scopes ADD COLUMN unlike bigint UNIQUE DEFERRABLE INITIALLY DEFERRED",
                              NULL, 0));
    assert_int_equal(transact(r, add, &first), UM_OK);
    um_store_transact(r->st, r->loop, add, hear, &once);
    um_store_transact(r->st, r->loop, say, hear, &twice);
    um_store_transact(r->st, r->loop, add, hear, &last);
    assert_int_equal(finish(r, &last), UM_OK);
    assert_int_equal(finish(r, &once), UM_OK);
    assert_int_equal(finish(r, &twice), UM_EIO);
    assert_int_equal(version_of(r, "once"), 1);
    assert_int_equal(version_of(r, "last"), 1);
}

static um_err ask(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, u->text, UM_SQL_NO_ARGS, &row);

    u->seen = err == UM_OK ? um_sql_int(&row, 0) : -1;
    return err;
}

static void a_column_that_must_be_cast_is_refused(void **state)
{
    struct test *t = *state;
    struct unit sum = { .text = "SELECT sum(version) FROM scopes" };
    struct unit cast = { .id = "s", .text = "SELECT CAST(sum(version) AS BIGINT) FROM scopes" };

    rig_open(&t->r);
    assert_int_equal(transact(&t->r, add, &cast), UM_OK);
    assert_int_equal(inspect(&t->r, ask, &sum), UM_EINVAL);
    assert_int_equal(inspect(&t->r, ask, &cast), UM_OK);
    assert_int_equal(cast.seen, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(edits_do_not_wait_for_the_locks_of_units),
        T(a_unit_does_not_wait_for_ever_and_its_neighbours_go_on),
        T(a_unit_whose_session_ends_leaves_nothing),
        T(an_inspection_whose_session_ends_is_made_once_more),
        T(units_go_on_after_a_restart),
        T(a_foreign_key_is_a_conflict),
        T(a_commit_that_is_refused_for_one_unit_is_made_for_the_others),
        T(a_column_that_must_be_cast_is_refused),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
