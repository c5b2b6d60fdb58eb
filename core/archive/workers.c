/* The archive's threads. A call runs from start to end on one of them: each has what the place needs for one transfer.
 *
 * Invariants:
 * 1. What waits is bounded, in calls and in bytes to be written. One call is always taken when no other has bytes, so that
 *    an object larger than the bound is possible.
 * 2. A call that was taken is delivered, unless the archive is stopped. */
#include "workers.h"
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "key.h"

struct worker { struct archive_workers *all; void *self; pthread_t thread; bool started; };

struct archive_workers {
    const struct archive_place *place;
    struct archive_stop stop;
    int64_t max_waiting_bytes;
    _Atomic bool healthy;
    pthread_mutex_t lock;            /* of the next five */
    pthread_cond_t wake;
    struct archive_op *first, **end;
    size_t n;
    int64_t bytes;                   /* of calls that wait and of those that run */
    bool closing;
    size_t n_threads;
    struct worker threads[];
};

static int64_t bytes_to_write(const struct archive_op *op)
{
    return op->kind == ARCHIVE_PUT && op->bytes != NULL ? (int64_t)op->bytes->len : 0;
}

/* ---- one call ---- */

static um_err probe(const struct archive_place *p, void *self)
{
    struct um_bytes *back = NULL;
    uint8_t token[16];
    char key[64] = ARCHIVE_OWN "/probe-";
    um_err err;

    um_random_bytes(token, sizeof(token));
    um_random_id(key + strlen(key), 16);
    err = p->put(self, key, UM_SPAN(token, sizeof(token)));
    if (err != UM_OK)
        return err;
    err = p->get(self, key, sizeof(token), &back);
    if (err == UM_OK && !um_span_eq(um_bytes_span(back), UM_SPAN(token, sizeof(token))))
        err = UM_ECORRUPT;
    um_bytes_unref(back);
    if (err == UM_ENOTFOUND)
        err = UM_EIO;                /* it was written a moment ago */
    if (p->remove(self, key) != UM_OK && err == UM_OK)
        err = UM_EDENIED;
    return err;
}

static um_err run(const struct archive_place *p, void *self, struct archive_op *op)
{
    switch (op->kind) {
    case ARCHIVE_PUT:
        return p->put(self, op->key, um_bytes_span(op->bytes));
    case ARCHIVE_GET:
        return p->get(self, op->key, op->max, &op->bytes);
    case ARCHIVE_DELETE:
        return p->remove(self, op->key);
    case ARCHIVE_LIST:
        op->page = archive_page_new(op->max);
        return p->list(self, op->key, op->after, op->page);
    case ARCHIVE_PROBE:
        return probe(p, self);
    }
    return UM_EINVAL;
}

static void count_result(const struct archive_op *op)
{
    static const enum archive_counter calls[] = { [ARCHIVE_PUT] = M_PUTS, [ARCHIVE_GET] = M_GETS,
        [ARCHIVE_DELETE] = M_DELETES, [ARCHIVE_LIST] = M_LISTS, [ARCHIVE_PROBE] = M_PROBES };

    if (op->err == UM_OK) {
        archive_count(calls[op->kind], 1);
        if (op->bytes != NULL)
            archive_count(op->kind == ARCHIVE_PUT ? M_PUT_BYTES : M_GET_BYTES, (int64_t)op->bytes->len);
    } else if (op->err == UM_ECORRUPT) {
        archive_count(M_CORRUPT, 1);
    }
}

/* Damage, size, absence and a key too long are facts about one object; everything else is trouble with the place. */
static bool is_about_the_place(const struct archive_op *op)
{
    switch (op->err) {
    case UM_OK: case UM_ENOTFOUND: case UM_EINVAL: case UM_ELIMIT: case UM_ENOMEM:
        return false;
    case UM_ECORRUPT:
        return op->kind == ARCHIVE_PROBE;
    default:
        return true;
    }
}

static void note_health(struct archive_workers *w, const struct archive_op *op)
{
    bool well = !is_about_the_place(op);

    if (!well)
        archive_count(M_ERRORS, 1);
    if (atomic_exchange_explicit(&w->healthy, well, memory_order_relaxed) == well)
        return;
    archive_count(M_UNHEALTHY, well ? -1 : 1);
    um_log_limited(well ? UM_INFO : UM_WARN, "archive", well ? "works again" : "does not work",
                   UM_S("place", w->place->name), UM_S("error", um_err_text(op->err)));
}

/* ---- the queue ---- */

static struct archive_op *next_op(struct archive_workers *w)
{
    struct archive_op *op = NULL;

    pthread_mutex_lock(&w->lock);
    while (!w->closing && w->first == NULL)
        pthread_cond_wait(&w->wake, &w->lock);
    if (!w->closing) {
        op = w->first;
        w->first = op->next;
        op->next = NULL;
        w->end = w->first == NULL ? &w->first : w->end;
        w->n--;
    }
    pthread_mutex_unlock(&w->lock);
    return op;
}

static void settle(struct archive_workers *w, int64_t bytes)
{
    pthread_mutex_lock(&w->lock);
    w->bytes -= bytes;
    pthread_mutex_unlock(&w->lock);
    archive_count(M_WAITING, -1);
    archive_count(M_WAITING_BYTES, -bytes);
}

static void *run_worker(void *arg)
{
    struct worker *me = arg;
    struct archive_workers *w = me->all;
    struct archive_op *op;

    while ((op = next_op(w)) != NULL) {
        int64_t bytes = bytes_to_write(op), began = um_now_us();

        op->err = run(w->place, me->self, op);
        archive_count(M_CALL_US, um_now_us() - began);
        if (op->err != UM_OK && archive_stop_is_set(&w->stop))
            op->err = UM_EUNAVAIL;
        else
            note_health(w, op);
        count_result(op);
        settle(w, bytes);
        archive_deliver(op);
    }
    return NULL;
}

static bool take(struct archive_workers *w, struct archive_op *op)
{
    int64_t bytes = bytes_to_write(op);

    if (w->n >= ARCHIVE_CALLS_MAX || (w->bytes > 0 && bytes > 0 && w->bytes + bytes > w->max_waiting_bytes))
        return false;
    op->next = NULL;
    *w->end = op;
    w->end = &op->next;
    w->n++;
    w->bytes += bytes;
    archive_count(M_WAITING, 1);
    archive_count(M_WAITING_BYTES, bytes);
    return true;
}

void archive_workers_put(struct archive_workers *w, struct archive_op *op)
{
    bool taken;

    pthread_mutex_lock(&w->lock);
    taken = take(w, op);
    pthread_mutex_unlock(&w->lock);
    if (taken) {
        pthread_cond_signal(&w->wake);
        return;
    }
    archive_count(M_REFUSED, 1);
    op->err = UM_EUNAVAIL;
    archive_deliver(op);
}

/* ---- life ---- */

static um_err start_thread(struct worker *me)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);       /* the new thread inherits it: signals are the loops' business */
    rc = pthread_create(&me->thread, NULL, run_worker, me);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    me->started = rc == 0;
    if (me->started)
        pthread_setname_np(me->thread, "archive");
    return me->started ? UM_OK : UM_ENOMEM;
}

um_err archive_workers_start(struct archive_workers **out, const struct archive_place *place, void *self,
                             const struct um_archive_conf *cf)
{
    size_t n = (size_t)cf->connections;
    struct archive_workers *w = um_xcalloc(1, sizeof(*w) + n * sizeof(struct worker));
    um_err err = UM_OK;

    w->place = place;
    w->max_waiting_bytes = cf->max_waiting_bytes;
    w->end = &w->first;
    w->n_threads = n;
    atomic_init(&w->healthy, true);
    archive_stop_init(&w->stop);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    for (size_t i = 0; i < n && err == UM_OK; i++) {
        w->threads[i].all = w;
        if ((err = place->worker_open(self, &w->stop, &w->threads[i].self)) == UM_OK)
            err = start_thread(&w->threads[i]);
    }
    *out = w;
    if (err != UM_OK) {
        archive_workers_stop(w);
        *out = NULL;
    }
    return err;
}

void archive_workers_stop(struct archive_workers *w)
{
    if (w == NULL)
        return;
    archive_stop_set(&w->stop);
    pthread_mutex_lock(&w->lock);
    w->closing = true;
    pthread_mutex_unlock(&w->lock);
    pthread_cond_broadcast(&w->wake);
    for (size_t i = 0; i < w->n_threads; i++) {
        struct worker *me = &w->threads[i];

        if (me->started)
            pthread_join(me->thread, NULL);
        if (me->self != NULL)
            w->place->worker_close(me->self);
    }
    archive_count(M_WAITING, -(int64_t)w->n);
    archive_count(M_WAITING_BYTES, -w->bytes);
    if (!atomic_load(&w->healthy))
        archive_count(M_UNHEALTHY, -1);
    archive_op_free_all(w->first);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    archive_stop_free(&w->stop);
    free(w);
}

bool archive_workers_are_healthy(const struct archive_workers *w)
{
    return atomic_load_explicit(&w->healthy, memory_order_relaxed);
}
