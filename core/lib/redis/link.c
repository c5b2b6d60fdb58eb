/* The link: one state, moved by link_go only. docs/states/redis.md has the same diagram with the waits.
 *
 *            +----------------------------- lost, late, refused, no master ------------------------------+
 *            v                                                                                            |
 *   IDLE  BACKOFF --waited--> DISCOVER --agreed--> DIAL -> TLS -> AUTH -> SELECT -> ROLE -> RESTORE -> READY
 *     |      |                   ^                  ^                                                     |
 *     |      +--- without Sentinel: waited ---------+         +-switch-master: at once, from everywhere   |
 *     +--first turn--> DISCOVER or DIAL          LEAVING <--READONLY, LOADING, MASTERDOWN, lasting NOREPLICAS
 *
 * Invariants
 *  1. Callers' commands are sent in READY only; answers are taken in READY and LEAVING.
 *  2. Each move out of READY or LEAVING closes the connection first: no answer of it is passed on afterwards.
 *  3. Every state but READY has a deadline (BACKOFF: its end).
 *  4. After a pause of this process the connection is given up before any answer is passed on: what was announced
 *     meanwhile may be behind that answer in the order in which sockets are read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "link_int.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS   3000
#define STEADY_MS        3000                 /* so long READY: the back-off begins anew */
#define LEAVE_MS         100
#define PAUSE_MS         2000                 /* a timer so late: this process stood still */

static const char *const state_name[LINK_N] = {
#define X(s) #s,
    LINK_STATES(X)
#undef X
};
#define TO(s) (1u << LINK_##s)
#define BACK  (TO(BACKOFF) | TO(DISCOVER))    /* what every state may do: start again */
static const uint16_t may_go[LINK_N] = {
    [LINK_IDLE]     = TO(DISCOVER) | TO(DIAL),
    [LINK_BACKOFF]  = TO(DISCOVER) | TO(DIAL),
    [LINK_DISCOVER] = TO(DIAL) | TO(BACKOFF),
    [LINK_DIAL]     = BACK | TO(TLS) | TO(AUTH) | TO(SELECT),
    [LINK_TLS]      = BACK | TO(AUTH) | TO(SELECT),
    [LINK_AUTH]     = BACK | TO(SELECT),
    [LINK_SELECT]   = BACK | TO(ROLE),
    [LINK_ROLE]     = BACK | TO(RESTORE),
    [LINK_RESTORE]  = BACK | TO(READY),
    [LINK_READY]    = BACK | TO(LEAVING),
    [LINK_LEAVING]  = BACK,
};

static void on_timer(void *arg);

static void link_go(struct um_redis_link *l, enum link_state to, int64_t deadline_ms, const char *why)
{
    bool was_ready = l->state == LINK_READY;

    UM_ASSERT(may_go[l->state] & (1u << to));
    um_log(UM_DEBUG, "redis", "link_state", UM_S("link", l->name), UM_S("from", state_name[l->state]),
           UM_S("to", state_name[to]), UM_S("why", why));
    l->state = to;
    l->since_ms = um_loop_now_ms(l->loop);
    um_timer_stop(l->loop, &l->timer);
    if (deadline_ms >= 0)
        um_timer_set(l->loop, &l->timer, deadline_ms, on_timer, l);
    if (was_ready == (to == LINK_READY))
        return;
    atomic_fetch_add(&l->redis->ready, was_ready ? -1 : 1);
    redis_count(R_READY, was_ready ? -1 : 1);
}

/* ---- up ---- */

static void dial(struct um_redis_link *l, const char *host, int port)
{
    char *copy = um_xstrdup(host);            /* HOST may be our own */

    free(l->master.host);
    l->master = (struct redis_address){ copy, port };
    link_go(l, LINK_DIAL, l->redis->cf->connect_timeout_ms + l->redis->cf->timeout_ms, "address known");
    conn_open(&l->conn, copy, port);
}

static void begin(struct um_redis_link *l)
{
    const struct redis_target *t = &l->redis->target;

    if (!t->sentinel) {
        dial(l, t->server.host, t->server.port);
        return;
    }
    link_go(l, LINK_DISCOVER, l->redis->cf->connect_timeout_ms, "asking the sentinels");
    sentinels_ask(l);
}

void link_found(struct um_redis_link *l, const char *host, int port)
{
    UM_ASSERT(l->state == LINK_DISCOVER);
    dial(l, host, port);
}

static void take_role(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_redis_link *l = arg;
    struct um_span role = um_redis_item(reply, 0);

    if (err != UM_OK)
        link_lost(l, err, resp_is_error(reply, "NOPERM") ? "the user may not run ROLE" : "no answer to ROLE");
    else if (!um_span_eq(role, UM_SPAN_STR("master")))
        link_lost(l, UM_EUNAVAIL, "the server is a replica");
}

static void copy_id(char out[48], struct um_span id)
{
    size_t len = UM_MIN(id.len, (size_t)47);

    if (len > 0)
        memcpy(out, id.data, len);
    out[len] = '\0';
}

/* Comes after ROLE's answer, which has ended the connection when it was wrong. */
static void take_info(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_redis_link *l = arg;
    struct um_span info = err == UM_OK && reply->kind == UM_REDIS_STRING ? reply->text : UM_SPAN(NULL, 0);
    struct um_span loading = resp_info(info, "loading");

    if (loading.len == 1 && loading.data[0] == '1') {
        link_lost(l, UM_EUNAVAIL, "LOADING");
        return;
    }
    copy_id(l->new_run_id, resp_info(info, "run_id"));
    copy_id(l->new_repl_id, resp_info(info, "master_replid"));
    check_settings(l, info);
    link_go(l, LINK_RESTORE, l->redis->cf->connect_timeout_ms + 2 * l->redis->cf->timeout_ms, "a master");
    subs_open(l);
}

static void ask_role(struct um_redis_link *l, um_redis_cb *cb)
{
    queue_internal(l, cb, (struct um_span[]){ UM_SPAN("ROLE", 4) }, 1);
}

/* Asked for the right to it; answers are on already. */
static void take_skip(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_redis_link *l = arg;

    l->can_skip = err == UM_OK;
    if (err != UM_OK && !atomic_exchange(&l->redis->no_skip_told, true))
        um_log(UM_WARN, "redis", "CLIENT REPLY is refused: every message to other processes is answered", UM_S("link", l->name),
               UM_B("reply", reply->text));
}

static void on_stage(void *arg, enum conn_stage stage)
{
    static const enum link_state states[] = { [CONN_TLS] = LINK_TLS, [CONN_AUTH] = LINK_AUTH, [CONN_SELECT] = LINK_SELECT,
                                              [CONN_UP] = LINK_ROLE };
    struct um_redis_link *l = arg;

    /* The connection keeps its own time until it is up. */
    link_go(l, states[stage], l->redis->cf->connect_timeout_ms + l->redis->cf->timeout_ms, "");
    if (stage == CONN_UP) {
        l->can_skip = false;
        ask_role(l, take_role);
        queue_internal(l, take_skip, (struct um_span[]){ UM_SPAN("CLIENT", 6), UM_SPAN("REPLY", 5), UM_SPAN("ON", 2) }, 3);
        queue_internal(l, take_info, (struct um_span[]){ UM_SPAN("INFO", 4) }, 1);
    }
}

/* READY always has a ROLE to come: it tells how long nobody ran our timers. */
static bool stood_still(const struct um_redis_link *l, int64_t due_at_ms)
{
    return l->state == LINK_READY && um_loop_now_ms(l->loop) - due_at_ms > PAUSE_MS;
}

static void watch_role(void *arg)
{
    struct um_redis_link *l = arg;

    if (stood_still(l, l->role.at_ms)) {
        link_lost(l, UM_EUNAVAIL, "this process stood still");
        return;
    }
    if (l->state != LINK_READY)
        return;
    ask_role(l, take_role);
    um_timer_set(l->loop, &l->role, um_loop_next_ms(l->loop, REDIS_ROLE_MS), watch_role, l);
}

/* Another server, another run of it, or another history? A server that does not say counts as another one. */
static bool is_new_epoch(const struct um_redis_link *l)
{
    return l->epoch == 0 || *l->new_run_id == '\0' || strcmp(l->run_id, l->new_run_id) != 0 ||
           strcmp(l->repl_id, l->new_repl_id) != 0;
}

void link_restored(struct um_redis_link *l)
{
    bool new_epoch = is_new_epoch(l);

    if (l->state != LINK_RESTORE)
        return;
    memcpy(l->run_id, l->new_run_id, sizeof(l->run_id));
    memcpy(l->repl_id, l->new_repl_id, sizeof(l->repl_id));
    l->epoch += new_epoch;
    link_go(l, LINK_READY, -1, "restored");
    redis_count(R_CONNECTS, 1);
    redis_count(R_RECONNECTS, l->reconnects > 0);
    redis_count(R_EPOCHS, new_epoch);
    um_log_limited(UM_INFO, "redis", "ready", UM_S("link", l->name), UM_S("host", l->master.host), UM_I("port", l->master.port),
                   UM_I("epoch", l->epoch));
    if (new_epoch && l->h->on_epoch != NULL)
        l->h->on_epoch(l->arg, l->epoch);
    if (l->h->on_ready != NULL)
        l->h->on_ready(l->arg, true);
    queue_send_waiting(l);
    um_timer_set(l->loop, &l->role, um_loop_next_ms(l->loop, REDIS_ROLE_MS), watch_role, l);
}

/* ---- down ---- */

int64_t link_jitter(unsigned attempts)
{
    int64_t most = attempts >= 5 ? BACKOFF_MAX_MS : UM_MIN((int64_t)BACKOFF_FIRST_MS << attempts, (int64_t)BACKOFF_MAX_MS);

    return (int64_t)um_random_below((uint64_t)most + 1);
}

static void note_loss(struct um_redis_link *l, um_err err, const char *why)
{
    bool worked = l->state == LINK_READY || l->state == LINK_LEAVING;

    snprintf(l->last_loss, sizeof(l->last_loss), "%s", why);
    um_log_limited(err == UM_EDENIED ? UM_ERROR : UM_WARN, "redis", worked ? "lost" : "cannot connect", UM_S("link", l->name),
                   UM_S("host", l->master.host), UM_I("port", l->master.port), UM_S("state", state_name[l->state]), UM_S("why", why));
    if (worked) {
        redis_count(R_LOSSES, 1);
        l->reconnects++;
    }
    if (l->state == LINK_READY && um_loop_now_ms(l->loop) - l->since_ms >= STEADY_MS)
        l->attempts = 0;
}

/* Closes everything that leads to the old address. DELAY < 0: the master is looked for at once. */
static void take_down(struct um_redis_link *l, um_err err, const char *why, int64_t delay_ms)
{
    bool worked = l->state == LINK_READY || l->state == LINK_LEAVING;

    note_loss(l, err, why);
    conn_close(&l->conn);
    subs_close(l);
    sentinels_stop_asking(l);
    um_timer_stop(l->loop, &l->role);
    link_go(l, delay_ms >= 0 ? LINK_BACKOFF : LINK_DISCOVER, delay_ms >= 0 ? delay_ms : l->redis->cf->connect_timeout_ms, why);
    if (worked && l->h->on_ready != NULL)
        l->h->on_ready(l->arg, false);
    queue_connection_lost(l);
    if (delay_ms < 0)
        sentinels_ask(l);
}

void link_lost(struct um_redis_link *l, um_err err, const char *why)
{
    int64_t delay;

    if (l->state == LINK_IDLE || l->state == LINK_BACKOFF)
        return;
    delay = err == UM_EDENIED ? BACKOFF_MAX_MS / 2 + link_jitter(5) / 2 : link_jitter(l->attempts);
    if (l->redis->target.sentinel && l->state == LINK_ROLE)
        delay = 50 + (int64_t)um_random_below(201);
    take_down(l, err, why, delay);
    l->attempts++;
}

void link_not_found(struct um_redis_link *l, const char *why)
{
    link_lost(l, UM_EUNAVAIL, why);
}

void link_leave(struct um_redis_link *l, const char *why)
{
    if (l->state != LINK_READY)
        return;
    snprintf(l->last_loss, sizeof(l->last_loss), "%s", why);
    link_go(l, LINK_LEAVING, LEAVE_MS, why);
    if (l->queue.n_in_flight == 0)
        um_timer_set(l->loop, &l->timer, 0, on_timer, l);
}

void link_switched(struct um_redis_link *l, const char *host, int port)
{
    bool known = l->master.host != NULL && strcmp(l->master.host, host) == 0 && l->master.port == port;

    if (l->state == LINK_IDLE || (known && l->state != LINK_BACKOFF))
        return;
    um_log_limited(UM_INFO, "redis", "new master announced", UM_S("link", l->name), UM_S("host", host), UM_I("port", port));
    if (l->state == LINK_BACKOFF) {
        begin(l);
        return;
    }
    if (l->state == LINK_DISCOVER)
        return;                               /* being asked for already, with the older answers refused */
    l->switches++;
    redis_count(R_SWITCHES, 1);
    take_down(l, UM_EUNAVAIL, "the sentinels have another master", -1);
}

static void on_timer(void *arg)
{
    struct um_redis_link *l = arg;
    char why[96];

    switch (l->state) {
    case LINK_IDLE:
    case LINK_BACKOFF:
        begin(l);
        return;
    case LINK_LEAVING:
        memcpy(why, l->last_loss, sizeof(why));
        link_lost(l, UM_EUNAVAIL, why);
        return;
    default:
        snprintf(why, sizeof(why), "no progress in %s", state_name[l->state]);
        link_lost(l, UM_ETIMEOUT, why);
    }
}

static void on_reply(void *arg, const struct um_redis_reply *reply)
{
    struct um_redis_link *l = arg;
    unsigned generation = l->conn.generation;

    if (um_timer_is_set(&l->role) && stood_still(l, l->role.at_ms)) {
        link_lost(l, UM_EUNAVAIL, "this process stood still");
        return;
    }
    queue_take_reply(l, reply);
    if (l->conn.generation == generation && l->state == LINK_LEAVING && l->queue.n_in_flight == 0)
        um_timer_set(l->loop, &l->timer, 0, on_timer, l);
}

static void on_down(void *arg, um_err err, const char *why)
{
    link_lost(arg, err, why);
}

/* ---- life ---- */

static const struct conn_handler conn_handler = { on_stage, on_reply, on_down };

struct um_redis_link *um_redis_link_new(struct um_redis *r, struct um_loop *loop, const char *name,
                                        const struct um_redis_link_handler *h, void *arg)
{
    struct um_redis_link *l = um_xcalloc(1, sizeof(*l));
    const char *prefix = *r->cf->client_name != '\0' ? r->cf->client_name : "umbel";

    l->redis = r;
    l->loop = loop;
    l->h = h;
    l->arg = arg;
    snprintf(l->name, sizeof(l->name), "%.64s-%.20s-%u", prefix, name, um_loop_index(loop));
    for (char *p = l->name; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 127)
            *p = '_';                         /* CLIENT SETNAME takes no blanks */
    l->login = (struct conn_login){ r->target.user, r->target.password, r->target.database, l->name };
    conn_init(&l->conn, r, loop, &l->login, &conn_handler, l);
    queue_init(l);
    subs_init(l);
    sentinels_init(l);
    l->since_ms = um_loop_now_ms(loop);
    um_timer_set(loop, &l->timer, 0, on_timer, l);
    atomic_fetch_add(&r->links, 1);
    return l;
}

void um_redis_link_free(struct um_redis_link *l)
{
    if (l == NULL)
        return;
    UM_ASSERT(um_loop_is_mine(l->loop));
    l->freed = true;
    if (l->state == LINK_READY) {
        atomic_fetch_add(&l->redis->ready, -1);
        redis_count(R_READY, -1);
    }
    l->state = LINK_IDLE;                     /* commands from callbacks are refused from here on */
    atomic_fetch_add(&l->redis->links, -1);
    um_timer_stop(l->loop, &l->timer);
    um_timer_stop(l->loop, &l->role);
    conn_close(&l->conn);
    subs_close(l);
    queue_free(l);
    subs_free(l);
    sentinels_free(l);
    free(l->master.host);
    free(l);
}

bool um_redis_link_is_ready(const struct um_redis_link *l) { return l->state == LINK_READY; }
uint64_t um_redis_link_epoch(const struct um_redis_link *l) { return l->epoch; }

struct um_redis_link_stats um_redis_link_get_stats(const struct um_redis_link *l)
{
    struct um_redis_link_stats st = {
        .state = state_name[l->state], .since_ms = um_loop_now_ms(l->loop) - l->since_ms, .waiting = l->queue.n - l->queue.n_in_flight,
        .in_flight = l->queue.n_in_flight, .bytes = l->queue.bytes, .epoch = l->epoch, .reconnects = l->reconnects,
        .switches = l->switches,
    };

    if (l->master.host != NULL)
        snprintf(st.address, sizeof(st.address), "%.70s:%d", l->master.host, l->master.port);
    memcpy(st.last_loss, l->last_loss, sizeof(st.last_loss));
    return st;
}
