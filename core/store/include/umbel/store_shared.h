/* What processes share beside documents: small tables whose truth is the database; Redis only carries news of them.
 * Calls as in store.h: they copy what they need, return at once, and run CB exactly once on the loop that is given, after
 * the commit. Times are the database's own clock in milliseconds. Errors as in store.h; UM_EINVAL too when a text is longer
 * than its limit below, UM_ELIMIT when a list is.
 *
 *   cache_versions(scope, name, version)                one counter per static cache
 *   revocations(hash, until)                            sessions that ended before their time
 *   reservations(category, id, token, user_id, session, since, expires)   token only ever grows; session '' = free
 *   audit(id, at, user_id, action, object_type, object_id, detail, scope) what administrators did
 *
 * Of several calls in one transaction each gets a version of its own, so that the news of none is taken for another's. */
#ifndef UMBEL_STORE_SHARED_H
#define UMBEL_STORE_SHARED_H
#include <umbel/store.h>

enum {
    UM_STORE_REFS_MAX = 1000,         /* references, or caches, of one call */
    UM_STORE_REF_ID_MAX = 512,        /* bytes of an id; categories are DOCUMENT, FOLDER, VIRTUAL_FOLDER, TASK */
    UM_STORE_SESSION_MAX = 256,       /* bytes of a session, and of a revocation's hash */
    UM_STORE_HOLDER_MAX = 512,        /* bytes of a user's name */
    UM_STORE_CACHE_MAX = 128,         /* bytes of a scope, and of a cache's name */
    UM_STORE_ACTION_MAX = 64,         /* bytes of an audit row's action and object type; */
    UM_STORE_DETAIL_MAX = 4096,       /* of its detail */
    UM_STORE_ROWS_MAX = 200000,       /* rows of one answer; more is UM_ELIMIT, never a part of them */
    UM_STORE_AUDITS_MAX = 1000,       /* audit rows of one answer */
};
#define UM_STORE_LEASE_MAX_MS ((int64_t)7 * 86400000)         /* of a reservation */
#define UM_STORE_REVOKED_MAX_MS ((int64_t)400 * 86400000)     /* of a revocation */

/* --- versions of static caches ------------------------------------------------------------------------ */
struct um_store_cache { const char *scope, *name; uint64_t version; };      /* scope "": of the whole installation */
typedef void um_store_caches_cb(void *arg, um_err err, const struct um_store_cache *rows, size_t n);
void um_store_caches(struct um_store *st, struct um_loop *l, um_store_caches_cb *cb, void *arg);
/* Raises N versions in one transaction; CB hears them with their new versions, in the order given. */
void um_store_raise_caches(struct um_store *st, struct um_loop *l, const struct um_store_cache *names, size_t n,
                           um_store_caches_cb *cb, void *arg);

/* --- revocations ---------------------------------------------------------------------------------------- */
/* Raises ("", "revocations") in the same transaction and answers with that version. HASH as um_session_hash makes it.
 * Revoking twice keeps the later end. What is over is removed by the next call. */
typedef void um_store_version_of_cb(void *arg, um_err err, uint64_t version);
void um_store_revoke(struct um_store *st, struct um_loop *l, const char *hash, int64_t for_ms, um_store_version_of_cb *cb,
                     void *arg);
struct um_store_revocation { const char *hash; int64_t left_ms; };
typedef void um_store_revocations_cb(void *arg, um_err err, uint64_t version, const struct um_store_revocation *rows,
                                     size_t n);
void um_store_revocations(struct um_store *st, struct um_loop *l, um_store_revocations_cb *cb, void *arg);   /* the live ones */

/* --- reservations ----------------------------------------------------------------------------------------- */
struct um_store_reserved {                 /* borrowed during the callback */
    const char *category, *id;
    const char *user, *session;            /* "" when free */
    uint64_t token;                        /* the newest ever given; 0: never reserved */
    int64_t since_ms;                      /* wall clock of the database, for display; 0 when free */
    int64_t left_ms;                       /* of the lease; <= 0: over, or free */
};
/* VERSION: of the cache ("", "reservations"), raised in the same transaction when anything changed; 0: nothing did. Of the
 * calls that only read: the version that ROWS belong to. */
typedef void um_store_reserved_cb(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n);
/* TOKEN: the grant that is meant; 0: whichever it is. Renewing and releasing look at it, so that a call that comes late never
 * touches a later grant. A change of REFS that has not had its turn within store.timeout (the database was away) is not done:
 * UM_ETIMEOUT. */
struct um_store_ref { const char *category, *id; uint64_t token; };
/* All or nothing. Each becomes SESSION's for TTL_MS with a token higher than any before; one that SESSION holds keeps its
 * token and gets the whole TTL. ROWS: all of REFS in their order. UM_ECONFLICT: ROWS are the ones that others hold. A lease
 * that is over is anybody's, also for who had it: then with a new token. Rows are locked in sorted order. */
void um_store_reserve(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *user,
                      const char *session, int64_t ttl_ms, um_store_reserved_cb *cb, void *arg);
/* Extends what SESSION holds of REFS (n 0: everything it holds), unless it is over. ROWS: those that were extended. */
void um_store_renew(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *session,
                    int64_t ttl_ms, um_store_reserved_cb *cb, void *arg);
/* Frees what SESSION holds of REFS (n 0: everything it holds). ROWS: those that became free, with their tokens. */
void um_store_release(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                      const char *session, um_store_reserved_cb *cb, void *arg);
/* Frees REF whoever holds it, raises its token (so that its holder is fenced off), and writes an audit row UNLOCK of BY.
 * ROWS: the row as it was before; when nobody has it, nothing changes. */
struct um_store_about { const char *scope, *id; };       /* what the audit row says */
void um_store_break(struct um_store *st, struct um_loop *l, struct um_store_ref ref, const char *by,
                    const struct um_store_about *about, um_store_reserved_cb *cb, void *arg);
/* All that are held now (leases that are over left out), sorted by category and id. */
void um_store_reservations(struct um_store *st, struct um_loop *l, um_store_reserved_cb *cb, void *arg);
/* The state of REFS in their order. */
void um_store_reserved(struct um_store *st, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                       um_store_reserved_cb *cb, void *arg);
bool um_store_is_category(const char *word);

/* --- audit ---------------------------------------------------------------------------------------------------- */
/* NULL is "". SCOPE "": it is about no scope, but about the installation. */
struct um_store_audit { int64_t at_ms; const char *user, *action, *object_type, *object_id, *detail, *scope; };
typedef void um_store_audit_cb(void *arg, um_err err, const struct um_store_audit *rows, size_t n);
void um_store_audit(struct um_store *st, const struct um_store_audit *row);      /* at_ms is the database's; nobody is told */
void um_store_audits(struct um_store *st, struct um_loop *l, int64_t max, um_store_audit_cb *cb, void *arg);   /* newest first */

#endif
