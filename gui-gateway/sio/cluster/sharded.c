/* The sharded adapter (@socket.io/redis-adapter 8.3, createShardedAdapter; Redis 7).
 *
 *   SSUBSCRIBE  <key>#<nsp>#           all nodes      <key>#<nsp>#<uid>#    answers to this node
 *               <key>#<nsp>#<room>#    rooms that have members here, in the modes `dynamic` and `dynamic-private`
 *
 * Who says something to one room says it on the room's channel, by rules that all nodes have in common: in `dynamic` every room but those
 * whose name is as long as a socket's id; in `dynamic-private` every room; in `static` none. */
#include <stdlib.h>
#include <string.h>
#include "members.h"

enum { SOCKET_ID = 20 };

static void open_nsp(struct nsp *n)
{
    struct um_buf name = { 0 };

    n->subs[0] = um_redis_subscribe_sharded(n->c->link, members_channel(&name, n, MEMBERS_ALL), &members_of_all, n);
    n->subs[1] = um_redis_subscribe_sharded(n->c->link, members_channel(&name, n, UM_SPAN_STR(n->uid)), &members_of_some, n);
    um_buf_free(&name);
}

/* The length of TEXT as JavaScript counts it. */
static size_t js_len(struct um_span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += ((text.data[i] & 0xc0) != 0x80) + (text.data[i] >= 0xf0);
    return n;
}

static bool has_channel(const struct nsp *n, struct um_span room)
{
    switch (n->c->conf->subscription_mode) {
    case UM_SIO_STATIC: return false;
    case UM_SIO_DYNAMIC: return js_len(room) != SOCKET_ID;
    default: return true;
    }
}

static void room_changed(struct nsp *n, struct um_span name, struct room *r, bool opened)
{
    struct um_buf channel = { 0 };

    if (!has_channel(n, name))
        return;
    if (opened) {
        r->sub = um_redis_subscribe_sharded(n->c->link, members_channel(&channel, n, name), &members_of_some, n);
        if (r->sub == NULL)
            cluster_refuse(n, UM_ELIMIT, "room's channel");
    } else {
        um_redis_unsubscribe(r->sub);
        r->sub = NULL;
    }
    um_buf_free(&channel);
}

static void count_nodes(struct nsp *n, um_redis_cb *cb, void *arg)
{
    struct um_buf name = { 0 };

    um_redis_command(n->c->link, NULL, (struct um_span[]){ UM_SPAN_STR("PUBSUB"), UM_SPAN_STR("SHARDNUMSUB"),
                     members_channel(&name, n, MEMBERS_ALL) }, 3, cb, arg);
    um_buf_free(&name);
}

static void say(struct nsp *n, const struct order *o, const char *request_id)
{
    struct wire_say s = order_say(n, o, members_type(o->verb), request_id);
    bool to_room = o->verb == SAY_BROADCAST && o->opts.n_rooms == 1 && has_channel(n, o->opts.rooms[0]);
    struct um_buf name = { 0 }, out = { 0 };
    um_err err = wire_put_cluster(&out, &s, WIRE_JSON);

    if (err == UM_OK)
        cluster_publish(n->c, "SPUBLISH", members_channel(&name, n, to_room ? o->opts.rooms[0] : MEMBERS_ALL), UM_SPAN(out.data, out.len));
    else
        cluster_refuse(n, err, "sent");
    um_buf_free(&name);
    um_buf_free(&out);
}

static void answer(struct reply *r, const struct wire_say *what)
{
    struct um_buf name = { 0 }, out = { 0 };

    if (members_answer(r, what, WIRE_JSON, &name, &out))
        cluster_publish(r->n->c, "SPUBLISH", UM_SPAN(name.data, name.len), UM_SPAN(out.data, out.len));
    um_buf_free(&name);
    um_buf_free(&out);
}

const struct dialect dialect_sharded = {
    .name = "sharded", .id_len = WIRE_CLUSTER_ID, .open = open_nsp, .room = room_changed, .say = say, .count = count_nodes, .answer = answer,
};
