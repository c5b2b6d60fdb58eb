/* Figures: metrics one by one as Spring Boot tells them, and all of them for Prometheus. */
#include <stdlib.h>
#include <string.h>
#include <umbel/histogram.h>
#include <umbel/metrics.h>
#include <umbel/util.h>
#include "internal.h"

enum { NAMES_MAX = 200, TAGS_MAX = 8 };

/* ---- names ---- */

static void add_name(void *arg, const struct um_metric *m) { json_array_append_new(arg, json_string(m->name)); }
static void add_family(void *arg, struct um_histograms *f) { json_array_append_new(arg, json_string(f->name)); }

static int by_text(const void *a, const void *b)
{
    return strcmp(json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

static json_t *sorted(json_t *list)
{
    size_t n = json_array_size(list);
    json_t **rows = um_xcalloc(n + 1, sizeof(*rows)), *out = json_array();

    for (size_t i = 0; i < n; i++)
        rows[i] = json_array_get(list, i);
    if (n > 0)
        qsort(rows, n, sizeof(*rows), by_text);
    for (size_t i = 0; i < n; i++)
        json_array_append(out, rows[i]);
    free(rows);
    json_decref(list);
    return out;
}

void um_actuator_metrics(const struct um_actuator *a, struct um_http_req *rq)
{
    json_t *names;

    if (!um_actuator_exposes(a, rq, "metrics"))
        return;
    names = json_array();
    um_metrics_each(add_name, names);
    um_histograms_each(add_family, names);
    um_actuator_reply(a, rq, 200, json_pack("{s:o}", "names", sorted(names)));
}

/* ---- one ---- */

struct tag { const char *key, *value; };
struct reading {                              /* of a family */
    const struct um_histograms *family;
    struct tag tags[TAGS_MAX];
    size_t n_tags;
    size_t matched;
    uint64_t count;
    int64_t sum_us, max_us;
    json_t *values[UM_HISTOGRAM_LABELS_MAX];  /* objects whose keys are what is left to choose */
};

static const char *label_of(const struct um_histograms *f, size_t i) { return f->labels != NULL ? f->labels[i] : NULL; }

static const char *value_of(const struct um_histograms *f, const struct um_histogram *h, const char *label)
{
    for (size_t i = 0; label_of(f, i) != NULL; i++)
        if (strcmp(f->labels[i], label) == 0)
            return h->values[i];
    return NULL;
}

static void take_series(void *arg, const struct um_histogram *h)
{
    struct reading *r = arg;

    for (size_t i = 0; i < r->n_tags; i++) {
        const char *value = value_of(r->family, h, r->tags[i].key);
        if (value == NULL || strcmp(value, r->tags[i].value) != 0)
            return;
    }
    r->matched++;
    r->count += um_histogram_count(h);
    r->sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
    r->max_us = UM_MAX(r->max_us, atomic_load_explicit(&h->max_us, memory_order_relaxed));
    for (size_t i = 0; label_of(r->family, i) != NULL; i++)
        json_object_set_new(r->values[i], h->values[i], json_null());
}

static bool is_chosen(const struct reading *r, const char *label)
{
    for (size_t i = 0; i < r->n_tags; i++)
        if (strcmp(r->tags[i].key, label) == 0)
            return true;
    return false;
}

static json_t *keys_of(json_t *object)
{
    json_t *list = json_array(), *value;
    const char *key;

    json_object_foreach(object, key, value)
        json_array_append_new(list, json_string(key));
    json_decref(object);
    return sorted(list);
}

static json_t *measurements(const struct reading *r)
{
    json_t *count = json_pack("{s:s, s:f}", "statistic", "COUNT", "value", (double)r->count);

    if (r->family->counts != NULL)
        return json_pack("[o]", count);
    return json_pack("[o, {s:s, s:f}, {s:s, s:f}]", count, "statistic", "TOTAL_TIME", "value", (double)r->sum_us / 1e6, "statistic", "MAX",
                     "value", (double)r->max_us / 1e6);
}

static json_t *family_json(struct reading *r)
{
    const struct um_histograms *f = r->family;
    json_t *available = json_array();

    for (size_t i = 0; label_of(r->family, i) != NULL; i++) {
        json_t *values = keys_of(r->values[i]);
        if (is_chosen(r, r->family->labels[i]))
            json_decref(values);
        else
            json_array_append_new(available, json_pack("{s:s, s:o}", "tag", r->family->labels[i], "values", values));
    }
    return json_pack("{s:s, s:s, s:s, s:o, s:o}", "name", f->name, "description", f->help, "baseUnit", f->counts != NULL ? f->counts : "seconds",
                     "measurements", measurements(r), "availableTags", available);
}

static void reply_family(const struct um_actuator *a, struct um_http_req *rq, struct um_histograms *f, struct reading *r)
{
    json_t *body;

    r->family = f;
    for (size_t i = 0; label_of(f, i) != NULL; i++)
        r->values[i] = json_object();
    um_histogram_each(f, take_series, r);
    body = family_json(r);
    if (r->matched > 0 || r->n_tags == 0) {
        um_actuator_reply(a, rq, 200, body);
        return;
    }
    json_decref(body);
    actuator_not_there(rq, "nothing was counted under these tags");
}

static void reply_row(const struct um_actuator *a, struct um_http_req *rq, const struct um_metric *m, size_t n_tags)
{
    if (n_tags > 0) {
        actuator_not_there(rq, "this figure has no tags");
        return;
    }
    um_actuator_reply(a, rq, 200, json_pack("{s:s, s:s, s:s, s:[{s:s, s:f}], s:[]}", "name", m->name, "description", m->help, "baseUnit", m->unit,
                                         "measurements", "statistic", m->kind == UM_COUNTER ? "COUNT" : "VALUE", "value",
                                         um_metric_real(m), "availableTags"));
}

/* ---- ?tag=k:v&tag=k:v, and with a comma between several of one ---- */

static void join_tag(void *arg, const char *name, const char *value)
{
    struct um_buf *text = arg;

    if (strcmp(name, "tag") != 0)
        return;
    if (text->len > 0)
        um_buf_put_u8(text, ',');
    um_buf_puts(text, value);
}

/* TEXT is cut in place. */
static bool read_tags(char *text, struct reading *r)
{
    char *next, *colon;

    for (char *p = text; p != NULL && *p != '\0'; p = next) {
        next = strchr(p, ',');
        if (next != NULL)
            *next++ = '\0';
        colon = strchr(p, ':');
        if (colon == NULL || r->n_tags == TAGS_MAX)
            return false;
        *colon = '\0';
        r->tags[r->n_tags++] = (struct tag){ p, colon + 1 };
    }
    return true;
}

void um_actuator_metric(const struct um_actuator *a, struct um_http_req *rq, const char *name)
{
    struct um_histograms *f = um_histograms_find(name);
    const struct um_metric *m = um_metrics_find(name);
    struct reading r = { 0 };
    struct um_buf text = { 0 };

    if (um_actuator_exposes(a, rq, "metrics")) {
        system_refresh(a->s.started_wall_ms);
        um_http_each_query(rq, join_tag, &text);
        if (!read_tags((char *)(uintptr_t)um_buf_cstr(&text), &r))
            um_http_reply_error(rq, 400, "U00400", "a tag is key:value");
        else if (f != NULL)
            reply_family(a, rq, f, &r);
        else if (m != NULL)
            reply_row(a, rq, m, r.n_tags);
        else
            actuator_not_there(rq, "there is no such figure");
    }
    um_buf_free(&text);
}

/* ---- all of them ---- */

static size_t split(char *text, const char **names, size_t max)
{
    size_t n = 0;

    for (char *p = text, *save; n < max && (p = strtok_r(p, ",", &save)) != NULL; p = NULL)
        names[n++] = p;
    return n;
}

void um_actuator_prometheus(const struct um_actuator *a, struct um_http_req *rq)
{
    const char *accept = um_http_header(rq, "Accept"), *given = um_http_query(rq, "includedNames"), *names[NAMES_MAX];
    bool open = accept != NULL && strstr(accept, "application/openmetrics-text") != NULL;
    struct um_prometheus_opts opts = { .openmetrics = open };
    char *text = um_xstrdup(given != NULL ? given : "");
    struct um_buf out = { 0 };

    if (um_actuator_exposes(a, rq, "prometheus")) {
        system_refresh(a->s.started_wall_ms);
        opts.n_names = split(text, names, NAMES_MAX);
        opts.names = given != NULL ? names : NULL;
        um_metrics_prometheus(&out, &opts);
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply(rq, 200, open ? "application/openmetrics-text;version=1.0.0;charset=utf-8" : "text/plain;version=0.0.4",
                      UM_SPAN(out.data, out.len));
    }
    um_buf_free(&out);
    free(text);
}
