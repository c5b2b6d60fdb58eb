/* The store's counters, by index. */
#ifndef STORE_COUNTERS_H
#define STORE_COUNTERS_H
#include <umbel/metrics.h>

enum store_counter {
    M_COMMITS, M_COMMIT_US, M_ERRORS, M_APPENDS, M_APPEND_BYTES, M_FOLDS, M_CONFLICTS, M_TRIMMED, M_LOADS, M_CORRUPT,
    M_LISTS, M_REFUSED, M_LATE, M_WAITING_BYTES, M_FOREIGN, M_REOPENED, M_UNHEALTHY, M_UNITS, M_UNIT_RUNS, M_VIEWS, M_N
};
void store_counters_register(void);                       /* once, whatever the number of calls */
void store_count(enum store_counter which, int64_t n);

#endif
