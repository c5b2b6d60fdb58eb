/* What a document holds, for administrators: it leaves (export), is copied under another name (fork), and comes in (import).
 *
 *   export   the present state, taken where the document lives, rendered on a worker
 *   fork     the present state as the first change of a document that did not exist
 *   import   an update, merged; or with replace=true a change that makes the document show what the update holds. Tried on a worker
 *            in a copy of the present state first. What others write meanwhile stays, as with a restored version
 *
 * Each holds whole states: few at a time (task_enter), none above REST_STATE_MAX. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_copy.h>
#include <umbel/util.h>
#include "admin.h"
#include "versions_internal.h"

#define NAME_CHARS 12

struct job {
    struct um_work work;
    struct um_rest *rest;
    struct um_loop *loop;
    struct act *act;                         /* fork, import */
    struct later *later;                     /* export */
    char *document, *to, *title, *root;
    const struct content_format *format;
    struct um_bytes *state, *given;          /* as it is; what came in */
    struct um_bytes *change;                 /* to be applied; NULL: nothing changes */
    struct um_buf out;
    bool replace;
    um_err err;
};

/* NULL: replied. */
static struct job *job_new(struct um_http_req *rq, struct um_rest *r)
{
    struct job *j;

    if (!task_enter(rq, r))
        return NULL;
    j = um_xcalloc(1, sizeof(*j));
    j->rest = r;
    j->loop = um_http_loop(rq);
    j->document = um_xstrdup(um_http_param(rq, "name"));
    return j;
}

static void job_free(struct job *j)
{
    task_leave(j->rest);
    um_bytes_unref(j->state);
    um_bytes_unref(j->given);
    um_bytes_unref(j->change);
    um_buf_free(&j->out);
    free(j->document);
    free(j->to);
    free(j->title);
    free(j->root);
    free(j);
}

/* Of an act: nothing was done. */
static void fail(struct job *j, um_err err)
{
    struct act *a = j->act;

    job_free(j);
    if (err == UM_EPROTO)
        act_failed(a, 400, "U00400", "the body is no Yjs update (version 1)");
    else if (err == UM_EINVAL)
        act_failed(a, 422, "U00422", "the update is of another kind: the document cannot become it");
    else if (err == UM_ELIMIT)
        act_failed(a, 422, "U00422", "the document is too large for this");
    else if (err == UM_EBUSY)
        act_failed(a, 503, "U00503", "too many requests of this kind at once");
    else
        act_failed_store(a, err);
}

static bool keep_state(struct job *j, um_err *err, struct um_bytes *state)
{
    if (*err == UM_OK && state->len > REST_STATE_MAX)
        *err = UM_ELIMIT;
    if (*err == UM_OK)
        j->state = um_bytes_ref(state);
    return *err == UM_OK;
}

/* ---- export ---- */

static void export_reply(struct job *j, um_err err)
{
    struct um_http_req *rq = later_take(j->later);

    if (rq == NULL) {
        job_free(j);
        return;
    }
    if (err == UM_OK) {
        content_headers(rq, j->format, "document.bin");
        if (j->format->read != NULL)
            um_http_reply(rq, 200, j->format->type, UM_SPAN(j->out.data, j->out.len));
        else
            um_http_reply_bytes(rq, 200, j->format->type, j->state);
    } else if (err == UM_ENOTFOUND && j->root != NULL) {
        um_http_reply_error(rq, 404, "U00404", "there is no such document, or it has no such root");
    } else if (err == UM_EINVAL) {
        um_http_reply_error(rq, 422, "U00422", "this root cannot be shown in this format");
    } else {
        reply_version_error(rq, err);
    }
    job_free(j);
}

static void render(struct um_work *w)
{
    struct job *j = UM_CONTAINER(w, struct job, work);

    j->err = content_render(j->format, j->root, j->state, &j->out);
}

static void rendered(struct um_work *w)
{
    struct job *j = UM_CONTAINER(w, struct job, work);

    export_reply(j, j->err);
}

static void have_export(void *arg, um_err err, struct um_bytes *state, uint64_t seq)
{
    struct job *j = arg;

    (void)seq;
    if (!keep_state(j, &err, state) || j->format->read == NULL) {
        export_reply(j, err);
        return;
    }
    j->work = (struct um_work){ .loop = j->loop, .fn = render, .done = rendered };
    if (um_work_submit(j->rest->readers, &j->work) != UM_OK)
        export_reply(j, UM_EBUSY);
}

void admin_content_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *root = um_api_text(r->api, rq, "root");
    struct job *j = job_new(rq, r);

    if (j == NULL)
        return;
    j->format = content_format(um_api_text(r->api, rq, "format"));
    j->root = root != NULL ? um_xstrdup(root) : NULL;
    j->later = later_new(rq, r, NULL);
    present_take(r, j->loop, j->document, have_export, j);
}

/* ---- a change that is made where the document lives ---- */

static um_err apply(void *arg, struct um_crdt *crdt, uint64_t seq, struct um_crdt_applied *applied)
{
    struct job *j = arg;

    (void)seq;
    return um_crdt_load(crdt, um_bytes_span(j->change), applied);
}

/* ---- fork ---- */

static void dropped(void *arg, um_err err, const struct um_store_entry *e)
{
    (void)arg;
    (void)err;
    (void)e;
}

static void forked(void *arg, um_err err)
{
    struct job *j = arg;
    struct act *a = j->act;
    json_t *body;

    if (err != UM_OK) {
        um_store_delete(j->rest->deps.store, j->loop, j->to, act_user(a), dropped, NULL);
        fail(j, err);
        return;
    }
    body = json_pack("{s:s, s:s}", "name", j->to, "of", j->document);
    act_note(a, "to", json_string(j->to));
    job_free(j);
    act_done(a, 201, body);
}

static void created(void *arg, um_err err, const struct um_store_entry *e)
{
    struct job *j = arg;

    (void)e;
    if (err != UM_OK) {
        fail(j, err);
        return;
    }
    j->change = um_bytes_ref(j->state);
    um_collab_work_on(j->rest->collab, j->loop, j->to, act_user(j->act), apply, forked, j);
}

static void have_fork(void *arg, um_err err, struct um_bytes *state, uint64_t seq)
{
    struct job *j = arg;

    (void)seq;
    if (keep_state(j, &err, state))
        um_store_create(j->rest->deps.store, j->loop, j->to, j->title, act_user(j->act), created, j);
    else
        fail(j, err);
}

/* A copy has no component: it is of the default scope, and not called like a body. */
static bool may_fork_to(struct um_http_req *rq, struct um_rest *r, const char *to)
{
    if (to != NULL && strncmp(to, UM_STORE_UNLISTED, strlen(UM_STORE_UNLISTED)) == 0)
        um_http_reply_error(rq, 400, "U00400", "this is the name of a component's body");
    else if (!admin_is_of_platform(rq) && strcmp(caller_scope(r, rq), um_domain_default_scope(r->deps.domain)) != 0)
        um_http_reply_error(rq, 403, "U00403", "a copy would be a document of the default scope, which is not the caller's");
    else
        return true;
    return false;
}

void admin_documents_fork(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    const char *to = json_string_value(json_object_get(body, "name")), *title = json_string_value(json_object_get(body, "title"));
    struct job *j = body != NULL && may_fork_to(rq, r, to) ? job_new(rq, r) : NULL;

    if (j != NULL) {
        j->to = um_xcalloc(1, to != NULL ? strlen(to) + 1 : NAME_CHARS + 1);
        if (to != NULL)
            memcpy(j->to, to, strlen(to));
        else
            um_random_id(j->to, NAME_CHARS);
        j->title = um_xstrdup(title != NULL ? title : "");
        j->act = act_new(rq, r, "FORK", "DOCUMENT", j->document);
        present_take(r, j->loop, j->document, have_fork, j);
    }
    json_decref(body);
}

/* ---- import ---- */

static void imported(void *arg, um_err err)
{
    struct job *j = arg;
    struct act *a = j->act;
    bool changed = j->change != NULL;
    json_t *body;

    if (err != UM_OK) {
        fail(j, err);
        return;
    }
    body = json_pack("{s:b, s:I}", "changed", (int)changed, "bytes", (json_int_t)j->given->len);
    act_note(a, "bytes", json_integer((json_int_t)j->given->len));
    act_note(a, "replace", json_boolean(j->replace));
    job_free(j);
    act_done(a, 200, body);
}

static um_err merge_events(struct job *j, const struct um_crdt_applied *out)
{
    struct um_span *all = um_xcalloc(out->n_more + 1, sizeof(*all));
    struct um_buf merged = { 0 };
    um_err err;

    all[0] = out->event;
    for (size_t i = 0; i < out->n_more; i++)
        all[i + 1] = out->more[i];
    err = out->event.len == 0 ? UM_ENOMEM : um_crdt_merge(NULL, all, out->n_more + 1, &merged);
    if (err == UM_OK)
        j->change = um_buf_to_bytes(&merged);
    um_buf_free(&merged);
    free(all);
    return err == UM_OK && j->change == NULL ? UM_ENOMEM : err;
}

/* What it holds must all find its place: a part that waits for what nobody has would be kept for ever. PRESENT has no more than the
 * document has later. */
static um_err merge(struct job *j, struct um_crdt *present)
{
    struct um_crdt_applied out = { 0 };
    um_err err = um_crdt_load(present, um_bytes_span(j->given), &out);

    if (err != UM_OK || out.pending)
        return err != UM_OK ? err : UM_EPROTO;
    if (out.changed)
        j->change = um_bytes_ref(j->given);
    return UM_OK;
}

static um_err become(struct job *j, struct um_crdt *present, struct um_crdt *wanted)
{
    struct um_crdt_applied out = { 0 };
    um_err err = um_crdt_load(wanted, um_bytes_span(j->given), &out);

    if (err != UM_OK || out.pending)
        return err != UM_OK ? err : UM_EPROTO;
    if ((err = um_crdt_begin(present, um_random_below((uint64_t)1 << 32), NULL)) != UM_OK)
        return err;
    out = (struct um_crdt_applied){ 0 };
    err = um_crdt_become(present, wanted);
    um_crdt_commit(present, &out);
    return err != UM_OK || !out.changed ? err : merge_events(j, &out);
}

static um_err find_change(struct job *j, struct um_crdt *present, struct um_crdt *wanted)
{
    um_err err = um_crdt_load(present, um_bytes_span(j->state), NULL);

    if (err != UM_OK)
        return err == UM_EPROTO ? UM_ECORRUPT : err;
    return j->replace ? become(j, present, wanted) : merge(j, present);
}

static void work_out(struct um_work *w)
{
    struct job *j = UM_CONTAINER(w, struct job, work);
    struct um_crdt *present = NULL, *wanted = NULL;

    if ((j->err = um_crdt_new(NULL, &present)) == UM_OK && (j->err = um_crdt_new(NULL, &wanted)) == UM_OK)
        j->err = find_change(j, present, wanted);
    um_crdt_free(present);
    um_crdt_free(wanted);
}

static void worked_out(struct um_work *w)
{
    struct job *j = UM_CONTAINER(w, struct job, work);

    if (j->err != UM_OK)
        fail(j, j->err);
    else if (j->change == NULL)
        imported(j, UM_OK);
    else
        um_collab_work_on(j->rest->collab, j->loop, j->document, act_user(j->act), apply, imported, j);
}

static void have_import(void *arg, um_err err, struct um_bytes *state, uint64_t seq)
{
    struct job *j = arg;

    (void)seq;
    if (!keep_state(j, &err, state)) {
        fail(j, err);
        return;
    }
    j->work = (struct um_work){ .loop = j->loop, .fn = work_out, .done = worked_out };
    if (um_work_submit(j->rest->readers, &j->work) != UM_OK)
        fail(j, UM_EBUSY);
}

void admin_content_put(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_span body = um_http_body(rq);
    struct job *j = job_new(rq, r);

    if (j == NULL)
        return;
    j->replace = um_api_int(r->api, rq, "replace") != 0;
    j->act = act_new(rq, r, "IMPORT", "DOCUMENT", j->document);
    j->given = um_bytes_dup(body.data, body.len);
    if (j->given != NULL)
        present_take(r, j->loop, j->document, have_import, j);
    else
        fail(j, UM_ENOMEM);
}
