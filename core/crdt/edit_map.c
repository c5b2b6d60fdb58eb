/* Maps, hooks, and the attributes of XML elements and texts. */
#include "edit.h"

um_err map_set(struct um_crdt *doc, uint32_t type, struct um_span key, struct um_crdt_value *value)
{
    struct need need = { .slots = 1 };
    struct edit *e = doc->edit;
    uint32_t name, slot;
    um_err err;

    if ((err = key_convert(doc, key, &name)) != UM_OK || (err = values_convert(doc, type, value, 1, IN_MAP)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < e->fresh.n; i++)
        need_add(&need, &e->fresh.v[i]);
    if ((err = edit_reserve(doc, &need)) != UM_OK)
        return err;
    slot = slot_get(doc, type, name);
    item_place(doc, type, slot, doc->slots.v[slot].tail, &e->fresh.v[0]);
    nested_place(doc, 1);
    return UM_OK;
}

um_err um_crdt_map_set(struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key,
                       struct um_crdt_value *value)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_MAP, &t)) == UM_OK)
        err = map_set(doc, t, key, value);
    return edit_end(doc, err);
}

um_err um_crdt_map_delete(struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key)
{
    uint32_t t, name, slot;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_MAP, &t)) != UM_OK)
        return err;
    if ((name = name_find(doc, key)) != NONE && (slot = slot_find(doc, t, name)) != NONE &&
        doc->slots.v[slot].tail != NONE)
        item_delete(doc, doc->slots.v[slot].tail);
    return UM_OK;
}

um_err um_crdt_map_clear(struct um_crdt *doc, const struct um_crdt_type *type)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_MAP, &t)) != UM_OK)
        return err;
    for (uint32_t s = doc->types.v[t].first_slot; s != NONE; s = doc->slots.v[s].next)
        if (doc->slots.v[s].tail != NONE)
            item_delete(doc, doc->slots.v[s].tail);
    return UM_OK;
}
