/* See umbel/histogram.h. A series is made under the lock and never goes away. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/histogram.h>

const int64_t um_histogram_bounds_us[UM_HISTOGRAM_BUCKETS] = {
    250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000, 30000000,
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct um_histograms *families;        /* by name */

void um_histograms_register(struct um_histograms *f)
{
    struct um_histograms **at = &families;

    pthread_mutex_lock(&lock);
    while (*at != NULL && strcmp((*at)->name, f->name) < 0)
        at = &(*at)->next;
    if (*at != f) {
        if (f->all.next == NULL)
            um_list_init(&f->all);
        f->next = *at;
        *at = f;
    }
    pthread_mutex_unlock(&lock);
}

static size_t n_labels(const struct um_histograms *f)
{
    size_t n = 0;

    while (f->labels != NULL && f->labels[n] != NULL)
        n++;
    UM_ASSERT(n <= UM_HISTOGRAM_LABELS_MAX);
    return n;
}

static struct um_histogram *find(struct um_histograms *f, const char *const *values, size_t n)
{
    UM_LIST_EACH(it, &f->all) {
        struct um_histogram *h = UM_CONTAINER(it, struct um_histogram, link);
        size_t i = 0;

        while (i < n && strcmp(h->values[i], values[i]) == 0)
            i++;
        if (i == n)
            return h;
    }
    return NULL;
}

static struct um_histogram *add(struct um_histograms *f, const char *const *values, size_t n)
{
    struct um_histogram *h = um_xcalloc(1, sizeof(*h));

    for (size_t i = 0; i < n; i++)
        h->values[i] = um_xstrdup(values[i]);
    um_list_append(&f->all, &h->link);
    atomic_fetch_add_explicit(&f->n, 1, memory_order_relaxed);
    return h;
}

struct um_histogram *um_histogram_of(struct um_histograms *f, const char *const *values)
{
    static const char *const other[UM_HISTOGRAM_LABELS_MAX] = { "other", "other", "other", "other", "other", "other" };
    size_t n = n_labels(f);
    struct um_histogram *h;

    pthread_mutex_lock(&lock);
    if (f->all.next == NULL)
        um_list_init(&f->all);                /* not registered: counted, and shown to nobody */
    h = find(f, values, n);
    if (h == NULL && f->n >= UM_HISTOGRAM_SERIES_MAX) {
        values = other;
        h = find(f, values, n);
    }
    if (h == NULL)
        h = add(f, values, n);
    pthread_mutex_unlock(&lock);
    return h;
}

void um_histogram_add(struct um_histogram *h, int64_t us)
{
    int64_t most = atomic_load_explicit(&h->max_us, memory_order_relaxed);
    size_t i = 0;

    while (i < UM_HISTOGRAM_BUCKETS && us > um_histogram_bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&h->in_bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us, memory_order_relaxed);
    while (us > most && !atomic_compare_exchange_weak_explicit(&h->max_us, &most, us, memory_order_relaxed, memory_order_relaxed))
        ;
}

uint64_t um_histogram_count(const struct um_histogram *h)
{
    uint64_t n = 0;

    for (size_t i = 0; i <= UM_HISTOGRAM_BUCKETS; i++)
        n += atomic_load_explicit(&h->in_bucket[i], memory_order_relaxed);
    return n;
}

static bool has_series(const struct um_histograms *f) { return atomic_load_explicit(&f->n, memory_order_relaxed) > 0; }

struct um_histograms *um_histograms_find(const char *name)
{
    struct um_histograms *f;

    pthread_mutex_lock(&lock);
    for (f = families; f != NULL && strcmp(f->name, name) != 0; )
        f = f->next;
    pthread_mutex_unlock(&lock);
    return f != NULL && has_series(f) ? f : NULL;
}

void um_histograms_each(void (*cb)(void *arg, struct um_histograms *f), void *arg)
{
    for (struct um_histograms *f = families; f != NULL; f = f->next)
        if (has_series(f))
            cb(arg, f);
}

void um_histogram_each(struct um_histograms *f, void (*cb)(void *arg, const struct um_histogram *h), void *arg)
{
    pthread_mutex_lock(&lock);
    UM_LIST_EACH(it, &f->all)
        cb(arg, UM_CONTAINER(it, struct um_histogram, link));
    pthread_mutex_unlock(&lock);
}
