#include "counters.h"

struct um_metric jobs_counters[M_N] = {
#define X(id, n, u, k, h) [M_##id] = { .name = n, .unit = u, .help = h, .kind = UM_##k },
    JOBS_COUNTERS(X)
#undef X
};
