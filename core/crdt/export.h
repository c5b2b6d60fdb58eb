/* Walking a ProseMirror document: nodes are XML elements, text stands in XML texts, marks are its attributes. The
 * walk keeps a stack of frames; a writer (HTML, Markdown, plain) hears what is entered and left. */
#ifndef UM_CRDT_EXPORT_H
#define UM_CRDT_EXPORT_H
#include "reader.h"
#include <umbel/crdt_export.h>

#define MARKS_MAX 16u                 /* at one place; more are not written */

enum node_kind {
    NODE_UNKNOWN, NODE_PARAGRAPH, NODE_HEADING, NODE_BULLETS, NODE_ORDERED, NODE_ITEM, NODE_TASKS, NODE_TASK, NODE_QUOTE,
    NODE_CODE, NODE_RULE, NODE_BREAK, NODE_IMAGE, NODE_TABLE, NODE_ROW, NODE_CELL, NODE_HEAD_CELL, NODE_MENTION
};
struct node_row {
    const char *name;                 /* lower case, without separators */
    enum node_kind kind;
    const char *tag;
    bool lines;                       /* holds text and inline nodes */
    bool leaf;                        /* its children, if any, are not looked at */
};
enum mark_kind {                      /* outermost first */
    MARK_LINK, MARK_UNKNOWN, MARK_STYLE, MARK_HIGHLIGHT, MARK_BOLD, MARK_ITALIC, MARK_UNDERLINE, MARK_STRIKE, MARK_SUB,
    MARK_SUPER, MARK_CODE, MARK_NONE
};
struct mark_row {
    const char *name;
    enum mark_kind kind;
    const char *tag;
};
const struct node_row *node_row_of(struct um_span name);          /* export_schema.c */
const struct mark_row *mark_row_of(struct um_span name);          /* NAME without a hash */
bool url_is_safe(struct um_span url, bool image);

struct mark {
    const struct mark_row *row;
    struct um_span name, value;       /* value: JSON text */
};
struct run {                          /* of a text */
    size_t at, len;                   /* in exporter.text */
    uint32_t marks, n_marks;          /* in exporter.marks, by kind */
    uint32_t item;                    /* a type or an embed instead; NONE */
    bool line_ends;                   /* a paragraph ends behind it: roots that are texts */
};

struct frame {
    const struct node_row *row;
    uint32_t type, item, unit;        /* NONE: the paragraph of a root that is a text */
    uint32_t number;                  /* of the children before */
    enum node_kind before;            /* kind of the child before */
    bool is_text, inside_lines;       /* it, or what is around it, holds text */
    uint32_t runs, run, open;         /* is_text: its part of the stacks, the next run, open marks below it */
    uint32_t marks;
    size_t text;
    size_t prefix;                    /* Markdown: length before it was entered */
};

struct exporter;
struct writer_ops {
    void (*enter)(struct exporter *x, struct frame *f);
    void (*leave)(struct exporter *x, struct frame *f);
    void (*text)(struct exporter *x, struct um_span s, bool last);       /* LAST: other things follow */
    void (*marks_open)(struct exporter *x, uint32_t first, const struct run *run, uint32_t n_after);
    void (*mark_close)(struct exporter *x, uint32_t index);
    void (*embed)(struct exporter *x, struct um_span json);
};

struct open_mark {
    struct mark mark;
    bool html;                        /* Markdown: written as a tag */
    bool nothing;
};

struct exporter {
    struct reader r;                  /* memory, document, formats that are active */
    struct um_buf *out;
    size_t from;                      /* its length before */
    const struct writer_ops *ops;
    VEC(struct frame) frames;
    VEC(struct run) runs;
    VEC(struct mark) marks;
    VEC(struct open_mark) open;
    struct um_buf text, scratch, value;
    struct markdown *md;
    bool plain_line;                  /* plain: something stands on the line */
};

/* export.c */
um_err export_root(const struct um_crdt *doc, struct um_span root, const struct writer_ops *ops, struct markdown *md,
                   struct um_buf *out);
const struct frame *frame_above(const struct exporter *x, const struct frame *f);     /* the parent; NULL */
/* Attribute NAME of an element as text, in x->value. False when it is absent, null or a type. */
bool node_attribute(struct exporter *x, uint32_t type, const char *name);
uint32_t node_number(struct exporter *x, uint32_t type, const char *name, uint32_t min, uint32_t max, uint32_t otherwise);
bool same_mark(const struct mark *a, const struct mark *b);
bool mark_attribute(struct exporter *x, const struct mark *m, const char *name);
struct um_span exporter_value(const struct exporter *x);
/* The next child of F that is an element or a text: its type; NONE at the end. */
uint32_t child_next(const struct um_crdt *doc, uint32_t *item);
struct um_span type_name(const struct um_crdt *doc, uint32_t type);

#endif
