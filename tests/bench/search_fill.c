#include "search_fill.h"
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "call.h"
#include "search/index_text.h"

enum { CUSTOMERS = 20000, KEYWORDS = 50, WORDS = 20000, WORDS_OF_TEXT = 30, NAME_MAX = 64 };

static uint64_t state_of_random;

static uint32_t next(uint32_t below)
{
    state_of_random = state_of_random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state_of_random >> 33) % below;
}

/* Some often, most seldom: the smaller of products. */
static uint32_t skewed(uint32_t below)
{
    uint64_t a = next(below), b = next(below);

    return (uint32_t)(a * b / below);
}

static const char *class_of(void)
{
    static const char *const classes[] = { "Invoice", "Invoice", "Invoice", "Invoice", "Invoice", "Contract", "Contract", "Letter", "Note", "Order" };

    return classes[next(UM_COUNT(classes))];
}

static const char *status_of(void)
{
    uint32_t n = next(100);

    return n < 60 ? "PAID" : n < 90 ? "OPEN" : n < 99 ? "DUE" : "DISPUTED";
}

static json_t *tag(const char *name, json_t *value) { return json_pack("{s:s, s:[o]}", "name", name, "value", value); }

static json_t *document(int64_t i)
{
    json_t *tags = json_array();
    const char *class = class_of();
    uint32_t customer = skewed(CUSTOMERS);

    json_array_append_new(tags, tag("Status", json_string(status_of())));
    json_array_append_new(tags, tag("Customer", json_sprintf("C%05u", customer)));
    json_array_append_new(tags, tag("Year", json_sprintf("%u", 2015 + next(10))));
    json_array_append_new(tags, tag("Amount", json_sprintf("%u.%02u", next(100000), next(100))));
    json_array_append_new(tags, tag("DueDate", json_sprintf("%u-%02u-%02u", 2015 + next(10), 1 + next(12), 1 + next(28))));
    json_array_append_new(tags, json_pack("{s:s, s:[o, o]}", "name", "Keywords", "value", json_sprintf("k%02u", next(KEYWORDS / 2)),
                                          json_sprintf("k%02u", KEYWORDS / 2 + next(KEYWORDS / 2))));
    return json_pack("{s:o, s:s, s:o, s:{s:s, s:o}, s:o}", "id", json_sprintf("doc-%07lld", (long long)i), "category", "DOCUMENT", "name",
                     json_sprintf("%s %07lld of customer %u", class, (long long)i, customer), "data", "classId", class, "creationDate",
                     json_sprintf("20%u-%02u-%02u 12:00:00.000 +0000", 15 + next(9), 1 + next(12), 1 + next(28)), "tags", tags);
}

static um_err add_text(struct um_call *c, const json_t *body)
{
    struct um_buf text = { 0 };
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT num FROM components WHERE scope = ?1 AND category = ?2 AND id = ?3",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word("DOCUMENT"),
                                        um_sql_word(json_string_value(json_object_get(body, "id")))), &row);

    if (err != UM_OK)
        return err;
    for (int i = 0; i < WORDS_OF_TEXT; i++)
        um_buf_printf(&text, "w%u ", skewed(WORDS));
    err = index_text(c, um_sql_int(&row, 0), "text", UM_SPAN(text.data, text.len), NULL);
    um_buf_free(&text);
    return err;
}

static um_err fill(struct um_call *c)
{
    int64_t first = json_integer_value(json_object_get(c->body, "first")), n = json_integer_value(json_object_get(c->body, "n"));
    const json_t *asked = c->body;
    json_t *bodies = json_array(), *body;
    um_err err;
    size_t i;

    state_of_random = (uint64_t)first;
    for (int64_t k = 0; k < n; k++)
        json_array_append_new(bodies, document(first + k));
    c->body = bodies;
    err = um_components_create.work(c);
    json_array_foreach(bodies, i, body)
        if (err == UM_OK)
            err = add_text(c, body);
    c->body = asked;
    json_decref(bodies);
    return err;
}
const struct um_domain_call bench_fill = { "bench.fill", fill, UM_CALL_WRITES };

json_t *bench_model_tags(void)
{
    return json_pack("[{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s},{s:s,s:s}]", "id", "Status", "type", "STRING", "id", "Customer", "type",
                     "STRING", "id", "Year", "type", "INT", "id", "Amount", "type", "CURRENCY", "id", "DueDate", "type", "DATE", "id", "Keywords",
                     "type", "STRING");
}

json_t *bench_model_classes(void)
{
    static const char *const classes[] = { "Invoice", "Contract", "Letter", "Note", "Order" };
    json_t *all = json_array();

    for (size_t i = 0; i < UM_COUNT(classes); i++)
        json_array_append_new(all, json_pack("{s:s, s:s, s:{s:s}, s:[{s:s},{s:s},{s:s},{s:s},{s:s},{s:s,s:b}]}", "id", classes[i], "category", "DOCUMENT",
                                             "data", "ACL", "readers", "tagReferences", "tagName", "Status", "tagName", "Customer", "tagName", "Year",
                                             "tagName", "Amount", "tagName", "DueDate", "tagName", "Keywords", "multivalued", 1));
    return all;
}
