/* How tests reach a real server of their own: everything else as little as will do. NS is borrowed. */
#ifndef UM_TEST_REDIS_H
#define UM_TEST_REDIS_H
#include <umbel/redis.h>

static inline struct um_redis_conf test_redis_conf(const char *ns, int port)
{
    return (struct um_redis_conf){ .ns = ns, .url = "", .host = "127.0.0.1", .port = port, .username = "", .password = "",
        .client_name = "", .ca_file = "", .cert_file = "", .key_file = "", .server_name = "", .bundle = "", .sentinel_master = "",
        .sentinel_username = "", .sentinel_password = "", .timeout_ms = 2000, .connect_timeout_ms = 1000, .queue_max = 1000,
        .queue_bytes = 1 << 20, .queue_max_age_ms = 2000 };
}

#endif
