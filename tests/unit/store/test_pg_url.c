/* Which PostgreSQL a URL names, in libpq's and in Java's spelling. */
#include "um_test.h"
#include <stdio.h>
#include <umbel/log.h>
#include "postgres/pg_internal.h"

struct row { const char *url, *shown, *params; };      /* params: key=value, each with a blank behind it, in order */

static void parsed_as(const struct row *row, const struct um_store_conf *cf)
{
    struct pg_target to = { 0 };
    char why[256] = "", params[512] = "";

    if (pg_target_parse(&to, row->url, cf, why) != UM_OK)
        fail_msg("%s: %s", row->url, why);
    for (size_t i = 0; i < to.n_params; i++) {
        size_t n = strlen(params);

        snprintf(params + n, sizeof(params) - n, "%s=%s ", to.params[i].key, to.params[i].value);
    }
    if (strcmp(to.shown, row->shown) != 0 || strcmp(params, row->params) != 0)
        fail_msg("%s: %s, %s", row->url, to.shown, params);
    pg_target_free(&to);
}

static void every_spelling_finds_host_database_and_user(void **state)
{
    static const struct um_store_conf cf = { .user = "", .password = "" };
    static const struct row rows[] = {
        { "postgresql://h/db", "h/db", "dbname=db " },
        { "postgres://ann:p%40ss@h:5433/db", "h:5433/db", "user=ann password=p@ss dbname=db " },
        { "postgresql://ann:p@ss@h/db", "h/db", "user=ann password=p@ss dbname=db " },
        { "postgresql://ann@h", "h/", "user=ann " },
        { "postgresql:///db", "/db", "dbname=db " },
        { "postgresql:db", "/db", "dbname=db " },
        { "postgresql://", "/", "" },
        { "postgresql://h1:1,h2,h3:3/db", "h1:1,h2,h3:3/db", "dbname=db " },
        { "postgresql://[::1]:5433,[fe80::1]/db", "::1:5433,fe80::1/db", "dbname=db " },
        { "postgresql:///db?host=/run/pg,h2&port=5433", "/run/pg:5433,h2:5433/db", "dbname=db " },
        { "postgresql:///db?host=a,b&port=1,2", "a:1,b:2/db", "dbname=db " },
        { "postgresql://%2Frun%2Fpg/db", "/run/pg/db", "dbname=db " },
        { "postgresql://h/db?sslmode=require&application_name=x%20y", "h/db", "dbname=db sslmode=require application_name=x y " },
        { "jdbc:postgresql://h/db?user=ann&password=p%26q", "h/db", "dbname=db user=ann password=p&q " },
        { "jdbc:postgresql://h/db?user=a+b", "h/db", "dbname=db user=a b " },
        { "jdbc:postgresql://h/db?ssl=true", "h/db", "dbname=db sslmode=verify-full " },
        { "jdbc:postgresql://h/db?ssl=false", "h/db", "dbname=db " },
        { "jdbc:postgresql://h/db?ssl=true&sslmode=require", "h/db", "dbname=db sslmode=require " },
        { "jdbc:postgresql://h/db?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory", "h/db",
          "dbname=db sslmode=require " },
        { "jdbc:postgres://h/db?sslrootcert=/ca.pem&targetServerType=primary", "h/db", "dbname=db sslrootcert=/ca.pem " },
        { "jdbc:postgresql://h/db?ApplicationName=x&tcpKeepAlive=true&neverHeardOf=1", "h/db", "dbname=db application_name=x " },
    };

    (void)state;
    um_log_set_level(NULL, UM_OFF);
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        parsed_as(&rows[i], &cf);
}

static void configuration_fills_in_what_the_url_lacks(void **state)
{
    static const struct um_store_conf cf = { .user = "conf", .password = "secret" };
    static const struct row rows[] = {
        { "postgresql://h/db", "h/db", "dbname=db user=conf password=secret " },
        { "postgresql://ann@h/db", "h/db", "user=ann dbname=db password=secret " },
        { "jdbc:postgresql://h/db?user=ann&password=x", "h/db", "dbname=db user=ann password=x " },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        parsed_as(&rows[i], &cf);
}

static void schema_and_timeout_are_taken_out(void **state)
{
    static const struct um_store_conf cf = { .connect_timeout_ms = 5000 };
    struct pg_target to = { 0 };
    char why[256];

    (void)state;
    assert_int_equal(pg_target_parse(&to, "jdbc:postgresql://h/db?currentSchema=a,b&connectTimeout=7", &cf, why), UM_OK);
    assert_string_equal(to.search_path, "a,b");
    assert_int_equal(to.connect_timeout_ms, 7000);
    pg_target_free(&to);
    assert_int_equal(pg_target_parse(&to, "postgresql://h/db", &cf, why), UM_OK);
    assert_int_equal(to.connect_timeout_ms, 5000);
    pg_target_free(&to);
}

static void what_makes_no_sense_is_refused_with_a_reason_and_without_secrets(void **state)
{
    static const char *const urls[] = {
        "postgresql://ann:geheim@h:x/db", "postgresql://ann:geheim@h:123456/db", "postgresql://ann:ge%zzheim@h/db",
        "postgresql://ann:geheim@[::1/db", "postgresql://ann:geheim@h/d%zb", "postgresql://ann:geheim@h/db?neverHeardOf=geheim",
        "postgresql://ann:geheim@h/db?target_session_attrs=standby", "jdbc:postgresql://h/db?password=geheim&targetServerType=secondary",
        "postgresql://ann:geheim@h/db?connect_timeout=soon", "postgresql://ann:geheim@h/db?host=other",
        "postgresql://h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h/db?password=geheim", "postgresql://h/db?password=ge%00heim",
        "postgresql:///db?password=geheim&host=h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h,h", "postgresql://h/d%00b",
    };
    static const struct um_store_conf cf = { .user = "ann" };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(urls); i++) {
        struct pg_target to = { 0 };
        char why[256] = "";

        if (pg_target_parse(&to, urls[i], &cf, why) != UM_EINVAL)
            fail_msg("%s is not refused", urls[i]);
        assert_non_null(strstr(why, "store.url: "));
        assert_null(strstr(why, "geheim"));
        pg_target_free(&to);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_finds_host_database_and_user),
        cmocka_unit_test(configuration_fills_in_what_the_url_lacks),
        cmocka_unit_test(schema_and_timeout_are_taken_out),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_a_reason_and_without_secrets),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
