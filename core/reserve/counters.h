/* What the reservations count: one row each. */
#ifndef RESERVE_COUNTERS_H
#define RESERVE_COUNTERS_H
#include <umbel/metrics.h>

#define RESERVE_COUNTERS(X)                                                                                        \
    X(ACTIVE,    "reservation.active",    "reservations", GAUGE,   "reservations in force, as this node knows them")  \
    X(GRANTED,   "reservation.granted",   "reservations", COUNTER, "components that were reserved through this node") \
    X(CONFLICTS, "reservation.conflicts", "requests",     COUNTER, "requests that others stood in the way of") \
    X(BROKEN,    "reservation.broken",    "reservations", COUNTER, "reservations that administrators have broken")    \
    X(EXPIRED,   "reservation.expired",   "reservations", COUNTER, "leases that ended without being renewed")         \
    X(RELOADS,   "reservation.reloads",   "times",        COUNTER, "the copy of all reservations was read anew")      \
    X(BAD_NEWS,  "reservation.news.malformed", "messages", COUNTER, "news of reservations that could not be understood") \
    X(WAITING,   "reservation.waiting",   "requests",     GAUGE,   "requests that wait for a component")

enum reserve_counter {
#define X(id, name, unit, kind, help) M_##id,
    RESERVE_COUNTERS(X)
#undef X
    M_N
};
extern struct um_metric reserve_counters[M_N];
static inline void reserve_count(enum reserve_counter c, int64_t n) { um_count(&reserve_counters[c], n); }

#endif
