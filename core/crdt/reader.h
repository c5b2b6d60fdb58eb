/* Turning shared types into JSON, text and XML. A stack of small tasks instead of recursion: a task writes
 * something and may push others, which run before what lies below them. */
#ifndef UM_CRDT_READER_H
#define UM_CRDT_READER_H
#include "number.h"
#include "snapshot.h"

enum task_op {
    OP_LITERAL,                       /* text, as it is */
    OP_STRING_END,                    /* closes a JSON string that holds other output */
    OP_LIST,                          /* elements of a list, comma between */
    OP_ENTRIES,                       /* "key":value of a map, comma between */
    OP_DELTA,                         /* operations of a text, comma between */
    OP_XML_ATTRIBUTES,                /* of an element, sorted */
    OP_XML_CHILDREN,
    OP_XML_TEXT,                      /* operations of a text as tags */
    OP_CHANGES                        /* operations of a text with what changed between two views */
};

struct task {
    enum task_op op;
    const char *literal;
    uint32_t type, item;              /* where it stands */
    uint32_t unit;                    /* of the item's content */
    size_t at;                        /* bytes of the content before that unit */
    uint32_t slot;
    uint32_t base, end;               /* active attributes, sorted slots: its part of the common stack */
    uint32_t from;                    /* texts: first item of the run that is being gathered, NONE */
    bool begun, dump;                 /* a comma is due; nested types as dumps instead of toJSON */
};

struct attribute {
    struct um_span key, value;        /* value: JSON text */
};

struct changes;                       /* of OP_CHANGES: see snapshot_read.c */

struct reader {
    const struct um_crdt *doc;
    const struct view *view;          /* what is to be seen; NULL: the present */
    struct um_buf *out;
    struct mem mem;
    enum um_crdt_form form;
    bool in_string;                   /* output goes into a JSON string */
    um_err err;
    struct changes *changes;
    VEC(struct task) tasks;
    VEC(struct attribute) attributes;
    VEC(uint32_t) slots;
};

/* Kinds of types that have a view. */
#define IS_TEXT (KINDS(UM_CRDT_TEXT) | KINDS(UM_CRDT_XML_TEXT))
#define IS_XML  (KINDS(UM_CRDT_XML_ELEMENT) | KINDS(UM_CRDT_XML_FRAGMENT) | KINDS(UM_CRDT_XML_TEXT) | KINDS(UM_CRDT_TEXT))
#define IS_ANY  (KINDS(UM_CRDT_UNTYPED) - 1)

#define ATTRIBUTES_MAX 1000u          /* active at once; every operation repeats them, so the output is bounded */

/* reader.c */
void reader_begin(struct reader *r, const struct um_crdt *doc, enum um_crdt_form form, struct um_buf *out);
void reader_run(struct reader *r);                /* until no task is left, or trouble */
um_err reader_end(struct reader *r);              /* runs the tasks */
void emit(struct reader *r, struct um_span s);
void emit_text(struct reader *r, const char *s);
void emit_count(struct reader *r, uint64_t n);
void push(struct reader *r, struct task t);
void push_literal(struct reader *r, const char *s);
void string_begin(struct reader *r);              /* the output of tasks pushed after this is one JSON string */
int utf16_order(struct um_span a, struct um_span b);

/* read_value.c: values that are not types */
void emit_json_string(struct reader *r, struct um_span s);
void emit_json_text(struct reader *r, struct um_span json);       /* kinds 2, 5, 6 */
void emit_any(struct reader *r, struct rd *any);
void emit_sub_document(struct reader *r, struct um_span body);
bool sub_document_loads(struct um_span body);     /* autoLoad */
void emit_undefined(struct reader *r);
void emit_any_as_string(struct reader *r, struct rd *any);        /* JavaScript's String(value) */
void emit_json_as_string(struct reader *r, struct um_span json);
struct um_span json_part(struct rd *r);                           /* steps over one value */

/* read_json.c */
const char *kind_name(enum um_crdt_kind kind);
void type_json(struct reader *r, uint32_t type);
void type_dump(struct reader *r, uint32_t type);
/* The item and the unit that hold SLOT's value; NONE when it has none. */
uint32_t entry_item(const struct reader *r, uint32_t slot, uint32_t *unit);
/* That value; AS_STRING: JavaScript's String(value). */
void entry_value(struct reader *r, uint32_t item, uint32_t unit, bool dump, bool as_string);
void push_list(struct reader *r, uint32_t type, bool dump);
void push_entries(struct reader *r, uint32_t type, bool dump);
void list_step(struct reader *r);
void entries_step(struct reader *r);
uint32_t list_next(struct reader *r, struct task *t);     /* moves T to the next unit that shows; NONE at the end */
/* One unit of IT's content at byte *AT; moves *AT on. In a string *AT may stand within a character, at its second
 * half. */
void unit_value(struct reader *r, uint32_t item, uint32_t unit, size_t *at, bool dump, bool as_string);

/* read_text.c */
void string_emit(struct reader *r, const struct item *it);
void text_emit(struct reader *r, uint32_t type);
void delta_step(struct reader *r);
void xml_text_step(struct reader *r);
void attribute_set(struct reader *r, uint32_t base, struct attribute a);      /* of the task whose begin at BASE */
void format_apply(struct reader *r, uint32_t base, const struct item *format);
void attributes_json(struct reader *r, uint32_t base);
/* An operation that inserts an embed or a type. */
void insert_emit(struct reader *r, uint32_t item, uint32_t base, bool comma, bool dump);
/* Units [FROM, TO) of a string that begin at byte *AT; moves *AT on. */
void string_part_emit(struct reader *r, const struct item *it, uint32_t from, uint32_t to, size_t *at, bool shows);

/* snapshot_read.c */
void changes_step(struct reader *r);

/* read_xml.c */
void type_xml(struct reader *r, uint32_t type);                   /* toString() */
struct um_span node_name(const struct reader *r, const struct type *t);
void xml_attributes_step(struct reader *r);
void xml_children_step(struct reader *r);

#endif
