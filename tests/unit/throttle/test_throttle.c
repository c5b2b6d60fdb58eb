/* The login throttle, with a clock of our own. */
#include "um_test.h"
#include <stdio.h>
#include <umbel/throttle.h>

static struct um_throttle *new_throttle(int64_t max_entries)
{
    struct um_throttle_conf cf = UM_THROTTLE_DEFAULTS;
    cf.max_entries = max_entries;
    return um_throttle_new(&cf);
}

static void five_attempts_are_free_then_waits_double_to_the_bound(void **state)
{
    static const int64_t waits[] = { 1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 300000, 300000 };
    struct um_throttle *t = new_throttle(10);
    int64_t now = 1000;

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(um_throttle_take(t, "ann", "a", now), 0);
    for (size_t i = 0; i < UM_COUNT(waits); i++) {
        assert_int_equal(um_throttle_take(t, "ann", "a", now), waits[i]);
        assert_int_equal(um_throttle_take(t, "ann", "a", now + waits[i] - 1), 1);
        now += waits[i];
        assert_int_equal(um_throttle_take(t, "ann", "a", now), 0);
    }
    um_throttle_free(t);
}

static void nobody_locks_out_a_third_person(void **state)
{
    struct um_throttle *t = new_throttle(10);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(um_throttle_take(t, "ann", "evil", 0), 0);
    assert_true(um_throttle_take(t, "ann", "evil", 0) > 0);
    assert_int_equal(um_throttle_take(t, "ann", "home", 0), 0);
    assert_int_equal(um_throttle_take(t, "bob", "evil", 0), 0);
    um_throttle_free(t);
}

static void success_forgets_and_an_undecided_attempt_does_not_count(void **state)
{
    struct um_throttle *t = new_throttle(10);

    (void)state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
        um_throttle_undecided(t, "ann", "a");
    }
    assert_int_equal(um_throttle_entries(t), 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
    um_throttle_succeeded(t, "ann", "a");
    assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
    um_throttle_free(t);
}

static void failures_are_forgotten_after_a_quiet_time(void **state)
{
    struct um_throttle *t = new_throttle(10);

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
    assert_int_equal(um_throttle_take(t, "ann", "a", 900000), 0);
    assert_int_equal(um_throttle_take(t, "ann", "a", 900000), 0);
    um_throttle_free(t);
}

static void the_table_is_bounded_and_the_quietest_gives_way(void **state)
{
    struct um_throttle *t = new_throttle(3);
    char user[8];

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
    for (int i = 0; i < 100; i++) {
        snprintf(user, sizeof(user), "u%d", i);
        assert_int_equal(um_throttle_take(t, user, "a", 1), 0);
        assert_true(um_throttle_entries(t) <= 3);
    }
    assert_int_equal(um_throttle_take(t, "ann", "a", 1), 0);
    um_throttle_free(t);
}

struct told { unsigned n; char last[64]; int64_t wait_ms; };

static void note_row(void *arg, const char *user, const char *address, int64_t failures, int64_t wait_ms)
{
    struct told *t = arg;

    t->n++;
    t->wait_ms = wait_ms;
    snprintf(t->last, sizeof(t->last), "%s %s %d", user, address, (int)failures);
}

static void an_administrator_sees_and_forgets_the_failures_of_one_user(void **state)
{
    struct um_throttle *t = new_throttle(10);
    struct told told = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++)
        assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
    assert_int_equal(um_throttle_take(t, "ann", "b", 0), 0);
    assert_int_equal(um_throttle_take(t, "anna", "a", 0), 0);
    assert_true(um_throttle_take(t, "ann", "a", 0) > 0);
    um_throttle_each(t, 0, note_row, &told);
    assert_int_equal(told.n, 3);
    assert_string_equal(told.last, "anna a 1");
    assert_int_equal(um_throttle_forget(t, "ann"), 2);
    assert_int_equal(um_throttle_forget(t, "ann"), 0);
    assert_int_equal(um_throttle_entries(t), 1);
    assert_int_equal(um_throttle_take(t, "ann", "a", 0), 0);
    um_throttle_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_attempts_are_free_then_waits_double_to_the_bound),
        cmocka_unit_test(nobody_locks_out_a_third_person),
        cmocka_unit_test(success_forgets_and_an_undecided_attempt_does_not_count),
        cmocka_unit_test(failures_are_forgotten_after_a_quiet_time),
        cmocka_unit_test(an_administrator_sees_and_forgets_the_failures_of_one_user),
        cmocka_unit_test(the_table_is_bounded_and_the_quietest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
