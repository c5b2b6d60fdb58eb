/* libcurl on our loop: curl tells which sockets and which timer it wants, the loop tells it what happened, and what has
 * ended is collected after each such step.
 *
 * A watched socket is freed at the end of the turn, since the loop may be in the middle of its callback. */
#include "upstream_int.h"

#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/metrics.h>

enum { POOL_IDLE_MAX = 64, POOL_AGE_MAX_S = 30 };  /* less than the 60 s after which the core closes an idle connection */

enum { M_TRANSFERS, M_FAILED, M_RETRIES };
static struct um_metric metrics[] = {
    [M_TRANSFERS] = { "gateway.upstream.transfers", "transfers", "requests and connections to a core that are under way", UM_GAUGE, 0 },
    [M_FAILED]    = { "gateway.upstream.failed", "transfers", "requests and connections to a core that failed", UM_COUNTER, 0 },
    [M_RETRIES]   = { "gateway.upstream.retries", "transfers", "requests and WebSockets that were tried at another core", UM_COUNTER, 0 },
};

struct watched {                          /* a socket of curl's */
    struct um_list link;                  /* in `sockets` or `dead` */
    struct um_upstream *up;
    struct um_io io;
};

struct um_upstream {
    struct um_loop *loop;
    struct um_upstream_conf cf;
    CURLM *multi;
    struct um_timer timer;
    struct um_list jobs, sockets, dead;
    struct um_defer reap;
    struct um_cores *cores;
};

um_err um_upstream_start(void)
{
    um_metrics_register(metrics, UM_COUNT(metrics));
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? UM_OK : UM_ENOMEM;
}

const char *um_upstream_bad_node(const struct um_conf_list *nodes)
{
    for (size_t i = 0; i < nodes->n; i++)
        if (!um_core_is_node(nodes->items[i]))
            return nodes->items[i];
    return NULL;
}

/* ---- what curl wants of the loop ---- */

static void collect_done(struct um_upstream *up)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(up->multi, &left)) != NULL) {
        struct upstream_job *job = NULL;
        CURLcode code = msg->data.result;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&job);
        if (code != CURLE_OK)
            um_count(&metrics[M_FAILED], 1);
        job->done(job, code);
    }
}

static void step(struct um_upstream *up, curl_socket_t fd, int events)
{
    int running;

    curl_multi_socket_action(up->multi, fd, events, &running);
    collect_done(up);
}

static void socket_ready(void *arg, unsigned events)
{
    struct watched *w = arg;
    int mask = 0;

    if (events & UM_READ)
        mask |= CURL_CSELECT_IN;
    if (events & UM_WRITE)
        mask |= CURL_CSELECT_OUT;
    if (events & UM_HUP)
        mask |= CURL_CSELECT_ERR;
    step(w->up, w->io.fd, mask);
}

static void timer_due(void *arg)
{
    step(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void free_dead(void *arg)
{
    struct um_upstream *up = arg;

    UM_LIST_EACH_SAFE(it, &up->dead) {
        um_list_remove(it);
        free(UM_CONTAINER(it, struct watched, link));
    }
}

static void unwatch(struct watched *w)
{
    struct um_upstream *up = w->up;

    um_io_stop(up->loop, &w->io);
    um_list_remove(&w->link);
    um_list_append(&up->dead, &w->link);
    um_loop_defer(up->loop, UM_PHASE_REAP, &up->reap);
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
    struct um_upstream *up = arg;
    struct watched *w = mine;
    unsigned events = (what & CURL_POLL_IN ? UM_READ : 0) | (what & CURL_POLL_OUT ? UM_WRITE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            unwatch(w);
        return 0;
    }
    if (w != NULL) {
        um_io_want(up->loop, &w->io, events);
        return 0;
    }
    w = um_xcalloc(1, sizeof(*w));
    w->up = up;
    um_list_append(&up->sockets, &w->link);
    if (um_io_start(up->loop, &w->io, fd, events, socket_ready, w) != UM_OK) {
        um_list_remove(&w->link);
        free(w);
        return -1;
    }
    curl_multi_assign(up->multi, fd, w);
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
    struct um_upstream *up = arg;

    (void)multi;
    if (ms < 0)
        um_timer_stop(up->loop, &up->timer);
    else
        um_timer_set(up->loop, &up->timer, ms, timer_due, up);
    return 0;
}

/* ---- jobs ---- */

struct um_core *upstream_next(struct um_upstream *up, struct um_tries *tries, struct um_span key)
{
    struct um_core *core = um_cores_next(up->cores, tries, key, um_loop_now_ms(up->loop));

    if (core != NULL && tries->n > 1)
        um_count(&metrics[M_RETRIES], 1);
    return core;
}

static bool set_defaults(struct um_upstream *up, CURL *easy, const char *url)
{
    const struct um_upstream_conf *cf = &up->cf;

    return curl_easy_setopt(easy, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&          /* nor any that the environment names */
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)cf->connect_timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)POOL_AGE_MAX_S) == CURLE_OK;
}

CURL *upstream_handle(struct um_upstream *up, const struct um_core *core, const char *target)
{
    CURL *easy = curl_easy_init();
    char *url = um_xasprintf("%s%s", um_core_node(core), target);

    if (easy != NULL && !set_defaults(up, easy, url)) {
        curl_easy_cleanup(easy);
        easy = NULL;
    }
    free(url);
    return easy;
}

void upstream_add_idle(struct um_upstream *up, struct upstream_job *job)
{
    job->up = up;
    um_list_append(&up->jobs, &job->link);
    um_count(&metrics[M_TRANSFERS], 1);
}

um_err upstream_add(struct um_upstream *up, struct upstream_job *job)
{
    if (curl_easy_setopt(job->easy, CURLOPT_PRIVATE, (char *)job) != CURLE_OK ||
        curl_multi_add_handle(up->multi, job->easy) != CURLM_OK)
        return UM_ENOMEM;
    upstream_add_idle(up, job);
    return UM_OK;
}

void upstream_drop(struct upstream_job *job)
{
    if (job->easy != NULL) {
        curl_multi_remove_handle(job->up->multi, job->easy);
        curl_easy_cleanup(job->easy);
        job->easy = NULL;
    }
    um_list_remove(&job->link);
    um_count(&metrics[M_TRANSFERS], -1);
}

/* ---- life ---- */

static struct um_members *members_of(void *cluster) { return um_cluster_members(cluster); }

um_err um_upstream_new(struct um_upstream **out, struct um_loop *l, const struct um_upstream_conf *cf, struct um_cluster *cluster)
{
    struct um_upstream *up = calloc(1, sizeof(*up));

    *out = NULL;
    if (up == NULL)
        return UM_ENOMEM;
    up->loop = l;
    up->cf = *cf;
    up->cores = um_cores_new(&cf->nodes, cluster != NULL ? members_of : NULL, cluster);
    um_list_init(&up->jobs);
    um_list_init(&up->sockets);
    um_list_init(&up->dead);
    um_defer_init(&up->reap, free_dead, up);
    if ((up->multi = curl_multi_init()) == NULL) {
        um_cores_free(up->cores);
        free(up);
        return UM_ENOMEM;
    }
    curl_multi_setopt(up->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    curl_multi_setopt(up->multi, CURLMOPT_SOCKETDATA, up);
    curl_multi_setopt(up->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    curl_multi_setopt(up->multi, CURLMOPT_TIMERDATA, up);
    curl_multi_setopt(up->multi, CURLMOPT_MAXCONNECTS, (long)POOL_IDLE_MAX);
    curl_multi_setopt(up->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)cf->max_connections);
    *out = up;
    return UM_OK;
}

void um_upstream_free(struct um_upstream *up)
{
    if (up == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &up->jobs) {
        struct upstream_job *job = UM_CONTAINER(it, struct upstream_job, link);
        job->abandon(job);
    }
    curl_multi_cleanup(up->multi);
    UM_LIST_EACH_SAFE(it, &up->sockets)
        unwatch(UM_CONTAINER(it, struct watched, link));
    um_timer_stop(up->loop, &up->timer);
    um_defer_cancel(&up->reap);
    free_dead(up);
    um_cores_free(up->cores);
    free(up);
}

struct um_loop *um_upstream_loop(const struct um_upstream *up) { return up->loop; }
const struct um_upstream_conf *um_upstream_conf(const struct um_upstream *up) { return &up->cf; }
struct um_cores *um_upstream_cores(const struct um_upstream *up) { return up->cores; }
