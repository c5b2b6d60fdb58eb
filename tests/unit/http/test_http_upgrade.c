/* The WebSocket handshake and what comes behind it. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/ws.h>
#include "http_bench.h"

#define HEAD "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"

static void a_right_handshake_hands_over_socket_and_early_bytes(void **state)
{
    struct um_http_conf cf = http_bench_conf();
    struct um_buf out = { 0 };
    struct http_bench b;
    char c;
    int fd;

    (void)state;
    http_bench_open(&b, &cf);
    fd = http_bench_dial(&b);
    http_bench_say(&b, fd, HEAD KEY V13 "\r\nearly", strlen(HEAD KEY V13 "\r\nearly"));
    http_bench_await(&b, fd, &out, "\r\n\r\n");
    http_bench_until(&b, &b.taken, 1);
    assert_memory_equal(out.data, "HTTP/1.1 101 ", 13);
    assert_non_null(strstr(um_buf_cstr(&out), "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_non_null(strstr(um_buf_cstr(&out), "Upgrade: websocket\r\n"));
    assert_string_equal(um_buf_cstr(&b.ws_early), "early");
    assert_true(b.ws_fd >= 0);
    assert_true(fcntl(b.ws_fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(b.ws_fd, F_GETFD) & FD_CLOEXEC);
    http_bench_turns(&b, 5);
    assert_int_equal(um_http_open_requests(b.http), 0);        /* nothing of HTTP is left */
    assert_int_equal(send(b.ws_fd, "x", 1, 0), 1);
    assert_int_equal(recv(fd, &c, 1, 0), 1);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&b);
}

static void a_wrong_handshake_is_refused(void **state)
{
    static const struct { const char *request; unsigned status; const char *says; } rows[] = {
        { HEAD KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426, "Sec-WebSocket-Version: 13\r\n" },
        { HEAD KEY "\r\n", 426, "Sec-WebSocket-Version: 13\r\n" },
        { HEAD V13 "\r\n", 400, "" },
        { HEAD KEY KEY V13 "\r\n", 400, "" },
        { HEAD "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n" V13 "\r\n", 400, "" },
        { HEAD "Sec-WebSocket-Key: !GhlIHNhbXBsZSBub25jZQ==\r\n" V13 "\r\n", 400, "" },
        { "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive\r\n" KEY V13 "\r\n", 400, "" },
        { "GET /ws HTTP/1.0\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY V13 "\r\n", 400, "" },
        { "POST /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY V13 "\r\n", 405, "Allow: GET, HEAD\r\n" },
        { "GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 200, "Welcome to Hocuspocus!" },
        { "GET /only HTTP/1.1\r\nHost: x\r\n\r\n", 426, "Upgrade: websocket\r\n" },
    };
    struct um_http_conf cf = http_bench_conf();
    struct http_bench b;

    (void)state;
    http_bench_open(&b, &cf);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf out = { 0 };
        unsigned status = http_bench_ask(&b, rows[i].request, &out);

        if (status != rows[i].status)
            print_error("row %zu: %u\n", i, status);
        assert_int_equal(status, rows[i].status);
        assert_non_null(strstr(um_buf_cstr(&out), rows[i].says));
        um_buf_free(&out);
    }
    assert_int_equal(b.taken, 0);
    http_bench_close(&b);
}

int upgrade_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_right_handshake_hands_over_socket_and_early_bytes),
        cmocka_unit_test(a_wrong_handshake_is_refused),
    };
    return cmocka_run_group_tests_name("http upgrade", tests, NULL, NULL);
}
