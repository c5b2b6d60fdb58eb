/* The test endpoint: sends every message back, and reads no faster than the peer does. */
#include <stdlib.h>
#include <umbel/ws.h>

struct echo {
    struct um_ws *ws;
};

static void echo_message(void *arg, enum um_ws_kind kind, struct um_span payload)
{
    struct echo *e = arg;

    um_ws_send_message(e->ws, kind, payload);
    if (um_ws_is_congested(e->ws))
        um_ws_pause(e->ws, true);
}

static void echo_drained(void *arg)
{
    struct echo *e = arg;

    um_ws_pause(e->ws, false);
}

static void echo_close(void *arg, unsigned code, struct um_span reason)
{
    (void)code;
    (void)reason;
    free(arg);
}

static const struct um_ws_handler echo_handler = { echo_message, echo_drained, echo_close };

void um_ws_echo(struct um_loop *l, int fd, struct um_span early, const struct um_ws_conf *cf)
{
    struct echo *e = um_xcalloc(1, sizeof(*e));

    e->ws = um_ws_new(l, fd, early, cf, &echo_handler, e);
    if (e->ws == NULL)
        free(e);
}
