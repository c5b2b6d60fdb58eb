/* What the files of the HTTP server share: the server, a connection, a request.
 *
 * libmicrohttpd calls its access handler at the headers, for each piece of body, at the end, and again after every resume.
 * Everything that must survive between the calls stands in um_http_req. Its life:
 *
 *   HEAD --guard, route, `before`--> BODY --last piece--> WORK --reply--> DONE
 *     |                               |                    ^
 *     +---- refusal: DONE             +-- reply: the rest is swallowed, then DONE
 *
 * Invariants
 * 1. A request is freed in NOTIFY_COMPLETED and nowhere else: libmicrohttpd holds a pointer until then.
 * 2. Connections are suspended only from inside libmicrohttpd's calls, and resumed on the own loop, followed by MHD_run.
 * 3. Every state has a deadline: the header timer, the body window, the deadline of a suspended request, and
 *    libmicrohttpd's own inactivity timeout while a reply goes out. */
#ifndef UMBEL_HTTP_INT_H
#define UMBEL_HTTP_INT_H
#include <microhttpd.h>
#include <netinet/in.h>
#include <umbel/histogram.h>
#include <umbel/http.h>
#include <umbel/map.h>
#include <umbel/metrics.h>
#include "guard.h"
#include "route.h"
#include "target.h"

enum http_metric {
    HTTP_M_CONNECTIONS, HTTP_M_REQUESTS, HTTP_M_OPEN, HTTP_M_2XX, HTTP_M_3XX, HTTP_M_4XX, HTTP_M_5XX, HTTP_M_UPGRADES,
    HTTP_M_REFUSED, HTTP_M_GONE, HTTP_M_HEADER_SIZE, HTTP_M_BODY_SIZE, HTTP_M_HEADER_TIMEOUT, HTTP_M_MIN_RATE,
    HTTP_M_MAX_CONNECTIONS, HTTP_M_PER_ADDRESS, HTTP_M_DEADLINE, HTTP_M_JSON, HTTP_M_MULTIPART, HTTP_M_PROXY_HEAD, HTTP_M_N
};
extern struct um_metric http_metrics[HTTP_M_N];
static inline void http_count(enum http_metric m, int64_t n) { um_count(&http_metrics[m], n); }

enum { HTTP_TIMED_SLOTS = 128 };

struct um_http {
    struct um_loop *loop;
    struct um_http_conf cf;
    struct um_http_hooks hooks;
    void *ctx;
    struct http_router *router;
    struct MHD_Daemon *daemon;
    int listen_fd;                          /* -1 once quiesced, or when it is the door's */
    struct http_door *door;                 /* NULL: libmicrohttpd accepts by itself */
    int port;
    bool draining, closed, stopping;
    struct um_io io;                        /* libmicrohttpd's epoll */
    struct um_timer timer;
    struct um_defer run;
    size_t n_connections, n_requests;
    struct um_map addresses;                /* struct http_address by raw address; empty without max_per_address */
    struct um_list connections, requests, lingering;
    struct http_timed { const struct um_http_route *route; unsigned status; const char *method, *code; struct um_histogram *h; }
        timed[HTTP_TIMED_SLOTS];            /* series that were counted lately: timing.c */
};

struct http_address {
    struct um_span key;
    int64_t n;
};

struct http_conn {                          /* accepted .. closed */
    struct um_http *http;
    struct um_list link;
    struct http_address *address;           /* may be NULL */
    struct um_timer timer;                  /* header deadline, or the body's window */
    struct um_http_req *rq;                 /* the present one, or NULL */
    int fd;                                 /* libmicrohttpd's */
    bool over_cap;
    bool linger;                            /* ends with unread input: see linger.c */
    bool secure;
    char peer[48];
};

enum http_state { HTTP_HEAD, HTTP_BODY, HTTP_WORK, HTTP_DONE };

struct um_http_req {
    struct um_http *http;
    struct http_conn *conn;
    struct MHD_Connection *mhd;
    struct um_list link;
    enum http_state state;
    bool suspended : 1, waiting : 1, ran : 1, swallow : 1, chunked : 1, gone : 1, has_query : 1, ended : 1, close : 1, is_http11 : 1;
    const char *method;                     /* libmicrohttpd's, as are the fields */
    char *target;
    struct http_field *field;
    size_t n_fields;
    struct http_path path;
    struct http_query query;
    struct http_match match;
    char id[65];
    struct um_list memory;                  /* small strings that live as long as the request */
    void *user;
    void (*free_user)(void *user);

    int64_t began_us;
    int64_t content_length;
    uint64_t received;
    uint64_t swallow_until;                 /* 0: not known yet */
    int64_t window_end_ms;
    uint64_t window_received;               /* at the start of the present window of the minimal rate */
    struct um_buf body;
    size_t (*on_body)(void *arg, struct um_span piece);
    void (*on_end)(void *arg);
    void *body_arg;

    struct um_timer timer;                  /* while suspended */
    struct um_io watch;                     /* likewise: does the client leave? */
    int64_t deadline_ms, deadline_at_ms;
    void (*on_gone)(void *arg);
    void *gone_arg;

    struct um_buf headers;                  /* name NUL value NUL ... */
    bool has_retry_after;
    unsigned status;
    const char *code;                       /* of the error that was replied, a literal; NULL: none */
    struct MHD_Response *response;          /* ready, not queued yet */
    bool streaming;
    void (*take)(void *arg, int fd, struct um_span early);
    void *take_arg;
};

/* server.c */
void http_run_soon(struct um_http *h);      /* MHD_run within this turn */
const char *http_address_text(const struct sockaddr_storage *sa, char out[INET6_ADDRSTRLEN]);   /* NULL: no IP address */

/* request.c */
void *http_on_target(void *cls, const char *target, struct MHD_Connection *c);
enum MHD_Result http_on_access(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                               const char *data, size_t *size, void **req);
void http_on_completed(void *cls, struct MHD_Connection *c, void **req, enum MHD_RequestTerminationCode why);
void http_suspend(struct um_http_req *rq);
void http_resume(struct um_http_req *rq);   /* when it is suspended */
void http_gone(struct um_http_req *rq);     /* the client left, or the server stops */
void *http_memory(struct um_http_req *rq, size_t n);    /* lives as long as RQ */

/* body.c */
bool http_has_body(const struct um_http_req *rq);
size_t http_body_limit(const struct um_http_req *rq);
bool http_take_piece(struct um_http_req *rq, const char *data, size_t *size);   /* false: cut the connection */
void http_body_window(struct um_http_req *rq);          /* starts (again) to measure the client's rate */

/* reply.c */
void http_finish(struct um_http_req *rq, unsigned status, struct MHD_Response *response);
void http_refuse(struct um_http_req *rq, unsigned status, const char *message);

/* websocket.c. False: the refusal is replied. */
bool http_check_handshake(struct um_http_req *rq);
void http_upgrade_lost(struct um_http_req *rq);

/* timing.c */
void http_timing_start(void);
void http_timed(struct um_http_req *rq);    /* it has a reply */

/* exchanges.c */
void http_note_exchange(const struct um_http_req *rq);

/* linger.c */
void http_linger(struct um_http *h, int fd);            /* duplicates FD */
void http_linger_end(struct um_http *h);

#endif
