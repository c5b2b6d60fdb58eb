/* One HTTP request to a core, streamed both ways. All on the loop of its upstream.
 *
 * When a core cannot be reached, or breaks off before the first line of its answer is whole, the next one is asked:
 *   - always, when the connection was not made: nothing has been said;
 *   - otherwise when doing it twice is doing it once (GET, HEAD, OPTIONS, PUT, DELETE, or the caller says `repeatable`), and the
 *     body has not been begun or can be sent from its beginning again. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H
#include <proxy/upstream.h>
#include <umbel/bytes.h>

struct um_exchange;

struct um_exchange_header { const char *name, *value; };
struct um_exchange_head {                 /* borrowed during on_head */
    unsigned status;
    const struct um_exchange_header *headers;
    size_t n;
    const char *connection;               /* value of its Connection header, or NULL */
    int64_t length;                       /* Content-Length; -1: none */
};

struct um_exchange_handler {
    /* Once, before any body. May cancel. */
    void (*on_head)(void *arg, const struct um_exchange_head *head);
    /* A piece of the body. False: nothing was taken; the same piece comes again after um_exchange_resume. */
    bool (*on_data)(void *arg, struct um_span piece);
    /* Fills at most N bytes of the request body: > 0, or 0 nothing yet (um_exchange_body_ready later), -1 end. May be NULL. */
    ptrdiff_t (*read_body)(void *arg, uint8_t *out, size_t n);
    /* The body is wanted from its beginning again. False: that is not possible. May be NULL. */
    bool (*rewind_body)(void *arg);
    /* Exactly once unless cancelled; the exchange is gone after the return. UM_EUNAVAIL: no core was reached, or it broke
     * off; UM_ETIMEOUT: it stayed silent; UM_EPROTO: it did not speak HTTP. */
    void (*on_done)(void *arg, um_err err);
};

struct um_exchange_request {              /* borrowed during the call */
    const char *method;
    const char *target;                   /* path and query */
    const struct um_exchange_header *headers;
    size_t n;
    int64_t body_length;                  /* 0: no body; -1: of unknown length (chunked) */
    int64_t timeout_ms;                   /* silence of the core that ends it; 0: the upstream's */
    struct um_span key;                   /* what it belongs to, see proxy/cores.h; empty: to nothing */
    bool repeatable;                      /* doing it twice is doing it once, whatever the method */
};

/* NULL: out of memory. No callback before the return. HANDLER outlives the exchange. */
struct um_exchange *um_exchange_start(struct um_upstream *up, const struct um_exchange_request *rq,
                                      const struct um_exchange_handler *handler, void *arg);
void um_exchange_resume(struct um_exchange *x);
void um_exchange_body_ready(struct um_exchange *x);
void um_exchange_cancel(struct um_exchange *x);       /* no callback from now on; safe inside a callback; NULL is fine */

/* The same for small things: BODY is copied, the whole answer comes at once, cut off with UM_ELIMIT beyond MAX_ANSWER.
 * CB runs exactly once, later, unless cancelled; HEADERS and BODY of the answer are borrowed. */
struct um_call;
typedef void um_call_cb(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body);
struct um_call *um_call_start(struct um_upstream *up, const struct um_exchange_request *rq, struct um_span body,
                              size_t max_answer, um_call_cb *cb, void *arg);
void um_call_cancel(struct um_call *c);               /* NULL is fine */

#endif
