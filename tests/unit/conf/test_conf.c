/* A whole load: precedence, profiles, placeholders, reports, output. Each test has a directory of its own. */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <umbel/conf.h>
#include <um_test.h>

/* ---- a table ---- */

struct demo {
    const char *host, *url, *password, *greeting, *dir;
    int64_t port, timeout_ms, session_s, body, limit;
    bool ssl;
    int ack;
    struct um_conf_list nodes, empty;
};
static const char *const ack_words[] = { "durable", "memory", NULL };

#define AT(f) .at = offsetof(struct demo, f)
static const struct um_conf_key demo_keys[] = {
    { "server.address", NULL, "127.0.0.1", "address to listen on", UM_CONF_STR, 0, AT(host), .max = 64 },
    { "server.port", NULL, "8081", "port to listen on", UM_CONF_INT, 0, AT(port), .max = 65535 },
    { "store.url", "spring.datasource.url", "sqlite:${umbel.data-dir}/store.db", "store of record", UM_CONF_STR, 0, AT(url) },
    { "umbel.data-dir", NULL, "data", "where files go", UM_CONF_STR, 0, AT(dir) },
    { "spring.data.redis.password", "spring.redis.password", "", "AUTH secret", UM_CONF_STR, UM_CONF_LIVE | UM_CONF_SECRET, AT(password), .max = 512 },
    { "spring.data.redis.timeout", "spring.redis.timeout, old.redis.timeout", "2s", "longest wait", UM_CONF_DURATION_MS, UM_CONF_LIVE, AT(timeout_ms), .min = 1, .max = 600000 },
    { "spring.data.redis.ssl", NULL, "false", "TLS", UM_CONF_BOOL, 0, AT(ssl) },
    { "gui.session.timeout", NULL, "1800", "idle session", UM_CONF_DURATION_S, 0, AT(session_s), .min = 1 },
    { "server.http.max-body", NULL, "8MB", "largest body", UM_CONF_SIZE, 0, AT(body), .min = 1 },
    { "collab.limit", NULL, "", "no limit when empty", UM_CONF_INT, 0, AT(limit), .min = 5 },
    { "collab.ack", NULL, "durable", "when a change is acknowledged", UM_CONF_ENUM, 0, AT(ack), .words = ack_words },
    { "core.nodes", "nodes", "", "base URLs of the cores", UM_CONF_LIST, 0, AT(nodes), .max = 4 },
    { "core.roles", NULL, "", "roles", UM_CONF_LIST, 0, AT(empty) },
    { "gui.greeting", NULL, "", "shown at the top | of each page", UM_CONF_STR, UM_CONF_RUNTIME_EXPR, AT(greeting) },
    { "internal.realm.users[N].id", NULL, NULL, "name of a user", .type = UM_CONF_STR, .max = 16 },
    { "internal.realm.users[N].password", NULL, NULL, "password of a user", .type = UM_CONF_STR, .flags = UM_CONF_SECRET },
    { "internal.realm.users[N].profiles", NULL, NULL, "profiles of a user", .type = UM_CONF_LIST },
    { "logging.level.*", NULL, NULL, "level of a logger", .type = UM_CONF_STR },
};
static const struct um_conf_table demo_table = UM_CONF_TABLE("Demo", demo_keys);
static const struct um_conf_table *const tables[] = { &demo_table };
static const char *const prefixes[] = { "server", "collab", "internal.realm", "umbel", NULL };
static const struct um_conf_flag flags[] = {
    { "--port", "-p", "server.port", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "port" },
    { "--sqlite", "-s", "store.url", UM_CONF_FLAG_OPTIONAL, ":memory:", "sqlite:%", "SQLITE_FILE", "SQLite file" },
    { "--tls", NULL, "spring.data.redis.ssl", UM_CONF_FLAG_SWITCH, "true", NULL, NULL, NULL },
};

/* ---- one test's directory and load ---- */

struct bench {
    char dir[64];
    const char *args[16], *env[16];
    int n_args, n_env;
    struct um_conf *conf;
    struct demo demo;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    strcpy(b->dir, "/tmp/umbel-conf-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->args[b->n_args++] = "umbel-core";
    *state = b;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st; (void)type; (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    um_conf_free(b->conf);
    nftw(b->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

static void write_bytes(struct bench *b, const char *name, const void *data, size_t len)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", b->dir, name);
    for (char *p = strchr(path + strlen(b->dir) + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
        *p = '\0';
        assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
        *p = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static void file(struct bench *b, const char *name, const char *text)
{
    write_bytes(b, name, text, strlen(text));
}

static void arg(struct bench *b, const char *text) { b->args[b->n_args++] = text; }
static void env(struct bench *b, const char *text) { b->env[b->n_env++] = text; }

static um_err try_load(struct bench *b)
{
    um_conf_free(b->conf);
    return um_conf_load(&b->conf, &(struct um_conf_source){
        .app = "core", .dir = b->dir, .argc = b->n_args, .argv = (char *const *)(uintptr_t)b->args,
        .environ = (char *const *)(uintptr_t)b->env, .tables = tables, .n_tables = 1,
        .flags = flags, .n_flags = UM_COUNT(flags), .prefixes = prefixes });
}

static void load(struct bench *b)
{
    if (try_load(b) != UM_OK) {
        um_conf_report(b->conf, stderr);
        fail_msg("load failed");
    }
    assert_int_equal(um_conf_bind(b->conf, demo_keys, UM_COUNT(demo_keys), &b->demo), UM_OK);
}

/* The only note of LEVEL whose reason holds TEXT. */
static const struct um_conf_note *find_note(struct bench *b, enum um_conf_level level, const char *text)
{
    const struct um_conf_note *notes, *found = NULL;
    size_t n = um_conf_notes(b->conf, &notes);

    for (size_t i = 0; i < n; i++)
        if (notes[i].level == level && strstr(notes[i].reason, text) != NULL) {
            if (found != NULL)
                fail_msg("\"%s\" is told twice", text);
            found = &notes[i];
        }
    if (found == NULL) {
        um_conf_report(b->conf, stderr);
        fail_msg("nobody says \"%s\"", text);
    }
    return found;
}

static const struct um_conf_note *refuses(struct bench *b, const char *text)
{
    assert_int_equal(try_load(b), UM_EINVAL);
    return find_note(b, UM_CONF_NOTE_ERROR, text);
}

static void has_no_notes(struct bench *b)
{
    const struct um_conf_note *notes;
    if (um_conf_notes(b->conf, &notes) != 0) {
        um_conf_report(b->conf, stderr);
        fail_msg("unexpected notes");
    }
}

static char *printed(struct bench *b)
{
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    um_conf_print(b->conf, f);
    fclose(f);
    return text;
}

/* ---- binding ---- */

static void defaults_fill_the_struct(void **state)
{
    struct bench *b = *state;
    load(b);
    has_no_notes(b);
    assert_string_equal(b->demo.host, "127.0.0.1");
    assert_int_equal(b->demo.port, 8081);
    assert_string_equal(b->demo.url, "sqlite:data/store.db");
    assert_string_equal(b->demo.password, "");
    assert_int_equal(b->demo.timeout_ms, 2000);
    assert_false(b->demo.ssl);
    assert_int_equal(b->demo.session_s, 1800);
    assert_int_equal(b->demo.body, 8 << 20);
    assert_int_equal(b->demo.limit, 0);
    assert_int_equal(b->demo.ack, 0);
    assert_int_equal(b->demo.nodes.n, 0);
    assert_false(um_conf_is_set(b->conf, "server.port"));
    assert_string_equal(um_conf_get(b->conf, "SERVER_.Port"), "8081");
    assert_string_equal(um_conf_get(b->conf, "collab.limit"), "");
    assert_null(um_conf_get(b->conf, "collab.other"));
}

static void every_type_is_bound(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties",
         "server.port = 0x1F90\nspring.data.redis.ssl=On\nspring.redis.timeout=PT0.25S\nGUI.Session.time_out=30m\n"
         "server.http.maxBody=64KB\ncollab.ack=MEMORY\ncore.nodes= http://a , http://b\ncollab.limit=7\n");
    load(b);
    has_no_notes(b);
    assert_int_equal(b->demo.port, 8080);
    assert_true(b->demo.ssl);
    assert_int_equal(b->demo.timeout_ms, 250);
    assert_int_equal(b->demo.session_s, 1800);
    assert_int_equal(b->demo.body, 65536);
    assert_int_equal(b->demo.ack, 1);
    assert_int_equal(b->demo.limit, 7);
    assert_int_equal(b->demo.nodes.n, 2);
    assert_string_equal(b->demo.nodes.items[1], "http://b");
}

static void a_bad_value_is_told_with_its_place_and_reason(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "# port\nserver.port = 80a\nspring.redis.timeout=1.5s\ncollab.ack=never\nserver.http.max-body=0\n"
                               "collab.limit=4\nspring.data.redis.ssl=maybe\ncore.nodes=1,2,3,4,5\nserver.address=\n");
    assert_int_equal(try_load(b), UM_EINVAL);
    const struct um_conf_note *n = find_note(b, UM_CONF_NOTE_ERROR, "not an integer");
    assert_string_equal(n->key, "server.port");
    assert_string_equal(n->value, "80a");
    assert_string_equal(n->origin, "core.properties");
    assert_int_equal(n->line, 2);
    assert_int_equal(n->column, 15);
    find_note(b, UM_CONF_NOTE_ERROR, "duration unit");
    find_note(b, UM_CONF_NOTE_ERROR, "expected: durable, memory");
    find_note(b, UM_CONF_NOTE_ERROR, "at least 1B");
    find_note(b, UM_CONF_NOTE_ERROR, "at least 5");
    find_note(b, UM_CONF_NOTE_ERROR, "not a boolean");
    find_note(b, UM_CONF_NOTE_ERROR, "elements must be at most 4");
    assert_int_equal(um_conf_bind(b->conf, demo_keys, UM_COUNT(demo_keys), &b->demo), UM_EINVAL);
}

static void a_bad_secret_is_not_shown(void **state)
{
    struct bench *b = *state;
    static char text[600] = "spring.redis.password=";
    memset(text + strlen(text), 'x', 513);
    file(b, "core.properties", text);
    assert_string_equal(refuses(b, "at most 512")->value, "******");
}

static void bounds_hold_at_the_value_and_beyond(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "spring.redis.timeout=10m\nserver.port=65535\n");
    load(b);
    file(b, "core.properties", "spring.redis.timeout=600001\n");
    refuses(b, "at most 10m");
    file(b, "core.properties", "server.port=65536\n");
    refuses(b, "at most 65535");
    file(b, "core.properties", "server.port=-1\n");
    refuses(b, "at least 0");
    file(b, "core.properties", "server.port=\n");
    refuses(b, "empty");
}

/* ---- precedence ---- */

static void higher_sources_win(void **state)
{
    struct bench *b = *state;
    static const struct { const char *file, *text; int64_t port; } steps[] = {
        { "core.properties", "server.port=1", 1 },
        { "config/core.properties", "server.port=2", 2 },
        { "config/a/core.properties", "server.port=3", 3 },
        { "config/b/core.properties", "server.port=4", 4 },
        { "core-default.properties", "server.port=5", 5 },          /* a profile file beats every plain one */
        { "config/core-default.properties", "server.port=6", 6 },
    };
    for (size_t i = 0; i < UM_COUNT(steps); i++) {
        file(b, steps[i].file, steps[i].text);
        load(b);
        assert_int_equal(b->demo.port, steps[i].port);
    }
    env(b, "SERVER_PORT=7");
    load(b);
    assert_int_equal(b->demo.port, 7);
    env(b, "SPRING_APPLICATION_JSON={\"server\":{\"port\":8},\"core.nodes\":[\"x\",\"y\"],\"spring\":{\"data.redis.ssl\":true}}");
    load(b);
    assert_int_equal(b->demo.port, 8);
    assert_int_equal(b->demo.nodes.n, 2);
    assert_true(b->demo.ssl);
    arg(b, "--server.port=9");
    load(b);
    assert_int_equal(b->demo.port, 9);
}

static void locations_replace_and_add(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.port=1\nserver.address=first");
    file(b, "etc/x.properties", "server.port=2");
    file(b, "etc/x-prod.properties", "server.port=3");
    file(b, "etc/d/core.properties", "server.port=4");
    arg(b, "--spring.config.additional-location=optional:file:./none/,etc/x.properties");
    load(b);
    assert_int_equal(b->demo.port, 2);
    assert_string_equal(b->demo.host, "first");
    env(b, "SPRING_PROFILES_ACTIVE=prod");
    load(b);
    assert_int_equal(b->demo.port, 3);
    env(b, "SPRING_CONFIG_LOCATION=etc/d/");
    b->n_args = 1;
    b->args[1] = NULL;
    load(b);
    assert_int_equal(b->demo.port, 4);
    assert_string_equal(b->demo.host, "127.0.0.1");
}

static void an_explicit_missing_file_is_an_error(void **state)
{
    struct bench *b = *state;
    arg(b, "--spring.config.location=optional:gone.properties");
    load(b);
    arg(b, "--spring.config.additional-location=gone.properties");
    const struct um_conf_note *n = refuses(b, "gone.properties: not found");
    assert_string_equal(n->origin, "command line");
    b->args[b->n_args - 1] = "--spring.config.additional-location=gone/";
    refuses(b, "no such directory");
    b->args[b->n_args - 1] = "--spring.config.additional-location=core.yml";
    refuses(b, "only .properties");
    static const char *const nowhere[] = { "classpath:/x", "[encoding=utf-8]", "file:", "configtree:" };
    for (size_t i = 0; i < UM_COUNT(nowhere); i++) {
        char text[128];
        snprintf(text, sizeof(text), "--spring.config.additional-location=%s", nowhere[i]);
        b->args[b->n_args - 1] = text;
        refuses(b, "expected");
    }
}

static void imports_override_the_importing_document_once(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.port=1\nspring.config.import=optional:none.properties,file:sub/one.properties\ncollab.limit=10\n"
                               "#---\nserver.address=second-document\n");
    file(b, "sub/one.properties", "server.port=2\nserver.address=imported\nspring.config.import=two.properties\ncollab.limit=11");
    file(b, "sub/two.properties", "collab.limit=12\nspring.config.import=one.properties");      /* a circle */
    load(b);
    assert_int_equal(b->demo.port, 2);
    assert_int_equal(b->demo.limit, 12);
    assert_string_equal(b->demo.host, "second-document");
    file(b, "core.properties", "spring.config.import=missing.properties");
    assert_int_equal(refuses(b, "missing.properties: not found")->line, 1);
}

static void an_import_may_use_placeholders(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "place=sub\nspring.config.import=${place}/${name:one}.properties\n");
    file(b, "sub/one.properties", "server.port=2");
    load(b);
    assert_int_equal(b->demo.port, 2);
}

static void a_configuration_tree_is_read(void **state)
{
    struct bench *b = *state;
    file(b, "run/secrets/spring.data.redis.password", "from tree\n\n");
    file(b, "run/secrets/server/port", "77\r\n");
    file(b, "run/secrets/..data/server.address", "hidden");
    arg(b, "--spring.config.import=configtree:run/secrets/");
    load(b);
    assert_string_equal(b->demo.password, "from tree\n");
    assert_int_equal(b->demo.port, 77);
    assert_string_equal(b->demo.host, "127.0.0.1");
    b->args[b->n_args - 1] = "--spring.config.import=configtree:run/*/,optional:configtree:none/";
    load(b);
    assert_int_equal(b->demo.port, 77);
    b->args[b->n_args - 1] = "--spring.config.import=configtree:none/";
    refuses(b, "none: No such file");
}

static void lists_are_replaced_whole_and_maps_merged(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "core.nodes[0]=a\ncore.nodes[1]=b\ncore.nodes[2]=c\nlogging.level.http=INFO\nlogging.level.ws=INFO\n"
                               "internal.realm.users[0].id=ann\ninternal.realm.users[1].id=bob\n");
    load(b);
    assert_int_equal(b->demo.nodes.n, 3);
    assert_string_equal(um_conf_get(b->conf, "core.nodes"), "a,b,c");
    assert_string_equal(um_conf_get(b->conf, "nodes[1]"), "b");
    assert_int_equal(um_conf_count(b->conf, "internal.realm.users"), 2);
    file(b, "config/core.properties", "nodes[0]=z\nlogging.level.http=DEBUG\ninternal.realm.users[0].id=eve\n");
    load(b);
    assert_int_equal(b->demo.nodes.n, 1);
    assert_string_equal(b->demo.nodes.items[0], "z");
    assert_int_equal(um_conf_count(b->conf, "internal.realm.users"), 1);
    assert_string_equal(um_conf_getf(b->conf, "internal.realm.users[%d].id", 0), "eve");
    assert_string_equal(um_conf_get(b->conf, "logging.level.http"), "DEBUG");
    assert_string_equal(um_conf_get(b->conf, "logging.level.ws"), "INFO");
    env(b, "CORE_NODES=p,q");
    load(b);
    assert_int_equal(b->demo.nodes.n, 2);
}

static void a_list_with_a_gap_is_refused(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "core.nodes[0]=a\ncore.nodes[2]=c\n");
    refuses(b, "no element [1]");
    file(b, "core.properties", "core.nodes[99999999999999999999]=a\n");
    refuses(b, "index greater");
}

static void indexes_and_maps_come_from_the_environment_too(void **state)
{
    struct bench *b = *state;
    const char *rest, *value;
    size_t pos = 0;
    env(b, "INTERNAL_REALM_USERS_0_ID=ann");
    env(b, "INTERNAL_REALM_USERS_1_ID=bob");
    env(b, "INTERNAL_REALM_USERS_1_PASSWORD=pw");
    env(b, "LOGGING_LEVEL_COM_FOO=DEBUG");
    env(b, "SPRING_DATA_REDIS_TIMEOUT=9s");
    env(b, "CORE_NODES_0=a");
    load(b);
    assert_int_equal(um_conf_count(b->conf, "internal.realm.users"), 2);
    assert_string_equal(um_conf_get(b->conf, "internal.realm.users[1].id"), "bob");
    assert_true(um_conf_next(b->conf, "logging.level", &pos, &rest, &value));
    assert_string_equal(rest, "com.foo");
    assert_string_equal(value, "DEBUG");
    assert_false(um_conf_next(b->conf, "logging.level", &pos, &rest, &value));
    assert_int_equal(b->demo.timeout_ms, 9000);
    assert_int_equal(b->demo.nodes.n, 1);
}

static void a_map_is_walked_in_order(void **state)
{
    struct bench *b = *state;
    const char *rest, *value;
    size_t pos = 0;
    file(b, "core.properties", "logging.level.my-http=INFO\nlogging.level.Com.Foo=WARN\nlogging.level[com.Bar]=DEBUG\nlogging.levelx.y=1\n");
    load(b);
    static const char *const want[][2] = { { "com.foo", "WARN" }, { "my-http", "INFO" }, { "com.Bar", "DEBUG" } };
    for (size_t i = 0; i < UM_COUNT(want); i++) {
        assert_true(um_conf_next(b->conf, "Logging.Level", &pos, &rest, &value));
        assert_string_equal(rest, want[i][0]);
        assert_string_equal(value, want[i][1]);
    }
    assert_false(um_conf_next(b->conf, "logging.level", &pos, &rest, &value));
}

/* ---- command line ---- */

static void stock_flags_stand_for_keys(void **state)
{
    struct bench *b = *state;
    arg(b, "-p"); arg(b, "1234"); arg(b, "--sqlite"); arg(b, "--tls");
    load(b);
    assert_int_equal(b->demo.port, 1234);
    assert_string_equal(b->demo.url, "sqlite::memory:");
    assert_true(b->demo.ssl);
    arg(b, "-s"); arg(b, "x.db"); arg(b, "--port=99");
    load(b);
    assert_string_equal(b->demo.url, "sqlite:x.db");
    assert_int_equal(b->demo.port, 99);
    b->n_args = 1;
    env(b, "SQLITE_FILE=e.db");
    load(b);
    assert_string_equal(b->demo.url, "sqlite:e.db");
    env(b, "STORE_URL=memory:");
    load(b);
    assert_string_equal(b->demo.url, "memory:");
}

static void odd_arguments_are_refused(void **state)
{
    struct bench *b = *state;
    arg(b, "start");
    refuses(b, "unexpected argument \"start\"");
    b->args[1] = "--port";
    refuses(b, "--port needs a value");
    b->args[1] = "--server.address";
    refuses(b, "--server.address needs a value");
    b->args[1] = "--=x";
    refuses(b, "empty key");
    b->args[1] = "--spring.data.redis.ssl";
    load(b);
    assert_true(b->demo.ssl);
    b->args[1] = "--spring.application.json=[1]";
    refuses(b, "not a JSON object");
    b->args[1] = "--spring.application.json={";
    refuses(b, "not JSON");
    b->args[1] = "--spring.application.json={\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
                 "{\"a\":{\"a\":{\"a\":1}}}}}}}}}}}}}}}}}";
    refuses(b, "nested deeper");
}

/* ---- aliases, duplicates, unknown keys ---- */

static void a_name_wins_over_its_alias_and_a_difference_is_told(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "spring.redis.timeout=1s\nspring.data.redis.timeout=3s\n");
    load(b);
    assert_int_equal(b->demo.timeout_ms, 3000);
    const struct um_conf_note *n = find_note(b, UM_CONF_NOTE_WARN, "spring.data.redis.timeout");
    assert_string_equal(n->key, "spring.redis.timeout");
    assert_int_equal(n->line, 1);
    file(b, "core.properties", "spring.data.redis.timeout=3s\nold.redis.timeout=3s\n");
    load(b);
    has_no_notes(b);
    arg(b, "--spring.redis.timeout=5s");                        /* a higher source wins by whatever name */
    load(b);
    assert_int_equal(b->demo.timeout_ms, 5000);
    find_note(b, UM_CONF_NOTE_WARN, "spring.redis.timeout");
    assert_string_equal(um_conf_get(b->conf, "old.redis.timeout"), "5s");
}

static void a_duplicate_key_is_told_with_both_lines(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.port=1\n\nserver.PORT=2\n");
    load(b);
    assert_int_equal(b->demo.port, 2);
    assert_int_equal(find_note(b, UM_CONF_NOTE_WARN, "given before on line 1")->line, 3);
    file(b, "core.properties", "server.port=1\n#---\nserver.port=2\n");
    load(b);
    has_no_notes(b);                                            /* later documents override */
}

static void an_unknown_key_of_ours_meets_the_nearest_name(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.prot=1\ncollab.nonsense-of-some-length=1\ninternal.realm.users[3].passwort=x\nsomebody.else=1\n"
                               "sever.address=x\n");
    load(b);
    const struct um_conf_note *n = find_note(b, UM_CONF_NOTE_WARN, "did you mean server.port?");
    assert_int_equal(n->line, 1);
    assert_string_equal(n->key, "server.prot");
    assert_int_equal(find_note(b, UM_CONF_NOTE_WARN, "did you mean internal.realm.users[N].password?")->line, 3);
    assert_int_equal(find_note(b, UM_CONF_NOTE_WARN, "did you mean server.address?")->line, 5);
    const struct um_conf_note *notes;
    assert_int_equal(um_conf_notes(b->conf, &notes), 4);
}

/* ---- files ---- */

static void malformed_files_stop_the_start(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "a=1\nb=\\u12\n");
    const struct um_conf_note *n = refuses(b, "malformed");
    assert_string_equal(n->origin, "core.properties");
    assert_int_equal(n->line, 2);
    file(b, "core.properties", "=x\n");
    assert_int_equal(refuses(b, "empty key")->line, 1);
    write_bytes(b, "core.properties", "a=b\0c", 5);
    refuses(b, "NUL");
    char *big = malloc((1 << 20) + 1);
    memset(big, '#', (1 << 20) + 1);
    write_bytes(b, "core.properties", big, 1 << 20);
    load(b);
    write_bytes(b, "core.properties", big, (1 << 20) + 1);
    refuses(b, "larger than 1MB");
    memset(big, 'a', 70000);
    write_bytes(b, "core.properties", big, 70000);
    refuses(b, "64KB");
    free(big);
    file(b, "core.properties", "");
    load(b);
}

static void text_is_utf8_or_else_latin1(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "\xef\xbb\xbfserver.address=\xc3\xa9");
    load(b);
    has_no_notes(b);
    assert_string_equal(b->demo.host, "\xc3\xa9");
    file(b, "core.properties", "server.address=\xe9\xff");
    load(b);
    assert_string_equal(b->demo.host, "\xc3\xa9\xc3\xbf");
    find_note(b, UM_CONF_NOTE_INFO, "ISO-8859-1");
}

static void too_many_documents_are_refused(void **state)
{
    struct bench *b = *state;
    char text[300 * 16], *p = text;
    for (int i = 0; i < 300; i++)
        p += sprintf(p, "a=%d\n#---\n", i);
    file(b, "core.properties", text);
    refuses(b, "more than 256");
}

/* ---- profiles ---- */

static void profiles_choose_files_and_documents(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.port=1\nspring.profiles.active=eu, ${tier:prod}\n"
                               "#---\nspring.config.activate.on-profile=prod & (eu | us)\nserver.address=eu-prod\n"
                               "#---\nspring.config.activate.on-profile=!prod\nserver.address=test\n"
                               "#---\nspring.config.activate.on-profile=nope,eu\ncollab.limit=33\nspring.config.import=more.properties\n");
    file(b, "more.properties", "collab.limit=34");
    file(b, "core-eu.properties", "server.port=2\ncollab.ack=memory");
    file(b, "core-prod.properties", "server.port=3");
    file(b, "core-default.properties", "server.port=4");
    load(b);
    has_no_notes(b);
    assert_int_equal(b->demo.port, 3);
    assert_int_equal(b->demo.ack, 1);
    assert_string_equal(b->demo.host, "eu-prod");
    assert_int_equal(b->demo.limit, 34);
    struct um_conf_list l = um_conf_profiles(b->conf);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.items[1], "prod");
    arg(b, "--spring.profiles.active=test");
    load(b);
    assert_int_equal(b->demo.port, 1);
    assert_string_equal(b->demo.host, "test");
}

static void bad_profile_expressions_are_refused(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = { "a & b | c", "(a", "a)", "a &", "& a", "()", "a b", "!" };
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        char text[128];
        snprintf(text, sizeof(text), "spring.config.activate.on-profile=%s\n", bad[i]);
        file(b, "core.properties", text);
        refuses(b, "not a profile expression");
    }
    file(b, "core.properties", "spring.config.activate.on-profile=((((((((((((((((((((default))))))))))))))))))))\n");
    refuses(b, "not a profile expression");
    file(b, "core.properties", "spring.config.activate.on-profile=default\nspring.profiles.active=x\n");
    refuses(b, "cannot choose profiles");
    file(b, "core.properties", "spring.profiles.active=../x\n");
    refuses(b, "cannot be the name");
}

/* ---- placeholders ---- */

static void placeholders_see_the_whole_environment(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.address=${name}.${HOSTNAME}.${server.port}\nname=${fallback:${dir}}\ndir=deep\n"
                               "umbel.data-dir=/var/${dir}\nlogging.level.x=\\\\${a}\n");
    env(b, "HOSTNAME=box${");
    arg(b, "--dir=top");
    load(b);
    assert_string_equal(b->demo.host, "top.box${.8081");
    assert_string_equal(b->demo.url, "sqlite:/var/top/store.db");
    assert_string_equal(um_conf_get(b->conf, "logging.level.x"), "${a}");
}

static void circles_and_absent_names_are_refused(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "server.address=${a}\na=${b}\nb=${a}\n");
    assert_int_equal(try_load(b), UM_EINVAL);
    const struct um_conf_note *notes;
    assert_int_equal(um_conf_notes(b->conf, &notes), 3);
    for (size_t i = 0; i < 3; i++)
        assert_non_null(strstr(notes[i].reason, "circle"));
    file(b, "core.properties", "server.address=${server.address}\n");
    refuses(b, "circle");
    file(b, "core.properties", "\nserver.address=${no.where}\n");
    assert_int_equal(refuses(b, "\"no.where\"")->line, 2);
    file(b, "core.properties", "collab.nodes[0]=${collab.nodes}\ncollab.nodes[1]=x");
    assert_int_equal(try_load(b), UM_EINVAL);
}

static void a_runtime_expression_stays(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "gui.greeting=Hello ${user.id}, ${server.port} ${tags.Name\n");
    load(b);
    assert_string_equal(b->demo.greeting, "Hello ${user.id}, 8081 ${tags.Name");
}

static void chains_of_references_end_at_16(void **state)
{
    struct bench *b = *state;
    for (int length = 16; length <= 17; length++) {
        char text[2048], *p = text;
        p += sprintf(p, "c%d=end\n", length);
        for (int i = length - 1; i >= 0; i--)
            p += sprintf(p, "c%d=${c%d}\n", i, i + 1);
        file(b, "core.properties", text);
        if (length == 16) {
            load(b);
            assert_string_equal(um_conf_get(b->conf, "c0"), "end");
        } else {
            assert_string_equal(refuses(b, "deeper than 16")->key, "c0");
        }
    }
}

static void expanded_values_are_bounded(void **state)
{
    struct bench *b = *state;
    char text[4096], *p = text;
    p += sprintf(p, "x0=%01024d\n", 0);
    for (int i = 1; i <= 10; i++)
        p += sprintf(p, "x%d=${x%d}${x%d}\n", i, i - 1, i - 1);
    file(b, "core.properties", text);
    refuses(b, "more than 1MB");                        /* x10: 1 MB and the cost of two placeholders */
    assert_int_equal(strlen(um_conf_get(b->conf, "x9")), 512 << 10);
    assert_null(um_conf_get(b->conf, "x10"));
    p = text + sprintf(text, "e0=\n");
    for (int i = 1; i <= 15; i++)                       /* 16^15 references to nothing */
        p += sprintf(p, "e%d=${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}${e%d}\n", i,
                     i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    file(b, "core.properties", text);
    load(b);
}

static void one_random_value_is_the_same_wherever_it_is_used(void **state)
{
    struct bench *b = *state;
    file(b, "core.properties", "id=${random.uuid}\nserver.address=${id}\nserver.port=${random.int[1000,1001]}\n");
    load(b);
    assert_string_equal(b->demo.host, um_conf_get(b->conf, "id"));
    assert_int_equal(b->demo.port, 1000);
    file(b, "core.properties", "server.port=${random.int(0)}\n");
    refuses(b, "not a random value");
}

/* ---- ENC() ---- */

static char *encrypted(const char *key, const char *secret, const char *plain)
{
    struct um_buf enc = { 0 };
    char *text;
    assert_int_equal(um_conf_encrypt(secret, UM_SPAN_STR(plain), &enc), UM_OK);
    assert_true(asprintf(&text, "%s=%s\n", key, um_buf_cstr(&enc)) > 0);
    um_buf_free(&enc);
    return text;
}

static void encrypted_values_open_with_the_master_secret(void **state)
{
    struct bench *b = *state;
    char *text = encrypted("spring.redis.password", "master", "p${x}w"), *both;

    file(b, "core.properties", text);
    assert_string_equal(refuses(b, "no master secret")->value, "******");
    env(b, "secret=master");
    load(b);
    assert_string_equal(b->demo.password, "p${x}w");
    arg(b, "--secret=wrong");
    assert_string_equal(refuses(b, "cannot be decrypted")->value, "******");
    b->n_args = 1;
    b->n_env = 0;
    b->env[0] = NULL;
    assert_true(asprintf(&both, "%ssecret.file=key\nsecret=the file's own line comes last\n", text) > 0);
    file(b, "core.properties", both);
    file(b, "key", "master\n");
    load(b);
    assert_string_equal(b->demo.password, "p${x}w");
    free(both);
    free(text);
}

/* ---- output ---- */

static void printed_values_have_origins_and_no_secrets(void **state)
{
    struct bench *b = *state;
    char *enc = encrypted("server.address", "m", "hidden-host"), *text;
    assert_true(asprintf(&text, "# c\n  spring.redis.password = hunter2\n%sstore.url=pg://u:hunter2@db/x?p=1&password=hunter2&sslpassword=hunter2\ncollab.limit=${n}\nn=5\n"
                                "my.api-key=hunter2\ninternal.realm.users[0].password=hunter2\ngui.greeting=${spring.redis.password}!\n"
                                "core.nodes[0]=a\ncore.nodes[1]=b\n", enc) > 0);
    file(b, "core.properties", text);
    env(b, "SERVER_PORT=99");
    env(b, "secret=m");
    arg(b, "--collab.ack=memory");
    load(b);
    char *out = printed(b);
    static const char *const lines[] = {
        "spring.data.redis.password=******                         # \"core.properties\" - 2:27\n",
        "server.port=99                                            # environment variable \"SERVER_PORT\"\n",
        "collab.ack=memory                                         # command line\n",
        "spring.data.redis.timeout=2s                              # default\n",
        "store.url=pg://u:******@db/x?p=1&password=******&sslpassword=****** ", "collab.limit=5 ", "n=5 ", "my.api-key=****** ", "server.address=****** ",
        "internal.realm.users[0].password=****** ", "gui.greeting=****** ", "secret=****** ", "core.nodes=a,b ", "# profiles: default\n",
    };
    for (size_t i = 0; i < UM_COUNT(lines); i++)
        if (strstr(out, lines[i]) == NULL)
            fail_msg("missing: %s\n%s", lines[i], out);
    assert_null(strstr(out, "hunter2"));
    assert_null(strstr(out, "hidden-host"));
    assert_null(strstr(out, "core.nodes[0]"));
    free(out);
    free(text);
    free(enc);
}

static void a_report_line_names_place_key_value_and_reason(void **state)
{
    struct bench *b = *state;
    char *text = NULL;
    size_t n;
    file(b, "core.properties", "\nserver.port=\x1b[1mx\n");
    assert_int_equal(try_load(b), UM_EINVAL);
    FILE *f = open_memstream(&text, &n);
    um_conf_report(b->conf, f);
    fclose(f);
    assert_string_equal(text, "ERROR core.properties:2:13: server.port=\\u001b[1mx: not an integer\n");
    free(text);
}

static void the_sample_lists_every_key_and_can_be_read(void **state)
{
    struct bench *b = *state;
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    um_conf_sample(tables, 1, f);
    fclose(f);
    assert_non_null(strstr(text, "# longest wait\n# duration (ms), 1ms to 10m; live; also: spring.redis.timeout, old.redis.timeout\n"
                                 "#spring.data.redis.timeout=2s\n"));
    assert_non_null(strstr(text, "#internal.realm.users[N].id="));
    for (char *p = text; (p = strstr(p, "\n#")) != NULL; p++)         /* take the comment sign from each key */
        if (p[2] != ' ' && strstr(p, "[N]") != p + 22 && strncmp(p + 2, "logging.level.*", 15) != 0)
            p[1] = ' ';
    file(b, "core.properties", text);
    load(b);
    has_no_notes(b);
    assert_true(um_conf_is_set(b->conf, "server.port"));
    assert_int_equal(b->demo.body, 8 << 20);
    free(text);
}

static void the_manual_is_a_table(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n;
    FILE *f = open_memstream(&text, &n);
    um_conf_manual(tables, 1, f);
    um_conf_usage(flags, UM_COUNT(flags), f);
    fclose(f);
    assert_non_null(strstr(text, "## Demo\n\n| key | default | type | meaning |\n|---|---|---|---|\n"));
    assert_non_null(strstr(text, "| `collab.ack` | `durable` | one of durable, memory | when a change is acknowledged |\n"));
    assert_non_null(strstr(text, "| `gui.greeting` | | text; ${...} resolved at use | shown at the top \\| of each page |\n"));
    assert_non_null(strstr(text, "  -s, --sqlite [VALUE]         SQLite file\n"));
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_fill_the_struct),
        TEST(every_type_is_bound),
        TEST(a_bad_value_is_told_with_its_place_and_reason),
        TEST(a_bad_secret_is_not_shown),
        TEST(bounds_hold_at_the_value_and_beyond),
        TEST(higher_sources_win),
        TEST(locations_replace_and_add),
        TEST(an_explicit_missing_file_is_an_error),
        TEST(imports_override_the_importing_document_once),
        TEST(an_import_may_use_placeholders),
        TEST(a_configuration_tree_is_read),
        TEST(lists_are_replaced_whole_and_maps_merged),
        TEST(a_list_with_a_gap_is_refused),
        TEST(indexes_and_maps_come_from_the_environment_too),
        TEST(a_map_is_walked_in_order),
        TEST(stock_flags_stand_for_keys),
        TEST(odd_arguments_are_refused),
        TEST(a_name_wins_over_its_alias_and_a_difference_is_told),
        TEST(a_duplicate_key_is_told_with_both_lines),
        TEST(an_unknown_key_of_ours_meets_the_nearest_name),
        TEST(malformed_files_stop_the_start),
        TEST(text_is_utf8_or_else_latin1),
        TEST(too_many_documents_are_refused),
        TEST(profiles_choose_files_and_documents),
        TEST(bad_profile_expressions_are_refused),
        TEST(placeholders_see_the_whole_environment),
        TEST(circles_and_absent_names_are_refused),
        TEST(a_runtime_expression_stays),
        TEST(chains_of_references_end_at_16),
        TEST(expanded_values_are_bounded),
        TEST(one_random_value_is_the_same_wherever_it_is_used),
        TEST(encrypted_values_open_with_the_master_secret),
        TEST(printed_values_have_origins_and_no_secrets),
        TEST(a_report_line_names_place_key_value_and_reason),
        TEST(the_sample_lists_every_key_and_can_be_read),
        TEST(the_manual_is_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
