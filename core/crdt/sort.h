/* Sorting many records by an integer, in time that grows with their number alone. */
#ifndef UM_CRDT_SORT_H
#define UM_CRDT_SORT_H
#include "mem.h"

/* Records of a key in the upper 32 bits and a value in the lower. */
static inline uint64_t keyed(uint32_t key, uint32_t value) { return (uint64_t)key << 32 | value; }
static inline uint32_t keyed_key(uint64_t v) { return (uint32_t)(v >> 32); }
static inline uint32_t keyed_value(uint64_t v) { return (uint32_t)v; }

/* By key, ascending; equal keys keep their order. False: no memory for a second array, nothing has moved. */
bool keyed_sort(struct mem *m, uint64_t *v, uint32_t n);

#endif
