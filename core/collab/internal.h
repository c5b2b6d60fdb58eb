/* What the files of this module share.
 *
 *   engine.c    one hub per reactor, accepting sockets, orders for all hubs
 *   list.c      what is open, for administrators
 *   conn.c      a socket: addresses, admission, limits before it
 *   seat.c      the link of one socket to one document, over two loops when it must
 *   rights.c    what reservations take from a seat
 *   doc.c       an open document: its life, what its seats may say
 *   outbox.c    one turn's changes to all readers, encoded once
 *   persist.c   log, acknowledgements, folding, loading
 *   folder.h    folding by workers
 *   elsewhere.c what other processes wrote
 *   legs.c      readers behind a gateway: what they have, and where they go
 *   work.c      what the server itself reads and changes
 *   told.c      changes on their way to a service outside
 *   presence.c  who is here              message.c  frames
 *   bus.h       the other cores: bus_native.c, bus_peer.c, bus_wire.c over a bus_port: bus_redis.c,
 *               bus_streams.c and bus_tail.c with bus_adopt.c
 *               stock servers: bus_stock.c, bus_stock_peer.c, bus_stock_lock.c, bus_stock_wire.c        */
#ifndef COLLAB_INTERNAL_H
#define COLLAB_INTERNAL_H
#include <pthread.h>
#include <umbel/collab.h>
#include <umbel/crdt.h>
#include <umbel/list.h>
#include <umbel/log.h>
#include <umbel/map.h>
#include "bus.h"
#include "folder.h"
#include "counters.h"
#include "presence.h"
#include "message.h"

#define PRESENCE_MS  30000               /* y-protocols: a state that was not renewed for so long is dropped */

/* ---- engine ------------------------------------------------------------------------------------------------ */

struct hub {                             /* the part on one reactor */
    struct um_collab *engine;
    struct um_loop *loop;
    struct um_map docs;                  /* name -> struct doc */
    struct um_list conns, all_docs;
    struct um_timer sweep;               /* keep-alive, presence expiry */
    struct um_timer resync;              /* elsewhere.c */
    struct um_timer drain_timer;         /* until then gateways may take their documents elsewhere */
    size_t asked_docs;                   /* how many of all_docs were compared in this round */
    bool asking;
    struct um_bytes *keep_alive, *keep_alive_bare;
    struct bus_hub bus;
    struct folder *folder;               /* folder.h; NULL: no streams */
    struct um_list judging;              /* judge.c */
    bool draining;
    void (*drained)(struct hub *h);      /* set while draining: called when nothing is left */
};

struct um_collab {
    struct um_reactors *reactors;
    struct um_store *store;
    struct um_collab_conf cf;
    struct um_ws_conf ws;
    struct um_collab_hooks hooks;
    struct hub *hubs;
    unsigned n_hubs;
    uint64_t bus_run;                    /* 48 random bits: this run of this process, on the bus */
    char *member;                        /* what the other cores call us; NULL: alone */
    char identifier[37 + 5];             /* what stock servers call us, unless a property says so */
    uint64_t started_ms;
    struct um_cluster *cluster;
    bus_open_port *open_port;
    struct um_redis *redis;
    void *port_ctx;
    pthread_mutex_t lock;                /* over `open`: touched when seats come and go, never per message */
    struct um_map open;                  /* document -> number of connections, for administrators */
    struct {
        _Atomic unsigned left;           /* reactors that hold something, and sockets on their way between two */
        struct um_loop *loop;
        void (*done)(void *arg);
        void *arg;
    } drain;
};
struct hub *hub_of_document(struct um_collab *c, struct um_span name);
void hub_check_drained(struct hub *h);
void hub_expect(struct hub *h);          /* a socket sets out from H */
void hub_welcome(struct hub *h);         /* and reaches H, before it is listed there */

/* ---- socket -------------------------------------------------------------------------------------------------- */

struct bucket { double tokens; int64_t at_ms; };

struct conn {
    struct hub *hub;
    struct um_list link;                 /* in hub->conns */
    struct um_ws *ws;                    /* NULL once on_close ran */
    struct um_list seats;                /* struct seat.in_conn */
    struct um_list waiting;              /* struct waiting: addresses that were not admitted yet */
    uint64_t id;
    unsigned n_seats, n_waiting;
    size_t queued_bytes, queued_frames;  /* of what waits for admission */
    bool bare;                           /* y-websocket: one document, no addresses */
    bool is_leg;                         /* a gateway's, which hands documents over */
    bool admitted_once;
    bool has_identity;
    bool congested;
    struct um_timer deadline;            /* admission; later the end of a rate pause */
    struct bucket updates, bytes;
    struct um_collab_identity *identity; /* proven at the handshake, or NULL */
    struct um_bytes *parameters;         /* of its URL, or NULL */
    char *address;
};
void conn_accept(struct hub *h, int fd, struct um_span early, const struct um_collab_peer *peer);
void conn_keep_alive(struct conn *c, int64_t now_ms);
void conn_drain(struct conn *c);
/* From a seat (always on the conn's loop): */
void conn_deliver(struct conn *c, struct um_bytes *head, struct um_bytes *rest);
/* A judgement that waits for its answer (judge.c). It holds the identity that it is about. */
struct judging;
typedef void judged_fn(void *subject, enum um_collab_right right);
/* JOINS: WHO is not in yet, so the service outside is asked too. NULL: nobody has anything against it. Else FN runs later, on H's
 * loop, unless the subject is forgotten before. */
struct judging *judge_ask(struct hub *h, struct um_span document, const struct um_collab_identity *who, bool joins, judged_fn *fn, void *subject);
void judge_forget(struct judging *j);    /* NULL is fine */
const struct um_collab_identity *judge_identity(const struct judging *j);
const char *judge_reason(const struct judging *j);       /* of a refusal */
void judge_free_all(struct hub *h);      /* nobody answers any more */
/* A copy with a reference of its own; dropping gives it back. */
void identity_copy(struct um_collab_identity *to, const struct um_collab_identity *from);
void identity_drop(struct um_collab_identity *who);

#define CLOSE_DENIED 4503                /* y-websocket: 44xx would be final */
enum end_how { END_CLOSE, END_CLOSE_AND_ASK, END_SOCKET };
struct seat;
void conn_seat_ended(struct conn *c, struct seat *s, const char *reason, enum end_how how, unsigned code);

/* ---- seat ------------------------------------------------------------------------------------------------------ */

/* One socket at one document. Two ends, which may live on two loops: each field belongs to the end it stands under.
 * The socket's end says `leave` as its last word; the document's end answers `gone`; then the seat is freed on the socket's loop. */
struct seat {
    /* constant after seat_open */
    struct um_loop *conn_loop, *doc_loop;
    struct hub *doc_hub;
    struct um_collab_identity who;
    bool bare;                           /* y-websocket */
    bool is_leg;                         /* a gateway's (legs.c) */
    bool speaks_4x;                      /* sent a version string with its token */
    bool has_session;                    /* address carries a session: frames cannot be shared */
    struct um_bytes *addr;               /* length-prefixed address as it stands in frames; empty when bare */
    struct um_bytes *name;
    /* the socket's end */
    struct conn *conn;                   /* NULL after leave */
    struct um_list in_conn;
    /* the document's end */
    struct doc *doc;                     /* NULL before join and after the document let go */
    struct um_list in_doc;
    struct um_list held;                 /* frames that came while the document was loading (struct held_frame) */
    size_t held_bytes;
    struct um_buf behind_sv;             /* fell behind: what it had when we stopped sending */
    unsigned own_items;                  /* of this turn's changes (outbox.c) */
    bool is_behind;
    uint64_t asked_clock;                /* was told that its presence under this clock had been taken for gone; 0: never */
    uint64_t client;                     /* the Yjs client that it was last seen to be; 0: none */
    bool has_state;                      /* legs.c: was sent all that it lacked */
    bool has_moved;                      /* legs.c: goes on at another core */
    bool in_flush;                       /* gets this turn's changes, even if it falls behind meanwhile */
    bool counted;                        /* in engine->open */
    /* rights.c */
    enum um_collab_right right;          /* as the document's own rights have it */
    struct judging *judging;             /* being judged again */
    bool judge_again;                    /* and once more behind that */
    bool held_back;                      /* may not write: somebody else has reserved the document, or RIGHT */
    unsigned owed;                       /* changes that were refused for that, and not been sent again */
    int64_t judged_until_ms, told_wrote_ms;
};

/* From the socket's end. */
struct seat *seat_open(struct conn *c, const struct wire_frame *f, const struct um_collab_identity *who, bool speaks_4x,
                       enum um_collab_right right, bool held_back);
void seat_say(struct seat *s, uint64_t type, struct um_span body);
void seat_leave(struct seat *s);                         /* S is invalid afterwards for the socket's end */
void seat_tell_congestion(struct seat *s, bool congested);
/* From the document's end. BYTES: whole frames, or HEAD and REST together one frame; references are taken. */
void seat_send(struct seat *s, struct um_bytes *bytes);
void seat_send_two(struct seat *s, struct um_bytes *head, struct um_bytes *rest);
void seat_send_frame(struct seat *s, enum wire_type type, int kind, struct um_span payload);
void seat_send_bare(struct seat *s, enum wire_type type, int kind);
void seat_end(struct seat *s, const char *reason, enum end_how how, unsigned code);   /* detaches it from its document */
struct um_span seat_address(const struct seat *s);       /* without its length */
static inline struct wire_addr seat_addr(const struct seat *s) { return (struct wire_addr){ um_bytes_span(s->addr) }; }

/* ---- document --------------------------------------------------------------------------------------------------- */

#define DOC_STATES(X) X(LOADING) X(OPEN) X(IDLE) X(UNLOADING) X(ENDING) X(GONE)
enum doc_state {
#define X(s) DOC_##s,
    DOC_STATES(X)
#undef X
    DOC_N
};

struct pending {                         /* one append that is not committed yet, or a marker behind others (no bytes) */
    struct um_list link;                 /* in doc->pending, in order of arrival */
    struct doc *doc;
    struct seat *seat;                   /* who waits for the acknowledgement; NULL: nobody (any more) */
    struct work *work;                   /* or what does; else NULL */
    struct um_bytes *bytes;
    uint64_t number;                     /* among our appends, for other cores */
    uint64_t nth;                        /* of the document's; told.c */
    bool stored;
    bool failed;                         /* waits for the retry timer */
    bool refused;                        /* the document was deleted */
    char user[129];
};

struct held_frame {                      /* said while the document was loading */
    struct um_list link;
    uint64_t type;
    struct um_bytes *body;
};

/* told.c: what is due to be told of the changes of a document. */
struct told {
    int64_t token;                       /* of the mark that holds for the next change; 0: none */
    int64_t marked_ms, last_ms;
    bool marking;
    uint64_t n_appends;                  /* so far */
    struct um_collab_identity who;       /* made the last change */
    struct um_timer timer, retry;
    struct um_list tellings;             /* struct telling: marks that hold for no further change */
};

struct outbox_item { size_t at, len; struct seat *origin; };

struct doc {
    struct hub *hub;
    struct um_list link;                 /* in hub->all_docs */
    enum doc_state state;
    int64_t since_ms;
    char *name;
    struct um_crdt *crdt;
    struct um_list seats;
    unsigned n_seats;
    struct presence presence;
    struct um_map writers;               /* rights.c: user -> connections that may write */
    struct um_bytes *plain_addr;         /* address of everybody without a session */
    /* this turn's changes (outbox.c) */
    struct um_buf updates;               /* payloads, one after the other */
    struct outbox_item *items;
    size_t n_items, cap_items;
    struct um_defer flush;
    bool flushing;
    /* the joiner's copy of the state (outbox.c) */
    struct { struct um_bytes **piece; size_t n; size_t bytes; struct um_buf sv; bool fresh; } copy;
    /* persistence (persist.c) */
    struct um_list pending;
    size_t unstored_bytes;
    bool loading, begun;                 /* BEGUN: the service was asked what it begins with */
    bool exists;                         /* in the store, as far as we know */
    struct um_list work;                 /* struct work that waits for the document */
    uint64_t version, last_seq, folded_seq;  /* last_seq: all rows up to it are in crdt (elsewhere.c) */
    uint64_t own_seq;                    /* the highest number that a row of ours got */
    bool catching_up, look_again;
    bool overwritten;                    /* a foreign state is in the store, which may lack what ours has */
    size_t log_rows, log_bytes;          /* above the folded state */
    int64_t first_unfolded_ms, last_change_ms;
    bool fold_running;
    uint64_t fold_upto;
    struct um_bytes *fold_state;         /* while the fold runs, for hooks.folded */
    size_t fold_bytes;                   /* log_bytes when the fold began */
    int64_t retry_ms;
    struct um_timer fold_timer, retry_timer, catch_up_timer, unload_timer;
    struct told told;
    struct bus_doc bus;
    struct um_timer reload_timer;
    struct um_timer mark_timer;              /* legs.c */
    bool too_large;                      /* over collab.max-document: read-only */
    struct um_bytes *ack_plain;          /* SyncStatus 1 for everybody without a session, built once */
};
const char *doc_state_name(enum doc_state s);
struct doc *doc_get(struct hub *h, struct um_span name, bool create);
void doc_join(struct seat *s);
void doc_say(struct seat *s, uint64_t type, struct um_span body);
void doc_leave(struct seat *s);          /* S leaves its document; no message to it */
void doc_congestion(struct seat *s, bool congested);
void doc_go(struct doc *d, enum doc_state to, const char *why);
void doc_loaded(struct doc *d);          /* LOADING is over: greet and work off what was held */
void doc_end(struct doc *d, const char *reason, enum end_how how, unsigned code);   /* all seats out, nothing more stored */
void doc_reload(struct doc *d);          /* D goes as soon as the store has all of it, and its seats are asked to come back */
void doc_close_seats(struct doc *d, const char *reason);                            /* all seats out; they are asked to come back */
void doc_settle(struct doc *d);          /* something finished: unload when nothing is left to do */
bool doc_take_presence(struct doc *d, struct seat *s, struct um_span body, bool is_vouched);     /* false: the seat has ended */
void doc_ask_contested(struct doc *d);   /* those that presence.c wants to hear from again */
void doc_presence_sweep(struct doc *d, int64_t now_ms, int64_t age_ms);
/* A document that nobody has changed for long keeps only its encoded state. Returns the bytes that this has encoded. */
size_t doc_rest(struct doc *d, int64_t now_ms);

bool doc_takes_changes(const struct doc *d);             /* not too large, nor too much of it unstored */
/* A change of clients of a stock server: readers get it and the log, unless it brings nothing. */
um_err doc_take_told(struct doc *d, struct um_span update, bool *changed);

/* rights.c */
bool rights_may_change(const struct um_collab *e, const char *document, const char *user, int64_t *until_ms);
void rights_join(struct doc *d, struct seat *s);
void rights_leave(struct doc *d, struct seat *s);
bool rights_let_write(struct doc *d, struct seat *s);
void rights_wrote(struct doc *d, struct seat *s);        /* S has changed D */
void rights_refused(struct seat *s, bool known);         /* a change of S was not taken; KNOWN: it brought nothing new */
void rights_took_all(struct doc *d, struct seat *s);     /* a Step2 of S was taken */

/* outbox.c */
void outbox_init(struct doc *d);
void outbox_add(struct doc *d, struct um_span update, struct seat *origin);
void outbox_applied(struct doc *d, const struct um_crdt_applied *a, struct seat *origin);    /* all that it brought */
void outbox_flush(struct doc *d);
void outbox_presence(struct doc *d);                     /* presence has dirty entries */
void outbox_forget_seat(struct doc *d, struct seat *s);
void outbox_drop_copy(struct doc *d);
bool outbox_send_state(struct doc *d, struct seat *s, struct um_span sv);   /* Step2, in pieces when large; false: no memory */
void outbox_catch_up(struct doc *d, struct seat *s);     /* S was behind and has drained */
void outbox_free(struct doc *d);

/* legs.c */
void legs_changed(struct doc *d);                        /* marks are due, soon */
void legs_mark(struct doc *d, struct seat *s);           /* S has been sent all that there is */
bool legs_hear(struct doc *d, struct seat *s, struct um_span body);      /* false: the seat has ended */
void legs_leave(struct doc *d, struct seat *s);          /* S's presence, as it leaves */

/* elsewhere.c */
void elsewhere_start(struct hub *h);                     /* on its loop */
void elsewhere_catch_up(struct doc *d);                  /* reads what the log has above last_seq */
void elsewhere_look(struct doc *d);                      /* the same, for what is in the store now: also while it is being read */
void elsewhere_note_gap(struct doc *d);                  /* rows between last_seq and own_seq are not known yet */
void elsewhere_free(struct doc *d);

/* work.c */
struct work;
void work_run(struct doc *d);                            /* what waits, now that D is loaded */
void work_give_up(struct doc *d, um_err err);
void work_finish(struct work *w, um_err err);
const char *work_user(const struct work *w);

/* told.c */
void told_init(struct doc *d);
bool told_may_append(struct doc *d);                     /* false: told_init's document submits again when there is a mark */
void told_note(struct doc *d, struct pending *p);        /* P is a new change */
void told_stored(struct doc *d);                         /* one more is stored */
void told_hurry(struct doc *d);                          /* nobody will change D any more: it is told as soon as it is stored */
void told_give_up(struct doc *d);                        /* D is gone, and with it what was to be told */
bool told_is_settled(const struct doc *d);
bool told_is_asking(const struct doc *d);                /* the service has yet to answer */
void told_free(struct doc *d);

/* persist.c */
size_t persist_submit_waiting(struct doc *d);            /* appends that were held back, or failed: so many */
void persist_retry_later(struct doc *d);
void persist_load(struct doc *d);
/* Applies what the store has; an error means that the stored bytes are not a document of ours. RELAY: readers are told. */
um_err persist_take(struct doc *d, const struct um_store_loaded *doc, bool relay);
/* Appends BYTES (copied; none: a marker) and acknowledges S when it and all before it are durable. */
void persist_append(struct doc *d, struct um_span bytes, struct seat *s);
void persist_append_work(struct doc *d, struct um_span bytes, struct work *w);      /* BYTES: some; W may be NULL */
void persist_forget_seat(struct doc *d, const struct seat *s);
void persist_give_up(struct doc *d);                     /* nothing is stored any more; what is in flight comes to its end */
void persist_changed(struct doc *d);
void persist_fold_now(struct doc *d);
void persist_fold_go(struct doc *d);                     /* the bus lets it: bus_ops.fold */
bool persist_is_settled(const struct doc *d);            /* nothing unstored, nothing in flight, nothing unfolded */
void persist_free(struct doc *d);

#endif
