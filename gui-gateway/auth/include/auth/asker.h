/* Who asks the gateway's actuator: by an administrator's token, by user and password (Basic), or by the cookie of his session. */
#ifndef AUTH_ASKER_H
#define AUTH_ASKER_H
#include <auth/auth.h>
#include <jansson.h>

struct um_asker {
    char *user, *scope;                   /* who names no scope is of that of logins that name none */
    char address[46];                     /* the client's */
    json_t *profiles;                     /* of strings */
};

/* Before a row of the actuator: may who asks, by the row's role (NULL: everybody)? True: go on. False: it was replied, or it waits and
 * um_http_continue follows. What changes something by a cookie needs the session's CSRF token. */
bool um_auth_judge(struct um_auth *a, struct um_http_req *rq, const struct um_http_route *route);
/* Behind it, at rows of the actuator alone. NULL: nobody who said who he is. */
const struct um_asker *um_auth_asker(const struct um_http_req *rq);
/* Is what belongs to SCOPE his to see? Of SYSTEM_ADMIN everything is. */
bool um_asker_sees(const struct um_asker *who, const char *scope);
bool um_asker_has(const struct um_asker *who, const char *role);         /* WHO may be NULL; SYSTEM_ADMIN has all */

#endif
