/* The link's insides: its state (link.c), its commands (queue.c), its subscriptions (sub.c), the sentinels (sentinel.c). */
#ifndef REDIS_LINK_INT_H
#define REDIS_LINK_INT_H
#include <umbel/list.h>
#include <umbel/map.h>
#include "conn.h"

#define LINK_STATES(X) X(IDLE) X(BACKOFF) X(DISCOVER) X(DIAL) X(TLS) X(AUTH) X(SELECT) X(ROLE) X(RESTORE) X(READY) X(LEAVING)
enum link_state {
#define X(s) LINK_##s,
    LINK_STATES(X)
#undef X
    LINK_N
};

/* ---- commands ---- */

enum cmd_place { CMD_WAITING, CMD_LATER, CMD_IN_FLIGHT, CMD_FAILED };
struct cmd {
    struct um_list link;
    um_redis_cb *cb;
    void *arg;
    unsigned flags;
    bool internal;                            /* ours: not counted, not kept when the connection goes */
    bool repeated;                            /* was sent again after a lost connection */
    bool told;                                /* in flight, but its caller had no more patience */
    bool as_eval;                             /* the server does not know the script */
    struct um_redis_script *script;           /* NULL: a plain command */
    size_t n_args;                            /* of a script: what follows its name */
    int64_t due_at_ms;                        /* end of the present wait */
    int64_t deadline_at_ms;                   /* of all waits; INT64_MAX: none */
    int64_t refused_at_ms;                    /* first time, unexecuted; 0: never */
    int64_t sent_at_us;
    size_t len;
    uint8_t data[];                           /* a plain command, whole; of a script the arguments after its name */
};

struct queue {
    struct um_list waiting;                   /* for READY */
    struct um_list later;                     /* refused with NOREPLICAS: sent again soon */
    struct um_list in_flight;                 /* sent, oldest first */
    struct um_list failed;                    /* refused at once; told at the end of the turn */
    size_t n, bytes, n_in_flight;             /* of the callers, over the first three */
    struct um_timer sweep, again;
    struct um_defer tell;
    int64_t refused_since_ms;                 /* NOREPLICAS, without interruption; 0: not */
};

/* ---- subscriptions ---- */

struct side {                                 /* the subscribing connection */
    struct redis_conn conn;
    struct conn_login login;
    char name[96], beat_channel[160];
    struct um_map channels;                   /* 'c' or 'p', then the name -> struct channel */
    size_t n_channels, unconfirmed;
    bool restored, beat_awaited;
    unsigned attempts;
    struct um_timer retry, beat;
    struct um_list dead;                      /* unsubscribed, freed at the end of the turn */
    struct um_defer reap;
};

/* ---- sentinels ---- */

struct sentinel {
    struct um_redis_link *link;
    const struct redis_address *at;
    struct redis_conn ask, watch;
    struct um_timer retry, ping;              /* of the watch */
    bool asked, answered, pinged, verify;     /* verify: asked outside of a round, by a watch that came back */
    struct redis_address master;              /* the answer; host NULL: does not know */
    int64_t epoch;                            /* its configuration epoch */
};

struct sentinels {
    struct conn_login login;
    struct sentinel *node;
    size_t n;
    bool in_round, has_grace;
    struct um_timer grace;
    int64_t epoch;                            /* newest that was believed */
    int64_t min_epoch, min_until_ms;          /* older answers are not believed until then */
};

struct um_redis_link {
    struct um_redis *redis;
    struct um_loop *loop;
    const struct um_redis_link_handler *h;
    void *arg;
    char name[96];                            /* for CLIENT SETNAME and the log */
    enum link_state state;
    int64_t since_ms;
    struct um_timer timer;                    /* the deadline of the state */
    struct um_timer role;                     /* READY: the next ROLE */
    unsigned attempts;                        /* since it last was READY for a while */
    struct redis_address master;              /* dialled or to be dialled; host NULL: unknown */
    struct redis_conn conn;
    struct conn_login login;
    struct queue queue;
    struct side side;
    struct sentinels sentinels;
    uint64_t epoch, reconnects, switches;
    char run_id[48], repl_id[48];             /* of the master; "" when it does not say */
    char new_run_id[48], new_repl_id[48];
    char last_loss[96];
    bool can_skip;                            /* this connection may run CLIENT REPLY */
    bool freed;                               /* no callbacks but the answers */
};

/* link.c */
void link_lost(struct um_redis_link *l, um_err err, const char *why);
void link_leave(struct um_redis_link *l, const char *why);   /* the master refuses: waits a little for what is in flight */
void link_found(struct um_redis_link *l, const char *host, int port);      /* DISCOVER has an answer */
void link_not_found(struct um_redis_link *l, const char *why);
void link_switched(struct um_redis_link *l, const char *host, int port);   /* a sentinel has announced a new master */
void link_restored(struct um_redis_link *l);  /* every subscription is confirmed */
int64_t link_jitter(unsigned attempts);       /* 0..min(3 s, 100 ms x 2^attempts) */

/* queue.c */
void queue_init(struct um_redis_link *l);
void queue_free(struct um_redis_link *l);
void queue_internal(struct um_redis_link *l, um_redis_cb *cb, const struct um_span *argv, size_t n);   /* CB's argument is the link */
void queue_take_reply(struct um_redis_link *l, const struct um_redis_reply *reply);
void queue_send_waiting(struct um_redis_link *l);
void queue_connection_lost(struct um_redis_link *l);

/* sub.c */
void subs_init(struct um_redis_link *l);
void subs_free(struct um_redis_link *l);
void subs_open(struct um_redis_link *l);      /* to the master; link_restored follows, also when there is nothing to restore */
void subs_close(struct um_redis_link *l);

/* sentinel.c */
void sentinels_init(struct um_redis_link *l);
void sentinels_free(struct um_redis_link *l);
void sentinels_ask(struct um_redis_link *l);  /* link_found or link_not_found follows */
void sentinels_stop_asking(struct um_redis_link *l);
void sentinels_switched(struct um_redis_link *l);

/* check.c: warnings about the server's settings, from its INFO. */
void check_settings(struct um_redis_link *l, struct um_span info);

#endif
