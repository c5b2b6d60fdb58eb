/* Edits: the generator tells what real yjs was asked to do, and the library must tell the same update. Types are named
 * as `uint 0, string root` or `uint 1, uint client, uint clock`. */
#include "diff.h"
#include <stdlib.h>
#include <string.h>

#define PART_MAX 16                   /* elements of one value */

enum written { ANY_VALUE, BYTES_VALUE, DOC_VALUE, TYPE_VALUE, JSON_VALUE };

static struct um_crdt_type read_type(struct run *run, const struct place *s)
{
    struct um_crdt_type t = { 0 };

    if (um_read_varuint(&run->r) == 0) {
        must(run, um_crdt_root_find(s->doc, um_read_varbytes(&run->r), &t), "finding the root");
    } else {
        t.client = um_read_varuint(&run->r);
        t.clock = (uint32_t)um_read_varuint(&run->r);
    }
    return t;
}

static void value_free(struct um_crdt_value *v)
{
    for (size_t i = 0; i < v->n_items; i++)
        value_free(&v->items[i]);
    for (size_t i = 0; i < v->n_entries; i++)
        value_free(&v->entries[i].value);
    free(v->items);
    free(v->entries);
}

static struct um_crdt_value read_value(struct run *run);

static size_t read_count(struct run *run)
{
    uint64_t n = um_read_varuint(&run->r);

    run->r.failed |= n > PART_MAX;
    return run->r.failed ? 0 : n;
}

static void read_type_content(struct run *run, struct um_crdt_value *v)
{
    v->type = (enum um_crdt_kind)um_read_varuint(&run->r);
    v->name = um_read_varbytes(&run->r);
    v->text = um_read_varbytes(&run->r);
    v->n_items = read_count(run);
    v->items = um_xcalloc(PART_MAX, sizeof(*v->items));
    for (size_t i = 0; i < v->n_items; i++)
        v->items[i] = read_value(run);
    v->n_entries = read_count(run);
    v->entries = um_xcalloc(PART_MAX, sizeof(*v->entries));
    for (size_t i = 0; i < v->n_entries; i++) {
        v->entries[i].key = um_read_varbytes(&run->r);
        v->entries[i].value = read_value(run);
    }
}

static struct um_crdt_value read_value(struct run *run)
{
    static const enum um_crdt_value_kind kinds[] = {
        UM_CRDT_V_ANY, UM_CRDT_V_BYTES, UM_CRDT_V_DOC, UM_CRDT_V_TYPE, UM_CRDT_V_JSON
    };
    uint64_t written = um_read_varuint(&run->r);
    struct um_crdt_value v = { .kind = kinds[written % UM_COUNT(kinds)] };

    if (written == TYPE_VALUE) {
        read_type_content(run, &v);
        return v;
    }
    v.data = um_read_varbytes(&run->r);
    if (written == DOC_VALUE)
        v.options = um_read_varbytes(&run->r);
    return v;
}

/* JSON, or data NULL when none are given. */
static struct um_span read_attributes(struct run *run)
{
    return um_read_varuint(&run->r) == 0 ? UM_SPAN(NULL, 0) : um_read_varbytes(&run->r);
}

static um_err list_edit(struct run *run, struct place *s, const struct um_crdt_type *t, enum command c)
{
    uint32_t index = c == LIST_PUSH ? 0 : (uint32_t)um_read_varuint(&run->r);
    struct um_crdt_value values[PART_MAX];
    size_t n;
    um_err err;

    if (c == LIST_DELETE)
        return um_crdt_list_delete(s->doc, t, index, (uint32_t)um_read_varuint(&run->r));
    n = read_count(run);
    for (size_t i = 0; i < n; i++)
        values[i] = read_value(run);
    err = c == LIST_PUSH ? um_crdt_list_push(s->doc, t, values, n) : um_crdt_list_insert(s->doc, t, index, values, n);
    for (size_t i = 0; i < n; i++)
        value_free(&values[i]);
    return err;
}

static um_err map_edit(struct run *run, struct place *s, const struct um_crdt_type *t, enum command c)
{
    struct um_span key = c == MAP_CLEAR ? UM_SPAN("", 0) : um_read_varbytes(&run->r);
    struct um_crdt_value v;
    um_err err;

    if (c == MAP_CLEAR)
        return um_crdt_map_clear(s->doc, t);
    if (c == MAP_DELETE)
        return um_crdt_map_delete(s->doc, t, key);
    v = read_value(run);
    err = um_crdt_map_set(s->doc, t, key, &v);
    value_free(&v);
    return err;
}

static um_err text_edit(struct run *run, struct place *s, const struct um_crdt_type *t, enum command c)
{
    uint32_t index, n;
    struct um_span text;
    struct um_crdt_value v;
    um_err err;

    if (c == TEXT_DELTA)
        return um_crdt_text_apply_delta(s->doc, t, um_read_varbytes(&run->r));
    index = (uint32_t)um_read_varuint(&run->r);
    switch (c) {
    case TEXT_INSERT:
        text = um_read_varbytes(&run->r);
        return um_crdt_text_insert(s->doc, t, index, text, read_attributes(run));
    case TEXT_EMBED:
        v = read_value(run);
        err = um_crdt_text_embed(s->doc, t, index, &v, read_attributes(run));
        value_free(&v);
        return err;
    case TEXT_FORMAT:
        n = (uint32_t)um_read_varuint(&run->r);
        return um_crdt_text_format(s->doc, t, index, n, um_read_varbytes(&run->r));
    default:
        return um_crdt_text_delete(s->doc, t, index, (uint32_t)um_read_varuint(&run->r));
    }
}

void edit(struct run *run, enum command c)
{
    struct place *s = read_place(run);
    struct um_crdt_applied a;
    struct um_crdt_type t;

    if (c == BEGIN) {
        must(run, um_crdt_begin(s->doc, um_read_varuint(&run->r), NULL), "beginning");
        return;
    }
    if (c == COMMIT) {
        memset(&a, 0, sizeof(a));
        must(run, um_crdt_commit(s->doc, &a), "committing");
        told_check(run, s, &a, UM_SPAN("", 0));
        return;
    }
    t = read_type(run, s);
    switch (c) {
    case LIST_INSERT: case LIST_PUSH: case LIST_DELETE: must(run, list_edit(run, s, &t, c), "editing"); break;
    case MAP_SET: case MAP_DELETE: case MAP_CLEAR:      must(run, map_edit(run, s, &t, c), "editing"); break;
    default:                                            must(run, text_edit(run, s, &t, c), "editing");
    }
}
