/* Where the changed types stand. Each ancestor is looked at once, however many changes lie below it, and each list
 * is walked once for all positions that are wanted in it. */
#include "changes.h"

static uint64_t type_hash(uint32_t type)
{
    return (type * UINT64_C(0x9e3779b97f4a7c15)) >> 32;
}

static uint64_t place_hash(const void *ctx, uint32_t place)
{
    const place_vec *places = ctx;

    return type_hash(places->v[place].type);
}

/* Where TYPE's place is in the table or would go. The table has room. */
static uint32_t *place_slot(const struct tx_changes *ch, uint32_t type)
{
    for (uint64_t h = type_hash(type);; h++) {
        uint32_t *slot = &ch->by_type.v[h & (ch->by_type.cap - 1)];

        if (*slot == NONE || ch->places.v[*slot].type == type)
            return slot;
    }
}

static uint32_t place_find(const struct tx_changes *ch, uint32_t type)
{
    return ch->by_type.cap == 0 ? NONE : *place_slot(ch, type);
}

/* The place of TYPE; those above it are made as far as they are missing. */
um_err places_add(struct tx_changes *ch, uint32_t type, uint32_t *out)
{
    struct um_crdt *doc = ch->doc;
    uint32_t from = ch->places.n, below = NONE, at;

    if ((*out = place_find(ch, type)) != NONE)
        return UM_OK;
    *out = from;
    for (;;) {
        uint32_t item = doc->types.v[type].item;

        if (!vec_room(&ch->mem, &ch->places, 1) || !table_room(&ch->mem, &ch->by_type, 1, place_hash, &ch->places))
            return UM_ENOMEM;
        at = ch->places.n++;
        ch->places.v[at] = (struct place){ .type = type, .up = NONE, .root = at, .seq = NONE };
        *place_slot(ch, type) = at;
        ch->by_type.n++;
        if (below != NONE)
            ch->places.v[below].up = at;
        if (item == NONE)
            break;
        ch->places.v[at].in_list = !item_is_keyed(item_at(doc, item));
        type = (uint32_t)(item_type(doc, item_at(doc, item)) - doc->types.v);
        below = at;
        if ((at = place_find(ch, type)) != NONE) {
            ch->places.v[below].up = at;
            break;
        }
    }
    for (uint32_t i = ch->places.n; i > from; i--) {      /* from the top down */
        struct place *p = &ch->places.v[i - 1];

        if (p->up == NONE)
            continue;
        p->root = ch->places.v[p->up].root;
        ch->places.v[p->up].holds |= p->in_list;
    }
    return UM_OK;
}

/* Positions count what is visible. */
static void places_locate(struct tx_changes *ch)
{
    const struct um_crdt *doc = ch->doc;

    for (uint32_t i = 0; i < ch->places.n; i++) {
        uint32_t index = 0;

        if (!ch->places.v[i].holds)
            continue;
        for (uint32_t k = doc->types.v[ch->places.v[i].type].start; k != NONE; k = item_at(doc, k)->right) {
            const struct item *it = item_at(doc, k);
            uint32_t place = it->kind == KIND_TYPE ? place_find(ch, it->content) : NONE;

            if (place != NONE)
                ch->places.v[place].index = index;
            if (item_is_visible(it))
                index += it->len;
        }
    }
    ch->located = true;
}

static void step_emit(struct reader *r, const struct tx_changes *ch, const struct place *p)
{
    const struct item *it = item_at(ch->doc, ch->doc->types.v[p->type].item);

    if (p->in_list) {
        emit_count(r, p->index);
    } else {
        emit_json_string(r, name_text(ch->doc, ch->doc->slots.v[it->parent].key));
    }
}

um_err path_emit(struct reader *r, struct tx_changes *ch, uint32_t place)
{
    VEC(uint32_t) path = { 0 };

    if (!ch->located)
        places_locate(ch);
    for (; ch->places.v[place].up != NONE; place = ch->places.v[place].up) {
        if (!vec_room(&ch->mem, &path, 1)) {
            vec_free(&ch->mem, &path);
            return UM_ENOMEM;
        }
        path.v[path.n++] = place;
    }
    emit_text(r, "[");
    for (uint32_t i = path.n; i > 0; i--) {
        step_emit(r, ch, &ch->places.v[path.v[i - 1]]);
        if (i > 1)
            emit_text(r, ",");
    }
    emit_text(r, "]");
    vec_free(&ch->mem, &path);
    return UM_OK;
}

void places_free(struct tx_changes *ch)
{
    vec_free(&ch->mem, &ch->places);
    mem_free(&ch->mem, ch->by_type.v, ch->by_type.cap * sizeof(*ch->by_type.v));
}
