/* How it ends: deletion, orders of an administrator, drain; and what still arrives afterwards. */
#include "test_engine.h"
#include <stdio.h>

static void the_editors_of_a_deleted_document_are_told(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "gone"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    bench_store_delete(&b, "d");
    um_collab_forget(b.collab, "d");
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("deleted"));
    bench_until(&b, bench_stats(&b).documents == 0);
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("deleted"));
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

/* Nobody told the engine: the next write shows it. */
static void a_write_to_a_deleted_document_is_not_acknowledged(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "in time"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    bench_store_delete(&b, "d");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "late"));
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("deleted"));
    bench_until(&b, bench_stats(&b).documents == 0);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

/* An append that fails, and behind it what only waits for it: neither keeps a forgotten document. */
static void a_document_forgotten_while_the_store_is_away_leaves_nothing_behind(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };
    int64_t retries;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    retries = bench_count(C_STORE_RETRIES);
    assert_int_equal(um_failpoint_set("edit.before_commit", "error"), UM_OK);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "lost"));
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    bench_until(&b, bench_count(C_STORE_RETRIES) > retries);
    um_collab_forget(b.collab, "d");
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("deleted"));
    bench_until(&b, bench_stats(&b).documents == 0);
    assert_int_equal(bench_stats(&b).unstored_bytes, 0);
    assert_int_equal(um_failpoint_set("edit.before_commit", "off"), UM_OK);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

/* The fold is under way, its answer will be "deleted", and then the order to forget comes first. */
static void a_document_forgotten_while_it_is_folded_leaves_nothing_behind(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.debounce_ms = b.cf.max_debounce_ms = 3600000;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "x"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    bench_store_delete(&b, "d");
    assert_int_equal(um_failpoint_set("snapshot.before_write", "sleep(100)*1"), UM_OK);
    peer_close(&p);
    bench_until(&b, bench_stats(&b).connections == 0);     /* the last one left: it is folded now */
    um_collab_forget(b.collab, "d");
    bench_until(&b, bench_stats(&b).documents == 0);
    um_buf_free(&u);
    bench_stop(&b);
}

/* A client without a token whose document is just ending, and one whose process is. */
static void a_first_step1_for_a_document_that_ends_is_answered_once(void **state)
{
    struct bench b;
    struct peer p, q;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.authentication = UM_COLLAB_ANONYMOUS;
    bench_start(&b);
    assert_int_equal(um_failpoint_set("load.before", "sleep(300)*1"), UM_OK);
    peer_open(&b, &p);
    peer_open(&b, &q);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    bench_until(&b, bench_stats(&b).documents == 1);
    um_collab_forget(b.collab, "d");
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("deleted"));
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_expect(&q, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("unavailable"));
    peer_expect_close(&q, 1013);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

/* Frames without a body cost memory too. */
static void what_is_said_while_a_document_is_loading_is_limited(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.max_queued_bytes = 2000;
    bench_start(&b);
    assert_int_equal(um_failpoint_set("load.before", "sleep(300)*1"), UM_OK);
    peer_open(&b, &p);
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    for (int i = 0; i < 200; i++)
        peer_say_empty(&p, ADDR("d"), WIRE_QUERY_AWARENESS, NO_KIND);
    peer_expect_close(&p, 4205);
    peer_close(&p);
    bench_stop(&b);
}

static void an_administrator_can_send_editors_out_and_they_are_asked_back(void **state)
{
    struct bench b;
    struct peer p, q;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_join(&p, ADDR("e"), "good");
    peer_open(&b, &q);
    peer_token(&q, ADDR("d"), "good", NULL);                     /* perhaps 2.x: only the socket's end moves it */
    peer_expect(&q, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    bench_until(&b, um_collab_connections_of(b.collab, "d") == 2);
    um_collab_close_documents(b.collab, "d", "Reset Connection");
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Reset Connection"));
    peer_expect_empty(&p, ADDR("d"), WIRE_AUTH, AUTH_TOKEN);
    peer_expect(&q, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Reset Connection"));
    peer_expect_close(&q, 4205);
    peer_join(&p, ADDR("d"), "good");
    um_collab_close_documents(b.collab, NULL, "Reset Connection");
    bench_until(&b, bench_stats(&b).connections == 0);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void drain_closes_sockets_and_stores_what_is_unstored(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 }, out = { 0 };
    char name[8];

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.unload_delay_ms = 3600000;
    b.cf.debounce_ms = b.cf.max_debounce_ms = 3600000;
    bench_start(&b);
    peer_open(&b, &p);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        peer_join(&p, UM_SPAN_STR(name), "good");
    }
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        peer_say(&p, UM_SPAN_STR(name), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, name));
    }
    OPEN_AND_JOIN(&b, &q, ADDR("idle"), "good");
    peer_close(&q);
    bench_until(&b, bench_stats(&b).sockets == 1);
    um_collab_drain(b.collab, um_reactors_loop(b.reactors, 0), bench_note_drained, &b.drained);
    peer_expect_close(&p, 1012);
    peer_close(&p);
    bench_until(&b, b.drained);
    assert_int_equal(bench_stats(&b).documents, 0);
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        bench_stored_text(&b, name, &out);
        assert_string_equal(um_buf_cstr(&out), name);
    }
    um_buf_free(&u);
    um_buf_free(&out);
    bench_stop(&b);
}

/* Sockets are between two reactors when the drain begins, and where they go nothing else is open. */
static void a_socket_that_is_on_its_way_when_the_drain_begins_is_waited_for(void **state)
{
    struct bench b;
    struct peer p[4];
    char name[8];
    unsigned n = 0;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.authentication = UM_COLLAB_ANONYMOUS;
    bench_start(&b);
    for (unsigned i = 0; i < UM_COUNT(p); i++)
        peer_open(&b, &p[i]);
    for (unsigned i = 0; n < UM_COUNT(p); i++) {
        snprintf(name, sizeof(name), "d%u", i);
        if (engine_reactors > 1 && bench_home(&b, name) == 0)
            continue;
        peer_say(&p[n++], UM_SPAN_STR(name), WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    }
    um_collab_drain(b.collab, um_reactors_loop(b.reactors, 0), bench_note_drained, &b.drained);
    for (unsigned i = engine_reactors; i-- > 0;)         /* the others hear of the drain before the sockets reach them */
        um_loop_turn(um_reactors_loop(b.reactors, i), 0);
    um_loop_turn(um_reactors_loop(b.reactors, 0), 0);
    assert_false(b.drained);
    for (n = 0; n < UM_COUNT(p); n++) {
        peer_expect_close(&p[n], 1012);
        peer_close(&p[n]);
    }
    bench_until(&b, b.drained);
    bench_stop(&b);
}

int ending_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_editors_of_a_deleted_document_are_told),
        cmocka_unit_test(a_write_to_a_deleted_document_is_not_acknowledged),
        cmocka_unit_test(a_document_forgotten_while_the_store_is_away_leaves_nothing_behind),
        cmocka_unit_test(a_document_forgotten_while_it_is_folded_leaves_nothing_behind),
        cmocka_unit_test(a_first_step1_for_a_document_that_ends_is_answered_once),
        cmocka_unit_test(what_is_said_while_a_document_is_loading_is_limited),
        cmocka_unit_test(an_administrator_can_send_editors_out_and_they_are_asked_back),
        cmocka_unit_test(drain_closes_sockets_and_stores_what_is_unstored),
        cmocka_unit_test(a_socket_that_is_on_its_way_when_the_drain_begins_is_waited_for),
    };
    return cmocka_run_group_tests_name("collab ending", tests, NULL, NULL);
}
