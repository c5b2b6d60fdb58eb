/* Reservations, for who else asks: the core's own writes of documents, the engine's questions, and the news that goes to editors. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain.h>
#include <umbel/util.h>
#include "bodies.h"
#include "internal.h"
#include "reservations.h"

/* ---- the core's own writes ---- */

struct guarded {
    struct later *later;                     /* its text: the caller's session */
    um_http_handler *then;
    int64_t claimed;                         /* X-Reservation-Token; 0: none */
};

static void refuse_write(struct um_http_req *rq, const struct um_rest *r, const struct um_store_reserved *row)
{
    char scope[UM_DOMAIN_SCOPE_MAX + 1];
    const char *id;

    if (!um_domain_shared_parts(r->deps.domain, row->id, scope, &id))
        id = row->id;
    um_http_reply_error_with(rq, 423, "U00423", "somebody else has reserved it, or your reservation is over",
                             json_pack("{s:[{s:s, s:s, s:s, s:b}]}", "reservations", "category", row->category, "id", id, "user",
                                       row->user, "editing", 0));
}

/* The user counts, unless the request names its reservation. */
static bool lets_write(const struct um_store_reserved *row, const char *user, const char *session, int64_t claimed)
{
    bool is_held = *row->session != '\0' && row->left_ms > 0;

    if (claimed > 0)
        return is_held && row->token == (uint64_t)claimed && strcmp(row->session, session) == 0;
    return !is_held || strcmp(row->user, user) == 0;
}

static void judge_write(void *arg, um_err err, const struct um_reserve_answer *a)
{
    struct guarded g = *(struct guarded *)arg;
    struct um_rest *r = g.later->rest;
    char *session = um_xstrdup(g.later->text);
    struct um_http_req *rq = later_take(g.later);

    free(arg);
    if (rq != NULL && err != UM_OK) {
        reservation_refused(rq, err);
    } else if (rq != NULL && !lets_write(&a->rows[0], caller_of(rq)->claims.sub, session, g.claimed)) {
        refuse_write(rq, r, &a->rows[0]);
    } else if (rq != NULL) {
        um_reserve_wrote(r->deps.reserve, a->rows[0].category, a->rows[0].id, caller_of(rq)->claims.sub);
        g.then(rq, r);
    }
    free(session);
}

void reservation_guard(struct um_http_req *rq, struct um_rest *r, const char *document, um_http_handler *then)
{
    char id[BODY_REF_MAX + 1];
    struct um_store_ref ref = { UM_RESERVE_DOCUMENT, body_ref(r, document, id), 0 };
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct guarded *g;

    caller_session(caller_of(rq), session);
    g = um_xmalloc(sizeof(*g));
    *g = (struct guarded){ later_new(rq, r, session), then, um_api_int(r->api, rq, "X-Reservation-Token") };
    um_reserve_state(r->deps.reserve, um_http_loop(rq), &ref, 1, judge_write, g);
}

/* ---- the engine's questions, and its orders ---- */

bool reservation_may_change(void *ctx, const char *document, const char *user, int64_t *until_ms)
{
    struct um_rest *r = ctx;
    char ref[BODY_REF_MAX + 1];

    return um_reserve_may_write(r->deps.reserve, UM_RESERVE_DOCUMENT, body_ref(r, document, ref), user, until_ms);
}

void reservation_changed(void *ctx, const char *document, const char *user)
{
    struct um_rest *r = ctx;
    char ref[BODY_REF_MAX + 1];

    um_reserve_wrote(r->deps.reserve, UM_RESERVE_DOCUMENT, body_ref(r, document, ref), user);
}

void reservation_editing(void *ctx, const char *document, const char *user, bool begins)
{
    struct um_rest *r = ctx;
    char ref[BODY_REF_MAX + 1];

    um_reserve_editing(r->deps.reserve, UM_RESERVE_DOCUMENT, body_ref(r, document, ref), user, begins);
}

/* {"type":"reservation","event":"reserved","user":"ann"}: what a page needs to say who. */
static char *note_of(const struct um_reserve_change *c)
{
    json_t *o = json_pack("{s:s, s:s, s:s}", "type", "reservation", "event", um_reserve_event_text(c->event), "user", c->user);
    char *text;

    if (*c->by != '\0')
        json_object_set_new(o, "by", json_string(c->by));
    text = json_dumps(o, JSON_COMPACT);
    json_decref(o);
    return text;
}

static void on_change(void *arg, const struct um_reserve_change *c)
{
    struct um_rest *r = arg;
    char *note;

    if (strcmp(c->category, UM_RESERVE_DOCUMENT) != 0)
        return;
    note = c->event == UM_RESERVE_CONFIRMED ? NULL : note_of(c);
    body_reservation_changed(r, c->id, note);
    free(note);
}

void reservation_listen(struct um_rest *r)
{
    um_reserve_listen(r->deps.reserve, r->deps.loop, on_change, r);
}
