/* Which scope a request is about: the token's, or with the role SYSTEM_ADMIN the one that the header `scope` names. Rows of
 * administration have a parameter `scope` too. An account is of its scope alone, whatever its roles are called. */
#include <string.h>
#include <umbel/domain.h>
#include "internal.h"

static bool is_of_platform(const struct um_http_req *rq)
{
    const struct um_token_claims *claims = &caller_of(rq)->claims;

    return claims->account == NULL && um_token_list_contains(&claims->profiles, "SYSTEM_ADMIN");
}

static const char *own_scope(const struct um_rest *r, const struct um_http_req *rq)
{
    const char *own = caller_of(rq)->claims.scope;

    return own != NULL && *own != '\0' ? own : um_domain_default_scope(r->deps.domain);
}

const char *caller_scope(const struct um_rest *r, const struct um_http_req *rq)
{
    const char *asked = um_http_header(rq, "scope");

    if (asked != NULL && *asked != '\0' && strlen(asked) <= UM_DOMAIN_SCOPE_MAX && is_of_platform(rq))
        return asked;
    return own_scope(r, rq);
}

const char *caller_scope_asked(struct um_rest *r, struct um_http_req *rq)
{
    const char *asked = um_api_text(r->api, rq, "scope");

    if (asked == NULL)
        return caller_scope(r, rq);
    if (is_of_platform(rq) || strcmp(asked, own_scope(r, rq)) == 0)
        return asked;
    um_http_reply_error(rq, 403, "U00403", "other scopes need the role SYSTEM_ADMIN");
    return NULL;
}
