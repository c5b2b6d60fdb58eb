/* The native bus with Redis Streams (collab.cluster.transport=streams; docs/decisions/0005).
 *
 *   <ns>:collab:stream:<0..3>    entries with one field, m: an UPDATE (bus_wire.h). A document's stream follows from its name
 *
 * Every hub reads, with XREAD BLOCK on a connection of its own, the streams that have documents of its; from the beginning when it
 * starts and after each change of the master: that is the tail. All other messages go by channels, as without streams.
 *
 *   CATCHING UP --less than a whole answer--> LIVE --link lost, another master--> CATCHING UP
 *
 * Entries may vanish at any moment, by XTRIM of another core, MAXLEN, FLUSHALL, a failover: numbers, state vectors and the store find
 * what was missed, as they do without streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "bus_port.h"
#include "bus_tail.h"
#include "counters.h"

#define MAX_LEN       "100000"               /* entries of a stream, about; the store is away for long when it comes to that */
#define READ_COUNT    500
#define BLOCK_MAX_MS  500                    /* and a quarter of spring.data.redis.timeout: ROLE waits behind a read */
#define CLOCK_MS      1000
#define RETRY_MS      100
#define PAUSE_MS      20                     /* between two reads when nobody waits for them: several entries in one */
#define ORPHAN_MS     4000                   /* its core has died, or the store is away */
#define LOOK_TURNS    10                     /* of the clock between two looks at where the streams begin */

struct stream {
    struct um_buf key;
    bool is_read;
    struct tail_id last;                     /* read up to here */
};

struct streams_port {
    struct bus_port base;
    struct bus_port *channels;
    struct um_redis_link *link;              /* for blocking reads alone */
    struct um_loop *loop;
    const struct bus_port_handler *h;
    void *arg;
    struct tail tail;
    struct stream stream[TAIL_STREAMS];
    struct um_timer clock, again;
    int64_t block_ms;
    unsigned turns;
    bool is_reading, is_caught_up;
};

static struct streams_port *of(const struct bus_port *p) { return UM_CONTAINER(p, struct streams_port, base); }
static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

/* ---- speaking ---- */

static void streams_publish(struct bus_port *base, uint64_t to, struct um_span message, void (*done)(void *arg, um_err err, int64_t receivers), void *arg)
{
    of(base)->channels->ops->publish(of(base)->channels, to, message, done, arg);
}

static void streams_append(struct bus_port *base, struct um_span document, struct um_span message)
{
    static const struct um_redis_opts unanswered = { .flags = UM_REDIS_NO_ANSWER };
    struct streams_port *p = of(base);
    struct um_span argv[] = { UM_SPAN_STR("XADD"), span_of(&p->stream[tail_stream_of(document)].key), UM_SPAN_STR("MAXLEN"), UM_SPAN_STR("~"),
                              UM_SPAN_STR(MAX_LEN), UM_SPAN_STR("*"), UM_SPAN_STR("m"), message };

    um_redis_command(bus_port_redis_link(p->channels), &unanswered, argv, UM_COUNT(argv), NULL, NULL);
}

static bool streams_replay(struct bus_port *base, struct um_span document, tail_replay_fn *fn, void *arg)
{
    struct streams_port *p = of(base);

    count(C_BUS_RECOVERED, (int64_t)tail_replay(&p->tail, document, fn, arg));
    return p->is_caught_up && !p->tail.has_holes;
}

/* ---- hearing: channels ---- */

static void heard(void *arg, struct um_span message)
{
    struct streams_port *p = arg;

    tail_hear(&p->tail, message);
    p->h->on_message(p->arg, message);
}

static bool streams_is_live(const struct bus_port *p)
{
    return of(p)->is_caught_up && of(p)->channels->ops->is_live(of(p)->channels);
}

static void channels_live(void *arg)
{
    struct streams_port *p = arg;

    if (streams_is_live(&p->base))
        p->h->on_live(p->arg);
}
static const struct bus_port_handler ears = { .on_message = heard, .on_live = channels_live };

/* ---- hearing: streams ---- */

static void read_on(void *arg);
static void look_at_first(struct streams_port *p, unsigned i);

/* [id, [field, value]] */
static void take_entry(struct streams_port *p, unsigned i, const struct um_redis_reply *e)
{
    struct stream *s = &p->stream[i];
    struct um_span message = { 0 };
    struct tail_id id;

    if (e->kind != UM_REDIS_ARRAY || e->n < 2 || !tail_id_read(um_redis_item(e, 0), &id))
        return;
    s->last = id;
    if (e->items[1]->kind == UM_REDIS_ARRAY)
        message = um_redis_item(e->items[1], 1);
    if (message.data == NULL)
        return;
    count(C_BUS_STREAM_READ, 1);
    tail_hear(&p->tail, message);
    if (tail_add(&p->tail, i, id, message, um_loop_now_ms(p->loop)))
        p->h->on_message(p->arg, message);
}

static struct stream *find(struct streams_port *p, struct um_span key, unsigned *i)
{
    for (*i = 0; *i < TAIL_STREAMS; ++*i)
        if (um_span_eq(span_of(&p->stream[*i].key), key))
            return &p->stream[*i];
    return NULL;
}

/* [[key, [entry, ...]], ...]; true: there may be more already. */
static bool take_streams(struct streams_port *p, const struct um_redis_reply *reply)
{
    bool more = false;
    unsigned i;

    for (size_t k = 0; reply->kind == UM_REDIS_ARRAY && k < reply->n; k++) {
        const struct um_redis_reply *r = reply->items[k];
        if (r->kind != UM_REDIS_ARRAY || r->n < 2 || r->items[1]->kind != UM_REDIS_ARRAY || find(p, um_redis_item(r, 0), &i) == NULL)
            continue;
        for (size_t n = 0; n < r->items[1]->n; n++)
            take_entry(p, i, r->items[1]->items[n]);
        more |= r->items[1]->n == READ_COUNT;
    }
    return more;
}

static void have_read(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct streams_port *p = arg;
    bool was_live = streams_is_live(&p->base);

    p->is_reading = false;
    for (unsigned i = 0; err == UM_ECORRUPT && i < TAIL_STREAMS; i++)
        look_at_first(p, i);                 /* one of them is no stream */
    if (err != UM_OK) {
        um_timer_set(p->loop, &p->again, RETRY_MS, read_on, p);
        return;
    }
    if (!take_streams(p, reply))
        p->is_caught_up = true;
    if (p->is_caught_up && p->h->hurries != NULL && !p->h->hurries(p->arg))
        um_timer_set(p->loop, &p->again, PAUSE_MS, read_on, p);
    else
        read_on(p);
    if (!was_live)
        channels_live(p);
}

/* While catching up it does not wait for news. */
static void read_on(void *arg)
{
    struct streams_port *p = arg;
    struct um_span argv[6 + 2 * TAIL_STREAMS];
    char block[24], ids[TAIL_STREAMS][TAIL_ID_SIZE];
    size_t n = 0, n_read = 0;

    if (p->is_reading || !um_redis_link_is_ready(p->link))
        return;
    snprintf(block, sizeof(block), "%lld", (long long)p->block_ms);
    argv[n++] = UM_SPAN_STR("XREAD");
    argv[n++] = UM_SPAN_STR("COUNT");
    argv[n++] = UM_SPAN_STR("500");
    if (p->is_caught_up) {
        argv[n++] = UM_SPAN_STR("BLOCK");
        argv[n++] = UM_SPAN_STR(block);
    }
    argv[n++] = UM_SPAN_STR("STREAMS");
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        if (p->stream[i].is_read)
            argv[n + n_read++] = span_of(&p->stream[i].key);
    n += n_read;
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        if (p->stream[i].is_read) {
            tail_id_write(p->stream[i].last, ids[i]);
            argv[n++] = UM_SPAN_STR(ids[i]);
        }
    p->is_reading = true;
    um_redis_command(p->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT | UM_REDIS_BLOCKING, 0 }, argv, n, have_read, p);
}

static void from_the_beginning(struct streams_port *p)
{
    p->is_caught_up = false;
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        p->stream[i].last = (struct tail_id){ 0, 0 };
}

static void new_epoch(void *arg, uint64_t epoch)
{
    (void)epoch;
    from_the_beginning(arg);                 /* another history: positions of the old one mean nothing */
}

static void ready(void *arg, bool is_ready)
{
    struct streams_port *p = arg;

    p->is_reading = false;
    if (is_ready)
        read_on(p);
    else
        p->is_caught_up = false;
}
static const struct um_redis_link_handler watch = { new_epoch, ready };

/* ---- cutting ---- */

static void command(struct streams_port *p, const struct um_span *argv, size_t n, um_redis_cb *cb, void *arg)
{
    um_redis_command(bus_port_redis_link(p->channels), &(struct um_redis_opts){ UM_REDIS_NO_WAIT | UM_REDIS_IDEMPOTENT, 0 }, argv, n, cb, arg);
}

static void trim(struct streams_port *p, unsigned i)
{
    char id[TAIL_ID_SIZE];
    struct tail_id upto;

    if (!tail_trim(&p->tail, i, um_loop_now_ms(p->loop), &upto))
        return;
    tail_id_write(upto, id);
    command(p, (struct um_span[]){ UM_SPAN_STR("XTRIM"), span_of(&p->stream[i].key), UM_SPAN_STR("MINID"), UM_SPAN_STR(id) }, 4, NULL, NULL);
    count(C_BUS_TRIMS, 1);
}

static bool is_stored(void *arg, struct um_span document, uint64_t origin)
{
    struct streams_port *p = arg;

    return p->h->on_orphan != NULL && p->h->on_orphan(p->arg, document, origin);
}

static void remove_entry(void *arg, unsigned stream, struct tail_id id)
{
    struct streams_port *p = arg;
    char text[TAIL_ID_SIZE];

    tail_id_write(id, text);
    command(p, (struct um_span[]){ UM_SPAN_STR("XDEL"), span_of(&p->stream[stream].key), UM_SPAN_STR(text) }, 3, NULL, NULL);
}

struct looked { struct streams_port *port; unsigned stream; };

/* [[id, [...]]]: the first that is there. Others have cut what they knew to be stored, and so may we. */
static void saw_first(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct looked *k = arg;
    struct tail_id first;

    if (err == UM_ECORRUPT)
        um_redis_quarantine(bus_port_redis_link(k->port->channels), span_of(&k->port->stream[k->stream].key));
    if (err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n > 0 && tail_id_read(um_redis_item(reply->items[0], 0), &first))
        tail_forget(&k->port->tail, k->stream, first);
    free(k);
}

static void look_at_first(struct streams_port *p, unsigned i)
{
    struct looked *k = um_xmalloc(sizeof(*k));

    *k = (struct looked){ p, i };
    command(p, (struct um_span[]){ UM_SPAN_STR("XRANGE"), span_of(&p->stream[i].key), UM_SPAN_STR("-"), UM_SPAN_STR("+"), UM_SPAN_STR("COUNT"), UM_SPAN_STR("1") }, 6, saw_first, k);
}

static void tick(void *arg)
{
    struct streams_port *p = arg;

    um_timer_set(p->loop, &p->clock, um_loop_next_ms(p->loop, CLOCK_MS), tick, p);
    read_on(p);
    if (!streams_is_live(&p->base))
        return;
    tail_orphans(&p->tail, um_loop_now_ms(p->loop), ORPHAN_MS, is_stored, remove_entry, p);
    for (unsigned i = 0; i < TAIL_STREAMS; i++) {
        trim(p, i);
        if (p->turns % LOOK_TURNS == 0 && !tail_is_empty(&p->tail, i))
            look_at_first(p, i);
    }
    p->turns++;
}

/* ---- life ---- */

static void streams_free(struct bus_port *base)
{
    struct streams_port *p = of(base);

    um_timer_stop(p->loop, &p->clock);
    um_redis_link_free(p->link);
    um_timer_stop(p->loop, &p->again);
    p->channels->ops->free(p->channels);
    tail_free(&p->tail);
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        um_buf_free(&p->stream[i].key);
    free(p);
}
static const struct bus_port_ops streams_ops = { streams_publish, streams_is_live, streams_free, streams_append, streams_replay };

static unsigned common_divisor(unsigned a, unsigned b) { return b == 0 ? a : common_divisor(b, a % b); }

struct bus_port *bus_port_streams(struct um_redis *r, struct um_loop *l, uint64_t origin, unsigned index, unsigned count, const struct bus_port_handler *h,
                                  void *arg)
{
    struct streams_port *p = um_xcalloc(1, sizeof(*p));
    unsigned step = common_divisor(TAIL_STREAMS, count);

    p->base.ops = &streams_ops;
    p->loop = l;
    p->h = h;
    p->arg = arg;
    p->block_ms = UM_MIN(BLOCK_MAX_MS, um_redis_get_conf(r)->timeout_ms / 4);
    tail_init(&p->tail);
    for (unsigned i = 0; i < TAIL_STREAMS; i++) {
        char number[12];
        snprintf(number, sizeof(number), "%u", i);
        um_redis_key(r, &p->stream[i].key, "collab", "stream", number, NULL);
        p->stream[i].is_read = i % step == index % step;
    }
    p->channels = bus_port_redis(r, l, origin, &ears, p);
    p->link = um_redis_link_new(r, l, "stream", &watch, p);
    um_timer_set(l, &p->clock, CLOCK_MS, tick, p);
    return &p->base;
}
