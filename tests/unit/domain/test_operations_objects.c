/* Handlers of what changes nothing (READ, SEARCH, GET_CONTENT), and of objects of the model. */
#include "operations_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALL "{'selectClause':{'fields':['name']},'orderClauses':[{'name':'name','type':'STRING','ascending':true}],'max':10}"
#define CLASSES "{'kind':'documentclass'}"
#define MEMO "[{'id':'Memo','category':'DOCUMENT','data':{'ACL':'all'}}]"
#define MEMO_ID "{'kind':'documentclass','ids':['Memo']}"

static void put_for(struct tests *t, const char *type, const char *id, const char *handler, const char *phase, const char *action,
                    const char *flags)
{
    assert_done(&t->rig.rig, &um_components_create, DOCS, registration_for(type, id, handler, phase, action, 1, flags));
    t->heard[0] = '\0';
}

/* A filter, as a file of a registration. */
static const char *filtered(struct tests *t, const char *flags, const char *field, const char *value)
{
    static char more[512];
    char text[256];

    snprintf(text, sizeof(text), "{\"filterClauses\":[{\"criteria\":[{\"name\":\"%s\",\"operator\":\"EQUALS_TO\",\"type\":\"STRING\",\"values\":[\"%s\"]}]}]}",
             field, value);
    snprintf(more, sizeof(more), "%s],'files':[{'id':'%s','name':'request'}", flags, content_rig_upload_text(&t->rig, "request", text));
    return more;
}

static const char *told(const struct tests *t, const char *member, const char *of)
{
    const json_t *v = json_object_get(t->told, member);

    return json_string_value(of != NULL ? json_object_get(v, of) : v);
}

/* ---- components ---- */

static void reading_is_refused_or_heard_of_and_what_it_shows_may_be_another(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_done(r, &um_components_create, DOCS, "[{'id':'d1','name':'one','data':{'classId':'Doc'}},{'id':'d2','name':'two','data':{'classId':'Doc'}}]");
    put_for(t, "DOCUMENT", "mask", "test:name=hidden", "BEFORE", "READ", filtered(t, "", "name", "one"));
    put_for(t, "DOCUMENT", "after", "test:ok", "AFTER", "READ", "");
    assert_done(r, &um_components_get, "{'category':'DOCUMENT','ids':['d1','d2']}", NULL);
    assert_at(r, "/0/name", "hidden");
    assert_at(r, "/1/name", "two");
    assert_string_equal(t->heard, "mask/READ/BEFORE after/READ/AFTER after/READ/AFTER ");
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['mask']}", NULL);
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/name", "one");          /* it was shown, not written */
    put_for(t, "DOCUMENT", "no", "test:refuse", "BEFORE", "READ", STOP);
    assert_refused(r, &um_components_get, D1, NULL, "F00039");
    assert_done(r, &um_components_get, "{'category':'DOCUMENT','ids':['no']}", NULL);      /* registrations have no handlers */
}

static void a_reading_leaves_its_jobs_and_others_leave_nothing(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    put_for(t, "FOLDER", "other", "slow", "AFTER", "READ", ASYNC);
    assert_done(r, &um_components_get, D1, NULL);
    assert_int_equal(count_jobs(t), 0);
    put_for(t, "DOCUMENT", "hears", "slow", "AFTER", "READ", ASYNC);
    put_for(t, "DOCUMENT", "first", "test:name=new", "BEFORE", "READ", "");
    t->jobs = 0;
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/name", "new");
    assert_string_equal(t->heard, "first/READ/BEFORE ");           /* once, though the unit ran three times */
    assert_int_equal(count_jobs(t), 1);
    assert_int_equal(t->jobs, 1);
    r->who.read_only = true;
    assert_done(r, &um_components_get, D1, NULL);                  /* what is written is the platform's */
    assert_int_equal(count_jobs(t), 2);
}

static void a_search_may_be_another_and_its_results_are_heard_of(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_done(r, &um_components_create, DOCS, "[{'id':'d1','name':'one','data':{'classId':'Doc'}},{'id':'d2','name':'two','data':{'classId':'Doc'}}]");
    put_for(t, "DOCUMENT", "after", "test:ok", "AFTER", "SEARCH", "");
    assert_done(r, &um_search, DOCS, ALL);
    assert_string_equal(t->heard, "after/SEARCH/AFTER ");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(t->told, "response"), "found")), 3);       /* the registration, too */
    assert_int_equal(json_integer_value(json_object_get(json_object_get(t->told, "request"), "max")), 10);
    put_for(t, "DOCUMENT", "narrow", "test:search=two", "BEFORE", "SEARCH", "");
    assert_done(r, &um_search, DOCS, ALL);
    assert_at(r, "/found", "1");
    assert_at(r, "/results/0/id", "d2");
    put_for(t, "DOCUMENT", "wrong", "test:search=", "BEFORE", "SEARCH", "");
    assert_refused(r, &um_search, DOCS, ALL, "T00104");
}

static void a_filter_of_searches_is_held_against_their_criteria(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_for(t, "DOCUMENT", "r", "test:refuse", "BEFORE", "SEARCH", filtered(t, STOP, "classid", "Doc"));
    assert_done(r, &um_search, DOCS, ALL);
    assert_refused(r, &um_search, DOCS, "{'filterClauses':[{'criteria':[{'name':'classid','operator':'EQUALS_TO','type':'STRING','values':['Doc']}]}]}",
                   "F00039");
}

static void jobs_of_searches_wait_for_none_before_them(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_for(t, "DOCUMENT", "r", "slow", "BEFORE", "SEARCH", ASYNC);
    assert_done(r, &um_search, DOCS, ALL);
    assert_done(r, &um_search, DOCS, ALL);
    assert_int_equal(content_rig_count(&t->rig, "SELECT CAST(count(DISTINCT lane) AS BIGINT) FROM jobs"), 2);
}

static void who_fetches_a_file_is_heard_of(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;
    char body[256], args[128];

    snprintf(body, sizeof(body), "[{'id':'d1','data':{'classId':'Doc'},'files':[{'id':'%s','name':'a.txt'}]}]", content_rig_upload(&t->rig, "a.txt"));
    assert_done(r, &um_components_create, DOCS, body);
    snprintf(args, sizeof(args), "{'id':'d1','fileId':'%s'}", domain_rig_at(r, "/0/files/0/id"));
    put_for(t, "DOCUMENT", "after", "test:ok", "AFTER", "GET_CONTENT", "");
    assert_done(r, &um_document_files_contents, args, NULL);
    assert_at(r, "/0/name", "a.txt");
    assert_string_equal(t->heard, "after/GET_CONTENT/AFTER ");
    assert_int_equal(json_array_size(json_object_get(t->told, "files")), 1);
    put_for(t, "DOCUMENT", "no", "test:refuse", "BEFORE", "GET_CONTENT", STOP);
    assert_refused(r, &um_document_files_contents, args, NULL, "F00039");
    assert_done(r, &um_document_files_list, args, NULL);
}

static void contents_of_folders_are_filtered_by_the_class_of_what_moves(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_done(r, &um_objects_create, "{'kind':'folderclass'}", "[{'id':'Box','category':'FOLDER','data':{'ACL':'all'},'children':[{'category':'DOCUMENT','id':'*'}]}]");
    assert_done(r, &um_objects_create, CLASSES, MEMO);
    assert_done(r, &um_components_create, DOCS, "[{'id':'d1','data':{'classId':'Doc'}},{'id':'m1','data':{'classId':'Memo'}}]");
    assert_done(r, &um_components_create, "{'category':'FOLDER'}", "[{'id':'f1','data':{'classId':'Box'}}]");
    put_for(t, "FOLDER", "in", "test:ok", "AFTER", "ADD_CONTENT", filtered(t, "", "id", "Memo"));
    put_for(t, "FOLDER", "out", "test:refuse", "BEFORE", "DELETE_CONTENT", filtered(t, STOP, "id", "Memo"));
    assert_done(r, &um_folders_add, "{'ids':['f1']}", "[{'category':'DOCUMENT','id':'d1'}]");
    assert_string_equal(t->heard, "");
    assert_done(r, &um_folders_add, "{'ids':['f1']}", "[{'category':'DOCUMENT','id':'m1'}]");
    assert_string_equal(t->heard, "in/ADD_CONTENT/AFTER ");
    assert_string_equal(json_string_value(json_object_get(json_array_get(json_object_get(t->told, "children"), 0), "id")), "m1");
    assert_done(r, &um_folders_remove, "{'ids':['f1']}", "[{'category':'DOCUMENT','id':'d1'}]");
    assert_refused(r, &um_folders_set, "{'ids':['f1']}", "[]", "F00039");
    assert_refused(r, &um_folders_set, "{'ids':['f1']}", "[{'category':'DOCUMENT','id':'d1'}]", "F00039");      /* nor beside what goes in */
    assert_done(r, &um_components_get, "{'category':'FOLDER','ids':['f1']}", NULL);
    assert_at(r, "/0/children/0/id", "m1");
}

/* ---- objects ---- */

static void objects_of_the_model_have_handlers_too(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put_for(t, "DOCUMENT_CLASS", "c", "test:ok", "AFTER", "CREATE", "");
    put_for(t, "DOCUMENT_CLASS", "u", "test:ok", "BEFORE", "UPDATE", filtered(t, "", "id", "Memo"));
    put_for(t, "DOCUMENT_CLASS", "d", "slow", "AFTER", "DELETE", ASYNC);
    assert_done(r, &um_objects_create, CLASSES, MEMO);
    assert_string_equal(t->heard, "c/CREATE/AFTER ");
    assert_string_equal(told(t, "objectType", NULL), "DOCUMENT_CLASS");
    assert_string_equal(told(t, "component", "id"), "Memo");
    assert_done(r, &um_objects_update, MEMO_ID, MEMO);
    assert_string_equal(t->heard, "c/CREATE/AFTER u/UPDATE/BEFORE ");
    assert_done(r, &um_objects_update, "{'kind':'documentclass','ids':['Doc']}", "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'}}]");
    assert_string_equal(t->heard, "c/CREATE/AFTER u/UPDATE/BEFORE ");       /* the filter */
    assert_done(r, &um_objects_delete, MEMO_ID, NULL);
    assert_int_equal(count_jobs(t), 1);
}

static void what_a_handler_refuses_of_the_model_stays_as_it_is(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_done(r, &um_objects_create, CLASSES, MEMO);
    put_for(t, "DOCUMENT_CLASS", "d", "test:refuse", "BEFORE", "DELETE", STOP);
    put_for(t, "DOCUMENT_CLASS", "r", "test:refuse", "BEFORE", "READ", filtered(t, STOP, "id", "Doc"));
    assert_refused(r, &um_objects_delete, MEMO_ID, NULL, "F00039");
    assert_done(r, &um_objects_get, MEMO_ID, NULL);
    assert_refused(r, &um_objects_get, "{'kind':'documentclass','ids':['Doc']}", NULL, "F00039");
}

static void what_is_never_done_is_refused_at_its_registration(void **state)
{
    static const struct { const char *type, *action; } rows[] = {
        { "FOLDER", "VERSION" }, { "DOCUMENT", "ANSWER" }, { "TASK", "GET_CONTENT" }, { "DOCUMENT_CLASS", "SEARCH" }, { "ACL", "LOCK" },
    };
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        assert_refused(r, &um_components_create, DOCS, registration_for(rows[i].type, "r", "test:ok", "AFTER", rows[i].action, 1, ""), "U00400");
        assert_string_equal(r->message, "this is never done with objects of this type");
    }
    assert_refused(r, &um_components_create, DOCS, registration_for("SCOPE", "r", "test:ok", "AFTER", "READ", 1, ""), "U00400");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        TEST(reading_is_refused_or_heard_of_and_what_it_shows_may_be_another),
        TEST(a_reading_leaves_its_jobs_and_others_leave_nothing),
        TEST(a_search_may_be_another_and_its_results_are_heard_of),
        TEST(a_filter_of_searches_is_held_against_their_criteria),
        TEST(jobs_of_searches_wait_for_none_before_them),
        TEST(who_fetches_a_file_is_heard_of),
        TEST(contents_of_folders_are_filtered_by_the_class_of_what_moves),
        TEST(objects_of_the_model_have_handlers_too),
        TEST(what_a_handler_refuses_of_the_model_stays_as_it_is),
        TEST(what_is_never_done_is_refused_at_its_registration),
    };

    return cmocka_run_group_tests_name("objects of operations", tests, NULL, NULL);
}
