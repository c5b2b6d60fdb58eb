/* A client's socket: finds the leg of each message, and keeps one WebSocket to each core that its legs stand on.
 *
 * Back-pressure: the client is not read while a line has more than ws.high-queued unsent, or while more than GUEST_HELD_MAX waits for
 * a line that is being opened; no line is read while the client has more than ws.high-queued unsent. So what waits for a client, or
 * for a core, is at most that and one message. */
#include "guest_int.h"

#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

struct um_metric guest_metrics[G_METRICS] = {
    [G_LEGS]          = { "gateway.legs", "legs", "documents that clients have open at cores by this gateway", UM_GAUGE, 0 },
    [G_LINES]         = { "gateway.lines", "lines", "WebSockets from this gateway to cores", UM_GAUGE, 0 },
    [G_LOST]          = { "gateway.legs.lost", "legs", "documents whose core was lost", UM_COUNTER, 0 },
    [G_MOVED]         = { "gateway.legs.moved", "legs", "documents that went to another core while theirs was there", UM_COUNTER, 0 },
    [G_HANDED_OVER]   = { "gateway.legs.handed-over", "legs", "documents that go on at another core, behind the client's back", UM_COUNTER, 0 },
    [G_GIVEN_UP]      = { "gateway.legs.given-up", "legs", "documents for which no core was found in time", UM_COUNTER, 0 },
    [G_REPLAY_DENIED] = { "gateway.legs.denied", "legs", "documents whose client another core did not admit", UM_COUNTER, 0 },
    [G_MALFORMED]     = { "gateway.guest.malformed", "messages", "messages of clients without a readable head", UM_COUNTER, 0 },
    [G_LIMIT]         = { "limit.hit.gateway.guest", "times", "too many documents of a socket, or too long a name", UM_COUNTER, 0 },
    [G_HELD_DROPPED]  = { "gateway.legs.dropped", "messages", "stateless messages that found no core and no room", UM_COUNTER, 0 },
};

struct um_renewal { struct way *way; };    /* NULL: nobody waits any more */

void um_guest_start(void)
{
    um_metrics_register(guest_metrics, UM_COUNT(guest_metrics));
}

/* ---- ways to cores ---- */

static const struct um_line_handler line_handler;

static void way_drop(struct way *w, unsigned code, const char *why)
{
    um_line_free(w->line, code, why);
    if (w->renewal != NULL)
        w->renewal->way = NULL;
    guest_count(G_LINES, -1);
    um_list_remove(&w->link);
    um_core_release(w->core);
    free(w);
}

/* One that nobody uses goes, unless it is the last. */
static void tidy_ways(struct um_guest *g)
{
    unsigned n_open = 0;

    UM_LIST_EACH(it, &g->ways)
        n_open += UM_CONTAINER(it, struct way, link)->open;
    UM_LIST_EACH_SAFE(it, &g->ways) {
        struct way *w = UM_CONTAINER(it, struct way, link);
        if (w->n_users > 0 || w->ending || (w->open && n_open == 1))
            continue;
        n_open -= w->open;
        way_drop(w, 1000, "");
    }
}

void way_use(struct way *w, int by)
{
    struct um_guest *g = w->guest;

    w->n_users += (unsigned)by;
    if (by < 0 && w->n_users == 0 && !g->ending)
        tidy_ways(g);
}

static struct way *add_way(struct um_guest *g, struct um_core *core)
{
    struct way *w = um_xcalloc(1, sizeof(*w));

    w->guest = g;
    w->core = core;
    um_core_hold(core);
    um_list_append(&g->ways, &w->link);
    guest_count(G_LINES, 1);
    return w;
}

static bool dial_way(struct way *w, const char *token)
{
    struct um_guest *g = w->guest;
    char *headers = token != NULL ? um_xasprintf("%stoken: %s\r\n", g->headers, token) : um_xstrdup(g->headers);
    struct um_line_order order = { .target = g->target, .protocols = g->protocols, .headers = headers,
                                   .timeout_ms = g->gs->handshake_timeout_ms };

    w->line = um_line_new(&g->gs->lines, w->core, &order, &line_handler, w);
    free(headers);
    return w->line != NULL;
}

/* Legs may end, and others begin, in each call: those that are meant are settled before. */
static void each_leg_on(struct um_guest *g, struct way *w, void (*fn)(struct leg *l, struct way *w))
{
    struct leg **on = um_xmalloc((g->n_legs + 1) * sizeof(struct leg *));
    size_t n = 0;

    UM_LIST_EACH(it, &g->legs) {
        struct leg *l = UM_CONTAINER(it, struct leg, link);
        if (l->way == w || l->next == w)
            on[n++] = l;
    }
    for (size_t i = 0; i < n && !g->ending; i++)
        UM_LIST_EACH(it, &g->legs)
            if (it == &on[i]->link) {
                fn(on[i], w);
                break;
            }
    free(on);
}

static void way_failed(struct way *w)
{
    struct um_guest *g = w->guest;

    w->ending = true;
    w->open = false;
    each_leg_on(g, w, leg_way_failed);
    if (!g->ending)
        way_drop(w, 0, "");
}

void um_renewal_done(struct um_renewal *r, um_err err, const char *token)
{
    struct way *w = r->way;

    free(r);
    if (w == NULL)
        return;
    w->renewal = NULL;
    if (err == UM_ENOTFOUND)
        um_guest_close(w->guest, CLOSE_POLICY, "the session has ended");
    else if (err != UM_OK || !dial_way(w, token))
        way_failed(w);
}

static struct way *find_way(struct um_guest *g, const struct um_core *core)
{
    UM_LIST_EACH(it, &g->ways) {
        struct way *w = UM_CONTAINER(it, struct way, link);
        if (w->core == core && !w->ending)
            return w;
    }
    return NULL;
}

/* Runs when the caller has gone: a failure is told to legs that wait already. */
struct way *way_to(struct um_guest *g, struct um_core *core)
{
    struct way *w = find_way(g, core);

    if (w != NULL)
        return w;
    w = add_way(g, core);
    if (g->session_id == NULL) {
        if (dial_way(w, NULL))
            return w;
        way_drop(w, 0, "");
        return NULL;
    }
    w->renewal = um_xcalloc(1, sizeof(*w->renewal));
    w->renewal->way = w;
    w->n_users++;                             /* the answer may come at once, and fail: it stays until we have returned */
    g->gs->renew(g->gs->arg, g->session_id, w->renewal);
    if (g->ending)
        return NULL;
    UM_LIST_EACH(it, &g->ways)
        if (it == &w->link) {
            w->n_users--;
            return w;
        }
    return NULL;
}

bool way_say(struct way *w, struct um_span message)
{
    if (!w->open)
        return false;
    um_ws_send_message(um_line_ws(w->line), UM_WS_BINARY, message);
    if (um_ws_is_congested(um_line_ws(w->line)))
        guest_balance(w->guest);
    return true;
}

/* ---- both directions ---- */

static void pause_lines(struct um_guest *g, bool pause)
{
    UM_LIST_EACH(it, &g->ways) {
        struct way *w = UM_CONTAINER(it, struct way, link);
        if (w->open)
            um_ws_pause(um_line_ws(w->line), pause);
    }
}

void guest_say(struct um_guest *g, struct um_span message)
{
    if (g->ending)
        return;
    um_ws_send_message(g->ws, UM_WS_BINARY, message);
    if (um_ws_is_congested(g->ws))
        pause_lines(g, true);
}

void guest_balance(struct um_guest *g)
{
    bool blocked = false;

    if (g->ending)
        return;
    UM_LIST_EACH(it, &g->ways) {
        struct way *w = UM_CONTAINER(it, struct way, link);
        blocked = blocked || (w->open && um_ws_is_congested(um_line_ws(w->line)));
    }
    UM_LIST_EACH(it, &g->legs)
        blocked = blocked || UM_CONTAINER(it, struct leg, link)->held.len > GUEST_HELD_MAX;
    um_ws_pause(g->ws, blocked);
}

static bool has_session(const struct leg *l) { return l->name_len != l->address->len; }

/* As the core does it: by the whole address first, then by the name before the session. */
static struct leg *find_leg(struct um_guest *g, const struct um_talk *t)
{
    struct leg *plain = NULL;

    UM_LIST_EACH(it, &g->legs) {
        struct leg *l = UM_CONTAINER(it, struct leg, link);
        if (g->bare || um_span_eq(um_bytes_span(l->address), t->address))
            return l;
        if (!has_session(l) && um_span_eq(um_bytes_span(l->address), t->name))
            plain = l;
    }
    return plain;
}

static struct leg *leg_for(struct um_guest *g, const struct um_talk *t)
{
    struct leg *l = find_leg(g, t);
    bool own_seat = t->type == UM_TALK_AUTH && l != NULL && !g->bare && has_session(l) != (t->address.len != t->name.len);

    if (l != NULL && !own_seat)
        return l;
    if (g->bare)
        return NULL;
    if (g->n_legs >= GUEST_LEGS_MAX || t->address.len > GUEST_ADDRESS_MAX) {
        guest_count(G_LIMIT, 1);
        um_guest_close(g, CLOSE_RESET, "Reset Connection");
        return NULL;
    }
    return leg_new(g, t->address, t->name.len, NULL);
}

static void on_client_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    struct um_guest *g = arg;
    struct um_talk t;
    enum um_talk_verdict verdict = um_talk_read(message, g->bare, &t);
    struct leg *l;

    (void)kind;                               /* text is read as its bytes, as the core does */
    g->handler->on_heard(g->arg);
    if (g->ending || verdict == UM_TALK_KEEP_ALIVE)
        return;
    if (verdict != UM_TALK_OK) {
        guest_count(G_MALFORMED, 1);
        um_log_limited(UM_INFO, "gateway.guest", "malformed", UM_I("bytes", message.len));
        if (verdict == UM_TALK_BAD_ADDRESS)
            um_guest_close(g, CLOSE_UNAUTHORIZED, "Unauthorized");
        else
            um_guest_close(g, CLOSE_RESET, "Reset Connection");
        return;
    }
    if (t.type != UM_TALK_LEG && (l = leg_for(g, &t)) != NULL)
        leg_hears_client(l, &t, message);
}

static void on_client_drained(void *arg)
{
    pause_lines(arg, false);
}

static void release_all(struct um_guest *g, unsigned code, const char *why)
{
    g->ending = true;
    UM_LIST_EACH_SAFE(it, &g->legs)
        leg_free(UM_CONTAINER(it, struct leg, link));
    UM_LIST_EACH_SAFE(it, &g->ways)
        way_drop(UM_CONTAINER(it, struct way, link), code, why);
}

static void reap(void *arg)
{
    free(arg);
}

static void destroy(struct um_guest *g)
{
    release_all(g, 1000, "");
    free(g->target);
    free(g->protocols);
    free(g->headers);
    g->dead = true;
    um_loop_defer(g->loop, UM_PHASE_REAP, &g->reap);      /* our caller may stand in a callback of this guest */
}

static void on_client_close(void *arg, unsigned code, struct um_span reason)
{
    struct um_guest *g = arg;
    char why[124] = "";

    (void)code;
    memcpy(why, reason.data != NULL ? (const char *)reason.data : "", reason.data != NULL ? UM_MIN(reason.len, sizeof(why) - 1) : 0);
    g->ws = NULL;
    if (g->dead)
        return;
    destroy(g);
    g->handler->on_end(g->arg, why);
}

static const struct um_ws_handler client_handler = { on_client_message, on_client_drained, on_client_close };

static void no_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    (void)arg;
    (void)kind;
    (void)message;
}

static void no_close(void *arg, unsigned code, struct um_span reason)
{
    (void)arg;
    (void)code;
    (void)reason;
}

static const struct um_ws_handler nobody = { no_message, NULL, no_close };

/* ---- what lines say ---- */

static void on_open(void *arg)
{
    struct way *w = arg;
    struct um_guest *g = w->guest;

    w->open = true;
    if (um_ws_is_congested(g->ws))
        um_ws_pause(um_line_ws(w->line), true);
    each_leg_on(g, w, leg_way_open);
    if (g->ending)
        return;
    guest_balance(g);
    tidy_ways(g);
}

static bool is_needed(const struct way *w)
{
    UM_LIST_EACH(it, &w->guest->legs) {
        const struct leg *l = UM_CONTAINER(it, struct leg, link);
        if (l->next == w && l->way == NULL)
            return true;
    }
    return false;
}

static void on_failed(void *arg, unsigned status, const char *why)
{
    struct way *w = arg;

    um_log_limited(UM_INFO, "gateway.guest", "line-failed", UM_S("node", um_core_host(w->core)), UM_I("status", status), UM_S("reason", why));
    if (status >= 400 && status <= 499 && is_needed(w))       /* about the client: a handshake of its own tells it what */
        um_guest_close(w->guest, CLOSE_RESET, "Reset Connection");
    else
        way_failed(w);
}

static struct leg *leg_at(struct um_guest *g, struct um_span address)
{
    UM_LIST_EACH(it, &g->legs) {
        struct leg *l = UM_CONTAINER(it, struct leg, link);
        if (g->bare || um_span_eq(um_bytes_span(l->address), address))
            return l;
    }
    return NULL;
}

static void on_core_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    struct way *w = arg;
    struct um_guest *g = w->guest;
    struct um_talk t;
    struct leg *l;

    (void)kind;
    switch (um_talk_read(message, g->bare, &t)) {
    case UM_TALK_KEEP_ALIVE:
        guest_say(g, message);
        return;
    case UM_TALK_OK:
        break;
    default:
        return;                               /* no core says that */
    }
    l = leg_at(g, t.address);
    if (l != NULL && (l->way == w || l->next == w))
        leg_hears_core(l, w, &t, message);
    else if (l == NULL && t.type != UM_TALK_LEG)
        guest_say(g, message);
}

static void on_line_drained(void *arg)
{
    struct way *w = arg;
    guest_balance(w->guest);
}

/* Is the core going, or is it about this client? 1013 on a document that works is the core's word about a slow reader. */
static bool is_about_core(unsigned code)
{
    return code == 1000 || code == 1001 || code == 1005 || code == 1006 || code == 1011 || code == CLOSE_RESTART;
}

static bool has_live_leg(struct um_guest *g, const struct way *w)
{
    UM_LIST_EACH(it, &g->legs) {
        const struct leg *l = UM_CONTAINER(it, struct leg, link);
        if (l->way == w && (l->state == LEG_LIVE || l->state == LEG_OPENING))
            return true;
    }
    return false;
}

static void on_line_close(void *arg, unsigned code, struct um_span reason)
{
    struct way *w = arg;
    struct um_guest *g = w->guest;
    bool about_core = is_about_core(code) || (code == CLOSE_LATER && (um_core_is_draining(w->core) || !has_live_leg(g, w)));
    char why[124] = "";

    memcpy(why, reason.data != NULL ? (const char *)reason.data : "", reason.data != NULL ? UM_MIN(reason.len, sizeof(why) - 1) : 0);
    um_log(UM_DEBUG, "gateway.guest", "line-closed", UM_S("node", um_core_host(w->core)), UM_I("code", code), UM_S("reason", why));
    w->open = false;
    w->ending = true;
    if (!about_core && w->n_users > 0) {
        um_guest_close(g, code, why);
        return;
    }
    if (about_core)
        um_core_note(w->core, false, um_loop_now_ms(g->loop));
    each_leg_on(g, w, leg_way_lost);
    if (g->ending)
        return;
    way_drop(w, 0, "");
    if (g->n_legs == 0 && um_list_is_empty(&g->ways))
        um_guest_close(g, about_core ? CLOSE_RESTART : code, why);
}

static const struct um_line_handler line_handler = { on_open, on_failed, on_core_message, on_line_drained, on_line_close };

/* ---- life ---- */

void um_guest_close(struct um_guest *g, unsigned code, const char *why)
{
    if (g->ending)
        return;
    um_log(UM_DEBUG, "gateway.guest", "closing", UM_I("code", code), UM_S("reason", why));
    um_ws_pause(g->ws, false);
    um_ws_close(g->ws, code, why);
    release_all(g, 1000, "");
}

void um_guest_free(struct um_guest *g)
{
    if (g == NULL || g->dead)
        return;
    um_ws_set_handler(g->ws, &nobody, NULL);
    um_ws_abort(g->ws);
    g->ws = NULL;
    destroy(g);
}

/* A room's document is known; others name themselves. */
static void start(struct um_guest *g, const struct um_guest_order *order)
{
    struct way *w = add_way(g, um_line_core(order->line));

    w->line = order->line;
    w->open = true;
    um_line_set_handler(w->line, &line_handler, w);
    if (order->room.len > 0) {
        (void)leg_new(g, order->room, order->room.len, w);
    }
    if (!g->ending)
        um_ws_pause(um_line_ws(w->line), false);
}

struct um_guest *um_guest_new(struct um_guests *gs, const struct um_guest_order *order, const struct um_guest_handler *handler, void *arg)
{
    struct um_guest *g = um_xcalloc(1, sizeof(*g));

    g->gs = gs;
    g->loop = um_upstream_loop(gs->lines.up);
    g->handler = handler;
    g->arg = arg;
    g->bare = order->room.len > 0;
    g->session_id = order->session_id;
    um_list_init(&g->legs);
    um_list_init(&g->ways);
    um_defer_init(&g->reap, reap, g);
    g->ws = um_ws_new(g->loop, order->fd, order->early, &gs->ws, &client_handler, g);
    if (g->ws == NULL) {
        um_line_free(order->line, 1000, "");
        free(g);
        return NULL;
    }
    g->target = um_xstrdup(order->target);
    g->protocols = order->protocols != NULL ? um_xstrdup(order->protocols) : NULL;
    g->headers = um_xstrdup(order->headers);
    start(g, order);
    return g;
}

bool um_guest_rebalance(struct um_guest *g, size_t max_moving)
{
    struct um_cores *cores = um_upstream_cores(g->gs->lines.up);
    int64_t now = um_loop_now_ms(g->loop);
    bool more = false;

    UM_LIST_EACH_SAFE(it, &g->legs) {
        struct leg *l = UM_CONTAINER(it, struct leg, link);
        if (g->ending || l->way == NULL || um_cores_better(cores, l->way->core, leg_key(l), now) == NULL)
            continue;
        more = more || !leg_may_move(l) || g->gs->n_moving >= max_moving;
        if (leg_may_move(l) && g->gs->n_moving < max_moving)
            leg_move(l);
    }
    return more && !g->ending;
}

struct um_ws_stats um_guest_stats(const struct um_guest *g)
{
    return g->ws != NULL ? um_ws_stats(g->ws) : (struct um_ws_stats){ 0 };
}
