/* Where Redis is: redis://[user[:password]@]host[:port][/database], or host and port, or a list of sentinels.
 * User-info without a colon is the password, as Spring reads it; its bytes may be written as %xx. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "resp.h"
#include "target.h"

static um_err refuse(char why[256], const char *what, const char *name)
{
    snprintf(why, 256, "%s%.100s", what, name);
    return UM_EINVAL;
}

/* ---- host:port ---- */

static bool parse_port(struct um_span text, int *port)
{
    int64_t n;

    if (text.len > 5 || !resp_int(text, &n) || n < 1 || n > 65535)
        return false;
    *port = (int)n;
    return true;
}

static bool host_is_fine(const char *host, size_t len)
{
    if (len == 0 || len > 255)
        return false;
    for (size_t i = 0; i < len; i++)
        if (host[i] <= ' ' || host[i] >= 127 || strchr("/@[]?#%", host[i]) != NULL)
            return false;
    return true;
}

bool redis_address_parse(struct redis_address *out, const char *text, int default_port)
{
    const char *end = text + strlen(text), *host = text, *host_end = end, *rest = end;

    if (*text == '[') {
        if ((host_end = strchr(text, ']')) == NULL)
            return false;
        host++;
        rest = host_end + 1;
    } else if (strchr(text, ':') == strrchr(text, ':') && strchr(text, ':') != NULL) {
        host_end = rest = strchr(text, ':');
    } else if (strchr(text, ':') != NULL && strspn(text, "0123456789abcdefABCDEF:.") != strlen(text)) {
        return false;                         /* more colons and no bracket: a bare IPv6 address, or nothing */
    }
    out->port = default_port;
    if (!host_is_fine(host, (size_t)(host_end - host)))
        return false;
    if (rest != end && (*rest != ':' || !parse_port(UM_SPAN_STR(rest + 1), &out->port)))
        return false;
    out->host = um_xstrndup(host, (size_t)(host_end - host));
    return true;
}

/* ---- the URL ---- */

/* Takes VALUE's place; false when TEXT is no percent-encoding, or holds a zero byte. */
static bool set_decoded(char **value, const char *text, size_t len)
{
    struct um_buf b = { 0 };
    bool ok = um_percent_decode(&b, UM_SPAN(text, len)) && (b.len == 0 || memchr(b.data, '\0', b.len) == NULL);

    if (ok) {
        free(*value);
        *value = um_xstrdup(um_buf_cstr(&b));
    }
    um_buf_free(&b);
    return ok;
}

static bool take_user_info(struct redis_target *t, const char *info, size_t len)
{
    const char *colon = memchr(info, ':', len);

    if (colon == NULL)
        return set_decoded(&t->user, "", 0) && set_decoded(&t->password, info, len);
    return set_decoded(&t->user, info, (size_t)(colon - info)) &&
           set_decoded(&t->password, colon + 1, len - (size_t)(colon + 1 - info));
}

static um_err read_url(struct redis_target *t, const char *url, char why[256])
{
    static const char key[] = "spring.data.redis.url: ";
    const char *at, *slash, *rest;
    char *authority;
    bool ok;

    if (strncmp(url, "redis://", 8) == 0)
        rest = url + 8;
    else if (strncmp(url, "rediss://", 9) == 0)
        rest = url + 9;
    else
        return refuse(why, key, "it begins with redis:// or rediss://");
    if (url[5] == 's')
        t->tls = true;                        /* redis:// does not take TLS back */
    if (strpbrk(rest, "?#") != NULL)
        return refuse(why, key, "parameters are not supported");
    at = strrchr(rest, '@');
    if (at != NULL && !take_user_info(t, rest, (size_t)(at - rest)))
        return refuse(why, key, "user and password are no percent-encoding");
    rest = at != NULL ? at + 1 : rest;
    slash = strchr(rest, '/');
    if (slash != NULL && slash[1] != '\0' && (!resp_int(UM_SPAN_STR(slash + 1), &t->database) || t->database > 1000000))
        return refuse(why, key, "the path is the number of a database");
    authority = slash != NULL ? um_xstrndup(rest, (size_t)(slash - rest)) : um_xstrdup(rest);
    free(t->server.host);
    t->server.host = NULL;
    ok = redis_address_parse(&t->server, authority, TARGET_DEFAULT_PORT);
    free(authority);
    return ok ? UM_OK : refuse(why, key, "no host, or a wrong port");
}

/* ---- all of it ---- */

static um_err read_sentinels(struct redis_target *t, const struct um_redis_conf *cf, char why[256])
{
    if (*cf->sentinel_master == '\0' && cf->sentinel_nodes.n == 0)
        return UM_OK;
    if (*cf->sentinel_master == '\0')
        return refuse(why, "spring.data.redis.sentinel.nodes needs spring.data.redis.sentinel.master", "");
    if (cf->sentinel_nodes.n == 0)
        return refuse(why, "spring.data.redis.sentinel.master needs spring.data.redis.sentinel.nodes", "");
    if (cf->sentinel_nodes.n > TARGET_MAX_SENTINELS)
        return refuse(why, "spring.data.redis.sentinel.nodes: too many", "");
    t->sentinel = true;
    for (size_t i = 0; i < cf->sentinel_nodes.n; i++) {
        if (!redis_address_parse(&t->sentinels[i], cf->sentinel_nodes.items[i], TARGET_DEFAULT_SENTINEL_PORT))
            return refuse(why, "spring.data.redis.sentinel.nodes: not host:port: ", cf->sentinel_nodes.items[i]);
        t->n_sentinels++;
    }
    return UM_OK;
}

um_err redis_target_read(struct redis_target *t, const struct um_redis_conf *cf, char why[256])
{
    um_err err;

    *t = (struct redis_target){ .server = { um_xstrdup(cf->host), (int)cf->port }, .user = um_xstrdup(cf->username),
                                .password = um_xstrdup(cf->password), .database = cf->database, .tls = cf->ssl };
    if (cf->cluster_nodes.n > 0)
        return refuse(why, "spring.data.redis.cluster.nodes: Redis Cluster is not supported, for scripts and channels here "
                           "span slots; use Sentinel", "");
    if (*cf->bundle != '\0')
        return refuse(why, "spring.data.redis.ssl.bundle is not supported: name the files with redis.ssl.ca-file, .cert-file "
                           "and .key-file", "");
    if ((err = read_sentinels(t, cf, why)) != UM_OK)
        return err;
    if (*cf->url != '\0')
        err = read_url(t, cf->url, why);
    else if (!host_is_fine(cf->host, strlen(cf->host)))
        err = refuse(why, "spring.data.redis.host: no name of a host: ", cf->host);
    if (err == UM_OK && *t->user != '\0' && *t->password == '\0')
        err = refuse(why, "spring.data.redis.username needs a password", "");
    if (err == UM_OK && *cf->sentinel_username != '\0' && *cf->sentinel_password == '\0')
        err = refuse(why, "spring.data.redis.sentinel.username needs a password", "");
    return err;
}

void redis_target_free(struct redis_target *t)
{
    free(t->server.host);
    free(t->user);
    free(t->password);
    for (size_t i = 0; i < t->n_sentinels; i++)
        free(t->sentinels[i].host);
    memset(t, 0, sizeof(*t));
}
