/* The server's certificate, and TLS sessions that begin with it. */
#ifndef UMBEL_HTTP_TLS_H
#define UMBEL_HTTP_TLS_H
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <umbel/http.h>

struct http_tls {
    const struct um_http_front *front;
    SSL_CTX *ctx;                            /* sessions hold a reference of their own */
    struct stat certificate, key;            /* as they were when they were read, or last tried */
};

/* UM_EINVAL: WHY names key, file and reason. */
um_err http_tls_open(struct http_tls *t, const struct um_http_front *front, char why[256]) UM_CHECK_RESULT;
/* Has a file changed? Then new sessions begin with what it holds now. What cannot be used is logged, and the old one goes on. */
void http_tls_refresh(struct http_tls *t);
SSL *http_tls_accept(struct http_tls *t, int fd);        /* NULL: out of memory */
void http_tls_close(struct http_tls *t);

#endif
