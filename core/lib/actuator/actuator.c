/* See umbel/actuator.h: what can be asked, and how replies look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/util.h>
#include "internal.h"

#define MEDIA_TYPE "application/vnd.spring-boot.actuator.v3+json"

struct um_actuator *um_actuator_new(const struct um_actuator_setup *setup)
{
    struct um_actuator *a = um_xcalloc(1, sizeof(*a));

    a->s = *setup;
    system_register();
    return a;
}

void um_actuator_free(struct um_actuator *a) { free(a); }

void um_actuator_reply(struct um_http_req *rq, unsigned status, json_t *body)
{
    const char *accept = um_http_header(rq, "Accept");
    bool plain = accept != NULL && um_token_list_has(accept, "application/json");
    char *text = json_dumps(body, JSON_COMPACT);

    json_decref(body);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply(rq, status, plain ? "application/json" : MEDIA_TYPE, UM_SPAN_STR(text != NULL ? text : "{}"));
    free(text);
}

/* ---- who sees what ---- */

static bool lists(const struct um_conf_list *list, const char *id)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], "*") == 0 || um_ascii_ieq(list->items[i], id))
            return true;
    return false;
}

static bool is_exposed(const struct um_actuator *a, const char *id)
{
    return lists(&a->s.conf->include, id) && !lists(&a->s.conf->exclude, id);
}

void actuator_not_there(struct um_http_req *rq, const char *what)
{
    um_http_reply_error(rq, 404, "U00404", what);
}

bool um_actuator_exposes(const struct um_actuator *a, struct um_http_req *rq, const char *id)
{
    if (is_exposed(a, id))
        return true;
    actuator_not_there(rq, "this endpoint is not exposed (management.endpoints.web.exposure.include)");
    return false;
}

bool actuator_shows(const struct um_actuator *a, const struct um_http_req *rq, int show)
{
    const struct um_conf_list *roles = &a->s.conf->roles;
    bool has = false;

    if (show != UM_ACTUATOR_WHEN_AUTHORIZED || a->s.has_role == NULL)
        return show == UM_ACTUATOR_ALWAYS;
    for (size_t i = 0; i < roles->n && !has; i++)
        has = a->s.has_role(a->s.arg, rq, roles->items[i]);
    return has || (roles->n == 0 && a->s.has_role(a->s.arg, rq, "ADMIN"));
}

/* ---- links ---- */

static void add_link(json_t *links, const struct um_actuator *a, const char *host, const char *name, const char *path)
{
    char *href = um_xasprintf("http://%s%s%s", host, a->s.base, path);

    json_object_set_new(links, name, json_pack("{s:s, s:b}", "href", href, "templated", strchr(path, '{') != NULL));
    free(href);
}

void um_actuator_index(const struct um_actuator *a, struct um_http_req *rq)
{
    static const struct { const char *id, *name, *path; } deeper[] = {
        { "health", "health-path", "/health/{*path}" }, { "metrics", "metrics-requiredMetricName", "/metrics/{requiredMetricName}" },
        { "loggers", "loggers-name", "/loggers/{name}" }, { "env", "env-toMatch", "/env/{toMatch}" }, { "caches", "caches-cache", "/caches/{cache}" },
        { "sessions", "sessions-sessionId", "/sessions/{sessionId}" },
    };
    const char *host = um_http_header(rq, "Host");
    json_t *links = json_object();

    host = host != NULL ? host : "localhost";
    add_link(links, a, host, "self", "");
    for (size_t i = 0; a->s.endpoints[i] != NULL; i++) {
        char *path = um_xasprintf("/%s", a->s.endpoints[i]);
        if (is_exposed(a, a->s.endpoints[i]))
            add_link(links, a, host, a->s.endpoints[i], path);
        for (size_t d = 0; d < UM_COUNT(deeper); d++)
            if (is_exposed(a, a->s.endpoints[i]) && strcmp(deeper[d].id, a->s.endpoints[i]) == 0)
                add_link(links, a, host, deeper[d].name, deeper[d].path);
        free(path);
    }
    um_actuator_reply(rq, 200, json_pack("{s:o}", "_links", links));
}

void um_actuator_info(const struct um_actuator *a, struct um_http_req *rq)
{
    char started[32];

    if (!um_actuator_exposes(a, rq, "info"))
        return;
    um_wall_iso(a->s.started_wall_ms, started);
    um_actuator_reply(rq, 200, json_pack("{s:s, s:s, s:s, s:{s:i, s:i, s:s, s:I, s:i}}", "name", a->s.app, "version", UMBEL_VERSION, "build",
                                         UMBEL_VERSION, "process", "pid", (int)getpid(), "parentPid", (int)getppid(), "startTime", started,
                                         "uptime", (json_int_t)((um_wall_ms() - a->s.started_wall_ms) / 1000), "cpus",
                                         (int)sysconf(_SC_NPROCESSORS_ONLN)));
}
