/* Reservations as they are shown, and listed: the caller's own, and for administrators those of their scope; and how one is
 * broken. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/session.h>
#include <umbel/util.h>
#include "internal.h"
#include "kept_who.h"
#include "platform.h"
#include "reservations.h"

#define OWN_MAX 1000

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

/* ---- one ---- */

static json_t *iso(int64_t wall_ms)
{
    char text[32];

    um_wall_iso(wall_ms, text);
    return json_string(text);
}

/* The id in its scope. */
static const char *id_of(const struct um_rest *r, const char *name, char scope[UM_DOMAIN_SCOPE_MAX + 1])
{
    const char *id;

    return um_domain_shared_parts(r->deps.domain, name, scope, &id) ? id : name;
}

json_t *reservation_json(const struct um_rest *r, const struct um_store_reserved *row, const char *session, const char *among)
{
    bool reserved = *row->session != '\0' && row->left_ms > 0;
    char scope[UM_DOMAIN_SCOPE_MAX + 1] = "";
    json_t *o = json_pack("{s:s, s:s, s:b}", "category", row->category, "id", id_of(r, row->id, scope), "reserved", reserved);

    if (among != NULL && strcmp(among, SCOPE_ALL) == 0)
        json_object_set_new(o, "scope", json_string(scope));
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

json_t *reservation_blocker_json(const struct um_rest *r, const struct um_reserve_blocker *b)
{
    char scope[UM_DOMAIN_SCOPE_MAX + 1];
    json_t *o = json_pack("{s:s, s:s, s:s, s:b}", "category", b->category, "id", id_of(r, b->id, scope), "user", b->user, "editing",
                          b->editing);

    if (!b->editing)
        json_object_set_new(o, "since", iso(b->since_ms));
    return o;
}

void reservation_refused(struct um_http_req *rq, um_err err)
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

/* ---- lists ---- */

struct listing {
    const struct um_rest *rest;
    const char *scope;                       /* of this one, or of SCOPE_ALL */
    const char *session;                     /* whose tokens are told */
    json_t *rows;
};

static bool is_of_scope(void *arg, const char *name)
{
    const struct listing *l = arg;
    char scope[UM_DOMAIN_SCOPE_MAX + 1];

    if (strcmp(l->scope, SCOPE_ALL) == 0)
        return true;
    id_of(l->rest, name, scope);
    return strcmp(scope, l->scope) == 0;
}

static void list_row(void *arg, const struct um_store_reserved *row)
{
    struct listing *l = arg;

    if (row->left_ms > 0)
        json_array_append_new(l->rows, reservation_json(l->rest, row, l->session, l->scope));
}

/* NULL: replied. */
static json_t *list_rows(struct um_http_req *rq, struct um_rest *r, struct um_reserve_filter f, const char *scope, const char *session,
                         size_t *found)
{
    struct listing l = { r, scope, session, json_array() };

    f.fits = is_of_scope;
    f.arg = &l;
    *found = um_reserve_list(r->deps.reserve, &f, list_row, &l);
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (*found != SIZE_MAX)
        return l.rows;
    json_decref(l.rows);
    reservation_refused(rq, UM_EUNAVAIL);
    return NULL;
}

void reservation_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *scope = caller_scope_asked(r, rq);
    struct um_reserve_filter f = { .user = um_api_text(r->api, rq, "user"), .category = um_api_text(r->api, rq, "category"),
                                   .start = (size_t)um_api_int(r->api, rq, "start"), .max = (size_t)um_api_int(r->api, rq, "max") };
    size_t found;
    json_t *rows = scope != NULL ? list_rows(rq, r, f, scope, "", &found) : NULL;

    if (rows != NULL)
        um_http_reply_json(rq, 200, json_pack("{s:I, s:o}", "found", (json_int_t)found, "results", rows));
}

void reservation_own(struct um_http_req *rq, void *ctx)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_reserve_filter f = { .session = session, .max = OWN_MAX };
    size_t found;
    json_t *rows;

    caller_session(caller_of(rq), session);
    rows = list_rows(rq, ctx, f, caller_scope(ctx, rq), session, &found);
    if (rows != NULL)
        um_http_reply_json(rq, 200, rows);
}

/* ---- breaking ---- */

struct breaking { struct later *later; struct um_who *who; json_t *reference; };

static void breaking_free(void *arg)
{
    struct breaking *b = arg;

    later_take(b->later);
    who_drop(b->who);
    json_decref(b->reference);
    free(b);
}

static void end_broken(struct breaking *b, um_err err)
{
    struct um_http_req *rq = b->later->rq;

    breaking_free(b);
    if (rq == NULL)
        return;
    if (err == UM_OK || err == UM_ENOTFOUND)      /* to break what is free is success */
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else
        reservation_refused(rq, err);
}

static void on_told(void *arg, const struct um_domain_answer *answer)
{
    (void)answer;                            /* it is broken, whatever handlers say of it */
    end_broken(arg, UM_OK);
}

static void on_broken(void *arg, um_err err, const struct um_reserve_answer *a)
{
    struct breaking *b = arg;
    struct um_rest *r = b->later->rest;

    (void)a;
    if (err == UM_OK)
        um_domain_run_or(r->deps.domain, b->later->loop, &um_components_held, b->who, json_pack("{s:s, s:[b]}", "action", "UNLOCK", "those", 1),
                         json_pack("[O]", b->reference), on_told, breaking_free, b);
    else
        end_broken(b, err);
}

void reservation_break(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *id = um_http_param(rq, "id"), *scope = caller_scope_asked(r, rq), *category = um_http_param(rq, "category");
    char name[UM_DOMAIN_SHARED_MAX + 1], session[UM_RESERVE_SESSION_MAX + 1];
    struct breaking *b;
    struct um_who who;

    if (scope == NULL)
        return;
    if (strcmp(scope, SCOPE_ALL) == 0 || !um_domain_shared_id(r->deps.domain, scope, id, name)) {
        um_http_reply_error(rq, 400, "U00400", "the id of a component in one scope is needed");
        return;
    }
    who = platform_who(r, rq, session);
    who.scope = scope;
    b = um_xcalloc(1, sizeof(*b));
    *b = (struct breaking){ later_new(rq, r, NULL), who_keep(&who), json_pack("{s:s, s:s}", "category", category, "id", id) };
    um_reserve_break(r->deps.reserve, um_http_loop(rq), (struct um_store_ref){ category, name, 0 }, who.user,
                     &(struct um_store_about){ scope, id }, on_broken, b);
}
