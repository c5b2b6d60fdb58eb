/* Figures with labels: a family of histograms of durations, or of counters, one series for each combination of label values that
 * has occurred. A family without a series is shown to nobody. Counting is lock-free; finding a series takes a lock, so who counts
 * often keeps what he found.
 *
 *   static const char *const labels[] = { "method", "uri", "status", NULL };
 *   static struct um_histograms requests = { .name = "http.server.requests", .help = "...", .labels = labels };
 *   s = um_histogram_of(&requests, (const char *const[]){ "GET", "/a", "200" });
 *   um_histogram_add(s, us);                                                                            */
#ifndef UMBEL_HISTOGRAM_H
#define UMBEL_HISTOGRAM_H
#include <stdatomic.h>
#include <umbel/bytes.h>
#include <umbel/list.h>

enum {
    UM_HISTOGRAM_BUCKETS = 16,                /* and one for what is longer */
    UM_HISTOGRAM_SERIES_MAX = 2000,           /* of a family; what would be one more counts as "other" in every label */
    UM_HISTOGRAM_LABELS_MAX = 6,
};
/* Their upper ends in microseconds: 0.25 ms to 30 s. */
extern const int64_t um_histogram_bounds_us[UM_HISTOGRAM_BUCKETS];

struct um_histogram {
    struct um_list link;
    const char *values[UM_HISTOGRAM_LABELS_MAX];
    _Atomic uint64_t in_bucket[UM_HISTOGRAM_BUCKETS + 1];      /* each for itself, not added up */
    _Atomic int64_t sum_us;
    _Atomic int64_t max_us;                   /* since the start of the process */
};
struct um_histograms {
    const char *name, *help;                  /* dotted; a sentence */
    const char *const *labels;                /* ends with NULL; NULL: none */
    const char *counts;                       /* what a family of counters counts ("caches"); NULL: durations */
    struct um_list all;                       /* the registry's, as what follows */
    _Atomic size_t n;
    struct um_histograms *next;
};

void um_histograms_register(struct um_histograms *f);      /* at start; twice is once */
/* Lives as long as the process. VALUES: one for each label, copied. */
struct um_histogram *um_histogram_of(struct um_histograms *f, const char *const *values);
void um_histogram_add(struct um_histogram *h, int64_t us);              /* of counters: 0, for one more */
uint64_t um_histogram_count(const struct um_histogram *h);

struct um_histograms *um_histograms_find(const char *name);                /* NULL: none, or without a series */
/* Those that have a series, in order of name. CB runs without a lock: register before others look. */
void um_histograms_each(void (*cb)(void *arg, struct um_histograms *f), void *arg);
/* In order of arrival. CB runs under the lock of the registry. */
void um_histogram_each(struct um_histograms *f, void (*cb)(void *arg, const struct um_histogram *h), void *arg);

#endif
