/* scheme "://" host [":" port] [("/" | "?") anything printable]
 *
 * Refused are: other schemes, credentials, fragments, blanks and control characters, backslashes, percent signs and anything but
 * ASCII in the host (write xn--), addresses in other forms than four decimal numbers or a bracketed IPv6 without a zone (a
 * resolver would take 0x7f.1, 2130706433 and 0177.0.0.1 for 127.0.0.1), and ports where another protocol might take a body for
 * its commands. */
#include "url.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/outgoing.h>

/* What browsers refuse and somebody may still run, and stores that read lines. */
static const uint16_t bad_ports[] = {
    1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109, 110, 111, 113, 115, 117,
    119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601,
    636, 989, 990, 993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697, 10080, 11211, 26379,
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

/* Would a resolver take this last label of a name for a number? Then the whole is meant as an IPv4 address. */
static bool is_number(const char *label)
{
    bool hex = label[0] == '0' && label[1] == 'x';

    for (label += hex ? 2 : 0; *label != '\0'; label++)
        if (!(hex ? is_hex(*label) : is_digit(*label)))
            return false;
    return true;
}

static bool are_labels(const char *host)
{
    for (const char *p = host;; p++) {
        size_t n = strcspn(p, ".");
        if (n == 0 || n > 63 || p[0] == '-' || p[n - 1] == '-')
            return false;
        p += n;
        if (*p == '\0')
            return true;
    }
}

/* Lower case, without the dot at the end. False: other characters than those of names. */
static bool take_host(char out[URL_HOST_MAX + 1], const char *text, size_t len)
{
    if (len > 0 && text[len - 1] == '.')
        len--;
    if (len == 0 || len > URL_HOST_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
        if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-' && c != '.' && c != '_')
            return false;
        out[i] = c;
    }
    out[len] = '\0';
    return are_labels(out);
}

static bool means_address(const char *host)
{
    const char *dot = strrchr(host, '.');

    return is_number(dot != NULL ? dot + 1 : host);
}

bool url_host_name(char out[URL_HOST_MAX + 1], const char *text, size_t len)
{
    return take_host(out, text, len) && !means_address(out);
}

static const char *parse_host(struct url *u, const char *text, size_t len)
{
    if (len > 2 && text[0] == '[' && text[len - 1] == ']' && len - 2 <= URL_HOST_MAX) {
        memcpy(u->host, text + 1, len - 2);
        u->host[len - 2] = '\0';
        u->is_address = true;
        return strchr(u->host, ':') != NULL && address_parse(&u->address, u->host) ? NULL : "its address is malformed";
    }
    if (!take_host(u->host, text, len))
        return len == 0 ? "it names no host" : "its host is malformed (letters beyond ASCII are written as xn--)";
    if (!means_address(u->host))
        return NULL;
    u->is_address = true;
    return text[len - 1] != '.' && address_parse(&u->address, u->host) ? NULL : "an IPv4 address is written as four decimal numbers";
}

static const char *parse_port(struct url *u, const char *text, size_t len)
{
    unsigned port = 0;

    if (len == 0 || len > 5)
        return "its port is malformed";
    for (size_t i = 0; i < len; i++) {
        if (!is_digit(text[i]))
            return "its port is malformed";
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    if (port == 0 || port > 65535)
        return "its port is malformed";
    u->port = (uint16_t)port;
    return NULL;
}

static const char *parse_authority(struct url *u, const char *text, size_t len)
{
    const char *bracket = memchr(text, ']', len), *colon;
    const char *why;

    if (memchr(text, '@', len) != NULL)
        return "it has credentials; send them in a header";
    colon = bracket != NULL ? memchr(bracket, ':', len - (size_t)(bracket - text)) : memchr(text, ':', len);
    why = parse_host(u, text, colon != NULL ? (size_t)(colon - text) : len);
    u->port = u->tls ? 443 : 80;
    if (why == NULL && colon != NULL)
        why = parse_port(u, colon + 1, len - (size_t)(colon + 1 - text));
    for (size_t i = 0; why == NULL && i < UM_COUNT(bad_ports); i++)
        if (u->port == bad_ports[i])
            why = "its port is one of another protocol";
    return why;
}

static const char *judge(struct url *u, const char *text)
{
    size_t n = strlen(text);
    const char *authority;

    if (n == 0 || n > UM_OUTGOING_URL_MAX)
        return n == 0 ? "it is empty" : "it is too long";
    for (size_t i = 0; i < n; i++)
        if (text[i] <= ' ' || text[i] > '~' || strchr("\\\"<>^`{|}#", text[i]) != NULL)
            return text[i] == '#' ? "it has a fragment" : "it has characters that must be percent-encoded";
    if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
        return "it does not begin with http:// or https://";
    u->tls = text[4] != ':';
    authority = text + (u->tls ? 8 : 7);
    return parse_authority(u, authority, strcspn(authority, "/?"));
}

bool url_parse(struct url *out, const char *text, const char **why)
{
    *out = (struct url){ 0 };
    *why = judge(out, text);
    return *why == NULL;
}
