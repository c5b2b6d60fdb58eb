/* What a daemon does to be one of several: its way to Redis and its membership, opened and ended alike in every program.
 *
 *   um_node_open       before the modules that use Redis, and before the reactors run
 *   um_node_listens    the port is known; still before the reactors run
 *   um_node_drain      the end begins: nothing new for us
 *   um_node_leave      everything is settled: the others are told that we are gone
 *   um_node_free       the reactors have stopped, and the modules have freed their links */
#ifndef UMBEL_NODE_H
#define UMBEL_NODE_H
#include <jansson.h>
#include <umbel/cluster.h>
#include <umbel/loop.h>
#include <umbel/redis.h>

struct um_conf;
struct um_node_setup {                        /* borrowed for the life of the node */
    const char *role;                         /* "core", "gateway" */
    const char *serves;                       /* of a core, as in struct um_member; NULL: nothing to say */
    const char *listen_address;               /* server.address */
    int64_t port;                             /* server.port; 0: the system chooses, and um_node_listens tells */
    const char *token_key, *token_key_previous;      /* previous: NULL or "" when there is none */
    const char *data_dir;                     /* whose disk is checked; NULL: none */
    const struct um_redis_conf *redis;
    const struct um_cluster_conf *cluster;
    struct um_loop *loop;                     /* where the membership lives: that of the first reactor */
    const struct um_conf *conf;               /* what administrators may read of it; NULL: nothing */
    void (*on_drain)(void *arg, bool draining);   /* on the loop: an administrator wants no new work for it, or again; may be NULL */
    void *arg;
};

/* Topics of umbel/ask.h that every member answers, beside UM_CHECK_TOPIC:
 *   UM_NODE_LOGGERS                              {"loggers": {name: {"configuredLevel","effectiveLevel"}}}
 *   UM_NODE_LOGGER  {"name", "level" or null}    {"before","after"}
 *   UM_NODE_CONFIG  {"contains"?}                {"rows": [{"name","value","origin","group"}]}, secrets masked
 *   UM_NODE_DRAIN   {"draining", "by"}           {"before","after"}
 *   UM_NODE_LOCKS                                {"rows": [{"user","address","failures","waitMs"}]}
 *   UM_NODE_UNLOCK  {"user"}                     {"forgotten"}
 * and gateways alone:
 *   UM_NODE_SESSIONS      {"user"} or {"id"}     {"rows": [{"id","user","scope","created","lastAccessed","maxInactiveS"}]}
 *   UM_NODE_END_SESSIONS  the same               {"ended"}
 * both with "scope" of those alone that were opened in it, and "defaultScope", which is meant by a session that has none; with "account"
 * of those that were begun with this state of a scope's user (umbel/token.h). */
#define UM_NODE_LOGGERS "loggers"
#define UM_NODE_LOGGER  "logger"
#define UM_NODE_CONFIG  "config"
#define UM_NODE_DRAIN   "drain"
#define UM_NODE_LOCKS   "locks"
#define UM_NODE_UNLOCK  "unlock"
#define UM_NODE_SESSIONS     "sessions"
#define UM_NODE_END_SESSIONS "sessions.end"
enum { UM_NODE_LOGGER_MAX = 31 };             /* bytes of a category's name */

struct um_ask;
struct um_node;
/* Connects to nothing yet. UM_EINVAL: PART is what is wrong ("redis", "token.key", "cluster.address"), WHY says how; no secret
 * is named. */
um_err um_node_open(struct um_node **out, const struct um_node_setup *setup, const char **part, char why[256]) UM_CHECK_RESULT;
void um_node_listens(struct um_node *n, int port);
void um_node_drain(struct um_node *n);        /* not on a loop; with Redis it takes 100 ms, in which the others hear of it */
/* On the loop: readiness says no and the others hear of it, but everything goes on; or the other way. False: it is being stopped. */
bool um_node_set_draining(struct um_node *n, bool draining);
void um_node_leave(struct um_node *n);        /* not on a loop; returns when it is said, after a second at the latest */
void um_node_free(struct um_node *n);         /* NULL is fine */

struct um_redis *um_node_redis(const struct um_node *n);         /* NULL: redis.enabled=false */
struct um_cluster *um_node_cluster(const struct um_node *n);
struct um_ask *um_node_ask(const struct um_node *n);             /* questions to all members; see umbel/check.h too */
/* Another process has our id. The node has ended the process as SIGTERM does; its exit status is 2. */
bool um_node_was_refused(const struct um_node *n);

/* For people: REST and health. Any thread; the caller decrefs.
 *   {"mode":"sentinel","master":"host:port","sentinels":[...],"state":"READY","epoch":1,"links":5,"ready":5,...}
 *   [{"id","role","address","version","startedAt","load","draining","self"}, ...], sorted by id
 * REDIS NULL: {"mode":"none"}. */
json_t *um_node_redis_json(const struct um_redis *redis, struct um_cluster *cluster);
json_t *um_node_members_json(struct um_cluster *cluster);
json_t *um_node_loggers_json(void);           /* {name: {"configuredLevel","effectiveLevel"}}, ROOT among them */
bool um_node_set_logger(const char *name, const char *level);    /* LEVEL NULL: takes its own away. False: no such level, or a name too long */
/* Do all links work? True without Redis. */
bool um_node_redis_is_up(const struct um_redis *redis);

#endif
