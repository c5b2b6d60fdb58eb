/* Snapshots and relative positions of the vectors: what real yjs 13.6 wrote and showed must come out here. */
#include "snapshot.h"                 /* type_resolve: the vectors name nested types by paths */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_position.h>
#include <umbel/crdt_snapshot.h>

#define EMPTY UM_SPAN(NULL, 0)

static void apply(struct um_crdt *doc, const json_t *update)
{
    struct um_buf b = b64(update);

    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    um_buf_free(&b);
}

static void apply_some(struct um_crdt *doc, const json_t *updates, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        apply(doc, json_array_get(updates, i));
}

static void check_b64(struct tally *t, um_err err, struct um_buf *got, const json_t *want, const char *what)
{
    struct um_buf w = b64(want);

    check(t, err == UM_OK, "%s: %s", what, um_err_text(err));
    check_bytes(t, buf_span(got), buf_span(&w), "%s", what);
    um_buf_free(&w);
    um_buf_clear(got);
}

static struct um_crdt_type root_named(const struct um_crdt *doc, const char *name)
{
    struct um_crdt_type type;

    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR(name), &type), UM_OK);
    return type;
}

/* ---- snapshots of states ------------------------------------------------------------------------------- */

static void check_forms_of_snapshot(struct tally *t, const struct um_crdt *doc, const json_t *v1, const json_t *v2)
{
    struct um_buf a = b64(v1), b = b64(v2), got = { 0 };

    check_b64(t, um_crdt_snapshot(doc, 1, &got), &got, v1, "snapshot");
    check_b64(t, um_crdt_snapshot(doc, 2, &got), &got, v2, "snapshot v2");
    check_b64(t, um_crdt_snapshot_to_v2(NULL, buf_span(&a), &got), &got, v2, "snapshot to v2");
    check_b64(t, um_crdt_snapshot_from_v2(NULL, buf_span(&b), &got), &got, v1, "snapshot from v2");
    um_buf_free(&a);
    um_buf_free(&b);
    um_buf_free(&got);
}

static void check_state_snapshot(struct tally *t, const json_t *vector, const char *part, bool typed, bool gc)
{
    const json_t *want = json_object_get(vector, part), *updates = json_object_get(vector, "updates_v1");
    struct um_crdt *doc;

    if (want == NULL)
        return;
    if (json_is_string(want))             /* "same" */
        want = json_object_get(vector, "untyped");
    doc = doc_new(gc);
    if (typed)
        declare_roots(doc, vector);
    apply_some(doc, updates, 0, json_array_size(updates));
    check_forms_of_snapshot(t, doc, json_object_get(want, "snapshot_v1"), json_object_get(want, "snapshot_v2"));
    um_crdt_free(doc);
}

static void state_snapshots_of(struct tally *t, const json_t *vector)
{
    if (json_object_get(vector, "untyped") == NULL)
        return;
    check_state_snapshot(t, vector, "untyped", false, true);
    check_state_snapshot(t, vector, "typed", true, true);
    check_state_snapshot(t, vector, "nogc", false, false);
}

static void a_states_snapshot_equals_that_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, state_snapshots_of);
}

/* ---- reading and restoring at one ---------------------------------------------------------------------- */

static void check_restored(struct tally *t, const json_t *vector, const struct um_crdt *doc,
                           struct um_span snapshot, const json_t *content)
{
    struct um_buf got = { 0 };
    struct um_crdt *old;
    const char *name;
    json_t *want;

    if (!check(t, um_crdt_from_snapshot(doc, snapshot, NULL, &old) == UM_OK, "restored"))
        return;
    declare_roots(old, vector);
    json_object_foreach((json_t *)content, name, want) {
        struct um_crdt_type type = root_named(doc, name);

        check_json(t, um_crdt_read_dump(old, UM_SPAN_STR(name), &got), &got, want, "restored");
        check_json(t, um_crdt_read_dump_at(doc, &type, snapshot, &got), &got, want, "read at a snapshot");
    }
    um_crdt_free(old);
    um_buf_free(&got);
}

static void check_deltas(struct tally *t, const struct um_crdt *doc, struct um_span snapshot, struct um_span last,
                         const json_t *s)
{
    struct um_buf got = { 0 };
    const char *name;
    json_t *want;

    json_object_foreach(json_object_get(s, "delta_at"), name, want) {
        struct um_crdt_type type = root_named(doc, name);
        const json_t *changes = json_object_get(json_object_get(s, "delta_diff_from_empty"), name);

        check_json(t, um_crdt_read_delta_at(doc, &type, &snapshot, NULL, false, UM_CRDT_TAGGED, &got), &got, want,
                   "delta at a snapshot");
        check_json(t, um_crdt_read_delta_at(doc, &type, &last, &snapshot, false, UM_CRDT_TAGGED, &got), &got,
                   changes,
                   "delta between snapshots");
    }
    um_buf_free(&got);
}

static void check_snapshot(struct tally *t, const json_t *vector, const struct um_crdt *doc, struct um_span last,
                           const json_t *s)
{
    struct um_buf bytes = b64(json_object_get(s, "v1")), before = { 0 }, after = { 0 };

    assert_int_equal(um_crdt_encode(doc, EMPTY, &before), UM_OK);
    check_restored(t, vector, doc, buf_span(&bytes), json_object_get(s, "content"));
    check_deltas(t, doc, buf_span(&bytes), last, s);
    assert_int_equal(um_crdt_encode(doc, EMPTY, &after), UM_OK);
    check_bytes(t, buf_span(&after), buf_span(&before), "reading at a snapshot changes nothing");
    um_buf_free(&bytes);
    um_buf_free(&before);
    um_buf_free(&after);
}

static void snapshots_of(struct tally *t, const json_t *vector)
{
    const json_t *snapshots = json_object_get(vector, "snapshots"), *updates = json_object_get(vector,
                                                                                               "updates_v1");
    struct um_buf last = { 0 };
    struct um_crdt *doc;
    json_t *s;
    size_t i, done = 0;

    if (snapshots == NULL)
        return;
    doc = doc_new(false);
    declare_roots(doc, vector);
    json_array_foreach((json_t *)snapshots, i, s) {
        size_t after = (size_t)json_integer_value(json_object_get(s, "after"));

        apply_some(doc, updates, done, after);
        done = after;
        check_forms_of_snapshot(t, doc, json_object_get(s, "v1"), json_object_get(s, "v2"));
    }
    apply_some(doc, updates, done, json_array_size(updates));
    assert_int_equal(um_crdt_snapshot(doc, 1, &last), UM_OK);
    json_array_foreach((json_t *)snapshots, i, s)
        check_snapshot(t, vector, doc, buf_span(&last), s);
    um_buf_free(&last);
    um_crdt_free(doc);
}

static void a_document_reads_and_restores_as_it_was(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, snapshots_of);
}

/* ---- relative positions -------------------------------------------------------------------------------- */

/* Bytes and JSON of POS are R's; both ways back lead to what the bytes carry. */
static void check_forms(struct tally *t, const struct um_crdt_position *pos, const json_t *r)
{
    struct um_buf got = { 0 }, name = { 0 }, want = b64(json_object_get(r, "bytes"));
    char *json = json_dumps(json_object_get(r, "json"), JSON_COMPACT);
    struct um_crdt_position again;

    check(t, um_crdt_position_from_json(UM_SPAN_STR(json), &name, &again) == UM_OK && um_crdt_position_equal(pos,
                                                                                                             &again),
          "position from JSON");
    check_json(t, um_crdt_position_to_json(&again, &got), &got, json_object_get(r, "json"), "position as JSON");
    check(t, um_crdt_position_encode(pos, &got) == UM_OK, "position");
    check_bytes(t, buf_span(&got), buf_span(&want), "position");
    free(json);
    um_buf_free(&got);
    um_buf_free(&name);
    um_buf_free(&want);
}

static void check_resolved(struct tally *t, const struct um_crdt *doc, const json_t *bytes, const json_t *want,
                           const char *what, size_t step)
{
    struct um_buf b = b64(bytes);
    struct um_crdt_position pos;
    struct um_crdt_type type;
    uint32_t index = 0;
    um_err err = um_crdt_position_decode(buf_span(&b), &pos);

    check(t, err == UM_OK, "%s: %s", what, um_err_text(err));
    err = um_crdt_position_resolve(doc, &pos, &type, &index);
    if (json_is_null(want))
        check(t, err == UM_ENOTFOUND, "%s: step %zu: %s", what, step, um_err_text(err));
    else
        check(t, err == UM_OK && index == json_integer_value(want), "%s: step %zu: %s, %u, expected %d", what,
              step,
              um_err_text(err), index, (int)json_integer_value(want));
    um_buf_free(&b);
}

static void positions_of(struct tally *t, const json_t *vector)
{
    const json_t *updates = json_object_get(vector, "updates_v1");
    struct um_crdt *half, *whole;
    json_t *r;
    size_t i;

    if (json_array_size(json_object_get(vector, "relpos")) == 0)
        return;
    half = doc_new(true);
    whole = doc_new(true);
    declare_roots(half, vector);
    declare_roots(whole, vector);
    r = json_array_get(json_object_get(vector, "relpos"), 0);
    apply_some(half, updates, 0, (size_t)json_integer_value(json_object_get(r, "made_after")));
    apply_some(whole, updates, 0, json_array_size(updates));
    json_array_foreach(json_object_get(vector, "relpos"), i, r) {
        struct um_crdt_type type = root_named(half, json_string_value(json_object_get(r, "root")));
        struct um_crdt_position pos;

        check(t, um_crdt_position_make(half, &type, (uint32_t)json_integer_value(json_object_get(r, "index")),
                                       json_integer_value(json_object_get(r, "assoc")), &pos) == UM_OK, "make");
        check_forms(t, &pos, r);
        check_resolved(t, whole, json_object_get(r, "bytes"), json_object_get(r, "resolved"), "position", i);
    }
    um_crdt_free(half);
    um_crdt_free(whole);
}

/* A root's name, then indices of lists. */
static struct um_crdt_type type_at(const struct um_crdt *doc, const json_t *path)
{
    struct um_crdt_type type = root_named(doc, json_string_value(json_array_get(path, 0)));

    for (size_t i = 1; i < json_array_size(path); i++) {
        struct um_crdt_position pos;

        assert_int_equal(um_crdt_position_make(doc, &type, (uint32_t)json_integer_value(json_array_get(path, i)),
                                               0, &pos), UM_OK);
        assert_true(pos.has_item);
        type = (struct um_crdt_type){ pos.item.client, pos.item.clock, 0 };
    }
    return type;
}

static void nested_positions_of(struct tally *t, const json_t *vector)
{
    const json_t *updates = json_object_get(vector, "updates_v1");
    json_t *r, *want;
    size_t i, k;

    json_array_foreach(json_object_get(vector, "relpos_nested"), i, r) {
        struct um_crdt *doc = doc_new(true), *made = doc_new(true);
        struct um_crdt_position pos;
        struct um_crdt_type type;

        declare_roots(doc, vector);
        declare_roots(made, vector);
        apply_some(made, updates, 0, (size_t)json_integer_value(json_object_get(r, "after")));
        type = type_at(made, json_object_get(r, "path"));
        check(t, um_crdt_position_make(made, &type, (uint32_t)json_integer_value(json_object_get(r, "index")),
                                       json_integer_value(json_object_get(r, "assoc")), &pos) == UM_OK, "make");
        check_forms(t, &pos, r);
        json_array_foreach(json_object_get(r, "resolved"), k, want) {
            if (k > 0)
                apply(doc, json_array_get(updates, k - 1));
            check_resolved(t, doc, json_object_get(r, "bytes"), want, "nested position", k);
        }
        um_crdt_free(doc);
        um_crdt_free(made);
    }
}

static void positions_equal_those_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, positions_of);
}

static void nested_positions_are_followed_through_changes(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, nested_positions_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_states_snapshot_equals_that_of_yjs),
        cmocka_unit_test(a_document_reads_and_restores_as_it_was),
        cmocka_unit_test(positions_equal_those_of_yjs),
        cmocka_unit_test(nested_positions_are_followed_through_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
