/* The Socket.IO server of a gateway (Engine.IO 4, Socket.IO 5): one per process, with a part on each reactor. Namespaces are added before
 * the reactors run (sio/app.h). */
#ifndef SIO_SIO_H
#define SIO_SIO_H
#include <sio/adapter.h>
#include <umbel/conf.h>
#include <umbel/http.h>

struct um_sio_conf {
    bool enabled;
    const char *path;                     /* "/socket.io/" */
    int64_t ping_interval_ms, ping_timeout_ms, upgrade_timeout_ms, connect_timeout_ms;
    int64_t max_payload;                  /* maxHttpBufferSize */
    int64_t max_queued, high_queued, max_queued_packets;
    int64_t max_namespaces, max_event_name, max_pending_acks;
    bool allow_upgrades, allow_anonymous;
    struct um_conf_list cors_origins;
    bool cors_credentials;
    const char *cookie;                   /* name of the cookie with the session id; "": none */
    int64_t recovery_ms;                  /* 0: no recovery */
    int64_t drain_ms;
    bool conformance, lab;
};
extern const struct um_conf_table um_sio_conf_table;

struct um_cluster;
struct um_upstream_conf;

/* Who a client is: found out at its handshake. All NULL or 0: nobody. */
struct um_sio_who {
    const char *user, *scope;
    const char *session;                  /* id of the gateway's session */
    struct um_span profiles, groups;      /* JSON arrays of strings */
};

struct um_sio_env {                       /* borrowed; all outlive the server */
    const struct um_sio_conf *conf;
    struct um_reactors *reactors;
    const char *member;                   /* this gateway's id */
    struct um_cluster *cluster;           /* tells of other gateways; with `upstream` the way to them. NULL: alone */
    const struct um_upstream_conf *upstream;
    const struct um_sio_adapter *adapter;
    void *adapter_state;
};
void um_sio_start(void);                  /* registers the module's metrics; once, at start */
um_err um_sio_new(struct um_sio **out, const struct um_sio_env *env) UM_CHECK_RESULT;
um_err um_sio_open(struct um_sio *s) UM_CHECK_RESULT;       /* when the namespaces are added; before the reactors run */

/* What asks who a client is, on its reactor. CB runs exactly once, now or later, unless the request has ended: UM_OK and who it is,
 * or nobody; UM_EDENIED: it may not come in (WHY: a sentence); UM_EUNAVAIL: not known now. */
typedef void um_sio_who_cb(void *arg, um_err err, const struct um_sio_who *who, const char *why);
typedef void um_sio_ask(void *ctx, struct um_http_req *rq, um_sio_who_cb *cb, void *arg);
void um_sio_set_ask(struct um_sio *s, unsigned reactor, um_sio_ask *ask, void *ctx);    /* none: all are nobody */

/* Handlers of routes, on the reactor of the request. */
bool um_sio_serves_echo(const struct um_sio *s);             /* /engine.io/ of the conformance mode */
void um_sio_handle(struct um_sio *s, struct um_http_req *rq);            /* polling, and preflights */
void um_sio_handle_socket(struct um_sio *s, struct um_http_req *rq);     /* WebSockets */
void um_sio_handle_echo(struct um_sio *s, struct um_http_req *rq);
void um_sio_handle_echo_socket(struct um_sio *s, struct um_http_req *rq);

size_t um_sio_clients(const struct um_sio *s, unsigned reactor);          /* open sessions; on that reactor */
/* The gateway's session ID has ended, or has another id now (RENAMED): the clients that it opened on REACTOR are sent away; with another id
 * they may come back. On its loop. */
void um_sio_end_session(struct um_sio *s, unsigned reactor, const char *id, bool renamed);
/* Takes no new session on REACTOR, and closes those that are open, spread over sio.drain-time: clients come back elsewhere. */
void um_sio_drain(struct um_sio *s, unsigned reactor);
void um_sio_stop(struct um_sio *s, unsigned reactor);        /* what is left is cut; on its loop */
void um_sio_close(struct um_sio *s, unsigned reactor);       /* when its HTTP server is gone */
void um_sio_settle(struct um_sio *s);     /* the threads have ended: nothing is posted any more, and the adapter is freed */
void um_sio_free(struct um_sio *s);       /* after the loops are freed; NULL is fine */

#endif
