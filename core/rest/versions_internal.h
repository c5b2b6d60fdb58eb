/* What the handlers of versions share. */
#ifndef REST_VERSIONS_INTERNAL_H
#define REST_VERSIONS_INTERNAL_H
#include "internal.h"

json_t *version_json(const struct um_store_version *v);
void reply_version_error(struct um_http_req *rq, um_err err);

/* version_content.c: states as HTML, Markdown, text, JSON or update. */
struct content_format {
    const char *name, *type;
    um_err (*read)(const struct um_crdt *doc, struct um_span root, struct um_buf *out);      /* NULL: the state as it is */
    const char *empty;
};
const struct content_format *content_format(const char *name);          /* one that the rows let through */
/* Appends to OUT. ROOT NULL: Tiptap's, which need not be there. UM_ENOTFOUND: no such root; UM_EINVAL: it cannot be shown so. Any thread. */
um_err content_render(const struct content_format *f, const char *root, const struct um_bytes *state, struct um_buf *out);
void content_headers(struct um_http_req *rq, const struct content_format *f, const char *file);      /* FILE: the name under which bytes are kept */

/* present.c: the state that a document has now. CB runs once, on L. */

/* STATE covers the store's log up to SEQ and is borrowed. UM_ENOTFOUND, UM_EUNAVAIL. */
typedef void present_cb(void *arg, um_err err, struct um_bytes *state, uint64_t seq);
void present_take(struct um_rest *r, struct um_loop *l, const char *document, present_cb *cb, void *arg);

/* Keeps it as a version. REPLACE: a version that has a label gets the new one; else it goes on with its own. */
struct present_order { const char *document, *label, *user; bool replace; };     /* copied */
typedef void present_kept_cb(void *arg, um_err err, const struct um_store_version *v);
void present_keep(struct um_rest *r, struct um_loop *l, const struct present_order *order, present_kept_cb *cb, void *arg);

/* version_task.c: a request that holds whole states in memory and computes on a worker. Few at a time. */
struct task {
    struct um_work work;
    struct um_rest *rest;
    struct um_loop *loop;
    struct later *later;
    char *document;
    uint64_t seq;
    int64_t at_ms;                       /* of version SEQ, when it has been read; */
    struct um_bytes *state;              /* its bytes */
    void (*go)(struct task *t);          /* when it has */
    void (*end)(struct task *t);         /* frees what the handler put behind the task; may be NULL */
};
/* One of the few places, for a request that has no task; false: replied. */
bool task_enter(struct um_http_req *rq, struct um_rest *r);
void task_leave(struct um_rest *r);
/* SIZE: of the struct that begins with the task. NULL: replied. */
void *task_new(struct um_http_req *rq, struct um_rest *r, size_t size, void (*end)(struct task *t));
void task_read(struct task *t, void (*go)(struct task *t));          /* reads version SEQ */
void task_compute(struct task *t, void (*fn)(struct um_work *w), void (*done)(struct um_work *w));
struct um_http_req *task_finish(struct task *t);                     /* the request or NULL; the task is freed */
void task_fail(struct task *t, um_err err);                          /* replies and frees */

#endif
