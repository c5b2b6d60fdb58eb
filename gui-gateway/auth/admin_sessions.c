/* /gui/actuator/sessions: Spring's endpoint; and /core/rest/admin/sessions of a gateway that alone knows its sessions. Who asks was judged before (asker.c). An id is what um_session_hash makes of the real
 * one: that is a secret of its user's. Each end is a fact at a core. */
#include <auth/act.h>
#include <auth/asker.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/actuator.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "auth_int.h"

enum { TOLD_MAX = 20 };                   /* ended sessions that a fact names */

struct admin {
    struct auth_wait wait;                /* first: what on_gone knows */
    const char *member;                   /* who answers, in the core's words; NULL: in Spring's */
    char *user;                           /* ?username=, ?user= */
    char hash[UM_SESSION_HASH_LEN + 1];
    struct um_asker who;                  /* texts and profiles are ours */
    struct um_act *act;                   /* of ends */
    json_t *ended;                        /* [{"user","session"}], the first of them */
    size_t n_ended;
    size_t n_open;                        /* ends that are not answered */
    um_err err;
};

static void admin_free(struct admin *ad)
{
    um_act_drop(ad->act);
    json_decref(ad->ended);
    free(ad->who.user);
    free(ad->who.scope);
    json_decref(ad->who.profiles);
    free(ad->user);
    free(ad);
}

static void refuse(struct admin *ad, unsigned status, const char *code, const char *message)
{
    if (ad->wait.rq != NULL)
        um_http_reply_error(ad->wait.rq, status, code, message);
    admin_free(ad);
}

static void reply(struct admin *ad, json_t *body)
{
    if (ad->wait.rq != NULL)
        um_actuator_reply(NULL, ad->wait.rq, 200, body);
    else
        json_decref(body);
    admin_free(ad);
}

/* ---- what is told ---- */

static json_t *session_json(const struct um_session *s)
{
    char hash[UM_SESSION_HASH_LEN + 1], created[32], used[32];
    json_t *names = json_array();

    for (size_t i = 0; i < s->n_attrs; i++)
        json_array_append_new(names, json_string(s->attrs[i].name));
    um_session_hash(s->id, hash);
    um_wall_iso(s->created_at_ms, created);
    um_wall_iso(s->last_accessed_at_ms, used);
    return json_pack("{s:s, s:o, s:s, s:s, s:I, s:b}", "id", hash, "attributeNames", names, "creationTime", created,
                     "lastAccessedTime", used, "maxInactiveInterval", (json_int_t)s->max_inactive_s, "expired", 0);
}

/* The same as a core tells it of all gateways (core/rest/admin/logins.c). */
static json_t *row_json(const struct admin *ad, const struct um_session *s)
{
    char hash[UM_SESSION_HASH_LEN + 1], created[32], used[32];
    const char *scope = um_session_attr_str(s, ATTR_SCOPE);

    if (ad->member == NULL)
        return session_json(s);
    um_session_hash(s->id, hash);
    um_wall_iso(s->created_at_ms, created);
    um_wall_iso(s->last_accessed_at_ms, used);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "id", hash, "user", s->user, "scope", scope != NULL ? scope : "", "created", created,
                     "lastAccessed", used, "maxInactiveS", (json_int_t)s->max_inactive_s);
}

static json_t *members_json(const struct admin *ad) { return json_pack("[{s:s, s:b}]", "id", ad->member, "ok", 1); }

static bool has_failed(struct admin *ad, um_err err)
{
    if (err == UM_OK)
        return false;
    if (err == UM_ENOTFOUND)
        refuse(ad, 404, "U00404", "there is no such session");
    else
        refuse(ad, 503, "U00503", "sessions are not available at the moment");
    return true;
}

/* Others' are as if they were not there. */
static bool is_his(const struct admin *ad, const struct um_session *s)
{
    const char *scope = um_session_attr_str(s, ATTR_SCOPE);

    return um_asker_sees(&ad->who, scope != NULL && *scope != '\0' ? scope : ad->wait.a->env.conf->scope);
}

static void listed(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct admin *ad = arg;
    json_t *rows;

    if (has_failed(ad, err))
        return;
    rows = json_array();
    for (size_t i = 0; i < n; i++)
        if (is_his(ad, list[i]))
            json_array_append_new(rows, row_json(ad, list[i]));
    reply(ad, ad->member == NULL ? json_pack("{s:o}", "sessions", rows) : json_pack("{s:o, s:o}", "results", rows, "members", members_json(ad)));
}

static void shown(void *arg, um_err err, const struct um_session *s)
{
    struct admin *ad = arg;

    if (!has_failed(ad, err == UM_OK && !is_his(ad, s) ? UM_ENOTFOUND : err))
        reply(ad, session_json(s));
}

/* ---- ends ---- */

static void noted(void *arg)
{
    struct admin *ad = arg;

    if (has_failed(ad, ad->err))
        return;
    if (ad->member != NULL) {
        reply(ad, json_pack("{s:I, s:o}", "ended", (json_int_t)ad->n_ended, "members", members_json(ad)));
        return;
    }
    if (ad->wait.rq != NULL)
        um_http_reply(ad->wait.rq, 204, NULL, UM_SPAN("", 0));
    admin_free(ad);
}

static void one_ended(void *arg, um_err err, const struct um_session *s)
{
    struct admin *ad = arg;
    struct um_act *act = ad->act;

    (void)s;
    if (err != UM_OK)
        ad->err = err;
    if (--ad->n_open > 0)
        return;
    if (ad->n_ended == 0) {   /* nothing was there to be ended: that is no act */
        noted(ad);
        return;
    }
    um_act_note(act, "ended", json_integer((json_int_t)ad->n_ended));
    um_act_note(act, "before", json_incref(ad->ended));
    if (ad->err != UM_OK)
        um_act_note(act, "error", json_string(um_err_text(ad->err)));
    ad->act = NULL;
    um_act_done(act, noted, ad);
}

static void end_session(struct admin *ad, const struct um_session *s)
{
    char hash[UM_SESSION_HASH_LEN + 1];

    um_session_hash(s->id, hash);
    um_log(UM_INFO, "gateway.session", "ended by an administrator", UM_S("session", hash), UM_S("user", s->user), UM_S("by", ad->who.user));
    if (json_array_size(ad->ended) < TOLD_MAX)
        json_array_append_new(ad->ended, json_pack("{s:s, s:s}", "user", s->user, "session", hash));
    ad->n_ended++;
    ad->n_open++;
    um_session_destroy(ad->wait.a->env.sessions, ad->wait.a->env.loop, s->id, one_ended, ad);
}

static void listed_to_end(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct admin *ad = arg;

    ad->n_open = 1;
    for (size_t i = 0; err == UM_OK && i < n; i++)
        if (is_his(ad, list[i]))
            end_session(ad, list[i]);
    one_ended(ad, err == UM_ENOTFOUND ? UM_OK : err, NULL);      /* to end what is over is success */
}

static void found_to_end(void *arg, um_err err, const struct um_session *s) { listed_to_end(arg, err, &s, 1); }

/* ---- calls ---- */

/* NULL: replied. */
static struct admin *begin(struct um_auth *a, struct um_http_req *rq, const char *member)
{
    const char *user = um_http_query(rq, member != NULL ? "user" : "username"), *id = um_http_param(rq, "id");
    struct admin *ad;

    if (id == NULL && (user == NULL || user[0] == '\0')) {
        um_http_reply_error(rq, 400, "U00400", member != NULL ? "the parameter user is needed" : "the parameter username is needed");
        return NULL;
    }
    ad = um_xcalloc(1, sizeof(*ad));
    ad->member = member;
    auth_wait_start(&ad->wait, a, rq);
    ad->user = um_xstrdup(user != NULL ? user : "");
    ad->who.user = um_xstrdup(um_auth_asker(rq)->user);
    ad->who.scope = um_xstrdup(um_auth_asker(rq)->scope);
    ad->who.profiles = json_incref(um_auth_asker(rq)->profiles);
    if (id != NULL && strlen(id) == UM_SESSION_HASH_LEN)
        memcpy(ad->hash, id, UM_SESSION_HASH_LEN);       /* anything else is nobody's */
    return ad;
}

static struct admin *begin_end(struct um_auth *a, struct um_http_req *rq, const char *member, const char *action, const char *type)
{
    struct admin *ad = begin(a, rq, member);

    if (ad != NULL) {
        ad->act = um_act_new(a, rq, action, type, ad->hash[0] != '\0' ? ad->hash : ad->user);
        um_act_scope(ad->act, um_asker_has(&ad->who, "SYSTEM_ADMIN") ? "" : ad->who.scope);
        ad->ended = json_array();
    }
    return ad;
}

void um_auth_admin_list(struct um_auth *a, struct um_http_req *rq, const char *member)
{
    struct admin *ad = begin(a, rq, member);

    if (ad != NULL)
        um_session_list(a->env.sessions, a->env.loop, ad->user, listed, ad);
}

void um_auth_admin_end_all(struct um_auth *a, struct um_http_req *rq, const char *member)
{
    struct admin *ad = begin_end(a, rq, member, "END_SESSIONS", "USER");

    if (ad != NULL)
        um_session_list(a->env.sessions, a->env.loop, ad->user, listed_to_end, ad);
}

void um_auth_admin_show(struct um_auth *a, struct um_http_req *rq)
{
    struct admin *ad = begin(a, rq, NULL);

    if (ad != NULL)
        um_session_find(a->env.sessions, a->env.loop, ad->hash, shown, ad);
}

void um_auth_admin_end(struct um_auth *a, struct um_http_req *rq, const char *member)
{
    struct admin *ad = begin_end(a, rq, member, "END_SESSION", "SESSION");

    if (ad != NULL)
        um_session_find(a->env.sessions, a->env.loop, ad->hash, found_to_end, ad);
}
