/* The table of routes. The first row that matches wins. */
#include "site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct um_site {
    struct um_site_env env;
    struct um_http *http;
    struct um_http_route *routes;
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
AUTH_HANDLER(admin_list, um_auth_admin_list)
AUTH_HANDLER(admin_end_all, um_auth_admin_end_all)
AUTH_HANDLER(admin_show, um_auth_admin_show)
AUTH_HANDLER(admin_end, um_auth_admin_end)
AUTH_HANDLER(forward, um_auth_forward)
AUTH_HANDLER(tunnel, um_auth_tunnel)

#define VITALS_HANDLER(name, fn) \
    static void name(struct um_http_req *rq, void *ctx) { fn(((struct um_site *)ctx)->env.vitals, rq); }
VITALS_HANDLER(actuator_index, um_actuator_index)
VITALS_HANDLER(status, um_actuator_status)
VITALS_HANDLER(info, um_actuator_info)

static void health(struct um_http_req *rq, void *ctx)
{
    struct um_site *s = ctx;
    um_actuator_health(s->env.vitals, s->env.cores, rq);
}

#define OPEN   UM_HTTP_PUBLIC
#define STREAM (UM_HTTP_PUBLIC | UM_HTTP_STREAM_BODY)
#define SOCKET (UM_HTTP_PUBLIC | UM_HTTP_WEBSOCKET)
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
    { "GET",    "/gui/actuator/sessions",   admin_list,     OPEN,   NULL, "a user's sessions, for administrators", 0 },
    { "DELETE", "/gui/actuator/sessions",   admin_end_all,  OPEN,   NULL, "ends all sessions of a user", SMALL_BODY },
    { "GET",    "/gui/actuator/sessions/{id}", admin_show,  OPEN,   NULL, "one session", 0 },
    { "DELETE", "/gui/actuator/sessions/{id}", admin_end,   OPEN,   NULL, "ends one session", SMALL_BODY },
    { "GET",    "/gui",                     page,           OPEN,   NULL, "the web app", 0 },
    { "GET",    "/gui/signin",              page,           OPEN,   NULL, "the web app: signing in", 0 },
    { "GET",    "/gui/d/*",                 page,           OPEN,   NULL, "the web app: a document", 0 },
    { "GET",    "/gui/*",                   file_of,        OPEN,   NULL, "files of the web app", 0 },
    { "GET",    "/collab",                  tunnel,         SOCKET, NULL, "collaboration (Hocuspocus)", 0 },
    { "GET",    "/collab/*",                tunnel,         SOCKET, NULL, "collaboration (Hocuspocus)", 0 },
    { "GET",    "/y/*",                     tunnel,         SOCKET, NULL, "collaboration (y-websocket)", 0 },
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

static void put_headers(struct um_site *s, struct um_http_req *rq, bool is_passage)
{
    const struct um_site_conf *cf = s->env.conf;
    struct um_client client;

    um_client_of(s->env.trusted, rq, &client);
    if (client.secure)
        put_if(rq, "Strict-Transport-Security", s->hsts);
    if (is_passage)                       /* a proxied answer brings its own, see forward.c */
        return;
    um_http_add_header(rq, "X-Content-Type-Options", "nosniff");
    put_if(rq, "Content-Security-Policy", cf->csp);
    put_if(rq, "Referrer-Policy", cf->referrer_policy);
    put_if(rq, "Permissions-Policy", cf->permissions_policy);
    put_if(rq, "Cross-Origin-Opener-Policy", cf->opener_policy);
    put_if(rq, "Cross-Origin-Resource-Policy", cf->resource_policy);
}

static bool before(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    put_headers(ctx, rq, route->handler == forward || route->handler == tunnel);
    if (starts_with(route->path, "/gui/rest/"))
        um_http_add_header(rq, "Cache-Control", "no-store");
    return true;
}

static void not_found(struct um_http_req *rq, void *ctx)
{
    put_headers(ctx, rq, false);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_error(rq, 404, "U00404", "there is nothing here");
}

/* ---- life ---- */

um_err um_site_new(struct um_site **out, struct um_loop *l, const struct um_http_conf *http, const struct um_site_env *env)
{
    static const struct um_http_hooks hooks = { before, not_found };
    struct um_site *s = um_xcalloc(1, sizeof(*s));
    um_err err;

    *out = NULL;
    s->env = *env;
    s->routes = um_xcalloc(UM_COUNT(table), sizeof(*s->routes));
    memcpy(s->routes, table, sizeof(table));
    for (size_t i = 0; i < UM_COUNT(table); i++)
        if (s->routes[i].handler == forward)
            s->routes[i].max_body = (size_t)env->conf->max_upload_bytes;
    if (env->conf->hsts_max_age_s > 0)
        snprintf(s->hsts, sizeof(s->hsts), "max-age=%lld", (long long)env->conf->hsts_max_age_s);
    if ((err = um_http_new(&s->http, l, http, s->routes, UM_COUNT(table), &hooks, s)) != UM_OK) {
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
    free(s->routes);
    free(s);
}
