#include "counters.h"

struct um_metric collab_counters[C_N] = {
#define X(id, n, u, k, h) [C_##id] = { .name = n, .unit = u, .help = h, .kind = UM_##k },
    COLLAB_COUNTERS(X)
#undef X
};
