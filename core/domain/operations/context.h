/* What a handler is told of an operation: the contract of 5.3 of the platform reference. */
#ifndef OPERATIONS_CONTEXT_H
#define OPERATIONS_CONTEXT_H
#include "operations/operation.h"
#include "operations/registration.h"

/* ID: the operation's, a UUID. The caller decrefs. */
json_t *operation_context(const struct um_call *c, const struct operation *o, const struct registration *r, const char *id,
                          const json_t *image);
const char *operation_action_word(enum um_action a);

#endif
