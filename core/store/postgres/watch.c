/* A deadline for a call into libpq that has none of its own. libpq without blocking moves what it has not sent yet to the
 * front of its buffer whenever the socket is full: quadratic for a large state (70 MB: 10 s). Blocking it does not, but waits
 * for ever. So what is large is sent blocking, with a thread beside it that shuts the socket down when it takes too long. */
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <umbel/util.h>
#include "pg_internal.h"
#include "store_internal.h"

struct pg_watch {
    pthread_t thread;
    pthread_mutex_t lock;            /* of the next one */
    pthread_cond_t wake;
    bool over;
    int fd;
    int64_t until_ms;
};

static void *watch(void *arg)
{
    struct pg_watch *w = arg;
    struct timespec ts = { .tv_sec = w->until_ms / 1000, .tv_nsec = w->until_ms % 1000 * 1000000 };

    pthread_mutex_lock(&w->lock);
    while (!w->over && um_now_ms() < w->until_ms)
        pthread_cond_timedwait(&w->wake, &w->lock, &ts);
    if (!w->over)
        shutdown(w->fd, SHUT_RDWR);
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct pg_watch *pg_watch_start(int fd, int64_t ms)
{
    struct pg_watch *w = um_xcalloc(1, sizeof(*w));
    pthread_condattr_t monotonic;

    w->fd = fd;
    w->until_ms = um_now_ms() + ms;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (store_thread(&w->thread, "store-watch", watch, w) == UM_OK)
        return w;
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
    return NULL;
}

void pg_watch_stop(struct pg_watch *w)
{
    pthread_mutex_lock(&w->lock);
    w->over = true;
    pthread_mutex_unlock(&w->lock);
    pthread_cond_signal(&w->wake);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
