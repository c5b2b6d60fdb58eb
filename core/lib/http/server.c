/* The server: listening, libmicrohttpd's epoll inside our loop, connections and their caps. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/log.h>
#include "door.h"
#include "http_int.h"

enum {
    BACKLOG = 1024,
    OVER_CAP = 256,             /* connections beyond the cap that still get a 503; the next ones are closed unheard */
    POOL_MIN = 32 * 1024,
};

struct um_metric http_metrics[HTTP_M_N] = {
    [HTTP_M_CONNECTIONS] = { "http.connections", "connections", "open HTTP connections", UM_GAUGE, 0 },
    [HTTP_M_REQUESTS] = { "http.requests", "requests", "requests begun", UM_COUNTER, 0 },
    [HTTP_M_OPEN] = { "http.requests.open", "requests", "requests under way", UM_GAUGE, 0 },
    [HTTP_M_2XX] = { "http.responses.2xx", "replies", "replies with status 2xx", UM_COUNTER, 0 },
    [HTTP_M_3XX] = { "http.responses.3xx", "replies", "replies with status 3xx", UM_COUNTER, 0 },
    [HTTP_M_4XX] = { "http.responses.4xx", "replies", "replies with status 4xx", UM_COUNTER, 0 },
    [HTTP_M_5XX] = { "http.responses.5xx", "replies", "replies with status 5xx", UM_COUNTER, 0 },
    [HTTP_M_UPGRADES] = { "http.upgrades", "connections", "connections handed over to WebSocket", UM_COUNTER, 0 },
    [HTTP_M_REFUSED] = { "http.refused", "requests", "requests that the guard refused", UM_COUNTER, 0 },
    [HTTP_M_GONE] = { "http.gone", "requests", "requests whose client left before the reply", UM_COUNTER, 0 },
    [HTTP_M_HEADER_SIZE] = { "limit.hit.server.max-http-request-header-size", "requests", "414 or 431", UM_COUNTER, 0 },
    [HTTP_M_BODY_SIZE] = { "limit.hit.server.http.max-body", "requests", "413", UM_COUNTER, 0 },
    [HTTP_M_HEADER_TIMEOUT] = { "limit.hit.server.http.header-timeout", "connections", "headers came too slowly", UM_COUNTER, 0 },
    [HTTP_M_MIN_RATE] = { "limit.hit.server.http.min-rate", "connections", "body came too slowly", UM_COUNTER, 0 },
    [HTTP_M_MAX_CONNECTIONS] = { "limit.hit.server.max-connections", "connections", "refused: too many", UM_COUNTER, 0 },
    [HTTP_M_PER_ADDRESS] = { "limit.hit.server.http.max-per-address", "connections", "refused: too many from one address",
                             UM_COUNTER, 0 },
    [HTTP_M_DEADLINE] = { "limit.hit.server.http.deadline", "requests", "503: no reply in time", UM_COUNTER, 0 },
    [HTTP_M_MULTIPART] = { "limit.hit.multipart", "requests", "413: a form with too many parts, or headers that are too long", UM_COUNTER, 0 },
    [HTTP_M_PROXY_HEAD] = { "http.refused.proxy-head", "connections", "closed: no right head of the PROXY protocol from a trusted proxy", UM_COUNTER, 0 },
    [HTTP_M_JSON] = { "limit.hit.json", "requests", "400: JSON too deep or too large", UM_COUNTER, 0 },
};

/* --- libmicrohttpd inside the loop ----------------------------------------------------------------------- */

static void run(void *arg);

static void run_by_timer(void *arg)
{
    run(arg);
}

static void run(void *arg)
{
    struct um_http *h = arg;
    MHD_UNSIGNED_LONG_LONG wait;

    MHD_run(h->daemon);
    if (MHD_get_timeout(h->daemon, &wait) == MHD_YES)
        um_timer_set(h->loop, &h->timer, (int64_t)UM_MIN(wait, 3600000ULL), run_by_timer, h);
    else
        um_timer_stop(h->loop, &h->timer);
}

static void on_epoll(void *arg, unsigned events)
{
    (void)events;
    run(arg);
}

void http_run_soon(struct um_http *h)
{
    if (!h->stopping)
        um_loop_defer(h->loop, UM_PHASE_FLUSH_DOCS, &h->run);     /* before the sockets are flushed */
}

UM_PRINTF(2, 0)
static void log_mhd(void *cls, const char *fmt, va_list ap)
{
    char line[256];

    (void)cls;
    vsnprintf(line, sizeof(line), fmt, ap);
    line[strcspn(line, "\r\n")] = '\0';
    um_log_limited(UM_DEBUG, "http", "libmicrohttpd", UM_S("message", line));
}

/* --- connections ------------------------------------------------------------------------------------------- */

static struct um_span address_key(const struct sockaddr *sa)
{
    if (sa->sa_family == AF_INET)
        return UM_SPAN(&((const struct sockaddr_in *)sa)->sin_addr, 4);
    if (sa->sa_family == AF_INET6)
        return UM_SPAN(&((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
    return UM_SPAN("", 0);
}

static const char *address_text(const struct sockaddr *sa, char out[INET6_ADDRSTRLEN])
{
    if (sa->sa_family == AF_INET)
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, out, INET6_ADDRSTRLEN);
    if (sa->sa_family == AF_INET6)
        return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, out, INET6_ADDRSTRLEN);
    return NULL;
}

const char *http_address_text(const struct sockaddr_storage *sa, char out[INET6_ADDRSTRLEN])
{
    return address_text((const struct sockaddr *)sa, out);
}

static enum MHD_Result may_accept(void *cls, const struct sockaddr *sa, socklen_t len)
{
    struct um_http *h = cls;
    struct http_address *a;

    (void)len;
    if (h->n_connections >= (size_t)h->cf.max_connections + OVER_CAP) {
        http_count(HTTP_M_MAX_CONNECTIONS, 1);
        return MHD_NO;
    }
    if (h->cf.max_per_address <= 0)
        return MHD_YES;
    a = um_map_get(&h->addresses, address_key(sa));
    if (a != NULL && a->n >= h->cf.max_per_address) {
        http_count(HTTP_M_PER_ADDRESS, 1);
        um_log_limited(UM_INFO, "http", "too many connections from one address", UM_I("limit", h->cf.max_per_address));
        return MHD_NO;
    }
    return MHD_YES;
}

static void count_address(struct http_conn *c, const struct sockaddr *sa)
{
    struct um_http *h = c->http;
    struct um_span key = address_key(sa);
    struct http_address *a = um_map_get(&h->addresses, key);

    if (h->cf.max_per_address <= 0)
        return;
    if (a == NULL) {
        uint8_t *copy = um_xmalloc(key.len + 1);

        memcpy(copy, key.data, key.len);
        a = um_xcalloc(1, sizeof(*a));
        a->key = UM_SPAN(copy, key.len);
        (void)um_map_put(&h->addresses, key, a);
    }
    a->n++;
    c->address = a;
}

static void uncount_address(struct http_conn *c)
{
    struct http_address *a = c->address;

    if (a == NULL || --a->n > 0)
        return;
    (void)um_map_remove(&c->http->addresses, a->key);
    free((void *)(uintptr_t)a->key.data);
    free(a);
}

static void header_timeout(void *arg)
{
    struct http_conn *c = arg;

    http_count(HTTP_M_HEADER_TIMEOUT, 1);
    shutdown(c->fd, SHUT_RDWR);             /* libmicrohttpd notices and closes */
}

static void conn_opened(struct um_http *h, struct MHD_Connection *mhd, void **ctx)
{
    struct http_conn *c = um_xcalloc(1, sizeof(*c));
    struct sockaddr *sa = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;

    c->http = h;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    um_list_append(&h->connections, &c->link);
    (void)address_text(sa, c->peer);
    c->secure = h->door != NULL && http_door_arrived(h->door, c->fd);
    count_address(c, sa);
    c->over_cap = h->n_connections++ >= (size_t)h->cf.max_connections;
    um_timer_set(h->loop, &c->timer, h->cf.header_timeout_ms, header_timeout, c);
    http_count(HTTP_M_CONNECTIONS, 1);
    *ctx = c;
}

static void conn_closed(struct http_conn *c)
{
    struct um_http *h = c->http;

    if (c->linger && !h->stopping)
        http_linger(h, c->fd);
    um_timer_stop(h->loop, &c->timer);
    uncount_address(c);
    um_list_remove(&c->link);
    h->n_connections--;
    http_count(HTTP_M_CONNECTIONS, -1);
    free(c);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        conn_opened(cls, mhd, ctx);
    else if (*ctx != NULL)
        conn_closed(*ctx);
}

/* --- listening ----------------------------------------------------------------------------------------------- */

/* SHARE: with this process' other reactors. Otherwise it only asks whether the address is free: it does not listen, for a
 * client that came just then would be accepted and thrown out. */
static um_err bind_socket(const struct addrinfo *ai, bool share, int *out)
{
    int one = 1, zero = 0, fd, e;

    fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return UM_EIO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (share)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
    if (ai->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && (!share || listen(fd, BACKLOG) == 0)) {
        *out = fd;
        return UM_OK;
    }
    e = errno;
    close(fd);
    return e == EADDRINUSE ? UM_EEXIST : e == EACCES ? UM_EDENIED : UM_EIO;
}

/* "" and "*": every address, IPv6 and IPv4. Names other than addresses are for hosts files: this runs once, at start. */
static um_err listen_on(const struct um_http_conf *cf, bool share, int *fd)
{
    bool any = cf->address == NULL || cf->address[0] == '\0' || strcmp(cf->address, "*") == 0;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV }, *list;
    char port[8];
    um_err err = UM_EINVAL;

    snprintf(port, sizeof(port), "%u", (unsigned)(uint16_t)cf->port);
    if (getaddrinfo(any ? "::" : cf->address, port, &hints, &list) != 0)
        return UM_EINVAL;
    err = bind_socket(list, share, fd);
    freeaddrinfo(list);
    if (err == UM_EIO && any) {             /* a machine without IPv6 */
        struct um_http_conf v4 = *cf;

        v4.address = "0.0.0.0";
        return listen_on(&v4, share, fd);
    }
    return err;
}

um_err um_http_check_port(const struct um_http_conf *cf)
{
    int fd;
    um_err err;

    if (cf->port == 0)
        return UM_OK;
    err = listen_on(cf, false, &fd);
    if (err == UM_OK)
        close(fd);
    return err;
}

static int port_of(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);

    if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
        return 0;
    return ntohs(sa.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&sa)->sin6_port : ((struct sockaddr_in *)&sa)->sin_port);
}

/* LISTEN_FD goes to libmicrohttpd, or to the door when something is to be done before HTTP. */
static um_err start_daemon(struct um_http *h, int listen_fd)
{
    /* Fields and line of a request stand in the pool, and the reply's header behind them. */
    size_t pool = UM_MAX((size_t)h->cf.max_header_bytes * 2, (size_t)POOL_MIN);
    unsigned seconds = (unsigned)((h->cf.keep_alive_ms + 999) / 1000);
    bool own_door = h->cf.front != NULL && (h->cf.front->proxy_protocol || h->cf.front->tls);
    struct MHD_OptionItem listening[] = {
        { own_door ? MHD_OPTION_END : MHD_OPTION_LISTEN_SOCKET, listen_fd, NULL }, { MHD_OPTION_END, 0, NULL },
    };
    um_err err;
    int fd;

    h->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (own_door ? MHD_USE_NO_LISTEN_SOCKET : 0),
        0, may_accept, h, http_on_access, h,
        MHD_OPTION_EXTERNAL_LOGGER, log_mhd, (void *)h,
        MHD_OPTION_ARRAY, listening,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)h->cf.max_connections + 2 * OVER_CAP,
        MHD_OPTION_CONNECTION_TIMEOUT, seconds,
        MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, http_on_target, (void *)h,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, (void *)h,
        MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, (void *)h,
        MHD_OPTION_END);
    if (h->daemon == NULL) {
        if (own_door)
            close(listen_fd);               /* else libmicrohttpd has */
        return UM_EIO;
    }
    if (own_door) {
        if ((err = http_door_open(&h->door, h, listen_fd)) != UM_OK)
            return err;
    } else {
        h->listen_fd = listen_fd;
    }
    fd = MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    return um_io_start(h->loop, &h->io, fd, UM_READ, on_epoll, h);
}

void um_http_start(void)
{
    um_metrics_register(http_metrics, UM_COUNT(http_metrics));
    http_timing_start();
}

um_err um_http_new(struct um_http **out, struct um_loop *l, const struct um_http_conf *cf,
                   const struct um_http_route *routes, size_t n_routes,
                   const struct um_http_hooks *hooks, void *ctx)
{
    struct um_http *h = um_xcalloc(1, sizeof(*h));
    int listen_fd;
    um_err err;

    *out = NULL;
    h->loop = l;
    h->cf = *cf;
    h->hooks = hooks != NULL ? *hooks : (struct um_http_hooks){ 0 };
    h->ctx = ctx;
    h->listen_fd = -1;
    um_list_init(&h->connections);
    um_list_init(&h->requests);
    um_list_init(&h->lingering);
    um_defer_init(&h->run, run, h);
    h->router = http_router_new(routes, n_routes);
    if ((err = listen_on(cf, true, &listen_fd)) != UM_OK)
        goto out;
    h->port = port_of(listen_fd);
    if ((err = start_daemon(h, listen_fd)) != UM_OK)
        goto out;
    um_log(UM_DEBUG, "http", "listening", UM_S("address", cf->address), UM_I("port", h->port));
    *out = h;
    h = NULL;
out:
    um_http_free(h);
    return err;
}

int um_http_port(const struct um_http *h)
{
    return h->port;
}

size_t um_http_open_requests(const struct um_http *h)
{
    return h->n_requests;
}

void um_http_quiesce(struct um_http *h)
{
    if (h->draining)
        return;
    h->draining = true;                     /* replies say Connection: close from now on */
    if (h->door != NULL) {
        http_door_shut(h->door);
        return;
    }
    MHD_quiesce_daemon(h->daemon);
    close(h->listen_fd);
    h->listen_fd = -1;
}

void um_http_close(struct um_http *h)
{
    h->closed = true;
}

/* Nothing may be suspended when the daemon stops; whoever waits for a reply hears that there will be none. */
static void end_requests(struct um_http *h)
{
    UM_LIST_EACH_SAFE(it, &h->requests)
        http_gone(UM_CONTAINER(it, struct um_http_req, link));
}

void um_http_free(struct um_http *h)
{
    if (h == NULL)
        return;
    h->stopping = true;
    um_defer_cancel(&h->run);
    um_timer_stop(h->loop, &h->timer);
    um_io_stop(h->loop, &h->io);
    if (h->daemon != NULL) {
        end_requests(h);
        if (h->door != NULL)
            http_door_shut(h->door);
        MHD_stop_daemon(h->daemon);         /* closes the listening socket when it was not quiesced */
        http_door_free(h->door);
    } else if (h->listen_fd >= 0) {
        close(h->listen_fd);
    }
    http_linger_end(h);
    um_map_free(&h->addresses);
    http_router_free(h->router);
    free(h);
}
