/* The keys of what stands before HTTP: a balancer's head, TLS. */
#include <umbel/conf.h>
#include <umbel/http.h>

#define AT(f) .at = offsetof(struct um_http_front, f)

static const struct um_conf_key keys[] = {
    { "server.proxy-protocol", NULL, "false",
      "every connection begins with the PROXY protocol (1 or 2) and comes from one of server.trusted-proxies; others are closed",
      UM_CONF_BOOL, 0, AT(proxy_protocol) },
    { "server.ssl.enabled", NULL, "false", "TLS ends in this process; without it, at the balancer",
      UM_CONF_BOOL, 0, AT(tls) },
    { "server.ssl.certificate", NULL, "", "PEM file with the certificate and its chain",
      UM_CONF_STR, 0, AT(certificate), .max = 4096 },
    { "server.ssl.certificate-private-key", NULL, "", "PEM file with its key, not encrypted; readable for this process alone",
      UM_CONF_STR, 0, AT(private_key), .max = 4096 },
    { "server.ssl.reload-interval", NULL, "10s", "how often both files are looked at; what is new counts for new connections",
      UM_CONF_DURATION_MS, 0, AT(reload_ms), .min = 100, .max = 86400000 },
    { "server.ssl.ciphers", NULL, "", "ciphers of TLS 1.2 in OpenSSL's notation; empty: OpenSSL's choice",
      UM_CONF_STR, 0, AT(ciphers), .max = 1024 },
};
const struct um_conf_table um_http_front_conf_table = UM_CONF_TABLE("Before HTTP: balancer and TLS", keys);
