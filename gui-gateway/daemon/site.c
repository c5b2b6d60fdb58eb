/* The table of routes. The first row that matches wins. */
#include "site.h"

#include <acts.h>
#include <auth/asker.h>
#include <sio/sio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

struct um_site {
    struct um_site_env env;
    struct um_http *http, *management;    /* management: NULL, or the actuator's own port */
    struct um_http_route *routes;         /* the table, with the actuator's rows where the settings say, and health's own paths behind */
    size_t n_routes;
    char **paths;                         /* of moved rows */
    char *sio_paths[2];
    struct um_gateway_health health;
    struct um_actuator *actuator;
    struct um_acts acts;
    char hsts[64];
};

/* ---- handlers: only who answers ---- */

static void to_gui(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    um_http_add_header(rq, "Location", "/gui/");
    um_http_reply(rq, 302, NULL, UM_SPAN("", 0));
}

static void page(struct um_http_req *rq, void *ctx)
{
    struct um_site *s = ctx;
    um_assets_reply(s->env.assets, rq, "index.html");
}

static void file_of(struct um_http_req *rq, void *ctx)
{
    struct um_site *s = ctx;
    um_assets_reply(s->env.assets, rq, um_http_path(rq) + strlen("/gui/"));
}

#define AUTH_HANDLER(name, fn) \
    static void name(struct um_http_req *rq, void *ctx) { fn(((struct um_site *)ctx)->env.auth, rq); }
AUTH_HANDLER(show_session, um_auth_show_session)
AUTH_HANDLER(login, um_auth_login)
AUTH_HANDLER(logout, um_auth_logout)
AUTH_HANDLER(list_sessions, um_auth_list_sessions)
AUTH_HANDLER(end_session, um_auth_end_session)
AUTH_HANDLER(list_reservations, um_auth_list_reservations)
AUTH_HANDLER(forward, um_auth_forward)
AUTH_HANDLER(tunnel, um_auth_tunnel)

#define SIO_HANDLER(name, fn) \
    static void name(struct um_http_req *rq, void *ctx) { fn(((struct um_site *)ctx)->env.sio, rq); }
SIO_HANDLER(sio, um_sio_handle)
SIO_HANDLER(sio_socket, um_sio_handle_socket)
SIO_HANDLER(echo, um_sio_handle_echo)
SIO_HANDLER(echo_socket, um_sio_handle_echo_socket)

#define ACTUATOR_HANDLER(name, call) \
    static void name(struct um_http_req *rq, void *ctx) { const struct um_actuator *a = ((struct um_site *)ctx)->actuator; call; }
ACTUATOR_HANDLER(actuator_index, um_actuator_index(a, rq))
ACTUATOR_HANDLER(health, um_actuator_health(a, rq, um_http_param(rq, "*")))
ACTUATOR_HANDLER(status, um_actuator_status(a, rq))
ACTUATOR_HANDLER(info, um_actuator_info(a, rq))
ACTUATOR_HANDLER(metrics, um_actuator_metrics(a, rq))
ACTUATOR_HANDLER(metric, um_actuator_metric(a, rq, um_http_param(rq, "name")))
ACTUATOR_HANDLER(prometheus, um_actuator_prometheus(a, rq))
ACTUATOR_HANDLER(loggers, um_actuator_loggers(a, rq))
ACTUATOR_HANDLER(logger, um_actuator_logger(a, rq, um_http_param(rq, "name")))
ACTUATOR_HANDLER(env, um_actuator_env(a, rq))
ACTUATOR_HANDLER(env_one, um_actuator_env_one(a, rq, um_http_param(rq, "name")))
ACTUATOR_HANDLER(configprops, um_actuator_configprops(a, rq))
ACTUATOR_HANDLER(exchanges, um_actuator_exchanges(a, rq))
ACTUATOR_HANDLER(threads, um_actuator_threads(a, rq))
ACTUATOR_HANDLER(logfile, um_actuator_logfile(a, rq))

#define ACT_HANDLER(name, fn) static void name(struct um_http_req *rq, void *ctx) { fn(&((struct um_site *)ctx)->acts, rq); }
ACT_HANDLER(set_logger, um_acts_set_logger)
ACT_HANDLER(caches_list, um_acts_list_caches)
ACT_HANDLER(cache_show, um_acts_show_cache)
ACT_HANDLER(caches_clear, um_acts_clear_caches)
ACT_HANDLER(shut_down, um_acts_shut_down)

#define SESSIONS_HANDLER(name, call) \
    static void name(struct um_http_req *rq, void *ctx) \
    { \
        struct um_auth *a = ((struct um_site *)ctx)->env.auth; \
        if (um_actuator_exposes(((struct um_site *)ctx)->actuator, rq, "sessions")) \
            call; \
    }
SESSIONS_HANDLER(admin_list, um_auth_admin_list(a, rq, NULL))
SESSIONS_HANDLER(admin_end_all, um_auth_admin_end_all(a, rq, NULL))
SESSIONS_HANDLER(admin_show, um_auth_admin_show(a, rq))
SESSIONS_HANDLER(admin_end, um_auth_admin_end(a, rq, NULL))

/* Without Redis no core hears of our sessions: we answer for it. */
static const char *member_of(const struct um_site *s)
{
    return s->env.vitals->cluster != NULL ? um_cluster_self(s->env.vitals->cluster, &(int64_t){ 0 }) : "gateway";
}

#define ALONE_HANDLER(name, fn) \
    static void name(struct um_http_req *rq, void *ctx) { fn(((struct um_site *)ctx)->env.auth, rq, member_of(ctx)); }
ALONE_HANDLER(alone_list, um_auth_admin_list)
ALONE_HANDLER(alone_end_all, um_auth_admin_end_all)
ALONE_HANDLER(alone_end, um_auth_admin_end)

#define OPEN   UM_HTTP_PUBLIC
#define ADMIN  "ADMIN"
#define STREAM (UM_HTTP_PUBLIC | UM_HTTP_STREAM_BODY)
#define SOCKET (UM_HTTP_PUBLIC | UM_HTTP_WEBSOCKET)
#define ALONE  "/core/rest/admin/sessions"   /* rows for a gateway without Redis */
enum { SMALL_BODY = 16 * 1024 };

static const struct um_http_route table[] = {
    { "GET",    "/",                        to_gui,         OPEN,   NULL, "leads to the web app", 0 },
    { "GET",    "/gui/rest/session",        show_session,   OPEN,   NULL, "the present session", 0 },
    { "POST",   "/gui/rest/session",        login,          OPEN,   NULL, "logs in", SMALL_BODY },
    { "DELETE", "/gui/rest/session",        logout,         OPEN,   NULL, "logs out", SMALL_BODY },
    { "GET",    "/gui/rest/session/list",   list_sessions,  OPEN,   NULL, "one's own sessions", 0 },
    { "GET",    "/gui/rest/session/reservations", list_reservations, OPEN, NULL, "what this session has reserved", 0 },
    { "DELETE", "/gui/rest/session/{id}",   end_session,    OPEN,   NULL, "ends one of one's own sessions", SMALL_BODY },
    { "GET",    "/gui/actuator",            actuator_index, OPEN,   NULL, "links of the actuator", 0 },
    { "GET",    "/gui/actuator/health",     health,         OPEN,   NULL, "health", 0 },
    { "GET",    "/gui/actuator/health/*",   health,         OPEN,   NULL, "health of a group or component", 0 },
    { "GET",    "/gui/actuator/status",     status,         OPEN,   NULL, "UP or DOWN, for a load balancer", 0 },
    { "GET",    "/gui/actuator/info",       info,           OPEN,   NULL, "name and version", 0 },
    { "GET",    "/gui/actuator/metrics",    metrics,        OPEN,   ADMIN, "names of the figures, for administrators", 0 },
    { "GET",    "/gui/actuator/metrics/{name}", metric,     OPEN,   ADMIN, "one figure", 0 },
    { "GET",    "/gui/actuator/prometheus", prometheus,     OPEN,   ADMIN, "all figures for Prometheus", 0 },
    { "GET",    "/gui/actuator/loggers",    loggers,        OPEN,   ADMIN, "levels of the log", 0 },
    { "GET",    "/gui/actuator/loggers/{name}", logger,     OPEN,   ADMIN, "the level of one", 0 },
    { "POST",   "/gui/actuator/loggers/{name}", set_logger, OPEN,   ADMIN, "sets it, until the restart", SMALL_BODY },
    { "GET",    "/gui/actuator/env",        env,            OPEN,   ADMIN, "what is set, and where", 0 },
    { "GET",    "/gui/actuator/env/{name}", env_one,        OPEN,   ADMIN, "one property", 0 },
    { "GET",    "/gui/actuator/configprops", configprops,   OPEN,   ADMIN, "what is in force", 0 },
    { "GET",    "/gui/actuator/sessions",   admin_list,     OPEN,   ADMIN, "a user's sessions, for administrators", 0 },
    { "DELETE", "/gui/actuator/sessions",   admin_end_all,  OPEN,   ADMIN, "ends all sessions of a user", SMALL_BODY },
    { "GET",    "/gui/actuator/sessions/{id}", admin_show,  OPEN,   ADMIN, "one session", 0 },
    { "DELETE", "/gui/actuator/sessions/{id}", admin_end,   OPEN,   ADMIN, "ends one session", SMALL_BODY },
    { "GET",    "/gui/actuator/caches",     caches_list,    OPEN,   ADMIN, "the caches", 0 },
    { "DELETE", "/gui/actuator/caches",     caches_clear,   OPEN,   ADMIN, "clears all caches of all nodes", SMALL_BODY },
    { "GET",    "/gui/actuator/caches/{name}", cache_show,  OPEN,   ADMIN, "one cache", 0 },
    { "DELETE", "/gui/actuator/caches/{name}", caches_clear, OPEN,  ADMIN, "clears one cache of all nodes", SMALL_BODY },
    { "GET",    "/gui/actuator/httpexchanges", exchanges,   OPEN,   ADMIN, "the last requests and how they ended", 0 },
    { "GET",    "/gui/actuator/threaddump", threads,        OPEN,   ADMIN, "the threads of the process", 0 },
    { "GET",    "/gui/actuator/logfile",    logfile,        OPEN,   ADMIN, "the log, when it goes to a file", 0 },
    { "POST",   "/gui/actuator/shutdown",   shut_down,      OPEN,   "SYSTEM_ADMIN", "ends the process", SMALL_BODY },
    { "GET",    "/gui",                     page,           OPEN,   NULL, "the web app", 0 },
    { "GET",    "/gui/signin",              page,           OPEN,   NULL, "the web app: signing in", 0 },
    { "GET",    "/gui/d/*",                 page,           OPEN,   NULL, "the web app: a document", 0 },
    { "GET",    "/gui/library",             page,           OPEN,   NULL, "the web app: the library", 0 },
    { "GET",    "/gui/c/*",                 page,           OPEN,   NULL, "the web app: a component", 0 },
    { "GET",    "/gui/admin",               page,           OPEN,   NULL, "the web app: administration", 0 },
    { "GET",    "/gui/admin/*",             page,           OPEN,   NULL, "the web app: a part of the administration", 0 },
    { "GET",    "/gui/*",                   file_of,        OPEN,   NULL, "files of the web app", 0 },
    { "GET",    "/collab",                  tunnel,         SOCKET, NULL, "collaboration (Hocuspocus)", 0 },
    { "GET",    "/collab/*",                tunnel,         SOCKET, NULL, "collaboration (Hocuspocus)", 0 },
    { "GET",    "/y/*",                     tunnel,         SOCKET, NULL, "collaboration (y-websocket)", 0 },
    { "GET",    ALONE,                      alone_list,     OPEN,   ADMIN, "a user's sessions", 0 },
    { "DELETE", ALONE,                      alone_end_all,  OPEN,   ADMIN, "ends all sessions of a user", SMALL_BODY },
    { "DELETE", ALONE "/{id}",              alone_end,      OPEN,   ADMIN, "ends one session", SMALL_BODY },
    { "*",      "/core/*",                  forward,        STREAM, NULL, "the core's platform", 0 },
    { "*",      "/collab",                  forward,        STREAM, NULL, "what the core says to plain HTTP there", 0 },
    { "*",      "/collab/*",                forward,        STREAM, NULL, "what the core says to plain HTTP there", 0 },
    { "*",      "/y/*",                     forward,        STREAM, NULL, "what the core says to plain HTTP there", 0 },
};

/* ---- what every answer carries (SEC-13) ---- */

static void put_if(struct um_http_req *rq, const char *name, const char *value)
{
    if (value[0] != '\0')
        um_http_add_header(rq, name, value);
}

static bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* What brings its own headers. */
static bool is_passage(const struct um_http_route *route)
{
    return route->handler == forward || route->handler == tunnel || route->handler == sio || route->handler == sio_socket ||
           route->handler == echo || route->handler == echo_socket;
}

static void put_headers(struct um_site *s, struct um_http_req *rq, bool passage)
{
    const struct um_site_conf *cf = s->env.conf;
    struct um_client client;

    um_client_of(s->env.trusted, rq, &client);
    if (client.secure)
        put_if(rq, "Strict-Transport-Security", s->hsts);
    if (passage)                          /* a proxied answer brings its own, see forward.c */
        return;
    um_http_add_header(rq, "X-Content-Type-Options", "nosniff");
    put_if(rq, "Content-Security-Policy", cf->csp);
    put_if(rq, "Referrer-Policy", cf->referrer_policy);
    put_if(rq, "Permissions-Policy", cf->permissions_policy);
    put_if(rq, "Cross-Origin-Opener-Policy", cf->opener_policy);
    put_if(rq, "Cross-Origin-Resource-Policy", cf->resource_policy);
}

static bool is_probe(const struct um_site *s, const char *given, bool *on_management)
{
    const char *path;
    size_t pos = 0;

    while (um_actuator_each_probe(s->actuator, &pos, &path, on_management))
        if (strcmp(path, given) == 0)
            return true;
    return false;
}

/* While the actuator has a port of its own, the other one serves what is open of it. */
static bool is_here(struct um_http_req *rq, const struct um_http_route *route, const struct um_site *s, bool management)
{
    bool actuator = um_actuator_has_path(s->actuator, route->path), on_management = false;
    bool elsewhere = actuator && route->role != NULL && s->env.actuator != NULL && s->env.actuator->port > 0;

    if (is_probe(s, route->path, &on_management) ? on_management == management : management ? actuator : !elsewhere)
        return true;
    um_http_reply_error(rq, 404, "U00404", management ? "there is nothing here" : "this is on the actuator's own port (management.server.port)");
    return false;
}

static bool is_judged(struct um_http_req *rq, const struct um_http_route *route, struct um_site *s)
{
    return (route->role == NULL && !um_actuator_has_path(s->actuator, route->path)) || um_auth_judge(s->env.auth, rq, route);
}

static bool before_management(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    if (!is_here(rq, route, ctx, true))
        return false;
    put_headers(ctx, rq, false);
    return is_judged(rq, route, ctx);
}

static bool before(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    if (!is_here(rq, route, ctx, false))
        return false;
    put_headers(ctx, rq, is_passage(route));
    if (starts_with(route->path, "/gui/rest/"))
        um_http_add_header(rq, "Cache-Control", "no-store");
    return is_judged(rq, route, ctx);
}

static void not_found(struct um_http_req *rq, void *ctx)
{
    put_headers(ctx, rq, false);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_error(rq, 404, "U00404", "there is nothing here");
}

/* ---- the table, as the settings want it ---- */

#define BASE "/gui/actuator"

static void probe(struct um_http_req *rq, void *ctx) { um_actuator_probe(((struct um_site *)ctx)->actuator, rq, um_http_matched_route(rq)->path); }

static bool bad_path(const char *path)
{
    um_log(UM_ERROR, "gateway", "bad value", UM_S("key", "management.*"), UM_S("value", path), UM_S("reason", "the gateway serves something else there"));
    return false;
}

/* What is moved would hide what stands behind it. */
static bool moves_aside(const struct um_site *s)
{
    for (size_t i = 0; i < UM_COUNT(table); i++)
        if (!starts_with(table[i].path, BASE) && um_actuator_has_path(s->actuator, table[i].path))
            return bad_path(um_actuator_base(s->actuator));
    return true;
}

static void add_route(struct um_site *s, const struct um_http_route *route)
{
    s->routes = um_xrealloc(s->routes, (s->n_routes + 1) * sizeof(*s->routes));
    s->routes[s->n_routes++] = *route;
}

static bool add_probes(struct um_site *s)
{
    const char *path;
    bool on_management;
    size_t pos = 0;

    while (um_actuator_each_probe(s->actuator, &pos, &path, &on_management)) {
        for (size_t i = 0; i < UM_COUNT(table); i++)
            if (strcmp(table[i].path, path) == 0)
                return bad_path(path);
        add_route(s, &(struct um_http_route){ "GET", path, probe, OPEN, NULL, "a group of health", 0 });
    }
    return true;
}

/* Everything below one path. */
static void add_sio(struct um_site *s, size_t nth, const char *path, um_http_handler *plain, um_http_handler *socket)
{
    char *all = s->sio_paths[nth] = um_xasprintf("%s*", path);
    size_t max = (size_t)s->env.sio_conf->max_payload;

    add_route(s, &(struct um_http_route){ "GET", all, socket, SOCKET, NULL, "Socket.IO, by WebSocket", 0 });
    add_route(s, &(struct um_http_route){ "*", all, plain, OPEN, NULL, "Socket.IO, by long polling", max });
}

static void add_realtime(struct um_site *s)
{
    if (s->env.sio == NULL)
        return;
    add_sio(s, 0, s->env.sio_conf->path, sio, sio_socket);
    if (um_sio_serves_echo(s->env.sio))
        add_sio(s, 1, "/engine.io/", echo, echo_socket);
}

static bool make_routes(struct um_site *s)
{
    s->routes = um_xcalloc(UM_COUNT(table), sizeof(*s->routes));
    s->paths = um_xcalloc(UM_COUNT(table), sizeof(*s->paths));
    s->n_routes = UM_COUNT(table);
    memcpy(s->routes, table, sizeof(table));
    for (size_t i = 0; i < UM_COUNT(table); i++) {
        if (starts_with(table[i].path, ALONE) && s->env.vitals->redis != NULL)
            s->routes[i] = (struct um_http_route){ table[i].method, table[i].path, forward, STREAM, NULL, table[i].summary, 0 };
        if (s->routes[i].handler == forward)
            s->routes[i].max_body = (size_t)s->env.conf->max_upload_bytes;
        if (starts_with(table[i].path, BASE))
            s->routes[i].path = s->paths[i] = um_xasprintf("%s%s", um_actuator_base(s->actuator), table[i].path + strlen(BASE));
    }
    add_realtime(s);
    return moves_aside(s) && add_probes(s);
}

/* ---- life ---- */

um_err um_site_new(struct um_site **out, struct um_loop *l, const struct um_http_conf *http, const struct um_site_env *env)
{
    static const struct um_http_hooks hooks = { before, not_found }, of_management = { before_management, not_found };
    struct um_site *s = um_xcalloc(1, sizeof(*s));
    um_err err;

    *out = NULL;
    s->env = *env;
    s->health = (struct um_gateway_health){ env->vitals, env->cores, env->actuator, env->settings };
    s->actuator = um_gateway_actuator(&s->health);
    s->acts = (struct um_acts){ s->actuator, env->auth, env->cachegen, env->vitals->cluster };
    if (env->conf->hsts_max_age_s > 0)
        snprintf(s->hsts, sizeof(s->hsts), "max-age=%lld", (long long)env->conf->hsts_max_age_s);
    err = s->actuator != NULL && make_routes(s) ? UM_OK : UM_EINVAL;
    if (err == UM_OK)
        err = um_http_new(&s->http, l, http, s->routes, s->n_routes, &hooks, s);
    if (err == UM_OK && env->management != NULL)
        err = um_http_new(&s->management, l, env->management, s->routes, s->n_routes, &of_management, s);
    if (err != UM_OK) {
        um_site_free(s);
        return err;
    }
    *out = s;
    return UM_OK;
}

struct um_http *um_site_http(struct um_site *s)
{
    return s->http;
}

void um_site_free(struct um_site *s)
{
    if (s == NULL)
        return;
    um_http_free(s->http);
    um_http_free(s->management);
    um_actuator_free(s->actuator);
    for (size_t i = 0; s->paths != NULL && i < UM_COUNT(table); i++)
        free(s->paths[i]);
    free(s->paths);
    for (size_t i = 0; i < UM_COUNT(s->sio_paths); i++)
        free(s->sio_paths[i]);
    free(s->routes);
    free(s);
}
