/* httpexchanges: the last requests, as Spring Boot tells them. */
#include <stdio.h>
#include <stdlib.h>
#include <umbel/http_exchanges.h>
#include <umbel/util.h>
#include "internal.h"

static void put_header(json_t *headers, const char *name, const char *value)
{
    if (*value != '\0')
        json_object_set_new(headers, name, json_pack("[s]", value));     /* no UTF-8: it is not told */
}

static json_t *exchange_json(const struct um_http_exchange *e)
{
    char at[32], took[32], *uri = um_xasprintf("http://%s%s", e->host, e->path);
    json_t *headers = json_object(), *json;

    um_wall_iso(e->at_wall_ms, at);
    snprintf(took, sizeof(took), "PT%.6fS", (double)e->took_us / 1e6);
    put_header(headers, "host", e->host);
    put_header(headers, "user-agent", e->agent);
    put_header(headers, "accept", e->accept);
    json = json_pack("{s:s, s:{s:s, s:s, s:o, s:s}, s:{s:i, s:{s:[s]}}, s:s}", "timestamp", at, "request", "uri", uri, "method", e->method,
                     "headers", headers, "remoteAddress", e->peer, "response", "status", (int)e->status, "headers", "x-request-id", e->id,
                     "timeTaken", took);
    free(uri);
    return json;
}

static void add_exchange(void *arg, const struct um_http_exchange *e)
{
    json_t *json = exchange_json(e);

    if (json != NULL)
        json_array_append_new(arg, json);
}

void um_actuator_exchanges(const struct um_actuator *a, struct um_http_req *rq)
{
    json_t *list;

    if (!um_actuator_exposes(a, rq, "httpexchanges"))
        return;
    list = json_array();
    um_http_exchanges_each(add_exchange, list);
    um_actuator_reply(a, rq, 200, json_pack("{s:o}", "exchanges", list));
}
