/* Rows: the actuator, as Spring Boot has it. */
#include "routes.h"

#define ACTUATOR "/core/actuator"
#define SPRING "application/vnd.spring-boot.actuator.v3+json"
#define REPLY_STATE(schema_, media_) { 200, schema_, media_, "it serves" }, { 503, schema_, media_, "it does not, for now" }
#define REPLY_HEALTH REPLY_STATE("Health", SPRING), REPLY_STATE("Health", NULL)

/* As Spring Boot types it, and as plain JSON for who asks for that. */
#define REPLY_SPRING(schema_, text_) { 200, schema_, SPRING, text_ }, { 200, schema_, NULL, text_ }

static const struct um_api_param metric_params[] = {
    { .name = "tag", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 1000, .repeats = true,
      .text = "key:value; several with commas between, or one by one" },
    { 0 },
};
static const struct um_api_param prometheus_params[] = {
    { .name = "includedNames", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 1024, .text = "these alone, with commas between" },
    { 0 },
};
static const struct um_api_param one_params[] = {
    { .name = "cacheManager", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 128, .initial = "cacheManager", .text = "there is one" },
    { 0 },
};

static const struct um_api_param log_params[] = { PARAM_RANGE, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = ACTUATOR, .handler = actuator_index, .flags = UM_HTTP_PUBLIC, .id = "actuator.index",
      .summary = "what the actuator has", .replies = { REPLY_SPRING("ActuatorLinks", "links") } },
    { .method = "GET", .path = ACTUATOR "/health", .handler = actuator_health, .flags = UM_HTTP_PUBLIC, .id = "actuator.health",
      .summary = "health, with components", .replies = { REPLY_HEALTH } },
    { .method = "GET", .path = ACTUATOR "/health/liveness", .handler = actuator_liveness, .flags = UM_HTTP_PUBLIC,
      .id = "actuator.liveness", .summary = "is the process able to help itself", .replies = { REPLY_HEALTH } },
    { .method = "GET", .path = ACTUATOR "/health/readiness", .handler = actuator_readiness, .flags = UM_HTTP_PUBLIC,
      .id = "actuator.readiness", .summary = "may a balancer send requests", .replies = { REPLY_HEALTH } },
    { .method = "GET", .path = ACTUATOR "/health/{component}", .handler = actuator_health, .flags = UM_HTTP_PUBLIC,
      .id = "actuator.health.component", .summary = "one component", .replies = { REPLY_HEALTH } },
    { .method = "GET", .path = ACTUATOR "/health/{component}/{part}", .handler = actuator_health, .flags = UM_HTTP_PUBLIC,
      .id = "actuator.health.part", .summary = "one component of a group", .replies = { REPLY_HEALTH } },
    { .method = "GET", .path = ACTUATOR "/status", .handler = actuator_status, .flags = UM_HTTP_PUBLIC, .any_query = true,
      .id = "actuator.status", .summary = "UP or DOWN for a balancer",
      .replies = { REPLY_STATE("NodeStatus", NULL), { 200, NULL, "text/plain", "" }, { 503, NULL, "text/plain", "" } } },
    { .method = "GET", .path = ACTUATOR "/info", .handler = actuator_info, .flags = UM_HTTP_PUBLIC, .id = "actuator.info",
      .summary = "name and version", .replies = { REPLY_SPRING("NodeInfo", "of this core") } },
    { .method = "GET", .path = ACTUATOR "/prometheus", .handler = actuator_prometheus, .role = ADMIN, .id = "actuator.prometheus",
      .summary = "all figures for Prometheus", .params = prometheus_params,
      .replies = { { 200, NULL, "text/plain", "text format 0.0.4" }, { 200, NULL, "application/openmetrics-text", "OpenMetrics 1.0" } } },
    { .method = "GET", .path = ACTUATOR "/metrics", .handler = actuator_metrics, .role = ADMIN, .id = "actuator.metrics.list",
      .summary = "names of the figures", .replies = { REPLY_SPRING("MetricNames", "sorted") } },
    { .method = "GET", .path = ACTUATOR "/metrics/{name}", .handler = actuator_metric, .role = ADMIN, .id = "actuator.metrics.get",
      .summary = "one figure", .params = metric_params, .replies = { REPLY_SPRING("Metric", "the figure") } },
    { .method = "GET", .path = ACTUATOR "/loggers", .handler = actuator_loggers, .role = ADMIN, .id = "actuator.loggers.list",
      .summary = "levels of this core's log", .replies = { REPLY_SPRING("Loggers", "by name") } },
    { .method = "GET", .path = ACTUATOR "/loggers/{name}", .handler = actuator_logger, .role = ADMIN, .id = "actuator.loggers.get",
      .summary = "the level of one", .replies = { REPLY_SPRING("Logger", "its level") } },
    { .method = "POST", .path = ACTUATOR "/loggers/{name}", .handler = actuator_logger_set, .role = ADMIN, .id = "actuator.loggers.set",
      .max_body = 8192, .body = "LoggerConfigured", .summary = "sets it, until the restart", .replies = { REPLY_NOTHING("it is set") } },
    { .method = "GET", .path = ACTUATOR "/env", .handler = actuator_env, .role = ADMIN, .id = "actuator.env.list",
      .summary = "what is set, and where", .replies = { REPLY_SPRING("Env", "the strongest source first") } },
    { .method = "GET", .path = ACTUATOR "/env/{name}", .handler = actuator_env_one, .role = ADMIN, .id = "actuator.env.get",
      .summary = "one property", .replies = { REPLY_SPRING("EnvProperty", "where it is set") } },
    { .method = "GET", .path = ACTUATOR "/configprops", .handler = actuator_configprops, .role = ADMIN, .id = "actuator.configprops.list",
      .summary = "what is in force, by topic", .replies = { REPLY_SPRING("ConfigProps", "by topic") } },
    { .method = "GET", .path = ACTUATOR "/caches", .handler = actuator_caches_list, .role = ADMIN, .id = "actuator.caches.list",
      .summary = "the caches", .params = one_params, .replies = { REPLY_SPRING("ActuatorCaches", "by manager") } },
    { .method = "DELETE", .path = ACTUATOR "/caches", .handler = actuator_caches_clear, .role = ADMIN, .id = "actuator.caches.clear",
      .summary = "clears all caches of all nodes", .replies = { REPLY_NOTHING("cleared") } },
    { .method = "GET", .path = ACTUATOR "/caches/{name}", .handler = actuator_cache_get, .role = ADMIN, .id = "actuator.caches.get",
      .summary = "one cache", .params = one_params, .replies = { REPLY_SPRING("ActuatorCache", "the cache") } },
    { .method = "DELETE", .path = ACTUATOR "/caches/{name}", .handler = actuator_cache_clear, .role = ADMIN, .id = "actuator.caches.clearOne",
      .summary = "clears one cache of all nodes", .params = one_params, .replies = { REPLY_NOTHING("cleared") } },
    { .method = "GET", .path = ACTUATOR "/httpexchanges", .handler = actuator_exchanges, .role = ADMIN, .id = "actuator.httpexchanges",
      .summary = "the last requests and how they ended", .replies = { REPLY_SPRING("HttpExchanges", "the newest first") } },
    { .method = "GET", .path = ACTUATOR "/threaddump", .handler = actuator_threads, .role = ADMIN, .id = "actuator.threaddump",
      .summary = "the threads of the process", .replies = { REPLY_SPRING("ThreadDump", "as the kernel knows them"), { 200, NULL, "text/plain", "" } } },
    { .method = "GET", .path = ACTUATOR "/logfile", .handler = actuator_logfile, .role = ADMIN, .id = "actuator.logfile",
      .summary = "the log, when it goes to a file", .params = log_params,
      .replies = { { 200, NULL, "text/plain", "all of it" }, { 206, NULL, "text/plain", "the range that was asked for" } } },
    { .method = "POST", .path = ACTUATOR "/shutdown", .handler = actuator_shutdown, .role = "SYSTEM_ADMIN", .id = "actuator.shutdown",
      .summary = "ends the process; not there unless management.endpoint.shutdown.access says so", .replies = { REPLY_SPRING("Goodbye", "it is about to") } },
#ifdef UMBEL_FAILPOINTS
    { .method = "PUT", .path = ACTUATOR "/failpoints/{name}", .handler = actuator_failpoint, .role = ADMIN, .max_body = 256,
      .summary = "arms a failure point (test builds only)" },
#endif
};
GROUP(rest_actuator, "actuator", "Health and figures", rows);
