/* TLS 1.2 and newer; the certificate's chain and the name are always checked. */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include "tls.h"

static um_err refuse(SSL_CTX *ctx, char why[256], const char *key, const char *file)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    snprintf(why, 256, "%s: %.120s: %.80s", key, file, reason != NULL ? reason : "cannot be read");
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return UM_EINVAL;
}

um_err redis_tls_open(SSL_CTX **out, const struct um_redis_conf *cf, bool wanted, char why[256])
{
    SSL_CTX *ctx;

    *out = NULL;
    if (!wanted)
        return UM_OK;
    ERR_clear_error();
    if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL)
        return UM_ENOMEM;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (*cf->ca_file != '\0' ? SSL_CTX_load_verify_file(ctx, cf->ca_file) != 1 : SSL_CTX_set_default_verify_paths(ctx) != 1)
        return refuse(ctx, why, "redis.ssl.ca-file", cf->ca_file);
    if (*cf->cert_file != '\0' && SSL_CTX_use_certificate_chain_file(ctx, cf->cert_file) != 1)
        return refuse(ctx, why, "redis.ssl.cert-file", cf->cert_file);
    if (*cf->key_file != '\0' && SSL_CTX_use_PrivateKey_file(ctx, cf->key_file, SSL_FILETYPE_PEM) != 1)
        return refuse(ctx, why, "redis.ssl.key-file", cf->key_file);
    *out = ctx;
    return UM_OK;
}

void redis_tls_close(SSL_CTX *ctx)
{
    SSL_CTX_free(ctx);
}

static bool is_address(const char *host)
{
    struct in6_addr a;

    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

SSL *redis_tls_new(SSL_CTX *ctx, int fd, const char *host)
{
    SSL *ssl = SSL_new(ctx);
    bool ok = ssl != NULL && SSL_set_fd(ssl, fd) == 1;

    if (ok && is_address(host)) {
        ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    } else if (ok) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        ok = SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
    }
    if (!ok) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

void redis_tls_free(SSL *ssl)
{
    if (ssl != NULL && SSL_is_init_finished(ssl))
        SSL_shutdown(ssl);                    /* one attempt to say goodbye; nobody waits for the answer */
    SSL_free(ssl);
    ERR_clear_error();
}

static enum redis_tls_wait outcome(SSL *ssl, int n)
{
    switch (SSL_get_error(ssl, n)) {
    case SSL_ERROR_NONE: return REDIS_TLS_DONE;
    case SSL_ERROR_WANT_READ: return REDIS_TLS_WANT_READ;
    case SSL_ERROR_WANT_WRITE: return REDIS_TLS_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN: return REDIS_TLS_EOF;
    default: return REDIS_TLS_FAILED;
    }
}

enum redis_tls_wait redis_tls_handshake(SSL *ssl)
{
    ERR_clear_error();
    return outcome(ssl, SSL_do_handshake(ssl));
}

enum redis_tls_wait redis_tls_read(SSL *ssl, void *data, size_t len, size_t *moved)
{
    ERR_clear_error();
    *moved = 0;
    return outcome(ssl, SSL_read_ex(ssl, data, len, moved));
}

enum redis_tls_wait redis_tls_write(SSL *ssl, const void *data, size_t len, size_t *moved)
{
    ERR_clear_error();
    *moved = 0;
    return outcome(ssl, SSL_write_ex(ssl, data, len, moved));
}

void redis_tls_why(SSL *ssl, char out[128])
{
    long verdict = SSL_get_verify_result(ssl);
    unsigned long code = ERR_peek_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    if (verdict != X509_V_OK)
        snprintf(out, 128, "TLS: %.100s", X509_verify_cert_error_string(verdict));
    else
        snprintf(out, 128, "TLS: %.100s", reason != NULL ? reason : "the handshake was broken off");
}
