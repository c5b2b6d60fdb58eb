/* The core's doors: REST under /core/rest, the actuator under /core/actuator, the WebSockets /collab and /y/<room>.
 * One table of routes; every call but the public rows needs a token. */
#ifndef UMBEL_REST_H
#define UMBEL_REST_H
#include <umbel/collab.h>
#include <umbel/http.h>
#include <umbel/store.h>
#include <umbel/throttle.h>
#include <umbel/token.h>
#include <umbel/versions.h>

struct um_actuator_conf;
struct um_api;
struct um_cachegen;
struct um_cluster;
struct um_conf;
struct um_content;
struct um_conf_table;
struct um_domain;
struct um_jobs;
struct um_node;
struct um_redis;
struct um_reserve;
struct um_rest;

struct um_rest_conf {
    const char *admin_user, *admin_password; /* system.admin.* */
    bool free_documents;                     /* collab.free-documents */
};
extern const struct um_conf_table um_rest_conf_table;

struct um_rest_deps {                        /* all outlive the um_rest */
    const struct um_conf *conf;              /* internal.realm.users[N].* */
    const struct um_rest_conf *own;
    struct um_store *store;
    struct um_versions *versions;
    struct um_content *content;
    const struct um_collab_conf *collab_conf;
    const struct um_ws_conf *ws;
    const struct um_throttle_conf *throttle;
    const struct um_actuator_conf *actuator;
    struct um_token_ring ring;
    int64_t token_expiration_s;
    bool no_calls, no_sockets;               /* core.roles without rest, without collab: 503 */
    struct um_redis *redis;                  /* NULL: redis.enabled=false */
    struct um_cluster *cluster;
    struct um_cachegen *cachegen;
    struct um_reserve *reserve;
    struct um_jobs *jobs;                    /* NULL: none */
    struct um_domain *domain;
    struct um_node *node;
    struct um_loop *loop;                    /* where what the process has once is done */
};
/* The rows of all calls and their description (umbel/api.h). */
um_err um_rest_api(struct um_api **out, char why[256]) UM_CHECK_RESULT;
/* The same of R; borrowed. */
const struct um_api *um_rest_rows(const struct um_rest *r);
/* WHY gets a sentence for the operator when a user's row is of no use (UM_EINVAL). Hashes plain passwords: slow. */
um_err um_rest_new(struct um_rest **out, const struct um_rest_deps *deps, char why[256]);
/* Servers and reactors have stopped: ends the workers. What they had to say waits in the loops, and needs R. */
void um_rest_stop(struct um_rest *r);
void um_rest_free(struct um_rest *r);        /* stopped, and the loops have nothing more to say */
/* The engine asks the rest for tokens, the rest hands the engine its sockets: joined after both exist, before serving. */
void um_rest_set_collab(struct um_rest *r, struct um_collab *collab);
struct um_collab_hooks um_rest_collab_hooks(struct um_rest *r);
void um_rest_set_draining(struct um_rest *r, bool draining);     /* readiness says no from now on, or yes again; any thread */

/* Loop I still turns: said every so often by each that serves, from 0 on. One that was heard of and has been silent for UM_REST_STUCK_MS is what
 * liveness calls DOWN. */
enum { UM_REST_LOOPS_MAX = 256, UM_REST_BEAT_MS = 2000, UM_REST_STUCK_MS = 20000 };
void um_rest_beat(struct um_rest *r, unsigned i);
bool um_rest_is_alive(const struct um_rest *r);        /* every loop that was heard of turns; any thread */

const struct um_http_route *um_rest_routes(const struct um_rest *r, size_t *n);
extern const struct um_http_hooks um_rest_hooks;     /* their ctx is the um_rest */
/* Of the actuator's own port (management.server.port), with the same routes: its rows alone are there. While there is one, the other port
 * serves what balancers and gateways ask of the actuator, and no more. */
extern const struct um_http_hooks um_rest_management_hooks;

#endif
