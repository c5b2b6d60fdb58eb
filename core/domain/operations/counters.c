#include <umbel/metrics.h>
#include "operations/counters.h"

static struct um_metric rows[OPERATION_COUNTERS_N] = {
    [OPERATION_FAILED] = { "operation.handler.failures", "answers", "synchronous handlers that failed or could not be asked", UM_COUNTER, 0 },
    [OPERATION_REFUSED] = { "operation.refused", "operations", "operations that a handler has refused", UM_COUNTER, 0 },
    [OPERATION_REPLACED] = { "operation.replaced", "components", "components that a handler has changed before they were written", UM_COUNTER, 0 },
    [OPERATION_TOO_DEEP] = { "operation.too.deep", "operations", "operations whose handlers were left out: operation.max-depth", UM_COUNTER, 0 },
    [OPERATION_JOBS] = { "operation.jobs", "jobs", "jobs written with an operation", UM_COUNTER, 0 },
};

void operation_counters_register(void) { um_metrics_register(rows, OPERATION_COUNTERS_N); }
void operation_count(enum operation_counter which) { um_count(&rows[which], 1); }
