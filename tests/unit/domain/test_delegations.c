/* Delegations, on memory, or on UMBEL_STORE_URL when it is set. Tasks are open to ann and to the team `clerks`, which has her. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <umbel/util.h>

#define T1 "{'ids':['t1']}"
#define GET_T1 "{'category':'TASK','ids':['t1']}"
#define TO_BOB "[{'id':'a-b','delegate':'bob','start':'2020-01-01 00:00:00.000 +0000'}]"

static void make_task(struct domain_rig *r, const char *id, const char *acl, const char *assignee)
{
    char body[200];

    snprintf(body, sizeof(body), "[{'id':'%s','assignee':'%s','data':{'classId':'Task','ACL':'%s'}}]", id, assignee, acl);
    assert_done(r, &um_components_create, "{'category':'TASK'}", body);
}

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_scopes_update, "{'ids':['main']}",
                "[{'id':'main','people':{'profiles':[{'id':'clerks','name':'c','principals':['ann']}]}}]");
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'hers','name':'h','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'}]},"
                " {'id':'team','name':'t','entries':[{'principal':'dan','permission':'*','grant':'DENY'},"
                "                                    {'principal':'clerks','permission':'*','grant':'ALLOW'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'taskclass'}", "[{'id':'Task','category':'TASK','data':{'ACL':'all'},'answers':[{'id':'Accept'}]}]");
    make_task(r, "t1", "hers", "ann");
    make_task(r, "t2", "team", "ann");
    make_task(r, "t3", "hers", "cleo");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void be(struct domain_rig *r, const char *user) { BE(r, user, "main", "USER"); }

static void a_delegate_answers_for_the_delegator_and_the_history_says_so(void **state)
{
    struct domain_rig *r = *state;

    be(r, "bob");
    assert_refused(r, &um_components_get, GET_T1, NULL, "T00103");
    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL, TO_BOB);
    assert_at(r, "/0/delegator", "ann");
    assert_at(r, "/0/creator", "ann");
    be(r, "bob");
    assert_done(r, &um_components_get, GET_T1, NULL);
    assert_done(r, &um_tasks_answer, T1, "{'id':'Accept'}");
    assert_at(r, "/0/answer/user", "bob");
    assert_done(r, &um_tasks_answer, "{'ids':['t2']}", "{'id':'Accept'}");       /* by her team */
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_facts_list, "{'category':'TASK','id':'t1'}", NULL);
    assert_at(r, "/0/action", "ANSWER");
    assert_at(r, "/0/user", "bob");
    assert_at(r, "/0/updatedFields/0/name", "onBehalfOf");
    assert_at(r, "/0/updatedFields/0/value", "ann");
}

static void a_task_that_was_taken_over_stays_the_delegators(void **state)
{
    struct domain_rig *r = *state;

    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL, TO_BOB);
    be(r, "bob");
    assert_done(r, &um_tasks_assign, "{'ids':['t1'],'user':'bob'}", NULL);
    assert_at(r, "/0/assignee", "bob");
    assert_at(r, "/0/delegator", "ann");
    assert_done(r, &um_components_get, GET_T1, NULL);
    be(r, "ann");
    assert_done(r, &um_delegations_delete, "{'ids':['a-b']}", NULL);
    be(r, "bob");
    assert_refused(r, &um_tasks_answer, T1, "{'id':'Accept'}", "T00103");
    be(r, "ann");
    assert_done(r, &um_tasks_assign, "{'ids':['t1'],'user':'ann'}", NULL);
    assert_null(domain_rig_at(r, "/0/delegator"));
}

static void nothing_else_is_delegated(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'}}]");
    assert_done(r, &um_components_create, "{'category':'DOCUMENT'}", "[{'id':'d1','data':{'classId':'Doc','ACL':'hers'}}]");
    assert_done(r, &um_delegations_create, NULL, TO_BOB);
    be(r, "bob");
    assert_refused(r, &um_components_get, "{'category':'DOCUMENT','ids':['d1']}", NULL, "F00012");
    assert_refused(r, &um_components_get, "{'category':'TASK','ids':['t3']}", NULL, "T00103");     /* not assigned to ann */
    assert_refused(r, &um_components_update, GET_T1, "[{'data':{'classId':'Task','ACL':'hers'}}]", "U00403");
    assert_refused(r, &um_components_delete, GET_T1, NULL, "U00403");
    assert_refused(r, &um_tasks_assign, "{'ids':['t1'],'user':'cleo'}", NULL, "U00403");
    assert_refused(r, &um_facts_list, "{'category':'TASK','id':'t1'}", NULL, "U00403");
}

static void nobody_writes_into_a_task_for_whom_it_is_done(void **state)
{
    struct domain_rig *r = *state;

    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL, TO_BOB);
    BE(r, "root", "main", "ADMIN");
    assert_done(r, &um_components_create, "{'category':'TASK'}", "[{'id':'t4','assignee':'bob','delegator':'ann','data':{'classId':'Task'}}]");
    assert_null(domain_rig_at(r, "/0/delegator"));
    be(r, "bob");
    assert_done(r, &um_tasks_assign, "{'ids':['t1'],'user':'bob'}", NULL);
    be(r, "ann");
    assert_done(r, &um_components_update, GET_T1, "[{'data':{'classId':'Task','ACL':'hers'}}]");
    assert_at(r, "/0/delegator", "ann");
    assert_done(r, &um_components_update, GET_T1, "[{'assignee':'cleo','data':{'classId':'Task','ACL':'hers'}}]");
    assert_null(domain_rig_at(r, "/0/delegator"));
}

static void only_while_it_is_in_force_and_without_chains(void **state)
{
    struct domain_rig *r = *state;

    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL,
                "[{'delegate':'bob','start':'2020-01-01 00:00:00.000 +0000','end':'2020-02-01 00:00:00.000 +0000'},"
                " {'delegate':'bob','start':'2220-01-01 00:00:00.000 +0000'}]");
    be(r, "bob");
    assert_refused(r, &um_components_get, GET_T1, NULL, "T00103");
    assert_done(r, &um_delegations_create, NULL, "[{'delegate':'cleo'}]");
    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL, TO_BOB);          /* beside the others */
    be(r, "bob");
    assert_done(r, &um_components_get, GET_T1, NULL);
    be(r, "cleo");
    assert_refused(r, &um_components_get, GET_T1, NULL, "T00103");
    be(r, "ann");
    assert_done(r, &um_delegations_update, "{'ids':['a-b']}", "[{'delegate':'bob','end':'2020-03-01 00:00:00.000 +0000'}]");
    be(r, "bob");
    assert_refused(r, &um_components_get, GET_T1, NULL, "T00103");
}

static void who_is_denied_himself_stays_denied(void **state)
{
    struct domain_rig *r = *state;

    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL, "[{'delegate':'dan'}]");
    be(r, "dan");
    assert_done(r, &um_components_get, GET_T1, NULL);
    assert_refused(r, &um_components_get, "{'category':'TASK','ids':['t2']}", NULL, "T00103");
}

static void the_delegator_or_security_makes_and_ends_one(void **state)
{
    struct domain_rig *r = *state;

    be(r, "bob");
    assert_refused(r, &um_delegations_create, NULL, "[{'delegator':'ann','delegate':'bob'}]", "U00403");
    BE(r, "sue", "main", "SECURITY_ADMIN");
    assert_done(r, &um_delegations_create, NULL, "[{'id':'a-b','delegator':'ann','delegate':'bob','description':'ill'}]");
    assert_at(r, "/0/creator", "sue");
    be(r, "bob");
    assert_done(r, &um_delegations_get, "{'ids':['a-b']}", NULL);
    assert_refused(r, &um_delegations_delete, "{'ids':['a-b']}", NULL, "U00403");
    assert_refused(r, &um_delegations_update, "{'ids':['a-b']}", "[{'delegate':'bob'}]", "U00403");
    be(r, "cleo");
    assert_refused(r, &um_delegations_get, "{'ids':['a-b']}", NULL, "U00404");
    assert_refused(r, &um_delegations_delete, "{'ids':['a-b']}", NULL, "U00404");
    be(r, "ann");
    assert_refused(r, &um_delegations_update, "{'ids':['a-b']}", "[{'delegator':'sue','delegate':'bob'}]", "U00400");
    assert_done(r, &um_delegations_delete, "{'ids':['a-b']}", NULL);
    BE(r, "root", "main", "ADMIN");
    assert_done(r, &um_facts_search, NULL, "{'searchCriteria':[{'name':'objectType','value':'DELEGATION'}]}");
    assert_at(r, "/found", "2");
    assert_at(r, "/results/0/action", "DELETE");
    assert_at(r, "/results/1/description", "ill");
}

static void lists_have_what_is_in_force_or_all(void **state)
{
    struct domain_rig *r = *state;

    be(r, "ann");
    assert_done(r, &um_delegations_create, NULL,
                "[{'id':'old','delegate':'bob','start':'2020-01-01 00:00:00.000 +0000','end':'2020-02-01 00:00:00.000 +0000'},"
                " {'id':'now','delegate':'bob'}]");
    assert_done(r, &um_delegations_delegator, "{'user':'ann'}", NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_at(r, "/0/id", "now");
    assert_refused(r, &um_delegations_delegate, "{'user':'bob'}", NULL, "U00403");
    be(r, "bob");
    assert_done(r, &um_delegations_delegate, "{'user':'bob','includeTerminated':true}", NULL);
    assert_int_equal(json_array_size(r->reply), 2);
    assert_at(r, "/0/end", "2020-02-01 00:00:00.000 +0000");
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct domain_rig *r = *state;

    be(r, "ann");
    assert_refused(r, &um_delegations_create, NULL, "[{'delegate':'ann'}]", "U00400");
    assert_refused(r, &um_delegations_create, NULL, "[{}]", "U00400");
    assert_refused(r, &um_delegations_create, NULL, "[{'delegate':'bob','start':'soon'}]", "U00400");
    assert_refused(r, &um_delegations_create, NULL,
                   "[{'delegate':'bob','start':'2020-01-02 00:00:00.000 +0000','end':'2020-01-01 00:00:00.000 +0000'}]", "U00400");
    assert_done(r, &um_delegations_create, NULL, "[{'id':'x','delegate':'bob'}]");
    assert_refused(r, &um_delegations_create, NULL, "[{'id':'x','delegate':'bob'}]", "U00410");
    for (int i = 1; i < 100; i++)
        assert_done(r, &um_delegations_create, NULL, "[{'delegate':'bob'}]");
    assert_refused(r, &um_delegations_create, NULL, "[{'delegate':'bob'}]", "U00413");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(a_delegate_answers_for_the_delegator_and_the_history_says_so), T(a_task_that_was_taken_over_stays_the_delegators),
        T(nothing_else_is_delegated), T(nobody_writes_into_a_task_for_whom_it_is_done), T(only_while_it_is_in_force_and_without_chains),
        T(who_is_denied_himself_stays_denied), T(the_delegator_or_security_makes_and_ends_one), T(lists_have_what_is_in_force_or_all),
        T(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
