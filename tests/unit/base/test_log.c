#include <um_test.h>
#include <umbel/log.h>
#include "format.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *line(enum um_log_format format, const struct um_field *fields, uint64_t suppressed)
{
    static struct um_buf out;
    struct um_log_event e = { 1767323045678, UM_WARN, "umbel-core", "ws", "refused", fields, suppressed };
    um_buf_free(&out);
    um_log_format(&out, format, &e);
    return um_buf_cstr(&out);
}

static void one_event_is_one_line_of_pairs(void **state)
{
    (void)state;
    struct um_field f[] = { UM_S("user", "ann"), UM_I("bytes", 7), UM_S("why", "too big"), UM_S("none", NULL), { .kind = UM_FIELD_END } };
    assert_string_equal(line(UM_LOG_TEXT, f, 0),
                        "2026-01-02T03:04:05.678Z WARN  ws refused user=ann bytes=7 why=\"too big\" none=-\n");
    assert_non_null(strstr(line(UM_LOG_TEXT, f, 3), " suppressed=3\n"));
}

static void a_value_cannot_pretend_to_be_another_line(void **state)
{
    (void)state;
    struct um_field f[] = { UM_S("name", "x\n2026 ERROR forged\xe2\x80\xae \"q\""), { .kind = UM_FIELD_END } };
    const char *text = line(UM_LOG_TEXT, f, 0);
    assert_non_null(strstr(text, "name=\"x\\x0a2026 ERROR forged\\xe2\\x80\\xae \\\"q\\\"\""));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_long_value_is_cut(void **state)
{
    (void)state;
    char big[5000];
    memset(big, 'a', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    struct um_field f[] = { UM_S("name", big), { .kind = UM_FIELD_END } };
    assert_true(strlen(line(UM_LOG_TEXT, f, 0)) < 700);
}

static void json_lines_carry_the_names_of_their_format(void **state)
{
    (void)state;
    struct um_field f[] = { UM_I("port", 8081), UM_S("a", "q\"\x01"), { .kind = UM_FIELD_END } };
    assert_string_equal(line(UM_LOG_ECS, f, 0),
                        "{\"@timestamp\":\"2026-01-02T03:04:05.678Z\",\"log.level\":\"WARN\",\"log.logger\":\"ws\","
                        "\"service.name\":\"umbel-core\",\"message\":\"refused\",\"port\":8081,\"a\":\"q\\\"\\u0001\","
                        "\"ecs.version\":\"8.11\"}\n");
    assert_non_null(strstr(line(UM_LOG_LOGSTASH, f, 0), "\"@version\":\"1\",\"level\":\"WARN\",\"logger_name\":\"ws\""));
}

static void levels_follow_the_nearest_category(void **state)
{
    (void)state;
    um_log_set_level(NULL, UM_INFO);
    um_log_set_level("redis", UM_DEBUG);
    um_log_set_level("redis.link", UM_ERROR);
    assert_true(um_log_is_on(UM_DEBUG, "redis"));
    assert_true(um_log_is_on(UM_DEBUG, "redis.pubsub"));
    assert_false(um_log_is_on(UM_WARN, "redis.link"));
    assert_false(um_log_is_on(UM_DEBUG, "rediscovered"));
    enum um_level l;
    assert_true(um_log_parse_level("debug", &l));
    assert_int_equal(l, UM_DEBUG);
    assert_false(um_log_parse_level("loud", &l));
}

struct listed { int redis, seen; };

static void note_level(void *arg, const char *category, int own)
{
    struct listed *l = arg;

    if (strcmp(category, "listed.redis") == 0)
        l->redis = own;
    if (strcmp(category, "listed.seen") == 0)
        l->seen = own;
}

static void a_level_can_be_taken_back_and_who_logged_is_listed(void **state)
{
    struct listed l = { 99, 99 };

    (void)state;
    um_log_set_level("listed.redis", UM_OFF);
    assert_int_equal(um_log_level_of("listed.redis"), UM_OFF);
    um_log_each(note_level, &l);
    assert_int_equal(l.redis, UM_OFF);
    um_log_clear_level("listed.redis");
    assert_int_equal(um_log_level_of("listed.redis"), um_log_level_of(NULL));
    um_log_set_level("listed.seen", UM_INFO);
    um_log_clear_level("listed.seen");
    um_log(UM_ERROR, "listed.seen", "said");
    um_log_each(note_level, &l);
    assert_int_equal(l.redis, UM_LEVEL_NONE);
    assert_int_equal(l.seen, UM_LEVEL_NONE);
    assert_string_equal(um_log_level_text(UM_WARN), "WARN");
}

/* The linker makes one string of equal ones. */
static void a_category_and_an_event_may_be_the_same_string(void **state)
{
    static const char word[] = "same";

    (void)state;
    assert_true(um_log_may(word, word));
}

static void a_peer_cannot_flood_the_log(void **state)
{
    (void)state;
    int passed = 0;
    for (int i = 0; i < 1000; i++)
        passed += um_log_may("test", "flood");
    assert_in_range(passed, 10, 20);            /* 20 when a second ends in between */
}

/* ---- the file ---- */

struct folder { char path[64]; size_t others, bytes, lines; };

static void look_into(struct folder *f)
{
    const struct dirent *entry;
    DIR *d = opendir(f->path);

    f->others = f->bytes = f->lines = 0;
    assert_non_null(d);
    while ((entry = readdir(d)) != NULL) {
        char name[512], text[4096];
        FILE *file;
        size_t n;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", f->path, entry->d_name);
        file = fopen(name, "r");
        assert_non_null(file);
        n = fread(text, 1, sizeof(text) - 1, file);
        fclose(file);
        text[n] = '\0';
        assert_true(n == 0 || text[n - 1] == '\n');      /* lines are whole */
        f->others += strcmp(entry->d_name, "a.log") != 0;
        f->bytes += n;
        for (const char *p = text; (p = strchr(p, '\n')) != NULL; p++)
            f->lines++;
    }
    closedir(d);
}

static void empty(const struct folder *f)
{
    const struct dirent *entry;
    DIR *d = opendir(f->path);

    while ((entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(d), entry->d_name, 0), 0);
    closedir(d);
    assert_int_equal(rmdir(f->path), 0);
}

/* Files are put aside under the millisecond of that. */
static void log_until(const struct folder *f, size_t others)
{
    struct folder now = *f;

    for (int i = 0; i < 100000; i++) {
        um_log(UM_INFO, "rotation", "a line of some length", UM_I("i", i));
        look_into(&now);
        if (now.others >= others)
            return;
    }
    fail();
}

static void a_file_is_put_aside_at_its_size_and_the_oldest_go(void **state)
{
    struct folder f = { .path = "/tmp/umbel-log-XXXXXX" };
    char name[128];

    (void)state;
    assert_non_null(mkdtemp(f.path));
    snprintf(name, sizeof(name), "%s/a.log", f.path);
    assert_int_equal(um_log_open(&(struct um_log_conf){ .service = "test", .file = name, .max_bytes = 500 }), UM_OK);
    log_until(&f, 4);                                     /* none goes */
    look_into(&f);
    assert_true(f.bytes >= 2000);
    assert_int_equal(um_log_open(&(struct um_log_conf){ .service = "test", .file = name, .max_bytes = 500, .max_files = 2 }), UM_OK);
    do {
        um_log(UM_INFO, "rotation", "a line of some length");
        look_into(&f);
    } while (f.others != 2);
    assert_true(f.bytes < 2000 && f.lines > 10);
    assert_int_equal(um_log_open(&(struct um_log_conf){ .service = "test" }), UM_OK);
    empty(&f);
}

static void a_file_that_somebody_took_away_is_begun_anew(void **state)
{
    struct folder f = { .path = "/tmp/umbel-log-XXXXXX" };
    char name[128];

    (void)state;
    assert_non_null(mkdtemp(f.path));
    snprintf(name, sizeof(name), "%s/a.log", f.path);
    assert_int_equal(um_log_open(&(struct um_log_conf){ .service = "test", .file = name, .max_bytes = 100 }), UM_OK);
    assert_int_equal(unlink(name), 0);
    for (int i = 0; i < 10; i++)
        um_log(UM_INFO, "rotation", "a line of some length");
    look_into(&f);
    assert_int_equal(access(name, F_OK), 0);
    assert_true(f.lines > 5);
    assert_int_equal(um_log_open(&(struct um_log_conf){ .service = "test" }), UM_OK);
    empty(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_category_and_an_event_may_be_the_same_string),
        cmocka_unit_test(one_event_is_one_line_of_pairs),
        cmocka_unit_test(a_value_cannot_pretend_to_be_another_line),
        cmocka_unit_test(a_long_value_is_cut),
        cmocka_unit_test(json_lines_carry_the_names_of_their_format),
        cmocka_unit_test(levels_follow_the_nearest_category),
        cmocka_unit_test(a_level_can_be_taken_back_and_who_logged_is_listed),
        cmocka_unit_test(a_peer_cannot_flood_the_log),
        cmocka_unit_test(a_file_is_put_aside_at_its_size_and_the_oldest_go),
        cmocka_unit_test(a_file_that_somebody_took_away_is_begun_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
