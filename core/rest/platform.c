/* See platform.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/api.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "internal.h"
#include "platform.h"
#include "reservations.h"

/* ---- who ---- */

/* How deep in operations that cause one another this one is: by the token that a handler got, or by what it sends along. That may
 * say in which SESSION its job holds the component. */
static unsigned read_chain(struct um_rest *r, struct um_http_req *rq, const struct um_token_claims *claims, char session[])
{
    const char *chain = um_http_header(rq, "X-Operation-Chain");
    struct um_token_claims of = { 0 };
    int64_t depth = claims->depth;

    if (chain != NULL && um_token_verify(&r->deps.ring, UM_SPAN_STR(chain), UM_TOKEN_OPERATION, um_wall_ms() / 1000, &of) == UM_OK) {
        depth = UM_MAX(depth, of.depth);
        if (of.sid != NULL && strlen(of.sid) <= UM_RESERVE_SESSION_MAX)
            snprintf(session, UM_RESERVE_SESSION_MAX + 1, "%s", of.sid);
        um_token_claims_free(&of);
    }
    return (unsigned)UM_MIN(depth, 1000);
}

struct um_who platform_who(struct um_rest *r, struct um_http_req *rq, char session[])
{
    const struct caller *c = caller_of(rq);
    unsigned depth;

    caller_session(c, session);
    depth = read_chain(r, rq, &c->claims, session);
    return (struct um_who){
        .user = c->claims.sub, .scope = caller_scope(r, rq), .session = session, .request = um_http_request_id(rq),
        .address = um_http_peer(rq), .profiles = c->claims.profiles, .groups = c->claims.groups,
        .account = c->claims.account, .role = um_http_matched_route(rq)->role,
        .read_only = c->claims.access != NULL && strcmp(c->claims.access, "readonly") == 0,
        .depth = depth, .idempotency_key = um_http_header(rq, "Idempotency-Key"),
    };
}

/* ---- the reply ---- */

void platform_refuse(struct um_http_req *rq, const struct um_problem *p)
{
    if (p->details != NULL)
        um_http_reply_error_with(rq, p->status, p->code, p->message, json_incref((json_t *)p->details));
    else
        um_http_reply_error(rq, p->status, p->code, p->message);
}

struct asked {
    struct later *later;
    unsigned status;
    json_t *reply;
    int64_t version;
    void (*then)(void *arg, um_err err);
    void *arg;
};

static void reply(struct um_http_req *rq, struct asked *a)
{
    char tag[32];

    um_http_add_header(rq, "Cache-Control", "no-store");
    if (a->version > 0) {
        snprintf(tag, sizeof(tag), "\"%" PRId64 "\"", a->version);
        um_http_add_header(rq, "ETag", tag);
    }
    if (a->reply != NULL)
        um_http_reply_json(rq, a->status, json_incref(a->reply));
    else
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
}

static void asked_free(struct asked *a)
{
    json_decref(a->reply);
    free(a);
}

static void on_announced(void *arg, struct um_http_req *rq, const json_t *nodes)
{
    (void)nodes;
    if (rq != NULL)
        reply(rq, arg);
    asked_free(arg);
}

static void on_answer(void *arg, const struct um_domain_answer *answer)
{
    struct asked *a = arg;
    struct um_rest *r = a->later->rest;
    struct um_loop *l = a->later->loop;
    struct um_http_req *rq = later_take(a->later);

    if (a->then != NULL)
        a->then(a->arg, answer->err);
    a->reply = json_incref(answer->reply);
    a->version = answer->version;
    if (answer->err == UM_OK && answer->n_caches > 0) {
        announce(r, l, rq, answer->caches, answer->n_caches, UM_SPAN(NULL, 0), on_announced, a);
        return;
    }
    if (rq != NULL && answer->err == UM_OK)
        reply(rq, a);
    else if (rq != NULL)
        platform_refuse(rq, answer->problem);
    asked_free(a);
}

static void drop(void *arg)
{
    struct asked *a = arg;

    later_take(a->later);
    if (a->then != NULL)
        a->then(a->arg, UM_ECLOSED);
    asked_free(a);
}

/* ---- the call ---- */

/* 1 to UM_DOMAIN_KEY_MAX printable characters, or none. */
static bool is_key(const char *key)
{
    size_t n = key != NULL ? strlen(key) : 1;

    for (const char *p = key; p != NULL && *p != '\0'; p++)
        if (*p < 0x20 || *p > 0x7e)
            return false;
    return n >= 1 && n <= UM_DOMAIN_KEY_MAX;
}

void platform_ask(struct um_http_req *rq, struct um_rest *r, const struct um_domain_call *call, json_t *args, json_t *body,
                  void (*then)(void *arg, um_err err), void *arg)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(r, rq, session);
    struct asked *a;

    if (!is_key(who.idempotency_key)) {
        if (then != NULL)
            then(arg, UM_EINVAL);
        json_decref(args);
        json_decref(body);
        um_http_reply_error(rq, 400, "U00400", "an Idempotency-Key has 1 to 64 printable characters");
        return;
    }
    a = um_xcalloc(1, sizeof(*a));
    a->status = um_api_row_of(r->api, um_http_matched_route(rq))->replies[0].status;
    a->then = then;
    a->arg = arg;
    a->later = later_new(rq, r, NULL);
    um_domain_run_or(r->deps.domain, um_http_loop(rq), call, &who, args, body, on_answer, drop, a);
}

void platform_call(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const struct um_api_row *row = um_api_row_of(r->api, um_http_matched_route(rq));
    const struct platform_row *own = row->call;
    json_t *body = row->body != NULL ? um_api_body(r->api, rq) : NULL, *args;

    if (row->body != NULL && body == NULL)
        return;
    args = um_api_args(r->api, rq);
    if (own->name != NULL)
        json_object_set_new(args, own->name, json_string(own->value));
    platform_ask(rq, r, own->call, args, body, NULL, NULL);
}
