/* Requests and replies: keep-alive, bodies and replies in pieces, waiting, leaving. */
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "http_bench.h"

#define HOST "Host: x\r\n"
#define HELLO "GET /hello HTTP/1.1\r\n" HOST "\r\n"

static void open_default(struct http_bench *b)
{
    struct um_http_conf cf = http_bench_conf();

    http_bench_open(b, &cf);
}

static void say(struct http_bench *b, int fd, const char *text)
{
    http_bench_say(b, fd, text, strlen(text));
}

static void a_connection_serves_one_request_after_another(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    for (size_t i = 1; i <= 3; i++) {
        say(&b, fd, HELLO);
        assert_false(http_bench_hear(&b, fd, &out));
        assert_int_equal(http_bench_replies(&out), i);
    }
    say(&b, fd, HELLO HELLO "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody" HELLO);     /* pipelined */
    http_bench_await(&b, fd, &out, "body");
    assert_false(http_bench_hear(&b, fd, &out));
    assert_int_equal(http_bench_replies(&out), 7);
    say(&b, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n");
    assert_false(http_bench_hear(&b, fd, &out));
    assert_int_equal(http_bench_replies(&out), 8);
    say(&b, fd, "GET /hello HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n");
    assert_true(http_bench_hear(&b, fd, &out));
    assert_int_equal(um_http_open_requests(b.http), 0);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void head_is_the_get_without_its_body(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;

    (void)state;
    open_default(&b);
    assert_int_equal(http_bench_ask(&b, "HEAD /hello HTTP/1.1\r\n" HOST "\r\n", &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "Content-Length: 5\r\n"));
    assert_null(strstr(um_buf_cstr(&out), "hello"));
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_path_parameter_is_decoded_and_an_encoded_slash_is_no_separator(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;

    (void)state;
    open_default(&b);
    assert_int_equal(http_bench_ask(&b, "GET /x/..%2f/../../items/a%2Fb%20c HTTP/1.1\r\n" HOST "\r\n", &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "[a/b c][a%2Fb%20c][/items/a%2Fb c]"));
    um_buf_clear(&out);
    assert_int_equal(http_bench_ask(&b, "GET /hello?x=1&q=a%26b+c HTTP/1.1\r\n" HOST "\r\n", &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "X-Query: a&b c\r\n"));
    um_buf_clear(&out);
    assert_int_equal(http_bench_ask(&b, "GET /cookies HTTP/1.1\r\n" HOST "Cookie: b=1; a=x%20y; aa=3\r\nCookie: a=2\r\n\r\n",
                                    &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "x%20y|2|none"));
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_held_request_is_answered_later(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    say(&b, fd, "GET /held HTTP/1.1\r\n" HOST "\r\n");
    http_bench_turns(&b, 5);
    assert_non_null(b.held);
    assert_int_equal(um_http_open_requests(b.http), 1);
    um_http_reply(b.held, 200, "text/plain", UM_SPAN("at last", 7));
    http_bench_await(&b, fd, &out, "at last");
    assert_int_equal(b.gone, 0);
    say(&b, fd, HELLO);                              /* the connection goes on */
    http_bench_await(&b, fd, &out, "hello");
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void the_deadline_answers_503_and_tells_the_handler(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;
    int fd;

    (void)state;
    cf.deadline_ms = 30;
    http_bench_open(&b, &cf);
    fd = http_bench_dial(&b);
    say(&b, fd, "GET /held HTTP/1.1\r\n" HOST "\r\n");
    http_bench_await(&b, fd, &out, "U00503");
    assert_int_equal(http_bench_replies(&out), 1);
    assert_memory_equal(out.data, "HTTP/1.1 503", 12);
    assert_int_equal(b.gone, 1);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
    assert_int_equal(b.gone, 1);
}

static void a_client_that_leaves_is_noticed_while_the_request_waits(void **state)
{
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    say(&b, fd, "GET /held HTTP/1.1\r\n" HOST "\r\n");
    http_bench_turns(&b, 3);
    close(fd);
    http_bench_until(&b, &b.gone, 1);
    http_bench_turns(&b, 3);
    assert_int_equal(um_http_open_requests(b.http), 0);
    http_bench_close(&b);
}

static void the_server_ends_and_tells_who_waits(void **state)
{
    struct http_bench b;
    int held, up, idle;

    (void)state;
    open_default(&b);
    held = http_bench_dial(&b);
    up = http_bench_dial(&b);
    idle = http_bench_dial(&b);
    say(&b, held, "GET /held HTTP/1.1\r\n" HOST "\r\n");
    say(&b, up, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\nabc");
    http_bench_turns(&b, 5);
    http_bench_close(&b);
    assert_int_equal(b.gone, 2);
    close(held);
    close(up);
    close(idle);
}

static void draining_refuses_new_connections_and_finishes_the_others(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    say(&b, fd, "GET /held HTTP/1.1\r\n" HOST "\r\n");
    http_bench_turns(&b, 3);
    um_http_quiesce(b.http);
    um_http_reply(b.held, 200, NULL, UM_SPAN("done", 4));
    assert_true(http_bench_hear(&b, fd, &out));
    assert_non_null(strstr(um_buf_cstr(&out), "done"));
    assert_non_null(strstr(um_buf_cstr(&out), "Connection: close\r\n"));
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_closed_server_begins_no_request_and_finishes_the_others(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;
    int held, late;

    (void)state;
    open_default(&b);
    held = http_bench_dial(&b);
    late = http_bench_dial(&b);
    say(&b, held, "GET /held HTTP/1.1\r\n" HOST "\r\n");
    http_bench_turns(&b, 3);
    um_http_quiesce(b.http);
    um_http_close(b.http);
    say(&b, late, HELLO);
    http_bench_hear(&b, late, &out);
    assert_int_equal(out.len, 0);
    um_http_reply(b.held, 200, NULL, UM_SPAN("done", 4));
    assert_true(http_bench_hear(&b, held, &out));
    assert_non_null(strstr(um_buf_cstr(&out), "done"));
    close(late);
    close(held);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void before_may_refuse_and_the_connection_goes_on(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    b.refuse_before = true;
    fd = http_bench_dial(&b);
    say(&b, fd, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody" HELLO);
    assert_false(http_bench_hear(&b, fd, &out));
    assert_int_equal(http_bench_replies(&out), 2);
    assert_null(strstr(um_buf_cstr(&out), "200 OK"));
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void before_may_wait_and_let_go_on(void **state)
{
    static const char *const requests[] = {
        HELLO, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello",
        "POST /up HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "POST /up HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < UM_COUNT(requests); i++) {
        struct um_buf out = { 0 };
        struct http_bench b;
        int fd;

        open_default(&b);
        b.hold_before = true;
        fd = http_bench_dial(&b);
        say(&b, fd, requests[i]);
        assert_false(http_bench_hear(&b, fd, &out));
        assert_int_equal(out.len, 0);
        assert_non_null(b.held);
        um_http_continue(b.held);
        http_bench_await(&b, fd, &out, i == 2 ? "took 5" : i == 3 ? "took 0" : "hello");
        assert_int_equal(http_bench_replies(&out), 1);
        close(fd);
        um_buf_free(&out);
        http_bench_close(&b);
    }
}

static void upload_request(struct um_buf *r, size_t n, bool chunked)
{
    um_buf_puts(r, "POST /up HTTP/1.1\r\n" HOST);
    if (chunked)
        um_buf_printf(r, "Transfer-Encoding: chunked\r\n\r\n%zx\r\n", n);
    else
        um_buf_printf(r, "Content-Length: %zu\r\n\r\n", n);
    for (size_t i = 0; i < n; i++)
        um_buf_put_u8(r, (uint8_t)(i * 13));
    if (chunked)
        um_buf_puts(r, "\r\n0\r\n\r\n");
}

static void a_streamed_body_waits_for_its_reader(void **state)
{
    (void)state;
    for (int chunked = 0; chunked <= 1; chunked++) {
        struct um_buf r = { 0 }, out = { 0 };
        struct http_bench b;
        int fd;

        open_default(&b);
        b.take_at_most = 1000;                       /* of each piece; then it pauses */
        upload_request(&r, 300000, chunked);
        fd = http_bench_dial(&b);
        for (size_t at = 0, idle = 0; out.len == 0 && idle < 10000; idle++) {
            ssize_t n = at < r.len ? send(fd, r.data + at, r.len - at, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

            at += n > 0 ? (size_t)n : 0;
            um_loop_turn(b.loop, 0);
            if (b.held != NULL && b.ended == 0)
                um_http_body_resume(b.held);
            if (b.ended > 0)
                http_bench_hear(&b, fd, &out);
        }
        assert_int_equal(b.ended, 1);
        assert_non_null(strstr(um_buf_cstr(&out), "took 300000"));
        assert_int_equal(b.got.len, 300000);
        for (size_t i = 0; i < b.got.len; i++)
            assert_int_equal(b.got.data[i], (uint8_t)(i * 13));
        close(fd);
        um_buf_free(&r);
        um_buf_free(&out);
        http_bench_close(&b);
    }
}

static void a_paused_body_stops_the_client(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf r = { 0 }, out = { 0 };
    struct http_bench b;
    size_t sent = 0;
    int fd;

    (void)state;
    cf.deadline_ms = 400;
    http_bench_open(&b, &cf);
    b.pause_up = true;                               /* the handler is not ready for the body yet */
    upload_request(&r, 16 << 20, false);
    fd = http_bench_dial(&b);
    for (int idle = 0; idle < 50;) {
        ssize_t n = send(fd, r.data + sent, r.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        sent += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        um_loop_turn(b.loop, 1);
    }
    assert_true(sent < 12u << 20);                   /* only what socket buffers hold */
    close(fd);                                       /* unseen behind what waits: the deadline finds it */
    http_bench_until(&b, &b.gone, 1);
    um_buf_free(&r);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_client_that_leaves_during_its_upload_is_noticed(void **state)
{
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    say(&b, fd, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\nhalf");
    http_bench_turns(&b, 5);
    assert_int_equal(b.got.len, 4);
    close(fd);
    http_bench_until(&b, &b.gone, 1);
    assert_int_equal(b.ended, 0);
    http_bench_close(&b);
}

/* Its end comes with its last bytes, and libmicrohttpd reads these only. */
static void a_client_that_leaves_with_its_last_bytes_is_noticed(void **state)
{
    struct http_bench b;
    struct um_http_conf cf = http_bench_conf();
    int fd;

    (void)state;
    cf.header_timeout_ms = 100;
    cf.min_rate_bytes = 0;
    http_bench_open(&b, &cf);
    fd = http_bench_dial(&b);
    say(&b, fd, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n");
    http_bench_turns(&b, 5);
    assert_int_equal(send(fd, "half", 4, MSG_NOSIGNAL), 4);
    close(fd);
    http_bench_until(&b, &b.gone, 1);
    assert_int_equal(b.got.len, 4);
    http_bench_close(&b);
}

/* Nobody could say how much of it would have to be read to its end. */
static void a_refused_body_without_a_length_is_cut(void **state)
{
    struct um_buf r = { 0 };
    struct http_bench b;
    size_t sent = 0;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    upload_request(&r, 8 << 20, true);
    say(&b, fd, "POST /up HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    http_bench_turns(&b, 5);
    um_http_reply_error(b.held, 409, "U00409", "no more");
    sent = strlen("POST /up HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 5000 && sent < r.len; i++) {
        ssize_t n = send(fd, r.data + sent, r.len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            break;
        sent += n > 0 ? (size_t)n : 0;
        um_loop_turn(b.loop, 1);
    }
    assert_true(sent < r.len);
    close(fd);
    um_buf_free(&r);
    http_bench_close(&b);
}

static void a_reply_in_the_middle_of_an_upload_still_arrives(void **state)
{
    struct um_buf out = { 0 };
    struct http_bench b;
    int fd;

    (void)state;
    open_default(&b);
    fd = http_bench_dial(&b);
    say(&b, fd, "POST /up HTTP/1.1\r\n" HOST "Content-Length: 8\r\n\r\nhalf");
    http_bench_turns(&b, 5);
    um_http_reply_error(b.held, 409, "U00409", "no more");
    say(&b, fd, "rest" HELLO);
    http_bench_await(&b, fd, &out, "hello");
    assert_int_equal(http_bench_replies(&out), 2);
    assert_memory_equal(out.data, "HTTP/1.1 409", 12);
    assert_int_equal(b.got.len, 4);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_streamed_reply_waits_for_its_source(void **state)
{
    static const char *const requests[] = {
        "GET /stream HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
        "GET /stream?length HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n",
    };
    (void)state;
    for (int with_length = 0; with_length <= 1; with_length++) {
        struct um_buf out = { 0 };
        struct http_bench b;
        size_t n = 0;
        int fd;

        open_default(&b);
        b.stream_left = 200000;
        b.stream_waits = true;
        fd = http_bench_dial(&b);
        say(&b, fd, requests[with_length]);
        assert_false(http_bench_hear(&b, fd, &out));
        assert_non_null(strstr(um_buf_cstr(&out), with_length ? "Content-Length: 200000\r\n" : "chunked"));
        assert_int_equal(b.closed, 0);
        b.stream_waits = false;
        um_http_wake(b.held);
        assert_true(http_bench_hear(&b, fd, &out));
        for (size_t i = 0; i < out.len; i++)
            n += out.data[i] == 's';
        assert_true(n >= 200000 && n < 200020);      /* some stand in the headers */
        assert_int_equal(b.closed, 1);
        close(fd);
        um_buf_free(&out);
        http_bench_close(&b);
        assert_int_equal(b.closed, 1);
    }
}

static void a_stream_ends_when_its_client_leaves_or_its_source_fails(void **state)
{
    (void)state;
    for (int fails = 0; fails <= 1; fails++) {
        struct um_buf out = { 0 };
        struct http_bench b;
        int fd;

        open_default(&b);
        b.stream_left = 10;
        b.stream_waits = true;
        fd = http_bench_dial(&b);
        say(&b, fd, "GET /stream HTTP/1.1\r\n" HOST "\r\n");
        assert_false(http_bench_hear(&b, fd, &out));
        if (fails) {
            b.stream_left = -1;
            um_http_wake(b.held);
            assert_true(http_bench_hear(&b, fd, &out));
            assert_null(strstr(um_buf_cstr(&out), "\r\n0\r\n"));      /* not a proper end */
        }
        close(fd);
        http_bench_until(&b, &b.closed, 1);
        um_buf_free(&out);
        http_bench_close(&b);
        assert_int_equal(b.closed, 1);
    }
}

static void two_servers_share_a_port_and_a_stranger_is_noticed(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_http *second;
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    cf.port = um_http_port(b.http);
    assert_int_equal(um_http_check_port(&cf), UM_EEXIST);
    assert_int_equal(um_http_new(&second, b.loop, &cf, NULL, 0, NULL, NULL), UM_OK);
    assert_int_equal(um_http_port(second), um_http_port(b.http));
    um_http_free(second);
    http_bench_close(&b);
    assert_int_equal(um_http_check_port(&cf), UM_OK);
}

int flow_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_serves_one_request_after_another),
        cmocka_unit_test(head_is_the_get_without_its_body),
        cmocka_unit_test(a_path_parameter_is_decoded_and_an_encoded_slash_is_no_separator),
        cmocka_unit_test(a_held_request_is_answered_later),
        cmocka_unit_test(the_deadline_answers_503_and_tells_the_handler),
        cmocka_unit_test(a_client_that_leaves_is_noticed_while_the_request_waits),
        cmocka_unit_test(the_server_ends_and_tells_who_waits),
        cmocka_unit_test(draining_refuses_new_connections_and_finishes_the_others),
        cmocka_unit_test(a_closed_server_begins_no_request_and_finishes_the_others),
        cmocka_unit_test(before_may_refuse_and_the_connection_goes_on),
        cmocka_unit_test(before_may_wait_and_let_go_on),
        cmocka_unit_test(a_streamed_body_waits_for_its_reader),
        cmocka_unit_test(a_paused_body_stops_the_client),
        cmocka_unit_test(a_client_that_leaves_during_its_upload_is_noticed),
        cmocka_unit_test(a_client_that_leaves_with_its_last_bytes_is_noticed),
        cmocka_unit_test(a_refused_body_without_a_length_is_cut),
        cmocka_unit_test(a_reply_in_the_middle_of_an_upload_still_arrives),
        cmocka_unit_test(a_streamed_reply_waits_for_its_source),
        cmocka_unit_test(a_stream_ends_when_its_client_leaves_or_its_source_fails),
        cmocka_unit_test(two_servers_share_a_port_and_a_stranger_is_noticed),
    };
    return cmocka_run_group_tests_name("http flow", tests, NULL, NULL);
}
