/* Closing after a reply that came before the whole request was read. Closing a socket with unread input resets the
 * connection, and the reset can overtake the reply: the client would see an error instead of our 413. So a duplicate of the
 * descriptor stays, half-closed, and what still comes is read away for a short while. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include "http_int.h"

enum { LINGER_MS = 2000, LINGER_BYTES = 16 * 1024 * 1024, LINGER_MAX = 256, PIECE = 16 * 1024 };

struct http_linger {
    struct um_http *http;
    struct um_list link;
    struct um_io io;
    struct um_timer timer;
    size_t read;
};

static void end_linger(struct http_linger *g)
{
    int fd = g->io.fd;

    um_io_stop(g->http->loop, &g->io);
    um_timer_stop(g->http->loop, &g->timer);
    um_list_remove(&g->link);
    close(fd);
    free(g);
}

static void on_time(void *arg)
{
    end_linger(arg);
}

static void on_input(void *arg, unsigned events)
{
    struct http_linger *g = arg;
    char away[PIECE];
    ssize_t n = recv(g->io.fd, away, sizeof(away), MSG_DONTWAIT);

    g->read += n > 0 ? (size_t)n : 0;
    if (n == 0 || (n < 0 && (events & UM_HUP)) || g->read > LINGER_BYTES)
        end_linger(g);
}

void http_linger(struct um_http *h, int fd)
{
    struct http_linger *g;
    size_t n = 0;
    int mine;

    UM_LIST_EACH(it, &h->lingering)
        n++;
    if (n >= LINGER_MAX || (mine = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
        return;                             /* a courtesy, not a promise */
    shutdown(mine, SHUT_WR);
    g = um_xcalloc(1, sizeof(*g));
    g->http = h;
    um_list_append(&h->lingering, &g->link);
    if (um_io_start(h->loop, &g->io, mine, UM_READ, on_input, g) != UM_OK)
        g->io.fd = mine;
    um_timer_set(h->loop, &g->timer, LINGER_MS, on_time, g);
}

void http_linger_end(struct um_http *h)
{
    UM_LIST_EACH_SAFE(it, &h->lingering)
        end_linger(UM_CONTAINER(it, struct http_linger, link));
}
