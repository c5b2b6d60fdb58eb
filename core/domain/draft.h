/* A component on its way into the database: what was asked for, checked and completed to what is kept. */
#ifndef DOMAIN_DRAFT_H
#define DOMAIN_DRAFT_H
#include "component.h"

struct draft {
    enum um_category category;
    const char *id;
    char path[32];                           /* of ASKED in the call's body: "/0" */
    const json_t *asked;
    const json_t *class;                     /* of what it is to be */
    const struct component *before;          /* NULL: it is new */
    json_t *body;                            /* what will be kept, so far; ours */
};

/* Completes and checks D. BODY is ready to be kept then. The caller frees D's body, also after an error. */
UM_CHECK_RESULT um_err draft_make(struct um_call *c, struct draft *d);
UM_CHECK_RESULT um_err draft_fail(struct um_call *c, const struct draft *d, enum um_code code, const char *member,
                                  const char *why);

#endif
