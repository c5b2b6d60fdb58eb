/* One reactor of the gateway: its connections to the core, its site, and its own clockwork. Everything here lives on its loop. */
#include <stdlib.h>
#include <proxy/checks.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "cache_source.h"
#include "gateway.h"
#include "realtime.h"

enum { BEAT_MS = 2000, SWEEP_MS = 5000, DRAIN_POLL_MS = 20 };

struct reactor {
    struct gateway *gw;
    unsigned index;
    struct um_loop *loop;
    struct um_upstream *upstream;
    struct um_checks *checks;
    struct um_auth *auth;
    struct um_site *site;
    struct cache_source *caches;          /* of the first reactor */
    struct um_timer beat, sweep, drain;
    int64_t drain_until_ms;
};

static size_t clients_of(const struct reactor *r)
{
    return r->gw->sio != NULL ? um_sio_clients(r->gw->sio, r->index) : 0;
}

/* ---- clockwork ---- */

/* Every reactor says what it carries; the first one tells the sum. */
static void tell_load(struct reactor *r)
{
    struct gateway *gw = r->gw;
    int64_t sum = 0;

    atomic_store_explicit(&gw->load[r->index], (int64_t)(um_auth_tunnels(r->auth) + um_http_open_requests(um_site_http(r->site)) + clients_of(r)),
                          memory_order_relaxed);
    for (unsigned i = 0; r->index == 0 && i < gw->n; i++)
        sum += atomic_load_explicit(&gw->load[i], memory_order_relaxed);
    if (r->index == 0)
        um_cluster_set_load(gw->cluster, sum);
}

static void beat(void *arg)
{
    struct reactor *r = arg;

    atomic_store_explicit(&r->gw->vitals.beat_ms[r->index], um_now_ms(), memory_order_relaxed);
    atomic_store_explicit(&r->gw->vitals.core_is_up[r->index], um_cores_is_up(um_upstream_cores(r->upstream)), memory_order_relaxed);
    tell_load(r);
    um_timer_set(r->loop, &r->beat, um_loop_next_ms(r->loop, BEAT_MS), beat, r);
}

static void sweep(void *arg)
{
    struct reactor *r = arg;

    um_sessions_sweep(r->gw->sessions);
    um_timer_set(r->loop, &r->sweep, SWEEP_MS, sweep, r);
}

/* ---- the end ---- */

static void drain_step(void *arg)
{
    struct reactor *r = arg;
    struct gateway *gw = r->gw;
    size_t open = um_http_open_requests(um_site_http(r->site)) + clients_of(r);

    if (open + um_auth_tunnels(r->auth) > 0 && um_loop_now_ms(r->loop) < r->drain_until_ms) {
        um_timer_set(r->loop, &r->drain, DRAIN_POLL_MS, drain_step, r);
        return;
    }
    um_http_close(um_site_http(r->site));
    um_log(open > 0 ? UM_WARN : UM_INFO, "gateway", "drained", UM_I("reactor", r->index), UM_I("requests_cut", open),
           UM_I("tunnels_cut", um_auth_tunnels(r->auth)));
    um_auth_stop(r->auth);
    if (gw->sio != NULL)
        um_sio_stop(gw->sio, r->index);
    um_core_door_close(gw->door, r->upstream);
    if (atomic_fetch_add(&gw->n_drained, 1) + 1 == gw->n)
        atomic_store(&gw->drained, true);
}

static void quiesce(void *arg)
{
    struct reactor *r = arg;

    um_http_quiesce(um_site_http(r->site));
    if (r->gw->sio != NULL)
        um_sio_drain(r->gw->sio, r->index);
    r->drain_until_ms = um_loop_now_ms(r->loop) + r->gw->process.stop_timeout_ms;
    um_auth_drain(r->auth, r->gw->own.drain_spread_ms);
    drain_step(r);
}

static void start_drain(void *arg)
{
    struct reactor *r = arg;
    um_timer_set(r->loop, &r->drain, r->gw->own.drain_delay_ms, quiesce, r);
}

void reactor_drain(struct reactor *r)
{
    um_loop_call(r->loop, start_drain, r);
}

/* ---- life ---- */

/* A session was revoked, or several: then the list is read again. Nobody waits for that, so it counts as done when it is asked. */
static void revocations_changed(void *arg, const char *scope, uint64_t version, struct um_span news)
{
    char hash[UM_REVOKED_HASH_LEN + 1];
    struct reactor *r = arg;
    struct um_revocation row;

    if (!um_revoked_read_news(news, hash, &row) || um_sessions_add_revoked(r->gw->sessions, &row) != UM_OK)
        um_sessions_reread_revoked(r->gw->sessions);
    um_cachegen_applied(r->gw->cachegen, scope, UM_REVOKED_CACHE, version);
}

/* Once in the process, here: its questions go to the cores by this reactor's upstream. */
static um_err open_caches(struct reactor *r)
{
    struct gateway *gw = r->gw;
    struct um_cachegen_source source;

    r->caches = cache_source_new(r->upstream, r->loop, &gw->ring);
    source = cache_source_of(r->caches);
    if (um_cachegen_new(&gw->cachegen, gw->redis, r->loop, gw->cluster, &source, &gw->cachegen_conf) != UM_OK)
        return UM_ENOMEM;
    um_cachegen_listen(gw->cachegen, r->loop, UM_REVOKED_CACHE, revocations_changed, r);
    return UM_OK;
}

static void session_ended(void *arg, const char *id, enum um_session_end why)
{
    struct reactor *r = arg;

    um_sio_end_session(r->gw->sio, r->index, id, why == UM_SESSION_RENAMED);
}

um_err reactor_open(struct reactor **out, struct gateway *gw, unsigned index)
{
    struct um_auth_env auth_env = {
        .conf = &gw->auth, .ring = &gw->ring, .trusted = gw->trusted, .sessions = gw->sessions, .throttle = gw->throttle,
        .tunnels = &gw->tunnels, .ws = &gw->ws, .actuator = &gw->actuator,
    };
    struct um_site_env site_env = { .conf = &gw->site, .assets = gw->assets, .vitals = &gw->vitals, .trusted = gw->trusted,
                                    .actuator = &gw->actuator, .settings = gw->conf, .sio = gw->sio, .sio_conf = &gw->sio_conf,
                                    .management = index == 0 && gw->actuator.port > 0 ? &gw->management : NULL };
    struct reactor *r = *out = um_xcalloc(1, sizeof(*r));
    um_err err;

    r->gw = gw;
    r->index = index;
    r->loop = auth_env.loop = um_reactors_loop(gw->reactors, index);
    if ((err = um_upstream_new(&r->upstream, r->loop, &gw->upstream, gw->redis != NULL ? gw->cluster : NULL)) != UM_OK)
        return err;
    if (index == 0 && (err = open_caches(r)) != UM_OK)
        return err;
    r->checks = um_checks_new(r->upstream);
    um_core_door_open(gw->door, r->upstream);
    auth_env.upstream = r->upstream;
    site_env.cachegen = gw->cachegen;
    site_env.cores = um_upstream_cores(r->upstream);
    r->auth = site_env.auth = um_auth_new(&auth_env);
    if (gw->sio != NULL) {
        um_sio_set_ask(gw->sio, index, realtime_ask, r->auth);
        um_sessions_listen(gw->sessions, r->loop, session_ended, r);
    }
    if ((err = um_site_new(&r->site, r->loop, &gw->http, &site_env)) != UM_OK)
        return err;
    gw->http.port = um_http_port(um_site_http(r->site));      /* 0 became a number: the others share it */
    beat(r);
    if (index == 0)
        sweep(r);
    return UM_OK;
}

void reactor_close(struct reactor *r)
{
    if (r == NULL)
        return;
    if (r->index == 0) {
        cache_source_free(r->caches);
        um_cachegen_free(r->gw->cachegen);
    }
    um_site_free(r->site);
    if (r->gw->sio != NULL)
        um_sio_close(r->gw->sio, r->index);
    um_auth_free(r->auth);
    um_checks_free(r->checks);
    um_upstream_free(r->upstream);
    um_timer_stop(r->loop, &r->beat);
    um_timer_stop(r->loop, &r->sweep);
    um_timer_stop(r->loop, &r->drain);
    free(r);
}
