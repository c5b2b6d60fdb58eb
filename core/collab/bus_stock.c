/* `collab.cluster.mode=hocuspocus`: the native bus between our own cores, and beside it what stock servers with the Redis
 * extension say and understand (bus_stock_wire.h), so that a cluster may consist of both.
 *
 *   opening a document     Step1 and QueryAwareness; readers wait for one Step2 of everybody who listens on its channel
 *   an edit                Sync/Update, the change itself, once: all generations apply it (stock tells a Step1 instead)
 *   a change from stock    is stored by us as our clients' are, and passed on as Sync/Update when the document has instances
 *                          that cannot hear one another; one that changed nothing here goes nowhere
 *   Step1                  SyncReply/Step1 and Step2       to where the asker listens (bus_stock_peer.c)
 *   5 s after an edit, something missing, every `collab.cluster.compare-interval`       Step1
 *   reconnected, new Redis master, own pause               Step1, QueryAwareness and who is here, for every document, until
 *                                                          all instances that were seen there have answered
 *
 * Our messages carry a tag. What another core of ours says on a stock channel is passed over when the native bus knows it to
 * have the document open, for it says the same there, with numbers and users. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>
#include "bus_peer.h"
#include "bus_stock.h"

#define CLOCK_MS        1000
#define STEP_MS            5                 /* between two lots of documents */
#define STEP_DOCUMENTS   256
#define SETTLE_MS       5000                 /* a lost change is found so long after it */
#define MISSING_MS      1000
#define REFUSED_MS     15000
#define AGAIN_MS        1000
#define TRIES             15                 /* stock servers come back to Redis some seconds after us, and do not ask then */
#define FORGET_AFTER       3                 /* comparisons without an answer */

/* ---- saying ---- */

static struct stock_tag tag_of(const struct stock_hub *s, unsigned flags)
{
    return (struct stock_tag){ true, flags, s->hub->bus.origin };
}

void stock_publish(struct stock_hub *s, struct um_span channel, const struct um_buf *message, um_redis_cb *cb, void *arg)
{
    static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT }, unanswered = { .flags = UM_REDIS_NO_ANSWER };

    count(C_BUS_SENT, 1);
    count(C_BUS_SENT_BYTES, (int64_t)message->len);
    um_redis_command(s->link, cb != NULL ? &at_once : &unanswered,
                     (struct um_span[]){ UM_SPAN_STR("PUBLISH"), channel, UM_SPAN(message->data, message->len) }, 3, cb, arg);
}

static void make(struct um_buf *out, const struct stock_doc *sd, enum wire_type type, int kind, struct um_span payload, unsigned flags)
{
    const struct stock_hub *s = sd->hub;

    stock_put(out, &(struct stock_message){ UM_SPAN(s->identifier.data, s->identifier.len), UM_SPAN_STR(sd->doc->name), type, kind,
                                            payload, tag_of(s, flags) });
}

static void tell(struct stock_doc *sd, enum wire_type type, int kind, struct um_span payload, unsigned flags)
{
    struct um_buf out = { 0 }, channel = { 0 };

    make(&out, sd, type, kind, payload, flags);
    stock_put_channel(&channel, sd->hub->prefix, UM_SPAN_STR(sd->doc->name));
    if (out.failed || out.len > STOCK_MAX_MESSAGE)
        count(C_BUS_TOO_LONG, 1);            /* the next Step1 finds it missing, and it goes in pieces */
    else
        stock_publish(sd->hub, UM_SPAN(channel.data, channel.len), &out, NULL, NULL);
    um_buf_free(&channel);
    um_buf_free(&out);
}

static void tell_presence(struct stock_doc *sd)
{
    struct um_buf out = { 0 };

    presence_encode_own(&sd->doc->presence, &out);
    if (out.len > 1)                         /* somebody is here */
        tell(sd, WIRE_AWARENESS, NO_KIND, UM_SPAN(out.data, out.len), 0);
    um_buf_free(&out);
}

static void tell_step1(struct stock_doc *sd, unsigned flags)
{
    struct um_buf sv = { 0 };

    if (um_crdt_state_vector(sd->doc->crdt, &sv) == UM_OK)
        tell(sd, WIRE_SYNC, SYNC_STEP1, UM_SPAN(sv.data, sv.len), flags);
    um_buf_free(&sv);
}

static void step1_in(struct stock_doc *sd, int64_t ms)
{
    int64_t at = um_loop_now_ms(sd->hub->hub->loop) + ms;

    if (um_list_is_empty(&sd->due))
        um_list_append(&sd->hub->due, &sd->due);
    else
        at = UM_MIN(at, sd->due_at_ms);
    sd->due_at_ms = at;
}

/* ---- answering ---- */

static void send_to(struct stock_doc *sd, struct stock_peer *p, enum wire_type type, int kind, struct um_span payload)
{
    struct um_buf out = { 0 };

    make(&out, sd, type, kind, payload, 0);
    if (out.failed || out.len > STOCK_MAX_MESSAGE)
        count(C_BUS_TOO_LONG, 1);
    else
        stock_peer_send(p, UM_SPAN_STR(sd->doc->name), &out);
    um_buf_free(&out);
}

struct piece_to { struct stock_doc *sd; struct stock_peer *p; };
static um_err send_piece(void *arg, struct um_span piece)
{
    struct piece_to *to = arg;

    send_to(to->sd, to->p, WIRE_SYNC, SYNC_UPDATE, piece);
    return UM_OK;
}

/* What is too long for the queue gets lost; each time the peer asks it lacks less. */
static void send_state(struct stock_doc *sd, struct stock_peer *p, struct um_span sv)
{
    static const uint8_t nothing[] = { 0, 0 };
    struct um_buf out = { 0 };
    struct piece_to to = { sd, p };

    if (um_crdt_encode(sd->doc->crdt, sv, &out) != UM_OK) {
        um_buf_free(&out);
        return;
    }
    if (out.len <= STOCK_PIECE_BYTES)
        send_to(sd, p, WIRE_SYNC, SYNC_STEP2, UM_SPAN(out.data, out.len));
    else if (um_crdt_encode_pieces(sd->doc->crdt, sv, STOCK_PIECE_BYTES, send_piece, &to) == UM_OK)
        send_to(sd, p, WIRE_SYNC, SYNC_STEP2, UM_SPAN(nothing, sizeof(nothing)));
    um_buf_free(&out);
}

static void send_own_sv(struct stock_doc *sd, struct stock_peer *p)
{
    struct um_buf sv = { 0 };

    if (um_crdt_state_vector(sd->doc->crdt, &sv) == UM_OK)
        send_to(sd, p, WIRE_SYNC_REPLY, SYNC_STEP1, UM_SPAN(sv.data, sv.len));
    um_buf_free(&sv);
}

/* Each instance answers for its own; where some cannot hear others, we answer for all. */
static void send_presence(struct stock_doc *sd, struct stock_peer *p)
{
    struct um_buf out = { 0 };

    if (!stock_is_bridge(sd, p) || !presence_encode_all(&sd->doc->presence, &out)) {
        um_buf_clear(&out);
        presence_encode_own(&sd->doc->presence, &out);
    }
    send_to(sd, p, WIRE_AWARENESS, NO_KIND, UM_SPAN(out.data, out.len));
    um_buf_free(&out);
}

void stock_answer(struct stock_doc *sd, struct stock_peer *p, enum stock_question q, struct um_span sv)
{
    if (q == STOCK_BOTH_STATES)
        send_own_sv(sd, p);
    if (q == STOCK_PRESENCE)
        send_presence(sd, p);
    else
        send_state(sd, p, sv);
}

/* ---- opening ---- */

static bool listens(const struct stock_doc *sd) { return sd->doc->state != DOC_UNLOADING; }

/* A document that nobody reads here goes, however much is written elsewhere. Should it stay, it asks for what it has missed. */
struct stock_doc *stock_doc_named(struct stock_hub *s, struct um_span name)
{
    struct doc *d = doc_get(s->hub, name, false);
    struct stock_doc *sd = d != NULL && d->state != DOC_ENDING ? stock_doc_of(d) : NULL;

    if (sd == NULL || listens(sd))
        return sd;
    sd->greets = true;
    step1_in(sd, 0);
    return NULL;
}

static void wait_end(struct stock_doc *sd)
{
    if (!sd->waits)
        return;
    sd->waits = false;
    um_timer_stop(sd->hub->hub->loop, &sd->limit);
    bus_waited(sd->doc);
}

static void wait_check(struct stock_doc *sd)
{
    if (sd->waits && sd->others >= 0 && sd->answered >= sd->others)
        wait_end(sd);
}

static void wait_too_long(void *arg)
{
    struct stock_doc *sd = arg;

    count(C_BUS_NO_ANSWER, 1);
    um_log_limited(UM_INFO, "collab.bus", "not every stock server has answered", UM_S("doc", sd->doc->name),
                   UM_I("answers", sd->answered), UM_I("others", sd->others));
    wait_end(sd);
}

struct listeners_of { struct stock_hub *hub; struct um_bytes *name; };      /* the document may go before the answer comes */

static void listeners_counted(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct listeners_of *of = arg;
    struct stock_doc *sd = of->hub->stopping ? NULL : stock_doc_named(of->hub, um_bytes_span(of->name));

    /* Who may not ask waits for the time limit, as stock does. */
    if (sd != NULL && err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n == 2)
        sd->others = UM_MAX(reply->items[1]->integer - 1, 0);
    else if (sd != NULL && err != UM_EDENIED && err != UM_EINVAL)
        sd->others = 0;                      /* nobody is reached: the store is what there is */
    if (sd != NULL)
        wait_check(sd);
    um_bytes_unref(of->name);
    free(of);
}

static void count_listeners(struct stock_doc *sd)
{
    static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT };
    struct um_span name = UM_SPAN_STR(sd->doc->name);
    struct listeners_of *of = um_xcalloc(1, sizeof(*of));
    struct um_buf channel = { 0 };

    *of = (struct listeners_of){ sd->hub, um_bytes_dup(name.data, name.len) };
    UM_ASSERT(of->name != NULL);             /* `collab.max-name` */
    stock_put_channel(&channel, sd->hub->prefix, name);
    um_redis_command(sd->hub->link, &at_once,
                     (struct um_span[]){ UM_SPAN_STR("PUBSUB"), UM_SPAN_STR("NUMSUB"), UM_SPAN(channel.data, channel.len) }, 3,
                     listeners_counted, of);
    um_buf_free(&channel);
}

static void start_over(struct stock_doc *sd)
{
    for (unsigned i = 0; i < sd->n_seen; i++)
        sd->seen[i].answered = false;
    sd->tries = TRIES;
    sd->greets = true;
    step1_in(sd, 0);
}

static void became_live(void *arg, bool again)
{
    struct stock_doc *sd = arg;

    if (again) {
        start_over(sd);
        return;
    }
    if (sd->waits)
        count_listeners(sd);
    tell_step1(sd, sd->waits ? STOCK_OPENING : 0);
    tell(sd, WIRE_QUERY_AWARENESS, NO_KIND, UM_SPAN(NULL, 0), 0);
    tell_presence(sd);
}

static bool is_live(const struct hub *h)
{
    const struct stock_hub *s = stock_hub_of(h);

    return s->replies_live && um_redis_link_is_ready(s->link);
}

static void flush(void *arg);
static void heard_document(void *arg, struct um_span channel, struct um_span payload);

static bool loaded(struct doc *d)
{
    static const struct um_redis_sub_handler ears = { heard_document, became_live };
    struct stock_hub *s = stock_hub_of(d->hub);
    const struct um_collab_conf *cf = &d->hub->engine->cf;
    struct stock_doc *sd = um_xcalloc(1, sizeof(*sd));
    struct um_buf channel = { 0 };

    d->bus.own = sd;
    sd->doc = d;
    sd->hub = s;
    sd->others = -1;
    um_list_init(&sd->due);
    um_defer_init(&sd->flush, flush, sd);
    stock_put_channel(&channel, s->prefix, UM_SPAN_STR(d->name));
    sd->sub = um_redis_subscribe(s->link, UM_SPAN(channel.data, channel.len), false, &ears, sd);
    um_buf_free(&channel);
    if (sd->sub != NULL && cf->sync_before_serve && is_live(d->hub)) {
        sd->waits = true;
        d->bus.n_waits++;
        um_timer_set(d->hub->loop, &sd->limit, cf->sync_timeout_ms, wait_too_long, sd);
    }
    bus_native.loaded(d);
    return d->bus.n_waits > 0;
}

/* ---- telling ---- */

static um_err merge_out(struct stock_doc *sd, struct um_buf *merged)
{
    struct um_reader r = um_reader(UM_SPAN(sd->out.data, sd->out.len));
    struct um_span *all = um_xcalloc(sd->n_out, sizeof(*all));
    um_err err;

    for (unsigned i = 0; i < sd->n_out; i++)
        all[i] = um_read_varbytes(&r);
    err = um_crdt_merge(NULL, all, sd->n_out, merged);
    free(all);
    return err;
}

static void tell_each(struct stock_doc *sd)
{
    struct um_reader r = um_reader(UM_SPAN(sd->out.data, sd->out.len));

    while (um_reader_left(&r) > 0)
        tell(sd, WIRE_SYNC, SYNC_UPDATE, um_read_varbytes(&r), 0);
}

static void tell_updates(struct stock_doc *sd)
{
    struct um_buf merged = { 0 };

    if (UM_FAILPOINT("edit.before_publish"))
        return;
    if (sd->n_out > 1 && merge_out(sd, &merged) == UM_OK)
        tell(sd, WIRE_SYNC, SYNC_UPDATE, UM_SPAN(merged.data, merged.len), 0);
    else
        tell_each(sd);
    um_buf_free(&merged);
}

static void flush(void *arg)
{
    struct stock_doc *sd = arg;
    struct um_buf news = { 0 };

    if (sd->n_out > 0) {
        tell_updates(sd);
        if (sd->n_seen > 0)
            step1_in(sd, SETTLE_MS);
    }
    if (presence_take_stock_news(&sd->doc->presence, &news))
        tell(sd, WIRE_AWARENESS, NO_KIND, UM_SPAN(news.data, news.len), 0);
    um_buf_free(&news);
    sd->n_out = 0;
    if (sd->out.cap > 64 * 1024)
        um_buf_free(&sd->out);
    um_buf_clear(&sd->out);
}

static void flush_later(struct stock_doc *sd) { um_loop_defer(sd->hub->hub->loop, UM_PHASE_FLUSH_DOCS, &sd->flush); }

static void append(struct doc *d, struct um_span update)
{
    struct stock_doc *sd = stock_doc_of(d);

    bus_native.append(d, update);
    if (sd == NULL || (sd->hub->speaker != NULL && !stock_is_bridge(sd, sd->hub->speaker)))
        return;
    if (sd->hub->speaker != NULL)
        count(C_STOCK_BRIDGED, 1);
    um_buf_put_varbytes(&sd->out, update);
    UM_ASSERT(!sd->out.failed);              /* as for readers (outbox.c) */
    sd->n_out++;
    flush_later(sd);
}

static void presence(struct doc *d)
{
    bus_native.presence(d);
    if (stock_doc_of(d) != NULL && !um_list_is_empty(&d->presence.news[PRESENCE_STOCK]))
        flush_later(stock_doc_of(d));
}

static void order(struct hub *h, enum bus_order what, struct um_span document, struct um_span text)
{
    struct stock_doc *sd = what == BUS_STATELESS ? stock_doc_named(stock_hub_of(h), document) : NULL;

    bus_native.order(h, what, document, text);
    if (sd != NULL)
        tell(sd, WIRE_BROADCAST_STATELESS, NO_KIND, text, 0);
}

/* ---- hearing ---- */

static void refuse(const struct stock_hub *s, struct um_span message, um_err err)
{
    (void)s;
    count(C_BUS_REFUSED, 1);
    um_log_limited(UM_WARN, "collab.bus", "message of a stock server refused", UM_I("bytes", message.len), UM_S("reason", um_err_text(err)));
}

static void take_update(struct stock_doc *sd, const struct stock_peer *p, struct um_span update)
{
    struct doc *d = sd->doc;
    struct um_crdt_stats stats;
    bool changed = false;
    um_err err = UM_ELIMIT;

    sd->hub->speaker = p;
    if (doc_takes_changes(d) && update.len <= (size_t)d->hub->engine->cf.max_document_bytes)
        err = doc_take_told(d, update, &changed);
    sd->hub->speaker = NULL;
    if (err != UM_OK) {
        refuse(sd->hub, update, err);
        step1_in(sd, REFUSED_MS);
        return;
    }
    count(C_BUS_UPDATES, changed);
    um_crdt_get_stats(d->crdt, &stats);
    if (stats.pending_structs + stats.pending_ranges > 0)
        step1_in(sd, MISSING_MS);
}

static void take_presence(struct stock_doc *sd, struct um_span update)
{
    struct doc *d = sd->doc;
    const struct um_collab_conf *cf = &d->hub->engine->cf;
    struct presence_limits limits = { cf->max_presence_state, cf->max_presence_ids, cf->max_presence_ids_document };
    struct presence_speaker by = { sd->hub, NULL, true, false };
    struct presence_result r;
    um_err err = presence_apply(&d->presence, update, &by, um_loop_now_ms(d->hub->loop), &limits, &r);

    if (err != UM_OK)
        refuse(sd->hub, update, err);
    else if (r.accepted > 0 && d->state != DOC_LOADING)
        outbox_presence(d);
}

/* A state vector that was meant for others is answered when its speaker lacks something. */
static bool lacks(const struct stock_doc *sd, struct um_span sv)
{
    struct um_buf out = { 0 };
    bool yes = um_crdt_encode(sd->doc->crdt, sv, &out) == UM_OK && out.len > 0 && out.data[0] != 0;

    um_buf_free(&out);
    return yes;
}

static um_err take_step1(struct stock_doc *sd, struct stock_peer *p, const struct stock_message *m, bool to_us)
{
    if (um_crdt_sv_validate(NULL, m->payload) != UM_OK)
        return UM_EPROTO;
    if (m->type == WIRE_SYNC)
        stock_peer_question(sd, p, STOCK_BOTH_STATES, m->payload);
    else if (to_us || lacks(sd, m->payload))
        stock_peer_question(sd, p, STOCK_STATE, m->payload);
    return UM_OK;
}

static um_err take_from_stock(struct stock_doc *sd, struct stock_peer *p, const struct stock_message *m, bool to_us)
{
    struct stock_seen *seen = stock_saw(sd, p);

    switch (m->type) {
    case WIRE_SYNC:
    case WIRE_SYNC_REPLY:
        if (m->kind == SYNC_STEP1)
            return take_step1(sd, p, m, to_us);
        sd->answered += m->kind == SYNC_STEP2 && !seen->answered;
        seen->answered |= m->kind == SYNC_STEP2;
        take_update(sd, p, m->payload);
        return UM_OK;
    case WIRE_AWARENESS:
        take_presence(sd, m->payload);
        return UM_OK;
    case WIRE_QUERY_AWARENESS:
        stock_peer_question(sd, p, STOCK_PRESENCE, UM_SPAN(NULL, 0));
        return UM_OK;
    case WIRE_BROADCAST_STATELESS:
        if (m->payload.len > (size_t)sd->hub->hub->engine->cf.max_stateless)
            return UM_ELIMIT;
        bus_obey(sd->hub->hub, BUS_STATELESS, m->name, m->payload);
        return UM_OK;
    default:
        return UM_OK;
    }
}

/* It says all this on the native bus too. But it listens on the document's channel, so who opens it waits for its word. */
static void take_from_core(struct stock_doc *sd, const struct stock_message *m)
{
    static const uint8_t nothing[] = { 0, 0 };
    struct um_buf out = { 0 }, channel = { 0 };

    sd->answered += m->kind == SYNC_STEP2;
    stock_unsee_one(sd, m->identifier);      /* it was not known yet when it spoke first */
    if (m->kind != SYNC_STEP1 || !(m->tag.flags & STOCK_OPENING))
        return;
    make(&out, sd, WIRE_SYNC, SYNC_STEP2, UM_SPAN(nothing, sizeof(nothing)), 0);
    stock_put_reply_channel(&channel, sd->hub->prefix, m->identifier);
    stock_publish(sd->hub, UM_SPAN(channel.data, channel.len), &out, NULL, NULL);
    um_buf_free(&channel);
    um_buf_free(&out);
}

static bool is_ours(const struct stock_hub *s, const struct stock_message *m)
{
    bool by_tag = m->tag.is_umbel && m->tag.hub >> 16 == s->hub->engine->bus_run;
    bool by_name = m->identifier.len == s->identifier.len &&
                   memcmp(m->identifier.data, s->identifier.data, s->identifier.len) == 0;

    if (by_name && !by_tag)
        um_log_limited(UM_ERROR, "collab.bus", "another server has the same collab.redis.identifier: its changes are not heard",
                       UM_B("identifier", m->identifier));
    return by_tag || by_name;
}

static void heard(struct stock_hub *s, struct um_span message, bool to_us)
{
    struct stock_message m;
    struct stock_doc *sd;
    struct stock_peer *p;
    um_err err = UM_OK;

    count(C_BUS_HEARD, 1);
    if (UM_FAILPOINT("bus.drop"))
        return;
    if (!stock_read(message, &m)) {
        refuse(s, message, UM_EPROTO);
        return;
    }
    sd = is_ours(s, &m) ? NULL : stock_doc_named(s, m.name);
    if (sd == NULL)
        return;
    if (m.tag.is_umbel && peer_of_hub(sd->doc, m.tag.hub) != NULL)
        take_from_core(sd, &m);
    else if ((p = stock_peer_get(s, m.identifier)) != NULL)
        err = take_from_stock(sd, p, &m, to_us);
    else
        err = UM_ELIMIT;
    if (err != UM_OK)
        refuse(s, message, err);
    wait_check(sd);
}

static void heard_document(void *arg, struct um_span channel, struct um_span payload)
{
    (void)channel;
    heard(((struct stock_doc *)arg)->hub, payload, false);
}

static void heard_reply(void *arg, struct um_span channel, struct um_span payload)
{
    (void)channel;
    heard(arg, payload, true);
}

/* ---- clockwork ---- */

static void turn(void *arg);

static void due_now(struct stock_hub *s)
{
    if (s->stopping)
        return;
    UM_LIST_EACH(it, &s->hub->all_docs) {
        struct stock_doc *sd = stock_doc_of(UM_CONTAINER(it, struct doc, link));
        if (sd != NULL)
            start_over(sd);
    }
    um_timer_set(s->hub->loop, &s->clock, 0, turn, s);
}

static bool have_all_answered(const struct stock_doc *sd)
{
    for (unsigned i = 0; i < sd->n_seen; i++)
        if (!sd->seen[i].answered)
            return false;
    return true;
}

static void greet_one(struct stock_doc *sd)
{
    um_list_remove(&sd->due);
    sd->tries = have_all_answered(sd) ? 0 : sd->tries - (sd->tries > 0);
    tell_step1(sd, 0);
    if (sd->greets) {
        tell(sd, WIRE_QUERY_AWARENESS, NO_KIND, UM_SPAN(NULL, 0), 0);
        tell_presence(sd);
    }
    sd->greets = sd->tries > 0;
    if (sd->tries > 0)
        step1_in(sd, AGAIN_MS);
}

/* How many of the documents whose time has come were greeted. */
static unsigned greet_some(struct stock_hub *s, int64_t now)
{
    unsigned n = 0;

    UM_LIST_EACH_SAFE(it, &s->due) {
        struct stock_doc *sd = UM_CONTAINER(it, struct stock_doc, due);
        if (n == STEP_DOCUMENTS)
            break;
        if (sd->due_at_ms > now || !listens(sd))
            continue;
        greet_one(sd);
        n++;
    }
    return n;
}

static void compare(struct stock_hub *s, int64_t now)
{
    int64_t long_ago = now - FORGET_AFTER * s->hub->engine->cf.compare_interval_ms;

    s->compared_at_ms = now;
    UM_LIST_EACH(it, &s->hub->all_docs) {
        struct stock_doc *sd = stock_doc_of(UM_CONTAINER(it, struct doc, link));
        if (sd == NULL)
            continue;
        stock_unsee(sd, long_ago);
        if (sd->n_seen > 0)
            step1_in(sd, 0);
    }
}

static void turn(void *arg)
{
    struct stock_hub *s = arg;
    const struct um_collab_conf *cf = &s->hub->engine->cf;
    int64_t now = um_loop_now_ms(s->hub->loop);
    unsigned n = 0;

    if (now - s->compared_at_ms >= cf->compare_interval_ms)
        compare(s, now);
    stock_peer_sweep(s, now - FORGET_AFTER * cf->compare_interval_ms);
    if (is_live(s->hub))                     /* else it waits */
        n = greet_some(s, now);
    um_timer_set(s->hub->loop, &s->clock, n == STEP_DOCUMENTS ? STEP_MS : CLOCK_MS, turn, s);
}

/* ---- life ---- */

static void link_ready(void *arg, bool ready)
{
    if (ready)
        due_now(arg);
}

static void new_epoch(void *arg, uint64_t epoch)
{
    if (epoch > 1)
        due_now(arg);
}

static void replies_live(void *arg, bool again)
{
    struct stock_hub *s = arg;

    s->replies_live = true;
    if (again)
        due_now(s);
}

static void wake(struct hub *h)
{
    bus_native.wake(h);
    due_now(stock_hub_of(h));
}

/* Each hub is an instance: the first by the process' name, the others with their number behind it. */
static void put_identifier(const struct hub *h, struct um_buf *out)
{
    const struct um_collab *c = h->engine;
    unsigned i = (unsigned)(h - c->hubs);

    um_buf_puts(out, *c->cf.redis_identifier != '\0' ? c->cf.redis_identifier : c->identifier);
    if (i > 0)
        um_buf_printf(out, ".%u", i);
    UM_ASSERT(!out->failed && out->len <= STOCK_MAX_IDENTIFIER);
}

static void start(struct hub *h)
{
    static const struct um_redis_link_handler watch = { new_epoch, link_ready };
    static const struct um_redis_sub_handler ears = { heard_reply, replies_live };
    struct stock_hub *s = h->bus.own = um_xcalloc(1, sizeof(*s));
    struct um_buf channel = { 0 };

    s->hub = h;
    s->prefix = UM_SPAN_STR(h->engine->cf.redis_prefix);
    um_list_init(&s->due);
    put_identifier(h, &s->identifier);
    s->link = um_redis_link_new(h->engine->port_ctx, h->loop, "stock", &watch, s);
    stock_put_reply_channel(&channel, s->prefix, UM_SPAN(s->identifier.data, s->identifier.len));
    s->replies = um_redis_subscribe(s->link, UM_SPAN(channel.data, channel.len), false, &ears, s);
    um_buf_free(&channel);
    s->compared_at_ms = um_loop_now_ms(h->loop);
    um_timer_set(h->loop, &s->clock, CLOCK_MS, turn, s);
    bus_native.start(h);
}

static void stop_hearing(struct doc *d)
{
    struct stock_doc *sd = stock_doc_of(d);

    if (sd == NULL)
        return;
    um_redis_unsubscribe(sd->sub);
    sd->sub = NULL;
}

static void doc_free_own(struct doc *d)
{
    struct stock_doc *sd = stock_doc_of(d);
    struct um_loop *l = d->hub->loop;

    if (sd == NULL)
        return;
    stop_hearing(d);
    d->bus.own = NULL;
    stock_unsee(sd, INT64_MAX);
    um_list_remove(&sd->due);
    um_defer_cancel(&sd->flush);
    um_timer_stop(l, &sd->limit);
    um_timer_stop(l, &sd->lock_retry);
    um_buf_free(&sd->out);
    free(sd);
}

static void closed(struct doc *d)
{
    if (stock_doc_of(d) != NULL)
        flush(stock_doc_of(d));              /* that the last ones have left */
    doc_free_own(d);
    bus_native.closed(d);
}

static void stop(struct hub *h)
{
    struct stock_hub *s = stock_hub_of(h);

    s->stopping = true;
    um_timer_stop(h->loop, &s->clock);
    um_redis_unsubscribe(s->replies);
    UM_LIST_EACH(it, &h->all_docs)
        stop_hearing(UM_CONTAINER(it, struct doc, link));
    um_redis_link_free(s->link);             /* its last answers name documents */
    UM_LIST_EACH(it, &h->all_docs)
        doc_free_own(UM_CONTAINER(it, struct doc, link));
    stock_peer_free_all(s);
    um_buf_free(&s->identifier);
    h->bus.own = NULL;
    free(s);
    bus_native.stop(h);
}

static void stored(struct doc *d) { bus_native.stored(d); }
static bool both_live(const struct hub *h) { return bus_native.is_live(h) && is_live(h); }

const struct bus_ops bus_stock = {
    .start = start, .stop = stop, .loaded = loaded, .closed = closed, .append = append, .stored = stored, .presence = presence,
    .order = order, .wake = wake, .is_live = both_live, .fold = stock_fold, .folded = stock_folded,
};
