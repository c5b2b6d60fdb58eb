/* The Redis adapters' insides. Everything here lives on one loop; struct sio_cluster is the state behind um_sio_adapter.
 *
 *   order.c     what the server says from any reactor comes to the loop as a copy (struct order)
 *   cluster.c   namespaces, rooms, life
 *   ask.c       questions to the others: who is to answer, who has, until when
 *   hear.c      what the others say is obeyed, and answered
 *   classic.c, sharded.c, streams.c    the dialects: channels, types, how a message travels */
#ifndef SIO_CLUSTER_INT_H
#define SIO_CLUSTER_INT_H
#include <sio/cluster.h>
#include <umbel/list.h>
#include <umbel/log.h>
#include <umbel/map.h>
#include <umbel/metrics.h>
#include "wire.h"

enum {
    CLUSTER_MAX_ASKS    = 10000,      /* questions of ours that wait for answers; further ones are told that nobody answers */
    CLUSTER_MAX_REPLIES = 10000,      /* questions of others that this process is answering; further ones are dropped */
    CLUSTER_MAX_ID      = 64,         /* characters of an id of another */
    CLUSTER_MAX_PEERS   = 256,        /* nodes that are known by name */
};

enum { C_MALFORMED, C_LARGE, C_BUSY, C_HEARD, C_SAID, C_UNSAID, C_SILENT, C_ASKS, C_N };
extern struct um_metric cluster_metrics[C_N];
static inline void cluster_count(int which, int64_t n) { um_count(&cluster_metrics[which], n); }

/* --- what is said and asked, whatever the dialect ------------------------------------------------------------ */

enum verb { SAY_BROADCAST, SAY_JOIN, SAY_LEAVE, SAY_DISCONNECT, SAY_SERVER_EMIT, ASK_BROADCAST, ASK_FETCH, ASK_ROOMS, ASK_SERVER_EMIT, ASK_SOCKETS,
            VERB_N };
static inline bool verb_asks(enum verb v) { return v >= ASK_BROADCAST; }

struct order {                        /* an um_msg with everything that it needs behind it */
    struct um_msg msg;
    struct sio_cluster *c;
    void (*run)(struct order *o);
    const char *nsp;
    enum verb verb;
    struct um_sio_data *event;        /* a reference, or NULL */
    struct um_sio_gather *gather;
    struct um_sio_opts opts;
    const struct um_span *rooms; size_t n_rooms;      /* joined, left, opened, closed */
    bool flag;                        /* close; opened */
    unsigned reactor;
    struct um_loop *loop;
    void (*count_cb)(void *arg, unsigned n);
    void *arg;
    bool is_stamped;                  /* a broadcast that another order of the same event has said already */
    bool is_kept;                     /* RUN has it on: order_free follows */
};
/* Copies what MODEL borrows, takes a reference to its event, and has RUN called on the loop with it; the order is freed afterwards. */
void order_give(struct sio_cluster *c, void (*run)(struct order *o), const struct order *model);
void order_free(struct order *o);

/* --- namespaces ------------------------------------------------------------------------------------------------- */

struct nsp {
    struct sio_cluster *c;
    char uid[WIRE_CLUSTER_ID + 1];
    struct um_map rooms;              /* -> struct room: those that have members here */
    struct um_redis_sub *subs[4];
    unsigned live;                    /* of them */
    struct um_map peers;              /* id -> struct peer */
    char name[];
};
struct room {
    unsigned reactors;                /* that have members */
    struct um_redis_sub *sub;         /* sharded: its channel */
};
bool nsp_hosts(const struct nsp *n, struct um_span room);

/* --- dialects ----------------------------------------------------------------------------------------------------- */

struct reply;
struct dialect {
    const char *name;
    size_t id_len;
    void (*open)(struct nsp *n);                                          /* subscribes */
    void (*room)(struct nsp *n, struct um_span name, struct room *r, bool opened);   /* NULL: not of interest */
    void (*say)(struct nsp *n, const struct order *o, const char *request_id);       /* REQUEST_ID NULL: nobody answers */
    void (*count)(struct nsp *n, um_redis_cb *cb, void *arg);             /* PUBSUB NUMSUB: see cluster_read_count */
    /* One answer to R: values of a fetch, rooms, a count of clients, or one value (which may be NULL). */
    void (*answer)(struct reply *r, const struct wire_say *what);
    /* Each may be NULL. BEGIN_END: no order comes any more, the link is still there. */
    void (*start)(struct sio_cluster *c);
    void (*begin_end)(struct sio_cluster *c);
    void (*end)(struct sio_cluster *c);
};
extern const struct dialect dialect_classic, dialect_sharded, dialect_streams;

struct sio_cluster {
    struct um_sio *sio;
    struct um_loop *loop;
    struct um_redis *redis;
    struct um_redis_link *link;
    const struct um_sio_cluster_conf *conf;
    const struct dialect *dialect;
    struct um_map nsps;               /* name -> struct nsp */
    struct um_map asks;               /* request id -> struct ask */
    size_t n_asks, n_replies;
    void *own;                        /* the dialect's */
    _Atomic bool recovers;            /* the server has asked for recovery: it wants offsets */
    struct um_list replies;
};

/* Sends PAYLOAD to CHANNEL by WORD (PUBLISH, SPUBLISH). What does not leave is counted. */
void cluster_publish(struct sio_cluster *c, const char *word, struct um_span channel, struct um_span payload);
/* Why a message is not obeyed, or not sent: counted, and logged at a limited rate. */
void cluster_refuse(struct nsp *n, um_err err, const char *what);
/* The number of subscribers in the answer to PUBSUB NUMSUB or SHARDNUMSUB with one channel; -1: none. */
int64_t cluster_read_count(um_err err, const struct um_redis_reply *reply);
struct wire_say order_say(const struct nsp *n, const struct order *o, int type, const char *request_id);

/* --- ask.c ---------------------------------------------------------------------------------------------------------- */

void ask_begin(struct nsp *n, const struct order *o);
/* An answer to one of ours, as the dialect has read it; others' are passed over. UID data NULL: nobody knows whose. */
enum answer { ANSWER_VALUES, ANSWER_VALUE, ANSWER_CLIENTS, ANSWER_ACK };
void ask_take(struct nsp *n, struct um_span request_id, struct um_span uid, enum answer kind, const struct wire_msg *m, struct um_span raw);
bool ask_is_own(const struct sio_cluster *c, struct um_span request_id);
void ask_end_all(struct sio_cluster *c);

/* --- hear.c ----------------------------------------------------------------------------------------------------------- */

enum { REPLY_WHOLE, REPLY_CLIENTS, REPLY_ACK };       /* wire_say.type, as the dialect gets it: parts of the answer to a broadcast */
struct reply {                        /* a question of another that is being answered */
    struct um_list link;
    struct nsp *n;
    enum verb verb;
    char request_id[CLUSTER_MAX_ID + 1], uid[CLUSTER_MAX_ID + 1];
};
/* Obeys M, which is no message of our own. OFFSET: of a stream's entry, else empty. */
void hear(struct nsp *n, enum verb v, const struct wire_msg *m, struct um_span offset);
/* An event for the clients here, with its offset. */
void hear_broadcast(struct nsp *n, const struct wire_msg *m, struct um_span offset);
void hear_end_all(struct sio_cluster *c);

#endif
