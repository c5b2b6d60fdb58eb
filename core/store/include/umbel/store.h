/* The store of record. One interface; SQLite behind it now (sqlite:///path, a bare path, memory:), PostgreSQL next.
 *
 * Every call copies or refs what it needs, returns at once, and runs CB exactly once on the loop that is given (never
 * inside the call). Appends of all documents are gathered into one transaction (group commit). A document has a log:
 * rows (document, seq, update), seq rising by one, given by the store; and a folded state that covers the log up to its
 * own seq. Tables: documents(name, data, ...), document_updates, document_snapshots; the columns that Hocuspocus users
 * have keep their names, so that a stock database opens. */
#ifndef UMBEL_STORE_H
#define UMBEL_STORE_H
#include <umbel/bytes.h>
#include <umbel/conf.h>
#include <umbel/loop.h>

struct um_store;
struct um_conf_table;

struct um_store_conf {
    const char *url;                 /* sqlite:///abs/path | /abs/path | memory: */
    int64_t commit_delay_ms;         /* how long an append waits for company (2) */
    int64_t commit_rows;             /* at most so many rows in one transaction (1024) */
    int64_t max_waiting_bytes;       /* appends that wait; beyond it UM_EUNAVAIL at once (256 MiB) */
    int64_t snapshots_keep;          /* rows of document_snapshots per document (0: none yet) */
};
extern const struct um_conf_table um_store_conf_table;

/* Blocks (start of the process): opens, locks the file against a second process (UM_EBUSY), migrates.
 * WHY (may be NULL) gets a sentence for the operator on failure. */
um_err um_store_open(struct um_store **out, const struct um_store_conf *cf, char why[256]);
/* Finishes what waits; blocks; no callbacks after it. Not beside other calls, nor while another thread runs a loop that
 * still has answers to hear; a loop that is freed afterwards should have turned once more, to free what nobody hears. */
void um_store_close(struct um_store *st);
bool um_store_is_healthy(const struct um_store *st);   /* did the last transaction succeed? any thread */

/* --- a collaborative document's bytes ------------------------------------------------------------------ */
struct um_store_update { uint64_t seq; struct um_span bytes; };
struct um_store_loaded {             /* borrowed during the callback; *_ref what is kept */
    bool exists, deleted;
    uint64_t version;                /* of the folded row; 0 when it does not exist */
    uint64_t folded_seq, last_seq;
    struct um_bytes *state;          /* folded v1 update; NULL when none */
    const struct um_store_update *updates;   /* log rows above folded_seq, ascending, no gaps */
    size_t n_updates;
};
/* UM_ECORRUPT: a checksum does not match or the log has a gap; nothing is changed. */
typedef void um_store_load_cb(void *arg, um_err err, const struct um_store_loaded *doc);
void um_store_load(struct um_store *st, struct um_loop *l, const char *name, um_store_load_cb *cb, void *arg);

/* Appends one update. CB(UM_OK, seq) only after the commit is durable. UM_EUNAVAIL / UM_EIO: not acknowledged, may be
 * repeated (an update twice in the log is harmless). UM_EDENIED: the document is deleted. Creates the document's row when
 * there is none. Appends of one document are committed in the order of the calls. */
typedef void um_store_append_cb(void *arg, um_err err, uint64_t seq);
void um_store_append(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *update,
                     const char *user, um_store_append_cb *cb, void *arg);
/* Of every call: UM_EINVAL when a name is not 1..512 bytes of UTF-8 (a title at most 1024, a user and a search 512 and 256),
 * or bytes are missing; UM_ELIMIT when an update has more than 64 MiB, a state more than 512 MiB. */

/* Replaces the folded state by STATE, which covers the log up to UPTO_SEQ, if the row's version is still EXPECTED; trims the
 * log below. UM_ECONFLICT: somebody else folded, or STATE is older than what is there; load again. UM_EINVAL: UPTO_SEQ was
 * never given. UM_EDENIED: deleted. CB's number is the new version. A document that does not exist is created by version 0
 * and seq 0. */
void um_store_fold(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *state,
                   uint64_t upto_seq, uint64_t expected_version, um_store_append_cb *cb, void *arg);

/* --- the list of documents ------------------------------------------------------------------------------- */
struct um_store_entry {              /* borrowed during the callback */
    const char *name, *title;        /* title: as given by people; the name when none was */
    int64_t created_at_ms, updated_at_ms;
    const char *created_by, *updated_by;     /* "" when unknown */
    int64_t bytes;                   /* folded state and log */
    uint64_t version;
};
typedef void um_store_entry_cb(void *arg, um_err err, const struct um_store_entry *e);
void um_store_create(struct um_store *st, struct um_loop *l, const char *name, const char *title, const char *user,
                     um_store_entry_cb *cb, void *arg);        /* UM_EEXIST, of a deleted document too */
void um_store_get(struct um_store *st, struct um_loop *l, const char *name, um_store_entry_cb *cb, void *arg);  /* UM_ENOTFOUND */
void um_store_set_title(struct um_store *st, struct um_loop *l, const char *name, const char *title, const char *user,
                        um_store_entry_cb *cb, void *arg);     /* UM_ENOTFOUND; an empty title takes it away */
/* Leaves a tombstone, so that a late editor cannot bring it back; state, log and snapshots go. Deleting what is gone is
 * UM_OK. CB hears no entry. */
void um_store_delete(struct um_store *st, struct um_loop *l, const char *name, const char *user,
                     um_store_entry_cb *cb, void *arg);

struct um_store_query {
    const char *search;              /* part of the title, any case (SQLite: of A-Z); NULL or "": all */
    int64_t max;                     /* 1..1000 */
    const char *after;               /* cursor of the page before, or NULL */
};
struct um_store_page { const struct um_store_entry *entries; size_t n; int64_t found; const char *after; /* NULL at the end */ };
typedef void um_store_page_cb(void *arg, um_err err, const struct um_store_page *page);
/* Newest change first. UM_EINVAL: not a cursor of ours. */
void um_store_list(struct um_store *st, struct um_loop *l, const struct um_store_query *q, um_store_page_cb *cb, void *arg);

#endif
