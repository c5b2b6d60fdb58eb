/* Hocuspocus and y-websocket frames: reading an address and building frames. Pure.
 *
 *   frame = address type body           Hocuspocus; address = varstring name [NUL session]
 *   frame = type body                   y-websocket
 * Every body that we write has the shape  [varuint kind] [varbytes payload].
 * Source: collaboration protocol of @hocuspocus/provider 2.15 .. 4.8 and y-protocols 1.0. */
#ifndef COLLAB_MESSAGE_H
#define COLLAB_MESSAGE_H
#include <umbel/bytes.h>

enum wire_type {
    WIRE_SYNC, WIRE_AWARENESS, WIRE_AUTH, WIRE_QUERY_AWARENESS, WIRE_SYNC_REPLY, WIRE_STATELESS,
    WIRE_BROADCAST_STATELESS, WIRE_CLOSE, WIRE_SYNC_STATUS, WIRE_PING, WIRE_PONG,
    WIRE_LEG = 96                         /* between a gateway and a core alone (legs.c) */
};
enum { SYNC_STEP1, SYNC_STEP2, SYNC_UPDATE };
enum { AUTH_TOKEN, AUTH_DENIED, AUTH_OK };
enum { LEG_MARK, LEG_MOVED, LEG_CLAIM };
#define NO_KIND (-1)

/* The address as it stands in a frame, length first; empty for y-websocket. */
struct wire_addr { struct um_span encoded; };

struct wire_frame {                       /* borrowed from the message */
    struct um_span address;               /* whole: name NUL session */
    struct um_span name;                  /* before the first NUL */
    uint64_t type;
    struct um_span body;
};
enum wire_verdict { WIRE_OK, WIRE_KEEP_ALIVE, WIRE_BAD_ADDRESS, WIRE_NO_TYPE };
enum wire_verdict msg_read(struct um_span message, struct wire_frame *out);            /* Hocuspocus */
enum wire_verdict msg_read_bare(struct um_span message, struct wire_frame *out);       /* y-websocket */

/* Appends a WebSocket frame header and everything of the message but PAYLOAD_LEN bytes of payload, which the caller
 * appends next. KIND may be NO_KIND; PAYLOAD_LEN -1: the message has no payload. */
void msg_put_head(struct um_buf *out, struct wire_addr to, enum wire_type type, int kind, ptrdiff_t payload_len);
/* The whole frame. NULL when memory is gone. */
struct um_bytes *msg_make(struct wire_addr to, enum wire_type type, int kind, struct um_span payload);
struct um_bytes *msg_make_empty(struct wire_addr to, enum wire_type type, int kind);   /* without a payload */

#endif
