/* An open document: its life, and what its seats may say.
 *
 *                      join                    last seat left
 *   (new) --> LOADING -------> OPEN <------------------------> IDLE --unload delay--> UNLOADING --settled--> GONE
 *                |               ^------------- join ---------------------------------/
 *                +-- failed, or deleted at any time --> ENDING --nothing in flight--> GONE
 *
 * Nothing is unloaded while a change is unstored. ENDING keeps nothing: its changes are refused by the store or belong to
 * nobody. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/util.h>
#include "internal.h"

enum { RELOAD_LOOK_MS = 10 };

#define TO(s) (1u << DOC_##s)
static const uint8_t may_go[DOC_N] = {
    [DOC_LOADING]   = TO(OPEN) | TO(IDLE) | TO(ENDING),
    [DOC_OPEN]      = TO(IDLE) | TO(ENDING),
    [DOC_IDLE]      = TO(OPEN) | TO(UNLOADING) | TO(ENDING),
    [DOC_UNLOADING] = TO(OPEN) | TO(GONE) | TO(ENDING),
    [DOC_ENDING]    = TO(GONE),
};

const char *doc_state_name(enum doc_state s)
{
    static const char *const names[] = {
#define X(n) #n,
        DOC_STATES(X)
#undef X
    };
    return names[s];
}

void doc_go(struct doc *d, enum doc_state to, const char *why)
{
    UM_ASSERT(may_go[d->state] & (1u << to));
    um_log(UM_DEBUG, "collab.doc", "state", UM_S("doc", d->name), UM_S("from", doc_state_name(d->state)),
           UM_S("to", doc_state_name(to)), UM_S("why", why));
    d->state = to;
    d->since_ms = um_loop_now_ms(d->hub->loop);
}

/* ---- life ---------------------------------------------------------------------------------------------------- */

static struct doc *doc_new(struct hub *h, struct um_span name)
{
    struct doc *d = um_xcalloc(1, sizeof(*d));
    struct um_crdt_conf conf;
    struct um_buf addr = { 0 };

    um_crdt_conf_init(&conf);
    conf.limits.update_bytes = (uint32_t)h->engine->cf.max_update_bytes;
    conf.eager_pending = true;               /* readers see what can be shown as soon as it can */
    if (um_crdt_new(&conf, &d->crdt) != UM_OK) {
        free(d);
        return NULL;
    }
    d->hub = h;
    d->since_ms = um_loop_now_ms(h->loop);
    d->name = um_xstrndup((const char *)name.data, name.len);
    um_buf_put_varbytes(&addr, name);
    d->plain_addr = um_buf_to_bytes(&addr);
    um_buf_free(&addr);
    UM_ASSERT(d->plain_addr != NULL);
    um_list_init(&d->seats);
    um_list_init(&d->pending);
    um_list_init(&d->work);
    presence_init(&d->presence);
    outbox_init(d);
    bus_doc_init(d);
    told_init(d);
    um_list_append(&h->all_docs, &d->link);
    um_map_put(&h->docs, name, d);
    count(C_DOCUMENTS, 1);
    return d;
}

static void doc_free(struct doc *d)
{
    struct hub *h = d->hub;

    doc_go(d, DOC_GONE, "settled");
    h->bus.ops->closed(d);
    um_map_remove(&h->docs, UM_SPAN_STR(d->name));
    um_list_remove(&d->link);
    um_timer_stop(h->loop, &d->unload_timer);
    um_timer_stop(h->loop, &d->reload_timer);
    um_timer_stop(h->loop, &d->mark_timer);
    persist_free(d);
    told_free(d);
    elsewhere_free(d);
    outbox_free(d);
    presence_free(&d->presence);
    um_map_free(&d->writers);
    um_crdt_free(d->crdt);
    um_bytes_unref(d->plain_addr);
    um_bytes_unref(d->ack_plain);
    free(d->name);
    free(d);
    count(C_DOCUMENTS, -1);
    hub_check_drained(h);
}

struct doc *doc_get(struct hub *h, struct um_span name, bool create)
{
    struct doc *d = um_map_get(&h->docs, name);

    return d == NULL && create ? doc_new(h, name) : d;
}

static void unload_due(void *arg)
{
    struct doc *d = arg;

    if (d->state == DOC_IDLE)
        doc_go(d, DOC_UNLOADING, "unload delay is over");
    doc_settle(d);
}

static int64_t unload_delay_ms(const struct hub *h)
{
    const struct um_collab_conf *cf = &h->engine->cf;

    return h->draining ? 0 : cf->cluster_mode == UM_COLLAB_HOCUSPOCUS ? UM_MAX(cf->unload_delay_ms, cf->redis_disconnect_delay_ms)
                                                                       : cf->unload_delay_ms;
}

static void become_idle(struct doc *d)
{
    doc_go(d, DOC_IDLE, "nobody is connected");
    persist_fold_now(d);
    um_timer_set(d->hub->loop, &d->unload_timer, unload_delay_ms(d->hub), unload_due, d);
}

void doc_settle(struct doc *d)
{
    if (d->state == DOC_IDLE && d->hub->draining) {
        um_timer_stop(d->hub->loop, &d->unload_timer);
        doc_go(d, DOC_UNLOADING, "drain");
    }
    if (d->state == DOC_UNLOADING && d->own_seq > d->last_seq)
        elsewhere_catch_up(d);
    if (d->state == DOC_UNLOADING)
        told_hurry(d);
    if (d->state == DOC_UNLOADING && persist_is_settled(d) && !UM_FAILPOINT("unload.before"))
        doc_free(d);
    else if (d->state == DOC_UNLOADING)
        persist_fold_now(d);
    else if (d->state == DOC_ENDING && um_list_is_empty(&d->pending) && !d->fold_running && !d->loading &&
             !d->catching_up && !told_is_asking(d))
        doc_free(d);
}

void doc_end(struct doc *d, const char *reason, enum end_how how, unsigned code)
{
    if (d->state == DOC_ENDING) {
        doc_settle(d);
        return;
    }
    um_log(UM_INFO, "collab", "document ends", UM_S("doc", d->name), UM_S("reason", reason), UM_I("connections", d->n_seats));
    doc_go(d, DOC_ENDING, reason);
    um_timer_stop(d->hub->loop, &d->unload_timer);
    UM_LIST_EACH_SAFE(it, &d->seats)
        seat_end(UM_CONTAINER(it, struct seat, in_doc), reason, how, code);
    work_give_up(d, strcmp(reason, "deleted") == 0 ? UM_ENOTFOUND : UM_EUNAVAIL);
    persist_give_up(d);
    told_give_up(d);
    doc_settle(d);
}

/* What is durable comes back from the log; a fold need not be waited for. */
static void reload_due(void *arg)
{
    struct doc *d = arg;
    bool stored = um_list_is_empty(&d->pending) && !d->fold_running && !d->catching_up && d->own_seq <= d->last_seq && d->bus.n_doubts == 0;

    if (d->state != DOC_LOADING && d->state != DOC_ENDING && stored)
        doc_end(d, "Reset Connection", END_CLOSE_AND_ASK, 4205);
    else
        um_timer_set(d->hub->loop, &d->reload_timer, RELOAD_LOOK_MS, reload_due, d);
}

void doc_reload(struct doc *d) { um_timer_set(d->hub->loop, &d->reload_timer, 0, reload_due, d); }

void doc_close_seats(struct doc *d, const char *reason)
{
    UM_LIST_EACH_SAFE(it, &d->seats)
        seat_end(UM_CONTAINER(it, struct seat, in_doc), reason, END_CLOSE_AND_ASK, 4205);
}

/* ---- seats ------------------------------------------------------------------------------------------------------ */

static void count_open(struct um_collab *e, struct um_span name, int by)
{
    pthread_mutex_lock(&e->lock);
    intptr_t n = (intptr_t)um_map_get(&e->open, name) + by;
    if (n > 0)
        um_map_put(&e->open, name, (void *)n);
    else
        um_map_remove(&e->open, name);
    pthread_mutex_unlock(&e->lock);
    count(C_CONNECTIONS, by);
}

static bool say(struct doc *d, struct seat *s, uint64_t type, struct um_span body);

/* What a new seat hears first, then the answers to what it has said meanwhile. */
static void greet(struct doc *d, struct seat *s)
{
    struct um_buf out = { 0 };
    struct um_list held;
    bool alive = true;

    if (s->bare && um_crdt_state_vector(d->crdt, &out) == UM_OK)
        seat_send_frame(s, WIRE_SYNC, SYNC_STEP1, UM_SPAN(out.data, out.len));
    um_buf_clear(&out);
    if (presence_encode_all(&d->presence, &out))
        seat_send_frame(s, WIRE_AWARENESS, NO_KIND, UM_SPAN(out.data, out.len));
    um_buf_free(&out);
    um_list_init(&held);
    um_list_splice(&held, &s->held);
    s->held_bytes = 0;
    UM_LIST_EACH_SAFE(it, &held) {
        struct held_frame *f = UM_CONTAINER(it, struct held_frame, link);
        alive = alive && say(d, s, f->type, um_bytes_span(f->body));
        um_bytes_unref(f->body);
        free(f);
    }
}

void doc_join(struct seat *s)
{
    struct hub *h = s->doc_hub;
    struct doc *d = h->draining ? NULL : doc_get(h, um_bytes_span(s->name), true);

    if (d == NULL || d->state == DOC_ENDING) {
        seat_end(s, "unavailable", END_SOCKET, 1013);
        return;
    }
    s->doc = d;
    um_list_append(&d->seats, &s->in_doc);
    d->n_seats++;
    count_open(h->engine, um_bytes_span(s->name), 1);
    rights_join(d, s);
    switch (d->state) {
    case DOC_LOADING:
        persist_load(d);
        return;
    case DOC_IDLE:
    case DOC_UNLOADING:
        um_timer_stop(h->loop, &d->unload_timer);
        doc_go(d, DOC_OPEN, "joined");
        break;
    default:
        break;
    }
    greet(d, s);
}

void doc_loaded(struct doc *d)
{
    if (d->n_seats == 0)
        become_idle(d);
    else
        doc_go(d, DOC_OPEN, "loaded");
    UM_LIST_EACH_SAFE(it, &d->seats)
        greet(d, UM_CONTAINER(it, struct seat, in_doc));
    work_run(d);
    if (d->look_again)
        elsewhere_look(d);
}

static void tell_left(const struct doc *d, const struct seat *s)
{
    const struct um_collab_service *service = d->hub->engine->hooks.service;

    if (service != NULL && service->left != NULL)
        service->left(service->ctx, d->name, &s->who);
}

void doc_leave(struct seat *s)
{
    struct doc *d = s->doc;

    if (d == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &s->held) {
        struct held_frame *f = UM_CONTAINER(it, struct held_frame, link);
        um_bytes_unref(f->body);
        free(f);
    }
    um_list_init(&s->held);
    um_list_remove(&s->in_doc);
    s->doc = NULL;
    d->n_seats--;
    count_open(d->hub->engine, um_bytes_span(s->name), -1);
    rights_leave(d, s);
    tell_left(d, s);
    outbox_forget_seat(d, s);
    persist_forget_seat(d, s);
    legs_leave(d, s);
    outbox_presence(d);
    doc_ask_contested(d);
    if (d->n_seats == 0 && d->state == DOC_OPEN)
        become_idle(d);
}

void doc_congestion(struct seat *s, bool congested)
{
    struct doc *d = s->doc;

    if (congested == s->is_behind || d->state == DOC_LOADING)
        return;
    if (!congested) {
        s->is_behind = false;
        outbox_catch_up(d, s);
        return;
    }
    if (!d->flushing)
        outbox_flush(d);                 /* what it has been sent is what the document has now */
    um_buf_clear(&s->behind_sv);
    if (um_crdt_state_vector(d->crdt, &s->behind_sv) == UM_OK) {
        s->is_behind = true;
        count(C_BEHIND, 1);
    }
}

/* ---- what a seat says ---------------------------------------------------------------------------------------------- */

static bool violation(struct seat *s)
{
    count(C_REFUSED_FRAME, 1);
    seat_end(s, "Reset Connection", END_CLOSE, 4205);
    return false;
}

static void status(struct seat *s, int ok)
{
    if (!s->bare)
        seat_send_bare(s, WIRE_SYNC_STATUS, ok);
}

static void answer_step1(struct doc *d, struct seat *s, struct um_span sv)
{
    struct um_buf own = { 0 };

    if (!s->bare && um_crdt_state_vector(d->crdt, &own) == UM_OK)
        seat_send_frame(s, WIRE_SYNC, SYNC_STEP1, UM_SPAN(own.data, own.len));
    um_buf_free(&own);
    if (outbox_send_state(d, s, sv) && s->is_leg)
        legs_mark(d, s);
}

/* Whose Yjs client is it? An update with one section is its sender's own; more may be others' work that it passes on. */
static void note_author(struct doc *d, struct seat *s, struct um_span update)
{
    struct um_reader r = um_reader(update);
    uint64_t sections = um_read_varuint(&r), client;

    um_read_varuint(&r);
    client = um_read_varuint(&r);
    if (r.failed || sections != 1 || client == s->client || s->who.user[0] == '\0')
        return;
    s->client = client;
    um_store_note_client(d->hub->engine->store, d->name, client, s->who.user);
}

/* Readers who wait for the document to open have not been greeted: they get it all then. */
static void spread(struct doc *d, struct um_span update, struct seat *s)
{
    if (d->state != DOC_LOADING)
        outbox_add(d, update, s);
}

/* Relays and stores what an update brought; S: NULL: a stock server's client wrote it. Readers get the event; the store wants
 * what was validated and nothing else: the event, or the incoming update up to its end, when a part is parked, or was known here
 * by another core's word alone (take_known). The whole state stands in where neither will do: an update with empty structs is
 * not kept as it came, and memory may have been too short for the event. */
static void spread_update(struct doc *d, struct seat *s, struct um_span update, const struct um_crdt_applied *a)
{
    struct um_crdt_update_stats stats = { 0 };
    struct um_buf whole = { 0 };
    struct um_span event = a->event, keep;
    bool as_it_came = a->pending || (d->bus.n_doubts > 0 && !a->verbatim);

    if (as_it_came && um_crdt_validate(NULL, update, &stats) != UM_OK)
        stats.empty_structs = true;
    if (((a->changed && event.len == 0) || stats.empty_structs) && um_crdt_encode(d->crdt, UM_SPAN(NULL, 0), &whole) == UM_OK)
        event = UM_SPAN(whole.data, whole.len);
    keep = !as_it_came ? event : stats.empty_structs ? UM_SPAN(whole.data, whole.len) : UM_SPAN(update.data, stats.bytes);
    if (a->changed) {
        count(C_UPDATES, 1);
        d->copy.fresh = false;
        spread(d, event, a->verbatim ? s : NULL);        /* another event may hold what had been parked, which S does not have */
    }
    if (keep.len > 0)
        persist_append(d, keep, s);
    if (keep.len > 0 && s != NULL)
        note_author(d, s, keep);
    else if (s != NULL)
        status(s, 0);                        /* no memory to keep it: the client still has it */
    um_buf_free(&whole);
}

/* What waits for missing parts is told again and again: once is enough. */
um_err doc_take_told(struct doc *d, struct um_span update, bool *changed)
{
    struct um_crdt_stats before, after;
    struct um_crdt_applied a;
    um_err err;

    um_crdt_get_stats(d->crdt, &before);
    err = um_crdt_load(d->crdt, update, &a);
    *changed = err == UM_OK && a.changed;
    if (err != UM_OK)
        return err;
    um_crdt_get_stats(d->crdt, &after);
    if (a.changed || (a.pending && after.pending_bytes != before.pending_bytes))
        spread_update(d, NULL, update, &a);
    for (size_t i = 0; i < a.n_more; i++) {
        spread(d, a.more[i], NULL);
        persist_append(d, a.more[i], NULL);
    }
    return UM_OK;
}

bool doc_takes_changes(const struct doc *d)
{
    const struct um_collab_conf *cf = &d->hub->engine->cf;

    return !d->too_large && d->unstored_bytes < (size_t)cf->unsaved_document_bytes &&
           um_metric_value(&collab_counters[C_UNSTORED]) < cf->unsaved_process_bytes;
}

/* We have it; but is it durable? What another core has told may not be: then the log gets it from us as well, if there is room
 * for it. */
static void take_known(struct doc *d, struct seat *s, struct um_span update)
{
    struct um_crdt_update_stats stats = { 0 };

    if (d->bus.n_doubts == 0)
        persist_append(d, UM_SPAN(NULL, 0), s);
    else if (doc_takes_changes(d) && um_crdt_validate(NULL, update, &stats) == UM_OK && !stats.empty_structs)
        persist_append(d, UM_SPAN(update.data, stats.bytes), s);
    else
        status(s, 0);
}

static void refuse_update(struct doc *d, struct seat *s, struct um_span update, um_err err)
{
    count(C_REFUSED_UPDATE, 1);
    um_log_limited(UM_INFO, "collab", "update refused", UM_S("doc", d->name), UM_S("user", s->who.user), UM_I("bytes", update.len),
                   UM_S("reason", um_err_text(err)));
    status(s, 0);
}

static void take_update(struct doc *d, struct seat *s, uint64_t kind, struct um_span update)
{
    struct um_crdt_applied a;
    bool known = false;
    um_err err;

    /* A Step2 leaves out what our state vector covers, and its acknowledgement is for that too: the client may have written it
     * at a core that has died before it was stored. */
    if (kind == SYNC_STEP2 && d->bus.n_doubts > 0 && doc_takes_changes(d))
        bus_store_doubts(d);
    if (!rights_let_write(d, s) || !doc_takes_changes(d)) {
        /* A Step2 that brings nothing new is acknowledged like any update: when what it holds is stored. */
        if (kind == SYNC_STEP2 && um_crdt_contains(d->crdt, update, &known) == UM_OK && known)
            take_known(d, s, update);
        else
            refuse_update(d, s, update, UM_EDENIED);
        rights_refused(s, known);
        return;
    }
    err = update.len > (size_t)d->hub->engine->cf.max_update_bytes ? UM_ELIMIT : um_crdt_apply(d->crdt, update, &a);
    if (err != UM_OK) {
        refuse_update(d, s, update, err);
        return;
    }
    if (a.changed || a.pending) {
        spread_update(d, s, update, &a);
        rights_wrote(d, s);
    } else {
        take_known(d, s, update);
    }
    if (kind == SYNC_STEP2)
        rights_took_all(d, s);
    for (size_t i = 0; i < a.n_more; i++) {
        outbox_add(d, a.more[i], NULL);
        persist_append(d, a.more[i], NULL);
    }
}

static bool take_sync(struct doc *d, struct seat *s, struct um_span body)
{
    struct um_reader r = um_reader(body);
    uint64_t kind = um_read_varuint(&r);
    struct um_span payload = um_read_varbytes(&r);

    if (r.failed || kind > SYNC_UPDATE)
        return violation(s);
    if (kind == SYNC_STEP1) {
        if (um_crdt_sv_validate(NULL, payload) != UM_OK)
            return violation(s);
        s->owed = 0;                         /* it begins to count anew */
        answer_step1(d, s, payload);
    } else {
        take_update(d, s, kind, payload);
    }
    return true;
}

/* The client was taken for gone, under CLOCK: tell it so, and it answers with a higher one. */
static void ask_presence(struct seat *s, uint64_t client, uint64_t clock)
{
    struct um_buf out = { 0 };

    if (clock <= s->asked_clock)
        return;
    s->asked_clock = clock;
    um_buf_put_varuint(&out, 1);
    um_buf_put_varuint(&out, client);
    um_buf_put_varuint(&out, clock);
    um_buf_put_varuint(&out, 4);
    um_buf_puts(&out, "null");
    seat_send_frame(s, WIRE_AWARENESS, NO_KIND, UM_SPAN(out.data, out.len));
    seat_send_bare(s, WIRE_QUERY_AWARENESS, NO_KIND);
    um_buf_free(&out);
}

void doc_ask_contested(struct doc *d)
{
    const void *who;
    uint64_t client, clock;

    while (presence_take_contested(&d->presence, &who, &client, &clock)) {
        UM_LIST_EACH(it, &d->seats) {
            struct seat *s = UM_CONTAINER(it, struct seat, in_doc);
            if (s == who) {
                ask_presence(s, client, clock);
                break;
            }
        }
    }
}

bool doc_take_presence(struct doc *d, struct seat *s, struct um_span body, bool is_vouched)
{
    const struct um_collab_conf *cf = &d->hub->engine->cf;
    struct presence_limits limits = { cf->max_presence_state, cf->max_presence_ids, cf->max_presence_ids_document };
    struct um_reader r = um_reader(body);
    struct um_span update = um_read_varbytes(&r);
    struct presence_speaker by = { .who = s, .user = cf->presence_bind ? s->who.user : NULL, .is_vouched = is_vouched };
    struct presence_result result;
    um_err err;

    if (r.failed)
        return violation(s);
    err = update.len > (size_t)cf->max_presence_frame
              ? UM_ELIMIT
              : presence_apply(&d->presence, update, &by, um_loop_now_ms(d->hub->loop), &limits, &result);
    if (err == UM_EPROTO)
        return violation(s);
    if (err != UM_OK) {
        count(C_LIMIT_HIT, 1);           /* dropped: presence promises nothing */
        return true;
    }
    if (result.accepted > 0 || is_vouched)
        outbox_presence(d);
    if (result.needs_query)
        ask_presence(s, result.query_client, result.query_clock);
    doc_ask_contested(d);
    return true;
}

static bool take_stateless(struct doc *d, struct seat *s, struct um_span body)
{
    struct um_reader r = um_reader(body);
    struct um_span text = um_read_varbytes(&r);

    if (r.failed || !um_utf8_is_valid(text.data, text.len))
        return violation(s);
    if (text.len > (size_t)d->hub->engine->cf.max_stateless)
        count(C_LIMIT_HIT, 1);
    return true;                         /* nothing is relayed by itself */
}

/* False: the seat has ended. */
static bool say(struct doc *d, struct seat *s, uint64_t type, struct um_span body)
{
    switch (type) {
    case WIRE_SYNC:
    case WIRE_SYNC_REPLY:
        return take_sync(d, s, body);
    case WIRE_AWARENESS:
        return doc_take_presence(d, s, body, false);
    case WIRE_STATELESS:
        return take_stateless(d, s, body);
    case WIRE_LEG:
        return !s->is_leg || legs_hear(d, s, body);
    default:
        return true;                     /* as stock: other types from a client are ignored */
    }
}

void doc_say(struct seat *s, uint64_t type, struct um_span body)
{
    struct doc *d = s->doc;
    size_t cost = sizeof(struct held_frame) + body.len;          /* most frames are small */

    if (d->state != DOC_LOADING) {
        say(d, s, type, body);
        return;
    }
    struct held_frame *f = um_xcalloc(1, sizeof(*f));
    f->type = type;
    f->body = s->held_bytes + cost > (size_t)d->hub->engine->cf.max_queued_bytes ? NULL : um_bytes_dup(body.data, body.len);
    if (f->body == NULL) {
        free(f);
        count(C_LIMIT_HIT, 1);
        seat_end(s, "Reset Connection", END_SOCKET, 4205);
        return;
    }
    s->held_bytes += cost;
    um_list_append(&s->held, &f->link);
}

size_t doc_rest(struct doc *d, int64_t now_ms)
{
    bool may = (d->state == DOC_OPEN || d->state == DOC_IDLE) && persist_is_settled(d) && !um_crdt_is_cold(d->crdt);
    struct um_crdt_stats stats;

    if (!may || now_ms - UM_MAX(d->last_change_ms, d->since_ms) < d->hub->engine->cf.rest_after_ms)
        return 0;
    um_crdt_get_stats(d->crdt, &stats);
    if (um_crdt_freeze(d->crdt) == UM_OK) {
        count(C_RESTS, 1);
        outbox_drop_copy(d);                 /* the state itself will do */
    }
    return stats.encoded_bytes;
}

void doc_presence_sweep(struct doc *d, int64_t now_ms, int64_t age_ms)
{
    if (presence_expire(&d->presence, now_ms, age_ms)) {
        outbox_presence(d);
        doc_ask_contested(d);
    }
}
