/* A server that misbehaves on order: what it answers is chosen by the path. A thread for each connection; ends with the test. */
#ifndef OUTGOING_SERVER_H
#define OUTGOING_SERVER_H
#include <pthread.h>
#include <stdatomic.h>
#include <umbel/base.h>

struct server {
    int fd, stop[2];                     /* stop: readable once it ends */
    uint16_t port;
    pthread_t thread;
    _Atomic int connections, open, most_open, requests;
    _Atomic bool gate;                   /* /gate answers once it is true */
    pthread_t of_connection[512];
    int n_threads;
};
void server_start(struct server *s, int family);    /* on loopback: AF_INET, AF_INET6 */
void server_stop(struct server *s);
int server_listen(int family, int backlog, uint16_t *port);

/* One with TLS and a certificate of its own for NAME, which is written to FILE; says "hello" to whoever trusts it. */
struct tls_server { int fd; uint16_t port; pthread_t thread; void *ctx; _Atomic bool stopping; };
void tls_server_start(struct tls_server *s, const char *name, const char *file);
void tls_server_stop(struct tls_server *s);

#endif
