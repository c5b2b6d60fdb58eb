/* umbel-core: wiring. Configuration, log, store, engine, doors; then it waits for a signal and takes all down again. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/api.h>
#include <umbel/archive.h>
#include <umbel/cachegen.h>
#include <umbel/collab.h>
#include <umbel/actuator.h>
#include <umbel/conf.h>
#include <umbel/content.h>
#include <umbel/domain.h>
#include <umbel/failpoint.h>
#include <umbel/import.h>
#include <umbel/jobs.h>
#include <umbel/log.h>
#include <umbel/native.h>
#include <umbel/node.h>
#include <umbel/operations.h>
#include <umbel/outgoing.h>
#include <umbel/process.h>
#include <umbel/reserve.h>
#include <umbel/rest.h>
#include <umbel/store.h>
#include <umbel/throttle.h>
#include <umbel/token.h>
#include <umbel/util.h>
#include <umbel/versions.h>
#include <umbel/webhook.h>
#include <umbel/ws.h>
#include "cache_source.h"
#include "roles.h"
#include "server.h"

enum { BEAT_MS = 2000 };                     /* how often the membership is told of our load */

/* Rows of the daemon itself: the port's default differs between the daemons. */
struct core_conf { int64_t port; struct um_conf_list roles; };
static const struct um_conf_key own_keys[] = {
    { "server.port", NULL, "8081", "port; 0 = a free one, written to <data-dir>/core.port", UM_CONF_INT, 0,
      offsetof(struct core_conf, port), .min = 0, .max = 65535 },
    { "core.roles", NULL, "rest,collab,worker", "what this core does: rest = the platform's calls, collab = collaboration, worker = asynchronous operations, and with "
      "collab.cluster.transport=streams folding", UM_CONF_LIST, 0, offsetof(struct core_conf, roles), .max = 3 },
};
static const struct um_conf_table own_table = UM_CONF_TABLE("Core", own_keys);

static const struct um_conf_table *const tables[] = {
    &own_table, &um_conf_own_table, &um_process_conf_table, &um_http_conf_table, &um_ws_conf_table, &um_token_conf_table, &um_throttle_conf_table,
    &um_rest_conf_table, &um_store_conf_table, &um_content_conf_table, &um_archive_conf_table, &um_versions_conf_table,
    &um_collab_conf_table, &um_redis_conf_table, &um_cluster_conf_table, &um_cachegen_conf_table,
    &um_reserve_conf_table, &um_actuator_conf_table, &um_domain_conf_table, &um_import_conf_table,
    &um_jobs_conf_table, &um_outgoing_conf_table, &um_webhook_conf_table, &um_native_conf_table,
};
static const char *const prefixes[] = { "umbel", "core", "server", "collab", "store", "ws", "token", "internal", "system", "json", "login", "archive", "file",
                                        "redis", "spring.redis", "spring.data.redis", "cluster", "cache", "reservation", "operation", "scope", "model", "management", NULL };

/* Stock Hocuspocus' command line. */
static const struct um_conf_flag flags[] = {
    { "--port", "-p", "server.port", UM_CONF_FLAG_VALUE, NULL, NULL, "PORT", "port to listen on" },
    { "--redis", NULL, "redis.enabled", UM_CONF_FLAG_SWITCH, "true", NULL, NULL, "several servers work as one, by way of Redis" },
    { "--redis-host", NULL, "spring.data.redis.host", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "its host (REDIS_HOST)" },
    { "--redis-port", NULL, "spring.data.redis.port", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "its port (REDIS_PORT)" },
    { "--redis-prefix", NULL, "collab.redis.prefix", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "prefix of the channels of stock servers" },
    { "--redis-id", NULL, "collab.redis.identifier", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "what stock servers call this one" },
    { "--redis-lock-timeout", NULL, "collab.redis.lock-timeout", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "life of the lock while storing, in ms" },
    { "--redis-disconnect-delay", NULL, "collab.redis.disconnect-delay", UM_CONF_FLAG_VALUE, NULL, NULL, NULL,
      "how long a document stays open after its last reader, in ms" },
    { "--webhook", "-w", "collab.webhook.url", UM_CONF_FLAG_VALUE, NULL, NULL, NULL, "service that is told of documents and connections" },
    { "--sqlite", "-s", "store.url", UM_CONF_FLAG_OPTIONAL, "memory:", "sqlite:%", NULL, "SQLite file; in memory without a value" },
};

static bool print_openapi(FILE *out)
{
    char why[256] = "";
    struct um_api *api;
    bool ok = um_rest_api(&api, why) == UM_OK;

    if (!ok) {
        fprintf(stderr, "umbel-core: %s\n", why);
        return false;
    }
    ok = fprintf(out, "%.*s\n", (int)um_api_description(api)->len, (const char *)um_api_description(api)->data) > 0;
    um_api_free(api);
    return ok;
}
static const struct um_process_print prints[] = {
    { "--print-openapi", "the description of the REST interface (OpenAPI 3.1)", print_openapi },
    { NULL, NULL, NULL },
};

static const struct um_process_spec spec = {
    "umbel-core", "core", "documents, collaboration and their REST API",
    tables, UM_COUNT(tables), flags, UM_COUNT(flags), prefixes, prints,
};

struct core {
    struct um_conf *conf;
    struct core_conf own;
    struct roles roles;
    struct um_process_conf process;
    struct um_http_conf http, management;    /* management: the actuator's own port */
    struct um_ws_conf ws;
    struct um_token_conf token;
    struct um_throttle_conf throttle;
    struct um_actuator_conf actuator;
    struct um_rest_conf rest_conf;
    struct um_store_conf store_conf;
    struct um_content_conf content_conf;
    struct um_archive_conf archive_conf;
    struct um_versions_conf versions_conf;
    struct um_collab_conf collab_conf;
    struct um_redis_conf redis_conf;
    struct um_cluster_conf cluster_conf;
    struct um_cachegen_conf cachegen_conf;
    struct um_reserve_conf reserve_conf;
    struct um_domain_conf domain_conf;
    struct um_import_conf import_conf;
    struct um_jobs_conf jobs_conf;
    struct um_outgoing_conf outgoing_conf;
    struct um_webhook_conf webhook_conf;
    struct um_native_conf native_conf;
    char *token_key;
    struct um_token_ring ring;
    struct um_reactors *reactors;
    struct um_node *node;
    struct um_redis *redis;                  /* the node's; NULL: redis.enabled=false */
    struct um_cluster *cluster;              /* the node's */
    struct um_timer beat;
    struct um_store *store;
    struct cache_source cache_source;
    struct um_cachegen *cachegen;
    struct um_reserve *reserve;
    struct um_jobs *jobs;
    struct um_outgoing *outgoing;
    struct um_native *native;                /* NULL: no directory is configured */
    struct um_operations *operations;
    struct um_webhook *webhook;              /* NULL: none is configured */
    struct um_domain *domain;
    struct um_content *content;
    struct um_archive *archive;              /* NULL: none is configured */
    struct um_versions *versions;
    struct um_collab *collab;
    struct um_rest *rest;
    struct servers *servers;
    _Atomic bool drained, jobs_drained;
};

static bool fail(const char *what, const char *why)
{
    um_log(UM_ERROR, "core", "cannot start", UM_S("part", what), UM_S("reason", why));
    return false;
}

static bool bind_all(struct core *c)
{
    const struct { const struct um_conf_table *table; void *base; } rows[] = {
        { &own_table, &c->own }, { &um_process_conf_table, &c->process }, { &um_http_conf_table, &c->http },
        { &um_ws_conf_table, &c->ws }, { &um_token_conf_table, &c->token }, { &um_throttle_conf_table, &c->throttle },
        { &um_rest_conf_table, &c->rest_conf }, { &um_actuator_conf_table, &c->actuator },
        { &um_store_conf_table, &c->store_conf }, { &um_content_conf_table, &c->content_conf }, { &um_archive_conf_table, &c->archive_conf },
        { &um_versions_conf_table, &c->versions_conf }, { &um_collab_conf_table, &c->collab_conf },
        { &um_redis_conf_table, &c->redis_conf }, { &um_cluster_conf_table, &c->cluster_conf },
        { &um_cachegen_conf_table, &c->cachegen_conf }, { &um_reserve_conf_table, &c->reserve_conf },
        { &um_domain_conf_table, &c->domain_conf }, { &um_import_conf_table, &c->import_conf },
        { &um_jobs_conf_table, &c->jobs_conf }, { &um_outgoing_conf_table, &c->outgoing_conf },
        { &um_webhook_conf_table, &c->webhook_conf },
        { &um_native_conf_table, &c->native_conf },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (um_conf_bind(c->conf, rows[i].table->keys, rows[i].table->n, rows[i].base) != UM_OK)
            return false;
    c->http.port = c->own.port;
    return true;
}

static void on_drain(void *arg, bool draining)
{
    struct core *c = arg;

    um_rest_set_draining(c->rest, draining);
}

static bool open_node(struct core *c)
{
    struct um_node_setup setup = {
        .role = "core", .listen_address = c->http.address, .port = c->http.port, .token_key = c->token.key,
        .token_key_previous = c->token.key_previous, .data_dir = c->process.data_dir, .redis = &c->redis_conf,
        .cluster = &c->cluster_conf, .loop = um_reactors_loop(c->reactors, 0), .conf = c->conf, .on_drain = on_drain, .arg = c,
    };
    const char *part = "", *url = c->store_conf.url;
    char why[256] = "";

    setup.serves = c->roles.text;
    if (um_node_open(&c->node, &setup, &part, why) != UM_OK)
        return fail(part, why);
    c->redis = um_node_redis(c->node);
    c->cluster = um_node_cluster(c->node);
    if (c->redis != NULL && (strncmp(url, "sqlite:", 7) == 0 || strncmp(url, "memory:", 7) == 0))
        um_log(UM_WARN, "core", "several cores need one PostgreSQL", UM_S("hint", "this store is good for one core, with any number of gateways"));
    return true;
}

static bool open_store(struct core *c)
{
    char why[256] = "";

    if (um_process_make_dir(c->process.data_dir) != UM_OK)
        return fail("data directory", c->process.data_dir);
    if (um_store_open(&c->store, &c->store_conf, why) != UM_OK)
        return fail("store", why);
    if (um_content_open(&c->content, c->store, um_reactors_loop(c->reactors, 0), &c->content_conf, why) != UM_OK)
        return fail("files", why);
    if (*c->archive_conf.url != '\0' && um_archive_open(&c->archive, &c->archive_conf, why) != UM_OK)
        return fail("archive", why);
    c->versions = um_versions_new(c->store, c->archive, &c->versions_conf);
    return true;
}

static bool open_caches(struct core *c)
{
    struct um_cachegen_source source = cache_source_of(&c->cache_source);

    c->cache_source.store = c->store;
    return um_cachegen_new(&c->cachegen, c->redis, um_reactors_loop(c->reactors, 0), c->cluster, &source, &c->cachegen_conf) == UM_OK;
}

static bool open_reservations(struct core *c)
{
    struct um_reserve_env env = { um_reactors_loop(c->reactors, 0), c->store, c->cachegen, c->redis, c->cluster, &c->reserve_conf };

    return um_reserve_new(&c->reserve, &env) == UM_OK || fail("reservations", "out of memory");
}

static bool open_jobs(struct core *c)
{
    struct um_jobs_env env = { .loop = um_reactors_loop(c->reactors, 0), .store = c->store, .redis = c->redis, .cluster = c->cluster,
                               .conf = &c->jobs_conf, .works = c->roles.worker };

    if (um_jobs_new(&c->jobs, &env) != UM_OK)
        return fail("asynchronous operations", "out of memory");
    return true;
}

static bool open_domain(struct core *c)
{
    if (um_domain_new(&c->domain, c->store, &c->domain_conf) != UM_OK)
        return false;
    um_domain_use_content(c->domain, c->content);
    return true;
}

static bool open_keys(struct core *c)
{
    if (*c->token.key == '\0') {
        c->token_key = um_xcalloc(1, 49);
        um_random_id(c->token_key, 48);
        c->token.key = c->token_key;
        um_log(UM_WARN, "core", "token.key is not set: no gateway can speak to this core");
    }
    return um_token_ring_init(&c->ring, c->token.key, c->token.key_previous) == UM_OK || fail("token.key", "a key has at least 32 bytes");
}

/* Who is asked when something is done: through the queue, over the network, in processes beside this one. */
static bool open_operations(struct core *c)
{
    struct um_operations_env env = { .loop = um_reactors_loop(c->reactors, 0), .domain = c->domain, .content = c->content, .jobs = c->jobs,
                                     .jobs_conf = &c->jobs_conf, .ring = &c->ring, .reserve = c->reserve,
                                     .reserve_ttl_ms = c->reserve_conf.ttl_ms };
    char why[UM_OUTGOING_WHY_MAX] = "";

    if (um_outgoing_new(&c->outgoing, &c->outgoing_conf, why) != UM_OK)
        return fail("outgoing", why);
    if (*c->native_conf.dir != '\0' && um_native_new(&c->native, &c->native_conf, why) != UM_OK)
        return fail("operation.handlers", why);
    env.outgoing = c->outgoing;
    env.native = c->native;
    c->operations = um_operations_new(&env);
    return true;
}

static bool open_webhook(struct core *c)
{
    struct um_webhook_env env = { .loop = um_reactors_loop(c->reactors, 0), .store = c->store, .jobs = c->jobs, .jobs_conf = &c->jobs_conf,
                                  .outgoing = c->outgoing, .default_scope = um_domain_default_scope(c->domain), .conf = &c->webhook_conf };
    char why[256] = "";

    return um_webhook_new(&c->webhook, &env, why) == UM_OK || fail("webhook", why);
}

static bool open_rest(struct core *c)
{
    struct um_rest_deps deps = { .conf = c->conf, .own = &c->rest_conf, .store = c->store,
                                 .versions = c->versions, .content = c->content, .collab_conf = &c->collab_conf,
                                 .ws = &c->ws, .throttle = &c->throttle, .actuator = &c->actuator, .token_expiration_s = c->token.expiration_s,
                                 .no_calls = !c->roles.rest, .no_sockets = !c->roles.collab,
                                 .redis = c->redis, .cluster = c->cluster,
                                 .cachegen = c->cachegen, .reserve = c->reserve, .jobs = c->jobs, .domain = c->domain, .node = c->node, .ring = c->ring,
                                 .loop = um_reactors_loop(c->reactors, 0) };
    struct um_collab_hooks hooks;
    char why[256] = "";

    if (um_rest_new(&c->rest, &deps, why) != UM_OK)
        return fail("users", why);
    hooks = um_rest_collab_hooks(c->rest);
    hooks.service = um_webhook_service(c->webhook);
    if (um_collab_new(&c->collab, c->reactors, c->store, &c->collab_conf, &c->ws, &hooks) != UM_OK)
        return fail("collaboration", "out of memory");
    if (c->redis != NULL)
        um_collab_join(c->collab, c->redis, c->cluster);
    um_rest_set_collab(c->rest, c->collab);
    return true;
}

static bool open_models(struct core *c)
{
    char why[1024];

    return um_import_at_start(&c->import_conf, c->conf, c->process.data_dir, c->domain, um_rest_rows(c->rest), why) || fail("model.import", why);
}

static void beat(void *arg)
{
    struct core *c = arg;
    struct um_loop *loop = um_reactors_loop(c->reactors, 0);

    um_cluster_set_load(c->cluster, um_collab_get_stats(c->collab).connections);
    um_timer_set(loop, &c->beat, um_loop_next_ms(loop, BEAT_MS), beat, c);
}

static bool open_management(struct core *c)
{
    struct um_http_conf *cf = &c->management;

    *cf = c->http;
    cf->port = c->actuator.port;
    if (*c->actuator.address != '\0')
        cf->address = c->actuator.address;
    return servers_open_management(c->servers, cf, c->rest) == UM_OK || fail("management.server.port", "it cannot be listened on");
}

static bool open_doors(struct core *c)
{
    um_err err = UM_FAILPOINT("startup.before_listen") ? UM_EIO : servers_open(&c->servers, c->reactors, &c->http, c->rest);

    if (err == UM_EEXIST)
        return fail("server.port", "another process listens there");
    if (err != UM_OK)
        return fail("server", um_err_text(err));
    if (c->actuator.port > 0 && !open_management(c))
        return false;
    um_node_listens(c->node, servers_port(c->servers));
    beat(c);
    um_content_start(c->content);
    um_jobs_start(c->jobs);
    um_webhook_start(c->webhook);
    um_versions_start(c->versions, um_reactors_loop(c->reactors, 0));
    um_reactors_start(c->reactors);
    if (um_process_write_port(c->process.data_dir, "core", servers_port(c->servers)) != UM_OK)
        return fail("port file", c->process.data_dir);
    um_log(UM_INFO, "core", "listening", UM_S("address", c->http.address), UM_I("port", servers_port(c->servers)),
           UM_I("reactors", um_reactors_count(c->reactors)), UM_S("version", UMBEL_VERSION), UM_I("files", um_process_max_files()));
    return true;
}

/* What one table alone cannot know. */
static bool check(struct core *c)
{
    char why[256] = "";

    if (!roles_read(&c->roles, &c->own.roles, why))
        return fail("core.roles", why);
    if (c->collab_conf.transport == UM_COLLAB_STREAMS && (!c->redis_conf.enabled || c->collab_conf.cluster_mode != UM_COLLAB_NATIVE))
        return fail("collab.cluster.transport", "streams need redis.enabled=true and collab.cluster.mode=native");
    c->collab_conf.works = c->roles.worker;
    return true;
}

static bool start(struct core *c)
{
    const char *bad = NULL;

    if (um_failpoint_init_from_env(&bad) != UM_OK)
        return fail("UMBEL_FAIL", bad);
    um_http_start();
    um_ws_start();
    c->reactors = um_reactors_new(c->process.reactors ? (unsigned)c->process.reactors : um_process_cpus());
    return check(c) && open_node(c) && open_store(c) && open_caches(c) && open_reservations(c) && open_jobs(c) && open_keys(c) && open_domain(c) &&
           open_operations(c) && open_webhook(c) && open_rest(c) && open_models(c) && open_doors(c);
}

static void drain_done(void *arg)
{
    struct core *c = arg;

    atomic_store(&c->drained, true);
}

static void jobs_drained(void *arg)
{
    struct core *c = arg;

    atomic_store(&c->jobs_drained, true);
}

/* Readiness says no, jobs end or are handed back, requests and sockets end, what is unstored is stored, then everything stops. */
static void stop(struct core *c)
{
    int64_t until_ms = um_now_ms() + c->process.stop_timeout_ms;

    um_log(UM_INFO, "core", "stopping");
    um_process_impatient();
    um_rest_set_draining(c->rest, true);
    um_node_drain(c->node);
    servers_quiesce(c->servers);
    um_jobs_drain(c->jobs, jobs_drained, c);
    um_collab_drain(c->collab, um_reactors_loop(c->reactors, 0), drain_done, c);
    if (!um_process_wait_flag(&c->drained, UM_MAX(until_ms - um_now_ms(), 0)))
        um_log(UM_WARN, "core", "stopped before everything was settled",
               UM_I("unstored", um_collab_get_stats(c->collab).unstored_bytes));
    if (!um_process_wait_flag(&c->jobs_drained, UM_MAX(until_ms - um_now_ms(), 0)))
        um_log(UM_WARN, "core", "stopped before every job was handed back", UM_S("hint", "others take them when their leases have ended"));
    if (!um_process_wait_flag(servers_drain(c->servers), UM_MAX(until_ms - um_now_ms(), 0)))
        um_log(UM_WARN, "core", "stopped before every request was answered");
    um_node_leave(c->node);
    um_process_remove_port(c->process.data_dir, "core");
}

static void settle(struct core *c)
{
    for (unsigned i = 0; c->reactors != NULL && i < um_reactors_count(c->reactors); i++)
        um_loop_settle(um_reactors_loop(c->reactors, i));
}

static void take_down(struct core *c)
{
    if (c->reactors != NULL)
        um_reactors_stop(c->reactors);
    servers_free(c->servers);
    um_webhook_stop(c->webhook);
    um_outgoing_free(c->outgoing);           /* its callers hear that it ends */
    um_native_stop(c->native);
    um_rest_stop(c->rest);
    um_content_stop(c->content);
    settle(c);                               /* what its workers had to say may still ask the store */
    um_archive_close(c->archive);
    um_reserve_stop(c->reserve);
    um_jobs_stop(c->jobs);
    um_store_close(c->store);
    um_cachegen_free(c->cachegen);
    settle(c);                               /* what the store still had to say */
    um_content_free(c->content);
    um_versions_free(c->versions);
    um_collab_free(c->collab);
    um_rest_free(c->rest);
    um_webhook_free(c->webhook);
    um_operations_free(c->operations);
    um_native_free(c->native);
    um_jobs_free(c->jobs);
    um_domain_free(c->domain);
    um_reserve_free(c->reserve);
    um_node_free(c->node);
    um_reactors_free(c->reactors);
    free(c->token_key);
    um_conf_free(c->conf);
}

static bool is_alive(void *arg)
{
    struct core *c = arg;
    return um_rest_is_alive(c->rest);
}

int main(int argc, char **argv)
{
    static struct core c;
    int status = 0;
    bool started, refused;

    um_process_init();
    if (!um_process_configure(&c.conf, &spec, argc, argv, &status))
        return status;
    if (!bind_all(&c) || um_process_open_log(c.conf, &spec, &c.process) != UM_OK)
        return 2;
    started = start(&c);
    if (started) {
        um_process_serve(is_alive, &c);
        stop(&c);
    }
    um_log(UM_INFO, "core", started ? "stopped" : "not started");
    refused = started && um_node_was_refused(c.node);
    take_down(&c);
    return started && !refused ? 0 : 2;
}
