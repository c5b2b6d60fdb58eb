/* What hubs that have died left in the streams' tail: updates that were told, and perhaps not stored. Nobody was told that they are
 * saved; but somebody may have seen them.
 *
 *   the document is open here        bus_peer.c stores them when the hub is no member any more
 *   it is opened                     at once, when the tail has been taken
 *   nobody opens it                  the first core with the role worker does
 *
 * An entry goes from the stream when it is stored here. */
#include <string.h>
#include <umbel/cluster.h>
#include "bus_peer.h"

#define ADOPTED_MAX 10000                    /* documents that are remembered; they are adopted again otherwise */

static struct um_buf key_of(uint64_t origin, struct um_span document)
{
    struct um_buf key = { 0 };

    um_buf_put(&key, &origin, sizeof(origin));
    um_buf_put(&key, document.data, document.len);
    UM_ASSERT(!key.failed);
    return key;
}

static bool was_adopted(struct hub *h, uint64_t origin, struct um_span document)
{
    struct um_buf key = key_of(origin, document);
    bool was = um_map_get(&h->bus.adopted, UM_SPAN(key.data, key.len)) != NULL;

    um_buf_free(&key);
    return was;
}

static void note_adopted(struct hub *h, uint64_t origin, struct um_span document)
{
    struct um_buf key = key_of(origin, document);

    if (h->bus.adopted.n >= ADOPTED_MAX) {
        um_map_free(&h->bus.adopted);
        memset(&h->bus.adopted, 0, sizeof(h->bus.adopted));
    }
    um_map_put(&h->bus.adopted, UM_SPAN(key.data, key.len), h);
    um_buf_free(&key);
}

void adopt_from_the_dead(struct doc *d)
{
    UM_LIST_EACH_SAFE(it, &d->bus.peers) {
        struct bus_peer *p = UM_CONTAINER(it, struct bus_peer, in_doc);
        if (!origin_is_dead(d->hub, p->origin))
            continue;
        note_adopted(d->hub, p->origin->id, UM_SPAN_STR(d->name));
        peer_gone(p);
    }
}

static bool is_dead(struct hub *h, uint64_t origin)
{
    const struct bus_origin *o = um_map_get(&h->bus.origins, UM_SPAN(&origin, sizeof(origin)));

    return o == NULL || origin_is_dead(h, o);        /* who was heard of and is not listed has gone (bus_peer.c) */
}

/* One core for all: the first that has the role. */
static bool is_our_turn(struct hub *h)
{
    struct um_members *view = h->engine->cluster != NULL ? um_cluster_members(h->engine->cluster) : NULL;
    bool ours = false;

    for (size_t i = 0; view != NULL && i < view->n; i++) {
        const struct um_member *m = &view->list[i];
        if (m->draining || strcmp(m->role, "core") != 0 || !um_member_serves(m, "worker"))
            continue;
        ours = m->is_self;
        break;
    }
    um_members_unref(view);
    return ours;
}

bool adopt_orphan(void *hub, struct um_span document, uint64_t origin)
{
    struct hub *h = hub;
    struct doc *d = doc_get(h, document, false);

    if (origin >> 16 == h->engine->bus_run || !is_dead(h, origin))
        return false;
    if (d != NULL)
        return d->bus.loaded && d->state != DOC_LOADING && d->state != DOC_ENDING && peer_of_hub(d, origin) == NULL &&
               um_list_is_empty(&d->pending);
    if (was_adopted(h, origin, document))
        return true;                         /* it closed with all of it stored */
    if (!h->draining && h->engine->cf.works && is_our_turn(h) && (d = doc_get(h, document, true)) != NULL)
        persist_load(d);
    return false;
}
