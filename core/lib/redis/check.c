/* What the operator should know about the server's settings, from its INFO alone: CONFIG may be forbidden, and is not asked
 * for. Each finding is one WARN line per process, when the first link comes up; docs/admin/redis.md says what to set. */
#include <string.h>
#include <umbel/log.h>
#include "link_int.h"

static void warn(const struct um_redis_link *l, const char *setting, const char *why)
{
    um_log(UM_WARN, "redis", "server setting", UM_S("host", l->master.host), UM_I("port", l->master.port),
           UM_S("setting", setting), UM_S("why", why));
}

static bool is(struct um_span value, const char *text)
{
    return um_span_eq(value, UM_SPAN_STR(text));
}

void check_settings(struct um_redis_link *l, struct um_span info)
{
    struct um_span policy = resp_info(info, "maxmemory_policy"), aof = resp_info(info, "aof_enabled");
    struct um_span replication = resp_info(info, "role"), guarded = resp_info(info, "min_slaves_good_slaves");

    if (atomic_exchange(&l->redis->settings_told, true))
        return;
    if (policy.len > 0 && !is(policy, "noeviction"))
        warn(l, "maxmemory-policy", "anything but noeviction throws sessions and reservations away when memory is short");
    if (is(aof, "0"))
        warn(l, "appendonly", "without it a restart of Redis forgets all sessions");
    if (l->redis->target.sentinel && replication.len > 0 && guarded.len == 0)
        warn(l, "min-replicas-to-write", "without it an old master goes on saying OK during a failover: set 1, and "
                                         "min-replicas-max-lag 2");
    if (*l->login.password == '\0' && conn_peer_is_public(&l->conn))
        warn(l, "requirepass", "a public address and no password");
}
