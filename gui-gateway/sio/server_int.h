/* What the files of Socket.IO share.
 *
 * A hub is the server's part on one reactor: its clients, and of each namespace the sockets and rooms that live there. Whatever goes to
 * a namespace goes to each hub, by a message, and is done there alone. Nothing is looked up across threads. */
#ifndef SIO_SERVER_INT_H
#define SIO_SERVER_INT_H
#include <pthread.h>
#include <sio/app.h>
#include <umbel/list.h>
#include <umbel/map.h>

#include "engine.h"
#include "engine_int.h"
#include "ids.h"
#include "packet.h"

enum { SIO_NAMESPACES_MAX = 10000, SIO_NSP_NAME_MAX = 255, SIO_ANSWER_MS = 5000 };

struct sio_row {                          /* a namespace as it was added */
    struct um_list link;
    char *name;
    bool is_prefix;
    enum um_sio_rule rule;
    const struct um_sio_handlers *handlers;
    void *arg;
};

struct um_sio {
    const struct um_sio_conf *conf;
    struct um_sio_env env;
    const struct um_sio_adapter *adapter;
    void *adapter_state;
    struct eio_engines *engines, *echo;   /* echo: NULL without the conformance mode */
    struct sio_hub **hub;
    unsigned n;
    struct um_list rows;
    pthread_mutex_t lock;                 /* of `opened` */
    struct um_map opened;                 /* names of namespaces that the adapter knows of */
    _Atomic uint64_t next_ack;            /* one count for all: a broadcast has one id for everybody */
    bool ended;
};

struct sio_hub {
    struct um_sio *sio;
    unsigned index;
    struct um_loop *loop;
    struct um_map namespaces;             /* struct sio_nsp by name */
    struct um_map waits;                  /* struct sio_wait by id: acks.c */
    struct um_list dirty;                 /* sockets whose session is to be saved at the end of the turn */
    struct um_defer save;
    char *name;                           /* of the event at hand: sio.max-event-name and a NUL */
};

struct sio_nsp {                          /* on one hub */
    struct sio_hub *hub;
    char *name;
    const struct sio_row *row;
    struct um_map sockets;                /* connected ones, by id */
    struct um_list list;                  /* the same */
    struct um_map rooms;
    uint64_t mark;
    char offset[64];                      /* of the newest event that went out here; "": none, or no recovery */
};

struct sio_room {
    struct um_span name;
    struct um_sio_socket **member;
    uint32_t n, cap;
};
struct sio_place { struct sio_room *room; uint32_t at; };     /* of a socket in a room */

enum sio_socket_state { SIO_IS_CONNECTING, SIO_IS_CONNECTED, SIO_IS_GONE };
struct um_sio_socket {
    struct um_list link;                  /* in its namespace, when connected */
    struct um_list dirty;
    struct sio_client *client;
    struct sio_nsp *nsp;
    char id[SIO_ID_LEN + 1], pid[SIO_ID_LEN + 1];
    uint8_t state;
    bool recovered, told, asked;          /* told: the application knows of it; asked: the adapter, for its session */
    uint64_t mark;                        /* see rooms.c */
    struct sio_place *place;
    uint32_t n_places, cap_places;
    uint32_t n_acks;
    struct um_list acks;                  /* struct sio_pending */
    struct um_bytes *data;                /* NULL: {} */
    struct um_sio_data *auth;
    void *arg;
    struct um_sio_restore *restoring;     /* the adapter is asked */
    struct um_defer reap;
};

/* One client: an Engine.IO session with its sockets. */
struct sio_client {
    struct sio_hub *hub;
    struct eio_session *session;
    struct um_sio_socket **socket;
    uint32_t n, cap;
    struct um_timer timer;                /* until it has joined a namespace */
    struct sio_partial *partial;          /* a packet whose attachments are coming */
};

/* client.c */
extern const struct eio_app sio_client_app;
void sio_client_remove(struct sio_client *c, struct um_sio_socket *s);
void sio_client_send_away(struct eio_session *session, void *client);      /* it does not come back by itself */
void sio_client_fail(struct sio_client *c, const char *why);      /* the client broke a rule */

/* encode.c: NULL: out of memory. OFFSET: becomes the last argument; empty: none. */
struct eio_out *sio_encode(const struct sio_head *head, const struct um_sio_data *data, struct um_span offset);

/* socket.c */
struct um_sio_socket *sio_socket_new(struct sio_client *c, struct sio_nsp *nsp, struct um_sio_data *auth_adopt);
void sio_socket_start(struct um_sio_socket *s);                   /* CONNECT has been read */
void sio_socket_gone(struct um_sio_socket *s, const char *reason);   /* tells the application, leaves all rooms; freed in the reap step */
void sio_socket_event(struct um_sio_socket *s, const struct sio_packet *p, struct um_sio_data *args);
void sio_socket_put(const struct um_sio_socket *s, struct um_buf *out);     /* as fetchSockets shows it */

/* rooms.c */
struct sio_nsp *sio_nsp_find(struct sio_hub *h, struct um_span name);       /* NULL: not here */
struct sio_nsp *sio_nsp_need(struct sio_hub *h, struct um_span name);       /* made when there is a row for it; NULL: invalid */
void sio_nsp_enter(struct um_sio_socket *s);
void sio_nsp_exit(struct um_sio_socket *s);
void sio_nsp_free(struct sio_nsp *n);
/* FN for everybody who is meant, once each. FN may end the socket that it is given, and no other. */
void sio_each_target(struct sio_nsp *n, const struct um_sio_opts *o, void (*fn)(void *arg, struct um_sio_socket *s), void *arg);

/* acks.c */
struct sio_waiter {
    void (*value)(void *arg, struct um_sio_data *args);           /* for each answer */
    void (*done)(void *arg, unsigned n_missing);                  /* once, last */
    void *arg;
};
struct sio_wait;
struct sio_wait *sio_wait_new(struct sio_hub *h, uint64_t id, int64_t timeout_ms, const struct sio_waiter *w);
bool sio_wait_add(struct sio_wait *w, struct um_sio_socket *s);   /* false: too many; the client is closed */
void sio_wait_armed(struct sio_wait *w);                          /* all are added */
void sio_acks_take(struct um_sio_socket *s, uint64_t id, struct um_sio_data *args);
void sio_acks_forget(struct um_sio_socket *s);                    /* it is gone */
void sio_waits_end(struct sio_hub *h);

/* jobs.c: the same for each hub */
struct sio_job {
    _Atomic uint32_t refs;
    struct um_sio *sio;
    char *nsp;
    struct um_sio_opts opts;              /* a copy */
    void (*run)(struct sio_job *j, struct sio_hub *h);            /* on each hub */
    void (*end)(struct sio_job *j);       /* when it has run on all, on the last one's thread; may be NULL */
    struct eio_out *out;
    const struct um_span *names;          /* a copy */
    size_t n_names;
    bool flag;
    int64_t number;
    struct um_sio_data *event;
    char offset[64];
    void *arg;
    void *memory;
    struct sio_leg { struct um_msg msg; struct sio_job *job; struct sio_hub *hub; } leg[];
};
struct sio_job *sio_job_new(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *names, size_t n);
void sio_job_run(struct sio_job *j);      /* here at once when this is a hub's thread, else by a message; takes the reference */

/* recovery.c */
bool sio_recovers(const struct um_sio *s);
bool sio_restore_begin(struct um_sio_socket *s);                  /* true: the answer comes later */
void sio_restore_cancel(struct um_sio_socket *s);
void sio_save_soon(struct um_sio_socket *s);
void sio_save_gone(struct um_sio_socket *s, bool may_come_back);

/* conformance.c, lab.c */
extern const struct eio_app sio_echo_app;
void sio_add_conformance(struct um_sio *s);
void sio_add_lab(struct um_sio *s);

#endif
