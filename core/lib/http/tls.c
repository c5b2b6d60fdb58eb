/* See tls.h. TLS 1.2 and newer; HTTP/1.1 is the one protocol that is agreed on. */
#include "tls.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <umbel/log.h>

static const unsigned char http11[] = { 8, 'h', 't', 't', 'p', '/', '1', '.', '1' };

static int agree(SSL *ssl, const unsigned char **out, unsigned char *len, const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto((unsigned char **)(uintptr_t)out, len, http11, sizeof(http11), in, in_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    return SSL_TLSEXT_ERR_OK;
}

/* An encrypted key would have the library ask at the terminal. */
static int no_password(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static um_err refuse(SSL_CTX *ctx, char why[256], const char *key, const char *file)
{
    unsigned long code = ERR_get_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;

    snprintf(why, 256, "%s: %.120s: %.80s", key, file, reason != NULL ? reason : "cannot be read");
    ERR_clear_error();
    SSL_CTX_free(ctx);
    return UM_EINVAL;
}

static um_err read_files(SSL_CTX **out, const struct um_http_front *f, char why[256])
{
    SSL_CTX *ctx;

    ERR_clear_error();
    if ((ctx = SSL_CTX_new(TLS_server_method())) == NULL)
        return UM_ENOMEM;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_default_passwd_cb(ctx, no_password);
    SSL_CTX_set_alpn_select_cb(ctx, agree, NULL);
    if (f->ciphers[0] != '\0' && SSL_CTX_set_cipher_list(ctx, f->ciphers) != 1)
        return refuse(ctx, why, "server.ssl.ciphers", f->ciphers);
    if (SSL_CTX_use_certificate_chain_file(ctx, f->certificate) != 1)
        return refuse(ctx, why, "server.ssl.certificate", f->certificate);
    if (SSL_CTX_use_PrivateKey_file(ctx, f->private_key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
        return refuse(ctx, why, "server.ssl.certificate-private-key", f->private_key);
    *out = ctx;
    return UM_OK;
}

static void note_files(struct http_tls *t)
{
    if (stat(t->front->certificate, &t->certificate) != 0)
        t->certificate = (struct stat){ 0 };
    if (stat(t->front->private_key, &t->key) != 0)
        t->key = (struct stat){ 0 };
}

um_err http_tls_open(struct http_tls *t, const struct um_http_front *front, char why[256])
{
    *t = (struct http_tls){ .front = front };
    note_files(t);
    return read_files(&t->ctx, front, why);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void http_tls_refresh(struct http_tls *t)
{
    struct stat certificate = t->certificate, key = t->key;
    SSL_CTX *ctx = NULL;
    char why[256];

    note_files(t);
    if (is_same(&certificate, &t->certificate) && is_same(&key, &t->key))
        return;
    if (read_files(&ctx, t->front, why) != UM_OK) {       /* half of a pair may have come: the next look finds the other one */
        um_log(UM_ERROR, "http", "certificate-refused", UM_S("reason", why));
        return;
    }
    SSL_CTX_free(t->ctx);
    t->ctx = ctx;
    um_log(UM_INFO, "http", "certificate-read", UM_S("file", t->front->certificate));
}

SSL *http_tls_accept(struct http_tls *t, int fd)
{
    SSL *ssl = SSL_new(t->ctx);

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return ssl;
}

void http_tls_close(struct http_tls *t)
{
    SSL_CTX_free(t->ctx);
    t->ctx = NULL;
}
