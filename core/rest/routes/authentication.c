/* Rows: who somebody is. */
#include "routes.h"

static const struct um_api_row rows[] = {
    { .method = "POST", .path = "/core/rest/authentication", .handler = authentication_post, .flags = UM_HTTP_PUBLIC,
      .id = "authentication.create", .summary = "trades a user name and a password for a token", .max_body = 4096,
      .body = "Credentials", .replies = { REPLY("Token", "a token") } },
};
GROUP(rest_authentication, "authentication", "Tokens", rows);
