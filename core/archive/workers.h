/* The archive's threads and the queue before them. */
#ifndef ARCHIVE_WORKERS_H
#define ARCHIVE_WORKERS_H
#include "place.h"

enum { ARCHIVE_CALLS_MAX = 4096 };    /* calls that wait */

struct archive_workers;
/* SELF is the place's and stays the caller's; N threads. */
um_err archive_workers_start(struct archive_workers **out, const struct archive_place *place, void *self,
                             const struct um_archive_conf *cf) UM_CHECK_RESULT;
void archive_workers_put(struct archive_workers *w, struct archive_op *op);   /* any thread; refuses what is too much */
void archive_workers_stop(struct archive_workers *w);                         /* drops what waits, joins; NULL is fine */
bool archive_workers_are_healthy(const struct archive_workers *w);

#endif
