/* What an acknowledgement promises: commit, retries, folding, loading. */
#include "test_engine.h"
#include <stdio.h>

static void away(void)
{
    assert_int_equal(um_failpoint_set("edit.before_commit", "error"), UM_OK);
}

static void back(void)
{
    assert_int_equal(um_failpoint_set("edit.before_commit", "off"), UM_OK);
}

static void wait_for_a_retry(struct bench *b)
{
    int64_t retries = bench_count(C_STORE_RETRIES);

    bench_until(b, bench_count(C_STORE_RETRIES) > retries);
}

static void expect_stored(struct bench *b, const char *document, const char *text)
{
    struct um_buf out = { 0 };

    bench_stored_text(b, document, &out);
    assert_string_equal(um_buf_cstr(&out), text);
    um_buf_free(&out);
}

static void nothing_is_acknowledged_before_its_commit_and_all_is_after(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");
    away();
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "safe"));
    peer_expect(&q, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));   /* the others see it at once */
    wait_for_a_retry(&b);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));      /* known, but not stored either */
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN(u.data, u.len));
    peer_expect_silence(&p);
    peer_expect_silence(&q);
    assert_true(bench_stats(&b).unstored_bytes > 0);
    expect_stored(&b, "d", "");
    back();
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 1);
    expect_stored(&b, "d", "safe");
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_readers_step2_is_not_acknowledged_before_what_it_holds_is_stored(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "ro");
    away();
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "safe"));
    peer_expect(&q, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(u.data, u.len));
    peer_say(&q, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN(u.data, u.len));
    wait_for_a_retry(&b);
    peer_expect_silence(&q);
    back();
    peer_expect_empty(&q, ADDR("d"), WIRE_SYNC_STATUS, 1);
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_document_with_unstored_changes_outlives_its_readers(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    away();
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "kept"));
    wait_for_a_retry(&b);
    peer_close(&p);
    bench_until(&b, bench_stats(&b).sockets == 0);
    wait_for_a_retry(&b);
    assert_int_equal(bench_stats(&b).documents, 1);
    back();
    bench_until(&b, bench_stats(&b).documents == 0);
    expect_stored(&b, "d", "kept");
    um_buf_free(&u);
    bench_stop(&b);
}

static void acknowledging_from_memory_does_not_wait(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.ack = UM_COLLAB_MEMORY;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    away();
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "fast"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    back();
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void too_much_that_is_unstored_makes_a_document_read_only_until_it_is_stored(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.unsaved_document_bytes = 10;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    away();
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "one"));
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "two"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 0);
    back();
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "two"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void a_large_document_turns_read_only_and_its_readers_still_sync(void **state)
{
    char text[200] = { 0 };
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.max_document_bytes = 100;
    bench_start(&b);
    memset(text, 'z', sizeof(text) - 1);
    bench_store_append(&b, "d", text_update(&u, 7, text));
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 8, "more"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 0);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_STEP2, UM_SPAN("\0\0", 2));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    um_buf_free(&u);
    peer_close(&p);
    bench_stop(&b);
}

static void a_document_larger_than_one_update_can_be_loaded_again(void **state)
{
    enum { HALF = 600 << 10 };
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };
    char *text = malloc(HALF + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'm', HALF);
    text[HALF] = 0;
    bench_init(&b, engine_reactors);
    b.cf.max_update_bytes = 1 << 20;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    for (unsigned i = 0; i < 2; i++) {
        peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7 + i, text));
        peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    }
    peer_close(&p);
    bench_until(&b, bench_stats(&b).documents == 0);       /* folded: one state, larger than an update may be */
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_read_until_text(&p, 2 * HALF);
    peer_close(&p);
    free(text);
    um_buf_free(&u);
    bench_stop(&b);
}

static void a_log_is_folded_and_the_document_unloaded(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };
    int64_t folds;

    (void)state;
    engine_open(&b);
    folds = bench_count(C_FOLDS);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "folded"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    bench_until(&b, bench_count(C_FOLDS) > folds);
    peer_close(&p);
    bench_until(&b, bench_stats(&b).documents == 0);
    expect_stored(&b, "d", "folded");
    um_buf_free(&u);
    bench_stop(&b);
}

static void a_quiet_document_rests_and_goes_on_where_it_was(void **state)
{
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };
    int64_t rests = bench_count(C_RESTS);

    (void)state;
    bench_init(&b, 1);
    b.cf.rest_after_ms = 0;
    b.cf.keep_alive_ms = 40;
    bench_start(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    for (int i = 1; i <= 3; i++) {
        peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, (uint64_t)i, "rest"));
        peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
        bench_until(&b, bench_count(C_RESTS) == rests + i);
    }
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");             /* served from the encoded state */
    peer_read_until_text(&q, 12);
    bench_turns(&b, 20);
    assert_int_equal(bench_count(C_RESTS), rests + 3);    /* joining has not woken it */
    peer_close(&p);
    peer_close(&q);
    bench_until(&b, bench_stats(&b).documents == 0);
    um_buf_free(&u);
    bench_stop(&b);
}

static void ignore(void *arg, um_err err, uint64_t n)
{
    (void)err;
    (void)n;
    *(bool *)arg = true;
}

static void a_document_that_another_has_folded_is_loaded_anew_and_then_unloaded(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };
    struct um_bytes *state_bytes;
    bool done = false;
    int64_t conflicts;

    (void)state;
    bench_init(&b, engine_reactors);
    b.cf.debounce_ms = b.cf.max_debounce_ms = 3600000;
    bench_start(&b);
    conflicts = bench_count(C_FOLD_CONFLICTS);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "twice"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    state_bytes = um_bytes_dup(u.data, u.len);
    for (uint64_t version = 0; version < 2 && !done; version++) {        /* the row's version: 0 or 1 */
        um_store_fold(b.store, um_reactors_loop(b.reactors, 0), "d", state_bytes, 1, version, ignore, &done);
        bench_until(&b, done);
        done = version == 1;
    }
    um_bytes_unref(state_bytes);
    peer_close(&p);
    bench_until(&b, bench_stats(&b).documents == 0);
    assert_true(bench_count(C_FOLD_CONFLICTS) > conflicts);
    expect_stored(&b, "d", "twice");
    um_buf_free(&u);
    bench_stop(&b);
}

static void a_fold_that_fails_is_repeated(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 };

    (void)state;
    engine_open(&b);
    assert_int_equal(um_failpoint_set("snapshot.before_write", "error*1"), UM_OK);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "again"));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_close(&p);
    bench_until(&b, bench_stats(&b).documents == 0);
    expect_stored(&b, "d", "again");
    um_buf_free(&u);
    bench_stop(&b);
}

static void damaged_bytes_are_told_and_left_alone(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    engine_open(&b);
    bench_store_append(&b, "d", UM_SPAN("\xff\xff\xff", 3));
    peer_open(&b, &p);
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("load-failed"));
    peer_join(&p, ADDR("other"), "good");
    bench_until(&b, bench_stats(&b).documents == 1);
    peer_close(&p);
    bench_stop(&b);
}

static void a_store_that_cannot_be_read_ends_the_socket_so_that_the_client_comes_back(void **state)
{
    struct bench b;
    struct peer p;

    (void)state;
    engine_open(&b);
    assert_int_equal(um_failpoint_set("load.error", "error*1"), UM_OK);
    peer_open(&b, &p);
    peer_token(&p, ADDR("d"), "good", "4.8.0");
    peer_expect_close(&p, 1013);
    peer_close(&p);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_close(&p);
    bench_stop(&b);
}

/* Every third update depends on the one before, and comes first: parked, stored, not lost. */
static void an_update_that_waits_for_another_is_stored_and_acknowledged(void **state)
{
    static const uint8_t second[] = { 1, 1, 7, 2, 0x84, 7, 1, 2, 'c', 'd', 0 };
    struct bench b;
    struct peer p, q;
    struct um_buf u = { 0 };
    int64_t acks;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, UM_SPAN(second, sizeof(second)));
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_close(&p);
    bench_until(&b, bench_stats(&b).documents == 0);
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("d"), "good");
    acks = bench_count(C_ACKS);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "ab"));
    bench_until(&b, bench_count(C_ACKS) == acks + 1);
    peer_read_until_text(&p, 4);                                 /* before or after its acknowledgement: what had waited */
    peer_read_until_text(&q, 4);
    expect_stored(&b, "d", "abcd");
    um_buf_free(&u);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static int all_is_well(void **state)
{
    (void)state;
    back();
    return 0;
}

int storing_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_is_acknowledged_before_its_commit_and_all_is_after, all_is_well),
        cmocka_unit_test_teardown(a_readers_step2_is_not_acknowledged_before_what_it_holds_is_stored, all_is_well),
        cmocka_unit_test_teardown(a_document_with_unstored_changes_outlives_its_readers, all_is_well),
        cmocka_unit_test_teardown(acknowledging_from_memory_does_not_wait, all_is_well),
        cmocka_unit_test_teardown(too_much_that_is_unstored_makes_a_document_read_only_until_it_is_stored, all_is_well),
        cmocka_unit_test(a_large_document_turns_read_only_and_its_readers_still_sync),
        cmocka_unit_test(a_document_larger_than_one_update_can_be_loaded_again),
        cmocka_unit_test(a_log_is_folded_and_the_document_unloaded),
        cmocka_unit_test(a_quiet_document_rests_and_goes_on_where_it_was),
        cmocka_unit_test(a_document_that_another_has_folded_is_loaded_anew_and_then_unloaded),
        cmocka_unit_test(a_fold_that_fails_is_repeated),
        cmocka_unit_test(damaged_bytes_are_told_and_left_alone),
        cmocka_unit_test(a_store_that_cannot_be_read_ends_the_socket_so_that_the_client_comes_back),
        cmocka_unit_test(an_update_that_waits_for_another_is_stored_and_acknowledged),
    };
    return cmocka_run_group_tests_name("collab storing", tests, NULL, NULL);
}
