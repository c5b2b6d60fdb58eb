/* /core/rest/reservation: taking, giving back, renewing, reading, breaking (platform reference, ch. 3). Bodies are arrays of
 * references; answers are arrays in the same order.
 *
 * A reference is of the caller's scope, and only of that: names go in and come out by um_domain_shared_id. First the platform is
 * asked what the caller may do with the components; then
 *
 *   reserve, renew   each must be his to change: UPDATE, or UPDATE_CONTENT of a body that is edited together; 404, 403
 *   release, state   all are answered, and of what he may not READ only whether his own session holds it
 *
 * Documents without a component (collab.free-documents) belong to the default scope, and are anybody's in it. */
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/session.h>
#include <umbel/util.h>
#include "bodies.h"
#include "internal.h"
#include "kept_who.h"
#include "platform.h"
#include "reservations.h"

#define DEADLINE_SLACK_MS 10000

/* ---- a call ---- */

enum call { TAKE, RELEASE, RENEW, STATE };

struct asking {
    struct later *later;
    struct um_rest *rest;
    struct um_loop *loop;
    enum call call;
    struct um_reserve_opts opts;
    char session[UM_RESERVE_SESSION_MAX + 1], *user, *scope;
    struct um_who *who;
    json_t *body, *rights;                   /* references, and a word for each */
    json_t *args;                            /* what handlers hear of: {action, those}; NULL: nothing */
    json_t *reply;                           /* while they do */
    bool is_followed;
    struct um_store_ref *refs;               /* as they are kept; ids in NAMES */
    char (*names)[UM_DOMAIN_SHARED_MAX + 1];
    size_t n;
};

static struct um_http_req *asking_end(struct asking *a)
{
    struct um_http_req *rq = later_take(a->later);

    json_decref(a->body);
    json_decref(a->rights);
    json_decref(a->args);
    json_decref(a->reply);
    who_drop(a->who);
    free(a->user);
    free(a->scope);
    free(a->refs);
    free(a->names);
    free(a);
    return rq;
}

static const char *text_of(const json_t *ref, const char *member) { return json_string_value(json_object_get(ref, member)); }

/* False: one of them cannot be; replied. */
static bool name_refs(struct um_http_req *rq, struct asking *a)
{
    char path[32];
    json_t *ref;
    size_t i;

    json_array_foreach(a->body, i, ref) {
        if (!um_domain_shared_id(a->rest->deps.domain, a->scope, text_of(ref, "id"), a->names[i])) {
            snprintf(path, sizeof(path), "/%zu/id", i);
            um_http_reply_error_with(rq, 400, "U00400", "no component has such an id",
                                     json_pack("[{s:s, s:s}]", "path", path, "message", "an id has at most 200 bytes here"));
            return false;
        }
        a->refs[i] = (struct um_store_ref){ text_of(ref, "category"), a->names[i],
                                            (uint64_t)json_integer_value(json_object_get(ref, "token")) };
    }
    return true;
}

/* NULL: replied. */
static struct asking *asking_new(struct um_http_req *rq, struct um_rest *r, enum call call)
{
    json_t *body = um_api_body(r->api, rq);
    struct asking *a;

    if (body == NULL)
        return NULL;
    UM_ASSERT(json_array_size(body) <= UM_RESERVE_REFS_MAX);     /* the schema's maxItems */
    a = um_xcalloc(1, sizeof(*a));
    *a = (struct asking){ .later = later_new(rq, r, NULL), .rest = r, .loop = um_http_loop(rq), .call = call, .body = body,
                          .n = json_array_size(body) };
    a->user = um_xstrdup(caller_of(rq)->claims.sub);
    caller_session(caller_of(rq), a->session);
    a->scope = um_xstrdup(caller_scope(r, rq));
    a->refs = um_xcalloc(a->n, sizeof(*a->refs));
    a->names = um_xcalloc(a->n, sizeof(*a->names));
    if (name_refs(rq, a))
        return a;
    asking_end(a);
    return NULL;
}

/* ---- the reply ---- */

/* A document without a component. */
static bool is_free_document(const struct asking *a, size_t i)
{
    return a->rest->deps.own->free_documents && strcmp(a->refs[i].category, UM_RESERVE_DOCUMENT) == 0 &&
           strcmp(a->scope, um_domain_default_scope(a->rest->deps.domain)) == 0;
}

static bool has_right(const struct asking *a, size_t i, bool to_change)
{
    const char *word = json_string_value(json_array_get(a->rights, i));

    if (strcmp(word, "ABSENT") == 0)
        return is_free_document(a, i);
    return strcmp(word, "WRITE") == 0 || (!to_change && strcmp(word, "READ") == 0);
}

/* What he may not see looks as if nobody held it. */
static json_t *shown(const struct asking *a, size_t i, const struct um_store_reserved *row)
{
    struct um_store_reserved none = { .category = row->category, .id = row->id, .user = "", .session = "" };
    bool may_see = has_right(a, i, false) || strcmp(row->session, a->session) == 0;

    return reservation_json(a->rest, may_see ? row : &none, a->session, NULL);
}

static void reply_blocked(struct um_http_req *rq, const struct asking *a, const struct um_reserve_answer *answer)
{
    json_t *list = json_array();

    for (size_t i = 0; i < answer->n_blockers; i++)
        json_array_append_new(list, reservation_blocker_json(a->rest, &answer->blockers[i]));
    um_http_reply_error_with(rq, 423, "U00423", "somebody else has reserved or edits it",
                             json_pack("{s:o}", "reservations", list));
}

static json_t *shown_rows(const struct asking *a, const struct um_reserve_answer *answer)
{
    json_t *list = json_array();

    for (size_t i = 0; i < answer->n; i++)
        json_array_append_new(list, shown(a, i, &answer->rows[i]));
    return list;
}

static void end_well(struct asking *a)
{
    json_t *reply = json_incref(a->reply);
    struct um_http_req *rq = asking_end(a);

    if (rq == NULL) {
        json_decref(reply);
        return;
    }
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, reply);
}

/* ---- handlers: LOCK of what he did not hold, UNLOCK of what he does not hold any more ---- */

static void drop(void *arg) { asking_end(arg); }

static bool is_held(const struct asking *a, size_t i)
{
    struct um_reserve_holder h;

    return um_reserve_holder(a->rest->deps.reserve, a->refs[i].category, a->refs[i].id, &h) != UM_RESERVE_FREE &&
           strcmp(h.session, a->session) == 0;
}

static json_t *handlers_args(const struct asking *a)
{
    json_t *those;

    if (a->call != TAKE && a->call != RELEASE)
        return NULL;
    those = json_array();
    for (size_t i = 0; i < a->n; i++)
        json_array_append_new(those, json_boolean(is_held(a, i) == (a->call == RELEASE)));
    return json_pack("{s:s, s:o}", "action", a->call == TAKE ? "LOCK" : "UNLOCK", "those", those);
}

static void on_told(void *arg, const struct um_domain_answer *answer)
{
    if (answer->err != UM_OK)                /* it has happened all the same */
        um_log_limited(UM_ERROR, "operation", "handlers of a reservation could not be told", UM_S("code", answer->problem->code));
    end_well(arg);
}

/* Some of what was to be given back may have been another grant. */
static void tell_handlers(struct asking *a, const struct um_reserve_answer *answer)
{
    json_t *those = json_object_get(a->args, "those");

    for (size_t i = 0; a->call == RELEASE && i < answer->n; i++)
        if (answer->rows[i].left_ms > 0 && strcmp(answer->rows[i].session, a->session) == 0)
            json_array_set_new(those, i, json_false());
    um_domain_run_or(a->rest->deps.domain, a->loop, &um_components_held, a->who, json_deep_copy(a->args), json_incref(a->body), on_told, drop, a);
}

/* A client that waited and has left does not know of its grant. */
static void take_back(const struct asking *a, const struct um_reserve_answer *answer)
{
    struct um_store_ref *refs = um_xcalloc(answer->n + 1, sizeof(*refs));

    for (size_t i = 0; i < answer->n; i++)
        refs[i] = (struct um_store_ref){ answer->rows[i].category, answer->rows[i].id, answer->rows[i].token };
    um_reserve_release(a->rest->deps.reserve, a->loop, refs, answer->n, a->session, NULL, NULL);
    free(refs);
}

static void on_reserved(void *arg, um_err err, const struct um_reserve_answer *answer)
{
    struct asking *a = arg;
    struct um_http_req *rq = a->later->rq;

    if (rq == NULL && err == UM_OK && a->opts.wait_ms > 0) {
        take_back(a, answer);
    } else if (err == UM_OK) {
        a->reply = shown_rows(a, answer);
        if (a->is_followed)
            tell_handlers(a, answer);
        else
            end_well(a);
        return;
    } else if (rq != NULL) {
        um_http_add_header(rq, "Cache-Control", "no-store");
        if (err == UM_ECONFLICT)
            reply_blocked(rq, a, answer);
        else
            reservation_refused(rq, err);
    }
    asking_end(a);
}

/* ---- what the platform says ---- */

/* All or none: the first that is not his decides. */
static bool refuse(struct asking *a)
{
    const char *id, *category;
    struct um_http_req *rq;
    char message[300];
    bool sees;

    for (size_t i = 0; i < a->n; i++) {
        if (has_right(a, i, true))
            continue;
        id = text_of(json_array_get(a->body, i), "id");
        category = a->refs[i].category;
        sees = has_right(a, i, false);
        snprintf(message, sizeof(message), sees ? "%s %s needs the permission UPDATE" : "there is no %s %s", category, id);
        rq = asking_end(a);
        if (rq != NULL)
            um_http_reply_error(rq, sees ? 403 : 404, sees ? "U00403" : "F00012", message);
        return true;
    }
    return false;
}

static void go_on(struct asking *a)
{
    struct um_reserve *r = a->rest->deps.reserve;

    switch (a->call) {
    case TAKE:
        um_reserve_take(r, a->loop, a->refs, a->n, a->user, a->session, &a->opts, on_reserved, a);
        break;
    case RELEASE:
        um_reserve_release(r, a->loop, a->refs, a->n, a->session, on_reserved, a);
        break;
    case RENEW:
        um_reserve_renew(r, a->loop, a->refs, a->n, a->session, on_reserved, a);
        break;
    case STATE:
        um_reserve_state(r, a->loop, a->refs, a->n, on_reserved, a);
        break;
    }
}

/* Who has left takes nothing; but what he gave back is free. */
static void on_rights(void *arg, const struct um_domain_answer *answer)
{
    struct asking *a = arg;
    struct um_http_req *rq = a->later->rq;

    a->rights = json_incref(json_object_get(answer->reply, "rights"));
    a->is_followed = json_is_true(json_object_get(answer->reply, "followed"));
    if (answer->err != UM_OK && rq != NULL)
        platform_refuse(rq, answer->problem);
    if (answer->err != UM_OK || (rq == NULL && a->call != RELEASE)) {
        asking_end(a);
        return;
    }
    if ((a->call != TAKE && a->call != RENEW) || !refuse(a))
        go_on(a);
}

static void begin(struct um_http_req *rq, struct asking *a)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(a->rest, rq, session);

    a->args = handlers_args(a);
    a->who = a->args != NULL ? who_keep(&who) : NULL;
    um_domain_run_or(a->rest->deps.domain, a->loop, &um_components_rights, &who, json_deep_copy(a->args), json_incref(a->body), on_rights, drop, a);
}

/* ---- the rows ---- */

static bool may_take(struct um_http_req *rq)
{
    const char *access = caller_of(rq)->claims.access;

    if (access == NULL || strcmp(access, "readonly") != 0)
        return true;
    um_http_reply_error(rq, 403, "U00403", "this token may only read");
    return false;
}

void reservation_take(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct asking *a = may_take(rq) ? asking_new(rq, r, TAKE) : NULL;

    if (a == NULL)
        return;
    a->opts = (struct um_reserve_opts){ .wait_ms = um_api_int(r->api, rq, "wait"), .break_shared = um_api_int(r->api, rq, "break") != 0 };
    if (a->opts.wait_ms > 0)
        um_http_deadline(rq, a->opts.wait_ms + DEADLINE_SLACK_MS);
    begin(rq, a);
}

static void call_for(struct um_http_req *rq, struct um_rest *r, enum call call)
{
    struct asking *a = asking_new(rq, r, call);

    if (a != NULL)
        begin(rq, a);
}

void reservation_release(struct um_http_req *rq, void *ctx) { call_for(rq, ctx, RELEASE); }
void reservation_renew(struct um_http_req *rq, void *ctx) { call_for(rq, ctx, RENEW); }
void reservation_state(struct um_http_req *rq, void *ctx) { call_for(rq, ctx, STATE); }
