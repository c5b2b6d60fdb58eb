/* One turn's changes of a document to all its readers. Each kind of address (plain, y-websocket) is encoded once and the
 * bytes are shared; only a reader with a session key, or one that wrote some of the changes itself, gets its own.
 *
 * A joiner's copy of the state is shared too: pieces made once, and what has changed since as the closing Step2. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

#define COPY_LEAST_BYTES 4096            /* a smaller state is encoded for each joiner: that costs less than keeping a copy */
#define COPY_WORTH_BYTES (64 * 1024)     /* a smaller state is encoded anew rather than sent with what has changed since */

static void flush_later(void *arg) { outbox_flush(arg); }

void outbox_init(struct doc *d)
{
    um_defer_init(&d->flush, flush_later, d);
}

static bool echoes(const struct doc *d) { return d->hub->engine->cf.echo; }

void outbox_add(struct doc *d, struct um_span update, struct seat *origin)
{
    legs_changed(d);
    if (d->n_seats == 0 || (d->n_seats == 1 && origin != NULL && !echoes(d)))
        return;
    if (d->n_items == d->cap_items) {
        d->cap_items = d->cap_items ? d->cap_items * 2 : 8;
        d->items = um_xrealloc(d->items, d->cap_items * sizeof(*d->items));
    }
    if (echoes(d))
        origin = NULL;
    d->items[d->n_items++] = (struct outbox_item){ d->updates.len, update.len, origin };
    um_buf_put(&d->updates, update.data, update.len);
    UM_ASSERT(!d->updates.failed);       /* an applied update that readers would miss: the process is of no use any more */
    if (origin != NULL)
        origin->own_items++;
    um_loop_defer(d->hub->loop, UM_PHASE_FLUSH_DOCS, &d->flush);
}

void outbox_presence(struct doc *d)
{
    if (!um_list_is_empty(&d->presence.dirty))
        um_loop_defer(d->hub->loop, UM_PHASE_FLUSH_DOCS, &d->flush);
    if (!um_list_is_empty(&d->presence.news[PRESENCE_CORES]) || !um_list_is_empty(&d->presence.news[PRESENCE_STOCK]))
        d->hub->bus.ops->presence(d);
}

void outbox_forget_seat(struct doc *d, struct seat *s)
{
    for (size_t i = 0; s->own_items > 0 && i < d->n_items; i++)
        if (d->items[i].origin == s)
            d->items[i].origin = NULL;
    s->own_items = 0;
    s->is_behind = false;
}

/* ---- encoded once ------------------------------------------------------------------------------------------------ */

struct batch {                           /* this turn's frames for one kind of address */
    struct um_bytes *frames;
    size_t *start;                       /* of each item's frame, and the end: n_items + 1 */
    struct um_bytes *presence;
    bool made;
};

static void batch_make(const struct doc *d, struct batch *b, struct wire_addr to, struct um_span presence)
{
    struct um_buf out = { 0 };

    b->made = true;
    b->start = um_xcalloc(d->n_items + 1, sizeof(*b->start));
    for (size_t i = 0; i < d->n_items; i++) {
        b->start[i] = out.len;
        msg_put_head(&out, to, WIRE_SYNC, SYNC_UPDATE, (ptrdiff_t)d->items[i].len);
        um_buf_put(&out, d->updates.data + d->items[i].at, d->items[i].len);
    }
    b->start[d->n_items] = out.len;
    if (d->n_items > 0) {
        b->frames = um_buf_to_bytes(&out);
        UM_ASSERT(b->frames != NULL);    /* as in outbox_add */
    }
    if (presence.len > 0)
        b->presence = msg_make(to, WIRE_AWARENESS, NO_KIND, presence);
    um_buf_free(&out);
}

static void batch_free(struct batch *b)
{
    um_bytes_unref(b->frames);
    um_bytes_unref(b->presence);
    free(b->start);
}

/* A writer gets the others' frames: the runs between its own. */
static void send_foreign(const struct doc *d, const struct batch *b, struct seat *s)
{
    for (size_t i = 0, end; i < d->n_items; i = end) {
        bool own = d->items[i].origin == s;
        for (end = i + 1; end < d->n_items && (d->items[end].origin == s) == own; end++)
            ;
        if (own)
            continue;
        struct um_bytes *run = um_bytes_dup(b->frames->data + b->start[i], b->start[end] - b->start[i]);
        if (run != NULL)
            seat_send(s, run);
        um_bytes_unref(run);
    }
}

static void send_batch(const struct doc *d, const struct batch *b, struct seat *s, const void *presence_owner)
{
    if (s->own_items > 0)
        send_foreign(d, b, s);
    else if (b->frames != NULL)
        seat_send(s, b->frames);
    s->own_items = 0;
    if (b->presence != NULL && s != presence_owner && !s->is_behind)
        seat_send(s, b->presence);
}

void outbox_applied(struct doc *d, const struct um_crdt_applied *a, struct seat *origin)
{
    if (a->changed) {
        d->copy.fresh = false;
        outbox_add(d, a->event, origin);
    }
    for (size_t i = 0; i < a->n_more; i++)
        outbox_add(d, a->more[i], NULL);
}

void outbox_flush(struct doc *d)
{
    struct batch plain = { 0 }, bare = { 0 };
    struct um_buf states = { 0 };
    const void *owner;
    struct um_span presence = UM_SPAN(NULL, 0);

    um_defer_cancel(&d->flush);
    if (presence_take_dirty(&d->presence, &states, &owner))
        presence = UM_SPAN(states.data, states.len);
    if (echoes(d))
        owner = NULL;
    /* Who falls behind while we send (the frames of one congest the socket of another) is judged by the state after these
     * changes, so it must still get them: who is meant is settled before the first is sent. */
    UM_LIST_EACH(it, &d->seats) {
        struct seat *s = UM_CONTAINER(it, struct seat, in_doc);
        s->in_flush = !s->is_behind;
    }
    d->flushing = true;
    UM_LIST_EACH_SAFE(it, &d->seats) {
        struct seat *s = UM_CONTAINER(it, struct seat, in_doc);
        struct batch own = { 0 }, *b = s->has_session ? &own : s->bare ? &bare : &plain;
        if (!s->in_flush) {
            s->own_items = 0;
            continue;
        }
        if (!b->made)
            batch_make(d, b, s->has_session ? seat_addr(s) : s->bare ? (struct wire_addr){ UM_SPAN(NULL, 0) }
                                                                    : (struct wire_addr){ um_bytes_span(d->plain_addr) }, presence);
        send_batch(d, b, s, owner);
        batch_free(&own);
    }
    d->flushing = false;
    batch_free(&plain);
    batch_free(&bare);
    um_buf_free(&states);
    d->n_items = 0;
    if (d->updates.cap > 64 * 1024)
        um_buf_free(&d->updates);
    um_buf_clear(&d->updates);
}

/* ---- the state for a joiner ------------------------------------------------------------------------------------------ */

static void send_shared(struct seat *s, int kind, struct um_bytes *payload)
{
    struct um_buf head = { 0 };
    struct um_bytes *h;

    msg_put_head(&head, seat_addr(s), WIRE_SYNC, kind, (ptrdiff_t)payload->len);
    h = um_buf_to_bytes(&head);
    seat_send_two(s, h, payload);
    um_bytes_unref(h);
    um_buf_free(&head);
}

void outbox_drop_copy(struct doc *d)
{
    for (size_t i = 0; i < d->copy.n; i++)
        um_bytes_unref(d->copy.piece[i]);
    free(d->copy.piece);
    um_buf_free(&d->copy.sv);
    memset(&d->copy, 0, sizeof(d->copy));
}

static um_err keep_piece(void *arg, struct um_span piece)
{
    struct doc *d = arg;
    struct um_bytes *b = um_bytes_dup(piece.data, piece.len);

    if (b == NULL)
        return UM_ENOMEM;
    d->copy.piece = um_xrealloc(d->copy.piece, (d->copy.n + 1) * sizeof(struct um_bytes *));
    d->copy.piece[d->copy.n++] = b;
    d->copy.bytes += b->len;
    return UM_OK;
}

static um_err copy_make(struct doc *d)
{
    size_t piece = (size_t)d->hub->engine->cf.piece_bytes;
    struct um_crdt_stats stats;
    um_err err;

    outbox_drop_copy(d);
    um_crdt_get_stats(d->crdt, &stats);
    err = um_crdt_state_vector(d->crdt, &d->copy.sv);
    if (err == UM_OK && stats.encoded_bytes <= piece) {
        struct um_bytes *whole;
        if ((err = um_crdt_encode_shared(d->crdt, &whole)) == UM_OK) {
            d->copy.piece = um_xmalloc(sizeof(struct um_bytes *));
            d->copy.piece[d->copy.n++] = whole;
            d->copy.bytes = whole->len;
        }
    } else if (err == UM_OK) {
        err = um_crdt_encode_pieces(d->crdt, UM_SPAN(NULL, 0), piece, keep_piece, d);
    }
    d->copy.fresh = err == UM_OK;
    if (err != UM_OK)
        outbox_drop_copy(d);
    return err;
}

/* What has changed since the copy was made; UM_ELIMIT when that is more than a quarter of it, or the copy too small to keep. */
static um_err copy_rest(struct doc *d, struct um_buf *rest)
{
    um_err err;

    if (d->copy.bytes < COPY_WORTH_BYTES)
        return UM_ELIMIT;
    err = um_crdt_encode(d->crdt, UM_SPAN(d->copy.sv.data, d->copy.sv.len), rest);
    if (err == UM_OK && rest->len > d->copy.bytes / 4)
        err = UM_ELIMIT;
    return err;
}

static bool send_copy(struct doc *d, struct seat *s)
{
    static const uint8_t nothing[] = { 0, 0 };
    struct um_buf rest = { 0 };

    if (d->copy.n == 0 || (!d->copy.fresh && copy_rest(d, &rest) != UM_OK)) {
        um_buf_free(&rest);
        if (copy_make(d) != UM_OK)
            return false;                /* no memory: the client asks again */
    }
    if (d->copy.fresh && d->copy.n == 1) {
        send_shared(s, SYNC_STEP2, d->copy.piece[0]);
        return true;
    }
    for (size_t i = 0; i < d->copy.n; i++)
        send_shared(s, SYNC_UPDATE, d->copy.piece[i]);
    seat_send_frame(s, WIRE_SYNC, SYNC_STEP2, rest.len > 0 ? UM_SPAN(rest.data, rest.len) : UM_SPAN(nothing, sizeof(nothing)));
    um_buf_free(&rest);
    return true;
}

static um_err send_piece(void *arg, struct um_span piece)
{
    seat_send_frame(arg, WIRE_SYNC, SYNC_UPDATE, piece);
    return UM_OK;
}

static bool send_difference(struct doc *d, struct seat *s, struct um_span sv, int kind)
{
    static const uint8_t nothing[] = { 0, 0 };
    size_t piece = (size_t)d->hub->engine->cf.piece_bytes;
    struct um_buf out = { 0 };
    bool ok = um_crdt_encode(d->crdt, sv, &out) == UM_OK;

    if (ok) {
        if (out.len <= piece)
            seat_send_frame(s, WIRE_SYNC, kind, UM_SPAN(out.data, out.len));
        else if ((ok = um_crdt_encode_pieces(d->crdt, sv, piece, send_piece, s) == UM_OK) && kind == SYNC_STEP2)
            seat_send_frame(s, WIRE_SYNC, SYNC_STEP2, UM_SPAN(nothing, sizeof(nothing)));
    }
    um_buf_free(&out);
    return ok;
}

bool outbox_send_state(struct doc *d, struct seat *s, struct um_span sv)
{
    bool wants_all = sv.len == 0 || (sv.len == 1 && sv.data[0] == 0);
    struct um_crdt_stats stats;

    um_crdt_get_stats(d->crdt, &stats);
    if (wants_all && stats.encoded_bytes >= COPY_LEAST_BYTES)
        return send_copy(d, s);
    return send_difference(d, s, sv, SYNC_STEP2);
}

void outbox_catch_up(struct doc *d, struct seat *s)
{
    struct um_buf states = { 0 }, had = s->behind_sv;

    s->behind_sv = (struct um_buf){ 0 };         /* it may fall behind anew while we send */
    s->has_state = send_difference(d, s, UM_SPAN(had.data, had.len), SYNC_UPDATE) && s->has_state;
    um_buf_free(&had);
    if (presence_encode_known(&d->presence, &states))
        seat_send_frame(s, WIRE_AWARENESS, NO_KIND, UM_SPAN(states.data, states.len));
    um_buf_free(&states);
}

void outbox_free(struct doc *d)
{
    um_defer_cancel(&d->flush);
    outbox_drop_copy(d);
    um_buf_free(&d->updates);
    free(d->items);
}
