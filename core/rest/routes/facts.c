/* Rows: what was done with components. */
#include "routes.h"

#define PARAM_ID { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "of the component" }
static const struct um_api_param list_params[] = {
    PARAM_ID,
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = INT32_MAX, .initial = "0", .text = "how many to pass over" },
    PARAM_PAGE_SIZE(1000), { 0 },
};
static const struct um_api_param create_params[] = { PARAM_ID, { 0 } };

#define FACTS(word, category_, what) \
    { .method = "GET", .path = "/core/rest/" word "/{id}/facts", .handler = platform_call, .call = CALL_OF(um_facts_list, "category", category_), \
      .id = word ".facts.list", .summary = "the history of a " what "; needs READ_HISTORY", .params = list_params, \
      .replies = { REPLY("HistoryFacts", "newest first") } }, \
    { .method = "POST", .path = "/core/rest/" word "/{id}/facts", .handler = platform_call, .role = ADMIN, \
      .call = CALL_OF(um_facts_create, "category", category_), .id = word ".facts.create", .summary = "adds to the history of a " what, \
      .max_body = UM_DOMAIN_BODY_MAX, .body = "NewHistoryFacts", .params = create_params, .replies = { REPLY("HistoryFacts", "as they are kept") } }

static const struct um_api_row rows[] = {
    FACTS("documents", "DOCUMENT", "document"),
    FACTS("folders", "FOLDER", "folder"),
    FACTS("tasks", "TASK", "task"),
    FACTS("virtualFolders", "VIRTUAL_FOLDER", "virtual folder"),
    { .method = "POST", .path = "/core/rest/facts", .handler = platform_call, .call = CALL(um_facts_search), .role = ADMIN, .id = "facts.search",
      .summary = "the scope's facts, of deleted components too", .max_body = 65536, .body = "HistorySearch",
      .replies = { REPLY("HistoryPage", "newest first") } },
};
PLATFORM_GROUP(rest_facts, "facts", "What was done with components", rows);
