/* What the queue counts: one row each. Gauges of the table are the whole installation's, as this core has last counted. */
#ifndef JOBS_COUNTERS_H
#define JOBS_COUNTERS_H
#include <umbel/metrics.h>

#define JOBS_COUNTERS(X)                                                                                                     \
    X(WAITING,      "operation.queue.waiting",        "jobs",    GAUGE,   "jobs that wait for their turn")                       \
    X(DELAYED,      "operation.queue.delayed",        "jobs",    GAUGE,   "jobs that wait for another attempt")                  \
    X(PROCESSING,   "operation.queue.processing",     "jobs",    GAUGE,   "jobs that some worker does")                          \
    X(ERRORS,       "operation.queue.errors",         "jobs",    GAUGE,   "jobs given up, until they are retried or purged")     \
    X(OLDEST,       "operation.queue.oldest.seconds", "seconds", GAUGE,   "age of the job that has waited longest")              \
    X(RUNNING,      "operation.queue.running",        "jobs",    GAUGE,   "jobs that this core does")                            \
    X(BEGUN,        "operation.queue.begun",          "jobs",    COUNTER, "attempts that this core began")                       \
    X(DONE,         "operation.queue.done",           "jobs",    COUNTER, "jobs that this core finished")                        \
    X(RETRIES,      "operation.queue.retries",        "jobs",    COUNTER, "failed attempts that are to be repeated")             \
    X(DEAD,         "operation.queue.dead",           "jobs",    COUNTER, "jobs given up, by their last attempt or a functional error") \
    X(HANDED_BACK,  "operation.queue.handed-back",    "jobs",    COUNTER, "jobs given back unfinished by a stop")                \
    X(EXPIRED,      "operation.queue.lease.expired",  "jobs",    COUNTER, "jobs taken from a worker whose lease was over")       \
    X(REFUSED,      "operation.queue.refused",        "jobs",    COUNTER, "ends of attempts that came after their lease was lost") \
    X(OFFERED,      "operation.queue.offered",        "jobs",    COUNTER, "hints put into Redis")                                \
    X(NOT_OFFERED,  "operation.queue.not-offered",    "jobs",    COUNTER, "hints that Redis had no room for, or was away: the sweep finds those jobs") \
    X(TROUBLES,     "operation.queue.troubles",       "units",   COUNTER, "units of the queue that the database did not do")

enum jobs_counter {
#define X(id, name, unit, kind, help) M_##id,
    JOBS_COUNTERS(X)
#undef X
    M_N
};
extern struct um_metric jobs_counters[M_N];
void jobs_register_counters(void);
/* An attempt took US, as the timer processAsyncOperationHandler has it. LABELS: ObjectType, action, phase, registration, scope, and the
 * code of its failure or "none". */
void jobs_timed(const char *const labels[6], int64_t us);
static inline void jobs_count(enum jobs_counter c, int64_t n) { um_count(&jobs_counters[c], n); }
static inline void jobs_set(enum jobs_counter c, int64_t n) { atomic_store_explicit(&jobs_counters[c].value, n, memory_order_relaxed); }

#endif
