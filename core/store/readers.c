/* The readers: threads with connections of their own, so that a load or a list never stands behind a transaction. Nor behind
 * inspections, which may take long: the first reader makes none, unless it is the only one. */
#include <pthread.h>
#include <stdlib.h>
#include "counters.h"
#include "store_internal.h"

struct reader {
    struct store_readers *all;
    void *self;                      /* the driver's */
    pthread_t thread;
    bool started;
};

struct store_readers {
    struct um_store *st;
    pthread_mutex_t lock;            /* of the next four */
    pthread_cond_t wake;
    struct store_queue inbox, views;
    bool stop;
    unsigned n;
    struct reader readers[];
};

/* The queue that R takes from next; NULL: nothing is there for it. */
static struct store_queue *choose_queue(struct reader *r)
{
    struct store_readers *all = r->all;
    bool inspects = r != &all->readers[0] || all->n == 1;

    if (inspects && all->views.first != NULL)
        return &all->views;
    return all->inbox.first != NULL ? &all->inbox : NULL;
}

static struct store_op *next_op(struct reader *r)
{
    struct store_readers *all = r->all;
    struct store_queue *from = NULL;
    struct store_op *op;

    pthread_mutex_lock(&all->lock);
    while (!all->stop && (from = choose_queue(r)) == NULL)
        pthread_cond_wait(&all->wake, &all->lock);
    op = all->stop ? NULL : store_queue_get(from);
    pthread_mutex_unlock(&all->lock);
    return op;
}

static void *run_reader(void *arg)
{
    struct reader *r = arg;
    struct store_op *op;

    while ((op = next_op(r)) != NULL) {
        r->all->st->driver->read(r->self, op);
        store_deliver(op);
    }
    return NULL;
}

void store_readers_put(struct store_readers *all, struct store_op *op)
{
    bool is_view = op->kind == STORE_VIEW, full;
    struct store_queue *to = is_view ? &all->views : &all->inbox;

    pthread_mutex_lock(&all->lock);
    full = to->n >= (is_view ? (size_t)UM_STORE_VIEWS_MAX : (size_t)STORE_READS_MAX);
    if (!full)
        store_queue_put(to, op);
    pthread_mutex_unlock(&all->lock);
    if (!full && is_view)
        pthread_cond_broadcast(&all->wake);      /* one alone could be the one that makes none */
    else if (!full)
        pthread_cond_signal(&all->wake);
    if (!full)
        return;
    store_count(M_REFUSED, 1);
    op->err = UM_EUNAVAIL;
    store_deliver(op);
}

um_err store_readers_start(struct um_store *st)
{
    const struct um_store_driver *d = st->driver;
    struct store_readers *all;
    um_err err = UM_OK;
    unsigned n;

    if (d->readers == 0)
        return UM_OK;
    n = d->readers == STORE_READERS_BY_CONF ? (unsigned)st->conf.connections : d->readers;
    all = um_xcalloc(1, sizeof(*all) + n * sizeof(struct reader));
    st->readers = all;
    all->st = st;
    all->n = n;
    store_queue_init(&all->inbox);
    store_queue_init(&all->views);
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->wake, NULL);
    for (unsigned i = 0; i < all->n && err == UM_OK; i++) {
        struct reader *r = &all->readers[i];

        r->all = all;
        if ((err = d->reader_open(st->self, &r->self)) == UM_OK)
            err = store_thread(&r->thread, "store-reader", run_reader, r);
        r->started = err == UM_OK;
    }
    return err;
}

void store_readers_stop(struct store_readers *all)
{
    if (all == NULL)
        return;
    pthread_mutex_lock(&all->lock);
    all->stop = true;
    pthread_mutex_unlock(&all->lock);
    pthread_cond_broadcast(&all->wake);
    for (unsigned i = 0; i < all->n; i++) {
        struct reader *r = &all->readers[i];

        if (r->started)
            pthread_join(r->thread, NULL);
        if (r->self != NULL)
            all->st->driver->reader_close(r->self);
    }
    store_op_free_all(all->inbox.first);
    store_op_free_all(all->views.first);
    pthread_cond_destroy(&all->wake);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
