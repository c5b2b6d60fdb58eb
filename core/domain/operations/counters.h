/* Figures of handlers. Any thread. */
#ifndef OPERATIONS_COUNTERS_H
#define OPERATIONS_COUNTERS_H

enum operation_counter { OPERATION_FAILED, OPERATION_REFUSED, OPERATION_REPLACED, OPERATION_TOO_DEEP, OPERATION_JOBS, OPERATION_COUNTERS_N };
void operation_counters_register(void);
void operation_count(enum operation_counter which);

#endif
