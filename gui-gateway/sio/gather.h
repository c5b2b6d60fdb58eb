/* Answers of several, gathered for one who waits on a loop. Answers come from any thread. */
#ifndef SIO_GATHER_H
#define SIO_GATHER_H
#include <sio/app.h>

/* PARTS: how often um_sio_gather_done will be said. CB runs once, on LOOP, never before the last of them. */
struct um_sio_gather *sio_gather_new(struct um_sio *s, struct um_loop *loop, unsigned parts, um_sio_gathered *cb, void *arg);

#endif
