/* One connection to a Redis or a sentinel, and its way up: name, socket, TLS, AUTH, SELECT, CLIENT SETNAME.
 * Embedded in its owner, on its owner's loop. */
#ifndef REDIS_CONN_H
#define REDIS_CONN_H
#include <netdb.h>
#include "redis_int.h"
#include "resp.h"

#define CONN_STAGES(X) X(DOWN) X(DIAL) X(TLS) X(AUTH) X(SELECT) X(UP)
enum conn_stage {
#define X(s) CONN_##s,
    CONN_STAGES(X)
#undef X
};

struct conn_handler {
    void (*on_stage)(void *arg, enum conn_stage stage);      /* may be NULL; TLS, AUTH and SELECT only when there is something to do */
    void (*on_reply)(void *arg, const struct um_redis_reply *reply);   /* while UP */
    void (*on_down)(void *arg, um_err err, const char *why);  /* not after conn_close; UM_EDENIED: credentials refused */
};

struct conn_login {                           /* borrowed: lives as long as the connection */
    const char *user, *password;              /* "" when there is none */
    int64_t database;                         /* -1: none to choose */
    const char *name;                         /* for CLIENT SETNAME */
};

struct conn_lookup;
struct redis_conn {                           /* conn_init, then the functions below */
    struct um_redis *redis;
    struct um_loop *loop;
    const struct conn_handler *h;
    void *arg;
    const struct conn_login *login;
    enum conn_stage stage;
    unsigned generation;                      /* rises when it closes: who called out looks whether it is still the same one */
    char *host;
    int port;
    struct conn_lookup *lookup;               /* under way on a worker */
    struct addrinfo *addrs, *next_addr;
    struct sockaddr_storage peer;
    int fd;
    struct um_io io;
    struct ssl_st *ssl;
    struct resp_reader *reader;
    struct um_buf out;                        /* append commands, then conn_flush_later */
    size_t sent;                              /* of out */
    struct um_defer flush, read_on;
    struct um_timer deadline;                 /* until UP */
    unsigned awaited;                         /* replies of the stage */
    bool write_blocked;                       /* TLS wants to write before it goes on */
};

void conn_init(struct redis_conn *c, struct um_redis *r, struct um_loop *loop, const struct conn_login *login,
               const struct conn_handler *h, void *arg);
/* From DOWN. What goes wrong is told by on_down, never before this call returned. HOST is copied. */
void conn_open(struct redis_conn *c, const char *host, int port);
void conn_flush_later(struct redis_conn *c);
void conn_close(struct redis_conn *c);        /* silent; safe to repeat; safe in its callbacks */
bool conn_peer_is_public(const struct redis_conn *c);

#endif
