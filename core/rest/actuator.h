/* The core's actuator, and who may ask it with a user's name and password. */
#ifndef REST_ACTUATOR_H
#define REST_ACTUATOR_H
#include <umbel/actuator.h>
#include "internal.h"

struct um_actuator *actuator_new(struct um_rest *r);

/* basic.c: Authorization: Basic, at the actuator's rows. True: the request waits for the password to be checked; it goes on, or was replied. */
bool basic_begin(struct um_http_req *rq, const struct um_http_route *route, struct um_rest *r);

#endif
