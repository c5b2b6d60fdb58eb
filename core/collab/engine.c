/* The engine: one hub per reactor; orders for all of them travel as calls. */
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/util.h>
#include "internal.h"

#define SWEEP_MS      3000
#define REST_BYTES (4u << 20)            /* encoded in one sweep: some milliseconds */

struct hub *hub_of_document(struct um_collab *c, struct um_span name)
{
    return &c->hubs[um_hash_stable(name) % c->n_hubs];
}

static struct hub *hub_on(struct um_collab *c, const struct um_loop *l)
{
    for (unsigned i = 0; i < c->n_hubs; i++)
        if (c->hubs[i].loop == l)
            return &c->hubs[i];
    UM_ASSERT(false && "a loop of another set");
    return NULL;
}

static void sweep(void *arg);

static void sweep_later(struct hub *h)
{
    um_timer_set(h->loop, &h->sweep, UM_MIN(SWEEP_MS, h->engine->cf.keep_alive_ms / 4 + 1), sweep, h);
}

static void sweep(void *arg)
{
    struct hub *h = arg;
    int64_t now = um_loop_now_ms(h->loop);
    size_t rested = 0;

    UM_LIST_EACH_SAFE(it, &h->conns)
        conn_keep_alive(UM_CONTAINER(it, struct conn, link), now);
    UM_LIST_EACH_SAFE(it, &h->all_docs)
        doc_presence_sweep(UM_CONTAINER(it, struct doc, link), now, PRESENCE_MS);
    UM_LIST_EACH_SAFE(it, &h->all_docs)
        if (rested < REST_BYTES)
            rested += doc_rest(UM_CONTAINER(it, struct doc, link), now);
    sweep_later(h);
}

static void hub_start(void *arg)
{
    struct hub *h = arg;

    sweep_later(h);
    elsewhere_start(h);
    h->bus.ops->start(h);
    h->folder = folder_new(h);
    h->bus.is_started = true;
}

um_err um_collab_new(struct um_collab **out, struct um_reactors *reactors, struct um_store *store,
                     const struct um_collab_conf *cf, const struct um_ws_conf *ws, const struct um_collab_hooks *hooks)
{
    static const uint8_t silence[] = { 0 }, no_presence[] = { WIRE_AWARENESS, 1, 0 };
    struct um_collab *c = um_xcalloc(1, sizeof(*c));

    um_metrics_register(collab_counters, C_N);
    c->reactors = reactors;
    c->store = store;
    c->cf = *cf;
    c->ws = *ws;
    c->ws.max_queued += cf->max_document_bytes;  /* a joiner's state must fit: its pieces are queued at once (and shared) */
    if (hooks != NULL)
        c->hooks = *hooks;
    c->bus_run = um_random_u64() >> 16;
    pthread_mutex_init(&c->lock, NULL);
    c->n_hubs = um_reactors_count(reactors);
    atomic_store(&c->drain.left, c->n_hubs);
    c->hubs = um_xcalloc(c->n_hubs, sizeof(*c->hubs));
    for (unsigned i = 0; i < c->n_hubs; i++) {
        struct hub *h = &c->hubs[i];
        h->engine = c;
        h->loop = um_reactors_loop(reactors, i);
        um_list_init(&h->conns);
        um_list_init(&h->all_docs);
        um_list_init(&h->judging);
        bus_hub_init(h, i);
        h->keep_alive = um_ws_frame(UM_WS_BINARY, UM_SPAN(silence, sizeof(silence)));
        h->keep_alive_bare = um_ws_frame(UM_WS_BINARY, UM_SPAN(no_presence, sizeof(no_presence)));
        um_loop_call(h->loop, hub_start, h);
    }
    *out = c;
    return UM_OK;
}

void um_collab_free(struct um_collab *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->n_hubs; i++) {
        if (c->hubs[i].bus.is_started)
            c->hubs[i].bus.ops->stop(&c->hubs[i]);
        folder_free(c->hubs[i].folder);
        um_timer_stop(c->hubs[i].loop, &c->hubs[i].sweep);
        um_timer_stop(c->hubs[i].loop, &c->hubs[i].resync);
        um_timer_stop(c->hubs[i].loop, &c->hubs[i].drain_timer);
        judge_free_all(&c->hubs[i]);
        um_map_free(&c->hubs[i].docs);
        um_bytes_unref(c->hubs[i].keep_alive);
        um_bytes_unref(c->hubs[i].keep_alive_bare);
    }
    um_map_free(&c->open);
    free(c->member);
    pthread_mutex_destroy(&c->lock);
    free(c->hubs);
    free(c);
}

/* ---- sockets ------------------------------------------------------------------------------------------------- */

struct handover {
    struct um_collab *engine;
    struct hub *hub;
    int fd;
    struct um_bytes *early;
    struct um_collab_identity identity;
    bool has_identity, is_leg;
    struct um_bytes *parameters;
    char *room, *address;
};

static void accept_here(void *arg)
{
    struct handover *o = arg;
    struct um_collab_peer peer = { o->has_identity ? &o->identity : NULL, o->room, o->address, o->parameters, o->is_leg };

    conn_accept(o->hub, o->fd, um_bytes_span(o->early), &peer);
    um_bytes_unref(o->early);
    identity_drop(&o->identity);
    um_bytes_unref(o->parameters);
    free(o->room);
    free(o->address);
    free(o);
}

void um_collab_accept(struct um_collab *c, struct um_loop *l, int fd, struct um_span early, const struct um_collab_peer *peer)
{
    struct hub *h = peer->room ? hub_of_document(c, UM_SPAN_STR(peer->room)) : hub_on(c, l);

    if (h->loop == l) {
        conn_accept(h, fd, early, peer);
        return;
    }
    struct handover *o = um_xcalloc(1, sizeof(*o));
    *o = (struct handover){ .engine = c, .hub = h, .fd = fd, .early = um_bytes_dup(early.data, early.len) };
    UM_ASSERT(o->early != NULL);         /* at most a request buffer */
    o->has_identity = peer->identity != NULL;
    if (o->has_identity)
        identity_copy(&o->identity, peer->identity);
    if (peer->parameters != NULL)
        o->parameters = um_bytes_ref(peer->parameters);
    o->room = um_xstrdup(peer->room);
    o->address = um_xstrdup(peer->address ? peer->address : "-");
    o->is_leg = peer->is_leg;
    um_loop_call(h->loop, accept_here, o);
}

/* ---- figures --------------------------------------------------------------------------------------------------- */

struct um_collab_stats um_collab_get_stats(struct um_collab *c)
{
    (void)c;
    return (struct um_collab_stats){
        .documents = um_metric_value(&collab_counters[C_DOCUMENTS]),
        .sockets = um_metric_value(&collab_counters[C_SOCKETS]),
        .connections = um_metric_value(&collab_counters[C_CONNECTIONS]),
        .unstored_bytes = um_metric_value(&collab_counters[C_UNSTORED]),
    };
}

int64_t um_collab_connections_of(struct um_collab *c, const char *document)
{
    int64_t n;

    pthread_mutex_lock(&c->lock);
    n = (int64_t)(intptr_t)um_map_get(&c->open, UM_SPAN_STR(document));
    pthread_mutex_unlock(&c->lock);
    return n;
}

/* ---- orders for documents ----------------------------------------------------------------------------------------- */

struct order {
    struct hub *hub;
    char *document;                      /* NULL: all */
    char reason[64];
    bool forget, reload;
    bool tells;                          /* the other cores */
};

static void carry_out(const struct order *o, struct doc *d)
{
    if (o->reload)
        doc_reload(d);
    else if (o->forget)
        doc_end(d, o->reason, END_CLOSE, 4500);
    else
        doc_close_seats(d, o->reason);
}

static void run_order(void *arg)
{
    struct order *o = arg;

    if (o->document != NULL) {
        struct doc *d = doc_get(o->hub, UM_SPAN_STR(o->document), false);
        if (d != NULL)
            carry_out(o, d);
    } else {
        UM_LIST_EACH_SAFE(it, &o->hub->all_docs)
            carry_out(o, UM_CONTAINER(it, struct doc, link));
    }
    if (o->tells)
        o->hub->bus.ops->order(o->hub, o->forget ? BUS_DELETED : BUS_CLOSE, UM_SPAN_STR(o->document ? o->document : ""),
                               UM_SPAN_STR(o->reason));
    free(o->document);
    free(o);
}

static void give_order(struct hub *h, const char *document, const char *reason, bool forget, bool tells)
{
    struct order *o = um_xcalloc(1, sizeof(*o));

    o->hub = h;
    o->forget = forget;
    o->tells = tells;
    o->document = document ? um_xstrdup(document) : NULL;
    strncpy(o->reason, reason, sizeof(o->reason) - 1);
    um_loop_call(h->loop, run_order, o);
}

void um_collab_close_documents(struct um_collab *c, const char *document, const char *reason)
{
    if (document != NULL) {
        give_order(hub_of_document(c, UM_SPAN_STR(document)), document, reason, false, true);
        return;
    }
    for (unsigned i = 0; i < c->n_hubs; i++)
        give_order(&c->hubs[i], NULL, reason, false, i == 0);
}

void um_collab_forget(struct um_collab *c, const char *document)
{
    give_order(hub_of_document(c, UM_SPAN_STR(document)), document, "deleted", true, true);
}

void um_collab_reload(struct um_collab *c, const char *document)
{
    struct order *o = um_xcalloc(1, sizeof(*o));

    o->hub = hub_of_document(c, UM_SPAN_STR(document));
    o->reload = true;
    o->document = um_xstrdup(document);
    um_loop_call(o->hub->loop, run_order, o);
}

/* ---- drain ------------------------------------------------------------------------------------------------------------ */

static void hub_drained(struct hub *h)
{
    struct um_collab *c = h->engine;

    h->drained = NULL;
    um_timer_stop(h->loop, &h->sweep);
    um_timer_stop(h->loop, &h->resync);
    um_timer_stop(h->loop, &h->drain_timer);
    if (atomic_fetch_sub(&c->drain.left, 1) == 1)
        um_loop_call(c->drain.loop, c->drain.done, c->drain.arg);
}

void hub_check_drained(struct hub *h)
{
    if (h->drained != NULL && um_list_is_empty(&h->conns) && um_list_is_empty(&h->all_docs) &&
        !h->asking && folder_is_idle(h->folder))
        h->drained(h);
}

/* The reactor it leaves has not drained yet, so the count cannot have come to its end. */
void hub_expect(struct hub *h)
{
    atomic_fetch_add(&h->engine->drain.left, 1);
}

/* A reactor that has drained already answers for the socket with the socket's own share. */
void hub_welcome(struct hub *h)
{
    if (h->draining && h->drained == NULL)
        h->drained = hub_drained;
    else
        atomic_fetch_sub(&h->engine->drain.left, 1);
}

/* Is there a core that gateways can go to? */
static bool has_heir(const struct um_collab *c)
{
    struct um_members *view = c->cluster != NULL ? um_cluster_members(c->cluster) : NULL;
    bool has = false;

    for (size_t i = 0; view != NULL && i < view->n; i++) {
        const struct um_member *m = &view->list[i];
        has = has || (strcmp(m->role, "core") == 0 && !m->is_self && !m->draining && um_member_serves(m, "collab"));
    }
    um_members_unref(view);
    return has;
}

static void end_conns(void *arg)
{
    struct hub *h = arg;

    UM_LIST_EACH_SAFE(it, &h->conns)
        conn_drain(UM_CONTAINER(it, struct conn, link));
}

/* Gateways have heard that we drain, and take their documents elsewhere one by one: they get the time for it. Others are closed now. */
static void drain_hub(void *arg)
{
    struct hub *h = arg;
    int64_t spread_ms = has_heir(h->engine) ? h->engine->cf.drain_spread_ms : 0;

    h->draining = true;
    h->drained = hub_drained;
    UM_LIST_EACH_SAFE(it, &h->conns) {
        struct conn *c = UM_CONTAINER(it, struct conn, link);
        if (!c->is_leg || spread_ms == 0)
            conn_drain(c);
    }
    um_timer_set(h->loop, &h->drain_timer, spread_ms, end_conns, h);
    UM_LIST_EACH_SAFE(it, &h->all_docs)
        doc_settle(UM_CONTAINER(it, struct doc, link));
    hub_check_drained(h);
}

void um_collab_drain(struct um_collab *c, struct um_loop *l, void (*done)(void *arg), void *arg)
{
    c->drain.loop = l;
    c->drain.done = done;
    c->drain.arg = arg;
    for (unsigned i = 0; i < c->n_hubs; i++)
        um_loop_call(c->hubs[i].loop, drain_hub, &c->hubs[i]);
}
