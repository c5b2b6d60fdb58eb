/* Configuration rows of the adapters. */
#include <sio/cluster.h>

static const char *const adapter_words[] = { "classic", "sharded", "streams", "none", NULL };
static const char *const mode_words[] = { "dynamic", "dynamic-private", "static", NULL };

#define AT(f) .at = offsetof(struct um_sio_cluster_conf, f)
static const struct um_conf_key keys[] = {
    { "sio.adapter", NULL, "classic", "how Socket.IO servers of one cluster hear each other in Redis (with redis.enabled): as @socket.io/redis-adapter does, "
      "with createAdapter (classic) or createShardedAdapter (sharded; Redis 7), or as @socket.io/redis-streams-adapter (streams); none: this gateway is alone",
      UM_CONF_ENUM, 0, AT(adapter), .words = adapter_words },
    { "sio.adapter.key", NULL, "socket.io", "first part of its channels: the option key of createAdapter, channelPrefix of the others",
      UM_CONF_STR, 0, AT(key), .min = 1, .max = 128 },
    { "sio.adapter.requests-timeout", NULL, "5s", "longest wait for the answers of the other servers, when a request names no time of its own",
      UM_CONF_DURATION_MS, 0, AT(requests_timeout_ms), .min = 10, .max = 600000 },
    { "sio.adapter.publish-on-specific-response-channel", NULL, "false",
      "answers go to the server that asked alone; needs redis-adapter 7.2 or newer on the others",
      UM_CONF_BOOL, 0, AT(answers_privately) },
    { "sio.adapter.subscription-mode", NULL, "dynamic", "sharded: which rooms have a channel of their own; the same on all servers",
      UM_CONF_ENUM, 0, AT(subscription_mode), .words = mode_words },
    { "sio.adapter.stream-name", NULL, "socket.io", "streams: the key of the stream", UM_CONF_STR, 0, AT(stream_name), .min = 1, .max = 128 },
    { "sio.adapter.stream-count", NULL, "1", "streams: into how many streams namespaces are divided; the same on all servers",
      UM_CONF_INT, 0, AT(stream_count), .min = 1, .max = 64 },
    { "sio.adapter.max-len", NULL, "10000", "streams: events that a stream keeps, about: what a client that comes back can have missed",
      UM_CONF_INT, 0, AT(stream_length), .min = 100, .max = 10000000 },
    { "sio.adapter.read-count", NULL, "100", "streams: entries of one read", UM_CONF_INT, 0, AT(read_count), .min = 1, .max = 10000 },
    { "sio.adapter.session-key-prefix", NULL, "sio:session:", "streams: first part of the keys of clients that may come back",
      UM_CONF_STR, 0, AT(session_prefix), .min = 1, .max = 128 },
};
const struct um_conf_table um_sio_cluster_conf_table = UM_CONF_TABLE("Socket.IO in a cluster", keys);
