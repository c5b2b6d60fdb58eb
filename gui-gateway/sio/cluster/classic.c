/* The classic adapter (@socket.io/redis-adapter 8.3, createAdapter) and the emitter's messages.
 *
 *   PSUBSCRIBE  <key>#<nsp>#*                   broadcasts: the room stands in the channel, so what nobody here is in is dropped unread
 *   SUBSCRIBE   <key>-request#<nsp>#            one subscription per process: others count them
 *               <key>-response#<nsp>#           answers; <key>-response#<nsp>#<uid># those of nodes that answer privately
 *
 * The pattern, not a channel for each room: rooms come and go with every client (each has one of its own), a channel would be a
 * command, an entry in Redis and a time in which what is said to the room is lost. What it costs to be told of rooms that are not here is
 * one look at the channel's name.
 *
 * What ends a Node process is not sent: no broadcast of another shape, no request without its parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cluster.h"

static const struct {
    enum verb verb;
    int type;
} types[] = {
    { SAY_JOIN, CLASSIC_JOIN }, { SAY_LEAVE, CLASSIC_LEAVE }, { SAY_DISCONNECT, CLASSIC_DISCONNECT }, { SAY_SERVER_EMIT, CLASSIC_SERVER_EMIT },
    { ASK_BROADCAST, CLASSIC_BROADCAST }, { ASK_FETCH, CLASSIC_FETCH }, { ASK_ROOMS, CLASSIC_ALL_ROOMS },
    { ASK_SERVER_EMIT, CLASSIC_SERVER_EMIT }, { ASK_SOCKETS, CLASSIC_SOCKETS },
};

static int type_of(enum verb v)
{
    for (size_t i = 0; i < UM_COUNT(types); i++)
        if (types[i].verb == v)
            return types[i].type;
    return -1;
}

/* VERB_N: none. A server-side event is a question when it has an id. */
static enum verb verb_of(const struct wire_msg *m)
{
    if (m->type == CLASSIC_SERVER_EMIT)
        return m->request_id.data != NULL ? ASK_SERVER_EMIT : SAY_SERVER_EMIT;
    for (size_t i = 0; i < UM_COUNT(types); i++)
        if (types[i].type == m->type)
            return types[i].verb;
    return VERB_N;
}

/* --- channels ------------------------------------------------------------------------------------------------------------ */

static struct um_span channel(struct um_buf *out, const struct nsp *n, const char *kind, struct um_span last)
{
    char prefix[160];

    snprintf(prefix, sizeof(prefix), "%s%s", n->c->conf->key, kind);
    um_buf_clear(out);
    wire_channel(out, prefix, n->name, last);
    return UM_SPAN(out->data, out->len);
}
static const struct um_span nothing = { 0 };

static struct um_span tail_of(struct um_span whole, size_t head)
{
    return whole.len > head + 1 ? UM_SPAN(whole.data + head, whole.len - head - 1) : UM_SPAN("", 0);
}

/* --- hearing ---------------------------------------------------------------------------------------------------------------- */

/* Is the first element of the array our id? Our own broadcasts come back, each with this head. */
static bool is_own(const struct nsp *n, struct um_span payload)
{
    return payload.len > 2 + WIRE_CLASSIC_ID && payload.data[0] == 0x93 && payload.data[1] == (0xa0 | WIRE_CLASSIC_ID) &&
           memcmp(payload.data + 2, n->uid, WIRE_CLASSIC_ID) == 0;
}

static void on_broadcast(void *arg, struct um_span from, struct um_span payload)
{
    struct nsp *n = arg;
    size_t head = strlen(n->c->conf->key) + strlen(n->name) + 2;
    struct um_span room = tail_of(from, head);
    struct wire_msg m;
    um_err err;

    if (is_own(n, payload) || from.len < head || (from.len > head && !nsp_hosts(n, room)))
        return;
    if ((err = wire_read_broadcast(payload, &m)) != UM_OK) {
        cluster_refuse(n, err, "broadcast");
        return;
    }
    if (!um_span_eq(m.uid, UM_SPAN_STR(n->uid)))
        hear_broadcast(n, &m, nothing);
    wire_clear(&m);
}

static void on_request(void *arg, struct um_span from, struct um_span payload)
{
    struct nsp *n = arg;
    struct wire_msg m;
    um_err err = wire_read_classic(payload, &m);
    enum verb v;

    (void)from;
    if (err != UM_OK) {
        cluster_refuse(n, err, "request");
        return;
    }
    v = verb_of(&m);
    if (v == VERB_N)
        cluster_refuse(n, UM_EPROTO, "type of a request");
    else if (m.uid.data == NULL || !um_span_eq(m.uid, UM_SPAN_STR(n->uid)))
        hear(n, v, &m, nothing);
    wire_clear(&m);
}

static void on_answer(void *arg, struct um_span from, struct um_span payload)
{
    struct nsp *n = arg;
    struct wire_msg m;
    um_err err;

    (void)from;
    if (n->c->n_asks == 0)
        return;                                     /* nodes answer on a channel that all hear */
    if ((err = wire_read_classic(payload, &m)) != UM_OK) {
        cluster_refuse(n, err, "answer");
        return;
    }
    if (m.type == CLASSIC_CLIENT_COUNT)
        ask_take(n, m.request_id, m.uid, ANSWER_CLIENTS, &m, nothing);
    else if (m.type == CLASSIC_ACK)
        ask_take(n, m.request_id, m.uid, ANSWER_ACK, &m, m.packet);
    else if (m.type == CLASSIC_SERVER_EMIT)
        ask_take(n, m.request_id, m.uid, ANSWER_VALUE, &m, m.data);
    else if (m.sockets.data != NULL || m.has_rooms)
        ask_take(n, m.request_id, m.uid, ANSWER_VALUES, &m, m.sockets);
    wire_clear(&m);
}

/* --- the namespace ------------------------------------------------------------------------------------------------------------- */

static void on_request_live(void *arg, bool again)
{
    struct nsp *n = arg;

    n->live = 1;                                    /* others count us from now on */
    (void)again;
}
static const struct um_redis_sub_handler on_broadcasts = { on_broadcast, NULL }, on_requests = { on_request, on_request_live },
                                         on_answers = { on_answer, NULL };

/* Redis reads *, ?, [ and \ of a pattern as its own. */
static void escape(struct um_buf *out, struct um_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("*?[]\\^", text.data[i]) != NULL && text.data[i] != 0)
            um_buf_put_u8(out, '\\');
        um_buf_put_u8(out, text.data[i]);
    }
}

static void open_nsp(struct nsp *n)
{
    struct um_redis_link *l = n->c->link;
    struct um_buf name = { 0 }, pattern = { 0 };

    escape(&pattern, channel(&name, n, "", nothing));
    um_buf_put_u8(&pattern, '*');
    n->subs[0] = um_redis_subscribe(l, UM_SPAN(pattern.data, pattern.len), true, &on_broadcasts, n);
    n->subs[1] = um_redis_subscribe(l, channel(&name, n, "-request", nothing), false, &on_requests, n);
    n->subs[2] = um_redis_subscribe(l, channel(&name, n, "-response", nothing), false, &on_answers, n);
    n->subs[3] = um_redis_subscribe(l, channel(&name, n, "-response", UM_SPAN_STR(n->uid)), false, &on_answers, n);
    um_buf_free(&name);
    um_buf_free(&pattern);
}

static void count_nodes(struct nsp *n, um_redis_cb *cb, void *arg)
{
    struct um_buf name = { 0 };

    um_redis_command(n->c->link, NULL, (struct um_span[]){ UM_SPAN_STR("PUBSUB"), UM_SPAN_STR("NUMSUB"), channel(&name, n, "-request", nothing) }, 3,
                     cb, arg);
    um_buf_free(&name);
}

/* --- speaking -------------------------------------------------------------------------------------------------------------------- */

static void say(struct nsp *n, const struct order *o, const char *request_id)
{
    struct wire_say s = order_say(n, o, type_of(o->verb), request_id);
    struct um_buf name = { 0 }, out = { 0 };
    struct um_span to;
    um_err err;

    if (o->verb == SAY_BROADCAST) {
        to = channel(&name, n, "", o->opts.n_rooms == 1 ? o->opts.rooms[0] : nothing);
        err = wire_put_broadcast(&out, &s);
    } else {
        to = channel(&name, n, "-request", nothing);
        if (o->verb == SAY_SERVER_EMIT || o->verb == ASK_SERVER_EMIT || o->verb == ASK_ROOMS)
            s.o = NULL;
        err = wire_put_request(&out, &s);
    }
    if (err == UM_OK)
        cluster_publish(n->c, "PUBLISH", to, UM_SPAN(out.data, out.len));
    else
        cluster_refuse(n, err, "sent");
    um_buf_free(&name);
    um_buf_free(&out);
}

static void answer(struct reply *r, const struct wire_say *what)
{
    struct nsp *n = r->n;
    struct wire_say s = *what;
    struct um_buf name = { 0 }, out = { 0 };
    bool privately = n->c->conf->answers_privately && r->uid[0] != '\0' && r->verb != ASK_SERVER_EMIT;
    struct um_span to = channel(&name, n, "-response", privately ? UM_SPAN_STR(r->uid) : nothing);
    um_err err;

    s.type = r->verb != ASK_BROADCAST ? type_of(r->verb) : what->type == REPLY_ACK ? CLASSIC_ACK : CLASSIC_CLIENT_COUNT;
    if ((err = wire_put_answer(&out, &s)) == UM_OK)
        cluster_publish(n->c, "PUBLISH", to, UM_SPAN(out.data, out.len));
    else
        cluster_refuse(n, err, "answer sent");
    um_buf_free(&name);
    um_buf_free(&out);
}

const struct dialect dialect_classic = {
    .name = "classic", .id_len = WIRE_CLASSIC_ID, .open = open_nsp, .say = say, .count = count_nodes, .answer = answer,
};
