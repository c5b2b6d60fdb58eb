/* Authorization: Basic at the actuator, and the user that it has of its own (spring.security.user.*). */
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "internal.h"

enum { HEADER_MAX = 2 * (UM_ACTUATOR_USER_MAX + UM_ACTUATOR_PASSWORD_MAX) };

static bool take(const struct um_buf *text, struct um_actuator_credentials *out)
{
    const char *colon = memchr(text->data, ':', text->len), *whole = (const char *)text->data;
    size_t n_user, n_password;

    if (colon == NULL || memchr(whole, '\0', text->len) != NULL)
        return false;
    n_user = (size_t)(colon - whole);
    n_password = text->len - n_user - 1;
    if (n_user > UM_ACTUATOR_USER_MAX || n_password > UM_ACTUATOR_PASSWORD_MAX)
        return false;
    memcpy(out->user, whole, n_user);
    memcpy(out->password, colon + 1, n_password);
    out->user[n_user] = out->password[n_password] = '\0';
    return true;
}

enum um_actuator_basic um_actuator_basic(const struct um_http_req *rq, struct um_actuator_credentials *out)
{
    const char *header = um_http_header(rq, "Authorization");
    struct um_buf text = { 0 };
    bool ok;

    if (header == NULL || strncasecmp(header, "Basic ", 6) != 0)
        return UM_ACTUATOR_NO_BASIC;
    header += 6;
    header += strspn(header, " ");
    ok = strlen(header) <= HEADER_MAX && um_base64_decode(&text, UM_SPAN_STR(header)) && text.len > 0 && take(&text, out);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    um_buf_free(&text);
    return ok ? UM_ACTUATOR_BASIC : UM_ACTUATOR_BAD_BASIC;
}

/* Takes as long as GIVEN is long, whatever the secret is. */
static bool is_same(const char *given, const char *secret)
{
    size_t n = strlen(given), m = strlen(secret);
    unsigned differs = n != m;

    for (size_t i = 0; i < n; i++)
        differs |= (unsigned)(given[i] ^ secret[i % (m + 1)]);
    return differs == 0;
}

bool um_actuator_is_own_user(const struct um_actuator_conf *cf, const struct um_actuator_credentials *c)
{
    bool user, password;

    if (cf == NULL || *cf->user == '\0' || *cf->password == '\0')
        return false;
    user = is_same(c->user, cf->user);
    password = is_same(c->password, cf->password);
    return user && password;
}

void um_actuator_refuse_basic(struct um_http_req *rq)
{
    um_http_add_header(rq, "WWW-Authenticate", "Basic realm=\"umbel\"");
    um_http_reply_error(rq, 401, "U00401", "user or password is wrong");
}
