/* What the parts of bench_crdt share. */
#ifndef BENCH_CRDT_H
#define BENCH_CRDT_H
#include <umbel/crdt.h>

#define RUNS 3

double user_ms(void);                 /* user CPU time of this process */
/* One result: the median of N values. */
void print(const char *what, const char *metric, const char *unit, double *values, int n);
extern const char *case_name;         /* what the printed cases begin with */

struct updates {
    uint8_t *data;
    struct um_span *v;
    size_t n;
};

/* The file NAME beside that of the updates, to be freed; data NULL when there is none. */
struct um_span input_load(const char *name);

void bench_edits(const struct updates *u);    /* crdt_edits.c: from C */
void bench_concurrent(void);
void bench_many(void);                /* crdt_many.c: many clients, many at one place */
void bench_hostile(void);             /* crdt_hostile.c: valid updates that were made to cost much */

#endif
