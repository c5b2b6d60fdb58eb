/* Places in the list of a type, counted in visible units. Edits look up their indices here. */
#ifndef UM_CRDT_POSITION_H
#define UM_CRDT_POSITION_H
#include "doc.h"

/* The place directly behind a visible unit, in front of whatever deleted items and formatting marks follow. */
struct position {
    uint32_t left;                    /* the item that holds the unit; NONE: in front of the whole list */
    uint32_t units;                   /* of LEFT up to the place: 1 .. its length, where it need not be cut */
};

/* The place behind INDEX units; INDEX <= the type's length. Changes nothing that can be seen. */
void position_find(struct um_crdt *doc, uint32_t type, uint32_t index, struct position *out);

/* Does LEFT have to be cut there? */
static inline bool position_is_inside(const struct um_crdt *doc, const struct position *p)
{
    return p->left != NONE && p->units < item_at(doc, p->left)->len;
}

/* Cuts there when needed; room for the new item and its index entry must be reserved. The place is then behind LEFT. */
void position_cut(struct um_crdt *doc, const struct position *p);

/* The item behind a place that is not inside one; NONE at the end. */
static inline uint32_t position_right(const struct um_crdt *doc, uint32_t type, const struct position *p)
{
    return p->left == NONE ? doc->types.v[type].start : item_at(doc, p->left)->right;
}

/* Calls CB for each visible Format item in front of the place, in order; CB's error ends it. Not worth calling for a
 * type without `marks`. */
typedef um_err mark_cb(struct um_crdt *doc, uint32_t item);
um_err position_marks(struct um_crdt *doc, uint32_t type, const struct position *p, mark_cb *cb);

#endif
