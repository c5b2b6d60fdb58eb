/* See bus.h: who is asked, and what is the same for every kind of bus. */
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/util.h>
#include "internal.h"

/* ---- alone ---- */

static void no_hub(struct hub *h) { (void)h; }
static bool no_wait(struct doc *d) { (void)d; return false; }
static void no_doc(struct doc *d) { (void)d; }
static void no_append(struct doc *d, struct um_span update) { (void)d; (void)update; }
static void no_order(struct hub *h, enum bus_order what, struct um_span document, struct um_span text)
{
    (void)h; (void)what; (void)document; (void)text;
}
static bool never_live(const struct hub *h) { (void)h; return false; }
static bool fold_at_once(struct doc *d) { (void)d; return true; }

const struct bus_ops bus_alone = {
    .start = no_hub, .stop = no_hub, .loaded = no_wait, .closed = no_doc, .append = no_append, .stored = no_doc,
    .presence = no_doc, .order = no_order, .wake = no_hub, .is_live = never_live, .fold = fold_at_once, .folded = no_doc,
};

/* ---- documents ---- */

void bus_doc_init(struct doc *d)
{
    um_list_init(&d->bus.peers);
    um_list_init(&d->bus.beat_link);
    um_defer_init(&d->bus.flush, NULL, d);
}

void bus_waited(struct doc *d)
{
    if (d->bus.n_waits > 0 && --d->bus.n_waits == 0 && d->state == DOC_LOADING)
        doc_loaded(d);
}

uint64_t bus_append(struct doc *d, struct um_span update)
{
    d->bus.number++;
    d->hub->bus.ops->append(d, update);
    return d->bus.number;
}

uint64_t bus_stored(const struct doc *d)
{
    UM_LIST_EACH(it, &d->pending) {
        const struct pending *p = UM_CONTAINER(it, struct pending, link);
        if (!p->stored)
            return p->number - 1;            /* the first that is not durable */
    }
    return d->bus.number;
}

/* ---- what others order ---- */

static void tell_seats(struct doc *d, struct um_span text)
{
    UM_LIST_EACH_SAFE(it, &d->seats) {
        struct seat *s = UM_CONTAINER(it, struct seat, in_doc);
        if (!s->bare && d->state != DOC_LOADING)
            seat_send_frame(s, WIRE_STATELESS, NO_KIND, text);
    }
}

static void obey(struct doc *d, enum bus_order what, struct um_span text)
{
    char reason[64];

    switch (what) {
    case BUS_DELETED:
        elsewhere_look(d);                   /* the store is believed, nobody else */
        break;
    case BUS_CLOSE:
        snprintf(reason, sizeof(reason), "%.*s", (int)text.len, text.len > 0 ? (const char *)text.data : "");
        doc_close_seats(d, reason);
        break;
    case BUS_STATELESS:
        tell_seats(d, text);
        break;
    }
}

void bus_obey(struct hub *h, enum bus_order what, struct um_span document, struct um_span text)
{
    struct doc *d = document.len > 0 ? doc_get(h, document, false) : NULL;

    if (!um_utf8_is_valid(text.data, text.len))
        return;
    if (d != NULL)
        obey(d, what, text);
    else if (document.len == 0)
        UM_LIST_EACH_SAFE(it, &h->all_docs)
            obey(UM_CONTAINER(it, struct doc, link), what, text);
}

/* ---- the engine's side ---- */

void bus_hub_init(struct hub *h, unsigned index)
{
    h->bus.ops = &bus_alone;
    h->bus.origin = h->engine->bus_run << 16 | (index + 1);
    um_list_init(&h->bus.beats);
}

static struct bus_port *open_redis_port(void *ctx, struct um_loop *l, uint64_t origin, const struct bus_port_handler *handler, void *arg)
{
    return bus_port_redis(ctx, l, origin, handler, arg);
}

void bus_join(struct um_collab *c, const char *member, int64_t started_ms, bus_open_port *open, void *ctx)
{
    c->member = um_xstrdup(member);
    c->started_ms = (uint64_t)started_ms;
    c->open_port = open;
    c->port_ctx = ctx;
    for (unsigned i = 0; i < c->n_hubs; i++)
        c->hubs[i].bus.ops = &bus_native;
}

/* Hubs are numbered from 1 in what they are called. */
static struct bus_port *open_streams_port(void *ctx, struct um_loop *l, uint64_t origin, const struct bus_port_handler *handler, void *arg)
{
    struct um_collab *c = ctx;

    return bus_port_streams(c->redis, l, origin, (unsigned)(origin & 0xffff) - 1, c->n_hubs, handler, arg);
}

void um_collab_join(struct um_collab *c, struct um_redis *redis, struct um_cluster *cluster)
{
    int64_t started_ms;
    const char *member = um_cluster_self(cluster, &started_ms);

    c->cluster = cluster;
    c->redis = redis;
    if (c->cf.transport == UM_COLLAB_STREAMS)
        bus_join(c, member, started_ms, open_streams_port, c);
    else
        bus_join(c, member, started_ms, open_redis_port, redis);
    if (c->cf.cluster_mode != UM_COLLAB_HOCUSPOCUS)
        return;
    memcpy(c->identifier, "host-", 5);
    um_random_uuid(c->identifier + 5);
    for (unsigned i = 0; i < c->n_hubs; i++)
        c->hubs[i].bus.ops = &bus_stock;
}
