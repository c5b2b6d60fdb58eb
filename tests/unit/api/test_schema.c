/* Schemas: what is written is checked, what is not checked cannot be written. */
#include <stdio.h>
#include "um_test.h"
#include <umbel/util.h>
#include "schema.h"

static struct api_schemas *compile(const char *text, char why[256])
{
    struct um_embedded file = { "test.json", UM_SPAN_STR(text) };
    struct api_schemas *s;

    why[0] = '\0';
    if (api_schemas_new(&s, &file, 1, why) != UM_OK)
        assert_null(s);
    return s;
}

static void gather(void *arg, const char *pointer, const char *message) { um_buf_printf(arg, "%s %s\n", pointer, message); }

/* The faults of VALUE, a line each. */
static char *faults(const struct api_schemas *s, const char *name, const char *value)
{
    json_t *v = json_loads(value, JSON_DECODE_ANY, NULL);
    struct um_buf out = { 0 };
    char *text;
    bool fits;

    assert_non_null(v);
    fits = api_schema_fits(api_schemas_find(s, name), v, gather, &out);
    assert_int_equal(fits, api_schema_fits(api_schemas_find(s, name), v, NULL, NULL));
    assert_int_equal(fits, out.len == 0);
    text = um_xstrdup(um_buf_cstr(&out));
    um_buf_free(&out);
    json_decref(v);
    return text;
}

/* ---- values ---- */

static const struct { const char *schema, *value, *faults; } values[] = {
    { "true", "[1, {}]", "" },
    { "{\"type\": \"integer\"}", "1", "" },
    { "{\"type\": \"integer\"}", "1.0", " must be an integer\n" },
    { "{\"type\": \"number\"}", "1.5", "" },
    { "{\"type\": \"number\"}", "\"1\"", " must be a number\n" },
    { "{\"type\": [\"string\", \"null\"]}", "null", "" },
    { "{\"type\": [\"string\", \"null\"]}", "true", " must be a string or null\n" },
    { "{\"minimum\": 3, \"maximum\": 5}", "2", " must be at least 3\n" },
    { "{\"minimum\": 3, \"maximum\": 5}", "5.5", " must be at most 5\n" },
    { "{\"minimum\": 3, \"maximum\": 5}", "5", "" },
    { "{\"maximum\": 9007199254740993}", "9007199254740994", " must be at most 9007199254740993\n" },
    { "{\"minLength\": 1}", "\"\"", " must have at least 1 characters\n" },
    { "{\"maxLength\": 2}", "\"äöü\"", " must have at most 2 characters\n" },
    { "{\"maxLength\": 3}", "\"äöü\"", "" },
    { "{\"maxLength\": 3}", "12345", "" },
    { "{\"enum\": [\"a\", 1, null]}", "1.0", "" },
    { "{\"enum\": [\"a\", 1, null]}", "\"b\"", " must be one of: a, 1, null\n" },
    { "{\"const\": {\"a\": [1]}}", "{\"a\": [1]}", "" },
    { "{\"const\": {\"a\": [1]}}", "{\"a\": [2]}", " has not the one value that it may have\n" },
    { "{\"type\": \"array\", \"minItems\": 1, \"items\": {\"type\": \"string\"}}", "[]", " must have at least 1 elements\n" },
    { "{\"type\": \"array\", \"items\": {\"type\": \"string\"}}", "[\"a\", 1, \"b\", null]", "/1 must be a string\n/3 must be a string\n" },
    { "{\"maxItems\": 1}", "[1, 2]", " must have at most 1 elements\n" },
    { "{\"minProperties\": 1}", "{}", " must have at least 1 members\n" },
    { "{\"maxProperties\": 1}", "{\"a\": 1, \"b\": 2}", " must have at most 1 members\n" },
    { "{\"required\": [\"a\", \"b\"], \"properties\": {\"b\": {\"type\": \"string\"}}}", "{\"b\": 1}", "/b must be a string\n/a is missing\n" },
    { "{\"additionalProperties\": false, \"properties\": {\"a\": true}}", "{\"a\": 1, \"x/y~z\": 2}", "/x~1y~0z is not known\n" },
    { "{\"additionalProperties\": {\"type\": \"integer\"}, \"properties\": {\"a\": true}}", "{\"a\": \"\", \"b\": \"\"}", "/b must be an integer\n" },
    { "{\"format\": \"date\"}", "\"2024-02-29\"", "" },
    { "{\"format\": \"date\"}", "\"2023-02-29\"", " must be a date: 2026-01-31\n" },
    { "{\"format\": \"date-time\"}", "\"2026-01-31T12:00:00.123Z\"", "" },
    { "{\"format\": \"date-time\"}", "\"2026-01-31T12:00:00+01:00\"", "" },
    { "{\"format\": \"date-time\"}", "\"2026-01-31T12:00:00\"", " must be a moment: 2026-01-31T12:00:00Z\n" },
    { "{\"format\": \"date-time\"}", "\"2026-01-31T12:00:00.Z\"", " must be a moment: 2026-01-31T12:00:00Z\n" },
    { "{\"format\": \"date-time\"}", "\"2026-01-31T24:00:00Z\"", " must be a moment: 2026-01-31T12:00:00Z\n" },
    { "{\"format\": \"uuid\"}", "\"123e4567-e89b-12d3-a456-426614174000\"", "" },
    { "{\"format\": \"uuid\"}", "\"123e4567-e89b-12d3-a456-42661417400g\"", " must be a UUID\n" },
    { "{\"format\": \"not-blank\"}", "\" \\t\"", " must not be blank\n" },
    { "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\", \"minimum\": 3}]}", "3", "" },
    { "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\", \"minimum\": 3}]}", "2", " must be at least 3\n" },
    { "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"integer\"}]}", "null", " fits none of its 2 alternatives\n" },
    { "{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 2}]}", "1", "" },
    { "{\"oneOf\": [{\"minimum\": 1}, {\"minimum\": 2}]}", "2", " fits more than one of its alternatives\n" },
    { "{\"oneOf\": [{\"properties\": {\"kind\": {\"const\": \"a\"}, \"n\": {\"type\": \"integer\"}}},"
      " {\"properties\": {\"kind\": {\"const\": \"b\"}, \"n\": {\"type\": \"string\"}}}]}", "{\"kind\": \"b\", \"n\": 1}", "/n must be a string\n" },
};

static void a_value_fits_or_its_faults_are_named_by_pointer(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(values); i++) {
        char why[256], *text = um_xasprintf("{\"S\": %s}", values[i].schema), *got;
        struct api_schemas *s = compile(text, why);

        assert_string_equal(why, "");
        got = faults(s, "S", values[i].value);
        if (strcmp(got, values[i].faults) != 0)
            print_error("%s against %s\n", values[i].value, values[i].schema);
        assert_string_equal(got, values[i].faults);
        free(got);
        free(text);
        api_schemas_free(s);
    }
}

/* ---- references, bounds ---- */

#define TREE "{\"Tree\": {\"type\": \"object\", \"additionalProperties\": false, \"properties\": {\"of\": {\"type\": \"array\"," \
             " \"items\": {\"$ref\": \"#/components/schemas/Tree\"}}}}}"

static void references_reach_into_themselves(void **state)
{
    char why[256], *got;
    struct api_schemas *s = compile(TREE, why);

    (void)state;
    got = faults(s, "Tree", "{\"of\": [{}, {\"of\": [{\"on\": 1}]}]}");
    assert_string_equal(got, "/of/1/of/0/on is not known\n");
    free(got);
    api_schemas_free(s);
}

static json_t *nested(int depth)
{
    json_t *v = json_object();

    while (depth-- > 0)
        v = json_pack("{s:[o]}", "of", v);
    return v;
}

static void a_value_deeper_than_the_limit_is_refused(void **state)
{
    char why[256];
    struct api_schemas *s = compile(TREE, why);
    json_t *fits = nested(API_DEPTH_MAX / 2), *deep = nested(API_DEPTH_MAX / 2 + 1);
    struct um_buf out = { 0 };

    (void)state;
    assert_true(api_schema_fits(api_schemas_find(s, "Tree"), fits, gather, &out));
    assert_false(api_schema_fits(api_schemas_find(s, "Tree"), deep, gather, &out));
    assert_non_null(strstr(um_buf_cstr(&out), " is too deep\n"));
    um_buf_free(&out);
    json_decref(fits);
    json_decref(deep);
    api_schemas_free(s);
}

static void alternatives_within_alternatives_cost_a_bounded_time(void **state)
{
    char why[256], *got;
    struct api_schemas *s = compile("{\"E\": {\"anyOf\": [{\"type\": \"array\", \"maxItems\": 1, \"items\": {\"$ref\": \"#/components/schemas/E\"}},"
                                    " {\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#/components/schemas/E\"}}]}}", why);

    (void)state;
    got = faults(s, "E", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    assert_string_equal(got, " is too much to check\n");
    free(got);
    api_schemas_free(s);
}

static void no_more_than_the_limit_of_faults_is_told(void **state)
{
    char why[256], *got;
    struct api_schemas *s = compile("{\"S\": {\"items\": {\"type\": \"null\"}}}", why);
    struct um_buf text = { 0 };
    size_t lines = 0;

    (void)state;
    um_buf_puts(&text, "[0");
    for (int i = 0; i < 100; i++)
        um_buf_puts(&text, ",0");
    um_buf_puts(&text, "]");
    got = faults(s, "S", um_buf_cstr(&text));
    for (const char *p = got; (p = strchr(p, '\n')) != NULL; p++)
        lines++;
    assert_int_equal(lines, UM_API_FAULTS_MAX);
    free(got);
    um_buf_free(&text);
    api_schemas_free(s);
}

static void a_pointer_through_a_long_name_is_cut_between_characters(void **state)
{
    char why[256];
    struct api_schemas *s = compile("{\"S\": {\"additionalProperties\": {\"type\": \"null\"}}}", why);
    struct um_buf name = { 0 }, out = { 0 };
    json_t *v;

    (void)state;
    for (int i = 0; i < 3000; i++)
        um_buf_puts(&name, "ä");
    v = json_pack("{s:i}", um_buf_cstr(&name), 1);
    assert_false(api_schema_fits(api_schemas_find(s, "S"), v, gather, &out));
    assert_true(out.len < 600);
    assert_true(um_utf8_is_valid(out.data, out.len));
    um_buf_free(&name);
    um_buf_free(&out);
    json_decref(v);
    api_schemas_free(s);
}

/* ---- defects of ours ---- */

static const struct { const char *text, *why; } defects[] = {
    { "{\"S\": {\"pattern\": \"a*\"}}", "schema S: the keyword pattern is not known" },
    { "{\"S\": {\"type\": \"text\"}}", "schema S: unknown type text" },
    { "{\"S\": {\"format\": \"ipv4\"}}", "schema S: unknown format ipv4" },
    { "{\"S\": {\"items\": {\"$ref\": \"#/components/schemas/T\"}}}", "schema files: there is no T" },
    { "{\"S\": {\"$ref\": \"T\"}}", "schema S: $ref is #/components/schemas/Name" },
    { "{\"S\": {\"$ref\": \"#/components/schemas/S\", \"type\": \"object\"}}", "schema S: what stands beside $ref S is not checked" },
    { "{\"S\": {\"anyOf\": [{\"$ref\": \"#/components/schemas/S\"}]}}", "schema S: refers to itself" },
    { "{\"S\": {\"required\": [\"a\", \"a\"]}}", "schema S: requires a twice" },
    { "{\"S\": {\"enum\": []}}", "schema S: enum has no values" },
    { "{\"S\": {\"minimum\": \"1\"}}", "schema S: a bound that is no number" },
    { "{\"S\": {\"maxLength\": -1}}", "schema S: a length or count that is no number" },
    { "{\"S\": {}, \"S\": {}}", "schema test.json: line 1: duplicate object key near '\"S\"'" },
    { "{\"S\": {\"properties\": {\"a\": 1}}}", "schema S: a schema is an object" },
};

static void what_is_not_checked_cannot_be_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(defects); i++) {
        char why[256];

        assert_null(compile(defects[i].text, why));
        assert_string_equal(why, defects[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_fits_or_its_faults_are_named_by_pointer),
        cmocka_unit_test(references_reach_into_themselves),
        cmocka_unit_test(a_value_deeper_than_the_limit_is_refused),
        cmocka_unit_test(alternatives_within_alternatives_cost_a_bounded_time),
        cmocka_unit_test(no_more_than_the_limit_of_faults_is_told),
        cmocka_unit_test(a_pointer_through_a_long_name_is_cut_between_characters),
        cmocka_unit_test(what_is_not_checked_cannot_be_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
