/* The way between cores: what other processes that have a document open are told and what they tell.
 *
 * Promises
 *  1. What clients of one core write reaches readers at the others by way of the bus, else out of the store (elsewhere.c). The
 *     bus may lose, double and swap messages; it may be away for long.
 *  2. Nothing is acknowledged because another core has told it: what came that way is in doubt until its core says that it
 *     is durable. When that core is gone, we store it ourselves (bus_peer.c).
 *
 * bus.c chooses: alone, native (bus_native.c, over a bus_port), or native and with stock Hocuspocus servers (bus_stock.c).
 * Everything here runs on the hub's loop, but for what says otherwise. */
#ifndef COLLAB_BUS_H
#define COLLAB_BUS_H
#include <umbel/bytes.h>
#include <umbel/list.h>
#include <umbel/loop.h>
#include <umbel/map.h>
#include "bus_port.h"
#include "bus_wire.h"

struct hub;
struct doc;
struct um_collab;

struct bus_ops {
    void (*start)(struct hub *h);
    void (*stop)(struct hub *h);
    /* The state that the store has is in. True: others are being asked for what they have beyond it; doc_loaded follows. */
    bool (*loaded)(struct doc *d);
    void (*closed)(struct doc *d);           /* D goes; also after an ending, and before it was loaded */
    void (*append)(struct doc *d, struct um_span update);        /* a change of our own clients; d->bus.number has its number */
    void (*stored)(struct doc *d);           /* d->pending has moved */
    void (*presence)(struct doc *d);         /* d->presence has news */
    void (*order)(struct hub *h, enum bus_order what, struct um_span document, struct um_span text);
    void (*wake)(struct hub *h);             /* this process stood still: anything may have been missed */
    bool (*is_live)(const struct hub *h);    /* what others say comes in; false: the store is the only way */
    bool (*fold)(struct doc *d);             /* may D be folded now? false: persist_fold_go follows */
    void (*folded)(struct doc *d);           /* that is over, whatever became of it */
};
extern const struct bus_ops bus_alone, bus_native, bus_stock;

struct bus_hub {                             /* in struct hub */
    const struct bus_ops *ops;
    struct bus_port *port;
    bool is_started;
    uint64_t origin;                         /* our name on the wire */
    uint64_t epochs;
    struct um_map origins;                   /* their 8 bytes -> struct bus_origin */
    struct um_list beats;                    /* documents whose position others are to be told again */
    struct um_timer beat, greet;
    struct um_list *greet_at;                /* the next of all_docs that this round asks about; NULL: there is no round */
    bool greets_all;                         /* whatever others may have missed; else to compare */
    int64_t beaten_at_ms, compared_at_ms;    /* the last turn of the clockwork; the last comparison of state vectors */
    unsigned n_shared;                       /* documents that others have open too */
    struct um_map adopted;                   /* bus_adopt.c: documents, each behind a dead hub: what that one said is appended */
    struct um_bytes *held;                   /* a message that a test holds back (bus.swap) */
    void *own;                               /* of bus_stock.c */
};

struct bus_doc {                             /* in struct doc */
    struct um_list peers;                    /* struct bus_peer: cores that have it open too */
    unsigned n_peers, n_doubts;
    uint64_t epoch, number;                  /* bus_wire.h; 0: not opened yet */
    struct um_buf out;                       /* this turn's appends, each with its length */
    unsigned n_out;
    struct um_defer flush;
    bool loaded;
    struct um_list beat_link;
    int64_t beat_at_ms;
    unsigned beats;
    uint64_t told_stored;
    unsigned n_waits;                        /* of these buses, for others' answers, before the first reader is served */
    struct bus_wait *wait;                   /* for others' answers to our HELLO; readers need not */
    void *own;                               /* of bus_stock.c */
};

/* The number that the present append has among ours. */
uint64_t bus_append(struct doc *d, struct um_span update);
uint64_t bus_stored(const struct doc *d);    /* so many of them are durable */
/* What other cores have told and may not have stored: the log gets it from us. */
void bus_store_doubts(struct doc *d);
void bus_waited(struct doc *d);              /* one of them is over */
void bus_doc_init(struct doc *d);
void bus_hub_init(struct hub *h, unsigned index);
void bus_obey(struct hub *h, enum bus_order what, struct um_span document, struct um_span text);
/* Before the reactors start: joins the other cores as MEMBER, each hub by a port of its own. */
typedef struct bus_port *bus_open_port(void *ctx, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg);
void bus_join(struct um_collab *c, const char *member, int64_t started_ms, bus_open_port *open, void *ctx);

#endif
