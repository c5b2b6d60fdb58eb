/* Rows: what contradicts itself stops the start; what is said comes out in the description. */
#include <stdio.h>
#include <umbel/util.h>
#include "api_tests.h"

struct um_api *api_of(const struct um_api_row *rows, size_t n, const char *text, char why[256])
{
    static struct um_api_group group;        /* borrowed by what is made of it */
    static const struct um_api_group *const groups[] = { &group };
    struct um_embedded file = { "test.json", UM_SPAN_STR(text) };
    struct um_api *a;

    group = (struct um_api_group){ .tag = "things", .text = "Things", .rows = rows, .n = n };
    why[0] = '\0';
    return api_new_with(&a, groups, 1, &file, 1, why) == UM_OK ? a : NULL;
}

static void nothing(struct um_http_req *rq, void *ctx)
{
    (void)rq;
    (void)ctx;
}

#define SCHEMAS "{\"Thing\": {\"type\": \"object\"}}"
#define ROW(...) ANY_ROW("GET", __VA_ARGS__)
#define ANY_ROW(method_, ...) { .method = method_, .handler = nothing, .summary = "a sentence", .replies = { { 200, "Thing", NULL, "it" } }, __VA_ARGS__ }
#define PARAM(...) (const struct um_api_param[]){ { .text = "a sentence", __VA_ARGS__ }, { 0 } }

/* ---- defects ---- */

static const struct { struct um_api_row rows[2]; const char *why; } defects[] = {
    { { ROW(.path = "/a", .id = "a"), ROW(.path = "/b", .id = "a") }, "GET /b: its id a is that of /a" },
    { { ROW(.path = "/a/{id}"), ROW(.path = "/a/search") }, "GET /a/search: is never reached behind /a/{id}" },
    { { ROW(.path = "/a/*"), ROW(.path = "/a/{id}") }, "GET /a/{id}: is never reached behind /a/*" },
    { { ANY_ROW("FETCH", .path = "/a") }, "FETCH /a: method, path, handler and summary are needed" },
    { { ROW(.path = "a") }, "GET a: method, path, handler and summary are needed" },
    { { ROW(.path = "/a", .flags = UM_HTTP_PUBLIC, .role = "ADMIN") }, "GET /a: public, and needs a role" },
    { { ROW(.path = "/a", .body = "Thing") }, "GET /a: GET has no body" },
    { { ANY_ROW("PUT", .path = "/a", .body = "Other") }, "PUT /a: there is no schema Other" },
    { { { .method = "GET", .path = "/a", .handler = nothing, .summary = "s", .replies = { { 200, "Other", NULL, "" } } } },
      "GET /a: there is no schema Other" },
    { { { .method = "GET", .path = "/a", .handler = nothing, .summary = "s", .id = "a" } }, "GET /a: nothing is said of its replies" },
    { { ROW(.path = "/a", .params = PARAM(.name = "id", .in = UM_API_PATH)) }, "GET /a: the path has no id" },
    { { ROW(.path = "/a", .params = PARAM(.name = "n", .type = UM_API_INT)) }, "GET /a: n has no limits" },
    { { ROW(.path = "/a", .params = PARAM(.name = "n", .type = UM_API_INT, .min = 2, .max = 1)) }, "GET /a: the limits of n" },
    { { ROW(.path = "/a", .params = PARAM(.name = "n", .type = UM_API_INT, .min = 1, .max = 5, .initial = "6")) },
      "GET /a: what n is without being given" },
    { { ROW(.path = "/a", .params = PARAM(.name = "e", .type = UM_API_ENUM)) }, "GET /a: e has no values" },
    { { ROW(.path = "/a", .params = (const struct um_api_param[]){ { .name = "n", .type = UM_API_STRING }, { 0 } }) }, "GET /a: n has no sentence" },
    { { ROW(.path = "/a", .params = PARAM(.name = "X-Ids", .in = UM_API_HEADER, .type = UM_API_IDS, .max = 3)) },
      "GET /a: X-Ids: no ids in headers" },
};

static void a_row_that_contradicts_itself_stops_the_start(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(defects); i++) {
        char why[256];
        struct um_api *a = api_of(defects[i].rows, defects[i].rows[1].path != NULL ? 2 : 1, SCHEMAS, why);

        assert_null(a);
        assert_string_equal(why, defects[i].why);
    }
}

static void a_row_for_sockets_leaves_the_path_to_others(void **state)
{
    static const struct um_api_row rows[] = { ROW(.path = "/a", .id = "a", .flags = UM_HTTP_WEBSOCKET), ROW(.path = "/a"), ROW(.path = "/b/{x}/c"),
                                              ROW(.path = "/b/d/{y}") };
    char why[256];
    struct um_api *a = api_of(rows, UM_COUNT(rows), SCHEMAS, why);

    (void)state;
    assert_non_null(a);
    um_api_free(a);
}

/* ---- what comes of them ---- */

static const struct um_api_param thing_params[] = {
    { .name = "size", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = 9, .initial = "3", .text = "how large" },
    { .name = "ids", .in = UM_API_PATH, .type = UM_API_IDS, .min = 1, .max = 2, .text = "which" },
    { .name = "kind", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "red|green", .required = true, .text = "which colour" },
    { .name = "soon", .in = UM_API_HEADER, .type = UM_API_DURATION, .min = 0, .max = 1000, .initial = "1s", .text = "when" },
    { 0 },
};
static const struct um_api_row described[] = {
    ROW(.path = "/things/{ids}/of/{user}", .id = "things.get", .role = "ADMIN", .params = thing_params),
    { .method = "POST", .path = "/things", .handler = nothing, .id = "things.create", .flags = UM_HTTP_PUBLIC, .summary = "makes one", .body = "Thing",
      .body_optional = true,
      .replies = { { 201, "Thing", NULL, "made" }, { 200, NULL, "text/plain", "was there" }, { 200, "Thing", NULL, "" }, { 204, NULL, NULL, NULL } } },
    { .method = "PUT", .path = "/hidden", .handler = nothing, .summary = "is for tests" },
    ROW(.path = "/raw/*", .id = "raw.get"),
};

static json_t *at(json_t *v, const char *first, ...)
{
    va_list ap;

    va_start(ap, first);
    for (const char *name = first; name != NULL && v != NULL; name = va_arg(ap, const char *))
        v = json_is_array(v) ? json_array_get(v, (size_t)atoi(name)) : json_object_get(v, name);
    va_end(ap);
    return v;
}

static void same(json_t *v, const char *text)
{
    char *got = v != NULL ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : um_xstrdup("(nothing)");

    assert_string_equal(got, text);
    free(got);
}

static void the_description_says_what_the_rows_say(void **state)
{
    char why[256];
    struct um_api *a = api_of(described, UM_COUNT(described), SCHEMAS, why);
    struct um_bytes *text = um_api_description(a);
    json_t *doc = json_loadb((const char *)text->data, text->len, 0, NULL), *get, *post;

    (void)state;
    get = at(doc, "paths", "/things/{ids}/of/{user}", "get", NULL);
    same(at(get, "operationId", NULL), "\"things.get\"");
    same(at(get, "tags", NULL), "[\"things\"]");
    same(at(get, "security", NULL), "[{\"token\":[\"ADMIN\"]},{\"bearer\":[\"ADMIN\"]}]");
    same(at(get, "parameters", "0", NULL), "{\"description\":\"how large\",\"in\":\"query\",\"name\":\"size\","
         "\"schema\":{\"default\":3,\"maximum\":9,\"minimum\":1,\"type\":\"integer\"}}");
    same(at(get, "parameters", "1", "schema", NULL), "{\"items\":{\"minLength\":1,\"type\":\"string\"},\"maxItems\":2,\"minItems\":1,\"type\":\"array\"}");
    same(at(get, "parameters", "2", "schema", "enum", NULL), "[\"red\",\"green\"]");
    same(at(get, "parameters", "2", "required", NULL), "true");
    same(at(get, "parameters", "4", "name", NULL), "\"user\"");                     /* named by the path alone */
    same(at(get, "responses", "default", NULL), "{\"$ref\":\"#/components/responses/Error\"}");
    post = at(doc, "paths", "/things", "post", NULL);
    same(at(post, "security", NULL), "[]");
    same(at(post, "requestBody", "required", NULL), "false");
    same(at(post, "responses", "200", "content", NULL), "{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Thing\"}},\"text/plain\":{}}");
    same(at(post, "responses", "204", NULL), "{\"description\":\"No Content\"}");
    same(at(doc, "paths", "/raw/{rest}", "get", "parameters", "0", "name", NULL), "\"rest\"");
    assert_null(at(doc, "paths", "/hidden", NULL));
    json_decref(doc);
    um_api_free(a);
}

static void the_routes_are_the_rows_in_their_order(void **state)
{
    char why[256];
    struct um_api *a = api_of(described, UM_COUNT(described), SCHEMAS, why);
    size_t n;
    const struct um_http_route *routes = um_api_routes(a, &n);

    (void)state;
    assert_int_equal(n, UM_COUNT(described));
    for (size_t i = 0; i < n; i++) {
        assert_string_equal(routes[i].path, described[i].path);
        assert_ptr_equal(routes[i].role, described[i].role);
        assert_ptr_equal(um_api_row_of(a, &routes[i]), &described[i]);
    }
    um_api_free(a);
}

/* ---- values of parameters ---- */

static const struct { struct um_api_param param; const char *text; int64_t n; const char *message; } values[] = {
    { { .type = UM_API_INT, .min = -5, .max = 5 }, "-5", -5, NULL },
    { { .type = UM_API_INT, .min = -5, .max = 5 }, "6", 0, "must be a number from -5 to 5" },
    { { .type = UM_API_INT, .min = 0, .max = INT64_MAX - 1 }, "9223372036854775806", INT64_MAX - 1, NULL },
    { { .type = UM_API_INT, .min = 0, .max = INT64_MAX - 1 }, "9223372036854775807", 0, "must be a number from 0 on" },
    { { .type = UM_API_INT, .min = 0, .max = INT64_MAX - 1 }, "99999999999999999999", 0, "must be a number from 0 on" },
    { { .type = UM_API_INT, .min = 0, .max = 9 }, "", 0, "must be a number from 0 to 9" },
    { { .type = UM_API_INT, .min = 0, .max = 9 }, "+1", 0, "must be a number from 0 to 9" },
    { { .type = UM_API_INT, .min = 0, .max = 9 }, " 1", 0, "must be a number from 0 to 9" },
    { { .type = UM_API_INT, .min = 0, .max = 9 }, "1.0", 0, "must be a number from 0 to 9" },
    { { .type = UM_API_BOOL }, "True", 1, NULL },
    { { .type = UM_API_BOOL }, "false", 0, NULL },
    { { .type = UM_API_BOOL }, "1", 0, "must be true or false" },
    { { .type = UM_API_DURATION, .min = 0, .max = 60000 }, "10s", 10000, NULL },
    { { .type = UM_API_DURATION, .min = 0, .max = 60000 }, "PT1M", 60000, NULL },
    { { .type = UM_API_DURATION, .min = 0, .max = 60000 }, "1500", 1500, NULL },
    { { .type = UM_API_DURATION, .min = 0, .max = 60000 }, "2m", 0, "must be a duration (10s, PT1M) of 0 to 60000 ms" },
    { { .type = UM_API_ENUM, .values = "ab|c" }, "ab", 0, NULL },
    { { .type = UM_API_ENUM, .values = "ab|c" }, "a", 0, "must be one of: ab|c" },
    { { .type = UM_API_ENUM, .values = "ab|c" }, "ab|c", 0, "must be one of: ab|c" },
    { { .type = UM_API_ENUM, .values = "ab|c" }, "", 0, "must be one of: ab|c" },
    { { .type = UM_API_STRING, .min = 1, .max = 3 }, "äb", 0, NULL },
    { { .type = UM_API_STRING, .min = 1, .max = 3 }, "ää", 0, "must have 1 to 3 bytes" },
    { { .type = UM_API_STRING, .min = 1, .max = 3 }, "", 0, "must have 1 to 3 bytes" },
    { { .type = UM_API_STRING }, "\xff", 0, "must be UTF-8" },
    { { .type = UM_API_IDS, .min = 1, .max = 2 }, "a,b", 0, NULL },
    { { .type = UM_API_IDS, .min = 1, .max = 2 }, "a,b,c", 0, "must be 1 to 2 ids, separated by commas" },
    { { .type = UM_API_IDS, .min = 1, .max = 2 }, "", 0, "must be 1 to 2 ids, separated by commas" },
    { { .type = UM_API_IDS, .min = 1, .max = 9 }, "a,,b", 0, "must be 1 to 9 ids, separated by commas" },
    { { .type = UM_API_IDS, .min = 1, .max = 9 }, "a,", 0, "must be 1 to 9 ids, separated by commas" },
    { { .type = UM_API_IDS, .min = 1, .max = 9 }, ",a", 0, "must be 1 to 9 ids, separated by commas" },
    { { .type = UM_API_IDS, .min = 1, .max = 9 }, "%ff", 0, "must be 1 to 9 ids, separated by commas" },
    { { .type = UM_API_IDS, .min = 1, .max = 9 }, "a%2", 0, "must be 1 to 9 ids, separated by commas" },
};

static void a_parameter_is_what_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(values); i++) {
        char message[160] = "";
        int64_t n = 0;
        bool fits = api_value(&values[i].param, values[i].text, &n, message);

        if (fits != (values[i].message == NULL))
            print_error("row %zu: %s\n", i, values[i].text);
        assert_int_equal(fits, values[i].message == NULL);
        if (fits)
            assert_int_equal(n, values[i].n);
        else
            assert_string_equal(message, values[i].message);
    }
}

static void ids_are_split_before_they_are_decoded(void **state)
{
    size_t n;
    char **ids = api_split_ids(UM_SPAN_STR("a%2Cb,c+d,%20"), false, 5, &n);

    (void)state;
    assert_int_equal(n, 3);
    assert_string_equal(ids[0], "a,b");
    assert_string_equal(ids[1], "c+d");
    assert_string_equal(ids[2], " ");
    assert_null(ids[3]);
    free(ids);
    ids = api_split_ids(UM_SPAN_STR("c+d,e%2Bf"), true, 5, &n);
    assert_string_equal(ids[0], "c d");
    assert_string_equal(ids[1], "e+f");
    free(ids);
}

int rows_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_that_contradicts_itself_stops_the_start),
        cmocka_unit_test(a_row_for_sockets_leaves_the_path_to_others),
        cmocka_unit_test(the_description_says_what_the_rows_say),
        cmocka_unit_test(the_routes_are_the_rows_in_their_order),
        cmocka_unit_test(a_parameter_is_what_its_row_says),
        cmocka_unit_test(ids_are_split_before_they_are_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
