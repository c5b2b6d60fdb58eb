/* Matching: rows in order, segment by segment. The count of segments and the first literal that differs end most
 * comparisons at once, so a table of some hundred rows needs nothing cleverer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "route.h"

struct part {
    const char *text;                       /* of the literal, or of the parameter's name */
    uint32_t len;
    bool is_param;
};

struct row {
    const struct um_http_route *route;
    struct part *part;
    size_t n;
    bool has_rest;
};

struct http_router {
    struct row *row;
    size_t n;
};

static void compile_part(struct row *r, const char *p, size_t len)
{
    struct part *part = &r->part[r->n++];

    part->is_param = len > 2 && p[0] == '{' && p[len - 1] == '}';
    part->text = part->is_param ? p + 1 : p;
    part->len = (uint32_t)(part->is_param ? len - 2 : len);
}

static void compile(struct row *r, const struct um_http_route *route)
{
    const char *p = route->path;

    UM_ASSERT(p[0] == '/' && route->handler != NULL);
    r->route = route;
    r->part = um_xcalloc(strlen(p), sizeof(*r->part));
    while (*p == '/') {
        size_t len = strcspn(++p, "/");

        if (strcmp(p, "*") == 0)
            r->has_rest = true;
        else if (len > 0)
            compile_part(r, p, len);
        p += len;
    }
}

struct http_router *http_router_new(const struct um_http_route *routes, size_t n)
{
    struct http_router *r = um_xcalloc(1, sizeof(*r));

    r->row = um_xcalloc(n > 0 ? n : 1, sizeof(*r->row));
    r->n = n;
    for (size_t i = 0; i < n; i++)
        compile(&r->row[i], &routes[i]);
    return r;
}

void http_router_free(struct http_router *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        free(r->row[i].part);
    free(r->row);
    free(r);
}

static bool path_matches(const struct row *r, const struct http_path *path)
{
    if (r->has_rest ? path->n < r->n || (path->n == r->n && !path->slash && r->n > 0) : path->n != r->n)
        return false;
    for (size_t i = 0; i < r->n; i++) {
        const char *seg = path->seg[i].decoded;

        if (r->part[i].is_param ? seg[0] == '\0'
                                : strlen(seg) != r->part[i].len || memcmp(seg, r->part[i].text, r->part[i].len) != 0)
            return false;
    }
    return true;
}

static bool method_matches(const char *of_row, const char *method)
{
    if (strcmp(method, "TRACE") == 0 || strcmp(method, "CONNECT") == 0)
        return false;
    return strcmp(of_row, "*") == 0 || strcmp(of_row, method) == 0 ||
           (strcmp(of_row, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

static void allow(struct http_match *m, const char *method)
{
    size_t len = strlen(m->allow), n = strlen(method);

    for (const char *p = m->allow; (p = strstr(p, method)) != NULL; p += n)
        if (p[n] == '\0' || p[n] == ',')
            return;
    if (len + n + 3 <= sizeof(m->allow))
        snprintf(m->allow + len, sizeof(m->allow) - len, "%s%s", len > 0 ? ", " : "", method);
}

static void allow_row(struct http_match *m, const char *method)
{
    static const char *const any[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" };

    if (strcmp(method, "*") != 0)
        allow(m, method);
    if (strcmp(method, "GET") == 0)
        allow(m, "HEAD");
    for (size_t i = 0; strcmp(method, "*") == 0 && i < UM_COUNT(any); i++)
        allow(m, any[i]);
}

struct http_match http_route_find(const struct http_router *r, const char *method, const struct http_path *path, bool websocket)
{
    struct http_match m = { 0 };

    for (size_t i = 0; i < r->n; i++) {
        const struct um_http_route *route = r->row[i].route;

        if (!path_matches(&r->row[i], path))
            continue;
        allow_row(&m, route->method);
        if (!method_matches(route->method, method))
            continue;
        if ((route->flags & UM_HTTP_WEBSOCKET) && !websocket) {
            m.needs_upgrade = true;
            continue;
        }
        m.route = route;
        m.index = i;
        break;
    }
    return m;
}

int http_route_param(const struct http_router *r, size_t index, const char *name)
{
    const struct row *row = &r->row[index];

    for (size_t i = 0; i < row->n; i++)
        if (row->part[i].is_param && strlen(name) == row->part[i].len && memcmp(name, row->part[i].text, row->part[i].len) == 0)
            return (int)i;
    return -1;
}

const char *http_route_rest(const struct http_router *r, size_t index, const struct http_path *path)
{
    const struct row *row = &r->row[index];

    if (!row->has_rest)
        return NULL;
    if (row->n < path->n)
        return path->text + path->seg[row->n].at;
    return path->text + strlen(path->text);
}
