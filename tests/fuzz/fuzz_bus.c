/* What other cores say to a hub that has a document open.
 *
 *   input   = message*
 *   message = how (1 byte) length (2 bytes, least first) bytes
 *   how & 7: 0 the bytes as they are; else a message of that kind with the bytes as its body, of one of four cores (how >> 3 & 3)
 *   how & 128: turns the loop afterwards
 *
 * Whatever was said, an update of a core that speaks well is taken afterwards, its question is answered, and the engine drains. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/log.h>
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* An engine, a store and its thread for every input: what was freed need not be kept for long. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

enum { MAX_INPUT = 8192, MAX_MESSAGES = 64, PATIENCE = 20000 };
#define ORIGIN(i) ((UINT64_C(0xc0de00) + (uint64_t)(i)) << 16 | 1)

struct world {
    struct bus_port port;
    const struct bus_port_handler *h;
    void *arg;
    unsigned states;                             /* STATE messages that were published */
    struct um_reactors *reactors;
    struct um_loop *loop;
    struct um_collab *collab;
    struct um_store *store;
    int room;
    bool drained;
};
static struct world the_world;

/* ---- a port to nowhere ---- */

struct published {
    void (*done)(void *arg, um_err err, int64_t receivers);
    void *arg;
};

static void answer(void *arg)
{
    struct published *t = arg;

    t->done(t->arg, UM_OK, 1);
    free(t);
}

static void publish(struct bus_port *p, uint64_t to, struct um_span message,
                    void (*done)(void *arg, um_err err, int64_t receivers), void *arg)
{
    (void)p;
    (void)to;
    the_world.states += message.data[1] == BUS_STATE;
    if (done != NULL) {
        struct published *t = um_xmalloc(sizeof(*t));
        *t = (struct published){ done, arg };
        um_loop_call(the_world.loop, answer, t);
    }
}

static bool is_live(const struct bus_port *p)
{
    (void)p;
    return true;
}

static void close_port(struct bus_port *p) { (void)p; }

static struct bus_port *open_port(void *ctx, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg)
{
    static const struct bus_port_ops ops = { .publish = publish, .is_live = is_live, .free = close_port };

    (void)ctx;
    (void)l;
    (void)origin;
    the_world.h = h;
    the_world.arg = arg;
    the_world.port.ops = &ops;
    return &the_world.port;
}

/* ---- the engine ---- */

static const struct um_collab_conf conf = {
    .authentication = UM_COLLAB_ANONYMOUS, .presence_bind = true, .sync_before_serve = true, .sync_timeout_ms = 1000,
    .compare_interval_ms = 60000, .debounce_ms = 1, .max_debounce_ms = 5, .fold_max_age_ms = 1000, .fold_rows = 2,
    .rest_after_ms = 3600000, .piece_bytes = 64, .auth_timeout_ms = 60000, .keep_alive_ms = 60000, .max_queued_bytes = 2000,
    .max_queued_frames = 8, .max_pending_documents = 3, .max_documents = 3, .max_name_bytes = 32, .max_token_bytes = 16,
    .max_update_bytes = 1 << 20, .max_document_bytes = 1 << 20, .unsaved_document_bytes = 4096, .unsaved_process_bytes = 1 << 24,
    .rate_updates = 1000000, .rate_updates_burst = 1000000, .rate_bytes = 1 << 30, .rate_bytes_burst = 1 << 30,
    .max_presence_state = 64, .max_presence_frame = 512, .max_presence_ids = 4, .max_presence_ids_document = 6, .max_stateless = 64,
};

static void turn_until_open(struct world *w)
{
    struct um_span name = UM_SPAN_STR("d");
    struct doc *d = NULL;

    for (int i = 0; i < PATIENCE && (d == NULL || d->state != DOC_OPEN); i++) {
        um_loop_turn(w->loop, 1);
        d = doc_get(&w->collab->hubs[0], name, false);
    }
    UM_ASSERT(d != NULL && d->state == DOC_OPEN);
}

static void enter(struct world *w)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        abort();
    um_collab_accept(w->collab, w->loop, pair[0], UM_SPAN(NULL, 0), &(struct um_collab_peer){ .room = "d", .address = "fuzz" });
    w->room = pair[1];
    turn_until_open(w);
}

static void world_open(struct world *w)
{
    struct um_store_conf cf = { .url = "memory:", .commit_rows = 64, .max_waiting_bytes = 1 << 24 };
    struct um_ws_conf ws = {
        .max_message = 1 << 20, .max_fragments = 100, .max_queued = 1 << 24, .high_queued = 1 << 20, .stall_timeout_ms = 60000,
        .ping_interval_ms = 60000, .idle_timeout_ms = 120000, .close_timeout_ms = 10, .control_rate = 1000, .control_burst = 1000,
    };
    char why[256];

    *w = (struct world){ 0 };
    if (um_store_open(&w->store, &cf, why) != UM_OK)
        abort();
    w->reactors = um_reactors_new(1);
    w->loop = um_reactors_loop(w->reactors, 0);
    if (um_collab_new(&w->collab, w->reactors, w->store, &conf, &ws, NULL) != UM_OK)
        abort();
    bus_join(w->collab, "core-1", 1, open_port, NULL);
    um_loop_turn(w->loop, 0);
    enter(w);
}

static void note_drained(void *arg) { *(bool *)arg = true; }

static void world_close(struct world *w)
{
    struct um_collab_stats s;

    close(w->room);
    um_collab_drain(w->collab, w->loop, note_drained, &w->drained);
    for (int i = 0; i < PATIENCE && !w->drained; i++)
        um_loop_turn(w->loop, 1);
    s = um_collab_get_stats(w->collab);
    UM_ASSERT(w->drained && s.documents == 0 && s.sockets == 0 && s.connections == 0 && s.unstored_bytes == 0);
    UM_ASSERT(um_metric_value(&collab_counters[C_BUS_DOUBTS]) == 0);
    um_store_close(w->store);
    um_loop_turn(w->loop, 0);
    um_collab_free(w->collab);
    um_reactors_free(w->reactors);
}

/* ---- saying ---- */

static void hear(struct world *w, const struct um_buf *message)
{
    uint8_t *copy = um_xmalloc(message->len + 1);        /* of its own, so that reading past it shows */

    if (message->len > 0)
        memcpy(copy, message->data, message->len);
    w->h->on_message(w->arg, UM_SPAN(copy, message->len));
    free(copy);
}

static void say_next(struct world *w, struct um_reader *r)
{
    uint8_t how = um_read_u8(r);
    size_t n = um_read_u8(r);
    struct um_buf message = { 0 };

    n |= (size_t)um_read_u8(r) << 8;
    n = UM_MIN(n, um_reader_left(r));
    if ((how & 7) != 0)
        bus_put_head(&message, (enum bus_kind)(how & 7), ORIGIN(how >> 3 & 3));
    um_buf_put(&message, r->p, n);
    r->p += n;
    hear(w, &message);
    um_buf_free(&message);
    if (how & 128)
        um_loop_turn(w->loop, 0);
}

static void expect_sense(struct world *w)
{
    static const uint8_t update[] = { 1, 1, 0xff, 0xff, 0xff, 1, 0, 4, 1, 1, 't', 1, 'x', 0 };
    struct bus_at at = { UM_SPAN_STR("d"), 1, 1, 0 };
    struct um_buf m = { 0 };
    struct doc *d = doc_get(&w->collab->hubs[0], at.name, false);
    unsigned states = w->states;
    bool known = false;

    if (d == NULL || d->state != DOC_OPEN) {             /* its readers were sent out */
        close(w->room);
        enter(w);
        d = doc_get(&w->collab->hubs[0], at.name, false);
    }
    bus_put_head(&m, BUS_UPDATE, ORIGIN(9));
    bus_put_at(&m, &at);
    um_buf_put_varuint(&m, 1);
    um_buf_put_varbytes(&m, UM_SPAN(update, sizeof(update)));
    hear(w, &m);
    UM_ASSERT(um_crdt_contains(d->crdt, UM_SPAN(update, sizeof(update)), &known) == UM_OK && known);
    um_buf_clear(&m);
    bus_put_head(&m, BUS_HELLO, ORIGIN(9));
    bus_put_ident(&m, &(struct bus_ident){ UM_SPAN_STR("core-9"), 1, 1 });
    bus_put_at(&m, &at);
    um_buf_put_u8(&m, BUS_WANTS_STATE);
    um_buf_put_varbytes(&m, UM_SPAN("\0", 1));
    hear(w, &m);
    UM_ASSERT(w->states > states);
    um_buf_free(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_reader r = um_reader(UM_SPAN(data, UM_MIN(size, (size_t)MAX_INPUT)));
    struct world *w = &the_world;

    um_log_set_level(NULL, UM_OFF);
    world_open(w);
    for (int i = 0; i < MAX_MESSAGES && um_reader_left(&r) > 0; i++)
        say_next(w, &r);
    um_loop_turn(w->loop, 0);
    expect_sense(w);
    world_close(w);
    return 0;
}
