/* Rows: temporary files. */
#include "routes.h"
#include "files.h"

#define TMP "/core/rest/files/tmp"
#define BODY_MAX ((size_t)1 << 41)           /* file.max-size is judged by the handler */

static const struct um_api_param one_params[] = {
    { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 64, .text = "tmp_ and a UUID, as the upload has answered" },
    { 0 },
};
static const struct um_api_param get_params[] = {
    { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = 64, .text = "tmp_ and a UUID, as the upload has answered" },
    PARAM_RANGE, PARAM_IF_RANGE,
    { 0 },
};

static const struct um_api_row rows[] = {
    { .method = "POST", .path = TMP, .handler = files_tmp_create, .flags = UM_HTTP_STREAM_BODY, .id = "files.tmp.create",
      .summary = "uploads a file: a form with the part file. It waits file.tmp.ttl to be bound", .max_body = BODY_MAX,
      .body_media = "multipart/form-data", .replies = { REPLY("TemporaryFile", "it is stored") } },
    { .method = "GET", .path = TMP "/{id}", .handler = files_tmp_get, .id = "files.tmp.get",
      .summary = "what one has uploaded oneself", .params = get_params,
      .replies = { { 200, NULL, "*/*", "the bytes" }, { 206, NULL, "*/*", "the range that was asked for" } } },
    { .method = "DELETE", .path = TMP "/{id}", .handler = files_tmp_delete, .id = "files.tmp.delete",
      .summary = "takes an upload back", .params = one_params, .replies = { REPLY_NOTHING("it is gone, or was") } },
};
PLATFORM_GROUP(rest_files, "files", "Files on their way to a component", rows);
