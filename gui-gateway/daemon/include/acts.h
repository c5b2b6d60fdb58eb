/* The actuator's endpoints by which an administrator changes something at this gateway, or at all nodes. Each act is a fact at a core
 * before its reply (auth/act.h). Who asks was judged before. */
#ifndef GATEWAY_ACTS_H
#define GATEWAY_ACTS_H
#include <umbel/actuator.h>

struct um_auth;
struct um_cachegen;
struct um_cluster;
struct um_acts {                          /* borrowed */
    const struct um_actuator *actuator;
    struct um_auth *auth;
    struct um_cachegen *cachegen;         /* NULL: no caches are known */
    struct um_cluster *cluster;           /* whose member this is; NULL: not told of */
};

void um_acts_set_logger(const struct um_acts *x, struct um_http_req *rq);        /* POST   …/loggers/{name} */
void um_acts_list_caches(const struct um_acts *x, struct um_http_req *rq);       /* GET    …/caches */
void um_acts_show_cache(const struct um_acts *x, struct um_http_req *rq);        /* GET    …/caches/{name} */
void um_acts_clear_caches(const struct um_acts *x, struct um_http_req *rq);      /* DELETE …/caches, …/caches/{name} */
void um_acts_shut_down(const struct um_acts *x, struct um_http_req *rq);         /* POST   …/shutdown */

#endif
