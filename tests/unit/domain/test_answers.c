/* Answers that are given again, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdlib.h>
#include <umbel/util.h>

#define DOCS "{'category':'DOCUMENT'}"
#define NEW "[{'name':'n','data':{'classId':'Doc'}}]"

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", "[{'id':'Doc','category':'DOCUMENT','data':{'ACL':'all'}}]");
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

/* Keys of a database of an earlier test are not ours. */
static const char *new_key(void)
{
    static char key[37];

    um_random_uuid(key);
    return key;
}

static void the_same_request_again_is_done_once(void **state)
{
    struct domain_rig *r = *state;
    char *id;

    r->who.idempotency_key = new_key();
    assert_done(r, &um_components_create, DOCS, NEW);
    id = um_xstrdup(domain_rig_at(r, "/0/id"));
    assert_string_not_equal(r->changes, "");
    assert_done(r, &um_components_create, DOCS, NEW);
    assert_string_equal(domain_rig_at(r, "/0/id"), id);
    assert_int_equal(r->version, 1);
    assert_string_equal(r->changes, "");
    r->who.idempotency_key = NULL;
    assert_done(r, &um_search, DOCS, "{'selectClause':{'fields':['name']},'max':10}");
    assert_at(r, "/found", "1");
    free(id);
}

static void a_key_is_for_one_request_of_one_user(void **state)
{
    struct domain_rig *r = *state;
    const char *key = new_key();

    r->who.idempotency_key = key;
    assert_done(r, &um_components_create, DOCS, NEW);
    assert_refused(r, &um_components_create, DOCS, "[{'name':'other','data':{'classId':'Doc'}}]", "U00409");
    BE(r, "bob", "main", "ADMIN");
    r->who.idempotency_key = key;
    assert_done(r, &um_components_create, DOCS, "[{'name':'bobs','data':{'classId':'Doc'}}]");
    assert_at(r, "/0/name", "bobs");
}

static void what_was_refused_may_be_asked_again(void **state)
{
    struct domain_rig *r = *state;

    const char *key = new_key();

    r->who.idempotency_key = key;
    assert_refused(r, &um_components_create, DOCS, "[{'name':'n','data':{'classId':'Late'}}]", "F00206");
    r->who.idempotency_key = NULL;
    assert_done(r, &um_objects_create, "{'kind':'documentclass'}", "[{'id':'Late','category':'DOCUMENT','data':{'ACL':'all'}}]");
    r->who.idempotency_key = key;
    assert_done(r, &um_components_create, DOCS, "[{'name':'n','data':{'classId':'Late'}}]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_request_again_is_done_once, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_key_is_for_one_request_of_one_user, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_was_refused_may_be_asked_again, open_rig, close_rig),
    };

    return cmocka_run_group_tests_name("answers", tests, NULL, NULL);
}
