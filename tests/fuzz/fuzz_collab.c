/* A whole engine on one loop: the input is what two sockets say, a Hocuspocus one and a y-websocket one.
 *
 *   input = step*      step = op (1 byte) [length (2 bytes, least first) message]
 *   op & 7:  0-3 a message of the Hocuspocus socket   4 of the y-websocket socket   5 turns the loop
 *            6 opens the Hocuspocus socket anew       7 sends all editors out, or forgets document "doc-1"
 *
 * Whatever is said, the engine drains afterwards with nothing left open. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/collab.h>
#include <umbel/log.h>
#include <umbel/util.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_INPUT = 4096, MAX_STEPS = 64, DRAIN_TURNS = 20000 };

struct world {
    struct um_reactors *reactors;
    struct um_loop *loop;
    struct um_collab *collab;
    struct um_store *store;
    struct um_ws_conf ws;
    int provider, room;
    bool drained;
};

static um_err judge(void *ctx, struct um_span token, struct um_span document, struct um_collab_identity *who, char reason[64])
{
    (void)ctx;
    (void)document;
    (void)reason;
    who->read_only = token.len > 0 && token.data[0] == 'r';
    return token.len > 0 && token.data[0] == 'n' ? UM_EDENIED : UM_OK;
}

static const struct um_collab_conf conf = {
    .authentication = UM_COLLAB_ANONYMOUS, .presence_bind = true, .debounce_ms = 1, .max_debounce_ms = 5, .fold_max_age_ms = 1000,
    .fold_rows = 2, .piece_bytes = 64, .auth_timeout_ms = 60000, .keep_alive_ms = 60000, .max_queued_bytes = 2000,
    .max_queued_frames = 8, .max_pending_documents = 3, .max_documents = 3, .max_name_bytes = 32, .max_token_bytes = 16,
    .max_update_bytes = 1 << 20, .max_document_bytes = 1 << 20, .unsaved_document_bytes = 1 << 20, .unsaved_process_bytes = 1 << 24,
    .rate_updates = 1000000, .rate_updates_burst = 1000000, .rate_bytes = 1 << 30, .rate_bytes_burst = 1 << 30,
    .max_presence_state = 64, .max_presence_frame = 512, .max_presence_ids = 4, .max_presence_ids_document = 6, .max_stateless = 64,
};

static int connect_as(struct world *w, const char *room)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        abort();
    um_collab_accept(w->collab, w->loop, pair[0], UM_SPAN(NULL, 0), &(struct um_collab_peer){ .room = room, .address = "fuzz" });
    return pair[1];
}

static void world_open(struct world *w)
{
    struct um_store_conf cf = { .url = "memory:", .commit_rows = 64, .max_waiting_bytes = 1 << 24 };
    struct um_collab_hooks hooks = { .authenticate = judge };
    char why[256];

    *w = (struct world){ 0 };
    w->ws = (struct um_ws_conf){
        .max_message = 1 << 20, .max_fragments = 100, .max_queued = 1 << 20, .high_queued = 256, .stall_timeout_ms = 60000,
        .ping_interval_ms = 60000, .idle_timeout_ms = 120000, .close_timeout_ms = 10, .control_rate = 1000, .control_burst = 1000,
    };
    if (um_store_open(&w->store, &cf, why) != UM_OK)
        abort();
    w->reactors = um_reactors_new(1);
    w->loop = um_reactors_loop(w->reactors, 0);
    if (um_collab_new(&w->collab, w->reactors, w->store, &conf, &w->ws, &hooks) != UM_OK)
        abort();
    w->provider = connect_as(w, NULL);
    w->room = connect_as(w, "doc-1");
}

static void note_drained(void *arg) { *(bool *)arg = true; }

static void world_close(struct world *w)
{
    struct um_collab_stats s;

    close(w->provider);
    close(w->room);
    um_collab_drain(w->collab, w->loop, note_drained, &w->drained);
    for (int i = 0; i < DRAIN_TURNS && !w->drained; i++)
        um_loop_turn(w->loop, 1);
    s = um_collab_get_stats(w->collab);
    if (!w->drained || s.documents != 0 || s.sockets != 0 || s.connections != 0 || s.unstored_bytes != 0)
        abort();
    um_store_close(w->store);
    um_loop_turn(w->loop, 0);
    um_collab_free(w->collab);
    um_reactors_free(w->reactors);
}

static void say(int fd, struct um_span message)
{
    uint8_t frame[16 + MAX_INPUT] = { 0 };
    size_t n = um_ws_frame_header(frame, UM_WS_BINARY, message.len);

    frame[1] |= 0x80;                            /* masked by a key of zeros */
    if (message.len > 0)
        memcpy(frame + n + 4, message.data, message.len);
    if (send(fd, frame, n + 4 + message.len, MSG_NOSIGNAL) < 0)
        return;                                  /* closed, or full: as a client would find it */
}

static void hear(int fd)
{
    char some[4096];

    while (recv(fd, some, sizeof(some), 0) > 0)
        ;
}

static struct um_span take_message(struct um_reader *r)
{
    size_t n = um_read_u8(r);
    struct um_span s;

    n |= (size_t)um_read_u8(r) << 8;
    n = UM_MIN(n, um_reader_left(r));
    s = UM_SPAN(r->p, n);
    r->p += n;
    return s;
}

static void step(struct world *w, struct um_reader *r)
{
    uint8_t op = um_read_u8(r);

    switch (op & 7) {
    case 4:
        say(w->room, take_message(r));
        break;
    case 5:
        if (op & 8)
            hear(w->provider);
        um_loop_turn(w->loop, op & 16 ? 1 : 0);
        break;
    case 6:
        close(w->provider);
        w->provider = connect_as(w, NULL);
        break;
    case 7:
        if (op & 8)
            um_collab_forget(w->collab, "doc-1");
        else
            um_collab_close_documents(w->collab, NULL, "Reset Connection");
        break;
    default:
        say(w->provider, take_message(r));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_reader r = um_reader(UM_SPAN(data, UM_MIN(size, (size_t)MAX_INPUT)));
    struct world w;

    um_log_set_level(NULL, UM_OFF);
    world_open(&w);
    for (int i = 0; i < MAX_STEPS && um_reader_left(&r) > 0; i++)
        step(&w, &r);
    for (int i = 0; i < 5; i++)
        um_loop_turn(w.loop, 0);
    world_close(&w);
    return 0;
}
