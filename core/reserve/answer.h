/* Rows and blockers with strings of their own, as they travel to the caller. */
#ifndef RESERVE_ANSWER_H
#define RESERVE_ANSWER_H
#include <umbel/reserve.h>

enum { BLOCKERS_MAX = 1000 };                 /* more are not told */

struct answer {
    struct um_store_reserved *rows;
    size_t n, cap;
    struct um_reserve_blocker *blockers;
    size_t n_blockers, cap_blockers;
};
void answer_add_row(struct answer *a, const struct um_store_reserved *row);
void answer_add_blocker(struct answer *a, const struct um_reserve_blocker *b);
void answer_clear(struct answer *a);

#endif
