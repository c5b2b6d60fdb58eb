/* Seats of gateways: a gateway hands the documents of its clients over from core to core, and the client sees nothing of it
 * (docs/states/leg.md). Such a seat hears a little more, and is believed a little more:
 *
 *   MARK  (we say)  varbytes(state vector): what its client has at least, for all of it has been sent. From there on, and not from
 *                   the beginning, the next core is asked. After the first sync, and at most every MARK_EVERY_MS while the document
 *                   changes; only when it is short, and not to a reader that is behind.
 *   MOVED (it says) the client goes on at another core: its presence is not taken away when this seat ends.
 *   CLAIM (it says) varbytes(awareness update): the client's own presence, as it last said it; it belongs to this seat from now on,
 *                   though nothing about it is new.
 *
 * Whoever opens a socket may ask for it (header Umbel-Leg: 1): it tells nothing that he does not have, and lets him say nothing that
 * he could not say otherwise. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

enum { MARK_EVERY_MS = 3000, MARK_MAX_BYTES = 16 * 1024 };

static bool is_marked(const struct seat *s) { return s->is_leg && s->has_state && !s->is_behind; }

static bool has_legs(const struct doc *d)
{
    UM_LIST_EACH(it, &d->seats)
        if (UM_CONTAINER(it, struct seat, in_doc)->is_leg)
            return true;
    return false;
}

static void send_marks(void *arg)
{
    struct doc *d = arg;
    struct um_buf sv = { 0 };
    struct um_bytes *plain = NULL;

    if (!has_legs(d))
        return;
    outbox_flush(d);                         /* what it holds is sent before it is told */
    if (um_crdt_state_vector(d->crdt, &sv) == UM_OK && sv.len <= MARK_MAX_BYTES) {
        struct um_span payload = UM_SPAN(sv.data, sv.len);
        plain = msg_make((struct wire_addr){ um_bytes_span(d->plain_addr) }, WIRE_LEG, LEG_MARK, payload);
        UM_LIST_EACH(it, &d->seats) {
            struct seat *s = UM_CONTAINER(it, struct seat, in_doc);
            if (is_marked(s) && !s->bare && !s->has_session)
                seat_send(s, plain);
            else if (is_marked(s))
                seat_send_frame(s, WIRE_LEG, LEG_MARK, payload);
        }
    }
    um_bytes_unref(plain);
    um_buf_free(&sv);
}

void legs_changed(struct doc *d)
{
    if (!um_timer_is_set(&d->mark_timer) && d->n_seats > 0)
        um_timer_set(d->hub->loop, &d->mark_timer, MARK_EVERY_MS, send_marks, d);
}

void legs_mark(struct doc *d, struct seat *s)
{
    struct um_buf sv = { 0 };

    s->has_state = true;
    if (!s->is_behind && um_crdt_state_vector(d->crdt, &sv) == UM_OK && sv.len <= MARK_MAX_BYTES)
        seat_send_frame(s, WIRE_LEG, LEG_MARK, UM_SPAN(sv.data, sv.len));
    um_buf_free(&sv);
}

bool legs_hear(struct doc *d, struct seat *s, struct um_span body)
{
    struct um_reader r = um_reader(body);
    uint64_t kind = um_read_varuint(&r);

    if (kind == LEG_MOVED && !r.failed)
        s->has_moved = true;
    if (kind == LEG_CLAIM && !r.failed)
        return doc_take_presence(d, s, UM_SPAN(r.p, um_reader_left(&r)), true);
    return true;
}

void legs_leave(struct doc *d, struct seat *s)
{
    if (s->has_moved)
        presence_owner_moved(&d->presence, s, INT64_MAX);
    else
        presence_owner_left(&d->presence, s);
}
