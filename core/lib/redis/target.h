/* Where Redis is: the configuration, read and checked. */
#ifndef REDIS_TARGET_H
#define REDIS_TARGET_H
#include <umbel/redis.h>

enum { TARGET_MAX_SENTINELS = 32, TARGET_DEFAULT_PORT = 6379, TARGET_DEFAULT_SENTINEL_PORT = 26379 };

struct redis_address {
    char *host;                               /* name or address, without brackets */
    int port;
};

struct redis_target {
    struct redis_address server;              /* simple mode */
    char *user, *password;                    /* "" when there is none */
    int64_t database;
    bool tls;
    bool sentinel;
    struct redis_address sentinels[TARGET_MAX_SENTINELS];
    size_t n_sentinels;
};

/* UM_EINVAL with WHY, which names no secret. TARGET is to be freed in any case. */
um_err redis_target_read(struct redis_target *target, const struct um_redis_conf *cf, char why[256]) UM_CHECK_RESULT;
void redis_target_free(struct redis_target *target);
/* "host", "host:port", "[::1]:port", "::1". */
bool redis_address_parse(struct redis_address *out, const char *text, int default_port);

#endif
