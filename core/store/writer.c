/* The writer: one thread through which every change goes; where the database has one for units of work, a second one of the
 * same kind. Changes that arrive within commit-delay of the first share one
 * transaction and one wait for the disk. One that comes after a long silence is committed at once: an isolated keystroke is
 * acknowledged sooner, and costs a wake-up less.
 *
 * 1. Calls are taken in the order of arrival; a document's appends therefore keep theirs.
 * 2. Nobody is answered before the transaction ended; when it failed, nobody is told success.
 * 3. The thread is woken when the inbox was empty, and once more when a transaction is full before its time.
 * 4. A transaction has at most UM_STORE_UNITS_TOGETHER units, so that nobody waits long for others' work.
 * 5. After a failure an empty transaction is tried every second, so that health returns without a user's help; a server is
 *    asked while nobody writes, so that its absence is known before somebody does.
 * 6. What is written, and the order, belong to who has the writer's place (`at_work`): its thread, from taking calls until all
 *    of them are done; or, where a database never waits, the caller of a small append that found nobody at work, nothing
 *    waiting and a silence before it: the append takes less time than waking the thread. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "store_internal.h"

struct store_writer {
    struct um_store *st;
    void *self;                      /* whose WRITE is called: the driver's, or its units */
    um_err (*write)(void *self, struct store_op *batch);
    bool leads;                      /* its success is the store's health */
    void *reader;                    /* when the driver has no reading threads */
    pthread_t thread;
    bool started;

    pthread_mutex_t lock;            /* of the next eight */
    pthread_cond_t wake;
    struct store_queue inbox;
    int64_t first_at_us;             /* arrival of the oldest in the inbox */
    int64_t gathered_at_us;          /* when the last transaction began */
    bool hurry;                      /* somebody waits who should not wait for company */
    bool stop;
    bool at_work;                    /* somebody has the writer's place */
    bool held_up;                    /* the thread waits for it */

    struct store_queue taken;        /* the thread's own, not yet in a transaction */
    _Atomic int64_t waiting_bytes;
};

/* ---- arrival, any thread ---- */

static bool reserve_bytes(struct store_writer *w, int64_t cost)
{
    if (atomic_fetch_add(&w->waiting_bytes, cost) + cost > w->st->conf.max_waiting_bytes) {
        atomic_fetch_sub(&w->waiting_bytes, cost);
        return false;
    }
    store_count(M_WAITING_BYTES, cost);
    return true;
}

static void release_bytes(struct store_writer *w, int64_t cost)
{
    atomic_fetch_sub(&w->waiting_bytes, cost);
    store_count(M_WAITING_BYTES, -cost);
}

/* Who asked for a unit waits for its answer before asking for the next: a delay would be paid for each. Those that come while
 * a transaction runs share the next one all the same. */
static bool waits_for_nobody(enum store_kind kind) { return store_is_read(kind) || kind == STORE_WORK; }

static void commit_batch(struct store_writer *w, struct store_op *batch);

/* Nothing came for as long as one would wait: company is not to be expected, and waiting would cost a wake-up. */
static bool is_silence(const struct store_writer *w, int64_t at_us)
{
    return at_us - w->gathered_at_us > w->st->conf.commit_delay_ms * 1000;
}

/* Only after a silence: in a crowd, one transaction for many is cheaper. */
static bool take_place(struct store_writer *w)
{
    int64_t now_us = um_now_us();
    bool is_free;

    pthread_mutex_lock(&w->lock);
    is_free = !w->at_work && w->inbox.first == NULL && is_silence(w, now_us);
    if (is_free) {
        w->at_work = true;
        w->gathered_at_us = now_us;
    }
    pthread_mutex_unlock(&w->lock);
    return is_free;
}

static void leave_place(struct store_writer *w)
{
    bool signal;

    pthread_mutex_lock(&w->lock);
    w->at_work = false;
    signal = w->held_up;
    pthread_mutex_unlock(&w->lock);
    if (signal)
        pthread_cond_signal(&w->wake);
}

static bool append_at_once(struct store_writer *w, struct store_op *op)
{
    if (!w->leads || !w->st->driver->never_waits || op->kind != STORE_APPEND || op->cost > STORE_AT_ONCE_BYTES || !take_place(w))
        return false;
    commit_batch(w, op);
    leave_place(w);
    return true;
}

void store_writer_put(struct store_writer *w, struct store_op *op)
{
    bool signal;

    if (append_at_once(w, op))
        return;
    if (!reserve_bytes(w, op->cost)) {
        store_count(M_REFUSED, 1);
        op->err = UM_EUNAVAIL;
        store_deliver(op);
        return;
    }
    pthread_mutex_lock(&w->lock);
    signal = w->inbox.first == NULL;
    if (signal)
        w->first_at_us = um_now_us();
    store_queue_put(&w->inbox, op);
    if (waits_for_nobody(op->kind) && !w->hurry)
        signal = w->hurry = true;
    if (w->inbox.n == (size_t)w->st->conf.commit_rows)
        signal = true;
    pthread_mutex_unlock(&w->lock);
    if (signal)
        pthread_cond_signal(&w->wake);
}

/* ---- the thread ---- */

/* Waits for a wake-up until AT_US; false when the time has come. With the lock held. */
static bool wait_until(struct store_writer *w, int64_t at_us)
{
    struct timespec ts = { .tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000 };

    return pthread_cond_timedwait(&w->wake, &w->lock, &ts) != ETIMEDOUT;
}

/* Sleeps until there is a transaction to make. False: stop, nothing is left. */
static bool gather(struct store_writer *w)
{
    const struct um_store_conf *cf = &w->st->conf;
    int64_t probe_ms = !w->leads ? 0 : !um_store_is_healthy(w->st) ? STORE_PROBE_MS :
                       w->st->driver->is_shared ? STORE_IDLE_PROBE_MS : 0;
    bool busy = w->taken.n > 0 || (w->leads && w->st->driver->has_backlog(w->st->self));
    bool mine, more;

    pthread_mutex_lock(&w->lock);
    mine = busy;
    w->at_work = busy;
    while (!busy && w->inbox.first == NULL && !w->stop) {
        if (probe_ms == 0)
            pthread_cond_wait(&w->wake, &w->lock);
        else if (!wait_until(w, um_now_us() + probe_ms * 1000))
            busy = true;                       /* with nothing to write: the probe */
    }
    while (!busy && !(w->inbox.n == 1 && is_silence(w, w->first_at_us)) && !w->hurry && !w->stop && w->inbox.n < (size_t)cf->commit_rows)
        if (!wait_until(w, w->first_at_us + cf->commit_delay_ms * 1000))
            break;
    while (!mine && w->at_work) {
        w->held_up = true;
        pthread_cond_wait(&w->wake, &w->lock);
    }
    w->held_up = false;
    w->at_work = true;
    w->gathered_at_us = um_now_us();
    store_queue_move(&w->taken, &w->inbox);
    w->hurry = false;
    more = w->taken.n > 0 || !w->stop;
    pthread_mutex_unlock(&w->lock);
    return more;
}

/* Cuts one transaction's worth off what was taken: changes into WRITES, the rest into READS. */
static void cut_batch(struct store_writer *w, struct store_queue *writes, struct store_queue *reads)
{
    int64_t bytes = 0;
    int units = 0;
    struct store_op *op;

    store_queue_init(writes);
    store_queue_init(reads);
    while (writes->n + reads->n < (size_t)w->st->conf.commit_rows && bytes < STORE_BATCH_BYTES &&
           units < UM_STORE_UNITS_TOGETHER && (op = store_queue_get(&w->taken)) != NULL) {
        bytes += op->cost;
        units += op->kind == STORE_WORK;
        store_queue_put(store_is_read(op->kind) ? reads : writes, op);
    }
    release_bytes(w, bytes);
}

static void note_health(struct store_writer *w, um_err err)
{
    bool healthy = err == UM_OK;

    if (atomic_exchange(&w->st->healthy, healthy) == healthy)
        return;
    store_count(M_UNHEALTHY, healthy ? -1 : 1);
    if (healthy)
        um_log(UM_WARN, "store", "recovered");
    else
        um_log(UM_ERROR, "store", "failed", UM_S("error", um_err_text(err)));
}

static void count_stored(const struct store_op *op)
{
    int64_t n = 0, bytes = 0, units = 0;

    for (; op != NULL; op = op->next) {
        units += op->kind == STORE_WORK && op->err == UM_OK;
        if (op->kind == STORE_APPEND && op->err == UM_OK) {
            n++;
            bytes += (int64_t)op->bytes->len;
        }
    }
    store_count(M_UNITS, units);
    store_count(M_APPENDS, n);
    store_count(M_APPEND_BYTES, bytes);
}

/* What a caller can do about it is the same whatever failed: keep the change and try again. */
static void refuse_all(struct store_op *batch, um_err err)
{
    for (struct store_op *op = batch; op != NULL; op = op->next)
        op->err = err == UM_EUNAVAIL || err == UM_ENOMEM ? UM_EUNAVAIL : UM_EIO;
}

static void commit_batch(struct store_writer *w, struct store_op *batch)
{
    int64_t began_us = um_now_us();
    um_err err;

    if (w->leads)
        atomic_store(&w->st->asked_at_ms, began_us / 1000);
    err = w->write(w->self, batch);
    if (w->leads)
        atomic_store(&w->st->asked_at_ms, 0);
    if (batch != NULL)
        store_count(M_COMMIT_US, um_now_us() - began_us);
    if (batch != NULL || err != UM_OK)
        store_count(err == UM_OK ? M_COMMITS : M_ERRORS, 1);
    if (err == UM_OK)
        count_stored(batch);
    else
        refuse_all(batch, err);
    if (w->leads)
        note_health(w, err);
    store_deliver(batch);
}

static void *run_writer(void *arg)
{
    struct store_writer *w = arg;
    struct store_queue writes, reads;
    struct store_op *op;

    while (gather(w)) {
        cut_batch(w, &writes, &reads);
        if (writes.first != NULL || reads.first == NULL)
            commit_batch(w, writes.first);
        while ((op = store_queue_get(&reads)) != NULL) {
            w->st->driver->read(w->reader, op);
            store_deliver(op);
        }
    }
    return NULL;
}

/* ---- life ---- */

static struct store_writer *make_writer(struct um_store *st)
{
    struct store_writer *w = um_xcalloc(1, sizeof(*w));
    pthread_condattr_t monotonic;

    w->st = st;
    w->at_work = true;               /* the thread's, until it finds nothing to do */
    store_queue_init(&w->inbox);
    store_queue_init(&w->taken);
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return w;
}

static um_err start(struct store_writer *w, const char *name)
{
    um_err err = store_thread(&w->thread, name, run_writer, w);

    w->started = err == UM_OK;
    return err;
}

um_err store_writer_start(struct um_store *st)
{
    struct store_writer *w = st->writer = make_writer(st);
    um_err err;

    w->self = st->self;
    w->write = st->driver->write;
    w->leads = true;
    if (st->driver->readers == 0 && (err = st->driver->reader_open(st->self, &w->reader)) != UM_OK)
        return err;
    return start(w, "store-writer");
}

um_err store_units_start(struct um_store *st)
{
    um_err err;

    if (st->driver->units_open == NULL)
        return UM_OK;
    st->units = make_writer(st);
    st->units->write = st->driver->units_write;
    if ((err = st->driver->units_open(st->self, &st->units->self)) != UM_OK)
        return err;
    return start(st->units, "store-units");
}

void store_writer_stop(struct store_writer *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_mutex_unlock(&w->lock);
    pthread_cond_signal(&w->wake);
    if (w->started)
        pthread_join(w->thread, NULL);
    if (w->leads && !um_store_is_healthy(w->st))
        store_count(M_UNHEALTHY, -1);
    if (w->reader != NULL)
        w->st->driver->reader_close(w->reader);
    if (!w->leads && w->self != NULL)
        w->st->driver->units_close(w->self);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
