/* The statements of units: which texts are taken, which are kept. */
#include <stdio.h>
#include "um_test.h"
#include "unit.h"

static void a_text_is_taken_when_it_holds_words_and_places(void **state)
{
    static const struct { const char *text; size_t n; bool is_sound; } cases[] = {
        { "SELECT 1", 0, true },
        { "SELECT(1)", 0, true },
        { "WITH c(x) AS (SELECT 1) SELECT x FROM c", 0, true },
        { "UPDATE a SET b = b + ?1, c = ?2 WHERE d IN (?3, ?1)", 3, true },
        { "SELECT a::bigint FROM b", 0, true },
        { "SELECT ?2", 2, true },                        /* one that is given and not used */
        { "SELECT ?1", 0, false }, { "SELECT ?1", 2, false }, { "SELECT ?", 1, false }, { "SELECT ?0", 0, false },
        { "SELECT ?10", 1, false }, { "SELECT ?1a", 1, false }, { "SELECT ?1_", 1, false }, { "SELECT ?01", 1, false },
        { "SELECT ?99999999999999999999", 1, false }, { "SELECT ?1000", 1000, true }, { "SELECT ?1001", 1001, false },
        { "SELECT 'a'", 0, false }, { "SELECT ''", 0, false }, { "SELECT \"a\"", 0, false }, { "SELECT `a`", 0, false },
        { "SELECT [a]", 0, false }, { "SELECT 1; DELETE", 0, false }, { "SELECT 1;", 0, false }, { "SELECT 1 -- b", 0, false },
        { "SELECT 1 /* b */", 0, false }, { "SELECT $1", 1, false }, { "SELECT @a", 0, false }, { "SELECT #a", 0, false },
        { "SELECT a\\b", 0, false }, { "SELECT \xc3\xa9", 0, false }, { "SELECT\t1", 0, false }, { "SELECT {a}", 0, false },
        { "", 0, false }, { "SELECT", 0, false }, { "SELECTED", 0, false }, { "select 1", 0, false }, { "VACUUM ", 0, false },
        { "EXPLAIN SELECT 1", 0, false }, { "SAVEPOINT a", 0, false }, { "ATTACH ?1 AS a", 1, false },
        { "SELECT a @@ b", 0, true }, { "SELECT a @@b", 0, false }, { "SELECT a @ b", 0, false }, { "SELECT a @@@ b", 0, false },
        { "SELECT 3 - -4", 0, true }, { "SELECT 3 * 4 / 2 % 5", 0, true },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(cases); i++)
        if (store_sql_is_sound(cases[i].text, cases[i].n) != cases[i].is_sound)
            fail_msg("%s", cases[i].text);
}

static void a_unit_changes_tables_of_modules_only(void **state)
{
    static const struct { const char *text; bool may; } cases[] = {
        { "SELECT a FROM documents", true },
        { "SELECT a FROM reservations FOR UPDATE", true }, { "SELECT a FROM documents FOR NO KEY UPDATE", true },
        { "INSERT INTO scopes(id) VALUES(?1)", true }, { "insert into SCOPES(id) VALUES(?1)", true },
        { "INSERT INTO scopes(id) SELECT name FROM documents ON CONFLICT (id) DO UPDATE SET id = excluded.id", true },
        { "UPDATE scopes SET id = (SELECT max(id) FROM documents)", true }, { "DELETE FROM scopes", true },
        { "INSERT INTO documents(name) VALUES(?1)", false }, { "INSERT OR REPLACE INTO documents(name) VALUES(?1)", false },
        { "UPDATE documents SET name = ?1", false }, { "UPDATE OR IGNORE documents SET name = ?1", false },
        { "UPDATE ONLY documents SET name = ?1", false }, { "UPDATE public.documents SET name = ?1", false },
        { "UPDATE main.scopes SET id = ?1", false }, { "update\ndocuments SET name = ?1", false },
        { "DELETE FROM documents", false }, { "DELETE FROM scopesx", false }, { "DELETE FROM scope", false },
        { "WITH a AS (DELETE FROM documents RETURNING id) SELECT id FROM a", false },
        { "WITH a AS (SELECT 1) DELETE FROM documents", false }, { "WITH a(DO) AS (SELECT 1) UPDATE documents SET a = 1", false },
        { "SELECT a INTO b FROM scopes", false },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(cases); i++)
        if (store_sql_is_ours_to_change(cases[i].text) != cases[i].may)
            fail_msg("%s", cases[i].text);
}

static struct store_statement *get(struct store_statements *ss, const char *text, const struct um_sql_value *args, size_t n)
{
    um_err err;
    struct store_statement *s = store_statements_get(ss, &(struct store_sql_call){ .text = text, .args = args, .n_args = n }, &err);

    assert_int_equal(err, s != NULL ? UM_OK : UM_EINVAL);
    return s;
}

static void drop_all(struct store_statements *ss)
{
    while (!um_list_is_empty(&ss->by_use))
        store_statements_drop(ss, UM_CONTAINER(ss->by_use.next, struct store_statement, by_use));
    assert_int_equal(ss->n, 0);
    um_map_free(&ss->by_key);
}

static void a_statement_is_known_by_its_text_and_types(void **state)
{
    const struct um_sql_value number = UM_SQL_INT(1), other = UM_SQL_INT(2), none = UM_SQL_NULL(INT), word = um_sql_word("1");
    struct store_statements ss;
    struct store_statement *s;

    (void)state;
    store_statements_init(&ss);
    s = get(&ss, "SELECT ?1", &number, 1);
    assert_ptr_equal(get(&ss, "SELECT ?1", &other, 1), s);
    assert_ptr_equal(get(&ss, "SELECT ?1", &none, 1), s);
    assert_ptr_not_equal(get(&ss, "SELECT ?1", &word, 1), s);
    assert_null(get(&ss, "SELECT ?1", NULL, 0));
    assert_int_equal(ss.n, 2);
    assert_string_equal(store_statement_text(s), "SELECT ?1");
    drop_all(&ss);
}

static void beyond_the_limit_the_one_used_longest_ago_goes(void **state)
{
    struct store_statements ss;
    struct store_statement *oldest, *second, *surplus;
    char text[32];

    (void)state;
    store_statements_init(&ss);
    oldest = get(&ss, "SELECT 0", NULL, 0);
    second = get(&ss, "SELECT 1", NULL, 0);
    for (int i = 2; i < STORE_STATEMENTS_MAX; i++) {
        snprintf(text, sizeof(text), "SELECT %d", i);
        get(&ss, text, NULL, 0);
    }
    assert_null(store_statements_surplus(&ss));
    assert_ptr_equal(get(&ss, "SELECT 0", NULL, 0), oldest);         /* is used again */
    get(&ss, "SELECT 9999", NULL, 0);
    surplus = store_statements_surplus(&ss);
    assert_ptr_equal(surplus, second);
    store_statements_drop(&ss, surplus);
    assert_null(store_statements_surplus(&ss));
    assert_int_equal(ss.n, STORE_STATEMENTS_MAX);
    drop_all(&ss);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_taken_when_it_holds_words_and_places),
        cmocka_unit_test(a_unit_changes_tables_of_modules_only),
        cmocka_unit_test(a_statement_is_known_by_its_text_and_types),
        cmocka_unit_test(beyond_the_limit_the_one_used_longest_ago_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
