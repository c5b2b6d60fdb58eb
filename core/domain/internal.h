/* The one object of the process, for the files that keep something in it. */
#ifndef DOMAIN_INTERNAL_H
#define DOMAIN_INTERNAL_H
#include <pthread.h>
#include <umbel/domain.h>
#include <umbel/list.h>

struct models;

struct um_domain {
    struct um_store *store;
    struct um_domain_conf conf;
    struct models *models;
    uint32_t facts[4];                       /* of each category: the actions that are told, a bit each (facts.h) */
    pthread_mutex_t lock;                    /* of ASKED */
    struct um_list asked;                    /* calls that have not been answered */
    um_domain_change_fn *on_change;
    void *on_change_arg;
};

#endif
