/* WebSockets: as the transport of a session, and as the candidate during an upgrade.
 *
 *   NEW --`2probe`--> PROBED --`5`--> TRANSPORT        NEW --`5`--> TRANSPORT; anything else closes the candidate alone */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>

#include "eio_packet.h"
#include "engine_int.h"

static void send_text(struct eio_wire *w, const char *packet)
{
    um_ws_send_message(w->ws, UM_WS_TEXT, UM_SPAN_STR(packet));
}

/* A close without a code, as stock servers do. */
void eio_wire_close(struct eio_wire *w)
{
    if (w->session != NULL && w->session->wire == w)
        w->session->wire = NULL;
    w->session = NULL;
    um_ws_close(w->ws, 1005, NULL);
}

/* --- the transport --------------------------------------------------------------------------------------------------- */

void eio_wire_take(struct eio_wire *w, struct eio_session *s)
{
    sio_count(SIO_M_POLLING, -1);
    s->wire = w;
    s->probe = NULL;
    s->noop_at_ms = s->upgrade_by_ms = 0;
    w->session = s;
    w->state = EIO_WIRE_TRANSPORT;
    for (uint32_t i = 0; i < s->n_queued; i++)
        um_ws_send(w->ws, s->queue[i]->frames);
    eio_drop_queue(s);
}

static void upgrade(struct eio_wire *w)
{
    struct eio_session *s = w->session;
    struct eio_call *get = s->get;

    sio_count(SIO_M_UPGRADED, 1);
    s->get = NULL;
    eio_wire_take(w, s);
    if (get != NULL)
        eio_call_answer(get, 200, "text/plain; charset=UTF-8", um_bytes_dup("1", 1));
}

static void take_as_transport(struct eio_session *s, enum um_ws_kind kind, struct um_span payload)
{
    struct eio_packet p = { EIO_MESSAGE, true, payload };

    if (kind == UM_WS_TEXT && eio_text_decode(payload, &p) != UM_OK) {
        sio_count(SIO_M_BAD, 1);
        um_log_limited(UM_INFO, "sio", "session ended", UM_S("reason", "parse error"), UM_S("transport", "websocket"));
        eio_end(s, "parse error");
        return;
    }
    (void)eio_take(s, &p);
}

static bool is_text(enum um_ws_kind kind, struct um_span payload, const char *text)
{
    return kind == UM_WS_TEXT && um_span_eq(payload, UM_SPAN_STR(text));
}

static void take_as_probe(struct eio_wire *w, enum um_ws_kind kind, struct um_span payload)
{
    struct eio_session *s = w->session;

    if (is_text(kind, payload, "2probe")) {
        send_text(w, "3probe");
        w->state = EIO_WIRE_PROBED;
        s->noop_at_ms = um_loop_now_ms(s->engine->loop) + EIO_NOOP_MS;
        eio_arm(s);
    } else if (is_text(kind, payload, "5")) {
        upgrade(w);
    } else {
        s->probe = NULL;
        eio_wire_close(w);
    }
}

static void on_message(void *arg, enum um_ws_kind kind, struct um_span payload)
{
    struct eio_wire *w = arg;

    if (w->session == NULL)
        return;
    if (w->state == EIO_WIRE_TRANSPORT)
        take_as_transport(w->session, kind, payload);
    else
        take_as_probe(w, kind, payload);
}

static const char *reason_of(unsigned code)
{
    return code == 1007 || code == 1008 || code == 1009 || code == 1011 || code == 1013 || code == 1002 ? "transport error" : "transport close";
}

static void on_close(void *arg, unsigned code, struct um_span reason)
{
    struct eio_wire *w = arg;
    struct eio_session *s = w->session;

    (void)reason;
    w->session = NULL;
    um_list_remove(&w->link);
    if (s != NULL && s->wire == w) {
        sio_count(SIO_M_POLLING, 1);      /* eio_end counts it as one without a wire */
        s->wire = NULL;
        eio_end(s, reason_of(code));
    } else if (s != NULL && s->probe == w) {
        s->probe = NULL;
    }
    free(w);
}

struct eio_wire *eio_wire_new(struct eio_engine *e, int fd, struct um_span early)
{
    static const struct um_ws_handler handler = { on_message, NULL, on_close };
    struct eio_wire *w = calloc(1, sizeof(*w));

    if (w == NULL) {
        close(fd);
        return NULL;
    }
    w->engine = e;
    if ((w->ws = um_ws_new(e->loop, fd, early, &e->all->ws, &handler, w)) == NULL) {
        free(w);
        return NULL;
    }
    um_list_append(&e->wires, &w->link);
    return w;
}

/* --- a candidate arrives ------------------------------------------------------------------------------------------------ */

void eio_wire_arrive(struct eio_engine *e, const char *sid, int fd, struct um_span early)
{
    struct eio_session *s = eio_find(e, sid);
    struct eio_wire *w = eio_wire_new(e, fd, early);

    if (w == NULL)
        return;
    if (s == NULL || s->state != EIO_IS_OPEN || s->wire != NULL || s->probe != NULL || !e->all->conf->allow_upgrades) {
        eio_wire_close(w);
        return;
    }
    w->session = s;
    s->probe = w;
    s->noop_at_ms = 0;
    s->upgrade_by_ms = um_loop_now_ms(e->loop) + e->all->conf->upgrade_timeout_ms;
    eio_arm(s);
}
