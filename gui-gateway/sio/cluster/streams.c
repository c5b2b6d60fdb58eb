/* The streams adapter (@socket.io/redis-streams-adapter 0.3).
 *
 *   XADD <stream> MAXLEN ~ n * uid nsp type data      what lasts: broadcasts, joins, leaves, disconnects
 *   XREAD COUNT n BLOCK ms STREAMS ...                from the end as it was when we began; on a link of its own
 *   SUBSCRIBE <key>#<nsp>#, <key>#<nsp>#<uid>#        questions and answers, always MessagePack
 *
 * With several streams a namespace has one by its hash, whose remainder may be negative: Node writes such streams and never reads
 * them; they are read here. With recovery the id of an entry is the offset of its event, so an event is given to the clients here when
 * Redis has said its id, or without one after OFFSET_WAIT_MS: then who loses his connection just now may get it twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "streams.h"

enum { BLOCK_MAX_MS = 1000, AGAIN_MS = 200, OFFSET_WAIT_MS = 250 };

static struct streams *own(const struct sio_cluster *c) { return c->own; }

/* --- names ------------------------------------------------------------------------------------------------------------ */

static void make_streams(struct streams *s)
{
    const struct um_sio_cluster_conf *cf = s->c->conf;
    int n = (int)cf->stream_count;

    s->n = n == 1 ? 1 : (size_t)(2 * n - 1);
    s->list = um_xcalloc(s->n, sizeof(*s->list));
    for (size_t i = 0; i < s->n; i++)
        s->list[i].name = n == 1 ? um_xstrdup(cf->stream_name) : um_xasprintf("%s-%d", cf->stream_name, (int)i - (n - 1));
}

struct stream *streams_of(const struct nsp *n)
{
    struct streams *s = own(n->c);
    int count = (int)n->c->conf->stream_count;

    return &s->list[count == 1 ? 0 : wire_stream_index(UM_SPAN_STR(n->name), count) + count - 1];
}

bool streams_is_id(struct um_span text)
{
    size_t dash = 0;

    if (text.len >= STREAM_ID)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '-' && dash == 0 && i > 0)
            dash = i;
        else if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    }
    return dash > 0 && dash + 1 < text.len;
}

static void note_id(char out[STREAM_ID], struct um_span id)
{
    if (streams_is_id(id))
        snprintf(out, STREAM_ID, "%.*s", (int)id.len, (const char *)id.data);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

struct um_span streams_field(const struct um_redis_reply *fields, const char *name)
{
    struct um_span none = { 0 };

    for (size_t i = 0; fields->kind == UM_REDIS_ARRAY && i + 1 < fields->n; i += 2)
        if (um_span_eq(um_redis_item(fields, i), UM_SPAN_STR(name)))
            return um_redis_item(fields, i + 1);
    return none;
}

static int type_of(struct um_span text)
{
    int v = 0;

    if (text.len == 0 || text.len > 3)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return -1;
        v = v * 10 + text.data[i] - '0';
    }
    return v;
}

static void take_entry(struct sio_cluster *c, struct um_span id, const struct um_redis_reply *fields)
{
    struct nsp *n = um_map_get(&c->nsps, streams_field(fields, "nsp"));
    struct um_span uid = streams_field(fields, "uid");
    struct wire_msg m;
    enum verb v;
    um_err err;

    if (n == NULL || um_span_eq(uid, UM_SPAN_STR(n->uid)))
        return;
    if ((err = wire_read_entry(streams_field(fields, "data"), &m)) != UM_OK) {
        cluster_refuse(n, err, "entry");
        return;
    }
    m.type = type_of(streams_field(fields, "type"));
    m.uid = uid;
    v = members_verb(&m);
    if (v != VERB_N && !verb_asks(v))
        hear(n, v, &m, id);
    wire_clear(&m);
}

/* [name, [[id, [field, value, ...]], ...]] */
static void take_stream(struct streams *s, const struct um_redis_reply *r)
{
    struct um_span name = um_redis_item(r, 0);
    const struct um_redis_reply *list = r->kind == UM_REDIS_ARRAY && r->n == 2 ? r->items[1] : NULL;
    struct stream *st = NULL;

    for (size_t i = 0; i < s->n; i++)
        if (um_span_eq(name, UM_SPAN_STR(s->list[i].name)))
            st = &s->list[i];
    for (size_t i = 0; st != NULL && list != NULL && list->kind == UM_REDIS_ARRAY && i < list->n; i++) {
        const struct um_redis_reply *e = list->items[i];
        if (e->kind != UM_REDIS_ARRAY || e->n != 2)
            continue;
        note_id(st->last, um_redis_item(e, 0));
        take_entry(s->c, um_redis_item(e, 0), e->items[1]);
    }
}

static void go_on(void *arg);

static void take_read(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct streams *s = arg;

    if (s->ending)
        return;
    for (size_t i = 0; err == UM_OK && reply->kind == UM_REDIS_ARRAY && i < reply->n; i++)
        take_stream(s, reply->items[i]);
    um_timer_set(s->c->loop, &s->again, err == UM_OK ? 0 : AGAIN_MS, go_on, s);
}

static void read_more(struct streams *s)
{
    const struct um_sio_cluster_conf *cf = s->c->conf;
    size_t n = 0, argc = 6 + 2 * s->n;
    struct um_span *argv = um_xcalloc(argc, sizeof(*argv));
    char count[24], block[24];

    snprintf(count, sizeof(count), "%d", (int)cf->read_count);
    snprintf(block, sizeof(block), "%d", (int)UM_MIN(um_redis_get_conf(s->c->redis)->timeout_ms / 2, BLOCK_MAX_MS));
    for (const char *const *w = (const char *const[]){ "XREAD", "COUNT", count, "BLOCK", block, "STREAMS", NULL }; *w != NULL; w++)
        argv[n++] = UM_SPAN_STR(*w);
    for (size_t i = 0; i < s->n; i++) {
        argv[n + i] = UM_SPAN_STR(s->list[i].name);
        argv[n + s->n + i] = UM_SPAN_STR(s->list[i].last);
    }
    um_redis_command(s->reader, NULL, argv, argc, take_read, s);
    free(argv);
}

/* The newest entry of a stream, or its beginning when it is empty; whoever is behind it after a restart of Redis starts there again. */
struct looking { struct streams *s; size_t i; };

static void take_end(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct looking *l = arg;
    struct streams *s = l->s;
    struct stream *st = &s->list[l->i];

    free(l);
    if (s->ending)
        return;
    if (err == UM_OK && reply->kind == UM_REDIS_ARRAY) {
        snprintf(st->last, sizeof(st->last), "0-0");
        if (reply->n == 1)
            note_id(st->last, um_redis_item(reply->items[0], 0));
    }
    um_timer_set(s->c->loop, &s->again, err == UM_OK ? 0 : AGAIN_MS, go_on, s);
}

static void find_end(struct streams *s, size_t i)
{
    struct looking *l = um_xcalloc(1, sizeof(*l));

    *l = (struct looking){ s, i };
    um_redis_command(s->reader, NULL, (struct um_span[]){ UM_SPAN_STR("XREVRANGE"), UM_SPAN_STR(s->list[i].name), UM_SPAN("+", 1), UM_SPAN("-", 1),
                     UM_SPAN_STR("COUNT"), UM_SPAN("1", 1) }, 6, take_end, l);
}

static void go_on(void *arg)
{
    struct streams *s = arg;

    for (size_t i = 0; i < s->n; i++)
        if (s->list[i].last[0] == '\0') {
            find_end(s, i);
            return;
        }
    read_more(s);
}

/* Another Redis, or the same after a restart: its ids may begin anew. */
static void on_epoch(void *arg, uint64_t epoch)
{
    struct streams *s = arg;

    for (size_t i = 0; epoch > 1 && i < s->n; i++)
        s->list[i].last[0] = '\0';
}

/* --- the dialect ------------------------------------------------------------------------------------------------------------ */

static void open_nsp(struct nsp *n)
{
    struct um_buf name = { 0 };

    n->subs[0] = um_redis_subscribe(n->c->link, members_channel(&name, n, MEMBERS_ALL), false, &members_of_all, n);
    n->subs[1] = um_redis_subscribe(n->c->link, members_channel(&name, n, UM_SPAN_STR(n->uid)), false, &members_of_some, n);
    um_buf_free(&name);
}

static void count_nodes(struct nsp *n, um_redis_cb *cb, void *arg)
{
    struct um_buf name = { 0 };

    um_redis_command(n->c->link, NULL, (struct um_span[]){ UM_SPAN_STR("PUBSUB"), UM_SPAN_STR("NUMSUB"), members_channel(&name, n, MEMBERS_ALL) }, 3,
                     cb, arg);
    um_buf_free(&name);
}

static void add_entry(struct nsp *n, const struct wire_say *s, struct um_span data, const struct um_redis_opts *opts, um_redis_cb *cb, void *arg)
{
    char length[24], type[8];

    snprintf(length, sizeof(length), "%lld", (long long)n->c->conf->stream_length);
    snprintf(type, sizeof(type), "%d", s->type);
    cluster_count(C_SAID, 1);
    um_redis_command(n->c->link, opts, (struct um_span[]){ UM_SPAN_STR("XADD"), UM_SPAN_STR(streams_of(n)->name), UM_SPAN_STR("MAXLEN"), UM_SPAN("~", 1),
        UM_SPAN_STR(length), UM_SPAN("*", 1), UM_SPAN_STR("uid"), UM_SPAN_STR(n->uid), UM_SPAN_STR("nsp"), UM_SPAN_STR(n->name), UM_SPAN_STR("type"),
        UM_SPAN_STR(type), UM_SPAN_STR("data"), data }, 14, cb, arg);
}

static void say_lasting(struct nsp *n, const struct wire_say *s)
{
    static const struct um_redis_opts unanswered = { .flags = UM_REDIS_NO_ANSWER };
    struct um_buf data = { 0 };
    um_err err = wire_put_entry(&data, s);

    if (err != UM_OK)
        cluster_refuse(n, err, "sent");
    else if (!um_redis_link_is_ready(n->c->link))
        cluster_count(C_UNSAID, 1);
    else
        add_entry(n, s, UM_SPAN(data.data, data.len), &unanswered, NULL, NULL);
    um_buf_free(&data);
}

static void say(struct nsp *n, const struct order *o, const char *request_id)
{
    struct wire_say s = order_say(n, o, members_type(o->verb), request_id);
    struct um_buf name = { 0 }, out = { 0 };
    um_err err;

    if (!verb_asks(o->verb) && o->verb != SAY_SERVER_EMIT) {
        if (o->verb != SAY_BROADCAST || !o->is_stamped)
            say_lasting(n, &s);
        return;
    }
    if ((err = wire_put_cluster(&out, &s, WIRE_MSGPACK)) == UM_OK)
        cluster_publish(n->c, "PUBLISH", members_channel(&name, n, MEMBERS_ALL), UM_SPAN(out.data, out.len));
    else
        cluster_refuse(n, err, "sent");
    um_buf_free(&name);
    um_buf_free(&out);
}

static void answer(struct reply *r, const struct wire_say *what)
{
    struct um_buf name = { 0 }, out = { 0 };

    if (members_answer(r, what, WIRE_MSGPACK, &name, &out))
        cluster_publish(r->n->c, "PUBLISH", UM_SPAN(name.data, name.len), UM_SPAN(out.data, out.len));
    um_buf_free(&name);
    um_buf_free(&out);
}

/* --- events with an offset ------------------------------------------------------------------------------------------------------ */

static void deliver(struct order *o, struct um_span offset)
{
    o->opts.offset = offset;
    if (!own(o->c)->ending)
        um_sio_local_broadcast(o->c->sio, o->nsp, o->event, &o->opts);
}

static void take_id(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct order *o = arg;
    struct um_span none = { 0 };

    deliver(o, err == UM_OK && streams_is_id(reply->text) ? reply->text : none);
    order_free(o);
}

void streams_run_stamp(struct order *o)
{
    static const struct um_redis_opts soon = { .flags = UM_REDIS_NO_WAIT, .deadline_ms = OFFSET_WAIT_MS };
    struct nsp *n = um_map_get(&o->c->nsps, UM_SPAN_STR(o->nsp));
    struct wire_say s = n != NULL ? order_say(n, o, CLUSTER_BROADCAST, NULL) : (struct wire_say){ 0 };
    struct um_span none = { 0 };
    struct um_buf data = { 0 };

    if (n == NULL || (o->opts.flags & UM_SIO_LOCAL) || wire_put_entry(&data, &s) != UM_OK || !um_redis_link_is_ready(o->c->link)) {
        cluster_count(C_UNSAID, !(o->opts.flags & UM_SIO_LOCAL));
        deliver(o, none);
    } else {
        o->is_kept = true;
        add_entry(n, &s, UM_SPAN(data.data, data.len), &soon, take_id, o);
    }
    um_buf_free(&data);
}

/* --- life -------------------------------------------------------------------------------------------------------------------------- */

static void start(struct sio_cluster *c)
{
    static const struct um_redis_link_handler watch = { .on_epoch = on_epoch };
    struct streams *s = c->own = um_xcalloc(1, sizeof(*s));

    s->c = c;
    make_streams(s);
    s->reader = um_redis_link_new(c->redis, c->loop, "sio-read", &watch, s);
    go_on(s);
}

/* The links are told first, so that what still comes back finds us. */
static void begin_end(struct sio_cluster *c)
{
    own(c)->ending = true;
    um_timer_stop(c->loop, &own(c)->again);
    um_redis_link_free(own(c)->reader);
}

static void end(struct sio_cluster *c)
{
    struct streams *s = own(c);
    struct um_span key;
    size_t pos = 0;
    void *value;

    for (size_t i = 0; i < s->n; i++)
        free(s->list[i].name);
    while (um_map_next(&s->since, &pos, &key, &value))
        free(value);
    um_map_free(&s->since);
    free(s->list);
    free(s);
}

const struct dialect dialect_streams = {
    .name = "streams", .id_len = WIRE_CLUSTER_ID, .open = open_nsp, .say = say, .count = count_nodes, .answer = answer,
    .start = start, .begin_end = begin_end, .end = end,
};
