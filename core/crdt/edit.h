/* Local edits: what the files edit*.c share.
 *
 * Every call goes the same way: edit_start; look up places and convert values; edit_reserve with all that the call
 * may need; then change, which cannot fail any more; edit_end. */
#ifndef UM_CRDT_EDIT_H
#define UM_CRDT_EDIT_H
#include <umbel/crdt_types.h>
#include "marks.h"
#include "position.h"

#define TYPES_TEXT (KINDS(UM_CRDT_TEXT) | KINDS(UM_CRDT_XML_TEXT))
#define TYPES_XML  (KINDS(UM_CRDT_XML_ELEMENT) | KINDS(UM_CRDT_XML_FRAGMENT))
#define TYPES_LIST (KINDS(UM_CRDT_ARRAY) | TYPES_XML)
#define TYPES_MAP  (KINDS(UM_CRDT_MAP) | KINDS(UM_CRDT_XML_HOOK) | KINDS(UM_CRDT_XML_ELEMENT) | TYPES_TEXT)
#define TYPES_ALL  (KINDS(UM_CRDT_UNTYPED + 1) - 1)

/* Content of one new item, not yet in the document: its bytes are text[from..to). */
struct fresh {
    enum kind kind;
    uint32_t len;
    size_t from, to;
    uint32_t holder;                  /* the fresh one that holds the type it goes into; NONE: where the call says */
    uint32_t key;                     /* name of its entry there; NONE: in the list */
    /* KIND_TYPE: */
    uint8_t type_kind;
    uint32_t name;                    /* NONE */
    struct um_crdt_value *value;      /* gets the reference */
    uint32_t made, last;              /* when placed: the type, its last element */
};

enum delta_kind { DELTA_INSERT, DELTA_RETAIN, DELTA_DELETE };
struct delta_op {
    enum delta_kind kind;
    struct fresh content;             /* DELTA_INSERT */
    uint32_t n;                       /* else */
    size_t from, to;                  /* attributes: bodies of Format items */
};

/* What a transaction has done so far: nothing, one edit of typing.h, anything. */
enum edit_course { COURSE_NOTHING, COURSE_TYPED, COURSE_TAKEN, COURSE_ANY };

struct edit {
    bool open;
    enum edit_course course;
    size_t typed;                     /* COURSE_TYPED: bytes */
    uint32_t author;                  /* client */
    uint32_t n_clients;               /* before the transaction */
    const void *origin;
    bool copying;                     /* um_crdt_become runs: values that yjs' calls refuse are taken as they are, and
                                       * everything can be taken back */
    /* of the running call: */
    struct names_mark names;
    VEC(uint32_t) cuts;               /* clients of items that it may cut */
    struct um_buf text;               /* converted values */
    VEC(struct fresh) fresh;
    VEC(struct delta_op) ops;
    struct marks marks;
};

/* What a call may need, cuts apart. */
struct need {
    uint64_t items, units;            /* new ones */
    size_t content;
    uint32_t types, slots;
};

/* edit.c */
static inline bool edit_is_open(const struct um_crdt *doc) { return doc->edit != NULL && doc->edit->open; }
/* The type that REF names, of one of KINDS and not deleted. */
um_err type_open(const struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t kinds, uint32_t *type);
um_err edit_start(struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t kinds, uint32_t *type);
um_err edit_cut_note(struct um_crdt *doc, uint32_t item);           /* ITEM may be cut once */
um_err edit_reserve(struct um_crdt *doc, const struct need *need);
um_err edit_end(struct um_crdt *doc, um_err err);                   /* returns ERR */
/* Somebody must be told of items and deletions one by one. */
static inline bool somebody_watches(const struct um_crdt *doc) { return doc->observer != NULL || doc->undo != NULL; }
/* May the call go one of the short ways (typing.h)? */
static inline bool edit_is_first(const struct um_crdt *doc)
{
    return edit_is_open(doc) && doc->edit->course == COURSE_NOTHING && !somebody_watches(doc);
}
void need_add(struct need *need, const struct fresh *f);
/* Puts a new item behind LEFT (NONE: first), into the list of TYPE or a SLOT of it. */
uint32_t item_place(struct um_crdt *doc, uint32_t type, uint32_t slot, uint32_t left, struct fresh *f);
/* Places what goes into types just placed, from number I on; the number of the next one that does not. */
uint32_t nested_place(struct um_crdt *doc, uint32_t i);
/* The same for bytes that stand in the content arena already. */
uint32_t item_place_at(struct um_crdt *doc, uint32_t type, uint32_t left, enum kind kind, uint32_t len,
                       uint32_t content);
void edit_destroy(struct um_crdt *doc);

/* edit_value.c: values to contents, appended to edit->fresh */
enum value_place { IN_ARRAY, IN_XML, IN_MAP, IN_TEXT };
um_err values_convert(struct um_crdt *doc, uint32_t parent, struct um_crdt_value *values, size_t n,
                      enum value_place place);
um_err key_convert(struct um_crdt *doc, struct um_span key, uint32_t *name);
/* An `any` value as the JSON that yjs prints, appended to edit->text. */
um_err text_put_json(struct um_crdt *doc, struct um_span any);

/* The calls behind the public ones: TYPE is open, values are converted here. */
um_err list_insert(struct um_crdt *doc, uint32_t type, uint32_t index, struct um_crdt_value *values, size_t n);
um_err list_delete(struct um_crdt *doc, uint32_t type, uint32_t index, uint32_t n);
um_err map_set(struct um_crdt *doc, uint32_t type, struct um_span key, struct um_crdt_value *value);
um_err delta_run(struct um_crdt *doc, uint32_t type);     /* edit->ops, as delta_apply reads them */

/* edit_text.c */
struct text {                         /* where an edit stands in a text */
    struct um_crdt *doc;
    uint32_t type, left, right;
    bool marked;                      /* attributes are of interest */
};
struct survey {                       /* a place in front of the edit: OFFSET units into ITEM */
    uint32_t item, offset;
};
#define UNITS_FORMATTED (~KINDS(KIND_FORMAT))             /* what counts when formatting */
#define UNITS_DELETED   (KINDS(KIND_STRING) | KINDS(KIND_EMBED) | KINDS(KIND_TYPE))    /* when deleting */
um_err attributes_convert(struct um_crdt *doc, struct um_span any, size_t *from, size_t *to);
um_err attributes_intern(struct um_crdt *doc, size_t from, size_t to);
um_err survey_pass(struct text *t, struct survey *s, uint32_t *n, uint32_t kinds);
um_err survey_gap(struct text *t, struct survey *s);
void need_marks(struct um_crdt *doc, struct need *need, size_t from, size_t to, bool all);
void text_want(struct text *t, size_t from, size_t to);
void text_want_others_off(struct text *t);
/* NESTED: number of the first fresh one that goes into it. */
void text_put(struct text *t, struct fresh *f, uint32_t nested);
void text_format(struct text *t, uint32_t n);
void text_delete(struct text *t, uint32_t n);

#endif
