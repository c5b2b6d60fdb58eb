#include <umbel/histogram.h>
#include "counters.h"

struct um_metric jobs_counters[M_N] = {
#define X(id, n, u, k, h) [M_##id] = { .name = n, .unit = u, .help = h, .kind = UM_##k },
    JOBS_COUNTERS(X)
#undef X
};

static const char *const labels[] = { "ObjectType", "action", "phase", "registration", "scope", "exception", NULL };
static struct um_histograms timer = { .name = "processAsyncOperationHandler", .help = "attempts at jobs that this core made", .labels = labels };

void jobs_register_counters(void)
{
    um_metrics_register(jobs_counters, M_N);
    um_histograms_register(&timer);
}

void jobs_timed(const char *const values[6], int64_t us) { um_histogram_add(um_histogram_of(&timer, values), us); }
