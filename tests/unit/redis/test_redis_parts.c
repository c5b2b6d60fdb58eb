/* RESP, addresses and URLs, names of keys: without a connection. */
#include "um_test.h"
#include <umbel/conf.h>
#include <umbel/redis.h>
#include "link_int.h"

/* ---- RESP ---- */

static void commands_are_written_by_length_never_by_text(void **state)
{
    struct um_buf b = { 0 };

    (void)state;
    resp_put_command(&b, (struct um_span[]){ UM_SPAN("SET", 3), UM_SPAN("a\r\n%s", 5), UM_SPAN("\0", 1), UM_SPAN("", 0) }, 4);
    static const char want[] = "*4\r\n$3\r\nSET\r\n$5\r\na\r\n%s\r\n$1\r\n\0\r\n$0\r\n\r\n";
    assert_int_equal(b.len, sizeof(want) - 1);
    assert_memory_equal(b.data, want, b.len);
    um_buf_free(&b);
}

/* Reads TEXT in pieces of STEP bytes; the one reply in it. */
static struct um_redis_reply *read_in_steps(const char *text, size_t len, size_t step, um_err *err)
{
    struct resp_reader *r = resp_reader_new();
    struct um_redis_reply *reply = NULL;

    *err = UM_OK;
    for (size_t i = 0; i < len && *err == UM_OK && reply == NULL; i += step)
        if ((*err = resp_reader_feed(r, text + i, UM_MIN(step, len - i))) == UM_OK)
            *err = resp_reader_next(r, &reply);
    resp_reader_free(r);
    return reply;
}

static void replies_are_read_whole_however_they_are_cut(void **state)
{
    static const char text[] = "*5\r\n:-7\r\n$3\r\na\0b\r\n$-1\r\n*2\r\n+OK\r\n-ERR no\r\n*0\r\n";
    um_err err;

    (void)state;
    for (size_t step = 1; step < sizeof(text); step++) {
        struct um_redis_reply *r = read_in_steps(text, sizeof(text) - 1, step, &err);
        assert_non_null(r);
        assert_int_equal(r->n, 5);
        assert_int_equal(r->items[0]->integer, -7);
        assert_int_equal(r->items[1]->text.len, 3);
        assert_memory_equal(r->items[1]->text.data, "a\0b", 4);
        assert_int_equal(r->items[2]->kind, UM_REDIS_NIL);
        assert_true(resp_is(r->items[3]->items[0], UM_REDIS_STATUS, "OK"));
        assert_true(resp_is_error(r->items[3]->items[1], "ERR"));
        assert_false(resp_is_error(r->items[3]->items[1], "ER"));
        assert_int_equal(r->items[4]->n, 0);
        assert_null(um_redis_item(r, 5).data);
        resp_reply_free(r);
    }
}

static void malformed_and_giant_replies_end_the_stream(void **state)
{
    static const struct { const char *text; um_err err; } rows[] = {
        { "HTTP/1.1 200 OK\r\n", UM_EPROTO },
        { "*2147483646\r\n", UM_ELIMIT },
        { "*2\r\n*1048575\r\n", UM_ELIMIT },
        { "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", UM_ELIMIT },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        um_err err;
        struct um_redis_reply *r = read_in_steps(rows[i].text, strlen(rows[i].text), 1, &err);
        assert_null(r);
        assert_int_equal(err, rows[i].err);
    }
}

static void info_is_read_by_its_lines(void **state)
{
    struct um_span info = UM_SPAN_STR("# Server\r\nxrun_id:no\r\nrun_id:abc\r\nempty:\r\nlast:z");

    (void)state;
    assert_true(um_span_eq(resp_info(info, "run_id"), UM_SPAN_STR("abc")));
    assert_true(um_span_eq(resp_info(info, "last"), UM_SPAN_STR("z")));
    assert_int_equal(resp_info(info, "empty").len, 0);
    assert_null(resp_info(info, "run").data);
    assert_null(resp_info(UM_SPAN(NULL, 0), "run_id").data);
}

/* ---- where it is ---- */

static struct um_redis_conf plain(void)
{
    return (struct um_redis_conf){ .ns = "umbel", .url = "", .host = "localhost", .port = 6379, .username = "", .password = "",
                                   .client_name = "", .ca_file = "", .cert_file = "", .key_file = "", .server_name = "", .bundle = "",
                                   .sentinel_master = "", .sentinel_username = "", .sentinel_password = "", .timeout_ms = 2000,
                                   .connect_timeout_ms = 1000, .queue_max = 100, .queue_bytes = 1 << 20, .queue_max_age_ms = 1000 };
}

static void urls_are_read_as_spring_reads_them(void **state)
{
    static const struct { const char *url, *host, *user, *password; int port; int64_t db; bool tls; } rows[] = {
        { "redis://h", "h", "", "", 6379, 0, false },
        { "redis://h:7/", "h", "", "", 7, 0, false },
        { "rediss://u:p@h:7/3", "h", "u", "p", 7, 3, true },
        { "redis://secret@h", "h", "", "secret", 6379, 0, false },
        { "redis://:p%40%3A%2F@h", "h", "", "p@:/", 6379, 0, false },
        { "redis://u:p@ss:w@h", "h", "u", "p@ss:w", 6379, 0, false },
        { "redis://[::1]:7/1", "::1", "", "", 7, 1, false },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_redis_conf cf = plain();
        struct redis_target t;
        char why[256];
        cf.url = rows[i].url;
        assert_int_equal(redis_target_read(&t, &cf, why), UM_OK);
        assert_string_equal(t.server.host, rows[i].host);
        assert_string_equal(t.user, rows[i].user);
        assert_string_equal(t.password, rows[i].password);
        assert_int_equal(t.server.port, rows[i].port);
        assert_int_equal(t.database, rows[i].db);
        assert_int_equal(t.tls, rows[i].tls);
        redis_target_free(&t);
    }
}

static void wrong_urls_are_refused_without_their_secrets(void **state)
{
    static const char *const urls[] = { "redis:/h", "http://h", "redis://", "redis://u:s3cret@", "redis://u:s3cret@h:0", "redis://u:s3cret@h:65536",
                                        "redis://u:s3cret@h/x", "redis://u:s3cret%zz@h", "redis://u:s3cret@h?db=1", "redis://u:s3cret@a b",
                                        "redis://u:s3cret%00@h", "redis://u@h:1:2", "redis://[::1", "redis://u:@h/1" };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(urls); i++) {
        struct um_redis_conf cf = plain();
        struct redis_target t;
        char why[256] = "";
        cf.url = urls[i];
        um_err err = redis_target_read(&t, &cf, why);
        if (err == UM_OK)
            fail_msg("%s was taken", urls[i]);
        assert_true(why[0] != '\0');
        assert_null(strstr(why, "s3cret"));
        redis_target_free(&t);
    }
}

static void addresses_have_ports_or_the_default(void **state)
{
    static const struct { const char *text, *host; int port; } rows[] = {
        { "a", "a", 9 }, { "a:1", "a", 1 }, { "10.0.0.1:26379", "10.0.0.1", 26379 }, { "[::1]", "::1", 9 }, { "[::1]:5", "::1", 5 },
        { "fe80::1", "fe80::1", 9 }, { "a:", NULL, 0 }, { ":5", NULL, 0 }, { "", NULL, 0 }, { "[::1]5", NULL, 0 }, { "a:99999", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct redis_address a = { NULL, 0 };
        bool ok = redis_address_parse(&a, rows[i].text, 9);
        if (ok != (rows[i].host != NULL))
            fail_msg("%s", rows[i].text);
        if (ok) {
            assert_string_equal(a.host, rows[i].host);
            assert_int_equal(a.port, rows[i].port);
        }
        free(a.host);
    }
}

static void clusters_and_halves_of_sentinel_are_refused(void **state)
{
    static const char *const one[] = { "a:1" };
    struct um_redis_conf cf = plain();
    struct redis_target t;
    char why[256];

    (void)state;
    cf.cluster_nodes = (struct um_conf_list){ 1, one };
    assert_int_equal(redis_target_read(&t, &cf, why), UM_EINVAL);
    assert_non_null(strstr(why, "Redis Cluster is not supported"));
    redis_target_free(&t);
    cf = plain();
    cf.sentinel_nodes = (struct um_conf_list){ 1, one };
    assert_int_equal(redis_target_read(&t, &cf, why), UM_EINVAL);
    redis_target_free(&t);
    cf.sentinel_master = "m";
    assert_int_equal(redis_target_read(&t, &cf, why), UM_OK);
    assert_true(t.sentinel);
    redis_target_free(&t);
}

/* ---- names ---- */

static void ids_cannot_reach_into_others_keys(void **state)
{
    struct um_redis_conf cf = plain();
    struct um_redis *r;
    struct um_buf b = { 0 };
    char why[256];

    (void)state;
    cf.ns = "um bel";
    assert_int_equal(um_redis_open(&r, &cf, why), UM_OK);
    um_redis_key(r, &b, "doc", "a:b*%/ü", NULL);
    um_redis_key_add(&b, UM_SPAN("x\0y", 3));
    assert_string_equal(um_buf_cstr(&b), "um%20bel:doc:a%3Ab%2A%25%2F%C3%BC:x%00y");
    um_buf_free(&b);
    um_redis_close(r);
}

static void the_wait_before_a_new_attempt_grows_to_three_seconds_with_full_jitter(void **state)
{
    int64_t most[40] = { 0 };

    (void)state;
    for (unsigned n = 0; n < 40; n++)
        for (int i = 0; i < 300; i++) {
            int64_t ms = link_jitter(n), limit = n < 5 ? 100 << n : 3000;
            assert_in_range(ms, 0, limit);
            most[n] = UM_MAX(most[n], ms);
        }
    assert_true(most[0] > 50 && most[4] > 800 && most[39] > 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_written_by_length_never_by_text),
        cmocka_unit_test(replies_are_read_whole_however_they_are_cut),
        cmocka_unit_test(malformed_and_giant_replies_end_the_stream),
        cmocka_unit_test(info_is_read_by_its_lines),
        cmocka_unit_test(urls_are_read_as_spring_reads_them),
        cmocka_unit_test(wrong_urls_are_refused_without_their_secrets),
        cmocka_unit_test(addresses_have_ports_or_the_default),
        cmocka_unit_test(clusters_and_halves_of_sentinel_are_refused),
        cmocka_unit_test(ids_cannot_reach_into_others_keys),
        cmocka_unit_test(the_wait_before_a_new_attempt_grows_to_three_seconds_with_full_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
