/* bench_relay: the least that two servers with a Redis between them can do. No server: a ruler for those that are.
 *
 *   bench_relay --redis PORT --port-file FILE [--hear]
 *
 * Of a frame it looks at the two bytes that say what it is. An update goes on as it is: one PUBLISH, whose answer Redis leaves
 * out, and an acknowledgement to the writer. With --hear it is the other side: what comes from Redis goes to each client by
 * one send(). One epoll, one thread. No documents, rights or limits; a client that does not read is waited for.
 *
 * It knows bench_loadgen: masks are zeros, addresses are shorter than 128 bytes, the key of the handshake is always the same. */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN_BYTES = 8 << 20, MAX_CLIENTS = 1024, MASK_BYTES = 4, SYNC = 0, SYNC_STATUS = 8, STEP1 = 0, STEP2 = 1, UPDATE = 2 };

struct peer {
    int fd;
    bool upgraded;
    uint8_t *in;                      /* IN_BYTES; what is not touched costs nothing */
    size_t n;
};

static struct peer listener, redis, clients[MAX_CLIENTS + 1];
static size_t n_clients;
static int epoll_fd;

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench_relay: ", stderr);
    vfprintf(stderr, format, args);
    fprintf(stderr, " (%s)\n", strerror(errno));
    va_end(args);
    exit(1);
}

static void send_all(const struct peer *p, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t sent = send(p->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            die("send");
        at += sent;
        n -= (size_t)sent;
    }
}

static void watch(struct peer *p)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = p };
    int one = 1;

    p->in = malloc(IN_BYTES);
    if (p->in == NULL || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, p->fd, &e) != 0)
        die("cannot watch a socket");
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/* What has come; false at the end of the connection. */
static bool receive(struct peer *p)
{
    ssize_t n = recv(p->fd, p->in + p->n, IN_BYTES - p->n, 0);

    if (n > 0)
        p->n += (size_t)n;
    return n > 0 && p->n < IN_BYTES;
}

static void used_up(struct peer *p, size_t used)
{
    p->n -= used;
    if (p->n > 0)
        memmove(p->in, p->in + used, p->n);
}

/* --- Redis ------------------------------------------------------------------------------------------------- */

#define PUBLISH "*3\r\n$7\r\nPUBLISH\r\n$1\r\nu\r\n$"
#define MESSAGE "*3\r\n$7\r\nmessage\r\n$1\r\nu\r\n$"

/* HEADER and PAYLOAD of a frame, unmasked: what readers are sent as it is. */
static void publish(const uint8_t *header, size_t header_n, const uint8_t *payload, size_t n)
{
    static uint8_t room[IN_BYTES + 64];
    size_t at = (size_t)sprintf((char *)room, PUBLISH "%zu\r\n", header_n + n);

    memcpy(room + at, header, header_n);
    memcpy(room + at + header_n, payload, n);
    memcpy(room + at + header_n + n, "\r\n", 2);
    send_all(&redis, room, at + header_n + n + 2);
}

/* One whole message of Redis at the beginning of its bytes: to all clients. How long it was; 0 when it is not whole. */
static size_t pass_on(const uint8_t *p, size_t n)
{
    size_t length = 0, at = sizeof MESSAGE - 1;

    if (n < at)
        return 0;
    if (memcmp(p, MESSAGE, at) != 0)
        die("Redis says something else");
    while (at < n && p[at] != '\r')
        length = length * 10 + (p[at++] - '0');
    at += 2;
    if (n < at + length + 2)
        return 0;
    for (size_t i = 0; i < n_clients; i++)
        if (clients[i].upgraded)
            send_all(&clients[i], p + at, length);
    return at + length + 2;
}

static void on_redis(void)
{
    size_t used = 0, one;

    if (!receive(&redis))
        die("Redis has ended");
    while ((one = pass_on(redis.in + used, redis.n - used)) > 0)
        used += one;
    used_up(&redis, used);
}

static void dial_redis(int port, bool hear)
{
    static const char subscribe[] = "SUBSCRIBE u\r\n", confirmed[] = "*3\r\n$9\r\nsubscribe\r\n$1\r\nu\r\n:1\r\n", silent[] = "CLIENT REPLY OFF\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char answer[sizeof confirmed];

    redis.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (redis.fd < 0 || connect(redis.fd, (struct sockaddr *)&to, sizeof to) != 0)
        die("no Redis at port %d", port);
    watch(&redis);
    send_all(&redis, hear ? subscribe : silent, strlen(hear ? subscribe : silent));
    if (hear && recv(redis.fd, answer, sizeof confirmed - 1, MSG_WAITALL) != sizeof confirmed - 1)
        die("Redis does not take the subscription");
}

/* --- clients ------------------------------------------------------------------------------------------------- */

static void upgrade(struct peer *c)
{
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const uint8_t *end = memmem(c->in, c->n, "\r\n\r\n", 4);

    if (end == NULL)
        return;
    send_all(c, answer, sizeof answer - 1);
    c->upgraded = true;
    used_up(c, (size_t)(end + 4 - c->in));
}

/* A frame to C: the ADDRESS with its length before it, then WORDS. */
static void answer(const struct peer *c, const uint8_t *address, const uint8_t *words, size_t n)
{
    size_t address_n = 1u + address[0];
    uint8_t frame[160] = { 0x82, (uint8_t)(address_n + n) };

    memcpy(frame + 2, address, address_n);
    memcpy(frame + 2 + address_n, words, n);
    send_all(c, frame, 2 + address_n + n);
}

/* HEADER is that of the frame, without the mask. */
static void on_frame(const struct peer *c, uint8_t *header, size_t header_n, const uint8_t *payload, size_t n)
{
    static const uint8_t all_there[] = { SYNC, STEP2, 2, 0, 0 }, saved[] = { SYNC_STATUS, 1 };
    const uint8_t *kind = payload + 1 + payload[0];

    if (kind[0] == SYNC && kind[1] == STEP1) {
        answer(c, payload, all_there, sizeof all_there);
    } else if (kind[0] == SYNC && kind[1] == UPDATE) {
        header[1] &= 127;
        publish(header, header_n, payload, n);
        answer(c, payload, saved, sizeof saved);
    }
}

/* The frame at the beginning of what C has said; false when it is not whole. */
static bool take_frame(struct peer *c)
{
    unsigned first = c->n < 2 ? 0 : c->in[1] & 127;
    size_t header_n = first < 126 ? 2 : first == 126 ? 4 : 10, n = first;

    if (c->n < header_n + MASK_BYTES)
        return false;
    if (header_n > 2)
        n = 0;
    for (size_t at = 2; at < header_n; at++)
        n = n << 8 | c->in[at];
    if (c->n < header_n + MASK_BYTES + n)
        return false;
    on_frame(c, c->in, header_n, c->in + header_n + MASK_BYTES, n);
    used_up(c, header_n + MASK_BYTES + n);
    return true;
}

static void on_client(struct peer *c)
{
    if (!receive(c)) {
        close(c->fd);
        c->upgraded = false;
        return;
    }
    if (!c->upgraded)
        upgrade(c);
    while (c->upgraded && take_frame(c))
        ;
}

/* --- the whole ------------------------------------------------------------------------------------------------- */

static void listen_at(const char *port_file)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof at;

    listener.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener.fd < 0 || bind(listener.fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(listener.fd, MAX_CLIENTS) != 0 ||
        getsockname(listener.fd, (struct sockaddr *)&at, &n) != 0)
        die("cannot listen");
    watch(&listener);
    FILE *f = fopen(port_file, "w");
    if (f == NULL || fprintf(f, "%d\n", ntohs(at.sin_port)) < 0 || fclose(f) != 0)
        die("cannot write %s", port_file);
}

static void take_client(void)
{
    struct peer *c = &clients[n_clients];

    if (n_clients == MAX_CLIENTS || (c->fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC)) < 0)
        die("cannot take a client");
    n_clients++;
    watch(c);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = { { "redis", 1, NULL, 'r' }, { "port-file", 1, NULL, 'f' }, { "hear", 0, NULL, 'h' }, { 0 } };
    const char *port_file = NULL;
    bool hear = false;
    int redis_port = 0;

    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (o) {
        case 'r': redis_port = atoi(optarg); break;
        case 'f': port_file = optarg; break;
        case 'h': hear = true; break;
        default: return 2;
        }
    }
    if (redis_port == 0 || port_file == NULL || (epoll_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
        die("--redis and --port-file are needed");
    dial_redis(redis_port, hear);
    listen_at(port_file);
    for (;;) {
        struct epoll_event events[64];
        int n = epoll_wait(epoll_fd, events, 64, -1);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            if (p == &listener)
                take_client();
            else if (p == &redis)
                on_redis();
            else
                on_client(p);
        }
    }
}
