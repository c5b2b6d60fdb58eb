/* The v2 half of the vectors: what real yjs 13.6 read and wrote in update format v2 must come out here, byte for byte. */
#include "columns.h"
#include "doc.h"
#include "support.h"
#include "v2.h"
#include <string.h>
#include <umbel/crdt_v2.h>

#define INPUTS_MAX 4096

/* ---- helpers ------------------------------------------------------------------------------------------- */

static bool is_same(const json_t *v) { return json_is_string(v) && strcmp(json_string_value(v), "same") == 0; }

typedef um_err apply_fn(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out);

static void apply_one(struct tally *t, struct um_crdt *doc, const json_t *update, apply_fn *apply)
{
    struct um_buf b = b64(update);
    um_err err = apply(doc, buf_span(&b), NULL);

    check(t, err == UM_OK, "apply: %s", um_err_text(err));
    um_buf_free(&b);
}

static void apply_all(struct tally *t, struct um_crdt *doc, const json_t *updates, apply_fn *apply)
{
    json_t *u;
    size_t i;

    json_array_foreach((json_t *)updates, i, u)
        apply_one(t, doc, u, apply);
}

static void check_b64(struct tally *t, um_err err, struct um_buf *got, const json_t *want, const char *what)
{
    struct um_buf w = b64(want);

    if (check(t, err == UM_OK, "%s: %s", what, um_err_text(err)))
        check_bytes(t, buf_span(got), buf_span(&w), "%s", what);
    um_buf_free(&w);
    um_buf_clear(got);
}

/* All of a list are there. */
static bool is_complete(const json_t *list)
{
    json_t *v;
    size_t i;

    json_array_foreach((json_t *)list, i, v)
        if (!json_is_string(v))
            return false;
    return json_is_array(list);
}

/* ---- documents ----------------------------------------------------------------------------------------- */

static void check_document(struct tally *t, const json_t *vector, const char *what, bool typed, bool gc)
{
    const json_t *part = json_object_get(vector, what), *v2 = json_object_get(vector, "updates_v2");
    const json_t *via = json_object_get(vector, "via_v2_state_v1");
    struct um_crdt *doc = doc_new(gc);
    struct um_buf got = { 0 };

    if (is_same(part))
        part = json_object_get(vector, "untyped");
    if (typed)
        declare_roots(doc, vector);
    apply_all(t, doc, json_object_get(vector, "updates_v1"), um_crdt_apply);
    check_b64(t, um_crdt_encode_v2(doc, UM_SPAN(NULL, 0), &got), &got, json_object_get(part, "state_v2"), what);
    um_crdt_free(doc);
    if (is_complete(v2)) {
        doc = doc_new(gc);
        if (typed)
            declare_roots(doc, vector);
        apply_all(t, doc, v2, um_crdt_apply_v2);
        check_b64(t, um_crdt_encode(doc, UM_SPAN(NULL, 0), &got), &got,
                  via != NULL ? via : json_object_get(part, "state_v1"), what);
        um_crdt_free(doc);
    }
    um_buf_free(&got);
}

static void documents_of(struct tally *t, const json_t *vector)
{
    if (json_object_get(vector, "untyped") == NULL)
        return;
    check_document(t, vector, "untyped", false, true);
    check_document(t, vector, "typed", true, true);
    check_document(t, vector, "nogc", false, false);
}

static void documents_read_and_write_v2_as_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, documents_of);
}

static void reload_of(struct tally *t, const json_t *vector)
{
    const json_t *untyped = json_object_get(vector, "untyped"), *want = json_object_get(vector, "reload_state_v1");
    struct um_crdt *doc;
    struct um_buf got = { 0 };

    if (want == NULL)
        return;
    doc = doc_new(true);
    apply_one(t, doc, json_object_get(untyped, "state_v2"), um_crdt_load_v2);
    check_b64(t, um_crdt_encode(doc, UM_SPAN(NULL, 0), &got), &got,
              is_same(want) ? json_object_get(untyped, "state_v1") : want, "loaded");
    um_crdt_free(doc);
    um_buf_free(&got);
}

static void a_state_in_v2_loads_like_one_in_v1(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, reload_of);
}

/* ---- without a document -------------------------------------------------------------------------------- */

static void check_merge(struct tally *t, const json_t *updates, const json_t *order, const json_t *want,
                        const char *what)
{
    static struct um_buf bufs[INPUTS_MAX];
    static struct um_span spans[INPUTS_MAX];
    size_t n = json_array_size(order != NULL ? order : updates);
    struct um_buf got = { 0 };

    assert_true(n <= INPUTS_MAX);
    for (size_t i = 0; i < n; i++) {
        size_t k = order != NULL ? (size_t)json_integer_value(json_array_get(order, i)) : i;

        bufs[i] = b64(json_array_get(updates, k));
        spans[i] = buf_span(&bufs[i]);
    }
    check_b64(t, um_crdt_merge_v2(NULL, spans, n, &got), &got, want, what);
    for (size_t i = 0; i < n; i++)
        um_buf_free(&bufs[i]);
    um_buf_free(&got);
}

static void note_meta(void *arg, uint64_t client, uint32_t from, uint32_t to)
{
    json_t *meta = arg;
    char key[32];

    snprintf(key, sizeof(key), "%llu", (unsigned long long)client);
    json_object_set_new(json_object_get(meta, "from"), key, json_integer(from));
    json_object_set_new(json_object_get(meta, "to"), key, json_integer(to));
}

static void check_figures(struct tally *t, const json_t *merge, struct um_span v2)
{
    struct um_crdt_update_stats stats;
    struct um_buf got = { 0 };
    json_t *meta = json_pack("{s:{},s:{}}", "from", "to");

    check_b64(t, um_crdt_sv_of_update_v2(NULL, v2, &got), &got, json_object_get(merge, "sv_v1"), "state vector");
    check(t, um_crdt_update_meta_v2(NULL, v2, note_meta, meta) == UM_OK, "meta");
    check(t, json_same(meta, json_object_get(merge, "meta")), "meta");
    check(t, um_crdt_validate_v2(NULL, v2, &stats) == UM_OK && stats.bytes == v2.len, "stats");
    json_decref(meta);
    um_buf_free(&got);
}

static void check_holes(struct tally *t, const json_t *updates, const json_t *merge)
{
    const json_t *holes = json_object_get(merge, "holes");
    struct um_buf got = { 0 };
    struct um_crdt *doc;

    if (holes == NULL)
        return;
    if (is_complete(updates))
        check_merge(t, updates, json_object_get(holes, "keep"), json_object_get(holes, "v2"), "with holes");
    doc = doc_new(true);
    apply_one(t, doc, json_object_get(holes, "v2"), um_crdt_apply_v2);
    check_b64(t, um_crdt_encode_v2(doc, UM_SPAN(NULL, 0), &got), &got,
              json_object_get(json_object_get(holes, "applied"), "state_v2"), "holes applied");
    um_crdt_free(doc);
    um_buf_free(&got);
}

static void merge_of(struct tally *t, const json_t *vector)
{
    const json_t *merge = json_object_get(vector, "merge"), *updates = json_object_get(vector, "updates_v2");
    struct um_buf v1, v2, got = { 0 };

    if (merge == NULL || !json_is_string(json_object_get(merge, "v2")))
        return;
    v1 = b64(json_object_get(merge, "v1"));
    v2 = b64(json_object_get(merge, "v2"));
    if (is_complete(updates))
        check_merge(t, updates, NULL, json_object_get(merge, "v2"), "in order");
    check_b64(t, um_crdt_v1_to_v2(NULL, buf_span(&v1), &got), &got, json_object_get(merge, "v1_to_v2"), "v1 to v2");
    check_b64(t, um_crdt_v2_to_v1(NULL, buf_span(&v2), &got), &got, json_object_get(merge, "v2_to_v1"), "v2 to v1");
    check_figures(t, merge, buf_span(&v2));
    check_holes(t, updates, merge);
    um_buf_free(&v1);
    um_buf_free(&v2);
    um_buf_free(&got);
}

static void merging_and_converting_equal_that_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, merge_of);
}

static void diffs_of(struct tally *t, const json_t *vector)
{
    const json_t *merged = json_object_get(json_object_get(vector, "merge"), "v2"), *d;
    struct um_crdt *doc;
    size_t i;

    if (json_object_get(vector, "diffs") == NULL)
        return;
    doc = doc_new(true);
    apply_all(t, doc, json_object_get(vector, "updates_v1"), um_crdt_apply);
    json_array_foreach(json_object_get(vector, "diffs"), i, d) {
        const json_t *by_doc = json_object_get(d, "doc_v2"), *by_update = json_object_get(d, "update_v2");
        struct um_buf sv = b64(json_object_get(d, "sv")), got = { 0 };

        check_b64(t, um_crdt_encode_v2(doc, buf_span(&sv), &got), &got, by_doc, "difference of the document");
        if (json_is_string(merged) && json_is_string(by_update)) {
            struct um_buf m = b64(merged);
            bool same = strcmp(json_string_value(by_update), "=doc") == 0;

            check_b64(t, um_crdt_diff_v2(NULL, buf_span(&m), buf_span(&sv), &got), &got, same ? by_doc : by_update,
                      "difference of the merged update");
            um_buf_free(&m);
        }
        um_buf_free(&sv);
        um_buf_free(&got);
    }
    um_crdt_free(doc);
}

static void differences_equal_those_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, diffs_of);
}

/* ---- to and fro ---------------------------------------------------------------------------------------- */

/* v1 -> v2 -> v1 -> v2: the first step may tidy up (key flags, order of deletions), the others change nothing. */
static void check_round(struct tally *t, const json_t *update)
{
    struct um_buf v1 = b64(update), v2 = { 0 }, again = { 0 }, v2_again = { 0 };
    struct um_crdt_update_stats a, b;

    check(t, um_crdt_v1_to_v2(NULL, buf_span(&v1), &v2) == UM_OK, "to v2");
    check(t, um_crdt_v2_to_v1(NULL, buf_span(&v2), &again) == UM_OK, "back to v1");
    check(t, um_crdt_v1_to_v2(NULL, buf_span(&again), &v2_again) == UM_OK, "and to v2 again");
    check_bytes(t, buf_span(&v2_again), buf_span(&v2), "round trip");
    check(t, um_crdt_validate(NULL, buf_span(&v1), &a) == UM_OK && um_crdt_validate_v2(NULL, buf_span(&v2), &b) == UM_OK &&
                 a.structs == b.structs && a.sections == b.sections && a.skips == b.skips,
          "round trip: figures");
    um_buf_free(&v1);
    um_buf_free(&v2);
    um_buf_free(&again);
    um_buf_free(&v2_again);
}

/* What a document emits keeps its key flags. Updates written by yjs 13.2 were converted. */
static void check_as_emitted(struct tally *t, const json_t *v1, const json_t *v2)
{
    bool converted = strncmp(t->file, "compat-", 7) == 0;
    struct um_buf b = b64(v1), got = { 0 };
    struct mem m;

    mem_init(&m, NULL);
    check_b64(t, update_to_v2(&m, buf_span(&b), converted, &got), &got, v2, "as emitted");
    um_buf_free(&b);
    um_buf_free(&got);
}

/* Lone halves of surrogate pairs are U+FFFD in v1 and can be whole pairs in v2, where strings are joined. */
static void rounds_of(struct tally *t, const json_t *vector)
{
    const json_t *updates = json_object_get(vector, "updates_v1"), *v2 = json_object_get(vector, "updates_v2");
    bool same = json_object_get(vector, "via_v2_state_v1") == NULL && strstr(t->file, "surrogate-lone") == NULL;
    json_t *u;
    size_t i;

    json_array_foreach((json_t *)updates, i, u) {
        check_round(t, u);
        if (same && json_is_string(json_array_get(v2, i)))
            check_as_emitted(t, u, json_array_get(v2, i));
    }
    if (json_object_get(vector, "untyped") != NULL)
        check_round(t, json_object_get(json_object_get(vector, "untyped"), "state_v1"));
}

static void converting_to_and_fro_changes_nothing(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, rounds_of);
}

/* ---- columns ------------------------------------------------------------------------------------------- */

static int64_t integer_of(const json_t *v) { return (int64_t)json_number_value(v); }

/* What follows its length. */
static struct um_span column_of(const struct um_buf *b)
{
    struct rd r = rd_make(buf_span(b));

    return rd_bytes(&r);
}

static void uint_column(struct tally *t, const json_t *values, struct um_span bytes)
{
    um_err err = UM_OK;
    struct uint_column c = uint_column_make(bytes, &err);
    struct uint_writer w = { 0 };
    struct um_buf got = { 0 };
    json_t *v;
    size_t i;

    json_array_foreach((json_t *)values, i, v) {
        check(t, uint_column_read(&c) == (uint64_t)integer_of(v), "value %zu", i);
        uint_write(&w, (uint64_t)integer_of(v));
    }
    uint_writer_end(&w, &got);
    check_bytes(t, column_of(&got), bytes, "unsigned column");
    check(t, err == UM_OK, "unsigned column");
    um_buf_free(&got);
}

static void diff_column(struct tally *t, const json_t *values, struct um_span bytes)
{
    um_err err = UM_OK;
    struct diff_column c = diff_column_make(bytes, &err);
    struct diff_writer w = { 0 };
    struct um_buf got = { 0 };
    json_t *v;
    size_t i;

    json_array_foreach((json_t *)values, i, v) {
        check(t, diff_column_read(&c) == integer_of(v), "value %zu", i);
        diff_write(&w, integer_of(v));
    }
    diff_writer_end(&w, &got);
    check_bytes(t, column_of(&got), bytes, "column of differences");
    check(t, err == UM_OK, "column of differences");
    um_buf_free(&got);
}

static void byte_column(struct tally *t, const json_t *values, struct um_span bytes)
{
    um_err err = UM_OK;
    struct byte_column c = byte_column_make(bytes, &err);
    struct byte_writer w = { 0 };
    struct um_buf got = { 0 };
    json_t *v;
    size_t i;

    json_array_foreach((json_t *)values, i, v) {
        check(t, byte_column_read(&c) == integer_of(v), "value %zu", i);
        byte_write(&w, (uint8_t)integer_of(v));
    }
    byte_writer_end(&w, &got);
    check_bytes(t, column_of(&got), bytes, "column of bytes");
    check(t, err == UM_OK, "column of bytes");
    um_buf_free(&got);
}

static void text_column(struct tally *t, const json_t *values, struct um_span bytes)
{
    um_err err = UM_OK;
    struct text_column c = text_column_make(bytes, &err);
    struct text_writer w = { 0 };
    struct um_buf got = { 0 };
    json_t *v;
    size_t i;

    json_array_foreach((json_t *)values, i, v) {
        struct um_span want = UM_SPAN(json_string_value(v), json_string_length(v));
        struct column_text text = text_column_read(&c);

        check_bytes(t, text.body, want, "string %zu", i);
        check(t, !text.head_half && !text.tail_half, "string %zu", i);
        text_write(&w, want);
    }
    text_writer_end(&w, &got);
    check_bytes(t, column_of(&got), bytes, "column of strings");
    check(t, err == UM_OK, "column of strings");
    um_buf_free(&got);
}

static const struct column_kind {
    const char *name;
    void (*check)(struct tally *t, const json_t *values, struct um_span bytes);
} column_kinds[] = {
    { "uint_opt_rle", uint_column }, { "int_diff_opt_rle", diff_column }, { "rle_u8", byte_column },
    { "string_column", text_column },
};

static void columns_of(struct tally *t, const json_t *vector)
{
    json_t *c;
    size_t i;

    for (size_t k = 0; k < UM_COUNT(column_kinds); k++)
        json_array_foreach(json_object_get(vector, column_kinds[k].name), i, c) {
            struct um_buf b = b64(json_object_get(c, "bytes"));

            column_kinds[k].check(t, json_object_get(c, "v"), buf_span(&b));
            um_buf_free(&b);
        }
}

static void columns_are_lib0s(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, columns_of);
}

/* ---- hostile updates ----------------------------------------------------------------------------------- */

/* yjs expands the bomb; it is beyond our budget. */
static void hostile_of(struct tally *t, const json_t *vector)
{
    struct um_buf base, got = { 0 };
    json_t *c;
    size_t i;

    if (json_object_get(vector, "cases") == NULL)
        return;
    base = b64(json_object_get(vector, "base_v1"));
    json_array_foreach(json_object_get(vector, "cases"), i, c) {
        const char *name = json_string_value(json_object_get(c, "name"));
        bool bomb = strcmp(name, "v2-struct-bomb") == 0;
        bool refused = bomb || strcmp(json_string_value(json_object_get(c, "yjs")), "throws") == 0;
        struct um_crdt *doc;
        struct um_buf b;
        um_err err;

        if (!json_is_true(json_object_get(c, "v2")))
            continue;
        b = b64(json_object_get(c, "bytes"));
        doc = doc_new(true);
        assert_int_equal(um_crdt_apply(doc, buf_span(&base), NULL), UM_OK);
        err = um_crdt_apply_v2(doc, buf_span(&b), NULL);
        check(t, (err != UM_OK) == refused && (!bomb || err == UM_ELIMIT), "%s: %s", name, um_err_text(err));
        check(t, um_crdt_encode(doc, UM_SPAN(NULL, 0), &got) == UM_OK, "%s", name);
        check_bytes(t, buf_span(&got), buf_span(&base), "%s: no change", name);
        um_buf_clear(&got);
        um_crdt_free(doc);
        um_buf_free(&b);
    }
    um_buf_free(&base);
    um_buf_free(&got);
}

static void hostile_updates_are_refused_or_harmless(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, hostile_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_read_and_write_v2_as_yjs),
        cmocka_unit_test(a_state_in_v2_loads_like_one_in_v1),
        cmocka_unit_test(merging_and_converting_equal_that_of_yjs),
        cmocka_unit_test(differences_equal_those_of_yjs),
        cmocka_unit_test(converting_to_and_fro_changes_nothing),
        cmocka_unit_test(columns_are_lib0s),
        cmocka_unit_test(hostile_updates_are_refused_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
