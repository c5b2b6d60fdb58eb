/* Reservations: at most one session holds a component, in the whole installation. docs/states/reservation.md
 *
 * The database is the arbiter: a grant is one transaction there, with a token that only grows, and the lease runs by the
 * database's clock. Every process holds a copy of all live reservations, so that rights are judged in memory; news comes by
 * the cache ("", "reservations") of umbel/cachegen.h, and whatever is missed is read again. A copy may be late, never wrong
 * for long: who holds a lease that was not confirmed in time is treated as nobody, and nobody else is let in before the
 * database was asked (DOUBTFUL).
 *
 * Beside it, open editing holds a shared reservation: it blocks an exclusive one, politely. It is kept in Redis only
 * (`<ns>:resv:editing:<core>`), and lapses 10 s after its core has died.
 *
 * One object per process, on one loop. Calls may come from any thread; they copy what they need, and CB runs exactly once on
 * the loop that is given, never inside the call. */
#ifndef UMBEL_RESERVE_H
#define UMBEL_RESERVE_H
#include <umbel/loop.h>
#include <umbel/store.h>
#include <umbel/store_shared.h>

struct um_cachegen;
struct um_cluster;
struct um_conf_table;
struct um_redis;
struct um_reserve;

enum {
    UM_RESERVE_REFS_MAX = 1000,               /* components of one call */
    UM_RESERVE_ID_MAX = 512,                  /* bytes */
    UM_RESERVE_CATEGORY_MAX = 16,
    UM_RESERVE_USER_MAX = 128,
    UM_RESERVE_SESSION_MAX = 128,
    UM_RESERVE_WAIT_MAX_MS = 20000,           /* less than core.timeout, or gateways would take us for a core that stands still */
};
#define UM_RESERVE_CACHE "reservations"       /* its name at cachegen, scope "" */
#define UM_RESERVE_DOCUMENT "DOCUMENT"        /* category of collaborative documents; their id is their name */

struct um_reserve_conf {
    int64_t ttl_ms;                           /* reservation.ttl: of a lease */
    int64_t max, max_per_session;             /* live reservations; beyond: UM_ELIMIT */
};
extern const struct um_conf_table um_reserve_conf_table;

struct um_reserve_env {                       /* all outlive the um_reserve */
    struct um_loop *loop;                     /* where it lives */
    struct um_store *store;
    struct um_cachegen *cachegen;
    struct um_redis *redis;                   /* NULL: this process is alone */
    struct um_cluster *cluster;               /* whose cores are asked who edits; NULL with REDIS NULL only */
    const struct um_reserve_conf *conf;
};
/* Before threads start. Rights are judged by the copy, so this waits for it to be read, 3 s at most; beyond that everything is
 * doubtful until it is there. */
um_err um_reserve_new(struct um_reserve **out, const struct um_reserve_env *env) UM_CHECK_RESULT;
/* Its loop has stopped, and the store will close: nothing is asked of it any more, and what waits is not answered. */
void um_reserve_stop(struct um_reserve *r);   /* NULL is fine, here and below */
void um_reserve_free(struct um_reserve *r);   /* the store is closed */
bool um_reserve_is_loaded(const struct um_reserve *r);        /* has the copy been read once? any thread */

/* --- taking and giving back -------------------------------------------------------------------------------- */

/* Who stands in the way. */
struct um_reserve_blocker {
    const char *category, *id, *user;         /* user "": somebody who has not said who he is */
    int64_t since_ms;                         /* wall clock, for display; 0 when EDITING */
    bool editing;                             /* holds it shared: edits it now */
};
struct um_reserve_answer {                    /* borrowed during the callback */
    const struct um_store_reserved *rows;     /* of OK: one per component, in the order of the call */
    size_t n;
    const struct um_reserve_blocker *blockers;    /* of ECONFLICT */
    size_t n_blockers;
};
/*   UM_ECONFLICT  others hold or edit some of them; nothing was taken
 *   UM_EUNAVAIL   Redis or the database is away; a grant may exist, and lapses by itself. UM_ETIMEOUT, UM_EIO: likewise
 *   UM_ELIMIT     too many reservations, components, or callers that wait
 *   UM_EINVAL     a category, id, user or session that cannot be */
typedef void um_reserve_cb(void *arg, um_err err, const struct um_reserve_answer *answer);

struct um_reserve_opts {
    int64_t wait_ms;                          /* how long to wait until nobody stands in the way; at most UM_RESERVE_WAIT_MAX_MS */
    bool break_shared;                        /* take it although others edit: they may read from then on */
};
/* All or none. What SESSION holds already stays, its lease begins anew. Answers when the other nodes know, or after
 * cache.apply-wait. */
void um_reserve_take(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *user,
                     const char *session, const struct um_reserve_opts *opts, um_reserve_cb *cb, void *arg);
/* Gives back what SESSION holds of REFS, of those with a token that grant alone; the rest is left as it is. */
void um_reserve_release(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                        const char *session, um_reserve_cb *cb, void *arg);
/* Begins SESSION's leases of REFS anew. UM_ECONFLICT: some are not its own (any more), or not the grant of their token; BLOCKERS
 * has those that others hold, ROWS the state of all. */
void um_reserve_renew(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                      const char *session, um_reserve_cb *cb, void *arg);
/* SESSION is over: everything it holds is free. ROWS: what became free. CB may be NULL. */
void um_reserve_release_session(struct um_reserve *r, struct um_loop *l, const char *session, um_reserve_cb *cb, void *arg);
/* BY takes REF from its holder, whose token is worth nothing from now on. ABOUT: the scope and id under which it is on record.
 * ROWS: the state before. UM_ENOTFOUND: it was free. */
void um_reserve_break(struct um_reserve *r, struct um_loop *l, struct um_store_ref ref, const char *by,
                      const struct um_store_about *about, um_reserve_cb *cb, void *arg);
/* As the database has it now. Works while Redis is away. */
void um_reserve_state(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n, um_reserve_cb *cb,
                      void *arg);
/* USER has written to the component that it holds: its lease begins anew, now and then. Any thread, no answer. */
void um_reserve_wrote(struct um_reserve *r, const char *category, const char *id, const char *user);

/* --- the copy: any thread, in memory ----------------------------------------------------------------------------- */

enum um_reserve_is {
    UM_RESERVE_FREE,
    UM_RESERVE_HELD,
    UM_RESERVE_DOUBTFUL,                      /* the lease was not confirmed in time; the database is being asked */
};
struct um_reserve_holder {
    char user[UM_RESERVE_USER_MAX + 1], session[UM_RESERVE_SESSION_MAX + 1];
    uint64_t token;
    int64_t sure_ms;                          /* um_now_ms: good until then, unless a listener hears otherwise */
};
enum um_reserve_is um_reserve_holder(struct um_reserve *r, const char *category, const char *id, struct um_reserve_holder *out);
/* May USER change the component now, as far as reservations go? The user counts, not the session. */
bool um_reserve_may_write(struct um_reserve *r, const char *category, const char *id, const char *user, int64_t *until_ms);

struct um_reserve_filter {                    /* NULL: all */
    const char *user, *session, *category;
    bool (*fits)(void *arg, const char *id);  /* may be NULL; asks nothing of R */
    void *arg;
    size_t start, max;
};
/* Calls CB for those of the filter, by category and id, under the copy's lock: it asks nothing of R. Returns how many there are without START and MAX;
 * SIZE_MAX: the copy has not been read yet. */
size_t um_reserve_list(struct um_reserve *r, const struct um_reserve_filter *f,
                       void (*cb)(void *arg, const struct um_store_reserved *row), void *arg);

/* --- news ---------------------------------------------------------------------------------------------------------- */

#define UM_RESERVE_EVENTS(X) \
    X(TAKEN, "reserved") X(RELEASED, "released") X(BROKEN, "broken") X(EXPIRED, "expired") \
    X(CONFIRMED, "confirmed")                 /* a doubtful one is sure again */
enum um_reserve_event {
#define X(id, text) UM_RESERVE_##id,
    UM_RESERVE_EVENTS(X)
#undef X
    UM_RESERVE_EVENTS_N
};
const char *um_reserve_event_text(enum um_reserve_event e);

struct um_reserve_change {                    /* borrowed during the callback */
    const char *category, *id;
    enum um_reserve_event event;
    const char *user, *session;               /* the holder: of now when TAKEN or CONFIRMED, else until now */
    const char *by;                           /* BROKEN: who did it, when that is known; else "" */
};
typedef void um_reserve_fn(void *arg, const struct um_reserve_change *change);
/* FN runs on L for every change that this node learns of; of what came and went while news was lost it hears only how it
 * ended. Listen before threads start; there is no way to leave. */
void um_reserve_listen(struct um_reserve *r, struct um_loop *l, um_reserve_fn *fn, void *arg);

/* --- shared reservations ------------------------------------------------------------------------------------------- */

/* USER begins, or ceases, to be able to write to the component on this node. Any thread; each beginning has its end. */
void um_reserve_editing(struct um_reserve *r, const char *category, const char *id, const char *user, bool begins);

#endif
