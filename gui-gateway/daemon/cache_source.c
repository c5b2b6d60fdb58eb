/* Asks a core for the versions of all caches, with the gateway's own token. */
#include "cache_source.h"
#include <jansson.h>
#include <stdlib.h>
#include <auth/auth.h>
#include <proxy/exchange.h>
#include <umbel/util.h>

enum { ANSWER_MAX = 4 << 20, TIMEOUT_MS = 5000 };

struct cache_source {
    struct um_upstream *up;
    struct um_loop *loop;
    const struct um_token_ring *ring;
    struct um_call *call;
    struct um_timer failure;                 /* a question that could not even be asked is answered later, too */
    um_cachegen_rows_cb *cb;                 /* of the question under way; cachegen asks one at a time */
    void *arg;
};

/* [{"scope","name","version"}]. What is of another form is left out: a core of the next release may say more. */
static size_t take_rows(const json_t *list, struct um_cachegen_row *rows)
{
    size_t i, n = 0;
    const json_t *item;

    json_array_foreach(list, i, item) {
        const char *scope = json_string_value(json_object_get(item, "scope"));
        const char *name = json_string_value(json_object_get(item, "name"));
        json_int_t version = json_integer_value(json_object_get(item, "version"));

        if (scope != NULL && name != NULL && name[0] != '\0' && version > 0)
            rows[n++] = (struct um_cachegen_row){ scope, name, (uint64_t)version };
    }
    return n;
}

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    struct cache_source *s = arg;
    json_t *list = NULL;
    struct um_cachegen_row *rows;

    (void)retry_after;
    s->call = NULL;
    if (err == UM_OK && status == 200)
        list = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    if (err == UM_OK && !json_is_array(list))
        err = status == 503 ? UM_EUNAVAIL : status == 401 || status == 403 ? UM_EDENIED : UM_EPROTO;
    rows = um_xcalloc(json_array_size(list) + 1, sizeof(*rows));
    s->cb(s->arg, err, rows, take_rows(list, rows));
    free(rows);
    json_decref(list);
}

static void fail_later(void *arg)
{
    struct cache_source *s = arg;

    s->cb(s->arg, UM_EUNAVAIL, NULL, 0);
}

static void read_rows(void *ctx, struct um_loop *l, um_cachegen_rows_cb *cb, void *arg)
{
    struct cache_source *s = ctx;
    struct um_buf token = { 0 };
    struct um_exchange_header header = { .name = "token" };
    struct um_exchange_request rq = { .method = "GET", .target = "/core/rest/internal/caches", .headers = &header, .n = 1,
                                      .timeout_ms = TIMEOUT_MS };

    UM_ASSERT(l == s->loop);
    s->cb = cb;
    s->arg = arg;
    if (um_auth_gateway_token(s->ring, NULL, &token) == UM_OK) {
        header.value = um_buf_cstr(&token);
        s->call = um_call_start(s->up, &rq, UM_SPAN(NULL, 0), ANSWER_MAX, answered, s);
    }
    if (s->call == NULL)
        um_timer_set(s->loop, &s->failure, 0, fail_later, s);
    um_buf_free(&token);
}

struct um_cachegen_source cache_source_of(struct cache_source *s) { return (struct um_cachegen_source){ read_rows, s }; }

struct cache_source *cache_source_new(struct um_upstream *up, struct um_loop *l, const struct um_token_ring *ring)
{
    struct cache_source *s = um_xcalloc(1, sizeof(*s));

    s->up = up;
    s->loop = l;
    s->ring = ring;
    return s;
}

void cache_source_free(struct cache_source *s)
{
    if (s == NULL)
        return;
    um_call_cancel(s->call);
    um_timer_stop(s->loop, &s->failure);
    free(s);
}
