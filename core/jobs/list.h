/* Rows as operators see them, and what a query means. */
#ifndef JOBS_LIST_H
#define JOBS_LIST_H
#include "rows.h"

/* The columns that list_row reads. */
#define LIST_COLUMNS "id, scope, status, registration, handler, action, phase, category, object, user_id, request, created_ms, due_ms," \
    " started_ms, worker, attempts, error_code, error_message, error_ms, depth"
enum { LIST_N = 20 };
json_t *list_row(const struct um_sql_row *row, int64_t max_attempts);
/* Adds " WHERE ..." for QUERY and ID (each may be NULL) beside STATUS, a condition in words of its own, or "" for none.
 * UM_EINVAL: a status that is none. */
UM_CHECK_RESULT um_err list_where(struct um_sql_parts *p, const struct um_jobs_query *query, const char *id, const char *status);

#endif
