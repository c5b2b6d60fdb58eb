/* A document to read: rendered on a worker, and HTML sent so that it can do nothing. GET …/versions/{seq}/content is a version's. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_export.h>
#include <umbel/crdt_inspect.h>
#include "versions_internal.h"

#define ROOT_DEFAULT "default"           /* of Tiptap */

static um_err read_json(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    return um_crdt_read_json(doc, root, UM_CRDT_PLAIN, out);
}

static const struct content_format formats[] = {
    { "html",     "text/html; charset=utf-8",     um_crdt_read_html,     "" },
    { "markdown", "text/markdown; charset=utf-8", um_crdt_read_markdown, "" },
    { "text",     "text/plain; charset=utf-8",    um_crdt_read_plain,    "" },
    { "json",     "application/json",             read_json,             "null" },
    { "update",   "application/octet-stream",     NULL,                  "" },
};

const struct content_format *content_format(const char *name)
{
    for (size_t i = 0; i < UM_COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    UM_ASSERT(false && "the row lets no other through");
    return NULL;
}

/* ---- rendering: on a worker ---- */

static um_err render(const struct content_format *f, const char *root, struct um_crdt *crdt, struct um_buf *out)
{
    struct um_span name = UM_SPAN_STR(root != NULL ? root : ROOT_DEFAULT);
    enum um_crdt_kind kind;
    um_err err = um_crdt_guess_root(crdt, name, &kind);

    if (err == UM_OK)
        err = um_crdt_declare_root(crdt, name, kind);
    if (err == UM_OK)
        err = f->read(crdt, name, out);
    if (err == UM_ENOTFOUND && root == NULL) {           /* nobody has written yet */
        um_buf_clear(out);
        um_buf_puts(out, f->empty);
        err = UM_OK;
    }
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

um_err content_render(const struct content_format *f, const char *root, const struct um_bytes *state, struct um_buf *out)
{
    struct um_crdt *crdt;
    um_err err = um_crdt_new(NULL, &crdt);

    if (err != UM_OK)
        return err;
    err = um_crdt_load(crdt, um_bytes_span(state), NULL);
    err = err == UM_OK ? render(f, root, crdt, out) : err == UM_EPROTO ? UM_ECORRUPT : err;
    um_crdt_free(crdt);
    return err;
}

void content_headers(struct um_http_req *rq, const struct content_format *f, const char *file)
{
    char *disposition;

    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_add_header(rq, "X-Content-Type-Options", "nosniff");
    um_http_add_header(rq, "Content-Security-Policy", "sandbox; default-src 'none'; img-src data:; frame-ancestors 'none'");
    if (f->read != NULL)
        return;
    disposition = um_xasprintf("attachment; filename=\"%s\"", file);
    um_http_add_header(rq, "Content-Disposition", disposition);
    free(disposition);
}

/* ---- a version's ---- */

struct content {
    struct task task;
    const struct content_format *format;
    char *root;                          /* NULL: the default one, which need not be there */
    struct um_buf out;
    um_err err;
};

static void end(struct task *t)
{
    struct content *c = UM_CONTAINER(t, struct content, task);

    um_buf_free(&c->out);
    free(c->root);
}

static void compute(struct um_work *w)
{
    struct content *c = UM_CONTAINER(w, struct content, task.work);

    c->err = content_render(c->format, c->root, c->task.state, &c->out);
}

static void refuse(struct content *c)
{
    um_err err = c->err;
    struct um_http_req *rq;

    if (err != UM_EINVAL && (err != UM_ENOTFOUND || c->root == NULL)) {
        task_fail(&c->task, err);
        return;
    }
    rq = task_finish(&c->task);
    if (rq != NULL && err == UM_ENOTFOUND)
        um_http_reply_error(rq, 404, "U00404", "the version has no such root");
    else if (rq != NULL)
        um_http_reply_error(rq, 422, "U00422", "this root cannot be shown in this format");
}

static void answer(struct um_work *w)
{
    struct content *c = UM_CONTAINER(w, struct content, task.work);
    const struct content_format *f = c->format;
    struct um_buf out = c->out;
    struct um_http_req *rq;

    if (c->err != UM_OK) {
        refuse(c);
        return;
    }
    c->out = (struct um_buf){ 0 };
    rq = task_finish(&c->task);
    if (rq != NULL) {
        content_headers(rq, f, NULL);
        um_http_reply(rq, 200, f->type, UM_SPAN(out.data, out.len));
    }
    um_buf_free(&out);
}

static void have_state(struct task *t)
{
    struct content *c = UM_CONTAINER(t, struct content, task);
    struct um_bytes *state;
    const struct content_format *f = c->format;
    struct um_http_req *rq;

    if (f->read != NULL) {
        task_compute(t, compute, answer);
        return;
    }
    state = um_bytes_ref(t->state);
    rq = task_finish(t);
    if (rq != NULL) {
        content_headers(rq, f, "version.bin");
        um_http_reply_bytes(rq, 200, "application/octet-stream", state);
    }
    um_bytes_unref(state);
}

void versions_content(struct um_http_req *rq, void *ctx)
{
    const struct um_rest *r = ctx;
    const char *root = um_api_text(r->api, rq, "root");
    struct content *c = task_new(rq, ctx, sizeof(*c), end);

    if (c == NULL)
        return;
    c->format = content_format(um_api_text(r->api, rq, "format"));
    c->root = root != NULL ? um_xstrdup(root) : NULL;
    task_read(&c->task, have_state);
}
