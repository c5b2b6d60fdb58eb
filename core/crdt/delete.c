/* Deleting items and collecting what was deleted. Types are walked without recursion: down through `start` and
 * the slots, up through the item that holds a type. */
#include "posindex.h"

/* ---- the transaction's records. Running out of memory here costs the event, not the document ------------ */

void tx_record_delete(struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t len)
{
    struct tx *tx = doc->tx;
    struct span32 *last = tx->deleted.n > 0 ? &tx->deleted.v[tx->deleted.n - 1] : NULL;

    doc->ds_valid = false;
    if (last != NULL && last->client == client && last->clock + last->len == clock) {
        last->len += len;
        return;
    }
    if (!vec_room(&doc->mem, &tx->deleted, 1)) {
        tx->lost = true;
        return;
    }
    tx->deleted.v[tx->deleted.n++] = (struct span32){ client, clock, len };
}

void tx_note_split(struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t cut)
{
    struct tx *tx = doc->tx;

    if (vec_room(&doc->mem, &tx->splits, 1))
        tx->splits.v[tx->splits.n++] = (struct span32){ client, clock, cut };
}

/* A type counts as changed when it existed before and is still there. Only texts are of interest: they may ask
 * for the clean-up of formatting marks. */
void tx_note_change(struct um_crdt *doc, uint32_t type)
{
    struct type *t = &doc->types.v[type];
    struct tx *tx = doc->tx;

    if (!doc->cleanup || tx->local || t->changed == tx->epoch)
        return;
    if (t->kind != UM_CRDT_TEXT && t->kind != UM_CRDT_XML_TEXT)
        return;
    if (t->item != NONE) {
        const struct item *it = item_at(doc, t->item);

        if (item_is_deleted(it) || it->clock >= client_before(doc, it->client))
            return;
    }
    if (vec_room(&doc->mem, &tx->texts, 1)) {
        tx->texts.v[tx->texts.n++] = type;
        t->changed = tx->epoch;
    }
}

/* ---- walking what a type holds ------------------------------------------------------------------------- */

/* Visits list children first, then the slots' items (WHOLE_CHAINS: each from the rightmost leftwards, else
 * only the rightmost); a child type's content right after (ENTER says so) the child itself. */
struct walk {
    struct um_crdt *doc;
    uint32_t top;                     /* the type where it began */
    uint32_t type, slot, item;        /* slot NONE: in the list */
    bool whole_chains;
};

/* To the first item of the slots from SLOT on; NONE when there is none. */
static uint32_t walk_slots(struct walk *w, uint32_t slot)
{
    for (; slot != NONE; slot = w->doc->slots.v[slot].next) {
        if (w->doc->slots.v[slot].tail != NONE) {
            w->slot = slot;
            return w->doc->slots.v[slot].tail;
        }
    }
    return NONE;
}

static uint32_t walk_first(struct walk *w)
{
    const struct type *t = &w->doc->types.v[w->type];

    w->slot = NONE;
    return t->start != NONE ? t->start : walk_slots(w, t->first_slot);
}

/* What follows IT within its own type. */
static uint32_t walk_beside(struct walk *w, const struct item *it)
{
    if (w->slot == NONE)
        return it->right != NONE ? it->right : walk_slots(w, w->doc->types.v[w->type].first_slot);
    if (w->whole_chains && it->left != NONE)
        return it->left;
    return walk_slots(w, w->doc->slots.v[w->slot].next);
}

/* ---- deletion ------------------------------------------------------------------------------------------ */

static void item_mark_deleted(struct um_crdt *doc, uint32_t i)
{
    struct item *it = item_at(doc, i);
    uint32_t parent = item_is_keyed(it) ? doc->slots.v[it->parent].type : it->parent;

    if (item_is_countable(it) && !item_is_keyed(it)) {
        doc->types.v[parent].length -= it->len;
        posindex_resize(doc, i, 0u - it->len);
    } else if (it->kind == KIND_FORMAT) {
        posindex_unmark(doc, i);
    }
    it->flags |= F_DELETED;
    tx_record_delete(doc, it->client, it->clock, it->len);
    tx_note_change(doc, parent);
    if (doc->observer != NULL) {
        change_note(doc, it);
        if (it->kind == KIND_DOC)
            subdoc_note(doc, i, true);
    }
}

static void children_delete(struct um_crdt *doc, uint32_t type)
{
    struct walk w = { .doc = doc, .top = type, .type = type };
    uint32_t i = walk_first(&w);

    for (;;) {
        struct item *it;

        while (i == NONE) {                /* the type is done: behind the item that holds it */
            doc->types.v[w.type].changed = 0;
            if (w.type == w.top)
                return;
            it = item_at(doc, doc->types.v[w.type].item);
            w.type = item_is_keyed(it) ? doc->slots.v[it->parent].type : it->parent;
            w.slot = item_is_keyed(it) ? it->parent : NONE;
            i = walk_beside(&w, it);
        }
        it = item_at(doc, i);
        if (!item_is_deleted(it)) {
            item_mark_deleted(doc, i);
            if (it->kind == KIND_TYPE) {
                w.type = it->content;
                i = walk_first(&w);
                continue;
            }
        } else if (it->clock < client_before(doc, it->client)) {
            tx_note_split(doc, it->client, it->clock, 0);
        }
        i = walk_beside(&w, it);
    }
}

void item_delete(struct um_crdt *doc, uint32_t i)
{
    struct item *it = item_at(doc, i);

    if (item_is_deleted(it))
        return;
    item_mark_deleted(doc, i);
    if (it->kind == KIND_TYPE)
        children_delete(doc, it->content);
}

void range_delete(struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t end)
{
    struct cursor at = index_find(&doc->clients.v[client], clock);

    for (;;) {
        uint32_t i = cursor_entry(at)->ref;
        struct item *it;

        if (cursor_entry(at)->clock >= end)
            return;
        if (i != REF_GC && !item_is_deleted(it = item_at(doc, i))) {
            if (it->clock < clock) {
                i = item_split(doc, at, clock - it->clock);
                at = index_find(at.c, clock);
                it = item_at(doc, i);
            }
            if (it->clock + it->len > end) {
                item_split(doc, at, end - it->clock);
                at = index_find(at.c, item_at(doc, i)->clock);
            }
            item_delete(doc, i);
        }
        if (!cursor_next(&at))
            return;
    }
}

/* ---- collection ---------------------------------------------------------------------------------------- */

/* A child of a collected type: leaves nothing but its clocks. */
static void item_collect_whole(struct um_crdt *doc, uint32_t i)
{
    struct item *it = item_at(doc, i);
    struct cursor at = index_find(&doc->clients.v[it->client], it->clock);

    if (it->clock >= client_before(doc, it->client))
        doc->tx->odd = true;
    cursor_entry(at)->ref = REF_GC;
    if (it->kind == KIND_TYPE)
        type_free(doc, it->content);
    else
        content_drop(doc, it);
    item_free(doc, i);
}

static void children_collect(struct um_crdt *doc, uint32_t type)
{
    struct walk w = { .doc = doc, .top = type, .type = type, .whole_chains = true };
    uint32_t i = walk_first(&w);

    for (;;) {
        const struct item *it;
        uint32_t done;

        while (i == NONE) {
            if (w.type == w.top)
                return;
            done = doc->types.v[w.type].item;      /* the type is empty now: its item goes as well */
            it = item_at(doc, done);
            w.type = item_is_keyed(it) ? doc->slots.v[it->parent].type : it->parent;
            w.slot = item_is_keyed(it) ? it->parent : NONE;
            i = walk_beside(&w, it);
            item_collect_whole(doc, done);
        }
        it = item_at(doc, i);
        if (it->kind == KIND_TYPE) {
            w.type = it->content;
            i = walk_first(&w);
            continue;
        }
        done = i;
        i = walk_beside(&w, it);
        item_collect_whole(doc, done);
    }
}

static void item_collect(struct um_crdt *doc, uint32_t i)
{
    struct item *it = item_at(doc, i);

    if (it->kind == KIND_DELETED)
        return;
    if (it->clock >= client_before(doc, it->client))
        doc->tx->odd = true;
    if (it->kind == KIND_TYPE) {
        children_collect(doc, it->content);
        type_free(doc, it->content);
    } else {
        content_drop(doc, it);
    }
    it->kind = KIND_DELETED;
    it->content = it->bytes = 0;
    it->flags &= F_DELETED | F_KEYED | F_KEEP | F_REDONE;
}

static void range_collect(struct um_crdt *doc, const struct span32 *g)
{
    struct cursor at = index_find(&doc->clients.v[g->client], g->clock);

    while (cursor_entry(at)->clock < g->clock + g->len) {
        uint32_t i = cursor_entry(at)->ref;

        if (i != REF_GC && (item_at(doc, i)->flags & (F_DELETED | F_KEEP)) == F_DELETED)
            item_collect(doc, i);
        if (!cursor_next(&at))
            return;
    }
}

/* Clients in order of first deletion, ranges from last to first (tx_sort_deleted has grouped them). */
void collect_deleted(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t from = 0, to; from < tx->deleted.n; from = to) {
        for (to = from; to < tx->deleted.n && tx->deleted.v[to].client == tx->deleted.v[from].client;)
            to++;
        for (uint32_t k = to; k > from; k--)
            range_collect(doc, &tx->deleted.v[k - 1]);
    }
}
