/* POST /core/rest/jobs/lease: a worker outside asks for jobs, and waits while there are none. What he waits on is the database, asked
 * again and again: a job that comes due is there for whoever asks next, on any core. */
#include <stdlib.h>
#include <umbel/domain_calls.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "internal.h"
#include "platform.h"

enum { POLL_MS = 500 };

struct waiting {
    struct um_rest *rest;
    struct um_http_req *rq;                  /* NULL: the client has left */
    struct um_loop *loop;
    struct um_timer timer;
    int64_t until_ms;
    json_t *body;
    bool asked;
};

static void drop_if_over(struct waiting *w)
{
    if (w->rq != NULL || w->asked)
        return;
    um_timer_stop(w->loop, &w->timer);
    json_decref(w->body);
    free(w);
}

static void on_gone(void *arg)
{
    struct waiting *w = arg;

    w->rq = NULL;
    drop_if_over(w);
}

static void end(struct waiting *w, const struct um_domain_answer *a)
{
    struct um_http_req *rq = w->rq;

    um_http_on_gone(rq, NULL, NULL);
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (a->err == UM_OK)
        um_http_reply_json(rq, 200, json_incref(a->reply));
    else
        platform_refuse(rq, a->problem);
    w->rq = NULL;
    drop_if_over(w);
}

static void ask(void *arg);

/* Jobs whose asker has left meanwhile come back when their lease is over. */
static void on_answer(void *arg, const struct um_domain_answer *a)
{
    struct waiting *w = arg;

    w->asked = false;
    if (w->rq == NULL)
        drop_if_over(w);
    else if (a->err != UM_OK || json_array_size(a->reply) > 0 || um_loop_now_ms(w->loop) >= w->until_ms)
        end(w, a);
    else
        um_timer_set(w->loop, &w->timer, POLL_MS, ask, w);
}

static void on_closed(void *arg)
{
    struct waiting *w = arg;

    json_decref(w->body);
    free(w);
}

static void ask(void *arg)
{
    struct waiting *w = arg;
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(w->rest, w->rq, session);

    w->asked = true;
    um_domain_run_or(w->rest->deps.domain, w->loop, &um_job_lease, &who, NULL, json_incref(w->body), on_answer, on_closed, w);
}

void jobs_lease(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    struct waiting *w;

    if (body == NULL)
        return;
    w = um_xcalloc(1, sizeof(*w));
    *w = (struct waiting){ .rest = r, .rq = rq, .loop = um_http_loop(rq), .body = body };
    w->until_ms = um_loop_now_ms(w->loop) + 1000 * json_integer_value(json_object_get(body, "waitSeconds"));
    um_http_on_gone(rq, on_gone, w);
    ask(w);
}
