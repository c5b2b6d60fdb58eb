/* The shared tables inside the store: what calls answer with, and the ledger, which holds their rules. */
#ifndef STORE_SHARED_H
#define STORE_SHARED_H
#include <umbel/map.h>
#include <umbel/store_shared.h>

#define STORE_RESERVATIONS_CACHE "reservations"          /* versions of these two are raised here, with scope "" */
#define STORE_REVOCATIONS_CACHE  "revocations"

/* ---- answers: rows of one kind with their strings ---- */

struct store_shared {
    uint64_t version;
    union {
        void *any;
        struct um_store_cache *caches;
        struct um_store_revocation *revoked;
        struct um_store_reserved *reserved;
        struct um_store_audit *audits;
    } rows;
    char **texts;                            /* of each row, one block */
    size_t n, cap;
};
struct store_shared *store_shared_new(void);
void store_shared_free(struct store_shared *s);          /* NULL is fine */
/* Copy a row with its strings. UM_ENOMEM; UM_ELIMIT: more than UM_STORE_ROWS_MAX. */
um_err store_shared_add_cache(struct store_shared *s, const struct um_store_cache *row) UM_CHECK_RESULT;
um_err store_shared_add_revoked(struct store_shared *s, const struct um_store_revocation *row) UM_CHECK_RESULT;
um_err store_shared_add_reserved(struct store_shared *s, const struct um_store_reserved *row) UM_CHECK_RESULT;
um_err store_shared_add_audit(struct store_shared *s, const struct um_store_audit *row) UM_CHECK_RESULT;

/* ---- the ledger: one transaction of calls that change shared tables ----
 *
 * A driver asks (store_ledger_ask) which rows the calls need, locks them in their order, fills them in, lets the ledger
 * judge the calls in turn, and writes what has changed. So the rules stand here once, for every database. */

struct store_op;
struct store_lease {                         /* a row of reservations */
    char *category, *id, *user, *session;    /* ours; user and session "" when free */
    uint64_t token;
    int64_t since_ms, expires_ms;
    bool wanted;                             /* a call reserves it: it must have a row before it can be locked */
    bool changed;
};
struct store_raise { const char *scope, *name; uint64_t by, version; };  /* version: after it; the driver's answer */
struct store_revoke { const char *hash; int64_t for_ms; };

struct store_ledger {
    int64_t now_ms;                          /* the database's; set before judging */
    struct um_map by_ref;                    /* -> place in leases, from 1 */
    struct store_lease *leases;
    size_t n_leases, cap_leases;
    struct store_raise *raises;              /* a cache once */
    size_t n_raises, cap_raises;
    struct store_revoke *revokes;            /* strings of these two are the ops' */
    size_t n_revokes, cap_revokes;
    struct um_store_audit *audits;
    size_t n_audits, cap_audits;
    size_t n_changes;                        /* of leases, so far */
};
void store_ledger_ask(struct store_ledger *g, const struct store_op *op);
/* Is OP about all that its session holds, whatever that is? */
bool store_asks_for_session(const struct store_op *op);
/* In the order of category and id by bytes; places change. */
void store_ledger_sort(struct store_ledger *g);
/* A row of the database; strings are copied. */
void store_ledger_fill(struct store_ledger *g, const struct store_lease *row);
/* Sets OP's err and answer; versions in it are not final before store_ledger_finish. */
void store_ledger_judge(struct store_ledger *g, struct store_op *op);
void store_ledger_finish(const struct store_ledger *g, struct store_op *op);
void store_ledger_sort_raises(struct store_ledger *g);   /* by scope and name */
void store_ledger_free(struct store_ledger *g);

#endif
