/* Retention of components, on memory, or on UMBEL_STORE_URL when it is set. What is made is made in 2024. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define D1_FORCE "{'category':'DOCUMENT','ids':['d1'],'force':true}"
#define CLASS(id, retention) "{'id':'" id "','category':'DOCUMENT','data':{'ACL':'all'},'RetentionDuration':" retention "}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}",
                "[" CLASS("Long", "{'value':1201,'unit':'MONTH'}") "," CLASS("Longer", "{'value':101,'unit':'YEAR'}") ","
                CLASS("Short", "{'value':3,'unit':'DAY'}") "," CLASS("None", "{'value':0,'unit':'WEEK'}") ","
                "{'id':'Free','category':'DOCUMENT','data':{'ACL':'all'}}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void make(struct domain_rig *r, const char *class, const char *day)
{
    char body[300];

    snprintf(body, sizeof(body), "[{'id':'d1','data':{'classId':'%s','creationDate':'%s 12:00:00.000 +0000'}}]", class, day);
    assert_done(r, &um_components_create, DOCS, body);
}

static void assert_retained(struct domain_rig *r, const char *until)
{
    assert_refused(r, &um_components_delete, D1, NULL, "U00411");
    assert_int_equal(r->status, 409);
    assert_string_equal(json_string_value(json_object_get(r->details, "retainedUntil")), until);
    assert_non_null(strstr(r->message, until));
}

static void what_is_retained_is_not_deleted(void **state)
{
    struct domain_rig *r = *state;

    make(r, "Long", "2024-01-31");
    assert_retained(r, "2124-02-29 12:00:00.000 +0000");
    BE(r, "bob", "main", "USER");
    assert_refused(r, &um_components_delete, D1_FORCE, NULL, "U00411");
    assert_done(r, &um_components_get, D1, NULL);
}

static void a_year_from_a_leap_day_ends_in_february(void **state)
{
    struct domain_rig *r = *state;

    make(r, "Longer", "2024-02-29");
    assert_retained(r, "2125-02-28 12:00:00.000 +0000");
}

static void what_is_not_or_no_more_is(void **state)
{
    static const char *const free_ones[] = { "Short", "None", "Free" };

    for (size_t i = 0; i < UM_COUNT(free_ones); i++) {
        make(*state, free_ones[i], "2024-01-31");
        assert_done((struct domain_rig *)*state, &um_components_delete, D1, NULL);
    }
}

static void an_administrator_may_and_it_is_told(void **state)
{
    struct domain_rig *r = *state;

    make(r, "Long", "2024-01-31");
    assert_done(r, &um_components_delete, D1_FORCE, NULL);
    assert_string_equal(r->changes, "deleted:DOCUMENT/d1 ");
    assert_refused(r, &um_components_get, D1, NULL, "F00012");
    assert_done(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'objectId','value':'d1'},{'name':'action','value':'DELETE'}]}");
    assert_at(r, "/found", "1");
    assert_at(r, "/results/0/user", "ann");
    assert_at(r, "/results/0/description", "before the end of its retention, by force");
    assert_at(r, "/results/0/updatedFields/0/value", "2124-02-29 12:00:00.000 +0000");
}

static void it_is_told_even_where_deleting_is_not(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, "{'kind':'taskclass'}",
                "[{'id':'T','category':'TASK','data':{'ACL':'all'},'RetentionDuration':{'value':900,'unit':'YEAR'}}]");
    assert_done(r, &um_components_create, "{'category':'TASK'}", "[{'id':'t1','data':{'classId':'T'}}]");
    assert_refused(r, &um_components_delete, "{'category':'TASK','ids':['t1']}", NULL, "U00411");
    assert_done(r, &um_components_delete, "{'category':'TASK','ids':['t1'],'force':true}", NULL);
    assert_done(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'objectId','value':'t1'},{'name':'action','value':'DELETE'}]}");
    assert_at(r, "/found", "1");             /* the rig registers no deletions of tasks */
}

static void one_retained_keeps_the_others_of_its_call(void **state)
{
    struct domain_rig *r = *state;

    make(r, "Long", "2024-01-31");
    assert_done(r, &um_components_create, DOCS, "[{'id':'d0','data':{'classId':'Free'}}]");
    assert_refused(r, &um_components_delete, "{'category':'DOCUMENT','ids':['d0','d1']}", NULL, "U00411");
    assert_done(r, &um_components_get, "{'category':'DOCUMENT','ids':['d0']}", NULL);
}

static void another_class_is_no_way_around_it(void **state)
{
    struct domain_rig *r = *state;

    make(r, "Long", "2024-01-31");
    assert_refused(r, &um_components_update, D1, "[{'data':{'classId':'Free'}}]", "U00411");
    assert_refused(r, &um_components_update, D1, "[{'data':{'classId':'Short'}}]", "U00411");
    assert_done(r, &um_components_update, D1, "[{'data':{'classId':'Longer','creationDate':'1999-01-31 12:00:00.000 +0000'}}]");
    assert_retained(r, "2125-01-31 12:00:00.000 +0000");
}

static void what_the_class_says_now_counts(void **state)
{
    struct domain_rig *r = *state;

    make(r, "Free", "2024-01-31");
    assert_done(r, &um_objects_update, "{'kind':'documentclass','ids':['Free']}", "[" CLASS("Free", "{'value':36525,'unit':'DAY'}") "]");
    assert_retained(r, "2124-02-01 12:00:00.000 +0000");
    assert_done(r, &um_objects_update, "{'kind':'documentclass','ids':['Free']}", "[" CLASS("Free", "null") "]");
    assert_done(r, &um_components_delete, D1, NULL);
}

static void a_class_says_it_in_words_that_are_known(void **state)
{
    struct domain_rig *r = *state;
    static const char *const bad[][2] = {
        { "{'value':1,'unit':'FORTNIGHT'}", "unit" }, { "{'value':1}", "unit" }, { "{'value':-1,'unit':'DAY'}", "value" },
        { "{'value':1001,'unit':'YEAR'}", "value" }, { "{'unit':'DAY'}", "value" },
    };
    char body[300], path[64];

    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        snprintf(body, sizeof(body), "[{'id':'X','category':'DOCUMENT','data':{'ACL':'all'},'RetentionDuration':%s}]", bad[i][0]);
        assert_refused(r, &um_objects_create, "{'kind':'documentclass'}", body, "U00400");
        snprintf(path, sizeof(path), "/0/RetentionDuration/%s", bad[i][1]);
        assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), path);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(what_is_retained_is_not_deleted), T(a_year_from_a_leap_day_ends_in_february), T(what_is_not_or_no_more_is),
        T(an_administrator_may_and_it_is_told), T(it_is_told_even_where_deleting_is_not), T(one_retained_keeps_the_others_of_its_call),
        T(another_class_is_no_way_around_it), T(what_the_class_says_now_counts), T(a_class_says_it_in_words_that_are_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
