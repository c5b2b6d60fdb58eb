/* Targets and routes, without a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "route.h"
#include "target.h"

static void handler(struct um_http_req *rq, void *ctx)
{
    (void)rq;
    (void)ctx;
}

static void a_path_is_decoded_once_and_its_dots_are_resolved(void **state)
{
    static const struct { const char *raw, *text; size_t n; } rows[] = {
        { "/", "/", 0 }, { "/a", "/a", 1 }, { "/a/", "/a/", 1 }, { "/a/b", "/a/b", 2 }, { "/a//b", "/a//b", 3 },
        { "/a/./b", "/a/b", 2 }, { "/a/../b", "/b", 1 }, { "/../../etc/passwd", "/etc/passwd", 2 },
        { "/a/%2e%2e/b", "/b", 1 }, { "/a/%2E/b", "/a/b", 2 }, { "/a/..", "/", 0 }, { "/a/b/..", "/a/", 1 },
        { "/a/b/.", "/a/b/", 2 }, { "/a%2fb", "/a%2Fb", 1 }, { "/a%5Cb", "/a%5Cb", 1 }, { "/a%2f..%2fb", "/a%2F..%2Fb", 1 },
        { "/%252e%252e/x", "/%2e%2e/x", 2 }, { "/%c3%a9", "/\xc3\xa9", 1 }, { "/a%20b", "/a b", 1 }, { "/a+b", "/a+b", 1 },
    };
    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct http_path p;

        assert_int_equal(http_path_parse(&p, rows[i].raw, strlen(rows[i].raw)), UM_OK);
        assert_string_equal(p.text, rows[i].text);
        assert_int_equal(p.n, rows[i].n);
        http_path_free(&p);
    }
}

static void a_segment_is_known_decoded_and_raw(void **state)
{
    struct http_path p;

    (void)state;
    assert_int_equal(http_path_parse(&p, "/x/../docs/a%2Fb,c%2cd", 22), UM_OK);
    assert_string_equal(p.seg[1].decoded, "a/b,c,d");
    assert_string_equal(p.seg[1].raw, "a%2Fb,c%2cd");
    assert_string_equal(p.text + p.seg[1].at, "a%2Fb,c,d");
    http_path_free(&p);
}

static void paths_that_are_not_utf8_or_endless_are_refused(void **state)
{
    char deep[2 * HTTP_MAX_SEGMENTS + 3];
    struct http_path p;

    (void)state;
    assert_int_equal(http_path_parse(&p, "/%ff", 4), UM_EPROTO);
    for (size_t i = 0; i < sizeof(deep); i++)
        deep[i] = i % 2 ? 'a' : '/';
    assert_int_equal(http_path_parse(&p, deep, 2 * HTTP_MAX_SEGMENTS), UM_OK);
    http_path_free(&p);
    assert_int_equal(http_path_parse(&p, deep, 2 * HTTP_MAX_SEGMENTS + 2), UM_ELIMIT);
}

static void a_query_is_decoded_into_pairs(void **state)
{
    struct http_query q;

    (void)state;
    assert_int_equal(http_query_count("a=1&&b&=c&a=2&"), 4);
    assert_int_equal(http_query_parse(&q, "a=1&&b&=c&x%3dy=%26+%2B%41"), UM_OK);
    assert_int_equal(q.n, 4);
    assert_string_equal(q.pair[0].name, "a");
    assert_string_equal(q.pair[0].value, "1");
    assert_string_equal(q.pair[1].name, "b");
    assert_string_equal(q.pair[1].value, "");
    assert_string_equal(q.pair[2].name, "");
    assert_string_equal(q.pair[2].value, "c");
    assert_string_equal(q.pair[3].name, "x=y");
    assert_string_equal(q.pair[3].value, "& +A");
    http_query_free(&q);
}

static const struct um_http_route routes[] = {
    { "GET", "/", handler, 0, NULL, "root", 0 },                    /* 0 */
    { "GET", "/docs", handler, 0, NULL, "list", 0 },
    { "POST", "/docs", handler, 0, NULL, "create", 0 },
    { "GET", "/docs/{ids}", handler, 0, NULL, "get", 0 },
    { "GET", "/docs/special", handler, 0, NULL, "never", 0 },       /* 4: shadowed by 3 */
    { "*", "/docs/{ids}/any", handler, 0, NULL, "any", 0 },
    { "GET", "/ws", handler, UM_HTTP_WEBSOCKET, NULL, "socket", 0 },/* 6 */
    { "GET", "/ws", handler, 0, NULL, "welcome", 0 },
    { "GET", "/only", handler, UM_HTTP_WEBSOCKET, NULL, "socket", 0 },
    { "GET", "/files/*", handler, 0, NULL, "files", 0 },            /* 9 */
};

static int find(const char *method, const char *path, bool ws, struct http_match *m)
{
    struct http_router *r = http_router_new(routes, UM_COUNT(routes));
    struct http_path p;

    assert_int_equal(http_path_parse(&p, path, strlen(path)), UM_OK);
    *m = http_route_find(r, method, &p, ws);
    http_path_free(&p);
    http_router_free(r);
    return m->route != NULL ? (int)m->index : -1;
}

static void the_first_matching_row_wins(void **state)
{
    static const struct { const char *method, *path; bool ws; int row; const char *allow; } rows[] = {
        { "GET", "/", false, 0, NULL }, { "HEAD", "/", false, 0, NULL }, { "GET", "/docs", false, 1, NULL },
        { "GET", "/docs/", false, 1, NULL }, { "POST", "/docs/", false, 2, NULL }, { "GET", "/docs/special", false, 3, NULL },
        { "DELETE", "/docs", false, -1, "GET, HEAD, POST" }, { "TRACE", "/docs", false, -1, "GET, HEAD, POST" },
        { "PATCH", "/docs/7/any", false, 5, NULL }, { "TRACE", "/docs/7/any", false, -1, "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" },
        { "GET", "/docs//any", false, -1, "" }, { "GET", "/nothing", false, -1, "" }, { "get", "/docs", false, -1, "GET, HEAD, POST" },
        { "GET", "/ws", true, 6, NULL }, { "GET", "/ws", false, 7, NULL }, { "GET", "/only", true, 8, NULL },
        { "GET", "/files/a/b", false, 9, NULL }, { "GET", "/files/", false, 9, NULL }, { "GET", "/files", false, -1, "" },
        { "GET", "/docs%2F7", false, -1, "" }, { "GET", "/x/../docs", false, 1, NULL },
    };
    struct http_match m;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        assert_int_equal(find(rows[i].method, rows[i].path, rows[i].ws, &m), rows[i].row);
        if (rows[i].allow != NULL)
            assert_string_equal(m.allow, rows[i].allow);
    }
    assert_int_equal(find("GET", "/only", false, &m), -1);
    assert_true(m.needs_upgrade);
}

static void the_rest_begins_behind_the_literal_segments(void **state)
{
    static const struct { const char *path, *rest; } rows[] = {
        { "/files/a/b%2fc", "a/b%2Fc" }, { "/files/a/", "a/" }, { "/files/", "" }, { "/files/a/../../files/x", "x" },
    };
    struct http_router *r = http_router_new(routes, UM_COUNT(routes));

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct http_path p;

        assert_int_equal(http_path_parse(&p, rows[i].path, strlen(rows[i].path)), UM_OK);
        assert_string_equal(http_route_rest(r, 9, &p), rows[i].rest);
        http_path_free(&p);
    }
    assert_int_equal(http_route_param(r, 3, "ids"), 1);
    assert_int_equal(http_route_param(r, 3, "id"), -1);
    http_router_free(r);
}

static void the_accept_value_is_the_rfcs(void **state)
{
    char accept[29];

    (void)state;
    um_http_websocket_accept("dGhlIHNhbXBsZSBub25jZQ==", accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_decoded_once_and_its_dots_are_resolved),
        cmocka_unit_test(a_segment_is_known_decoded_and_raw),
        cmocka_unit_test(paths_that_are_not_utf8_or_endless_are_refused),
        cmocka_unit_test(a_query_is_decoded_into_pairs),
        cmocka_unit_test(the_first_matching_row_wins),
        cmocka_unit_test(the_rest_begins_behind_the_literal_segments),
        cmocka_unit_test(the_accept_value_is_the_rfcs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
