/* Who really asks: the address and scheme behind the proxies that we trust. Headers set by anybody else mean nothing. */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H
#include <umbel/base.h>
#include <umbel/http.h>

struct um_trusted;                        /* parsed server.trusted-proxies; immutable, shared by all reactors */

/* ITEMS: addresses or address/prefix. UM_EINVAL: *BAD is the first that is neither. */
um_err um_trusted_new(struct um_trusted **out, const char *const *items, size_t n, const char **bad) UM_CHECK_RESULT;
void um_trusted_free(struct um_trusted *t);        /* NULL is fine */
bool um_trusted_has(const struct um_trusted *t, const char *address);

struct um_client {
    char address[46];
    bool secure;                          /* the client speaks TLS, to us or to the first trusted proxy */
};
/* PEER: address of the TCP peer. FORWARDED_FOR, FORWARDED_PROTO: header values or NULL; read only when PEER is trusted.
 * The client is the last address in the list that is not a trusted proxy. */
void um_client_resolve(const struct um_trusted *t, const char *peer, const char *forwarded_for, const char *forwarded_proto,
                       struct um_client *out);
void um_client_of(const struct um_trusted *t, const struct um_http_req *rq, struct um_client *out);

#endif
