/* Sorting many records by an integer, in time that grows with their number alone. */
#ifndef UM_CRDT_SORT_H
#define UM_CRDT_SORT_H
#include "mem.h"

#define SORT_MANY 256u                /* about as many pay for the passes; fewer are better left to qsort */

/* Records of a key in the upper 32 bits and a value in the lower. */
static inline uint64_t keyed(uint32_t key, uint32_t value) { return (uint64_t)key << 32 | value; }
static inline uint32_t keyed_key(uint64_t v) { return (uint32_t)(v >> 32); }
static inline uint32_t keyed_value(uint64_t v) { return (uint32_t)v; }

/* By key, ascending; equal keys keep their order. False: no memory for a second array, nothing has moved. */
bool keyed_sort(struct mem *m, uint64_t *v, uint32_t n);

/* Numbers by what KEY says of each, ascending. False: not done, for there are few or no memory; they lie in some order. */
typedef uint64_t number_key(const void *ctx, uint32_t number);
bool numbers_sort(struct mem *m, uint32_t *v, uint32_t n, number_key *key, const void *ctx);
/* Integers, ascending. False as above. */
bool uints_sort(struct mem *m, uint64_t *v, uint32_t n);

#endif
