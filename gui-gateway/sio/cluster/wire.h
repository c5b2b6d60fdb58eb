/* The messages of Socket.IO's Redis adapters, between bytes and structs. Pure: no Redis, no server, no clock.
 *
 *   classic   @socket.io/redis-adapter 8.3 createAdapter, @socket.io/redis-emitter 5.1
 *   cluster   createShardedAdapter of the same, @socket.io/redis-streams-adapter 0.3: {type, data: {...}, uid, nsp}
 *
 * All of them are written as JSON text, and turned into MessagePack (mp.h) where the adapter speaks that; all of them are read as
 * MessagePack, JSON being turned into it first. So each message is described once. What comes is a peer's: no message is half obeyed. */
#ifndef SIO_WIRE_H
#define SIO_WIRE_H
#include <sio/adapter.h>
#include "mp.h"

enum {
    WIRE_MAX_MESSAGE = 16 << 20,      /* bytes of one message; larger ones are dropped, and not sent */
    WIRE_MAX_JOIN    = 1000,          /* rooms that one message may have clients join or leave */
    WIRE_MAX_KEYS    = 64,            /* members of an object that is a message */
    WIRE_CLASSIC_ID  = 6,             /* characters of an id of a node or a request */
    WIRE_CLUSTER_ID  = 16,
};

/* Types of the classic adapter. */
enum { CLASSIC_SOCKETS, CLASSIC_ALL_ROOMS, CLASSIC_JOIN, CLASSIC_LEAVE, CLASSIC_DISCONNECT, CLASSIC_FETCH, CLASSIC_SERVER_EMIT,
       CLASSIC_BROADCAST, CLASSIC_CLIENT_COUNT, CLASSIC_ACK };
/* Types of the sharded and the streams adapter. */
enum { CLUSTER_HELLO = 1, CLUSTER_BEAT, CLUSTER_BROADCAST, CLUSTER_JOIN, CLUSTER_LEAVE, CLUSTER_DISCONNECT, CLUSTER_FETCH, CLUSTER_FETCHED,
       CLUSTER_SERVER_EMIT, CLUSTER_SERVER_ANSWER, CLUSTER_CLIENT_COUNT, CLUSTER_ACK, CLUSTER_CLOSE };

/* --- reading -------------------------------------------------------------------------------------------------- */

struct wire_names {                   /* rooms; numbers are their decimal text */
    struct um_span *items;            /* borrowed from the message, or from this block */
    size_t n;
};
struct wire_msg {                     /* borrowed from the message, and from TEXT; wire_clear ends it */
    int type;                         /* -1: none */
    struct um_span uid, nsp, request_id, sid, room;       /* data NULL: absent */
    bool has_opts, close;
    struct wire_names target, except, rooms;
    unsigned flags;                   /* UM_SIO_VOLATILE, ... */
    int64_t timeout_ms, client_count;                     /* -1: absent */
    struct um_span data, packet, sockets;                 /* raw MessagePack; data NULL: absent */
    bool has_rooms;
    struct um_buf text;               /* what was JSON */
};

/* [uid, packet, opts]. Of PACKET only its place is known: see wire_event.   UM_EPROTO, UM_ELIMIT, UM_ENOMEM */
um_err wire_read_broadcast(struct um_span bytes, struct wire_msg *m) UM_CHECK_RESULT;
/* A request or an answer of the classic adapter: an object, JSON when it begins with a brace. */
um_err wire_read_classic(struct um_span bytes, struct wire_msg *m) UM_CHECK_RESULT;
/* A message of the others; what its `data` holds stands in M as well. */
um_err wire_read_cluster(struct um_span bytes, struct wire_msg *m) UM_CHECK_RESULT;
/* The `data` of a stream's entry: JSON, or base64 of MessagePack. */
um_err wire_read_entry(struct um_span data, struct wire_msg *m) UM_CHECK_RESULT;
void wire_clear(struct wire_msg *m);

/* The event of a packet {type: 2, data: [name, ...]}; also nsp and id of it, when asked (NULL: no). UM_EPROTO: no event, or one whose
 * name the protocol keeps for itself. The caller's reference. */
struct wire_packet {
    struct um_sio_data *event;
    struct um_span nsp;               /* data NULL: absent */
    bool has_id;                      /* somebody waits for its acknowledgement by number: not for us */
};
um_err wire_read_packet(struct um_span raw, struct wire_packet *p) UM_CHECK_RESULT;
/* One value of any kind; the caller's reference. */
um_err wire_read_value(struct um_span raw, struct um_sio_data **out) UM_CHECK_RESULT;
/* An event as server-side emits have it: [name, ...]. */
um_err wire_read_event(struct um_span raw, struct um_sio_data **out) UM_CHECK_RESULT;
/* Whom M means, borrowed from it. */
struct um_sio_opts wire_opts(const struct wire_msg *m);

/* --- writing --------------------------------------------------------------------------------------------------- */

/* What is said: an open struct, members that a message has not are not looked at. */
struct wire_say {
    const char *uid, *nsp, *request_id;
    int type;
    const struct um_sio_opts *o;
    struct um_sio_data *event;        /* or a value */
    const struct um_span *rooms; size_t n_rooms;
    struct um_sio_data *const *values; size_t n_values;
    unsigned client_count;
    bool close;
};
enum wire_form { WIRE_JSON, WIRE_MSGPACK };

/* Each appends a whole message to OUT.  UM_ELIMIT: too deep or above WIRE_MAX_MESSAGE; UM_EPROTO: not a value that peers can take. Then
 * nothing is sent. */
um_err wire_put_broadcast(struct um_buf *out, const struct wire_say *s) UM_CHECK_RESULT;
/* Requests and answers of the classic adapter by type (client_count for 8, values for 0 and 5, rooms for 1): JSON, but types 7 and 9 and
 * what holds binary, which are MessagePack. An answer with a UID names who gives it, so that others of ours know who was silent. */
um_err wire_put_request(struct um_buf *out, const struct wire_say *s) UM_CHECK_RESULT;
um_err wire_put_answer(struct um_buf *out, const struct wire_say *s) UM_CHECK_RESULT;
/* A message of the sharded adapter (JSON unless it holds binary) or of the streams adapter's pub/sub (FORM MessagePack). */
um_err wire_put_cluster(struct um_buf *out, const struct wire_say *s, enum wire_form form) UM_CHECK_RESULT;
/* The `data` of a stream's entry. */
um_err wire_put_entry(struct um_buf *out, const struct wire_say *s) UM_CHECK_RESULT;

/* `<prefix>#<nsp>#` and, with ROOM (data NULL: none), `<room>#`. */
void wire_channel(struct um_buf *out, const char *prefix, const char *nsp, struct um_span room);
/* A new id of 6 characters of A-Za-z0-9-_, or of 16 hex digits. OUT has one more. */
void wire_id(char *out, size_t n);
/* Index of a namespace among N streams, with its sign: -(n-1) .. n-1. */
int wire_stream_index(struct um_span nsp, int n);

#endif
