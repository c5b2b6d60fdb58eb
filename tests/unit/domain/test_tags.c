/* Tags by their class, on memory, or on UMBEL_STORE_URL when it is set. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "tag_pattern.h"
#include "tag_types.h"

#define TAGS "{'kind':'tagclass'}"
#define CLASSES "{'kind':'documentclass'}"
#define DOCS "{'category':'DOCUMENT'}"
#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define DOC(tags) "[{'data':{'classId':'C'},'tags':[" tags "]}]"
#define DOC1(tags) "[{'id':'d1','data':{'classId':'C'},'tags':[" tags "]}]"
#define TAG(name, value) "{'name':'" name "','value':[" value "]}"

static const char tag_classes[] =
    "[{'id':'Amount','type':'CURRENCY'},{'id':'N','type':'INT'},{'id':'When','type':'DATE'},{'id':'Yes','type':'BOOLEAN'},"
    " {'id':'Code','type':'STRING','pattern':'[A-Z]{2}[0-9]+'},{'id':'Fixed','type':'STRING'},{'id':'Must','type':'STRING'},"
    " {'id':'Kind','type':'CHOICELIST','allowedValues':[{'symbolicName':'A'},{'symbolicName':'B'}]},"
    " {'id':'Sub','type':'CONDITIONAL','allowedValues':[{'symbolicName':'a1','conditions':['${tags.Kind}==A']},"
    "   {'symbolicName':'b1','conditions':['${tags.Kind}==B','${tags.Kind}!=A']},{'symbolicName':'any'}]},"
    " {'id':'By','type':'STRING'},{'id':'Many','type':'STRING'},{'id':'Other','type':'STRING'}]";
static const char class[] =
    "[{'id':'C','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'Amount'},{'tagName':'N'},{'tagName':'When'},"
    " {'tagName':'Yes'},{'tagName':'Code'},{'tagName':'Fixed','readonly':true},{'tagName':'Kind'},{'tagName':'Sub'},"
    " {'tagName':'By','defaultValue':'${user.id} on ${dayDate}'},{'tagName':'Many','multivalued':true,'pattern':'[a-z]+'}]},"
    " {'id':'M','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'Must','mandatory':true,'defaultValue':'x'}]}]";

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    assert_done(r, &um_objects_create, TAGS, tag_classes);
    assert_done(r, &um_objects_create, CLASSES, class);
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static const char *fault_path(const struct domain_rig *r)
{
    return json_string_value(json_object_get(json_array_get(r->details, 0), "path"));
}

static void a_class_says_which_tags_there_are(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Amount", "'1'") "," TAG("Other", "'1'")), "F00032");
    assert_string_equal(fault_path(r), "/0/tags/1/name");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Amount", "'1'") "," TAG("Amount", "'2'")), "U00400");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Amount", "'1','2'")), "U00400");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Amount", "1")), "U00400");
    assert_string_equal(fault_path(r), "/0/tags/0/value/0");
    assert_done(r, &um_components_create, DOCS, DOC("{'name':'Amount','value':['1.50'],'readOnly':true}," TAG("Many", "'a','b'")));
    assert_at(r, "/0/tags/0/value/0", "1.50");
    assert_at(r, "/0/tags/1/value/1", "b");
}

static void a_mandatory_tag_is_there_and_not_empty(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_components_create, DOCS, "[{'data':{'classId':'M'}}]", "F00033");
    assert_string_equal(fault_path(r), "/0/tags");
    assert_refused(r, &um_components_create, DOCS, "[{'data':{'classId':'M'},'tags':[" TAG("Must", "''") "]}]", "F00033");
    assert_done(r, &um_components_create, DOCS, "[{'id':'d1','data':{'classId':'M'},'tags':[" TAG("Must", "'v'") "]}]");
    assert_refused(r, &um_components_update, D1, "[{'data':{'classId':'M'},'tags':[]}]", "F00033");
}

static void values_are_of_their_type(void **state)
{
    static const struct { enum um_tag_type type; const char *value; bool ok; double number; } rows[] = {
        { UM_TAG_INT, "12", true, 12 }, { UM_TAG_INT, "-3", true, -3 }, { UM_TAG_INT, "1.0", false, 0 }, { UM_TAG_INT, "x", false, 0 },
        { UM_TAG_INT, "99999999999999999999", false, 0 }, { UM_TAG_INT, "", true, 0 }, { UM_TAG_INT, "-", false, 0 },
        { UM_TAG_FLOAT, "1.125", true, 1.125 }, { UM_TAG_FLOAT, "1e3", false, 0 }, { UM_TAG_FLOAT, "nan", false, 0 },
        { UM_TAG_FLOAT, ".5", false, 0 }, { UM_TAG_FLOAT, "1.", false, 0 }, { UM_TAG_FLOAT, "0x10", false, 0 },
        { UM_TAG_CURRENCY, "10.25", true, 10.25 }, { UM_TAG_CURRENCY, "10.255", false, 0 }, { UM_TAG_CURRENCY, "10", true, 10 },
        { UM_TAG_DATE, "1970-01-02", true, 86400000 }, { UM_TAG_DATE, "1970-01-01 01:00:00.001 +0100", true, 1 },
        { UM_TAG_DATE, "2024-02-30", false, 0 }, { UM_TAG_DATE, "soon", false, 0 },
        { UM_TAG_BOOLEAN, "true", true, 1 }, { UM_TAG_BOOLEAN, "FALSE", true, 0 }, { UM_TAG_BOOLEAN, "1", false, 0 },
        { UM_TAG_STRING, "anything", true, 0 }, { UM_TAG_USER, "ann", true, 0 },
    };
    struct domain_rig *r = *state;

    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        double number;

        assert_int_equal(um_tag_read(rows[i].type, rows[i].value, &number), rows[i].ok);
        if (rows[i].ok)
            assert_true(number == rows[i].number);
    }
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("N", "'x'")), "U00400");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Amount", "'1.234'")), "U00400");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("When", "'soon'")), "U00400");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Yes", "'maybe'")), "U00400");
}

static void patterns_hold_for_the_whole_value_and_end(void **state)
{
    struct domain_rig *r = *state;
    char why[200];

    assert_done(r, &um_components_create, DOCS, DOC(TAG("Code", "'AB12'")));
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Code", "'xAB12'")), "U00400");
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Code", "'AB12\\n'")), "U00400");
    assert_done(r, &um_components_create, DOCS, DOC(TAG("Code", "''")));
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Many", "'abc','A'")), "U00400");
    assert_string_equal(fault_path(r), "/0/tags/0/value/1");
    assert_int_equal(tag_pattern_match("(a+)+", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"), TAG_TOO_HARD);
    assert_int_equal(tag_pattern_match("\\d{4}", "2024"), TAG_MATCHES);
    assert_true(tag_pattern_fault("(", why));
    assert_true(tag_pattern_fault("((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))))", why));
    assert_refused(r, &um_objects_create, TAGS, "[{'id':'P','type':'STRING','pattern':'('}]", "U00400");
    assert_string_equal(fault_path(r), "/0/pattern");
}

static void choices_are_those_that_are_offered(void **state)
{
    struct domain_rig *r = *state;

    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Kind", "'C'")), "U00400");
    assert_done(r, &um_components_create, DOCS, DOC(TAG("Kind", "'A'") "," TAG("Sub", "'a1'")));
    assert_refused(r, &um_components_create, DOCS, DOC(TAG("Kind", "'B'") "," TAG("Sub", "'a1'")), "U00400");
    assert_done(r, &um_components_create, DOCS, DOC(TAG("Sub", "'b1'")));        /* != holds */
    assert_done(r, &um_components_create, DOCS, DOC(TAG("Sub", "'any'")));
}

static void defaults_fill_what_is_absent_once(void **state)
{
    struct domain_rig *r = *state;
    const char *by;

    assert_done(r, &um_components_create, DOCS, DOC1(""));
    by = domain_rig_at(r, "/0/tags/0/value/0");
    assert_memory_equal(by, "ann on 20", strlen("ann on 20"));
    assert_int_equal(strlen(by), strlen("ann on 2024-03-07"));
    assert_done(r, &um_components_update, D1, DOC1(""));
    assert_null(domain_rig_at(r, "/0/tags/0/name"));
    assert_done(r, &um_components_create, DOCS, DOC("{'name':'By','value':[]}"));
    assert_null(domain_rig_at(r, "/0/tags/0/value/0"));
}

static void what_is_read_only_stays_as_it_was_made(void **state)
{
    struct domain_rig *r = *state;

    assert_done(r, &um_components_create, DOCS, DOC1(TAG("Fixed", "'x'")));
    assert_refused(r, &um_components_update, D1, DOC1(TAG("Fixed", "'y'")), "U00400");
    assert_done(r, &um_components_update, D1, DOC1(TAG("Fixed", "'x'") "," TAG("N", "'1'")));
    assert_done(r, &um_components_update, D1, DOC1(""));
    assert_at(r, "/0/tags/0/value/0", "x");
}

static void tag_classes_that_cannot_be_used_are_refused(void **state)
{
    static const char *const bad[] = {
        "[{'id':'X','type':'NOTHING'}]",
        "[{'id':'X','type':'CHOICELIST','allowedValues':[{'symbolicName':'a'},{'symbolicName':'a'}]}]",
        "[{'id':'X','type':'CONDITIONAL','allowedValues':[{'symbolicName':'a','conditions':['nonsense']}]}]",
    };
    struct domain_rig *r = *state;

    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_refused(r, &um_objects_create, TAGS, bad[i], "U00400");
    assert_done(r, &um_objects_create, TAGS,
                "[{'id':'Third','type':'CONDITIONAL','allowedValues':[{'symbolicName':'a','conditions':['${tags.Sub}==a1']}]}]");
    assert_refused(r, &um_objects_create, TAGS,
                   "[{'id':'X','type':'CONDITIONAL','allowedValues':[{'symbolicName':'a','conditions':['${tags.Third}==a']}]}]", "U00400");
    assert_refused(r, &um_objects_create, CLASSES,
                   "[{'id':'X','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'N'},{'tagName':'N'}]}]", "U00400");
    assert_refused(r, &um_objects_create, CLASSES,
                   "[{'id':'X','category':'DOCUMENT','data':{'ACL':'all'},'tagReferences':[{'tagName':'Sub','multivalued':true}]}]", "U00400");
}

static void a_component_has_so_many_values_and_no_more(void **state)
{
    struct domain_rig *r = *state;
    json_t *values = json_array();
    char *text, *body;

    for (int i = 0; i < 1000; i++)
        json_array_append_new(values, json_string("a"));
    text = json_dumps(values, 0);
    body = um_xcalloc(1, strlen(text) + 200);
    sprintf(body, "[{'data':{'classId':'C'},'tags':[{'name':'Many','value':%s}]}]", text);
    assert_refused(r, &um_components_create, DOCS, body, "U00413");
    free(body);
    free(text);
    json_decref(values);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(a_class_says_which_tags_there_are), T(a_mandatory_tag_is_there_and_not_empty), T(values_are_of_their_type),
        T(patterns_hold_for_the_whole_value_and_end), T(choices_are_those_that_are_offered), T(defaults_fill_what_is_absent_once),
        T(what_is_read_only_stays_as_it_was_made), T(tag_classes_that_cannot_be_used_are_refused),
        T(a_component_has_so_many_values_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
