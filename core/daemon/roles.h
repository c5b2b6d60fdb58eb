/* core.roles: what this core does for the cluster. */
#ifndef DAEMON_ROLES_H
#define DAEMON_ROLES_H
#include <umbel/conf.h>

struct roles {
    bool rest;                               /* the platform's calls; the actuator is always there */
    bool collab;                             /* collaboration's sockets */
    bool worker;                             /* asynchronous operations; with streams: folding (docs/admin/cluster.md) */
    char text[32];                           /* as other members are told: "rest,collab,worker" */
};
/* False: a word is none of ours, or there is none; WHY is a sentence. */
bool roles_read(struct roles *out, const struct um_conf_list *words, char why[256]);

#endif
