/* Any request head: the guard, the path, the query and the routes must not crash, and must keep their promises.
 * Input: method, target and header lines, separated by line feeds; a header line is name and value around a colon. */
#include <stdlib.h>
#include <string.h>
#include "guard.h"
#include "route.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_FIELDS = 40 };

static void handler(struct um_http_req *rq, void *ctx)
{
    (void)rq;
    (void)ctx;
}

static const struct um_http_route routes[] = {
    { "GET", "/a/{id}", handler, 0, NULL, "", 0 },        { "POST", "/a/{id}", handler, 0, NULL, "", 0 },
    { "*", "/a/{id}/b/{other}", handler, 0, NULL, "", 0 }, { "GET", "/ws", handler, UM_HTTP_WEBSOCKET, NULL, "", 0 },
    { "GET", "/files/*", handler, 0, NULL, "", 0 },        { "GET", "/", handler, 0, NULL, "", 0 },
};

static void check(bool ok)
{
    if (!ok)
        abort();
}

/* No decoded dot segment, no more separators than segments. */
static void check_path(const struct http_path *p)
{
    size_t slashes = 0;

    check(p->text[0] == '/');
    for (size_t i = 0; i < p->n; i++)
        check(strcmp(p->seg[i].decoded, ".") != 0 && strcmp(p->seg[i].decoded, "..") != 0);
    for (const char *s = p->text; *s != '\0'; s++)
        slashes += *s == '/';
    check(slashes == p->n + (p->slash || p->n == 0));
}

static void walk(const struct http_head *h)
{
    struct http_path p;
    struct http_query q;
    struct http_router *r = http_router_new(routes, UM_COUNT(routes));
    const char *query = strchr(h->target, '?');

    if (http_path_parse(&p, h->target, strcspn(h->target, "?")) == UM_OK) {
        struct http_match m = http_route_find(r, h->method, &p, strlen(h->target) % 2 == 1);

        check_path(&p);
        if (m.route != NULL) {
            int i = http_route_param(r, m.index, "id");
            const char *rest = http_route_rest(r, m.index, &p);

            check(i < (int)p.n);
            check(rest == NULL || (rest >= p.text && rest <= p.text + strlen(p.text)));
        }
        http_path_free(&p);
    }
    if (query != NULL && http_query_parse(&q, query + 1) == UM_OK) {
        check(q.n == http_query_count(query + 1));
        for (size_t i = 0; i < q.n; i++)
            check(strlen(q.pair[i].name) + strlen(q.pair[i].value) <= strlen(query));
        http_query_free(&q);
    }
    http_router_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct um_http_conf cf = { .max_header_bytes = 16384, .max_headers = 30, .max_query = 50 };
    struct http_field field[MAX_FIELDS];
    struct http_head h = { "", "HTTP/1.1", "", field, 0 };
    char *text = malloc(size + 1), *line, *next;
    struct http_verdict v;

    memcpy(text, data, size);
    text[size] = '\0';
    for (line = text, size = 0; line != NULL; line = next, size++) {
        char *colon;

        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        colon = strchr(line, ':');
        if (size == 0) {
            h.method = line;
        } else if (size == 1) {
            h.target = line;
        } else if (colon != NULL && h.n_fields < MAX_FIELDS) {
            *colon = '\0';
            field[h.n_fields++] = (struct http_field){ line, colon + 1, strlen(line), strlen(colon + 1) };
        }
    }
    v = http_guard(&h, &cf);
    if (v.status == 0) {
        check(h.target[0] == '/' && !(v.chunked && v.content_length >= 0));
        walk(&h);
    } else {
        check(v.why != NULL);
        if (h.target[0] == '/')
            walk(&h);               /* a refusal names the path too */
    }
    free(text);
    return 0;
}
