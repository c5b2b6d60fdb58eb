/* The server of the process: its hubs, its namespaces, its end. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

#include "server_int.h"

/* Facts that the public test suites count on. */
static const struct um_sio_conf *for_conformance(const struct um_sio_conf *from)
{
    static const char *const everybody[] = { "*" };
    struct um_sio_conf *cf = um_xmalloc(sizeof(*cf));

    *cf = *from;
    if (!cf->conformance)
        return cf;
    cf->ping_interval_ms = 300;
    cf->ping_timeout_ms = 200;
    cf->connect_timeout_ms = 1000;
    cf->max_payload = 1000000;
    cf->allow_upgrades = true;
    cf->cors_origins = (struct um_conf_list){ 1, everybody };
    return cf;
}

static struct sio_hub *hub_new(struct um_sio *s, unsigned index)
{
    struct sio_hub *h = um_xcalloc(1, sizeof(*h));

    h->sio = s;
    h->index = index;
    h->loop = um_reactors_loop(s->env.reactors, index);
    um_list_init(&h->dirty);
    h->name = um_xmalloc((size_t)s->conf->max_event_name + 1);
    return h;
}

um_err um_sio_new(struct um_sio **out, const struct um_sio_env *env)
{
    const char *path = env->conf->path;
    struct um_sio *s;

    *out = NULL;
    if (path[0] != '/' || path[strlen(path) - 1] != '/' || strchr(path, '{') != NULL || strchr(path, '*') != NULL)
        return UM_EINVAL;
    s = um_xcalloc(1, sizeof(*s));
    s->env = *env;
    s->env.conf = s->conf = for_conformance(env->conf);
    s->adapter = env->adapter != NULL ? env->adapter : &um_sio_alone;
    s->adapter_state = env->adapter_state;
    s->n = um_reactors_count(env->reactors);
    um_list_init(&s->rows);
    pthread_mutex_init(&s->lock, NULL);
    s->hub = um_xcalloc(s->n, sizeof(struct sio_hub *));
    for (unsigned i = 0; i < s->n; i++)
        s->hub[i] = hub_new(s, i);
    s->engines = eio_engines_new(s, &s->env, &sio_client_app, (void *const *)s->hub);
    if (s->conf->conformance)
        s->echo = eio_engines_new(s, &s->env, &sio_echo_app, NULL);
    if (s->conf->conformance)
        sio_add_conformance(s);
    if (s->conf->lab)
        sio_add_lab(s);
    *out = s;
    return UM_OK;
}

um_err um_sio_open(struct um_sio *s)
{
    return s->adapter->start != NULL ? s->adapter->start(s->adapter_state, s) : UM_OK;
}

void um_sio_add_namespace(struct um_sio *s, const char *name, enum um_sio_rule rule, const struct um_sio_handlers *handlers, void *arg)
{
    struct sio_row *row = um_xcalloc(1, sizeof(*row));
    size_t n = strlen(name);

    UM_ASSERT(name[0] == '/');
    row->is_prefix = name[n - 1] == '*';
    row->name = um_xstrndup(name, row->is_prefix ? n - 1 : n);
    row->rule = rule;
    row->handlers = handlers;
    row->arg = arg;
    um_list_append(&s->rows, &row->link);
}

void um_sio_set_ask(struct um_sio *s, unsigned reactor, um_sio_ask *ask, void *ctx)
{
    eio_set_ask(s->engines->at[reactor], ask, ctx);
}

bool um_sio_serves_echo(const struct um_sio *s) { return s->echo != NULL; }

void um_sio_handle(struct um_sio *s, struct um_http_req *rq) { eio_handle(eio_engine_of(s->engines, um_http_loop(rq)), rq); }
void um_sio_handle_socket(struct um_sio *s, struct um_http_req *rq) { eio_handle_socket(eio_engine_of(s->engines, um_http_loop(rq)), rq); }
void um_sio_handle_echo(struct um_sio *s, struct um_http_req *rq) { eio_handle(eio_engine_of(s->echo, um_http_loop(rq)), rq); }
void um_sio_handle_echo_socket(struct um_sio *s, struct um_http_req *rq) { eio_handle_socket(eio_engine_of(s->echo, um_http_loop(rq)), rq); }

size_t um_sio_clients(const struct um_sio *s, unsigned reactor)
{
    return eio_count(s->engines->at[reactor]);
}

static void let_come_back(struct eio_session *session, void *client)
{
    (void)client;
    eio_close(session, "forced server close");
}

void um_sio_end_session(struct um_sio *s, unsigned reactor, const char *id, bool renamed)
{
    eio_each_of(s->engines->at[reactor], id, renamed ? let_come_back : sio_client_send_away);
}

/* --- the end ------------------------------------------------------------------------------------------------------------------ */

void um_sio_drain(struct um_sio *s, unsigned reactor)
{
    eio_drain(s->engines->at[reactor], s->conf->drain_ms);
}

void um_sio_stop(struct um_sio *s, unsigned reactor)
{
    eio_stop(s->engines->at[reactor]);
    if (s->echo != NULL)
        eio_stop(s->echo->at[reactor]);
    sio_waits_end(s->hub[reactor]);
}

void um_sio_close(struct um_sio *s, unsigned reactor)
{
    eio_close_forwards(s->engines->at[reactor]);
    if (s->echo != NULL)
        eio_close_forwards(s->echo->at[reactor]);
}

static void free_adapter(struct um_sio *s)
{
    static const struct um_sio_adapter gone = { .name = "gone" };

    if (s->adapter->free != NULL)
        s->adapter->free(s->adapter_state);
    s->adapter = &gone;
}

void um_sio_settle(struct um_sio *s)
{
    for (unsigned i = 0; i < s->n; i++)   /* one may post to another that came before it */
        for (unsigned k = 0; k < s->n; k++)
            um_loop_settle(s->hub[k]->loop);
    s->ended = s->engines->ended = true;
    if (s->echo != NULL)
        s->echo->ended = true;
    free_adapter(s);
}

static void free_hub(struct sio_hub *h)
{
    struct um_span key;
    size_t pos = 0;
    void *n;

    while (um_map_next(&h->namespaces, &pos, &key, &n))
        sio_nsp_free(n);
    um_map_free(&h->namespaces);
    um_map_free(&h->waits);
    free(h->name);
    free(h);
}

void um_sio_free(struct um_sio *s)
{
    if (s == NULL)
        return;
    free_adapter(s);
    eio_engines_free(s->engines);
    eio_engines_free(s->echo);
    for (unsigned i = 0; i < s->n; i++)
        free_hub(s->hub[i]);
    free(s->hub);
    UM_LIST_EACH_SAFE(it, &s->rows) {
        struct sio_row *row = UM_CONTAINER(it, struct sio_row, link);

        free(row->name);
        free(row);
    }
    um_map_free(&s->opened);
    pthread_mutex_destroy(&s->lock);
    free((void *)(uintptr_t)s->conf);
    free(s);
}
