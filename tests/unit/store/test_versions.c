/* What others wrote, versions, clients: what every database behind the store must keep. Run in memory, on a file, and on
 * UMBEL_STORE_URL when it is set; names are each test's own, for a database of the last kind outlives it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "rig.h"

static const char *url;                          /* of the present round; NULL: a file of the test's own */

static int setup(void **state)
{
    struct rig *r = um_xcalloc(1, sizeof(*r));

    rig_init(r, url);
    r->conf.versions_every_changes = 3;
    r->conf.versions_keep = 2;
    rig_open(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    free(*state);
    return 0;
}

static void append_n(struct rig *r, const char *name, int n)
{
    for (int i = 0; i < n; i++)
        assert_int_equal(rig_append(r, name, "x", NULL), UM_OK);
}

/* ---- what others wrote ---- */

static void heads_tell_how_far_each_document_is(void **state)
{
    static const char *const names[] = { "h-two", "h-none", "h-gone", "h-folded" };
    struct rig *r = *state;
    struct got got;

    append_n(r, "h-two", 2);
    append_n(r, "h-gone", 1);
    append_n(r, "h-folded", 4);
    assert_int_equal(rig_delete(r, "h-gone", NULL), UM_OK);
    assert_int_equal(rig_fold(r, "h-folded", "S", 4, 0, NULL), UM_OK);
    assert_int_equal(rig_heads(r, names, 4, &got), UM_OK);
    assert_int_equal(got.n, 4);
    assert_true(got.heads[0].exists);
    assert_int_equal(got.heads[0].last_seq, 2);
    assert_false(got.heads[1].exists);
    assert_true(got.heads[2].deleted);
    assert_int_equal(got.heads[3].last_seq, 4);
    assert_int_equal(got.heads[3].version, 1);
}

static void no_heads_are_asked_for_in_vain(void **state)
{
    static const char *const bad[] = { "fine", "" };
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_heads(r, bad, 0, &got), UM_OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(rig_heads(r, bad, 2, &got), UM_EINVAL);
}

static void only_the_rows_above_are_read(void **state)
{
    struct rig *r = *state;
    struct got got;

    for (const char *c = "abcd"; *c != '\0'; c++)
        assert_int_equal(rig_append(r, "since", (char[]){ *c, 0 }, NULL), UM_OK);
    assert_int_equal(rig_since(r, "since", 2, &got), UM_OK);
    assert_string_equal(got.updates, "cd");
    assert_string_equal(got.state, "");
    assert_int_equal(got.last_seq, 4);
    assert_int_equal(rig_since(r, "since", 4, &got), UM_OK);
    assert_int_equal(got.n_updates, 0);
    assert_int_equal(got.last_seq, 4);
    assert_int_equal(rig_since(r, "since-none", 4, &got), UM_OK);
    assert_false(got.exists);
}

static void the_state_comes_when_the_rows_are_gone(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "trimmed", 3);
    assert_int_equal(rig_fold(r, "trimmed", "state", 3, 0, NULL), UM_OK);
    assert_int_equal(rig_append(r, "trimmed", "y", NULL), UM_OK);
    assert_int_equal(rig_since(r, "trimmed", 1, &got), UM_OK);
    assert_string_equal(got.state, "state");
    assert_string_equal(got.updates, "y");
    assert_int_equal(rig_since(r, "trimmed", 3, &got), UM_OK);
    assert_string_equal(got.state, "");
    assert_string_equal(got.updates, "y");
    assert_int_equal(got.last_seq, 4);
    assert_int_equal(got.folded_seq, 3);
}

/* ---- versions ---- */

static void a_version_is_kept_after_so_many_changes(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "v", 2);
    assert_int_equal(rig_fold(r, "v", "two", 2, 0, NULL), UM_OK);
    assert_int_equal(rig_versions(r, "v", 0, 10, &got), UM_OK);
    assert_int_equal(got.n, 0);
    append_n(r, "v", 2);
    assert_int_equal(rig_fold(r, "v", "four", 4, 1, NULL), UM_OK);
    assert_int_equal(rig_versions(r, "v", 0, 10, &got), UM_OK);
    assert_string_equal(got.versions, "4: ");
    assert_int_equal(got.bytes, 4);
    assert_string_equal(got.contributors, "[{\"user\":\"ann\",\"changes\":4}]");
    assert_string_equal(got.author, "ann");
    assert_int_equal(rig_version(r, "v", 4, &got), UM_OK);
    assert_string_equal(got.state, "four");
    assert_string_equal(got.name, "v");
}

static void the_oldest_unnamed_versions_give_way(void **state)
{
    struct rig *r = *state;
    struct got got;

    for (uint64_t i = 1; i <= 4; i++) {
        append_n(r, "many", 3);
        assert_int_equal(rig_fold(r, "many", "s", i * 3, i - 1, NULL), UM_OK);
        if (i == 1)
            assert_int_equal(rig_label(r, "many", 3, "first", NULL), UM_OK);
    }
    assert_int_equal(rig_versions(r, "many", 0, 10, &got), UM_OK);
    assert_string_equal(got.versions, "12: 9: 3:first ");
    assert_int_equal(rig_versions(r, "many", 12, 1, &got), UM_OK);
    assert_string_equal(got.versions, "9: ");
    assert_true(got.more);
    assert_int_equal(rig_versions(r, "many", 9, 1, &got), UM_OK);
    assert_string_equal(got.versions, "3:first ");
    assert_false(got.more);
}

static void people_keep_and_name_versions(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "named", 2);
    assert_int_equal(rig_keep(r, "named", "now", 2, "before the meeting", &got), UM_OK);
    assert_int_equal(got.seq, 2);
    assert_string_equal(got.label, "before the meeting");
    assert_string_equal(got.author, "keeper");
    assert_string_equal(got.contributors, "[{\"user\":\"ann\",\"changes\":2}]");
    assert_int_equal(rig_keep(r, "named", "now", 2, "again", &got), UM_OK);
    assert_string_equal(got.label, "again");
    assert_int_equal(rig_label(r, "named", 2, "", &got), UM_OK);
    assert_string_equal(got.label, "");
    append_n(r, "named", 1);
    assert_int_equal(rig_keep(r, "named", "later", 3, "", &got), UM_OK);
    assert_string_equal(got.contributors, "[{\"user\":\"ann\",\"changes\":1}]");
    assert_int_equal(rig_keep(r, "named", "never", 9, "", &got), UM_EINVAL);
    assert_int_equal(rig_keep(r, "named-none", "x", 0, "", &got), UM_ENOTFOUND);
    assert_int_equal(rig_label(r, "named", 7, "x", &got), UM_ENOTFOUND);
    assert_int_equal(rig_version(r, "named", 7, &got), UM_ENOTFOUND);
    assert_int_equal(rig_versions(r, "named-none", 0, 10, &got), UM_ENOTFOUND);
    assert_int_equal(rig_versions(r, "named", 0, 0, &got), UM_EINVAL);
}

static void an_archived_version_lets_go_of_its_bytes(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "arch", 2);
    assert_int_equal(rig_keep(r, "arch", "bytes", 2, "", NULL), UM_OK);
    assert_int_equal(rig_archive(r, "arch", 2, "arch/2", &got), UM_OK);
    assert_string_equal(got.archive_key, "arch/2");
    assert_int_equal(rig_version(r, "arch", 2, &got), UM_OK);
    assert_false(got.has_state);
    assert_int_equal(got.bytes, 5);
    assert_int_equal(rig_archive(r, "arch", 3, "arch/3", &got), UM_ENOTFOUND);
    assert_int_equal(rig_drop(r, "arch", 2, &got), UM_OK);
    assert_int_equal(rig_drop(r, "arch", 2, &got), UM_ENOTFOUND);
}

static void what_may_go_to_the_archive_is_found_oldest_first(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "due", 2);
    assert_int_equal(rig_keep(r, "due", "a", 1, "", NULL), UM_OK);
    assert_int_equal(rig_keep(r, "due", "b", 2, "", NULL), UM_OK);
    assert_int_equal(rig_versions_before(r, 0, 1000, &got), UM_OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(rig_versions_before(r, INT64_MAX, 1000, &got), UM_OK);
    assert_non_null(strstr(got.versions, "1: 2: "));
    assert_int_equal(rig_archive(r, "due", 1, "k", NULL), UM_OK);
    assert_int_equal(rig_archive(r, "due", 2, "k", NULL), UM_OK);
    assert_int_equal(rig_versions_before(r, INT64_MAX, 1000, &got), UM_OK);
    assert_null(strstr(got.versions, "1: 2: "));
}

static void a_deleted_document_has_no_past(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "past", 1);
    um_store_note_client(r->st, "past", 5, "ann");
    assert_int_equal(rig_keep(r, "past", "x", 1, "label", NULL), UM_OK);
    assert_int_equal(rig_delete(r, "past", NULL), UM_OK);
    assert_int_equal(rig_versions(r, "past", 0, 10, &got), UM_ENOTFOUND);
    assert_int_equal(rig_version(r, "past", 1, &got), UM_ENOTFOUND);
    assert_int_equal(rig_clients(r, "past", &got), UM_OK);
    assert_int_equal(got.n, 0);
}

static void the_first_note_about_a_client_stays(void **state)
{
    struct rig *r = *state;
    struct got got;

    append_n(r, "who", 1);
    um_store_note_client(r->st, "who", 9007199254740991u, "ann");
    um_store_note_client(r->st, "who", 9007199254740991u, "bob");
    um_store_note_client(r->st, "who-none", 7, "bob");
    append_n(r, "who", 1);                       /* behind them */
    assert_int_equal(rig_clients(r, "who", &got), UM_OK);
    assert_string_equal(got.names, "9007199254740991:ann ");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static int run_suite(const char *title, const char *at)
{
    static const struct CMUnitTest tests[] = {
        T(heads_tell_how_far_each_document_is),
        T(no_heads_are_asked_for_in_vain),
        T(only_the_rows_above_are_read),
        T(the_state_comes_when_the_rows_are_gone),
        T(a_version_is_kept_after_so_many_changes),
        T(the_oldest_unnamed_versions_give_way),
        T(people_keep_and_name_versions),
        T(an_archived_version_lets_go_of_its_bytes),
        T(what_may_go_to_the_archive_is_found_oldest_first),
        T(a_deleted_document_has_no_past),
        T(the_first_note_about_a_client_stays),
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
