/* Rows: the description of the others, and a page that shows it. */
#include "routes.h"

#define VIEWER "/core/swagger-ui"

static const struct um_api_param file_params[] = {
    { .name = "file", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 100, .text = "index.html is the page" },
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = "/core/v3/api-docs", .handler = description_get, .flags = UM_HTTP_PUBLIC, .id = "description.get",
      .summary = "this description", .replies = { REPLY("Description", "OpenAPI 3.1") } },
    { .method = "GET", .path = VIEWER "/{file}", .handler = viewer_get, .flags = UM_HTTP_PUBLIC, .id = "description.view",
      .summary = "a page that shows this description and tries its calls", .params = file_params,
      .replies = { { 200, NULL, "text/html", "a file of the page" }, { 200, NULL, "text/css", "" }, { 200, NULL, "text/javascript", "" } } },
    { .method = "GET", .path = VIEWER, .handler = viewer_index, .flags = UM_HTTP_PUBLIC, .summary = "leads to the page" },
};
GROUP(rest_description, "description", "What the interface says of itself", rows);
