/* POST and PUT /core/rest/admin/model/{scope}: a model into a scope, or what would change.
 *
 *   worker: read the text, judge every object by its schema --> umbel/import.h --> announce what has changed --> reply */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/import.h>
#include <umbel/log.h>
#include <umbel/loop.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "models.h"

enum { DEADLINE_MS = 120000, FAULTS_MAX = UM_API_FAULTS_MAX };

struct importing {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    struct um_bytes *text;
    json_t *variables;                       /* may be NULL */
    char *scope, *user;
    bool renames, may_create, dry_run, replaces, as_text;
    struct um_model_list *list;              /* the import's when it runs */
    um_err err;
    json_t *faults;
    struct um_buf message;
    unsigned status;                         /* of the reply, and what is in it: */
    json_t *reply;
    struct um_buf reply_text;
};

static struct um_http_req *end(struct importing *m)
{
    struct um_http_req *rq = m->later != NULL ? later_take(m->later) : NULL;

    task_leave(m->rest);
    um_bytes_unref(m->text);
    um_model_list_free(m->list);
    json_decref(m->variables);
    json_decref(m->faults);
    json_decref(m->reply);
    um_buf_free(&m->message);
    um_buf_free(&m->reply_text);
    free(m->scope);
    free(m->user);
    free(m);
    return rq;
}

/* ---- reading, on a worker ---- */

static void add_fault(struct importing *m, const char *path, const char *message, struct um_place at)
{
    json_t *fault = json_pack("{s:s, s:s}", "path", path, "message", message);

    if (at.line > 0) {
        json_object_set_new(fault, "line", json_integer(at.line));
        json_object_set_new(fault, "column", json_integer(at.column));
    }
    if (json_array_size(m->faults) < FAULTS_MAX)
        json_array_append_new(m->faults, fault);
    else
        json_decref(fault);
    m->err = UM_EPROTO;
}

static void on_fault(void *arg, const struct um_model_item *item, const char *pointer, const char *message)
{
    struct importing *m = arg;
    struct um_buf path = { 0 };

    um_buf_printf(&path, "/%s/%s%s", um_model_kind_word(item->kind), item->id, pointer);
    add_fault(m, um_buf_cstr(&path), message, item->at);
    um_buf_free(&path);
}

static void judge(struct importing *m)
{
    const struct um_model_item *scope = um_import_scope(m->list);

    if (scope != NULL && strcmp(scope->id, m->scope) != 0)
        on_fault(m, scope, "/id", "this is another scope than the path's; rename=true makes it that one");
    um_import_judge(m->rest->api, m->list, on_fault, m);
    if (m->err != UM_OK)
        um_buf_puts(&m->message, "the model is not valid");
}

static um_err set_variables(struct importing *m, struct um_model_error *why)
{
    const char *name;
    json_t *value;
    um_err err = UM_OK;

    json_object_foreach(m->variables, name, value)
        if (err == UM_OK)
            err = um_model_list_set(m->list, name, json_string_value(value), why);
    return err;
}

static void read_model(struct um_work *w)
{
    struct importing *m = UM_CONTAINER(w, struct importing, work);
    struct um_model_error why;

    m->list = um_model_list_new();
    m->faults = json_array();
    m->err = um_model_list_read_yaml(m->list, um_bytes_span(m->text), "body", &why);
    if (m->err == UM_OK)
        m->err = set_variables(m, &why);
    if (m->err == UM_OK)
        m->err = um_model_list_finish(m->list, &why);
    if (m->err != UM_OK) {
        um_model_error_text(&why, &m->message);
        if (m->err == UM_EPROTO)
            add_fault(m, why.path, why.what, why.at);
        return;
    }
    if (m->renames)
        m->err = um_model_list_rename_scope(m->list, m->scope);
    if (m->err == UM_OK)
        judge(m);
}

/* ---- the reply ---- */

static void count(json_t *reply, const json_t *diff)
{
    static const char *const changes[] = { "added", "changed", "removed" };

    for (size_t k = 0; k < UM_COUNT(changes); k++) {
        json_int_t n = 0;
        json_t *e;
        size_t i;

        json_array_foreach(diff, i, e)
            n += strcmp(json_string_value(json_object_get(e, "change")), changes[k]) == 0;
        json_object_set_new(reply, changes[k], json_integer(n));
    }
}

/* Where the object of a refusal stands in the text: "/documentclass/Invoice/data/ACL" -> the line of that class. */
static json_t *with_places(const struct um_model_list *l, const json_t *details)
{
    json_t *out = json_deep_copy(details), *e;
    size_t i;

    json_array_foreach(out, i, e) {
        const char *path = json_string_value(json_object_get(e, "path"));

        for (size_t k = 0; path != NULL && k < um_model_list_count(l); k++) {
            const struct um_model_item *item = um_model_list_at(l, k);
            char start[2 * UM_DOMAIN_ID_MAX];
            int n = snprintf(start, sizeof(start), "/%s/%s", um_model_kind_word(item->kind), item->id);

            if (n < (int)sizeof(start) && strncmp(path, start, (size_t)n) == 0 && (path[n] == '\0' || path[n] == '/'))
                json_object_set_new(e, "line", json_integer(item->at.line));
        }
    }
    return out;
}

static void make_reply(struct importing *m, const struct um_import_report *report, const struct um_model_list *l)
{
    const struct um_problem *p = report->problem;

    if (p == NULL) {
        m->status = 200;
        m->reply = json_pack("{s:s, s:s, s:b, s:I, s:I, s:O}", "scope", m->scope, "mode", m->replaces ? "replace" : "merge",
                             "dryRun", m->dry_run, "applied", (json_int_t)report->applied, "units", (json_int_t)report->units,
                             "changes", report->diff);
        count(m->reply, report->diff);
        um_model_diff_text(report->diff, &m->reply_text);
        return;
    }
    m->status = p->status;
    m->reply = json_pack("{s:s}", "code", p->code);
    if (p->details != NULL)
        json_object_set_new(m->reply, "details", with_places(l, p->details));
    um_buf_printf(&m->message, "%s", p->message);
    if (report->applied > 0)
        um_buf_printf(&m->message, " (%zu of %zu changes were made before, and stay)", report->applied, report->changes);
}

static void reply_with(struct um_http_req *rq, struct importing *m)
{
    const char *code = json_string_value(json_object_get(m->reply, "code"));

    if (m->status != 200)
        um_http_reply_error_with(rq, m->status, code, um_buf_cstr(&m->message), json_incref(json_object_get(m->reply, "details")));
    else if (m->as_text)
        um_http_reply(rq, 200, "text/plain; charset=utf-8", UM_SPAN(m->reply_text.data, m->reply_text.len));
    else
        um_http_reply_json(rq, 200, json_incref(m->reply));
}

static void on_announced(void *arg, struct um_http_req *rq, const json_t *nodes)
{
    struct importing *m = arg;

    (void)nodes;
    if (rq != NULL)
        reply_with(rq, m);
    (void)end(m);
}

static void imported(void *arg, const struct um_import_report *report)
{
    struct importing *m = arg;
    struct um_rest *r = m->rest;
    struct um_loop *loop = m->later->loop;
    struct um_http_req *rq = later_take(m->later);

    m->later = NULL;
    make_reply(m, report, m->list);
    m->list = NULL;                          /* the import frees it */
    if (report->applied > 0)
        um_log(UM_INFO, "rest", "model imported", UM_S("user", m->user), UM_S("scope", m->scope), UM_I("changes", report->applied),
               UM_I("of", report->changes), UM_S("mode", m->replaces ? "replace" : "merge"));
    if (report->n_caches > 0)
        announce(r, loop, rq, report->caches, report->n_caches, UM_SPAN(NULL, 0), on_announced, m);
    else
        on_announced(m, rq, NULL);
}

/* ---- the request ---- */

static void refuse(struct importing *m)
{
    unsigned status = m->err == UM_EPROTO ? 400 : m->err == UM_ELIMIT ? 413 : 500;
    const char *code = m->err == UM_EPROTO ? "U00400" : m->err == UM_ELIMIT ? "U00413" : "T00000";
    struct um_buf message = m->message;
    json_t *details = json_array_size(m->faults) > 0 ? json_incref(m->faults) : NULL;
    struct um_http_req *rq;

    m->message = (struct um_buf){ 0 };
    rq = end(m);
    if (rq != NULL)
        um_http_reply_error_with(rq, status, code, um_buf_cstr(&message), json_incref(details));
    json_decref(details);
    um_buf_free(&message);
}

static void was_read(struct um_work *w)
{
    struct importing *m = UM_CONTAINER(w, struct importing, work);
    struct um_rest *r = m->rest;
    struct um_http_req *rq = m->later->rq;
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who;
    struct um_import what;

    if (m->err != UM_OK || rq == NULL) {
        refuse(m);
        return;
    }
    who = platform_who(r, rq, session);
    who.scope = m->scope;
    what = (struct um_import){ .domain = r->deps.domain, .loop = m->later->loop, .pool = r->readers, .who = &who, .list = m->list,
                               .mode = m->replaces ? UM_IMPORT_REPLACE : UM_IMPORT_MERGE, .dry_run = m->dry_run,
                               .may_create = m->may_create && um_import_scope(m->list) != NULL,
                               .stopping = &r->draining };
    um_import_run(&what, imported, m);
}

/* {"company": "Example"}; replies when it is none. */
static bool read_variables(struct um_http_req *rq, const char *text, json_t **out)
{
    const char *name;
    json_t *value;

    *out = text != NULL ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    if (text != NULL && !json_is_object(*out))
        goto bad;
    json_object_foreach(*out, name, value)
        if (!json_is_string(value))
            goto bad;
    return true;
bad:
    json_decref(*out);
    um_http_reply_error(rq, 400, "U00400", "variables is an object of texts, as JSON");
    return false;
}

void model_import(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(r, rq, session);
    const char *scope = model_scope(rq, r, &who);
    struct importing *m;
    json_t *variables;

    if (scope != NULL && who.read_only && um_api_int(r->api, rq, "dryRun") == 0) {
        um_http_reply_error(rq, 403, "U00403", "this token may only read");
        return;
    }
    if (scope == NULL || !read_variables(rq, um_api_text(r->api, rq, "variables"), &variables))
        return;
    if (!task_enter(rq, r)) {
        json_decref(variables);
        return;
    }
    m = um_xcalloc(1, sizeof(*m));
    m->rest = r;
    m->scope = um_xstrdup(scope);
    m->user = um_xstrdup(who.user);
    m->variables = variables;
    m->renames = um_api_int(r->api, rq, "rename") != 0;
    m->dry_run = um_api_int(r->api, rq, "dryRun") != 0;
    m->replaces = strcmp(um_api_text(r->api, rq, "mode"), "replace") == 0;
    m->as_text = strcmp(um_api_text(r->api, rq, "format"), "text") == 0;
    m->may_create = caller_has_role(r, rq, "SYSTEM_ADMIN");
    m->text = um_bytes_dup(um_http_body(rq).data, um_http_body(rq).len);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_deadline(rq, DEADLINE_MS);
    m->later = later_new(rq, r, NULL);
    m->work = (struct um_work){ .loop = um_http_loop(rq), .fn = read_model, .done = was_read };
    if (m->text == NULL || um_work_submit(r->readers, &m->work) != UM_OK) {      /* else M is the worker's now */
        rq = end(m);
        reply_store_error(rq, UM_EBUSY);
    }
}
