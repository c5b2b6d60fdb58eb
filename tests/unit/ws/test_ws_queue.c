/* What we send: sharing, order, slow readers; and moving a connection between loops. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ws_bench.h"

#define NO_BYTES UM_SPAN(NULL, 0)

static void frames_of_a_turn_are_shared_and_keep_their_order(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;
    struct um_bytes *shared = um_ws_frame(UM_WS_TEXT, UM_SPAN("ab", 2));

    (void)state;
    bench_open(&b, &cf, NO_BYTES);
    for (int i = 0; i < 200; i++) {
        um_ws_send(b.ws, shared);
        um_ws_send_message(b.ws, UM_WS_BINARY, UM_SPAN(&(uint8_t){ (uint8_t)i }, 1));
    }
    assert_int_equal(shared->refs, 201);
    assert_int_equal(um_ws_queued(b.ws), 200 * 7);
    assert_true(bench_read(&b, &got));
    assert_int_equal(got.len, 200 * 7);
    for (int i = 0; i < 200; i++) {
        assert_memory_equal(got.data + 7 * i, "\x81\x02" "ab\x82\x01", 6);
        assert_int_equal(got.data[7 * i + 6], (uint8_t)i);
    }
    assert_int_equal(shared->refs, 1);
    assert_int_equal(um_ws_queued(b.ws), 0);
    assert_int_equal(um_ws_stats(b.ws).bytes_out, 1400);
    um_bytes_unref(shared);
    um_buf_free(&got);
    bench_close(&b);
}

/* Fills the socket and leaves something in the queue; returns how many frames of SIZE were given. */
static int stuff(struct ws_bench *b, size_t size, size_t queue_at_least)
{
    uint8_t *data = calloc(1, size);
    int n = 0;

    while (um_ws_queued(b->ws) < queue_at_least) {
        data[0] = (uint8_t)n++;
        um_ws_send_message(b->ws, UM_WS_BINARY, UM_SPAN(data, size));
        bench_turns(b, 1);
        assert_int_equal(b->closed, 0);
    }
    free(data);
    return n;
}

static void a_full_peer_gets_everything_once_it_reads(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;
    int n;

    (void)state;
    bench_open(&b, &cf, NO_BYTES);
    n = stuff(&b, 996, 200000);
    assert_true(um_ws_is_congested(b.ws));
    assert_int_equal(b.drained, 0);
    while (um_ws_queued(b.ws) > 0)
        assert_true(bench_read(&b, &got));
    assert_true(bench_read(&b, &got));
    assert_int_equal(b.drained, 1);
    assert_int_equal(got.len, (size_t)n * 1000);
    for (int i = 0; i < n; i++) {
        assert_int_equal(got.data[(size_t)i * 1000], 0x82);
        assert_int_equal(got.data[(size_t)i * 1000 + 4], (uint8_t)i);
    }
    um_buf_free(&got);
    bench_close(&b);
}

static void the_queue_holds_its_limit_and_not_a_byte_more(void **state)
{
    (void)state;
    for (int more = 0; more <= 1; more++) {
        struct um_ws_conf cf = bench_conf();
        struct ws_bench b;
        uint8_t data[100] = { 0 };

        cf.max_queued = 204;
        bench_open(&b, &cf, NO_BYTES);
        um_ws_send_message(b.ws, UM_WS_BINARY, UM_SPAN(data, 100));
        um_ws_send_message(b.ws, UM_WS_BINARY, UM_SPAN(data, 100));
        assert_int_equal(um_ws_queued(b.ws), 204);
        if (more) {
            um_ws_send_message(b.ws, UM_WS_BINARY, UM_SPAN(data, 1));
            bench_expect_close(&b, 1013);
        } else {
            bench_turns(&b, 2);
            assert_int_equal(um_ws_queued(b.ws), 0);
        }
        bench_close(&b);
    }
}

static void a_lone_message_may_be_larger_than_the_queue(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;
    uint8_t data[1000] = { 0 };

    (void)state;
    cf.max_queued = 10;
    bench_open(&b, &cf, NO_BYTES);
    um_ws_send_message(b.ws, UM_WS_BINARY, UM_SPAN(data, sizeof(data)));
    assert_true(bench_read(&b, &got));
    assert_int_equal(got.len, 1004);
    um_buf_free(&got);
    bench_close(&b);
}

static void a_slow_reader_is_told_1013_at_a_frame_boundary(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;
    uint8_t data[996] = { 0 };

    (void)state;
    bench_open(&b, &cf, NO_BYTES);
    stuff(&b, 996, 100000);
    b.cf.max_queued = 100000;
    um_ws_send_message(b.ws, UM_WS_BINARY, UM_SPAN(data, sizeof(data)));
    assert_true(um_ws_queued(b.ws) < 2000);         /* what waited was dropped at once */
    while (bench_read(&b, &got))
        ;
    assert_true(got.len > 8);
    assert_int_equal((got.len - 4 - strlen("queue overflow")) % 1000, 0);
    assert_memory_equal(got.data + got.len - 4 - strlen("queue overflow"), "\x88\x10\x03\xf5queue overflow", 18);
    um_buf_free(&got);
    bench_close(&b);
    assert_int_equal(b.code, 1013);
}

static void a_reader_that_takes_nothing_is_cut_after_the_stall_timeout(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct ws_bench b;

    (void)state;
    cf.close_timeout_ms = 5;
    bench_open(&b, &cf, NO_BYTES);
    stuff(&b, 996, 100000);
    b.cf.stall_timeout_ms = 10;
    um_ws_send_message(b.ws, UM_WS_TEXT, UM_SPAN("x", 1));
    bench_until_closed(&b);
    assert_int_equal(b.code, 1013);
    assert_string_equal(b.reason, "stalled");
    bench_close(&b);
}

static void detach_it(struct ws_bench *b)
{
    b->act = NULL;
    b->parcel = um_ws_detach(b->ws);
    b->ws = NULL;
}

static void a_move_inside_a_message_takes_all_that_follows_along(void **state)
{
    struct um_loop *other = um_loop_new(1);
    struct um_buf script = { 0 };
    size_t len;

    (void)state;
    bench_frame(&script, 0x81, "one", 3);
    bench_frame(&script, 0x01, "tw", 2);
    bench_frame(&script, 0x89, "p", 1);
    bench_frame(&script, 0x80, "o", 1);
    bench_frame(&script, 0x82, "three", 5);
    len = script.len;
    for (size_t cut = 0; cut <= len; cut++) {
        struct um_ws_conf cf = bench_conf();
        struct um_loop *first;
        struct ws_bench b;

        bench_open(&b, &cf, NO_BYTES);
        um_ws_send_message(b.ws, UM_WS_TEXT, UM_SPAN("queued", 6));
        b.act = detach_it;
        bench_write(&b, script.data, cut);
        bench_turns(&b, 1);
        if (b.parcel == NULL)
            detach_it(&b);                          /* outside of a message, with whatever has come so far */
        bench_write(&b, script.data + cut, len - cut);
        first = b.loop;
        b.loop = other;
        b.ws = um_ws_attach(other, b.parcel, &ws_bench_handler, &b);
        b.parcel = NULL;
        assert_non_null(b.ws);
        bench_turns(&b, 5);
        assert_string_equal(um_buf_cstr(&b.log), "T:one|T:two|B:three|");
        assert_int_equal(um_ws_queued(b.ws), 0);
        assert_int_equal(b.closed, 0);
        um_ws_abort(b.ws);
        bench_turns(&b, 1);
        assert_int_equal(b.closed, 1);
        b.loop = first;
        bench_close(&b);
    }
    um_loop_free(other);
    um_buf_free(&script);
}

static void a_full_queue_moves_too(void **state)
{
    struct um_loop *other = um_loop_new(1), *first;
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;
    int n;

    (void)state;
    bench_open(&b, &cf, NO_BYTES);
    n = stuff(&b, 996, 100000);
    detach_it(&b);
    first = b.loop;
    b.loop = other;
    b.ws = um_ws_attach(other, b.parcel, &ws_bench_handler, &b);
    b.parcel = NULL;
    while (um_ws_queued(b.ws) > 0)
        assert_true(bench_read(&b, &got));
    assert_true(bench_read(&b, &got));
    assert_int_equal(got.len, (size_t)n * 1000);
    um_ws_abort(b.ws);
    bench_turns(&b, 1);
    b.loop = first;
    bench_close(&b);
    um_loop_free(other);
    um_buf_free(&got);
}

static void a_parcel_that_nobody_takes_closes_the_socket(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;

    (void)state;
    bench_open(&b, &cf, NO_BYTES);
    detach_it(&b);
    um_ws_parcel_free(b.parcel);
    b.parcel = NULL;
    assert_false(bench_read(&b, &got));
    assert_int_equal(b.closed, 0);
    um_ws_parcel_free(NULL);
    um_buf_free(&got);
    bench_close(&b);
}

static void the_echo_sends_everything_back(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf sent = { 0 }, got = { 0 };
    struct ws_bench b;
    uint8_t data[996];
    int pair[2];

    (void)state;
    bench_open(&b, &cf, NO_BYTES);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    close(b.peer);
    bench_until_closed(&b);
    b.peer = pair[1];
    b.cf.high_queued = 5000;
    b.cf.max_queued = 20000;                        /* the pause keeps it below */
    um_ws_echo(b.loop, pair[0], NO_BYTES, &b.cf);
    memset(data, 7, sizeof(data));
    for (int i = 0; i < 1000; i++)
        bench_frame(&sent, 0x82, data, sizeof(data));
    for (size_t at = 0; at < sent.len || got.len < 1000 * 1000;) {
        ssize_t n = at < sent.len ? send(b.peer, sent.data + at, sent.len - at, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

        at += n > 0 ? (size_t)n : 0;
        assert_true(bench_read(&b, &got));
    }
    assert_int_equal(got.len, 1000 * 1000);
    close(b.peer);
    b.peer = -1;
    bench_turns(&b, 3);
    um_buf_free(&sent);
    um_buf_free(&got);
    bench_close(&b);
}

int ws_queue_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_a_turn_are_shared_and_keep_their_order),
        cmocka_unit_test(a_full_peer_gets_everything_once_it_reads),
        cmocka_unit_test(the_queue_holds_its_limit_and_not_a_byte_more),
        cmocka_unit_test(a_lone_message_may_be_larger_than_the_queue),
        cmocka_unit_test(a_slow_reader_is_told_1013_at_a_frame_boundary),
        cmocka_unit_test(a_reader_that_takes_nothing_is_cut_after_the_stall_timeout),
        cmocka_unit_test(a_move_inside_a_message_takes_all_that_follows_along),
        cmocka_unit_test(a_full_queue_moves_too),
        cmocka_unit_test(a_parcel_that_nobody_takes_closes_the_socket),
        cmocka_unit_test(the_echo_sends_everything_back),
    };
    return cmocka_run_group_tests_name("ws queue", tests, NULL, NULL);
}
