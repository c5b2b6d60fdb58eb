/* The way in: one read buffer per thread, frames unmasked where they lie, messages handed on without a copy when they
 * arrived whole. Only what is incomplete is kept with the connection. A large message is read straight into its buffer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "conn.h"

enum {
    SCRATCH = 64 * 1024,
    READ_BUDGET = 256 * 1024,           /* per socket and turn: the others wait */
    DIRECT_MIN = 16 * 1024,             /* from here on the rest of a frame is read into the message */
    GROW_AHEAD = 64 * 1024,
};

/* Scratch of the reading thread: nothing in it survives a call. */
static _Thread_local uint8_t scratch[SCRATCH];

void ws_free_input(struct um_ws *ws)
{
    free(ws->raw);
    free(ws->msg);
    ws->raw = ws->msg = NULL;
    ws->raw_len = 0;
    ws->msg_len = ws->msg_cap = 0;
}

bool ws_keep_raw(struct um_ws *ws, const uint8_t *p, size_t n)
{
    if (n == 0)
        return true;
    UM_ASSERT(ws->raw == NULL && n <= UINT32_MAX);
    ws->raw = malloc(n);
    if (ws->raw == NULL)
        return false;
    memcpy(ws->raw, p, n);
    ws->raw_len = (uint32_t)n;
    return true;
}

static bool refuse(struct um_ws *ws, enum ws_metric m, unsigned code, const char *why)
{
    ws_count(m, 1);
    um_log_limited(UM_INFO, "ws", "refused", UM_I("code", code), UM_S("why", why), UM_I("fd", ws->io.fd));
    ws_end(ws, code, why);
    return false;
}

/* --- the message under way ------------------------------------------------------------------------------- */

/* Room for N more bytes. The whole message is allocated at once when its length is known, but never more than twice what
 * has arrived and 64 KiB, for a length is only a claim. */
static bool grow_message(struct um_ws *ws, size_t n)
{
    size_t have = ws->msg_len + n;
    size_t known = ws->msg_len + (size_t)ws->frame_left;
    size_t want, cap;
    uint8_t *p;

    if (have <= ws->msg_cap)
        return true;
    want = ws->fin ? known : UM_MAX(known, have + have / 2);
    cap = UM_MAX(have, UM_MIN(want, 2 * have + GROW_AHEAD));
    p = realloc(ws->msg, cap);
    if (p == NULL)
        return refuse(ws, WS_M_TOO_BIG, 1011, "no memory for a message");
    ws->msg = p;
    ws->msg_cap = cap;
    return true;
}

/* Hands a message on. False: WS is not ours any more, or does not want another message now. */
static bool deliver(struct um_ws *ws, struct ws_cursor *c, struct um_span payload)
{
    enum um_ws_kind kind = (enum um_ws_kind)ws->kind;

    ws->kind = 0;
    ws->stats.messages_in++;
    ws_count(WS_M_MESSAGES_IN, 1);
    ws->handler->on_message(ws->arg, kind, payload);
    return !c->detached && ws->state == WS_OPEN && !ws->paused;
}

static bool end_message(struct um_ws *ws, struct ws_cursor *c)
{
    uint8_t *msg = ws->msg;
    size_t len = ws->msg_len;
    bool go;

    if (ws->state != WS_OPEN) {             /* we have closed: read on for the peer's Close only */
        ws->kind = 0;
        return true;
    }
    if (ws->kind == UM_WS_TEXT && ws->utf8 != 0)
        return refuse(ws, WS_M_UTF8, 1007, "text is not UTF-8");
    ws->msg = NULL;                         /* ours now: the callback may free the connection */
    ws->msg_len = ws->msg_cap = 0;
    go = deliver(ws, c, UM_SPAN(msg, len));
    free(msg);
    return go;
}

/* N payload bytes stand at the end of the message, still masked. */
static bool accept_payload(struct um_ws *ws, uint8_t *p, size_t n)
{
    ws->mask = ws_unmask(p, n, ws->mask);
    ws->frame_left -= n;
    ws->msg_len += n;
    if (ws->kind == UM_WS_TEXT) {
        ws->utf8 = um_utf8_feed(ws->utf8, p, n);
        if (ws->utf8 == UM_UTF8_BAD)
            return refuse(ws, WS_M_UTF8, 1007, "text is not UTF-8");
    }
    return true;
}

static bool end_frame(struct um_ws *ws, struct ws_cursor *c)
{
    if (ws->frame_left > 0)
        return true;
    ws->in_frame = false;
    return ws->fin ? end_message(ws, c) : true;
}

/* Payload of a frame that does not lie whole in the buffer, or belongs to a fragmented message. */
static bool take_payload(struct um_ws *ws, struct ws_cursor *c)
{
    size_t n = (size_t)(c->end - c->p);
    uint8_t *p = c->p;

    if (n > ws->frame_left)
        n = (size_t)ws->frame_left;
    if (n == 0 && ws->frame_left > 0)
        return false;
    c->p += n;
    if (ws->state != WS_OPEN) {
        ws->frame_left -= n;
    } else if (n > 0) {
        if (!grow_message(ws, n))
            return false;
        memcpy(ws->msg + ws->msg_len, p, n);
        if (!accept_payload(ws, ws->msg + ws->msg_len, n))
            return false;
    }
    return end_frame(ws, c);
}

/* --- frames ----------------------------------------------------------------------------------------------- */

/* The common case: a message in one frame that has arrived whole. */
static bool take_whole(struct um_ws *ws, struct ws_cursor *c)
{
    struct um_span payload = { c->p, (size_t)ws->frame_left };

    ws_unmask(c->p, payload.len, ws->mask);
    c->p += payload.len;
    ws->in_frame = false;
    ws->frame_left = 0;
    if (ws->kind == UM_WS_TEXT && !um_utf8_is_valid(payload.data, payload.len))
        return refuse(ws, WS_M_UTF8, 1007, "text is not UTF-8");
    return deliver(ws, c, payload);
}

static bool start_data(struct um_ws *ws, struct ws_cursor *c, const struct ws_header *h)
{
    bool first = h->opcode != WS_OP_CONTINUATION;

    if (first == (ws->kind != 0))
        return refuse(ws, WS_M_PROTOCOL, 1002, first ? "message inside a message" : "stray continuation");
    if (first) {
        ws->kind = h->opcode;
        ws->fragments = 0;
        ws->utf8 = 0;
    }
    if (++ws->fragments > (uint64_t)ws->cf->max_fragments)
        return refuse(ws, WS_M_TOO_MANY_FRAGMENTS, 1008, "too many fragments");
    if (h->len > (uint64_t)ws->cf->max_message || h->len > (uint64_t)ws->cf->max_message - ws->msg_len)
        return refuse(ws, WS_M_TOO_BIG, 1009, "message too big");
    ws->in_frame = true;
    ws->fin = h->fin;
    ws->frame_left = h->len;
    ws->mask = h->mask;
    if (first && h->fin && h->len <= (size_t)(c->end - c->p) && ws->state == WS_OPEN)
        return take_whole(ws, c);
    return take_payload(ws, c);
}

/* A token bucket as one moment: every frame moves it by 1/rate, a burst may move it that far ahead of now. */
static bool control_is_allowed(struct um_ws *ws)
{
    int64_t now_us = um_loop_now_ms(ws->loop) * 1000;
    int64_t step_us = 1000000 / ws->cf->control_rate;
    int64_t at_us = UM_MAX(ws->control_at_us, now_us);

    if (at_us - now_us > (ws->cf->control_burst - 1) * step_us)
        return false;
    ws->control_at_us = at_us + step_us;
    return true;
}

static bool take_close(struct um_ws *ws, struct um_span payload)
{
    unsigned code;

    if (payload.len == 1)
        return refuse(ws, WS_M_PROTOCOL, 1002, "close body of one byte");
    if (payload.len >= 2) {
        code = (unsigned)payload.data[0] << 8 | payload.data[1];
        if (!ws_close_code_is_valid(code))
            return refuse(ws, WS_M_PROTOCOL, 1002, "close code");
        if (!um_utf8_is_valid(payload.data + 2, payload.len - 2))
            return refuse(ws, WS_M_UTF8, 1007, "close reason is not UTF-8");
    }
    ws_end_by_peer(ws, payload);
    return false;
}

static bool take_control(struct um_ws *ws, struct ws_cursor *c, const struct ws_header *h)
{
    struct um_span payload = { c->p, (size_t)h->len };

    ws_unmask(c->p, payload.len, h->mask);
    c->p += payload.len;
    if (h->opcode == WS_OP_CLOSE)
        return take_close(ws, payload);
    if (!control_is_allowed(ws))
        return refuse(ws, WS_M_CONTROL_FLOOD, 1008, "too many control frames");
    if (h->opcode == WS_OP_PING && ws->state == WS_OPEN &&
        !ws_queue(ws, ws_control_frame(WS_OP_PONG, payload, ws->is_client)))
        return refuse(ws, WS_M_TOO_BIG, 1011, "no memory for a pong");
    if (ws->q_n >= WS_QUEUE_MAX_ENTRIES) {
        ws_stalled(ws);                     /* pings without end from one who does not read */
        return false;
    }
    return true;
}

/* One step over what stands at the cursor. False: no further one now. C tells whether WS still is ours. */
static bool step(struct um_ws *ws, struct ws_cursor *c)
{
    struct ws_header h;
    int size;

    if (ws->in_frame)
        return take_payload(ws, c);
    if (c->p == c->end)
        return false;
    size = ws_header_read(&h, c->p, (size_t)(c->end - c->p), !ws->is_client);
    if (size < 0)
        return refuse(ws, WS_M_PROTOCOL, 1002, "frame header");
    if (size == 0)
        return false;
    if (ws_is_control(h.opcode) && (size_t)(c->end - c->p) < (size_t)size + h.len)
        return false;                       /* control frames are looked at when they are whole */
    c->p += size;
    return ws_is_control(h.opcode) ? take_control(ws, c, &h) : start_data(ws, c, &h);
}

static bool reads_frames(const struct um_ws *ws)
{
    return ws->state == WS_OPEN || ws->state == WS_CLOSING;
}

/* Takes what it can and keeps the rest. False: WS is not ours any more. */
static bool feed(struct um_ws *ws, uint8_t *p, size_t n)
{
    struct ws_cursor c = { p, p + n, false };

    ws->cursor = &c;
    while (step(ws, &c))
        ;
    if (c.detached)
        return false;
    if (ws->state == WS_CLOSING)            /* closed by the callback: look on for the peer's Close */
        while (step(ws, &c))
            ;
    ws->cursor = NULL;
    if (!reads_frames(ws))
        return true;
    if (!ws_keep_raw(ws, c.p, (size_t)(c.end - c.p)))
        ws_die(ws, "no memory for input");
    ws->raw_ready = ws->raw != NULL && ws->paused && ws->state == WS_OPEN;
    return true;
}

void ws_read_raw(struct um_ws *ws)
{
    uint8_t *raw = ws->raw;
    size_t n = ws->raw_len;

    ws->raw = NULL;
    ws->raw_len = 0;
    ws->raw_ready = false;
    if (reads_frames(ws))
        (void)feed(ws, raw, n);
    free(raw);
}

/* --- the socket ------------------------------------------------------------------------------------------- */

static ssize_t receive(struct um_ws *ws, uint8_t *to, size_t room)
{
    ssize_t n;

    do
        n = recv(ws->io.fd, to, room, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        ws->heard_at_ms = um_loop_now_ms(ws->loop);
        ws->stats.bytes_in += (uint64_t)n;
        ws_count(WS_M_BYTES_IN, n);
    } else if (n == 0) {
        ws_die(ws, "end of stream");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK) {
        ws_die(ws, "read failed");
    }
    return n;
}

/* The three ways to read; each sets *MORE when the socket may hold more. False: WS is not ours any more. */

static bool read_frames(struct um_ws *ws, size_t *taken, bool *more)
{
    size_t kept = ws->raw_len, room = SCRATCH - kept;
    ssize_t n = receive(ws, scratch + kept, room);

    *more = n > 0 && (size_t)n == room;
    if (n <= 0)
        return true;
    *taken += (size_t)n;
    if (kept > 0) {
        memcpy(scratch, ws->raw, kept);
        free(ws->raw);
        ws->raw = NULL;
        ws->raw_len = 0;
    }
    return feed(ws, scratch, kept + (size_t)n);
}

static bool read_message(struct um_ws *ws, size_t *taken, bool *more)
{
    struct ws_cursor c = { NULL, NULL, false };
    size_t room = (size_t)UM_MIN(ws->frame_left, (uint64_t)READ_BUDGET);
    ssize_t n;

    if (ws->msg_cap == ws->msg_len && !grow_message(ws, 1))
        return true;
    room = UM_MIN(room, ws->msg_cap - ws->msg_len);
    n = receive(ws, ws->msg + ws->msg_len, room);
    *more = n > 0 && (size_t)n == room;
    if (n <= 0)
        return true;
    *taken += (size_t)n;
    if (!accept_payload(ws, ws->msg + ws->msg_len, (size_t)n))
        return true;
    ws->cursor = &c;
    (void)end_frame(ws, &c);
    if (c.detached)
        return false;
    ws->cursor = NULL;
    return true;
}

static bool read_nothing(struct um_ws *ws, size_t *taken, bool *more)
{
    ssize_t n = receive(ws, scratch, SCRATCH);

    *more = n == SCRATCH;
    *taken += n > 0 ? (size_t)n : 0;
    return true;
}

/* What is kept is looked at before more is read (the timer does it): the order of the bytes is theirs. */
static bool is_blocked(const struct um_ws *ws)
{
    return ws->state == WS_DEAD || (ws->state == WS_OPEN && ws->paused) || (reads_frames(ws) && ws->raw_ready);
}

void ws_read(struct um_ws *ws)
{
    size_t taken = 0;
    bool more = true;

    while (more && taken < READ_BUDGET && !is_blocked(ws)) {
        bool ours;

        if (!reads_frames(ws))
            ours = read_nothing(ws, &taken, &more);
        else if (ws->state == WS_OPEN && ws->in_frame && ws->frame_left >= DIRECT_MIN)
            ours = read_message(ws, &taken, &more);
        else
            ours = read_frames(ws, &taken, &more);
        if (!ours)
            return;
    }
}
