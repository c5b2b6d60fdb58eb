/* caches: names of what the nodes keep of the database, in Spring Boot's shapes. Clearing is the daemons'. */
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

#define MANAGER "cacheManager"               /* the one that there is */
#define TARGET  "umbel.cachegen"

bool um_actuator_is_manager(const struct um_actuator *a, struct um_http_req *rq)
{
    const char *manager = um_http_query(rq, "cacheManager");

    if (!um_actuator_exposes(a, rq, "caches"))
        return false;
    if (manager == NULL || strcmp(manager, MANAGER) == 0)
        return true;
    actuator_not_there(rq, "there is no such cache manager");
    return false;
}

void um_actuator_caches(const struct um_actuator *a, struct um_http_req *rq, const json_t *names)
{
    json_t *list = json_object();

    for (size_t i = 0; i < json_array_size(names); i++)
        json_object_set_new(list, json_string_value(json_array_get(names, i)), json_pack("{s:s}", "target", TARGET));
    um_actuator_reply(a, rq, 200, json_pack("{s:{s:{s:o}}}", "cacheManagers", MANAGER, "caches", list));
}

void um_actuator_cache(const struct um_actuator *a, struct um_http_req *rq, const char *name, uint64_t version, uint64_t applied)
{
    um_actuator_reply(a, rq, 200, json_pack("{s:s, s:s, s:s, s:I, s:I}", "target", TARGET, "name", name, "cacheManager", MANAGER, "version",
                                            (json_int_t)version, "applied", (json_int_t)applied));
}
