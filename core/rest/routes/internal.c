/* Rows: for gateways that speak for themselves. */
#include "routes.h"

#define INTERNAL "/core/rest/internal"

static const struct um_api_param end_params[] = {
    { .name = "hash", .in = UM_API_PATH, .type = UM_API_STRING, .min = 32, .max = 32, .text = "of the session's id, in hexadecimal" },
    { 0 },
};

static const struct um_api_param clear_params[] = {
    { .name = "name", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 512, .text = "of the one, as the list has it" },
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "POST", .path = INTERNAL "/sessions/{hash}/end", .handler = internal_session_end, .role = REST_GATEWAY,
      .id = "internal.sessions.end", .summary = "a gateway's session has ended: it is revoked, and what it held is released",
      .max_body = 1024, .body = "SessionEnd", .params = end_params, .replies = { REPLY_NOTHING("durable") } },
    { .method = "POST", .path = INTERNAL "/audit", .handler = internal_audit, .role = REST_GATEWAY, .id = "internal.audit.create",
      .summary = "an administrator did something at a gateway", .max_body = 16384, .body = "GatewayFact", .replies = { REPLY_NOTHING("durable") } },
    { .method = "GET", .path = INTERNAL "/revocations", .handler = internal_revocations_get, .role = REST_GATEWAY,
      .id = "internal.revocations.list", .summary = "sessions that may not be served any more",
      .replies = { REPLY("Revocations", "all that still count") } },
    { .method = "GET", .path = INTERNAL "/caches", .handler = internal_caches_get, .role = REST_GATEWAY, .id = "internal.caches.list",
      .summary = "versions of all caches", .replies = { REPLY("CacheVersions", "of the database") } },
    { .method = "DELETE", .path = INTERNAL "/caches", .handler = internal_caches_clear, .role = REST_GATEWAY, .id = "internal.caches.clear",
      .summary = "clears all caches of all nodes, or one", .params = clear_params, .replies = { REPLY_NOTHING("cleared") } },
};
GROUP(rest_internal, "internal", "Between gateways and cores", rows);
