/* The keys of the HTTP server. server.port is each daemon's own: its default differs. */
#include <umbel/conf.h>
#include <umbel/http.h>

#define AT(f) .at = offsetof(struct um_http_conf, f)
#define KB 1024LL
#define MB (1024 * KB)

static const struct um_conf_key keys[] = {
    { "server.address", NULL, "127.0.0.1", "address to listen on; * for all of them",
      UM_CONF_STR, 0, AT(address), .max = 255 },
    { "server.max-http-request-header-size", "server.max-http-header-size", "16KB",
      "request line and headers of a request; beyond it 414 or 431",
      UM_CONF_SIZE, 0, AT(max_header_bytes), .min = KB, .max = MB },
    { "server.http.max-headers", NULL, "100", "header fields of a request; beyond it 431",
      UM_CONF_INT, 0, AT(max_headers), .min = 10, .max = 1000 },
    { "server.http.max-query-parameters", NULL, "1000", "query parameters of a request; beyond it 400",
      UM_CONF_INT, 0, AT(max_query), .min = 1, .max = 100000 },
    { "server.http.max-body", NULL, "8MB", "body of a request, unless its route says otherwise; beyond it 413",
      UM_CONF_SIZE, 0, AT(max_body), .min = KB, .max = 1024 * MB },
    { "server.http.header-timeout", "server.connection-timeout", "10s",
      "longest time for the headers of a request, however they trickle; also the window of the least rate",
      UM_CONF_DURATION_MS, 0, AT(header_timeout_ms), .min = 50, .max = 600000 },
    { "server.http.min-rate", NULL, "1KB", "least bytes per second of a body; a slower client is cut",
      UM_CONF_SIZE, 0, AT(min_rate_bytes), .min = 0, .max = MB },
    { "server.http.keep-alive", "server.tomcat.keep-alive-timeout", "60s",
      "an idle connection, or one that takes nothing of its reply, is closed after this time",
      UM_CONF_DURATION_MS, 0, AT(keep_alive_ms), .min = 1000, .max = 3600000 },
    { "server.max-connections", "server.tomcat.max-connections", "10000",
      "HTTP connections per reactor; more are answered with 503. WebSockets are not counted",
      UM_CONF_INT, 0, AT(max_connections), .min = 1, .max = 1000000 },
    { "server.http.max-per-address", NULL, "500",
      "HTTP connections per reactor from one address; more are closed. 0: no limit, as behind a proxy",
      UM_CONF_INT, 0, AT(max_per_address), .min = 0, .max = 1000000 },
    { "server.http.deadline", NULL, "30s", "longest time until a request is answered; then 503",
      UM_CONF_DURATION_MS, 0, AT(deadline_ms), .min = 50, .max = 3600000 },
    { "json.max-depth", NULL, "64", "nesting of a JSON body; beyond it 400",
      UM_CONF_INT, 0, AT(json_max_depth), .min = 1, .max = 256 },
    { "json.max-array", NULL, "100000", "elements of one array or object of a JSON body; beyond it 400",
      UM_CONF_INT, 0, AT(json_max_array), .min = 1, .max = 10000000 },
    { "json.max-string", NULL, "8MB", "one string of a JSON body; beyond it 400",
      UM_CONF_SIZE, 0, AT(json_max_string), .min = KB, .max = 1024 * MB },
};
const struct um_conf_table um_http_conf_table = UM_CONF_TABLE("HTTP server", keys);
