/* Rows, compiled: the routes, each row's parameters complete, its schemas found. What contradicts itself is found here, at the
 * start of the program and of each test. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

extern const struct um_embedded api_schema_files[];
extern const size_t api_schema_files_n;

enum { REST_MAX = 8192 };                    /* bytes of what a path's "*" stands for */

struct compiler { struct um_api *a; const struct um_api_row *row; char *why; };

static bool fail(struct compiler *c, const char *fmt, ...) UM_PRINTF(2, 3);
static bool fail(struct compiler *c, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(c->why, 256, "%.10s %.100s: ", c->row->method, c->row->path);

    va_start(ap, fmt);
    if (n > 0 && n < 256)
        vsnprintf(c->why + n, 256 - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

/* ---- parameters ---- */

const struct um_api_param *api_param(const struct api_row *r, const char *name, enum um_api_in in)
{
    for (size_t i = 0; i < r->n_params; i++)
        if (r->params[i].in == in && (in == UM_API_HEADER ? um_ascii_ieq(r->params[i].name, name)
                                                          : strcmp(r->params[i].name, name) == 0))
            return &r->params[i];
    return NULL;
}

static bool has_part(const char *path, const char *name)
{
    const char *p = strstr(path, name);
    size_t n = strlen(name);

    if (strcmp(name, "*") == 0)
        return p != NULL;
    for (; p != NULL; p = strstr(p + 1, name))
        if (p > path && p[-1] == '{' && p[n] == '}')
            return true;
    return false;
}

static bool check_param(struct compiler *c, const struct um_api_param *p)
{
    char message[160];
    int64_t n;

    if (p->type >= UM_API_TYPES_N || p->in > UM_API_PATH || p->min > p->max || p->min < (p->type == UM_API_INT ? INT64_MIN : 0))
        if (p->type != UM_API_STRING || p->max != 0 || p->min > UM_API_TEXT_MAX)
            return fail(c, "the limits of %s", p->name);
    if ((p->type == UM_API_INT || p->type == UM_API_DURATION || p->type == UM_API_IDS) && p->max == p->min && p->max == 0)
        return fail(c, "%s has no limits", p->name);
    if (p->type == UM_API_ENUM && (p->values == NULL || *p->values == '\0'))
        return fail(c, "%s has no values", p->name);
    if (p->type == UM_API_IDS && p->in == UM_API_HEADER)
        return fail(c, "%s: no ids in headers", p->name);
    if (p->in == UM_API_PATH && !has_part(c->row->path, p->name))
        return fail(c, "the path has no %s", p->name);
    if (p->initial != NULL && (p->required || p->type == UM_API_IDS || !api_value(p, p->initial, &n, message)))
        return fail(c, "what %s is without being given", p->name);
    return p->text != NULL || fail(c, "%s has no sentence", p->name);
}

static void add_param(struct api_row *r, const struct um_api_param *p)
{
    r->params = um_xrealloc(r->params, (r->n_params + 1) * sizeof(*r->params));
    r->params[r->n_params] = *p;
    r->params[r->n_params++].required |= p->in == UM_API_PATH && strcmp(p->name, "*") != 0;
}

static bool take_params(struct compiler *c, struct api_row *r, const struct um_api_param *params)
{
    for (const struct um_api_param *p = params; p != NULL && p->name != NULL; p++) {
        if (!check_param(c, p))
            return false;
        if (api_param(r, p->name, p->in) != NULL)
            return fail(c, "%s is there twice", p->name);
        add_param(r, p);
    }
    return true;
}

/* What the path names and the row does not say: strings. Their names are in a copy of the path, cut at each "}". */
static void add_path_params(struct api_row *r)
{
    char *p = r->names = um_xstrdup(r->row->path);
    size_t n = strlen(p);

    if (n > 0 && p[n - 1] == '*' && api_param(r, "*", UM_API_PATH) == NULL)
        add_param(r, &(struct um_api_param){ .name = "*", .in = UM_API_PATH, .type = UM_API_STRING, .max = REST_MAX });
    while ((p = strchr(p, '{')) != NULL) {
        const char *name = ++p;

        p += strcspn(p, "}");
        *p++ = '\0';
        if (api_param(r, name, UM_API_PATH) == NULL)
            add_param(r, &(struct um_api_param){ .name = name, .in = UM_API_PATH, .type = UM_API_STRING, .min = 1 });
    }
}

/* ---- rows ---- */

static bool is_method(const char *m)
{
    static const char *const all[] = { "GET", "POST", "PUT", "PATCH", "DELETE" };

    for (size_t i = 0; i < UM_COUNT(all); i++)
        if (strcmp(all[i], m) == 0)
            return true;
    return false;
}

static bool check_schemas(struct compiler *c, struct api_row *r)
{
    const struct um_api_row *row = c->row;

    if (row->body != NULL && (r->body = api_schemas_find(c->a->schemas, row->body)) == NULL)
        return fail(c, "there is no schema %s", row->body);
    if (row->body != NULL && strcmp(row->method, "GET") == 0)
        return fail(c, "GET has no body");
    for (size_t i = 0; i < UM_API_REPLIES_MAX && row->replies[i].status != 0; i++) {
        const struct um_api_reply *reply = &row->replies[i];
        if (reply->schema != NULL && api_schemas_find(c->a->schemas, reply->schema) == NULL)
            return fail(c, "there is no schema %s", reply->schema);
    }
    return true;
}

static bool check_row(struct compiler *c, struct api_row *r)
{
    const struct um_api_row *row = c->row;

    if (!is_method(row->method) || row->path[0] != '/' || row->handler == NULL || row->summary == NULL)
        return fail(c, "method, path, handler and summary are needed");
    if (row->role != NULL && (row->flags & UM_HTTP_PUBLIC))
        return fail(c, "public, and needs a role");
    if (row->id != NULL && row->replies[0].status == 0)
        return fail(c, "nothing is said of its replies");
    return check_schemas(c, r) && take_params(c, r, row->params) && take_params(c, r, r->group->params);
}

/* ---- rows together ---- */

/* Would every path that B takes be taken by A? */
static bool covers(const char *a, const char *b)
{
    while (*a == '/' && *b == '/') {
        size_t m = strcspn(++a, "/"), n = strcspn(++b, "/");

        if (strcmp(a, "*") == 0)
            return true;
        if (a[0] != '{' && (m != n || memcmp(a, b, n) != 0))
            return false;
        if (strcmp(b, "*") == 0)
            return false;
        a += m;
        b += n;
    }
    return *a == '\0' && *b == '\0';
}

static bool check_pair(struct compiler *c, const struct um_api_row *earlier)
{
    if (c->row->id != NULL && earlier->id != NULL && strcmp(c->row->id, earlier->id) == 0)
        return fail(c, "its id %s is that of %s", c->row->id, earlier->path);
    if (strcmp(c->row->method, earlier->method) != 0 || !covers(earlier->path, c->row->path))
        return true;
    if (!(earlier->flags & UM_HTTP_WEBSOCKET))
        return fail(c, "is never reached behind %s", earlier->path);
    return c->row->id == NULL || earlier->id == NULL || strcmp(c->row->path, earlier->path) != 0 ||
           fail(c, "one of two rows with the same path has the id");
}

static bool compile_row(struct compiler *c, struct api_row *r)
{
    c->row = r->row;
    if (!check_row(c, r))
        return false;
    add_path_params(r);
    for (struct api_row *earlier = c->a->rows; earlier < r; earlier++)
        if (!check_pair(c, earlier->row))
            return false;
    return true;
}

static struct um_http_route route_of(const struct um_api_row *row)
{
    return (struct um_http_route){ row->method, row->path, row->handler, row->flags, row->role, row->summary, row->max_body };
}

static void gather(struct um_api *a, const struct um_api_group *const *groups, size_t n)
{
    size_t total = 0;

    for (size_t g = 0; g < n; g++)
        total += groups[g]->n;
    a->groups = groups;
    a->n_groups = n;
    a->rows = um_xcalloc(total + 1, sizeof(*a->rows));
    a->routes = um_xcalloc(total + 1, sizeof(*a->routes));
    for (size_t g = 0; g < n; g++)
        for (size_t i = 0; i < groups[g]->n; i++) {
            a->rows[a->n].row = &groups[g]->rows[i];
            a->rows[a->n].group = groups[g];
            a->routes[a->n++] = route_of(&groups[g]->rows[i]);
        }
}

static bool write_description(struct um_api *a)
{
    json_t *doc = api_describe(a);
    char *text = json_dumps(doc, JSON_INDENT(1));

    json_decref(doc);
    if (text == NULL)
        return false;
    a->description = um_bytes_dup(text, strlen(text));
    free(text);
    return a->description != NULL;
}

um_err api_new_with(struct um_api **out, const struct um_api_group *const *groups, size_t n, const struct um_embedded *files,
                    size_t n_files, char why[256])
{
    struct um_api *a = um_xcalloc(1, sizeof(*a));
    struct compiler c = { .a = a, .why = why };
    um_err err;

    *out = NULL;
    gather(a, groups, n);
    err = api_schemas_new(&a->schemas, files, n_files, why);
    for (size_t i = 0; err == UM_OK && i < a->n; i++)
        if (!compile_row(&c, &a->rows[i]))
            err = UM_EINVAL;
    if (err == UM_OK && !write_description(a)) {
        snprintf(why, 256, "the description cannot be written");
        err = UM_EINVAL;
    }
    if (err != UM_OK) {
        um_api_free(a);
        return err;
    }
    *out = a;
    return UM_OK;
}

um_err um_api_new(struct um_api **out, const struct um_api_group *const *groups, size_t n, char why[256])
{
    return api_new_with(out, groups, n, api_schema_files, api_schema_files_n, why);
}

void um_api_free(struct um_api *a)
{
    if (a == NULL)
        return;
    for (size_t i = 0; i < a->n; i++) {
        free(a->rows[i].params);
        free(a->rows[i].names);
    }
    free(a->rows);
    free(a->routes);
    api_schemas_free(a->schemas);
    um_bytes_unref(a->description);
    free(a);
}

const struct um_http_route *um_api_routes(const struct um_api *a, size_t *n)
{
    *n = a->n;
    return a->routes;
}

const struct api_row *api_row_of(const struct um_api *a, const struct um_http_route *route)
{
    UM_ASSERT(route >= a->routes && route < a->routes + a->n);
    return &a->rows[route - a->routes];
}

const struct um_api_row *um_api_row_of(const struct um_api *a, const struct um_http_route *route)
{
    return api_row_of(a, route)->row;
}

struct um_bytes *um_api_description(const struct um_api *a) { return a->description; }
