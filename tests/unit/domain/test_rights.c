/* What the caller is told that he may do is what he may do. */
#include "domain_rig.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'ann','entries':[{'principal':'ann','permission':['CREATE','READ','UPDATE'],'grant':'ALLOW'},"
                "{'principal':'bob','permission':'READ','grant':'ALLOW'}]},"
                "{'id':'by-class','rules':[{'conditions':['${data.classid}==Ruled'],'aclId':'ann'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}",
                "[{'id':'Invoice','category':'DOCUMENT','data':{'ACL':'ann'}},{'id':'Ruled','category':'DOCUMENT','data':{'ACL':'by-class'}},"
                "{'id':'Sealed','category':'DOCUMENT','data':{'ACL':'none'}}]");
    assert_done(r, &um_components_create, "{'category':'DOCUMENT'}", "[{'id':'d1','name':'n','data':{'classId':'Invoice'}}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

/* The words of the reply's first object whose ID is MEMBER's. */
static bool may(const struct domain_rig *r, const char *member, const char *id, const char *word)
{
    size_t i, k;
    json_t *one, *permission;

    json_array_foreach(r->reply, i, one)
        if (strcmp(json_string_value(json_object_get(one, member)), id) == 0)
            json_array_foreach(json_object_get(one, "permissions"), k, permission)
                if (strcmp(json_string_value(permission), word) == 0)
                    return true;
    return false;
}

static void classes_tell_who_may_create(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_rights_of_classes, "{}", NULL);
    assert_true(may(r, "classId", "Invoice", "CREATE"));
    assert_true(may(r, "classId", "Ruled", "CREATE"));
    assert_false(may(r, "classId", "Invoice", "DELETE"));
    assert_false(may(r, "classId", "Sealed", "CREATE"));
    BE(r, "bob", "main", "ADMIN");
    assert_done(r, &um_rights_of_classes, "{}", NULL);
    assert_false(may(r, "classId", "Invoice", "CREATE"));
    assert_true(may(r, "classId", "Invoice", "READ"));
    assert_refused(r, &um_components_create, "{'category':'DOCUMENT'}", "[{'data':{'classId':'Invoice'}}]", "U00403");
}

static void components_tell_what_may_be_done_with_them(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_rights_of_components, "{'category':'DOCUMENT','ids':['d1']}", NULL);
    assert_at(r, "/0/id", "d1");
    assert_true(may(r, "id", "d1", "UPDATE"));
    assert_false(may(r, "id", "d1", "DELETE"));
    BE(r, "bob", "main", "ADMIN");
    assert_done(r, &um_rights_of_components, "{'category':'DOCUMENT','ids':['d1']}", NULL);
    assert_false(may(r, "id", "d1", "UPDATE"));
}

static void what_may_not_be_read_is_not_there(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "eve", "main", "ADMIN");
    assert_refused(r, &um_rights_of_components, "{'category':'DOCUMENT','ids':['d1']}", NULL, "F00012");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(classes_tell_who_may_create, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(components_tell_what_may_be_done_with_them, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_may_not_be_read_is_not_there, open_rig, close_rig),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
