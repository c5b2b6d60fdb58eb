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

/* All patches as one transaction of AUTHOR; its event is added to OUT. */
static void edit_at_once(struct um_crdt *doc, const struct um_crdt_type *text, uint64_t author, struct um_span patches,
                         struct um_buf *out)
{
    struct um_reader r = um_reader(patches);
    struct um_crdt_applied applied;

    UM_ASSERT(um_crdt_begin(doc, author, NULL) == UM_OK);
    while (um_reader_left(&r) > 0)
        patch_apply(doc, text, &r);
    UM_ASSERT(um_crdt_commit(doc, &applied) == UM_OK);
    um_buf_put(out, applied.event.data, applied.event.len);
}

static void hear(struct um_crdt *doc, const struct um_buf *event)
{
    struct um_crdt_applied applied;

    UM_ASSERT(um_crdt_apply(doc, UM_SPAN(event->data, event->len), &applied) == UM_OK);
}

static bool texts_agree(const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_buf x = { 0 }, y = { 0 };
    bool same;

    UM_ASSERT(um_crdt_read_text(a, UM_SPAN_STR("text"), &x) == UM_OK);
    UM_ASSERT(um_crdt_read_text(b, UM_SPAN_STR("text"), &y) == UM_OK);
    same = um_span_eq(UM_SPAN(x.data, x.len), UM_SPAN(y.data, y.len));
    um_buf_free(&x);
    um_buf_free(&y);
    return same;
}

static double concurrent_once(struct um_span before, const struct um_span edits[2])
{
    struct um_crdt *doc[2];
    struct um_crdt_type text[2];
    struct um_buf first = { 0 }, event[2] = { { 0 }, { 0 } };
    double start;

    for (int i = 0; i < 2; i++)
        doc[i] = doc_new(&text[i]);
    edit_at_once(doc[0], &text[0], 1, before, &first);
    hear(doc[1], &first);
    start = user_ms();
    for (unsigned i = 0; i < 2; i++)
        edit_at_once(doc[i], &text[i], 2 + i, edits[i], &event[i]);
    hear(doc[0], &event[1]);
    hear(doc[1], &event[0]);
    start = user_ms() - start;
    UM_ASSERT(texts_agree(doc[0], doc[1]));
    um_buf_free(&first);
    for (int i = 0; i < 2; i++) {
        um_buf_free(&event[i]);
        um_crdt_free(doc[i]);
    }
    return start;
}

void bench_concurrent(void)
{
    struct um_span before = input_load("b2.4-0");
    struct um_span edits[2] = { input_load("b2.4-1"), input_load("b2.4-2") };
    double ms[RUNS];

    if (before.data == NULL || edits[0].data == NULL || edits[1].data == NULL)
        return;
    for (int i = 0; i < RUNS; i++)
        ms[i] = concurrent_once(before, edits);
    case_name = "B2.4";
    print("edits", "user_cpu", "ms", ms, RUNS);
    free((void *)before.data);
    free((void *)edits[0].data);
    free((void *)edits[1].data);
}
