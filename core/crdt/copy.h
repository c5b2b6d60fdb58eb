/* Making one document show what another shows: what the files copy*.c share. A side is a document that is only read;
 * the one that is edited is read first, then edited, type by type, from a stack of pairs. */
#ifndef UM_CRDT_COPY_H
#define UM_CRDT_COPY_H
#include <umbel/align.h>
#include <umbel/crdt_copy.h>
#include <umbel/map.h>
#include "edit.h"
#include "value.h"

#define COPY_EDITS 256u               /* um_align: max_edits */
#define COPY_STEPS (4u << 20)
#define COPY_ATTRIBUTES 1000u         /* of a text, active at once */

struct side {
    const struct um_crdt *doc;
    VEC(uint64_t) hashes;             /* per type: what it shows */
};
struct type_pair {
    uint32_t type, target;
};
struct copy {
    struct um_crdt *doc;
    struct mem *mem;
    struct side from, to;             /* the edited document; the target */
    uint64_t key[2];
    struct um_align align;
    VEC(struct type_pair) work;
    struct um_buf bytes, more;        /* scratch of hashing */
    struct value_room room;
};

static inline bool kind_has_list(uint8_t kind) { return kind != UM_CRDT_MAP && kind != UM_CRDT_XML_HOOK; }
static inline bool kind_has_entries(uint8_t kind) { return kind != UM_CRDT_ARRAY && kind != UM_CRDT_XML_FRAGMENT; }
static inline bool kind_is_text(uint8_t kind) { return (KINDS(kind) & TYPES_TEXT) != 0; }

/* Room for the records that taking back needs, for N items more. */
bool copy_room(struct um_crdt *doc, uint64_t n);        /* copy.c */
um_err copy_push(struct copy *c, uint32_t type, uint32_t target);

/* copy_hash.c */
struct element {                      /* of a list: one unit */
    uint64_t hash;
    uint32_t item, unit, type;        /* type NONE: a plain value */
    size_t at;                        /* bytes of the item's content in front of it */
};
typedef VEC(struct element) element_vec;
um_err side_hash(struct copy *c, struct side *s);
um_err elements_read(struct copy *c, const struct side *s, uint32_t type, element_vec *out);
/* What one unit holds; borrowed from the document. Moves *AT behind it. */
void unit_read(const struct um_crdt *doc, const struct item *it, uint32_t unit, size_t *at, struct um_crdt_value *out);
/* The item that holds SLOT's value; NONE: none. */
uint32_t slot_item(const struct um_crdt *doc, uint32_t slot);
um_err slot_hash_of(struct copy *c, const struct side *s, uint32_t slot, uint64_t *hash);
/* Types of the same kind and node name can be paired. */
uint64_t type_signature(struct copy *c, const struct um_crdt *doc, uint32_t type);
bool types_pair(const struct copy *c, uint32_t type, uint32_t target);
/* A format's value as JavaScript would print it. */
um_err mark_print(struct value_room *room, struct um_span json, struct um_buf *out);

/* Formats that are active at a place, sorted by key. */
struct active_mark {
    struct um_span key, json;         /* of the document */
    uint64_t hash;
};
struct active {
    VEC(struct active_mark) v;
    uint64_t sum;                     /* of the hashes: equal for equal sets */
};
int span_order(struct um_span a, struct um_span b);
um_err active_apply(struct copy *c, struct active *a, const struct um_crdt *doc, uint32_t item);

/* copy_list.c, copy_text.c */
um_err list_become(struct copy *c, uint32_t type, uint32_t target);
um_err entries_become(struct copy *c, uint32_t type, uint32_t target);
um_err text_become(struct copy *c, uint32_t type, uint32_t target);

#endif
