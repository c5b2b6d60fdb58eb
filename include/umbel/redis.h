/* Redis: the one client of the platform, for reactors. docs/states/redis.md draws the link's states,
 * docs/admin/redis.md is the operators' side.
 *
 *   struct um_redis       where Redis is and how to speak to it; one per process, read-only once open: any thread
 *   struct um_redis_link  a command connection, a subscribing one and the sentinels' watch; one per reactor and use,
 *                         touched on its loop only
 *
 * What a link promises
 *  1. Every command is answered exactly once, on the loop, never before um_redis_command returned and never after
 *     um_redis_link_free did. It waits at most `redis.queue.max-age` for a link and `spring.data.redis.timeout` for the answer.
 *     UM_REDIS_NO_ANSWER is the exception.
 *  2. UM_OK: the server that was the master, as far as anybody had told us, did it. It is in that server's memory and may
 *     be gone after a failover (replication is asynchronous). Nothing that must not be lost is kept in Redis only.
 *  3. UM_EUNAVAIL: it was not done. UM_ETIMEOUT: it was sent and no answer came: it may have been done, or be done yet.
 *  4. A command is sent a second time only when it was refused unexecuted (READONLY, LOADING, MASTERDOWN, NOREPLICAS,
 *     NOSCRIPT) or when its caller said UM_REDIS_IDEMPOTENT; a lost connection costs one such repetition at most.
 *  5. Commands of one link are sent in the order of the calls. One that is sent again comes after those that were answered.
 *  6. After a sentinel has announced a new master (+switch-master reached us) no answer of the old one is passed on.
 *     Before that, an old master that is cut off from its sentinels may still say OK (bounded by ROLE once a second when it
 *     knows of its demotion, and by the server's own min-replicas-max-lag): guard such writes by a number of the database.
 *     After a pause of this process of more than 2 s no answer is passed on before the master was looked for anew.
 *  7. The epoch rises before the first answer of another server, of the same one restarted, or of one whose history has
 *     changed: what was acknowledged under a lower number may be gone. It does not rise for FLUSHALL.
 *  8. Subscriptions are restored before the link is ready, and each is told that it may have missed something. */
#ifndef UMBEL_REDIS_H
#define UMBEL_REDIS_H
#include <umbel/bytes.h>
#include <umbel/conf.h>
#include <umbel/loop.h>

/* --- configuration ------------------------------------------------------------------------------------- */

struct um_redis_conf {
    bool enabled;
    const char *ns;                           /* first part of every key and channel */
    const char *url, *host;
    int64_t port, database;
    const char *username, *password, *client_name;
    int64_t timeout_ms, connect_timeout_ms;
    bool ssl;
    const char *ca_file, *cert_file, *key_file, *server_name, *bundle;
    const char *sentinel_master, *sentinel_username, *sentinel_password;
    struct um_conf_list sentinel_nodes, cluster_nodes;
    int64_t queue_max, queue_bytes, queue_max_age_ms;
};
extern const struct um_conf_table um_redis_conf_table;

struct um_redis;
/* Checks CF (borrowed for the life of the result), reads certificates, starts the threads that look names up. Does not connect.
 * UM_EINVAL: WHY says what is wrong; it names no secret. */
um_err um_redis_open(struct um_redis **out, const struct um_redis_conf *cf, char why[256]) UM_CHECK_RESULT;
void um_redis_close(struct um_redis *r);      /* after its links are freed; NULL is fine */

const struct um_redis_conf *um_redis_get_conf(const struct um_redis *r);

int64_t um_redis_database(const struct um_redis *r);
bool um_redis_is_guarded(const struct um_redis *r);       /* by sentinels: there are replicas */

struct um_redis_health {
    int links, ready;                         /* all is well when they are equal */
};
struct um_redis_health um_redis_get_health(const struct um_redis *r);

/* What each sentinel says now, on connections of its own; none without sentinels. CB runs once on L, on whose thread this is called,
 * within `spring.data.redis.timeout`. */
struct um_redis_sentinel_said {               /* borrowed during the callback */
    const char *host;
    int port;
    bool answered;
    const char *master;                       /* "host:port" when it answered */
    const char *why;                          /* when not */
    int64_t us;
};
typedef void um_redis_sentinels_cb(void *arg, const struct um_redis_sentinel_said *list, size_t n);
void um_redis_ask_sentinels(struct um_redis *r, struct um_loop *l, um_redis_sentinels_cb *cb, void *arg);

/* --- names ----------------------------------------------------------------------------------------------- */

/* Appends `<namespace>:<part>:<part>...`; each part is percent-encoded (unreserved characters stay), so that an id with a
 * colon in it cannot reach into another's keys. NULL ends the parts. */
void um_redis_key(const struct um_redis *r, struct um_buf *out, ...) __attribute__((sentinel));
/* One part more, for ids that are not terminated. */
void um_redis_key_add(struct um_buf *out, struct um_span part);

/* --- replies ----------------------------------------------------------------------------------------------- */

enum um_redis_kind { UM_REDIS_NIL, UM_REDIS_STATUS, UM_REDIS_ERROR, UM_REDIS_INTEGER, UM_REDIS_STRING, UM_REDIS_ARRAY };
struct um_redis_reply {                       /* a read-only tree, borrowed: valid during the callback only */
    enum um_redis_kind kind;
    int64_t integer;
    struct um_span text;                      /* STATUS, ERROR, STRING; a zero byte follows it */
    size_t n;                                 /* ARRAY */
    struct um_redis_reply *const *items;
};
/* Item I of an ARRAY as text; an empty span (data NULL) when there is none. */
struct um_span um_redis_item(const struct um_redis_reply *reply, size_t i);

enum {
    UM_REDIS_MAX_REPLY    = 256 << 20,        /* bytes of one reply; a server that sends more is disconnected */
    UM_REDIS_MAX_ELEMENTS = 1 << 20,          /* elements of one reply, over all its arrays */
    UM_REDIS_MAX_DEPTH    = 7,                /* arrays in arrays */
    UM_REDIS_MAX_CHANNELS = 200000,           /* channels and patterns of one link */
};

/* --- links -------------------------------------------------------------------------------------------------- */

struct um_redis_link;
struct um_redis_link_handler {                /* each may be NULL; they run on the loop */
    void (*on_epoch)(void *arg, uint64_t epoch);   /* 7. above; the first one is 1 */
    void (*on_ready)(void *arg, bool ready);       /* the link works; it has ceased to */
};
/* Starts to connect. NAME tells links apart in the log and in CLIENT LIST; copied, letters and digits. H is borrowed. */
struct um_redis_link *um_redis_link_new(struct um_redis *r, struct um_loop *loop, const char *name,
                                        const struct um_redis_link_handler *h, void *arg);
/* Answers what waits with UM_EUNAVAIL or UM_ETIMEOUT. On the loop, or after it has stopped; not from a callback of the link.
 * NULL is fine. */
void um_redis_link_free(struct um_redis_link *l);
bool um_redis_link_is_ready(const struct um_redis_link *l);
uint64_t um_redis_link_epoch(const struct um_redis_link *l);      /* 0: not connected yet */

struct um_redis_link_stats {
    const char *state;                        /* "READY" */
    int64_t since_ms;                         /* how long it has been in it */
    char address[80];                         /* of the master; "" while unknown */
    size_t waiting, in_flight, bytes;
    uint64_t epoch, reconnects, switches;
    char last_loss[96];                       /* why the last connection ended */
};
struct um_redis_link_stats um_redis_link_get_stats(const struct um_redis_link *l);

/* --- commands ------------------------------------------------------------------------------------------------- */

/* ERR says what became of it; REPLY is NULL when there was none.
 *   UM_OK         REPLY is no error
 *   UM_EUNAVAIL   not done: no link, or more waiting than `redis.queue.*` allows, or the server cannot (MISCONF, BUSY)
 *   UM_ETIMEOUT   sent, no answer (3. above)
 *   UM_EDENIED    NOAUTH, NOPERM, WRONGPASS         UM_ELIMIT     OOM
 *   UM_ECORRUPT   WRONGTYPE                         UM_EINVAL     any other error, REPLY has its text */
typedef void um_redis_cb(void *arg, um_err err, const struct um_redis_reply *reply);

enum {
    UM_REDIS_IDEMPOTENT = 1u << 0,            /* may be sent again when the connection is lost before the answer */
    UM_REDIS_NO_WAIT    = 1u << 1,            /* fails at once when the link is not ready */
    /* For messages whose loss is found out in another way. Without a callback; sent at once or not at all; what becomes of it
     * is told to nobody: Redis says nothing (CLIENT REPLY SKIP) and we are not woken. It has no deadline of its own: a master
     * that has gone silent is noticed by the ROLE of each second, so the link is lost, with on_ready(false), within a second
     * and the timeout. More than `redis.queue.max-bytes` that the socket has not taken: dropped and counted. Where the user
     * may not run CLIENT REPLY (warned of once), the answer comes and is dropped. */
    UM_REDIS_NO_ANSWER  = 1u << 2,
    /* Waits at the server on purpose, for less than `spring.data.redis.timeout`: on a link of its own, for what is behind it waits
     * too. Its time is not among the figures. */
    UM_REDIS_BLOCKING   = 1u << 3,
};
struct um_redis_opts {
    unsigned flags;
    int64_t deadline_ms;                      /* from the call to the answer, over all waits; 0: the configured limits alone */
};
/* ARGV is copied. Commands of one turn leave in one write. CB may be NULL, OPTS too. Blocking commands (but UM_REDIS_BLOCKING) and those that
 * change the connection (SUBSCRIBE, SELECT, MULTI, AUTH, ...) are not for a shared link. */
void um_redis_command(struct um_redis_link *l, const struct um_redis_opts *opts, const struct um_span *argv, size_t n,
                      um_redis_cb *cb, void *arg);

/* A Lua script: a constant of the module that uses it. */
struct um_redis_script {
    const char *text;
    _Atomic bool known;                       /* sha1 is there; worked out at the first use */
    char sha1[41];
};
#define UM_REDIS_SCRIPT(lua) { .text = (lua) }
/* EVALSHA, and EVAL when the server does not know it (a new master, SCRIPT FLUSH). ARGV: N_KEYS keys, then arguments. */
void um_redis_eval(struct um_redis_link *l, const struct um_redis_opts *opts, struct um_redis_script *script,
                   const struct um_span *argv, size_t n_keys, size_t n, um_redis_cb *cb, void *arg);

/* For who got UM_ECORRUPT: renames KEY to `<namespace>:quarantine:<random>:<KEY encoded>`, counts and logs it. */
void um_redis_quarantine(struct um_redis_link *l, struct um_span key);

/* --- subscriptions ---------------------------------------------------------------------------------------------- */

struct um_redis_sub;
struct um_redis_sub_handler {
    /* CHANNEL is the one published to, also for patterns. Borrowed. */
    void (*on_message)(void *arg, struct um_span channel, struct um_span payload);
    /* Messages come from now on. AGAIN: they did before, and some may have been missed. May be NULL. */
    void (*on_live)(void *arg, bool again);
};
/* NAME is a channel, or a pattern; copied. Several subscriptions of one name are fine. NULL: UM_REDIS_MAX_CHANNELS reached. */
struct um_redis_sub *um_redis_subscribe(struct um_redis_link *l, struct um_span name, bool is_pattern,
                                        const struct um_redis_sub_handler *h, void *arg);
/* A channel of SPUBLISH (Redis 7): apart from those of PUBLISH, also with an equal name. */
struct um_redis_sub *um_redis_subscribe_sharded(struct um_redis_link *l, struct um_span name, const struct um_redis_sub_handler *h, void *arg);
/* No callback runs afterwards; fine in a callback, not after the link was freed. NULL is fine. */
void um_redis_unsubscribe(struct um_redis_sub *s);

#endif
