/* The rows of the core's REST interface, a file per topic. What a row can say: umbel/api.h. */
#ifndef REST_ROUTES_H
#define REST_ROUTES_H
#include <umbel/api.h>
#include <umbel/util.h>
#include <umbel/domain_calls.h>
#include "internal.h"
#include "platform.h"

#define ADMIN "ADMIN"

/* A row of the platform: .handler = platform_call, .call = CALL(um_scopes_get), and what its path says without a parameter:
 * CALL_OF(um_objects_get, "kind", "acl"). */
#define CALL(call_)                     &(const struct platform_row){ .call = &(call_) }
#define CALL_OF(call_, name_, value_)   &(const struct platform_row){ .call = &(call_), .name = name_, .value = value_ }
#define PARAM_IDS(name_)  { .name = name_, .in = UM_API_PATH, .type = UM_API_IDS, .min = 1, .max = UM_DOMAIN_IDS_MAX, \
                            .text = "ids, separated by commas, each percent-encoded" }
#define PARAM_ONE(name_)  { .name = name_, .in = UM_API_PATH, .type = UM_API_IDS, .min = 1, .max = 1, .text = "the id of one" }
#define PARAM_IF_MATCH    { .name = "If-Match", .in = UM_API_HEADER, .type = UM_API_STRING, .min = 1, .max = 64, \
                            .text = "of one object: only if this is its ETag" }
#define PARAM_FORCE       { .name = "force", .in = UM_API_QUERY, .type = UM_API_BOOL, .text = "also what is in use" }

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
#define PARAM_ANY_SCOPE            { .name = "scope", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_SCOPE_MAX, \
                                 .text = "this scope; *: all. Others than the caller's need the role SYSTEM_ADMIN" }
#define PARAM_RANGE    { .name = "Range", .in = UM_API_HEADER, .type = UM_API_STRING, .min = 1, .max = 256, \
                         .text = "bytes=…: one range; of several none is taken" }
#define PARAM_IF_RANGE { .name = "If-Range", .in = UM_API_HEADER, .type = UM_API_STRING, .min = 1, .max = 128, \
                         .text = "the ETag of what is there already: else all is sent" }
/* What every row of the platform has: routes.c. */
extern const struct um_api_param rest_platform_params[];

#define GROUP(name_, tag_, text_, rows_) \
    const struct um_api_group name_ = { .tag = tag_, .text = text_, .rows = rows_, .n = UM_COUNT(rows_) }
#define PLATFORM_GROUP(name_, tag_, text_, rows_) \
    const struct um_api_group name_ = { .tag = tag_, .text = text_, .rows = rows_, .n = UM_COUNT(rows_), .params = rest_platform_params }

/* In the order in which they are tried and described: routes.c. */
extern const struct um_api_group rest_files, rest_document_files;
extern const struct um_api_group rest_sockets, rest_authentication, rest_documents, rest_versions, rest_reservations, rest_caches, rest_search, rest_components,
    rest_scopes, rest_classes, rest_admin, rest_actuator, rest_internal, rest_description;
extern const struct um_api_group rest_facts, rest_document_versions, rest_rights;

extern const struct um_api_group rest_models;
extern const struct um_api_group rest_users, rest_user_groups, rest_profiles;
extern const struct um_api_group rest_favorites, rest_stored_searches, rest_annotations, rest_delegations, rest_features;
extern const struct um_api_group rest_jobs;

#endif
