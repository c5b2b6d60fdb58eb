/* Header rules of a hop. */
#include <proxy/hop.h>

#include <string.h>
#include <strings.h>
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
    "Host", "Expect", "Cookie", "X-Real-IP", "Forwarded", "X-Request-Id", "X-CSRF-TOKEN", "Via", "Umbel-Leg", NULL,
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

/* ---- a whole request ---- */

struct gathering {
    struct um_hop_headers *out;
    const char *connection;
    bool own_credentials, too_many;
};

static void put_header(struct gathering *g, const char *name, const char *value)
{
    if (g->out->n == UM_HOP_HEADERS_MAX)
        g->too_many = true;
    else
        g->out->items[g->out->n++] = (struct um_exchange_header){ name, value };
}

static void keep_header(void *arg, const char *name, const char *value)
{
    struct gathering *g = arg;

    if (um_hop_request_keeps(name, g->connection, g->own_credentials))
        put_header(g, name, value);
}

um_err um_hop_request_headers(struct um_hop_headers *out, const struct um_http_req *rq, const struct um_trusted *trusted,
                              const char *token)
{
    struct gathering g = { out, um_http_header(rq, "Connection"), token == NULL, false };
    const char *host = um_http_header(rq, "Host");

    out->n = 0;
    um_client_of(trusted, rq, &out->client);
    um_http_each_header(rq, keep_header, &g);
    if (token != NULL)
        put_header(&g, "token", token);
    put_header(&g, "X-Request-Id", um_http_request_id(rq));
    put_header(&g, "X-Forwarded-For", out->client.address);
    put_header(&g, "X-Forwarded-Proto", out->client.secure ? "https" : "http");
    if (host != NULL)
        put_header(&g, "X-Forwarded-Host", host);
    return g.too_many ? UM_ELIMIT : UM_OK;
}
