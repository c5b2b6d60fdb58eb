/* Snapshots, reading at one, delete sets: what the vectors do not ask for, and hostile bytes. */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_snapshot.h>

#define EMPTY UM_SPAN(NULL, 0)
#define ROOT(n) (&(struct um_crdt_type){ .root = (n) })      /* the n-th of the document */
#define BYTES(...) UM_SPAN(((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void apply(struct um_crdt *doc, struct um_span update)
{
    assert_int_equal(um_crdt_apply(doc, update, NULL), UM_OK);
}

static struct um_buf snapshot_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_snapshot(doc, 1, &b), UM_OK);
    return b;
}

static void expect(um_err err, struct um_buf *got, const char *want)
{
    assert_int_equal(err, UM_OK);
    assert_string_equal(um_buf_cstr(got), want);
    um_buf_clear(got);
}

/* Client 1 writes "ab", client 2 "cd" behind it, client 1 deletes "b" and "c". */
static struct um_crdt *text_doc(bool gc, struct um_buf snapshots[4])
{
    const struct um_span updates[] = {
        BYTES(1, 1, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 0),
        BYTES(1, 1, 2, 0, 0x84, 1, 1, 2, 'c', 'd', 0),
        BYTES(0, 2, 2, 1, 0, 1, 1, 1, 1, 1),
    };
    struct um_crdt *doc = doc_new(gc);

    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    for (size_t i = 0; i < UM_COUNT(updates); i++) {
        snapshots[i] = snapshot_of(doc);
        apply(doc, updates[i]);
    }
    snapshots[3] = snapshot_of(doc);
    return doc;
}

static void text_doc_free(struct um_crdt *doc, struct um_buf snapshots[4])
{
    for (size_t i = 0; i < 4; i++)
        um_buf_free(&snapshots[i]);
    um_crdt_free(doc);
}

/* ---- snapshots ----------------------------------------------------------------------------------------- */

static bool equal(struct um_span a, struct um_span b)
{
    bool same;

    assert_int_equal(um_crdt_snapshot_equal(NULL, a, b, &same), UM_OK);
    return same;
}

static void snapshots_are_equal_when_they_show_the_same(void **state)
{
    struct um_span one = BYTES(1, 7, 1, 2, 4, 2, 9, 1, 7, 8);

    (void)state;
    assert_true(equal(one, one));
    /* order, pieces, a clock of 0 */
    assert_true(equal(one, BYTES(1, 7, 3, 4, 2, 2, 1, 3, 1, 3, 7, 8, 4, 0, 9, 1)));
    assert_true(equal(BYTES(0, 0), BYTES(1, 3, 1, 5, 0, 0)));                         /* an empty range */
    assert_false(equal(one, BYTES(1, 7, 1, 2, 5, 2, 9, 1, 7, 8)));
    assert_false(equal(one, BYTES(1, 7, 1, 2, 4, 2, 9, 1, 7, 9)));
    assert_false(equal(one, BYTES(1, 7, 1, 2, 4, 1, 7, 8)));
    assert_false(equal(one, BYTES(0, 2, 9, 1, 7, 8)));
}

static bool contains(struct um_span snapshot, struct um_span update)
{
    bool known;

    assert_int_equal(um_crdt_snapshot_contains_update(NULL, snapshot, update, &known), UM_OK);
    return known;
}

static void a_snapshot_knows_what_it_contains(void **state)
{
    /* clocks 0..3 of client 1, 1 and 2 deleted */
    struct um_span snapshot = BYTES(1, 1, 1, 1, 2, 1, 1, 4);

    (void)state;
    assert_true(contains(snapshot, BYTES(0, 0)));
    assert_true(contains(snapshot, BYTES(1, 1, 1, 0, 4, 1, 1, 't', 4, 'a', 'b', 'c', 'd', 0)));
    assert_false(contains(snapshot, BYTES(1, 1, 1, 0, 4, 1, 1, 't', 5, 'a', 'b', 'c', 'd', 'e', 0)));
    assert_false(contains(snapshot, BYTES(1, 1, 2, 0, 4, 1, 1, 't', 1, 'a', 0)));
    assert_false(contains(snapshot, BYTES(1, 1, 1, 3, 10, 2, 0)));    /* a skip reaches further */
    assert_true(contains(snapshot, BYTES(0, 1, 1, 1, 2, 1)));
    assert_false(contains(snapshot, BYTES(0, 1, 1, 1, 2, 2)));
    assert_false(contains(snapshot, BYTES(0, 1, 2, 1, 2, 1)));
}

static void every_moment_reads_as_it_was(void **state)
{
    static const char *const want[] = { "", "ab", "abcd", "ad" };
    struct um_buf snapshots[4], got = { 0 };
    struct um_crdt *doc = text_doc(false, snapshots), *old;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct um_buf again;

        expect(um_crdt_read_text_at(doc, ROOT(1), buf_span(&snapshots[i]), &got), &got, want[i]);
        assert_int_equal(um_crdt_from_snapshot(doc, buf_span(&snapshots[i]), NULL, &old), UM_OK);
        assert_int_equal(um_crdt_declare_root(old, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
        expect(um_crdt_read_text(old, UM_SPAN_STR("t"), &got), &got, want[i]);
        again = snapshot_of(old);
        assert_true(equal(buf_span(&again), buf_span(&snapshots[i])));
        um_buf_free(&again);
        um_crdt_free(old);
    }
    um_buf_free(&got);
    text_doc_free(doc, snapshots);
}

static void changes_name_their_authors_on_request(void **state)
{
    struct um_buf snapshots[4], got = { 0 };
    struct um_crdt *doc = text_doc(false, snapshots);
    struct um_span from = buf_span(&snapshots[1]), to = buf_span(&snapshots[3]), nothing = buf_span(&snapshots[0]);

    (void)state;
    expect(um_crdt_read_delta_at(doc, ROOT(1), &to, &from, false, UM_CRDT_PLAIN, &got), &got,
           "[{\"insert\":\"a\"},{\"insert\":\"b\",\"attributes\":{\"ychange\":{\"type\":\"removed\"}}},"
           "{\"insert\":\"d\",\"attributes\":{\"ychange\":{\"type\":\"added\"}}}]");
    /* cut by the */
    expect(um_crdt_read_delta_at(doc, ROOT(1), &from, &nothing, false, UM_CRDT_PLAIN, &got), &got,
           "[{\"insert\":\"a\",\"attributes\":{\"ychange\":{\"type\":\"added\"}}},"                          /* deletion */
           "{\"insert\":\"b\",\"attributes\":{\"ychange\":{\"type\":\"added\"}}}]");
    expect(um_crdt_read_delta_at(doc, ROOT(1), &from, &nothing, true, UM_CRDT_PLAIN, &got), &got,
           "[{\"insert\":\"ab\",\"attributes\":{\"ychange\":{\"user\":1,\"type\":\"added\"}}}]");
    expect(um_crdt_read_delta_at(doc, ROOT(1), NULL, &from, true, UM_CRDT_PLAIN, &got), &got,
           "[{\"insert\":\"a\"},{\"insert\":\"b\",\"attributes\":{\"ychange\":{\"user\":1,\"type\":\"removed\"}}},"
           "{\"insert\":\"d\",\"attributes\":{\"ychange\":{\"user\":2,\"type\":\"added\"}}}]");
    expect(um_crdt_read_delta_at(doc, ROOT(1), NULL, NULL, false, UM_CRDT_PLAIN, &got), &got,
           "[{\"insert\":\"ad\"}]");
    um_buf_free(&got);
    text_doc_free(doc, snapshots);
}

/* yjs' own functions for lists do not cut the run and show all of it. */
static void a_run_of_values_shows_only_what_was_there(void **state)
{
    struct um_crdt *doc = doc_new(false);
    struct um_buf one, got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("a"), UM_CRDT_ARRAY), UM_OK);
    apply(doc, BYTES(1, 1, 1, 0, 8, 1, 1, 'a', 2, 125, 1, 125, 2, 0));
    one = snapshot_of(doc);
    apply(doc, BYTES(1, 1, 1, 2, 0x88, 1, 1, 1, 125, 3, 1, 1, 1, 0, 1));
    expect(um_crdt_read_json(doc, UM_SPAN_STR("a"), UM_CRDT_PLAIN, &got), &got, "[2,3]");
    expect(um_crdt_read_json_at(doc, ROOT(1), buf_span(&one), UM_CRDT_PLAIN, &got), &got, "[1,2]");
    expect(um_crdt_read_list_at(doc, ROOT(1), BYTES(1, 1, 1, 1, 1, 1, 1, 3), UM_CRDT_PLAIN, &got), &got, "[1,3]");
    um_buf_free(&one);
    um_buf_free(&got);
    um_crdt_free(doc);
}

static void an_entry_is_what_its_key_held(void **state)
{
    struct um_crdt *doc = doc_new(false);
    struct um_buf s[4], got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP), UM_OK);
    s[0] = snapshot_of(doc);
    apply(doc, BYTES(1, 1, 1, 0, 0x28, 1, 1, 'm', 1, 'k', 1, 125, 1, 0));
    s[1] = snapshot_of(doc);
    apply(doc, BYTES(0, 1, 1, 1, 0, 1));
    s[2] = snapshot_of(doc);
    apply(doc, BYTES(1, 1, 1, 1, 0xa8, 1, 0, 1, 125, 2, 0));
    s[3] = snapshot_of(doc);
    for (size_t i = 0; i < 4; i++) {
        static const char *const value[] = { NULL, "1", NULL, "2" }, *const all[] = { "{}", "{\"k\":1}", "{}", "{\"k\":2}" };
        um_err err = um_crdt_read_entry_at(doc, ROOT(1), UM_SPAN_STR("k"), buf_span(&s[i]), UM_CRDT_PLAIN, &got);

        if (value[i] == NULL)
            assert_int_equal(err, UM_ENOTFOUND);
        else
            expect(err, &got, value[i]);
        um_buf_clear(&got);
        expect(um_crdt_read_entries_at(doc, ROOT(1), buf_span(&s[i]), UM_CRDT_PLAIN, &got), &got, all[i]);
        um_buf_free(&s[i]);
    }
    assert_int_equal(um_crdt_read_entry_at(doc, ROOT(1), UM_SPAN_STR("x"), BYTES(0, 0), UM_CRDT_PLAIN, &got),
                     UM_ENOTFOUND);
    um_buf_free(&got);
    um_crdt_free(doc);
}

/* A border within a surrogate pair leaves U+FFFD on both sides, as a cut does. */
static void half_a_pair_shows_as_a_replacement(void **state)
{
    const uint8_t smile[] = { 0xf0, 0x9f, 0x98, 0x80 };
    struct um_crdt *doc = doc_new(false), *old;
    struct um_buf update = { 0 }, got = { 0 }, before = { 0 }, after = { 0 };

    (void)state;
    um_buf_put(&update, "\1\1\1\0\4\1\1t\6x", 10);
    um_buf_put(&update, smile, 4);
    um_buf_put(&update, "y\0", 2);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    apply(doc, buf_span(&update));
    assert_int_equal(um_crdt_encode(doc, EMPTY, &before), UM_OK);
    expect(um_crdt_read_text_at(doc, ROOT(1), BYTES(0, 1, 1, 2), &got), &got, "x\xef\xbf\xbd");
    expect(um_crdt_read_text_at(doc, ROOT(1), BYTES(1, 1, 1, 1, 1, 1, 1, 4), &got), &got, "x\xef\xbf\xbdy");
    expect(um_crdt_read_list_at(doc, ROOT(1), BYTES(1, 1, 1, 1, 1, 1, 1, 4), UM_CRDT_PLAIN, &got), &got,
           "[\"x\",\"\xef\xbf\xbd\",\"y\"]");
    expect(um_crdt_read_list_at(doc, ROOT(1), BYTES(0, 1, 1, 4), UM_CRDT_PLAIN, &got), &got,
           "[\"x\",\"\xef\xbf\xbd\",\"\xef\xbf\xbd\",\"y\"]");
    assert_int_equal(um_crdt_from_snapshot(doc, BYTES(0, 1, 1, 2), NULL, &old), UM_OK);
    assert_int_equal(um_crdt_declare_root(old, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    expect(um_crdt_read_text(old, UM_SPAN_STR("t"), &got), &got, "x\xef\xbf\xbd");
    assert_int_equal(um_crdt_encode(doc, EMPTY, &after), UM_OK);
    assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
    um_buf_free(&before);
    um_buf_free(&after);
    um_buf_free(&update);
    um_buf_free(&got);
    um_crdt_free(old);
    um_crdt_free(doc);
}

/* As in yjs, whose own marks have that name. */
static void a_mark_of_the_text_s_own_named_ychange_gives_way(void **state)
{
    /* "a", ychange:true, "b", ychange:null, "c"; then "b" is deleted */
    struct um_crdt *doc = doc_new(false);
    struct um_buf from, got = { 0 };
    struct um_span then;

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    apply(doc, BYTES(1, 5, 1, 0, 4, 1, 1, 't', 1, 'a', 0x86, 1, 0, 7, 'y', 'c', 'h', 'a', 'n', 'g', 'e', 4, 't', 'r', 'u', 'e',
                     0x84, 1, 1, 1, 'b', 0x86, 1, 2, 7, 'y', 'c', 'h', 'a', 'n', 'g', 'e', 4, 'n', 'u', 'l', 'l',
                     0x84, 1, 3, 1, 'c', 0));
    from = snapshot_of(doc);
    then = buf_span(&from);
    apply(doc, BYTES(0, 1, 1, 1, 0, 1));
    expect(um_crdt_read_delta_at(doc, ROOT(1), NULL, &then, false, UM_CRDT_PLAIN, &got), &got,
           "[{\"insert\":\"a\",\"attributes\":{\"ychange\":{\"type\":\"removed\"}}},{\"insert\":\"b\"},{\"insert\":\"c\"}]");
    um_buf_free(&from);
    um_buf_free(&got);
    um_crdt_free(doc);
}

/* ---- refusals ------------------------------------------------------------------------------------------ */

static void restoring_needs_a_document_that_kept_everything(void **state)
{
    struct um_buf snapshots[4], got = { 0 };
    struct um_crdt *doc = text_doc(true, snapshots), *old;

    (void)state;
    assert_int_equal(um_crdt_snapshot_update(doc, buf_span(&snapshots[2]), &got), UM_ECONFLICT);
    assert_int_equal(um_crdt_from_snapshot(doc, buf_span(&snapshots[2]), NULL, &old), UM_ECONFLICT);
    assert_null(old);
    um_buf_clear(&got);
    expect(um_crdt_read_text_at(doc, ROOT(1), buf_span(&snapshots[2]), &got), &got, "ad");     /* what is left */
    um_buf_free(&got);
    text_doc_free(doc, snapshots);
}

static void a_snapshot_from_the_future_is_refused(void **state)
{
    struct um_buf snapshots[4], got = { 0 };
    struct um_crdt *doc = text_doc(false, snapshots);

    (void)state;
    assert_int_equal(um_crdt_snapshot_update(doc, BYTES(0, 1, 1, 3), &got), UM_EINVAL);
    assert_int_equal(um_crdt_snapshot_update(doc, BYTES(0, 1, 9, 1), &got), UM_EINVAL);
    assert_int_equal(um_crdt_snapshot_update(doc, BYTES(0, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f), &got), UM_EINVAL);
    um_buf_clear(&got);
    expect(um_crdt_read_text_at(doc, ROOT(1), BYTES(0, 2, 9, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x7f), &got), &got,
           "ab");
    assert_int_equal(um_crdt_snapshot(doc, 3, &got), UM_EINVAL);
    um_buf_free(&got);
    text_doc_free(doc, snapshots);
}

static void what_is_cut_short_or_too_much_is_refused(void **state)
{
    const struct um_span whole = BYTES(2, 9, 1, 2, 4, 7, 1, 1, 1, 2, 9, 7, 7, 8);
    struct um_crdt_conf cf;

    (void)state;
    for (size_t n = 0; n < whole.len; n++) {
        uint8_t *copy = malloc(n + 1);        /* exact, so that the sanitizer sees a read beyond */

        memcpy(copy, whole.data, n);
        copy = realloc(copy, UM_MAX(n, 1));
        assert_int_equal(um_crdt_snapshot_validate(NULL, UM_SPAN(copy, n)), UM_EPROTO);
        free(copy);
    }
    assert_int_equal(um_crdt_snapshot_validate(NULL, whole), UM_OK);
    assert_int_equal(um_crdt_snapshot_validate(NULL, BYTES(0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 1, 1, 0)),
                     UM_EPROTO);
    assert_int_equal(um_crdt_snapshot_validate(NULL, BYTES(1, 1, 0xff, 0xff, 0xff, 0x0f, 1, 1, 0)), UM_EPROTO);
    assert_int_equal(um_crdt_snapshot_validate(NULL, BYTES(0, 0xff, 0xff, 0xff, 0x0f, 1)), UM_EPROTO);
    assert_int_equal(um_crdt_snapshot_validate(NULL, BYTES(1, 1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0)),
                     UM_ELIMIT);
    um_crdt_conf_init(&cf);
    cf.limits.update_ranges = 1;
    assert_int_equal(um_crdt_snapshot_validate(&cf, whole), UM_ELIMIT);
    um_crdt_conf_init(&cf);
    cf.limits.state_vector_entries = 1;
    assert_int_equal(um_crdt_snapshot_validate(&cf, whole), UM_ELIMIT);
    um_crdt_conf_init(&cf);
    cf.limits.update_bytes = 13;
    assert_int_equal(um_crdt_snapshot_validate(&cf, whole), UM_ELIMIT);
}

static void a_view_that_a_type_lacks_is_refused(void **state)
{
    struct um_buf snapshots[4], got = { 0 };
    struct um_crdt *doc = text_doc(false, snapshots);
    const struct um_crdt_type *array = ROOT(2), *none = &(struct um_crdt_type){ 1, 0, 0 }, *far = ROOT(99);
    struct um_span s = buf_span(&snapshots[1]);

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("a"), UM_CRDT_ARRAY), UM_OK);
    assert_int_equal(um_crdt_read_text_at(doc, array, s, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_xml_at(doc, array, s, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_delta_at(doc, array, &s, NULL, false, UM_CRDT_PLAIN, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_text_at(doc, none, s, &got), UM_ENOTFOUND);         /* a string, not a type */
    assert_int_equal(um_crdt_read_text_at(doc, far, s, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_delta_at(doc, far, &s, NULL, false, UM_CRDT_PLAIN, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_json_at(doc, array, s, UM_CRDT_PLAIN, &got), UM_OK);
    apply(doc, BYTES(1, 1, 7, 0, 4, 1, 1, 'u', 1, 'x', 0));                           /* a root of no kind */
    assert_int_equal(um_crdt_read_json_at(doc, ROOT(3), s, UM_CRDT_PLAIN, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_dump_at(doc, ROOT(3), s, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_xml_at(doc, ROOT(1), BYTES(1), &got), UM_EPROTO);
    assert_int_equal(um_crdt_read_xml_at(doc, ROOT(1), s, &got), UM_OK);
    um_buf_free(&got);
    text_doc_free(doc, snapshots);
}

static void an_empty_document_shows_nothing_at_any_moment(void **state)
{
    struct um_crdt *doc = doc_new(false);
    struct um_buf got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    expect(um_crdt_read_text_at(doc, ROOT(1), BYTES(0, 0), &got), &got, "");
    expect(um_crdt_read_text_at(doc, ROOT(1), BYTES(0, 1, 1, 1), &got), &got, "");
    um_buf_free(&got);
    um_crdt_free(doc);
}

static void two_snapshots_differ_in_any_part(void **state)
{
    const struct um_span base = BYTES(1, 1, 1, 2, 3, 1, 1, 9);
    const struct um_span others[] = {
        BYTES(1, 2, 1, 2, 3, 1, 1, 9), BYTES(1, 1, 1, 1, 3, 1, 1, 9), BYTES(1, 1, 1, 2, 4, 1, 1, 9), BYTES(0, 1, 1, 9),
        BYTES(1, 1, 1, 2, 3, 1, 2, 9), BYTES(1, 1, 1, 2, 3, 1, 1, 8), BYTES(1, 1, 1, 2, 3, 0),
        BYTES(1, 1, 2, 2, 1, 5, 1, 1, 1, 9),
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(others); i++) {
        assert_false(equal(base, others[i]));
        assert_true(equal(others[i], others[i]));
    }
    assert_true(equal(base, BYTES(1, 1, 2, 4, 1, 2, 2, 2, 7, 0, 1, 9)));              /* joined; nothing of client 7 */
}

static void a_snapshot_in_v2_has_its_limit_too(void **state)
{
    struct um_crdt_conf cf;
    struct um_buf got = { 0 };

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.update_bytes = 8;
    assert_int_equal(um_crdt_snapshot_from_v2(&cf, BYTES(1, 1, 1, 2, 2, 1, 1, 9), &got), UM_OK);
    assert_int_equal(um_crdt_snapshot_from_v2(&cf, BYTES(1, 1, 1, 2, 2, 1, 1, 9, 0), &got), UM_ELIMIT);
    um_buf_free(&got);
}

static void a_section_without_structs_is_contained(void **state)
{
    bool has = false;

    (void)state;
    assert_int_equal(um_crdt_snapshot_contains_update(NULL, BYTES(0, 0), BYTES(1, 0, 5, 9, 0), &has), UM_OK);
    assert_true(has);
}

static void merged_sets_have_a_limit(void **state)
{
    const struct um_span sets[2] = { BYTES(1, 1, 2, 0, 1, 5, 1), BYTES(1, 2, 1, 0, 1) };
    struct um_crdt_conf cf;
    struct um_buf got = { 0 };

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.update_ranges = 3;
    assert_int_equal(um_crdt_ds_merge(&cf, sets, 2, &got), UM_OK);
    cf.limits.update_ranges = 2;
    assert_int_equal(um_crdt_ds_merge(&cf, sets, 2, &got), UM_ELIMIT);
    cf.limits.update_bytes = 6;
    assert_int_equal(um_crdt_ds_merge(&cf, sets, 2, &got), UM_ELIMIT);
    um_buf_free(&got);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

struct failing {
    int left;
};

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    struct failing *f = ctx;

    return f->left-- <= 0 ? NULL : realloc(p, size);
}

static void failing_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void each_allocation_may_fail(void **state)
{
    struct failing f = { 1 << 20 };
    struct um_crdt_conf cf;
    struct um_crdt *doc, *old = NULL;
    struct um_buf snapshot, got = { 0 };
    struct um_span s;
    um_err err = UM_ENOMEM;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.gc = false;
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, &f };
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    apply(doc, BYTES(1, 1, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 1, 1, 1, 0, 1));
    snapshot = snapshot_of(doc);
    s = buf_span(&snapshot);
    for (int n = 0; err == UM_ENOMEM; n++) {
        bool same;

        f.left = n;
        um_buf_clear(&got);
        if ((err = um_crdt_read_delta_at(doc, ROOT(1), &s, &s, true, UM_CRDT_PLAIN,
                                         &got)) == UM_OK &&
            (err = um_crdt_snapshot_equal(&cf, s, s, &same)) == UM_OK &&
            (err = um_crdt_ds_merge(&cf, &s, 1, &got)) == UM_OK)
            err = um_crdt_from_snapshot(doc, s, &cf, &old);
        assert_true(n < 1000);
    }
    f.left = 1 << 20;
    assert_int_equal(err, UM_OK);
    um_crdt_free(old);
    um_crdt_free(doc);
    um_buf_free(&snapshot);
    um_buf_free(&got);
}

/* ---- delete sets --------------------------------------------------------------------------------------- */

static void sets_merge_into_yjs_form(void **state)
{
    const struct um_span sets[] = { BYTES(1, 1, 2, 5, 1, 0, 2), BYTES(2, 1, 1, 2, 2, 9, 1, 3, 1), BYTES(1, 4, 0) };
    struct um_buf got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_ds_merge(NULL, sets, 3, &got), UM_OK);
    assert_true(um_span_eq(buf_span(&got), BYTES(2, 9, 1, 3, 1, 1, 2, 0, 4, 5, 1)));
    um_buf_clear(&got);
    assert_int_equal(um_crdt_ds_merge(NULL, NULL, 0, &got), UM_OK);
    assert_true(um_span_eq(buf_span(&got), BYTES(0)));
    um_buf_free(&got);
}

static void sets_answer_questions(void **state)
{
    const struct um_span set = BYTES(2, 1, 2, 5, 2, 0, 2, 9, 1, 3, 1);
    bool yes;

    (void)state;
    for (uint32_t clock = 0; clock < 9; clock++) {
        assert_int_equal(um_crdt_ds_has(NULL, set, 1, clock, &yes), UM_OK);
        assert_int_equal(yes, clock < 2 || clock == 5 || clock == 6);
        assert_int_equal(um_crdt_ds_has(NULL, set, 2, clock, &yes), UM_OK);
        assert_false(yes);
    }
    assert_int_equal(um_crdt_ds_equal(NULL, set, BYTES(2, 9, 1, 3, 1, 1, 2, 0, 2, 5, 2), &yes), UM_OK);
    assert_true(yes);
    assert_int_equal(um_crdt_ds_equal(NULL, set, BYTES(1, 9, 1, 3, 1), &yes), UM_OK);
    assert_false(yes);
    assert_int_equal(um_crdt_ds_includes(NULL, set, BYTES(1, 1, 1, 6, 1), &yes), UM_OK);
    assert_true(yes);
    assert_int_equal(um_crdt_ds_includes(NULL, BYTES(1, 1, 1, 6, 1), set, &yes), UM_OK);
    assert_false(yes);
    assert_int_equal(um_crdt_ds_has(NULL, BYTES(1, 1), 1, 1, &yes), UM_EPROTO);
}

/* PermanentUserData: who deleted clock 4 of client 11? */
struct owner {
    unsigned calls;
    bool found;
};

static void note_range(void *arg, uint64_t client, uint32_t clock, uint32_t len)
{
    struct owner *o = arg;

    o->calls++;
    o->found |= client == 11 && clock == 4 && len == 1;
}

static void the_delete_sets_of_users_can_be_kept_in_a_document(void **state)
{
    json_t *vector = vector_load("permanent-user-data.json"), *update, *users, *sets;
    struct um_crdt *doc = doc_new(false);
    struct um_buf json = { 0 }, all = { 0 };
    struct owner o = { 0 };
    struct um_span ds;
    bool yes;
    size_t i;

    (void)state;
    declare_roots(doc, vector);
    json_array_foreach(json_object_get(vector, "updates_v1"), i, update) {
        struct um_buf b = b64(update);

        apply(doc, buf_span(&b));
        if (i == 3) {                         /* the transaction that alice deleted in */
            assert_int_equal(um_crdt_ds_of_update(NULL, buf_span(&b), &ds), UM_OK);
            assert_true(um_span_eq(ds, BYTES(1, 11, 1, 5, 1)));
        }
        um_buf_free(&b);
    }
    assert_int_equal(um_crdt_read_json(doc, UM_SPAN_STR("users"), UM_CRDT_PLAIN, &json), UM_OK);
    users = json_loadb((const char *)json.data, json.len, 0, NULL);
    sets = json_object_get(json_object_get(users, "alice"), "ds");
    json_array_foreach(sets, i, update) {
        struct um_buf b = b64(update);

        assert_int_equal(um_crdt_ds_each(NULL, buf_span(&b), note_range, &o), UM_OK);
        um_buf_free(&b);
    }
    assert_true(o.calls == 1 && o.found);
    assert_int_equal(um_crdt_ds(doc, &all), UM_OK);
    assert_int_equal(um_crdt_ds_has(NULL, buf_span(&all), 11, 5, &yes), UM_OK);
    assert_true(yes);
    json_decref(users);
    json_decref(vector);
    um_buf_free(&json);
    um_buf_free(&all);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshots_are_equal_when_they_show_the_same),
        cmocka_unit_test(a_snapshot_knows_what_it_contains),
        cmocka_unit_test(every_moment_reads_as_it_was),
        cmocka_unit_test(changes_name_their_authors_on_request),
        cmocka_unit_test(a_run_of_values_shows_only_what_was_there),
        cmocka_unit_test(an_entry_is_what_its_key_held),
        cmocka_unit_test(half_a_pair_shows_as_a_replacement),
        cmocka_unit_test(a_mark_of_the_text_s_own_named_ychange_gives_way),
        cmocka_unit_test(an_empty_document_shows_nothing_at_any_moment),
        cmocka_unit_test(two_snapshots_differ_in_any_part),
        cmocka_unit_test(a_snapshot_in_v2_has_its_limit_too),
        cmocka_unit_test(a_section_without_structs_is_contained),
        cmocka_unit_test(merged_sets_have_a_limit),
        cmocka_unit_test(restoring_needs_a_document_that_kept_everything),
        cmocka_unit_test(a_snapshot_from_the_future_is_refused),
        cmocka_unit_test(what_is_cut_short_or_too_much_is_refused),
        cmocka_unit_test(a_view_that_a_type_lacks_is_refused),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(sets_merge_into_yjs_form),
        cmocka_unit_test(sets_answer_questions),
        cmocka_unit_test(the_delete_sets_of_users_can_be_kept_in_a_document),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
