/* The walk over a ProseMirror document, and the plain text of it. */
#include "cold.h"
#include "export.h"
#include "value.h"
#include <stdlib.h>
#include <umbel/util.h>

#define OUTPUT_FREE  (4u << 20)       /* bytes of output that are always allowed, and so many per byte of content */
#define OUTPUT_TIMES 64u

static const struct node_row root_row = { "", NODE_UNKNOWN, NULL, false, false };
static const struct node_row line_row = { "paragraph", NODE_PARAGRAPH, "p", true, false };

struct um_span exporter_value(const struct exporter *x) { return UM_SPAN(x->value.data, x->value.len); }

struct um_span type_name(const struct um_crdt *doc, uint32_t type)
{
    const struct type *t = &doc->types.v[type];

    return t->name == NONE ? UM_SPAN("", 0) : name_text(doc, t->name);
}

const struct frame *frame_above(const struct exporter *x, const struct frame *f)
{
    return f == x->frames.v ? NULL : f - 1;
}

/* ---- attributes ---------------------------------------------------------------------------------------- */

/* What a node lacks and what is null is the same to an editor. */
static bool value_is_there(const struct um_crdt *doc, const struct item *it)
{
    struct um_span body = item_body(doc, it);

    if (it->kind == KIND_ANY)
        return body.len > 0 && body.data[0] != ANY_NULL && body.data[0] != ANY_UNDEFINED;
    return it->kind == KIND_STRING || it->kind == KIND_JSON;
}

bool node_attribute(struct exporter *x, uint32_t type, const char *name)
{
    const struct um_crdt *doc = x->r.doc;
    uint32_t key = name_find(doc, UM_SPAN_STR(name)), slot, item, unit;

    um_buf_clear(&x->value);
    if (key == NONE || (slot = slot_find(doc, type, key)) == NONE)
        return false;
    if ((item = entry_item(&x->r, slot, &unit)) == NONE || !value_is_there(doc, item_at(doc, item)))
        return false;
    x->r.out = &x->value;
    entry_value(&x->r, item, unit, false, true);
    x->r.out = x->out;
    return !x->value.failed;
}

uint32_t node_number(struct exporter *x, uint32_t type, const char *name, uint32_t min, uint32_t max, uint32_t otherwise)
{
    uint64_t v = 0;

    if (!node_attribute(x, type, name) || x->value.len == 0)
        return otherwise;
    for (size_t i = 0; i < x->value.len; i++) {
        if (x->value.data[i] < '0' || x->value.data[i] > '9')
            return otherwise;
        v = UM_MIN(v * 10 + (x->value.data[i] - '0'), UINT32_MAX);
    }
    return v < min || v > max ? otherwise : (uint32_t)v;
}

/* NAME of a mark's object; a string is its link's address, as Quill writes it. */
bool mark_attribute(struct exporter *x, const struct mark *m, const char *name)
{
    struct rd j = rd_make(m->value);
    struct um_span key, part = m->value;
    bool found = false;

    um_buf_clear(&x->value);
    if (m->value.len > 0 && m->value.data[0] == '{') {
        j.p++;
        while ((key = json_part(&j)).len > 0) {
            struct um_span value = json_part(&j);

            um_buf_clear(&x->value);
            json_unescape(&x->value, key);
            if (um_span_eq(exporter_value(x), UM_SPAN_STR(name))) {
                part = value;
                found = true;
                break;
            }
        }
    } else {
        found = m->row->kind == MARK_LINK && strcmp(name, "href") == 0;
    }
    um_buf_clear(&x->value);
    if (!found || part.len == 0 || part.data[0] != '"')
        return false;
    json_unescape(&x->value, part);
    return !x->value.failed;
}

/* ---- texts --------------------------------------------------------------------------------------------- */

static int mark_order(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;

    if (x->row->kind != y->row->kind)
        return x->row->kind < y->row->kind ? -1 : 1;
    return utf16_order(x->name, y->name);
}

/* A mark may stand several times at one place under names with a hash: bold--x7a3. */
static struct um_span without_hash(struct um_span name)
{
    for (size_t i = 1; i + 2 < name.len; i++)
        if (name.data[i] == '-' && name.data[i + 1] == '-')
            return UM_SPAN(name.data, i);
    return name;
}

static void marks_note(struct exporter *x, struct run *run)
{
    const struct reader *r = &x->r;
    uint32_t n = UM_MIN(r->attributes.n, MARKS_MAX);

    run->marks = x->marks.n;
    if (!vec_room(&x->r.mem, &x->marks, n)) {
        x->r.err = UM_ENOMEM;
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct um_span name = without_hash(r->attributes.v[i].key);
        const struct mark_row *row = mark_row_of(name);

        if (row->kind != MARK_NONE && !um_span_eq(r->attributes.v[i].value, UM_SPAN_STR("false")))
            x->marks.v[x->marks.n++] = (struct mark){ row, name, r->attributes.v[i].value };
    }
    run->n_marks = x->marks.n - run->marks;
    if (run->n_marks > 1)
        qsort(x->marks.v + run->marks, run->n_marks, sizeof(*x->marks.v), mark_order);
}

bool same_mark(const struct mark *a, const struct mark *b)
{
    return a->row == b->row && um_span_eq(a->name, b->name) && um_span_eq(a->value, b->value);
}

static struct run *run_new(struct exporter *x)
{
    struct run *run;

    if (!vec_room(&x->r.mem, &x->runs, 1)) {
        x->r.err = UM_ENOMEM;
        return NULL;
    }
    run = &x->runs.v[x->runs.n++];
    *run = (struct run){ .at = x->text.len, .item = NONE };
    marks_note(x, run);
    return run;
}

static bool same_marks(const struct exporter *x, const struct run *a, const struct run *b)
{
    if (a->n_marks != b->n_marks)
        return false;
    for (uint32_t i = 0; i < a->n_marks; i++)
        if (!same_mark(&x->marks.v[a->marks + i], &x->marks.v[b->marks + i]))
            return false;
    return true;
}

/* The run of the text that follows: the last one when the formats between changed nothing. FROM: where the text's
 * runs begin. */
static struct run *run_go_on(struct exporter *x, uint32_t from)
{
    struct run *run = run_new(x), *before;

    if (run == NULL || x->runs.n < from + 2 || x->r.err != UM_OK)
        return run;
    before = run - 1;
    if (before->item != NONE || before->line_ends || !same_marks(x, before, run))
        return run;
    x->marks.n = run->marks;
    x->runs.n--;
    return before;
}

/* Texts that are roots: the last run ends where a line does, and others follow. */
static void run_cut_lines(struct exporter *x)
{
    struct run run = x->runs.v[x->runs.n - 1];
    size_t end = x->text.len;

    for (;;) {
        const uint8_t *nl = run.at < end ? memchr(x->text.data + run.at, '\n', end - run.at) : NULL;

        run.len = (nl != NULL ? (size_t)(nl - x->text.data) : end) - run.at;
        run.line_ends = nl != NULL;
        x->runs.v[x->runs.n - 1] = run;
        if (nl == NULL)
            return;
        if (!vec_room(&x->r.mem, &x->runs, 1)) {
            x->r.err = UM_ENOMEM;
            return;
        }
        run.at += run.len + 1;
        x->runs.n++;
    }
}

static void text_append(struct exporter *x, const struct item *it)
{
    struct um_span body = item_body(x->r.doc, it);

    if ((it->flags & F_HEAD_HALF) != 0)
        um_buf_puts(&x->text, "\xef\xbf\xbd");
    um_buf_put(&x->text, body.data, body.len);
    if ((it->flags & F_TAIL_HALF) != 0)
        um_buf_puts(&x->text, "\xef\xbf\xbd");
}

/* Gathers a text's runs: strings under the same marks are one, so that a writer can look ahead. */
static void runs_gather(struct exporter *x, uint32_t type, bool lines)
{
    const struct um_crdt *doc = x->r.doc;
    struct run *run = NULL;
    uint32_t i = doc->types.v[type].start, from = x->runs.n;

    x->r.attributes.n = 0;
    for (; i != NONE && x->r.err == UM_OK; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (item_is_deleted(it))
            continue;
        if (it->kind == KIND_STRING) {
            if (run == NULL && (run = run_go_on(x, from)) == NULL)
                return;
            text_append(x, it);
            run->len = x->text.len - run->at;
        } else if (it->kind == KIND_FORMAT || it->kind == KIND_EMBED || it->kind == KIND_TYPE) {
            if (run != NULL && lines)
                run_cut_lines(x);
            run = NULL;
            if (it->kind == KIND_FORMAT)
                format_apply(&x->r, 0, it);
            else if ((run = run_new(x)) != NULL)
                run->item = i;
            if (it->kind != KIND_FORMAT)
                run = NULL;
        }
    }
    if (run != NULL && lines)
        run_cut_lines(x);
    x->r.attributes.n = 0;
}

/* ---- frames -------------------------------------------------------------------------------------------- */

static void frame_enter(struct exporter *x, uint32_t type, const struct node_row *row, bool is_text, bool lines)
{
    struct frame *above = x->frames.n > 0 ? &x->frames.v[x->frames.n - 1] : NULL, *f;
    bool inside = row->lines || (above != NULL && above->inside_lines);

    if (!vec_room(&x->r.mem, &x->frames, 1)) {
        x->r.err = UM_ENOMEM;
        return;
    }
    f = &x->frames.v[x->frames.n++];
    *f = (struct frame){ .row = row, .type = type, .item = NONE, .is_text = is_text, .inside_lines = inside };
    if (type != NONE && !row->leaf)
        f->item = x->r.doc->types.v[type].start;
    f->runs = f->run = x->runs.n;
    f->marks = x->marks.n;
    f->open = x->open.n;
    f->text = x->text.len;
    if (is_text)
        runs_gather(x, type, lines);
    else if (row->tag != NULL)
        x->ops->enter(x, f);
}

static void frame_leave(struct exporter *x)
{
    struct frame *f = &x->frames.v[x->frames.n - 1];
    enum node_kind kind = f->row->kind;
    bool is_text = f->is_text;

    while (x->open.n > f->open) {
        x->ops->mark_close(x, x->open.n - 1);
        x->open.n--;
    }
    if (is_text) {
        x->runs.n = f->runs;
        x->marks.n = f->marks;
        x->text.len = f->text;
    } else if (f->row->tag != NULL) {
        x->ops->leave(x, f);
    }
    x->frames.n--;
    if (x->frames.n > 0 && !is_text) {
        x->frames.v[x->frames.n - 1].before = kind;
        x->frames.v[x->frames.n - 1].number++;
    }
}

uint32_t child_next(const struct um_crdt *doc, uint32_t *item)
{
    for (; *item != NONE; *item = item_at(doc, *item)->right) {
        const struct item *it = item_at(doc, *item);

        if (it->kind == KIND_TYPE && !item_is_deleted(it)) {
            *item = it->right;
            return it->content;
        }
    }
    return NONE;
}

static void child_enter(struct exporter *x, uint32_t type)
{
    uint8_t kind = x->r.doc->types.v[type].kind;

    if (kind == UM_CRDT_TEXT || kind == UM_CRDT_XML_TEXT)
        frame_enter(x, type, &root_row, true, false);
    else if (kind == UM_CRDT_XML_ELEMENT || kind == UM_CRDT_XML_FRAGMENT)
        frame_enter(x, type, node_row_of(type_name(x->r.doc, type)), false, false);
}

static void node_step(struct exporter *x, struct frame *f)
{
    uint32_t child = child_next(x->r.doc, &f->item);

    if (child == NONE)
        frame_leave(x);
    else
        child_enter(x, child);
}

/* Closes what the next run lacks and opens what it has more, so that common marks stay open. */
static void marks_turn(struct exporter *x, const struct frame *f, const struct run *run)
{
    const struct mark *m = x->marks.v + run->marks;
    uint32_t same = 0, open = x->open.n - f->open;

    while (same < run->n_marks && same < open && same_mark(&m[same], &x->open.v[f->open + same].mark))
        same++;
    while (x->open.n > f->open + same) {
        x->ops->mark_close(x, x->open.n - 1);
        x->open.n--;
    }
    if (same == run->n_marks)
        return;
    if (!vec_room(&x->r.mem, &x->open, run->n_marks - same)) {
        x->r.err = UM_ENOMEM;
        return;
    }
    for (uint32_t i = same; i < run->n_marks; i++)
        x->open.v[x->open.n++] = (struct open_mark){ .mark = m[i] };
    x->ops->marks_open(x, f->open + same, run, x->runs.n - (uint32_t)(run - x->runs.v) - 1);
}

/* A root that is a text: ends the paragraph and begins the next. */
static void line_turn(struct exporter *x, struct frame *f)
{
    while (x->open.n > f->open) {
        x->ops->mark_close(x, x->open.n - 1);
        x->open.n--;
    }
    x->ops->leave(x, f - 1);
    x->ops->enter(x, f - 1);
}

static void text_step(struct exporter *x, struct frame *f)
{
    struct run run;
    const struct item *it;

    if (f->run == x->runs.n) {
        frame_leave(x);
        return;
    }
    run = x->runs.v[f->run];
    if (run.len > 0 || run.item != NONE)
        marks_turn(x, f, &x->runs.v[f->run]);
    f->run++;
    if (x->r.err != UM_OK)
        return;
    if (run.item != NONE) {
        it = item_at(x->r.doc, run.item);
        if (it->kind == KIND_TYPE)
            child_enter(x, it->content);
        else
            x->ops->embed(x, item_body(x->r.doc, it));
    } else if (run.len > 0) {
        x->ops->text(x, UM_SPAN(x->text.data + run.at, run.len), f->run < x->runs.n);
    }
    if (run.line_ends)
        line_turn(x, f);
}

/* Marks are repeated where they overlap, so hostile ones could make much of little. */
static bool is_too_large(const struct exporter *x)
{
    return x->out->len - x->from > OUTPUT_FREE + (size_t)OUTPUT_TIMES * x->r.doc->content.n;
}

static bool failed(const struct exporter *x)
{
    return is_too_large(x) || x->r.err != UM_OK || x->out->failed || x->text.failed || x->scratch.failed || x->value.failed;
}

um_err export_root(const struct um_crdt *doc, struct um_span root, const struct writer_ops *ops, struct markdown *md,
                   struct um_buf *out)
{
    struct exporter x = { .out = out, .ops = ops, .md = md, .from = out->len };
    uint32_t t;
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if ((t = root_find(doc, root)) == NONE)
        return UM_ENOTFOUND;
    if ((KINDS(doc->types.v[t].kind) & IS_XML) == 0)
        return UM_EINVAL;
    reader_begin(&x.r, doc, UM_CRDT_PLAIN, out);
    if ((KINDS(doc->types.v[t].kind) & IS_TEXT) != 0) {
        frame_enter(&x, NONE, &line_row, false, false);
        if (!failed(&x))
            frame_enter(&x, t, &root_row, true, true);
    } else {
        frame_enter(&x, t, &root_row, false, false);
    }
    while (x.frames.n > 0 && !failed(&x)) {
        struct frame *f = &x.frames.v[x.frames.n - 1];

        if (f->is_text)
            text_step(&x, f);
        else
            node_step(&x, f);
    }
    if (x.r.err == UM_OK && failed(&x))
        x.r.err = is_too_large(&x) ? UM_ELIMIT : UM_ENOMEM;
    vec_free(&x.r.mem, &x.frames);
    vec_free(&x.r.mem, &x.runs);
    vec_free(&x.r.mem, &x.marks);
    vec_free(&x.r.mem, &x.open);
    um_buf_free(&x.text);
    um_buf_free(&x.scratch);
    um_buf_free(&x.value);
    return reader_end(&x.r);
}

/* ---- plain text ---------------------------------------------------------------------------------------- */

static void plain_text(struct exporter *x, struct um_span s, bool last)
{
    const uint8_t *nul;

    (void)last;
    while (s.len > 0 && (nul = memchr(s.data, '\0', s.len)) != NULL) {   /* many a database takes none */
        um_buf_put(x->out, s.data, (size_t)(nul - s.data));
        um_buf_puts(x->out, "\xef\xbf\xbd");
        s = UM_SPAN(nul + 1, s.len - (size_t)(nul - s.data) - 1);
    }
    um_buf_put(x->out, s.data, s.len);
    x->plain_line = true;
}

static void plain_end(struct exporter *x)
{
    if (x->plain_line)
        um_buf_puts(x->out, "\n");
    x->plain_line = false;
}

static void plain_enter(struct exporter *x, struct frame *f)
{
    switch (f->row->kind) {
    case NODE_BREAK:
        um_buf_puts(x->out, "\n");
        return;
    case NODE_IMAGE:
        if (node_attribute(x, f->type, "alt"))
            plain_text(x, exporter_value(x), false);
        return;
    case NODE_MENTION:
        if (node_attribute(x, f->type, "label") || node_attribute(x, f->type, "id")) {
            um_buf_puts(x->out, "@");
            plain_text(x, exporter_value(x), false);
        }
        return;
    default:
        if (frame_above(x, f) == NULL || !frame_above(x, f)->inside_lines)
            plain_end(x);
    }
}

/* An empty paragraph is an empty line. */
static void plain_leave(struct exporter *x, struct frame *f)
{
    if (f->row->lines)
        x->plain_line = true;
    if (frame_above(x, f) == NULL || !frame_above(x, f)->inside_lines)
        plain_end(x);
}

static void no_marks(struct exporter *x, uint32_t first, const struct run *run, uint32_t n_after)
{
    (void)x;
    (void)first;
    (void)run;
    (void)n_after;
}
static void no_mark(struct exporter *x, uint32_t index)
{
    (void)x;
    (void)index;
}
static void no_embed(struct exporter *x, struct um_span json)
{
    (void)x;
    (void)json;
}

um_err um_crdt_read_plain(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    static const struct writer_ops ops = { plain_enter, plain_leave, plain_text, no_marks, no_mark, no_embed };
    size_t from = out->len;
    um_err err = export_root(doc, root, &ops, NULL, out);

    if (err == UM_OK && out->len > from && out->data[out->len - 1] == '\n')
        out->len--;
    return err;
}
