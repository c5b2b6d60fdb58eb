/* The namespace /lab (and /lab-*) of tests and measurements: clients ask for what an application would do. See the table. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server_int.h"

enum { NAMES_MAX = 64 };

struct order {                            /* one event: [name, options, payload] */
    struct um_sio *sio;
    struct um_sio_socket *s;
    const struct um_sio_event *e;
    struct um_span payload;               /* of the second argument; of the first when there is one alone */
    json_t *first;
    struct um_sio_opts opts;
    struct um_span rooms[NAMES_MAX], except[NAMES_MAX];
};

static size_t read_names(const json_t *list, struct um_span names[NAMES_MAX])
{
    size_t n = UM_MIN(json_array_size(list), (size_t)NAMES_MAX);

    for (size_t i = 0; i < n; i++) {
        const json_t *name = json_array_get(list, i);
        names[i] = UM_SPAN(json_string_value(name), json_string_length(name));
    }
    return n;
}

static void read_opts(struct order *x)
{
    const json_t *flags = json_object_get(x->first, "flags");

    x->opts.rooms = x->rooms;
    x->opts.n_rooms = read_names(json_object_get(x->first, "rooms"), x->rooms);
    x->opts.except = x->except;
    x->opts.n_except = read_names(json_object_get(x->first, "except"), x->except);
    x->opts.flags = (json_is_true(json_object_get(flags, "volatile")) ? UM_SIO_VOLATILE : 0u) |
                    (json_is_true(json_object_get(flags, "local")) ? UM_SIO_LOCAL : 0u);
    x->opts.timeout_ms = json_integer_value(json_object_get(x->first, "timeout"));
}

/* TEXT with the binary values of the event. */
static struct um_sio_data *with_binary(const struct order *x, struct um_span text)
{
    for (uint32_t i = 0; i < x->e->args->n_att; i++)
        um_bytes_ref(x->e->args->att[i]);
    return um_sio_data_new(um_bytes_dup(text.data, text.len), x->e->args->att, x->e->args->n_att);
}

static void answer(struct um_sio_socket *s, uint64_t id, struct um_span json)
{
    struct um_sio_data *d = um_sio_data_new(um_bytes_dup(json.data, json.len), NULL, 0);

    if (d != NULL)
        um_sio_ack(s, id, d);
    um_sio_data_unref(d);
}

static void done(const struct order *x)
{
    if (x->e->wants_ack)
        answer(x->s, x->e->ack_id, UM_SPAN("[]", 2));
}

/* --- answers that come later: to the socket, if it is still there (by its id: it may have gone) ------------------------------------ */

struct later { struct sio_hub *hub; char nsp[64], id[SIO_ID_LEN + 1]; uint64_t ack_id; };

static struct later *later_new(const struct order *x)
{
    struct later *l = um_xcalloc(1, sizeof(*l));

    l->hub = x->s->nsp->hub;
    memcpy(l->nsp, x->s->nsp->name, UM_MIN(strlen(x->s->nsp->name), sizeof(l->nsp) - 1));
    memcpy(l->id, x->s->id, sizeof(l->id));
    l->ack_id = x->e->ack_id;
    return l;
}

static struct um_sio_socket *still_there(const struct later *l)
{
    struct sio_nsp *n = sio_nsp_find(l->hub, UM_SPAN_STR(l->nsp));
    return n != NULL ? um_map_get(&n->sockets, UM_SPAN_STR(l->id)) : NULL;
}

static void gathered(void *arg, struct um_sio_data *const *values, size_t n, unsigned n_missing, const char *silent)
{
    struct later *l = arg;
    struct um_sio_socket *s = still_there(l);
    struct um_buf b = { 0 };

    (void)silent;
    um_buf_puts(&b, "[[");
    for (size_t i = 0; i < n; i++) {
        um_buf_puts(&b, i > 0 ? "," : "");
        um_buf_put(&b, values[i]->json->data, values[i]->json->len);
    }
    um_buf_printf(&b, "],%u]", n_missing);
    if (s != NULL && !b.failed)
        answer(s, l->ack_id, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
    free(l);
}

static void asked(void *arg, struct um_sio_data *args)
{
    struct later *l = arg;
    struct um_sio_socket *s = still_there(l);

    if (s != NULL && args != NULL)
        um_sio_ack(s, l->ack_id, args);
    else if (s != NULL)
        answer(s, l->ack_id, UM_SPAN_STR("[\"operation has timed out\"]"));
    free(l);
}

/* --- the orders ------------------------------------------------------------------------------------------------------------------------- */

static void join(struct order *x)
{
    size_t n = read_names(x->first, x->rooms);

    for (size_t i = 0; i < n; i++)
        um_sio_join(x->s, x->rooms[i]);
    done(x);
}

static void leave(struct order *x)
{
    size_t n = read_names(x->first, x->rooms);

    for (size_t i = 0; i < n; i++)
        um_sio_leave(x->s, x->rooms[i]);
    done(x);
}

static void cast(struct order *x)
{
    struct um_sio_data *event = with_binary(x, x->payload);

    if (event != NULL)
        um_sio_broadcast(x->sio, um_sio_namespace(x->s), event, &x->opts);
    um_sio_data_unref(event);
    done(x);
}

static void cast_ack(struct order *x)
{
    struct um_sio_data *event = with_binary(x, x->payload);

    if (event != NULL)
        um_sio_broadcast_ack(x->sio, um_sio_namespace(x->s), event, &x->opts, um_sio_loop(x->s), gathered, later_new(x));
    um_sio_data_unref(event);
}

static void fetch(struct order *x) { um_sio_fetch(x->sio, um_sio_namespace(x->s), &x->opts, um_sio_loop(x->s), gathered, later_new(x)); }
static void rooms(struct order *x) { um_sio_rooms(x->sio, um_sio_namespace(x->s), um_sio_loop(x->s), gathered, later_new(x)); }

static void others_join(struct order *x)
{
    struct um_span names[NAMES_MAX];
    json_t *list = json_loadb((const char *)x->payload.data, x->payload.len, 0, NULL);
    size_t n = read_names(list, names);

    um_sio_sockets_join(x->sio, um_sio_namespace(x->s), &x->opts, names, n);
    json_decref(list);
    done(x);
}

static void others_leave(struct order *x)
{
    struct um_span names[NAMES_MAX];
    json_t *list = json_loadb((const char *)x->payload.data, x->payload.len, 0, NULL);
    size_t n = read_names(list, names);

    um_sio_sockets_leave(x->sio, um_sio_namespace(x->s), &x->opts, names, n);
    json_decref(list);
    done(x);
}

static void others_disconnect(struct order *x)
{
    done(x);
    um_sio_sockets_disconnect(x->sio, um_sio_namespace(x->s), &x->opts, um_span_eq(x->payload, UM_SPAN("true", 4)));
}

static void server_emit(struct order *x)
{
    struct um_sio_data *event = with_binary(x, x->payload);

    if (event != NULL && x->e->wants_ack)
        um_sio_server_emit_ack(x->sio, um_sio_namespace(x->s), event, um_sio_loop(x->s), gathered, later_new(x));
    else if (event != NULL)
        um_sio_server_emit(x->sio, um_sio_namespace(x->s), event);
    um_sio_data_unref(event);
}

static void echo(struct order *x)
{
    struct um_span all = um_bytes_span(x->e->args->json), e;
    struct um_buf b = { 0 };
    struct um_sio_data *d;
    size_t pos = 0;

    (void)um_sio_each(all, &pos, &e);
    um_buf_puts(&b, "[");
    while (um_sio_each(all, &pos, &e)) {
        um_buf_puts(&b, b.len > 1 ? "," : "");
        um_buf_put(&b, e.data, e.len);
    }
    um_buf_puts(&b, "]");
    if (x->e->wants_ack && (d = with_binary(x, UM_SPAN(b.data, b.len))) != NULL) {
        um_sio_ack(x->s, x->e->ack_id, d);
        um_sio_data_unref(d);
    }
    um_buf_free(&b);
}

/* Asks the client itself, and answers with what it said. */
static void ask_me(struct order *x)
{
    struct um_sio_data *event = with_binary(x, x->payload);

    if (event != NULL)
        um_sio_emit_ack(x->s, event, x->opts.timeout_ms, asked, later_new(x));
    um_sio_data_unref(event);
}

static void set_data(struct order *x)
{
    um_sio_set_data(x->s, x->payload);
    done(x);
}

static void bye(struct order *x) { um_sio_disconnect(x->s, json_is_true(x->first)); }

static const struct { const char *name; void (*run)(struct order *x); } orders[] = {
    { "join", join },                     /* [room...] */
    { "leave", leave },                   /* [room...] */
    { "cast", cast },                     /* options, [event...] */
    { "cast-ack", cast_ack },             /* options, [event...]; answers [values], missing */
    { "fetch", fetch },                   /* options */
    { "rooms", rooms },
    { "others-join", others_join },       /* options, [room...] */
    { "others-leave", others_leave },
    { "others-disconnect", others_disconnect },   /* options, close */
    { "server-emit", server_emit },       /* [event...] */
    { "echo", echo },                     /* anything */
    { "ask-me", ask_me },                 /* options, [event...] */
    { "set-data", set_data },             /* anything */
    { "bye", bye },                       /* close */
};

static void on_event(void *arg, struct um_sio_socket *s, const struct um_sio_event *e)
{
    struct order x = { .sio = arg, .s = s, .e = e };
    struct um_span all = um_bytes_span(e->args->json), first = UM_SPAN("null", 4);
    size_t pos = 0;

    (void)um_sio_each(all, &pos, &first);
    if (!um_sio_each(all, &pos, &first))
        first = UM_SPAN("null", 4);
    if (!um_sio_each(all, &pos, &x.payload))
        x.payload = first;
    x.first = json_loadb((const char *)first.data, first.len, JSON_DECODE_ANY, NULL);
    read_opts(&x);
    for (size_t i = 0; i < UM_COUNT(orders); i++)
        if (strcmp(orders[i].name, e->name) == 0) {
            orders[i].run(&x);
            break;
        }
    json_decref(x.first);
}

/* --- who may come in: {"refuse": message, "data": any}, {"silent": true}: no answer at all --------------------------------------------- */

static void on_connecting(void *arg, struct um_sio_socket *s, const struct um_sio_event *e)
{
    struct um_span text = um_bytes_span(e->args->json);
    json_t *auth = json_loadb((const char *)text.data, text.len, 0, NULL);
    const char *why = json_string_value(json_object_get(auth, "refuse"));
    char *data = json_dumps(json_object_get(auth, "data"), JSON_COMPACT | JSON_ENCODE_ANY);

    (void)arg;
    if (why != NULL)
        um_sio_refuse(s, why, data != NULL ? UM_SPAN_STR(data) : UM_SPAN("", 0));
    else if (!json_is_true(json_object_get(auth, "silent")))
        um_sio_admit(s);
    free(data);
    json_decref(auth);
}

static void on_server_event(void *arg, const char *nsp, struct um_sio_data *event, struct um_sio_reply *reply)
{
    struct um_sio_opts all = { .flags = UM_SIO_LOCAL };
    struct um_sio_data *d = um_sio_data_text("\"umbel\"");

    um_sio_broadcast(arg, nsp, event, &all);
    if (reply != NULL)
        um_sio_reply(reply, d);
    um_sio_data_unref(d);
}

void sio_add_lab(struct um_sio *s)
{
    static const struct um_sio_handlers handlers = { .on_connecting = on_connecting, .on_event = on_event, .on_server_event = on_server_event };

    um_sio_add_namespace(s, "/lab", UM_SIO_ANYBODY, &handlers, s);
    um_sio_add_namespace(s, "/lab-*", UM_SIO_ANYBODY, &handlers, s);
}
