/* What another site's page may not do in a user's name (SEC-03, SEC-04).
 *
 * The gateway's own origin is the scheme that the client used, and the Host it asked for. Behind a proxy that ends TLS the
 * scheme is known only when that proxy is trusted; otherwise the public origin has to be listed in gui.allowed-origins. */
#include <string.h>
#include <umbel/util.h>

#include "auth_int.h"

struct origins { const char *first; unsigned n; };

static void note_origin(void *arg, const char *name, const char *value)
{
    struct origins *o = arg;

    if (!um_ascii_ieq(name, "Origin"))
        return;
    if (o->n++ == 0)
        o->first = value;
}

static bool is_ours(const struct um_auth *a, const struct um_http_req *rq, const char *origin)
{
    const char *host = um_http_header(rq, "Host"), *scheme;
    struct um_client client;
    size_t n;

    for (size_t i = 0; i < a->env.conf->allowed_origins.n; i++)
        if (um_ascii_ieq(origin, a->env.conf->allowed_origins.items[i]))
            return true;
    um_client_of(a->env.trusted, rq, &client);
    scheme = client.secure ? "https://" : "http://";
    n = strlen(scheme);
    return host != NULL && strncmp(origin, scheme, n) == 0 && um_ascii_ieq(origin + n, host);
}

const char *auth_origin_fault(const struct um_auth *a, const struct um_http_req *rq)
{
    struct origins o = { NULL, 0 };

    um_http_each_header(rq, note_origin, &o);
    if (o.n != 1)
        return o.n == 0 ? "missing" : "repeated";
    return is_ours(a, rq, o.first) ? NULL : "foreign";
}

bool auth_is_same_site(const struct um_auth *a, const struct um_http_req *rq)
{
    const char *site = um_http_header(rq, "Sec-Fetch-Site");
    struct origins o = { NULL, 0 };

    um_http_each_header(rq, note_origin, &o);
    if (site != NULL && !um_ascii_ieq(site, "same-origin") && !um_ascii_ieq(site, "none"))
        return false;
    return o.n == 0 || (o.n == 1 && is_ours(a, rq, o.first));
}

bool auth_csrf_is_right(const struct um_auth *a, const struct um_http_req *rq, const struct um_session *s)
{
    const char *given = um_http_header(rq, "X-CSRF-TOKEN");
    struct um_span wanted = um_session_attr(s, ATTR_CSRF);
    bool right = given != NULL && wanted.len > 0 && strlen(given) == wanted.len &&
                 um_const_time_eq(given, wanted.data, wanted.len) && auth_is_same_site(a, rq);

    if (!right)
        um_count(&auth_metrics[AUTH_M_CSRF], 1);
    return right;
}
