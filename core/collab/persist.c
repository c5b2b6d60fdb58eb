/* A document and the store: loading, the change log, acknowledgements, folding.
 *
 * Invariants
 *  1. A positive SyncStatus is sent when its update's append, and all appends before it, have been committed.
 *  2. A failed append is repeated until it succeeds or the document was deleted; meanwhile its bytes count as unstored.
 *  3. A fold names the version it replaces: an older state never replaces a newer one. */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include "internal.h"

#define RETRY_FIRST_MS 100
#define RETRY_LAST_MS 1000               /* what waits is stored within 3 s of the store's return, its own reconnecting included */
#define FOLD_RETRY_MS 1000

/* ---- acknowledging ----------------------------------------------------------------------------------------------- */

static void acknowledge(struct doc *d, struct seat *s)
{
    if (s->bare || UM_FAILPOINT("edit.before_ack"))
        return;
    count(C_ACKS, 1);
    if (s->has_session) {
        seat_send_bare(s, WIRE_SYNC_STATUS, 1);
        return;
    }
    if (d->ack_plain == NULL)
        d->ack_plain = msg_make_empty((struct wire_addr){ um_bytes_span(d->plain_addr) }, WIRE_SYNC_STATUS, 1);
    seat_send(s, d->ack_plain);
}

static void drop(struct pending *p)
{
    struct doc *d = p->doc;

    if (p->bytes != NULL && !p->stored) {
        d->unstored_bytes -= p->bytes->len;
        count(C_UNSTORED, -(int64_t)p->bytes->len);
    }
    if (p->work != NULL)
        work_finish(p->work, p->stored ? UM_OK : p->refused ? UM_ENOTFOUND : UM_EUNAVAIL);
    um_list_remove(&p->link);
    um_bytes_unref(p->bytes);
    free(p);
}

static void acknowledge_what_is_stored(struct doc *d)
{
    while (!um_list_is_empty(&d->pending)) {
        struct pending *p = UM_CONTAINER(d->pending.next, struct pending, link);
        if (!p->stored)
            break;
        if (p->seat != NULL)
            acknowledge(d, p->seat);
        drop(p);
    }
    d->hub->bus.ops->stored(d);
    told_stored(d);
}

/* By workers, who need not have it open (folder.h). */
static bool is_folded_elsewhere(const struct doc *d) { return d->hub->folder != NULL && !d->hub->engine->cf.works; }
static bool is_folded(const struct doc *d) { return d->last_seq == d->folded_seq && !d->overwritten; }

/* ---- appending -------------------------------------------------------------------------------------------------------- */

static void append_done(void *arg, um_err err, uint64_t seq);

/* What is to be told of is not appended before its mark: it waits as if it had failed. */
static void submit(struct pending *p)
{
    p->failed = !told_may_append(p->doc);
    if (p->failed)
        return;
    um_store_append(p->doc->hub->engine->store, p->doc->hub->loop, p->doc->name, p->bytes, p->user, append_done, p);
}

size_t persist_submit_waiting(struct doc *d)
{
    size_t n = 0;

    UM_LIST_EACH(it, &d->pending) {
        struct pending *p = UM_CONTAINER(it, struct pending, link);
        if (!p->failed)
            continue;
        submit(p);
        n++;
    }
    return n;
}

static void retry(void *arg) { count(C_STORE_RETRIES, (int64_t)persist_submit_waiting(arg)); }

void persist_retry_later(struct doc *d)
{
    if (um_timer_is_set(&d->retry_timer))
        return;
    d->retry_ms = d->retry_ms ? UM_MIN(d->retry_ms * 2, RETRY_LAST_MS) : RETRY_FIRST_MS;
    um_timer_set(d->hub->loop, &d->retry_timer, d->retry_ms, retry, d);
}

/* Numbers that follow one another are all ours; a gap holds what others wrote. */
static void note_number(struct doc *d, uint64_t seq)
{
    d->own_seq = UM_MAX(d->own_seq, seq);
    if (seq == d->last_seq + 1)
        d->last_seq = seq;
    else if (seq > d->last_seq)
        elsewhere_note_gap(d);
}

static void append_done(void *arg, um_err err, uint64_t seq)
{
    struct pending *p = arg;
    struct doc *d = p->doc;

    if (d->state == DOC_ENDING) {
        drop(p);
    } else if (err == UM_OK) {
        p->stored = d->exists = true;
        d->retry_ms = 0;
        d->unstored_bytes -= p->bytes->len;
        count(C_UNSTORED, -(int64_t)p->bytes->len);
        d->log_rows++;
        d->log_bytes += p->bytes->len;
        note_number(d, seq);
        if (!is_folded(d) && !d->fold_running && !um_timer_is_set(&d->fold_timer))
            persist_changed(d);              /* the commit took longer than the debounce, which found nothing to fold */
        acknowledge_what_is_stored(d);
    } else if (err == UM_EDENIED) {
        p->refused = true;
        drop(p);
        doc_end(d, "deleted", END_CLOSE, 4500);
        return;
    } else {
        p->failed = true;
        um_log_limited(UM_ERROR, "collab", "append failed", UM_S("doc", d->name), UM_S("reason", um_err_text(err)),
                       UM_I("unstored", d->unstored_bytes));
        persist_retry_later(d);
    }
    doc_settle(d);
}

/* BYTES: none: what waits only for what is in front of it. */
static void wait_for_store(struct doc *d, struct um_span bytes, struct seat *s, struct work *w)
{
    struct pending *p = um_xcalloc(1, sizeof(*p));

    p->doc = d;
    p->seat = s;
    p->work = w;
    p->stored = bytes.len == 0;
    if (bytes.len > 0) {
        p->bytes = um_bytes_dup(bytes.data, bytes.len);
        UM_ASSERT(p->bytes != NULL);     /* an applied update that cannot be kept: the process is of no use any more */
        d->unstored_bytes += bytes.len;
        p->number = bus_append(d, bytes);
        count(C_UNSTORED, (int64_t)bytes.len);
        snprintf(p->user, sizeof(p->user), "%s", s != NULL ? s->who.user : w != NULL ? work_user(w) : "");
    }
    um_list_append(&d->pending, &p->link);
    told_note(d, p);
    if (p->bytes != NULL) {
        submit(p);
        persist_changed(d);
    }
}

void persist_append_work(struct doc *d, struct um_span bytes, struct work *w) { wait_for_store(d, bytes, NULL, w); }

void persist_append(struct doc *d, struct um_span bytes, struct seat *s)
{
    bool at_once = d->hub->engine->cf.ack == UM_COLLAB_MEMORY;

    if (s != NULL && (at_once || (bytes.len == 0 && um_list_is_empty(&d->pending)))) {
        acknowledge(d, s);
        s = NULL;
    }
    if (bytes.len == 0 && s == NULL)
        return;
    wait_for_store(d, bytes, s, NULL);
}

void persist_forget_seat(struct doc *d, const struct seat *s)
{
    UM_LIST_EACH(it, &d->pending) {
        struct pending *p = UM_CONTAINER(it, struct pending, link);
        if (p->seat == s)
            p->seat = NULL;
    }
}

/* Whatever waits behind something that failed would wait for ever. */
void persist_give_up(struct doc *d)
{
    um_timer_stop(d->hub->loop, &d->retry_timer);
    um_timer_stop(d->hub->loop, &d->fold_timer);
    UM_LIST_EACH_SAFE(it, &d->pending) {
        struct pending *p = UM_CONTAINER(it, struct pending, link);
        if (p->stored || p->failed)
            drop(p);
    }
}

/* ---- folding ------------------------------------------------------------------------------------------------------------- */

static void judge_size(struct doc *d)
{
    struct um_crdt_stats stats;

    um_crdt_get_stats(d->crdt, &stats);
    d->too_large = stats.encoded_bytes > (size_t)d->hub->engine->cf.max_document_bytes;
}

static void fold_due(void *arg)
{
    struct doc *d = arg;
    const struct um_collab_conf *cf = &d->hub->engine->cf;
    int64_t now = um_loop_now_ms(d->hub->loop);
    struct um_crdt_stats stats;

    if (d->state == DOC_LOADING) {           /* still waits for other cores */
        um_timer_set(d->hub->loop, &d->fold_timer, FOLD_RETRY_MS, fold_due, d);
        return;
    }
    judge_size(d);
    um_crdt_get_stats(d->crdt, &stats);
    bool quiet = now - d->last_change_ms >= cf->debounce_ms;
    bool worth = d->log_rows >= (size_t)cf->fold_rows || d->log_bytes * 8 >= stats.encoded_bytes ||
                 now - d->first_unfolded_ms >= cf->fold_max_age_ms;
    if (is_folded(d))                        /* another core has, while ours failed: there may be nothing left to do */
        doc_settle(d);
    else if (quiet || worth)
        persist_fold_now(d);
    else
        um_timer_set(d->hub->loop, &d->fold_timer, cf->max_debounce_ms, fold_due, d);
}

/* After the debounce without a change, or at the longest debounce since the first unfolded one. */
void persist_changed(struct doc *d)
{
    const struct um_collab_conf *cf = &d->hub->engine->cf;
    int64_t now = um_loop_now_ms(d->hub->loop), wait;

    d->last_change_ms = now;
    if (d->first_unfolded_ms == 0)
        d->first_unfolded_ms = now;
    wait = UM_MIN(cf->debounce_ms, UM_MAX(cf->max_debounce_ms - (now - d->first_unfolded_ms), 0));
    if (!um_timer_is_set(&d->fold_timer) || (wait == cf->debounce_ms && d->fold_timer.at_ms < now + wait / 2))
        um_timer_set(d->hub->loop, &d->fold_timer, wait, fold_due, d);
}

static void fold_overtaken(void *arg, um_err err, const struct um_store_loaded *doc);

static void tell_folded(struct doc *d, struct um_bytes *state)
{
    const struct um_collab_hooks *hooks = &d->hub->engine->hooks;

    if (hooks->folded != NULL && state != NULL)
        hooks->folded(hooks->ctx, d->hub->loop, d->name, state);
}

static void fold_done(void *arg, um_err err, uint64_t version)
{
    struct doc *d = arg;
    struct um_bytes *state = d->fold_state;

    d->fold_state = NULL;
    d->fold_running = false;
    d->hub->bus.ops->folded(d);
    if (err == UM_OK)
        tell_folded(d, state);
    um_bytes_unref(state);
    if (err == UM_OK) {
        count(C_FOLDS, 1);
        d->overwritten = false;
        d->version = version;
        d->folded_seq = d->fold_upto;
        d->log_rows = (size_t)(d->last_seq - d->folded_seq);
        d->log_bytes -= d->fold_bytes;
        d->first_unfolded_ms = d->log_rows ? um_loop_now_ms(d->hub->loop) : 0;
        if (d->log_rows > 0 && !um_timer_is_set(&d->fold_timer))
            persist_changed(d);
    } else if (err == UM_ECONFLICT && d->state != DOC_ENDING) {
        count(C_FOLD_CONFLICTS, 1);
        d->fold_running = true;
        um_store_load(d->hub->engine->store, d->hub->loop, d->name, fold_overtaken, d);
        return;
    } else if (err == UM_EDENIED || err == UM_ENOTFOUND) {
        doc_end(d, "deleted", END_CLOSE, 4500);
        return;
    } else if (d->state != DOC_ENDING) {
        um_log_limited(UM_ERROR, "collab", "fold failed", UM_S("doc", d->name), UM_S("reason", um_err_text(err)));
        um_timer_set(d->hub->loop, &d->fold_timer, FOLD_RETRY_MS, fold_due, d);
        if (d->state == DOC_UNLOADING)
            return;                      /* the timer tries again; settling now would spin */
    }
    doc_settle(d);
}

/* As far as we are concerned, it is folded then. */
static void offer_fold(struct doc *d)
{
    um_timer_stop(d->hub->loop, &d->fold_timer);
    if (!folder_offer(d->hub->folder, d->name)) {
        um_timer_set(d->hub->loop, &d->fold_timer, FOLD_RETRY_MS, fold_due, d);
        return;
    }
    d->folded_seq = d->last_seq;
    d->log_rows = d->log_bytes = 0;
    d->first_unfolded_ms = 0;
    d->overwritten = false;
}

void persist_fold_now(struct doc *d)
{
    if (is_folded_elsewhere(d) && !is_folded(d) && d->state != DOC_ENDING && d->state != DOC_LOADING) {
        offer_fold(d);
        return;
    }
    if (d->fold_running || is_folded(d) || d->state == DOC_ENDING || d->state == DOC_LOADING)
        return;
    um_timer_stop(d->hub->loop, &d->fold_timer);
    d->fold_running = true;
    if (d->hub->bus.ops->fold(d))
        persist_fold_go(d);
}

static void give_fold_up(struct doc *d)
{
    d->fold_running = false;
    d->hub->bus.ops->folded(d);
    if (d->state != DOC_ENDING)
        um_timer_set(d->hub->loop, &d->fold_timer, FOLD_RETRY_MS, fold_due, d);
    else
        doc_settle(d);
}

void persist_fold_go(struct doc *d)
{
    struct um_bytes *state;

    if (d->state == DOC_ENDING || um_crdt_encode_shared(d->crdt, &state) != UM_OK) {
        give_fold_up(d);
        return;
    }
    d->fold_upto = d->last_seq;
    d->fold_bytes = d->log_bytes;
    d->fold_state = state;
    um_store_fold(d->hub->engine->store, d->hub->loop, d->name, state, d->last_seq, d->version, fold_done, d);
}

/* ---- loading ------------------------------------------------------------------------------------------------------------------ */

um_err persist_take(struct doc *d, const struct um_store_loaded *doc, bool relay)
{
    for (size_t i = 0; i <= doc->n_updates; i++) {
        struct um_span bytes = i == 0 ? (doc->state ? um_bytes_span(doc->state) : UM_SPAN(NULL, 0)) : doc->updates[i - 1].bytes;
        struct um_crdt_applied a;
        um_err err;
        if (bytes.len == 0)
            continue;
        if (i == 0 && !relay) {          /* stays cold when there is no more */
            if ((err = um_crdt_open(d->crdt, doc->state)) != UM_OK)
                return err;
            continue;
        }
        if ((err = um_crdt_load(d->crdt, bytes, &a)) != UM_OK)
            return err;
        if (relay)
            outbox_applied(d, &a, NULL);
    }
    if (!relay || doc->state != NULL) {  /* a version that was not read must not be replaced by us: its fold will conflict */
        d->version = doc->version;
        d->folded_seq = doc->folded_seq;
    }
    d->exists |= doc->exists;
    d->last_seq = UM_MAX(d->last_seq, doc->last_seq);
    d->log_rows = (size_t)(d->last_seq - d->folded_seq);
    return UM_OK;
}

static void fold_overtaken(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct doc *d = arg;

    d->fold_running = false;
    if (err == UM_OK && doc->deleted) {
        doc_end(d, "deleted", END_CLOSE, 4500);
        return;
    }
    if (err == UM_OK)
        err = persist_take(d, doc, true);
    if (err != UM_OK && d->state != DOC_ENDING) {
        um_timer_set(d->hub->loop, &d->fold_timer, FOLD_RETRY_MS, fold_due, d);
        return;
    }
    persist_fold_now(d);
    doc_settle(d);                       /* the other's fold may have left nothing to do */
}

static void load_done(void *arg, um_err err, const struct um_store_loaded *doc);

static void load(struct doc *d) { um_store_load(d->hub->engine->store, d->hub->loop, d->name, load_done, d); }

/* Whoever was first: what the document begins with is in the store now. */
static void begun(void *arg, um_err err, uint64_t version)
{
    struct doc *d = arg;

    (void)version;
    if (err != UM_OK && err != UM_ECONFLICT)
        um_log_limited(UM_ERROR, "collab", "what a document begins with was not stored", UM_S("doc", d->name), UM_S("reason", um_err_text(err)));
    load(d);
}

static void on_begin(void *arg, struct um_bytes *state)
{
    struct doc *d = arg;

    if (state != NULL && d->state != DOC_ENDING)
        um_store_fold(d->hub->engine->store, d->hub->loop, d->name, state, d->last_seq, d->version, begun, d);
    else
        load(d);
}

/* A document without content is given what a service says it begins with, by a fold of its own: of several cores one is first, and
 * all read what that one has written. */
static bool begins(struct doc *d, const struct um_store_loaded *doc)
{
    static const struct um_collab_identity nobody;
    const struct um_collab_service *s = d->hub->engine->hooks.service;
    const struct seat *first = um_list_is_empty(&d->seats) ? NULL : UM_CONTAINER(d->seats.next, struct seat, in_doc);

    if (s == NULL || s->begin == NULL || d->begun || doc->state != NULL || doc->n_updates > 0)
        return false;
    d->begun = true;
    d->version = doc->version;
    d->last_seq = doc->last_seq;
    return s->begin(s->ctx, d->hub->loop, d->name, first != NULL ? &first->who : &nobody, on_begin, d);
}

static void load_done(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct doc *d = arg;

    if (err == UM_OK && !doc->deleted && d->state != DOC_ENDING && begins(d, doc))
        return;
    d->loading = false;
    if (d->state == DOC_ENDING) {
        doc_settle(d);
        return;
    }
    if (err == UM_OK && doc->deleted) {
        doc_end(d, "deleted", END_CLOSE, 4500);
        return;
    }
    if (err == UM_OK)
        err = persist_take(d, doc, false);
    if (err == UM_OK) {
        judge_size(d);
        if (d->last_seq > d->folded_seq)
            persist_changed(d);
        if (!d->hub->bus.ops->loaded(d))
            doc_loaded(d);
        return;
    }
    count(C_LOAD_FAILURES, 1);
    um_log_limited(UM_ERROR, "collab", "document cannot be loaded", UM_S("doc", d->name), UM_S("reason", um_err_text(err)));
    if (err == UM_ECORRUPT || err == UM_EPROTO || err == UM_ELIMIT)
        doc_end(d, "load-failed", END_CLOSE, 4500);
    else
        doc_end(d, "unavailable", END_SOCKET, 1013);     /* the world's trouble: the client comes back */
}

void persist_load(struct doc *d)
{
    if (d->loading || d->bus.loaded)
        return;                          /* one load, however many wait for it, and for the other cores after it */
    d->loading = true;
    load(d);
}

bool persist_is_settled(const struct doc *d)
{
    return um_list_is_empty(&d->pending) && !d->fold_running && !d->catching_up && (is_folded(d) || is_folded_elsewhere(d)) &&
           d->own_seq <= d->last_seq && told_is_settled(d);
}

void persist_free(struct doc *d)
{
    um_timer_stop(d->hub->loop, &d->fold_timer);
    um_timer_stop(d->hub->loop, &d->retry_timer);
    um_bytes_unref(d->fold_state);
}
