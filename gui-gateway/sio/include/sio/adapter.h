/* The seam between the Socket.IO server of this process and the others of its cluster. One adapter per process.
 *
 * Downwards (struct um_sio_adapter) the server says what is to happen elsewhere; what happens here it has done itself before,
 * without waiting. Upwards (um_sio_local_*) the adapter brings what others say, and gets the answers of this process.
 *
 * Threads: downward calls come from any reactor; they do not block, and post to the adapter's own loop. Upward calls come from any
 * thread; their callbacks run on the loop that is named. Texts and arrays are borrowed during a call; um_sio_data is kept by a
 * reference. NSP begins with a slash.
 *
 * Changes since it was first written: none. */
#ifndef SIO_ADAPTER_H
#define SIO_ADAPTER_H
#include <sio/data.h>
#include <umbel/loop.h>

struct um_sio;                            /* the server of this process */

enum {
    UM_SIO_VOLATILE    = 1,               /* dropped where it cannot be sent now */
    UM_SIO_LOCAL       = 2,               /* this process only: never comes down */
    UM_SIO_NO_COMPRESS = 4,
};
/* Who is meant: all in one of ROOMS (none named: the whole namespace) but those in one of EXCEPT. */
struct um_sio_opts {
    const struct um_span *rooms;  size_t n_rooms;
    const struct um_span *except; size_t n_except;
    unsigned flags;
    int64_t timeout_ms;                   /* for acknowledgements; 0: none given */
    struct um_span offset;                /* for recovery: goes to clients as the last argument; empty: none */
};

/* Where answers of the others are gathered. The adapter owns its reference until it says done, which it does exactly once: when all
 * have answered, or their time (opts.timeout_ms; 5 s when there is none) is over. Any thread. */
struct um_sio_gather;
/* fetch: an object {id, handshake, rooms, data}; rooms: a string; server_emit_ack, broadcast_ack: the first argument (null when there
 * was none). */
void um_sio_gather_answer(struct um_sio_gather *g, struct um_sio_data *value);
/* N_MISSING: answers that were expected and did not come; SILENT: the ids of the nodes that were silent, for people, or NULL. */
void um_sio_gather_done(struct um_sio_gather *g, unsigned n_missing, const char *silent);

/* --- recovery: what a client that comes back has missed ---------------------------------------------------------- */

struct um_sio_session {                   /* borrowed */
    const char *sid, *pid;                /* 20 characters each */
    const struct um_span *rooms; size_t n_rooms;
    struct um_span data;                  /* JSON */
};
/* One that wants to be restored; the adapter answers exactly once, from any thread. */
struct um_sio_restore;
struct um_sio_missed { struct um_sio_data *event; struct um_span offset; };   /* oldest first; without what needed an acknowledgement */
/* SESSION NULL: not known, or the offset is not. */
void um_sio_restored(struct um_sio_restore *r, const struct um_sio_session *session, const struct um_sio_missed *missed, size_t n_missed);

struct um_sio_recovery {                  /* all NULL: none (the classic and the sharded adapter) */
    /* Writes the offset of an event that goes out now to all who are meant, volatile ones and those with acknowledgement excepted,
     * and keeps it. Terminated, at most 63 characters; "" when it has none (yet): then the adapter delivers it here too, by
     * um_sio_local_broadcast with its offset, and the server does not. */
    void (*stamp)(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, char offset[64]);
    /* The session as it is now: at the connect, after a change of rooms or data, and with GONE when its connection was lost: from then
     * it is kept for MAX_MS. */
    void (*save)(void *a, const char *nsp, const struct um_sio_session *s, bool gone, int64_t max_ms);
    void (*forget)(void *a, const char *nsp, const char *pid);      /* it has said farewell */
    /* OFFSET empty: the client has had no event; all since its connect are missed. A session can be restored once. */
    void (*restore)(void *a, const char *nsp, const char *pid, struct um_span offset, struct um_sio_restore *r);
};

/* --- downwards ----------------------------------------------------------------------------------------------------- */

struct um_sio_adapter {
    const char *name;                     /* "redis", for people */
    /* Before the reactors run; S is for the calls upwards. */
    um_err (*start)(void *a, struct um_sio *s);
    void (*free)(void *a);                /* after the reactors have ended */
    /* A namespace has come into being here; it stays. Before anything else is said of it. */
    void (*open)(void *a, const char *nsp);
    /* The first member of ROOM on reactor REACTOR came, or the last one left. Sockets' own rooms included. A room has members in
     * this process while one reactor has. */
    void (*room_opened)(void *a, const char *nsp, struct um_span room, unsigned reactor);
    void (*room_closed)(void *a, const char *nsp, struct um_span room, unsigned reactor);

    void (*broadcast)(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o);
    void (*broadcast_ack)(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, struct um_sio_gather *g);
    void (*join)(void *a, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n);
    void (*leave)(void *a, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n);
    void (*disconnect)(void *a, const char *nsp, const struct um_sio_opts *o, bool close);     /* CLOSE: the transports as well */
    void (*fetch)(void *a, const char *nsp, const struct um_sio_opts *o, struct um_sio_gather *g);
    void (*rooms)(void *a, const char *nsp, const struct um_sio_opts *o, struct um_sio_gather *g);
    void (*server_emit)(void *a, const char *nsp, struct um_sio_data *event);
    void (*server_emit_ack)(void *a, const char *nsp, struct um_sio_data *event, struct um_sio_gather *g);
    /* How many processes serve NSP, this one included: CB runs once, on LOOP. */
    void (*server_count)(void *a, const char *nsp, struct um_loop *loop, void (*cb)(void *arg, unsigned n), void *arg);
    struct um_sio_recovery recovery;
};
extern const struct um_sio_adapter um_sio_alone;      /* no others: answers at once; keeps sessions in memory. Its state: NULL */

/* --- upwards: only the clients of this process are meant ------------------------------------------------------------ */

/* A namespace that does not exist here is passed over: nothing happens, answers are empty. */
void um_sio_local_broadcast(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o);

/* The same with acknowledgements, for at most opts.timeout_ms (5 s when there is none). On LOOP: CLIENTS once, with how many
 * were sent to; then ACK for each answer, with its first argument; DONE last, exactly once. */
struct um_sio_ack_sink {
    struct um_loop *loop;
    void (*clients)(void *arg, unsigned n);
    void (*ack)(void *arg, struct um_sio_data *value);
    void (*done)(void *arg);
    void *arg;
};
void um_sio_local_broadcast_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o,
                                const struct um_sio_ack_sink *sink);

void um_sio_local_join(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n);
void um_sio_local_leave(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n);
void um_sio_local_disconnect(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, bool close);

/* CB runs once, on LOOP; the values are borrowed: objects {id, handshake, rooms, data}, or strings. */
typedef void um_sio_values_cb(void *arg, struct um_sio_data *const *values, size_t n);
void um_sio_local_fetch(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *loop, um_sio_values_cb *cb, void *arg);
void um_sio_local_rooms(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *loop, um_sio_values_cb *cb, void *arg);

/* Another server said it. CB (NULL: no answer is asked for) runs at most once, on LOOP, with what the application answers. */
void um_sio_local_server_emit(struct um_sio *s, const char *nsp, struct um_sio_data *event, struct um_loop *loop,
                              void (*cb)(void *arg, struct um_sio_data *value), void *arg);

#endif
