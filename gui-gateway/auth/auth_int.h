/* Inside the module: finding the session of a request, its cookie, its token, and what may come from another site. */
#ifndef AUTH_INT_H
#define AUTH_INT_H
#include <auth/auth.h>
#include <proxy/exchange.h>
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/metrics.h>

/* Attributes of a session, beside its user. Lists are JSON arrays of strings. */
#define ATTR_NAME     "displayName"
#define ATTR_SCOPE    "scope"
#define ATTR_PROFILES "profiles"
#define ATTR_GROUPS   "groups"
#define ATTR_ACCOUNT  "account"      /* claim of umbel/token.h; "" of a user of the internal realm */
#define ATTR_CSRF     "csrf"

enum { AUTH_COOKIES_MAX = 4 };            /* SESSION cookies of one request that are tried */

struct um_auth {
    struct um_auth_env env;
    struct um_tunnels *tunnels;
    struct um_map minted;                 /* session id -> struct minted; this reactor's own */
    /* recheck.c */
    struct um_list checks;                /* sessions that this round has still to ask for */
    size_t n_asked;                       /* without an answer yet */
    bool check_again;
};

enum { AUTH_M_LOGINS, AUTH_M_LOGINS_REFUSED, AUTH_M_LOGINS_THROTTLED, AUTH_M_CSRF, AUTH_M_ORIGIN, AUTH_M_COOKIES, AUTH_M_N };
extern struct um_metric auth_metrics[AUTH_M_N];

/* --- finding the session. CB runs exactly once, later or at once: UM_OK with the session, which has been touched;
 * UM_ENOTFOUND: none (no cookie, or none that is alive); UM_EUNAVAIL: cannot be known now. */
void auth_find_session(struct um_auth *a, const struct um_http_req *rq, um_session_cb *cb, void *arg);
/* What an end of session ID asks for here: its tunnels and tokens go. */
void auth_session_ended(struct um_auth *a, const char *id);
/* Whether the sessions of open tunnels are still there; ARG: the um_auth. */
extern const struct um_session_doubt auth_recheck;
void auth_forget_checks(struct um_auth *a);
/* The ids in the request's session cookies. */
size_t auth_cookie_ids(const struct um_auth *a, const struct um_http_req *rq, char ids[AUTH_COOKIES_MAX][UM_SESSION_ID_LEN + 1]);
/* Set-Cookie with ID, or one that deletes it (ID NULL). */
void auth_set_cookie(struct um_auth *a, struct um_http_req *rq, const char *id);

/* A request of ours that waits for its session. `rq` becomes NULL when the client leaves. */
struct auth_wait {
    struct um_auth *a;
    struct um_http_req *rq;
};
void auth_wait_start(struct auth_wait *w, struct um_auth *a, struct um_http_req *rq);

/* --- tokens for the core */
void auth_renew(void *arg, const char *session_id, struct um_renewal *r);       /* passage.c; ARG: the um_auth */
const char *auth_mint_user(struct um_auth *a, const struct um_session *s);      /* borrowed until the next call; NULL: out of memory */
um_err auth_mint_gateway(struct um_auth *a, const char *client_address, struct um_buf *out) UM_CHECK_RESULT;
void auth_forget_minted(struct um_auth *a, const char *session_id);
void auth_free_minted(struct um_auth *a);

/* --- a core judges a password (login.c) */
struct auth_password { const char *user, *password, *scope; };
/* POST /core/rest/authentication on behalf of RQ from ADDRESS. UM_OK: CB runs once, later. The throttle is the caller's business. */
um_err auth_ask_core(struct um_auth *a, const struct um_http_req *rq, const char *address, const struct auth_password *p, um_call_cb *cb,
                     void *arg) UM_CHECK_RESULT;
/* The user token in {"value": "..."}; CLAIMS are the caller's to free, in any case. UM_EDENIED: core and gateway do not share token.key. */
um_err auth_read_verdict(const struct um_auth *a, struct um_span body, struct um_token_claims *claims) UM_CHECK_RESULT;

/* --- other sites */
/* For WebSockets that a cookie opens (SEC-04): NULL when there is exactly one Origin, our own or an allowed one; otherwise
 * "missing", "repeated" or "foreign". */
const char *auth_origin_fault(const struct um_auth *a, const struct um_http_req *rq);
/* No sign that another site's page has made this request: Sec-Fetch-Site and Origin, where the browser sends them. */
bool auth_is_same_site(const struct um_auth *a, const struct um_http_req *rq);
/* For what changes something in the name of a session: auth_is_same_site and the session's CSRF token. */
bool auth_csrf_is_right(const struct um_auth *a, const struct um_http_req *rq, const struct um_session *s);

#endif
