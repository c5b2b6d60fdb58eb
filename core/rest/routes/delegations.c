/* Rows: who may do whose tasks meanwhile. */
#include "routes.h"

#define DELEGATION "/core/rest/delegation"
static const struct um_api_param ids_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param user_params[] = {
    { .name = "user", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "somebody else needs role ADMIN or SECURITY_ADMIN" },
    { .name = "includeTerminated", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "those that are over too" },
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "GET", .path = DELEGATION "/{ids}", .handler = platform_call, .call = CALL(um_delegations_get), .id = "delegation.get",
      .summary = "delegations by id: the caller's, as delegator or delegate", .params = ids_params,
      .replies = { REPLY("Delegations", "in the order asked for") } },
    { .method = "GET", .path = DELEGATION "/delegate/{user}", .handler = platform_call, .call = CALL(um_delegations_delegate),
      .id = "delegation.delegate", .summary = "who has delegated to a user", .params = user_params,
      .replies = { REPLY("Delegations", "by their starts") } },
    { .method = "GET", .path = DELEGATION "/delegator/{user}", .handler = platform_call, .call = CALL(um_delegations_delegator),
      .id = "delegation.delegator", .summary = "to whom a user has delegated", .params = user_params,
      .replies = { REPLY("Delegations", "by their starts") } },
    { .method = "POST", .path = DELEGATION, .handler = platform_call, .call = CALL(um_delegations_create), .id = "delegation.create",
      .summary = "lets others take over and answer the tasks of the caller, or, for role ADMIN or SECURITY_ADMIN, of anybody", .max_body = 1 << 20,
      .body = "Delegations", .replies = { REPLY("Delegations", "as they are kept") } },
    { .method = "POST", .path = DELEGATION "/{ids}", .handler = platform_call, .call = CALL(um_delegations_update), .id = "delegation.update",
      .summary = "changes to whom, from when to when, and why", .max_body = 1 << 20, .body = "Delegations", .params = ids_params,
      .replies = { REPLY("Delegations", "as they are kept") } },
    { .method = "DELETE", .path = DELEGATION "/{ids}", .handler = platform_call, .call = CALL(um_delegations_delete), .id = "delegation.delete",
      .summary = "ends delegations", .params = ids_params, .replies = { REPLY_NOTHING("they have ended") } },
};
PLATFORM_GROUP(rest_delegations, "delegations", "Who may do whose tasks meanwhile", rows);
