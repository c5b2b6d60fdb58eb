#include <stdio.h>
#include <um_test.h>
#include <umbel/map.h>
#include <umbel/util.h>

static void varuint_round_trips_at_every_width(void **state)
{
    (void)state;
    static const uint64_t values[] = { 0, 1, 127, 128, 300, 16383, 16384, UINT32_MAX, (UINT64_C(1) << 53) - 1 };
    for (size_t i = 0; i < UM_COUNT(values); i++) {
        struct um_buf b = { 0 };
        um_buf_put_varuint(&b, values[i]);
        struct um_reader r = um_reader(UM_SPAN(b.data, b.len));
        assert_true(um_read_varuint(&r) == values[i]);
        assert_false(r.failed);
        assert_int_equal(um_reader_left(&r), 0);
        for (size_t cut = 0; cut < b.len; cut++) {
            struct um_reader s = um_reader(UM_SPAN(b.data, cut));
            um_read_varuint(&s);
            assert_true(s.failed);
        }
        um_buf_free(&b);
    }
}

static void varuint_above_a_javascript_integer_is_refused(void **state)
{
    (void)state;
    static const uint8_t wide[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10 };   /* 2^53 */
    struct um_reader r = um_reader(UM_SPAN(wide, sizeof(wide)));
    um_read_varuint(&r);
    assert_true(r.failed);
}

static void varbytes_never_reach_beyond_the_end(void **state)
{
    (void)state;
    static const uint8_t in[] = { 5, 'a', 'b' };
    struct um_reader r = um_reader(UM_SPAN(in, sizeof(in)));
    assert_int_equal(um_read_varbytes(&r).len, 0);
    assert_true(r.failed);
}

static void a_text_is_read_as_it_was_written_and_nothing_else_is(void **state)
{
    static const struct um_span bad[] = { UM_SPAN("four", 4), UM_SPAN("a\0b", 3), UM_SPAN("\xff", 1) };
    struct um_buf b = { 0 };
    struct um_reader r;
    char out[4] = "old";

    (void)state;
    um_buf_put_varbytes(&b, UM_SPAN_STR("abc"));
    um_buf_put_varbytes(&b, UM_SPAN(NULL, 0));
    r = um_reader(UM_SPAN(b.data, b.len));
    um_read_vartext(&r, out, 3);
    assert_string_equal(out, "abc");
    um_read_vartext(&r, out, 3);
    assert_string_equal(out, "");
    assert_false(r.failed);
    assert_int_equal(um_reader_left(&r), 0);
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        um_buf_clear(&b);
        um_buf_put_varbytes(&b, bad[i]);
        r = um_reader(UM_SPAN(b.data, b.len));
        strcpy(out, "old");
        um_read_vartext(&r, out, 3);
        assert_true(r.failed);
        assert_string_equal(out, "");
    }
    um_buf_free(&b);
}

static void map_holds_what_was_put_through_growth_and_removal(void **state)
{
    (void)state;
    struct um_map m = { 0 };
    static int values[2000];
    char key[16];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2000; i++) {
            int n = snprintf(key, sizeof(key), "k%d", i);
            um_map_put(&m, UM_SPAN(key, (size_t)n), &values[i]);
        }
        assert_int_equal(m.n, 2000);
        for (int i = 0; i < 2000; i++) {
            int n = snprintf(key, sizeof(key), "k%d", i);
            assert_ptr_equal(um_map_get(&m, UM_SPAN(key, (size_t)n)), &values[i]);
            assert_ptr_equal(um_map_remove(&m, UM_SPAN(key, (size_t)n)), &values[i]);
            assert_null(um_map_get(&m, UM_SPAN(key, (size_t)n)));
        }
        assert_int_equal(m.n, 0);
    }
    um_map_free(&m);
}

static void map_put_returns_what_it_replaced(void **state)
{
    (void)state;
    struct um_map m = { 0 };
    int a, b;
    assert_null(um_map_put(&m, UM_SPAN_STR("x"), &a));
    assert_ptr_equal(um_map_put(&m, UM_SPAN_STR("x"), &b), &a);
    size_t pos = 0;
    void *v;
    assert_true(um_map_next(&m, &pos, NULL, &v));
    assert_ptr_equal(v, &b);
    assert_false(um_map_next(&m, &pos, NULL, &v));
    um_map_free(&m);
}

static void stable_hash_is_the_same_in_every_process(void **state)
{
    (void)state;
    assert_true(um_hash_stable(UM_SPAN_STR("d7")) == um_hash_stable(UM_SPAN_STR("d7")));
    assert_true(um_hash_stable(UM_SPAN_STR("d7")) != um_hash_stable(UM_SPAN_STR("d8")));
}

static void utf8_is_strict_whole_and_in_pieces(void **state)
{
    (void)state;
    static const struct { const char *text; bool ok; } cases[] = {
        { "plain ascii, longer than a block", true }, { "\xc3\xa9", true }, { "\xe2\x82\xac", true },
        { "\xf0\x9f\x98\x80", true }, { "\xf4\x8f\xbf\xbf", true }, { "\xc0\x80", false }, { "\xc1\xbf", false },
        { "\xe0\x80\x80", false }, { "\xed\xa0\x80", false }, { "\xf0\x80\x80\x80", false }, { "\xf4\x90\x80\x80", false },
        { "\xf5\x80\x80\x80", false }, { "\x80", false }, { "\xc3", false }, { "\xe2\x82", false }, { "abcdefgh\xff", false },
    };
    for (size_t i = 0; i < UM_COUNT(cases); i++) {
        size_t n = strlen(cases[i].text);
        assert_int_equal(um_utf8_is_valid(cases[i].text, n), cases[i].ok);
        for (size_t cut = 0; cut <= n; cut++) {
            uint32_t s = um_utf8_feed(0, cases[i].text, cut);
            if (s != UM_UTF8_BAD)
                s = um_utf8_feed(s, cases[i].text + cut, n - cut);
            assert_int_equal(s == 0, cases[i].ok);
        }
    }
}

static void encodings_round_trip_and_refuse_strays(void **state)
{
    (void)state;
    uint8_t raw[50];
    for (size_t n = 0; n <= sizeof(raw); n++) {
        struct um_buf a = { 0 }, b = { 0 };
        um_random_bytes(raw, n);
        um_base64_encode(&a, UM_SPAN(raw, n));
        assert_true(um_base64_decode(&b, UM_SPAN(a.data, a.len)));
        assert_true(um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN(raw, n)));
        um_buf_clear(&a), um_buf_clear(&b);
        um_base64url_encode(&a, UM_SPAN(raw, n));
        assert_true(um_base64url_decode(&b, UM_SPAN(a.data, a.len)));
        assert_true(um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN(raw, n)));
        um_buf_clear(&a), um_buf_clear(&b);
        um_hex_encode(&a, UM_SPAN(raw, n));
        assert_true(um_hex_decode(&b, UM_SPAN(a.data, a.len)));
        assert_true(um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN(raw, n)));
        um_buf_clear(&a), um_buf_clear(&b);
        um_percent_encode(&a, UM_SPAN(raw, n));
        assert_true(um_percent_decode(&b, UM_SPAN(a.data, a.len)));
        assert_true(um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN(raw, n)));
        um_buf_free(&a), um_buf_free(&b);
    }
    struct um_buf out = { 0 };
    assert_false(um_base64_decode(&out, UM_SPAN_STR("ab=c")));
    assert_false(um_base64_decode(&out, UM_SPAN_STR("abc")));
    assert_false(um_base64url_decode(&out, UM_SPAN_STR("a")));
    assert_false(um_base64url_decode(&out, UM_SPAN_STR("ab+c")));
    assert_false(um_base64url_decode(&out, UM_SPAN_STR("aB")));      /* unused bits set: a second spelling */
    assert_false(um_percent_decode(&out, UM_SPAN_STR("%4")));
    assert_false(um_percent_decode(&out, UM_SPAN_STR("%zz")));
    um_buf_free(&out);
}

static void json_text_is_escaped_and_made_valid(void **state)
{
    (void)state;
    struct um_buf out = { 0 };
    um_json_escape(&out, UM_SPAN("a\"\\\n\xff\xc3\xa9", 7));
    assert_string_equal(um_buf_cstr(&out), "a\\\"\\\\\\u000a\xef\xbf\xbd\xc3\xa9");
    um_buf_free(&out);
}

static void crc32c_matches_the_published_check_value(void **state)
{
    (void)state;
    assert_int_equal(um_crc32c(0, "123456789", 9), 0xe3069283u);
    assert_int_equal(um_crc32c(um_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

static void token_lists_are_read_by_element(void **state)
{
    (void)state;
    assert_true(um_token_list_has("keep-alive, Upgrade", "upgrade"));
    assert_true(um_token_list_has(" upgrade ", "upgrade"));
    assert_false(um_token_list_has("upgraded, not-upgrade", "upgrade"));
    assert_false(um_token_list_has("", "upgrade"));
    assert_false(um_token_list_has(NULL, "upgrade"));
}

static void a_failed_append_stays_failed(void **state)
{
    (void)state;
    struct um_buf b = { 0 };
    um_buf_puts(&b, "x");
    assert_null(um_buf_room(&b, SIZE_MAX));         /* the sum overflows */
    um_buf_puts(&b, "y");
    assert_true(b.failed);
    assert_int_equal(b.len, 1);
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(varuint_round_trips_at_every_width),
        cmocka_unit_test(varuint_above_a_javascript_integer_is_refused),
        cmocka_unit_test(varbytes_never_reach_beyond_the_end),
        cmocka_unit_test(a_text_is_read_as_it_was_written_and_nothing_else_is),
        cmocka_unit_test(map_holds_what_was_put_through_growth_and_removal),
        cmocka_unit_test(map_put_returns_what_it_replaced),
        cmocka_unit_test(stable_hash_is_the_same_in_every_process),
        cmocka_unit_test(utf8_is_strict_whole_and_in_pieces),
        cmocka_unit_test(encodings_round_trip_and_refuse_strays),
        cmocka_unit_test(json_text_is_escaped_and_made_valid),
        cmocka_unit_test(crc32c_matches_the_published_check_value),
        cmocka_unit_test(token_lists_are_read_by_element),
        cmocka_unit_test(a_failed_append_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
