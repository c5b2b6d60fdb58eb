/* Configuration objects: classes, tags, ACLs, workflows. They are rows of one table, and the model of their scope is made of
 * them. What distinguishes the kinds is what may be one: checks.c. */
#ifndef DOMAIN_OBJECTS_H
#define DOMAIN_OBJECTS_H
#include "call.h"

/* Puts one object into the scope of the call, new or over what is there, and marks model and cache as changed. BEFORE: what is
 * there, NULL: nothing. The stored form is added to C's model by um_model_refresh only. KEPT (may be NULL): it, the caller
 * decrefs. */
UM_CHECK_RESULT um_err object_put(struct um_call *c, enum um_kind k, const char *id, const json_t *asked, const json_t *before,
                                  const char *path, json_t **kept);
UM_CHECK_RESULT um_err object_remove(struct um_call *c, enum um_kind k, const char *id);
/* The model as the unit has made it so far: for who changes several kinds that refer to one another. */
UM_CHECK_RESULT um_err um_model_refresh(struct um_call *c);

/* groups.c: makes, replaces or (ASKED NULL) removes a group, checks roles, writes the fact; the model is the new one afterwards. */
UM_CHECK_RESULT um_err group_change(struct um_call *c, const char *id, const json_t *asked, const char *path);

/* checks.c: may it be one? PATH: where it stands in the body ("/0"). */
UM_CHECK_RESULT um_err object_check(struct um_call *c, enum um_kind k, const json_t *asked, const char *path);
/* Is nothing made of it? UM_U00409 when something is. */
UM_CHECK_RESULT um_err object_check_unused(struct um_call *c, enum um_kind k, const char *id);

#endif
