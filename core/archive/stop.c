#include "stop.h"
#include <errno.h>
#include <time.h>

void archive_stop_init(struct archive_stop *s)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, &attr);
    pthread_condattr_destroy(&attr);
    s->set = false;
}

void archive_stop_free(struct archive_stop *s)
{
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
}

void archive_stop_set(struct archive_stop *s)
{
    pthread_mutex_lock(&s->lock);
    s->set = true;
    pthread_mutex_unlock(&s->lock);
    pthread_cond_broadcast(&s->wake);
}

bool archive_stop_is_set(struct archive_stop *s)
{
    bool set;

    pthread_mutex_lock(&s->lock);
    set = s->set;
    pthread_mutex_unlock(&s->lock);
    return set;
}

bool archive_stop_wait(struct archive_stop *s, int64_t ms)
{
    struct timespec until;
    bool set;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while (!s->set && pthread_cond_timedwait(&s->wake, &s->lock, &until) != ETIMEDOUT)
        ;
    set = s->set;
    pthread_mutex_unlock(&s->lock);
    return !set;
}
