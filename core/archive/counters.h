/* The archive's counters. Any thread. */
#ifndef ARCHIVE_COUNTERS_H
#define ARCHIVE_COUNTERS_H
#include <umbel/metrics.h>

enum archive_counter {
    M_PUTS, M_PUT_BYTES, M_GETS, M_GET_BYTES, M_DELETES, M_LISTS, M_PROBES, M_ERRORS, M_CORRUPT, M_REFUSED, M_CALL_US,
    M_REQUESTS, M_RETRIES, M_MULTIPARTS, M_ABORTED, M_LEFTOVERS, M_WAITING, M_WAITING_BYTES, M_UNHEALTHY, M_N
};
void archive_counters_register(void);
void archive_count(enum archive_counter which, int64_t n);

#endif
