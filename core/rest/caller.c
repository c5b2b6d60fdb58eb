/* Who is asking: the token of a request. The core trusts nothing else. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "actuator.h"
#include "bodies.h"
#include "internal.h"
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

/* ROLES: "ADMIN", or "ADMIN|FUNCTIONAL_ADMIN": one of them. */
static bool has_role(const struct um_token_claims *claims, const char *roles)
{
    if (roles == NULL || um_token_list_contains(&claims->profiles, "SYSTEM_ADMIN"))
        return true;
    for (size_t i = 0; i < claims->profiles.n; i++)
        if (is_one_of(claims->profiles.items[i], roles))
            return true;
    return false;
}

bool caller_is(struct um_http_req *rq, const struct um_token_claims *claims, const struct um_http_route *route)
{
    struct caller *c = um_xcalloc(1, sizeof(*c));

    c->claims = *claims;
    um_http_set_user(rq, c, caller_free);
    if (has_role(&c->claims, route->role))
        return true;
    um_http_reply_error(rq, 403, "U00403", "this needs another role");
    return false;
}

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
    c = um_xcalloc(1, sizeof(*c));
    if (token == NULL ||
        um_token_verify(&r->deps.ring, UM_SPAN_STR(token), of_gateway ? UM_TOKEN_GATEWAY : UM_TOKEN_USER, um_wall_ms() / 1000,
                        &c->claims) != UM_OK || revocations_have(r->revocations, c->claims.sid)) {
        caller_free(c);
        um_http_add_header(rq, "WWW-Authenticate", "Bearer");
        um_http_reply_error(rq, 401, "U00401", token ? "the token is not valid (any more)" : "a token is needed");
        return false;
    }
    um_http_set_user(rq, c, caller_free);
    if (of_gateway || has_role(&c->claims, route->role))
        return true;
    um_http_reply_error(rq, 403, "U00403", "this needs another role");
    return false;
}

const struct caller *caller_of(const struct um_http_req *rq)
{
    return um_http_user(rq);
}

bool caller_has_role(struct um_rest *r, const struct um_http_req *rq, const char *role)
{
    const struct caller *known = caller_of(rq);
    struct um_token_claims claims = { 0 };
    const char *token = known == NULL ? caller_token(rq) : NULL;
    bool has = token != NULL &&
               um_token_verify(&r->deps.ring, UM_SPAN_STR(token), UM_TOKEN_USER, um_wall_ms() / 1000, &claims) == UM_OK &&
               !revocations_have(r->revocations, claims.sid) && has_role(&claims, role);

    um_token_claims_free(&claims);
    return has || (known != NULL && has_role(&known->claims, role));
}

bool caller_identity(struct um_rest *r, struct um_span token, struct um_collab_identity *out)
{
    struct um_token_claims claims = { 0 };

    if (um_token_verify(&r->deps.ring, token, UM_TOKEN_USER, um_wall_ms() / 1000, &claims) != UM_OK)
        return false;
    if (revocations_have(r->revocations, claims.sid)) {      /* its session has ended */
        um_token_claims_free(&claims);
        return false;
    }
    *out = (struct um_collab_identity){ .read_only = claims.access != NULL && strcmp(claims.access, "readonly") == 0 };
    strncpy(out->user, claims.sub, sizeof(out->user) - 1);
    out->who = body_who(&(struct caller){ claims });
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
