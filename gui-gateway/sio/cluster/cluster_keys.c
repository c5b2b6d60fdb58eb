/* Configuration rows of the adapters. */
#include <sio/cluster.h>

static const char *const adapter_words[] = { "classic", "sharded", "streams", "none", NULL };

#define AT(f) .at = offsetof(struct um_sio_cluster_conf, f)
static const struct um_conf_key keys[] = {
    { "sio.adapter", NULL, "classic", "how Socket.IO servers of one cluster hear each other in Redis (with redis.enabled): as @socket.io/redis-adapter does, "
      "with createAdapter (classic); none: this gateway is alone",
      UM_CONF_ENUM, 0, AT(adapter), .words = adapter_words },
    { "sio.adapter.key", NULL, "socket.io", "first part of its channels: the option key of createAdapter",
      UM_CONF_STR, 0, AT(key), .min = 1, .max = 128 },
    { "sio.adapter.requests-timeout", NULL, "5s", "longest wait for the answers of the other servers, when a request names no time of its own",
      UM_CONF_DURATION_MS, 0, AT(requests_timeout_ms), .min = 10, .max = 600000 },
    { "sio.adapter.publish-on-specific-response-channel", NULL, "false",
      "answers go to the server that asked alone; needs redis-adapter 7.2 or newer on the others",
      UM_CONF_BOOL, 0, AT(answers_privately) },
};
const struct um_conf_table um_sio_cluster_conf_table = UM_CONF_TABLE("Socket.IO in a cluster", keys);
