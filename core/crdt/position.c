/* Looking up places, with the help of the position index. */
#include "position.h"
#include "posindex.h"

void position_find(struct um_crdt *doc, uint32_t type, uint32_t index, struct position *out)
{
    struct place_at at;

    *out = (struct position){ .left = NONE };
    if (index == 0)
        return;
    at = posindex_find(doc, type, index - 1);
    *out = (struct position){ at.item, at.offset + 1 };
}

void position_cut(struct um_crdt *doc, const struct position *p)
{
    const struct item *it;

    if (!position_is_inside(doc, p))
        return;
    it = item_at(doc, p->left);
    item_split(doc, index_find(&doc->clients.v[it->client], it->clock), p->units);
}

um_err position_marks(struct um_crdt *doc, uint32_t type, const struct position *p, mark_cb *cb)
{
    struct mark_walk w;
    um_err err = UM_OK;

    if (p->left == NONE)
        return UM_OK;
    w = marks_before(doc, type, p->left);
    for (uint32_t i; err == UM_OK && (i = marks_next(doc, &w)) != NONE;)
        err = cb(doc, i);
    return err;
}
