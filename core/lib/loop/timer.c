/* Timers: a binary heap of borrowed timers; each knows its place, so stopping is O(log n). */
#include <stdlib.h>
#include "loop_internal.h"

static void put_at(struct timer_heap *h, size_t i, struct um_timer *t)
{
    h->slot[i] = t;
    t->pos = i + 1;
}

static void sift_up(struct timer_heap *h, size_t i, struct um_timer *t)
{
    while (i > 0 && h->slot[(i - 1) / 2]->at_ms > t->at_ms) {
        put_at(h, i, h->slot[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put_at(h, i, t);
}

static void sift_down(struct timer_heap *h, size_t i, struct um_timer *t)
{
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < h->n && h->slot[child + 1]->at_ms < h->slot[child]->at_ms)
            child++;
        if (child >= h->n || h->slot[child]->at_ms >= t->at_ms)
            break;
        put_at(h, i, h->slot[child]);
        i = child;
    }
    put_at(h, i, t);
}

void um_timer_stop(struct um_loop *l, struct um_timer *t)
{
    struct timer_heap *h = &l->timers;
    size_t i = t->pos;
    struct um_timer *last;

    if (i-- == 0)
        return;
    t->pos = 0;
    last = h->slot[--h->n];
    if (last == t)
        return;
    sift_down(h, i, last);
    sift_up(h, last->pos - 1, last);
}

void um_timer_set(struct um_loop *l, struct um_timer *t, int64_t delay_ms, um_timer_cb *cb, void *arg)
{
    struct timer_heap *h = &l->timers;

    um_timer_stop(l, t);
    if (h->n == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->slot = um_xrealloc(h->slot, h->cap * sizeof(*h->slot));
    }
    t->at_ms = l->now_ms + UM_MAX(delay_ms, 0);
    t->cb = cb;
    t->arg = arg;
    sift_up(h, h->n++, t);
}

int64_t um_timers_next_ms(const struct um_loop *l)
{
    return l->timers.n ? l->timers.slot[0]->at_ms : INT64_MAX;
}

void um_timers_run(struct um_loop *l)
{
    /* What was due when we began: a timer that re-arms itself with 0 runs in the next turn. */
    int64_t now = l->now_ms;
    size_t budget = l->timers.n;

    while (budget-- > 0 && l->timers.n > 0 && l->timers.slot[0]->at_ms <= now) {
        struct um_timer *t = l->timers.slot[0];
        um_timer_stop(l, t);
        t->cb(t->arg);
    }
}
