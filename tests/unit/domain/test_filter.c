/* Execution filters: what each operator and special case lets through, and that a filter agrees with the search for the same criteria,
 * over random components: on memory and on UMBEL_STORE_URL. UMBEL_TEST_SEED repeats a run, which prints it when it fails. */
#include "search_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "call.h"
#include "filter.h"
#include "filter_int.h"

enum { COMPONENTS = 120, ROUNDS = 8, TOGETHER = 40 };

/* ---- one by one ---- */

static const char image_text[] =
    "{'id':'d1','category':'DOCUMENT','name':'Facture \\u00c9t\\u00e9','assignee':'bob','workflow':'payment',"
    "'data':{'classId':'Invoice','status':'OPEN','owner':'ann','ACL':'all','creationDate':'2024-01-05 00:00:00.000 +0000','version':3,'locked':true},"
    "'tags':[{'name':'Amount','value':['9','-3']},{'name':'State','value':['draft','Final']},{'name':'Empty','value':[]},{'name':'Blank','value':['']}]}";

static struct filter *compile(const char *criteria)
{
    char why[FILTER_WHY_MAX] = "";
    char *text = um_xasprintf("{'filterClauses':[%s]}", criteria);
    json_t *request = domain_rig_json(text);
    char *json = json_dumps(request, 0);
    struct filter *f = filter_new(json, why);

    if (f == NULL)
        fail_msg("%s: %s", text, why);
    json_decref(request);
    free(json);
    free(text);
    return f;
}

static bool matches_of(const char *clauses, const struct filter_subject *s)
{
    struct filter *f = compile(clauses);
    bool is = filter_matches(f, s);

    filter_free(f);
    return is;
}

static bool matches(const char *clauses)
{
    struct filter_subject s = { .image = domain_rig_json(image_text), .user = "ann" };
    bool is = matches_of(clauses, &s);

    json_decref((json_t *)s.image);
    return is;
}

#define C(name, operator, values) "{'criteria':[{'name':'" name "','operator':'" operator "','values':[" values "]}]}"

static void each_operator_lets_through_what_it_says(void **state)
{
    (void)state;
    assert_true(matches(C("classid", "EQUALS_TO", "'Invoice'")) && matches(C("CLASSID", "EQUALS_TO", "'x','Invoice'")));
    assert_false(matches(C("classid", "EQUALS_TO", "'invoice'")) || matches(C("classid", "DIFFERENT", "'Invoice'")));
    assert_true(matches(C("classid", "DIFFERENT", "'invoice'")) && matches(C("Nothing", "DIFFERENT", "'a'")) && matches(C("Empty", "DIFFERENT", "''")));
    assert_false(matches(C("Nothing", "EQUALS_TO", "''")) || matches(C("Empty", "EQUALS_TO", "''")));
    assert_true(matches(C("Blank", "EQUALS_TO", "''")));
    assert_true(matches(C("State", "EQUALS_TO", "'Final'")) && matches(C("State", "CONTAINS", "'RAF'")) && matches(C("State", "STARTS_WITH", "'fin'")) &&
                matches(C("State", "ENDS_WITH", "'AL'")));
    assert_false(matches(C("state", "EQUALS_TO", "'Final'")) || matches(C("State", "STARTS_WITH", "'inal'")) || matches(C("State", "ENDS_WITH", "'Fina'")) ||
                 matches(C("State", "DIFFERENT", "'draft'")));
    assert_true(matches(C("name", "CONTAINS", "'\\u00e9T\\u00c9'")) && matches(C("name", "ENDS_WITH", "'\\u00c9'")));
    assert_false(matches(C("name", "CONTAINS", "'ete'")));
    assert_true(matches(C("owner", "GREATER_THAN", "'anm'")) && matches(C("owner", "LESS_THAN", "'ano'")) && matches(C("owner", "BETWEEN", "'ann','ann'")));
    assert_false(matches(C("owner", "GREATER_THAN", "'ann'")) || matches(C("owner", "BETWEEN", "'ano','b'")));
    assert_true(matches(C("creationDate", "BETWEEN", "'1704412800000','1704412800000'")) && matches(C("creationDate", "LESS_THAN", "1704412800001")) &&
                matches(C("creationDate", "EQUALS_TO", "'2024-01-05'")) && matches(C("lastUpdateDate", "DIFFERENT", "0")));
    assert_false(matches(C("creationDate", "GREATER_THAN", "1704412800000")) || matches(C("lastUpdateDate", "LESS_THAN", "1704412800000")) ||
                 matches(C("creationDate", "CONTAINS", "'2024'")));
}

static void members_beside_those_of_searches_are_known(void **state)
{
    (void)state;
    assert_true(matches(C("workflow", "EQUALS_TO", "'payment'")) && matches(C("Workflow", "STARTS_WITH", "'PAY'")));
    assert_true(matches(C("data.owner", "EQUALS_TO", "'ann'")) && matches(C("data.version", "EQUALS_TO", "'3'")) && matches(C("data.locked", "EQUALS_TO", "'true'")));
    assert_false(matches(C("data.nothing", "CONTAINS", "''")) || matches(C("data.Owner", "EQUALS_TO", "'ann'")));
    assert_true(matches(C("assignee", "EQUALS_TO", "'bob'")) && matches(C("status", "EQUALS_TO", "'OPEN'")) && matches(C("acl", "EQUALS_TO", "'all'")) &&
                matches(C("category", "EQUALS_TO", "'DOCUMENT'")) && matches(C("id", "EQUALS_TO", "'d1'")));
}

static void clauses_are_and_unless_they_say_or(void **state)
{
    static const char yes[] = "{'name':'id','operator':'EQUALS_TO','values':['d1']}", no[] = "{'name':'id','operator':'EQUALS_TO','values':['x']}";
    char text[1024];

    (void)state;
    assert_true(matches(""));
    assert_true(matches("{},{'type':'OrClause','clauses':[{}]}"));
    snprintf(text, sizeof(text), "{'criteria':[%s,%s]}", yes, no);
    assert_false(matches(text));
    snprintf(text, sizeof(text), "{'type':'com.flower.docs.domain.search.OrClause','criteria':[%s,%s]}", no, yes);
    assert_true(matches(text));
    snprintf(text, sizeof(text), "{'@class':'OrClause','criteria':[%s],'filterClauses':[{'criteria':[%s]}]}", no, yes);
    assert_true(matches(text));
    snprintf(text, sizeof(text), "{'type':'OrClause','criteria':[%s],'clauses':[{'@class':'com.flower.docs.domain.search.AndClause','criteria':[%s,%s]}]}", no, yes, no);
    assert_false(matches(text));
    snprintf(text, sizeof(text), "{'criteria':[%s]},{'criteria':[%s]}", yes, no);
    assert_false(matches(text));
}

static void the_user_may_be_a_value(void **state)
{
    struct filter_subject s = { .image = domain_rig_json(image_text), .user = NULL };

    (void)state;
    assert_true(matches(C("owner", "EQUALS_TO", "'bob','${user.id}'")) && matches(C("assignee", "DIFFERENT", "'${user.id}'")));
    assert_false(matches(C("assignee", "EQUALS_TO", "'${user.id}'")));
    assert_false(matches_of(C("owner", "CONTAINS", "'${user.id}'"), &s) || matches_of(C("owner", "LESS_THAN", "'${user.id}'"), &s));
    assert_true(matches_of(C("owner", "DIFFERENT", "'${user.id}'"), &s));
    json_decref((json_t *)s.image);
}

static void assigning_answering_and_folder_contents_have_ids_of_their_own(void **state)
{
    json_t *image = domain_rig_json(image_text);
    struct filter_subject assign = { .image = image, .user = "ann", .id = "carl", .is_assignment = true, .assignee_before = "dan" };
    struct filter_subject fresh = { .image = image, .user = "ann", .id = "carl", .is_assignment = true };
    struct filter_subject content = { .image = image, .user = "ann", .id = "Photo" };

    (void)state;
    assert_true(matches_of(C("Id", "EQUALS_TO", "'carl'"), &assign) && matches_of(C("assignee", "EQUALS_TO", "'dan'"), &assign));
    assert_false(matches_of(C("Id", "EQUALS_TO", "'d1'"), &assign) || matches_of(C("assignee", "EQUALS_TO", "'bob'"), &assign));
    assert_true(matches_of(C("assignee", "EQUALS_TO", "''"), &fresh));
    assert_true(matches_of(C("Id", "EQUALS_TO", "'Photo'"), &content) && matches_of(C("assignee", "EQUALS_TO", "'bob'"), &content) &&
                matches_of(C("classid", "EQUALS_TO", "'Invoice'"), &content));
    json_decref(image);
}

static void a_search_is_filtered_by_its_criteria(void **state)
{
    json_t *request = domain_rig_json("{'filterClauses':[{'criteria':[{'name':'classid','operator':'EQUALS_TO','values':['Invoice','Order']}]},"
                                      "{'type':'OrClause','clauses':[{'filterClauses':[{'criteria':[{'name':'Amount','operator':'BETWEEN','values':[3,'9']},"
                                      "{'name':'creationDate','operator':'GREATER_THAN','values':['2024-01-05']}]}]}]}]}");
    struct filter_subject s = { .request = request, .user = "Order" };

    (void)state;
    assert_true(matches_of(C("classid", "EQUALS_TO", "'Order'"), &s) && matches_of(C("ClassId", "CONTAINS", "'voi'"), &s) &&
                matches_of(C("classid", "EQUALS_TO", "'${user.id}'"), &s) && matches_of(C("classid", "STARTS_WITH", "'inv'"), &s) &&
                matches_of(C("classid", "ENDS_WITH", "'der'"), &s));
    assert_false(matches_of(C("classid", "EQUALS_TO", "'invoice'"), &s) || matches_of(C("classid", "DIFFERENT", "'Order'"), &s) ||
                 matches_of(C("name", "CONTAINS", "''"), &s));
    assert_true(matches_of(C("classid", "DIFFERENT", "'Photo'"), &s) && matches_of(C("name", "DIFFERENT", "'a'"), &s));
    assert_true(matches_of(C("Amount", "EQUALS_TO", "'3'"), &s) && matches_of(C("creationDate", "EQUALS_TO", "1704412800000"), &s));
    assert_false(matches_of(C("amount", "EQUALS_TO", "'3'"), &s));
    assert_true(matches_of("", &s));
    json_decref(request);
}

/* ---- what is refused ---- */

static void assert_wrong(const char *text, const char *said)
{
    char why[FILTER_WHY_MAX] = "";
    struct filter *f = filter_new(text, why);

    if (f != NULL || strstr(why, said) == NULL)
        fail_msg("%s: \"%s\", not \"%s\"", text, f != NULL ? "accepted" : why, said);
}

#define J(clause) "{\"filterClauses\":[" clause "]}"
#define JC(criterion) J("{\"criteria\":[" criterion "]}")

static void what_is_no_filter_is_told_with_its_place(void **state)
{
    struct um_buf b = { 0 };

    (void)state;
    assert_wrong("", "neither XML nor JSON");
    assert_wrong("[]", "a search is an object");
    assert_wrong("{\"a\":1,\"a\":2}", "duplicate");
    assert_wrong("{\"filterClauses\":{}}", "filterClauses: an array");
    assert_wrong(J("1"), "/filterClauses/0: a clause is an object");
    assert_wrong(J("{\"type\":\"XorClause\"}"), "type: AndClause or OrClause");
    assert_wrong(J("{\"type\":7}"), "type: AndClause or OrClause");
    assert_wrong(JC("1"), "/filterClauses/0/criteria/0: a criterion is an object");
    assert_wrong(JC("{\"operator\":\"EQUALS_TO\",\"values\":[\"a\"]}"), "name of a field");
    assert_wrong(JC("{\"name\":\"content\",\"operator\":\"CONTAINS\",\"values\":[\"a\"]}"), "full text");
    assert_wrong(JC("{\"name\":\"a\",\"values\":[\"a\"]}"), "operator: EQUALS_TO");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"equals_to\",\"values\":[\"a\"]}"), "operator: EQUALS_TO");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"EQUALS_TO\",\"type\":\"NONE\",\"values\":[\"a\"]}"), "type: STRING");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"EQUALS_TO\"}"), "values: one is needed");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"BETWEEN\",\"values\":[\"a\"]}"), "values: two are needed");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"LESS_THAN\",\"values\":[\"a\",\"b\"]}"), "values: one is needed");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"EQUALS_TO\",\"values\":[null]}"), "values/0: a text");
    assert_wrong(JC("{\"name\":\"a\",\"operator\":\"EQUALS_TO\",\"values\":[[]]}"), "values/0: a text");
    um_buf_printf(&b, JC("{\"name\":\"a\",\"operator\":\"CONTAINS\",\"values\":[\"%0201d\"]}"), 0);
    assert_wrong(um_buf_cstr(&b), "values/0: a text of at most 200");
    um_buf_clear(&b);
    for (int i = 0; i < SEARCH_DEPTH_MAX + 1; i++)
        um_buf_printf(&b, "%s[{", i == 0 ? "{\"filterClauses\":" : "\"clauses\":");
    for (int i = 0; i < SEARCH_DEPTH_MAX + 1; i++)
        um_buf_puts(&b, "}]");
    assert_wrong((um_buf_puts(&b, "}"), um_buf_cstr(&b)), "at most 8 deep");
    um_buf_clear(&b);
    um_buf_puts(&b, "{\"filterClauses\":[");
    for (int i = 0; i < SEARCH_CLAUSES_MAX; i++)
        um_buf_puts(&b, i == 0 ? "{}" : ",{}");
    assert_wrong((um_buf_puts(&b, "]}"), um_buf_cstr(&b)), "at most 39 clauses");
    um_buf_clear(&b);
    um_buf_printf(&b, "{\"a\":\"%0*d\"}", FILTER_TEXT_MAX, 0);
    assert_wrong(um_buf_cstr(&b), "at most 64 KB");
    um_buf_free(&b);
}

static void at_most_so_many_criteria(void **state)
{
    struct um_buf b = { 0 };
    char why[FILTER_WHY_MAX];
    struct filter *f;

    (void)state;
    um_buf_puts(&b, "{\"filterClauses\":[{\"criteria\":[");
    for (int i = 0; i < SEARCH_CRITERIA_MAX; i++)
        um_buf_printf(&b, "%s{\"name\":\"a\",\"operator\":\"DIFFERENT\",\"values\":[\"b\"]}", i == 0 ? "" : ",");
    um_buf_puts(&b, "]}");
    f = filter_new(um_buf_cstr(&b), why);
    assert_null(f);
    um_buf_puts(&b, "]}");
    f = filter_new(um_buf_cstr(&b), why);
    assert_non_null(f);
    filter_free(f);
    b.len -= 2;
    um_buf_puts(&b, ",{\"criteria\":[{\"name\":\"a\",\"operator\":\"DIFFERENT\",\"values\":[\"b\"]}]}]}");
    assert_wrong(um_buf_cstr(&b), "at most 20 criteria");
    um_buf_free(&b);
}

/* ---- XML ---- */

#define X(inside) "<SearchRequest xmlns=\"http://flower.com/docs/domain/search\">" inside "</SearchRequest>"

static void xml_is_the_same_search(void **state)
{
    static const char text[] =
        "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<s:SearchRequest xmlns:s=\"http://flower.com/docs/domain/search\" xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\""
        " x:schemaLocation=\"a b\">\n <s:selectClause><s:fields> name </s:fields></s:selectClause>\n"
        " <s:filterClauses x:type=\"s:OrClause\"><s:criteria><s:name>classid</s:name><s:operator> EQUALS_TO\n</s:operator><s:type>STRING</s:type>"
        "<s:values>A &amp; &lt;B&gt; </s:values><s:values/></s:criteria><s:clauses x:type=\"AndClause\"/></s:filterClauses>\n"
        " <s:orderClauses><s:name>name</s:name><s:ascending>0</s:ascending></s:orderClauses>"
        "<s:aggregation><s:field>T</s:field><s:nested><s:field>N</s:field></s:nested></s:aggregation><s:start>0</s:start><s:max>7</s:max></s:SearchRequest>\n";
    json_t *expected = domain_rig_json("{'selectClause':{'fields':['name']},'filterClauses':[{'type':'OrClause','criteria':[{'name':'classid','operator':'EQUALS_TO',"
                                       "'type':'STRING','values':['A & <B> ','']}],'clauses':[{'type':'AndClause'}]}],'orderClauses':[{'name':'name','ascending':false}],"
                                       "'aggregation':{'field':'T','nested':[{'field':'N'}]},'start':0,'max':7}");
    char why[FILTER_WHY_MAX] = "";
    json_t *got = filter_read_xml(UM_SPAN(text, sizeof(text) - 1), why);

    (void)state;
    assert_string_equal(why, "");
    if (!json_equal(expected, got))
        fail_msg("%s", json_dumps(got, JSON_COMPACT));
    json_decref(expected);
    json_decref(got);
}

static void what_is_no_xml_filter_is_told_with_its_line(void **state)
{
    struct um_buf b = { 0 };

    (void)state;
    assert_wrong("<a/>", "line 1: a is not known here");
    assert_wrong("<SearchRequest/>", "outside of the namespace");
    assert_wrong("<SearchRequest xmlns=\"http://flower.com/docs/domain/searches\"/>", "outside of the namespace");
    assert_wrong(X("\n<filterClauses><criterion/></filterClauses>"), "line 2: criterion is not known here");
    assert_wrong(X("<filterClauses xmlns=\"\"/>"), "outside of the namespace");
    assert_wrong(X("<name>a</name>"), "name is not known here");
    assert_wrong(X("a"), "a text where elements are wanted");
    assert_wrong(X("<start>1</start><start>1</start>"), "twice");
    assert_wrong(X("<start>x</start>"), "a whole number");
    assert_wrong(X("<start><max>1</max></start>"), "max is not known here");
    assert_wrong(X("<filterClauses type=\"OrClause\"/>"), "attribute type");
    assert_wrong(X("<filterClauses xmlns:x=\"http://www.w3.org/2001/XMLSchema-instance\" x:type=\"Not\"/>"), "type: AndClause or OrClause");
    assert_wrong(X("<filterClauses>"), "no XML");
    assert_wrong("<!DOCTYPE a [<!ENTITY b \"c\">]>" X("&b;"), "a document type is not allowed");
    um_buf_puts(&b, "<SearchRequest xmlns=\"http://flower.com/docs/domain/search\"><filterClauses>");
    for (int i = 0; i < FILTER_XML_DEPTH; i++)
        um_buf_puts(&b, "<clauses>");
    assert_wrong(um_buf_cstr(&b), "within one another");
    um_buf_clear(&b);
    um_buf_puts(&b, "<SearchRequest xmlns=\"http://flower.com/docs/domain/search\">");
    for (int i = 0; i < 3500; i++)
        um_buf_puts(&b, "<filterClauses/>");
    assert_wrong(um_buf_cstr(&b), "no XML");
    um_buf_free(&b);
}

/* ---- as a search ---- */

static uint64_t seed, state_of_random;

static uint32_t next(uint32_t below)
{
    state_of_random = state_of_random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state_of_random >> 33) % below;
}
#define ONE_OF(...) (((const char *const[]){ __VA_ARGS__ })[next(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))])

/* Letters with cases of all scripts that we fold, and every sign that a pattern could mistake for its own. */
static const char *word(void)
{
    return ONE_OF("red", "Red", "", "é", "É", "straße", "ΣΟΦΟΣ", "σοφος", "σοφός", "Ж", "ж", "a*b", "a?b", "a[b]", "[", "]", "\\", "^", "$", ".", "a.b", "(", "{1}", "|", "+",
                  "-", "%", "_", "\"", "é", "日本", "😀", "I", "i", "İ", "ı", "A", "a", "x y", " x", "§");
}
static const char *number(void) { return ONE_OF("0", "1", "01", "-1", "-5", "9", "10", "+3", "3", "20", ""); }
static const char *asked_number(void) { return ONE_OF("0", "1", "01", "-1", "-5", "9", "10", "+3", "3", "20"); }
static const char *date(void) { return ONE_OF("2024-01-01 00:00:00.000 +0000", "2024-01-02 00:00:00.000 +0000", "2024-01-02 01:00:00.000 +0100", "2024-01-03", ""); }
static const char *asked_date(void) { return ONE_OF("2024-01-01", "1704067200000", "2024-01-02 01:00:00.000 +0100", "1704153600001", "2024-01-03"); }
static const char *truth(void) { return ONE_OF("true", "TRUE", "false", "False"); }

static json_t *tag(const char *name, const char *(*value)(void), uint32_t most)
{
    json_t *values = json_array();

    for (uint32_t n = next(most + 1); n > 0; n--)
        json_array_append_new(values, json_string(value()));
    if (*name == 'T' && next(10) == 0)       /* more than is searched by, cut within a character */
        json_array_append_new(values, json_sprintf("%0999dé%s", 0, next(2) ? "tail" : ""));
    return json_pack("{s:s, s:o}", "name", name, "value", values);
}

static json_t *component(int i)
{
    json_t *tags = json_pack("[o, o, o, o]", tag("T", word, 3), tag("N", number, 2), tag("D", date, 2), tag("B", truth, 1));

    if (next(4) == 0)
        json_array_append_new(tags, tag("name", word, 2));
    return json_pack("{s:o, s:s, s:{s:s, s:s, s:s, s:s, s:s, s:s}, s:o}", "id", json_sprintf("c%04d", i), "name", word(), "data",
                     "classId", ONE_OF("A", "B", "a"), "ACL", "all", "owner", ONE_OF("ann", "bob"), "status", ONE_OF("", "OPEN", "DONE"),
                     "creationDate", "2024-01-02 00:00:00.000 +0000", "lastUpdateDate", ONE_OF("2024-01-01 00:00:00.000 +0000", "2024-01-03 00:00:00.000 +0000"), "tags", tags);
}

static json_t *criterion(void)
{
    static const struct { const char *name; const char *(*value)(void); bool is_text; } fields[] = {
        { "T", word, true }, { "N", asked_number, false }, { "D", asked_date, false }, { "B", truth, false }, { "name", word, true }, { "NAME", word, true },
        { "creationDate", asked_date, false }, { "lastupdatedate", asked_date, false }, { "classid", NULL, true }, { "Status", NULL, true }, { "t", word, true },
        { "N", word, true }, { "id", NULL, true }, { "T", word, true },
    };
    size_t f = next(UM_COUNT(fields));
    bool text_of_number = fields[f].is_text && *fields[f].name == 'N' && fields[f].name[1] == '\0';
    const char *operator = text_of_number     ? ONE_OF("CONTAINS", "STARTS_WITH", "ENDS_WITH")
                           : fields[f].is_text ? ONE_OF("EQUALS_TO", "DIFFERENT", "CONTAINS", "STARTS_WITH", "ENDS_WITH", "GREATER_THAN", "LESS_THAN", "BETWEEN")
                                               : ONE_OF("EQUALS_TO", "DIFFERENT", "GREATER_THAN", "LESS_THAN", "BETWEEN");
    uint32_t n = strcmp(operator, "BETWEEN") == 0 ? 2 : strstr(operator, "THAN") != NULL ? 1 : 1 + next(3);
    json_t *values = json_array();

    while (n-- > 0)
        json_array_append_new(values, json_string(fields[f].value != NULL ? fields[f].value() : ONE_OF("A", "B", "", "OPEN", "DONE", "c0001", "c0050")));
    return json_pack("{s:s, s:s, s:o}", "name", fields[f].name, "operator", operator, "values", values);
}

static uint32_t n_criteria;                  /* of the request so far */

static json_t *clause(int depth)
{
    json_t *criteria = json_array(), *clauses = json_array(), *all;

    for (uint32_t n = next(3); n > 0 && n_criteria++ < SEARCH_CRITERIA_MAX; n--)
        json_array_append_new(criteria, criterion());
    for (uint32_t n = depth > 0 ? next(3) : 0; n > 0; n--)
        json_array_append_new(clauses, clause(depth - 1));
    all = json_pack("{s:o, s:o}", "criteria", criteria, ONE_OF("clauses", "filterClauses"), clauses);
    if (next(3) > 0)
        json_object_set_new(all, ONE_OF("type", "@class"), json_string(ONE_OF("com.flower.docs.domain.search.AndClause", "com.flower.docs.domain.search.OrClause", "OrClause")));
    return all;
}

static json_t *request(void)
{
    json_t *clauses = json_array();

    n_criteria = 0;
    for (uint32_t n = 1 + next(2); n > 0; n--)
        json_array_append_new(clauses, clause(2));
    return json_pack("{s:o, s:i, s:{s:[s]}}", "filterClauses", clauses, "max", COMPONENTS, "selectClause", "fields", "id");
}

/* ---- the same in XML ---- */

static void put_xml(struct um_buf *b, const char *element, const json_t *v)
{
    const char *name;
    json_t *one;
    size_t i;

    if (json_is_array(v)) {
        json_array_foreach((json_t *)v, i, one)
            put_xml(b, element, one);
        return;
    }
    if (json_is_object(v)) {
        const char *kind = json_string_value(json_object_get(v, "type")) ? json_string_value(json_object_get(v, "type")) : json_string_value(json_object_get(v, "@class"));
        um_buf_printf(b, "<%s", element);
        if (kind != NULL)
            um_buf_printf(b, " xsi:type=\"q:%s\"", strrchr(kind, '.') != NULL ? strrchr(kind, '.') + 1 : kind);
        um_buf_puts(b, ">");
        json_object_foreach((json_t *)v, name, one)
            if (strcmp(name, "type") != 0 && strcmp(name, "@class") != 0)
                put_xml(b, name, one);
    } else if (json_is_integer(v)) {
        um_buf_printf(b, "<%s>%lld", element, (long long)json_integer_value(v));
    } else {
        um_buf_printf(b, "<%s>", element);
        for (const char *p = json_string_value(v); *p != '\0'; p++)
            if (strchr("<>&", *p) != NULL)
                um_buf_printf(b, "&#%d;", *p);
            else
                um_buf_put_u8(b, (uint8_t)*p);
    }
    um_buf_printf(b, "</%s>", element);
}

static char *xml_of(const json_t *search)
{
    struct um_buf b = { 0 };
    char *text;

    put_xml(&b, "SearchRequest", search);
    text = um_xasprintf("<SearchRequest xmlns=\"http://flower.com/docs/domain/search\" xmlns:q=\"http://flower.com/docs/domain/search\" "
                        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">%s", strchr(um_buf_cstr(&b), '>') + 1);
    um_buf_free(&b);
    return text;
}

/* ---- holding one against the other ---- */

static json_t *bodies;                       /* of the components */

static um_err filter_one(struct um_call *c, const char *text, json_t *into)
{
    char why[FILTER_WHY_MAX];
    struct filter *f = filter_new(text, why);
    json_t *ids = json_array(), *body;
    size_t i;

    if (f == NULL)
        return um_fail(c, UM_U00400, "%s: %s", why, text);
    json_array_foreach(bodies, i, body)
        if (filter_matches(f, &(struct filter_subject){ .model = c->model, .image = body, .category = "DOCUMENT", .user = "ann" }))
            json_array_append(ids, json_object_get(body, "id"));
    filter_free(f);
    json_array_append_new(into, ids);
    return UM_OK;
}

/* An array of searches; of each, twice, the ids that the filter lets through: read as JSON, and as XML. */
static um_err filter_all(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++) {
        const json_t *one = json_array_get(c->body, i);
        char *json = json_dumps(one, 0), *xml = xml_of(one);
        err = filter_one(c, json, c->reply);
        if (err == UM_OK)
            err = filter_one(c, xml, c->reply);
        free(json);
        free(xml);
    }
    return err;
}
static const struct um_domain_call filters_call = { "test.filters", filter_all, 0 };

static json_t *ask(struct domain_rig *r, const struct um_domain_call *call, const json_t *requests)
{
    char *text = json_dumps(requests, JSON_COMPACT);

    if (strcmp(domain_rig_ask(r, call, NULL, text), "") != 0)
        fail_msg("seed %llu: %s: %s of %s", (unsigned long long)seed, r->code, r->message, text);
    free(text);
    return json_incref(r->reply);
}

static json_t *ids_of(const json_t *reply)
{
    struct um_map found = { 0 };
    json_t *row, *ids = json_array(), *body;
    size_t i;

    json_array_foreach(json_object_get(reply, "results"), i, row)
        um_map_put(&found, UM_SPAN_STR(json_string_value(json_object_get(row, "id"))), row);
    json_array_foreach(bodies, i, body)      /* in their order */
        if (um_map_get(&found, UM_SPAN_STR(json_string_value(json_object_get(body, "id")))) != NULL)
            json_array_append(ids, json_object_get(body, "id"));
    um_map_free(&found);
    return ids;
}

static size_t check_some(struct domain_rig *r)
{
    json_t *requests = json_array(), *found, *filtered, *reply;
    size_t i, n = 0;

    for (int k = 0; k < TOGETHER; k++)
        json_array_append_new(requests, request());
    found = ask(r, &search_rig_many, requests);
    filtered = ask(r, &filters_call, requests);
    json_array_foreach(found, i, reply) {
        json_t *ids = ids_of(reply);
        for (size_t k = 2 * i; k < 2 * i + 2; k++)
            if (!json_equal(ids, json_array_get(filtered, k)))
                fail_msg("seed %llu, %s: %s\nsearch %s\nfilter %s", (unsigned long long)seed, k % 2 == 0 ? "JSON" : "XML", json_dumps(json_array_get(requests, i), 0),
                         json_dumps(ids, 0), json_dumps(json_array_get(filtered, k), 0));
        n += json_array_size(ids) > 0 && json_array_size(ids) < COMPONENTS;
        json_decref(ids);
    }
    json_decref(requests);
    json_decref(found);
    json_decref(filtered);
    return n;
}

static void a_filter_lets_through_what_a_search_finds(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));
    size_t telling = 0;

    (void)state;
    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    search_rig_clear(r);
    assert_done(r, &um_objects_create, "{'kind':'tagclass'}",
                "[{'id':'T','type':'STRING'},{'id':'N','type':'INT'},{'id':'D','type':'DATE'},{'id':'B','type':'BOOLEAN'}]");
    bodies = json_array();
    for (int n = 0; n < COMPONENTS; n++)
        json_array_append_new(bodies, component(n));
    search_rig_put_json(r, json_incref(bodies));
    for (int n = 0; n < ROUNDS; n++)
        telling += check_some(r);
    assert_true(telling > ROUNDS * TOGETHER / 4);          /* searches that find some and not all */
    json_decref(bodies);
    domain_rig_close(r);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operator_lets_through_what_it_says),
        cmocka_unit_test(members_beside_those_of_searches_are_known),
        cmocka_unit_test(clauses_are_and_unless_they_say_or),
        cmocka_unit_test(the_user_may_be_a_value),
        cmocka_unit_test(assigning_answering_and_folder_contents_have_ids_of_their_own),
        cmocka_unit_test(a_search_is_filtered_by_its_criteria),
        cmocka_unit_test(what_is_no_filter_is_told_with_its_place),
        cmocka_unit_test(at_most_so_many_criteria),
        cmocka_unit_test(xml_is_the_same_search),
        cmocka_unit_test(what_is_no_xml_filter_is_told_with_its_line),
        cmocka_unit_test(a_filter_lets_through_what_a_search_finds),
    };
    const char *given = getenv("UMBEL_TEST_SEED");

    seed = given != NULL ? strtoull(given, NULL, 10) : um_random_u64() % 1000000;
    state_of_random = seed;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
