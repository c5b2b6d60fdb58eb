/* Passing an HTTP request on to a core. The handler of a streaming route makes the forward at once, so that body and
 * disconnection have a place to go to; when it is known who asks, the request is sent or refused. */
#ifndef PROXY_FORWARD_H
#define PROXY_FORWARD_H
#include <proxy/client.h>
#include <proxy/upstream.h>

struct um_forward;

/* Takes over the request's body and its on_gone. Lives until sent or refused. */
struct um_forward *um_forward_new(struct um_upstream *up, const struct um_trusted *trusted, struct um_http_req *rq);
/* The request, or NULL when its client has left meanwhile. */
struct um_http_req *um_forward_request(const struct um_forward *f);
/* Both end the caller's hold. TOKEN: added as header `token`, replacing the client's own credentials; NULL: those go on. */
void um_forward_send(struct um_forward *f, const char *token);
void um_forward_refuse(struct um_forward *f, unsigned status, const char *code, const char *message);

void um_forward_start(void);              /* registers the module's metrics; once, at start */

#endif
