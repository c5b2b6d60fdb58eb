/* The readers: threads with connections of their own, so that a load or a list never stands behind a transaction. */
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
    pthread_mutex_t lock;            /* of the next three */
    pthread_cond_t wake;
    struct store_queue inbox;
    bool stop;
    unsigned n;
    struct reader readers[];
};

static struct store_op *next_op(struct store_readers *all)
{
    struct store_op *op = NULL;

    pthread_mutex_lock(&all->lock);
    while (!all->stop && all->inbox.first == NULL)
        pthread_cond_wait(&all->wake, &all->lock);
    if (!all->stop)
        op = store_queue_get(&all->inbox);
    pthread_mutex_unlock(&all->lock);
    return op;
}

static void *run_reader(void *arg)
{
    struct reader *r = arg;
    struct store_op *op;

    while ((op = next_op(r->all)) != NULL) {
        r->all->st->driver->read(r->self, op);
        store_deliver(op);
    }
    return NULL;
}

void store_readers_put(struct store_readers *all, struct store_op *op)
{
    bool full;

    pthread_mutex_lock(&all->lock);
    full = all->inbox.n >= STORE_READS_MAX;
    if (!full)
        store_queue_put(&all->inbox, op);
    pthread_mutex_unlock(&all->lock);
    if (!full) {
        pthread_cond_signal(&all->wake);
        return;
    }
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
    pthread_cond_destroy(&all->wake);
    pthread_mutex_destroy(&all->lock);
    free(all);
}
