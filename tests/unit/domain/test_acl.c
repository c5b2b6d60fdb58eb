/* Which entry decides: the tables of an administrator's head. No database. */
#include "domain_rig.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include "acl.h"
#include "dates.h"
#include "principals.h"

struct principals { struct um_map names; };      /* as principals.c has it */

static bool allows(const char *entries, const char *const *names, enum um_permission p)
{
    struct principals who = { 0 };
    json_t *body = json_pack("{s:s, s:o}", "id", "x", "entries", domain_rig_json(entries));
    struct acl *a = acl_new(body);
    bool yes;

    for (size_t i = 0; names[i] != NULL; i++)
        um_map_put(&who.names, UM_SPAN_STR(names[i]), &who);
    yes = acl_allows(a, NULL, &who, NULL, p);
    um_map_free(&who.names);
    acl_free(a);
    json_decref(body);
    return yes;
}
#define ALLOWS(entries, p, ...) allows("[" entries "]", (const char *const[]){ __VA_ARGS__, NULL }, UM_MAY_##p)
#define ENTRY(who, what, grant) "{'principal':'" who "','permission':" what ",'grant':'" grant "'}"

static void the_first_entry_that_fits_decides(void **state)
{
    (void)state;
    assert_true(ALLOWS(ENTRY("ann", "'READ'", "ALLOW"), READ, "ann"));
    assert_false(ALLOWS(ENTRY("ann", "'READ'", "ALLOW"), READ, "bob"));
    assert_false(ALLOWS(ENTRY("ann", "'READ'", "ALLOW"), UPDATE, "ann"));
    assert_true(ALLOWS(ENTRY("*", "['READ','UPDATE']", "ALLOW"), UPDATE, "bob"));
    assert_true(ALLOWS(ENTRY("*", "'*'", "ALLOW"), APPLY_ANSWER, "bob"));
    assert_true(ALLOWS(ENTRY("ann", "'READ'", "ALLOW") "," ENTRY("*", "'READ'", "DENY"), READ, "ann"));
    assert_false(ALLOWS(ENTRY("*", "'READ'", "DENY") "," ENTRY("ann", "'READ'", "ALLOW"), READ, "ann"));
    assert_true(ALLOWS(ENTRY("*", "'UPDATE'", "DENY") "," ENTRY("ann", "'READ'", "ALLOW"), READ, "ann"));
    assert_false(ALLOWS(ENTRY("team", "'READ'", "DENY") "," ENTRY("ann", "'READ'", "ALLOW"), READ, "ann", "team"));
    assert_false(ALLOWS("", READ, "ann"));
}

static void dates_are_moments_with_their_zone(void **state)
{
    static const char *const bad[] = { "", "2024-03-07", "2024-02-30 00:00:00.000 +0000", "2024-03-07 13:59:54.854 0100",
                                       "2024-03-07 13:59:54.854 +01000", "2024-13-07 13:59:54.854 +0100", "2024-03-07 24:00:00.000 +0000" };
    char text[UM_DATE_MAX];
    int64_t ms;

    (void)state;
    assert_true(um_date_read("2024-03-07 13:59:54.854 +0100", &ms));
    assert_int_equal(ms, 1709816394854);
    um_date_text(ms, text);
    assert_string_equal(text, "2024-03-07 12:59:54.854 +0000");
    assert_true(um_date_read("1969-12-31 23:59:59.999 +0000", &ms));
    assert_int_equal(ms, -1);
    um_date_text(ms, text);
    assert_string_equal(text, "1969-12-31 23:59:59.999 +0000");
    assert_true(um_date_read("2024-02-29 00:00:00.000 -0530", &ms));
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_false(um_date_read(bad[i], &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(the_first_entry_that_fits_decides), cmocka_unit_test(dates_are_moments_with_their_zone) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
