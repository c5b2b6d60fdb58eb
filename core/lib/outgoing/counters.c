/* What is counted. Hosts are no labels: there may be any number of them. */
#include <stdio.h>
#include "outgoing_int.h"

struct um_metric outgoing_metrics[M_N] = {
    [M_ACTIVE]      = { "outgoing.active", "calls", "calls to services outside that are under way", UM_GAUGE, 0 },
    [M_WAITING]     = { "outgoing.waiting", "calls", "calls to services outside that wait for a place", UM_GAUGE, 0 },
    [M_DENIED]      = { "outgoing.denied", "calls", "calls to services outside that the guard of addresses refused", UM_COUNTER, 0 },
    [M_FAILED]      = { "outgoing.failed", "calls", "calls to services outside without a usable answer", UM_COUNTER, 0 },
    [M_CONNECTIONS] = { "outgoing.connections", "connections", "connections to services outside that were begun", UM_COUNTER, 0 },
};

static const char *const labels[] = { "method", "status", "outcome", NULL };
static struct um_histograms requests = { .name = "outgoing.requests", .help = "calls to services outside", .labels = labels };

static const char *outcome_of(const struct call *c)
{
    static const char *const by_hundred[] = { "INFORMATIONAL", "SUCCESS", "REDIRECTION", "CLIENT_ERROR", "SERVER_ERROR" };
    static const char *const by_error[UM_ERR_N] = {
        [UM_EINVAL] = "INVALID", [UM_EDENIED] = "DENIED", [UM_EUNAVAIL] = "UNAVAILABLE", [UM_ETIMEOUT] = "TIMEOUT",
        [UM_EIO] = "BROKEN", [UM_EPROTO] = "NOT_HTTP", [UM_ELIMIT] = "TOO_LARGE", [UM_ECLOSED] = "CLOSED",
    };

    if (c->err != UM_OK)
        return by_error[c->err] != NULL ? by_error[c->err] : "UNKNOWN";
    return c->status >= 100 && c->status < 600 ? by_hundred[c->status / 100 - 1] : "UNKNOWN";
}

void outgoing_count_call(const struct call *c)
{
    bool has_status = c->err == UM_OK && c->status >= 100 && c->status < 600;
    char status[8];

    um_histograms_register(&requests);
    snprintf(status, sizeof(status), "%ld", c->status);
    um_histogram_add(um_histogram_of(&requests, (const char *const[]){ c->method, has_status ? status : "none", outcome_of(c) }), c->us);
    if (c->err == UM_EDENIED)
        count(M_DENIED, 1);
    else if (c->err != UM_OK)
        count(M_FAILED, 1);
}
