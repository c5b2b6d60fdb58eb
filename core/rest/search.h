/* Handlers of searches that are not one call: files that stream out, and texts that come in. */
#ifndef REST_SEARCH_H
#define REST_SEARCH_H
#include <umbel/http.h>

um_http_handler search_csv_get, search_job_get, content_index_post;

#endif
