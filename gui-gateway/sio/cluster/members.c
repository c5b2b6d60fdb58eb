/* See members.h. */
#include <stdlib.h>
#include <string.h>
#include "members.h"

static const struct {
    enum verb verb;
    int type;
} types[] = {
    { SAY_BROADCAST, CLUSTER_BROADCAST }, { SAY_JOIN, CLUSTER_JOIN }, { SAY_LEAVE, CLUSTER_LEAVE }, { SAY_DISCONNECT, CLUSTER_DISCONNECT },
    { SAY_SERVER_EMIT, CLUSTER_SERVER_EMIT }, { ASK_FETCH, CLUSTER_FETCH },
    /* The same with an id. */
    { ASK_BROADCAST, CLUSTER_BROADCAST }, { ASK_SERVER_EMIT, CLUSTER_SERVER_EMIT },
    /* These adapters have no question for rooms: they stand in what is told of the sockets. */
    { ASK_ROOMS, CLUSTER_FETCH },
};

int members_type(enum verb v)
{
    for (size_t i = 0; i < UM_COUNT(types); i++)
        if (types[i].verb == v)
            return types[i].type;
    return -1;
}

enum verb members_verb(const struct wire_msg *m)
{
    bool asks = m->request_id.data != NULL;

    if (m->type == CLUSTER_BROADCAST)
        return asks ? ASK_BROADCAST : SAY_BROADCAST;
    if (m->type == CLUSTER_SERVER_EMIT)
        return asks ? ASK_SERVER_EMIT : SAY_SERVER_EMIT;
    for (size_t i = 0; i < UM_COUNT(types); i++)
        if (types[i].type == m->type)
            return types[i].verb;
    return VERB_N;
}

/* An answer to a question of ours? */
static bool take_answer(struct nsp *n, const struct wire_msg *m)
{
    struct um_span none = { 0 };

    switch (m->type) {
    case CLUSTER_FETCHED: ask_take(n, m->request_id, m->uid, ANSWER_VALUES, m, m->sockets); return true;
    case CLUSTER_SERVER_ANSWER: ask_take(n, m->request_id, m->uid, ANSWER_VALUE, m, m->packet); return true;
    case CLUSTER_CLIENT_COUNT: ask_take(n, m->request_id, m->uid, ANSWER_CLIENTS, m, none); return true;
    case CLUSTER_ACK: ask_take(n, m->request_id, m->uid, ANSWER_ACK, m, m->packet); return true;
    default: return false;
    }
}

static bool is_quiet(int type) { return type == CLUSTER_HELLO || type == CLUSTER_BEAT || type == CLUSTER_CLOSE; }

void members_hear(struct nsp *n, struct um_span payload)
{
    struct um_span none = { 0 };
    struct wire_msg m;
    um_err err = wire_read_cluster(payload, &m);
    enum verb v;

    if (err != UM_OK) {
        cluster_refuse(n, err, "message");
        return;
    }
    v = members_verb(&m);
    if (um_span_eq(m.uid, UM_SPAN_STR(n->uid)) || (m.nsp.data != NULL && !um_span_eq(m.nsp, UM_SPAN_STR(n->name))) || is_quiet(m.type))
        ;
    else if (v != VERB_N)
        hear(n, v, &m, none);
    else if (!take_answer(n, &m))
        cluster_refuse(n, UM_EPROTO, "type of a message");
    wire_clear(&m);
}

struct um_span members_channel(struct um_buf *out, const struct nsp *n, struct um_span last)
{
    um_buf_clear(out);
    wire_channel(out, n->c->conf->key, n->name, last);
    return UM_SPAN(out->data, out->len);
}

static int answer_type(const struct reply *r, const struct wire_say *what)
{
    if (r->verb == ASK_BROADCAST)
        return what->type == REPLY_ACK ? CLUSTER_ACK : CLUSTER_CLIENT_COUNT;
    return r->verb == ASK_SERVER_EMIT ? CLUSTER_SERVER_ANSWER : CLUSTER_FETCHED;
}

bool members_answer(struct reply *r, const struct wire_say *what, enum wire_form form, struct um_buf *channel, struct um_buf *out)
{
    struct wire_say s = *what;
    um_err err = r->uid[0] != '\0' ? UM_OK : UM_EPROTO;

    s.type = answer_type(r, what);
    if (err == UM_OK)
        err = wire_put_cluster(out, &s, form);
    if (err != UM_OK) {
        cluster_refuse(r->n, err, "answer sent");
        return false;
    }
    (void)members_channel(channel, r->n, UM_SPAN_STR(r->uid));
    return true;
}

/* ---- subscriptions ---- */

static void on_message(void *arg, struct um_span from, struct um_span payload)
{
    (void)from;
    members_hear(arg, payload);
}
static void on_live(void *arg, bool again)
{
    (void)again;
    ((struct nsp *)arg)->live = 1;
}
const struct um_redis_sub_handler members_of_all = { on_message, on_live }, members_of_some = { on_message, NULL };
