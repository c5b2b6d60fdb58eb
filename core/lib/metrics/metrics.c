/* The registry of counter tables. Tables are registered at start and read by the actuator; a mutex is enough. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/metrics.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct um_metric **all;
static size_t n_all;

static int by_name(const void *a, const void *b)
{
    return strcmp((*(struct um_metric *const *)a)->name, (*(struct um_metric *const *)b)->name);
}

void um_metrics_register(struct um_metric *rows, size_t n)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_all; i++)
        if (all[i] == rows)
            n = 0;                              /* the same table again: several objects of one module */
    all = um_xrealloc(all, (n_all + n + 1) * sizeof(*all));
    for (size_t i = 0; i < n; i++)
        all[n_all++] = &rows[i];
    qsort(all, n_all, sizeof(*all), by_name);
    pthread_mutex_unlock(&lock);
}

struct um_metric *um_metrics_find(const char *name)
{
    struct um_metric *found = NULL;

    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_all && found == NULL; i++)
        if (strcmp(all[i]->name, name) == 0)
            found = all[i];
    pthread_mutex_unlock(&lock);
    return found;
}

void um_metrics_each(void (*fn)(void *arg, const struct um_metric *m), void *arg)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n_all; i++)
        fn(arg, all[i]);
    pthread_mutex_unlock(&lock);
}
