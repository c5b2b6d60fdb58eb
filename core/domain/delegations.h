/* Delegations: while one is in force, its delegate may take over and answer the tasks that are assigned to its delegator, as far
 * as the delegator's name opens them. He has no other right by it, and nobody has one by his: there are no chains. */
#ifndef DOMAIN_DELEGATIONS_H
#define DOMAIN_DELEGATIONS_H
#include "component.h"

/* May the caller do P with the task M because its assignee has delegated to him? M's own ACL has said no. */
UM_CHECK_RESULT um_err delegation_may(struct um_call *c, const struct component *m, const struct acl_about *about, enum um_permission p,
                                      bool *may);
/* For whom the caller acts when he takes over or answers the task M: its assignee, or whom he has taken it over from. NULL: for
 * nobody else. Borrowed from the call. */
UM_CHECK_RESULT um_err delegation_for(struct um_call *c, const struct component *m, const char **delegator);

#endif
