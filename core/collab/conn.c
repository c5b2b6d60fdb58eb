/* A collaboration socket: finds the address of each frame, admits addresses (token or handshake identity), keeps what comes
 * before the admission within limits, hands the rest to the address' seat.
 *
 * A socket that has no seat yet moves to the reactor of the first document it names, so that the usual case (one document
 * per socket) never leaves one thread.
 *
 * Close codes: 4205 and 45xx, which no client takes for final; 4401 only for frames that no client sends. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

#define CLOSE_RESET       4205
#define CLOSE_UNAUTHORIZED 4401
#define CLOSE_TIMEOUT     4408

/* An address that has spoken before it was admitted. */
struct waiting {
    struct um_list link;
    struct conn *conn;
    struct um_list frames;
    struct um_bytes *address;
    size_t name_len;                     /* of its name, with which the address begins */
    struct judging *judging;             /* it has said who it is, and is being judged */
    bool speaks_4x, greets;              /* then: as admit has it; GREETS: it is told that it may come in */
};
struct waiting_frame {
    struct um_list link;
    struct um_bytes *message;            /* whole, address included */
};

static void on_message(void *arg, enum um_ws_kind kind, struct um_span message);
static void on_drained(void *arg);
static void on_close(void *arg, unsigned code, struct um_span reason);
static const struct um_ws_handler ws_handler = { on_message, on_drained, on_close };

/* ---- what waits for admission -------------------------------------------------------------------------------- */

static struct waiting *find_waiting(struct conn *c, struct um_span address)
{
    UM_LIST_EACH(it, &c->waiting) {
        struct waiting *w = UM_CONTAINER(it, struct waiting, link);
        if (um_span_eq(um_bytes_span(w->address), address))
            return w;
    }
    return NULL;
}

static void drop_waiting(struct conn *c, struct waiting *w)
{
    UM_LIST_EACH_SAFE(it, &w->frames) {
        struct waiting_frame *f = UM_CONTAINER(it, struct waiting_frame, link);
        c->queued_bytes -= f->message->len;
        c->queued_frames--;
        um_bytes_unref(f->message);
        free(f);
    }
    judge_forget(w->judging);
    um_list_remove(&w->link);
    c->n_waiting--;
    um_bytes_unref(w->address);
    free(w);
}

static struct waiting *add_waiting(struct conn *c, struct um_span address)
{
    struct waiting *w = um_xcalloc(1, sizeof(*w));

    w->conn = c;
    w->address = um_bytes_dup(address.data, address.len);
    um_list_init(&w->frames);
    um_list_append(&c->waiting, &w->link);
    c->n_waiting++;
    return w;
}

static void limit_hit(struct conn *c, const char *limit, unsigned code, const char *reason)
{
    count(C_LIMIT_HIT, 1);
    um_log_limited(UM_WARN, "collab", "limit hit", UM_S("limit", limit), UM_I("conn", c->id), UM_S("from", c->address));
    um_ws_close(c->ws, code, reason);
}

static void hold_frame(struct conn *c, struct um_span address, struct um_span message)
{
    const struct um_collab_conf *cf = &c->hub->engine->cf;
    struct waiting *w = find_waiting(c, address);

    if (c->queued_frames + 1 > (size_t)cf->max_queued_frames || c->queued_bytes + message.len > (size_t)cf->max_queued_bytes ||
        (w == NULL && c->n_waiting + 1 > cf->max_pending_documents)) {
        limit_hit(c, "before admission", CLOSE_RESET, "Reset Connection");
        return;
    }
    if (w == NULL)
        w = add_waiting(c, address);
    struct waiting_frame *f = um_xcalloc(1, sizeof(*f));
    f->message = w->address ? um_bytes_dup(message.data, message.len) : NULL;
    if (f->message == NULL) {
        free(f);
        drop_waiting(c, w);
        um_ws_close(c->ws, 1013, "out of memory");
        return;
    }
    um_list_append(&w->frames, &f->link);
    c->queued_frames++;
    c->queued_bytes += message.len;
}

/* ---- admission -------------------------------------------------------------------------------------------------- */

static bool name_is_fit(struct um_span name, const struct um_collab_conf *cf)
{
    bool blank = true;

    if (name.len == 0 || name.len > (size_t)cf->max_name_bytes)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] < 0x20 || name.data[i] == 0x7f)
            return false;
        blank = blank && name.data[i] == ' ';
    }
    return !blank;
}

static void send_frame(struct conn *c, struct um_span address, enum wire_type type, int kind, struct um_span payload)
{
    struct um_buf b = { 0 };
    struct um_bytes *frame;

    if (!c->bare)
        um_buf_put_varbytes(&b, address);
    frame = msg_make((struct wire_addr){ UM_SPAN(b.data, b.len) }, type, kind, payload);
    if (frame != NULL)
        um_ws_send(c->ws, frame);
    um_bytes_unref(frame);
    um_buf_free(&b);
}

static void deny(struct conn *c, struct um_span address, const char *reason)
{
    struct waiting *w = find_waiting(c, address);

    count(C_REFUSED_AUTH, 1);
    um_log_limited(UM_INFO, "collab", "denied", UM_B("document", address), UM_S("reason", reason), UM_S("from", c->address));
    send_frame(c, address, WIRE_AUTH, c->bare ? AUTH_TOKEN : AUTH_DENIED, UM_SPAN_STR(reason));
    if (w != NULL)
        drop_waiting(c, w);
    if (c->bare)
        um_ws_close(c->ws, CLOSE_DENIED, reason);
}

/* Who is it? WHO has a reference that the caller gives back. The token of the protocol decides; without one, the handshake's identity; without that, nobody or a stranger. */
static bool identify(struct conn *c, struct um_span token, struct um_span name, struct um_collab_identity *who, char reason[64])
{
    struct um_collab *e = c->hub->engine;

    *who = (struct um_collab_identity){ 0 };
    strcpy(reason, "permission-denied");
    if (!name_is_fit(name, &e->cf) || token.len > (size_t)e->cf.max_token_bytes)
        return false;
    if (token.len == 0 && c->identity != NULL) {
        identity_copy(who, c->identity);
        return true;
    }
    if (token.len > 0 && e->hooks.authenticate != NULL && e->hooks.authenticate(e->hooks.ctx, token, name, who, reason) == UM_OK)
        return true;
    identity_drop(who);
    *who = (struct um_collab_identity){ 0 };
    return e->cf.authentication == UM_COLLAB_ANONYMOUS;
}

/* And is there room for one more document? */
static bool may_join(struct conn *c, struct um_span token, struct um_span name, struct um_collab_identity *who, char reason[64])
{
    if (c->n_seats >= c->hub->engine->cf.max_documents) {
        strcpy(reason, "too-many-documents");
        return false;
    }
    return identify(c, token, name, who, reason);
}

static void handle(struct conn *c, const struct wire_frame *f, struct um_span message);

static enum wire_verdict read_frame(const struct conn *c, struct um_span message, struct wire_frame *f)
{
    return c->bare ? msg_read_bare(message, f) : msg_read(message, f);
}

static void admit(struct conn *c, const struct wire_frame *f, const struct um_collab_identity *who, bool speaks_4x,
                  enum um_collab_right right, bool held_back)
{
    struct waiting *w = find_waiting(c, f->address);
    struct seat *s = seat_open(c, f, who, speaks_4x, right, held_back);

    if (s == NULL) {
        um_ws_close(c->ws, 1013, "out of memory");
        return;
    }
    c->admitted_once = true;
    um_timer_stop(c->hub->loop, &c->deadline);
    if (w == NULL)
        return;
    /* What it said before, in order; each frame finds the seat (or finds that it has ended again). */
    struct um_list frames;
    um_list_init(&frames);
    um_list_splice(&frames, &w->frames);
    drop_waiting(c, w);
    UM_LIST_EACH_SAFE(it, &frames) {
        struct waiting_frame *held = UM_CONTAINER(it, struct waiting_frame, link);
        struct wire_frame inner;
        c->queued_frames--;
        c->queued_bytes -= held->message->len;
        if (read_frame(c, um_bytes_span(held->message), &inner) == WIRE_OK)
            handle(c, &inner, um_bytes_span(held->message));
        um_bytes_unref(held->message);
        free(held);
    }
}

/* Has somebody else reserved the document? The document judges this again; here it is for the first word to be right. */
static bool is_held_back(struct conn *c, struct um_span name, const char *user)
{
    char *document = um_xstrndup((const char *)name.data, name.len);
    int64_t until_ms;
    bool held_back = !rights_may_change(c->hub->engine, document, user, &until_ms);

    free(document);
    return held_back;
}

/* It has said who it is, and may have RIGHT: it gets its seat, or is told why not. */
static void enter(struct conn *c, const struct wire_frame *f, const struct um_collab_identity *who, bool speaks_4x, bool greets,
                  enum um_collab_right right, const char *reason)
{
    bool held_back;

    if (right == UM_COLLAB_UNKNOWN) {
        um_ws_close(c->ws, 1013, "unavailable");
        return;
    }
    if (right == UM_COLLAB_NONE) {
        deny(c, f->address, reason);
        return;
    }
    held_back = right < UM_COLLAB_WRITE || is_held_back(c, f->name, who->user);
    if (greets)
        send_frame(c, f->address, WIRE_AUTH, AUTH_OK, UM_SPAN_STR(who->read_only || held_back ? "readonly" : "read-write"));
    admit(c, f, who, speaks_4x, right, held_back);
}

static void on_right(void *subject, enum um_collab_right right)
{
    struct waiting *w = subject;
    struct conn *c = w->conn;
    struct um_bytes *address = um_bytes_ref(w->address);
    struct wire_frame f = { .address = um_bytes_span(address), .name = UM_SPAN(address->data, w->name_len) };
    struct um_collab_identity who;
    char reason[64];

    identity_copy(&who, judge_identity(w->judging));
    strcpy(reason, judge_reason(w->judging));
    w->judging = NULL;
    enter(c, &f, &who, w->speaks_4x, w->greets, right, reason);
    identity_drop(&who);
    um_bytes_unref(address);
}

/* Documents with rights of their own are asked for, and the service outside; what the client says meanwhile is kept. WHO is dropped. */
static void judge_and_enter(struct conn *c, const struct wire_frame *f, struct um_collab_identity *who, bool speaks_4x, bool greets)
{
    struct waiting *w = find_waiting(c, f->address);
    bool is_new = w == NULL;

    if (is_new)
        w = add_waiting(c, f->address);
    w->name_len = f->name.len;
    w->speaks_4x = speaks_4x;
    w->greets = greets;
    if (c->parameters != NULL && who->parameters == NULL)
        who->parameters = um_bytes_ref(c->parameters);
    w->judging = judge_ask(c->hub, f->name, who, true, on_right, w);
    if (w->judging == NULL) {
        if (is_new)
            drop_waiting(c, w);
        enter(c, f, who, speaks_4x, greets, UM_COLLAB_WRITE, "");
    }
    identity_drop(who);
}

static void take_token(struct conn *c, const struct wire_frame *f)
{
    struct um_reader r = um_reader(f->body);
    uint64_t kind = um_read_varuint(&r);
    struct um_span token = um_read_varbytes(&r);
    struct um_collab_identity who;
    char reason[64];

    if (r.failed || kind != AUTH_TOKEN)
        return;                          /* as stock: other kinds from a client mean nothing */
    if (may_join(c, token, f->name, &who, reason))
        judge_and_enter(c, f, &who, um_reader_left(&r) > 0, true);
    else
        deny(c, f->address, reason);
}

/* A token that is sent again on an admitted address: silence when it is good. */
static void recheck_token(struct conn *c, struct seat *s, const struct wire_frame *f)
{
    struct um_reader r = um_reader(f->body);
    uint64_t kind = um_read_varuint(&r);
    struct um_span token = um_read_varbytes(&r);
    struct um_collab_identity who;
    char reason[64];

    if (r.failed || kind != AUTH_TOKEN)
        return;
    if (identify(c, token, f->name, &who, reason)) {
        identity_drop(&who);
        return;
    }
    count(C_REFUSED_AUTH, 1);
    conn_seat_ended(c, s, "Unauthorized", END_CLOSE, 0);
}

/* ---- frames --------------------------------------------------------------------------------------------------------- */

/* By the whole address first, then by the name before the session. */
static struct seat *find_seat(struct conn *c, const struct wire_frame *f)
{
    struct seat *plain = NULL;

    UM_LIST_EACH(it, &c->seats) {
        struct seat *s = UM_CONTAINER(it, struct seat, in_conn);
        if (s->bare || um_span_eq(seat_address(s), f->address))
            return s;
        if (!s->has_session && um_span_eq(um_bytes_span(s->name), f->name))
            plain = s;
    }
    return plain;
}

static bool is_step1(const struct wire_frame *f)
{
    return f->type == WIRE_SYNC && f->body.len > 0 && f->body.data[0] == SYNC_STEP1;
}

static void handle_stranger(struct conn *c, const struct wire_frame *f, struct um_span message)
{
    const struct waiting *w = find_waiting(c, f->address);
    struct um_collab_identity who;
    struct seat *s;
    char reason[64];

    if (f->type == WIRE_AUTH && (w == NULL || w->judging == NULL)) {
        take_token(c, f);
        return;
    }
    /* A 2.x provider without a token begins with Step1; where no token is needed it is admitted without a word. */
    if (is_step1(f) && w == NULL && may_join(c, UM_SPAN(NULL, 0), f->name, &who, reason)) {
        judge_and_enter(c, f, &who, false, false);
        s = find_seat(c, f);             /* NULL: it is being judged, or the document would not have it */
        if (s != NULL) {
            seat_say(s, f->type, f->body);
            return;
        }
        if (find_waiting(c, f->address) == NULL)
            return;
    }
    hold_frame(c, f->address, message);
}

static void handle(struct conn *c, const struct wire_frame *f, struct um_span message)
{
    struct seat *s = find_seat(c, f);

    if (c->ws == NULL)
        return;
    if (s == NULL && c->bare) {
        if (c->n_waiting > 0)            /* its room is being judged */
            hold_frame(c, um_bytes_span(UM_CONTAINER(c->waiting.next, struct waiting, link)->address), message);
    } else if (s == NULL) {
        handle_stranger(c, f, message);
    } else if (f->type == WIRE_AUTH && !c->bare) {
        if (s->has_session != (f->address.len != f->name.len))
            handle_stranger(c, f, message);        /* another session of the same document asks for a seat of its own */
        else
            recheck_token(c, s, f);
    } else if (f->type == WIRE_CLOSE && !c->bare) {
        conn_seat_ended(c, s, "provider_initiated", END_CLOSE, 0);
    } else if (f->type == WIRE_BROADCAST_STATELESS && !c->bare) {
        count(C_REFUSED_FRAME, 1);
        conn_seat_ended(c, s, "Reset Connection", END_CLOSE, 0);
    } else {
        seat_say(s, f->type, f->body);
    }
}

/* ---- rates: a socket that says more than its share is read more slowly ----------------------------------------------- */

#define PAUSE_MAX_MS 5000

/* Takes N; how long until the debt is paid: 0 when there is none. */
static int64_t bucket_take(struct bucket *b, int64_t now_ms, double n, double rate, double burst)
{
    if (b->at_ms == 0)
        b->tokens = burst;
    else
        b->tokens = UM_MIN(burst, b->tokens + (double)(now_ms - b->at_ms) * rate / 1000);
    b->at_ms = now_ms;
    b->tokens -= n;
    return b->tokens >= 0 ? 0 : (int64_t)UM_MIN(-b->tokens * 1000 / rate + 1, PAUSE_MAX_MS);
}

static void resume_reading(void *arg)
{
    struct conn *c = arg;

    if (c->ws != NULL)
        um_ws_pause(c->ws, false);
}

static void charge(struct conn *c, size_t bytes)
{
    const struct um_collab_conf *cf = &c->hub->engine->cf;
    int64_t now = um_loop_now_ms(c->hub->loop);
    int64_t wait = bucket_take(&c->updates, now, 1, (double)cf->rate_updates, (double)cf->rate_updates_burst);
    int64_t wait_bytes = bucket_take(&c->bytes, now, (double)bytes, (double)cf->rate_bytes, (double)cf->rate_bytes_burst);

    wait = UM_MAX(wait, wait_bytes);
    if (wait == 0 || !c->admitted_once || um_timer_is_set(&c->deadline))
        return;
    count(C_LIMIT_HIT, 1);
    um_ws_pause(c->ws, true);
    um_timer_set(c->hub->loop, &c->deadline, wait, resume_reading, c);
}

/* ---- moving to the reactor of the first document ------------------------------------------------------------------------ */

struct move {
    struct um_msg msg;
    struct um_ws_parcel *parcel;
    struct conn *conn;
    struct hub *to;
    struct um_bytes *message;
};

static void conn_free(struct conn *c)
{
    UM_LIST_EACH_SAFE(it, &c->waiting)
        drop_waiting(c, UM_CONTAINER(it, struct waiting, link));
    um_timer_stop(c->hub->loop, &c->deadline);
    um_list_remove(&c->link);
    count(C_SOCKETS, -1);
    hub_check_drained(c->hub);
    if (c->identity != NULL)
        identity_drop(c->identity);
    free(c->identity);
    um_bytes_unref(c->parameters);
    free(c->address);
    free(c);
}

static void auth_timeout(void *arg)
{
    struct conn *c = arg;

    um_log_limited(UM_INFO, "collab", "not admitted in time", UM_I("conn", c->id), UM_S("from", c->address));
    um_ws_close(c->ws, CLOSE_TIMEOUT, "Connection Timeout");
}

static void settle_on(struct conn *c, struct hub *h)
{
    c->hub = h;
    um_list_append(&h->conns, &c->link);
    um_timer_set(h->loop, &c->deadline, h->engine->cf.auth_timeout_ms, auth_timeout, c);
    if (h->draining)
        conn_drain(c);               /* a gateway has another core by now */
}

static void arrive(struct um_msg *msg)
{
    struct move *m = UM_CONTAINER(msg, struct move, msg);
    struct conn *c = m->conn;

    hub_welcome(m->to);
    c->ws = um_ws_attach(m->to->loop, m->parcel, &ws_handler, c);
    settle_on(c, m->to);
    if (c->ws == NULL)
        conn_free(c);
    else if (!m->to->draining)
        on_message(c, UM_WS_BINARY, um_bytes_span(m->message));
    um_bytes_unref(m->message);
    free(m);
}

/* True: the socket is on its way to another reactor, MESSAGE with it. */
static bool move_home(struct conn *c, const struct wire_frame *f, struct um_span message)
{
    struct hub *home = hub_of_document(c->hub->engine, f->name);

    if (home == c->hub || c->n_seats > 0 || c->n_waiting > 0 || c->admitted_once)
        return false;
    struct move *m = um_xcalloc(1, sizeof(*m));
    m->message = um_bytes_dup(message.data, message.len);
    m->parcel = m->message ? um_ws_detach(c->ws) : NULL;
    if (m->parcel == NULL) {
        um_bytes_unref(m->message);
        free(m);
        return false;
    }
    um_timer_stop(c->hub->loop, &c->deadline);
    um_list_remove(&c->link);
    hub_expect(c->hub);
    c->ws = NULL;
    m->conn = c;
    m->to = home;
    um_loop_post(home->loop, &m->msg, arrive);
    return true;
}

static void on_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    struct conn *c = arg;
    struct wire_frame f;
    enum wire_verdict verdict = read_frame(c, message, &f);

    (void)kind;                          /* text is read as its bytes, as server 4.x does */
    switch (verdict) {
    case WIRE_KEEP_ALIVE:
        return;
    case WIRE_BAD_ADDRESS:
    case WIRE_NO_TYPE:
        count(C_REFUSED_FRAME, 1);
        um_log_limited(UM_INFO, "collab", "malformed frame", UM_I("conn", c->id), UM_S("from", c->address), UM_I("bytes", message.len));
        if (verdict == WIRE_BAD_ADDRESS && !c->bare)
            um_ws_close(c->ws, CLOSE_UNAUTHORIZED, "Unauthorized");
        else
            um_ws_close(c->ws, CLOSE_RESET, "Reset Connection");
        return;
    case WIRE_OK:
        break;
    }
    if (!c->bare && move_home(c, &f, message))
        return;
    charge(c, message.len);
    handle(c, &f, message);
}

/* ---- from seats and the socket -------------------------------------------------------------------------------------------- */

void conn_deliver(struct conn *c, struct um_bytes *head, struct um_bytes *rest)
{
    if (c->ws == NULL)
        return;
    um_ws_send(c->ws, head);
    if (rest != NULL)
        um_ws_send(c->ws, rest);
    if (c->congested || !um_ws_is_congested(c->ws))
        return;
    c->congested = true;
    UM_LIST_EACH(it, &c->seats)
        seat_tell_congestion(UM_CONTAINER(it, struct seat, in_conn), true);
}

static void on_drained(void *arg)
{
    struct conn *c = arg;

    c->congested = false;
    UM_LIST_EACH_SAFE(it, &c->seats)
        if (!c->congested)               /* what one seat catches up may fill the socket again: the others go on waiting */
            seat_tell_congestion(UM_CONTAINER(it, struct seat, in_conn), false);
}

/* Takes leave of a seat, telling the client. A provider without a version string may be of generation 2.x, which does not
 * know Close: when nothing else lives on its socket, the socket ends and the client comes back by itself. */
void conn_seat_ended(struct conn *c, struct seat *s, const char *reason, enum end_how how, unsigned code)
{
    struct wire_addr to = seat_addr(s);
    struct um_bytes *frame = NULL;

    if (c->ws != NULL && !s->bare) {
        struct um_bytes *ask = how == END_CLOSE_AND_ASK ? msg_make_empty(to, WIRE_AUTH, AUTH_TOKEN) : NULL;
        frame = msg_make(to, WIRE_CLOSE, NO_KIND, UM_SPAN_STR(reason));
        if (frame != NULL)
            um_ws_send(c->ws, frame);
        if (ask != NULL)
            um_ws_send(c->ws, ask);
        um_bytes_unref(frame);
        um_bytes_unref(ask);
    }
    bool end_socket = s->bare || how == END_SOCKET || (how == END_CLOSE_AND_ASK && c->n_seats == 1 && !s->speaks_4x);
    seat_leave(s);
    if (c->ws != NULL && end_socket)
        um_ws_close(c->ws, code ? code : CLOSE_RESET, reason);
}

static void on_close(void *arg, unsigned code, struct um_span reason)
{
    struct conn *c = arg;

    um_log(UM_DEBUG, "collab", "socket closed", UM_I("conn", c->id), UM_S("from", c->address), UM_I("code", code), UM_B("reason", reason));
    c->ws = NULL;
    UM_LIST_EACH_SAFE(it, &c->seats)
        seat_leave(UM_CONTAINER(it, struct seat, in_conn));
    conn_free(c);
}

void conn_keep_alive(struct conn *c, int64_t now_ms)
{
    if (c->ws == NULL || now_ms - um_ws_last_sent_ms(c->ws) < c->hub->engine->cf.keep_alive_ms)
        return;
    struct um_bytes *frame = c->bare ? c->hub->keep_alive_bare : c->hub->keep_alive;
    um_ws_send(c->ws, frame);
}

void conn_drain(struct conn *c)
{
    if (c->ws != NULL)
        um_ws_close(c->ws, 1012, "service restart");
}

/* ---- a new socket ------------------------------------------------------------------------------------------------------------ */

/* y-websocket: the room is the document; the handshake has already said who it is. */
static void open_room(struct conn *c, const char *room)
{
    struct um_span name = UM_SPAN_STR(room);
    struct wire_frame f = { .name = name, .address = name };
    struct um_collab_identity who;
    char reason[64];

    if (!may_join(c, UM_SPAN(NULL, 0), name, &who, reason))
        deny(c, name, reason);
    else
        judge_and_enter(c, &f, &who, false, false);
}

void conn_accept(struct hub *h, int fd, struct um_span early, const struct um_collab_peer *peer)
{
    static _Atomic uint64_t next_id;
    struct conn *c = um_xcalloc(1, sizeof(*c));

    c->id = ++next_id;
    c->bare = peer->room != NULL;
    c->is_leg = peer->is_leg;
    c->address = um_xstrdup(peer->address ? peer->address : "-");
    if (peer->identity != NULL) {
        c->identity = um_xcalloc(1, sizeof(*c->identity));
        identity_copy(c->identity, peer->identity);
    }
    if (peer->parameters != NULL)
        c->parameters = um_bytes_ref(peer->parameters);
    um_list_init(&c->seats);
    um_list_init(&c->waiting);
    um_list_init(&c->link);
    count(C_SOCKETS, 1);
    c->hub = h;
    c->ws = um_ws_new(h->loop, fd, early, &h->engine->ws, &ws_handler, c);
    if (c->ws == NULL) {
        conn_free(c);
        return;
    }
    settle_on(c, h);
    if (c->bare)
        open_room(c, peer->room);
}
