/* Asks every core every few seconds whether it serves, so that one that stands still or has lost its database is left aside before
 * a user's request finds out, and comes back without one having to try. On the loop of its upstream. */
#ifndef PROXY_CHECKS_H
#define PROXY_CHECKS_H
#include <proxy/upstream.h>

struct um_checks;

/* NULL when core.check-interval is 0. */
struct um_checks *um_checks_new(struct um_upstream *up);
void um_checks_free(struct um_checks *cs);    /* before its upstream; NULL is fine */

#endif
