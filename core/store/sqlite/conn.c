/* A connection: how it is opened, its prepared statements, what its errors mean. */
#include "sqlite_internal.h"
#include <stdarg.h>
#include <string.h>

static const char *const statements[SQ_N] = {
#define X(name, sql) [SQ_##name] = sql,
    SQ_STATEMENTS(X)
#undef X
};

/* FULL: a commit that was acknowledged survives a power cut. The log of the database is folded back every 8000 pages. */
static const char writer_pragmas[] =
    "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=8000; PRAGMA journal_size_limit=67108864; PRAGMA foreign_keys=ON;"
    "PRAGMA cache_size=-8000; PRAGMA temp_store=MEMORY;";
static const char reader_pragmas[] = "PRAGMA query_only=ON; PRAGMA cache_size=-4000; PRAGMA temp_store=MEMORY;";

enum { BUSY_MS = 5000 };                     /* for a foreign program in the middle of its own write */

int sq_open(struct sq_conn *c, const char *path, enum sq_use use)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(path != NULL ? path : ":memory:", &c->db, flags, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(c->db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sq_exec(c, use == SQ_WRITER ? writer_pragmas : reader_pragmas);
    if (rc != SQLITE_OK)
        sq_close(c);
    return rc;
}

void sq_close(struct sq_conn *c)
{
    sq_units_forget(c);
    for (int i = 0; i < SQ_N; i++) {
        sqlite3_finalize(c->stmts[i]);
        c->stmts[i] = NULL;
    }
    sqlite3_close(c->db);
    c->db = NULL;
}

int sq_exec(struct sq_conn *c, const char *sql)
{
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL);
}

static int bind_all(sqlite3_stmt *s, const char *types, va_list ap)
{
    int rc = SQLITE_OK;

    for (int i = 1; *types != '\0' && rc == SQLITE_OK; types++, i++) {
        if (*types == 'i') {
            rc = sqlite3_bind_int64(s, i, va_arg(ap, int64_t));
        } else if (*types == 't') {
            const char *text = va_arg(ap, const char *);

            if (text[0] != '\0')
                rc = sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC);
        } else {
            struct um_span b = va_arg(ap, struct um_span);

            rc = sqlite3_bind_blob64(s, i, b.data, b.len, SQLITE_STATIC);
        }
    }
    return rc;
}

static sqlite3_stmt *query(struct sq_conn *c, enum sq_id id, const char *types, va_list ap)
{
    sqlite3_stmt *s = c->stmts[id];

    if (s == NULL) {
        if (sqlite3_prepare_v3(c->db, statements[id], -1, SQLITE_PREPARE_PERSISTENT, &s, NULL) != SQLITE_OK)
            return NULL;
        c->stmts[id] = s;
    }
    if (bind_all(s, types, ap) == SQLITE_OK)
        return s;
    sq_end(s);
    return NULL;
}

sqlite3_stmt *sq_query(struct sq_conn *c, enum sq_id id, const char *types, ...)
{
    va_list ap;
    sqlite3_stmt *s;

    va_start(ap, types);
    s = query(c, id, types, ap);
    va_end(ap);
    return s;
}

int sq_run(struct sq_conn *c, enum sq_id id, const char *types, ...)
{
    va_list ap;
    sqlite3_stmt *s;
    int rc;

    va_start(ap, types);
    s = query(c, id, types, ap);
    va_end(ap);
    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    rc = sqlite3_step(s);
    sq_end(s);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int sq_int(struct sq_conn *c, enum sq_id id, int64_t arg, int64_t *out)
{
    bool has_arg = strchr(statements[id], '?') != NULL;
    sqlite3_stmt *s = sq_query(c, id, has_arg ? "i" : "", arg);
    int rc;

    if (s == NULL)
        return sqlite3_extended_errcode(c->db);
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    sq_end(s);
    return rc == SQLITE_ROW ? SQLITE_OK : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

void sq_end(sqlite3_stmt *s)
{
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
}

struct um_span sq_blob(sqlite3_stmt *s, int column)
{
    const void *data = sqlite3_column_blob(s, column);      /* before the length, as SQLite asks */

    return UM_SPAN(data, data != NULL ? (size_t)sqlite3_column_bytes(s, column) : 0);
}

um_err sq_err(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return UM_OK;
    case SQLITE_NOMEM:
        return UM_ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return UM_EUNAVAIL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return UM_ECORRUPT;
    default:
        return UM_EIO;                       /* disk full, read-only, input/output errors */
    }
}

bool sq_breaks_trust(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_NOMEM:
        return true;
    default:
        return false;
    }
}
