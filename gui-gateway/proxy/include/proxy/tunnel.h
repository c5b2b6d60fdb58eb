/* WebSocket tunnels: a browser's socket joined to a socket of the core. The core is asked first; only when it has agreed
 * does the client get its 101, so a refusal reaches the client as plain HTTP. A tunnel lives on one reactor. */
#ifndef PROXY_TUNNEL_H
#define PROXY_TUNNEL_H
#include <proxy/client.h>
#include <proxy/upstream.h>

struct um_tunnels;                        /* all of one reactor */
struct um_tunnel;

struct um_tunnels_conf {
    int64_t handshake_timeout_ms;         /* connecting and handshake with the core */
    int64_t max_tunnels;                  /* per reactor; beyond: 503 */
};
extern const struct um_conf_table um_tunnels_conf_table;

/* USED: the client of a tunnel that was opened with a session has sent something; at most once a minute and tunnel. */
struct um_tunnels *um_tunnels_new(struct um_upstream *up, const struct um_trusted *trusted, const struct um_tunnels_conf *cf,
                                  void (*used)(void *arg, const char *session_id), void *arg);
void um_tunnels_free(struct um_tunnels *ts);          /* cuts what is left; NULL is fine */
size_t um_tunnels_open(const struct um_tunnels *ts);
/* Those that relay get a Close frame 1008 and end a second later at most. */
void um_tunnels_close_session(struct um_tunnels *ts, const char *session_id, const char *why);
/* The session of each tunnel that has one; FN closes none. */
void um_tunnels_each_session(struct um_tunnels *ts, void (*fn)(void *arg, const char *session_id), void *arg);
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
