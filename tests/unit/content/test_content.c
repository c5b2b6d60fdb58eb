/* Contents: the same promises wherever the bytes lie (database, directory) and whatever the database is: in memory, on a file, and
 * on UMBEL_STORE_URL when it is set (an empty database; then also by two cores at once). */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/content_sql.h>
#include <umbel/failpoint.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "internal.h"
#include "rig.h"

enum { MANY = 3 * UM_CONTENT_CHUNK + 12345, TTL_MS = 3600000, TURNS = 3000 };
#define OWNER "GEC/DOCUMENT/d1"

static const char *url;                          /* of the present round; NULL: a file of the test's own */
static bool in_directory;                        /* of the present round: where bytes lie */
static bool is_server(void) { return url != NULL && strcmp(url, "memory:") != 0; }

struct test { struct rig rig; struct um_content *content; struct um_content_conf conf; char dir[64]; };

static void open_content(struct test *t)
{
    char why[256] = "";

    if (um_content_open(&t->content, t->rig.st, t->rig.loop, &t->conf, why) != UM_OK)
        fail_msg("%s", why);
    um_content_start(t->content);
}

static void close_content(struct test *t)
{
    um_content_stop(t->content);
    um_loop_settle(t->rig.loop);
    um_store_close(t->rig.st);
    um_loop_turn(t->rig.loop, 0);
    um_content_free(t->content);
    um_loop_free(t->rig.loop);
    t->rig.loop = NULL;
    t->rig.st = NULL;
}

/* ---- units made to look synchronous ---- */

struct unit {
    int calls;
    um_err err, then;                            /* THEN: what the unit returns when all has been done */
    const char *tmp, *owner, *file, *to, *user, *name;
    struct um_content_file got;
    int64_t number;
    char text[512];
};

static void hear(void *arg, um_err err)
{
    struct unit *u = arg;

    u->calls++;
    u->err = err;
}

static um_err transact(struct test *t, um_store_work *work, struct unit *u)
{
    u->calls = 0;
    um_store_transact(t->rig.st, t->rig.loop, work, hear, u);
    rig_turn_until(&t->rig, &u->calls, 1);
    return u->err;
}

static um_err empty(void *arg, struct um_sql *q)
{
    static const char *const texts[] = { "DELETE FROM content_files", "DELETE FROM content_chunks", "DELETE FROM contents" };
    um_err err = UM_OK;

    (void)arg;
    for (size_t i = 0; i < UM_COUNT(texts) && err == UM_OK; i++)
        err = um_sql_exec(q, texts[i], UM_SQL_NO_ARGS, NULL);
    return err;
}

static um_err count(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, u->name, UM_SQL_NO_ARGS, &row);

    u->number = err == UM_OK ? um_sql_int(&row, 0) : -1;
    return err;
}

static int64_t rows_of(struct test *t, const char *text)
{
    struct unit u = { .name = text };

    assert_int_equal(transact(t, count, &u), UM_OK);
    return u.number;
}

#define CONTENTS "SELECT count(*) FROM contents"
#define CHUNKS "SELECT count(*) FROM content_chunks"
#define FILES "SELECT count(*) FROM content_files"

static int setup(void **state)
{
    struct test *t = um_xcalloc(1, sizeof(*t));
    struct unit u = { 0 };

    rig_init(&t->rig, url);
    t->rig.conf.max_waiting_bytes = 16 << 20;
    rig_open(&t->rig);
    assert_int_equal(transact(t, empty, &u), UM_OK);
    snprintf(t->dir, sizeof(t->dir), "/tmp/umbel-content-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    t->conf = (struct um_content_conf){ .dir = in_directory ? t->dir : "", .max_bytes = 10 << 20, .tmp_ttl_ms = TTL_MS, .max_transfers = 8 };
    open_content(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;
    char command[128];

    close_content(t);
    rig_free(&t->rig);
    snprintf(command, sizeof(command), "rm -rf %s", t->dir);
    assert_int_equal(system(command), 0);
    free(t);
    return 0;
}

/* Files below the directory. */
static int files_below(const char *path)
{
    DIR *d = opendir(path);
    struct dirent *e;
    int n = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        char below[600];

        if (e->d_name[0] == '.')
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, e->d_name);
        n += e->d_type == DT_DIR ? files_below(below) : 1;
    }
    closedir(d);
    return n;
}

static int pieces_of(struct test *t)             /* of contents, wherever they lie */
{
    return in_directory ? files_below(t->dir) : (int)rows_of(t, CHUNKS);
}

/* One turn of a wait whose end is UNTIL_MS; disks may be slow. */
enum { PATIENCE_MS = 60000 };
static bool wait_on(struct test *t, int64_t until_ms)
{
    um_content_sweep_soon(t->content);
    for (int i = 0; i < 5; i++)
        um_loop_turn(t->rig.loop, 1);
    return um_now_ms() < until_ms;
}

static void sweep_until_nothing_is_left(struct test *t)
{
    int64_t until_ms = um_now_ms() + PATIENCE_MS;

    while ((rows_of(t, CONTENTS) > 0 || pieces_of(t) > 0) && wait_on(t, until_ms))
        ;
    assert_int_equal(rows_of(t, CONTENTS), 0);
    assert_int_equal(pieces_of(t), 0);
}

/* ---- uploads ---- */

static uint8_t byte_at(int64_t i) { return (uint8_t)(i * 31 + i / 251); }

struct sent { int calls; um_err err; struct um_content_file file; struct um_upload *up; };

static void uploaded(void *arg, um_err err, const struct um_content_file *file)
{
    struct sent *s = arg;

    s->calls++;
    s->err = err;
    s->up = NULL;
    if (err == UM_OK)
        s->file = *file;
    else
        assert_null(file);
}

static void begin_upload(struct test *t, struct sent *s, const char *name, const char *type)
{
    struct um_upload_spec spec = { "GEC", "ann", name, type, NULL, uploaded, s };

    *s = (struct sent){ 0 };
    assert_int_equal(um_upload_new(&s->up, t->content, t->rig.loop, &spec), UM_OK);
}

/* Up to N bytes in all, as fast as it takes them. */
static void send_some(struct test *t, struct sent *s, int64_t n)
{
    uint8_t piece[10000];

    for (int64_t at = 0; at < n && s->calls == 0;) {
        size_t some = (size_t)UM_MIN((int64_t)UM_MIN(sizeof(piece), um_upload_room(s->up)), n - at);

        for (size_t i = 0; i < some; i++)
            piece[i] = byte_at(at + (int64_t)i);
        if (some == 0)
            um_loop_turn(t->rig.loop, 10);
        else
            um_upload_write(s->up, UM_SPAN(piece, some));
        at += (int64_t)some;
    }
}

static um_err finish_upload(struct test *t, struct sent *s)
{
    if (s->calls == 0)
        um_upload_end(s->up);
    rig_turn_until(&t->rig, &s->calls, 1);
    assert_int_equal(s->calls, 1);
    return s->err;
}

static struct um_content_file upload(struct test *t, int64_t n)
{
    struct sent s;

    begin_upload(t, &s, "bytes.bin", NULL);
    send_some(t, &s, n);
    assert_int_equal(finish_upload(t, &s), UM_OK);
    return s.file;
}

/* ---- downloads ---- */

static void note_wake(void *arg) { ++*(int *)arg; }

/* -2: the bytes cannot be had. */
static ptrdiff_t download(struct test *t, const struct um_content_file *f, int64_t first, int64_t length, uint8_t *out)
{
    struct um_download *d;
    ptrdiff_t n = 0, all = 0;
    int wakes = 0, seen = 0;

    assert_int_equal(um_download_new(&d, t->content, t->rig.loop, f, first, length, note_wake, &wakes), UM_OK);
    for (;;) {
        n = um_download_read(d, out + all, 7000);
        if (n < 0)
            break;
        all += n;
        if (n == 0) {
            rig_turn_until(&t->rig, &wakes, seen + 1);
            seen = wakes;
        }
    }
    um_download_free(d);
    return n == -2 ? -2 : all;
}

static void check_range(struct test *t, const struct um_content_file *f, int64_t first, int64_t length)
{
    uint8_t *out = um_xmalloc((size_t)length + 7000);

    assert_int_equal(download(t, f, first, length, out), length);
    for (int64_t i = 0; i < length; i++)
        if (out[i] != byte_at(first + i))
            fail_msg("byte %ld of %ld from %ld", (long)i, (long)length, (long)first);
    free(out);
}

/* ---- what goes in comes out ---- */

static void what_was_uploaded_can_be_read_at_any_place(void **state)
{
    static const int64_t sizes[] = { 0, 1, UM_CONTENT_CHUNK - 1, UM_CONTENT_CHUNK, UM_CONTENT_CHUNK + 1, 2 * UM_CONTENT_CHUNK, MANY };
    struct test *t = *state;

    for (size_t i = 0; i < UM_COUNT(sizes); i++) {
        struct um_content_file f = upload(t, sizes[i]);

        assert_int_equal(f.size, sizes[i]);
        assert_true(um_content_is_tmp(f.id));
        check_range(t, &f, 0, sizes[i]);
        if (sizes[i] < MANY)
            continue;
        check_range(t, &f, UM_CONTENT_CHUNK - 3, 6);
        check_range(t, &f, UM_CONTENT_CHUNK, UM_CONTENT_CHUNK);
        check_range(t, &f, sizes[i] - 1, 1);
        check_range(t, &f, 5, 0);
    }
    assert_int_equal(rows_of(t, CONTENTS), UM_COUNT(sizes));
    assert_int_equal(rows_of(t, "SELECT count(*) FROM contents WHERE due_ms IS NOT NULL"), 0);
}

static void a_file_has_its_hash_name_and_format(void **state)
{
    struct test *t = *state;
    struct sent s;

    begin_upload(t, &s, "\xc3\xbc.txt", "text/markdown; charset=utf-8");
    um_upload_write(s.up, UM_SPAN_STR("ab"));
    um_upload_write(s.up, UM_SPAN("", 0));
    um_upload_write(s.up, UM_SPAN_STR("c"));
    assert_int_equal(finish_upload(t, &s), UM_OK);
    assert_string_equal(s.file.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(s.file.name, "\xc3\xbc.txt");
    assert_string_equal(s.file.format, "text/markdown");
    assert_string_equal(s.file.place, in_directory ? "directory" : "database");
}

static void an_upload_takes_two_chunks_and_waits(void **state)
{
    struct test *t = *state;
    uint8_t *chunk = um_xcalloc(1, UM_CONTENT_CHUNK);
    struct sent s;

    begin_upload(t, &s, "a", NULL);
    assert_int_equal(um_upload_room(s.up), UM_CONTENT_CHUNK);
    um_upload_write(s.up, UM_SPAN(chunk, UM_CONTENT_CHUNK));           /* on its way now */
    assert_int_equal(um_upload_room(s.up), UM_CONTENT_CHUNK);
    um_upload_write(s.up, UM_SPAN(chunk, UM_CONTENT_CHUNK));
    assert_int_equal(um_upload_room(s.up), 0);
    for (int i = 0; i < TURNS && um_upload_room(s.up) == 0; i++)
        um_loop_turn(t->rig.loop, 10);
    assert_true(um_upload_room(s.up) > 0);
    assert_int_equal(finish_upload(t, &s), UM_OK);
    assert_int_equal(s.file.size, 2 * UM_CONTENT_CHUNK);
    free(chunk);
}

static void names_and_sizes_have_limits(void **state)
{
    struct test *t = *state;
    char name[UM_CONTENT_NAME_MAX + 2];
    struct um_upload_spec spec = { "GEC", "ann", name, NULL, NULL, uploaded, NULL };
    struct um_upload *up;
    struct sent s;

    memset(name, 'n', sizeof(name));
    name[UM_CONTENT_NAME_MAX + 1] = '\0';
    assert_int_equal(um_upload_new(&up, t->content, t->rig.loop, &spec), UM_EINVAL);
    spec.name = "";
    assert_int_equal(um_upload_new(&up, t->content, t->rig.loop, &spec), UM_EINVAL);
    spec.name = "\xff";
    assert_int_equal(um_upload_new(&up, t->content, t->rig.loop, &spec), UM_EINVAL);

    name[UM_CONTENT_NAME_MAX] = '\0';
    begin_upload(t, &s, name, NULL);
    send_some(t, &s, t->conf.max_bytes);
    assert_int_equal(finish_upload(t, &s), UM_OK);
    begin_upload(t, &s, "a", NULL);
    send_some(t, &s, t->conf.max_bytes + 1);
    assert_int_equal(finish_upload(t, &s), UM_ELIMIT);
    assert_int_equal(rows_of(t, FILES), 1);
}

static void there_are_only_so_many_transfers(void **state)
{
    struct test *t = *state;
    struct um_upload_spec spec = { "GEC", "ann", "a", NULL, NULL, uploaded, NULL };
    struct um_content_file f = upload(t, 1);
    struct um_download *d;
    struct um_upload *up;
    struct sent s[8];
    int wakes = 0;

    for (int i = 0; i < 8; i++)
        begin_upload(t, &s[i], "a", NULL);
    assert_int_equal(um_upload_new(&up, t->content, t->rig.loop, &spec), UM_EBUSY);
    assert_int_equal(um_download_new(&d, t->content, t->rig.loop, &f, 0, 1, note_wake, &wakes), UM_EBUSY);
    for (int i = 0; i < 8; i++)
        um_upload_drop(s[i].up);
    assert_int_equal(um_download_new(&d, t->content, t->rig.loop, &f, 0, 1, note_wake, &wakes), UM_OK);
    um_download_free(d);
}

/* ---- what broke off ---- */

static void nothing_stays_of_an_upload_that_broke_off(void **state)
{
    static const int64_t sizes[] = { 0, 1, UM_CONTENT_CHUNK, MANY };
    struct test *t = *state;
    struct sent s;

    for (size_t i = 0; i < 2 * UM_COUNT(sizes); i++) {
        begin_upload(t, &s, "a", NULL);
        send_some(t, &s, sizes[i / 2]);
        if (i % 2 == 1)
            um_upload_end(s.up);                 /* its last step is under way */
        um_upload_drop(s.up);
        for (int n = 0; n < 5; n++)
            um_loop_turn(t->rig.loop, 1);
    }
    sweep_until_nothing_is_left(t);
    assert_int_equal(rows_of(t, FILES), 0);
    assert_int_equal(s.calls, 0);
}

static um_err make_due(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_sql_exec(q, "UPDATE contents SET due_ms = 1 WHERE due_ms > 0", UM_SQL_NO_ARGS, NULL);
}

static um_err make_expired(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_sql_exec(q, "UPDATE content_files SET expires_ms = 1 WHERE expires_ms > 0", UM_SQL_NO_ARGS, NULL);
}

static void what_a_core_left_when_it_died_is_swept_when_it_is_due(void **state)
{
    struct test *t = *state;
    struct unit u = { 0 };
    struct sent s;

    if (url != NULL && !is_server())
        return;                                  /* memory has forgotten it */
    begin_upload(t, &s, "a", NULL);
    send_some(t, &s, MANY);
    for (int i = 0; i < TURNS && pieces_of(t) == 0; i++)
        um_loop_turn(t->rig.loop, 1);
    close_content(t);                            /* and the upload with it, where it was */
    rig_open(&t->rig);
    open_content(t);
    for (int i = 0; i < 20; i++)
        wait_on(t, 0);
    assert_int_equal(rows_of(t, CONTENTS), 1);   /* for all that is known it goes on at another core */
    assert_int_equal(transact(t, make_due, &u), UM_OK);
    sweep_until_nothing_is_left(t);
    assert_int_equal(rows_of(t, FILES), 0);
}

static void an_upload_whose_content_was_swept_ends(void **state)
{
    struct test *t = *state;
    struct unit u = { 0 };
    struct sent s;

    begin_upload(t, &s, "a", NULL);
    send_some(t, &s, 2 * UM_CONTENT_CHUNK);
    for (int i = 0; i < TURNS && um_upload_room(s.up) == 0; i++)
        um_loop_turn(t->rig.loop, 1);
    assert_int_equal(transact(t, make_due, &u), UM_OK);
    sweep_until_nothing_is_left(t);
    send_some(t, &s, 2 * UM_CONTENT_CHUNK);
    assert_int_not_equal(finish_upload(t, &s), UM_OK);
    assert_int_equal(rows_of(t, FILES), 0);
    sweep_until_nothing_is_left(t);
}

static void temporary_files_expire(void **state)
{
    struct test *t = *state;
    struct unit u = { 0 };

    for (int i = 0; i < 40; i++)                 /* more than one round of the sweep takes */
        upload(t, 10);
    upload(t, MANY);
    assert_int_equal(transact(t, make_expired, &u), UM_OK);
    sweep_until_nothing_is_left(t);
    assert_int_equal(rows_of(t, FILES), 0);
}

#ifdef UMBEL_FAILPOINTS
static void what_cannot_be_flushed_is_not_acknowledged(void **state)
{
    struct test *t = *state;
    struct sent s;

    if (!in_directory)
        return;
    assert_int_equal(um_failpoint_set("file.before_sync", "error*1"), UM_OK);
    begin_upload(t, &s, "a", NULL);
    send_some(t, &s, 100);
    assert_int_not_equal(finish_upload(t, &s), UM_OK);
    sweep_until_nothing_is_left(t);
}
#endif

/* ---- owners ---- */

static um_err bind_it(void *arg, struct um_sql *q)
{
    struct unit *u = arg;
    um_err err = um_content_bind(q, "GEC", u->user != NULL ? u->user : "ann", u->tmp, u->owner != NULL ? u->owner : OWNER,
                                 u->file != NULL ? u->file : "f1", &u->got);

    return err == UM_OK ? u->then : err;
}

static um_err share_it(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    return um_content_share(q, OWNER, "f1", u->to, "f1");
}

static um_err share_all(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    return um_content_share_all(q, OWNER, u->to);
}

static um_err unbind_it(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    return um_content_unbind(q, u->owner != NULL ? u->owner : OWNER, "f1");
}

static um_err unbind_all(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_content_unbind_all(q, OWNER);
}

static um_err get_it(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    return um_content_get(q, u->owner != NULL ? u->owner : OWNER, "f1", &u->got);
}

static um_err rename_it(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    return um_content_rename(q, OWNER, "f1", u->name);
}

static void a_temporary_file_is_bound_once(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, MANY);
    struct unit u = { .tmp = f.id }, look = { 0 };

    assert_int_equal(transact(t, bind_it, &u), UM_OK);
    assert_string_equal(u.got.id, "f1");
    assert_string_equal(u.got.sha256, f.sha256);
    assert_int_equal(u.got.size, MANY);
    u.file = "f2";
    assert_int_equal(transact(t, bind_it, &u), UM_ECLOSED);
    assert_int_equal(transact(t, get_it, &look), UM_OK);
    assert_string_equal(look.got.name, "bytes.bin");
    check_range(t, &look.got, 0, MANY);
}

static void a_unit_that_fails_does_not_use_it_up(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, 10);
    struct unit u = { .tmp = f.id, .then = UM_ECONFLICT };

    assert_int_equal(transact(t, bind_it, &u), UM_ECONFLICT);
    u.then = UM_OK;
    assert_int_equal(transact(t, bind_it, &u), UM_OK);
}

static void only_who_uploaded_it_can_bind_it(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, 10);
    struct unit u = { .tmp = f.id, .user = "bob" }, none = { .tmp = "tmp_00000000-0000-4000-8000-000000000000" };
    struct unit odd = { .tmp = "../../etc/passwd" }, taken = { .tmp = f.id }, tilde = { .tmp = f.id, .owner = "~tmp/GEC/bob" };

    assert_int_equal(transact(t, bind_it, &u), UM_ENOTFOUND);
    assert_int_equal(transact(t, bind_it, &none), UM_ENOTFOUND);
    assert_int_equal(transact(t, bind_it, &odd), UM_ENOTFOUND);
    assert_int_equal(transact(t, bind_it, &tilde), UM_EINVAL);
    assert_int_equal(transact(t, bind_it, &taken), UM_OK);
    f = upload(t, 10);
    taken.tmp = f.id;
    assert_int_equal(transact(t, bind_it, &taken), UM_EEXIST);
}

static void an_expired_file_cannot_be_bound_before_it_is_swept(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, 10);
    struct unit u = { .tmp = f.id };

    assert_int_equal(transact(t, make_expired, &u), UM_OK);
    assert_int_equal(transact(t, bind_it, &u), UM_ENOTFOUND);
}

static void a_content_goes_with_the_last_file_that_refers_to_it(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, MANY);
    struct unit u = { .tmp = f.id }, version = { .to = OWNER "0", .owner = OWNER "0" };
    int64_t until_ms = um_now_ms() + PATIENCE_MS;

    assert_int_equal(transact(t, bind_it, &u), UM_OK);
    assert_int_equal(transact(t, share_it, &version), UM_OK);
    assert_int_equal(transact(t, share_it, &version), UM_EEXIST);
    assert_int_equal(transact(t, unbind_all, &u), UM_OK);
    assert_int_equal(transact(t, get_it, &u), UM_ENOTFOUND);
    assert_int_equal(transact(t, unbind_all, &u), UM_OK);
    um_content_sweep_soon(t->content);
    um_loop_turn(t->rig.loop, 10);
    assert_int_equal(transact(t, get_it, &version), UM_OK);
    check_range(t, &version.got, 0, MANY);
    assert_int_equal(transact(t, unbind_it, &version), UM_OK);
    assert_int_equal(transact(t, unbind_it, &version), UM_ENOTFOUND);
    sweep_until_nothing_is_left(t);
    assert_int_equal(transact(t, make_expired, &u), UM_OK);            /* what is left of the temporary file */
    while (rows_of(t, FILES) > 0 && wait_on(t, until_ms))
        ;
    assert_int_equal(rows_of(t, FILES), 0);
}

static void an_owner_s_versions_go_with_it_and_no_others(void **state)
{
    static const struct { const char *owner; um_err then; } rows[] = {
        { OWNER "@1", UM_ENOTFOUND }, { OWNER "@", UM_ENOTFOUND }, { OWNER "?", UM_OK }, { OWNER "A", UM_OK }, { OWNER "/@1", UM_OK },
    };
    struct test *t = *state;
    struct um_content_file f = upload(t, 10);
    struct unit u = { .tmp = f.id };

    assert_int_equal(transact(t, bind_it, &u), UM_OK);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        u.to = rows[i].owner;
        assert_int_equal(transact(t, share_all, &u), UM_OK);
        assert_int_equal(transact(t, share_all, &u), UM_OK);
    }
    assert_int_equal(transact(t, unbind_all, &u), UM_OK);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        u.owner = rows[i].owner;
        assert_int_equal(transact(t, get_it, &u), rows[i].then);
    }
    assert_int_equal(rows_of(t, "SELECT count(*) FROM contents WHERE due_ms IS NULL"), 1);
}

static void a_file_may_get_another_name(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, 10);
    struct unit u = { .tmp = f.id, .name = "other.bin" };

    assert_int_equal(transact(t, rename_it, &u), UM_ENOTFOUND);
    assert_int_equal(transact(t, bind_it, &u), UM_OK);
    assert_int_equal(transact(t, rename_it, &u), UM_OK);
    assert_int_equal(transact(t, get_it, &u), UM_OK);
    assert_string_equal(u.got.name, "other.bin");
    u.name = "";
    assert_int_equal(transact(t, rename_it, &u), UM_EINVAL);
}

static um_err note_file(void *arg, const struct um_content_file *f)
{
    struct unit *u = arg;
    size_t n = strlen(u->text);

    snprintf(u->text + n, sizeof(u->text) - n, "%s:%ld ", f->id, (long)f->size);
    return UM_OK;
}

static um_err list_them(void *arg, struct um_sql *q)
{
    struct unit *u = arg;

    u->text[0] = '\0';
    return um_content_each(q, OWNER, note_file, u);
}

static void an_owner_s_files_are_listed(void **state)
{
    struct test *t = *state;
    struct unit u = { 0 };

    for (int i = 0; i < 3; i++) {
        char file[8];
        struct um_content_file f = upload(t, i * 10);
        struct unit b = { .tmp = f.id, .file = file };

        snprintf(file, sizeof(file), "f%d", 9 - i);
        assert_int_equal(transact(t, bind_it, &b), UM_OK);
    }
    assert_int_equal(transact(t, list_them, &u), UM_OK);
    assert_string_equal(u.text, "f7:20 f8:10 f9:0 ");
}

/* ---- bytes that are not there ---- */

static um_err lose_chunk(void *arg, struct um_sql *q)
{
    (void)arg;
    return um_sql_exec(q, "DELETE FROM content_chunks WHERE n = 1", UM_SQL_NO_ARGS, NULL);
}

static void a_download_whose_bytes_are_gone_is_cut(void **state)
{
    struct test *t = *state;
    struct um_content_file f = upload(t, MANY);
    uint8_t *out = um_xmalloc(MANY + 7000);
    struct unit u = { 0 };
    char path[200];

    if (in_directory) {
        snprintf(path, sizeof(path), "%s/%.2s/%s", t->dir, f.content, f.content);
        assert_int_equal(truncate(path, UM_CONTENT_CHUNK + 5), 0);
    } else {
        assert_int_equal(transact(t, lose_chunk, &u), UM_OK);
    }
    assert_int_equal(download(t, &f, 0, UM_CONTENT_CHUNK, out), UM_CONTENT_CHUNK);
    assert_int_equal(download(t, &f, 0, MANY, out), -2);
    snprintf(f.place, sizeof(f.place), "elsewhere");
    assert_int_equal(download(t, &f, 0, 10, out), -2);
    free(out);
}

static void no_way_leads_out_of_the_directory(void **state)
{
    struct test *t = *state;
    struct um_content_file f;
    uint8_t out[8000];
    char path[200], moved[200];

    if (!in_directory)
        return;
    f = upload(t, 1000);
    snprintf(path, sizeof(path), "%s/%.2s/%s", t->dir, f.content, f.content);
    snprintf(moved, sizeof(moved), "%s/moved", t->rig.dir);
    assert_int_equal(rename(path, moved), 0);
    assert_int_equal(symlink(moved, path), 0);
    assert_int_equal(download(t, &f, 0, 1000, out), -2);               /* a link as the file */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(download(t, &f, 0, 1000, out), -2);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/%.2s", t->dir, f.content);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(symlink(t->rig.dir, path), 0);                    /* and as the folder */
    snprintf(path, sizeof(path), "%s/%s", t->rig.dir, f.content);
    assert_int_equal(rename(moved, path), 0);
    assert_int_equal(download(t, &f, 0, 1000, out), -2);
    unlink(path);
}

static void a_directory_that_cannot_be_used_is_refused(void **state)
{
    struct test *t = *state;
    struct um_content_conf cf = t->conf;
    struct um_content *c;
    char path[200], why[256] = "";

    snprintf(path, sizeof(path), "%s/not/there", t->dir);
    cf.dir = path;
    assert_int_equal(um_content_open(&c, t->rig.st, t->rig.loop, &cf, why), UM_EINVAL);
    assert_non_null(strstr(why, "file.dir: "));
}

/* ---- two cores ---- */

static void what_one_core_stores_the_other_reads_binds_and_sweeps(void **state)
{
    struct test *t = *state, other = { 0 };
    int64_t until_ms = um_now_ms() + PATIENCE_MS;
    struct um_content_file f;
    struct unit u = { 0 };

    if (!is_server())
        return;
    rig_init(&other.rig, url);
    rig_open(&other.rig);
    other.conf = t->conf;
    open_content(&other);
    f = upload(t, MANY);
    check_range(&other, &f, 0, MANY);
    u.tmp = f.id;
    assert_int_equal(transact(&other, bind_it, &u), UM_OK);
    assert_int_equal(transact(t, unbind_it, &u), UM_OK);
    while (rows_of(t, CONTENTS) > 0 && wait_on(t, until_ms))           /* both at once */
        wait_on(&other, until_ms);
    assert_int_equal(rows_of(t, CONTENTS), 0);
    assert_int_equal(pieces_of(t), 0);
    close_content(&other);
    rig_free(&other.rig);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static int run_suite(const char *title, const char *at, bool directory)
{
    static const struct CMUnitTest tests[] = {
        T(what_was_uploaded_can_be_read_at_any_place),
        T(a_file_has_its_hash_name_and_format),
        T(an_upload_takes_two_chunks_and_waits),
        T(names_and_sizes_have_limits),
        T(there_are_only_so_many_transfers),
        T(nothing_stays_of_an_upload_that_broke_off),
        T(what_a_core_left_when_it_died_is_swept_when_it_is_due),
        T(an_upload_whose_content_was_swept_ends),
        T(temporary_files_expire),
#ifdef UMBEL_FAILPOINTS
        T(what_cannot_be_flushed_is_not_acknowledged),
#endif
        T(a_temporary_file_is_bound_once),
        T(a_unit_that_fails_does_not_use_it_up),
        T(only_who_uploaded_it_can_bind_it),
        T(an_expired_file_cannot_be_bound_before_it_is_swept),
        T(a_content_goes_with_the_last_file_that_refers_to_it),
        T(an_owner_s_versions_go_with_it_and_no_others),
        T(a_file_may_get_another_name),
        T(an_owner_s_files_are_listed),
        T(a_download_whose_bytes_are_gone_is_cut),
        T(no_way_leads_out_of_the_directory),
        T(a_directory_that_cannot_be_used_is_refused),
        T(what_one_core_stores_the_other_reads_binds_and_sweeps),
    };

    url = at;
    in_directory = directory;
    return _cmocka_run_group_tests(title, tests, UM_COUNT(tests), NULL, NULL);
}

int main(int argc, char **argv)
{
    const char *more = getenv("UMBEL_STORE_URL");
    int failed = 0;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    failed += run_suite("in memory", "memory:", false);
    failed += run_suite("on a file", NULL, false);
    failed += run_suite("in a directory", NULL, true);
    if (more == NULL || more[0] == '\0')
        return failed;
    failed += run_suite("on a server", more, false);
    return failed + run_suite("in a directory beside a server", more, true);
}
