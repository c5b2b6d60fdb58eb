/* What observers are told, beside what yjs tells its own (tests/vectors/own/generate-events.mjs wrote that down;
 * UMBEL_EVENT_VECTORS names another folder of such files), and the promises around it. */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_events.h>
#include <umbel/crdt_types.h>

/* ---- listening ----------------------------------------------------------------------------------------- */

struct heard {
    json_t *all;                      /* one object per call */
    enum um_crdt_form form;
    unsigned incomplete, calls;
    const void *origin;
    bool local;
};

static json_t *parsed(const struct um_buf *b)
{
    json_error_t err;
    json_t *j = json_loadb((const char *)b->data, b->len, JSON_ALLOW_NUL | JSON_DECODE_ANY, &err);

    if (j == NULL)
        fail_msg("%s in %.*s", err.text, (int)b->len, (const char *)b->data);
    return j;
}

/* A part by itself is what it is in the whole; EMPTY where the whole leaves it out. */
static void assert_part(um_err err, struct um_buf *b, const json_t *whole, const char *key, const char *empty)
{
    json_t *part, *want = json_object_get(whole, key);

    assert_int_equal(err, UM_OK);
    part = parsed(b);
    want = want != NULL ? json_incref(want) : json_loads(empty, 0, NULL);
    if (!json_same(part, want))
        fail_msg("%s: %.*s", key, (int)b->len, (const char *)b->data);
    json_decref(part);
    json_decref(want);
    um_buf_clear(b);
}

static void assert_parts(const struct um_crdt_changes *c, enum um_crdt_form form, const json_t *whole)
{
    const json_t *list = json_object_get(whole, "changes");
    struct um_buf b = { 0 };

    assert_int_equal(json_array_size(list), c->n);
    for (size_t i = 0; i < c->n; i++) {
        const json_t *one = json_array_get(list, i);

        assert_part(um_crdt_change_path(c, i, &b), &b, one, "path", "[]");
        assert_part(um_crdt_change_delta(c, i, form, &b), &b, one, "delta", "[]");
        assert_part(um_crdt_change_keys(c, i, form, &b), &b, one, "keys", "{}");
        assert_int_equal(c->v[i].list, json_object_get(one, "delta") != NULL);
        assert_int_equal(c->v[i].keys, json_object_get(one, "keys") != NULL);
    }
    assert_int_equal(um_crdt_change_path(c, c->n, &b), UM_EINVAL);
    assert_int_equal(um_crdt_change_delta(c, c->n, form, &b), UM_EINVAL);
    assert_int_equal(um_crdt_change_keys(c, c->n, form, &b), UM_EINVAL);
    um_buf_free(&b);
}

static void hear(void *arg, const struct um_crdt_changes *changes)
{
    struct heard *h = arg;
    struct um_buf b = { 0 };
    json_t *whole;

    h->calls++;
    h->incomplete += changes->incomplete;
    h->origin = changes->origin;
    h->local = changes->local;
    assert_int_equal(um_crdt_changes_json(changes, h->form, &b), UM_OK);
    whole = parsed(&b);
    assert_parts(changes, h->form, whole);
    json_array_append_new(h->all, whole);
    um_buf_free(&b);
}

static void apply_b64(struct um_crdt *doc, const json_t *update)
{
    struct um_buf u = b64(update);

    assert_int_equal(um_crdt_apply(doc, buf_span(&u), NULL), UM_OK);
    um_buf_free(&u);
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

/* ---- vectors ------------------------------------------------------------------------------------------- */

static void check_same(struct tally *t, const json_t *got, const json_t *want, size_t update)
{
    char *a, *b;

    if (check(t, json_same(got, want), "update %zu", update))
        return;
    a = json_dumps(got, JSON_COMPACT);
    b = json_dumps(want, JSON_COMPACT);
    fprintf(stderr, "   got  %.3000s\n   want %.3000s\n", a, b);
    free(a);
    free(b);
}

static void replay(struct tally *t, const json_t *v)
{
    bool gc = json_is_true(json_object_get(v, "gc"));
    struct um_crdt *doc = doc_new(gc), *deaf = doc_new(gc);
    const json_t *updates = json_object_get(v, "updates_v1");
    struct um_buf a, b;

    declare_roots(doc, v);
    declare_roots(deaf, v);
    for (size_t i = 0; i < json_array_size(updates); i++) {
        struct heard h = { .all = json_array(), .form = UM_CRDT_TAGGED };

        um_crdt_observe(doc, hear, &h);
        apply_b64(doc, json_array_get(updates, i));
        apply_b64(deaf, json_array_get(updates, i));
        check_same(t, h.all, json_array_get(json_object_get(v, "events"), i), i);
        assert_int_equal(h.incomplete, 0);
        json_decref(h.all);
    }
    a = state_of(doc);
    b = state_of(deaf);
    check_bytes(t, buf_span(&a), buf_span(&b), "listening changes the document");
    um_buf_free(&a);
    um_buf_free(&b);
    um_crdt_free(doc);
    um_crdt_free(deaf);
}

static void events_are_those_of_yjs(void **state)
{
    const char *dir = getenv("UMBEL_EVENT_VECTORS");
    struct tally t = { 0 };

    (void)state;
    vectors_walk_in(dir != NULL ? dir : UM_TEST_VECTORS "/own/events", &t, replay);
}

/* ---- promises ------------------------------------------------------------------------------------------ */

#define APPLY(doc, ...)                                                                          \
    do {                                                                                         \
        static const uint8_t u_[] = { __VA_ARGS__ };                                             \
        assert_int_equal(um_crdt_apply(doc, UM_SPAN(u_, sizeof(u_)), NULL), UM_OK);              \
    } while (0)

/* Client 1: "ab" in the text t; then "c" behind it, as a keystroke. */
#define TYPED_AB 1, 1, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 0
#define TYPED_C  1, 1, 1, 2, 132, 1, 1, 1, 'c', 0

static struct um_crdt *doc_with_text(void)
{
    struct um_crdt *doc = doc_new(true);

    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    return doc;
}

static void assert_heard(const struct heard *h, const char *want)
{
    json_t *j = json_loads(want, 0, NULL);
    char *got;

    assert_non_null(j);
    if (!json_same(h->all, j)) {
        got = json_dumps(h->all, 0);
        fail_msg("%s", got);
    }
    json_decref(j);
}

static void who_stops_listening_is_not_told(void **state)
{
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_with_text();

    (void)state;
    um_crdt_observe(doc, hear, &h);
    um_crdt_observe(doc, NULL, NULL);
    APPLY(doc, TYPED_AB);
    assert_int_equal(h.calls, 0);
    um_crdt_free(doc);
    json_decref(h.all);
}

static void keystrokes_are_told_with_their_origin(void **state)
{
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_with_text();

    (void)state;
    APPLY(doc, TYPED_AB);
    um_crdt_observe(doc, hear, &h);
    um_crdt_set_origin(doc, &h);
    APPLY(doc, TYPED_C);
    assert_ptr_equal(h.origin, &h);
    assert_false(h.local);
    assert_heard(&h, "[{\"local\":false,\"changes\":[{\"root\":\"t\",\"path\":[],\"kind\":\"Text\","
                     "\"delta\":[{\"retain\":2},{\"insert\":\"c\"}]}]}]");
    um_crdt_free(doc);
    json_decref(h.all);
}

static void what_was_known_is_not_told_again(void **state)
{
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_with_text();

    (void)state;
    APPLY(doc, TYPED_AB);
    um_crdt_observe(doc, hear, &h);
    APPLY(doc, TYPED_AB);
    assert_int_equal(h.calls, 0);
    um_crdt_free(doc);
    json_decref(h.all);
}

static void a_root_that_nobody_declared_tells_its_list(void **state)
{
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    um_crdt_observe(doc, hear, &h);
    APPLY(doc, TYPED_AB);
    assert_heard(&h, "[{\"local\":false,\"changes\":[{\"root\":\"t\",\"path\":[],\"kind\":\"Untyped\","
                     "\"delta\":[{\"insert\":[\"a\",\"b\"]}]}]}]");
    um_crdt_free(doc);
    json_decref(h.all);
}

/* undefined, a big integer, bytes. */
static void the_plain_form_is_that_of_the_readers(void **state)
{
    struct heard h = { .all = json_array(), .form = UM_CRDT_PLAIN };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    um_crdt_observe(doc, hear, &h);
    APPLY(doc, 1, 1, 1, 0, 8, 1, 1, 'a', 3, 127, 122, 0, 0, 0, 0, 0, 0, 0, 5, 116, 1, 7, 0);
    assert_heard(&h, "[{\"local\":false,\"changes\":[{\"root\":\"a\",\"path\":[],\"kind\":\"Untyped\","
                     "\"delta\":[{\"insert\":[null,\"5\",\"Bw==\"]}]}]}]");
    um_crdt_free(doc);
    json_decref(h.all);
}

/* A later update brings what an earlier one waits for: one transaction, one call with both. */
static void what_waited_is_told_when_it_goes_in(void **state)
{
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_with_text();

    (void)state;
    um_crdt_observe(doc, hear, &h);
    APPLY(doc, TYPED_C);
    assert_int_equal(h.calls, 0);
    APPLY(doc, TYPED_AB);
    assert_heard(&h, "[{\"local\":false,\"changes\":[{\"root\":\"t\",\"path\":[],\"kind\":\"Text\","
                     "\"delta\":[{\"insert\":\"abc\"}]}]}]");
    um_crdt_free(doc);
    json_decref(h.all);
}

static void the_clean_up_is_local_and_nobodys(void **state)
{
    json_t *v = vector_load("rich-gap-cleanup.json");
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    declare_roots(doc, v);
    um_crdt_observe(doc, hear, &h);
    um_crdt_set_origin(doc, &h);
    for (size_t i = 0; i < json_array_size(json_object_get(v, "updates_v1")) && !h.local; i++)
        apply_b64(doc, json_array_get(json_object_get(v, "updates_v1"), i));
    assert_true(h.local);
    assert_null(h.origin);
    um_crdt_free(doc);
    json_decref(h.all);
    json_decref(v);
}

/* What a transaction's maker hears is what others hear of its update, but for `local` and the origin. */
static void edits_are_told_to_their_maker_and_to_others_alike(void **state)
{
    struct heard mine = { .all = json_array() }, theirs = { .all = json_array() };
    struct um_crdt *doc = doc_with_text(), *peer = doc_with_text();
    struct um_crdt_applied out;
    struct um_crdt_type t;

    (void)state;
    APPLY(doc, TYPED_AB);
    APPLY(peer, TYPED_AB);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &t), UM_OK);
    um_crdt_observe(doc, hear, &mine);
    um_crdt_observe(peer, hear, &theirs);
    assert_int_equal(um_crdt_begin(doc, 7, &t), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, &t, 1, UM_SPAN_STR("xyz"), UM_SPAN_STR("{\"b\":true}")), UM_OK);
    assert_int_equal(um_crdt_text_delete(doc, &t, 2, 1), UM_OK);
    assert_int_equal(um_crdt_text_delete(doc, &t, 0, 1), UM_OK);
    assert_int_equal(um_crdt_commit(doc, &out), UM_OK);
    assert_int_equal(um_crdt_apply(peer, out.event, NULL), UM_OK);
    assert_true(mine.local && !theirs.local);
    assert_ptr_equal(mine.origin, &t);
    assert_int_equal(mine.calls, 1);
    json_object_set_new(json_array_get(mine.all, 0), "local", json_false());
    assert_true(json_same(mine.all, theirs.all));
    assert_heard(&theirs, "[{\"local\":false,\"changes\":[{\"root\":\"t\",\"path\":[],\"kind\":\"Text\","
                          "\"delta\":[{\"delete\":1},{\"insert\":\"xz\",\"attributes\":{\"b\":true}}]}]}]");
    um_crdt_free(doc);
    um_crdt_free(peer);
    json_decref(mine.all);
    json_decref(theirs.all);
}

static void waking_a_cold_document_is_no_change(void **state)
{
    static const uint8_t ab[] = { TYPED_AB };
    struct um_bytes *bytes = um_bytes_dup(ab, sizeof(ab));
    struct heard h = { .all = json_array() };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    assert_int_equal(um_crdt_open(doc, bytes), UM_OK);
    um_bytes_unref(bytes);
    assert_true(um_crdt_is_cold(doc));
    um_crdt_observe(doc, hear, &h);
    APPLY(doc, TYPED_C);
    assert_heard(&h, "[{\"local\":false,\"changes\":[{\"root\":\"t\",\"path\":[],\"kind\":\"Untyped\","
                     "\"delta\":[{\"retain\":2},{\"insert\":[\"c\"]}]}]}]");
    assert_int_equal(um_crdt_freeze(doc), UM_ECONFLICT);
    um_crdt_free(doc);
    json_decref(h.all);
}

/* ---- lack of memory ------------------------------------------------------------------------------------ */

struct failing {
    unsigned countdown;
    unsigned told, incomplete;
    const json_t *want;               /* what is told when nothing is lost */
};

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    struct failing *f = ctx;

    return f->countdown > 0 && --f->countdown == 0 ? NULL : realloc(p, size);
}

static void plain_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void hear_poorly(void *arg, const struct um_crdt_changes *changes)
{
    struct failing *f = arg;
    struct um_buf b = { 0 };
    um_err err = um_crdt_changes_json(changes, UM_CRDT_TAGGED, &b);

    f->told++;
    f->incomplete += changes->incomplete;
    if (err == UM_OK && !changes->incomplete) {
        json_t *got = parsed(&b);

        assert_true(json_same(got, f->want));
        json_decref(got);
    } else if (err != UM_OK) {
        assert_int_equal(err, UM_ENOMEM);
    }
    um_buf_free(&b);
}

static void assert_same_content(const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_span name;
    enum um_crdt_kind kind;

    for (size_t pos = 0; um_crdt_roots(a, &pos, &name, &kind);) {
        struct um_buf x = { 0 }, y = { 0 };

        assert_int_equal(um_crdt_read_dump(a, name, &x), UM_OK);
        assert_int_equal(um_crdt_read_dump(b, name, &y), UM_OK);
        assert_true(um_span_eq(buf_span(&x), buf_span(&y)));
        um_buf_free(&x);
        um_buf_free(&y);
    }
}

/* Updates 0..LAST; allocation N of the last one fails. True: there was no such allocation. */
static bool session_ends(const json_t *v, size_t last, unsigned n, struct failing *f)
{
    struct um_crdt *doc, *calm = doc_new(false);
    const json_t *updates = json_object_get(v, "updates_v1");
    struct um_crdt_conf cf;
    struct um_buf u;
    bool ends;

    um_crdt_conf_init(&cf);
    cf.gc = cf.cleanup = false;
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, plain_free, f };
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    declare_roots(doc, v);
    declare_roots(calm, v);
    for (size_t i = 0; i <= last; i++)
        apply_b64(calm, json_array_get(updates, i));
    for (size_t i = 0; i < last; i++)
        apply_b64(doc, json_array_get(updates, i));
    u = b64(json_array_get(updates, last));
    f->want = json_array_get(json_array_get(json_object_get(v, "events"), last), 0);
    um_crdt_observe(doc, hear_poorly, f);
    f->countdown = n;
    if (um_crdt_apply(doc, buf_span(&u), NULL) != UM_OK)
        assert_int_equal(um_crdt_apply(doc, buf_span(&u), NULL), UM_OK);
    ends = f->countdown > 0;
    f->countdown = 0;
    assert_same_content(doc, calm);
    um_buf_free(&u);
    um_crdt_free(doc);
    um_crdt_free(calm);
    return ends;
}

static void lack_of_memory_is_told_and_changes_nothing_else(void **state)
{
    json_error_t err;
    json_t *v = json_load_file(UM_TEST_VECTORS "/own/events/nested-paths.json", 0, &err);
    struct failing f = { 0 };

    (void)state;
    assert_non_null(v);
    for (size_t last = 1; last < json_array_size(json_object_get(v, "updates_v1")); last++)
        for (unsigned n = 1; !session_ends(v, last, n, &f); n++)
            continue;
    print_message("%u calls, %u incomplete\n", f.told, f.incomplete);
    assert_true(f.incomplete > 0 && f.incomplete < f.told);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_those_of_yjs),
        cmocka_unit_test(who_stops_listening_is_not_told),
        cmocka_unit_test(keystrokes_are_told_with_their_origin),
        cmocka_unit_test(what_was_known_is_not_told_again),
        cmocka_unit_test(a_root_that_nobody_declared_tells_its_list),
        cmocka_unit_test(the_plain_form_is_that_of_the_readers),
        cmocka_unit_test(what_waited_is_told_when_it_goes_in),
        cmocka_unit_test(the_clean_up_is_local_and_nobodys),
        cmocka_unit_test(edits_are_told_to_their_maker_and_to_others_alike),
        cmocka_unit_test(waking_a_cold_document_is_no_change),
        cmocka_unit_test(lack_of_memory_is_told_and_changes_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
