/* bench_httpload: one HTTP/1.1 request again and again on connections that stay open, as many at a time as there are connections.
 *
 *   --port N --connections N --seconds N --method GET --path /x [--header "name: value"]... [--body FILE]
 *
 * One JSON object on stdout: requests and how many of them were answered by 2xx, seconds, requests per second, half and 99 %
 * of the times to an answer in microseconds, bytes of an answer. Loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REQUEST_MAX = 1 << 20, ANSWER_MAX = 4 << 20, TIMES_MAX = 4 << 20, LATE_US = 10000000 };

struct conn { int fd; char *in; size_t n; int64_t sent_us; bool busy; };

static struct { const char *method, *path, *body; int port, connections, seconds; } opt = { .method = "GET", .path = "/", .connections = 16, .seconds = 5 };
static char request[REQUEST_MAX];
static size_t request_n;
static struct conn conns[CONNECTIONS_MAX];
static uint32_t *times;
static size_t n_times, n_good, n_bad, answer_bytes;
static int epoll_fd, n_busy;

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench_httpload: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* ---- the request ---- */

__attribute__((format(printf, 1, 2))) static void add(const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(request + request_n, sizeof(request) - request_n, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(request) - request_n)
        die("the request is too long");
    request_n += (size_t)n;
}

static void add_body(const char *file)
{
    FILE *f = fopen(file, "r");
    char body[REQUEST_MAX / 2];
    size_t n = f != NULL ? fread(body, 1, sizeof(body), f) : 0;

    if (f == NULL || n == sizeof(body))
        die("cannot take the body from %s", file);
    fclose(f);
    add("Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%.*s", n, (int)n, body);
}

static void read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "port", 1, NULL, 'p' }, { "connections", 1, NULL, 'c' }, { "seconds", 1, NULL, 's' }, { "method", 1, NULL, 'm' },
        { "path", 1, NULL, 'u' }, { "header", 1, NULL, 'h' }, { "body", 1, NULL, 'b' }, { 0 },
    };
    static char headers[8192];
    int o;

    while ((o = getopt_long(argc, argv, "", names, NULL)) != -1)
        switch (o) {
        case 'p': opt.port = atoi(optarg); break;
        case 'c': opt.connections = atoi(optarg); break;
        case 's': opt.seconds = atoi(optarg); break;
        case 'm': opt.method = optarg; break;
        case 'u': opt.path = optarg; break;
        case 'b': opt.body = optarg; break;
        case 'h': snprintf(headers + strlen(headers), sizeof(headers) - strlen(headers), "%s\r\n", optarg); break;
        default: exit(2);
        }
    if (opt.port <= 0 || opt.connections < 1 || opt.connections > CONNECTIONS_MAX || opt.seconds < 1)
        die("--port, and up to %d --connections, are needed", CONNECTIONS_MAX);
    add("%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", opt.method, opt.path, opt.port, headers);
    if (opt.body != NULL)
        add_body(opt.body);
    else
        add("\r\n");
}

/* ---- connections ---- */

static void send_request(struct conn *c)
{
    for (size_t at = 0; at < request_n;) {
        ssize_t n = send(c->fd, request + at, request_n - at, MSG_NOSIGNAL);

        if (n < 0)
            die("send: %s", strerror(errno));
        at += (size_t)n;
    }
    c->sent_us = now_us();
    c->busy = true;
    n_busy++;
}

static void open_conn(struct conn *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct epoll_event e = { .events = EPOLLIN, .data = { .ptr = c } };
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->in = malloc(ANSWER_MAX + 1);
    if (c->fd < 0 || c->in == NULL || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        die("connect: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

/* Bytes of the whole answer, or 0: not all is there. */
static size_t answer_size(const struct conn *c)
{
    const char *end = memmem(c->in, c->n, "\r\n\r\n", 4), *length;

    if (end == NULL)
        return 0;
    length = strcasestr(c->in, "\r\nContent-Length:");
    if (length == NULL || length > end)
        die("an answer without a length: %.200s", c->in);
    return (size_t)(end - c->in) + 4 + strtoul(length + 17, NULL, 10);
}

static void take_answer(struct conn *c, size_t size)
{
    int status = atoi(c->in + 9);

    if (status >= 200 && status < 300)
        n_good++;
    else if (n_bad++ == 0)
        fprintf(stderr, "%.*s\n", (int)(c->n < 600 ? c->n : 600), c->in);
    if (n_times < TIMES_MAX)
        times[n_times++] = (uint32_t)(now_us() - c->sent_us);
    answer_bytes = size;
    c->n = 0;
    c->busy = false;
    n_busy--;
}

static void hear(struct conn *c, bool again)
{
    ssize_t n = recv(c->fd, c->in + c->n, ANSWER_MAX - c->n, MSG_DONTWAIT);
    size_t size;

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        die("the server closed a connection");
    c->n += (size_t)n;
    c->in[c->n] = '\0';
    size = answer_size(c);
    if (size == 0 || c->n < size)
        return;
    take_answer(c, size);
    if (again)
        send_request(c);
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void run(void)
{
    struct epoll_event events[64];
    int64_t until = now_us() + (int64_t)opt.seconds * 1000000;

    while (n_busy > 0 && now_us() < until + LATE_US) {
        int n = epoll_wait(epoll_fd, events, 64, 100);

        for (int i = 0; i < n; i++)
            hear(events[i].data.ptr, now_us() < until);
    }
}

int main(int argc, char **argv)
{
    int64_t began;
    double seconds;

    read_options(argc, argv);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    times = malloc(TIMES_MAX * sizeof(*times));
    if (epoll_fd < 0 || times == NULL)
        die("no room");
    for (int i = 0; i < opt.connections; i++)
        open_conn(&conns[i]);
    began = now_us();
    for (int i = 0; i < opt.connections; i++)
        send_request(&conns[i]);
    run();
    seconds = (double)(now_us() - began) / 1e6;
    qsort(times, n_times, sizeof(*times), compare);
    printf("{\"requests\":%zu,\"good\":%zu,\"bad\":%zu,\"seconds\":%.3f,\"perSecond\":%.0f,\"halfUs\":%" PRIu32 ",\"mostUs\":%" PRIu32 ",\"bytes\":%zu}\n",
           n_times, n_good, n_bad, seconds, (double)n_times / seconds, n_times > 0 ? times[n_times / 2] : 0, n_times > 0 ? times[n_times * 99 / 100] : 0,
           answer_bytes);
    return 0;
}
