/* Header rules of a hop. */
#include <proxy/hop.h>

#include <string.h>
#include <umbel/util.h>

static bool is_in(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (um_ascii_ieq(name, *list))
            return true;
    return false;
}

static bool starts_with(const char *name, const char *prefix)
{
    return strncasecmp(name, prefix, strlen(prefix)) == 0;
}

/* Of one connection only (RFC 9110 7.6.1), and what describes the body's framing: the next hop has its own. */
static const char *const hop_by_hop[] = {
    "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info",
    "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", NULL,
};
/* Connection: may not name these away: a client could otherwise make us drop what another hop relies on. */
static const char *const never_by_connection[] = { "Authorization", "Cookie", "token", "Host", "Content-Length", NULL };

/* Set by hops: we write our own. */
static const char *const of_proxies[] = {
    "Host", "Expect", "Cookie", "X-Real-IP", "Forwarded", "X-Request-Id", "X-CSRF-TOKEN", "Via", NULL,
};
static const char *const credentials[] = { "token", "Authorization", NULL };

/* Written by our own server, or never the core's to say to a browser on our origin. */
static const char *const of_server[] = { "Date", "Server", "X-Request-Id", "Content-Type", "Set-Cookie", "Via", NULL };

static bool is_named_away(const char *name, const char *connection)
{
    return connection != NULL && um_token_list_has(connection, name) && !is_in(name, never_by_connection);
}

bool um_hop_request_keeps(const char *name, const char *connection, bool own_credentials)
{
    if (is_in(name, hop_by_hop) || is_in(name, of_proxies) || starts_with(name, "X-Forwarded-") ||
        starts_with(name, "X-User-") || starts_with(name, "Sec-WebSocket-") || is_named_away(name, connection))
        return false;
    return own_credentials || !is_in(name, credentials);
}

bool um_hop_response_keeps(const char *name, const char *connection)
{
    return !is_in(name, hop_by_hop) && !is_in(name, of_server) && !is_named_away(name, connection);
}

bool um_hop_is_idempotent(const char *method)
{
    static const char *const list[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE", NULL };
    return is_in(method, list);
}
