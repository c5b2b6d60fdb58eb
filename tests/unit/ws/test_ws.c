/* What a peer sends: messages, broken rules, limits, the closing handshake, time. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/util.h>
#include "ws_bench.h"

#define NO_BYTES UM_SPAN(NULL, 0)

static void open_default(struct ws_bench *b)
{
    struct um_ws_conf cf = bench_conf();

    bench_open(b, &cf, NO_BYTES);
}

/* A script with every kind of frame: whole, fragmented with controls in between, empty, all three length forms. */
static void write_script(struct um_buf *out, struct um_buf *expected)
{
    static uint8_t big[70000];

    memset(big, 'x', sizeof(big));
    bench_frame(out, 0x81, "hello", 5);
    bench_frame(out, 0x82, "", 0);
    bench_frame(out, 0x01, "a\xc3", 2);             /* a character cut by a fragment */
    bench_frame(out, 0x89, "ping", 4);
    bench_frame(out, 0x00, "", 0);
    bench_frame(out, 0x8a, "pong", 4);
    bench_frame(out, 0x80, "\xa9z", 2);
    bench_frame(out, 0x82, big, 300);
    bench_frame(out, 0x02, big, 126);
    bench_frame(out, 0x80, "end", 3);
    bench_frame(out, 0x81, "\xf0\x9f\x8c\xb1", 4);
    um_buf_puts(expected, "T:hello|B:|T:a\xc3\xa9z|B:");
    um_buf_put(expected, big, 300);
    um_buf_puts(expected, "|B:");
    um_buf_put(expected, big, 126);
    um_buf_puts(expected, "end|T:\xf0\x9f\x8c\xb1|");
}

static void check_script(struct ws_bench *b, const struct um_buf *expected)
{
    struct um_buf out = { 0 };

    bench_turns(b, 4);
    assert_int_equal(b->closed, 0);
    assert_int_equal(b->log.len, expected->len);
    assert_memory_equal(b->log.data, expected->data, expected->len);
    assert_true(bench_read(b, &out));
    assert_int_equal(out.len, 6);
    assert_memory_equal(out.data, "\x8a\x04ping", 6);
    um_buf_free(&out);
}

static void a_script_cut_at_any_byte_gives_the_same_messages(void **state)
{
    struct um_buf script = { 0 }, expected = { 0 };

    (void)state;
    write_script(&script, &expected);
    for (size_t cut = 0; cut <= script.len; cut++) {
        struct ws_bench b;

        open_default(&b);
        bench_write(&b, script.data, cut);
        bench_turns(&b, 2);
        bench_write(&b, script.data + cut, script.len - cut);
        check_script(&b, &expected);
        bench_close(&b);
    }
    um_buf_free(&script);
    um_buf_free(&expected);
}

static void a_script_byte_by_byte_gives_the_same_messages(void **state)
{
    struct um_buf script = { 0 }, expected = { 0 };
    struct ws_bench b;

    (void)state;
    write_script(&script, &expected);
    open_default(&b);
    for (size_t i = 0; i < script.len; i++) {
        bench_write(&b, script.data + i, 1);
        bench_turns(&b, 1);
    }
    check_script(&b, &expected);
    bench_close(&b);
    um_buf_free(&script);
    um_buf_free(&expected);
}

static void early_bytes_are_read_first_but_not_before_new_returns(void **state)
{
    struct um_buf script = { 0 }, expected = { 0 };

    (void)state;
    write_script(&script, &expected);
    for (size_t cut = 0; cut <= script.len; cut += 7) {
        struct um_ws_conf cf = bench_conf();
        struct ws_bench b;

        bench_open(&b, &cf, UM_SPAN(script.data, cut));
        assert_int_equal(b.messages, 0);
        bench_write(&b, script.data + cut, script.len - cut);
        check_script(&b, &expected);
        bench_close(&b);
    }
    um_buf_free(&script);
    um_buf_free(&expected);
}

static void a_large_message_arrives_whole(void **state)
{
    size_t sizes[] = { 16383, 65536, 65537, 300000, 1 << 20 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(sizes); i++) {
        struct um_buf f = { 0 };
        struct ws_bench b;
        uint8_t *data = malloc(sizes[i]);

        for (size_t k = 0; k < sizes[i]; k++)
            data[k] = (uint8_t)(k * 31 + (k >> 9));
        open_default(&b);
        bench_frame(&f, 0x82, data, sizes[i]);
        bench_frame(&f, 0x81, "after", 5);
        bench_write(&b, f.data, f.len);
        bench_turns(&b, 10);
        assert_int_equal(b.messages, 2);
        assert_int_equal(b.log.len, 2 + sizes[i] + 1 + 8);
        assert_memory_equal(b.log.data + 2, data, sizes[i]);
        bench_close(&b);
        um_buf_free(&f);
        free(data);
    }
}

static void a_broken_rule_is_answered_with_its_code(void **state)
{
    static const struct { const char *bytes; size_t len; unsigned code; } rows[] = {
        { "\xc1", 1, 1002 }, { "\x83", 1, 1002 }, { "\x81\x00", 2, 1002 }, { "\x09", 1, 1002 }, { "\x89\xfe", 2, 1002 },
        { "\x80\x80\0\0\0\0", 6, 1002 },                             /* stray continuation */
        { "\x00\x80\0\0\0\0", 6, 1002 },
        { "\x01\x80\0\0\0\0\x81\x80\0\0\0\0", 12, 1002 },            /* message inside a message */
        { "\x88\x81\0\0\0\0x", 7, 1002 },                            /* close body of one byte */
        { "\x88\x82\0\0\0\0\x03\xed", 8, 1002 },                     /* 1005 on the wire */
        { "\x88\x83\0\0\0\0\x03\xe8\xff", 9, 1007 },                 /* reason is not UTF-8 */
        { "\x81\x81\0\0\0\0\xff", 7, 1007 },
        { "\x81\x81\0\0\0\0\xc3", 7, 1007 },                         /* ends inside a character */
        { "\x01\x81\0\0\0\0\xc3\x80\x80\0\0\0\0", 13, 1007 },        /* likewise, over fragments */
        { "\x81\x85\0\0\0\0\xed\xa0", 8, 1007 },                     /* bad byte inside an incomplete frame */
        { "\x82\xff\0\0\0\0\0\x10\0\x01\0\0\0\0", 14, 1009 },        /* one more than max_message, no payload sent */
        { "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14, 1009 },
    };
    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct ws_bench b;

        open_default(&b);
        bench_write(&b, rows[i].bytes, rows[i].len);
        bench_expect_close(&b, rows[i].code);
        assert_int_equal(b.closed, 0);              /* half-closed: it waits for our end */
        close(b.peer);
        b.peer = -1;
        bench_until_closed(&b);
        assert_int_equal(b.code, rows[i].code);
        assert_int_equal(b.messages, 0);
        bench_close(&b);
    }
}

static void limits_hold_at_value_and_break_at_one_more(void **state)
{
    (void)state;
    for (int more = 0; more <= 1; more++) {
        struct um_ws_conf cf = bench_conf();
        struct um_buf f = { 0 };
        struct ws_bench b;
        uint8_t data[1025] = { 0 };

        cf.max_message = 1024;
        bench_open(&b, &cf, NO_BYTES);
        bench_frame(&f, 0x02, data, 1000);          /* over all fragments */
        bench_frame(&f, 0x80, data, 24u + (size_t)more);
        bench_write(&b, f.data, f.len);
        bench_turns(&b, 2);
        assert_int_equal(b.messages, 1 - more);
        if (more)
            bench_expect_close(&b, 1009);
        bench_close(&b);
        um_buf_clear(&f);

        cf = bench_conf();
        cf.max_fragments = 5;
        bench_open(&b, &cf, NO_BYTES);
        bench_frame(&f, 0x01, "a", 1);
        for (int i = 0; i < 3 + more; i++)
            bench_frame(&f, 0x00, "", 0);
        bench_frame(&f, 0x80, "z", 1);
        bench_write(&b, f.data, f.len);
        bench_turns(&b, 2);
        assert_int_equal(b.messages, 1 - more);
        if (more)
            bench_expect_close(&b, 1008);
        bench_close(&b);
        um_buf_clear(&f);

        cf = bench_conf();
        cf.control_rate = 1;
        cf.control_burst = 10;
        bench_open(&b, &cf, NO_BYTES);
        for (int i = 0; i < 10 + more; i++)
            bench_frame(&f, 0x8a, "", 0);
        bench_frame(&f, 0x81, "on", 2);
        bench_write(&b, f.data, f.len);
        bench_turns(&b, 2);
        assert_int_equal(b.messages, 1 - more);
        if (more)
            bench_expect_close(&b, 1008);
        bench_close(&b);
        um_buf_free(&f);
    }
}

static void memory_follows_what_arrived_not_what_was_promised(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct ws_bench b;
    uint8_t header[18] = { 0x82, 0xff, 0, 0, 0x10, 0, 0, 0, 0, 0, 1, 2, 3, 4, 9, 9, 9, 9 };   /* 16 TiB */

    (void)state;
    cf.max_message = INT64_MAX / 2;
    bench_open(&b, &cf, NO_BYTES);
    bench_write(&b, header, sizeof(header));
    bench_turns(&b, 3);
    assert_int_equal(b.closed, 0);                  /* an allocation of the promised size would have failed */
    bench_close(&b);
}

static void a_close_is_answered_with_its_code_and_tcp_ends(void **state)
{
    struct ws_bench b;

    (void)state;
    open_default(&b);
    bench_send(&b, 0x81, "last");
    bench_send(&b, 0x88, "\x10\x68" "bye");         /* 4200 */
    bench_expect_close(&b, 4200);
    close(b.peer);
    b.peer = -1;
    bench_until_closed(&b);
    assert_int_equal(b.code, 4200);
    assert_string_equal(b.reason, "bye");
    assert_int_equal(b.messages, 1);
    bench_close(&b);
}

static void a_close_without_a_code_is_1005(void **state)
{
    struct um_buf got = { 0 };
    struct ws_bench b;

    (void)state;
    open_default(&b);
    bench_send(&b, 0x88, "");
    assert_false(bench_read(&b, &got));
    assert_int_equal(got.len, 2);
    assert_memory_equal(got.data, "\x88\x00", 2);
    close(b.peer);
    b.peer = -1;
    bench_until_closed(&b);
    assert_int_equal(b.code, 1005);
    um_buf_free(&got);
    bench_close(&b);
}

static void our_close_waits_for_the_peers_and_hands_nothing_on(void **state)
{
    struct um_buf got = { 0 };
    struct ws_bench b;

    (void)state;
    open_default(&b);
    um_ws_close(b.ws, 4205, "Reset Connection");
    um_ws_close(b.ws, 1000, "again");
    um_ws_send_message(b.ws, UM_WS_TEXT, UM_SPAN("late", 4));
    assert_int_equal(b.closed, 0);
    bench_send(&b, 0x81, "crossing");
    assert_true(bench_read(&b, &got));
    assert_int_equal(got.len, 4 + 16);
    assert_memory_equal(got.data, "\x88\x12\x10\x6dReset Connection", 20);
    assert_int_equal(b.closed, 0);
    bench_send(&b, 0x88, "\x10\x6d");
    assert_false(bench_read(&b, &got));
    assert_int_equal(got.len, 20);                  /* nothing behind our Close */
    close(b.peer);
    b.peer = -1;
    bench_until_closed(&b);
    assert_int_equal(b.code, 4205);
    assert_string_equal(b.reason, "Reset Connection");
    assert_int_equal(b.messages, 0);
    um_buf_free(&got);
    bench_close(&b);
}

static void a_peer_that_never_answers_a_close_is_cut(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct ws_bench b;

    (void)state;
    cf.close_timeout_ms = 5;
    bench_open(&b, &cf, NO_BYTES);
    um_ws_close(b.ws, 1001, NULL);
    bench_until_closed(&b);
    assert_int_equal(b.code, 1001);
    bench_close(&b);
}

static void end_of_stream_without_a_close_is_1006(void **state)
{
    struct ws_bench b;

    (void)state;
    open_default(&b);
    close(b.peer);
    b.peer = -1;
    bench_until_closed(&b);
    assert_int_equal(b.code, 1006);
    bench_close(&b);
}

static void abort_tells_later_and_once(void **state)
{
    struct ws_bench b;

    (void)state;
    open_default(&b);
    um_ws_abort(b.ws);
    um_ws_abort(b.ws);
    assert_int_equal(b.closed, 0);
    bench_turns(&b, 2);
    assert_int_equal(b.closed, 1);
    assert_int_equal(b.code, 1006);
    bench_close(&b);
}

static void close_it(struct ws_bench *b)
{
    um_ws_close(b->ws, 1000, "enough");
}

static void abort_it(struct ws_bench *b)
{
    um_ws_abort(b->ws);
}

static void ending_inside_a_message_stops_the_next_one(void **state)
{
    void (*ways[])(struct ws_bench *) = { close_it, abort_it };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(ways); i++) {
        struct um_buf f = { 0 };
        struct ws_bench b;

        open_default(&b);
        b.act = ways[i];
        bench_frame(&f, 0x81, "one", 3);
        bench_frame(&f, 0x81, "two", 3);
        bench_frame(&f, 0x88, "\x03\xe8", 2);
        bench_write(&b, f.data, f.len);
        bench_turns(&b, 3);
        assert_int_equal(b.messages, 1);
        close(b.peer);
        b.peer = -1;
        bench_until_closed(&b);
        assert_int_equal(b.code, i == 0 ? 1000 : 1006);
        bench_close(&b);
        um_buf_free(&f);
    }
}

static void pause_it(struct ws_bench *b)
{
    um_ws_pause(b->ws, true);
}

static void a_pause_keeps_what_follows_and_its_order(void **state)
{
    struct um_buf f = { 0 };
    struct ws_bench b;

    (void)state;
    open_default(&b);
    b.act = pause_it;
    bench_frame(&f, 0x81, "one", 3);
    bench_frame(&f, 0x81, "two", 3);
    bench_write(&b, f.data, f.len);
    bench_turns(&b, 3);
    bench_send(&b, 0x81, "three");
    assert_int_equal(b.messages, 1);
    um_ws_pause(b.ws, false);
    bench_turns(&b, 3);
    assert_int_equal(b.messages, 2);
    um_ws_pause(b.ws, false);
    bench_turns(&b, 3);
    assert_string_equal(um_buf_cstr(&b.log), "T:one|T:two|T:three|");
    um_buf_free(&f);
    bench_close(&b);
}

static void a_peer_that_leaves_while_paused_is_noticed(void **state)
{
    struct ws_bench b;

    (void)state;
    open_default(&b);
    um_ws_pause(b.ws, true);
    bench_turns(&b, 1);
    close(b.peer);
    b.peer = -1;
    bench_until_closed(&b);
    assert_int_equal(b.code, 1006);
    bench_close(&b);
}

static void a_silent_peer_is_pinged_and_then_cut(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct um_buf got = { 0 };
    struct ws_bench b;

    (void)state;
    cf.ping_interval_ms = 10;
    cf.idle_timeout_ms = 35;
    bench_open(&b, &cf, NO_BYTES);
    bench_until_closed(&b);
    assert_int_equal(b.code, 1006);
    assert_false(bench_read(&b, &got));
    assert_true(got.len >= 2 && got.data[0] == 0x89 && got.data[1] == 0);
    um_buf_free(&got);
    bench_close(&b);
}

static void a_loop_that_stood_still_asks_before_it_cuts(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct ws_bench b;
    uint8_t got[8];
    int64_t until_ms;

    (void)state;
    cf.ping_interval_ms = 10;
    cf.idle_timeout_ms = 35;
    bench_open(&b, &cf, NO_BYTES);
    until_ms = um_now_ms() + cf.idle_timeout_ms;
    while (um_now_ms() <= until_ms)
        sched_yield();
    um_loop_turn(b.loop, 0);
    assert_int_equal(recv(b.peer, got, sizeof(got), MSG_DONTWAIT), 2);
    assert_memory_equal(got, "\x89\x00", 2);
    bench_send(&b, 0x8a, "");                       /* what has come is read before time is looked at */
    assert_int_equal(b.closed, 0);
    bench_until_closed(&b);
    assert_int_equal(b.code, 1006);
    bench_close(&b);
}

static void a_peer_that_answers_pings_lives(void **state)
{
    struct um_ws_conf cf = bench_conf();
    struct ws_bench b;
    int64_t began;

    (void)state;
    cf.ping_interval_ms = 5;
    cf.idle_timeout_ms = 2000;
    bench_open(&b, &cf, NO_BYTES);
    began = um_loop_now_ms(b.loop);
    for (int pongs = 0; pongs < 4;) {
        struct um_buf got = { 0 };

        um_loop_turn(b.loop, 5);
        assert_true(bench_read(&b, &got));
        if (got.len > 0) {
            pongs++;
            bench_send(&b, 0x8a, "");
        }
        um_buf_free(&got);
    }
    assert_true(um_ws_last_heard_ms(b.ws) > began);
    assert_int_equal(b.closed, 0);
    bench_close(&b);
}

int ws_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_cut_at_any_byte_gives_the_same_messages),
        cmocka_unit_test(a_script_byte_by_byte_gives_the_same_messages),
        cmocka_unit_test(early_bytes_are_read_first_but_not_before_new_returns),
        cmocka_unit_test(a_large_message_arrives_whole),
        cmocka_unit_test(a_broken_rule_is_answered_with_its_code),
        cmocka_unit_test(limits_hold_at_value_and_break_at_one_more),
        cmocka_unit_test(memory_follows_what_arrived_not_what_was_promised),
        cmocka_unit_test(a_close_is_answered_with_its_code_and_tcp_ends),
        cmocka_unit_test(a_close_without_a_code_is_1005),
        cmocka_unit_test(our_close_waits_for_the_peers_and_hands_nothing_on),
        cmocka_unit_test(a_peer_that_never_answers_a_close_is_cut),
        cmocka_unit_test(end_of_stream_without_a_close_is_1006),
        cmocka_unit_test(abort_tells_later_and_once),
        cmocka_unit_test(ending_inside_a_message_stops_the_next_one),
        cmocka_unit_test(a_pause_keeps_what_follows_and_its_order),
        cmocka_unit_test(a_peer_that_leaves_while_paused_is_noticed),
        cmocka_unit_test(a_silent_peer_is_pinged_and_then_cut),
        cmocka_unit_test(a_loop_that_stood_still_asks_before_it_cuts),
        cmocka_unit_test(a_peer_that_answers_pings_lives),
    };
    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
