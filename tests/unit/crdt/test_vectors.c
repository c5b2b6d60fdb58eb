/* Everything of the v1 format that real yjs 13.6 was asked for once must come out here, byte for byte. Parts of
 * the vectors that belong to later work (v2, operations) are counted and told; snapshots and relative positions are in
 * vectors_history.c. */
#include "doc.h"                      /* what is missing has no public view */
#include "support.h"
#include <stdlib.h>
#include <string.h>

#define STEPS 4096

/* ---- helpers ------------------------------------------------------------------------------------------- */



static bool is_same(const json_t *v) { return json_is_string(v) && strcmp(json_string_value(v), "same") == 0; }

static void apply_b64(struct tally *t, struct um_crdt *doc, const json_t *update, struct um_crdt_applied *out,
                      struct um_buf *keep)
{
    um_err err;

    *keep = b64(update);
    err = um_crdt_apply(doc, buf_span(keep), out);
    check(t, err == UM_OK, "apply: %s", um_err_text(err));
}

static void apply_one(struct tally *t, struct um_crdt *doc, const json_t *update)
{
    struct um_crdt_applied applied;
    struct um_buf keep;

    apply_b64(t, doc, update, &applied, &keep);
    um_buf_free(&keep);
}

static void apply_all(struct tally *t, struct um_crdt *doc, const json_t *updates)
{
    json_t *u;
    size_t i;

    json_array_foreach((json_t *)updates, i, u)
        apply_one(t, doc, u);
}

static void check_state(struct tally *t, struct um_crdt *doc, const json_t *want, const char *what)
{
    struct um_buf got = { 0 }, w = b64(want);

    check(t, um_crdt_encode(doc, UM_SPAN(NULL, 0), &got) == UM_OK, "%s: encode", what);
    check_bytes(t, buf_span(&got), buf_span(&w), "%s: state", what);
    um_buf_free(&got);
    um_buf_free(&w);
}

static void check_sv(struct tally *t, struct um_crdt *doc, const json_t *want, const char *what)
{
    struct um_buf got = { 0 }, w = b64(want);

    check(t, um_crdt_state_vector(doc, &got) == UM_OK, "%s: state vector", what);
    check_bytes(t, buf_span(&got), buf_span(&w), "%s: state vector", what);
    um_buf_free(&got);
    um_buf_free(&w);
}

/* ---- states and events --------------------------------------------------------------------------------- */

/* EXPECTED: "=" or the list of events. Ours may be the incoming bytes only if yjs' are too. */
static void check_events(struct tally *t, const struct um_crdt_applied *a, struct um_span in, const json_t *expected,
                         size_t step, const char *what)
{
    size_t n = (size_t)a->changed + a->n_more;

    if (json_is_string(expected)) {
        check(t, n == 1, "%s: update %zu: %zu events, expected one", what, step, n);
        check_bytes(t, a->event, in, "%s: update %zu: event", what, step);
        return;
    }
    check(t, n == json_array_size(expected), "%s: update %zu: %zu events, expected %zu", what, step, n,
          json_array_size(expected));
    for (size_t i = 0; i < n && i < json_array_size(expected); i++) {
        struct um_buf want = b64(json_array_get(expected, i));
        struct um_span got = i < (size_t)a->changed ? a->event : a->more[i - a->changed];

        check_bytes(t, got, buf_span(&want), "%s: update %zu: event %zu", what, step, i);
        um_buf_free(&want);
    }
}

static void check_document(struct tally *t, const json_t *vector, const char *what, bool typed, bool gc)
{
    const json_t *part = json_object_get(vector, what), *updates = json_object_get(vector, "updates_v1");
    const json_t *events;
    struct um_crdt *doc = doc_new(gc);
    bool same = is_same(part);
    json_t *u;
    size_t i;

    if (part == NULL) {
        um_crdt_free(doc);
        return;
    }
    if (same)
        part = json_object_get(vector, "untyped");
    events = json_object_get(part, "events_v1");
    if (typed)
        declare_roots(doc, vector);
    json_array_foreach((json_t *)updates, i, u) {
        struct um_crdt_applied applied;
        struct um_buf keep;

        apply_b64(t, doc, u, &applied, &keep);
        if (events != NULL && gc)
            check_events(t, &applied, buf_span(&keep), json_array_get(events, i), i, what);
        um_buf_free(&keep);
    }
    check_state(t, doc, json_object_get(part, "state_v1"), what);
    check_sv(t, doc, json_object_get(part, "sv"), what);
    if (json_object_get(part, "pending") != NULL)
        t->left_out++;                /* kept in v2 form there; seen through state_v1 */
    um_crdt_free(doc);
}

static void states_of(struct tally *t, const json_t *vector)
{
    if (json_object_get(vector, "untyped") == NULL)
        return;
    check_document(t, vector, "untyped", false, true);
    check_document(t, vector, "typed", true, true);
    check_document(t, vector, "nogc", false, false);
}

static void states_and_events_equal_those_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, states_of);
}

static void reload_of(struct tally *t, const json_t *vector)
{
    const json_t *want = json_object_get(vector, "reload_state_v1");
    const json_t *state = json_object_get(json_object_get(vector, "untyped"), "state_v1");
    struct um_crdt_applied applied;
    struct um_buf keep;
    struct um_crdt *doc;

    if (want == NULL)
        return;
    doc = doc_new(true);
    apply_b64(t, doc, state, &applied, &keep);
    check_state(t, doc, is_same(want) ? state : want, "reload");
    um_buf_free(&keep);
    um_crdt_free(doc);
}

static void a_stored_state_reloads_as_in_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, reload_of);
}

/* ---- differences --------------------------------------------------------------------------------------- */

static void diffs_of(struct tally *t, const json_t *vector)
{
    const json_t *merged = json_object_get(json_object_get(vector, "merge"), "v1"), *d;
    struct um_crdt *doc;
    size_t i;

    if (json_object_get(vector, "diffs") == NULL)
        return;
    doc = doc_new(true);
    apply_all(t, doc, json_object_get(vector, "updates_v1"));
    json_array_foreach(json_object_get(vector, "diffs"), i, d) {
        struct um_buf sv = b64(json_object_get(d, "sv")), got = { 0 }, want = b64(json_object_get(d, "doc_v1"));
        const json_t *by_update = json_object_get(d, "update_v1");

        check(t, um_crdt_encode(doc, buf_span(&sv), &got) == UM_OK, "diff %zu", i);
        check_bytes(t, buf_span(&got), buf_span(&want), "diff %zu: of the document", i);
        if (merged != NULL && by_update != NULL) {
            struct um_buf m = b64(merged);

            if (strcmp(json_string_value(by_update), "=doc") != 0) {
                um_buf_free(&want);
                want = b64(by_update);
            }
            um_buf_clear(&got);
            check(t, um_crdt_diff(NULL, buf_span(&m), buf_span(&sv), &got) == UM_OK, "diff %zu", i);
            check_bytes(t, buf_span(&got), buf_span(&want), "diff %zu: of the merged update", i);
            um_buf_free(&m);
        }
        um_buf_free(&sv);
        um_buf_free(&got);
        um_buf_free(&want);
    }
    um_crdt_free(doc);
}

static void differences_equal_those_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, diffs_of);
}

/* ---- merging without a document ------------------------------------------------------------------------ */

struct inputs {
    struct um_buf bufs[STEPS];
    struct um_span spans[STEPS];
    size_t n;
};

/* The updates in ORDER (NULL: all, as they are). */
static void inputs_load(struct inputs *in, const json_t *updates, const json_t *order)
{
    in->n = json_array_size(order != NULL ? order : updates);
    assert_true(in->n <= STEPS);
    for (size_t i = 0; i < in->n; i++) {
        size_t k = order != NULL ? (size_t)json_integer_value(json_array_get(order, i)) : i;

        in->bufs[i] = b64(json_array_get(updates, k));
        in->spans[i] = buf_span(&in->bufs[i]);
    }
}

static void inputs_free(struct inputs *in)
{
    for (size_t i = 0; i < in->n; i++)
        um_buf_free(&in->bufs[i]);
}

static void check_merge(struct tally *t, const json_t *updates, const json_t *order, const json_t *want,
                        const char *what)
{
    static struct inputs in;
    struct um_buf got = { 0 }, w = b64(want);

    inputs_load(&in, updates, order);
    check(t, um_crdt_merge(NULL, in.spans, in.n, &got) == UM_OK, "merge %s", what);
    check_bytes(t, buf_span(&got), buf_span(&w), "merge %s", what);
    inputs_free(&in);
    um_buf_free(&got);
    um_buf_free(&w);
}

static void note_meta(void *arg, uint64_t client, uint32_t from, uint32_t to)
{
    json_t *meta = arg;
    char key[32];

    snprintf(key, sizeof(key), "%llu", (unsigned long long)client);
    json_object_set_new(json_object_get(meta, "from"), key, json_integer(from));
    json_object_set_new(json_object_get(meta, "to"), key, json_integer(to));
}

static void check_figures(struct tally *t, const json_t *merge)
{
    struct um_buf m = b64(json_object_get(merge, "v1")), got = { 0 }, want = b64(json_object_get(merge, "sv_v1"));
    json_t *meta = json_pack("{s:{},s:{}}", "from", "to");

    check(t, um_crdt_sv_of_update(NULL, buf_span(&m), &got) == UM_OK, "state vector of the update");
    check_bytes(t, buf_span(&got), buf_span(&want), "state vector of the update");
    check(t, um_crdt_update_meta(NULL, buf_span(&m), note_meta, meta) == UM_OK, "meta");
    check(t, json_same(meta, json_object_get(merge, "meta")), "meta");
    json_decref(meta);
    um_buf_free(&m);
    um_buf_free(&got);
    um_buf_free(&want);
}

static bool is_kept(const json_t *keep, size_t update)
{
    json_t *k;
    size_t i;

    json_array_foreach((json_t *)keep, i, k)
        if ((size_t)json_integer_value(k) == update)
            return true;
    return false;
}

static void check_holes(struct tally *t, const json_t *vector, const json_t *updates, const json_t *merge)
{
    const json_t *holes = json_object_get(merge, "holes"), *then = json_object_get(holes, "then_rest_state_v1");
    const json_t *applied = json_object_get(holes, "applied");
    struct um_crdt_applied a;
    struct um_buf keep;
    struct um_crdt *doc;

    if (holes == NULL)
        return;
    check_merge(t, updates, json_object_get(holes, "keep"), json_object_get(holes, "v1"), "with holes");
    doc = doc_new(true);
    apply_b64(t, doc, json_object_get(holes, "v1"), &a, &keep);
    check_state(t, doc, json_object_get(applied, "state_v1"), "holes");
    check_sv(t, doc, json_object_get(applied, "sv"), "holes");
    check(t, a.pending == (json_object_get(applied, "pending") != NULL), "holes: pending");
    for (size_t i = 0; i < json_array_size(updates); i++)
        if (!is_kept(json_object_get(holes, "keep"), i))
            apply_one(t, doc, json_array_get(updates, i));
    if (then != NULL)
        check_state(t, doc, is_same(then) ? json_object_get(json_object_get(vector, "untyped"), "state_v1") : then,
                    "holes filled");
    um_crdt_free(doc);
    um_buf_free(&keep);
    t->left_out += 2;                 /* two snapshots */
}

static void merge_of(struct tally *t, const json_t *vector)
{
    const json_t *merge = json_object_get(vector, "merge"), *updates = json_object_get(vector, "updates_v1");
    const json_t *shuffled = json_object_get(merge, "shuffled"), *want;

    if (merge == NULL)
        return;
    check_merge(t, updates, NULL, json_object_get(merge, "v1"), "in order");
    if (shuffled != NULL) {
        want = json_object_get(shuffled, "v1");
        check_merge(t, updates, json_object_get(shuffled, "order"), is_same(want) ? json_object_get(merge, "v1") : want,
                    "shuffled");
    }
    check_figures(t, merge);
    check_holes(t, vector, updates, merge);
}

static void merging_equals_that_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, merge_of);
}

/* ---- other orders of delivery -------------------------------------------------------------------------- */

/* WANT: client -> smallest clock that is missing; NULL: nothing waits. */
static void missing_check(struct tally *t, const struct um_crdt *doc, const json_t *want, size_t n)
{
    check(t, doc->pending.missing.n == json_object_size(want), "step %zu: %u clients missing, expected %zu", n,
          doc->pending.missing.n, json_object_size(want));
    for (uint32_t i = 0; i < doc->pending.missing.n; i++) {
        char key[32];

        snprintf(key, sizeof(key), "%llu", (unsigned long long)doc->pending.missing.v[i].client);
        check(t, json_integer_value(json_object_get(want, key)) == (json_int_t)doc->pending.missing.v[i].clock,
              "step %zu: clock that %s lacks", n, key);
    }
}

/* The vectors' steps tell the state vector in clear, and what is pending only by its being there. */
static void step_check(struct tally *t, struct um_crdt *doc, const json_t *step, size_t n)
{
    struct um_crdt_stats stats;
    struct um_buf sv = { 0 };
    const char *client;
    json_t *clock;

    um_crdt_get_stats(doc, &stats);
    check(t, um_crdt_state_vector(doc, &sv) == UM_OK, "step %zu", n);
    check(t, stats.clients == json_object_size(json_object_get(step, "sv")), "step %zu: clients", n);
    json_object_foreach(json_object_get(step, "sv"), client, clock) {
        uint64_t got = 0;

        check(t, um_crdt_sv_get(buf_span(&sv), strtoull(client, NULL, 10), &got) == UM_OK &&
                     got == (uint64_t)json_integer_value(clock),
              "step %zu: clock of %s", n, client);
    }
    check(t, (stats.pending_ranges > 0) == json_is_true(json_object_get(step, "pending_ds")),
          "step %zu: pending deletions", n);
    missing_check(t, doc, json_object_get(step, "missing"), n);
    um_buf_free(&sv);
}

static void shuffle_check(struct tally *t, const json_t *vector, const json_t *s)
{
    const json_t *updates = json_object_get(vector, "updates_v1"), *steps = json_object_get(s, "steps");
    const json_t *want = json_object_get(s, "final_state_v1");
    struct um_crdt *doc = doc_new(true);
    json_t *i;
    size_t n;

    json_array_foreach(json_object_get(s, "order"), n, i) {
        struct um_crdt_applied applied;
        struct um_buf keep;

        apply_b64(t, doc, json_array_get(updates, (size_t)json_integer_value(i)), &applied, &keep);
        if (steps != NULL)
            step_check(t, doc, json_array_get(steps, n), n);
        um_buf_free(&keep);
    }
    if (is_same(want))
        want = json_object_get(json_object_get(vector, "untyped"), "state_v1");
    check_state(t, doc, want, "shuffle");
    um_crdt_free(doc);
}

static void shuffles_of(struct tally *t, const json_t *vector)
{
    json_t *s;
    size_t i;

    json_array_foreach(json_object_get(vector, "shuffles"), i, s)
        shuffle_check(t, vector, s);
}

static void any_order_of_delivery_ends_as_in_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, shuffles_of);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static void check_content(struct tally *t, struct um_crdt *doc, const json_t *content)
{
    struct um_buf got = { 0 };
    const char *name;
    json_t *want;

    json_object_foreach((json_t *)content, name, want)
        check_json(t, um_crdt_read_dump(doc, UM_SPAN_STR(name), &got), &got, want, "content");
    um_buf_free(&got);
}

static void check_views(struct tally *t, struct um_crdt *doc, const json_t *vector)
{
    struct um_buf got = { 0 };
    const char *name;
    json_t *want;

    json_object_foreach(json_object_get(vector, "json"), name, want)
        check_json(t, um_crdt_read_json(doc, UM_SPAN_STR(name), UM_CRDT_TAGGED, &got), &got, want, "json");
    json_object_foreach(json_object_get(vector, "string"), name, want) {
        check(t, um_crdt_read_xml(doc, UM_SPAN_STR(name), &got) == UM_OK, "string");
        check_bytes(t, buf_span(&got), UM_SPAN(json_string_value(want), json_string_length(want)), "string of %s", name);
        um_buf_clear(&got);
    }
    um_buf_free(&got);
}

static void content_of(struct tally *t, const json_t *vector)
{
    const json_t *untyped = json_object_get(vector, "content_untyped"), *shuffle;
    struct um_crdt *doc;
    size_t i;

    if (json_object_get(vector, "content") == NULL || json_object_get(vector, "ops") != NULL)
        return;
    doc = doc_new(true);
    declare_roots(doc, vector);
    apply_all(t, doc, json_object_get(vector, "updates_v1"));
    check_content(t, doc, json_object_get(vector, "content"));
    check_views(t, doc, vector);
    um_crdt_free(doc);
    doc = doc_new(true);                  /* declared at the end: no clean-up of root texts before */
    apply_all(t, doc, json_object_get(vector, "updates_v1"));
    declare_roots(doc, vector);
    check_content(t, doc, untyped != NULL ? untyped : json_object_get(vector, "content"));
    um_crdt_free(doc);
    json_array_foreach(json_object_get(vector, "shuffles"), i, shuffle)
        t->left_out += json_is_object(json_object_get(shuffle, "content"));
}

static void reading_shows_what_yjs_shows(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, content_of);
}

/* ---- what an editor wrote, seen from another replica ------------------------------------------------------ */

/* Segmentation may differ from the author's own document, so the content is what is compared, and deletions of
 * the clean-up are not wanted: the author's operations have made theirs. */
static void edits_of(struct tally *t, const json_t *vector)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    json_t *op;
    size_t i;

    if (json_object_get(vector, "ops") == NULL)
        return;
    um_crdt_conf_init(&cf);
    cf.cleanup = false;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    declare_roots(doc, vector);
    apply_all(t, doc, json_object_get(vector, "base_v1"));
    json_array_foreach(json_object_get(vector, "ops"), i, op)
        apply_all(t, doc, json_object_get(op, "updates_v1"));
    check_content(t, doc, json_object_get(vector, "content"));
    um_crdt_free(doc);
}

static void edits_of_another_replica_give_its_content(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, edits_of);
}

/* ---- primitives ---------------------------------------------------------------------------------------- */

static double tagged_number(const json_t *v)
{
    const char *text = json_string_value(json_object_get(v, "v"));

    if (json_is_number(v))
        return json_number_value(v);
    return strtod(text, NULL);
}

static void check_integer(struct tally *t, const json_t *c, bool is_signed)
{
    struct um_buf b = b64(json_object_get(c, "bytes")), again = { 0 };
    struct rd r = rd_make(buf_span(&b));
    double want = tagged_number(json_object_get(c, "v"));
    double got = is_signed ? rd_sint(&r) : (double)rd_uint(&r);

    check(t, memcmp(&got, &want, sizeof(got)) == 0 && r.err == UM_OK && rd_left(&r) == 0, "integer %.17g", want);
    if (!is_signed) {
        buf_put_uint(&again, (uint64_t)want);
        check_bytes(t, buf_span(&again), buf_span(&b), "integer %.17g written", want);
    }
    um_buf_free(&again);
    um_buf_free(&b);
}

/* Through a document: a map with this one value. */
static void check_any(struct tally *t, const json_t *c)
{
    static const uint8_t head[] = { 1, 1, 1, 0, 0x28, 1, 1, 'm', 1, 'k', 1 };
    struct um_buf b = b64(json_object_get(c, "bytes")), update = { 0 }, got = { 0 };
    struct um_crdt *doc = doc_new(true);
    json_t *want = json_pack("{s:O}", "k", json_object_get(c, "decoded"));
    um_err err;

    um_buf_put(&update, head, sizeof(head));
    um_buf_put(&update, b.data, b.len);
    um_buf_put_u8(&update, 0);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP), UM_OK);
    err = um_crdt_apply(doc, buf_span(&update), NULL);
    check(t, err == UM_OK, "any: %s", um_err_text(err));
    check_json(t, um_crdt_read_json(doc, UM_SPAN_STR("m"), UM_CRDT_TAGGED, &got), &got, want, "any");
    check(t, um_crdt_encode(doc, UM_SPAN(NULL, 0), &got) == UM_OK, "any");
    check_bytes(t, buf_span(&got), buf_span(&update), "any written");
    json_decref(want);
    um_crdt_free(doc);
    um_buf_free(&got);
    um_buf_free(&update);
    um_buf_free(&b);
}

static void primitives_of(struct tally *t, const json_t *j)
{
    json_t *c;
    size_t i;

    json_array_foreach(json_object_get(j, "varuint"), i, c)
        check_integer(t, c, false);
    json_array_foreach(json_object_get(j, "varint"), i, c)
        check_integer(t, c, true);
    json_array_foreach(json_object_get(j, "varstring"), i, c) {
        struct um_buf b = b64(json_object_get(c, "bytes"));
        struct rd r = rd_make(buf_span(&b));
        const json_t *v = json_object_get(c, "v");

        check_bytes(t, rd_string(&r, true), UM_SPAN(json_string_value(v), json_string_length(v)), "string %zu", i);
        check(t, r.err == UM_OK, "string %zu", i);
        um_buf_free(&b);
    }
    json_array_foreach(json_object_get(j, "varstring_lone"), i, c) {
        struct um_buf b = b64(json_object_get(c, "bytes"));
        struct rd r = rd_make(buf_span(&b));

        check(t, utf16_len(rd_string(&r, true)) == json_array_size(json_object_get(c, "utf16")), "lone half %zu", i);
        um_buf_free(&b);
    }
    json_array_foreach(json_object_get(j, "any"), i, c)
        check_any(t, c);
}

static void primitives_are_lib0s(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, primitives_of);
}

/* ---- hostile updates ----------------------------------------------------------------------------------- */

/* Where we are stricter than yjs, or skip what it stores. NULL: refused; else the state that must come out. */
static const struct stricter {
    const char *name;
    bool refused;                     /* else: accepted without a change */
} stricter[] = {
    { "empty-string-content", false }, { "empty-any-content", false }, { "gc-length-0", false },
    { "deleted-length-0", false },     { "gc-length-huge", true },     { "clock-overflow", true },
    { "duplicate-client", true },      { "ds-huge", true },
};

static const struct stricter *stricter_find(const char *name)
{
    for (size_t i = 0; i < UM_COUNT(stricter); i++)
        if (strcmp(stricter[i].name, name) == 0)
            return &stricter[i];
    return NULL;
}

static void check_hostile(struct tally *t, const json_t *c, const struct um_buf *base)
{
    const char *name = json_string_value(json_object_get(c, "name"));
    const struct stricter *mine = stricter_find(name);
    bool refused = mine != NULL ? mine->refused : strcmp(json_string_value(json_object_get(c, "yjs")), "throws") == 0;
    struct um_buf update = b64(json_object_get(c, "bytes")), got = { 0 };
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_applied applied;
    um_err err;

    assert_int_equal(um_crdt_apply(doc, buf_span(base), NULL), UM_OK);
    err = um_crdt_apply(doc, buf_span(&update), &applied);
    check(t, (err != UM_OK) == refused, "%s: %s", name, um_err_text(err));
    if (mine == NULL && !refused && json_object_get(c, "state_v1") != NULL) {
        check_state(t, doc, json_object_get(c, "state_v1"), name);
    } else {
        check(t, um_crdt_encode(doc, UM_SPAN(NULL, 0), &got) == UM_OK, "%s", name);
        check_bytes(t, buf_span(&got), buf_span(base), "%s: no change", name);
    }
    if (err == UM_OK && applied.event.len > 0) {
        struct um_crdt_update_stats stats;

        err = um_crdt_validate(NULL, applied.event, &stats);
        check(t, err == UM_OK && !stats.empty_structs && stats.bytes == applied.event.len, "%s: event", name);
    }
    um_crdt_free(doc);
    um_buf_free(&got);
    um_buf_free(&update);
}

static void hostile_of(struct tally *t, const json_t *j)
{
    struct um_buf base;
    json_t *c;
    size_t i;

    if (json_object_get(j, "cases") == NULL)
        return;
    base = b64(json_object_get(j, "base_v1"));
    json_array_foreach(json_object_get(j, "cases"), i, c)
        if (!json_is_true(json_object_get(c, "v2")))
            check_hostile(t, c, &base);
    um_buf_free(&base);
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
        cmocka_unit_test(states_and_events_equal_those_of_yjs),
        cmocka_unit_test(a_stored_state_reloads_as_in_yjs),
        cmocka_unit_test(differences_equal_those_of_yjs),
        cmocka_unit_test(merging_equals_that_of_yjs),
        cmocka_unit_test(any_order_of_delivery_ends_as_in_yjs),
        cmocka_unit_test(reading_shows_what_yjs_shows),
        cmocka_unit_test(edits_of_another_replica_give_its_content),
        cmocka_unit_test(primitives_are_lib0s),
        cmocka_unit_test(hostile_updates_are_refused_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
