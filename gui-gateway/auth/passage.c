/* Requests and WebSockets that go on to a core. A live session lends them its user; without one the client's own
 * credentials go on and the core judges (design.md 8). */
#include <proxy/forward.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

#include "auth_int.h"

struct passage {
    struct um_auth *a;
    struct um_forward *forward;           /* one of the two */
    struct um_tunnel *tunnel;
};

static bool is_reading(const struct um_http_req *rq)
{
    const char *method = um_http_method(rq);
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static void send_on(struct um_auth *a, struct um_forward *f, const struct um_session *s)
{
    struct um_http_req *rq = um_forward_request(f);
    const char *token;

    if (rq != NULL && !is_reading(rq) && !auth_csrf_is_right(a, rq, s))
        um_forward_refuse(f, 403, "U00403", "the request lacks the session's CSRF token or comes from another site");
    else if ((token = auth_mint_user(a, s)) == NULL)
        um_forward_refuse(f, 503, "U00503", "no token can be made at the moment");
    else
        um_forward_send(f, token);
}

static void forward_found(void *arg, um_err err, const struct um_session *s)
{
    struct passage *p = arg;

    if (err == UM_OK)
        send_on(p->a, p->forward, s);
    else if (err == UM_ENOTFOUND)
        um_forward_send(p->forward, NULL);
    else
        um_forward_refuse(p->forward, 503, "U00503", "sessions are not available at the moment");
    free(p);
}

void um_auth_forward(struct um_auth *a, struct um_http_req *rq)
{
    struct passage *p = um_xcalloc(1, sizeof(*p));

    p->a = a;
    p->forward = um_forward_new(a->env.upstream, a->env.trusted, rq);
    auth_find_session(a, rq, forward_found, p);
}

static void open_tunnel(struct um_auth *a, struct um_tunnel *t, const struct um_session *s)
{
    struct um_http_req *rq = um_tunnel_request(t);
    const char *fault = rq != NULL ? auth_origin_fault(a, rq) : NULL, *token;

    if (fault != NULL) {
        um_count(&auth_metrics[AUTH_M_ORIGIN], 1);
        um_log_limited(UM_WARN, "gateway.auth", "foreign-origin", UM_S("reason", fault), UM_S("origin", um_http_header(rq, "Origin")),
                       UM_S("host", um_http_header(rq, "Host")), UM_S("user", s->user), UM_S("request", um_http_request_id(rq)));
        um_tunnel_refuse(t, 403, "U00403", "this origin may not use the session");
    } else if ((token = auth_mint_user(a, s)) == NULL) {
        um_tunnel_refuse(t, 503, "U00503", "no token can be made at the moment");
    } else {
        um_tunnel_open(t, token, s->id);
    }
}

static void tunnel_found(void *arg, um_err err, const struct um_session *s)
{
    struct passage *p = arg;

    if (err == UM_OK)
        open_tunnel(p->a, p->tunnel, s);
    else if (err == UM_ENOTFOUND)
        um_tunnel_open(p->tunnel, NULL, NULL);
    else
        um_tunnel_refuse(p->tunnel, 503, "U00503", "sessions are not available at the moment");
    free(p);
}

struct caller {
    um_session_cb *cb;
    void *arg;
    bool is_foreign;
};

static void caller_found(void *arg, um_err err, const struct um_session *s)
{
    struct caller *c = arg;

    if (err == UM_OK && c->is_foreign) {
        um_count(&auth_metrics[AUTH_M_ORIGIN], 1);
        um_log_limited(UM_WARN, "gateway.auth", "foreign-origin", UM_S("user", s->user));
        c->cb(c->arg, UM_EDENIED, NULL);
    } else {
        c->cb(c->arg, err, s);
    }
    free(c);
}

void um_auth_find_caller(struct um_auth *a, const struct um_http_req *rq, um_session_cb *cb, void *arg)
{
    struct caller *c = um_xcalloc(1, sizeof(*c));

    /* Pages of one origin send none with a plain GET. */
    *c = (struct caller){ cb, arg, um_http_wants_websocket(rq) ? auth_origin_fault(a, rq) != NULL : !auth_is_same_site(a, rq) };
    auth_find_session(a, rq, caller_found, c);
}

void um_auth_tunnel(struct um_auth *a, struct um_http_req *rq)
{
    struct passage *p = um_xcalloc(1, sizeof(*p));

    p->a = a;
    p->tunnel = um_tunnel_new(a->tunnels, rq);
    auth_find_session(a, rq, tunnel_found, p);
}

/* ---- one core more for a socket that is open ---- */

struct renewing {
    struct um_auth *a;
    struct um_renewal *r;
};

static void renewal_found(void *arg, um_err err, const struct um_session *s)
{
    struct renewing *w = arg;
    const char *token = err == UM_OK ? auth_mint_user(w->a, s) : NULL;

    um_renewal_done(w->r, err == UM_OK && token == NULL ? UM_EUNAVAIL : err, token);
    free(w);
}

void auth_renew(void *arg, const char *session_id, struct um_renewal *r)
{
    struct renewing *w = um_xcalloc(1, sizeof(*w));

    w->a = arg;
    w->r = r;
    um_session_get(w->a->env.sessions, w->a->env.loop, session_id, renewal_found, w);
}
