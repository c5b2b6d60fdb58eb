/* All figures as Prometheus reads them: text format 0.0.4, or OpenMetrics 1.0, where a counter's family is named without _total
 * and the text has an end. Names by Micrometer's convention: dots become underscores, a name ends in its unit (seconds, bytes,
 * files), a counter's behind that in _total. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/histogram.h>
#include <umbel/metrics.h>

struct writing {
    struct um_buf *out;
    const struct um_prometheus_opts *opts;
    const char *name;                         /* of the family under way */
    const struct um_histograms *family;
};

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* DOTTED, with SUFFIX unless it ends so already. */
static char *name_of(const char *dotted, const char *suffix)
{
    char *name = um_xstrdup(dotted);

    for (char *c = name; *c != '\0'; c++)
        if (*c == '.' || *c == '-')
            *c = '_';
    if (!ends_with(name, suffix)) {
        char *longer = um_xasprintf("%s%s", name, suffix);

        free(name);
        name = longer;
    }
    return name;
}

/* Units that scrapers calculate with are in the name; what is counted ("requests") is not. */
static const char *unit_suffix(const struct um_metric *m)
{
    static const char *const told[] = { "_seconds", "_bytes", "_files" };

    for (size_t i = 0; i < UM_COUNT(told); i++)
        if (strcmp(m->unit, told[i] + 1) == 0)
            return told[i];
    return "";
}

/* Is NAME among the wanted ones: with or without the endings that samples have. */
static bool is_wanted(const struct um_prometheus_opts *o, const char *name, const char *longer)
{
    if (o->names == NULL)
        return true;
    for (size_t i = 0; i < o->n_names; i++)
        if (strcmp(o->names[i], name) == 0 || strcmp(o->names[i], longer) == 0)
            return true;
    return false;
}

static void put_head(struct um_buf *out, const char *name, const char *help, const char *type)
{
    um_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_metric(void *arg, const struct um_metric *m)
{
    struct writing *w = arg;
    bool counter = m->kind == UM_COUNTER;
    char *family = name_of(m->name, unit_suffix(m)), *sample = name_of(family, counter ? "_total" : "");

    if (is_wanted(w->opts, family, sample)) {
        put_head(w->out, w->opts->openmetrics ? family : sample, m->help, counter ? "counter" : "gauge");
        if (m->kind == UM_GAUGE_PARTS)
            um_buf_printf(w->out, "%s %.6f\n", sample, um_metric_real(m));
        else
            um_buf_printf(w->out, "%s %" PRId64 "\n", sample, um_metric_value(m));
    }
    free(family);
    free(sample);
}

static void put_label(struct um_buf *out, const char *name, const char *value)
{
    um_buf_printf(out, "%s=\"", name);
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            um_buf_put_u8(out, '\\');
        if (*c == '\n')
            um_buf_puts(out, "\\n");
        else
            um_buf_put_u8(out, (uint8_t)*c);
    }
    um_buf_put_u8(out, '"');
}

/* LE: the bound of a bucket, or NULL. Without any label there are no braces. */
static void put_sample(struct writing *w, const struct um_histogram *h, const char *suffix, const char *le)
{
    const char *const *labels = w->family->labels;
    char before = '{';

    um_buf_printf(w->out, "%s%s", w->name, suffix);
    for (size_t i = 0; labels != NULL && labels[i] != NULL; i++, before = ',') {
        um_buf_put_u8(w->out, (uint8_t)before);
        put_label(w->out, labels[i], h->values[i]);
    }
    if (le != NULL) {
        um_buf_printf(w->out, "%cle=\"%s\"", before, le);
        before = ',';
    }
    um_buf_puts(w->out, before == '{' ? " " : "} ");
}

static void put_series(void *arg, const struct um_histogram *h)
{
    struct writing *w = arg;
    uint64_t n = 0;
    char le[32];

    for (size_t i = 0; i <= UM_HISTOGRAM_BUCKETS; i++) {
        n += atomic_load_explicit(&h->in_bucket[i], memory_order_relaxed);
        if (i < UM_HISTOGRAM_BUCKETS)
            snprintf(le, sizeof(le), "%g", (double)um_histogram_bounds_us[i] / 1e6);
        put_sample(w, h, "_bucket", i < UM_HISTOGRAM_BUCKETS ? le : "+Inf");
        um_buf_printf(w->out, "%" PRIu64 "\n", n);
    }
    put_sample(w, h, "_count", NULL);
    um_buf_printf(w->out, "%" PRIu64 "\n", n);
    put_sample(w, h, "_sum", NULL);
    um_buf_printf(w->out, "%.6f\n", (double)atomic_load_explicit(&h->sum_us, memory_order_relaxed) / 1e6);
}

static void put_max(void *arg, const struct um_histogram *h)
{
    struct writing *w = arg;

    put_sample(w, h, "_max", NULL);
    um_buf_printf(w->out, "%.6f\n", (double)atomic_load_explicit(&h->max_us, memory_order_relaxed) / 1e6);
}

static void put_count(void *arg, const struct um_histogram *h)
{
    struct writing *w = arg;

    put_sample(w, h, "_total", NULL);
    um_buf_printf(w->out, "%" PRIu64 "\n", um_histogram_count(h));
}

static void put_counters(struct writing *w, struct um_histograms *f)
{
    char *name = name_of(f->name, ""), *sample = name_of(name, "_total");

    w->name = name;
    if (is_wanted(w->opts, name, sample)) {
        put_head(w->out, w->opts->openmetrics ? name : sample, f->help, "counter");
        um_histogram_each(f, put_count, w);
    }
    free(name);
    free(sample);
}

static void put_durations(struct writing *w, struct um_histograms *f)
{
    char *name = name_of(f->name, "_seconds"), *most = um_xasprintf("%s_max", name);

    w->name = name;
    if (is_wanted(w->opts, name, most)) {
        put_head(w->out, name, f->help, "histogram");
        um_histogram_each(f, put_series, w);
        put_head(w->out, most, "the longest since the start", "gauge");
        um_histogram_each(f, put_max, w);
    }
    free(name);
    free(most);
}

static void put_family(void *arg, struct um_histograms *f)
{
    struct writing *w = arg;

    w->family = f;
    (f->counts != NULL ? put_counters : put_durations)(w, f);
}

void um_metrics_prometheus(struct um_buf *out, const struct um_prometheus_opts *opts)
{
    struct writing w = { out, opts, NULL, NULL };

    um_metrics_each(put_metric, &w);
    um_histograms_each(put_family, &w);
    if (opts->openmetrics)
        um_buf_puts(out, "# EOF\n");
}
