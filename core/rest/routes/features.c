/* Rows: what this installation has switched on. */
#include "routes.h"

#define FEATURES "/core/rest/features"
static const struct um_api_param name_params[] = {
    { .name = "name", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 200, .text = "of a feature" }, { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = FEATURES, .handler = features_list, .id = "features.list", .summary = "what is switched on, and what is not",
      .replies = { REPLY("Features", "all") } },
    { .method = "GET", .path = FEATURES "/internal", .handler = features_internal, .id = "features.internal",
      .summary = "those of the platform itself", .replies = { REPLY("Features", "by name") } },
    { .method = "GET", .path = FEATURES "/custom", .handler = features_custom, .id = "features.custom",
      .summary = "those of features.custom.* in the configuration", .replies = { REPLY("Features", "by name") } },
    { .method = "GET", .path = FEATURES "/{name}", .handler = features_get, .id = "features.get", .summary = "one feature",
      .params = name_params, .replies = { REPLY("Feature", "is it switched on?") } },
};
GROUP(rest_features, "features", "What this installation has switched on", rows);
