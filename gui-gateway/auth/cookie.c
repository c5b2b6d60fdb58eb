/* The session cookie (platform.md 10.4; attributes in Spring's order). */
#include <string.h>

#include "auth_int.h"

size_t auth_cookie_ids(const struct um_auth *a, const struct um_http_req *rq, char ids[AUTH_COOKIES_MAX][UM_SESSION_ID_LEN + 1])
{
    const char *value;
    size_t n = 0;

    for (size_t i = 0; n < AUTH_COOKIES_MAX && (value = um_http_cookie(rq, a->env.conf->cookie_name, i)) != NULL; i++)
        n += um_session_cookie_decode(UM_SPAN_STR(value), ids[n]);
    return n;
}

static bool is_secure(const struct um_auth *a, const struct um_http_req *rq)
{
    struct um_client client;

    if (a->env.conf->cookie_secure != UM_COOKIE_SECURE_AUTO)
        return a->env.conf->cookie_secure == UM_COOKIE_SECURE_ALWAYS;
    um_client_of(a->env.trusted, rq, &client);
    return client.secure;
}

void auth_set_cookie(struct um_auth *a, struct um_http_req *rq, const char *id)
{
    static const char *const same_site[] = { "Lax", "Strict", "None" };
    const struct um_auth_conf *cf = a->env.conf;
    char value[UM_SESSION_COOKIE_LEN + 1] = "";
    struct um_buf b = {0};

    if (id != NULL)
        um_session_cookie_encode(id, value);
    um_buf_printf(&b, "%s=%s", cf->cookie_name, value);
    if (id == NULL)
        um_buf_puts(&b, "; Max-Age=0");
    else if (cf->cookie_max_age_s > 0)
        um_buf_printf(&b, "; Max-Age=%lld", (long long)cf->cookie_max_age_s);
    if (cf->cookie_domain[0] != '\0')
        um_buf_printf(&b, "; Domain=%s", cf->cookie_domain);
    um_buf_printf(&b, "; Path=%s", cf->cookie_path);
    if (is_secure(a, rq))
        um_buf_puts(&b, "; Secure");
    if (cf->cookie_http_only)
        um_buf_puts(&b, "; HttpOnly");
    um_buf_printf(&b, "; SameSite=%s", same_site[cf->cookie_same_site]);
    um_http_add_header(rq, "Set-Cookie", um_buf_cstr(&b));
    um_buf_free(&b);
}
