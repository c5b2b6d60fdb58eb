/* Who is asking: the token of a request. The core trusts nothing else. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/domain_calls.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "actuator.h"
#include "bodies.h"
#include "internal.h"
#include "platform.h"
#include "reservations.h"

const char *caller_token(const struct um_http_req *rq)
{
    const char *token = um_http_header(rq, "token"), *bearer;

    if (token != NULL && *token != '\0')
        return token;
    bearer = um_http_header(rq, "Authorization");
    if (bearer == NULL || strncasecmp(bearer, "Bearer ", 7) != 0)
        return NULL;
    return bearer + 7 + strspn(bearer + 7, " ");
}

static void caller_free(void *p)
{
    struct caller *c = p;

    um_token_claims_free(&c->claims);
    free(c->profiles);
    free(c->groups);
    json_decref(c->fresh);
    free(c);
}

static bool is_one_of(const char *word, const char *words)
{
    for (size_t n; *words != '\0'; words += n + (words[n] == '|')) {
        n = strcspn(words, "|");
        if (strlen(word) == n && memcmp(word, words, n) == 0)
            return true;
    }
    return false;
}

/* ROLES: "ADMIN", or "ADMIN|FUNCTIONAL_ADMIN": one of them. No account of a scope has SYSTEM_ADMIN. */
static bool has_role(const struct um_token_claims *claims, const char *roles)
{
    if (roles == NULL || (claims->account == NULL && um_token_list_contains(&claims->profiles, "SYSTEM_ADMIN")))
        return true;
    for (size_t i = 0; i < claims->profiles.n; i++)
        if (is_one_of(claims->profiles.items[i], roles) && strcmp(claims->profiles.items[i], "SYSTEM_ADMIN") != 0)
            return true;
    return false;
}

static bool refuse_role(struct um_http_req *rq, const struct um_rest *r, const struct um_http_route *route)
{
    const char *code = um_api_row_of(r->api, route)->refusal;

    um_http_reply_error(rq, 403, code != NULL ? code : "U00403", "this needs another role");
    return false;
}

bool caller_is(struct um_http_req *rq, const struct um_rest *r, const struct um_token_claims *claims, const struct um_http_route *route)
{
    struct caller *c = um_xcalloc(1, sizeof(*c));

    c->claims = *claims;
    um_http_set_user(rq, c, caller_free);
    if (has_role(&c->claims, route->role))
        return true;
    return refuse_role(rq, r, route);
}

static bool verify(struct um_rest *r, const char *token, const char *use, struct um_token_claims *claims)
{
    return um_token_verify(&r->deps.ring, UM_SPAN_STR(token), use, um_wall_ms() / 1000, claims) == UM_OK &&
           !revocations_have(r->revocations, claims->sid) && (claims->account == NULL || claims->scope != NULL);
}

static void refuse_token(struct um_http_req *rq, bool has_one)
{
    um_http_add_header(rq, "WWW-Authenticate", "Bearer");
    um_http_reply_error(rq, 401, "U00401", has_one ? "the token is not valid (any more)" : "a token is needed");
}

static struct caller *caller_new(struct um_rest *r, const char *token, const char *use)
{
    struct caller *c = um_xcalloc(1, sizeof(*c));

    if (token != NULL && verify(r, token, use, &c->claims))
        return c;
    caller_free(c);
    return NULL;
}

/* ---- users of a scope ---- */

/* Rows with a role that say something of one scope. All others that need a role are about the whole installation. */
static bool is_of_scope(const struct um_http_route *route)
{
    static const char *const begins[] = {
        "/core/rest/admin/audit", "/core/rest/admin/connections", "/core/rest/admin/documents", "/core/rest/admin/model/",
        "/core/rest/admin/sessions", "/core/rest/caches", "/core/rest/reservation", "/core/rest/users",
    };

    for (size_t i = 0; i < UM_COUNT(begins); i++)
        if (strncmp(route->path, begins[i], strlen(begins[i])) == 0)
            return true;
    return route->handler == platform_call;
}

static const char **strings_of(const json_t *list, struct um_token_list *out)
{
    const char **items = um_xcalloc(json_array_size(list) + 1, sizeof(*items));

    for (size_t i = 0; i < json_array_size(list); i++)
        items[i] = json_string_value(json_array_get(list, i));
    *out = (struct um_token_list){ items, json_array_size(list) };
    return items;
}

/* What his token says of him was true when he logged in; this is true now. */
static void on_present(void *arg, const struct um_domain_answer *a)
{
    struct later *l = arg;
    struct um_rest *r = l->rest;
    struct um_http_req *rq = later_take(l);
    struct caller *c;

    if (rq == NULL)
        return;
    if (a->err != UM_OK) {
        if (a->problem->status == 401)
            um_http_add_header(rq, "WWW-Authenticate", "Bearer");
        platform_refuse(rq, a->problem);
        return;
    }
    c = um_http_user(rq);
    c->fresh = json_incref(a->reply);
    c->profiles = strings_of(json_object_get(c->fresh, "profiles"), &c->claims.profiles);
    c->groups = strings_of(json_object_get(c->fresh, "groups"), &c->claims.groups);
    if (rest_check_asked(rq, r))
        um_http_continue(rq);
}

static void drop(void *arg) { (void)later_take(arg); }

/* Is he still who his token says? Calls of the platform judge that themselves, together with what they do. */
static bool account_begin(struct um_http_req *rq, struct um_rest *r, const struct um_http_route *route)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who;

    if (route->role != NULL && !is_of_scope(route)) {
        um_http_reply_error(rq, 403, "U00403", "accounts of a scope do not administer the installation");
        return false;
    }
    if (route->handler == platform_call)
        return true;
    who = platform_who(r, rq, session);
    um_domain_run_or(r->deps.domain, um_http_loop(rq), &um_users_present, &who, NULL, NULL, on_present, drop, later_new(rq, r, NULL));
    return false;
}

/* ---- at the door ---- */

bool caller_check(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    bool of_gateway = route->role != NULL && strcmp(route->role, REST_GATEWAY) == 0;
    struct um_rest *r = ctx;
    const char *token;
    struct caller *c;

    if (route->flags & UM_HTTP_PUBLIC)
        return !basic_begin(rq, route, r);       /* who says a password is held to it */
    token = caller_token(rq);
    if (token == NULL && basic_begin(rq, route, r))
        return false;
    if (token == NULL && caller_of(rq) != NULL)
        return true;
    c = caller_new(r, token, of_gateway ? UM_TOKEN_GATEWAY : UM_TOKEN_USER);
    if (c == NULL) {
        refuse_token(rq, token != NULL);
        return false;
    }
    um_http_set_user(rq, c, caller_free);
    if (c->claims.account != NULL)
        return account_begin(rq, r, route);
    if (of_gateway || has_role(&c->claims, route->role))
        return true;
    return refuse_role(rq, r, route);
}

bool caller_optional(struct um_http_req *rq, struct um_rest *r)
{
    const char *token = caller_token(rq);
    struct caller *c = token != NULL ? caller_new(r, token, UM_TOKEN_USER) : NULL;

    if (c != NULL)
        um_http_set_user(rq, c, caller_free);
    else if (token != NULL)
        refuse_token(rq, true);
    return c != NULL || token == NULL;
}

void caller_become(struct um_http_req *rq, const char *user, const char *scope)
{
    struct caller *c = um_xcalloc(1, sizeof(*c));

    c->fresh = json_pack("{s:s, s:s}", "user", user, "scope", scope);
    c->claims.sub = json_string_value(json_object_get(c->fresh, "user"));
    c->claims.scope = json_string_value(json_object_get(c->fresh, "scope"));
    c->claims.use = UM_TOKEN_USER;
    um_http_set_user(rq, c, caller_free);
}

const struct caller *caller_of(const struct um_http_req *rq)
{
    return um_http_user(rq);
}

/* What is public asks nobody whether an account still is one: there it has no role. */
bool caller_has_role(struct um_rest *r, const struct um_http_req *rq, const char *role)
{
    const struct caller *known = caller_of(rq);
    struct um_token_claims claims = { 0 };
    const char *token = known == NULL ? caller_token(rq) : NULL;
    bool has;

    if (known != NULL)
        return (known->claims.account == NULL || known->fresh != NULL) && has_role(&known->claims, role);
    has = token != NULL && verify(r, token, UM_TOKEN_USER, &claims) && claims.account == NULL && has_role(&claims, role);
    um_token_claims_free(&claims);
    return has;
}

bool caller_identity(struct um_rest *r, struct um_span token, struct um_collab_identity *out)
{
    struct um_token_claims claims = { 0 };

    if (um_token_verify(&r->deps.ring, token, UM_TOKEN_USER, um_wall_ms() / 1000, &claims) != UM_OK)
        return false;
    if (revocations_have(r->revocations, claims.sid) || (claims.account != NULL && claims.scope == NULL)) {      /* its session has ended */
        um_token_claims_free(&claims);
        return false;
    }
    *out = (struct um_collab_identity){ .read_only = claims.access != NULL && strcmp(claims.access, "readonly") == 0 };
    strncpy(out->user, claims.sub, sizeof(out->user) - 1);
    out->who = body_who(&(struct caller){ .claims = claims });
    um_token_claims_free(&claims);
    return true;
}

static um_err authenticate(void *ctx, struct um_span token, struct um_span document, struct um_collab_identity *who, char reason[64])
{
    (void)document;                          /* body_judge does */
    if (caller_identity(ctx, token, who))
        return UM_OK;
    strcpy(reason, "permission-denied");
    return UM_EDENIED;
}

struct um_collab_hooks um_rest_collab_hooks(struct um_rest *r)
{
    return (struct um_collab_hooks){ .authenticate = authenticate, .judge = body_judge, .may_change = reservation_may_change, .changed = reservation_changed,
                                     .editing = reservation_editing, .folded = body_folded, .ctx = r };
}
