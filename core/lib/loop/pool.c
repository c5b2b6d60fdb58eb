/* Worker threads for what may block. One queue, in order of arrival, bounded. */
#include <signal.h>
#include <stdlib.h>
#include "loop_internal.h"

struct um_pool {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct um_msg *head, **tail;              /* the um_work's own msg links the queue */
    unsigned waiting, max_waiting, n_threads;
    bool stop;
    pthread_t *thread;
};

static void run_done(struct um_msg *m)
{
    struct um_work *w = UM_CONTAINER(m, struct um_work, msg);

    w->done(w);
}

static struct um_work *next_work(struct um_pool *p)
{
    struct um_work *w = NULL;

    pthread_mutex_lock(&p->lock);
    while (p->head == NULL && !p->stop)
        pthread_cond_wait(&p->more, &p->lock);
    if (p->head != NULL) {
        w = UM_CONTAINER(p->head, struct um_work, msg);
        p->head = p->head->next;
        if (p->head == NULL)
            p->tail = &p->head;
        p->waiting--;
    }
    pthread_mutex_unlock(&p->lock);
    return w;
}

static void *run_worker(void *arg)
{
    struct um_work *w;

    pthread_setname_np(pthread_self(), "worker");
    while ((w = next_work(arg)) != NULL) {
        w->fn(w);
        um_loop_post(w->loop, &w->msg, run_done);
    }
    return NULL;
}

struct um_pool *um_pool_new(unsigned threads, unsigned max_waiting)
{
    struct um_pool *p = um_xcalloc(1, sizeof(*p));
    sigset_t all, before;

    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->more, NULL);
    p->tail = &p->head;
    p->max_waiting = max_waiting;
    p->n_threads = threads;
    p->thread = um_xcalloc(threads, sizeof(*p->thread));
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    for (unsigned i = 0; i < threads; i++)
        UM_ASSERT(pthread_create(&p->thread[i], NULL, run_worker, p) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return p;
}

um_err um_work_submit(struct um_pool *p, struct um_work *w)
{
    um_err err = UM_EBUSY;

    pthread_mutex_lock(&p->lock);
    if (p->waiting < p->max_waiting && !p->stop) {
        w->msg.next = NULL;
        *p->tail = &w->msg;
        p->tail = &w->msg.next;
        p->waiting++;
        err = UM_OK;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    return err;
}

void um_pool_free(struct um_pool *p)
{
    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_threads; i++)
        pthread_join(p->thread[i], NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->more);
    free(p->thread);
    free(p);
}
