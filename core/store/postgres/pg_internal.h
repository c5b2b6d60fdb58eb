/* PostgreSQL behind the store. url: where it is; conn: a connection, its statements and its waits; schema: tables and
 * migrations; args: binary parameters; batch: what a transaction knows of its documents; write: a transaction of the writer;
 * read and list: the readers' side; shared: the shared tables, both sides; sql: statements of modules; unit: units of work and
 * inspections; driver: the table of functions.
 *
 * Every row that several processes change is changed under the lock of its document's row in document_heads, and a
 * transaction takes those locks in the order of the ids, after it has made what documents it needs in the order of their
 * names. So no two transactions of ours wait for one another in a circle. */
#ifndef PG_INTERNAL_H
#define PG_INTERNAL_H
#include <libpq-fe.h>
#include <umbel/map.h>
#include "driver.h"
#include "modules.h"
#include "shared_statements.h"
#include "unit.h"

/* ---- where ---- */

enum { PG_HOSTS_MAX = 16, PG_PARAMS_MAX = 32 };

struct pg_host { char *host, *port; };       /* "": libpq's default */
struct pg_param { char *key, *value; };      /* libpq's */
struct pg_target {
    struct pg_host hosts[PG_HOSTS_MAX];
    size_t n_hosts;                          /* at least 1 */
    struct pg_param params[PG_PARAMS_MAX];
    size_t n_params;
    char *search_path;                       /* NULL: the role's */
    int64_t connect_timeout_ms;              /* of one host */
    char *shown;                             /* hosts and database, without secrets */
};
um_err pg_target_parse(struct pg_target *to, const char *url, const struct um_store_conf *cf, char why[256]);
void pg_target_free(struct pg_target *to);   /* also of a half-parsed one; safe to repeat */
const char *pg_target_param(const struct pg_target *to, const char *key);       /* NULL: not given */

/* ---- statements ---- */

#define PG_TOUCH_MS 60000                     /* how far documents.updated_at may lag behind its head's (see write.c) */
#define PG_TRIM_ROWS 1024                     /* of one log in one transaction */
#define PG_PRUNE_ROWS 16                      /* versions of one document in one transaction, for each reason */
#define PG_IDLE_MS 2000                       /* between two statements of a transaction: a core that stands still lets go */
#define PG_STR_(x) #x
#define PG_STR(x) PG_STR_(x)

/* Milliseconds since 1970 UTC at the beginning of the transaction, by the database's clock. */
#define PG_NOW "(floor(extract(epoch FROM now()) * 1000)::bigint)"

#define PG_ENTRY \
    "SELECT d.name, coalesce(d.title, d.name), d.created_at, greatest(d.updated_at, h.updated_at), coalesce(d.created_by, '')," \
    " coalesce(CASE WHEN h.updated_at >= d.updated_at THEN h.updated_by ELSE d.updated_by END, ''), d.version,"           \
    " octet_length(d.data) + coalesce((SELECT sum(octet_length(u.data)) FROM document_updates u"                          \
    " WHERE u.document_id = d.id AND u.seq > d.seq), 0)::bigint FROM "
#define PG_ENTRY_WHERE "LEFT JOIN document_heads h ON h.document_id = d.id WHERE d.deleted_at IS NULL "
#define PG_VERSION_ROW \
    "SELECT d.name, s.seq, s.at, coalesce(s.label, ''), coalesce(s.author, ''), coalesce(s.contributors, '[]'), s.bytes," \
    " coalesce(s.archive_key, ''), s.crc"
/* Names that do not begin with UM_STORE_UNLISTED; "0" is what comes behind "/". */
#define PG_MATCHES "deleted_at IS NULL AND (name COLLATE \"C\" < 'component/' OR name COLLATE \"C\" >= 'component0') AND ($1::text IS NULL OR coalesce(title, name) COLLATE \"default\" ILIKE $1)"
#define PG_PRUNED "DELETE FROM document_snapshots WHERE document_id = $1::bigint AND seq IN (SELECT seq FROM document_snapshots" \
    " WHERE document_id = $1 AND label IS NULL AND archive_key IS NULL "

/* The writer's and the readers', by name. Casts stand where a parameter's type would otherwise be guessed. */
#define PG_STATEMENTS(X)                                                                                                   \
    X(BEGIN_READ, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")                                                      \
    X(BEGIN, "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE")                                                           \
    X(COMMIT, "COMMIT")                                                                                                    \
    X(ROLLBACK, "ROLLBACK")                                                                                                \
    X(PATIENCE, "SELECT set_config('idle_in_transaction_session_timeout', ($1::bigint)::text, true)")                      \
    X(PING, "SELECT 1")                                                                                                    \
    X(PROBE, "UPDATE umbel_schema SET probed_at = " PG_NOW " WHERE version = 1")                                           \
    /* $1 names, $2 titles, $3 users */                                                                                    \
    X(MAKE, "INSERT INTO documents(name, title, created_at, created_by, updated_at, updated_by, data)"                     \
            " SELECT n.name, nullif(n.title, ''), " PG_NOW ", nullif(n.usr, ''), " PG_NOW ", nullif(n.usr, ''), '\\x0000'" \
            " FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY n(name, title, usr, ord)"                    \
            " WHERE NOT EXISTS (SELECT FROM documents d WHERE d.name = n.name) ORDER BY n.ord"                             \
            " ON CONFLICT (name) DO NOTHING RETURNING name")                                                               \
    X(LOCK, "SELECT n.ord, d.id, h.deleted, h.last_seq, d.version, d.seq, d.contributors, d.contributors_seq,"             \
            " coalesce(s.seq, 0), coalesce(s.at, d.created_at), " PG_NOW " FROM unnest($1::text[]) WITH ORDINALITY n(name, ord)" \
            " JOIN documents d ON d.name = n.name JOIN document_heads h ON h.document_id = d.id LEFT JOIN LATERAL"         \
            " (SELECT v.seq, v.at FROM document_snapshots v WHERE v.document_id = d.id ORDER BY v.seq DESC LIMIT 1) s ON true" \
            " ORDER BY d.id FOR UPDATE OF h")                                                                              \
    /* documents: $1 names, $2 rows of each, $3 the last author; rows: $4 document, $5 place, $6 author, $7 crc, $8 bytes */ \
    X(APPEND, "WITH docs AS MATERIALIZED (SELECT h.document_id AS id, n.ord, n.rows, n.author, h.last_seq, h.deleted,"     \
              " d.updated_at FROM unnest($1::text[], $2::bigint[], $3::text[]) WITH ORDINALITY n(name, rows, author, ord)" \
              " JOIN documents d ON d.name = n.name JOIN document_heads h ON h.document_id = d.id"                         \
              " ORDER BY h.document_id FOR UPDATE OF h),"                                                                  \
              " raised AS (UPDATE document_heads h SET last_seq = docs.last_seq + docs.rows,"                              \
              " updated_at = greatest(h.updated_at, " PG_NOW "), updated_by = nullif(docs.author, '')"                     \
              " FROM docs WHERE h.document_id = docs.id AND NOT docs.deleted),"                                            \
              " touched AS (UPDATE documents d SET updated_at = " PG_NOW ", updated_by = nullif(docs.author, '') FROM docs" \
              " WHERE d.id = docs.id AND NOT docs.deleted AND docs.updated_at < " PG_NOW " - " PG_STR(PG_TOUCH_MS) "),"    \
              " places AS MATERIALIZED (SELECT array_agg(CASE WHEN docs.deleted THEN NULL ELSE docs.id END ORDER BY n.ord) AS ids," \
              " array_agg(docs.last_seq ORDER BY n.ord) AS seqs FROM generate_series(1, cardinality($1::text[])) n(ord)"   \
              " LEFT JOIN docs ON docs.ord = n.ord),"                                                                      \
              " added AS (INSERT INTO document_updates(document_id, seq, at, author, crc, data)"                           \
              " SELECT p.ids[r.doc], p.seqs[r.doc] + r.nth, " PG_NOW ", nullif(r.author, ''), r.crc, r.data FROM places p," \
              " unnest($4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::bytea[]) r(doc, nth, author, crc, data)"  \
              " WHERE p.ids[r.doc] IS NOT NULL)"                                                                           \
              " SELECT ord, last_seq, deleted FROM docs")                                                                  \
    X(AUTHORS, "SELECT coalesce(u.author, ''), count(*), max(u.seq) FROM document_updates u WHERE u.document_id ="         \
               " (SELECT id FROM documents WHERE name = $1::text) AND u.seq > (SELECT coalesce(contributors_seq, seq)"     \
               " FROM documents WHERE name = $1) AND u.seq <= $2::bigint GROUP BY 1 ORDER BY min(u.seq)")                  \
    /* $1 id, $2 version, $3 state, $4 crc, $5 seq, $6 contributors since, $7 keep a version?, $8 its author, $9 its */    \
    X(FOLD, "WITH folded AS (UPDATE documents SET data = $3::bytea, crc = $4::bigint, seq = $5::bigint, version = version + 1," \
            " contributors = $6::text, contributors_seq = greatest(coalesce(contributors_seq, 0), $5)"                     \
            " WHERE id = $1::bigint AND version = $2::bigint RETURNING id, version)," \
            " kept AS (INSERT INTO document_snapshots(document_id, seq, at, author, contributors, bytes, crc, data)"       \
            " SELECT f.id, $5, " PG_NOW ", nullif($8::text, ''), $9::text, octet_length($3), $4, $3 FROM folded f"         \
            " WHERE $7::bigint = 1 ON CONFLICT DO NOTHING) SELECT version FROM folded")                                    \
    X(TRIM, "DELETE FROM document_updates WHERE document_id = $1::bigint"                                                  \
            " AND seq <= (SELECT d.seq FROM documents d WHERE d.id = $1) AND seq < $2::bigint +"                           \
            " (SELECT m.seq FROM document_updates m WHERE m.document_id = $1 ORDER BY m.seq LIMIT 1)")                     \
    X(PRUNE_MANY, PG_PRUNED "ORDER BY seq DESC OFFSET $2::bigint LIMIT " PG_STR(PG_PRUNE_ROWS) ")")                        \
    X(PRUNE_OLD, PG_PRUNED "AND at < " PG_NOW " - $2::bigint ORDER BY seq LIMIT " PG_STR(PG_PRUNE_ROWS) ")")               \
    X(TITLE, "UPDATE documents SET title = nullif($2::text, ''), updated_at = greatest(updated_at, " PG_NOW "),"           \
             " updated_by = nullif($3::text, '') WHERE id = $1::bigint")                                                   \
    X(BURY, "WITH buried AS (UPDATE document_heads SET deleted = true, updated_at = " PG_NOW ", updated_by = nullif($2::text, '')" \
            " WHERE document_id = $1::bigint RETURNING last_seq),"                                                         \
            " snapshots AS (DELETE FROM document_snapshots WHERE document_id = $1),"                                       \
            " clients AS (DELETE FROM document_clients WHERE document_id = $1)"                                            \
            " UPDATE documents SET data = '\\x0000', crc = NULL, seq = buried.last_seq, version = version + 1,"            \
            " contributors = NULL, contributors_seq = NULL, deleted_at = " PG_NOW ", updated_at = " PG_NOW ","             \
            " updated_by = nullif($2, '') FROM buried WHERE id = $1")                                                      \
    X(NOTE_CLIENT, "INSERT INTO document_clients(document_id, client, user_name) VALUES($1::bigint, $2::bigint, $3::text)" \
                   " ON CONFLICT DO NOTHING")                                                                              \
    /* $1 id, $2 seq, $3 label, $4 user, $5 contributors, $6 crc, $7 state, $8 is the list since over? */                  \
    X(KEEP, "WITH kept AS (INSERT INTO document_snapshots(document_id, seq, at, label, author, contributors, bytes, crc, data)" \
            " VALUES($1::bigint, $2::bigint, " PG_NOW ", nullif($3::text, ''), nullif($4::text, ''), $5::text,"            \
            " octet_length($7::bytea), $6::bigint, $7) ON CONFLICT (document_id, seq) DO UPDATE"                           \
            " SET label = coalesce(excluded.label, document_snapshots.label) RETURNING xmax = 0 AS is_new)"                \
            " UPDATE documents SET contributors = NULL, contributors_seq = $2 FROM kept"                                   \
            " WHERE id = $1 AND kept.is_new AND $8::bigint = 1")                                                           \
    X(LABEL, "UPDATE document_snapshots SET label = nullif($3::text, '') WHERE document_id = $1::bigint AND seq = $2::bigint") \
    X(ARCHIVE, "UPDATE document_snapshots SET archive_key = $3::text, data = NULL"                                         \
               " WHERE document_id = $1::bigint AND seq = $2::bigint")                                                     \
    X(DROP, "DELETE FROM document_snapshots WHERE document_id = $1::bigint AND seq = $2::bigint")                          \
    /* the units'; PG_BEGIN_UNITS to PG_RELEASE */                                                                         \
    X(BEGIN_UNITS, "BEGIN ISOLATION LEVEL SERIALIZABLE, READ WRITE")                                                       \
    X(BEGIN_LOOSE, "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE")                                                     \
    X(SAVEPOINT, "SAVEPOINT um_unit")                                                                                      \
    X(UNDO, "ROLLBACK TO SAVEPOINT um_unit")                                                                               \
    X(RELEASE, "RELEASE SAVEPOINT um_unit")                                                                                \
    PG_SHARED_WRITES(X)                                                                                                    \
    /* the readers', and answers of the writer's */                                                                        \
    X(MOMENT, "SELECT " PG_NOW)                                                                                            \
    X(LOAD, "SELECT d.version, d.seq, d.crc, d.deleted_at IS NOT NULL, CASE WHEN $2::bigint < d.seq THEN d.data END,"      \
            " h.last_seq FROM documents d LEFT JOIN document_heads h ON h.document_id = d.id WHERE d.name = $1::text")     \
    X(LOG, "SELECT seq, crc, data FROM document_updates WHERE document_id = (SELECT id FROM documents WHERE name = $1::text" \
           " AND deleted_at IS NULL) AND seq > (SELECT greatest(seq, $2::bigint) FROM documents WHERE name = $1) ORDER BY seq") \
    X(ENTRY_BY_NAME, PG_ENTRY "documents d " PG_ENTRY_WHERE "AND d.name = $1::text")                                       \
    X(ENTRY_BY_ID, PG_ENTRY "documents d " PG_ENTRY_WHERE "AND d.id = $1::bigint")                                         \
    X(ENTRIES, PG_ENTRY "unnest($1::bigint[]) WITH ORDINALITY n(id, ord) JOIN documents d ON d.id = n.id "                 \
               PG_ENTRY_WHERE "ORDER BY n.ord")                                                                            \
    X(CANDIDATES, "SELECT d.id, d.updated_at, greatest(d.updated_at, h.updated_at) FROM (SELECT id, updated_at FROM documents" \
                  " WHERE " PG_MATCHES " AND (updated_at, id) < ($2::bigint, $3::bigint)"                                  \
                  " ORDER BY updated_at DESC, id DESC LIMIT $4::bigint) d LEFT JOIN document_heads h"                      \
                  " ON h.document_id = d.id ORDER BY d.updated_at DESC, d.id DESC")                                        \
    X(FOUND, "SELECT count(*) FROM documents WHERE " PG_MATCHES)                                                           \
    X(HEADS, "SELECT n.ord, d.deleted_at IS NOT NULL, h.last_seq, d.version, d.crc IS NULL AND d.version > 0"              \
             " FROM unnest($1::text[]) WITH ORDINALITY n(name, ord) JOIN documents d ON d.name = n.name JOIN document_heads h ON h.document_id = d.id") \
    X(VERSION, PG_VERSION_ROW ", s.data FROM document_snapshots s JOIN documents d ON d.id = s.document_id"                \
               " WHERE d.name = $1::text AND s.seq = $2::bigint AND d.deleted_at IS NULL")                                 \
    X(VERSION_INFO, PG_VERSION_ROW " FROM document_snapshots s JOIN documents d ON d.id = s.document_id"                   \
                    " WHERE d.name = $1::text AND s.seq = $2::bigint AND d.deleted_at IS NULL")                            \
    X(VERSIONS, PG_VERSION_ROW " FROM document_snapshots s JOIN documents d ON d.id = s.document_id WHERE s.document_id =" \
                " (SELECT id FROM documents WHERE name = $1::text AND deleted_at IS NULL)"                                 \
                " AND ($2::bigint = 0 OR s.seq < $2) ORDER BY s.seq DESC LIMIT $3::bigint")                                \
    X(LIVES, "SELECT 1 FROM documents WHERE name = $1::text AND deleted_at IS NULL")                                       \
    X(VERSIONS_BEFORE, PG_VERSION_ROW " FROM document_snapshots s JOIN documents d ON d.id = s.document_id"                \
                       " WHERE s.at < $1::bigint AND s.archive_key IS NULL AND d.deleted_at IS NULL"                       \
                       " ORDER BY s.at, s.document_id, s.seq LIMIT $2::bigint")                                            \
    X(CLIENTS, "SELECT c.client, c.user_name FROM document_clients c WHERE c.document_id ="                                \
               " (SELECT id FROM documents WHERE name = $1::text AND deleted_at IS NULL) LIMIT $2::bigint")                                 \
    PG_SHARED_READS(X)

enum pg_id {
#define X(name, sql) PG_##name,
    PG_STATEMENTS(X)
#undef X
    PG_N
};
extern const char *const pg_statements[PG_N];

/* ---- parameters: binary, built for one call ---- */

enum { PG_ARGS_MAX = 9 };
struct pg_args {
    int n;
    const char *values[PG_ARGS_MAX];
    int lengths[PG_ARGS_MAX];
    uint64_t numbers[PG_ARGS_MAX];           /* of the small ones, in the network's order */
    struct um_buf *arrays[PG_ARGS_MAX];      /* ours */
    bool failed;                             /* out of memory, or more than the protocol takes */
};
void pg_arg_int(struct pg_args *a, int64_t v);
void pg_arg_text(struct pg_args *a, const char *s);          /* borrowed until the call is sent */
void pg_arg_null(struct pg_args *a);
void pg_arg_bytes(struct pg_args *a, struct um_span b);      /* borrowed likewise */
/* Arrays of one dimension: begin, the N elements in order, end. Elements of several arrays may be put in turn. */
enum pg_element { PG_INT8 = 20, PG_BYTEA = 17, PG_TEXT = 25 };          /* PostgreSQL's type numbers */
int pg_arg_array(struct pg_args *a, enum pg_element of, size_t n);      /* its place, for the next two */
void pg_put_int(struct pg_args *a, int array, int64_t v);
void pg_put_span(struct pg_args *a, int array, struct um_span s);
void pg_args_free(struct pg_args *a);

/* ---- connections ---- */

enum pg_use { PG_SCHEMA, PG_WRITER, PG_READER, PG_UNITS };

/* One thread at a time. What fails leaves its kind in err; the connection is closed when it is of no more use. */
struct pg_conn {
    const struct pg_target *to;
    const struct um_store_conf *cf;
    enum pg_use use;
    PGconn *db;                              /* NULL: closed */
    size_t host;                             /* the one that answered last */
    unsigned failures;                       /* attempts in a row */
    int64_t retry_at_ms;
    bool lost;                               /* the next connection is one made anew, not the first */
    bool heavy;                              /* libpq's buffers have grown, and do not shrink */
    um_err err;                              /* of the present turn; the first counts */
    bool of_a_row;                           /* err came from what was written, not from the server's state */
    bool again;                              /* err is over when the transaction is made once more */
    char state[6];                           /* SQLSTATE of err; "": it was not the server's */
    struct store_statements *units;          /* of units and inspections; NULL: none yet */
    char why[200];                           /* for the operator; no secrets, no bytes of documents */
};
void pg_init(struct pg_conn *c, const struct pg_target *to, const struct um_store_conf *cf, enum pg_use use);
/* Connects if need be. A connection that the server has closed meanwhile is noticed here. UM_EUNAVAIL at once while the
 * next attempt is not due. */
um_err pg_ready(struct pg_conn *c);
void pg_close(struct pg_conn *c);            /* safe to repeat */

/* A turn: any number of statements sent, pg_sync, then as many pg_take in the same order, then pg_end. After the first
 * error nothing of the turn is executed; pg_take goes on with NULL. */
void pg_begin(struct pg_conn *c);
void pg_send(struct pg_conn *c, enum pg_id id, struct pg_args *args);   /* frees ARGS' arrays; NULL: none */
/* The same for statements that are not of the list above. */
struct pg_values { int n; const char **values; int *lengths, *binary; Oid *types; };     /* BINARY: all 1 */
void pg_send_named(struct pg_conn *c, const char *name, const struct pg_values *v);
void pg_send_prepare(struct pg_conn *c, const char *name, const char *text, const struct pg_values *v);
void pg_send_text(struct pg_conn *c, const char *text);
void pg_sync(struct pg_conn *c);
PGresult *pg_take(struct pg_conn *c);        /* the caller clears it; NULL: failed */
um_err pg_end(struct pg_conn *c);
/* Rows as they come, instead of pg_take; NULL at the end or on failure. */
void pg_stream(struct pg_conn *c);
PGresult *pg_next_row(struct pg_conn *c);
void pg_roll_back(struct pg_conn *c);        /* if a transaction is open; a connection that cannot is closed */

/* Statements without parameters, for PG_SCHEMA. *OUT: the last result (cleared by the caller), or NULL when not asked for. */
um_err pg_exec(struct pg_conn *c, const char *sql, PGresult **out);
/* Fails the turn: the database is not what it should be. */
void pg_fail(struct pg_conn *c, um_err err, const char *why);

int64_t pg_int(const PGresult *r, int row, int column);      /* integers of any width and bool */
struct um_span pg_bytes(const PGresult *r, int row, int column);
static inline const char *pg_text(const PGresult *r, int row, int column) { return PQgetvalue(r, row, column); }

/* Shuts FD down after MS, unless it is stopped before. NULL: no thread to be had. */
struct pg_watch;
struct pg_watch *pg_watch_start(int fd, int64_t ms);
void pg_watch_stop(struct pg_watch *w);

/* How long N bytes may take: a slow line (10 MB/s) is enough. */
static inline int64_t pg_patience_ms(size_t n) { return (int64_t)(n / 10000); }

/* ---- schema ---- */

/* Brings the tables to this program's version, or says in WHY what it met. */
um_err pg_migrate(struct pg_conn *c, char why[256]);
/* May this program work on a database of schema VERSION, which can be used by programs from COMPATIBLE_FROM on? */
static inline bool pg_schema_fits(int64_t version, int64_t compatible_from)
{
    return version >= STORE_SCHEMA && compatible_from <= STORE_SCHEMA;
}

/* ---- the writer ---- */

struct pg_store {
    const struct um_store_conf *conf;
    struct pg_target target;
    struct pg_conn conn;                     /* the writer's */
    int64_t *trims;                          /* ids of documents whose log has more rows below the state */
    size_t n_trims, cap_trims;
    bool failed;                             /* the last batch */
};

um_err pg_write(void *self, struct store_op *batch);
bool pg_has_backlog(const void *self);
void pg_remember_trim(struct pg_store *st, int64_t id);

/* A transaction's documents: each name once. */
struct pg_doc {
    const char *name;                        /* an op's */
    const struct store_op *maker;            /* the op that would make it; NULL: none here does */
    int64_t id;                              /* 0: there is none */
    uint64_t version, seq, last_seq;
    bool made, reached, deleted, folded;     /* made by this transaction; its maker's turn has come */
    char *contributors;                      /* JSON; NULL: none */
    uint64_t counted;                        /* contributors hold the log up to here */
    uint64_t version_seq;                    /* of the newest version kept, and its moment; without one, the making */
    int64_t version_at_ms;
    int64_t now_ms;                          /* the transaction's moment */
    size_t place, n;                         /* in the present run of appends: from 1, and its rows */
    const char *author;                      /* of its last row there */
};
struct pg_docs { struct um_map by_name; struct pg_doc *rows; size_t n, cap; };
struct pg_doc *pg_docs_get(struct pg_docs *docs, const char *name);      /* adds it: earlier answers move */
void pg_docs_free(struct pg_docs *docs);

/* Appends that go as one statement. */
struct pg_run {
    struct store_op **ops;                   /* borrowed */
    size_t n;
    struct { size_t place; uint64_t nth; } *rows;    /* of each op: its document's place, and its number there from 1 */
    size_t n_docs;
};
void pg_run_send(struct pg_run *run, struct pg_conn *c, struct pg_docs *docs);
/* Gives the ops their seq; UM_EDENIED: deleted, UM_ENOTFOUND: there is no such document. */
void pg_run_take(struct pg_run *run, struct pg_conn *c);
void pg_run_free(struct pg_run *run);

/* All kinds of ops in one transaction, in their order. The result is the turn's; ops have their own errs. */
um_err pg_write_mixed(struct pg_store *st, struct store_op **ops, size_t n);
/* The same of ops of shared tables, apart from the documents'. */
um_err pg_write_shared(struct pg_store *st, struct store_op **ops, size_t n);
/* Ends the transaction whose statements were sent before; with failure points in between where those are built in. */
void pg_send_commit(struct pg_conn *c);
um_err pg_finish_commit(struct pg_conn *c);

/* ---- units of work ---- */

/* A connection inside a transaction of units. Statements that open, part and close it wait for the next one of a unit, so that
 * they cost no round trip; a unit that asks for nothing has none sent. */
enum { PG_WAITING_MAX = 8 };
struct pg_sql {
    struct um_sql q;
    struct pg_conn *c;
    enum pg_id waiting[PG_WAITING_MAX];
    int n_waiting;
    bool knows_moment;
    int64_t now_ms;                          /* of the transaction */
};
extern const struct store_sql_driver pg_sql_driver;
void pg_sql_wait(struct pg_sql *s, enum pg_id id);
bool pg_sql_forgo(struct pg_sql *s, enum pg_id id);      /* it waited as the last one, and does no more */
void pg_sql_send_waiting(struct pg_sql *s);              /* in a turn: sent, later taken */
void pg_sql_take_waiting(struct pg_sql *s);
void pg_sql_forget(struct pg_conn *c);                   /* its statements; the connection is closed */

struct pg_units { struct pg_store *st; struct pg_conn conn; };
um_err pg_units_open(void *self, void **units);
void pg_units_close(void *units);
um_err pg_units_write(void *units, struct store_op *batch);

/* ---- the readers ---- */

struct pg_reader { struct pg_store *st; struct pg_conn conn; };

void pg_read(void *reader, struct store_op *op);
/* Rows of PG_ENTRY into op->page; of PG_VERSION_ROW into op->versions. Set op->err. */
void pg_take_entries(const PGresult *r, struct store_op *op);
void pg_take_versions(const PGresult *r, struct store_op *op);
um_err pg_read_list(struct pg_conn *c, struct store_op *op);
void pg_read_shared(struct pg_conn *c, struct store_op *op);
void pg_inspect(struct pg_conn *c, struct store_op *op);
/* Nothing but this call's statements between BEGIN and COMMIT; the answers of those come next. */
void pg_begin_read(struct pg_conn *c);
void pg_end_read(struct pg_conn *c);

#endif
