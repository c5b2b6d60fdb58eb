/* SQLite behind the store. conn: a connection and its statements; schema: tables and migrations; docs: what the writer
 * remembers of documents; write: a transaction; read and list: the readers' side; versions, shared: both sides of those; unit:
 * units of work and inspections; driver: the file, its lock, the table of functions. Functions return SQLite's result codes until the driver's border. */
#ifndef SQLITE_INTERNAL_H
#define SQLITE_INTERNAL_H
#include <sqlite3.h>
#include <umbel/map.h>
#include "driver.h"
#include "shared_statements.h"

/* ---- connections ---- */

/* The newest row of a document's log; with updated_at it says when the document changed last (see write.c). */
#define SQ_LAST "document_updates WHERE document_id = ?1 ORDER BY seq DESC LIMIT 1"
#define SQ_ENTRY \
    "SELECT d.id, d.name, coalesce(d.title, d.name), d.created_at, d.updated_at, coalesce(d.created_by, '')," \
    " coalesce(d.updated_by, ''), d.version, length(d.data) + coalesce((SELECT sum(length(u.data)) FROM document_updates u" \
    " WHERE u.document_id = d.id AND u.seq > d.seq), 0), l.at, l.author" \
    " FROM documents d LEFT JOIN document_updates l ON l.document_id = d.id AND l.seq =" \
    " (SELECT max(m.seq) FROM document_updates m WHERE m.document_id = d.id) WHERE d.deleted_at IS NULL AND "
#define SQ_VERSION_ROW \
    "SELECT d.name, s.seq, s.at, coalesce(s.label, ''), coalesce(s.author, ''), coalesce(s.contributors, '[]'), s.bytes," \
    " coalesce(s.archive_key, ''), s.crc"
/* Names that do not begin with UM_STORE_UNLISTED; "0" is what comes behind "/". */
#define SQ_MATCHES "deleted_at IS NULL AND (name < 'component/' OR name >= 'component0') AND (?1 IS NULL OR coalesce(title, name) LIKE ?1 ESCAPE '\\')"

#define SQ_STATEMENTS(X)                                                                                               \
    X(BEGIN_WRITE, "BEGIN IMMEDIATE")                                                                                  \
    X(BEGIN_READ, "BEGIN")                                                                                             \
    X(COMMIT, "COMMIT")                                                                                                \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(SAVEPOINT, "SAVEPOINT unit")                                                                                     \
    X(UNDO, "ROLLBACK TO unit")                                                                                        \
    X(RELEASE, "RELEASE unit")                                                                                         \
    X(DATA_VERSION, "PRAGMA data_version")                                                                             \
    X(PROBE, "UPDATE umbel_schema SET probed_at = ?1")                                                                 \
    X(FIND, "SELECT id, version, seq, updated_at, deleted_at IS NOT NULL,"                                             \
            " (SELECT max(u.seq) FROM document_updates u WHERE u.document_id = d.id) FROM documents d WHERE name = ?1")\
    X(INSERT, "INSERT INTO documents(name, title, created_at, created_by, updated_at, updated_by, data)"               \
              " VALUES(?1, ?2, ?3, ?4, ?3, ?4, X'0000')")                                                              \
    X(APPEND, "INSERT INTO document_updates(document_id, seq, at, author, crc, data) VALUES(?1, ?2, ?3, ?4, ?5, ?6)")  \
    X(TOUCH, "UPDATE documents SET updated_at = ?2, updated_by = ?3 WHERE id = ?1")                                    \
    X(FOLD, "UPDATE documents SET data = ?2, crc = ?3, seq = ?4, version = version + 1,"                               \
            " updated_at = max(updated_at, coalesce((SELECT at FROM " SQ_LAST "), 0)),"                                \
            " updated_by = coalesce((SELECT author FROM (SELECT at, author FROM " SQ_LAST ") WHERE at >= updated_at)," \
            " updated_by) WHERE id = ?1")                                                                              \
    X(OLDEST, "SELECT min(seq) FROM document_updates WHERE document_id = ?1")                                          \
    X(TRIM, "DELETE FROM document_updates WHERE document_id = ?1 AND seq <= ?2")                                       \
    X(TITLE, "UPDATE documents SET title = ?2, updated_at = max(updated_at, ?3), updated_by = ?4 WHERE id = ?1")       \
    X(BURY, "UPDATE documents SET data = X'0000', crc = NULL, seq = ?2, version = version + 1, deleted_at = ?3,"       \
            " updated_at = ?3, updated_by = ?4 WHERE id = ?1")                                                         \
    X(DROP_SNAPSHOTS, "DELETE FROM document_snapshots WHERE document_id = ?1")                                         \
    X(DROP_CONTRIBUTORS, "DELETE FROM document_contributors WHERE document_id = ?1")                                   \
    X(DROP_CLIENTS, "DELETE FROM document_clients WHERE document_id = ?1")                                             \
    X(AUTHORS, "SELECT coalesce(author, ''), count(*) FROM document_updates WHERE document_id = ?1 AND seq > ?2"       \
               " AND seq <= ?3 GROUP BY author ORDER BY min(seq)")                                                     \
    X(CONTRIBUTORS, "SELECT list, upto FROM document_contributors WHERE document_id = ?1")                             \
    X(SET_CONTRIBUTORS, "INSERT OR REPLACE INTO document_contributors(document_id, list, upto) VALUES(?1, ?2, ?3)")    \
    X(LAST_VERSION, "SELECT s.seq, s.at FROM document_snapshots s WHERE s.document_id = ?1 ORDER BY s.seq DESC LIMIT 1") \
    X(CREATED, "SELECT created_at FROM documents WHERE id = ?1")                                                       \
    X(LAST_AUTHOR, "SELECT coalesce(author, '') FROM document_updates WHERE document_id = ?1 AND seq <= ?2"            \
                   " ORDER BY seq DESC LIMIT 1")                                                                       \
    X(KEEP, "INSERT INTO document_snapshots(document_id, seq, at, label, author, contributors, bytes, crc, data)"      \
            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, length(?7), ?8, ?7) ON CONFLICT DO UPDATE SET"                            \
            " label = coalesce(excluded.label, label)")                                                                \
    X(PRUNE_MANY, "DELETE FROM document_snapshots WHERE document_id = ?1 AND seq IN (SELECT seq FROM document_snapshots"\
                  " WHERE document_id = ?1 AND label IS NULL AND archive_key IS NULL ORDER BY seq DESC"                \
                  " LIMIT 16 OFFSET ?2)")                                                                              \
    X(PRUNE_OLD, "DELETE FROM document_snapshots WHERE document_id = ?1 AND seq IN (SELECT seq FROM document_snapshots"\
                 " WHERE document_id = ?1 AND label IS NULL AND archive_key IS NULL AND at < ?2 ORDER BY seq LIMIT 16)")\
    X(LABEL, "UPDATE document_snapshots SET label = ?3 WHERE document_id = ?1 AND seq = ?2")                           \
    X(ARCHIVE, "UPDATE document_snapshots SET archive_key = ?3, data = NULL WHERE document_id = ?1 AND seq = ?2")      \
    X(DROP_VERSION, "DELETE FROM document_snapshots WHERE document_id = ?1 AND seq = ?2")                              \
    X(NOTE_CLIENT, "INSERT OR IGNORE INTO document_clients(document_id, client, author) VALUES(?1, ?2, ?3)")           \
    X(CLIENTS, "SELECT c.client, c.author FROM document_clients c JOIN documents d ON d.id = c.document_id"            \
               " WHERE d.name = ?1 AND d.deleted_at IS NULL LIMIT 100000")                                             \
    X(VERSION, SQ_VERSION_ROW ", s.data FROM document_snapshots s JOIN documents d ON d.id = s.document_id"                \
               " WHERE d.name = ?1 AND s.seq = ?2 AND d.deleted_at IS NULL")                                           \
    X(VERSIONS, SQ_VERSION_ROW " FROM document_snapshots s JOIN documents d ON d.id = s.document_id"                       \
                " WHERE d.name = ?1 AND (?2 = 0 OR s.seq < ?2) AND d.deleted_at IS NULL ORDER BY s.seq DESC LIMIT ?3") \
    X(VERSIONS_BEFORE, SQ_VERSION_ROW " FROM document_snapshots s JOIN documents d ON d.id = s.document_id"                \
                       " WHERE s.at < ?1 AND s.archive_key IS NULL AND d.deleted_at IS NULL ORDER BY s.at LIMIT ?2")   \
    X(LIVES, "SELECT 1 FROM documents WHERE name = ?1 AND deleted_at IS NULL")                                         \
    X(LOAD, "SELECT id, version, seq, crc, deleted_at IS NOT NULL, data FROM documents WHERE name = ?1")               \
    X(LOG, "SELECT seq, crc, data FROM document_updates WHERE document_id = ?1 AND seq > ?2 ORDER BY seq")             \
    X(ENTRY_BY_NAME, SQ_ENTRY "d.name = ?1")                                                                           \
    X(ENTRY_BY_ID, SQ_ENTRY "d.id = ?1")                                                                               \
    X(CANDIDATES, "SELECT id, updated_at, (SELECT u.at FROM document_updates u WHERE u.document_id = documents.id"     \
                  " ORDER BY u.seq DESC LIMIT 1) FROM documents WHERE " SQ_MATCHES                                     \
                  " AND updated_at <= ?2 ORDER BY updated_at DESC, id DESC")                                           \
    X(COUNT, "SELECT count(*) FROM documents WHERE " SQ_MATCHES)                                                       \
    SQ_SHARED_STATEMENTS(X)

enum sq_id {
#define X(name, sql) SQ_##name,
    SQ_STATEMENTS(X)
#undef X
    SQ_N
};

/* One thread at a time. Statements are prepared at their first use and kept. */
struct sq_conn {
    sqlite3 *db;                             /* NULL: closed */
    sqlite3_stmt *stmts[SQ_N];
    struct store_statements *units;          /* of units and inspections; NULL: none yet */
};

enum sq_use { SQ_WRITER, SQ_READER };
int sq_open(struct sq_conn *c, const char *path, enum sq_use use);
void sq_close(struct sq_conn *c);            /* safe to repeat */
int sq_exec(struct sq_conn *c, const char *sql);

/* Binds by TYPES, one letter each: i int64_t, t const char * (borrowed; "" is NULL), b struct um_span (borrowed). */
sqlite3_stmt *sq_query(struct sq_conn *c, enum sq_id id, const char *types, ...);   /* NULL: sqlite3_errcode says why */
int sq_run(struct sq_conn *c, enum sq_id id, const char *types, ...);               /* SQLITE_OK when done */
int sq_int(struct sq_conn *c, enum sq_id id, int64_t arg, int64_t *out);            /* one number; 0 when NULL */
void sq_end(sqlite3_stmt *s);                /* ends a query; lets go of what was bound */
struct um_span sq_blob(sqlite3_stmt *s, int column);

um_err sq_err(int rc);                       /* what a caller of the store hears */
bool sq_breaks_trust(int rc);                /* the connection must be opened anew */

/* ---- schema ---- */

/* Brings the tables to this program's version, or says in WHY what it met. */
um_err sq_migrate(struct sq_conn *c, char why[256]);

/* A document without folded state holds the update that says nothing, which a stock server can read too. */
static inline bool sq_is_empty_state(struct um_span s)
{
    return s.len == 0 || (s.len == 2 && s.data[0] == 0 && s.data[1] == 0);
}

/* How far updated_at may lag behind the newest row of the log (see write.c). */
#define SQ_TOUCH_MS 60000

/* ---- the writer ---- */

struct sq_doc {                              /* what an append has to know */
    int64_t id;
    uint64_t version, seq, last_seq;         /* seq: what the folded state covers */
    int64_t touched_ms;                      /* updated_at */
    bool deleted;
};

struct sq_trim { int64_t id; uint64_t upto; };   /* rows of a log that a folded state has made useless */

struct sq_store {
    const struct um_store_conf *conf;
    char *path;                              /* NULL: in memory */
    int lock_fd;
    struct sq_conn conn;                     /* the writer's */
    struct um_map docs;                      /* name -> struct sq_doc */
    int64_t data_version;                    /* of the database when docs were read */
    bool doubtful;                           /* an error has broken the trust in conn */
    struct sq_trim *trims;
    size_t n_trims, cap_trims;
};

int sq_docs_check(struct sq_store *st);                                  /* in a transaction: did somebody else write? */
int sq_docs_find(struct sq_store *st, const char *name, struct sq_doc **out);   /* *out NULL: there is none */
struct sq_doc *sq_docs_add(struct sq_store *st, const char *name, struct sq_doc doc);
void sq_docs_forget(struct sq_store *st);

um_err sq_write(void *self, struct store_op *batch);
/* versions.c; in the transaction. D: the document, as it was before the fold of OP. */
int sq_versions_fold(struct sq_store *st, const struct store_op *op, const struct sq_doc *d, int64_t at_ms);
int sq_versions_change(struct sq_store *st, struct store_op *op, const struct sq_doc *d, int64_t at_ms);
int sq_versions_bury(struct sq_store *st, int64_t id);
int sq_read_versions(struct sq_conn *c, struct store_op *op);
int sq_read_clients(struct sq_conn *c, struct store_op *op);
/* shared.c: the same of the shared tables. */
int sq_shared_change(struct sq_store *st, struct store_op *op, int64_t at_ms);
int sq_read_shared(struct sq_conn *c, struct store_op *op);
bool sq_has_backlog(const void *self);
/* unit.c: a unit of the transaction; OP gets its err. SQLite's result: of the transaction. */
int sq_unit(struct sq_store *st, struct store_op *op, int64_t at_ms);
int sq_inspect(struct sq_conn *c, struct store_op *op);      /* in a read transaction */
void sq_units_forget(struct sq_conn *c);                     /* the statements; before the connection is closed */

/* ---- the readers ---- */

struct sq_reader { struct sq_store *st; struct sq_conn own; struct sq_conn *conn; };

void sq_read(void *reader, struct store_op *op);
/* Both inside a transaction. op gets its err and answer; the result is SQLite's. */
int sq_read_entry(struct sq_conn *c, enum sq_id id, const char *name, int64_t doc_id, struct store_op *op);
int sq_read_list(struct sq_conn *c, struct store_op *op);

#endif
