/* The cores behind this gateway, and libcurl's multi interface on the loop of one reactor. */
#ifndef PROXY_UPSTREAM_H
#define PROXY_UPSTREAM_H
#include <proxy/cores.h>
#include <umbel/conf.h>
#include <umbel/loop.h>

struct um_upstream_conf {
    struct um_conf_list nodes;            /* base URLs: http://host:port; may be empty when a cluster tells */
    int64_t connect_timeout_ms;
    int64_t timeout_ms;                   /* silence of the core that we bear with */
    int64_t max_connections;              /* per reactor, to one core, for requests */
    int64_t check_interval_ms;            /* 0: no checks */
    const char *check_path;
};
extern const struct um_conf_table um_upstream_conf_table;

struct um_upstream;

/* Once per process, before threads: libcurl and this module's counters. */
um_err um_upstream_start(void) UM_CHECK_RESULT;
/* The first node that is no plain http://host[:port], or NULL. */
const char *um_upstream_bad_node(const struct um_conf_list *nodes);

/* CLUSTER says which cores there are; NULL: the static list. Both are borrowed for the life of the upstream. */
um_err um_upstream_new(struct um_upstream **out, struct um_loop *l, const struct um_upstream_conf *cf,
                       struct um_cluster *cluster) UM_CHECK_RESULT;
/* Ends what still runs: exchanges with UM_ECLOSED, dials without a word. NULL is fine. */
void um_upstream_free(struct um_upstream *up);
struct um_loop *um_upstream_loop(const struct um_upstream *up);
const struct um_upstream_conf *um_upstream_conf(const struct um_upstream *up);
struct um_cores *um_upstream_cores(const struct um_upstream *up);

#endif
