/* The store of record. One interface; SQLite (sqlite:///path, a bare path, memory:) or PostgreSQL behind it.
 *
 * Every call copies or refs what it needs, returns at once, and runs CB exactly once on the loop that is given (never
 * inside the call). Appends of all documents are gathered into one transaction (group commit). A document has a log:
 * rows (document, seq, update), seq rising by one, given by the store; and a folded state that covers the log up to its
 * own seq. Tables: documents(name, data, ...), document_updates, document_snapshots; the columns that Hocuspocus users
 * have keep their names, so that a stock database opens.
 *
 * Several processes may share one PostgreSQL: seq rises over all of them, so what others wrote is found by asking for the
 * rows above the last known one. */
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
    int64_t versions_every_changes;  /* a version is kept when so many changes came since the last one, whoever made them */
    int64_t versions_every_ms;       /* or when the last one is so old and something changed; 0: never for that */
    int64_t versions_keep;           /* unnamed versions per document; the oldest give way; 0: none is made by itself */
    int64_t versions_max_age_ms;     /* unnamed ones that are older go; 0: never. Both leave those in an archive alone */
    int64_t unit_ms, view_ms;        /* store_work.h; 0: as there */
    /* PostgreSQL */
    const char *user, *password;     /* "": as the URL says */
    int64_t connections;             /* that read; one more writes, and one is for units of work */
    int64_t connect_timeout_ms, timeout_ms;       /* of a connection attempt; of a statement */
    int64_t start_timeout_ms;        /* how long um_store_open waits for a server that is away */
};
extern const struct um_conf_table um_store_conf_table;

/* Blocks (start of the process): opens, locks the file against a second process (UM_EBUSY), migrates.
 * WHY (may be NULL) gets a sentence for the operator on failure. */
um_err um_store_open(struct um_store **out, const struct um_store_conf *cf, char why[256]);
/* Finishes what waits; blocks; no callbacks after it. Not beside other calls, nor while another thread runs a loop that
 * still has answers to hear; a loop that is freed afterwards should have turned once more, to free what nobody hears. */
void um_store_close(struct um_store *st);
bool um_store_is_healthy(const struct um_store *st);   /* did the last transaction succeed? any thread */
bool um_store_is_shared(const struct um_store *st);    /* may other processes write to it? any thread */

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

/* The rows above SEQ, which somebody else may have written: as um_store_load, but STATE is NULL when the log alone holds
 * everything above SEQ; otherwise (those rows were trimmed) the folded state comes too. */
void um_store_load_since(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_load_cb *cb,
                         void *arg);

/* How far N documents are, in one question, in the order of NAMES. At most 10,000 at once.
 * foreign: the state is a stock server's, and may lack what was folded before. Not told of SQLite, whose file is ours. */
struct um_store_head { bool exists, deleted, foreign; uint64_t last_seq, version; };
typedef void um_store_heads_cb(void *arg, um_err err, const struct um_store_head *heads, size_t n);
void um_store_heads(struct um_store *st, struct um_loop *l, const char *const *names, size_t n, um_store_heads_cb *cb,
                    void *arg);

/* Notes that the changes of Yjs client CLIENT in this document are USER's. The first note stays. Nobody is told; what is
 * lost is only known as nobody's. */
void um_store_note_client(struct um_store *st, const char *name, uint64_t client, const char *user);

/* --- versions: the states that a document had ------------------------------------------------------------ */
/* A fold keeps its state as a version when the configuration says so; users keep one by naming it. A version is addressed
 * by the seq up to which it holds the log. */
struct um_store_version {            /* borrowed during the callback; strings are never NULL */
    const char *document;
    uint64_t seq;
    int64_t at_ms;
    const char *label;               /* given by people; "": kept by itself */
    const char *author;              /* who made the last change before it */
    const char *contributors;        /* JSON: [{"user":"ann","changes":12},…] since the version before */
    int64_t bytes;
    const char *archive_key;         /* "": its bytes are in the database */
    uint32_t crc;                    /* CRC-32C of its bytes */
};
struct um_store_versions { const struct um_store_version *rows; size_t n; bool more; };
typedef void um_store_versions_cb(void *arg, um_err err, const struct um_store_versions *versions);
/* Newest first, below BEFORE (0: from the newest), at most MAX (1..1000). UM_ENOTFOUND: no such document. */
void um_store_versions(struct um_store *st, struct um_loop *l, const char *name, uint64_t before, int64_t max,
                       um_store_versions_cb *cb, void *arg);
/* STATE is NULL when it is in the archive. UM_ENOTFOUND, UM_ECORRUPT. */
typedef void um_store_version_cb(void *arg, um_err err, const struct um_store_version *version, struct um_bytes *state);
void um_store_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_version_cb *cb,
                      void *arg);
/* Keeps STATE, which covers the log up to SEQ, as a version; one that is there gets the label. Answers with it, without
 * its state. UM_EINVAL: SEQ was never given. UM_ENOTFOUND. */
void um_store_keep_version(struct um_store *st, struct um_loop *l, const char *name, struct um_bytes *state, uint64_t seq,
                           const char *label, const char *user, um_store_version_cb *cb, void *arg);
void um_store_label_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, const char *label,
                            um_store_version_cb *cb, void *arg);     /* an empty label takes it away */
/* The bytes of version SEQ are in the archive under KEY now: the row lets go of them. UM_ENOTFOUND. */
void um_store_archive_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, const char *key,
                              um_store_version_cb *cb, void *arg);
/* Removes version SEQ (its bytes in an archive are the caller's business). CB hears no version. UM_ENOTFOUND. */
void um_store_drop_version(struct um_store *st, struct um_loop *l, const char *name, uint64_t seq, um_store_version_cb *cb,
                           void *arg);
/* Versions of all documents whose bytes are in the database and which are older than BEFORE_MS, oldest first. */
void um_store_versions_before(struct um_store *st, struct um_loop *l, int64_t before_ms, int64_t max,
                              um_store_versions_cb *cb, void *arg);

/* Who the Yjs clients of a document are. */
struct um_store_client { uint64_t client; const char *user; };
typedef void um_store_clients_cb(void *arg, um_err err, const struct um_store_client *clients, size_t n);
void um_store_clients(struct um_store *st, struct um_loop *l, const char *name, um_store_clients_cb *cb, void *arg);

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

/* Documents with names that begin so are somebody else's parts, and not in the list. */
#define UM_STORE_UNLISTED "component/"

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
