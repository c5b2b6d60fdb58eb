/* Rows: components that users keep at hand. */
#include "routes.h"

enum { USERS_MAX = 20 };                     /* asked for together */

#define FAVORITES "/core/rest/preferences/favorites"
static const struct um_api_param users_params[] = {
    { .name = "authorities", .in = UM_API_PATH, .type = UM_API_IDS, .min = 1, .max = USERS_MAX, .text = "users; others than oneself need role ADMIN" },
    { 0 },
};
static const struct um_api_param reference_params[] = {
    { .name = "category", .in = UM_API_PATH, .type = UM_API_ENUM, .values = "DOCUMENT|FOLDER|TASK|VIRTUAL_FOLDER", .text = "of the component" },
    { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "of the component" },
    { 0 },
};
static const struct um_api_param ids_params[] = { PARAM_IDS("ids"), { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = FAVORITES, .handler = platform_call, .call = CALL(um_favorites_list), .id = "favorites.list",
      .summary = "the caller's favourites, as far as he may READ them", .replies = { REPLY("Favorites", "the newest first") } },
    { .method = "GET", .path = FAVORITES "/users/{authorities}", .handler = platform_call, .call = CALL(um_favorites_users),
      .id = "favorites.users", .summary = "the favourites of users, as far as the caller may READ them", .params = users_params,
      .replies = { REPLY("Favorites", "user by user") } },
    { .method = "PUT", .path = FAVORITES, .handler = platform_call, .call = CALL(um_favorites_put), .id = "favorites.put",
      .summary = "makes a component a favourite of the caller", .max_body = 4096, .body = "ComponentReference",
      .replies = { REPLY_NOTHING("it is one") } },
    { .method = "DELETE", .path = FAVORITES "/reference/{category}/{id}", .handler = platform_call, .call = CALL(um_favorites_remove),
      .id = "favorites.remove", .summary = "a component is no favourite of the caller any more", .params = reference_params,
      .replies = { REPLY_NOTHING("it is none") } },
    { .method = "DELETE", .path = FAVORITES "/{ids}", .handler = platform_call, .call = CALL(um_favorites_delete), .id = "favorites.delete",
      .summary = "components of any category are no favourites of the caller any more", .params = ids_params,
      .replies = { REPLY_NOTHING("they are none") } },
};
PLATFORM_GROUP(rest_favorites, "favorites", "Components that users keep at hand", rows);
