/* The polling transport: requests on their way to the reactor of their session, and what they do there. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "eio_packet.h"
#include "engine_int.h"

/* --- the queue ---------------------------------------------------------------------------------------------------- */

void eio_drop_queue(struct eio_session *s)
{
    for (uint32_t i = 0; i < s->n_queued; i++)
        eio_out_unref(s->queue[i]);
    free(s->queue);
    s->queue = NULL;
    s->n_queued = s->cap = 0;
    s->queued_bytes = 0;
}

static void put_packet(struct um_buf *b, const void *data, size_t len)
{
    if (b->len > 0)
        um_buf_put_u8(b, EIO_SEPARATOR);
    um_buf_put(b, data, len);
}

/* A lone packet is not copied: all clients share its bytes. */
static struct um_bytes *gather(struct eio_session *s, const char *last)
{
    struct um_buf b = { 0 };
    struct um_bytes *all;

    if (s->n_queued == 1 && last == NULL && (all = eio_out_polling(s->queue[0])) != NULL)
        return um_bytes_ref(all);
    for (uint32_t i = 0; i < s->n_queued; i++) {
        struct um_bytes *form = eio_out_polling(s->queue[i]);

        if (form == NULL)
            b.failed = true;
        else
            put_packet(&b, form->data, form->len);
    }
    if (last != NULL)
        put_packet(&b, last, strlen(last));
    all = um_buf_to_bytes(&b);
    um_buf_free(&b);
    return all;
}

void eio_answer_get(struct eio_session *s, const char *last)
{
    struct eio_call *c = s->get;
    struct um_bytes *body = gather(s, last);

    s->get = NULL;
    eio_drop_queue(s);
    eio_call_answer(c, body != NULL ? 200 : 503, "text/plain; charset=UTF-8", body);
}

void eio_flush(void *arg)
{
    struct eio_session *s = arg;

    if (s->state == EIO_IS_OPEN && s->get != NULL && s->n_queued > 0)
        eio_answer_get(s, NULL);
}

/* Before the sockets are flushed: the reply goes out in the same turn, with all that the turn has brought. */
void eio_flush_soon(struct eio_session *s)
{
    if (s->get == NULL)
        return;
    um_loop_defer(s->engine->loop, UM_PHASE_FLUSH_DOCS, &s->defer);
}

/* --- requests --------------------------------------------------------------------------------------------------------- */

static void take_get(struct eio_session *s, struct eio_call *c)
{
    if (s->get != NULL) {                 /* two at a time */
        eio_call_answer(c, 400, NULL, NULL);
        sio_count(SIO_M_BAD, 1);
        eio_drop_queue(s);
        eio_end(s, "transport error");
        return;
    }
    s->get = c;
    if (s->n_queued > 0)
        eio_answer_get(s, NULL);
    else if (s->state == EIO_IS_CLOSING)
        eio_end(s, "forced close");       /* answers with `1` */
    else if (s->probe != NULL)
        eio_arm(s);
}

static void take_post(struct eio_session *s, struct eio_call *c)
{
    struct um_span body = c->body != NULL ? um_bytes_span(c->body) : UM_SPAN("", 0);
    struct um_buf scratch = { 0 };
    struct eio_packet p;
    um_err err = UM_EPROTO;
    size_t pos = 0;

    if (c->is_octets) {
        eio_end(s, "transport error");
        eio_call_answer(c, 400, NULL, NULL);
        return;
    }
    if (um_utf8_is_valid(body.data, body.len))
        while (s->state == EIO_IS_OPEN && (err = eio_payload_next(body, &pos, &scratch, &p)) == UM_OK)
            (void)eio_take(s, &p);
    um_buf_free(&scratch);
    if (s->state == EIO_IS_OPEN && err != UM_ENOTFOUND) {
        sio_count(SIO_M_BAD, 1);
        um_log_limited(UM_INFO, "sio", "session ended", UM_S("reason", "parse error"), UM_S("transport", "polling"));
        eio_end(s, "parse error");
        eio_call_answer(c, 400, NULL, NULL);
        return;
    }
    eio_call_answer(c, 200, "text/html", um_bytes_dup("ok", 2));
}

static void at_session(struct eio_session *s, struct eio_call *c)
{
    if (c->method == EIO_ASK_SOCKET)
        eio_call_answer(c, 101, NULL, NULL);
    else if (s->wire != NULL)
        eio_call_error(c, 3);
    else if (c->method == EIO_GET)
        take_get(s, c);
    else if (c->method == EIO_POST)
        take_post(s, c);
    else
        eio_call_answer(c, 405, NULL, NULL);
}

void eio_poll(struct eio_call *c)
{
    struct eio_session *s = eio_find(c->owner, c->sid);

    if (s == NULL)
        eio_call_error(c, 1);
    else
        at_session(s, c);
}

void eio_poll_gone(struct eio_call *c)
{
    struct eio_session *s = um_map_get(&c->owner->by_sid, UM_SPAN_STR(c->sid));

    if (s == NULL || s->get != c)
        return;                           /* answered meanwhile */
    s->get = NULL;
    eio_call_answer(c, 400, NULL, NULL);
    eio_end(s, "transport error");
}

/* --- the way there and back ------------------------------------------------------------------------------------------- */

static void arrived(struct um_msg *m)
{
    eio_poll(UM_CONTAINER(m, struct eio_call, msg));
}

static void returned(struct um_msg *m)
{
    eio_reply(UM_CONTAINER(m, struct eio_call, msg));
}

static bool is_here(const struct eio_call *c)
{
    return c->home == c->owner || c->home->all->ended;
}

void eio_send_call(struct eio_call *c)
{
    if (is_here(c)) {
        eio_poll(c);
        return;
    }
    sio_count(SIO_M_MOVED, 1);
    um_loop_post(c->owner->loop, &c->msg, arrived);
}

void eio_call_answer(struct eio_call *c, unsigned status, const char *type, struct um_bytes *answer)
{
    c->status = status;
    c->type = type;
    c->answer = answer;
    if (is_here(c))
        eio_reply(c);
    else
        um_loop_post(c->home->loop, &c->msg, returned);
}
