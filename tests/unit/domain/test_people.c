/* Users, groups and roles of a scope, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define TEAMS(more) "[{'id':'main','people':{'profiles':[" more "]}}]"

static char account[40];

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

/* As after a login: all that the database knows of USER. */
static void be_account(struct domain_rig *r, const char *user)
{
    char args[300];

    BE(r, "", "main", "NOTHING");
    snprintf(args, sizeof(args), "{'id':'%s'}", user);
    assert_done(r, &um_users_credentials, args, NULL);
    snprintf(account, sizeof(account), "%s", domain_rig_at(r, "/account"));
    BE(r, user, "main", "NOTHING");
    r->who.account = account;
}

static void be_admin(struct domain_rig *r) { BE(r, "root", "main", "ADMIN"); }

static void make_user(struct domain_rig *r, const char *body)
{
    be_admin(r);
    assert_done(r, &um_users_create, "{'hash':'h'}", body);
}

static bool lists(const json_t *list, const char *name)
{
    json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
        if (strcmp(json_string_value(v), name) == 0)
            return true;
    return false;
}

/* What the caller is now. */
static bool is_in(struct domain_rig *r, const char *member, const char *name)
{
    assert_done(r, &um_users_present, NULL, NULL);
    return lists(json_object_get(r->reply, member), name);
}

/* ---- users ---- */

static void a_user_comes_back_without_the_password(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva','firstname':'Eva','lastname':'Lu','mail':'eva@example.org','attributes':{'floor':3},'profiles':['crew']}");
    assert_at(r, "/displayName", "Eva Lu");
    assert_at(r, "/version", "1");
    assert_null(json_object_get(r->reply, "password"));
    assert_done(r, &um_users_get, "{'ids':['eva']}", NULL);
    assert_at(r, "/mail", "eva@example.org");
    assert_true(json_is_true(json_object_get(r->reply, "enabled")));
    assert_null(json_object_get(r->reply, "password"));
    assert_int_equal(r->version, 1);
    assert_refused(r, &um_users_create, NULL, "{'id':'eva'}", "U00410");
    assert_refused(r, &um_users_get, "{'ids':['nobody']}", NULL, "U00404");
    assert_refused(r, &um_users_create, NULL, "{'id':' blank'}", "U00400");
}

static void an_update_replaces_all_but_password_and_state(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva','mail':'eva@example.org','profiles':['crew'],'enabled':false}");
    assert_done(r, &um_users_update, "{'id':'eva'}", "{'id':'eva','displayName':'E.','version':1}");
    assert_null(domain_rig_at(r, "/mail"));
    assert_at(r, "/version", "2");
    assert_true(json_is_false(json_object_get(r->reply, "enabled")));
    assert_refused(r, &um_users_update, "{'id':'eva'}", "{'id':'eva','version':1}", "U00409");
    assert_refused(r, &um_users_update, "{'id':'eva'}", "{'id':'adam'}", "U00400");
    assert_refused(r, &um_users_update, "{'id':'eva'}", "{'id':'eva','password':'secret secret'}", "U00400");
    assert_refused(r, &um_users_update, "{'id':'eva','If-Match':'\\u00221\\u0022'}", "{'id':'eva'}", "U00412");
    assert_done(r, &um_users_credentials, "{'id':'eva'}", NULL);
    assert_at(r, "/hash", "h");
}

static void others_see_a_name_and_nothing_else(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva','displayName':'Eva','mail':'eva@example.org'}");
    make_user(r, "{'id':'adam'}");
    be_account(r, "adam");
    assert_done(r, &um_users_get, "{'ids':['eva']}", NULL);
    assert_int_equal(json_object_size(r->reply), 2);
    assert_done(r, &um_users_get, "{'ids':['adam','eva']}", NULL);
    assert_non_null(json_object_get(json_array_get(r->reply, 0), "createdAt"));
    assert_int_equal(json_object_size(json_array_get(r->reply, 1)), 2);
}

static void a_search_finds_how_words_of_a_name_begin(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva.lu','displayName':'Éva Lu'}");
    make_user(r, "{'id':'eve','displayName':'Eve Adams'}");
    make_user(r, "{'id':'steve','displayName':'Steve'}");
    assert_done(r, &um_users_search, "{'name':'ev','max':10}", NULL);
    assert_int_equal(json_array_size(json_object_get(r->reply, "results")), 2);
    assert_at(r, "/results/0/id", "eva.lu");
    assert_done(r, &um_users_search, "{'name':'AD ev','max':10}", NULL);
    assert_int_equal(json_array_size(json_object_get(r->reply, "results")), 1);
    assert_at(r, "/results/0/id", "eve");
    assert_done(r, &um_users_search, "{'name':'%','max':2}", NULL);
    assert_at(r, "/next", "eve");
    assert_done(r, &um_users_search, "{'max':2,'after':'eve'}", NULL);
    assert_at(r, "/results/0/id", "steve");
    assert_null(domain_rig_at(r, "/next"));
}

static void a_token_ends_with_the_account_it_was_made_for(void **state)
{
    struct domain_rig *r = *state;
    char before[40];

    make_user(r, "{'id':'eva'}");
    be_account(r, "eva");
    snprintf(before, sizeof(before), "%s", account);
    assert_done(r, &um_objects_list, "{'kind':'acl'}", NULL);
    be_admin(r);
    assert_done(r, &um_users_enable, "{'id':'eva'}", "{'enabled':false}");
    assert_non_null(strstr(r->caches, "main/user:"));
    assert_string_equal(r->changes, "account:USER/eva ");
    BE(r, "eva", "main", "NOTHING");
    r->who.account = before;
    assert_refused(r, &um_objects_list, "{'kind':'acl'}", NULL, "U00401");
    be_admin(r);
    assert_done(r, &um_users_enable, "{'id':'eva'}", "{'enabled':true}");
    BE(r, "eva", "main", "NOTHING");
    r->who.account = before;                 /* it does not come back with the account */
    assert_refused(r, &um_objects_list, "{'kind':'acl'}", NULL, "U00401");
    be_account(r, "eva");
    assert_done(r, &um_objects_list, "{'kind':'acl'}", NULL);
    be_admin(r);
    assert_done(r, &um_users_delete, "{'id':'eva'}", NULL);
    make_user(r, "{'id':'eva'}");
    BE(r, "eva", "main", "NOTHING");
    r->who.account = account;
    assert_refused(r, &um_objects_list, "{'kind':'acl'}", NULL, "U00401");
}

static void a_password_set_by_oneself_keeps_the_tokens_and_by_another_ends_them(void **state)
{
    struct domain_rig *r = *state;
    char args[200];

    make_user(r, "{'id':'eva','credentialsExpired':true}");
    be_account(r, "eva");
    snprintf(args, sizeof(args), "{'id':'eva','hash':'h2','proved':'%s'}", account);
    assert_done(r, &um_users_password, args, NULL);
    assert_done(r, &um_users_credentials, "{'id':'eva'}", NULL);
    assert_at(r, "/hash", "h2");
    assert_true(json_is_false(json_object_get(r->reply, "expired")));
    assert_string_equal(r->changes, "");
    assert_refused(r, &um_users_password, "{'id':'eva','hash':'h3'}", NULL, "U00403");
    assert_refused(r, &um_users_password, "{'id':'eva','hash':'h3','proved':'1'}", NULL, "U00409");
    be_admin(r);
    assert_done(r, &um_users_password, "{'id':'eva','hash':'h3','expired':true}", NULL);
    BE(r, "eva", "main", "NOTHING");
    r->who.account = account;
    assert_refused(r, &um_users_present, NULL, NULL, "U00401");
    BE(r, "", "main", "NOTHING");
    assert_done(r, &um_users_credentials, "{'id':'eva'}", NULL);
    assert_true(json_is_true(json_object_get(r->reply, "expired")));
}

/* ---- groups ---- */

static void group(struct domain_rig *r, const char *body)
{
    be_admin(r);
    assert_done(r, &um_groups_create, NULL, body);
}

static void groups_of_groups_teams_and_profiles_count_at_once(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva','profiles':['own']}");
    group(r, "{'id':'deck','members':['eva']}");
    group(r, "{'id':'crew','members':['deck'],'profiles':['sailors']}");
    be_admin(r);
    assert_done(r, &um_scopes_update, "{'ids':['main']}",
                TEAMS("{'id':'fleet','principals':['navy']},{'id':'navy','principals':['crew']},{'id':'other','principals':['adam']}"));
    be_account(r, "eva");
    assert_true(is_in(r, "groups", "deck"));
    assert_true(is_in(r, "groups", "crew"));
    assert_true(is_in(r, "profiles", "own"));
    assert_true(is_in(r, "profiles", "sailors"));
    assert_true(is_in(r, "profiles", "fleet"));
    assert_false(is_in(r, "profiles", "other"));
    be_admin(r);
    assert_done(r, &um_groups_update, "{'id':'deck'}", "{'id':'deck','members':[]}");
    assert_non_null(strstr(r->caches, "main/group:"));
    be_account(r, "eva");
    assert_false(is_in(r, "groups", "crew"));
    assert_false(is_in(r, "profiles", "fleet"));
    assert_true(is_in(r, "profiles", "own"));
}

static void an_acl_may_name_a_group(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva'}");
    group(r, "{'id':'deck','members':['eva']}");
    be_admin(r);
    assert_done(r, &um_objects_create, "{'kind':'acl'}", "[{'id':'decks','entries':[{'principal':'deck','permission':'*','grant':'ALLOW'}]}]");
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", "[{'id':'C','category':'DOCUMENT','data':{'ACL':'decks'}}]");
    be_account(r, "eva");
    assert_done(r, &um_components_create, "{'category':'DOCUMENT'}", "[{'id':'d','name':'d','data':{'classId':'C'}}]");
    be_admin(r);
    assert_done(r, &um_groups_delete, "{'id':'deck'}", NULL);
    be_account(r, "eva");
    assert_refused(r, &um_components_get, "{'category':'DOCUMENT','ids':['d']}", NULL, "F00012");
}

static void circles_of_groups_are_harmless(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva'}");
    group(r, "{'id':'a','members':['b','eva','a']}");
    group(r, "{'id':'b','members':['c']}");
    group(r, "{'id':'c','members':['a'],'profiles':['round']}");
    assert_done(r, &um_groups_get, "{'ids':['a']}", NULL);
    assert_at(r, "/groups/0", "b");
    assert_at(r, "/groups/1", "c");
    assert_null(domain_rig_at(r, "/groups/2"));
    be_account(r, "eva");
    assert_true(is_in(r, "groups", "a"));
    assert_true(is_in(r, "groups", "b"));
    assert_true(is_in(r, "groups", "c"));
    assert_true(is_in(r, "profiles", "round"));
}

static void users_groups_and_teams_are_one_space_of_names(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva'}");
    group(r, "{'id':'deck'}");
    be_admin(r);
    assert_done(r, &um_scopes_update, "{'ids':['main']}", TEAMS("{'id':'navy'}"));
    assert_refused(r, &um_groups_create, NULL, "{'id':'eva'}", "U00410");
    assert_refused(r, &um_users_create, NULL, "{'id':'deck'}", "U00410");
    assert_refused(r, &um_users_create, NULL, "{'id':'navy'}", "U00410");
    assert_refused(r, &um_users_create, NULL, "{'id':'ADMIN'}", "U00410");
    assert_refused(r, &um_groups_create, NULL, "{'id':'SYSTEM_ADMIN'}", "U00410");
}

static void who_is_in_a_team_is_found_also_by_a_group(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva','profiles':['navy']}");
    make_user(r, "{'id':'adam'}");
    make_user(r, "{'id':'carl'}");
    group(r, "{'id':'deck','members':['adam'],'profiles':['navy']}");
    assert_done(r, &um_users_of_teams, "{'profiles':['navy'],'username':'*','max':10}", NULL);
    assert_int_equal(json_array_size(r->reply), 2);
    assert_at(r, "/0/id", "adam");
    assert_at(r, "/1/id", "eva");
    assert_done(r, &um_users_of_teams, "{'profiles':['navy'],'username':'e','max':10}", NULL);
    assert_int_equal(json_array_size(r->reply), 1);
}

/* ---- roles ---- */

static void a_role_of_an_account_is_what_the_scope_says_now(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva'}");
    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_update, "{'ids':['main']}", TEAMS("{'id':'ADMIN','principals':['eva']}"));
    be_account(r, "eva");
    r->who.role = "ADMIN";
    assert_done(r, &um_users_create, NULL, "{'id':'adam'}");
    assert_done(r, &um_scopes_update, "{'ids':['main']}", TEAMS("{'id':'ADMIN','principals':[]}"));
    assert_refused(r, &um_users_create, NULL, "{'id':'carl'}", "U00403");
    BE(r, "eva", "main", "ADMIN");           /* what a token says does not count beside an account */
    r->who.account = account;
    r->who.role = "ADMIN";
    assert_refused(r, &um_users_create, NULL, "{'id':'carl'}", "U00403");
}

static void a_role_ends_at_the_scope_s_border(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "root", "main", "SYSTEM_ADMIN");
    domain_rig_ask(r, &um_scopes_delete, "{'ids':['other']}", NULL);
    assert_done(r, &um_scopes_create, NULL, "[{'id':'other','people':{'profiles':[{'id':'ADMIN','principals':['eva']}]},'data':{'ACL':'hers'}}]");
    BE(r, "root", "other", "SYSTEM_ADMIN");
    assert_done(r, &um_objects_create, "{'kind':'acl'}", "[{'id':'hers','entries':[{'principal':'eva','permission':'*','grant':'ALLOW'}]}]");
    make_user(r, "{'id':'eva','profiles':['ADMIN']}");
    be_account(r, "eva");
    assert_done(r, &um_users_create, NULL, "{'id':'adam'}");
    assert_refused(r, &um_scopes_get, "{'ids':['other']}", NULL, "U00403");      /* an eva of other may */
    assert_refused(r, &um_scopes_update, "{'ids':['other']}", "[{'id':'other'}]", "U00403");
    r->who.scope = "other";
    assert_refused(r, &um_objects_list, "{'kind':'acl'}", NULL, "U00401");
    r->who.scope = "main";
    r->who.role = "SYSTEM_ADMIN";
    assert_refused(r, &um_scopes_list, NULL, NULL, "U00403");
}

static void nobody_gives_or_takes_a_role_that_he_has_not(void **state)
{
    struct domain_rig *r = *state;

    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_update, "{'ids':['main']}", TEAMS("{'id':'ADMIN','principals':['chiefs','future']}"));
    make_user(r, "{'id':'boss','profiles':['ADMIN']}");
    make_user(r, "{'id':'eva'}");
    group(r, "{'id':'chiefs','members':[]}");
    group(r, "{'id':'below','members':[]}");
    be_admin(r);
    assert_done(r, &um_groups_update, "{'id':'chiefs'}", "{'id':'chiefs','members':['below']}");
    BE(r, "guard", "main", "SECURITY_ADMIN");
    assert_refused(r, &um_users_create, NULL, "{'id':'x','profiles':['ADMIN']}", "U00403");
    assert_refused(r, &um_users_create, NULL, "{'id':'future'}", "U00403");              /* the team waits for him */
    assert_refused(r, &um_users_update, "{'id':'eva'}", "{'id':'eva','profiles':['FUNCTIONAL_ADMIN']}", "U00403");
    assert_refused(r, &um_users_update, "{'id':'boss'}", "{'id':'boss'}", "U00403");
    assert_refused(r, &um_users_enable, "{'id':'boss'}", "{'enabled':false}", "U00403");
    assert_refused(r, &um_users_password, "{'id':'boss','hash':'h'}", NULL, "U00403");
    assert_refused(r, &um_users_delete, "{'id':'boss'}", NULL, "U00403");
    assert_refused(r, &um_groups_create, NULL, "{'id':'y','profiles':['ADMIN'],'members':['eva']}", "U00403");
    assert_refused(r, &um_groups_update, "{'id':'chiefs'}", "{'id':'chiefs','members':['eva']}", "U00403");
    assert_refused(r, &um_groups_update, "{'id':'below'}", "{'id':'below','members':['eva']}", "U00403");
    assert_refused(r, &um_groups_delete, "{'id':'below'}", NULL, "U00403");
    assert_done(r, &um_users_update, "{'id':'eva'}", "{'id':'eva','profiles':['SECURITY_ADMIN','crew']}");
    be_account(r, "eva");
    assert_false(is_in(r, "profiles", "ADMIN"));
    be_admin(r);
    assert_refused(r, &um_users_create, NULL, "{'id':'x','profiles':['SYSTEM_ADMIN']}", "U00403");
    assert_refused(r, &um_groups_create, NULL, "{'id':'x','profiles':['SYSTEM_ADMIN']}", "U00403");
    assert_done(r, &um_scopes_update, "{'ids':['main']}", TEAMS("{'id':'SYSTEM_ADMIN','principals':['eva']}"));
    be_account(r, "eva");
    r->who.role = "SYSTEM_ADMIN";
    assert_refused(r, &um_scopes_list, NULL, NULL, "U00403");
}

static void a_scope_takes_its_people_with_it(void **state)
{
    struct domain_rig *r = *state;

    make_user(r, "{'id':'eva'}");
    be_account(r, "eva");
    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_delete, "{'ids':['main'],'force':true}", NULL);
    BE(r, "eva", "main", "NOTHING");
    r->who.account = account;
    assert_refused(r, &um_users_present, NULL, NULL, "U00401");
    BE(r, "root", "main", "SYSTEM_ADMIN");
    assert_done(r, &um_scopes_create, NULL, "[{'id':'main'}]");
    assert_refused(r, &um_users_get, "{'ids':['eva']}", NULL, "U00404");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(a_user_comes_back_without_the_password), T(an_update_replaces_all_but_password_and_state), T(others_see_a_name_and_nothing_else),
        T(a_search_finds_how_words_of_a_name_begin), T(a_token_ends_with_the_account_it_was_made_for),
        T(a_password_set_by_oneself_keeps_the_tokens_and_by_another_ends_them), T(groups_of_groups_teams_and_profiles_count_at_once),
        T(an_acl_may_name_a_group), T(circles_of_groups_are_harmless), T(users_groups_and_teams_are_one_space_of_names),
        T(who_is_in_a_team_is_found_also_by_a_group), T(a_role_of_an_account_is_what_the_scope_says_now), T(a_role_ends_at_the_scope_s_border),
        T(nobody_gives_or_takes_a_role_that_he_has_not), T(a_scope_takes_its_people_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
