/* Components as calls, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define DOCS "{'category':'DOCUMENT'}"
#define NEW(id, more) "[{'id':'" id "','name':'n','data':{'classId':'Invoice'" more "}}]"

static const char classes[] =
    "[{'id':'Invoice','category':'DOCUMENT','data':{'ACL':'all'}},{'id':'Secret','category':'DOCUMENT','data':{'ACL':'owners'}},"
    " {'id':'Old','category':'DOCUMENT','active':false,'data':{'ACL':'all'}}]";

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'owners','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", classes);
    assert_done(r, &um_objects_create, "{'kind':'taskclass'}", "[{'id':'Check','category':'TASK','data':{'ACL':'all'}}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void a_component_comes_back_as_it_was_given(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS,
                "[{'id':'d1','name':'n','data':{'classId':'Invoice','status':'new'},'other':{'x':[1,null]},'reservationToken':7}]");
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/category", "DOCUMENT");
    assert_at(r, "/0/data/ACL", "all");
    assert_at(r, "/0/data/owner", "ann");
    assert_at(r, "/0/data/status", "new");
    assert_at(r, "/0/data/version", "1");
    assert_at(r, "/0/other/x/0", "1");
    assert_null(domain_rig_at(r, "/0/reservationToken"));
    assert_int_equal(r->version, 1);
}

static void an_id_is_taken_as_given_or_made_and_never_twice(void **state)
{
    struct domain_rig *r = *state;
    char made[64];

    assert_done(r, &um_components_create, DOCS, "[{'name':'n','data':{'classId':'Invoice'}}]");
    snprintf(made, sizeof(made), "%s", domain_rig_at(r, "/0/id"));
    assert_int_equal(strlen(made), 36);
    assert_refused(r, &um_components_create, DOCS, "[{'id':'a','data':{'classId':'Invoice'}},{'id':'a','data':{'classId':'Invoice'}}]", "T00108");
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/1");
    assert_refused(r, &um_components_get, "{'category':'DOCUMENT','ids':['a']}", NULL, "F00012");
    assert_done(r, &um_components_create, DOCS, NEW("a", ""));
    assert_refused(r, &um_components_create, DOCS, NEW("a", ""), "T00108");
    assert_done(r, &um_components_create, "{'category':'TASK'}", "[{'id':'a','data':{'classId':'Check'}}]");   /* ids are a category's */
    assert_refused(r, &um_components_create, DOCS, NEW("a\\n", ""), "U00400");
}

static void a_creation_date_may_be_a_little_ahead_and_no_more(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS, NEW("d1", ",'creationDate':'2020-03-07 13:59:54.854 +0100'"));
    assert_at(r, "/0/data/creationDate", "2020-03-07 13:59:54.854 +0100");
    assert_refused(r, &um_components_create, DOCS, NEW("d2", ",'creationDate':'2999-03-07 13:59:54.854 +0100'"), "F00013");
    assert_refused(r, &um_components_create, DOCS, NEW("d2", ",'creationDate':'yesterday'"), "U00400");
}

static void a_class_says_who_creates_and_under_which_acl(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_components_create, DOCS, "[{'data':{'classId':'Nothing'}}]", "F00206");
    assert_refused(r, &um_components_create, DOCS, "[{'name':'n'}]", "F00206");
    assert_refused(r, &um_components_create, DOCS, "[{'data':{'classId':'Old'}}]", "U00400");
    assert_refused(r, &um_components_create, DOCS, "[{'category':'TASK','data':{'classId':'Invoice'}}]", "U00400");
    assert_done(r, &um_components_create, DOCS, "[{'id':'s','data':{'classId':'Secret'}}]");
    assert_at(r, "/0/data/ACL", "owners");
    BE(r, "bob", "main", "NOTHING");
    assert_refused(r, &um_components_create, DOCS, "[{'data':{'classId':'Secret'}}]", "U00403");
    assert_done(r, &um_components_create, DOCS, NEW("b", ""));
    assert_refused(r, &um_components_create, DOCS, NEW("b2", ",'ACL':'nothing'"), "T01002");
    assert_refused(r, &um_components_create, DOCS, NEW("b2", ",'ACL':'owners'"), "U00403");
    assert_refused(r, &um_components_update, "{'category':'DOCUMENT','ids':['b']}", NEW("b", ",'ACL':'owners'"), "U00403");
}

static void what_may_not_be_read_is_as_absent_as_what_is_not_there(void **state)
{
    struct domain_rig *r = *state;
    char absent[512];

    assert_done(r, &um_components_create, DOCS, NEW("d1", ",'ACL':'owners'"));
    BE(r, "bob", "main", "NOTHING");
    assert_refused(r, &um_components_get, "{'category':'DOCUMENT','ids':['d1']}", NULL, "F00012");
    snprintf(absent, sizeof(absent), "%s", r->message);
    assert_string_equal(absent, "there is no DOCUMENT d1");
    assert_refused(r, &um_components_update, D1, NEW("d1", ""), "F00012");
    assert_refused(r, &um_components_delete, D1, NULL, "F00012");
    assert_refused(r, &um_components_get, "{'category':'TASK','ids':['t']}", NULL, "T00103");
    BE(r, "ann", "main", "ADMIN");
    assert_done(r, &um_components_delete, D1, NULL);
    assert_refused(r, &um_components_get, D1, NULL, "F00012");
}

static void an_update_replaces_the_whole_of_the_version_that_it_knew(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS, "[{'id':'d1','name':'n','data':{'classId':'Invoice','status':'new'},'other':1}]");
    assert_done(r, &um_components_update, D1, NEW("d1", ",'version':1,'owner':'eve'"));
    assert_at(r, "/0/data/version", "2");
    assert_at(r, "/0/data/owner", "ann");
    assert_null(domain_rig_at(r, "/0/other"));
    assert_null(domain_rig_at(r, "/0/data/status"));
    assert_refused(r, &um_components_update, D1, NEW("d1", ",'version':1"), "U00409");
    assert_refused(r, &um_components_update, "{'category':'DOCUMENT','ids':['d1'],'If-Match':'\\u00221\\u0022'}", NEW("d1", ""), "U00412");
    assert_refused(r, &um_components_delete, "{'category':'DOCUMENT','ids':['d1'],'If-Match':'\\u00221\\u0022'}", NULL, "U00412");
    assert_refused(r, &um_components_update, D1, NEW("d2", ""), "U00400");
    assert_done(r, &um_components_update, D1, NEW("d1", ""));      /* no version: the last one wins */
    assert_refused(r, &um_components_update, D1, NEW("d1", ",'ACL':'read'"), "U00403");
}

static void rights_are_those_of_the_instance(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_create, "{'kind':'acl'}",
                "[{'id':'look','entries':[{'principal':'ann','permission':'*','grant':'ALLOW'},{'principal':'*','permission':'READ','grant':'ALLOW'}]}]");
    assert_done(r, &um_components_create, DOCS, NEW("d1", ",'ACL':'look'"));
    BE(r, "bob", "main", "NOTHING");
    assert_done(r, &um_components_get, D1, NULL);
    assert_refused(r, &um_components_update, D1, NEW("d1", ""), "U00403");
    assert_refused(r, &um_components_delete, D1, NULL, "U00403");
    BE(r, "ann", "main", "ADMIN");
    r->who.read_only = true;
    assert_refused(r, &um_components_delete, D1, NULL, "U00403");
}

/* ---- reservations ---- */

struct grant { int calls; uint64_t token; };
static void on_grant(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct grant *g = arg;

    (void)version;
    assert_int_equal(err, UM_OK);
    g->token = n > 0 ? rows[0].token : 0;
    g->calls++;
}

static uint64_t reserve(struct domain_rig *r, const char *id, const char *session)
{
    struct um_store_ref ref = { .category = "DOCUMENT", .id = id };
    struct grant g = { 0 };

    um_store_reserve(r->store.st, r->store.loop, &ref, 1, "bob", session, 60000, on_grant, &g);
    rig_turn_until(&r->store, &g.calls, 1);
    return g.token;
}

static void release(struct domain_rig *r, const char *id, const char *session)
{
    struct um_store_ref ref = { .category = "DOCUMENT", .id = id };
    struct grant g = { 0 };

    um_store_release(r->store.st, r->store.loop, &ref, 1, session, on_grant, &g);
    rig_turn_until(&r->store, &g.calls, 1);
}

static void what_others_have_reserved_stays_as_it_is(void **state)
{
    struct domain_rig *r = *state;
    const json_t *row;

    assert_done(r, &um_components_create, DOCS, NEW("d1", ""));
    reserve(r, "d1", "bob's");
    assert_refused(r, &um_components_update, D1, NEW("d1", ""), "U00423");
    row = json_array_get(json_object_get(r->details, "reservations"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "user")), "bob");
    assert_non_null(json_object_get(row, "since"));
    assert_null(json_object_get(row, "token"));
    assert_refused(r, &um_components_delete, D1, NULL, "U00423");
    r->who.session = "bob's";
    assert_done(r, &um_components_update, D1, NEW("d1", ""));
    release(r, "d1", "bob's");
    r->who.session = "s";
    assert_done(r, &um_components_update, D1, NEW("d1", ""));
}

static void a_token_that_is_not_the_newest_is_refused(void **state)
{
    struct domain_rig *r = *state;
    char body[200], args[200];
    uint64_t old, token;

    assert_done(r, &um_components_create, DOCS, NEW("d1", ""));
    old = reserve(r, "d1", "s");
    release(r, "d1", "s");
    token = reserve(r, "d1", "s");
    assert_true(token > old);
    snprintf(body, sizeof(body), "[{'data':{'classId':'Invoice'},'reservationToken':%llu}]", (unsigned long long)old);
    assert_refused(r, &um_components_update, D1, body, "U00423");
    snprintf(args, sizeof(args), "{'category':'DOCUMENT','ids':['d1'],'X-Reservation-Token':%llu}", (unsigned long long)old);
    assert_refused(r, &um_components_delete, args, NULL, "U00423");
    snprintf(body, sizeof(body), "[{'data':{'classId':'Invoice'},'reservationToken':%llu}]", (unsigned long long)token);
    assert_done(r, &um_components_update, D1, body);
    release(r, "d1", "s");
    assert_done(r, &um_components_update, D1, body);     /* over, but nobody has had it since */
}

/* ---- what they hang on ---- */

static void classes_acls_and_scopes_with_components_stay_unless_forced(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS, "[{'id':'s','data':{'classId':'Secret'}}]");
    assert_refused(r, &um_objects_delete, "{'kind':'documentclass','ids':['Secret']}", NULL, "U00409");
    assert_done(r, &um_components_update, "{'category':'DOCUMENT','ids':['s']}", "[{'data':{'classId':'Invoice'}}]");
    assert_done(r, &um_objects_delete, "{'kind':'documentclass','ids':['Secret']}", NULL);
    assert_refused(r, &um_objects_delete, "{'kind':'acl','ids':['owners']}", NULL, "U00409");    /* the instance has it still */
    assert_done(r, &um_objects_delete, "{'kind':'acl','ids':['owners'],'force':true}", NULL);
    assert_refused(r, &um_components_get, "{'category':'DOCUMENT','ids':['s']}", NULL, "F00012");
    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_refused(r, &um_scopes_delete, "{'ids':['main']}", NULL, "U00409");
}

static void a_forced_scope_goes_with_all_its_components(void **state)
{
    struct domain_rig *r = *state;

    for (int i = 0; i < 7; i++) {
        json_t *many = json_array();
        char *text;

        for (int n = 0; n < 30; n++)
            json_array_append_new(many, json_pack("{s:{s:s}}", "data", "classId", "Invoice"));
        text = json_dumps(many, 0);
        assert_done(r, &um_components_create, DOCS, text);
        free(text);
        json_decref(many);
    }
    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_delete, "{'ids':['main'],'force':true}", NULL);
    assert_refused(r, &um_scopes_get, "{'ids':['main']}", NULL, "U00404");
    assert_done(r, &um_scopes_create, NULL, "[{'id':'main'}]");
    assert_done(r, &um_scopes_delete, "{'ids':['main']}", NULL);     /* nothing was left behind */
    assert_done(r, &um_scopes_create, NULL, "[{'id':'main'}]");
}

static void changes_are_told_after_their_commit(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS, NEW("d1", ""));
    assert_string_equal(r->changes, "created:DOCUMENT/d1 ");
    assert_done(r, &um_components_update, D1, NEW("d1", ""));
    assert_string_equal(r->changes, "updated:DOCUMENT/d1 ");
    assert_done(r, &um_components_delete, D1, NULL);
    assert_string_equal(r->changes, "deleted:DOCUMENT/d1 ");
    assert_refused(r, &um_components_delete, D1, NULL, "F00012");
    assert_string_equal(r->changes, "");
}

static void is_body(struct domain_rig *r, const char *text, bool deleted)
{
    struct got g = { 0 };

    assert_int_equal(rig_load(&r->store, "component/main/d1", &g), UM_OK);
    assert_int_equal(g.deleted, deleted);
    assert_string_equal(g.updates, text);
}

/* Nobody but the store is here to do it: a core that dies after the commit leaves nothing to be done. */
static void a_body_ends_with_its_component_and_begins_empty(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_objects_update, "{'kind':'documentclass','ids':['Invoice']}",
                "[{'id':'Invoice','category':'DOCUMENT','collaborative':true,'data':{'ACL':'all'}}]");
    assert_done(r, &um_components_create, DOCS, NEW("d1", ""));
    assert_int_equal(rig_append(&r->store, "component/main/d1", "old", NULL), UM_OK);
    is_body(r, "old", false);
    assert_refused(r, &um_components_create, DOCS, NEW("d1", ""), "T00108");
    is_body(r, "old", false);
    assert_done(r, &um_components_delete, D1, NULL);
    is_body(r, "", true);
    assert_int_equal(rig_append(&r->store, "component/main/d1", "late", NULL), UM_EDENIED);
    assert_done(r, &um_components_create, DOCS, NEW("d1", ""));
    is_body(r, "", false);
    assert_int_equal(rig_append(&r->store, "component/main/d1", "new", NULL), UM_OK);
    is_body(r, "new", false);
    assert_done(r, &um_scopes_delete, "{'ids':['main'],'force':true}", NULL);
    is_body(r, "", true);
}

static void names_without_scopes_are_one_component_s_each(void **state)
{
    static const struct { const char *scope, *id, *shared; } cases[] = {
        { "main", "d1", "d1" }, { "", "d1", "d1" }, { "GEC", "d1", "component/GEC/d1" }, { "main", "GEC/d1", "GEC/d1" },
        { "main", "component/GEC/d1", "component/main/component/GEC/d1" }, { "GEC", "a/b", "component/GEC/a/b" },
    };
    struct domain_rig *r = *state;
    char shared[UM_DOMAIN_SHARED_MAX + 1], scope[UM_DOMAIN_SCOPE_MAX + 1], longest[UM_DOMAIN_SHARED_MAX + 2] = "";
    const char *id;

    for (size_t i = 0; i < UM_COUNT(cases); i++) {
        assert_true(um_domain_shared_id(r->d, cases[i].scope, cases[i].id, shared));
        assert_string_equal(shared, cases[i].shared);
        assert_true(um_domain_shared_parts(r->d, shared, scope, &id));
        assert_string_equal(scope, *cases[i].scope != '\0' ? cases[i].scope : "main");
        assert_string_equal(id, cases[i].id);
    }
    for (size_t i = 0; i < 4; i++)
        assert_false(um_domain_shared_parts(r->d, (const char *[]){ "component/", "component/GEC", "component/GEC/", "component//d1" }[i],
                                            scope, &id));
    memset(longest, 'x', UM_DOMAIN_SHARED_MAX + 1);
    assert_false(um_domain_shared_id(r->d, "main", longest, shared));
    assert_true(um_domain_shared_id(r->d, "main", longest + 1, shared));
    assert_false(um_domain_shared_id(r->d, "GEC", longest + UM_DOMAIN_SHARED_MAX - UM_DOMAIN_ID_MAX, shared));
    assert_true(um_domain_shared_id(r->d, "GEC", longest + UM_DOMAIN_SHARED_MAX + 1 - UM_DOMAIN_ID_MAX, shared));
    assert_false(um_domain_shared_id(r->d, longest, "d1", shared));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(a_component_comes_back_as_it_was_given), T(an_id_is_taken_as_given_or_made_and_never_twice),
        T(a_creation_date_may_be_a_little_ahead_and_no_more), T(a_class_says_who_creates_and_under_which_acl),
        T(what_may_not_be_read_is_as_absent_as_what_is_not_there), T(an_update_replaces_the_whole_of_the_version_that_it_knew),
        T(rights_are_those_of_the_instance), T(a_body_ends_with_its_component_and_begins_empty), T(names_without_scopes_are_one_component_s_each), T(what_others_have_reserved_stays_as_it_is), T(a_token_that_is_not_the_newest_is_refused),
        T(classes_acls_and_scopes_with_components_stay_unless_forced), T(a_forced_scope_goes_with_all_its_components),
        T(changes_are_told_after_their_commit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
