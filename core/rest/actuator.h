/* The core's actuator, and who may ask it with a user's name and password. */
#ifndef REST_ACTUATOR_H
#define REST_ACTUATOR_H
#include <umbel/actuator.h>
#include "internal.h"

struct um_actuator *actuator_new(struct um_rest *r);          /* NULL: see umbel/actuator.h */

/* mount.c: the rows of all calls, with the actuator's where the settings say, into r->api. WHY as um_api_new. */
um_err mount_api(struct um_rest *r, char why[256]) UM_CHECK_RESULT;
void mount_free(struct mount *m);            /* the api has gone; NULL is fine */
/* Is this route on the port that was asked? False: replied. */
bool mount_is_here(struct um_http_req *rq, const struct um_http_route *route, const struct um_rest *r, bool management);
/* routes.c: all groups, as they are described */
const struct um_api_group *const *rest_groups(size_t *n);

/* basic.c: Authorization: Basic, at the actuator's rows. True: the request waits for the password to be checked; it goes on, or was replied. */
bool basic_begin(struct um_http_req *rq, const struct um_http_route *route, struct um_rest *r);

#endif
