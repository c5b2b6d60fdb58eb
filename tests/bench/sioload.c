/* The clients of `bench socketio`: WebSockets and long polling against any Socket.IO server, in one thread, so that the servers are what
 * is measured. One JSON line on standard output.
 *
 *   bench_sioload --port N --pid P --scenario fanout|rooms|polling|idle --clients N [--rate R] [--updates U] [--inflight I]
 *
 * The namespace is /lab; its events: join and leave ([rooms], acknowledged) and cast (options, [event...]). */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/base.h>
#include <umbel/util.h>

enum { IN_MAX = 256 * 1024, SETTLE_MS = 30000, ROOMS = 50 };

struct client {
    int fd;
    bool is_ws, polls;
    char sid[32];
    uint8_t *in;
    size_t n_in;
    uint64_t events, acks, connects;      /* heard so far */
};
static struct {
    const char *scenario;
    int port, pid, clients, rate, updates, inflight;
    struct client *list;
    int epoll;
    uint64_t events, acks;
} all = { .scenario = "fanout", .clients = 100, .rate = 50, .updates = 500 };

_Noreturn static void die(const char *what)
{
    fprintf(stderr, "bench_sioload: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* --- sending -------------------------------------------------------------------------------------------------------- */

static void send_all(struct client *c, const void *data, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t sent = send(c->fd, (const char *)data + at, n - at, MSG_NOSIGNAL);

        if (sent < 0 && errno != EAGAIN && errno != EINTR)
            die("send");
        at += sent > 0 ? (size_t)sent : 0;
    }
}

/* Masked with zeros. */
static void send_frame(struct client *c, const char *text)
{
    uint8_t head[8] = { 0x81 };
    size_t n = strlen(text), h = 2;

    if (n < 126) {
        head[1] = (uint8_t)(0x80 | n);
    } else {
        head[1] = 0x80 | 126;
        head[2] = (uint8_t)(n >> 8);
        head[3] = (uint8_t)n;
        h = 4;
    }
    send_all(c, head, h);                 /* four bytes of mask follow */
    send_all(c, "\0\0\0\0", 4);
    send_all(c, text, n);
}

static void send_get(struct client *c)
{
    char rq[256];

    snprintf(rq, sizeof(rq), "GET /socket.io/?EIO=4&transport=polling%s%s HTTP/1.1\r\nHost: x\r\n\r\n", c->sid[0] != '\0' ? "&sid=" : "", c->sid);
    send_all(c, rq, strlen(rq));
}

static void send_post(struct client *c, const char *text)
{
    char rq[512];

    snprintf(rq, sizeof(rq), "POST /socket.io/?EIO=4&transport=polling&sid=%s HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s",
             c->sid, strlen(text), text);
    send_all(c, rq, strlen(rq));
}

static void say(struct client *c, const char *text)
{
    if (c->is_ws)
        send_frame(c, text);
    else
        send_post(c, text);
}

/* --- hearing --------------------------------------------------------------------------------------------------------- */

static void hear_packet(struct client *c, const char *p, size_t n)
{
    if (n >= 1 && p[0] == '2')
        say(c, "3");
    if (n < 2 || p[0] != '4')
        return;
    c->connects += p[1] == '0';
    if (p[1] == '2') {
        c->events++;
        all.events++;
    }
    if (p[1] == '3') {
        c->acks++;
        all.acks++;
    }
}

static size_t hear_frames(struct client *c)
{
    size_t at = 0;

    while (c->n_in - at >= 2) {
        const uint8_t *p = c->in + at;
        size_t len = p[1] & 0x7f, head = 2;

        if (len == 126 && c->n_in - at >= 4) {
            len = (size_t)p[2] << 8 | p[3];
            head = 4;
        } else if (len >= 126) {
            break;
        }
        if (c->n_in - at < head + len)
            break;
        hear_packet(c, (const char *)p + head, len);
        at += head + len;
    }
    return at;
}

static void hear_payload(struct client *c, const char *p, size_t n)
{
    const char *sid;

    if (n > 0 && p[0] == '0' && (sid = strstr(p, "\"sid\":\"")) != NULL)
        snprintf(c->sid, sizeof(c->sid), "%.20s", sid + 7);
    while (n > 0) {
        const char *end = memchr(p, 0x1e, n);
        size_t len = end != NULL ? (size_t)(end - p) : n;

        hear_packet(c, p, len);
        n -= end != NULL ? len + 1 : len;
        p += len + 1;
    }
}

static size_t hear_answers(struct client *c)
{
    size_t at = 0;

    for (;;) {
        char *p = (char *)c->in + at, *body, *length;
        size_t len;

        c->in[c->n_in] = '\0';
        if ((body = strstr(p, "\r\n\r\n")) == NULL || (length = strcasestr(p, "content-length:")) == NULL || length > body)
            return at;
        body += 4;
        len = strtoul(length + 15, NULL, 10);
        if ((size_t)((char *)c->in + c->n_in - body) < len)
            return at;
        if (strncmp(p, "HTTP/1.1 200", 12) != 0)
            die("an answer that is not 200");
        if (len != 2 || memcmp(body, "ok", 2) != 0)
            hear_payload(c, body, len);
        at = (size_t)(body - (char *)c->in) + len;
        if (c->polls)
            send_get(c);
    }
}

static void read_some(struct client *c)
{
    ssize_t n = recv(c->fd, c->in + c->n_in, IN_MAX - c->n_in - 1, MSG_DONTWAIT);
    size_t taken;

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        die("a connection ended");
    if (n < 0)
        return;
    c->n_in += (size_t)n;
    taken = c->is_ws ? hear_frames(c) : hear_answers(c);
    memmove(c->in, c->in + taken, c->n_in - taken);
    c->n_in -= taken;
}

static void turn(int wait_ms)
{
    struct epoll_event ev[256];
    int n = epoll_wait(all.epoll, ev, 256, wait_ms);

    for (int i = 0; i < n; i++)
        read_some(ev[i].data.ptr);
}

static void until_heard(const uint64_t *what, uint64_t n, const char *name)
{
    int64_t end = um_now_ms() + SETTLE_MS;

    while (*what < n) {
        turn(10);
        if (um_now_ms() > end) {
            fprintf(stderr, "bench_sioload: %s: %llu of %llu\n", name, (unsigned long long)*what, (unsigned long long)n);
            exit(1);
        }
    }
}

/* --- connecting -------------------------------------------------------------------------------------------------------- */

static void open_tcp(struct client *c)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)all.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    c->in = um_xmalloc(IN_MAX);
    if (epoll_ctl(all.epoll, EPOLL_CTL_ADD, c->fd, &ev) != 0)
        die("epoll");
}

static void open_socket(struct client *c)
{
    static const char rq[] = "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    char byte, tail[4] = "";

    open_tcp(c);
    send_all(c, rq, sizeof(rq) - 1);
    while (memcmp(tail, "\r\n\r\n", 4) != 0) {
        if (recv(c->fd, &byte, 1, 0) != 1)
            die("handshake");
        memmove(tail, tail + 1, 3);
        tail[3] = byte;
    }
    c->is_ws = true;
    send_frame(c, "40/lab,");
    until_heard(&c->connects, 1, "connected");
}

static void open_polling(struct client *c)
{
    open_tcp(c);
    send_get(c);
    for (int64_t end = um_now_ms() + SETTLE_MS; c->sid[0] == '\0' && um_now_ms() < end;)
        turn(10);
    send_post(c, "40/lab,");
    send_get(c);
    until_heard(&c->connects, 1, "connected");
}

static void join(struct client *c, const char *room)
{
    char text[64];

    snprintf(text, sizeof(text), "42/lab,0[\"join\",[\"%s\"]]", room);
    say(c, text);
    if (!c->is_ws)
        send_get(c);
    until_heard(&c->acks, c->acks + 1, "joined");
}

/* --- what the server has cost -------------------------------------------------------------------------------------------- */

static int64_t cpu_us(void)
{
    char path[64], task[352], text[64];
    int64_t sum = 0;
    struct dirent *d;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", all.pid);
    if ((dir = opendir(path)) == NULL)
        die("no such server");
    while ((d = readdir(dir)) != NULL) {
        FILE *f;

        snprintf(task, sizeof(task), "%s/%s/schedstat", path, d->d_name);
        if (d->d_name[0] != '.' && (f = fopen(task, "re")) != NULL) {
            if (fgets(text, sizeof(text), f) != NULL)
                sum += strtoll(text, NULL, 10) / 1000;
            fclose(f);
        }
    }
    closedir(dir);
    return sum;
}

static int64_t rss(void)
{
    char path[64], line[256];
    int64_t kb = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", all.pid);
    if ((f = fopen(path, "re")) == NULL)
        die("no such server");
    while (fgets(line, sizeof(line), f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kb = strtoll(line + 6, NULL, 10);
    fclose(f);
    return kb * 1024;
}

/* --- the scenarios ------------------------------------------------------------------------------------------------------------ */

struct clock { int64_t at_us, cpu_us; };
static struct clock start(void) { return (struct clock){ um_now_us(), cpu_us() }; }

static void report(struct clock from, uint64_t done)
{
    printf("{\"done\":%llu,\"elapsed_us\":%lld,\"cpu_us\":%lld}\n", (unsigned long long)done, (long long)(um_now_us() - from.at_us),
           (long long)(cpu_us() - from.cpu_us));
}

static void cast(struct client *c)
{
    send_frame(c, "42/lab,[\"cast\",{\"rooms\":[\"r\"]},[\"e\",\"0123456789012345678901234567890123456789012345678901234567890123\"]]");
}

/* RATE a second, or as fast as INFLIGHT allows. */
static void run_casts(struct client *sender, uint64_t receivers)
{
    struct clock from;
    uint64_t before;

    for (int64_t end = um_now_ms() + 300; um_now_ms() < end;)      /* what joining has left behind */
        turn(10);
    before = all.events;
    from = start();
    for (int sent = 0; sent < all.updates;) {
        bool due = all.inflight > 0 ? (uint64_t)(sent - all.inflight + 1) * receivers <= all.events - before || sent < all.inflight
                                    : um_now_us() >= from.at_us + (int64_t)sent * 1000000 / all.rate;

        if (due) {
            cast(sender);
            sent++;
        }
        turn(due ? 0 : 1);
    }
    until_heard(&all.events, before + (uint64_t)all.updates * receivers, "delivered");
    report(from, all.events - before);
}

static void run_fanout(bool polling)
{
    struct client *sender = &all.list[all.clients];

    for (int i = 0; i < all.clients; i++) {
        if (polling)
            open_polling(&all.list[i]);
        else
            open_socket(&all.list[i]);
        join(&all.list[i], "r");
    }
    open_socket(sender);
    for (int i = 0; i < all.clients && polling; i++) {
        all.list[i].polls = true;
        send_get(&all.list[i]);
    }
    run_casts(sender, (uint64_t)all.clients);
}

/* Each client in turn: into a room, and out of it. */
static void run_rooms(void)
{
    struct clock from;
    char text[64];

    for (int i = 0; i < all.clients; i++)
        open_socket(&all.list[i]);
    all.acks = 0;
    from = start();
    for (int sent = 0; sent < all.updates;) {
        if (um_now_us() >= from.at_us + (int64_t)sent * 1000000 / all.rate) {
            snprintf(text, sizeof(text), "42/lab,%d[\"%s\",[\"room-%d\"]]", sent, sent / all.clients % 2 == 0 ? "join" : "leave", sent % ROOMS);
            send_frame(&all.list[sent % all.clients], text);
            sent++;
            turn(0);
        } else {
            turn(1);
        }
    }
    until_heard(&all.acks, (uint64_t)all.updates, "answered");
    report(from, all.acks);
}

static void run_idle(void)
{
    int64_t before = rss();

    for (int i = 0; i < all.clients; i++)
        open_socket(&all.list[i]);
    usleep(500000);
    printf("{\"done\":%d,\"rss_before\":%lld,\"rss_after\":%lld}\n", all.clients, (long long)before, (long long)rss());
}

static void read_arguments(int argc, char **argv)
{
    const struct { const char *name; int *to; } numbers[] = {
        { "--port", &all.port }, { "--pid", &all.pid }, { "--clients", &all.clients }, { "--rate", &all.rate }, { "--updates", &all.updates },
        { "--inflight", &all.inflight },
    };

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--scenario") == 0)
            all.scenario = argv[i + 1];
        for (size_t k = 0; k < UM_COUNT(numbers); k++)
            if (strcmp(argv[i], numbers[k].name) == 0)
                *numbers[k].to = atoi(argv[i + 1]);
    }
}

int main(int argc, char **argv)
{
    read_arguments(argc, argv);
    all.list = um_xcalloc((size_t)all.clients + 1, sizeof(*all.list));
    all.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (strcmp(all.scenario, "rooms") == 0)
        run_rooms();
    else if (strcmp(all.scenario, "idle") == 0)
        run_idle();
    else
        run_fanout(strcmp(all.scenario, "polling") == 0);
    return 0;
}
