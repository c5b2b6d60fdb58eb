/* What every database behind the store must keep of units of work: run in memory, on a file, and on UMBEL_STORE_URL when it is
 * set (an empty database; then also by two stores at once). */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/sql_shared.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "rig.h"

static const char *url;                          /* of the present round; NULL: a file of the test's own */
static bool is_memory(void) { return url != NULL && strcmp(url, "memory:") == 0; }
static bool is_server(void) { return url != NULL && strcmp(url, "memory:") != 0; }

/* ---- a unit made to look synchronous ---- */

struct heard { int calls; um_err err; };

static void hear(void *arg, um_err err)
{
    struct heard *h = arg;

    h->calls++;
    h->err = err;
}

/* ARG of every unit here begins with its struct heard. */
static um_err finish(struct rig *r, struct heard *h)
{
    assert_int_equal(h->calls, 0);
    rig_turn_until(r, &h->calls, 1);
    assert_int_equal(h->calls, 1);
    return h->err;
}

static um_err transact(struct rig *r, um_store_work *work, void *arg)
{
    ((struct heard *)arg)->calls = 0;
    um_store_transact(r->st, r->loop, work, hear, arg);
    return finish(r, arg);
}

static um_err inspect(struct rig *r, um_store_work *work, void *arg)
{
    ((struct heard *)arg)->calls = 0;
    um_store_inspect(r->st, r->loop, work, hear, arg);
    return finish(r, arg);
}

/* ---- scopes as counters ---- */

static um_err put_scope(struct um_sql *q, const char *id, int64_t version, const char *body)
{
    return um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, ?2, ?3, ?4, ?4)",
                       UM_SQL_ARGS(um_sql_word(id), UM_SQL_INT(version), um_sql_word(body), UM_SQL_INT(um_sql_now_ms(q))), NULL);
}

static um_err read_version(struct um_sql *q, const char *id, int64_t *out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT version FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word(id)), &row);

    if (err == UM_OK)
        *out = um_sql_int(&row, 0);
    return err;
}

static um_err set_version(struct um_sql *q, const char *id, int64_t version)
{
    return um_sql_exec(q, "UPDATE scopes SET version = ?2 WHERE id = ?1", UM_SQL_ARGS(um_sql_word(id), UM_SQL_INT(version)), NULL);
}

static um_err empty(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_sql_exec(q, "DELETE FROM scopes", UM_SQL_NO_ARGS, NULL);
}

/* A unit with parameters of all kinds of tests. */
struct unit {
    struct heard heard;
    const char *id;
    int64_t version, seen;
    um_err fails;                    /* returned after all has been written */
    int runs;
    int *next, place;                /* the order of units */
};

static um_err add(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    um_err err = put_scope(q, u->id, u->version, "{}");

    u->runs++;
    return err == UM_OK ? u->fails : err;
}

static um_err look(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    u->seen = -1;
    return read_version(q, u->id, &u->seen);
}

static int64_t version_of(struct rig *r, const char *id)
{
    struct unit u = { .id = id };
    um_err err = inspect(r, look, &u);

    assert_true(err == UM_OK || err == UM_ENOTFOUND);
    return u.seen;
}

static int setup(void **state)
{
    struct rig *r = um_xcalloc(1, sizeof(*r));
    struct unit u = { 0 };

    rig_init(r, url);
    rig_open(r);
    assert_int_equal(transact(r, empty, &u), UM_OK);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    free(*state);
    return 0;
}

/* ---- statements ---- */

static um_err write_all_kinds(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;
    int64_t changed = 0;
    um_err err = put_scope(q, "kinds", 1, "first");

    u->runs++;
    if (err == UM_OK)
        err = um_sql_exec(q, "UPDATE scopes SET body = ?2, version = version + ?3 WHERE id = ?1",
                          UM_SQL_ARGS(um_sql_word("kinds"), um_sql_word("second"), UM_SQL_INT(41)), &changed);
    if (err != UM_OK)
        return err;
    assert_int_equal(changed, 1);
    err = um_sql_one(q, "SELECT version, body, CAST(?1 AS BIGINT), created_ms FROM scopes WHERE id = ?2",
                     UM_SQL_ARGS(UM_SQL_NULL(INT), um_sql_word("kinds")), &row);
    if (err != UM_OK)
        return err;
    assert_int_equal(row.n, 4);
    assert_int_equal(um_sql_int(&row, 0), 42);
    assert_string_equal(um_sql_text(&row, 1), "second");
    assert_true(um_sql_is_null(&row, 2));
    assert_int_equal(um_sql_int(&row, 2), 0);
    assert_int_equal(um_sql_int(&row, 3), um_sql_now_ms(q));
    return UM_OK;
}

static void a_unit_reads_what_it_has_written(void **state)
{
    struct rig *r = *state;
    struct unit u = { 0 };

    assert_int_equal(transact(r, write_all_kinds, &u), UM_OK);
    assert_true(u.runs > 0);
    assert_int_equal(version_of(r, "kinds"), 42);
}

/* Values as they were given. */
static um_err echo(void *arg, struct um_sql *q)
{
    static const uint8_t bytes[] = { 0, 255, '\'', 0, ';' };
    static const char text[] = "a'b\"c\\ ; -- ümläut/文 $1 ?1 {}";
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7",
        UM_SQL_ARGS(UM_SQL_INT(INT64_MIN), UM_SQL_REAL(-0.1), um_sql_word(text), UM_SQL_BYTES(UM_SPAN(bytes, sizeof(bytes))),
                    um_sql_word(""), UM_SQL_BYTES(UM_SPAN(NULL, 0)), um_sql_word(NULL)), &row);

    (void)arg;
    if (err != UM_OK)
        return err;
    assert_true(um_sql_int(&row, 0) == INT64_MIN);
    assert_true(um_sql_real(&row, 1) == -0.1);
    assert_string_equal(um_sql_text(&row, 2), text);
    assert_int_equal(um_sql_span(&row, 3).len, sizeof(bytes));
    assert_memory_equal(um_sql_span(&row, 3).data, bytes, sizeof(bytes));
    assert_false(um_sql_is_null(&row, 4));
    assert_string_equal(um_sql_text(&row, 4), "");
    assert_false(um_sql_is_null(&row, 5));
    assert_int_equal(um_sql_span(&row, 5).len, 0);
    assert_true(um_sql_is_null(&row, 6));
    return UM_OK;
}

static void values_come_back_as_they_were_given(void **state)
{
    struct unit u = { 0 };

    assert_int_equal(transact(*state, echo, &u), UM_OK);
    assert_int_equal(inspect(*state, echo, &u), UM_OK);
}

/* One value, and what became of it. */
struct given { struct heard heard; struct um_sql_value value; };

static um_err give(void *arg, struct um_sql *q)
{
    struct given *g = arg;
    struct um_sql_row row;

    return um_sql_one(q, "SELECT ?1", &g->value, 1, &row);
}

static void what_one_database_could_not_hold_neither_does(void **state)
{
    static const struct { struct um_sql_value value; um_err err; } cases[] = {
        { { .type = UM_SQL_TYPE_TEXT, .span = { (const uint8_t *)"a\0b", 3 } }, UM_EINVAL },
        { { .type = UM_SQL_TYPE_TEXT, .span = { (const uint8_t *)"\xff", 1 } }, UM_EINVAL },
        { { .type = UM_SQL_TYPE_TEXT, .span = { (const uint8_t *)"\xed\xa0\x80", 3 } }, UM_EINVAL },
        { { .type = UM_SQL_TYPE_REAL, .real = (double)NAN }, UM_EINVAL },
        { { .type = UM_SQL_TYPE_REAL, .real = (double)INFINITY }, UM_EINVAL },
        { { .type = UM_SQL_TYPE_BYTES, .span = { (const uint8_t *)"", UM_SQL_VALUE_MAX + 1 } }, UM_ELIMIT },   /* not looked at */
        { { .type = UM_SQL_TYPE_BYTES, .span = { (const uint8_t *)"a\0b", 3 } }, UM_OK },
    };

    for (size_t i = 0; i < UM_COUNT(cases); i++) {
        struct given g = { .value = cases[i].value };

        assert_int_equal(transact(*state, give, &g), cases[i].err);
    }
}

struct said { struct heard heard; const char *text; struct um_sql_value args[2]; size_t n; };

static um_err say(void *arg, struct um_sql *q)
{
    struct said *s = arg;

    return um_sql_exec(q, s->text, s->args, s->n, NULL);
}

static void a_value_or_a_second_statement_cannot_stand_in_a_text(void **state)
{
    static const char *const texts[] = {
        "DELETE FROM scopes WHERE id = 'x'", "DELETE FROM scopes WHERE id = ''", "DELETE FROM \"scopes\"", "DELETE FROM `scopes`",
        "DELETE FROM [scopes]", "DELETE FROM scopes; SELECT 1", "DELETE FROM scopes -- all", "DELETE FROM scopes /* all */",
        "DELETE FROM scopes WHERE id = $1", "DELETE FROM scopes WHERE id = @a", "DELETE FROM scopes WHERE id = :a",
        "DELETE FROM scopes WHERE id = ?", "DELETE FROM scopes WHERE id = ?1", "DELETE FROM scopes WHERE id = ?0",
        "DELETE FROM scopes WHERE id = ?01", "DELETE FROM scopes WHERE version = ?1001", "DELETE FROM scopes WHERE id = \\x",
        "DELETE FROM scop\xc3\xa9s", " DELETE FROM scopes", "delete from scopes", "DROP TABLE scopes", "COMMIT", "ROLLBACK",
        "PRAGMA query_only", "SET search_path TO x", "CREATE TABLE other(id BIGINT)", "SELECTED", "",
    };
    struct rig *r = *state;
    struct unit u = { .id = "kept", .version = 1 };

    assert_int_equal(transact(r, add, &u), UM_OK);
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        struct said s = { .text = texts[i] };

        assert_int_equal(transact(r, say, &s), UM_EINVAL);
    }
    assert_int_equal(version_of(r, "kept"), 1);
}

static void what_the_database_does_not_understand_is_refused(void **state)
{
    static const char *const texts[] = { "SELECT FROM WHERE", "SELECT x FROM no_such_table", "UPDATE scopes SET no_such_column = 1",
                                         "INSERT INTO scopes(id) VALUES(NULL)" };

    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        struct said s = { .text = texts[i] };

        assert_int_equal(transact(*state, say, &s), UM_EINVAL);
    }
}

static um_err ask_too_long(void *arg, struct um_sql *q)
{
    struct said *s = arg;
    char text[UM_SQL_TEXT_MAX + 2] = "SELECT ";

    memset(text + 7, '1', sizeof(text) - 8);
    text[sizeof(text) - 1] = '\0';
    return um_sql_exec(q, text, s->args, 0, NULL);
}

static um_err ask_too_much(void *arg, struct um_sql *q)
{
    static struct um_sql_value args[UM_SQL_ARGS_MAX + 1];

    (void)arg;
    return um_sql_exec(q, "SELECT ?1", args, UM_COUNT(args), NULL);
}

static um_err ask_for_many_values(void *arg, struct um_sql *q)
{
    struct um_sql_parts p = { 0 };
    um_err err;

    (void)arg;
    um_sql_add(&p, "SELECT id FROM scopes WHERE version IN (0");
    for (int i = 0; i < UM_SQL_ARGS_MAX; i++) {
        um_sql_add(&p, ", ");
        um_sql_add_value(&p, UM_SQL_INT(i));
    }
    um_sql_add(&p, ")");
    err = um_sql_exec_of(q, &p, NULL);
    um_sql_parts_free(&p);
    return err;
}

/* 16 MB in each row, given once. */
static um_err read_too_much(void *arg, struct um_sql *q)
{
    static uint8_t bytes[UM_SQL_VALUE_MAX];
    struct um_sql_value large = UM_SQL_BYTES(UM_SPAN(bytes, sizeof(bytes)));
    struct um_sql_row row;
    um_err err = UM_OK;

    (void)arg;
    for (int i = 0; i < 2 && err == UM_OK; i++)
        err = um_sql_one(q, "SELECT ?1", &large, 1, &row);
    assert_int_equal(err, UM_OK);
    return um_sql_one(q, "SELECT ?1", UM_SQL_ARGS(UM_SQL_INT(1)), &row);
}

static void sizes_have_limits(void **state)
{
    struct said s = { 0 };

    assert_int_equal(transact(*state, ask_too_long, &s), UM_ELIMIT);
    assert_int_equal(transact(*state, ask_too_much, &s), UM_ELIMIT);
    assert_int_equal(transact(*state, read_too_much, &s), UM_ELIMIT);
    assert_int_equal(inspect(*state, ask_for_many_values, &s), UM_OK);
}

struct rows { struct heard heard; int n, stop_at; int64_t last; um_err at_stop; struct um_sql *q; };

static um_err take_row(void *arg, const struct um_sql_row *row)
{
    struct rows *rows = arg;

    rows->n++;
    rows->last = um_sql_int(row, 0);
    return rows->n == rows->stop_at ? rows->at_stop : UM_OK;
}

#define MANY "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT x FROM c ORDER BY x"

static um_err read_many(void *arg, struct um_sql *q)
{
    struct rows *rows = arg;
    um_err err;

    rows->n = 0;
    err = um_sql_each(q, MANY, UM_SQL_NO_ARGS, take_row, rows);
    if (rows->stop_at != 0) {
        assert_int_equal(err, rows->at_stop);
        return um_sql_exec(q, "SELECT 1", UM_SQL_NO_ARGS, NULL);       /* the unit goes on */
    }
    return err;
}

static void rows_come_in_order_until_the_callback_has_enough(void **state)
{
    struct rows rows = { 0 };

    assert_int_equal(inspect(*state, read_many, &rows), UM_OK);
    assert_int_equal(rows.n, 1000);
    assert_int_equal(rows.last, 1000);
    rows.stop_at = 3;
    rows.at_stop = UM_EBUSY;
    assert_int_equal(inspect(*state, read_many, &rows), UM_OK);
    assert_int_equal(rows.n, 3);
    assert_int_equal(transact(*state, read_many, &rows), UM_OK);
    assert_int_equal(rows.n, 3);
}

static um_err ask_inside(void *arg, const struct um_sql_row *row)
{
    struct rows *rows = arg;

    (void)row;
    assert_int_equal(um_sql_exec(rows->q, "SELECT 1", UM_SQL_NO_ARGS, NULL), UM_EINVAL);
    return UM_OK;
}

static um_err nest(void *arg, struct um_sql *q)
{
    ((struct rows *)arg)->q = q;
    return um_sql_each(q, "SELECT 1", UM_SQL_NO_ARGS, ask_inside, arg);
}

static void a_callback_asks_nothing(void **state)
{
    struct rows rows = { 0 };

    assert_int_equal(inspect(*state, nest, &rows), UM_EINVAL);
}

static um_err find_none(void *arg, struct um_sql *q)
{
    struct um_sql_row row;

    (void)arg;
    assert_int_equal(um_sql_one(q, "SELECT id FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word("none")), &row), UM_ENOTFOUND);
    return put_scope(q, "after", 7, "");
}

static void a_row_that_is_not_there_does_not_end_the_unit(void **state)
{
    struct unit u = { 0 };

    assert_int_equal(transact(*state, find_none, &u), UM_OK);
    assert_int_equal(version_of(*state, "after"), 7);
}

/* ---- a statement in parts ---- */

static um_err search(void *arg, struct um_sql *q)
{
    struct rows *rows = arg;
    struct um_sql_parts p = { 0 };
    um_err err;

    rows->n = 0;
    um_sql_add(&p, "SELECT version FROM scopes WHERE id IN (");
    um_sql_add_value(&p, um_sql_word("b"));
    um_sql_add(&p, ", ");
    um_sql_add_value(&p, um_sql_word("c"));
    um_sql_add(&p, ") ORDER BY ");
    um_sql_add_name(&p, "scopes.id");
    err = um_sql_each_of(q, &p, take_row, rows);
    um_sql_parts_free(&p);
    return err;
}

static um_err name_badly(void *arg, struct um_sql *q)
{
    struct said *s = arg;
    struct um_sql_parts p = { 0 };
    um_err err;

    um_sql_add(&p, "SELECT version FROM scopes ORDER BY ");
    um_sql_add_name(&p, s->text);
    err = um_sql_exec_of(q, &p, NULL);
    um_sql_parts_free(&p);
    return err;
}

static void a_question_may_be_put_together_from_words_and_values(void **state)
{
    static const char *const names[] = { "id DESC", "id,id", "id'", "", "id)", "1 -- " };
    struct unit a = { .id = "a", .version = 1 }, b = { .id = "b", .version = 2 }, c = { .id = "c", .version = 3 };
    struct rows rows = { 0 };

    assert_int_equal(transact(*state, add, &a), UM_OK);
    assert_int_equal(transact(*state, add, &b), UM_OK);
    assert_int_equal(transact(*state, add, &c), UM_OK);
    assert_int_equal(inspect(*state, search, &rows), UM_OK);
    assert_int_equal(rows.n, 2);
    assert_int_equal(rows.last, 3);
    for (size_t i = 0; i < UM_COUNT(names); i++) {
        struct said s = { .text = names[i] };

        assert_int_equal(inspect(*state, name_badly, &s), UM_EINVAL);
    }
}

/* ---- all or nothing ---- */

static void a_unit_that_fails_in_the_middle_leaves_nothing(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "half", .version = 1, .fails = UM_EDENIED };

    assert_int_equal(transact(r, add, &u), UM_EDENIED);
    assert_int_equal(version_of(r, "half"), -1);
    u.fails = UM_OK;
    assert_int_equal(transact(r, add, &u), UM_OK);
    assert_int_equal(version_of(r, "half"), 1);
}

static um_err add_twice(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    assert_int_equal(put_scope(q, "first", 1, ""), UM_OK);
    assert_int_equal(put_scope(q, u->id, 1, ""), UM_OK);
    assert_int_equal(put_scope(q, u->id, 2, ""), UM_EEXIST);
    assert_int_equal(put_scope(q, "third", 3, ""), UM_EEXIST);       /* nothing goes on */
    assert_int_equal(um_sql_now_ms(q), 0);
    return u->fails;
}

static void a_statement_that_fails_ends_the_unit_whatever_it_returns(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "twice" };

    assert_int_equal(transact(r, add_twice, &u), UM_EEXIST);
    u.fails = UM_ECONFLICT;
    assert_int_equal(transact(r, add_twice, &u), UM_ECONFLICT);      /* its own word for it */
    assert_int_equal(version_of(r, "first"), -1);
    assert_int_equal(version_of(r, "twice"), -1);
    assert_int_equal(version_of(r, "third"), -1);
}

static um_err keep_or_add(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    int64_t changed = -1;
    um_err err = um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, ?2, ?1, 0, 0)"
                             " ON CONFLICT (id) DO NOTHING", UM_SQL_ARGS(um_sql_word(u->id), UM_SQL_INT(u->version)), &changed);

    u->seen = changed;
    return err;
}

static void a_key_that_is_taken_can_be_expected(void **state)
{
    struct unit u = { .id = "once", .version = 1 };

    assert_int_equal(transact(*state, keep_or_add, &u), UM_OK);
    assert_int_equal(u.seen, 1);
    u.version = 2;
    assert_int_equal(transact(*state, keep_or_add, &u), UM_OK);
    assert_int_equal(u.seen, 0);
    assert_int_equal(version_of(*state, "once"), 1);
}

static um_err do_nothing(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    (void)q;
    u->runs++;
    return u->fails;
}

static void a_unit_may_ask_for_nothing(void **state)
{
    struct unit u = { .fails = UM_EPROTO };

    assert_int_equal(transact(*state, do_nothing, &u), UM_EPROTO);
    assert_int_equal(inspect(*state, do_nothing, &u), UM_EPROTO);
    u.fails = UM_OK;
    assert_int_equal(transact(*state, do_nothing, &u), UM_OK);
    assert_int_equal(inspect(*state, do_nothing, &u), UM_OK);
    assert_int_equal(u.runs, 4);
}

/* ---- many ---- */

static void let_many_wait(struct rig *r)
{
    rig_close(r);
    r->conf.max_waiting_bytes = 64 << 20;
    rig_open(r);
}

struct crowd { int calls, next; bool out_of_order; };
struct member { struct unit unit; struct crowd *crowd; int place; char id[16]; };

static void hear_member(void *arg, um_err err)
{
    struct member *m = arg;

    m->unit.heard.err = err;
    m->crowd->out_of_order |= m->crowd->next++ != m->place;
    m->crowd->calls++;
}

static void of_many_units_only_those_that_fail_leave_nothing(void **state)
{
    enum { UNITS = 150 };                    /* several transactions */
    static const um_err ends[] = { UM_OK, UM_EDENIED, UM_OK, UM_ENOTFOUND, UM_OK };
    struct rig *r = *state;
    struct crowd crowd = { 0 };
    struct member members[UNITS];

    let_many_wait(r);
    for (int i = 0; i < UNITS; i++) {
        members[i] = (struct member){ .crowd = &crowd, .place = i,
            .unit = { .version = i, .fails = ends[(size_t)i % UM_COUNT(ends)] } };
        snprintf(members[i].id, sizeof(members[i].id), "m%d", i % 50);      /* from the second fifty on some keys are taken */
        members[i].unit.id = members[i].id;
        um_store_transact(r->st, r->loop, add, hear_member, &members[i]);
    }
    rig_turn_until(r, &crowd.calls, UNITS);
    assert_false(crowd.out_of_order);
    for (int i = 0; i < UNITS; i++) {
        um_err want = ends[(size_t)i % UM_COUNT(ends)];

        if (i >= 50 && want != UM_EDENIED && want != UM_ENOTFOUND)
            want = UM_EEXIST;
        assert_int_equal(members[i].unit.heard.err, i >= 50 && ends[(size_t)i % UM_COUNT(ends)] == UM_OK ? UM_EEXIST : want);
        if (i < 50)
            assert_int_equal(version_of(r, members[i].id), want == UM_OK ? i : -1);
    }
}

static um_err raise_by_one(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    int64_t version = 0;
    um_err err = read_version(q, u->id, &version);

    u->runs++;
    u->seen = version + 1;
    return err == UM_OK ? set_version(q, u->id, version + 1) : err;
}

static void units_run_in_the_order_of_the_calls(void **state)
{
    enum { UNITS = 100 };
    struct rig *r = *state;
    struct unit counter = { .id = "counter" };
    struct crowd crowd = { 0 };
    struct member members[UNITS];

    let_many_wait(r);
    assert_int_equal(transact(r, add, &counter), UM_OK);
    for (int i = 0; i < UNITS; i++) {
        members[i] = (struct member){ .crowd = &crowd, .place = i, .unit = { .id = "counter" } };
        um_store_transact(r->st, r->loop, raise_by_one, hear_member, &members[i]);
    }
    rig_turn_until(r, &crowd.calls, UNITS);
    assert_false(crowd.out_of_order);
    for (int i = 0; i < UNITS; i++) {
        assert_int_equal(members[i].unit.heard.err, UM_OK);
        assert_int_equal(members[i].unit.seen, i + 1);
    }
    assert_int_equal(version_of(r, "counter"), UNITS);
}

static void units_go_between_other_changes(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "between", .version = 5 };
    struct got first = { 0 }, second = { 0 };
    struct um_bytes *b = text_bytes("x");

    um_store_append(r->st, r->loop, "document", b, "ann", got_number, &first);
    um_store_transact(r->st, r->loop, add, hear, &u);
    um_store_append(r->st, r->loop, "document", b, "ann", got_number, &second);
    um_bytes_unref(b);
    rig_turn_until(r, &second.calls, 1);
    rig_turn_until(r, &u.heard.calls, 1);
    assert_int_equal(first.err, UM_OK);
    assert_int_equal(second.number, first.number + 1);
    assert_int_equal(u.heard.err, UM_OK);
    assert_int_equal(version_of(r, "between"), 5);
}

/* ---- limits and ends ---- */

/* A unit that waits in its first run until it is told to go on. */
struct slow {
    struct unit unit;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool has_read, may_go;
};

static void begin_slow(struct slow *s)
{
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
}

static um_err finish_slow(struct rig *r, struct slow *s)
{
    rig_turn_until(r, &s->unit.heard.calls, 1);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    return s->unit.heard.err;
}

static void tell(struct slow *s, bool *what)
{
    pthread_mutex_lock(&s->lock);
    *what = true;
    pthread_cond_broadcast(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void await(struct slow *s, const bool *what)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 1;                                   /* less than a unit may take */
    pthread_mutex_lock(&s->lock);
    while (!*what && pthread_cond_timedwait(&s->wake, &s->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
}

static um_err hold_up(void *arg, struct um_sql *q)
{
    struct slow *s = arg;

    (void)q;
    tell(s, &s->has_read);
    await(s, &s->may_go);
    return UM_OK;
}

static void more_units_than_may_wait_are_refused_at_once(void **state)
{
    enum { FIT = (1 << 20) / UM_STORE_UNIT_COST, UNITS = FIT + 20 };
    struct rig *r = *state;
    struct slow first = { 0 };
    struct crowd crowd = { 0 };
    struct member members[UNITS];

    begin_slow(&first);
    um_store_transact(r->st, r->loop, hold_up, hear, &first);
    await(&first, &first.has_read);
    for (int i = 0; i < UNITS; i++) {
        members[i] = (struct member){ .crowd = &crowd, .place = i };
        um_store_transact(r->st, r->loop, do_nothing, hear_member, &members[i]);
    }
    rig_turn_until(r, &crowd.calls, UNITS - FIT);
    tell(&first, &first.may_go);
    rig_turn_until(r, &crowd.calls, UNITS);
    assert_int_equal(finish_slow(r, &first), UM_OK);
    for (int i = 0; i < UNITS; i++) {
        assert_int_equal(members[i].unit.heard.err, i < FIT ? UM_OK : UM_EUNAVAIL);
        assert_int_equal(members[i].unit.runs, i < FIT);
    }
}

static um_err never_end(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;

    u->runs++;
    if (put_scope(q, "endless", 1, "") != UM_OK)
        return UM_EIO;
    return um_sql_one(q, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c", UM_SQL_NO_ARGS,
                      &row);
}

/* A change that is broken off: SQLite gives up the whole transaction. */
static um_err never_end_changing(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL"
                       " SELECT x + 1 FROM c) SELECT ?1, count(*), ?1, 0, 0 FROM c", UM_SQL_ARGS(um_sql_word("endless")), NULL);
}

static void a_unit_that_takes_too_long_is_broken_off_and_others_are_not(void **state)
{
    um_store_work *const endless[] = { never_end, never_end_changing };
    struct rig *r = *state;

    rig_close(r);
    r->conf.unit_ms = r->conf.view_ms = r->conf.timeout_ms = 300;
    rig_open(r);
    for (size_t i = 0; i < UM_COUNT(endless); i++) {
        struct unit before = { .id = i == 0 ? "a0" : "a1", .version = 1 }, after = { .id = i == 0 ? "b0" : "b1", .version = 2 };
        struct unit slow = { 0 };
        struct got appended = { 0 };
        struct um_bytes *b = text_bytes("x");

        um_store_transact(r->st, r->loop, add, hear, &before);
        um_store_transact(r->st, r->loop, endless[i], hear, &slow);
        um_store_append(r->st, r->loop, "beside", b, "ann", got_number, &appended);
        um_store_transact(r->st, r->loop, add, hear, &after);
        um_bytes_unref(b);
        rig_turn_until(r, &after.heard.calls, 1);
        rig_turn_until(r, &appended.calls, 1);
        assert_int_equal(slow.heard.err, UM_ETIMEOUT);
        assert_int_equal(before.heard.err, UM_OK);
        assert_int_equal(after.heard.err, UM_OK);
        assert_int_equal(appended.err, UM_OK);
        assert_int_equal(version_of(r, before.id), 1);
        assert_int_equal(version_of(r, after.id), 2);
        assert_int_equal(version_of(r, "endless"), -1);
    }
}

static um_err look_forever(void *arg, struct um_sql *q)
{
    struct um_sql_row row;

    (void)arg;
    return um_sql_one(q, "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c", UM_SQL_NO_ARGS,
                      &row);
}

static void an_inspection_that_takes_too_long_is_broken_off(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "still", .version = 3 };

    rig_close(r);
    r->conf.view_ms = r->conf.timeout_ms = 300;
    rig_open(r);
    assert_int_equal(inspect(r, look_forever, &u), UM_ETIMEOUT);
    assert_int_equal(transact(r, add, &u), UM_OK);
    assert_int_equal(version_of(r, "still"), 3);
}

static void a_store_that_is_closed_runs_its_units_and_tells_nobody(void **state)
{
    enum { UNITS = 40 };
    struct rig *r = *state;
    struct crowd crowd = { 0 };
    struct member members[UNITS];

    for (int i = 0; i < UNITS; i++) {
        members[i] = (struct member){ .crowd = &crowd, .place = i, .unit = { .version = i } };
        snprintf(members[i].id, sizeof(members[i].id), "c%d", i);
        members[i].unit.id = members[i].id;
        um_store_transact(r->st, r->loop, add, hear_member, &members[i]);
        um_store_inspect(r->st, r->loop, do_nothing, hear_member, &members[i]);
    }
    um_store_close(r->st);
    r->st = NULL;
    for (int i = 0; i < 3; i++)
        um_loop_turn(r->loop, 0);
    assert_int_equal(crowd.calls, 0);
    rig_close(r);
    rig_open(r);
    for (int i = 0; i < UNITS && !is_memory(); i++)
        assert_int_equal(version_of(r, members[i].id), i);
}

static void nobody_needs_to_listen(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "unheard", .version = 9 }, last = { .id = "heard", .version = 1 };

    um_store_transact(r->st, NULL, add, NULL, &u);
    assert_int_equal(transact(r, add, &last), UM_OK);
    assert_int_equal(version_of(r, "unheard"), 9);
}

/* ---- durable before it is told ---- */

#ifdef UMBEL_FAILPOINTS
static void nothing_is_told_before_the_commit(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "lost", .version = 1 }, two = { .id = "lost2", .version = 1 };

    um_failpoint_set("edit.before_commit", "error");
    um_store_transact(r->st, r->loop, add, hear, &two);
    assert_int_not_equal(transact(r, add, &u), UM_OK);
    rig_turn_until(r, &two.heard.calls, 1);
    um_failpoint_set("edit.before_commit", "off");
    assert_int_not_equal(two.heard.err, UM_OK);
    assert_int_equal(version_of(r, "lost"), -1);
    assert_int_equal(version_of(r, "lost2"), -1);
    assert_int_equal(transact(r, add, &u), UM_OK);
    assert_int_equal(version_of(r, "lost"), 1);
}
#endif

/* ---- what only reads ---- */

static void an_inspection_changes_nothing(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "secret", .version = 1 };

    assert_int_equal(inspect(r, add, &u), UM_EDENIED);
    assert_int_equal(inspect(r, empty, &u), UM_EDENIED);
    assert_int_equal(version_of(r, "secret"), -1);
    assert_true(um_store_is_healthy(r->st));
}

/* Two scopes that a unit changes together: whoever sees them differ has not looked at one moment. */
static um_err raise_both(void *arg, struct um_sql *q)
{
    struct unit a = { .id = "left" }, b = { .id = "right" };
    um_err err = raise_by_one(&a, q);

    (void)arg;
    return err == UM_OK ? raise_by_one(&b, q) : err;
}

struct pair { struct heard heard; int64_t left, right; };

static um_err look_at_both(void *arg, struct um_sql *q)
{
    struct pair *p = arg;
    um_err err = read_version(q, "left", &p->left);

    for (int i = 0; i < 20 && err == UM_OK; i++)         /* there is time for a commit between the two */
        err = read_version(q, "right", &p->right);
    return err;
}

static void an_inspection_sees_one_moment(void **state)
{
    enum { ROUNDS = 40 };
    struct rig *r = *state;
    struct unit left = { .id = "left" }, right = { .id = "right" };
    struct heard raised[ROUNDS] = { 0 };
    struct pair pairs[ROUNDS] = { 0 };

    let_many_wait(r);
    assert_int_equal(transact(r, add, &left), UM_OK);
    assert_int_equal(transact(r, add, &right), UM_OK);
    for (int i = 0; i < ROUNDS; i++) {
        um_store_transact(r->st, r->loop, raise_both, hear, &raised[i]);
        um_store_inspect(r->st, r->loop, look_at_both, hear, &pairs[i]);
    }
    for (int i = 0; i < ROUNDS; i++) {
        rig_turn_until(r, &raised[i].calls, 1);
        rig_turn_until(r, &pairs[i].heard.calls, 1);
        assert_int_equal(raised[i].err, UM_OK);
        assert_int_equal(pairs[i].heard.err, UM_OK);
        assert_int_equal(pairs[i].left, pairs[i].right);
    }
    assert_int_equal(version_of(r, "right"), ROUNDS);
}

static void an_inspection_sees_what_was_answered_before(void **state)
{
    struct rig *r = *state;
    struct unit u = { .id = "mine" };

    assert_int_equal(transact(r, add, &u), UM_OK);
    for (int i = 1; i <= 50; i++) {
        assert_int_equal(transact(r, raise_by_one, &u), UM_OK);
        assert_int_equal(version_of(r, "mine"), i);
    }
}

static void a_load_does_not_wait_for_inspections(void **state)
{
    enum { VIEWS = 20 };                                 /* more than there are readers */
    struct rig *r = *state;
    struct slow slow[VIEWS] = { 0 };
    struct got got = { 0 };

    if (is_memory())
        return;                                          /* one thread does everything */
    for (int i = 0; i < VIEWS; i++) {
        begin_slow(&slow[i]);
        um_store_inspect(r->st, r->loop, hold_up, hear, &slow[i]);
    }
    await(&slow[0], &slow[0].has_read);
    um_store_load(r->st, r->loop, "nobody", got_load, &got);
    rig_turn_until(r, &got.calls, 1);
    for (int i = 0; i < VIEWS; i++)
        assert_int_equal(slow[i].unit.heard.calls, 0);   /* none of them has ended */
    for (int i = 0; i < VIEWS; i++)
        tell(&slow[i], &slow[i].may_go);
    for (int i = 0; i < VIEWS; i++)
        assert_int_equal(finish_slow(r, &slow[i]), UM_OK);
}

/* ---- statements are kept, but not all of them ---- */

static um_err ask_in_many_words(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;
    char text[64];
    um_err err = UM_OK;

    for (int i = 0; i < 600 && err == UM_OK; i++) {
        snprintf(text, sizeof(text), "SELECT %d + ?1", i);
        err = um_sql_one(q, text, UM_SQL_ARGS(UM_SQL_INT(1)), &row);
        assert_true(err != UM_OK || um_sql_int(&row, 0) == i + 1);
    }
    if (err == UM_OK && um_sql_is_postgres(q)) {
        err = um_sql_one(q, "SELECT count(*) FROM pg_prepared_statements", UM_SQL_NO_ARGS, &row);
        u->seen = err == UM_OK ? um_sql_int(&row, 0) : 0;
    }
    return err;
}

static void however_many_statements_there_are_some_are_kept(void **state)
{
    struct unit u = { 0 };

    assert_int_equal(inspect(*state, ask_in_many_words, &u), UM_OK);
    assert_int_equal(transact(*state, ask_in_many_words, &u), UM_OK);
    if (is_server())
        assert_in_range(u.seen, 100, 300);           /* and a few of the connection's own */
    assert_int_equal(transact(*state, ask_in_many_words, &u), UM_OK);
}

/* The same words with values of other types. */
static um_err ask_with_types(void *arg, struct um_sql *q)
{
    const struct um_sql_value values[] = { UM_SQL_INT(1), um_sql_word("1"), UM_SQL_REAL(1.5), UM_SQL_BYTES(UM_SPAN("1", 1)),
                                           UM_SQL_NULL(BYTES) };
    um_err err = UM_OK;

    (void)arg;
    for (size_t i = 0; i < 2 * UM_COUNT(values) && err == UM_OK; i++) {
        const struct um_sql_value *v = &values[i % UM_COUNT(values)];
        struct um_sql_row row;

        err = um_sql_one(q, "SELECT ?1", v, 1, &row);
        if (err == UM_OK && !v->is_null)
            assert_int_equal(row.columns[0].type, v->type);
    }
    return err;
}

static void a_text_serves_values_of_any_type(void **state)
{
    struct unit u = { 0 };

    assert_int_equal(inspect(*state, ask_with_types, &u), UM_OK);
    assert_int_equal(transact(*state, ask_with_types, &u), UM_OK);
}

/* ---- tables of others ---- */

static void units_change_tables_of_modules_only(void **state)
{
    static const char *const texts[] = {
        "DELETE FROM documents", "UPDATE documents SET version = 1", "DELETE FROM umbel_schema", "UPDATE reservations SET token = 0",
        "DELETE FROM cache_versions", "DELETE FROM document_updates",
    };

    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        struct said s = { .text = texts[i] };

        assert_int_equal(transact(*state, say, &s), UM_EDENIED);
    }
}

struct caches { int calls; uint64_t version; };
static void note_version(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct caches *c = arg;

    c->calls++;
    assert_int_equal(err, UM_OK);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].scope, "GEC") == 0 && strcmp(rows[i].name, "Units") == 0)
            c->version = rows[i].version;
}

static uint64_t cache_version(struct rig *r)
{
    struct caches c = { 0 };

    um_store_caches(r->st, r->loop, note_version, &c);
    rig_turn_until(r, &c.calls, 1);
    return c.version;
}

struct raise { struct heard heard; const char *scope, *name; uint64_t version; um_err fails; };

static um_err raise_it(void *arg, struct um_sql *q)
{
    struct raise *x = arg;
    um_err err = um_sql_raise_cache(q, x->scope, x->name, &x->version);

    return err == UM_OK ? x->fails : err;
}

static void a_cache_is_raised_with_the_unit_or_not_at_all(void **state)
{
    struct rig *r = *state;
    struct raise x = { .scope = "GEC", .name = "Units", .fails = UM_EBUSY };
    uint64_t before = cache_version(r);

    assert_int_equal(transact(r, raise_it, &x), UM_EBUSY);
    assert_int_equal(cache_version(r), before);
    x.fails = UM_OK;
    assert_int_equal(transact(r, raise_it, &x), UM_OK);
    assert_int_equal(x.version, before + 1);
    assert_int_equal(cache_version(r), before + 1);
    x.scope = "";
    x.name = "reservations";
    assert_int_equal(transact(r, raise_it, &x), UM_EINVAL);
}

/* ---- documents that are parts ---- */

#define BODY "component/GEC/d1"
struct ending { struct heard heard; const char *name; bool clears, always, fails; };

static um_err end_document(void *arg, struct um_sql *q)
{
    const struct ending *e = arg;
    um_err err = e->clears ? um_sql_clear_document(q, e->name) : um_sql_bury_document(q, e->name, "ann", e->always);

    return err == UM_OK && e->fails ? UM_ECONFLICT : err;
}

static um_err end_it(struct rig *r, struct ending e) { return transact(r, end_document, &e); }

static void a_part_s_document_goes_with_the_unit_and_comes_back_empty(void **state)
{
    struct rig *r = *state;
    struct got g = { 0 };

    assert_int_equal(end_it(r, (struct ending){ .name = BODY, .clears = true }), UM_OK);     /* of a run before */
    assert_int_equal(rig_append(r, BODY, "one", NULL), UM_OK);
    assert_int_equal(rig_append(r, BODY, "two", NULL), UM_OK);
    assert_int_equal(end_it(r, (struct ending){ .name = BODY, .fails = true }), UM_ECONFLICT);
    assert_int_equal(rig_append(r, BODY, "three", NULL), UM_OK);                             /* a unit that failed leaves it */
    assert_int_equal(end_it(r, (struct ending){ .name = BODY }), UM_OK);
    assert_int_equal(rig_append(r, BODY, "late", NULL), UM_EDENIED);
    assert_int_equal(rig_load(r, BODY, &g), UM_OK);
    assert_true(g.deleted);
    assert_int_equal(end_it(r, (struct ending){ .name = BODY }), UM_OK);                     /* again */
    assert_int_equal(rig_append(r, BODY, "late", NULL), UM_EDENIED);
    assert_int_equal(end_it(r, (struct ending){ .name = BODY, .clears = true, .fails = true }), UM_ECONFLICT);
    assert_int_equal(rig_append(r, BODY, "late", NULL), UM_EDENIED);
    assert_int_equal(end_it(r, (struct ending){ .name = BODY, .clears = true }), UM_OK);
    assert_int_equal(rig_append(r, BODY, "new", NULL), UM_OK);
    memset(&g, 0, sizeof(g));
    assert_int_equal(rig_load(r, BODY, &g), UM_OK);
    assert_false(g.deleted);
    assert_string_equal(g.updates, "new");
}

static void a_tombstone_may_stand_where_nothing_was(void **state)
{
    struct rig *r = *state;

    assert_int_equal(end_it(r, (struct ending){ .name = "component/GEC/d2", .clears = true }), UM_OK);
    assert_int_equal(end_it(r, (struct ending){ .name = "component/GEC/d2" }), UM_OK);
    assert_int_equal(rig_append(r, "component/GEC/d2", "x", NULL), UM_OK);
    assert_int_equal(end_it(r, (struct ending){ .name = "component/GEC/d3", .clears = true }), UM_OK);
    assert_int_equal(end_it(r, (struct ending){ .name = "component/GEC/d3", .always = true }), UM_OK);
    assert_int_equal(rig_append(r, "component/GEC/d3", "x", NULL), UM_EDENIED);
    assert_int_equal(end_it(r, (struct ending){ .name = "d1" }), UM_EINVAL);                 /* nobody's part */
}

struct holder { struct heard heard; char user[32]; uint64_t token; bool held; };

static um_err look_who(void *arg, struct um_sql *q)
{
    struct holder *h = arg;
    struct um_store_reserved row;
    um_err err = um_sql_reserved(q, "DOCUMENT", "held by ann", &row);

    if (err != UM_OK)
        return err;
    snprintf(h->user, sizeof(h->user), "%s", row.user);
    h->token = row.token;
    h->held = row.left_ms > 0;
    return um_sql_audit(q, &(struct um_store_audit){ .user = "ann", .action = "LOOK", .object_id = "held by ann" });
}

static void note_reserved(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    (void)version;
    (void)rows;
    (void)n;
    hear(arg, err);
}

static void note_audit(void *arg, um_err err, const struct um_store_audit *rows, size_t n)
{
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].action, "LOOK");
    hear(arg, err);
}

static void a_unit_sees_who_holds_a_component_and_can_leave_a_note(void **state)
{
    struct rig *r = *state;
    struct um_store_ref ref = { "DOCUMENT", "held by ann", 0 };
    struct holder h = { 0 };
    struct heard reserved = { 0 }, audited = { 0 };

    assert_int_equal(transact(r, look_who, &h), UM_OK);
    assert_false(h.held);
    um_store_reserve(r->st, r->loop, &ref, 1, "ann", "s1", 3600000, note_reserved, &reserved);
    rig_turn_until(r, &reserved.calls, 1);
    assert_int_equal(transact(r, look_who, &h), UM_OK);
    assert_true(h.held);
    assert_string_equal(h.user, "ann");
    assert_true(h.token > 0);
    um_store_release(r->st, r->loop, &ref, 1, "s1", note_reserved, &reserved);
    rig_turn_until(r, &reserved.calls, 2);
    um_store_audits(r->st, r->loop, 1, note_audit, &audited);
    rig_turn_until(r, &audited.calls, 1);
    assert_int_equal(inspect(r, look_who, &h), UM_EDENIED);      /* the note is a change */
}

/* ---- two stores on one server ---- */

/* In its first run it waits until somebody else has written what it has read. */
static um_err raise_slowly(void *arg, struct um_sql *q)
{
    struct slow *s = arg;
    int64_t version = 0;
    um_err err = read_version(q, s->unit.id, &version);

    if (s->unit.runs++ == 0) {
        tell(s, &s->has_read);
        await(s, &s->may_go);
    }
    return err == UM_OK ? set_version(q, s->unit.id, version + 1) : err;
}

static void a_unit_whose_ground_has_changed_is_run_again(void **state)
{
    struct rig *r = *state, other;
    struct slow s = { .unit = { .id = "contested" } };
    struct unit first = { .id = "contested" }, quick = { .id = "contested" };

    if (!is_server())
        return;
    rig_init(&other, url);
    rig_open(&other);
    begin_slow(&s);
    assert_int_equal(transact(r, add, &first), UM_OK);
    um_store_transact(r->st, r->loop, raise_slowly, hear, &s);
    await(&s, &s.has_read);
    assert_int_equal(transact(&other, raise_by_one, &quick), UM_OK);
    tell(&s, &s.may_go);
    assert_int_equal(finish_slow(r, &s), UM_OK);
    assert_int_equal(s.unit.runs, 2);
    assert_int_equal(version_of(r, "contested"), 2);     /* neither of the two is lost */
    rig_free(&other);
}

static void units_of_two_cores_are_as_if_one_had_run_after_the_other(void **state)
{
    enum { UNITS = 60 };
    struct rig *r = *state, other;
    struct unit counter = { .id = "common" };
    struct unit mine[UNITS] = { 0 }, theirs[UNITS] = { 0 };
    int64_t done = 0;

    if (!is_server())
        return;
    rig_init(&other, url);
    rig_open(&other);
    assert_int_equal(transact(r, add, &counter), UM_OK);
    for (int i = 0; i < UNITS; i++) {
        mine[i].id = theirs[i].id = "common";
        um_store_transact(r->st, r->loop, raise_by_one, hear, &mine[i]);
        um_store_transact(other.st, other.loop, raise_by_one, hear, &theirs[i]);
    }
    for (int i = 0; i < UNITS; i++) {
        rig_turn_until(r, &mine[i].heard.calls, 1);
        rig_turn_until(&other, &theirs[i].heard.calls, 1);
        assert_true(mine[i].heard.err == UM_OK || mine[i].heard.err == UM_EBUSY);
        assert_true(theirs[i].heard.err == UM_OK || theirs[i].heard.err == UM_EBUSY);
        done += (mine[i].heard.err == UM_OK) + (theirs[i].heard.err == UM_OK);
    }
    assert_int_equal(version_of(r, "common"), done);
    assert_true(done >= UNITS);                          /* somebody always gets on */
    rig_free(&other);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static int run_suite(const char *title, const char *at)
{
    static const struct CMUnitTest tests[] = {
        T(a_unit_reads_what_it_has_written),
        T(a_part_s_document_goes_with_the_unit_and_comes_back_empty), T(a_tombstone_may_stand_where_nothing_was),
        T(values_come_back_as_they_were_given),
        T(what_one_database_could_not_hold_neither_does),
        T(a_value_or_a_second_statement_cannot_stand_in_a_text),
        T(what_the_database_does_not_understand_is_refused),
        T(sizes_have_limits),
        T(rows_come_in_order_until_the_callback_has_enough),
        T(a_callback_asks_nothing),
        T(a_row_that_is_not_there_does_not_end_the_unit),
        T(a_question_may_be_put_together_from_words_and_values),
        T(a_unit_that_fails_in_the_middle_leaves_nothing),
        T(a_statement_that_fails_ends_the_unit_whatever_it_returns),
        T(a_key_that_is_taken_can_be_expected),
        T(a_unit_may_ask_for_nothing),
        T(of_many_units_only_those_that_fail_leave_nothing),
        T(units_run_in_the_order_of_the_calls),
        T(units_go_between_other_changes),
        T(more_units_than_may_wait_are_refused_at_once),
        T(a_unit_that_takes_too_long_is_broken_off_and_others_are_not),
        T(an_inspection_that_takes_too_long_is_broken_off),
        T(a_store_that_is_closed_runs_its_units_and_tells_nobody),
        T(nobody_needs_to_listen),
#ifdef UMBEL_FAILPOINTS
        T(nothing_is_told_before_the_commit),
#endif
        T(an_inspection_changes_nothing),
        T(an_inspection_sees_one_moment),
        T(an_inspection_sees_what_was_answered_before),
        T(a_load_does_not_wait_for_inspections),
        T(however_many_statements_there_are_some_are_kept),
        T(a_text_serves_values_of_any_type),
        T(units_change_tables_of_modules_only),
        T(a_cache_is_raised_with_the_unit_or_not_at_all),
        T(a_unit_sees_who_holds_a_component_and_can_leave_a_note),
        T(a_unit_whose_ground_has_changed_is_run_again),
        T(units_of_two_cores_are_as_if_one_had_run_after_the_other),
    };

    url = at;
    return _cmocka_run_group_tests(title, tests, UM_COUNT(tests), NULL, NULL);
}

int main(int argc, char **argv)
{
    const char *more = getenv("UMBEL_STORE_URL");
    int failed = 0;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    failed += run_suite("in memory", "memory:");
    failed += run_suite("on a file", NULL);
    if (more != NULL && more[0] != '\0')
        failed += run_suite(more, more);
    return failed;
}
