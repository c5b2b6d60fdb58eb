/* Redis and the members, for people. */
#include <umbel/node.h>
#include <umbel/util.h>

bool um_node_redis_is_up(const struct um_redis *redis)
{
    struct um_redis_health health;

    if (redis == NULL)
        return true;
    health = um_redis_get_health(redis);
    return health.links > 0 && health.ready == health.links;
}

static json_t *sentinels(const struct um_redis_conf *cf)
{
    json_t *list = json_array();

    for (size_t i = 0; i < cf->sentinel_nodes.n; i++)
        json_array_append_new(list, json_string(cf->sentinel_nodes.items[i]));
    return list;
}

json_t *um_node_redis_json(const struct um_redis *redis, struct um_cluster *cluster)
{
    struct um_redis_link_stats link = { .state = "CLOSED" };
    struct um_redis_health health;
    bool guarded;

    if (redis == NULL)
        return json_pack("{s:s}", "mode", "none");
    guarded = um_redis_get_conf(redis)->sentinel_master[0] != '\0';
    health = um_redis_get_health(redis);
    um_cluster_get_link(cluster, &link);
    json_t *out = json_pack("{s:s, s:s, s:s, s:I, s:i, s:i, s:I, s:I, s:s}", "mode", guarded ? "sentinel" : "simple",
                            "master", link.address, "state", link.state, "epoch", (json_int_t)link.epoch,
                            "links", health.links, "ready", health.ready, "switches", (json_int_t)link.switches,
                            "reconnects", (json_int_t)link.reconnects, "lastLoss", link.last_loss);
    if (guarded)
        json_object_set_new(out, "sentinels", sentinels(um_redis_get_conf(redis)));
    return out;
}

static json_t *member_json(const struct um_member *m)
{
    char started[32];

    um_wall_iso(m->started_at_ms, started);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:b, s:b}", "id", m->id, "role", m->role, "address", m->address,
                     "version", m->version, "serves", m->serves, "startedAt", started, "load", (json_int_t)m->load, "draining", (int)m->draining,
                     "self", (int)m->is_self);
}

json_t *um_node_members_json(struct um_cluster *cluster)
{
    struct um_members *members = um_cluster_members(cluster);
    json_t *list = json_array();

    for (size_t i = 0; i < members->n; i++)
        json_array_append_new(list, member_json(&members->list[i]));
    um_members_unref(members);
    return list;
}
