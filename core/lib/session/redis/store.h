/* Inside the store in Redis: its parts, and one call on its way through them.
 *
 * A call goes to the lane of its loop (or to the first one) and stays there: each lane has a link of its own. What the process
 * does once is done on the first lane, `home`: it hears of ends, reads revocations, sweeps, and in Sentinel mode writes new
 * sessions (protect.c). */
#ifndef SESSION_STORE_H
#define SESSION_STORE_H
#include <umbel/redis.h>
#include <umbel/revoked.h>

#include "session_impl.h"
#include "copies.h"
#include "scripts.h"

struct redis_sessions;
struct op;

struct lane {
    struct redis_sessions *rs;
    struct um_loop *loop;
    struct um_redis_link *link;
    _Atomic uint64_t needs;               /* the reading of revocations that must be done before it serves */
    struct um_list held;                  /* calls that wait for that */
    size_t n_held;
    struct um_timer held_until;
};

struct protect;
struct releases;
struct redis_sessions {
    struct um_sessions base;
    struct um_redis *redis;
    struct um_session_hooks hooks;
    struct lane *lanes;                   /* the first one is home */
    size_t n_lanes;
    int64_t timeout_ms, max_age_ms, write_every_ms;
    char origin[13];                      /* this store, in messages on the channel */
    char max_age[24];                     /* arguments that every script gets */
    struct um_buf channel, live;          /* names in Redis */
    int64_t database;
    struct copies *copies;
    struct um_revoked *revoked;
    struct protect *protect;              /* NULL: one server, nothing to wait for */
    struct releases *releases;
    struct um_redis_sub *sub;
    struct um_timer flush, doubt, reread;
    _Atomic uint64_t readings, reading_done;      /* of revocations: begun, and the newest that succeeded */
    int64_t reading_since_ms;
    bool is_reading, read_again;          /* home */
    _Atomic bool epoch_changed;           /* and nobody was told to ask again yet */
    _Atomic bool is_sweeping;
    bool closes;                          /* its loops have stopped; nothing new begins */
};
static inline struct lane *home_of(struct redis_sessions *rs) { return &rs->lanes[0]; }

/* --- calls: store.c */
struct op {
    struct um_msg msg;
    struct um_list link;                  /* held, or waiting in protect.c */
    struct lane *lane;
    struct session_call *call;            /* NULL: nobody is told */
    void (*run)(struct op *op);
    char id[UM_SESSION_ID_LEN + 1], new_id[UM_SESSION_ID_LEN + 1], hash[UM_SESSION_HASH_LEN + 1];
    struct um_session *content;           /* create, restore: what it holds */
    struct um_redis_link *link_used;      /* which one its script went to */
    char *text;                           /* set: the attribute's name; list: the user */
    struct um_buf value;                  /* set */
    int64_t age_ms;                       /* touch */
    um_err err;                           /* the outcome, while something else is waited for, */
    const struct um_session *outcome;     /* with its reference */
    void (*send)(struct op *op, struct um_redis_link *link);       /* protect.c */
    bool is_second;                       /* after a key of the wrong type was renamed away */
};
struct op *op_new(struct redis_sessions *rs, struct session_call *call, const char *id, void (*run)(struct op *op));
void op_go(struct op *op);                /* runs it on its lane: at once when we are there */
void op_move(struct op *op, struct lane *to, void (*run)(struct op *op));
/* The end of OP. SESSION: one reference, taken; may be NULL. */
void op_answer(struct op *op, um_err err, const struct um_session *session);
/* What an error of Redis means to a caller; renames a key of the wrong type away. True: OP runs once more, leave it alone. */
bool op_failed(struct op *op, struct um_redis_link *link, um_err *err, const struct um_redis_reply *reply);

bool op_has_copy(struct op *op);          /* verified by this process within session.grace: read.c */

/* --- arguments of scripts: args.c */
struct args {
    struct redis_sessions *rs;
    struct um_span *items;
    size_t n, cap;
    char numbers[8][24];
    size_t n_numbers;
    struct um_buf *owned;
    size_t n_owned;
    bool failed;
};
void args_begin(struct args *a, struct redis_sessions *rs, const char *id);       /* ID names the key: a session's hash */
void args_put(struct args *a, struct um_span s);                                   /* borrowed until args_send */
void args_put_text(struct args *a, const char *s);
void args_put_int(struct args *a, int64_t v);
void args_adopt(struct args *a, struct um_buf *b);
/* Field and value of an attribute; an empty one stays empty. UM_EINVAL: it is no text. */
um_err args_put_field(struct args *a, const char *name, struct um_span text) UM_CHECK_RESULT;
/* The fields of a new session. UM_EINVAL: a value is no text. */
um_err args_put_fields(struct args *a, const struct um_session *s) UM_CHECK_RESULT;
/* Runs SCRIPT (NULL: drops the arguments) and frees A. CB as in um_redis_eval. */
void args_send(struct args *a, struct um_redis_link *link, unsigned flags, struct um_redis_script *script, um_redis_cb *cb, void *arg);
void redis_key_of(const struct redis_sessions *rs, struct um_buf *out, const char *kind, const char *rest);

/* --- pictures: picture.c */
/* From {now, fields} at REPLY. UM_ECORRUPT: no session of ours. *IDLE_MS: how long it was not used, as Redis knows. */
um_err picture_read(int64_t now, const struct um_redis_reply *fields, const char *id, struct um_session **out,
                    int64_t *idle_ms) UM_CHECK_RESULT;
/* The same from a whole reply; keeps a copy. */
um_err picture_take(struct redis_sessions *rs, const struct um_redis_reply *reply, const char *id,
                    const struct um_session **out) UM_CHECK_RESULT;
void picture_keep(struct redis_sessions *rs, const struct um_session *s, int64_t idle_ms);

/* --- the calls, each on its lane: read.c, write.c, end.c, list.c */
void run_get(struct op *op);
void run_list(struct op *op);
void run_count(struct op *op);
void run_find(struct op *op);
void run_create(struct op *op);
void run_set(struct op *op);
void run_change_id(struct op *op);
void run_touch(struct op *op);
void run_destroy(struct op *op);
void uses_flush(struct redis_sessions *rs, struct um_redis_link *link, struct lane *lane, const char *user);

/* --- ends: end.c */
void ends_subscribe(struct redis_sessions *rs);
void ends_local(struct redis_sessions *rs, const char *id, enum um_session_end why);       /* an end that this process made */
void ends_sweep(struct redis_sessions *rs);
/* How long the revocation of a session matters: nobody can use it longer than it may be idle. */
int64_t ends_revoke_for_ms(const struct redis_sessions *rs);

/* --- what follows an end and nobody waits for: release.c. Any thread. */
struct releases *releases_new(struct redis_sessions *rs);
void releases_free(struct releases *r);
/* Has the hook called for HASH until it succeeds; FOR_MS 0: once, and forgotten when it fails. */
void releases_add(struct releases *r, const char *hash, int64_t for_ms);
bool releases_has(struct releases *r, const char *hash);

/* --- revocations: reread.c */
bool lane_is_fresh(struct lane *lane);
void lane_doubts(struct lane *lane);      /* another epoch: what was revoked must be read again */
void lane_hold(struct lane *lane, struct op *op);
void revocations_read(struct redis_sessions *rs);      /* any thread */

/* --- new sessions and replicas (S1): protect.c */
struct protect *protect_new(struct redis_sessions *rs);
void protect_free(struct protect *p);     /* NULL is fine */
/* On home. SEND sends OP's script on the link it is given and calls protect_done from its callback; OP is answered when a
 * replica has it, or none did in time. */
void protect_run(struct protect *p, struct op *op, void (*send)(struct op *op, struct um_redis_link *link));
void protect_done(struct op *op, um_err err, const struct um_session *session);     /* SESSION: one reference, taken */
void protect_restore(struct protect *p);  /* on home: the epoch has changed, and revocations are known */

#endif
