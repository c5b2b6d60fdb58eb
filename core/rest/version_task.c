/* Requests that hold whole states of documents. Their number is bounded from the first byte that is read, so that memory
 * and the workers' queue are; the next one hears 503. */
#include <stdlib.h>
#include "versions_internal.h"

bool task_enter(struct um_http_req *rq, struct um_rest *r)
{
    if (atomic_fetch_add(&r->tasks, 1) < REST_TASKS_MAX)
        return true;
    task_leave(r);
    reply_version_error(rq, UM_EBUSY);
    return false;
}

void task_leave(struct um_rest *r) { atomic_fetch_sub(&r->tasks, 1); }

void *task_new(struct um_http_req *rq, struct um_rest *r, size_t size, void (*end)(struct task *t))
{
    struct task *t;

    if (!task_enter(rq, r))
        return NULL;
    t = um_xcalloc(1, size);
    t->rest = r;
    t->loop = um_http_loop(rq);
    t->later = later_new(rq, r, NULL);
    t->document = um_xstrdup(um_http_param(rq, "name"));
    t->seq = (uint64_t)um_api_int(r->api, rq, "seq");
    t->end = end;
    return t;
}

static void have(void *arg, um_err err, const struct um_store_version *v, struct um_bytes *state)
{
    struct task *t = arg;

    if (err != UM_OK) {
        task_fail(t, err);
        return;
    }
    t->at_ms = v->at_ms;
    t->state = um_bytes_ref(state);
    t->go(t);
}

void task_read(struct task *t, void (*go)(struct task *t))
{
    t->go = go;
    um_versions_read(t->rest->deps.versions, t->loop, t->document, t->seq, REST_STATE_MAX, have, t);
}

void task_compute(struct task *t, void (*fn)(struct um_work *w), void (*done)(struct um_work *w))
{
    t->work = (struct um_work){ .loop = t->loop, .fn = fn, .done = done };
    if (um_work_submit(t->rest->readers, &t->work) != UM_OK)
        task_fail(t, UM_EBUSY);
}

struct um_http_req *task_finish(struct task *t)
{
    struct um_http_req *rq = later_take(t->later);

    task_leave(t->rest);
    if (t->end != NULL)
        t->end(t);
    um_bytes_unref(t->state);
    free(t->document);
    free(t);
    return rq;
}

void task_fail(struct task *t, um_err err)
{
    struct um_http_req *rq = task_finish(t);

    if (rq != NULL)
        reply_version_error(rq, err);
}
