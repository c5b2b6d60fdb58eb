/* GET …/versions/{seq}/content: a version to read. Rendered on a worker; HTML comes so that it can do nothing. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_export.h>
#include <umbel/crdt_inspect.h>
#include "versions_internal.h"

#define ROOT_DEFAULT "default"           /* of Tiptap */

typedef um_err read_fn(const struct um_crdt *doc, struct um_span root, struct um_buf *out);

static um_err read_json(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    return um_crdt_read_json(doc, root, UM_CRDT_PLAIN, out);
}

static const struct format { const char *name, *type; read_fn *read; const char *empty; } formats[] = {
    { "html",     "text/html; charset=utf-8",     um_crdt_read_html,     "" },
    { "markdown", "text/markdown; charset=utf-8", um_crdt_read_markdown, "" },
    { "text",     "text/plain; charset=utf-8",    um_crdt_read_plain,    "" },
    { "json",     "application/json",             read_json,             "null" },
    { "update",   "application/octet-stream",     NULL,                  "" },
};

struct content {
    struct task task;
    const struct format *format;
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

static um_err render(struct content *c, struct um_crdt *crdt)
{
    struct um_span root = UM_SPAN_STR(c->root != NULL ? c->root : ROOT_DEFAULT);
    enum um_crdt_kind kind;
    um_err err;

    if ((err = um_crdt_load(crdt, um_bytes_span(c->task.state), NULL)) != UM_OK)
        return err == UM_EPROTO ? UM_ECORRUPT : err;
    err = um_crdt_guess_root(crdt, root, &kind);
    if (err == UM_OK)
        err = um_crdt_declare_root(crdt, root, kind);
    if (err == UM_OK)
        err = c->format->read(crdt, root, &c->out);
    if (err == UM_ENOTFOUND && c->root == NULL) {        /* nobody has written yet */
        um_buf_clear(&c->out);
        um_buf_puts(&c->out, c->format->empty);
        err = UM_OK;
    }
    return err == UM_OK && c->out.failed ? UM_ENOMEM : err;
}

static void compute(struct um_work *w)
{
    struct content *c = UM_CONTAINER(w, struct content, task.work);
    struct um_crdt *crdt;

    c->err = um_crdt_new(NULL, &crdt);
    if (c->err != UM_OK)
        return;
    c->err = render(c, crdt);
    um_crdt_free(crdt);
}

static void add_safe_headers(struct um_http_req *rq, const struct format *f)
{
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_add_header(rq, "X-Content-Type-Options", "nosniff");
    um_http_add_header(rq, "Content-Security-Policy", "sandbox; default-src 'none'; img-src data:; frame-ancestors 'none'");
    if (f->read == NULL)
        um_http_add_header(rq, "Content-Disposition", "attachment; filename=\"version.bin\"");
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
    const struct format *f = c->format;
    struct um_buf out = c->out;
    struct um_http_req *rq;

    if (c->err != UM_OK) {
        refuse(c);
        return;
    }
    c->out = (struct um_buf){ 0 };
    rq = task_finish(&c->task);
    if (rq != NULL) {
        add_safe_headers(rq, f);
        um_http_reply(rq, 200, f->type, UM_SPAN(out.data, out.len));
    }
    um_buf_free(&out);
}

static void have_state(struct task *t)
{
    struct content *c = UM_CONTAINER(t, struct content, task);
    struct um_bytes *state;
    struct um_http_req *rq;

    if (c->format->read != NULL) {
        task_compute(t, compute, answer);
        return;
    }
    state = um_bytes_ref(t->state);
    rq = task_finish(t);
    if (rq != NULL) {
        add_safe_headers(rq, &formats[UM_COUNT(formats) - 1]);
        um_http_reply_bytes(rq, 200, "application/octet-stream", state);
    }
    um_bytes_unref(state);
}

void versions_content(struct um_http_req *rq, void *ctx)
{
    const struct um_rest *r = ctx;
    const char *name = um_api_text(r->api, rq, "format"), *root = um_api_text(r->api, rq, "root");
    const struct format *f = formats;
    struct content *c;

    while (strcmp(f->name, name) != 0)                   /* the row has the same names */
        f++;
    c = task_new(rq, ctx, sizeof(*c), end);
    if (c == NULL)
        return;
    c->format = f;
    c->root = root != NULL ? um_xstrdup(root) : NULL;
    task_read(&c->task, have_state);
}
