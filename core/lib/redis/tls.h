/* TLS by OpenSSL, on non-blocking sockets. */
#ifndef REDIS_TLS_H
#define REDIS_TLS_H
#include <sys/types.h>
#include <umbel/redis.h>

struct ssl_ctx_st;
struct ssl_st;

/* *OUT stays NULL when CF asks for no TLS (WANTED false). UM_EINVAL with WHY: a file cannot be used. */
um_err redis_tls_open(struct ssl_ctx_st **out, const struct um_redis_conf *cf, bool wanted, char why[256]) UM_CHECK_RESULT;
void redis_tls_close(struct ssl_ctx_st *ctx);

/* A session on FD whose certificate must name HOST (a name or an address). NULL when memory is gone. */
struct ssl_st *redis_tls_new(struct ssl_ctx_st *ctx, int fd, const char *host);
void redis_tls_free(struct ssl_st *ssl);

enum redis_tls_wait { REDIS_TLS_DONE, REDIS_TLS_WANT_READ, REDIS_TLS_WANT_WRITE, REDIS_TLS_EOF, REDIS_TLS_FAILED };
enum redis_tls_wait redis_tls_handshake(struct ssl_st *ssl);
/* *MOVED: bytes read or written (DONE only). */
enum redis_tls_wait redis_tls_read(struct ssl_st *ssl, void *data, size_t len, size_t *moved);
enum redis_tls_wait redis_tls_write(struct ssl_st *ssl, const void *data, size_t len, size_t *moved);
/* Why the handshake failed, in a few words. */
void redis_tls_why(struct ssl_st *ssl, char out[128]);

#endif
