/* What is counted. A library is a label: there are as many as administrators have put into the directory, and
 * UM_NATIVE_LIBRARIES_MAX. */
#include <umbel/histogram.h>
#include "native_int.h"

struct um_metric native_metrics[M_N] = {
    [M_PROCESSES]  = { "operation.handlers.processes", "processes", "processes of libraries", UM_GAUGE, 0 },
    [M_WAITING]    = { "operation.handlers.waiting", "calls", "calls of libraries without an answer yet", UM_GAUGE, 0 },
    [M_ENDED]      = { "operation.handlers.ended", "processes",
                       "processes of libraries that have ended by themselves, by a limit, or for what they said", UM_COUNTER, 0 },
    [M_LATE]       = { "operation.handlers.late", "processes",
                       "processes of libraries that were ended because an answer did not come in time", UM_COUNTER, 0 },
    [M_UNLOADABLE] = { "operation.handlers.unloadable", "libraries",
                       "libraries that could not be loaded when they were asked", UM_COUNTER, 0 },
    [M_REFUSED]    = { "operation.handlers.refused", "calls",
                       "calls of libraries that failed because too many wait, or waited too long", UM_COUNTER, 0 },
};

static const char *const labels[] = { "library", "outcome", NULL };
static struct um_histograms calls = {
    .name = "operation.handlers.calls", .help = "calls of libraries, their waiting included", .labels = labels,
};

void count_call(const struct call *c, int64_t us)
{
    const char *const values[] = { c->library, c->is_done ? "SUCCESS" : c->code };

    um_histograms_register(&calls);
    um_histogram_add(um_histogram_of(&calls, values), us);
}
