/* See bodies.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/api.h>
#include <umbel/cachegen.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "bodies.h"
#include "platform.h"
#include "reservations.h"

/* ---- names ---- */

bool body_is_name(const char *document) { return strncmp(document, BODY_PREFIX, strlen(BODY_PREFIX)) == 0; }

const char *body_ref(const struct um_rest *r, const char *document, char out[BODY_REF_MAX + 1])
{
    _Static_assert((int)UM_DOMAIN_SHARED_MAX <= (int)BODY_REF_MAX, "a component's id is no longer than a reservation's");
    char scope[UM_DOMAIN_SCOPE_MAX + 1];
    const char *id;

    if (!body_is_name(document) || !um_domain_shared_parts(r->deps.domain, document, scope, &id) ||
        !um_domain_shared_id(r->deps.domain, scope, id, out))
        return document;
    return out;
}

/* What is alone in its name is of the default scope: a document without a component, or a component's body. */
void body_reservation_changed(struct um_rest *r, const char *id, const char *note)
{
    struct um_buf name = { 0 };

    um_collab_reservation_changed(r->collab, id, note);
    um_buf_printf(&name, BODY_PREFIX "%s/%s", um_domain_default_scope(r->deps.domain), id);
    if (!body_is_name(id))
        um_collab_reservation_changed(r->collab, um_buf_cstr(&name), note);
    um_buf_free(&name);
}

/* ---- who ---- */

static json_t *list_json(const struct um_token_list *list)
{
    json_t *a = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(a, json_string(list->items[i]));
    return a;
}

struct um_bytes *body_who(const struct caller *c)
{
    char session[UM_RESERVE_SESSION_MAX + 1], *text;
    struct um_bytes *bytes;
    json_t *o;

    caller_session(c, session);
    o = json_pack("{s:s, s:s, s:s, s:o, s:o}", "user", c->claims.sub, "scope", c->claims.scope != NULL ? c->claims.scope : "",
                  "session", session, "profiles", list_json(&c->claims.profiles), "groups", list_json(&c->claims.groups));
    if (c->claims.account != NULL)
        json_object_set_new(o, "account", json_string(c->claims.account));
    text = json_dumps(o, JSON_COMPACT);
    bytes = text != NULL ? um_bytes_dup(text, strlen(text)) : NULL;
    free(text);
    json_decref(o);
    return bytes;
}

/* ---- the engine's question ---- */

struct question {
    struct um_rest *rest;
    struct um_loop *loop;
    um_collab_right_cb *cb;
    void *arg;
    enum um_collab_right right;
    json_t *who;                             /* texts of WHO of the call are its */
    const char **profiles, **groups;
};

static const char **list_of(const json_t *a, struct um_token_list *out)
{
    const char **items = um_xcalloc(json_array_size(a) + 1, sizeof(*items));

    for (size_t i = 0; i < json_array_size(a); i++)
        items[i] = json_string_value(json_array_get(a, i));
    *out = (struct um_token_list){ items, json_array_size(a) };
    return items;
}

static void question_free(struct question *q)
{
    json_decref(q->who);
    free(q->profiles);
    free(q->groups);
    free(q);
}

static void answer(void *arg)
{
    struct question *q = arg;

    q->cb(q->arg, q->right);
    question_free(q);
}

static enum um_collab_right right_of(const json_t *reply)
{
    const char *word = json_string_value(json_object_get(reply, "right"));

    if (word == NULL || strcmp(word, "NONE") == 0)
        return UM_COLLAB_NONE;
    return strcmp(word, "WRITE") == 0 ? UM_COLLAB_WRITE : UM_COLLAB_READ;
}

static void drop(void *arg) { question_free(arg); }

/* What cannot be judged is not let in, and asked again: rights fail closed. */
static void on_right(void *arg, const struct um_domain_answer *a)
{
    struct question *q = arg;

    if (a->err != UM_OK && a->problem->status != 401)
        um_log_limited(UM_WARN, "rest", "rights could not be judged", UM_S("code", a->problem->code), UM_S("reason", a->problem->message));
    q->right = a->err == UM_OK ? right_of(a->reply) : a->problem->status == 503 ? UM_COLLAB_UNKNOWN : UM_COLLAB_NONE;
    answer(q);
}

/* May somebody look into SCOPE at all? An account is of its scope alone, whatever its name or roles are. */
static bool is_his_scope(const struct um_rest *r, const struct um_who *who, const char *scope)
{
    const char *own = who->scope != NULL && *who->scope != '\0' ? who->scope : um_domain_default_scope(r->deps.domain);

    return strcmp(own, scope) == 0 || (who->account == NULL && um_token_list_contains(&who->profiles, "SYSTEM_ADMIN"));
}

static bool may_be_free(const struct um_rest *r, const struct um_who *who)
{
    return r->deps.own->free_documents && is_his_scope(r, who, um_domain_default_scope(r->deps.domain));
}

/* A document that is no component's: whoever may see it may change it, as long as his account is one. */
static void on_present(void *arg, const struct um_domain_answer *a)
{
    struct question *q = arg;

    q->right = a->err == UM_OK ? UM_COLLAB_WRITE : a->problem->status == 503 ? UM_COLLAB_UNKNOWN : UM_COLLAB_NONE;
    answer(q);
}

/* Answered without the database: always later, as the engine wants it. */
static bool settle(struct question *q, enum um_collab_right right)
{
    q->right = right;
    um_loop_call(q->loop, answer, q);
    return true;
}

bool body_judge(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *identity, um_collab_right_cb *cb,
                void *arg)
{
    struct um_rest *r = ctx;
    char scope[UM_DOMAIN_SCOPE_MAX + 1];
    struct question *q;
    struct um_who who;
    const char *id;

    if (!body_is_name(document) && identity->who == NULL && r->deps.own->free_documents)
        return false;                        /* who needs no token has no scope */
    q = um_xcalloc(1, sizeof(*q));
    *q = (struct question){ .rest = r, .loop = l, .cb = cb, .arg = arg, .right = UM_COLLAB_NONE };
    if (identity->who != NULL)
        q->who = json_loadb((const char *)identity->who->data, identity->who->len, 0, NULL);
    if (q->who == NULL)
        return settle(q, UM_COLLAB_NONE);
    who = (struct um_who){ .user = json_string_value(json_object_get(q->who, "user")), .scope = json_string_value(json_object_get(q->who, "scope")),
                           .session = json_string_value(json_object_get(q->who, "session")), .request = "", .address = "",
                           .account = json_string_value(json_object_get(q->who, "account")) };
    q->profiles = list_of(json_object_get(q->who, "profiles"), &who.profiles);
    q->groups = list_of(json_object_get(q->who, "groups"), &who.groups);
    if (!body_is_name(document) && (who.account == NULL || !may_be_free(r, &who)))
        return settle(q, may_be_free(r, &who) ? UM_COLLAB_WRITE : UM_COLLAB_NONE);
    if (!body_is_name(document)) {
        um_domain_run_or(r->deps.domain, l, &um_users_present, &who, NULL, NULL, on_present, drop, q);
        return true;
    }
    if (!um_domain_shared_parts(r->deps.domain, document, scope, &id) || !is_his_scope(r, &who, scope))
        return settle(q, UM_COLLAB_NONE);
    who.scope = scope;
    um_domain_run_or(r->deps.domain, l, &um_components_right, &who, json_pack("{s:s}", "id", id), NULL, on_right, drop, q);
    return true;
}

/* ---- when rights change ---- */

/* SCOPE's ACLs, classes, teams, groups or users, or a component with a body. Documents that are no component's ask only whether the
 * account of a user still is one. */
static void rights_changed(struct um_rest *r, const char *scope, bool of_accounts)
{
    struct um_buf prefix = { 0 };

    if (!of_accounts || strcmp(scope, um_domain_default_scope(r->deps.domain)) != 0)
        um_buf_printf(&prefix, BODY_PREFIX "%s/", scope);
    um_collab_judge_again(r->collab, um_buf_cstr(&prefix));
    um_buf_free(&prefix);
}

#define CACHES(X) X(ACL, false) X(DocumentClass, false) X(Scope, false) X(CollaborativeBody, false) X(group, false) X(user, true)
#define X(name, of_accounts) \
    static void name##_changed(void *arg, const char *scope, uint64_t version, struct um_span news) \
    { \
        struct um_rest *r = arg; \
        (void)news; \
        rights_changed(r, scope, of_accounts); \
        um_cachegen_applied(r->deps.cachegen, scope, #name, version); \
    }
CACHES(X)
#undef X

/* A component's body has gone with it, in the same unit; who has it open is told. */
static void on_change(void *arg, const struct um_domain_change *change)
{
    struct um_rest *r = arg;
    struct um_buf name = { 0 };

    if (change->kind == UM_CHANGE_ACCOUNT)
        account_ended(r, change);
    if (change->kind == UM_CHANGE_DELETED && strcmp(change->category, UM_RESERVE_DOCUMENT) == 0) {
        um_buf_printf(&name, BODY_PREFIX "%s/%s", change->scope, change->id);
        um_collab_forget(r->collab, um_buf_cstr(&name));
    }
    um_buf_free(&name);
}

void body_listen(struct um_rest *r)
{
    um_domain_on_change(r->deps.domain, on_change, r);
#define X(name, of_accounts) um_cachegen_listen(r->deps.cachegen, r->deps.loop, #name, name##_changed, r);
    CACHES(X)
#undef X
}

/* ---- rows about one document ---- */

#define DOCUMENTS "/core/rest/collab/documents"

struct checking { struct later *later; bool writes, deletes; };

static void on_checked(void *arg, enum um_collab_right right)
{
    struct checking *k = arg;
    struct um_http_req *rq = later_take(k->later);
    bool writes = k->writes, deletes = k->deletes;

    free(k);
    if (rq == NULL)
        return;
    if (right == UM_COLLAB_UNKNOWN)
        um_http_reply_error(rq, 503, "U00503", "rights cannot be judged at the moment");
    else if (right == UM_COLLAB_NONE)
        um_http_reply_error(rq, 404, "F00012", "there is no such document");
    else if (writes && right < UM_COLLAB_WRITE)
        um_http_reply_error(rq, 403, "U00403", "changing it needs the permission UPDATE_CONTENT");
    else if (deletes)                        /* so that what holds for it (DELETE, retention, facts) holds for its body */
        um_http_reply_error(rq, 409, "U00409", "the body of a component goes with it: delete the document");
    else
        um_http_continue(rq);
}

bool body_check(struct um_http_req *rq, struct um_rest *r)
{
    const char *name = um_http_param(rq, "name"), *method = um_http_method(rq);
    struct um_collab_identity identity = { 0 };
    const struct caller *c = caller_of(rq);
    struct checking *k;

    if (strncmp(um_http_matched_route(rq)->path, DOCUMENTS, strlen(DOCUMENTS)) != 0)
        return true;
    if (name == NULL || !body_is_name(name)) {
        struct um_who who = { .scope = c->claims.scope, .profiles = c->claims.profiles, .account = c->claims.account };

        if (may_be_free(r, &who))
            return true;
        um_http_reply_error(rq, 403, "U00403", "documents without a component belong to the default scope, or are switched off");
        return false;
    }
    k = um_xmalloc(sizeof(*k));
    *k = (struct checking){ later_new(rq, r, NULL), strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0,
                             strcmp(method, "DELETE") == 0 };
    identity.who = body_who(c);
    body_judge(r, um_http_loop(rq), name, &identity, on_checked, k);
    um_bytes_unref(identity.who);
    return false;
}
