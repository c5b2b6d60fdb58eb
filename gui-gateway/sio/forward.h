/* Polling requests for sessions of other gateways. Each reactor has its own connections to each of them. */
#ifndef SIO_FORWARD_H
#define SIO_FORWARD_H
#include "engine.h"

struct eio_forwards;
struct eio_forwards *eio_forwards_new(struct um_loop *l, const struct um_sio_env *env);
void eio_forwards_free(struct eio_forwards *f);       /* when no request waits any more; NULL is fine */

/* Sends RQ to the gateway whose ids carry MEMBER, and replies with what that says; false when there is none, or RQ has been sent on by
 * a gateway already: nothing is replied then. REPLY runs once, unless the client leaves before. STATUS 0: that gateway is gone. */
typedef void eio_forwarded(void *arg, struct um_http_req *rq, unsigned status, struct um_span body);
bool eio_forward(struct eio_forwards *f, struct um_http_req *rq, uint16_t member, int64_t timeout_ms, eio_forwarded *reply, void *arg);

#endif
