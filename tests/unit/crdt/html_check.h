/* Is a piece of HTML well-formed: tags balanced, attributes quoted, nothing bare that should be escaped? */
#ifndef CRDT_HTML_CHECK_H
#define CRDT_HTML_CHECK_H
#include <stdlib.h>
#include <string.h>
#include <umbel/bytes.h>

static inline size_t html_name(const char *p, const char *end)
{
    const char *from = p;

    while (p < end && ((*p >= 'a' && *p <= 'z') || (p > from && *p >= '0' && *p <= '9')))
        p++;
    return (size_t)(p - from);
}

/* Steps over the attributes to the end of the tag: NULL when something is wrong. */
static inline const char *html_attributes(const char *p, const char *end)
{
    while (p < end && *p == ' ') {
        for (p++; p < end && strchr(" =><\"'", *p) == NULL;)
            p++;
        if (p < end && *p == '=') {
            if (++p == end || *p++ != '"')
                return NULL;
            while (p < end && *p != '"')
                if (*p == '<' || *p++ == '>')
                    return NULL;
            if (p++ == end)
                return NULL;
        }
    }
    return p < end && *p == '>' ? p + 1 : NULL;
}

static inline bool html_is_balanced(struct um_span html)
{
    const char *p = (const char *)html.data, *end = p + html.len, **open;
    size_t depth = 0;
    bool ok = true;

    if (html.len == 0)
        return true;
    open = malloc((html.len + 1) * sizeof(*open));
    while (ok && open != NULL && p < end) {
        bool closing;
        size_t n;
        const char *name;

        if (*p != '<') {
            ok = *p != '>' && *p != '"' && *p != '\0';
            p++;
            continue;
        }
        closing = ++p < end && *p == '/';
        name = p += closing;
        n = html_name(p, end);
        ok = n > 0 && (p = html_attributes(p + n, end)) != NULL;
        if (!ok)
            break;
        if (closing)
            ok = depth > 0 && strncmp(open[--depth], name, n) == 0 && html_name(open[depth], end) == n;
        else if (!(n == 2 && (strncmp(name, "br", 2) == 0 || strncmp(name, "hr", 2) == 0)) &&
                 !(n == 3 && strncmp(name, "img", 3) == 0) && !(n == 5 && strncmp(name, "input", 5) == 0))
            open[depth++] = name;
    }
    ok = ok && open != NULL && depth == 0;
    free(open);
    return ok;
}

#endif
