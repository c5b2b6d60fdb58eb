/* The life of one tunnel.
 *
 *   HELD --open--> DIALLING --connected--> SHAKING --101--> SWITCHING --the server hands the socket over--> RELAYING
 *     |               ^ |                      | |              |                                                |
 *     +- refuse       +-|--- the next core ----+ +- 4xx         +- client left                                   +- an end
 *                       +- none is left: 503
 *
 * DIALLING and SHAKING have one deadline together; as long as another core is left, each attempt has a third of it. Until
 * SWITCHING the HTTP request is open and whatever fails is answered there; from RELAYING on a failure can only cut. A core's
 * 4xx is about the request and goes on to the client; anything else that is no 101 is about the core: the next one is asked. */
#include <proxy/tunnel.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <proxy/affinity.h>
#include <proxy/dial.h>
#include <proxy/handshake.h>
#include <proxy/hop.h>
#include <proxy/relay.h>
#include <proxy/target.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include "upstream_int.h"

enum { CLOSE_POLICY = 1008 };             /* RFC 6455 7.4.1: what the Java library sends when a session ends */
enum { SESSION_ID_MAX = 64, USED_EVERY_MS = 60000, REQUEST_DEADLINE_EXTRA_MS = 30000 };

#define TUNNEL_STATES(X) X(HELD) X(DIALLING) X(SHAKING) X(SWITCHING) X(RELAYING) X(ENDED)
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
    [TUNNEL_HELD]      = TO(DIALLING) | TO(ENDED),
    [TUNNEL_DIALLING]  = TO(SHAKING) | TO(ENDED),
    [TUNNEL_SHAKING]   = TO(DIALLING) | TO(SWITCHING) | TO(ENDED),
    [TUNNEL_SWITCHING] = TO(RELAYING) | TO(ENDED),
    [TUNNEL_RELAYING]  = TO(ENDED),
};

enum { M_OPEN, M_OPENED, M_REFUSED, M_BYTES_UP, M_BYTES_DOWN };
static struct um_metric metrics[] = {
    [M_OPEN]       = { "gateway.tunnels", "tunnels", "WebSocket tunnels that relay", UM_GAUGE, 0 },
    [M_OPENED]     = { "gateway.tunnels.opened", "tunnels", "WebSocket tunnels begun", UM_COUNTER, 0 },
    [M_REFUSED]    = { "gateway.tunnels.refused", "tunnels", "WebSocket handshakes that no core or no rule allowed", UM_COUNTER, 0 },
    [M_BYTES_UP]   = { "gateway.tunnels.up.bytes", "bytes", "relayed from clients, counted at the end of a tunnel", UM_COUNTER, 0 },
    [M_BYTES_DOWN] = { "gateway.tunnels.down.bytes", "bytes", "relayed from cores, counted at the end of a tunnel", UM_COUNTER, 0 },
};

struct um_tunnels {
    struct um_upstream *up;
    struct um_loop *loop;
    const struct um_trusted *trusted;
    struct um_tunnels_conf cf;
    void (*used)(void *arg, const char *session_id);
    void *arg;
    struct um_list list;
    size_t n;
    uint8_t scratch[UM_RELAY_SCRATCH_BYTES];
};

/* What only the handshake needs; freed when the relaying begins. */
struct shaking {
    struct um_tries tries;
    struct um_core *core;                 /* of this attempt; held by `tries` */
    struct um_dial *dial;
    struct um_io io;
    struct um_timer deadline;
    int64_t until_ms;
    struct um_buf out, in, affinity;
    char *target, *protocols;
    char key[UM_HANDSHAKE_KEY_LEN + 1];
    char *token;
};
struct um_tunnel {
    struct um_list link;
    struct um_tunnels *ts;
    enum tunnel_state state;
    struct um_http_req *rq;               /* NULL: the client has left, or its socket is ours */
    int core_fd;
    struct shaking *sh;
    struct um_relay *relay;
    int64_t opened_at_ms, used_at_ms;
    char session_id[SESSION_ID_MAX];      /* "" : none */
    bool doomed;                          /* its session ended while it was switching */
};

void um_tunnel_start(void)
{
    um_metrics_register(metrics, UM_COUNT(metrics));
}

static void go(struct um_tunnel *t, enum tunnel_state to)
{
    UM_ASSERT(may_go[t->state] & (1u << to));
    um_log(UM_TRACE, "gateway.tunnel", "state", UM_S("from", state_name[t->state]), UM_S("to", state_name[to]));
    t->state = to;
}

/* ---- ends ---- */

static void free_shaking(struct um_tunnel *t)
{
    struct shaking *sh = t->sh;

    if (sh == NULL)
        return;
    um_dial_cancel(sh->dial);
    um_io_stop(t->ts->loop, &sh->io);
    um_timer_stop(t->ts->loop, &sh->deadline);
    um_buf_free(&sh->out);
    um_buf_free(&sh->in);
    um_buf_free(&sh->affinity);
    um_tries_end(&sh->tries);
    free(sh->target);
    free(sh->protocols);
    free(sh->token);
    free(sh);
    t->sh = NULL;
}

static void count_end(struct um_tunnel *t, const char *why)
{
    struct um_relay_stats stats = um_relay_stats(t->relay);

    um_count(&metrics[M_OPEN], -1);
    um_count(&metrics[M_BYTES_UP], (int64_t)stats.from_a);
    um_count(&metrics[M_BYTES_DOWN], (int64_t)stats.from_b);
    um_log(UM_DEBUG, "gateway.tunnel", "closed", UM_S("reason", why),
           UM_I("age_ms", um_loop_now_ms(t->ts->loop) - t->opened_at_ms), UM_I("up", stats.from_a), UM_I("down", stats.from_b));
}

/* Everything ends here. The request, if there still is one, has been answered by the caller. */
static void end_tunnel(struct um_tunnel *t, const char *why)
{
    if (t->state == TUNNEL_RELAYING) {
        count_end(t, why);
        um_relay_free(t->relay);
    }
    go(t, TUNNEL_ENDED);
    free_shaking(t);
    if (t->core_fd >= 0)
        close(t->core_fd);
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

/* ---- relaying ---- */

static void client_spoke(void *arg)
{
    struct um_tunnel *t = arg;
    int64_t now = um_loop_now_ms(t->ts->loop);

    if (t->session_id[0] == '\0' || now - t->used_at_ms < USED_EVERY_MS)
        return;
    t->used_at_ms = now;
    t->ts->used(t->ts->arg, t->session_id);
}

static void relay_ended(void *arg, const char *why)
{
    end_tunnel(arg, why);
}

static const struct um_relay_handler relay_handler = { client_spoke, relay_ended };

static void take_socket(void *arg, int fd, struct um_span early)
{
    struct um_tunnel *t = arg;
    struct um_tunnels *ts = t->ts;

    t->rq = NULL;
    if (fd < 0) {
        end_tunnel(t, "the client left");
        return;
    }
    t->relay = um_relay_new(ts->loop, fd, early, t->core_fd, UM_SPAN(t->sh->in.data, t->sh->in.len), ts->scratch,
                            &relay_handler, t);
    t->core_fd = -1;
    free_shaking(t);
    go(t, TUNNEL_RELAYING);
    t->opened_at_ms = t->used_at_ms = um_loop_now_ms(ts->loop);
    um_count(&metrics[M_OPEN], 1);
    um_count(&metrics[M_OPENED], 1);
    if (t->doomed)
        end_tunnel(t, "the session has ended");
}

/* ---- the handshake with the core ---- */

static struct um_handshake handshake_of(const struct um_tunnel *t)
{
    return (struct um_handshake){ .target = t->sh->target, .host = um_core_host(t->sh->core), .key = t->sh->key,
                                  .protocols = t->sh->protocols };
}

static void dialled(void *arg, um_err err, int fd);
static void too_late(void *arg);

/* Asks the next core; false when none is left, or no time. */
static bool try_next(struct um_tunnel *t)
{
    struct um_tunnels *ts = t->ts;
    struct shaking *sh = t->sh;
    int64_t now = um_loop_now_ms(ts->loop), left = sh->until_ms - now;

    if (left <= 0 || (sh->core = upstream_next(ts->up, &sh->tries, UM_SPAN(sh->affinity.data, sh->affinity.len))) == NULL ||
        (sh->dial = um_dial_start(ts->up, sh->core, dialled, t)) == NULL)
        return false;
    if (um_cores_has_next(um_upstream_cores(ts->up), &sh->tries))
        left = UM_MIN(left, ts->cf.handshake_timeout_ms / 3);
    um_timer_set(ts->loop, &sh->deadline, left, too_late, t);
    if (t->state != TUNNEL_DIALLING)
        go(t, TUNNEL_DIALLING);
    return true;
}

/* This core gives us no 101. ANSWERED: it has spoken, all the same. */
static void give_up_core(struct um_tunnel *t, bool answered, const char *message)
{
    struct shaking *sh = t->sh;

    um_core_note(sh->core, answered, um_loop_now_ms(t->ts->loop));
    um_dial_cancel(sh->dial);
    sh->dial = NULL;
    um_io_stop(t->ts->loop, &sh->io);
    if (t->core_fd >= 0)
        close(t->core_fd);
    t->core_fd = -1;
    um_buf_clear(&sh->in);
    um_buf_clear(&sh->out);
    if (!try_next(t))
        no_core(t, message);
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

static void core_refused(struct um_tunnel *t, unsigned status)
{
    if (status < 400 || status > 499) {
        give_up_core(t, true, "the core refuses connections at the moment");
        return;
    }
    um_core_note(t->sh->core, true, um_loop_now_ms(t->ts->loop));
    if (status == 426) {                      /* has to name what it asks for (RFC 9110 15.5.22) */
        um_http_add_header(t->rq, "Upgrade", "websocket");
        um_http_add_header(t->rq, "Sec-WebSocket-Version", "13");
    }
    refuse(t, status, code_of(status), "refused by the core");
}

static void judge_answer(struct um_tunnel *t)
{
    struct um_handshake h = handshake_of(t);
    struct um_handshake_answer answer;
    struct um_http_req *rq = t->rq;

    switch (um_handshake_read(UM_SPAN(t->sh->in.data, t->sh->in.len), &h, &answer)) {
    case UM_HANDSHAKE_MORE:
        return;
    case UM_HANDSHAKE_BAD:
        give_up_core(t, false, "the core's answer is no WebSocket handshake");
        return;
    case UM_HANDSHAKE_REFUSED:
        core_refused(t, answer.status);
        return;
    case UM_HANDSHAKE_OPEN:
        break;
    }
    um_core_note(t->sh->core, true, um_loop_now_ms(t->ts->loop));
    um_buf_consume(&t->sh->in, answer.len);
    um_io_stop(t->ts->loop, &t->sh->io);
    um_timer_stop(t->ts->loop, &t->sh->deadline);
    go(t, TUNNEL_SWITCHING);
    um_http_upgrade(rq, answer.protocol[0] != '\0' ? answer.protocol : NULL, take_socket, t);
}

/* False: the connection to the core broke. */
static bool read_answer(struct um_tunnel *t)
{
    struct shaking *sh = t->sh;
    size_t room = UM_HANDSHAKE_MAX_BYTES - sh->in.len;
    uint8_t *at = um_buf_room(&sh->in, room);
    ssize_t n = at != NULL ? recv(t->core_fd, at, room, MSG_DONTWAIT) : -1;

    if (n > 0)
        um_buf_advance(&sh->in, (size_t)n);
    return n > 0 || (n < 0 && at != NULL && (errno == EAGAIN || errno == EINTR));
}

static bool write_request(struct um_tunnel *t)
{
    struct shaking *sh = t->sh;
    ssize_t n = sh->out.len > 0 ? send(t->core_fd, sh->out.data, sh->out.len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

    if (n > 0)
        um_buf_consume(&sh->out, (size_t)n);
    um_io_want(t->ts->loop, &sh->io, UM_READ | (sh->out.len > 0 ? UM_WRITE : 0));
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void core_ready(void *arg, unsigned events)
{
    struct um_tunnel *t = arg;

    if (((events & UM_WRITE) && !write_request(t)) || ((events & (UM_READ | UM_HUP)) && !read_answer(t)))
        give_up_core(t, false, "the core broke off the handshake");
    else if (events & (UM_READ | UM_HUP))
        judge_answer(t);
}

static bool make_request(struct um_tunnel *t)
{
    struct um_handshake h = handshake_of(t);
    struct um_hop_headers headers;

    if (um_hop_request_headers(&headers, t->rq, t->ts->trusted, t->sh->token) != UM_OK)
        return false;
    h.headers = headers.items;
    h.n = headers.n;
    um_handshake_write(&t->sh->out, &h);
    return !t->sh->out.failed;
}

static void dialled(void *arg, um_err err, int fd)
{
    struct um_tunnel *t = arg;

    t->sh->dial = NULL;
    t->core_fd = fd;
    if (err != UM_OK) {
        give_up_core(t, false, "the core cannot be reached at the moment");
        return;
    }
    go(t, TUNNEL_SHAKING);
    if (!make_request(t))
        refuse(t, 431, "U00400", "too many headers");
    else if (um_io_start(t->ts->loop, &t->sh->io, fd, UM_READ | UM_WRITE, core_ready, t) != UM_OK)
        no_core(t, "no room on the loop");
}

static void too_late(void *arg)
{
    give_up_core(arg, false, "the core does not answer");
}

/* ---- life ---- */

struct um_tunnel *um_tunnel_new(struct um_tunnels *ts, struct um_http_req *rq)
{
    struct um_tunnel *t = um_xcalloc(1, sizeof(*t));

    t->ts = ts;
    t->rq = rq;
    t->core_fd = -1;
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

/* Sockets of one document meet at one core. Where the path does not name it, those of one session do, or of one client. */
static void put_affinity(struct um_tunnel *t)
{
    struct um_span document = um_affinity_document(um_http_path(t->rq));
    struct um_client client;

    if (document.len > 0) {
        um_buf_put(&t->sh->affinity, document.data, document.len);
    } else if (t->session_id[0] != '\0') {
        um_buf_puts(&t->sh->affinity, t->session_id);
    } else {
        um_client_of(t->ts->trusted, t->rq, &client);
        um_buf_puts(&t->sh->affinity, client.address);
    }
}

static bool prepare_shaking(struct um_tunnel *t, const char *token)
{
    const char *protocols = um_http_header(t->rq, "Sec-WebSocket-Protocol");
    struct um_buf target = {0};
    bool ok = um_target_rewrite(um_http_raw_target(t->rq), &target) == UM_OK;

    t->sh = um_xcalloc(1, sizeof(*t->sh));
    t->sh->tries.needs = "collab";
    if (ok) {
        t->sh->target = um_xstrdup(um_buf_cstr(&target));
        t->sh->protocols = protocols != NULL ? um_xstrdup(protocols) : NULL;
        t->sh->token = token != NULL ? um_xstrdup(token) : NULL;
        um_handshake_key(t->sh->key);
        put_affinity(t);
        t->sh->until_ms = um_loop_now_ms(t->ts->loop) + t->ts->cf.handshake_timeout_ms;
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
    if (ts->n > (size_t)ts->cf.max_tunnels) {
        no_core(t, "too many connections");
        return;
    }
    if (session_id != NULL)
        strncat(t->session_id, session_id, sizeof(t->session_id) - 1);
    if (!prepare_shaking(t, token)) {
        refuse(t, 400, "U00400", "malformed target");
        return;
    }
    if (!try_next(t))
        no_core(t, "no core is known at the moment");
}

struct um_tunnels *um_tunnels_new(struct um_upstream *up, const struct um_trusted *trusted, const struct um_tunnels_conf *cf,
                                  void (*used)(void *arg, const char *session_id), void *arg)
{
    struct um_tunnels *ts = um_xcalloc(1, sizeof(*ts));

    ts->up = up;
    ts->loop = um_upstream_loop(up);
    ts->trusted = trusted;
    ts->cf = *cf;
    ts->used = used;
    ts->arg = arg;
    um_list_init(&ts->list);
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
    if (t->state == TUNNEL_DIALLING || t->state == TUNNEL_SHAKING)
        refuse(t, 401, "U00401", why);
    else if (t->state == TUNNEL_SWITCHING)
        t->doomed = true;
    else if (t->state == TUNNEL_RELAYING)
        end_tunnel(t, why);
}

void um_tunnels_close_session(struct um_tunnels *ts, const char *session_id, const char *why)
{
    UM_LIST_EACH_SAFE(it, &ts->list) {
        struct um_tunnel *t = UM_CONTAINER(it, struct um_tunnel, link);
        if (strcmp(t->session_id, session_id) != 0)
            continue;
        if (t->state == TUNNEL_RELAYING)
            um_relay_close(t->relay, CLOSE_POLICY, why);
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

void um_tunnels_close_all(struct um_tunnels *ts, const char *why)
{
    UM_LIST_EACH_SAFE(it, &ts->list)
        close_tunnel(UM_CONTAINER(it, struct um_tunnel, link), why);
}

void um_tunnels_free(struct um_tunnels *ts)
{
    if (ts == NULL)
        return;
    um_tunnels_close_all(ts, "the gateway stops");
    free(ts);
}
