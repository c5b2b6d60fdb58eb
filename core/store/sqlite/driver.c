/* The database file: where it is, who may have it, and the table of functions that the store calls.
 *
 * A second process is kept away by a lock on FILE.lock, not on the file itself: sqlite3 and stock servers can still read
 * it, and SQLite's own locks are not disturbed. The lock file stays; only the lock on it says something. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "sqlite_internal.h"

/* ---- the file ---- */

/* One name for a file, whatever links lead to it. NULL: its folder is not there. */
static char *resolve_path(const char *location)
{
    char *found = realpath(location, NULL);
    char *copy, *dir, *path = NULL;

    if (found != NULL)
        return found;
    copy = um_xstrdup(location);
    dir = realpath(dirname(copy), NULL);
    free(copy);
    if (dir != NULL) {
        copy = um_xstrdup(location);
        path = um_xasprintf("%s/%s", strcmp(dir, "/") == 0 ? "" : dir, basename(copy));
        free(copy);
    }
    free(dir);
    return path;
}

static um_err lock_file(struct sq_store *st, char why[256])
{
    char *name = um_xasprintf("%s.lock", st->path);
    char pid[24] = "";
    ssize_t n;

    st->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    free(name);
    if (st->lock_fd < 0) {
        snprintf(why, 256, "cannot write beside %.150s: %s", st->path, strerror(errno));
        return UM_EIO;
    }
    if (flock(st->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        n = pread(st->lock_fd, pid, sizeof(pid) - 1, 0);
        pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
        snprintf(why, 256, "another process (pid %s) uses %.120s; several processes need PostgreSQL as their store",
                 pid[0] != '\0' ? pid : "unknown", st->path);
        return UM_EBUSY;
    }
    if (ftruncate(st->lock_fd, 0) != 0 || dprintf(st->lock_fd, "%ld\n", (long)getpid()) < 0)
        return UM_OK;                            /* the number only helps whom the lock keeps out; a full disk is no reason to stop */
    return UM_OK;
}

/* Readable by nobody else; SQLite gives its own files beside it the same rights. */
static um_err touch_file(const char *path, char why[256])
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0) {
        snprintf(why, 256, "cannot open %.150s: %s", path, strerror(errno));
        return UM_EIO;
    }
    close(fd);
    return UM_OK;
}

/* Readers beside a writer need the write-ahead log. */
static um_err choose_journal(struct sq_store *st, char why[256])
{
    sqlite3_stmt *s = NULL;
    const char *mode;
    um_err err = UM_OK;

    if (sqlite3_prepare_v2(st->conn.db, "PRAGMA journal_mode=WAL", -1, &s, NULL) != SQLITE_OK ||
        sqlite3_step(s) != SQLITE_ROW) {
        err = sq_err(sqlite3_extended_errcode(st->conn.db));
        snprintf(why, 256, "cannot use %.120s: %.100s", st->path, sqlite3_errmsg(st->conn.db));
    } else if ((mode = (const char *)sqlite3_column_text(s, 0)) == NULL || strcmp(mode, "wal") != 0) {
        err = UM_EINVAL;
        snprintf(why, 256, "%.120s stands on a file system without shared memory (SQLite's WAL)", st->path);
    }
    sqlite3_finalize(s);
    return err;
}

static um_err open_file(struct sq_store *st, const char *location, char why[256])
{
    um_err err;
    int rc;

    st->path = resolve_path(location);
    if (st->path == NULL) {
        snprintf(why, 256, "the folder of %.180s: %s", location, strerror(errno));
        return UM_EIO;
    }
    if ((err = lock_file(st, why)) != UM_OK || (err = touch_file(st->path, why)) != UM_OK)
        return err;
    if ((rc = sq_open(&st->conn, st->path, SQ_WRITER)) != SQLITE_OK) {
        snprintf(why, 256, "cannot open %.150s: %s", st->path, sqlite3_errstr(rc));
        return sq_err(rc);
    }
    return choose_journal(st, why);
}

static void close_store(void *self)
{
    struct sq_store *st = self;

    if (st == NULL)
        return;
    sq_docs_forget(st);
    sq_close(&st->conn);
    if (st->lock_fd >= 0)
        close(st->lock_fd);                      /* after SQLite's last word */
    free(st->trims);
    free(st->path);
    free(st);
}

static um_err open_store(void **self, const struct um_store_conf *cf, const char *location, char why[256])
{
    struct sq_store *st = um_xcalloc(1, sizeof(*st));
    um_err err;

    st->conf = cf;
    st->lock_fd = -1;
    if (location[0] != '\0')
        err = open_file(st, location, why);
    else
        err = sq_err(sq_open(&st->conn, NULL, SQ_WRITER));
    if (err == UM_OK)
        err = sq_migrate(&st->conn, why);
    if (err == UM_OK) {
        *self = st;
        st = NULL;
    }
    close_store(st);
    return err;
}

/* ---- readers ---- */

static um_err open_reader(void *self, void **reader)
{
    struct sq_reader *r = um_xcalloc(1, sizeof(*r));

    r->st = self;
    r->conn = r->st->path != NULL ? &r->own : &r->st->conn;
    *reader = r;
    return UM_OK;                                /* connects at its first call, and again after an error */
}

static void close_reader(void *reader)
{
    struct sq_reader *r = reader;

    sq_close(&r->own);
    free(r);
}

const struct um_store_driver store_sqlite = {
    .name = "sqlite", .readers = 3, .open = open_store, .close = close_store, .write = sq_write,
    .has_backlog = sq_has_backlog, .reader_open = open_reader, .reader_close = close_reader, .read = sq_read,
};

const struct um_store_driver store_sqlite_memory = {
    .name = "sqlite in memory", .readers = 0, .never_waits = true, .open = open_store, .close = close_store, .write = sq_write,
    .has_backlog = sq_has_backlog, .reader_open = open_reader, .reader_close = close_reader, .read = sq_read,
};
