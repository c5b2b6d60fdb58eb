/* Annotations of documents, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <umbel/util.h>

#define DOC(acl) "[{'id':'d1','name':'One','data':{'classId':'Doc','ACL':'" acl "'}}]"
#define D1 "{'id':'d1'}"
#define MARK(id) "{'id':'" id "','page':1,'rect':{'x':1.5,'y':2,'w':30,'h':4},'color':{'r':255,'g':0,'b':0},'opacity':0.5," \
                 "'type':'HIGHLIGHT','title':'look'}"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'marks','name':'m','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'},"
                "  {'principal':'bob','permission':['READ','CREATE_ANNOTATION','READ_ANNOTATION'],'grant':'ALLOW'},"
                "  {'principal':'cleo','permission':['READ','READ_ANNOTATION'],'grant':'ALLOW'},"
                "  {'principal':'dan','permission':['READ'],'grant':'ALLOW'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'}}]");
    assert_done(r, &um_components_create, "{'category':'DOCUMENT'}", DOC("marks"));
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void assert_marks(struct domain_rig *r, size_t n)
{
    assert_done(r, &um_annotations_list, D1, NULL);
    assert_int_equal(json_array_size(r->reply), n);
}

static void what_is_marked_is_kept_as_it_was_said(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "bob", "main", "USER");
    assert_done(r, &um_annotations_put, D1, "[" MARK("a") ",{'page':2,'data':{'owner':'ann'},'note':'more'},{'data':null}]");
    assert_marks(r, 3);
    assert_at(r, "/2/data/owner", "bob");
    assert_at(r, "/0/id", "a");
    assert_at(r, "/0/rect/w", "30");
    assert_at(r, "/0/color/r", "255");
    assert_at(r, "/0/data/owner", "bob");
    assert_at(r, "/1/data/owner", "bob");
    assert_at(r, "/1/note", "more");
    assert_done(r, &um_annotations_put, D1, "[{'id':'a','page':7}]");
    assert_marks(r, 3);
    assert_at(r, "/0/page", "7");
    assert_refused(r, &um_annotations_put, D1, "[{'id':'a','page':8,'data':{'version':1}}]", "U00409");
    assert_done(r, &um_components_get, "{'category':'DOCUMENT','ids':['d1']}", NULL);
    assert_at(r, "/0/data/version", "1");    /* the document is what it was */
}

static void each_right_opens_its_own_door(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_annotations_put, D1, "[" MARK("of-ann") "]");
    BE(r, "cleo", "main", "USER");
    assert_marks(r, 1);
    assert_refused(r, &um_annotations_put, D1, "[" MARK("a") "]", "U00403");
    assert_refused(r, &um_annotations_delete, "{'id':'d1','ids':['of-ann']}", NULL, "U00403");
    BE(r, "dan", "main", "USER");
    assert_refused(r, &um_annotations_list, D1, NULL, "U00403");
    BE(r, "eve", "main", "USER");
    assert_refused(r, &um_annotations_list, D1, NULL, "F00012");
}

static void ones_own_go_with_less_than_others(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_annotations_put, D1, "[" MARK("of-ann") "]");
    BE(r, "bob", "main", "USER");
    assert_done(r, &um_annotations_put, D1, "[" MARK("b1") "," MARK("b2") "]");
    assert_refused(r, &um_annotations_put, D1, "[" MARK("of-ann") "]", "U00403");
    assert_refused(r, &um_annotations_delete, "{'id':'d1','ids':['b1','of-ann']}", NULL, "U00403");
    assert_refused(r, &um_annotations_clear, D1, NULL, "U00403");
    assert_marks(r, 3);
    assert_done(r, &um_annotations_delete, "{'id':'d1','ids':['b1','nothing']}", NULL);
    assert_marks(r, 2);
    BE(r, "ann", "main", "USER");            /* who has UPDATE */
    assert_done(r, &um_annotations_delete, "{'id':'d1','ids':['b2','of-ann']}", NULL);
    BE(r, "bob", "main", "USER");
    assert_done(r, &um_annotations_put, D1, "[" MARK("b3") "]");
    assert_done(r, &um_annotations_clear, D1, NULL);
    assert_marks(r, 0);
    assert_done(r, &um_annotations_put, D1, "[" MARK("b4") "]");
    BE(r, "cleo", "main", "ADMIN");
    assert_done(r, &um_annotations_clear, D1, NULL);
    assert_marks(r, 0);
}

static void they_go_with_their_document(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_annotations_put, D1, "[" MARK("a") "]");
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['d1']}", NULL);
    assert_done(r, &um_components_create, "{'category':'DOCUMENT'}", DOC("all"));
    assert_marks(r, 0);
}

static void there_is_an_end_to_their_number_and_size(void **state)
{
    struct domain_rig *r = *state;
    json_t *list = json_array();
    char *text, *long_title = um_xcalloc(1, 20001);

    for (int i = 0; i < 1000; i++)
        json_array_append_new(list, json_pack("{s:i}", "page", i));
    text = json_dumps(list, 0);
    assert_done(r, &um_annotations_put, D1, text);
    free(text);
    assert_refused(r, &um_annotations_put, D1, "[{'page':1}]", "U00413");
    assert_done(r, &um_annotations_list, "{'id':'d1','start':990,'max':5}", NULL);
    assert_int_equal(json_array_size(r->reply), 5);
    assert_at(r, "/0/page", "990");
    assert_done(r, &um_annotations_clear, D1, NULL);
    for (int i = 0; i < 20000; i++)
        long_title[i] = 'x';
    json_array_clear(list);
    json_array_append_new(list, json_pack("{s:s}", "title", long_title));
    text = json_dumps(list, 0);
    assert_refused(r, &um_annotations_put, D1, text, "U00413");
    free(text);
    free(long_title);
    json_decref(list);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(what_is_marked_is_kept_as_it_was_said), T(each_right_opens_its_own_door), T(ones_own_go_with_less_than_others),
        T(they_go_with_their_document), T(there_is_an_end_to_their_number_and_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
