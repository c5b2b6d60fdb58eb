/* Which headers travel. A request is written anew for the next hop: what belongs to one connection stays behind, and so
 * does what only a proxy of ours may say (reliability.md 7.2, SEC-09). Pure functions. */
#ifndef PROXY_HOP_H
#define PROXY_HOP_H
#include <umbel/base.h>

/* Does the header NAME of a request go on to the core? CONNECTION: value of its Connection header or NULL.
 * OWN_CREDENTIALS: the client speaks for itself, so its token and Authorization go on. */
bool um_hop_request_keeps(const char *name, const char *connection, bool own_credentials);
/* Does the header NAME of the core's answer go on to the client? */
bool um_hop_response_keeps(const char *name, const char *connection);
/* GET, HEAD, OPTIONS, PUT, DELETE: doing it twice is doing it once. */
bool um_hop_is_idempotent(const char *method);

#endif
