#include <um_test.h>
#include <stdio.h>
#include <umbel/histogram.h>
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
    um_metrics_prometheus(&out, &(struct um_prometheus_opts){ 0 });
    assert_string_equal(um_buf_cstr(&out),
                        "# HELP t_open things that are open\n# TYPE t_open gauge\nt_open 2\n"
                        "# HELP t_seen_total things that were seen\n# TYPE t_seen_total counter\nt_seen_total 5\n");
    assert_null(um_metrics_find("t.none"));
    um_buf_free(&out);
}

static const char *const labels[] = { "method", "uri", NULL };
static struct um_histograms took = { .name = "t.took", .help = "how long things took", .labels = labels };

static void a_histogram_counts_by_labels_and_buckets(void **state)
{
    static const char *const names[] = { "t_took_seconds" };
    struct um_prometheus_opts opts = { .openmetrics = true, .names = names, .n_names = 1 };
    struct um_histogram *a, *b;
    struct um_buf out = { 0 };

    (void)state;
    um_histograms_register(&took);
    um_histograms_register(&took);
    a = um_histogram_of(&took, (const char *const[]){ "GET", "/a\"b" });
    b = um_histogram_of(&took, (const char *const[]){ "PUT", "/a" });
    assert_ptr_equal(a, um_histogram_of(&took, (const char *const[]){ "GET", "/a\"b" }));
    assert_ptr_not_equal(a, b);
    um_histogram_add(a, 1000);                            /* a bound is inside */
    um_histogram_add(a, 1001);
    um_histogram_add(a, 60000000);
    assert_int_equal(um_histogram_count(a), 3);
    assert_int_equal(um_histogram_count(b), 0);
    um_metrics_prometheus(&out, &opts);
    const char *text = um_buf_cstr(&out);
    assert_non_null(strstr(text, "# TYPE t_took_seconds histogram\n"));
    assert_non_null(strstr(text, "t_took_seconds_bucket{method=\"GET\",uri=\"/a\\\"b\",le=\"0.001\"} 1\n"));
    assert_non_null(strstr(text, "t_took_seconds_bucket{method=\"GET\",uri=\"/a\\\"b\",le=\"0.0025\"} 2\n"));
    assert_non_null(strstr(text, "t_took_seconds_bucket{method=\"GET\",uri=\"/a\\\"b\",le=\"30\"} 2\n"));
    assert_non_null(strstr(text, "t_took_seconds_bucket{method=\"GET\",uri=\"/a\\\"b\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "t_took_seconds_sum{method=\"GET\",uri=\"/a\\\"b\"} 60.002001\n"));
    assert_non_null(strstr(text, "t_took_seconds_max{method=\"GET\",uri=\"/a\\\"b\"} 60.000000\n"));
    assert_null(strstr(text, "t_open"));                  /* not asked for */
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    um_buf_free(&out);
}

static void counters_have_labels_and_end_in_total(void **state)
{
    static const char *const names[] = { "t_dropped_total", "t_plain_seconds", "t_part", "t_size_bytes", "t_gone" };
    static const char *const by[] = { "cache", NULL };
    static struct um_histograms dropped = { .name = "t.dropped", .help = "things dropped", .labels = by, .counts = "things" };
    static struct um_histograms plain = { .name = "t.plain.seconds", .help = "no labels" };
    static struct um_histograms gone = { .name = "t.gone", .help = "never" };
    static struct um_metric more[] = { { "t.part", "", "a part", UM_GAUGE_PARTS, 250000 }, { "t.size", "bytes", "a size", UM_GAUGE, 7 } };
    struct um_buf out = { 0 };

    (void)state;
    um_metrics_register(more, UM_COUNT(more));
    um_histograms_register(&dropped);
    um_histograms_register(&plain);
    um_histograms_register(&gone);
    um_histogram_add(um_histogram_of(&dropped, (const char *const[]){ "acl" }), 0);
    um_histogram_add(um_histogram_of(&plain, NULL), 400);
    um_metrics_prometheus(&out, &(struct um_prometheus_opts){ .names = names, .n_names = UM_COUNT(names) });
    const char *text = um_buf_cstr(&out);
    assert_non_null(strstr(text, "# TYPE t_dropped_total counter\nt_dropped_total{cache=\"acl\"} 1\n"));
    assert_non_null(strstr(text, "\nt_plain_seconds_bucket{le=\"0.00025\"} 0\nt_plain_seconds_bucket{le=\"0.0005\"} 1\n"));
    assert_non_null(strstr(text, "\nt_plain_seconds_count 1\n"));
    assert_non_null(strstr(text, "\nt_part 0.250000\n"));
    assert_non_null(strstr(text, "\nt_size_bytes 7\n"));
    assert_null(strstr(text, "t_gone"));                  /* it has no series */
    assert_null(um_histograms_find("t.gone"));
    um_buf_free(&out);
}

static void series_without_end_share_the_last_one(void **state)
{
    struct um_histogram *h = NULL;
    char uri[16];

    (void)state;
    for (int i = 0; i < UM_HISTOGRAM_SERIES_MAX + 10; i++) {
        snprintf(uri, sizeof(uri), "/%d", i);
        h = um_histogram_of(&took, (const char *const[]){ "X", uri });
    }
    assert_string_equal(h->values[0], "other");
    assert_true(took.n <= UM_HISTOGRAM_SERIES_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(rows_are_exposed_in_prometheus_form),
                                         cmocka_unit_test(a_histogram_counts_by_labels_and_buckets),
                                         cmocka_unit_test(counters_have_labels_and_end_in_total),
                                         cmocka_unit_test(series_without_end_share_the_last_one) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
