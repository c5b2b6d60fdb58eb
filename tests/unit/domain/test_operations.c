/* Handlers of operations: registered as documents, asked between the runs of a call's unit, told after it. */
#include "operations_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/histogram.h>
#include <umbel/jobs.h>

/* ---- the stories ---- */

static void a_handler_that_is_not_there_is_refused_at_its_registration(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_refused(r, &um_components_create, DOCS, registration("r", "com.example.Nowhere", "AFTER", "CREATE", 1, ""), "U00400");
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/tags/OperationHandler");
    assert_refused(r, &um_components_create, DOCS, registration("r", "test:", "AFTER", "CREATE", 1, ""), "U00400");
    assert_string_equal(r->message, "it has no verb");
    assert_refused(r, &um_components_create, DOCS, registration("r", "test:ok", "SOMETIMES", "CREATE", 1, ""), "U00400");
    assert_refused(r, &um_components_create, DOCS, registration("r", "test:ok", "AFTER", "DANCE", 1, ""), "U00400");
    assert_refused(r, &um_components_create, DOCS, registration("r", "slow", "AFTER", "CREATE", 1, ""), "U00400");
    assert_done(r, &um_components_create, DOCS, registration("r", "slow", "AFTER", "CREATE", 1, ASYNC));
    assert_refused(r, &um_components_update, "{'category':'DOCUMENT','ids':['r']}", registration("r", "test:", "AFTER", "CREATE", 1, ASYNC), "U00400");
}

static void a_handler_that_has_gone_away_is_not_passed_over(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "r", "test:refuse", "BEFORE", "CREATE", 1, STOP);
    t->gone = true;
    put(t, "other", "slow", "AFTER", "CREATE", 1, ASYNC);        /* registrations are read again */
    assert_refused(r, &um_components_create, DOCS, DOC("d1", "one"), "F00039");
    assert_refused(r, &um_components_create, DOCS, registration("r2", "test:ok", "BEFORE", "CREATE", 1, ""), "U00400");
    assert_string_equal(r->message, "test:ok is gone");
    assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/tags/OperationHandler");
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['r']}", NULL);
}

static void handlers_before_change_what_is_written_in_their_order(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "second", "test:tag", "BEFORE", "CREATE", 20, "");
    put(t, "first", "test:name=ten", "BEFORE", "CREATE", 10, "");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_string_equal(t->heard, "first/CREATE/BEFORE second/CREATE/BEFORE ");
    assert_at(r, "/0/name", "ten");
    assert_at(r, "/0/tags/0/value/0", "ten");
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/tags/0/value/0", "ten");
}

static void what_a_handler_refuses_is_not_done(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "r", "test:refuse", "BEFORE", "CREATE", 1, STOP);
    assert_refused(r, &um_components_create, DOCS, DOC("d1", "one"), "F00039");
    assert_string_equal(r->message, "not on a Sunday");
    assert_int_equal(r->status, 400);
    assert_refused(r, &um_components_get, D1, NULL, "F00012");
}

static void a_broken_handler_stops_only_what_it_may_stop(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "r", "test:break", "BEFORE", "CREATE", 1, "");
    put(t, "s", "test:name=still", "BEFORE", "CREATE", 2, "");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_at(r, "/0/name", "still");
    put(t, "u", "test:break", "BEFORE", "UPDATE", 1, STOP);
    assert_refused(r, &um_components_update, D1, DOC("d1", "two"), "T00000");
    assert_int_equal(r->status, 500);
    assert_done(r, &um_components_get, D1, NULL);
    assert_at(r, "/0/name", "still");
}

static void what_no_component_can_be_is_the_handlers_fault(void **state)
{
    struct tests *t = *state;

    put(t, "r", "test:class", "BEFORE", "CREATE", 1, "");
    put(t, "s", "test:tag", "BEFORE", "CREATE", 1, "");
    assert_refused(&t->rig.rig, &um_components_create, DOCS, DOC("d1", "one"), "T00000");
}

static void those_after_hear_of_what_is_committed_and_change_nothing(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "a", "test:break", "AFTER", "CREATE", 1, "");
    put(t, "b", "test:name=no", "AFTER", "CREATE", 2, STOP);
    put(t, "c", "test:break", "AFTER", "CREATE", 3, STOP);
    put(t, "d", "test:ok", "AFTER", "CREATE", 4, "");
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_string_equal(t->heard, "a/CREATE/AFTER b/CREATE/AFTER c/CREATE/AFTER ");     /* c ended those behind it */
    assert_at(r, "/0/name", "one");
    t->heard[0] = '\0';
    assert_refused(r, &um_components_create, DOCS, DOC("d1", "one"), "T00108");
    assert_string_equal(t->heard, "");
}

static void each_of_a_call_has_its_own_chain(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "r", "test:tag", "BEFORE", "CREATE", 1, "");
    assert_done(r, &um_components_create, DOCS, "[{'name':'x','data':{'classId':'Doc'}},{'name':'y','data':{'classId':'Doc'}}]");
    assert_at(r, "/0/tags/0/value/0", "x");
    assert_at(r, "/1/tags/0/value/0", "y");
    assert_string_equal(t->heard, "r/CREATE/BEFORE r/CREATE/BEFORE ");
}

static void a_call_that_asks_too_many_is_refused(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;
    char handler[64], id[16], body[16000] = "[";

    for (int i = 0; i < 5; i++) {
        snprintf(id, sizeof(id), "r%d", i);
        snprintf(handler, sizeof(handler), "test:name=n%d", i);
        put(t, id, handler, "BEFORE", "CREATE", i, "");
    }
    for (int i = 0; i < 21; i++)
        snprintf(body + strlen(body), sizeof(body) - strlen(body), "%s{'name':'x','data':{'classId':'Doc'}}", i > 0 ? "," : "");
    strcat(body, "]");
    assert_refused(r, &um_components_create, DOCS, body, "U00413");
}

static void depth_ends_what_handlers_cause(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "r", "test:name=no", "BEFORE", "CREATE", 1, "");
    r->who.depth = 8;
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_at(r, "/0/name", "one");
    assert_string_equal(t->heard, "");
}

/* ---- figures ---- */

struct timed { const char *registration, *exception; uint64_t n; };

static void add_timed(void *arg, const struct um_histogram *h)
{
    struct timed *t = arg;

    if (strcmp(h->values[3], t->registration) == 0 && strcmp(h->values[5], t->exception) == 0)
        t->n += um_histogram_count(h);
}

static uint64_t timed(const char *registration, const char *exception)
{
    struct timed t = { registration, exception, 0 };
    struct um_histograms *f = um_histograms_find("invokeSyncOperationHandler");

    assert_non_null(f);
    um_histogram_each(f, add_timed, &t);
    return t.n;
}

static void the_time_and_the_failures_of_handlers_are_counted_by_registration(void **state)
{
    struct tests *t = *state;

    put(t, "timed-ok", "test:ok", "BEFORE", "CREATE", 1, "");
    put(t, "timed-break", "test:break", "AFTER", "CREATE", 1, "");
    assert_done(&t->rig.rig, &um_components_create, DOCS, DOC("d1", "one"));
    assert_done(&t->rig.rig, &um_components_create, DOCS, DOC("d2", "two"));
    assert_int_equal(timed("timed-ok", "none"), 2);
    assert_int_equal(timed("timed-break", "T00000"), 2);
    assert_int_equal(timed("timed-break", "none"), 0);
}

/* ---- jobs ---- */

static void an_operation_has_its_jobs_and_a_failed_one_none(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    put(t, "r", "slow", "AFTER", "CREATE", 1, ASYNC);
    put(t, "s", "slow", "AFTER", "DELETE", 1, ASYNC);
    t->jobs = 0;
    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    assert_int_equal(t->jobs, 1);
    assert_int_equal(count_jobs(t), 1);      /* s itself is a document too, but has no handlers */
    assert_refused(r, &um_components_create, DOCS, "[{'id':'d2','data':{'classId':'Doc'}},{'id':'d1','data':{'classId':'Doc'}}]", "T00108");
    assert_int_equal(count_jobs(t), 1);
    assert_int_equal(t->jobs, 1);
    assert_done(r, &um_components_delete, D1, NULL);
    assert_int_equal(count_jobs(t), 2);
}

#define RESERVES ",{'name':'ReserveComponentsAsynchronous','value':['true']}"

static void what_cannot_be_reserved_is_refused_at_its_registration(void **state)
{
    static const struct { const char *handler, *action, *flags; } rows[] = {
        { "test:ok", "CREATE", RESERVES }, { "slow", "CREATE", ASYNC RESERVES }, { "test:ok", "DELETE", ASYNC RESERVES },
        { "test:ok", "SEARCH", ASYNC RESERVES },
    };
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        assert_refused(r, &um_components_create, DOCS, registration("r", rows[i].handler, "AFTER", rows[i].action, 1, rows[i].flags), "U00400");
        assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), "/tags/ReserveComponentsAsynchronous");
    }
    assert_done(r, &um_components_create, DOCS, registration("r", "test:ok", "AFTER", "CREATE", 1, ASYNC RESERVES));
}

static void a_registration_counts_from_its_answer_on_until_it_is_gone(void **state)
{
    struct tests *t = *state;
    struct domain_rig *r = &t->rig.rig;

    assert_done(r, &um_components_create, DOCS, DOC("d1", "one"));
    put(t, "r", "test:name=new", "BEFORE", "UPDATE", 1, "");
    assert_done(r, &um_components_update, D1, DOC("d1", "two"));
    assert_at(r, "/0/name", "new");
    assert_done(r, &um_components_update, "{'category':'DOCUMENT','ids':['r']}", registration("r", "test:name=other", "BEFORE", "UPDATE", 1, ""));
    assert_non_null(strstr(r->caches, "main/OperationHandlerRegistration:"));
    assert_done(r, &um_components_update, D1, DOC("d1", "two"));
    assert_at(r, "/0/name", "other");
    assert_done(r, &um_components_delete, "{'category':'DOCUMENT','ids':['r']}", NULL);
    assert_done(r, &um_components_update, D1, DOC("d1", "two"));
    assert_at(r, "/0/name", "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_handler_that_is_not_there_is_refused_at_its_registration, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_handler_that_has_gone_away_is_not_passed_over, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(handlers_before_change_what_is_written_in_their_order, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_a_handler_refuses_is_not_done, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_broken_handler_stops_only_what_it_may_stop, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_no_component_can_be_is_the_handlers_fault, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(those_after_hear_of_what_is_committed_and_change_nothing, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(each_of_a_call_has_its_own_chain, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_call_that_asks_too_many_is_refused, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(depth_ends_what_handlers_cause, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(the_time_and_the_failures_of_handlers_are_counted_by_registration, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(an_operation_has_its_jobs_and_a_failed_one_none, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(what_cannot_be_reserved_is_refused_at_its_registration, open_rig, close_rig),
        cmocka_unit_test_setup_teardown(a_registration_counts_from_its_answer_on_until_it_is_gone, open_rig, close_rig),
    };

    return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
