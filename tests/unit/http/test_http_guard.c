/* The guard and the limits, each through a real socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "http_bench.h"

#define HOST "Host: x\r\n"

static void what_the_guard_refuses(void **state)
{
    static const struct { const char *request; unsigned status; } rows[] = {
        { "GET /hello HTTP/1.1\r\n\r\n", 400 },                                              /* no Host */
        { "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400 },
        { "GET /hello HTTP/1.1\r\nHost: a@b\r\n\r\n", 400 },
        { "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
        { "GET /hello HTTP/1.1\r\nHost: a?b\r\n\r\n", 400 },
        { "GET /hello HTTP/1.1\r\nHost: a#b\r\n\r\n", 400 },
        { "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 1\r\n\r\nxyz", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\nx", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\nx", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: \r\n\r\nx", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0000000000000000001\r\n\r\nx", 400 },   /* 19 digits */
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
        { "POST /echo HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400 },
        { "POST /echo HTTP/1.1\r\n" HOST "Content-Length:\r\n\t5\r\n\r\nhello", 400 },
        { "GET /hello HTTP/1.1\r\n" HOST "X (y): 1\r\n\r\n", 400 },                            /* name is no token */
        { "GET /hello HTTP/1.1\r\n" HOST "X-A: a\x01" "b\r\n\r\n", 400 },
        { "GET /hello HTTP/1.1\r\n" HOST "X-A: a\x7f" "b\r\n\r\n", 400 },
        { "GET http://x/hello HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hel\x01lo HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hel\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hello%zz HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hello%4 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hello%00 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hello?q=%0d%0aX:1 HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /hello%7f HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "GET /%ff HTTP/1.1\r\n" HOST "\r\n", 400 },
        { "TRACE /hello HTTP/1.1\r\n" HOST "\r\n", 405 },
        { "CONNECT x:1 HTTP/1.1\r\n" HOST "\r\n", 405 },
    };
    struct um_http_conf cf = http_bench_conf();
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        bool closed;
        unsigned status = http_bench_ask_closed(&b, rows[i].request, &closed);

        if (status != rows[i].status || !closed)
            print_error("%s: %u, %s\n", rows[i].request, status, closed ? "closed" : "open");
        assert_int_equal(status, rows[i].status);
        assert_true(closed);
    }
    http_bench_close(&b);
}

static void a_hidden_second_request_is_never_served(void **state)
{
    static const char *const rows[] = {
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 46\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            "GET /hello HTTP/1.1\r\n" HOST "\r\n",
        "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 33\r\n\r\n" "GET /hello HTTP/1.1\r\n" HOST "\r\n",
        "GET /hello HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" "GET /hello HTTP/1.1\r\n" HOST "\r\n",
    };
    struct um_http_conf cf = http_bench_conf();
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf out = { 0 };

        assert_int_equal(http_bench_ask(&b, rows[i], &out), 400);
        assert_int_equal(http_bench_replies(&out), 1);
        assert_null(strstr(um_buf_cstr(&out), "\nhello"));
        um_buf_free(&out);
    }
    http_bench_close(&b);
}

static void an_error_has_the_platforms_body(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;
    json_error_t error;
    json_t *json;

    (void)state;
    http_bench_open(&b, &cf);
    assert_int_equal(http_bench_ask(&b, "GET /no%22thing?x HTTP/1.1\r\n" HOST "X-Request-Id: r-1\r\n\r\n", &out), 404);
    assert_non_null(strstr(um_buf_cstr(&out), "X-Request-Id: r-1\r\n"));
    json = json_loads(strstr(um_buf_cstr(&out), "\r\n\r\n") + 4, 0, &error);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), 404);
    assert_string_equal(json_string_value(json_object_get(json, "error")), "Not Found");
    assert_string_equal(json_string_value(json_object_get(json, "path")), "/no\"thing");
    assert_string_equal(json_string_value(json_object_get(json, "requestId")), "r-1");
    assert_non_null(json_object_get(json, "code"));
    assert_non_null(json_object_get(json, "message"));
    assert_non_null(strstr(json_string_value(json_object_get(json, "timestamp")), "+00:00"));
    json_decref(json);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    assert_int_equal(http_bench_ask(&b, "DELETE /hello HTTP/1.1\r\n" HOST "\r\n", &out), 405);
    assert_non_null(strstr(um_buf_cstr(&out), "\r\nAllow: GET, HEAD\r\n"));
    um_buf_clear(&out);
    assert_int_equal(http_bench_ask(&b, "TRACE /echo HTTP/1.1\r\n" HOST "\r\n", &out), 405);
    assert_non_null(strstr(um_buf_cstr(&out), "\r\nAllow: POST\r\n"));
    um_buf_free(&out);
    http_bench_close(&b);
}

static void fill(struct um_buf *r, char c, size_t n)
{
    while (n-- > 0)
        um_buf_put_u8(r, (uint8_t)c);
}

static void limits_of_the_head_hold_at_value_and_break_at_one_more(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf r = { 0 };
    struct http_bench b;

    (void)state;
    cf.max_query = 3;
    cf.max_headers = 12;
    http_bench_open(&b, &cf);
    for (unsigned more = 0; more <= 1; more++) {
        um_buf_clear(&r);                            /* the target */
        um_buf_puts(&r, "GET /hello?p=");
        fill(&r, 'x', 16384 - 9 - 100 + (more ? 200 : 0));
        um_buf_puts(&r, " HTTP/1.1\r\n" HOST "\r\n");
        assert_int_equal(http_bench_ask(&b, um_buf_cstr(&r), NULL), more ? 414 : 200);

        um_buf_clear(&r);                            /* all of it: method, target, version, 4, and 4 per field */
        um_buf_puts(&r, "GET /hello HTTP/1.1\r\n" HOST "X: ");
        fill(&r, 'x', 16384 - (3 + 6 + 8 + 4) - (4 + 1 + 4) - (1 + 4) + more);
        um_buf_puts(&r, "\r\n\r\n");
        assert_int_equal(http_bench_ask(&b, um_buf_cstr(&r), NULL), more ? 431 : 200);

        um_buf_clear(&r);                            /* how many */
        um_buf_puts(&r, "GET /hello HTTP/1.1\r\n" HOST);
        for (unsigned i = 0; i < 11 + more; i++)
            um_buf_printf(&r, "X-%u: 1\r\n", i);
        um_buf_puts(&r, "\r\n");
        assert_int_equal(http_bench_ask(&b, um_buf_cstr(&r), NULL), more ? 431 : 200);

        assert_int_equal(http_bench_ask(&b, more ? "GET /hello?a&b&c&d HTTP/1.1\r\n" HOST "\r\n"
                                                 : "GET /hello?a&b&c HTTP/1.1\r\n" HOST "\r\n", NULL), more ? 400 : 200);
    }
    um_buf_free(&r);
    http_bench_close(&b);
}

static void a_thousand_query_parameters_do_not_hang(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf r = { 0 }, out = { 0 };
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    um_buf_puts(&r, "GET /hello?");
    for (int i = 0; i < 999; i++)
        um_buf_printf(&r, "p%d=%d&", i, i);
    um_buf_puts(&r, "q=last HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(http_bench_ask(&b, um_buf_cstr(&r), &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "X-Query: last\r\n"));
    um_buf_free(&r);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_body_holds_its_limit_and_not_a_byte_more(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    assert_int_equal(http_bench_ask(&b, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789", NULL), 200);
    assert_int_equal(http_bench_ask(&b, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n0123456789x", NULL), 413);
    assert_int_equal(http_bench_ask(&b, "POST /small HTTP/1.1\r\n" HOST "Content-Length: 11\r\nExpect: 100-continue\r\n\r\n",
                                    NULL), 413);
    assert_int_equal(http_bench_ask(&b, "POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                                        "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n", NULL), 200);
    assert_int_equal(http_bench_ask(&b, "POST /small HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                                        "4\r\n0123\r\n7\r\n456789x\r\n0\r\n\r\n", NULL), 413);
    http_bench_close(&b);
}

static void a_refusal_arrives_although_the_body_is_on_its_way(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf r = { 0 };
    struct http_bench b;

    (void)state;
    cf.max_body = 1000000;
    http_bench_open(&b, &cf);
    um_buf_puts(&r, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2000000\r\n\r\n");
    fill(&r, 'x', 2000000);
    assert_int_equal(http_bench_ask(&b, um_buf_cstr(&r), NULL), 413);     /* not a reset */
    um_buf_free(&r);
    http_bench_close(&b);
}

static void slow_headers_end_at_the_timeout_however_they_trickle(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;
    bool closed = false;
    int fd;

    (void)state;
    cf.header_timeout_ms = 60;
    http_bench_open(&b, &cf);
    fd = http_bench_dial(&b);
    http_bench_say(&b, fd, "GET /hello HTTP/1.1\r\nX: ", 24);
    for (int i = 0; i < 2000 && !closed; i++) {
        http_bench_say(&b, fd, "x", 1);
        closed = http_bench_hear(&b, fd, &out);
    }
    assert_true(closed);
    assert_int_equal(http_bench_replies(&out), 0);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_body_below_the_least_rate_is_cut(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;
    bool closed = false;
    int fd;

    (void)state;
    cf.header_timeout_ms = 60;
    cf.min_rate_bytes = 1000000;
    http_bench_open(&b, &cf);
    fd = http_bench_dial(&b);
    http_bench_say(&b, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 50000\r\n\r\n", 55);
    for (int i = 0; i < 2000 && !closed; i++) {
        http_bench_say(&b, fd, "x", 1);
        closed = http_bench_hear(&b, fd, &out);
    }
    assert_true(closed);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void beyond_the_connection_cap_is_503_and_per_address_closed(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;
    int one, two;

    (void)state;
    cf.max_connections = 2;
    http_bench_open(&b, &cf);
    one = http_bench_dial(&b);
    two = http_bench_dial(&b);
    http_bench_turns(&b, 3);
    assert_int_equal(http_bench_ask(&b, "GET /hello HTTP/1.1\r\n" HOST "\r\n", &out), 503);
    assert_non_null(strstr(um_buf_cstr(&out), "Retry-After: 1\r\n"));
    close(two);
    http_bench_turns(&b, 3);
    assert_int_equal(http_bench_ask(&b, "GET /hello HTTP/1.1\r\n" HOST "\r\n", NULL), 200);
    close(one);
    http_bench_close(&b);

    cf = http_bench_conf();
    cf.max_per_address = 1;
    http_bench_open(&b, &cf);
    one = http_bench_dial(&b);
    http_bench_turns(&b, 3);
    assert_int_equal(http_bench_ask(&b, "GET /hello HTTP/1.1\r\n" HOST "\r\n", NULL), 0);
    close(one);
    http_bench_turns(&b, 3);
    assert_int_equal(http_bench_ask(&b, "GET /hello HTTP/1.1\r\n" HOST "\r\n", NULL), 200);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void json_limits(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf body = { 0 }, r = { 0 };
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    for (unsigned more = 0; more <= 1; more++) {
        for (int kind = 0; kind < 3; kind++) {
            um_buf_clear(&body);
            if (kind == 0) {
                fill(&body, '[', 64 + more);
                fill(&body, ']', 64 + more);
            } else if (kind == 1) {
                um_buf_puts(&body, "[1");
                for (unsigned i = 1; i < 1000 + more; i++)
                    um_buf_puts(&body, ",1");
                um_buf_puts(&body, "]");
            } else {
                um_buf_puts(&body, "\"");
                fill(&body, 's', 5000 + more);
                um_buf_puts(&body, "\"");
            }
            um_buf_clear(&r);
            um_buf_printf(&r, "POST /json HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n%s", body.len, um_buf_cstr(&body));
            assert_int_equal(http_bench_ask(&b, um_buf_cstr(&r), NULL), more ? 400 : 200);
        }
    }
    assert_int_equal(http_bench_ask(&b, "POST /json HTTP/1.1\r\n" HOST "Content-Length: 13\r\n\r\n{\"a\":1,\"a\":2}", NULL), 400);
    assert_int_equal(http_bench_ask(&b, "POST /json HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n{", NULL), 400);
    assert_int_equal(http_bench_ask(&b, "POST /json HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
                                    NULL), 415);
    assert_int_equal(http_bench_ask(&b, "POST /json HTTP/1.1\r\n" HOST "Content-Type: application/json; charset=utf-8\r\n"
                                        "Content-Length: 2\r\n\r\n{}", NULL), 200);
    um_buf_free(&body);
    um_buf_free(&r);
    http_bench_close(&b);
}

int guard_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_guard_refuses),
        cmocka_unit_test(a_hidden_second_request_is_never_served),
        cmocka_unit_test(an_error_has_the_platforms_body),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(limits_of_the_head_hold_at_value_and_break_at_one_more),
        cmocka_unit_test(a_thousand_query_parameters_do_not_hang),
        cmocka_unit_test(a_body_holds_its_limit_and_not_a_byte_more),
        cmocka_unit_test(a_refusal_arrives_although_the_body_is_on_its_way),
        cmocka_unit_test(slow_headers_end_at_the_timeout_however_they_trickle),
        cmocka_unit_test(a_body_below_the_least_rate_is_cut),
        cmocka_unit_test(beyond_the_connection_cap_is_503_and_per_address_closed),
        cmocka_unit_test(json_limits),
    };
    return cmocka_run_group_tests_name("http guard", tests, NULL, NULL);
}
