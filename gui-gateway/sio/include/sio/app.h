/* How code of the gateway uses Socket.IO: namespaces with handlers, emits to sockets and rooms, acknowledgements both ways.
 *
 * A socket (one client in one namespace) lives on one reactor; its handlers run there, and what takes a um_sio_socket is called
 * there. What takes the server is called from any thread; its callbacks run on the loop that is named. Events are um_sio_data: a JSON
 * array whose first element is the name. */
#ifndef SIO_APP_H
#define SIO_APP_H
#include <sio/sio.h>

struct um_sio_socket;
struct um_sio_reply;

/* An event, or CONNECT with its auth payload. Borrowed during the handler; ARGS may be kept by a reference. */
struct um_sio_event {
    const char *name;                     /* of CONNECT: "" */
    struct um_sio_data *args;             /* the array with the name; of CONNECT: the auth object */
    bool wants_ack;
    uint64_t ack_id;                      /* for um_sio_ack */
};

struct um_sio_handlers {                  /* each may be NULL */
    /* May the client come in? Exactly one of um_sio_admit and um_sio_refuse must follow, at once or later, unless on_disconnect
     * comes first. NULL: everybody may who has passed the namespace's rule. Not asked when a session is recovered. */
    void (*on_connecting)(void *arg, struct um_sio_socket *s, const struct um_sio_event *auth);
    void (*on_connect)(void *arg, struct um_sio_socket *s, const struct um_sio_event *auth);   /* the answer is on its way */
    void (*on_event)(void *arg, struct um_sio_socket *s, const struct um_sio_event *e);
    /* Once for each socket that was told of by on_connecting or on_connect; S is gone after the return. */
    void (*on_disconnect)(void *arg, struct um_sio_socket *s, const char *reason);
    /* Another server of the cluster says EVENT. With REPLY somebody waits: um_sio_reply is to be called exactly once, any thread. On the
     * adapter's thread. */
    void (*on_server_event)(void *arg, const char *nsp, struct um_sio_data *event, struct um_sio_reply *reply);
};
void um_sio_reply(struct um_sio_reply *r, struct um_sio_data *value);      /* NULL: null */

enum um_sio_rule {
    UM_SIO_SESSION,                       /* clients need a session, unless sio.anonymous */
    UM_SIO_ANYBODY,
};
/* Before um_sio_open. NAME begins with a slash; one that ends in `*` stands for all that begin so, but for those with a row of their
 * own: each such namespace comes to be with its first client. HANDLERS and ARG outlive the server. */
void um_sio_add_namespace(struct um_sio *s, const char *name, enum um_sio_rule rule, const struct um_sio_handlers *handlers, void *arg);

/* --- one socket ---------------------------------------------------------------------------------------------------- */

const char *um_sio_id(const struct um_sio_socket *s);            /* 20 characters */
const char *um_sio_namespace(const struct um_sio_socket *s);
const struct um_sio_who *um_sio_who(const struct um_sio_socket *s);
struct um_loop *um_sio_loop(const struct um_sio_socket *s);
bool um_sio_is_recovered(const struct um_sio_socket *s);
void um_sio_set_arg(struct um_sio_socket *s, void *arg);         /* the application's own */
void *um_sio_arg(const struct um_sio_socket *s);
void um_sio_set_data(struct um_sio_socket *s, struct um_span json);      /* `data` of fetchSockets; kept for recovery */

void um_sio_admit(struct um_sio_socket *s);
void um_sio_refuse(struct um_sio_socket *s, const char *message, struct um_span data);     /* DATA: JSON, or empty */
/* EVENT goes to S alone; ignored after its disconnect. */
void um_sio_emit(struct um_sio_socket *s, struct um_sio_data *event, unsigned flags);
/* CB runs once, later, on the socket's loop: with the array of what it answered, or NULL when it is gone or TIMEOUT_MS has passed. */
typedef void um_sio_acked(void *arg, struct um_sio_data *args);
void um_sio_emit_ack(struct um_sio_socket *s, struct um_sio_data *event, int64_t timeout_ms, um_sio_acked *cb, void *arg);
/* Answers an event; ARGS is an array. Ignored after the disconnect. */
void um_sio_ack(struct um_sio_socket *s, uint64_t ack_id, struct um_sio_data *args);
void um_sio_join(struct um_sio_socket *s, struct um_span room);
void um_sio_leave(struct um_sio_socket *s, struct um_span room);
size_t um_sio_room_count(const struct um_sio_socket *s);         /* without its own */
/* From the namespace, or with CLOSE the whole connection. The client does not come back by itself. on_disconnect runs before the return. */
void um_sio_disconnect(struct um_sio_socket *s, bool close);

/* --- everybody, in the whole cluster ---------------------------------------------------------------------------------- */

void um_sio_broadcast(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o);
/* CB runs once, on LOOP: the answers (each the first argument; for fetch and rooms see adapter.h), borrowed, how many are missing, and
 * which nodes were silent (or NULL). */
typedef void um_sio_gathered(void *arg, struct um_sio_data *const *values, size_t n, unsigned n_missing, const char *silent);
void um_sio_broadcast_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, struct um_loop *loop,
                          um_sio_gathered *cb, void *arg);
void um_sio_fetch(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *loop, um_sio_gathered *cb, void *arg);
void um_sio_rooms(struct um_sio *s, const char *nsp, struct um_loop *loop, um_sio_gathered *cb, void *arg);
void um_sio_sockets_join(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n);
void um_sio_sockets_leave(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n);
void um_sio_sockets_disconnect(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, bool close);
void um_sio_server_emit(struct um_sio *s, const char *nsp, struct um_sio_data *event);      /* to the other servers */
void um_sio_server_emit_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, struct um_loop *loop, um_sio_gathered *cb, void *arg);

#endif
