#include "server.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>
#include <umbel/bytes.h>

enum { REQUEST_MAX = 1 << 20, BOMB = 8 << 20 };

struct visit { struct server *s; int fd; struct um_buf request; size_t head_len, body_len; };

/* ---- saying ---- */

static bool say(struct visit *v, const void *data, size_t n)
{
    for (const char *p = data; n > 0;) {
        ssize_t k = send(v->fd, p, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static bool say_text(struct visit *v, const char *text) { return say(v, text, strlen(text)); }

static bool is_stopping(struct visit *v, int ms)
{
    struct pollfd p[2] = { { .fd = v->s->stop[0], .events = POLLIN }, { .fd = v->fd, .events = POLLRDHUP } };

    poll(p, 2, ms);
    return p[0].revents != 0 || p[1].revents != 0;
}

static void say_echo(struct visit *v)
{
    char head[128];

    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nX-Mixed:  a b \r\n\r\n", v->request.len);
    if (say_text(v, head))
        say(v, v->request.data, v->request.len);
}

static void hang(struct visit *v)
{
    while (!is_stopping(v, -1))
        ;
}

static void trickle(struct visit *v)
{
    for (say_text(v, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"); !is_stopping(v, 5);)
        say_text(v, "x");
}

static void say_large(struct visit *v)
{
    static char block[65536];

    say_text(v, "HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n");
    for (int i = 0; i < 40 && say(v, block, 50000); i++)
        ;
}

static void say_repeated(struct visit *v, const char *before, const char *again)
{
    for (say_text(v, before); say_text(v, again);)
        ;
}

/* Zeros without end in one kilobyte for each megabyte, as CODING. */
static void say_bomb(struct visit *v, const char *header)
{
    static unsigned char zeros[65536];
    unsigned char out[65536];
    z_stream z = { .next_in = zeros };
    size_t fed = 0;

    say_text(v, "HTTP/1.1 200 OK\r\nConnection: close\r\n");
    say_text(v, header);
    say_text(v, "\r\n\r\n");
    UM_ASSERT(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) == Z_OK);
    do {
        if (z.avail_in == 0) {
            z.next_in = zeros;
            z.avail_in = sizeof(zeros);
            fed += sizeof(zeros);
        }
        z.next_out = out;
        z.avail_out = sizeof(out);
        deflate(&z, fed < BOMB ? Z_NO_FLUSH : Z_FINISH);
    } while (say(v, out, sizeof(out) - z.avail_out) && fed < BOMB);
    deflateEnd(&z);
}

static void wait_at_gate(struct visit *v)
{
    while (!v->s->gate && !is_stopping(v, 5))
        ;
    say_text(v, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nopen");
}

static void say_huge_line(struct visit *v) { say_repeated(v, "HTTP/1.1 200 OK\r\nX: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"); }
static void say_endless_head(struct visit *v) { say_repeated(v, "HTTP/1.1 200 OK\r\n", "X-More: and more\r\n"); }
static void say_continues(struct visit *v) { say_repeated(v, "", "HTTP/1.1 100 Continue\r\n\r\n"); }
static void say_many_trailers(struct visit *v)
{
    say_repeated(v, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", "X-Late: x\r\n");
}
static void say_content_bomb(struct visit *v) { say_bomb(v, "Content-Encoding: gzip"); }
static void say_transfer_bomb(struct visit *v) { say_bomb(v, "Transfer-Encoding: gzip"); }

struct answer { const char *path; void (*fn)(struct visit *v); const char *text; bool end; };
static const struct answer answers[] = {
    { "/echo", say_echo, NULL, false },
    { "/status", NULL, "HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\ncode: F00039\r\nmessage: no tea\r\n\r\n", false },
    { "/redirect", NULL, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n", false },
    { "/interim", NULL, "HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false },
    { "/trailers", NULL, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Late: 1\r\n\r\n", false },
    { "/odd", NULL, "HTTP/1.1 200 OK\r\nGood: 1\r\n folded\r\nBad\x01: 2\r\nEvil: a\x1b[2J\r\nContent-Length: 0\r\n\r\n", false },
    { "/close", NULL, "", true },
    { "/half", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true },
    { "/halfhead", NULL, "HTTP/1.1 200 OK\r\nContent-Le", true },
    { "/onlyinterim", NULL, "HTTP/1.1 100 Continue\r\n\r\n", true },
    { "/http09", NULL, "hello there, I am no HTTP\r\n", true },
    { "/hang", hang, NULL, true },
    { "/trickle", trickle, NULL, true },
    { "/large", say_large, NULL, true },
    { "/huge-line", say_huge_line, NULL, true },
    { "/endless-head", say_endless_head, NULL, true },
    { "/continues", say_continues, NULL, true },
    { "/many-trailers", say_many_trailers, NULL, true },
    { "/content-bomb", say_content_bomb, NULL, true },
    { "/transfer-bomb", say_transfer_bomb, NULL, true },
    { "/gate", wait_at_gate, NULL, false },
};

/* ---- hearing ---- */

static bool read_more(struct visit *v)
{
    uint8_t *room = um_buf_room(&v->request, 65536);
    ssize_t n;

    if (is_stopping(v, 0) && recv(v->fd, room, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
        return false;
    n = recv(v->fd, room, 65536, 0);
    if (n > 0)
        um_buf_advance(&v->request, (size_t)n);
    return n > 0 && v->request.len < REQUEST_MAX;
}

static bool read_request(struct visit *v)
{
    const char *length;
    char *end;

    um_buf_clear(&v->request);
    while ((end = strstr(um_buf_cstr(&v->request), "\r\n\r\n")) == NULL)
        if (!read_more(v))
            return false;
    v->head_len = (size_t)(end + 4 - um_buf_cstr(&v->request));
    length = strstr(um_buf_cstr(&v->request), "Content-Length: ");
    v->body_len = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
    while (v->request.len < v->head_len + v->body_len)
        if (!read_more(v))
            return false;
    return true;
}

static bool answer(struct visit *v)
{
    const char *path = strchr(um_buf_cstr(&v->request), ' ');

    for (size_t i = 0; path != NULL && i < UM_COUNT(answers); i++) {
        size_t n = strlen(answers[i].path);
        if (strncmp(path + 1, answers[i].path, n) != 0 || strchr(" ?", path[1 + n]) == NULL)
            continue;
        if (answers[i].fn != NULL)
            answers[i].fn(v);
        else
            say_text(v, answers[i].text);
        return !answers[i].end;
    }
    return say_text(v, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
}

static void *serve(void *arg)
{
    struct visit *v = arg;
    int now = atomic_fetch_add(&v->s->open, 1) + 1;

    for (int most = v->s->most_open; most < now && !atomic_compare_exchange_weak(&v->s->most_open, &most, now);)
        ;
    while (read_request(v)) {
        v->s->requests++;
        if (!answer(v))
            break;
    }
    close(v->fd);
    v->s->open--;
    um_buf_free(&v->request);
    free(v);
    return NULL;
}

static void *accept_all(void *arg)
{
    struct server *s = arg;

    for (;;) {
        struct pollfd p[2] = { { .fd = s->stop[0], .events = POLLIN }, { .fd = s->fd, .events = POLLIN } };
        struct visit *v;
        poll(p, 2, -1);
        if (p[0].revents != 0)
            return NULL;
        v = um_xcalloc(1, sizeof(*v));
        v->s = s;
        UM_ASSERT((v->fd = accept(s->fd, NULL, NULL)) >= 0);
        s->connections++;
        UM_ASSERT(s->n_threads < (int)UM_COUNT(s->of_connection));
        UM_ASSERT(pthread_create(&s->of_connection[s->n_threads++], NULL, serve, v) == 0);
    }
}

/* ---- life ---- */

int server_listen(int family, int backlog, uint16_t *port)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr *sa = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
    socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(v6);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, sa, len) != 0 || listen(fd, backlog) != 0 || getsockname(fd, sa, &len) != 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    *port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    return fd;
}

void server_start(struct server *s, int family)
{
    memset(s, 0, sizeof(*s));
    UM_ASSERT((s->fd = server_listen(family, 256, &s->port)) >= 0);
    UM_ASSERT(pipe(s->stop) == 0);
    UM_ASSERT(pthread_create(&s->thread, NULL, accept_all, s) == 0);
}

void server_stop(struct server *s)
{
    UM_ASSERT(write(s->stop[1], "x", 1) == 1);
    pthread_join(s->thread, NULL);
    for (int i = 0; i < s->n_threads; i++)
        pthread_join(s->of_connection[i], NULL);
    close(s->fd);
    close(s->stop[0]);
    close(s->stop[1]);
}
