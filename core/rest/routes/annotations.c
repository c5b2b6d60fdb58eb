/* Rows: marks on the pages of documents. */
#include "routes.h"

enum { ANNOTATIONS_BODY_MAX = 4 << 20 };

#define ANNOTATIONS "/core/rest/documents/{id}/annotations"
#define PARAM_ID { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "of the document" }
static const struct um_api_param list_params[] = {
    PARAM_ID,
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = INT32_MAX, .initial = "0", .text = "how many to pass over" },
    { .name = "max", .in = UM_API_QUERY, .type = UM_API_INT, .min = 1, .max = 1000, .initial = "1000", .text = "results of the page" },
    { 0 },
};
static const struct um_api_param one_params[] = { PARAM_ID, { 0 } };
static const struct um_api_param ids_params[] = { PARAM_ID, PARAM_IDS("ids"), { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = ANNOTATIONS, .handler = platform_call, .call = CALL(um_annotations_list), .id = "documents.annotations.list",
      .summary = "the annotations of a document; needs READ_ANNOTATION", .params = list_params,
      .replies = { REPLY("Annotations", "in the order in which they were made") } },
    { .method = "POST", .path = ANNOTATIONS, .handler = platform_call, .call = CALL(um_annotations_put), .id = "documents.annotations.put",
      .summary = "adds annotations, and replaces those whose ids are there; needs CREATE_ANNOTATION, for others' ones also UPDATE or role ADMIN",
      .max_body = ANNOTATIONS_BODY_MAX, .body = "Annotations", .params = one_params, .replies = { REPLY("Annotations", "as they are kept") } },
    { .method = "DELETE", .path = ANNOTATIONS "/allAnnotations", .handler = platform_call, .call = CALL(um_annotations_clear),
      .id = "documents.annotations.clear", .summary = "deletes all annotations of a document, or none: UPDATE or role ADMIN, when others have made some",
      .params = one_params, .replies = { REPLY_NOTHING("they are gone") } },
    { .method = "DELETE", .path = ANNOTATIONS "/{ids}", .handler = platform_call, .call = CALL(um_annotations_delete),
      .id = "documents.annotations.delete", .summary = "deletes annotations: one's own needs CREATE_ANNOTATION, others' UPDATE or role ADMIN",
      .params = ids_params, .replies = { REPLY_NOTHING("they are gone") } },
};
PLATFORM_GROUP(rest_annotations, "annotations", "Marks on the pages of documents", rows);
