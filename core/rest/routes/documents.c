/* Rows: documents that are edited together, by name. Their text is edited by WebSocket. */
#include "routes.h"

#define DOCUMENTS "/core/rest/collab/documents"
#define PARAM_NAME { .name = "name", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 4096, .text = "the document's name" }

static const struct um_api_param list_params[] = {
    { .name = "search", .in = UM_API_QUERY, .type = UM_API_STRING, .max = 256, .text = "a part of the title" },
    PARAM_PAGE_SIZE(1000),
    { .name = "after", .in = UM_API_QUERY, .type = UM_API_STRING, .max = 8192, .text = "cursor of the page before" },
    { 0 },
};
static const struct um_api_param create_params[] = { PARAM_IDEMPOTENCY_KEY, { 0 } };
static const struct um_api_param name_params[] = { PARAM_NAME, { 0 } };
static const struct um_api_param change_params[] = { PARAM_NAME, PARAM_RESERVATION, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = DOCUMENTS, .handler = documents_list, .id = "collab.documents.list",
      .summary = "lists documents, newest change first", .params = list_params, .replies = { REPLY("CollabDocumentPage", "one page") } },
    { .method = "POST", .path = DOCUMENTS, .handler = documents_create, .id = "collab.documents.create",
      .summary = "creates a document under a random name", .max_body = 8192, .body = "CollabTitle", .params = create_params,
      .replies = { { 201, "CollabDocument", NULL, "the document" },
                   { 200, "CollabDocument", NULL, "a request with this Idempotency-Key made it before" } } },
    { .method = "GET", .path = DOCUMENTS "/{name}", .handler = documents_get, .id = "collab.documents.get",
      .summary = "one document", .params = name_params, .replies = { REPLY("CollabDocument", "the document") } },
    { .method = "PUT", .path = DOCUMENTS "/{name}", .handler = documents_rename, .id = "collab.documents.rename",
      .summary = "gives a document another title", .max_body = 8192, .body = "CollabTitle", .params = change_params,
      .replies = { REPLY("CollabDocument", "the document") } },
    { .method = "DELETE", .path = DOCUMENTS "/{name}", .handler = documents_delete, .id = "collab.documents.delete",
      .summary = "deletes a document; its editors are told", .params = change_params, .replies = { REPLY_NOTHING("it is gone, or was") } },
};
GROUP(rest_documents, "collab-documents", "Documents that are edited together", rows);
