/* Relative positions: forms and refusals that the vectors do not hold. */
#include "support.h"
#include <string.h>
#include <umbel/crdt_position.h>

#define BYTES(...) UM_SPAN(((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* "hello" by client 1, of which "el" is deleted. */
static struct um_crdt *hello(bool gc)
{
    struct um_crdt *doc = doc_new(gc);

    assert_int_equal(um_crdt_apply(doc, BYTES(1, 1, 1, 0, 4, 1, 1, 't', 5, 'h', 'e', 'l', 'l', 'o', 1, 1, 1, 1,
                                              2), NULL), UM_OK);
    return doc;
}

static struct um_crdt_type text(const struct um_crdt *doc)
{
    struct um_crdt_type type;

    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR("t"), &type), UM_OK);
    return type;
}

static void a_position_comes_back_to_its_index(void **state)
{
    struct um_crdt *doc = hello(false);

    (void)state;
    for (int64_t assoc = -1; assoc <= 0; assoc++) {
        for (uint32_t i = 0; i <= 3; i++) {
            struct um_crdt_position pos;
            struct um_crdt_type type;
            uint32_t index;

            type = text(doc);
            assert_int_equal(um_crdt_position_make(doc, &type, i, assoc, &pos), UM_OK);
            assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_OK);
            assert_int_equal(index, i);
            assert_int_equal(type.root, text(doc).root);
        }
    }
    um_crdt_free(doc);
}

static void a_position_at_what_was_deleted_falls_back_to_its_place(void **state)
{
    struct um_crdt_position pos = { .has_item = true, .item = { 1, 2 } };
    struct um_crdt *doc = hello(true);
    struct um_crdt_type type;
    uint32_t index;

    (void)state;
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_OK);
    assert_int_equal(index, 1);
    pos.item.clock = 5;
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_ENOTFOUND);       /* not yet known */
    pos.item = (struct um_crdt_id){ 2, 0 };
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_ENOTFOUND);
    pos = (struct um_crdt_position){ .has_root = true, .root = UM_SPAN_STR("other") };
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_ENOTFOUND);
    pos = (struct um_crdt_position){ .has_type = true, .type = { 1, 0 } };                    /* holds no type */
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_ENOTFOUND);
    pos = (struct um_crdt_position){ 0 };
    assert_int_equal(um_crdt_position_resolve(doc, &pos, &type, &index), UM_EINVAL);
    um_crdt_free(doc);
}

static void assoc_is_kept_whatever_its_size(void **state)
{
    static const int64_t values[] = { 0, 1, -1, 63, 64, -64, 100000, -9007199254740991, 9007199254740991 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(values); i++) {
        struct um_crdt_position pos = { .has_item = true, .item = { 9007199254740991u, UINT32_MAX }, .assoc = values[i] };
        struct um_crdt_position again;
        struct um_buf b = { 0 }, name = { 0 };

        assert_int_equal(um_crdt_position_encode(&pos, &b), UM_OK);
        assert_int_equal(um_crdt_position_decode(buf_span(&b), &again), UM_OK);
        assert_true(um_crdt_position_equal(&pos, &again));
        um_buf_clear(&b);
        assert_int_equal(um_crdt_position_to_json(&pos, &b), UM_OK);
        assert_int_equal(um_crdt_position_from_json(buf_span(&b), &name, &again), UM_OK);
        assert_true(um_crdt_position_equal(&pos, &again));
        um_buf_free(&b);
        um_buf_free(&name);
    }
}

static void bytes_of_old_clients_have_no_assoc(void **state)
{
    struct um_crdt_position pos;

    (void)state;
    assert_int_equal(um_crdt_position_decode(BYTES(0, 5, 7), &pos), UM_OK);
    assert_true(pos.has_item && pos.item.client == 5 && pos.item.clock == 7 && pos.assoc == 0);
    assert_int_equal(um_crdt_position_decode(BYTES(2, 5, 7), &pos), UM_OK);
    assert_true(pos.has_type && pos.type.client == 5);
    assert_int_equal(um_crdt_position_decode(BYTES(1, 1, 't'), &pos), UM_OK);
    assert_true(pos.has_root && um_span_eq(pos.root, UM_SPAN_STR("t")));
}

static void malformed_bytes_are_refused(void **state)
{
    struct um_crdt_position pos;

    (void)state;
    assert_int_equal(um_crdt_position_decode(UM_SPAN(NULL, 0), &pos), UM_EPROTO);
    assert_int_equal(um_crdt_position_decode(BYTES(3, 1, 1), &pos), UM_EPROTO);
    assert_int_equal(um_crdt_position_decode(BYTES(0, 5), &pos), UM_EPROTO);
    assert_int_equal(um_crdt_position_decode(BYTES(0, 5, 7, 0x80), &pos), UM_EPROTO);
    assert_int_equal(um_crdt_position_decode(BYTES(1, 9, 't'), &pos), UM_EPROTO);
    assert_int_equal(um_crdt_position_decode(BYTES(1, 1, 0xff), &pos), UM_EPROTO);
    assert_int_equal(um_crdt_position_decode(BYTES(0, 5, 0xff, 0xff, 0xff, 0xff, 0x7f), &pos), UM_ELIMIT);
}

static um_err from_json(const char *json, struct um_buf *name, struct um_crdt_position *pos)
{
    return um_crdt_position_from_json(UM_SPAN_STR(json), name, pos);
}

static void json_is_read_as_yjs_reads_it(void **state)
{
    struct um_crdt_position pos;
    struct um_buf name = { 0 }, got = { 0 };

    (void)state;
    assert_int_equal(from_json(" { \"t\\u006eame\" : \"a\\\"b\", \"item\":null, \"x\":[{}], \"assoc\":null } ",
                               &name, &pos), UM_OK);
    assert_true(pos.has_root && !pos.has_item && pos.assoc == 0 && um_span_eq(pos.root, UM_SPAN_STR("a\"b")));
    assert_int_equal(um_crdt_position_to_json(&pos, &got), UM_OK);
    assert_string_equal(um_buf_cstr(&got), "{\"tname\":\"a\\\"b\",\"assoc\":0}");
    assert_int_equal(from_json("{\"tname\":\"\",\"assoc\":-1}", &name, &pos), UM_OK);
    assert_true(pos.has_root && pos.root.len == 0 && pos.assoc == -1);
    assert_int_equal(from_json("{}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("[]", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"item\":5}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"item\":{\"client\":5}}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"item\":{\"client\":5,\"clock\":-1}}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"item\":{\"client\":5,\"clock\":4294967296}}", &name, &pos), UM_ELIMIT);
    assert_int_equal(from_json("{\"item\":{\"client\":9007199254740992,\"clock\":1}}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"item\":{\"client\":5,\"clock\":1.5}}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"tname\":5}", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"tname\":\"t\"", &name, &pos), UM_EPROTO);
    assert_int_equal(from_json("{\"tname\":\"\xff\"}", &name, &pos), UM_EPROTO);
    um_buf_free(&name);
    um_buf_free(&got);
}

static void json_that_is_no_position_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "null", "5", "{\"item\":null}", "{\"type\":true}", "{\"item\":[]}", "{\"assoc\":\"1\"}", "{\"tname\":[]}",
        "{\"tname\":\"t\",\"assoc\":-}", "{\"tname\":\"t\",\"assoc\":1e3}", "{\"tname\":\"t\",\"assoc\":{}}",
        "{\"tname\":\"t\",\"assoc\":12345678901234567890}", "{\"tname\":\"t\",\"assoc\":true}",
        "{\"item\":{\"client\":null,\"clock\":1}}", "{\"item\":{\"client\":\"1\",\"clock\":1}}",
        "{\"item\":{\"clock\":1}}", "{\"item\":{\"client\":-1,\"clock\":1}}", "{\"item\":{\"x\":1,\"y\":[1]}}",
        "{\"type\":{\"client\":1,\"clock\":1,\"clock\":1.0}}", "{\"item\":\"client\"}",
    };
    struct um_crdt_position pos;
    struct um_buf name = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        if (from_json(bad[i], &name, &pos) != UM_EPROTO)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(from_json("[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]", &name, &pos), UM_ELIMIT);
    assert_int_equal(from_json("{\"tname\":\"t\",\"tname\":null,\"type\":{\"clock\":2,\"client\":1}}", &name, &pos), UM_OK);
    assert_true(pos.has_type && !pos.has_root && pos.root.data == NULL);
    um_buf_free(&name);
}

static void positions_are_equal_in_every_part_or_not(void **state)
{
    const struct um_crdt_position base = { .has_item = true, .item = { 1, 2 }, .has_type = true, .type = { 3, 4 },
                                           .has_root = true, .root = UM_SPAN_STR("t"), .assoc = 1 };
    struct um_crdt_position other[11], bare = { .assoc = 1 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(other); i++)
        other[i] = base;
    other[0].has_item = other[1].has_type = other[2].has_root = false;
    other[3].assoc = 2;
    other[4].item.client = other[5].item.clock = 9;
    other[6].type.client = other[7].type.clock = 9;
    other[8].root = UM_SPAN_STR("u");
    other[9].root = UM_SPAN_STR("");
    other[10].has_item = other[10].has_type = other[10].has_root = false;
    for (size_t i = 0; i < UM_COUNT(other); i++) {
        assert_false(um_crdt_position_equal(&base, &other[i]));
        assert_true(um_crdt_position_equal(&other[i], &other[i]));
    }
    assert_true(um_crdt_position_equal(&bare, &other[10]));
}

static void a_position_at_the_end_holds_on_to_the_last_unit(void **state)
{
    /* "a" and "b" by turns of two clients, so two items; an empty text "e" */
    struct um_crdt *doc = doc_new(false);
    struct um_crdt_position pos;
    struct um_crdt_type t;

    (void)state;
    assert_int_equal(um_crdt_apply(doc, BYTES(2, 1, 2, 0, 0x84, 1, 0, 2, 'b', 'c', 1, 1, 0, 4, 1, 1, 't', 1, 'a', 0), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("e"), UM_CRDT_TEXT), UM_OK);
    t = text(doc);
    assert_int_equal(um_crdt_position_make(doc, &t, 99, -1, &pos), UM_OK);
    assert_true(pos.has_item && pos.item.client == 2 && pos.item.clock == 1);
    assert_int_equal(um_crdt_position_make(doc, &t, 99, 0, &pos), UM_OK);
    assert_true(!pos.has_item && pos.has_root);
    assert_int_equal(um_crdt_position_make(doc, &t, 0, -1, &pos), UM_OK);
    assert_false(pos.has_item);
    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR("e"), &t), UM_OK);
    assert_int_equal(um_crdt_position_make(doc, &t, 1, -1, &pos), UM_OK);
    assert_true(!pos.has_item && pos.has_root && um_span_eq(pos.root, UM_SPAN_STR("e")));
    t.root = 99;
    assert_int_equal(um_crdt_position_make(doc, &t, 0, 0, &pos), UM_ENOTFOUND);
    um_crdt_free(doc);
}

static void a_position_without_a_place_cannot_be_encoded(void **state)
{
    struct um_crdt_position pos = { .assoc = 1 };
    struct um_buf b = { 0 };

    (void)state;
    assert_int_equal(um_crdt_position_encode(&pos, &b), UM_EINVAL);
    pos = (struct um_crdt_position){ .has_item = true, .assoc = INT64_MIN };
    assert_int_equal(um_crdt_position_encode(&pos, &b), UM_EINVAL);
    pos.assoc = INT64_MAX;
    assert_int_equal(um_crdt_position_encode(&pos, &b), UM_EINVAL);
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_position_comes_back_to_its_index),
        cmocka_unit_test(a_position_at_what_was_deleted_falls_back_to_its_place),
        cmocka_unit_test(assoc_is_kept_whatever_its_size),
        cmocka_unit_test(bytes_of_old_clients_have_no_assoc),
        cmocka_unit_test(malformed_bytes_are_refused),
        cmocka_unit_test(json_is_read_as_yjs_reads_it),
        cmocka_unit_test(json_that_is_no_position_is_refused),
        cmocka_unit_test(positions_are_equal_in_every_part_or_not),
        cmocka_unit_test(a_position_at_the_end_holds_on_to_the_last_unit),
        cmocka_unit_test(a_position_without_a_place_cannot_be_encoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
