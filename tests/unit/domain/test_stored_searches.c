/* Stored searches, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <umbel/util.h>

#define MINE "{'id':'mine','category':'DOCUMENT','request':{'filterClauses':[{'criteria':[" \
             "{'name':'classid','operator':'EQUALS_TO','values':['Doc']}]}]}}"
#define SHARED "{'id':'shared','category':'TASK','template':'tasks','recipients':{'users':['bob','clerks']},'request':{}}"
#define LIST "{}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_scopes_update, "{'ids':['main']}",
                "[{'id':'main','people':{'profiles':[{'id':'clerks','name':'c','principals':['cleo']}]}}]");
    assert_done(r, &um_stored_searches_create, NULL, "[" MINE "," SHARED "]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void assert_sees(struct domain_rig *r, size_t n, const char *first)
{
    assert_done(r, &um_stored_searches_list, LIST, NULL);
    assert_int_equal(json_array_size(r->reply), n);
    if (n > 0)
        assert_at(r, "/0/id", first);
}

static void owner_and_recipients_see_one_and_nobody_else(void **state)
{
    struct domain_rig *r = *state;

    assert_sees(r, 2, "mine");
    assert_at(r, "/0/data/owner", "ann");
    assert_at(r, "/1/template", "tasks");
    BE(r, "bob", "main", "USER");
    assert_sees(r, 1, "shared");
    assert_refused(r, &um_stored_searches_get, "{'ids':['mine']}", NULL, "U00404");
    assert_done(r, &um_stored_searches_get, "{'ids':['shared']}", NULL);
    BE(r, "cleo", "main", "USER");           /* of a team */
    assert_sees(r, 1, "shared");
    BE(r, "dan", "main", "USER");
    assert_sees(r, 0, NULL);
    assert_refused(r, &um_stored_searches_get, "{'ids':['shared']}", NULL, "U00404");
    assert_refused(r, &um_stored_searches_list, "{'all':true}", NULL, "U00403");
    BE(r, "root", "main", "ADMIN");
    assert_sees(r, 0, NULL);
    assert_done(r, &um_stored_searches_list, "{'all':true,'start':1,'max':1}", NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_at(r, "/0/id", "shared");
}

static void only_owner_and_administrators_change_one(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "bob", "main", "USER");
    assert_refused(r, &um_stored_searches_update, "{'ids':['shared']}", "[" SHARED "]", "U00403");
    assert_refused(r, &um_stored_searches_delete, "{'ids':['shared']}", NULL, "U00403");
    BE(r, "root", "main", "ADMIN");
    assert_done(r, &um_stored_searches_update, "{'ids':['shared']}", "[{'category':'TASK','recipients':{'users':['dan']},'request':{}}]");
    assert_at(r, "/0/data/owner", "ann");
    assert_int_equal(r->version, 2);
    BE(r, "bob", "main", "USER");
    assert_sees(r, 0, NULL);
    BE(r, "dan", "main", "USER");
    assert_sees(r, 1, "shared");
    BE(r, "ann", "main", "USER");
    assert_refused(r, &um_stored_searches_update, "{'ids':['shared']}", "[{'data':{'version':1},'category':'TASK','request':{}}]", "U00409");
    assert_done(r, &um_stored_searches_delete, "{'ids':['shared']}", NULL);
    assert_refused(r, &um_stored_searches_delete, "{'ids':['shared']}", NULL, "U00404");
    BE(r, "dan", "main", "USER");
    assert_sees(r, 0, NULL);
}

static void what_cannot_be_run_is_not_kept(void **state)
{
    struct domain_rig *r = *state;

#define REFUSED(body, code, path) \
    assert_refused(r, &um_stored_searches_create, NULL, "[" body "]", code); \
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), path)
    REFUSED("{'category':'DOCUMENT','request':{'filterClauses':[{'criteria':[{'name':'classid','operator':'LIKE','values':['x']}]}]}}", "T00104",
            "/0/request/filterClauses/0/criteria/0/operator");
    REFUSED("{'category':'PAGE','request':{}}", "U00400", "/0/category");
    REFUSED("{'category':'TASK','request':{},'recipients':{'users':['bob','bob']}}", "U00400", "/0/recipients/users/1");
    REFUSED(MINE, "U00410", "/0");
    assert_refused(r, &um_stored_searches_create, NULL, "[{'category':'TASK'}]", "T00104");
    assert_sees(r, 2, "mine");
}

static void nobody_makes_one_for_another_nor_too_many(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "bob", "main", "USER");
    assert_done(r, &um_stored_searches_create, NULL, "[{'id':'n','data':null,'category':'TASK','request':{}}]");
    assert_at(r, "/0/data/owner", "bob");
    assert_done(r, &um_stored_searches_delete, "{'ids':['n']}", NULL);
    assert_done(r, &um_stored_searches_create, NULL, "[{'data':{'owner':'ann'},'category':'TASK','request':{}}]");
    assert_at(r, "/0/data/owner", "bob");
    for (int i = 1; i < 200; i++)
        assert_done(r, &um_stored_searches_create, NULL, "[{'category':'TASK','request':{}}]");
    assert_refused(r, &um_stored_searches_create, NULL, "[{'category':'TASK','request':{}}]", "U00413");
}

static void they_end_with_their_scope(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_delete, "{'ids':['main']}", NULL);
    assert_done(r, &um_scopes_create, NULL, "[{'id':'main'}]");
    assert_done(r, &um_stored_searches_list, "{'all':true}", NULL);
    assert_int_equal(json_array_size(r->reply), 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(owner_and_recipients_see_one_and_nobody_else), T(only_owner_and_administrators_change_one), T(what_cannot_be_run_is_not_kept),
        T(nobody_makes_one_for_another_nor_too_many), T(they_end_with_their_scope),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
