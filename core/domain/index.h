/* What components are searched by: rows beside them, written in the same unit. */
#ifndef DOMAIN_INDEX_H
#define DOMAIN_INDEX_H
#include "call.h"

/* The component NUM is BODY now, new or over what it was. */
UM_CHECK_RESULT um_err index_put(struct um_call *c, int64_t num, enum um_category category, const json_t *body);
/* It is gone. */
UM_CHECK_RESULT um_err index_remove(struct um_call *c, int64_t num);

#endif
