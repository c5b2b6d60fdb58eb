/* What the server itself reads and changes. */
#include "test_engine.h"
#include <umbel/crdt_types.h>

struct job {
    const char *text;                    /* to put in front; NULL: only read */
    um_err refuse;                       /* what the work says */
    int runs, done;
    um_err err;
    uint64_t seq;
    struct um_buf seen;                  /* the text when it ran */
};

static um_err put_text(struct job *j, struct um_crdt *crdt, struct um_crdt_applied *applied)
{
    struct um_crdt_type t;
    um_err err;

    if ((err = um_crdt_root(crdt, UM_SPAN_STR("t"), UM_CRDT_TEXT, &t)) != UM_OK ||
        (err = um_crdt_begin(crdt, 77, NULL)) != UM_OK ||
        (err = um_crdt_text_insert(crdt, &t, 0, UM_SPAN_STR(j->text), UM_SPAN(NULL, 0))) != UM_OK)
        return err;
    return um_crdt_commit(crdt, applied);
}

static um_err work(void *arg, struct um_crdt *crdt, uint64_t seq, struct um_crdt_applied *applied)
{
    struct job *j = arg;

    j->runs++;
    j->seq = seq;
    (void)!um_crdt_declare_root(crdt, UM_SPAN_STR("t"), UM_CRDT_TEXT);
    (void)!um_crdt_read_text(crdt, UM_SPAN_STR("t"), &j->seen);
    if (j->refuse != UM_OK)
        return j->refuse;
    return j->text != NULL ? put_text(j, crdt, applied) : UM_OK;
}

static void done(void *arg, um_err err)
{
    struct job *j = arg;

    j->done++;
    j->err = err;
}

static void start(struct bench *b, struct job *j, const char *document)
{
    um_collab_work_on(b->collab, um_reactors_loop(b->reactors, 0), document, "robot", work, done, j);
}

static void run(struct bench *b, struct job *j, const char *document)
{
    start(b, j, document);
    bench_until(b, j->done > 0);
}

static void seed(struct bench *b, const char *document, const char *text)
{
    struct um_buf u = { 0 };

    text_update(&u, 7, text);
    bench_store_append(b, document, UM_SPAN(u.data, u.len));
    um_buf_free(&u);
}

static void a_document_that_is_not_there_is_not_made(void **state)
{
    struct bench b;
    struct job j = { .text = "x" };

    (void)state;
    engine_open(&b);
    run(&b, &j, "none");
    assert_int_equal(j.err, UM_ENOTFOUND);
    assert_int_equal(j.runs, 0);
    bench_stop(&b);
}

static void a_closed_document_is_loaded_to_be_read_and_let_go_again(void **state)
{
    struct bench b;
    struct job j = { 0 };

    (void)state;
    engine_open(&b);
    seed(&b, "d", "stored");
    run(&b, &j, "d");
    assert_int_equal(j.err, UM_OK);
    assert_string_equal(um_buf_cstr(&j.seen), "stored");
    assert_int_equal(j.seq, 1);
    um_buf_free(&j.seen);
    bench_stop(&b);
}

static void an_edit_reaches_the_editors_and_the_store(void **state)
{
    struct bench b;
    struct peer p;
    struct job j = { .text = "by the server, " };
    struct um_buf out = { 0 };

    (void)state;
    engine_open(&b);
    seed(&b, "d", "by a user");
    OPEN_AND_JOIN(&b, &p, ADDR("d"), "good");
    run(&b, &j, "d");
    assert_int_equal(j.err, UM_OK);
    bench_stored_text(&b, "d", &out);
    assert_string_equal(um_buf_cstr(&out), "by the server, by a user");
    peer_read_until_text(&p, 24);
    um_buf_free(&out);
    um_buf_free(&j.seen);
    peer_close(&p);
    bench_stop(&b);
}

static void an_edit_is_not_done_before_it_is_stored(void **state)
{
    struct bench b;
    struct job j = { .text = "x" };
    int64_t retries;

    (void)state;
    engine_open(&b);
    seed(&b, "d", "y");
    assert_int_equal(um_failpoint_set("edit.before_commit", "error"), UM_OK);
    retries = bench_count(C_STORE_RETRIES);
    start(&b, &j, "d");
    bench_until(&b, bench_count(C_STORE_RETRIES) > retries);
    assert_int_equal(j.runs, 1);
    assert_int_equal(j.done, 0);
    assert_int_equal(um_failpoint_set("edit.before_commit", "off"), UM_OK);
    bench_until(&b, j.done > 0);
    assert_int_equal(j.err, UM_OK);
    um_buf_free(&j.seen);
    bench_stop(&b);
}

static void what_the_work_says_is_what_is_heard(void **state)
{
    struct bench b;
    struct job j = { .refuse = UM_EDENIED };

    (void)state;
    engine_open(&b);
    seed(&b, "d", "y");
    run(&b, &j, "d");
    assert_int_equal(j.err, UM_EDENIED);
    um_buf_free(&j.seen);
    bench_stop(&b);
}

static void an_edit_of_a_document_that_is_deleted_meanwhile_is_refused(void **state)
{
    struct bench b;
    struct job j = { .text = "x" }, late = { .text = "x" };

    (void)state;
    engine_open(&b);
    seed(&b, "d", "y");
    run(&b, &j, "d");
    bench_store_delete(&b, "d");
    run(&b, &late, "d");
    assert_int_equal(late.err, UM_ENOTFOUND);
    um_buf_free(&j.seen);
    um_buf_free(&late.seen);
    bench_stop(&b);
}

int work_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_that_is_not_there_is_not_made),
        cmocka_unit_test(a_closed_document_is_loaded_to_be_read_and_let_go_again),
        cmocka_unit_test(an_edit_reaches_the_editors_and_the_store),
        cmocka_unit_test(an_edit_is_not_done_before_it_is_stored),
        cmocka_unit_test(what_the_work_says_is_what_is_heard),
        cmocka_unit_test(an_edit_of_a_document_that_is_deleted_meanwhile_is_refused),
    };
    return cmocka_run_group_tests_name("collab work", tests, NULL, NULL);
}
