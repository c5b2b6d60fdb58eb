/* /gui/actuator/sessions: Spring's endpoint, for administrators with a session here. An id is what um_session_hash makes of the
 * real one: that is a secret of its user's. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "auth_int.h"

#define MEDIA_TYPE "application/vnd.spring-boot.actuator.v3+json"

struct admin {
    struct auth_wait wait;                /* first: what on_gone knows */
    void (*act)(struct admin *ad);        /* what is wanted, once it is known that the asker may */
    bool changes;                         /* needs the CSRF token */
    char *user;                           /* ?username= */
    char hash[UM_SESSION_HASH_LEN + 1];
    char asker[129];
    size_t n_open;                        /* ends that are not answered */
    um_err err;
};

static void admin_free(struct admin *ad)
{
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
    char *text = json_dumps(body, JSON_COMPACT);

    json_decref(body);
    if (ad->wait.rq != NULL) {
        um_http_add_header(ad->wait.rq, "Cache-Control", "no-store");
        um_http_reply(ad->wait.rq, 200, MEDIA_TYPE, UM_SPAN(text, text != NULL ? strlen(text) : 0));
    }
    free(text);
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

static void listed(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct admin *ad = arg;
    json_t *rows;

    if (has_failed(ad, err))
        return;
    rows = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(rows, session_json(list[i]));
    reply(ad, json_pack("{s:o}", "sessions", rows));
}

static void list_them(struct admin *ad)
{
    um_session_list(ad->wait.a->env.sessions, ad->wait.a->env.loop, ad->user, listed, ad);
}

static void shown(void *arg, um_err err, const struct um_session *s)
{
    struct admin *ad = arg;

    if (!has_failed(ad, err))
        reply(ad, session_json(s));
}

static void show_it(struct admin *ad)
{
    um_session_find(ad->wait.a->env.sessions, ad->wait.a->env.loop, ad->hash, shown, ad);
}

/* ---- ends ---- */

static void one_ended(void *arg, um_err err, const struct um_session *s)
{
    struct admin *ad = arg;

    (void)s;
    if (err != UM_OK)
        ad->err = err;
    if (--ad->n_open > 0 || has_failed(ad, ad->err))
        return;
    if (ad->wait.rq != NULL)
        um_http_reply(ad->wait.rq, 204, NULL, UM_SPAN("", 0));
    admin_free(ad);
}

static void end_session(struct admin *ad, const struct um_session *s)
{
    char hash[UM_SESSION_HASH_LEN + 1];

    um_session_hash(s->id, hash);
    um_log(UM_INFO, "gateway.session", "ended by an administrator", UM_S("session", hash), UM_S("user", s->user), UM_S("by", ad->asker));
    ad->n_open++;
    um_session_destroy(ad->wait.a->env.sessions, ad->wait.a->env.loop, s->id, one_ended, ad);
}

static void found_to_end(void *arg, um_err err, const struct um_session *s)
{
    struct admin *ad = arg;

    ad->n_open = 1;
    if (err == UM_OK)
        end_session(ad, s);
    one_ended(ad, err == UM_ENOTFOUND ? UM_OK : err, NULL);      /* to end what is over is success */
}

static void end_it(struct admin *ad)
{
    um_session_find(ad->wait.a->env.sessions, ad->wait.a->env.loop, ad->hash, found_to_end, ad);
}

static void listed_to_end(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct admin *ad = arg;

    ad->n_open = 1;
    for (size_t i = 0; err == UM_OK && i < n; i++)
        end_session(ad, list[i]);
    one_ended(ad, err, NULL);
}

static void end_all(struct admin *ad)
{
    um_session_list(ad->wait.a->env.sessions, ad->wait.a->env.loop, ad->user, listed_to_end, ad);
}

/* ---- who asks ---- */

static bool is_administrator(const struct um_session *s)
{
    struct um_span text = um_session_attr(s, ATTR_PROFILES);
    json_t *profiles = text.len > 0 ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
    bool is = false;

    for (size_t i = 0; i < json_array_size(profiles); i++) {
        const char *name = json_string_value(json_array_get(profiles, i));
        is |= name != NULL && (strcmp(name, "ADMIN") == 0 || strcmp(name, "SYSTEM_ADMIN") == 0);
    }
    json_decref(profiles);
    return is;
}

static void asker_found(void *arg, um_err err, const struct um_session *s)
{
    struct admin *ad = arg;

    if (ad->wait.rq == NULL) {
        admin_free(ad);
    } else if (err == UM_ENOTFOUND) {
        refuse(ad, 401, "U00401", "no session");
    } else if (err != UM_OK) {
        refuse(ad, 503, "U00503", "sessions are not available at the moment");
    } else if (!is_administrator(s)) {
        refuse(ad, 403, "U00403", "this needs another role");
    } else if (ad->changes && !auth_csrf_is_right(ad->wait.a, ad->wait.rq, s)) {
        refuse(ad, 403, "U00403", "the request lacks the session's CSRF token or comes from another site");
    } else {
        strncat(ad->asker, s->user, sizeof(ad->asker) - 1);
        ad->act(ad);
    }
}

static void begin(struct um_auth *a, struct um_http_req *rq, bool changes, void (*act)(struct admin *ad))
{
    const char *user = um_http_query(rq, "username"), *id = um_http_param(rq, "id");
    struct admin *ad;

    if (id == NULL && (user == NULL || user[0] == '\0')) {
        um_http_reply_error(rq, 400, "U00400", "the parameter username is needed");
        return;
    }
    ad = um_xcalloc(1, sizeof(*ad));
    auth_wait_start(&ad->wait, a, rq);
    ad->act = act;
    ad->changes = changes;
    ad->user = um_xstrdup(user != NULL ? user : "");
    if (id != NULL && strlen(id) == UM_SESSION_HASH_LEN)
        memcpy(ad->hash, id, UM_SESSION_HASH_LEN);       /* anything else is nobody's */
    auth_find_session(a, rq, asker_found, ad);
}

void um_auth_admin_list(struct um_auth *a, struct um_http_req *rq) { begin(a, rq, false, list_them); }
void um_auth_admin_end_all(struct um_auth *a, struct um_http_req *rq) { begin(a, rq, true, end_all); }
void um_auth_admin_show(struct um_auth *a, struct um_http_req *rq) { begin(a, rq, false, show_it); }
void um_auth_admin_end(struct um_auth *a, struct um_http_req *rq) { begin(a, rq, true, end_it); }
