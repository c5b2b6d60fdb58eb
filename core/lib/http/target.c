/* Taking the request target apart. A path is split first and decoded then, once, segment by segment: so an encoded slash
 * cannot become a separator, and an encoded dot counts as one. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "target.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* The byte at P, decoded; moves P behind it. A malformed escape stands for itself. */
static char next_byte(const char **p, const char *end, bool *encoded)
{
    const char *s = *p;
    int hi, lo;

    *encoded = false;
    if (*s == '%' && end - s >= 3 && (hi = hex_digit(s[1])) >= 0 && (lo = hex_digit(s[2])) >= 0) {
        *p = s + 3;
        *encoded = true;
        return (char)(hi << 4 | lo);
    }
    *p = s + 1;
    return *s;
}

struct writer { char *text, *rest; };                /* rest: decoded and raw copies, each terminated */

static char *append(char *to, const void *data, size_t n)
{
    memcpy(to, data, n);
    return to + n;
}

static void add_segment(struct http_path *p, struct writer *w, const char *raw, const char *end)
{
    struct http_segment *s = &p->seg[p->n++];
    bool encoded;

    s->raw = w->rest;
    w->rest = append(w->rest, raw, (size_t)(end - raw));
    *w->rest++ = '\0';
    s->decoded = w->rest;
    *w->text++ = '/';
    s->at = (size_t)(w->text - p->text);
    while (raw < end) {
        char c = next_byte(&raw, end, &encoded);

        *w->rest++ = c;
        if (encoded && c == '/')
            w->text = append(w->text, "%2F", 3);
        else if (encoded && c == '\\')
            w->text = append(w->text, "%5C", 3);
        else
            *w->text++ = c;
    }
    *w->rest++ = '\0';
}

static void drop_segment(struct http_path *p, struct writer *w)
{
    if (p->n > 0)
        w->text = p->text + p->seg[--p->n].at - 1;
}

/* Adds the segment and resolves it when it is made of dots. */
static void take_segment(struct http_path *p, struct writer *w, const char *raw, const char *end)
{
    const char *name;

    add_segment(p, w, raw, end);
    name = p->seg[p->n - 1].decoded;
    p->slash = false;
    if (strcmp(name, ".") == 0) {
        drop_segment(p, w);
        p->slash = true;
    } else if (strcmp(name, "..") == 0) {
        drop_segment(p, w);
        drop_segment(p, w);
        p->slash = true;
    }
}

um_err http_path_parse(struct http_path *out, const char *raw, size_t len)
{
    const char *end = raw + len, *p = raw;
    size_t n = 0;
    struct writer w;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < len; i++)
        n += raw[i] == '/';
    if (n > HTTP_MAX_SEGMENTS)
        return UM_ELIMIT;
    /* text: at most the raw path, a slash and the end; rest: each segment twice, terminated */
    out->seg = malloc((n + 1) * sizeof(*out->seg) + 3 * len + 2 * n + 8);
    if (out->seg == NULL)
        return UM_ENOMEM;
    w.text = out->text = (char *)(out->seg + n + 1);
    w.rest = out->text + len + 2;
    while (p < end) {
        const char *stop = memchr(p + 1, '/', (size_t)(end - p - 1));

        p++;
        stop = stop != NULL ? stop : end;
        if (stop == end && p == end) {
            out->slash = true;                       /* "/a/": no empty segment */
            break;
        }
        take_segment(out, &w, p, stop);
        p = stop;
    }
    if (out->slash || out->n == 0)
        *w.text++ = '/';
    *w.text = '\0';
    if (strlen(out->text) != (size_t)(w.text - out->text) || !um_utf8_is_valid(out->text, strlen(out->text))) {
        http_path_free(out);
        return UM_EPROTO;
    }
    return UM_OK;
}

void http_path_free(struct http_path *p)
{
    free(p->seg);
    memset(p, 0, sizeof(*p));
}

size_t http_query_count(const char *raw)
{
    size_t n = 0;

    for (const char *p = raw; *p != '\0';) {
        size_t len = strcspn(p, "&");

        n += len > 0;
        p += len + (p[len] == '&');
    }
    return n;
}

static char *decode_value(char *to, const char *p, const char *end)
{
    bool encoded;

    while (p < end) {
        char c = next_byte(&p, end, &encoded);

        *to++ = c == '+' && !encoded ? ' ' : c;
    }
    *to++ = '\0';
    return to;
}

um_err http_query_parse(struct http_query *out, const char *raw)
{
    size_t n = http_query_count(raw);
    char *to;

    memset(out, 0, sizeof(*out));
    if (n == 0)
        return UM_OK;
    out->block = malloc(strlen(raw) + 2 * n + 1);
    out->pair = calloc(n, sizeof(*out->pair));
    if (out->block == NULL || out->pair == NULL) {
        http_query_free(out);
        return UM_ENOMEM;
    }
    to = out->block;
    for (const char *p = raw; *p != '\0';) {
        const char *end = p + strcspn(p, "&"), *eq = memchr(p, '=', (size_t)(end - p));
        struct http_pair *pair = &out->pair[out->n];

        if (end > p) {
            pair->name = to;
            to = decode_value(to, p, eq != NULL ? eq : end);
            pair->value = to;
            to = decode_value(to, eq != NULL ? eq + 1 : end, end);
            out->n++;
        }
        p = *end == '&' ? end + 1 : end;
    }
    return UM_OK;
}

void http_query_free(struct http_query *q)
{
    free(q->pair);
    free(q->block);
    memset(q, 0, sizeof(*q));
}
