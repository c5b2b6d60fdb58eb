/* /core/rest/collab/documents: the list behind the web app. Text is edited over the WebSocket; here are titles and lives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"
#include "reservations.h"

#define NAME_CHARS 12

static json_t *entry_json(struct um_rest *r, const struct um_store_entry *e)
{
    char created[32], updated[32];

    um_wall_iso(e->created_at_ms, created);
    um_wall_iso(e->updated_at_ms, updated);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "name", e->name, "title", e->title, "createdAt", created,
                     "createdBy", e->created_by, "updatedAt", updated, "updatedBy", e->updated_by, "bytes", (json_int_t)e->bytes,
                     "connections", (json_int_t)um_collab_connections_of(r->collab, e->name));
}

static void reply_entry(void *arg, um_err err, const struct um_store_entry *e, unsigned status)
{
    struct later *l = arg;
    struct um_rest *r = l->rest;
    struct um_http_req *rq = later_take(l);

    if (rq == NULL)
        return;
    if (err == UM_OK)
        um_http_reply_json(rq, status, entry_json(r, e));
    else
        reply_store_error(rq, err);
}

static void reply_found(void *arg, um_err err, const struct um_store_entry *e) { reply_entry(arg, err, e, 200); }

/* ---- list ------------------------------------------------------------------------------------------------------- */

static void reply_page(void *arg, um_err err, const struct um_store_page *page)
{
    struct later *l = arg;
    struct um_rest *r = l->rest;
    struct um_http_req *rq = later_take(l);
    json_t *results;

    if (rq == NULL)
        return;
    if (err != UM_OK) {
        reply_store_error(rq, err);
        return;
    }
    results = json_array();
    for (size_t i = 0; i < page->n; i++)
        json_array_append_new(results, entry_json(r, &page->entries[i]));
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, json_pack("{s:I, s:o, s:s?}", "found", (json_int_t)page->found, "results", results, "after", page->after));
}

void documents_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_store_query q = { um_api_text(r->api, rq, "search"), um_api_int(r->api, rq, "max"), um_api_text(r->api, rq, "after") };

    um_store_list(r->deps.store, um_http_loop(rq), &q, reply_page, later_new(rq, r, NULL));
}

/* ---- create, read, rename, delete ---------------------------------------------------------------------------------- */

/* A copy of the body's title; NULL: replied. */
static char *read_title(struct um_http_req *rq, const struct um_rest *r)
{
    json_t *body = um_api_body(r->api, rq);
    char *title = body != NULL ? um_xstrdup(json_string_value(json_object_get(body, "title"))) : NULL;

    json_decref(body);
    return title;
}

/* A repeated request with the same Idempotency-Key names the same document, so that a lost answer makes no second one. */
static void choose_name(const char *key, const char *user, char out[NAME_CHARS + 2])
{
    struct um_buf text = { 0 };
    uint64_t h;

    if (key == NULL) {
        um_random_id(out, NAME_CHARS);
        return;
    }
    um_buf_printf(&text, "%s\n%s", user, key);
    h = um_hash_stable(UM_SPAN(text.data, text.len));
    for (int i = 0; i < NAME_CHARS; i++, h /= 36)
        out[i] = "0123456789abcdefghijklmnopqrstuvwxyz"[h % 36];
    out[NAME_CHARS] = '\0';
    um_buf_free(&text);
}

static void reply_created(void *arg, um_err err, const struct um_store_entry *e)
{
    struct later *l = arg;

    if (err == UM_EEXIST && l->rq != NULL && um_http_header(l->rq, "Idempotency-Key") != NULL)
        um_store_get(l->rest->deps.store, um_http_loop(l->rq), l->text, reply_found, l);
    else
        reply_entry(l, err, e, 201);
}

void documents_create(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *user = caller_of(rq)->claims.sub;
    char name[NAME_CHARS + 2];
    char *title = read_title(rq, r);

    if (title == NULL)
        return;
    choose_name(um_api_text(r->api, rq, "Idempotency-Key"), user, name);
    um_store_create(r->deps.store, um_http_loop(rq), name, title, user, reply_created, later_new(rq, r, name));
    free(title);
}

void documents_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    um_store_get(r->deps.store, um_http_loop(rq), um_http_param(rq, "name"), reply_found, later_new(rq, r, NULL));
}

static void rename_now(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char *title = read_title(rq, r);

    if (title == NULL)
        return;
    um_store_set_title(r->deps.store, um_http_loop(rq), um_http_param(rq, "name"), title, caller_of(rq)->claims.sub,
                       reply_found, later_new(rq, r, NULL));
    free(title);
}

void documents_rename(struct um_http_req *rq, void *ctx)
{
    reservation_guard(rq, ctx, um_http_param(rq, "name"), rename_now);
}

static void reply_deleted(void *arg, um_err err, const struct um_store_entry *e)
{
    struct later *l = arg;
    struct um_http_req *rq;

    (void)e;
    if (err == UM_OK) {
        um_collab_forget(l->rest->collab, l->text);
        um_versions_forget(l->rest->deps.versions, l->loop, l->text);
    }
    rq = later_take(l);
    if (rq == NULL)
        return;
    if (err == UM_OK)
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else
        reply_store_error(rq, err);
}

static void delete_now(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *name = um_http_param(rq, "name"), *user = caller_of(rq)->claims.sub;

    um_log(UM_INFO, "rest", "delete document", UM_S("doc", name), UM_S("user", user), UM_S("request", um_http_request_id(rq)));
    um_store_delete(r->deps.store, um_http_loop(rq), name, user, reply_deleted, later_new(rq, r, name));
}

void documents_delete(struct um_http_req *rq, void *ctx)
{
    reservation_guard(rq, ctx, um_http_param(rq, "name"), delete_now);
}
