/* The collaboration engine: Hocuspocus providers 2.x, 3.x and 4.x and y-websocket clients on one side, the store's change
 * log on the other. One engine per process; a document lives on the reactor hash(name) % n, a socket moves to the
 * reactor of its first document. Protocol: docs/collaboration.md.
 *
 * An edit's way: validate and integrate; relay to the other readers; append to the log; SyncStatus 1 after the commit. */
#ifndef UMBEL_COLLAB_H
#define UMBEL_COLLAB_H
#include <jansson.h>
#include <umbel/bytes.h>
#include <umbel/crdt.h>
#include <umbel/loop.h>
#include <umbel/store.h>
#include <umbel/ws.h>

struct um_collab;
struct um_conf_table;

enum um_collab_ack { UM_COLLAB_DURABLE, UM_COLLAB_MEMORY };
enum um_collab_auth { UM_COLLAB_REQUIRED, UM_COLLAB_ANONYMOUS };
enum um_collab_transport { UM_COLLAB_PUBSUB, UM_COLLAB_STREAMS };
enum um_collab_mode { UM_COLLAB_NATIVE, UM_COLLAB_HOCUSPOCUS };

struct um_collab_conf {                  /* key rows: um_collab_conf_table */
    int ack;                             /* enum um_collab_ack */
    int authentication;                  /* enum um_collab_auth */
    bool sync_before_serve;              /* the first reader waits for what other cores have in memory */
    int64_t sync_timeout_ms;             /* but no longer */
    int64_t compare_interval_ms;         /* state vectors of documents that several cores have open */
    int cluster_mode;                    /* enum um_collab_mode */
    int transport;                       /* enum um_collab_transport */
    bool works;                          /* core.roles has worker: what the dead left in the streams is stored here */
    const char *redis_prefix, *redis_identifier;         /* of stock channels; "" = an identifier made up at the start */
    int64_t redis_lock_timeout_ms, redis_disconnect_delay_ms;
    bool echo;                           /* send a writer its own update back, as stock does */
    bool presence_bind;
    int64_t debounce_ms, max_debounce_ms, unload_delay_ms, rest_after_ms, fold_max_age_ms,
            resync_interval_ms;
    int64_t fold_rows;                   /* so many log rows are folded without waiting */
    int64_t piece_bytes;                 /* a larger state goes in pieces */
    int64_t auth_timeout_ms, keep_alive_ms;
    int64_t drain_spread_ms;             /* for gateways to take their documents elsewhere */
    int64_t max_queued_bytes, max_queued_frames, max_pending_documents;   /* before admission, per socket */
    int64_t max_documents;               /* per socket */
    int64_t max_name_bytes, max_token_bytes;
    int64_t max_update_bytes, max_document_bytes;
    int64_t unsaved_document_bytes, unsaved_process_bytes;
    int64_t rate_updates, rate_updates_burst;
    int64_t rate_bytes, rate_bytes_burst;
    int64_t max_presence_state, max_presence_frame, max_presence_ids, max_presence_ids_document;
    int64_t max_stateless;
};
extern const struct um_conf_table um_collab_conf_table;

/* Who speaks. The engine copies it, and takes a reference of its own to WHO. */
struct um_collab_identity {
    char user[129];                      /* "" = anonymous */
    bool read_only;
    struct um_bytes *who;                /* what `judge` has to know of him beside it; may be NULL. A reference: whoever made
                                          * the identity gives it back, of `authenticate` the engine */
    struct um_bytes *context, *parameters;   /* what services outside are told of the connection: JSON objects, or NULL: nothing.
                                              * The engine's, likewise */
};

/* UNKNOWN: it cannot be told now. Nobody is let in by it, nor told that he may not: his socket ends with 1013, and he comes again. */
enum um_collab_right { UM_COLLAB_UNKNOWN, UM_COLLAB_NONE, UM_COLLAB_READ, UM_COLLAB_WRITE };
typedef void um_collab_right_cb(void *arg, enum um_collab_right right);

/* A service outside that is told of connections and changes (umbel/webhook.h). A member may be NULL, but MARK and TELL together.
 * Callbacks run once, on L, never inside the call, unless the process ends before; what they are given is borrowed. WHO and his
 * texts are the caller's. On any reactor: nothing here may block. */
struct um_collab_service {
    void *ctx;
    /* WHO, who may read DOCUMENT, is about to join it. False: he may. Else CB: he may, with CONTEXT (NULL: none) told of him from then
     * on; or REASON (at most 63 characters) is why not; REASON "": it cannot be told now, and he comes again. */
    bool (*join)(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
                 void (*cb)(void *arg, bool may, const char *reason, struct um_bytes *context), void *arg);
    void (*left)(void *ctx, const char *document, const struct um_collab_identity *who);
    /* DOCUMENT has no content. False: it stays so. Else CB: the STATE it begins with, or NULL. WHO opens it. */
    bool (*begin)(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
                  void (*cb)(void *arg, struct um_bytes *state), void *arg);
    /* DOCUMENT is about to be changed by WHO: a mark TOKEN is put into the store, so that whatever becomes of this process, somebody
     * tells. Afterwards, when what was changed is stored: it is told, and the mark goes. */
    void (*mark)(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                 void (*cb)(void *arg, um_err err), void *arg);
    void (*tell)(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                 void (*cb)(void *arg, um_err err), void *arg);
    int64_t tell_after_ms, tell_by_ms;   /* after the last change; but after the first one at the latest */
};

struct um_collab_hooks {
    /* Is TOKEN good for DOCUMENT? Runs on the socket's reactor, any of them: must not block. On refusal REASON (at most
     * 63 characters) is what the client is told. */
    um_err (*authenticate)(void *ctx, struct um_span token, struct um_span document, struct um_collab_identity *who, char reason[64]);
    /* What may WHO do with DOCUMENT, beside what his token says? False: all; the document has no rights of its own. Else CB runs
     * once, on L, not inside the call, unless the process ends before. On any reactor: it must not block. Asked when he
     * joins, and at um_collab_judge_again. May be NULL. */
    bool (*judge)(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
                  um_collab_right_cb *cb, void *arg);
    /* Reservations; each may be NULL. On any reactor: they must not block.
     * May USER ("": anonymous) change DOCUMENT now? Ask again after UNTIL_MS (um_now_ms; INT64_MAX: told otherwise by
     * um_collab_reservation_changed). */
    bool (*may_change)(void *ctx, const char *document, const char *user, int64_t *until_ms);
    /* USER has changed DOCUMENT, whose judgement has an end; at most once a second and connection. */
    void (*changed)(void *ctx, const char *document, const char *user);
    /* The first connection that may write as USER has joined DOCUMENT; the last one has left. */
    void (*editing)(void *ctx, const char *document, const char *user, bool begins);
    /* STATE of DOCUMENT (borrowed) has been stored whole, so often as documents are folded. On its reactor L. May be NULL. */
    void (*folded)(void *ctx, struct um_loop *l, const char *document, struct um_bytes *state);
    void *ctx;
    const struct um_collab_service *service;         /* outlives the engine; may be NULL */
};

um_err um_collab_new(struct um_collab **out, struct um_reactors *reactors, struct um_store *store,
                     const struct um_collab_conf *cf, const struct um_ws_conf *ws, const struct um_collab_hooks *hooks);
/* Works as one with the other cores, by way of REDIS (not NULL), as the member of CLUSTER that we are. Before the reactors start. */
struct um_redis;
struct um_cluster;
void um_collab_join(struct um_collab *c, struct um_redis *redis, struct um_cluster *cluster);
/* All reactors have stopped. */
void um_collab_free(struct um_collab *c);

/* A socket that HTTP handed over on loop L (FD is closed by the engine, EARLY is copied). IDENTITY: proven at the
 * handshake (the gateway's token), or NULL. ROOM: the y-websocket room, or NULL for the Hocuspocus protocol. */
struct um_collab_peer {
    const struct um_collab_identity *identity;
    const char *room;
    const char *address;                 /* for the log */
    struct um_bytes *parameters;         /* of its URL, a JSON object for services outside; may be NULL. The engine takes its own reference */
    bool is_leg;                         /* of a gateway that hands documents over (docs/collaboration.md) */
};
void um_collab_accept(struct um_collab *c, struct um_loop *l, int fd, struct um_span early, const struct um_collab_peer *peer);

/* --- any thread -------------------------------------------------------------------------------------------- */
struct um_collab_stats { int64_t documents, sockets, connections, unstored_bytes; };
struct um_collab_stats um_collab_get_stats(struct um_collab *c);
int64_t um_collab_connections_of(struct um_collab *c, const char *document);

/* Work of the server on DOCUMENT. WORK runs where the document lives, when it is loaded and before anybody else's next
 * change; it must not block. It may read CRDT, or edit it between um_crdt_begin and um_crdt_commit with APPLIED, which
 * comes as zeros. The state covers the store's log up to SEQ, and may hold more. DONE runs on L, after an edit only when
 * that is durable, with WORK's error or UM_ENOTFOUND: no such document; UM_EUNAVAIL: it cannot be loaded, or be changed
 * now. An edit that was made and then could not be stored is UM_EUNAVAIL too: nobody knows. */
typedef um_err um_collab_work(void *arg, struct um_crdt *crdt, uint64_t seq, struct um_crdt_applied *applied);
typedef void um_collab_done(void *arg, um_err err);
void um_collab_work_on(struct um_collab *c, struct um_loop *l, const char *document, const char *user,
                       um_collab_work *work, um_collab_done *done, void *arg);

/* --- what is open, for administrators: any thread; DONE runs once on L -------------------------------------------- */
enum { UM_COLLAB_ROWS_MAX = 1000 };
struct um_collab_filter {                /* copied; NULL or "": any */
    const char *document, *user;         /* that one alone; USER of sockets only */
    const char *contains;                /* of a document's name, in any case */
    const char *under;                   /* documents whose names begin so, and sockets that have one of them open; */
    bool or_free;                        /* or of names that do not begin with UM_STORE_UNLISTED */
    const char *after;                   /* names, or ids, behind this one */
    size_t max;                          /* rows, at most UM_COLLAB_ROWS_MAX */
};
/* ROWS: an array sorted by name, or id; DONE's from then on. FOUND: how many there are. */
typedef void um_collab_rows_fn(void *arg, json_t *rows_adopt, size_t found);
/* {"name","state","connections","present","otherCores","unstoredBytes","reactor","bytes","memoryBytes","logRows","logBytes",
 *  "lastSeq","readOnly","resting","stateForMs","unchangedForMs"}; with filter.document the figures of its history too. */
void um_collab_list_documents(struct um_collab *c, struct um_loop *l, const struct um_collab_filter *f, um_collab_rows_fn *done, void *arg);
/* {"id","user","address","protocol","reactor","bytesIn","bytesOut","messagesIn","messagesOut","queuedBytes","behind","ageMs",
 *  "silentMs","documentCount","documents":[{"name","user","readOnly"}]}; READONLY: says its token. A socket that is on its way between two reactors is
 * left out. */
void um_collab_list_sockets(struct um_collab *c, struct um_loop *l, const struct um_collab_filter *f, um_collab_rows_fn *done, void *arg);
/* Closes the socket ID (4205: its client may come back), if F would list it, with REASON, cut to what a Close frame holds. FOUND: 1 or
 * 0; no rows. */
void um_collab_close_socket(struct um_collab *c, struct um_loop *l, uint64_t id, const struct um_collab_filter *f, const char *reason,
                            um_collab_rows_fn *done, void *arg);
/* DOCUMENT is read from the store again, here, as soon as nothing of it is unstored: its connections are asked to come back. */
void um_collab_reload(struct um_collab *c, const char *document);

/* Closes the connections of DOCUMENT (NULL: of all) with REASON; clients that understand it are asked to come back at once. */
void um_collab_close_documents(struct um_collab *c, const char *document, const char *reason);
/* Who may change DOCUMENT is another now: its connections are judged anew, and told. NOTE (may be NULL): goes to each of them
 * as a stateless message. Any thread. */
void um_collab_reservation_changed(struct um_collab *c, const char *document, const char *note);
/* Rights of the documents whose names begin with PREFIX may be others now: all their connections are judged again. Who may only
 * read is told so, and told again when he may write; who may not even read is sent away ("permission-denied"). Any thread. */
void um_collab_judge_again(struct um_collab *c, const char *prefix);
/* DOCUMENT was deleted in the store: its editors are told "deleted", what is unstored is dropped. */
void um_collab_forget(struct um_collab *c, const char *document);
/* Ends every socket (1012), stores what is unstored, folds; DONE runs on L when nothing is left open. */
void um_collab_drain(struct um_collab *c, struct um_loop *l, void (*done)(void *arg), void *arg);

#endif
