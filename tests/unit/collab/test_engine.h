/* The engine's tests, by what they are about. Each group runs with one and with three reactors. */
#ifndef TEST_ENGINE_H
#define TEST_ENGINE_H
#include "bench.h"
#include <umbel/failpoint.h>
#include <umbel/util.h>
#include "counters.h"

extern unsigned engine_reactors;         /* of the run under way */
int admission_group(void);
int editing_group(void);
int storing_group(void);
int ending_group(void);
int work_group(void);
int listing_group(void);
int rights_group(void);
int thread_group(void);

/* A started engine of defaults, and its end. */
static inline void engine_open(struct bench *b)
{
    bench_init(b, engine_reactors);
    bench_start(b);
}
#define OPEN_AND_JOIN(b, p, address, token) (peer_open(b, p), peer_join(p, address, token))

#endif
