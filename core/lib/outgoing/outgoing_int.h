/* The parts of outgoing, as they see one another. call: what was asked, copied and checked; routes: who waits for a place; transfer:
 * a call on libcurl; answer: what came back, and its way to the loop that asked; outgoing: the thread, and the face for any thread.
 *
 * A call belongs to whom it was handed: the inbox (under its lock), then the thread, then the loop of who asked, which frees it. */
#ifndef OUTGOING_INT_H
#define OUTGOING_INT_H
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <umbel/histogram.h>
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/metrics.h>
#include <umbel/outgoing.h>
#include "allow.h"

struct route;
struct call {
    struct um_msg msg;
    struct um_list link;                 /* of the inbox, then of its route's waiting or of the active ones */
    struct um_outgoing *o;
    struct um_loop *loop;
    um_outgoing_cb *cb;
    void *arg;
    int64_t begun_us, deadline_ms;       /* monotonic */

    const char *method;                  /* a literal */
    char *url_text;
    struct url url;
    bool name_allowed;
    struct curl_slist *headers;
    uint8_t *body;
    size_t body_len;

    struct route *route;
    bool active;
    CURL *easy;
    unsigned n_tried, n_refused;         /* addresses; the guard refused so many */
    enum address_kind refused_kind;
    bool head_done;                      /* what follows in header lines are trailers */
    size_t head_bytes;
    um_err broke;                        /* why we broke the answer off */

    um_err err;
    char why[UM_OUTGOING_WHY_MAX];
    long status;
    struct um_buf answer, fields;        /* fields: name, zero, value, zero, ... */
    size_t n_fields;
    int64_t us;
};

struct um_outgoing {
    struct um_outgoing_conf cf;
    char *ca_file;
    struct allow allow;
    CURLM *multi;
    pthread_t thread;

    pthread_mutex_t lock;                /* of what follows */
    struct um_list inbox;
    bool closing;
    _Atomic int64_t n_waiting, waiting_bytes;    /* in the inbox and at routes */

    struct um_list active;               /* the thread's own from here on */
    size_t n_active;
    struct um_map routes;                /* "s host:port" -> struct route */
    struct um_list ready;                /* routes with a waiting call and a free place */
    int64_t look_ms;                     /* no call at a route is due before */
};

/* counters.c */
enum { M_ACTIVE, M_WAITING, M_DENIED, M_FAILED, M_CONNECTIONS, M_N };
extern struct um_metric outgoing_metrics[M_N];
void outgoing_count_call(const struct call *c);
static inline void count(int which, int64_t n) { um_count(&outgoing_metrics[which], n); }

/* call.c */
/* C->err and C->why when it must not be made. Only the url, the headers and the body are kept of ASKED. */
struct call *call_new(struct um_outgoing *o, const struct um_outgoing_call *asked);
void call_free(struct call *c);

/* routes.c: on the thread */
void route_enter(struct call *c);                     /* to the end of its route's line */
struct call *route_next(struct um_outgoing *o);       /* whose turn it is, its place taken; NULL: nobody's */
void route_leave(struct call *c);                     /* gives up its place, or its place in the line */
/* Calls in line whose time is over at NOW_MS go to FN, after leaving. Returns when to look again. */
int64_t routes_expire(struct um_outgoing *o, int64_t now_ms, void (*fn)(struct call *c));

/* transfer.c: on the thread */
um_err transfer_start(struct call *c) UM_CHECK_RESULT;
void transfer_end(struct call *c, CURLcode code);     /* C->err, ->why, ->status from what has happened */
void transfer_drop(struct call *c);

/* answer.c */
/* Tells who asked, and forgets the call. Any thread. */
void answer_send(struct call *c, um_err err, const char *why);
bool answer_add_field(struct call *c, const char *line, size_t n);    /* false: memory is gone */
void answer_forget_fields(struct call *c);

#endif
