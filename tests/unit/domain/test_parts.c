/* Children of folders, tasks, virtual folders, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define FOLDERS "{'category':'FOLDER'}"
#define TASKS "{'category':'TASK'}"
#define F1 "{'ids':['f1']}"
#define REF(category, id) "{'category':'" category "','id':'" id "'}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'ann','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'}]},"
                " {'id':'ruled','rules':[{'conditions':['${tags.T}==open'],'aclId':'all'},{'conditions':[],'aclId':'ann'}]},"
                " {'id':'shelf','entries':[{'principal':'*','permission':['CREATE','READ','UPDATE','UPDATE_CONTENT'],'grant':'ALLOW'}]},"
                " {'id':'box','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'},"
                "   {'principal':'*','permission':['READ','APPROPRIATE','APPLY_ANSWER'],'grant':'ALLOW'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'tagclass'}", "[{'id':'T','type':'STRING'},{'id':'Why','type':'STRING','pattern':'[a-z]+'}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}",
                "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'T','multivalued':true}]},"
                " {'id':'Other','category':'DOCUMENT','data':{'ACL':'all'}}]");
    assert_done(r, &um_objects_create, "{'kind':'folderclass'}",
                "[{'id':'Folder','category':'FOLDER','data':{'ACL':'all'},'children':[{'category':'DOCUMENT','id':'Doc'},{'category':'FOLDER','id':'*'}]},"
                " {'id':'Shelf','category':'FOLDER','data':{'ACL':'shelf'},'children':[{'category':'DOCUMENT','id':'*'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'taskclass'}",
                "[{'id':'Check','category':'TASK','data':{'ACL':'box'},'tagReferences':[{'tagName':'Why','readonly':true}],"
                "  'children':[{'id':'what','category':'DOCUMENT','classId':'Doc'},{'id':'more','category':'DOCUMENT','classId':'*','multivalued':true}],"
                "  'answers':[{'id':'Accept'},{'id':'Refuse','reasons':[{'tagName':'Why','mandatory':true}]}]},"
                " {'id':'Full','category':'TASK','data':{'ACL':'all'},'workflow':'W','answers':[{'id':'Go'}],"
                "  'children':[{'id':'what','category':'DOCUMENT','required':'YES'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'virtualfolderclass'}",
                "[{'id':'V','category':'VIRTUAL_FOLDER','data':{'ACL':'all'},'tagReferences':[{'tagName':'T','multivalued':true}],'searches':[{'id':'s',"
                " 'category':'DOCUMENT','request':{'filterClauses':[{'criteria':[{'name':'T','values':['${tags.T}']},{'name':'owner','values':['${user.id}!']}]}]}}]}]");
    assert_done(r, &um_components_create, DOCS,
                "[{'id':'d1','data':{'classId':'Doc'}},{'id':'d2','data':{'classId':'Doc'}},{'id':'o1','data':{'classId':'Other'}},"
                " {'id':'s1','data':{'classId':'Doc','ACL':'ann'}}]");
    assert_done(r, &um_components_create, FOLDERS, "[{'id':'f1','data':{'classId':'Folder'}},{'id':'f2','data':{'classId':'Folder'}},{'id':'f3','data':{'classId':'Folder'}}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

/* The ids of a folder's children as the caller sees them, "a b". */
static const char *children(struct domain_rig *r, const char *args)
{
    static char text[500];
    size_t i;
    json_t *child;

    assert_done(r, &um_components_get, args, NULL);
    text[0] = '\0';
    json_array_foreach(json_object_get(json_array_get(r->reply, 0), "children"), i, child) {
        strcat(text, i > 0 ? " " : "");
        strcat(text, json_string_value(json_object_get(child, "id")));
    }
    return text;
}
#define assert_children(r, id, ids) assert_string_equal(children((r), "{'category':'FOLDER','ids':['" id "']}"), ids)

/* ---- folders ---- */

static void children_are_added_replaced_and_removed(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_folders_add, F1, "[" REF("DOCUMENT", "d2") "," REF("DOCUMENT", "d1") "," REF("DOCUMENT", "d2") "]");
    assert_at(r, "/0/data/version", "2");
    assert_string_equal(r->changes, "content:FOLDER/f1 ");
    assert_children(r, "f1", "d2 d1");
    assert_done(r, &um_folders_add, F1, "[" REF("DOCUMENT", "d1") "]");
    assert_at(r, "/0/data/version", "2");    /* nothing has changed */
    assert_done(r, &um_folders_set, F1, "[" REF("DOCUMENT", "d1") "," REF("DOCUMENT", "s1") "]");
    assert_children(r, "f1", "d1 s1");
    assert_done(r, &um_folders_remove, F1, "[" REF("DOCUMENT", "d1") "," REF("DOCUMENT", "d2") "]");
    assert_children(r, "f1", "s1");
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['s1']}", NULL);
    assert_children(r, "f1", "");
}

static void children_that_may_not_be_read_are_not_there(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS,
                "[{'id':'r1','data':{'classId':'Doc','ACL':'ruled'},'tags':[{'name':'T','value':['open']}]},{'id':'r2','data':{'classId':'Doc','ACL':'ruled'}}]");
    assert_done(r, &um_folders_add, F1, "[" REF("DOCUMENT", "d1") "," REF("DOCUMENT", "s1") "," REF("DOCUMENT", "r1") "," REF("DOCUMENT", "r2") "]");
    BE(r, "bob", "main", "NOTHING");
    assert_children(r, "f1", "d1 r1");
    assert_refused(r, &um_folders_add, F1, "[" REF("DOCUMENT", "s1") "]", "F00012");
    assert_refused(r, &um_folders_remove, F1, "[" REF("DOCUMENT", "s1") "]", "F00012");
    assert_done(r, &um_folders_set, F1, "[]");
    BE(r, "ann", "main", "ADMIN");
    assert_children(r, "f1", "s1 r2");
}

static void a_class_says_what_may_lie_in_its_folders(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_folders_add, F1, "[" REF("DOCUMENT", "d1") "," REF("DOCUMENT", "o1") "]", "U00400");
    assert_children(r, "f1", "");
    assert_refused(r, &um_folders_add, F1, "[" REF("DOCUMENT", "nothing") "]", "F00012");
    assert_refused(r, &um_folders_add, F1, "[{'id':'d1'}]", "U00400");
    assert_refused(r, &um_folders_add, "{'ids':['nothing']}", "[]", "F00012");
    assert_refused(r, &um_objects_create, "{'kind':'folderclass'}",
                   "[{'id':'X','category':'FOLDER','data':{'ACL':'all'},'children':[{'category':'NOTHING','id':'*'}]}]", "U00400");
}

static void no_folder_lies_in_itself(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_folders_add, F1, "[" REF("FOLDER", "f1") "]", "U00400");
    assert_done(r, &um_folders_add, F1, "[" REF("FOLDER", "f2") "]");
    assert_done(r, &um_folders_add, "{'ids':['f2']}", "[" REF("FOLDER", "f3") "]");
    assert_refused(r, &um_folders_add, "{'ids':['f3']}", "[" REF("FOLDER", "f1") "]", "U00400");
}

static void attaching_and_detaching_are_rights(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, FOLDERS, "[{'id':'sh','data':{'classId':'Shelf'}}]");
    assert_refused(r, &um_folders_add, "{'ids':['sh']}", "[" REF("DOCUMENT", "d1") "]", "U00403");
    assert_refused(r, &um_folders_set, "{'ids':['sh']}", "[" REF("DOCUMENT", "d1") "]", "U00403");
    assert_done(r, &um_folders_set, "{'ids':['sh']}", "[]");
    assert_refused(r, &um_components_create, FOLDERS, "[{'data':{'classId':'Shelf'},'children':[" REF("DOCUMENT", "d1") "]}]", "U00403");
}

static void an_update_without_children_leaves_them(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, FOLDERS, "[{'id':'f4','data':{'classId':'Folder'},'children':[" REF("DOCUMENT", "d1") "]}]");
    assert_at(r, "/0/children/0/id", "d1");
    assert_done(r, &um_components_update, "{'category':'FOLDER','ids':['f4']}", "[{'data':{'classId':'Folder'}}]");
    assert_children(r, "f4", "d1");
    assert_done(r, &um_components_update, "{'category':'FOLDER','ids':['f4']}", "[{'data':{'classId':'Folder'},'children':[]}]");
    assert_children(r, "f4", "");
}

/* ---- tasks ---- */

#define TASK(id, more) "[{'id':'" id "','data':{'classId':'Check'}" more "}]"
#define T1 "{'ids':['t1']}"
#define T1_UPDATE "{'category':'TASK','ids':['t1']}"

static void an_answer_is_one_of_the_class_and_given_once(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, TASKS, TASK("t1", ",'answer':{'id':'Accept'}"));
    assert_null(domain_rig_at(r, "/0/answer/id"));
    assert_refused(r, &um_tasks_answer, T1, "{'id':'Maybe'}", "U00400");
    assert_refused(r, &um_tasks_answer, T1, "{'id':'Refuse'}", "F00033");
    assert_refused(r, &um_tasks_answer, T1, "{'id':'Refuse','tags':[{'name':'Why','value':['NO']}]}", "U00400");
    assert_refused(r, &um_tasks_answer, T1, "{'id':'Refuse','tags':[{'name':'T','value':['x']}]}", "F00032");
    assert_done(r, &um_tasks_answer, T1, "{'id':'Refuse','tags':[{'name':'Why','value':['late']}]}");
    assert_at(r, "/0/answer/id", "Refuse");
    assert_at(r, "/0/answer/user", "ann");
    assert_at(r, "/0/tags/0/value/0", "late");
    assert_refused(r, &um_tasks_answer, T1, "{'id':'Accept'}", "U00409");
    assert_refused(r, &um_tasks_assign, "{'ids':['t1'],'user':'ann'}", NULL, "U00409");
    assert_done(r, &um_components_update, T1_UPDATE, TASK("t1", ""));
    assert_at(r, "/0/answer/id", "Refuse");  /* no update takes it back */
    assert_refused(r, &um_tasks_answer, "{'ids':['nothing']}", "{'id':'Accept'}", "T00103");
}

static void who_takes_a_task_and_who_gives_it(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, TASKS, TASK("t1", ""));
    BE(r, "bob", "main", "crew");
    assert_refused(r, &um_tasks_assign, "{'ids':['t1'],'user':'eve'}", NULL, "U00403");
    assert_done(r, &um_tasks_assign, "{'ids':['t1'],'user':'bob'}", NULL);
    assert_at(r, "/0/assignee", "bob");
    BE(r, "eve", "main", "NOTHING");
    assert_refused(r, &um_tasks_assign, "{'ids':['t1'],'user':'eve'}", NULL, "U00403");
    assert_refused(r, &um_tasks_assign, T1, NULL, "U00403");
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_tasks_assign, "{'ids':['t1'],'user':'crew'}", NULL);
    BE(r, "bob", "main", "crew");
    assert_done(r, &um_tasks_assign, "{'ids':['t1'],'user':'bob'}", NULL);       /* it was his team's */
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_components_update, T1_UPDATE, TASK("t1", ""));
    assert_at(r, "/0/assignee", "bob");
    assert_done(r, &um_components_update, T1_UPDATE, TASK("t1", ",'assignee':null"));
}

static void attachments_fit_their_slots(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_components_create, TASKS, TASK("t1", ",'attachments':[{'id':'none','componentIds':['d1']}]"), "F00414");
    assert_refused(r, &um_components_create, TASKS, TASK("t1", ",'attachments':[{'id':'what','componentIds':['o1']}]"), "F00414");
    assert_refused(r, &um_components_create, TASKS, TASK("t1", ",'attachments':[{'id':'what','componentIds':['d1','d2']}]"), "F00414");
    assert_refused(r, &um_components_create, TASKS, TASK("t1", ",'attachments':[{'id':'what','componentIds':['nothing']}]"), "F00012");
    assert_string_equal(r->message, "there is no DOCUMENT nothing");
    assert_done(r, &um_components_create, TASKS,
                TASK("t1", ",'attachments':[{'id':'what','componentIds':['d1']},{'id':'more','componentIds':['o1','d2']}]"));
    assert_done(r, &um_components_update, T1_UPDATE, TASK("t1", ",'attachments':[{'id':'more','componentIds':['d2']}]"));
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['d2']}", NULL);
    assert_done(r, &um_components_update, T1_UPDATE, TASK("t1", ",'attachments':[{'id':'more','componentIds':['d2']}]"));
}

static void what_is_required_is_there_when_a_task_is_answered(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, TASKS, "[{'id':'t2','data':{'classId':'Full'}}]");
    assert_at(r, "/0/workflow", "W");
    assert_refused(r, &um_tasks_answer, "{'ids':['t2']}", "{'id':'Go'}", "U00400");
    assert_done(r, &um_components_update, "{'category':'TASK','ids':['t2']}",
                "[{'data':{'classId':'Full'},'attachments':[{'id':'what','componentIds':['d1']}]}]");
    assert_done(r, &um_tasks_answer, "{'ids':['t2']}", "{'id':'Go'}");
}

static void a_workflow_has_the_classes_that_it_names(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, "{'kind':'workflow'}", "[{'id':'W','startTaskClass':'Check','taskClasses':['Check']}]");
    assert_refused(r, &um_components_create, TASKS, "[{'data':{'classId':'Full'}}]", "U00400");
    assert_done(r, &um_components_create, TASKS, "[{'data':{'classId':'Check'},'workflow':'W'}]");
}

/* ---- virtual folders ---- */

static void searches_are_filled_with_tags_and_the_caller(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, "{'category':'VIRTUAL_FOLDER'}",
                "[{'id':'v1','data':{'classId':'V'},'tags':[{'name':'T','value':['a','b']}]}]");
    assert_done(r, &um_virtual_folders_searches, "{'ids':['v1']}", NULL);
    assert_at(r, "/0/id", "s");
    assert_at(r, "/0/request/filterClauses/0/criteria/0/values/0", "a");
    assert_at(r, "/0/request/filterClauses/0/criteria/0/values/1", "b");
    assert_at(r, "/0/request/filterClauses/0/criteria/1/values/0", "ann!");
}

static void what_lies_in_a_virtual_folder_is_what_its_searches_find(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, "{'kind':'virtualfolderclass'}",
                "[{'id':'All','category':'VIRTUAL_FOLDER','data':{'ACL':'all'},'searches':["
                " {'id':'documents','category':'DOCUMENT','displayNames':[{'language':'EN','value':'D'}],"
                "  'request':{'orderClauses':[{'name':'id','ascending':true}],'aggregation':{'field':'owner'},'max':5000,"
                "             'filterClauses':[{'criteria':[{'name':'owner','operator':'EQUALS_TO','values':['ann']}]}]}},"
                " {'id':'folders','category':'FOLDER'}]}]");
    assert_done(r, &um_components_create, "{'category':'VIRTUAL_FOLDER'}", "[{'id':'v1','data':{'classId':'All'}}]");
    assert_done(r, &um_virtual_folders_contents, "{'ids':['v1'],'max':2}", NULL);
    assert_int_equal(json_array_size(r->reply), 2);
    assert_at(r, "/0/id", "documents");
    assert_at(r, "/0/category", "DOCUMENT");
    assert_at(r, "/0/found", "4");
    assert_at(r, "/0/results/0/id", "d1");
    assert_null(json_object_get(json_array_get(r->reply, 0), "aggregation"));
    assert_int_equal(json_array_size(json_object_get(json_array_get(r->reply, 0), "results")), 2);
    assert_at(r, "/1/id", "folders");
    assert_at(r, "/1/found", "3");
    assert_done(r, &um_virtual_folders_contents, "{'ids':['v1'],'search':'documents','start':2}", NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_at(r, "/0/results/1/id", "s1");
    BE(r, "bob", "main", "NOTHING");         /* s1 is ann's alone */
    assert_done(r, &um_virtual_folders_contents, "{'ids':['v1'],'search':'documents'}", NULL);
    assert_at(r, "/0/found", "3");
}

static void the_pages_of_a_virtual_folder_follow_one_another(void **state)
{
    struct domain_rig *r = *state;
    char args[2000];

    assert_done(r, &um_objects_create, "{'kind':'virtualfolderclass'}",
                "[{'id':'All','category':'VIRTUAL_FOLDER','data':{'ACL':'all'},'searches':[{'id':'f','category':'FOLDER',"
                "  'request':{'orderClauses':[{'name':'id','ascending':true}]}}]}]");
    assert_done(r, &um_components_create, "{'category':'VIRTUAL_FOLDER'}", "[{'id':'v1','data':{'classId':'All'}}]");
    assert_done(r, &um_virtual_folders_contents, "{'ids':['v1'],'max':2}", NULL);
    snprintf(args, sizeof(args), "{'ids':['v1'],'search':'f','max':2,'after':'%s'}", domain_rig_at(r, "/0/after"));
    assert_done(r, &um_virtual_folders_contents, args, NULL);
    assert_at(r, "/0/results/0/id", "f3");
    assert_null(domain_rig_at(r, "/0/after"));
    assert_refused(r, &um_virtual_folders_contents, "{'ids':['v1'],'after':'x'}", NULL, "U00400");
    assert_refused(r, &um_virtual_folders_contents, "{'ids':['v1'],'search':'other'}", NULL, "U00404");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(children_are_added_replaced_and_removed), T(children_that_may_not_be_read_are_not_there), T(a_class_says_what_may_lie_in_its_folders),
        T(no_folder_lies_in_itself), T(attaching_and_detaching_are_rights), T(an_update_without_children_leaves_them),
        T(an_answer_is_one_of_the_class_and_given_once), T(who_takes_a_task_and_who_gives_it), T(attachments_fit_their_slots),
        T(what_is_required_is_there_when_a_task_is_answered), T(a_workflow_has_the_classes_that_it_names),
        T(searches_are_filled_with_tags_and_the_caller), T(what_lies_in_a_virtual_folder_is_what_its_searches_find),
        T(the_pages_of_a_virtual_folder_follow_one_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
