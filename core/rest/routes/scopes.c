/* Rows: scopes. */
#include "routes.h"

#define SCOPE "/core/rest/scope"

static const struct um_api_param read_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param change_params[] = { PARAM_IDS("ids"), PARAM_IF_MATCH, { 0 } };

static const struct um_api_param delete_params[] = { PARAM_IDS("ids"), PARAM_FORCE, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = SCOPE, .handler = platform_call, .call = CALL(um_scopes_list),
      .role = "SYSTEM_ADMIN", .id = "scope.list",
      .summary = "all scopes", .replies = { REPLY("Scopes", "in the order of their ids") } },
    { .method = "GET", .path = SCOPE "/{ids}", .handler = platform_call, .call = CALL(um_scopes_get),
      .id = "scope.get",
      .summary = "scopes by id, for whom their ACLs let read them", .params = read_params,
      .replies = { REPLY("Scopes", "in the order asked for") } },
    { .method = "POST", .path = SCOPE, .handler = platform_call, .call = CALL(um_scopes_create),
      .role = "SYSTEM_ADMIN", .refusal = "F00302", .id = "scope.create",
      .summary = "creates scopes", .max_body = UM_DOMAIN_BODY_MAX, .body = "Scopes",
      .replies = { REPLY("Scopes", "as they are kept") } },
    { .method = "POST", .path = SCOPE "/{ids}", .handler = platform_call, .call = CALL(um_scopes_update),
      .role = ADMIN, .id = "scope.update",
      .summary = "replaces scopes; all is sent, what is absent is gone", .max_body = UM_DOMAIN_BODY_MAX,
      .body = "Scopes", .params = change_params,
      .replies = { REPLY("Scopes", "as they are kept") } },
    { .method = "DELETE", .path = SCOPE "/{ids}", .handler = platform_call, .call = CALL(um_scopes_delete),
      .role = "SYSTEM_ADMIN",
      .id = "scope.delete",
      .summary = "deletes scopes with their classes and ACLs; with force their components too",
      .params = delete_params,
      .replies = { REPLY_NOTHING("they are gone") } },
};
PLATFORM_GROUP(rest_scopes, "scopes", "Tenants: what one sees, the others do not", rows);
