/* Registered rules: they change, refuse and make in the operation's own unit, and are checked when they are registered. */
#include "operations_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTS "{'category':'DOCUMENT','id':'d1','start':0,'max':10}"
#define ALL "{'selectClause':{'fields':['id','name']},'max':100}"

/* A registration of the handler `rules`, with a file of that name. */
static const char *rules_for(struct tests *t, const char *type, const char *id, const char *phase, const char *action, const char *flags,
                             const char *text)
{
    char more[512];

    snprintf(more, sizeof(more), "%s],'files':[{'id':'%s','name':'rules'}", flags, content_rig_upload_text(&t->rig, "rules", text));
    return registration_for(type, id, "rules", phase, action, 1, more);
}

static const char *with_rules(struct tests *t, const char *id, const char *phase, const char *action, const char *flags, const char *text)
{
    return rules_for(t, "DOCUMENT", id, phase, action, flags, text);
}

static void put_rules(struct tests *t, const char *id, const char *action, const char *flags, const char *text)
{
    assert_done(&t->rig.rig, &um_components_create, DOCS, with_rules(t, id, "BEFORE", action, flags, text));
}

static void refuse_rules(struct tests *t, const char *phase, const char *action, const char *flags, const char *text, const char *why)
{
    struct domain_rig *r = &t->rig.rig;

    assert_refused(r, &um_components_create, DOCS, with_rules(t, "r", phase, action, flags, text), "U00400");
    if (strstr(r->message, why) == NULL)
        fail_msg("%s is not in: %s", why, r->message);
}

static void put_task_class(struct domain_rig *r)
{
    assert_done(r, &um_objects_create, "{'kind':'taskclass'}",
                "[{'id':'Archiving','category':'TASK','data':{'ACL':'read'},'tagReferences':[{'tagName':'T'}],"
                "'children':[{'id':'invoice','classId':'*','category':'DOCUMENT','multivalued':true}]}]");
}

static void rules_change_what_is_written_as_their_filter_says(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_rules(t, "r", "CREATE", "", "- when: {criteria: [{name: name, operator: EQUALS_TO, values: [one]}]}\n"
                                    "  do: [{setTag: {T: 'by ${user.id}'}}, {setStatus: NEW}]\n");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_at(r, "/0/tags/0/value/0", "by ann");
    assert_at(r, "/0/data/status", "NEW");
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/data/status", "NEW");
    assert_done(r, &um_components_create, DOCS, DOC("d2", "two"));
    assert_null(domain_rig_at(r, "/0/data/status"));
}

static void rules_stand_in_the_chain_with_other_handlers(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "first", "test:name=ten", "BEFORE", "CREATE", 0, "");
    put_rules(t, "middle", "CREATE", "", "- do: [{setTag: {T: '${component.name} at first'}}]");
    put(t, "last", "test:name=end", "BEFORE", "CREATE", 2, "");
    t->heard[0] = '\0';
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_at(r, "/0/tags/0/value/0", "ten at first");
    assert_at(r, "/0/name", "end");
    assert_string_equal(t->heard, "first/CREATE/BEFORE last/CREATE/BEFORE ");      /* each once, though the unit ran three times */
}

static void what_a_rule_refuses_is_not_written(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_rules(t, "r", "DELETE", STOP, "- do: [{createFact: {action: TRIED}}, {refuse: '${component.name} stays'}]");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_refused(r, &um_components_delete, D1, NULL, "F00039");
    assert_string_equal(r->message, "one stays");
    assert_int_equal(r->status, 400);
    assert_done(r, &um_components_get, D1, NULL);
    assert_done(r, &um_facts_list, FACTS, NULL);
    assert_at(r, "/0/action", "CREATE");
    assert_null(domain_rig_at(r, "/1/action"));
}

static void a_search_is_refused_by_its_criteria(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_rules(t, "r", "SEARCH", STOP, "- when: {criteria: [{name: classid, operator: EQUALS_TO, values: [Doc]}]}\n  do: [{refuse: 'not these, ${user.id}${component.name}'}]\n");
    assert_done(r, &um_search, DOCS, ALL);
    assert_refused(r, &um_search, DOCS, "{'filterClauses':[{'criteria':[{'name':'classid','operator':'EQUALS_TO','type':'STRING','values':['Doc']}]}]}", "F00039");
    assert_string_equal(r->message, "not these, ann");
}

static void facts_and_tasks_are_made_with_the_operation_whoever_its_user_is(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;
    char task[128];

    put_task_class(r);
    put_rules(t, "r", "CREATE", "", "- do:\n"
              "  - createFact: {action: SCANNED, description: 'by ${user.id}'}\n"
              "  - createTask: {classId: Archiving, name: 'Archive ${component.name}', tags: {T: x}, attachTo: invoice}\n");
    BE(r, "bob", "main", "USER");
    assert_refused(r, &um_components_create, "{'category':'TASK'}", "[{'data':{'classId':'Archiving'}}]", "U00403");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_facts_list, FACTS, NULL);
    assert_at(r, "/0/action", "SCANNED");
    assert_at(r, "/0/description", "by bob");
    assert_done(r, &um_search, "{'category':'TASK'}", ALL);
    assert_at(r, "/found", "1");
    snprintf(task, sizeof(task), "{'category':'TASK','ids':['%s']}", domain_rig_at(r, "/results/0/id"));
    assert_done(r, &um_components_get, task, NULL);
    assert_at(r, "/0/name", "Archive one");
    assert_at(r, "/0/tags/0/value/0", "x");
    assert_at(r, "/0/attachments/0/componentIds/0", "d1");
}

static void a_task_that_cannot_be_is_the_rules_fault_and_nothing_is_written(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_rules(t, "r", "CREATE", "", "- do: [{createTask: {classId: Nowhere}}]");
    assert_refused(r, &um_components_create, DOCS, DOC("d1", "one"), "T00000");
    assert_string_equal(r->message, "the rules of r make a task that cannot be: there is no class Nowhere");
    assert_refused(r, &um_components_get, D1, NULL, "F00012");
}

static void tasks_that_make_tasks_come_to_an_end(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_task_class(r);
    assert_done(r, &um_components_create, DOCS, rules_for(t, "TASK", "r", "BEFORE", "CREATE", "", "- do: [{createTask: {classId: Archiving}}]"));
    put_rules(t, "d", "CREATE", "", "- do: [{createTask: {classId: Archiving}}]");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_done(r, &um_search, "{'category':'TASK'}", ALL);
    assert_at(r, "/found", "8");
}

static void rules_that_mean_nothing_are_refused_at_their_registration(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_refused(r, &um_components_create, DOCS, registration("r", "rules", "BEFORE", "CREATE", 1, ""), "U00400");
    assert_string_equal(r->message, "rules are in a file of the document, whose name is rules");
    refuse_rules(t, "BEFORE", "CREATE", "", "- do: [{setTga: {T: x}}]", "setTga is none of setTag, addTag");
    refuse_rules(t, "BEFORE", "CREATE", "", "- do: [", "line ");
    refuse_rules(t, "AFTER", "CREATE", "", "- do: [{setStatus: NEW}]", "BEFORE");
    refuse_rules(t, "BEFORE", "CREATE", ASYNC, "- do: [{setStatus: NEW}]", "at once");
    refuse_rules(t, "BEFORE", "CREATE", "", "- do: [{refuse: no}]", "StopOnException");
    refuse_rules(t, "BEFORE", "DELETE", "", "- do: [{setStatus: GONE}]", "change nothing with this action");
    refuse_rules(t, "BEFORE", "READ", "", "- do: [{createFact: {action: SEEN}}]", "make nothing with this action");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
}

static void changed_rules_count_from_their_answer_on(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_rules(t, "r", "UPDATE", "", "- do: [{setStatus: OLD}]");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_done(r, &um_components_update, D1, DOC("d1", "one"));
    assert_at(r, "/0/data/status", "OLD");
    assert_done(r, &um_components_update, "{'category':'DOCUMENT','ids':['r']}",
                with_rules(t, "r", "BEFORE", "UPDATE", "", "- do: [{setStatus: NEW}]"));
    assert_done(r, &um_components_update, D1, DOC("d1", "one"));
    assert_at(r, "/0/data/status", "NEW");
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['r']}", NULL);
    assert_int_equal(content_rig_count(&t->rig, "SELECT CAST(count(*) AS BIGINT) FROM operation_rules"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        TEST(rules_change_what_is_written_as_their_filter_says),
        TEST(rules_stand_in_the_chain_with_other_handlers),
        TEST(what_a_rule_refuses_is_not_written),
        TEST(a_search_is_refused_by_its_criteria),
        TEST(facts_and_tasks_are_made_with_the_operation_whoever_its_user_is),
        TEST(a_task_that_cannot_be_is_the_rules_fault_and_nothing_is_written),
        TEST(tasks_that_make_tasks_come_to_an_end),
        TEST(rules_that_mean_nothing_are_refused_at_their_registration),
        TEST(changed_rules_count_from_their_answer_on),
    };

    return cmocka_run_group_tests_name("rules of registrations", tests, NULL, NULL);
}
