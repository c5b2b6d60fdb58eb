/* What a load balancer and an operator ask the gateway (platform.md 11.1). */
#ifndef GATEWAY_ACTUATOR_H
#define GATEWAY_ACTUATOR_H
#include <stdatomic.h>
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
    bool show_details;
    int64_t started_wall_ms;
    struct um_redis *redis;               /* NULL: redis.enabled=false */
    struct um_cluster *cluster;           /* NULL: not told of */
};

struct um_cores;                          /* of the reactor that is asked; NULL: not told of */
void um_actuator_index(const struct um_vitals *v, struct um_http_req *rq);     /* GET /gui/actuator */
void um_actuator_health(const struct um_vitals *v, struct um_cores *cores, struct um_http_req *rq);    /* GET /gui/actuator/health and below */
void um_actuator_status(const struct um_vitals *v, struct um_http_req *rq);    /* GET /gui/actuator/status */
void um_actuator_info(const struct um_vitals *v, struct um_http_req *rq);      /* GET /gui/actuator/info */

#endif
