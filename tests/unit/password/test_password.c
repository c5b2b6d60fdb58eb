/* Passwords and their hashes. */
#include "um_test.h"
#include <string.h>
#include <umbel/password.h>

static void a_hash_knows_its_password_and_no_other(void **state)
{
    char hash[UM_PASSWORD_HASH_SIZE], again[UM_PASSWORD_HASH_SIZE];

    (void)state;
    assert_int_equal(um_password_take("correct horse", hash), UM_OK);
    assert_true(um_password_is_hash(hash));
    assert_true(um_password_check(hash, "correct horse"));
    assert_false(um_password_check(hash, "correct horse "));
    assert_int_equal(um_password_take(hash, again), UM_OK);      /* it is taken as it is */
    assert_string_equal(hash, again);
}

static void nobody_has_a_password(void **state)
{
    (void)state;
    assert_false(um_password_check(NULL, "x"));
    assert_false(um_password_check("", ""));
    assert_false(um_password_check("$argon2id$nonsense", "x"));
}

static void what_is_short_malformed_or_too_costly_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "seven77", "$argon2", "$argon2id$v=19$m=65536,t=2,p=1$", "$argon2i$v=19$m=65536,t=2,p=1$OE+qqaO4WUoBH3U6HqnqJw$yEX8WbC6clcO1nqSxi+QkEI0Y97",
        "$argon2id$v=19$m=4194304,t=2,p=1$OE+qqaO4WUoBH3U6HqnqJw$yEX8WbC6clcO1nqSxi+QkEI0Y97/a58oottx0KjI6Rs",
        "$argon2id$v=19$m=65536,t=2000,p=1$OE+qqaO4WUoBH3U6HqnqJw$yEX8WbC6clcO1nqSxi+QkEI0Y97/a58oottx0KjI6Rs",
        "$argon2id$v=19$m=65536,t=2,p=1$OE+qqaO4WUoBH3U6HqnqJw$not base64 at all, and blanks in it",
    };
    char out[UM_PASSWORD_HASH_SIZE], hash[UM_PASSWORD_HASH_SIZE + 200], long_one[UM_PASSWORD_MAX + 2];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        assert_non_null(um_password_fault(bad[i]));
        assert_int_equal(um_password_take(bad[i], out), UM_EINVAL);
    }
    memset(long_one, 'x', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    assert_int_equal(um_password_take(long_one, out), UM_EINVAL);
    long_one[UM_PASSWORD_MAX] = '\0';
    assert_null(um_password_fault(long_one));
    assert_null(um_password_fault("12345678"));
    memset(hash, 'A', sizeof(hash) - 1);                         /* a hash that does not fit */
    hash[sizeof(hash) - 1] = '\0';
    memcpy(hash, "$argon2id$v=19$m=65536,t=2,p=1$", 31);
    assert_int_equal(um_password_take(hash, out), UM_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_knows_its_password_and_no_other), cmocka_unit_test(nobody_has_a_password),
        cmocka_unit_test(what_is_short_malformed_or_too_costly_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
