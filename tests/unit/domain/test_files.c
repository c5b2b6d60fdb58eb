/* Files of documents as calls: bound once, kept with the document, gone with it. In memory, or on UMBEL_STORE_URL. */
#include "content_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define ID "{'id':'d1'}"
enum { TEXT = 700 };

#define BOUND "SELECT count(*) FROM content_files WHERE expires_ms IS NULL"
#define WAITING "SELECT count(*) FROM content_files WHERE expires_ms IS NOT NULL AND content IS NOT NULL"
#define CONDEMNED "SELECT count(*) FROM contents WHERE due_ms = 0"

/* ---- life ---- */

static int open_test(void **state)
{
    struct content_rig *t = um_xcalloc(1, sizeof(*t));
    struct domain_rig *r = &t->rig;

    content_rig_open(t, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'editors','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'},"
                "{'principal':'*','permission':['READ','UPDATE','DOWNLOAD_CONTENT'],'grant':'ALLOW'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}",
                "[{'id':'Invoice','category':'DOCUMENT','data':{'ACL':'all'}},{'id':'Guarded','category':'DOCUMENT','data':{'ACL':'editors'}}]");
    *state = t;
    return 0;
}

static int close_test(void **state)
{
    content_rig_close(*state);
    free(*state);
    return 0;
}

/* FORM with A and B for its $. */
static const char *with(const char *form, const char *a, const char *b)
{
    static char text[4][TEXT];
    static int next;
    char *out = text[next = (next + 1) % 4];
    size_t n = 0;

    for (const char *p = form; *p != '\0'; p++) {
        n += (size_t)snprintf(out + n, TEXT - n, *p == '$' ? "%s" : "%.1s", *p == '$' ? a : p);
        if (*p == '$')
            a = b;
        assert_true(n < TEXT);
    }
    return out;
}

#define CREATE "[{'id':'d1','data':{'classId':'$'},'files':[{'id':'$'}]}]"

/* The id of the document's only file. */
static const char *create(struct content_rig *t, const char *class)
{
    static char id[64];

    assert_done(&t->rig, &um_components_create, DOCS, with(CREATE, class, content_rig_upload(t, "a.txt")));
    snprintf(id, sizeof(id), "%s", domain_rig_at(&t->rig, "/0/files/0/id"));
    return id;
}

/* ---- create and update ---- */

static void a_document_takes_a_temporary_file(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;

    create(t, "Invoice");
    assert_at(r, "/0/files/0/Name", "a.txt");
    assert_at(r, "/0/files/0/name", "a.txt");
    assert_at(r, "/0/files/0/FormatCode", "text/plain");
    assert_at(r, "/0/files/0/size", "5");
    assert_at(r, "/0/files/0/sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_int_equal(strncmp(domain_rig_at(r, "/0/files/0/id"), "tmp_", 4) != 0, 1);
    assert_int_equal(content_rig_count(t, WAITING), 0);
    assert_int_equal(content_rig_count(t, BOUND), 1);
}

static void it_may_give_it_another_name(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;

    assert_done(r, &um_components_create, DOCS,
                with("[{'data':{'classId':'Invoice'},'files':[{'id':'$','Name':'b.txt'}]}]", content_rig_upload(t, "a.txt"), NULL));
    assert_at(r, "/0/files/0/name", "b.txt");
    assert_refused(r, &um_components_create, DOCS,
                   with("[{'data':{'classId':'Invoice'},'files':[{'id':'$','name':'b\\n'}]}]", content_rig_upload(t, "a.txt"), NULL), "U00400");
}

static void a_create_that_fails_uses_no_file_up(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char id[64];

    snprintf(id, sizeof(id), "%s", content_rig_upload(t, "a.txt"));
    assert_refused(r, &um_components_create, DOCS,
                   with("[{'id':'d1','data':{'classId':'Invoice'},'files':[{'id':'$'}]},{'id':'d1','data':{'classId':'Invoice'}}]", id, NULL), "T00108");
    assert_done(r, &um_components_create, DOCS, with(CREATE, "Invoice", id));
    assert_refused(r, &um_components_create, DOCS, with("[{'data':{'classId':'$'},'files':[{'id':'$'}]}]", "Invoice", id), "T00707");
    assert_int_equal(r->status, 410);
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/0/files/0/id");
}

static void only_one_s_own_temporary_file_is_bound(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char id[64];

    snprintf(id, sizeof(id), "%s", content_rig_upload(t, "a.txt"));
    BE(r, "bob", "main", "ADMIN");
    assert_refused(r, &um_components_create, DOCS, with(CREATE, "Invoice", id), "U00400");
    assert_refused(r, &um_components_create, DOCS, with(CREATE, "Invoice", "tmp_none"), "U00400");
    assert_refused(r, &um_components_create, DOCS, with(CREATE, "Invoice", "f1"), "U00400");
    assert_refused(r, &um_components_create, DOCS, "[{'data':{'classId':'Invoice'},'files':[{}]}]", "U00400");
    assert_refused(r, &um_components_create, DOCS, with(CREATE, "Invoice", with("$'},{'id':'$", content_rig_upload(t, "x"), "no")), "U00400");
    assert_int_equal(content_rig_count(t, BOUND), 0);
}

static void an_update_keeps_what_it_names_and_drops_the_rest(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    const char *first = create(t, "Invoice");

    assert_done(r, &um_components_update, D1,
                with("[{'data':{'classId':'Invoice'},'files':[{'id':'$'},{'id':'$'}]}]", content_rig_upload(t, "b.txt"), first));
    assert_at(r, "/0/files/0/name", "b.txt");
    assert_at(r, "/0/files/1/id", first);
    assert_at(r, "/0/files/1/name", "a.txt");
    assert_int_equal(content_rig_count(t, BOUND), 2);
    assert_refused(r, &um_components_update, D1, with("[{'data':{'classId':'Invoice'},'files':[{'id':'$'},{'id':'$'}]}]", first, first), "U00400");
    assert_done(r, &um_components_update, D1, "[{'data':{'classId':'Invoice'}}]");
    assert_int_equal(content_rig_count(t, BOUND), 0);
    assert_int_equal(content_rig_count(t, CONDEMNED), 2);
}

static void a_document_s_files_go_with_it(void **state)
{
    struct content_rig *t = *state;

    create(t, "Invoice");
    assert_done(&t->rig, &um_components_delete, D1, NULL);
    assert_int_equal(content_rig_count(t, BOUND), 0);
    assert_int_equal(content_rig_count(t, CONDEMNED), 1);
}

/* ---- calls of their own ---- */

static void files_are_added_or_put_in_place_of_the_others(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    const char *first = create(t, "Invoice");

    assert_done(r, &um_document_files_add, ID, with("[{'id':'$'}]", content_rig_upload(t, "b.txt"), NULL));
    assert_int_equal(r->version, 2);
    assert_string_equal(r->changes, "content:DOCUMENT/d1 ");
    assert_at(r, "/0/id", first);
    assert_at(r, "/1/Name", "b.txt");
    assert_done(r, &um_document_files_add, "{'id':'d1','replace':true}", with("[{'id':'$'}]", content_rig_upload(t, "c.txt"), NULL));
    assert_done(r, &um_document_files_list, ID, NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_at(r, "/0/Name", "c.txt");
    assert_int_equal(content_rig_count(t, CONDEMNED), 2);
    assert_refused(r, &um_document_files_add, "{'id':'d1','If-Match':'\\u00221\\u0022'}", with("[{'id':'$'}]", content_rig_upload(t, "d"), NULL), "U00412");
    assert_refused(r, &um_document_files_add, "{'id':'none'}", with("[{'id':'$'}]", content_rig_upload(t, "d"), NULL), "F00012");
}

static void a_file_gets_another_name(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    const char *args = with("{'id':'d1','fileId':'$'}", create(t, "Invoice"), NULL);

    assert_done(r, &um_document_files_rename, args, "'new name.txt'");
    assert_at(r, "/0/name", "new name.txt");
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/files/0/Name", "new name.txt");
    assert_done(r, &um_document_files_contents, args, NULL);
    assert_at(r, "/0/name", "new name.txt");
    assert_refused(r, &um_document_files_rename, args, "''", "U00400");
    assert_refused(r, &um_document_files_rename, args, "'a\\u0001'", "U00400");
    assert_refused(r, &um_document_files_rename, "{'id':'d1','fileId':'none'}", "'x'", "U00404");
}

static void a_file_is_taken_out(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    const char *args = with("{'id':'d1','fileId':'$'}", create(t, "Invoice"), NULL);

    assert_done(r, &um_document_files_delete, args, NULL);
    assert_null(r->reply);
    assert_done(r, &um_document_files_delete, args, NULL);
    assert_done(r, &um_document_files_list, ID, NULL);
    assert_int_equal(json_array_size(r->reply), 0);
    assert_refused(r, &um_document_files_contents, args, NULL, "U00404");
    assert_int_equal(content_rig_count(t, CONDEMNED), 1);
}

static void content_has_permissions_of_its_own(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    const char *file = create(t, "Guarded"), *args = with("{'id':'d1','fileId':'$'}", file, NULL);

    assert_done(r, &um_document_files_contents, args, NULL);
    assert_true(json_is_true(json_object_get(json_array_get(r->reply, 0), "show")));
    BE(r, "bob", "main", "user");
    assert_done(r, &um_document_files_contents, args, NULL);                /* to be saved */
    assert_false(json_is_true(json_object_get(json_array_get(r->reply, 0), "show")));
    assert_refused(r, &um_document_files_add, ID, with("[{'id':'$'}]", content_rig_upload(t, "b"), NULL), "U00403");
    assert_refused(r, &um_document_files_rename, args, "'x'", "U00403");
    assert_refused(r, &um_document_files_delete, args, NULL, "U00403");
    assert_refused(r, &um_components_update, D1, "[{'data':{'classId':'Guarded'}}]", "U00403");
    assert_done(r, &um_components_update, D1, with("[{'data':{'classId':'Guarded'},'files':[{'id':'$'}]}]", file, NULL));
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_test, close_test)
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(a_document_takes_a_temporary_file),
        T(it_may_give_it_another_name),
        T(a_create_that_fails_uses_no_file_up),
        T(only_one_s_own_temporary_file_is_bound),
        T(an_update_keeps_what_it_names_and_drops_the_rest),
        T(a_document_s_files_go_with_it),
        T(files_are_added_or_put_in_place_of_the_others),
        T(a_file_gets_another_name),
        T(a_file_is_taken_out),
        T(content_has_permissions_of_its_own),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
