/* Versions of documents and their files. In memory, or on UMBEL_STORE_URL. */
#include "content_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define ID "{'id':'d1'}"
#define FILES "SELECT count(*) FROM content_files WHERE expires_ms IS NULL"
#define VERSIONS "SELECT count(*) FROM document_versions"

static int open_test(void **state)
{
    struct content_rig *t = um_xcalloc(1, sizeof(*t));

    content_rig_open(t, getenv("UMBEL_STORE_URL"));
    assert_done(&t->rig, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'look','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'},{'principal':'*','permission':'READ','grant':'ALLOW'}]}]");
    assert_done(&t->rig, &um_objects_create, "{'kind':'tagclass'}", "[{'id':'T','type':'STRING'},{'id':'Fixed','type':'STRING'}]");
    assert_done(&t->rig, &um_objects_create, "{'kind':'documentclass'}",
                "[{'id':'Plain','category':'DOCUMENT','data':{'ACL':'all'}},"
                " {'id':'Manual','category':'DOCUMENT','data':{'ACL':'look'},'versioningMode':'MANUAL','tagReferences':[{'tagName':'T'}]},"
                " {'id':'Auto','category':'DOCUMENT','data':{'ACL':'all'},'versioningMode':'AUTO'}]");
    *state = t;
    return 0;
}

static int close_test(void **state)
{
    content_rig_close(*state);
    free(*state);
    return 0;
}

/* Creates, or with ARGS replaces, d1 of CLASS with the tag T and a new file of this name. */
static void put(struct content_rig *t, const char *args, const char *class, const char *tag, const char *file)
{
    char body[500];

    snprintf(body, sizeof(body), "[{'id':'d1','name':'%s','data':{'classId':'%s'},'tags':[%s%s%s],'files':[{'id':'%s'}]}]", file, class,
             *tag != '\0' ? "{'name':'T','value':['" : "", tag, *tag != '\0' ? "']}" : "", content_rig_upload(t, file));
    assert_done(&t->rig, args != NULL ? &um_components_update : &um_components_create, args != NULL ? args : DOCS, body);
}

/* {'id':'d1','versionId': the document's present one} */
static const char *current(struct content_rig *t)
{
    static char args[100];

    assert_done(&t->rig, &um_components_get, D1, NULL);
    snprintf(args, sizeof(args), "{'id':'d1','versionId':'%s'}", domain_rig_at(&t->rig, "/0/currentVersion"));
    return args;
}

static void a_version_is_the_document_as_it_was(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char version[100];

    put(t, NULL, "Manual", "one", "a.txt");
    assert_done(r, &um_versions_create, ID, "'first'");
    assert_at(r, "/0/versionLabel", "first");
    assert_at(r, "/0/versionSeriesId", "d1");
    assert_at(r, "/0/data/version", "2");
    snprintf(version, sizeof(version), "%s", current(t));
    put(t, D1, "Manual", "two", "b.txt");
    assert_at(r, "/0/versionLabel", "first");            /* an update leaves what it says of versions */
    assert_done(r, &um_versions_get, version, NULL);
    assert_at(r, "/0/tags/0/value/0", "one");
    assert_at(r, "/0/files/0/name", "a.txt");
    assert_at(r, "/0/versionAuthor", "ann");
    assert_done(r, &um_versions_list, "{'id':'d1'}", NULL);
    assert_at(r, "/versions/0/Document/versionLabel", "first");
    assert_int_equal(content_rig_count(t, FILES), 2);
}

static void a_document_goes_back_to_a_version_with_its_files(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char version[100];

    put(t, NULL, "Manual", "one", "a.txt");
    assert_done(r, &um_versions_create, ID, "'first'");
    snprintf(version, sizeof(version), "%s", current(t));
    put(t, D1, "Manual", "two", "b.txt");
    assert_done(r, &um_versions_revert, version, NULL);
    assert_at(r, "/0/tags/0/value/0", "one");
    assert_at(r, "/0/name", "a.txt");
    assert_at(r, "/0/files/0/name", "a.txt");
    assert_at(r, "/0/data/version", "4");
    assert_null(domain_rig_at(r, "/0/versionAuthor"));
    assert_done(r, &um_document_files_contents, ID, NULL);
    assert_at(r, "/0/name", "a.txt");
    assert_int_equal(content_rig_count(t, FILES), 2);    /* the document's and the version's */
    assert_done(r, &um_facts_list, "{'category':'DOCUMENT','id':'d1'}", NULL);
    assert_at(r, "/0/action", "REVERT");
}

static void a_class_that_says_so_keeps_each_change_of_files(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char args[200];

    put(t, NULL, "Auto", "", "a.txt");
    assert_non_null(domain_rig_at(r, "/0/currentVersion"));
    assert_at(r, "/0/data/version", "1");
    put(t, D1, "Auto", "", "b.txt");
    snprintf(args, sizeof(args), "[{'id':'%s'}]", content_rig_upload(t, "c.txt"));
    assert_done(r, &um_document_files_add, ID, args);
    assert_done(r, &um_versions_list, ID, NULL);
    assert_int_equal(json_array_size(json_object_get(r->reply, "versions")), 3);
    assert_at(r, "/versions/2/Document/files/0/name", "a.txt");
    assert_at(r, "/versions/0/Document/files/1/name", "c.txt");
    assert_done(r, &um_versions_revert, current(t), NULL);       /* it is this one already: nothing new is kept */
    assert_int_equal(content_rig_count(t, VERSIONS), 3);
}

static void versions_go_one_by_one_or_with_their_document(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;

    put(t, NULL, "Auto", "", "a.txt");
    put(t, D1, "Auto", "", "b.txt");
    assert_done(r, &um_versions_delete, current(t), NULL);
    assert_done(r, &um_components_get, D1, NULL);
    assert_null(domain_rig_at(r, "/0/currentVersion"));
    assert_int_equal(content_rig_count(t, FILES), 2);    /* b.txt of the document, a.txt of the version that is left */
    assert_done(r, &um_versions_clear, ID, NULL);
    assert_int_equal(content_rig_count(t, VERSIONS), 0);
    assert_int_equal(content_rig_count(t, FILES), 1);
    put(t, D1, "Auto", "", "c.txt");
    assert_done(r, &um_components_delete, D1, NULL);
    assert_int_equal(content_rig_count(t, VERSIONS), 0);
    assert_int_equal(content_rig_count(t, FILES), 0);
}

static void versions_need_a_class_and_rights_for_them(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char version[100];

    assert_done(r, &um_components_create, DOCS, "[{'id':'p','data':{'classId':'Plain'}}]");
    assert_refused(r, &um_versions_create, "{'id':'p'}", NULL, "U00400");
    put(t, NULL, "Manual", "one", "a.txt");
    assert_done(r, &um_versions_create, ID, NULL);
    snprintf(version, sizeof(version), "%s", current(t));
    assert_refused(r, &um_versions_get, "{'id':'d1','versionId':'0'}", NULL, "U00404");
    assert_refused(r, &um_versions_get, "{'id':'d1','versionId':'x'}", NULL, "U00404");
    BE(r, "bob", "main", "NOTHING");
    assert_done(r, &um_versions_get, version, NULL);
    assert_refused(r, &um_versions_create, ID, NULL, "U00403");
    assert_refused(r, &um_versions_revert, version, NULL, "U00403");
    assert_refused(r, &um_versions_delete, version, NULL, "U00403");
    assert_refused(r, &um_versions_clear, ID, NULL, "U00403");
}

static void a_versions_files_are_there_when_the_document_has_others(void **state)
{
    struct content_rig *t = *state;
    struct domain_rig *r = &t->rig;
    char version[100], file[200], content[100];

    put(t, NULL, "Manual", "one", "a.txt");
    assert_done(r, &um_document_files_contents, ID, NULL);
    snprintf(content, sizeof(content), "%s", domain_rig_at(r, "/0/content"));
    assert_done(r, &um_versions_create, ID, "'first'");
    snprintf(version, sizeof(version), "%s", current(t));
    put(t, D1, "Manual", "two", "b.txt");
    assert_done(r, &um_document_files_list, version, NULL);
    assert_int_equal(json_array_size(r->reply), 1);
    assert_at(r, "/0/name", "a.txt");
    snprintf(file, sizeof(file), "{'fileId':'%s',%s", domain_rig_at(r, "/0/id"), version + 1);
    assert_done(r, &um_document_files_contents, file, NULL);
    assert_at(r, "/0/content", content);
    assert_done(r, &um_document_files_contents, version, NULL);
    assert_at(r, "/0/name", "a.txt");
    assert_int_equal(content_rig_count(t, "SELECT count(*) FROM contents WHERE due_ms IS NOT NULL"), 0);     /* nothing to sweep */
    BE(r, "bob", "main", "NOTHING");         /* who may READ, and no more */
    assert_done(r, &um_document_files_list, version, NULL);
    assert_refused(r, &um_document_files_contents, file, NULL, "U00403");
    BE(r, "ann", "main", "ADMIN");
    assert_refused(r, &um_document_files_list, "{'id':'d1','versionId':'0'}", NULL, "U00404");
    assert_done(r, &um_versions_delete, version, NULL);
    assert_refused(r, &um_document_files_contents, file, NULL, "U00404");
    assert_int_equal(content_rig_count(t, "SELECT count(*) FROM contents WHERE due_ms IS NOT NULL"), 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_test, close_test)
    const struct CMUnitTest tests[] = {
        T(a_version_is_the_document_as_it_was), T(a_document_goes_back_to_a_version_with_its_files),
        T(a_class_that_says_so_keeps_each_change_of_files), T(versions_go_one_by_one_or_with_their_document),
        T(versions_need_a_class_and_rights_for_them), T(a_versions_files_are_there_when_the_document_has_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
