/* POST /core/rest/authentication: user and password for a token. The hash is computed on a worker; an unknown user costs
 * the same time and gets the same answer. A gateway proves itself with a token of its own and names the client's address,
 * so that the throttle counts people and not gateways. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

#define PASSWORD_MAX 1024

struct attempt {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    struct user *user;                       /* NULL: nobody of that name */
    char name[USER_MAX + 1], scope[129], address[65];
    char password[PASSWORD_MAX + 1];
    bool right;
};

static void check_password(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);

    a->right = users_check(a->user, a->password);
    sodium_memzero(a->password, sizeof(a->password));
}

static void reply_token(struct um_http_req *rq, const struct attempt *a)
{
    int64_t now = um_wall_ms() / 1000;
    struct um_buf text = { 0 };
    struct um_token_claims claims = {
        .sub = a->user->id, .name = a->user->display_name, .scope = *a->scope ? a->scope : NULL, .use = UM_TOKEN_USER,
        .profiles = { (const char *const *)a->user->profiles, a->user->n_profiles },
        .iat = now, .exp = now + a->rest->deps.token_expiration_s,
    };

    if (um_token_sign(&a->rest->deps.ring, &claims, &text) == UM_OK) {
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_json(rq, 200, json_pack("{s:s}", "value", um_buf_cstr(&text)));
    } else {
        um_http_reply_error(rq, 500, "T00000", "no token could be made");
    }
    um_buf_free(&text);
}

static void answer(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);
    struct um_http_req *rq = later_take(a->later);

    um_log_limited(UM_INFO, "auth", a->right ? "login" : "login refused", UM_S("user", a->name), UM_S("from", a->address));
    if (a->right)
        um_throttle_succeeded(a->rest->throttle, a->name, a->address);
    if (rq != NULL && a->right)
        reply_token(rq, a);
    else if (rq != NULL)
        um_http_reply_error(rq, 401, "U00401", "user or password is wrong");
    free(a);
}

/* The client's address: what a gateway swears to, else the TCP peer. */
static void client_address(struct um_rest *r, struct um_http_req *rq, char out[65])
{
    const char *token = caller_token(rq);
    struct um_token_claims claims = { 0 };

    snprintf(out, 65, "%s", um_http_peer(rq));
    if (token != NULL &&
        um_token_verify(&r->deps.ring, UM_SPAN_STR(token), UM_TOKEN_GATEWAY, um_wall_ms() / 1000, &claims) == UM_OK) {
        if (claims.addr != NULL)
            snprintf(out, 65, "%s", claims.addr);
        um_token_claims_free(&claims);
    }
}

/* The schema counts characters, we have room for bytes. False: replied. */
static bool read_body(struct um_http_req *rq, const struct um_rest *r, struct attempt *a)
{
    const struct { const char *name; char *to; size_t size; } parts[] = {
        { "user", a->name, sizeof(a->name) }, { "password", a->password, sizeof(a->password) }, { "scope", a->scope, sizeof(a->scope) },
    };
    json_t *body = um_api_body(r->api, rq);
    bool ok = body != NULL;

    for (size_t i = 0; ok && i < UM_COUNT(parts); i++) {
        const char *text = json_string_value(json_object_get(body, parts[i].name));

        ok = text == NULL || strlen(text) < parts[i].size;
        if (ok)
            snprintf(parts[i].to, parts[i].size, "%s", text != NULL ? text : "");
        else
            um_http_reply_error(rq, 400, "U00400", "user, password or scope is too long");
    }
    json_decref(body);
    return ok;
}

void authentication_post(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct attempt *a = um_xcalloc(1, sizeof(*a));
    int64_t wait_ms;

    if (!read_body(rq, r, a)) {
        free(a);
        return;
    }
    client_address(r, rq, a->address);
    wait_ms = um_throttle_take(r->throttle, a->name, a->address, um_now_ms());
    if (wait_ms > 0) {
        char seconds[24];
        snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait_ms + 999) / 1000);
        um_http_add_header(rq, "Retry-After", seconds);
        um_http_reply_error(rq, 429, "U00429", "too many attempts; wait a little");
        free(a);
        return;
    }
    a->rest = r;
    a->user = users_find(r->users, a->name);
    a->work = (struct um_work){ .loop = um_http_loop(rq), .fn = check_password, .done = answer };
    a->later = later_new(rq, r, NULL);
    if (um_work_submit(r->pool, &a->work) != UM_OK) {
        um_throttle_undecided(r->throttle, a->name, a->address);
        um_http_reply_error(later_take(a->later), 503, "U00503", "too many logins at once");
        free(a);
    }
}
