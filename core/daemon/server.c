/* See server.h. */
#include <stdatomic.h>
#include <stdlib.h>
#include "server.h"

enum { DRAIN_POLL_MS = 20 };

struct door {                                /* of one reactor */
    struct servers *of;
    struct um_loop *loop;
    struct um_http *http;
    struct um_timer drain, beat;
};
struct servers {
    struct um_rest *rest;
    struct door *doors;
    unsigned n;
    struct um_http *management;              /* on the first reactor; NULL: management.server.port is 0 */
    _Atomic unsigned n_busy;                 /* draining: doors with requests under way */
    _Atomic bool drained;
};

static void beat(void *arg)
{
    struct door *d = arg;

    um_rest_beat(d->of->rest, (unsigned)(d - d->of->doors));
    um_timer_set(d->loop, &d->beat, um_loop_next_ms(d->loop, UM_REST_BEAT_MS), beat, d);
}

um_err servers_open(struct servers **out, struct um_reactors *reactors, struct um_http_conf *cf, struct um_rest *rest)
{
    struct servers *s = um_xcalloc(1, sizeof(*s));
    size_t n;
    const struct um_http_route *routes = um_rest_routes(rest, &n);
    um_err err;

    s->rest = rest;
    s->doors = um_xcalloc(um_reactors_count(reactors), sizeof(struct door));
    err = um_http_check_port(cf);
    while (err == UM_OK && s->n < um_reactors_count(reactors)) {
        struct door *d = &s->doors[s->n];

        d->of = s;
        d->loop = um_reactors_loop(reactors, s->n);
        err = um_http_new(&d->http, d->loop, cf, routes, n, &um_rest_hooks, rest);
        if (err != UM_OK)
            break;
        if (s->n++ == 0)
            cf->port = um_http_port(d->http);
        beat(d);
    }
    if (err != UM_OK) {
        servers_free(s);
        s = NULL;
    }
    *out = s;
    return err;
}

um_err servers_open_management(struct servers *s, const struct um_http_conf *cf, struct um_rest *rest)
{
    size_t n;
    const struct um_http_route *routes = um_rest_routes(rest, &n);
    um_err err = um_http_check_port(cf);

    return err != UM_OK ? err : um_http_new(&s->management, s->doors[0].loop, cf, routes, n, &um_rest_management_hooks, rest);
}

int servers_port(const struct servers *s) { return um_http_port(s->doors[0].http); }

static void quiesce(void *http) { um_http_quiesce(http); }

void servers_quiesce(struct servers *s)
{
    for (unsigned i = 0; i < s->n; i++)
        um_loop_call(s->doors[i].loop, quiesce, s->doors[i].http);
}

static void drain_step(void *arg)
{
    struct door *d = arg;

    if (um_http_open_requests(d->http) > 0)
        um_timer_set(d->loop, &d->drain, DRAIN_POLL_MS, drain_step, d);
    else if (atomic_fetch_sub(&d->of->n_busy, 1) == 1)
        atomic_store(&d->of->drained, true);
}

static void close_door(void *arg)
{
    struct door *d = arg;

    um_http_close(d->http);
    drain_step(d);
}

_Atomic bool *servers_drain(struct servers *s)
{
    atomic_store(&s->n_busy, s->n);
    for (unsigned i = 0; i < s->n; i++)
        um_loop_call(s->doors[i].loop, close_door, &s->doors[i]);
    return &s->drained;
}

void servers_free(struct servers *s)
{
    if (s == NULL)
        return;
    for (unsigned i = 0; i < s->n; i++) {
        um_timer_stop(s->doors[i].loop, &s->doors[i].drain);
        um_timer_stop(s->doors[i].loop, &s->doors[i].beat);
        um_http_free(s->doors[i].http);
    }
    um_http_free(s->management);
    free(s->doors);
    free(s);
}
