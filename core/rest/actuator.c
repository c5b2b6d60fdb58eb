/* /core/actuator: this core's components of health; the rest is umbel/actuator.h's. */
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <umbel/failpoint.h>
#include <umbel/jobs.h>
#include <umbel/node.h>
#include <umbel/util.h>
#include "actuator.h"
#include "admin/admin.h"

#define DISK_THRESHOLD ((json_int_t)10 << 20)

/* ---- components ---- */

static enum um_health up_if(bool is) { return is ? UM_HEALTH_UP : UM_HEALTH_DOWN; }

static bool has_archive(void *arg) { return um_versions_has_archive(((struct um_rest *)arg)->deps.versions); }

/* Without it old versions cannot be read and no more of them moved; documents are none the worse, so it is only told. */
static enum um_health archive(void *arg)
{
    return um_versions_archive_is_healthy(((struct um_rest *)arg)->deps.versions) ? UM_HEALTH_UP : UM_HEALTH_UNKNOWN;
}

static enum um_health ping(void *arg)
{
    (void)arg;
    return UM_HEALTH_UP;
}

/* Only what the process cannot help by itself: a loop that stands still. */
bool um_rest_is_alive(const struct um_rest *r)
{
    int64_t now = um_now_ms(), beat;

    for (size_t i = 0; i < UM_REST_LOOPS_MAX; i++)
        if ((beat = atomic_load_explicit(&r->beat_ms[i], memory_order_relaxed)) != 0 && now - beat > UM_REST_STUCK_MS)
            return false;
    return true;
}

static enum um_health liveness(void *arg) { return um_rest_is_alive(arg) ? UM_HEALTH_UP : UM_HEALTH_DOWN; }

/* With streams, folding is the workers': without one documents are complete, and their logs grow. */
static bool has_workers_pattern(void *arg)
{
    struct um_rest *r = arg;

    return r->deps.redis != NULL && r->deps.collab_conf->transport == UM_COLLAB_STREAMS;
}

static json_int_t count_workers(const struct um_rest *r)
{
    struct um_members *members = um_cluster_members(r->deps.cluster);
    json_int_t n = 0;

    for (size_t i = 0; i < members->n; i++)
        n += strcmp(members->list[i].role, "core") == 0 && um_member_serves(&members->list[i], "worker");
    um_members_unref(members);
    return n;
}

static enum um_health workers(void *arg) { return count_workers(arg) > 0 ? UM_HEALTH_UP : UM_HEALTH_UNKNOWN; }
static json_t *workers_details(void *arg) { return json_pack("{s:I}", "cores", count_workers(arg)); }

static json_t *cluster_details(void *arg)
{
    return json_pack("{s:o}", "members", um_node_members_json(((struct um_rest *)arg)->deps.cluster));
}

static enum um_health db(void *arg) { return up_if(um_store_is_healthy(((struct um_rest *)arg)->deps.store)); }

static json_t *db_details(void *arg)
{
    const char *url = um_conf_get(((struct um_rest *)arg)->deps.conf, "store.url");
    bool postgres = url != NULL && strstr(url, "postgres") != NULL;

    return json_pack("{s:s, s:s}", "database", postgres ? "PostgreSQL" : "SQLite", "validationQuery", "isValid()");
}

static bool look_at_disk(struct um_rest *r, const char **path, struct statvfs *fs)
{
    *path = um_conf_get(r->deps.conf, "umbel.data-dir");
    return *path != NULL && statvfs(*path, fs) == 0;
}

static enum um_health disk(void *arg)
{
    struct statvfs fs;
    const char *path;

    return up_if(look_at_disk(arg, &path, &fs) && (json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize >= DISK_THRESHOLD);
}

static json_t *disk_details(void *arg)
{
    struct statvfs fs = { 0 };
    const char *path;
    bool exists = look_at_disk(arg, &path, &fs);

    return json_pack("{s:I, s:I, s:I, s:s, s:b}", "total", (json_int_t)fs.f_blocks * (json_int_t)fs.f_frsize, "free",
                     (json_int_t)fs.f_bavail * (json_int_t)fs.f_frsize, "threshold", DISK_THRESHOLD, "path", path != NULL ? path : "",
                     "exists", (int)exists);
}

/* A core that cannot store sends newcomers elsewhere; those who are here stay and are told "not saved yet". */
static enum um_health readiness(void *arg)
{
    struct um_rest *r = arg;

    return atomic_load(&r->draining) || !um_store_is_healthy(r->deps.store) ? UM_HEALTH_OUT_OF_SERVICE : UM_HEALTH_UP;
}

static bool has_jobs(void *arg) { return ((struct um_rest *)arg)->deps.jobs != NULL; }
static enum um_health queue(void *arg) { return up_if(um_jobs_get_stats(((struct um_rest *)arg)->deps.jobs).is_healthy); }

static json_t *queue_details(void *arg)
{
    struct um_jobs_stats s = um_jobs_get_stats(((struct um_rest *)arg)->deps.jobs);

    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "waiting", (json_int_t)s.waiting, "delayed", (json_int_t)s.delayed, "processing",
                     (json_int_t)s.processing, "errors", (json_int_t)s.errors, "oldestWaitingMs", (json_int_t)s.oldest_waiting_ms, "running",
                     (json_int_t)s.running, "capacity", (json_int_t)s.capacity);
}

static bool has_redis(void *arg) { return ((struct um_rest *)arg)->deps.redis != NULL; }

/* Redis away makes nobody unready: each core goes on by itself. */
static enum um_health redis(void *arg) { return up_if(um_node_redis_is_up(((struct um_rest *)arg)->deps.redis)); }

static json_t *redis_details(void *arg)
{
    struct um_rest *r = arg;

    return um_node_redis_json(r->deps.redis, r->deps.cluster);
}

static const struct um_actuator_component components[] = {       /* sorted by name */
    { "archive", NULL, archive, has_archive, NULL },
    { "cluster", NULL, ping, NULL, cluster_details },
    { "db", NULL, db, NULL, db_details },
    { "diskSpace", NULL, disk, NULL, disk_details },
    { "livenessState", "liveness", liveness, NULL, NULL },
    { "ping", NULL, ping, NULL, NULL },
    { "queue", NULL, queue, has_jobs, queue_details },
    { "readinessState", "readiness", readiness, NULL, NULL },
    { "redis", NULL, redis, has_redis, redis_details },
    { "workers", NULL, workers, has_workers_pattern, workers_details },
};
static const char *const endpoints[] = { "caches", "configprops", "env", "health", "httpexchanges", "info", "logfile", "loggers", "metrics",
                                         "prometheus", "shutdown", "status", "threaddump", NULL };

static bool has_role(void *arg, const struct um_http_req *rq, const char *role) { return caller_has_role(arg, rq, role); }

struct um_actuator *actuator_new(struct um_rest *r)
{
    return um_actuator_new(&(struct um_actuator_setup){
        .context = "/core", .app = "Umbel Core", .endpoints = endpoints, .components = components, .n_components = UM_COUNT(components),
        .conf = r->deps.actuator, .settings = r->deps.conf, .open_components = true, .has_role = has_role, .arg = r,
        .started_wall_ms = r->started_wall_ms,
    });
}

/* ---- handlers ---- */

#define HANDLER(name, call) \
    void name(struct um_http_req *rq, void *ctx) { const struct um_actuator *a = ((struct um_rest *)ctx)->actuator; call; }
HANDLER(actuator_index, um_actuator_index(a, rq))
HANDLER(actuator_liveness, um_actuator_health(a, rq, "liveness"))
HANDLER(actuator_readiness, um_actuator_health(a, rq, "readiness"))
HANDLER(actuator_status, um_actuator_status(a, rq))
HANDLER(actuator_info, um_actuator_info(a, rq))
HANDLER(actuator_metrics, um_actuator_metrics(a, rq))
HANDLER(actuator_metric, um_actuator_metric(a, rq, um_http_param(rq, "name")))
HANDLER(actuator_prometheus, um_actuator_prometheus(a, rq))
HANDLER(actuator_loggers, um_actuator_loggers(a, rq))
HANDLER(actuator_logger, um_actuator_logger(a, rq, um_http_param(rq, "name")))
HANDLER(actuator_env, um_actuator_env(a, rq))
HANDLER(actuator_env_one, um_actuator_env_one(a, rq, um_http_param(rq, "name")))
HANDLER(actuator_configprops, um_actuator_configprops(a, rq))
HANDLER(actuator_exchanges, um_actuator_exchanges(a, rq))
HANDLER(actuator_threads, um_actuator_threads(a, rq))
HANDLER(actuator_logfile, um_actuator_logfile(a, rq))

/* The fact is on its way before the end begins: the store finishes what it was given. */
void actuator_shutdown(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    int64_t since;

    if (!um_actuator_exposes(r->actuator, rq, "shutdown"))
        return;
    act_fact(rq, r, SCOPE_ALL, "SHUTDOWN", "MEMBER", um_cluster_self(r->deps.cluster, &since));
    um_actuator_shut_down(r->actuator, rq);
}

void actuator_health(struct um_http_req *rq, void *ctx)
{
    const char *component = um_http_param(rq, "component"), *part = um_http_param(rq, "part");
    char *path = um_xasprintf("%s%s%s", component != NULL ? component : "", part != NULL ? "/" : "", part != NULL ? part : "");

    um_actuator_health(((struct um_rest *)ctx)->actuator, rq, path);
    free(path);
}

void actuator_logger_set(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *name = um_http_param(rq, "name"), *before, *after;
    json_t *body = um_api_body(r->api, rq);
    struct act *a;

    if (body == NULL)
        return;
    json_decref(body);
    if (!um_actuator_set_logger(r->actuator, rq, name, &before, &after))
        return;
    a = act_new(rq, r, "LOG_LEVEL", "LOGGER", name);
    act_note(a, "before", json_string(before));
    act_note(a, "after", json_string(after));
    act_done(a, 204, NULL);
}

void actuator_failpoint(struct um_http_req *rq, void *ctx)
{
    struct um_buf action = { 0 };
    struct um_span body = um_http_body(rq);

    (void)ctx;
    um_buf_put(&action, body.data, body.len);
    if (um_failpoint_set(um_http_param(rq, "name"), um_buf_cstr(&action)) == UM_OK)
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else
        um_http_reply_error(rq, 400, "U00400", "no such failure point or action");
    um_buf_free(&action);
}
