/* What the public test suites talk to: an echo of Engine.IO messages, and two namespaces of Socket.IO. */
#include <stdlib.h>
#include <string.h>

#include "server_int.h"

/* --- the echo ------------------------------------------------------------------------------------------------------------------ */

static void *echo_open(void *arg, struct eio_session *s)
{
    (void)arg;
    return s;
}

static void echo_message(void *app, bool is_binary, struct um_span data)
{
    struct um_buf b = { 0 };
    struct eio_out *o;

    if (!is_binary)
        um_buf_put_u8(&b, '4');
    um_buf_put(&b, data.data, data.len);
    o = eio_out_adopt(um_ws_frame(is_binary ? UM_WS_BINARY : UM_WS_TEXT, UM_SPAN(b.data, b.len)));
    if (o != NULL)
        eio_send(app, o, 0);
    eio_out_unref(o);
    um_buf_free(&b);
}

static void echo_close(void *app, const char *reason)
{
    (void)app;
    (void)reason;
}

const struct eio_app sio_echo_app = { echo_open, echo_message, echo_close };

/* --- the namespaces --------------------------------------------------------------------------------------------------------------- */

/* ARGS with another name: from the comma behind the first element on. */
static struct um_sio_data *renamed(struct um_sio_data *args, const char *head)
{
    struct um_span all = um_bytes_span(args->json), e = { NULL, 0 };
    struct um_buf b = { 0 };
    struct um_sio_data *d;
    size_t pos = 0;

    (void)um_sio_each(all, &pos, &e);
    while (*head == '\0' && pos < all.len && all.data[pos] != ',' && all.data[pos] != ']')
        pos++;
    if (*head == '\0' && all.data[pos] == ',')
        pos++;
    um_buf_printf(&b, "[%s", head);
    um_buf_put(&b, all.data + pos, all.len - pos);
    for (uint32_t i = 0; i < args->n_att; i++)
        um_bytes_ref(args->att[i]);
    d = um_sio_data_new(um_buf_to_bytes(&b), args->att, args->n_att);
    um_buf_free(&b);
    return d;
}

static void on_connect(void *arg, struct um_sio_socket *s, const struct um_sio_event *auth)
{
    struct um_span text = um_bytes_span(auth->args->json);
    struct um_buf b = { 0 };
    struct um_sio_data *d;

    (void)arg;
    um_buf_printf(&b, "[\"auth\",%.*s]", (int)text.len, (const char *)text.data);
    if ((d = um_sio_data_text(um_buf_cstr(&b))) != NULL)
        um_sio_emit(s, d, 0);
    um_sio_data_unref(d);
    um_buf_free(&b);
}

static void on_event(void *arg, struct um_sio_socket *s, const struct um_sio_event *e)
{
    struct um_sio_data *d = NULL;

    (void)arg;
    if (strcmp(e->name, "message") == 0 && (d = renamed(e->args, "\"message-back\"")) != NULL)
        um_sio_emit(s, d, 0);
    else if (strcmp(e->name, "message-with-ack") == 0 && e->wants_ack && (d = renamed(e->args, "")) != NULL)
        um_sio_ack(s, e->ack_id, d);
    um_sio_data_unref(d);
}

void sio_add_conformance(struct um_sio *s)
{
    static const struct um_sio_handlers main_handlers = { .on_connect = on_connect, .on_event = on_event };
    static const struct um_sio_handlers custom_handlers = { .on_connect = on_connect };

    um_sio_add_namespace(s, "/", UM_SIO_ANYBODY, &main_handlers, NULL);
    um_sio_add_namespace(s, "/custom", UM_SIO_ANYBODY, &custom_handlers, NULL);
}
