/* Stock Hocuspocus servers as a hub knows them: the instances that it has heard, and its documents as far as they concern
 * them. Everything on the hub's loop. */
#ifndef COLLAB_BUS_STOCK_H
#define COLLAB_BUS_STOCK_H
#include <umbel/redis.h>
#include "bus_stock_wire.h"
#include "internal.h"

enum {
    STOCK_MAX_PEERS = 1024,                  /* instances; further ones are not listened to */
    STOCK_MAX_SEEN  = 32,                    /* instances at one document; the one that is silent longest gives way */
    STOCK_MAX_OWED  = 256,                   /* answers that wait until it is known where one instance listens */
    STOCK_ASK_MS    = 60000,                 /* that is asked again when it is so old */
};

struct stock_hub {                           /* hub->bus.own */
    struct hub *hub;
    struct um_redis_link *link;
    struct um_redis_sub *replies;
    bool replies_live, stopping;
    struct um_span prefix;
    struct um_buf identifier;
    struct um_map peers;                     /* identifier -> struct stock_peer */
    const struct stock_peer *speaker;        /* whose change is being applied */
    struct um_list due;                      /* struct stock_doc: their state vectors are to be told */
    struct um_timer clock;
    int64_t compared_at_ms;
};

enum stock_hears { STOCK_UNKNOWN, STOCK_ON_DOCUMENT, STOCK_ON_REPLY };
struct stock_peer {
    struct stock_hub *hub;
    struct um_bytes *identifier;
    enum stock_hears hears;                  /* where its answers are to go: 4.7 listens on a channel of its own */
    int64_t asked_ms, heard_ms;
    unsigned in_flight, n_docs;              /* while not 0 it stays */
    bool asking;
    struct um_list owed;
    unsigned n_owed;
};

struct stock_seen {                          /* an instance that has a document open too */
    struct stock_peer *peer;
    int64_t heard_ms;
    bool answered;                           /* since we opened it, or began to ask anew */
};

struct stock_doc {                           /* doc->bus.own */
    struct doc *doc;
    struct stock_hub *hub;
    struct um_redis_sub *sub;
    struct um_buf out;                       /* this turn's changes, each with its length */
    unsigned n_out;
    struct um_defer flush;
    struct um_list due;
    int64_t due_at_ms;
    bool greets;                             /* with the next state vector: who is here, and who is there? */
    unsigned tries;                          /* more of them, until all who were seen have answered */
    struct stock_seen seen[STOCK_MAX_SEEN];
    unsigned n_seen;
    bool waits;                              /* to be served */
    int64_t others;                          /* who listen to its channel; -1: not known yet */
    int64_t answered;
    struct um_timer limit;
    char lock[33];                           /* the value of our lock */
    bool is_locked;
    int64_t locked_out_ms;                   /* somebody else has had the lock since then; 0: no */
    struct um_timer lock_retry;
};

static inline struct stock_hub *stock_hub_of(const struct hub *h) { return h->bus.own; }
static inline struct stock_doc *stock_doc_of(const struct doc *d) { return d->bus.own; }

enum stock_question { STOCK_BOTH_STATES, STOCK_STATE, STOCK_PRESENCE };

/* bus_stock.c */
void stock_publish(struct stock_hub *s, struct um_span channel, const struct um_buf *message, um_redis_cb *cb, void *arg);
struct stock_doc *stock_doc_named(struct stock_hub *s, struct um_span name);             /* NULL: not open here */
void stock_answer(struct stock_doc *sd, struct stock_peer *p, enum stock_question q, struct um_span sv);

/* bus_stock_peer.c */
struct stock_peer *stock_peer_get(struct stock_hub *s, struct um_span identifier);       /* NULL: STOCK_MAX_PEERS */
void stock_peer_question(struct stock_doc *sd, struct stock_peer *p, enum stock_question q, struct um_span sv);
void stock_peer_send(struct stock_peer *p, struct um_span document, const struct um_buf *message);
struct stock_seen *stock_saw(struct stock_doc *sd, struct stock_peer *p);
/* Is there an instance at the document that SPEAKER may not reach? NULL: are there instances that may not reach one another? */
bool stock_is_bridge(const struct stock_doc *sd, const struct stock_peer *speaker);
void stock_unsee(struct stock_doc *sd, int64_t heard_before_ms);
void stock_unsee_one(struct stock_doc *sd, struct um_span identifier);
void stock_peer_sweep(struct stock_hub *s, int64_t heard_before_ms);
void stock_peer_free_all(struct stock_hub *s);

/* bus_stock_lock.c */
bool stock_fold(struct doc *d);
void stock_folded(struct doc *d);

#endif
