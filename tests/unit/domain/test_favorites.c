/* Favourites, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define REFERENCE(id) "{'category':'DOCUMENT','id':'" id "'}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'}}]");
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'own','name':'own','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'}]},"
                " {'id':'by-rule','name':'r','rules':[{'conditions':['${data.classid}==Doc'],'aclId':'own'}]}]");
    assert_done(r, &um_components_create, DOCS,
                "[{'id':'d1','name':'One','data':{'classId':'Doc'}},{'id':'d2','data':{'classId':'Doc','ACL':'own'}},"
                " {'id':'d3','data':{'classId':'Doc','ACL':'by-rule'}}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void be_bob(struct domain_rig *r) { BE(r, "bob", "main", "USER"); }

static void each_user_has_his_own_once_each(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_favorites_put, NULL, REFERENCE("d1"));
    assert_done(r, &um_favorites_put, NULL, REFERENCE("d1"));
    assert_done(r, &um_favorites_put, NULL, REFERENCE("d3"));
    assert_done(r, &um_favorites_list, NULL, NULL);
    assert_int_equal(json_array_size(r->reply), 2);
    be_bob(r);
    assert_done(r, &um_favorites_list, NULL, NULL);
    assert_int_equal(json_array_size(r->reply), 0);
    assert_done(r, &um_favorites_put, NULL, REFERENCE("d1"));
    assert_done(r, &um_favorites_list, NULL, NULL);
    assert_at(r, "/0/id", "d1");
    assert_at(r, "/0/category", "DOCUMENT");
    assert_at(r, "/0/name", "One");
    assert_at(r, "/0/user", "bob");
}

static void what_one_may_not_read_is_neither_taken_nor_shown(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_favorites_put, NULL, REFERENCE("d2"));
    assert_done(r, &um_favorites_put, NULL, REFERENCE("d3"));
    be_bob(r);
    assert_refused(r, &um_favorites_put, NULL, REFERENCE("d2"), "F00012");
    assert_refused(r, &um_favorites_put, NULL, REFERENCE("d3"), "F00012");
    assert_refused(r, &um_favorites_users, "{'authorities':['ann']}", NULL, "U00403");
    assert_done(r, &um_favorites_users, "{'authorities':['bob']}", NULL);
    BE(r, "root", "main", "ADMIN");
    assert_done(r, &um_favorites_users, "{'authorities':['bob','ann']}", NULL);
    assert_int_equal(json_array_size(r->reply), 0);
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_components_update, "{'category':'DOCUMENT','ids':['d2']}", "[{'data':{'classId':'Doc','ACL':'all'}}]");
    BE(r, "root", "main", "ADMIN");
    assert_done(r, &um_favorites_users, "{'authorities':['bob','ann']}", NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_at(r, "/0/user", "ann");
}

static void they_go_by_hand_and_with_their_component(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_favorites_put, NULL, REFERENCE("d1"));
    assert_done(r, &um_favorites_put, NULL, REFERENCE("d2"));
    assert_done(r, &um_favorites_put, NULL, REFERENCE("d3"));
    assert_done(r, &um_favorites_remove, "{'category':'FOLDER','id':'d1'}", NULL);
    assert_done(r, &um_favorites_remove, "{'category':'DOCUMENT','id':'d1'}", NULL);
    assert_done(r, &um_favorites_delete, "{'ids':['d3','nothing']}", NULL);
    assert_done(r, &um_favorites_list, NULL, NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['d2']}", NULL);
    assert_done(r, &um_components_create, DOCS, "[{'id':'d2','data':{'classId':'Doc'}}]");
    assert_done(r, &um_favorites_list, NULL, NULL);
    assert_int_equal(json_array_size(r->reply), 0);
}

static void a_user_has_so_many_and_no_more(void **state)
{
    struct domain_rig *r = *state;
    char text[80];
    json_t *many = json_array();

    for (int i = 0; i < 200; i++)
        json_array_append_new(many, json_pack("{s:o, s:{s:s}}", "id", json_sprintf("m%d", i), "data", "classId", "Doc"));
    char *body = json_dumps(many, 0);
    assert_done(r, &um_components_create, DOCS, body);
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "{'category':'DOCUMENT','id':'m%d'}", i);
        assert_done(r, &um_favorites_put, NULL, text);
    }
    assert_refused(r, &um_favorites_put, NULL, REFERENCE("d1"), "U00413");
    assert_done(r, &um_favorites_put, NULL, REFERENCE("m7"));
    free(body);
    json_decref(many);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(each_user_has_his_own_once_each), T(what_one_may_not_read_is_neither_taken_nor_shown),
        T(they_go_by_hand_and_with_their_component), T(a_user_has_so_many_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
