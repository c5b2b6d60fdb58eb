/* Any bytes from a client: no crash, and the same messages and the same end however the bytes are cut.
 * Input: byte 0 says where to cut, the rest is the stream. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/ws.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct um_ws_conf conf = {
    .max_message = 4096, .max_fragments = 20, .max_queued = 1 << 20, .high_queued = 1 << 16,
    .stall_timeout_ms = 60000, .ping_interval_ms = 60000, .idle_timeout_ms = 60000, .close_timeout_ms = 60000,
    .control_rate = 1, .control_burst = 20,
};

struct run {
    struct um_buf log;                      /* messages and the end */
    bool closed;
};

static void note_message(void *arg, enum um_ws_kind kind, struct um_span payload)
{
    struct run *r = arg;

    um_buf_printf(&r->log, "%d:%zu:", (int)kind, payload.len);
    um_buf_put(&r->log, payload.data, payload.len);
}

static void note_close(void *arg, unsigned code, struct um_span reason)
{
    struct run *r = arg;

    um_buf_printf(&r->log, "close %u ", code);
    um_buf_put(&r->log, reason.data, reason.len);
    r->closed = true;
}

static void play(struct run *r, const uint8_t *data, size_t size, size_t cut)
{
    static const struct um_ws_handler handler = { note_message, NULL, note_close };
    struct um_loop *l = um_loop_new(0);
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) != 0)
        abort();
    if (um_ws_new(l, pair[0], UM_SPAN(data, 0), &conf, &handler, r) == NULL)
        abort();
    for (size_t at = 0; at < size; at = cut, cut = size) {
        (void)!send(pair[1], data + at, cut - at, MSG_NOSIGNAL);
        um_loop_turn(l, 0);
    }
    shutdown(pair[1], SHUT_WR);             /* not close: unread answers would turn into an error before the last bytes */
    for (int i = 0; i < 100 && !r->closed; i++)
        um_loop_turn(l, 0);
    close(pair[1]);
    if (!r->closed)
        abort();
    um_loop_free(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run whole = { 0 }, cut = { 0 };

    um_log_set_level(NULL, UM_OFF);
    if (size < 2 || size > 60000)
        return 0;
    play(&whole, data + 1, size - 1, size - 1);
    play(&cut, data + 1, size - 1, 1 + data[0] % (size - 1));
    if (whole.log.len != cut.log.len || memcmp(whole.log.data, cut.log.data, cut.log.len) != 0)
        abort();
    um_buf_free(&whole.log);
    um_buf_free(&cut.log);
    return 0;
}
