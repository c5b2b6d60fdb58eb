/* See bus_peer.h. Invariants
 *  1. doc->bus.n_doubts counts the doubts of all its peers. While it is not 0, nothing that a client sends is taken for
 *     known and therefore stored (doc.c).
 *  2. A doubt ends when its core says that it is durable, or when we append it ourselves. */
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/util.h>
#include "bus_peer.h"

struct bus_doubtful {
    struct um_list link;
    uint64_t number;
    struct um_bytes *items;
};

/* ---- doubts ---- */

static size_t cost_of(const struct bus_doubtful *x) { return sizeof(*x) + x->items->len; }

static void end_doubt(struct bus_peer *p, struct bus_doubtful *x)
{
    p->doubt_bytes -= cost_of(x);
    p->doc->bus.n_doubts--;
    count(C_BUS_DOUBTS, -1);
    um_list_remove(&x->link);
    um_bytes_unref(x->items);
    free(x);
}

static void end_doubts_up_to(struct bus_peer *p, uint64_t number)
{
    UM_LIST_EACH_SAFE(it, &p->doubts) {
        struct bus_doubtful *x = UM_CONTAINER(it, struct bus_doubtful, link);
        if (x->number <= number)
            end_doubt(p, x);
    }
}

static void store_whole(struct doc *d)
{
    struct um_buf state = { 0 };

    if (um_crdt_encode(d->crdt, UM_SPAN(NULL, 0), &state) == UM_OK)
        persist_append(d, UM_SPAN(state.data, state.len), NULL);
    um_buf_free(&state);
}

/* The log gets only what was checked; our state stands in for what would not be kept as it came. */
static void store_update(struct doc *d, struct um_span update)
{
    struct um_crdt_update_stats stats = { 0 };
    struct um_crdt_conf loose;

    um_crdt_conf_init(&loose);
    loose.limits.update_bytes = loose.limits.update_structs = loose.limits.update_clients = loose.limits.update_ranges = UINT32_MAX;
    if (um_crdt_validate(&loose, update, &stats) != UM_OK || stats.empty_structs)
        store_whole(d);
    else if (stats.structs > 0 || stats.ranges > 0)
        persist_append(d, UM_SPAN(update.data, stats.bytes), NULL);
}

/* An update twice in the log does no harm; one that is in none does. */
static void store_doubts(struct bus_peer *p)
{
    UM_LIST_EACH_SAFE(it, &p->doubts) {
        struct bus_doubtful *x = UM_CONTAINER(it, struct bus_doubtful, link);
        struct um_reader r = um_reader(um_bytes_span(x->items));

        while (um_reader_left(&r) > 0 && !r.failed)
            store_update(p->doc, um_read_varbytes(&r));
        count(C_BUS_ADOPTED, 1);
        end_doubt(p, x);
    }
}

void bus_store_doubts(struct doc *d)
{
    UM_LIST_EACH(it, &d->bus.peers)
        store_doubts(UM_CONTAINER(it, struct bus_peer, in_doc));
}

void peer_doubt(struct bus_peer *p, uint64_t number, struct um_bytes *items)
{
    struct bus_doubtful *x;

    UM_ASSERT(items != NULL);                /* as for a change of our own clients (persist.c) */
    if (number <= p->stored || items->len == 0)
        return;
    x = um_xcalloc(1, sizeof(*x));
    x->number = number;
    x->items = um_bytes_ref(items);
    um_list_append(&p->doubts, &x->link);
    p->doubt_bytes += cost_of(x);
    p->doc->bus.n_doubts++;
    count(C_BUS_DOUBTS, 1);
    if (p->doubt_bytes > (size_t)p->doc->hub->engine->cf.unsaved_document_bytes)
        store_doubts(p);                     /* too much to wait for its core with */
}

/* Not always the last one's: messages are swapped. */
static uint64_t highest_doubt(const struct bus_peer *p)
{
    uint64_t number = 0;

    UM_LIST_EACH(it, &p->doubts)
        number = UM_MAX(number, UM_CONTAINER(it, struct bus_doubtful, link)->number);
    return number;
}

void peer_put_doubts(const struct doc *d, struct um_buf *out)
{
    size_t n = 0;

    UM_LIST_EACH(it, &d->bus.peers)
        n += !um_list_is_empty(&UM_CONTAINER(it, struct bus_peer, in_doc)->doubts);
    um_buf_put_varuint(out, n);
    UM_LIST_EACH(it, &d->bus.peers) {
        const struct bus_peer *p = UM_CONTAINER(it, struct bus_peer, in_doc);
        if (um_list_is_empty(&p->doubts))
            continue;
        bus_put_origin(out, p->origin->id);
        um_buf_put_varuint(out, p->epoch);
        um_buf_put_varuint(out, highest_doubt(p));
    }
}

/* ---- peers ---- */

struct bus_peer *peer_find(const struct doc *d, const struct bus_origin *o)
{
    UM_LIST_EACH(it, &d->bus.peers) {
        struct bus_peer *p = UM_CONTAINER(it, struct bus_peer, in_doc);
        if (p->origin == o)
            return p;
    }
    return NULL;
}

struct bus_peer *peer_of_hub(const struct doc *d, uint64_t id)
{
    UM_LIST_EACH(it, &d->bus.peers) {
        struct bus_peer *p = UM_CONTAINER(it, struct bus_peer, in_doc);
        if (p->origin->id == id)
            return p;
    }
    return NULL;
}

struct bus_peer *peer_get(struct doc *d, struct bus_origin *o)
{
    struct bus_peer *p = peer_find(d, o);

    if (p != NULL)
        return p;
    p = um_xcalloc(1, sizeof(*p));
    p->doc = d;
    p->origin = o;
    um_list_init(&p->doubts);
    um_list_append(&d->bus.peers, &p->in_doc);
    um_list_append(&o->peers, &p->in_origin);
    d->hub->bus.n_shared += d->bus.n_peers++ == 0;
    return p;
}

bool peer_at(struct bus_peer *p, const struct bus_at *at)
{
    if (at->epoch < p->epoch)
        return false;
    if (at->epoch > p->epoch) {              /* whatever it had not stored before it closed the document */
        store_doubts(p);
        p->epoch = at->epoch;
        p->received = p->stored = 0;
        p->asked_ms = 0;
    }
    if (at->stored > p->stored) {
        p->stored = at->stored;
        end_doubts_up_to(p, p->stored);
    }
    return true;
}

void peer_forget(struct bus_peer *p)
{
    UM_LIST_EACH_SAFE(it, &p->doubts)
        end_doubt(p, UM_CONTAINER(it, struct bus_doubtful, link));
    um_list_remove(&p->in_doc);
    um_list_remove(&p->in_origin);
    p->doc->hub->bus.n_shared -= --p->doc->bus.n_peers == 0;
    free(p);
}

void peer_gone(struct bus_peer *p)
{
    struct doc *d = p->doc;

    if (d->state != DOC_ENDING)
        store_doubts(p);
    /* Those of its people who are behind gateways come to other cores now, and are the same people there. */
    presence_owner_moved(&d->presence, p, um_loop_now_ms(d->hub->loop) - PRESENCE_MS + LOST_GRACE_MS);
    peer_forget(p);
    doc_settle(d);
}

/* ---- hubs of other processes ---- */

static struct um_span key_of(const uint64_t *id) { return UM_SPAN(id, sizeof(*id)); }

struct bus_origin *peer_origin(struct hub *h, uint64_t id)
{
    struct bus_origin *o = um_map_get(&h->bus.origins, key_of(&id));

    if (o == NULL && h->bus.origins.n < BUS_MAX_ORIGINS) {
        o = um_xcalloc(1, sizeof(*o));
        o->id = id;
        o->heard_ms = um_loop_now_ms(h->loop);
        um_list_init(&o->peers);
        um_map_put(&h->bus.origins, key_of(&id), o);
    }
    return o;
}

void peer_identify(struct bus_origin *o, const struct bus_ident *id)
{
    if (o->member != NULL)
        return;
    o->member = um_xstrndup((const char *)id->member.data, id->member.len);
    o->started_ms = id->started_ms;
}

void origin_gone(struct hub *h, struct bus_origin *o, const char *why)
{
    um_log(UM_INFO, "collab.bus", "core left", UM_S("member", o->member ? o->member : "?"), UM_S("reason", why));
    while (!um_list_is_empty(&o->peers))
        peer_gone(UM_CONTAINER(o->peers.next, struct bus_peer, in_origin));
    um_map_remove(&h->bus.origins, key_of(&o->id));
    free(o->member);
    free(o);
}

static bool is_member(const struct um_members *view, const struct bus_origin *o)
{
    for (size_t i = 0; i < view->n; i++)
        if (strcmp(view->list[i].id, o->member) == 0)
            return (uint64_t)view->list[i].started_at_ms == o->started_ms;
    return false;
}

bool origin_is_dead(struct hub *h, const struct bus_origin *o)
{
    struct um_members *view = h->engine->cluster != NULL ? um_cluster_members(h->engine->cluster) : NULL;
    bool dead = view != NULL && view->n > 0 && o->member != NULL && !is_member(view, o);

    um_members_unref(view);
    return dead;
}

static bool is_gone(const struct um_members *view, const struct bus_origin *o, int64_t now_ms)
{
    int64_t silent_ms = now_ms - o->heard_ms;

    if (o->member == NULL)
        return silent_ms > BUS_STRANGER_MS;
    return silent_ms > BUS_SILENT_MS && view != NULL && view->n > 0 && !is_member(view, o);
}

static struct bus_origin *next_gone(struct hub *h, const struct um_members *view, int64_t now_ms)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(&h->bus.origins, &pos, &key, &value))
        if (is_gone(view, value, now_ms))
            return value;
    return NULL;
}

void origin_sweep(struct hub *h, int64_t now_ms)
{
    struct um_members *view = h->engine->cluster != NULL ? um_cluster_members(h->engine->cluster) : NULL;
    struct bus_origin *gone;

    while ((gone = next_gone(h, view, now_ms)) != NULL)
        origin_gone(h, gone, gone->member != NULL ? "no member any more" : "silent");
    um_members_unref(view);
}

void origin_free_all(struct hub *h)
{
    size_t pos = 0;
    struct um_span key;
    void *value;

    while (um_map_next(&h->bus.origins, &pos, &key, &value)) {
        struct bus_origin *o = value;
        free(o->member);
        free(o);
    }
    um_map_free(&h->bus.origins);
}
