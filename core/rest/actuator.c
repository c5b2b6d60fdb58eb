/* /core/actuator: health for balancers and people, in Spring Boot's shapes. Details stay with administrators. */
#include <string.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/metrics.h>
#include <umbel/node.h>
#include <umbel/util.h>
#include "internal.h"

#define MEDIA_TYPE "application/vnd.spring-boot.actuator.v3+json"

static void reply_state(struct um_http_req *rq, json_t *body)
{
    const char *status = json_string_value(json_object_get(body, "status"));
    unsigned code = strcmp(status, "DOWN") == 0 || strcmp(status, "OUT_OF_SERVICE") == 0 ? 503 : 200;
    char *text = json_dumps(body, JSON_COMPACT);

    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply(rq, code, MEDIA_TYPE, UM_SPAN_STR(text ? text : "{}"));
    free(text);
    json_decref(body);
}

static const char *database(struct um_rest *r) { return um_store_is_healthy(r->deps.store) ? "UP" : "DOWN"; }

/* A core that cannot store sends newcomers elsewhere; those who are here stay and are told "not saved yet". */
static const char *readiness(struct um_rest *r)
{
    return atomic_load(&r->draining) || !um_store_is_healthy(r->deps.store) ? "OUT_OF_SERVICE" : "UP";
}

/* Without it old versions cannot be read and no more of them moved; documents are none the worse, so it is only told. */
static void add_archive(struct um_rest *r, json_t *components)
{
    if (um_versions_has_archive(r->deps.versions))
        json_object_set_new(components, "archive", json_pack("{s:s}", "status",
                            um_versions_archive_is_healthy(r->deps.versions) ? "UP" : "UNKNOWN"));
}

/* Redis away makes nobody unready: each core goes on by itself. Where it is and who the others are is not for everybody. */
static void add_cluster(struct um_rest *r, const struct um_http_req *rq, json_t *components)
{
    bool detailed = caller_has_role(r, rq, "ADMIN");
    json_t *cluster = json_pack("{s:s}", "status", "UP"), *redis;

    if (detailed)
        json_object_set_new(cluster, "details", json_pack("{s:o}", "members", um_node_members_json(r->deps.cluster)));
    json_object_set_new(components, "cluster", cluster);
    if (r->deps.redis == NULL)
        return;
    redis = json_pack("{s:s}", "status", um_node_redis_is_up(r->deps.redis) ? "UP" : "DOWN");
    if (detailed)
        json_object_set_new(redis, "details", um_node_redis_json(r->deps.redis, r->deps.cluster));
    json_object_set_new(components, "redis", redis);
}

void actuator_health(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *db = database(r), *ready = readiness(r);
    const char *all = strcmp(db, "UP") != 0 || !um_node_redis_is_up(r->deps.redis) ? "DOWN" : ready;

    json_t *body = json_pack("{s:s, s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}}, s:[s, s]}", "status", all, "components", "db",
                             "status", db, "livenessState", "status", "UP", "ping", "status", "UP", "readinessState",
                             "status", ready, "groups", "liveness", "readiness");

    add_archive(r, json_object_get(body, "components"));
    add_cluster(r, rq, json_object_get(body, "components"));
    reply_state(rq, body);
}

void actuator_liveness(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    reply_state(rq, json_pack("{s:s}", "status", "UP"));
}

void actuator_readiness(struct um_http_req *rq, void *ctx)
{
    reply_state(rq, json_pack("{s:s}", "status", readiness(ctx)));
}

void actuator_status(struct um_http_req *rq, void *ctx)
{
    const char *accept = um_http_header(rq, "Accept");
    bool up = strcmp(readiness(ctx), "UP") == 0;

    um_http_add_header(rq, "Cache-Control", "no-store");
    if (accept != NULL && strstr(accept, "text/plain") != NULL && strstr(accept, "json") == NULL)
        um_http_reply(rq, up ? 200 : 503, "text/plain", up ? UM_SPAN("UP", 2) : UM_SPAN("DOWN", 4));
    else
        um_http_reply_json(rq, up ? 200 : 503, json_pack("{s:s}", "status", up ? "UP" : "DOWN"));
}

void actuator_info(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char started[32];

    um_wall_iso(r->started_wall_ms, started);
    um_http_reply_json(rq, 200, json_pack("{s:s, s:s, s:s, s:{s:i, s:s}}", "name", "Umbel Core", "version", UMBEL_VERSION,
                                          "build", UMBEL_VERSION, "process", "pid", (int)getpid(), "startTime", started));
}

void actuator_index(struct um_http_req *rq, void *ctx)
{
    static const char *const names[] = { "caches", "health", "info", "prometheus", "status" };
    json_t *links = json_object();

    (void)ctx;
    json_object_set_new(links, "self", json_pack("{s:s, s:b}", "href", "/core/actuator", "templated", 0));
    for (size_t i = 0; i < UM_COUNT(names); i++)
        json_object_set_new(links, names[i], json_pack("{s:s+, s:b}", "href", "/core/actuator/", names[i], "templated", 0));
    um_http_reply_json(rq, 200, json_pack("{s:o}", "_links", links));
}

void actuator_prometheus(struct um_http_req *rq, void *ctx)
{
    struct um_buf out = { 0 };

    (void)ctx;
    um_metrics_prometheus(&out, &(struct um_prometheus_opts){ 0 });
    um_http_reply(rq, 200, "text/plain;version=0.0.4", UM_SPAN(out.data, out.len));
    um_buf_free(&out);
}

void actuator_failpoint(struct um_http_req *rq, void *ctx)
{
    struct um_buf action = { 0 };
    struct um_span body = um_http_body(rq);

    (void)ctx;
    um_buf_put(&action, body.data, body.len);
    if (um_failpoint_set(um_http_param(rq, "name"), um_buf_cstr(&action)) == UM_OK)
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else
        um_http_reply_error(rq, 400, "U00400", "no such failure point or action");
    um_buf_free(&action);
}
