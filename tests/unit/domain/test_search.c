/* What a search finds, refuses and shows, on memory, or on UMBEL_STORE_URL when it is set. */
#include "search_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#define ONE(field, op, ...) "{'criteria':[{'name':'" field "','operator':'" op "','values':[" __VA_ARGS__ "]}]}"
#define BY_ID "'orderClauses':[{'name':'id','ascending':true}]"
#define WHERE(...) "{'filterClauses':[" __VA_ARGS__ "]," BY_ID "}"
#define finds(r, request, ids) assert_string_equal(search_rig_search((r), (request)), (ids))

static const char *const bodies[] = {
    "{'id':'a','name':'Facture Dupont','data':{'classId':'Invoice','ACL':'all','owner':'ann','status':'OPEN','creationDate':'2024-01-01 00:00:00.000 +0000',"
    "'lastUpdateDate':'2024-02-01 00:00:00.000 +0000'},'tags':[{'name':'T','value':['red','blue']},{'name':'N','value':['9']}]}",
    "{'id':'b','name':'facture \\u00c9t\\u00e9','data':{'classId':'Invoice','ACL':'read','owner':'bob','creationDate':'2024-01-02 00:00:00.000 +0000',"
    "'lastUpdateDate':'2024-01-03 00:00:00.000 +0000'},'tags':[{'name':'T','value':['blue']},{'name':'N','value':['10']},{'name':'D','value':['2024-03-07']}]}",
    "{'id':'c','name':'Contract *1*','data':{'classId':'Contract','ACL':'all','owner':'ann','creationDate':'2024-01-03 00:00:00.000 +0000',"
    "'lastUpdateDate':'2024-01-02 00:00:00.000 +0000'},'tags':[{'name':'T','value':['Red']},{'name':'N','value':['-3']}]}",
    "{'id':'d','name':'secret','data':{'classId':'Contract','ACL':'none','owner':'eve'},'tags':[{'name':'T','value':['red']}]}",
    "{'id':'e','name':'ruled in','data':{'classId':'Note','ACL':'ruled','owner':'eve'},'tags':[{'name':'T','value':['yes']}]}",
    "{'id':'f','name':'ruled out','data':{'classId':'Note','ACL':'ruled','owner':'eve'},'tags':[{'name':'T','value':['no']}]}",
};

static void finds_json(struct domain_rig *r, json_t *request, const char *ids)
{
    char *text = json_dumps(request, JSON_COMPACT);

    finds(r, text, ids);
    free(text);
    json_decref(request);
}

static int open_rig(void **state)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    search_rig_clear(r);
    search_rig_model(r);
    for (size_t i = 0; i < UM_COUNT(bodies); i++)
        search_rig_put(r, bodies[i]);
    *state = r;
    return 0;
}

static int close_rig(void **state)
{
    domain_rig_close(*state);
    free(*state);
    return 0;
}

static void members_and_tags_are_compared_as_their_operators_say(void **state)
{
    struct domain_rig *r = *state;

    finds(r, WHERE(ONE("classid", "EQUALS_TO", "'Invoice'")), "a b ");
    finds(r, WHERE(ONE("CLASSID", "EQUALS_TO", "'Invoice','Note'")), "a b e ");
    finds(r, WHERE(ONE("classid", "EQUALS_TO", "'invoice'")), "");
    finds(r, WHERE(ONE("classid", "DIFFERENT", "'Invoice'")), "c e ");
    finds(r, WHERE(ONE("name", "CONTAINS", "'FACTURE'")), "a b ");
    finds(r, WHERE(ONE("name", "ENDS_WITH", "'\\u00e9t\\u00c9'")), "b ");
    finds(r, WHERE(ONE("name", "STARTS_WITH", "'fact','contr'")), "a b c ");
    finds(r, WHERE(ONE("name", "CONTAINS", "'*1*'")), "c ");
    finds(r, WHERE(ONE("name", "CONTAINS", "'.'")), "");
    finds(r, WHERE(ONE("T", "EQUALS_TO", "'red'")), "a ");
    finds(r, WHERE(ONE("T", "EQUALS_TO", "'red','blue'")), "a b ");
    finds(r, WHERE(ONE("T", "DIFFERENT", "'blue'")), "c e ");
    finds(r, WHERE(ONE("T", "CONTAINS", "'RE'")), "a c ");
    finds(r, WHERE(ONE("T", "GREATER_THAN", "'bluf'")), "a e ");
    finds(r, WHERE(ONE("N", "EQUALS_TO", "'09'")), "a ");
    finds(r, WHERE(ONE("N", "GREATER_THAN", "'9'")), "b ");
    finds(r, WHERE(ONE("N", "LESS_THAN", "9")), "c ");
    finds(r, WHERE(ONE("N", "BETWEEN", "'-3','9'")), "a c ");
    finds(r, WHERE(ONE("D", "EQUALS_TO", "'1709769600000'")), "b ");
    finds(r, WHERE(ONE("D", "GREATER_THAN", "'2024-03-07'")), "");
    finds(r, WHERE(ONE("creationDate", "BETWEEN", "'1704067200000','1704153600000'")), "a b ");
    finds(r, WHERE(ONE("creationdate", "LESS_THAN", "'2024-01-02 00:00:00.000 +0000'")), "a e ");
    finds(r, WHERE(ONE("nobody has it", "EQUALS_TO", "'x'")), "");
    finds(r, WHERE(ONE("assignee", "EQUALS_TO", "''")), "a b c e ");
}

static void clauses_nest_under_either_of_their_names(void **state)
{
    struct domain_rig *r = *state;

    finds(r, WHERE(ONE("classid", "EQUALS_TO", "'Invoice'") "," ONE("N", "EQUALS_TO", "'9'")), "a ");
    finds(r, WHERE("{'type':'com.flower.docs.domain.search.OrClause','clauses':[" ONE("N", "EQUALS_TO", "'9'") "],"
                   "'criteria':[{'name':'T','operator':'EQUALS_TO','type':'STRING','values':['Red']}]}"), "a c ");
    finds(r, WHERE("{'@class':'com.flower.docs.domain.search.OrClause','filterClauses':[" ONE("N", "EQUALS_TO", "'9'") "," ONE("id", "EQUALS_TO", "'c'") "]}"),
          "a c ");
    finds(r, WHERE("{'type':'OrClause','criteria':[{'name':'id','operator':'EQUALS_TO','values':['a']},{'name':'T','operator':'DIFFERENT','values':['blue']}]}"),
          "a c e ");
    finds(r, WHERE("{'type':'OrClause','criteria':[],'clauses':[{'criteria':[]}]}"), "a b c e ");
    finds(r, "{" BY_ID "}", "a b c e ");
}

static void words_are_found_in_names_tags_and_what_was_indexed(void **state)
{
    struct domain_rig *r = *state;

    search_rig_text(r, "a", "file:1", "The quick brown f\u00f3x, 2024 \u6771\u4eac");
    search_rig_text(r, "c", "file:2", "the slow fox");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'FOX'")), "a c ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'fox dupont'")), "a ");
    finds(r, WHERE(ONE("content", "EQUALS_TO", "'ete'")), "b ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'fox NOT slow'")), "a ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'NOT fox'")), "b e ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'slow OR quick AND brown OR ete'")), "a b c ");
    finds(r, WHERE(ONE("Content", "DIFFERENT", "'fox'")), "b e ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'slow','brown'")), "a c ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'+f\\u00d3x-(quick)*~: \\u0022brown\\u0022? \\\\ ^{} ! & | <->'")), "a ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'+-()*'")), "");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'OR fox AND'")), "a c ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'\\u4eac'")), "a ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'secret'")), "");
    finds(r, WHERE(ONE("T", "EQUALS_TO", "'red'") "," ONE("Content", "CONTAINS", "'fox'")), "a ");
    search_rig_text(r, "a", "file:1", "");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'fox'")), "c ");
    search_rig_put(r, "{'id':'b','name':'other','data':{'classId':'Invoice','ACL':'all'}}");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'facture'")), "a ");
    finds(r, WHERE(ONE("Content", "CONTAINS", "'other'")), "b ");
    finds(r, WHERE(ONE("T", "EQUALS_TO", "'blue'")), "a ");
}

static void rows_come_in_the_order_asked_for(void **state)
{
    struct domain_rig *r = *state;

    finds(r, "{'orderClauses':[{'name':'name','ascending':false}]}", "e b a c ");
    finds(r, "{'orderClauses':[{'name':'N','type':'INT','ascending':true}]}", "c a b e ");
    finds(r, "{'orderClauses':[{'name':'N','ascending':false},{'name':'id'}]}", "b a c e ");
    finds(r, "{'orderClauses':[{'name':'T'},{'name':'id','ascending':false}]}", "c b a e ");
    finds(r, "{'orderClauses':[{'name':'creationDate','type':'TIMESTAMP','ascending':false}]}", "c b a e ");
    finds(r, "{}", "a b c e ");                                              /* newest change first */
    finds(r, "{'start':1,'max':2," BY_ID "}", "b c ");
    assert_at(r, "/found", "4");
    finds(r, "{'max':0}", "");
    assert_at(r, "/found", "4");
}

static void a_cursor_walks_over_all_in_any_order(void **state)
{
    static const char *const orders[] = { "", "'orderClauses':[{'name':'T'},{'name':'N','ascending':false}],",
                                          "'orderClauses':[{'name':'N','ascending':false}],", "'orderClauses':[{'name':'owner'},{'name':'name'}]," };
    struct domain_rig *r = *state;

    for (size_t i = 0; i < UM_COUNT(orders); i++) {
        char request[4096], whole[64], parts[64] = "", *after = um_xstrdup("");

        snprintf(request, sizeof(request), "{%s'max':100}", orders[i]);
        snprintf(whole, sizeof(whole), "%s", search_rig_search(r, request));
        for (int turn = 0; turn < 6 && after != NULL; turn++) {
            snprintf(request, sizeof(request), "{%s'max':1%s%s%s}", orders[i], *after != '\0' ? ",'after':'" : "", after, *after != '\0' ? "'" : "");
            snprintf(parts + strlen(parts), sizeof(parts) - strlen(parts), "%s", search_rig_search(r, request));
            free(after);
            after = domain_rig_at(r, "/after") != NULL ? um_xstrdup(domain_rig_at(r, "/after")) : NULL;
        }
        assert_null(after);
        assert_string_equal(parts, whole);
    }
}

static void fields_are_shown_as_selected(void **state)
{
    struct domain_rig *r = *state;

    finds(r, "{'selectClause':{'fields':['name','CreationDate','T','N','nothing']},'filterClauses':[" ONE("id", "EQUALS_TO", "'a'") "]}", "a ");
    assert_at(r, "/results/0/fields/0/value", "Facture Dupont");
    assert_at(r, "/results/0/fields/1/name", "CreationDate");
    assert_at(r, "/results/0/fields/1/value", "2024-01-01 00:00:00.000 +0000");
    assert_at(r, "/results/0/fields/2/value", "red\u00a7" "blue");
    assert_at(r, "/results/0/fields/2/values/1", "blue");
    assert_at(r, "/results/0/fields/3/value", "9");
    assert_null(domain_rig_at(r, "/results/0/fields/3/values/0"));
    assert_null(domain_rig_at(r, "/results/0/fields/4/name"));
    finds(r, "{'filterClauses':[" ONE("id", "EQUALS_TO", "'a'") "]}", "a ");
    assert_int_equal(json_array_size(json_object_get(json_array_get(json_object_get(r->reply, "results"), 0), "fields")), 11);
}

static void values_are_counted_on_three_levels(void **state)
{
    struct domain_rig *r = *state;

    finds(r, "{'max':0,'aggregation':{'field':'T','nested':[{'field':'classid','nested':[{'field':'N'}]},{'field':'owner'}]}}", "");
    assert_at(r, "/aggregation/field", "T");
    assert_at(r, "/aggregation/buckets/0/value", "blue");
    assert_at(r, "/aggregation/buckets/0/count", "2");
    assert_at(r, "/aggregation/buckets/0/nested/0/field", "classid");
    assert_at(r, "/aggregation/buckets/0/nested/0/buckets/0/value", "Invoice");
    assert_at(r, "/aggregation/buckets/0/nested/0/buckets/0/count", "2");
    assert_at(r, "/aggregation/buckets/0/nested/0/buckets/0/nested/0/buckets/1/value", "9");
    assert_at(r, "/aggregation/buckets/0/nested/1/buckets/1/value", "bob");
    assert_at(r, "/aggregation/buckets/1/value", "Red");
    assert_at(r, "/aggregation/buckets/2/value", "red");
    assert_at(r, "/aggregation/buckets/2/count", "1");                       /* d is nobody's business */
}

static void what_may_not_be_read_is_not_found(void **state)
{
    struct domain_rig *r = *state;

    finds(r, WHERE(ONE("id", "EQUALS_TO", "'d'")), "");
    assert_at(r, "/found", "0");
    finds(r, WHERE(ONE("acl", "EQUALS_TO", "'none','ruled'")), "e ");
    assert_at(r, "/found", "1");
    finds(r, "{'start':1,'max':2,'filterClauses':[" ONE("T", "EQUALS_TO", "'yes','no','red'") "]," BY_ID "}", "e ");
    assert_at(r, "/found", "2");
    assert_done(r, &um_objects_update, "{'kind':'acl','ids':['read']}", "[{'id':'read','name':'read','entries':[]}]");
    finds(r, "{" BY_ID "}", "a c ");
    assert_done(r, &um_objects_delete, "{'kind':'acl','ids':['ruled'],'force':true}", NULL);
    finds(r, "{" BY_ID "}", "a c ");
    assert_at(r, "/found", "2");
}

static void what_cannot_be_run_is_told_with_its_place(void **state)
{
    static const struct { const char *request, *path; } rows[] = {
        { "[]", "" },
        { "{'filterClauses':{}}", "/filterClauses" },
        { "{'filterClauses':[{'type':'NotClause'}]}", "/filterClauses/0/type" },
        { "{'filterClauses':[{'criteria':[{'name':'id'}]}]}", "/filterClauses/0/criteria/0/operator" },
        { "{'filterClauses':[{'criteria':[{'operator':'EQUALS_TO'}]}]}", "/filterClauses/0/criteria/0/name" },
        { "{'filterClauses':[{'clauses':[" ONE("id", "EQUALS_TO", "") "]}]}", "/filterClauses/0/clauses/0/criteria/0/values" },
        { "{'filterClauses':[" ONE("id", "EQUALS_TO", "'a',1") "]}", "/filterClauses/0/criteria/0/values/1" },
        { "{'filterClauses':[" ONE("N", "EQUALS_TO", "'x'") "]}", "/filterClauses/0/criteria/0/values/0" },
        { "{'filterClauses':[" ONE("creationDate", "LESS_THAN", "'9999999999999999999'") "]}", "/filterClauses/0/criteria/0/values/0" },
        { "{'filterClauses':[" ONE("N", "BETWEEN", "'1'") "]}", "/filterClauses/0/criteria/0/values" },
        { "{'filterClauses':[" ONE("creationDate", "CONTAINS", "'1'") "]}", "/filterClauses/0/criteria/0/operator" },
        { "{'filterClauses':[" ONE("Content", "LESS_THAN", "'1'") "]}", "/filterClauses/0/criteria/0/operator" },
        { "{'filterClauses':[{'criteria':[{'name':'id','operator':'EQUALS_TO','type':'WHAT','values':['a']}]}]}", "/filterClauses/0/criteria/0/type" },
        { "{'start':9999,'max':2}", "/start" },
        { "{'max':10001}", "/max" },
        { "{'max':-1}", "/max" },
        { "{'start':1.5}", "/start" },
        { "{'after':'AAAA'}", "/after" },
        { "{'after':'!'}", "/after" },
        { "{'orderClauses':[{'name':'Content'}]}", "/orderClauses/0/name" },
        { "{'selectClause':{'fields':['a','']}}", "/selectClause/fields/1" },
        { "{'aggregation':{'field':'creationDate'}}", "/aggregation/field" },
        { "{'aggregation':{'field':'T','nested':[{'field':'T','nested':[{'field':'T','nested':[{'field':'T'}]}]}]}}", "/aggregation/nested/0/nested/0/nested/0" },
    };
    struct domain_rig *r = *state;

    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        finds(r, rows[i].request, "T00104");
        assert_int_equal(r->status, 400);
        assert_string_equal(json_string_value(json_object_get(json_array_get(r->details, 0), "path")), rows[i].path);
    }
}

static void sizes_have_limits(void **state)
{
    struct domain_rig *r = *state;
    json_t *criteria = json_array(), *deep = json_object(), *words = json_pack("{s:s, s:s, s:[]}", "name", "Content", "operator", "CONTAINS", "values");
    char long_text[1200];

    for (int i = 0; i < 21; i++)
        json_array_append_new(criteria, json_pack("{s:s, s:s, s:[s]}", "name", "id", "operator", "EQUALS_TO", "values", "a"));
    finds_json(r, json_pack("{s:[{s:o}]}", "filterClauses", "criteria", criteria), "T00104");
    for (int i = 0; i < 9; i++)
        deep = json_pack("{s:[o]}", "clauses", deep);
    finds_json(r, json_pack("{s:[o]}", "filterClauses", deep), "T00104");
    memset(long_text, 'x', sizeof(long_text));
    long_text[1001] = '\0';
    finds_json(r, json_pack("{s:[{s:[{s:s, s:s, s:[s]}]}]}", "filterClauses", "criteria", "name", "T", "operator", "EQUALS_TO", "values", long_text), "T00104");
    for (size_t i = 0; i < 1000; i++)
        long_text[i] = i % 2 == 0 ? 'x' : ' ';
    json_array_append_new(json_object_get(words, "values"), json_string(long_text));
    finds_json(r, json_pack("{s:[{s:[o]}]}", "filterClauses", "criteria", words), "T00104");
}

static void a_cursor_of_another_search_is_refused(void **state)
{
    struct domain_rig *r = *state;
    char request[2048];

    finds(r, "{'max':1," BY_ID "}", "a ");
    snprintf(request, sizeof(request), "{'max':1,'after':'%s'}", domain_rig_at(r, "/after"));
    finds(r, request, "T00104");
    BE(r, "bob", "main", "ADMIN");
    finds(r, "{'max':1," BY_ID "}", "a ");
    snprintf(request, sizeof(request), "{'start':1,'max':1," BY_ID ",'after':'%s'}", domain_rig_at(r, "/after"));
    finds(r, request, "T00104");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_rig, close_rig)
    const struct CMUnitTest tests[] = {
        T(members_and_tags_are_compared_as_their_operators_say), T(clauses_nest_under_either_of_their_names),
        T(words_are_found_in_names_tags_and_what_was_indexed), T(rows_come_in_the_order_asked_for),
        T(a_cursor_walks_over_all_in_any_order), T(fields_are_shown_as_selected), T(values_are_counted_on_three_levels),
        T(what_may_not_be_read_is_not_found), T(what_cannot_be_run_is_told_with_its_place), T(sizes_have_limits),
        T(a_cursor_of_another_search_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
