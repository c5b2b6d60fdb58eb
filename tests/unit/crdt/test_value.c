/* JSON <-> any against what JavaScript and the real lib0 made of the same values: tests/vectors/value.json. */
#include "number.h"
#include "support.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

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
        cmocka_unit_test(a_big_integer_becomes_a_string_of_digits),
        cmocka_unit_test(nesting_beyond_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
