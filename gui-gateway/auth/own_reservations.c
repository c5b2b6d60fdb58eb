/* GET /gui/rest/session/reservations: what the present session has reserved. The core knows; it is asked in the session's name. */
#include <proxy/exchange.h>
#include <stdlib.h>
#include <umbel/util.h>

#include "auth_int.h"

enum { ANSWER_MAX = 1 << 20 };

static void unavailable(struct auth_wait *w)
{
    um_http_reply_error(w->rq, 503, "U00503", "reservations are not available at the moment");
}

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    struct auth_wait *w = arg;

    (void)retry_after;
    if (w->rq != NULL && err == UM_OK && status == 200)
        um_http_reply(w->rq, 200, "application/json", body);
    else if (w->rq != NULL)
        unavailable(w);
    free(w);
}

static void found(void *arg, um_err err, const struct um_session *s)
{
    struct auth_wait *w = arg;
    const char *token = w->rq != NULL && err == UM_OK ? auth_mint_user(w->a, s) : NULL;
    struct um_exchange_header headers[] = { { "Accept", "application/json" }, { "token", token },
                                            { "X-Request-Id", w->rq != NULL ? um_http_request_id(w->rq) : "" } };
    struct um_exchange_request ex = { .method = "GET", .target = "/core/rest/reservation/session", .headers = headers,
                                      .n = UM_COUNT(headers), .repeatable = true };

    if (token != NULL && um_call_start(w->a->env.upstream, &ex, UM_SPAN("", 0), ANSWER_MAX, answered, w) != NULL)
        return;
    if (w->rq != NULL && err == UM_ENOTFOUND)
        um_http_reply_error(w->rq, 401, "U00401", "no session");
    else if (w->rq != NULL)
        unavailable(w);
    free(w);
}

void um_auth_list_reservations(struct um_auth *a, struct um_http_req *rq)
{
    struct auth_wait *w = um_xcalloc(1, sizeof(*w));

    auth_wait_start(w, a, rq);
    auth_find_session(a, rq, found, w);
}
