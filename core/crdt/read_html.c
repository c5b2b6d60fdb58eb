/* ProseMirror documents as HTML, as Tiptap's getHTML writes it. Every tag that is opened is closed by the frame or the
 * mark that opened it; text and attributes are escaped; names that come from outside stand in attributes only. */
#include "export.h"
#include <stdio.h>

#define NAME_MAX_BYTES 64u            /* of what becomes the name of a data-attribute */

static void put(struct exporter *x, const char *s) { um_buf_puts(x->out, s); }

static void put_escaped(struct exporter *x, struct um_span s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        const char *entity;

        switch (s.data[i]) {
        case '&':  entity = "&amp;"; break;
        case '<':  entity = "&lt;"; break;
        case '>':  entity = "&gt;"; break;
        case '"':  entity = "&quot;"; break;
        case '\0': entity = "\xef\xbf\xbd"; break;    /* no HTML may hold it */
        default:   continue;
        }
        um_buf_put(x->out, s.data + from, i - from);
        put(x, entity);
        from = i + 1;
    }
    um_buf_put(x->out, s.data + from, s.len - from);
}

static void put_attribute(struct exporter *x, const char *name, struct um_span value)
{
    put(x, " ");
    put(x, name);
    put(x, "=\"");
    put_escaped(x, value);
    put(x, "\"");
}

static void node_to_attribute(struct exporter *x, const struct frame *f, const char *from, const char *to)
{
    if (node_attribute(x, f->type, from))
        put_attribute(x, to, exporter_value(x));
}

static void number_to_attribute(struct exporter *x, const struct frame *f, const char *name, uint32_t min, uint32_t max)
{
    uint32_t v = node_number(x, f->type, name, min, max, 0);
    char text[16];

    if (v == 0)
        return;
    snprintf(text, sizeof(text), "%u", v);
    put_attribute(x, name, UM_SPAN_STR(text));
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static void put_alignment(struct exporter *x, const struct frame *f)
{
    static const char *const known[] = { "left", "right", "center", "justify" };

    if (!node_attribute(x, f->type, "textAlign"))
        return;
    for (size_t i = 0; i < UM_COUNT(known); i++)
        if (um_span_eq(exporter_value(x), UM_SPAN_STR(known[i]))) {
            put(x, " style=\"text-align: ");
            put(x, known[i]);
            put(x, "\"");
        }
}

static bool is_plain_name(struct um_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_')
            return false;
    }
    return s.len > 0 && s.len <= NAME_MAX_BYTES;
}

/* An unknown node: its name, and the attributes whose names may stand in HTML. */
static void put_unknown(struct exporter *x, const struct frame *f)
{
    const struct um_crdt *doc = x->r.doc;

    put_attribute(x, "data-node", type_name(doc, f->type));
    for (uint32_t s = doc->types.v[f->type].first_slot; s != NONE; s = doc->slots.v[s].next) {
        struct um_span key = name_text(doc, doc->slots.v[s].key);
        char name[NAME_MAX_BYTES + 16], plain[NAME_MAX_BYTES + 1];

        if (!is_plain_name(key))
            continue;
        snprintf(plain, sizeof(plain), "%.*s", (int)key.len, (const char *)key.data);
        snprintf(name, sizeof(name), "data-attr-%s", plain);
        node_to_attribute(x, f, plain, name);
    }
}

static void put_image(struct exporter *x, const struct frame *f)
{
    if (node_attribute(x, f->type, "src") && url_is_safe(exporter_value(x), true))
        put_attribute(x, "src", exporter_value(x));
    node_to_attribute(x, f, "alt", "alt");
    node_to_attribute(x, f, "title", "title");
    number_to_attribute(x, f, "width", 1, 100000);
    number_to_attribute(x, f, "height", 1, 100000);
}

static void put_code(struct exporter *x, const struct frame *f)
{
    put(x, "<pre><code");
    if (node_attribute(x, f->type, "language") || node_attribute(x, f->type, "params")) {
        put(x, " class=\"language-");
        put_escaped(x, exporter_value(x));
        put(x, "\"");
    }
    put(x, ">");
}

static void put_task(struct exporter *x, const struct frame *f)
{
    bool checked = node_attribute(x, f->type, "checked") && um_span_eq(exporter_value(x), UM_SPAN_STR("true"));

    put(x, checked ? "<li data-type=\"taskItem\" data-checked=\"true\"><label><input type=\"checkbox\" checked></label><div>"
                   : "<li data-type=\"taskItem\" data-checked=\"false\"><label><input type=\"checkbox\"></label><div>");
}

static void put_mention(struct exporter *x, const struct frame *f)
{
    put(x, "<span data-type=\"mention\"");
    node_to_attribute(x, f, "id", "data-id");
    node_to_attribute(x, f, "label", "data-label");
    put(x, ">");
    if (node_attribute(x, f->type, "label") || node_attribute(x, f->type, "id")) {
        put(x, "@");
        put_escaped(x, exporter_value(x));
    }
}

static void put_heading(struct exporter *x, const struct frame *f, bool close)
{
    char tag[8];

    snprintf(tag, sizeof(tag), close ? "</h%u>" : "<h%u", node_number(x, f->type, "level", 1, 6, 1));
    put(x, tag);
}

static void put_start(struct exporter *x, const struct frame *f)
{
    if (node_number(x, f->type, "start", 0, 999999999, 1) != 1)
        number_to_attribute(x, f, "start", 1, 999999999);
    else if (node_number(x, f->type, "order", 0, 999999999, 1) != 1) {
        put_attribute(x, "start", exporter_value(x));
    }
}

static void html_enter(struct exporter *x, struct frame *f)
{
    const struct frame *above = frame_above(x, f);

    switch (f->row->kind) {
    case NODE_HEADING:
        put_heading(x, f, false);
        put_alignment(x, f);
        break;
    case NODE_CODE:
        put_code(x, f);
        return;
    case NODE_TASK:
        put_task(x, f);
        return;
    case NODE_MENTION:
        put_mention(x, f);
        return;
    case NODE_TABLE:
        put(x, "<table><tbody>");
        return;
    case NODE_UNKNOWN:
        put(x, above != NULL && above->inside_lines ? "<span" : "<div");
        put_unknown(x, f);
        break;
    default:
        put(x, "<");
        put(x, f->row->tag);
    }
    switch (f->row->kind) {
    case NODE_PARAGRAPH:
        if (f->type != NONE)
            put_alignment(x, f);
        break;
    case NODE_ORDERED:
        put_start(x, f);
        break;
    case NODE_TASKS:
        put(x, " data-type=\"taskList\"");
        break;
    case NODE_IMAGE:
        put_image(x, f);
        break;
    case NODE_CELL: case NODE_HEAD_CELL:
        number_to_attribute(x, f, "colspan", 2, 1000);
        number_to_attribute(x, f, "rowspan", 2, 65534);
        break;
    default:
        break;
    }
    put(x, ">");
}

static void html_leave(struct exporter *x, struct frame *f)
{
    const struct frame *above = frame_above(x, f);

    switch (f->row->kind) {
    case NODE_RULE: case NODE_BREAK: case NODE_IMAGE:
        return;
    case NODE_HEADING:
        put_heading(x, f, true);
        return;
    case NODE_CODE:
        put(x, "</code></pre>");
        return;
    case NODE_TASK:
        put(x, "</div></li>");
        return;
    case NODE_TABLE:
        put(x, "</tbody></table>");
        return;
    case NODE_UNKNOWN:
        put(x, above != NULL && above->inside_lines ? "</span>" : "</div>");
        return;
    default:
        put(x, "</");
        put(x, f->row->tag);
        put(x, ">");
    }
}

/* ---- marks, text --------------------------------------------------------------------------------------- */

/* A colour as CSS knows it: letters, digits and what rgb() and # need. Anything else might leave the property. */
static bool is_color(struct um_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] >= 0x80 || s.data[i] == '\0' ||
            strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#(),.% -", s.data[i]) == NULL)
            return false;
    return s.len > 0 && s.len <= NAME_MAX_BYTES && memchr(s.data, ':', s.len) == NULL;
}

static void put_color(struct exporter *x, const struct mark *m, const char *property)
{
    if (!mark_attribute(x, m, "color") || !is_color(exporter_value(x)) ||
        strncmp((const char *)x->value.data, "url", UM_MIN(x->value.len, 3)) == 0)
        return;
    put(x, " style=\"");
    put(x, property);
    put(x, ": ");
    put_escaped(x, exporter_value(x));
    put(x, "\"");
}

static void put_link(struct exporter *x, struct open_mark *o)
{
    if (!mark_attribute(x, &o->mark, "href") || !url_is_safe(exporter_value(x), false)) {
        o->nothing = true;
        return;
    }
    put(x, "<a");
    put_attribute(x, "href", exporter_value(x));
    if (mark_attribute(x, &o->mark, "title"))
        put_attribute(x, "title", exporter_value(x));
    if (mark_attribute(x, &o->mark, "target") && um_span_eq(exporter_value(x), UM_SPAN_STR("_blank")))
        put(x, " target=\"_blank\"");
    put(x, " rel=\"noopener noreferrer nofollow\">");
}

static void mark_open(struct exporter *x, struct open_mark *o)
{
    if (o->mark.row->kind == MARK_LINK) {
        put_link(x, o);
        return;
    }
    put(x, "<");
    put(x, o->mark.row->tag);
    if (o->mark.row->kind == MARK_STYLE)
        put_color(x, &o->mark, "color");
    else if (o->mark.row->kind == MARK_HIGHLIGHT)
        put_color(x, &o->mark, "background-color");
    else if (o->mark.row->kind == MARK_UNKNOWN)
        put_attribute(x, "data-mark", o->mark.name);
    put(x, ">");
}

static void html_marks_open(struct exporter *x, uint32_t first, const struct run *run, uint32_t n_after)
{
    (void)run;
    (void)n_after;
    for (uint32_t i = first; i < x->open.n; i++)
        mark_open(x, &x->open.v[i]);
}

static void html_mark_close(struct exporter *x, uint32_t index)
{
    const struct open_mark *o = &x->open.v[index];

    if (o->nothing)
        return;
    put(x, "</");
    put(x, o->mark.row->tag);
    put(x, ">");
}

static void html_text(struct exporter *x, struct um_span s, bool last)
{
    (void)last;
    put_escaped(x, s);
}

static void html_embed(struct exporter *x, struct um_span json)
{
    put(x, "<span");
    put_attribute(x, "data-embed", json);
    put(x, "></span>");
}

um_err um_crdt_read_html(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    static const struct writer_ops ops = { html_enter, html_leave, html_text, html_marks_open, html_mark_close, html_embed };

    return export_root(doc, root, &ops, NULL, out);
}
