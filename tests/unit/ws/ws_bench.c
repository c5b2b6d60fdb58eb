#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ws_bench.h"

struct um_ws_conf bench_conf(void)
{
    return (struct um_ws_conf){
        .max_message = 1 << 20, .max_fragments = 1000, .max_queued = 1 << 20, .high_queued = 1 << 16,
        .stall_timeout_ms = 60000, .ping_interval_ms = 60000, .idle_timeout_ms = 120000, .close_timeout_ms = 60000,
        .control_rate = 100, .control_burst = 1000,
    };
}

static void note_message(void *arg, enum um_ws_kind kind, struct um_span payload)
{
    struct ws_bench *b = arg;

    b->messages++;
    um_buf_puts(&b->log, kind == UM_WS_TEXT ? "T:" : "B:");
    um_buf_put(&b->log, payload.data, payload.len);
    um_buf_puts(&b->log, "|");
    if (b->act != NULL)
        b->act(b);
}

static void note_drained(void *arg)
{
    ((struct ws_bench *)arg)->drained++;
}

static void note_close(void *arg, unsigned code, struct um_span reason)
{
    struct ws_bench *b = arg;

    b->closed++;
    b->code = code;
    assert_true(reason.len < sizeof(b->reason));
    if (reason.len > 0)
        memcpy(b->reason, reason.data, reason.len);
    b->reason[reason.len] = '\0';
    b->ws = NULL;
}

const struct um_ws_handler ws_bench_handler = { note_message, note_drained, note_close };

void bench_open(struct ws_bench *b, const struct um_ws_conf *cf, struct um_span early)
{
    int pair[2];

    memset(b, 0, sizeof(*b));
    b->cf = *cf;
    b->loop = um_loop_new(0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    b->peer = pair[1];
    b->ws = um_ws_new(b->loop, pair[0], early, &b->cf, &ws_bench_handler, b);
    assert_non_null(b->ws);
}

void bench_close(struct ws_bench *b)
{
    if (b->peer >= 0)
        close(b->peer);
    if (b->ws != NULL) {
        um_ws_abort(b->ws);
        bench_turns(b, 1);
        assert_int_equal(b->closed, 1);
    }
    um_ws_parcel_free(b->parcel);
    um_loop_free(b->loop);
    um_buf_free(&b->log);
}

void bench_turns(struct ws_bench *b, int n)
{
    while (n-- > 0)
        um_loop_turn(b->loop, 0);
}

void bench_until_closed(struct ws_bench *b)
{
    for (int i = 0; i < 1000 && b->closed == 0; i++)
        um_loop_turn(b->loop, 10);
    assert_int_equal(b->closed, 1);
}

void bench_write(struct ws_bench *b, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (int idle = 0; len > 0 && idle < 1000;) {
        ssize_t n = send(b->peer, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n <= 0) {
            if (n < 0 && errno != EAGAIN)
                return;                         /* the connection has gone: the test will see it */
            idle++;
            um_loop_turn(b->loop, 1);
            continue;
        }
        p += n;
        len -= (size_t)n;
    }
}

void bench_frame(struct um_buf *out, uint8_t byte0, const void *payload, size_t len)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t header[10];
    size_t n = um_ws_frame_header(header, UM_WS_TEXT, len);
    uint8_t *p;

    header[0] = byte0;
    header[1] |= 0x80;
    um_buf_put(out, header, n);
    um_buf_put(out, mask, 4);
    if (len == 0)
        return;
    p = um_buf_room(out, len);
    for (size_t i = 0; i < len; i++)
        p[i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    um_buf_advance(out, len);
}

void bench_send(struct ws_bench *b, uint8_t byte0, const char *text)
{
    struct um_buf f = { 0 };

    bench_frame(&f, byte0, text, strlen(text));
    bench_write(b, f.data, f.len);
    um_buf_free(&f);
    bench_turns(b, 2);
}

bool bench_read(struct ws_bench *b, struct um_buf *out)
{
    for (;;) {
        uint8_t piece[65536];
        ssize_t n;

        um_loop_turn(b->loop, 0);
        n = recv(b->peer, piece, sizeof(piece), MSG_DONTWAIT);
        if (n > 0)
            um_buf_put(out, piece, (size_t)n);
        else
            return n < 0 && errno == EAGAIN;
    }
}

void bench_expect_close(struct ws_bench *b, unsigned code)
{
    struct um_buf got = { 0 };
    bool open = true;
    size_t at;

    for (int i = 0; i < 1000 && (open = bench_read(b, &got)); i++)
        um_loop_turn(b->loop, 1);
    assert_false(open);
    for (at = 0; at + 4 <= got.len && got.data[at] != 0x88;)
        at += 2u + got.data[at + 1];            /* only small frames come before */
    assert_true(at + 4 <= got.len);
    assert_int_equal(got.data[at + 2] << 8 | got.data[at + 3], (int)code);
    assert_int_equal(at + 2 + got.data[at + 1], got.len);      /* nothing behind it */
    um_buf_free(&got);
}
