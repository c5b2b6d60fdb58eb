/* Who is logged in, and who is kept from it: /core/rest/admin/sessions and /locks, /core/rest/unlock/{username}, /core/rest/encrypt.
 *
 * Sessions are the gateways'. With Redis they answer for them, each for all; without it no core hears of a gateway: 409, and
 * who asks through a gateway is answered by that. */
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/util.h>
#include "admin.h"

#define PLAIN_MAX 4096

/* ---- sessions ---- */

static bool hears_gateways(struct um_rest *r, struct um_http_req *rq)
{
    if (r->deps.redis != NULL)
        return true;
    um_http_reply_error(rq, 409, "U00409", "without Redis the gateway alone knows its sessions: ask it, by the same call");
    return false;
}

/* Gateways with one store tell the same sessions: each once. */
static json_t *merge(const struct um_ask_answer *answers, size_t n)
{
    json_t *by_id = json_object(), *list = json_array(), *row;
    const char *id;
    size_t k;

    for (size_t i = 0; i < n; i++)
        json_array_foreach(json_object_get(answers[i].body, "rows"), k, row) {
            id = json_string_value(json_object_get(row, "id"));
            if (id != NULL)
                json_object_set(by_id, id, row);
        }
    json_object_foreach(by_id, id, row)
        json_array_append(list, row);
    json_decref(by_id);
    return list;
}

static void reply_sessions(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    (void)arg;
    (void)r;
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, json_pack("{s:o, s:o}", "results", merge(answers, n), "members", admin_members_json(answers, n)));
}

static struct um_ask_question to_gateways(const char *topic)
{
    return (struct um_ask_question){ .topic = topic, .role = "gateway", .wait_ms = ADMIN_WAIT_MS };
}

/* Those that are named and the caller's to see. NULL: replied. */
static json_t *those_of(struct um_http_req *rq, struct um_rest *r, const char *key, const char *value)
{
    const char *scope = admin_scope(rq, r);
    json_t *body = scope != NULL ? json_pack("{s:s}", key, value) : NULL;

    if (body == NULL)
        return NULL;
    admin_put_scope(body, scope);
    json_object_set_new(body, "defaultScope", json_string(um_domain_default_scope(r->deps.domain)));
    return body;
}

void admin_sessions_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = hears_gateways(r, rq) ? those_of(rq, r, "user", um_api_text(r->api, rq, "user")) : NULL;

    if (body != NULL)
        admin_ask(rq, r, to_gateways(UM_NODE_SESSIONS), body, reply_sessions, NULL);
}

static void ended(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    json_int_t count = 0;
    size_t ok = 0;

    for (size_t i = 0; i < n; i++) {
        ok += answers[i].state == UM_ASK_ANSWERED;
        count = UM_MAX(count, json_integer_value(json_object_get(answers[i].body, "ended")));
    }
    if (ok == 0) {
        act_failed(a, 503, "U00503", n == 0 ? "there is no gateway" : "no gateway could end it");
        return;
    }
    act_note(a, "ended", json_integer(count));
    act_done(a, 200, json_pack("{s:I, s:o}", "ended", count, "members", admin_members_json(answers, n)));
}

static void end_those(struct um_http_req *rq, struct um_rest *r, const char *action, const char *type, const char *key, const char *value)
{
    json_t *body = hears_gateways(r, rq) ? those_of(rq, r, key, value) : NULL;
    struct act *a;

    if (body == NULL)
        return;
    a = act_new(rq, r, action, type, value);
    act_scope(a, admin_scope(rq, r));
    act_ask(a, to_gateways(UM_NODE_END_SESSIONS), body, ended);
}

void admin_sessions_end_all(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *user = um_api_text(r->api, rq, "user");

    end_those(rq, r, "END_SESSIONS", "USER", "user", user);
}

void admin_sessions_end(struct um_http_req *rq, void *ctx)
{
    const char *id = um_http_param(rq, "id");

    end_those(rq, ctx, "END_SESSION", "SESSION", "id", id);
}

/* ---- locks ---- */

static void reply_locks(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    (void)arg;
    (void)r;
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, admin_rows_json(answers, n, "user", ADMIN_ROWS_MAX));
}

void admin_locks_list(struct um_http_req *rq, void *ctx)
{
    admin_ask(rq, ctx, (struct um_ask_question){ .topic = UM_NODE_LOCKS, .wait_ms = ADMIN_WAIT_MS }, NULL, reply_locks, NULL);
}

static void unlocked(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    json_int_t forgotten = 0;

    for (size_t i = 0; i < n; i++)
        forgotten += json_integer_value(json_object_get(answers[i].body, "forgotten"));
    act_note(a, "forgotten", json_integer(forgotten));
    act_done(a, 200, json_pack("{s:I, s:o}", "forgotten", forgotten, "members", admin_members_json(answers, n)));
}

void unlock_user(struct um_http_req *rq, void *ctx)
{
    const char *user = um_http_param(rq, "username");

    act_ask(act_new(rq, ctx, "UNLOCK_LOGIN", "USER", user), (struct um_ask_question){ .topic = UM_NODE_UNLOCK, .wait_ms = ADMIN_WAIT_MS },
            json_pack("{s:s}", "user", user), unlocked);
}

/* ---- encrypting ---- */

struct encrypting { struct um_work work; struct later *later; const struct um_conf *conf; struct um_buf plain, out; um_err err; };

static void encrypt_it(struct um_work *w)
{
    struct encrypting *e = UM_CONTAINER(w, struct encrypting, work);

    e->err = um_conf_encrypt_own(e->conf, UM_SPAN(e->plain.data, e->plain.len), &e->out);
}

static void encrypted(struct um_work *w)
{
    struct encrypting *e = UM_CONTAINER(w, struct encrypting, work);
    struct um_http_req *rq = later_take(e->later);

    if (rq != NULL)
        um_http_add_header(rq, "Cache-Control", "no-store");
    if (rq != NULL && e->err == UM_OK)
        um_http_reply(rq, 200, "text/plain; charset=utf-8", UM_SPAN(e->out.data, e->out.len));
    else if (rq != NULL && e->err == UM_ENOTFOUND)
        um_http_reply_error(rq, 409, "U00409", "this core has no master secret: set the variable \"secret\", --secret= or secret.file");
    else if (rq != NULL)
        um_http_reply_error(rq, 500, "T00000", "the request failed");
    explicit_bzero(e->plain.data, e->plain.len);
    um_buf_free(&e->plain);
    um_buf_free(&e->out);
    free(e);
}

void encrypt_post(struct um_http_req *rq, void *ctx)
{
    struct um_span body = um_http_body(rq);
    struct um_rest *r = ctx;
    struct encrypting *e;

    if (body.len == 0 || body.len > PLAIN_MAX || memchr(body.data, '\0', body.len) != NULL || !um_utf8_is_valid(body.data, body.len)) {
        um_http_reply_error(rq, 400, "U00400", "the body is a text of 1 to 4096 bytes");
        return;
    }
    e = um_xcalloc(1, sizeof(*e));
    um_buf_put(&e->plain, body.data, body.len);
    e->conf = r->deps.conf;
    e->work = (struct um_work){ .loop = um_http_loop(rq), .fn = encrypt_it, .done = encrypted };
    e->later = later_new(rq, r, NULL);
    if (um_work_submit(r->pool, &e->work) == UM_OK)
        return;
    um_http_reply_error(later_take(e->later), 503, "U00503", "too many at once");
    um_buf_free(&e->plain);
    free(e);
}
