/* The history of components, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define D1_FACTS "{'category':'DOCUMENT','id':'d1'}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'tagclass'}", "[{'id':'T','type':'STRING'}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}",
                "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'T','multivalued':true}]}]");
    assert_done(r, &um_objects_create, "{'kind':'folderclass'}",
                "[{'id':'Folder','category':'FOLDER','data':{'ACL':'all'},'children':[{'category':'DOCUMENT','id':'*'}]}]");
    assert_done(r, &um_components_create, DOCS, "[{'id':'d1','name':'n','data':{'classId':'Doc'},'tags':[{'name':'T','value':['x']}]}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void what_is_done_is_told_with_who_and_what(void **state)
{
    struct domain_rig *r = *state;

    r->who.request = "rq-7";
    assert_done(r, &um_components_update, D1, "[{'name':'m','data':{'classId':'Doc','status':'done'},'tags':[{'name':'T','value':['y','z']}]}]");
    assert_done(r, &um_facts_list, D1_FACTS, NULL);
    assert_int_equal(json_array_size(r->reply), 2);
    assert_at(r, "/0/action", "UPDATE");
    assert_at(r, "/0/user", "ann");
    assert_at(r, "/0/requestId", "rq-7");
    assert_at(r, "/0/objectId", "d1");
    assert_at(r, "/0/objectType", "DOCUMENT");
    assert_at(r, "/0/updatedFields/0/name", "name");
    assert_at(r, "/0/updatedFields/0/value", "m");
    assert_at(r, "/0/updatedFields/1/name", "status");
    assert_at(r, "/0/updatedFields/2/name", "T");
    assert_at(r, "/0/updatedFields/2/value", "y\xc2\xa7z");
    assert_true(json_is_true(json_object_get(json_array_get(r->reply, 0), "technical")));
    assert_at(r, "/1/action", "CREATE");
}

static void what_fails_leaves_no_fact(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_components_create, DOCS, "[{'id':'d2','data':{'classId':'Doc'}},{'id':'d1','data':{'classId':'Doc'}}]", "T00108");
    assert_done(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'objectId','value':'d2'}]}");
    assert_at(r, "/found", "0");
}

static void history_outlives_its_component_and_ends_with_the_scope(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_delete, D1, NULL);
    assert_refused(r, &um_facts_list, D1_FACTS, NULL, "F00012");
    assert_done(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'objectId','value':'d1'},{'name':'action','value':'DELETE'}]}");
    assert_at(r, "/found", "1");
    assert_at(r, "/results/0/action", "DELETE");
    assert_done(r, &um_facts_search, NULL, "{'paginationContext':{'maxResults':1,'pageIndex':1}}");
    assert_at(r, "/found", "2");
    assert_at(r, "/results/0/action", "CREATE");
    assert_refused(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'colour','value':'red'}]}", "T00104");
    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_delete, "{'ids':['main']}", NULL);
    assert_done(r, &um_scopes_create, NULL, "[{'id':'main'}]");
    assert_done(r, &um_facts_search, NULL, "{}");
    assert_at(r, "/found", "0");
}

static void administrators_add_facts_of_their_own(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_facts_create, D1_FACTS, "[{'action':'SCANNED','description':'by hand','updatedFields':[{'name':'pages','value':'3'}]}]");
    assert_at(r, "/0/action", "SCANNED");
    assert_true(json_is_false(json_object_get(json_array_get(r->reply, 0), "technical")));
    assert_done(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'technical','value':'false'}]}");
    assert_at(r, "/found", "1");
}

static void children_that_come_and_go_are_told(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, "{'category':'FOLDER'}", "[{'id':'f1','data':{'classId':'Folder'}}]");
    assert_done(r, &um_folders_add, "{'ids':['f1']}", "[{'category':'DOCUMENT','id':'d1'}]");
    assert_done(r, &um_folders_remove, "{'ids':['f1']}", "[{'category':'DOCUMENT','id':'d1'}]");
    assert_done(r, &um_facts_list, "{'category':'FOLDER','id':'f1'}", NULL);
    assert_at(r, "/0/action", "DELETE_CONTENT");
    assert_at(r, "/1/action", "ADD_CONTENT");
    assert_at(r, "/1/updatedFields/0/value", "DOCUMENT/d1");
}

static void only_what_is_registered_is_told(void **state)
{
    static const struct um_domain_conf bad = { .default_scope = "main", .facts = { "create,invented", "", "", "" } };
    struct domain_rig *r = *state;
    struct um_domain *d;

    assert_int_equal(um_domain_new(&d, r->store.st, &bad), UM_EINVAL);
    assert_null(d);
    assert_done(r, &um_objects_create, "{'kind':'virtualfolderclass'}", "[{'id':'V','category':'VIRTUAL_FOLDER','data':{'ACL':'all'}}]");
    assert_done(r, &um_components_create, "{'category':'VIRTUAL_FOLDER'}", "[{'id':'v1','data':{'classId':'V'}}]");
    assert_done(r, &um_facts_list, "{'category':'VIRTUAL_FOLDER','id':'v1'}", NULL);
    assert_int_equal(json_array_size(r->reply), 0);      /* the rig registers nothing of virtual folders */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(what_is_done_is_told_with_who_and_what), T(what_fails_leaves_no_fact), T(history_outlives_its_component_and_ends_with_the_scope),
        T(administrators_add_facts_of_their_own), T(children_that_come_and_go_are_told), T(only_what_is_registered_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
