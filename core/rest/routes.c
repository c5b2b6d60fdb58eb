/* Every door of the core: groups of rows, in the order in which they are tried and described. */
#include <string.h>
#include "actuator.h"
#include "bodies.h"
#include "routes/routes.h"

const struct um_api_param rest_platform_params[] = {
    { .name = "scope", .in = UM_API_HEADER, .type = UM_API_STRING, .max = UM_DOMAIN_SCOPE_MAX,
      .text = "the scope that is meant, for who has the role SYSTEM_ADMIN; anybody else's is that of his token" },
    { 0 },
};

static const struct um_api_group *const groups[] = {
    &rest_files, &rest_document_files, &rest_facts, &rest_document_versions, &rest_rights,
    &rest_sockets, &rest_authentication, &rest_documents, &rest_versions, &rest_reservations, &rest_caches, &rest_scopes, &rest_users, &rest_user_groups, &rest_profiles, &rest_classes, &rest_search, &rest_components, &rest_admin,
    &rest_favorites, &rest_stored_searches, &rest_annotations, &rest_delegations, &rest_features,
    &rest_jobs,
    &rest_models, &rest_actuator, &rest_internal, &rest_description,
};

um_err um_rest_api(struct um_api **out, char why[256]) { return um_api_new(out, groups, UM_COUNT(groups), why); }

const struct um_http_route *um_rest_routes(const struct um_rest *r, size_t *n) { return um_api_routes(r->api, n); }

const struct um_api *um_rest_rows(const struct um_rest *r) { return r->api; }

const struct um_api_group *const *rest_groups(size_t *n)
{
    *n = UM_COUNT(groups);
    return groups;
}

/* ---- before a handler ---- */

bool rest_check_asked(struct um_http_req *rq, struct um_rest *r)
{
    return um_api_check_params(r->api, rq) && admin_check_document(rq, r) && body_check(rq, r);
}

/* First who asks, then what. */
static bool judge(struct um_http_req *rq, const struct um_http_route *route, struct um_rest *r)
{
    return caller_check(rq, route, r) && rest_check_asked(rq, r);
}

/* The platform's calls are for cores with the role rest; sockets say it themselves, the actuator is for all. */
static bool is_served(struct um_http_req *rq, const struct um_http_route *route, const struct um_rest *r)
{
    if (!r->deps.no_calls || strncmp(route->path, "/core/rest/", 11) != 0 || um_actuator_has_path(r->actuator, route->path))
        return true;
    um_http_reply_error(rq, 503, "U00503", "this core serves no calls of the platform (core.roles)");
    return false;
}

static bool before(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    return mount_is_here(rq, route, ctx, false) && is_served(rq, route, ctx) && judge(rq, route, ctx);
}
const struct um_http_hooks um_rest_hooks = { .before = before };

static bool before_management(struct um_http_req *rq, const struct um_http_route *route, void *ctx)
{
    return mount_is_here(rq, route, ctx, true) && judge(rq, route, ctx);
}
const struct um_http_hooks um_rest_management_hooks = { .before = before_management };

/* ---- GET /core/v3/api-docs ---- */

void description_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    um_http_add_header(rq, "Cache-Control", "no-cache");
    um_http_reply_bytes(rq, 200, "application/json", um_api_description(r->api));
}
