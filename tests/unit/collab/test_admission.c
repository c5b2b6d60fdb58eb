/* Who gets in: tokens, refusals, what may be said before, addresses and sessions, sockets of several documents. */
#include "test_engine.h"
#include <stdio.h>

static void a_token_admits_and_step1_is_answered_with_step1_and_step2(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    engine_open(&b);
    peer_open(&b, &p);
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_expect_silence(&p);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    assert_int_equal(um_collab_connections_of(b.collab, "d"), 1);
    peer_close(&p);
    bench_stop(&b);
}

static void what_was_said_before_the_token_is_worked_off_in_order(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    peer_open(&b, &p);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "early"));
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect_silence(&p);
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_read_state(&p, ADDR("d"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_read_until_text(&p, 5);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void a_refusal_leaves_the_socket_open_for_another_try(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    engine_open(&b);
    peer_open(&b, &p);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_token(&p, ADDR("d"), "no", "4.8.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_DENIED, UM_SPAN_STR("not-you"));
    peer_token(&p, ADDR(" "), "good", "4.8.0");
    peer_expect(&p, ADDR(" "), WIRE_AUTH, AUTH_DENIED, UM_SPAN_STR("permission-denied"));
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_expect_silence(&p);                     /* what the refused one had asked is forgotten */
    peer_close(&p);
    bench_stop(&b);
}

static void names_and_tokens_have_a_longest_length(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.max_name_bytes = 4;
    b.cf.max_token_bytes = 4;
    bench_start(&b);
    peer_open(&b, &p);
    peer_token(&p, ADDR("1234"), "1234", NULL);
    peer_expect(&p, ADDR("1234"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_token(&p, ADDR("12345"), "1234", NULL);
    peer_expect(&p, ADDR("12345"), WIRE_AUTH, AUTH_DENIED, UM_SPAN_STR("permission-denied"));
    peer_token(&p, ADDR("x"), "12345", NULL);
    peer_expect(&p, ADDR("x"), WIRE_AUTH, AUTH_DENIED, UM_SPAN_STR("permission-denied"));
    peer_close(&p);
    bench_stop(&b);
}

/* N frames for document D, then once more: the socket is closed. */
static void fill(struct peer *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        peer_say(p, ADDR("d"), WIRE_STATELESS, NO_KIND, UM_SPAN_STR("x"));
}

static void what_waits_for_admission_is_limited_in_frames_bytes_and_documents(void **state)
{
    struct bench b;
    struct peer p;
    char name[8];

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.max_queued_frames = 5;
    b.cf.max_queued_bytes = 100;
    b.cf.max_pending_documents = 3;
    bench_start(&b);
    peer_open(&b, &p);
    fill(&p, 5);
    peer_expect_silence(&p);
    fill(&p, 1);
    peer_expect_close(&p, 4205);
    peer_close(&p);

    peer_open(&b, &p);
    peer_say(&p, ADDR("d"), WIRE_STATELESS, NO_KIND, UM_SPAN("12345678901234567890123456789012345678901234567890" "12345678901234567890123456789012345678901234567890", 96));
    peer_expect_silence(&p);                     /* 2 + 1 + 1 + 96 */
    fill(&p, 1);
    peer_expect_close(&p, 4205);
    peer_close(&p);

    peer_open(&b, &p);
    for (int i = 0; i < 4; i++) {
        if (i == 3)
            peer_expect_silence(&p);
        snprintf(name, sizeof(name), "p%d", i);
        peer_say(&p, UM_SPAN_STR(name), WIRE_STATELESS, NO_KIND, UM_SPAN_STR("x"));
    }
    peer_expect_close(&p, 4205);
    peer_close(&p);
    bench_stop(&b);
}

static void frames_that_no_client_sends_close_the_socket(void **state)
{
    static const struct { struct um_span frame; unsigned code; } bad[] = {
        { { (const uint8_t *)"\x7f" "A", 2 }, 4401 },
        { { (const uint8_t *)"\x02\xc3\x28\x02\x00\x03tok", 9 }, 4401 },
        { { (const uint8_t *)"\x02zz", 3 }, 4205 },
        { { (const uint8_t *)"", 0 }, 4401 },
    };
    struct bench b;
    struct peer p;

    (void)state;
    engine_open(&b);
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        peer_open(&b, &p);
        peer_raw(&p, bad[i].frame);
        peer_expect_close(&p, bad[i].code);
        peer_close(&p);
    }
    bench_stop(&b);
}

static void one_socket_holds_several_documents_wherever_they_live(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };
    char name[8];
    unsigned homes = 0;

    (void)state;
    engine_open(&b);
    peer_open(&b, &p);
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        homes |= 1u << bench_home(&b, name);
        peer_join(&p, UM_SPAN_STR(name), "good");
        peer_say(&p, UM_SPAN_STR(name), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, name));
        peer_expect_empty(&p, UM_SPAN_STR(name), WIRE_SYNC_STATUS, 1);
    }
    assert_int_equal(homes, (1u << engine_reactors) - 1);
    assert_int_equal(bench_stats(&b).connections, 8);
    assert_int_equal(bench_stats(&b).sockets, 1);
    OPEN_AND_JOIN(&b, &q, ADDR("d5"), "good");
    peer_read_until_text(&q, 2);
    peer_say_empty(&p, ADDR("d3"), WIRE_CLOSE, NO_KIND);
    peer_expect(&p, ADDR("d3"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("provider_initiated"));
    peer_say(&q, ADDR("d5"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "!"));
    peer_expect(&p, ADDR("d5"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_socket_holds_at_most_so_many_documents_and_may_renew_its_token_even_then(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.max_documents = 2;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("a"), "good");
    peer_join(&p, ADDR("b"), "good");
    peer_token(&p, ADDR("c"), "good", "4.8.0");
    peer_expect(&p, ADDR("c"), WIRE_AUTH, AUTH_DENIED, UM_SPAN_STR("too-many-documents"));
    peer_token(&p, ADDR("a"), "good again", "4.8.0");
    peer_expect_silence(&p);
    peer_token(&p, ADDR("a"), "no", "4.8.0");
    peer_expect(&p, ADDR("a"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Unauthorized"));
    peer_close(&p);
    bench_stop(&b);
}

static void two_sessions_of_one_document_are_two_connections(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d\0s1"), "good");
    peer_join(&p, ADDR("d\0s2"), "ro");
    assert_int_equal(um_collab_connections_of(b.collab, "d"), 2);
    peer_say(&p, ADDR("d\0s2"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "no"));
    peer_expect_empty(&p, ADDR("d\0s2"), WIRE_SYNC_STATUS, 0);
    peer_say(&p, ADDR("d\0s1"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "yes"));
    struct um_span first = peer_next(&p);        /* the other's copy and the acknowledgement, in either order */
    struct wire_frame f;
    assert_int_equal(msg_read(first, &f), WIRE_OK);
    if (f.type == WIRE_SYNC)
        peer_expect_empty(&p, ADDR("d\0s1"), WIRE_SYNC_STATUS, 1);
    else
        peer_expect(&p, ADDR("d\0s2"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_expect_silence(&p);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void a_frame_of_an_unknown_session_is_taken_by_the_plain_connection(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("pl"), "good");
    peer_say(&p, ADDR("pl\0s1"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&p, ADDR("pl"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&p, ADDR("pl"), WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_token(&p, ADDR("pl\0s1"), "good", "4.8.0");
    peer_expect(&p, ADDR("pl\0s1"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_close(&p);
    bench_stop(&b);
}

static void without_authentication_a_first_step1_admits_without_a_word(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.authentication = UM_COLLAB_ANONYMOUS;
    bench_start(&b);
    peer_open(&b, &p);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_close(&p);
    bench_stop(&b);
}

static void a_socket_that_is_never_admitted_is_closed(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.auth_timeout_ms = 5;
    bench_start(&b);
    peer_open(&b, &p);
    peer_say(&p, ADDR("d"), WIRE_STATELESS, NO_KIND, UM_SPAN_STR("x"));
    peer_expect_close(&p, 4408);
    peer_close(&p);
    bench_stop(&b);
}

static void a_socket_beyond_its_rate_is_read_more_slowly_and_loses_nothing(void **state)
{
    struct bench b;
    struct peer p;
    int64_t hits;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.rate_updates = 1000;
    b.cf.rate_updates_burst = 10;
    bench_start(&b);
    hits = bench_count(C_LIMIT_HIT);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    for (int i = 0; i < 60; i++)
        peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN("\0\0", 2));
    for (int i = 0; i < 60; i++)
        peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    assert_true(bench_count(C_LIMIT_HIT) > hits);
    peer_close(&p);
    bench_stop(&b);
}

int admission_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_admits_and_step1_is_answered_with_step1_and_step2),
        cmocka_unit_test(what_was_said_before_the_token_is_worked_off_in_order),
        cmocka_unit_test(a_refusal_leaves_the_socket_open_for_another_try),
        cmocka_unit_test(names_and_tokens_have_a_longest_length),
        cmocka_unit_test(what_waits_for_admission_is_limited_in_frames_bytes_and_documents),
        cmocka_unit_test(frames_that_no_client_sends_close_the_socket),
        cmocka_unit_test(one_socket_holds_several_documents_wherever_they_live),
        cmocka_unit_test(a_socket_holds_at_most_so_many_documents_and_may_renew_its_token_even_then),
        cmocka_unit_test(two_sessions_of_one_document_are_two_connections),
        cmocka_unit_test(a_frame_of_an_unknown_session_is_taken_by_the_plain_connection),
        cmocka_unit_test(without_authentication_a_first_step1_admits_without_a_word),
        cmocka_unit_test(a_socket_that_is_never_admitted_is_closed),
        cmocka_unit_test(a_socket_beyond_its_rate_is_read_more_slowly_and_loses_nothing),
    };
    return cmocka_run_group_tests_name("collab admission", tests, NULL, NULL);
}
