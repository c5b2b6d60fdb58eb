/* Retention: a class says how long its components stay, RetentionDuration {value, unit: DAY, WEEK, MONTH or YEAR}, counted from
 * the creationDate of each by the calendar of UTC. Until then nobody deletes one but an administrator who says `force`, and none
 * becomes one of a class that would let it go sooner. What the class says now counts, also for those that are older. */
#ifndef DOMAIN_RETENTION_H
#define DOMAIN_RETENTION_H
#include "draft.h"

/* U00400: CLASS, which is being written, says something else. */
UM_CHECK_RESULT um_err retention_check_class(struct um_call *c, const json_t *class, const char *path);
/* M may be deleted: U00411 when it may not. *FORCED: it was retained, and an administrator has said force. */
UM_CHECK_RESULT um_err retention_may_delete(struct um_call *c, const struct component *m, bool *forced);
/* Removes M all the same; its history says so, whatever else it has. */
UM_CHECK_RESULT um_err retention_override(struct um_call *c, struct component *m);
/* D's component may leave its class: U00411 when it would be free sooner. */
UM_CHECK_RESULT um_err retention_may_change(struct um_call *c, const struct draft *d);

#endif
