/* What a handler is told of an operation: the contract of 5.3 of the platform reference. */
#ifndef OPERATIONS_CONTEXT_H
#define OPERATIONS_CONTEXT_H
#include "operations/operation.h"
#include "operations/registration.h"

/* ID: the operation's, a UUID. The caller decrefs. */
json_t *operation_context(const struct um_call *c, const struct operation *o, const struct registration *r, const char *id,
                          const json_t *image);
/* What an image says, without what each run makes anew: dates, versions, ids of files. The caller decrefs. */
json_t *operation_essence(const struct operation *o, const json_t *image);

#endif
