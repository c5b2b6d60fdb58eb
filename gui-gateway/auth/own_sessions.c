/* A user's own sessions: the present one, all of them, and their end (SEC-02). */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "auth_int.h"
#include "own_sessions.h"

/* One request of this file: it waits for its session, then perhaps for a list or a destruction. */
struct own {
    struct auth_wait wait;                /* first: what on_gone knows */
    const struct um_session *session;     /* the asker's; a reference */
    char target[UM_SESSION_HASH_LEN + 1]; /* which one is to end */
    bool is_logout;
};

static struct own *own_new(struct um_auth *a, struct um_http_req *rq)
{
    struct own *o = um_xcalloc(1, sizeof(*o));

    auth_wait_start(&o->wait, a, rq);
    return o;
}

static void own_free(struct own *o)
{
    um_session_unref(o->session);
    free(o);
}

static void no_session(struct own *o, um_err err)
{
    if (err == UM_ENOTFOUND)
        um_http_reply_error(o->wait.rq, 401, "U00401", "no session");
    else
        um_http_reply_error(o->wait.rq, 503, "U00503", "sessions are not available at the moment");
}

/* What each answer starts with: false when there is nobody to answer or no session to speak of. O is freed then. */
static bool goes_on(struct own *o, um_err err, const struct um_session *s)
{
    if (o->wait.rq != NULL && err == UM_OK) {
        o->session = um_session_ref(s);
        return true;
    }
    if (o->wait.rq != NULL)
        no_session(o, err);
    own_free(o);
    return false;
}

/* An account of the properties is changed there. */
static bool may_change_password(const struct um_auth *a, const struct um_session *s)
{
    const char *account = um_session_attr_str(s, ATTR_ACCOUNT);

    return a->env.conf->offers_password_change && account != NULL && *account != '\0';
}

json_t *auth_session_json(const struct um_auth *a, const struct um_session *s)
{
    const char *name = um_session_attr_str(s, ATTR_NAME), *csrf = um_session_attr_str(s, ATTR_CSRF);
    const char *scope = um_session_attr_str(s, ATTR_SCOPE);
    struct um_span profiles = um_session_attr(s, ATTR_PROFILES);
    json_t *list = profiles.len > 0 ? json_loadb((const char *)profiles.data, profiles.len, 0, NULL) : NULL;

    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:b}", "user", s->user, "displayName", name != NULL ? name : s->user,
                     "profiles", list != NULL ? list : json_array(), "scope", scope != NULL ? scope : "", "csrf", csrf != NULL ? csrf : "",
                     "passwordChange", may_change_password(a, s));
}

/* ---- GET /gui/rest/session ---- */

static void show_found(void *arg, um_err err, const struct um_session *s)
{
    struct own *o = arg;

    if (!goes_on(o, err, s))
        return;
    um_http_reply_json(o->wait.rq, 200, auth_session_json(o->wait.a, s));
    own_free(o);
}

void um_auth_show_session(struct um_auth *a, struct um_http_req *rq)
{
    auth_find_session(a, rq, show_found, own_new(a, rq));
}

/* ---- DELETE /gui/rest/session ---- */

static void ended(void *arg, um_err err, const struct um_session *s)
{
    struct own *o = arg;

    (void)s;
    if (o->wait.rq != NULL && err == UM_OK) {
        if (o->is_logout)
            auth_set_cookie(o->wait.a, o->wait.rq, NULL);
        um_http_reply(o->wait.rq, 204, NULL, UM_SPAN("", 0));
    } else if (o->wait.rq != NULL) {
        um_http_reply_error(o->wait.rq, 503, "U00503", "it is not certain yet that the session stays ended; try again");
    }
    own_free(o);
}

static void logout_found(void *arg, um_err err, const struct um_session *s)
{
    struct own *o = arg;

    if (err == UM_ENOTFOUND && o->wait.rq != NULL) {               /* to end what is over is success */
        auth_set_cookie(o->wait.a, o->wait.rq, NULL);
        um_http_reply(o->wait.rq, 204, NULL, UM_SPAN("", 0));
        own_free(o);
        return;
    }
    if (!goes_on(o, err, s))
        return;
    if (!auth_csrf_is_right(o->wait.a, o->wait.rq, s)) {
        um_http_reply_error(o->wait.rq, 403, "U00403", "the request lacks the session's CSRF token or comes from another site");
        own_free(o);
        return;
    }
    o->is_logout = true;                  /* the cookie goes when it is done: with it the client can try again */
    um_session_destroy(o->wait.a->env.sessions, o->wait.a->env.loop, s->id, ended, o);
}

void um_auth_logout(struct um_auth *a, struct um_http_req *rq)
{
    auth_find_session(a, rq, logout_found, own_new(a, rq));
}

/* ---- GET /gui/rest/session/list ---- */

static json_t *row_of(const struct um_session *s, const struct um_session *present)
{
    char hash[UM_SESSION_HASH_LEN + 1], created[32], used[32];

    um_session_hash(s->id, hash);
    um_wall_iso(s->created_at_ms, created);
    um_wall_iso(s->last_accessed_at_ms, used);
    return json_pack("{s:s, s:b, s:s, s:s, s:I}", "id", hash, "current", strcmp(s->id, present->id) == 0,
                     "creationTime", created, "lastAccessedTime", used, "maxInactiveInterval", (json_int_t)s->max_inactive_s);
}

static void listed(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct own *o = arg;
    json_t *rows;

    if (o->wait.rq == NULL) {
        own_free(o);
        return;
    }
    if (err != UM_OK) {
        no_session(o, err);
        own_free(o);
        return;
    }
    rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, row_of(list[i], o->session));
    um_http_reply_json(o->wait.rq, 200, rows);
    own_free(o);
}

static void list_found(void *arg, um_err err, const struct um_session *s)
{
    struct own *o = arg;

    if (goes_on(o, err, s))
        um_session_list(o->wait.a->env.sessions, o->wait.a->env.loop, s->user, listed, o);
}

void um_auth_list_sessions(struct um_auth *a, struct um_http_req *rq)
{
    auth_find_session(a, rq, list_found, own_new(a, rq));
}

/* ---- DELETE /gui/rest/session/{id} ---- */

static void end_listed(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct own *o = arg;
    struct um_auth_env *env = &o->wait.a->env;
    char hash[UM_SESSION_HASH_LEN + 1];

    for (size_t i = 0; err == UM_OK && i < n; i++) {
        um_session_hash(list[i]->id, hash);
        if (um_const_time_eq(hash, o->target, UM_SESSION_HASH_LEN)) {
            um_session_destroy(env->sessions, env->loop, list[i]->id, ended, o);
            return;
        }
    }
    ended(o, err, NULL);
}

static void end_found(void *arg, um_err err, const struct um_session *s)
{
    struct own *o = arg;

    if (!goes_on(o, err, s))
        return;
    if (!auth_csrf_is_right(o->wait.a, o->wait.rq, s)) {
        um_http_reply_error(o->wait.rq, 403, "U00403", "the request lacks the session's CSRF token or comes from another site");
        own_free(o);
        return;
    }
    um_session_list(o->wait.a->env.sessions, o->wait.a->env.loop, s->user, end_listed, o);
}

void um_auth_end_session(struct um_auth *a, struct um_http_req *rq)
{
    const char *id = um_http_param(rq, "id");
    struct own *o;

    if (id == NULL || strlen(id) != UM_SESSION_HASH_LEN) {
        um_http_reply_error(rq, 400, "U00400", "this is no id of a session");
        return;
    }
    o = own_new(a, rq);
    memcpy(o->target, id, sizeof(o->target));
    auth_find_session(a, rq, end_found, o);
}
