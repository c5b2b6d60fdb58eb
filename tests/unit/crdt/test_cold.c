/* A cold document says what the warm one would say. */
#include "support.h"
#include <stdlib.h>
#include <string.h>

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

static struct um_crdt *doc_open(struct um_span state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_bytes *bytes = um_bytes_dup(state.data, state.len);

    assert_non_null(bytes);
    assert_int_equal(um_crdt_open(doc, bytes), UM_OK);
    um_bytes_unref(bytes);
    return doc;
}

static struct um_crdt *doc_warm(struct um_span state)
{
    struct um_crdt *doc = doc_new(true);

    assert_int_equal(um_crdt_load(doc, state, NULL), UM_OK);
    return doc;
}

static void check_same_state(struct tally *t, const struct um_crdt *a, const struct um_crdt *b, const char *what)
{
    struct um_buf x = state_of(a), y = state_of(b);

    check_bytes(t, buf_span(&x), buf_span(&y), "%s", what);
    um_buf_free(&x);
    um_buf_free(&y);
}

/* Integrating a whole state joins some collected runs that the single updates had left apart, in yjs as well. */
static void check_same_reloaded(struct tally *t, const struct um_crdt *a, const struct um_crdt *b, const char *what)
{
    struct um_buf x = state_of(a), y = state_of(b);
    struct um_crdt *c = doc_warm(buf_span(&x)), *d = doc_warm(buf_span(&y));

    check_same_state(t, c, d, what);
    um_crdt_free(c);
    um_crdt_free(d);
    um_buf_free(&x);
    um_buf_free(&y);
}

static void check_state_vector(struct tally *t, const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_buf x = { 0 }, y = { 0 };

    assert_int_equal(um_crdt_state_vector(a, &x), UM_OK);
    assert_int_equal(um_crdt_state_vector(b, &y), UM_OK);
    check_bytes(t, buf_span(&x), buf_span(&y), "state vector");
    um_buf_free(&x);
    um_buf_free(&y);
}

/* A reader that has the first half of the updates and takes from COLD what it lacks. */
static void check_difference(struct tally *t, const json_t *updates, struct um_crdt *cold, const struct um_crdt *warm)
{
    struct um_crdt *a = doc_new(true), *b = doc_new(true);
    struct um_buf sv = { 0 }, from_cold = { 0 }, from_warm = { 0 };

    for (size_t i = 0; i < json_array_size(updates) / 2; i++) {
        struct um_buf u = b64(json_array_get(updates, i));

        assert_int_equal(um_crdt_apply(a, buf_span(&u), NULL), UM_OK);
        assert_int_equal(um_crdt_apply(b, buf_span(&u), NULL), UM_OK);
        um_buf_free(&u);
    }
    assert_int_equal(um_crdt_state_vector(a, &sv), UM_OK);
    assert_int_equal(um_crdt_encode(cold, buf_span(&sv), &from_cold), UM_OK);
    check(t, um_crdt_is_cold(cold), "a difference warms the document");
    assert_int_equal(um_crdt_encode(warm, buf_span(&sv), &from_warm), UM_OK);
    assert_int_equal(um_crdt_apply(a, buf_span(&from_cold), NULL), UM_OK);
    assert_int_equal(um_crdt_apply(b, buf_span(&from_warm), NULL), UM_OK);
    check_same_reloaded(t, a, b, "after the difference");
    um_buf_free(&sv);
    um_buf_free(&from_cold);
    um_buf_free(&from_warm);
    um_crdt_free(a);
    um_crdt_free(b);
}

static void check_reading(struct tally *t, struct um_crdt *cold, struct um_crdt *warm, const json_t *roots)
{
    const char *name;
    json_t *kind;

    json_object_foreach((json_t *)roots, name, kind) {
        struct um_buf x = { 0 }, y = { 0 };
        um_err e = um_crdt_declare_root(cold, UM_SPAN_STR(name), kind_of(json_string_value(kind)));

        check(t, !um_crdt_is_cold(cold), "declaring needs the insides");
        check(t, um_crdt_declare_root(warm, UM_SPAN_STR(name), kind_of(json_string_value(kind))) == e, "declare %s", name);
        if (e == UM_OK) {
            assert_int_equal(um_crdt_read_dump(cold, UM_SPAN_STR(name), &x), UM_OK);
            assert_int_equal(um_crdt_read_dump(warm, UM_SPAN_STR(name), &y), UM_OK);
            check_bytes(t, buf_span(&x), buf_span(&y), "dump of %s", name);
        }
        um_buf_free(&x);
        um_buf_free(&y);
    }
}

/* What a client that has the same state answers: everything deleted, and nothing else. */
static void check_known(struct tally *t, struct um_crdt *cold, struct um_span state)
{
    struct um_buf sv = { 0 }, nothing_new = { 0 };
    struct um_crdt_applied a;
    bool known = false;

    assert_int_equal(um_crdt_state_vector(cold, &sv), UM_OK);
    assert_int_equal(um_crdt_diff(NULL, state, buf_span(&sv), &nothing_new), UM_OK);
    assert_int_equal(um_crdt_apply(cold, buf_span(&nothing_new), &a), UM_OK);
    check(t, !a.changed && !a.pending && um_crdt_is_cold(cold), "an answer without news warms the document");
    assert_int_equal(um_crdt_apply(cold, state, &a), UM_OK);
    check(t, !a.changed && !a.pending && um_crdt_is_cold(cold), "its own state warms the document");
    assert_int_equal(um_crdt_contains(cold, state, &known), UM_OK);
    check(t, known, "its own state is known");
    um_buf_free(&sv);
    um_buf_free(&nothing_new);
}

static bool has_pending(const json_t *vector)
{
    return json_object_get(json_object_get(vector, "untyped"), "pending") != NULL;
}

static void compare(struct tally *t, const json_t *vector)
{
    const json_t *updates = json_object_get(vector, "updates_v1");
    struct um_buf state;
    struct um_crdt *cold, *warm;

    if (updates == NULL || json_object_get(vector, "untyped") == NULL)
        return;
    state = b64(json_object_get(json_object_get(vector, "untyped"), "state_v1"));
    cold = doc_open(buf_span(&state));
    warm = doc_warm(buf_span(&state));
    check(t, um_crdt_is_cold(cold) == !has_pending(vector), "a complete state stays cold, another does not");
    check_state_vector(t, cold, warm);
    if (um_crdt_is_cold(cold)) {
        struct um_buf again = state_of(cold);

        check_bytes(t, buf_span(&again), buf_span(&state), "the state as it came");
        um_buf_free(&again);
        check_difference(t, updates, cold, warm);
        check_known(t, cold, buf_span(&state));
        check(t, um_crdt_is_cold(cold), "state vectors and states are served cold");
    }
    check_reading(t, cold, warm, json_object_get(vector, "roots"));
    check_same_state(t, cold, warm, "integrated");
    um_crdt_free(cold);
    um_crdt_free(warm);
    um_buf_free(&state);
}

static void a_cold_document_answers_as_the_warm_one(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, compare);
    print_message("%u checks\n", t.checked);
    assert_true(t.checked > 500);
    assert_int_equal(t.failed, 0);
}

/* One replica is frozen before every update. */
static void freeze_between(struct tally *t, const json_t *vector)
{
    const json_t *updates = json_object_get(vector, "updates_v1"), *u;
    struct um_crdt *a = doc_new(true), *b = doc_new(true);
    size_t i;

    json_array_foreach((json_t *)updates, i, u) {
        struct um_buf bytes = b64(u);
        struct um_crdt_applied x, y;
        struct um_crdt_stats stats;
        bool known;

        um_crdt_get_stats(b, &stats);
        check(t, um_crdt_freeze(b) == (stats.pending_structs + stats.pending_ranges > 0 ? UM_ECONFLICT : UM_OK), "freeze");
        assert_int_equal(um_crdt_apply(a, buf_span(&bytes), &x), UM_OK);
        assert_int_equal(um_crdt_apply(b, buf_span(&bytes), &y), UM_OK);
        check(t, x.changed == y.changed && x.pending == y.pending, "update %zu", i);
        assert_int_equal(um_crdt_contains(b, buf_span(&bytes), &known), UM_OK);
        check(t, known == !y.pending, "update %zu is known", i);
        um_buf_free(&bytes);
    }
    check_state_vector(t, a, b);
    check_same_reloaded(t, a, b, "frozen again and again");
    um_crdt_free(a);
    um_crdt_free(b);
}

static void freezing_changes_nothing_that_can_be_seen(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, freeze_between);
    assert_true(t.checked > 500);
    assert_int_equal(t.failed, 0);
}

static void a_state_with_a_hole_or_a_tail_is_integrated_at_once(void **state)
{
    static const uint8_t late[] = { 1, 1, 9, 5, 4, 1, 1, 't', 1, 'x', 0 },
                         foreign[] = { 1, 1, 9, 0, 0x84, 8, 3, 1, 'x', 0 },
                         deletion[] = { 0, 1, 9, 1, 0, 3 },
                         trailing[] = { 1, 1, 9, 0, 4, 1, 1, 't', 1, 'x', 0, 77 },
                         skip[] = { 1, 2, 9, 0, 4, 1, 1, 't', 1, 'x', 10, 4, 0 },
                         ascending[] = { 2, 1, 8, 0, 4, 1, 1, 't', 1, 'x', 1, 9, 0, 4, 1, 1, 't', 1, 'y', 0 },
                         empty[] = { 1, 2, 9, 0, 4, 1, 1, 't', 0, 4, 1, 1, 't', 1, 'x', 0 },
                         none[] = { 2, 0, 9, 0, 1, 8, 0, 4, 1, 1, 't', 1, 'x', 0 },
                         right[] = { 1, 1, 9, 0, 0x44, 8, 3, 1, 'x', 0 },
                         within[] = { 1, 1, 9, 0, 4, 0, 8, 3, 1, 'x', 0 };
    const struct um_span states[] = { UM_SPAN(late, sizeof(late)), UM_SPAN(foreign, sizeof(foreign)),
                                      UM_SPAN(deletion, sizeof(deletion)), UM_SPAN(trailing, sizeof(trailing)),
                                      UM_SPAN(skip, sizeof(skip)), UM_SPAN(ascending, sizeof(ascending)),
                                      UM_SPAN(empty, sizeof(empty)), UM_SPAN(none, sizeof(none)),
                                      UM_SPAN(right, sizeof(right)), UM_SPAN(within, sizeof(within)) };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(states); i++) {
        struct um_crdt *doc = doc_open(states[i]);

        assert_false(um_crdt_is_cold(doc));
        um_crdt_free(doc);
    }
}

static void opening_wants_an_empty_document_and_good_bytes(void **state)
{
    static const uint8_t good[] = { 1, 1, 9, 0, 4, 1, 1, 't', 1, 'x', 0 };
    struct um_bytes *a = um_bytes_dup(good, sizeof(good)), *b = um_bytes_dup(good, sizeof(good) - 1);
    struct um_crdt *doc = doc_new(true);

    (void)state;
    assert_int_equal(um_crdt_open(doc, b), UM_EPROTO);
    assert_false(um_crdt_is_cold(doc));
    assert_int_equal(um_crdt_open(doc, a), UM_OK);
    assert_true(um_crdt_is_cold(doc));
    assert_int_equal(um_crdt_open(doc, a), UM_ECONFLICT);
    um_crdt_free(doc);
    um_bytes_unref(a);
    um_bytes_unref(b);
}

static void only_a_document_without_anything_can_be_opened(void **state)
{
    static const uint8_t good[] = { 1, 1, 9, 0, 4, 1, 1, 't', 1, 'x', 0 }, waits[] = { 1, 1, 9, 5, 4, 1, 1, 't', 1, 'x', 0 },
                         deletes[] = { 0, 1, 9, 1, 5, 1 };
    struct um_bytes *state_bytes = um_bytes_dup(good, sizeof(good));

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct um_crdt *doc = doc_new(true);

        if (i == 0)
            assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
        else
            assert_int_equal(um_crdt_apply(doc, i == 1 ? UM_SPAN(good, sizeof(good)) : i == 2 ? UM_SPAN(waits, sizeof(waits))
                                           : UM_SPAN(deletes, sizeof(deletes)), NULL), UM_OK);
        assert_int_equal(um_crdt_open(doc, state_bytes), UM_ECONFLICT);
        um_crdt_free(doc);
    }
    um_bytes_unref(state_bytes);
}

static void what_is_opened_has_the_documents_limit(void **state)
{
    static const uint8_t two[] = { 1, 2, 9, 0, 4, 1, 1, 't', 1, 'x', 4, 1, 1, 't', 1, 'y', 0 };
    struct um_bytes *bytes = um_bytes_dup(two, sizeof(two));
    struct um_crdt_conf cf;

    (void)state;
    um_crdt_conf_init(&cf);
    for (uint32_t limit = 1; limit <= 2; limit++) {
        struct um_crdt *doc;

        cf.limits.structs = limit;
        assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
        assert_int_equal(um_crdt_open(doc, bytes), limit == 2 ? UM_OK : UM_ELIMIT);
        assert_true(um_crdt_is_cold(doc) == (limit == 2));
        um_crdt_free(doc);
    }
    um_bytes_unref(bytes);
}

static void a_malformed_update_leaves_a_cold_document_cold(void **state)
{
    static const uint8_t good[] = { 1, 1, 9, 0, 4, 1, 1, 't', 1, 'x', 0 };
    struct um_crdt *doc = doc_open(UM_SPAN(good, sizeof(good)));
    bool known;

    (void)state;
    assert_int_equal(um_crdt_contains(doc, UM_SPAN(good, sizeof(good)), &known), UM_OK);
    assert_true(known);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(good, 9), NULL), UM_EPROTO);
    assert_int_equal(um_crdt_contains(doc, UM_SPAN(good, 9), &known), UM_EPROTO);
    assert_true(um_crdt_is_cold(doc));
    assert_int_equal(um_crdt_contains(doc, UM_SPAN("\1\1\7\0\4\1\1t\1y\0", 11), &known), UM_OK);
    assert_false(known);
    um_crdt_free(doc);
}

static void a_declared_root_keeps_a_document_warm(void **state)
{
    static const uint8_t good[] = { 1, 1, 9, 0, 4, 1, 1, 't', 1, 'x', 0 };
    struct um_crdt *doc = doc_warm(UM_SPAN(good, sizeof(good)));

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN("t", 1), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_freeze(doc), UM_ECONFLICT);
    um_crdt_free(doc);
}

static unsigned countdown;

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    (void)ctx;
    return countdown > 0 && --countdown == 0 ? NULL : realloc(p, size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void without_memory_a_cold_document_stays_cold(void **state)
{
    json_t *vector = vector_load("random-mixed-1.json");
    struct um_buf bytes = b64(json_object_get(json_object_get(vector, "untyped"), "state_v1")), out = { 0 };
    struct um_bytes *shared = um_bytes_dup(bytes.data, bytes.len);
    struct um_crdt_conf conf;
    struct um_crdt *doc;
    static const uint8_t news[] = { 1, 1, 0x7f, 0, 4, 1, 1, '#', 1, 'x', 0 };
    unsigned n = 0;

    (void)state;
    um_crdt_conf_init(&conf);
    conf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, NULL };
    assert_int_equal(um_crdt_new(&conf, &doc), UM_OK);
    for (um_err err = UM_ENOMEM; err != UM_OK; n++) {
        countdown = n + 1;
        err = um_crdt_open(doc, shared);
        countdown = 0;
        assert_true(err == UM_OK || (err == UM_ENOMEM && !um_crdt_is_cold(doc)));
    }
    assert_true(um_crdt_is_cold(doc));
    for (n = 0; um_crdt_is_cold(doc); n++) {
        countdown = n + 1;
        um_err err = um_crdt_apply(doc, UM_SPAN(news, sizeof(news)), NULL);
        countdown = 0;
        assert_true(err == UM_OK ? !um_crdt_is_cold(doc) : err == UM_ENOMEM);
    }
    assert_true(n > 3);
    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &out), UM_OK);
    assert_true(out.len > bytes.len);
    um_crdt_free(doc);
    um_bytes_unref(shared);
    um_buf_free(&bytes);
    um_buf_free(&out);
    json_decref(vector);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cold_document_answers_as_the_warm_one),
        cmocka_unit_test(freezing_changes_nothing_that_can_be_seen),
        cmocka_unit_test(a_state_with_a_hole_or_a_tail_is_integrated_at_once),
        cmocka_unit_test(opening_wants_an_empty_document_and_good_bytes),
        cmocka_unit_test(only_a_document_without_anything_can_be_opened),
        cmocka_unit_test(what_is_opened_has_the_documents_limit),
        cmocka_unit_test(a_malformed_update_leaves_a_cold_document_cold),
        cmocka_unit_test(a_declared_root_keeps_a_document_warm),
        cmocka_unit_test(without_memory_a_cold_document_stays_cold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
