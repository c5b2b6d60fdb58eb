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
/* A handle with our defaults, for TARGET at the core that is chosen; NULL when out of memory. */
CURL *upstream_handle(struct um_upstream *up, const char *target);
const char *upstream_node(const struct um_upstream *up);        /* "http://host:port" */
um_err upstream_add(struct um_upstream *up, struct upstream_job *job) UM_CHECK_RESULT;
void upstream_drop(struct upstream_job *job);       /* out of the multi, handle freed; never inside a callback of curl */
void upstream_note(struct um_upstream *up, bool reached);

#endif
