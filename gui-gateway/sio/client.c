/* One client: what its messages are, packet by packet, and whose. Whoever breaks the rules of the protocol is closed. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

#include "server_int.h"

struct sio_partial {
    struct um_bytes *text;                /* of the packet, kept for it */
    struct sio_packet packet;             /* into the text */
    struct um_bytes *att[UM_SIO_ATTACHMENTS_MAX];
    unsigned n;
};

static void drop_partial(struct sio_client *c)
{
    struct sio_partial *p = c->partial;

    if (p == NULL)
        return;
    for (unsigned i = 0; i < p->n; i++)
        um_bytes_unref(p->att[i]);
    um_bytes_unref(p->text);
    free(p);
    c->partial = NULL;
}

void sio_client_fail(struct sio_client *c, const char *why)
{
    sio_count(SIO_M_BAD, 1);
    um_log_limited(UM_INFO, "sio", "client closed", UM_S("why", why), UM_S("user", eio_who(c->session)->user));
    eio_close(c->session, "forced close");
}

void sio_client_send_away(struct eio_session *session, void *client)
{
    struct sio_client *c = client;

    for (uint32_t i = 0; i < c->n; i++)
        if (c->socket[i]->state == SIO_IS_CONNECTED) {
            um_sio_disconnect(c->socket[i], true);
            return;
        }
    eio_close(session, "forced server close");
}

/* --- sockets of a client ---------------------------------------------------------------------------------------------- */

static struct um_sio_socket *socket_of(const struct sio_client *c, struct um_span nsp)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (um_span_eq(nsp, UM_SPAN_STR(c->socket[i]->nsp->name)))
            return c->socket[i];
    return NULL;
}

void sio_client_remove(struct sio_client *c, struct um_sio_socket *s)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->socket[i] == s) {
            c->socket[i] = c->socket[--c->n];
            return;
        }
}

static void invalid_namespace(struct sio_client *c, struct um_span nsp)
{
    char *name = um_xstrndup((const char *)nsp.data, nsp.len);
    struct sio_head head = { SIO_CONNECT_ERROR, name, false, 0 };
    struct um_sio_data *d = um_sio_data_text("{\"message\":\"Invalid namespace\"}");
    struct eio_out *o = d != NULL ? sio_encode(&head, d, UM_SPAN("", 0)) : NULL;

    sio_count(SIO_M_CONNECT_REFUSED, 1);
    if (o != NULL)
        eio_send(c->session, o, 0);
    eio_out_unref(o);
    um_sio_data_unref(d);
    free(name);
}

static void take_connect(struct sio_client *c, const struct sio_packet *p)
{
    struct um_span auth = p->data.len > 0 ? p->data : UM_SPAN("{}", 2);
    struct um_sio_socket *s;
    struct sio_nsp *nsp;

    if (socket_of(c, p->nsp) != NULL) {
        sio_client_fail(c, "connects twice");
        return;
    }
    if (c->n >= (uint32_t)c->hub->sio->conf->max_namespaces) {
        sio_count(SIO_M_LIMIT_NAMESPACES, 1);
        sio_client_fail(c, "too many namespaces");
        return;
    }
    if ((nsp = sio_nsp_need(c->hub, p->nsp)) == NULL) {
        invalid_namespace(c, p->nsp);
        return;
    }
    s = sio_socket_new(c, nsp, um_sio_data_new(um_bytes_dup(auth.data, auth.len), NULL, 0));
    if (c->n == c->cap) {
        c->cap = c->cap == 0 ? 1 : c->cap * 2;
        c->socket = um_xrealloc(c->socket, c->cap * sizeof(struct um_sio_socket *));
    }
    c->socket[c->n++] = s;
    sio_socket_start(s);
}

/* --- packets ------------------------------------------------------------------------------------------------------------- */

static void take_packet(struct sio_client *c, const struct sio_packet *p, struct um_bytes *const *att)
{
    struct um_sio_socket *s;
    struct um_sio_data *args;

    if (p->type == SIO_CONNECT) {
        take_connect(c, p);
        return;
    }
    s = socket_of(c, p->nsp);
    if (s == NULL || s->state != SIO_IS_CONNECTED || p->type == SIO_CONNECT_ERROR) {
        sio_client_fail(c, "not connected to the namespace");
    } else if (p->type == SIO_DISCONNECT) {
        sio_socket_gone(s, "client namespace disconnect");
    } else {
        for (unsigned i = 0; i < p->n_att; i++)
            um_bytes_ref(att[i]);
        args = um_sio_data_new(p->data.len > 0 ? um_bytes_dup(p->data.data, p->data.len) : um_bytes_dup("[]", 2), att, p->n_att);
        if (args == NULL)
            sio_client_fail(c, "no memory for a packet");
        else
            sio_socket_event(s, p, args);
        um_sio_data_unref(args);
    }
}

static void begin_partial(struct sio_client *c, struct um_span text)
{
    struct sio_partial *p = calloc(1, sizeof(*p));
    const char *why;

    if (p == NULL || (p->text = um_bytes_dup(text.data, text.len)) == NULL ||
        sio_packet_decode(um_bytes_span(p->text), &p->packet, &why) != UM_OK) {
        free(p);
        sio_client_fail(c, "no memory for a packet");
        return;
    }
    c->partial = p;
}

static void take_attachment(struct sio_client *c, struct um_span data)
{
    struct sio_partial *p = c->partial;

    if (p == NULL) {
        sio_client_fail(c, "binary data without a packet");
        return;
    }
    if ((p->att[p->n] = um_bytes_dup(data.data, data.len)) == NULL) {
        sio_client_fail(c, "no memory for a packet");
        return;
    }
    if (++p->n < p->packet.n_att)
        return;
    c->partial = NULL;                    /* C may be gone after the packet */
    take_packet(c, &p->packet, p->att);
    for (unsigned i = 0; i < p->n; i++)
        um_bytes_unref(p->att[i]);
    um_bytes_unref(p->text);
    free(p);
}

static void on_message(void *app, bool is_binary, struct um_span data)
{
    struct sio_client *c = app;
    struct sio_packet p;
    const char *why = NULL;

    if (is_binary)
        take_attachment(c, data);
    else if (c->partial != NULL)
        sio_client_fail(c, "text among attachments");
    else if (sio_packet_decode(data, &p, &why) != UM_OK)
        sio_client_fail(c, why);
    else if (p.n_att > 0)
        begin_partial(c, data);
    else
        take_packet(c, &p, NULL);
}

/* --- life ----------------------------------------------------------------------------------------------------------------- */

static void nothing_joined(void *arg)
{
    struct sio_client *c = arg;

    for (uint32_t i = 0; i < c->n; i++)
        if (c->socket[i]->state == SIO_IS_CONNECTED)
            return;
    sio_count(SIO_M_CONNECT_TIMEOUT, 1);
    eio_close(c->session, "forced close");
}

static void *on_open(void *arg, struct eio_session *session)
{
    struct sio_hub *h = arg;
    struct sio_client *c = um_xcalloc(1, sizeof(*c));

    c->hub = h;
    c->session = session;
    um_timer_set(h->loop, &c->timer, h->sio->conf->connect_timeout_ms, nothing_joined, c);
    return c;
}

static void on_close(void *app, const char *reason)
{
    struct sio_client *c = app;

    while (c->n > 0)
        sio_socket_gone(c->socket[c->n - 1], reason);
    um_timer_stop(c->hub->loop, &c->timer);
    drop_partial(c);
    free(c->socket);
    free(c);
}

const struct eio_app sio_client_app = { on_open, on_message, on_close };
