/* N loops, each with its thread. Threads block all signals: the daemon's main thread takes them. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include "loop_internal.h"

struct um_reactors {
    unsigned n;
    bool running;
    struct um_loop **loop;
    pthread_t *thread;
};

struct um_reactors *um_reactors_new(unsigned n)
{
    struct um_reactors *r = um_xcalloc(1, sizeof(*r));

    r->n = n;
    r->loop = um_xcalloc(n, sizeof(struct um_loop *));
    r->thread = um_xcalloc(n, sizeof(*r->thread));
    for (unsigned i = 0; i < n; i++)
        r->loop[i] = um_loop_new(i);
    return r;
}

unsigned um_reactors_count(const struct um_reactors *r) { return r->n; }
struct um_loop *um_reactors_loop(struct um_reactors *r, unsigned i) { return r->loop[i]; }

static void *run_reactor(void *arg)
{
    struct um_loop *l = arg;
    char name[16];

    snprintf(name, sizeof(name), "reactor-%u", l->index % 1000);
    pthread_setname_np(pthread_self(), name);
    um_loop_run(l);
    return NULL;
}

void um_reactors_start(struct um_reactors *r)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < r->n; i++)
        UM_ASSERT(pthread_create(&r->thread[i], NULL, run_reactor, r->loop[i]) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    r->running = true;
}

void um_reactors_stop(struct um_reactors *r)
{
    if (!r->running)
        return;
    for (unsigned i = 0; i < r->n; i++)
        um_loop_stop(r->loop[i]);
    for (unsigned i = 0; i < r->n; i++)
        pthread_join(r->thread[i], NULL);
    r->running = false;
}

void um_reactors_free(struct um_reactors *r)
{
    if (r == NULL)
        return;
    um_reactors_stop(r);
    for (unsigned i = 0; i < r->n; i++)
        um_loop_free(r->loop[i]);
    free(r->loop);
    free(r->thread);
    free(r);
}
