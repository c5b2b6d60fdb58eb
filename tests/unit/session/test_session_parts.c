/* The parts below the stores of sessions: the encodings of values, the set of revocations, local copies. */
#include "um_test.h"
#include <stdio.h>
#include <umbel/revoked.h>
#include <umbel/util.h>
#include "copies.h"
#include "session_impl.h"
#include "value.h"

/* ---- values (platform.md 10.3; the bytes were measured) ---- */

static struct um_span unhex(struct um_buf *b, const char *hex)
{
    um_buf_clear(b);
    assert_true(um_hex_decode(b, UM_SPAN_STR(hex)));
    return UM_SPAN(b->data, b->len);
}

#define NUMBER "787200106a6176612e6c616e672e4e756d62657286ac951d0b94e08b0200007870"
#define LONG "aced00057372000e6a6176612e6c616e672e4c6f6e673b8be490cc8f23df0200014a000576616c7565" NUMBER
#define INTEGER "aced0005737200116a6176612e6c616e672e496e746567657212e2a0a4f78187380200014900" "0576616c7565" NUMBER

static void expect_text(struct um_span value, const char *text, size_t n)
{
    struct um_buf out = {0};

    assert_int_equal(session_value_read(&out, value), UM_OK);
    assert_int_equal(out.len, n);
    assert_memory_equal(out.data, text, n);
    um_buf_free(&out);
}

static void expect_bad(struct um_span value)
{
    struct um_buf out = {0};

    assert_int_equal(session_value_read(&out, value), UM_EPROTO);
    um_buf_free(&out);
}

static void the_three_jdk_forms_are_read(void **state)
{
    struct um_buf b = {0};
    int64_t n;

    (void)state;
    assert_true(session_value_read_int(unhex(&b, LONG "0000018bcfe56800"), &n));
    assert_int_equal(b.len, 82);
    assert_true(n == INT64_C(1700000000000));
    assert_true(session_value_read_int(unhex(&b, INTEGER "00000708"), &n));
    assert_int_equal(b.len, 81);
    assert_int_equal(n, 1800);
    assert_true(session_value_read_int(unhex(&b, INTEGER "ffffffff"), &n));
    assert_true(n == -1);
    expect_text(unhex(&b, LONG "0000018bcfe56800"), "1700000000000", 13);
    expect_text(unhex(&b, "aced0005740003616263"), "abc", 3);
    expect_text(unhex(&b, "aced0005740002c080"), "\0", 1);                             /* modified UTF-8 */
    expect_text(unhex(&b, "aced0005740006eda0bdedb880"), "\xf0\x9f\x98\x80", 4);       /* two surrogates */
    expect_bad(unhex(&b, "aced0005740003eda0bd"));
    expect_bad(unhex(&b, "aced00057400046162"));
    expect_bad(unhex(&b, "aced000574000361626364"));
    expect_bad(unhex(&b, LONG "0000018bcfe568"));
    um_buf_free(&b);
}

static void json_and_decimal_are_read(void **state)
{
    static const char *const pairs[][2] = {
        { "\"ann\"", "ann" }, { "1800", "1800" }, { "-1", "-1" }, { "null", "" }, { "", "" }, { "true", "true" },
        { "[\"A\", 1]", "[\"A\", 1]" }, { "{\"a\":1}", "{\"a\":1}" }, { "\"\\u00e4\\n\"", "\xc3\xa4\n" },
    };
    int64_t n;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(pairs); i++)
        expect_text(UM_SPAN_STR(pairs[i][0]), pairs[i][1], strlen(pairs[i][1]));
    expect_bad(UM_SPAN_STR("ann"));
    expect_bad(UM_SPAN_STR("{\"a\":1"));
    expect_bad(UM_SPAN_STR("\"\xff\""));
    assert_true(session_value_read_int(UM_SPAN_STR("9223372036854775807"), &n) && n == INT64_MAX);
    assert_true(session_value_read_int(UM_SPAN_STR("-9223372036854775808"), &n) && n == INT64_MIN);
    assert_false(session_value_read_int(UM_SPAN_STR("9223372036854775808"), &n));
    assert_false(session_value_read_int(UM_SPAN_STR("-"), &n));
    assert_false(session_value_read_int(UM_SPAN_STR("1 "), &n));
}

static void what_is_written_reads_as_the_same_text(void **state)
{
    static const struct { const char *text; size_t n; } texts[] = {
        { "plain", 5 }, { "\"quoted\"", 8 }, { "12", 2 }, { "null", 4 }, { "[\"ADMIN\"]", 9 }, { "{\"a\" : [1]}", 11 }, { "[broken", 7 },
        { "a\0b", 3 }, { "\x01\x7f\\", 3 }, { "\xf0\x9f\x98\x80", 4 }, { "\xac", 0 },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        struct um_buf b = {0};
        assert_int_equal(session_value_write(&b, UM_SPAN(texts[i].text, texts[i].n)), UM_OK);
        expect_text(UM_SPAN(b.data, b.len), texts[i].text, texts[i].n);
        um_buf_free(&b);
    }
    struct um_buf b = {0};
    assert_int_equal(session_value_write(&b, UM_SPAN("\xff", 1)), UM_EINVAL);
    um_buf_free(&b);
}

/* ---- revocations ---- */

#define A "e2ad169de3afb778ba32caa4070b751a"
#define B "e2ad169de3afb778ba32caa4070b751b"
#define C "e2ad169de3afb778ba32caa4070b751c"

static void a_list_that_was_read_replaces_what_was_known_before_it(void **state)
{
    struct um_revoked *r = um_revoked_new();
    const struct um_revocation a = { A, 60000 }, b = { B, 60000 }, c = { C, 60000 }, over = { C, 0 };
    int64_t since;

    (void)state;
    assert_int_equal(um_revoked_add(r, &a, 1), UM_OK);
    assert_true(um_revoked_has(r, A));
    for (since = um_now_ms() + 1; um_now_ms() < since; )
        continue;
    assert_int_equal(um_revoked_add(r, &b, 1), UM_OK);           /* after the list was asked for: it may not be in there */
    assert_int_equal(um_revoked_replace(r, &c, 1, since), UM_OK);
    assert_false(um_revoked_has(r, A));
    assert_true(um_revoked_has(r, B));
    assert_true(um_revoked_has(r, C));
    assert_int_equal(um_revoked_replace(r, &over, 1, INT64_MAX), UM_OK);
    assert_int_equal(um_revoked_count(r), 0);
    assert_int_equal(um_revoked_add(r, &(struct um_revocation){ "short", 1 }, 1), UM_EINVAL);
    um_revoked_free(r);
}

static void let_a_millisecond_pass(void)
{
    int64_t now = um_now_ms();

    while (um_now_ms() <= now + 1)
        continue;
}

static void what_is_over_does_not_add_up(void **state)
{
    struct um_revoked *r = um_revoked_new();
    char hash[UM_SESSION_HASH_LEN + 1];

    (void)state;
    assert_int_equal(um_revoked_add(r, &(struct um_revocation){ A, 600000 }, 1), UM_OK);
    for (int i = 0; i < 8000; i++) {
        if (i % 1000 == 0)
            let_a_millisecond_pass();
        snprintf(hash, sizeof(hash), "%032x", i);
        assert_int_equal(um_revoked_add(r, &(struct um_revocation){ hash, 1 }, 1), UM_OK);
    }
    assert_true(um_revoked_count(r) < 4000);
    assert_true(um_revoked_has(r, A));
    um_revoked_free(r);
}

/* ---- copies ---- */

static int64_t clock_ms;
static int64_t now(void) { return clock_ms; }

static const char *const ids[] = { "00000000-0000-4000-8000-000000000000", "00000000-0000-4000-8000-000000000001",
                                   "00000000-0000-4000-8000-000000000002" };

static void put(struct copies *c, size_t i, int64_t idle_ms)
{
    struct um_session *s = session_picture(ids[i], i == 2 ? "bob" : "ann", NULL, 0);

    copies_put(c, s, idle_ms);
    um_session_unref(s);
}

static bool has(struct copies *c, size_t i)
{
    const struct um_session *s = copies_get(c, ids[i], 1000);

    um_session_unref(s);
    return s != NULL;
}

static void copies_are_bounded_and_serve_as_long_as_they_are_verified(void **state)
{
    struct copies *c = copies_new(2, 5000, now);

    (void)state;
    clock_ms = 10000;
    put(c, 0, 0);
    put(c, 1, 0);
    assert_true(has(c, 0));
    put(c, 2, 0);
    assert_true(has(c, 0));
    assert_false(has(c, 1));
    clock_ms += 999;
    assert_true(has(c, 0));
    clock_ms += 1;
    assert_false(has(c, 0));
    put(c, 0, 0);
    assert_true(has(c, 0));
    copies_drop(c, ids[0]);
    assert_false(has(c, 0));
    copies_free(c);
}

static void uses_are_written_at_most_every_few_seconds_and_none_is_forgotten(void **state)
{
    struct copies *c = copies_new(10, 5000, now);
    struct copies_use out[4];

    (void)state;
    clock_ms = 100000;
    assert_true(copies_touch(c, ids[0]));                 /* unknown: Redis judges */
    put(c, 0, 6000);
    assert_true(copies_touch(c, ids[0]));                 /* the last one was written long ago */
    clock_ms += 1000;
    assert_false(copies_touch(c, ids[0]));
    clock_ms += 1000;
    assert_false(copies_touch(c, ids[0]));
    assert_int_equal(copies_take(c, NULL, out, 4), 0);
    clock_ms += 3000;
    assert_int_equal(copies_take(c, NULL, out, 4), 1);
    assert_string_equal(out[0].id, ids[0]);
    assert_int_equal(out[0].age_ms, 3000);
    assert_int_equal(copies_take(c, NULL, out, 4), 0);
    copies_retouch(c, ids[0], 3000);                      /* it could not be written */
    assert_int_equal(copies_take(c, "bob", out, 4), 0);
    assert_int_equal(copies_take(c, "ann", out, 4), 1);   /* asked for by user: at once */
    copies_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_three_jdk_forms_are_read), cmocka_unit_test(json_and_decimal_are_read),
        cmocka_unit_test(what_is_written_reads_as_the_same_text),
        cmocka_unit_test(a_list_that_was_read_replaces_what_was_known_before_it),
        cmocka_unit_test(what_is_over_does_not_add_up),
        cmocka_unit_test(copies_are_bounded_and_serve_as_long_as_they_are_verified),
        cmocka_unit_test(uses_are_written_at_most_every_few_seconds_and_none_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
