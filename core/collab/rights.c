/* What a reservation takes from a seat, and gives back: while somebody else holds the document, a seat that its token lets
 * write may only read.
 *
 * 1. The right is judged when a seat joins, at every order of um_collab_reservation_changed, and before a change when the last
 *    judgement is out of date; so a reactor that stood still believes nothing old.
 * 2. A seat is told what changes, by the protocol's own word: Authenticated, with scope "readonly" or "read-write".
 * 3. What it wrote meanwhile was answered "not stored" and is still its own. When it may write again it is asked for it by
 *    Step1, and the Step2 that brings it acknowledges all of them: a provider counts acknowledgements. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

enum { TELL_EVERY_MS = 1000, OWED_MAX = 1000 };

static const struct um_collab_hooks *hooks_of(const struct doc *d) { return &d->hub->engine->hooks; }

bool rights_may_change(const struct um_collab *e, const char *document, const char *user, int64_t *until_ms)
{
    *until_ms = INT64_MAX;
    return e->hooks.may_change == NULL || e->hooks.may_change(e->hooks.ctx, document, user, until_ms);
}

static void ask_for_withheld(struct doc *d, struct seat *s)
{
    struct um_buf sv = { 0 };

    if (d->state != DOC_LOADING && (s->owed > 0 || s->bare) && um_crdt_state_vector(d->crdt, &sv) == UM_OK)
        seat_send_frame(s, WIRE_SYNC, SYNC_STEP1, UM_SPAN(sv.data, sv.len));
    um_buf_free(&sv);
}

static void judge(struct doc *d, struct seat *s)
{
    bool held_back = !rights_may_change(d->hub->engine, d->name, s->who.user, &s->judged_until_ms) || s->right < UM_COLLAB_WRITE;

    if (held_back == s->held_back)
        return;
    s->held_back = held_back;
    if (s->who.read_only)
        return;
    if (!s->bare)
        seat_send_frame(s, WIRE_AUTH, AUTH_OK, UM_SPAN_STR(held_back ? "readonly" : "read-write"));
    if (!held_back)
        ask_for_withheld(d, s);
}

/* ---- who can write here ---- */

static void count_writer(struct doc *d, struct seat *s, int by)
{
    struct um_span key = UM_SPAN(s->who.user, strlen(s->who.user) + 1);
    intptr_t n;

    if (s->who.read_only || hooks_of(d)->editing == NULL)
        return;
    n = (intptr_t)um_map_get(&d->writers, key) + by;
    if (n > 0)
        um_map_put(&d->writers, key, (void *)n);
    else
        um_map_remove(&d->writers, key);
    if (by > 0 ? n == 1 : n == 0)
        hooks_of(d)->editing(hooks_of(d)->ctx, d->name, s->who.user, by > 0);
}

void rights_join(struct doc *d, struct seat *s)
{
    count_writer(d, s, 1);
    judge(d, s);
}

void rights_leave(struct doc *d, struct seat *s)
{
    judge_forget(s->judging);
    s->judging = NULL;
    count_writer(d, s, -1);
}

/* ---- a change ---- */

bool rights_let_write(struct doc *d, struct seat *s)
{
    if (um_loop_now_ms(d->hub->loop) > s->judged_until_ms)
        judge(d, s);
    return !s->who.read_only && !s->held_back;
}

void rights_refused(struct seat *s, bool known)
{
    if (!known && s->held_back && !s->who.read_only && s->owed < (s->is_leg ? 1 : OWED_MAX))       /* a gateway counts itself */
        s->owed++;
}

void rights_wrote(struct doc *d, struct seat *s)
{
    int64_t now = um_loop_now_ms(d->hub->loop);

    if (s->judged_until_ms == INT64_MAX || now - s->told_wrote_ms < TELL_EVERY_MS || hooks_of(d)->changed == NULL)
        return;
    s->told_wrote_ms = now;
    hooks_of(d)->changed(hooks_of(d)->ctx, d->name, s->who.user);
}

void rights_took_all(struct doc *d, struct seat *s)
{
    for (; s->owed > 1; s->owed--)           /* the Step2's own acknowledgement is one */
        persist_append(d, UM_SPAN(NULL, 0), s);
    s->owed = 0;
}

/* ---- the document's own rights ---- */

static void judge_right(struct doc *d, struct seat *s);

static void on_right(void *subject, enum um_collab_right right)
{
    struct seat *s = subject;
    struct doc *d = s->doc;
    bool again = s->judge_again;

    s->judging = NULL;
    s->judge_again = false;
    s->right = right;
    if (right == UM_COLLAB_UNKNOWN) {
        seat_end(s, "unavailable", END_SOCKET, 1013);
        return;
    }
    if (right == UM_COLLAB_NONE) {
        seat_end(s, "permission-denied", END_CLOSE, CLOSE_DENIED);
        return;
    }
    judge(d, s);
    if (again)
        judge_right(d, s);
}

static void judge_right(struct doc *d, struct seat *s)
{
    if (s->judging != NULL)
        s->judge_again = true;               /* the answer on its way may be older than the change */
    else
        s->judging = judge_ask(d->hub, UM_SPAN_STR(d->name), &s->who, false, on_right, s);
}

struct again { struct hub *hub; char *prefix; };

static void run_again(void *arg)
{
    struct again *a = arg;

    UM_LIST_EACH(it, &a->hub->all_docs) {
        struct doc *d = UM_CONTAINER(it, struct doc, link);

        if (strncmp(d->name, a->prefix, strlen(a->prefix)) != 0)
            continue;
        UM_LIST_EACH(at, &d->seats)
            judge_right(d, UM_CONTAINER(at, struct seat, in_doc));
    }
    free(a->prefix);
    free(a);
}

void um_collab_judge_again(struct um_collab *c, const char *prefix)
{
    for (unsigned i = 0; i < c->n_hubs; i++) {
        struct again *a = um_xmalloc(sizeof(*a));

        *a = (struct again){ &c->hubs[i], um_xstrdup(prefix) };
        um_loop_call(c->hubs[i].loop, run_again, a);
    }
}

/* ---- orders ---- */

struct order {
    struct hub *hub;
    char *document, *note;
};

static void run_order(void *arg)
{
    struct order *o = arg;
    struct doc *d = doc_get(o->hub, UM_SPAN_STR(o->document), false);

    if (d != NULL)
        UM_LIST_EACH_SAFE(it, &d->seats) {
            struct seat *s = UM_CONTAINER(it, struct seat, in_doc);

            judge(d, s);
            if (o->note != NULL && !s->bare)
                seat_send_frame(s, WIRE_STATELESS, NO_KIND, UM_SPAN_STR(o->note));
        }
    free(o->document);
    free(o->note);
    free(o);
}

void um_collab_reservation_changed(struct um_collab *c, const char *document, const char *note)
{
    struct order *o = um_xcalloc(1, sizeof(*o));

    o->hub = hub_of_document(c, UM_SPAN_STR(document));
    o->document = um_xstrdup(document);
    o->note = note != NULL ? um_xstrdup(note) : NULL;
    um_loop_call(o->hub->loop, run_order, o);
}
