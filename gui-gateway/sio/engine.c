/* Sessions: their life, their heartbeat, what waits to be sent. See engine_int.h for the states. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "eio_packet.h"
#include "engine_int.h"
#include "forward.h"

struct um_metric sio_metrics[SIO_M_N] = {
    [SIO_M_OPEN] = { "sio.open", "connections", "open Engine.IO sessions", UM_GAUGE, 0 },
    [SIO_M_OPENED] = { "sio.opened", "connections", "Engine.IO sessions that were opened", UM_COUNTER, 0 },
    [SIO_M_POLLING] = { "sio.polling", "connections", "of the open sessions, those on long polling", UM_GAUGE, 0 },
    [SIO_M_UPGRADED] = { "sio.upgraded", "connections", "changes from polling to a WebSocket", UM_COUNTER, 0 },
    [SIO_M_MOVED] = { "sio.moved", "requests", "polling requests and sockets that were handed to another reactor", UM_COUNTER, 0 },
    [SIO_M_FORWARDED] = { "sio.forwarded", "requests", "polling requests that were sent on to the gateway of their session", UM_COUNTER, 0 },
    [SIO_M_IN] = { "sio.in", "packets", "messages received", UM_COUNTER, 0 },
    [SIO_M_OUT] = { "sio.out", "packets", "messages sent, counted for each receiver", UM_COUNTER, 0 },
    [SIO_M_REFUSED] = { "sio.refused", "requests", "requests refused with an Engine.IO error", UM_COUNTER, 0 },
    [SIO_M_PING_TIMEOUT] = { "sio.ping-timeout", "connections", "sessions closed for want of a pong", UM_COUNTER, 0 },
    [SIO_M_BAD] = { "sio.bad", "connections", "sessions closed for malformed or forbidden packets", UM_COUNTER, 0 },
    [SIO_M_OVERFLOW] = { "limit.hit.sio.max-queued", "connections", "sessions closed: reader too slow", UM_COUNTER, 0 },
    [SIO_M_VOLATILE] = { "sio.volatile-dropped", "packets", "volatile events dropped for a client that was not ready", UM_COUNTER, 0 },
    [SIO_M_SOCKETS] = { "sio.sockets", "sockets", "clients in namespaces", UM_GAUGE, 0 },
    [SIO_M_EVENTS_IN] = { "sio.events.in", "events", "events received from clients", UM_COUNTER, 0 },
    [SIO_M_BROADCASTS] = { "sio.broadcasts", "events", "broadcasts, counted once", UM_COUNTER, 0 },
    [SIO_M_LIMIT_NAMESPACES] = { "limit.hit.sio.max-namespaces", "connections", "closed: too many namespaces", UM_COUNTER, 0 },
    [SIO_M_LIMIT_NAME] = { "limit.hit.sio.max-event-name", "connections", "closed: name of an event too long", UM_COUNTER, 0 },
    [SIO_M_LIMIT_ACKS] = { "limit.hit.sio.max-pending-acks", "connections", "closed: too many acknowledgements awaited", UM_COUNTER, 0 },
    [SIO_M_CONNECT_TIMEOUT] = { "limit.hit.sio.connect-timeout", "connections", "closed: joined no namespace in time", UM_COUNTER, 0 },
    [SIO_M_CONNECT_REFUSED] = { "sio.connect-refused", "sockets", "CONNECTs to a namespace that were refused", UM_COUNTER, 0 },
    [SIO_M_RECOVERED] = { "sio.recovered", "sockets", "clients that came back to what they had missed", UM_COUNTER, 0 },
};

void um_sio_start(void)
{
    um_metrics_register(sio_metrics, UM_COUNT(sio_metrics));
}

/* --- engines -------------------------------------------------------------------------------------------------- */

static struct um_ws_conf ws_conf_of(const struct um_sio_conf *cf)
{
    return (struct um_ws_conf){
        .max_message = cf->max_payload, .max_fragments = 4096, .max_queued = cf->max_queued, .high_queued = cf->high_queued,
        /* the heartbeat is Engine.IO's own */
        .stall_timeout_ms = cf->ping_interval_ms + cf->ping_timeout_ms, .ping_interval_ms = INT64_MAX / 4, .idle_timeout_ms = INT64_MAX / 4,
        .close_timeout_ms = 2000, .control_rate = 100, .control_burst = 1000,
    };
}

struct eio_engines *eio_engines_new(struct um_sio *sio, const struct um_sio_env *env, const struct eio_app *app, void *const *args)
{
    struct eio_engines *all = um_xcalloc(1, sizeof(*all));

    all->sio = sio;
    all->conf = env->conf;
    all->app = app;
    all->ws = ws_conf_of(env->conf);
    all->reactors = env->reactors;
    all->member = sio_id_member(env->member);
    all->n = um_reactors_count(env->reactors);
    all->at = um_xcalloc(all->n, sizeof(struct eio_engine *));
    for (unsigned i = 0; i < all->n; i++) {
        struct eio_engine *e = all->at[i] = um_xcalloc(1, sizeof(*e));

        e->all = all;
        e->index = i;
        e->loop = um_reactors_loop(env->reactors, i);
        e->forwards = eio_forwards_new(e->loop, env);
        e->arg = args != NULL ? args[i] : NULL;
        um_list_init(&e->sessions);
        um_list_init(&e->wires);
    }
    return all;
}

static void free_session(struct eio_session *s);

void eio_engines_free(struct eio_engines *all)
{
    if (all == NULL)
        return;
    for (unsigned i = 0; i < all->n; i++) {
        eio_close_forwards(all->at[i]);
        um_map_free(&all->at[i]->by_sid);
        free(all->at[i]);
    }
    free(all->at);
    free(all);
}

struct eio_engine *eio_engine_of(const struct eio_engines *all, const struct um_loop *l)
{
    return all->at[um_loop_index(l)];
}

void eio_close_forwards(struct eio_engine *e)
{
    eio_forwards_free(e->forwards);
    e->forwards = NULL;
}

struct um_loop *eio_loop(const struct eio_engine *e) { return e->loop; }
size_t eio_count(const struct eio_engine *e) { return e->n; }

void eio_set_ask(struct eio_engine *e, um_sio_ask *ask, void *ctx)
{
    e->ask = ask;
    e->ask_ctx = ctx;
}

/* --- birth and death -------------------------------------------------------------------------------------------- */

static void free_session(struct eio_session *s)
{
    eio_drop_queue(s);
    um_bytes_unref(s->handshake);
    if (s->who != NULL)
        free(s->who->memory);
    free(s->who);
    free(s);
}

static void reap(void *arg)
{
    free_session(arg);
}

struct eio_session *eio_find(struct eio_engine *e, const char *sid)
{
    struct eio_session *s = um_map_get(&e->by_sid, UM_SPAN_STR(sid));
    const struct um_sio_conf *cf = e->all->conf;
    int64_t now = um_loop_now_ms(e->loop);

    if (s == NULL || s->state != EIO_IS_OPEN)
        return s;
    if (s->pong_by_ms != 0 ? now < s->pong_by_ms : now < s->ping_at_ms + cf->ping_timeout_ms)
        return s;
    sio_count(SIO_M_PING_TIMEOUT, 1);
    eio_end(s, "ping timeout");
    return NULL;
}

/* What applications are told of the handshake (fetchSockets). Secrets of the request are not. */
static void put_header(void *arg, const char *name, const char *value)
{
    static const char *const shown[] = { "host", "origin", "referer", "user-agent", "accept-language", "x-forwarded-for", "x-real-ip" };
    struct um_buf *b = arg;

    for (size_t i = 0; i < UM_COUNT(shown); i++) {
        if (!um_ascii_ieq(name, shown[i]) || strlen(value) > 512)
            continue;
        um_buf_printf(b, "%s\"%s\":\"", b->data[b->len - 1] == '{' ? "" : ",", shown[i]);
        um_json_escape(b, UM_SPAN_STR(value));
        um_buf_puts(b, "\"");
    }
}

static struct um_bytes *describe(struct um_http_req *rq)
{
    struct um_buf b = { 0 };
    struct um_bytes *text;
    char iso[32];

    um_wall_iso(um_wall_ms(), iso);
    um_buf_puts(&b, "{\"headers\":{");
    um_http_each_header(rq, put_header, &b);
    um_buf_printf(&b, "},\"time\":\"%s\",\"address\":\"%s\",\"xdomain\":%s,\"secure\":false,\"issued\":%lld,\"url\":\"", iso, um_http_peer(rq),
                  um_http_header(rq, "Origin") != NULL ? "true" : "false", (long long)um_wall_ms());
    um_json_escape(&b, UM_SPAN(um_http_raw_target(rq), UM_MIN(strlen(um_http_raw_target(rq)), 512u)));
    um_buf_puts(&b, "\",\"query\":{\"EIO\":\"4\"}");
    text = um_buf_to_bytes(&b);
    um_buf_free(&b);
    return text;
}

struct eio_session *eio_session_new(struct eio_engine *e, struct um_http_req *rq, struct eio_who *who)
{
    struct eio_session *s = calloc(1, sizeof(*s));

    if (s == NULL) {
        if (who != NULL)
            free(who->memory);
        free(who);
        return NULL;
    }
    s->engine = e;
    s->who = who;
    s->handshake = describe(rq);
    um_defer_init(&s->defer, eio_flush, s);
    sio_id_make(s->sid, (struct sio_owner){ e->all->member, (uint8_t)e->index });
    s->ping_at_ms = um_loop_now_ms(e->loop) + e->all->conf->ping_interval_ms;
    um_list_append(&e->sessions, &s->link);
    um_map_put(&e->by_sid, UM_SPAN(s->sid, SIO_ID_LEN), s);
    e->n++;
    sio_count(SIO_M_OPEN, 1);
    sio_count(SIO_M_OPENED, 1);
    sio_count(SIO_M_POLLING, 1);          /* until a wire is its transport */
    return s;
}

void eio_opened(struct eio_session *s)
{
    eio_arm(s);
    s->app = s->engine->all->app->on_open(s->engine->arg, s);
}

void eio_open_packet(const struct eio_session *s, bool polling, struct um_buf *out)
{
    const struct um_sio_conf *cf = s->engine->all->conf;

    um_buf_printf(out, "0{\"sid\":\"%s\",\"upgrades\":%s,\"pingInterval\":%lld,\"pingTimeout\":%lld,\"maxPayload\":%lld}", s->sid,
                  polling && cf->allow_upgrades ? "[\"websocket\"]" : "[]", (long long)cf->ping_interval_ms, (long long)cf->ping_timeout_ms,
                  (long long)cf->max_payload);
}

/* Nobody finds it any more. */
static void unlink_session(struct eio_session *s)
{
    struct eio_engine *e = s->engine;

    if (s->wire == NULL)
        sio_count(SIO_M_POLLING, -1);
    s->state = EIO_IS_DEAD;
    um_map_remove(&e->by_sid, UM_SPAN(s->sid, SIO_ID_LEN));
    um_list_remove(&s->link);
    e->n--;
    sio_count(SIO_M_OPEN, -1);
    um_timer_stop(e->loop, &s->timer);
    um_defer_cancel(&s->defer);
    um_defer_init(&s->defer, reap, s);
    um_loop_defer(e->loop, UM_PHASE_REAP, &s->defer);
}

static void tell_closed(struct eio_session *s, const char *reason)
{
    void *app = s->app;

    um_log(UM_DEBUG, "sio", "closed", UM_S("sid", s->sid), UM_S("reason", reason));
    s->app = NULL;
    if (app != NULL)
        s->engine->all->app->on_close(app, reason);
}

static void drop_wires(struct eio_session *s)
{
    struct eio_wire *wires[] = { s->wire, s->probe };

    for (size_t i = 0; i < UM_COUNT(wires); i++)
        if (wires[i] != NULL)
            eio_wire_close(wires[i]);
    s->probe = NULL;
}

void eio_end(struct eio_session *s, const char *reason)
{
    bool was_open = s->state == EIO_IS_OPEN;

    if (s->state == EIO_IS_DEAD)
        return;
    if (s->get != NULL)
        eio_answer_get(s, "1");
    unlink_session(s);
    drop_wires(s);
    if (was_open)
        tell_closed(s, reason);
}

void eio_close(struct eio_session *s, const char *reason)
{
    if (s->state != EIO_IS_OPEN)
        return;
    if (s->wire != NULL || s->engine->stopped || (s->get != NULL && s->n_queued == 0)) {
        eio_end(s, reason);
        return;
    }
    if (s->get != NULL)                   /* clients work packets off later than the end: it comes with the next poll */
        eio_answer_get(s, NULL);
    s->state = EIO_IS_CLOSING;
    s->closing_by_ms = um_loop_now_ms(s->engine->loop) + EIO_LAST_POLL_MS;
    drop_wires(s);
    eio_arm(s);
    tell_closed(s, reason);
}

/* --- the heartbeat ------------------------------------------------------------------------------------------------ */

static int64_t due_at_ms(const struct eio_session *s)
{
    int64_t at = s->pong_by_ms != 0 ? s->pong_by_ms : s->ping_at_ms;

    if (s->state == EIO_IS_CLOSING)
        return s->closing_by_ms;
    if (s->probe != NULL)
        at = UM_MIN(at, s->noop_at_ms != 0 ? UM_MIN(s->noop_at_ms, s->upgrade_by_ms) : s->upgrade_by_ms);
    return at;
}

static void look_at_upgrade(struct eio_session *s, int64_t now)
{
    struct eio_wire *w = s->probe;

    if (w == NULL)
        return;
    if (now >= s->upgrade_by_ms) {
        s->probe = NULL;
        eio_wire_close(w);
    } else if (s->noop_at_ms != 0 && now >= s->noop_at_ms) {
        s->noop_at_ms = now + EIO_NOOP_MS;
        if (s->get != NULL && s->n_queued == 0)
            eio_answer_get(s, "6");
    }
}

static void ping(struct eio_session *s, int64_t now)
{
    struct eio_out *o = eio_out_text("2");

    s->pong_by_ms = now + s->engine->all->conf->ping_timeout_ms;
    if (o != NULL)
        eio_send(s, o, 0);
    eio_out_unref(o);
}

static void on_timer(void *arg)
{
    struct eio_session *s = arg;
    int64_t now = um_loop_now_ms(s->engine->loop);

    if (s->state == EIO_IS_CLOSING ? now >= s->closing_by_ms : s->pong_by_ms != 0 && now >= s->pong_by_ms) {
        sio_count(SIO_M_PING_TIMEOUT, s->state == EIO_IS_OPEN);
        eio_end(s, "ping timeout");
        return;
    }
    if (s->state == EIO_IS_OPEN && s->pong_by_ms == 0 && now >= s->ping_at_ms)
        ping(s, now);
    if (s->state == EIO_IS_OPEN)
        look_at_upgrade(s, now);
    if (s->state != EIO_IS_DEAD)
        eio_arm(s);
}

/* What is due later than the timer says leaves it alone: it looks again when it fires. */
void eio_arm(struct eio_session *s)
{
    int64_t now = um_loop_now_ms(s->engine->loop), at = due_at_ms(s);

    if (!um_timer_is_set(&s->timer) || at < s->timer.at_ms)
        um_timer_set(s->engine->loop, &s->timer, at > now ? at - now : 0, on_timer, s);
}

/* --- packets -------------------------------------------------------------------------------------------------------- */

static bool end_with(struct eio_session *s, const char *reason)
{
    sio_count(SIO_M_BAD, 1);
    um_log_limited(UM_INFO, "sio", "session ended", UM_S("reason", reason), UM_S("transport", eio_transport(s)));
    eio_end(s, reason);
    return false;
}

bool eio_take(struct eio_session *s, const struct eio_packet *p)
{
    switch (p->type) {
    case EIO_MESSAGE:
        sio_count(SIO_M_IN, 1);
        s->engine->all->app->on_message(s->app, p->is_binary, p->data);
        return s->state == EIO_IS_OPEN;
    case EIO_PONG:
        s->pong_by_ms = 0;
        s->ping_at_ms = um_loop_now_ms(s->engine->loop) + s->engine->all->conf->ping_interval_ms;
        return true;
    case EIO_PING:
        return end_with(s, "transport error");
    case EIO_CLOSE:
        if (s->get != NULL)
            eio_answer_get(s, "6");
        eio_end(s, "transport close");
        return false;
    default:
        return true;                      /* `0`, `5`, `6` mean nothing from a client */
    }
}

void eio_send(struct eio_session *s, struct eio_out *o, unsigned flags)
{
    if (s->state != EIO_IS_OPEN)
        return;
    if ((flags & EIO_VOLATILE) && (s->wire != NULL ? um_ws_is_congested(s->wire->ws) : s->get == NULL)) {
        sio_count(SIO_M_VOLATILE, 1);
        return;
    }
    sio_count(SIO_M_OUT, 1);
    if (s->wire != NULL) {
        um_ws_send(s->wire->ws, o->frames);
        return;
    }
    if (s->n_queued >= (uint32_t)s->engine->all->conf->max_queued_packets ||
        (s->n_queued > 0 && s->queued_bytes + o->frames->len > (size_t)s->engine->all->conf->max_queued)) {
        sio_count(SIO_M_OVERFLOW, 1);
        um_log_limited(UM_INFO, "sio", "reader too slow", UM_S("sid", s->sid), UM_I("packets", s->n_queued), UM_I("bytes", s->queued_bytes));
        eio_end(s, "transport error");
        return;
    }
    if (s->n_queued == s->cap) {
        s->cap = s->cap == 0 ? 8 : s->cap * 2;
        s->queue = um_xrealloc(s->queue, s->cap * sizeof(struct eio_out *));
    }
    s->queue[s->n_queued++] = eio_out_ref(o);
    s->queued_bytes += o->frames->len;
    eio_flush_soon(s);
}

/* --- what applications ask -------------------------------------------------------------------------------------------- */

const char *eio_sid(const struct eio_session *s) { return s->sid; }
const char *eio_transport(const struct eio_session *s) { return s->wire != NULL ? "websocket" : "polling"; }
struct um_span eio_handshake(const struct eio_session *s) { return s->handshake != NULL ? um_bytes_span(s->handshake) : UM_SPAN_STR("{\"headers\":{}"); }

const struct um_sio_who *eio_who(const struct eio_session *s)
{
    static const struct um_sio_who nobody;
    return s->who != NULL ? &s->who->is : &nobody;
}

void eio_each_of(struct eio_engine *e, const char *id, void (*fn)(struct eio_session *s, void *app))
{
    UM_LIST_EACH_SAFE(it, &e->sessions) {
        struct eio_session *s = UM_CONTAINER(it, struct eio_session, link);
        const char *opened_by = eio_who(s)->session;

        if (s->state == EIO_IS_OPEN && s->app != NULL && opened_by != NULL && strcmp(opened_by, id) == 0)
            fn(s, s->app);
    }
}

/* --- the end of the process --------------------------------------------------------------------------------------------- */

static void drain_step(void *arg)
{
    struct eio_engine *e = arg;

    for (size_t i = 0; i < e->drain_batch && !um_list_is_empty(&e->sessions); i++) {
        struct eio_session *s = UM_CONTAINER(e->sessions.next, struct eio_session, link);

        if (s->state == EIO_IS_OPEN)
            eio_close(s, "server shutting down");
        if (s->state != EIO_IS_DEAD) {    /* waits for its last poll: it is not met again before the others */
            um_list_remove(&s->link);
            um_list_append(&e->sessions, &s->link);
        }
    }
    if (!um_list_is_empty(&e->sessions))
        um_timer_set(e->loop, &e->drain, e->drain_step_ms, drain_step, e);
}

void eio_drain(struct eio_engine *e, int64_t within_ms)
{
    enum { STEP_MS = 50 };
    size_t steps = (size_t)(within_ms / STEP_MS) + 1;

    e->draining = true;
    e->drain_step_ms = STEP_MS;
    e->drain_batch = e->n / steps + 1;
    drain_step(e);
}

void eio_stop(struct eio_engine *e)
{
    e->draining = e->stopped = true;
    um_timer_stop(e->loop, &e->drain);
    while (!um_list_is_empty(&e->sessions))
        eio_end(UM_CONTAINER(e->sessions.next, struct eio_session, link), "server shutting down");
    UM_LIST_EACH_SAFE(it, &e->wires)
        um_ws_abort(UM_CONTAINER(it, struct eio_wire, link)->ws);
}
