/* Rows: the files of documents. */
#include "routes.h"
#include "files.h"

#define FILES "/core/rest/documents/{id}/files"
#define BODY_MAX ((size_t)1 << 41)           /* file.max-size is judged by the handler */
#define PARAM_ID { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "of the document" }
#define PARAM_FILE { .name = "fileId", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_CONTENT_FILE_MAX, .text = "of the file" }

static const struct um_api_param list_params[] = {
    PARAM_ID,
    { .name = "includeContent", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "with their bytes in base64: 8 MB in all, else 413" },
    { 0 },
};
static const struct um_api_param add_params[] = {
    PARAM_ID, PARAM_RESERVATION, PARAM_IF_MATCH,
    { .name = "replace", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "instead of those that are there" },
    { 0 },
};
static const struct um_api_param change_params[] = { PARAM_ID, PARAM_FILE, PARAM_RESERVATION, PARAM_IF_MATCH, { 0 } };
static const struct um_api_param content_params[] = {
    PARAM_ID, PARAM_FILE, PARAM_RANGE, PARAM_IF_RANGE,
    { .name = "includeObfuscations", .in = UM_API_QUERY, .type = UM_API_BOOL, .text = "there are none: makes no difference" },
    { 0 },
};

static const struct um_api_param unique_params[] = { PARAM_ID, PARAM_RESERVATION, PARAM_IF_MATCH, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "POST", .path = "/core/rest/documents/unique", .handler = document_unique, .flags = UM_HTTP_STREAM_BODY,
      .id = "documents.unique.create", .summary = "creates a document with files: a form with parts document (an array of one) and file",
      .max_body = BODY_MAX, .body_media = "multipart/form-data", .replies = { REPLY("Documents", "the one") } },
    { .method = "POST", .path = "/core/rest/documents/{id}/unique", .handler = document_unique, .flags = UM_HTTP_STREAM_BODY,
      .id = "documents.unique.update", .summary = "replaces a document; the form's files come behind those that it lists",
      .max_body = BODY_MAX, .body_media = "multipart/form-data", .params = unique_params, .replies = { REPLY("Documents", "the one") } },
    { .method = "GET", .path = FILES, .handler = document_files_list, .id = "documents.files.list",
      .summary = "a document's files", .params = list_params, .replies = { REPLY("DocumentFiles", "in their order") } },
    { .method = "POST", .path = FILES, .handler = document_files_add, .flags = UM_HTTP_STREAM_BODY, .id = "documents.files.add",
      .summary = "uploads files into a document: a form with parts file", .max_body = BODY_MAX, .body_media = "multipart/form-data",
      .params = add_params, .replies = { REPLY("DocumentFiles", "all that it has now") } },
    { .method = "POST", .path = FILES "/{fileId}/name", .handler = document_files_rename, .id = "documents.files.rename",
      .summary = "gives a file another name: the body is the text", .max_body = 4096, .body_media = "text/plain", .params = change_params,
      .replies = { REPLY("DocumentFiles", "all that it has") } },
    { .method = "DELETE", .path = FILES "/{fileId}", .handler = platform_call, .call = CALL(um_document_files_delete),
      .id = "documents.files.delete", .summary = "takes a file out of a document", .params = change_params,
      .replies = { REPLY_NOTHING("it is gone, or was") } },
    { .method = "GET", .path = FILES "/{fileId}/content", .handler = document_files_content, .id = "documents.files.content",
      .summary = "the bytes of a file", .params = content_params,
      .replies = { { 200, NULL, "*/*", "the bytes" }, { 206, NULL, "*/*", "the range that was asked for" } } },
};
PLATFORM_GROUP(rest_document_files, "document-files", "Files of documents", rows);
