/* Between upstream.c and the kinds of transfer that run on it. */
#ifndef PROXY_UPSTREAM_INT_H
#define PROXY_UPSTREAM_INT_H
#include <curl/curl.h>
#include <proxy/upstream.h>

/* A transfer. DONE runs once, on the loop, with the handle still in the multi; it calls upstream_drop. */
struct upstream_job {
    struct um_list link;
    struct um_upstream *up;
    CURL *easy;
    void (*done)(struct upstream_job *job, CURLcode code);
    void (*abandon)(struct upstream_job *job);      /* the upstream is being freed: free the job too, tell nobody */
};
/* A handle with our defaults, for TARGET at CORE; NULL when out of memory. */
CURL *upstream_handle(struct um_upstream *up, const struct um_core *core, const char *target);
/* The next core for something that belongs to KEY, see um_cores_next; a second and further one is counted as a retry. */
struct um_core *upstream_next(struct um_upstream *up, struct um_tries *tries, struct um_span key);
um_err upstream_add(struct um_upstream *up, struct upstream_job *job) UM_CHECK_RESULT;
void upstream_drop(struct upstream_job *job);       /* out of the multi, handle freed; never inside a callback of curl */
/* For a job that has no core to go to and tells so later. */
void upstream_add_idle(struct um_upstream *up, struct upstream_job *job);

#endif
