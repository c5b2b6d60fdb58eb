/* A scope's model: forms, refusals with places, variables, the canonical text, differences, templates in XML. */
#include <stdio.h>
#include <umbel/model_files.h>
#include <um_test.h>
#include "shape.h"

#define SAMPLE   UM_TEST_VECTORS "/../../conf/model"
#define TEMPLATE UM_TEST_VECTORS "/model/template"

static void say(const struct um_model_error *why)
{
    struct um_buf b = { 0 };

    um_model_error_text(why, &b);
    print_error("%s\n", um_buf_cstr(&b));
    um_buf_free(&b);
}

static struct um_model_list *list_of(const char *text)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;
    um_err err = um_model_list_read_yaml(l, UM_SPAN_STR(text), "m.yaml", &why);

    if (err == UM_OK)
        err = um_model_list_finish(l, &why);
    if (err != UM_OK)
        say(&why);
    assert_int_equal(err, UM_OK);
    return l;
}

static char *text_of(const struct um_model_list *l)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_model_list_write(l, &b), UM_OK);
    um_buf_put_u8(&b, 0);
    return (char *)b.data;
}

static void assert_says(const struct um_model_error *why, const char *message)
{
    struct um_buf b = { 0 };

    um_model_error_text(why, &b);
    if (strstr(um_buf_cstr(&b), message) == NULL)
        fail_msg("got: %s", um_buf_cstr(&b));
    um_buf_free(&b);
}

static void refused(const char *text, const char *message)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;
    um_err err = um_model_list_read_yaml(l, UM_SPAN_STR(text), "m.yaml", &why);

    if (err == UM_OK)
        err = um_model_list_finish(l, &why);
    assert_int_equal(err, UM_EPROTO);
    assert_says(&why, message);
    um_model_list_free(l);
}

/* The only object of TEXT is JSON in REST's form, and is written as TEXT again. */
static void is_both(const char *text, const char *json)
{
    struct um_model_list *l = list_of(text);
    char *rest = json_dumps(um_model_list_at(l, 0)->json, JSON_COMPACT), *again = text_of(l);

    assert_int_equal(um_model_list_count(l), 1);
    assert_string_equal(rest, json);
    assert_string_equal(again, text);
    free(rest);
    free(again);
    um_model_list_free(l);
}

/* ---- forms ---- */

static void people_and_rest_say_the_same(void **state)
{
    (void)state;
    is_both("scope:\n  id: main\n  displayNames: {EN: Office, FR: Bureau}\n  languages: [EN, FR]\n  acl: scope\n"
            "  teams:\n    - id: legal\n      principals: [bob]\n      properties: {search.template: Contracts}\n",
            "{\"id\":\"main\",\"displayNames\":[{\"language\":\"EN\",\"value\":\"Office\"},{\"language\":\"FR\",\"value\":\"Bureau\"}],"
            "\"languages\":[\"EN\",\"FR\"],\"data\":{\"ACL\":\"scope\"},\"people\":{\"profiles\":[{\"id\":\"legal\",\"principals\":[\"bob\"],"
            "\"properties\":[{\"name\":\"search.template\",\"value\":\"Contracts\"}]}]}}");
    is_both("acls:\n  - id: x\n    entries:\n      - {deny: READ, to: guests}\n      - {allow: [READ, UPDATE], to: '*'}\n",
            "{\"id\":\"x\",\"entries\":[{\"principal\":\"guests\",\"permission\":\"READ\",\"grant\":\"DENY\"},"
            "{\"principal\":\"*\",\"permission\":[\"READ\",\"UPDATE\"],\"grant\":\"ALLOW\"}]}");
    is_both("documentClasses:\n  - id: Note\n    acl: notes\n    collaborative: true\n    tagReferences:\n      - Subject\n"
            "      - {tagName: Supplier, mandatory: true, order: 2}\n",
            "{\"id\":\"Note\",\"data\":{\"ACL\":\"notes\"},\"collaborative\":true,\"tagReferences\":[{\"tagName\":\"Subject\"},"
            "{\"tagName\":\"Supplier\",\"mandatory\":true,\"order\":2}],\"category\":\"DOCUMENT\"}");
    is_both("documents:\n  - id: d\n    class: Script\n    tags: {Order: '10', Roles: [a, b]}\n",
            "{\"id\":\"d\",\"data\":{\"classId\":\"Script\"},\"tags\":[{\"name\":\"Order\",\"value\":[\"10\"]},"
            "{\"name\":\"Roles\",\"value\":[\"a\",\"b\"]}],\"category\":\"DOCUMENT\"}");
}

static void the_long_form_and_defaults_come_to_the_same(void **state)
{
    struct um_model_list *a = list_of("documentClasses:\n  - id: A\n    category: DOCUMENT\n    active: true\n    technical: false\n"
                                      "    versioningMode: NONE\n    displayNames: [{language: EN, value: x}]\n    tagCategories: []\n"
                                      "    data: {ACL: a, owner: me, creationDate: now, version: 3}\n    descriptions:\n");
    struct um_model_list *b = list_of("documentClasses:\n  - {id: A, acl: a, displayNames: {EN: x}}\n");
    struct um_model_list *c = list_of("acls:\n  - id: x\n    entries:\n      - {allow: [READ], to: [a, b]}\n");
    struct um_model_list *d = list_of("acls:\n  - id: x\n    entries:\n      - {principal: a, permission: READ, grant: ALLOW}\n"
                                      "      - {allow: READ, to: b}\n");
    json_t *diff = um_model_diff(a, b);

    (void)state;
    assert_int_equal(json_array_size(diff), 0);
    json_decref(diff);
    diff = um_model_diff(c, d);
    assert_int_equal(json_array_size(diff), 0);
    json_decref(diff);
    um_model_list_free(a);
    um_model_list_free(b);
    um_model_list_free(c);
    um_model_list_free(d);
}

static void what_no_form_knows_is_kept(void **state)
{
    json_t *rest = json_loads("{\"id\":\"A\",\"category\":\"DOCUMENT\",\"data\":{\"ACL\":\"a\",\"odd\":1,\"version\":7},\"new\":[{\"x\":null}],"
                              "\"active\":\"perhaps\",\"displayNames\":[{\"language\":\"EN\",\"value\":\"x\",\"more\":true}],"
                              "\"descriptions\":[\"no\"],\"extra\":{\"y\":1},\"tagReferences\":[{\"order\":1}]}", 0, NULL);
    struct um_model_list *l = um_model_list_new(), *again;
    json_t *diff;
    char *text, *second;

    (void)state;
    assert_int_equal(um_model_list_add(l, UM_MODEL_DOCUMENT_CLASS, rest), UM_OK);
    assert_int_equal(um_model_list_add(l, UM_MODEL_DOCUMENT_CLASS, rest), UM_EEXIST);
    json_object_del(rest, "id");
    assert_int_equal(um_model_list_add(l, UM_MODEL_DOCUMENT_CLASS, rest), UM_EINVAL);
    um_model_list_sort(l);
    text = text_of(l);
    again = list_of(text);
    second = text_of(again);
    assert_string_equal(text, second);
    diff = um_model_diff(l, again);
    assert_int_equal(json_array_size(diff), 0);
    assert_non_null(strstr(text, "odd: 1"));
    assert_non_null(strstr(text, "active: perhaps"));
    assert_null(strstr(text, "version"));
    json_decref(diff);
    json_decref(rest);
    free(text);
    free(second);
    um_model_list_free(l);
    um_model_list_free(again);
}

/* ---- refusals ---- */

static void a_refusal_says_where_and_what_was_meant(void **state)
{
    (void)state;
    refused("tagClass:\n  - id: x\n", "m.yaml:1:1: tagClass: unknown key; is tagClasses meant?");
    refused("tagClasses:\n  - id: x\n    searchble: true\n", "m.yaml:3:5: tagClasses[0].searchble: unknown key of a tag class; is searchable meant?");
    refused("documentClasses:\n  - id: x\n    tagReferences:\n      - {tagName: y, mandatry: true}\n",
            "m.yaml:4:22: documentClasses[0].tagReferences[0].mandatry: unknown key of a tag reference; is mandatory meant?");
    refused("tagClasses:\n  - {id: x, type: NUMBER}\n", "\"NUMBER\" is none of STRING|TEXT");
    refused("tagClasses:\n  - {id: 12}\n", "m.yaml:2:6: tagClasses[0].id: a text is wanted: write it in quotes");
    refused("tagClasses:\n  - {type: INT}\n", "m.yaml:2:5: tagClasses[0]: a tag class needs id");
    refused("tagClasses: {x: {}}\n", "tagClasses: a list is wanted");
    refused("tagClasses: [x]\n", "tagClasses[0]: a tag class is a map");
    refused("tagClasses:\n  - {id: x, searchable: 'yes'}\n", "true or false is wanted");
    refused("documentClasses:\n  - {id: x, acl: a, data: {ACL: b}}\n", "said twice, as ACL and as acl");
    refused("documentClasses:\n  - {id: x, category: FOLDER}\n", "\"FOLDER\" is none of DOCUMENT");
    refused("documentClasses:\n  - {id: x, displayNames: {EN: 5}}\n", "documentClasses[0].displayNames.EN: a text is wanted");
    refused("documentClasses:\n  - {id: x, extra: {id: y}}\n", "said twice");
    refused("acls:\n  - {id: x, entries: [{allow: REED, to: a}]}\n", "acls[0].entries[0].allow: \"REED\" is none of");
    refused("acls:\n  - {id: x, entries: [{allow: READ, deny: READ, to: a}]}\n", "either allows or denies");
    refused("acls:\n  - {id: x, entries: [{allow: READ}]}\n", "an entry has allow or deny, and to");
    refused("acls:\n  - {id: x, entries: [{alow: READ, to: a}]}\n", "unknown key of an entry; is allow meant?");
    refused("[]", "a model is a map");
}

static void an_object_stands_in_one_place_only(void **state)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;

    (void)state;
    assert_int_equal(um_model_list_read_yaml(l, UM_SPAN_STR("acls: [{id: a}]"), "one.yaml", &why), UM_OK);
    assert_int_equal(um_model_list_read_yaml(l, UM_SPAN_STR("tagClasses: [{id: a}]\nacls:\n  - id: b\n  - id: a\n"), "two.yaml", &why), UM_OK);
    assert_int_equal(um_model_list_finish(l, &why), UM_EPROTO);
    assert_says(&why, "two.yaml:4:5: acls[1]: acl \"a\" stands at one.yaml:1:8 already");
    um_model_list_free(l);
}

/* ---- variables ---- */

static void variables_are_filled_in(void **state)
{
    static const char text[] = "variables: {company: Acme, admin: null}\n"
                               "scope: {id: s, description: 'Of ${company}, ${company}', teams: [{id: t, principals: ['${admin}', '${user.id}']}]}\n";
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;
    const json_t *json;

    (void)state;
    assert_int_equal(um_model_list_read_yaml(l, UM_SPAN_STR(text), "m.yaml", &why), UM_OK);
    assert_int_equal(um_model_list_set(l, "admin", "ann, \"${company}\"", &why), UM_OK);
    assert_int_equal(um_model_list_finish(l, &why), UM_OK);
    json = um_model_list_at(l, 0)->json;
    assert_string_equal(json_string_value(json_object_get(json, "description")), "Of Acme, Acme");
    json = json_array_get(json_object_get(json_object_get(json, "people"), "profiles"), 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "principals"), 0)), "ann, \"${company}\"");
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "principals"), 1)), "${user.id}");
    um_model_list_free(l);
    refused("variables: {admin: null}\nscope: {id: '${admin}'}\n", "m.yaml:2:9: scope.id: the variable admin has no value");
    refused("variables: {a: 1}\n", "variables.a: a text is wanted");
    refused("variables: {'a b': x}\n", "variables.a b: this cannot be the name");
}

static void a_variable_that_nothing_uses_is_a_mistake(void **state)
{
    struct um_model_list *l = list_of("scope: {id: s}");
    struct um_model_error why;

    (void)state;
    um_model_list_free(l);
    l = um_model_list_new();
    assert_int_equal(um_model_list_read_yaml(l, UM_SPAN_STR("scope: {id: s}"), "m.yaml", &why), UM_OK);
    assert_int_equal(um_model_list_set(l, "compny", "x", &why), UM_OK);
    assert_int_equal(um_model_list_set(l, "not a name", "x", &why), UM_EPROTO);
    assert_int_equal(um_model_list_finish(l, &why), UM_EPROTO);
    assert_says(&why, "the variable compny is given, but the model does not use it");
    um_model_list_free(l);
}

static void variables_do_not_grow_without_end(void **state)
{
    struct um_buf b = { 0 };
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;
    char *value = calloc(1, 100001);
    int i;

    (void)state;
    memset(value, 'x', 100000);
    um_buf_puts(&b, "scope:\n  id: s\n  languages:\n");
    for (i = 0; i < 200; i++)
        um_buf_puts(&b, "    - ${v}\n");
    assert_int_equal(um_model_list_read_yaml(l, UM_SPAN(b.data, b.len), "m.yaml", &why), UM_OK);
    assert_int_equal(um_model_list_set(l, "v", value, &why), UM_OK);
    assert_int_equal(um_model_list_finish(l, &why), UM_ELIMIT);
    assert_says(&why, "more than 16 MiB of text");
    um_model_list_free(l);
    um_buf_free(&b);
    free(value);
}

/* ---- differences ---- */

static void a_difference_names_what_changed(void **state)
{
    struct um_model_list *old = list_of("acls: [{id: gone}, {id: same}, {id: x, name: a/b, entries: [{allow: READ, to: a}]}]");
    struct um_model_list *new = list_of("tagClasses: [{id: new}]\nacls: [{id: same}, {id: x, entries: [{allow: READ, to: b}, {deny: READ, to: c}]}]");
    json_t *diff = um_model_diff(old, new);
    struct um_buf b = { 0 };

    (void)state;
    um_model_diff_text(diff, &b);
    assert_string_equal(um_buf_cstr(&b),
                        "+ tagclass new\n"
                        "- acl gone\n"
                        "~ acl x\n"
                        "    /name: \"a/b\" -> nothing\n"
                        "    /entries/0/principal: \"a\" -> \"b\"\n"
                        "    /entries/1: nothing -> {\"principal\":\"c\",\"permission\":\"READ\",\"grant\":\"DENY\"}\n"
                        "1 added, 1 changed, 1 removed\n");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(diff, 0), "line")), 1);
    um_buf_free(&b);
    json_decref(diff);
    um_model_list_free(old);
    um_model_list_free(new);
}

/* ---- folders ---- */

static struct um_model_list *read_folder(const char *path, const char *name, const char *value)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;
    um_err err = um_model_files_read(l, path, &why);

    if (err == UM_OK && name != NULL)
        err = um_model_list_set(l, name, value, &why);
    if (err == UM_OK)
        err = um_model_list_finish(l, &why);
    if (err != UM_OK)
        say(&why);
    assert_int_equal(err, UM_OK);
    return l;
}

/* What is written of L gives L again, and the same text. */
static void round_trip(const struct um_model_list *l)
{
    char *text = text_of(l), *second;
    struct um_model_list *again = list_of(text);
    json_t *diff = um_model_diff(l, again);

    second = text_of(again);
    assert_string_equal(text, second);
    assert_int_equal(json_array_size(diff), 0);
    json_decref(diff);
    free(text);
    free(second);
    um_model_list_free(again);
}

static void the_sample_is_a_whole_model(void **state)
{
    struct um_model_list *l = read_folder(SAMPLE, NULL, NULL);
    const struct um_model_item *note = um_model_list_find(l, UM_MODEL_DOCUMENT_CLASS, "Note");

    (void)state;
    assert_non_null(note);
    assert_true(json_is_true(json_object_get(note->json, "collaborative")));
    assert_non_null(um_model_list_find(l, UM_MODEL_SCOPE, "main"));
    assert_non_null(um_model_list_find(l, UM_MODEL_TASK_CLASS, "ApproveInvoice"));
    assert_null(um_model_list_find(l, UM_MODEL_TASK_CLASS, "approveInvoice"));
    assert_non_null(strstr(note->file, "/classes.yaml"));
    round_trip(l);
    um_model_list_free(l);
}

static void a_template_in_xml_is_a_model(void **state)
{
    struct um_model_list *l = read_folder(TEMPLATE, "scope", "library"), *want = um_model_list_new();
    struct um_model_error why;
    struct um_buf b = { 0 };
    json_t *diff;

    (void)state;
    assert_int_equal(um_model_files_read(want, UM_TEST_VECTORS "/model/template.yaml", &why), UM_OK);
    assert_int_equal(um_model_list_finish(want, &why), UM_OK);
    diff = um_model_diff(want, l);
    um_model_diff_text(diff, &b);
    assert_string_equal(um_buf_cstr(&b), "0 added, 0 changed, 0 removed\n");
    round_trip(l);
    um_buf_free(&b);
    json_decref(diff);
    um_model_list_free(l);
    um_model_list_free(want);
}

/* ---- the manual ---- */

static void keys_are_in(const char *manual, const struct shape *sh, unsigned depth)
{
    char word[80];

    for (size_t i = 0; i < sh->n; i++) {
        const struct field *f = &sh->fields[i];

        (void)snprintf(word, sizeof(word), "`%s`", yaml_name(f));
        if ((f->flags & FIELD_DROPPED) == 0 && f->type != FIELD_LABELS && strstr(manual, word) == NULL)
            fail_msg("docs/admin/model.md does not know %s of %s", word, sh->name);
        if (f->shape != NULL && f->type != FIELD_LABELS && depth < 4)
            keys_are_in(manual, f->shape, depth + 1);
    }
}

static void the_manual_knows_every_key(void **state)
{
    FILE *in = fopen(UM_TEST_VECTORS "/../../docs/admin/model.md", "r");
    char *manual = calloc(1, 65536);

    (void)state;
    assert_non_null(in);
    assert_true(fread(manual, 1, 65535, in) > 1000);
    fclose(in);
    for (size_t k = 0; k < UM_MODEL_KINDS_N; k++)
        keys_are_in(manual, model_shapes[k], 0);
    free(manual);
}

static void a_folder_without_a_model_is_said(void **state)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;

    (void)state;
    assert_int_equal(um_model_files_read(l, UM_TEST_VECTORS "/model/nowhere", &why), UM_ENOTFOUND);
    assert_says(&why, "No such file");
    assert_int_equal(um_model_files_read(l, UM_TEST_VECTORS "/../harness", &why), UM_ENOTFOUND);
    um_model_list_free(l);
}

static void xml_refused(const char *text, um_err want, const char *message)
{
    struct um_model_list *l = um_model_list_new();
    struct um_model_error why;
    um_err err = um_model_list_read_xml(l, UM_SPAN_STR(text), "t.xml", &why);

    if (err == UM_OK)
        err = um_model_list_finish(l, &why);
    assert_int_equal(err, want);
    assert_says(&why, message);
    um_model_list_free(l);
}

#define ACL_XML(inner) "<a:ACL xmlns:a='http://flower.com/docs/domain/acl' xmlns='http://flower.com/docs/domain/common'>" inner "</a:ACL>"

static void hostile_xml_is_refused(void **state)
{
    struct um_buf b = { 0 };
    unsigned i;

    (void)state;
    xml_refused("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", UM_EPROTO, "t.xml:1:13: a document type is not allowed");
    xml_refused("<x>", UM_EPROTO, "another namespace");
    xml_refused("", UM_EPROTO, "no XML");
    xml_refused(ACL_XML("<id>a</id>") "x", UM_EPROTO, "no XML");
    xml_refused("<ACL xmlns='http://flower.com/docs/domain/acl'><id>a</ID></ACL>", UM_EPROTO, "no XML");
    xml_refused("<Acl xmlns='http://flower.com/docs/domain/acl'/>", UM_EPROTO, "no part of a model");
    xml_refused(ACL_XML("<nme>a</nme>"), UM_EPROTO, "ACL.nme: unknown in an ACL; is name meant?");
    xml_refused(ACL_XML("<id>a<id>b</id></id>"), UM_EPROTO, "an element within a text");
    xml_refused(ACL_XML("<id>a</id><id>b</id>"), UM_EPROTO, "stands here twice");
    xml_refused(ACL_XML("<id>a</id>text"), UM_EPROTO, "a text where elements are wanted");
    xml_refused(ACL_XML("<id>a</id><entries odd='1'/>"), UM_EPROTO, "ACL.entries.odd: unknown in an entry");
    xml_refused(ACL_XML("<id>a</id><entries/>"), UM_EPROTO, "t.xml:1:");
    xml_refused(ACL_XML("<id x='1'>a</id>"), UM_EPROTO, "this is no attribute");
    xml_refused(ACL_XML(""), UM_EPROTO, "an ACL needs id");
    um_buf_puts(&b, "<TagClass xmlns='http://flower.com/docs/domain/tagclass'>");
    for (i = 0; i < MODEL_XML_DEPTH; i++)
        um_buf_puts(&b, "<allowedValues>");
    xml_refused(um_buf_cstr(&b), UM_ELIMIT, "32 elements within one another");
    um_buf_clear(&b);
    um_buf_puts(&b, "<TagClass xmlns='http://flower.com/docs/domain/tagclass'>");
    for (i = 0; i < MODEL_XML_ELEMENTS; i++)
        um_buf_puts(&b, "<allowedValues/>");
    xml_refused(um_buf_cstr(&b), UM_ELIMIT, "200000 elements and attributes");
    um_buf_clear(&b);
    um_buf_puts(&b, "<!--");
    for (i = 0; i <= MODEL_XML_BYTES / 16; i++)
        um_buf_puts(&b, "0123456789abcdef");
    xml_refused(um_buf_cstr(&b), UM_ELIMIT, "more than 4 MiB");
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(people_and_rest_say_the_same),
        cmocka_unit_test(the_long_form_and_defaults_come_to_the_same),
        cmocka_unit_test(what_no_form_knows_is_kept),
        cmocka_unit_test(a_refusal_says_where_and_what_was_meant),
        cmocka_unit_test(an_object_stands_in_one_place_only),
        cmocka_unit_test(variables_are_filled_in),
        cmocka_unit_test(a_variable_that_nothing_uses_is_a_mistake),
        cmocka_unit_test(variables_do_not_grow_without_end),
        cmocka_unit_test(a_difference_names_what_changed),
        cmocka_unit_test(the_sample_is_a_whole_model),
        cmocka_unit_test(a_template_in_xml_is_a_model),
        cmocka_unit_test(the_manual_knows_every_key),
        cmocka_unit_test(a_folder_without_a_model_is_said),
        cmocka_unit_test(hostile_xml_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
