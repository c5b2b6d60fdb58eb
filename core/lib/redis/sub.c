/* Subscriptions: a connection of their own, opened when there are any.
 *
 *   struct um_redis_sub  what a caller holds      struct channel  one name on the wire, shared by its subscribers
 *
 * Names are of three kinds, with words of their own; equal names of two kinds do not meet.
 *
 * Invariants
 *  1. The link is READY only when each channel was confirmed on the present connection (`unconfirmed` is 0).
 *  2. A channel is given up (UNSUBSCRIBE) only when it is confirmed and empty, so a confirmation is never mistaken.
 *  3. When the connection alone is lost, the link stays READY for commands and it is made again; on_live(again) tells.
 *
 * Liveness: every 5 s a message goes to a channel of our own by way of the command connection; it has to come in here. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "link_int.h"

#define ATTEMPTS 5                            /* of this connection alone; then the link starts again */

enum kind { KIND_CHANNEL, KIND_PATTERN, KIND_SHARDED, KIND_N };
static const struct {
    char mark;                                /* of the key in side.channels */
    const char *subscribe, *unsubscribe;
    const char *confirmed, *message;          /* first words of what comes */
    size_t n_items;                           /* of a message; the channel and the payload are the last two */
} kinds[KIND_N] = {
    [KIND_CHANNEL] = { 'c', "SUBSCRIBE", "UNSUBSCRIBE", "subscribe", "message", 3 },
    [KIND_PATTERN] = { 'p', "PSUBSCRIBE", "PUNSUBSCRIBE", "psubscribe", "pmessage", 4 },
    [KIND_SHARDED] = { 's', "SSUBSCRIBE", "SUNSUBSCRIBE", "ssubscribe", "smessage", 3 },
};

struct channel {
    struct um_list subs;
    enum kind kind;
    bool pending;                             /* SUBSCRIBE sent, not confirmed */
    bool live;
    size_t len;
    uint8_t key[];                            /* the kind's mark, then the name: len + 1 bytes */
};

struct um_redis_sub {
    struct um_list link;                      /* of its channel */
    struct um_list dead;                      /* unsubscribed: until the end of the turn */
    struct um_redis_link *owner;
    struct channel *channel;
    const struct um_redis_sub_handler *h;     /* NULL: unsubscribed */
    void *arg;
    bool heard;                               /* on_live was called */
    bool live;                                /* for the present connection */
    struct um_defer announce;
};

static struct um_span name_of(const struct channel *ch)
{
    return UM_SPAN(ch->key + 1, ch->len);
}

static struct channel *find(const struct side *s, enum kind kind, struct um_span name)
{
    uint8_t small[256], *key = name.len < sizeof(small) ? small : um_xmalloc(name.len + 1);
    struct channel *ch;

    key[0] = (uint8_t)kinds[kind].mark;
    if (name.len > 0)
        memcpy(key + 1, name.data, name.len);
    ch = um_map_get(&s->channels, UM_SPAN(key, name.len + 1));
    if (key != small)
        free(key);
    return ch;
}

/* ---- the wire ---- */

static void send_word(struct side *s, const char *word, struct um_span name)
{
    resp_put_command(&s->conn.out, (struct um_span[]){ UM_SPAN_STR(word), name }, 2);
    conn_flush_later(&s->conn);
}

static void send_subscribe(struct side *s, struct channel *ch)
{
    ch->pending = true;
    s->unconfirmed++;
    send_word(s, kinds[ch->kind].subscribe, name_of(ch));
}

static void drop_channel(struct side *s, struct channel *ch)
{
    um_map_remove(&s->channels, UM_SPAN(ch->key, ch->len + 1));
    s->n_channels--;
    redis_count(R_SUBSCRIPTIONS, -1);
    free(ch);
}

/* Gives an empty channel up; one that is pending goes when it is confirmed. */
static void drop_if_empty(struct side *s, struct channel *ch)
{
    if (!um_list_is_empty(&ch->subs) || ch->pending)
        return;
    if (s->conn.stage == CONN_UP)
        send_word(s, kinds[ch->kind].unsubscribe, name_of(ch));
    drop_channel(s, ch);
}

/* ---- callers' callbacks ---- */

static void tell_live(struct um_redis_sub *sub)
{
    bool again = sub->heard;

    if (sub->h == NULL || sub->live)
        return;
    sub->heard = sub->live = true;
    if (sub->h->on_live != NULL)
        sub->h->on_live(sub->arg, again);
}

static void announce(void *arg)
{
    struct um_redis_sub *sub = arg;

    if (sub->h != NULL && sub->channel->live)
        tell_live(sub);
}

/* Subscribers leave only at the end of the turn, newcomers come last: the ring can be walked while they do. */
static void deliver(struct channel *ch, struct um_span channel, struct um_span payload)
{
    UM_LIST_EACH(it, &ch->subs) {
        struct um_redis_sub *sub = UM_CONTAINER(it, struct um_redis_sub, link);
        if (sub->h != NULL)
            sub->h->on_message(sub->arg, channel, payload);
    }
}

/* ---- liveness ---- */

static void beat_is_late(void *arg);

static void take_beat_answer(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_redis_link *l = arg;

    if (err == UM_OK)
        return;
    l->side.beat_awaited = false;             /* not allowed to publish it: the connection stays unwatched */
    um_timer_stop(l->loop, &l->side.beat);
    um_log_limited(UM_WARN, "redis", "the heartbeat of the subscriptions is refused", UM_S("link", l->name),
                   UM_B("reply", reply->text));
}

static void beat(void *arg)
{
    struct um_redis_link *l = arg;
    struct side *s = &l->side;

    if (l->state != LINK_READY || !s->restored)
        return;
    s->beat_awaited = true;
    queue_internal(l, take_beat_answer, (struct um_span[]){ UM_SPAN("PUBLISH", 7), UM_SPAN_STR(s->beat_channel), UM_SPAN("", 0) }, 3);
    um_timer_set(l->loop, &s->beat, l->redis->cf->timeout_ms, beat_is_late, l);
}

static void subs_lost(struct um_redis_link *l, um_err err, const char *why);

static void beat_is_late(void *arg)
{
    subs_lost(arg, UM_ETIMEOUT, "subscriptions: the heartbeat did not come in");
}

static void beat_came(struct um_redis_link *l)
{
    l->side.beat_awaited = false;
    um_timer_set(l->loop, &l->side.beat, REDIS_PING_MS, beat, l);
}

/* ---- replies ---- */

static void all_confirmed(struct um_redis_link *l)
{
    struct side *s = &l->side;

    if (s->restored)
        return;
    s->restored = true;
    s->attempts = 0;
    redis_count(R_RESUBSCRIBED, 1);
    um_timer_set(l->loop, &s->beat, REDIS_PING_MS, beat, l);
    link_restored(l);
}

static void take_confirmation(struct um_redis_link *l, enum kind kind, struct um_span name)
{
    struct side *s = &l->side;
    struct channel *ch = find(s, kind, name);

    if (ch != NULL && ch->pending) {
        ch->pending = false;
        ch->live = true;
        s->unconfirmed--;
        UM_LIST_EACH(it, &ch->subs)
            tell_live(UM_CONTAINER(it, struct um_redis_sub, link));
        drop_if_empty(s, ch);
    } else if (ch == NULL && um_span_eq(name, UM_SPAN_STR(s->beat_channel))) {
        s->unconfirmed--;
    }
    if (s->unconfirmed == 0)
        all_confirmed(l);
}

static void take_message(struct um_redis_link *l, enum kind kind, const struct um_redis_reply *reply)
{
    struct um_span channel = um_redis_item(reply, reply->n - 2), payload = um_redis_item(reply, reply->n - 1);
    struct channel *ch = find(&l->side, kind, um_redis_item(reply, 1));

    if (kind == KIND_CHANNEL && um_span_eq(channel, UM_SPAN_STR(l->side.beat_channel)))
        beat_came(l);
    redis_count(R_MESSAGES, 1);
    if (ch != NULL)
        deliver(ch, channel, payload);
}

static void on_reply(void *arg, const struct um_redis_reply *reply)
{
    struct um_redis_link *l = arg;
    struct um_span word = um_redis_item(reply, 0);

    for (enum kind k = 0; k < KIND_N; k++) {
        if (um_span_eq(word, UM_SPAN_STR(kinds[k].message)) && reply->n == kinds[k].n_items) {
            take_message(l, k, reply);
            return;
        }
        if (um_span_eq(word, UM_SPAN_STR(kinds[k].confirmed))) {
            take_confirmation(l, k, um_redis_item(reply, 1));
            return;
        }
    }
    if (resp_is_error(reply, "NOPERM"))
        subs_lost(l, UM_EDENIED, "subscriptions: the user may not subscribe (ACL channels)");
    else if (reply->kind == UM_REDIS_ERROR)
        subs_lost(l, UM_EPROTO, "subscriptions: refused");
}

/* ---- the connection ---- */

static void on_stage(void *arg, enum conn_stage stage)
{
    struct um_redis_link *l = arg;
    struct side *s = &l->side;
    size_t pos = 0;
    struct um_span key;
    void *value;

    if (stage != CONN_UP)
        return;
    s->unconfirmed = 1;                       /* our own channel */
    send_word(s, "SUBSCRIBE", UM_SPAN_STR(s->beat_channel));
    while (um_map_next(&s->channels, &pos, &key, &value))
        send_subscribe(s, value);
}

static void on_down(void *arg, um_err err, const char *why)
{
    subs_lost(arg, err, why);
}

static void forget_confirmations(struct side *s)
{
    size_t pos = 0;
    struct um_span key;
    void *value;

    s->restored = s->beat_awaited = false;
    s->unconfirmed = 0;
    while (um_map_next(&s->channels, &pos, &key, &value)) {
        struct channel *ch = value;
        ch->live = ch->pending = false;
        UM_LIST_EACH(it, &ch->subs)
            UM_CONTAINER(it, struct um_redis_sub, link)->live = false;
    }
}

void subs_close(struct um_redis_link *l)
{
    struct side *s = &l->side;

    conn_close(&s->conn);
    um_timer_stop(l->loop, &s->retry);
    um_timer_stop(l->loop, &s->beat);
    forget_confirmations(s);
}

static void reopen(void *arg)
{
    struct um_redis_link *l = arg;

    if (l->state == LINK_READY && l->side.conn.stage == CONN_DOWN && l->side.n_channels > 0)
        conn_open(&l->side.conn, l->master.host, l->master.port);
}

/* READY: this connection alone is made again. Otherwise, or when that does not work, the link starts again. */
static void subs_lost(struct um_redis_link *l, um_err err, const char *why)
{
    struct side *s = &l->side;
    unsigned attempts = s->attempts + 1;

    subs_close(l);
    s->attempts = attempts;
    if (l->state != LINK_READY || attempts > ATTEMPTS) {
        s->attempts = 0;
        link_lost(l, err, why);
        return;
    }
    um_log_limited(UM_WARN, "redis", "subscriptions lost", UM_S("link", l->name), UM_S("why", why));
    um_timer_set(l->loop, &s->retry, attempts == 1 ? 0 : link_jitter(attempts), reopen, l);
}

void subs_open(struct um_redis_link *l)
{
    if (l->side.n_channels == 0)
        link_restored(l);
    else
        conn_open(&l->side.conn, l->master.host, l->master.port);
}

/* ---- callers ---- */

static struct channel *new_channel(struct side *s, enum kind kind, struct um_span name)
{
    struct channel *ch = um_xcalloc(1, sizeof(*ch) + name.len + 1);

    um_list_init(&ch->subs);
    ch->kind = kind;
    ch->len = name.len;
    ch->key[0] = (uint8_t)kinds[kind].mark;
    if (name.len > 0)
        memcpy(ch->key + 1, name.data, name.len);
    um_map_put(&s->channels, UM_SPAN(ch->key, ch->len + 1), ch);
    s->n_channels++;
    redis_count(R_SUBSCRIPTIONS, 1);
    return ch;
}

static struct um_redis_sub *subscribe(struct um_redis_link *l, enum kind kind, struct um_span name, const struct um_redis_sub_handler *h,
                                      void *arg)
{
    struct side *s = &l->side;
    struct channel *ch = find(s, kind, name);
    struct um_redis_sub *sub;

    UM_ASSERT(um_loop_is_mine(l->loop));
    if (ch == NULL && s->n_channels >= UM_REDIS_MAX_CHANNELS)
        return NULL;
    if (ch == NULL) {
        ch = new_channel(s, kind, name);
        if (s->conn.stage == CONN_UP)
            send_subscribe(s, ch);
        else if (s->conn.stage == CONN_DOWN && !um_timer_is_set(&s->retry))
            um_timer_set(l->loop, &s->retry, 0, reopen, l);
    }
    sub = um_xcalloc(1, sizeof(*sub));
    sub->owner = l;
    sub->channel = ch;
    sub->h = h;
    sub->arg = arg;
    um_defer_init(&sub->announce, announce, sub);
    um_list_init(&sub->dead);
    um_list_append(&ch->subs, &sub->link);
    um_loop_defer(l->loop, UM_PHASE_FLUSH_DOCS, &sub->announce);
    return sub;
}

struct um_redis_sub *um_redis_subscribe(struct um_redis_link *l, struct um_span name, bool is_pattern,
                                        const struct um_redis_sub_handler *h, void *arg)
{
    return subscribe(l, is_pattern ? KIND_PATTERN : KIND_CHANNEL, name, h, arg);
}

struct um_redis_sub *um_redis_subscribe_sharded(struct um_redis_link *l, struct um_span name, const struct um_redis_sub_handler *h, void *arg)
{
    return subscribe(l, KIND_SHARDED, name, h, arg);
}

void um_redis_unsubscribe(struct um_redis_sub *sub)
{
    if (sub == NULL)
        return;
    sub->h = NULL;
    um_list_remove(&sub->dead);
    um_list_append(&sub->owner->side.dead, &sub->dead);
    um_loop_defer(sub->owner->loop, UM_PHASE_REAP, &sub->owner->side.reap);
}

/* Frees the unsubscribed, and closes the connection that nobody needs any more. */
static void reap(void *arg)
{
    struct um_redis_link *l = arg;
    struct side *s = &l->side;

    while (!um_list_is_empty(&s->dead)) {
        struct um_redis_sub *sub = UM_CONTAINER(s->dead.next, struct um_redis_sub, dead);
        struct channel *ch = sub->channel;
        um_list_remove(&sub->dead);
        um_list_remove(&sub->link);
        um_defer_cancel(&sub->announce);
        free(sub);
        drop_if_empty(s, ch);
    }
    if (s->n_channels == 0 && l->state == LINK_READY)
        subs_close(l);
}

/* ---- life ---- */

static const struct conn_handler handler = { on_stage, on_reply, on_down };

void subs_init(struct um_redis_link *l)
{
    struct side *s = &l->side;
    struct um_buf channel = { 0 };
    char id[9];

    um_random_id(id, 8);
    snprintf(s->name, sizeof(s->name), "%.90s-sub", l->name);
    um_redis_key(l->redis, &channel, "beat", l->redis->id, id, NULL);
    snprintf(s->beat_channel, sizeof(s->beat_channel), "%s", um_buf_cstr(&channel));
    um_buf_free(&channel);
    s->login = l->login;
    s->login.database = -1;
    s->login.name = s->name;
    conn_init(&s->conn, l->redis, l->loop, &s->login, &handler, l);
    um_list_init(&s->dead);
    um_defer_init(&s->reap, reap, l);
}

void subs_free(struct um_redis_link *l)
{
    struct side *s = &l->side;
    size_t pos = 0;
    struct um_span key;
    void *value;

    subs_close(l);
    um_defer_cancel(&s->reap);
    while (um_map_next(&s->channels, &pos, &key, &value)) {
        struct channel *ch = value;
        UM_LIST_EACH_SAFE(it, &ch->subs) {
            struct um_redis_sub *sub = UM_CONTAINER(it, struct um_redis_sub, link);
            um_defer_cancel(&sub->announce);
            free(sub);
        }
        redis_count(R_SUBSCRIPTIONS, -1);
        free(ch);
    }
    um_map_free(&s->channels);
}
