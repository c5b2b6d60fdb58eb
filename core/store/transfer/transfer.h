/* Both ends of a transfer. source: the SQLite file; target: the PostgreSQL database; transfer: one pass over both. */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H
#include <sqlite3.h>
#include <umbel/store_transfer.h>
#include "postgres/pg_internal.h"

/* The tables of a document, in the order in which they are copied. TYPES, a letter per column: i integer, r real, t text,
 * b bytes; any may be NULL. The same columns in the same order on both sides; a row's document is ?1. */
#define TRANSFER_TABLES(X)                                                                                               \
    X(documents, "ittititiiitiib",                                                                                       \
      "SELECT d.id, d.name, d.title, d.created_at, d.created_by, d.updated_at, d.updated_by, d.version, d.seq, d.crc,"    \
      " c.list, c.upto, d.deleted_at, d.data FROM documents d LEFT JOIN document_contributors c ON c.document_id = d.id" \
      " WHERE d.id = ?1",                                                                                                \
      "id, name, title, created_at, created_by, updated_at, updated_by, version, seq, crc, contributors, contributors_seq," \
      " deleted_at, data", "id", "id")                                                                                   \
    X(document_updates, "iiitib",                                                                                        \
      "SELECT document_id, seq, at, author, crc, data FROM document_updates WHERE document_id = ?1 ORDER BY seq",        \
      "document_id, seq, at, author, crc, data", "document_id", "seq")                                                   \
    X(document_snapshots, "iiitttiitb",                                                                                  \
      "SELECT document_id, seq, at, label, author, contributors, bytes, crc, archive_key, data FROM document_snapshots"  \
      " WHERE document_id = ?1 ORDER BY seq",                                                                            \
      "document_id, seq, at, label, author, contributors, bytes, crc, archive_key, data", "document_id", "seq")          \
    X(document_clients, "iit",                                                                                           \
      "SELECT document_id, client, author FROM document_clients WHERE document_id = ?1 ORDER BY client",                 \
      "document_id, client, user_name", "document_id", "client")

/* Tables that belong to no document, as if all of each belonged to document 0; behind them the modules' (modules.h). */
#define TRANSFER_SHARED(X)                                                                                               \
    X(cache_versions, "tti", "SELECT scope, name, version FROM cache_versions WHERE ?1 = 0 ORDER BY scope, name",        \
      "scope, name, version", "0", "scope, name")                                                                        \
    X(revocations, "ti", "SELECT hash, until FROM revocations WHERE ?1 = 0 ORDER BY hash", "hash, until", "0", "hash")   \
    X(reservations, "ttittii",                                                                                           \
      "SELECT category, id, token, user_id, session, since, expires FROM reservations WHERE ?1 = 0 ORDER BY category, id", \
      "category, id, token, user_id, session, since, expires", "0", "category, id")                                      \
    X(audit, "iitttttt",                                                                                            \
      "SELECT id, at, user_id, action, object_type, object_id, detail, scope FROM audit WHERE ?1 = 0 ORDER BY id",       \
      "id, at, user_id, action, object_type, object_id, detail, scope", "0", "id")

struct transfer_table { const char *name, *types, *select, *columns, *key, *order; };
struct transfer_list { const struct transfer_table *tables; size_t n; };
extern const struct transfer_list transfer_of_documents, transfer_shared;

/* What a document is like, without its bytes; equal on both sides when it has been copied. */
struct transfer_mark { int64_t id; char *text; };
struct transfer_marks { struct transfer_mark *rows; size_t n; };
void transfer_marks_free(struct transfer_marks *m);

/* ---- source ---- */

struct transfer_source { sqlite3 *db; char *path; int lock_fd; bool locked; };
um_err source_open(struct transfer_source *s, const char *from, char why[256]);
void source_close(struct transfer_source *s);
um_err source_count(struct transfer_source *s, int64_t *out);
/* Up to 1,000 documents behind AFTER, by id. */
um_err source_marks(struct transfer_source *s, int64_t after, struct transfer_marks *out);
um_err source_begin(struct transfer_source *s);          /* one moment for what follows */
void source_end(struct transfer_source *s);
sqlite3_stmt *source_rows(struct transfer_source *s, const struct transfer_table *t, int64_t id);       /* NULL: error */
/* How far its log is, and who wrote last. */
struct transfer_head { int64_t last_seq, at_ms; char *author; };
um_err source_head(struct transfer_source *s, int64_t id, struct transfer_head *out);

/* ---- target ---- */

struct transfer_target { struct pg_target to; struct um_store_conf conf; struct pg_conn conn; };
um_err target_open(struct transfer_target *t, const struct um_transfer_conf *cf, char why[256]);
void target_close(struct transfer_target *t);
um_err target_claim(struct transfer_target *t, const char *from, char why[256]);
um_err target_marks(struct transfer_target *t, int64_t after, int64_t upto, struct transfer_marks *out);
um_err target_remove(struct transfer_target *t, int64_t id);
um_err target_empty(struct transfer_target *t, const struct transfer_table *table);
um_err target_begin(struct transfer_target *t);
um_err target_commit(struct transfer_target *t);
/* Copies all rows of S; adds their sizes to *BYTES. */
um_err target_copy(struct transfer_target *t, const struct transfer_table *table, sqlite3_stmt *s, int64_t *bytes);
um_err target_set_head(struct transfer_target *t, int64_t id, const struct transfer_head *h);
um_err target_finish(struct transfer_target *t, bool final);      /* ids go on behind the highest */
/* Rows in the order of SOURCE_ROWS, one by one, columns in binary; the caller clears them. NULL: the end, or an error. All are
 * taken before the next call. */
um_err target_ask(struct transfer_target *t, const struct transfer_table *table, int64_t id);
PGresult *target_next(struct transfer_target *t, um_err *err);

#endif
