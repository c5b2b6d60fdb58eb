/* Looking into updates: every struct is shown where it stands, and a refused update is refused for a reason. */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_inspect.h>

struct sum {
    size_t structs, ranges, at;
    bool backwards;
    size_t stop_after;
};

static um_err add(void *arg, const struct um_crdt_seen *s)
{
    struct sum *sum = arg;
    struct um_buf json = { 0 };
    json_t *j;

    sum->backwards |= s->offset < sum->at || s->bytes == 0;
    sum->at = s->offset + s->bytes;
    if (s->kind == UM_CRDT_SEEN_RANGE) {
        sum->ranges++;
        return UM_OK;
    }
    assert_int_equal(um_crdt_seen_content(s, UM_CRDT_TAGGED, &json), UM_OK);
    j = json_loadb((const char *)json.data, json.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(j);
    json_decref(j);
    um_buf_free(&json);
    return ++sum->structs == sum->stop_after ? UM_EDENIED : UM_OK;
}

static void inspect_one(struct tally *t, const json_t *v)
{
    const json_t *update;
    size_t i;

    json_array_foreach(json_object_get(v, "updates_v1"), i, update) {
        struct um_buf b = b64(update);
        struct sum sum = { 0 };
        struct um_crdt_update_stats stats;

        assert_int_equal(um_crdt_validate(NULL, buf_span(&b), &stats), UM_OK);
        assert_int_equal(um_crdt_inspect(NULL, buf_span(&b), add, &sum), UM_OK);
        check(t, sum.structs == stats.structs && sum.ranges == stats.ranges && sum.at <= stats.bytes && !sum.backwards,
              "update %zu: %zu structs, %zu ranges, end %zu", i, sum.structs, sum.ranges, sum.at);
        um_buf_free(&b);
    }
}

static void every_struct_and_range_is_shown_in_order(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, inspect_one);
}

static void the_callback_ends_the_walk(void **state)
{
    static const uint8_t two[] = { 1, 2, 5, 0, 4, 1, 1, 't', 1, 'a', 0x84, 5, 0, 1, 'b', 0 };
    struct sum sum = { .stop_after = 1 };

    (void)state;
    assert_int_equal(um_crdt_inspect(NULL, UM_SPAN(two, sizeof(two)), add, &sum), UM_EDENIED);
    assert_int_equal(sum.structs, 1);
}

static um_err stop_at_range(void *arg, const struct um_crdt_seen *s)
{
    unsigned *left = arg;

    return s->kind == UM_CRDT_SEEN_RANGE && --*left == 0 ? UM_EDENIED : UM_OK;
}

static void the_callback_ends_the_walk_at_a_range_too(void **state)
{
    static const uint8_t ranges[] = { 0, 2, 6, 2, 0, 1, 3, 1, 5, 1, 0, 1 };

    (void)state;
    for (unsigned n = 1; n <= 4; n++) {
        unsigned left = n;

        assert_int_equal(um_crdt_inspect(NULL, UM_SPAN(ranges, sizeof(ranges)), stop_at_range, &left),
                         n <= 3 ? UM_EDENIED : UM_OK);
    }
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(um_crdt_seen_name(UM_CRDT_SEEN_RANGE), "Range");
    assert_string_equal(um_crdt_seen_name((enum um_crdt_seen_kind)(UM_CRDT_SEEN_RANGE + 1)), "unknown");
    assert_string_equal(um_crdt_kind_name(UM_CRDT_XML_HOOK), "XmlHook");
    assert_string_equal(um_crdt_kind_name((enum um_crdt_kind)(UM_CRDT_UNTYPED + 1)), "unknown");
}

/* ---- verify -------------------------------------------------------------------------------------------- */

static void same_verdict(struct tally *t, struct um_span update, const char *what, size_t n)
{
    struct um_crdt_fault fault;
    um_err want = um_crdt_validate(NULL, update, NULL), got = um_crdt_verify(NULL, update, &fault);

    check(t, got == want, "%s %zu: %d, validate says %d", what, n, got, want);
    if (want != UM_OK)
        check(t, fault.why != um_err_text(want) && fault.offset <= update.len, "%s %zu: no reason found at %zu", what, n,
              fault.offset);
}

static void damage_one(struct tally *t, const json_t *v)
{
    const json_t *update = json_array_get(json_object_get(v, "updates_v1"), 0);
    struct um_buf b;
    size_t n;

    if (update == NULL)
        return;
    b = b64(update);
    n = UM_MIN(b.len, 300);
    same_verdict(t, buf_span(&b), "whole", 0);
    for (size_t i = 0; i < n; i++) {
        uint8_t *cut = malloc(i + 1);     /* a block of its own: reading behind its end shows */
        uint8_t was = b.data[i];

        assert_non_null(cut);
        memcpy(cut, b.data, i);
        same_verdict(t, UM_SPAN(cut, i), "cut at", i);
        free(cut);
        for (unsigned k = 0; k < 8; k++) {
            b.data[i] = (uint8_t)(was ^ (1u << k));
            same_verdict(t, buf_span(&b), "bit turned in byte", i);
        }
        b.data[i] = 0xff;
        same_verdict(t, buf_span(&b), "ff at", i);
        b.data[i] = was;
    }
    um_buf_free(&b);
}

static void a_refused_update_is_refused_for_a_reason(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, damage_one);
}

static const struct {
    const char *hex;
    size_t offset;
    const char *field, *why;
} faults[] = {
    { "",                                 0,  "count of clients", "the update ends here" },
    { "0101050004010174",                 8,  "content",          "the update ends here" },
    { "01010500040102c328016100",         6,  "root name",        "not UTF-8" },
    { "01010500040101740261",             8,  "content",          "longer than what is left of the update" },
    { "010105000401017402c32800",         8,  "content",          "not UTF-8" },
    { "010105000b010174016100",           4,  "kind",             "unknown kind of struct" },
    { "01010501840501016100",             5,  "origin",           "its own client's, but not below the struct" },
    { "01010500070101740900",             8,  "type",             "unknown type" },
    { "0101050005010174017b00",           8,  "content",          "not a JSON text" },
    { "02010500040101740161010501040101740162" "00", 10, "section", "a second section of this client" },
    { "030105000401017401610109000401017401620105" "0104010174016300", 19, "section", "a second section of this client" },
    { "0501090004010174016101050004010174016201090104010174016301050104010174016400" "0900" "00", 19, "section",
      "a second section of this client" },
    { "0001050102",                       3,  "count of ranges",  "more ranges than bytes" },
    { "010105010affffffff0f" "00",        4,  "length",           "the clock passes 2^32-1" },
};

static void the_place_of_a_fault_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(faults); i++) {
        struct um_buf b = { 0 };
        struct um_crdt_fault f;
        um_err err;

        assert_true(um_hex_decode(&b, UM_SPAN_STR(faults[i].hex)));
        err = um_crdt_verify(NULL, buf_span(&b), &f);
        um_buf_free(&b);
        assert_int_not_equal(err, UM_OK);
        assert_string_equal(f.field, faults[i].field);
        assert_string_equal(f.why, faults[i].why);
        assert_int_equal(f.offset, faults[i].offset);
    }
}

static void a_limit_is_a_reason_too(void **state)
{
    static const uint8_t two[] = { 1, 2, 5, 0, 4, 1, 1, 't', 1, 'a', 0x84, 5, 0, 1, 'b', 0 };
    struct um_crdt_conf cf;
    struct um_crdt_fault f;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.update_structs = 1;
    assert_int_equal(um_crdt_verify(&cf, UM_SPAN(two, sizeof(two)), &f), UM_ELIMIT);
    assert_string_equal(f.field, "count of structs");
    um_crdt_conf_init(&cf);
    cf.limits.update_bytes = 3;
    assert_int_equal(um_crdt_verify(&cf, UM_SPAN(two, sizeof(two)), &f), UM_ELIMIT);
    assert_string_equal(f.why, "larger than the limit");
}

static const struct {
    const char *hex;
    size_t limit;                         /* which, in struct um_crdt_limits; set to 1 */
    size_t offset;
    const char *field, *why;
} limit_faults[] = {
#define AT(name) offsetof(struct um_crdt_limits, name)
    { "02010600040101740161010500040101740162" "00", AT(update_clients), 0, "count of clients", "more than the limit" },
    { "00010502000101010101",              AT(update_ranges),   3, "count of ranges",   "more than the limit" },
    { "00020601000105010001",              AT(update_ranges),   7, "count of ranges",   "more than the limit" },
    { "0101050005010174055b5b315d5d00",    AT(value_depth),     8, "content",           "nested deeper than the limit" },
    { "01010500080101740175017501" "7e00", AT(value_depth),     9, "value",             "nested deeper than the limit" },
    { "010105000401026161016100",          AT(root_name_bytes), 6, "root name",         "longer than the limit" },
    { "01010500240101740261620161" "00",   AT(key_bytes),       8, "key",               "longer than the limit" },
    { "010105000601017402616204" "7472756500", AT(key_bytes),   8, "format name",       "longer than the limit" },
    { "0101050007010174030261" "6200",     AT(key_bytes),       9, "node name",         "longer than the limit" },
#undef AT
};

static void each_limit_names_the_field_that_passes_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(limit_faults); i++) {
        struct um_crdt_conf cf;
        struct um_crdt_fault f;
        struct um_buf b = { 0 };

        assert_true(um_hex_decode(&b, UM_SPAN_STR(limit_faults[i].hex)));
        um_crdt_conf_init(&cf);
        assert_int_equal(um_crdt_verify(&cf, buf_span(&b), &f), UM_OK);
        memcpy((char *)&cf.limits + limit_faults[i].limit, &(uint32_t){ 1 }, sizeof(uint32_t));
        if (um_crdt_verify(&cf, buf_span(&b), &f) != UM_ELIMIT || strcmp(f.field, limit_faults[i].field) != 0 ||
            strcmp(f.why, limit_faults[i].why) != 0 || f.offset != limit_faults[i].offset)
            fail_msg("%s: %s: %s at %zu", limit_faults[i].hex, f.field, f.why, f.offset);
        um_buf_free(&b);
    }
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

static void without_memory_no_fault_is_made_up(void **state)
{
    static const uint8_t twice[] = { 2, 1, 5, 0, 4, 1, 1, 't', 1, 'a', 1, 5, 1, 4, 1, 1, 't', 1, 'b', 0 };
    struct um_crdt_conf cf;
    struct um_crdt_fault f;
    um_err err;
    unsigned n = 0;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, NULL };
    do {
        countdown = ++n;
        err = um_crdt_verify(&cf, UM_SPAN(twice, sizeof(twice)), &f);
        countdown = 0;
    } while (err == UM_ENOMEM && n < 100);
    assert_int_equal(err, UM_EPROTO);
    assert_int_equal(f.offset, 10);
    assert_true(n > 2);
}

/* ---- guessing ------------------------------------------------------------------------------------------ */

static void guess_one(struct tally *t, const json_t *v)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_stats stats;
    const json_t *update, *kind;
    const char *name;
    size_t i;

    json_array_foreach(json_object_get(v, "updates_v1"), i, update) {
        struct um_buf b = b64(update);

        assert_int_equal(um_crdt_load(doc, buf_span(&b), NULL), UM_OK);
        um_buf_free(&b);
    }
    um_crdt_get_stats(doc, &stats);
    json_object_foreach((json_t *)json_object_get(v, "roots"), name, kind) {
        enum um_crdt_kind want = kind_of(json_string_value(kind)), got;

        if (um_crdt_guess_root(doc, UM_SPAN_STR(name), &got) == UM_OK && want <= UM_CRDT_TEXT && stats.pending_structs == 0)
            check(t, got == want || got == UM_CRDT_MAP || got == UM_CRDT_ARRAY, "%s looks like %s, is %s", name,
                  um_crdt_kind_name(got), json_string_value(kind));
    }
    um_crdt_free(doc);
}

static void a_root_s_kind_is_guessed_from_its_content(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, guess_one);
}

static void a_declared_root_needs_no_guess(void **state)
{
    static const uint8_t text[] = { 1, 1, 5, 0, 4, 1, 1, 't', 1, 'a', 0 };
    struct um_crdt *doc = doc_new(true);
    enum um_crdt_kind kind;

    (void)state;
    assert_int_equal(um_crdt_apply(doc, UM_SPAN(text, sizeof(text)), NULL), UM_OK);
    assert_int_equal(um_crdt_guess_root(doc, UM_SPAN_STR("u"), &kind), UM_ENOTFOUND);
    assert_int_equal(um_crdt_guess_root(doc, UM_SPAN_STR("t"), &kind), UM_OK);
    assert_int_equal(kind, UM_CRDT_TEXT);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_XML_TEXT), UM_OK);
    assert_int_equal(um_crdt_guess_root(doc, UM_SPAN_STR("t"), &kind), UM_OK);
    assert_int_equal(kind, UM_CRDT_XML_TEXT);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_struct_and_range_is_shown_in_order),
        cmocka_unit_test(the_callback_ends_the_walk),
        cmocka_unit_test(a_refused_update_is_refused_for_a_reason),
        cmocka_unit_test(the_place_of_a_fault_is_named),
        cmocka_unit_test(a_limit_is_a_reason_too),
        cmocka_unit_test(each_limit_names_the_field_that_passes_it),
        cmocka_unit_test(without_memory_no_fault_is_made_up),
        cmocka_unit_test(every_kind_has_a_name),
        cmocka_unit_test(the_callback_ends_the_walk_at_a_range_too),
        cmocka_unit_test(a_declared_root_needs_no_guess),
        cmocka_unit_test(a_root_s_kind_is_guessed_from_its_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
