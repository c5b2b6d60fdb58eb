/* See umbel/http_exchanges.h: a ring. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/http_exchanges.h>
#include <umbel/util.h>
#include "http_int.h"

static _Atomic bool keeps;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct um_http_exchange *ring;         /* made when it is first wanted, for the life of the process */
static size_t n_kept, next_at;

void um_http_exchanges_keep(void)
{
    pthread_mutex_lock(&lock);
    if (ring == NULL)
        ring = um_xcalloc(UM_HTTP_EXCHANGES, sizeof(*ring));
    pthread_mutex_unlock(&lock);
    atomic_store(&keeps, true);
}

static void copy(char *to, size_t size, const char *text) { snprintf(to, size, "%.*s", (int)size - 1, text != NULL ? text : ""); }

void http_note_exchange(const struct um_http_req *rq)
{
    struct um_http_exchange *e;
    int64_t took_us;

    if (!atomic_load_explicit(&keeps, memory_order_relaxed))
        return;
    took_us = um_now_us() - rq->began_us;
    pthread_mutex_lock(&lock);
    e = &ring[next_at];
    next_at = (next_at + 1) % UM_HTTP_EXCHANGES;
    n_kept = UM_MIN(n_kept + 1, (size_t)UM_HTTP_EXCHANGES);
    e->at_wall_ms = um_wall_ms() - took_us / 1000;
    e->took_us = took_us;
    e->status = rq->status;
    copy(e->method, sizeof(e->method), rq->method);
    copy(e->peer, sizeof(e->peer), rq->conn->peer);
    copy(e->id, sizeof(e->id), rq->id);
    copy(e->path, sizeof(e->path), rq->path.text);
    copy(e->host, sizeof(e->host), um_http_header(rq, "Host"));
    copy(e->agent, sizeof(e->agent), um_http_header(rq, "User-Agent"));
    copy(e->accept, sizeof(e->accept), um_http_header(rq, "Accept"));
    pthread_mutex_unlock(&lock);
}

void um_http_exchanges_each(void (*cb)(void *arg, const struct um_http_exchange *e), void *arg)
{
    struct um_http_exchange *all = um_xcalloc(UM_HTTP_EXCHANGES, sizeof(*all));
    size_t n;

    pthread_mutex_lock(&lock);
    n = n_kept;
    for (size_t i = 0; i < n; i++)
        all[i] = ring[(next_at + UM_HTTP_EXCHANGES - 1 - i) % UM_HTTP_EXCHANGES];
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < n; i++)
        cb(arg, &all[i]);
    free(all);
}
