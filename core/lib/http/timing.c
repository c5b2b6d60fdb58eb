/* http.server.requests: how long each call took, from its first line to its reply (not to the end of a streamed one), by method,
 * row, status, outcome and exception (the code of an error: "U00404"; none when it went well), as Spring Boot's servers have it. What a client chooses freely is no label: unknown methods are OTHER, paths
 * without a row NOT_FOUND. */
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "http_int.h"

static const char *const labels[] = { "method", "uri", "status", "outcome", "exception", NULL };
static struct um_histograms requests = {
    .name = "http.server.requests", .help = "how long requests took until their reply", .labels = labels,
};

void http_timing_start(void) { um_histograms_register(&requests); }

/* A literal, so that it can be told apart by its address. */
static const char *method_of(const struct um_http_req *rq)
{
    static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" };

    for (size_t i = 0; i < UM_COUNT(known); i++)
        if (strcmp(rq->method, known[i]) == 0)
            return known[i];
    return "OTHER";
}

static const char *outcome_of(unsigned status)
{
    static const char *const words[] = { "UNKNOWN", "INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR" };

    return words[status / 100 < UM_COUNT(words) ? status / 100 : 0];
}

static struct um_histogram *series_of(const struct um_http_route *route, const char *method, unsigned status, const char *code)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", status);
    return um_histogram_of(&requests, (const char *const[]){ method, route != NULL ? route->path : "NOT_FOUND", text, outcome_of(status),
                                                                code });
}

void http_timed(struct um_http_req *rq)
{
    const struct um_http_route *route = rq->match.route;
    const char *method = method_of(rq), *code = rq->code != NULL ? rq->code : "none";
    size_t slot = ((uintptr_t)route / sizeof(*route) * 31 + rq->status * 7 + (uintptr_t)method + (uintptr_t)code) % HTTP_TIMED_SLOTS;
    struct http_timed *t = &rq->http->timed[slot];

    if (t->h == NULL || t->route != route || t->status != rq->status || t->method != method || t->code != code)
        *t = (struct http_timed){ route, rq->status, method, code, series_of(route, method, rq->status, code) };
    um_histogram_add(t->h, um_now_us() - rq->began_us);
}
