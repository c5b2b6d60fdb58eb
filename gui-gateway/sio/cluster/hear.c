/* What other nodes say is done here, for the clients of this process alone; what they ask is answered, also with nothing, because they wait
 * for every node. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "cluster.h"

/* --- events ---------------------------------------------------------------------------------------------------------- */

/* A pattern of one namespace may match the channels of another. Packets of the classic adapter that name none are of "/". */
static bool is_of(const struct nsp *n, struct um_span named)
{
    if (named.data == NULL)
        return n->c->dialect->id_len != WIRE_CLASSIC_ID || strcmp(n->name, "/") == 0;
    return um_span_eq(named, UM_SPAN_STR(n->name));
}

void hear_broadcast(struct nsp *n, const struct wire_msg *m, struct um_span offset)
{
    struct um_sio_opts o = wire_opts(m);
    struct wire_packet p = { 0 };
    um_err err = wire_read_packet(m->packet, &p);

    if (err == UM_OK && !p.has_id && is_of(n, p.nsp)) {       /* with an id it is for a socket of the sender */
        if (atomic_load_explicit(&n->c->recovers, memory_order_relaxed) && !(o.flags & UM_SIO_VOLATILE))
            o.offset = offset;
        um_sio_local_broadcast(n->c->sio, n->name, p.event, &o);
        cluster_count(C_HEARD, 1);
    } else if (err != UM_OK) {
        cluster_refuse(n, err, "broadcast");
    }
    um_sio_data_unref(p.event);
}

/* --- questions: what is kept until the answer ------------------------------------------------------------------------------ */

static struct reply *reply_new(struct nsp *n, enum verb v, const struct wire_msg *m)
{
    struct sio_cluster *c = n->c;
    struct reply *r;

    if (m->request_id.len == 0 || m->request_id.len > CLUSTER_MAX_ID || m->uid.len > CLUSTER_MAX_ID) {
        cluster_refuse(n, UM_EPROTO, "id of a request");
        return NULL;
    }
    if (c->n_replies >= CLUSTER_MAX_REPLIES) {
        cluster_count(C_BUSY, 1);
        return NULL;
    }
    r = um_xcalloc(1, sizeof(*r));
    r->n = n;
    r->verb = v;
    memcpy(r->request_id, m->request_id.data, m->request_id.len);
    if (m->uid.len > 0)
        memcpy(r->uid, m->uid.data, m->uid.len);
    um_list_append(&c->replies, &r->link);
    c->n_replies++;
    cluster_count(C_HEARD, 1);
    return r;
}

static void reply_free(struct reply *r)
{
    um_list_remove(&r->link);
    r->n->c->n_replies--;
    free(r);
}

static void give(struct reply *r, struct wire_say what)
{
    what.uid = r->n->uid;
    what.nsp = r->n->name;
    what.request_id = r->request_id;
    r->n->c->dialect->answer(r, &what);
}

static void give_values(void *arg, struct um_sio_data *const *values, size_t n)
{
    struct reply *r = arg;

    give(r, (struct wire_say){ .values = values, .n_values = n });
    reply_free(r);
}

/* Asked in the old way: the ids of the sockets alone. */
static void give_ids(void *arg, struct um_sio_data *const *values, size_t n)
{
    struct um_sio_data **ids = um_xcalloc(n + 1, sizeof(*ids));
    struct reply *r = arg;

    for (size_t i = 0; i < n; i++) {
        struct um_buf text = { 0 };
        struct um_span json = um_bytes_span(values[i]->json);
        size_t from = strlen("{\"id\":"), end = from + 1;

        while (end < json.len && json.data[end] != '"')
            end++;
        um_buf_put(&text, json.data + UM_MIN(from, json.len), json.len > end ? end + 1 - from : 0);
        ids[i] = um_sio_data_text(um_buf_cstr(&text));
        um_buf_free(&text);
    }
    give(r, (struct wire_say){ .values = ids, .n_values = n });
    for (size_t i = 0; i < n; i++)
        um_sio_data_unref(ids[i]);
    free(ids);
    reply_free(r);
}

static void give_value(void *arg, struct um_sio_data *value)
{
    struct reply *r = arg;

    if (value != NULL)
        give(r, (struct wire_say){ .event = value });
    reply_free(r);
}

/* ---- acknowledgements of a broadcast: the number of clients, then each answer ---- */

static void sink_clients(void *arg, unsigned clients)
{
    give(arg, (struct wire_say){ .type = REPLY_CLIENTS, .client_count = clients });
}
static void sink_ack(void *arg, struct um_sio_data *value)
{
    give(arg, (struct wire_say){ .type = REPLY_ACK, .event = value });
}
static void sink_done(void *arg) { reply_free(arg); }

static void hear_ask_broadcast(struct nsp *n, const struct wire_msg *m)
{
    struct um_sio_opts o = wire_opts(m);
    struct wire_packet p = { 0 };
    um_err err = m->has_opts ? wire_read_packet(m->packet, &p) : UM_EPROTO;
    struct reply *r = err == UM_OK ? reply_new(n, ASK_BROADCAST, m) : NULL;

    if (err != UM_OK)
        cluster_refuse(n, err, "broadcast with acknowledgements");
    if (r != NULL)
        um_sio_local_broadcast_ack(n->c->sio, n->name, p.event, &o, &(struct um_sio_ack_sink){
            .loop = n->c->loop, .clients = sink_clients, .ack = sink_ack, .done = sink_done, .arg = r });
    um_sio_data_unref(p.event);
}

/* --- who is to go where ------------------------------------------------------------------------------------------------------ */

/* `sid` and `room` instead of `opts` and `rooms`: one socket, as old emitters say it. */
struct whom {
    struct um_sio_opts o;
    const struct um_span *rooms;
    size_t n_rooms;
};
static um_err read_whom(const struct wire_msg *m, bool with_rooms, struct whom *w)
{
    bool old = !m->has_opts && m->sid.len > 0;

    *w = (struct whom){ .o = wire_opts(m), .rooms = m->rooms.items, .n_rooms = m->rooms.n };
    if (!m->has_opts && !old)
        return UM_EPROTO;
    if (old) {
        w->o.rooms = &m->sid;
        w->o.n_rooms = 1;
        w->rooms = &m->room;
        w->n_rooms = m->room.len > 0;
    }
    if (with_rooms && w->n_rooms == 0)
        return UM_EPROTO;
    return with_rooms && w->n_rooms > WIRE_MAX_JOIN ? UM_ELIMIT : UM_OK;
}

static void hear_change(struct nsp *n, enum verb v, const struct wire_msg *m)
{
    struct um_sio *s = n->c->sio;
    struct whom w;
    um_err err = read_whom(m, v != SAY_DISCONNECT, &w);

    if (err != UM_OK) {
        cluster_refuse(n, err, "change of sockets");
        return;
    }
    cluster_count(C_HEARD, 1);
    if (v == SAY_JOIN)
        um_sio_local_join(s, n->name, &w.o, w.rooms, w.n_rooms);
    else if (v == SAY_LEAVE)
        um_sio_local_leave(s, n->name, &w.o, w.rooms, w.n_rooms);
    else
        um_sio_local_disconnect(s, n->name, &w.o, m->close);
}

/* --- server-side events -------------------------------------------------------------------------------------------------------- */

static void hear_server_emit(struct nsp *n, enum verb v, const struct wire_msg *m, struct um_span raw)
{
    struct um_sio_data *event = NULL;
    um_err err = raw.data != NULL ? wire_read_event(raw, &event) : UM_EPROTO;
    struct reply *r = err == UM_OK && v == ASK_SERVER_EMIT ? reply_new(n, v, m) : NULL;

    if (err != UM_OK) {
        cluster_refuse(n, err, "server-side event");
    } else if (r != NULL || v == SAY_SERVER_EMIT) {
        cluster_count(C_HEARD, r == NULL);
        um_sio_local_server_emit(n->c->sio, n->name, event, n->c->loop, r != NULL ? give_value : NULL, r);
    }
    um_sio_data_unref(event);
}

/* --- all ------------------------------------------------------------------------------------------------------------------------- */

static void hear_ask(struct nsp *n, enum verb v, const struct wire_msg *m)
{
    struct um_sio_opts o = wire_opts(m);
    struct reply *r;

    if (v == ASK_FETCH && !m->has_opts) {
        cluster_refuse(n, UM_EPROTO, "request without opts");
        return;
    }
    if (v == ASK_SOCKETS) {
        o.rooms = m->rooms.items;
        o.n_rooms = m->rooms.n;
    }
    if ((r = reply_new(n, v, m)) == NULL)
        return;
    if (v == ASK_ROOMS)
        um_sio_local_rooms(n->c->sio, n->name, &o, n->c->loop, give_values, r);
    else
        um_sio_local_fetch(n->c->sio, n->name, &o, n->c->loop, v == ASK_SOCKETS ? give_ids : give_values, r);
}

void hear(struct nsp *n, enum verb v, const struct wire_msg *m, struct um_span offset)
{
    /* The classic adapter has a server-side event in `data`, the others in `packet`, where `data` is all of the message. */
    struct um_span event = m->packet.data != NULL ? m->packet : m->data;

    switch (v) {
    case SAY_BROADCAST: hear_broadcast(n, m, offset); break;
    case ASK_BROADCAST: hear_ask_broadcast(n, m); break;
    case SAY_JOIN: case SAY_LEAVE: case SAY_DISCONNECT: hear_change(n, v, m); break;
    case SAY_SERVER_EMIT: case ASK_SERVER_EMIT: hear_server_emit(n, v, m, event); break;
    default: hear_ask(n, v, m); break;
    }
}

void hear_end_all(struct sio_cluster *c)
{
    while (!um_list_is_empty(&c->replies))
        reply_free(UM_CONTAINER(c->replies.next, struct reply, link));
}
