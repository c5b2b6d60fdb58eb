/* The text of a URL that may be called. Narrower than RFC 3986, so that nobody can read it in two ways. */
#ifndef OUTGOING_URL_H
#define OUTGOING_URL_H
#include "address.h"

enum { URL_HOST_MAX = 253 };

struct url {
    bool tls;
    char host[URL_HOST_MAX + 1];         /* lower case, without brackets and without a dot at its end */
    bool is_address;
    struct address address;
    uint16_t port;
};
/* *WHY: a literal that says what is wrong, fit to follow the URL's name. */
bool url_parse(struct url *out, const char *text, const char **why);
/* A host's name (no address) in the form of struct url. */
bool url_host_name(char out[URL_HOST_MAX + 1], const char *text, size_t len);

#endif
