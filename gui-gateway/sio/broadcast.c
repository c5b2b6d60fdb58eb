/* To many: encoded once, a message for each hub, one reference for each receiver. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

#include "gather.h"
#include "server_int.h"

#define NO_OFFSET UM_SPAN("", 0)

struct sending { struct eio_out *out; unsigned flags; };

static void send_one(void *arg, struct um_sio_socket *s)
{
    const struct sending *x = arg;

    eio_send(s->client->session, x->out, x->flags);
}

static void note_offset(struct sio_nsp *n, const char *offset)
{
    if (offset != NULL && offset[0] != '\0')
        memcpy(n->offset, offset, strlen(offset) + 1);
}

/* A volatile event carries the offset that its receivers have anyway: stock clients take any last text for one. */
static struct eio_out *encode_here(const struct sio_nsp *n, struct um_sio_data *event)
{
    struct sio_head head = { SIO_EVENT, n->name, false, 0 };

    return sio_encode(&head, event, UM_SPAN_STR(n->offset));
}

static void run_broadcast(struct sio_job *j, struct sio_hub *h)
{
    struct sio_nsp *n = sio_nsp_find(h, UM_SPAN_STR(j->nsp));
    struct sending x = { j->out, j->opts.flags & UM_SIO_VOLATILE ? EIO_VOLATILE : 0 };

    if (n == NULL)
        return;
    note_offset(n, j->offset);
    if (j->out == NULL)
        x.out = encode_here(n, j->event);
    if (x.out != NULL)
        sio_each_target(n, &j->opts, send_one, &x);
    if (j->out == NULL)
        eio_out_unref(x.out);
}

void um_sio_local_broadcast(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o)
{
    struct sio_job *j = sio_job_new(s, nsp, o, NULL, 0);
    struct sio_head head = { SIO_EVENT, nsp, false, 0 };

    j->run = run_broadcast;
    if (o->offset.len < sizeof(j->offset) && o->offset.len > 0)
        memcpy(j->offset, o->offset.data, o->offset.len);
    if (sio_recovers(s) && o->offset.len == 0)
        j->event = um_sio_data_ref(event);
    else
        j->out = sio_encode(&head, event, o->offset);
    sio_job_run(j);
}

void um_sio_broadcast(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o)
{
    struct um_sio_opts mine = *o;
    char offset[64] = "";
    bool delivers = true;

    sio_count(SIO_M_BROADCASTS, 1);
    mine.offset = NO_OFFSET;
    if (sio_recovers(s) && !(o->flags & UM_SIO_VOLATILE)) {
        s->adapter->recovery.stamp(s->adapter_state, nsp, event, o, offset);
        mine.offset = UM_SPAN_STR(offset);
        delivers = offset[0] != '\0';
    }
    if (delivers)
        um_sio_local_broadcast(s, nsp, event, &mine);
    if (!(o->flags & UM_SIO_LOCAL) && s->adapter->broadcast != NULL)
        s->adapter->broadcast(s->adapter_state, nsp, event, &mine);
}

/* --- with acknowledgements -------------------------------------------------------------------------------------------------- */

/* What the hubs say comes to the loop of the sink, where this lives until all have said that they are done. */
struct ackcast {
    struct um_sio *sio;
    struct um_sio_ack_sink sink;
    unsigned uncounted, unfinished, clients;
    struct um_sio_data **early;           /* answers that came before all were counted */
    size_t n_early, cap_early;
};
enum ackcast_kind { ACKCAST_COUNT, ACKCAST_VALUE, ACKCAST_DONE };
struct ackcast_msg { struct um_msg msg; struct ackcast *cast; enum ackcast_kind kind; unsigned n; struct um_sio_data *value; };

static void give_early(struct ackcast *a)
{
    a->sink.clients(a->sink.arg, a->clients);
    for (size_t i = 0; i < a->n_early; i++) {
        a->sink.ack(a->sink.arg, a->early[i]);
        um_sio_data_unref(a->early[i]);
    }
    free(a->early);
    a->early = NULL;
}

static void take_value(struct ackcast *a, struct um_sio_data *value)
{
    if (a->uncounted == 0) {
        a->sink.ack(a->sink.arg, value);
        return;
    }
    if (a->n_early == a->cap_early) {
        a->cap_early = a->cap_early == 0 ? 16 : a->cap_early * 2;
        a->early = um_xrealloc(a->early, a->cap_early * sizeof(*a->early));
    }
    a->early[a->n_early++] = um_sio_data_ref(value);
}

static void hear(struct um_msg *m)
{
    struct ackcast_msg *x = UM_CONTAINER(m, struct ackcast_msg, msg);
    struct ackcast *a = x->cast;

    a->clients += x->n;
    if (x->kind == ACKCAST_VALUE)
        take_value(a, x->value);
    if (x->kind == ACKCAST_COUNT && --a->uncounted == 0)
        give_early(a);
    if (x->kind == ACKCAST_DONE && --a->unfinished == 0) {
        a->sink.done(a->sink.arg);
        free(a);
    }
    um_sio_data_unref(x->value);
    free(x);
}

static void say(struct ackcast *a, enum ackcast_kind kind, unsigned n, struct um_sio_data *value_adopt)
{
    struct ackcast_msg *x = um_xcalloc(1, sizeof(*x));

    *x = (struct ackcast_msg){ { 0 }, a, kind, n, value_adopt };
    if (a->sio->ended)
        hear(&x->msg);
    else
        um_loop_post(a->sink.loop, &x->msg, hear);
}

/* Its first argument. */
static struct um_sio_data *first_of(struct um_sio_data *args)
{
    struct um_span e = UM_SPAN("null", 4);
    size_t pos = 0;

    (void)um_sio_each(um_bytes_span(args->json), &pos, &e);
    for (uint32_t i = 0; i < args->n_att; i++)
        um_bytes_ref(args->att[i]);
    return um_sio_data_new(um_bytes_dup(e.data, e.len), args->att, args->n_att);
}

static void value_came(void *arg, struct um_sio_data *args)
{
    struct um_sio_data *first = first_of(args);

    if (first != NULL)
        say(arg, ACKCAST_VALUE, 0, first);
}

static void hub_done(void *arg, unsigned n_missing)
{
    (void)n_missing;
    say(arg, ACKCAST_DONE, 0, NULL);
}

struct asking { struct eio_out *out; struct sio_wait *wait; unsigned n; };

static void ask_one(void *arg, struct um_sio_socket *s)
{
    struct asking *x = arg;

    if (!sio_wait_add(x->wait, s))
        return;
    x->n++;
    eio_send(s->client->session, x->out, 0);
}

static void run_ask(struct sio_job *j, struct sio_hub *h)
{
    struct sio_waiter waiter = { value_came, hub_done, j->arg };
    struct sio_nsp *n = sio_nsp_find(h, UM_SPAN_STR(j->nsp));
    struct sio_head head = { SIO_EVENT, j->nsp, true, (uint64_t)j->number };
    struct asking x = { NULL, NULL, 0 };

    x.wait = sio_wait_new(h, (uint64_t)j->number, j->opts.timeout_ms, &waiter);
    if (n != NULL && (x.out = sio_encode(&head, j->event, UM_SPAN_STR(n->offset))) != NULL)
        sio_each_target(n, &j->opts, ask_one, &x);
    eio_out_unref(x.out);
    say(j->arg, ACKCAST_COUNT, x.n, NULL);
    sio_wait_armed(x.wait);
}

void um_sio_local_broadcast_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o,
                                const struct um_sio_ack_sink *sink)
{
    struct sio_job *j = sio_job_new(s, nsp, o, NULL, 0);
    struct ackcast *a = um_xcalloc(1, sizeof(*a));

    *a = (struct ackcast){ .sio = s, .sink = *sink, .uncounted = s->n, .unfinished = s->n };
    j->run = run_ask;
    j->arg = a;
    j->event = um_sio_data_ref(event);
    j->number = (int64_t)atomic_fetch_add(&s->next_ack, 1);
    sio_job_run(j);
}

/* --- gathered for the application ------------------------------------------------------------------------------------------------ */

struct asked { struct um_sio_gather *g; unsigned clients, answers; };

static void asked_clients(void *arg, unsigned n) { ((struct asked *)arg)->clients = n; }

static void asked_ack(void *arg, struct um_sio_data *value)
{
    struct asked *a = arg;

    a->answers++;
    um_sio_gather_answer(a->g, value);
}

static void asked_done(void *arg)
{
    struct asked *a = arg;

    um_sio_gather_done(a->g, a->clients - UM_MIN(a->answers, a->clients), NULL);
    free(a);
}

void um_sio_broadcast_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, struct um_loop *loop,
                          um_sio_gathered *cb, void *arg)
{
    bool others = !(o->flags & UM_SIO_LOCAL) && s->adapter->broadcast_ack != NULL;
    struct um_sio_gather *g = sio_gather_new(s, loop, others ? 2 : 1, cb, arg);
    struct asked *a = um_xcalloc(1, sizeof(*a));
    struct um_sio_ack_sink sink = { loop, asked_clients, asked_ack, asked_done, a };

    sio_count(SIO_M_BROADCASTS, 1);
    a->g = g;
    um_sio_local_broadcast_ack(s, nsp, event, o, &sink);
    if (others)
        s->adapter->broadcast_ack(s->adapter_state, nsp, event, o, g);
}
