/* What the answer of a BEFORE handler does to an image. */
#ifndef OPERATIONS_REPLACE_H
#define OPERATIONS_REPLACE_H
#include "operations/operation.h"
#include "operations/registration.h"

/* REPLY: {"component": {…}}, of a SEARCH {"request": {…}}, or anything else, which changes nothing. Its name, tags, class, ACL, owner, status, assignee and
 * workflow become the image's; the rest is the operation's own. What no component can be is refused: T00000, for it is the
 * handler's fault. */
UM_CHECK_RESULT um_err operation_replace(struct um_call *c, const struct operation *o, const struct registration *r, const json_t *reply,
                                         json_t **image);


/* The operation is refused with CODE, as R or its handler wants. */
um_err operation_refuse(struct um_call *c, const struct registration *r, const char *code, const char *message);

#endif
