/* Rows: documents as they were. */
#include "routes.h"
#include "files.h"

#define VERSIONS "/core/rest/documents/{id}/versions"
#define PARAM_ID      { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "of the document" }
#define PARAM_VERSION { .name = "versionId", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 20, .text = "of the version" }

static const struct um_api_param list_params[] = {
    PARAM_ID,
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = INT32_MAX, .initial = "0", .text = "how many to pass over" },
    PARAM_PAGE_SIZE(200), { 0 },
};
static const struct um_api_param all_params[] = { PARAM_ID, PARAM_IF_MATCH, PARAM_RESERVATION, { 0 } };
static const struct um_api_param read_params[] = { PARAM_ID, PARAM_VERSION, { 0 } };
static const struct um_api_param files_params[] = {
    PARAM_ID, PARAM_VERSION,
    { .name = "includeContent", .in = UM_API_QUERY, .type = UM_API_BOOL, .initial = "false", .text = "with their bytes in base64: 8 MB in all, else 413" },
    { 0 },
};
static const struct um_api_param content_params[] = {
    PARAM_ID, PARAM_VERSION,
    { .name = "fileId", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_CONTENT_FILE_MAX, .text = "of the file" },
    PARAM_RANGE, PARAM_IF_RANGE, { 0 },
};
static const struct um_api_param change_params[] = { PARAM_ID, PARAM_VERSION, PARAM_IF_MATCH, PARAM_RESERVATION, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = VERSIONS, .handler = platform_call, .call = CALL(um_versions_list), .id = "documents.versions.list",
      .summary = "the versions of a document", .params = list_params, .replies = { REPLY("DocumentVersions", "newest first") } },
    { .method = "POST", .path = VERSIONS, .handler = document_versions_create, .id = "documents.versions.create",
      .summary = "keeps a document as it is, under a label: the body is the text, or a JSON string, or nothing; needs UPDATE_CONTENT, and a class whose"
                 " versioningMode is not NONE", .max_body = 4096, .body_media = "text/plain", .body_optional = true, .params = all_params, .replies = { REPLY("Documents", "the document") } },
    { .method = "DELETE", .path = VERSIONS, .handler = platform_call, .call = CALL(um_versions_clear), .id = "documents.versions.clear",
      .summary = "deletes all versions of a document", .params = all_params, .replies = { REPLY_NOTHING("they are gone") } },
    { .method = "GET", .path = VERSIONS "/{versionId}", .handler = platform_call, .call = CALL(um_versions_get), .id = "documents.versions.get",
      .summary = "a document as it was", .params = read_params, .replies = { REPLY("Documents", "one") } },
    { .method = "GET", .path = VERSIONS "/{versionId}/files", .handler = document_files_list, .id = "documents.versions.files",
      .summary = "the files that a document had", .params = files_params, .replies = { REPLY("DocumentFiles", "in their order") } },
    { .method = "GET", .path = VERSIONS "/{versionId}/files/{fileId}/content", .handler = document_files_content,
      .id = "documents.versions.content", .summary = "the bytes of a file that a document had; needs READ_CONTENT or DOWNLOAD_CONTENT on the document",
      .params = content_params, .replies = { { 200, NULL, "*/*", "the bytes" }, { 206, NULL, "*/*", "the range that was asked for" } } },
    { .method = "DELETE", .path = VERSIONS "/{versionId}", .handler = platform_call, .call = CALL(um_versions_delete),
      .id = "documents.versions.delete", .summary = "deletes a version", .params = change_params, .replies = { REPLY_NOTHING("it is gone") } },
    { .method = "POST", .path = VERSIONS "/{versionId}/revert", .handler = platform_call, .call = CALL(um_versions_revert),
      .id = "documents.versions.revert", .summary = "makes a document what it was; needs UPDATE and UPDATE_CONTENT", .params = change_params,
      .replies = { REPLY("Documents", "the document") } },
};
PLATFORM_GROUP(rest_document_versions, "document-versions", "Documents as they were", rows);
