/* Whose turn it is at a library, and when it gets a process. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "native_int.h"

enum { BACKOFF_MS = 100, BACKOFF_MAX_MS = 30000 };

struct library *library_of(struct um_native *n, const char *name)
{
    struct library *l = um_map_get(&n->libraries, UM_SPAN_STR(name));

    if (l != NULL || n->n_libraries == UM_NATIVE_LIBRARIES_MAX)
        return l;
    l = um_xcalloc(1, sizeof(*l));
    l->n = n;
    snprintf(l->name, sizeof(l->name), "%s", name);
    um_list_init(&l->waiting);
    um_list_init(&l->jobs);
    um_map_put(&n->libraries, UM_SPAN_STR(name), l);
    n->n_libraries++;
    return l;
}

static struct call *first_of(const struct um_list *calls)
{
    return um_list_is_empty(calls) ? NULL : UM_CONTAINER(calls->next, struct call, link);
}

static struct call *head_of(const struct library *l)
{
    struct call *c = first_of(&l->waiting);

    return c != NULL ? c : first_of(&l->jobs);
}

static void fail_all(struct library *l, const char *code, const char *message)
{
    struct call *c;

    while ((c = head_of(l)) != NULL)
        native_call_fail(c, code, message);
}

/* Loading has its own end: then all have their turn, or all fail for what it came to. */
static bool is_loading(const struct library *l) { return l->worker != NULL && l->worker->state == WORKER_LOADING; }

/* They came in order, and all may wait as long. A job may wait for ever: its lease is renewed, and to fail would cost an attempt. */
static void expire(struct library *l, int64_t now_ms)
{
    struct call *c;

    while ((c = first_of(&l->waiting)) != NULL && c->wait_until_ms <= now_ms) {
        count(M_REFUSED, 1);
        native_call_fail(c, UM_NATIVE_BUSY, "the handler's turn did not come in time");
    }
}

static void cannot(struct library *l, const char *why)
{
    char message[UM_NATIVE_MESSAGE_MAX];

    count(M_UNLOADABLE, 1);
    um_log_limited(UM_WARN, "handler", "a library cannot be loaded", UM_S("library", l->name), UM_S("why", why));
    snprintf(message, sizeof(message), "the handler %s failed: %s", l->name, why);
    fail_all(l, UM_NATIVE_UNLOADABLE, message);
}

/* Another file deserves another chance. */
static void look_at_file(struct library *l, const struct file_id *id)
{
    if (l->knows_file && file_same(&l->file, id))
        return;
    l->file = *id;
    l->knows_file = true;
    l->failures = 0;
    l->retry_at_ms = 0;
    l->broken[0] = '\0';
}

static void start(struct library *l, int64_t now_ms)
{
    char why[UM_NATIVE_WHY_MAX];
    struct file_id id;
    int fd = file_open(l->n->dir, l->name, &id, why);

    if (fd < 0) {
        cannot(l, why);
        return;
    }
    look_at_file(l, &id);
    if (now_ms >= l->retry_at_ms) {
        l->worker = worker_start(l, fd);
        if (l->worker == NULL)
            cannot(l, "no process can be started");
    } else if (l->broken[0] != '\0') {
        fail_all(l, UM_NATIVE_UNLOADABLE, l->broken);
    }
    close(fd);
}

/* Is what the worker has loaded what is there now? Else it ends. */
static bool is_fresh(struct library *l)
{
    char why[UM_NATIVE_WHY_MAX];
    struct file_id id;
    int fd = file_open(l->n->dir, l->name, &id, why);
    bool same = fd >= 0 && file_same(&l->file, &id);

    if (fd >= 0)
        close(fd);
    if (!same)
        worker_retire(l->worker);
    return same;
}

static void on_look(void *arg) { library_step(arg); }

static void set_timer(struct library *l, int64_t now_ms)
{
    const struct call *c = first_of(&l->waiting);
    int64_t at_ms = c != NULL && !is_loading(l) ? c->wait_until_ms : INT64_MAX;

    if (head_of(l) != NULL && l->worker == NULL)
        at_ms = UM_MIN(at_ms, l->retry_at_ms);
    if (at_ms == INT64_MAX)
        um_timer_stop(l->n->loop, &l->look);
    else
        um_timer_set(l->n->loop, &l->look, at_ms - now_ms, on_look, l);
}

void library_step(struct library *l)
{
    int64_t now_ms = um_loop_now_ms(l->n->loop);

    if (l->n->closing)
        return;
    if (head_of(l) != NULL && l->worker != NULL && l->worker->state == WORKER_READY && is_fresh(l))
        worker_give(l->worker, head_of(l));
    if (head_of(l) != NULL && l->worker == NULL)
        start(l, now_ms);
    if (!is_loading(l))
        expire(l, now_ms);
    set_timer(l, now_ms);
}

void library_ask(struct library *l, struct call *c)
{
    um_list_append(c->is_job ? &l->jobs : &l->waiting, &c->link);
    library_step(l);
}

void library_failed(struct library *l, bool loading, const char *why)
{
    int64_t wait_ms = UM_MIN((int64_t)BACKOFF_MS << UM_MIN(l->failures, 10), BACKOFF_MAX_MS);

    l->worker = NULL;
    l->retry_at_ms = um_loop_now_ms(l->n->loop) + (l->failures > 0 || loading ? wait_ms : 0);
    l->failures++;
    snprintf(l->broken, sizeof(l->broken), "%s", loading ? why : "");
    if (loading)
        fail_all(l, UM_NATIVE_UNLOADABLE, why);
    library_step(l);
}

void library_close(struct library *l)
{
    fail_all(l, UM_NATIVE_ENDED, "the core ends");
    um_timer_stop(l->n->loop, &l->look);
    if (l->worker == NULL)
        return;
    if (l->worker->state == WORKER_BUSY)
        worker_kill(l->worker, UM_NATIVE_ENDED, "the core ends");
    else if (l->worker->state != WORKER_DYING)
        worker_retire(l->worker);
}
