/* Promises of the public interface that the vectors do not show. */
#include "support.h"
#include <umbel/crdt_events.h>
#include <stdlib.h>
#include <string.h>

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

static void assert_same_state(const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_buf x = state_of(a), y = state_of(b);

    assert_int_equal(x.len, y.len);
    assert_memory_equal(x.data, y.data, x.len);
    um_buf_free(&x);
    um_buf_free(&y);
}

/* An update of CLIENT at CLOCK: TEXT in root "t" behind its own last unit, or at the beginning when CLOCK is 0. */
static void typed(struct um_buf *out, uint64_t client, uint32_t clock, const char *text)
{
    um_buf_clear(out);
    um_buf_put(out, "\1\1", 2);
    um_buf_put_varuint(out, client);
    um_buf_put_varuint(out, clock);
    if (clock == 0) {
        um_buf_put(out, "\4\1\1t", 4);
    } else {
        um_buf_put_u8(out, 0x84);
        um_buf_put_varuint(out, client);
        um_buf_put_varuint(out, clock - 1);
    }
    um_buf_put_varuint(out, strlen(text));
    um_buf_puts(out, text);
    um_buf_put_u8(out, 0);
}

static void apply_typed(struct um_crdt *doc, uint64_t client, uint32_t clock, const char *text)
{
    struct um_buf u = { 0 };

    typed(&u, client, clock, text);
    assert_int_equal(um_crdt_apply(doc, buf_span(&u), NULL), UM_OK);
    um_buf_free(&u);
}

static void an_entirely_new_update_is_relayed_as_the_very_bytes(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_applied a;
    struct um_buf u = { 0 };

    (void)state;
    for (uint32_t clock = 0; clock < 3; clock++) {
        typed(&u, 7, clock, "x");
        um_buf_puts(&u, "trailing");
        assert_int_equal(um_crdt_apply(doc, buf_span(&u), &a), UM_OK);
        assert_true(a.changed && a.verbatim && !a.pending);
        assert_ptr_equal(a.event.data, u.data);
        assert_int_equal(a.event.len, u.len - strlen("trailing"));
    }
    assert_int_equal(um_crdt_apply(doc, buf_span(&u), &a), UM_OK);
    assert_false(a.changed);
    assert_int_equal(a.event.len, 0);
    um_buf_free(&u);
    um_crdt_free(doc);
}

static void structs_of_length_0_are_neither_kept_nor_relayed(void **state)
{
    static const uint8_t update[] = { 1, 2, 9, 0, 4, 1, 1, 't', 0, 4, 1, 1, 't', 1, 'x', 0 };
    struct um_crdt_update_stats stats;
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_applied a;

    (void)state;
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(update, sizeof(update)), &a), UM_OK);
    assert_true(a.changed && !a.verbatim);
    assert_int_equal(um_crdt_validate(NULL, a.event, &stats), UM_OK);
    assert_int_equal(stats.structs, 1);
    assert_false(stats.empty_structs);
    um_crdt_free(doc);
}

static void heard_ignore(void *arg, const struct um_crdt_changes *changes)
{
    (void)arg;
    (void)changes;
}

#define ROW(...) { (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) }

/* "ab" by client 1, "x" between by client 2, "cd" at the beginning by client 3, and a client 4 that has nothing. */
static struct um_crdt *doc_typed(bool heard)
{
    struct um_crdt *doc = doc_new(true);
    const struct um_span updates[] = {
        ROW(1, 1, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 0), ROW(1, 1, 2, 0, 0xc4, 1, 0, 1, 1, 1, 'x', 0),
        ROW(1, 1, 3, 0, 4, 1, 1, 't', 2, 'c', 'd', 0), ROW(1, 1, 4, 0, 4, 1, 1, 't', 0, 0),
    };

    if (heard)
        um_crdt_observe(doc, heard_ignore, NULL);
    for (size_t i = 0; i < UM_COUNT(updates); i++)
        assert_int_equal(um_crdt_apply(doc, updates[i], NULL), UM_OK);
    return doc;
}

/* One letter behind the last takes a short way, which is left to those that may; an observer closes it. */
static void a_keystroke_counts_the_same_on_either_way(void **state)
{
    const struct um_span keys[] = {
        ROW(1, 1, 2, 1, 0xc4, 2, 0, 1, 1, 1, 'y', 0),         /* goes on */
        ROW(1, 1, 2, 1, 0xc4, 2, 0, 1, 0, 1, 'y', 0),         /* in front of another unit */
        ROW(1, 1, 2, 1, 0xc4, 2, 0, 3, 1, 1, 'y', 0),         /* of another client */
        ROW(1, 1, 2, 1, 0x84, 2, 0, 1, 'y', 0),               /* of none */
        ROW(1, 1, 3, 2, 0xc4, 3, 1, 1, 0, 1, 'y', 0),
        ROW(1, 1, 3, 2, 0x84, 3, 0, 1, 'y', 0),               /* not behind the last */
        ROW(1, 1, 3, 2, 0x84, 1, 1, 1, 'y', 0),               /* behind another's */
        ROW(1, 1, 3, 2, 0x84, 3, 1, 0, 0),                    /* nothing */
        ROW(1, 1, 3, 1, 0x84, 3, 0, 1, 'y', 0),               /* known */
        ROW(1, 1, 3, 9, 0x84, 3, 8, 1, 'y', 0),               /* too early */
        ROW(1, 1, 4, 0, 0x84, 3, 1, 1, 'y', 0),               /* a client's first */
        ROW(1, 1, 3, 2, 0x84, 3, 1, 1, 'y', 1, 1, 1, 0, 1),   /* and a deletion */
        ROW(1, 1, 3, 2, 0x84, 3, 1, 1, 'y', 0, 77),           /* and something behind the update */
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(keys); i++) {
        struct um_crdt *doc = doc_typed(false), *heard = doc_typed(true);
        struct um_crdt_applied a, b;

        assert_int_equal(um_crdt_apply(doc, keys[i], &a), UM_OK);
        assert_int_equal(um_crdt_apply(heard, keys[i], &b), UM_OK);
        if (a.changed != b.changed || a.pending != b.pending || !um_span_eq(a.event, b.event))
            fail_msg("keystroke %zu", i);
        assert_same_state(doc, heard);
        um_crdt_free(doc);
        um_crdt_free(heard);
    }
}

static void a_keystroke_that_is_cut_off_is_refused(void **state)
{
    const struct um_span key = ROW(1, 1, 3, 2, 0x84, 3, 1, 3, 'y', 'y', 'y', 0);
    struct um_crdt *doc = doc_typed(false), *as_it_was = doc_typed(false);

    (void)state;
    for (size_t n = 0; n < key.len; n++)
        assert_int_equal(um_crdt_apply(doc, UM_SPAN(key.data, n), NULL), UM_EPROTO);
    assert_same_state(doc, as_it_was);
    um_crdt_free(doc);
    um_crdt_free(as_it_was);
}

static void only_what_is_here_is_contained(void **state)
{
    const struct {
        struct um_span update;
        bool known;
    } rows[] = {
        { ROW(1, 1, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 0), true },
        { ROW(1, 1, 1, 0, 4, 1, 1, 't', 3, 'a', 'b', 'c', 0), false },
        { ROW(1, 1, 1, 9, 4, 1, 1, 't', 0, 0), true },                  /* nothing of a later clock */
        { ROW(1, 1, 1, 0, 10, 9, 0), true },                            /* a hole */
        { ROW(1, 1, 9, 0, 4, 1, 1, 't', 1, 'a', 0), false },
        { ROW(0, 1, 3, 1, 0, 1), true },                                /* deleted below */
        { ROW(0, 1, 3, 1, 0, 2), false },
        { ROW(0, 1, 3, 1, 0, 3), false },
        { ROW(0, 1, 9, 1, 0, 1), false },
        { ROW(0, 1, 3, 1, 0, 0), true },
    };
    struct um_crdt *doc = doc_typed(false);

    (void)state;
    assert_int_equal(um_crdt_apply(doc, (struct um_span)ROW(0, 1, 3, 1, 0, 1), NULL), UM_OK);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        bool known = !rows[i].known;

        assert_int_equal(um_crdt_contains(doc, rows[i].update, &known), UM_OK);
        if (known != rows[i].known)
            fail_msg("update %zu", i);
    }
    um_crdt_free(doc);
}
#undef ROW

static void what_waits_is_encoded_and_goes_on_when_it_can(void **state)
{
    struct um_crdt *doc = doc_new(true), *copy = doc_new(true);
    struct um_crdt_applied a;
    struct um_crdt_stats stats;
    struct um_buf u = { 0 }, out = { 0 };
    bool known;

    (void)state;
    typed(&u, 7, 1, "b");
    assert_int_equal(um_crdt_apply(doc, buf_span(&u), &a), UM_OK);
    assert_true(a.pending && !a.changed);
    um_crdt_get_stats(doc, &stats);
    assert_int_equal(stats.pending_structs, 1);
    assert_int_equal(um_crdt_contains(doc, buf_span(&u), &known), UM_OK);
    assert_false(known);
    out = state_of(doc);
    assert_int_equal(um_crdt_apply(copy, buf_span(&out), NULL), UM_OK);
    typed(&u, 7, 0, "a");
    assert_int_equal(um_crdt_apply(copy, buf_span(&u), &a), UM_OK);
    assert_true(a.changed && !a.verbatim && !a.pending);
    um_buf_clear(&out);
    assert_int_equal(um_crdt_declare_root(copy, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_read_text(copy, UM_SPAN_STR("t"), &out), UM_OK);
    assert_string_equal(um_buf_cstr(&out), "ab");
    um_crdt_get_stats(copy, &stats);
    assert_int_equal(stats.pending_structs, 0);
    um_buf_free(&u);
    um_buf_free(&out);
    um_crdt_free(doc);
    um_crdt_free(copy);
}

static um_err piece_apply(void *arg, struct um_span piece)
{
    struct um_crdt *doc = arg;
    struct um_crdt_applied a;
    um_err err = um_crdt_apply(doc, piece, &a);

    assert_false(a.pending);              /* no piece needs a later one */
    return err;
}

static void pieces_make_the_whole_and_none_needs_a_later_one(void **state)
{
    static const char *const names[] = { "random-rich-0.json", "random-xml-0.json", "random-array-0.json",
                                         "client-ids-many.json" };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(names); i++) {
        json_t *j = vector_load(names[i]);
        struct um_buf b = b64(json_object_get(json_object_get(j, "untyped"), "state_v1"));

        for (size_t max = 1; max < 100000; max *= 10) {
            struct um_crdt *doc = doc_new(true), *copy = doc_new(true);
            struct um_buf want = { 0 }, got = { 0 };
            bool known;

            assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
            assert_int_equal(um_crdt_encode_pieces(doc, UM_SPAN(NULL, 0), max, piece_apply, copy), UM_OK);
            assert_int_equal(um_crdt_contains(copy, buf_span(&b), &known), UM_OK);
            assert_true(known);
            assert_int_equal(um_crdt_state_vector(doc, &want), UM_OK);
            assert_int_equal(um_crdt_state_vector(copy, &got), UM_OK);
            assert_true(um_span_eq(buf_span(&want), buf_span(&got)));
            um_buf_free(&want);
            um_buf_free(&got);
            um_crdt_free(doc);
            um_crdt_free(copy);
        }
        um_buf_free(&b);
        json_decref(j);
    }
}

static void pieces_to_a_reader_with_a_state_vector_hold_only_what_it_lacks(void **state)
{
    struct um_crdt *doc = doc_new(true), *reader = doc_new(true);
    struct um_buf sv = { 0 };

    (void)state;
    apply_typed(doc, 7, 0, "hello");
    apply_typed(reader, 7, 0, "hello");
    apply_typed(doc, 7, 5, " world");
    assert_int_equal(um_crdt_state_vector(reader, &sv), UM_OK);
    assert_int_equal(um_crdt_encode_pieces(doc, buf_span(&sv), 1000, piece_apply, reader), UM_OK);
    assert_same_state(doc, reader);
    um_buf_free(&sv);
    um_crdt_free(doc);
    um_crdt_free(reader);
}

static void blob_and_tail_are_the_state_at_any_time(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_bytes *blob, *first, **tail;
    uint32_t clock = 0;
    size_t n, reused = 0;

    (void)state;
    apply_typed(doc, 7, clock++, "x");
    assert_int_equal(um_crdt_state_parts(doc, &blob, &tail, &n), UM_OK);
    first = um_bytes_ref(blob);
    for (int round = 0; round < 200; round++) {
        struct um_crdt *copy = doc_new(true);

        for (int k = 0; k < 10; k++)
            apply_typed(doc, 7, clock++, "x");
        assert_int_equal(um_crdt_state_parts(doc, &blob, &tail, &n), UM_OK);
        reused += blob == first;
        assert_true(n <= 17);
        assert_int_equal(um_crdt_apply(copy, um_bytes_span(blob), NULL), UM_OK);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(um_crdt_apply(copy, um_bytes_span(tail[i]), NULL), UM_OK);
        assert_same_state(doc, copy);
        um_crdt_free(copy);
    }
    assert_int_equal(reused, 200);        /* short tails never make a new blob */
    um_bytes_unref(first);
    um_crdt_free(doc);
}

static void an_unchanged_state_is_encoded_once(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_bytes *a, *b, *c;

    (void)state;
    apply_typed(doc, 7, 0, "x");
    assert_int_equal(um_crdt_encode_shared(doc, &a), UM_OK);
    assert_int_equal(um_crdt_encode_shared(doc, &b), UM_OK);
    assert_ptr_equal(a, b);
    apply_typed(doc, 7, 1, "y");
    assert_int_equal(um_crdt_encode_shared(doc, &c), UM_OK);
    assert_ptr_not_equal(a, c);
    um_bytes_unref(a);
    um_bytes_unref(b);
    um_bytes_unref(c);
    um_crdt_free(doc);
}

static void two_writers_by_turns_keep_one_run_each(void **state)
{
    struct um_crdt *doc = doc_new(true), *copy = doc_new(true);
    struct um_crdt_stats stats;
    struct um_buf b;

    (void)state;
    for (uint32_t clock = 0; clock < 2000; clock++) {
        apply_typed(doc, 7, clock, "a");
        apply_typed(doc, 8, clock, "b");
    }
    um_crdt_get_stats(doc, &stats);
    assert_int_equal(stats.structs, 2);
    assert_true(stats.memory_bytes < 30000);
    b = state_of(doc);
    assert_int_equal(um_crdt_apply(copy, buf_span(&b), NULL), UM_OK);
    assert_same_state(doc, copy);
    um_buf_free(&b);
    um_crdt_free(doc);
    um_crdt_free(copy);
}

static void a_small_document_is_small(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_stats stats;

    (void)state;
    apply_typed(doc, 7, 0, "hello");
    um_crdt_get_stats(doc, &stats);
    assert_true(stats.memory_bytes <= 3072);
    um_crdt_free(doc);
}

/* ---- limits -------------------------------------------------------------------------------------------- */

static um_err with_limit(struct um_span update, void (*set)(struct um_crdt_limits *))
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    struct um_buf empty;
    um_err err;

    um_crdt_conf_init(&cf);
    set(&cf.limits);
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    err = um_crdt_apply(doc, update, NULL);
    if (err != UM_OK) {
        empty = state_of(doc);
        assert_int_equal(empty.len, 2);
        um_buf_free(&empty);
    }
    um_crdt_free(doc);
    return err;
}

#define LIMIT(name, value) static void limit_##name##_##value(struct um_crdt_limits *l) { l->name = value; }
LIMIT(update_structs, 2) LIMIT(update_structs, 1)
LIMIT(update_clients, 2) LIMIT(update_clients, 1)
LIMIT(update_ranges, 2) LIMIT(update_ranges, 1)
LIMIT(update_bytes, 22) LIMIT(update_bytes, 21)
LIMIT(roots, 2) LIMIT(roots, 1)
LIMIT(root_name_bytes, 1) LIMIT(root_name_bytes, 0)
LIMIT(structs, 2) LIMIT(structs, 1)
LIMIT(pending_structs, 2) LIMIT(pending_structs, 1)
LIMIT(pending_clients, 2) LIMIT(pending_clients, 1)
LIMIT(type_depth, 2) LIMIT(type_depth, 1)
LIMIT(value_depth, 2) LIMIT(value_depth, 1)
LIMIT(key_bytes, 1) LIMIT(key_bytes, 0)
LIMIT(scan_steps, 1) LIMIT(scan_steps, 0)

static void each_limit_holds_at_its_value(void **state)
{
    static const uint8_t two_roots[] = { 2, 1, 2, 0, 4, 1, 1, 'a', 1, 'x', 1, 1, 0, 4, 1, 1, 'b', 1, 'y', 0 };
    static const uint8_t ranges[] = { 0, 1, 5, 2, 0, 1, 3, 1 };
    static const uint8_t waiting[] = { 2, 1, 2, 9, 4, 1, 1, 'a', 1, 'x', 1, 1, 9, 4, 1, 1, 'b', 1, 'y', 0 };
    static const uint8_t nested[] = { 1, 2, 1, 0, 7, 1, 1, 'a', 0, 7, 0, 1, 0, 0, 0 };
    static const uint8_t deep[] = { 1, 1, 1, 0, 8, 1, 1, 'a', 1, 117, 1, 117, 1, 126, 0 };
    static const uint8_t beside[] = { 2, 1, 3, 0, 4, 1, 1, 'a', 1, 'x', 1, 2, 0, 4, 1, 1, 'a', 1, 'y', 0 };
    static const uint8_t keyed[] = { 1, 1, 1, 0, 0x28, 1, 1, 'a', 1, 'k', 1, 126, 0 };
    static const uint8_t one_client[] = { 1, 2, 1, 0, 4, 1, 1, 'a', 1, 'x', 4, 1, 1, 'a', 1, 'y', 0 };
    static const struct {
        const uint8_t *update;
        size_t len;
        void (*enough)(struct um_crdt_limits *), (*too_low)(struct um_crdt_limits *);
    } rows[] = {
#define ROW(update, name, hi, lo) { update, sizeof(update), limit_##name##_##hi, limit_##name##_##lo }
        ROW(one_client, update_structs, 2, 1),  ROW(two_roots, update_clients, 2, 1),
        ROW(ranges, update_ranges, 2, 1),       ROW(two_roots, roots, 2, 1),
        ROW(two_roots, root_name_bytes, 1, 0),  ROW(one_client, structs, 2, 1),
        ROW(waiting, pending_structs, 2, 1),    ROW(waiting, pending_clients, 2, 1),
        ROW(nested, type_depth, 2, 1),          ROW(deep, value_depth, 2, 1),
        ROW(keyed, key_bytes, 1, 0),            ROW(beside, scan_steps, 1, 0),
#undef ROW
    };
    static const uint8_t bytes[22] = { 1, 1, 1, 0, 4, 1, 1, 'a', 12, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x',
                                       'x', 'x', 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        assert_int_equal(with_limit(UM_SPAN(rows[i].update, rows[i].len), rows[i].enough), UM_OK);
        assert_int_equal(with_limit(UM_SPAN(rows[i].update, rows[i].len), rows[i].too_low), UM_ELIMIT);
    }
    assert_int_equal(with_limit(UM_SPAN(bytes, sizeof(bytes)), limit_update_bytes_22), UM_OK);
    assert_int_equal(with_limit(UM_SPAN(bytes, sizeof(bytes)), limit_update_bytes_21), UM_ELIMIT);
}

static void what_the_store_holds_may_be_larger_than_an_update(void **state)
{
    static const uint8_t two[] = { 1, 2, 1, 0, 4, 1, 1, 'a', 1, 'x', 4, 1, 1, 'a', 1, 'y', 0 };
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.update_structs = 1;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(two, sizeof(two)), NULL), UM_ELIMIT);
    assert_int_equal(um_crdt_load(doc, UM_SPAN(two, sizeof(two)), NULL), UM_OK);
    um_crdt_free(doc);
}

/* Client 1 has "ab" in one text and "c" in another; then it claims that the latter's clock was in the first one, and goes
 * on behind it. Stock documents would hang the one list into the other. */
static void clocks_given_out_twice_leave_both_lists_whole(void **state)
{
    static const uint8_t first[] = { 1, 2, 1, 0, 4, 1, 1, 't', 2, 'a', 'b', 4, 1, 1, 'u', 1, 'c', 0 };
    static const uint8_t lie[] = { 1, 1, 1, 2, 0x84, 1, 0, 2, 'x', 'y', 0 };
    static const uint8_t all[] = { 0, 1, 1, 1, 0, 9 };
    struct um_crdt *doc = doc_new(false);
    struct um_buf t = { 0 }, u = { 0 };

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("u"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(first, sizeof(first)), NULL), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(lie, sizeof(lie)), NULL), UM_OK);
    assert_int_equal(um_crdt_read_text(doc, UM_SPAN_STR("t"), &t), UM_OK);
    assert_int_equal(um_crdt_read_text(doc, UM_SPAN_STR("u"), &u), UM_OK);
    assert_string_equal(um_buf_cstr(&t), "ab");
    assert_string_equal(um_buf_cstr(&u), "c");
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(all, sizeof(all)), NULL), UM_OK);
    um_buf_clear(&t);
    assert_int_equal(um_crdt_read_text(doc, UM_SPAN_STR("t"), &t), UM_OK);
    assert_int_equal(t.len, 0);
    um_buf_free(&t);
    um_buf_free(&u);
    um_crdt_free(doc);
}

/* ---- giving up ------------------------------------------------------------------------------------------ */

/* Client 9 has a text with an emoji in its middle and a map with one key. */
static const uint8_t calm[] = { 1, 2, 9, 0, 4, 1, 1, 't', 8, 'a', 'b', 0xf0, 0x9f, 0x98, 0x80, 'c', 'd',
                                0x28, 1, 1, 'm', 1, 'k', 1, 125, 1, 0 };

/* Client 3 sets that key and a new one to lists with something in them, makes a root, tears the emoji, marks a part bold
 * and then puts letters where each must be compared with all before it. */
static void put_hasty(struct um_buf *b)
{
    static const uint8_t head[] = { 0xa7, 9, 6, 0, 0x27, 1, 1, 'm', 1, 'n', 0, 8, 0, 3, 0, 1, 125, 1, 8, 0, 3, 1, 1, 125, 2,
                                    4, 1, 1, 'r', 1, 'x', 0xc4, 9, 2, 9, 3, 1, '!',
                                    0xc6, 9, 0, 9, 1, 1, 'b', 4, 't', 'r', 'u', 'e' };

    um_buf_put(b, "\1\47\3\0", 4);           /* 39 structs */
    um_buf_put(b, head, sizeof(head));
    for (uint8_t i = 0; i < 32; i++) {
        static const uint8_t at[] = { 5, 4, 1 };

        um_buf_put(b, "\104\11", 2);
        um_buf_put_u8(b, at[i % 3]);
        um_buf_put(b, "\1x", 2);
    }
    um_buf_put_u8(b, 0);
}

struct told {
    unsigned n;
};
static void note_told(void *arg, const struct um_crdt_changes *changes)
{
    struct told *told = arg;

    (void)changes;
    told->n++;
}

static void what_takes_too_long_to_place_is_refused_and_leaves_no_trace(void **state)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc, *other = doc_new(true);
    struct um_buf hasty = { 0 }, before, after;
    struct um_crdt_stats was, is;
    struct told told = { 0 };

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.scan_steps = 100;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP), UM_OK);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(calm, sizeof(calm)), NULL), UM_OK);
    um_crdt_observe(doc, note_told, &told);
    before = state_of(doc);
    um_crdt_get_stats(doc, &was);
    put_hasty(&hasty);

    assert_int_equal(um_crdt_apply(doc, buf_span(&hasty), NULL), UM_ELIMIT);

    after = state_of(doc);
    um_crdt_get_stats(doc, &is);
    assert_true(um_span_eq(buf_span(&after), buf_span(&before)));
    assert_int_equal(is.structs, was.structs);
    assert_int_equal(is.clients, was.clients);
    assert_int_equal(is.roots, was.roots);
    assert_int_equal(told.n, 0);

    assert_int_equal(um_crdt_load(doc, buf_span(&hasty), NULL), UM_OK);
    assert_int_equal(told.n, 1);
    assert_int_equal(um_crdt_apply(other, UM_SPAN(calm, sizeof(calm)), NULL), UM_OK);
    assert_int_equal(um_crdt_apply(other, buf_span(&hasty), NULL), UM_OK);
    assert_same_state(doc, other);
    um_buf_free(&hasty);
    um_buf_free(&before);
    um_buf_free(&after);
    um_crdt_free(doc);
    um_crdt_free(other);
}

/* Ten thousand, each in front of the last, while another did the same: 10^8 comparisons if each began anew. */
static void inserting_at_the_head_again_and_again_is_no_long_work(void **state)
{
    struct um_buf mine = { 0 }, theirs = { 0 };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    for (int k = 0; k < 2; k++) {
        struct um_buf *b = k == 0 ? &mine : &theirs;

        um_buf_put_u8(b, 1);
        um_buf_put_varuint(b, 10000);
        um_buf_put_u8(b, (uint8_t)(5 + k));
        um_buf_put(b, "\0\10\1\1l\1~", 7);
        for (uint32_t i = 1; i < 10000; i++) {
            um_buf_put_u8(b, 0x48);
            um_buf_put_u8(b, (uint8_t)(5 + k));
            um_buf_put_varuint(b, i - 1);
            um_buf_put(b, "\1~", 2);
        }
        um_buf_put_u8(b, 0);
        assert_int_equal(um_crdt_apply(doc, buf_span(b), NULL), UM_OK);
    }
    um_buf_free(&mine);
    um_buf_free(&theirs);
    um_crdt_free(doc);
}

/* ---- deep structures need no deep stack ------------------------------------------------------------------ */

static void nested_update(struct um_buf *b, uint32_t depth)
{
    um_buf_put(b, "\1", 1);
    um_buf_put_varuint(b, depth);
    um_buf_put(b, "\1\0\7\1\1a\0", 7);
    for (uint32_t i = 1; i < depth; i++) {
        um_buf_put(b, "\7\0\1", 3);
        um_buf_put_varuint(b, i - 1);
        um_buf_put_u8(b, 0);
    }
    um_buf_put_u8(b, 0);
}

/* A type in a root; one inside of it and one beside that; one inside of the latter. */
static void depth_counts_levels_and_not_types(void **state)
{
    static const uint8_t update[] = {
        1, 4, 1, 0, 7, 1, 1, 'a', 0, 7, 0, 1, 0, 0, 0x87, 1, 1, 0, 7, 0, 1, 2, 0, 0,
    };

    (void)state;
    for (uint32_t depth = 2; depth <= 3; depth++) {
        struct um_crdt_conf cf;
        struct um_crdt *doc;

        um_crdt_conf_init(&cf);
        cf.limits.type_depth = depth;
        assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
        assert_int_equal(um_crdt_apply(doc, UM_SPAN(update, sizeof(update)), NULL), depth < 3 ? UM_ELIMIT : UM_OK);
        um_crdt_free(doc);
    }
}

static void deep_types_are_read_deleted_and_collected(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_stats stats;
    struct um_buf b = { 0 };

    (void)state;
    nested_update(&b, 1001);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_ELIMIT);
    um_buf_clear(&b);
    nested_update(&b, 1000);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("a"), UM_CRDT_ARRAY), UM_OK);
    um_buf_clear(&b);
    assert_int_equal(um_crdt_read_json(doc, UM_SPAN_STR("a"), UM_CRDT_PLAIN, &b), UM_OK);
    assert_int_equal(b.len, 2 * 1001);
    assert_int_equal(um_crdt_apply(doc, UM_SPAN("\0\1\1\1\0\1", 6), NULL), UM_OK);
    um_crdt_get_stats(doc, &stats);
    assert_int_equal(stats.structs, 2);
    um_buf_free(&b);
    um_crdt_free(doc);
}

static void a_root_has_one_kind(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_buf b = { 0 };
    struct um_span name;
    enum um_crdt_kind kind;
    size_t pos = 0;

    (void)state;
    apply_typed(doc, 7, 0, "x");
    assert_true(um_crdt_roots(doc, &pos, &name, &kind));
    assert_int_equal(kind, UM_CRDT_UNTYPED);
    assert_int_equal(um_crdt_read_text(doc, name, &b), UM_EINVAL);
    assert_int_equal(um_crdt_read_text(doc, UM_SPAN_STR("none"), &b), UM_ENOTFOUND);
    assert_int_equal(um_crdt_declare_root(doc, name, UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, name, UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, name, UM_CRDT_MAP), UM_ECONFLICT);
    assert_int_equal(um_crdt_read_text(doc, name, &b), UM_OK);
    assert_string_equal(um_buf_cstr(&b), "x");
    assert_false(um_crdt_roots(doc, &pos, &name, &kind));
    um_buf_free(&b);
    um_crdt_free(doc);
}

/* ---- many sections ------------------------------------------------------------------------------------- */

#define SECTION_CLIENTS 601u

static uint64_t section_client(uint32_t i)
{
    return i * 229 % SECTION_CLIENTS * (i % 3 == 0 ? UINT64_C(5000000000) : 7) + 1;
}

static void sections_put(struct um_buf *b, uint32_t from, uint32_t to)
{
    um_buf_put_varuint(b, to - from);
    for (uint32_t i = from; i < to; i++) {
        um_buf_put_u8(b, 1);
        um_buf_put_varuint(b, section_client(i));
        um_buf_put(b, "\0\4\1\1t\1x", 7);
    }
    um_buf_put_u8(b, 0);
}

static void sections_in_any_order_end_as_each_alone(void **state)
{
    static const uint32_t steps[] = { 1, 20, 300, SECTION_CLIENTS };
    struct um_buf b = { 0 };
    struct um_crdt *alone = doc_new(true);

    (void)state;
    for (uint32_t i = 0; i < SECTION_CLIENTS; i++) {
        um_buf_clear(&b);
        sections_put(&b, i, i + 1);
        assert_int_equal(um_crdt_apply(alone, buf_span(&b), NULL), UM_OK);
    }
    for (size_t k = 0; k < UM_COUNT(steps); k++) {
        struct um_crdt *doc = doc_new(true);

        for (uint32_t i = 0; i < SECTION_CLIENTS; i += steps[k]) {
            struct um_crdt_applied applied;

            um_buf_clear(&b);
            sections_put(&b, i, UM_MIN(i + steps[k], SECTION_CLIENTS));
            assert_int_equal(um_crdt_apply(doc, buf_span(&b), &applied), UM_OK);
        }
        assert_same_state(alone, doc);
        um_crdt_free(doc);
    }
    um_crdt_free(alone);
    um_buf_clear(&b);
    sections_put(&b, 0, 300);
    b.data[0]++;                              /* one more section, of the first one's client */
    b.len--;
    um_buf_put_u8(&b, 1);
    um_buf_put_varuint(&b, section_client(0));
    um_buf_put(&b, "\1\4\1\1t\1x\0", 8);
    alone = doc_new(true);
    assert_int_equal(um_crdt_apply(alone, buf_span(&b), NULL), UM_EPROTO);
    um_crdt_free(alone);
    um_buf_free(&b);
}

/* ---- many deletions ------------------------------------------------------------------------------------ */

#define CUT_UNITS 600u
#define CUT_RANGES 150u

/* One item of client 9 in root "t", without the delete set. */
static void long_item(struct um_buf *out, const char *head, const char *unit, uint32_t count, uint32_t n)
{
    um_buf_put(out, "\1\1\11\0", 4);
    um_buf_puts(out, head);
    um_buf_put(out, "\1\1t", 3);
    um_buf_put_varuint(out, count);
    for (uint32_t i = 0; i < n; i++)
        um_buf_puts(out, unit);
}

/* Range I: anywhere, some overlap, some stand there twice. */
static void put_range(struct um_buf *out, uint32_t i)
{
    um_buf_put_varuint(out, i * 389 % (CUT_UNITS - 5));
    um_buf_put_varuint(out, 1 + i % 5);
}

static void put_ranges(struct um_buf *out, uint32_t from, uint32_t to)
{
    um_buf_put(out, "\1\11", 2);
    um_buf_put_varuint(out, to - from);
    for (uint32_t i = from; i < to; i++)
        put_range(out, i);
}

static void apply_buf(struct um_crdt *doc, struct um_buf *u)
{
    assert_int_equal(um_crdt_apply(doc, buf_span(u), NULL), UM_OK);
    um_buf_clear(u);
}

/* Item, then deletions: at once, in one further update, in an update each. */
static void ranges_agree(struct um_span item)
{
    struct um_crdt *docs[3] = { doc_new(true), doc_new(true), doc_new(true) };
    struct um_buf u = { 0 };

    um_buf_put(&u, item.data, item.len);
    put_ranges(&u, 0, CUT_RANGES);
    apply_buf(docs[0], &u);
    for (int k = 1; k < 3; k++) {
        um_buf_put(&u, item.data, item.len);
        um_buf_put_u8(&u, 0);
        apply_buf(docs[k], &u);
    }
    um_buf_put_u8(&u, 0);
    put_ranges(&u, 0, CUT_RANGES);
    apply_buf(docs[1], &u);
    for (uint32_t i = 0; i < CUT_RANGES; i++) {
        um_buf_put_u8(&u, 0);
        put_ranges(&u, i, i + 1);
        apply_buf(docs[2], &u);
    }
    assert_same_state(docs[0], docs[1]);
    assert_same_state(docs[1], docs[2]);
    for (int k = 0; k < 3; k++)
        um_crdt_free(docs[k]);
    um_buf_free(&u);
}

static void many_ranges_delete_what_each_alone_would_delete(void **state)
{
    static const struct { const char *head, *unit; uint32_t units, bytes; } shapes[] = {
        { "\4", "x", 1, 1 }, { "\4", "\xc3\xa9", 1, 2 }, { "\4", "\xf0\x9f\x98\x80", 2, 4 },
        { "\4", "x\xf0\x9f\x98\x80", 3, 5 }, { "\10", "~", 1, 0 }, { "\10", "\x75\1~", 1, 0 },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(shapes); i++) {
        uint32_t n = CUT_UNITS / shapes[i].units;
        struct um_buf item = { 0 };

        long_item(&item, shapes[i].head, shapes[i].unit, shapes[i].bytes > 0 ? n * shapes[i].bytes : n, n);
        ranges_agree(buf_span(&item));
        um_buf_free(&item);
    }
}

static void assert_same_text(const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_buf x = { 0 }, y = { 0 };

    assert_int_equal(um_crdt_read_text(a, UM_SPAN_STR("t"), &x), UM_OK);
    assert_int_equal(um_crdt_read_text(b, UM_SPAN_STR("t"), &y), UM_OK);
    assert_true(x.len > 0 && um_span_eq(buf_span(&x), buf_span(&y)));
    um_buf_free(&x);
    um_buf_free(&y);
}

/* The allocation that *CTX counts down to fails. */
static void *realloc_but_one(void *ctx, void *p, size_t size)
{
    uint32_t *left = ctx;

    return *left > 0 && --*left == 0 ? NULL : realloc(p, size);
}

static void free_any(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void without_memory_many_ranges_are_refused_or_delete_the_same(void **state)
{
    struct um_crdt *whole = doc_new(true);
    struct um_buf u = { 0 };
    uint32_t left = 0, n_left = 0, n_done = 0;

    (void)state;
    long_item(&u, "\4", "\xf0\x9f\x98\x80", CUT_UNITS * 2, CUT_UNITS / 2);
    put_ranges(&u, 0, CUT_RANGES);
    assert_int_equal(um_crdt_apply(whole, buf_span(&u), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(whole, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    for (uint32_t n = 1; n_left == 0; n++) {      /* until none fails */
        struct um_crdt_conf cf;
        struct um_crdt *doc;
        um_err err;

        um_crdt_conf_init(&cf);
        cf.alloc = (struct um_crdt_alloc){ realloc_but_one, free_any, &left };
        assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
        left = n;
        err = um_crdt_apply(doc, buf_span(&u), NULL);
        n_left = left;
        left = 0;
        assert_true(err == UM_OK || err == UM_ENOMEM);
        n_done += err == UM_OK;
        if (err == UM_OK) {
            assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
            assert_same_text(whole, doc);
        }
        um_crdt_free(doc);
    }
    assert_true(n_done > 1);
    um_crdt_free(whole);
    um_buf_free(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entirely_new_update_is_relayed_as_the_very_bytes),
        cmocka_unit_test(structs_of_length_0_are_neither_kept_nor_relayed),
        cmocka_unit_test(a_keystroke_counts_the_same_on_either_way),
        cmocka_unit_test(a_keystroke_that_is_cut_off_is_refused),
        cmocka_unit_test(only_what_is_here_is_contained),
        cmocka_unit_test(what_waits_is_encoded_and_goes_on_when_it_can),
        cmocka_unit_test(pieces_make_the_whole_and_none_needs_a_later_one),
        cmocka_unit_test(pieces_to_a_reader_with_a_state_vector_hold_only_what_it_lacks),
        cmocka_unit_test(blob_and_tail_are_the_state_at_any_time),
        cmocka_unit_test(an_unchanged_state_is_encoded_once),
        cmocka_unit_test(two_writers_by_turns_keep_one_run_each),
        cmocka_unit_test(a_small_document_is_small),
        cmocka_unit_test(each_limit_holds_at_its_value),
        cmocka_unit_test(what_the_store_holds_may_be_larger_than_an_update),
        cmocka_unit_test(clocks_given_out_twice_leave_both_lists_whole),
        cmocka_unit_test(what_takes_too_long_to_place_is_refused_and_leaves_no_trace),
        cmocka_unit_test(inserting_at_the_head_again_and_again_is_no_long_work),
        cmocka_unit_test(depth_counts_levels_and_not_types),
        cmocka_unit_test(deep_types_are_read_deleted_and_collected),
        cmocka_unit_test(sections_in_any_order_end_as_each_alone),
        cmocka_unit_test(many_ranges_delete_what_each_alone_would_delete),
        cmocka_unit_test(without_memory_many_ranges_are_refused_or_delete_the_same),
        cmocka_unit_test(a_root_has_one_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
