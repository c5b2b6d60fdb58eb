/* The Redis adapters: their state, and the calls of the seam (sio/adapter.h), which become orders on our loop.
 *
 * Invariants
 *  1. A namespace has one id and one subscription of each channel in this process, however many reactors there are: other nodes count
 *     the subscribers of a channel to know how many answers to wait for.
 *  2. Nothing waits for Redis: what cannot leave now is counted and dropped; a question ends by its time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "streams.h"

struct um_metric cluster_metrics[C_N] = {
    [C_MALFORMED] = { "sio.cluster.malformed", "messages", "messages of other servers that were not understood, and dropped", UM_COUNTER, 0 },
    [C_LARGE] = { "sio.cluster.limited", "messages", "messages above a limit of size, depth or number, dropped or not sent", UM_COUNTER, 0 },
    [C_BUSY] = { "sio.cluster.busy", "requests", "requests that were dropped because too many were under way", UM_COUNTER, 0 },
    [C_HEARD] = { "sio.cluster.heard", "messages", "messages of other servers that were obeyed", UM_COUNTER, 0 },
    [C_SAID] = { "sio.cluster.said", "messages", "messages given to Redis for other servers", UM_COUNTER, 0 },
    [C_UNSAID] = { "sio.cluster.unsaid", "messages", "messages for other servers that were dropped because Redis was away", UM_COUNTER, 0 },
    [C_SILENT] = { "sio.cluster.silent", "answers", "answers of other servers that did not come in time", UM_COUNTER, 0 },
    [C_ASKS] = { "sio.cluster.asks", "requests", "requests to other servers that wait for answers", UM_GAUGE, 0 },
};

/* --- what the dialects use ----------------------------------------------------------------------------------------- */

void cluster_refuse(struct nsp *n, um_err err, const char *what)
{
    cluster_count(err == UM_ELIMIT || err == UM_ENOMEM ? C_LARGE : C_MALFORMED, 1);
    um_log_limited(UM_WARN, "sio.cluster", "message dropped", UM_S("what", what), UM_S("namespace", n->name), UM_S("why", um_err_text(err)));
}

void cluster_publish(struct sio_cluster *c, const char *word, struct um_span channel, struct um_span payload)
{
    static const struct um_redis_opts unanswered = { .flags = UM_REDIS_NO_ANSWER };

    if (!um_redis_link_is_ready(c->link)) {
        cluster_count(C_UNSAID, 1);
        return;
    }
    cluster_count(C_SAID, 1);
    um_redis_command(c->link, &unanswered, (struct um_span[]){ UM_SPAN_STR(word), channel, payload }, 3, NULL, NULL);
}

int64_t cluster_read_count(um_err err, const struct um_redis_reply *reply)
{
    return err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n == 2 && reply->items[1]->kind == UM_REDIS_INTEGER ?
           reply->items[1]->integer : -1;
}

struct wire_say order_say(const struct nsp *n, const struct order *o, int type, const char *request_id)
{
    return (struct wire_say){ .uid = n->uid, .nsp = n->name, .request_id = request_id, .type = type, .o = &o->opts, .event = o->event,
                              .rooms = o->rooms, .n_rooms = o->n_rooms, .close = o->flag };
}

/* --- namespaces and rooms -------------------------------------------------------------------------------------------- */

static struct nsp *nsp_of(struct sio_cluster *c, const char *name)
{
    return um_map_get(&c->nsps, UM_SPAN_STR(name));
}

static void run_open(struct order *o)
{
    size_t len = strlen(o->nsp);
    struct nsp *n;

    if (nsp_of(o->c, o->nsp) != NULL)
        return;
    n = um_xcalloc(1, sizeof(*n) + len + 1);
    n->c = o->c;
    memcpy(n->name, o->nsp, len);
    wire_id(n->uid, o->c->dialect->id_len);
    um_map_put(&o->c->nsps, UM_SPAN(n->name, len), n);
    o->c->dialect->open(n);
}

bool nsp_hosts(const struct nsp *n, struct um_span room)
{
    return um_map_get(&n->rooms, room) != NULL;
}

static void run_room(struct order *o)
{
    const struct dialect *d = o->c->dialect;
    struct nsp *n = nsp_of(o->c, o->nsp);
    struct um_span name = o->rooms[0];
    struct room *r = n != NULL ? um_map_get(&n->rooms, name) : NULL;

    if (n == NULL || (r == NULL && !o->flag))
        return;
    if (o->flag) {
        if (r == NULL)
            um_map_put(&n->rooms, name, r = um_xcalloc(1, sizeof(*r)));
        if (r->reactors++ == 0 && d->room != NULL)
            d->room(n, name, r, true);
    } else if (--r->reactors == 0) {
        if (d->room != NULL)
            d->room(n, name, r, false);
        um_map_remove(&n->rooms, name);
        free(r);
    }
}

static void nsp_free(struct nsp *n)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(&n->rooms, &pos, &key, &value))
        free(value);
    um_map_free(&n->rooms);
    for (pos = 0; um_map_next(&n->peers, &pos, &key, &value); )
        free(value);
    um_map_free(&n->peers);
    free(n);
}

/* --- the seam: orders ---------------------------------------------------------------------------------------------------- */

/* Events of Node's namespaces themselves; an `error` that nobody expects ends the process. */
static bool ends_peers(const struct order *o)
{
    static const char *const names[] = { "connect", "connection", "new_namespace", "error" };
    struct um_span first;
    char name[32];
    size_t pos = 0;

    if ((o->verb != SAY_SERVER_EMIT && o->verb != ASK_SERVER_EMIT) || !um_sio_each(um_bytes_span(o->event->json), &pos, &first) ||
        !um_sio_string(first, name, sizeof(name)))
        return false;
    for (size_t i = 0; i < UM_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void run_verb(struct order *o)
{
    struct nsp *n = nsp_of(o->c, o->nsp);
    bool refused = n != NULL && ends_peers(o);

    if (refused)
        cluster_refuse(n, UM_EPROTO, "name of a server-side event");
    if ((n == NULL || refused) && o->gather != NULL)
        um_sio_gather_done(o->gather, 0, NULL);
    else if (refused)
        return;
    else if (n != NULL && verb_asks(o->verb))
        ask_begin(n, o);
    else if (n != NULL)
        o->c->dialect->say(n, o, NULL);
}

static void seam_open(void *a, const char *nsp)
{
    order_give(a, run_open, &(struct order){ .nsp = nsp });
}

static void seam_room(void *a, const char *nsp, struct um_span room, unsigned reactor, bool opened)
{
    order_give(a, run_room, &(struct order){ .nsp = nsp, .rooms = &room, .n_rooms = 1, .reactor = reactor, .flag = opened });
}
static void seam_room_opened(void *a, const char *nsp, struct um_span room, unsigned reactor) { seam_room(a, nsp, room, reactor, true); }
static void seam_room_closed(void *a, const char *nsp, struct um_span room, unsigned reactor) { seam_room(a, nsp, room, reactor, false); }

static void seam_broadcast(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o)
{
    struct sio_cluster *c = a;
    bool is_stamped = atomic_load_explicit(&c->recovers, memory_order_relaxed) && !(o->flags & UM_SIO_VOLATILE);

    order_give(c, run_verb, &(struct order){ .nsp = nsp, .verb = SAY_BROADCAST, .event = event, .opts = *o, .is_stamped = is_stamped });
}

static void seam_broadcast_ack(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, struct um_sio_gather *g)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = ASK_BROADCAST, .event = event, .opts = *o, .gather = g });
}

static void seam_join(void *a, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = SAY_JOIN, .opts = *o, .rooms = rooms, .n_rooms = n });
}

static void seam_leave(void *a, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = SAY_LEAVE, .opts = *o, .rooms = rooms, .n_rooms = n });
}

static void seam_disconnect(void *a, const char *nsp, const struct um_sio_opts *o, bool close)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = SAY_DISCONNECT, .opts = *o, .flag = close });
}

static void seam_fetch(void *a, const char *nsp, const struct um_sio_opts *o, struct um_sio_gather *g)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = ASK_FETCH, .opts = *o, .gather = g });
}

static void seam_rooms(void *a, const char *nsp, const struct um_sio_opts *o, struct um_sio_gather *g)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = ASK_ROOMS, .opts = *o, .gather = g });
}

static void seam_server_emit(void *a, const char *nsp, struct um_sio_data *event)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = SAY_SERVER_EMIT, .event = event });
}

static void seam_server_emit_ack(void *a, const char *nsp, struct um_sio_data *event, struct um_sio_gather *g)
{
    order_give(a, run_verb, &(struct order){ .nsp = nsp, .verb = ASK_SERVER_EMIT, .event = event, .gather = g });
}

/* --- how many there are ------------------------------------------------------------------------------------------------------ */

struct counted {
    struct um_msg msg;
    void (*cb)(void *arg, unsigned n);
    void *arg;
    struct um_loop *loop;
    unsigned n;
};

static void tell_count(struct um_msg *m)
{
    struct counted *t = UM_CONTAINER(m, struct counted, msg);

    t->cb(t->arg, t->n);
    free(t);
}

static void take_count(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct counted *t = arg;
    int64_t n = cluster_read_count(err, reply);

    t->n = (unsigned)UM_MAX(n, 1);
    um_loop_post(t->loop, &t->msg, tell_count);
}

static void run_count(struct order *o)
{
    struct nsp *n = nsp_of(o->c, o->nsp);
    struct counted *t = um_xcalloc(1, sizeof(*t));

    *t = (struct counted){ .cb = o->count_cb, .arg = o->arg, .loop = o->loop, .n = 1 };
    if (n != NULL)
        o->c->dialect->count(n, take_count, t);
    else
        um_loop_post(t->loop, &t->msg, tell_count);
}

static void seam_server_count(void *a, const char *nsp, struct um_loop *loop, void (*cb)(void *arg, unsigned n), void *arg)
{
    order_give(a, run_count, &(struct order){ .nsp = nsp, .loop = loop, .count_cb = cb, .arg = arg });
}

/* --- life ---------------------------------------------------------------------------------------------------------------------- */

static um_err seam_start(void *a, struct um_sio *s)
{
    ((struct sio_cluster *)a)->sio = s;
    return UM_OK;
}

static void seam_free(void *a)
{
    struct sio_cluster *c = a;
    struct um_span key;
    size_t pos = 0;
    void *value;

    um_loop_settle(c->loop);                        /* orders that were given and not yet run */
    if (c->dialect->begin_end != NULL)
        c->dialect->begin_end(c);
    um_redis_link_free(c->link);                    /* tells who waits for a number */
    ask_end_all(c);
    hear_end_all(c);
    if (c->dialect->end != NULL)
        c->dialect->end(c);
    while (um_map_next(&c->nsps, &pos, &key, &value))
        nsp_free(value);
    um_map_free(&c->nsps);
    um_map_free(&c->asks);
    free(c);
}

#define SEAM(text) .name = text, .start = seam_start, .free = seam_free, .open = seam_open, .room_opened = seam_room_opened, \
    .room_closed = seam_room_closed, .broadcast = seam_broadcast, .broadcast_ack = seam_broadcast_ack, .join = seam_join, .leave = seam_leave, \
    .disconnect = seam_disconnect, .fetch = seam_fetch, .rooms = seam_rooms, .server_emit = seam_server_emit, \
    .server_emit_ack = seam_server_emit_ack, .server_count = seam_server_count
static const struct {
    const struct dialect *dialect;
    struct um_sio_adapter ops;
} adapters[] = {
    [UM_SIO_CLASSIC] = { &dialect_classic, { SEAM("classic") } },
    [UM_SIO_SHARDED] = { &dialect_sharded, { SEAM("sharded") } },
    [UM_SIO_STREAMS] = { &dialect_streams, { SEAM("streams"), .recovery = { streams_stamp, streams_save, streams_forget, streams_restore } } },
};

bool um_sio_cluster_new(const struct um_sio_adapter **ops, void **a, struct um_redis *redis, struct um_loop *loop,
                        const struct um_sio_cluster_conf *cf)
{
    static const struct um_redis_link_handler quiet = { NULL, NULL };
    static _Atomic bool registered;
    struct sio_cluster *c;

    if (redis == NULL || cf->adapter == UM_SIO_NONE)
        return false;
    if (!atomic_exchange(&registered, true))
        um_metrics_register(cluster_metrics, C_N);
    c = um_xcalloc(1, sizeof(*c));
    c->redis = redis;
    c->loop = loop;
    c->conf = cf;
    c->dialect = adapters[cf->adapter].dialect;
    um_list_init(&c->replies);
    c->link = um_redis_link_new(redis, loop, "sio", &quiet, NULL);
    if (c->dialect->start != NULL)
        c->dialect->start(c);
    *ops = &adapters[cf->adapter].ops;
    *a = c;
    return true;
}
