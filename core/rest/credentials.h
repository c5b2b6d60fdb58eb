/* What logins and changes of passwords share. */
#ifndef REST_CREDENTIALS_H
#define REST_CREDENTIALS_H
#include <umbel/domain.h>
#include "internal.h"

#define CREDENTIALS_EXPIRED "U00440"         /* right, but another password is wanted first: 403 */

/* um_users_credentials of USER in SCOPE, which no request is judged for. */
void credentials_ask(struct um_rest *r, struct um_loop *l, const char *scope, const char *user, um_domain_cb *cb, um_domain_drop *when_closed,
                     void *arg);
/* The client's address: what a gateway swears to, else the TCP peer. */
void credentials_address(struct um_rest *r, struct um_http_req *rq, char out[65]);
/* Counts an attempt. True: too many; replied. */
bool credentials_wait(struct um_rest *r, struct um_http_req *rq, const char *user, const char *address);

#endif
