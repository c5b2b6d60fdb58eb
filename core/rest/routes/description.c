/* Rows: the description of the others. */
#include "routes.h"

static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/core/v3/api-docs", .handler = description_get, .flags = UM_HTTP_PUBLIC, .id = "description.get",
      .summary = "this description", .replies = { REPLY("Description", "OpenAPI 3.1") } },
};
GROUP(rest_description, "description", "What the interface says of itself", rows);
