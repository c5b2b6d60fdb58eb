/* toJSON() of shared types, and dumps that keep what it loses. */
#include "reader.h"
#include <stdio.h>

static const char *const kind_name[] = { "Array", "Map", "Text", "XmlElement", "XmlFragment", "XmlHook", "XmlText" };

/* ---- content ------------------------------------------------------------------------------------------- */

static void nested_type(struct reader *r, uint32_t type, bool dump, bool as_string)
{
    if (as_string) {
        type_xml(r, type);
    } else if (dump) {
        emit_text(r, "{\"$\":\"type\",\"dump\":");
        push_literal(r, "}");
        type_dump(r, type);
    } else {
        type_json(r, type);
    }
}

/* One unit of a string outside a text: a JavaScript character, so half of a pair stands alone as U+FFFD. */
static void string_unit(struct reader *r, const struct item *it, uint32_t unit, size_t *at, bool as_string)
{
    struct um_span body = item_body(r->doc, it), one = UM_SPAN_STR("\xef\xbf\xbd");
    uint32_t head = (it->flags & F_HEAD_HALF) != 0;

    if (unit >= head && *at < body.len) {
        bool half;
        size_t n = utf16_offset(UM_SPAN(body.data + *at, body.len - *at), 1, &half);

        if (!half)
            one = UM_SPAN(body.data + *at, n);
        if (half && utf16_len(UM_SPAN(body.data, *at)) + head < unit)
            *at += 4;                     /* second half: the character is done */
        *at += n;
    }
    if (as_string)
        emit(r, one);
    else
        emit_json_string(r, one);
}

void unit_value(struct reader *r, uint32_t item, uint32_t unit, size_t *at, bool dump, bool as_string)
{
    const struct item *it = item_at(r->doc, item);
    struct um_span body = item_body(r->doc, it);
    struct rd rest;
    struct um_span json;

    if (it->kind == KIND_TYPE) {
        nested_type(r, it->content, dump, as_string);
        return;
    }
    rest = rd_make(UM_SPAN(body.data + *at, body.len - *at));
    switch (it->kind) {
    case KIND_ANY:
        if (as_string)
            emit_any_as_string(r, &rest);
        else
            emit_any(r, &rest);
        break;
    case KIND_JSON: case KIND_EMBED:
        json = it->kind == KIND_JSON ? rd_bytes(&rest) : body;
        if (as_string)
            emit_json_as_string(r, json);
        else
            emit_json_text(r, json);
        break;
    case KIND_BINARY: {
        struct um_buf any = { 0 };
        struct rd a;

        um_buf_put_u8(&any, ANY_BYTES);
        buf_put_string(&any, body);
        a = rd_make(UM_SPAN(any.data, any.len));
        if (as_string)
            emit_any_as_string(r, &a);
        else
            emit_any(r, &a);
        r->out->failed |= any.failed;
        um_buf_free(&any);
        return;
    }
    case KIND_DOC:
        if (as_string)
            emit_text(r, "[object Object]");
        else
            emit_sub_document(r, body);
        return;
    case KIND_STRING:
        string_unit(r, it, unit, at, as_string);
        return;
    default:
        if (as_string)
            emit_text(r, "undefined");
        else
            emit_undefined(r);
        return;
    }
    *at = (size_t)(rest.p - body.data);
}

void entry_value(struct reader *r, uint32_t item, bool dump, bool as_string)
{
    const struct item *it = item_at(r->doc, item);
    size_t at = 0;
    bool half = false;

    if (it->kind == KIND_STRING) {
        uint32_t head = (it->flags & F_HEAD_HALF) != 0;

        at = it->len - 1 < head ? 0 : body_offset(it->kind, item_body(r->doc, it), it->len - 1 - head, &half);
    } else if (it->len > 1) {
        at = body_offset(it->kind, item_body(r->doc, it), it->len - 1, &half);
    }
    unit_value(r, item, it->len - 1, &at, dump, as_string);
}

/* ---- lists and maps ------------------------------------------------------------------------------------ */

uint32_t list_next(const struct um_crdt *doc, uint32_t item)
{
    while (item != NONE && !item_is_visible(item_at(doc, item)))
        item = item_at(doc, item)->right;
    return item;
}

void list_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    uint32_t item = t->item = list_next(r->doc, t->item), unit;
    bool dump = t->dump;
    size_t at;

    if (item == NONE) {
        r->tasks.n--;
        return;
    }
    if (t->begun)
        emit_text(r, ",");
    t->begun = true;
    unit = t->unit++;
    at = t->at;
    if (t->unit == item_at(r->doc, item)->len) {
        t->item = item_at(r->doc, item)->right;
        t->unit = 0;
        t->at = 0;
        unit_value(r, item, unit, &at, dump, false);      /* may push: T is stale from here on */
    } else {
        unit_value(r, item, unit, &at, dump, false);
        r->tasks.v[r->tasks.n - 1].at = at;               /* several units: nothing that pushes */
    }
}

static uint32_t entry_next(const struct um_crdt *doc, uint32_t slot)
{
    while (slot != NONE && (doc->slots.v[slot].tail == NONE || item_is_deleted(item_at(doc, doc->slots.v[slot].tail))))
        slot = doc->slots.v[slot].next;
    return slot;
}

void entries_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    uint32_t slot = entry_next(r->doc, t->slot);
    bool dump = t->dump;

    if (slot == NONE) {
        r->tasks.n--;
        return;
    }
    if (t->begun)
        emit_text(r, ",");
    t->begun = true;
    t->slot = r->doc->slots.v[slot].next;
    emit_json_string(r, name_text(r->doc, r->doc->slots.v[slot].key));
    emit_text(r, ":");
    entry_value(r, r->doc->slots.v[slot].tail, dump, false);
}

static void push_list(struct reader *r, uint32_t type, bool dump)
{
    push(r, (struct task){ .op = OP_LIST, .item = r->doc->types.v[type].start, .dump = dump });
}

static void push_entries(struct reader *r, uint32_t type, bool dump)
{
    push(r, (struct task){ .op = OP_ENTRIES, .slot = r->doc->types.v[type].first_slot, .dump = dump });
}

void type_json(struct reader *r, uint32_t type)
{
    switch (r->doc->types.v[type].kind) {
    case UM_CRDT_ARRAY:
        emit_text(r, "[");
        push_literal(r, "]");
        push_list(r, type, false);
        return;
    case UM_CRDT_MAP: case UM_CRDT_XML_HOOK:
        emit_text(r, "{");
        push_literal(r, "}");
        push_entries(r, type, false);
        return;
    default:
        string_begin(r);
        type_xml(r, type);
    }
}

/* ---- dumps --------------------------------------------------------------------------------------------- */

static void dump_text(struct reader *r, uint32_t type, const struct type *t)
{
    emit_text(r, ",\"text\":\"");
    r->in_string = true;
    text_emit(r, type);
    r->in_string = false;
    emit_text(r, "\",\"delta\":[");
    push_literal(r, "}");
    if (t->kind == UM_CRDT_XML_TEXT) {        /* pushed in reverse: ends with "xml" */
        push(r, (struct task){ .op = OP_STRING_END });
        push(r, (struct task){ .op = OP_XML_CHILDREN, .type = type, .item = NONE, .dump = true });
        push_literal(r, ",\"xml\":\"");
    }
    push_literal(r, "}");
    push_entries(r, type, true);
    push_literal(r, "],\"attrs\":{");
    push(r, (struct task){ .op = OP_DELTA, .item = t->start, .from = NONE, .dump = true });
}

static void dump_name(struct reader *r, const char *label, const struct type *t)
{
    emit_text(r, label);
    emit_json_string(r, node_name(r, t));
}

/* An element, a fragment: the XML view at the end is the JSON view of the type. */
static void dump_xml(struct reader *r, uint32_t type, const struct type *t)
{
    push_literal(r, "}");
    push(r, (struct task){ .op = OP_STRING_END });
    push(r, (struct task){ .op = OP_XML_CHILDREN, .type = type, .item = NONE, .dump = true });
    push_literal(r, "],\"xml\":\"");
    push_list(r, type, true);
    push_literal(r, ",\"children\":[");
    if (t->kind != UM_CRDT_XML_ELEMENT)
        return;
    dump_name(r, ",\"nodeName\":", t);
    emit_text(r, ",\"attrs\":{");
    push_literal(r, "}");
    push_entries(r, type, true);
}

void type_dump(struct reader *r, uint32_t type)
{
    const struct type *t = &r->doc->types.v[type];
    char head[96];

    snprintf(head, sizeof(head), "{\"kind\":\"%s\",\"length\":%u", kind_name[t->kind], t->length);
    emit_text(r, head);
    switch (t->kind) {
    case UM_CRDT_TEXT: case UM_CRDT_XML_TEXT:
        dump_text(r, type, t);
        return;
    case UM_CRDT_ARRAY:
        emit_text(r, ",\"items\":[");
        push_literal(r, "]}");
        push_list(r, type, true);
        return;
    case UM_CRDT_MAP: case UM_CRDT_XML_HOOK:
        if (t->kind == UM_CRDT_XML_HOOK)
            dump_name(r, ",\"hookName\":", t);
        emit_text(r, ",\"entries\":{");
        push_literal(r, "}}");
        push_entries(r, type, true);
        return;
    default:
        dump_xml(r, type, t);
    }
}
