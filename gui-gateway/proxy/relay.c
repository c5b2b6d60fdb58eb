/* Relaying bytes between two sockets.
 *
 * Invariants:
 * 1. A side is read only while nothing waits to be written to the other: at most one scratch buffer per direction waits, and
 *    a relay that is idle holds no buffer at all.
 * 2. The end of what one side says is passed on (SHUT_WR) after its last byte; the relay ends when both have ended, when one
 *    breaks, or when a half-closed relay makes no progress for LINGER_MS.
 * 3. In the end that um_relay_close asks for (OPEN -> ENDING at once -> SAID at the end of a frame of B's) nothing of A's is
 *    passed on, and nothing of B's after SAID: the Close frame is the last that A gets.
 * 4. A socket that reports hang-up while it may not be read is taken off the loop, since that report would come in every
 *    turn; it is read again when the other side has room. */
#include <proxy/relay.h>

#include <errno.h>
#include <proxy/frames.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINGER_MS = 15000, CLOSE_MS = 1000, READS_PER_EVENT = 4 };
enum stage { OPEN, ENDING, SAID };       /* invariant 3 */

struct side {
    struct um_relay *relay;
    struct side *other;
    struct um_io io;
    int fd;
    struct um_buf out;                    /* waits to be written to this side */
    bool ended;                           /* it will say no more */
    bool shut;                            /* we will say no more to it */
    bool off;                             /* hung up and off the loop (invariant 4) */
    uint64_t bytes;                       /* read from it */
};
struct um_relay {
    struct um_loop *loop;
    struct side a, b;
    uint8_t *scratch;
    const struct um_relay_handler *handler;
    void *arg;
    struct um_timer linger;
    enum stage stage;
    struct um_frames frames;              /* of what A was given */
    uint16_t close_code;
    const char *close_why;
    struct um_defer start;
    struct um_defer reap;
    bool started;
    bool dead;
};

/* ---- ends ---- */

static void reap_relay(void *arg)
{
    free(arg);
}

static void close_side(struct side *s)
{
    if (s->fd < 0)
        return;
    um_io_stop(s->relay->loop, &s->io);
    shutdown(s->fd, SHUT_RDWR);
    close(s->fd);
    s->fd = -1;
    s->off = false;                       /* there is nothing to be read again */
    um_buf_free(&s->out);
}

void um_relay_free(struct um_relay *r)
{
    if (r == NULL || r->dead)
        return;
    r->dead = true;
    close_side(&r->a);
    close_side(&r->b);
    um_timer_stop(r->loop, &r->linger);
    um_defer_cancel(&r->start);
    um_loop_defer(r->loop, UM_PHASE_REAP, &r->reap);       /* our caller may stand in a callback of this relay */
}

static void end_relay(struct um_relay *r, const char *why)
{
    if (r->dead)
        return;
    um_relay_free(r);
    r->handler->on_end(r->arg, why);
}

static void linger_over(void *arg)
{
    end_relay(arg, "half-closed for too long");
}

/* ---- bytes ---- */

static void want(struct side *s)
{
    unsigned events = (s->out.len > 0 ? UM_WRITE : 0) | (!s->ended && s->other->out.len == 0 ? UM_READ : 0);

    if (!s->off)
        um_io_want(s->relay->loop, &s->io, events);
}

/* Writes what it can; false when the side is broken. */
static bool send_some(struct side *s, const uint8_t *data, size_t n, size_t *sent)
{
    *sent = 0;
    while (*sent < n) {
        ssize_t k = send(s->fd, data + *sent, n - *sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k > 0)
            *sent += (size_t)k;
        else if (k < 0 && errno == EINTR)
            continue;
        else
            return k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    }
    return true;
}

static bool pass_on(struct side *to, const uint8_t *data, size_t n)
{
    size_t sent = 0;

    if (to->out.len == 0 && !send_some(to, data, n, &sent))
        return false;
    if (sent < n)
        um_buf_put(&to->out, data + sent, n - sent);
    return !to->out.failed;
}

/* The end of FROM goes on to the other side once everything before it has. */
static void pass_end(struct side *from)
{
    struct side *to = from->other;

    if (!from->ended || to->out.len > 0 || to->shut)
        return;
    to->shut = true;
    if (to->fd >= 0)
        shutdown(to->fd, SHUT_WR);
}

/* The last words to A; B hears nothing more either. */
static bool say_close(struct um_relay *r)
{
    uint8_t frame[UM_FRAMES_CLOSE_MAX];
    size_t n = um_frames_close(frame, r->close_code, r->close_why);

    r->stage = SAID;
    close_side(&r->b);
    if (!pass_on(&r->a, frame, n))
        return false;
    r->b.ended = true;
    pass_end(&r->b);
    return true;
}

/* N bytes of FROM, in the scratch buffer, on their way. NULL: go on; else why the relay ends. */
static const char *hand_over(struct side *from, size_t n)
{
    struct um_relay *r = from->relay;
    size_t at = 0;

    if (from == &r->a)
        return r->stage != OPEN || pass_on(&r->b, r->scratch, n) ? NULL : "a side broke off";
    do {
        at += um_frames_feed(&r->frames, r->scratch + at, n - at);
    } while (at < n && !(r->stage == ENDING && um_frames_at_end(&r->frames)));
    if (!pass_on(&r->a, r->scratch, at) || (r->stage == ENDING && um_frames_at_end(&r->frames) && !say_close(r)))
        return "a side broke off";
    return NULL;
}

/* Reads FROM as long as the other side takes it. NULL: go on; else why the relay ends. */
static const char *pump(struct side *from)
{
    struct um_relay *r = from->relay;

    for (int i = 0; (i < READS_PER_EVENT || from->off) && !from->ended && from->other->out.len == 0; i++) {
        ssize_t n = recv(from->fd, r->scratch, UM_RELAY_SCRATCH_BYTES, MSG_DONTWAIT);
        if (n > 0) {
            from->bytes += (uint64_t)n;
            const char *why = hand_over(from, (size_t)n);
            if (why != NULL || from->fd < 0)
                return why;
            if (n < UM_RELAY_SCRATCH_BYTES && !from->off)
                break;
        } else if (n == 0) {
            from->ended = true;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            return "a side broke off";
        }
    }
    pass_end(from);
    return NULL;
}

static const char *drain(struct side *s)
{
    size_t sent;

    if (s->out.len == 0)
        return NULL;
    if (!send_some(s, s->out.data, s->out.len, &sent))
        return "a side broke off";
    um_buf_consume(&s->out, sent);
    if (s->out.len > 0)
        return NULL;
    um_buf_free(&s->out);
    pass_end(s->other);
    return s->other->off ? pump(s->other) : NULL;
}

static void settle(struct um_relay *r)
{
    if (r->stage == SAID) {
        if (r->a.ended)
            end_relay(r, r->close_why);
        else
            want(&r->a);
        return;
    }
    if (r->a.ended && r->b.ended && r->a.out.len == 0 && r->b.out.len == 0) {
        end_relay(r, "both sides ended");
        return;
    }
    if (r->stage == OPEN && (r->a.ended || r->b.ended))      /* in ENDING less time is left */
        um_timer_set(r->loop, &r->linger, LINGER_MS, linger_over, r);
    want(&r->a);
    want(&r->b);
}

static void side_ready(void *arg, unsigned events)
{
    struct side *s = arg;
    struct um_relay *r = s->relay;
    uint64_t heard = r->a.bytes;
    const char *why = NULL;

    if (events & (UM_WRITE | UM_HUP))
        why = drain(s);
    if (why == NULL && (events & UM_HUP) && s->ended)
        why = "a side was reset";
    if (why == NULL && (events & UM_HUP) && s->other->out.len > 0) {
        s->off = true;
        um_io_stop(r->loop, &s->io);
    } else if (why == NULL && (events & (UM_READ | UM_HUP))) {
        why = pump(s);
    }
    if (why != NULL) {
        end_relay(r, why);
        return;
    }
    if (r->a.bytes != heard && r->handler->on_from_a != NULL)
        r->handler->on_from_a(r->arg);
    if (!r->dead)
        settle(r);
}

static void closed_in_vain(void *arg)
{
    struct um_relay *r = arg;
    end_relay(r, r->close_why);
}

void um_relay_close(struct um_relay *r, uint16_t code, const char *why)
{
    const char *broken = NULL;

    if (r->dead || r->stage != OPEN)
        return;
    r->stage = ENDING;
    r->close_code = code;
    r->close_why = why;
    um_timer_set(r->loop, &r->linger, CLOSE_MS, closed_in_vain, r);
    if (um_frames_at_end(&r->frames) && !say_close(r))
        broken = "a side broke off";
    if (broken != NULL)
        end_relay(r, broken);
    else if (r->started)
        settle(r);
}

/* ---- life ---- */

static void start_relay(void *arg)
{
    struct um_relay *r = arg;

    r->started = true;
    if (um_io_start(r->loop, &r->a.io, r->a.fd, UM_READ, side_ready, &r->a) != UM_OK ||
        (r->b.fd >= 0 && um_io_start(r->loop, &r->b.io, r->b.fd, UM_READ, side_ready, &r->b) != UM_OK)) {
        end_relay(r, "no room on the loop");
        return;
    }
    settle(r);
}

struct um_relay *um_relay_new(struct um_loop *l, int fd_a, struct um_span early_a, int fd_b, struct um_span early_b,
                              uint8_t *scratch, const struct um_relay_handler *handler, void *arg)
{
    struct um_relay *r = um_xcalloc(1, sizeof(*r));

    *r = (struct um_relay){ .loop = l, .scratch = scratch, .handler = handler, .arg = arg };
    r->a = (struct side){ .relay = r, .other = &r->b, .fd = fd_a, .bytes = early_a.len };
    r->b = (struct side){ .relay = r, .other = &r->a, .fd = fd_b, .bytes = early_b.len };
    um_buf_put(&r->b.out, early_a.data, early_a.len);
    um_buf_put(&r->a.out, early_b.data, early_b.len);
    for (size_t at = 0; at < early_b.len; )
        at += um_frames_feed(&r->frames, early_b.data + at, early_b.len - at);
    um_defer_init(&r->start, start_relay, r);
    um_defer_init(&r->reap, reap_relay, r);
    um_loop_defer(l, UM_PHASE_FLUSH, &r->start);
    return r;
}

struct um_relay_stats um_relay_stats(const struct um_relay *r)
{
    return (struct um_relay_stats){ r->a.bytes, r->b.bytes };
}
