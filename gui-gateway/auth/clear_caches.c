/* DELETE /core/rest/internal/caches, with the gateway's own token. */
#include <auth/act.h>
#include <stdlib.h>
#include <string.h>
#include <proxy/exchange.h>
#include <umbel/util.h>

#include "auth_int.h"

enum { TIMEOUT_MS = 10000, ANSWER_MAX = 16 * 1024 };

struct clearing {
    void (*done)(void *arg, um_err err);
    void *arg;
};

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    static const struct { unsigned status; um_err err; } rows[] = { { 404, UM_ENOTFOUND }, { 400, UM_EINVAL }, { 401, UM_EDENIED } };
    struct clearing *c = arg;

    (void)retry_after;
    (void)body;
    if (err == UM_OK && status / 100 != 2) {
        err = UM_EUNAVAIL;
        for (size_t i = 0; i < UM_COUNT(rows); i++)
            if (rows[i].status == status)
                err = rows[i].err;
    }
    c->done(c->arg, err);
    free(c);
}

static void answered_nothing(void *arg) { answered(arg, UM_EUNAVAIL, 0, NULL, UM_SPAN(NULL, 0)); }

void um_act_clear_caches(struct um_auth *a, const char *name, void (*done)(void *arg, um_err err), void *arg)
{
    struct clearing *c = um_xcalloc(1, sizeof(*c));
    struct um_buf token = { 0 }, target = { 0 };
    bool asked = false;

    *c = (struct clearing){ done, arg };
    um_buf_puts(&target, "/core/rest/internal/caches");
    if (name != NULL) {
        um_buf_puts(&target, "?name=");
        um_percent_encode(&target, UM_SPAN_STR(name));
    }
    if (auth_mint_gateway(a, NULL, &token) == UM_OK) {
        struct um_exchange_header headers[] = { { "Accept", "application/json" }, { "token", um_buf_cstr(&token) } };
        struct um_exchange_request ex = { .method = "DELETE", .target = um_buf_cstr(&target), .headers = headers, .n = UM_COUNT(headers),
                                          .timeout_ms = TIMEOUT_MS };
        asked = um_call_start(a->env.upstream, &ex, UM_SPAN(NULL, 0), ANSWER_MAX, answered, c) != NULL;
    }
    if (!asked)
        um_loop_call(a->env.loop, answered_nothing, c);
    um_buf_free(&token);
    um_buf_free(&target);
}
