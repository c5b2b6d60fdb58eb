/* bench_loadgen: many clients of a collaboration server in one process, and what the server paid for them.
 *
 * Speaks WebSocket (RFC 6455, masked with a key of zeros) and on it Hocuspocus frames, or y-websocket frames with --proto y
 * (the same bodies without an address). The writers' updates are v1 text insertions of one character, made here, as a
 * typist makes them. A reader does not keep documents: it looks into each update only so far as to know up to which of the
 * writer's characters it has got, so updates that the server merged into one count as what they hold.
 *
 * Scenarios:  fanout  DOCS documents, each with one writer and READERS readers; RATE updates a second in all, or INFLIGHT open at once;
 *                     with --reader-port the readers are at another server than the writers; with --structs each document has
 *                     so many already
 *             presence  CLIENTS on one document; RATE changes of presence a second in all
 *             join    one holder of a document of STRUCTS structs; then CLIENTS join at once
 *             idle    CLIENTS on DOCS documents, silent; memory is read when it has come to rest
 *             seed    DOCS documents, each gets STRUCTS structs at once
 *             cold    DOCS documents are opened one after another, each by a client of its own
 *             recover CLIENTS on DOCS documents, UPDATES characters in each; the server is killed and started by somebody
 *                     else; the clients come back and look for the characters
 * The server's CPU time is user + system from /proc/PID/stat, its memory the resident pages of /proc/PID/statm.
 * One JSON object on stdout. With --hold the caller keeps the bill: "ready" is printed when the clients are there, the work
 * begins with a line on stdin, and after the result the clients stay until there is another or stdin ends. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEAD_BYTES = 14,                  /* the longest WebSocket header */
    LOOK_BYTES = 64 * 1024,           /* of a frame, at most so much is looked at; the rest is skipped */
    MAX_OPENING = 200,                /* handshakes on their way at once */
    LATENCY_SLOTS = 200000,           /* of 50 us each */
    LATENCY_SLOT_US = 50,
    WAIT_MS = 300000,                 /* nothing takes longer than this */
    DELETED_EVERY = 5,                /* words of such a document */
    LARGE_CLIENT = 1000000,           /* who wrote a large document, where its writer types behind it */
};

enum state { ST_CONNECTING, ST_UPGRADING, ST_OPEN, ST_JOINED, ST_DEAD };

struct doc {
    char name[48];
    uint32_t writer;                  /* index of its connection */
    uint64_t client;                  /* the writer's client id */
    uint32_t sent;                    /* characters typed; all fit the ring below */
    uint32_t acked;
    int64_t *sent_at_us;              /* when character n left */
};

struct conn {
    int fd;
    enum state state;
    uint32_t doc;
    uint32_t seen;                    /* characters of the document's writer */
    uint64_t skip;                    /* bytes of the present frame that nobody looks at */
    uint8_t *stash;                   /* the beginning of a frame that has not come whole */
    uint32_t stash_n;
    uint32_t clock;                   /* of its presence */
};

static struct {
    const char *scenario, *token, *path, *prefix;
    bool addressed, hold;
    int port, reader_port, pid;       /* pid 0: the caller keeps the bill */
    uint32_t docs, readers, clients, structs, inflight, updates;
    uint32_t first_client;            /* Yjs client of the first document's writer */
    double rate;
} opt = { .scenario = "fanout", .token = "", .path = "/collab", .prefix = "b", .addressed = true, .docs = 1, .readers = 100,
          .clients = 100, .updates = 1000, .rate = 100, .first_client = 100000 };

static struct conn *conns;
static uint32_t n_conns, n_opening, n_open, n_joined;
static struct doc *docs;
static int epoll_fd;
static uint64_t delivered, acks, refused, presence_got, bytes_in;
static uint32_t latency[LATENCY_SLOTS + 1], ack_latency[LATENCY_SLOTS + 1];
static int64_t last_join_us;
static bool killed;                           /* the server may be gone: connections that end are no error */
static bool returning;                        /* who joins looks for what was there before */
static uint32_t n_dead;
static int64_t first_dead_us;

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

__attribute__((noreturn, format(printf, 1, 2)))
static void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench_loadgen: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

/* --- the server's bill ------------------------------------------------------------------------------ */
static int64_t server_cpu_us(void)
{
    char path[64], line[1024];
    if (opt.pid == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/stat", opt.pid);
    FILE *f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof line, f) == NULL)
        die("server %d is gone", opt.pid);
    fclose(f);
    unsigned long user, sys;
    const char *after = strrchr(line, ')');
    if (after == NULL || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        die("cannot read %s", path);
    return (int64_t)(user + sys) * 1000000 / sysconf(_SC_CLK_TCK);
}

static int64_t server_rss_bytes(void)
{
    char path[64];
    if (opt.pid == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/statm", opt.pid);
    FILE *f = fopen(path, "r");
    long pages = 0;
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        die("cannot read %s", path);
    fclose(f);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

/* --- bytes of the protocol ------------------------------------------------------------------------------ */
struct out { uint8_t *at, *end; };

static void put_byte(struct out *o, unsigned byte)
{
    if (o->at == o->end)
        die("frame too long for its buffer");
    *o->at++ = (uint8_t)byte;
}

static void put_uint(struct out *o, uint64_t n)
{
    for (; n > 127; n >>= 7)
        put_byte(o, (unsigned)(n & 127) | 128);
    put_byte(o, (unsigned)n);
}

static void put_bytes(struct out *o, const void *bytes, size_t n)
{
    put_uint(o, n);
    for (size_t i = 0; i < n; i++)
        put_byte(o, ((const uint8_t *)bytes)[i]);
}

static void put_address(struct out *o, const struct doc *d)
{
    if (opt.addressed)
        put_bytes(o, d->name, strlen(d->name));
}

struct in { const uint8_t *at, *end; };       /* at NULL: ran over the end */

static uint64_t get_uint(struct in *i)
{
    uint64_t n = 0;
    for (unsigned shift = 0; i->at != NULL && i->at < i->end && shift < 63; shift += 7) {
        uint8_t byte = *i->at++;
        n |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return n;
    }
    i->at = NULL;
    return 0;
}

static struct in get_bytes(struct in *i)
{
    uint64_t n = get_uint(i);
    struct in piece = { NULL, NULL };
    if (i->at == NULL || n > (uint64_t)(i->end - i->at)) {
        i->at = NULL;
        return piece;
    }
    piece = (struct in){ i->at, i->at + n };
    i->at += n;
    return piece;
}

/* --- sending ----------------------------------------------------------------------------------------- */
static void send_all(struct conn *c, const uint8_t *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(c->fd, bytes, n, MSG_NOSIGNAL);
        if (sent > 0) {
            bytes += sent;
            n -= (size_t)sent;
        } else if (sent < 0 && errno == EAGAIN) {
            struct pollfd p = { .fd = c->fd, .events = POLLOUT };
            if (poll(&p, 1, 20000) <= 0)
                die("the server takes nothing any more");
        } else if (killed) {
            return;                               /* the end of the connection is heard by reading */
        } else {
            die("send: %s", strerror(errno));
        }
    }
}

/* BODY is preceded by HEAD_BYTES of room. */
static void send_message(struct conn *c, uint8_t *body, size_t n)
{
    uint8_t *h = body - 4;
    memset(h, 0, 4);                              /* the mask: zeros leave the bytes as they are */
    if (n < 126) {
        *--h = (uint8_t)(128 | n);
    } else if (n < 65536) {
        *--h = (uint8_t)n;
        *--h = (uint8_t)(n >> 8);
        *--h = 128 | 126;
    } else {
        for (uint64_t rest = n, i = 0; i < 8; i++, rest >>= 8)
            *--h = (uint8_t)rest;
        *--h = 128 | 127;
    }
    *--h = 0x82;
    send_all(c, h, (size_t)(body + n - h));
}

#define FRAME(o, size)                       \
    uint8_t o##_room[HEAD_BYTES + (size)];   \
    struct out o = { o##_room + HEAD_BYTES, o##_room + sizeof o##_room }
#define SEND(c, o) send_message(c, o##_room + HEAD_BYTES, (size_t)(o.at - o##_room - HEAD_BYTES))

static void send_join(struct conn *c)
{
    const struct doc *d = &docs[c->doc];
    if (opt.addressed) {
        FRAME(auth, 4096);
        put_address(&auth, d);
        put_uint(&auth, 2);
        put_uint(&auth, 0);
        put_bytes(&auth, opt.token, strlen(opt.token));
        put_bytes(&auth, "4.8.0", 5);
        SEND(c, auth);
    }
    FRAME(step1, 128);
    put_address(&step1, d);
    put_uint(&step1, 0);
    put_uint(&step1, 0);
    put_bytes(&step1, "\0", 1);
    SEND(c, step1);
}

static void send_empty_step2(struct conn *c)
{
    FRAME(o, 128);
    put_address(&o, &docs[c->doc]);
    put_uint(&o, 0);
    put_uint(&o, 1);
    put_bytes(&o, "\0\0", 2);
    SEND(c, o);
}

/* One character behind the one before. */
static void type_character(struct doc *d)
{
    uint8_t room[64];
    struct out u = { room, room + sizeof room };
    put_uint(&u, 1);
    put_uint(&u, 1);
    put_uint(&u, d->client);
    put_uint(&u, d->sent);
    if (d->sent == 0) {
        put_byte(&u, 0x04);                       /* a string, under the root type "t" */
        put_uint(&u, 1);
        put_bytes(&u, "t", 1);
    } else {
        put_byte(&u, 0x84);                       /* a string with a left neighbour */
        put_uint(&u, d->client);
        put_uint(&u, d->sent - 1);
    }
    put_bytes(&u, "x", 1);
    put_uint(&u, 0);
    FRAME(o, 192);
    put_address(&o, d);
    put_uint(&o, 0);
    put_uint(&o, 2);
    put_bytes(&o, room, (size_t)(u.at - room));
    d->sent_at_us[d->sent++] = now_us();
    SEND((&conns[d->writer]), o);
}

static void send_presence(struct conn *c)
{
    char state[96];
    uint8_t room[160];
    struct out u = { room, room + sizeof room };
    uint32_t id = (uint32_t)(c - conns) + 1000;
    snprintf(state, sizeof state, "{\"user\":{\"name\":\"user %u\"},\"cursor\":{\"anchor\":%u,\"head\":%u}}", id, c->clock, c->clock + 1);
    put_uint(&u, 1);
    put_uint(&u, id);
    put_uint(&u, ++c->clock);
    put_bytes(&u, state, strlen(state));
    FRAME(o, 320);
    put_address(&o, &docs[c->doc]);
    put_uint(&o, 1);
    put_bytes(&o, room, (size_t)(u.at - room));
    SEND(c, o);
}

/* A large document has a past: words here and there were deleted. */
static void put_deletions(struct out *u, uint64_t client, uint32_t n)
{
    put_uint(u, n > 0);
    if (n == 0)
        return;
    put_uint(u, client);
    put_uint(u, n);
    for (uint32_t i = 0; i < n; i++) {
        put_uint(u, (uint64_t)i * DELETED_EVERY * 8);
        put_uint(u, 8);
    }
}

/* A document that was typed back to front: every struct has a right neighbour and none can be joined with another. */
static void send_large_document(struct conn *c)
{
    size_t size = (size_t)opt.structs * 26 + 256;
    uint8_t *room = malloc(size), *frame = malloc(size + 256);
    if (room == NULL || frame == NULL)
        die("out of memory");
    struct doc *d = &docs[c->doc];
    bool typed_behind = strcmp(opt.scenario, "fanout") == 0;
    uint64_t client = d->client + (typed_behind ? LARGE_CLIENT : 0);
    struct out u = { room, room + size };
    put_uint(&u, 1);
    put_uint(&u, opt.structs);
    put_uint(&u, client);
    put_uint(&u, 0);
    for (uint32_t i = 0; i < opt.structs; i++) {
        put_byte(&u, i == 0 ? 0x04 : 0x44);
        if (i == 0) {
            put_uint(&u, 1);
            put_bytes(&u, "t", 1);
        } else {
            put_uint(&u, client);
            put_uint(&u, (uint64_t)(i - 1) * 8);
        }
        put_bytes(&u, "abcdefg ", 8);
    }
    put_deletions(&u, client, typed_behind ? opt.structs / DELETED_EVERY : 0);
    struct out o = { frame + HEAD_BYTES, frame + size + 256 };
    put_address(&o, d);
    put_uint(&o, 0);
    put_uint(&o, 2);
    put_bytes(&o, room, (size_t)(u.at - room));
    send_message(c, frame + HEAD_BYTES, (size_t)(o.at - frame - HEAD_BYTES));
    if (c == conns)
        fprintf(stderr, "document of %td bytes, %u structs\n", u.at - room, opt.structs);
    free(room);
    free(frame);
}

/* --- receiving --------------------------------------------------------------------------------------- */
static void note_latency(uint32_t *slots, int64_t us)
{
    int64_t slot = us / LATENCY_SLOT_US;
    slots[slot < LATENCY_SLOTS ? slot : LATENCY_SLOTS]++;
}

/* Up to which character of writer CLIENT this update goes; 0 when it holds none. */
static uint32_t update_end(struct in u, uint64_t client)
{
    uint32_t end = 0;
    for (uint64_t blocks = get_uint(&u); blocks > 0 && u.at != NULL; blocks--) {
        uint64_t structs = get_uint(&u), id = get_uint(&u), clock = get_uint(&u);
        for (; structs > 0 && u.at != NULL && u.at < u.end; structs--) {
            uint8_t info = *u.at++;
            if ((info & 31) != 4)
                return end;                       /* not a string: not of our making */
            if (info & 0x80) {
                get_uint(&u);
                get_uint(&u);
            }
            if (info & 0x40) {
                get_uint(&u);
                get_uint(&u);
            }
            if ((info & 0xc0) == 0) {
                get_uint(&u);
                get_bytes(&u);
            }
            struct in text = get_bytes(&u);
            clock += (uint64_t)(text.end - text.at);
        }
        if (id == client && u.at != NULL)
            end = (uint32_t)clock;
    }
    return end;
}

static void on_update(struct conn *c, struct in update)
{
    struct doc *d = &docs[c->doc];
    uint32_t end = update_end(update, d->client);
    if (end <= c->seen || (uint32_t)(c - conns) == d->writer)
        return;
    int64_t now = now_us();
    for (uint32_t i = c->seen; i < end && i < d->sent; i++)
        note_latency(latency, now - d->sent_at_us[i]);
    delivered += end - c->seen;
    c->seen = end;
}

static void on_sync(struct conn *c, struct in *i)
{
    uint64_t kind = get_uint(i);
    if (kind == 0) {
        send_empty_step2(c);
    } else if (kind == 1 && c->state == ST_OPEN) {
        c->state = ST_JOINED;
        n_joined++;
        last_join_us = now_us();
        if (returning)
            c->seen = update_end(get_bytes(i), docs[c->doc].client);
    } else if (kind == 2) {
        on_update(c, get_bytes(i));
    }
}

static void on_sync_status(struct conn *c, struct in *i)
{
    struct doc *d = &docs[c->doc];
    if (get_uint(i) != 1) {
        refused++;
        return;
    }
    acks++;
    if ((uint32_t)(c - conns) == d->writer && acks > 0 && d->sent > 0 && d->acked < d->sent)
        note_latency(ack_latency, now_us() - d->sent_at_us[d->acked++]);
}

static void on_presence(struct conn *c, struct in bytes)
{
    for (uint64_t n = get_uint(&bytes); n > 0 && bytes.at != NULL; n--) {
        uint64_t id = get_uint(&bytes);
        get_uint(&bytes);
        get_bytes(&bytes);
        if (id != (uint64_t)(c - conns) + 1000)
            presence_got++;
    }
}

static void on_message(struct conn *c, struct in i)
{
    if (opt.addressed)
        get_bytes(&i);
    if (i.at == NULL || i.at == i.end)
        return;                                   /* keep-alive */
    switch (get_uint(&i)) {
    case 0: on_sync(c, &i); break;
    case 1: on_presence(c, get_bytes(&i)); break;
    case 2:
        if (get_uint(&i) == 1)
            die("permission denied");
        break;
    case 7: die("the server closed a document");
    case 8: on_sync_status(c, &i); break;
    default: break;
    }
}

/* Header of the frame at P: its length and that of the payload; 0 when it has not come whole. */
static size_t frame_header(const uint8_t *p, size_t n, uint64_t *payload)
{
    if (n < 2)
        return 0;
    size_t header = p[1] < 126 ? 2 : p[1] == 126 ? 4 : 10;
    if (n < header)
        return 0;
    *payload = p[1] & 127;
    if (header > 2)
        *payload = 0;
    for (size_t k = 2; k < header; k++)
        *payload = *payload << 8 | p[k];
    return header;
}

static void on_frame(struct conn *c, const uint8_t *p, size_t header, uint64_t payload)
{
    if ((p[0] & 15) == 8)
        die("the server closed a connection (%u)", payload >= 2 ? (unsigned)(p[header] << 8 | p[header + 1]) : 0);
    if ((p[0] & 15) == 9) {
        FRAME(pong, 128);
        for (uint64_t k = 0; k < payload; k++)
            put_byte(&pong, p[header + k]);
        uint8_t *h = pong_room + HEAD_BYTES - 6;
        h[0] = 0x8a;
        h[1] = (uint8_t)(128 | payload);
        memset(h + 2, 0, 4);
        send_all(c, h, 6 + (size_t)payload);
    } else if ((p[0] & 15) <= 2) {
        on_message(c, (struct in){ p + header, p + header + payload });
    }
}

/* Whole frames in P; returns how many bytes were used up. Of a frame too long to look at whole, its beginning is enough. */
static size_t take_frames(struct conn *c, const uint8_t *p, size_t n)
{
    size_t used = 0;
    while (used < n) {
        uint64_t payload;
        size_t header = frame_header(p + used, n - used, &payload);
        if (header == 0)
            break;
        if (payload <= LOOK_BYTES) {
            if (n - used < header + payload)
                break;
            on_frame(c, p + used, header, payload);
            used += header + (size_t)payload;
        } else {
            size_t here = n - used - header;
            if (here < 256)
                break;
            on_message(c, (struct in){ p + used + header, p + used + header + here });
            c->skip = payload > here ? payload - here : 0;
            used = payload > here ? n : used + header + (size_t)payload;
        }
    }
    return used;
}

static void take_bytes(struct conn *c, const uint8_t *p, size_t n)
{
    if (c->skip > 0) {
        size_t skip = c->skip < n ? (size_t)c->skip : n;
        c->skip -= skip;
        p += skip;
        n -= skip;
    }
    if (n == 0)
        return;
    if (c->stash_n > 0) {                         /* rare: a frame in two reads */
        if ((c->stash = realloc(c->stash, c->stash_n + n)) == NULL)
            die("out of memory");
        memcpy(c->stash + c->stash_n, p, n);
        p = c->stash;
        n += c->stash_n;
    }
    size_t used = take_frames(c, p, n), rest = n - used;
    uint8_t *keep = NULL;
    if (rest > 0) {
        if ((keep = malloc(rest)) == NULL)
            die("out of memory");
        memcpy(keep, p + used, rest);
    }
    free(c->stash);
    c->stash = keep;
    c->stash_n = (uint32_t)rest;
}

static int upgrade_request(char *out, size_t size, const struct doc *d)
{
    return snprintf(out, size,
                    "GET %s%s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                    opt.path, opt.addressed ? "" : "/", opt.addressed ? "" : d->name, opt.port);
}

static void send_upgrade(struct conn *c)
{
    char request[512];
    int n = upgrade_request(request, sizeof request, &docs[c->doc]);
    c->state = ST_UPGRADING;
    send_all(c, (uint8_t *)request, (size_t)n);
}

static void take_upgrade(struct conn *c, uint8_t *p, size_t n)
{
    uint8_t *end = memmem(p, n, "\r\n\r\n", 4);
    if (end == NULL || n < 12 || memcmp(p, "HTTP/1.1 101", 12) != 0)
        die("handshake refused: %.*s", (int)(n < 60 ? n : 60), (char *)p);
    c->state = ST_OPEN;
    n_opening--;
    n_open++;
    take_bytes(c, end + 4, n - (size_t)(end + 4 - p));
}

static void on_dead(struct conn *c)
{
    if (n_dead++ == 0)
        first_dead_us = now_us();
    close(c->fd);
    free(c->stash);
    *c = (struct conn){ .doc = c->doc, .state = ST_DEAD };
}

static void on_ready(struct conn *c, uint32_t events)
{
    static uint8_t buffer[1 << 18];
    if (c->state == ST_CONNECTING && (events & EPOLLOUT)) {
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &e);
        send_upgrade(c);
        return;
    }
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0 && killed) {
        on_dead(c);
        return;
    }
    if (n <= 0)
        die("the server ended a connection: %s", n < 0 ? strerror(errno) : "end of file");
    bytes_in += (uint64_t)n;
    if (c->state == ST_UPGRADING)
        take_upgrade(c, buffer, (size_t)n);
    else
        take_bytes(c, buffer, (size_t)n);
}

static void turn(int ms)
{
    struct epoll_event events[256];
    int n = epoll_wait(epoll_fd, events, 256, ms);
    for (int i = 0; i < n; i++)
        on_ready(events[i].data.ptr, events[i].events);
}

/* --- phases ------------------------------------------------------------------------------------------- */
/* Until the caller gives a line, or has no more to say. */
static void hold(void)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    char line[64];

    fflush(stdout);
    while (opt.hold && poll(&p, 1, 0) == 0)
        turn(5);
    if (opt.hold && read(STDIN_FILENO, line, sizeof line) < 0)
        die("stdin: %s", strerror(errno));
}

static void hold_ready(void)
{
    if (opt.hold)
        puts("ready");
    hold();
}

static void dial(struct conn *c)
{
    bool reads = opt.reader_port != 0 && docs[c->doc].writer != (uint32_t)(c - conns);
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(reads ? opt.reader_port : opt.port)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int one = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    c->state = ST_CONNECTING;
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
    n_opening++;
}

static void wait_for(const char *what, const uint32_t *count, uint32_t goal)
{
    int64_t end = now_us() + (int64_t)WAIT_MS * 1000;
    while (*count < goal) {
        turn(100);
        if (now_us() > end)
            die("%s: %u of %u", what, *count, goal);
    }
}

static void open_conns(uint32_t from, uint32_t to)
{
    uint32_t goal = n_open + (to - from);
    for (uint32_t i = from; i < to; i++) {
        dial(&conns[i]);
        while (n_opening >= MAX_OPENING)
            turn(100);
    }
    wait_for("handshakes", &n_open, goal);
}

/* AT_ONCE: all ask before the first answer is read; else so many at a time that nobody has to queue long. */
static void join_conns(uint32_t from, uint32_t to, bool at_once)
{
    uint32_t goal = n_joined + (to - from);
    for (uint32_t i = from; i < to; i++) {
        send_join(&conns[i]);
        while (!at_once && i - from + 1 > n_joined - (goal - (to - from)) + MAX_OPENING)
            turn(100);
    }
    wait_for("joins", &n_joined, goal);
}

static void drain_quietly(int64_t quiet_ms)
{
    for (int64_t since = now_us(), before = (int64_t)bytes_in; now_us() - since < quiet_ms * 1000;) {
        turn(20);
        if ((int64_t)bytes_in != before) {
            before = (int64_t)bytes_in;
            since = now_us();
        }
    }
}

static void set_up(uint32_t n, uint32_t n_docs)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    n_conns = n;
    conns = calloc(n, sizeof *conns);
    docs = calloc(n_docs, sizeof *docs);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (conns == NULL || docs == NULL || epoll_fd < 0)
        die("out of memory");
    for (uint32_t i = 0; i < n_docs; i++) {
        snprintf(docs[i].name, sizeof docs[i].name, "%s-%u", opt.prefix, i);
        docs[i].client = opt.first_client + i;
        docs[i].writer = UINT32_MAX;
    }
}

static double percentile(const uint32_t *slots, double part)
{
    uint64_t all = 0, sum = 0;
    for (uint32_t i = 0; i <= LATENCY_SLOTS; i++)
        all += slots[i];
    for (uint32_t i = 0; i <= LATENCY_SLOTS; i++)
        if ((sum += slots[i]) >= (uint64_t)((double)all * part) && sum > 0)
            return (double)i * LATENCY_SLOT_US / 1000;
    return 0;
}

struct bill { int64_t cpu_us, at_us; };

static struct bill bill_now(void)
{
    return (struct bill){ server_cpu_us(), now_us() };
}

static void print_result(struct bill from, uint64_t deliveries, int64_t rss_before, int64_t rss_after)
{
    struct bill to = bill_now();
    printf("{\"scenario\":\"%s\",\"deliveries\":%" PRIu64 ",\"cpu_us\":%" PRId64 ",\"elapsed_us\":%" PRId64 ",\"acks\":%" PRIu64
           ",\"refused\":%" PRIu64 ",\"rss_before\":%" PRId64 ",\"rss_after\":%" PRId64 ",\"clients\":%u,\"join_us\":%" PRId64
           ",\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"ack_p50_ms\":%.2f,\"ack_p99_ms\":%.2f}\n",
           opt.scenario, deliveries, to.cpu_us - from.cpu_us, to.at_us - from.at_us, acks, refused, rss_before, rss_after, n_conns,
           last_join_us - from.at_us, percentile(latency, .5), percentile(latency, .99), percentile(ack_latency, .5), percentile(ack_latency, .99));
}

/* --- scenarios ---------------------------------------------------------------------------------------- */
static uint32_t slowest_reader(void)
{
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < n_conns; i++)
        if (i != docs[conns[i].doc].writer && conns[i].seen < least)
            least = conns[i].seen;
    return least;
}

static void type_at_rate(int64_t start)
{
    uint32_t total = opt.updates * opt.docs;
    for (uint32_t sent = 0; sent < total;) {
        int64_t due = start + (int64_t)((double)sent * 1e6 / opt.rate), now = now_us();
        if (now < due) {
            turn((int)((due - now + 999) / 1000));
            continue;
        }
        type_character(&docs[sent % opt.docs]);
        sent++;
        turn(0);
    }
}

static void type_in_flight(void)
{
    struct doc *d = &docs[0];
    while (d->sent < opt.updates) {
        uint32_t seen = slowest_reader();
        while (d->sent < opt.updates && d->sent - seen < opt.inflight)
            type_character(d);
        turn(100);
    }
}

static void run_fanout(void)
{
    uint32_t per_doc = 1 + opt.readers;
    set_up(opt.docs * per_doc, opt.docs);
    for (uint32_t i = 0; i < n_conns; i++) {
        conns[i].doc = i / per_doc;
        if (i % per_doc == 0) {
            docs[conns[i].doc].writer = i;
            if ((docs[conns[i].doc].sent_at_us = calloc(opt.updates, sizeof(int64_t))) == NULL)
                die("out of memory");
        }
    }
    open_conns(0, n_conns);
    join_conns(0, n_conns, false);
    drain_quietly(300);
    for (uint32_t i = 0; opt.structs > 0 && i < opt.docs; i++)
        send_large_document(&conns[docs[i].writer]);
    drain_quietly(opt.structs > 0 ? 2000 : 0);
    hold_ready();
    acks = 0;
    struct bill from = bill_now();
    if (opt.inflight > 0)
        type_in_flight();
    else
        type_at_rate(from.at_us);
    uint64_t goal = (uint64_t)opt.updates * opt.docs * opt.readers, goal_acks = opt.addressed ? (uint64_t)opt.updates * opt.docs : 0;
    for (int64_t end = now_us() + (int64_t)WAIT_MS * 1000; delivered < goal || acks + refused < goal_acks;) {
        turn(20);
        if (now_us() > end)
            die("%" PRIu64 " of %" PRIu64 " deliveries, %" PRIu64 " of %" PRIu64 " acknowledgements", delivered, goal, acks, goal_acks);
    }
    print_result(from, delivered, 0, server_rss_bytes());
    hold();
}

static void run_presence(void)
{
    set_up(opt.clients, 1);
    open_conns(0, n_conns);
    join_conns(0, n_conns, false);
    for (uint32_t i = 0; i < n_conns; i++)
        send_presence(&conns[i]);
    drain_quietly(500);
    presence_got = 0;
    struct bill from = bill_now();
    for (uint32_t sent = 0; sent < opt.updates;) {
        int64_t due = from.at_us + (int64_t)((double)sent * 1e6 / opt.rate), now = now_us();
        if (now < due) {
            turn((int)((due - now + 999) / 1000));
            continue;
        }
        send_presence(&conns[sent++ % n_conns]);
    }
    drain_quietly(200);
    print_result(from, presence_got, 0, server_rss_bytes());
}

static void run_join(void)
{
    set_up(opt.clients + 1, 1);
    open_conns(0, 1);
    join_conns(0, 1, false);
    drain_quietly(300);
    uint64_t acks_before = acks;
    send_large_document(&conns[0]);
    for (int64_t end = now_us() + 30000000; opt.addressed && acks <= acks_before;) {
        turn(20);
        if (now_us() > end)
            die("the large document was not acknowledged");
    }
    open_conns(1, n_conns);
    drain_quietly(1000);
    struct bill from = bill_now();
    join_conns(1, n_conns, true);
    int64_t joined = last_join_us;
    drain_quietly(300);
    last_join_us = joined;
    print_result(from, opt.clients, 0, server_rss_bytes());
}

/* Memory has come to rest when it changes by less than 1 % in half a second. */
static int64_t settled_rss(void)
{
    int64_t last = -1, now = server_rss_bytes();
    for (int tries = 0; tries < 20 && (last < 0 || llabs(now - last) * 100 > now); tries++) {
        last = now;
        for (int64_t end = now_us() + 500000; now_us() < end;)
            turn(50);
        now = server_rss_bytes();
    }
    return now;
}

static void run_idle(void)
{
    set_up(opt.clients, opt.docs);
    for (uint32_t i = 0; i < n_conns; i++)
        conns[i].doc = i % opt.docs;
    int64_t before = settled_rss();
    struct bill from = bill_now();
    open_conns(0, n_conns);
    join_conns(0, n_conns, false);
    print_result(from, n_joined, before, settled_rss());
}

static void wait_for_acks(uint64_t goal)
{
    for (int64_t end = now_us() + (int64_t)WAIT_MS * 1000; acks < goal;) {
        turn(20);
        if (now_us() > end)
            die("%" PRIu64 " of %" PRIu64 " acknowledgements", acks, goal);
    }
}

static void one_client_each(void)
{
    set_up(opt.docs, opt.docs);
    for (uint32_t i = 0; i < n_conns; i++) {
        conns[i].doc = i;
        docs[i].writer = i;
    }
}

static void run_seed(void)
{
    one_client_each();
    open_conns(0, n_conns);
    join_conns(0, n_conns, false);
    drain_quietly(300);
    struct bill from = bill_now();
    acks = 0;
    for (uint32_t i = 0; i < n_conns; i++) {
        send_large_document(&conns[i]);
        turn(0);
    }
    wait_for_acks(n_conns);
    print_result(from, n_conns, 0, server_rss_bytes());
    hold();
}

/* The handshake is no part of it; the whole state is. */
static void run_cold(void)
{
    one_client_each();
    open_conns(0, n_conns);
    hold_ready();
    struct bill from = bill_now();
    for (uint32_t i = 0; i < n_conns; i++) {
        int64_t asked = now_us();
        join_conns(i, i + 1, true);
        while (conns[i].skip > 0)
            turn(100);
        note_latency(latency, now_us() - asked);
    }
    last_join_us = now_us();
    print_result(from, n_joined, 0, server_rss_bytes());
    hold();
}

/* A handshake that is answered: the dying server's socket may take connections to the last. */
static bool is_answered(void)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char request[512], answer[512];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), n = upgrade_request(request, sizeof request, &docs[0]);
    bool there = connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && send(fd, request, (size_t)n, MSG_NOSIGNAL) == n &&
                 recv(fd, answer, sizeof answer, 0) > 12 && memcmp(answer, "HTTP/1.1 101", 12) == 0;
    close(fd);
    return there;
}

static void wait_for_server(void)
{
    const struct timespec pause = { .tv_nsec = 500000 };
    for (int64_t end = now_us() + (int64_t)WAIT_MS * 1000; !is_answered();) {
        if (now_us() > end)
            die("the server does not come back");
        nanosleep(&pause, NULL);
    }
}

static void come_back(void)
{
    wait_for("ended connections", &n_dead, n_conns);
    wait_for_server();
    int64_t down_us = now_us() - first_dead_us;
    n_open = n_joined = n_opening = 0;
    killed = false;
    returning = true;
    open_conns(0, n_conns);
    join_conns(0, n_conns, false);
    uint32_t lost = 0;
    for (uint32_t i = 0; i < n_conns; i++)
        lost += docs[conns[i].doc].sent - conns[i].seen;
    printf("{\"scenario\":\"recover\",\"clients\":%u,\"down_us\":%" PRId64 ",\"synced_us\":%" PRId64 ",\"lost\":%u}\n", n_conns,
           down_us, last_join_us - first_dead_us, lost);
}

static void run_recover(void)
{
    set_up(opt.clients, opt.docs);
    for (uint32_t i = 0; i < n_conns; i++)
        conns[i].doc = i % opt.docs;
    for (uint32_t i = 0; i < opt.docs; i++) {
        docs[i].writer = i;
        if ((docs[i].sent_at_us = calloc(opt.updates, sizeof(int64_t))) == NULL)
            die("out of memory");
    }
    open_conns(0, n_conns);
    join_conns(0, n_conns, false);
    drain_quietly(300);
    acks = 0;
    type_at_rate(now_us());
    wait_for_acks((uint64_t)opt.updates * opt.docs);
    killed = true;
    hold_ready();
    come_back();
    hold();
}

static const struct { const char *name; void (*run)(void); } scenarios[] = {
    { "fanout", run_fanout }, { "presence", run_presence }, { "join", run_join }, { "idle", run_idle },
    { "seed", run_seed }, { "cold", run_cold }, { "recover", run_recover },
};

static uint32_t number(const char *text)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*text == '\0' || *end != '\0' || n > 100000000)
        die("not a number: %s", text);
    return (uint32_t)n;
}

static void read_options(int argc, char **argv)
{
    static const struct option longs[] = {
        { "scenario", 1, NULL, 's' }, { "token", 1, NULL, 't' }, { "path", 1, NULL, 'p' }, { "prefix", 1, NULL, 'x' },
        { "proto", 1, NULL, 'o' }, { "port", 1, NULL, 'P' }, { "pid", 1, NULL, 'i' }, { "docs", 1, NULL, 'd' },
        { "readers", 1, NULL, 'r' }, { "clients", 1, NULL, 'c' }, { "structs", 1, NULL, 'S' }, { "inflight", 1, NULL, 'f' },
        { "updates", 1, NULL, 'u' }, { "rate", 1, NULL, 'R' }, { "first-client", 1, NULL, 'C' }, { "hold", 0, NULL, 'h' },
        { "reader-port", 1, NULL, 'Q' }, { 0 },
    };
    for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        switch (o) {
        case 's': opt.scenario = optarg; break;
        case 't': opt.token = optarg; break;
        case 'p': opt.path = optarg; break;
        case 'x': opt.prefix = optarg; break;
        case 'o': opt.addressed = strcmp(optarg, "y") != 0; break;
        case 'P': opt.port = (int)number(optarg); break;
        case 'Q': opt.reader_port = (int)number(optarg); break;
        case 'i': opt.pid = (int)number(optarg); break;
        case 'd': opt.docs = number(optarg); break;
        case 'r': opt.readers = number(optarg); break;
        case 'c': opt.clients = number(optarg); break;
        case 'S': opt.structs = number(optarg); break;
        case 'f': opt.inflight = number(optarg); break;
        case 'u': opt.updates = number(optarg); break;
        case 'R': opt.rate = (double)number(optarg); break;
        case 'C': opt.first_client = number(optarg); break;
        case 'h': opt.hold = true; break;
        default: exit(2);
        }
    }
    if (opt.port == 0 || (opt.pid == 0 && !opt.hold) || opt.docs == 0 || opt.rate <= 0)
        die("--port, --pid (or --hold), --docs and --rate are needed");
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++)
        if (strcmp(scenarios[i].name, opt.scenario) == 0) {
            scenarios[i].run();
            return 0;
        }
    die("no such scenario: %s", opt.scenario);
}
