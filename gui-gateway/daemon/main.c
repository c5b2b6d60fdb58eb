/* umbel-gateway: wiring. Configuration, log, sessions, one site per reactor; then it waits for a signal and takes all down again. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <proxy/forward.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include <umbel/ws.h>

#include "gateway.h"
#include "realtime.h"

enum { DRAIN_SLACK_MS = 5000 };           /* beyond what the configuration allows: a reactor hangs */

#define AT(f) .at = offsetof(struct gateway_conf, f)
static const struct um_conf_key own_keys[] = {
    { "server.port", NULL, "8080", "port; 0 = a free one, written to <data-dir>/gui-gateway.port",
      UM_CONF_INT, 0, AT(port), .min = 0, .max = 65535 },
    { "gui.web.dir", NULL, "", "folder of the built web app; empty = share/umbel/web beside the folder of the program",
      UM_CONF_STR, 0, AT(web_dir), .max = 4000 },
    { "server.trusted-proxies", NULL, "", "addresses or networks of the proxies whose X-Forwarded-* headers are believed",
      UM_CONF_LIST, 0, AT(trusted_proxies), .max = 256 },
    { "server.drain-delay", NULL, "0s", "after SIGTERM: time for the load balancer to notice before new connections are refused; "
      "only then spring.lifecycle.timeout-per-shutdown-phase begins",
      UM_CONF_DURATION_MS, 0, AT(drain_delay_ms), .max = 600000 },
    { "server.drain-spread", NULL, "5s", "then: time over which the WebSockets are closed one after the other, so that clients come back elsewhere without a rush",
      UM_CONF_DURATION_MS, 0, AT(drain_spread_ms), .max = 600000 },
};
static const struct um_conf_table own_table = UM_CONF_TABLE("Gateway", own_keys);

static const struct um_conf_table *const tables[] = {
    &own_table, &um_conf_own_table, &um_process_conf_table, &um_http_conf_table, &um_http_front_conf_table, &um_site_conf_table, &um_auth_conf_table,
    &um_session_conf_table, &um_throttle_conf_table, &um_token_conf_table, &um_upstream_conf_table, &um_tunnels_conf_table, &um_ws_conf_table,
    &um_redis_conf_table, &um_cluster_conf_table, &um_cachegen_conf_table, &um_actuator_conf_table, &um_sio_conf_table,
    &um_sio_cluster_conf_table,
};
static const char *const prefixes[] = { "umbel", "server", "gui", "core", "token", "login", "session", "json", "logging",
                                        "redis", "spring.redis", "spring.data.redis", "spring.session", "cluster", "cache", "management", "ws", "sio", NULL };

static const struct um_process_spec spec = {
    .name = "umbel-gateway", .app = "gui-gateway", .about = "the web app, sessions and the way to the cores",
    .tables = tables, .n_tables = UM_COUNT(tables), .prefixes = prefixes,
};

/* ---- the configuration ---- */

static bool bind_all(struct gateway *gw)
{
    const struct { const struct um_conf_table *table; void *base; } rows[] = {
        { &own_table, &gw->own }, { &um_process_conf_table, &gw->process }, { &um_http_conf_table, &gw->http },
        { &um_http_front_conf_table, &gw->front },
        { &um_site_conf_table, &gw->site }, { &um_auth_conf_table, &gw->auth }, { &um_session_conf_table, &gw->sessions_conf },
        { &um_throttle_conf_table, &gw->throttle_conf }, { &um_token_conf_table, &gw->token },
        { &um_upstream_conf_table, &gw->upstream }, { &um_tunnels_conf_table, &gw->tunnels }, { &um_ws_conf_table, &gw->ws },
        { &um_redis_conf_table, &gw->redis_conf }, { &um_cluster_conf_table, &gw->cluster_conf },
        { &um_cachegen_conf_table, &gw->cachegen_conf }, { &um_actuator_conf_table, &gw->actuator },
        { &um_sio_conf_table, &gw->sio_conf }, { &um_sio_cluster_conf_table, &gw->sio_cluster_conf },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (um_conf_bind(gw->conf, rows[i].table->keys, rows[i].table->n, rows[i].base) != UM_OK)
            return false;
    gw->http.port = gw->own.port;
    gw->management = gw->http;
    gw->management.port = gw->actuator.port;
    if (*gw->actuator.address != '\0')
        gw->management.address = gw->actuator.address;
    gw->http.front = &gw->front;              /* not before the management port: monitoring asks it directly */
    return true;
}

static bool fail(const char *what, const char *value, const char *why)
{
    um_log(UM_ERROR, "gateway", "cannot-start", UM_S("part", what), UM_S("value", value), UM_S("reason", why));
    return false;
}

static bool read_keys(struct gateway *gw)
{
    const char *key = gw->token.key;

    if (key[0] == '\0') {
        um_random_id(gw->random_key, sizeof(gw->random_key) - 1);
        key = gw->random_key;
        um_log(UM_WARN, "gateway", "random-token-key", UM_S("hint", "set token.key, the same for gateway and core"));
    }
    if (um_token_ring_init(&gw->ring, key, gw->token.key_previous) != UM_OK)
        return fail(strlen(key) < UM_TOKEN_KEY_MIN_BYTES ? "token.key" : "token.key.previous", "******", "a key has at least 32 bytes");
    return true;
}

static bool is_trusted(void *arg, const char *peer) { return um_trusted_has(arg, peer); }

/* What no row can check. */
static bool read_values(struct gateway *gw)
{
    const struct um_conf_list *proxies = &gw->own.trusted_proxies;
    const char *bad = um_upstream_bad_node(&gw->upstream.nodes);
    const char *cookie = gw->auth.cookie_name;
    char why[256];

    if (bad != NULL)
        return fail("core.nodes", bad, "expected http://host:port, without a path");
    if (um_trusted_new(&gw->trusted, proxies->items, proxies->n, &bad) != UM_OK)
        return fail("server.trusted-proxies", bad, "neither an address nor address/prefix");
    if (strncmp(cookie, "__Host-", 7) == 0 && (strcmp(gw->auth.cookie_path, "/") != 0 || gw->auth.cookie_domain[0] != '\0'))
        return fail("server.servlet.session.cookie.name", cookie, "browsers take a cookie of this name only with path=/ and without a domain");
    if (strncmp(cookie, "__Host-", 7) == 0 || strncmp(cookie, "__Secure-", 9) == 0)
        gw->auth.cookie_secure = UM_COOKIE_SECURE_ALWAYS;
    gw->front.trusts = is_trusted;
    gw->front.arg = gw->trusted;
    if (gw->front.proxy_protocol && proxies->n == 0)
        return fail("server.proxy-protocol", "true", "server.trusted-proxies is empty: nobody could come in");
    if (um_http_front_check(&gw->front, why) != UM_OK)
        return fail("server.ssl", "", why);
    if (um_failpoint_init_from_env(&bad) != UM_OK)
        return fail("UMBEL_FAIL", bad, "not understood");
    return read_keys(gw);
}

/* ---- start ---- */

/* share/umbel/web of the installation that the program belongs to. */
static char *default_web_dir(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 2 && (slash = strrchr(path, '/')) != NULL; up++)
        *slash = '\0';
    return um_xasprintf("%s/share/umbel/web", path);
}

static void load_web_app(struct gateway *gw)
{
    char *dir = gw->own.web_dir[0] != '\0' ? um_xstrdup(gw->own.web_dir) : default_web_dir();

    if (um_assets_load(&gw->assets, dir) == UM_OK)
        um_log(UM_INFO, "gateway", "web-app", UM_S("dir", dir), UM_I("files", um_assets_count(gw->assets)));
    else
        um_log(UM_WARN, "gateway", "no-web-app", UM_S("dir", dir), UM_S("hint", "set gui.web.dir to the folder with index.html"));
    free(dir);
}

static um_err start_modules(void)
{
    um_http_start();
    um_ws_start();
    um_forward_start();
    um_tunnel_start();
    um_auth_start();
    um_sio_start();
    return um_upstream_start();
}

static void on_drain(void *arg, bool draining)
{
    struct gateway *gw = arg;

    atomic_store(&gw->vitals.refuses, draining);
}

static bool open_node(struct gateway *gw)
{
    struct um_node_setup setup = {
        .role = "gateway", .listen_address = gw->http.address, .port = gw->http.port, .token_key = gw->token.key,
        .token_key_previous = gw->token.key_previous, .data_dir = gw->process.data_dir, .redis = &gw->redis_conf,
        .cluster = &gw->cluster_conf, .loop = um_reactors_loop(gw->reactors, 0), .conf = gw->conf, .on_drain = on_drain, .arg = gw,
    };
    const char *part = "";
    char why[256] = "";

    if (um_node_open(&gw->node, &setup, &part, why) != UM_OK)
        return fail(part, NULL, why);
    if (um_node_redis(gw->node) != NULL && !um_conf_is_set(gw->conf, "core.nodes"))
        gw->upstream.nodes.n = 0;         /* the default is a guess; the membership knows */
    gw->redis = gw->vitals.redis = um_node_redis(gw->node);
    gw->cluster = gw->vitals.cluster = um_node_cluster(gw->node);
    return true;
}

static void make_reactors(struct gateway *gw)
{
    gw->n = gw->process.reactors > 0 ? (unsigned)gw->process.reactors : um_process_cpus();
    gw->n = UM_MIN(gw->n, UM_VITALS_REACTORS_MAX);
    gw->vitals.n_reactors = gw->n;
    gw->vitals.started_wall_ms = um_wall_ms();
    gw->reactors = um_reactors_new(gw->n);
    gw->r = um_xcalloc(gw->n, sizeof(struct reactor *));
}

static um_err open_reactors(struct gateway *gw)
{
    um_err err = UM_OK;

    for (unsigned i = 0; i < gw->n && err == UM_OK; i++)
        err = reactor_open(&gw->r[i], gw, i);
    return err;
}

static bool open_doors(struct gateway *gw)
{
    um_err err = um_http_check_port(&gw->http);

    if (err == UM_OK)
        err = open_reactors(gw);
    if (err == UM_EEXIST)
        return fail("server.port", um_conf_get(gw->conf, "server.port"), "another process listens there");
    if (err != UM_OK)
        return fail("server", gw->http.address, um_err_text(err));
    um_node_listens(gw->node, (int)gw->http.port);
    um_reactors_start(gw->reactors);
    if (um_process_write_port(gw->process.data_dir, "gui-gateway", (int)gw->http.port) != UM_OK)
        return fail("port file", gw->process.data_dir, "cannot be written");
    um_log(UM_INFO, "gateway", "listening", UM_S("address", gw->http.address), UM_I("port", gw->http.port),
           UM_I("reactors", gw->n), UM_S("core", gw->upstream.nodes.n > 0 ? gw->upstream.nodes.items[0] : "by membership"), UM_S("version", UMBEL_VERSION),
           UM_I("files", um_process_max_files()));
    return true;
}

static void nothing(void *arg, um_err err)
{
    (void)arg;
    (void)err;
}

/* The store in memory has no hooks: what a session held is given back here, or ends with its lease when no core hears of it. */
static void release_held(void *arg, const char *id, enum um_session_end why)
{
    struct gateway *gw = arg;
    struct um_session_hooks hooks = um_core_door_hooks(gw->door);
    char hash[UM_SESSION_HASH_LEN + 1];

    um_session_hash(id, hash);
    if (why != UM_SESSION_RENAMED)
        hooks.revoke(hooks.ctx, um_reactors_loop(gw->reactors, 0), hash, 0, nothing, NULL);
}

/* In Redis when there is one, unless spring.session.store-type says none. */
static um_err open_sessions(struct gateway *gw)
{
    struct um_loop *loops[UM_VITALS_REACTORS_MAX];
    struct um_sessions_redis on = { .redis = gw->redis, .loops = loops, .n_loops = gw->n };
    um_err err;

    gw->door = um_core_door_new(&gw->ring);
    on.hooks = um_core_door_hooks(gw->door);
    for (unsigned i = 0; i < gw->n; i++)
        loops[i] = um_reactors_loop(gw->reactors, i);
    if (gw->redis != NULL && gw->sessions_conf.store_type != UM_SESSION_STORE_NONE)
        return um_sessions_new_redis(&gw->sessions, &gw->sessions_conf, &on);
    if ((err = um_sessions_new_memory(&gw->sessions, &gw->sessions_conf)) == UM_OK)
        um_sessions_listen(gw->sessions, loops[0], release_held, gw);
    return err;
}

static bool start(struct gateway *gw)
{
    um_err err;

    if (!read_values(gw))
        return false;
    if (um_process_make_dir(gw->process.data_dir) != UM_OK)
        return fail("data directory", gw->process.data_dir, "cannot be made");
    um_process_remove_port(gw->process.data_dir, "gui-gateway");
    load_web_app(gw);
    make_reactors(gw);
    if (!open_node(gw))
        return false;
    if ((err = start_modules()) != UM_OK || (err = open_sessions(gw)) != UM_OK)
        return fail("modules", NULL, um_err_text(err));
    gw->throttle = um_throttle_new(&gw->throttle_conf);
    gw->answers = (struct um_auth_answers){ um_reactors_loop(gw->reactors, 0), gw->sessions, gw->throttle };
    um_auth_serve(um_node_ask(gw->node), &gw->answers);
    if ((err = realtime_new(gw)) != UM_OK)
        return fail("sio", gw->sio_conf.path, "sio.path begins and ends with a slash, without * and {");
    return open_doors(gw);
}

/* ---- stop ---- */

/* Readiness says no, and every reactor drains. */
static void stop(struct gateway *gw, int sig)
{
    int64_t longest_ms = gw->own.drain_delay_ms + gw->process.stop_timeout_ms + DRAIN_SLACK_MS;

    um_log(UM_INFO, "gateway", "stopping", UM_S("signal", strsignal(sig)));
    um_process_impatient();
    atomic_store(&gw->vitals.refuses, true);
    um_node_drain(gw->node);
    for (unsigned i = 0; i < gw->n; i++)
        reactor_drain(gw->r[i]);
    if (!um_process_wait_flag(&gw->drained, longest_ms))
        um_log(UM_WARN, "gateway", "not-drained", UM_I("reactors", gw->n - atomic_load(&gw->n_drained)));
    um_node_leave(gw->node);
    um_process_remove_port(gw->process.data_dir, "gui-gateway");
}

static void take_down(struct gateway *gw)
{
    if (gw->reactors != NULL)
        um_reactors_stop(gw->reactors);
    if (gw->sio != NULL)
        um_sio_settle(gw->sio);
    um_sessions_free(gw->sessions);       /* its last answers go to the reactors' modules */
    for (unsigned i = 0; gw->r != NULL && i < gw->n; i++)
        reactor_close(gw->r[i]);
    um_core_door_free(gw->door);
    um_node_free(gw->node);
    um_reactors_free(gw->reactors);
    um_sio_free(gw->sio);
    free(gw->r);
    um_throttle_free(gw->throttle);
    um_assets_free(gw->assets);
    um_trusted_free(gw->trusted);
    explicit_bzero(gw->random_key, sizeof(gw->random_key));
    um_conf_free(gw->conf);
}

static bool is_alive(void *arg)
{
    const struct gateway *gw = arg;
    return um_vitals_are_alive(&gw->vitals);
}

int main(int argc, char **argv)
{
    static struct gateway gw;
    int status = 0;
    bool started, refused;

    um_process_init();
    signal(SIGHUP, SIG_IGN);              /* nothing to reload */
    if (!um_process_configure(&gw.conf, &spec, argc, argv, &status))
        return status;
    if (!bind_all(&gw) || um_process_open_log(gw.conf, &spec, &gw.process) != UM_OK)
        return 2;
    started = start(&gw);
    if (started)
        stop(&gw, um_process_serve(is_alive, &gw));
    um_log(UM_INFO, "gateway", started ? "stopped" : "not-started");
    refused = started && um_node_was_refused(gw.node);
    take_down(&gw);
    return started && !refused ? 0 : 2;
}
