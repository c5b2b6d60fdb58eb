/* HTTP sessions: who is behind a cookie. One interface for the in-process store and for Redis (platform.md 10), so every
 * answer comes by callback: exactly once, on the loop that the caller names, never before the call returns.
 * Calls may come from any thread. */
#ifndef UMBEL_SESSION_H
#define UMBEL_SESSION_H
#include <umbel/bytes.h>
#include <umbel/loop.h>
#include <umbel/revoked.h>

struct um_conf_table;
struct um_sessions;                       /* the store; one per process */

enum { UM_SESSION_ID_LEN = 36, UM_SESSION_COOKIE_LEN = 48, UM_SESSION_HASH_LEN = 32 };

struct um_session_attr {
    const char *name;
    struct um_span value;                 /* text by convention */
};

/* What a session was at one moment: immutable, reference-counted, shared between threads. */
struct um_session {
    char id[UM_SESSION_ID_LEN + 1];       /* secret: UUID version 4; never logged, shown as its hash */
    const char *user;
    int64_t created_at_ms;                /* wall clock; `creationTime` */
    int64_t last_accessed_at_ms;          /* `lastAccessedTime` */
    int64_t max_inactive_s;               /* `maxInactiveInterval` */
    const struct um_session_attr *attrs;  /* `sessionAttr:<name>` */
    size_t n_attrs;
    _Atomic uint32_t refs;
};
const struct um_session *um_session_ref(const struct um_session *s);
void um_session_unref(const struct um_session *s);                                  /* NULL is fine */
struct um_span um_session_attr(const struct um_session *s, const char *name);       /* empty (data NULL) when absent */
const char *um_session_attr_str(const struct um_session *s, const char *name);      /* terminated; NULL when absent */

/* Borrowed: ref what is to be kept. */
typedef void um_session_cb(void *arg, um_err err, const struct um_session *s);
typedef void um_session_list_cb(void *arg, um_err err, const struct um_session *const *list, size_t n);
typedef void um_session_count_cb(void *arg, um_err err, size_t n);

/* Starts a session. When USER has too many already, the one unused longest ends.
 *   UM_ELIMIT  more or larger attributes than allowed, or the store is full
 *   UM_EUNAVAIL  the store is away (so for every call below) */
void um_session_create(struct um_sessions *ss, struct um_loop *l, const char *user, const struct um_session_attr *attrs,
                       size_t n_attrs, um_session_cb *cb, void *arg);
/* UM_ENOTFOUND: no such session, or it is over. Does not count as use. */
void um_session_get(struct um_sessions *ss, struct um_loop *l, const char *id, um_session_cb *cb, void *arg);
/* Sets one attribute; an empty value removes it. Two callers that set different ones both win. UM_ENOTFOUND: a session that
 * has ended stays ended. CB gets the session as it is now; it may be NULL. */
void um_session_set(struct um_sessions *ss, struct um_loop *l, const char *id, const char *name, struct um_span value,
                    um_session_cb *cb, void *arg);
/* Notes a use: the idle time starts anew. Written behind; no answer. */
void um_session_touch(struct um_sessions *ss, const char *id);
/* The same session under a new id; the old one is dead at once, and listeners hear of its end. */
void um_session_change_id(struct um_sessions *ss, struct um_loop *l, const char *id, um_session_cb *cb, void *arg);
/* UM_OK also when there was none. CB gets no session; it may be NULL.
 *   UM_EUNAVAIL  it has ended here and now, if the store could be reached at all, but it is not certain yet that it stays ended:
 *                the revocation could not be written, and is tried again */
void um_session_destroy(struct um_sessions *ss, struct um_loop *l, const char *id, um_session_cb *cb, void *arg);
/* The live ones of USER, oldest first. */
void um_session_list(struct um_sessions *ss, struct um_loop *l, const char *user, um_session_list_cb *cb, void *arg);
/* By um_session_hash. Slow: all are looked through. UM_ENOTFOUND as above. */
void um_session_find(struct um_sessions *ss, struct um_loop *l, const char *hash, um_session_cb *cb, void *arg);
void um_session_count(struct um_sessions *ss, struct um_loop *l, um_session_count_cb *cb, void *arg);

enum um_session_end { UM_SESSION_DESTROYED, UM_SESSION_EXPIRED, UM_SESSION_EVICTED, UM_SESSION_RENAMED };
const char *um_session_end_text(enum um_session_end why);
/* FN runs on L for each session that ends anywhere; ID is borrowed. There is no way to leave: listeners live as long as the
 * store. Listen before threads start. */
typedef void um_session_end_fn(void *arg, const char *id, enum um_session_end why);
void um_sessions_listen(struct um_sessions *ss, struct um_loop *l, um_session_end_fn *fn, void *arg);
/* For who keeps something open for sessions. ASK runs on L when ends may have been missed (and every 30 s): he asks
 * um_session_get for each of them. LOOK runs when sessions were revoked: he asks um_sessions_have_revoked, which costs no
 * round trip. Neither with the in-process store, which tells of all ends. */
struct um_session_doubt {
    void (*ask)(void *arg);
    void (*look)(void *arg);
};
void um_sessions_on_doubt(struct um_sessions *ss, struct um_loop *l, const struct um_session_doubt *fn, void *arg);
bool um_sessions_have_revoked(struct um_sessions *ss, const char *id);      /* any thread */
bool um_sessions_have_revoked_hash(struct um_sessions *ss, const char *hash);    /* likewise, by um_session_hash */

/* A session has ended before its time, as others say; any thread. Nothing to do for the in-process store. Errors of um_revoked_add. */
um_err um_sessions_add_revoked(struct um_sessions *ss, const struct um_revocation *row) UM_CHECK_RESULT;
void um_sessions_reread_revoked(struct um_sessions *ss);      /* there is news: asks the hook `read` */

/* --- configuration ---------------------------------------------------------------------------------------- */
enum um_session_store { UM_SESSION_STORE_REDIS, UM_SESSION_STORE_NONE };
enum um_session_configure { UM_SESSION_CONFIGURE_NOTIFY, UM_SESSION_CONFIGURE_NONE };
enum um_session_repository { UM_SESSION_REPOSITORY_DEFAULT, UM_SESSION_REPOSITORY_INDEXED };
struct um_sessions_conf {
    int64_t timeout_s;                    /* idle; spring.session.timeout */
    int64_t gui_timeout_s;                /* gui.session.timeout: wins when set (not 0) */
    int64_t max_age_s;                    /* from login to the end, whatever happens; 0: no bound */
    int64_t max_sessions, max_per_user;
    int64_t max_attributes, max_value_bytes, max_total_bytes;
    int64_t (*now_ms)(void);              /* the clock, for tests; NULL: the monotonic one, in Redis that of Redis */
    /* with Redis */
    int store_type;                       /* enum um_session_store; -1: not set, which is redis when there is one */
    const char *redis_ns;                 /* namespace of Spring Session's keys */
    bool redis_quote;                     /* members of sets are written as JSON strings */
    int redis_configure, redis_repository, redis_flush, redis_save;      /* accepted; -1: not set */
    int64_t grace_ms, wait_ms, max_copies;
};
extern const struct um_conf_table um_session_conf_table;

/* --- the in-process store ---------------------------------------------------------------------------- */

um_err um_sessions_new_memory(struct um_sessions **out, const struct um_sessions_conf *cf) UM_CHECK_RESULT;

/* --- the store in Redis: docs/admin/sessions.md; the layout is Spring Session's --------------------------- */
/* The way to the database, which is behind a core. DONE runs exactly once on L, perhaps before the call returns. */
struct um_session_hooks {
    /* Writes that HASH is revoked for FOR_MS (0: it has ended by itself) and releases what that session holds. UM_OK: it is
     * in the database. NULL: there is none. */
    void (*revoke)(void *ctx, struct um_loop *l, const char *hash, int64_t for_ms, void (*done)(void *arg, um_err err), void *arg);
    /* All live revocations; ROWS are borrowed during DONE. NULL: nothing is ever read. */
    void (*read)(void *ctx, struct um_loop *l,
                 void (*done)(void *arg, um_err err, const struct um_revocation *rows, size_t n), void *arg);
    void *ctx;
};
struct um_redis;
struct um_sessions_redis {                /* borrowed for the life of the store, but for the array */
    struct um_redis *redis;
    struct um_loop *const *loops;         /* whose threads call; the first one also does what is done once per process */
    size_t n_loops;
    struct um_session_hooks hooks;
};
/* Before the loops run. While Redis is away: sessions that were verified within session.grace are served from local copies,
 * anything else is UM_EUNAVAIL. UM_EINVAL: no loops, or an empty namespace.
 * It is freed when the loops have stopped and before what its answers go to; no hook may be under way then. */
um_err um_sessions_new_redis(struct um_sessions **out, const struct um_sessions_conf *cf, const struct um_sessions_redis *on) UM_CHECK_RESULT;

/* --- both ------------------------------------------------------------------------------------------------ */
/* Ends what has expired; the owner calls it every few seconds (an expired session is never served, swept or not). */
void um_sessions_sweep(struct um_sessions *ss);
void um_sessions_free(struct um_sessions *ss);      /* after its loops have stopped; NULL is fine */

/* --- ids ------------------------------------------------------------------------------------------------ */
/* Cookie value: base64 of the id's text. Decoding refuses all that is not a UUID in lower case. */
void um_session_cookie_encode(const char *id, char out[UM_SESSION_COOKIE_LEN + 1]);
bool um_session_cookie_decode(struct um_span value, char id[UM_SESSION_ID_LEN + 1]);
/* How a session is named in logs, lists and tokens: 128 bits of SHA-256 in hexadecimal. */
void um_session_hash(const char *id, char out[UM_SESSION_HASH_LEN + 1]);

#endif
