#include "server.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
    X509 *x = X509_new();
    X509_NAME *subject = X509_get_subject_name(x);
    char alternative[300];
    X509_EXTENSION *extension;

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, subject);
    snprintf(alternative, sizeof(alternative), "DNS:%s", name);
    extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
    UM_ASSERT(extension != NULL && X509_add_ext(x, extension, -1) == 1 && X509_sign(x, key, EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    return x;
}

static void visit(struct tls_server *s, int fd)
{
    SSL *ssl = SSL_new(s->ctx);
    char request[4096];

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof(request)) > 0) {
        static const char text[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
        SSL_write(ssl, text, sizeof(text) - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
}

static void *run(void *arg)
{
    struct tls_server *s = arg;

    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        visit(s, fd);
    }
}

void tls_server_start(struct tls_server *s, const char *name, const char *file)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = make_certificate(key, name);
    FILE *f = fopen(file, "w");

    UM_ASSERT(f != NULL && PEM_write_X509(f, certificate) == 1 && fclose(f) == 0);
    s->ctx = SSL_CTX_new(TLS_server_method());
    UM_ASSERT(SSL_CTX_use_certificate(s->ctx, certificate) == 1 && SSL_CTX_use_PrivateKey(s->ctx, key) == 1);
    EVP_PKEY_free(key);
    X509_free(certificate);
    UM_ASSERT((s->fd = server_listen(AF_INET, 16, &s->port)) >= 0);
    UM_ASSERT(pthread_create(&s->thread, NULL, run, s) == 0);
}

void tls_server_stop(struct tls_server *s)
{
    shutdown(s->fd, SHUT_RDWR);          /* ends accept */
    pthread_join(s->thread, NULL);
    close(s->fd);
    SSL_CTX_free(s->ctx);
}
