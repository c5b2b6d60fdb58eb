/* The head that a balancer writes before the first byte of a connection, to tell whose it is: the PROXY protocol, version 1
 * (a line of text) and 2 (binary), as in HAProxy's proxy-protocol.txt. Pure. */
#ifndef UMBEL_HTTP_PROXY_HEAD_H
#define UMBEL_HTTP_PROXY_HEAD_H
#include <netinet/in.h>
#include <umbel/base.h>

enum { HTTP_PROXY_HEAD_MAX = 2048 };         /* with all its optional parts; a longer one is refused */

struct http_proxy_head {
    size_t bytes;                            /* its length */
    bool has_client;                         /* false: the balancer speaks for itself (LOCAL, UNKNOWN), as its checks do */
    bool secure;                             /* the client speaks TLS to the balancer (version 2 alone can tell) */
    struct sockaddr_in6 client;              /* sockaddr_in when its family says so */
};
enum http_proxy_verdict { HTTP_PROXY_MORE, HTTP_PROXY_DONE, HTTP_PROXY_BAD };

/* HEAD: what has come so far, from the first byte. */
enum http_proxy_verdict http_proxy_read(struct um_span head, struct http_proxy_head *out);

#endif
