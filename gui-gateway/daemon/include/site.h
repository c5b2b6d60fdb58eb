/* The gateway's routes, on one reactor: which path is answered by whom, and what every answer carries. */
#ifndef GATEWAY_SITE_H
#define GATEWAY_SITE_H
#include <actuator.h>
#include <assets.h>
#include <auth/auth.h>
#include <umbel/conf.h>

struct um_site_conf {
    const char *csp;                      /* Content-Security-Policy of the web app */
    const char *referrer_policy, *permissions_policy;
    const char *opener_policy, *resource_policy;
    int64_t hsts_max_age_s;
    int64_t max_upload_bytes;             /* body of a request that goes on to a core */
};
extern const struct um_conf_table um_site_conf_table;

struct um_cachegen;
struct um_sio;
struct um_site_env {                      /* borrowed; all outlive the site */
    const struct um_site_conf *conf;
    const struct um_assets *assets;       /* NULL: no web app here */
    const struct um_vitals *vitals;
    const struct um_trusted *trusted;
    struct um_auth *auth;
    struct um_cores *cores;               /* for health; NULL: none to tell of */
    const struct um_actuator_conf *actuator;     /* NULL: see actuator.h, likewise the next one */
    const struct um_conf *settings;
    struct um_cachegen *cachegen;         /* whose caches are told; NULL: none */
    struct um_sio *sio;                   /* NULL: no Socket.IO here */
    const struct um_sio_conf *sio_conf;
    const struct um_http_conf *management;       /* the actuator's own port, served by this site; NULL: not by this one */
};
struct um_site;
um_err um_site_new(struct um_site **out, struct um_loop *l, const struct um_http_conf *http, const struct um_site_env *env) UM_CHECK_RESULT;
struct um_http *um_site_http(struct um_site *s);
void um_site_free(struct um_site *s);     /* ends what is left of its requests; NULL is fine */

#endif
