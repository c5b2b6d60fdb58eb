/* POST /core/rest/internal/sessions/{hash}/end and GET /core/rest/internal/revocations, with the gateway's own token. */
#include <auth/core_door.h>

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <auth/auth.h>
#include <proxy/exchange.h>
#include <umbel/list.h>

enum { TIMEOUT_MS = 3000, END_ANSWER_MAX = 16 * 1024, LIST_ANSWER_MAX = 32 << 20 };

struct way {                              /* of one reactor */
    struct um_upstream *up;
    struct um_list calls;
    bool closed;
};
struct um_core_door {
    const struct um_token_ring *ring;
    struct way *ways;
    size_t n;
};
struct door_call {
    struct um_list link;
    struct um_call *call;
    void (*ended)(void *arg, um_err err);         /* one of the two */
    void (*listed)(void *arg, um_err err, const struct um_revocation *rows, size_t n);
    void *arg;
};

/* ---- answers ---- */

static void tell_list(struct door_call *c, um_err err, const json_t *list)
{
    size_t i, n = 0, max = err == UM_OK ? json_array_size(list) : 0;
    struct um_revocation *rows = calloc(max + 1, sizeof(*rows));
    const json_t *row;

    if (rows == NULL) {
        c->listed(c->arg, UM_ENOMEM, NULL, 0);
        return;
    }
    for (i = 0; i < max; i++) {
        row = json_array_get(list, i);
        rows[n] = (struct um_revocation){ json_string_value(json_array_get(row, 0)), json_integer_value(json_array_get(row, 1)) };
        n += rows[n].hash != NULL;
    }
    c->listed(c->arg, err, rows, n);
    free(rows);
}

static void tell(struct door_call *c, um_err err, struct um_span body)
{
    json_t *json = NULL, *list;

    um_list_remove(&c->link);
    if (c->ended != NULL) {
        c->ended(c->arg, err);
        free(c);
        return;
    }
    if (err == UM_OK)
        json = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    list = json_object_get(json, "revocations");
    tell_list(c, err == UM_OK && !json_is_array(list) ? UM_EPROTO : err, list);
    json_decref(json);
    free(c);
}

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    (void)retry_after;
    if (err == UM_OK && status / 100 != 2)
        err = status == 401 || status == 403 ? UM_EDENIED : UM_EUNAVAIL;
    tell(arg, err, body);
}

/* ---- questions ---- */

static struct way *way_of(struct um_core_door *d, const struct um_loop *l)
{
    for (size_t i = 0; i < d->n; i++)
        if (um_upstream_loop(d->ways[i].up) == l)
            return &d->ways[i];
    return NULL;
}

static void ask(struct um_core_door *d, struct um_loop *l, struct door_call *c, struct um_exchange_request *rq, struct um_span body,
                size_t max_answer)
{
    struct um_exchange_header headers[] = { { "token", NULL }, { "Content-Type", "application/json" }, { "Accept", "application/json" } };
    struct way *w = way_of(d, l);
    struct um_buf token = { 0 };

    um_list_init(&c->link);
    if (w != NULL && !w->closed && um_auth_gateway_token(d->ring, NULL, &token) == UM_OK) {
        headers[0].value = um_buf_cstr(&token);
        rq->headers = headers;
        rq->n = UM_COUNT(headers);
        rq->timeout_ms = TIMEOUT_MS;
        rq->repeatable = true;            /* revoking twice is revoking once */
        if ((c->call = um_call_start(w->up, rq, body, max_answer, answered, c)) != NULL)
            um_list_append(&w->calls, &c->link);
    }
    um_buf_free(&token);
    if (c->call == NULL)
        tell(c, w != NULL && w->closed ? UM_ECLOSED : UM_EUNAVAIL, UM_SPAN(NULL, 0));
}

static void revoke(void *ctx, struct um_loop *l, const char *hash, int64_t for_ms, void (*done)(void *arg, um_err err), void *arg)
{
    struct door_call *c = um_xcalloc(1, sizeof(*c));
    struct um_buf target = { 0 }, body = { 0 };

    c->ended = done;
    c->arg = arg;
    um_buf_printf(&target, "/core/rest/internal/sessions/%s/end", hash);
    um_buf_printf(&body, "{\"forMs\":%lld,\"reason\":\"%s\"}", (long long)for_ms, for_ms > 0 ? "ended" : "expired");
    ask(ctx, l, c, &(struct um_exchange_request){ .method = "POST", .target = um_buf_cstr(&target) }, UM_SPAN(body.data, body.len),
        END_ANSWER_MAX);
    um_buf_free(&target);
    um_buf_free(&body);
}

static void read_list(void *ctx, struct um_loop *l,
                      void (*done)(void *arg, um_err err, const struct um_revocation *rows, size_t n), void *arg)
{
    struct door_call *c = um_xcalloc(1, sizeof(*c));

    c->listed = done;
    c->arg = arg;
    ask(ctx, l, c, &(struct um_exchange_request){ .method = "GET", .target = "/core/rest/internal/revocations" }, UM_SPAN(NULL, 0),
        LIST_ANSWER_MAX);
}

struct um_session_hooks um_core_door_hooks(struct um_core_door *d)
{
    return (struct um_session_hooks){ revoke, read_list, d };
}

/* ---- life ---- */

struct um_core_door *um_core_door_new(const struct um_token_ring *ring)
{
    struct um_core_door *d = um_xcalloc(1, sizeof(*d));

    d->ring = ring;
    return d;
}

void um_core_door_free(struct um_core_door *d)
{
    if (d == NULL)
        return;
    free(d->ways);
    free(d);
}

/* The lists are heads that point to themselves, so they are made anew when the array has moved: nothing is in them yet. */
void um_core_door_open(struct um_core_door *d, struct um_upstream *up)
{
    d->ways = um_xrealloc(d->ways, (d->n + 1) * sizeof(*d->ways));
    d->ways[d->n++] = (struct way){ .up = up };
    for (size_t i = 0; i < d->n; i++)
        um_list_init(&d->ways[i].calls);
}

void um_core_door_close(struct um_core_door *d, struct um_upstream *up)
{
    struct way *w = way_of(d, um_upstream_loop(up));

    if (w == NULL)
        return;
    w->closed = true;
    while (!um_list_is_empty(&w->calls)) {
        struct door_call *c = UM_CONTAINER(w->calls.next, struct door_call, link);
        um_call_cancel(c->call);
        tell(c, UM_ECLOSED, UM_SPAN(NULL, 0));
    }
}
