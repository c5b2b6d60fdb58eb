/* What the files of this module share. */
#ifndef LOOP_INTERNAL_H
#define LOOP_INTERNAL_H
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <umbel/loop.h>

#define EVENTS_PER_TURN 256

struct timer_heap {
    struct um_timer **slot;               /* slot[0] is due first */
    size_t n, cap;
};

struct um_loop {
    unsigned index;
    int epoll_fd;
    int wake_fd;                          /* eventfd: the inbox was empty and is not any more */
    _Atomic unsigned posting;             /* threads in um_loop_post */
    _Atomic(struct um_msg *) inbox;       /* newest first; reversed when taken */
    _Atomic bool stop;
    int64_t now_ms;
    struct timer_heap timers;
    struct um_list phase[UM_PHASE_N];
    struct epoll_event events[EVENTS_PER_TURN];
    int n_events, next_event;             /* the batch that is being dispatched */
    pthread_t owner;
    bool has_owner;
};

void um_timers_run(struct um_loop *l);                    /* what is due at l->now_ms */
int64_t um_timers_next_ms(const struct um_loop *l);       /* INT64_MAX when none is set */

#endif
