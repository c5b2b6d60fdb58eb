/* What the files of this module share.
 *
 *   reserve.c  the object: feeding the copy with rows, news and readings; leases that end; listeners
 *   calls.c    what callers ask for, one struct call each
 *   copy.c     the copy and its order of reports          editing.c  who edits, here and elsewhere
 *   news.c     the bytes between nodes                    answer.c   rows on their way to a caller            */
#ifndef RESERVE_INTERNAL_H
#define RESERVE_INTERNAL_H
#include <stdatomic.h>
#include <umbel/cachegen.h>
#include <umbel/list.h>
#include <umbel/reserve.h>
#include "copy.h"
#include "counters.h"
#include "editing.h"
#include "news.h"

struct listener { struct um_loop *loop; um_reserve_fn *fn; void *arg; };

struct um_reserve {
    struct um_reserve_env env;
    struct um_reserve_conf conf;
    struct copy copy;
    struct editing *editing;
    struct listener *listeners;
    size_t n_listeners;
    struct um_list calls;                     /* under way */
    size_t waiting;                           /* of them, for somebody to let go */
    struct um_timer tick;                     /* leases that end */
    bool checking;                            /* the database is being asked about some */
    uint64_t told;                            /* the newest version of the cache that we heard of, */
    uint64_t wanted;                          /* and the one that only a reading brings */
    bool reading;
    size_t counted;                           /* of copy.held, in the gauge */
    bool stopped;                             /* the store is not to be asked any more */
    struct um_timer reread;
    struct um_loop *nursery;                  /* of a first reading that took too long: its answer is not heard */
    _Atomic bool loaded;
};

/* On the loop. Rows of VERSION go into the copy, and listeners hear what they change; EVENT and BY say why something became
 * free. */
void reserve_report(struct um_reserve *r, uint64_t version, enum um_reserve_event event, const char *by,
                    const struct um_store_reserved *rows, size_t n);
void calls_free(struct um_reserve *r);

#endif
