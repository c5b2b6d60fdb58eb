/* Socket.IO in this process: who its clients are. */
#ifndef GATEWAY_REALTIME_H
#define GATEWAY_REALTIME_H
#include "gateway.h"

um_err realtime_new(struct gateway *gw) UM_CHECK_RESULT;          /* gw->sio, unless it is switched off; before the reactors */
um_sio_ask realtime_ask;                                          /* ctx: the reactor's um_auth */

#endif
