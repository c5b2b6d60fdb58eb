/* Engine.IO sessions on one reactor and one path: a connection of a client, whichever transport it has just now. What an application
 * (Socket.IO, or the echo of the conformance mode) sees of them. All on the engine's loop. */
#ifndef SIO_ENGINE_H
#define SIO_ENGINE_H
#include <sio/sio.h>
#include <umbel/ws.h>

#include "out.h"

struct eio_engine;
struct eio_session;

struct eio_app {
    /* A client has come; the open packet is on its way. Returns what the other calls get. */
    void *(*on_open)(void *arg, struct eio_session *s);
    void (*on_message)(void *app, bool is_binary, struct um_span data);       /* text is valid UTF-8 */
    /* Once; S is gone after the return. REASON: "transport close", "transport error", "ping timeout", "parse error", "forced close". */
    void (*on_close)(void *app, const char *reason);
};

/* The engines of one path, one for each reactor. */
struct eio_engines {
    struct um_sio *sio;
    const struct um_sio_conf *conf;
    const struct eio_app *app;
    struct um_ws_conf ws;
    struct um_reactors *reactors;
    uint16_t member;                      /* of this gateway, in ids */
    bool ended;                           /* the threads are: nothing is posted any more */
    unsigned n;
    struct eio_engine **at;               /* by reactor */
};
struct eio_engines *eio_engines_new(struct um_sio *sio, const struct um_sio_env *env, const struct eio_app *app, void *const *args);
void eio_engines_free(struct eio_engines *e);
struct eio_engine *eio_engine_of(const struct eio_engines *e, const struct um_loop *l);
struct um_loop *eio_loop(const struct eio_engine *e);
void eio_set_ask(struct eio_engine *e, um_sio_ask *ask, void *ctx);
void eio_handle(struct eio_engine *e, struct um_http_req *rq);
void eio_handle_socket(struct eio_engine *e, struct um_http_req *rq);
size_t eio_count(const struct eio_engine *e);
/* FN for each open session that the gateway's session ID has opened; FN may close it. */
void eio_each_of(struct eio_engine *e, const char *id, void (*fn)(struct eio_session *s, void *app));
void eio_drain(struct eio_engine *e, int64_t within_ms);
void eio_stop(struct eio_engine *e);
void eio_close_forwards(struct eio_engine *e);    /* when its HTTP server is gone */

/* --- a session */
enum { EIO_VOLATILE = 1 };
void eio_send(struct eio_session *s, struct eio_out *o, unsigned flags);      /* takes a reference of its own; ignored after a close */
void eio_close(struct eio_session *s, const char *reason);        /* flushes, then ends; on_close runs before the return */
const char *eio_sid(const struct eio_session *s);
const char *eio_transport(const struct eio_session *s);           /* "polling", "websocket" */
const struct um_sio_who *eio_who(const struct eio_session *s);
struct um_span eio_handshake(const struct eio_session *s);        /* JSON without `auth` and the closing brace: {...  */

#endif
