/* See admin.h. A fact: who, from where, by which request, what, before and after; as JSON in the table `audit`. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/sql_shared.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "admin.h"

struct act {
    struct later *later;
    struct um_rest *rest;
    struct um_loop *loop;
    char *user, *action, *type, *id, *scope;
    json_t *detail;
    char *text;                              /* of the detail, once it is written */
    unsigned status;
    json_t *body;
    um_err err;
    struct um_ask_question question;
    act_answered *answered;
};

static char *cut(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len > max)
        for (len = max; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80; )
            len--;
    return um_xstrndup(text, len);
}

static json_t *detail_of(const struct um_http_req *rq)
{
    const char *address = caller_of(rq)->claims.addr;

    return json_pack("{s:s, s:s}", "from", address != NULL ? address : um_http_peer(rq), "request", um_http_request_id(rq));
}

/* Of what a fact is about when nobody says so. */
static const char *scope_of(const struct um_rest *r, const char *type, const char *id, char out[UM_DOMAIN_SCOPE_MAX + 1])
{
    bool is_one = strcmp(type, "DOCUMENT") == 0 && strcmp(id, "*") != 0;

    return is_one ? admin_scope_of(r, id, out) : "";
}

struct act *act_new(struct um_http_req *rq, struct um_rest *r, const char *action, const char *type, const char *id)
{
    const struct um_token_claims *c = &caller_of(rq)->claims;
    struct act *a = um_xcalloc(1, sizeof(*a));
    char scope[UM_DOMAIN_SCOPE_MAX + 1];

    a->later = later_new(rq, r, NULL);
    a->rest = r;
    a->loop = um_http_loop(rq);
    a->user = cut(c->sub, UM_STORE_HOLDER_MAX);
    a->action = cut(action, UM_STORE_ACTION_MAX);
    a->type = cut(type, UM_STORE_ACTION_MAX);
    a->id = cut(id, UM_STORE_REF_ID_MAX);
    a->scope = um_xstrdup(scope_of(r, type, id, scope));
    a->detail = detail_of(rq);
    return a;
}

void act_scope(struct act *a, const char *scope)
{
    free(a->scope);
    a->scope = um_xstrdup(strcmp(scope, SCOPE_ALL) != 0 ? scope : "");
}

void act_fact(struct um_http_req *rq, struct um_rest *r, const char *scope, const char *action, const char *type, const char *id)
{
    json_t *detail = detail_of(rq);
    char *text = json_dumps(detail, JSON_COMPACT), *short_id = cut(id, UM_STORE_REF_ID_MAX);
    const char *user = caller_of(rq)->claims.sub;

    um_log(UM_INFO, "audit", action, UM_S("user", user), UM_S("type", type), UM_S("id", id), UM_S("detail", text));
    um_store_audit(r->deps.store, &(struct um_store_audit){ .user = user, .action = action, .object_type = type, .object_id = short_id,
                                                            .detail = text, .scope = strcmp(scope, SCOPE_ALL) != 0 ? scope : "" });
    free(text);
    free(short_id);
    json_decref(detail);
}

struct um_loop *act_loop(const struct act *a) { return a->loop; }
struct um_rest *act_rest(const struct act *a) { return a->rest; }
const char *act_user(const struct act *a) { return a->user; }
void act_note(struct act *a, const char *key, json_t *value) { json_object_set_new(a->detail, key, value); }

static struct um_http_req *act_end(struct act *a)
{
    struct um_http_req *rq = later_take(a->later);

    json_decref(a->detail);
    free(a->text);
    free(a->user);
    free(a->action);
    free(a->type);
    free(a->id);
    free(a->scope);
    free(a);
    return rq;
}

static um_err write_fact(void *arg, struct um_sql *q)
{
    struct act *a = arg;

    return um_sql_audit(q, &(struct um_store_audit){ .user = a->user, .action = a->action, .object_type = a->type, .object_id = a->id,
                                                     .detail = a->text, .scope = a->scope });
}

/* What was done stays done: a fact that the store cannot take now stands in the log, whole. */
static void fact_written(void *arg, um_err err)
{
    struct act *a = arg;
    unsigned status = a->status;
    json_t *body = a->body;
    struct um_http_req *rq;

    if (err != UM_OK)
        um_log(UM_ERROR, "audit", "a fact could not be stored", UM_S("user", a->user), UM_S("action", a->action), UM_S("type", a->type),
               UM_S("id", a->id), UM_S("detail", a->text), UM_S("error", um_err_text(err)));
    rq = act_end(a);
    if (rq != NULL && body != NULL)
        um_http_reply_json(rq, status, json_incref(body));
    else if (rq != NULL)
        um_http_reply(rq, status, NULL, UM_SPAN(NULL, 0));
    json_decref(body);
}

void act_done(struct act *a, unsigned status, json_t *body)
{
    a->status = status;
    a->body = body;
    a->text = json_dumps(a->detail, JSON_COMPACT);
    if (a->text == NULL || strlen(a->text) > UM_STORE_DETAIL_MAX) {
        free(a->text);
        a->text = um_xstrdup("{\"tooLong\":true}");
    }
    um_log(UM_INFO, "audit", a->action, UM_S("user", a->user), UM_S("type", a->type), UM_S("id", a->id), UM_S("detail", a->text));
    um_store_transact(a->rest->deps.store, a->loop, write_fact, fact_written, a);
}

void act_failed(struct act *a, unsigned status, const char *code, const char *message)
{
    struct um_http_req *rq = act_end(a);

    if (rq != NULL)
        um_http_reply_error(rq, status, code, message);
}

void act_failed_store(struct act *a, um_err err)
{
    struct um_http_req *rq = act_end(a);

    if (rq != NULL)
        reply_store_error(rq, err);
}

static void answered(void *arg, const struct um_ask_answer *answers, size_t n)
{
    struct act *a = arg;

    a->answered(a, answers, n);
}

void act_ask(struct act *a, struct um_ask_question q, json_t *body, act_answered *done)
{
    a->answered = done;
    q.body = body;
    um_ask(um_node_ask(a->rest->deps.node), a->loop, &q, answered, a);
    json_decref(body);
}

bool act_was_refused(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    char *message;

    if (n == 1 && answers[0].state == UM_ASK_ANSWERED)
        return false;
    if (n == 0) {
        act_failed(a, 404, "U00404", "there is no such member");
        return true;
    }
    if (answers[0].state != UM_ASK_FAILED) {
        act_failed(a, 503, "U00503", answers[0].state == UM_ASK_SILENT ? "the member does not answer" : "the member has another token.key");
        return true;
    }
    message = um_xstrdup(answers[0].error != NULL ? answers[0].error : "the member refuses");
    act_failed(a, 409, "U00409", message);
    free(message);
    return true;
}
