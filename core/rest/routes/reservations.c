/* Rows: who holds a component. */
#include "routes.h"

#define RESERVATION "/core/rest/reservation"
#define BODY_MAX (1 << 20)
#define CATEGORIES "DOCUMENT|FOLDER|VIRTUAL_FOLDER|TASK"

static const struct um_api_param take_params[] = {
    { .name = "wait", .in = UM_API_QUERY, .type = UM_API_DURATION, .min = 0, .max = 20000, .initial = "0s",
      .text = "how long to wait until nobody stands in the way" },
    { .name = "break", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false",
      .text = "although others edit" },
    { 0 },
};
static const struct um_api_param list_params[] = {
    { .name = "user", .in = UM_API_QUERY, .type = UM_API_STRING, .text = "only hers" },
    { .name = "category", .in = UM_API_QUERY, .type = UM_API_STRING, .text = "only of this category" },
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = INT32_MAX, .initial = "0",
      .text = "how many to pass over" },
    { .name = "max", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = 1000, .initial = "50",
      .text = "results of the page" },
    PARAM_ANY_SCOPE, { 0 },
};
static const struct um_api_param break_params[] = {
    { .name = "category", .in = UM_API_PATH, .type = UM_API_ENUM, .values = CATEGORIES,
      .text = "of the component" },
    { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 512, .text = "of the component" },
    PARAM_ANY_SCOPE, { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "POST", .path = RESERVATION "/reserve", .handler = reservation_take, .id = "reservations.reserve",
      .summary = "reserves components, all or none; 423 names who stands in the way", .max_body = BODY_MAX,
      .body = "References",
      .params = take_params, .replies = { REPLY("Reservations", "one item per reference, in their order") } },
    { .method = "POST", .path = RESERVATION "/release", .handler = reservation_release,
      .id = "reservations.release",
      .summary = "gives back what the caller's session holds", .max_body = BODY_MAX, .body = "References",
      .replies = { REPLY("Reservations", "one item per reference, in their order") } },
    { .method = "POST", .path = RESERVATION "/renew", .handler = reservation_renew, .id = "reservations.renew",
      .summary = "begins the leases of the caller's session anew", .max_body = BODY_MAX, .body = "References",
      .replies = { REPLY("Reservations", "one item per reference, in their order") } },
    { .method = "POST", .path = RESERVATION, .handler = reservation_state, .id = "reservations.state",
      .summary = "the state of components", .max_body = BODY_MAX, .body = "References",
      .replies = { REPLY("Reservations", "one item per reference, in their order") } },
    { .method = "GET", .path = RESERVATION "/session", .handler = reservation_own, .id = "reservations.mine",
      .summary = "what the caller's session has reserved",
      .replies = { REPLY("Reservations", "by category and id") } },
    { .method = "GET", .path = RESERVATION, .handler = reservation_list, .role = ADMIN, .id = "reservations.list",
      .summary = "lists reservations", .params = list_params,
      .replies = { REPLY("ReservationPage", "by category and id; without tokens") } },
    { .method = "DELETE", .path = RESERVATION "/{category}/{id}", .handler = reservation_break, .role = ADMIN,
      .id = "reservations.break", .summary = "breaks a reservation; its holder is told", .params = break_params,
      .replies = { REPLY_NOTHING("broken, or free already") } },
};
PLATFORM_GROUP(rest_reservations, "reservations", "Who holds a component", rows);
