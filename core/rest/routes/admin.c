/* Rows: administration. */
#include "routes.h"

#define CORE "/core/rest/admin"

static const struct um_api_param archive_params[] = {
    { .name = "dryRun", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "only tells which" },
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = CORE "/collab", .handler = admin_collab_get, .role = ADMIN, .id = "admin.collab.get",
      .summary = "figures of the collaboration engine", .replies = { REPLY("CollabFigures", "of this core") } },
    { .method = "POST", .path = CORE "/collab/close", .handler = admin_collab_close, .role = ADMIN, .id = "admin.collab.close",
      .summary = "closes the connections of one document or of all; clients come back", .max_body = 8192, .body = "CollabClose",
      .replies = { REPLY_NOTHING("they are being closed") } },
    { .method = "GET", .path = CORE "/cluster", .handler = admin_cluster_get, .role = ADMIN, .id = "admin.cluster.get",
      .summary = "who works together, and the link to Redis", .replies = { REPLY("Cluster", "as this core sees it") } },
    { .method = "POST", .path = CORE "/archive/run", .handler = admin_archive_run, .role = ADMIN, .id = "admin.archive.run",
      .summary = "moves old versions to the archive now", .params = archive_params,
      .replies = { REPLY("ArchiveRun", "what was, or would be, moved") } },
};
GROUP(rest_admin, "admin", "Administration", rows);
