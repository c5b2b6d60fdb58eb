/* Exports of searches: rows of the database that become a file while they are read. On memory, or UMBEL_STORE_URL. */
#include "search_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define DOCUMENTS "'category':'DOCUMENT'"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    search_rig_clear(r);
    search_rig_model(r);
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void put_many(struct domain_rig *r, int n)
{
    json_t *bodies = json_array();

    for (int i = 0; i < n; i++)
        json_array_append_new(bodies, json_pack("{s:o, s:s, s:{s:s, s:s}}", "id", json_sprintf("d%04d", i), "name", "One", "data", "classId", "A",
                                                "ACL", i % 3 == 0 ? "none" : "all"));
    search_rig_put_json(r, bodies);
}

/* Args that name the newest job, with more. */
static const char *args_of(const struct domain_rig *r, const char *more)
{
    static char args[24 << 10];

    if (domain_rig_at((struct domain_rig *)r, "/jobId") != NULL)
        snprintf(args, sizeof(args), "{" DOCUMENTS ",'jobId':'%s'%s}", domain_rig_at((struct domain_rig *)r, "/jobId"), more);
    return args;
}

static void read_all(struct domain_rig *r, const char *job, struct um_buf *out, int *pieces)
{
    char *after = NULL, args[24 << 10];

    *pieces = 0;
    do {
        snprintf(args, sizeof(args), "{" DOCUMENTS ",'jobId':'%s'%s%s%s}", job, after != NULL ? ",'after':'" : "", after != NULL ? after : "", after != NULL ? "'" : "");
        free(after);
        assert_done(r, &um_search_job_page, args, NULL);
        um_buf_puts(out, domain_rig_at(r, "/text"));
        after = domain_rig_at(r, "/after") != NULL ? um_xstrdup(domain_rig_at(r, "/after")) : NULL;
        ++*pieces;
    } while (after != NULL);
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *p = text; (p = strstr(p, part)) != NULL; p += strlen(part))
        n++;
    return n;
}

static void an_export_has_every_row_once(void **state)
{
    struct domain_rig *r = *state;
    struct um_buf text = { 0 };
    char job[64];
    int pieces;

    put_many(r, 1600);
    assert_done(r, &um_search_csv, "{" DOCUMENTS "}", "{'start':3,'max':1,'orderClauses':[{'name':'id'}],'selectClause':{'fields':['id','name']}}");
    snprintf(job, sizeof(job), "%s", domain_rig_at(r, "/jobId"));
    read_all(r, job, &text, &pieces);
    assert_int_equal(pieces, 3);
    assert_int_equal(count(um_buf_cstr(&text), "\r\n"), 1 + 1600 - 534);
    assert_int_equal(strncmp(um_buf_cstr(&text), "id,name\r\nd0001,One\r\nd0002,One\r\nd0004,One\r\n", 42), 0);
    assert_int_equal(count(um_buf_cstr(&text), "d1598,One"), 1);
    um_buf_free(&text);
}

static void cells_are_texts_and_titles_have_a_language(void **state)
{
    struct domain_rig *r = *state;
    struct um_buf text = { 0 };
    char job[64];
    int pieces;

    assert_done(r, &um_objects_update, "{'kind':'tagclass','ids':['T']}",
                "[{'id':'T','type':'STRING','displayNames':[{'language':'EN','value':'Title'},{'language':'FR','value':'=Titre'}]}]");
    search_rig_put(r, "{'id':'a','name':'=1+1','data':{'classId':'A','ACL':'all'},'tags':[{'name':'T','value':['x, \\u0022y\\u0022','@z']},{'name':'N','value':['-5']}]}");
    search_rig_put(r, "{'id':'b','name':'+cmd|x','data':{'classId':'A','ACL':'all'},'tags':[{'name':'N','value':['7']}]}");
    assert_done(r, &um_search_csv, "{" DOCUMENTS ",'locale':'fr_FR'}", "{'orderClauses':[{'name':'id'}],'selectClause':{'fields':['T','name','N','nothing']}}");
    snprintf(job, sizeof(job), "%s", domain_rig_at(r, "/jobId"));
    read_all(r, job, &text, &pieces);
    assert_string_equal(um_buf_cstr(&text), "\"'=Titre\",name,N,nothing\r\n\"x, \"\"y\"\"\u00a7@z\",\"'=1+1\",-5,\r\n,\"'+cmd|x\",7,\r\n");
    um_buf_free(&text);
}

static void an_export_is_its_user_s_and_tells_how_it_is(void **state)
{
    struct domain_rig *r = *state;
    char args[256];

    assert_refused(r, &um_search_csv, "{" DOCUMENTS "}", "{'filterClauses':[{'type':'What'}]}", "T00104");
    assert_done(r, &um_search_csv, "{" DOCUMENTS "}", "{}");
    snprintf(args, sizeof(args), "%s", args_of(r, ""));
    assert_done(r, &um_search_job, args, NULL);
    assert_at(r, "/status", "FINISHED");
    assert_done(r, &um_search_job_error, args, NULL);
    assert_at(r, "/error", "");
    assert_done(r, &um_search_job_fail, args_of(r, ",'error':'the store is away'"), NULL);
    assert_done(r, &um_search_job, args, NULL);
    assert_at(r, "/status", "FAILED");
    assert_done(r, &um_search_job_error, args, NULL);
    assert_at(r, "/error", "the store is away");
    BE(r, "bob", "main", "ADMIN");
    assert_refused(r, &um_search_job, args, NULL, "U00404");
    assert_refused(r, &um_search_job_page, args, NULL, "U00404");
    BE(r, "ann", "main", "ADMIN");
    assert_refused(r, &um_search_job, "{'category':'TASK','jobId':'x'}", NULL, "U00404");
}

static void exports_of_a_user_are_counted(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "carl", "main", "ADMIN");
    for (int i = 0; i < 100; i++)
        assert_done(r, &um_search_csv, "{" DOCUMENTS "}", "{}");
    assert_refused(r, &um_search_csv, "{" DOCUMENTS "}", "{}", "U00413");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(an_export_has_every_row_once), T(cells_are_texts_and_titles_have_a_language), T(an_export_is_its_user_s_and_tells_how_it_is),
        T(exports_of_a_user_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
