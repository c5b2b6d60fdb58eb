/* Membership: which processes work together. One object per process, on one loop.
 *
 * With Redis, every process says every 750 ms that it lives, what it is and how it does; who falls silent is gone within
 * 3 s, and one that stops says so. While Redis is away the last view is kept. Without Redis the process is alone.
 *
 * An id belongs to one process at a time. A second one with the same id is refused (on_refused) once it has tried for 5 s,
 * so a process that was killed may come back at once under its old id. When a failover has lost the claim of one of
 * two, the one that started earlier keeps the id. */
#ifndef UMBEL_CLUSTER_H
#define UMBEL_CLUSTER_H
#include <umbel/conf.h>
#include <umbel/loop.h>
#include <umbel/redis.h>

enum { UM_MEMBER_TEXT_MAX = 255 };            /* bytes of each text */

struct um_member {
    const char *id, *role;                    /* "core-1", "core" or "gateway" */
    const char *address;                      /* "host:port" where others reach it; "" when they do not */
    const char *version;
    const char *serves;                       /* of a core: "rest,collab,worker" or some of them; "": all (an older one says nothing) */
    int64_t started_at_ms;                    /* wall clock, for display */
    int64_t load;                             /* what its role counts: open connections */
    bool draining;                            /* it ends soon: nothing new for it */
    bool is_self;
};
struct um_members {                           /* immutable, shared */
    _Atomic uint32_t refs;
    size_t n;
    const struct um_member *list;             /* sorted by id */
};
void um_members_unref(struct um_members *m);  /* NULL is fine */
bool um_member_serves(const struct um_member *m, const char *what);    /* WHAT: "rest", "collab", "worker" */

struct um_cluster_conf {
    const char *id;                           /* "": made of role, host and port */
    const char *address;                      /* "": where the process listens */
};
extern const struct um_conf_table um_cluster_conf_table;

struct um_cluster;
struct um_cluster_handler {                   /* on the loop; each may be NULL */
    void (*on_change)(void *arg);             /* someone came, went, or changed in more than load */
    void (*on_refused)(void *arg, const char *address);   /* our id is ADDRESS's; nothing more is said under it */
};

/* SELF is copied; its id, role and version are not empty. REDIS NULL: alone. UM_EINVAL: a text is empty or too long. */
um_err um_cluster_new(struct um_cluster **out, struct um_redis *redis, struct um_loop *loop, const struct um_member *self,
                      const struct um_cluster_handler *h, void *arg) UM_CHECK_RESULT;
void um_cluster_free(struct um_cluster *c);   /* on the loop or after it; unsaid farewells are not waited for; NULL is fine */
/* Who is there now, ourselves included once we are admitted. Any thread; unref it. */
struct um_members *um_cluster_members(struct um_cluster *c);
/* Our own id, borrowed, and our start as others hear it. Any thread. */
const char *um_cluster_self(const struct um_cluster *c, int64_t *started_at_ms);
bool um_cluster_is_admitted(struct um_cluster *c);     /* our id is ours; any thread */
/* Where others reach us, once that is known: on the loop, or before it runs. One that is too long is left as it was. */
void um_cluster_set_address(struct um_cluster *c, const char *address);
void um_cluster_set_load(struct um_cluster *c, int64_t load);      /* any thread; told with the next sign of life */
void um_cluster_set_draining(struct um_cluster *c, bool draining);    /* on the loop; told at once */
/* Our own link to Redis as it was a quarter of a second ago; any thread. False: alone. */
bool um_cluster_get_link(struct um_cluster *c, struct um_redis_link_stats *out);
/* Tells the others that we are gone; DONE runs on the loop when that is said, or cannot be. */
void um_cluster_leave(struct um_cluster *c, void (*done)(void *arg), void *arg);

#endif
