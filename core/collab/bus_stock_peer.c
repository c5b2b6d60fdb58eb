/* Instances of stock Hocuspocus. Up to 4.6 they hear what comes on a document's channel; from 4.7 on answers go to a channel
 * of the asker's own, and what it says to others there is heard by nobody else. Which one it is tells the number of
 * subscribers of that channel. */
#include <stdlib.h>
#include <string.h>
#include "bus_stock.h"

struct owed {
    struct um_list link;
    enum stock_question question;
    struct um_bytes *name, *sv;
};

static void owed_free(struct stock_peer *p, struct owed *o)
{
    um_list_remove(&o->link);
    p->n_owed--;
    um_bytes_unref(o->name);
    um_bytes_unref(o->sv);
    free(o);
}

static void drop_owed(struct stock_peer *p)
{
    while (!um_list_is_empty(&p->owed))
        owed_free(p, UM_CONTAINER(p->owed.next, struct owed, link));
}

static void pay_owed(struct stock_peer *p)
{
    struct um_list all;

    um_list_init(&all);
    um_list_splice(&all, &p->owed);
    UM_LIST_EACH_SAFE(it, &all) {
        struct owed *o = UM_CONTAINER(it, struct owed, link);
        struct stock_doc *sd = stock_doc_named(p->hub, um_bytes_span(o->name));
        if (sd != NULL)
            stock_answer(sd, p, o->question, um_bytes_span(o->sv));
        owed_free(p, o);
    }
}

static void owe(struct stock_peer *p, struct um_span name, enum stock_question q, struct um_span sv)
{
    struct owed *o = um_xcalloc(1, sizeof(*o));

    if (p->n_owed >= STOCK_MAX_OWED)         /* it asks again */
        owed_free(p, UM_CONTAINER(p->owed.next, struct owed, link));
    o->question = q;
    o->name = um_bytes_dup(name.data, name.len);
    o->sv = um_bytes_dup(sv.data, sv.len);
    um_list_append(&p->owed, &o->link);
    p->n_owed++;
    if (o->name == NULL || o->sv == NULL)
        owed_free(p, o);
}

/* ---- where it listens ---- */

static void counted(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct stock_peer *p = arg;
    bool answered = err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n == 2;

    p->in_flight--;
    p->asking = false;
    if (answered)
        p->hears = reply->items[1]->integer > 0 ? STOCK_ON_REPLY : STOCK_ON_DOCUMENT;
    else if (err == UM_EDENIED || err == UM_EINVAL)
        p->hears = STOCK_ON_DOCUMENT;        /* may not be asked: there everybody hears it */
    if (p->hears == STOCK_UNKNOWN || p->hub->stopping)
        drop_owed(p);
    else
        pay_owed(p);
}

static void ask_where(struct stock_peer *p)
{
    static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT };
    struct um_buf channel = { 0 };

    if (p->asking)
        return;
    p->asking = true;
    p->in_flight++;
    p->asked_ms = p->heard_ms;
    stock_put_reply_channel(&channel, p->hub->prefix, um_bytes_span(p->identifier));
    um_redis_command(p->hub->link, &at_once,
                     (struct um_span[]){ UM_SPAN_STR("PUBSUB"), UM_SPAN_STR("NUMSUB"), UM_SPAN(channel.data, channel.len) }, 3,
                     counted, p);
    um_buf_free(&channel);
}

struct stock_peer *stock_peer_get(struct stock_hub *s, struct um_span identifier)
{
    struct stock_peer *p = um_map_get(&s->peers, identifier);

    if (p == NULL && s->peers.n < STOCK_MAX_PEERS) {
        p = um_xcalloc(1, sizeof(*p));
        p->hub = s;
        p->identifier = um_bytes_dup(identifier.data, identifier.len);
        UM_ASSERT(p->identifier != NULL);
        um_list_init(&p->owed);
        um_map_put(&s->peers, identifier, p);
    }
    if (p == NULL)
        return NULL;
    p->heard_ms = um_loop_now_ms(s->hub->loop);
    if (p->hears == STOCK_UNKNOWN || p->heard_ms - p->asked_ms > STOCK_ASK_MS)
        ask_where(p);
    return p;
}

void stock_peer_question(struct stock_doc *sd, struct stock_peer *p, enum stock_question q, struct um_span sv)
{
    if (p->hears == STOCK_UNKNOWN)
        owe(p, UM_SPAN_STR(sd->doc->name), q, sv);
    else
        stock_answer(sd, p, q, sv);
}

/* Nobody was there: it has ended, or has come back as an older one. */
static void sent(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct stock_peer *p = arg;

    p->in_flight--;
    if (err == UM_OK && reply->kind == UM_REDIS_INTEGER && reply->integer == 0)
        p->hears = STOCK_UNKNOWN;
}

void stock_peer_send(struct stock_peer *p, struct um_span document, const struct um_buf *message)
{
    struct um_buf channel = { 0 };

    if (p->hears == STOCK_ON_REPLY) {
        p->in_flight++;
        stock_put_reply_channel(&channel, p->hub->prefix, um_bytes_span(p->identifier));
        stock_publish(p->hub, UM_SPAN(channel.data, channel.len), message, sent, p);
    } else {
        stock_put_channel(&channel, p->hub->prefix, document);
        stock_publish(p->hub, UM_SPAN(channel.data, channel.len), message, NULL, NULL);
    }
    um_buf_free(&channel);
}

/* ---- who is at a document ---- */

static void unsee(struct stock_doc *sd, unsigned i)
{
    sd->seen[i].peer->n_docs--;
    sd->seen[i] = sd->seen[--sd->n_seen];
}

struct stock_seen *stock_saw(struct stock_doc *sd, struct stock_peer *p)
{
    unsigned oldest = 0;

    for (unsigned i = 0; i < sd->n_seen; i++) {
        if (sd->seen[i].peer == p) {
            sd->seen[i].heard_ms = p->heard_ms;
            return &sd->seen[i];
        }
        if (sd->seen[i].heard_ms < sd->seen[oldest].heard_ms)
            oldest = i;
    }
    if (sd->n_seen == STOCK_MAX_SEEN)
        unsee(sd, oldest);
    p->n_docs++;
    sd->seen[sd->n_seen] = (struct stock_seen){ p, p->heard_ms, false };
    return &sd->seen[sd->n_seen++];
}

bool stock_is_bridge(const struct stock_doc *sd, const struct stock_peer *speaker)
{
    if (speaker == NULL && sd->n_seen > 0)
        speaker = sd->seen[0].peer;
    for (unsigned i = 0; i < sd->n_seen; i++) {
        const struct stock_peer *p = sd->seen[i].peer;
        if (p != speaker && (p->hears != speaker->hears || p->hears == STOCK_UNKNOWN))
            return true;
    }
    return false;
}

void stock_unsee(struct stock_doc *sd, int64_t heard_before_ms)
{
    for (unsigned i = sd->n_seen; i-- > 0;)
        if (sd->seen[i].heard_ms < heard_before_ms)
            unsee(sd, i);
}

void stock_unsee_one(struct stock_doc *sd, struct um_span identifier)
{
    for (unsigned i = sd->n_seen; i-- > 0;) {
        const struct um_bytes *one = sd->seen[i].peer->identifier;
        if (one->len == identifier.len && memcmp(one->data, identifier.data, identifier.len) == 0)
            unsee(sd, i);
    }
}

/* ---- the end ---- */

static void peer_free(struct stock_peer *p)
{
    drop_owed(p);
    um_bytes_unref(p->identifier);
    free(p);
}

/* One at a time: the next one with the next turn of the clock. */
void stock_peer_sweep(struct stock_hub *s, int64_t heard_before_ms)
{
    struct stock_peer *gone = NULL;
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (gone == NULL && um_map_next(&s->peers, &pos, &key, &value)) {
        struct stock_peer *p = value;
        if (p->n_docs == 0 && p->in_flight == 0 && p->heard_ms < heard_before_ms)
            gone = p;
    }
    if (gone == NULL)
        return;
    um_map_remove(&s->peers, um_bytes_span(gone->identifier));
    peer_free(gone);
}

void stock_peer_free_all(struct stock_hub *s)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(&s->peers, &pos, &key, &value))
        peer_free(value);
    um_map_free(&s->peers);
}
