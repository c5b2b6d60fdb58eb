/* Acknowledgements that are awaited. A wait has one id and one deadline for all whom it asked on this hub; what is pending is a node in
 * the lists of its wait and of its socket. */
#include <stdlib.h>
#include <umbel/log.h>

#include "server_int.h"

struct sio_wait {
    struct sio_hub *hub;
    uint64_t id;
    struct um_list pending;
    struct um_timer timer;
    struct sio_waiter waiter;
    unsigned n_missing;
    bool armed;
};
struct sio_pending {
    struct um_list of_wait, of_socket;
    struct sio_wait *wait;
    struct um_sio_socket *socket;
};

static struct um_span key_of(const uint64_t *id) { return UM_SPAN(id, sizeof(*id)); }

static void drop(struct sio_pending *p)
{
    um_list_remove(&p->of_wait);
    um_list_remove(&p->of_socket);
    p->socket->n_acks--;
    free(p);
}

static void finish(struct sio_wait *w)
{
    while (!um_list_is_empty(&w->pending)) {
        drop(UM_CONTAINER(w->pending.next, struct sio_pending, of_wait));
        w->n_missing++;
    }
    um_map_remove(&w->hub->waits, key_of(&w->id));
    um_timer_stop(w->hub->loop, &w->timer);
    w->waiter.done(w->waiter.arg, w->n_missing);
    free(w);
}

static void on_time(void *arg)
{
    finish(arg);
}

struct sio_wait *sio_wait_new(struct sio_hub *h, uint64_t id, int64_t timeout_ms, const struct sio_waiter *waiter)
{
    struct sio_wait *w = um_xcalloc(1, sizeof(*w));

    w->hub = h;
    w->id = id;
    w->waiter = *waiter;
    um_list_init(&w->pending);
    um_map_put(&h->waits, key_of(&w->id), w);
    um_timer_set(h->loop, &w->timer, timeout_ms > 0 ? timeout_ms : SIO_ANSWER_MS, on_time, w);
    return w;
}

bool sio_wait_add(struct sio_wait *w, struct um_sio_socket *s)
{
    struct sio_pending *p;

    if (s->n_acks >= (uint32_t)w->hub->sio->conf->max_pending_acks) {
        sio_count(SIO_M_LIMIT_ACKS, 1);
        sio_client_fail(s->client, "too many acknowledgements awaited");
        return false;
    }
    p = um_xcalloc(1, sizeof(*p));
    p->wait = w;
    p->socket = s;
    um_list_append(&w->pending, &p->of_wait);
    um_list_append(&s->acks, &p->of_socket);
    s->n_acks++;
    return true;
}

/* Nobody to wait for: done, but not before the caller has returned. */
void sio_wait_armed(struct sio_wait *w)
{
    w->armed = true;
    if (um_list_is_empty(&w->pending))
        um_timer_set(w->hub->loop, &w->timer, 0, on_time, w);
}

static void settle(struct sio_wait *w)
{
    if (w->armed && um_list_is_empty(&w->pending))
        finish(w);
}

void sio_acks_take(struct um_sio_socket *s, uint64_t id, struct um_sio_data *args)
{
    struct sio_wait *w = um_map_get(&s->nsp->hub->waits, key_of(&id));

    if (w == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &s->acks) {
        struct sio_pending *p = UM_CONTAINER(it, struct sio_pending, of_socket);

        if (p->wait != w)
            continue;
        drop(p);
        w->waiter.value(w->waiter.arg, args);
        settle(w);
        return;
    }
}

void sio_acks_forget(struct um_sio_socket *s)
{
    while (!um_list_is_empty(&s->acks)) {
        struct sio_pending *p = UM_CONTAINER(s->acks.next, struct sio_pending, of_socket);
        struct sio_wait *w = p->wait;

        drop(p);
        w->n_missing++;
        settle(w);
    }
}

void sio_waits_end(struct sio_hub *h)
{
    struct um_span key;
    size_t pos = 0;
    void *w;

    while (um_map_next(&h->waits, &pos, &key, &w)) {
        finish(w);
        pos = 0;
    }
}
