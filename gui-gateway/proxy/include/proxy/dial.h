/* A plain TCP connection to a core, for a tunnel: name lookup and connect by libcurl, which does neither on our thread's time. */
#ifndef PROXY_DIAL_H
#define PROXY_DIAL_H
#include <proxy/upstream.h>

struct um_dial;
/* CB runs exactly once, later, unless cancelled. UM_OK: FD is the receiver's, non-blocking, close on exec. UM_EUNAVAIL: the core
 * was not reached. */
typedef void um_dial_cb(void *arg, um_err err, int fd);
struct um_dial *um_dial_start(struct um_upstream *up, const struct um_core *core, um_dial_cb *cb, void *arg);      /* NULL: out of memory */
void um_dial_cancel(struct um_dial *d);                                               /* NULL is fine */

#endif
