/* See umbel/actuator.h: what can be asked, and how replies look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/http_exchanges.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

#define MEDIA_TYPE "application/vnd.spring-boot.actuator.v3+json"

#define MEDIA_TYPE_2 "application/vnd.spring-boot.actuator.v2+json"

/* ---- life ---- */

bool actuator_fail(const char *key, const char *value, const char *why)
{
    um_log(UM_ERROR, "actuator", "bad value", UM_S("key", key), UM_S("value", value), UM_S("reason", why));
    return false;
}

int actuator_word(const char *text, const char *const *words)
{
    char plain[32];
    size_t n = 0;

    for (const char *c = text; *c != '\0' && n < sizeof(plain) - 1; c++)
        if (*c != '-' && *c != '_' && *c != ' ')
            plain[n++] = *c;
    plain[n] = '\0';
    for (int i = 0; words[i] != NULL; i++) {
        const char *w = words[i];
        for (n = 0; *w != '\0' && (*w == '-' || (plain[n] | 0x20) == *w); w++)
            n += *w != '-';
        if (*w == '\0' && plain[n] == '\0')
            return i;
    }
    return -1;
}

static bool open_base(struct um_actuator *a)
{
    const char *path = a->s.conf->base_path != NULL ? a->s.conf->base_path : "/actuator";
    size_t n = strlen(path);

    a->base = um_xasprintf("%s%s", a->s.context, path);
    if (n < 2 || path[0] != '/' || path[n - 1] == '/' || strstr(path, "//") != NULL || strstr(path, "/.") != NULL ||
        path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")] != '\0')
        return actuator_fail("management.endpoints.web.base-path", path, "expected /name, of letters, digits, - _ . and /");
    return true;
}

/* Compared as a whole, whatever its form: a hash would never be equal to a password. */
static bool check_user(const struct um_actuator_conf *cf)
{
    if (cf->user == NULL || *cf->user == '\0')
        return true;
    if (*cf->password == '\0')
        return actuator_fail("spring.security.user.password", "", "the user needs one");
    return strncmp(cf->password, "$argon2", 7) != 0 || actuator_fail("spring.security.user.password", "******", "expected text or ENC(...), no hash");
}

struct um_actuator *um_actuator_new(const struct um_actuator_setup *setup)
{
    struct um_actuator *a = um_xcalloc(1, sizeof(*a));

    a->s = *setup;
    pthread_mutex_init(&a->lock, NULL);
    system_register();
    if (open_base(a) && endpoints_open(a) && groups_open(a) && check_user(a->s.conf)) {
        if (endpoint_is_exposed(a, "httpexchanges"))
            um_http_exchanges_keep();
        return a;
    }
    um_actuator_free(a);
    return NULL;
}

void um_actuator_free(struct um_actuator *a)
{
    if (a == NULL)
        return;
    endpoints_close(a);
    groups_close(a);
    pthread_mutex_destroy(&a->lock);
    free(a->base);
    free(a);
}

const char *um_actuator_base(const struct um_actuator *a) { return a->base; }

bool um_actuator_has_path(const struct um_actuator *a, const char *path)
{
    size_t n = strlen(a->base);

    return strncmp(path, a->base, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* ---- replies ---- */

static const char *media_of(const struct um_http_req *rq)
{
    const char *accept = um_http_header(rq, "Accept");

    if (accept == NULL || strstr(accept, MEDIA_TYPE) != NULL)
        return MEDIA_TYPE;
    if (strstr(accept, MEDIA_TYPE_2) != NULL)
        return MEDIA_TYPE_2;
    return um_token_list_has(accept, "application/json") ? "application/json" : MEDIA_TYPE;
}

static void keep(struct um_actuator *a, const struct um_http_req *rq, unsigned status, const json_t *body)
{
    size_t slot;
    struct endpoint *e = endpoint_kept(a, rq, &slot);

    if (e == NULL)
        return;
    pthread_mutex_lock(&a->lock);
    json_decref(e->kept[slot].body);
    e->kept[slot] = (struct kept){ um_now_ms() + e->keep_ms, status, json_deep_copy(body) };
    pthread_mutex_unlock(&a->lock);
}

void um_actuator_reply(const struct um_actuator *a, struct um_http_req *rq, unsigned status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT);

    if (a != NULL)
        keep((struct um_actuator *)(uintptr_t)a, rq, status, body);
    json_decref(body);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply(rq, status, media_of(rq), UM_SPAN_STR(text != NULL ? text : "{}"));
    free(text);
}

void actuator_not_there(struct um_http_req *rq, const char *what)
{
    um_http_reply_error(rq, 404, "U00404", what);
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
    char *href = um_xasprintf("http://%s%s%s", host, a->base, path);

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
        if (endpoint_is_exposed(a, a->s.endpoints[i]))
            add_link(links, a, host, a->s.endpoints[i], path);
        for (size_t d = 0; d < UM_COUNT(deeper); d++)
            if (endpoint_is_exposed(a, a->s.endpoints[i]) && strcmp(deeper[d].id, a->s.endpoints[i]) == 0)
                add_link(links, a, host, deeper[d].name, deeper[d].path);
        free(path);
    }
    um_actuator_reply(a, rq, 200, json_pack("{s:o}", "_links", links));
}

void um_actuator_info(const struct um_actuator *a, struct um_http_req *rq)
{
    char started[32];

    if (!um_actuator_exposes(a, rq, "info"))
        return;
    um_wall_iso(a->s.started_wall_ms, started);
    um_actuator_reply(a, rq, 200, json_pack("{s:s, s:s, s:s, s:{s:i, s:i, s:s, s:I, s:i}}", "name", a->s.app, "version", UMBEL_VERSION, "build",
                                         UMBEL_VERSION, "process", "pid", (int)getpid(), "parentPid", (int)getppid(), "startTime", started,
                                         "uptime", (json_int_t)((um_wall_ms() - a->s.started_wall_ms) / 1000), "cpus",
                                         (int)sysconf(_SC_NPROCESSORS_ONLN)));
}
