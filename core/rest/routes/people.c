/* Rows: users, groups and the members of teams. Objects stand alone, not in arrays. */
#include "routes.h"

#define USERS  "/core/rest/users"
#define GROUPS "/core/rest/groups"
#define BY_SECURITY "ADMIN|SECURITY_ADMIN"
#define USER_BYTES  (64 << 10)
#define GROUP_BYTES (4 << 20)

static const struct um_api_param read_params[] = {
    PARAM_IDS("ids"),
    { .name = "resolveAuthorities", .in = UM_API_QUERY, .type = UM_API_BOOL, .text = "profiles: all teams, also those by groups" },
    { 0 },
};
static const struct um_api_param groups_params[] = { PARAM_IDS("ids"), { 0 } };
static const struct um_api_param search_params[] = {
    { .name = "name", .in = UM_API_QUERY, .type = UM_API_STRING, .max = 200, .text = "how words of the id or the names begin, in any case; without: all" },
    { .name = "after", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "\"next\" of the page before" },
    PARAM_PAGE_SIZE(1000), { 0 },
};
#define PARAM_ID { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "the id of one" }
static const struct um_api_param one_params[] = { PARAM_ID, { 0 } };
static const struct um_api_param change_params[] = { PARAM_ID, PARAM_IF_MATCH, { 0 } };

static const struct um_api_param team_params[] = {
    PARAM_IDS("profiles"),
    { .name = "username", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 200, .text = "how words of the id or the names begin; *: any" },
    PARAM_PAGE_SIZE(1000), { 0 },
};

static const struct um_api_row user_rows[] = {
    { .method = "GET", .path = USERS "/search", .handler = platform_call, .call = CALL(um_users_search), .id = "users.search",
      .summary = "users by their names", .params = search_params, .replies = { REPLY("Users", "in the order of their ids") } },
    { .method = "GET", .path = USERS "/{ids}", .handler = platform_call, .call = CALL(um_users_get), .id = "users.get",
      .summary = "users by id: their names; of oneself, and for administrators, all", .params = read_params,
      .replies = { REPLY("UserOrUsers", "one id: the user; several: an array") } },
    { .method = "POST", .path = USERS, .handler = users_create, .role = BY_SECURITY, .id = "users.create", .summary = "creates a user",
      .max_body = USER_BYTES, .body = "User", .replies = { REPLY("User", "as it is kept") } },
    { .method = "POST", .path = USERS "/{id}", .handler = platform_call, .call = CALL(um_users_update), .role = BY_SECURITY, .id = "users.update",
      .summary = "replaces a user; all is sent, what is absent is gone. The password stays", .max_body = USER_BYTES, .body = "User", .params = change_params,
      .replies = { REPLY("User", "as it is kept") } },
    { .method = "PUT", .path = USERS "/{id}/password", .handler = users_password, .flags = UM_HTTP_PUBLIC, .id = "users.password",
      .summary = "sets a password: one's own with the old one, also without a token; another's by ADMIN or SECURITY_ADMIN, which ends his sessions",
      .max_body = 8192, .body = "PasswordChange", .params = one_params, .replies = { REPLY_NOTHING("it is set") } },
    { .method = "PUT", .path = USERS "/{id}/enabled", .handler = platform_call, .call = CALL(um_users_enable), .role = BY_SECURITY, .id = "users.enable",
      .summary = "lets a user log in or not; who may not has no sessions and no rights from now on", .max_body = 1024, .body = "Enabled", .params = one_params,
      .replies = { REPLY("User", "as it is kept") } },
    { .method = "DELETE", .path = USERS "/{id}", .handler = platform_call, .call = CALL(um_users_delete), .role = BY_SECURITY, .id = "users.delete",
      .summary = "deletes a user, and ends his sessions; groups and ACLs that name him stay", .params = change_params,
      .replies = { REPLY_NOTHING("he is gone") } },
};
PLATFORM_GROUP(rest_users, "users", "People of a scope who can log in", user_rows);

static const struct um_api_row group_rows[] = {
    { .method = "GET", .path = GROUPS "/search", .handler = platform_call, .call = CALL(um_groups_search), .id = "groups.search",
      .summary = "groups by their names", .params = search_params, .replies = { REPLY("Users", "in the order of their ids") } },
    { .method = "GET", .path = GROUPS "/{ids}", .handler = platform_call, .call = CALL(um_groups_get), .id = "groups.get",
      .summary = "groups by id: their names; for administrators all", .params = groups_params,
      .replies = { REPLY("GroupOrGroups", "one id: the group; several: an array") } },
    { .method = "POST", .path = GROUPS, .handler = platform_call, .call = CALL(um_groups_create), .role = BY_SECURITY, .id = "groups.create",
      .summary = "creates a group", .max_body = GROUP_BYTES, .body = "Group", .replies = { REPLY("Group", "as it is kept") } },
    { .method = "POST", .path = GROUPS "/{id}", .handler = platform_call, .call = CALL(um_groups_update), .role = BY_SECURITY, .id = "groups.update",
      .summary = "replaces a group; all is sent, what is absent is gone", .max_body = GROUP_BYTES, .body = "Group", .params = change_params,
      .replies = { REPLY("Group", "as it is kept") } },
    { .method = "DELETE", .path = GROUPS "/{id}", .handler = platform_call, .call = CALL(um_groups_delete), .role = BY_SECURITY, .id = "groups.delete",
      .summary = "deletes a group; its members stay", .params = one_params, .replies = { REPLY_NOTHING("it is gone") } },
};
PLATFORM_GROUP(rest_user_groups, "groups", "Users and groups that are together", group_rows);

static const struct um_api_row profile_rows[] = {
    { .method = "GET", .path = "/core/rest/profiles/{profiles}/users/{username}", .handler = platform_call, .call = CALL(um_users_of_teams),
      .id = "profiles.users", .summary = "users who are in one of these teams, also by a group", .params = team_params,
      .replies = { REPLY("UserNames", "in the order of their ids") } },
};
PLATFORM_GROUP(rest_profiles, "profiles", "Teams and who is in them", profile_rows);
