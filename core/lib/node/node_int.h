/* What the files of this module share. */
#ifndef NODE_INT_H
#define NODE_INT_H
#include <stdatomic.h>
#include <umbel/ask.h>
#include <umbel/check.h>
#include <umbel/node.h>

enum { NODE_HOST_MAX = 200, NODE_PARTS_MAX = 8 };

struct um_node {
    struct um_node_setup setup;
    struct um_redis *redis;                   /* NULL: alone */
    struct um_cluster *cluster;
    struct um_ask *ask;
    struct { um_check_part *fn; void *arg; } parts[NODE_PARTS_MAX];
    size_t n_parts;
    char host[NODE_HOST_MAX + 1];             /* this machine's own name */
    _Atomic bool ending, refused, left;
    bool is_draining;                         /* by an administrator's word */
};

void check_serve(struct um_node *n);
void answers_serve(struct um_node *n);

#endif
