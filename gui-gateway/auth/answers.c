/* What a gateway answers when an administrator asks all members (umbel/node.h): its sessions, their ends, and logins that have
 * to wait. A session is named by um_session_hash: the id is a secret of its user's. Everything is on the loop of the um_ask. */
#include <stdlib.h>
#include <string.h>
#include <auth/answers.h>
#include <umbel/ask.h>
#include <umbel/log.h>
#include <umbel/node.h>
#include <umbel/util.h>

#include "auth_int.h"

enum { ROWS_MAX = 1000 };

struct call {                             /* a question that waits for the store */
    const struct um_auth_answers *on;
    struct um_asked *q;
    char *scope, *default_scope;          /* of which sessions alone; NULL: of all */
    char *account;                        /* of a scope's user; likewise */
    size_t n_open, ended;                 /* of ends */
    um_err err;
};

static char *text_of(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));

    return text != NULL ? um_xstrdup(text) : NULL;
}

static struct call *call_new(const struct um_auth_answers *on, struct um_asked *q, const json_t *body)
{
    struct call *c = um_xcalloc(1, sizeof(*c));

    c->on = on;
    c->q = q;
    c->scope = text_of(body, "scope");
    c->default_scope = text_of(body, "defaultScope");
    c->account = text_of(body, "account");
    return c;
}

static void call_free(struct call *c)
{
    free(c->scope);
    free(c->default_scope);
    free(c->account);
    free(c);
}

static bool is_meant(const struct call *c, const struct um_session *s)
{
    const char *scope = um_session_attr_str(s, ATTR_SCOPE), *account = um_session_attr_str(s, ATTR_ACCOUNT);

    if (scope == NULL || *scope == '\0')
        scope = c->default_scope != NULL ? c->default_scope : "";
    return (c->scope == NULL || strcmp(c->scope, scope) == 0) &&
           (c->account == NULL || (account != NULL && strcmp(c->account, account) == 0));
}

/* Asks for the sessions that BODY names: of a user, or the one. */
static void find(struct call *c, const json_t *body, um_session_list_cb *list, um_session_cb *one)
{
    const char *user = json_string_value(json_object_get(body, "user")), *id = json_string_value(json_object_get(body, "id"));

    if (user != NULL) {
        um_session_list(c->on->sessions, c->on->loop, user, list, c);
    } else if (id != NULL && strlen(id) == UM_SESSION_HASH_LEN) {
        um_session_find(c->on->sessions, c->on->loop, id, one, c);
    } else {
        one(c, UM_ENOTFOUND, NULL);
    }
}

/* ---- sessions ---- */

static json_t *session_json(const struct um_session *s)
{
    char hash[UM_SESSION_HASH_LEN + 1], created[32], used[32];
    const char *scope = um_session_attr_str(s, ATTR_SCOPE);

    um_session_hash(s->id, hash);
    um_wall_iso(s->created_at_ms, created);
    um_wall_iso(s->last_accessed_at_ms, used);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "id", hash, "user", s->user, "scope", scope != NULL ? scope : "", "created", created, "lastAccessed", used,
                     "maxInactiveS", (json_int_t)s->max_inactive_s);
}

static void listed(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct call *c = arg;
    json_t *rows;

    if (err != UM_OK && err != UM_ENOTFOUND) {
        um_ask_fail(c->q, "sessions are not available at the moment");
        call_free(c);
        return;
    }
    rows = json_array();
    for (size_t i = 0; i < n && json_array_size(rows) < ROWS_MAX; i++)
        if (is_meant(c, list[i]))
            json_array_append_new(rows, session_json(list[i]));
    um_ask_answer(c->q, json_pack("{s:o}", "rows", rows));
    call_free(c);
}

static void found(void *arg, um_err err, const struct um_session *s) { listed(arg, err, &s, err == UM_OK ? 1 : 0); }

static void sessions(void *arg, struct um_asked *q, const json_t *body) { find(call_new(arg, q, body), body, listed, found); }

/* ---- ends ---- */

static void one_ended(void *arg, um_err err, const struct um_session *s)
{
    struct call *c = arg;

    (void)s;
    if (err != UM_OK)
        c->err = err;
    if (--c->n_open > 0)
        return;
    if (c->err != UM_OK)
        um_ask_fail(c->q, "it is not certain that all of them stay ended: the database could not be told");
    else
        um_ask_answer(c->q, json_pack("{s:I}", "ended", (json_int_t)c->ended));
    call_free(c);
}

static void listed_to_end(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct call *c = arg;
    char hash[UM_SESSION_HASH_LEN + 1];

    c->n_open = 1;
    for (size_t i = 0; err == UM_OK && i < n; i++) {
        if (!is_meant(c, list[i]))
            continue;
        um_session_hash(list[i]->id, hash);
        um_log(UM_INFO, "gateway.session", c->account != NULL ? "ended with its account" : "ended by an administrator", UM_S("session", hash), UM_S("user", list[i]->user));
        c->n_open++;
        c->ended++;
        um_session_destroy(c->on->sessions, c->on->loop, list[i]->id, one_ended, c);
    }
    one_ended(c, err == UM_ENOTFOUND ? UM_OK : err, NULL);      /* to end what is over is success */
}

static void found_to_end(void *arg, um_err err, const struct um_session *s) { listed_to_end(arg, err, &s, 1); }

static void end_them(void *arg, struct um_asked *q, const json_t *body) { find(call_new(arg, q, body), body, listed_to_end, found_to_end); }

/* ---- logins that have to wait ---- */

static void add_lock(void *arg, const char *user, const char *address, int64_t failures, int64_t wait_ms)
{
    json_t *row = json_pack("{s:s, s:s, s:I, s:I}", "user", user, "address", address, "failures", (json_int_t)failures, "waitMs",
                            (json_int_t)wait_ms);

    if (row != NULL && json_array_size(arg) < ROWS_MAX)
        json_array_append(arg, row);
    json_decref(row);
}

static void locks(void *arg, struct um_asked *q, const json_t *body)
{
    const struct um_auth_answers *on = arg;
    json_t *rows = json_array();

    (void)body;
    um_throttle_each(on->throttle, um_now_ms(), add_lock, rows);
    um_ask_answer(q, json_pack("{s:o}", "rows", rows));
}

static void unlock(void *arg, struct um_asked *q, const json_t *body)
{
    const char *user = json_string_value(json_object_get(body, "user"));
    const struct um_auth_answers *on = arg;

    if (user == NULL)
        um_ask_fail(q, "there is no user");
    else
        um_ask_answer(q, json_pack("{s:I}", "forgotten", (json_int_t)um_throttle_forget(on->throttle, user)));
}

void um_auth_serve(struct um_ask *ask, struct um_auth_answers *on)
{
    um_ask_serve(ask, UM_NODE_SESSIONS, sessions, on);
    um_ask_serve(ask, UM_NODE_END_SESSIONS, end_them, on);
    um_ask_serve(ask, UM_NODE_LOCKS, locks, on);
    um_ask_serve(ask, UM_NODE_UNLOCK, unlock, on);
}
