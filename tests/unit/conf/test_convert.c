/* Conversions, names and ENC(): the pure parts. */
#include <umbel/conf.h>
#include <um_test.h>
#include "convert.h"
#include "name.h"
#include "placeholder.h"

static int64_t parsed(const char *text, enum um_conf_type type)
{
    int64_t v = INT64_MIN;
    const char *why = "?";
    if (!um_conf_parse(text, type, &v, &why))
        fail_msg("\"%s\": %s", text, why);
    return v;
}

static void refused(const char *text, enum um_conf_type type)
{
    int64_t v;
    const char *why = NULL;
    if (um_conf_parse(text, type, &v, &why))
        fail_msg("\"%s\" was taken", text);
    assert_non_null(why);
}

static void durations_are_read_in_both_styles(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t ms; } good[] = {
        { "10S", 10000 }, { "10s", 10000 }, { "1D", 86400000 }, { "1d", 86400000 }, { "5", 5 }, { "+5ms", 5 }, { "-5ms", -5 },
        { "2m", 120000 }, { "2M", 120000 }, { "3h", 10800000 }, { "1000us", 1 }, { "1US", 1 }, { "1ns", 1 }, { "-1ns", -1 }, { "0s", 0 },
        { "PT10S", 10000 }, { "PT0.5S", 500 }, { "pt1m", 60000 }, { "P1D", 86400000 }, { "P1DT2H", 93600000 },
        { "-PT5S", -5000 }, { "PT-5S", -5000 }, { "PT15M30S", 930000 }, { "+PT5S", 5000 }, { "PT-0.5S", -500 }, { "-PT-5S", 5000 },
        { "PT0,25S", 250 },
    };
    for (size_t i = 0; i < UM_COUNT(good); i++)
        assert_int_equal(parsed(good[i].text, UM_CONF_DURATION_MS), good[i].ms);
    assert_int_equal(parsed("30", UM_CONF_DURATION_S), 30);
    assert_int_equal(parsed("30m", UM_CONF_DURATION_S), 1800);
    assert_int_equal(parsed("1500ms", UM_CONF_DURATION_S), 2);
    assert_int_equal(parsed("106751991167d", UM_CONF_DURATION_MS), 106751991167 * 86400000);

    static const char *const bad[] = {
        "", " 5s", "5s ", "5 s", "1.5s", "5w", "5sec", "s", "-", "abc", "P2W", "P", "PT", "P1DT", "P1H", "PT1D", "PT1S1M", "PT1.5M",
        "PT1.S1", "PT.5S", "P1", "PT0.1234567890S", "99999999999999999999s", "9223372036854775807d", "1e3", "0x10",
    };
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        refused(bad[i], UM_CONF_DURATION_MS);
}

static void sizes_are_powers_of_1024_in_upper_case(void **state)
{
    (void)state;
    assert_int_equal(parsed("512", UM_CONF_SIZE), 512);
    assert_int_equal(parsed("512B", UM_CONF_SIZE), 512);
    assert_int_equal(parsed("16KB", UM_CONF_SIZE), 16384);
    assert_int_equal(parsed("10MB", UM_CONF_SIZE), 10485760);
    assert_int_equal(parsed("2GB", UM_CONF_SIZE), 2147483648);
    assert_int_equal(parsed("3TB", UM_CONF_SIZE), 3298534883328);
    static const char *const bad[] = { "", "10mb", "10 MB", "1.5MB", "MB", "10K", "10KiB", "9000000TB", "10PB", "99999999999999999999" };
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        refused(bad[i], UM_CONF_SIZE);
}

static void integers_are_decimal_or_hexadecimal(void **state)
{
    (void)state;
    assert_int_equal(parsed(" 42 ", UM_CONF_INT), 42);
    assert_int_equal(parsed("-7", UM_CONF_INT), -7);
    assert_int_equal(parsed("+7", UM_CONF_INT), 7);
    assert_int_equal(parsed("010", UM_CONF_INT), 10);
    assert_int_equal(parsed("0x1F", UM_CONF_INT), 31);
    assert_int_equal(parsed("#ff", UM_CONF_INT), 255);
    assert_int_equal(parsed("-0x10", UM_CONF_INT), -16);
    assert_int_equal(parsed("9223372036854775807", UM_CONF_INT), INT64_MAX);
    assert_true(parsed("-9223372036854775808", UM_CONF_INT) == INT64_MIN);
    static const char *const bad[] = { "", " ", "4 2", "4.0", "0x", "#", "0xg", "x1", "9223372036854775808", "0x8000000000000000", "--1", "1-" };
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        refused(bad[i], UM_CONF_INT);
}

static void booleans_have_four_words_each(void **state)
{
    (void)state;
    static const char *const yes[] = { "true", "on", "yes", "1", "TRUE", "On", " yes " };
    static const char *const no[] = { "false", "off", "no", "0", "FALSE", "Off" };
    for (size_t i = 0; i < UM_COUNT(yes); i++)
        assert_int_equal(parsed(yes[i], UM_CONF_BOOL), 1);
    for (size_t i = 0; i < UM_COUNT(no); i++)
        assert_int_equal(parsed(no[i], UM_CONF_BOOL), 0);
    refused("", UM_CONF_BOOL);
    refused("y", UM_CONF_BOOL);
    refused("2", UM_CONF_BOOL);
    refused("enabled", UM_CONF_BOOL);
    refused("truefalse", UM_CONF_BOOL);
}

static void words_are_compared_relaxed(void **state)
{
    (void)state;
    static const char *const words[] = { "memory", "on-save", "durable", NULL };
    assert_int_equal(convert_word("on-save", words), 1);
    assert_int_equal(convert_word("ON_SAVE", words), 1);
    assert_int_equal(convert_word("onSave", words), 1);
    assert_int_equal(convert_word(" Durable ", words), 2);
    assert_int_equal(convert_word("", words), -1);
    assert_int_equal(convert_word("-", words), -1);
    assert_int_equal(convert_word("on", words), -1);
}

static void names_are_compared_relaxed(void **state)
{
    (void)state;
    static const char *const same[] = { "spring.redis.connectTimeout", "spring.redis.connect_timeout", "SPRING.REDIS.CONNECTTIMEOUT" };
    for (size_t i = 0; i < UM_COUNT(same); i++)
        assert_true(name_equal("spring.redis.connect-timeout", same[i]));
    assert_false(name_equal("spring.redis.connect-timeout", "spring.redis.connect.timeout"));
    assert_false(name_equal("spring.redisconnect-timeout", "spring.redis.connect-timeout"));
    assert_true(name_equal("a[foo].b", "a.foo.b"));
    assert_false(name_equal("a[Foo]", "a.foo"));
    assert_false(name_equal("a[0]", "a.0"));
    assert_true(name_matches("users[N].id", "users[12].id"));
    assert_false(name_matches("users[N].id", "users[x].id"));
    assert_false(name_matches("users[N].id", "users[1].idx"));
    assert_true(name_matches("logging.level.*", "logging.level.a.b"));
    assert_true(name_matches("logging.level.*", "logging.level[com.Foo]"));
    assert_false(name_matches("logging.level.*", "logging.level"));
    assert_false(name_matches("logging.level.*", "logging.level."));
    assert_int_equal(name_distance("server.port", "sevrer.port", 5), 2);
    assert_int_equal(name_distance("abc", "abcdefgh", 2), 3);
}

static void environment_spellings_come_in_order(void **state)
{
    (void)state;
    static const char *const want[] = { "SPRING_REDIS_CONNECTTIMEOUT", "SPRING_REDIS_CONNECT_TIMEOUT",
                                        "spring_redis_connecttimeout", "spring_redis_connect_timeout" };
    for (int form = 0; form < NAME_ENV_FORMS; form++) {
        struct um_buf b = { 0 };
        name_env_form(&b, "spring.redis.connect-timeout", form);
        assert_string_equal(um_buf_cstr(&b), want[form]);
        um_buf_free(&b);
    }
    struct um_buf b = { 0 };
    name_env_form(&b, "internal.realm.users[0].id", 0);
    assert_string_equal(um_buf_cstr(&b), "INTERNAL_REALM_USERS_0_ID");
    um_buf_free(&b);
}

/* ---- placeholders, alone ---- */

static enum placeholder_found find(void *arg, const char *name, unsigned level, struct placeholder_value *value)
{
    (void)level;
    const char *const *pairs = arg;
    for (; *pairs != NULL; pairs += 2)
        if (strcmp(*pairs, name) == 0) {
            value->text = pairs[1];
            return PLACEHOLDER_FOUND;
        }
    return PLACEHOLDER_ABSENT;
}

static const char *const known[] = { "a", "1", "b", "a", "x.1", "deep", "empty", "", "host", "h", NULL };

static void expands(const char *text, const char *expected)
{
    struct expansion x = { .find = find, .arg = (void *)(uintptr_t)known };
    if (!placeholder_expand(&x, text))
        fail_msg("%s: %s", text, x.reason);
    assert_string_equal(um_buf_cstr(&x.out), expected);
    um_buf_free(&x.out);
}

static void does_not_expand(const char *text)
{
    struct expansion x = { .find = find, .arg = (void *)(uintptr_t)known };
    if (placeholder_expand(&x, text))
        fail_msg("%s -> %s", text, um_buf_cstr(&x.out));
    assert_true(x.reason[0] != '\0');
    um_buf_free(&x.out);
}

static void placeholders_nest_in_names_and_defaults(void **state)
{
    (void)state;
    expands("plain", "plain");
    expands("${a}", "1");
    expands("<${a}${a}>", "<11>");
    expands("${x.${a}}", "deep");
    expands("${${b}}", "1");
    expands("${no:${a}}", "1");
    expands("${no:${no2:last}}", "last");
    expands("${no:}", "");
    expands("${empty:x}", "");
    expands("${a:${nonsense}}", "1");                 /* a default that is not needed is not looked at */
    expands("${no:http://h:80/}", "http://h:80/");
    expands("${no:{\"k\":1}}", "{\"k\":1}");
    expands("\\${a}", "${a}");
    expands("\\${a}${a}", "${a}1");
    expands("$a {a} $", "$a {a} $");
    does_not_expand("${no}");
    does_not_expand("${a");
    does_not_expand("${a}${");
    does_not_expand("${}");
    does_not_expand("${${no}}");
    does_not_expand("${no:${no2}}");
}

static void placeholder_depth_ends_at_16(void **state)
{
    (void)state;
    for (size_t depth = 15; depth <= 18; depth++) {
        struct um_buf b = { 0 };
        for (size_t i = 0; i < depth; i++)
            um_buf_puts(&b, "${no:");
        um_buf_puts(&b, "x");
        for (size_t i = 0; i < depth; i++)
            um_buf_puts(&b, "}");
        if (depth <= PLACEHOLDER_MAX_DEPTH)
            expands(um_buf_cstr(&b), "x");
        else
            does_not_expand(um_buf_cstr(&b));
        um_buf_free(&b);
    }
}

static void random_values_keep_their_ranges(void **state)
{
    (void)state;
    static const char *const bad[] = { "random", "random.", "random.x", "random.int(", "random.int()", "random.int(0)", "random.int[5,5]",
                                       "random.int[9,1]", "random.int(1)x", "random.int(9999999999)", "random.int[1,", "random.intx" };
    for (int i = 0; i < 200; i++) {
        struct um_buf b = { 0 };
        assert_true(placeholder_random("random.int[1,9]", &b));
        int v = atoi(um_buf_cstr(&b));
        assert_true(v >= 1 && v < 9);
        um_buf_clear(&b);
        assert_true(placeholder_random("random.int(10)", &b));
        v = atoi(um_buf_cstr(&b));
        assert_true(v >= 0 && v < 10);
        um_buf_free(&b);
    }
    struct um_buf b = { 0 };
    assert_true(placeholder_random("random.uuid", &b));
    assert_int_equal(b.len, 36);
    um_buf_clear(&b);
    assert_true(placeholder_random("random.value", &b));
    assert_int_equal(b.len, 32);
    um_buf_clear(&b);
    assert_true(placeholder_random("random.int", &b) && placeholder_random("random.long", &b));
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        if (placeholder_random(bad[i], &b))
            fail_msg("%s", bad[i]);
    um_buf_free(&b);
}

/* ---- ENC() ---- */

static void what_is_encrypted_opens_with_its_secret_only(void **state)
{
    (void)state;
    struct um_buf enc = { 0 }, plain = { 0 };

    assert_int_equal(um_conf_encrypt("master", UM_SPAN_STR("pa${ss}w\xc3\xb6rd"), &enc), UM_OK);
    struct um_span text = UM_SPAN(enc.data, enc.len);
    assert_int_equal(um_conf_decrypt("master", text, &plain), UM_OK);
    assert_string_equal(um_buf_cstr(&plain), "pa${ss}w\xc3\xb6rd");
    assert_int_equal(um_conf_decrypt("Master", text, &plain), UM_EDENIED);
    assert_int_equal(um_conf_encrypt("", UM_SPAN_STR("x"), &plain), UM_EINVAL);
    um_buf_free(&enc);
    um_buf_free(&plain);
}

static void a_changed_text_does_not_open(void **state)
{
    (void)state;
    struct um_buf enc = { 0 }, plain = { 0 };
    static const size_t at[] = { 4 + 5, 4 + 30, 4 + 44 };     /* in salt, nonce, ciphertext */

    assert_int_equal(um_conf_encrypt("master", UM_SPAN_STR("password"), &enc), UM_OK);
    for (size_t i = 0; i < UM_COUNT(at); i++) {
        uint8_t was = enc.data[at[i]];
        enc.data[at[i]] = was == 'A' ? 'B' : 'A';
        assert_int_equal(um_conf_decrypt("master", UM_SPAN(enc.data, enc.len), &plain), UM_EDENIED);
        enc.data[at[i]] = was;
    }
    assert_int_equal(plain.len, 0);
    enc.data[4] = 'C';                                        /* the version */
    assert_int_equal(um_conf_decrypt("master", UM_SPAN(enc.data, enc.len), &plain), UM_EPROTO);
    static const char *const bad[] = { "", "ENC()", "ENC(AAAA)", "ENC(*)", "enc(AQ==)", "ENC(AQ==" };
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_int_equal(um_conf_decrypt("master", UM_SPAN_STR(bad[i]), &plain), UM_EPROTO);
    um_buf_free(&enc);
    um_buf_free(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_in_both_styles),
        cmocka_unit_test(sizes_are_powers_of_1024_in_upper_case),
        cmocka_unit_test(integers_are_decimal_or_hexadecimal),
        cmocka_unit_test(booleans_have_four_words_each),
        cmocka_unit_test(words_are_compared_relaxed),
        cmocka_unit_test(names_are_compared_relaxed),
        cmocka_unit_test(environment_spellings_come_in_order),
        cmocka_unit_test(placeholders_nest_in_names_and_defaults),
        cmocka_unit_test(placeholder_depth_ends_at_16),
        cmocka_unit_test(random_values_keep_their_ranges),
        cmocka_unit_test(what_is_encrypted_opens_with_its_secret_only),
        cmocka_unit_test(a_changed_text_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
