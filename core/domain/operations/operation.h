/* What is done, and the handlers that are registered for it. Called where it is done, so that no way of doing it goes past them. */
#ifndef OPERATIONS_OPERATION_H
#define OPERATIONS_OPERATION_H
#include "operations/object.h"

struct operation {
    enum um_action action;
    unsigned object;                         /* what it is done with: object.h */
    const json_t *before;                    /* the body as it was; NULL: it is new */
    const json_t *files;                     /* of GET_CONTENT: those that are wanted */
    const json_t *moved;                     /* of ADD_CONTENT, DELETE_CONTENT: [{change, category, id, classId}], what it is about */
    const json_t *response;                  /* of SEARCH, after it */
    size_t made;                             /* what rules make beside it: chain.h; 0 at first */
};

/* Before IMAGE, the body as it is to be, is written, or the one that is there is read, held or deleted; of SEARCH: the request.
 * Synchronous handlers may change or refuse it: IMAGE may be another one afterwards. When a handler must be asked first the unit
 * ends with an error, and runs again (chain.h). */
UM_CHECK_RESULT um_err operation_before(struct um_call *c, struct operation *o, json_t **image);
/* It is done: what rules make is made, asynchronous handlers get their jobs, synchronous ones are noted for after the commit. A unit
 * that only reads ends with an error when there are jobs, and runs again as one that writes. */
UM_CHECK_RESULT um_err operation_after(struct um_call *c, const struct operation *o, const json_t *image);

/* May operation_after have something to do, whatever filters say? */
bool operation_is_followed(const struct um_call *c, const struct operation *o);

#endif
