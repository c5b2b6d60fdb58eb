/* Questions to the other nodes. How many are to answer is counted by Redis (the subscribers of the channel that all have), in the same
 * turn in which the question leaves; answers may come before that number. A question ends when all have answered, or by its time; then
 * who asked is told what has come, how much is missing, and, as far as they are known by name, which nodes were silent. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "cluster.h"

struct ask {
    struct nsp *n;
    struct um_sio_gather *gather;
    enum verb verb;
    bool is_counted;
    int64_t others, answered;         /* nodes */
    int64_t clients, acks;            /* of a broadcast */
    struct um_map named;              /* ids of those who have answered */
    struct um_timer timer;
    char id[WIRE_CLUSTER_ID + 1];
};
struct peer {                         /* a node that says its name when it answers */
    char id[CLUSTER_MAX_ID + 1];
};

/* --- who was silent -------------------------------------------------------------------------------------------------- */

static void note_peer(struct ask *a, struct um_span uid)
{
    struct nsp *n = a->n;
    struct peer *p;

    if (uid.data == NULL || uid.len == 0 || uid.len > CLUSTER_MAX_ID)
        return;
    p = um_map_get(&n->peers, uid);
    if (p == NULL) {
        if (n->peers.n >= CLUSTER_MAX_PEERS)
            return;
        p = um_xcalloc(1, sizeof(*p));
        memcpy(p->id, uid.data, uid.len);
        um_map_put(&n->peers, uid, p);
    }
    if (a->named.n < CLUSTER_MAX_PEERS)
        um_map_put(&a->named, uid, a);              /* a mark */
}

/* The first of those who did not answer; NULL when there is none. */
static struct peer *silent_one(const struct ask *a, size_t *pos)
{
    struct um_span id;
    void *p;

    while (um_map_next(&a->n->peers, pos, &id, &p))
        if (um_map_get(&a->named, id) == NULL)
            return p;
    return NULL;
}

/* All answered: who is known and did not is no more. */
static void forget_silent(const struct ask *a)
{
    struct peer *p;
    size_t pos = 0;

    while ((p = silent_one(a, &pos)) != NULL) {
        um_map_remove(&a->n->peers, UM_SPAN_STR(p->id));
        free(p);
        pos = 0;
    }
}

static void list_silent(const struct ask *a, struct um_buf *out)
{
    struct peer *p;
    size_t pos = 0;

    while ((p = silent_one(a, &pos)) != NULL)
        um_buf_printf(out, "%s%s", out->len > 0 ? ", " : "", p->id);
}

/* --- the end ------------------------------------------------------------------------------------------------------------ */

static void ask_end(struct ask *a)
{
    struct sio_cluster *c = a->n->c;
    int64_t nodes = a->is_counted ? UM_MAX(a->others - a->answered, 0) : a->answered > 0 ? 0 : 1, missing = nodes + UM_MAX(a->clients - a->acks, 0);
    struct um_buf silent = { 0 };

    um_map_remove(&c->asks, UM_SPAN_STR(a->id));
    um_timer_stop(c->loop, &a->timer);
    if (nodes > 0)
        list_silent(a, &silent);
    else
        forget_silent(a);
    if (missing > 0) {
        cluster_count(C_SILENT, missing);
        um_log_limited(UM_WARN, "sio.cluster", "answers did not come", UM_S("namespace", a->n->name), UM_I("missing", missing),
                       UM_S("silent", um_buf_cstr(&silent)));
    }
    um_sio_gather_done(a->gather, (unsigned)UM_MIN(missing, INT32_MAX), silent.len > 0 ? um_buf_cstr(&silent) : NULL);
    um_buf_free(&silent);
    um_map_free(&a->named);
    cluster_count(C_ASKS, -1);
    c->n_asks--;
    free(a);
}

static void look(struct ask *a)
{
    if (a->is_counted && a->answered >= a->others && a->acks >= a->clients)
        ask_end(a);
}

static void too_late(void *arg) { ask_end(arg); }

/* --- the beginning -------------------------------------------------------------------------------------------------------- */

struct number {                       /* the question may have ended before the number comes */
    struct sio_cluster *c;
    char id[WIRE_CLUSTER_ID + 1];
};

static void take_number(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct number *number = arg;
    struct ask *a = um_map_get(&number->c->asks, UM_SPAN_STR(number->id));
    int64_t n = cluster_read_count(err, reply);

    free(number);
    if (a == NULL)
        return;
    if (n < 0) {
        ask_end(a);                                 /* Redis is away: nobody will answer */
        return;
    }
    a->is_counted = true;
    a->others = UM_MAX(n - (a->n->live > 0), 0);    /* we are one of them */
    look(a);
}

static void count_nodes(struct ask *a)
{
    struct number *number = um_xcalloc(1, sizeof(*number));

    number->c = a->n->c;
    memcpy(number->id, a->id, sizeof(number->id));
    a->n->c->dialect->count(a->n, take_number, number);
}

void ask_begin(struct nsp *n, const struct order *o)
{
    struct sio_cluster *c = n->c;
    struct ask *a;

    if (c->n_asks >= CLUSTER_MAX_ASKS || !um_redis_link_is_ready(c->link)) {
        cluster_count(c->n_asks >= CLUSTER_MAX_ASKS ? C_BUSY : C_UNSAID, 1);
        um_sio_gather_done(o->gather, 1, NULL);
        return;
    }
    a = um_xcalloc(1, sizeof(*a));
    a->n = n;
    a->gather = o->gather;
    a->verb = o->verb;
    wire_id(a->id, c->dialect->id_len);
    um_map_put(&c->asks, UM_SPAN_STR(a->id), a);
    c->n_asks++;
    cluster_count(C_ASKS, 1);
    um_timer_set(c->loop, &a->timer, o->opts.timeout_ms > 0 ? o->opts.timeout_ms : c->conf->requests_timeout_ms, too_late, a);
    count_nodes(a);
    c->dialect->say(n, o, a->id);
}

/* --- answers ------------------------------------------------------------------------------------------------------------------ */

static struct ask *find(const struct sio_cluster *c, struct um_span id)
{
    return id.data != NULL && c->n_asks > 0 ? um_map_get(&c->asks, id) : NULL;
}

bool ask_is_own(const struct sio_cluster *c, struct um_span id) { return find(c, id) != NULL; }

static void take_value(struct ask *a, struct um_span raw)
{
    struct um_sio_data *value = NULL;
    um_err err = raw.data != NULL ? wire_read_value(raw, &value) : UM_OK;

    if (err != UM_OK) {
        cluster_refuse(a->n, err, "value of an answer");
        return;
    }
    if (value == NULL)
        value = um_sio_data_text("null");
    if (value != NULL)
        um_sio_gather_answer(a->gather, value);
    um_sio_data_unref(value);
}

/* Each item of the array RAW. */
static void take_values(struct ask *a, struct um_span raw)
{
    struct um_reader r = um_reader(raw);
    struct um_span item;
    struct mp_token t;

    if (!mp_next(&r, &t) || t.kind != MP_ARRAY) {
        cluster_refuse(a->n, UM_EPROTO, "values of an answer");
        return;
    }
    while (t.n-- > 0 && mp_value(&r, &item))
        take_value(a, item);
}

static void give_name(struct ask *a, struct um_span name)
{
    struct um_buf text = { 0 };
    struct um_sio_data *value;

    um_buf_put_u8(&text, '"');
    um_json_escape(&text, name);
    um_buf_put_u8(&text, '"');
    value = um_sio_data_text(um_buf_cstr(&text));
    um_buf_free(&text);
    if (value != NULL)
        um_sio_gather_answer(a->gather, value);
    um_sio_data_unref(value);
}

/* Those in the `rooms` of each of the sockets RAW, once. */
static void take_rooms_of_sockets(struct ask *a, struct um_span raw)
{
    struct um_reader r = um_reader(raw), rooms;
    struct mp_token t, list, name;
    struct um_map seen = { 0 };
    struct um_span socket;

    for (bool ok = mp_next(&r, &t) && t.kind == MP_ARRAY; ok && t.n > 0 && mp_value(&r, &socket); t.n--) {
        if (!mp_find(um_reader(socket), "rooms", &rooms) || !mp_next(&rooms, &list) || list.kind != MP_ARRAY)
            continue;
        for (uint32_t i = 0; i < list.n && mp_next(&rooms, &name) && name.kind == MP_STR; i++)
            if (um_map_put(&seen, name.bytes, a) == NULL)
                give_name(a, name.bytes);
    }
    um_map_free(&seen);
}

static void take_rooms(struct ask *a, const struct wire_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        give_name(a, names->items[i]);
}

void ask_take(struct nsp *n, struct um_span request_id, struct um_span uid, enum answer kind, const struct wire_msg *m, struct um_span raw)
{
    struct ask *a = find(n->c, request_id);

    if (a == NULL || a->n != n)
        return;
    note_peer(a, uid);
    a->answered += kind != ANSWER_ACK;
    switch (kind) {
    case ANSWER_VALUES:
        if (a->verb == ASK_ROOMS && m->has_rooms)
            take_rooms(a, &m->rooms);
        else if (a->verb == ASK_ROOMS)
            take_rooms_of_sockets(a, raw);
        else
            take_values(a, raw);
        break;
    case ANSWER_CLIENTS: a->clients += UM_MAX(m->client_count, 0); break;
    case ANSWER_ACK: a->acks++; take_value(a, raw); break;
    case ANSWER_VALUE: take_value(a, raw); break;
    }
    look(a);
}

void ask_end_all(struct sio_cluster *c)
{
    struct um_span key;
    size_t pos = 0;
    void *a;

    while (um_map_next(&c->asks, &pos, &key, &a)) {
        ask_end(a);
        pos = 0;
    }
}
