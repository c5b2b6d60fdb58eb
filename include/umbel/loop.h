/* The reactor: one thread, one epoll, timers, an inbox, deferred work. An object that lives on a
 * loop is touched only by that loop's thread; others talk to it by um_loop_post.
 *
 * A turn, in order: wait; dispatch descriptors; due timers; inbox; hooks of UM_PHASE_FLUSH (one write per
 * socket); hooks of UM_PHASE_REAP (free the dead); account the time. */
#ifndef UMBEL_LOOP_H
#define UMBEL_LOOP_H
#include <umbel/base.h>
#include <umbel/list.h>

struct um_loop;

struct um_loop *um_loop_new(unsigned index);      /* index: its number in the process, for logs and placing */
void um_loop_free(struct um_loop *l);             /* after um_loop_run returned; what was posted is run. Waits for threads that still post */
void um_loop_run(struct um_loop *l);              /* until um_loop_stop; runs on the calling thread, which owns the loop from then on */
void um_loop_turn(struct um_loop *l, int max_wait_ms);   /* one turn, for tests and embedding */
/* Runs what was posted, no timers and no descriptors: for the end, when modules still hear answers but are not to ask. */
void um_loop_settle(struct um_loop *l);
void um_loop_stop(struct um_loop *l);             /* any thread */
unsigned um_loop_index(const struct um_loop *l);
int64_t um_loop_now_ms(const struct um_loop *l);  /* monotonic, read once per turn */
bool um_loop_is_mine(const struct um_loop *l);    /* is the caller this loop's thread (or has none run it yet)? */

/* --- descriptors (level-triggered) ------------------------------------------------------------- */
#define UM_READ  1u
#define UM_WRITE 2u
#define UM_HUP   4u                               /* error or hang-up; always reported */
struct um_io;
typedef void um_io_cb(void *arg, unsigned events);
struct um_io {                                    /* embed it; zero-initialise */
    int fd;
    unsigned events;
    um_io_cb *cb;
    void *arg;
};
um_err um_io_start(struct um_loop *l, struct um_io *io, int fd, unsigned events, um_io_cb *cb, void *arg);
void um_io_want(struct um_loop *l, struct um_io *io, unsigned events);   /* cheap when unchanged */
void um_io_stop(struct um_loop *l, struct um_io *io);   /* does not close the descriptor; safe to repeat; no callback runs afterwards */

/* --- timers (one shot; binary heap) ------------------------------------------------------------- */
typedef void um_timer_cb(void *arg);
struct um_timer {                                 /* embed it; zero-initialise */
    int64_t at_ms;
    size_t pos;                                   /* 1 + place in the heap; 0 = not set */
    um_timer_cb *cb;
    void *arg;
};
void um_timer_set(struct um_loop *l, struct um_timer *t, int64_t delay_ms, um_timer_cb *cb, void *arg);  /* re-arms */
void um_timer_stop(struct um_loop *l, struct um_timer *t);
static inline bool um_timer_is_set(const struct um_timer *t) { return t->pos != 0; }
/* The delay to the next multiple of PERIOD_MS, 1..PERIOD_MS: what is done again and again on one loop then shares its turns,
 * and an idle process is woken less often. */
static inline int64_t um_loop_next_ms(const struct um_loop *l, int64_t period_ms)
{
    return period_ms - um_loop_now_ms(l) % period_ms;
}

/* --- hooks that run once at the end of a turn --------------------------------------------------- */
enum um_phase { UM_PHASE_FLUSH_DOCS, UM_PHASE_FLUSH, UM_PHASE_REAP, UM_PHASE_N };
typedef void um_defer_cb(void *arg);
struct um_defer {                                 /* embed it; um_defer_init once */
    struct um_list link;
    um_defer_cb *cb;
    void *arg;
};
void um_defer_init(struct um_defer *d, um_defer_cb *cb, void *arg);
/* Runs D->cb once in phase PH of this turn (or of the next, when that phase has passed). Asking twice is asking once. */
void um_loop_defer(struct um_loop *l, enum um_phase ph, struct um_defer *d);
void um_defer_cancel(struct um_defer *d);

/* --- between threads ----------------------------------------------------------------------------- */
/* A message owns its memory: embed um_msg, fill cb, post it; CB runs once on the loop and frees it.
 * Messages from one thread to one loop keep their order. The eventfd is signalled only when the inbox was empty, and not by a
 * turn of the loop itself. */
struct um_msg;
typedef void um_msg_cb(struct um_msg *m);
struct um_msg {
    struct um_msg *next;
    um_msg_cb *cb;
};
void um_loop_post(struct um_loop *l, struct um_msg *m, um_msg_cb *cb);
void um_loop_call(struct um_loop *l, void (*fn)(void *arg), void *arg);   /* the same, allocating the message */

/* --- the threads ---------------------------------------------------------------------------------- */
struct um_reactors;                               /* N loops, each with its thread */
struct um_reactors *um_reactors_new(unsigned n);
unsigned um_reactors_count(const struct um_reactors *r);
struct um_loop *um_reactors_loop(struct um_reactors *r, unsigned i);
void um_reactors_start(struct um_reactors *r);    /* starts N threads */
void um_reactors_stop(struct um_reactors *r);     /* asks all to stop and joins them */
void um_reactors_free(struct um_reactors *r);

/* A few threads for what may block (password hashing, files, name look-up). Work is done in order of arrival.
 * DONE runs on LOOP. When more than the pool's bound waits, um_work_submit refuses with UM_EBUSY. */
struct um_pool;
struct um_work {                                  /* embed it; alive until DONE ran */
    struct um_msg msg;
    struct um_loop *loop;
    void (*fn)(struct um_work *w);                /* on a worker */
    void (*done)(struct um_work *w);              /* on the loop */
};
struct um_pool *um_pool_new(unsigned threads, unsigned max_waiting);
um_err um_work_submit(struct um_pool *p, struct um_work *w);
void um_pool_free(struct um_pool *p);             /* finishes what was submitted */

#endif
