/* /core/rest/admin/cluster: who works together, for administrators. */
#include <umbel/node.h>
#include "internal.h"

static json_t *own_id(const json_t *members)
{
    size_t i;
    json_t *m;

    json_array_foreach(members, i, m)
        if (json_is_true(json_object_get(m, "self")))
            return json_incref(json_object_get(m, "id"));
    return json_null();                      /* not admitted yet */
}

void admin_cluster_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *members = um_node_members_json(r->deps.cluster);

    um_http_reply_json(rq, 200, json_pack("{s:o, s:o, s:o}", "self", own_id(members), "redis",
                                          um_node_redis_json(r->deps.redis, r->deps.cluster), "members", members));
}
