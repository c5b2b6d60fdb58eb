/* /core/rest/reservation: taking, giving back, renewing, reading, breaking (platform reference, ch. 3). Bodies are arrays of
 * references; answers are arrays in the same order. The core's own writes ask here whether somebody else holds a document. */
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/log.h>
#include <umbel/session.h>
#include <umbel/util.h>
#include "bodies.h"
#include "internal.h"
#include "reservations.h"

#define OWN_MAX 1000
#define DEADLINE_SLACK_MS 10000

/* Whose reservations are meant: the browser session behind the token; without one, the token itself, so that two API clients of
 * one user do not share; a token without an id stands for its user. */
void caller_session(const struct caller *c, char out[UM_RESERVE_SESSION_MAX + 1])
{
    const struct um_token_claims *claims = &c->claims;
    char hash[UM_SESSION_HASH_LEN + 1];

    if (claims->sid != NULL && *claims->sid != '\0' && strlen(claims->sid) <= UM_RESERVE_SESSION_MAX) {
        snprintf(out, UM_RESERVE_SESSION_MAX + 1, "%s", claims->sid);
        return;
    }
    um_session_hash(claims->jti != NULL ? claims->jti : claims->sub, hash);
    snprintf(out, UM_RESERVE_SESSION_MAX + 1, "%s:%s", claims->jti != NULL ? "token" : "api", hash);
}

/* ---- replies ---- */

static json_t *iso(int64_t wall_ms)
{
    char text[32];

    um_wall_iso(wall_ms, text);
    return json_string(text);
}

/* SESSION: who asks; the token is for the holder alone. */
static json_t *row_json(const struct um_store_reserved *row, const char *session)
{
    bool reserved = *row->session != '\0' && row->left_ms > 0;
    json_t *o = json_pack("{s:s, s:s, s:b}", "category", row->category, "id", row->id, "reserved", reserved);

    if (!reserved)
        return o;
    json_object_set_new(o, "user", json_string(row->user));
    json_object_set_new(o, "sessionId", json_string(row->session));
    json_object_set_new(o, "since", iso(row->since_ms));
    json_object_set_new(o, "expires", iso(um_wall_ms() + row->left_ms));
    if (strcmp(row->session, session) == 0)
        json_object_set_new(o, "token", json_integer((json_int_t)row->token));
    return o;
}

static json_t *blocker_json(const struct um_reserve_blocker *b)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:b}", "category", b->category, "id", b->id, "user", b->user, "editing", b->editing);

    if (!b->editing)
        json_object_set_new(o, "since", iso(b->since_ms));
    return o;
}

static void reply_blocked(struct um_http_req *rq, const struct um_reserve_answer *a)
{
    json_t *list = json_array();

    for (size_t i = 0; i < a->n_blockers; i++)
        json_array_append_new(list, blocker_json(&a->blockers[i]));
    um_http_reply_error_with(rq, 423, "U00423", "somebody else has reserved or edits it",
                             json_pack("{s:o}", "reservations", list));
}

static void reply_reserve_error(struct um_http_req *rq, um_err err)
{
    static const struct { um_err err; unsigned status; const char *code, *message; } rows[] = {
        { UM_EINVAL, 400, "U00400",
          "a reference has a category (DOCUMENT, FOLDER, VIRTUAL_FOLDER, TASK) and an id of at most 512 bytes" },
        { UM_ELIMIT, 429, "U00429", "too many reservations" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (rows[i].err == err) {
            um_http_reply_error(rq, rows[i].status, rows[i].code, rows[i].message);
            return;
        }
    um_http_reply_error(rq, 503, "U00503", "reservations are not available at the moment");
}

static void reply_rows(struct um_http_req *rq, um_err err, const struct um_reserve_answer *a, const char *session)
{
    json_t *list;

    if (rq == NULL)
        return;
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (err == UM_ECONFLICT) {
        reply_blocked(rq, a);
    } else if (err != UM_OK) {
        reply_reserve_error(rq, err);
    } else {
        list = json_array();
        for (size_t i = 0; i < a->n; i++)
            json_array_append_new(list, row_json(&a->rows[i], session));
        um_http_reply_json(rq, 200, list);
    }
}

/* The answer of a call whose `later` carries the session. */
static void reply_answer(void *arg, um_err err, const struct um_reserve_answer *a)
{
    struct later *l = arg;
    char *session = um_xstrdup(l->text);

    reply_rows(later_take(l), err, a, session);
    free(session);
}

/* ---- the body ---- */

struct refs { json_t *body; struct um_store_ref list[UM_RESERVE_REFS_MAX]; size_t n; };

static struct um_store_ref read_ref(const json_t *ref)
{
    return (struct um_store_ref){ json_string_value(json_object_get(ref, "category")), json_string_value(json_object_get(ref, "id")),
                                  (uint64_t)json_integer_value(json_object_get(ref, "token")) };
}

/* NULL: replied. The caller frees it by refs_free. */
static struct refs *read_refs(struct um_http_req *rq, const struct um_rest *rest)
{
    json_t *body = um_api_body(rest->api, rq), *ref;
    struct refs *r;
    size_t i;

    if (body == NULL)
        return NULL;
    UM_ASSERT(json_array_size(body) <= UM_RESERVE_REFS_MAX);     /* the schema's maxItems */
    r = um_xcalloc(1, sizeof(*r));
    r->body = body;
    r->n = json_array_size(body);
    json_array_foreach(body, i, ref)
        r->list[i] = read_ref(ref);
    return r;
}

static void refs_free(struct refs *r)
{
    json_decref(r->body);
    free(r);
}

/* ---- taking ---- */

static bool may_take(struct um_http_req *rq, const struct caller *c)
{
    if (c->claims.access == NULL || strcmp(c->claims.access, "readonly") != 0)
        return true;
    um_http_reply_error(rq, 403, "U00403", "this token may only read");
    return false;
}

/* A client that waited and has left does not know of its grant. */
static void reply_waited(void *arg, um_err err, const struct um_reserve_answer *a)
{
    struct later *l = arg;
    struct um_store_ref *refs;

    if (l->rq == NULL && err == UM_OK) {
        refs = um_xcalloc(a->n + 1, sizeof(*refs));
        for (size_t i = 0; i < a->n; i++)
            refs[i] = (struct um_store_ref){ a->rows[i].category, a->rows[i].id, a->rows[i].token };
        um_reserve_release(l->rest->deps.reserve, l->loop, refs, a->n, l->text, NULL, NULL);
        free(refs);
    }
    reply_answer(arg, err, a);
}

void reservation_take(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const struct caller *c = caller_of(rq);
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_reserve_opts opts = { .wait_ms = um_api_int(r->api, rq, "wait"), .break_shared = um_api_int(r->api, rq, "break") != 0 };
    struct refs *refs;

    if (!may_take(rq, c) || (refs = read_refs(rq, r)) == NULL)
        return;
    caller_session(c, session);
    if (opts.wait_ms > 0)
        um_http_deadline(rq, opts.wait_ms + DEADLINE_SLACK_MS);
    um_reserve_take(r->deps.reserve, um_http_loop(rq), refs->list, refs->n, c->claims.sub, session, &opts,
                    opts.wait_ms > 0 ? reply_waited : reply_answer, later_new(rq, r, session));
    refs_free(refs);
}

/* ---- the other calls about references ---- */

typedef void refs_call(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *session,
                       um_reserve_cb *cb, void *arg);

static void call_for(struct um_http_req *rq, struct um_rest *r, refs_call *call)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct refs *refs = read_refs(rq, r);

    if (refs == NULL)
        return;
    caller_session(caller_of(rq), session);
    call(r->deps.reserve, um_http_loop(rq), refs->list, refs->n, session, reply_answer, later_new(rq, r, session));
    refs_free(refs);
}

static void state_for(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *session,
                      um_reserve_cb *cb, void *arg)
{
    (void)session;
    um_reserve_state(r, l, refs, n, cb, arg);
}

void reservation_release(struct um_http_req *rq, void *ctx) { call_for(rq, ctx, um_reserve_release); }
void reservation_renew(struct um_http_req *rq, void *ctx) { call_for(rq, ctx, um_reserve_renew); }
void reservation_state(struct um_http_req *rq, void *ctx) { call_for(rq, ctx, state_for); }

/* ---- breaking ---- */

static void reply_broken(void *arg, um_err err, const struct um_reserve_answer *a)
{
    struct um_http_req *rq = later_take(arg);

    (void)a;
    if (rq == NULL)
        return;
    if (err == UM_OK || err == UM_ENOTFOUND)      /* to break what is free is success */
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else
        reply_reserve_error(rq, err);
}

void reservation_break(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_store_ref ref = { um_http_param(rq, "category"), um_http_param(rq, "id"), 0 };

    um_reserve_break(r->deps.reserve, um_http_loop(rq), ref, caller_of(rq)->claims.sub, reply_broken, later_new(rq, r, NULL));
}

/* ---- lists ---- */

struct listing { json_t *rows; const char *session; };

static void list_row(void *arg, const struct um_store_reserved *row)
{
    struct listing *l = arg;

    if (row->left_ms > 0)
        json_array_append_new(l->rows, row_json(row, l->session));
}

static json_t *list_rows(struct um_rest *r, const struct um_reserve_filter *f, const char *session, size_t *found)
{
    struct listing l = { json_array(), session };

    *found = um_reserve_list(r->deps.reserve, f, list_row, &l);
    return l.rows;
}

void reservation_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_reserve_filter f = { .user = um_api_text(r->api, rq, "user"), .category = um_api_text(r->api, rq, "category"),
                                   .start = (size_t)um_api_int(r->api, rq, "start"), .max = (size_t)um_api_int(r->api, rq, "max") };
    size_t found;
    json_t *rows;

    rows = list_rows(r, &f, "", &found);
    if (found == SIZE_MAX) {
        json_decref(rows);
        reply_reserve_error(rq, UM_EUNAVAIL);
        return;
    }
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, json_pack("{s:I, s:o}", "found", (json_int_t)found, "results", rows));
}

void reservation_own(struct um_http_req *rq, void *ctx)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_reserve_filter f = { .session = session, .max = OWN_MAX };
    size_t found;
    json_t *rows;

    caller_session(caller_of(rq), session);
    rows = list_rows(ctx, &f, session, &found);
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (found != SIZE_MAX) {
        um_http_reply_json(rq, 200, rows);
        return;
    }
    json_decref(rows);
    reply_reserve_error(rq, UM_EUNAVAIL);
}

/* ---- the core's own writes ---- */

struct guarded {
    struct later *later;                     /* its text: the caller's session */
    um_http_handler *then;
    int64_t claimed;                         /* X-Reservation-Token; 0: none */
};

static void refuse_write(struct um_http_req *rq, const struct um_store_reserved *row)
{
    um_http_reply_error_with(rq, 423, "U00423", "somebody else has reserved it, or your reservation is over",
                             json_pack("{s:[{s:s, s:s, s:s, s:b}]}", "reservations", "category", row->category, "id", row->id, "user",
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
        reply_reserve_error(rq, err);
    } else if (rq != NULL && !lets_write(&a->rows[0], caller_of(rq)->claims.sub, session, g.claimed)) {
        refuse_write(rq, &a->rows[0]);
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
