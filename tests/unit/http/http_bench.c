#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "http_bench.h"

struct um_http_conf http_bench_conf(void)
{
    return (struct um_http_conf){
        .address = "127.0.0.1", .port = 0, .max_header_bytes = 16384, .max_headers = 100, .max_query = 1000,
        .max_body = 100000, .header_timeout_ms = 20000, .min_rate_bytes = 1, .keep_alive_ms = 60000,
        .max_connections = 100, .max_per_address = 0, .deadline_ms = 20000,
        .json_max_depth = 64, .json_max_array = 1000, .json_max_string = 5000,
    };
}

/* --- the routes --------------------------------------------------------------------------------------------- */

static void say_hello(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    um_http_add_header(rq, "X-Query", um_http_query(rq, "q") != NULL ? um_http_query(rq, "q") : "-");
    um_http_reply(rq, 200, "text/plain", UM_SPAN("hello", 5));
}

static void send_back(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    um_http_reply(rq, 200, "application/octet-stream", um_http_body(rq));
}

static void show_item(struct um_http_req *rq, void *ctx)
{
    char text[256];

    (void)ctx;
    snprintf(text, sizeof(text), "[%s][%s][%s]", um_http_param(rq, "id"), um_http_param_raw(rq, "id"), um_http_path(rq));
    um_http_reply(rq, 200, "text/plain", UM_SPAN(text, strlen(text)));
}

static void note_gone(void *arg)
{
    ((struct http_bench *)arg)->gone++;
}

static void hold(struct um_http_req *rq, void *ctx)
{
    struct http_bench *b = ctx;

    b->held = rq;
    um_http_on_gone(rq, note_gone, b);
}

static size_t take_some(void *arg, struct um_span piece)
{
    struct http_bench *b = arg;
    size_t n = UM_MIN(piece.len, b->take_at_most);

    um_buf_put(&b->got, piece.data, n);
    return n;
}

static void upload_ends(void *arg)
{
    struct http_bench *b = arg;
    char text[64];

    b->ended++;
    snprintf(text, sizeof(text), "took %zu", b->got.len);
    um_http_reply(b->held, 201, "text/plain", UM_SPAN(text, strlen(text)));
}

static void upload(struct um_http_req *rq, void *ctx)
{
    struct http_bench *b = ctx;

    b->held = rq;
    um_http_on_gone(rq, note_gone, b);
    if (!b->pause_up)
        um_http_on_body(rq, take_some, upload_ends, b);
}

static ptrdiff_t read_stream(void *arg, uint8_t *out, size_t n)
{
    struct http_bench *b = arg;

    if (b->stream_left == 0)
        return -1;
    if (b->stream_left < 0)
        return -2;
    if (b->stream_waits)
        return 0;
    n = (size_t)UM_MIN((int64_t)n, b->stream_left);
    memset(out, 's', n);
    b->stream_left -= (int64_t)n;
    return (ptrdiff_t)n;
}

static void close_stream(void *arg)
{
    ((struct http_bench *)arg)->closed++;
}

static void stream(struct um_http_req *rq, void *ctx)
{
    struct http_bench *b = ctx;

    b->held = rq;
    um_http_reply_stream(rq, 200, "text/plain", um_http_query(rq, "length") != NULL ? b->stream_left : -1,
                         (struct um_http_source){ read_stream, close_stream, b });
}

static void check_json(struct um_http_req *rq, void *ctx)
{
    json_t *json = um_http_body_json(rq);

    (void)ctx;
    if (json != NULL)
        um_http_reply_json(rq, 200, json);
}

static void cookies(struct um_http_req *rq, void *ctx)
{
    char text[256];

    (void)ctx;
    snprintf(text, sizeof(text), "%s|%s|%s", um_http_cookie(rq, "a", 0), um_http_cookie(rq, "a", 1),
             um_http_cookie(rq, "a", 2) == NULL ? "none" : "?");
    um_http_reply(rq, 200, "text/plain", UM_SPAN(text, strlen(text)));
}

static void take_socket(void *arg, int fd, struct um_span early)
{
    struct http_bench *b = arg;

    b->taken++;
    b->ws_fd = fd;
    um_buf_put(&b->ws_early, early.data, early.len);
}

static void socket_route(struct um_http_req *rq, void *ctx)
{
    um_http_upgrade(rq, NULL, take_socket, ctx);
}

static void welcome(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    um_http_reply(rq, 200, "text/plain", UM_SPAN("Welcome to Hocuspocus!", 22));
}

static const struct um_http_route routes[] = {
    { "GET", "/hello", say_hello, 0, NULL, "hello", 0 },
    { "POST", "/echo", send_back, 0, NULL, "echo", 0 },
    { "POST", "/small", send_back, 0, NULL, "echo", 10 },
    { "GET", "/items/{id}", show_item, 0, NULL, "item", 0 },
    { "GET", "/held", hold, 0, NULL, "held", 0 },
    { "POST", "/up", upload, UM_HTTP_STREAM_BODY, NULL, "upload", 1 << 30 },
    { "GET", "/stream", stream, 0, NULL, "stream", 0 },
    { "POST", "/json", check_json, 0, NULL, "json", 0 },
    { "GET", "/cookies", cookies, 0, NULL, "cookies", 0 },
    { "GET", "/ws", socket_route, UM_HTTP_WEBSOCKET, NULL, "socket", 0 },
    { "GET", "/ws", welcome, 0, NULL, "welcome", 0 },
    { "GET", "/only", socket_route, UM_HTTP_WEBSOCKET, NULL, "socket", 0 },
};

static bool before(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    struct http_bench *b = ctx;

    assert_ptr_equal(um_http_matched_route(rq), route);
    if (b->refuse_before)
        um_http_reply_error(rq, 401, "U00401", "Who are you?");
    if (b->hold_before)
        b->held = rq;
    return !b->refuse_before && !b->hold_before;
}

/* --- the bench ------------------------------------------------------------------------------------------------ */

void http_bench_open(struct http_bench *b, const struct um_http_conf *cf)
{
    static const struct um_http_hooks hooks = { before, NULL };

    http_bench_open_with(b, cf, routes, UM_COUNT(routes), &hooks, b);
}

void http_bench_open_with(struct http_bench *b, const struct um_http_conf *cf, const struct um_http_route *of, size_t n,
                          const struct um_http_hooks *hooks, void *ctx)
{
    memset(b, 0, sizeof(*b));
    b->cf = *cf;
    b->take_at_most = SIZE_MAX;
    b->ws_fd = -1;
    b->loop = um_loop_new(0);
    assert_int_equal(um_http_new(&b->http, b->loop, &b->cf, of, n, hooks, ctx), UM_OK);
    assert_true(um_http_port(b->http) > 0);
}

void http_bench_close(struct http_bench *b)
{
    um_http_free(b->http);
    um_loop_turn(b->loop, 0);
    um_loop_free(b->loop);
    um_buf_free(&b->got);
    um_buf_free(&b->ws_early);
    if (b->ws_fd >= 0)
        close(b->ws_fd);
}

void http_bench_turns(struct http_bench *b, int n)
{
    while (n-- > 0)
        um_loop_turn(b->loop, 1);
}

int http_bench_dial(struct http_bench *b)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons((uint16_t)um_http_port(b->http)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

void http_bench_say(struct http_bench *b, int fd, const char *bytes, size_t len)
{
    for (int idle = 0; len > 0 && idle < 200;) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN)
            return;
        idle = n > 0 ? 0 : idle + 1;
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
        um_loop_turn(b->loop, n > 0 ? 0 : 1);
    }
}

static bool read_some(int fd, struct um_buf *out, bool *closed)
{
    char piece[16384];
    ssize_t n = recv(fd, piece, sizeof(piece), MSG_DONTWAIT);

    *closed = n == 0 || (n < 0 && errno != EAGAIN);
    if (n > 0)
        um_buf_put(out, piece, (size_t)n);
    return n > 0;
}

bool http_bench_hear(struct http_bench *b, int fd, struct um_buf *out)
{
    bool closed = false;

    for (int idle = 0; idle < 20 && !closed; idle++) {
        um_loop_turn(b->loop, 1);
        if (read_some(fd, out, &closed))
            idle = 0;
    }
    return closed;
}

void http_bench_await(struct http_bench *b, int fd, struct um_buf *out, const char *text)
{
    bool closed = false;

    for (int i = 0; i < 2000 && strstr(um_buf_cstr(out), text) == NULL && !closed; i++) {
        um_loop_turn(b->loop, 1);
        read_some(fd, out, &closed);
    }
    assert_non_null(strstr(um_buf_cstr(out), text));
}

void http_bench_until(struct http_bench *b, const int *n, int want)
{
    for (int i = 0; i < 2000 && *n < want; i++)
        um_loop_turn(b->loop, 1);
    assert_int_equal(*n, want);
}

static unsigned ask(struct http_bench *b, const char *request, struct um_buf *out, bool *closed)
{
    int fd = http_bench_dial(b);
    unsigned status = 0;

    http_bench_say(b, fd, request, strlen(request));
    *closed = http_bench_hear(b, fd, out);
    close(fd);
    if (out->len > 12)
        status = (unsigned)strtoul(um_buf_cstr(out) + 9, NULL, 10);
    return status;
}

unsigned http_bench_ask(struct http_bench *b, const char *request, struct um_buf *out)
{
    struct um_buf mine = { 0 };
    bool closed;
    unsigned status = ask(b, request, out != NULL ? out : &mine, &closed);

    um_buf_free(&mine);
    return status;
}

unsigned http_bench_ask_closed(struct http_bench *b, const char *request, bool *closed)
{
    struct um_buf mine = { 0 };
    unsigned status = ask(b, request, &mine, closed);

    um_buf_free(&mine);
    return status;
}

size_t http_bench_replies(const struct um_buf *b)
{
    size_t n = 0;

    for (const char *p = um_buf_cstr((struct um_buf *)(uintptr_t)b); (p = strstr(p, "HTTP/1.1 ")) != NULL; p++)
        n++;
    return n;
}
