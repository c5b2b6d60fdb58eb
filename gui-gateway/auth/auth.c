/* Life of the module, and finding the session of a request. */
#include "auth_int.h"

#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

struct um_metric auth_metrics[AUTH_M_N] = {
    [AUTH_M_LOGINS]           = { "gateway.logins", "logins", "logins that succeeded", UM_COUNTER, 0 },
    [AUTH_M_LOGINS_REFUSED]   = { "gateway.logins.refused", "logins", "logins with a wrong user or password", UM_COUNTER, 0 },
    [AUTH_M_LOGINS_THROTTLED] = { "gateway.logins.throttled", "logins", "logins refused unheard after too many failures", UM_COUNTER, 0 },
    [AUTH_M_CSRF]             = { "gateway.refused.csrf", "requests", "requests without the session's CSRF token, or from another site", UM_COUNTER, 0 },
    [AUTH_M_ORIGIN]           = { "gateway.refused.origin", "handshakes", "WebSocket handshakes with a cookie and a foreign origin", UM_COUNTER, 0 },
    [AUTH_M_COOKIES]          = { "gateway.refused.cookies", "requests", "requests whose cookies name several live sessions", UM_COUNTER, 0 },
};

void um_auth_start(void)
{
    um_metrics_register(auth_metrics, AUTH_M_N);
}

/* ---- finding the session ---- */

/* A browser sends several cookies of one name when a neighbouring host or a path of ours has set one beside the user's. Old ones
 * name no session and are passed over. Two that live would let whoever has put one there choose whose session it is: then there
 * is none. */
struct search {
    struct um_auth *a;
    um_session_cb *cb;
    void *arg;
    char ids[AUTH_COOKIES_MAX][UM_SESSION_ID_LEN + 1];
    size_t n, i, live;                    /* LIVE: the one that was found; N: none yet */
};

static void answer(struct search *q, um_err err, const struct um_session *s)
{
    if (err == UM_OK)
        um_session_touch(q->a->env.sessions, s->id);
    q->cb(q->arg, err, s);
    free(q);
}

static void refuse_several(struct search *q)
{
    um_count(&auth_metrics[AUTH_M_COOKIES], 1);
    um_log_limited(UM_WARN, "gateway.auth", "several-sessions", UM_I("cookies", q->n));
    answer(q, UM_ENOTFOUND, NULL);
}

static void found_again(void *arg, um_err err, const struct um_session *s) { answer(arg, err, s); }

static void found(void *arg, um_err err, const struct um_session *s)
{
    struct search *q = arg;
    struct um_sessions *sessions = q->a->env.sessions;
    bool is_last = ++q->i == q->n;

    if (err == UM_OK && q->live < q->n && strcmp(q->ids[q->live], s->id) != 0)
        refuse_several(q);
    else if ((err != UM_OK && err != UM_ENOTFOUND) || (is_last && (err == UM_OK || q->live == q->n)))
        answer(q, err, s);
    else if (is_last)
        um_session_get(sessions, q->a->env.loop, q->ids[q->live], found_again, q);
    else {
        q->live = err == UM_OK ? q->i - 1 : q->live;
        um_session_get(sessions, q->a->env.loop, q->ids[q->i], found, q);
    }
}

void auth_find_session(struct um_auth *a, const struct um_http_req *rq, um_session_cb *cb, void *arg)
{
    struct search *q = um_xcalloc(1, sizeof(*q));

    q->a = a;
    q->cb = cb;
    q->arg = arg;
    q->live = q->n = auth_cookie_ids(a, rq, q->ids);
    if (q->n == 0) {
        free(q);
        cb(arg, UM_ENOTFOUND, NULL);
        return;
    }
    um_session_get(a->env.sessions, a->env.loop, q->ids[0], found, q);
}

static void waiting_client_left(void *arg)
{
    struct auth_wait *w = arg;
    w->rq = NULL;
}

void auth_wait_start(struct auth_wait *w, struct um_auth *a, struct um_http_req *rq)
{
    w->a = a;
    w->rq = rq;
    um_http_on_gone(rq, waiting_client_left, w);
}

/* ---- life ---- */

void auth_session_ended(struct um_auth *a, const char *id)
{
    auth_forget_minted(a, id);
    um_tunnels_close_session(a->tunnels, id, "the session has ended");
}

static void session_ended(void *arg, const char *id, enum um_session_end why)
{
    struct um_auth *a = arg;
    char hash[UM_SESSION_HASH_LEN + 1];

    auth_session_ended(a, id);
    if (um_loop_index(a->env.loop) == 0 && um_log_is_on(UM_INFO, "gateway.session")) {     /* every reactor hears it; one tells */
        um_session_hash(id, hash);
        um_log(UM_INFO, "gateway.session", "ended", UM_S("session", hash), UM_S("reason", um_session_end_text(why)));
    }
}

static void tunnel_used(void *arg, const char *session_id)
{
    struct um_auth *a = arg;
    um_session_touch(a->env.sessions, session_id);
}

static const struct um_tunnels_handler tunnels_handler = { tunnel_used, auth_renew };

struct um_auth *um_auth_new(const struct um_auth_env *env)
{
    struct um_auth *a = um_xcalloc(1, sizeof(*a));

    a->env = *env;
    um_list_init(&a->checks);
    a->tunnels = um_tunnels_new(env->upstream, env->trusted, env->tunnels, env->ws, &tunnels_handler, a);
    um_sessions_listen(env->sessions, env->loop, session_ended, a);
    um_sessions_on_doubt(env->sessions, env->loop, &auth_recheck, a);
    return a;
}

void um_auth_drain(struct um_auth *a, int64_t spread_ms)
{
    um_tunnels_drain(a->tunnels, spread_ms);
}

void um_auth_stop(struct um_auth *a)
{
    um_tunnels_close_all(a->tunnels, "the gateway stops");
}

void um_auth_free(struct um_auth *a)
{
    if (a == NULL)
        return;
    um_tunnels_free(a->tunnels);
    auth_forget_checks(a);
    auth_free_minted(a);
    free(a);
}

size_t um_auth_tunnels(const struct um_auth *a)
{
    return um_tunnels_open(a->tunnels);
}
