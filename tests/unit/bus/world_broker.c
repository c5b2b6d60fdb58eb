/* The broker: one message at a time from a port to others. */
#include "world_internal.h"

struct port {
    struct bus_port base;
    struct um_list link;
    struct core *core;
    struct um_loop *loop;
    uint64_t origin;
    const struct bus_port_handler *h;
    void *arg;
    bool closed;
    struct tail tail;                        /* empty in ports without one */
};

struct message {                             /* on its way to one port; or the answer to a publisher */
    struct um_list link;
    struct port *to;
    int64_t due_ms;
    struct um_bytes *bytes;
    uint64_t id;                             /* of an update that goes as with streams; 0: of none */
    void (*done)(void *arg, um_err err, int64_t receivers);
    void *done_arg;
    um_err err;
    int64_t receivers;
};

static struct port *of(const struct bus_port *p) { return UM_CONTAINER(p, struct port, base); }

/* ---- arriving ---- */

static void answer(struct message *m)
{
    m->done(m->done_arg, m->err, m->receivers);
    free(m);
}

static bool is_stored(void *arg, struct um_span document, uint64_t origin)
{
    struct port *p = arg;

    return p->h->on_orphan != NULL && p->h->on_orphan(p->arg, document, origin);
}
static void forget(void *arg, unsigned stream, struct tail_id id) { (void)arg; (void)stream; (void)id; }

/* As bus_streams.c does; false: it came before. */
static bool take_into_tail(const struct message *m)
{
    struct um_span message = um_bytes_span(m->bytes);
    int64_t now_ms = m->to->core->world->now_ms;
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;
    struct tail_id upto;

    tail_orphans(&m->to->tail, now_ms, 4000, is_stored, forget, m->to);
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        tail_trim(&m->to->tail, i, now_ms, &upto);
    tail_hear(&m->to->tail, message);
    if (m->id == 0 || !bus_read_head(message, &r, &kind, &origin))
        return true;
    return tail_add(&m->to->tail, tail_stream_of(bus_read_at(&r).name), (struct tail_id){ m->id, 0 }, message, now_ms);
}

static void arrive(void *arg)
{
    struct message *m = arg;

    if (m->done != NULL) {
        answer(m);
        return;
    }
    if (!m->to->closed && take_into_tail(m))
        m->to->h->on_message(m->to->arg, um_bytes_span(m->bytes));
    um_bytes_unref(m->bytes);
    free(m);
}

void broker_step(struct world *w)
{
    UM_LIST_EACH_SAFE(it, &w->messages) {
        struct message *m = UM_CONTAINER(it, struct message, link);
        if (m->due_ms > w->now_ms || m->to->core->is_dead)
            continue;
        um_list_remove(it);
        if (m->done == NULL && (m->to->core->cut || m->to->closed)) {
            um_bytes_unref(m->bytes);
            free(m);
        } else {
            um_loop_call(m->to->loop, arrive, m);
        }
    }
}

/* ---- publishing ---- */

static void carry(struct world *w, struct port *to, struct um_span message, uint64_t id)
{
    struct message *m = um_xcalloc(1, sizeof(*m));

    m->to = to;
    m->id = id;
    m->due_ms = w->now_ms + (world_chance(w, w->delay_percent) ? (int64_t)world_random(w, (uint64_t)w->delay_ms) : 0);
    m->bytes = um_bytes_dup(message.data, message.len);
    um_list_append(&w->messages, &m->link);
}

static bool is_to_be_lost(struct world *w, const struct core *from, const struct core *to, unsigned kind)
{
    bool meant = w->lose.n > 0 && w->lose.kind == kind && (w->lose.from == NULL || w->lose.from == from) &&
                 (w->lose.to == NULL || w->lose.to == to) && from != to;

    if (meant)
        w->lose.n--;
    return meant || world_chance(w, w->lose_percent);
}

static int64_t send_out(struct port *from, uint64_t to, struct um_span message, uint64_t id)
{
    struct world *w = from->core->world;
    int64_t n = 0;

    UM_LIST_EACH(it, &w->ports) {
        struct port *p = UM_CONTAINER(it, struct port, link);
        if (p->closed || p->core->is_dead || p->core->cut || (to != BUS_TO_ALL && p->origin != to))
            continue;
        n++;
        if (is_to_be_lost(w, from->core, p->core, message.data[1]))
            continue;
        carry(w, p, message, id);
        if (world_chance(w, w->double_percent))
            carry(w, p, message, id);
    }
    return n;
}

static void speak(struct port *p, uint64_t to, struct um_span message, uint64_t id, void (*done)(void *arg, um_err err, int64_t receivers), void *arg)
{
    struct world *w = p->core->world;
    unsigned kind = message.data[1];
    bool away = p->core->cut || p->core->is_dead;
    int64_t n = away ? 0 : send_out(p, to, message, id);

    assert_in_range(kind, BUS_HELLO, BUS_ORDER);
    if (!p->core->is_dead) {
        w->sent[kind]++;
        w->sent_bytes[kind] += message.len;
        w->longest[kind] = UM_MAX(w->longest[kind], message.len);
    }
    if (done != NULL) {
        struct message *m = um_xcalloc(1, sizeof(*m));
        *m = (struct message){ .to = p, .due_ms = w->now_ms, .done = done, .done_arg = arg, .err = away ? UM_EUNAVAIL : UM_OK, .receivers = n };
        um_list_append(&w->messages, &m->link);
    }
}

static void publish(struct bus_port *base, uint64_t to, struct um_span message,
                    void (*done)(void *arg, um_err err, int64_t receivers), void *arg)
{
    speak(of(base), to, message, 0, done, arg);
}

static void append(struct bus_port *base, struct um_span document, struct um_span message)
{
    (void)document;
    speak(of(base), BUS_TO_ALL, message, ++of(base)->core->world->updates, NULL, NULL);
}

static bool replay(struct bus_port *base, struct um_span document, tail_replay_fn *fn, void *arg)
{
    tail_replay(&of(base)->tail, document, fn, arg);
    return world_chance(of(base)->core->world, 50);
}

static bool is_live(const struct bus_port *p) { return !of(p)->core->knows_cut && !of(p)->core->is_dead; }

static void close_port(struct bus_port *base)
{
    struct port *p = of(base);

    p->closed = true;
    UM_LIST_EACH_SAFE(it, &p->core->world->messages) {
        struct message *m = UM_CONTAINER(it, struct message, link);
        if (m->to == p && m->done != NULL) {
            um_list_remove(it);
            m->err = UM_EUNAVAIL;
            answer(m);
        }
    }
}

struct bus_port *broker_open_port(void *core, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg)
{
    static const struct bus_port_ops ops = { .publish = publish, .is_live = is_live, .free = close_port };
    static const struct bus_port_ops with_tail = { .publish = publish, .is_live = is_live, .free = close_port, .append = append, .replay = replay };
    struct core *c = core;
    struct port *p = um_xcalloc(1, sizeof(*p));

    *p = (struct port){ .base.ops = c->world->has_tail ? &with_tail : &ops, .core = c, .loop = l, .origin = origin, .h = h, .arg = arg };
    tail_init(&p->tail);
    um_list_append(&c->world->ports, &p->link);
    return &p->base;
}

/* ---- trouble ---- */

void broker_cut(struct core *c, bool knows)
{
    c->left_ms = c->cut ? c->left_ms : c->world->now_ms;
    c->cut = true;
    c->knows_cut = knows;
}

static void say_live(void *arg)
{
    struct port *p = arg;

    if (!p->closed)
        p->h->on_live(p->arg);
}

void broker_heal(struct core *c)
{
    if (!c->cut)
        return;
    c->cut = c->knows_cut = false;
    UM_LIST_EACH(it, &c->world->ports) {
        struct port *p = UM_CONTAINER(it, struct port, link);
        if (p->core == c && !p->closed)
            um_loop_call(p->loop, say_live, p);
    }
}

void broker_inject(struct core *to, struct um_span message)
{
    UM_LIST_EACH(it, &to->world->ports) {
        struct port *p = UM_CONTAINER(it, struct port, link);
        if (p->core == to && !p->closed)
            carry(to->world, p, message, 0);
    }
}

void world_lose(struct world *w, enum bus_kind kind, unsigned n, const struct core *from, const struct core *to)
{
    w->lose.kind = kind;
    w->lose.n = n;
    w->lose.from = from;
    w->lose.to = to;
}

void world_forget_sent(struct world *w)
{
    memset(w->sent, 0, sizeof(w->sent));
    memset(w->sent_bytes, 0, sizeof(w->sent_bytes));
    memset(w->longest, 0, sizeof(w->longest));
}

/* After all cores. */
void broker_free(struct world *w)
{
    UM_LIST_EACH_SAFE(it, &w->messages) {
        struct message *m = UM_CONTAINER(it, struct message, link);
        um_bytes_unref(m->bytes);
        free(m);
    }
    UM_LIST_EACH_SAFE(it, &w->ports) {
        tail_free(&UM_CONTAINER(it, struct port, link)->tail);
        free(UM_CONTAINER(it, struct port, link));
    }
    um_list_init(&w->messages);
    um_list_init(&w->ports);
}
