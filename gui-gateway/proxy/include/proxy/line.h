/* A WebSocket to one core, from the connecting to the end. On one loop. */
#ifndef PROXY_LINE_H
#define PROXY_LINE_H
#include <proxy/handshake.h>
#include <proxy/upstream.h>
#include <umbel/ws.h>

struct um_line;
struct um_lines {                         /* what the lines of a reactor share */
    struct um_upstream *up;
    struct um_ws_conf ws;
    struct um_list leaving;               /* closed by us, and waiting for the core's word */
};
void um_lines_init(struct um_lines *ls, struct um_upstream *up, const struct um_ws_conf *ws);
void um_lines_end(struct um_lines *ls);   /* all lines that somebody has must be gone */

struct um_line_order {                    /* borrowed during the call */
    const char *target, *protocols;       /* protocols: NULL: none are offered */
    const char *headers;                  /* further ones, each with its line end */
    int64_t timeout_ms;                   /* for connecting and handshake together */
};
struct um_line_handler {                  /* never inside a call of um_line_new */
    void (*on_open)(void *arg);
    /* It did not open. STATUS: the core's own, if it gave one. The receiver frees the line. */
    void (*on_failed)(void *arg, unsigned status, const char *why);
    void (*on_message)(void *arg, enum um_ws_kind kind, struct um_span message);
    void (*on_drained)(void *arg);
    /* As um_ws; the receiver frees the line. */
    void (*on_close)(void *arg, unsigned code, struct um_span reason);
};
/* CORE is held. NULL: out of memory. What becomes of it is noted with the core. */
struct um_line *um_line_new(struct um_lines *ls, struct um_core *core, const struct um_line_order *order,
                            const struct um_line_handler *handler, void *arg);
/* CODE: of our Close, which is waited for elsewhere; 0: just cut. No callback any more; safe inside one; NULL is fine. */
void um_line_free(struct um_line *l, unsigned code, const char *why);
void um_line_set_handler(struct um_line *l, const struct um_line_handler *handler, void *arg);

struct um_core *um_line_core(const struct um_line *l);
const char *um_line_protocol(const struct um_line *l);        /* that the core has chosen; "": none */
struct um_ws *um_line_ws(const struct um_line *l);            /* NULL before it is open */

#endif
