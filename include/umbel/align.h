/* Which elements of two sequences stand for one another: the common part of a difference. Elements are numbers,
 * mostly hashes. Pure computation in scratch memory of the C library; any thread. */
#ifndef UMBEL_ALIGN_H
#define UMBEL_ALIGN_H
#include <umbel/base.h>

#define UM_ALIGN_NONE UINT32_MAX

struct um_align {
    uint32_t max_edits;               /* in one place: an exact answer is looked for up to this many insertions and
                                       * deletions; its square times two is the scratch memory in bytes */
    uint64_t steps;                   /* comparisons left; counted down over all calls */
    bool coarse;                      /* set when a call went beyond one of these: then only what is unique on both
                                       * sides, and what stands beside it, is found */
};

/* Fills MATCH[0..N): the index in B of the element that stands for A[i], rising, or UM_ALIGN_NONE. The shortest
 * difference within the bounds; else a usable one in O(n log n). UM_ENOMEM. */
UM_CHECK_RESULT um_err um_align(struct um_align *al, const uint64_t *a, uint32_t n, const uint64_t *b, uint32_t m,
                                uint32_t *match);

#endif
