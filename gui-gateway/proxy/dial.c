/* Connecting with CURLOPT_CONNECT_ONLY. The socket is curl's and goes with its handle, so we keep a duplicate. */
#include <proxy/dial.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "upstream_int.h"

struct um_dial {
    struct upstream_job job;
    um_dial_cb *cb;
    void *arg;
};

static int duplicate_socket(CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    int dup, on = 1;

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD ||
        (dup = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0)
        return -1;
    fcntl(dup, F_SETFL, fcntl(dup, F_GETFL) | O_NONBLOCK);
    setsockopt(dup, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return dup;
}

static void dialled(struct upstream_job *job, CURLcode code)
{
    struct um_dial *d = UM_CONTAINER(job, struct um_dial, job);
    int fd = code == CURLE_OK ? duplicate_socket(job->easy) : -1;

    upstream_drop(job);
    d->cb(d->arg, fd >= 0 ? UM_OK : UM_EUNAVAIL, fd);
    free(d);
}

void um_dial_cancel(struct um_dial *d)
{
    if (d == NULL)
        return;
    upstream_drop(&d->job);
    free(d);
}

static void abandoned(struct upstream_job *job)
{
    um_dial_cancel(UM_CONTAINER(job, struct um_dial, job));
}

struct um_dial *um_dial_start(struct um_upstream *up, const struct um_core *core, um_dial_cb *cb, void *arg)
{
    struct um_dial *d = um_xcalloc(1, sizeof(*d));

    d->cb = cb;
    d->arg = arg;
    d->job.done = dialled;
    d->job.abandon = abandoned;
    if ((d->job.easy = upstream_handle(up, core, "/")) != NULL &&
        curl_easy_setopt(d->job.easy, CURLOPT_CONNECT_ONLY, 1L) == CURLE_OK && upstream_add(up, &d->job) == UM_OK)
        return d;
    if (d->job.easy != NULL)
        curl_easy_cleanup(d->job.easy);
    free(d);
    return NULL;
}
