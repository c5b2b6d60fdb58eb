/* The rows of scopes, for who writes one beside other things. */
#ifndef DOMAIN_SCOPES_H
#define DOMAIN_SCOPES_H
#include "call.h"

bool um_scope_is_id(const char *id);            /* NULL: no */
/* *OUT: the caller decrefs; NULL: there is none. */
UM_CHECK_RESULT um_err um_scope_find(struct um_call *c, const char *id, json_t **out);
/* New, or over what is there (BEFORE; NULL: nothing). Marks model and cache as changed. *KEPT, also on failure: the caller decrefs. */
UM_CHECK_RESULT um_err um_scope_put(struct um_call *c, const char *id, const json_t *asked, const json_t *before, json_t **kept);

#endif
