/* Configuration rows of the way to the cores. */
#include <proxy/tunnel.h>
#include <proxy/upstream.h>

#define AT(f) .at = offsetof(struct um_upstream_conf, f)
static const struct um_conf_key keys[] = {
    { "core.nodes", NULL, "http://127.0.0.1:8081", "base addresses of the cores, http://host:port; with redis.enabled the cluster tells, and these are asked only when it knows of none",
      UM_CONF_LIST, 0, AT(nodes), .min = 1, .max = 64 },
    { "core.connect-timeout", "zuul.host.connect-timeout-millis", "2s", "longest time to connect to a core",
      UM_CONF_DURATION_MS, 0, AT(connect_timeout_ms), .min = 10, .max = 60000 },
    { "core.timeout", "zuul.host.socket-timeout-millis", "30s", "a request is given up when the core stays silent for this long",
      UM_CONF_DURATION_MS, 0, AT(timeout_ms), .min = 100, .max = 3600000 },
    { "core.max-connections", NULL, "256", "connections for requests to one core, per reactor; further requests wait",
      UM_CONF_INT, 0, AT(max_connections), .min = 1, .max = 65536 },
    { "core.check-interval", NULL, "2s", "how often each core is asked whether it serves; 0: what requests meet is all that is known",
      UM_CONF_DURATION_MS, 0, AT(check_interval_ms), .min = 0, .max = 600000 },
    { "core.check-path", NULL, "/core/actuator/health/readiness", "what it is asked; 200 and 404 say that it serves, anything else that it does not",
      UM_CONF_STR, 0, AT(check_path), .min = 1, .max = 256 },
};
const struct um_conf_table um_upstream_conf_table = UM_CONF_TABLE("Way to the cores", keys);

#undef AT
#define AT(f) .at = offsetof(struct um_tunnels_conf, f)
static const struct um_conf_key tunnel_keys[] = {
    { "core.handshake-timeout", NULL, "10s", "longest time to open a WebSocket to a core",
      UM_CONF_DURATION_MS, 0, AT(handshake_timeout_ms), .min = 100, .max = 60000 },
    { "core.handover-timeout", NULL, "10s", "longest search for another core for a document whose core is gone; then its client is closed with 1012",
      UM_CONF_DURATION_MS, 0, AT(handover_timeout_ms), .min = 500, .max = 600000 },
    { "gui.max-tunnels", NULL, "10000", "open WebSockets per reactor; further ones get 503",
      UM_CONF_INT, 0, AT(max_tunnels), .min = 1, .max = 1000000 },
};
const struct um_conf_table um_tunnels_conf_table = UM_CONF_TABLE("WebSocket tunnels", tunnel_keys);
