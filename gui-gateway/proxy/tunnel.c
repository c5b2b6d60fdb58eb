/* The life of one tunnel.
 *
 *   HELD --open--> OPENING --the core's 101--> SWITCHING --the server hands the socket over--> GUEST
 *     |             ^ |  |                         |                                            |
 *     +- refuse     +-|--- the next core           +- client left                               +- an end
 *                     +- 4xx, none is left: 503
 *
 * As long as another core is left, each attempt has a third of the time. Until SWITCHING the HTTP request is open and whatever fails
 * is answered there; then guest.c has the socket. A core's 4xx is about the request and goes on to the client; anything else that
 * is no 101 is about the core: the next one is asked. */
#include <proxy/tunnel.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <proxy/affinity.h>
#include <proxy/guest.h>
#include <proxy/hop.h>
#include <proxy/target.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/util.h>
#include "upstream_int.h"

enum { CLOSE_POLICY = 1008, CLOSE_RESTART = 1012 };      /* RFC 6455 7.4.1; 1008: what the Java library sends when a session ends */
enum { SESSION_ID_MAX = 64, USED_EVERY_MS = 60000, REQUEST_DEADLINE_EXTRA_MS = 30000, BALANCE_MS = 200, MOVING_MAX = 64, DRAIN_STEP_MS = 20 };

#define TUNNEL_STATES(X) X(HELD) X(OPENING) X(SWITCHING) X(GUEST) X(ENDED)
enum tunnel_state {
#define X(s) TUNNEL_##s,
    TUNNEL_STATES(X)
#undef X
    TUNNEL_N
};
static const char *const state_name[TUNNEL_N] = {
#define X(s) #s,
    TUNNEL_STATES(X)
#undef X
};
#define TO(s) (1u << TUNNEL_##s)
static const uint8_t may_go[TUNNEL_N] = {
    [TUNNEL_HELD]      = TO(OPENING) | TO(ENDED),
    [TUNNEL_OPENING]   = TO(SWITCHING) | TO(ENDED),
    [TUNNEL_SWITCHING] = TO(GUEST) | TO(ENDED),
    [TUNNEL_GUEST]     = TO(ENDED),
};

enum { M_OPEN, M_OPENED, M_REFUSED };
static struct um_metric metrics[] = {
    [M_OPEN]       = { "gateway.tunnels", "tunnels", "WebSockets of clients that are joined to cores", UM_GAUGE, 0 },
    [M_OPENED]     = { "gateway.tunnels.opened", "tunnels", "WebSockets of clients that were joined to cores", UM_COUNTER, 0 },
    [M_REFUSED]    = { "gateway.tunnels.refused", "tunnels", "WebSocket handshakes that no core or no rule allowed", UM_COUNTER, 0 },
};

struct um_tunnels {
    struct um_upstream *up;
    struct um_loop *loop;
    const struct um_trusted *trusted;
    struct um_tunnels_conf cf;
    const struct um_tunnels_handler *handler;
    void *arg;
    struct um_guests guests;
    struct um_list list;
    size_t n;
    struct um_timer balance;
    struct um_timer drain;
    int64_t drained_at_ms;                /* all are closed by then; 0: not draining */
    uint64_t balanced;                    /* the version of the cores that every leg has been looked at with */
};

/* What only the handshake needs; freed when the client's socket is ours. */
struct opening {
    struct um_tries tries;
    struct um_line *line;
    int64_t until_ms;
    struct um_buf affinity, headers;      /* HEADERS: each with its line end */
    size_t n_own;                         /* of HEADERS, what further lines get as well */
    char *target, *protocols;
    struct um_buf room;
};
struct um_tunnel {
    struct um_list link;
    struct um_tunnels *ts;
    enum tunnel_state state;
    bool is_closed;                       /* by the drain */
    struct um_http_req *rq;               /* NULL: the client has left, or its socket is ours */
    struct opening *op;
    struct um_guest *guest;
    int64_t opened_at_ms, used_at_ms;
    char session_id[SESSION_ID_MAX];      /* "" : none */
    bool doomed;                          /* its session ended while it was switching */
};

void um_tunnel_start(void)
{
    um_metrics_register(metrics, UM_COUNT(metrics));
    um_guest_start();
}

static void go(struct um_tunnel *t, enum tunnel_state to)
{
    UM_ASSERT(may_go[t->state] & (1u << to));
    um_log(UM_TRACE, "gateway.tunnel", "state", UM_S("from", state_name[t->state]), UM_S("to", state_name[to]));
    t->state = to;
}

/* ---- ends ---- */

static void free_opening(struct um_tunnel *t)
{
    struct opening *op = t->op;

    if (op == NULL)
        return;
    um_line_free(op->line, 1000, "");
    um_buf_free(&op->affinity);
    um_buf_free(&op->headers);
    um_buf_free(&op->room);
    um_tries_end(&op->tries);
    free(op->target);
    free(op->protocols);
    free(op);
    t->op = NULL;
}

static void count_end(struct um_tunnel *t, const char *why)
{
    um_count(&metrics[M_OPEN], -1);
    um_log(UM_DEBUG, "gateway.tunnel", "closed", UM_S("reason", why), UM_I("age_ms", um_loop_now_ms(t->ts->loop) - t->opened_at_ms));
}

/* Everything ends here. The request, if there still is one, has been answered by the caller. */
static void end_tunnel(struct um_tunnel *t, const char *why)
{
    if (t->state == TUNNEL_GUEST) {
        count_end(t, why);
        um_guest_free(t->guest);
    }
    go(t, TUNNEL_ENDED);
    free_opening(t);
    um_list_remove(&t->link);
    t->ts->n--;
    free(t);
}

static void refuse(struct um_tunnel *t, unsigned status, const char *code, const char *message)
{
    um_count(&metrics[M_REFUSED], 1);
    um_log_limited(UM_INFO, "gateway.tunnel", "refused", UM_I("status", status), UM_S("reason", message),
                   UM_S("state", state_name[t->state]));
    if (t->rq != NULL) {
        struct um_http_req *rq = t->rq;
        t->rq = NULL;
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_error(rq, status, code, message);
    }
    end_tunnel(t, message);
}

void um_tunnel_refuse(struct um_tunnel *t, unsigned status, const char *code, const char *message)
{
    UM_ASSERT(t->state == TUNNEL_HELD);
    refuse(t, status, code, message);
}

static void no_core(struct um_tunnel *t, const char *message)
{
    refuse(t, 503, "U00503", message);
}

static void client_left(void *arg)
{
    struct um_tunnel *t = arg;

    t->rq = NULL;
    if (t->state != TUNNEL_HELD)
        end_tunnel(t, "the client left");
}

/* ---- a guest ---- */

static void client_spoke(void *arg)
{
    struct um_tunnel *t = arg;
    int64_t now = um_loop_now_ms(t->ts->loop);

    if (t->session_id[0] == '\0' || now - t->used_at_ms < USED_EVERY_MS)
        return;
    t->used_at_ms = now;
    t->ts->handler->used(t->ts->arg, t->session_id);
}

static void guest_ended(void *arg, const char *why)
{
    struct um_tunnel *t = arg;

    t->guest = NULL;
    end_tunnel(t, why);
}

static const struct um_guest_handler guest_handler = { client_spoke, guest_ended };

static void take_socket(void *arg, int fd, struct um_span early)
{
    struct um_tunnel *t = arg;
    struct um_tunnels *ts = t->ts;
    struct opening *op = t->op;
    struct um_guest_order order = { .fd = fd, .early = early, .line = op->line, .target = op->target, .protocols = op->protocols,
                                    .session_id = t->session_id[0] != '\0' ? t->session_id : NULL,
                                    .room = UM_SPAN(op->room.data, op->room.len) };

    t->rq = NULL;
    if (fd < 0 || op->line == NULL) {
        if (fd >= 0)
            close(fd);
        end_tunnel(t, fd < 0 ? "the client left" : "the core left");
        return;
    }
    op->headers.len = op->n_own;
    order.headers = um_buf_cstr(&op->headers);
    op->line = NULL;
    go(t, TUNNEL_GUEST);
    t->opened_at_ms = t->used_at_ms = um_loop_now_ms(ts->loop);
    um_count(&metrics[M_OPEN], 1);
    um_count(&metrics[M_OPENED], 1);
    t->guest = um_guest_new(&ts->guests, &order, &guest_handler, t);
    free_opening(t);
    if (t->guest == NULL)
        end_tunnel(t, "out of memory");
    else if (t->doomed)
        um_guest_close(t->guest, CLOSE_POLICY, "the session has ended");
}

/* ---- the first line ---- */

static const struct um_line_handler line_handler;

/* Asks the next core; false when none is left, or no time. */
static bool try_next(struct um_tunnel *t)
{
    struct um_tunnels *ts = t->ts;
    struct opening *op = t->op;
    struct um_core *core;
    struct um_line_order order = { .target = op->target, .protocols = op->protocols, .headers = um_buf_cstr(&op->headers),
                                   .timeout_ms = op->until_ms - um_loop_now_ms(ts->loop) };

    if (order.timeout_ms <= 0 ||
        (core = upstream_next(ts->up, &op->tries, UM_SPAN(op->affinity.data, op->affinity.len))) == NULL)
        return false;
    if (um_cores_has_next(um_upstream_cores(ts->up), &op->tries))
        order.timeout_ms = UM_MIN(order.timeout_ms, ts->cf.handshake_timeout_ms / 3);
    op->line = um_line_new(&ts->guests.lines, core, &order, &line_handler, t);
    return op->line != NULL;
}

static const char *code_of(unsigned status)
{
    static const struct { unsigned status; const char *code; } rows[] = {
        { 401, "U00401" }, { 403, "U00403" }, { 404, "U00404" }, { 409, "U00409" }, { 429, "U00429" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (rows[i].status == status)
            return rows[i].code;
    return "U00400";
}

static void line_failed(void *arg, unsigned status, const char *why)
{
    struct um_tunnel *t = arg;

    um_line_free(t->op->line, 0, "");
    t->op->line = NULL;
    if (status >= 400 && status <= 499) {
        if (status == 426) {                  /* has to name what it asks for (RFC 9110 15.5.22) */
            um_http_add_header(t->rq, "Upgrade", "websocket");
            um_http_add_header(t->rq, "Sec-WebSocket-Version", "13");
        }
        refuse(t, status, code_of(status), "refused by the core");
    } else if (!try_next(t)) {
        no_core(t, why);
    }
}

static void line_open(void *arg)
{
    struct um_tunnel *t = arg;
    const char *protocol = um_line_protocol(t->op->line);

    um_ws_pause(um_line_ws(t->op->line), true);           /* until there is somebody to hear it */
    go(t, TUNNEL_SWITCHING);
    um_http_upgrade(t->rq, protocol[0] != '\0' ? protocol : NULL, take_socket, t);
}

static void line_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    (void)arg;
    (void)kind;
    (void)message;
}

static void line_drained(void *arg)
{
    (void)arg;
}

static void line_closed(void *arg, unsigned code, struct um_span reason)
{
    struct um_tunnel *t = arg;

    (void)code;
    (void)reason;
    um_line_free(t->op->line, 0, "");
    t->op->line = NULL;                       /* the socket is on its way to us, and ends then */
}

static const struct um_line_handler line_handler = { line_open, line_failed, line_message, line_drained, line_closed };

/* ---- life ---- */

struct um_tunnel *um_tunnel_new(struct um_tunnels *ts, struct um_http_req *rq)
{
    struct um_tunnel *t = um_xcalloc(1, sizeof(*t));

    t->ts = ts;
    t->rq = rq;
    um_list_append(&ts->list, &t->link);
    ts->n++;
    um_http_deadline(rq, ts->cf.handshake_timeout_ms + REQUEST_DEADLINE_EXTRA_MS);
    um_http_on_gone(rq, client_left, t);
    return t;
}

struct um_http_req *um_tunnel_request(const struct um_tunnel *t)
{
    return t->rq;
}

/* Sockets of one document meet at one core. Where the path does not name it, the first line goes where those of one session, or of
 * one client, go: it says whether the client may come in, and its first document may be elsewhere. */
static void put_affinity(struct um_tunnel *t)
{
    struct um_span document = um_affinity_document(um_http_path(t->rq));
    struct um_client client;

    if (document.len > 0) {
        um_buf_put(&t->op->affinity, document.data, document.len);
        um_buf_put(&t->op->room, document.data, document.len);
    } else if (t->session_id[0] != '\0') {
        um_buf_puts(&t->op->affinity, t->session_id);
    } else {
        um_client_of(t->ts->trusted, t->rq, &client);
        um_buf_puts(&t->op->affinity, client.address);
    }
}

/* What a further line is told of the client; the session's token is made anew for each. */
static bool is_for_all_lines(const char *name, bool has_session)
{
    static const char *const names[] = { "X-Request-Id", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host" };

    for (size_t i = 0; i < UM_COUNT(names); i++)
        if (um_ascii_ieq(name, names[i]))
            return true;
    return !has_session && (um_ascii_ieq(name, "token") || um_ascii_ieq(name, "Authorization"));
}

static bool put_headers(struct um_tunnel *t, const char *token)
{
    struct um_buf *out = &t->op->headers;
    struct um_hop_headers headers;

    if (um_hop_request_headers(&headers, t->rq, t->ts->trusted, token) != UM_OK)
        return false;
    um_buf_puts(out, "Umbel-Leg: 1\r\n");
    for (int own = 1; own >= 0; own--) {
        for (size_t i = 0; i < headers.n; i++)
            if (is_for_all_lines(headers.items[i].name, token != NULL) == (own == 1))
                um_buf_printf(out, "%s: %s\r\n", headers.items[i].name, headers.items[i].value);
        if (own == 1)
            t->op->n_own = out->len;
    }
    return !out->failed;
}

static bool prepare_opening(struct um_tunnel *t)
{
    const char *protocols = um_http_header(t->rq, "Sec-WebSocket-Protocol");
    struct um_buf target = {0};
    bool ok = um_target_rewrite(um_http_raw_target(t->rq), &target) == UM_OK;

    t->op = um_xcalloc(1, sizeof(*t->op));
    t->op->tries.needs = "collab";
    if (ok) {
        t->op->target = um_xstrdup(um_buf_cstr(&target));
        t->op->protocols = protocols != NULL ? um_xstrdup(protocols) : NULL;
        put_affinity(t);
        t->op->until_ms = um_loop_now_ms(t->ts->loop) + t->ts->cf.handshake_timeout_ms;
    }
    um_buf_free(&target);
    return ok;
}

void um_tunnel_open(struct um_tunnel *t, const char *token, const char *session_id)
{
    struct um_tunnels *ts = t->ts;

    UM_ASSERT(t->state == TUNNEL_HELD);
    if (t->rq == NULL) {
        end_tunnel(t, "the client left");
        return;
    }
    if (ts->drained_at_ms != 0) {
        no_core(t, "this gateway is being stopped");
        return;
    }
    if (ts->n > (size_t)ts->cf.max_tunnels) {
        no_core(t, "too many connections");
        return;
    }
    if (session_id != NULL)
        strncat(t->session_id, session_id, sizeof(t->session_id) - 1);
    if (!prepare_opening(t)) {
        refuse(t, 400, "U00400", "malformed target");
    } else if (!put_headers(t, token)) {
        refuse(t, 431, "U00400", "too many headers");
    } else {
        go(t, TUNNEL_OPENING);
        if (!try_next(t))
            no_core(t, "no core is known at the moment");
    }
}

/* ---- all of them ---- */

/* Who is at another core than where it belongs moves, some at a time. */
static void balance(void *arg)
{
    struct um_tunnels *ts = arg;
    uint64_t version = um_cores_version(um_upstream_cores(ts->up));
    bool more = false;

    if (version != ts->balanced) {
        UM_LIST_EACH(it, &ts->list) {
            struct um_tunnel *t = UM_CONTAINER(it, struct um_tunnel, link);
            if (t->state == TUNNEL_GUEST)
                more = um_guest_rebalance(t->guest, MOVING_MAX) || more;
        }
        if (!more)
            ts->balanced = version;
    }
    um_timer_set(ts->loop, &ts->balance, um_loop_next_ms(ts->loop, BALANCE_MS), balance, ts);
}

static void renew(void *arg, const char *session_id, struct um_renewal *r)
{
    struct um_tunnels *ts = arg;
    ts->handler->renew(ts->arg, session_id, r);
}

struct um_tunnels *um_tunnels_new(struct um_upstream *up, const struct um_trusted *trusted, const struct um_tunnels_conf *cf,
                                  const struct um_ws_conf *ws, const struct um_tunnels_handler *handler, void *arg)
{
    struct um_tunnels *ts = um_xcalloc(1, sizeof(*ts));
    struct um_ws_conf line = *ws;

    ts->up = up;
    ts->loop = um_upstream_loop(up);
    ts->trusted = trusted;
    ts->cf = *cf;
    ts->handler = handler;
    ts->arg = arg;
    /* A message is read whole before the other side is found slow: there is room for it beyond what makes it so. */
    line.max_queued = ws->max_queued + ws->max_message;
    um_lines_init(&ts->guests.lines, up, &line);
    ts->guests.lines.ws.max_message = 2 * ws->max_message;
    ts->guests.ws = line;
    ts->guests.handshake_timeout_ms = cf->handshake_timeout_ms;
    ts->guests.handover_timeout_ms = cf->handover_timeout_ms;
    ts->guests.renew = renew;
    ts->guests.arg = ts;
    um_list_init(&ts->list);
    balance(ts);
    return ts;
}

size_t um_tunnels_open(const struct um_tunnels *ts)
{
    return ts->n;
}

/* Ends T for WHY; one whose request is still open is refused. A tunnel that is held belongs to its handler, which has not
 * named a session yet; one that is switching belongs to the server until it hands the socket over. */
static void close_tunnel(struct um_tunnel *t, const char *why)
{
    if (t->state == TUNNEL_OPENING)
        refuse(t, 401, "U00401", why);
    else if (t->state == TUNNEL_SWITCHING)
        t->doomed = true;
    else if (t->state == TUNNEL_GUEST)
        end_tunnel(t, why);
}

void um_tunnels_close_session(struct um_tunnels *ts, const char *session_id, const char *why)
{
    UM_LIST_EACH_SAFE(it, &ts->list) {
        struct um_tunnel *t = UM_CONTAINER(it, struct um_tunnel, link);
        if (strcmp(t->session_id, session_id) != 0)
            continue;
        if (t->state == TUNNEL_GUEST)
            um_guest_close(t->guest, CLOSE_POLICY, why);
        else
            close_tunnel(t, why);
    }
}

void um_tunnels_each_session(struct um_tunnels *ts, void (*fn)(void *arg, const char *session_id), void *arg)
{
    UM_LIST_EACH(it, &ts->list) {
        const struct um_tunnel *t = UM_CONTAINER(it, struct um_tunnel, link);
        if (t->session_id[0] != '\0')
            fn(arg, t->session_id);
    }
}

static size_t count_open(const struct um_tunnels *ts)
{
    size_t n = 0;

    UM_LIST_EACH(it, &ts->list) {
        const struct um_tunnel *t = UM_CONTAINER(it, struct um_tunnel, link);
        n += t->state == TUNNEL_GUEST && !t->is_closed;
    }
    return n;
}

/* As many as bring it to its end in time. */
static void drain_step(void *arg)
{
    struct um_tunnels *ts = arg;
    int64_t left_ms = UM_MAX(ts->drained_at_ms - um_loop_now_ms(ts->loop), 0);
    size_t n = count_open(ts), now = left_ms < DRAIN_STEP_MS ? n : (n * DRAIN_STEP_MS + (size_t)left_ms - 1) / (size_t)left_ms;

    UM_LIST_EACH_SAFE(it, &ts->list) {
        struct um_tunnel *t = UM_CONTAINER(it, struct um_tunnel, link);
        if (now == 0)
            break;
        if (t->state != TUNNEL_GUEST || t->is_closed)
            continue;
        t->is_closed = true;
        um_guest_close(t->guest, CLOSE_RESTART, "service restart");
        now--;
    }
    um_timer_set(ts->loop, &ts->drain, DRAIN_STEP_MS, drain_step, ts);
}

void um_tunnels_drain(struct um_tunnels *ts, int64_t spread_ms)
{
    ts->drained_at_ms = um_loop_now_ms(ts->loop) + spread_ms;
    drain_step(ts);
}

void um_tunnels_close_all(struct um_tunnels *ts, const char *why)
{
    UM_LIST_EACH_SAFE(it, &ts->list)
        close_tunnel(UM_CONTAINER(it, struct um_tunnel, link), why);
    um_lines_end(&ts->guests.lines);
}

void um_tunnels_free(struct um_tunnels *ts)
{
    if (ts == NULL)
        return;
    um_tunnels_close_all(ts, "the gateway stops");
    um_timer_stop(ts->loop, &ts->balance);
    um_timer_stop(ts->loop, &ts->drain);
    free(ts);
}
