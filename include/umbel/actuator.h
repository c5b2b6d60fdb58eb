/* The actuator: what balancers, Prometheus and operators ask a process, in Spring Boot's shapes. Either daemon has one (or one for
 * each reactor), with a table of its own components; everything here is read-only once made and runs on the loop of the request.
 * Who may ask is judged before: the rows of the daemons' routes say it. */
#ifndef UMBEL_ACTUATOR_H
#define UMBEL_ACTUATOR_H
#include <jansson.h>
#include <umbel/conf.h>
#include <umbel/http.h>

enum um_health { UM_HEALTH_DOWN, UM_HEALTH_OUT_OF_SERVICE, UM_HEALTH_UP, UM_HEALTH_UNKNOWN, UM_HEALTH_N };   /* worst first; of the whole the worst counts */
const char *um_health_text(enum um_health h);

struct um_actuator_component {                /* a row; sorted by name */
    const char *name;
    const char *group;                        /* "liveness", "readiness": the probe that consists of it; NULL: none */
    enum um_health (*judge)(void *arg);
    bool (*is_there)(void *arg);              /* NULL: always */
    json_t *(*details)(void *arg);            /* NULL: none */
};

enum um_actuator_access { UM_ACTUATOR_NO_ACCESS, UM_ACTUATOR_READ_ONLY, UM_ACTUATOR_UNRESTRICTED };
enum um_actuator_show { UM_ACTUATOR_NEVER, UM_ACTUATOR_WHEN_AUTHORIZED, UM_ACTUATOR_ALWAYS };
struct um_actuator_conf {
    const char *base_path;                    /* below the context; NULL: "/actuator" */
    struct um_conf_list include, exclude;     /* endpoints; "*": all */
    int access, max_access;                   /* enum um_actuator_access; ACCESS -1: not set */
    int show_details, show_components;        /* enum um_actuator_show; COMPONENTS -1: not set */
    bool add_probes;                          /* /livez, /readyz */
    int show_values;                          /* of env and configprops */
    const char *address;                      /* management.server.*: "" is server.address; port 0: none of its own */
    int64_t port;
    struct um_conf_list roles;                /* of who is authorized for details of health; none: ADMIN */
    const char *user, *password;              /* an administrator of the actuator alone; "": none */
};
extern const struct um_conf_table um_actuator_conf_table;        /* management.* */

struct um_actuator_setup {                    /* all borrowed */
    const char *context;                      /* "/core": the base path is below it */
    const char *app;                          /* "Umbel Core" */
    const char *const *endpoints;             /* that this process has; sorted, ends with NULL */
    const struct um_actuator_component *components;
    size_t n_components;
    const struct um_actuator_conf *conf;
    const struct um_conf *settings;           /* for env and configprops; NULL: nothing to tell */
    bool open_components;                     /* show-components when it is not set: everybody sees their names and states */
    bool (*has_role)(void *arg, const struct um_http_req *rq, const char *role);     /* does who asks have it? SYSTEM_ADMIN has all */
    void *arg;                                /* of this and the components */
    int64_t started_wall_ms;
};
struct um_actuator;
struct um_actuator *um_actuator_new(const struct um_actuator_setup *setup);      /* NULL: a value of the settings is wrong, which is logged */
void um_actuator_free(struct um_actuator *a);                    /* NULL is fine */

const char *um_actuator_base(const struct um_actuator *a);       /* "/core/actuator" */
bool um_actuator_has_path(const struct um_actuator *a, const char *path);        /* the base, or below it */
/* Paths of groups of health outside the base ("/livez"): begin with *POS 0. Each is open and leads to um_actuator_probe. */
bool um_actuator_each_probe(const struct um_actuator *a, size_t *pos, const char **path, bool *on_management);

/* Is endpoint ID (a literal) to be seen from outside, for this method? False: it was replied: 404, 405, or what is kept of it. Every handler
 * below asks by itself. */
bool um_actuator_exposes(const struct um_actuator *a, struct um_http_req *rq, const char *id);

void um_actuator_index(const struct um_actuator *a, struct um_http_req *rq);             /* GET base */
void um_actuator_health(const struct um_actuator *a, struct um_http_req *rq, const char *path);      /* …/health and /health/{PATH}: a component, a group, one of it; NULL, "": all */
void um_actuator_probe(const struct um_actuator *a, struct um_http_req *rq, const char *path);
void um_actuator_status(const struct um_actuator *a, struct um_http_req *rq);            /* …/status: the groups' worst, for a balancer */
void um_actuator_info(const struct um_actuator *a, struct um_http_req *rq);
void um_actuator_metrics(const struct um_actuator *a, struct um_http_req *rq);           /* names */
void um_actuator_metric(const struct um_actuator *a, struct um_http_req *rq, const char *name);      /* one, by ?tag=k:v */
void um_actuator_prometheus(const struct um_actuator *a, struct um_http_req *rq);        /* ?includedNames=a,b; OpenMetrics by Accept */
void um_actuator_loggers(const struct um_actuator *a, struct um_http_req *rq);
void um_actuator_logger(const struct um_actuator *a, struct um_http_req *rq, const char *name);
/* {"configuredLevel": "DEBUG" or null}. True: it is set, BEFORE and AFTER are texts of levels, and the caller replies 204 when he has
 * kept a fact of it; false: replied. */
bool um_actuator_set_logger(const struct um_actuator *a, struct um_http_req *rq, const char *name, const char **before, const char **after);
void um_actuator_env(const struct um_actuator *a, struct um_http_req *rq);
void um_actuator_env_one(const struct um_actuator *a, struct um_http_req *rq, const char *name);
void um_actuator_exchanges(const struct um_actuator *a, struct um_http_req *rq);         /* httpexchanges; kept since the start where it is exposed */
void um_actuator_threads(const struct um_actuator *a, struct um_http_req *rq);           /* threaddump; as text for who accepts only that */
void um_actuator_logfile(const struct um_actuator *a, struct um_http_req *rq);           /* Range; 404 without logging.file.name */
void um_actuator_shut_down(const struct um_actuator *a, struct um_http_req *rq);         /* replies, then SIGTERM. The caller has asked um_actuator_exposes */
/* caches. False: not exposed, or another cacheManager is asked for: replied. */
bool um_actuator_is_manager(const struct um_actuator *a, struct um_http_req *rq);
void um_actuator_caches(const struct um_actuator *a, struct um_http_req *rq, const json_t *names);
void um_actuator_cache(const struct um_actuator *a, struct um_http_req *rq, const char *name, uint64_t version, uint64_t applied);
void um_actuator_configprops(const struct um_actuator *a, struct um_http_req *rq);

/* ---- who asks: Authorization: Basic ---- */

enum { UM_ACTUATOR_USER_MAX = 128, UM_ACTUATOR_PASSWORD_MAX = 1024 };
struct um_actuator_credentials { char user[UM_ACTUATOR_USER_MAX + 1], password[UM_ACTUATOR_PASSWORD_MAX + 1]; };  /* wiped by who has it */
enum um_actuator_basic { UM_ACTUATOR_NO_BASIC, UM_ACTUATOR_BAD_BASIC, UM_ACTUATOR_BASIC };   /* none, not understood, in OUT */
enum um_actuator_basic um_actuator_basic(const struct um_http_req *rq, struct um_actuator_credentials *out);
/* Is it the user of spring.security.user.*? CF NULL: there is none. */
bool um_actuator_is_own_user(const struct um_actuator_conf *cf, const struct um_actuator_credentials *c);
void um_actuator_refuse_basic(struct um_http_req *rq);           /* 401 */

/* With Spring Boot's media type, or plain JSON for who asks for that. A: may keep it; NULL: it is not kept. */
void um_actuator_reply(const struct um_actuator *a, struct um_http_req *rq, unsigned status, json_t *body_adopt);

#endif
