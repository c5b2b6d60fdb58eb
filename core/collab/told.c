/* Changes as a service outside is told of them: some at a time, when there was none for a while, or after the longest while.
 *
 *   change --> mark in the store --> append --> another --> ... quiet, or long enough --> telling --all of them stored--> told, no mark
 *
 * 1. No change is appended before a mark is in the store: when this process dies, another finds the mark and tells.
 * 2. What comes after a telling has begun needs a mark of its own, so a telling has an end under constant typing too.
 * 3. A telling is given to the store when all appends that its mark was for are in it: whoever reads the document then
 *    finds them. It is repeated until the store has it. */
#include <stdlib.h>
#include <umbel/util.h>
#include "internal.h"

enum { RETRY_MS = 500 };

struct telling {
    struct um_list link;                 /* in told.tellings */
    struct doc *doc;
    int64_t token;
    uint64_t upto;                       /* the last append that it is for */
    struct um_collab_identity who;
    bool asked, failed;
};

static const struct um_collab_service *service_of(const struct doc *d)
{
    const struct um_collab_service *s = d->hub->engine->hooks.service;

    return s != NULL && s->mark != NULL ? s : NULL;
}

void told_init(struct doc *d) { um_list_init(&d->told.tellings); }

/* ---- telling ---- */

static void telling_free(struct telling *t)
{
    um_list_remove(&t->link);
    identity_drop(&t->who);
    free(t);
}

static void retry(void *arg) { told_stored(arg); }

static void on_told(void *arg, um_err err)
{
    struct telling *t = arg;
    struct doc *d = t->doc;

    t->asked = false;
    t->failed = err != UM_OK && d->state != DOC_ENDING;
    if (t->failed) {
        um_log_limited(UM_ERROR, "collab", "a change could not be noted for who is told of it", UM_S("doc", d->name), UM_S("reason", um_err_text(err)));
        um_timer_set(d->hub->loop, &d->told.retry, RETRY_MS, retry, d);
        return;
    }
    telling_free(t);
    doc_settle(d);
}

static bool is_stored(const struct doc *d, uint64_t upto)
{
    return um_list_is_empty(&d->pending) || UM_CONTAINER(d->pending.next, struct pending, link)->nth > upto;
}

void told_stored(struct doc *d)
{
    const struct um_collab_service *s = service_of(d);

    UM_LIST_EACH_SAFE(it, &d->told.tellings) {
        struct telling *t = UM_CONTAINER(it, struct telling, link);

        if (t->asked || !is_stored(d, t->upto))
            continue;
        t->asked = true;
        s->tell(s->ctx, d->hub->loop, d->name, &t->who, t->token, on_told, t);
    }
}

/* The mark holds for no further change. */
static void begin_telling(struct doc *d)
{
    struct told *t = &d->told;
    struct telling *telling = um_xcalloc(1, sizeof(*telling));

    *telling = (struct telling){ .doc = d, .token = t->token, .upto = t->n_appends };
    identity_copy(&telling->who, &t->who);
    um_list_append(&t->tellings, &telling->link);
    t->token = 0;
    um_timer_stop(d->hub->loop, &t->timer);
    told_stored(d);
}

/* ---- when ---- */

static void tell_due(void *arg);

static void tell_later(struct doc *d)
{
    const struct um_collab_service *s = service_of(d);
    struct told *t = &d->told;
    int64_t now = um_loop_now_ms(d->hub->loop), due = UM_MIN(t->last_ms + s->tell_after_ms, t->marked_ms + s->tell_by_ms);

    um_timer_set(d->hub->loop, &t->timer, UM_MAX(due - now, 0), tell_due, d);
}

static void tell_due(void *arg)
{
    struct doc *d = arg;
    const struct told *t = &d->told;

    if (t->token == 0 || t->marking)
        return;
    if (um_loop_now_ms(d->hub->loop) < UM_MIN(t->last_ms + service_of(d)->tell_after_ms, t->marked_ms + service_of(d)->tell_by_ms))
        tell_later(d);
    else
        begin_telling(d);
}

void told_hurry(struct doc *d)
{
    if (d->told.token != 0 && !d->told.marking)
        begin_telling(d);
}

/* ---- marks ---- */

static void on_marked(void *arg, um_err err)
{
    struct doc *d = arg;
    struct told *t = &d->told;

    t->marking = false;
    if (d->state == DOC_ENDING || err != UM_OK)
        t->token = 0;
    if (d->state == DOC_ENDING) {
        doc_settle(d);
    } else if (err != UM_OK) {
        um_log_limited(UM_ERROR, "collab", "a change could not be marked for who is told of it", UM_S("doc", d->name), UM_S("reason", um_err_text(err)));
        persist_retry_later(d);
    } else {
        tell_later(d);
        persist_submit_waiting(d);
        doc_settle(d);
    }
}

bool told_may_append(struct doc *d)
{
    const struct um_collab_service *s = service_of(d);
    struct told *t = &d->told;

    if (s == NULL)
        return true;
    if (t->marking)
        return false;
    if (t->token != 0 && um_loop_now_ms(d->hub->loop) >= t->marked_ms + s->tell_by_ms)
        begin_telling(d);                    /* the timer is late */
    if (t->token != 0)
        return true;
    t->token = (int64_t)(um_random_u64() >> 1) | 1;
    t->marked_ms = um_loop_now_ms(d->hub->loop);
    t->marking = true;
    s->mark(s->ctx, d->hub->loop, d->name, &t->who, t->token, on_marked, d);
    return false;
}

void told_note(struct doc *d, struct pending *p)
{
    struct told *t = &d->told;

    if (service_of(d) == NULL)
        return;
    p->nth = p->bytes != NULL ? ++t->n_appends : t->n_appends;
    if (p->bytes == NULL)
        return;
    t->last_ms = um_loop_now_ms(d->hub->loop);
    identity_drop(&t->who);
    t->who = (struct um_collab_identity){ 0 };
    if (p->seat != NULL)
        identity_copy(&t->who, &p->seat->who);
    else
        snprintf(t->who.user, sizeof(t->who.user), "%s", p->user);
}

/* ---- ends ---- */

void told_give_up(struct doc *d)
{
    UM_LIST_EACH_SAFE(it, &d->told.tellings) {
        struct telling *t = UM_CONTAINER(it, struct telling, link);
        if (!t->asked)
            telling_free(t);
    }
    um_timer_stop(d->hub->loop, &d->told.timer);
    um_timer_stop(d->hub->loop, &d->told.retry);
    if (!d->told.marking)
        d->told.token = 0;
}

bool told_is_asking(const struct doc *d) { return d->told.marking || !um_list_is_empty(&d->told.tellings); }
bool told_is_settled(const struct doc *d) { return d->told.token == 0 && !told_is_asking(d); }

void told_free(struct doc *d)
{
    um_timer_stop(d->hub->loop, &d->told.timer);
    um_timer_stop(d->hub->loop, &d->told.retry);
    identity_drop(&d->told.who);
}
