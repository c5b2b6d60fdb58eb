/* What administrators see of the engine, and what they may do to it. */
#include "test_engine.h"

struct seen { json_t *rows; size_t found; unsigned calls; };

static void note(void *arg, json_t *rows, size_t found)
{
    struct seen *s = arg;

    json_decref(s->rows);
    s->rows = rows;
    s->found = found;
    s->calls++;
}

typedef void list_fn(struct um_collab *c, struct um_loop *l, const struct um_collab_filter *f, um_collab_rows_fn *done, void *arg);

/* The values of KEY in the rows, with blanks between. */
static const char *list(struct bench *b, list_fn *fn, struct um_collab_filter f, const char *key, struct seen *s)
{
    static char text[256];
    unsigned calls = s->calls;

    if (f.max == 0)
        f.max = 100;
    fn(b->collab, um_reactors_loop(b->reactors, 0), &f, note, s);
    assert_int_equal(s->calls, calls);                   /* never inside the call */
    bench_until(b, s->calls > calls);
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(s->rows); i++) {
        const char *value = json_string_value(json_object_get(json_array_get(s->rows, i), key));
        assert_non_null(value);
        strncat(text, " ", sizeof(text) - strlen(text) - 1);
        strncat(text, value, sizeof(text) - strlen(text) - 1);
    }
    return text;
}

static json_t *first(const struct seen *s, const char *key) { return json_object_get(json_array_get(s->rows, 0), key); }

static void open_documents_are_listed_by_name_from_all_reactors(void **state)
{
    struct bench b;
    struct peer p, q;
    struct seen s = { 0 };

    (void)state;
    engine_open(&b);
    assert_string_equal(list(&b, um_collab_list_documents, (struct um_collab_filter){ 0 }, "name", &s), "");
    OPEN_AND_JOIN(&b, &p, ADDR("delta"), "good");
    peer_join(&p, ADDR("alpha"), "good");
    peer_join(&p, ADDR("Beta"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("alpha"), "good");
    assert_string_equal(list(&b, um_collab_list_documents, (struct um_collab_filter){ 0 }, "name", &s), " Beta alpha delta");
    assert_int_equal(s.found, 3);
    assert_string_equal(list(&b, um_collab_list_documents, (struct um_collab_filter){ .max = 2 }, "name", &s), " Beta alpha");
    assert_int_equal(s.found, 3);
    assert_string_equal(list(&b, um_collab_list_documents, (struct um_collab_filter){ .after = "Beta", .max = 1 }, "name", &s), " alpha");
    assert_string_equal(list(&b, um_collab_list_documents, (struct um_collab_filter){ .contains = "EL" }, "name", &s), " delta");
    assert_null(first(&s, "version"));
    assert_string_equal(list(&b, um_collab_list_documents, (struct um_collab_filter){ .document = "alpha" }, "state", &s), " OPEN");
    assert_int_equal(json_integer_value(first(&s, "connections")), 2);
    assert_non_null(first(&s, "version"));
    json_decref(s.rows);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void sockets_are_listed_with_what_they_have_open(void **state)
{
    struct bench b;
    struct peer p, q;
    struct seen s = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("a"), "good");
    peer_join(&p, ADDR("b"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("b"), "good");
    list(&b, um_collab_list_sockets, (struct um_collab_filter){ 0 }, "id", &s);
    assert_int_equal(s.found, 2);
    list(&b, um_collab_list_sockets, (struct um_collab_filter){ .document = "a" }, "protocol", &s);
    assert_int_equal(s.found, 1);
    assert_int_equal(json_integer_value(first(&s, "documentCount")), 2);
    assert_true(json_integer_value(first(&s, "bytesIn")) > 0);
    assert_true(json_integer_value(first(&s, "bytesOut")) > 0);
    assert_string_equal(list(&b, um_collab_list_sockets, (struct um_collab_filter){ .user = "nobody" }, "id", &s), "");
    json_decref(s.rows);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_list_can_be_of_names_that_begin_alike(void **state)
{
    const struct um_collab_filter gec = { .under = "component/GEC/" }, main_scope = { .under = "component/main/", .or_free = true };
    struct bench b;
    struct peer p, q;
    struct seen s = { 0 };

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("component/GEC/a"), "good");
    peer_join(&p, ADDR("free"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("component/GEC2/b"), "good");
    assert_string_equal(list(&b, um_collab_list_documents, gec, "name", &s), " component/GEC/a");
    assert_int_equal(s.found, 1);
    assert_string_equal(list(&b, um_collab_list_documents, main_scope, "name", &s), " free");
    list(&b, um_collab_list_sockets, gec, "id", &s);
    assert_int_equal(s.found, 1);
    assert_int_equal(json_integer_value(first(&s, "documentCount")), 1);
    assert_int_equal(json_array_size(first(&s, "documents")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(first(&s, "documents"), 0), "name")), "component/GEC/a");
    list(&b, um_collab_list_sockets, (struct um_collab_filter){ .under = "component/none/" }, "id", &s);
    assert_int_equal(s.found, 0);
    json_decref(s.rows);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void one_socket_is_closed_and_the_others_stay(void **state)
{
    struct bench b;
    struct peer p, q;
    struct seen s = { 0 };
    uint64_t id;

    (void)state;
    engine_open(&b);
    OPEN_AND_JOIN(&b, &p, ADDR("a"), "good");
    OPEN_AND_JOIN(&b, &q, ADDR("b"), "good");
    list(&b, um_collab_list_sockets, (struct um_collab_filter){ .document = "a" }, "id", &s);
    id = strtoull(json_string_value(first(&s, "id")), NULL, 10);
    um_collab_close_socket(b.collab, um_reactors_loop(b.reactors, 0), id, &(struct um_collab_filter){ .max = 1, .under = "b" }, "go home", note, &s);
    bench_until(&b, s.calls == 2);
    assert_int_equal(s.found, 0);                        /* it has none of these */
    um_collab_close_socket(b.collab, um_reactors_loop(b.reactors, 0), id, &(struct um_collab_filter){ .max = 1, .under = "a" },
                           "go home", note, &s);
    peer_expect_close(&p, 4205);
    bench_until(&b, s.calls == 3);
    assert_int_equal(s.found, 1);
    list(&b, um_collab_list_sockets, (struct um_collab_filter){ .document = "b" }, "id", &s);
    assert_int_equal(s.found, 1);
    um_collab_close_socket(b.collab, um_reactors_loop(b.reactors, 0), 99999999, &(struct um_collab_filter){ .max = 1 }, "go home", note, &s);
    bench_until(&b, s.calls == 5);
    assert_int_equal(s.found, 0);
    json_decref(s.rows);
    peer_close(&p);
    peer_close(&q);
    bench_stop(&b);
}

static void a_reload_waits_for_what_is_unstored_and_brings_the_editors_back(void **state)
{
    struct bench b;
    struct peer p;
    struct um_buf u = { 0 }, out = { 0 };

    (void)state;
    engine_open(&b);
    peer_open(&b, &p);
    peer_token(&p, ADDR("d"), "good", "4.0.0");
    peer_expect(&p, ADDR("d"), WIRE_AUTH, AUTH_OK, UM_SPAN_STR("read-write"));
    assert_int_equal(um_failpoint_set("edit.before_commit", "error"), UM_OK);
    peer_say(&p, ADDR("d"), WIRE_SYNC, SYNC_UPDATE, text_update(&u, 7, "kept"));
    bench_until(&b, bench_stats(&b).unstored_bytes > 0);
    um_collab_reload(b.collab, "d");
    bench_turns(&b, 20);
    assert_int_equal(bench_stats(&b).connections, 1);    /* not while anything is unstored */
    assert_int_equal(um_failpoint_set("edit.before_commit", "off"), UM_OK);
    peer_expect_empty(&p, ADDR("d"), WIRE_SYNC_STATUS, 1);
    peer_expect(&p, ADDR("d"), WIRE_CLOSE, NO_KIND, UM_SPAN_STR("Reset Connection"));
    peer_expect_empty(&p, ADDR("d"), WIRE_AUTH, AUTH_TOKEN);
    bench_until(&b, bench_stats(&b).documents == 0);
    bench_stored_text(&b, "d", &out);
    assert_string_equal(um_buf_cstr(&out), "kept");
    um_collab_reload(b.collab, "d");                     /* nothing is open: nothing happens */
    um_buf_free(&u);
    um_buf_free(&out);
    peer_close(&p);
    bench_stop(&b);
}

int listing_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_documents_are_listed_by_name_from_all_reactors),
        cmocka_unit_test(sockets_are_listed_with_what_they_have_open),
        cmocka_unit_test(a_list_can_be_of_names_that_begin_alike),
        cmocka_unit_test(one_socket_is_closed_and_the_others_stay),
        cmocka_unit_test(a_reload_waits_for_what_is_unstored_and_brings_the_editors_back),
    };
    return cmocka_run_group_tests_name("collab listing", tests, NULL, NULL);
}
