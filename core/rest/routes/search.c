/* Rows: searches, their exports as CSV, and what full text knows of files. */
#include "search.h"
#include "routes.h"

enum { SEARCH_BODY_MAX = 1 << 20, SEARCH_PARAM_MAX = 4096 };

#define PARAM_JOB { .name = "jobId", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = 64, .required = true, .text = "as the export was given" }
#define PARAM_LOCALE { .name = "locale", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 2, .max = 16, \
                       .text = "language of the titles: fr, fr_FR; without one ids" }
static const struct um_api_param csv_params[] = { PARAM_LOCALE, { 0 } };
static const struct um_api_param csv_get_params[] = {
    { .name = "request", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 2, .max = SEARCH_PARAM_MAX, .initial = "{}",
      .text = "the search as JSON, as POST has it for a body" },
    PARAM_LOCALE, { 0 },
};
static const struct um_api_param job_params[] = { PARAM_JOB, { 0 } };
static const struct um_api_param file_params[] = {
    { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "the document's id" },
    { .name = "fileId", .in = UM_API_PATH, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, .text = "the file's id" },
    { 0 },
};

#define SEARCHES(word, category_, what) \
    { .method = "POST", .path = "/core/rest/" word "/search", .handler = platform_call, .call = CALL_OF(um_search, "category", category_), \
      .id = word ".search", .summary = "searches " what " that the caller may READ", .max_body = SEARCH_BODY_MAX, .body = "Search", \
      .replies = { REPLY("SearchResults", "one page") } }, \
    { .method = "POST", .path = "/core/rest/" word "/search/csv", .handler = platform_call, .call = CALL_OF(um_search_csv, "category", category_), \
      .id = word ".search.csv", .summary = "keeps a search of " what " as an export, for a day", .max_body = SEARCH_BODY_MAX, .body = "Search", \
      .params = csv_params, .replies = { REPLY("SearchJobId", "the export's id") } }, \
    { .method = "GET", .path = "/core/rest/" word "/search/csv", .handler = search_csv_get, .call = CALL_OF(um_search_csv, "category", category_), \
      .id = word ".search.csv.get", .summary = "the same as POST, for links", .params = csv_get_params, \
      .replies = { REPLY("SearchJobId", "the export's id") } }, \
    { .method = "GET", .path = "/core/rest/" word "/search/job/status", .handler = platform_call, .call = CALL_OF(um_search_job, "category", category_), \
      .id = word ".search.job.status", .summary = "an export of the caller", .params = job_params, .replies = { REPLY("SearchJob", "how it is") } }, \
    { .method = "GET", .path = "/core/rest/" word "/search/job", .handler = search_job_get, .call = CALL_OF(um_search_job_page, "category", category_), \
      .id = word ".search.job", .summary = "the file of an export, made while it is read", .params = job_params, \
      .replies = { { 200, NULL, "text/csv", "a line of titles, a line per result" } } }, \
    { .method = "GET", .path = "/core/rest/" word "/search/job/error", .handler = platform_call, \
      .call = CALL_OF(um_search_job_error, "category", category_), .id = word ".search.job.error", \
      .summary = "what broke the last reading of an export off", .params = job_params, .replies = { REPLY("SearchJobError", "empty: nothing did") } }

static const struct um_api_row rows[] = {
    SEARCHES("documents", "DOCUMENT", "documents"),
    SEARCHES("folders", "FOLDER", "folders"),
    SEARCHES("tasks", "TASK", "tasks"),
    SEARCHES("virtualFolder", "VIRTUAL_FOLDER", "virtual folders"),
    { .method = "POST", .path = "/core/rest/documents/{id}/files/{fileId}/content/index", .handler = content_index_post, .id = "documents.files.index",
      .summary = "says what a file's text is, so that its words are found; needs UPDATE_CONTENT", .max_body = UM_DOMAIN_BODY_MAX,
      .body_media = "text/plain", .params = file_params, .replies = { REPLY("ContentIndexed", "whether all words had room") } },
    { .method = "DELETE", .path = "/core/rest/documents/{id}/files/{fileId}/content/index", .handler = platform_call,
      .call = CALL(um_content_unindex), .id = "documents.files.unindex", .summary = "forgets a file's words; needs UPDATE_CONTENT",
      .params = file_params, .replies = { REPLY_NOTHING("they are not found any more") } },
};
PLATFORM_GROUP(rest_search, "search", "Searches, exports, and full text of files", rows);
