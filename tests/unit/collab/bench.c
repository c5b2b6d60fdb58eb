#include "bench.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/conf.h>
#include <umbel/log.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "counters.h"

/* ---- the engine ------------------------------------------------------------------------------------------------ */

/* "ro": may read; "no": refused; "user:x": x; others: ann. */
static um_err judge(void *ctx, struct um_span token, struct um_span document, struct um_collab_identity *who, char reason[64])
{
    (void)ctx;
    (void)document;
    if (um_span_eq(token, UM_SPAN_STR("no"))) {
        strcpy(reason, "not-you");
        return UM_EDENIED;
    }
    snprintf(who->user, sizeof(who->user), "%s", "ann");
    if (token.len > 5 && memcmp(token.data, "user:", 5) == 0)
        snprintf(who->user, sizeof(who->user), "%.*s", (int)token.len - 5, (const char *)token.data + 5);
    who->read_only = um_span_eq(token, UM_SPAN_STR("ro"));
    return UM_OK;
}

static bool may_change(void *ctx, const char *document, const char *user, int64_t *until_ms)
{
    struct bench *b = ctx;

    (void)document;
    *until_ms = b->judged_until_ms;
    return b->holder[0] == '\0' || strcmp(b->holder, user) == 0;
}

static void changed(void *ctx, const char *document, const char *user)
{
    struct bench *b = ctx;

    (void)document;
    (void)user;
    if (!b->threads)
        b->changes++;
}

static void editing(void *ctx, const char *document, const char *user, bool begins)
{
    struct bench *b = ctx;
    size_t n = strlen(b->editing);

    (void)document;
    if (!b->threads)
        snprintf(b->editing + n, sizeof(b->editing) - n, "%c%s ", begins ? '+' : '-', user);
}

/* ---- documents with rights of their own ---- */

static bool judge_own(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, um_collab_right_cb *cb,
                      void *arg)
{
    struct bench *b = ctx;

    if (strncmp(document, "own/", 4) != 0)
        return false;
    assert_true(b->n_asked < UM_COUNT(b->asked));
    b->asked[b->n_asked] = (struct question){ .loop = l, .cb = cb, .arg = arg };
    snprintf(b->asked[b->n_asked++].user, sizeof(b->asked[0].user), "%s", who->user);
    return true;
}

static void answer(void *arg)
{
    struct question *q = arg;

    q->cb(q->arg, q->right);
}

void bench_answer(struct bench *b, unsigned i, enum um_collab_right right)
{
    b->asked[i].right = right;
    um_loop_call(b->asked[i].loop, answer, &b->asked[i]);
    bench_turns(b, 3);
}

void bench_init(struct bench *b, unsigned n_reactors)
{
    um_log_set_level(NULL, UM_OFF);
    *b = (struct bench){ .n_reactors = n_reactors, .judged_until_ms = INT64_MAX };
    b->cf = (struct um_collab_conf){
        .ack = UM_COLLAB_DURABLE, .authentication = UM_COLLAB_REQUIRED, .presence_bind = true,
        .debounce_ms = 10, .max_debounce_ms = 50, .unload_delay_ms = 0, .rest_after_ms = 3600000, .fold_max_age_ms = 1000, .fold_rows = 500,
        .piece_bytes = 1 << 20, .auth_timeout_ms = 60000, .keep_alive_ms = 60000,
        .max_queued_bytes = 1 << 20, .max_queued_frames = 1000, .max_pending_documents = 100, .max_documents = 100,
        .max_name_bytes = 512, .max_token_bytes = 1024, .max_update_bytes = 16 << 20, .max_document_bytes = 64 << 20,
        .unsaved_document_bytes = 16 << 20, .unsaved_process_bytes = 64 << 20,
        .rate_updates = 1000000, .rate_updates_burst = 1000000, .rate_bytes = 1 << 30, .rate_bytes_burst = 1 << 30,
        .max_presence_state = 65536, .max_presence_frame = 1 << 20, .max_presence_ids = 5000, .max_presence_ids_document = 5000,
        .max_stateless = 1 << 20,
    };
    b->ws = (struct um_ws_conf){
        .max_message = 32 << 20, .max_fragments = 1000, .max_queued = 16 << 20, .high_queued = 1 << 20, .stall_timeout_ms = 60000,
        .ping_interval_ms = 60000, .idle_timeout_ms = 120000, .close_timeout_ms = 5000, .control_rate = 1000, .control_burst = 1000,
    };
}

void bench_start(struct bench *b)
{
    struct um_store_conf cf = { .url = "memory:", .commit_delay_ms = 0, .commit_rows = 64, .max_waiting_bytes = 256 << 20 };
    struct um_collab_hooks hooks = { .authenticate = judge, .judge = judge_own, .may_change = may_change, .changed = changed, .editing = editing, .ctx = b };
    char why[256];

    assert_int_equal(um_store_open(&b->store, &cf, why), UM_OK);
    b->reactors = um_reactors_new(b->n_reactors);
    assert_int_equal(um_collab_new(&b->collab, b->reactors, b->store, &b->cf, &b->ws, &hooks), UM_OK);
    b->before = um_collab_get_stats(b->collab);
    if (b->threads)
        um_reactors_start(b->reactors);
}

void bench_turn(struct bench *b)
{
    if (b->threads) {
        poll(NULL, 0, 1);                        /* the loops turn themselves */
        return;
    }
    for (unsigned i = 0; i < b->n_reactors; i++)
        um_loop_turn(um_reactors_loop(b->reactors, i), i == 0 ? 1 : 0);
}

void bench_turns(struct bench *b, int n)
{
    while (n-- > 0)
        bench_turn(b);
}

void bench_note_drained(void *arg)
{
    atomic_store((_Atomic bool *)arg, true);
}

void bench_drain(struct bench *b)
{
    um_collab_drain(b->collab, um_reactors_loop(b->reactors, 0), bench_note_drained, &b->drained);
    bench_until(b, b->drained);
}

void bench_stop(struct bench *b)
{
    struct um_collab_stats s;

    if (!b->drained)
        bench_drain(b);
    s = bench_stats(b);
    assert_memory_equal(&s, &(struct um_collab_stats){ 0 }, sizeof(s));
    um_reactors_stop(b->reactors);
    b->threads = false;
    bench_turns(b, 3);
    um_store_close(b->store);
    bench_turns(b, 1);
    um_collab_free(b->collab);
    um_reactors_free(b->reactors);
}

struct um_collab_stats bench_stats(const struct bench *b)
{
    struct um_collab_stats s = um_collab_get_stats(b->collab);

    s.documents -= b->before.documents;
    s.sockets -= b->before.sockets;
    s.connections -= b->before.connections;
    s.unstored_bytes -= b->before.unstored_bytes;
    return s;
}

int64_t bench_count(unsigned counter)
{
    return um_metric_value(&collab_counters[counter]);
}

unsigned bench_home(const struct bench *b, const char *document)
{
    return (unsigned)(um_hash_stable(UM_SPAN_STR(document)) % b->n_reactors);
}

/* ---- the store, looked at from behind ------------------------------------------------------------------------------ */

static struct um_crdt *text_document(void)
{
    struct um_crdt_conf cf;
    struct um_crdt *c;

    um_crdt_conf_init(&cf);
    cf.limits.update_bytes = UINT32_MAX;
    assert_int_equal(um_crdt_new(&cf, &c), UM_OK);
    assert_int_equal(um_crdt_declare_root(c, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    return c;
}

struct look {
    struct um_buf *out;
    _Atomic bool done;
    um_err err;
};

static void look_at(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct look *k = arg;
    struct um_crdt *c;

    c = text_document();
    if (err == UM_OK && doc->state != NULL)
        assert_int_equal(um_crdt_apply(c, um_bytes_span(doc->state), NULL), UM_OK);
    for (size_t i = 0; err == UM_OK && i < doc->n_updates; i++)
        assert_int_equal(um_crdt_apply(c, doc->updates[i].bytes, NULL), UM_OK);
    (void)!um_crdt_read_text(c, UM_SPAN_STR("t"), k->out);
    um_crdt_free(c);
    k->err = err;
    atomic_store(&k->done, true);
}

void bench_stored_text(struct bench *b, const char *document, struct um_buf *out)
{
    struct look k = { .out = out };

    um_buf_clear(out);
    um_store_load(b->store, um_reactors_loop(b->reactors, 0), document, look_at, &k);
    bench_until(b, atomic_load(&k.done));
}

static void look_number(void *arg, um_err err, uint64_t n)
{
    struct look *k = arg;

    (void)n;
    k->err = err;
    atomic_store(&k->done, true);
}

static void look_entry(void *arg, um_err err, const struct um_store_entry *e)
{
    (void)e;
    look_number(arg, err, 0);
}

void bench_store_append(struct bench *b, const char *document, struct um_span update)
{
    struct um_bytes *bytes = um_bytes_dup(update.data, update.len);
    struct look k = { .out = NULL };

    um_store_append(b->store, um_reactors_loop(b->reactors, 0), document, bytes, "", look_number, &k);
    um_bytes_unref(bytes);
    bench_until(b, atomic_load(&k.done));
    assert_int_equal(k.err, UM_OK);
}

void bench_store_delete(struct bench *b, const char *document)
{
    struct look k = { .out = NULL };

    um_store_delete(b->store, um_reactors_loop(b->reactors, 0), document, "bob", look_entry, &k);
    bench_until(b, atomic_load(&k.done));
    assert_int_equal(k.err, UM_OK);
}

/* ---- clients --------------------------------------------------------------------------------------------------------- */

struct arrival {
    struct um_collab *collab;
    struct um_loop *loop;
    struct um_collab_peer who;
    int fd;
    _Atomic bool done;
};

static void arrive(void *arg)
{
    struct arrival *a = arg;

    um_collab_accept(a->collab, a->loop, a->fd, NOTHING, &a->who);
    atomic_store(&a->done, true);
}

void peer_open_as(struct bench *b, struct peer *p, const struct um_collab_peer *who, int sndbuf)
{
    struct arrival a = { .collab = b->collab, .loop = um_reactors_loop(b->reactors, 0), .who = *who };
    int pair[2];

    *p = (struct peer){ .bench = b };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
    if (sndbuf > 0)
        setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &sndbuf, sizeof(sndbuf));
    p->fd = pair[1];
    a.fd = pair[0];
    p->doc = text_document();
    um_loop_call(a.loop, arrive, &a);
    bench_until(b, atomic_load(&a.done));
}

void peer_open(struct bench *b, struct peer *p)
{
    peer_open_as(b, p, &(struct um_collab_peer){ .address = "test" }, 0);
}

void peer_close(struct peer *p)
{
    close(p->fd);
    um_buf_free(&p->in);
    um_buf_free(&p->message);
    um_crdt_free(p->doc);
}

static void write_all(struct peer *p, struct um_span s)
{
    for (size_t at = 0; at < s.len;) {
        ssize_t n = send(p->fd, s.data + at, s.len - at, MSG_NOSIGNAL);

        if (n < 0 && errno == EPIPE)
            return;
        if (n < 0) {
            assert_int_equal(errno, EAGAIN);
            bench_turn(p->bench);
            continue;
        }
        at += (size_t)n;
    }
}

void peer_raw(struct peer *p, struct um_span message)
{
    struct um_buf b = { 0 };
    uint8_t header[10];
    size_t n = um_ws_frame_header(header, UM_WS_BINARY, message.len);

    header[1] |= 0x80;                           /* masked by a key of zeros */
    um_buf_put(&b, header, n);
    um_buf_put(&b, "\0\0\0\0", 4);
    um_buf_put(&b, message.data, message.len);
    write_all(p, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

static void put_message(struct um_buf *b, struct um_span address, enum wire_type type, int kind)
{
    if (address.data != NULL) {
        um_buf_put_varuint(b, address.len);
        um_buf_put(b, address.data, address.len);
    }
    um_buf_put_varuint(b, type);
    if (kind != NO_KIND)
        um_buf_put_varuint(b, (uint64_t)kind);
}

void peer_say(struct peer *p, struct um_span address, enum wire_type type, int kind, struct um_span payload)
{
    struct um_buf b = { 0 };

    put_message(&b, address, type, kind);
    um_buf_put_varuint(&b, payload.len);
    um_buf_put(&b, payload.data, payload.len);
    peer_raw(p, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

void peer_say_empty(struct peer *p, struct um_span address, enum wire_type type, int kind)
{
    struct um_buf b = { 0 };

    put_message(&b, address, type, kind);
    peer_raw(p, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

void peer_token(struct peer *p, struct um_span address, const char *token, const char *version)
{
    struct um_buf b = { 0 };

    put_message(&b, address, WIRE_AUTH, AUTH_TOKEN);
    um_buf_put_varuint(&b, strlen(token));
    um_buf_puts(&b, token);
    if (version != NULL) {
        um_buf_put_varuint(&b, strlen(version));
        um_buf_puts(&b, version);
    }
    peer_raw(p, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

/* One frame from the front of what has arrived; false: none yet, or the end. */
static bool take_frame(struct peer *p)
{
    struct um_reader r = um_reader(UM_SPAN(p->in.data, p->in.len));
    uint8_t first = um_read_u8(&r);
    uint64_t len = um_read_u8(&r);
    unsigned more = len == 126 ? 2 : len == 127 ? 8 : 0;

    if (more > 0)
        len = 0;
    for (unsigned i = 0; i < more; i++)
        len = len << 8 | um_read_u8(&r);
    if (r.failed || um_reader_left(&r) < len)
        return false;
    if ((first & 15) == 8) {
        p->code = len >= 2 ? (unsigned)r.p[0] << 8 | r.p[1] : 1005;
    } else if ((first & 15) == 2 && !(len == 1 && r.p[0] == 0)) {
        um_buf_clear(&p->message);
        um_buf_put(&p->message, r.p, len);
        p->has_message = true;
    }
    um_buf_consume(&p->in, (size_t)(r.p - p->in.data) + len);
    return true;
}

bool peer_has_message(struct peer *p)
{
    char some[65536];
    ssize_t n;

    while (!p->ended && !p->deaf && (n = recv(p->fd, some, sizeof(some), 0)) >= 0) {
        if (n == 0)
            p->ended = true;
        um_buf_put(&p->in, some, (size_t)n);
    }
    while (!p->has_message && take_frame(p))
        ;
    return p->has_message;
}

struct um_span peer_next(struct peer *p)
{
    bench_until(p->bench, peer_has_message(p) || p->ended || p->code != 0);
    if (!p->has_message)
        fail_msg("closed with %u instead of a message", p->code);
    p->has_message = false;
    return UM_SPAN(p->message.data, p->message.len);
}

static void put_readable(struct um_buf *b, struct um_span s)
{
    um_hex_encode(b, UM_SPAN(s.data, UM_MIN(s.len, (size_t)200)));
}

void peer_expect_at(struct peer *p, struct um_span address, enum wire_type type, int kind, struct um_span payload,
                    bool has_payload, const char *file, int line)
{
    struct um_buf want = { 0 }, text = { 0 };
    struct um_span got = peer_next(p);

    put_message(&want, address, type, kind);
    if (has_payload) {
        um_buf_put_varuint(&want, payload.len);
        um_buf_put(&want, payload.data, payload.len);
    }
    if (!um_span_eq(got, UM_SPAN(want.data, want.len))) {
        um_buf_puts(&text, "got ");
        put_readable(&text, got);
        um_buf_puts(&text, " instead of ");
        put_readable(&text, UM_SPAN(want.data, want.len));
        print_error("%s\n", um_buf_cstr(&text));
        _fail(file, line);
    }
    um_buf_free(&want);
}

void peer_expect_silence_at(struct peer *p, const char *file, int line)
{
    struct um_buf text = { 0 };

    bench_turns(p->bench, 20);
    if (!peer_has_message(p) && !p->ended && p->code == 0)
        return;
    put_readable(&text, UM_SPAN(p->message.data, p->message.len));
    print_error("not silent: %s, close %u\n", um_buf_cstr(&text), p->code);
    _fail(file, line);
}

void peer_expect_close_at(struct peer *p, unsigned code, const char *file, int line)
{
    bench_until(p->bench, (p->has_message = false, peer_has_message(p), p->code != 0 || p->ended));
    if (p->code != code) {
        print_error("closed with %u instead of %u\n", p->code, code);
        _fail(file, line);
    }
}

void peer_join(struct peer *p, struct um_span address, const char *token)
{
    bool read_only = strcmp(token, "ro") == 0;

    peer_token(p, address, token, "4.8.0");
    peer_expect(p, address, WIRE_AUTH, AUTH_OK, UM_SPAN_STR(read_only ? "readonly" : "read-write"));
    peer_say(p, address, WIRE_SYNC, SYNC_STEP1, UM_SPAN("\0", 1));
    peer_read_state(p, address);
}

/* What is to be done with a message of kind KIND: apply its update. */
static bool apply_sync(struct peer *p, struct um_span message, unsigned *kind)
{
    struct wire_frame f;
    struct um_reader r;

    if (msg_read(message, &f) != WIRE_OK || f.type != WIRE_SYNC)
        return false;
    r = um_reader(f.body);
    *kind = (unsigned)um_read_varuint(&r);
    if (*kind != SYNC_STEP1)
        assert_int_equal(um_crdt_apply(p->doc, um_read_varbytes(&r), NULL), UM_OK);
    return true;
}

void peer_read_state(struct peer *p, struct um_span address)
{
    unsigned kind = SYNC_STEP1;

    (void)address;
    while (kind != SYNC_STEP2)
        (void)apply_sync(p, peer_next(p), &kind);
}

static size_t text_length(struct um_crdt *c)
{
    struct um_buf out = { 0 };
    size_t n = um_crdt_read_text(c, UM_SPAN_STR("t"), &out) == UM_OK ? out.len : 0;

    um_buf_free(&out);
    return n;
}

static unsigned updates_read;
unsigned peer_updates_read(void) { return updates_read; }

void peer_read_until_text(struct peer *p, size_t len)
{
    unsigned kind;

    updates_read = 0;
    while (text_length(p->doc) < len)
        updates_read += apply_sync(p, peer_next(p), &kind);
}

void peer_take_updates(struct peer *p)
{
    unsigned kind;

    while (peer_has_message(p)) {
        p->has_message = false;
        (void)apply_sync(p, UM_SPAN(p->message.data, p->message.len), &kind);
    }
}

/* ---- bytes ------------------------------------------------------------------------------------------------------------- */

struct um_span text_update(struct um_buf *b, uint64_t client, const char *text)
{
    um_buf_clear(b);
    um_buf_put(b, "\1\1", 2);                    /* one client, one struct */
    um_buf_put_varuint(b, client);
    um_buf_put(b, "\0\4\1\1t", 5);               /* clock 0, a string, at the start of root "t" */
    um_buf_put_varuint(b, strlen(text));
    um_buf_puts(b, text);
    um_buf_put_u8(b, 0);                         /* nothing is deleted */
    return UM_SPAN(b->data, b->len);
}

struct um_span presence_of(struct um_buf *b, uint64_t client, uint64_t clock, const char *state)
{
    um_buf_clear(b);
    um_buf_put_u8(b, 1);
    um_buf_put_varuint(b, client);
    um_buf_put_varuint(b, clock);
    um_buf_put_varuint(b, strlen(state));
    um_buf_puts(b, state);
    return UM_SPAN(b->data, b->len);
}
