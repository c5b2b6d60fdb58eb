/* Figures of handlers. Any thread. */
#ifndef OPERATIONS_COUNTERS_H
#define OPERATIONS_COUNTERS_H
#include <stdint.h>

enum operation_counter { OPERATION_FAILED, OPERATION_REFUSED, OPERATION_REPLACED, OPERATION_TOO_DEEP, OPERATION_JOBS, OPERATION_COUNTERS_N };
void operation_counters_register(void);
void operation_count(enum operation_counter which);

/* A synchronous handler was asked (the timer invokeSyncOperationHandler). EXCEPTION: the code of its failure; NULL: it went well. */
struct operation_timing { const char *object, *action, *phase, *registration, *scope, *exception; int64_t us; };
void operation_timed(const struct operation_timing *t);

#endif
