/* The table of routes, split into segments once. */
#ifndef UMBEL_HTTP_ROUTE_H
#define UMBEL_HTTP_ROUTE_H
#include <umbel/http.h>
#include "target.h"

struct http_router;
/* ROUTES are borrowed. A malformed path in the table is our own mistake: asserted. */
struct http_router *http_router_new(const struct um_http_route *routes, size_t n);
void http_router_free(struct http_router *r);

enum { HTTP_ALLOW_ROOM = 128 };
struct http_match {
    const struct um_http_route *route;      /* NULL: none */
    size_t index;
    bool needs_upgrade;                     /* only a WebSocket row takes it, and it asks for none */
    char allow[HTTP_ALLOW_ROOM];            /* the methods that match the path; "" when no row does */
};
/* WEBSOCKET: does the request ask for an upgrade? Rows for WebSockets are skipped when it does not. */
struct http_match http_route_find(const struct http_router *r, const char *method, const struct http_path *path, bool websocket);

/* The segment that NAME stands for in row INDEX: its number, or -1. "*" is not a segment: *rest says where the rest begins
 * in path->text. */
int http_route_param(const struct http_router *r, size_t index, const char *name);
const char *http_route_rest(const struct http_router *r, size_t index, const struct http_path *path);

#endif
