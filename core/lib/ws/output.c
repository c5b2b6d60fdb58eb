/* The way out: a queue of references per connection, one vectored write per socket and loop turn.
 *
 * A frame for many readers is one buffer with a reference per reader. A queue of one entry needs no memory of its own,
 * a longer one a ring that goes away when it has run empty. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <umbel/log.h>
#include "conn.h"

enum { RING_FIRST = 16, MAX_IOVECS = 64 };

static struct um_bytes **queue_slot(struct um_ws *ws, uint32_t i)
{
    return ws->q_cap <= 1 ? &ws->q.one : &ws->q.ring[(ws->q_head + i) & (ws->q_cap - 1)];
}

static bool grow_ring(struct um_ws *ws)
{
    uint32_t cap = ws->q_cap < RING_FIRST ? RING_FIRST : ws->q_cap * 2;
    struct um_bytes **ring = malloc(cap * sizeof(struct um_bytes *));

    if (ring == NULL)
        return false;
    for (uint32_t i = 0; i < ws->q_n; i++)
        ring[i] = *queue_slot(ws, i);
    if (ws->q_cap > 1)
        free(ws->q.ring);
    ws->q.ring = ring;
    ws->q_cap = cap;
    ws->q_head = 0;
    return true;
}

static void release_ring(struct um_ws *ws)
{
    if (ws->q_cap > 1)
        free(ws->q.ring);
    ws->q.one = NULL;
    ws->q_cap = ws->q_head = ws->q_n = 0;
}

bool ws_queue(struct um_ws *ws, struct um_bytes *b)
{
    if (b == NULL)
        return false;
    if (ws->q_cap == 0)
        ws->q_cap = 1;
    else if (ws->q_n == ws->q_cap && !grow_ring(ws)) {
        um_bytes_unref(b);
        return false;
    }
    if (ws->q_n == 0)
        ws->progress_at_ms = um_loop_now_ms(ws->loop);
    *queue_slot(ws, ws->q_n++) = b;
    ws->queued += b->len;
    ws_flush_soon(ws);
    return true;
}

void ws_flush_soon(struct um_ws *ws)
{
    if (ws->state != WS_DEAD)
        um_loop_defer(ws->loop, UM_PHASE_FLUSH, &ws->defer);
}

void ws_drop_unsent(struct um_ws *ws)
{
    while (ws->q_n > (ws->q_done > 0 ? 1u : 0u)) {
        struct um_bytes *b = *queue_slot(ws, --ws->q_n);

        ws->queued -= b->len;
        um_bytes_unref(b);
    }
    if (ws->q_n == 0)
        release_ring(ws);
}

void ws_free_output(struct um_ws *ws)
{
    for (uint32_t i = 0; i < ws->q_n; i++)
        um_bytes_unref(*queue_slot(ws, i));
    release_ring(ws);
    ws->queued = ws->q_done = 0;
}

/* N bytes are on the wire. */
static void advance(struct um_ws *ws, size_t n)
{
    ws->queued -= n;
    ws->stats.bytes_out += n;
    n += ws->q_done;
    while (ws->q_n > 0) {
        struct um_bytes *b = *queue_slot(ws, 0);

        if (n < b->len)
            break;
        n -= b->len;
        if (ws->q_cap > 1)
            ws->q_head = (ws->q_head + 1) & (ws->q_cap - 1);
        ws->q_n--;
        um_bytes_unref(b);
    }
    ws->q_done = n;
    ws->progress_at_ms = um_loop_now_ms(ws->loop);
    if (ws->q_n == 0)
        release_ring(ws);
}

static ssize_t write_some(struct um_ws *ws, size_t *wanted)
{
    struct iovec iov[MAX_IOVECS];
    struct msghdr m = { .msg_iov = iov };
    uint32_t n = UM_MIN(ws->q_n, (uint32_t)MAX_IOVECS);
    size_t skip = ws->q_done;
    ssize_t sent;

    *wanted = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct um_bytes *b = *queue_slot(ws, i);

        iov[i] = (struct iovec){ b->data + skip, b->len - skip };
        *wanted += iov[i].iov_len;
        skip = 0;
    }
    m.msg_iovlen = n;
    do
        sent = n == 1 ? send(ws->io.fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)       /* cheaper */
                      : sendmsg(ws->io.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    return sent;
}

/* Until the queue is empty or the socket full. False: the connection broke. */
static bool write_all(struct um_ws *ws)
{
    int64_t bytes = 0, frames = ws->q_n, writes = 0;
    bool ok = true;

    while (ws->q_n > 0) {
        size_t wanted;
        ssize_t sent = write_some(ws, &wanted);

        if (sent < 0) {
            ok = errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS;
            break;
        }
        advance(ws, (size_t)sent);
        bytes += sent;
        writes++;
        if ((size_t)sent < wanted)
            break;
    }
    if (writes > 0) {
        ws_count(WS_M_BYTES_OUT, bytes);
        ws_count(WS_M_FRAMES_OUT, frames - ws->q_n);
        ws_count(WS_M_WRITES, writes);
    }
    return ok;
}

void ws_flush(void *arg)
{
    struct um_ws *ws = arg;

    if (!write_all(ws)) {
        ws_die(ws, "write failed");
        return;
    }
    if (ws->q_n == 0 && ws->state == WS_ENDING) {
        shutdown(ws->io.fd, SHUT_WR);
        ws_go(ws, WS_LINGER, "all is sent");
    }
    ws_watch(ws);
    if (ws->q_n > 0)
        ws_arm(ws);                         /* the stall timeout may come before what the timer waits for */
    if (ws->above_high && ws->queued < (size_t)ws->cf->high_queued) {
        ws->above_high = false;
        if (ws->state == WS_OPEN && ws->handler->on_drained != NULL)
            ws->handler->on_drained(ws->arg);   /* last: it may detach or abort */
    }
}

/* The reader does not keep up: what waits for it is dropped, it is told to come again. */
static void overflow(struct um_ws *ws, enum ws_metric m, const char *why)
{
    ws_count(m, 1);
    um_log_limited(UM_INFO, "ws", why, UM_I("queued", ws->queued), UM_I("fd", ws->io.fd));
    ws_drop_unsent(ws);
    ws_end(ws, 1013, why);
}

void um_ws_send(struct um_ws *ws, struct um_bytes *frames)
{
    if (ws->state != WS_OPEN || frames == NULL || frames->len == 0)
        return;
    /* A lone message may be larger than the queue: it could never be sent otherwise. */
    if (ws->q_n > 0 && (ws->queued + frames->len > (size_t)ws->cf->max_queued || ws->q_n >= WS_QUEUE_MAX_ENTRIES)) {
        overflow(ws, WS_M_OVERFLOW, "queue overflow");
        return;
    }
    if (!ws_queue(ws, um_bytes_ref(frames))) {
        overflow(ws, WS_M_OVERFLOW, "no memory for the queue");
        return;
    }
    ws->stats.messages_out++;
    ws->sent_at_ms = um_loop_now_ms(ws->loop);
    if (ws->queued >= (size_t)ws->cf->high_queued)
        ws->above_high = true;
}

void um_ws_send_message(struct um_ws *ws, enum um_ws_kind kind, struct um_span payload)
{
    struct um_bytes *b;

    if (ws->state != WS_OPEN)
        return;
    b = ws->is_client ? um_ws_client_frame(kind, payload) : um_ws_frame(kind, payload);
    if (b == NULL) {
        overflow(ws, WS_M_OVERFLOW, "no memory for a frame");
        return;
    }
    um_ws_send(ws, b);
    um_bytes_unref(b);
}

void ws_stalled(struct um_ws *ws)
{
    overflow(ws, WS_M_STALLED, "stalled");
}

size_t um_ws_queued(const struct um_ws *ws)
{
    return ws->queued;
}

bool um_ws_is_congested(const struct um_ws *ws)
{
    return ws->queued >= (size_t)ws->cf->high_queued;
}
