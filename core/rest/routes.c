/* Every door of the core, a row each. */
#include "internal.h"

#define ADMIN "ADMIN"

const struct um_http_route um_rest_routes[] = {
    { "GET",    "/collab",    socket_collab, UM_HTTP_WEBSOCKET | UM_HTTP_PUBLIC, NULL, "Hocuspocus providers connect here", 0 },
    { "GET",    "/collab/*",  socket_collab, UM_HTTP_WEBSOCKET | UM_HTTP_PUBLIC, NULL, "the same, whatever path a provider was given", 0 },
    { "GET",    "/y/*",       socket_room,   UM_HTTP_WEBSOCKET | UM_HTTP_PUBLIC, NULL, "y-websocket clients connect here; the rest of the path is the room", 0 },
    { "GET",    "/echo",      socket_echo,   UM_HTTP_WEBSOCKET | UM_HTTP_PUBLIC, NULL, "echoes messages when ws.echo.enabled is true", 0 },
    { "GET",    "/collab",    socket_welcome, UM_HTTP_PUBLIC, NULL, "says what is here, as stock does", 0 },
    { "GET",    "/collab/*",  socket_welcome, UM_HTTP_PUBLIC, NULL, "says what is here, as stock does", 0 },

    { "POST",   "/core/rest/authentication", authentication_post, UM_HTTP_PUBLIC, NULL, "trades a user name and a password for a token", 4096 },

    { "GET",    "/core/rest/collab/documents",        documents_list,   0, NULL, "lists documents, newest change first", 0 },
    { "POST",   "/core/rest/collab/documents",        documents_create, 0, NULL, "creates a document", 8192 },
    { "GET",    "/core/rest/collab/documents/{name}", documents_get,    0, NULL, "one document", 0 },
    { "PUT",    "/core/rest/collab/documents/{name}", documents_rename, 0, NULL, "gives a document another title", 8192 },
    { "DELETE", "/core/rest/collab/documents/{name}", documents_delete, 0, NULL, "deletes a document; its editors are told", 0 },

    { "GET",    "/core/rest/collab/documents/{name}/versions",       versions_list, 0, NULL, "a document's versions, newest first", 0 },
    { "POST",   "/core/rest/collab/documents/{name}/versions",       versions_keep, 0, NULL, "keeps the present state as a version", 8192 },
    { "GET",    "/core/rest/collab/documents/{name}/versions/{seq}", versions_get,  0, NULL, "one version", 0 },
    { "PUT",    "/core/rest/collab/documents/{name}/versions/{seq}", versions_name, 0, NULL, "gives a version a name; an empty one takes it away", 8192 },
    { "GET",    "/core/rest/collab/documents/{name}/versions/{seq}/content", versions_content, 0, NULL,
      "a version as HTML, Markdown, text, JSON or update", 0 },
    { "GET",    "/core/rest/collab/documents/{name}/versions/{seq}/compare", versions_compare, 0, NULL,
      "what changed between two versions, or until now", 0 },
    { "POST",   "/core/rest/collab/documents/{name}/versions/{seq}/restore", versions_restore, 0, NULL,
      "makes the document show the version again", 8192 },

    { "GET",    "/core/rest/caches",          caches_list,         0, ADMIN, "names of the caches", 0 },
    { "DELETE", "/core/rest/caches",          caches_clear,        0, ADMIN, "clears all caches of all nodes", 0 },
    { "POST",   "/core/rest/internal/sessions/{hash}/end", internal_session_end, 0, REST_GATEWAY,
      "a gateway's session has ended: it is revoked, and what it held is released", 1024 },
    { "GET",    "/core/rest/internal/revocations", internal_revocations_get, 0, REST_GATEWAY, "sessions that may not be served any more", 0 },
    { "GET",    "/core/rest/internal/caches", internal_caches_get, 0, REST_GATEWAY, "versions of all caches, for gateways", 0 },

    { "POST",   "/core/rest/reservation/reserve", reservation_take,    0, NULL, "reserves components, all or none", 1 << 20 },
    { "POST",   "/core/rest/reservation/release", reservation_release, 0, NULL, "gives reservations back", 1 << 20 },
    { "POST",   "/core/rest/reservation/renew",   reservation_renew,   0, NULL, "begins the leases of one's reservations anew", 1 << 20 },
    { "POST",   "/core/rest/reservation",         reservation_state,   0, NULL, "the state of components", 1 << 20 },
    { "GET",    "/core/rest/reservation/session", reservation_own,     0, NULL, "what the caller's session has reserved", 0 },
    { "GET",    "/core/rest/reservation",         reservation_list,    0, ADMIN, "lists reservations", 0 },
    { "DELETE", "/core/rest/reservation/{category}/{id}", reservation_break, 0, ADMIN, "breaks a reservation; its holder is told", 0 },

    { "GET",    "/core/rest/admin/collab",       admin_collab_get,   0, ADMIN, "figures of the collaboration engine", 0 },
    { "POST",   "/core/rest/admin/collab/close", admin_collab_close, 0, ADMIN, "closes the connections of one document or of all", 8192 },
    { "GET",    "/core/rest/admin/cluster",      admin_cluster_get,  0, ADMIN, "who works together, and the link to Redis", 0 },
    { "POST",   "/core/rest/admin/archive/run",  admin_archive_run,  0, ADMIN, "moves old versions to the archive now; dryRun=true only tells", 0 },

    { "GET",    "/core/actuator",                  actuator_index,      UM_HTTP_PUBLIC, NULL, "what the actuator has", 0 },
    { "GET",    "/core/actuator/health",           actuator_health,     UM_HTTP_PUBLIC, NULL, "health, with components", 0 },
    { "GET",    "/core/actuator/health/liveness",  actuator_liveness,   UM_HTTP_PUBLIC, NULL, "is the process able to help itself", 0 },
    { "GET",    "/core/actuator/health/readiness", actuator_readiness,  UM_HTTP_PUBLIC, NULL, "may a balancer send requests", 0 },
    { "GET",    "/core/actuator/status",           actuator_status,     UM_HTTP_PUBLIC, NULL, "UP or DOWN for a balancer", 0 },
    { "GET",    "/core/actuator/info",             actuator_info,       UM_HTTP_PUBLIC, NULL, "name and version", 0 },
    { "GET",    "/core/actuator/prometheus",       actuator_prometheus, 0, ADMIN, "all figures for Prometheus", 0 },
    { "GET",    "/core/actuator/caches",        actuator_caches_list,  0, ADMIN, "the caches", 0 },
    { "DELETE", "/core/actuator/caches",        actuator_caches_clear, 0, ADMIN, "clears all caches of all nodes", 0 },
    { "GET",    "/core/actuator/caches/{name}", actuator_cache_get,    0, ADMIN, "one cache", 0 },
    { "DELETE", "/core/actuator/caches/{name}", actuator_cache_clear,  0, ADMIN, "clears one cache of all nodes", 0 },
#ifdef UMBEL_FAILPOINTS
    { "PUT",    "/core/actuator/failpoints/{name}", actuator_failpoint, 0, ADMIN, "arms a failure point (test builds only)", 256 },
#endif
};
const size_t um_rest_routes_n = UM_COUNT(um_rest_routes);
const struct um_http_hooks um_rest_hooks = { .before = caller_check };
