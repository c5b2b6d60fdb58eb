/* Health, status and info in Spring Boot's shapes. A component is a row; the health of a group is its worst component. */
#include "actuator.h"

#include <jansson.h>
#include <string.h>
#include <proxy/cores.h>
#include <umbel/node.h>
#include <umbel/util.h>

#define MEDIA_TYPE "application/vnd.spring-boot.actuator.v3+json"

enum status { ST_DOWN, ST_OUT_OF_SERVICE, ST_UP, ST_UNKNOWN };        /* worst first */
static const char *const status_text[] = { "DOWN", "OUT_OF_SERVICE", "UP", "UNKNOWN" };

static enum status ping(const struct um_vitals *v)
{
    (void)v;
    return ST_UP;
}

/* Only what the process cannot help by itself: a loop that stands still. */
static enum status liveness(const struct um_vitals *v)
{
    int64_t now = um_now_ms();

    for (unsigned i = 0; i < v->n_reactors; i++) {
        int64_t beat = atomic_load_explicit(&v->beat_ms[i], memory_order_relaxed);
        if (beat != 0 && now - beat > UM_VITALS_STUCK_MS)
            return ST_DOWN;
    }
    return ST_UP;
}

static enum status readiness(const struct um_vitals *v)
{
    return atomic_load_explicit(&v->refuses, memory_order_relaxed) ? ST_OUT_OF_SERVICE : ST_UP;
}

/* Told, but without weight: a core that restarts must not take every gateway out of service. */
static enum status core(const struct um_vitals *v)
{
    for (unsigned i = 0; i < v->n_reactors; i++)
        if (!atomic_load_explicit(&v->core_is_up[i], memory_order_relaxed))
            return ST_UNKNOWN;
    return ST_UP;
}

static bool has_cluster(const struct um_vitals *v) { return v->cluster != NULL; }
static bool has_redis(const struct um_vitals *v) { return v->redis != NULL; }
static enum status redis(const struct um_vitals *v) { return um_node_redis_is_up(v->redis) ? ST_UP : ST_DOWN; }

static json_t *cluster_details(const struct um_vitals *v, struct um_cores *cores)
{
    (void)cores;
    return json_pack("{s:o}", "members", um_node_members_json(v->cluster));
}

static json_t *redis_details(const struct um_vitals *v, struct um_cores *cores)
{
    (void)cores;
    return um_node_redis_json(v->redis, v->cluster);
}

static void add_core(void *arg, const char *host, const char *state)
{
    json_array_append_new(arg, json_pack("{s:s, s:s}", "address", host, "state", state));
}

static json_t *core_details(const struct um_vitals *v, struct um_cores *cores)
{
    json_t *list = json_array();

    (void)v;
    if (cores != NULL)
        um_cores_each(cores, add_core, list);
    return json_pack("{s:o}", "cores", list);
}

static const struct component {
    const char *name, *group;             /* group: the probe that consists of it */
    enum status (*judge)(const struct um_vitals *v);
    bool (*is_there)(const struct um_vitals *v);     /* NULL: always */
    json_t *(*details)(const struct um_vitals *v, struct um_cores *cores);   /* NULL: none */
} components[] = {                        /* sorted by name */
    { "cluster", NULL, ping, has_cluster, cluster_details },
    { "core", NULL, core, NULL, core_details },
    { "livenessState", "liveness", liveness, NULL, NULL },
    { "ping", NULL, ping, NULL, NULL },
    { "readinessState", "readiness", readiness, NULL, NULL },
    { "redis", NULL, redis, has_redis, redis_details },
};

static bool is_there(const struct component *c, const struct um_vitals *v)
{
    return c->is_there == NULL || c->is_there(v);
}

static void reply(struct um_http_req *rq, enum status status, json_t *body)
{
    const char *accept = um_http_header(rq, "Accept");
    bool plain = accept != NULL && um_token_list_has(accept, "application/json");
    char *text = json_dumps(body, JSON_COMPACT);

    json_decref(body);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply(rq, status <= ST_OUT_OF_SERVICE ? 503 : 200, plain ? "application/json" : MEDIA_TYPE,
                  UM_SPAN(text, text != NULL ? strlen(text) : 0));
    free(text);
}

static enum status overall(const struct um_vitals *v)
{
    enum status worst = ST_UP;

    for (size_t i = 0; i < UM_COUNT(components); i++)
        if (is_there(&components[i], v))
            worst = UM_MIN(worst, components[i].judge(v));
    return worst;
}

static json_t *status_json(enum status status)
{
    return json_pack("{s:s}", "status", status_text[status]);
}

static json_t *component_json(const struct component *c, const struct um_vitals *v, struct um_cores *cores)
{
    json_t *json = status_json(c->judge(v));

    if (v->show_details && c->details != NULL)
        json_object_set_new(json, "details", c->details(v, cores));
    return json;
}

static void reply_overall(const struct um_vitals *v, struct um_cores *cores, struct um_http_req *rq)
{
    enum status status = overall(v);
    json_t *body = status_json(status), *parts;

    if (v->show_details) {
        parts = json_object();
        for (size_t i = 0; i < UM_COUNT(components); i++)
            if (is_there(&components[i], v))
                json_object_set_new(parts, components[i].name, component_json(&components[i], v, cores));
        json_object_set_new(body, "components", parts);
    }
    json_object_set_new(body, "groups", json_pack("[s,s]", "liveness", "readiness"));
    reply(rq, status, body);
}

void um_actuator_health(const struct um_vitals *v, struct um_cores *cores, struct um_http_req *rq)
{
    const char *part = um_http_param(rq, "*");

    if (part == NULL || part[0] == '\0') {
        reply_overall(v, cores, rq);
        return;
    }
    for (size_t i = 0; i < UM_COUNT(components); i++) {
        const struct component *c = &components[i];
        bool is_group = c->group != NULL && strcmp(part, c->group) == 0;
        if (is_group || (v->show_details && strcmp(part, c->name) == 0 && is_there(c, v))) {
            reply(rq, c->judge(v), component_json(c, v, cores));
            return;
        }
    }
    um_http_reply_error(rq, 404, "U00404", "there is no such component");
}

/* A balancer's check: what others need (Redis, a core) has no say, or all gateways would go at once. */
void um_actuator_status(const struct um_vitals *v, struct um_http_req *rq)
{
    const char *accept = um_http_header(rq, "Accept"), *text;
    enum status status = UM_MIN(liveness(v), readiness(v)) == ST_UP ? ST_UP : ST_DOWN;

    if (accept != NULL && um_token_list_has(accept, "text/plain")) {
        text = status_text[status];
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply(rq, status == ST_UP ? 200 : 503, "text/plain; charset=utf-8", UM_SPAN_STR(text));
        return;
    }
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, status == ST_UP ? 200 : 503, status_json(status));
}

void um_actuator_info(const struct um_vitals *v, struct um_http_req *rq)
{
    char started[32];

    um_wall_iso(v->started_wall_ms, started);
    reply(rq, ST_UP, json_pack("{s:s, s:s, s:s, s:{s:s, s:I}}", "name", "Umbel Gateway", "version", UMBEL_VERSION,
                               "build", UMBEL_VERSION, "process", "startTime", started,
                               "uptime", (json_int_t)((um_wall_ms() - v->started_wall_ms) / 1000)));
}

static json_t *link_json(const char *host, const char *path, bool templated)
{
    char *href = um_xasprintf("http://%s/gui/actuator%s", host, path);
    json_t *link = json_pack("{s:s, s:b}", "href", href, "templated", (int)templated);

    free(href);
    return link;
}

void um_actuator_index(const struct um_vitals *v, struct um_http_req *rq)
{
    const char *host = um_http_header(rq, "Host");

    (void)v;
    host = host != NULL ? host : "localhost";
    reply(rq, ST_UP, json_pack("{s:{s:o, s:o, s:o, s:o, s:o}}", "_links", "self", link_json(host, "", false),
                               "health", link_json(host, "/health", false),
                               "health-path", link_json(host, "/health/{*path}", true),
                               "info", link_json(host, "/info", false), "status", link_json(host, "/status", false)));
}
