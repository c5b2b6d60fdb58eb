/* What cores say to one another about the documents that they have open: format of `collab.cluster.mode=native`. Pure.
 *
 *   message  = version(1 byte, 1) kind(1 byte) origin(8 bytes, least first) body
 *   origin   = the hub that speaks: 48 random bits of its process, 16 of its number
 *   ident    = varbytes member, varuint started (ms), varuint hubs of the process
 *   at       = varbytes name, varuint epoch, varuint number, varuint stored
 *
 *   HELLO    = ident (at, flags(1 byte), varbytes state vector)*     who else has these? to all, or to one who was missed
 *   STATE    = ident flags(1 byte) at, varbytes state vector, varbytes update, varbytes presence,
 *              varuint n, n x (origin epoch number)                   to the hub that said HELLO, or lacks something
 *              presence: everybody whom the speaker has, unless flags say otherwise
 *   UPDATE   = at, varuint n, n x varbytes update                     appends number-n+1 .. number of the speaker's clients
 *   PRESENCE = varbytes name, varbytes presence                      what has changed
 *   BEAT     = (at)*                                                  where the speaker is: the last messages may have got lost
 *   BYE      = at                                                     closed there
 *   ORDER    = order(1 byte), varbytes name (empty: all), varbytes text
 *   presence = (varuint client, varuint clock, varbytes state, varbytes user)*
 *
 * epoch: which opening of the document by this hub. number: appends of its own clients since then. stored: so many of
 * them are durable. A STATE without the document has the epoch that the hub gave last: all up to there are closed.
 * Varuints and varbytes as in lib0. What trails a message is not read. */
#ifndef COLLAB_BUS_WIRE_H
#define COLLAB_BUS_WIRE_H
#include <umbel/bytes.h>

enum {
    BUS_VERSION = 1,
    BUS_HEAD_BYTES = 10,
    BUS_MAX_MESSAGE = 16 << 20,              /* a longer one is dropped unread */
    BUS_MAX_STATE = 8 << 20,                 /* a longer difference is not sent: the store has it, or soon will */
    BUS_LIST_BYTES = 64 << 10,               /* HELLO and BEAT are split at about this */
    BUS_MAX_MEMBER = 255, BUS_MAX_NAME = 4096,
    BUS_MAX_HUBS = 65535,                    /* of a process: 16 bits of an origin */
    BUS_MAX_DOUBTS = 1024,                   /* hubs in one STATE that others wait for */
};
enum bus_kind { BUS_HELLO = 1, BUS_STATE, BUS_UPDATE, BUS_PRESENCE, BUS_BEAT, BUS_BYE, BUS_ORDER };
enum { BUS_WANTS_STATE = 1, BUS_QUIET = 2 };   /* HELLO: whether or not it seems to have all; who has it not need not answer */
enum { BUS_HAS_DOCUMENT = 1, BUS_IS_ANSWER = 2, BUS_IN_STORE = 4, BUS_NO_PRESENCE = 8 };   /* STATE; the last two: too long */
enum bus_order { BUS_DELETED = 1, BUS_CLOSE, BUS_STATELESS };

struct bus_ident { struct um_span member; uint64_t started_ms, hubs; };
struct bus_at { struct um_span name; uint64_t epoch, number, stored; };

void bus_put_head(struct um_buf *out, enum bus_kind kind, uint64_t origin);
void bus_put_ident(struct um_buf *out, const struct bus_ident *id);
void bus_put_at(struct um_buf *out, const struct bus_at *at);
void bus_put_origin(struct um_buf *out, uint64_t origin);

/* False: not one of ours (version, kind, length). The reader stands behind the head. */
bool bus_read_head(struct um_span message, struct um_reader *r, enum bus_kind *kind, uint64_t *origin);
/* These set r->failed for what is malformed or over its limit. */
struct bus_ident bus_read_ident(struct um_reader *r);
struct bus_at bus_read_at(struct um_reader *r);
uint64_t bus_read_origin(struct um_reader *r);

struct bus_state {
    unsigned flags;
    struct bus_at at;
    struct um_span sv, update, presence;
    uint64_t n_doubts;
    struct um_reader doubts;                 /* n_doubts x bus_read_doubt */
};
struct bus_doubt { uint64_t origin, epoch, number; };
struct bus_state bus_read_state(struct um_reader *r);
struct bus_doubt bus_read_doubt(struct um_reader *r);

struct bus_presence { uint64_t client, clock; struct um_span state, user; };
void bus_put_presence(struct um_buf *out, const struct bus_presence *p);
struct bus_presence bus_read_presence(struct um_reader *r);

#endif
