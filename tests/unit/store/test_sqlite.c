/* What only SQLite can do or suffer: stock files, foreign hands, damaged bytes, other processes, sudden death, bad disks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/metrics.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "rig.h"

/* ---- a disk that can be made bad ---- */

static _Atomic bool disk_is_full, sync_fails;
static ssize_t (*real_pwrite)(int fd, const void *data, size_t n, off_t at);

static ssize_t full_pwrite(int fd, const void *data, size_t n, off_t at)
{
    if (atomic_load(&disk_is_full)) {
        errno = ENOSPC;
        return -1;
    }
    return real_pwrite(fd, data, n, at);
}

/* These stand before the C library's: SQLite calls them. */
int fdatasync(int fd)
{
    if (atomic_load(&sync_fails)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fdatasync(fd);
}

static void take_over_writes(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    real_pwrite = (ssize_t (*)(int, const void *, size_t, off_t))vfs->xGetSystemCall(vfs, "pwrite64");
    assert_int_equal(vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)full_pwrite), SQLITE_OK);
}

/* ---- the foreign hand ---- */

static void path_of(const struct rig *r, char out[128])
{
    snprintf(out, 128, "%s/umbel.db", r->dir);
}

static sqlite3 *foreign_open(const struct rig *r)
{
    char path[128];
    sqlite3 *db;

    path_of(r, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    return db;
}

static void foreign_exec(const struct rig *r, const char *sql)
{
    sqlite3 *db = foreign_open(r);
    char *err = NULL;

    if (sqlite3_exec(db, sql, NULL, NULL, &err) != SQLITE_OK)
        fail_msg("%s: %s", sql, err);
    sqlite3_close(db);
}

/* The first column of the first row as text. */
static void foreign_ask(const struct rig *r, const char *sql, char *out, size_t size)
{
    sqlite3 *db = foreign_open(r);
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    snprintf(out, size, "%s", sqlite3_column_text(s, 0) != NULL ? (const char *)sqlite3_column_text(s, 0) : "(null)");
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* Word for word what Hocuspocus' SQLite extension says. */
static const char stock_schema[] =
    "CREATE TABLE IF NOT EXISTS \"documents\" (\"name\" varchar(255) NOT NULL, \"data\" blob NOT NULL, UNIQUE(name))";
static const char stock_select[] = "SELECT data FROM \"documents\" WHERE name = ?1 ORDER BY rowid DESC";
static const char stock_upsert[] =
    "INSERT INTO \"documents\" (\"name\", \"data\") VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET data = ?2";

static void stock_store(const struct rig *r, const char *name, const char *data)
{
    sqlite3 *db = foreign_open(r);
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_exec(db, stock_schema, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, stock_upsert, -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_blob(s, 2, data, (int)strlen(data), SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
    sqlite3_close(db);
}

static void stock_fetch(const struct rig *r, const char *name, char out[64])
{
    sqlite3 *db = foreign_open(r);
    sqlite3_stmt *s;

    assert_int_equal(sqlite3_prepare_v2(db, stock_select, -1, &s, NULL), SQLITE_OK);
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    snprintf(out, 64, "%.*s", sqlite3_column_bytes(s, 0), (const char *)sqlite3_column_blob(s, 0));
    sqlite3_finalize(s);
    sqlite3_close(db);
}

/* ---- life ---- */

static int setup(void **state)
{
    struct rig *r = um_xcalloc(1, sizeof(*r));

    atomic_store(&disk_is_full, false);
    atomic_store(&sync_fails, false);
    rig_init(r, NULL);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    atomic_store(&disk_is_full, false);
    atomic_store(&sync_fails, false);
    rig_free(*state);
    free(*state);
    return 0;
}

static um_err try_open(struct rig *r, char why[256])
{
    um_err err = um_store_open(&r->st, &r->conf, why);

    if (err == UM_OK) {
        um_store_close(r->st);
        r->st = NULL;
    }
    return err;
}

/* ---- stock files ---- */

static void a_stock_database_opens_with_its_documents(void **state)
{
    struct rig *r = *state;
    struct got got;
    char data[64];

    stock_store(r, "one", "ONE");
    stock_store(r, "two", "TWO");
    stock_store(r, "one", "ONE again");
    rig_open(r);
    assert_int_equal(rig_load(r, "one", &got), UM_OK);
    assert_string_equal(got.state, "ONE again");
    assert_int_equal(got.version, 1);
    assert_int_equal(rig_append(r, "two", "+", &got), UM_OK);
    assert_int_equal(got.number, 1);
    assert_int_equal(rig_list(r, NULL, 10, NULL, &got), UM_OK);
    assert_int_equal(got.found, 2);
    rig_close(r);
    stock_fetch(r, "two", data);
    assert_string_equal(data, "TWO");
    foreign_ask(r, "SELECT count(*) FROM sqlite_schema WHERE name = 'documents_stock'", data, sizeof(data));
    assert_string_equal(data, "0");
}

static void a_stock_server_can_go_on_with_our_file(void **state)
{
    struct rig *r = *state;
    struct got got;
    char data[64];

    rig_open(r);
    rig_append(r, "ours", "a", NULL);
    rig_fold(r, "ours", "OURS", 1, 0, NULL);
    rig_append(r, "unfolded", "a", NULL);
    rig_close(r);
    stock_fetch(r, "ours", data);
    assert_string_equal(data, "OURS");
    foreign_ask(r, "SELECT hex(data) FROM documents WHERE name = 'unfolded'", data, sizeof(data));
    assert_string_equal(data, "0000");            /* an empty bytes value would break a stock server's load */
    stock_store(r, "theirs", "THEIRS");
    stock_store(r, "ours", "CHANGED");
    rig_open(r);
    assert_int_equal(rig_load(r, "theirs", &got), UM_OK);
    assert_string_equal(got.state, "THEIRS");
    assert_int_equal(got.version, 1);             /* a fold that began before it existed would find another version */
    assert_int_equal(rig_load(r, "ours", &got), UM_OK);
    assert_string_equal(got.state, "CHANGED");
    assert_int_equal(got.version, 2);
}

static void a_foreign_write_beside_us_is_the_truth(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    rig_append(r, "d", "b", NULL);
    assert_int_equal(rig_fold(r, "d", "A", 1, 0, NULL), UM_OK);
    stock_store(r, "d", "FOREIGN");
    assert_int_equal(rig_fold(r, "d", "AB", 2, 1, NULL), UM_ECONFLICT);
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_string_equal(got.state, "FOREIGN");
    assert_string_equal(got.updates, "b");        /* our log is kept: loading merges both */
    assert_int_equal(got.version, 2);
    assert_int_equal(rig_fold(r, "d", "FOREIGN+B", 2, 2, &got), UM_OK);
    assert_int_equal(got.number, 3);
}

static void a_row_removed_by_a_foreign_hand_is_not_remembered(void **state)
{
    struct rig *r = *state;
    struct got got;
    char n[64];

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    foreign_exec(r, "DELETE FROM documents WHERE name = 'd'");
    foreign_ask(r, "SELECT count(*) FROM document_updates", n, sizeof(n));
    assert_string_equal(n, "0");
    assert_int_equal(rig_append(r, "d", "b", &got), UM_OK);
    assert_int_equal(got.number, 1);
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_string_equal(got.updates, "b");
}

static void a_foreign_program_can_read_while_we_run(void **state)
{
    struct rig *r = *state;
    char n[64];

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    foreign_ask(r, "SELECT count(*) FROM document_updates", n, sizeof(n));
    assert_string_equal(n, "1");
}

/* ---- schema ---- */

static void a_newer_schema_is_refused_with_a_reason(void **state)
{
    struct rig *r = *state;
    char why[256];

    rig_open(r);
    rig_close(r);
    foreign_exec(r, "INSERT INTO umbel_schema(version, applied_at, program) VALUES(99, 0, 'later')");
    assert_int_equal(try_open(r, why), UM_ECONFLICT);
    assert_non_null(strstr(why, "99"));
}

static void a_strange_table_of_that_name_is_left_alone(void **state)
{
    struct rig *r = *state;
    char why[256], n[64];

    foreign_exec(r, "CREATE TABLE documents(name TEXT, data BLOB, secret TEXT); INSERT INTO documents VALUES('a','b','c')");
    assert_int_equal(try_open(r, why), UM_EINVAL);
    assert_non_null(strstr(why, "documents"));
    foreign_ask(r, "SELECT secret FROM documents", n, sizeof(n));
    assert_string_equal(n, "c");
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct rig *r = *state;
    char why[256], path[128];
    int fd;

    path_of(r, path);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(fd, "this is no database at all\n", 27), 27);
    close(fd);
    assert_int_equal(try_open(r, why), UM_ECORRUPT);
    assert_true(why[0] != '\0');
}

static void a_missing_folder_and_strange_urls_have_reasons(void **state)
{
    struct rig *r = *state;
    static const char *const urls[] = { "", "oracle://h/db", "sqlite://host/path", "mysql:x", "sqlite:" };
    char why[256];

    for (size_t i = 0; i < UM_COUNT(urls); i++) {
        r->conf.url = urls[i];
        assert_int_equal(try_open(r, why), UM_EINVAL);
        assert_true(why[0] != '\0');
    }
    r->conf.url = "/nonexistent/folder/x.db";
    assert_int_equal(try_open(r, why), UM_EIO);
    assert_non_null(strstr(why, "/nonexistent/folder"));
}

static void every_spelling_of_the_url_means_the_same_file(void **state)
{
    static const char *const schemes[] = { "sqlite://", "sqlite:", "", "jdbc:sqlite:" };
    struct rig *r = *state;
    struct got got;
    char path[128];

    path_of(r, path);
    for (size_t i = 0; i < UM_COUNT(schemes); i++) {
        snprintf(r->url, sizeof(r->url), "%s%.100s", schemes[i], path);
        rig_open(r);
        assert_int_equal(rig_append(r, "d", "a", &got), UM_OK);
        assert_int_equal(got.number, i + 1);
        rig_close(r);
    }
}

static void nobody_else_may_read_the_files(void **state)
{
    struct rig *r = *state;
    static const char *const names[] = { "umbel.db", "umbel.db-wal", "umbel.db.lock" };
    char path[160];
    struct stat sb;

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    for (size_t i = 0; i < UM_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", r->dir, names[i]);
        assert_int_equal(stat(path, &sb), 0);
        assert_int_equal(sb.st_mode & 077, 0);
    }
}

/* ---- damage ---- */

static void damaged_bytes_are_told_and_left_alone(void **state)
{
    static const char *const damages[] = {
        "UPDATE documents SET data = X'58595A', version = version + 1 WHERE name = 'd'",     /* not a foreign write */
        "UPDATE document_updates SET data = X'58' WHERE seq = 3",
        "DELETE FROM document_updates WHERE seq = 2",                                           /* a gap at the beginning */
        "DELETE FROM document_updates WHERE seq = 3",                                           /* in the middle */
    };
    char before[512], after[512];
    static const char dump[] =
        "SELECT group_concat(quote(data)) FROM (SELECT data FROM documents UNION ALL SELECT data FROM document_updates)";

    for (size_t i = 0; i < UM_COUNT(damages); i++) {
        struct rig *r = *state;

        rig_free(r);
        rig_init(r, NULL);
        rig_open(r);
        for (int k = 0; k < 4; k++)
            rig_append(r, "d", "abcd", NULL);
        rig_fold(r, "d", "STATE", 1, 0, NULL);
        rig_append(r, "other", "fine", NULL);
        foreign_exec(r, damages[i]);
        foreign_ask(r, dump, before, sizeof(before));
        assert_int_equal(rig_load(r, "d", NULL), UM_ECORRUPT);
        assert_int_equal(rig_load(r, "d", NULL), UM_ECORRUPT);
        assert_int_equal(rig_load(r, "other", NULL), UM_OK);
        foreign_ask(r, dump, after, sizeof(after));
        assert_string_equal(before, after);
    }
}

static void one_document_that_cannot_be_stored_holds_up_no_other(void **state)
{
    enum { N = 6 };
    struct rig *r = *state;
    struct got good = { 0 }, bad = { 0 }, made = { 0 }, got;
    struct um_bytes *b = text_bytes("x");

    rig_open(r);
    rig_append(r, "bad", "a", NULL);
    foreign_exec(r, "CREATE TRIGGER broken BEFORE INSERT ON document_updates WHEN NEW.document_id ="
                    " (SELECT id FROM documents WHERE name = 'bad') BEGIN SELECT RAISE(ABORT, 'damaged'); END");
    um_store_create(r->st, r->loop, "new", "New", "ann", got_entry, &made);
    for (int i = 0; i < N; i++) {
        um_store_append(r->st, r->loop, "good", b, "ann", got_number, &good);
        if (i % 3 == 1)
            um_store_append(r->st, r->loop, "bad", b, "ann", got_number, &bad);
    }
    um_bytes_unref(b);
    rig_turn_until(r, &good.calls, N);
    rig_turn_until(r, &bad.calls, 2);
    assert_int_equal(good.err, UM_OK);
    assert_int_equal(good.number, N);
    assert_int_equal(bad.err, UM_EIO);
    assert_int_equal(made.err, UM_OK);
    assert_string_equal(made.title, "New");
    assert_true(um_store_is_healthy(r->st));
    assert_int_equal(rig_load(r, "bad", &got), UM_OK);
    assert_string_equal(got.updates, "a");
}

/* ---- other processes ---- */

static void a_second_process_is_refused_and_told_what_to_use(void **state)
{
    struct rig *r = *state;
    char why[256] = "";
    int go[2], said[2];
    pid_t child;

    assert_int_equal(pipe(go) | pipe(said), 0);
    child = fork();                               /* before we have threads */
    if (child == 0) {
        char c;
        um_err err = read(go[0], &c, 1) == 1 ? try_open(r, why) : UM_OK;

        _exit(write(said[1], why, sizeof(why)) == sizeof(why) ? (int)err : 99);
    }
    rig_open(r);
    assert_int_equal(write(go[1], "x", 1), 1);
    {
        int status = 0;

        assert_int_equal(read(said[0], why, sizeof(why)), sizeof(why));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(WEXITSTATUS(status), UM_EBUSY);
    }
    assert_non_null(strstr(why, "PostgreSQL"));
    {
        char pid[32];

        snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
        assert_non_null(strstr(why, pid));
    }
    assert_int_equal(rig_append(r, "d", "still ours", NULL), UM_OK);
    for (int i = 0; i < 2; i++) {
        close(go[i]);
        close(said[i]);
    }
}

static void a_link_does_not_hide_the_file(void **state)
{
    struct rig *r = *state;
    char path[128], link[160], why[256];
    struct um_store *second;
    struct um_store_conf conf = r->conf;

    rig_open(r);
    path_of(r, path);
    snprintf(link, sizeof(link), "%s/alias.db", r->dir);
    assert_int_equal(symlink(path, link), 0);
    conf.url = link;
    assert_int_equal(um_store_open(&second, &conf, why), UM_EBUSY);
    assert_null(second);
    assert_int_equal(rig_append(r, "d", "a", NULL), UM_OK);      /* the attempt has not cost us our locks */
}

/* A child that tells each acknowledged append through FD until it is killed. */
static void report_append(void *arg, um_err err, uint64_t seq)
{
    int fd = *(int *)arg;

    if (err != UM_OK || write(fd, &seq, sizeof(seq)) != sizeof(seq))
        _exit(1);
}

static _Noreturn void append_for_ever(struct rig *r, int fd)
{
    struct um_bytes *b = text_bytes("update");

    rig_open(r);
    for (;;) {
        for (int i = 0; i < 5; i++)
            um_store_append(r->st, r->loop, "d", b, "ann", report_append, &fd);
        um_loop_turn(r->loop, 10);
    }
}

static void every_acknowledged_append_survives_a_kill(void **state)
{
    struct rig *r = *state;
    struct got got;
    uint64_t acknowledged = 0, seq;

    for (int round = 0; round < 5; round++) {
        int fds[2], status;
        pid_t child;

        assert_int_equal(pipe(fds), 0);
        child = fork();
        if (child == 0)
            append_for_ever(r, fds[1]);
        close(fds[1]);
        for (int i = 0; i < 40 + round * 37; i++)
            if (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))
                acknowledged = seq;
        kill(child, SIGKILL);
        while (read(fds[0], &seq, sizeof(seq)) == sizeof(seq))   /* told before it died */
            acknowledged = seq;
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        close(fds[0]);

        rig_open(r);
        assert_int_equal(rig_load(r, "d", &got), UM_OK);
        assert_true(acknowledged > 0);
        assert_true(got.last_seq >= acknowledged);
        rig_close(r);
    }
}

/* ---- bad disks ---- */

static void wait_for_health(struct rig *r)
{
    for (int i = 0; i < 1000 && !um_store_is_healthy(r->st); i++)
        um_loop_turn(r->loop, 10);
    assert_true(um_store_is_healthy(r->st));
}

static void a_full_disk_acknowledges_nothing_and_is_survived(void **state)
{
    enum { N = 10 };
    struct rig *r = *state;
    struct got all = { 0 }, got;
    struct um_bytes *b = text_bytes("more");

    rig_open(r);
    assert_int_equal(rig_append(r, "d", "before", NULL), UM_OK);
    atomic_store(&disk_is_full, true);
    for (int i = 0; i < N; i++)
        um_store_append(r->st, r->loop, "d", b, "ann", got_number, &all);
    um_bytes_unref(b);
    rig_turn_until(r, &all.calls, N);
    assert_int_equal(all.err, UM_EIO);
    assert_false(um_store_is_healthy(r->st));
    assert_int_equal(rig_create(r, "new", "t", "ann", NULL), UM_EIO);
    assert_int_equal(rig_load(r, "d", &got), UM_OK);      /* reading goes on */
    assert_string_equal(got.updates, "before");
    atomic_store(&disk_is_full, false);
    wait_for_health(r);                                     /* though nobody asks for anything */
    assert_int_equal(rig_append(r, "d", "+after", &got), UM_OK);
    assert_int_equal(got.number, 2);
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_string_equal(got.updates, "before+after");
    assert_int_equal(rig_get(r, "new", NULL), UM_ENOTFOUND);
}

static void after_a_failed_sync_the_file_is_opened_anew(void **state)
{
    struct rig *r = *state;
    struct got got;
    int64_t reopened;
    uint64_t last;

    rig_open(r);
    reopened = um_metric_value(um_metrics_find("store.reopened"));
    assert_int_equal(rig_append(r, "d", "a", NULL), UM_OK);
    atomic_store(&sync_fails, true);
    assert_int_equal(rig_append(r, "d", "b", NULL), UM_EIO);
    assert_false(um_store_is_healthy(r->st));
    assert_int_equal(rig_append(r, "d", "c", NULL), UM_EIO);
    atomic_store(&sync_fails, false);
    wait_for_health(r);
    assert_true(um_metric_value(um_metrics_find("store.reopened")) > reopened);
    assert_int_equal(rig_append(r, "d", "z", &got), UM_OK);
    last = got.number;
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_int_equal(got.last_seq, last);
    assert_int_equal(got.updates[0], 'a');        /* what happened to b and c is unknown; a and z are there */
    assert_int_equal(got.updates[strlen(got.updates) - 1], 'z');
}

static void reopening_finds_everything_after_a_bad_spell(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    atomic_store(&sync_fails, true);
    rig_append(r, "d", "b", NULL);
    rig_close(r);                                 /* dies in the bad spell */
    atomic_store(&sync_fails, false);
    rig_open(r);
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_int_equal(got.updates[0], 'a');
}

/* ---- the list's shortcut ---- */

static void a_change_that_only_the_log_knows_counts_in_the_list(void **state)
{
    struct rig *r = *state;
    struct got got;
    char after[128];

    rig_open(r);
    for (int i = 0; i < 6; i++) {
        char name[8];

        snprintf(name, sizeof(name), "d%d", i);
        rig_append(r, name, "a", NULL);
    }
    /* d0 is oldest by its row, newest by its log, as far apart as the writer lets them be; d5 the other way round */
    foreign_exec(r, "UPDATE documents SET updated_at = 100000 + id * 10000;"
                    "UPDATE document_updates SET at = 100000 + document_id * 10000;"
                    "UPDATE document_updates SET at = 169999 WHERE document_id = (SELECT id FROM documents WHERE name = 'd0');"
                    "UPDATE document_updates SET at = 5 WHERE document_id = (SELECT id FROM documents WHERE name = 'd5')");
    assert_int_equal(rig_list(r, NULL, 2, NULL, &got), UM_OK);
    assert_string_equal(got.names, "d0 d5 ");     /* 169999, 160000 */
    assert_int_equal(got.updated_at_ms, 169999);
    memcpy(after, got.after, sizeof(after));
    assert_int_equal(rig_list(r, NULL, 3, after, &got), UM_OK);
    assert_string_equal(got.names, "d4 d3 d2 ");
}

static void updated_at_never_lags_by_more_than_the_list_relies_on(void **state)
{
    struct rig *r = *state;
    char lag[64];

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    foreign_exec(r, "UPDATE documents SET updated_at = updated_at - 70000");
    rig_append(r, "d", "b", NULL);
    foreign_ask(r, "SELECT (SELECT max(at) FROM document_updates) - updated_at <= 60000 FROM documents", lag, sizeof(lag));
    assert_string_equal(lag, "1");
}

static void a_page_of_the_list_does_not_sort_the_table(void **state)
{
    struct rig *r = *state;
    sqlite3 *db;
    sqlite3_stmt *s;
    char plan[512] = "";

    rig_open(r);
    db = foreign_open(r);
    assert_int_equal(sqlite3_prepare_v2(db, "EXPLAIN QUERY PLAN SELECT id, updated_at FROM documents WHERE deleted_at IS NULL"
        " AND (?1 IS NULL OR coalesce(title, name) LIKE ?1) AND updated_at <= ?2 ORDER BY updated_at DESC, id DESC",
        -1, &s, NULL), SQLITE_OK);
    while (sqlite3_step(s) == SQLITE_ROW) {
        strncat(plan, (const char *)sqlite3_column_text(s, 3), 200);
        strcat(plan, "\n");
    }
    sqlite3_finalize(s);
    sqlite3_close(db);
    assert_non_null(strstr(plan, "documents_by_change"));
    assert_null(strstr(plan, "TEMP B-TREE"));
}

/* ---- units of work ---- */

struct unit { int calls; um_err err; const char *text; };

static um_err say(void *arg, struct um_sql *q)
{
    return um_sql_exec(q, ((struct unit *)arg)->text, UM_SQL_NO_ARGS, NULL);
}

static void hear(void *arg, um_err err)
{
    struct unit *u = arg;

    u->calls++;
    u->err = err;
}

static um_err transact(struct rig *r, const char *text)
{
    struct unit u = { .text = text };

    um_store_transact(r->st, r->loop, say, hear, &u);
    rig_turn_until(r, &u.calls, 1);
    return u.err;
}

#define ADD_ONE "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(1, 1, 1, 0, 0)"

static void a_foreign_key_is_a_conflict(void **state)
{
    struct rig *r = *state;
    char n[64];

    rig_open(r);
    assert_int_equal(transact(r, ADD_ONE), UM_OK);
    foreign_exec(r, "CREATE TABLE child(scope TEXT REFERENCES scopes(id)); INSERT INTO child VALUES('1')");
    assert_int_equal(transact(r, "DELETE FROM scopes"), UM_ECONFLICT);
    assert_int_equal(transact(r, "INSERT INTO child(scope) VALUES(2)"), UM_EDENIED);       /* nobody's table */
    foreign_ask(r, "SELECT count(*) FROM scopes", n, sizeof(n));
    assert_string_equal(n, "1");
}

static um_err find_words(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT snippet(scopes, 1, ?2, ?2, ?3, 5) FROM scopes WHERE scopes MATCH ?1 ORDER BY rank LIMIT 10",
                            UM_SQL_ARGS(um_sql_word("brave AND wor*"), um_sql_word("*"), um_sql_word("")), &row);

    if (err == UM_OK)
        assert_string_equal(um_sql_text(&row, 0), u->text);
    return err;
}

static um_err put_words(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_sql_exec(q, "INSERT INTO scopes(id, body) VALUES(?1, ?2)",
                       UM_SQL_ARGS(um_sql_word("a"), um_sql_word("hello brave world")), NULL);
}

/* FTS5 prepares statements of its own inside ours. */
static void units_can_have_full_text(void **state)
{
    struct rig *r = *state;
    struct unit u = { .text = "hello *brave* *world*" };

    rig_open(r);
    rig_close(r);
    foreign_exec(r, "DROP TABLE scopes; CREATE VIRTUAL TABLE scopes USING fts5(id UNINDEXED, body)");
    rig_open(r);
    um_store_transact(r->st, r->loop, put_words, hear, &u);
    rig_turn_until(r, &u.calls, 1);
    assert_int_equal(u.err, UM_OK);
    um_store_inspect(r->st, r->loop, find_words, hear, &u);
    rig_turn_until(r, &u.calls, 2);
    assert_int_equal(u.err, UM_OK);
    assert_int_equal(transact(r, "DELETE FROM scopes"), UM_OK);
    um_store_inspect(r->st, r->loop, find_words, hear, &u);
    rig_turn_until(r, &u.calls, 3);
    assert_int_equal(u.err, UM_ENOTFOUND);
}

static void a_unit_on_a_full_disk_is_told_and_leaves_nothing(void **state)
{
    struct rig *r = *state;
    char n[64];

    rig_open(r);
    atomic_store(&disk_is_full, true);
    assert_int_equal(transact(r, ADD_ONE), UM_EIO);
    atomic_store(&disk_is_full, false);
    wait_for_health(r);
    foreign_ask(r, "SELECT count(*) FROM scopes", n, sizeof(n));
    assert_string_equal(n, "0");
    assert_int_equal(transact(r, ADD_ONE), UM_OK);
}

static void a_unit_is_in_the_file_when_it_is_told(void **state)
{
    struct rig *r = *state;
    char n[64];

    rig_open(r);
    assert_int_equal(transact(r, ADD_ONE), UM_OK);
    foreign_ask(r, "SELECT count(*) FROM scopes", n, sizeof(n));
    assert_string_equal(n, "1");
}

/* ---- failure points ---- */

#ifdef UMBEL_FAILPOINTS
static void a_migration_that_fails_leaves_the_stock_file_as_it_was(void **state)
{
    struct rig *r = *state;
    struct got got;
    char why[256], n[64];

    stock_store(r, "one", "ONE");
    um_failpoint_set("startup.migrate", "error");
    assert_int_not_equal(try_open(r, why), UM_OK);
    um_failpoint_set("startup.migrate", "off");
    foreign_ask(r, "SELECT count(*) FROM pragma_table_info('documents')", n, sizeof(n));
    assert_string_equal(n, "2");
    rig_open(r);
    assert_int_equal(rig_load(r, "one", &got), UM_OK);
    assert_string_equal(got.state, "ONE");
}

static void a_failure_at_any_point_of_a_transaction_loses_nothing(void **state)
{
    static const char *const points[] = { "edit.before_append", "edit.after_append", "edit.before_commit",
                                          "edit.after_commit", "snapshot.before_write", "snapshot.after_write",
                                          "trim.before", "trim.after" };
    struct rig *r = *state;
    struct got got;
    uint64_t version = 0;
    char last = 0;

    rig_open(r);
    for (size_t i = 0; i < UM_COUNT(points); i++) {
        rig_append(r, "d", "a", NULL);
        rig_load(r, "d", &got);
        um_failpoint_set(points[i], "error*1");
        if (i < 4)
            assert_int_not_equal(rig_append(r, "d", "b", NULL), UM_OK);
        else
            assert_int_not_equal(rig_fold(r, "d", "S", got.last_seq, got.version, NULL), UM_OK);
        um_failpoint_set(points[i], "off");
        wait_for_health(r);
        assert_int_equal(rig_append(r, "d", "z", NULL), UM_OK);
        assert_int_equal(rig_load(r, "d", &got), UM_OK);
        last = got.updates[strlen(got.updates) - 1];
        assert_int_equal(last, 'z');
        version = got.version;
        assert_int_equal(version, 0);
    }
    um_failpoint_set("load.error", "error*1");
    assert_int_equal(rig_load(r, "d", NULL), UM_EIO);
    um_failpoint_set("load.error", "off");
}
#endif

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(a_stock_database_opens_with_its_documents),
        T(a_stock_server_can_go_on_with_our_file),
        T(a_foreign_write_beside_us_is_the_truth),
        T(a_row_removed_by_a_foreign_hand_is_not_remembered),
        T(a_foreign_program_can_read_while_we_run),
        T(a_newer_schema_is_refused_with_a_reason),
        T(a_strange_table_of_that_name_is_left_alone),
        T(a_file_that_is_no_database_is_refused),
        T(a_missing_folder_and_strange_urls_have_reasons),
        T(every_spelling_of_the_url_means_the_same_file),
        T(nobody_else_may_read_the_files),
        T(damaged_bytes_are_told_and_left_alone),
        T(one_document_that_cannot_be_stored_holds_up_no_other),
        T(a_second_process_is_refused_and_told_what_to_use),
        T(a_link_does_not_hide_the_file),
        T(every_acknowledged_append_survives_a_kill),
        T(a_full_disk_acknowledges_nothing_and_is_survived),
        T(after_a_failed_sync_the_file_is_opened_anew),
        T(reopening_finds_everything_after_a_bad_spell),
        T(a_change_that_only_the_log_knows_counts_in_the_list),
        T(updated_at_never_lags_by_more_than_the_list_relies_on),
        T(a_page_of_the_list_does_not_sort_the_table),
        T(a_foreign_key_is_a_conflict),
        T(units_can_have_full_text),
        T(a_unit_on_a_full_disk_is_told_and_leaves_nothing),
        T(a_unit_is_in_the_file_when_it_is_told),
#ifdef UMBEL_FAILPOINTS
        T(a_migration_that_fails_leaves_the_stock_file_as_it_was),
        T(a_failure_at_any_point_of_a_transaction_loses_nothing),
#endif
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    take_over_writes();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
