/* Declarative rules: what each action makes of an image, and what is no list of rules. */
#include "domain_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "rules.h"

static const int64_t now_ms = INT64_C(1704412800000);       /* 2024-01-05 */

static const char image_text[] =
    "{'id':'d1','category':'DOCUMENT','name':'Bill 7','data':{'classId':'Invoice','status':'OPEN','owner':'ann','ACL':'all'},"
    "'tags':[{'name':'State','value':['draft']},{'name':'Labels','value':['a','b']},{'name':'Clerk','value':['carl']}],'files':[{'id':'f1'}]}";

static struct rules *compile(const char *text)
{
    char why[RULES_WHY_MAX] = "";
    struct rules *r = rules_new(text, why);

    if (r == NULL)
        fail_msg("%s: %s", text, why);
    return r;
}

static void apply(const char *text, struct rules_outcome *out)
{
    json_t *image = domain_rig_json(image_text), *before = json_deep_copy(image);
    struct rules *r = compile(text);

    rules_apply(r, &(struct filter_subject){ .image = image, .category = "DOCUMENT", .user = "ann" }, now_ms, out);
    assert_true(json_equal(image, before));  /* whatever comes of it, what came in stays */
    rules_free(r);
    json_decref(image);
    json_decref(before);
}

/* EXPECTED, in single quotes, is what V has; "" is NULL. */
static void assert_json(const json_t *v, const char *expected)
{
    json_t *wanted = *expected != '\0' ? domain_rig_json(expected) : NULL;

    if (wanted != NULL ? !json_equal(wanted, v) : v != NULL)
        fail_msg("%s\nnot %s", v != NULL ? json_dumps(v, 0) : "nothing", expected);
    json_decref(wanted);
}

static void assert_tags(const char *text, const char *tags)
{
    struct rules_outcome out;

    apply(text, &out);
    assert_null(out.code);
    assert_json(json_object_get(out.component, "tags"), tags);
    rules_outcome_done(&out);
}

#define WHEN(criterion) "  when: {criteria: [" criterion "]}\n"
#define IS_INVOICE "{name: classid, operator: EQUALS_TO, values: [Invoice]}"
#define IS_PHOTO "{name: classid, operator: EQUALS_TO, values: [Photo]}"

static void tags_are_set_added_and_emptied(void **state)
{
    (void)state;
    assert_tags("- do: [{setTag: {State: [done, sure], Labels: []}}]",
                "[{'name':'State','value':['done','sure']},{'name':'Labels','value':[]},{'name':'Clerk','value':['carl']}]");
    assert_tags("- do: [{addTag: {Labels: [b, c, c], New: 7, Flag: true}}]",
                "[{'name':'State','value':['draft']},{'name':'Labels','value':['a','b','c']},{'name':'Clerk','value':['carl']},"
                "{'name':'New','value':['7']},{'name':'Flag','value':['true']}]");
    assert_tags("- do:\n  - setTag: {State: x}\n  - addTag: {State: '${tags.State}-${user.id}-${dayDate}-${component.id}-${component.classid}-${nobody}'}",
                "[{'name':'State','value':['x','x-ann-2024-01-05-d1-Invoice-${nobody}']},{'name':'Labels','value':['a','b']},{'name':'Clerk','value':['carl']}]");
}

static void members_are_set(void **state)
{
    struct rules_outcome out;

    (void)state;
    apply("rules:\n- do: [{setClass: Bill}, {setStatus: 'by ${user.id}'}, {setACL: closed}]", &out);
    assert_json(json_object_get(out.component, "data"), "{'classId':'Bill','status':'by ann','owner':'ann','ACL':'closed'}");
    assert_json(json_object_get(out.component, "files"), "[{'id':'f1'}]");
    assert_null(out.facts);
    assert_null(out.tasks);
    rules_outcome_done(&out);
}

static void what_changes_nothing_is_no_change(void **state)
{
    struct rules_outcome out;

    (void)state;
    apply("- do: [{setStatus: OPEN}, {addTag: {Labels: a}}, {setTag: {State: draft}}]", &out);
    assert_null(out.component);
    assert_null(out.code);
    apply("[]", &out);
    assert_null(out.component);
    apply("- do: [{setStatus: CLOSED}, {setStatus: OPEN}]", &out);
    assert_null(out.component);
}

static void a_rule_sees_what_those_before_it_have_made(void **state)
{
    struct rules_outcome out;

    (void)state;
    apply("- do: [{setClass: Photo}]\n" WHEN(IS_INVOICE) "- do: [{setStatus: invoice}]\n" WHEN(IS_INVOICE) "- do: [{setACL: photo}]\n" WHEN(IS_PHOTO), &out);
    assert_json(json_object_get(out.component, "data"), "{'classId':'Photo','status':'OPEN','owner':'ann','ACL':'photo'}");
    rules_outcome_done(&out);
}

static void the_last_rule_ends_it_when_it_was_done(void **state)
{
    struct rules_outcome out;

    (void)state;
    apply("- do: [{setStatus: one}]\n  last: true\n" WHEN(IS_PHOTO) "- do: [{setStatus: two}]\n  last: true\n- do: [{setStatus: three}]", &out);
    assert_json(json_object_get(out.component, "data"), "{'classId':'Invoice','status':'two','owner':'ann','ACL':'all'}");
    rules_outcome_done(&out);
}

static void facts_and_tasks_are_told_as_rest_takes_them(void **state)
{
    struct rules_outcome out;

    (void)state;
    apply("- do:\n  - createFact: {action: CLOSE, description: 'by ${user.id}'}\n  - createFact: {action: SEEN}\n"
          "  - createTask: {classId: Check, name: 'Check ${component.name}', assignee: '${tags.Clerk}', workflow: w, status: NEW, ACL: tasks,"
          " tags: {Due: '${dayDate}', Who: [a, b]}, attachTo: invoice}\n  - createTask: {classId: Other}\n", &out);
    assert_null(out.component);
    assert_json(out.facts, "[{'action':'CLOSE','description':'by ann'},{'action':'SEEN'}]");
    assert_json(out.tasks, "[{'name':'Check Bill 7','assignee':'carl','workflow':'w','data':{'classId':'Check','status':'NEW','ACL':'tasks'},"
                           "'tags':[{'name':'Due','value':['2024-01-05']},{'name':'Who','value':['a','b']}],"
                           "'attachments':[{'id':'invoice','category':'DOCUMENT','componentIds':['d1']}]},{'data':{'classId':'Other'}}]");
    rules_outcome_done(&out);
}

static void a_refusal_leaves_nothing_else(void **state)
{
    struct rules_outcome out;

    (void)state;
    apply("- do: [{setStatus: x}, {createFact: {action: A}}, {createTask: {classId: T}}, {refuse: 'not so, ${user.id}'}, {setStatus: y}]\n- do: [{refuse: other}]", &out);
    assert_string_equal(out.code, "F00039");
    assert_string_equal(out.message, "not so, ann");
    assert_null(out.component);
    assert_null(out.facts);
    assert_null(out.tasks);
    rules_outcome_done(&out);
    apply("- do: [{refuse: no}]\n" WHEN(IS_PHOTO), &out);
    assert_null(out.code);
}

static void too_much_at_once_is_refused(void **state)
{
    struct um_buf b = { 0 };
    struct rules_outcome out;

    (void)state;
    for (int i = 0; i < RULES_MADE_MAX; i++)
        um_buf_puts(&b, "- do: [{createFact: {action: A}}]\n");
    apply(um_buf_cstr(&b), &out);
    assert_null(out.code);
    assert_int_equal(json_array_size(out.facts), RULES_MADE_MAX);
    rules_outcome_done(&out);
    um_buf_puts(&b, "- do: [{createTask: {classId: T}}]\n");
    apply(um_buf_cstr(&b), &out);
    assert_string_equal(out.code, "T00000");
    assert_null(out.facts);
    um_buf_clear(&b);
    um_buf_puts(&b, "- do:\n");              /* a text that doubles with each: 5 bytes, 20 times */
    for (int i = 0; i < 20; i++)
        um_buf_puts(&b, "  - setTag: {State: '${tags.State}${tags.State}'}\n");
    apply(um_buf_cstr(&b), &out);
    assert_string_equal(out.code, "T00000");
    assert_non_null(strstr(out.message, "too long"));
    um_buf_free(&b);
}

static void json_says_the_same_as_yaml(void **state)
{
    struct rules_outcome yaml, json;

    (void)state;
    apply("- when:\n    type: OrClause\n    criteria: [" IS_PHOTO "]\n    clauses:\n    - criteria: [" IS_INVOICE "]\n  do:\n  - setStatus: 'a/b'\n", &yaml);
    apply("{\"rules\":[{\"when\":{\"type\":\"OrClause\",\"criteria\":[{\"name\":\"classid\",\"operator\":\"EQUALS_TO\",\"values\":[\"Photo\"]}],"
          "\"clauses\":[{\"criteria\":[{\"name\":\"classid\",\"operator\":\"EQUALS_TO\",\"values\":[\"Invoice\"]}]}]},\"do\":[{\"setStatus\":\"a\\/b\"}]}]}", &json);
    assert_non_null(yaml.component);
    assert_true(json_equal(yaml.component, json.component));
    rules_outcome_done(&yaml);
    rules_outcome_done(&json);
}

static void assert_wrong(const char *text, const char *said)
{
    char why[RULES_WHY_MAX] = "";
    struct rules *r = rules_new(text, why);

    if (r != NULL || strstr(why, said) == NULL)
        fail_msg("%s: \"%s\", not \"%s\"", text, r != NULL ? "accepted" : why, said);
}

static void what_are_no_rules_is_told_with_its_place(void **state)
{
    static const struct { const char *text, *said; } rows[] = {
        { "", "" }, { "a", "a list of at most 200 rules" }, { "{}", "a list of at most 200 rules" }, { "rules: []\nmore: 1", "more is not known" },
        { "- do: [", "line " }, { "a\n---\nb", "one document" }, { "- 1", "rule 1: a rule is a map" }, { "- {}", "rule 1: do is a list" },
        { "- {do: []}", "do is a list" }, { "- {do: x}", "do is a list" }, { "- {do: [{setStatus: a}], then: 1}", "rule 1: then is not known" },
        { "- {do: [{setStatus: a}], last: 1}", "last is true or false" }, { "- {do: [{setStatus: a}], name: []}", "name is a text" },
        { "- {do: [{setStatus: a}], when: x}", "rule 1: when: a clause is an object" },
        { "- {do: [{setStatus: a}]}\n- {do: [{setStatus: a}], when: {criteria: [{name: a, operator: IS, values: [1]}]}}", "rule 2: when/criteria/0: operator" },
        { "- {do: [x]}", "rule 1, action 1: an action is a map" }, { "- {do: [{}]}", "an action is a map with one member" },
        { "- {do: [{setStatus: a, setACL: b}]}", "one member" }, { "- {do: [{setStatus: a}, {setstatus: b}]}", "rule 1, action 2: setstatus is none of" },
        { "- {do: [{setStatus: 1}]}", "setStatus: a text" }, { "- {do: [{setStatus: ''}]}", "setStatus: a text" }, { "- {do: [{setClass: [a]}]}", "setClass: an id" },
        { "- {do: [{setTag: State}]}", "a map from names of tags" }, { "- {do: [{setTag: {}}]}", "a map from names" }, { "- {do: [{setTag: {A: 1.5}}]}", "put it in quotes" },
        { "- {do: [{setTag: {A: {}}}]}", "a value of A" }, { "- {do: [{addTag: {A: [a, null]}}]}", "a value of A" }, { "- {do: [{setTag: {'': a}}]}", "the name of a tag" },
        { "- {do: [{createFact: {}}]}", "createFact: action is a text" }, { "- {do: [{createFact: a}]}", "a map with action" },
        { "- {do: [{createFact: {action: a, user: b}}]}", "user is not known here" }, { "- {do: [{createTask: {name: a}}]}", "classId is a text" },
        { "- {do: [{createTask: {classId: a, owner: b}}]}", "owner is not known here" }, { "- {do: [{createTask: {classId: a, tags: [b]}}]}", "a map from names of tags" },
        { "- {do: [{refuse: {}}]}", "refuse: a text" },
    };
    struct um_buf b = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_wrong(rows[i].text, rows[i].said);
    for (int i = 0; i < RULES_MAX + 1; i++)
        um_buf_puts(&b, "- {do: [{setStatus: a}]}\n");
    assert_wrong(um_buf_cstr(&b), "at most 200 rules");
    um_buf_clear(&b);
    um_buf_puts(&b, "- do:\n");
    for (int i = 0; i < RULES_ACTIONS_MAX + 1; i++)
        um_buf_puts(&b, "  - setStatus: a\n");
    assert_wrong(um_buf_cstr(&b), "1 to 50 actions");
    um_buf_clear(&b);
    um_buf_printf(&b, "- {do: [{setStatus: %0*d}]}", RULES_TEXT_MAX, 0);
    assert_wrong(um_buf_cstr(&b), "at most 256 KB");
    um_buf_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_set_added_and_emptied),
        cmocka_unit_test(members_are_set),
        cmocka_unit_test(what_changes_nothing_is_no_change),
        cmocka_unit_test(a_rule_sees_what_those_before_it_have_made),
        cmocka_unit_test(the_last_rule_ends_it_when_it_was_done),
        cmocka_unit_test(facts_and_tasks_are_told_as_rest_takes_them),
        cmocka_unit_test(a_refusal_leaves_nothing_else),
        cmocka_unit_test(too_much_at_once_is_refused),
        cmocka_unit_test(json_says_the_same_as_yaml),
        cmocka_unit_test(what_are_no_rules_is_told_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
