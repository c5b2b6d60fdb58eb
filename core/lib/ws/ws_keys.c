/* The keys of WebSocket connections. The gateway's Socket.IO side has a um_ws_conf of its own with a smaller
 * max_message; these rows are the collaboration side's. */
#include <umbel/conf.h>
#include <umbel/ws.h>

#define AT(f) .at = offsetof(struct um_ws_conf, f)
#define MB (1024 * 1024)

static const struct um_conf_key keys[] = {
    { "ws.max-message", NULL, "32MB", "largest message, over all its fragments; a larger one ends the connection with 1009",
      UM_CONF_SIZE, UM_CONF_LIVE, AT(max_message), .min = 1024, .max = 1024LL * MB },
    { "ws.max-fragments", NULL, "131072", "most fragments of one message; beyond it 1008",
      UM_CONF_INT, UM_CONF_LIVE, AT(max_fragments), .min = 1, .max = INT32_MAX },
    { "ws.max-queued", NULL, "16MB", "unsent bytes of one connection; a reader that falls further behind is closed with 1013",
      UM_CONF_SIZE, UM_CONF_LIVE, AT(max_queued), .min = 64 * 1024, .max = 1024LL * MB },
    { "ws.high-queued", NULL, "1MB", "unsent bytes from which on senders hold back what can wait",
      UM_CONF_SIZE, UM_CONF_LIVE, AT(high_queued), .min = 4096, .max = 1024LL * MB },
    { "ws.stall-timeout", NULL, "30s", "longest time without progress while bytes wait; then 1013",
      UM_CONF_DURATION_MS, UM_CONF_LIVE, AT(stall_timeout_ms), .min = 100, .max = 3600000 },
    { "ws.ping-interval", NULL, "25s", "a ping is sent when nothing was heard for this long",
      UM_CONF_DURATION_MS, UM_CONF_LIVE, AT(ping_interval_ms), .min = 100, .max = 3600000 },
    { "ws.idle-timeout", NULL, "60s", "a connection that was not heard for this long is cut",
      UM_CONF_DURATION_MS, UM_CONF_LIVE, AT(idle_timeout_ms), .min = 200, .max = 7200000 },
    { "ws.close-timeout", NULL, "5s", "longest wait for the peer while a connection closes",
      UM_CONF_DURATION_MS, UM_CONF_LIVE, AT(close_timeout_ms), .min = 10, .max = 600000 },
    { "ws.control-rate", NULL, "100", "control frames per second of one connection; beyond rate and burst 1008",
      UM_CONF_INT, UM_CONF_LIVE, AT(control_rate), .min = 1, .max = 1000000 },
    { "ws.control-burst", NULL, "1000", "control frames that may come at once",
      UM_CONF_INT, UM_CONF_LIVE, AT(control_burst), .min = 1, .max = 1000000 },
    { "ws.echo.enabled", NULL, "false", "serve /echo, which sends every message back; for tests only",
      UM_CONF_BOOL, 0, AT(echo_enabled) },
};
const struct um_conf_table um_ws_conf_table = UM_CONF_TABLE("WebSocket", keys);
