/* Requests under the path of Engine.IO: the checks in the order of the reference, CORS, the handshake, and replies. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "engine_int.h"
#include "forward.h"

/* By code; the answer's status is 400, but for 4. */
static const char *const messages[] = {
    "Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request", "Forbidden", "Unsupported protocol version",
};
enum { UNKNOWN_TRANSPORT, UNKNOWN_SID, BAD_METHOD, BAD_REQUEST, FORBIDDEN, UNSUPPORTED_VERSION, NO_ERROR = -1 };

/* --- CORS --------------------------------------------------------------------------------------------------------------- */

static bool listed(const struct um_conf_list *list, const char *origin)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], origin) == 0)
            return true;
    return false;
}

static void put_cors(const struct um_sio_conf *cf, struct um_http_req *rq)
{
    const struct um_conf_list *list = &cf->cors_origins;
    const char *origin = um_http_header(rq, "Origin");

    if (list->n == 0)
        return;
    if (listed(list, "*")) {
        um_http_add_header(rq, "Access-Control-Allow-Origin", "*");
    } else {
        if (list->n == 1)
            um_http_add_header(rq, "Access-Control-Allow-Origin", list->items[0]);
        else if (origin != NULL && listed(list, origin))
            um_http_add_header(rq, "Access-Control-Allow-Origin", origin);
        um_http_add_header(rq, "Vary", "Origin");
    }
    if (cf->cors_credentials)
        um_http_add_header(rq, "Access-Control-Allow-Credentials", "true");
}

static void preflight(const struct um_sio_conf *cf, struct um_http_req *rq)
{
    const char *wanted = um_http_header(rq, "Access-Control-Request-Headers");

    put_cors(cf, rq);
    um_http_add_header(rq, "Access-Control-Allow-Methods", "GET,HEAD,PUT,PATCH,POST,DELETE");
    if (wanted != NULL) {
        um_http_add_header(rq, "Access-Control-Allow-Headers", wanted);
        um_http_add_header(rq, "Vary", "Access-Control-Request-Headers");
    }
    um_http_reply(rq, 204, NULL, UM_SPAN("", 0));
}

/* --- replies -------------------------------------------------------------------------------------------------------------- */

static void put_error(struct um_buf *b, int code, const char *text)
{
    um_buf_printf(b, "{\"code\":%d,\"message\":\"", code);
    um_json_escape(b, UM_SPAN_STR(text));
    um_buf_puts(b, "\"}");
}

/* A WebSocket that is not welcome gets the text alone, and always 400. */
static void refuse(struct eio_engine *e, struct um_http_req *rq, int code, const char *text)
{
    struct um_buf b = { 0 };

    if (text == NULL)
        text = messages[code];
    sio_count(SIO_M_REFUSED, 1);
    um_log_limited(UM_DEBUG, "sio", "refused", UM_I("code", code), UM_S("why", text), UM_S("peer", um_http_peer(rq)));
    put_cors(e->all->conf, rq);
    if (um_http_wants_websocket(rq)) {
        um_http_add_header(rq, "Connection", "close");
        um_http_reply(rq, 400, "text/html", UM_SPAN_STR(text));
        return;
    }
    put_error(&b, code, text);
    um_http_reply(rq, code == FORBIDDEN ? 403 : 400, "application/json", UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

void eio_call_error(struct eio_call *c, int code)
{
    struct um_buf b = { 0 };

    sio_count(SIO_M_REFUSED, 1);
    put_error(&b, code, messages[code]);
    eio_call_answer(c, 400, "application/json", um_buf_to_bytes(&b));
    um_buf_free(&b);
}

/* --- a call's way home -------------------------------------------------------------------------------------------------------- */

static void call_unref(struct eio_call *c)
{
    if (atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    um_bytes_unref(c->body);
    um_bytes_unref(c->answer);
    free(c);
}

struct parcel {                           /* a socket, and the bytes that came with it, on the way to its session */
    struct um_msg msg;
    struct eio_engine *owner;
    char sid[SIO_ID_LEN + 1];
    int fd;
    size_t n_early;
    uint8_t early[];
};

static void unpack(struct um_msg *m)
{
    struct parcel *p = UM_CONTAINER(m, struct parcel, msg);

    eio_wire_arrive(p->owner, p->sid, p->fd, UM_SPAN(p->early, p->n_early));
    free(p);
}

static void take_socket(void *arg, int fd, struct um_span early)
{
    struct eio_call *c = arg;
    struct parcel *p;

    if (fd >= 0 && (c->home == c->owner || c->home->all->ended)) {
        eio_wire_arrive(c->owner, c->sid, fd, early);
    } else if (fd >= 0) {
        p = um_xmalloc(sizeof(*p) + early.len);
        p->owner = c->owner;
        p->fd = fd;
        p->n_early = early.len;
        memcpy(p->sid, c->sid, sizeof(p->sid));
        if (early.len > 0)
            memcpy(p->early, early.data, early.len);
        sio_count(SIO_M_MOVED, 1);
        um_loop_post(c->owner->loop, &p->msg, unpack);
    }
    call_unref(c);
}

static void reply_socket(struct eio_call *c)
{
    struct um_http_req *rq = c->rq;

    if (c->status == 101) {
        put_cors(c->home->all->conf, rq);
        um_http_upgrade(rq, NULL, take_socket, c);
        return;
    }
    refuse(c->home, rq, UNKNOWN_SID, NULL);
    call_unref(c);
}

void eio_reply(struct eio_call *c)
{
    struct um_http_req *rq = c->rq;

    if (rq == NULL) {
        call_unref(c);
        return;
    }
    um_http_on_gone(rq, NULL, NULL);
    if (c->method == EIO_ASK_SOCKET) {
        reply_socket(c);
        return;
    }
    put_cors(c->home->all->conf, rq);
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (c->answer != NULL)
        um_http_reply_bytes(rq, c->status, c->type, c->answer);
    else
        um_http_reply(rq, c->status, NULL, UM_SPAN("", 0));
    call_unref(c);
}

struct farewell { struct um_msg msg; struct eio_call *call; };

static void farewell_arrived(struct um_msg *m)
{
    struct farewell *f = UM_CONTAINER(m, struct farewell, msg);

    eio_poll_gone(f->call);
    call_unref(f->call);
    free(f);
}

static void client_left(void *arg)
{
    struct eio_call *c = arg;
    struct farewell *f;

    c->rq = NULL;
    if (c->home == c->owner || c->home->all->ended) {
        eio_poll_gone(c);
        return;
    }
    f = um_xcalloc(1, sizeof(*f));
    f->call = c;
    atomic_fetch_add(&c->refs, 1);
    um_loop_post(c->owner->loop, &f->msg, farewell_arrived);
}

static bool is_octets(const struct um_http_req *rq)
{
    const char *type = um_http_header(rq, "Content-Type");
    return type != NULL && um_ascii_ieq(type, "application/octet-stream");
}

static void send_call(struct eio_engine *home, struct eio_engine *owner, struct um_http_req *rq, enum eio_method method, const char *sid)
{
    struct um_span body = um_http_body(rq);
    struct eio_call *c = calloc(1, sizeof(*c));

    if (c != NULL && method == EIO_POST && (c->body = um_bytes_dup(body.data, body.len)) == NULL) {
        free(c);
        c = NULL;
    }
    if (c == NULL) {
        um_http_reply(rq, 503, NULL, UM_SPAN("", 0));
        return;
    }
    atomic_init(&c->refs, 1);
    c->home = home;
    c->owner = owner;
    c->rq = rq;
    c->method = method;
    c->is_octets = is_octets(rq);
    memcpy(c->sid, sid, sizeof(c->sid));
    /* The heartbeat bounds a poll. */
    um_http_deadline(rq, home->all->conf->ping_interval_ms + home->all->conf->ping_timeout_ms + EIO_LAST_POLL_MS);
    um_http_on_gone(rq, client_left, c);
    eio_send_call(c);
}

/* --- the handshake ------------------------------------------------------------------------------------------------------------------ */

struct handshake {
    struct eio_engine *engine;
    struct um_http_req *rq;               /* NULL: the client has left */
    bool socket;
};

static size_t text_size(const char *s) { return s != NULL ? strlen(s) + 1 : 0; }

static const char *put_text(char **at, const char *s)
{
    char *to = *at;

    if (s == NULL)
        return NULL;
    memcpy(to, s, strlen(s) + 1);
    *at += strlen(s) + 1;
    return to;
}

static struct um_span put_span(char **at, struct um_span s)
{
    char *to = *at;

    if (s.len > 0)
        memcpy(to, s.data, s.len);
    *at += s.len;
    return UM_SPAN(to, s.len);
}

static struct eio_who *copy_who(const struct um_sio_who *w)
{
    struct eio_who *copy;
    char *at;

    if (w == NULL || w->user == NULL)
        return NULL;
    copy = um_xcalloc(1, sizeof(*copy));
    copy->memory = at = um_xmalloc(text_size(w->user) + text_size(w->scope) + text_size(w->session) + w->profiles.len + w->groups.len);
    copy->is.user = put_text(&at, w->user);
    copy->is.scope = put_text(&at, w->scope);
    copy->is.session = put_text(&at, w->session);
    copy->is.profiles = put_span(&at, w->profiles);
    copy->is.groups = put_span(&at, w->groups);
    return copy;
}

static void put_cookie(const struct um_sio_conf *cf, struct um_http_req *rq, const char *sid)
{
    char cookie[160];

    if (cf->cookie[0] == '\0')
        return;
    snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; HttpOnly; SameSite=Lax", cf->cookie, sid);
    um_http_add_header(rq, "Set-Cookie", cookie);
}

static void open_polling(struct eio_engine *e, struct um_http_req *rq, struct eio_session *s)
{
    struct um_buf b = { 0 };

    put_cors(e->all->conf, rq);
    put_cookie(e->all->conf, rq, s->sid);
    um_http_add_header(rq, "Cache-Control", "no-store");
    eio_open_packet(s, true, &b);
    um_http_reply(rq, 200, "text/plain; charset=UTF-8", UM_SPAN(b.data, b.len));
    um_buf_free(&b);
    eio_opened(s);
}

struct opening { struct eio_engine *engine; char sid[SIO_ID_LEN + 1]; };

static void take_new_socket(void *arg, int fd, struct um_span early)
{
    struct opening *o = arg;
    struct eio_session *s = eio_find(o->engine, o->sid);
    struct eio_wire *w = fd >= 0 ? eio_wire_new(o->engine, fd, early) : NULL;
    struct um_buf b = { 0 };

    free(o);
    if (w == NULL || s == NULL) {
        if (w != NULL)
            eio_wire_close(w);
        if (s != NULL)
            eio_end(s, "transport close");
        return;
    }
    eio_open_packet(s, false, &b);
    um_ws_send_message(w->ws, UM_WS_TEXT, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
    eio_wire_take(w, s);
    eio_opened(s);
}

static void open_socket(struct eio_engine *e, struct um_http_req *rq, struct eio_session *s)
{
    struct opening *o = um_xcalloc(1, sizeof(*o));

    o->engine = e;
    memcpy(o->sid, s->sid, sizeof(o->sid));
    put_cors(e->all->conf, rq);
    put_cookie(e->all->conf, rq, s->sid);
    um_http_upgrade(rq, NULL, take_new_socket, o);
}

static void handshake_gone(void *arg)
{
    ((struct handshake *)arg)->rq = NULL;
}

static void who_is_known(void *arg, um_err err, const struct um_sio_who *who, const char *why)
{
    struct handshake *h = arg;
    struct eio_engine *e = h->engine;
    struct um_http_req *rq = h->rq;
    bool socket = h->socket;
    struct eio_session *s;

    free(h);
    if (rq == NULL)
        return;
    um_http_on_gone(rq, NULL, NULL);
    if (err == UM_EDENIED)
        refuse(e, rq, FORBIDDEN, why);
    else if (err != UM_OK || e->draining || (s = eio_session_new(e, rq, copy_who(who))) == NULL)
        um_http_reply(rq, 503, NULL, UM_SPAN("", 0));
    else if (socket)
        open_socket(e, rq, s);
    else
        open_polling(e, rq, s);
}

static void shake_hands(struct eio_engine *e, struct um_http_req *rq, bool socket)
{
    struct handshake *h = um_xcalloc(1, sizeof(*h));

    h->engine = e;
    h->rq = rq;
    h->socket = socket;
    um_http_on_gone(rq, handshake_gone, h);
    if (e->ask != NULL)
        e->ask(e->ask_ctx, rq, who_is_known, h);
    else
        who_is_known(h, UM_OK, NULL, NULL);
}

/* --- the checks ------------------------------------------------------------------------------------------------------------------------ */

static const char *given_sid(const struct um_http_req *rq)
{
    const char *sid = um_http_query(rq, "sid");
    return sid != NULL && *sid != '\0' ? sid : NULL;
}

static bool is_query(const struct um_http_req *rq, const char *name, const char *value)
{
    const char *given = um_http_query(rq, name);
    return given != NULL && strcmp(given, value) == 0;
}

/* Whose session is it? NULL: nobody's. */
static struct eio_engine *owner_of(struct eio_engine *e, const char *sid)
{
    struct sio_owner o;

    return sio_id_owner(sid, &o) && o.member == e->all->member && o.reactor < e->all->n ? e->all->at[o.reactor] : NULL;
}

static int handshake_fault(const struct um_http_req *rq, bool socket)
{
    if (strcmp(um_http_method(rq), "GET") != 0)
        return BAD_METHOD;
    if (socket != is_query(rq, "transport", "websocket"))
        return BAD_REQUEST;
    return is_query(rq, "EIO", "4") ? NO_ERROR : UNSUPPORTED_VERSION;
}

static bool is_known_transport(const struct um_http_req *rq)
{
    return is_query(rq, "transport", "polling") || is_query(rq, "transport", "websocket");
}

static enum eio_method method_of(const struct um_http_req *rq)
{
    const char *m = um_http_method(rq);
    return strcmp(m, "GET") == 0 ? EIO_GET : strcmp(m, "POST") == 0 ? EIO_POST : EIO_OTHER;
}

/* What another gateway has said. */
static void reply_forwarded(void *arg, struct um_http_req *rq, unsigned status, struct um_span body)
{
    struct eio_engine *e = arg;
    const char *type = method_of(rq) == EIO_POST ? "text/html" : "text/plain; charset=UTF-8";

    if (status == 0) {
        refuse(e, rq, UNKNOWN_SID, NULL);
        return;
    }
    put_cors(e->all->conf, rq);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply(rq, status, body.len == 0 ? NULL : body.data[0] == '{' ? "application/json" : type, body);
}

/* No session of ours: another gateway's, or nobody's any more. */
static void send_elsewhere(struct eio_engine *e, struct um_http_req *rq, const char *sid)
{
    const struct um_sio_conf *cf = e->all->conf;
    struct sio_owner o;

    if (!sio_id_owner(sid, &o) || o.member == e->all->member ||
        !eio_forward(e->forwards, rq, o.member, cf->ping_interval_ms + cf->ping_timeout_ms + EIO_LAST_POLL_MS, reply_forwarded, e))
        refuse(e, rq, UNKNOWN_SID, NULL);
}

void eio_handle(struct eio_engine *e, struct um_http_req *rq)
{
    const char *sid = given_sid(rq);
    struct eio_engine *owner = sid != NULL ? owner_of(e, sid) : NULL;
    int fault;

    if (strcmp(um_http_method(rq), "OPTIONS") == 0 && e->all->conf->cors_origins.n > 0)
        preflight(e->all->conf, rq);
    else if (!is_known_transport(rq))
        refuse(e, rq, UNKNOWN_TRANSPORT, NULL);
    else if (sid != NULL && owner == NULL)
        send_elsewhere(e, rq, sid);
    else if (sid != NULL && !is_query(rq, "transport", "polling"))
        refuse(e, rq, BAD_REQUEST, NULL);
    else if (sid != NULL)
        send_call(e, owner, rq, method_of(rq), sid);
    else if ((fault = handshake_fault(rq, false)) != NO_ERROR)
        refuse(e, rq, fault, NULL);
    else
        shake_hands(e, rq, false);
}

void eio_handle_socket(struct eio_engine *e, struct um_http_req *rq)
{
    const char *sid = given_sid(rq);
    struct eio_engine *owner = sid != NULL ? owner_of(e, sid) : NULL;
    int fault;

    if (!is_known_transport(rq))
        refuse(e, rq, UNKNOWN_TRANSPORT, NULL);
    else if (sid != NULL && owner == NULL)
        refuse(e, rq, UNKNOWN_SID, NULL);
    else if (sid != NULL && !is_query(rq, "transport", "websocket"))
        refuse(e, rq, BAD_REQUEST, NULL);
    else if (sid != NULL)
        send_call(e, owner, rq, EIO_ASK_SOCKET, sid);
    else if ((fault = handshake_fault(rq, true)) != NO_ERROR)
        refuse(e, rq, fault, NULL);
    else
        shake_hands(e, rq, true);
}
