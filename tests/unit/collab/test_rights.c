/* What happens to the others when somebody reserves a document, and when it is free again. */
#include "test_engine.h"

static void reserve(struct bench *b, const char *user, const char *note)
{
    snprintf(b->holder, sizeof(b->holder), "%s", user);
    um_collab_reservation_changed(b->collab, "d", note);
}

#define EXPECT_SCOPE(p, scope) peer_expect(p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR(scope))

static void others_are_told_that_they_may_only_read_and_the_holder_writes_on(void **state)
{
    struct bench b;
    struct peer ann, bob;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &ann, ADDR("d"), "user:ann");
    OPEN_AND_JOIN(&b, &bob, ADDR("d"), "user:bob");
    reserve(&b, "ann", NULL);
    EXPECT_SCOPE(&bob, "readonly");
    peer_say(&bob, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "bob's"));
    peer_expect_empty(&bob, ADDR("d"), WIRE_SYNC_STATUS, 0);
    peer_say(&ann, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "ann's"));
    peer_expect_empty(&ann, ADDR("d"), WIRE_SYNC_STATUS, 1);     /* and not a word of bob's, nor of scopes, before it */
    peer_expect(&bob, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    bench_stored_text(&b, "d", &u);
    assert_string_equal(um_buf_cstr(&u), "ann's");
    um_buf_free(&u);
    peer_close(&ann);
    peer_close(&bob);
    bench_stop(&b);
}

static void what_was_refused_is_asked_for_again_and_each_of_it_acknowledged(void **state)
{
    struct bench b;
    struct peer bob;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &bob, ADDR("d"), "user:bob");
    reserve(&b, "ann", NULL);
    EXPECT_SCOPE(&bob, "readonly");
    for (unsigned i = 0; i < 3; i++) {
        peer_say(&bob, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "mine"));
        peer_expect_empty(&bob, ADDR("d"), WIRE_SYNC_STATUS, 0);
    }
    reserve(&b, "", NULL);
    EXPECT_SCOPE(&bob, "read-write");
    peer_expect(&bob, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_say(&bob, ADDR("d"), WIRE_SYNC, SYNC_STEP2, text_update(&u, 7, "mine"));
    for (unsigned i = 0; i < 3; i++)
        peer_expect_empty(&bob, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_expect_silence(&bob);
    bench_stored_text(&b, "d", &u);
    assert_string_equal(um_buf_cstr(&u), "mine");
    um_buf_free(&u);
    peer_close(&bob);
    bench_stop(&b);
}

static void who_has_nothing_withheld_is_asked_for_nothing(void **state)
{
    struct bench b;
    struct peer bob;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &bob, ADDR("d"), "user:bob");
    reserve(&b, "ann", NULL);
    EXPECT_SCOPE(&bob, "readonly");
    reserve(&b, "", NULL);
    EXPECT_SCOPE(&bob, "read-write");
    peer_expect_silence(&bob);
    peer_close(&bob);
    bench_stop(&b);
}

static void who_comes_while_it_is_reserved_hears_so_at_once_and_once(void **state)
{
    struct bench b;
    struct peer bob, plain;

    (void)state;
    engine_open(&b);
    reserve(&b, "ann", NULL);
    peer_open(&b, &bob);
    peer_token(&bob, ADDR("d"), "user:bob", "4.8.0");
    EXPECT_SCOPE(&bob, "readonly");
    peer_expect_silence(&bob);
    reserve(&b, "", NULL);
    EXPECT_SCOPE(&bob, "read-write");
    peer_open(&b, &plain);                                       /* a reader by its token is told nothing of either */
    peer_token(&plain, ADDR("d"), "ro", "4.8.0");
    EXPECT_SCOPE(&plain, "readonly");
    reserve(&b, "zoe", NULL);
    EXPECT_SCOPE(&bob, "readonly");
    reserve(&b, "", NULL);
    EXPECT_SCOPE(&bob, "read-write");
    peer_expect_silence(&plain);
    peer_close(&bob);
    peer_close(&plain);
    bench_stop(&b);
}

static void a_judgement_that_is_out_of_date_is_made_again_before_a_change(void **state)
{
    struct bench b;
    struct peer ann;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    b.judged_until_ms = 0;
    OPEN_AND_JOIN(&b, &ann, ADDR("d"), "user:ann");
    snprintf(b.holder, sizeof(b.holder), "bob");                 /* nobody says so */
    peer_say(&ann, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "late"));
    EXPECT_SCOPE(&ann, "readonly");
    peer_expect_empty(&ann, ADDR("d"), WIRE_SYNC_STATUS, 0);
    um_buf_free(&u);
    peer_close(&ann);
    bench_stop(&b);
}

static void writers_are_told_by_their_first_and_their_last_connection(void **state)
{
    struct bench b;
    struct peer p[4];

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p[0], ADDR("d"), "user:ann");
    OPEN_AND_JOIN(&b, &p[1], ADDR("d"), "user:ann");
    OPEN_AND_JOIN(&b, &p[2], ADDR("d"), "user:bob");
    peer_open(&b, &p[3]);
    peer_token(&p[3], ADDR("d"), "ro", "4.8.0");                 /* can only read: no writer */
    EXPECT_SCOPE(&p[3], "readonly");
    bench_turns(&b, 3);
    assert_string_equal(b.editing, "+ann +bob ");
    peer_close(&p[0]);
    peer_close(&p[2]);
    bench_until(&b, strcmp(b.editing, "+ann +bob -bob ") == 0);
    peer_close(&p[1]);
    bench_until(&b, strcmp(b.editing, "+ann +bob -bob -ann ") == 0);
    peer_close(&p[3]);
    bench_stop(&b);
}

static void a_holders_writing_is_told_and_not_too_often(void **state)
{
    struct bench b;
    struct peer ann;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    b.judged_until_ms = INT64_MAX - 1;
    OPEN_AND_JOIN(&b, &ann, ADDR("d"), "user:ann");
    for (unsigned i = 0; i < 3; i++) {
        peer_say(&ann, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7 + i, "x"));
        peer_expect_empty(&ann, ADDR("d"), WIRE_SYNC_STATUS, 1);
    }
    assert_int_equal(b.changes, 1);
    um_buf_free(&u);
    peer_close(&ann);
    bench_stop(&b);
}

static void a_note_reaches_every_provider_of_the_document(void **state)
{
    struct um_collab_identity zoe = { .user = "zoe" };
    struct bench b;
    struct peer ann, room;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &ann, ADDR("d"), "user:ann");
    peer_open_as(&b, &room, &(struct um_collab_peer){ .identity = &zoe, .room = "d", .address = "test" }, 0);
    peer_expect(&room, NOTHING, WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    reserve(&b, "", "{\"n\":1}");
    peer_expect(&ann, ADDR("d"), WIRE_STATELESS, NO_KIND, UM_SPAN_STR("{\"n\":1}"));
    peer_expect_silence(&room);                                  /* y-websocket has no such message */
    peer_close(&ann);
    peer_close(&room);
    bench_stop(&b);
}

/* ---- documents with rights of their own ---- */

#define OWN ADDR("own/d")

static void open_own(struct bench *b, struct peer *p, const char *token, unsigned question)
{
    peer_open(b, p);
    peer_token(p, OWN, token, "4.8.0");
    bench_until(b, b->n_asked == question + 1);
}

static void who_is_judged_waits_and_what_he_says_meanwhile_counts(void **state)
{
    struct bench b;
    struct peer ann;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    open_own(&b, &ann, "user:ann", 0);
    assert_string_equal(b.asked[0].user, "ann");
    peer_say(&ann, OWN, WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "early"));
    peer_expect_silence(&ann);
    bench_answer(&b, 0, UM_COLLAB_WRITE);
    peer_expect(&ann, OWN, WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_expect_empty(&ann, OWN, WIRE_SYNC_STATUS, 1);
    bench_stored_text(&b, "own/d", &u);
    assert_string_equal(um_buf_cstr(&u), "early");
    um_buf_free(&u);
    peer_close(&ann);
    bench_stop(&b);
}

static void who_may_not_even_read_gets_nothing(void **state)
{
    struct bench b;
    struct peer ann;

    (void)state;
    engine_open(&b);
    open_own(&b, &ann, "user:ann", 0);
    bench_answer(&b, 0, UM_COLLAB_NONE);
    peer_expect(&ann, OWN, WIRE_AUTH, AUTH_DENIED, UM_SPAN_STR("permission-denied"));
    peer_expect_silence(&ann);
    peer_close(&ann);
    bench_stop(&b);
}

static void who_may_read_is_told_so_and_writes_nothing(void **state)
{
    struct bench b;
    struct peer ann;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    open_own(&b, &ann, "user:ann", 0);
    bench_answer(&b, 0, UM_COLLAB_READ);
    peer_expect(&ann, OWN, WIRE_AUTH, AUTH_OK, UM_SPAN_STR("readonly"));
    peer_say(&ann, OWN, WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "no"));
    peer_expect_empty(&ann, OWN, WIRE_SYNC_STATUS, 0);
    um_buf_free(&u);
    peer_close(&ann);
    bench_stop(&b);
}

static void a_right_that_changes_reaches_who_is_there(void **state)
{
    struct bench b;
    struct peer ann;

    (void)state;
    engine_open(&b);
    open_own(&b, &ann, "user:ann", 0);
    bench_answer(&b, 0, UM_COLLAB_WRITE);
    peer_expect(&ann, OWN, WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    um_collab_judge_again(b.collab, "other/");
    bench_turns(&b, 3);
    assert_int_equal(b.n_asked, 1);
    um_collab_judge_again(b.collab, "own/");
    um_collab_judge_again(b.collab, "own/");                     /* the first answer may be older than this change */
    bench_until(&b, b.n_asked == 2);
    bench_answer(&b, 1, UM_COLLAB_READ);
    peer_expect(&ann, OWN, WIRE_AUTH, AUTH_OK, UM_SPAN_STR("readonly"));
    bench_until(&b, b.n_asked == 3);
    bench_answer(&b, 2, UM_COLLAB_NONE);
    peer_expect(&ann, OWN, WIRE_CLOSE, NO_KIND, UM_SPAN_STR("permission-denied"));
    peer_close(&ann);
    bench_stop(&b);
}

static void an_answer_for_somebody_who_has_left_is_nobodys(void **state)
{
    struct bench b;
    struct peer ann, bob;

    (void)state;
    engine_open(&b);
    open_own(&b, &ann, "user:ann", 0);
    open_own(&b, &bob, "user:bob", 1);
    peer_close(&ann);
    bench_until(&b, bench_stats(&b).sockets == 1);
    bench_answer(&b, 0, UM_COLLAB_WRITE);
    bench_answer(&b, 1, UM_COLLAB_WRITE);
    peer_expect(&bob, OWN, WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    um_collab_judge_again(b.collab, "own/");
    bench_until(&b, b.n_asked == 3);
    peer_close(&bob);
    bench_until(&b, bench_stats(&b).sockets == 0);
    bench_answer(&b, 2, UM_COLLAB_NONE);
    open_own(&b, &ann, "user:ann", 3);                           /* never answered */
    peer_close(&ann);
    bench_stop(&b);
}

static void who_cannot_be_judged_now_is_not_refused_but_comes_again(void **state)
{
    struct bench b;
    struct peer ann, bob;

    (void)state;
    engine_open(&b);
    open_own(&b, &ann, "user:ann", 0);
    bench_answer(&b, 0, UM_COLLAB_UNKNOWN);
    peer_expect_close(&ann, 1013);                               /* and no word of a permission before it */
    open_own(&b, &bob, "user:bob", 1);
    bench_answer(&b, 1, UM_COLLAB_WRITE);
    peer_expect(&bob, OWN, WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    um_collab_judge_again(b.collab, "own/");
    bench_until(&b, b.n_asked == 3);
    bench_answer(&b, 2, UM_COLLAB_UNKNOWN);
    peer_expect(&bob, OWN, WIRE_CLOSE, NO_KIND, UM_SPAN_STR("unavailable"));
    peer_expect_close(&bob, 1013);
    peer_close(&ann);
    peer_close(&bob);
    bench_stop(&b);
}

static void a_room_is_judged_too(void **state)
{
    struct um_collab_identity zoe = { .user = "zoe" };
    struct bench b;
    struct peer room, denied;

    (void)state;
    engine_open(&b);
    peer_open_as(&b, &room, &(struct um_collab_peer){ .identity = &zoe, .room = "own/d", .address = "test" }, 0);
    bench_until(&b, b.n_asked == 1);
    peer_say(&room, NOTHING, WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    bench_turns(&b, 3);
    bench_answer(&b, 0, UM_COLLAB_READ);
    peer_expect(&room, NOTHING, WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&room, NOTHING, WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_open_as(&b, &denied, &(struct um_collab_peer){ .identity = &zoe, .room = "own/d", .address = "test" }, 0);
    bench_until(&b, b.n_asked == 2);
    bench_answer(&b, 1, UM_COLLAB_NONE);
    peer_expect_close(&denied, 4503);
    peer_close(&room);
    peer_close(&denied);
    bench_stop(&b);
}

int rights_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_told_that_they_may_only_read_and_the_holder_writes_on),
        cmocka_unit_test(what_was_refused_is_asked_for_again_and_each_of_it_acknowledged),
        cmocka_unit_test(who_has_nothing_withheld_is_asked_for_nothing),
        cmocka_unit_test(who_comes_while_it_is_reserved_hears_so_at_once_and_once),
        cmocka_unit_test(a_judgement_that_is_out_of_date_is_made_again_before_a_change),
        cmocka_unit_test(writers_are_told_by_their_first_and_their_last_connection),
        cmocka_unit_test(a_holders_writing_is_told_and_not_too_often),
        cmocka_unit_test(a_note_reaches_every_provider_of_the_document),
        cmocka_unit_test(who_is_judged_waits_and_what_he_says_meanwhile_counts),
        cmocka_unit_test(who_may_not_even_read_gets_nothing),
        cmocka_unit_test(who_may_read_is_told_so_and_writes_nothing),
        cmocka_unit_test(a_right_that_changes_reaches_who_is_there),
        cmocka_unit_test(an_answer_for_somebody_who_has_left_is_nobodys),
        cmocka_unit_test(who_cannot_be_judged_now_is_not_refused_but_comes_again),
        cmocka_unit_test(a_room_is_judged_too),
    };
    return cmocka_run_group_tests_name("rights", tests, NULL, NULL);
}
