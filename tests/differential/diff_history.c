/* Snapshots and relative positions. */
#include "diff.h"
#include <umbel/crdt_position.h>
#include <umbel/crdt_snapshot.h>

static void snapshot(struct run *run, const struct place *s)
{
    int version = (int)um_read_varuint(&run->r);

    same_result(run, um_crdt_snapshot(s->doc, version, &run->got), um_read_varbytes(&run->r), false);
}

static void restore(struct run *run, const struct place *s)
{
    struct um_span at = um_read_varbytes(&run->r), want = um_read_varbytes(&run->r);
    struct um_crdt *doc;
    um_err err = um_crdt_from_snapshot(s->doc, at, NULL, &doc);

    if (err != UM_OK) {
        must(run, err, "restoring");
        return;
    }
    same_result(run, um_crdt_encode(doc, UM_SPAN(NULL, 0), &run->got), want, false);
    um_crdt_free(doc);
}

static void delta_at(struct run *run, const struct place *s)
{
    struct um_span root = um_read_varbytes(&run->r), at = um_read_varbytes(&run->r), before = UM_SPAN("", 0), want;
    bool has_before = um_read_varuint(&run->r) != 0;
    struct um_crdt_type t;

    if (has_before)
        before = um_read_varbytes(&run->r);
    want = um_read_varbytes(&run->r);
    must(run, um_crdt_root_find(s->doc, root, &t), "finding the root");
    must(run, um_crdt_read_delta_at(s->doc, &t, &at, has_before ? &before : NULL, false, UM_CRDT_PLAIN, &run->got),
         "reading");
    same_json(run, got_span(run), want);
    um_buf_clear(&run->got);
}

static void position(struct run *run, const struct place *s)
{
    struct um_span root = um_read_varbytes(&run->r);
    uint32_t index = (uint32_t)um_read_varuint(&run->r);
    int64_t assoc = um_read_varuint(&run->r) == 0 ? 0 : -1;
    struct um_crdt_position p = { 0 };
    struct um_crdt_type t;

    must(run, um_crdt_root_find(s->doc, root, &t), "finding the root");
    must(run, um_crdt_position_make(s->doc, &t, index, assoc, &p), "making");
    same_result(run, um_crdt_position_encode(&p, &run->got), um_read_varbytes(&run->r), false);
}

/* The index, counted from one; 0 when the position is not here. */
static void resolve(struct run *run, const struct place *s)
{
    struct um_span bytes = um_read_varbytes(&run->r);
    uint64_t want = um_read_varuint(&run->r), got = 0;
    struct um_crdt_position p;
    struct um_crdt_type t;
    uint32_t index;
    um_err err;

    must(run, um_crdt_position_decode(bytes, &p), "decoding");
    if ((err = um_crdt_position_resolve(s->doc, &p, &t, &index)) == UM_OK)
        got = (uint64_t)index + 1;
    else if (err != UM_ENOTFOUND)
        must(run, err, "resolving");
    if (got != want)
        differs(run, "index %lld, with yjs %lld", (long long)got - 1, (long long)want - 1);
}

void history(struct run *run, enum command c)
{
    const struct place *s = read_place(run);

    switch (c) {
    case SNAPSHOT: snapshot(run, s); break;
    case RESTORE:  restore(run, s); break;
    case DELTA_AT: delta_at(run, s); break;
    case POSITION: position(run, s); break;
    default:       resolve(run, s);
    }
}
