/* The one object of the process, for the files that keep something in it. */
#ifndef DOMAIN_INTERNAL_H
#define DOMAIN_INTERNAL_H
#include <pthread.h>
#include <umbel/domain.h>
#include <umbel/list.h>

struct models;
struct um_handler_kind;
struct um_jobs_conf;

enum { DOMAIN_HANDLERS_MAX = 32 };           /* kinds of them */

struct um_domain {
    struct um_store *store;
    struct um_domain_conf conf;
    struct models *models;
    uint32_t facts[4];                       /* of each category: the actions that are told, a bit each (facts.h) */
    pthread_mutex_t lock;                    /* of ASKED */
    struct um_list asked;                    /* calls that have not been answered */
    um_domain_change_fn *on_change;
    void *on_change_arg;
    const struct um_handler_kind *handlers[DOMAIN_HANDLERS_MAX];
    size_t n_handlers;
    void (*on_jobs)(void *arg, const char *const *ids, size_t n);
    void *on_jobs_arg;
    const struct um_jobs_conf *jobs;
    struct um_content *content;              /* NULL: all files lie in the database */
};

#endif
