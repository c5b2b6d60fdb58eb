/* One WebSocket connection, as ws.c (life), input.c (reading) and output.c (writing) share it.
 *
 *   OPEN --um_ws_close--> CLOSING --peer's Close-----------------> ENDING --all sent--> LINGER --eof--> DEAD
 *     |                      |                                       ^                    (half-closed)  ^
 *     +--peer's Close, a broken rule, an overfull queue (we send Close)                                   |
 *     +---------- abort, i/o error, eof, nothing heard; in the other states the close timeout -----------+
 *
 * Invariants
 * 1. Nothing is queued behind a Close frame.
 * 2. on_close runs in the reap step of the turn that led to DEAD, never on the stack of a caller.
 * 3. An idle connection owns this struct and its descriptor, no buffer.
 * 4. Memory for a message follows what has arrived (see grow_message), never what a header promises. */
#ifndef UMBEL_WS_CONN_H
#define UMBEL_WS_CONN_H
#include <umbel/metrics.h>
#include <umbel/ws.h>
#include "frame.h"

#define WS_STATES(X) X(OPEN) X(CLOSING) X(ENDING) X(LINGER) X(DEAD)
enum ws_state {
#define X(s) WS_##s,
    WS_STATES(X)
#undef X
    WS_STATE_N
};

enum { WS_QUEUE_MAX_ENTRIES = 65536 };      /* references are memory too; reached only by a peer that reads nothing */

/* What is being read in this call; on the stack. It outlives the um_ws when a callback detaches that. */
struct ws_cursor {
    uint8_t *p, *end;
    bool detached;
};

struct um_ws {
    struct um_loop *loop;
    const struct um_ws_conf *cf;
    const struct um_ws_handler *handler;
    void *arg;
    struct um_io io;
    struct um_timer timer;
    struct um_defer defer;                  /* flush; once DEAD: reap */
    struct ws_cursor *cursor;               /* NULL outside of reading */

    /* Output: references, the first partly sent. Capacity 1 needs no ring. */
    union { struct um_bytes *one, **ring; } q;
    uint32_t q_head, q_n, q_cap;
    uint32_t raw_len;
    size_t q_done;                          /* bytes of the first entry that are sent */
    size_t queued;                          /* bytes that are not */

    /* Input: bytes not looked at yet (an incomplete header or control frame; more only after a pause, a move or with the
     * handshake), and the payload so far of a message that has not arrived whole. */
    uint8_t *raw;
    uint8_t *msg;
    size_t msg_len, msg_cap;
    uint64_t frame_left;                    /* payload bytes of the present data frame that are still to come */
    uint32_t mask;
    uint32_t utf8;
    uint32_t fragments;
    uint8_t kind;                           /* of the message under way; 0: none */
    uint8_t state;
    bool in_frame : 1, fin : 1, raw_ready : 1, paused : 1, above_high : 1;
    bool is_client : 1;                     /* our end is the client's: we mask, the peer does not */

    union {
        int64_t pinged_at_ms;               /* OPEN */
        int64_t since_ms;                   /* later states: entered at */
    };
    int64_t heard_at_ms, sent_at_ms;
    int64_t progress_at_ms;                 /* last byte that the socket took, or the first one queued */
    int64_t control_at_us;                  /* when the budget of control frames is whole again */
    struct um_ws_stats stats;
    char *reason;                           /* for on_close; may be NULL */
    uint16_t code;                          /* for on_close; 0: it just broke */
    uint8_t reason_len;
};
_Static_assert(sizeof(struct um_ws) <= 320, "ten thousand idle sockets are the usual case");

enum ws_metric {
    WS_M_OPEN, WS_M_OPENED, WS_M_BYTES_IN, WS_M_BYTES_OUT, WS_M_MESSAGES_IN, WS_M_FRAMES_OUT, WS_M_WRITES,
    WS_M_PROTOCOL, WS_M_UTF8, WS_M_TOO_BIG, WS_M_TOO_MANY_FRAGMENTS, WS_M_CONTROL_FLOOD, WS_M_OVERFLOW, WS_M_STALLED,
    WS_M_IDLE, WS_M_MOVED, WS_M_N
};
extern struct um_metric ws_metrics[WS_M_N];
static inline void ws_count(enum ws_metric m, int64_t n) { um_count(&ws_metrics[m], n); }

/* ws.c */
void ws_go(struct um_ws *ws, enum ws_state to, const char *why);
void ws_die(struct um_ws *ws, const char *why);                         /* cut; on_close comes in the reap step */
void ws_end(struct um_ws *ws, unsigned code, const char *why);          /* Close frame of ours, then half-close */
void ws_end_by_peer(struct um_ws *ws, struct um_span close_payload);    /* a valid Close frame came */
void ws_watch(struct um_ws *ws);                                        /* descriptor events that the state wants */
void ws_arm(struct um_ws *ws);                                          /* timer for what is due next */

/* input.c */
void ws_read(struct um_ws *ws);
void ws_read_raw(struct um_ws *ws);                                     /* what ws->raw holds */
bool ws_keep_raw(struct um_ws *ws, const uint8_t *p, size_t n);
void ws_free_input(struct um_ws *ws);

/* output.c */
bool ws_queue(struct um_ws *ws, struct um_bytes *b);                    /* takes the caller's reference, also when it fails */
void ws_flush(void *arg);
void ws_flush_soon(struct um_ws *ws);
void ws_drop_unsent(struct um_ws *ws);                                  /* all but what is partly on the wire */
void ws_free_output(struct um_ws *ws);
void ws_stalled(struct um_ws *ws);                                      /* nothing moves: 1013 */

#endif
