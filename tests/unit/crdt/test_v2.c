/* Update format v2 beyond the vectors: what hostile columns may cost, what survives, who owns what. */
#include "columns.h"
#include "support.h"
#include "v2.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_v2.h>

static struct um_buf hex(const char *text)
{
    struct um_buf b = { 0 };

    assert_true(um_hex_decode(&b, UM_SPAN_STR(text)));
    return b;
}

static void check_hex(struct um_buf *got, const char *want)
{
    struct um_buf text = { 0 };

    um_hex_encode(&text, buf_span(got));
    assert_string_equal(um_buf_cstr(&text), want);
    um_buf_free(&text);
    um_buf_free(got);
}

/* ---- values and strings that v1 cannot hold. Bytes: of real yjs 13.6.33 ------------------------------------ */

static const char *const odd_updates[] = {
    "00000101000001050301740101010000010100760401617f01627d4001637b7ff800000000000001647402010200",
    "000002410001000001850100000000010101760101657c7f80000000",
    "000200020241020100020002034600c605026b6b410000000001020275017f7e00",
};
#define ODD_MERGED "0002000202410302010002000207050085004600c60603746b6b410101010000010400760401617f01627d4001637b7f" \
                   "f8000000000000016474020102760101657c7f80000075017f7e00"

static void values_beyond_json_survive_merging_and_differences(void **state)
{
    struct um_buf bufs[3], got = { 0 }, merged = hex(ODD_MERGED);
    struct um_span spans[3];

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        bufs[i] = hex(odd_updates[i]);
        spans[i] = buf_span(&bufs[i]);
    }
    assert_int_equal(um_crdt_merge_v2(NULL, spans, 3, &got), UM_OK);
    check_hex(&got, ODD_MERGED);
    assert_int_equal(um_crdt_diff_v2(NULL, buf_span(&merged), UM_SPAN("\1\1\1", 3), &got), UM_OK);
    check_hex(&got, "000200020241030201000200020585004600c605026b6b4100000000010301760101657c7f80000075017f7e00");
    for (size_t i = 0; i < 3; i++)
        um_buf_free(&bufs[i]);
    um_buf_free(&merged);
}

static void in_v1_they_are_what_json_stringify_makes_of_them(void **state)
{
    struct um_buf merged = hex(ODD_MERGED), got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_v2_to_v1(NULL, buf_span(&merged), &got), UM_OK);
    check_hex(&got, "0104010005010174227b2262223a302c2263223a6e756c6c2c2264223a7b2230223a312c2231223a327d7d8501000a7b22"
                    "65223a6e756c6c7d460100016b065b6e756c6c5dc601000101016b046e756c6c00");
    um_buf_free(&merged);
}

/* The inner form of such values begins with a zero byte; from outside it is malformed. */
static void the_inner_form_is_not_taken_from_outside(void **state)
{
    struct um_buf v1 = hex("0101010005010174" "02007f" "00");      /* an embed of two bytes: 0, undefined */
    struct um_buf got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_validate(NULL, buf_span(&v1), NULL), UM_EPROTO);
    assert_int_equal(um_crdt_v1_to_v2(NULL, buf_span(&v1), &got), UM_EPROTO);
    um_buf_free(&v1);
    um_buf_free(&got);
}

/* ---- ownership ----------------------------------------------------------------------------------------- */

static void an_event_is_v1_and_outlives_the_update(void **state)
{
    struct um_buf v2 = hex(odd_updates[0]), v1 = { 0 };
    struct um_crdt_applied applied;
    struct um_crdt *doc = doc_new(true);

    (void)state;
    assert_int_equal(um_crdt_v2_to_v1(NULL, buf_span(&v2), &v1), UM_OK);
    assert_int_equal(um_crdt_apply_v2(doc, buf_span(&v2), &applied), UM_OK);
    um_buf_free(&v2);
    assert_true(applied.changed && !applied.verbatim);
    assert_true(um_span_eq(applied.event, buf_span(&v1)));
    um_buf_free(&v1);
    um_crdt_free(doc);
}

static void what_trails_an_update_is_left_out(void **state)
{
    struct um_buf v2 = hex(odd_updates[1]), got = { 0 };
    struct um_crdt_update_stats stats;
    size_t len = v2.len;
    struct um_span span;

    (void)state;
    um_buf_puts(&v2, "trailing");
    span = buf_span(&v2);
    assert_int_equal(um_crdt_validate_v2(NULL, span, &stats), UM_OK);
    assert_int_equal(stats.bytes, len);
    assert_int_equal(um_crdt_merge_v2(NULL, &span, 1, &got), UM_OK);
    check_hex(&got, odd_updates[1]);
    um_buf_free(&v2);
}

/* ---- deletions ----------------------------------------------------------------------------------------- */

static void unsorted_deletions_are_put_right_before_they_are_written(void **state)
{
    /* client 1: 5+3, 0+2, 6+4, 2+0, 20+1; client 2: 0+1, 1+1 (touch: stay) */
    struct um_buf v1 = hex("00" "02" "0105" "0503" "0002" "0604" "0200" "1401" "0202" "0001" "0101"), got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_v1_to_v2(NULL, buf_span(&v1), &got), UM_OK);
    check_hex(&got, "00000000000001000000000" "0" "02" "0202" "0000" "0000" "0103" "0001" "0304" "0a00");
    um_buf_free(&v1);
}

/* ---- what columns claim -------------------------------------------------------------------------------- */

struct parts {                        /* an update to be: every column as its writer */
    struct diff_writer key_clock, left, right;
    struct uint_writer client, type_ref, len;
    struct byte_writer info, parent_info;
    struct text_writer text;
    struct um_buf rest;
};

static struct um_buf parts_end(struct parts *p)
{
    struct um_buf out = { 0 };

    buf_put_uint(&out, 0);
    diff_writer_end(&p->key_clock, &out);
    uint_writer_end(&p->client, &out);
    diff_writer_end(&p->left, &out);
    diff_writer_end(&p->right, &out);
    byte_writer_end(&p->info, &out);
    text_writer_end(&p->text, &out);
    byte_writer_end(&p->parent_info, &out);
    uint_writer_end(&p->type_ref, &out);
    uint_writer_end(&p->len, &out);
    um_buf_put(&out, p->rest.data, p->rest.len);
    um_buf_free(&p->rest);
    return out;
}

/* One section of N collected structs, length 1 each. */
static struct um_buf bomb(uint64_t n)
{
    struct parts p = { 0 };

    uint_write(&p.client, 1);
    byte_write(&p.info, 0);
    uint_write(&p.len, 1);
    p.len.n = n;
    buf_put_uint(&p.rest, 1);
    buf_put_uint(&p.rest, n);
    buf_put_uint(&p.rest, 0);
    buf_put_uint(&p.rest, 0);
    return parts_end(&p);
}

static void structs_beyond_the_budget_are_refused(void **state)
{
    static const uint64_t refused[] = { 100000, UINT32_MAX, (uint64_t)1 << 40, LIB0_MAX_INT };
    struct um_buf few = bomb(UM_CRDT_V2_FREE_STRUCTS);

    (void)state;
    assert_int_equal(um_crdt_validate_v2(NULL, buf_span(&few), NULL), UM_OK);
    um_buf_free(&few);
    for (size_t i = 0; i < UM_COUNT(refused); i++) {
        struct um_buf b = bomb(refused[i]);

        assert_int_equal(um_crdt_validate_v2(NULL, buf_span(&b), NULL), UM_ELIMIT);
        um_buf_free(&b);
    }
}

static void two_bytes_more_allow_one_struct_more(void **state)
{
    const uint32_t more = 1000;

    (void)state;
    for (uint32_t missing = 0; missing < 2; missing++) {
        struct um_buf b = bomb(UM_CRDT_V2_FREE_STRUCTS + more);

        while (b.len + missing < (size_t)more * UM_CRDT_V2_BYTES_PER_STRUCT)
            um_buf_put_u8(&b, 0);
        assert_int_equal(um_crdt_validate_v2(NULL, buf_span(&b), NULL), missing == 0 ? UM_OK : UM_ELIMIT);
        um_buf_free(&b);
    }
}

static void many_small_updates_share_one_budget_when_merged(void **state)
{
    struct um_buf b = bomb(UM_CRDT_V2_FREE_STRUCTS), got = { 0 };
    struct um_span spans[8];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(spans); i++)
        spans[i] = buf_span(&b);
    assert_int_equal(um_crdt_merge_v2(NULL, spans, UM_COUNT(spans), &got), UM_ELIMIT);
    um_buf_free(&b);
    um_buf_free(&got);
}

static void only_the_documents_limits_hold_for_what_is_loaded(void **state)
{
    struct um_buf b = bomb(100000);
    struct um_crdt *doc = doc_new(true);

    (void)state;
    assert_int_equal(um_crdt_apply_v2(doc, buf_span(&b), NULL), UM_ELIMIT);
    assert_int_equal(um_crdt_load_v2(doc, buf_span(&b), NULL), UM_OK);
    um_crdt_free(doc);
    um_buf_free(&b);
}

/* 60,000 marks that all name the first one's key. */
static void a_key_that_is_used_again_cannot_multiply_memory(void **state)
{
    struct parts p = { 0 };
    struct um_buf key = { 0 }, b, got = { 0 };
    const uint32_t n = 60000;

    (void)state;
    for (uint32_t i = 0; i < n; i++)
        um_buf_put_u8(&key, 'k');
    text_write(&p.text, buf_span(&key));
    uint_write(&p.client, 1);
    buf_put_uint(&p.rest, 1);
    buf_put_uint(&p.rest, n);
    buf_put_uint(&p.rest, 1);
    for (uint32_t i = 0; i < n; i++) {
        byte_write(&p.info, KIND_FORMAT | INFO_ORIGIN);
        uint_write(&p.client, 1);
        diff_write(&p.left, i);
        diff_write(&p.key_clock, 0);
        um_buf_put_u8(&p.rest, ANY_NULL);
    }
    buf_put_uint(&p.rest, 0);
    b = parts_end(&p);
    assert_true(b.len < 3 * n);
    assert_int_equal(um_crdt_v2_to_v1(NULL, buf_span(&b), &got), UM_ELIMIT);
    assert_int_equal(got.len, 0);
    um_buf_free(&key);
    um_buf_free(&b);
    um_buf_free(&got);
}

static void a_key_may_be_named_by_its_number(void **state)
{
    struct parts p = { 0 };
    struct um_buf b, got = { 0 };

    (void)state;
    text_write(&p.text, UM_SPAN_STR("b"));
    uint_write(&p.client, 1);
    buf_put_uint(&p.rest, 1);
    buf_put_uint(&p.rest, 2);
    buf_put_uint(&p.rest, 1);
    for (uint32_t i = 0; i < 2; i++) {
        byte_write(&p.info, KIND_FORMAT | INFO_ORIGIN);
        uint_write(&p.client, 1);
        diff_write(&p.left, i);
        diff_write(&p.key_clock, 0);
        um_buf_put_u8(&p.rest, i == 0 ? ANY_TRUE : ANY_NULL);
    }
    buf_put_uint(&p.rest, 0);
    b = parts_end(&p);
    assert_int_equal(um_crdt_v2_to_v1(NULL, buf_span(&b), &got), UM_OK);
    check_hex(&got, "0102010186010001620474727565860101016204" "6e756c6c" "00");
    um_buf_free(&b);
}

/* One section of client 1 with one struct of INFO behind an origin at CLOCK. */
static void parts_begin(struct parts *p, uint8_t info, int64_t clock)
{
    uint_write(&p->client, 1);
    uint_write(&p->client, 2);
    byte_write(&p->info, info | INFO_ORIGIN);
    diff_write(&p->left, clock);
    for (uint64_t i = 0; i < 3; i++)
        buf_put_uint(&p->rest, i == 2 ? 0 : 1);       /* one section, one struct, clock 0 */
}

static um_err parts_check(struct parts *p, const struct um_crdt_conf *cf, struct um_span rest)
{
    struct um_buf b;
    um_err err;

    um_buf_put(&p->rest, rest.data, rest.len);
    buf_put_uint(&p->rest, 0);                        /* no deletions */
    b = parts_end(p);
    err = um_crdt_validate_v2(cf, buf_span(&b), NULL);
    um_buf_free(&b);
    *p = (struct parts){ 0 };
    return err;
}

static void clocks_of_columns_are_checked_as_those_of_v1(void **state)
{
    static const struct {
        int64_t clock;
        um_err err;
    } rows[] = { { 0, UM_OK }, { UINT32_MAX, UM_OK }, { -1, UM_EPROTO }, { (int64_t)UINT32_MAX + 1, UM_ELIMIT } };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct parts p = { 0 };

        parts_begin(&p, KIND_DELETED, rows[i].clock);
        uint_write(&p.len, 1);
        assert_int_equal(parts_check(&p, NULL, UM_SPAN(NULL, 0)), rows[i].err);
    }
}

static void keys_of_columns_have_numbers_from_0_on_and_a_limit(void **state)
{
    static const struct {
        int64_t number;
        uint32_t limit;
        um_err err;
    } rows[] = { { 0, 3, UM_OK }, { 5, 3, UM_OK }, { 0, 2, UM_ELIMIT }, { -1, 3, UM_EPROTO } };
    struct um_crdt_conf cf;

    (void)state;
    um_crdt_conf_init(&cf);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct parts p = { 0 };

        cf.limits.key_bytes = rows[i].limit;
        parts_begin(&p, KIND_FORMAT, 0);
        diff_write(&p.key_clock, rows[i].number);
        text_write(&p.text, UM_SPAN_STR("abc"));
        assert_int_equal(parts_check(&p, &cf, UM_SPAN("\x7e", 1)), rows[i].err);
    }
}

/* Differences of almost 2^52 each: the third leaves what a number may be. */
static void key_numbers_beyond_2_to_the_53_are_refused(void **state)
{
    struct parts p = { 0 };

    (void)state;
    uint_write(&p.client, 1);
    buf_put_uint(&p.rest, 1);
    buf_put_uint(&p.rest, 3);
    buf_put_uint(&p.rest, 1);
    for (int64_t i = 0; i < 3; i++) {
        byte_write(&p.info, KIND_FORMAT | INFO_ORIGIN);
        uint_write(&p.client, 1);
        diff_write(&p.left, i);
        diff_write(&p.key_clock, (i + 1) * (((int64_t)1 << 52) - 1));
        text_write(&p.text, UM_SPAN_STR("k"));
        um_buf_put_u8(&p.rest, ANY_NULL);
    }
    assert_int_equal(parts_check(&p, NULL, UM_SPAN(NULL, 0)), UM_EPROTO);
}

static void json_texts_are_as_many_as_there_are_strings(void **state)
{
    static const struct {
        uint64_t n;
        const char *text;
        um_err err;
    } rows[] = { { 2, "0", UM_OK }, { 3, "0", UM_EPROTO }, { 1000, "0", UM_EPROTO }, { 3, "[]", UM_EPROTO },
                 { 2, "[", UM_EPROTO }, { 0, "0", UM_OK } };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct parts p = { 0 };

        parts_begin(&p, KIND_JSON, 0);
        uint_write(&p.len, rows[i].n);
        text_write(&p.text, UM_SPAN_STR(rows[i].text));
        text_write(&p.text, UM_SPAN_STR(rows[i].text));
        assert_int_equal(parts_check(&p, NULL, UM_SPAN(NULL, 0)), rows[i].err);
    }
}

static void a_sub_document_of_columns_needs_options(void **state)
{
    static const struct {
        const char *options;
        um_err err;
    } rows[] = { { "\x76", UM_OK }, { "\x7f", UM_EPROTO }, { "\x7e", UM_EPROTO }, { "\x78", UM_OK }, { "\x10", UM_EPROTO },
                 { "\x75\x50", UM_EPROTO } };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct parts p = { 0 };

        parts_begin(&p, KIND_DOC, 0);
        text_write(&p.text, UM_SPAN_STR("guid"));
        assert_int_equal(parts_check(&p, NULL, UM_SPAN(rows[i].options, strlen(rows[i].options) + (i == 0))), rows[i].err);
    }
}

static void the_limits_of_v1_hold_for_v2(void **state)
{
    struct um_buf two = { 0 }, got = { 0 };
    struct um_crdt_conf cf;

    (void)state;
    assert_int_equal(um_crdt_v1_to_v2(NULL, UM_SPAN("\2\1\2\0\0\1\1\1\0\0\1\0", 12), &two), UM_OK);
    um_crdt_conf_init(&cf);
    cf.limits.update_clients = 2;
    assert_int_equal(um_crdt_v2_to_v1(&cf, buf_span(&two), &got), UM_OK);
    cf.limits.update_clients = 1;
    assert_int_equal(um_crdt_v2_to_v1(&cf, buf_span(&two), &got), UM_ELIMIT);
    um_crdt_conf_init(&cf);
    cf.limits.update_bytes = (uint32_t)two.len - 1;
    assert_int_equal(um_crdt_v2_to_v1(&cf, buf_span(&two), &got), UM_ELIMIT);
    um_buf_free(&two);
    um_buf_free(&got);
}

static void merging_nothing_gives_the_empty_update(void **state)
{
    struct um_buf got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_merge_v2(NULL, NULL, 0, &got), UM_OK);
    check_hex(&got, "00000000000001000000000000");
    got = (struct um_buf){ 0 };
    assert_int_equal(um_crdt_merge(NULL, NULL, 0, &got), UM_OK);
    check_hex(&got, "0000");
}

static void sizes_beyond_any_limit_are_refused_unread(void **state)
{
    struct um_span all[2] = { { (const uint8_t *)"", (size_t)1 << 40 }, { (const uint8_t *)"", (size_t)1 << 40 } };
    struct um_buf got = { 0 };

    (void)state;
    assert_int_equal(um_crdt_merge_v2(NULL, all, 2, &got), UM_ELIMIT);
    assert_int_equal(um_crdt_merge(NULL, all, 2, &got), UM_ELIMIT);
    assert_int_equal(um_crdt_merge_v2(NULL, all, UINT32_MAX, &got), UM_ENOMEM);
    um_buf_free(&got);
}

static void deletions_of_v2_stay_below_their_limits(void **state)
{
    /* client 5: 0+1, 2+1; then one that ends beyond 2^32-1 */
    static const uint8_t two[] = { 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 5, 2, 0, 0, 1, 0 };
    static const uint8_t far[] = { 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 5, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0 };
    struct um_crdt_conf cf;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.update_ranges = 2;
    assert_int_equal(um_crdt_validate_v2(&cf, UM_SPAN(two, sizeof(two)), NULL), UM_OK);
    cf.limits.update_ranges = 1;
    assert_int_equal(um_crdt_validate_v2(&cf, UM_SPAN(two, sizeof(two)), NULL), UM_ELIMIT);
    assert_int_equal(um_crdt_validate_v2(NULL, UM_SPAN(far, sizeof(far)), NULL), UM_ELIMIT);
}

/* ---- damage -------------------------------------------------------------------------------------------- */

static void every_cut_of_an_update_is_refused_without_a_change(void **state)
{
    json_t *vector = vector_load("random-rich-0.json"), *updates = json_object_get(vector, "updates_v2"), *u;
    struct um_crdt *doc = doc_new(true);
    size_t i;

    (void)state;
    json_array_foreach(updates, i, u) {
        struct um_buf b = b64(u);

        for (size_t n = 0; n < b.len; n++)
            assert_int_not_equal(um_crdt_apply_v2(doc, UM_SPAN(b.data, n), NULL), UM_OK);
        assert_int_equal(um_crdt_apply_v2(doc, buf_span(&b), NULL), UM_OK);
        um_buf_free(&b);
    }
    um_crdt_free(doc);
    json_decref(vector);
}

struct failing {
    unsigned countdown, live;
};

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    struct failing *f = ctx;
    void *q;

    if (f->countdown > 0 && --f->countdown == 0)
        return NULL;
    q = realloc(p, size);
    f->live += p == NULL && q != NULL;
    return q;
}

static void failing_free(void *ctx, void *p)
{
    struct failing *f = ctx;

    f->live -= p != NULL;
    free(p);
}

static void running_out_of_memory_is_told_and_leaks_nothing(void **state)
{
    struct failing f = { 0 };
    struct um_crdt_conf cf;
    struct um_buf bufs[3], got = { 0 };
    struct um_span spans[3];
    um_err err = UM_ENOMEM;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, &f };
    for (size_t i = 0; i < 3; i++) {
        bufs[i] = hex(odd_updates[i]);
        spans[i] = buf_span(&bufs[i]);
    }
    for (unsigned n = 1; err != UM_OK; n++) {
        assert_int_equal(err, UM_ENOMEM);
        um_buf_clear(&got);
        f.countdown = n;
        err = um_crdt_merge_v2(&cf, spans, 3, &got);
        f.countdown = 0;
        assert_int_equal(f.live, 0);
    }
    check_hex(&got, ODD_MERGED);
    for (size_t i = 0; i < 3; i++)
        um_buf_free(&bufs[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_beyond_json_survive_merging_and_differences),
        cmocka_unit_test(in_v1_they_are_what_json_stringify_makes_of_them),
        cmocka_unit_test(the_inner_form_is_not_taken_from_outside),
        cmocka_unit_test(an_event_is_v1_and_outlives_the_update),
        cmocka_unit_test(what_trails_an_update_is_left_out),
        cmocka_unit_test(unsorted_deletions_are_put_right_before_they_are_written),
        cmocka_unit_test(structs_beyond_the_budget_are_refused),
        cmocka_unit_test(two_bytes_more_allow_one_struct_more),
        cmocka_unit_test(many_small_updates_share_one_budget_when_merged),
        cmocka_unit_test(only_the_documents_limits_hold_for_what_is_loaded),
        cmocka_unit_test(a_key_that_is_used_again_cannot_multiply_memory),
        cmocka_unit_test(a_key_may_be_named_by_its_number),
        cmocka_unit_test(clocks_of_columns_are_checked_as_those_of_v1),
        cmocka_unit_test(keys_of_columns_have_numbers_from_0_on_and_a_limit),
        cmocka_unit_test(key_numbers_beyond_2_to_the_53_are_refused),
        cmocka_unit_test(json_texts_are_as_many_as_there_are_strings),
        cmocka_unit_test(a_sub_document_of_columns_needs_options),
        cmocka_unit_test(the_limits_of_v1_hold_for_v2),
        cmocka_unit_test(merging_nothing_gives_the_empty_update),
        cmocka_unit_test(sizes_beyond_any_limit_are_refused_unread),
        cmocka_unit_test(deletions_of_v2_stay_below_their_limits),
        cmocka_unit_test(every_cut_of_an_update_is_refused_without_a_change),
        cmocka_unit_test(running_out_of_memory_is_told_and_leaks_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
