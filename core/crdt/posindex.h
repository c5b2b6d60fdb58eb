/* The position index: which item holds the n-th visible unit of a list, and how many units stand left of an item.
 *
 * A B+ tree per list type with the sums of visible units, made on the first look-up that would have to walk far, so
 * a document that is only relayed never has one. It is a cache: when memory runs out it is dropped and look-ups
 * walk the list; so none of these functions can fail. It is dropped as well when much is added and nobody looks. */
#ifndef UM_CRDT_POSINDEX_H
#define UM_CRDT_POSINDEX_H
#include "doc.h"

struct place_at {
    uint32_t item, offset;            /* offset: units of ITEM in front */
};
/* The visible item that holds unit number UNIT of TYPE's list; UNIT < the type's length. The place "behind N units"
 * is behind offset + 1 units of what holds unit N - 1. */
struct place_at posindex_find(struct um_crdt *doc, uint32_t type, uint32_t unit);

/* Visible units left of ITEM, which belongs to a list. */
uint32_t posindex_of(struct um_crdt *doc, uint32_t item);

/* Walks the visible Format items left of an item in list order, and only them when there is an index:
 *
 *     for (w = marks_before(doc, type, item); (i = marks_next(doc, &w)) != NONE;) ...
 *
 * ITEM NONE: all of TYPE. The list must not change meanwhile. */
struct mark_walk {
    uint32_t type, at, left;
};
struct mark_walk marks_before(struct um_crdt *doc, uint32_t type, uint32_t item);
uint32_t marks_next(const struct um_crdt *doc, struct mark_walk *w);

/* Makes it at once, for a list without one; false without memory. For those who know that look-ups come. */
bool posindex_make(struct um_crdt *doc, uint32_t type);
void posindex_drop(struct um_crdt *doc, uint32_t type);
void posindex_destroy(struct um_crdt *doc);
bool posindex_is_sound(const struct um_crdt *doc, uint32_t type);    /* for tests: agrees with the list */

/* ---- what changes tell it. Cheap when the list has no index ------------------------------------------- */

void posindex_add(struct um_crdt *doc, uint32_t i);                  /* linked, all fields set */
void posindex_resize(struct um_crdt *doc, uint32_t i, uint32_t by);  /* BY more visible units (wraps: fewer) */
void posindex_unmark(struct um_crdt *doc, uint32_t i);               /* a visible Format gets deleted */
void posindex_cut(struct um_crdt *doc, uint32_t i);                  /* what follows I was a part of it */
void posindex_absorb(struct um_crdt *doc, uint32_t first, uint32_t i);    /* I, right of it, becomes part of FIRST */

static inline bool item_is_indexed(const struct um_crdt *doc, const struct item *it)
{
    return !item_is_keyed(it) && doc->types.v[it->parent].pos != NONE;
}
static inline uint32_t item_width(const struct item *it) { return item_is_visible(it) ? it->len : 0; }
static inline bool item_is_mark(const struct item *it) { return it->kind == KIND_FORMAT && !item_is_deleted(it); }

#endif
