/* GET /core/rest/admin/model/{scope}: a scope's model as people write it. Read as one moment, written on a worker. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/loop.h>
#include <umbel/model.h>
#include <umbel/reserve.h>
#include "models.h"

const char *model_scope(struct um_http_req *rq, struct um_rest *r, const struct um_who *who)
{
    const char *scope = um_http_param(rq, "scope"), *own = who->scope;

    if (own == NULL || *own == '\0')
        own = um_domain_default_scope(r->deps.domain);
    if (strcmp(scope, own) == 0 || caller_has_role(r, rq, "SYSTEM_ADMIN"))
        return scope;
    um_http_reply_error(rq, 403, "U00403", "the model of another scope needs role SYSTEM_ADMIN");
    return NULL;
}

struct export {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    json_t *rows;                        /* of um_models_read */
    bool as_json;
    um_err err;
    struct um_buf text;
    json_t *form;
};

static bool kind_of(const char *word, enum um_model_kind *out)
{
    for (int k = 0; k < UM_MODEL_KINDS_N; k++)
        if (strcmp(um_model_kind_word((enum um_model_kind)k), word) == 0) {
            *out = (enum um_model_kind)k;
            return true;
        }
    return false;
}

static um_err add_all(struct um_model_list *l, const json_t *rows)
{
    enum um_model_kind kind;
    um_err err = UM_OK;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        if (kind_of(json_string_value(json_object_get(row, "kind")), &kind))
            err = um_model_list_add(l, kind, json_object_get(row, "object"));
        if (err != UM_OK)
            break;
    }
    um_model_list_sort(l);
    return err;
}

static void write(struct um_work *w)
{
    struct export *x = UM_CONTAINER(w, struct export, work);
    struct um_model_list *l = um_model_list_new();

    x->err = add_all(l, x->rows);
    if (x->err == UM_OK && x->as_json)
        x->err = (x->form = um_model_list_form(l)) != NULL ? UM_OK : UM_ENOMEM;
    else if (x->err == UM_OK)
        x->err = um_model_list_write(l, &x->text);
    um_model_list_free(l);
}

/* Ends X; its request, unless the client has left. */
static struct um_http_req *end(struct export *x)
{
    struct um_http_req *rq = later_take(x->later);

    task_leave(x->rest);
    json_decref(x->rows);
    um_buf_free(&x->text);
    free(x);
    return rq;
}

static void written(struct um_work *w)
{
    struct export *x = UM_CONTAINER(w, struct export, work);
    struct um_buf text = x->text;
    json_t *form = x->form;
    um_err err = x->err;
    struct um_http_req *rq;

    x->text = (struct um_buf){ 0 };
    rq = end(x);
    if (rq != NULL && err == UM_OK && form != NULL)
        um_http_reply_json(rq, 200, json_incref(form));
    else if (rq != NULL && err == UM_OK)
        um_http_reply(rq, 200, "application/yaml; charset=utf-8", UM_SPAN(text.data, text.len));
    else if (rq != NULL)
        um_http_reply_error(rq, 500, "T00000", err == UM_ELIMIT ? "an object is nested too deeply to be written" : "the model cannot be written");
    json_decref(form);
    um_buf_free(&text);
}

static void have(void *arg, const struct um_domain_answer *a)
{
    struct export *x = arg;
    struct um_loop *loop = x->later->loop;
    struct um_http_req *rq;

    x->rows = json_incref(a->reply);
    x->work = (struct um_work){ .loop = loop, .fn = write, .done = written };
    if (a->err == UM_OK && um_work_submit(x->rest->readers, &x->work) == UM_OK)
        return;
    rq = end(x);
    if (rq != NULL && a->err != UM_OK)
        platform_refuse(rq, a->problem);
    else if (rq != NULL)
        reply_store_error(rq, UM_EBUSY);
}

void model_export(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(r, rq, session);
    const char *scope = model_scope(rq, r, &who);
    struct export *x;

    if (scope == NULL || !task_enter(rq, r))
        return;
    who.scope = scope;
    um_http_add_header(rq, "Cache-Control", "no-store");
    x = um_xcalloc(1, sizeof(*x));
    x->rest = r;
    x->as_json = strcmp(um_api_text(r->api, rq, "format"), "json") == 0;
    x->later = later_new(rq, r, NULL);
    um_domain_run(r->deps.domain, um_http_loop(rq), &um_models_read, &who, NULL, NULL, have, x);
}
