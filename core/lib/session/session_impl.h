/* What a store of sessions provides, and the immutable picture of a session that all of them hand out. */
#ifndef UMBEL_SESSION_IMPL_H
#define UMBEL_SESSION_IMPL_H
#include <umbel/metrics.h>
#include <umbel/session.h>

/* One call on its way to the caller's loop. A store fills it in and passes it to session_answer, once. */
struct session_call {
    struct um_msg msg;
    struct um_loop *loop;
    union {
        um_session_cb *one;
        um_session_list_cb *list;
        um_session_count_cb *count;
    } cb;
    enum { SESSION_CB_ONE, SESSION_CB_LIST, SESSION_CB_COUNT } kind;
    void *arg;
    um_err err;
    const struct um_session *session;           /* one reference, ours */
    const struct um_session **list;             /* array and references ours */
    size_t n;
};
void session_answer(struct session_call *call);

struct session_ops {
    void (*create)(struct um_sessions *ss, struct session_call *call, const char *user, const struct um_session_attr *attrs, size_t n);
    void (*get)(struct um_sessions *ss, struct session_call *call, const char *id);
    void (*set)(struct um_sessions *ss, struct session_call *call, const char *id, const char *name, struct um_span value);
    void (*touch)(struct um_sessions *ss, const char *id);
    void (*change_id)(struct um_sessions *ss, struct session_call *call, const char *id);
    void (*destroy)(struct um_sessions *ss, struct session_call *call, const char *id);
    void (*list)(struct um_sessions *ss, struct session_call *call, const char *user);
    void (*find)(struct um_sessions *ss, struct session_call *call, const char *hash);
    void (*count)(struct um_sessions *ss, struct session_call *call);
    /* These three are NULL in a store that forgets nothing. */
    um_err (*add_revoked)(struct um_sessions *ss, const struct um_revocation *row);
    bool (*has_revoked)(struct um_sessions *ss, const char *hash);
    void (*reread_revoked)(struct um_sessions *ss);
    void (*sweep)(struct um_sessions *ss);
    void (*free)(struct um_sessions *ss);       /* of what the store has beside struct um_sessions, and of that */
};

struct session_listener {
    struct um_loop *loop;
    um_session_end_fn *fn;
    void *arg;
};
struct session_doubter {
    struct um_loop *loop;
    const struct um_session_doubt *fn;
    void *arg;
};
struct um_sessions {                            /* first member of a store's own struct */
    const struct session_ops *ops;
    struct um_sessions_conf cf;
    struct session_listener *listeners;
    size_t n_listeners;
    struct session_doubter *doubters;
    size_t n_doubters;
};
/* Posts the end of session ID to every listener. */
void session_announce_end(struct um_sessions *ss, const char *id, enum um_session_end why);
void session_announce_doubt(struct um_sessions *ss);
void session_announce_revoked(struct um_sessions *ss);

int64_t session_timeout_s(const struct um_sessions_conf *cf);

/* Figures of both stores. */
enum {
    SESSION_M_ACTIVE, SESSION_M_CREATED, SESSION_M_EXPIRED, SESSION_M_DELETED, SESSION_M_GRACE, SESSION_M_UNPROTECTED,
    SESSION_M_REVOCATIONS, SESSION_M_BAD_VALUES, SESSION_M_N
};
extern struct um_metric session_rows[SESSION_M_N];
void session_rows_start(void);                  /* registers them, once */

/* A new picture in one allocation, or NULL. USER and ATTRS are copied; attributes with an empty value are left out. */
struct um_session *session_picture(const char *id, const char *user, const struct um_session_attr *attrs, size_t n);
/* UM_ELIMIT when USER with ATTRS is more than CF allows. */
um_err session_check_limits(const struct um_sessions_conf *cf, const char *user, const struct um_session_attr *attrs, size_t n);

#endif
