/* The HTTP/1.1 server: libmicrohttpd in external epoll mode, one daemon per reactor, all on one port
 * (SO_REUSEPORT). Requests pass the guard of docs/security.md, then one table of routes. Everything here runs
 * on the server's own loop. */
#ifndef UMBEL_HTTP_H
#define UMBEL_HTTP_H
#include <jansson.h>
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_conf_table;
struct um_http;                              /* the server of one reactor */
struct um_http_req;                          /* one request; lives until its reply is on the wire or the client left */
typedef void um_http_handler(struct um_http_req *rq, void *ctx);

enum {
    UM_HTTP_STREAM_BODY = 1,                 /* handler runs at the headers and takes the body piece by piece */
    UM_HTTP_WEBSOCKET   = 2,                 /* upgrade: handshake already checked (method, version, key, tokens). A GET
                                              * without one tries the rows after this; none: 426 */
    UM_HTTP_PUBLIC      = 4,                 /* for the daemon's own use: no credentials asked */
};

/* A route is a row. PATH: literal segments, `{name}` for one segment, a last `*` for the rest (param "*").
 * The first matching row wins; a path that matches only with other methods is 405 with Allow. METHOD "*" takes any
 * but TRACE and CONNECT. HEAD is answered by GET rows. */
struct um_http_route {
    const char *method;
    const char *path;
    um_http_handler *handler;
    unsigned flags;
    const char *role;                        /* NULL: any authenticated caller; "A|B": one of them; judged by `before` */
    const char *summary;                     /* one sentence, for the API description */
    size_t max_body;                         /* 0: the server's */
};

/* What stands before HTTP on this port. TRUSTS says whether a peer may speak for its clients; server.trusted-proxies. */
struct um_http_front {
    bool proxy_protocol, tls;
    const char *certificate, *private_key, *ciphers;
    int64_t reload_ms;                       /* how often the files are looked at */
    bool (*trusts)(void *arg, const char *peer);
    void *arg;
};
extern const struct um_conf_table um_http_front_conf_table;
/* UM_EINVAL: WHY names key, file and reason. */
um_err um_http_front_check(const struct um_http_front *f, char why[256]);

struct um_http_conf {                        /* limits: reliability.md 7.1; key rows in um_http_conf_table */
    const char *address;                     /* "127.0.0.1" */
    int64_t port;                            /* 0: a free one (first reactor picks, see um_http_port) */
    int64_t max_header_bytes, max_headers, max_query, max_body;
    int64_t header_timeout_ms, min_rate_bytes, keep_alive_ms, max_connections, max_per_address;
    int64_t deadline_ms;                     /* of a suspended request, unless um_http_deadline says otherwise */
    int64_t json_max_depth, json_max_array, json_max_string;
    const struct um_http_front *front;       /* borrowed; NULL: plain HTTP from the first byte */
};                                           /* server.port is a row of the daemon's own: its default differs */
extern const struct um_conf_table um_http_conf_table;

struct um_http_hooks {
    /* Runs before each matched handler (rights, CSRF, drain), before a body is read. False: it has replied itself, or it
     * waits for something and calls um_http_continue (or replies) later, on the same loop. May be NULL. */
    bool (*before)(struct um_http_req *rq, const struct um_http_route *route, void *ctx);
    /* No route matches; NULL: a JSON 404. */
    um_http_handler *not_found;
};

void um_http_start(void);                    /* registers the module's metrics; once, at start */
um_err um_http_new(struct um_http **out, struct um_loop *l, const struct um_http_conf *cf,
                   const struct um_http_route *routes, size_t n_routes,
                   const struct um_http_hooks *hooks, void *ctx);   /* ctx goes to handlers and hooks */
/* SO_REUSEPORT lets a second process take the same port unseen. UM_EEXIST: somebody listens there. Once, before the first
 * um_http_new. */
um_err um_http_check_port(const struct um_http_conf *cf);
int um_http_port(const struct um_http *h);
void um_http_quiesce(struct um_http *h);     /* stop accepting; connections go on, their replies say Connection: close */
void um_http_close(struct um_http *h);       /* a request that begins from now on is cut off, undone; running ones go on */
size_t um_http_open_requests(const struct um_http *h);
void um_http_free(struct um_http *h);        /* ends what is left; on its loop, or after the loop stopped */

/* --- the request: all borrowed until the reply ------------------------------------------------------ */
struct um_loop *um_http_loop(const struct um_http_req *rq);
const char *um_http_method(const struct um_http_req *rq);
/* Decoded once, dots resolved. An encoded slash or backslash is no separator: it stays %2F or %5C here (um_http_param has
 * it decoded). */
const char *um_http_path(const struct um_http_req *rq);
const char *um_http_raw_target(const struct um_http_req *rq);    /* as sent, query included; checked by the guard */
const char *um_http_param(const struct um_http_req *rq, const char *name);   /* from the path; decoded; NULL if none */
const char *um_http_param_raw(const struct um_http_req *rq, const char *name);   /* as sent: for comma lists of encoded ids */
size_t um_http_query_count(const struct um_http_req *rq, const char *name);  /* where a second one must be refused */
const char *um_http_query(const struct um_http_req *rq, const char *name);   /* decoded; NULL if absent */
void um_http_each_query(const struct um_http_req *rq, void (*fn)(void *arg, const char *name, const char *value), void *arg);
const char *um_http_header(const struct um_http_req *rq, const char *name);  /* any case; NULL if absent; the first one */
void um_http_each_header(const struct um_http_req *rq, void (*fn)(void *arg, const char *name, const char *value), void *arg);
const char *um_http_cookie(const struct um_http_req *rq, const char *name, size_t nth);  /* value as sent; NULL when there is no nth */
struct um_span um_http_body(const struct um_http_req *rq);       /* whole body (not with STREAM_BODY) */
/* Parses the body as JSON under json.* limits (depth 64, no duplicate keys); on failure replies 400/415 itself and returns NULL. Caller decrefs. */
json_t *um_http_body_json(struct um_http_req *rq);
json_t *um_http_json(struct um_http_req *rq, struct um_span text);      /* the same of a text that came in another way */
const char *um_http_peer(const struct um_http_req *rq);          /* textual address of the TCP peer, or whom its balancer names by the PROXY protocol */
bool um_http_is_secure(const struct um_http_req *rq);            /* TLS ends here, or the PROXY protocol tells of it; no header is asked */
const char *um_http_request_id(const struct um_http_req *rq);    /* X-Request-Id taken (1-64 printable characters) or made; echoed in every reply */
void um_http_set_user(struct um_http_req *rq, void *user, void (*free_fn)(void *));   /* what `before` found out */
void *um_http_user(const struct um_http_req *rq);
const struct um_http_route *um_http_matched_route(const struct um_http_req *rq);
bool um_http_wants_websocket(const struct um_http_req *rq);      /* does it ask for an upgrade to websocket? */
void um_http_continue(struct um_http_req *rq);                   /* what `before` waited for allows the handler to run */

/* --- the reply: exactly once; a handler that returns without one has suspended the request ------------ */
void um_http_add_header(struct um_http_req *rq, const char *name, const char *value);   /* copied; before the reply */
void um_http_reply(struct um_http_req *rq, unsigned status, const char *content_type, struct um_span body);   /* copied */
void um_http_reply_bytes(struct um_http_req *rq, unsigned status, const char *content_type, struct um_bytes *body); /* shared, no copy */
void um_http_reply_json(struct um_http_req *rq, unsigned status, json_t *body_adopt);
/* The error body of platform.md 6.3: timestamp, status, error, path, code (a literal), message, requestId. Retry-After: 1 with 429 and 503
 * unless set before. */
void um_http_reply_error(struct um_http_req *rq, unsigned status, const char *code, const char *message);
/* With the member `details`. */
void um_http_reply_error_with(struct um_http_req *rq, unsigned status, const char *code, const char *message, json_t *details_adopt);
/* A suspended request has its own deadline (default 30 s): at its end 503 U00503 is sent and GONE runs. */
void um_http_deadline(struct um_http_req *rq, int64_t ms);
/* FN runs at most once, if the request ends before our reply (client left, deadline, server stops); RQ is invalid afterwards. */
void um_http_on_gone(struct um_http_req *rq, void (*fn)(void *arg), void *arg);

/* Streaming reply: the server pulls. READ fills at most N bytes: > 0 bytes written, 0 nothing yet (call um_http_wake later),
 * -1 end, -2 error (connection is cut). LENGTH -1: unknown (chunked). CLOSE runs once. */
struct um_http_source {
    ptrdiff_t (*read)(void *arg, uint8_t *out, size_t n);
    void (*close)(void *arg);
    void *arg;
};
void um_http_reply_stream(struct um_http_req *rq, unsigned status, const char *content_type, int64_t length, struct um_http_source src);
void um_http_wake(struct um_http_req *rq);

/* Streaming body (STREAM_BODY routes): FN gets each piece and returns how much it took; fewer than N pauses the client
 * until um_http_body_resume. END runs once after the last piece. Set both in the handler. */
void um_http_on_body(struct um_http_req *rq, size_t (*fn)(void *arg, struct um_span piece), void (*end)(void *arg), void *arg);
void um_http_body_resume(struct um_http_req *rq);
int64_t um_http_content_length(const struct um_http_req *rq);    /* -1: none given (chunked or no body) */
bool um_http_has_body(const struct um_http_req *rq);

/* Answers 101 and hands the socket over: TAKE runs exactly once, later, on the same loop, with a descriptor of our own
 * (non-blocking, close on exec, TCP_NODELAY) and the bytes that came behind the handshake (borrowed); with -1 when the client
 * left before. PROTOCOL: the agreed sub-protocol or NULL. */
void um_http_upgrade(struct um_http_req *rq, const char *protocol,
                     void (*take)(void *arg, int fd, struct um_span early), void *arg);
/* Sec-WebSocket-Accept for KEY (RFC 6455 4.2.2): out has 29 bytes. */
void um_http_websocket_accept(const char *key, char out[29]);

const char *um_http_reason(unsigned status);

#endif
