/* What is done with a component, and the handlers that are registered for it. Called where components are written, so that no
 * way of writing one goes past them. */
#ifndef OPERATIONS_OPERATION_H
#define OPERATIONS_OPERATION_H
#include "component.h"

struct operation {
    enum um_action action;
    enum um_category category;
    const json_t *before;                    /* the body as it was; NULL: it is new */
    size_t made;                             /* what rules make beside it: chain.h; 0 at first */
};

/* Before IMAGE, the body as it is to be (of DELETE: as it is), is written: synchronous handlers may change or refuse it. IMAGE may
 * be another one afterwards. When a handler must be asked first the unit ends with an error, and runs again (chain.h). */
UM_CHECK_RESULT um_err operation_before(struct um_call *c, struct operation *o, json_t **image);
/* It is written: what rules make is made, asynchronous handlers get their jobs, synchronous ones are noted for after the commit. */
UM_CHECK_RESULT um_err operation_after(struct um_call *c, const struct operation *o, const json_t *image);

#endif
