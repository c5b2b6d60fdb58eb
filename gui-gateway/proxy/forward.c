/* One proxied HTTP request.
 *
 *   HELD --send--> ASKED --head of the answer--> ANSWERING --both sides ended--> freed
 *     |              |                              |
 *     +-- refuse     +-- core away: 503             +-- core breaks off: connection cut
 *
 * Bodies stream both ways through one buffer each, of at most BUFFER_MAX bytes: a full `to_core` leaves the client's bytes
 * unread, a full `to_client` the core's. A body that fits into the buffer stays there, for another core to read it again. The client may leave in every state: `rq` is NULL from then on. */
#include <proxy/forward.h>

#include <stdlib.h>
#include <string.h>
#include <proxy/affinity.h>
#include <proxy/exchange.h>
#include <proxy/hop.h>
#include <proxy/target.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/util.h>

enum { BUFFER_MAX = 64 * 1024 };
/* We keep time ourselves: the core's silence ends a request, and the server's own rule a client that sends too slowly. */
#define REQUEST_DEADLINE_MS (24 * 3600 * INT64_C(1000))

enum { M_REQUESTS, M_UNAVAILABLE };
static struct um_metric metrics[] = {
    [M_REQUESTS]    = { "gateway.forward.requests", "requests", "requests passed on to a core", UM_COUNTER, 0 },
    [M_UNAVAILABLE] = { "gateway.forward.unavailable", "requests", "requests answered 503 because no core did", UM_COUNTER, 0 },
};

struct um_forward {
    enum { FORWARD_HELD, FORWARD_ASKED, FORWARD_ANSWERING } state;
    struct um_upstream *up;
    const struct um_trusted *trusted;
    struct um_http_req *rq;               /* NULL: the client's side has ended */
    struct um_exchange *x;                /* NULL: the core's side has ended, or has not begun */
    struct um_buf to_core, to_client;
    bool keeps_body;                      /* to_core holds all of it, whatever was read */
    size_t body_read;                     /* then: this much of it was */
    bool body_ended;                      /* the client has sent all */
    bool core_held;                       /* the core's bytes wait until to_client has room */
    um_err result;                        /* how the core's side ended */
};

void um_forward_start(void)
{
    um_metrics_register(metrics, UM_COUNT(metrics));
}

static void free_forward(struct um_forward *f)
{
    um_exchange_cancel(f->x);
    um_buf_free(&f->to_core);
    um_buf_free(&f->to_client);
    free(f);
}

/* ---- the client's body ---- */

static size_t take_body(void *arg, struct um_span piece)
{
    struct um_forward *f = arg;
    size_t take = UM_MIN(piece.len, BUFFER_MAX - UM_MIN(f->to_core.len, (size_t)BUFFER_MAX));

    um_buf_put(&f->to_core, piece.data, take);
    if (f->to_core.failed)
        return 0;
    if (f->x != NULL)
        um_exchange_body_ready(f->x);
    return take;
}

static void end_body(void *arg)
{
    struct um_forward *f = arg;

    f->body_ended = true;
    if (f->x != NULL)
        um_exchange_body_ready(f->x);
}

static ptrdiff_t read_body(void *arg, uint8_t *out, size_t n)
{
    struct um_forward *f = arg;
    size_t take = UM_MIN(n, f->to_core.len - f->body_read);

    if (take == 0)
        return f->body_ended ? -1 : 0;
    memcpy(out, f->to_core.data + f->body_read, take);
    if (f->keeps_body)
        f->body_read += take;
    else
        um_buf_consume(&f->to_core, take);
    if (f->state == FORWARD_ASKED && f->rq != NULL && !f->body_ended)
        um_http_body_resume(f->rq);
    return (ptrdiff_t)take;
}

static bool rewind_body(void *arg)
{
    struct um_forward *f = arg;

    f->body_read = 0;
    return f->keeps_body;
}

static void client_left(void *arg)
{
    struct um_forward *f = arg;

    f->rq = NULL;
    if (f->state != FORWARD_HELD)
        free_forward(f);
}

struct um_forward *um_forward_new(struct um_upstream *up, const struct um_trusted *trusted, struct um_http_req *rq)
{
    struct um_forward *f = um_xcalloc(1, sizeof(*f));

    f->up = up;
    f->trusted = trusted;
    f->rq = rq;
    f->body_ended = !um_http_has_body(rq);
    f->keeps_body = um_http_content_length(rq) >= 0 && um_http_content_length(rq) <= BUFFER_MAX;
    um_http_deadline(rq, REQUEST_DEADLINE_MS);
    um_http_on_gone(rq, client_left, f);
    um_http_on_body(rq, take_body, end_body, f);
    return f;
}

struct um_http_req *um_forward_request(const struct um_forward *f)
{
    return f->rq;
}

void um_forward_refuse(struct um_forward *f, unsigned status, const char *code, const char *message)
{
    UM_ASSERT(f->state == FORWARD_HELD);
    if (f->rq != NULL)
        um_http_reply_error(f->rq, status, code, message);
    free_forward(f);
}

/* ---- the answer ---- */

/* What every answer of data carries (SEC-13), unless the core has said it itself. */
static const struct um_exchange_header defaults[] = {
    { "Cache-Control", "no-store" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'" },
};

static void copy_headers(struct um_http_req *rq, const struct um_exchange_head *head)
{
    bool has[UM_COUNT(defaults)] = { false };

    for (size_t i = 0; i < head->n; i++) {
        const struct um_exchange_header *h = &head->headers[i];
        if (!um_hop_response_keeps(h->name, head->connection))
            continue;
        for (size_t k = 0; k < UM_COUNT(defaults); k++)
            has[k] |= um_ascii_ieq(h->name, defaults[k].name);
        um_http_add_header(rq, h->name, h->value);
    }
    for (size_t k = 0; k < UM_COUNT(defaults); k++)
        if (!has[k])
            um_http_add_header(rq, defaults[k].name, defaults[k].value);
}

static const char *find_header(const struct um_exchange_head *head, const char *name)
{
    for (size_t i = 0; i < head->n; i++)
        if (um_ascii_ieq(head->headers[i].name, name))
            return head->headers[i].value;
    return NULL;
}

static ptrdiff_t read_answer(void *arg, uint8_t *out, size_t n)
{
    struct um_forward *f = arg;
    size_t take = UM_MIN(n, f->to_client.len);

    if (f->to_client.failed)
        return -2;
    if (take == 0)
        return f->x != NULL ? 0 : f->result == UM_OK ? -1 : -2;
    memcpy(out, f->to_client.data, take);
    um_buf_consume(&f->to_client, take);
    if (f->core_held && f->x != NULL && f->to_client.len <= BUFFER_MAX / 2) {
        f->core_held = false;
        um_exchange_resume(f->x);
    }
    return (ptrdiff_t)take;
}

static void answer_closed(void *arg)
{
    struct um_forward *f = arg;

    f->rq = NULL;
    free_forward(f);
}

static void answer_head(void *arg, const struct um_exchange_head *head)
{
    struct um_forward *f = arg;
    struct um_http_req *rq = f->rq;
    const char *type = find_header(head, "Content-Type");
    struct um_http_source source = { read_answer, answer_closed, f };

    f->state = FORWARD_ANSWERING;
    copy_headers(rq, head);
    if (head->status == 204 || head->status == 304) {
        f->rq = NULL;                     /* the exchange ends by itself, and its connection stays in the pool */
        um_http_reply(rq, head->status, type, UM_SPAN("", 0));
        return;
    }
    um_http_reply_stream(rq, head->status, type, head->length, source);
}

static bool answer_data(void *arg, struct um_span piece)
{
    struct um_forward *f = arg;

    if (f->rq == NULL)
        return true;
    if (f->to_client.len > 0 && f->to_client.len + piece.len > BUFFER_MAX) {
        f->core_held = true;
        return false;
    }
    um_buf_put(&f->to_client, piece.data, piece.len);
    um_http_wake(f->rq);
    return true;
}

static void log_away(struct um_forward *f, um_err err)
{
    um_count(&metrics[M_UNAVAILABLE], 1);
    um_log_limited(UM_WARN, "gateway.forward", "core-failed", UM_S("reason", um_err_text(err)),
                   UM_S("method", um_http_method(f->rq)), UM_S("path", um_http_path(f->rq)),
                   UM_S("request", um_http_request_id(f->rq)));
}

static void answer_done(void *arg, um_err err)
{
    struct um_forward *f = arg;

    f->x = NULL;
    f->result = err;
    if (f->rq == NULL) {
        free_forward(f);
    } else if (f->state == FORWARD_ANSWERING) {
        um_http_wake(f->rq);              /* read_answer tells the end */
    } else {
        struct um_http_req *rq = f->rq;
        log_away(f, err);
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_error(rq, 503, "U00503", "the core cannot be reached at the moment");
        free_forward(f);
    }
}

static const struct um_exchange_handler exchange_handler = { answer_head, answer_data, read_body, rewind_body, answer_done };

/* ---- the request ---- */

static um_err send_request(struct um_forward *f, const char *token)
{
    struct um_exchange_request ex = { .method = um_http_method(f->rq) };
    struct um_hop_headers headers;
    struct um_buf target = {0};
    um_err err;

    if ((err = um_hop_request_headers(&headers, f->rq, f->trusted, token)) != UM_OK ||
        (err = um_target_rewrite(um_http_raw_target(f->rq), &target)) != UM_OK)
        goto out;
    ex.target = um_buf_cstr(&target);
    ex.headers = headers.items;
    ex.n = headers.n;
    ex.body_length = um_http_has_body(f->rq) ? um_http_content_length(f->rq) : 0;
    ex.key = um_affinity_document(um_http_path(f->rq));
    f->state = FORWARD_ASKED;
    if ((f->x = um_exchange_start(f->up, &ex, &exchange_handler, f)) == NULL)
        err = UM_ENOMEM;
out:
    um_buf_free(&target);
    return err;
}

void um_forward_send(struct um_forward *f, const char *token)
{
    struct um_http_req *rq = f->rq;
    um_err err;

    UM_ASSERT(f->state == FORWARD_HELD);
    if (rq == NULL) {
        free_forward(f);
        return;
    }
    um_count(&metrics[M_REQUESTS], 1);
    if ((err = send_request(f, token)) == UM_OK)
        return;
    if (err == UM_ENOMEM)
        um_http_reply_error(rq, 503, "U00503", "out of memory");
    else if (err == UM_ELIMIT)
        um_http_reply_error(rq, 431, "U00400", "too many headers");
    else
        um_http_reply_error(rq, 400, "U00400", "malformed target");
    free_forward(f);
}
