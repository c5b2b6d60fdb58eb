/* One client in one namespace.
 *
 *   CONNECTING --admitted, recovered--> CONNECTED --left, closed--> GONE (freed at the end of the turn)
 *       +------------- refused, left, closed ------------------------^ */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "server_int.h"

#define NO_OFFSET UM_SPAN("", 0)

static void send_packet(const struct um_sio_socket *s, const struct sio_head *head, const struct um_sio_data *data, struct um_span offset,
                        unsigned flags)
{
    struct eio_out *o = sio_encode(head, data, offset);

    if (o == NULL)
        um_log_limited(UM_ERROR, "sio", "no memory for a packet");
    else
        eio_send(s->client->session, o, flags);
    eio_out_unref(o);
}

static void send_text(const struct um_sio_socket *s, enum sio_type type, const char *json)
{
    struct sio_head head = { type, s->nsp->name, false, 0 };
    struct um_sio_data *d = json != NULL ? um_sio_data_text(json) : NULL;

    send_packet(s, &head, d, NO_OFFSET, 0);
    um_sio_data_unref(d);
}

/* --- life ----------------------------------------------------------------------------------------------------------------- */

struct um_sio_socket *sio_socket_new(struct sio_client *c, struct sio_nsp *nsp, struct um_sio_data *auth)
{
    struct um_sio_socket *s = um_xcalloc(1, sizeof(*s));

    s->client = c;
    s->nsp = nsp;
    s->auth = auth;
    um_list_init(&s->link);
    um_list_init(&s->dirty);
    um_list_init(&s->acks);
    sio_id_random(s->id);
    if (sio_recovers(c->hub->sio))
        sio_id_random(s->pid);
    return s;
}

static void reap(void *arg)
{
    struct um_sio_socket *s = arg;

    um_sio_data_unref(s->auth);
    um_bytes_unref(s->data);
    free(s->place);
    free(s);
}

static bool may_come_back(const char *reason)
{
    return strstr(reason, "namespace disconnect") == NULL && strcmp(reason, "parse error") != 0;
}

static void end(struct um_sio_socket *s, const char *reason)
{
    const struct um_sio_handlers *h = s->nsp->row->handlers;
    bool was_connected = s->state == SIO_IS_CONNECTED;

    if (s->state == SIO_IS_GONE)
        return;
    s->state = SIO_IS_GONE;
    if (was_connected)
        sio_save_gone(s, may_come_back(reason));
    sio_restore_cancel(s);
    um_list_remove(&s->dirty);
    if (was_connected)
        sio_nsp_exit(s);
    sio_client_remove(s->client, s);
    sio_acks_forget(s);
    if (s->told && h->on_disconnect != NULL)
        h->on_disconnect(s->nsp->row->arg, s, reason);
    um_defer_init(&s->reap, reap, s);
    um_loop_defer(s->nsp->hub->loop, UM_PHASE_REAP, &s->reap);
}

void sio_socket_gone(struct um_sio_socket *s, const char *reason)
{
    end(s, reason);
}

static void tell_connected(struct um_sio_socket *s)
{
    const struct um_sio_handlers *h = s->nsp->row->handlers;
    struct um_sio_event e = { "", s->auth, false, 0 };

    s->told = true;
    if (h->on_connect != NULL)
        h->on_connect(s->nsp->row->arg, s, &e);
    if (s->state != SIO_IS_GONE) {        /* otherwise the reap step does it */
        um_sio_data_unref(s->auth);
        s->auth = NULL;
    }
}

void um_sio_admit(struct um_sio_socket *s)
{
    char answer[96];

    if (s->state != SIO_IS_CONNECTING)
        return;
    s->state = SIO_IS_CONNECTED;
    sio_nsp_enter(s);
    um_timer_stop(s->nsp->hub->loop, &s->client->timer);
    snprintf(answer, sizeof(answer), s->pid[0] != '\0' ? "{\"sid\":\"%s\",\"pid\":\"%s\"}" : "{\"sid\":\"%s\"}", s->id, s->pid);
    send_text(s, SIO_CONNECT, answer);
    sio_save_soon(s);
    tell_connected(s);
}

void um_sio_refuse(struct um_sio_socket *s, const char *message, struct um_span data)
{
    struct um_buf b = { 0 };

    if (s->state != SIO_IS_CONNECTING)
        return;
    sio_count(SIO_M_CONNECT_REFUSED, 1);
    um_buf_puts(&b, "{\"message\":\"");
    um_json_escape(&b, UM_SPAN_STR(message));
    um_buf_puts(&b, "\"");
    if (data.len > 0) {
        um_buf_puts(&b, ",\"data\":");
        um_buf_put(&b, data.data, data.len);
    }
    um_buf_puts(&b, "}");
    send_text(s, SIO_CONNECT_ERROR, um_buf_cstr(&b));
    um_buf_free(&b);
    end(s, "refused");
}

void sio_socket_start(struct um_sio_socket *s)
{
    const struct sio_row *row = s->nsp->row;
    struct um_sio_event e = { "", s->auth, false, 0 };

    if (row->rule == UM_SIO_SESSION && !s->nsp->hub->sio->conf->allow_anonymous && um_sio_who(s)->user == NULL) {
        um_sio_refuse(s, "Not authenticated", UM_SPAN("", 0));
    } else if (sio_restore_begin(s)) {
        return;
    } else if (row->handlers->on_connecting != NULL) {
        s->told = true;
        row->handlers->on_connecting(row->arg, s, &e);
    } else {
        um_sio_admit(s);
    }
}

void um_sio_disconnect(struct um_sio_socket *s, bool close)
{
    struct sio_client *c = s->client;

    if (s->state != SIO_IS_CONNECTED)
        return;
    if (!close) {
        send_text(s, SIO_DISCONNECT, NULL);
        end(s, "server namespace disconnect");
        return;
    }
    for (uint32_t i = 0; i < c->n; i++)
        send_text(c->socket[i], SIO_DISCONNECT, NULL);
    while (c->n > 0)
        end(c->socket[c->n - 1], "server namespace disconnect");
    eio_close(c->session, "forced server close");
}

/* --- events ------------------------------------------------------------------------------------------------------------------ */

/* Into the hub's buffer: valid until its next event. */
static const char *event_name(const struct um_sio_socket *s, struct um_span args)
{
    size_t need = (size_t)s->nsp->hub->sio->conf->max_event_name + 1;
    char *name = s->nsp->hub->name;
    struct um_span e;
    size_t pos = 0;

    if (!um_sio_each(args, &pos, &e))
        return NULL;
    if (e.data[0] == '"')
        return um_sio_string(e, name, need) ? name : NULL;
    if (e.len >= need)
        return NULL;
    memcpy(name, e.data, e.len);
    name[e.len] = '\0';
    return name;
}

void sio_socket_event(struct um_sio_socket *s, const struct sio_packet *p, struct um_sio_data *args)
{
    const struct sio_row *row = s->nsp->row;
    struct um_sio_event e = { NULL, args, p->has_id, p->id };

    if (p->type == SIO_ACK) {
        if (p->has_id)
            sio_acks_take(s, p->id, args);
        return;
    }
    sio_count(SIO_M_EVENTS_IN, 1);
    if ((e.name = event_name(s, um_bytes_span(args->json))) == NULL) {
        sio_count(SIO_M_LIMIT_NAME, 1);
        sio_client_fail(s->client, "name of an event too long, or not to be read");
    } else if (row->handlers->on_event != NULL) {
        row->handlers->on_event(row->arg, s, &e);
    }
}

void um_sio_emit(struct um_sio_socket *s, struct um_sio_data *event, unsigned flags)
{
    struct sio_head head = { SIO_EVENT, s->nsp->name, false, 0 };
    struct um_span own = UM_SPAN(s->id, SIO_ID_LEN);
    struct um_sio_opts o = { .rooms = &own, .n_rooms = 1, .flags = flags | UM_SIO_LOCAL };

    if (s->state != SIO_IS_CONNECTED)
        return;
    if (sio_recovers(s->nsp->hub->sio))
        um_sio_broadcast(s->nsp->hub->sio, s->nsp->name, event, &o);      /* kept for it, with an offset */
    else
        send_packet(s, &head, event, NO_OFFSET, flags & UM_SIO_VOLATILE ? EIO_VOLATILE : 0);
}

void um_sio_ack(struct um_sio_socket *s, uint64_t ack_id, struct um_sio_data *args)
{
    struct sio_head head = { SIO_ACK, s->nsp->name, true, ack_id };

    if (s->state == SIO_IS_CONNECTED)
        send_packet(s, &head, args, NO_OFFSET, 0);
}

struct single { um_sio_acked *cb; void *arg; bool answered; };

static void single_value(void *arg, struct um_sio_data *args)
{
    struct single *one = arg;

    one->answered = true;
    one->cb(one->arg, args);
}

static void single_done(void *arg, unsigned n_missing)
{
    struct single *one = arg;

    (void)n_missing;
    if (!one->answered)
        one->cb(one->arg, NULL);
    free(one);
}

void um_sio_emit_ack(struct um_sio_socket *s, struct um_sio_data *event, int64_t timeout_ms, um_sio_acked *cb, void *arg)
{
    struct sio_hub *h = s->nsp->hub;
    struct sio_head head = { SIO_EVENT, s->nsp->name, true, atomic_fetch_add(&h->sio->next_ack, 1) };
    struct single *one = um_xcalloc(1, sizeof(*one));
    struct sio_waiter waiter = { single_value, single_done, one };
    struct sio_wait *w;

    *one = (struct single){ cb, arg, false };
    w = sio_wait_new(h, head.id, timeout_ms, &waiter);
    if (s->state == SIO_IS_CONNECTED && sio_wait_add(w, s))
        send_packet(s, &head, event, UM_SPAN_STR(s->nsp->offset), 0);
    sio_wait_armed(w);
}

/* --- what it is ----------------------------------------------------------------------------------------------------------------- */

const char *um_sio_id(const struct um_sio_socket *s) { return s->id; }
const char *um_sio_namespace(const struct um_sio_socket *s) { return s->nsp->name; }
const struct um_sio_who *um_sio_who(const struct um_sio_socket *s) { return eio_who(s->client->session); }
struct um_loop *um_sio_loop(const struct um_sio_socket *s) { return s->nsp->hub->loop; }
bool um_sio_is_recovered(const struct um_sio_socket *s) { return s->recovered; }
void um_sio_set_arg(struct um_sio_socket *s, void *arg) { s->arg = arg; }
void *um_sio_arg(const struct um_sio_socket *s) { return s->arg; }

void um_sio_set_data(struct um_sio_socket *s, struct um_span json)
{
    um_bytes_unref(s->data);
    s->data = um_bytes_dup(json.data, json.len);
    sio_save_soon(s);
}

static void put_string(struct um_buf *out, struct um_span text)
{
    um_buf_puts(out, "\"");
    um_json_escape(out, text);
    um_buf_puts(out, "\"");
}

/* The auth payload is not shown: it has secrets. */
void sio_socket_put(const struct um_sio_socket *s, struct um_buf *out)
{
    struct um_span handshake = eio_handshake(s->client->session);

    um_buf_printf(out, "{\"id\":\"%s\",\"handshake\":%.*s,\"auth\":{}},\"rooms\":[\"%s\"", s->id, (int)handshake.len, (const char *)handshake.data,
                  s->id);
    for (uint32_t i = 0; i < s->n_places; i++) {
        um_buf_puts(out, ",");
        put_string(out, s->place[i].room->name);
    }
    um_buf_puts(out, "],\"data\":");
    if (s->data != NULL)
        um_buf_put(out, s->data->data, s->data->len);
    else
        um_buf_puts(out, "{}");
    um_buf_puts(out, "}");
}
