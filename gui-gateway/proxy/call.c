/* A small request whose whole answer comes at once: an exchange with a buffer on either side. */
#include <proxy/exchange.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct um_call {
    struct um_exchange *x;
    um_call_cb *cb;
    void *arg;
    struct um_buf body, answer;
    size_t sent, max_answer;
    unsigned status;
    bool too_much;
    char retry_after[16];
};

static void free_call(struct um_call *c)
{
    if (c->body.data != NULL)
        explicit_bzero(c->body.data, c->body.len);      /* it may hold a password */
    um_buf_free(&c->body);
    um_buf_free(&c->answer);
    free(c);
}

static void call_head(void *arg, const struct um_exchange_head *head)
{
    struct um_call *c = arg;

    c->status = head->status;
    for (size_t i = 0; i < head->n; i++)
        if (strcasecmp(head->headers[i].name, "Retry-After") == 0 && strlen(head->headers[i].value) < sizeof(c->retry_after))
            strcpy(c->retry_after, head->headers[i].value);
}

static bool call_data(void *arg, struct um_span piece)
{
    struct um_call *c = arg;

    if (piece.len > c->max_answer - c->answer.len)
        c->too_much = true;
    else
        um_buf_put(&c->answer, piece.data, piece.len);
    return true;
}

static ptrdiff_t call_body(void *arg, uint8_t *out, size_t n)
{
    struct um_call *c = arg;
    size_t take = UM_MIN(n, c->body.len - c->sent);

    memcpy(out, c->body.data + c->sent, take);
    c->sent += take;
    return take > 0 ? (ptrdiff_t)take : -1;
}

static bool call_rewind(void *arg)
{
    struct um_call *c = arg;

    c->sent = 0;
    return true;
}

static void call_done(void *arg, um_err err)
{
    struct um_call *c = arg;

    if (err == UM_OK && c->answer.failed)
        err = UM_ENOMEM;
    if (err == UM_OK && c->too_much)
        err = UM_ELIMIT;
    c->cb(c->arg, err, c->status, c->retry_after[0] != '\0' ? c->retry_after : NULL, UM_SPAN(c->answer.data, c->answer.len));
    free_call(c);
}

static const struct um_exchange_handler call_handler = { call_head, call_data, call_body, call_rewind, call_done };

struct um_call *um_call_start(struct um_upstream *up, const struct um_exchange_request *rq, struct um_span body,
                              size_t max_answer, um_call_cb *cb, void *arg)
{
    struct um_exchange_request with_body = *rq;
    struct um_call *c = um_xcalloc(1, sizeof(*c));

    c->cb = cb;
    c->arg = arg;
    c->max_answer = max_answer;
    um_buf_put(&c->body, body.data, body.len);
    with_body.body_length = (int64_t)body.len;
    if (!c->body.failed && (c->x = um_exchange_start(up, &with_body, &call_handler, c)) != NULL)
        return c;
    free_call(c);
    return NULL;
}

void um_call_cancel(struct um_call *c)
{
    if (c == NULL)
        return;
    um_exchange_cancel(c->x);
    free_call(c);
}
