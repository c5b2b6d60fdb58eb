/* Requests at a real server: what does not fit its row never reaches the handler, and the reply says why. */
#include <stdio.h>
#include <umbel/util.h>
#include "api_tests.h"
#include "http_bench.h"

struct place { struct um_api *api; int calls; struct um_buf said; };

/* Says what it was asked with. */
static void tell(struct um_http_req *rq, void *ctx)
{
    struct place *p = ctx;
    char **ids = um_api_ids(p->api, rq, "ids", NULL), **of = um_api_ids(p->api, rq, "of", NULL);
    const char *text = um_api_text(p->api, rq, "X-Text");
    struct um_buf b = { 0 };

    p->calls++;
    um_buf_printf(&b, "size=%lld wait=%lld all=%lld kind=%s text=%s", (long long)um_api_int(p->api, rq, "size"),
                  (long long)um_api_int(p->api, rq, "wait"), (long long)um_api_int(p->api, rq, "all"), um_api_text(p->api, rq, "kind"),
                  text != NULL ? text : "-");
    for (char **id = ids; *id != NULL; id++)
        um_buf_printf(&b, " [%s]", *id);
    for (char **id = of; *id != NULL; id++)
        um_buf_printf(&b, " (%s)", *id);
    um_http_reply(rq, 200, "text/plain", UM_SPAN(b.data, b.len));
    um_buf_free(&b);
    free(ids);
    free(of);
}

static void take(struct um_http_req *rq, void *ctx)
{
    struct place *p = ctx;
    json_t *body = um_api_body(p->api, rq);

    if (body == NULL)
        return;
    p->calls++;
    um_http_reply_json(rq, 200, body);
}

static const struct um_api_param params[] = {
    { .name = "ids", .in = UM_API_PATH, .type = UM_API_IDS, .min = 1, .max = 3, .text = "which" },
    { .name = "of", .in = UM_API_QUERY, .type = UM_API_IDS, .min = 1, .max = 3, .text = "whose" },
    { .name = "size", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = 9, .initial = "3", .text = "how large" },
    { .name = "wait", .in = UM_API_QUERY, .type = UM_API_DURATION, .min = 0, .max = 5000, .initial = "1s", .text = "how long" },
    { .name = "all", .in = UM_API_QUERY, .type = UM_API_BOOL, .text = "everything" },
    { .name = "kind", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "red|green", .initial = "red", .text = "which colour" },
    { .name = "X-Text", .in = UM_API_HEADER, .type = UM_API_STRING, .min = 1, .max = 4, .text = "anything" },
    { 0 },
};
static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/things/{ids}", .handler = tell, .flags = UM_HTTP_PUBLIC, .summary = "s", .params = params },
    { .method = "POST", .path = "/things", .handler = take, .flags = UM_HTTP_PUBLIC, .summary = "s", .body = "Thing" },
    { .method = "PUT", .path = "/things", .handler = take, .flags = UM_HTTP_PUBLIC, .summary = "s", .body = "Thing", .body_optional = true,
      .any_query = true },
};
#define SCHEMAS "{\"Thing\": {\"type\": \"object\", \"required\": [\"name\"], \"additionalProperties\": false," \
                " \"properties\": {\"name\": {\"type\": \"string\", \"maxLength\": 5}, \"tags\": {\"items\": {\"type\": \"integer\"}}}}}"

static bool before(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    (void)route;
    return um_api_check_params(((struct place *)ctx)->api, rq);
}

static void open_place(struct place *p, struct http_bench *b)
{
    static const struct um_http_hooks hooks = { .before = before };
    struct um_http_conf cf = http_bench_conf();
    const struct um_http_route *routes;
    char why[256];
    size_t n;

    memset(p, 0, sizeof(*p));
    p->api = api_of(rows, UM_COUNT(rows), SCHEMAS, why);
    assert_non_null(p->api);
    routes = um_api_routes(p->api, &n);
    http_bench_open_with(b, &cf, routes, n, &hooks, p);
}

static void close_place(struct place *p, struct http_bench *b)
{
    http_bench_close(b);
    um_api_free(p->api);
}

/* STATUS, and the reply holds SAYS. */
static void ask(struct place *p, struct http_bench *b, const char *request, unsigned status, const char *says)
{
    struct um_buf out = { 0 };
    int calls = p->calls;
    unsigned got = http_bench_ask(b, request, &out);

    if (got != status || strstr(um_buf_cstr(&out), says) == NULL)
        print_error("%s\n-> %s\nwanted %u %s\n", request, um_buf_cstr(&out), status, says);
    assert_int_equal(got, status);
    assert_non_null(strstr(um_buf_cstr(&out), says));
    assert_int_equal(p->calls - calls, status == 200);
    um_buf_free(&out);
}

#define GET(target, headers) "GET " target " HTTP/1.1\r\nHost: x\r\n" headers "\r\n"

static const struct { const char *request; unsigned status; const char *says; } requests[] = {
    { GET("/things/a", ""), 200, "size=3 wait=1000 all=0 kind=red text=- [a]" },
    { GET("/things/a%2Cb,c?size=9&wait=2s&all=true&kind=green&of=x+y,%2C", "X-Text: \xc3\xa4\r\n"), 200,
      "size=9 wait=2000 all=1 kind=green text=\xc3\xa4 [a,b] [c] (x y) (,)" },
    { GET("/things/a,b,c,d", ""), 400, "\"in\":\"path\",\"name\":\"ids\",\"message\":\"must be 1 to 3 ids, separated by commas\"" },
    { GET("/things/a?size=0", ""), 400, "\"message\":\"the parameter size of the query must be a number from 1 to 9\"" },
    { GET("/things/a?size=1&size=2", ""), 400, "\"name\":\"size\",\"message\":\"is there twice\"" },
    { GET("/things/a?sice=1", ""), 400, "\"in\":\"query\",\"name\":\"sice\",\"message\":\"is not known\"" },
    { GET("/things/a?%ff=1", ""), 400, "\"name\":\"?\",\"message\":\"is not known\"" },
    { GET("/things/a?all=maybe&kind=blue", ""), 400,
      "\"details\":[{\"in\":\"query\",\"name\":\"all\",\"message\":\"must be true or false\"},{\"in\":\"query\",\"name\":\"kind\"" },
    { GET("/things/a?of=%ff", ""), 400, "\"name\":\"of\"" },
    { GET("/things/a", "X-Text: 12345\r\n"), 400, "\"in\":\"header\",\"name\":\"X-Text\",\"message\":\"must have 1 to 4 bytes\"" },
};

static void parameters_that_do_not_fit_never_reach_the_handler(void **state)
{
    struct http_bench b;
    struct place p;

    (void)state;
    open_place(&p, &b);
    for (size_t i = 0; i < UM_COUNT(requests); i++)
        ask(&p, &b, requests[i].request, requests[i].status, requests[i].says);
    close_place(&p, &b);
}

static void body(struct place *p, struct http_bench *b, const char *head, const char *text, unsigned status, const char *says)
{
    char *request = um_xasprintf("%s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", head, strlen(text), text);

    ask(p, b, request, status, says);
    free(request);
}

static void a_body_that_does_not_fit_is_told_where(void **state)
{
    struct http_bench b;
    struct place p;

    (void)state;
    open_place(&p, &b);
    body(&p, &b, "POST /things", "{\"name\":\"a\",\"tags\":[1]}", 200, "{\"name\":\"a\",\"tags\":[1]}");
    body(&p, &b, "POST /things", "{\"name\":\"a\",\"tags\":[1,\"2\"]}", 400, "\"details\":[{\"path\":\"/tags/1\",\"message\":\"must be an integer\"}]");
    body(&p, &b, "POST /things", "{\"name\":\"toolong\",\"x\":1}", 400,
         "\"details\":[{\"path\":\"/name\",\"message\":\"must have at most 5 characters\"},{\"path\":\"/x\",\"message\":\"is not known\"}]");
    body(&p, &b, "POST /things", "[]", 400, "\"message\":\"the body does not fit:  must be an object\"");
    body(&p, &b, "POST /things", "{\"name\":1,\"name\":2}", 400, "not valid JSON");
    body(&p, &b, "POST /things", "", 400, "not valid JSON");
    body(&p, &b, "PUT /things", "", 200, "null");
    body(&p, &b, "PUT /things?whatever=1", "{\"name\":\"a\"}", 200, "{\"name\":\"a\"}");
    body(&p, &b, "PUT /things", "{}", 400, "\"path\":\"/name\",\"message\":\"is missing\"");
    close_place(&p, &b);
}

int requests_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_that_do_not_fit_never_reach_the_handler),
        cmocka_unit_test(a_body_that_does_not_fit_is_told_where),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
