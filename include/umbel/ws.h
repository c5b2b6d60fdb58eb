/* WebSocket connections (RFC 6455) on a socket whose handshake is done, mostly as the server. No extensions. A frame for many
 * recipients is built once (um_ws_frame) and shared; what waits for a socket goes out in one write per loop turn.
 * A connection lives on one loop; all calls and callbacks are on it. */
#ifndef UMBEL_WS_H
#define UMBEL_WS_H
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_conf_table;
struct um_ws;
enum um_ws_kind { UM_WS_TEXT = 1, UM_WS_BINARY = 2 };

struct um_ws_conf {                      /* one for many connections; outlives them. Key rows in um_ws_conf_table */
    int64_t max_message;                 /* bytes, over all fragments; 1009 */
    int64_t max_fragments;               /* 1008 */
    int64_t max_queued;                  /* unsent bytes; what would exceed it closes with 1013. A lone message may be larger */
    int64_t high_queued;                 /* from here on um_ws_is_congested */
    int64_t stall_timeout_ms;            /* unsent bytes and no progress: 1013, then cut */
    int64_t ping_interval_ms, idle_timeout_ms, close_timeout_ms;
    int64_t control_rate, control_burst; /* control frames per second; 1008 */
    bool echo_enabled;                   /* for the daemon: serve /echo by um_ws_echo */
};
extern const struct um_conf_table um_ws_conf_table;

void um_ws_start(void);                  /* registers the module's metrics; once, at start */

struct um_ws_handler {
    /* A whole message; PAYLOAD is borrowed until the return. Text is valid UTF-8. */
    void (*on_message)(void *arg, enum um_ws_kind kind, struct um_span payload);
    /* The queue has fallen below high_queued again after having been above. May be NULL. */
    void (*on_drained)(void *arg);
    /* Exactly once, whatever ended it; the um_ws is gone after the return. CODE: what was sent first, by the peer or by us;
     * 1005 when the peer's Close had none, 1006 when it just broke. Does not run after um_ws_detach. */
    void (*on_close)(void *arg, unsigned code, struct um_span reason);
};

/* Takes FD (closed by us) and the early bytes (copied). HANDLER and CONF outlive the connection. No callback before the
 * return. NULL when out of memory: FD is closed. */
struct um_ws *um_ws_new(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf,
                        const struct um_ws_handler *handler, void *arg);

/* The same as the client of a server of ours: what we send is masked with zeros, so that it is not copied for that. The mask is
 * there to keep scripts in browsers from choosing the bytes that a proxy of others sees; between gateway and core stands none. */
struct um_ws *um_ws_new_client(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf,
                               const struct um_ws_handler *handler, void *arg);
void um_ws_set_handler(struct um_ws *ws, const struct um_ws_handler *handler, void *arg);     /* for what comes from now on */

/* Whole frames, built once: refs are taken per connection, the bytes are shared. Several frames may be concatenated. */
struct um_bytes *um_ws_frame(enum um_ws_kind kind, struct um_span payload);                     /* NULL: out of memory */
size_t um_ws_frame_header(uint8_t out[10], enum um_ws_kind kind, uint64_t payload_len);        /* for building in place */
struct um_bytes *um_ws_client_frame(enum um_ws_kind kind, struct um_span payload);              /* of a client's end */
void um_ws_send(struct um_ws *ws, struct um_bytes *frames);            /* takes a reference of its own; ignored after close */
void um_ws_send_message(struct um_ws *ws, enum um_ws_kind kind, struct um_span payload);

size_t um_ws_queued(const struct um_ws *ws);
bool um_ws_is_congested(const struct um_ws *ws);
int64_t um_ws_last_sent_ms(const struct um_ws *ws);        /* loop time of the last data frame queued towards the peer */
int64_t um_ws_last_heard_ms(const struct um_ws *ws);       /* any frame, pongs included */
void um_ws_pause(struct um_ws *ws, bool pause);            /* stop reading (back-pressure to the peer) */
/* Sends Close, waits for the peer's at most close_timeout, then ends TCP; on_close runs later, not inside. Repeating is harmless.
 * CODE 1005: a Close that says none. */
void um_ws_close(struct um_ws *ws, unsigned code, const char *reason);
void um_ws_abort(struct um_ws *ws);                        /* no Close frame: cut; on_close runs later, not inside */

/* Moving a connection to another loop: detach on the old one (not inside its on_message... it is safe there too: bytes that
 * follow the current message travel with it), post the parcel, attach on the new one. */
struct um_ws_parcel;
struct um_ws_parcel *um_ws_detach(struct um_ws *ws);
struct um_ws *um_ws_attach(struct um_loop *l, struct um_ws_parcel *p, const struct um_ws_handler *handler, void *arg);
void um_ws_parcel_free(struct um_ws_parcel *p);            /* closes the socket; NULL is fine */

/* The test endpoint (ws.echo.enabled): takes FD as um_ws_new does and sends every message back. */
void um_ws_echo(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf);

/* One row per open connection for administrators. */
struct um_ws_stats { uint64_t bytes_in, bytes_out, messages_in, messages_out; int64_t opened_at_ms; };
struct um_ws_stats um_ws_stats(const struct um_ws *ws);

#endif
