/* A server on its loop and raw clients on loopback, driven from one thread. */
#ifndef HTTP_BENCH_H
#define HTTP_BENCH_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <umbel/http.h>

struct http_bench {
    struct um_loop *loop;
    struct um_http *http;
    struct um_http_conf cf;
    /* what the test routes left behind */
    struct um_http_req *held;                /* GET /held, or what `before` holds */
    bool hold_before, refuse_before;
    int gone, ended, closed, taken;
    struct um_buf got;                       /* POST /up */
    size_t take_at_most;                     /* /up: how much of each piece; 0: nothing */
    bool pause_up;
    int64_t stream_left;                     /* GET /stream: bytes to come */
    bool stream_waits;
    int ws_fd;
    struct um_buf ws_early;
};

struct um_http_conf http_bench_conf(void);
void http_bench_open(struct http_bench *b, const struct um_http_conf *cf);
/* With other routes than the bench's. */
void http_bench_open_with(struct http_bench *b, const struct um_http_conf *cf, const struct um_http_route *routes, size_t n,
                          const struct um_http_hooks *hooks, void *ctx);
void http_bench_close(struct http_bench *b);
void http_bench_turns(struct http_bench *b, int n);
int http_bench_dial(struct http_bench *b);
void http_bench_say(struct http_bench *b, int fd, const char *bytes, size_t len);
/* Reads until the server closes (true) or nothing comes for some turns (false). */
bool http_bench_hear(struct http_bench *b, int fd, struct um_buf *out);
/* Reads until OUT holds TEXT, or fails the test. */
void http_bench_await(struct http_bench *b, int fd, struct um_buf *out, const char *text);
/* Takes turns until *N is at least WANT, or fails the test. */
void http_bench_until(struct http_bench *b, const int *n, int want);
/* One request on a connection of its own: the status, and the whole reply in OUT when it is not NULL. */
unsigned http_bench_ask(struct http_bench *b, const char *request, struct um_buf *out);
/* The same, and whether the server closed the connection. */
unsigned http_bench_ask_closed(struct http_bench *b, const char *request, bool *closed);
size_t http_bench_replies(const struct um_buf *b);       /* status lines in it */

int guard_group(void);
int flow_group(void);
int upgrade_group(void);
#endif
