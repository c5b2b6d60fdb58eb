/* The guard. libmicrohttpd 0.9.75 serves a hidden second request for Content-Length with Transfer-Encoding, repeated or
 * malformed ones, and chunked bodies in HTTP/1.0, at any strictness; and it decodes %00 and %0d%0a before a handler sees the
 * target. So every request is judged here first, by its parsed fields and its raw target. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "guard.h"
#include "target.h"

static bool is_token(const char *s, size_t n)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < n; i++) {
        char c = s[i];

        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
              (c != '\0' && strchr(others, c) != NULL)))
            return false;
    }
    return n > 0;
}

static bool is_clean_value(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((uint8_t)s[i] < 32 && s[i] != '\t') || s[i] == 127)
            return false;
    return true;
}

static bool is_named(const struct http_field *f, const char *name)
{
    return f->name_len == strlen(name) && um_ascii_ieq(f->name, name);
}

static const struct http_field *find_field(const struct http_head *h, const char *name, size_t *count)
{
    const struct http_field *first = NULL;

    *count = 0;
    for (size_t i = 0; i < h->n_fields; i++)
        if (is_named(&h->field[i], name) && (*count)++ == 0)
            first = &h->field[i];
    return first;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

static const char *judge_target(const char *t)
{
    if (t[0] != '/')
        return "The target is not a path.";
    for (const char *p = t; *p != '\0'; p++) {
        uint8_t c = (uint8_t)*p;
        int hi, lo;

        if (c <= 32 || c >= 127)
            return "The target has a character that is not allowed.";
        if (c != '%')
            continue;
        hi = hex_value(p[1]);
        lo = hi >= 0 ? hex_value(p[2]) : -1;
        if (lo < 0)
            return "The target has a malformed escape.";
        if (hi < 2 || (hi == 7 && lo == 15))
            return "The target has an encoded control character.";
    }
    return NULL;
}

/* A field that goes on in the next line (obsolete since RFC 7230) comes to us with that line glued to its name. Where another
 * hop would read the length of the body, that must not pass. */
static bool is_glued(const struct http_field *f)
{
    static const char *const framing[] = { "Content-Length", "Transfer-Encoding", "Host", "Connection" };

    for (size_t i = 0; i < UM_COUNT(framing); i++)
        if (f->name_len > strlen(framing[i]) && strncasecmp(f->name, framing[i], strlen(framing[i])) == 0)
            return true;
    return false;
}

static const char *judge_fields(const struct http_head *h)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        if (is_glued(&h->field[i]))
            return "A header goes on in the next line.";
        if (!is_token(h->field[i].name, h->field[i].name_len))
            return "A header name is malformed.";
        if (!is_clean_value(h->field[i].value, h->field[i].value_len))
            return "A header value has a control character.";
    }
    return NULL;
}

static const char *judge_host(const struct http_head *h)
{
    size_t n;
    const struct http_field *host = find_field(h, "Host", &n);

    if (n != 1)
        return "There must be exactly one Host.";
    for (size_t i = 0; i < host->value_len; i++)
        if (strchr("@/?# \t", host->value[i]) != NULL)
            return "Host is malformed.";
    return NULL;
}

static const char *judge_length(const struct http_head *h, int64_t *length)
{
    size_t n;
    const struct http_field *f = find_field(h, "Content-Length", &n);

    *length = -1;
    if (n == 0)
        return NULL;
    if (n > 1 || f->value_len < 1 || f->value_len > 18)
        return "Content-Length is malformed.";
    *length = 0;
    for (size_t i = 0; i < f->value_len; i++) {
        if (f->value[i] < '0' || f->value[i] > '9')
            return "Content-Length is malformed.";
        *length = *length * 10 + (f->value[i] - '0');
    }
    return NULL;
}

static const char *judge_coding(const struct http_head *h, bool has_length, bool *chunked)
{
    size_t n;
    const struct http_field *f = find_field(h, "Transfer-Encoding", &n);

    *chunked = n > 0;
    if (n == 0)
        return NULL;
    if (n > 1 || f->value_len != 7 || !um_ascii_ieq(f->value, "chunked"))
        return "Transfer-Encoding must be chunked, once.";
    if (has_length)
        return "Content-Length and Transfer-Encoding exclude one another.";
    return strcmp(h->version, "HTTP/1.1") == 0 ? NULL : "Transfer-Encoding needs HTTP/1.1.";
}

static size_t head_size(const struct http_head *h)
{
    size_t n = strlen(h->method) + strlen(h->target) + strlen(h->version) + 4;

    for (size_t i = 0; i < h->n_fields; i++)
        n += h->field[i].name_len + h->field[i].value_len + 4;
    return n;
}

static struct http_verdict refuse(unsigned status, const char *why)
{
    return (struct http_verdict){ status, why, false, -1 };
}

struct http_verdict http_guard(const struct http_head *h, const struct um_http_conf *cf)
{
    struct http_verdict v = { .content_length = -1 };
    const char *why, *query;

    if (strcmp(h->method, "TRACE") == 0 || strcmp(h->method, "CONNECT") == 0)
        return refuse(405, "The method is not allowed.");
    if (!is_token(h->method, strlen(h->method)))
        return refuse(400, "The method is malformed.");
    if (strlen(h->target) > (size_t)cf->max_header_bytes)
        return refuse(414, "The target is too long.");
    if (head_size(h) > (size_t)cf->max_header_bytes || h->n_fields > (size_t)cf->max_headers)
        return refuse(431, "The headers are too large.");
    if ((why = judge_target(h->target)) != NULL || (why = judge_fields(h)) != NULL || (why = judge_host(h)) != NULL ||
        (why = judge_length(h, &v.content_length)) != NULL ||
        (why = judge_coding(h, v.content_length >= 0, &v.chunked)) != NULL)
        return refuse(400, why);
    query = strchr(h->target, '?');
    if (query != NULL && http_query_count(query + 1) > (size_t)cf->max_query)
        return refuse(400, "There are too many query parameters.");
    return v;
}
