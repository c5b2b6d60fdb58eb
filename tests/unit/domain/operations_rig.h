/* The platform with handlers: what one says stands in its own name, "test:" and a verb. On memory, or on UMBEL_STORE_URL when it is
 * set. */
#ifndef OPERATIONS_RIG_H
#define OPERATIONS_RIG_H
#include "content_rig.h"
#include <umbel/domain_handlers.h>
#include <umbel/util.h>

struct tests {
    struct content_rig rig;
    char heard[4096];                         /* "registration/ACTION/PHASE " each */
    json_t *told;                             /* what the newest of them was told */
    int jobs;
    bool gone;                                /* the handlers are not there */
};

int open_rig(void **state);                   /* of a cmocka test: its state is a struct tests. The class Doc has the tag T */
int close_rig(void **state);

/* A registration as the body of a write, for documents; FLAGS: more of it. Until the next one. */
const char *registration(const char *id, const char *handler, const char *phase, const char *action, int order, const char *flags);
const char *registration_for(const char *type, const char *id, const char *handler, const char *phase, const char *action, int order,
                             const char *flags);
void put(struct tests *t, const char *id, const char *handler, const char *phase, const char *action, int order, const char *flags);
int64_t count_jobs(struct tests *t);

#define DOCS "{'category':'DOCUMENT'}"
#define D1 "{'category':'DOCUMENT','ids':['d1']}"
#define STOP ",{'name':'StopOnException','value':['true']}"
#define ASYNC ",{'name':'Asynchronous','value':['true']}"
#define DOC(id, name) "[{'id':'" id "','name':'" name "','data':{'classId':'Doc'}}]"

#endif
