/* Counters and gauges: one row each. A module lists its rows in a table and counts by index; the value is a
 * relaxed atomic, so any thread may count. Exposed by the actuator.
 *
 *   enum { M_REFUSED, M_OPEN };
 *   static struct um_metric rows[] = {
 *       [M_REFUSED] = { "ws.refused", "frames", "frames that broke the protocol", UM_COUNTER },
 *       [M_OPEN]    = { "ws.open", "connections", "open WebSockets", UM_GAUGE },
 *   };
 *   um_metrics_register(rows, UM_COUNT(rows));   um_count(&rows[M_REFUSED], 1);                       */
#ifndef UMBEL_METRICS_H
#define UMBEL_METRICS_H
#include <stdatomic.h>
#include <umbel/bytes.h>

enum um_metric_kind { UM_COUNTER, UM_GAUGE, UM_GAUGE_PARTS };   /* PARTS: the value counts millionths of what is told */
enum { UM_METRIC_PARTS = 1000000 };
struct um_metric {
    const char *name;                        /* dotted, as in Spring's metrics */
    const char *unit;
    const char *help;                        /* a sentence */
    enum um_metric_kind kind;
    _Atomic int64_t value;
};

static inline void um_count(struct um_metric *m, int64_t n) { atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed); }
static inline int64_t um_metric_value(const struct um_metric *m) { return atomic_load_explicit(&m->value, memory_order_relaxed); }
static inline double um_metric_real(const struct um_metric *m) { return (double)um_metric_value(m) / (m->kind == UM_GAUGE_PARTS ? UM_METRIC_PARTS : 1); }

void um_metrics_register(struct um_metric *rows, size_t n);   /* at start; rows live as long as the process */
struct um_metric *um_metrics_find(const char *name);
/* All rows, sorted by name. */
void um_metrics_each(void (*fn)(void *arg, const struct um_metric *m), void *arg);

struct um_prometheus_opts {
    bool openmetrics;                        /* OpenMetrics 1.0 rather than text format 0.0.4 */
    const char *const *names;                /* those alone, as Prometheus has them; NULL: all */
    size_t n_names;
};
/* These, and the histograms (umbel/histogram.h). */
void um_metrics_prometheus(struct um_buf *out, const struct um_prometheus_opts *opts);

#endif
