/* Questions to all: sockets, rooms, other servers. See gather.h. The lock is held for an append only. */
#include "gather.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "server_int.h"

enum { ANSWERS_MAX = 1000000 };

struct um_sio_gather {
    struct um_msg msg;
    struct um_sio *sio;
    struct um_loop *loop;
    um_sio_gathered *cb;
    void *arg;
    pthread_mutex_t lock;
    struct um_sio_data **value;
    size_t n, cap;
    unsigned parts, n_missing;
    struct um_buf silent;
};

struct um_sio_gather *sio_gather_new(struct um_sio *s, struct um_loop *loop, unsigned parts, um_sio_gathered *cb, void *arg)
{
    struct um_sio_gather *g = um_xcalloc(1, sizeof(*g));

    g->sio = s;
    g->loop = loop;
    g->parts = parts;
    g->cb = cb;
    g->arg = arg;
    pthread_mutex_init(&g->lock, NULL);
    return g;
}

void um_sio_gather_answer(struct um_sio_gather *g, struct um_sio_data *value)
{
    pthread_mutex_lock(&g->lock);
    if (g->n == g->cap && g->n < ANSWERS_MAX) {
        g->cap = g->cap == 0 ? 16 : g->cap * 2;
        g->value = um_xrealloc(g->value, g->cap * sizeof(*g->value));
    }
    if (g->n < g->cap)
        g->value[g->n++] = um_sio_data_ref(value);
    pthread_mutex_unlock(&g->lock);
}

static void finish(struct um_msg *m)
{
    struct um_sio_gather *g = UM_CONTAINER(m, struct um_sio_gather, msg);

    g->cb(g->arg, g->value, g->n, g->n_missing, g->silent.len > 0 ? um_buf_cstr(&g->silent) : NULL);
    for (size_t i = 0; i < g->n; i++)
        um_sio_data_unref(g->value[i]);
    free(g->value);
    um_buf_free(&g->silent);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

void um_sio_gather_done(struct um_sio_gather *g, unsigned n_missing, const char *silent)
{
    bool last;

    pthread_mutex_lock(&g->lock);
    g->n_missing += n_missing;
    if (silent != NULL)
        um_buf_printf(&g->silent, "%s%s", g->silent.len > 0 ? ", " : "", silent);
    last = --g->parts == 0;
    pthread_mutex_unlock(&g->lock);
    if (last && g->sio->ended)
        finish(&g->msg);
    else if (last)
        um_loop_post(g->loop, &g->msg, finish);
}

/* --- sockets and rooms ---------------------------------------------------------------------------------------------------- */

static void put_socket(void *arg, struct um_sio_socket *s)
{
    struct um_buf b = { 0 };
    struct um_sio_data *d;

    sio_socket_put(s, &b);
    d = um_sio_data_new(um_buf_to_bytes(&b), NULL, 0);
    if (d != NULL)
        um_sio_gather_answer(arg, d);
    um_sio_data_unref(d);
    um_buf_free(&b);
}

static void run_fetch(struct sio_job *j, struct sio_hub *h)
{
    struct sio_nsp *n = sio_nsp_find(h, UM_SPAN_STR(j->nsp));

    if (n != NULL)
        sio_each_target(n, &j->opts, put_socket, j->arg);
}

static void put_name(struct um_sio_gather *g, struct um_span name)
{
    struct um_buf b = { 0 };
    struct um_sio_data *d;

    um_buf_puts(&b, "\"");
    um_json_escape(&b, name);
    um_buf_puts(&b, "\"");
    d = um_sio_data_new(um_buf_to_bytes(&b), NULL, 0);
    if (d != NULL)
        um_sio_gather_answer(g, d);
    um_sio_data_unref(d);
    um_buf_free(&b);
}

static void run_rooms(struct sio_job *j, struct sio_hub *h)
{
    struct sio_nsp *n = sio_nsp_find(h, UM_SPAN_STR(j->nsp));
    struct um_span name;
    size_t pos = 0;
    void *room;

    while (n != NULL && um_map_next(&n->rooms, &pos, &name, &room))
        put_name(j->arg, name);
    for (pos = 0; n != NULL && um_map_next(&n->sockets, &pos, &name, &room);)
        put_name(j->arg, name);
}

static void job_gathered(struct sio_job *j)
{
    um_sio_gather_done(j->arg, 0, NULL);
}

static void gather_here(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, void (*run)(struct sio_job *, struct sio_hub *),
                        struct um_sio_gather *g)
{
    struct sio_job *j = sio_job_new(s, nsp, o, NULL, 0);

    j->run = run;
    j->end = job_gathered;
    j->arg = g;
    sio_job_run(j);
}

void um_sio_fetch(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *loop, um_sio_gathered *cb, void *arg)
{
    bool others = !(o->flags & UM_SIO_LOCAL) && s->adapter->fetch != NULL;
    struct um_sio_gather *g = sio_gather_new(s, loop, others ? 2 : 1, cb, arg);

    gather_here(s, nsp, o, run_fetch, g);
    if (others)
        s->adapter->fetch(s->adapter_state, nsp, o, g);
}

/* A room of two reactors, or of two nodes, is told once. */
struct distinct { um_sio_gathered *cb; void *arg; };

static void tell_distinct(void *arg, struct um_sio_data *const *values, size_t n, unsigned n_missing, const char *silent)
{
    struct distinct *d = arg;
    struct um_sio_data **once = um_xcalloc(n + 1, sizeof(*once));
    struct um_map seen = { 0 };
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (um_map_put(&seen, um_bytes_span(values[i]->json), values[i]) == NULL)
            once[m++] = values[i];
    d->cb(d->arg, once, m, n_missing, silent);
    um_map_free(&seen);
    free(once);
    free(d);
}

void um_sio_rooms(struct um_sio *s, const char *nsp, struct um_loop *loop, um_sio_gathered *cb, void *arg)
{
    static const struct um_sio_opts all;
    struct distinct *d = um_xcalloc(1, sizeof(*d));
    bool others = s->adapter->rooms != NULL;
    struct um_sio_gather *g;

    *d = (struct distinct){ cb, arg };
    g = sio_gather_new(s, loop, others ? 2 : 1, tell_distinct, d);
    gather_here(s, nsp, &all, run_rooms, g);
    if (others)
        s->adapter->rooms(s->adapter_state, nsp, &all, g);
}

/* --- for the adapter: only what is here ------------------------------------------------------------------------------------ */

struct plain { um_sio_values_cb *cb; void *arg; };

static void tell_plain(void *arg, struct um_sio_data *const *values, size_t n, unsigned n_missing, const char *silent)
{
    struct plain *p = arg;

    (void)n_missing;
    (void)silent;
    p->cb(p->arg, values, n);
    free(p);
}

static struct plain *plain_new(um_sio_values_cb *cb, void *arg)
{
    struct plain *p = um_xcalloc(1, sizeof(*p));

    *p = (struct plain){ cb, arg };
    return p;
}

void um_sio_local_fetch(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *loop, um_sio_values_cb *cb, void *arg)
{
    gather_here(s, nsp, o, run_fetch, sio_gather_new(s, loop, 1, tell_plain, plain_new(cb, arg)));
}

void um_sio_local_rooms(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *loop, um_sio_values_cb *cb, void *arg)
{
    struct distinct *d = um_xcalloc(1, sizeof(*d));

    *d = (struct distinct){ tell_plain, plain_new(cb, arg) };
    gather_here(s, nsp, o, run_rooms, sio_gather_new(s, loop, 1, tell_distinct, d));
}

/* --- other servers ----------------------------------------------------------------------------------------------------------- */

void um_sio_server_emit(struct um_sio *s, const char *nsp, struct um_sio_data *event)
{
    if (s->adapter->server_emit != NULL)
        s->adapter->server_emit(s->adapter_state, nsp, event);
}

void um_sio_server_emit_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, struct um_loop *loop, um_sio_gathered *cb, void *arg)
{
    struct um_sio_gather *g = sio_gather_new(s, loop, 1, cb, arg);

    if (s->adapter->server_emit_ack != NULL)
        s->adapter->server_emit_ack(s->adapter_state, nsp, event, g);
    else
        um_sio_gather_done(g, 0, NULL);
}

struct um_sio_reply {
    struct um_msg msg;
    struct um_sio *sio;
    struct um_loop *loop;
    void (*cb)(void *arg, struct um_sio_data *value);
    void *arg;
    struct um_sio_data *value;
};

static void reply_arrives(struct um_msg *m)
{
    struct um_sio_reply *r = UM_CONTAINER(m, struct um_sio_reply, msg);

    r->cb(r->arg, r->value);
    um_sio_data_unref(r->value);
    free(r);
}

void um_sio_reply(struct um_sio_reply *r, struct um_sio_data *value)
{
    r->value = value != NULL ? um_sio_data_ref(value) : um_sio_data_text("null");
    if (r->sio->ended)
        reply_arrives(&r->msg);
    else
        um_loop_post(r->loop, &r->msg, reply_arrives);
}

static const struct sio_row *serving_row(struct um_sio *s, const char *nsp)
{
    UM_LIST_EACH(it, &s->rows) {
        const struct sio_row *row = UM_CONTAINER(it, struct sio_row, link);

        if (row->is_prefix ? strncmp(nsp, row->name, strlen(row->name)) == 0 : strcmp(nsp, row->name) == 0)
            return row;
    }
    return NULL;
}

void um_sio_local_server_emit(struct um_sio *s, const char *nsp, struct um_sio_data *event, struct um_loop *loop,
                              void (*cb)(void *arg, struct um_sio_data *value), void *arg)
{
    const struct sio_row *row = serving_row(s, nsp);
    struct um_sio_reply *r = NULL;

    if (row == NULL || row->handlers->on_server_event == NULL)
        return;
    if (cb != NULL) {
        r = um_xcalloc(1, sizeof(*r));
        *r = (struct um_sio_reply){ { 0 }, s, loop, cb, arg, NULL };
    }
    row->handlers->on_server_event(row->arg, nsp, event, r);
}
