/* A browser's collaboration socket, from its handshake on. Joined to the cores by guest.h. The core is asked first; only when it has agreed
 * does the client get its 101, so a refusal reaches the client as plain HTTP. A tunnel lives on one reactor. */
#ifndef PROXY_TUNNEL_H
#define PROXY_TUNNEL_H
#include <proxy/client.h>
#include <proxy/guest.h>
#include <proxy/upstream.h>

struct um_tunnels;                        /* all of one reactor */
struct um_tunnel;

struct um_tunnels_conf {
    int64_t handshake_timeout_ms;         /* connecting and handshake with the core */
    int64_t max_tunnels;                  /* per reactor; beyond: 503 */
    int64_t handover_timeout_ms;          /* a document without a core waits this long at most */
};
extern const struct um_conf_table um_tunnels_conf_table;

struct um_tunnels_handler {
    /* The client of a tunnel that was opened with a session has sent something; at most once a minute and tunnel. */
    void (*used)(void *arg, const char *session_id);
    /* A token for that session, for one more core: ends in um_renewal_done (proxy/guest.h). */
    void (*renew)(void *arg, const char *session_id, struct um_renewal *r);
};
/* WS: limits of the clients' sockets; copied. HANDLER outlives the tunnels. */
struct um_tunnels *um_tunnels_new(struct um_upstream *up, const struct um_trusted *trusted, const struct um_tunnels_conf *cf,
                                  const struct um_ws_conf *ws, const struct um_tunnels_handler *handler, void *arg);
void um_tunnels_free(struct um_tunnels *ts);          /* cuts what is left; NULL is fine */
size_t um_tunnels_open(const struct um_tunnels *ts);
/* Those that are joined get a Close frame 1008; what they say from now on goes nowhere. */
void um_tunnels_close_session(struct um_tunnels *ts, const char *session_id, const char *why);
/* The session of each tunnel that has one; FN closes none. */
void um_tunnels_each_session(struct um_tunnels *ts, void (*fn)(void *arg, const char *session_id), void *arg);
/* Closes what is open with 1012, one after the other over SPREAD_MS, and takes nothing new. */
void um_tunnels_drain(struct um_tunnels *ts, int64_t spread_ms);
void um_tunnels_close_all(struct um_tunnels *ts, const char *why);

/* For the handler of a WEBSOCKET route: takes over on_gone. Lives until opened or refused. */
struct um_tunnel *um_tunnel_new(struct um_tunnels *ts, struct um_http_req *rq);
struct um_http_req *um_tunnel_request(const struct um_tunnel *t);     /* NULL when the client has left */
/* Both end the caller's hold. TOKEN: header `token` for the core, replacing the client's own credentials; NULL: those go on.
 * SESSION_ID: the tunnel ends with this session; NULL: with none. */
void um_tunnel_open(struct um_tunnel *t, const char *token, const char *session_id);
void um_tunnel_refuse(struct um_tunnel *t, unsigned status, const char *code, const char *message);

void um_tunnel_start(void);               /* registers the module's metrics; once, at start */

#endif
