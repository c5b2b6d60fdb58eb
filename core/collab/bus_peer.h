/* Other cores, as the native bus knows them: hubs, the documents that they have open too, and what came from them but may
 * not be durable yet. */
#ifndef COLLAB_BUS_PEER_H
#define COLLAB_BUS_PEER_H
#include "internal.h"

enum { LOST_GRACE_MS = 5000 };           /* for the people of a core that is gone, to be found at another */
enum {
    BUS_MAX_ORIGINS = BUS_MAX_DOUBTS,        /* hubs; further ones are not listened to */
    BUS_STRANGER_MS = 10000,                 /* a hub that never said who it is, and is silent, is gone */
    BUS_SILENT_MS   = 1500,                  /* one that the members' list does not name, likewise */
    BUS_ASK_MS      = 1000,                  /* the same core is asked again after so long */
};

struct bus_origin {                          /* one hub of another process */
    uint64_t id;
    char *member;                            /* who it is in the list of members; NULL: has not said */
    uint64_t started_ms;
    int64_t heard_ms;
    struct um_list peers;
};

struct bus_peer {                            /* a hub that has one of our documents open too */
    struct um_list in_doc, in_origin;
    struct doc *doc;
    struct bus_origin *origin;
    uint64_t epoch;
    uint64_t received;                       /* all its appends up to here are in our memory */
    uint64_t stored;                         /* and all up to here are durable */
    struct um_list doubts;                   /* struct bus_doubtful: what came behind `stored`, oldest first */
    size_t doubt_bytes;
    int64_t asked_ms;                        /* when it was last asked for what we miss; 0: all is there */
};

struct bus_origin *peer_origin(struct hub *h, uint64_t id);             /* made when it is new; NULL: BUS_MAX_ORIGINS */
void peer_identify(struct bus_origin *o, const struct bus_ident *id);
struct bus_peer *peer_find(const struct doc *d, const struct bus_origin *o);
struct bus_peer *peer_of_hub(const struct doc *d, uint64_t id);
struct bus_peer *peer_get(struct doc *d, struct bus_origin *o);         /* makes it when it is new */
/* Where the peer says it is. A new epoch begins at nothing. False: the word is older than what is known. */
bool peer_at(struct bus_peer *p, const struct bus_at *at);
/* ITEMS (updates that were applied, varbytes, one after the other; a reference is taken) hold its appends up to NUMBER. */
void peer_doubt(struct bus_peer *p, uint64_t number, struct um_bytes *items);
void peer_put_doubts(const struct doc *d, struct um_buf *out);          /* as in a STATE */
/* It has closed the document, or is no more: its people leave, what is in doubt is stored by us. P is gone then. */
void peer_gone(struct bus_peer *p);
void peer_forget(struct bus_peer *p);        /* our own document goes: nothing of that */
void origin_gone(struct hub *h, struct bus_origin *o, const char *why);
/* It has said who it is, and is no member any more. */
bool origin_is_dead(struct hub *h, const struct bus_origin *o);
void origin_sweep(struct hub *h, int64_t now_ms);
void origin_free_all(struct hub *h);

/* bus_adopt.c: what the dead have left in the streams' tail. */
void adopt_from_the_dead(struct doc *d);     /* D is loaded, and has the tail: what dead hubs said is stored by us */
bool adopt_orphan(void *hub, struct um_span document, uint64_t origin);          /* bus_port_handler.on_orphan */

#endif
