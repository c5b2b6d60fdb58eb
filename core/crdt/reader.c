/* The engine of the readers, and their public faces. */
#include "cold.h"
#include "edit.h"
#include "reader.h"
#include "value.h"
#include <stdio.h>
#include <umbel/util.h>

void emit(struct reader *r, struct um_span s)
{
    if (r->in_string)
        json_escape(r->out, s);
    else
        um_buf_put(r->out, s.data, s.len);
}

void emit_text(struct reader *r, const char *s)
{
    emit(r, UM_SPAN_STR(s));
}

void emit_count(struct reader *r, uint64_t n)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
    emit_text(r, text);
}

void push(struct reader *r, struct task t)
{
    if (!vec_room(&r->mem, &r->tasks, 1))
        r->err = UM_ENOMEM;
    else
        r->tasks.v[r->tasks.n++] = t;
}

void push_literal(struct reader *r, const char *s)
{
    push(r, (struct task){ .op = OP_LITERAL, .literal = s });
}

void string_begin(struct reader *r)
{
    emit_text(r, "\"");
    r->in_string = true;
    push(r, (struct task){ .op = OP_STRING_END });
}

int utf16_order(struct um_span a, struct um_span b)
{
    size_t n = UM_MIN(a.len, b.len);

    for (size_t i = 0; i < n; i++) {
        uint8_t x = a.data[i], y = b.data[i];

        if (x == y)
            continue;
        if ((x >= 0xf0) != (y >= 0xf0)) {         /* surrogates sort below U+E000 */
            uint8_t other = x >= 0xf0 ? y : x;

            if (other >= 0xee)
                return x >= 0xf0 ? -1 : 1;
        }
        return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

static void step(struct reader *r)
{
    switch (r->tasks.v[r->tasks.n - 1].op) {
    case OP_LITERAL:
        emit_text(r, r->tasks.v[--r->tasks.n].literal);
        return;
    case OP_STRING_END:
        r->tasks.n--;
        r->in_string = false;
        emit_text(r, "\"");
        return;
    case OP_LIST:
        list_step(r);
        return;
    case OP_ENTRIES:
        entries_step(r);
        return;
    case OP_DELTA:
        delta_step(r);
        return;
    case OP_XML_ATTRIBUTES:
        xml_attributes_step(r);
        return;
    case OP_XML_CHILDREN:
        xml_children_step(r);
        return;
    case OP_XML_TEXT:
        xml_text_step(r);
        return;
    case OP_CHANGES:
        changes_step(r);
        return;
    }
}

void reader_begin(struct reader *r, const struct um_crdt *doc, enum um_crdt_form form, struct um_buf *out)
{
    memset(r, 0, sizeof(*r));
    r->doc = doc;
    r->out = out;
    r->form = form;
    mem_init(&r->mem, &doc->mem.alloc);
}

void reader_run(struct reader *r)
{
    while (r->tasks.n > 0 && r->err == UM_OK && !r->out->failed)
        step(r);
}

um_err reader_end(struct reader *r)
{
    reader_run(r);
    vec_free(&r->mem, &r->tasks);
    vec_free(&r->mem, &r->attributes);
    vec_free(&r->mem, &r->slots);
    return r->err == UM_OK && r->out->failed ? UM_ENOMEM : r->err;
}

/* ---- public -------------------------------------------------------------------------------------------- */

static um_err root_of(const struct um_crdt *doc, struct um_span root, uint32_t kinds, uint32_t *out)
{
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if ((*out = root_find(doc, root)) == NONE)
        return UM_ENOTFOUND;
    return (KINDS(doc->types.v[*out].kind) & kinds) != 0 ? UM_OK : UM_EINVAL;
}

um_err um_crdt_read_json(const struct um_crdt *doc, struct um_span root, enum um_crdt_form form, struct um_buf *out)
{
    struct reader r;
    uint32_t t;
    um_err err = root_of(doc, root, IS_ANY, &t);

    if (err != UM_OK)
        return err;
    reader_begin(&r, doc, form, out);
    type_json(&r, t);
    return reader_end(&r);
}

um_err um_crdt_type_json(const struct um_crdt *doc, const struct um_crdt_type *type, enum um_crdt_form form,
                         struct um_buf *out)
{
    struct reader r;
    uint32_t t;
    um_err err = thaw(doc);

    if (err != UM_OK || (err = type_open(doc, type, IS_ANY, &t)) != UM_OK)
        return err;
    reader_begin(&r, doc, form, out);
    type_json(&r, t);
    return reader_end(&r);
}

um_err um_crdt_read_text(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    struct reader r;
    uint32_t t;
    um_err err = root_of(doc, root, IS_TEXT, &t);

    if (err != UM_OK)
        return err;
    reader_begin(&r, doc, UM_CRDT_PLAIN, out);
    text_emit(&r, t);
    return reader_end(&r);
}

um_err um_crdt_read_xml(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    struct reader r;
    uint32_t t;
    um_err err = root_of(doc, root, IS_XML, &t);

    if (err != UM_OK)
        return err;
    reader_begin(&r, doc, UM_CRDT_PLAIN, out);
    type_xml(&r, t);
    return reader_end(&r);
}

um_err um_crdt_read_delta(const struct um_crdt *doc, struct um_span root, enum um_crdt_form form, struct um_buf *out)
{
    struct reader r;
    uint32_t t;
    um_err err = root_of(doc, root, IS_TEXT, &t);

    if (err != UM_OK)
        return err;
    reader_begin(&r, doc, form, out);
    emit_text(&r, "[");
    push_literal(&r, "]");
    push(&r, (struct task){ .op = OP_DELTA, .type = t, .item = doc->types.v[t].start, .from = NONE });
    return reader_end(&r);
}

um_err um_crdt_read_dump(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    struct reader r;
    uint32_t t;
    um_err err = root_of(doc, root, IS_ANY, &t);

    if (err != UM_OK)
        return err;
    reader_begin(&r, doc, UM_CRDT_TAGGED, out);
    type_dump(&r, t);
    return reader_end(&r);
}
