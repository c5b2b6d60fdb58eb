/* What stock Hocuspocus servers say to one another over Redis (@hocuspocus/extension-redis 2.x to 4.7). Pure.
 *
 *   message  = length(1 byte) identifier frame [tag]
 *   frame    = varstring document, varuint type, body                    as on a WebSocket (message.h)
 *   body     = varuint kind, varbytes payload       Sync, SyncReply
 *            | varbytes payload                     Awareness, BroadcastStateless
 *            | nothing                              QueryAwareness
 *   tag      = "umbel" flags(1 byte) hub(8 bytes, least first)           ours: stock readers ignore what follows a body
 *
 *   prefix:document          everybody who has it open
 *   prefix#reply:identifier  one instance, 4.7 and later
 *   prefix:document:lock     key in database 0, while the document is written to the store
 *
 * Names are raw, nothing is escaped. Source: collaboration protocol of @hocuspocus/extension-redis 4.7. */
#ifndef COLLAB_BUS_STOCK_WIRE_H
#define COLLAB_BUS_STOCK_WIRE_H
#include <umbel/bytes.h>
#include "message.h"

enum {
    STOCK_MAX_IDENTIFIER = 255,              /* its length is one byte */
    STOCK_PIECE_BYTES = 4 << 20,             /* a longer state goes in pieces */
    STOCK_MAX_MESSAGE = 64 << 20,            /* a longer one is dropped unread */
};
enum { STOCK_OPENING = 1 };                  /* flags: a Step1 of one who opens the document and waits */

struct stock_tag {
    bool is_umbel;                           /* the rest has a meaning */
    unsigned flags;
    uint64_t hub;                            /* its name on the native bus */
};
struct stock_message {                       /* borrowed from the bytes */
    struct um_span identifier, name;
    uint64_t type;                           /* enum wire_type, or one that we do not know */
    int kind;                                /* of Sync and SyncReply; else NO_KIND */
    struct um_span payload;
    struct stock_tag tag;
};
/* False: malformed, or too long. Types without a meaning between servers come without a payload. */
bool stock_read(struct um_span bytes, struct stock_message *out);
void stock_put(struct um_buf *out, const struct stock_message *m);      /* payload: left out where the type has none */

void stock_put_channel(struct um_buf *out, struct um_span prefix, struct um_span document);
void stock_put_reply_channel(struct um_buf *out, struct um_span prefix, struct um_span identifier);
void stock_put_lock(struct um_buf *out, struct um_span prefix, struct um_span document);

#endif
