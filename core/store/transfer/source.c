/* The SQLite file: read only, beside a core that may be using it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <umbel/util.h>
#include "transfer.h"

enum { PAGE = 1000, BUSY_MS = 10000 };

#define MARK \
    "SELECT d.id, d.name || '|' || coalesce(d.title, '') || '|' || d.version || '|' || d.seq || '|' || coalesce(d.crc, -1)" \
    " || '|' || (d.deleted_at IS NOT NULL) || '|' || (SELECT count(*) || '|' || coalesce(max(u.seq), 0) FROM document_updates u" \
    " WHERE u.document_id = d.id) || '|' || (SELECT count(*) || '|' || coalesce(max(s.seq), 0) || '|' ||"                   \
    " coalesce(sum(length(s.label)), 0) || '|' || count(s.archive_key) FROM document_snapshots s WHERE s.document_id = d.id)" \
    " || '|' || (SELECT count(*) FROM document_clients c WHERE c.document_id = d.id)"                                       \
    " || '|' || coalesce((SELECT c.upto FROM document_contributors c WHERE c.document_id = d.id), -1) FROM documents d"

static um_err fail(struct transfer_source *s, int rc, char why[256])
{
    snprintf(why, 256, "cannot read the source: %.200s", s->db != NULL ? sqlite3_errmsg(s->db) : sqlite3_errstr(rc));
    return rc == SQLITE_BUSY ? UM_EUNAVAIL : rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB ? UM_ECORRUPT : UM_EIO;
}

static um_err ask(struct transfer_source *s, const char *sql, int64_t *out)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

    if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? UM_OK : UM_EIO;
}

/* Taken by the core that uses the file (sqlite/driver.c): whoever has it keeps all others out. */
static void try_lock(struct transfer_source *s, const char *path)
{
    char *name = um_xasprintf("%s.lock", path);

    s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    s->locked = s->lock_fd >= 0 && flock(s->lock_fd, LOCK_EX | LOCK_NB) == 0;
    free(name);
}

um_err source_open(struct transfer_source *s, const char *from, char why[256])
{
    const char *path = strncmp(from, "jdbc:", 5) == 0 ? from + 5 : from;
    int64_t version = 0;
    int rc;

    *s = (struct transfer_source){ .lock_fd = -1 };
    path = strncmp(path, "sqlite:", 7) == 0 ? path + 7 : path;
    path = strncmp(path, "//", 2) == 0 ? path + 2 : path;
    if ((s->path = realpath(path, NULL)) == NULL) {
        snprintf(why, 256, "there is no file %.200s", path);
        return UM_EINVAL;
    }
    try_lock(s, s->path);
    /* Read-write: a log that a dead core has left is taken in. */
    rc = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(s->db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, "PRAGMA query_only=ON", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return fail(s, rc, why);
    if (ask(s, "SELECT max(version) FROM umbel_schema", &version) != UM_OK || version != STORE_SCHEMA) {
        snprintf(why, 256, "the source has schema %lld, this program copies %d: start this release's core on it once",
                 (long long)version, (int)STORE_SCHEMA);
        return UM_EINVAL;
    }
    return UM_OK;
}

void source_close(struct transfer_source *s)
{
    sqlite3_close(s->db);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    free(s->path);
}

um_err source_count(struct transfer_source *s, int64_t *out) { return ask(s, "SELECT count(*) FROM documents", out); }

um_err source_marks(struct transfer_source *s, int64_t after, struct transfer_marks *out)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, MARK " WHERE d.id > ?1 ORDER BY d.id LIMIT ?2", -1, &q, NULL);

    *out = (struct transfer_marks){ um_xcalloc(PAGE, sizeof(*out->rows)), 0 };
    sqlite3_bind_int64(q, 1, after);
    sqlite3_bind_int64(q, 2, PAGE);
    while (rc == SQLITE_OK || rc == SQLITE_ROW)
        if ((rc = sqlite3_step(q)) == SQLITE_ROW)
            out->rows[out->n++] = (struct transfer_mark){ sqlite3_column_int64(q, 0),
                um_xstrdup((const char *)sqlite3_column_text(q, 1)) };
    sqlite3_finalize(q);
    return rc == SQLITE_DONE ? UM_OK : UM_EIO;
}

um_err source_begin(struct transfer_source *s)
{
    return sqlite3_exec(s->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK ? UM_OK : UM_EIO;
}

void source_end(struct transfer_source *s) { sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL); }

sqlite3_stmt *source_rows(struct transfer_source *s, const struct transfer_table *t, int64_t id)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->db, t->select, -1, &q, NULL) == SQLITE_OK)
        sqlite3_bind_int64(q, 1, id);
    return q;
}

um_err source_head(struct transfer_source *s, int64_t id, struct transfer_head *out)
{
    static const char sql[] =
        "SELECT max(d.seq, coalesce(u.seq, 0)), max(d.updated_at, coalesce(u.at, 0)), coalesce(u.author, d.updated_by, '')"
        " FROM documents d LEFT JOIN (SELECT * FROM document_updates WHERE document_id = ?1 ORDER BY seq DESC LIMIT 1) u"
        " WHERE d.id = ?1";
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &q, NULL);

    sqlite3_bind_int64(q, 1, id);
    if (rc == SQLITE_OK && (rc = sqlite3_step(q)) == SQLITE_ROW)
        *out = (struct transfer_head){ sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1),
            um_xstrdup((const char *)sqlite3_column_text(q, 2)) };
    sqlite3_finalize(q);
    return rc == SQLITE_ROW ? UM_OK : UM_EIO;
}
