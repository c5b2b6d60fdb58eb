/* Reading a document as it was: the readers' tasks with a view of a snapshot, and the delta that tells two moments
 * apart.
 *
 * yjs' toDelta(snapshot, before) cuts items at the borders of both snapshots; each piece that is in one of them only
 * is an operation of its own, marked by the attribute `ychange`. Embeds and types bear the mark of the text before
 * them, as in yjs. Format items count as they are at `snapshot`. */
#include "cold.h"
#include "reader.h"
#include <stdio.h>

/* ---- what changed -------------------------------------------------------------------------------------- */

enum mark { MARK_NONE, MARK_ADDED, MARK_REMOVED, MARK_FOREIGN /* `ychange` of the text's own formatting */ };

struct changes {
    const struct view *before;
    bool compare, with_client;
    bool open;                        /* an operation that inserts a string is being written */
    enum mark mark;                   /* the active one */
    uint32_t client;                  /* that it names */
    char value[64];                   /* its attribute's value */
};

#define YCHANGE UM_SPAN_STR("ychange")

static void operation_close(struct reader *r, const struct task *t)
{
    if (!r->changes->open)
        return;
    r->changes->open = r->in_string = false;
    emit_text(r, "\"");
    attributes_json(r, t->base);
    emit_text(r, "}");
}

static void operation_open(struct reader *r, struct task *t)
{
    if (r->changes->open)
        return;
    emit_text(r, t->begun ? ",{\"insert\":\"" : "{\"insert\":\"");
    t->begun = true;
    r->changes->open = r->in_string = true;
}

static void mark_set(struct reader *r, const struct task *t, enum mark mark, uint32_t client)
{
    struct changes *c = r->changes;
    const char *name = mark == MARK_ADDED ? "added" : "removed";
    int n;

    if (mark == c->mark && (mark == MARK_NONE || (c->with_client && client == c->client)))
        return;
    operation_close(r, t);
    c->mark = mark;
    c->client = client;
    if (c->with_client)
        n = snprintf(c->value, sizeof(c->value), "{\"user\":%llu,\"type\":\"%s\"}",
                     (unsigned long long)r->doc->clients.v[client].id, name);
    else
        n = snprintf(c->value, sizeof(c->value), "{\"type\":\"%s\"}", name);
    attribute_set(r, t->base, (struct attribute){ YCHANGE, mark == MARK_NONE ? UM_SPAN_STR("null")
                                                                             : UM_SPAN(c->value, (size_t)n) });
}

/* A stretch of a string that shows in one view at least. */
static void stretch_emit(struct reader *r, struct task *t, const struct item *it, uint32_t to, bool now, bool then)
{
    enum mark mark = !now ? MARK_REMOVED : r->changes->compare && !then ? MARK_ADDED : MARK_NONE;

    mark_set(r, t, mark, it->client);
    operation_open(r, t);
    string_part_emit(r, it, t->unit, to, &t->at, true);
}

static void mark_format(struct reader *r, const struct task *t, const struct item *it)
{
    struct rd b = rd_make(item_body(r->doc, it));

    operation_close(r, t);
    format_apply(r, t->base, it);
    if (um_span_eq(rd_bytes(&b), YCHANGE))
        r->changes->mark = um_span_eq(rd_bytes(&b), UM_SPAN_STR("null")) ? MARK_NONE : MARK_FOREIGN;
}

/* The stretch of IT from the task's unit on. True: a type has been begun, its tasks come first. */
static bool stretch_step(struct reader *r, struct task *t, const struct item *it)
{
    uint32_t a, b = it->len, to, item = t->item;
    bool now = view_stretch(r->view, it, t->unit, &a);
    bool then = r->changes->compare && view_stretch(r->changes->before, it, t->unit, &b);
    bool comma;

    to = UM_MIN(a, b);
    if (it->kind == KIND_STRING && (now || then))
        stretch_emit(r, t, it, to, now, then);
    else if (it->kind == KIND_STRING)
        string_part_emit(r, it, t->unit, to, &t->at, false);
    else if (it->kind == KIND_FORMAT && now)
        mark_format(r, t, it);
    t->unit = to;
    if (to == it->len) {
        t->item = it->right;
        t->unit = 0;
        t->at = 0;
    }
    if ((it->kind != KIND_EMBED && it->kind != KIND_TYPE) || !(now || then))
        return false;
    operation_close(r, t);
    comma = t->begun;
    t->begun = true;
    insert_emit(r, item, t->base, comma, t->dump);       /* may push: T is stale from here on */
    return it->kind == KIND_TYPE;
}

void changes_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];

    while (t->item != NONE && r->err == UM_OK)
        if (stretch_step(r, t, item_at(r->doc, t->item)))
            return;
    operation_close(r, t);
    r->attributes.n = UM_MIN(r->attributes.n, t->base);
    r->tasks.n--;
}

/* ---- public -------------------------------------------------------------------------------------------- */

typedef um_err view_fn(struct reader *r, uint32_t type, const void *arg);

static um_err read_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                      enum um_crdt_form form, struct um_buf *out, view_fn *fn, const void *arg)
{
    struct view view;
    struct reader r;
    struct mem m;
    uint32_t t;
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if ((t = type_find(doc, type)) == NONE)
        return UM_ENOTFOUND;
    mem_init(&m, &doc->mem.alloc);
    if ((err = view_make(&m, doc, snapshot, &view)) != UM_OK)
        return err;
    reader_begin(&r, doc, form, out);
    r.view = &view;
    err = fn(&r, t, arg);
    if (err != UM_OK)
        r.err = err;
    err = reader_end(&r);
    view_free(&m, &view);
    return err;
}

static bool kind_in(const struct reader *r, uint32_t type, uint32_t kinds)
{
    return (KINDS(r->doc->types.v[type].kind) & kinds) != 0;
}

static um_err json_view(struct reader *r, uint32_t type, const void *arg)
{
    (void)arg;
    if (!kind_in(r, type, IS_ANY))
        return UM_EINVAL;
    type_json(r, type);
    return UM_OK;
}

um_err um_crdt_read_json_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                            enum um_crdt_form form, struct um_buf *out)
{
    return read_at(doc, type, snapshot, form, out, json_view, NULL);
}

static um_err text_view(struct reader *r, uint32_t type, const void *arg)
{
    (void)arg;
    if (!kind_in(r, type, IS_TEXT))
        return UM_EINVAL;
    text_emit(r, type);
    return UM_OK;
}

um_err um_crdt_read_text_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                            struct um_buf *out)
{
    return read_at(doc, type, snapshot, UM_CRDT_PLAIN, out, text_view, NULL);
}

static um_err xml_view(struct reader *r, uint32_t type, const void *arg)
{
    (void)arg;
    if (!kind_in(r, type, IS_XML))
        return UM_EINVAL;
    type_xml(r, type);
    return UM_OK;
}

um_err um_crdt_read_xml_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                           struct um_buf *out)
{
    return read_at(doc, type, snapshot, UM_CRDT_PLAIN, out, xml_view, NULL);
}

static um_err dump_view(struct reader *r, uint32_t type, const void *arg)
{
    (void)arg;
    if (!kind_in(r, type, IS_ANY))
        return UM_EINVAL;
    type_dump(r, type);
    return UM_OK;
}

um_err um_crdt_read_dump_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                            struct um_buf *out)
{
    return read_at(doc, type, snapshot, UM_CRDT_TAGGED, out, dump_view, NULL);
}

static um_err list_view(struct reader *r, uint32_t type, const void *arg)
{
    (void)arg;
    emit_text(r, "[");
    push_literal(r, "]");
    push_list(r, type, false);
    return UM_OK;
}

um_err um_crdt_read_list_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                            enum um_crdt_form form, struct um_buf *out)
{
    return read_at(doc, type, snapshot, form, out, list_view, NULL);
}

static um_err entries_view(struct reader *r, uint32_t type, const void *arg)
{
    (void)arg;
    emit_text(r, "{");
    push_literal(r, "}");
    push_entries(r, type, false);
    return UM_OK;
}

um_err um_crdt_read_entries_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span snapshot,
                               enum um_crdt_form form, struct um_buf *out)
{
    return read_at(doc, type, snapshot, form, out, entries_view, NULL);
}

static um_err entry_view(struct reader *r, uint32_t type, const void *arg)
{
    uint32_t name = name_find(r->doc, *(const struct um_span *)arg), slot, item, unit;

    if (name == NONE || (slot = slot_find(r->doc, type, name)) == NONE || (item = entry_item(r, slot,
                                                                                             &unit)) == NONE)
        return UM_ENOTFOUND;
    entry_value(r, item, unit, false, false);
    return UM_OK;
}

um_err um_crdt_read_entry_at(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key,
                             struct um_span snapshot, enum um_crdt_form form, struct um_buf *out)
{
    return read_at(doc, type, snapshot, form, out, entry_view, &key);
}

um_err um_crdt_read_delta_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                             const struct um_span *snapshot,
                             const struct um_span *before, bool with_client, enum um_crdt_form form, struct um_buf *out)
{
    struct view now = { 0 }, then = { 0 };
    struct changes changes = { .before = &then, .compare = before != NULL, .with_client = with_client };
    struct reader r;
    struct mem m;
    uint32_t t;
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if ((t = type_find(doc, type)) == NONE)
        return UM_ENOTFOUND;
    if ((KINDS(doc->types.v[t].kind) & IS_TEXT) == 0)
        return UM_EINVAL;
    mem_init(&m, &doc->mem.alloc);
    if (snapshot != NULL)
        err = view_make(&m, doc, *snapshot, &now);
    if (before != NULL && err == UM_OK)
        err = view_make(&m, doc, *before, &then);
    if (err == UM_OK) {
        reader_begin(&r, doc, form, out);
        r.view = snapshot != NULL ? &now : NULL;
        r.changes = &changes;
        emit_text(&r, "[");
        push_literal(&r, "]");
        push(&r, (struct task){ .op = OP_CHANGES, .item = doc->types.v[t].start, .from = NONE });
        err = reader_end(&r);
    }
    view_free(&m, &now);
    view_free(&m, &then);
    return err;
}
