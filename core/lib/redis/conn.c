/* One connection:
 *
 *   DOWN --conn_open--> DIAL --connected--> TLS --secure--> AUTH --OK--> SELECT --OK--> UP
 *                        |      (stages with nothing to do are left out)                 |
 *                        +------------- refused, late, malformed, end of file -----------+--> DOWN
 *
 * Invariants
 *  1. With TLS configured not one byte leaves in clear: the socket is only written to by way of `ssl`.
 *  2. on_down is the last callback of a connection, and conn_close has none.
 *  3. From conn_open to UP at most the connect timeout (name, socket, TLS) and then one command timeout pass. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "conn.h"
#include "tls.h"

#define READ_BYTES   (64 * 1024)              /* hiredis copies: no more at a time */
#define READS_A_TURN 16

struct conn_lookup {                          /* outlives the connection that asked */
    struct um_work work;
    struct redis_conn *conn;                  /* NULL: nobody waits any more */
    char *host, port[8];
    struct addrinfo *found;
    int status;
};

static void go(struct redis_conn *c, enum conn_stage stage)
{
    c->stage = stage;
    if (c->h->on_stage != NULL && stage != CONN_DOWN)
        c->h->on_stage(c->arg, stage);
}

static void down(struct redis_conn *c, um_err err, const char *why)
{
    conn_close(c);
    c->h->on_down(c->arg, err, why);
}

static void on_deadline(void *arg)
{
    struct redis_conn *c = arg;
    static const char *const late[] = { "", "not connected in time", "TLS: no answer in time", "AUTH: no answer in time",
                                        "SELECT: no answer in time", "" };

    down(c, UM_ETIMEOUT, late[c->stage]);
}

/* ---- reading and writing ---- */

static void update_interest(struct redis_conn *c)
{
    bool waits = c->sent < c->out.len || c->write_blocked;

    um_io_want(c->loop, &c->io, UM_READ | (waits ? UM_WRITE : 0u));
}

/* One write; 0 when the socket is full, -1 when it is dead. */
static ssize_t write_some(struct redis_conn *c)
{
    const uint8_t *data = c->out.data + c->sent;
    size_t len = c->out.len - c->sent, moved = 0;

    if (c->ssl == NULL) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        return n >= 0 ? n : errno == EAGAIN || errno == EINTR ? 0 : -1;
    }
    switch (redis_tls_write(c->ssl, data, len, &moved)) {
    case REDIS_TLS_DONE: return (ssize_t)moved;
    case REDIS_TLS_WANT_READ: return 0;
    case REDIS_TLS_WANT_WRITE: return 0;
    default: return -1;
    }
}

static void flush(void *arg)
{
    struct redis_conn *c = arg;
    ssize_t n;

    if (c->stage <= CONN_TLS)
        return;
    if (c->out.failed) {
        down(c, UM_ENOMEM, "out of memory");
        return;
    }
    while (c->sent < c->out.len) {
        if ((n = write_some(c)) < 0) {
            down(c, UM_EUNAVAIL, "write: connection lost");
            return;
        }
        if (n == 0)
            break;
        c->sent += (size_t)n;
    }
    if (c->sent == c->out.len) {
        um_buf_clear(&c->out);
        c->sent = 0;
    } else if (c->sent > c->out.len / 2) {
        um_buf_consume(&c->out, c->sent);
        c->sent = 0;
    }
    update_interest(c);
}

void conn_flush_later(struct redis_conn *c)
{
    um_loop_defer(c->loop, UM_PHASE_FLUSH, &c->flush);
}

static void take_login_reply(struct redis_conn *c, const struct um_redis_reply *reply);

/* Hands out what is complete; false when the connection has ended meanwhile. */
static bool take_replies(struct redis_conn *c)
{
    unsigned generation = c->generation;
    struct um_redis_reply *reply;

    for (;;) {
        um_err err = resp_reader_next(c->reader, &reply);
        if (err != UM_OK) {
            down(c, err, err == UM_ELIMIT ? "a reply is too large" : "malformed reply");
            return false;
        }
        if (reply == NULL)
            return true;
        if (c->stage == CONN_UP)
            c->h->on_reply(c->arg, reply);
        else
            take_login_reply(c, reply);
        resp_reply_free(reply);
        if (c->generation != generation)
            return false;
    }
}

/* One read; 0: nothing there; -1: ended (told). */
static ssize_t read_some(struct redis_conn *c, uint8_t *data)
{
    size_t moved = 0;
    ssize_t n;

    if (c->ssl != NULL) {
        switch (redis_tls_read(c->ssl, data, READ_BYTES, &moved)) {
        case REDIS_TLS_DONE: return (ssize_t)moved;
        case REDIS_TLS_WANT_READ: return 0;
        case REDIS_TLS_WANT_WRITE: c->write_blocked = true; return 0;
        case REDIS_TLS_EOF: down(c, UM_EUNAVAIL, "the server closed the connection"); return -1;
        default: down(c, UM_EUNAVAIL, "read: connection lost"); return -1;
        }
    }
    n = recv(c->fd, data, READ_BYTES, 0);
    if (n > 0)
        return n;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    down(c, UM_EUNAVAIL, n == 0 ? "the server closed the connection" : "read: connection lost");
    return -1;
}

static void read_all(void *arg)
{
    static _Thread_local uint8_t data[READ_BYTES];
    struct redis_conn *c = arg;
    unsigned generation = c->generation;
    ssize_t n;

    for (int i = 0; i < READS_A_TURN; i++) {
        if ((n = read_some(c, data)) < 0)
            return;
        if (n == 0) {
            update_interest(c);
            return;
        }
        um_err err = resp_reader_feed(c->reader, data, (size_t)n);
        if (err != UM_OK) {
            down(c, err, "out of memory");
            return;
        }
        if (!take_replies(c) || c->generation != generation)
            return;
        if (c->ssl == NULL && n < READ_BYTES) {          /* that was all: asking again would cost a system call */
            update_interest(c);
            return;
        }
    }
    um_loop_defer(c->loop, UM_PHASE_FLUSH_DOCS, &c->read_on);       /* TLS may hold bytes that epoll knows nothing of */
}

/* ---- logging in ---- */

static void select_database(struct redis_conn *c)
{
    char number[24];

    if (c->login->database > 0) {
        snprintf(number, sizeof(number), "%" PRId64, c->login->database);
        resp_put_words(&c->out, "SELECT", number, NULL);
        c->awaited++;
    }
    resp_put_words(&c->out, "CLIENT", "SETNAME", c->login->name, NULL);
    c->awaited++;
    conn_flush_later(c);
    go(c, CONN_SELECT);
}

static void log_in(struct redis_conn *c)
{
    um_timer_set(c->loop, &c->deadline, c->redis->cf->timeout_ms, on_deadline, c);
    c->awaited = 0;
    if (*c->login->password == '\0') {
        select_database(c);
        return;
    }
    if (*c->login->user != '\0')
        resp_put_words(&c->out, "AUTH", c->login->user, c->login->password, NULL);
    else
        resp_put_words(&c->out, "AUTH", c->login->password, NULL);
    c->awaited = 1;
    conn_flush_later(c);
    go(c, CONN_AUTH);
}

/* CLIENT SETNAME comes last; that it is refused (ACL) does no harm. The server's text is not repeated: it may quote us. */
static void take_login_reply(struct redis_conn *c, const struct um_redis_reply *reply)
{
    bool is_name = c->stage == CONN_SELECT && c->awaited == 1, auth = c->stage == CONN_AUTH;
    bool denied = auth || resp_is_error(reply, "NOAUTH") || resp_is_error(reply, "NOPERM");

    if (c->awaited == 0) {
        down(c, UM_EPROTO, "a reply that nobody asked for");
    } else if (reply->kind == UM_REDIS_ERROR && (!is_name || resp_is_error(reply, "NOAUTH"))) {
        down(c, denied ? UM_EDENIED : UM_EUNAVAIL,
             resp_is_error(reply, "LOADING") ? "LOADING" : auth ? "AUTH refused: wrong user or password"
             : denied ? "the server asks for a password, or the user may not log in so" : "SELECT refused");
    } else if (--c->awaited > 0) {
        return;
    } else if (auth) {
        select_database(c);
    } else {
        um_timer_stop(c->loop, &c->deadline);
        go(c, CONN_UP);
    }
}

/* ---- dialling ---- */

static void dial_next(struct redis_conn *c);

static void shake_hands(struct redis_conn *c)
{
    char why[128];

    c->write_blocked = false;
    switch (redis_tls_handshake(c->ssl)) {
    case REDIS_TLS_DONE: update_interest(c); log_in(c); return;
    case REDIS_TLS_WANT_WRITE: c->write_blocked = true; update_interest(c); return;
    case REDIS_TLS_WANT_READ: update_interest(c); return;
    default:
        redis_tls_why(c->ssl, why);
        down(c, UM_EDENIED, why);
    }
}

static void connected(struct redis_conn *c)
{
    const char *name = *c->redis->cf->server_name != '\0' ? c->redis->cf->server_name : c->host;
    int on = 1;

    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if ((c->reader = resp_reader_new()) == NULL) {
        down(c, UM_ENOMEM, "out of memory");
    } else if (!c->redis->target.tls) {
        update_interest(c);
        log_in(c);
    } else if ((c->ssl = redis_tls_new(c->redis->tls, c->fd, name)) == NULL) {
        down(c, UM_ENOMEM, "TLS: cannot begin");
    } else {
        unsigned generation = c->generation;
        go(c, CONN_TLS);
        if (c->generation == generation)
            shake_hands(c);
    }
}

static void close_socket(struct redis_conn *c)
{
    um_io_stop(c->loop, &c->io);
    redis_tls_free(c->ssl);
    c->ssl = NULL;
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static void on_io(void *arg, unsigned events)
{
    struct redis_conn *c = arg;
    unsigned generation = c->generation;
    int error = 0;
    socklen_t len = sizeof(error);

    if (c->stage == CONN_DIAL) {
        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
            close_socket(c);
            dial_next(c);
        } else if (events & UM_WRITE) {
            connected(c);
        }
        return;
    }
    if (c->stage == CONN_TLS) {
        shake_hands(c);
        return;
    }
    if (events & UM_WRITE) {
        c->write_blocked = false;
        flush(c);
    }
    if (c->generation == generation && (events & (UM_READ | UM_HUP)))
        read_all(c);
}

/* Tries the addresses in turn. */
static void dial_next(struct redis_conn *c)
{
    while (c->next_addr != NULL) {
        struct addrinfo *a = c->next_addr;
        c->next_addr = a->ai_next;
        c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (c->fd < 0)
            continue;
        memcpy(&c->peer, a->ai_addr, a->ai_addrlen);
        if ((connect(c->fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) &&
            um_io_start(c->loop, &c->io, c->fd, UM_WRITE, on_io, c) == UM_OK)
            return;
        close_socket(c);
    }
    down(c, UM_EUNAVAIL, "connection refused or unreachable");
}

static void look_up(struct um_work *w)
{
    struct conn_lookup *k = UM_CONTAINER(w, struct conn_lookup, work);
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };

    k->status = getaddrinfo(k->host, k->port, &hints, &k->found);
}

static void free_lookup(struct conn_lookup *k)
{
    if (k->found != NULL)
        freeaddrinfo(k->found);
    free(k->host);
    free(k);
}

static void looked_up(struct um_work *w)
{
    struct conn_lookup *k = UM_CONTAINER(w, struct conn_lookup, work);
    struct redis_conn *c = k->conn;

    if (c != NULL) {
        c->lookup = NULL;
        c->addrs = c->next_addr = k->found;
        k->found = NULL;
    }
    bool ok = k->status == 0;
    free_lookup(k);
    if (c != NULL && ok)
        dial_next(c);
    else if (c != NULL)
        down(c, UM_EUNAVAIL, "the name of the host cannot be looked up");
}

/* Runs in the next turn at the earliest, also for an address: conn_open has no callbacks. */
static void start_lookup(void *arg)
{
    struct redis_conn *c = arg;
    struct conn_lookup *k = um_xcalloc(1, sizeof(*k));

    um_timer_set(c->loop, &c->deadline, c->redis->cf->connect_timeout_ms, on_deadline, c);
    k->conn = c;
    k->host = um_xstrdup(c->host);
    snprintf(k->port, sizeof(k->port), "%d", c->port);
    k->work = (struct um_work){ .loop = c->loop, .fn = look_up, .done = looked_up };
    c->lookup = k;
    struct addrinfo numeric = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    if (getaddrinfo(k->host, k->port, &numeric, &k->found) == 0) {
        looked_up(&k->work);
    } else if (um_work_submit(c->redis->pool, &k->work) != UM_OK) {
        c->lookup = NULL;
        free_lookup(k);
        down(c, UM_EBUSY, "too many names are being looked up");
    }
}

/* ---- life ---- */

void conn_init(struct redis_conn *c, struct um_redis *r, struct um_loop *loop, const struct conn_login *login,
               const struct conn_handler *h, void *arg)
{
    *c = (struct redis_conn){ .redis = r, .loop = loop, .login = login, .h = h, .arg = arg, .fd = -1 };
    um_defer_init(&c->flush, flush, c);
    um_defer_init(&c->read_on, read_all, c);
}

void conn_open(struct redis_conn *c, const char *host, int port)
{
    UM_ASSERT(c->stage == CONN_DOWN && c->host == NULL);
    c->host = um_xstrdup(host);
    c->port = port;
    c->stage = CONN_DIAL;
    um_timer_set(c->loop, &c->deadline, 0, start_lookup, c);
}

void conn_close(struct redis_conn *c)
{
    c->generation++;
    c->stage = CONN_DOWN;
    if (c->lookup != NULL)
        c->lookup->conn = NULL;
    c->lookup = NULL;
    um_timer_stop(c->loop, &c->deadline);
    um_defer_cancel(&c->flush);
    um_defer_cancel(&c->read_on);
    close_socket(c);
    if (c->addrs != NULL)
        freeaddrinfo(c->addrs);
    c->addrs = c->next_addr = NULL;
    resp_reader_free(c->reader);
    c->reader = NULL;
    um_buf_free(&c->out);
    c->sent = 0;
    c->awaited = 0;
    c->write_blocked = false;
    free(c->host);
    c->host = NULL;
}

static bool is_private_v4(uint32_t a)
{
    return a >> 24 == 10 || a >> 24 == 127 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 || a >> 16 == 0xa9fe;
}

bool conn_peer_is_public(const struct redis_conn *c)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&c->peer;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&c->peer;
    const struct in6_addr *a = &v6->sin6_addr;

    if (c->peer.ss_family == AF_INET)
        return !is_private_v4(ntohl(v4->sin_addr.s_addr));
    if (c->peer.ss_family != AF_INET6)
        return false;
    return !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_LINKLOCAL(a) && (a->s6_addr[0] & 0xfe) != 0xfc;
}
