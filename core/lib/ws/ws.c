/* The life of a connection: states, timers, moving between loops. See conn.h for the diagram. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "conn.h"

struct um_metric ws_metrics[WS_M_N] = {
    [WS_M_OPEN] = { "ws.open", "connections", "open WebSockets", UM_GAUGE, 0 },
    [WS_M_OPENED] = { "ws.opened", "connections", "WebSockets that were opened", UM_COUNTER, 0 },
    [WS_M_BYTES_IN] = { "ws.in.bytes", "bytes", "bytes read from WebSockets", UM_COUNTER, 0 },
    [WS_M_BYTES_OUT] = { "ws.out.bytes", "bytes", "bytes written to WebSockets", UM_COUNTER, 0 },
    [WS_M_MESSAGES_IN] = { "ws.messages.in", "messages", "whole messages received", UM_COUNTER, 0 },
    [WS_M_FRAMES_OUT] = { "ws.frames.out", "buffers", "frames, or runs of frames, sent", UM_COUNTER, 0 },
    [WS_M_WRITES] = { "ws.writes", "calls", "system calls that wrote", UM_COUNTER, 0 },
    [WS_M_PROTOCOL] = { "ws.refused.protocol", "connections", "closed with 1002 for a broken rule", UM_COUNTER, 0 },
    [WS_M_UTF8] = { "ws.refused.utf8", "connections", "closed with 1007 for invalid text", UM_COUNTER, 0 },
    [WS_M_TOO_BIG] = { "limit.hit.ws.max-message", "connections", "closed with 1009 or 1011: message too big", UM_COUNTER, 0 },
    [WS_M_TOO_MANY_FRAGMENTS] = { "limit.hit.ws.max-fragments", "connections", "closed with 1008: too many fragments",
                                  UM_COUNTER, 0 },
    [WS_M_CONTROL_FLOOD] = { "limit.hit.ws.control-rate", "connections", "closed with 1008: too many control frames",
                             UM_COUNTER, 0 },
    [WS_M_OVERFLOW] = { "limit.hit.ws.max-queued", "connections", "closed with 1013: reader too slow", UM_COUNTER, 0 },
    [WS_M_STALLED] = { "limit.hit.ws.stall-timeout", "connections", "closed with 1013: no progress", UM_COUNTER, 0 },
    [WS_M_IDLE] = { "limit.hit.ws.idle-timeout", "connections", "cut: nothing heard", UM_COUNTER, 0 },
    [WS_M_MOVED] = { "ws.moved", "connections", "moves from one loop to another", UM_COUNTER, 0 },
};

static const char *const state_name[WS_STATE_N] = {
#define X(s) #s,
    WS_STATES(X)
#undef X
};

#define TO(s) (1u << WS_##s)
static const uint8_t may_go[WS_STATE_N] = {
    [WS_OPEN]    = TO(CLOSING) | TO(ENDING) | TO(DEAD),
    [WS_CLOSING] = TO(ENDING) | TO(DEAD),
    [WS_ENDING]  = TO(LINGER) | TO(DEAD),
    [WS_LINGER]  = TO(DEAD),
    [WS_DEAD]    = 0,
};

/* A ping is the same two bytes for everybody: never freed, for the table holds the first reference. */
static struct um_bytes ping_frame = { .refs = 1, .len = 2, .data = { 0x80 | WS_OP_PING, 0 } };
static struct um_bytes masked_ping_frame = { .refs = 1, .len = 6, .data = { 0x80 | WS_OP_PING, 0x80, 0, 0, 0, 0 } };

void ws_go(struct um_ws *ws, enum ws_state to, const char *why)
{
    UM_ASSERT(may_go[ws->state] & (1u << to));
    um_log(UM_DEBUG, "ws", "state", UM_I("fd", ws->io.fd), UM_S("from", state_name[ws->state]),
           UM_S("to", state_name[to]), UM_S("why", why));
    ws->state = (uint8_t)to;
    ws->since_ms = um_loop_now_ms(ws->loop);
    if (to != WS_DEAD)
        ws_arm(ws);
}

/* --- the end ---------------------------------------------------------------------------------------------- */

static void destroy(struct um_ws *ws)
{
    ws_free_input(ws);
    ws_free_output(ws);
    if (ws->io.fd >= 0)
        close(ws->io.fd);
    free(ws->reason);
    free(ws);
    ws_count(WS_M_OPEN, -1);
}

static void reap(void *arg)
{
    struct um_ws *ws = arg;

    ws->handler->on_close(ws->arg, ws->code == 0 ? 1006 : ws->code, UM_SPAN(ws->reason, ws->reason_len));
    destroy(ws);
}

static void reap_soon(struct um_ws *ws)
{
    um_defer_init(&ws->defer, reap, ws);
    um_loop_defer(ws->loop, UM_PHASE_REAP, &ws->defer);
}

void ws_die(struct um_ws *ws, const char *why)
{
    if (ws->state == WS_DEAD)
        return;
    ws_go(ws, WS_DEAD, why);
    um_io_stop(ws->loop, &ws->io);
    um_timer_stop(ws->loop, &ws->timer);
    um_defer_cancel(&ws->defer);
    reap_soon(ws);
}

static void set_reason(struct um_ws *ws, unsigned code, const void *text, size_t len)
{
    if (ws->code != 0)
        return;                                         /* who spoke first */
    ws->code = (uint16_t)code;
    ws->reason = len > 0 ? malloc(len) : NULL;          /* without memory it ends without a reason */
    if (ws->reason == NULL)
        return;
    memcpy(ws->reason, text, len);
    ws->reason_len = (uint8_t)len;
}

/* A reason fits a control frame and stays UTF-8 when it is cut. */
static size_t reason_length(const char *reason)
{
    size_t n = reason != NULL ? strnlen(reason, WS_MAX_CONTROL - 2 + 1) : 0;

    if (n > WS_MAX_CONTROL - 2)
        for (n = WS_MAX_CONTROL - 2; n > 0 && ((uint8_t)reason[n] & 0xc0) == 0x80; n--)
            ;
    return n;
}

static bool queue_close(struct um_ws *ws, unsigned code, const char *reason)
{
    uint8_t body[WS_MAX_CONTROL] = { (uint8_t)(code >> 8), (uint8_t)code };
    size_t n = code == 1005 ? 0 : reason_length(reason);

    if (n > 0)
        memcpy(body + 2, reason, n);
    set_reason(ws, code, reason, n);
    return ws_queue(ws, ws_control_frame(WS_OP_CLOSE, UM_SPAN(body, code == 1005 ? 0 : 2 + n), ws->is_client));
}

void ws_end(struct um_ws *ws, unsigned code, const char *why)
{
    if (ws->state == WS_OPEN && !queue_close(ws, code, why)) {
        ws_die(ws, "no memory for Close");
    } else if (ws->state == WS_OPEN || ws->state == WS_CLOSING) {
        ws_go(ws, WS_ENDING, why);
        ws_free_input(ws);
        ws_watch(ws);
        ws_flush_soon(ws);
    }
}

void ws_end_by_peer(struct um_ws *ws, struct um_span payload)
{
    unsigned code = payload.len >= 2 ? (unsigned)payload.data[0] << 8 | payload.data[1] : 1005;

    if (ws->state == WS_OPEN) {
        set_reason(ws, code, payload.data + UM_MIN(payload.len, 2u), payload.len >= 2 ? payload.len - 2 : 0);
        payload.len = UM_MIN(payload.len, 2u);          /* answered with its code */
        if (!ws_queue(ws, ws_control_frame(WS_OP_CLOSE, payload, ws->is_client))) {
            ws_die(ws, "no memory for Close");
            return;
        }
    }
    ws_go(ws, WS_ENDING, "the peer's Close");
    ws_free_input(ws);
    ws_watch(ws);
    ws_flush_soon(ws);
}

void um_ws_close(struct um_ws *ws, unsigned code, const char *reason)
{
    if (ws->state != WS_OPEN)
        return;
    if (!queue_close(ws, code, reason)) {
        ws_die(ws, "no memory for Close");
        return;
    }
    ws_go(ws, WS_CLOSING, "closed by us");
    free(ws->msg);                                      /* nothing more is handed on */
    ws->msg = NULL;
    ws->msg_len = ws->msg_cap = 0;
    ws_watch(ws);
    ws_arm(ws);
}

void um_ws_abort(struct um_ws *ws)
{
    ws_die(ws, "aborted");
}

/* --- time --------------------------------------------------------------------------------------------------- */

static int64_t next_ping_ms(const struct um_ws *ws)
{
    return UM_MAX(ws->heard_at_ms, ws->pinged_at_ms) + ws->cf->ping_interval_ms;
}

static bool is_asked(const struct um_ws *ws) { return ws->pinged_at_ms > ws->heard_at_ms; }

/* When silence has lasted too long, for one that was asked. Who was asked late only, for our loop stood still, has as much time to
 * answer as others. */
static int64_t cut_at_ms(const struct um_ws *ws)
{
    int64_t at = ws->heard_at_ms + ws->cf->idle_timeout_ms;

    return ws->pinged_at_ms < at ? at : ws->pinged_at_ms + ws->cf->idle_timeout_ms - ws->cf->ping_interval_ms;
}

static int64_t due_at_ms(const struct um_ws *ws)
{
    int64_t at;

    if (ws->raw_ready && ws->raw != NULL && !(ws->state == WS_OPEN && ws->paused))
        return 0;
    if (ws->state != WS_OPEN)
        return ws->since_ms + ws->cf->close_timeout_ms;
    at = next_ping_ms(ws);
    if (!ws->paused)
        at = UM_MIN(at, cut_at_ms(ws));
    if (ws->q_n > 0)
        at = UM_MIN(at, ws->progress_at_ms + ws->cf->stall_timeout_ms);
    return at;
}

static void on_timer(void *arg)
{
    struct um_ws *ws = arg;
    int64_t now = um_loop_now_ms(ws->loop);

    if (due_at_ms(ws) == 0) {
        ws_arm(ws);                                     /* before: the callbacks may free the connection */
        ws_read_raw(ws);
        return;
    }
    if (ws->state != WS_OPEN) {
        if (now >= due_at_ms(ws))
            ws_die(ws, "close timeout");
    } else if (ws->q_n > 0 && now >= ws->progress_at_ms + ws->cf->stall_timeout_ms) {
        ws_stalled(ws);
    } else if (!ws->paused && now >= cut_at_ms(ws) && is_asked(ws)) {
        ws_count(WS_M_IDLE, 1);
        ws_die(ws, "nothing heard");
    } else if (now >= next_ping_ms(ws) || (!ws->paused && now >= cut_at_ms(ws))) {
        ws->pinged_at_ms = now;
        if (!ws_queue(ws, um_bytes_ref(ws->is_client ? &masked_ping_frame : &ping_frame)))
            ws_die(ws, "no memory for a ping");
    }
    if (ws->state != WS_DEAD)
        ws_arm(ws);
}

/* Sets the timer to what is due next. What moves later (a byte was heard) leaves the timer alone: it looks again when
 * it fires. */
void ws_arm(struct um_ws *ws)
{
    int64_t now = um_loop_now_ms(ws->loop), at = due_at_ms(ws);

    if (!um_timer_is_set(&ws->timer) || at < ws->timer.at_ms || ws->state != WS_OPEN)
        um_timer_set(ws->loop, &ws->timer, at > now ? at - now : 0, on_timer, ws);
}

/* --- the socket --------------------------------------------------------------------------------------------- */

static void on_io(void *arg, unsigned events)
{
    struct um_ws *ws = arg;

    if (events & UM_WRITE)
        ws_flush_soon(ws);
    if ((events & UM_HUP) && ws->state == WS_OPEN && (ws->paused || ws->raw_ready))
        ws_die(ws, "hung up");                          /* level-triggered: it would be told again and again */
    else if (events & (UM_READ | UM_HUP))
        ws_read(ws);
}

void ws_watch(struct um_ws *ws)
{
    unsigned want = ws->state == WS_OPEN && ws->paused ? 0 : UM_READ;

    if (ws->state != WS_DEAD)
        um_io_want(ws->loop, &ws->io, want | (ws->q_n > 0 ? UM_WRITE : 0));
}

/* WS starts, or goes on, on this loop. */
static um_err settle(struct um_ws *ws, struct um_loop *l, const struct um_ws_handler *handler, void *arg)
{
    int fd = ws->io.fd;
    um_err err;

    ws->loop = l;
    ws->handler = handler;
    ws->arg = arg;
    if (ws->state == WS_DEAD) {
        reap_soon(ws);
        return UM_OK;
    }
    um_defer_init(&ws->defer, ws_flush, ws);
    memset(&ws->io, 0, sizeof(ws->io));
    err = um_io_start(l, &ws->io, fd, UM_READ, on_io, ws);
    ws->io.fd = fd;
    if (err != UM_OK)
        return err;
    ws_watch(ws);
    ws_arm(ws);
    if (ws->q_n > 0 || ws->state == WS_ENDING)
        ws_flush_soon(ws);
    return UM_OK;
}

static struct um_ws *make(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf,
                          const struct um_ws_handler *handler, void *arg, bool is_client)
{
    struct um_ws *ws = calloc(1, sizeof(*ws));
    int64_t now = um_loop_now_ms(l);

    if (ws == NULL) {
        close(fd);
        return NULL;
    }
    ws_count(WS_M_OPEN, 1);
    ws_count(WS_M_OPENED, 1);
    ws->cf = cf;
    ws->is_client = is_client;
    ws->io.fd = fd;
    ws->heard_at_ms = ws->pinged_at_ms = ws->sent_at_ms = now;
    ws->stats.opened_at_ms = um_wall_ms();
    ws->stats.bytes_in = early.len;
    ws->raw_ready = early.len > 0;
    if (!ws_keep_raw(ws, early.data, early.len) || settle(ws, l, handler, arg) != UM_OK) {
        destroy(ws);
        return NULL;
    }
    return ws;
}

struct um_ws *um_ws_new(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf,
                        const struct um_ws_handler *handler, void *arg)
{
    return make(l, fd, early, cf, handler, arg, false);
}

struct um_ws *um_ws_new_client(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf,
                               const struct um_ws_handler *handler, void *arg)
{
    return make(l, fd, early, cf, handler, arg, true);
}

void um_ws_set_handler(struct um_ws *ws, const struct um_ws_handler *handler, void *arg)
{
    ws->handler = handler;
    ws->arg = arg;
}

void um_ws_pause(struct um_ws *ws, bool pause)
{
    if (ws->paused == pause)
        return;
    ws->paused = pause;
    if (ws->state == WS_DEAD)
        return;
    if (!pause)
        ws->heard_at_ms = um_loop_now_ms(ws->loop);     /* we did not listen: that is not the peer's silence */
    ws_watch(ws);
    ws_arm(ws);
}

/* --- moving ------------------------------------------------------------------------------------------------- */

struct um_ws_parcel {                                   /* the connection itself, on no loop */
    struct um_ws ws;
};

static bool pack_rest(struct um_ws *ws)
{
    struct ws_cursor *c = ws->cursor;
    bool ok;

    if (c == NULL)
        return true;
    ok = ws_keep_raw(ws, c->p, (size_t)(c->end - c->p));
    ws->raw_ready = ws->raw != NULL;
    c->detached = true;
    ws->cursor = NULL;
    return ok;
}

struct um_ws_parcel *um_ws_detach(struct um_ws *ws)
{
    um_io_stop(ws->loop, &ws->io);
    um_timer_stop(ws->loop, &ws->timer);
    um_defer_cancel(&ws->defer);
    if (!pack_rest(ws) && ws->state != WS_DEAD)
        ws_go(ws, WS_DEAD, "no memory for a move");     /* told on the loop where it arrives */
    ws_count(WS_M_MOVED, 1);
    ws->loop = NULL;
    return (struct um_ws_parcel *)ws;
}

struct um_ws *um_ws_attach(struct um_loop *l, struct um_ws_parcel *p, const struct um_ws_handler *handler, void *arg)
{
    struct um_ws *ws = &p->ws;

    if (settle(ws, l, handler, arg) == UM_OK)
        return ws;
    destroy(ws);
    return NULL;
}

void um_ws_parcel_free(struct um_ws_parcel *p)
{
    if (p != NULL)
        destroy(&p->ws);
}

/* --- what it knows ------------------------------------------------------------------------------------------ */

int64_t um_ws_last_sent_ms(const struct um_ws *ws)
{
    return ws->sent_at_ms;
}

int64_t um_ws_last_heard_ms(const struct um_ws *ws)
{
    return ws->heard_at_ms;
}

struct um_ws_stats um_ws_stats(const struct um_ws *ws)
{
    return ws->stats;
}

void um_ws_start(void)
{
    um_metrics_register(ws_metrics, UM_COUNT(ws_metrics));
}
