/* `collab.cluster.mode=native`: each core tells what its own clients write, once, as the log gets it; with the number that
 * the change has among its appends. A hub that is alone with a document says nothing of what is written in it.
 *
 *   opening      HELLO to all: every core answers, with what it has beyond our state vector; readers wait for that. It is said
 *                again until all have answered: who is not known is not told anything
 *   an edit      UPDATE to the one other hub, or to all when there are several
 *   a gap        (an UPDATE, BEAT or STATE that is further than what came) HELLO to that hub, which answers with STATE
 *   silence      BEAT 1, 4 and 16 s after the last change, so that the last message is missed too
 *   reconnected, new Redis master, own pause     HELLO to all for every document
 *   every `collab.cluster.compare-interval`      HELLO to all; answered by who has it, and by who was thought to
 *
 * Answers go by state vectors, so one that is lost, late or doubled costs bytes and nothing else. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include "bus_peer.h"

#define CLOCK_MS      1000
#define PAUSE_MS      2000                   /* so late a timer: we stood still */
#define GREET_STEP_MS 5                      /* between two lists of documents, while all are asked about */
#define BEATS         3
static const int64_t beat_after_ms[BEATS] = { 1000, 4000, 16000 };

struct bus_wait {                            /* for all who heard our HELLO when we opened the document */
    struct hub *hub;
    struct doc *doc;                         /* NULL: does not wait any more */
    struct um_timer limit;
    bool readers_wait;
    unsigned hellos, publishing;             /* said so far; of them, those whose receivers are not known yet */
    int64_t receivers;                       /* hubs that heard the last one, ours included; -1: not known yet */
    uint64_t answered;                       /* hubs of the cores that have answered it */
    struct um_buf who;                       /* their names, 8 bytes each: an answer may come twice */
};

static struct bus_at at_of(const struct doc *d)
{
    return (struct bus_at){ UM_SPAN_STR(d->name), d->bus.epoch, d->bus.number, bus_stored(d) };
}

static bool is_live(const struct hub *h) { return h->bus.port->ops->is_live(h->bus.port); }

/* Are changes kept where others find them later? Then they are told though nobody else has the document open. */
static bool has_tail(const struct hub *h) { return h->bus.port->ops->append != NULL; }

static bool may_send(const struct um_buf *message)
{
    if (message->failed || message->len > BUS_MAX_MESSAGE) {
        count(C_BUS_TOO_LONG, 1);            /* they will miss it, and find it in the store */
        return false;
    }
    count(C_BUS_SENT, 1);
    count(C_BUS_SENT_BYTES, (int64_t)message->len);
    return true;
}

static void send(struct hub *h, uint64_t to, const struct um_buf *message)
{
    if (!may_send(message))
        return;
    h->bus.port->ops->publish(h->bus.port, to, UM_SPAN(message->data, message->len), NULL, NULL);
}

/* What is too long for a message with the rest goes without: presence promises nothing, the update is in the store or soon will
 * be, and the state vector is there for the other's convenience. */
static unsigned make_fit(struct um_buf *sv, struct um_buf *update, struct um_buf *presence)
{
    size_t room = BUS_MAX_MESSAGE - BUS_LIST_BYTES;
    unsigned flags = 0;

    if (presence->len > room || sv->len + update->len + presence->len > room) {
        um_buf_clear(presence);
        flags = BUS_NO_PRESENCE;
    }
    if (update->failed || update->len > BUS_MAX_STATE || sv->len + update->len > room) {
        um_buf_free(update);
        flags |= BUS_IN_STORE;
    }
    if (sv->len > room)
        um_buf_clear(sv);
    return flags;
}

static uint64_t audience(const struct doc *d)
{
    return d->bus.n_peers == 1 ? UM_CONTAINER(d->bus.peers.next, struct bus_peer, in_doc)->origin->id : BUS_TO_ALL;
}

static void put_ident(struct hub *h, struct um_buf *out)
{
    struct um_collab *c = h->engine;

    bus_put_ident(out, &(struct bus_ident){ UM_SPAN_STR(c->member), c->started_ms, c->n_hubs });
}

/* ---- asking ---- */

static void start_hello(struct hub *h, struct um_buf *out)
{
    bus_put_head(out, BUS_HELLO, h->bus.origin);
    put_ident(h, out);
}

static bool put_hello(struct um_buf *out, const struct doc *d, uint8_t flags)
{
    struct um_buf sv = { 0 };
    struct bus_at at = at_of(d);
    bool ok = um_crdt_state_vector(d->crdt, &sv) == UM_OK;

    if (ok) {
        bus_put_at(out, &at);
        um_buf_put_u8(out, flags);
        um_buf_put_varbytes(out, UM_SPAN(sv.data, sv.len));
    }
    um_buf_free(&sv);
    return ok;
}

static void ask(struct bus_peer *p)
{
    struct hub *h = p->doc->hub;
    int64_t now = um_loop_now_ms(h->loop);
    struct um_buf out = { 0 };

    if (p->asked_ms != 0 && now - p->asked_ms < BUS_ASK_MS)
        return;
    p->asked_ms = now;
    count(C_BUS_GAPS, 1);
    start_hello(h, &out);
    if (put_hello(&out, p->doc, BUS_WANTS_STATE))
        send(h, p->origin->id, &out);
    um_buf_free(&out);
}

/* All documents, some at a time. Those that are opened meanwhile say HELLO by themselves. A comparison is quiet about those that
 * nobody else seems to have, and leaves out the resting ones: if somebody writes in them elsewhere, it is said there. */
static void greet_some(void *arg)
{
    struct hub *h = arg;
    struct um_list *it = h->bus.greet_at;
    struct um_buf out = { 0 };
    size_t n = 0;

    start_hello(h, &out);
    for (; it != &h->all_docs && out.len < BUS_LIST_BYTES; it = it->next) {
        struct doc *d = UM_CONTAINER(it, struct doc, link);
        if (d->bus.loaded && d->state != DOC_ENDING && (h->bus.greets_all || d->bus.n_peers > 0 || !um_crdt_is_cold(d->crdt)))
            n += put_hello(&out, d, h->bus.greets_all ? BUS_WANTS_STATE : d->bus.n_peers > 0 ? 0 : BUS_QUIET);
    }
    if (n > 0)
        send(h, BUS_TO_ALL, &out);
    um_buf_free(&out);
    h->bus.greet_at = it != &h->all_docs ? it : NULL;
    if (h->bus.greet_at != NULL)
        um_timer_set(h->loop, &h->bus.greet, GREET_STEP_MS, greet_some, h);
}

static void begin_greeting(void *arg)
{
    struct hub *h = arg;

    h->bus.greet_at = h->all_docs.next;
    greet_some(h);
}

static void greet(struct hub *h, bool all)
{
    if (um_timer_is_set(&h->bus.greet) && h->bus.greets_all && !all)
        return;                              /* a greater round is under way */
    h->bus.greet_at = NULL;
    h->bus.greets_all = all;
    um_timer_set(h->loop, &h->bus.greet, 0, begin_greeting, h);
}

static void native_wake(struct hub *h)
{
    if (is_live(h))
        greet(h, true);
}

/* ---- opening ---- */

static void wait_release(struct bus_wait *w)
{
    if (w->doc != NULL || w->publishing > 0)
        return;
    um_buf_free(&w->who);
    free(w);
}

static void wait_end(struct bus_wait *w)
{
    struct doc *d = w->doc;

    um_timer_stop(w->hub->loop, &w->limit);
    w->doc = NULL;
    d->bus.wait = NULL;
    wait_release(w);
}

static void serve(struct doc *d, bool readers_wait)
{
    if (readers_wait)
        bus_waited(d);
}

static void wait_check(struct doc *d)
{
    struct bus_wait *w = d->bus.wait;
    bool readers_wait;

    if (w == NULL || w->receivers < 0 || w->answered + w->hub->engine->n_hubs < (uint64_t)w->receivers)
        return;
    readers_wait = w->readers_wait;
    wait_end(w);
    serve(d, readers_wait);
}

static void wait_answer(struct doc *d, const struct bus_origin *o, uint64_t hubs)
{
    struct bus_wait *w = d->bus.wait;

    if (w == NULL)
        return;
    for (size_t i = 0; i < w->who.len; i += sizeof(o->id))
        if (memcmp(w->who.data + i, &o->id, sizeof(o->id)) == 0)
            return;
    um_buf_put(&w->who, &o->id, sizeof(o->id));
    w->answered += hubs;
    wait_check(d);
}

static void hello_published(void *arg, um_err err, int64_t receivers)
{
    struct bus_wait *w = arg;

    w->publishing--;
    if (w->doc == NULL) {
        wait_release(w);
        return;
    }
    w->receivers = err == UM_OK ? receivers : 0;         /* nobody is reached: the store is what there is */
    wait_check(w->doc);
}

static void wait_too_long(void *arg);

static int64_t wait_ms(const struct bus_wait *w)
{
    const struct um_collab_conf *cf = &w->hub->engine->cf;

    return w->hellos == 0 ? cf->sync_timeout_ms : w->hellos <= BEATS ? beat_after_ms[w->hellos - 1] : cf->compare_interval_ms;
}

/* False: nobody can be asked. */
static bool wait_hello(struct bus_wait *w)
{
    struct hub *h = w->hub;
    struct um_buf out = { 0 };
    bool ok;

    start_hello(h, &out);
    ok = is_live(h) && put_hello(&out, w->doc, BUS_WANTS_STATE) && !out.failed && out.len <= BUS_MAX_MESSAGE;
    if (ok) {
        w->receivers = -1;
        w->answered = 0;
        um_buf_clear(&w->who);
        um_timer_set(h->loop, &w->limit, wait_ms(w), wait_too_long, w);
        w->hellos++;
        w->publishing++;
        count(C_BUS_SENT, 1);
        count(C_BUS_SENT_BYTES, (int64_t)out.len);
        h->bus.port->ops->publish(h->bus.port, BUS_TO_ALL, UM_SPAN(out.data, out.len), hello_published, w);
    }
    um_buf_free(&out);
    return ok;
}

static void wait_too_long(void *arg)
{
    struct bus_wait *w = arg;
    struct doc *d = w->doc;
    bool readers_wait = w->readers_wait;

    w->readers_wait = false;
    if (w->hellos == 1) {
        count(C_BUS_NO_ANSWER, 1);
        um_log_limited(UM_INFO, "collab.bus", "not every core has answered", UM_S("doc", d->name));
    }
    if (!wait_hello(w))
        wait_end(w);
    serve(d, readers_wait);
}

static void handle(struct hub *h, struct um_span message);

/* As if it came now; what is known to be stored is in no doubt. */
static void take_from_tail(void *arg, struct um_span message, uint64_t stored)
{
    struct doc *d = arg;
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;
    struct bus_peer *p;

    handle(d->hub, message);
    if (!bus_read_head(message, &r, &kind, &origin) || (p = peer_of_hub(d, origin)) == NULL)
        return;
    struct bus_at at = bus_read_at(&r);
    at.stored = stored;
    peer_at(p, &at);
}

static bool native_loaded(struct doc *d)
{
    struct hub *h = d->hub;
    bool has_all = false;

    d->bus.loaded = true;
    d->bus.epoch = ++h->bus.epochs;
    if (has_tail(h)) {
        has_all = h->bus.port->ops->replay(h->bus.port, UM_SPAN_STR(d->name), take_from_tail, d);
        adopt_from_the_dead(d);
    }
    d->bus.wait = um_xcalloc(1, sizeof(*d->bus.wait));
    d->bus.wait->hub = h;
    d->bus.wait->doc = d;
    if (!wait_hello(d->bus.wait)) {
        wait_end(d->bus.wait);
        return false;
    }
    d->bus.wait->readers_wait = h->engine->cf.sync_before_serve && !has_all;
    d->bus.n_waits += d->bus.wait->readers_wait;
    return d->bus.wait->readers_wait;
}

/* ---- telling ---- */

static void beat_later(struct doc *d)
{
    d->bus.beats = 0;
    d->bus.beat_at_ms = um_loop_now_ms(d->hub->loop) + beat_after_ms[0];
    if (um_list_is_empty(&d->bus.beat_link))
        um_list_append(&d->hub->bus.beats, &d->bus.beat_link);
}

static void send_update(struct doc *d, const struct um_buf *message)
{
    struct bus_port *port = d->hub->bus.port;

    if (!has_tail(d->hub))
        send(d->hub, audience(d), message);
    else if (may_send(message))
        port->ops->append(port, UM_SPAN_STR(d->name), UM_SPAN(message->data, message->len));
}

static void tell_updates(struct doc *d)
{
    struct um_buf out = { 0 };
    struct bus_at at = at_of(d);

    bus_put_head(&out, BUS_UPDATE, d->hub->bus.origin);
    bus_put_at(&out, &at);
    um_buf_put_varuint(&out, d->bus.n_out);
    um_buf_put(&out, d->bus.out.data, d->bus.out.len);
    out.failed = out.failed || d->bus.out.failed;
    if (has_tail(d->hub))
        put_ident(d->hub, &out);             /* who reads it later may never hear of us */
    if (!UM_FAILPOINT("edit.before_publish"))
        send_update(d, &out);
    d->bus.told_stored = at.stored;
    beat_later(d);
    um_buf_free(&out);
}

static void tell_presence(struct doc *d)
{
    struct um_buf out = { 0 }, news = { 0 };

    if (presence_take_news(&d->presence, &news)) {
        bus_put_head(&out, BUS_PRESENCE, d->hub->bus.origin);
        um_buf_put_varbytes(&out, UM_SPAN_STR(d->name));
        um_buf_put_varbytes(&out, UM_SPAN(news.data, news.len));
        send(d->hub, audience(d), &out);
    }
    um_buf_free(&news);
    um_buf_free(&out);
}

static bool is_told(const struct doc *d) { return d->bus.n_peers > 0 || has_tail(d->hub); }

static void flush(void *arg)
{
    struct doc *d = arg;

    if (is_told(d) && d->bus.n_out > 0)
        tell_updates(d);
    if (d->bus.n_peers > 0)
        tell_presence(d);
    d->bus.n_out = 0;
    if (d->bus.out.cap > 64 * 1024)
        um_buf_free(&d->bus.out);
    um_buf_clear(&d->bus.out);
}

static void flush_later(struct doc *d)
{
    d->bus.flush.cb = flush;
    um_loop_defer(d->hub->loop, UM_PHASE_FLUSH_DOCS, &d->bus.flush);
}

static void native_append(struct doc *d, struct um_span update)
{
    if (!is_told(d)) {
        d->bus.n_out = 0;                    /* what is told has no holes */
        um_buf_clear(&d->bus.out);
        return;
    }
    um_buf_put_varbytes(&d->bus.out, update);
    d->bus.n_out++;
    flush_later(d);
}

static void native_stored(struct doc *d)
{
    if (is_told(d) && d->bus.told_stored != bus_stored(d) && um_list_is_empty(&d->bus.beat_link))
        beat_later(d);
}

static void native_presence(struct doc *d)
{
    if (d->bus.n_peers > 0)
        flush_later(d);
}

static void native_order(struct hub *h, enum bus_order what, struct um_span document, struct um_span text)
{
    struct um_buf out = { 0 };

    bus_put_head(&out, BUS_ORDER, h->bus.origin);
    um_buf_put_u8(&out, (uint8_t)what);
    um_buf_put_varbytes(&out, document);
    um_buf_put_varbytes(&out, text);
    send(h, BUS_TO_ALL, &out);
    um_buf_free(&out);
}

static void native_closed(struct doc *d)
{
    struct um_buf out = { 0 };

    if (d->bus.n_peers > 0)
        tell_presence(d);                    /* who left just now: the others take those for moved whose departure they do not hear of */
    if (is_told(d) && d->bus.loaded) {
        struct bus_at at = at_of(d);
        bus_put_head(&out, BUS_BYE, d->hub->bus.origin);
        bus_put_at(&out, &at);
        send(d->hub, has_tail(d->hub) ? BUS_TO_ALL : audience(d), &out);
        um_buf_free(&out);
    }
    if (d->bus.wait != NULL)
        wait_end(d->bus.wait);
    while (!um_list_is_empty(&d->bus.peers))
        peer_forget(UM_CONTAINER(d->bus.peers.next, struct bus_peer, in_doc));
    if (d->hub->bus.greet_at == &d->link)
        d->hub->bus.greet_at = d->link.next;
    um_list_remove(&d->bus.beat_link);
    um_defer_cancel(&d->bus.flush);
    um_buf_free(&d->bus.out);
}

/* ---- hearing ---- */

static struct doc *doc_of(struct hub *h, struct um_span name)
{
    struct doc *d = doc_get(h, name, false);

    return d != NULL && d->bus.loaded && d->state != DOC_ENDING ? d : NULL;
}

/* Readers who wait for the document to open have not been greeted: they get it all then. */
static bool apply(struct doc *d, struct um_span update)
{
    struct um_crdt_applied a;
    um_err err = um_crdt_load(d->crdt, update, &a);

    if (err != UM_OK) {
        count(C_BUS_REFUSED, 1);
        um_log_limited(UM_WARN, "collab.bus", "another core's change was refused", UM_S("doc", d->name), UM_I("bytes", update.len),
                       UM_S("reason", um_err_text(err)));
        return false;
    }
    if (a.changed) {
        count(C_BUS_UPDATES, 1);
        d->last_change_ms = um_loop_now_ms(d->hub->loop);
    }
    if (d->state != DOC_LOADING)
        outbox_applied(d, &a, NULL);
    return true;
}

static void take_presence(struct doc *d, struct bus_peer *p, struct um_span told, bool is_all)
{
    const struct um_collab_conf *cf = &d->hub->engine->cf;
    struct presence_limits limits = { cf->max_presence_state, cf->max_presence_ids_document, cf->max_presence_ids_document };
    struct presence_result r;

    if (told.len == 0 && !is_all)
        return;
    if (presence_apply_told(&d->presence, told, is_all, p, um_loop_now_ms(d->hub->loop), &limits, &r) != UM_OK)
        count(C_BUS_REFUSED, 1);
    if (d->state == DOC_LOADING)
        return;
    outbox_presence(d);
    doc_ask_contested(d);
}

/* What D has beyond SV; true: there are structs in it, not only deletions. */
static bool difference(const struct doc *d, struct um_span sv, struct um_buf *out)
{
    if (um_crdt_encode(d->crdt, sv, out) != UM_OK)
        um_buf_clear(out);
    return out->len > 0 && out->data[0] != 0;
}

static void send_state(struct hub *h, uint64_t to, unsigned flags, const struct bus_at *at, struct um_span sv, struct um_span update,
                       struct um_span presence, const struct doc *d)
{
    struct um_buf out = { 0 };

    bus_put_head(&out, BUS_STATE, h->bus.origin);
    put_ident(h, &out);
    um_buf_put_u8(&out, (uint8_t)flags);
    bus_put_at(&out, at);
    um_buf_put_varbytes(&out, sv);
    um_buf_put_varbytes(&out, update);
    um_buf_put_varbytes(&out, presence);
    if (d != NULL)
        peer_put_doubts(d, &out);
    else
        um_buf_put_varuint(&out, 0);
    send(h, to, &out);
    um_buf_free(&out);
}

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

static void answer_without(struct hub *h, struct um_span name, uint64_t to)
{
    struct bus_at at = { .name = name, .epoch = h->bus.epochs };
    struct um_span none = UM_SPAN(NULL, 0);

    send_state(h, to, BUS_IS_ANSWER, &at, none, none, none, NULL);
}

static void answer(struct doc *d, uint64_t to, struct um_span their_sv, bool wants_state)
{
    struct um_buf update = { 0 }, sv = { 0 }, presence = { 0 };
    struct bus_at at = at_of(d);
    unsigned flags = BUS_HAS_DOCUMENT | BUS_IS_ANSWER;

    if (!difference(d, their_sv, &update) && !wants_state)
        um_buf_clear(&update);
    if (um_crdt_state_vector(d->crdt, &sv) != UM_OK)
        um_buf_clear(&sv);
    presence_put_own(&d->presence, &presence);
    flags |= make_fit(&sv, &update, &presence);
    send_state(d->hub, to, flags, &at, span_of(&sv), span_of(&update), span_of(&presence), d);
    um_buf_free(&update);
    um_buf_free(&sv);
    um_buf_free(&presence);
}

/* What those who answered lack, and who is here. */
static void repay(struct doc *d, uint64_t to, struct um_span their_sv)
{
    struct um_buf update = { 0 }, sv = { 0 }, presence = { 0 };
    struct bus_at at = at_of(d);
    bool has_more = their_sv.len > 0 && difference(d, their_sv, &update);
    unsigned flags = BUS_HAS_DOCUMENT;

    if (!has_more)
        um_buf_clear(&update);
    presence_put_own(&d->presence, &presence);
    flags |= make_fit(&sv, &update, &presence);
    if (has_more || presence.len > 0)
        send_state(d->hub, to, flags, &at, UM_SPAN(NULL, 0), span_of(&update), span_of(&presence), d);
    um_buf_free(&presence);
    um_buf_free(&update);
}

static void on_hello(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    struct bus_ident id = bus_read_ident(r);

    if (!r->failed)
        peer_identify(o, &id);
    while (!r->failed && um_reader_left(r) > 0) {
        struct bus_at at = bus_read_at(r);
        unsigned flags = um_read_u8(r);
        struct um_span sv = um_read_varbytes(r);
        struct doc *d = r->failed ? NULL : doc_of(h, at.name);
        if (r->failed || hub_of_document(h->engine, at.name) != h)
            continue;
        if (d != NULL && um_crdt_sv_validate(NULL, sv) != UM_OK) {
            r->failed = true;
            return;
        }
        if (d == NULL && !(flags & BUS_QUIET))
            answer_without(h, at.name, o->id);
        if (d != NULL) {
            struct bus_peer *p = peer_get(d, o);
            answer(d, o->id, sv, flags & BUS_WANTS_STATE);
            if (peer_at(p, &at) && at.number > p->received)
                ask(p);
        }
    }
}

/* What a STATE brings is as doubtful as the appends of its core up to there, and those that this core has in doubt itself. */
static void doubt_state(struct doc *d, struct bus_peer *p, struct bus_state *s)
{
    struct um_buf out = { 0 };
    struct um_bytes *items;

    um_buf_put_varbytes(&out, s->update);
    items = um_buf_to_bytes(&out);
    um_buf_free(&out);
    peer_doubt(p, s->at.number, items);
    for (uint64_t i = 0; i < s->n_doubts; i++) {
        struct bus_doubt x = bus_read_doubt(&s->doubts);
        struct bus_origin *o = x.origin >> 16 == d->hub->engine->bus_run ? NULL : peer_origin(d->hub, x.origin);
        struct bus_peer *other = o != NULL ? peer_get(d, o) : NULL;
        if (other != NULL && peer_at(other, &(struct bus_at){ .epoch = x.epoch }))
            peer_doubt(other, x.number, items);
    }
    um_bytes_unref(items);
}

static void take_state(struct doc *d, struct bus_origin *o, struct bus_state *s)
{
    struct bus_peer *p = peer_get(d, o);
    bool took = false;

    if (!peer_at(p, &s->at))
        return;
    if (s->flags & BUS_IN_STORE)
        elsewhere_look(d);
    if (s->update.len > 0 && apply(d, s->update)) {
        doubt_state(d, p, s);
        took = true;
    }
    if (took || (s->flags & BUS_IN_STORE)) {
        p->received = UM_MAX(p->received, s->at.number);
        p->asked_ms = 0;
    }
    take_presence(d, p, s->presence, !(s->flags & BUS_NO_PRESENCE));
    if (s->flags & BUS_IS_ANSWER)
        repay(d, o->id, s->sv);
    if (s->at.number > p->received)
        ask(p);
}

/* It does not have the document open: what we know of it, up to where it speaks of, is over. D may be gone afterwards. */
static void take_absence(struct doc *d, const struct bus_origin *o, const struct bus_at *at)
{
    struct bus_peer *p = peer_find(d, o);

    if (p != NULL && p->epoch <= at->epoch)
        peer_gone(p);
}

static void on_state(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    struct bus_ident id = bus_read_ident(r);
    struct bus_state s = bus_read_state(r);
    struct doc *d = r->failed ? NULL : doc_of(h, s.at.name);

    if (r->failed || (s.sv.len > 0 && um_crdt_sv_validate(NULL, s.sv) != UM_OK)) {
        r->failed = true;
        return;
    }
    peer_identify(o, &id);
    if (d == NULL)
        return;
    if (s.flags & BUS_HAS_DOCUMENT)
        take_state(d, o, &s);
    if (s.flags & BUS_IS_ANSWER)
        wait_answer(d, o, id.hubs);
    if (!(s.flags & BUS_HAS_DOCUMENT))
        take_absence(d, o, &s.at);
}

/* Applies what it can; what was taken, as it is kept while it is in doubt. */
static struct um_bytes *apply_items(struct doc *d, struct um_reader items, uint64_t n, bool *whole)
{
    struct um_buf taken = { 0 };
    struct um_bytes *out;

    *whole = true;
    for (uint64_t i = 0; i < n; i++) {
        struct um_span update = um_read_varbytes(&items);
        if (apply(d, update))
            um_buf_put_varbytes(&taken, update);
        else
            *whole = false;
    }
    out = um_buf_to_bytes(&taken);
    um_buf_free(&taken);
    return out;
}

static void on_update(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    struct bus_at at = bus_read_at(r);
    uint64_t n = um_read_varuint(r);
    struct um_reader items = *r;
    struct um_bytes *taken;
    struct bus_peer *p;
    struct doc *d;
    bool is_new, whole;

    for (uint64_t i = 0; i < n && !r->failed; i++)
        um_read_varbytes(r);
    r->failed = r->failed || n > at.number;
    if (!r->failed && o->member == NULL && um_reader_left(r) > 0 && has_tail(h)) {
        struct bus_ident id = bus_read_ident(r);
        if (!r->failed)
            peer_identify(o, &id);
    }
    d = r->failed ? NULL : doc_of(h, at.name);
    p = d != NULL ? peer_get(d, o) : NULL;
    is_new = p != NULL && at.epoch > p->epoch;
    if (p == NULL || !peer_at(p, &at) || at.number <= p->received)
        return;
    taken = apply_items(d, items, n, &whole);
    peer_doubt(p, at.number, taken);
    um_bytes_unref(taken);
    if (whole && at.number - n <= p->received)
        p->received = at.number;
    else
        is_new = true;
    if (is_new || o->member == NULL)
        ask(p);                              /* for what we miss; its answer says who it is, and now it knows of us */
}

static void on_presence(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    struct um_span name = um_read_varbytes(r), told = um_read_varbytes(r);
    struct doc *d = r->failed || name.len > BUS_MAX_NAME ? NULL : doc_of(h, name);
    struct bus_peer *p = d != NULL ? peer_get(d, o) : NULL;

    if (p == NULL)
        return;
    take_presence(d, p, told, false);
    if (p->epoch == 0)
        ask(p);                              /* we had not heard of it */
}

static void on_beat(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    while (!r->failed && um_reader_left(r) > 0) {
        struct bus_at at = bus_read_at(r);
        struct doc *d = r->failed ? NULL : doc_of(h, at.name);
        struct bus_peer *p = d != NULL ? peer_get(d, o) : NULL;
        bool is_new = p != NULL && at.epoch > p->epoch;
        if (p != NULL && peer_at(p, &at) && (is_new || at.number > p->received))
            ask(p);
    }
}

static void on_bye(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    struct bus_at at = bus_read_at(r);
    struct doc *d = r->failed ? NULL : doc_of(h, at.name);
    struct bus_peer *p = d != NULL ? peer_find(d, o) : NULL;

    if (p != NULL && peer_at(p, &at))
        peer_gone(p);
}

static void on_order(struct hub *h, struct bus_origin *o, struct um_reader *r)
{
    enum bus_order what = (enum bus_order)um_read_u8(r);
    struct um_span name = um_read_varbytes(r), text = um_read_varbytes(r);

    (void)o;
    if (r->failed || what < BUS_DELETED || what > BUS_STATELESS || name.len > BUS_MAX_NAME)
        r->failed = true;
    else
        bus_obey(h, what, name, text);
}

static void handle(struct hub *h, struct um_span message)
{
    static void (*const by_kind[])(struct hub *h, struct bus_origin *o, struct um_reader *r) = {
        [BUS_HELLO] = on_hello, [BUS_STATE] = on_state, [BUS_UPDATE] = on_update, [BUS_PRESENCE] = on_presence,
        [BUS_BEAT] = on_beat, [BUS_BYE] = on_bye, [BUS_ORDER] = on_order,
    };
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;
    bool ok = bus_read_head(message, &r, &kind, &origin);
    struct bus_origin *o = NULL;

    if (ok && origin >> 16 == h->engine->bus_run)
        return;                              /* ourselves */
    if (ok)
        o = peer_origin(h, origin);
    if (o != NULL) {
        o->heard_ms = um_loop_now_ms(h->loop);
        by_kind[kind](h, o, &r);
    }
    if (!ok || o == NULL || r.failed) {
        count(C_BUS_REFUSED, 1);
        um_log_limited(UM_WARN, "collab.bus", "message refused", UM_I("bytes", message.len), UM_I("kind", ok ? (int)kind : 0));
    }
}

/* Between two messages a test may lose, double or swap them. */
static void heard(void *arg, struct um_span message)
{
    struct hub *h = arg;
    struct um_bytes *held = h->bus.held;

    count(C_BUS_HEARD, 1);
    if (UM_FAILPOINT("bus.drop"))
        return;
    if (held == NULL && UM_FAILPOINT("bus.swap")) {
        h->bus.held = um_bytes_dup(message.data, message.len);
        return;
    }
    handle(h, message);
    if (UM_FAILPOINT("bus.dup"))
        handle(h, message);
    if (held != NULL) {
        h->bus.held = NULL;
        handle(h, um_bytes_span(held));
        um_bytes_unref(held);
    }
}

static void became_live(void *arg) { native_wake(arg); }

/* ---- clockwork ---- */

static void send_beats(struct hub *h, int64_t now)
{
    struct um_buf out = { 0 };

    UM_LIST_EACH_SAFE(it, &h->bus.beats) {
        struct doc *d = UM_CONTAINER(it, struct doc, bus.beat_link);
        struct bus_at at = at_of(d);
        if (now < d->bus.beat_at_ms)
            continue;
        if (out.len == 0)
            bus_put_head(&out, BUS_BEAT, h->bus.origin);
        bus_put_at(&out, &at);
        d->bus.told_stored = at.stored;
        if (++d->bus.beats < BEATS && d->bus.n_peers > 0)
            d->bus.beat_at_ms = now + beat_after_ms[d->bus.beats];
        else
            um_list_remove(it);
        if (out.len >= BUS_LIST_BYTES) {
            send(h, BUS_TO_ALL, &out);
            um_buf_clear(&out);
        }
    }
    if (out.len > 0)
        send(h, BUS_TO_ALL, &out);
    um_buf_free(&out);
}

static void beat(void *arg)
{
    struct hub *h = arg;
    int64_t now = um_loop_now_ms(h->loop);
    bool stood_still = h->bus.beaten_at_ms != 0 && now - h->bus.beaten_at_ms > CLOCK_MS + PAUSE_MS;

    um_timer_set(h->loop, &h->bus.beat, um_loop_next_ms(h->loop, CLOCK_MS), beat, h);
    h->bus.beaten_at_ms = now;
    if (stood_still) {
        h->bus.ops->wake(h);
    } else if (now - h->bus.compared_at_ms >= h->engine->cf.compare_interval_ms) {
        h->bus.compared_at_ms = now;
        greet(h, false);
    }
    origin_sweep(h, now);
    send_beats(h, now);
}

static bool somebody_shares(void *hub) { return ((struct hub *)hub)->bus.n_shared > 0; }

static void native_start(struct hub *h)
{
    static const struct bus_port_handler handler = { heard, became_live, adopt_orphan, somebody_shares };

    h->bus.port = h->engine->open_port(h->engine->port_ctx, h->loop, h->bus.origin, &handler, h);
    h->bus.compared_at_ms = um_loop_now_ms(h->loop);
    um_timer_set(h->loop, &h->bus.beat, CLOCK_MS, beat, h);
}

static bool fold_at_once(struct doc *d) { (void)d; return true; }
static void no_word(struct doc *d) { (void)d; }

static void native_stop(struct hub *h)
{
    um_timer_stop(h->loop, &h->bus.beat);
    um_timer_stop(h->loop, &h->bus.greet);
    UM_LIST_EACH(it, &h->all_docs)
        if (UM_CONTAINER(it, struct doc, link)->bus.wait != NULL)
            wait_end(UM_CONTAINER(it, struct doc, link)->bus.wait);
    h->bus.port->ops->free(h->bus.port);
    um_bytes_unref(h->bus.held);
    um_map_free(&h->bus.adopted);
    origin_free_all(h);
}

const struct bus_ops bus_native = {
    .start = native_start, .stop = native_stop, .loaded = native_loaded, .closed = native_closed, .append = native_append,
    .stored = native_stored, .presence = native_presence, .order = native_order, .wake = native_wake, .is_live = is_live,
    .fold = fold_at_once, .folded = no_word,
};
