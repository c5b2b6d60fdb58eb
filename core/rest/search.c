/* See search.h.
 *
 * An export goes out piece by piece: the next one is asked for when the last has left, so a client that reads slowly costs one
 * piece of memory and no time of the store. Before the first piece a refusal is a status; later the connection is cut, and the
 * job says why. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "internal.h"
#include "platform.h"
#include "search.h"

static void note(void *arg, const char *pointer, const char *message)
{
    json_array_append_new(arg, json_pack("{s:s, s:s}", "path", pointer, "message", message));
}

/* The search that the parameter holds; NULL: replied. Caller decrefs. */
static json_t *read_request(struct um_http_req *rq, struct um_rest *r)
{
    json_t *search = json_loads(um_api_text(r->api, rq, "request"), JSON_REJECT_DUPLICATES, NULL), *faults = json_array();

    if (search != NULL && um_api_fits(r->api, "Search", search, note, faults)) {
        json_decref(faults);
        return search;
    }
    json_decref(search);
    um_http_reply_error_with(rq, 400, "T00104", "what `request` holds is no search, as JSON", faults);
    return NULL;
}

/* The search comes as a parameter: a link can submit an export. */
void search_csv_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const struct platform_row *own = um_api_row_of(r->api, um_http_matched_route(rq))->call;
    json_t *body = read_request(rq, r), *args;

    if (body == NULL)
        return;
    args = um_api_args(r->api, rq);
    json_object_del(args, "request");
    json_object_set_new(args, own->name, json_string(own->value));
    platform_ask(rq, r, own->call, args, body, NULL, NULL);
}

struct export {
    struct um_rest *rest;
    struct um_http_req *rq;                  /* NULL: it has ended */
    struct um_loop *loop;
    const struct um_domain_call *call;
    json_t *args;                            /* of the next piece */
    json_t *text;                            /* the present one; NULL: none */
    size_t at;                               /* so much of it has been read */
    bool began, asked, is_last, failed;
};

static void drop_if_over(struct export *e)
{
    if (e->rq != NULL || e->asked)
        return;
    json_decref(e->args);
    json_decref(e->text);
    free(e);
}

static void on_gone(void *arg)
{
    struct export *e = arg;

    e->rq = NULL;
    drop_if_over(e);
}

/* ---- the reply ---- */

static void ask(struct export *e);

static ptrdiff_t read_piece(void *arg, uint8_t *out, size_t n)
{
    struct export *e = arg;
    size_t left = json_string_length(e->text) - e->at;

    if (e->failed)
        return -2;
    if (left == 0) {
        if (e->is_last)
            return -1;
        if (!e->asked)
            ask(e);
        return 0;
    }
    n = UM_MIN(n, left);
    memcpy(out, json_string_value(e->text) + e->at, n);
    e->at += n;
    return (ptrdiff_t)n;
}

static void begin(struct export *e)
{
    struct um_http_req *rq = e->rq;

    e->began = true;
    um_http_on_gone(rq, NULL, NULL);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_add_header(rq, "Content-Disposition", "attachment; filename=\"search.csv\"");
    um_http_reply_stream(rq, 200, "text/csv; charset=utf-8", -1,
                         (struct um_http_source){ .read = read_piece, .close = on_gone, .arg = e });
}

/* ---- pieces ---- */

static void refuse(struct export *e, const struct um_problem *p)
{
    struct um_http_req *rq = e->rq;

    um_http_on_gone(rq, NULL, NULL);
    e->rq = NULL;
    platform_refuse(rq, p);
    drop_if_over(e);
}

static void ignore(void *arg, const struct um_domain_answer *answer) { (void)arg, (void)answer; }

static void note_failure(struct export *e, const char *message)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(e->rest, e->rq, session);
    json_t *args = json_copy(e->args);

    json_object_set_new(args, "error", json_string(message));
    um_domain_run(e->rest->deps.domain, e->loop, &um_search_job_fail, &who, args, NULL, ignore, NULL);
}

static void take(struct export *e, const json_t *reply)
{
    json_t *after = json_object_get(reply, "after");

    json_decref(e->text);
    e->text = json_incref(json_object_get(reply, "text"));
    e->at = 0;
    e->is_last = after == NULL;
    if (after != NULL)
        json_object_set(e->args, "after", after);
}

static void on_answer(void *arg, const struct um_domain_answer *answer)
{
    struct export *e = arg;

    e->asked = false;
    if (e->rq == NULL) {
        drop_if_over(e);
        return;
    }
    if (answer->err != UM_OK && !e->began) {
        refuse(e, answer->problem);
        return;
    }
    e->failed = answer->err != UM_OK;
    if (e->failed)
        note_failure(e, answer->problem->message);
    else
        take(e, answer->reply);
    if (e->began)
        um_http_wake(e->rq);
    else
        begin(e);
}

static void ask(struct export *e)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(e->rest, e->rq, session);

    e->asked = true;
    um_domain_run(e->rest->deps.domain, e->loop, e->call, &who, json_copy(e->args), NULL, on_answer, e);
}

void search_job_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const struct um_api_row *row = um_api_row_of(r->api, um_http_matched_route(rq));
    const struct platform_row *own = row->call;
    struct export *e = um_xcalloc(1, sizeof(*e));

    e->rest = r;
    e->rq = rq;
    e->loop = um_http_loop(rq);
    e->call = own->call;
    e->args = um_api_args(r->api, rq);
    json_object_set_new(e->args, own->name, json_string(own->value));
    um_http_on_gone(rq, on_gone, e);
    ask(e);
}

/* ---- texts ---- */

static void on_indexed(void *arg, const struct um_domain_answer *answer)
{
    struct um_http_req *rq = later_take(arg);

    if (rq == NULL)
        return;
    if (answer->err == UM_OK)
        um_http_reply_json(rq, 200, json_incref(answer->reply));
    else
        platform_refuse(rq, answer->problem);
}

void content_index_post(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_span text = um_http_body(rq);
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(r, rq, session);

    if (!um_utf8_is_valid(text.data, text.len)) {
        um_http_reply_error(rq, 400, "U00400", "the body is a text in UTF-8");
        return;
    }
    um_domain_run(r->deps.domain, um_http_loop(rq), &um_content_index, &who, um_api_args(r->api, rq),
                  json_stringn_nocheck((const char *)text.data, text.len), on_indexed, later_new(rq, r, NULL));
}
