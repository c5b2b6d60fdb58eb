/* toJSON() of shared types, and dumps that keep what it loses. */
#include "reader.h"
#include <stdio.h>

const char *kind_name(enum um_crdt_kind kind)
{
    static const char *const names[] = {
        "Array", "Map", "Text", "XmlElement", "XmlFragment", "XmlHook", "XmlText", "Untyped",
    };

    return names[kind];
}

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
        bool half = false, second = (body.data[*at] & 0xc0) == 0x80;
        size_t n = second ? 3 : utf16_offset(UM_SPAN(body.data + *at, body.len - *at), 1, &half);

        if (!second && !half)
            one = UM_SPAN(body.data + *at, n);
        *at += !second && half ? 1 : n;
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

/* From unit FROM at byte AT on to unit TO: where that begins. */
static size_t units_skip(const struct reader *r, const struct item *it, uint32_t from, uint32_t to, size_t at)
{
    struct um_span body = item_body(r->doc, it);
    uint32_t n = to - from;
    bool half;

    if (it->kind == KIND_STRING) {
        if (n > 0 && from == 0 && (it->flags & F_HEAD_HALF) != 0)
            n--;
        if (n > 0 && at < body.len && (body.data[at] & 0xc0) == 0x80) {
            at += 3;
            n--;
        }
    }
    at += body_offset(it->kind, UM_SPAN(body.data + at, body.len - at), n, &half);
    return half ? at + 1 : at;
}

void entry_value(struct reader *r, uint32_t item, uint32_t unit, bool dump, bool as_string)
{
    size_t at = units_skip(r, item_at(r->doc, item), 0, unit, 0);

    unit_value(r, item, unit, &at, dump, as_string);
}

/* ---- lists and maps ------------------------------------------------------------------------------------ */

/* Is one of the units from T's on to be seen? T moves there. */
static bool item_shows_rest(const struct reader *r, struct task *t)
{
    const struct item *it = item_at(r->doc, t->item);
    uint32_t to;

    if (!item_is_countable(it))
        return false;
    while (!view_stretch(r->view, it, t->unit, &to)) {
        if (to == it->len)
            return false;
        t->at = units_skip(r, it, t->unit, to, t->at);
        t->unit = to;
    }
    return true;
}

uint32_t list_next(struct reader *r, struct task *t)
{
    while (t->item != NONE && !item_shows_rest(r, t)) {
        t->item = item_at(r->doc, t->item)->right;
        t->unit = 0;
        t->at = 0;
    }
    return t->item;
}

void list_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    uint32_t item = list_next(r, t), unit;
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

/* At a snapshot: the rightmost that was known then, if it was not deleted. */
uint32_t entry_item(const struct reader *r, uint32_t slot, uint32_t *unit)
{
    uint32_t i = r->doc->slots.v[slot].tail, known, to;

    if (i == NONE)
        return NONE;
    known = item_at(r->doc, i)->len;
    if (r->view != NULL)
        while ((known = view_known(r->view, item_at(r->doc, i))) == 0)
            if ((i = item_at(r->doc, i)->left) == NONE)
                return NONE;
    *unit = known - 1;
    return view_stretch(r->view, item_at(r->doc, i), *unit, &to) ? i : NONE;
}

/* The plain form leaves entries out that are undefined, as JSON.stringify does. */
static bool entry_is_undefined(const struct um_crdt *doc, const struct item *it, uint32_t unit)
{
    struct um_span body = item_body(doc, it);
    size_t at = 0;
    struct rd text;
    bool half;

    if (it->kind != KIND_ANY && it->kind != KIND_JSON)
        return !item_is_countable(it);
    if (unit > 0)
        at = body_offset(it->kind, body, unit, &half);
    if (it->kind == KIND_ANY)
        return body.data[at] == ANY_UNDEFINED;
    text = rd_make(UM_SPAN(body.data + at, body.len - at));
    return um_span_eq(rd_bytes(&text), UM_SPAN_STR("undefined"));
}

/* SLOT or the next one that has a value. */
static uint32_t entry_next(const struct reader *r, uint32_t slot, uint32_t *item, uint32_t *unit)
{
    for (; slot != NONE; slot = r->doc->slots.v[slot].next)
        if ((*item = entry_item(r, slot, unit)) != NONE &&
            (r->form == UM_CRDT_TAGGED || !entry_is_undefined(r->doc, item_at(r->doc, *item), *unit)))
            break;
    return slot;
}

void entries_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    uint32_t item, unit, slot = entry_next(r, t->slot, &item, &unit);
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
    entry_value(r, item, unit, dump, false);
}

void push_list(struct reader *r, uint32_t type, bool dump)
{
    push(r, (struct task){ .op = OP_LIST, .item = r->doc->types.v[type].start, .dump = dump });
}

void push_entries(struct reader *r, uint32_t type, bool dump)
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

/* Visible countable units of the list. */
static uint32_t length_seen(const struct reader *r, const struct type *t)
{
    uint32_t n = 0;

    if (r->view == NULL)
        return t->length;
    for (uint32_t i = t->start; i != NONE; i = item_at(r->doc, i)->right) {
        const struct item *it = item_at(r->doc, i);

        if (!item_is_countable(it))
            continue;
        for (uint32_t from = 0, to; from < it->len; from = to)
            if (view_stretch(r->view, it, from, &to))
                n += to - from;
    }
    return n;
}

void type_dump(struct reader *r, uint32_t type)
{
    const struct type *t = &r->doc->types.v[type];
    char head[96];

    snprintf(head, sizeof(head), "{\"kind\":\"%s\",\"length\":%u", kind_name((enum um_crdt_kind)t->kind), length_seen(r, t));
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
