/* Versions of static caches: what processes keep in memory and must not serve stale (static caches, revocations,
 * reservations). docs/states/cachegen.md
 *
 * A cache is (scope, name). Its version is a counter in the database, raised in the transaction of the change
 * (umbel/store_shared.h); Redis carries the news. Whoever hears a version *different* from the one it applied reads again or
 * drops what it has. All versions are compared with the source on every (re)connection to Redis, at every new epoch, and
 * every `cache.compare-interval` (10 s; every 4 s while Redis is away, or there is none): messages may be lost, doubled,
 * swapped.
 * One per process. It lives on one loop; listeners are called on theirs. */
#ifndef UMBEL_CACHEGEN_H
#define UMBEL_CACHEGEN_H
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_cachegen;
struct um_redis;
struct um_cluster;
struct um_conf_table;

enum {
    UM_CACHEGEN_TEXT_MAX = 128,              /* bytes of a scope and of a name */
    UM_CACHEGEN_NEWS_MAX = 64 << 10,         /* bytes of news; longer: told without */
    UM_CACHEGEN_CACHES_MAX = 10000,          /* caches that one process follows; those beyond are dropped and counted */
};

struct um_cachegen_conf { int64_t compare_interval_ms, max_stale_ms, apply_wait_ms; };
extern const struct um_conf_table um_cachegen_conf_table;        /* cache.* */

/* Where the versions are: the store (a core) or a core's REST (a gateway). READ calls CB once on L with all rows, not inside
 * the call. CB is not called after um_cachegen_free: free it when the source cannot answer any more. */
struct um_cachegen_row { const char *scope, *name; uint64_t version; };
typedef void um_cachegen_rows_cb(void *arg, um_err err, const struct um_cachegen_row *rows, size_t n);
struct um_cachegen_source {
    void (*read)(void *ctx, struct um_loop *l, um_cachegen_rows_cb *cb, void *arg);
    void *ctx;
};

/* REDIS NULL: this process alone, as far as news go. CLUSTER: who has to have applied a change; borrowed; NULL: nobody. */
um_err um_cachegen_new(struct um_cachegen **out, struct um_redis *redis, struct um_loop *loop, struct um_cluster *cluster,
                       const struct um_cachegen_source *source, const struct um_cachegen_conf *cf) UM_CHECK_RESULT;
/* On the loop, or when no loop runs any more. Nobody is called afterwards; DONEs that wait never are. NULL is fine. */
void um_cachegen_free(struct um_cachegen *g);

/* FN runs on L whenever the cache NAME of SCOPE is to be dropped or read again: VERSION is the one to be reached. NEWS is what
 * the announcer sent along, when nothing was missed since the call before; empty: anything may have changed. Calls come in
 * order, also while an earlier one is still being served: who reads again compares the version that was read with the newest
 * one it was told. It calls um_cachegen_applied when the process serves nothing older than VERSION any more.
 * The comparison at the start is a call too, for caches that have a version. One listener for each NAME; before threads start. */
typedef void um_cachegen_fn(void *arg, const char *scope, uint64_t version, struct um_span news);
void um_cachegen_listen(struct um_cachegen *g, struct um_loop *l, const char *name, um_cachegen_fn *fn, void *arg);
void um_cachegen_applied(struct um_cachegen *g, const char *scope, const char *name, uint64_t version);     /* any thread */

/* A change of ours was committed with VERSION; our own listener hears it too. DONE (may be NULL) runs on L when every member
 * has applied it, or after cache.apply-wait, with the ids of those that have. Any thread. */
struct um_cachegen_applied_by { const char *const *ids; size_t n; size_t of; };     /* of: members that were asked */
typedef void um_cachegen_done(void *arg, const struct um_cachegen_applied_by *by);
void um_cachegen_announce(struct um_cachegen *g, struct um_loop *l, const char *scope, const char *name, uint64_t version,
                          struct um_span news, um_cachegen_done *done, void *arg);

/* The newest version heard of; 0: none yet. What is read between two equal answers may be kept (C3). Any thread. */
uint64_t um_cachegen_version(struct um_cachegen *g, const char *scope, const char *name);
/* False: not compared with the source for cache.max-stale; rights must fail closed, other caches go to the source. Any thread. */
bool um_cachegen_is_fresh(const struct um_cachegen *g);
/* What is known, for GET .../caches: all that have a version or a listener. CB runs during the call, under a lock. */
void um_cachegen_each(struct um_cachegen *g, void (*cb)(void *arg, const char *scope, const char *name, uint64_t version,
                                                        uint64_t applied), void *arg);

#endif
