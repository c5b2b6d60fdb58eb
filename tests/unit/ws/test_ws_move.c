/* A connection that moves between two threads again and again while its peer sends: every message once and in order.
 * Meant for the thread sanitizer too. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ws_bench.h"

enum { MESSAGES = 3000, MOVE_EVERY = 7 };

struct traveller {
    struct um_msg msg;
    struct um_loop *loop[2];
    unsigned at;
    struct um_ws *ws;
    struct um_ws_parcel *parcel;
    uint32_t expected;
    bool in_order;
    atomic_bool closed;
};

static void arrive(struct um_msg *m);

static void take_message(void *arg, enum um_ws_kind kind, struct um_span payload)
{
    struct traveller *t = arg;
    uint32_t n;

    t->in_order &= kind == UM_WS_BINARY && payload.len == 4;
    memcpy(&n, payload.data, 4);
    t->in_order &= n == t->expected++;
    if (t->expected == MESSAGES) {
        um_ws_close(t->ws, 1000, "all");
    } else if (n % MOVE_EVERY == 0) {
        t->parcel = um_ws_detach(t->ws);
        t->at = 1 - t->at;
        um_loop_post(t->loop[t->at], &t->msg, arrive);
    }
}

static void note_closed(void *arg, unsigned code, struct um_span reason)
{
    struct traveller *t = arg;

    (void)reason;
    t->in_order &= code == 1000;
    atomic_store(&t->closed, true);
}

static const struct um_ws_handler handler = { take_message, NULL, note_closed };

static void arrive(struct um_msg *m)
{
    struct traveller *t = UM_CONTAINER(m, struct traveller, msg);

    t->ws = um_ws_attach(t->loop[t->at], t->parcel, &handler, t);
}

static void *run_loop(void *arg)
{
    um_loop_run(arg);
    return NULL;
}

static void send_all(int fd, const struct um_buf *b)
{
    for (size_t at = 0; at < b->len;) {
        ssize_t n = send(fd, b->data + at, b->len - at, MSG_NOSIGNAL);

        assert_true(n > 0);
        at += (size_t)n;
    }
}

static void a_connection_that_moves_between_threads_keeps_every_message(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct traveller t = { .in_order = true };
    struct um_buf frames = { 0 };
    pthread_t thread[2];
    char away[64];
    int pair[2];

    (void)state;
    for (uint32_t i = 0; i < MESSAGES; i++)
        bench_frame(&frames, 0x82, &i, sizeof(i));
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    t.loop[0] = um_loop_new(0);
    t.loop[1] = um_loop_new(1);
    t.ws = um_ws_new(t.loop[0], pair[0], UM_SPAN(NULL, 0), &cf, &handler, &t);
    assert_non_null(t.ws);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run_loop, t.loop[i]), 0);
    send_all(pair[1], &frames);
    assert_true(recv(pair[1], away, sizeof(away), 0) > 0);         /* its Close */
    close(pair[1]);
    while (!atomic_load(&t.closed))
        sched_yield();
    for (int i = 0; i < 2; i++) {
        um_loop_stop(t.loop[i]);
        pthread_join(thread[i], NULL);
        um_loop_free(t.loop[i]);
    }
    assert_int_equal(t.expected, MESSAGES);
    assert_true(t.in_order);
    um_buf_free(&frames);
}

int ws_move_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_that_moves_between_threads_keeps_every_message),
    };
    return cmocka_run_group_tests_name("ws move", tests, NULL, NULL);
}
