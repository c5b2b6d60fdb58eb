/* Addresses, and what kind of place each leads to. */
#ifndef OUTGOING_ADDRESS_H
#define OUTGOING_ADDRESS_H
#include <sys/socket.h>
#include <umbel/base.h>

/* An IPv4-mapped IPv6 address is kept as the IPv4 address that it stands for. */
struct address {
    bool v6;
    uint8_t b[16];                       /* 4 or 16 in network order */
};
bool address_of_sockaddr(struct address *out, const struct sockaddr *sa, size_t len);    /* false: neither IPv4 nor IPv6 */
bool address_parse(struct address *out, const char *text);     /* four decimal numbers, or RFC 4291; no zone, no brackets */

enum address_kind {
    ADDRESS_PUBLIC,
    ADDRESS_LOOPBACK, ADDRESS_PRIVATE,   /* an allowed name may lead here */
    ADDRESS_LINK_LOCAL, ADDRESS_METADATA, ADDRESS_MULTICAST, ADDRESS_RESERVED,    /* an allowed network alone opens these */
};
enum address_kind address_kind(const struct address *a);
const char *address_kind_text(enum address_kind kind);          /* "a loopback address" */

struct network { struct address base; unsigned bits; };
bool network_parse(struct network *out, const char *text);      /* "10.0.0.0/8", "fd00::/8", or one address */
bool network_has(const struct network *n, const struct address *a);

#endif
