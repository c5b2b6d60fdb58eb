/* What a load balancer and an operator ask the gateway (platform.md 11.1). */
#ifndef GATEWAY_ACTUATOR_H
#define GATEWAY_ACTUATOR_H
#include <stdatomic.h>
#include <umbel/actuator.h>
#include <umbel/http.h>

enum { UM_VITALS_REACTORS_MAX = 256, UM_VITALS_STUCK_MS = 20000 };

struct um_cluster;
struct um_redis;

/* The process' state, shared by all reactors. */
struct um_vitals {
    _Atomic bool refuses;                 /* takes no new traffic: it starts, or it stops */
    _Atomic bool core_is_up[UM_VITALS_REACTORS_MAX];
    _Atomic int64_t beat_ms[UM_VITALS_REACTORS_MAX];     /* when each loop last turned */
    unsigned n_reactors;
    int64_t started_wall_ms;
    struct um_redis *redis;               /* NULL: redis.enabled=false */
    struct um_cluster *cluster;           /* NULL: not told of */
};
bool um_vitals_are_alive(const struct um_vitals *v);          /* every reactor turns; any thread */

struct um_cores;
struct um_gateway_health {                /* what the components look at; borrowed, outlives the actuator */
    const struct um_vitals *vitals;
    struct um_cores *cores;               /* of the reactor that is asked; NULL: not told of */
    const struct um_actuator_conf *conf;  /* NULL: everything is exposed, and no details are told */
    const struct um_conf *settings;
};
struct um_actuator *um_gateway_actuator(struct um_gateway_health *h);

#endif
