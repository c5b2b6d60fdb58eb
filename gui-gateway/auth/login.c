/* POST /gui/rest/session: the core verifies user and password, the gateway makes the session.
 *
 * 1. An attempt is counted as failed before the core is asked, and only the core's verdict takes that back: a client that
 *    hangs up early has still used one.
 * 2. The session is a new one at every login, and the one that the browser had before ends (S4). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <proxy/exchange.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "auth_int.h"
#include "own_sessions.h"

#define CODE_EXPIRED "U00440"
enum { USER_MAX = 256, PASSWORD_MAX = 1024, SCOPE_MAX = 128, ANSWER_MAX = 64 * 1024, CSRF_CHARS = 32, LOGIN_DEADLINE_MS = 60000 };

struct login {
    struct auth_wait wait;                /* first: what on_gone knows */
    struct um_client client;
    char *user;
    char old_ids[AUTH_COOKIES_MAX][UM_SESSION_ID_LEN + 1];
    size_t n_old;
};

static void login_free(struct login *lg)
{
    free(lg->user);
    free(lg);
}

static void log_login(const struct login *lg, const char *event, const char *reason)
{
    um_log_limited(UM_INFO, "gateway.auth", event, UM_S("user", lg->user), UM_S("address", lg->client.address),
                   UM_S("reason", reason), UM_S("request", lg->wait.rq != NULL ? um_http_request_id(lg->wait.rq) : NULL));
}

static void refuse(struct login *lg, unsigned status, const char *code, const char *message, const char *retry_after)
{
    log_login(lg, "login-refused", message);
    if (lg->wait.rq != NULL) {
        if (retry_after != NULL)
            um_http_add_header(lg->wait.rq, "Retry-After", retry_after);
        um_http_reply_error(lg->wait.rq, status, code, message);
    }
    login_free(lg);
}

/* ---- the session ---- */

static void created(void *arg, um_err err, const struct um_session *s)
{
    struct login *lg = arg;
    struct um_auth_env *env = &lg->wait.a->env;

    if (err != UM_OK) {
        refuse(lg, 503, "U00503", "sessions are not available at the moment", NULL);
        return;
    }
    if (lg->wait.rq == NULL) {            /* nobody will ever get to know its id */
        um_session_destroy(env->sessions, env->loop, s->id, NULL, NULL);
        login_free(lg);
        return;
    }
    for (size_t i = 0; i < lg->n_old; i++)
        um_session_destroy(env->sessions, env->loop, lg->old_ids[i], NULL, NULL);
    um_count(&auth_metrics[AUTH_M_LOGINS], 1);
    log_login(lg, "login", NULL);
    auth_set_cookie(lg->wait.a, lg->wait.rq, s->id);
    um_http_reply_json(lg->wait.rq, 200, auth_session_json(lg->wait.a, s));
    login_free(lg);
}

static char *list_text(const struct um_token_list *list)
{
    json_t *array = json_array();
    char *text;

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_string(list->items[i]));
    text = json_dumps(array, JSON_COMPACT);
    json_decref(array);
    return text;
}

static void create_session(struct login *lg, const struct um_token_claims *c)
{
    struct um_auth_env *env = &lg->wait.a->env;
    char *profiles = list_text(&c->profiles), *groups = list_text(&c->groups), csrf[CSRF_CHARS + 1];
    const char *texts[][2] = {
        { ATTR_NAME, c->name != NULL ? c->name : c->sub }, { ATTR_SCOPE, c->scope != NULL ? c->scope : "" },
        { ATTR_PROFILES, profiles != NULL ? profiles : "" }, { ATTR_GROUPS, groups != NULL ? groups : "" }, { ATTR_CSRF, csrf },
        { ATTR_ACCOUNT, c->account != NULL ? c->account : "" },
    };
    struct um_session_attr attrs[UM_COUNT(texts)];

    um_random_id(csrf, CSRF_CHARS);
    for (size_t i = 0; i < UM_COUNT(texts); i++)
        attrs[i] = (struct um_session_attr){ texts[i][0], UM_SPAN_STR(texts[i][1]) };
    um_session_create(env->sessions, env->loop, c->sub, attrs, UM_COUNT(attrs), created, lg);
    free(profiles);
    free(groups);
}

/* ---- the core's verdict ---- */

um_err auth_read_verdict(const struct um_auth *a, struct um_span body, struct um_token_claims *claims)
{
    json_t *json = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    const char *value = json_string_value(json_object_get(json, "value"));
    um_err err = UM_EPROTO;

    *claims = (struct um_token_claims){0};
    if (value != NULL)
        err = um_token_verify(a->env.ring, UM_SPAN_STR(value), UM_TOKEN_USER, um_wall_ms() / 1000, claims);
    json_decref(json);
    return err;
}

static void accepted(struct login *lg, struct um_span body)
{
    struct um_throttle *th = lg->wait.a->env.throttle;
    struct um_token_claims claims;
    um_err err = auth_read_verdict(lg->wait.a, body, &claims);

    if (err == UM_OK) {
        um_throttle_succeeded(th, lg->user, lg->client.address);
        create_session(lg, &claims);
    } else {
        /* EDENIED here means that core and gateway do not share token.key. */
        um_throttle_undecided(th, lg->user, lg->client.address);
        um_log_limited(UM_ERROR, "gateway.auth", "core-token-refused", UM_S("reason", um_err_text(err)),
                       UM_S("hint", err == UM_EDENIED ? "token.key differs between core and gateway" : NULL));
        refuse(lg, 503, "U00503", "logins are not possible at the moment", NULL);
    }
    um_token_claims_free(&claims);
}

/* The core's refusal of a password that is right and has expired. */
static bool has_expired(unsigned status, struct um_span body)
{
    json_t *json = status == 403 ? json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *code = json_string_value(json_object_get(json, "code"));
    bool has = code != NULL && strcmp(code, CODE_EXPIRED) == 0;

    json_decref(json);
    return has;
}

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    struct login *lg = arg;
    struct um_throttle *th = lg->wait.a->env.throttle;

    if (err == UM_OK && status == 200) {
        accepted(lg, body);
    } else if (err == UM_OK && has_expired(status, body)) {
        um_throttle_succeeded(th, lg->user, lg->client.address);
        refuse(lg, 403, CODE_EXPIRED, "the password has expired: set another one", NULL);
    } else if (err == UM_OK && (status == 400 || status == 401 || status == 403)) {
        um_count(&auth_metrics[AUTH_M_LOGINS_REFUSED], 1);
        refuse(lg, 401, "U00401", "wrong user or password", NULL);
    } else if (err == UM_OK && status == 429) {
        um_throttle_undecided(th, lg->user, lg->client.address);
        um_count(&auth_metrics[AUTH_M_LOGINS_THROTTLED], 1);
        refuse(lg, 429, "U00429", "too many failed logins", retry_after);
    } else {
        um_throttle_undecided(th, lg->user, lg->client.address);
        refuse(lg, 503, "U00503", "the core cannot be reached at the moment", NULL);
    }
}

/* ---- asking ---- */

static bool is_text(const char *s, size_t max)
{
    size_t n = s != NULL ? strnlen(s, max + 1) : 0;

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return false;
    return n > 0 && n <= max;
}

um_err auth_ask_core(struct um_auth *a, const struct um_http_req *rq, const char *address, const struct auth_password *p, um_call_cb *cb, void *arg)
{
    struct um_buf token = {0};
    json_t *json = json_pack("{s:s, s:s, s:s}", "user", p->user, "password", p->password, "scope", p->scope);
    char *body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    um_err err = UM_ENOMEM;

    if (body != NULL && (err = auth_mint_gateway(a, address, &token)) == UM_OK) {
        struct um_exchange_header headers[] = {
            { "Content-Type", "application/json" }, { "Accept", "application/json" }, { "token", um_buf_cstr(&token) },
            { "X-Request-Id", um_http_request_id(rq) },
        };
        struct um_exchange_request ex = { .method = "POST", .target = "/core/rest/authentication", .headers = headers,
                                          .n = UM_COUNT(headers), .repeatable = true };
        err = um_call_start(a->env.upstream, &ex, UM_SPAN_STR(body), ANSWER_MAX, cb, arg) != NULL ? UM_OK : UM_ENOMEM;
    }
    if (body != NULL)
        explicit_bzero(body, strlen(body));
    free(body);
    json_decref(json);
    um_buf_free(&token);
    return err;
}

static void try_login(struct um_auth *a, struct um_http_req *rq, const char *user, const char *password, const char *scope)
{
    struct login *lg = um_xcalloc(1, sizeof(*lg));
    char seconds[24];
    int64_t wait_ms;

    um_http_deadline(rq, LOGIN_DEADLINE_MS);
    auth_wait_start(&lg->wait, a, rq);
    um_client_of(a->env.trusted, rq, &lg->client);
    lg->user = um_xstrdup(user);
    lg->n_old = auth_cookie_ids(a, rq, lg->old_ids);
    if ((wait_ms = um_throttle_take(a->env.throttle, user, lg->client.address, um_now_ms())) > 0) {
        um_count(&auth_metrics[AUTH_M_LOGINS_THROTTLED], 1);
        snprintf(seconds, sizeof(seconds), "%lld", (long long)((wait_ms + 999) / 1000));
        refuse(lg, 429, "U00429", "too many failed logins", seconds);
    } else if (auth_ask_core(a, rq, lg->client.address, &(struct auth_password){ user, password, scope }, answered, lg) != UM_OK) {
        um_throttle_undecided(a->env.throttle, user, lg->client.address);
        refuse(lg, 503, "U00503", "logins are not possible at the moment", NULL);
    }
}

/* Other sites' pages can post forms and texts without asking us first, but not this type (SEC-03). */
static bool says_json(const struct um_http_req *rq)
{
    const char *type = um_http_header(rq, "Content-Type");
    return type != NULL && strncasecmp(type, "application/json", 16) == 0 && strchr("; \t", type[16]) != NULL;
}

void um_auth_login(struct um_auth *a, struct um_http_req *rq)
{
    const char *user, *password, *scope;
    json_t *json;

    if (!auth_is_same_site(a, rq)) {
        um_count(&auth_metrics[AUTH_M_CSRF], 1);
        um_http_reply_error(rq, 403, "U00403", "logins from another site are refused");
        return;
    }
    if (!says_json(rq)) {
        um_http_reply_error(rq, 415, "U00400", "the body must be application/json");
        return;
    }
    if ((json = um_http_body_json(rq)) == NULL)
        return;
    user = json_string_value(json_object_get(json, "user"));
    password = json_string_value(json_object_get(json, "password"));
    scope = json_string_value(json_object_get(json, "scope"));
    if (scope == NULL)
        scope = a->env.conf->scope;
    if (is_text(user, USER_MAX) && is_text(scope, SCOPE_MAX) && password != NULL && password[0] != '\0' &&
        strnlen(password, PASSWORD_MAX + 1) <= PASSWORD_MAX)
        try_login(a, rq, user, password, scope);
    else
        um_http_reply_error(rq, 400, "U00400", "user and password are needed");
    json_decref(json);
}
