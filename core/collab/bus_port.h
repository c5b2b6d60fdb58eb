/* The transport of the native bus, on the hub's loop. Messages go to all hubs of all cores (our own hear them too) or to
 * one. They may get lost, come twice and in another order. */
#ifndef COLLAB_BUS_PORT_H
#define COLLAB_BUS_PORT_H
#include <umbel/base.h>
#include <umbel/loop.h>

struct bus_port_handler {
    void (*on_message)(void *arg, struct um_span message);       /* borrowed */
    void (*on_live)(void *arg);              /* messages come from now on; some may have been missed before */
};
struct bus_port { const struct bus_port_ops *ops; };
enum { BUS_TO_ALL = 0 };                     /* no hub has this name */
struct bus_port_ops {
    /* DONE (may be NULL): UM_OK and how many hubs it went to, ourselves included; never before the call has returned. */
    void (*publish)(struct bus_port *p, uint64_t to, struct um_span message,
                    void (*done)(void *arg, um_err err, int64_t receivers), void *arg);
    bool (*is_live)(const struct bus_port *p);
    void (*free)(struct bus_port *p);        /* on the loop or after it; answers what waits first */
};

struct um_redis;
struct bus_port *bus_port_redis(struct um_redis *r, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg);

#endif
