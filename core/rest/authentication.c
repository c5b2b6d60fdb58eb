/* POST /core/rest/authentication: user and password for a token. First the internal realm, whose users are good in every scope;
 * else the scope's own. The hash is computed on a worker; an unknown user costs the same time and gets the same answer. A gateway
 * proves itself with a token of its own and names the client's address, so that the throttle counts people and not gateways. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/password.h>
#include <umbel/util.h>
#include "credentials.h"
#include "platform.h"

#define TOKEN_NAMES_MAX 4096                 /* bytes of the teams and groups in a token: it is a header */

struct attempt {
    struct um_work work;
    struct um_rest *rest;
    struct later *later;
    struct user *user;                       /* of the internal realm; NULL: nobody of that name */
    json_t *account;                         /* um_users_credentials; NULL: nobody of that name */
    char name[USER_MAX + 1], scope[129], address[65];
    char password[UM_PASSWORD_MAX + 1];
    bool right;
};

static void attempt_free(struct attempt *a)
{
    sodium_memzero(a->password, sizeof(a->password));
    json_decref(a->account);
    free(a);
}

static void check_password(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);

    a->right = a->user != NULL ? users_check(a->user, a->password)
                               : um_password_check(json_string_value(json_object_get(a->account, "hash")), a->password);
    sodium_memzero(a->password, sizeof(a->password));
}

/* ---- the token ---- */

/* As many names as a token may hold; SYSTEM_ADMIN is none that a scope gives. The core reads them anew at every call: these are for
 * who shows them. */
static const char **names_of(const json_t *list, size_t *bytes, struct um_token_list *out)
{
    const char **items = um_xcalloc(json_array_size(list) + 1, sizeof(*items));
    json_t *name;
    size_t i, n = 0;

    json_array_foreach(list, i, name) {
        size_t len = strlen(json_string_value(name)) + 4;

        if (strcmp(json_string_value(name), "SYSTEM_ADMIN") == 0 || *bytes + len > TOKEN_NAMES_MAX)
            continue;
        *bytes += len;
        items[n++] = json_string_value(name);
    }
    *out = (struct um_token_list){ items, n };
    return items;
}

static um_err sign_account(const struct attempt *a, int64_t now, struct um_buf *text)
{
    size_t bytes = 0;
    struct um_token_claims claims = {
        .sub = a->name, .name = json_string_value(json_object_get(a->account, "name")), .use = UM_TOKEN_USER,
        .scope = json_string_value(json_object_get(a->account, "scope")), .account = json_string_value(json_object_get(a->account, "account")),
        .iat = now, .exp = now + a->rest->deps.token_expiration_s,
    };
    const char **profiles = names_of(json_object_get(a->account, "profiles"), &bytes, &claims.profiles);
    const char **groups = names_of(json_object_get(a->account, "groups"), &bytes, &claims.groups);
    um_err err = um_token_sign(&a->rest->deps.ring, &claims, text);

    free(profiles);
    free(groups);
    return err;
}

static um_err sign_internal(const struct attempt *a, int64_t now, struct um_buf *text)
{
    struct um_token_claims claims = {
        .sub = a->user->id, .name = a->user->display_name, .use = UM_TOKEN_USER,
        .scope = *a->scope ? a->scope : um_domain_default_scope(a->rest->deps.domain),
        .profiles = { (const char *const *)a->user->profiles, a->user->n_profiles },
        .iat = now, .exp = now + a->rest->deps.token_expiration_s,
    };

    return um_token_sign(&a->rest->deps.ring, &claims, text);
}

static void reply_token(struct um_http_req *rq, const struct attempt *a)
{
    int64_t now = um_wall_ms() / 1000;
    struct um_buf text = { 0 };

    if ((a->user != NULL ? sign_internal(a, now, &text) : sign_account(a, now, &text)) == UM_OK) {
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_json(rq, 200, json_pack("{s:s}", "value", um_buf_cstr(&text)));
    } else {
        um_http_reply_error(rq, 500, "T00000", "no token could be made");
    }
    um_buf_free(&text);
}

/* ---- the verdict ---- */

/* He knew the password, and is kept out: that is worth a fact. The client hears what any stranger hears. */
static void note_disabled(const struct attempt *a)
{
    json_t *detail = json_pack("{s:s, s:s}", "from", a->address, "reason", "disabled");
    char *text = json_dumps(detail, JSON_COMPACT);

    um_store_audit(a->rest->deps.store, &(struct um_store_audit){ .user = a->name, .action = "LOGIN_REFUSED", .object_type = "USER",
                                                                  .object_id = a->name, .detail = text,
                                                                  .scope = json_string_value(json_object_get(a->account, "scope")) });
    free(text);
    json_decref(detail);
}

static void answer(struct um_work *w)
{
    struct attempt *a = UM_CONTAINER(w, struct attempt, work);
    bool disabled = a->right && a->account != NULL && !json_is_true(json_object_get(a->account, "enabled"));
    bool expired = a->right && !disabled && json_is_true(json_object_get(a->account, "expired"));
    struct um_http_req *rq = later_take(a->later);

    um_log_limited(UM_INFO, "auth", a->right && !disabled && !expired ? "login" : "login refused", UM_S("user", a->name), UM_S("from", a->address),
                   UM_S("reason", disabled ? "disabled" : expired ? "the password has expired" : NULL));
    if (disabled)
        note_disabled(a);
    else if (a->right)
        um_throttle_succeeded(a->rest->throttle, a->name, a->address);
    if (rq != NULL && expired)
        um_http_reply_error(rq, 403, CREDENTIALS_EXPIRED, "the password has expired: set another one");
    else if (rq != NULL && a->right && !disabled)
        reply_token(rq, a);
    else if (rq != NULL)
        um_http_reply_error(rq, 401, "U00401", "user or password is wrong");
    attempt_free(a);
}

static void give_up(struct attempt *a, const char *why)
{
    struct um_http_req *rq = later_take(a->later);

    um_throttle_undecided(a->rest->throttle, a->name, a->address);
    if (rq != NULL)
        um_http_reply_error(rq, 503, "U00503", why);
    attempt_free(a);
}

static void judge(struct attempt *a)
{
    a->work = (struct um_work){ .loop = a->later->loop, .fn = check_password, .done = answer };
    if (um_work_submit(a->rest->pool, &a->work) != UM_OK)
        give_up(a, "too many logins at once");
}

static void on_credentials(void *arg, const struct um_domain_answer *found)
{
    struct attempt *a = arg;

    if (found->err != UM_OK && found->problem->status != 404) {
        give_up(a, "the store is away");
        return;
    }
    a->account = found->err == UM_OK ? json_incref(found->reply) : NULL;
    judge(a);
}

static void drop(void *arg)
{
    struct attempt *a = arg;

    (void)later_take(a->later);
    attempt_free(a);
}

/* ---- the request ---- */

void credentials_ask(struct um_rest *r, struct um_loop *l, const char *scope, const char *user, um_domain_cb *cb, um_domain_drop *when_closed,
                     void *arg)
{
    um_domain_run_or(r->deps.domain, l, &um_users_credentials, &(struct um_who){ .user = "", .scope = scope }, json_pack("{s:s}", "id", user), NULL, cb,
                     when_closed, arg);
}

void credentials_address(struct um_rest *r, struct um_http_req *rq, char out[65])
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

bool credentials_wait(struct um_rest *r, struct um_http_req *rq, const char *user, const char *address)
{
    int64_t wait_ms = um_throttle_take(r->throttle, user, address, um_now_ms());
    char seconds[24];

    if (wait_ms <= 0)
        return false;
    snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait_ms + 999) / 1000);
    um_http_add_header(rq, "Retry-After", seconds);
    um_http_reply_error(rq, 429, "U00429", "too many attempts; wait a little");
    return true;
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

    if (!read_body(rq, r, a)) {
        attempt_free(a);
        return;
    }
    credentials_address(r, rq, a->address);
    if (credentials_wait(r, rq, a->name, a->address)) {
        attempt_free(a);
        return;
    }
    a->rest = r;
    a->user = users_find(r->users, a->name);
    a->later = later_new(rq, r, NULL);
    if (a->user != NULL)
        judge(a);
    else
        credentials_ask(r, a->later->loop, a->scope, a->name, on_credentials, drop, a);
}
