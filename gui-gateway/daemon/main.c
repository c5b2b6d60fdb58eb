/* umbel-gateway: wiring. Reads the configuration, builds one site per reactor, runs until a signal, drains, ends.
 *
 * The main thread owns signals and nothing else: it waits while the reactors work.
 *   first SIGTERM or SIGINT   readiness off, drain delay, stop accepting, let running requests end, cut the tunnels, exit 0
 *   second                    exit at once
 * Exit status: 0 after a signal, 1 when something of the system is wanting, 2 for a bad configuration. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/util.h>

#include <proxy/forward.h>

#include "options.h"

enum { BEAT_MS = 2000, SWEEP_MS = 5000, DRAIN_POLL_MS = 20 };
#define SIGDRAINED SIGUSR1                /* from a reactor to the main thread: look at n_drained; two may come as one */

struct gateway;
struct reactor {                          /* everything below lives on its loop */
    struct gateway *gw;
    unsigned index;
    struct um_loop *loop;
    struct um_upstream *upstream;
    struct um_auth *auth;
    struct um_site *site;
    struct um_timer beat, sweep, drain;
    int64_t drain_until_ms;
};
struct gateway {
    struct options opt;
    struct um_assets *assets;
    struct um_sessions *sessions;
    struct um_throttle *throttle;
    struct um_vitals vitals;
    struct um_reactors *reactors;
    struct reactor *r;
    unsigned n;
    _Atomic unsigned n_drained;
    pthread_t main_thread;
    char *port_file;
};

/* ---- a reactor's own clockwork ---- */

static void beat(void *arg)
{
    struct reactor *r = arg;

    atomic_store_explicit(&r->gw->vitals.beat_ms[r->index], um_now_ms(), memory_order_relaxed);
    atomic_store_explicit(&r->gw->vitals.core_is_up[r->index], um_upstream_is_up(r->upstream), memory_order_relaxed);
    um_timer_set(r->loop, &r->beat, BEAT_MS, beat, r);
}

static void sweep(void *arg)
{
    struct reactor *r = arg;

    um_sessions_sweep(r->gw->sessions);
    um_timer_set(r->loop, &r->sweep, SWEEP_MS, sweep, r);
}

static void drain_step(void *arg)
{
    struct reactor *r = arg;
    size_t open = um_http_open_requests(um_site_http(r->site));

    if (open > 0 && um_loop_now_ms(r->loop) < r->drain_until_ms) {
        um_timer_set(r->loop, &r->drain, DRAIN_POLL_MS, drain_step, r);
        return;
    }
    um_log(open > 0 ? UM_WARN : UM_INFO, "gateway", "drained", UM_I("reactor", r->index), UM_I("requests_cut", open),
           UM_I("tunnels_cut", um_auth_tunnels(r->auth)));
    um_auth_stop(r->auth);
    atomic_fetch_add(&r->gw->n_drained, 1);
    pthread_kill(r->gw->main_thread, SIGDRAINED);
}

static void quiesce(void *arg)
{
    struct reactor *r = arg;

    um_http_quiesce(um_site_http(r->site));
    r->drain_until_ms = um_loop_now_ms(r->loop) + r->gw->opt.gateway.shutdown_ms;
    drain_step(r);
}

static void start_drain(void *arg)
{
    struct reactor *r = arg;
    um_timer_set(r->loop, &r->drain, r->gw->opt.gateway.drain_delay_ms, quiesce, r);
}

static um_err build_reactor(struct gateway *gw, struct reactor *r, unsigned index)
{
    struct options *o = &gw->opt;
    struct um_auth_env auth_env = {
        .conf = &o->auth, .ring = &o->ring, .trusted = o->trusted, .sessions = gw->sessions, .throttle = gw->throttle,
        .tunnels = &o->tunnels,
    };
    struct um_site_env site_env = { .conf = &o->site, .assets = gw->assets, .vitals = &gw->vitals, .trusted = o->trusted };
    um_err err;

    r->gw = gw;
    r->index = index;
    r->loop = auth_env.loop = um_reactors_loop(gw->reactors, index);
    if ((err = um_upstream_new(&r->upstream, r->loop, &o->upstream)) != UM_OK)
        return err;
    auth_env.upstream = r->upstream;
    r->auth = site_env.auth = um_auth_new(&auth_env);
    if ((err = um_site_new(&r->site, r->loop, &o->http, &site_env)) != UM_OK)
        return err;
    o->http.port = um_http_port(um_site_http(r->site));       /* 0 became a number: the others share it */
    beat(r);
    if (index == 0)
        sweep(r);
    return UM_OK;
}

static void free_reactor(struct reactor *r)
{
    um_site_free(r->site);
    um_auth_free(r->auth);
    um_upstream_free(r->upstream);
}

/* ---- the process ---- */

static void raise_descriptor_limit(void)
{
    struct rlimit lim;

    if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
        return;
    lim.rlim_cur = lim.rlim_max;
    setrlimit(RLIMIT_NOFILE, &lim);
    um_log(UM_INFO, "gateway", "descriptors", UM_I("limit", lim.rlim_cur));
}

/* Whoever started us reads the port there: the file is whole or absent. */
static bool write_port_file(const struct gateway *gw)
{
    char *tmp = um_xasprintf("%s.tmp", gw->port_file);
    FILE *f = fopen(tmp, "we");
    bool ok = f != NULL && fprintf(f, "%lld\n", (long long)gw->opt.http.port) > 0;

    if (f != NULL)
        ok &= fclose(f) == 0;
    ok = ok && rename(tmp, gw->port_file) == 0;
    if (!ok)
        um_log(UM_ERROR, "gateway", "port-file", UM_S("file", gw->port_file), UM_S("error", strerror(errno)));
    free(tmp);
    return ok;
}

static void load_web_app(struct gateway *gw)
{
    const char *dir = gw->opt.web_dir;

    if (um_assets_load(&gw->assets, dir) == UM_OK)
        um_log(UM_INFO, "gateway", "web-app", UM_S("dir", dir), UM_I("files", um_assets_count(gw->assets)));
    else
        um_log(UM_WARN, "gateway", "no-web-app", UM_S("dir", dir), UM_S("hint", "set gui.web.dir to the folder with index.html"));
}

static void start_modules(void)
{
    um_http_start();
    um_forward_start();
    um_tunnel_start();
    um_auth_start();
}

static um_err build(struct gateway *gw)
{
    struct options *o = &gw->opt;
    um_err err;

    start_modules();
    if ((err = um_upstream_start()) != UM_OK || (err = um_sessions_new_memory(&gw->sessions, &o->sessions)) != UM_OK)
        return err;
    gw->throttle = um_throttle_new(&o->throttle);
    gw->n = o->gateway.reactors > 0 ? (unsigned)o->gateway.reactors
                                    : (unsigned)UM_MIN(UM_MAX(sysconf(_SC_NPROCESSORS_ONLN), 1), UM_VITALS_REACTORS_MAX);
    gw->vitals.n_reactors = gw->n;
    gw->vitals.show_details = o->gateway.health_details == UM_DETAILS_ALWAYS;
    gw->vitals.started_wall_ms = um_wall_ms();
    if ((err = um_http_check_port(&o->http)) != UM_OK)
        return err;
    gw->reactors = um_reactors_new(gw->n);
    gw->r = um_xcalloc(gw->n, sizeof(*gw->r));
    for (unsigned i = 0; i < gw->n; i++)
        if ((err = build_reactor(gw, &gw->r[i], i)) != UM_OK)
            return err;
    return UM_OK;
}

static void tear_down(struct gateway *gw)
{
    for (unsigned i = 0; gw->r != NULL && i < gw->n; i++)
        free_reactor(&gw->r[i]);
    if (gw->reactors != NULL)
        um_reactors_free(gw->reactors);
    free(gw->r);
    um_sessions_free(gw->sessions);
    um_throttle_free(gw->throttle);
    um_assets_free(gw->assets);
    free(gw->port_file);
    options_free(&gw->opt);
}

static void signals_of_main(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGDRAINED);
    pthread_sigmask(SIG_BLOCK, set, NULL);      /* threads that are started from now on inherit it */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

/* Returns when every reactor has drained; a second signal ends the process. */
static void run_until_drained(struct gateway *gw, const sigset_t *set)
{
    bool stopping = false;
    int sig;

    while (atomic_load(&gw->n_drained) < gw->n) {
        if (sigwait(set, &sig) != 0 || sig == SIGDRAINED)
            continue;
        if (stopping) {
            um_log(UM_WARN, "gateway", "stopped-at-once", UM_S("signal", strsignal(sig)));
            _exit(0);
        } else {
            stopping = true;
            um_log(UM_INFO, "gateway", "stopping", UM_S("signal", strsignal(sig)));
            atomic_store(&gw->vitals.refuses, true);
            for (unsigned i = 0; i < gw->n; i++)
                um_loop_call(gw->r[i].loop, start_drain, &gw->r[i]);
        }
    }
}

static int run(struct gateway *gw, const sigset_t *set)
{
    const struct um_http_conf *http = &gw->opt.http;
    um_err err = build(gw);

    if (err != UM_OK) {
        um_log(UM_ERROR, "gateway", "cannot-start", UM_S("address", http->address), UM_I("port", http->port),
               UM_S("reason", err == UM_EEXIST ? "the port is taken" : um_err_text(err)));
        return 1;
    }
    um_reactors_start(gw->reactors);
    um_log(UM_INFO, "gateway", "listening", UM_S("address", http->address), UM_I("port", http->port), UM_I("reactors", gw->n),
           UM_S("core", gw->opt.upstream.nodes.items[0]), UM_S("version", UMBEL_VERSION));
    if (!write_port_file(gw))
        kill(getpid(), SIGTERM);                /* whoever waits for the file would wait for ever */
    run_until_drained(gw, set);
    um_reactors_stop(gw->reactors);
    unlink(gw->port_file);
    um_log(UM_INFO, "gateway", "stopped");
    return 0;
}

int main(int argc, char **argv)
{
    struct gateway gw = { .main_thread = pthread_self() };
    struct um_log_conf log = { .service = "umbel-gateway" };
    const char *bad = NULL;
    sigset_t set;
    int status;

    if (!options_read(&gw.opt, argc, argv, environ, &status)) {
        options_free(&gw.opt);
        return status;
    }
    log.format = (enum um_log_format)gw.opt.gateway.log_format;
    log.file = gw.opt.gateway.log_file;
    if (um_log_open(&log) != UM_OK) {
        fprintf(stderr, "error: logging.file.name=%s: %s\n", log.file, strerror(errno));
        options_free(&gw.opt);
        return 2;
    }
    options_apply_log(&gw.opt);
    signals_of_main(&set);
    if (um_failpoint_init_from_env(&bad) != UM_OK)
        um_log(UM_WARN, "gateway", "failpoints", UM_S("not-understood", bad));
    if (gw.opt.random_key[0] != '\0')
        um_log(UM_WARN, "gateway", "random-token-key", UM_S("hint", "set token.key, the same for gateway and core"));
    raise_descriptor_limit();
    gw.port_file = um_xasprintf("%s/gui-gateway.port", gw.opt.gateway.data_dir);
    unlink(gw.port_file);
    load_web_app(&gw);
    status = run(&gw, &set);
    tear_down(&gw);
    return status;
}
