/* The archive in a directory: what was put comes back or is refused, and nothing outside the directory is ever touched. */
#include "rig.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <umbel/failpoint.h>

static int setup(void **state)
{
    static struct rig r;

    rig_init(&r);
    rig_open(&r);
    *state = &r;
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    return 0;
}

static bool is_there(struct rig *r, const char *file)
{
    char path[512];
    struct stat st;

    rig_path(r, file, path);
    return lstat(path, &st) == 0;
}

static void write_file(struct rig *r, const char *file, const char *text)
{
    char path[512];
    FILE *f;

    rig_path(r, file, path);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void flip_byte(struct rig *r, const char *file, off_t at)
{
    char path[512], c;
    int fd;

    rig_path(r, file, path);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 1;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    close(fd);
}

/* ---- objects ---- */

static void what_was_put_comes_back_also_after_a_restart(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_put(r, "doc/1/v7", "seven"), UM_OK);
    assert_int_equal(rig_get(r, "doc/1/v7", 100, &got), UM_OK);
    assert_string_equal(got.text, "seven");
    rig_close(r);
    rig_open(r);
    assert_int_equal(rig_get(r, "doc/1/v7", 100, &got), UM_OK);
    assert_string_equal(got.text, "seven");
}

static void a_second_put_replaces_the_first(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_put(r, "a", "a longer first one"), UM_OK);
    assert_int_equal(rig_put(r, "a", "second"), UM_OK);
    assert_int_equal(rig_get(r, "a", 100, &got), UM_OK);
    assert_string_equal(got.text, "second");
}

static void what_was_never_put_is_not_found(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_get(r, "a", 100, &got), UM_ENOTFOUND);
    assert_int_equal(rig_get(r, "a/b/c", 100, &got), UM_ENOTFOUND);
    assert_true(um_archive_is_healthy(r->ar));
}

static void a_key_and_what_looks_like_below_it_stand_side_by_side(void **state)
{
    static const char *const keys[] = { "a", "a/b", "a.o", "a.o/b", "a.d", "a.d/b", "a/b/c", "A" };
    struct rig *r = *state;
    struct got got;

    for (size_t i = 0; i < UM_COUNT(keys); i++)
        assert_int_equal(rig_put(r, keys[i], keys[i]), UM_OK);
    for (size_t i = 0; i < UM_COUNT(keys); i++) {
        assert_int_equal(rig_get(r, keys[i], 100, &got), UM_OK);
        assert_string_equal(got.text, keys[i]);
    }
}

static void deleting_removes_object_and_empty_folders_and_may_be_repeated(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_put(r, "a/b/c", "x"), UM_OK);
    assert_int_equal(rig_put(r, "a/d", "y"), UM_OK);
    assert_int_equal(rig_delete(r, "a/b/c"), UM_OK);
    assert_int_equal(rig_get(r, "a/b/c", 100, &got), UM_ENOTFOUND);
    assert_false(is_there(r, "a.d/b.d"));
    assert_int_equal(rig_get(r, "a/d", 100, &got), UM_OK);
    assert_int_equal(rig_delete(r, "a/b/c"), UM_OK);
    assert_int_equal(rig_delete(r, "a/d"), UM_OK);
    assert_false(is_there(r, "a.d"));
}

static void an_object_beyond_the_readers_limit_is_refused_before_it_is_read(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_put(r, "a", "12345"), UM_OK);
    assert_int_equal(rig_get(r, "a", 5, &got), UM_OK);
    assert_int_equal(rig_get(r, "a", 4, &got), UM_ELIMIT);
}

static void must_succeed(void *arg, um_err err)
{
    assert_int_equal(err, UM_OK);
    got_done(arg, err);
}

static void puts_and_deletes_side_by_side_in_one_folder_all_succeed(void **state)
{
    enum { N = 400 };
    struct rig *r = *state;
    struct um_bytes *b = um_bytes_dup("x", 1);
    struct got got = { 0 };

    for (int i = 0; i < N; i++) {
        char key[64];

        snprintf(key, sizeof(key), "f/%d/k", i % 3);
        if (i % 2 == 0)
            um_archive_put(r->ar, r->loop, key, b, must_succeed, &got);
        else
            um_archive_delete(r->ar, r->loop, key, must_succeed, &got);
    }
    rig_turn_until(r, &got.calls, N);
    um_bytes_unref(b);
}

/* ---- damage ---- */

static void every_flipped_byte_is_noticed(void **state)
{
    struct rig *r = *state;
    struct got got;
    int64_t before = rig_counter("archive.corrupt");

    assert_int_equal(rig_put(r, "a", "hello"), UM_OK);
    for (off_t at = 0; at < 24 + 5; at++) {
        flip_byte(r, "a.o", at);
        assert_int_equal(rig_get(r, "a", 100, &got), UM_ECORRUPT);
        flip_byte(r, "a.o", at);
    }
    assert_int_equal(rig_get(r, "a", 100, &got), UM_OK);
    assert_int_equal(rig_counter("archive.corrupt") - before, 29);
}

static void a_file_cut_short_grown_or_emptied_is_damage_not_absence(void **state)
{
    static const off_t sizes[] = { 0, 5, 24, 28, 30 };
    struct rig *r = *state;
    char path[512];
    struct got got;

    rig_path(r, "a.o", path);
    for (size_t i = 0; i < UM_COUNT(sizes); i++) {
        assert_int_equal(rig_put(r, "a", "hello"), UM_OK);
        assert_int_equal(truncate(path, sizes[i]), 0);
        assert_int_equal(rig_get(r, "a", 100, &got), UM_ECORRUPT);
    }
}

static void unfinished_files_go_at_the_next_start_unless_somebody_still_writes_them(void **state)
{
    struct rig *r = *state;
    char path[512];
    int fd;

    assert_int_equal(rig_put(r, "a", "kept"), UM_OK);
    write_file(r, ".umbel.d/0123456789abcdefghij.t", "left by a crash");
    write_file(r, ".umbel.d/jihgfedcba9876543210.t", "being written");
    write_file(r, ".umbel.d/somebody-elses", "not ours");
    rig_path(r, ".umbel.d/jihgfedcba9876543210.t", path);
    fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    rig_close(r);
    rig_open(r);
    assert_false(is_there(r, ".umbel.d/0123456789abcdefghij.t"));
    assert_true(is_there(r, ".umbel.d/jihgfedcba9876543210.t"));
    assert_true(is_there(r, ".umbel.d/somebody-elses"));
    assert_true(is_there(r, "a.o"));
    close(fd);
}

#ifdef UMBEL_FAILPOINTS
static void killed_before_the_rename_the_old_object_stands_and_nothing_is_left(void **state)
{
    struct rig *r = *state;
    struct got got;
    struct dirent **all = NULL;
    int status, files;
    pid_t child;
    char path[512];

    assert_int_equal(rig_put(r, "d/a", "old"), UM_OK);
    rig_close(r);
    if ((child = fork()) == 0) {
        um_failpoint_set("file.before_rename", "kill");
        rig_open(r);
        rig_put(r, "d/a", "new");
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    rig_open(r);
    assert_int_equal(rig_get(r, "d/a", 100, &got), UM_OK);
    assert_string_equal(got.text, "old");
    rig_path(r, ".umbel.d", path);
    files = scandir(path, &all, NULL, NULL);
    for (int i = 0; i < files; i++) {
        assert_null(strstr(all[i]->d_name, ".t"));
        free(all[i]);
    }
    free(all);
    assert_int_equal(files, 2);                  /* the folder and the one above */
}

static void a_put_that_fails_before_the_rename_leaves_the_old_object(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_put(r, "a", "old"), UM_OK);
    um_failpoint_set("file.before_rename", "error*1");
    assert_int_equal(rig_put(r, "a", "new"), UM_EIO);
    assert_false(um_archive_is_healthy(r->ar));
    assert_int_equal(rig_get(r, "a", 100, &got), UM_OK);
    assert_string_equal(got.text, "old");
    assert_true(um_archive_is_healthy(r->ar));
}
#endif

/* ---- keys ---- */

static void keys_that_lead_elsewhere_or_cannot_be_names_are_refused(void **state)
{
    static const char *const bad[] = { "", "/", "/etc/passwd", "a/", "a//b", "..", "../a", "a/../b", "a/..", ".", "a/./b",
        "a\nb", "a\tb", "\x7f", "\xff", "\xc0\xaf", ".umbel", ".umbel/x" };
    struct rig *r = *state;
    char longest[1026], segment[252];
    struct got got;

    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        assert_int_equal(rig_put(r, bad[i], "x"), UM_EINVAL);
        assert_int_equal(rig_get(r, bad[i], 1, &got), UM_EINVAL);
        assert_int_equal(rig_delete(r, bad[i]), UM_EINVAL);
    }
    assert_int_equal(rig_put(r, NULL, "x"), UM_EINVAL);
    memset(segment, 'x', 251);
    segment[251] = '\0';
    assert_int_equal(rig_put(r, segment, "x"), UM_EINVAL);
    assert_int_equal(rig_put(r, segment + 1, "x"), UM_OK);
    for (int i = 0; i < 1025; i++)
        longest[i] = i % 200 == 199 ? '/' : 'k';
    longest[1025] = '\0';
    assert_int_equal(rig_put(r, longest, "x"), UM_EINVAL);
    longest[1024] = '\0';
    assert_int_equal(rig_put(r, longest, "x"), UM_OK);
    assert_int_equal(rig_get(r, longest, 1, &got), UM_OK);
}

static void at_most_32_segments(void **state)
{
    struct rig *r = *state;
    char key[80];
    struct got got;

    for (int i = 0; i < 33; i++)
        memcpy(key + 2 * i, "s/", 2);
    key[65] = '\0';
    assert_int_equal(rig_put(r, key, "x"), UM_EINVAL);
    key[63] = '\0';
    assert_int_equal(rig_put(r, key, "x"), UM_OK);
    assert_int_equal(rig_list(r, NULL, NULL, 10, &got), UM_OK);
    assert_memory_equal(got.text, key, 63);
}

static void any_other_text_is_a_key(void **state)
{
    static const char *const good[] = { "ü/ß", "a b", "a+b%20c", "...", ".a", "a.", "~", "-", "a\\b", "a:b?c#d&e=f", "\xf0\x9f\x8d\x84" };
    struct rig *r = *state;
    struct got got;

    for (size_t i = 0; i < UM_COUNT(good); i++) {
        assert_int_equal(rig_put(r, good[i], good[i]), UM_OK);
        assert_int_equal(rig_get(r, good[i], 100, &got), UM_OK);
        assert_string_equal(got.text, good[i]);
        assert_int_equal(rig_list(r, good[i], NULL, 10, &got), UM_OK);
        assert_memory_equal(got.text, good[i], strlen(good[i]));
    }
}

static void a_planted_link_is_never_followed(void **state)
{
    struct rig *r = *state;
    char link[512], target[512];
    struct got got;

    rig_path(r, "../outside", target);
    assert_int_equal(mkdir(target, 0700), 0);
    rig_path(r, "d.d", link);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(rig_put(r, "d/a", "x"), UM_EDENIED);
    assert_int_equal(rig_get(r, "d/a", 100, &got), UM_EDENIED);
    assert_int_equal(rig_delete(r, "d/a"), UM_EDENIED);
    write_file(r, "../outside/secret.o", "secret");
    rig_path(r, "e.o", link);
    rig_path(r, "../outside/secret.o", target);
    assert_int_equal(symlink(target, link), 0);
    assert_int_equal(rig_get(r, "e", 100, &got), UM_EDENIED);
    assert_int_equal(rig_list(r, NULL, NULL, 10, &got), UM_OK);
    assert_string_equal(got.text, "");
    assert_int_equal(rig_put(r, "e", "mine"), UM_OK);       /* replaces the link, not what it names */
    assert_int_equal(rig_get(r, "e", 100, &got), UM_OK);
    assert_true(is_there(r, "../outside/secret.o"));
}

/* ---- lists ---- */

static void a_list_is_in_order_of_bytes_and_pages_without_gaps(void **state)
{
    static const char *const keys[] = { "b", "a/b", "a", "a-", "a0", "a/a/z", "ü", "a/c", "B", "a.d/x" };
    static const char *const sorted = "B a a- a.d/x a/a/z a/b a/c a0 b ü ";
    struct rig *r = *state;
    char all[256] = "";
    struct got got;

    for (size_t i = 0; i < UM_COUNT(keys); i++)
        assert_int_equal(rig_put(r, keys[i], "xyz"), UM_OK);
    assert_int_equal(rig_list(r, "", NULL, 1000, &got), UM_OK);
    assert_string_equal(got.text, sorted);
    assert_string_equal(got.after, "");
    assert_int_equal(got.bytes, 3);
    for (size_t max = 1; max <= 10; max++) {
        all[0] = got.after[0] = '\0';
        do {
            char after[256];

            snprintf(after, sizeof(after), "%s", got.after);
            assert_int_equal(rig_list(r, NULL, after, max, &got), UM_OK);
            strcat(all, got.text);
        } while (got.after[0] != '\0');
        assert_string_equal(all, sorted);
    }
}

static void a_prefix_is_part_of_a_key_and_needs_no_whole_segment(void **state)
{
    static const struct { const char *prefix, *after, *expected; } cases[] = {
        { "doc/1", NULL, "doc/1/v1 doc/1/v2 doc/10/v1 " }, { "doc/1/", NULL, "doc/1/v1 doc/1/v2 " },
        { "doc/1/v2", NULL, "doc/1/v2 " }, { "doc/1/v2/", NULL, "" }, { "x", NULL, "" }, { "doc", "doc/1/v2", "doc/10/v1 doc/2/v1 " },
        { "doc/1/", "a", "doc/1/v1 doc/1/v2 " }, { "doc/1/", "z", "" }, { "do", "doc/2", "doc/2/v1 " },
    };
    static const char *const keys[] = { "doc/1/v1", "doc/1/v2", "doc/10/v1", "doc/2/v1", "e" };
    struct rig *r = *state;
    struct got got;

    for (size_t i = 0; i < UM_COUNT(keys); i++)
        assert_int_equal(rig_put(r, keys[i], "x"), UM_OK);
    for (size_t i = 0; i < UM_COUNT(cases); i++) {
        assert_int_equal(rig_list(r, cases[i].prefix, cases[i].after, 100, &got), UM_OK);
        assert_string_equal(got.text, cases[i].expected);
    }
    assert_int_equal(rig_list(r, "a\n", NULL, 100, &got), UM_EINVAL);
    assert_int_equal(rig_list(r, NULL, NULL, 0, &got), UM_EINVAL);
    assert_int_equal(rig_list(r, NULL, NULL, 1001, &got), UM_EINVAL);
}

static void a_list_shows_objects_alone(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_put(r, "a", "x"), UM_OK);
    assert_int_equal(rig_probe(r), UM_OK);
    write_file(r, "README", "somebody's");
    write_file(r, ".o", "no name");
    write_file(r, ".umbel.d/probe-x.o", "left by a probe");
    assert_int_equal(rig_list(r, NULL, NULL, 100, &got), UM_OK);
    assert_string_equal(got.text, "a ");
}

/* ---- limits and life ---- */

static void too_much_that_waits_is_refused_at_once(void **state)
{
    enum { N = 64, EACH = 256 << 10 };
    struct rig *r = *state;
    struct um_bytes *b = um_bytes_new(EACH);
    struct got got[N] = { 0 };
    int64_t refused = rig_counter("archive.refused");
    int n = 0, turned_away = 0;

    rig_close(r);
    r->conf.max_waiting_bytes = 1 << 20;
    r->conf.connections = 1;
    rig_open(r);
    memset(b->data, 7, EACH);
    for (int i = 0; i < N; i++)
        um_archive_put(r->ar, r->loop, "same", b, got_done, &got[i]);
    for (int i = 0; i < N; i++) {
        rig_turn_until(r, &got[i].calls, 1);
        n += got[i].err == UM_OK;
        turned_away += got[i].err == UM_EUNAVAIL;
    }
    assert_true(n >= 4);
    assert_int_equal(n + turned_away, N);
    assert_int_equal(rig_counter("archive.refused") - refused, turned_away);
    assert_int_equal(rig_counter("archive.waiting"), 0);
    assert_int_equal(rig_counter("archive.waiting.bytes"), 0);
    um_bytes_unref(b);
}

static void an_object_larger_than_the_bound_is_taken_when_it_is_alone(void **state)
{
    struct rig *r = *state;
    struct um_bytes *b = um_bytes_new(3 << 20);
    struct got got = { 0 };

    rig_close(r);
    r->conf.max_waiting_bytes = 1 << 20;
    rig_open(r);
    memset(b->data, 7, b->len);
    um_archive_put(r->ar, r->loop, "large", b, got_done, &got);
    rig_turn_until(r, &got.calls, 1);
    assert_int_equal(got.err, UM_OK);
    um_bytes_unref(b);
}

static void nothing_at_all_is_not_an_object(void **state)
{
    struct rig *r = *state;
    struct got got = { 0 };

    assert_int_equal(rig_put(r, "a", ""), UM_EINVAL);
    um_archive_put(r->ar, r->loop, "a", NULL, got_done, &got);
    rig_turn_until(r, &got.calls, 1);
    assert_int_equal(got.err, UM_EINVAL);
}

static void after_closing_no_callback_comes_and_nothing_leaks(void **state)
{
    struct rig *r = *state;
    struct um_bytes *b = um_bytes_dup("x", 1);
    struct got got = { 0 };

    for (int i = 0; i < 100; i++)
        um_archive_put(r->ar, r->loop, "a", b, got_done, &got);
    rig_close(r);
    assert_int_equal(got.calls, 0);
    assert_int_equal(rig_counter("archive.waiting"), 0);
    um_bytes_unref(b);
}

static void a_probe_tells_whether_the_folder_can_be_written(void **state)
{
    struct rig *r = *state;
    char own[512];

    assert_int_equal(rig_probe(r), UM_OK);
    rig_path(r, ".umbel.d", own);
    assert_int_equal(rmdir(own), 0);
    assert_int_equal(rig_probe(r), UM_EIO);
    assert_false(um_archive_is_healthy(r->ar));
}

static void addresses_that_name_no_place_are_refused_with_the_reason(void **state)
{
    static const char *const bad[] = { "", "x", "file://relative", "file:/one", "s3://", "s3://Up", "s3://ab", "s3://bucket/a//b",
        "s3://bucket/..", "s3://bucket?zone=x", "s3://bucket?region=", "s3://bucket?region=a b", "http://bucket", "file:///dev/null" };
    struct um_archive_conf cf = { 0 };
    struct um_archive *ar;
    char why[256];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        cf.url = bad[i];
        assert_int_not_equal(um_archive_open(&ar, &cf, why), UM_OK);
        assert_null(ar);
        assert_memory_equal(why, "archive.url: ", 13);
    }
}

static void an_s3_store_is_not_asked_before_its_configuration_is_whole(void **state)
{
    static const struct { const char *endpoint, *key, *secret; } bad[] = {
        { "", "", "s" }, { "", "k", "" }, { "", "k k", "s" }, { "", "k\r\nx: y", "s" }, { "ftp://host", "k", "s" },
        { "host", "k", "s" }, { "http://host/path", "k", "s" }, { "http://user@host", "k", "s" }, { "http://host?q", "k", "s" },
        { "http://", "k", "s" }, { "http://host:99999", "k", "s" }, { "http://ho st", "k", "s" },
    };
    struct um_archive_conf cf = { .url = "s3://bucket/prefix", .connections = 1 };
    struct um_archive *ar;
    char why[256];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        cf.s3_endpoint = bad[i].endpoint;
        cf.s3_access_key = bad[i].key;
        cf.s3_secret_key = bad[i].secret;
        assert_int_equal(um_archive_open(&ar, &cf, why), UM_EINVAL);
        assert_memory_equal(why, "archive.s3.", 11);
    }
    cf.s3_endpoint = "";
    cf.s3_access_key = "k";
    cf.s3_secret_key = "s";
    assert_int_equal(um_archive_open(&ar, &cf, why), UM_OK);
    um_archive_close(ar);
    cf.s3_region = "a:b";
    assert_int_equal(um_archive_open(&ar, &cf, why), UM_EINVAL);
}

/* ---- configuration ---- */

static void the_keys_are_read_and_the_secret_is_masked(void **state)
{
    static char *const env[] = { NULL };
    static char *argv[] = { "core", "--archive.url=s3://b-1/p?region=eu-1", "--archive.s3.secret-key=hidden-words",
                            "--archive.s3.path-style=false", "--archive.part-size=16MB", "--archive.timeout=5s" };
    const struct um_conf_table *tables[] = { &um_archive_conf_table };
    struct um_conf_source source = { .app = "core", .dir = "/nonexistent", .argc = UM_COUNT(argv), .argv = argv,
                                     .environ = env, .tables = tables, .n_tables = 1 };
    struct um_archive_conf cf;
    struct um_conf *conf;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);

    (void)state;
    if (um_conf_load(&conf, &source) != UM_OK) {
        um_conf_report(conf, stderr);
        fail();
    }
    assert_int_equal(um_conf_bind(conf, um_archive_conf_table.keys, um_archive_conf_table.n, &cf), UM_OK);
    assert_string_equal(cf.url, "s3://b-1/p?region=eu-1");
    assert_string_equal(cf.s3_secret_key, "hidden-words");
    assert_int_equal(cf.s3_path_style, UM_ARCHIVE_STYLE_HOST);
    assert_int_equal(cf.part_bytes, 16 << 20);
    assert_int_equal(cf.timeout_ms, 5000);
    assert_int_equal(cf.retries, 4);
    assert_int_equal(cf.connections, 4);
    assert_string_equal(cf.s3_endpoint, "");
    um_conf_print(conf, f);
    fclose(f);
    assert_null(strstr(text, "hidden-words"));
    free(text);
    um_conf_free(conf);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(what_was_put_comes_back_also_after_a_restart),
        T(a_second_put_replaces_the_first),
        T(what_was_never_put_is_not_found),
        T(a_key_and_what_looks_like_below_it_stand_side_by_side),
        T(deleting_removes_object_and_empty_folders_and_may_be_repeated),
        T(an_object_beyond_the_readers_limit_is_refused_before_it_is_read),
        T(puts_and_deletes_side_by_side_in_one_folder_all_succeed),
        T(every_flipped_byte_is_noticed),
        T(a_file_cut_short_grown_or_emptied_is_damage_not_absence),
        T(unfinished_files_go_at_the_next_start_unless_somebody_still_writes_them),
#ifdef UMBEL_FAILPOINTS
        T(killed_before_the_rename_the_old_object_stands_and_nothing_is_left),
        T(a_put_that_fails_before_the_rename_leaves_the_old_object),
#endif
        T(keys_that_lead_elsewhere_or_cannot_be_names_are_refused),
        T(at_most_32_segments),
        T(any_other_text_is_a_key),
        T(a_planted_link_is_never_followed),
        T(a_list_is_in_order_of_bytes_and_pages_without_gaps),
        T(a_prefix_is_part_of_a_key_and_needs_no_whole_segment),
        T(a_list_shows_objects_alone),
        T(too_much_that_waits_is_refused_at_once),
        T(an_object_larger_than_the_bound_is_taken_when_it_is_alone),
        T(nothing_at_all_is_not_an_object),
        T(after_closing_no_callback_comes_and_nothing_leaks),
        T(a_probe_tells_whether_the_folder_can_be_written),
        cmocka_unit_test(addresses_that_name_no_place_are_refused_with_the_reason),
        cmocka_unit_test(an_s3_store_is_not_asked_before_its_configuration_is_whole),
        cmocka_unit_test(the_keys_are_read_and_the_secret_is_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
