/* Delete sets as lists of ranges. */
#ifndef UM_CRDT_DS_H
#define UM_CRDT_DS_H
#include "wire.h"

/* Normal form: client descending, clock ascending, no empty ranges, none that touch. Grouped: client descending. */
typedef VEC(struct range) range_vec;

/* From bytes that nobody has checked, into normal form. UM_EPROTO, UM_ELIMIT, UM_ENOMEM. */
um_err ds_read(struct mem *m, struct um_span ds, const struct um_crdt_limits *limits, range_vec *out);
/* R: behind it */
um_err ds_read_from(struct mem *m, struct rd *r, const struct um_crdt_limits *limits, range_vec *out);
/* Appends the ranges of a checked set as they come, but for empty ones. UM_ENOMEM. */
um_err ranges_collect(struct mem *m, struct um_span ds, range_vec *out);
void ranges_normalise(range_vec *v);
/* Groups; ranges of one client keep their order. UM_ENOMEM. */
um_err ranges_group(struct mem *m, range_vec *v);
/* Of a grouped list: how many clients; the end of the group that begins at FROM; the set in v1. */
uint32_t groups_count(const range_vec *v);
uint32_t group_end(const range_vec *v, uint32_t from);
void ranges_write(const range_vec *v, struct um_buf *out);
/* Of lists in normal form. */
bool ranges_equal(const range_vec *a, const range_vec *b);
bool ranges_hold(const range_vec *v, const struct range *g);      /* all of G */
/* The first range of the sorted N that ends behind CLOCK; N when there is none. All of one client. */
uint32_t range_behind(const struct range *v, uint32_t n, uint32_t clock);

#endif
