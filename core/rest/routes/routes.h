/* The rows of the core's REST interface, a file per topic. What a row can say: umbel/api.h. */
#ifndef REST_ROUTES_H
#define REST_ROUTES_H
#include <umbel/api.h>
#include <umbel/util.h>
#include "internal.h"

#define ADMIN "ADMIN"

/* Replies that many rows have. */
#define REPLY(schema_, text_)  { .status = 200, .schema = schema_, .text = text_ }
#define REPLY_NOTHING(text_)   { .status = 204, .text = text_ }

/* Parameters that many rows have. */
#define PARAM_PAGE_SIZE(most)  { .name = "max", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = most, .initial = "50", \
                                 .text = "results of the page" }
#define PARAM_IDEMPOTENCY_KEY  { .name = "Idempotency-Key", .in = UM_API_HEADER, .type = UM_API_STRING, .min = 1, .max = 64, \
                                 .text = "a repeated request does nothing new" }
#define PARAM_RESERVATION      { .name = "X-Reservation-Token", .in = UM_API_HEADER, .type = UM_API_INT, .min = 1, .max = INT64_MAX - 1, \
                                 .text = "only if the reservation of this token is the caller's session's now" }
#define GROUP(name_, tag_, text_, rows_) \
    const struct um_api_group name_ = { .tag = tag_, .text = text_, .rows = rows_, .n = UM_COUNT(rows_) }

/* In the order in which they are tried and described: routes.c. */
extern const struct um_api_group rest_sockets, rest_authentication, rest_documents, rest_versions, rest_reservations, rest_caches,
    rest_admin, rest_actuator, rest_internal, rest_description;

#endif
