/* Which headers travel. A request is written anew for the next hop: what belongs to one connection stays behind, and so
 * does what only a proxy of ours may say (reliability.md 7.2, SEC-09). */
#ifndef PROXY_HOP_H
#define PROXY_HOP_H
#include <proxy/client.h>
#include <proxy/exchange.h>

/* Does the header NAME of a request go on to the core? CONNECTION: value of its Connection header or NULL.
 * OWN_CREDENTIALS: the client speaks for itself, so its token and Authorization go on. */
bool um_hop_request_keeps(const char *name, const char *connection, bool own_credentials);
/* Does the header NAME of the core's answer go on to the client? */
bool um_hop_response_keeps(const char *name, const char *connection);
/* GET, HEAD, OPTIONS, PUT, DELETE: doing it twice is doing it once. */
bool um_hop_is_idempotent(const char *method);

/* The headers of RQ as the core gets them: those that travel, TOKEN (or, with NULL, the client's own credentials), request id
 * and our own X-Forwarded-*. Borrows from RQ and TOKEN. UM_ELIMIT: more than fit. */
enum { UM_HOP_HEADERS_MAX = 128 };
struct um_hop_headers {
    struct um_exchange_header items[UM_HOP_HEADERS_MAX];
    size_t n;
    struct um_client client;
};
um_err um_hop_request_headers(struct um_hop_headers *out, const struct um_http_req *rq, const struct um_trusted *trusted,
                              const char *token) UM_CHECK_RESULT;

#endif
