/* Bodies on their way in: gathered up to the limit, or handed on piece by piece; and the least rate at which they come. */
#include <sys/socket.h>
#include <umbel/log.h>
#include "http_int.h"

enum {
    SWALLOW_MAX = 1024 * 1024,          /* of a body that nobody wants any more; then the connection is cut */
    LOOK_MS = 1000,                     /* how often it is looked whether the client is still there */
};

bool http_has_body(const struct um_http_req *rq)
{
    return rq->chunked || rq->content_length > 0;
}

size_t http_body_limit(const struct um_http_req *rq)
{
    const struct um_http_route *r = rq->match.route;

    return r != NULL && r->max_body > 0 ? r->max_body : (size_t)rq->http->cf.max_body;
}

/* libmicrohttpd goes on waiting for a body whose client has closed its side. */
static bool has_left(const struct http_conn *c)
{
    char byte;

    return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static bool is_quick_enough(const struct um_http_req *rq)
{
    const struct um_http_conf *cf = &rq->http->cf;

    return rq->received - rq->window_received >= (uint64_t)(cf->min_rate_bytes * cf->header_timeout_ms / 1000);
}

static void look_at_client(void *arg)
{
    struct http_conn *c = arg;
    struct um_http_req *rq = c->rq;
    int64_t left_ms = rq != NULL ? rq->window_end_ms - um_loop_now_ms(c->http->loop) : 0;

    if (has_left(c)) {
        shutdown(c->fd, SHUT_RDWR);
    } else if (left_ms > 0) {
        um_timer_set(c->http->loop, &c->timer, UM_MIN(left_ms, (int64_t)LOOK_MS), look_at_client, c);
    } else if (rq != NULL && is_quick_enough(rq)) {
        http_body_window(rq);
    } else {
        http_count(HTTP_M_MIN_RATE, 1);
        shutdown(c->fd, SHUT_RDWR);
    }
}

/* A window as long as the header timeout: a client that was quick at first must not become slow later. */
void http_body_window(struct um_http_req *rq)
{
    struct um_http *h = rq->http;

    rq->window_received = rq->received;
    rq->window_end_ms = um_loop_now_ms(h->loop) + h->cf.header_timeout_ms;
    um_timer_set(h->loop, &rq->conn->timer, UM_MIN(h->cf.header_timeout_ms, (int64_t)LOOK_MS), look_at_client, rq->conn);
}

static bool too_large(struct um_http_req *rq)
{
    http_count(HTTP_M_BODY_SIZE, 1);
    rq->close = true;
    um_http_reply_error(rq, 413, "U00400", "The body is too large.");
    return true;
}

static void hand_on(struct um_http_req *rq, const char *data, size_t *size)
{
    size_t n = *size, taken = rq->on_body(rq->body_arg, UM_SPAN(data, n));

    UM_ASSERT(taken <= n);
    *size = n - taken;
}

/* A client that has said how much it sends is read to its end, for only then it hears the reply. */
static bool may_swallow(struct um_http_req *rq)
{
    if (rq->swallow_until == 0)
        rq->swallow_until = rq->content_length >= 0 ? (uint64_t)rq->content_length + 1 : rq->received + SWALLOW_MAX;
    return rq->received < rq->swallow_until;
}

bool http_take_piece(struct um_http_req *rq, const char *data, size_t *size)
{
    bool done = rq->state == HTTP_DONE;

    if (!done && rq->received + *size > http_body_limit(rq))
        done = too_large(rq);
    if (done) {
        rq->swallow = true;
    } else if (rq->on_body != NULL) {
        hand_on(rq, data, size);
        if (rq->state != HTTP_DONE)
            return true;
        rq->swallow = true;                     /* it has replied in between */
    } else {
        um_buf_put(&rq->body, data, *size);
        if (rq->body.failed)
            um_http_reply_error(rq, 503, "U00503", "There is no memory for the body.");
    }
    *size = 0;
    return !rq->swallow || may_swallow(rq);
}

struct um_span um_http_body(const struct um_http_req *rq)
{
    return UM_SPAN(rq->body.data, rq->body.len);
}

void um_http_on_body(struct um_http_req *rq, size_t (*fn)(void *arg, struct um_span piece), void (*end)(void *arg), void *arg)
{
    rq->on_body = fn;
    rq->on_end = end;
    rq->body_arg = arg;
    http_resume(rq);                            /* when a piece, or the end, has been waiting for it */
}

void um_http_body_resume(struct um_http_req *rq)
{
    if (rq->state == HTTP_BODY)
        http_resume(rq);
}

int64_t um_http_content_length(const struct um_http_req *rq)
{
    return rq->content_length;
}

bool um_http_has_body(const struct um_http_req *rq)
{
    return http_has_body(rq);
}
