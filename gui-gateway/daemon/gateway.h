/* What main wires together and every reactor works with. Filled before the reactors start; from then on only what is atomic
 * changes. */
#ifndef GATEWAY_H
#define GATEWAY_H
#include <stdatomic.h>
#include <auth/answers.h>
#include <auth/core_door.h>
#include <sio/cluster.h>
#include <sio/sio.h>
#include <site.h>
#include <umbel/cachegen.h>
#include <umbel/node.h>
#include <umbel/process.h>

struct gateway_conf {                     /* the daemon's own rows */
    int64_t port;
    const char *web_dir;
    struct um_conf_list trusted_proxies;
    int64_t drain_delay_ms, drain_spread_ms;
};

struct reactor;
struct gateway {
    struct um_conf *conf;
    struct gateway_conf own;
    struct um_process_conf process;
    struct um_http_conf http;             /* its port is the real one as soon as the first reactor listens */
    struct um_http_front front;
    struct um_http_conf management;       /* of the actuator's own port, if there is one */
    struct um_actuator_conf actuator;
    struct um_token_conf token;
    struct um_sessions_conf sessions_conf;
    struct um_throttle_conf throttle_conf;
    struct um_auth_conf auth;
    struct um_upstream_conf upstream;
    struct um_tunnels_conf tunnels;
    struct um_ws_conf ws;
    struct um_site_conf site;
    struct um_sio_conf sio_conf;
    struct um_sio_cluster_conf sio_cluster_conf;
    struct um_redis_conf redis_conf;
    struct um_cluster_conf cluster_conf;
    struct um_cachegen_conf cachegen_conf;
    struct um_token_ring ring;
    struct um_trusted *trusted;
    char random_key[41];                  /* when token.key is empty */
    struct um_assets *assets;             /* NULL: no web app here */
    struct um_sessions *sessions;
    struct um_core_door *door;            /* the store's way to the database */
    struct um_throttle *throttle;
    struct um_auth_answers answers;       /* to administrators' questions */
    struct um_vitals vitals;
    struct um_reactors *reactors;
    struct um_sio *sio;                   /* NULL: sio.enabled=false */
    struct um_node *node;
    struct um_redis *redis;               /* the node's; NULL: redis.enabled=false */
    struct um_cluster *cluster;           /* the node's */
    struct um_cachegen *cachegen;         /* on the first reactor; its source is a core */
    _Atomic int64_t load[UM_VITALS_REACTORS_MAX];   /* open tunnels and requests of each reactor */
    struct reactor **r;
    unsigned n;
    _Atomic unsigned n_drained;
    _Atomic bool drained;                 /* all of them have */
};

/* Everything that the gateway has on reactor INDEX; before the reactors start. On an error *OUT can still be closed. */
um_err reactor_open(struct reactor **out, struct gateway *gw, unsigned index) UM_CHECK_RESULT;
/* From the main thread: waits server.drain-delay, accepts nothing more, lets requests end, closes WebSockets one by one, counts n_drained. */
void reactor_drain(struct reactor *r);
void reactor_close(struct reactor *r);    /* when its thread has ended; NULL is fine */

#endif
