/* Reading the gateway's configuration. */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/util.h>

static const char *const details_words[] = { "never", "when-authorized", "always", NULL };
static const char *const format_words[] = { "text", "ecs", "logstash", NULL };

#define AT(f) .at = offsetof(struct um_gateway_conf, f)
static const struct um_conf_key keys[] = {
    { "server.port", NULL, "8080", "port to listen on; 0: a free one, told in the log and in <umbel.data-dir>/gui-gateway.port",
      UM_CONF_INT, 0, AT(port), .max = 65535 },
    { "server.reactors", NULL, "0", "threads that serve clients; 0: one for each CPU",
      UM_CONF_INT, 0, AT(reactors), .max = UM_VITALS_REACTORS_MAX },
    { "umbel.data-dir", NULL, ".", "folder for what the process writes",
      UM_CONF_STR, 0, AT(data_dir), .min = 1, .max = 4000 },
    { "gui.web.dir", NULL, "", "folder of the built web app; empty: share/umbel/web beside the folder of the program",
      UM_CONF_STR, 0, AT(web_dir), .max = 4000 },
    { "server.trusted-proxies", NULL, "", "addresses or networks of the proxies whose X-Forwarded-* headers are believed",
      UM_CONF_LIST, 0, AT(trusted_proxies), .max = 256 },
    { "server.drain-delay", NULL, "0s", "after SIGTERM: time for the load balancer to notice before new connections are refused",
      UM_CONF_DURATION_MS, 0, AT(drain_delay_ms), .max = 600000 },
    { "spring.lifecycle.timeout-per-shutdown-phase", NULL, "30s", "after SIGTERM: longest time for running requests to end",
      UM_CONF_DURATION_MS, 0, AT(shutdown_ms), .max = 600000 },
    { "management.endpoint.health.show-details", "management.endpoint.health.show-components", "never",
      "whether /gui/actuator/health tells its components; when-authorized is taken as never",
      UM_CONF_ENUM, 0, AT(health_details), .words = details_words },
    { "logging.file.name", NULL, "", "file for the log; empty: standard error alone",
      UM_CONF_STR, 0, AT(log_file), .max = 4000 },
    { "logging.structured.format.console", "logging.structured.format.file", "text", "form of a log line",
      UM_CONF_ENUM, 0, AT(log_format), .words = format_words },
    { "logging.level.*", NULL, "", "level of a category and those below it: TRACE, DEBUG, INFO, WARN, ERROR, OFF; logging.level.root: of all",
      UM_CONF_STR, 0, 0, .max = 16 },
};
static const struct um_conf_table gateway_conf_table = UM_CONF_TABLE("Gateway", keys);

/* Every module: its rows, and where they go. */
#define TABLES(X)                                                                                       \
    X(gateway_conf_table, gateway) X(um_http_conf_table, http) X(um_site_conf_table, site)              \
    X(um_auth_conf_table, auth) X(um_session_conf_table, sessions) X(um_throttle_conf_table, throttle)  \
    X(um_token_conf_table, token) X(um_upstream_conf_table, upstream) X(um_tunnels_conf_table, tunnels)
static const struct um_conf_table *const tables[] = {
#define X(table, member) &table,
    TABLES(X)
#undef X
};
static const char *const prefixes[] = { "gui", "core", "token", "login", "session", "server", "umbel", "json", "logging", NULL };

static bool bind_all(struct options *o)
{
    um_err err = UM_OK;

#define X(table, member) \
    if (err == UM_OK)    \
        err = um_conf_bind(o->conf, table.keys, table.n, &o->member);
    TABLES(X)
#undef X
    return err == UM_OK;
}

/* ---- --help, --version ---- */

static void usage(FILE *f)
{
    fputs("usage: umbel-gateway [--key=value ...]\n\n"
          "Serves the web app, sessions and the way to the cores. Reads gui-gateway.properties in the working\n"
          "directory and in config/; any key may be given as --key=value.\n\n"
          "  --print-config   shows every key with its value and origin, and ends\n"
          "  --print-sample   writes a commented gui-gateway.properties, and ends\n"
          "  --version        shows the version, and ends\n"
          "  --help           shows this, and ends\n", f);
}

static void sample(FILE *f)
{
    fputs("# gui-gateway.properties: every key of umbel-gateway with its default (umbel-gateway --print-sample).\n"
          "# What is wrong stops the start, with file and line.\n\n", f);
    um_conf_sample(tables, UM_COUNT(tables), f);
}

static bool has_argument(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return false;
}

static bool answer_early(int argc, char **argv)
{
    if (has_argument(argc, argv, "--help") || has_argument(argc, argv, "-h"))
        usage(stdout);
    else if (has_argument(argc, argv, "--version"))
        puts("umbel-gateway " UMBEL_VERSION);
    else if (has_argument(argc, argv, "--print-sample"))
        sample(stdout);
    else
        return false;
    return true;
}

/* The arguments that are keys: --print-config is ours. */
static int keep_key_arguments(int argc, char **argv, char **kept)
{
    int n = 0;

    for (int i = 0; i < argc; i++)
        if (strcmp(argv[i], "--print-config") != 0)
            kept[n++] = argv[i];
    return n;
}

/* ---- what no row can check ---- */

static bool wrong(const char *key, const char *value, const char *reason)
{
    fprintf(stderr, "error: %s=%s: %s\n", key, value, reason);
    return false;
}

static bool check_keys(struct options *o)
{
    const char *key = o->token.key;

    if (key[0] == '\0') {
        um_random_id(o->random_key, sizeof(o->random_key) - 1);
        key = o->random_key;
    }
    if (um_token_ring_init(&o->ring, key, o->token.key_previous) != UM_OK)
        return wrong(strlen(key) < UM_TOKEN_KEY_MIN_BYTES ? "token.key" : "token.key.previous", "******",
                     "a key needs at least 32 bytes");
    return true;
}

static bool check_levels(const struct options *o)
{
    const char *category, *value;
    enum um_level level;
    size_t pos = 0;

    while (um_conf_next(o->conf, "logging.level", &pos, &category, &value))
        if (!um_log_parse_level(value, &level)) {
            fprintf(stderr, "error: logging.level.%s=%s: no level\n", category, value);
            return false;
        }
    return true;
}

static bool check(struct options *o)
{
    const char *bad = um_upstream_bad_node(&o->upstream.nodes);

    if (bad != NULL)
        return wrong("core.nodes", bad, "expected http://host:port, without a path");
    if (um_trusted_new(&o->trusted, o->gateway.trusted_proxies.items, o->gateway.trusted_proxies.n, &bad) != UM_OK)
        return wrong("server.trusted-proxies", bad, "neither an address nor address/prefix");
    return check_keys(o) && check_levels(o);
}

/* share/umbel/web of the installation that the program belongs to. */
static char *default_web_dir(void)
{
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    path[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 2 && (slash = strrchr(path, '/')) != NULL; up++)
        *slash = '\0';
    return um_xasprintf("%s/share/umbel/web", path);
}

bool options_read(struct options *o, int argc, char **argv, char **env, int *exit_status)
{
    char **kept = um_xcalloc((size_t)argc + 1, sizeof(*kept));
    struct um_conf_source source = {
        .app = "gui-gateway", .argv = kept, .environ = env, .tables = tables, .n_tables = UM_COUNT(tables),
        .prefixes = prefixes,
    };
    um_err err;

    *o = (struct options){0};
    *exit_status = 0;
    source.argc = keep_key_arguments(argc, argv, kept);
    if (answer_early(argc, argv)) {
        free(kept);
        return false;
    }
    err = um_conf_load(&o->conf, &source);
    free(kept);
    if (o->conf != NULL)
        um_conf_report(o->conf, stderr);
    *exit_status = 2;
    if (err != UM_OK || !bind_all(o) || !check(o))
        return false;
    *exit_status = 0;
    if (has_argument(argc, argv, "--print-config")) {
        um_conf_print(o->conf, stdout);
        return false;
    }
    o->http.port = o->gateway.port;
    o->web_dir = o->gateway.web_dir[0] != '\0' ? um_xstrdup(o->gateway.web_dir) : default_web_dir();
    return true;
}

void options_free(struct options *o)
{
    um_trusted_free(o->trusted);
    um_conf_free(o->conf);
    free(o->web_dir);
    explicit_bzero(o->random_key, sizeof(o->random_key));
}

void options_apply_log(const struct options *o)
{
    const char *category, *value;
    enum um_level level;
    size_t pos = 0;

    while (um_conf_next(o->conf, "logging.level", &pos, &category, &value))
        if (um_log_parse_level(value, &level))
            um_log_set_level(um_ascii_ieq(category, "root") ? NULL : category, level);
}
