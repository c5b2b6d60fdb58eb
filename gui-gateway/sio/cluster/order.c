/* What the server says, from any reactor, on its way to the adapter's loop: one block, copied once. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "cluster.h"

static void run(struct um_msg *m)
{
    struct order *o = UM_CONTAINER(m, struct order, msg);

    o->run(o);
    if (!o->is_kept)
        order_free(o);
}

void order_free(struct order *o)
{
    um_sio_data_unref(o->event);
    free(o);
}

struct cursor {
    struct um_span *spans;
    uint8_t *bytes;
};

static struct um_span copy_span(struct cursor *at, struct um_span s)
{
    struct um_span out = UM_SPAN(at->bytes, s.len);

    if (s.len > 0)
        memcpy(at->bytes, s.data, s.len);
    at->bytes += s.len;
    return out;
}

static const struct um_span *copy_spans(struct cursor *at, const struct um_span *list, size_t n)
{
    struct um_span *out = at->spans;

    at->spans += n;
    for (size_t i = 0; i < n; i++)
        out[i] = copy_span(at, list[i]);
    return out;
}

static size_t sum(const struct um_span *list, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += list[i].len;
    return bytes;
}

void order_give(struct sio_cluster *c, void (*fn)(struct order *o), const struct order *model)
{
    size_t n = model->opts.n_rooms + model->opts.n_except + model->n_rooms, nsp_len = strlen(model->nsp) + 1;
    size_t bytes = sum(model->opts.rooms, model->opts.n_rooms) + sum(model->opts.except, model->opts.n_except) +
                   sum(model->rooms, model->n_rooms);
    struct order *o = um_xmalloc(sizeof(*o) + n * sizeof(struct um_span) + bytes + nsp_len);
    struct cursor at = { (struct um_span *)(o + 1), (uint8_t *)(o + 1) + n * sizeof(struct um_span) };

    *o = *model;
    o->c = c;
    o->run = fn;
    if (o->event != NULL)
        um_sio_data_ref(o->event);
    o->opts.rooms = copy_spans(&at, model->opts.rooms, model->opts.n_rooms);
    o->opts.except = copy_spans(&at, model->opts.except, model->opts.n_except);
    o->opts.offset = (struct um_span){ 0 };
    o->rooms = copy_spans(&at, model->rooms, model->n_rooms);
    o->nsp = memcpy(at.bytes, model->nsp, nsp_len);
    um_loop_post(c->loop, &o->msg, run);
}
