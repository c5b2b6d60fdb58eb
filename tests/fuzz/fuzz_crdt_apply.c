/* Any bytes as updates on a document that has something in it: nothing crashes; what is refused changes nothing;
 * the state that comes out is a valid update, and a second document that is given the events, or the state, is
 * equal to the first. Input: updates, each behind its length in two bytes. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt.h>

#define UPDATES_MAX 64
#define PLENTY 10000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* "hello" in a text with a mark, a map entry, an element with a text inside. */
static const uint8_t base[] = {
    1, 6, 1, 0, 4, 1, 1, 't', 5, 'h', 'e', 'l', 'l', 'o', 40, 1, 1, 'm', 1, 'k', 1, 125, 1,
    7, 1, 1, 'x', 3, 1, 'p', 7, 0, 1, 6, 6, 4, 0, 1, 7, 2, 'a', 'b', 134, 1, 9, 1, 'b', 4, 't', 'r', 'u', 'e', 0,
};

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b) == UM_OK);
    return b;
}

static struct um_crdt *doc_new(bool gc, bool cleanup, uint32_t scan_steps)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.gc = gc;
    cf.cleanup = cleanup;
    cf.limits.scan_steps = scan_steps;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    return doc;
}

static bool state_is(const struct um_crdt *doc, struct um_span state)
{
    struct um_buf b = state_of(doc);
    bool same = um_span_eq(UM_SPAN(b.data, b.len), state);

    um_buf_free(&b);
    return same;
}

/* PEER gets what DOC told; PLAIN gets the update itself. */
static void apply_one(struct um_crdt *doc, struct um_crdt *peer, struct um_span update)
{
    struct um_buf before = state_of(doc);
    struct um_crdt_applied applied;
    um_err err = um_crdt_apply(doc, update, &applied);

    if (err != UM_OK) {
        UM_ASSERT(state_is(doc, UM_SPAN(before.data, before.len)));
    } else {
        struct um_crdt_update_stats stats;

        if (applied.changed) {
            UM_ASSERT(um_crdt_validate(NULL, applied.event, &stats) == UM_OK);
            UM_ASSERT(!stats.empty_structs && stats.bytes == applied.event.len);
            UM_ASSERT(um_crdt_apply(peer, applied.event, NULL) == UM_OK);
        }
        for (size_t i = 0; i < applied.n_more; i++)
            UM_ASSERT(um_crdt_apply(peer, applied.more[i], NULL) == UM_OK);
    }
    um_buf_free(&before);
}

static void check_read(struct um_crdt *doc)
{
    struct um_buf out = { 0 };
    struct um_span name;
    enum um_crdt_kind kind;

    for (size_t pos = 0; um_crdt_roots(doc, &pos, &name, &kind);) {
        if (kind == UM_CRDT_UNTYPED)
            UM_ASSERT(um_crdt_declare_root(doc, name, (enum um_crdt_kind)(pos % UM_CRDT_UNTYPED)) == UM_OK);
        um_buf_clear(&out);
        (void)!um_crdt_read_dump(doc, name, &out);
        um_buf_clear(&out);
        (void)!um_crdt_read_json(doc, name, UM_CRDT_PLAIN, &out);
    }
    um_buf_free(&out);
}

static um_err piece_apply(void *arg, struct um_span piece)
{
    return um_crdt_apply(arg, piece, NULL);
}

/* The same state by three ways: all at once, in pieces, as a difference to nothing. */
static void check_copies(struct um_crdt *doc)
{
    struct um_buf state = state_of(doc), again;
    struct um_crdt *copy = doc_new(true, false, PLENTY), *pieces = doc_new(true, false, PLENTY);
    struct um_span s = UM_SPAN(state.data, state.len);
    bool known;

    UM_ASSERT(um_crdt_load(copy, s, NULL) == UM_OK);
    again = state_of(copy);
    UM_ASSERT(um_crdt_contains(copy, s, &known) == UM_OK);
    UM_ASSERT(um_crdt_load(doc, UM_SPAN(again.data, again.len), NULL) == UM_OK);
    UM_ASSERT(um_crdt_encode_pieces(doc, UM_SPAN(NULL, 0), 64, piece_apply, pieces) == UM_OK);
    UM_ASSERT(um_crdt_apply(pieces, s, NULL) == UM_OK);
    um_buf_free(&again);
    um_buf_free(&state);
    um_crdt_free(copy);
    um_crdt_free(pieces);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool gc = size == 0 || (data[0] & 1) == 0;
    uint32_t steps = size > 0 && (data[0] & 2) != 0 ? 3 : PLENTY;
    struct um_crdt *doc = doc_new(gc, true, steps), *peer = doc_new(gc, false, PLENTY);
    struct um_buf a = { 0 }, b = { 0 };

    UM_ASSERT(um_crdt_apply(doc, UM_SPAN(base, sizeof(base)), NULL) == UM_OK);
    UM_ASSERT(um_crdt_apply(peer, UM_SPAN(base, sizeof(base)), NULL) == UM_OK);
    for (size_t at = 1, n = 0; at + 2 <= size && n < UPDATES_MAX; n++) {
        size_t len = (size_t)data[at] << 8 | data[at + 1];

        at += 2;
        len = UM_MIN(len, size - at);
        apply_one(doc, peer, UM_SPAN(data + at, len));
        at += len;
    }
    UM_ASSERT(um_crdt_state_vector(doc, &a) == UM_OK && um_crdt_state_vector(peer, &b) == UM_OK);
    UM_ASSERT(um_span_eq(UM_SPAN(a.data, a.len), UM_SPAN(b.data, b.len)));
    check_copies(doc);
    check_read(doc);
    um_buf_free(&a);
    um_buf_free(&b);
    um_crdt_free(doc);
    um_crdt_free(peer);
    return 0;
}
