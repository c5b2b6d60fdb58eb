/* What an edit of a text knows about formatting: per attribute its value now, the wanted one, and so on. Values are
 * JSON texts; `null` and none are the same. Keys are all interned before the document changes; from then on nothing
 * here allocates. */
#ifndef UM_CRDT_MARKS_H
#define UM_CRDT_MARKS_H
#include "doc.h"

/* A value: that of a Format item, or a text of the caller. Neither: none. */
struct mark_value {
    uint32_t item;
    struct um_span json;
};
#define NO_VALUE ((struct mark_value){ .item = NONE })
static inline bool value_is_set(const struct mark_value *v) { return v->item != NONE || v->json.data != NULL; }

struct mark {                         /* one attribute */
    uint32_t item;                    /* that bears the key; NONE: */
    struct um_span text;              /* the key */
    struct mark_value now;            /* at the place where the edit stands */
    struct mark_value want;           /* `null` counts as set */
    struct mark_value back;           /* to be restored behind the edit; `null` counts as set */
    struct mark_value before;         /* at the beginning of a deletion */
    uint64_t now_order, want_order, back_order;    /* JavaScript's order of keys and entries */
    uint32_t last;                    /* last Format item of a gap */
    size_t room;                      /* of the longest value met */
};

/* Format items that share one JavaScript object in yjs: ITEM got the value of FIRST. */
struct twin {
    uint32_t client, clock;
    uint32_t first_client, first_clock;
};

struct marks {
    VEC(struct mark) v;
    struct table table;               /* used from a few keys on */
    VEC(uint32_t) picked;
    uint64_t order;
    VEC(struct twin) twins;
    struct table twin_table;
    uint32_t twins_kept;              /* after the last sweep */
};

void marks_clear(struct um_crdt *doc);
struct mark *mark_find(struct um_crdt *doc, struct um_span key);                  /* NULL */
/* TEXT stays valid as long as the edit. ROOM: bytes of a value. */
um_err mark_intern(struct um_crdt *doc, struct um_span text, size_t room);
um_err mark_intern_item(struct um_crdt *doc, uint32_t item);
um_err mark_read(struct um_crdt *doc, uint32_t item);      /* interns ITEM's key and steps over it */
um_err marks_ready(struct um_crdt *doc);                  /* all is interned: room for what follows */
size_t mark_body_max(const struct um_crdt *doc, const struct mark *m);    /* bytes of a Format item of this attribute */

void mark_step(struct um_crdt *doc, uint32_t item);       /* ITEM, visible, is passed: `now` follows */
void now_set(struct um_crdt *doc, struct mark *m, struct mark_value v);
void back_set(struct um_crdt *doc, struct mark *m, struct mark_value v);

struct um_span value_text(const struct um_crdt *doc, const struct mark_value *v);
/* yjs' equalAttrs: of objects and arrays one level is compared. */
bool value_matches(struct um_crdt *doc, const struct mark_value *a, const struct mark_value *b);
/* JavaScript's ===. */
bool value_is_same(struct um_crdt *doc, const struct mark_value *a, const struct mark_value *b);

/* Wanted or to be restored attributes, in JavaScript's order; the array is valid until the next call. */
uint32_t marks_wanted(struct um_crdt *doc, uint32_t **out);
uint32_t marks_back(struct um_crdt *doc, uint32_t **out);

/* Item I has been given the value of item SOURCE: for yjs they are one object. */
void twin_note(struct um_crdt *doc, uint32_t i, uint32_t source);
void twins_sweep(struct um_crdt *doc);                    /* forgets the dead, from time to time */
void twins_truncate(struct um_crdt *doc, uint32_t n);     /* forgets the newest */
void marks_destroy(struct um_crdt *doc);

#endif
