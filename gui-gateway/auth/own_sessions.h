/* How a session is shown to its user. */
#ifndef AUTH_OWN_SESSIONS_H
#define AUTH_OWN_SESSIONS_H
#include <jansson.h>
#include <umbel/session.h>

/* {"user","displayName","profiles","scope","csrf","passwordChange"} */
json_t *auth_session_json(const struct um_auth *a, const struct um_session *s);

#endif
