/* One reactor: epoll (level-triggered), timers, inbox, deferred work.
 *
 * Invariants
 *  1. Callbacks run on the owner's thread only.
 *  2. After um_io_stop no callback of that um_io runs: events of the current batch that name it are wiped.
 *  3. Deferred work asked for during its own phase runs in the next turn, so a turn always ends.
 *  4. The eventfd is watched edge-triggered and never read: each write is told once, and its counter would take centuries
 *     to fill. A turn of its own needs no wake-up: it looks into the inbox before it waits. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <umbel/metrics.h>
#include <umbel/util.h>
#include "loop_internal.h"

enum { M_TURNS, M_SLOW_TURNS };
static struct um_metric rows[] = {
    [M_TURNS]      = { "loop.turns", "turns", "turns of all reactors", UM_COUNTER, 0 },
    [M_SLOW_TURNS] = { "loop.turns.slow", "turns", "turns that worked longer than 100 ms", UM_COUNTER, 0 },
};
#define SLOW_TURN_MS 100

/* --- descriptors ------------------------------------------------------------------------------------- */

static uint32_t to_epoll(unsigned events)
{
    return (events & UM_READ ? EPOLLIN | EPOLLRDHUP : 0u) | (events & UM_WRITE ? (uint32_t)EPOLLOUT : 0u);
}

static unsigned from_epoll(uint32_t events)
{
    return (events & (EPOLLIN | EPOLLRDHUP) ? UM_READ : 0) | (events & EPOLLOUT ? UM_WRITE : 0) |
           (events & (EPOLLERR | EPOLLHUP) ? UM_HUP : 0);
}

um_err um_io_start(struct um_loop *l, struct um_io *io, int fd, unsigned events, um_io_cb *cb, void *arg)
{
    struct epoll_event ev = { .events = to_epoll(events), .data.ptr = io };

    *io = (struct um_io){ fd, events, cb, arg };
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &ev) == 0)
        return UM_OK;
    io->cb = NULL;
    return errno == ENOMEM || errno == ENOSPC ? UM_ENOMEM : UM_EIO;
}

void um_io_want(struct um_loop *l, struct um_io *io, unsigned events)
{
    struct epoll_event ev = { .events = to_epoll(events), .data.ptr = io };

    if (io->cb == NULL || io->events == events)
        return;
    io->events = events;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, io->fd, &ev);
}

void um_io_stop(struct um_loop *l, struct um_io *io)
{
    if (io->cb == NULL)
        return;
    epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, io->fd, NULL);
    io->cb = NULL;
    for (int i = l->next_event; i < l->n_events; i++)
        if (l->events[i].data.ptr == io)
            l->events[i].data.ptr = NULL;
}

static _Thread_local struct um_loop *in_turn;            /* the loop whose callbacks this thread is running */

/* --- the inbox ---------------------------------------------------------------------------------------- */

void um_loop_post(struct um_loop *l, struct um_msg *m, um_msg_cb *cb)
{
    struct um_msg *head = atomic_load_explicit(&l->inbox, memory_order_relaxed);

    atomic_fetch_add_explicit(&l->posting, 1, memory_order_relaxed);
    m->cb = cb;
    do
        m->next = head;
    while (!atomic_compare_exchange_weak_explicit(&l->inbox, &head, m, memory_order_release, memory_order_relaxed));
    if (head == NULL && l != in_turn) {
        uint64_t one = 1;
        ssize_t n = write(l->wake_fd, &one, sizeof(one));
        (void)n;
    }
    atomic_fetch_sub_explicit(&l->posting, 1, memory_order_release);
}

static struct um_msg *take_inbox(struct um_loop *l)
{
    struct um_msg *newest = atomic_exchange_explicit(&l->inbox, NULL, memory_order_acquire);
    struct um_msg *oldest = NULL;

    while (newest != NULL) {
        struct um_msg *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static void run_inbox(struct um_loop *l)
{
    for (struct um_msg *m = take_inbox(l); m != NULL;) {
        struct um_msg *next = m->next;        /* the callback frees m */
        m->cb(m);
        m = next;
    }
}

static bool watch_inbox(struct um_loop *l)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLET, .data.ptr = NULL };

    return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->wake_fd, &ev) == 0;
}

struct call {
    struct um_msg msg;
    void (*fn)(void *arg);
    void *arg;
};

static void run_call(struct um_msg *m)
{
    struct call *c = UM_CONTAINER(m, struct call, msg);

    c->fn(c->arg);
    free(c);
}

void um_loop_call(struct um_loop *l, void (*fn)(void *arg), void *arg)
{
    struct call *c = um_xmalloc(sizeof(*c));

    c->fn = fn;
    c->arg = arg;
    um_loop_post(l, &c->msg, run_call);
}

/* --- deferred work ------------------------------------------------------------------------------------- */

void um_defer_init(struct um_defer *d, um_defer_cb *cb, void *arg)
{
    um_list_init(&d->link);
    d->cb = cb;
    d->arg = arg;
}

void um_loop_defer(struct um_loop *l, enum um_phase ph, struct um_defer *d)
{
    if (um_list_is_empty(&d->link))
        um_list_append(&l->phase[ph], &d->link);
}

void um_defer_cancel(struct um_defer *d)
{
    um_list_remove(&d->link);
}

static void run_phase(struct um_loop *l, enum um_phase ph)
{
    struct um_list now;

    um_list_init(&now);
    um_list_splice(&now, &l->phase[ph]);
    while (!um_list_is_empty(&now)) {
        struct um_defer *d = UM_CONTAINER(now.next, struct um_defer, link);
        um_list_remove(&d->link);
        d->cb(d->arg);
    }
}

static bool has_deferred(const struct um_loop *l)
{
    for (int ph = 0; ph < UM_PHASE_N; ph++)
        if (!um_list_is_empty(&l->phase[ph]))
            return true;
    return false;
}

/* --- the turn -------------------------------------------------------------------------------------------- */

static int wait_ms(struct um_loop *l, int max_wait_ms)
{
    int64_t next = um_timers_next_ms(l), now = um_now_ms();
    int64_t wait = max_wait_ms < 0 ? INT32_MAX : max_wait_ms;

    if (has_deferred(l) || atomic_load_explicit(&l->inbox, memory_order_relaxed) != NULL)
        return 0;
    if (next != INT64_MAX)
        wait = UM_MIN(wait, UM_MAX(next - now, 0));
    return wait == INT32_MAX ? -1 : (int)wait;
}

static void dispatch(struct um_loop *l)
{
    for (l->next_event = 0; l->next_event < l->n_events;) {
        struct epoll_event *ev = &l->events[l->next_event++];
        struct um_io *io = ev->data.ptr;
        if (io != NULL && io->cb != NULL)
            io->cb(io->arg, from_epoll(ev->events));
    }
    l->n_events = l->next_event = 0;
}

void um_loop_turn(struct um_loop *l, int max_wait_ms)
{
    int64_t began;

    if (!l->has_owner) {
        l->owner = pthread_self();
        l->has_owner = true;
    }
    l->n_events = epoll_wait(l->epoll_fd, l->events, EVENTS_PER_TURN, wait_ms(l, max_wait_ms));
    l->n_events = UM_MAX(l->n_events, 0);     /* EINTR */
    began = l->now_ms = um_now_ms();
    in_turn = l;
    dispatch(l);
    um_timers_run(l);
    run_inbox(l);
    for (int ph = 0; ph < UM_PHASE_N; ph++)
        run_phase(l, (enum um_phase)ph);
    in_turn = NULL;
    um_count(&rows[M_TURNS], 1);
    if (um_now_ms() - began > SLOW_TURN_MS)
        um_count(&rows[M_SLOW_TURNS], 1);
}

void um_loop_run(struct um_loop *l)
{
    while (!atomic_load_explicit(&l->stop, memory_order_acquire))
        um_loop_turn(l, -1);
    atomic_store(&l->stop, false);
    l->has_owner = false;                     /* whoever frees what is left may touch it */
}

void um_loop_settle(struct um_loop *l)
{
    run_inbox(l);
    run_phase(l, UM_PHASE_REAP);
}

static void wake_up(void *arg) { (void)arg; }

void um_loop_stop(struct um_loop *l)
{
    atomic_store_explicit(&l->stop, true, memory_order_release);
    um_loop_call(l, wake_up, NULL);
}

/* --- life --------------------------------------------------------------------------------------------------- */

struct um_loop *um_loop_new(unsigned index)
{
    struct um_loop *l = um_xcalloc(1, sizeof(*l));

    l->index = index;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    UM_ASSERT(l->epoll_fd >= 0 && l->wake_fd >= 0);
    l->now_ms = um_now_ms();
    for (int ph = 0; ph < UM_PHASE_N; ph++)
        um_list_init(&l->phase[ph]);
    UM_ASSERT(watch_inbox(l));
    um_metrics_register(rows, UM_COUNT(rows));
    return l;
}

void um_loop_free(struct um_loop *l)
{
    if (l == NULL)
        return;
    run_inbox(l);                             /* messages own memory: their callbacks free it */
    run_phase(l, UM_PHASE_REAP);
    while (atomic_load_explicit(&l->posting, memory_order_acquire) > 0)
        sched_yield();                        /* its message was run already, its wake-up is on the way */
    close(l->wake_fd);
    close(l->epoll_fd);
    free(l->timers.slot);
    free(l);
}

unsigned um_loop_index(const struct um_loop *l) { return l->index; }
int64_t um_loop_now_ms(const struct um_loop *l) { return l->now_ms; }
bool um_loop_is_mine(const struct um_loop *l) { return !l->has_owner || pthread_equal(l->owner, pthread_self()); }
