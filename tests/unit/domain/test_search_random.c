/* Random searches over random components, and what a naive evaluator says of them: the same on memory and on UMBEL_STORE_URL.
 * UMBEL_TEST_SEED repeats a run, which prints it when it fails. */
#include "search_rig.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>

enum { COMPONENTS = 150, ROUNDS = 10, TOGETHER = 40, WALKS = 6, PAGE = 17 };

static uint64_t seed, state_of_random;

static uint32_t next(uint32_t below)
{
    state_of_random = state_of_random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state_of_random >> 33) % below;
}
#define ONE_OF(...) (((const char *const[]){ __VA_ARGS__ })[next(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))])

/* ---- components ---- */

static const char *word(void) { return ONE_OF("red", "Red", "blue", "yes", "no", "alpha", "beta", "gamma", "x1", "al"); }
static const char *phrase(void)
{
    static char text[64];

    snprintf(text, sizeof(text), "%s %s-%s", word(), word(), word());
    return next(6) == 0 ? "" : text;
}
static const char *number(void)
{
    static char text[16];

    snprintf(text, sizeof(text), "%d", (int)next(20) - 5);
    return text;
}
static const char *date(void)
{
    static char text[64];

    snprintf(text, sizeof(text), "2024-01-%02u 00:00:00.000 +0000", 1 + next(9));
    return text;
}

static json_t *tag(const char *name, const char *(*value)(void), uint32_t most)
{
    json_t *values = json_array();

    for (uint32_t n = next(most + 1); n > 0; n--)
        json_array_append_new(values, json_string(next(15) == 0 ? "" : value()));
    return json_pack("{s:s, s:o}", "name", name, "value", values);
}

static json_t *component(int i)
{
    json_t *body = json_pack("{s:o, s:s, s:{s:s, s:s, s:s, s:s}, s:[o, o, o]}", "id", json_sprintf("c%04d", i), "name", phrase(), "data",
                             "classId", ONE_OF("A", "B", "C"), "ACL", ONE_OF("all", "all", "read", "ruled", "none"), "owner", ONE_OF("ann", "bob"),
                             "status", ONE_OF("", "OPEN", "DONE"), "tags", tag("T", word, 3), tag("N", number, 2), tag("D", date, 1));

    json_object_set_new(json_object_get(body, "data"), "creationDate", json_string(date()));
    json_object_set_new(json_object_get(body, "data"), "lastUpdateDate", json_string(date()));
    json_object_set_new(body, "text", json_string(next(3) == 0 ? phrase() : ""));
    return body;
}

/* ---- requests ---- */

static const char *moment(void)
{
    static char text[32];

    snprintf(text, sizeof(text), "%lld", 1704067200000LL + 86400000LL * next(9));
    return text;
}

static const char *question(void)
{
    static char text[128];

    snprintf(text, sizeof(text), "%s%s%s%s", next(5) == 0 ? "NOT " : "", word(), ONE_OF(" ", " OR ", " AND ", " NOT ", " OR NOT "), word());
    return next(2) == 0 ? text : word();
}

static json_t *criterion(void)
{
    static const struct { const char *name; const char *(*value)(void); bool is_text, is_number; } fields[] = {
        { "T", word, true, false }, { "N", number, false, true }, { "D", moment, false, true }, { "name", phrase, true, false },
        { "creationDate", moment, false, true }, { "classid", NULL, true, false }, { "status", NULL, true, false }, { "Content", question, false, false },
        { "nothing", word, true, false }, { "T", word, true, false },
    };
    size_t f = next(UM_COUNT(fields));
    const char *operator = fields[f].is_text ? ONE_OF("EQUALS_TO", "DIFFERENT", "CONTAINS", "STARTS_WITH", "ENDS_WITH", "GREATER_THAN", "LESS_THAN", "BETWEEN")
                         : fields[f].is_number ? ONE_OF("EQUALS_TO", "DIFFERENT", "GREATER_THAN", "LESS_THAN", "BETWEEN")
                                               : ONE_OF("EQUALS_TO", "CONTAINS", "DIFFERENT");
    uint32_t n = strcmp(operator, "BETWEEN") == 0 ? 2 : strstr(operator, "THAN") != NULL ? 1 : 1 + next(3);
    json_t *values = json_array();

    while (n-- > 0)
        json_array_append_new(values, json_string(strcmp(fields[f].name, "classid") == 0 ? ONE_OF("A", "B", "C", "D")
                                                  : strcmp(fields[f].name, "status") == 0 ? ONE_OF("", "OPEN", "DONE") : fields[f].value()));
    return json_pack("{s:s, s:s, s:o}", "name", fields[f].name, "operator", operator, "values", values);
}

static json_t *clause(int depth)
{
    json_t *criteria = json_array(), *clauses = json_array();

    for (uint32_t n = next(4); n > 0; n--)
        json_array_append_new(criteria, criterion());
    for (uint32_t n = depth > 0 ? next(3) : 0; n > 0; n--)
        json_array_append_new(clauses, clause(depth - 1));
    return json_pack("{s:s, s:o, s:o}", "type", ONE_OF("com.flower.docs.domain.search.AndClause", "com.flower.docs.domain.search.OrClause"),
                     "criteria", criteria, "clauses", clauses);
}

static json_t *request(void)
{
    json_t *clauses = json_array(), *orders = json_array(), *all = json_pack("{s:o, s:o}", "filterClauses", clauses, "orderClauses", orders);

    for (uint32_t n = next(3); n > 0; n--)
        json_array_append_new(clauses, clause(1));
    for (uint32_t n = next(4); n > 0; n--)
        json_array_append_new(orders, json_pack("{s:s, s:b}", "name", ONE_OF("T", "N", "D", "name", "classid", "creationDate", "lastUpdateDate"),
                                                "ascending", (int)next(2)));
    if (next(4) == 0)
        json_object_set_new(all, "aggregation", json_pack("{s:s}", "field", ONE_OF("T", "N", "classid", "status")));
    return all;
}

/* ---- holding one against the other ---- */

static json_t *ask(struct domain_rig *r, const json_t *requests)
{
    char *text = json_dumps(requests, JSON_COMPACT);

    if (strcmp(domain_rig_ask(r, &search_rig_many, NULL, text), "") != 0)
        fail_msg("seed %llu: %s: %s of %s", (unsigned long long)seed, r->code, r->message, text);
    free(text);
    return r->reply;
}

#define WRONG(what, asked, got, wanted) \
    fail_msg("seed %llu, %s: %s\ngot      %s\nexpected %s", (unsigned long long)seed, (what), json_dumps((asked), JSON_COMPACT), \
             json_dumps((got), JSON_COMPACT), json_dumps((wanted), JSON_COMPACT))

static void check_page(const json_t *reply, const json_t *asked, const json_t *expected, size_t first, size_t max)
{
    const json_t *results = json_object_get(reply, "results");
    size_t n = first < json_array_size(expected) ? UM_MIN(max, json_array_size(expected) - first) : 0;
    bool same = json_array_size(results) == n;

    for (size_t i = 0; i < n && same; i++)
        same = json_equal(json_object_get(json_array_get(results, i), "id"), json_array_get(expected, first + i));
    if (!same)
        WRONG("page", asked, reply, expected);
}

static void check_facet(const json_t *reply, const json_t *bodies, const json_t *asked)
{
    json_t *expected = naive_facet(bodies, asked), *counts = json_object(), *bucket;
    size_t i;

    json_array_foreach(json_object_get(json_object_get(reply, "aggregation"), "buckets"), i, bucket)
        json_object_set(counts, json_string_value(json_object_get(bucket, "value")), json_object_get(bucket, "count"));
    if (!json_equal(expected, counts))
        WRONG("facet", asked, counts, expected);
    json_decref(expected);
    json_decref(counts);
}

static void check(const json_t *reply, const json_t *bodies, const json_t *asked)
{
    json_t *expected = naive_search(bodies, asked);

    check_page(reply, asked, expected, (size_t)json_integer_value(json_object_get(asked, "start")),
               (size_t)json_integer_value(json_object_get(asked, "max")));
    if (json_integer_value(json_object_get(reply, "found")) != (json_int_t)json_array_size(expected))
        WRONG("count", asked, reply, expected);
    if (json_object_get(asked, "aggregation") != NULL)
        check_facet(reply, bodies, asked);
    json_decref(expected);
}

/* Some of them page by page: a round of replies is the next round's questions. */
static void check_walks(struct domain_rig *r, const json_t *bodies, json_t *requests)
{
    json_t *asked, *reply, *replies;
    size_t i, at = 0;
    bool more = true;

    while (json_array_size(requests) > WALKS)
        json_array_remove(requests, json_array_size(requests) - 1);
    json_array_foreach(requests, i, asked) {
        json_object_del(asked, "start");
        json_object_del(asked, "aggregation");
        json_object_set_new(asked, "max", json_integer(PAGE));
    }
    for (; more; at += PAGE) {
        more = false;
        replies = ask(r, requests);
        json_array_foreach(replies, i, reply) {
            json_t *expected = naive_search(bodies, asked = json_array_get(requests, i));

            check_page(reply, asked, expected, at, PAGE);
            json_decref(expected);
            more |= json_object_get(reply, "after") != NULL;
        }
        for (i = json_array_size(requests); i > 0; i--) {
            json_t *after = json_object_get(json_array_get(replies, i - 1), "after");

            if (after == NULL)
                json_array_remove(requests, i - 1);
            else
                json_object_set(json_array_get(requests, i - 1), "after", after);
        }
    }
}

static void check_some(struct domain_rig *r, const json_t *bodies)
{
    json_t *requests = json_array(), *replies, *reply;
    size_t i;

    for (int n = 0; n < TOGETHER; n++) {
        json_t *one = request();

        json_object_set_new(one, "start", json_integer((json_int_t)(next(3) == 0 ? next(30) : 0)));
        json_object_set_new(one, "max", json_integer((json_int_t)next(60)));
        if (next(4) > 0)
            json_object_set_new(one, "selectClause", json_pack("{s:[s]}", "fields", "id"));
        json_array_append_new(requests, one);
    }
    replies = ask(r, requests);
    json_array_foreach(replies, i, reply)
        check(reply, bodies, json_array_get(requests, i));
    check_walks(r, bodies, requests);
    json_decref(requests);
}

static json_t *fill(struct domain_rig *r)
{
    json_t *bodies = json_array(), *body;
    size_t i;

    for (int n = 0; n < COMPONENTS; n++)
        json_array_append_new(bodies, component(n));
    search_rig_put_json(r, json_incref(bodies));
    json_array_foreach(bodies, i, body)
        if (json_string_length(json_object_get(body, "text")) > 0)
            search_rig_text(r, json_string_value(json_object_get(body, "id")), "file:1", json_string_value(json_object_get(body, "text")));
    return bodies;
}

static void run(bool with_rules)
{
    struct domain_rig *r = um_xcalloc(1, sizeof(*r));
    json_t *bodies, *body;
    size_t i;

    domain_rig_open(r, getenv("UMBEL_STORE_URL"));
    search_rig_clear(r);
    search_rig_model(r);
    bodies = fill(r);
    if (!with_rules) {                       /* an ACL that is not there allows nothing: neither does `none` */
        assert_done(r, &um_objects_delete, "{'kind':'acl','ids':['ruled'],'force':true}", NULL);
        json_array_foreach(bodies, i, body)
            if (strcmp(json_string_value(json_object_get(json_object_get(body, "data"), "ACL")), "ruled") == 0)
                json_object_set_new(json_object_get(body, "data"), "ACL", json_string("none"));
    }
    um_failpoint_set("search.walk", "error%30");             /* as if all sets were large: the other shape of statements */
    for (int n = 0; n < ROUNDS; n++)
        check_some(r, bodies);
    um_failpoint_set("search.walk", "off");
    json_decref(bodies);
    domain_rig_close(r);
    free(r);
}

static void a_search_finds_what_a_loop_over_all_finds(void **state)
{
    (void)state;
    run(false);
}

static void and_what_rules_let_through(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(a_search_finds_what_a_loop_over_all_finds), cmocka_unit_test(and_what_rules_let_through) };
    const char *given = getenv("UMBEL_TEST_SEED");

    seed = given != NULL ? strtoull(given, NULL, 10) : um_random_u64() % 1000000;
    state_of_random = seed;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
