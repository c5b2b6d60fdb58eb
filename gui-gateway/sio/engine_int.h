/* What the files of Engine.IO share.
 *
 *   OPEN --eio_close, the client left, a deadline, a broken rule--> DEAD      (WebSocket: the Close frame follows what is queued)
 *     |                                                               ^
 *     +-- eio_close on polling --> CLOSING --the next GET got `1`, 30 s+
 *
 * Invariants
 * 1. A session lives on one engine; its id names it. Requests that arrive elsewhere travel as a call, and their sockets as a parcel.
 * 2. A call is answered exactly once, by the engine that owns the session; the engine where it arrived replies.
 * 3. on_close runs when OPEN is left; memory is freed in the reap step, so callers on the stack may look at the state. */
#ifndef SIO_ENGINE_INT_H
#define SIO_ENGINE_INT_H
#include <umbel/map.h>
#include <umbel/metrics.h>

#include "engine.h"
#include "ids.h"

enum eio_state { EIO_IS_OPEN, EIO_IS_CLOSING, EIO_IS_DEAD };
enum { EIO_NOOP_MS = 100, EIO_LAST_POLL_MS = 30000 };

struct eio_engine {
    struct eio_engines *all;
    unsigned index;
    struct um_loop *loop;
    void *arg;                            /* the application's */
    um_sio_ask *ask;
    void *ask_ctx;
    struct eio_forwards *forwards;        /* NULL: there are no other gateways */
    struct um_map by_sid;
    struct um_list sessions, wires;
    size_t n;
    bool draining, stopped;
    struct um_timer drain;
    int64_t drain_step_ms;
    size_t drain_batch;
};

struct eio_who { struct um_sio_who is; void *memory; };

struct eio_session {
    struct eio_engine *engine;
    struct um_list link;
    char sid[SIO_ID_LEN + 1];
    uint8_t state;
    void *app;
    struct eio_wire *wire;                /* the transport, when it is a WebSocket */
    struct eio_wire *probe;               /* one that would become it */
    struct eio_call *get;                 /* polling: the pending GET */
    struct um_timer timer;
    struct um_defer defer;                /* answer the GET; DEAD: free */
    int64_t ping_at_ms;                   /* next ping */
    int64_t pong_by_ms;                   /* 0: none is awaited */
    int64_t noop_at_ms, upgrade_by_ms;    /* while there is a probe; 0: not yet */
    int64_t closing_by_ms;
    struct eio_out **queue;               /* polling */
    uint32_t n_queued, cap;
    size_t queued_bytes;
    struct um_bytes *handshake;
    struct eio_who *who;                  /* NULL: nobody */
};

/* One polling request, or one question whether a WebSocket is welcome. */
enum eio_method { EIO_GET, EIO_POST, EIO_ASK_SOCKET, EIO_OTHER };
struct eio_call {
    struct um_msg msg;                    /* there, then back */
    _Atomic uint32_t refs;
    struct eio_engine *home, *owner;
    struct um_http_req *rq;               /* home's; NULL: the client has left */
    char sid[SIO_ID_LEN + 1];
    enum eio_method method;
    bool is_octets;
    struct um_bytes *body;                /* of a POST */
    unsigned status;                      /* the answer */
    const char *type;
    struct um_bytes *answer;              /* NULL: empty */
};
void eio_call_answer(struct eio_call *c, unsigned status, const char *type, struct um_bytes *answer_adopt);
void eio_call_error(struct eio_call *c, int code);

/* A WebSocket of a client. It outlives its session by the time of its close. */
enum eio_wire_state { EIO_WIRE_NEW, EIO_WIRE_PROBED, EIO_WIRE_TRANSPORT };
struct eio_wire {
    struct um_list link;
    struct eio_engine *engine;
    struct eio_session *session;          /* NULL: ended, it only closes */
    struct um_ws *ws;
    uint8_t state;
};

enum eio_metric {
    SIO_M_OPEN, SIO_M_OPENED, SIO_M_POLLING, SIO_M_UPGRADED, SIO_M_MOVED, SIO_M_FORWARDED, SIO_M_IN, SIO_M_OUT, SIO_M_REFUSED, SIO_M_PING_TIMEOUT, SIO_M_BAD,
    SIO_M_OVERFLOW, SIO_M_VOLATILE, SIO_M_SOCKETS, SIO_M_EVENTS_IN, SIO_M_BROADCASTS, SIO_M_LIMIT_NAMESPACES, SIO_M_LIMIT_NAME,
    SIO_M_LIMIT_ACKS, SIO_M_CONNECT_TIMEOUT, SIO_M_CONNECT_REFUSED, SIO_M_RECOVERED, SIO_M_N
};
extern struct um_metric sio_metrics[SIO_M_N];
static inline void sio_count(enum eio_metric m, int64_t n) { um_count(&sio_metrics[m], n); }

/* engine.c */
struct eio_session *eio_session_new(struct eio_engine *e, struct um_http_req *rq, struct eio_who *who_adopt);   /* NULL: out of memory */
struct eio_session *eio_find(struct eio_engine *e, const char *sid);    /* one whose deadline has passed is gone */
void eio_open_packet(const struct eio_session *s, bool polling, struct um_buf *out);
void eio_opened(struct eio_session *s);                     /* tells the application */
void eio_end(struct eio_session *s, const char *reason);    /* the transport is gone, or to be cut */
void eio_arm(struct eio_session *s);
/* A packet of the client, on the present transport. False: the session is not open any more. */
struct eio_packet;
bool eio_take(struct eio_session *s, const struct eio_packet *p);

/* poll.c */
void eio_poll(struct eio_call *c);                          /* C is at its owner */
void eio_poll_gone(struct eio_call *c);
void eio_answer_get(struct eio_session *s, const char *last);    /* with all that waits; LAST: a packet after it, or NULL */
void eio_flush(void *session);
void eio_flush_soon(struct eio_session *s);
void eio_drop_queue(struct eio_session *s);
void eio_send_call(struct eio_call *c);                     /* to its owner */

/* wire.c */
struct eio_wire *eio_wire_new(struct eio_engine *e, int fd, struct um_span early);
void eio_wire_take(struct eio_wire *w, struct eio_session *s);      /* W is the transport from now on */
void eio_wire_close(struct eio_wire *w);                    /* its session has ended, or does not want it */
/* A socket that came with SID: becomes its probe, or is closed. On the owner's loop. */
void eio_wire_arrive(struct eio_engine *e, const char *sid, int fd, struct um_span early);

/* http.c */
void eio_reply(struct eio_call *c);                         /* C is home again */

#endif
