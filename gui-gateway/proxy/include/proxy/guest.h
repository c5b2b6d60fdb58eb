/* A client's collaboration socket. Its documents live on one core or several; each has a leg to the core that the cores' hash says,
 * and when that core goes, or a better one comes, the leg goes on elsewhere while the client's socket stays (docs/states/leg.md).
 * On one loop. */
#ifndef PROXY_GUEST_H
#define PROXY_GUEST_H
#include <proxy/line.h>

struct um_guest;
struct um_renewal;

struct um_guests {                        /* what the guests of a reactor share; outlives them */
    struct um_lines lines;
    struct um_ws_conf ws;                 /* towards clients */
    int64_t handshake_timeout_ms;         /* of a further line */
    int64_t handover_timeout_ms;          /* longest search for a core for a document */
    /* A token for the session; ends in um_renewal_done, also inside the call. */
    void (*renew)(void *arg, const char *session_id, struct um_renewal *r);
    void *arg;                            /* of renew */
    size_t n_moving;                      /* legs that go elsewhere although their core is there */
};
void um_guest_start(void);                /* registers the module's metrics; once, at start */
/* UM_OK: TOKEN (copied). UM_ENOTFOUND: the session has ended, and so does the socket. Else: not now. */
void um_renewal_done(struct um_renewal *r, um_err err, const char *token);

struct um_guest_order {                   /* borrowed during the call */
    int fd;                               /* the client's; taken over */
    struct um_span early;
    struct um_line *line;                 /* the first one, open and paused; taken over */
    const char *target, *protocols;
    const char *headers;                  /* for further lines, without a session's token */
    const char *session_id;               /* NULL: none; outlives the guest */
    struct um_span room;                  /* of a y-websocket: its document; empty: documents are named in messages */
};
struct um_guest_handler {
    void (*on_heard)(void *arg);                          /* the client has said something */
    void (*on_end)(void *arg, const char *why);           /* once, unless freed before; the guest is gone after the return */
};
/* NULL: out of memory, and everything taken over is gone. No callback before the return. */
struct um_guest *um_guest_new(struct um_guests *gs, const struct um_guest_order *order, const struct um_guest_handler *handler, void *arg);
void um_guest_free(struct um_guest *g);   /* cuts; no callback; safe inside one; NULL is fine */
void um_guest_close(struct um_guest *g, unsigned code, const char *why);      /* the client gets a Close; on_end runs later */
/* Moves legs to the cores where they belong now, at most MAX_MOVING of the reactor at a time. True: there are more to move. */
bool um_guest_rebalance(struct um_guest *g, size_t max_moving);
struct um_ws_stats um_guest_stats(const struct um_guest *g);

#endif
