/* The way from the store of sessions to the database: a core writes and reads revocations for us, and releases what a session
 * held. One per process, with a call of its own on each reactor's upstream. */
#ifndef AUTH_CORE_DOOR_H
#define AUTH_CORE_DOOR_H
#include <proxy/upstream.h>
#include <umbel/session.h>
#include <umbel/token.h>

struct um_core_door;
struct um_core_door *um_core_door_new(const struct um_token_ring *ring);
void um_core_door_free(struct um_core_door *d);           /* every upstream was closed; NULL is fine */
struct um_session_hooks um_core_door_hooks(struct um_core_door *d);

/* Before threads start. */
void um_core_door_open(struct um_core_door *d, struct um_upstream *up);
/* On the loop of UP: what is under way and whatever comes later is answered with UM_ECLOSED. */
void um_core_door_close(struct um_core_door *d, struct um_upstream *up);

#endif
