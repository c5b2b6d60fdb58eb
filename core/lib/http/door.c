/* See door.h. */
#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/log.h>
#include "proxy_head.h"
#include "tls_link.h"

enum { ACCEPTS_PER_TURN = 64, PAUSE_MS = 100 };

struct http_door {
    struct um_http *http;
    const struct um_http_front *front;
    struct um_io listen;                     /* its descriptor -1: shut */
    struct um_timer pause;                   /* out of descriptors */
    struct um_timer refresh;
    struct um_list visitors, arrivals;
    size_t n_visitors;
    struct http_tls tls;
    struct tls_links links;
};

/* One whose balancer has not said everything yet. */
struct visitor {
    struct um_list link;
    struct http_door *door;
    struct um_io io;
    struct um_timer timer;
    struct sockaddr_storage peer;
};

/* What is known of a descriptor that libmicrohttpd has not taken up yet. */
struct arrival {
    struct um_list link;
    int fd;
    bool secure;
};

/* ---- handing over ---- */

static void note_arrival(struct http_door *d, int fd, bool secure)
{
    struct arrival *a = um_xcalloc(1, sizeof(*a));

    (void)http_door_arrived(d, fd);          /* one of that number that was turned away */
    a->fd = fd;
    a->secure = secure;
    um_list_append(&d->arrivals, &a->link);
}

bool http_door_arrived(struct http_door *d, int fd)
{
    UM_LIST_EACH(it, &d->arrivals) {
        struct arrival *a = UM_CONTAINER(it, struct arrival, link);
        bool secure = a->secure;

        if (a->fd != fd)
            continue;
        um_list_remove(&a->link);
        free(a);
        return secure;
    }
    return false;
}

/* The plain end of a new TLS connection; -1: there is none, FD is closed. */
static int behind_tls(struct http_door *d, int fd)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
        close(fd);
        return -1;
    }
    if (tls_link_new(&d->links, &d->tls, fd, pair[0]) == UM_OK)
        return pair[1];
    close(pair[1]);
    return -1;
}

static void hand_over(struct http_door *d, int fd, const struct sockaddr_storage *client, bool secure)
{
    socklen_t len = client->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

    if (d->front->tls && (fd = behind_tls(d, fd)) < 0)
        return;
    note_arrival(d, fd, secure || d->front->tls);
    (void)MHD_add_connection(d->http->daemon, fd, (const struct sockaddr *)client, len);   /* closes what it does not take */
    http_run_soon(d->http);
}

/* ---- the balancer's head ---- */

static void drop_visitor(struct visitor *v)
{
    um_io_stop(v->door->http->loop, &v->io);
    um_timer_stop(v->door->http->loop, &v->timer);
    um_list_remove(&v->link);
    v->door->n_visitors--;
    free(v);
}

static void turn_away(struct visitor *v, const char *why)
{
    int fd = v->io.fd;

    http_count(HTTP_M_PROXY_HEAD, 1);
    um_log_limited(UM_WARN, "http", "proxy-head-refused", UM_S("reason", why));
    drop_visitor(v);
    close(fd);
}

static void too_late(void *arg) { turn_away(arg, "it came too slowly"); }

static void admit(struct visitor *v, const struct http_proxy_head *head)
{
    struct sockaddr_storage client = v->peer;
    struct http_door *d = v->door;
    int fd = v->io.fd, one = 1;
    char away[HTTP_PROXY_HEAD_MAX];

    if (recv(fd, away, head->bytes, MSG_DONTWAIT) != (ssize_t)head->bytes) {
        turn_away(v, "the connection failed");
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
    if (head->has_client)
        memcpy(&client, &head->client, sizeof(head->client));
    drop_visitor(v);
    hand_over(d, fd, &client, head->secure);
}

/* Nothing is taken before the head is whole, for what follows it is another's. So that the loop is not woken again and again for
 * the same bytes, the system is told to wake us when there are more. */
static void on_head(void *arg, unsigned events)
{
    struct visitor *v = arg;
    struct http_proxy_head head;
    uint8_t bytes[HTTP_PROXY_HEAD_MAX];
    ssize_t n = recv(v->io.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
    int more;

    if (n < 0 && errno == EAGAIN && !(events & UM_HUP))
        return;
    if (n <= 0 || (events & UM_HUP)) {
        turn_away(v, "the peer left");
        return;
    }
    switch (http_proxy_read(UM_SPAN(bytes, (size_t)n), &head)) {
    case HTTP_PROXY_DONE:
        admit(v, &head);
        break;
    case HTTP_PROXY_BAD:
        turn_away(v, "malformed");
        break;
    case HTTP_PROXY_MORE:
        more = (int)n + 1;
        setsockopt(v->io.fd, SOL_SOCKET, SO_RCVLOWAT, &more, sizeof(more));
        break;
    }
}

static void await_head(struct http_door *d, int fd, const struct sockaddr_storage *peer)
{
    struct visitor *v = um_xcalloc(1, sizeof(*v));
    char text[INET6_ADDRSTRLEN];

    v->door = d;
    v->peer = *peer;
    um_list_append(&d->visitors, &v->link);
    d->n_visitors++;
    if (um_io_start(d->http->loop, &v->io, fd, UM_READ, on_head, v) != UM_OK) {
        v->io.fd = fd;
        turn_away(v, "the system has no room");
    } else if (d->n_visitors > (size_t)d->http->cf.max_connections) {
        turn_away(v, "too many at once");
    } else if (http_address_text(peer, text) == NULL || !d->front->trusts(d->front->arg, text)) {
        turn_away(v, "the peer is not in server.trusted-proxies");
    } else {
        um_timer_set(d->http->loop, &v->timer, d->http->cf.header_timeout_ms, too_late, v);
    }
}

/* ---- accepting ---- */

static void resume(void *arg)
{
    struct http_door *d = arg;
    um_io_want(d->http->loop, &d->listen, UM_READ);
}

static void on_listen(void *arg, unsigned events)
{
    struct http_door *d = arg;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t len = sizeof(peer);
        int fd = accept4(d->listen.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            um_log_limited(UM_WARN, "http", "cannot-accept", UM_S("reason", strerror(errno)));
            um_io_want(d->http->loop, &d->listen, 0);
            um_timer_set(d->http->loop, &d->pause, PAUSE_MS, resume, d);
        }
        if (fd < 0)
            return;
        if (d->front->proxy_protocol)
            await_head(d, fd, &peer);
        else
            hand_over(d, fd, &peer, false);
    }
}

/* ---- life ---- */

static void refresh(void *arg)
{
    struct http_door *d = arg;

    http_tls_refresh(&d->tls);
    um_timer_set(d->http->loop, &d->refresh, um_loop_next_ms(d->http->loop, d->front->reload_ms), refresh, d);
}

um_err um_http_front_check(const struct um_http_front *f, char why[256])
{
    struct http_tls tls;
    um_err err = f->tls ? http_tls_open(&tls, f, why) : UM_OK;

    if (f->tls && err == UM_OK)
        http_tls_close(&tls);
    return err;
}

um_err http_door_open(struct http_door **out, struct um_http *h, int listen_fd)
{
    struct http_door *d = um_xcalloc(1, sizeof(*d));
    char why[256] = "";
    um_err err = UM_OK;

    d->http = h;
    d->front = h->cf.front;
    d->listen.fd = listen_fd;
    d->links.loop = h->loop;
    um_list_init(&d->visitors);
    um_list_init(&d->arrivals);
    um_list_init(&d->links.list);
    if (d->front->tls && (err = http_tls_open(&d->tls, d->front, why)) == UM_OK)
        um_timer_set(h->loop, &d->refresh, um_loop_next_ms(h->loop, d->front->reload_ms), refresh, d);
    if (err == UM_OK)
        err = um_io_start(h->loop, &d->listen, listen_fd, UM_READ, on_listen, d);
    *out = d;
    if (err != UM_OK)
        um_log(UM_ERROR, "http", "no-door", UM_S("reason", why));
    return err;
}

void http_door_shut(struct http_door *d)
{
    int fd = d->listen.fd;

    um_io_stop(d->http->loop, &d->listen);
    um_timer_stop(d->http->loop, &d->pause);
    d->listen.fd = -1;
    if (fd >= 0)
        close(fd);
}

void http_door_free(struct http_door *d)
{
    if (d == NULL)
        return;
    http_door_shut(d);
    um_timer_stop(d->http->loop, &d->refresh);
    UM_LIST_EACH_SAFE(it, &d->visitors) {
        struct visitor *v = UM_CONTAINER(it, struct visitor, link);
        int fd = v->io.fd;

        drop_visitor(v);
        close(fd);
    }
    UM_LIST_EACH_SAFE(it, &d->arrivals)
        (void)http_door_arrived(d, UM_CONTAINER(it, struct arrival, link)->fd);
    tls_links_free(&d->links);
    http_tls_close(&d->tls);
    free(d);
}
