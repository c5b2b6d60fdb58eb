#include <umbel/histogram.h>
#include <umbel/metrics.h>
#include "operations/counters.h"
#include "timers.h"

static struct um_metric rows[OPERATION_COUNTERS_N] = {
    [OPERATION_FAILED] = { "operation.handler.failures", "answers", "synchronous handlers that failed or could not be asked", UM_COUNTER, 0 },
    [OPERATION_REFUSED] = { "operation.refused", "operations", "operations that a handler has refused", UM_COUNTER, 0 },
    [OPERATION_REPLACED] = { "operation.replaced", "components", "components that a handler has changed before they were written", UM_COUNTER, 0 },
    [OPERATION_TOO_DEEP] = { "operation.too.deep", "operations", "operations whose handlers were left out: operation.max-depth", UM_COUNTER, 0 },
    [OPERATION_JOBS] = { "operation.jobs", "jobs", "jobs written with an operation", UM_COUNTER, 0 },
};

static const char *const labels[] = { "ObjectType", "action", "phase", "registration", "scope", "exception", NULL };
static struct um_histograms timer = { .name = "invokeSyncOperationHandler", .help = "asking synchronous handlers, rules among them", .labels = labels };

void operation_counters_register(void)
{
    um_metrics_register(rows, OPERATION_COUNTERS_N);
    um_histograms_register(&timer);
}

void operation_timed(const struct operation_timing *t)
{
    const char *values[] = { t->object, t->action, t->phase, t->registration, timers_scope(t->scope), t->exception != NULL ? t->exception : "none" };

    um_histogram_add(um_histogram_of(&timer, values), t->us);
}

void operation_count(enum operation_counter which) { um_count(&rows[which], 1); }
