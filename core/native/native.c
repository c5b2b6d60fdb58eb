/* The thread, and the face for any thread. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/util.h>
#include "native_int.h"

enum { CLOSE_MS = 8000 };                    /* longer than any state of a worker that is to end */

/* ---- the thread's ---- */

static void on_asked(struct um_msg *m)
{
    struct call *c = UM_CONTAINER(m, struct call, msg);
    struct library *l = c->n->closing ? NULL : library_of(c->n, c->library);

    if (l != NULL)
        library_ask(l, c);
    else
        native_call_fail(c, UM_NATIVE_BUSY, c->n->closing ? "the core ends" : "there are too many libraries");
}

static void *run(void *arg)
{
    struct um_native *n = arg;

    pthread_setname_np(pthread_self(), "handlers");
    um_loop_run(n->loop);
    return NULL;
}

void native_maybe_closed(struct um_native *n)
{
    if (n->closing && um_list_is_empty(&n->workers))
        um_loop_stop(n->loop);
}

static void give_up(void *arg)
{
    struct um_native *n = arg;

    um_loop_stop(n->loop);
}

static void close_all(void *arg)
{
    struct um_native *n = arg;
    size_t pos = 0;
    struct um_span name;
    void *l;

    n->closing = true;
    while (um_map_next(&n->libraries, &pos, &name, &l))
        library_close(l);
    um_timer_set(n->loop, &n->closed, CLOSE_MS, give_up, n);
    native_maybe_closed(n);
}

/* ---- for any thread ---- */

/* Counted before it is judged: what many threads ask at once stays within the bounds. */
static bool reserve(struct call *c)
{
    struct um_native *n = c->n;
    int64_t waiting = atomic_fetch_add(&n->n_waiting, 1) + 1;
    int64_t bytes = atomic_fetch_add(&n->waiting_bytes, (int64_t)c->frame_len) + (int64_t)c->frame_len;

    count(M_WAITING, 1);
    return waiting <= n->cf.max_waiting && (bytes <= n->cf.max_waiting_bytes || waiting == 1);
}

void um_native_ask(struct um_native *n, struct um_loop *l, const struct um_native_call *asked, um_native_cb *cb, void *arg)
{
    struct call *c = native_call_new(n, asked);
    char why[UM_NATIVE_WHY_MAX];

    c->loop = l;
    c->cb = cb;
    c->arg = arg;
    if (!reserve(c)) {
        count(M_REFUSED, 1);
        native_call_fail(c, UM_NATIVE_BUSY, "too many calls of handlers wait");
    } else if (c->frame == NULL) {
        native_call_fail(c, UM_NATIVE_BUSY, "what is to be told is too large");
    } else if (!um_native_is_name(asked->library, why)) {
        native_call_fail(c, UM_NATIVE_UNLOADABLE, why);
    } else if (atomic_load(&n->stopped)) {
        native_call_fail(c, UM_NATIVE_ENDED, "the core ends");
    } else {
        um_loop_post(n->loop, &c->msg, on_asked);
    }
}

/* ---- life ---- */

/* Of the new processes' point of view, which is "/". NULL: it is not there. */
static char *program_of(const char *configured)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (*configured != '\0')
        return realpath(configured, NULL);
    path[n > 0 ? n : 0] = '\0';
    slash = strrchr(path, '/');
    return um_xasprintf("%.*s/umbel-handler", slash != NULL ? (int)(slash - path) : 0, path);
}

static bool start_thread(struct um_native *n)
{
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    started = pthread_create(&n->thread, NULL, run, n) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void free_parts(struct um_native *n)
{
    size_t pos = 0;
    struct um_span name;
    void *l;

    um_loop_free(n->loop);
    while (um_map_next(&n->libraries, &pos, &name, &l))
        free(l);
    um_map_free(&n->libraries);
    free(n->dir);
    free(n->program);
    free(n);
}

um_err um_native_new(struct um_native **out, const struct um_native_conf *cf, char why[UM_NATIVE_WHY_MAX])
{
    struct um_native *n = um_xcalloc(1, sizeof(*n));
    bool usable = false;

    *out = NULL;
    um_metrics_register(native_metrics, UM_COUNT(native_metrics));
    n->cf = *cf;
    n->cf.dir = n->cf.program = NULL;
    n->dir = realpath(cf->dir, NULL);
    n->program = program_of(cf->program);
    n->loop = um_loop_new(0);
    um_list_init(&n->workers);
    if (n->dir == NULL)
        snprintf(why, UM_NATIVE_WHY_MAX, "operation.handlers.dir: %s", strerror(errno));
    else if (n->program == NULL || access(n->program, X_OK) != 0)
        snprintf(why, UM_NATIVE_WHY_MAX, "operation.handlers.program: the program that runs libraries is not there");
    else
        usable = file_check_dir(n->dir, why);
    if (!usable) {
        free_parts(n);
        return UM_EINVAL;
    }
    UM_ASSERT(start_thread(n));
    *out = n;
    return UM_OK;
}

void um_native_stop(struct um_native *n)
{
    if (n == NULL || atomic_exchange(&n->stopped, true))
        return;
    um_loop_call(n->loop, close_all, n);
    pthread_join(n->thread, NULL);
    UM_LIST_EACH_SAFE(it, &n->workers)
        worker_free(UM_CONTAINER(it, struct worker, link));      /* the kernel has not let them go; they are killed */
    um_timer_stop(n->loop, &n->closed);
    um_loop_settle(n->loop);                 /* who has asked at the last moment hears that it is over */
}

void um_native_free(struct um_native *n)
{
    um_native_stop(n);
    if (n != NULL)
        free_parts(n);
}
