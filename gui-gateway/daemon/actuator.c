/* /gui/actuator: this gateway's components of health; the rest is umbel/actuator.h's. One for each site, whose cores it tells of. */
#include <actuator.h>
#include <auth/asker.h>
#include <proxy/cores.h>
#include <umbel/node.h>
#include <umbel/util.h>

static const struct um_vitals *vitals_of(void *arg) { return ((struct um_gateway_health *)arg)->vitals; }

static enum um_health ping(void *arg)
{
    (void)arg;
    return UM_HEALTH_UP;
}

/* Only what the process cannot help by itself: a loop that stands still. */
bool um_vitals_are_alive(const struct um_vitals *v)
{
    int64_t now = um_now_ms();

    for (unsigned i = 0; i < v->n_reactors; i++) {
        int64_t beat = atomic_load_explicit(&v->beat_ms[i], memory_order_relaxed);
        if (beat != 0 && now - beat > UM_VITALS_STUCK_MS)
            return false;
    }
    return true;
}

static enum um_health liveness(void *arg) { return um_vitals_are_alive(vitals_of(arg)) ? UM_HEALTH_UP : UM_HEALTH_DOWN; }

static enum um_health readiness(void *arg)
{
    return atomic_load_explicit(&vitals_of(arg)->refuses, memory_order_relaxed) ? UM_HEALTH_OUT_OF_SERVICE : UM_HEALTH_UP;
}

/* Told, but without weight: a core that restarts must not take every gateway out of service. */
static enum um_health core(void *arg)
{
    const struct um_vitals *v = vitals_of(arg);

    for (unsigned i = 0; i < v->n_reactors; i++)
        if (!atomic_load_explicit(&v->core_is_up[i], memory_order_relaxed))
            return UM_HEALTH_UNKNOWN;
    return UM_HEALTH_UP;
}

static void add_core(void *arg, const char *host, const char *state)
{
    json_array_append_new(arg, json_pack("{s:s, s:s}", "address", host, "state", state));
}

static json_t *core_details(void *arg)
{
    struct um_gateway_health *h = arg;
    json_t *list = json_array();

    if (h->cores != NULL)
        um_cores_each(h->cores, add_core, list);
    return json_pack("{s:o}", "cores", list);
}

static bool has_cluster(void *arg) { return vitals_of(arg)->cluster != NULL; }
static json_t *cluster_details(void *arg) { return json_pack("{s:o}", "members", um_node_members_json(vitals_of(arg)->cluster)); }

static bool has_redis(void *arg) { return vitals_of(arg)->redis != NULL; }
static enum um_health redis(void *arg) { return um_node_redis_is_up(vitals_of(arg)->redis) ? UM_HEALTH_UP : UM_HEALTH_DOWN; }
static json_t *redis_details(void *arg) { return um_node_redis_json(vitals_of(arg)->redis, vitals_of(arg)->cluster); }

static const struct um_actuator_component components[] = {       /* sorted by name */
    { "cluster", NULL, ping, has_cluster, cluster_details },
    { "core", NULL, core, NULL, core_details },
    { "livenessState", "liveness", liveness, NULL, NULL },
    { "ping", NULL, ping, NULL, NULL },
    { "readinessState", "readiness", readiness, NULL, NULL },
    { "redis", NULL, redis, has_redis, redis_details },
};
static const char *const endpoints[] = { "caches", "configprops", "env", "health", "httpexchanges", "info", "logfile", "loggers", "metrics",
                                         "prometheus", "sessions", "shutdown", "status", "threaddump", NULL };

static bool has_role(void *arg, const struct um_http_req *rq, const char *role)
{
    (void)arg;
    return um_asker_has(um_auth_asker(rq), role);
}

struct um_actuator *um_gateway_actuator(struct um_gateway_health *h)
{
    static const char *const all[] = { "*" };
    static const struct um_actuator_conf defaults = { .include = { 1, all }, .show_components = -1, .access = -1, .max_access = UM_ACTUATOR_UNRESTRICTED };

    return um_actuator_new(&(struct um_actuator_setup){
        .context = "/gui", .app = "Umbel Gateway", .endpoints = endpoints, .components = components, .n_components = UM_COUNT(components),
        .conf = h->conf != NULL ? h->conf : &defaults, .settings = h->settings, .has_role = has_role, .arg = h,
        .started_wall_ms = h->vitals->started_wall_ms,
    });
}
