/* The guard: which addresses and names of `outgoing.allow` are open beside the public ones. Never changes after it is parsed. */
#ifndef OUTGOING_ALLOW_H
#define OUTGOING_ALLOW_H
#include "address.h"
#include "url.h"

struct allow {
    struct network *networks;
    char **names;                        /* lower case, no dot at the end */
    size_t n_networks, n_names;
};
/* TEXT: networks, addresses and names, by commas or blanks. WHY (of N bytes): what is wrong. Free it in any case. */
um_err allow_parse(struct allow *out, const char *text, char *why, size_t n) UM_CHECK_RESULT;
void allow_free(struct allow *al);

bool allow_has_name(const struct allow *al, const char *host);
/* May a connection be made to A, for a host that is an allowed name or not? */
bool allow_lets(const struct allow *al, const struct address *a, bool name_allowed);
/* The same as far as a URL tells without asking for addresses. */
bool allow_lets_url(const struct allow *al, const struct url *u, char *why, size_t n);

#endif
