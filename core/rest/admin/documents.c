/* /core/rest/admin/documents: what is open, on all cores, and what administrators do to it. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "admin.h"

static void put_text(json_t *o, const char *key, const char *value)
{
    if (value != NULL)
        json_object_set_new(o, key, json_string(value));
}

static void reply_rows(struct um_http_req *rq, json_t *body)
{
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, body);
}

/* ---- lists ---- */

static void reply_list(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    reply_rows(rq, admin_rows_json(answers, n, arg, (size_t)um_api_int(r->api, rq, "max")));
}

static void list(struct um_http_req *rq, struct um_rest *r, const char *topic, const char *const *filters, const char *key)
{
    const char *scope = admin_scope(rq, r);
    json_t *body;

    if (scope == NULL)
        return;
    body = json_pack("{s:I}", "max", (json_int_t)um_api_int(r->api, rq, "max"));
    admin_put_scope(body, scope);
    for (size_t i = 0; filters[i] != NULL; i++)
        put_text(body, filters[i], um_api_text(r->api, rq, filters[i]));
    admin_ask(rq, r, (struct um_ask_question){ .topic = topic, .role = "core", .member = um_api_text(r->api, rq, "member"),
                                               .wait_ms = ADMIN_WAIT_MS }, body, reply_list, (void *)(uintptr_t)key);
}

void admin_documents_list(struct um_http_req *rq, void *ctx)
{
    static const char *const filters[] = { "contains", "after", NULL };

    list(rq, ctx, ASK_DOCUMENTS, filters, "name");
}

void admin_connections_list(struct um_http_req *rq, void *ctx)
{
    static const char *const filters[] = { "user", "document", "after", NULL };

    list(rq, ctx, ASK_CONNECTIONS, filters, "id");
}

/* ---- one document ---- */

struct one { struct later *later; json_t *body; };

static void have_entry(void *arg, um_err err, const struct um_store_entry *e)
{
    struct one *o = arg;
    struct um_http_req *rq = later_take(o->later);
    json_t *body = o->body;
    char at[32];

    free(o);
    if (rq == NULL) {
        json_decref(body);
        return;
    }
    if (err != UM_OK && (err != UM_ENOTFOUND || json_array_size(json_object_get(body, "open")) == 0)) {
        json_decref(body);
        reply_store_error(rq, err);
        return;
    }
    json_object_set_new(body, "stored", err == UM_OK ? json_true() : json_false());
    if (err == UM_OK) {
        put_text(body, "title", e->title);
        um_wall_iso(e->updated_at_ms, at);
        put_text(body, "updatedAt", at);
    }
    reply_rows(rq, body);
}

static void have_open(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    const char *name = um_http_param(rq, "name");
    json_t *rows = admin_rows_json(answers, n, "name", ADMIN_ROWS_MAX);
    struct one *o = um_xcalloc(1, sizeof(*o));

    (void)arg;
    o->body = json_pack("{s:s, s:O, s:O}", "name", name, "open", json_object_get(rows, "results"), "members", json_object_get(rows, "members"));
    json_decref(rows);
    o->later = later_new(rq, r, NULL);
    um_store_get(r->deps.store, um_http_loop(rq), name, have_entry, o);
}

void admin_documents_get(struct um_http_req *rq, void *ctx)
{
    admin_ask(rq, ctx, (struct um_ask_question){ .topic = ASK_DOCUMENTS, .role = "core", .wait_ms = ADMIN_WAIT_MS },
              json_pack("{s:s}", "document", um_http_param(rq, "name")), have_open, NULL);
}

/* ---- acts ---- */

void admin_documents_close(struct um_http_req *rq, void *ctx)
{
    const char *name = um_http_param(rq, "name"), *reason;
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    struct act *a;

    if (body == NULL)
        return;
    reason = json_string_value(json_object_get(body, "reason"));
    reason = reason != NULL ? reason : "Reset Connection";
    a = act_new(rq, r, "CLOSE", "DOCUMENT", name);
    act_note(a, "reason", json_string(reason));
    um_collab_close_documents(r->collab, name, reason);
    act_done(a, 204, NULL);
    json_decref(body);
}

static void reloaded(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    json_t *members = admin_members_json(answers, n);

    act_note(a, "members", json_deep_copy(members));
    act_done(a, 200, json_pack("{s:o}", "members", members));
}

void admin_documents_reload(struct um_http_req *rq, void *ctx)
{
    const char *name = um_http_param(rq, "name");

    act_ask(act_new(rq, ctx, "RELOAD", "DOCUMENT", name), (struct um_ask_question){ .topic = ASK_RELOAD, .role = "core", .wait_ms = ADMIN_WAIT_MS },
            json_pack("{s:s}", "document", name), reloaded);
}

/* An id here is the member's and the connection's, as the list has them. */
static void closed(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    if (!act_was_refused(a, answers, n))
        act_done(a, 204, NULL);              /* to close what is closed is success */
}

void admin_connections_close(struct um_http_req *rq, void *ctx)
{
    const char *id = um_http_param(rq, "id"), *member = um_http_param(rq, "member"), *reason;
    const char *scope = admin_scope(rq, ctx);
    struct um_rest *r = ctx;
    struct act *a;
    json_t *body;

    if (scope == NULL)
        return;
    reason = um_api_text(r->api, rq, "reason");
    reason = reason != NULL ? reason : "Reset Connection";
    body = json_pack("{s:s, s:s}", "id", id, "reason", reason);
    admin_put_scope(body, scope);
    a = act_new(rq, r, "CLOSE", "CONNECTION", id);
    act_scope(a, scope);
    act_note(a, "member", json_string(member));
    act_note(a, "reason", json_string(reason));
    act_ask(a, (struct um_ask_question){ .topic = ASK_CLOSE, .member = member, .wait_ms = ADMIN_WAIT_MS }, body, closed);
}
