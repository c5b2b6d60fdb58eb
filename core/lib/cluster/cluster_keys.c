/* The keys of membership. */
#include <umbel/cluster.h>

#define AT(f) .at = offsetof(struct um_cluster_conf, f)
static const struct um_conf_key keys[] = {
    { "cluster.id", NULL, "", "name of this process among all cores and gateways, its own; empty: role, host and port, such as core-web1-8081",
      UM_CONF_STR, 0, AT(id), .max = UM_MEMBER_TEXT_MAX },
    { "cluster.address", NULL, "", "host:port where the others reach this process; empty: server.address and server.port, "
      "with the host's name for an address that means all", UM_CONF_STR, 0, AT(address), .max = UM_MEMBER_TEXT_MAX },
};
const struct um_conf_table um_cluster_conf_table = UM_CONF_TABLE("Cluster", keys);
