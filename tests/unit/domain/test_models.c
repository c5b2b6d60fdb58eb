/* Changes of many kinds in one unit, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdlib.h>
#include <umbel/util.h>

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

#define TAG(id_, version_) "{'kind':'tagclass','id':'" id_ "','version':" version_ ",'object':{'type':'INT'}}"
#define CLASS(id_, tag_)                                                                                                        \
    "{'kind':'documentclass','id':'" id_ "','version':0,'object':{'category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[" \
    "{'tagName':'" tag_ "'}]}}"

static size_t count(struct domain_rig *r, const char *args)
{
    assert_done(r, &um_objects_list, args, NULL);
    return json_array_size(r->reply);
}

static void kinds_refer_to_those_before_them(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_models_apply, NULL, "[" TAG("A", "0") "," CLASS("C", "A") "]");
    assert_string_equal(r->caches, "main/DocumentClass:1 main/TagClass:1 ");
    assert_done(r, &um_models_read, NULL, NULL);
    assert_at(r, "/0/kind", "scope");
    assert_at(r, "/0/object/id", "main");
    assert_at(r, "/1/kind", "documentclass");
    assert_at(r, "/1/object/id", "C");
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'tagclass','id':'A','version':1}]", "U00409");
    assert_done(r, &um_models_apply, NULL, "[{'kind':'documentclass','id':'C','version':1},{'kind':'tagclass','id':'A','version':1}]");
    assert_int_equal(count(r, "{'kind':'tagclass'}"), 0);
}

static void a_unit_is_whole_or_nothing(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_models_apply, NULL, "[" TAG("A", "0") "," CLASS("C", "B") "]", "F00205");
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/documentclass/C/tagReferences/0/tagName");
    assert_int_equal(count(r, "{'kind':'tagclass'}"), 0);
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'nonsense','id':'x','version':0,'object':{}}]", "U00400");
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'tagclass','id':' ','version':0,'object':{}}]", "U00400");
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'scope','id':'other','version':0,'object':{}}]", "U00400");
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'scope','id':'main','version':1}]", "U00400");
}

static void what_has_changed_meanwhile_is_not_overwritten(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_models_apply, NULL, "[" TAG("A", "0") "]");
    assert_refused(r, &um_models_apply, NULL, "[" TAG("A", "0") "]", "U00412");
    assert_done(r, &um_models_apply, NULL, "[" TAG("A", "1") "]");
    assert_refused(r, &um_models_apply, NULL, "[" TAG("A", "1") "]", "U00412");
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'tagclass','id':'A','version':1}]", "U00412");
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'tagclass','id':'B','version':1}]", "U00412");
}

static void a_scope_is_made_with_its_model(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "root", "new", "SYSTEM_ADMIN");
    assert_refused(r, &um_models_read, NULL, NULL, "U00404");
    assert_refused(r, &um_models_apply, NULL, "[" TAG("A", "0") "]", "U00404");
    assert_done(r, &um_models_apply, NULL, "[{'kind':'scope','id':'new','version':0,'object':{'languages':['EN']}}," TAG("A", "0") "]");
    assert_int_equal(count(r, "{'kind':'tagclass'}"), 1);
    assert_refused(r, &um_models_apply, NULL, "[{'kind':'scope','id':'new','version':0,'object':{}}]", "U00412");
    assert_done(r, &um_models_apply, NULL, "[{'kind':'scope','id':'new','version':1,'object':{}}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kinds_refer_to_those_before_them, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_unit_is_whole_or_nothing, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_has_changed_meanwhile_is_not_overwritten, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_scope_is_made_with_its_model, open_rig, close_rig),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
