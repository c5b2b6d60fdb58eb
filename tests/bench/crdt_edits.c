/* Editing from C: a recorded trace, each edit a transaction of its own with its event; and two authors who edit at
 * the same time, then tell one another (B2.4 of crdt-benchmarks). Patches, one behind the other: uint position, uint
 * units to delete, string to insert. */
#include "crdt_bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_types.h>

static struct um_crdt *doc_new(struct um_crdt_type *text)
{
    struct um_crdt *doc;

    UM_ASSERT(um_crdt_new(NULL, &doc) == UM_OK);
    UM_ASSERT(um_crdt_root(doc, UM_SPAN_STR("text"), UM_CRDT_TEXT, text) == UM_OK);
    return doc;
}

static void patch_apply(struct um_crdt *doc, const struct um_crdt_type *text, struct um_reader *r)
{
    uint32_t at = (uint32_t)um_read_varuint(r), gone = (uint32_t)um_read_varuint(r);
    struct um_span added = um_read_varbytes(r);

    if (gone > 0)
        UM_ASSERT(um_crdt_text_delete(doc, text, at, gone) == UM_OK);
    if (added.len > 0)
        UM_ASSERT(um_crdt_text_insert(doc, text, at, added, UM_SPAN(NULL, 0)) == UM_OK);
}

/* Each patch a transaction; the document that comes out. */
static struct um_crdt *edit_all(struct um_span patches, size_t *event_bytes)
{
    struct um_reader r = um_reader(patches);
    struct um_crdt_type text;
    struct um_crdt *doc = doc_new(&text);

    for (*event_bytes = 0; um_reader_left(&r) > 0;) {
        struct um_crdt_applied applied;

        UM_ASSERT(um_crdt_begin(doc, 1234567, NULL) == UM_OK);
        patch_apply(doc, &text, &r);
        UM_ASSERT(um_crdt_commit(doc, &applied) == UM_OK);
        *event_bytes += applied.event.len;
    }
    return doc;
}

static size_t updates_bytes(const struct updates *u)
{
    size_t n = 0;

    for (size_t i = 0; i < u->n; i++)
        n += u->v[i].len;
    return n;
}

void bench_edits(const struct updates *u)
{
    struct um_span patches = input_load("patches");
    double ms[RUNS], memory[1];
    struct um_crdt_stats stats;
    size_t events;

    if (patches.data == NULL)
        return;
    for (int i = 0; i < RUNS; i++) {
        double start = user_ms();
        struct um_crdt *doc = edit_all(patches, &events);

        ms[i] = user_ms() - start;
        UM_ASSERT(events == updates_bytes(u));        /* what yjs told of the same edits */
        um_crdt_get_stats(doc, &stats);
        um_crdt_free(doc);
    }
    memory[0] = (double)stats.memory_bytes / 1e6;
    print("edits", "user_cpu", "ms", ms, RUNS);
    print("edits-memory", "allocated", "MB", memory, 1);
    free((void *)patches.data);
}

/* All patches as one transaction of AUTHOR, whose event PEER is given. */
static void edit_at_once(struct um_crdt *doc, uint64_t author, struct um_span patches, struct um_crdt *peer)
{
    struct um_reader r = um_reader(patches);
    struct um_crdt_applied applied;
    struct um_crdt_type text;

    UM_ASSERT(um_crdt_root(doc, UM_SPAN_STR("text"), UM_CRDT_TEXT, &text) == UM_OK);
    UM_ASSERT(um_crdt_begin(doc, author, NULL) == UM_OK);
    while (um_reader_left(&r) > 0)
        patch_apply(doc, &text, &r);
    UM_ASSERT(um_crdt_commit(doc, &applied) == UM_OK);
    if (peer != NULL)
        UM_ASSERT(um_crdt_apply(peer, applied.event, NULL) == UM_OK);
}

void bench_concurrent(void)
{
    struct um_span before = input_load("b2.4-0"), one = input_load("b2.4-1"), other = input_load("b2.4-2");
    double ms[RUNS];

    if (before.data == NULL || one.data == NULL || other.data == NULL)
        return;
    for (int i = 0; i < RUNS; i++) {
        struct um_crdt_type text;
        struct um_crdt *a = doc_new(&text), *b = doc_new(&text), *was = doc_new(&text);
        struct um_buf state = { 0 }, news[2] = { { 0 }, { 0 } }, text_a = { 0 }, text_b = { 0 };
        struct um_buf sv = { 0 };
        double start;

        edit_at_once(was, 1, before, a);
        UM_ASSERT(um_crdt_encode(was, UM_SPAN(NULL, 0), &state) == UM_OK);
        UM_ASSERT(um_crdt_apply(b, UM_SPAN(state.data, state.len), NULL) == UM_OK);
        UM_ASSERT(um_crdt_state_vector(was, &sv) == UM_OK);
        start = user_ms();
        edit_at_once(a, 2, one, NULL);
        edit_at_once(b, 3, other, NULL);
        UM_ASSERT(um_crdt_encode(a, UM_SPAN(sv.data, sv.len), &news[0]) == UM_OK);
        UM_ASSERT(um_crdt_encode(b, UM_SPAN(sv.data, sv.len), &news[1]) == UM_OK);
        UM_ASSERT(um_crdt_apply(a, UM_SPAN(news[1].data, news[1].len), NULL) == UM_OK);
        UM_ASSERT(um_crdt_apply(b, UM_SPAN(news[0].data, news[0].len), NULL) == UM_OK);
        ms[i] = user_ms() - start;
        UM_ASSERT(um_crdt_read_text(a, UM_SPAN_STR("text"), &text_a) == UM_OK);
        UM_ASSERT(um_crdt_read_text(b, UM_SPAN_STR("text"), &text_b) == UM_OK);
        UM_ASSERT(um_span_eq(UM_SPAN(text_a.data, text_a.len), UM_SPAN(text_b.data, text_b.len)));
        um_buf_free(&state);
        um_buf_free(&sv);
        um_buf_free(&news[0]);
        um_buf_free(&news[1]);
        um_buf_free(&text_a);
        um_buf_free(&text_b);
        um_crdt_free(a);
        um_crdt_free(b);
        um_crdt_free(was);
    }
    case_name = "B2.4";
    print("edits", "user_cpu", "ms", ms, RUNS);
    free((void *)before.data);
    free((void *)one.data);
    free((void *)other.data);
}
