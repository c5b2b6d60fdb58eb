/* toString() of XML types, and of whatever stands among their children. No escaping, as in yjs. */
#include "reader.h"
#include <stdlib.h>

struct um_span node_name(const struct reader *r, const struct type *t)
{
    return t->item == NONE ? UM_SPAN_STR("UNDEFINED") : name_text(r->doc, t->name);     /* a root has none */
}

/* Lower case of ASCII letters; others stay. */
static void emit_lower(struct reader *r, struct um_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (uint8_t)(c + 'a' - 'A');
        if (c < 0x80)
            emit(r, UM_SPAN(&c, 1));
        else
            um_buf_put_u8(r->out, c);     /* part of a character: nothing to escape */
    }
}

static int slot_order(const void *a, const void *b, void *ctx)
{
    const struct um_crdt *doc = ctx;

    return utf16_order(name_text(doc, doc->slots.v[*(const uint32_t *)a].key),
                       name_text(doc, doc->slots.v[*(const uint32_t *)b].key));
}

static void element_begin(struct reader *r, uint32_t type, const struct type *t)
{
    struct task attributes = { .op = OP_XML_ATTRIBUTES, .type = type, .base = r->slots.n };

    emit_text(r, "<");
    emit_lower(r, node_name(r, t));
    for (uint32_t s = t->first_slot; s != NONE; s = r->doc->slots.v[s].next) {
        uint32_t unit;

        if (entry_item(r, s, &unit) == NONE)
            continue;
        if (!vec_room(&r->mem, &r->slots, 1)) {
            r->err = UM_ENOMEM;
            return;
        }
        r->slots.v[r->slots.n++] = s;
    }
    attributes.end = attributes.slot = r->slots.n;
    if (attributes.end > attributes.base)
        qsort_r(r->slots.v + attributes.base, attributes.end - attributes.base, sizeof(*r->slots.v), slot_order,
                (void *)r->doc);
    attributes.slot = attributes.base;
    push(r, attributes);
}

/* SLOT runs over the sorted slots; UNIT: a value is out and its quote is due. */
void xml_attributes_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    uint32_t slot, item, unit;

    if (t->unit == 1)
        emit_text(r, "\"");
    if (t->slot == t->end) {
        uint32_t type = t->type;

        r->slots.n = t->base;
        r->tasks.n--;
        emit_text(r, ">");
        push(r, (struct task){ .op = OP_XML_CHILDREN, .type = type, .item = r->doc->types.v[type].start, .begun = true });
        return;
    }
    slot = r->slots.v[t->slot++];
    t->unit = 1;
    emit_text(r, " ");
    emit(r, name_text(r->doc, r->doc->slots.v[slot].key));
    emit_text(r, "=\"");
    item = entry_item(r, slot, &unit);
    entry_value(r, item, unit, false, true);
}

/* DUMP: a task that starts the view of TYPE from within a dump's string. */
void xml_children_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    const struct type *type = &r->doc->types.v[t->type];
    uint32_t item, unit, to;
    size_t at;

    if (t->dump) {
        to = t->type;
        r->tasks.n--;
        r->in_string = true;
        type_xml(r, to);
        return;
    }
    item = list_next(r, t);
    if (item == NONE) {
        r->tasks.n--;
        if (type->kind == UM_CRDT_XML_ELEMENT) {
            emit_text(r, "</");
            emit_lower(r, node_name(r, type));
            emit_text(r, ">");
        }
        return;
    }
    unit = t->unit++;
    at = t->at;
    if (t->unit == item_at(r->doc, item)->len) {
        t->item = item_at(r->doc, item)->right;
        t->unit = 0;
        t->at = 0;
        unit_value(r, item, unit, &at, false, true);
    } else {
        unit_value(r, item, unit, &at, false, true);
        r->tasks.v[r->tasks.n - 1].at = at;
    }
}

void type_xml(struct reader *r, uint32_t type)
{
    const struct type *t = &r->doc->types.v[type];

    switch (t->kind) {
    case UM_CRDT_TEXT:
        text_emit(r, type);
        return;
    case UM_CRDT_XML_TEXT:
        push(r, (struct task){ .op = OP_XML_TEXT, .item = t->start, .from = NONE });
        return;
    case UM_CRDT_XML_ELEMENT:
        element_begin(r, type, t);
        return;
    case UM_CRDT_XML_FRAGMENT:
        push(r, (struct task){ .op = OP_XML_CHILDREN, .type = type, .item = t->start });
        return;
    default:
        emit_text(r, "[object Object]");
    }
}
