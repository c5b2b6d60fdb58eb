#include <um_test.h>
#include <umbel/failpoint.h>

static void an_order_counts_down_and_ends(void **state)
{
    (void)state;
    assert_false(UM_FAILPOINT("load.error"));
    assert_int_equal(um_failpoint_set("load.error", "error*2"), UM_OK);
    assert_true(UM_FAILPOINT("load.error"));
    assert_true(UM_FAILPOINT("load.error"));
    assert_false(UM_FAILPOINT("load.error"));
    assert_int_equal(um_failpoint_set("load.error", "error%0"), UM_OK);
    assert_false(UM_FAILPOINT("load.error"));
    assert_int_equal(um_failpoint_set("load.error", "off"), UM_OK);
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    const char *bad = NULL;
    assert_int_equal(um_failpoint_set("no.such.point", "kill"), UM_ENOTFOUND);
    assert_int_equal(um_failpoint_set("load.error", "explode"), UM_EINVAL);
    assert_int_equal(um_failpoint_set("load.error", "sleep(5"), UM_EINVAL);
    assert_int_equal(um_failpoint_set("load.error", "error*x"), UM_EINVAL);
    setenv("UMBEL_FAIL", "load.error=error*1;nonsense", 1);
    assert_int_equal(um_failpoint_init_from_env(&bad), UM_EINVAL);
    assert_string_equal(bad, "nonsense");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_counts_down_and_ends),
        cmocka_unit_test(what_is_not_understood_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
