/* Who waits for a place. A route is a scheme, host and port; it has a line of calls, first come first served, and routes that have a
 * free place take turns for the places of all, so that one slow handler does not hold up the others' lines.
 *
 * Invariants: a route stands in `ready` exactly when its line is not empty and fewer than max_per_route of its calls are active;
 * one without calls is freed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "outgoing_int.h"

enum { LOOK_MS = 50 };                   /* lines are looked through for calls that are due no more often */

struct route {
    struct um_list link;                 /* of `ready`, or unlinked */
    struct um_list line;
    int64_t n_active, n_waiting;
    char key[URL_HOST_MAX + 16];
};

static struct um_span key_of(const struct route *r) { return UM_SPAN(r->key, strlen(r->key)); }

static struct route *route_of(struct call *c)
{
    struct route *fresh = um_xcalloc(1, sizeof(*fresh)), *r;

    snprintf(fresh->key, sizeof(fresh->key), "%c %s:%u", c->url.tls ? 's' : '-', c->url.host, c->url.port);
    if ((r = um_map_get(&c->o->routes, key_of(fresh))) != NULL) {
        free(fresh);
        return r;
    }
    um_list_init(&fresh->link);
    um_list_init(&fresh->line);
    um_map_put(&c->o->routes, key_of(fresh), fresh);
    return fresh;
}

static void put_in_place(struct um_outgoing *o, struct route *r)
{
    bool ready = r->n_waiting > 0 && r->n_active < o->cf.max_per_route;

    if (r->n_waiting == 0 && r->n_active == 0) {
        um_list_remove(&r->link);
        um_map_remove(&o->routes, key_of(r));
        free(r);
    } else if (!ready) {
        um_list_remove(&r->link);
    } else if (um_list_is_empty(&r->link)) {
        um_list_append(&o->ready, &r->link);
    }
}

static void end_waiting(struct call *c)
{
    um_list_remove(&c->link);
    c->route->n_waiting--;
    atomic_fetch_sub(&c->o->n_waiting, 1);
    atomic_fetch_sub(&c->o->waiting_bytes, (int64_t)c->body_len);
    count(M_WAITING, -1);
}

void route_enter(struct call *c)
{
    c->route = route_of(c);
    um_list_append(&c->route->line, &c->link);
    c->route->n_waiting++;
    c->o->look_ms = UM_MIN(c->o->look_ms, c->deadline_ms);
    put_in_place(c->o, c->route);
}

struct call *route_next(struct um_outgoing *o)
{
    struct route *r;
    struct call *c;

    if (um_list_is_empty(&o->ready) || o->n_active >= (size_t)o->cf.max_total)
        return NULL;
    r = UM_CONTAINER(o->ready.next, struct route, link);
    c = UM_CONTAINER(r->line.next, struct call, link);
    end_waiting(c);
    um_list_append(&o->active, &c->link);
    c->active = true;
    o->n_active++;
    r->n_active++;
    count(M_ACTIVE, 1);
    um_list_remove(&r->link);            /* to the end of the others */
    put_in_place(o, r);
    return c;
}

void route_leave(struct call *c)
{
    struct route *r = c->route;

    if (c->active) {
        um_list_remove(&c->link);
        c->active = false;
        c->o->n_active--;
        r->n_active--;
        count(M_ACTIVE, -1);
    } else {
        end_waiting(c);
    }
    c->route = NULL;
    put_in_place(c->o, r);
}

/* The calls of a line that are due, moved to OUT; the earliest moment of the others. */
static int64_t take_due(struct route *r, int64_t now_ms, struct um_list *out)
{
    int64_t next = INT64_MAX;

    UM_LIST_EACH_SAFE(it, &r->line) {
        struct call *c = UM_CONTAINER(it, struct call, link);
        if (c->deadline_ms > now_ms) {
            next = UM_MIN(next, c->deadline_ms);
        } else {
            um_list_remove(it);
            um_list_append(out, it);
        }
    }
    return next;
}

int64_t routes_expire(struct um_outgoing *o, int64_t now_ms, void (*fn)(struct call *c))
{
    int64_t next = INT64_MAX;
    struct um_list due;
    size_t pos = 0;
    void *value;

    if (now_ms < o->look_ms)
        return o->look_ms;
    um_list_init(&due);
    while (um_map_next(&o->routes, &pos, NULL, &value))
        next = UM_MIN(next, take_due(value, now_ms, &due));
    UM_LIST_EACH_SAFE(it, &due) {
        struct call *c = UM_CONTAINER(it, struct call, link);
        route_leave(c);
        fn(c);
    }
    o->look_ms = next == INT64_MAX ? next : UM_MAX(next, now_ms + LOOK_MS);
    return o->look_ms;
}
