/* Rows: caches, in the vendor's way. */
#include "routes.h"

static const struct um_api_param params[] = { PARAM_ANY_SCOPE, { 0 } };
static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/core/rest/caches", .handler = caches_list, .role = ADMIN, .id = "caches.list",
      .summary = "names of the scope's caches that have ever changed", .params = params,
      .replies = { REPLY("CacheNames", "{scope}-{Name}; for SYSTEM_ADMIN those of the installation too, which have no scope before them") } },
    { .method = "DELETE", .path = "/core/rest/caches", .handler = caches_clear, .role = ADMIN,
      .id = "caches.clear",
      .summary = "clears the scope's caches at all nodes", .params = params,
      .replies = { REPLY("CachesCleared", "what was cleared, and which nodes have dropped it by now") } },
};
PLATFORM_GROUP(rest_caches, "caches", "Caches of what is read more often than written", rows);
