/* Who is behind a request of a browser: sessions, login and logout, and the passage of requests to the cores in the name of
 * a session. One um_auth per reactor; what they share is immutable or has its own lock. */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H
#include <proxy/client.h>
#include <proxy/tunnel.h>
#include <proxy/upstream.h>
#include <umbel/conf.h>
#include <umbel/http.h>
#include <umbel/session.h>
#include <umbel/throttle.h>
#include <umbel/token.h>

enum um_cookie_secure { UM_COOKIE_SECURE_AUTO, UM_COOKIE_SECURE_ALWAYS, UM_COOKIE_SECURE_NEVER };

struct um_auth_conf {
    const char *cookie_name, *cookie_path, *cookie_domain;
    int cookie_secure;                    /* enum um_cookie_secure */
    int cookie_same_site;                 /* Lax, Strict, None */
    bool cookie_http_only;
    int64_t cookie_max_age_s;             /* 0: until the browser closes */
    struct um_conf_list allowed_origins;  /* beside the gateway's own */
    const char *scope;                    /* scope of a login that names none */
    bool offers_password_change;          /* to users of a scope, in the pages */
};
extern const struct um_conf_table um_auth_conf_table;

struct um_actuator_conf;
struct um_auth_env {                      /* borrowed; all outlive the um_auth */
    struct um_loop *loop;
    const struct um_auth_conf *conf;
    const struct um_token_ring *ring;
    const struct um_trusted *trusted;
    struct um_sessions *sessions;
    struct um_throttle *throttle;
    struct um_upstream *upstream;
    const struct um_tunnels_conf *tunnels;
    const struct um_ws_conf *ws;          /* limits of collaboration sockets */
    const struct um_actuator_conf *actuator;     /* its own user; NULL: none */
};
struct um_auth;
void um_auth_start(void);                 /* registers the module's metrics; once, at start */
struct um_auth *um_auth_new(const struct um_auth_env *env);          /* before threads start: it listens for ends of sessions */
void um_auth_drain(struct um_auth *a, int64_t spread_ms);     /* as um_tunnels_drain; on its loop */
void um_auth_stop(struct um_auth *a);     /* cuts its tunnels; on its loop */
void um_auth_free(struct um_auth *a);     /* NULL is fine */
size_t um_auth_tunnels(const struct um_auth *a);

/* A token with which the gateway speaks to a core for itself, on behalf of CLIENT_ADDRESS (or NULL). Appends. Any thread. */
um_err um_auth_gateway_token(const struct um_token_ring *ring, const char *client_address, struct um_buf *out) UM_CHECK_RESULT;

/* Handlers. */
void um_auth_show_session(struct um_auth *a, struct um_http_req *rq);     /* GET    /gui/rest/session */
void um_auth_login(struct um_auth *a, struct um_http_req *rq);            /* POST   /gui/rest/session */
void um_auth_logout(struct um_auth *a, struct um_http_req *rq);           /* DELETE /gui/rest/session */
void um_auth_list_sessions(struct um_auth *a, struct um_http_req *rq);    /* GET    /gui/rest/session/list */
void um_auth_end_session(struct um_auth *a, struct um_http_req *rq);      /* DELETE /gui/rest/session/{id} */
void um_auth_list_reservations(struct um_auth *a, struct um_http_req *rq);  /* GET /gui/rest/session/reservations */
/* Sessions, for administrators. MEMBER NULL: /gui/actuator/sessions?username= and /{id}, as Spring answers. Else the gateway's id: it
 * answers /core/rest/admin/sessions?user= and /{id} itself, as a core would for all gateways. */
void um_auth_admin_list(struct um_auth *a, struct um_http_req *rq, const char *member);       /* GET */
void um_auth_admin_end_all(struct um_auth *a, struct um_http_req *rq, const char *member);    /* DELETE */
void um_auth_admin_show(struct um_auth *a, struct um_http_req *rq);                           /* GET    /{id} */
void um_auth_admin_end(struct um_auth *a, struct um_http_req *rq, const char *member);        /* DELETE /{id} */
void um_auth_forward(struct um_auth *a, struct um_http_req *rq);          /* any    /core/...  (STREAM_BODY) */
void um_auth_tunnel(struct um_auth *a, struct um_http_req *rq);           /* /collab, /y/...  (WEBSOCKET) */

/* Whose connection RQ opens, for what lives in this process. CB runs exactly once, at once or later, whether RQ has ended meanwhile or
 * not. UM_OK: the session; UM_ENOTFOUND: none; UM_EDENIED: one, but the request comes from a foreign origin (SEC-04); UM_EUNAVAIL. */
void um_auth_find_caller(struct um_auth *a, const struct um_http_req *rq, um_session_cb *cb, void *arg);

#endif
