/* ProseMirror documents as CommonMark with GitHub's tables, tasks and strikes.
 *
 * Blocks: `prefix` stands before each line of the containers that are open, `first` instead of it on the line that
 * begins a list item. `common` is how much of the prefix has been there since the last line: the blank line between
 * two blocks has that, or it would join two quotes.
 * Text: what could mean something is escaped by a backslash; blanks at the ends of lines, and line ends within text,
 * are entities. Marks: ** and * only where CommonMark's flanking rules are sure to see them, else inline HTML. */
#include "export.h"
#include <stdio.h>
#include <stdlib.h>

#define PREFIX_MAX 256u               /* bytes; containers within are flattened */

enum gap { GAP_NONE, GAP_LINE, GAP_BLANK };

struct markdown {
    struct um_buf prefix, first;
    bool has_first;                   /* the next line begins an item */
    size_t common;
    enum gap gap;                     /* before the next line */
    uint32_t breaks, spaces;          /* that wait for what follows them */
    bool line_begins, digits;         /* nothing stands on the line; digits only */
    const char *task;                 /* "[ ] " that is due */
    bool in_code;
    struct um_buf code;
    bool single;                      /* a heading: no line ends */
    bool in_table, cell_full;
    uint32_t columns, cells, rows;
};

static void put(struct exporter *x, const char *s) { um_buf_puts(x->out, s); }

static void put_n(struct um_buf *b, const char *s, uint32_t n)
{
    while (n-- > 0)
        um_buf_puts(b, s);
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static void put_trimmed(struct exporter *x, const struct um_buf *b, size_t n)
{
    while (n > 0 && b->data[n - 1] == ' ')
        n--;
    um_buf_put(x->out, b->data, n);
}

/* The beginning of a line of the block, with what separates it from the block before. */
static void line_open(struct exporter *x)
{
    struct markdown *m = x->md;

    if (m->gap != GAP_NONE)
        put(x, "\n");
    if (m->gap == GAP_BLANK) {
        put_trimmed(x, &m->prefix, UM_MIN(m->common, m->prefix.len));
        put(x, "\n");
    }
    if (m->has_first)
        um_buf_put(x->out, m->first.data, m->first.len);
    else
        um_buf_put(x->out, m->prefix.data, m->prefix.len);
    m->has_first = false;
    m->common = m->prefix.len;
    m->gap = GAP_BLANK;
    m->line_begins = true;
    m->digits = false;
}

/* The next line of the same block. */
static void line_next(struct exporter *x)
{
    put(x, "\n");
    um_buf_put(x->out, x->md->prefix.data, x->md->prefix.len);
    x->md->line_begins = true;
    x->md->digits = false;
}

/* A block begins. In a table's cell: one line with <br> between blocks. TEXT: it may stand behind a task's box. */
static void block_open(struct exporter *x, bool text)
{
    struct markdown *m = x->md;

    m->breaks = m->spaces = 0;
    if (m->in_table) {
        if (m->cell_full)
            put(x, "<br>");
        m->line_begins = m->digits = false;
        return;
    }
    line_open(x);
    if (m->task == NULL)
        return;
    put(x, m->task);
    m->task = NULL;
    m->line_begins = false;
    if (!text)
        line_open(x);
}

static void space_flush(struct exporter *x, bool at_end);

static void block_close(struct exporter *x)
{
    space_flush(x, true);
    x->md->breaks = 0;
    x->md->cell_full = true;
}

static void prefix_add(struct exporter *x, const char *first, uint32_t indent, const char *rest)
{
    struct markdown *m = x->md;

    if (m->prefix.len + indent > PREFIX_MAX)
        return;
    if (!m->has_first && indent > 0) {
        um_buf_clear(&m->first);
        um_buf_put(&m->first, m->prefix.data, m->prefix.len);
    }
    if (m->has_first || indent > 0)
        um_buf_puts(&m->first, first);
    m->has_first |= indent > 0;
    um_buf_puts(&m->prefix, rest);
    put_n(&m->prefix, " ", indent);
}

static void prefix_cut(struct markdown *m, size_t len)
{
    m->prefix.len = UM_MIN(m->prefix.len, len);
    m->common = UM_MIN(m->common, len);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void breaks_flush(struct exporter *x)
{
    struct markdown *m = x->md;

    for (; m->breaks > 0; m->breaks--) {
        if (m->single || m->in_table) {
            put(x, "<br>");
        } else {
            put(x, "\\");
            line_next(x);
        }
    }
}

/* Blanks at an end of a line would be lost. */
static void space_flush(struct exporter *x, bool at_end)
{
    struct markdown *m = x->md;
    uint32_t n = m->spaces;

    if (n == 0)
        return;
    m->spaces = 0;
    if (m->line_begins || (m->in_table && !m->cell_full)) {
        put(x, "&#32;");
        n--;
    }
    if (at_end && n > 0) {
        put_n(x->out, " ", n - 1);
        put(x, "&#32;");
    } else {
        put_n(x->out, " ", n);
    }
    m->line_begins = m->digits = false;
}

static void before_inline(struct exporter *x)
{
    if (x->md->breaks > 0) {
        space_flush(x, true);
        breaks_flush(x);
    }
    space_flush(x, false);
}

static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_letter(uint8_t c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

static bool ends_in_www(struct um_span s, size_t i)
{
    return i >= 3 && (s.data[i - 1] | 0x20) == 'w' && (s.data[i - 2] | 0x20) == 'w' && (s.data[i - 3] | 0x20) == 'w';
}

/* Must the character at I of S be escaped? NEXT is the one behind it, 0 at the end of the run. */
static bool needs_escape(const struct markdown *m, struct um_span s, size_t i, uint8_t next)
{
    uint8_t c = s.data[i];

    switch (c) {
    case '\\': case '`': case '*': case '_': case '[': case ']': case '<': case '|': case '~':
        return true;
    case '!':
        return next == 0 || next == '[';
    case '&':
        return next == 0 || next == '#' || is_letter(next) || is_digit(next);
    case '#':
        return m->line_begins || m->single;
    case '+': case '-': case '=': case '>':
        return m->line_begins;
    case ')':
        return m->digits;
    case '.':
        return m->digits || ends_in_www(s, i);
    case ':':                         /* an address in the text is no link unless it is marked as one */
        return next == '/' || next == 0;
    default:
        return false;
    }
}

static void put_entity(struct exporter *x, uint8_t c)
{
    char text[8];

    snprintf(text, sizeof(text), "&#%u;", c);
    put(x, text);
}

static void put_text(struct exporter *x, struct um_span s)
{
    struct markdown *m = x->md;

    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i], next = i + 1 < s.len ? s.data[i + 1] : 0;

        if (c == ' ') {
            if (m->breaks > 0)
                before_inline(x);
            m->spaces++;
            continue;
        }
        before_inline(x);
        if (c == '\0')
            put(x, "\xef\xbf\xbd");
        else if (c == '\n' || c == '\r' || c == '\t')
            put_entity(x, c);
        else if (needs_escape(m, s, i, next))
            um_buf_put(x->out, (uint8_t[]){ '\\', c }, 2);
        else
            um_buf_put_u8(x->out, c);
        m->digits = is_digit(c) && (m->line_begins || m->digits);
        m->line_begins = false;
        m->cell_full = true;
    }
}

static void markdown_text(struct exporter *x, struct um_span s, bool last)
{
    (void)last;
    if (x->md->in_code) {
        um_buf_put(&x->md->code, s.data, s.len);
        return;
    }
    if (!x->frames.v[x->frames.n - 1].inside_lines)
        block_open(x, true);          /* text where no text belongs */
    put_text(x, s);
}

/* ---- code spans ---------------------------------------------------------------------------------------- */

static size_t longest_ticks(struct um_span s)
{
    size_t longest = 0, n = 0;

    for (size_t i = 0; i < s.len; i++) {
        n = s.data[i] == '`' ? n + 1 : 0;
        longest = UM_MAX(longest, n);
    }
    return longest;
}

static bool fits_code_span(struct um_span s)
{
    bool blank = true;

    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.data[i];

        if (c == '|' || c < ' ')
            return false;
        blank &= c == ' ';
    }
    return !blank;
}

static void put_code_span(struct exporter *x, struct um_span s)
{
    size_t ticks = longest_ticks(s) + 1;
    bool padded = s.data[0] == '`' || s.data[s.len - 1] == '`' || (s.data[0] == ' ' && s.data[s.len - 1] == ' ');

    put_n(x->out, "`", (uint32_t)ticks);
    put(x, padded ? " " : "");
    um_buf_put(x->out, s.data, s.len);
    put(x, padded ? " " : "");
    put_n(x->out, "`", (uint32_t)ticks);
    x->md->line_begins = x->md->digits = false;
    x->md->cell_full = true;
}

/* ---- marks --------------------------------------------------------------------------------------------- */

static const char *delimiter_of(enum mark_kind kind)
{
    return kind == MARK_BOLD ? "**" : kind == MARK_ITALIC ? "*" : kind == MARK_STRIKE ? "~~" : NULL;
}

/* Not the code mark: that is written with each text, see markdown_run. */
static bool is_html_mark(enum mark_kind kind)
{
    return kind == MARK_UNDERLINE || kind == MARK_SUB || kind == MARK_SUPER || kind == MARK_HIGHLIGHT ||
           delimiter_of(kind) != NULL;
}

/* Letters and digits for sure: punctuation and blanks beyond ASCII are many, so only the great scripts count. */
static bool is_word(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return is_digit(p[0]) || is_letter(p[0]);
    if (p[0] >= 0xc3 && p[0] <= 0xd2 && left >= 2)
        return p[0] != 0xc3 || (p[1] != 0x97 && p[1] != 0xb7);
    return p[0] >= 0xe5 && p[0] <= 0xe9;
}

static bool begins_with_word(struct um_span s) { return s.len > 0 && is_word(s.data, s.len); }

static bool ends_with_word(struct um_span s)
{
    size_t i = s.len;

    while (i > 0 && (s.data[i - 1] & 0xc0) == 0x80)
        i--;
    return i > 0 && is_word(s.data + i - 1, s.len - i + 1);
}

/* Do the open marks up to number INDEX stay open in RUN? They do as long as nothing comes in between. */
static bool run_keeps(const struct exporter *x, const struct run *run, uint32_t index)
{
    uint32_t base = x->frames.v[x->frames.n - 1].open;

    if (run->n_marks <= index - base)
        return false;
    for (uint32_t i = base; i <= index; i++)
        if (!same_mark(&x->marks.v[run->marks + i - base], &x->open.v[i].mark))
            return false;
    return true;
}

static bool run_is_word(const struct exporter *x, const struct run *run, bool (*ask)(struct um_span))
{
    for (uint32_t i = 0; i < run->n_marks; i++)
        if (x->marks.v[run->marks + i].row->kind == MARK_CODE)
            return false;
    return run->item == NONE && ask(UM_SPAN(x->text.data + run->at, run->len));
}

/* Does the stretch that begins at RUN with mark number INDEX of the open ones end in a letter? Looks at most
 * LOOK_MAX runs ahead; further ones are written as HTML, which is always right. */
#define LOOK_MAX 64u
static bool stretch_ends_well(const struct exporter *x, uint32_t index, const struct run *run, uint32_t n_after)
{
    const struct run *end = run;

    for (uint32_t k = 1; k <= n_after && !end->line_ends && run_keeps(x, &run[k], index); k++) {
        if (k == LOOK_MAX)
            return false;
        end = &run[k];
    }
    for (uint32_t i = 0; end != run && i < end->n_marks; i++)     /* the tag of one that ends with it stands between */
        if (i >= x->open.n - x->frames.v[x->frames.n - 1].open && is_html_mark(x->marks.v[end->marks + i].row->kind))
            return false;
    return run_is_word(x, end, ends_with_word);
}

/* May the marks from FIRST on be written by delimiters? One of them alone, or bold with italic: other heaps of
 * delimiters are read differently by different programs. */
static bool delimiters_fit(const struct exporter *x, uint32_t first, const struct run *run, uint32_t n_after)
{
    uint32_t kinds = 0, n = 0;

    if (x->out->len > 0 && strchr("*_~\\", x->out->data[x->out->len - 1]) != NULL && x->md->spaces == 0)
        return false;
    for (uint32_t i = first; i < x->open.n; i++)
        if (is_html_mark(x->open.v[i].mark.row->kind)) {
            kinds |= 1u << x->open.v[i].mark.row->kind;
            n++;
            if (delimiter_of(x->open.v[i].mark.row->kind) == NULL || !stretch_ends_well(x, i, run, n_after))
                return false;
        }
    if (n > 1 && kinds != (1u << MARK_BOLD | 1u << MARK_ITALIC))
        return false;
    return n <= 2 && run_is_word(x, run, begins_with_word);
}

static void put_tag(struct exporter *x, const char *before, const char *tag)
{
    put(x, before);
    put(x, tag);
    put(x, ">");
}

static void put_address(struct exporter *x, struct um_span url)
{
    for (size_t i = 0; i < url.len; i++) {
        uint8_t c = url.data[i];
        char text[8];

        if (c <= ' ' || c == 0x7f || strchr("<>()[]\\\"`|", c) != NULL) {
            snprintf(text, sizeof(text), "%%%02X", c);
            put(x, text);
        } else if (c == '&') {
            put(x, "&amp;");
        } else {
            um_buf_put_u8(x->out, c);
        }
    }
}

/* Marks that Markdown has no form for, and links to where none may lead. */
static bool is_written(struct exporter *x, const struct mark *m)
{
    if (m->row->kind == MARK_LINK)
        return mark_attribute(x, m, "href") && url_is_safe(exporter_value(x), false);
    return is_html_mark(m->row->kind);
}

static void mark_open(struct exporter *x, struct open_mark *o, bool delimiters)
{
    enum mark_kind kind = o->mark.row->kind;

    if (o->nothing)
        return;
    if (kind == MARK_LINK) {
        put(x, "[");
    } else if (delimiter_of(kind) != NULL && delimiters) {
        put(x, delimiter_of(kind));
    } else {
        o->html = true;
        put_tag(x, "<", kind == MARK_STRIKE ? "del" : o->mark.row->tag);
    }
}

static void markdown_marks_open(struct exporter *x, uint32_t first, const struct run *run, uint32_t n_after)
{
    bool delimiters, any = false;

    for (uint32_t i = first; i < x->open.n; i++) {
        x->open.v[i].nothing = x->md->in_code || !is_written(x, &x->open.v[i].mark);
        any |= !x->open.v[i].nothing;
    }
    if (!any)                         /* blanks that wait may still be the last of their line */
        return;
    before_inline(x);
    delimiters = delimiters_fit(x, first, run, n_after);
    for (uint32_t i = first; i < x->open.n; i++)
        mark_open(x, &x->open.v[i], delimiters);
    x->md->cell_full = true;
}

static void markdown_mark_close(struct exporter *x, uint32_t index)
{
    const struct open_mark *o = &x->open.v[index];
    enum mark_kind kind = o->mark.row->kind;

    if (o->nothing)
        return;
    space_flush(x, false);
    if (kind == MARK_LINK) {
        put(x, "](");
        if (mark_attribute(x, &o->mark, "href"))
            put_address(x, exporter_value(x));
        put(x, ")");
    } else if (o->html) {
        put_tag(x, "</", kind == MARK_STRIKE ? "del" : o->mark.row->tag);
    } else {
        put(x, delimiter_of(kind));
    }
}

static bool in_code_mark(const struct exporter *x)
{
    const struct frame *f = &x->frames.v[x->frames.n - 1];

    for (uint32_t i = f->open; i < x->open.n; i++)
        if (x->open.v[i].mark.row->kind == MARK_CODE)
            return true;
    return false;
}

static void markdown_run(struct exporter *x, struct um_span s, bool last)
{
    if (x->md->in_code || !in_code_mark(x)) {
        markdown_text(x, s, last);
        return;
    }
    before_inline(x);
    if (fits_code_span(s) && (x->out->len == 0 || x->out->data[x->out->len - 1] != '`')) {
        put_code_span(x, s);
        return;
    }
    put(x, "<code>");                 /* two spans side by side would be one */
    markdown_text(x, s, last);
    space_flush(x, false);
    put(x, "</code>");
}

/* ---- tables -------------------------------------------------------------------------------------------- */

/* The greatest number of cells in a row; 0 when something else stands in the table. */
static uint32_t table_columns(const struct um_crdt *doc, uint32_t table)
{
    uint32_t columns = 0, row, cell, i = doc->types.v[table].start;

    while ((row = child_next(doc, &i)) != NONE) {
        uint32_t n = 0, k = doc->types.v[row].start;

        if (node_row_of(type_name(doc, row))->kind != NODE_ROW)
            return 0;
        for (; (cell = child_next(doc, &k)) != NONE; n++) {
            enum node_kind kind = node_row_of(type_name(doc, cell))->kind;

            if (kind != NODE_CELL && kind != NODE_HEAD_CELL)
                return 0;
        }
        columns = UM_MAX(columns, n);
    }
    return columns;
}

static void table_enter(struct exporter *x, const struct frame *f)
{
    struct markdown *m = x->md;

    if (m->in_table || m->columns > 0)
        return;
    m->columns = table_columns(x->r.doc, f->type);
    m->rows = 0;
}

static void row_enter(struct exporter *x)
{
    struct markdown *m = x->md;

    if (m->columns == 0 || m->in_table)
        return;
    if (m->rows == 0)
        block_open(x, false);
    else
        line_next(x);
    put(x, "|");
    m->in_table = true;
    m->cells = 0;
}

static void row_leave(struct exporter *x)
{
    struct markdown *m = x->md;

    if (m->columns == 0 || !m->in_table)
        return;
    m->in_table = false;
    if (m->rows++ > 0)
        return;
    for (; m->cells < m->columns; m->cells++)
        put(x, "  |");
    line_next(x);
    put(x, "|");
    put_n(x->out, " --- |", m->columns);
}

/* Is the innermost frame of the table that is written, not of one within a cell? */
static bool is_own(const struct exporter *x, enum node_kind kind)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < x->frames.n; i++)
        n += x->frames.v[i].row->kind == kind;
    return n == 1;
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static void put_image(struct exporter *x, const struct frame *f)
{
    bool alone = frame_above(x, f) == NULL || !frame_above(x, f)->inside_lines, shown;

    if (alone)
        block_open(x, true);
    before_inline(x);
    shown = node_attribute(x, f->type, "src") && url_is_safe(exporter_value(x), true);
    put(x, shown ? "![" : "");
    x->md->line_begins &= !shown;
    if (node_attribute(x, f->type, "alt")) {
        um_buf_clear(&x->scratch);
        um_buf_put(&x->scratch, x->value.data, x->value.len);
        put_text(x, UM_SPAN(x->scratch.data, x->scratch.len));
        space_flush(x, true);
    }
    if (shown && node_attribute(x, f->type, "src")) {
        put(x, "](");
        put_address(x, exporter_value(x));
        put(x, ")");
    }
    x->md->cell_full = true;
    if (alone)
        block_close(x);
}

static void put_mention(struct exporter *x, const struct frame *f)
{
    if (!node_attribute(x, f->type, "label") && !node_attribute(x, f->type, "id"))
        return;
    um_buf_clear(&x->scratch);
    um_buf_puts(&x->scratch, "@");
    um_buf_put(&x->scratch, x->value.data, x->value.len);
    put_text(x, UM_SPAN(x->scratch.data, x->scratch.len));
}

static void code_leave(struct exporter *x, const struct frame *f)
{
    struct markdown *m = x->md;
    struct um_span s = UM_SPAN(m->code.data, m->code.len);
    uint32_t ticks = (uint32_t)UM_MAX(longest_ticks(s) + 1, 3);

    m->in_code = false;
    block_open(x, false);
    if (m->in_table) {
        put_tag(x, "<", "code");
        put_text(x, s);
        space_flush(x, true);
        put_tag(x, "</", "code");
        block_close(x);
        return;
    }
    put_n(x->out, "`", ticks);
    if ((node_attribute(x, f->type, "language") || node_attribute(x, f->type, "params")) &&
        strcspn(um_buf_cstr(&x->value), "` \t\r\n\\&") == x->value.len)
        um_buf_put(x->out, x->value.data, x->value.len);
    for (size_t at = 0; s.len > 0 && at <= s.len;) {
        const uint8_t *nl = at < s.len ? memchr(s.data + at, '\n', s.len - at) : NULL;
        size_t end = nl != NULL ? (size_t)(nl - s.data) : s.len;

        line_next(x);
        um_buf_put(x->out, s.data + at, end - at);
        at = end + 1;
    }
    line_next(x);
    put_n(x->out, "`", ticks);
    block_close(x);
}

static bool is_list(enum node_kind kind) { return kind == NODE_BULLETS || kind == NODE_ORDERED || kind == NODE_TASKS; }

/* Two lists in a row would be one. */
static void list_enter(struct exporter *x, const struct frame *f)
{
    const struct frame *above = frame_above(x, f);

    if (x->md->in_table || above == NULL || !is_list(above->before))
        return;
    block_open(x, false);
    put(x, "<!-- -->");
}

static void list_item_enter(struct exporter *x, struct frame *f)
{
    const struct frame *above = frame_above(x, f);
    struct markdown *m = x->md;
    char marker[24] = "- ";

    f->prefix = m->prefix.len;
    if (m->in_table)
        return;
    if (above != NULL && above->row->kind == NODE_ORDERED) {
        uint32_t start = node_number(x, above->type, "start", 0, 999999999, 1);

        if (start == 1)
            start = node_number(x, above->type, "order", 0, 999999999, 1);
        snprintf(marker, sizeof(marker), "%u. ", UM_MIN(start + above->number, 999999999));
    }
    if (above != NULL && above->number > 0 && !m->has_first && m->gap == GAP_BLANK)
        m->gap = GAP_LINE;
    prefix_add(x, marker, (uint32_t)strlen(marker), "");
    if (f->row->kind == NODE_TASK)
        m->task = node_attribute(x, f->type, "checked") && um_span_eq(exporter_value(x), UM_SPAN_STR("true")) ? "[x] "
                                                                                                              : "[ ] ";
}

/* An item in which nothing was written stays an item. */
static void list_item_leave(struct exporter *x, struct frame *f)
{
    struct markdown *m = x->md;

    if (m->in_table)
        return;
    if (m->has_first || m->task != NULL) {
        block_open(x, true);
        block_close(x);
    }
    prefix_cut(m, f->prefix);
}

static void paragraph_enter(struct exporter *x, struct frame *f)
{
    struct markdown *m = x->md;

    block_open(x, f->row->kind == NODE_PARAGRAPH);
    if (f->row->kind != NODE_HEADING || m->in_table)
        return;
    put_n(x->out, "#", node_number(x, f->type, "level", 1, 6, 1));
    put(x, " ");
    m->single = true;
}

static bool is_empty_type(const struct um_crdt *doc, uint32_t type)
{
    uint32_t i = type == NONE ? NONE : doc->types.v[type].start;

    for (; i != NONE; i = item_at(doc, i)->right)
        if (!item_is_deleted(item_at(doc, i)))
            return false;
    return type != NONE;
}

static void markdown_enter(struct exporter *x, struct frame *f)
{
    struct markdown *m = x->md;
    bool inside = frame_above(x, f) != NULL && frame_above(x, f)->inside_lines;

    f->prefix = m->prefix.len;
    switch (f->row->kind) {
    case NODE_PARAGRAPH: case NODE_HEADING:
        if (f->row->kind == NODE_HEADING || !is_empty_type(x->r.doc, f->type) || m->has_first)
            paragraph_enter(x, f);
        return;
    case NODE_CODE:
        m->in_code = true;
        um_buf_clear(&m->code);
        return;
    case NODE_BULLETS: case NODE_ORDERED: case NODE_TASKS:
        list_enter(x, f);
        return;
    case NODE_ITEM: case NODE_TASK:
        list_item_enter(x, f);
        return;
    case NODE_QUOTE:
        if (!m->in_table)
            prefix_add(x, "> ", 0, "> ");
        return;
    case NODE_RULE:
        block_open(x, false);
        put(x, m->in_table ? "" : "***");
        return;
    case NODE_BREAK:
        if (m->in_code)
            um_buf_puts(&m->code, "\n");
        else if (inside)
            m->breaks++;
        return;
    case NODE_IMAGE:
        put_image(x, f);
        return;
    case NODE_MENTION:
        put_mention(x, f);
        return;
    case NODE_TABLE:
        table_enter(x, f);
        return;
    case NODE_ROW:
        if (is_own(x, NODE_ROW))
            row_enter(x);
        return;
    case NODE_CELL: case NODE_HEAD_CELL:
        if (m->in_table && is_own(x, NODE_CELL) != is_own(x, NODE_HEAD_CELL)) {
            put(x, " ");
            m->cell_full = false;
        }
        return;
    default:
        return;
    }
}

static void markdown_leave(struct exporter *x, struct frame *f)
{
    struct markdown *m = x->md;

    switch (f->row->kind) {
    case NODE_PARAGRAPH: case NODE_HEADING:
        block_close(x);
        m->single = false;
        return;
    case NODE_CODE:
        code_leave(x, f);
        return;
    case NODE_ITEM: case NODE_TASK:
        list_item_leave(x, f);
        return;
    case NODE_QUOTE:
        if (!m->in_table)
            prefix_cut(m, f->prefix);
        return;
    case NODE_TABLE:
        if (!m->in_table)
            m->columns = 0;
        return;
    case NODE_ROW:
        if (is_own(x, NODE_ROW))
            row_leave(x);
        return;
    case NODE_CELL: case NODE_HEAD_CELL:
        if (m->in_table && is_own(x, NODE_CELL) != is_own(x, NODE_HEAD_CELL)) {
            put(x, " |");
            m->cells++;
        }
        return;
    default:
        return;
    }
}

static void markdown_embed(struct exporter *x, struct um_span json)
{
    (void)x;
    (void)json;
}

um_err um_crdt_read_markdown(const struct um_crdt *doc, struct um_span root, struct um_buf *out)
{
    static const struct writer_ops ops = { markdown_enter, markdown_leave, markdown_run, markdown_marks_open,
                                           markdown_mark_close, markdown_embed };
    struct markdown m = { 0 };
    size_t from = out->len;
    um_err err = export_root(doc, root, &ops, &m, out);

    if (err == UM_OK && (m.prefix.failed || m.first.failed || m.code.failed))
        err = UM_ENOMEM;
    if (err == UM_OK && out->len > from)
        um_buf_puts(out, "\n");
    um_buf_free(&m.prefix);
    um_buf_free(&m.first);
    um_buf_free(&m.code);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}
