#include "allow.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/outgoing.h>

static um_err add_entry(struct allow *al, const char *entry, char *why, size_t n)
{
    struct network net;
    char host[URL_HOST_MAX + 1];

    if (al->n_networks + al->n_names >= UM_OUTGOING_ALLOW_MAX) {
        snprintf(why, n, "more than %d entries", UM_OUTGOING_ALLOW_MAX);
        return UM_ELIMIT;
    }
    if (network_parse(&net, entry)) {
        al->networks = um_xrealloc(al->networks, (al->n_networks + 1) * sizeof(net));
        al->networks[al->n_networks++] = net;
        return UM_OK;
    }
    if (!url_host_name(host, entry, strlen(entry))) {
        snprintf(why, n, "\"%s\" is neither a network such as 10.0.0.0/8 nor the name of a host", entry);
        return UM_EINVAL;
    }
    al->names = um_xrealloc(al->names, (al->n_names + 1) * sizeof(*al->names));
    al->names[al->n_names++] = um_xstrdup(host);
    return UM_OK;
}

um_err allow_parse(struct allow *out, const char *text, char *why, size_t n)
{
    static const char between[] = ", \t";
    um_err err = UM_OK;

    *out = (struct allow){ 0 };
    for (const char *p = text != NULL ? text : ""; err == UM_OK && *(p += strspn(p, between)) != '\0';) {
        size_t len = strcspn(p, between);
        char *entry = um_xstrndup(p, len);
        err = add_entry(out, entry, why, n);
        free(entry);
        p += len;
    }
    return err;
}

void allow_free(struct allow *al)
{
    for (size_t i = 0; i < al->n_names; i++)
        free(al->names[i]);
    free(al->names);
    free(al->networks);
    *al = (struct allow){ 0 };
}

bool allow_has_name(const struct allow *al, const char *host)
{
    for (size_t i = 0; i < al->n_names; i++)
        if (strcmp(al->names[i], host) == 0)
            return true;
    return false;
}

bool allow_lets(const struct allow *al, const struct address *a, bool name_allowed)
{
    enum address_kind kind = address_kind(a);

    if (kind == ADDRESS_PUBLIC || (name_allowed && (kind == ADDRESS_LOOPBACK || kind == ADDRESS_PRIVATE)))
        return true;
    for (size_t i = 0; i < al->n_networks; i++)
        if (network_has(&al->networks[i], a))
            return true;
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* localhost and what is below it are this machine by RFC 6761, whatever a name server says. */
static bool lets_localhost(const struct allow *al)
{
    struct address v4, v6;

    return address_parse(&v4, "127.0.0.1") && address_parse(&v6, "::1") && (allow_lets(al, &v4, false) || allow_lets(al, &v6, false));
}

bool allow_lets_url(const struct allow *al, const struct url *u, char *why, size_t n)
{
    if (u->is_address) {
        if (allow_lets(al, &u->address, false))
            return true;
        snprintf(why, n, "it names %s, which outgoing.allow does not have", address_kind_text(address_kind(&u->address)));
        return false;
    }
    if ((strcmp(u->host, "localhost") != 0 && !ends_with(u->host, ".localhost")) || allow_has_name(al, u->host) || lets_localhost(al))
        return true;
    snprintf(why, n, "it names this machine, which outgoing.allow does not have");
    return false;
}
