/* Trusted proxies and the client behind them (SEC-09). */
#include <proxy/client.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

struct network {
    uint8_t addr[16];                     /* IPv4 as ::ffff:a.b.c.d */
    unsigned prefix;                      /* of 128 */
};
struct um_trusted {
    size_t n;
    struct network nets[];
};

static bool parse_address(const char *text, size_t len, uint8_t out[16], bool *is_v4)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (len == 0 || len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    *is_v4 = inet_pton(AF_INET, copy, &v4) == 1;
    if (!*is_v4)
        return inet_pton(AF_INET6, copy, out) == 1;
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    memcpy(out + 12, &v4, 4);
    return true;
}

static bool parse_network(const char *text, struct network *net)
{
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    unsigned bits;
    char *end;
    bool v4;
    long prefix;

    if (!parse_address(text, len, net->addr, &v4))
        return false;
    bits = v4 ? 32 : 128;
    prefix = bits;
    if (slash != NULL) {
        prefix = strtol(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || prefix > (long)bits)
            return false;
    }
    net->prefix = (unsigned)prefix + (128 - bits);
    return true;
}

um_err um_trusted_new(struct um_trusted **out, const char *const *items, size_t n, const char **bad)
{
    struct um_trusted *t = um_xcalloc(1, sizeof(*t) + n * sizeof(t->nets[0]));

    *out = NULL;
    for (t->n = 0; t->n < n; t->n++)
        if (!parse_network(items[t->n], &t->nets[t->n])) {
            *bad = items[t->n];
            free(t);
            return UM_EINVAL;
        }
    *out = t;
    return UM_OK;
}

void um_trusted_free(struct um_trusted *t)
{
    free(t);
}

static bool is_inside(const struct network *net, const uint8_t addr[16])
{
    unsigned whole = net->prefix / 8, rest = net->prefix % 8;

    return memcmp(net->addr, addr, whole) == 0 &&
           (rest == 0 || ((net->addr[whole] ^ addr[whole]) & (0xffu << (8 - rest)) & 0xff) == 0);
}

static bool has_address(const struct um_trusted *t, const char *text, size_t len, bool *is_address)
{
    uint8_t addr[16];
    bool v4;

    *is_address = parse_address(text, len, addr, &v4);
    for (size_t i = 0; *is_address && i < t->n; i++)
        if (is_inside(&t->nets[i], addr))
            return true;
    return false;
}

bool um_trusted_has(const struct um_trusted *t, const char *address)
{
    bool is_address;
    return has_address(t, address, strlen(address), &is_address);
}

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

void um_client_resolve(const struct um_trusted *t, const char *peer, const char *forwarded_for, const char *forwarded_proto,
                       struct um_client *out)
{
    const char *end = forwarded_for != NULL ? forwarded_for + strlen(forwarded_for) : NULL;

    *out = (struct um_client){ .secure = false };
    strncat(out->address, peer, sizeof(out->address) - 1);
    if (!um_trusted_has(t, peer))
        return;
    out->secure = forwarded_proto != NULL && um_ascii_ieq(forwarded_proto, "https");
    while (end != NULL && end > forwarded_for) {               /* from the right: each hop appended what it saw */
        const char *from = memrchr(forwarded_for, ',', (size_t)(end - forwarded_for));
        const char *a = from != NULL ? from + 1 : forwarded_for, *z = end;
        bool is_address, trusted;
        while (a < z && is_blank(*a))
            a++;
        while (z > a && is_blank(z[-1]))
            z--;
        trusted = has_address(t, a, (size_t)(z - a), &is_address);
        if (!is_address)
            return;                                            /* what stands further left is nobody's word */
        memcpy(out->address, a, (size_t)(z - a));
        out->address[z - a] = '\0';
        if (!trusted)
            return;
        end = from;
    }
}

struct joined { struct um_buf list; };

static void join_forwarded(void *arg, const char *name, const char *value)
{
    struct joined *j = arg;

    if (!um_ascii_ieq(name, "X-Forwarded-For"))
        return;
    if (j->list.len > 0)
        um_buf_put_u8(&j->list, ',');
    um_buf_puts(&j->list, value);
}

void um_client_of(const struct um_trusted *t, const struct um_http_req *rq, struct um_client *out)
{
    struct joined j = {0};

    if (um_trusted_has(t, um_http_peer(rq)))
        um_http_each_header(rq, join_forwarded, &j);
    um_client_resolve(t, um_http_peer(rq), j.list.len > 0 ? um_buf_cstr(&j.list) : NULL,
                      um_http_header(rq, "X-Forwarded-Proto"), out);
    out->secure = out->secure || um_http_is_secure(rq);
    um_buf_free(&j.list);
}
