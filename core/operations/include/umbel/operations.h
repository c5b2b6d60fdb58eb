/* Who does what is registered for operations (umbel/domain_handlers.h): URLs, shared objects, and the words `log` and `fulltext`. Synchronous ones
 * are asked by the platform, asynchronous ones by the queue (umbel/jobs.h). docs/operations.md is the users' side. */
#ifndef UMBEL_OPERATIONS_H
#define UMBEL_OPERATIONS_H
#include <umbel/token.h>

struct um_content;
struct um_domain;
struct um_jobs;
struct um_jobs_conf;
struct um_loop;
struct um_native;
struct um_operations;
struct um_outgoing;
struct um_reserve;

struct um_operations_env {                   /* all outlive the um_operations */
    struct um_loop *loop;                    /* that of JOBS */
    struct um_domain *domain;
    struct um_content *content;
    struct um_jobs *jobs;
    const struct um_jobs_conf *jobs_conf;
    struct um_outgoing *outgoing;
    struct um_native *native;                /* NULL: operation.handlers.dir is not set */
    const struct um_token_ring *ring;        /* signs what goes with a call */
    struct um_reserve *reserve;
    int64_t reserve_ttl_ms;                  /* of a lease */
};
/* Before threads start: makes its kinds known to DOMAIN and JOBS, and wakes JOBS when DOMAIN has added some. */
struct um_operations *um_operations_new(const struct um_operations_env *env);
void um_operations_free(struct um_operations *o);      /* nothing is asked any more, and the content is freed; NULL is fine */

#endif
