/* The transport of the native bus, on the hub's loop. Messages go to all hubs of all cores (our own hear them too) or to
 * one. They may get lost, come twice and in another order.
 *
 * A port with a tail (bus_streams.c) keeps updates until the store has them, for cores that open a document later. */
#ifndef COLLAB_BUS_PORT_H
#define COLLAB_BUS_PORT_H
#include <umbel/base.h>
#include <umbel/loop.h>

struct bus_port_handler {
    void (*on_message)(void *arg, struct um_span message);       /* borrowed */
    void (*on_live)(void *arg);              /* messages come from now on; some may have been missed before */
    /* Of ports with a tail: DOCUMENT has an update of the hub ORIGIN of which nobody has said for long that it is stored. True:
     * we have stored it ourselves. */
    bool (*on_orphan)(void *arg, struct um_span document, uint64_t origin);
    bool (*hurries)(void *arg);              /* does anybody here wait for what others say? NULL: yes */
};
struct bus_port { const struct bus_port_ops *ops; };
enum { BUS_TO_ALL = 0 };                     /* no hub has this name */
struct bus_port_ops {
    /* DONE (may be NULL): UM_OK and how many hubs it went to, ourselves included; never before the call has returned. */
    void (*publish)(struct bus_port *p, uint64_t to, struct um_span message,
                    void (*done)(void *arg, um_err err, int64_t receivers), void *arg);
    bool (*is_live)(const struct bus_port *p);
    void (*free)(struct bus_port *p);        /* on the loop or after it; answers what waits first */
    /* A port with a tail; NULL in others. `append`: an UPDATE of DOCUMENT, to all hubs that have such documents. `replay`: those
     * that the tail has, oldest first, each with the number up to which its speaker has stored. False: some may be missing. */
    void (*append)(struct bus_port *p, struct um_span document, struct um_span message);
    bool (*replay)(struct bus_port *p, struct um_span document, void (*fn)(void *arg, struct um_span message, uint64_t stored), void *arg);
};

struct um_redis;
struct um_redis_link;
struct bus_port *bus_port_redis(struct um_redis *r, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg);
struct um_redis_link *bus_port_redis_link(struct bus_port *p);   /* of such a port */
/* With streams beside it. INDEX of COUNT: which of this core's hubs; their documents are those whose hash modulo COUNT is INDEX. */
struct bus_port *bus_port_streams(struct um_redis *r, struct um_loop *l, uint64_t origin, unsigned index, unsigned count,
                                  const struct bus_port_handler *h, void *arg);

#endif
