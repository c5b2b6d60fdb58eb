/* What is done to sessions inside Redis. Every script begins with the same seven arguments (args_begin) and takes
 * the time from Redis, so that all gateways judge by one clock. */
#ifndef SESSION_SCRIPTS_H
#define SESSION_SCRIPTS_H
#include <umbel/redis.h>

extern struct um_redis_script
    script_get,                           /* id -> {now, fields} or nil */
    script_is_alive,                      /* id -> 1 or 0 */
    script_create,                        /* id, user, interval, max, max per user, event, body, fields... -> {now, evicted...} or "full" */
    script_restore,                       /* id, user, interval, created, last, fields... -> 1 or 0 */
    script_touch,                         /* id, age -> 1 or 0 */
    script_set,                           /* id, field, value -> {now, fields} or nil */
    script_rename,                        /* id, new id -> {now, fields} or nil */
    script_destroy,                       /* id -> 1 or 0 */
    script_list,                          /* user -> {now, {id, fields}...} */
    script_count,                         /* -> how many live */
    script_sweep;                         /* most -> {living, more, ended...} */

#define PRINCIPAL_INDEX "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME"
#define ATTR_FIELD      "sessionAttr:"

#endif
