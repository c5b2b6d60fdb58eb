/* Texts: plain, as a delta, and as XML with a tag per attribute. */
#include "reader.h"
#include "value.h"
#include <stdio.h>
#include <stdlib.h>

static const char replacement[] = "\xef\xbf\xbd";

static void string_whole_emit(struct reader *r, const struct item *it)
{
    if ((it->flags & F_HEAD_HALF) != 0)
        emit_text(r, replacement);
    emit(r, item_body(r->doc, it));
    if ((it->flags & F_TAIL_HALF) != 0)
        emit_text(r, replacement);
}

void string_part_emit(struct reader *r, const struct item *it, uint32_t from, uint32_t to, size_t *at, bool shows)
{
    struct um_span body = item_body(r->doc, it);
    uint32_t n = to - from;
    bool half, first = from == 0 && (it->flags & F_HEAD_HALF) != 0;
    size_t bytes;

    if (!first && *at < body.len && (body.data[*at] & 0xc0) == 0x80) {       /* cut within a pair */
        first = true;
        *at += 3;
    }
    if (first && shows)
        emit_text(r, replacement);
    body = UM_SPAN(body.data + *at, body.len - *at);
    bytes = body_offset(KIND_STRING, body, n - first, &half);
    if (shows)
        emit(r, UM_SPAN(body.data, bytes));
    if (shows && (half || (to == it->len && (it->flags & F_TAIL_HALF) != 0)))
        emit_text(r, replacement);
    *at += bytes + half;
}

/* What shows of a string. */
void string_emit(struct reader *r, const struct item *it)
{
    size_t at = 0;

    if (r->view == NULL) {
        string_whole_emit(r, it);
        return;
    }
    for (uint32_t from = 0, to; from < it->len; from = to) {
        bool shows = view_stretch(r->view, it, from, &to);

        string_part_emit(r, it, from, to, &at, shows);
    }
}

static bool item_shows(const struct reader *r, const struct item *it)
{
    for (uint32_t from = 0, to; from < it->len; from = to)
        if (view_stretch(r->view, it, from, &to))
            return true;
    return false;
}

void text_emit(struct reader *r, uint32_t type)
{
    for (uint32_t i = r->doc->types.v[type].start; i != NONE; i = item_at(r->doc, i)->right) {
        const struct item *it = item_at(r->doc, i);

        if (it->kind == KIND_STRING && item_shows(r, it))
            string_emit(r, it);
    }
}

/* ---- active attributes, those of the task's text from BASE on ------------------------------------------ */

void attribute_set(struct reader *r, uint32_t base, struct attribute a)
{
    uint32_t i;

    for (i = base; i < r->attributes.n && !um_span_eq(r->attributes.v[i].key, a.key);)
        i++;
    if (um_span_eq(a.value, UM_SPAN_STR("null"))) {
        if (i < r->attributes.n)
            r->attributes.v[i] = r->attributes.v[--r->attributes.n];
    } else if (i < r->attributes.n) {
        r->attributes.v[i] = a;
    } else if (i - base >= ATTRIBUTES_MAX) {
        r->err = UM_ELIMIT;
    } else if (vec_room(&r->mem, &r->attributes, 1)) {
        r->attributes.v[r->attributes.n++] = a;
    } else {
        r->err = UM_ENOMEM;
    }
}

void format_apply(struct reader *r, uint32_t base, const struct item *format)
{
    struct rd b = rd_make(item_body(r->doc, format));
    struct attribute a;

    a.key = rd_bytes(&b);
    a.value = rd_bytes(&b);
    attribute_set(r, base, a);
}

static int attribute_order(const void *a, const void *b)
{
    return utf16_order(((const struct attribute *)a)->key, ((const struct attribute *)b)->key);
}

/* ---- operations ---------------------------------------------------------------------------------------- */

/* The next operation of the text: a run of strings (*FROM up to but without *TO) or one item. False at the end.
 * Marks on the way change the active attributes; one that follows a run ends it and is left for later. */
static bool operation_next(struct reader *r, uint32_t base, uint32_t *item, uint32_t *from, uint32_t *to)
{
    uint32_t i = *item;

    *from = NONE;
    for (; i != NONE; i = item_at(r->doc, i)->right) {
        const struct item *it = item_at(r->doc, i);

        if (!item_shows(r, it))
            continue;
        if (it->kind == KIND_STRING) {
            if (*from == NONE)
                *from = i;
            continue;
        }
        if (it->kind != KIND_FORMAT && it->kind != KIND_EMBED && it->kind != KIND_TYPE)
            continue;
        if (*from != NONE)
            break;
        if (it->kind != KIND_FORMAT) {
            *from = i;
            *to = NONE;
            *item = it->right;
            return true;
        }
        format_apply(r, base, it);
    }
    *item = *to = i;
    return *from != NONE;
}

static void run_emit(struct reader *r, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i != to; i = item_at(r->doc, i)->right)
        if (item_at(r->doc, i)->kind == KIND_STRING && item_shows(r, item_at(r->doc, i)))
            string_emit(r, item_at(r->doc, i));
}

/* The task is on top of the stack; its first step notes where its attributes begin. */
static bool task_operation(struct reader *r, uint32_t *from, uint32_t *to)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];

    if (!t->begun)
        t->base = r->attributes.n;
    if (operation_next(r, t->base, &t->item, from, to) && r->err == UM_OK)
        return true;
    r->attributes.n = UM_MIN(r->attributes.n, t->base);
    r->tasks.n--;
    return false;
}

/* Attributes stay as they are until the next operation, whatever a nested text adds behind and takes away. */
void attributes_json(struct reader *r, uint32_t base)
{
    if (r->attributes.n > base)
        emit_text(r, ",\"attributes\":{");
    for (uint32_t i = base; i < r->attributes.n; i++) {
        if (i > base)
            emit_text(r, ",");
        emit_json_string(r, r->attributes.v[i].key);
        emit_text(r, ":");
        emit_json_text(r, r->attributes.v[i].value);
    }
    if (r->attributes.n > base)
        emit_text(r, "}");
}

/* `attributes` come before `insert` where that is a type, which is written later. */
void insert_emit(struct reader *r, uint32_t item, uint32_t base, bool comma, bool dump)
{
    struct um_buf *out = r->out, tail = { 0 };
    size_t at = 0;

    if (comma)
        emit_text(r, ",");
    if (item_at(r->doc, item)->kind == KIND_EMBED) {
        emit_text(r, "{\"insert\":");
        unit_value(r, item, 0, &at, dump, false);
        attributes_json(r, base);
        emit_text(r, "}");
        return;
    }
    r->out = &tail;
    attributes_json(r, base);
    r->out = out;
    um_buf_consume(&tail, tail.len > 0 ? 1 : 0);      /* its comma moves behind */
    emit_text(r, "{");
    um_buf_put(out, tail.data, tail.len);
    emit_text(r, tail.len > 0 ? ",\"insert\":" : "\"insert\":");
    out->failed |= tail.failed;
    um_buf_free(&tail);
    push_literal(r, "}");
    unit_value(r, item, 0, &at, dump, false);
}

void delta_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    bool comma = t->begun, dump = t->dump;
    uint32_t from, to, base;

    if (!task_operation(r, &from, &to))
        return;
    base = t->base;
    t->begun = true;
    if (item_at(r->doc, from)->kind != KIND_STRING) {
        insert_emit(r, from, base, comma, dump);
        return;
    }
    emit_text(r, comma ? ",{\"insert\":\"" : "{\"insert\":\"");
    r->in_string = true;
    run_emit(r, from, to);
    r->in_string = false;
    emit_text(r, "\"");
    attributes_json(r, base);
    emit_text(r, "}");
}

/* ---- XML ----------------------------------------------------------------------------------------------- */

struct property {
    struct um_span key, value;        /* JSON texts; key of an index: digits */
    char digits[12];
};
typedef VEC(struct property) property_vec;

static int property_order(const void *a, const void *b)
{
    const struct property *x = a, *y = b;

    return utf16_order(x->key.data == NULL ? UM_SPAN_STR(x->digits) : x->key,
                       y->key.data == NULL ? UM_SPAN_STR(y->digits) : y->key);
}

static bool property_add(struct reader *r, property_vec *v, struct um_span key, struct um_span value, uint32_t index)
{
    if (!vec_room(&r->mem, v, 1)) {
        r->err = UM_ENOMEM;
        return false;
    }
    v->v[v->n] = (struct property){ key, value, "" };
    if (key.data == NULL)
        snprintf(v->v[v->n].digits, sizeof(v->v[v->n].digits), "%u", index);
    v->n++;
    return true;
}

static void property_emit(struct reader *r, const struct property *p, bool character)
{
    emit_text(r, " ");
    if (p->key.data != NULL) {
        struct um_buf key = { 0 };

        json_unescape(&key, p->key);
        emit(r, UM_SPAN(key.data, key.len));
        r->out->failed |= key.failed;
        um_buf_free(&key);
    } else {
        emit_text(r, p->digits);
    }
    emit_text(r, "=\"");
    if (character)
        emit(r, p->value);
    else
        emit_json_as_string(r, p->value);
    emit_text(r, "\"");
}

/* The own properties of an attribute's value: of an object, of an array, the characters of a string. */
static void properties_emit(struct reader *r, struct um_span value)
{
    struct rd j = { value.data + 1, value.data + value.len - (value.len > 0), UM_OK };
    property_vec v = { 0 };
    struct um_buf text = { 0 };
    bool character = value.len > 0 && value.data[0] == '"';

    if (character) {
        json_unescape(&text, value);
        for (size_t at = 0, n; at < text.len && v.n < ATTRIBUTES_MAX; at += n) {
            bool half;
            size_t left = text.len - at;

            n = utf16_offset(UM_SPAN(text.data + at, left), 1, &half);
            if (half) {
                n = 4;
                property_add(r, &v, UM_SPAN(NULL, 0), UM_SPAN(replacement, 3), v.n);
            }
            property_add(r, &v, UM_SPAN(NULL, 0), half ? UM_SPAN(replacement, 3) : UM_SPAN(text.data + at, n), v.n);
        }
    } else if (value.len > 0 && (value.data[0] == '{' || value.data[0] == '[')) {
        for (;;) {
            struct um_span key = { NULL, 0 }, part = json_part(&j);

            if (part.len == 0 || v.n >= ATTRIBUTES_MAX)
                break;
            if (value.data[0] == '{') {
                key = part;
                part = json_part(&j);
            }
            if (!property_add(r, &v, key, part, v.n))
                break;
        }
    }
    if (v.n > 0)
        qsort(v.v, v.n, sizeof(*v.v), property_order);
    for (uint32_t i = 0; i < v.n; i++)
        property_emit(r, &v.v[i], character);
    vec_free(&r->mem, &v);
    r->out->failed |= text.failed;
    um_buf_free(&text);
}

static void tags_open(struct reader *r, uint32_t base)
{
    if (r->attributes.n > base)
        qsort(r->attributes.v + base, r->attributes.n - base, sizeof(*r->attributes.v), attribute_order);
    for (uint32_t i = base; i < r->attributes.n; i++) {
        emit_text(r, "<");
        emit(r, r->attributes.v[i].key);
        properties_emit(r, r->attributes.v[i].value);
        emit_text(r, ">");
    }
}

static void tags_close(struct reader *r, uint32_t base)
{
    for (uint32_t i = r->attributes.n; i > base; i--) {
        emit_text(r, "</");
        emit(r, r->attributes.v[i - 1].key);
        emit_text(r, ">");
    }
}

/* A nested type is written by tasks of its own, so the closing tags wait for the next step. */
void xml_text_step(struct reader *r)
{
    struct task *t = &r->tasks.v[r->tasks.n - 1];
    uint32_t from, to;
    size_t at = 0;

    if (t->unit == 1) {
        t->unit = 0;
        tags_close(r, t->base);
    }
    if (!task_operation(r, &from, &to))
        return;
    t->begun = true;
    tags_open(r, t->base);
    if (item_at(r->doc, from)->kind == KIND_STRING) {
        run_emit(r, from, to);
        tags_close(r, t->base);
    } else {
        t->unit = 1;
        unit_value(r, from, 0, &at, false, true);
    }
}
