/* The tables of places that are not for everybody: the special-purpose registries of IANA for IPv4 and IPv6, and the metadata
 * services of clouds that have public addresses. The first row that holds an address tells its kind.
 *
 * IPv4 is public unless a row says otherwise; IPv6 is public in 2000::/3 alone, minus the rows. An address that carries another
 * one inside (NAT64) is what that one is; those whose inner address leads through somebody's tunnel (6to4, Teredo) are refused. */
#include "address.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place { const char *network; enum address_kind kind; };
static const struct place places4[] = {
    { "169.254.169.254/32", ADDRESS_METADATA },
    { "169.254.170.2/32",   ADDRESS_METADATA },       /* credentials of containers */
    { "100.100.100.200/32", ADDRESS_METADATA },
    { "168.63.129.16/32",   ADDRESS_METADATA },
    { "192.0.0.192/32",     ADDRESS_METADATA },
    { "127.0.0.0/8",        ADDRESS_LOOPBACK },
    { "10.0.0.0/8",         ADDRESS_PRIVATE },
    { "172.16.0.0/12",      ADDRESS_PRIVATE },
    { "192.168.0.0/16",     ADDRESS_PRIVATE },
    { "100.64.0.0/10",      ADDRESS_PRIVATE },        /* shared by customers of a provider; overlay networks */
    { "169.254.0.0/16",     ADDRESS_LINK_LOCAL },
    { "224.0.0.0/4",        ADDRESS_MULTICAST },
    { "0.0.0.0/8",          ADDRESS_RESERVED },       /* 0.0.0.0 reaches this machine */
    { "192.0.0.0/24",       ADDRESS_RESERVED },
    { "192.0.2.0/24",       ADDRESS_RESERVED },
    { "192.88.99.0/24",     ADDRESS_RESERVED },       /* relays of 6to4 */
    { "198.18.0.0/15",      ADDRESS_RESERVED },
    { "198.51.100.0/24",    ADDRESS_RESERVED },
    { "203.0.113.0/24",     ADDRESS_RESERVED },
    { "240.0.0.0/4",        ADDRESS_RESERVED },       /* and 255.255.255.255 */
};
static const struct place places6[] = {
    { "fd00:ec2::/32",      ADDRESS_METADATA },
    { "fd20:ce::254/128",   ADDRESS_METADATA },
    { "::1/128",            ADDRESS_LOOPBACK },
    { "fc00::/7",           ADDRESS_PRIVATE },
    { "fec0::/10",          ADDRESS_PRIVATE },        /* site-local, of old */
    { "fe80::/10",          ADDRESS_LINK_LOCAL },
    { "ff00::/8",           ADDRESS_MULTICAST },
    { "2001::/23",          ADDRESS_RESERVED },       /* Teredo and other protocols */
    { "2001:db8::/32",      ADDRESS_RESERVED },
    { "2002::/16",          ADDRESS_RESERVED },       /* 6to4 */
    { "3fff::/20",          ADDRESS_RESERVED },
    { "2000::/3",           ADDRESS_PUBLIC },
};

static void unmap(struct address *a)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    if (a->v6 && memcmp(a->b, mapped, sizeof(mapped)) == 0) {
        uint8_t inner[4];
        memcpy(inner, a->b + 12, 4);
        *a = (struct address){ .v6 = false };
        memcpy(a->b, inner, 4);
    }
}

bool address_of_sockaddr(struct address *out, const struct sockaddr *sa, size_t len)
{
    *out = (struct address){ .v6 = false };
    if (sa->sa_family == AF_INET && len >= sizeof(struct sockaddr_in)) {
        memcpy(out->b, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
        return true;
    }
    if (sa->sa_family != AF_INET6 || len < sizeof(struct sockaddr_in6))
        return false;
    out->v6 = true;
    memcpy(out->b, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, 16);
    unmap(out);
    return true;
}

bool address_parse(struct address *out, const char *text)
{
    *out = (struct address){ .v6 = strchr(text, ':') != NULL };
    if (inet_pton(out->v6 ? AF_INET6 : AF_INET, text, out->b) != 1)
        return false;
    unmap(out);
    return true;
}

bool network_parse(struct network *out, const char *text)
{
    char address[64];
    const char *slash = strchr(text, '/');
    size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
    unsigned all;
    char *end;

    if (n >= sizeof(address))
        return false;
    memcpy(address, text, n);
    address[n] = '\0';
    if (!address_parse(&out->base, address))
        return false;
    all = out->base.v6 ? 128 : 32;
    out->bits = all;
    if (slash == NULL)
        return true;
    if (slash[1] < '0' || slash[1] > '9' || (strchr(address, ':') != NULL) != out->base.v6)
        return false;                    /* a mapped network: bits of which of the two? */
    out->bits = (unsigned)strtoul(slash + 1, &end, 10);
    return *end == '\0' && end - slash <= 4 && out->bits <= all;
}

bool network_has(const struct network *n, const struct address *a)
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (n->base.v6 != a->v6 || memcmp(n->base.b, a->b, whole) != 0)
        return false;
    return rest == 0 || ((n->base.b[whole] ^ a->b[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

static enum address_kind look_up(const struct place *places, size_t n, const struct address *a, enum address_kind otherwise)
{
    for (size_t i = 0; i < n; i++) {
        struct network net;
        UM_ASSERT(network_parse(&net, places[i].network));
        if (network_has(&net, a))
            return places[i].kind;
    }
    return otherwise;
}

enum address_kind address_kind(const struct address *a)
{
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

    if (!a->v6)
        return look_up(places4, UM_COUNT(places4), a, ADDRESS_PUBLIC);
    if (memcmp(a->b, nat64, sizeof(nat64)) == 0) {
        struct address inner = { .v6 = false };
        enum address_kind kind;
        memcpy(inner.b, a->b + 12, 4);
        kind = address_kind(&inner);
        return kind == ADDRESS_LOOPBACK || kind == ADDRESS_PRIVATE ? ADDRESS_RESERVED : kind;    /* of the translator's side */
    }
    return look_up(places6, UM_COUNT(places6), a, ADDRESS_RESERVED);
}

const char *address_kind_text(enum address_kind kind)
{
    static const char *const texts[] = {
        [ADDRESS_PUBLIC] = "a public address",         [ADDRESS_LOOPBACK] = "a loopback address",
        [ADDRESS_PRIVATE] = "a private address",       [ADDRESS_LINK_LOCAL] = "a link-local address",
        [ADDRESS_METADATA] = "a metadata service",     [ADDRESS_MULTICAST] = "a multicast address",
        [ADDRESS_RESERVED] = "a reserved address",
    };

    return texts[kind];
}
