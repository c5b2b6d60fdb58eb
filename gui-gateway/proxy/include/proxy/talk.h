/* What a gateway knows of the collaboration protocol (docs/collaboration.md): the head of a message, and the few messages that it
 * says itself. Pure.
 *
 *   message = address type body        /collab; address = varbytes(name [NUL session])
 *   message = type body                /y/<room>
 * Between a gateway and its core there is one type more, which neither client nor stock server ever sees: UM_TALK_LEG. */
#ifndef PROXY_TALK_H
#define PROXY_TALK_H
#include <umbel/bytes.h>

enum um_talk_type {
    UM_TALK_SYNC = 0, UM_TALK_AWARENESS = 1, UM_TALK_AUTH = 2, UM_TALK_CLOSE = 7, UM_TALK_SYNC_STATUS = 8,
    UM_TALK_LEG = 96,
};
enum { UM_TALK_STEP1, UM_TALK_STEP2, UM_TALK_UPDATE };        /* kinds of SYNC */
enum { UM_TALK_TOKEN, UM_TALK_DENIED, UM_TALK_ADMITTED };     /* of AUTH */
/* Of LEG. MARK (from the core): varbytes(state vector), which the client has at least. MOVED: this client goes on at another core;
 * CLAIM: varbytes(awareness update), whose one entry is this client's own, as it last said it. */
enum { UM_TALK_MARK, UM_TALK_MOVED, UM_TALK_CLAIM };
#define UM_TALK_NO_KIND UINT64_MAX

struct um_talk {                          /* borrowed from the message */
    struct um_span address, name;         /* empty at /y/ */
    uint64_t type;
    struct um_span body;
    uint64_t kind;                        /* the first number of the body; UM_TALK_NO_KIND: it has none */
    struct um_span payload;               /* what follows the kind */
};
enum um_talk_verdict { UM_TALK_OK, UM_TALK_KEEP_ALIVE, UM_TALK_BAD_ADDRESS, UM_TALK_NO_TYPE };
enum um_talk_verdict um_talk_read(struct um_span message, bool bare, struct um_talk *out);

/* Appends a message. BARE: as at /y/, without ADDRESS. KIND: UM_TALK_NO_KIND: none. PAYLOAD: NULL: none; else as varbytes. */
void um_talk_put(struct um_buf *out, struct um_span address, bool bare, uint64_t type, uint64_t kind, const struct um_span *payload);

/* The one client that an awareness update (of a message's body) speaks for, and what it says; false: it is not one. */
bool um_talk_presence(struct um_span body, uint64_t *client, struct um_span *update, bool *gone);

#endif
