/* JSON <-> any against what JavaScript and the real lib0 made of the same values: tests/vectors/value.json. */
#include "number.h"
#include "support.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

/* Memory that runs out: linked with --wrap=realloc and --wrap=malloc. */
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
static unsigned countdown;                /* 1: the next allocation fails */

void *__wrap_realloc(void *p, size_t size)
{
    return countdown > 0 && --countdown == 0 ? NULL : __real_realloc(p, size);
}

void *__wrap_malloc(size_t size)
{
    return countdown > 0 && --countdown == 0 ? NULL : __real_malloc(size);
}

static json_t *load(void)
{
    json_error_t err;
    json_t *j = json_load_file(UM_TEST_VECTORS "/value.json", JSON_ALLOW_NUL, &err);

    if (j == NULL)
        fail_msg("value.json: %s", err.text);
    return j;
}

static void done(struct tally *t, json_t *j)
{
    assert_true(t->checked > 0);
    assert_int_equal(t->failed, 0);
    json_decref(j);
}

static struct um_span text_of(const json_t *v) { return UM_SPAN(json_string_value(v), json_string_length(v)); }

static void json_becomes_what_lib0_writes(void **state)
{
    struct tally t = { .file = "value.json" };
    json_t *j = load(), *c;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(j, "texts"), i, c) {
        const json_t *any = json_object_get(c, "any");
        struct um_buf got = { 0 };
        um_err err = json_to_any(text_of(json_object_get(c, "json")), 1000, &got);

        check(&t, err == (any == NULL ? UM_EPROTO : UM_OK), "text %zu: %s", i, um_err_text(err));
        if (any != NULL && err == UM_OK) {
            struct um_buf want = b64(any);

            check_bytes(&t, buf_span(&got), buf_span(&want), "text %zu", i);
            um_buf_free(&want);
        }
        um_buf_free(&got);
    }
    done(&t, j);
}

static void any_becomes_what_json_stringify_prints(void **state)
{
    struct tally t = { .file = "value.json" };
    json_t *j = load(), *c;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(j, "values"), i, c) {
        const json_t *want = json_object_get(c, "json");
        struct um_buf any = b64(json_object_get(c, "any")), got = { 0 };
        bool lossy;

        check(&t, any_to_json(buf_span(&any), &got, &lossy) == UM_OK, "value %zu", i);
        if (want != NULL)
            check_bytes(&t, buf_span(&got), text_of(want), "value %zu", i);
        check(&t, lossy == (want == NULL || json_is_true(json_object_get(c, "lossy"))), "value %zu: lossy %d", i, lossy);
        um_buf_free(&got);
        um_buf_free(&any);
    }
    done(&t, j);
}

static void numbers_print_as_in_javascript(void **state)
{
    struct tally t = { .file = "value.json" };
    json_t *j = load(), *c;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(j, "numbers"), i, c) {
        union { uint64_t u; double f; } v = { .u = strtoull(json_string_value(json_array_get(c, 0)), NULL, 16) };
        const char *want = json_string_value(json_array_get(c, 1));
        char got[32];

        js_number(v.f, got);
        check(&t, strcmp(got, want) == 0, "%s: got %s", want, got);
    }
    done(&t, j);
}

/* Half way between two decimals that both come back: the even one. */
static void of_two_shortest_numbers_the_even_one_is_printed(void **state)
{
    char got[32];

    (void)state;
    js_number(1125899906842624.25, got);
    assert_string_equal(got, "1125899906842624.2");
    js_number(1125899906842624.75, got);
    assert_string_equal(got, "1125899906842624.8");
}

static void halves_of_pairs_in_escapes_become_replacements(void **state)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        { "\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80" },
        { "\"\\ud83d\\udfffx\"", "\xf0\x9f\x9f\xbfx" },
        { "\"\\ud83d\"", "\xef\xbf\xbd" },
        { "\"\\ude00\\ud83d\"", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "\"\\ud83dabcdef\"", "\xef\xbf\xbd" "abcdef" },
        { "\"\\ud83d\\\\abcd\"", "\xef\xbf\xbd\\abcd" },
        { "\"\\ud83d\\u0041\"", "\xef\xbf\xbd" "A" },
        { "\"\\ud83d\\ue000\"", "\xef\xbf\xbd\xee\x80\x80" },
        { "\"\\u00e9\\uffff\"", "\xc3\xa9\xef\xbf\xbf" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf got = { 0 };
        struct rd r;

        assert_int_equal(json_to_any(UM_SPAN_STR(rows[i].json), 1, &got), UM_OK);
        r = rd_make(buf_span(&got));
        assert_int_equal(rd_u8(&r), ANY_STRING);
        if (!um_span_eq(rd_bytes(&r), UM_SPAN_STR(rows[i].want)))
            fail_msg("%s", rows[i].json);
        um_buf_free(&got);
    }
}

static void a_value_that_is_cut_off_is_refused(void **state)
{
    static const char *const cut[] = { "", "\x75", "\x75\1", "\x75\2\x7e", "\x76\1\1k", "\x75\1\x76\1", "\x75\1\x77\2a", "\x77\2a", "\x7b\1" };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(cut); i++) {
        struct um_buf got = { 0 };
        bool lossy;

        if (any_to_json(UM_SPAN_STR(cut[i]), &got, &lossy) != UM_EPROTO)
            fail_msg("value %zu", i);
        um_buf_free(&got);
    }
}

static void what_does_not_fit_in_memory_s_numbers_is_refused_unread(void **state)
{
    struct um_span huge = { (const uint8_t *)"1", UINT32_MAX };
    struct um_buf got = { 0 };
    bool lossy;

    (void)state;
    assert_int_equal(json_to_any(huge, 1, &got), UM_ELIMIT);
    assert_int_equal(any_to_json(huge, &got, &lossy), UM_ELIMIT);
    um_buf_free(&got);
}

/* One conversion with allocation N failing. */
static um_err convert(struct um_span in, bool to_any, unsigned n)
{
    struct um_buf got = { 0 };
    bool lossy;
    um_err err;

    countdown = n;
    err = to_any ? json_to_any(in, 1000, &got) : any_to_json(in, &got, &lossy);
    countdown = 0;
    um_buf_free(&got);
    return err;
}

static void without_memory_a_conversion_says_so(void **state)
{
    struct um_buf json = { 0 }, any = { 0 }, digits = { 0 };

    (void)state;
    um_buf_puts(&json, "{\"\\u0041\":[1,{\"2\":{},\"1\":\"\\n\"}]");
    for (int i = 0; i < 40; i++)
        um_buf_printf(&json, ",\"%d\":\"a somewhat longer text, \\n of \\u0041 letters\",\"k%d\":0.1", 50 - i, i);
    um_buf_puts(&json, "}");
    um_buf_puts(&digits, "0.");
    for (int i = 0; i < 100; i++)
        um_buf_puts(&digits, "3");
    assert_int_equal(json_to_any(buf_span(&json), 1000, &any), UM_OK);
    for (int i = 0; i < 4; i++) {
        struct um_span in = i == 0 ? buf_span(&json) : i == 1 ? buf_span(&any) : i == 2 ? buf_span(&digits)
                                                                               : UM_SPAN("\x77\1a", 3);
        unsigned n = 1;

        while (convert(in, i % 2 == 0, n) == UM_ENOMEM)
            n++;
        assert_true(n > 1 && convert(in, i % 2 == 0, n) == UM_OK);
    }
    um_buf_free(&json);
    um_buf_free(&any);
    um_buf_free(&digits);
}

static void a_big_integer_becomes_a_string_of_digits(void **state)
{
    struct um_span any = UM_SPAN("\x7a\x80\0\0\0\0\0\0\0", 9);
    struct um_buf got = { 0 };
    bool lossy;

    (void)state;
    assert_int_equal(any_to_json(any, &got, &lossy), UM_OK);
    assert_string_equal(um_buf_cstr(&got), "\"-9223372036854775808\"");
    assert_true(lossy);
    um_buf_free(&got);
}

/* N times OPEN, then CLOSE. */
static struct um_buf nested(size_t n, const char *open, const char *close)
{
    struct um_buf b = { 0 };

    for (size_t i = 0; i < n; i++)
        um_buf_puts(&b, open);
    um_buf_puts(&b, "1");
    for (size_t i = 0; i < n; i++)
        um_buf_puts(&b, close);
    return b;
}

static void nesting_beyond_the_limit_is_refused(void **state)
{
    struct um_buf json = nested(1000, "{\"a\":", "}"), any = { 0 }, back = { 0 };
    bool lossy;

    (void)state;
    assert_int_equal(json_to_any(buf_span(&json), 999, &any), UM_ELIMIT);
    um_buf_clear(&any);
    assert_int_equal(json_to_any(buf_span(&json), 1000, &any), UM_OK);
    assert_int_equal(any_to_json(buf_span(&any), &back, &lossy), UM_OK);
    assert_true(um_span_eq(buf_span(&json), buf_span(&back)) && !lossy);
    um_buf_clear(&any);
    for (size_t i = 0; i < 1025; i++)
        um_buf_put(&any, "\x75\1", 2);
    um_buf_put_u8(&any, 126);
    assert_int_equal(any_to_json(buf_span(&any), &back, &lossy), UM_ELIMIT);
    um_buf_free(&json);
    um_buf_free(&any);
    um_buf_free(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_becomes_what_lib0_writes),
        cmocka_unit_test(any_becomes_what_json_stringify_prints),
        cmocka_unit_test(numbers_print_as_in_javascript),
        cmocka_unit_test(of_two_shortest_numbers_the_even_one_is_printed),
        cmocka_unit_test(halves_of_pairs_in_escapes_become_replacements),
        cmocka_unit_test(a_value_that_is_cut_off_is_refused),
        cmocka_unit_test(what_does_not_fit_in_memory_s_numbers_is_refused_unread),
        cmocka_unit_test(without_memory_a_conversion_says_so),
        cmocka_unit_test(a_big_integer_becomes_a_string_of_digits),
        cmocka_unit_test(nesting_beyond_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
