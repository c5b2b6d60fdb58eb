/* The core's HTTP servers, one per reactor, all on one port. */
#ifndef CORE_SERVER_H
#define CORE_SERVER_H
#include <stdatomic.h>
#include <umbel/http.h>
#include <umbel/loop.h>
#include <umbel/rest.h>

struct servers;

/* Before the reactors run. The first server picks the port when it is 0. UM_EEXIST: the port is taken. */
um_err servers_open(struct servers **out, struct um_reactors *reactors, struct um_http_conf *cf, struct um_rest *rest);
/* The actuator's own port, on the first reactor; before the reactors start. It serves to the end. */
um_err servers_open_management(struct servers *s, const struct um_http_conf *cf, struct um_rest *rest);
int servers_port(const struct servers *s);
void servers_quiesce(struct servers *s);      /* stop accepting; any thread */
/* Begins no further request; the flag turns true when none is left. Once; any thread. */
_Atomic bool *servers_drain(struct servers *s);
void servers_free(struct servers *s);         /* the reactors have stopped */

#endif
