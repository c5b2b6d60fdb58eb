/* Rows: caches, in the vendor's way. */
#include "routes.h"

static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/core/rest/caches", .handler = caches_list, .role = ADMIN, .id = "caches.list",
      .summary = "names of the caches", .replies = { REPLY("CacheNames", "the name of each, with its scope and a dash before it when it has one") } },
    { .method = "DELETE", .path = "/core/rest/caches", .handler = caches_clear, .role = ADMIN, .id = "caches.clear",
      .summary = "clears all caches of all nodes",
      .replies = { REPLY("CachesCleared", "what was cleared, and which nodes have dropped it by now") } },
};
GROUP(rest_caches, "caches", "Caches of what is read more often than written", rows);
