/* The native bus over Redis: one channel for all hubs, one for each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "bus_port.h"

struct redis_port {
    struct bus_port base;
    struct um_redis_link *link;
    struct um_redis_sub *all, *own;
    struct um_redis *redis;
    const struct bus_port_handler *h;
    void *arg;
    struct um_buf all_name;                  /* channels */
    unsigned live;                           /* of our two subscriptions */
};

static struct redis_port *of(const struct bus_port *p) { return UM_CONTAINER(p, struct redis_port, base); }

static void put_name(const struct redis_port *p, struct um_buf *out, uint64_t hub)
{
    char hex[17];

    snprintf(hex, sizeof(hex), "%016" PRIx64, hub);
    um_redis_key(p->redis, out, "collab", hub == BUS_TO_ALL ? "all" : hex, NULL);
}

/* ---- publishing ---- */

struct told {
    void (*done)(void *arg, um_err err, int64_t receivers);
    void *arg;
};

static void published(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct told *t = arg;

    t->done(t->arg, err, err == UM_OK && reply->kind == UM_REDIS_INTEGER ? reply->integer : 0);
    free(t);
}

static void redis_publish(struct bus_port *base, uint64_t to, struct um_span message,
                          void (*done)(void *arg, um_err err, int64_t receivers), void *arg)
{
    /* Who does not ask how many have heard it finds a loss by numbers and state vectors (bus_native.c): no answer is waited for. */
    static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT }, unanswered = { .flags = UM_REDIS_NO_ANSWER };
    struct redis_port *p = of(base);
    struct um_buf name = { 0 };
    struct um_span argv[3] = { UM_SPAN_STR("PUBLISH"), UM_SPAN(p->all_name.data, p->all_name.len), message };
    struct told *t = NULL;

    if (to != BUS_TO_ALL) {
        put_name(p, &name, to);
        argv[1] = UM_SPAN(name.data, name.len);
    }
    if (done != NULL) {
        t = um_xmalloc(sizeof(*t));
        *t = (struct told){ done, arg };
    }
    um_redis_command(p->link, t != NULL ? &at_once : &unanswered, argv, UM_COUNT(argv), t != NULL ? published : NULL, t);
    um_buf_free(&name);
}

/* ---- hearing ---- */

static void heard(void *arg, struct um_span channel, struct um_span payload)
{
    struct redis_port *p = arg;

    (void)channel;
    p->h->on_message(p->arg, payload);
}

static void became_live(void *arg, bool again)
{
    struct redis_port *p = arg;

    if (!again)
        p->live++;
    if (p->live == 2)
        p->h->on_live(p->arg);
}
static const struct um_redis_sub_handler ears = { heard, became_live };

/* A connection that was lost may have cost messages of ours, even when theirs still came in; and what another master
 * was told, others have not heard. */
static void ready(void *arg, bool is_ready)
{
    struct redis_port *p = arg;

    if (is_ready && p->live == 2)
        p->h->on_live(p->arg);
}
static void new_epoch(void *arg, uint64_t epoch)
{
    struct redis_port *p = arg;

    (void)epoch;
    ready(p, p->link != NULL && um_redis_link_is_ready(p->link));
}
static const struct um_redis_link_handler watch = { new_epoch, ready };

static bool redis_is_live(const struct bus_port *p)
{
    return of(p)->live == 2 && um_redis_link_is_ready(of(p)->link);
}

static void redis_free(struct bus_port *base)
{
    struct redis_port *p = of(base);

    um_redis_unsubscribe(p->all);
    um_redis_unsubscribe(p->own);
    um_redis_link_free(p->link);
    um_buf_free(&p->all_name);
    free(p);
}
static const struct bus_port_ops redis_ops = { .publish = redis_publish, .is_live = redis_is_live, .free = redis_free };

struct um_redis_link *bus_port_redis_link(struct bus_port *p) { return of(p)->link; }

struct bus_port *bus_port_redis(struct um_redis *r, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg)
{
    struct redis_port *p = um_xcalloc(1, sizeof(*p));
    struct um_buf own = { 0 };

    p->base.ops = &redis_ops;
    p->redis = r;
    p->h = h;
    p->arg = arg;
    put_name(p, &p->all_name, BUS_TO_ALL);
    put_name(p, &own, origin);
    p->link = um_redis_link_new(r, l, "collab", &watch, p);
    p->all = um_redis_subscribe(p->link, UM_SPAN(p->all_name.data, p->all_name.len), false, &ears, p);
    p->own = um_redis_subscribe(p->link, UM_SPAN(own.data, own.len), false, &ears, p);
    um_buf_free(&own);
    return &p->base;
}
