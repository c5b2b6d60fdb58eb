/* Rows: the actuator, as Spring Boot has it. */
#include "routes.h"

#define ACTUATOR "/core/actuator"
#define SPRING "application/vnd.spring-boot.actuator.v3+json"
#define REPLY_STATE(schema_, media_) { 200, schema_, media_, "it serves" }, { 503, schema_, media_, "it does not, for now" }

static const struct um_api_param one_params[] = {
    { .name = "cacheManager", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 128, .initial = "cacheManager", .text = "there is one" },
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = ACTUATOR, .handler = actuator_index, .flags = UM_HTTP_PUBLIC, .id = "actuator.index",
      .summary = "what the actuator has", .replies = { REPLY("ActuatorLinks", "links") } },
    { .method = "GET", .path = ACTUATOR "/health", .handler = actuator_health, .flags = UM_HTTP_PUBLIC, .id = "actuator.health",
      .summary = "health, with components", .replies = { REPLY_STATE("Health", SPRING) } },
    { .method = "GET", .path = ACTUATOR "/health/liveness", .handler = actuator_liveness, .flags = UM_HTTP_PUBLIC,
      .id = "actuator.liveness", .summary = "is the process able to help itself", .replies = { REPLY_STATE("Health", SPRING) } },
    { .method = "GET", .path = ACTUATOR "/health/readiness", .handler = actuator_readiness, .flags = UM_HTTP_PUBLIC,
      .id = "actuator.readiness", .summary = "may a balancer send requests", .replies = { REPLY_STATE("Health", SPRING) } },
    { .method = "GET", .path = ACTUATOR "/status", .handler = actuator_status, .flags = UM_HTTP_PUBLIC, .any_query = true,
      .id = "actuator.status", .summary = "UP or DOWN for a balancer",
      .replies = { REPLY_STATE("NodeStatus", NULL), { 200, NULL, "text/plain", "" }, { 503, NULL, "text/plain", "" } } },
    { .method = "GET", .path = ACTUATOR "/info", .handler = actuator_info, .flags = UM_HTTP_PUBLIC, .id = "actuator.info",
      .summary = "name and version", .replies = { REPLY("NodeInfo", "of this core") } },
    { .method = "GET", .path = ACTUATOR "/prometheus", .handler = actuator_prometheus, .role = ADMIN, .id = "actuator.prometheus",
      .summary = "all figures for Prometheus", .replies = { { 200, NULL, "text/plain", "text format 0.0.4" } } },
    { .method = "GET", .path = ACTUATOR "/caches", .handler = actuator_caches_list, .role = ADMIN, .id = "actuator.caches.list",
      .summary = "the caches", .params = one_params, .replies = { REPLY("ActuatorCaches", "by manager") } },
    { .method = "DELETE", .path = ACTUATOR "/caches", .handler = actuator_caches_clear, .role = ADMIN, .id = "actuator.caches.clear",
      .summary = "clears all caches of all nodes", .replies = { REPLY_NOTHING("cleared") } },
    { .method = "GET", .path = ACTUATOR "/caches/{name}", .handler = actuator_cache_get, .role = ADMIN, .id = "actuator.caches.get",
      .summary = "one cache", .params = one_params, .replies = { REPLY("ActuatorCache", "the cache") } },
    { .method = "DELETE", .path = ACTUATOR "/caches/{name}", .handler = actuator_cache_clear, .role = ADMIN, .id = "actuator.caches.clearOne",
      .summary = "clears one cache of all nodes", .params = one_params, .replies = { REPLY_NOTHING("cleared") } },
#ifdef UMBEL_FAILPOINTS
    { .method = "PUT", .path = ACTUATOR "/failpoints/{name}", .handler = actuator_failpoint, .role = ADMIN, .max_body = 256,
      .summary = "arms a failure point (test builds only)" },
#endif
};
GROUP(rest_actuator, "actuator", "Health and figures", rows);
