/* What an admitted client may say, and what the others hear: updates, presence, y-websocket, readers that fall behind. */
#include "test_engine.h"
#include <stdio.h>

static bool has_text(struct peer *p, const char *text)
{
    struct um_buf has = { 0 };
    bool same;

    peer_take_updates(p);
    same = um_crdt_read_text(p->doc, UM_SPAN_STR("t"), &has) == UM_OK && strcmp(um_buf_cstr(&has), text) == 0;
    um_buf_free(&has);
    return same;
}

static void an_update_reaches_the_others_as_it_came_and_its_writer_not_at_all(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "hello"));
    peer_expect(&q, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));      /* known: acknowledged, not relayed */
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_expect_silence(&p);
    peer_expect_silence(&q);
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

/* A deletion came before what it deletes, and waits. Whose update lets it happen does not have it. */
static void what_had_to_wait_reaches_also_who_brought_what_it_waited_for(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN("\0\1\7\1\0\1", 6));      /* the first unit of client 7 */
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_expect_silence(&p);
    assert_int_equal(um_crdt_apply(p.doc, text_update(&u, 7, "xyz"), NULL), UM_OK);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_read_until_text(&q, 2);
    bench_until(&b, has_text(&p, "yz"));
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void what_cannot_be_decoded_is_refused_and_harms_nobody(void **state)
{
    static const struct { struct um_span body; } fatal[] = {
        { { (const uint8_t *)"\x09\x01\x00", 3 } },              /* an unknown kind of sync */
        { { (const uint8_t *)"\x00\x7f", 2 } },                  /* a state vector that ends early */
        { { (const uint8_t *)"\x00\x01\x7f", 3 } },              /* one that names more than it holds */
    };
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN("\xff\xff\xff", 3));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 0);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "ok"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    for (size_t i = 0; i < UM_COUNT(fatal); i++) {
        um_buf_clear(&u);
        um_buf_put(&u, "\1d\0", 3);
        um_buf_put(&u, fatal[i].body.data, fatal[i].body.len);
        peer_raw(&p, UM_SPAN(u.data, u.len));
        peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Reset Connection"));
        peer_join(&p, ADDR("d"), "good");                        /* the socket has stayed */
    }
    peer_say(&p, ADDR("d"), WIRE_BROADCAST_STATELESS, NO_KIND, UM_SPAN_STR("evil"));
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Reset Connection"));
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void an_update_has_a_largest_size(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.max_update_bytes = 14;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    assert_int_equal(text_update(&u, 7, "1234").len, 14);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "12345"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 0);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void a_reader_may_not_write_and_hears_what_others_write(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "ro");
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_STEP2, text_update(&u, 8, "mine"));
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 0);
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN("\0\0", 2));
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 0);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "theirs"));
    peer_expect(&q, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN(u.data, u.len));
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 1);
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void presence_comes_with_joining_goes_with_leaving_and_returns_at_once(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");
    peer_say(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 8, 1, "{}"));
    peer_expect(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, UM_SPAN(u.data, u.len));
    peer_say(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 3, "{\"u\":1}"));
    peer_expect(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, UM_SPAN(u.data, u.len));
    peer_say(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, UM_SPAN(u.data, u.len));     /* an echo: nothing happens */
    peer_close(&p);
    peer_expect(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 3, "null"));
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 3, "{}"));
    peer_expect(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 3, "null"));
    peer_expect_empty(&p, ADDR("d"), WIRE_QUERY_AWARENESS, NO_KIND);
    peer_say(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 4, "{}"));
    peer_expect(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, UM_SPAN(u.data, u.len));
    peer_close(&q);
    peer_expect(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 8, 1, "null"));
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");                    /* a late comer: greeted before its Step1 is answered */
    peer_say(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, UM_SPAN("\1\7\5\4{bad", 8));
    peer_expect(&q, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Reset Connection"));
    peer_expect_silence(&p);
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_user_cannot_speak_for_anothers_presence(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "user:ann");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "user:bob");
    peer_say(&p, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 3, "{}"));
    peer_expect(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, UM_SPAN(u.data, u.len));
    peer_say(&q, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&u, 7, 9, "null"));
    peer_expect_silence(&p);
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void y_websocket_clients_meet_providers_in_one_document(void **state)
{
    struct um_collab_identity bob = { .user = "bob" };
    struct um_span none = { NULL, 0 };
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("room"), "good");
    peer_open_as(&b, &q, &(struct um_collab_peer){ .identity = &bob, .room = "room", .address = "test" }, 0);
    peer_expect(&q, none, WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_say(&q, none, WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&q, none, WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_say(&q, none, WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "from a room"));
    peer_expect(&p, ADDR("room"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_say(&p, ADDR("room"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "to a room"));
    peer_expect(&q, none, WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_raw(&q, UM_SPAN("\0\7", 2));                            /* not final: the client comes back */
    peer_expect_close(&q, 4205);
    peer_close(&q);
    peer_open_as(&b, &q, &(struct um_collab_peer){ .room = "room", .address = "test" }, 0);
    peer_expect(&q, none, WIRE_AUTH, AUTH_TOKEN, UM_SPAN_STR("permission-denied"));
    peer_expect_close(&q, 4503);
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

/* ---- readers that do not read -------------------------------------------------------------------------------------------- */

enum { MANY = 600, EACH = 200 };
static char filler[EACH + 1];

static void write_much(struct bench *b, struct peer *p, struct um_span address, unsigned first)
{
    struct um_buf u = { 0 };

    memset(filler, 'x', EACH);
    for (unsigned i = 0; i < MANY; i++) {
        peer_say(p, address, WIRE_SYNC, SYNC_UPDATE, text_update(&u, first + i, filler));
        if (i % 16 == 0)
            bench_turn(b);
    }
    um_buf_free(&u);
}

static void tight_queues(struct bench *b)
{
    bench_init(b, engine_reactors);
    b->ws.high_queued = 8 * 1024;
    b->cf.piece_bytes = 4096;
}

static void a_reader_that_fell_behind_gets_the_difference_when_it_reads_again(void **state)
{
    struct bench b;
    struct peer p, q;
    int64_t behind;

    (void)state;
    tight_queues(&b);
    b.cf.piece_bytes = 1 << 20;
    bench_start(&b);
    behind = bench_count(C_BEHIND);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_open_as(&b, &q, &(struct um_collab_peer){ .address = "test" }, 4096);
    peer_join(&q, ADDR("d"), "good");
    q.deaf = true;
    write_much(&b, &p, ADDR("d"), 1000);

    for (unsigned i = 0; i < MANY; i++)
        peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    assert_int_equal(bench_count(C_BEHIND), behind + 1);
    q.deaf = false;
    peer_read_until_text(&q, MANY * EACH);
    assert_true(peer_updates_read() < MANY / 2);
    write_much(&b, &p, ADDR("d"), 5000);                         /* and it follows again */
    peer_read_until_text(&q, 2 * MANY * EACH);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_reader_that_falls_behind_while_it_catches_up_misses_nothing(void **state)
{
    struct bench b;
    struct peer p, q;

    (void)state;
    tight_queues(&b);
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_open_as(&b, &q, &(struct um_collab_peer){ .address = "test" }, 4096);
    peer_join(&q, ADDR("d"), "good");
    q.deaf = true;
    write_much(&b, &p, ADDR("d"), 1000);                         /* the difference will be many pieces */
    for (unsigned i = 0; i < MANY; i++)
        peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    q.deaf = false;
    peer_read_until_text(&q, MANY * EACH / 2);
    write_much(&b, &p, ADDR("d"), 5000);
    peer_read_until_text(&q, 2 * MANY * EACH);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

/* Two connections of one socket: the first one's frames congest it while the second one's are still to come. */
static void sessions_that_share_a_slow_socket_both_get_everything(void **state)
{
    static char much[64 * 1024];
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };
    struct um_span frame;
    bool first = false, second = false;
    struct wire_frame f;

    (void)state;
    tight_queues(&b);
    b.cf.piece_bytes = 1 << 20;
    bench_start(&b);
    memset(much, 'y', sizeof(much) - 1);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_open_as(&b, &q, &(struct um_collab_peer){ .address = "test" }, 4096);
    peer_join(&q, ADDR("d\0s1"), "good");
    peer_join(&q, ADDR("d\0s2"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, much));
    while (!first || !second) {
        frame = peer_next(&q);
        assert_int_equal(msg_read(frame, &f), WIRE_OK);
        if (f.type != WIRE_SYNC || f.body.len < sizeof(much))
            continue;
        first |= f.address.data[3] == '1';
        second |= f.address.data[3] == '2';
    }
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_document_larger_than_a_sockets_queue_can_be_joined(void **state)
{
    struct bench b;
    struct peer p, q;

    (void)state;
    tight_queues(&b);
    b.ws.max_queued = 32 * 1024;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    write_much(&b, &p, ADDR("d"), 1000);                         /* 120 KB */
    for (unsigned i = 0; i < MANY; i++)
        peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_open_as(&b, &q, &(struct um_collab_peer){ .address = "test" }, 4096);
    peer_join(&q, ADDR("d"), "good");
    peer_read_until_text(&q, MANY * EACH);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

int editing_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_update_reaches_the_others_as_it_came_and_its_writer_not_at_all),
        cmocka_unit_test(what_had_to_wait_reaches_also_who_brought_what_it_waited_for),
        cmocka_unit_test(what_cannot_be_decoded_is_refused_and_harms_nobody),
        cmocka_unit_test(an_update_has_a_largest_size),
        cmocka_unit_test(a_reader_may_not_write_and_hears_what_others_write),
        cmocka_unit_test(presence_comes_with_joining_goes_with_leaving_and_returns_at_once),
        cmocka_unit_test(a_user_cannot_speak_for_anothers_presence),
        cmocka_unit_test(y_websocket_clients_meet_providers_in_one_document),
        cmocka_unit_test(a_reader_that_fell_behind_gets_the_difference_when_it_reads_again),
        cmocka_unit_test(a_reader_that_falls_behind_while_it_catches_up_misses_nothing),
        cmocka_unit_test(sessions_that_share_a_slow_socket_both_get_everything),
        cmocka_unit_test(a_document_larger_than_a_sockets_queue_can_be_joined),
    };
    return cmocka_run_group_tests_name("collab editing", tests, NULL, NULL);
}
