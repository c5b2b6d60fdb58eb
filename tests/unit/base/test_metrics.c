#include <um_test.h>
#include <umbel/metrics.h>

static struct um_metric rows[] = {
    { "t.open", "things", "things that are open", UM_GAUGE, 0 },
    { "t.seen", "things", "things that were seen", UM_COUNTER, 0 },
};

static void rows_are_exposed_in_prometheus_form(void **state)
{
    (void)state;
    struct um_buf out = { 0 };
    um_metrics_register(rows, UM_COUNT(rows));
    um_metrics_register(rows, UM_COUNT(rows));            /* twice is once */
    um_count(&rows[0], 3);
    um_count(&rows[0], -1);
    um_count(um_metrics_find("t.seen"), 5);
    um_metrics_prometheus(&out);
    assert_string_equal(um_buf_cstr(&out),
                        "# HELP t_open things that are open\n# TYPE t_open gauge\nt_open 2\n"
                        "# HELP t_seen_total things that were seen\n# TYPE t_seen_total counter\nt_seen_total 5\n");
    assert_null(um_metrics_find("t.none"));
    um_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_are_exposed_in_prometheus_form) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
