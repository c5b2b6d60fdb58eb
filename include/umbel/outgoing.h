/* Calls to services outside that users or administrators name: handlers, webhooks. One per process, with a thread of its own.
 *
 * What goes out is guarded: http and https alone, no redirects, no proxies of the environment, no credentials in URLs, and the
 * address that a name resolves to is judged at the moment of connecting, so that a name that points inside does not get there:
 * loopback, private, link-local, multicast, reserved addresses and those of cloud metadata are refused unless `outgoing.allow`
 * has them. A network of that list opens what lies in it; a host name opens loopback and private addresses to that name, and
 * never link-local ones or metadata, whatever it resolves to.
 *
 * There is a time to connect, a time for the whole (waiting for a place included), a bound of the answer's bytes. Connections are
 * kept and pooled: rest.oh.pool.max.total and .max.per.route; beyond it calls wait, bounded, and routes take turns. An answer is
 * never decompressed on our asking. Secrets never reach a log: it has scheme, host and port of a URL and no more.
 *
 * A request on a kept connection that ends before the first byte of an answer is sent once more on a new one: the other side must
 * bear to hear a call twice, as it must when its answer is lost. */
#ifndef UMBEL_OUTGOING_H
#define UMBEL_OUTGOING_H
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_conf_table;
struct um_outgoing;

enum {
    UM_OUTGOING_URL_MAX = 2048,               /* bytes of a URL */
    UM_OUTGOING_HEADERS_MAX = 32,             /* headers of a call */
    UM_OUTGOING_HEADER_BYTES_MAX = 16 << 10,  /* name and value of one */
    UM_OUTGOING_BODY_MAX = 16 << 20,
    UM_OUTGOING_ANSWER_HEADERS_MAX = 100,     /* further ones are passed over */
    UM_OUTGOING_ANSWER_HEAD_MAX = 32 << 10,   /* bytes of all heads and trailers of an answer */
    UM_OUTGOING_ALLOW_MAX = 256,              /* entries of outgoing.allow */
    UM_OUTGOING_WHY_MAX = 256,
};

struct um_outgoing_conf {
    int64_t connect_ms, read_ms;              /* rest.oh.connect.timeout, rest.oh.read.timeout (the whole) */
    int64_t max_total, max_per_route;         /* rest.oh.pool.max.total, .max.per.route: calls under way at once */
    int64_t max_answer;                       /* outgoing.max-answer: bytes of a body */
    int64_t max_waiting, max_waiting_bytes;   /* outgoing.max-waiting, .max-waiting-bytes: calls without a place, and their bodies */
    const char *allow;                        /* outgoing.allow: "10.0.0.0/8, handlers.example" */
    const char *ca_file;                      /* outgoing.ca-file; "": the system's */
};
extern const struct um_conf_table um_outgoing_conf_table;

/* Starts the thread. UM_EINVAL: `allow` is not understood, WHY says where. CF is not needed afterwards. */
um_err um_outgoing_new(struct um_outgoing **out, const struct um_outgoing_conf *cf, char why[UM_OUTGOING_WHY_MAX]) UM_CHECK_RESULT;
/* Calls that are not answered yet end with UM_ECLOSED. To be freed before the loops that asked, since it posts to them. NULL is fine. */
void um_outgoing_free(struct um_outgoing *o);

/* Is URL one that may be asked, as far as its text tells? WHY: for who registers it. Any thread. */
bool um_outgoing_is_url(const struct um_outgoing *o, const char *url, char why[UM_OUTGOING_WHY_MAX]);

struct um_outgoing_header { const char *name, *value; };
struct um_outgoing_call {                     /* copied */
    const char *method, *url;                 /* GET, HEAD, POST, PUT, PATCH, DELETE */
    const struct um_outgoing_header *headers; /* none of those that frame the message: Host, Content-Length, ... */
    size_t n_headers;
    struct um_span body;
    const char *sign_secret, *sign_header;    /* HMAC-SHA-256 of the body, "sha256=<hex>", in this header; NULL: none */
    int64_t read_ms;                          /* 0: as configured */
};
struct um_outgoing_answer {                   /* borrowed during the callback */
    /* UM_OK        an answer came, whatever its status
     * UM_EINVAL    the call is malformed              } nothing was sent, and the same call
     * UM_EDENIED   the guard refuses the URL          } will not do better later
     * UM_EUNAVAIL  nothing was sent: no connection, no trust in the certificate, no place in time, or too many wait
     * UM_ETIMEOUT  sent, and no whole answer in time  }
     * UM_EIO       the connection broke               } it may have been heard
     * UM_EPROTO    what came is not HTTP              }
     * UM_ELIMIT    head or body beyond their bounds   }
     * UM_ECLOSED   um_outgoing_free, UM_ENOMEM: it may have been heard */
    um_err err;
    const char *why;                          /* "", or a sentence without secrets when ERR */
    unsigned status;
    struct um_span body;
    const struct um_outgoing_header *headers; /* of the answer, names in lower case; no trailers */
    size_t n_headers;
    int64_t us;                               /* since it was asked */
};
typedef void um_outgoing_cb(void *arg, const struct um_outgoing_answer *a);
/* Any thread. CB runs exactly once, on L, never inside the call: whatever ARG owns can be freed there. */
void um_outgoing_ask(struct um_outgoing *o, struct um_loop *l, const struct um_outgoing_call *call, um_outgoing_cb *cb, void *arg);

#endif
