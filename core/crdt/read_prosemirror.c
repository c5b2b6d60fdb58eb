/* A document's roots as ProseMirror JSON, as y-prosemirror's yDocToProsemirrorJSON has it: texts become nodes with marks, one for
 * each stretch of equal formats. In an element they stand among its children; right below the root they stand in a list of their
 * own, for that is how the vendor's function writes them. */
#include <umbel/crdt_copy.h>
#include <umbel/crdt_export.h>
#include <umbel/crdt_inspect.h>
#include <umbel/crdt_types.h>
#include "lib0.h"
#include "reader.h"
#include "value.h"

enum { HASH_LEN = 8 };                   /* of a mark that stands several times at one place: comment--q4ZlWk3+ */

struct writer {
    const struct um_crdt *doc;
    struct um_buf *out;
    struct value_room room;
};

struct text_writer {
    struct writer *w;
    struct um_buf text, marks;           /* of the node that is being gathered; marks: as um_crdt_runs tells them */
    bool is_open, comma;
};

static void put(struct writer *w, const char *s) { um_buf_puts(w->out, s); }

static um_err value_write(struct writer *w, const struct um_crdt_value *v)
{
    bool lossy;

    switch (v->kind) {
    case UM_CRDT_V_STRING:
        json_put_string(w->out, v->data);
        return UM_OK;
    case UM_CRDT_V_JSON:
        if (um_span_eq(v->data, UM_SPAN_STR("undefined")))
            put(w, "null");
        else
            um_buf_put(w->out, v->data.data, v->data.len);
        return UM_OK;
    case UM_CRDT_V_ANY:
        return any_to_json_in(&w->room, v->data, w->out, &lossy);
    case UM_CRDT_V_TYPE:
        return um_crdt_type_json(w->doc, &v->ref, UM_CRDT_PLAIN, w->out);
    default:
        put(w, "{}");
        return UM_OK;
    }
}

/* ---- texts ---- */

static bool is_hash(const uint8_t *s)
{
    for (size_t i = 0; i < HASH_LEN; i++) {
        bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= '0' && s[i] <= '9');

        if (!letter && s[i] != '+' && s[i] != '/' && s[i] != '=')
            return false;
    }
    return true;
}

/* KEY in its quotes. */
static void mark_name_write(struct writer *w, struct um_span key)
{
    size_t n = key.len - 1;

    if (n > HASH_LEN + 2 && is_hash(key.data + n - HASH_LEN) && memcmp(key.data + n - HASH_LEN - 2, "--", 2) == 0)
        n -= HASH_LEN + 2;
    um_buf_put(w->out, key.data, n);
    put(w, "\"");
}

static void marks_write(struct writer *w, struct um_span marks)
{
    struct rd j = rd_make(marks);
    struct um_span key;
    bool comma = false;

    j.p++;
    put(w, ",\"marks\":[");
    while ((key = json_part(&j)).len > 0) {
        struct um_span value = json_part(&j);

        put(w, comma ? ",{\"type\":" : "{\"type\":");
        mark_name_write(w, key);
        put(w, ",\"attrs\":");
        um_buf_put(w->out, value.data, value.len);
        put(w, "}");
        comma = true;
    }
    put(w, "]");
}

static void node_begin(struct text_writer *t)
{
    put(t->w, t->comma ? ",{\"type\":\"text\",\"text\":" : "{\"type\":\"text\",\"text\":");
    t->comma = true;
}

static void node_end(struct text_writer *t, struct um_span marks)
{
    if (marks.len > 0)
        marks_write(t->w, marks);
    put(t->w, "}");
}

static void text_close(struct text_writer *t)
{
    if (!t->is_open)
        return;
    node_begin(t);
    json_put_string(t->w->out, UM_SPAN(t->text.data, t->text.len));
    node_end(t, UM_SPAN(t->marks.data, t->marks.len));
    t->is_open = false;
}

static um_err on_run(void *arg, const struct um_crdt_run *run)
{
    struct text_writer *t = arg;
    um_err err;

    if (run->value.kind != UM_CRDT_V_STRING) {
        text_close(t);
        node_begin(t);
        err = value_write(t->w, &run->value);
        node_end(t, run->attrs);
        return err;
    }
    if (t->is_open && !um_span_eq(UM_SPAN(t->marks.data, t->marks.len), run->attrs))
        text_close(t);
    if (!t->is_open) {
        um_buf_clear(&t->text);
        um_buf_clear(&t->marks);
        um_buf_put(&t->marks, run->attrs.data, run->attrs.len);
        t->is_open = true;
    }
    um_buf_put(&t->text, run->value.data.data, run->value.data.len);
    return t->text.failed || t->marks.failed ? UM_ENOMEM : UM_OK;
}

/* COMMA: whether something stands in front, or does then. */
static um_err text_write(struct writer *w, const struct um_crdt_type *type, bool *comma)
{
    struct text_writer t = { .w = w, .comma = *comma };
    um_err err = um_crdt_runs(w->doc, type, on_run, &t);

    if (err == UM_OK)
        text_close(&t);
    *comma = t.comma;
    um_buf_free(&t.text);
    um_buf_free(&t.marks);
    return err;
}

/* ---- elements: a document's types nest 1,000 deep at most ---- */

static um_err children_write(struct writer *w, const struct um_crdt_type *parent, bool is_root);

static um_err attributes_write(struct writer *w, const struct um_crdt_type *type)
{
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value v;
    struct um_span key;
    bool any = false;
    um_err err = UM_OK;

    while (err == UM_OK && um_crdt_map_next(w->doc, type, &walk, &key, &v)) {
        put(w, any ? "," : ",\"attrs\":{");
        json_put_string(w->out, key);
        put(w, ":");
        err = value_write(w, &v);
        any = true;
    }
    if (any)
        put(w, "}");
    return err;
}

static um_err element_write(struct writer *w, const struct um_crdt_value *v)
{
    uint32_t n = 0;
    um_err err;

    put(w, "{\"type\":");
    json_put_string(w->out, v->name);
    err = attributes_write(w, &v->ref);
    if (err == UM_OK)
        err = um_crdt_length(w->doc, &v->ref, &n);
    if (err == UM_OK && n > 0) {
        put(w, ",\"content\":[");
        err = children_write(w, &v->ref, false);
        put(w, "]");
    }
    put(w, "}");
    return err;
}

static um_err child_write(struct writer *w, const struct um_crdt_value *v, bool is_root, bool *comma)
{
    bool is_text = v->kind == UM_CRDT_V_TYPE && (v->type == UM_CRDT_XML_TEXT || v->type == UM_CRDT_TEXT), none = false;
    um_err err;

    if (is_text && !is_root)
        return text_write(w, &v->ref, comma);
    put(w, *comma ? "," : "");
    *comma = true;
    if (!is_text)
        return v->kind == UM_CRDT_V_TYPE && v->type == UM_CRDT_XML_ELEMENT ? element_write(w, v) : value_write(w, v);
    put(w, "[");
    err = text_write(w, &v->ref, &none);
    put(w, "]");
    return err;
}

static um_err children_write(struct writer *w, const struct um_crdt_type *parent, bool is_root)
{
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value v;
    bool comma = false;
    um_err err = UM_OK;

    while (err == UM_OK && um_crdt_list_next(w->doc, parent, &walk, &v))
        err = child_write(w, &v, is_root, &comma);
    return err;
}

/* ---- roots ---- */

/* What is no editor's is told as its toJSON(); an empty root as an editor's that is empty. */
static um_err root_write(struct writer *w, struct um_crdt *doc, struct um_span name)
{
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value v;
    enum um_crdt_kind kind;
    struct um_crdt_type root;
    struct um_span key;
    um_err err = um_crdt_guess_root(doc, name, &kind);

    if (err == UM_OK)
        err = um_crdt_declare_root(doc, name, kind);
    if (err == UM_OK)
        err = um_crdt_root_find(doc, name, &root);
    if (err != UM_OK)
        return err;
    if (kind == UM_CRDT_TEXT || kind == UM_CRDT_ARRAY || (kind == UM_CRDT_MAP && um_crdt_map_next(doc, &root, &walk, &key, &v)))
        return um_crdt_read_json(doc, name, UM_CRDT_PLAIN, w->out);
    put(w, "{\"type\":\"doc\",\"content\":[");
    err = children_write(w, &root, true);
    put(w, "]}");
    return err;
}

um_err um_crdt_read_prosemirror(struct um_crdt *doc, struct um_buf *out)
{
    struct writer w = { .doc = doc, .out = out };
    enum um_crdt_kind kind;
    struct um_span name;
    um_err err = UM_OK;

    put(&w, "{");
    for (size_t pos = 0, n = 0; err == UM_OK && um_crdt_roots(doc, &pos, &name, &kind); n++) {
        put(&w, n > 0 ? "," : "");
        json_put_string(out, name);
        put(&w, ":");
        err = root_write(&w, doc, name);
    }
    put(&w, "}");
    value_room_free(&w.room);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}
