/* The sentinels: who is the master, and being told when that changes.
 *
 * ask    a connection per question: `SENTINEL get-master-addr-by-name` (the address, already the new one while a failover
 *        ends) and `SENTINEL MASTER` (its config-epoch). All sentinels are asked at once; the newest epoch wins, among equal
 *        ones the address with most votes. 200 ms after the first answer the others are not waited for.
 * watch  a lasting connection with `SUBSCRIBE +switch-master`: "NAME OLDIP OLDPORT NEWIP NEWPORT".
 *
 * Invariants
 *  1. After an announcement, answers of the epoch in which the old address was good are refused for 30 s: a sentinel that has
 *     not heard of it yet cannot lead us back. Longer it is not refused, for sentinels may have been set up anew.
 *  2. A watch that comes back asks its sentinel, for it may have missed an announcement. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "link_int.h"

#define GRACE_MS       200
#define REFUSE_OLD_MS  30000
#define WATCH_RETRY_MS 1000

static void decide(struct um_redis_link *l);

/* ---- one answer ---- */

static void stop_asking(struct sentinel *s)
{
    conn_close(&s->ask);
    s->asked = false;
}

static void clear_answer(struct sentinel *s)
{
    free(s->master.host);
    s->master = (struct redis_address){ NULL, 0 };
    s->epoch = -1;
    s->answered = false;
}

static void take_address(struct sentinel *s, const struct um_redis_reply *reply)
{
    struct um_span host = um_redis_item(reply, 0), port = um_redis_item(reply, 1);
    int64_t number;

    if (host.len == 0 || host.len > 255 || memchr(host.data, '\0', host.len) != NULL || !resp_int(port, &number) ||
        number < 1 || number > 65535)
        return;                               /* nil: it does not know our master */
    s->master = (struct redis_address){ um_xstrndup((const char *)host.data, host.len), (int)number };
}

static bool is_too_old(struct um_redis_link *l, const struct sentinel *s)
{
    struct sentinels *all = &l->sentinels;

    return s->epoch < all->min_epoch && um_loop_now_ms(l->loop) < all->min_until_ms;
}

/* The answer of a watch that came back. */
static void compare(struct um_redis_link *l, struct sentinel *s)
{
    if (s->master.host == NULL || l->state == LINK_DISCOVER || s->epoch <= l->sentinels.epoch)
        return;
    link_switched(l, s->master.host, s->master.port);
}

static void on_answer(void *arg, const struct um_redis_reply *reply)
{
    struct sentinel *s = arg;
    struct um_redis_link *l = s->link;

    if (!s->answered) {
        s->answered = true;
        take_address(s, reply);
        return;
    }
    if (!resp_int(resp_field(reply, "config-epoch"), &s->epoch))
        s->epoch = s->master.host != NULL ? 0 : -1;
    stop_asking(s);
    if (s->verify)
        compare(l, s);
    if (l->sentinels.in_round)
        decide(l);
}

static void on_ask_stage(void *arg, enum conn_stage stage)
{
    struct sentinel *s = arg;
    const char *name = s->link->redis->cf->sentinel_master;

    if (stage != CONN_UP)
        return;
    resp_put_words(&s->ask.out, "SENTINEL", "get-master-addr-by-name", name, NULL);
    resp_put_words(&s->ask.out, "SENTINEL", "MASTER", name, NULL);
    conn_flush_later(&s->ask);
}

static void on_ask_down(void *arg, um_err err, const char *why)
{
    struct sentinel *s = arg;

    um_log_limited(err == UM_EDENIED ? UM_ERROR : UM_WARN, "redis", "sentinel does not answer", UM_S("link", s->link->name),
                   UM_S("host", s->at->host), UM_I("port", s->at->port), UM_S("why", why));
    clear_answer(s);
    s->asked = false;
    if (s->link->sentinels.in_round)
        decide(s->link);
}

static void ask(struct sentinel *s, bool verify)
{
    if (s->asked)
        stop_asking(s);
    clear_answer(s);
    s->asked = true;
    s->verify = verify;
    conn_open(&s->ask, s->at->host, s->at->port);
}

/* ---- a round ---- */

static void end_round(struct um_redis_link *l)
{
    l->sentinels.in_round = l->sentinels.has_grace = false;
    um_timer_stop(l->loop, &l->sentinels.grace);
    for (size_t i = 0; i < l->sentinels.n; i++)
        if (l->sentinels.node[i].asked)
            stop_asking(&l->sentinels.node[i]);
}

static bool same_address(const struct redis_address *a, const struct redis_address *b)
{
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static size_t votes_for(const struct sentinels *all, const struct sentinel *s)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += all->node[i].master.host != NULL && all->node[i].epoch == s->epoch && same_address(&all->node[i].master, &s->master);
    return n;
}

static const struct sentinel *best_answer(struct um_redis_link *l, size_t *n_answers)
{
    struct sentinels *all = &l->sentinels;
    const struct sentinel *best = NULL;

    *n_answers = 0;
    for (size_t i = 0; i < all->n; i++) {
        const struct sentinel *s = &all->node[i];
        if (s->asked || s->master.host == NULL)
            continue;
        ++*n_answers;
        if (is_too_old(l, s))
            continue;
        if (best == NULL || s->epoch > best->epoch || (s->epoch == best->epoch && votes_for(all, s) > votes_for(all, best)))
            best = s;
    }
    return best;
}

static void conclude(struct um_redis_link *l)
{
    size_t n;
    const struct sentinel *best = best_answer(l, &n);

    end_round(l);
    if (best == NULL) {
        link_not_found(l, n > 0 ? "the sentinels still name the old master" : "no sentinel knows the master");
        return;
    }
    if (best->epoch < l->sentinels.epoch)
        um_log_limited(UM_WARN, "redis", "the sentinels know only an older master", UM_S("link", l->name), UM_I("epoch", best->epoch),
                       UM_I("known", l->sentinels.epoch));
    l->sentinels.epoch = best->epoch;
    link_found(l, best->master.host, best->master.port);
}

static void on_grace(void *arg)
{
    conclude(arg);
}

static void decide(struct um_redis_link *l)
{
    struct sentinels *all = &l->sentinels;
    bool open = false, some = false;

    for (size_t i = 0; i < all->n; i++) {
        open |= all->node[i].asked;
        some |= !all->node[i].asked && all->node[i].master.host != NULL;
    }
    if (!open) {
        conclude(l);
    } else if (some && !all->has_grace) {
        all->has_grace = true;
        um_timer_set(l->loop, &all->grace, GRACE_MS, on_grace, l);
    }
}

void sentinels_ask(struct um_redis_link *l)
{
    end_round(l);
    l->sentinels.in_round = true;
    for (size_t i = 0; i < l->sentinels.n; i++)
        ask(&l->sentinels.node[i], false);
}

void sentinels_stop_asking(struct um_redis_link *l)
{
    end_round(l);
}

/* ---- the watch ---- */

static void watch_again(void *arg)
{
    struct sentinel *s = arg;

    if (s->watch.stage == CONN_DOWN)
        conn_open(&s->watch, s->at->host, s->at->port);
}

static void on_watch_down(void *arg, um_err err, const char *why)
{
    struct sentinel *s = arg;

    um_log_limited(UM_DEBUG, "redis", "sentinel watch lost", UM_S("link", s->link->name), UM_S("host", s->at->host),
                   UM_I("port", s->at->port), UM_S("why", why), UM_S("error", um_err_text(err)));
    um_timer_stop(s->link->loop, &s->ping);
    um_timer_set(s->link->loop, &s->retry, WATCH_RETRY_MS / 2 + (int64_t)um_random_below(WATCH_RETRY_MS), watch_again, s);
}

static void on_ping_timer(void *arg)
{
    struct sentinel *s = arg;

    if (s->pinged) {
        conn_close(&s->watch);
        on_watch_down(s, UM_ETIMEOUT, "no answer to PING");
        return;
    }
    s->pinged = true;
    resp_put_words(&s->watch.out, "PING", NULL);
    conn_flush_later(&s->watch);
    um_timer_set(s->link->loop, &s->ping, s->link->redis->cf->timeout_ms, on_ping_timer, s);
}

static void on_watch_stage(void *arg, enum conn_stage stage)
{
    struct sentinel *s = arg;

    if (stage != CONN_UP)
        return;
    resp_put_words(&s->watch.out, "SUBSCRIBE", "+switch-master", NULL);
    conn_flush_later(&s->watch);
    s->pinged = false;
    um_timer_set(s->link->loop, &s->ping, REDIS_PING_MS, on_ping_timer, s);
}

/* A new master, as text: up to the blank. */
static struct um_span word(struct um_span *rest)
{
    const uint8_t *blank = rest->len > 0 ? memchr(rest->data, ' ', rest->len) : NULL;
    size_t len = blank != NULL ? (size_t)(blank - rest->data) : rest->len;
    struct um_span w = UM_SPAN(rest->data, len);

    *rest = UM_SPAN(rest->data + len + (blank != NULL), rest->len - len - (blank != NULL));
    return w;
}

static void take_switch(struct um_redis_link *l, struct um_span text)
{
    struct um_span name = word(&text), new_host, new_port;
    int64_t port;
    char *host;

    if (!um_span_eq(name, UM_SPAN_STR(l->redis->cf->sentinel_master)))
        return;
    word(&text);
    word(&text);
    new_host = word(&text);
    new_port = word(&text);
    if (new_host.len == 0 || new_host.len > 255 || !resp_int(new_port, &port) || port < 1 || port > 65535)
        return;
    host = um_xstrndup((const char *)new_host.data, new_host.len);
    if (l->master.host == NULL || l->master.port != port || strcmp(l->master.host, host) != 0)
        sentinels_switched(l);
    link_switched(l, host, (int)port);
    free(host);
}

void sentinels_switched(struct um_redis_link *l)
{
    l->sentinels.min_epoch = l->sentinels.epoch + 1;
    l->sentinels.min_until_ms = um_loop_now_ms(l->loop) + REFUSE_OLD_MS;
}

static void on_watch_reply(void *arg, const struct um_redis_reply *reply)
{
    struct sentinel *s = arg;
    struct um_span kind = um_redis_item(reply, 0);

    s->pinged = false;
    um_timer_set(s->link->loop, &s->ping, REDIS_PING_MS, on_ping_timer, s);
    if (um_span_eq(kind, UM_SPAN_STR("message")))
        take_switch(s->link, um_redis_item(reply, 2));
    else if (um_span_eq(kind, UM_SPAN_STR("subscribe")) && !s->link->sentinels.in_round)
        ask(s, true);
}

/* ---- life ---- */

static const struct conn_handler ask_handler = { on_ask_stage, on_answer, on_ask_down };
static const struct conn_handler watch_handler = { on_watch_stage, on_watch_reply, on_watch_down };

void sentinels_init(struct um_redis_link *l)
{
    const struct redis_target *t = &l->redis->target;
    struct sentinels *all = &l->sentinels;

    all->epoch = -1;
    all->login = (struct conn_login){ l->redis->cf->sentinel_username, l->redis->cf->sentinel_password, -1, l->name };
    all->n = t->sentinel ? t->n_sentinels : 0;
    all->node = um_xcalloc(all->n + 1, sizeof(*all->node));
    for (size_t i = 0; i < all->n; i++) {
        struct sentinel *s = &all->node[i];
        s->link = l;
        s->at = &t->sentinels[i];
        s->epoch = -1;
        conn_init(&s->ask, l->redis, l->loop, &all->login, &ask_handler, s);
        conn_init(&s->watch, l->redis, l->loop, &all->login, &watch_handler, s);
        conn_open(&s->watch, s->at->host, s->at->port);
    }
}

void sentinels_free(struct um_redis_link *l)
{
    struct sentinels *all = &l->sentinels;

    end_round(l);
    for (size_t i = 0; i < all->n; i++) {
        struct sentinel *s = &all->node[i];
        conn_close(&s->ask);
        conn_close(&s->watch);
        um_timer_stop(l->loop, &s->retry);
        um_timer_stop(l->loop, &s->ping);
        clear_answer(s);
    }
    free(all->node);
}
