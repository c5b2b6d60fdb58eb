/* Rows: the states that a document had. */
#include "routes.h"

#define VERSIONS "/core/rest/collab/documents/{name}/versions"
#define MOST (INT64_MAX - 1)
#define PARAM_NAME { .name = "name", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 4096, .text = "the document's name" }
#define PARAM_SEQ  { .name = "seq", .in = UM_API_PATH, .type = UM_API_INT, .min = 0, .max = MOST, .text = "the version's number" }

static const struct um_api_param list_params[] = {
    PARAM_NAME, PARAM_PAGE_SIZE(1000),
    { .name = "before", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = MOST, .text = "only versions with a lower seq" },
    { 0 },
};
static const struct um_api_param keep_params[] = { PARAM_NAME, { 0 } };
static const struct um_api_param one_params[] = { PARAM_NAME, PARAM_SEQ, { 0 } };
static const struct um_api_param content_params[] = {
    PARAM_NAME, PARAM_SEQ,
    { .name = "format", .in = UM_API_QUERY, .type = UM_API_ENUM, .values = "html|markdown|text|json|update", .initial = "html",
      .text = "html: a fragment; json: Yjs' toJSON; update: a Yjs update, version 1" },
    { .name = "root", .in = UM_API_QUERY, .type = UM_API_STRING, .text = "the root type; without it that of Tiptap, default, which need not be there" },
    { 0 },
};
static const struct um_api_param compare_params[] = {
    PARAM_NAME, PARAM_SEQ,
    { .name = "with", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 20, .initial = "current",
      .text = "a seq, or current; the lower number is the old state" },
    { 0 },
};
static const struct um_api_param restore_params[] = { PARAM_NAME, PARAM_SEQ, PARAM_IDEMPOTENCY_KEY, PARAM_RESERVATION, { 0 } };

static const struct um_api_row rows[] = {
    { .method = "GET", .path = VERSIONS, .handler = versions_list, .id = "collab.versions.list",
      .summary = "a document's versions, newest first", .params = list_params, .replies = { REPLY("CollabVersionPage", "one page") } },
    { .method = "POST", .path = VERSIONS, .handler = versions_keep, .id = "collab.versions.keep",
      .summary = "keeps the present state as a version", .max_body = 8192, .body = "CollabLabelOrNone", .body_optional = true,
      .params = keep_params, .replies = { { 201, "CollabVersion", NULL, "the version; the same one for the same state" } } },
    { .method = "GET", .path = VERSIONS "/{seq}", .handler = versions_get, .id = "collab.versions.get", .summary = "one version",
      .params = one_params, .replies = { REPLY("CollabVersion", "the version") } },
    { .method = "PUT", .path = VERSIONS "/{seq}", .handler = versions_name, .id = "collab.versions.name",
      .summary = "gives a version a name; an empty one takes it away", .max_body = 8192, .body = "CollabLabel", .params = one_params,
      .replies = { REPLY("CollabVersion", "the version") } },
    { .method = "GET", .path = VERSIONS "/{seq}/content", .handler = versions_content, .id = "collab.versions.content",
      .summary = "a version as HTML, Markdown, text, JSON or update", .params = content_params,
      .replies = { { 200, NULL, "text/html", "the version" }, { 200, NULL, "text/markdown", "" }, { 200, NULL, "text/plain", "" },
                   { 200, "Any", "application/json", "" }, { 200, NULL, "application/octet-stream", "" } } },
    { .method = "GET", .path = VERSIONS "/{seq}/compare", .handler = versions_compare, .id = "collab.versions.compare",
      .summary = "what changed between two versions, or until now", .params = compare_params,
      .replies = { REPLY("CollabComparison", "the changes") } },
    { .method = "POST", .path = VERSIONS "/{seq}/restore", .handler = versions_restore, .id = "collab.versions.restore",
      .summary = "makes the document show the version again", .max_body = 8192, .params = restore_params,
      .replies = { REPLY("CollabRestored", "done and durable") } },
};
GROUP(rest_versions, "collab-versions", "The states that a document had", rows);
