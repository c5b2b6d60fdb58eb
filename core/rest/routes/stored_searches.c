/* Rows: searches that are kept. */
#include "routes.h"

enum { STORED_BODY_MAX = 1 << 20 };

#define STORED "/core/rest/storedsearch"
static const struct um_api_param list_params[] = {
    { .name = "all", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "everybody's; needs role ADMIN" },
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = INT32_MAX, .initial = "0", .text = "how many to pass over" },
    PARAM_PAGE_SIZE(200), { 0 },
};
static const struct um_api_param ids_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param change_params[] = { PARAM_IDS("ids"), PARAM_IF_MATCH, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = STORED, .handler = platform_call, .call = CALL(um_stored_searches_list), .id = "storedsearch.list",
      .summary = "the caller's stored searches, and those that name him, his groups or teams as recipients", .params = list_params,
      .replies = { REPLY("StoredSearches", "by their ids") } },
    { .method = "GET", .path = STORED "/{ids}", .handler = platform_call, .call = CALL(um_stored_searches_get), .id = "storedsearch.get",
      .summary = "stored searches by id", .params = ids_params, .replies = { REPLY("StoredSearches", "in the order asked for") } },
    { .method = "POST", .path = STORED, .handler = platform_call, .call = CALL(um_stored_searches_create), .id = "storedsearch.create",
      .summary = "keeps searches, which are checked as searches are, for the caller", .max_body = STORED_BODY_MAX, .body = "StoredSearches",
      .replies = { REPLY("StoredSearches", "as they are kept") } },
    { .method = "POST", .path = STORED "/{ids}", .handler = platform_call, .call = CALL(um_stored_searches_update), .id = "storedsearch.update",
      .summary = "replaces stored searches: the owner, or role ADMIN", .max_body = STORED_BODY_MAX, .body = "StoredSearches",
      .params = change_params, .replies = { REPLY("StoredSearches", "as they are kept") } },
    { .method = "DELETE", .path = STORED "/{ids}", .handler = platform_call, .call = CALL(um_stored_searches_delete),
      .id = "storedsearch.delete", .summary = "deletes stored searches: the owner, or role ADMIN", .params = change_params,
      .replies = { REPLY_NOTHING("they are gone") } },
};
PLATFORM_GROUP(rest_stored_searches, "stored-searches", "Searches that are kept", rows);
