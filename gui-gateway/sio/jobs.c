/* What is done on every hub: one block of memory for all legs of its way. */
#include <stdlib.h>
#include <string.h>

#include "server_int.h"

static size_t names_size(const struct um_span *names, size_t n)
{
    size_t size = n * sizeof(struct um_span);

    for (size_t i = 0; i < n; i++)
        size += names[i].len;
    return size;
}

static const struct um_span *copy_names(struct um_span **slots, uint8_t **bytes, const struct um_span *names, size_t n)
{
    struct um_span *to = *slots;

    for (size_t i = 0; i < n; i++) {
        if (names[i].len > 0)
            memcpy(*bytes, names[i].data, names[i].len);
        to[i] = UM_SPAN(*bytes, names[i].len);
        *bytes += names[i].len;
    }
    *slots += n;
    return to;
}

struct sio_job *sio_job_new(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *names, size_t n)
{
    static const struct um_sio_opts everybody;
    struct sio_job *j = um_xcalloc(1, sizeof(*j) + s->n * sizeof(struct sio_leg));
    struct um_span *slots;
    uint8_t *bytes;

    if (o == NULL)
        o = &everybody;
    slots = j->memory = um_xmalloc(names_size(o->rooms, o->n_rooms) + names_size(o->except, o->n_except) + names_size(names, n) + 1);
    bytes = (uint8_t *)(slots + o->n_rooms + o->n_except + n);
    atomic_init(&j->refs, 1);
    j->sio = s;
    j->nsp = um_xstrdup(nsp);
    j->opts = *o;
    j->opts.offset = UM_SPAN(NULL, 0);
    j->opts.rooms = copy_names(&slots, &bytes, o->rooms, o->n_rooms);
    j->opts.except = copy_names(&slots, &bytes, o->except, o->n_except);
    j->names = copy_names(&slots, &bytes, names, n);
    j->n_names = n;
    return j;
}

static void job_unref(struct sio_job *j)
{
    if (atomic_fetch_sub_explicit(&j->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (j->end != NULL)
        j->end(j);
    eio_out_unref(j->out);
    um_sio_data_unref(j->event);
    free(j->memory);
    free(j->nsp);
    free(j);
}

static void arrive(struct um_msg *m)
{
    struct sio_leg *leg = UM_CONTAINER(m, struct sio_leg, msg);
    struct sio_job *j = leg->job;

    j->run(j, leg->hub);
    job_unref(j);
}

void sio_job_run(struct sio_job *j)
{
    struct um_sio *s = j->sio;
    struct sio_hub *here = NULL;

    for (unsigned i = 0; i < s->n; i++) {
        struct sio_leg *leg = &j->leg[i];

        if (s->ended || um_loop_is_mine(s->hub[i]->loop)) {
            if (here != NULL)
                j->run(j, here);
            here = s->hub[i];
            continue;
        }
        *leg = (struct sio_leg){ { 0 }, j, s->hub[i] };
        atomic_fetch_add_explicit(&j->refs, 1, memory_order_relaxed);
        um_loop_post(s->hub[i]->loop, &leg->msg, arrive);
    }
    if (here != NULL)
        j->run(j, here);
    job_unref(j);
}
