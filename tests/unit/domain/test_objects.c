/* Scopes and configuration objects, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define TAGS "{'kind':'tagclass'}"
#define CLASSES "{'kind':'documentclass'}"
#define INVOICE "{'id':'Invoice','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'Amount'}],'other':[1.5,null]}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void an_object_comes_back_as_it_was_given(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, TAGS, "[{'id':'Amount','type':'CURRENCY'}]");
    assert_done(r, &um_objects_create, CLASSES, "[" INVOICE "]");
    assert_string_equal(r->caches, "main/DocumentClass:1 ");
    assert_done(r, &um_objects_get, "{'kind':'documentclass','ids':['Invoice']}", NULL);
    assert_at(r, "/0/id", "Invoice");
    assert_at(r, "/0/data/owner", "ann");
    assert_at(r, "/0/data/version", "1");
    assert_int_equal(r->version, 1);
    assert_int_equal(json_array_size(json_object_get(json_array_get(r->reply, 0), "other")), 2);
    assert_done(r, &um_objects_list, CLASSES, NULL);
    assert_int_equal(json_array_size(r->reply), 1);
}

static void what_does_not_exist_is_told_by_its_code(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_objects_get, "{'kind':'documentclass','ids':['Nothing']}", NULL, "F00206");
    assert_int_equal(r->status, 404);
    assert_refused(r, &um_objects_get, "{'kind':'tagclass','ids':['Nothing']}", NULL, "F00205");
    assert_refused(r, &um_objects_get, "{'kind':'acl','ids':['Nothing']}", NULL, "T01002");
    assert_refused(r, &um_scopes_get, "{'ids':['nowhere']}", NULL, "U00404");
}

static void a_class_needs_category_acl_and_tags_that_exist(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_objects_create, CLASSES, "[{'id':'A','data':{'ACL':'all'}}]", "F00204");
    assert_refused(r, &um_objects_create, CLASSES, "[{'id':'A','category':'FOLDER','data':{'ACL':'all'}}]", "F00204");
    assert_refused(r, &um_objects_create, CLASSES, "[{'id':'A','category':'DOCUMENT'}]", "F00208");
    assert_refused(r, &um_objects_create, CLASSES, "[{'id':'A','category':'DOCUMENT','data':{'ACL':'nothing'}}]", "F00208");
    assert_refused(r, &um_objects_create, CLASSES,
                   "[{'id':'A','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'T'}]}]", "F00205");
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/0/tagReferences/0/tagName");
    assert_done(r, &um_objects_list, CLASSES, NULL);
    assert_int_equal(json_array_size(r->reply), 0);
}

static void all_or_none_of_a_call_is_kept(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_objects_create, TAGS, "[{'id':'A','type':'STRING'},{'id':'A','type':'STRING'}]", "U00409");
    assert_refused(r, &um_objects_create, TAGS, "[{'id':'A','type':'STRING'},{'id':'','type':'STRING'}]", "U00400");
    assert_done(r, &um_objects_list, TAGS, NULL);
    assert_int_equal(json_array_size(r->reply), 0);
    assert_done(r, &um_objects_create, TAGS, "[{'id':'A','type':'STRING'}]");
    assert_refused(r, &um_objects_create, TAGS, "[{'id':'A','type':'STRING'}]", "F00903");
}

static void an_update_replaces_the_version_that_it_knew(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, TAGS, "[{'id':'A','type':'STRING','pattern':'x'}]");
    assert_done(r, &um_objects_update, "{'kind':'tagclass','ids':['A']}", "[{'id':'A','type':'TEXT','data':{'version':1,'owner':'eve'}}]");
    assert_at(r, "/0/data/version", "2");
    assert_at(r, "/0/data/owner", "ann");
    assert_null(domain_rig_at(r, "/0/pattern"));
    assert_refused(r, &um_objects_update, "{'kind':'tagclass','ids':['A']}", "[{'id':'A','type':'TEXT','data':{'version':1}}]", "U00409");
    assert_refused(r, &um_objects_update, "{'kind':'tagclass','ids':['A'],'If-Match':'\\u00221\\u0022'}", "[{'id':'A','type':'TEXT'}]", "U00412");
    assert_done(r, &um_objects_update, "{'kind':'tagclass','ids':['A'],'If-Match':'\\u00222\\u0022'}", "[{'type':'TEXT'}]");
    assert_refused(r, &um_objects_update, "{'kind':'tagclass','ids':['A']}", "[{'id':'B','type':'TEXT'}]", "U00400");
    assert_refused(r, &um_objects_update, "{'kind':'tagclass','ids':['A','B']}", "[{'type':'TEXT'}]", "U00400");
}

static void what_is_used_stays_unless_forced(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, TAGS, "[{'id':'Amount','type':'CURRENCY'}]");
    assert_done(r, &um_objects_create, CLASSES, "[" INVOICE "]");
    assert_refused(r, &um_objects_delete, "{'kind':'tagclass','ids':['Amount']}", NULL, "U00409");
    assert_refused(r, &um_objects_delete, "{'kind':'acl','ids':['all']}", NULL, "U00409");
    assert_done(r, &um_objects_delete, "{'kind':'tagclass','ids':['Amount'],'force':true}", NULL);
    assert_done(r, &um_objects_delete, "{'kind':'documentclass','ids':['Invoice']}", NULL);
    assert_done(r, &um_objects_delete, "{'kind':'acl','ids':['all']}", NULL);
}

static void an_acl_of_words_that_mean_nothing_is_refused(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_objects_create, "{'kind':'acl'}", "[{'id':'x','entries':[{'principal':'*','permission':'FLY','grant':'ALLOW'}]}]", "U00400");
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/0/entries/0/permission");
    assert_refused(r, &um_objects_create, "{'kind':'acl'}", "[{'id':'x','entries':[{'principal':'*','permission':'READ','grant':'MAYBE'}]}]", "U00400");
}

static void scopes_do_not_see_each_other(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "root", "main", "SYSTEM_ADMIN");
    domain_rig_ask(r, &um_scopes_delete, "{'ids':['other']}", NULL);
    assert_done(r, &um_scopes_create, NULL, "[{'id':'other'}]");
    assert_refused(r, &um_scopes_create, NULL, "[{'id':'other'}]", "U00410");
    BE(r, "bob", "other", "ADMIN");
    assert_done(r, &um_objects_list, "{'kind':'acl'}", NULL);
    assert_int_equal(json_array_size(r->reply), 0);
    assert_refused(r, &um_objects_get, "{'kind':'acl','ids':['all']}", NULL, "T01002");
    assert_refused(r, &um_scopes_update, "{'ids':['main']}", "[{'id':'main'}]", "U00403");
    BE(r, "bob", "nowhere", "ADMIN");
    assert_refused(r, &um_objects_list, "{'kind':'acl'}", NULL, "U00404");
}

static void a_scope_is_read_by_whom_its_acl_lets(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'team','entries':[{'principal':'crew','permission':'READ','grant':'ALLOW'}]}]");
    assert_done(r, &um_scopes_update, "{'ids':['main']}",
                "[{'id':'main','data':{'ACL':'team'},'people':{'profiles':[{'id':'crew','principals':['deck']},{'id':'deck','principals':['bob']}]}}]");
    BE(r, "bob", "main", "NOTHING");
    assert_done(r, &um_scopes_get, "{'ids':['main']}", NULL);
    BE(r, "eve", "main", "NOTHING");
    assert_refused(r, &um_scopes_get, "{'ids':['main']}", NULL, "U00403");
    r->who.read_only = true;
    assert_refused(r, &um_objects_create, TAGS, "[{'id':'A','type':'STRING'}]", "U00403");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(an_object_comes_back_as_it_was_given), T(what_does_not_exist_is_told_by_its_code),
        T(a_class_needs_category_acl_and_tags_that_exist), T(all_or_none_of_a_call_is_kept),
        T(an_update_replaces_the_version_that_it_knew), T(what_is_used_stays_unless_forced),
        T(an_acl_of_words_that_mean_nothing_is_refused), T(scopes_do_not_see_each_other), T(a_scope_is_read_by_whom_its_acl_lets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
