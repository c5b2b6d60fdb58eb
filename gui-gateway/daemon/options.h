/* The gateway's configuration: every module's rows in one list, read and checked. */
#ifndef GATEWAY_OPTIONS_H
#define GATEWAY_OPTIONS_H
#include <site.h>
#include <umbel/log.h>

enum { UM_DETAILS_NEVER, UM_DETAILS_WHEN_AUTHORIZED, UM_DETAILS_ALWAYS };

struct um_gateway_conf {                  /* the daemon's own rows */
    int64_t port;
    int64_t reactors;
    const char *data_dir, *web_dir;
    struct um_conf_list trusted_proxies;
    int64_t drain_delay_ms, shutdown_ms;
    int health_details;
    const char *log_file;
    int log_format;
};

struct options {
    struct um_conf *conf;
    struct um_gateway_conf gateway;
    struct um_http_conf http;
    struct um_token_conf token;
    struct um_sessions_conf sessions;
    struct um_throttle_conf throttle;
    struct um_auth_conf auth;
    struct um_upstream_conf upstream;
    struct um_tunnels_conf tunnels;
    struct um_site_conf site;
    struct um_token_ring ring;
    struct um_trusted *trusted;
    char random_key[41];                  /* when token.key is empty */
    char *web_dir;
};

/* Reads and checks. 0: go on; otherwise *EXIT_STATUS is the process': --help, --version and --print-config have been done,
 * or what is wrong has been said on standard error. */
bool options_read(struct options *o, int argc, char **argv, char **env, int *exit_status);
void options_free(struct options *o);
void options_apply_log(const struct options *o);

#endif
