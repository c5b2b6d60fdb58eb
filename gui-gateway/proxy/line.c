/* The life of a line.
 *
 *   DIALLING --connected--> SHAKING --101--> OPEN --um_line_free--> LEAVING --on_close--> (freed)
 *       |                      |              |
 *       +------ on_failed -----+              +-- on_close
 *
 * DIALLING and SHAKING have one deadline together. */
#include <proxy/line.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <proxy/dial.h>

/* What only the opening needs. */
struct opening {
    struct um_dial *dial;
    struct um_io io;
    struct um_timer deadline;
    int fd;
    struct um_buf out, in;
    char *target, *protocols, *headers;
    char key[UM_HANDSHAKE_KEY_LEN + 1];
};
struct um_line {
    struct um_list link;                  /* in um_lines.leaving */
    struct um_lines *ls;
    struct um_loop *loop;
    struct um_core *core;
    struct opening *opening;              /* DIALLING, SHAKING */
    struct um_ws *ws;                     /* OPEN, LEAVING */
    const struct um_line_handler *handler;
    void *arg;
    struct um_defer reap;
    bool dead;
    char protocol[UM_HANDSHAKE_PROTOCOL_MAX];
};

static void end_opening(struct um_line *l)
{
    struct opening *o = l->opening;

    if (o == NULL)
        return;
    um_dial_cancel(o->dial);
    um_io_stop(l->loop, &o->io);
    um_timer_stop(l->loop, &o->deadline);
    if (o->fd >= 0)
        close(o->fd);
    um_buf_free(&o->out);
    um_buf_free(&o->in);
    free(o->target);
    free(o->protocols);
    free(o->headers);
    free(o);
    l->opening = NULL;
}

static void reap(void *arg)
{
    free(arg);
}

/* Its caller may stand in a callback of the line. */
static void destroy(struct um_line *l)
{
    end_opening(l);
    um_list_remove(&l->link);
    um_core_release(l->core);
    l->dead = true;
    um_loop_defer(l->loop, UM_PHASE_REAP, &l->reap);
}

/* ---- open ---- */

static void on_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    struct um_line *l = arg;
    l->handler->on_message(l->arg, kind, message);
}

static void on_drained(void *arg)
{
    struct um_line *l = arg;
    l->handler->on_drained(l->arg);
}

static void on_close(void *arg, unsigned code, struct um_span reason)
{
    struct um_line *l = arg;

    l->ws = NULL;
    l->handler->on_close(l->arg, code, reason);
}

static const struct um_ws_handler ws_handler = { on_message, on_drained, on_close };

static void left_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    (void)arg;
    (void)kind;
    (void)message;
}

static void left_close(void *arg, unsigned code, struct um_span reason)
{
    struct um_line *l = arg;

    (void)code;
    (void)reason;
    l->ws = NULL;
    if (!l->dead)
        destroy(l);
}

static const struct um_ws_handler left_handler = { left_message, NULL, left_close };

static void nobody_closed(void *arg, unsigned code, struct um_span reason)
{
    (void)arg;
    (void)code;
    (void)reason;
}

static const struct um_ws_handler nobody = { left_message, NULL, nobody_closed };

static void cut(struct um_line *l)
{
    if (l->ws != NULL) {
        um_ws_set_handler(l->ws, &nobody, NULL);
        um_ws_abort(l->ws);
        l->ws = NULL;
    }
    destroy(l);
}

void um_line_free(struct um_line *l, unsigned code, const char *why)
{
    if (l == NULL || l->dead)
        return;
    if (l->ws == NULL || code == 0) {
        cut(l);
        return;
    }
    um_ws_set_handler(l->ws, &left_handler, l);
    um_ws_pause(l->ws, false);
    um_list_append(&l->ls->leaving, &l->link);
    um_ws_close(l->ws, code, why);
}

/* ---- the opening ---- */

static void fail(struct um_line *l, bool answered, unsigned status, const char *why)
{
    um_core_note(l->core, answered, um_loop_now_ms(l->loop));
    end_opening(l);
    l->handler->on_failed(l->arg, status, why);
}

static void too_late(void *arg)
{
    fail(arg, false, 0, "the core does not answer");
}

static struct um_handshake handshake_of(const struct um_line *l)
{
    return (struct um_handshake){ .target = l->opening->target, .host = um_core_host(l->core), .key = l->opening->key,
                                  .protocols = l->opening->protocols, .block = l->opening->headers };
}

static void open_now(struct um_line *l, size_t head)
{
    struct opening *o = l->opening;
    int fd = o->fd;

    um_core_note(l->core, true, um_loop_now_ms(l->loop));
    um_io_stop(l->loop, &o->io);
    o->fd = -1;
    l->ws = um_ws_new_client(l->loop, fd, UM_SPAN(o->in.data + head, o->in.len - head), &l->ls->ws, &ws_handler, l);
    end_opening(l);
    if (l->ws == NULL)
        l->handler->on_failed(l->arg, 0, "out of memory");
    else
        l->handler->on_open(l->arg);
}

static void judge_answer(struct um_line *l)
{
    struct um_handshake h = handshake_of(l);
    struct um_handshake_answer answer;

    switch (um_handshake_read(UM_SPAN(l->opening->in.data, l->opening->in.len), &h, &answer)) {
    case UM_HANDSHAKE_MORE:
        return;
    case UM_HANDSHAKE_BAD:
        fail(l, false, 0, "the core's answer is no WebSocket handshake");
        return;
    case UM_HANDSHAKE_REFUSED:
        fail(l, true, answer.status, "the core refuses connections at the moment");
        return;
    case UM_HANDSHAKE_OPEN:
        break;
    }
    memcpy(l->protocol, answer.protocol, sizeof(l->protocol));
    open_now(l, answer.len);
}

/* False: the connection to the core broke. */
static bool read_answer(struct um_line *l)
{
    struct opening *o = l->opening;
    size_t room = UM_HANDSHAKE_MAX_BYTES - o->in.len;
    uint8_t *at = um_buf_room(&o->in, room);
    ssize_t n = at != NULL ? recv(o->fd, at, room, MSG_DONTWAIT) : -1;

    if (n > 0)
        um_buf_advance(&o->in, (size_t)n);
    return n > 0 || (n < 0 && at != NULL && (errno == EAGAIN || errno == EINTR));
}

static bool write_request(struct um_line *l)
{
    struct opening *o = l->opening;
    ssize_t n = o->out.len > 0 ? send(o->fd, o->out.data, o->out.len, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;

    if (n > 0)
        um_buf_consume(&o->out, (size_t)n);
    um_io_want(l->loop, &o->io, UM_READ | (o->out.len > 0 ? UM_WRITE : 0));
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void core_ready(void *arg, unsigned events)
{
    struct um_line *l = arg;

    if (((events & UM_WRITE) && !write_request(l)) || ((events & (UM_READ | UM_HUP)) && !read_answer(l)))
        fail(l, false, 0, "the core broke off the handshake");
    else if (events & (UM_READ | UM_HUP))
        judge_answer(l);
}

static void dialled(void *arg, um_err err, int fd)
{
    struct um_line *l = arg;
    struct um_handshake h;

    l->opening->dial = NULL;
    l->opening->fd = fd;
    if (err != UM_OK) {
        fail(l, false, 0, "the core cannot be reached at the moment");
        return;
    }
    h = handshake_of(l);
    um_handshake_write(&l->opening->out, &h);
    if (l->opening->out.failed || um_io_start(l->loop, &l->opening->io, fd, UM_READ | UM_WRITE, core_ready, l) != UM_OK)
        fail(l, true, 0, "no room on the loop");
}

struct um_line *um_line_new(struct um_lines *ls, struct um_core *core, const struct um_line_order *order,
                            const struct um_line_handler *handler, void *arg)
{
    struct um_line *l = um_xcalloc(1, sizeof(*l));
    struct opening *o = l->opening = um_xcalloc(1, sizeof(*o));

    l->ls = ls;
    l->loop = um_upstream_loop(ls->up);
    l->core = core;
    um_core_hold(core);
    l->handler = handler;
    l->arg = arg;
    um_list_init(&l->link);
    um_defer_init(&l->reap, reap, l);
    o->fd = -1;
    o->target = um_xstrdup(order->target);
    o->protocols = order->protocols != NULL ? um_xstrdup(order->protocols) : NULL;
    o->headers = um_xstrdup(order->headers);
    um_handshake_key(o->key);
    if ((o->dial = um_dial_start(ls->up, core, dialled, l)) == NULL) {
        destroy(l);
        return NULL;
    }
    um_timer_set(l->loop, &o->deadline, order->timeout_ms, too_late, l);
    return l;
}

void um_line_set_handler(struct um_line *l, const struct um_line_handler *handler, void *arg)
{
    l->handler = handler;
    l->arg = arg;
}

struct um_core *um_line_core(const struct um_line *l) { return l->core; }
const char *um_line_protocol(const struct um_line *l) { return l->protocol; }
struct um_ws *um_line_ws(const struct um_line *l) { return l->ws; }

void um_lines_init(struct um_lines *ls, struct um_upstream *up, const struct um_ws_conf *ws)
{
    ls->up = up;
    ls->ws = *ws;
    um_list_init(&ls->leaving);
}

void um_lines_end(struct um_lines *ls)
{
    UM_LIST_EACH_SAFE(it, &ls->leaving)
        cut(UM_CONTAINER(it, struct um_line, link));
}
