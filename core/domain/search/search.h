/* Searches over the components of one category of a scope (platform reference 4): what the caller may READ, and what this unit
 * has written is in it. */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H
#include "call.h"

/* Runs REQUEST and makes the reply: {"found", "foundIsAtLeast"?, "results", "after"?, "aggregation"?}. PATH: where REQUEST
 * stands in the call's body, for refusals; "" for the whole. COUNT false, and a request with `after`: without "found". The
 * caller decrefs *REPLY, which is NULL after an error. */
UM_CHECK_RESULT um_err search_run(struct um_call *c, enum um_category category, const json_t *request, const char *path, bool count,
                                  json_t **reply);

#endif
