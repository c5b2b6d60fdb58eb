/* One call of the store on its way: from the caller's thread to the writer or a reader, with its result back to the
 * caller's loop. One allocation; the strings stand behind the struct. Exactly one thread has it at any time. */
#ifndef STORE_OP_H
#define STORE_OP_H
#include <umbel/store.h>
#include <umbel/store_work.h>
#include "shared.h"

enum store_kind {
    STORE_APPEND, STORE_FOLD, STORE_CREATE, STORE_TITLE, STORE_DELETE,   /* the writer's */
    STORE_CLIENT, STORE_KEEP, STORE_LABEL, STORE_ARCHIVE, STORE_DROP,
    STORE_RAISE, STORE_REVOKE, STORE_RESERVE, STORE_RENEW, STORE_RELEASE, STORE_BREAK, STORE_AUDIT,    /* of shared tables */
    STORE_WORK,                                                          /* a unit */
    STORE_LOAD, STORE_SINCE, STORE_GET, STORE_LIST, STORE_HEADS,         /* the readers' */
    STORE_VERSIONS, STORE_VERSION, STORE_VERSIONS_BEFORE, STORE_CLIENTS,
    STORE_VIEW,                                                          /* an inspection */
    STORE_CACHES, STORE_REVOCATIONS, STORE_RESERVATIONS, STORE_RESERVED, STORE_AUDITS,                 /* of shared tables */
};
static inline bool store_is_read(enum store_kind kind) { return kind >= STORE_LOAD; }
static inline bool store_is_shared(enum store_kind kind)
{
    return (kind >= STORE_RAISE && kind <= STORE_AUDIT) || kind >= STORE_CACHES;
}

/* Lets what is on its way to a loop know that the store has been closed: no callbacks any more. */
struct store_gate;
struct store_gate *store_gate_new(void);
void store_gate_close(struct store_gate *g);       /* and drops the maker's reference */

/* What um_store_load answers, with the memory behind it. */
struct store_log { struct um_store_loaded doc; struct um_buf bytes; size_t cap; };
struct store_log *store_log_new(void);
/* Copies one row of the log; false: out of memory. */
bool store_log_add(struct store_log *lg, uint64_t seq, struct um_span bytes) UM_CHECK_RESULT;
void store_log_finish(struct store_log *lg);       /* sets the borrowed parts, after the last row */
void store_log_free(struct store_log *lg);

/* Entries of a list; one entry for calls that answer with one. Strings are ours. */
struct store_page { struct um_store_page page; struct um_store_entry *rows; size_t cap; };
struct store_page *store_page_new(void);
/* Copies E's strings; false: out of memory. */
bool store_page_add(struct store_page *pg, const struct um_store_entry *e) UM_CHECK_RESULT;
void store_page_finish(struct store_page *pg);
void store_page_free(struct store_page *pg);

/* Versions; for calls that answer with one, the first with its state. Strings are ours. */
struct store_versions { struct um_store_versions page; struct um_store_version *rows; size_t cap; struct um_bytes *state; };
struct store_versions *store_versions_new(void);
bool store_versions_add(struct store_versions *v, const struct um_store_version *row) UM_CHECK_RESULT;   /* copies strings */
void store_versions_free(struct store_versions *v);

struct store_clients { struct um_store_client *rows; size_t n, cap; };
struct store_clients *store_clients_new(void);
bool store_clients_add(struct store_clients *c, uint64_t client, const char *user) UM_CHECK_RESULT;
void store_clients_free(struct store_clients *c);

/* The place where a page ends: the moment of its last entry's change and that document's id. */
struct store_cursor { int64_t at_ms, id; };
#define STORE_CURSOR_TEXT 64
void store_cursor_format(struct store_cursor c, char out[STORE_CURSOR_TEXT]);
um_err store_cursor_parse(const char *text, struct store_cursor *out) UM_CHECK_RESULT;

/* The first CAP entries of a list, newest change first. */
struct store_best { struct store_cursor *rows; size_t n, cap; };
bool store_comes_before(struct store_cursor a, struct store_cursor b);
void store_best_keep(struct store_best *b, struct store_cursor row);

struct store_op {
    struct um_msg msg;               /* of the first op of a delivery */
    struct store_op *next;
    struct um_loop *loop;            /* NULL: nobody waits for the answer */
    struct store_gate *gate;         /* borrowed until delivery */
    enum store_kind kind;
    union {
        um_store_load_cb *load;
        um_store_append_cb *number;
        um_store_entry_cb *entry;
        um_store_page_cb *page;
        um_store_heads_cb *heads;
        um_store_versions_cb *versions;
        um_store_version_cb *version;
        um_store_clients_cb *clients;
        um_store_caches_cb *caches;
        um_store_version_of_cb *version_of;
        um_store_revocations_cb *revocations;
        um_store_reserved_cb *reserved;
        um_store_audit_cb *audits;
        um_store_done_cb *done;
    } cb;
    void *arg;
    um_store_work *work;             /* units and inspections; has ARG too */
    bool is_loose;                   /* a unit that guards itself */
    int64_t cost;                    /* bytes while it waits */

    const char *name, *title, *user; /* never NULL; title is the part searched for (list), a label, an archive key, a session
                                      * or its hash */
    const char **names;              /* heads: N_NAMES of them, one block with their bytes; references and caches: two each,
                                      * behind a broken one its scope and id; an audit row: its five; else NULL */
    size_t n_names;
    uint64_t *tokens;                /* n_names / 2: the grants that references mean, 0 any; NULL: none means one */
    struct um_bytes *bytes;          /* append: the update; fold, keep: the state. A reference of ours */
    uint64_t upto_seq, version;      /* fold; upto_seq also: since, before, the version asked for */
    uint64_t client;                 /* note */
    int64_t max, before_ms;          /* lists */
    int64_t ttl_ms;                  /* reserve, renew, revoke; of a unit: how long it may take */
    int64_t late_at_ms;              /* um_now_ms: a change of reservations that has not begun by then is not done; 0: always */
    struct store_cursor after;       /* list */
    bool has_after;

    um_err err;                      /* the answer */
    bool spoils;                     /* set by a driver: the database refuses this call, and with it any transaction */
    uint64_t number;                 /* seq or version */
    struct store_log *log;
    struct store_page *page;
    struct um_store_head *heads;     /* n_names */
    struct store_versions *versions;
    struct store_clients *clients;
    struct store_shared *shared;
    char text[];
};

/* A call with its strings copied (NULL is ""); their lengths were checked before. BYTES is given a reference. */
struct store_op *store_op_new(enum store_kind kind, struct um_loop *l, void *arg, const char *name, const char *title,
                              const char *user, struct um_bytes *bytes);
void store_op_take_names(struct store_op *op, const char *const *names, size_t n);     /* copies them */
void store_op_free(struct store_op *op);
void store_op_free_all(struct store_op *first);
void store_answer_shared(struct store_op *op);     /* shared.c: runs its callback */

/* Sends a list of finished calls home: one message to each loop, whatever the number of calls. */
void store_deliver(struct store_op *first);

/* Calls in order of arrival. */
struct store_queue { struct store_op *first, **end; size_t n; };
void store_queue_init(struct store_queue *q);
void store_queue_put(struct store_queue *q, struct store_op *op);
struct store_op *store_queue_get(struct store_queue *q);            /* NULL when empty */
void store_queue_move(struct store_queue *to, struct store_queue *from);

#endif
