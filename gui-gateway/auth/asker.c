/* See auth/asker.h. A password is the core's to judge, but for the actuator's own user; both under the throttle of logins. */
#include <auth/asker.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/actuator.h>
#include <umbel/util.h>

#include "auth_int.h"

struct judging {
    struct auth_wait wait;                /* first: what on_gone knows */
    const struct um_http_route *route;
    char address[46];
    char user[UM_ACTUATOR_USER_MAX + 1];  /* of Basic */
};

/* ---- who it is ---- */

static void asker_free(void *p)
{
    struct um_asker *who = p;

    free(who->user);
    free(who->scope);
    json_decref(who->profiles);
    free(who);
}

static void set_asker(struct um_auth *a, struct um_http_req *rq, const char *user, const char *scope, json_t *profiles)
{
    struct um_asker *who = um_xcalloc(1, sizeof(*who));
    struct um_client client;

    um_client_of(a->env.trusted, rq, &client);
    memcpy(who->address, client.address, sizeof(who->address));
    who->user = um_xstrdup(user);
    who->scope = um_xstrdup(scope != NULL && *scope != '\0' ? scope : a->env.conf->scope);
    who->profiles = profiles;
    um_http_set_user(rq, who, asker_free);
}

static json_t *list_json(const struct um_token_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, json_string(list->items[i]));
    return array;
}

const struct um_asker *um_auth_asker(const struct um_http_req *rq) { return um_http_user(rq); }

bool um_asker_has(const struct um_asker *who, const char *role)
{
    bool has = false;

    for (size_t i = 0; who != NULL && i < json_array_size(who->profiles); i++) {
        const char *profile = json_string_value(json_array_get(who->profiles, i));

        has |= profile != NULL && (strcmp(profile, role) == 0 || strcmp(profile, "SYSTEM_ADMIN") == 0);
    }
    return has;
}

bool um_asker_sees(const struct um_asker *who, const char *scope)
{
    return um_asker_has(who, "SYSTEM_ADMIN") || strcmp(who->scope, scope != NULL ? scope : "") == 0;
}

static bool refuse_nobody(struct um_http_req *rq, const char *why)
{
    um_http_add_header(rq, "WWW-Authenticate", "Bearer");
    um_http_reply_error(rq, 401, "U00401", why);
    return false;
}

static bool has_role(struct um_http_req *rq, const struct um_http_route *route)
{
    if (route->role == NULL || um_asker_has(um_auth_asker(rq), route->role))
        return true;
    um_http_reply_error(rq, 403, "U00403", "this needs another role");
    return false;
}

/* ---- a token ---- */

static const char *token_of(const struct um_http_req *rq)
{
    const char *token = um_http_header(rq, "token"), *bearer = um_http_header(rq, "Authorization");

    if (token != NULL && *token != '\0')
        return token;
    return bearer != NULL && strncasecmp(bearer, "Bearer ", 7) == 0 ? bearer + 7 + strspn(bearer + 7, " ") : NULL;
}

/* One that is worth nothing is none, where nobody needs one. */
static bool judge_token(struct um_auth *a, struct um_http_req *rq, const struct um_http_route *route, const char *token)
{
    struct um_token_claims claims = { 0 };
    bool ok = um_token_verify(a->env.ring, UM_SPAN_STR(token), UM_TOKEN_USER, um_wall_ms() / 1000, &claims) == UM_OK &&
              (claims.sid == NULL || !um_sessions_have_revoked_hash(a->env.sessions, claims.sid));

    if (ok)
        set_asker(a, rq, claims.sub, claims.scope, list_json(&claims.profiles));
    um_token_claims_free(&claims);
    if (!ok && route->role != NULL)
        return refuse_nobody(rq, "the token is not valid (any more)");
    return has_role(rq, route);
}

/* ---- name and password ---- */

static void end(struct judging *j, bool goes_on)
{
    struct um_http_req *rq = j->wait.rq;

    if (rq != NULL && goes_on) {
        um_http_on_gone(rq, NULL, NULL);
        if (has_role(rq, j->route))
            um_http_continue(rq);
    }
    free(j);
}

static void verified(struct judging *j, struct um_span body)
{
    struct um_auth *a = j->wait.a;
    struct um_token_claims claims;
    bool ok = auth_read_verdict(a, body, &claims) == UM_OK;

    if (ok) {
        um_throttle_succeeded(a->env.throttle, j->user, j->address);
        if (j->wait.rq != NULL)
            set_asker(a, j->wait.rq, claims.sub, claims.scope, list_json(&claims.profiles));
    } else {
        um_throttle_undecided(a->env.throttle, j->user, j->address);
        if (j->wait.rq != NULL)
            um_http_reply_error(j->wait.rq, 503, "U00503", "core and gateway have another token.key");
    }
    um_token_claims_free(&claims);
    end(j, ok);
}

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    struct judging *j = arg;
    struct um_http_req *rq = j->wait.rq;

    if (err == UM_OK && status == 200) {
        verified(j, body);
        return;
    }
    if (err == UM_OK && (status == 400 || status == 401 || status == 403)) {
        if (rq != NULL)
            um_actuator_refuse_basic(rq);
    } else {
        um_throttle_undecided(j->wait.a->env.throttle, j->user, j->address);
        if (rq != NULL && retry_after != NULL)
            um_http_add_header(rq, "Retry-After", retry_after);
        if (rq != NULL && err == UM_OK && status == 429)
            um_http_reply_error(rq, 429, "U00429", "too many attempts; wait a little");
        else if (rq != NULL)
            um_http_reply_error(rq, 503, "U00503", "no core can be asked at the moment");
    }
    end(j, false);
}

static void ask_core(struct um_auth *a, struct um_http_req *rq, const struct um_http_route *route, const struct um_client *client,
                     const struct um_actuator_credentials *given)
{
    struct judging *j = um_xcalloc(1, sizeof(*j));

    auth_wait_start(&j->wait, a, rq);
    j->route = route;
    memcpy(j->address, client->address, sizeof(j->address));
    memcpy(j->user, given->user, sizeof(j->user));
    if (auth_ask_core(a, rq, client->address, &(struct auth_password){ given->user, given->password, a->env.conf->scope }, answered, j) == UM_OK)
        return;
    um_throttle_undecided(a->env.throttle, j->user, j->address);
    um_http_reply_error(rq, 503, "U00503", "no core can be asked at the moment");
    free(j);
}

static bool judge_password(struct um_auth *a, struct um_http_req *rq, const struct um_http_route *route, struct um_actuator_credentials *given)
{
    struct um_client client;

    um_client_of(a->env.trusted, rq, &client);
    if (um_throttle_take(a->env.throttle, given->user, client.address, um_now_ms()) > 0) {
        um_http_reply_error(rq, 429, "U00429", "too many attempts; wait a little");
        return false;
    }
    if (!um_actuator_is_own_user(a->env.actuator, given)) {
        ask_core(a, rq, route, &client, given);
        return false;
    }
    um_throttle_succeeded(a->env.throttle, given->user, client.address);
    set_asker(a, rq, given->user, NULL, json_pack("[s]", "SYSTEM_ADMIN"));
    return true;
}

/* ---- a session ---- */

static void session_found(void *arg, um_err err, const struct um_session *s)
{
    struct judging *j = arg;
    struct um_http_req *rq = j->wait.rq;
    struct um_span text;
    json_t *profiles;

    if (rq == NULL) {
        free(j);
        return;
    }
    if (err != UM_OK || (strcmp(um_http_method(rq), "GET") != 0 && strcmp(um_http_method(rq), "HEAD") != 0 && !auth_csrf_is_right(j->wait.a, rq, s))) {
        if (err == UM_ENOTFOUND)
            refuse_nobody(rq, "an administrator's token, name and password, or session is needed");
        else if (err != UM_OK)
            um_http_reply_error(rq, 503, "U00503", "sessions are not available at the moment");
        else
            um_http_reply_error(rq, 403, "U00403", "the request lacks the session's CSRF token or comes from another site");
        end(j, false);
        return;
    }
    text = um_session_attr(s, ATTR_PROFILES);
    profiles = text.len > 0 ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
    set_asker(j->wait.a, rq, s->user, um_session_attr_str(s, ATTR_SCOPE), profiles != NULL ? profiles : json_array());
    end(j, true);
}

static void judge_session(struct um_auth *a, struct um_http_req *rq, const struct um_http_route *route)
{
    struct judging *j = um_xcalloc(1, sizeof(*j));

    auth_wait_start(&j->wait, a, rq);
    j->route = route;
    auth_find_session(a, rq, session_found, j);
}

/* ---- the order ---- */

bool um_auth_judge(struct um_auth *a, struct um_http_req *rq, const struct um_http_route *route)
{
    struct um_actuator_credentials given;
    const char *token = token_of(rq);
    bool goes_on = false;

    if (token != NULL)
        return judge_token(a, rq, route, token);
    switch (um_actuator_basic(rq, &given)) {
    case UM_ACTUATOR_BASIC:
        goes_on = judge_password(a, rq, route, &given);
        explicit_bzero(given.password, sizeof(given.password));
        return goes_on;
    case UM_ACTUATOR_BAD_BASIC:
        um_actuator_refuse_basic(rq);
        return false;
    case UM_ACTUATOR_NO_BASIC:
        break;
    }
    if (route->role == NULL)
        return true;
    judge_session(a, rq, route);
    return false;
}
