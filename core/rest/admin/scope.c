/* Whose it is: see admin.h. */
#include <string.h>
#include "admin.h"

bool admin_is_of_platform(const struct um_http_req *rq)
{
    const struct um_token_claims *claims = &caller_of(rq)->claims;

    return claims->account == NULL && um_token_list_contains(&claims->profiles, "SYSTEM_ADMIN");
}

const char *admin_scope(struct um_http_req *rq, struct um_rest *r)
{
    bool names_one = um_api_text(r->api, rq, "scope") != NULL || um_http_header(rq, "scope") != NULL;

    return !names_one && admin_is_of_platform(rq) ? SCOPE_ALL : caller_scope_asked(r, rq);
}

void admin_put_scope(json_t *body, const char *scope)
{
    if (strcmp(scope, SCOPE_ALL) != 0)
        json_object_set_new(body, "scope", json_string(scope));
}

const char *admin_scope_of(const struct um_rest *r, const char *document, char out[UM_DOMAIN_SCOPE_MAX + 1])
{
    const char *id;

    return um_domain_shared_parts(r->deps.domain, document, out, &id) ? out : "";
}

bool admin_has_document(struct um_http_req *rq, struct um_rest *r, const char *document)
{
    char scope[UM_DOMAIN_SCOPE_MAX + 1];

    if (admin_is_of_platform(rq) || strcmp(admin_scope_of(r, document, scope), caller_scope(r, rq)) == 0)
        return true;
    um_http_reply_error(rq, 404, "F00012", "there is no such document");
    return false;
}

#define DOCUMENT "/core/rest/admin/documents/{name}"

bool admin_check_document(struct um_http_req *rq, struct um_rest *r)
{
    bool is_about_one = strncmp(um_http_matched_route(rq)->path, DOCUMENT, strlen(DOCUMENT)) == 0;

    return !is_about_one || admin_has_document(rq, r, um_http_param(rq, "name"));
}
