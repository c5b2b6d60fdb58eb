/* Arrays, and the children of XML fragments and elements. */
#include "edit.h"

static enum value_place place_of(const struct um_crdt *doc, uint32_t type)
{
    return doc->types.v[type].kind == UM_CRDT_ARRAY ? IN_ARRAY : IN_XML;
}

/* Each new item of the list stands behind the one before. LEFT: the item in front of the first, already cut. */
static void fresh_place(struct um_crdt *doc, uint32_t type, uint32_t left)
{
    struct edit *e = doc->edit;

    for (uint32_t i = 0; i < e->fresh.n;) {
        left = item_place(doc, type, NONE, left, &e->fresh.v[i]);
        i = nested_place(doc, i + 1);
    }
}

static um_err fresh_reserve(struct um_crdt *doc)
{
    struct edit *e = doc->edit;
    struct need need = { 0 };

    for (uint32_t i = 0; i < e->fresh.n; i++)
        need_add(&need, &e->fresh.v[i]);
    return edit_reserve(doc, &need);
}

um_err list_insert(struct um_crdt *doc, uint32_t type, uint32_t index, struct um_crdt_value *values, size_t n)
{
    struct position p;
    um_err err;

    if (index > doc->types.v[type].length)
        return UM_EINVAL;
    if ((err = values_convert(doc, type, values, n, place_of(doc, type))) != UM_OK)
        return err;
    if (doc->edit->fresh.n == 0)
        return UM_OK;
    position_find(doc, type, index, &p);
    if ((position_is_inside(doc, &p) && (err = edit_cut_note(doc, p.left)) != UM_OK) ||
        (err = fresh_reserve(doc)) != UM_OK)
        return err;
    position_cut(doc, &p);
    fresh_place(doc, type, p.left);
    return UM_OK;
}

um_err um_crdt_list_insert(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index,
                           struct um_crdt_value *values, size_t n)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_LIST, &t)) == UM_OK)
        err = list_insert(doc, t, index, values, n);
    return edit_end(doc, err);
}

/* The last item of an array, deleted or not. */
static uint32_t list_last(const struct um_crdt *doc, uint32_t type)
{
    uint32_t i = doc->types.v[type].start;

    while (i != NONE && item_at(doc, i)->right != NONE)
        i = item_at(doc, i)->right;
    return i;
}

um_err um_crdt_list_push(struct um_crdt *doc, const struct um_crdt_type *type, struct um_crdt_value *values, size_t n)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_LIST, &t)) == UM_OK) {
        if (place_of(doc, t) == IN_XML)
            err = list_insert(doc, t, doc->types.v[t].length, values, n);
        else if ((err = values_convert(doc, t, values, n, IN_ARRAY)) == UM_OK && (err = fresh_reserve(doc)) == UM_OK)
            fresh_place(doc, t, list_last(doc, t));
    }
    return edit_end(doc, err);
}

/* ---- deletion ------------------------------------------------------------------------------------------ */

/* Deletes N units of visible elements from item I on; the last item may have to be cut. */
static void units_delete(struct um_crdt *doc, uint32_t i, uint32_t n)
{
    while (n > 0) {
        const struct item *it = item_at(doc, i);

        if (item_is_visible(it)) {
            if (n < it->len)
                item_split(doc, index_find(&doc->clients.v[it->client], it->clock), n);
            n -= it->len;
            item_delete(doc, i);
        }
        i = it->right;
    }
}

um_err list_delete(struct um_crdt *doc, uint32_t type, uint32_t index, uint32_t n)
{
    uint32_t length = doc->types.v[type].length;
    struct position from, to;
    um_err err;

    if (index > length || n > length - index)
        return UM_EINVAL;
    if (n == 0)
        return UM_OK;
    position_find(doc, type, index, &from);
    position_find(doc, type, index + n, &to);
    if ((position_is_inside(doc, &from) && (err = edit_cut_note(doc, from.left)) != UM_OK) ||
        (position_is_inside(doc, &to) && (err = edit_cut_note(doc, to.left)) != UM_OK) ||
        (err = edit_reserve(doc, &(struct need){ 0 })) != UM_OK)
        return err;
    position_cut(doc, &from);
    units_delete(doc, position_right(doc, type, &from), n);
    return UM_OK;
}

um_err um_crdt_list_delete(struct um_crdt *doc, const struct um_crdt_type *type, uint32_t index, uint32_t n)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_LIST, &t)) == UM_OK)
        err = list_delete(doc, t, index, n);
    return edit_end(doc, err);
}
